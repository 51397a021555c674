#include "conf/env.h"

#include "conf/check.h"
#include "conf/conf.h"

#include <stdio.h>

const char *env_get(char *const *env, const char *name)
{
    size_t n = strlen(name);
    const char *found = NULL;
    for (; env && *env; env++)
        if (strncmp(*env, name, n) == 0 && (*env)[n] == '=') found = *env + n + 1;
    return found;
}

struct variable {
    struct str name; /* "ROLLCALL_CONNECTORS_CORP_HOST" */
    struct str rest; /* "CORP_HOST" */
    struct str value;
    struct arena *arena;
    const struct node_place *place;
};

static char env_letter(char c)
{
    if (c >= 'a' && c <= 'z') return (char)(c - 32);
    return c == '-' ? '_' : c;
}

/* true if rest is NAME_KEY for this block; *key then is KEY in lower case. */
static bool names_block(struct str *key, char out[NODE_MAX_KEY + 1], struct str rest,
                        const struct node *block)
{
    size_t n = block->key.len;
    if (rest.len <= n + 1 || rest.ptr[n] != '_' || rest.len - n > NODE_MAX_KEY) return false;
    for (size_t i = 0; i < n; i++)
        if (rest.ptr[i] != env_letter(block->key.ptr[i])) return false;
    key->len = rest.len - n - 1;
    for (size_t i = 0; i < key->len; i++) out[i] = ascii_lower(rest.ptr[n + 1 + i]);
    out[key->len] = 0;
    key->ptr = out;
    return true;
}

static const struct type_spec *type_of(const struct node *block)
{
    const struct node *type = block->type == NODE_MAP ? node_find(block, STR("type")) : NULL;
    return type && type->type == NODE_SCALAR ? type_spec_find(type->text) : NULL;
}

/* Lists: "[a, b]" as in the file, or "a,b". */
static int list_value(struct node **out, const struct variable *v)
{
    struct str rest = v->value;
    if (str_starts(str_trim(rest), STR("["))) {
        struct err inner;
        if (node_parse(out, v->arena, rest, "value", &inner) < 0)
            return err_set(v->place->e, ERR_INPUT, "%s", inner.message);
        for (struct node *n = (*out)->first; n; n = n->next) n->line = 0;
        return 0;
    }
    struct node *list = arena_alloc(v->arena, sizeof *list);
    if (!list) return err_set(v->place->e, ERR_INPUT, "too long");
    *list = (struct node){.type = NODE_LIST};
    while (rest.len) {
        size_t n = str_index(rest, ',');
        struct node *one = node_scalar(v->arena, str_trim((struct str){rest.ptr, n}));
        if (!one) return err_set(v->place->e, ERR_INPUT, "too long");
        node_append(list, one);
        n += n < rest.len;
        rest = (struct str){rest.ptr + n, rest.len - n};
    }
    *out = list;
    return 0;
}

int env_value(struct node **out, struct arena *a, const struct key_spec *k, struct str value,
              const struct node_place *p)
{
    struct variable v = {.value = value, .arena = a, .place = p};
    if (k && key_kind_is_list(k->kind)) return list_value(out, &v);
    *out = node_scalar(a, value);
    return *out ? 0 : err_set(p->e, ERR_INPUT, "too long");
}

/* Every node of it says where it came from. Lists hold scalars or maps of scalars. */
static void set_origin(struct node *n, const char *origin)
{
    n->origin = origin;
    for (struct node *one = n->first; one; one = one->next) {
        one->origin = origin;
        for (struct node *two = one->first; two; two = two->next) two->origin = origin;
    }
}

static int put(struct node *block, struct str key, const struct key_spec *k, const struct variable *v)
{
    struct node *fresh = NULL;
    char name[NODE_SHOWN];
    const char *origin = arena_printf(v->arena, "%.*s", STR_FMT(v->name));
    struct str own_key = arena_str(v->arena, key);
    if (!origin || !own_key.ptr)
        return err_set(v->place->e, ERR_INPUT, "%s: too long", node_show(name, v->name));
    if (env_value(&fresh, v->arena, k, v->value, v->place) < 0) return err_wrap(v->place->e, "%s", origin);
    fresh->key = own_key;
    set_origin(fresh, origin);
    struct node *old = node_find(block, key);
    if (!old) {
        node_append(block, fresh);
        return 0;
    }
    fresh->next = old->next; /* in its place */
    *old = *fresh;
    return 0;
}

static int fail_variable(const struct variable *v, const char *text, const char *meant)
{
    if (meant)
        return err_set(v->place->e, ERR_INPUT, "%.*s: %s; did you mean '%s'?", STR_FMT(v->name), text, meant);
    return err_set(v->place->e, ERR_INPUT, "%.*s: %s", STR_FMT(v->name), text);
}

struct match {
    struct node *block;
    const struct key_spec *key;
    const struct type_spec *guess_type; /* a block matches, its key does not */
    char guess_key[NODE_MAX_KEY + 1];
    size_t n;
};

static void match_block(struct match *m, struct node *block, const struct variable *v)
{
    struct str key;
    char text[NODE_MAX_KEY + 1];
    const struct type_spec *t = type_of(block);
    if (!t || !names_block(&key, text, v->rest, block)) return;
    const struct key_spec *k = key_spec_find(t, key);
    if (k) {
        m->block = block;
        m->key = k;
        m->n++;
    } else {
        m->guess_type = t;
        memcpy(m->guess_key, text, key.len + 1);
    }
}

static int refuse(const struct match *m, const struct variable *v, const char *what)
{
    char text[NODE_MAX_KEY + 64];
    if (m->n > 1) {
        snprintf(text, sizeof text, "fits two %ss of the settings", what);
        return fail_variable(v, text, NULL);
    }
    if (m->guess_type) {
        snprintf(text, sizeof text, "unknown key '%.60s'", m->guess_key);
        return fail_variable(v, text, key_spec_guess(m->guess_type, str_from(m->guess_key)));
    }
    snprintf(text, sizeof text, "there is no %s of that name in the settings", what);
    fail_variable(v, text, NULL);
    return err_hint(v->place->e,
                    "unset the variable, or correct its name: upper case, - as _, then _ and the key");
}

static int apply_block(struct node *root, const char *section, const char *what, const struct variable *v)
{
    struct match m = {0};
    struct node *blocks = node_find(root, str_from(section));
    if (blocks && blocks->type == NODE_MAP)
        for (struct node *block = blocks->first; block; block = block->next) match_block(&m, block, v);
    return m.n == 1 ? put(m.block, str_from(m.key->name), m.key, v) : refuse(&m, v, what);
}

static bool cut_prefix(struct str *rest, struct str name, struct str prefix)
{
    if (!str_starts(name, prefix)) return false;
    *rest = (struct str){name.ptr + prefix.len, name.len - prefix.len};
    return true;
}

static int apply_one(struct node *root, struct variable *v)
{
    if (str_equal(v->name, STR("ROLLCALL_STORE"))) return put(root, STR("store"), NULL, v);
    if (cut_prefix(&v->rest, v->name, STR("ROLLCALL_CONNECTORS_")))
        return apply_block(root, "connectors", "connector", v);
    if (cut_prefix(&v->rest, v->name, STR("ROLLCALL_SINKS_"))) return apply_block(root, "sinks", "sink", v);
    return 0;
}

/* What a shell can set; anything else could not be shown in a message either. */
static bool is_variable_name(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!ascii_is_alnum(s.ptr[i]) && s.ptr[i] != '_') return false;
    return s.len <= 2 * NODE_MAX_KEY;
}

static int refuse_variable_name(const struct variable *v)
{
    char shown[NODE_SHOWN];
    struct str name = str_is_utf8(v->name) ? v->name : STR("ROLLCALL_...");
    err_set(v->place->e, ERR_INPUT, "the environment variable %s has a name that cannot be",
            node_show(shown, name));
    return err_hint(v->place->e,
                    "unset it; names are upper case letters, digits and _, where settings have -");
}

int env_apply(struct node *root, struct arena *a, char *const *env, const struct node_place *p)
{
    for (; env && *env; env++) {
        struct str all = str_from(*env);
        size_t n = str_index(all, '=');
        bool is_ours = str_starts(all, STR("ROLLCALL_STORE=")) ||
                       str_starts(all, STR("ROLLCALL_CONNECTORS_")) ||
                       str_starts(all, STR("ROLLCALL_SINKS_"));
        if (n == all.len || !is_ours) continue; /* ROLLCALL_CONFIG and others are not settings */
        struct variable v = {
            .name = {all.ptr, n}, .value = {all.ptr + n + 1, all.len - n - 1}, .arena = a, .place = p};
        if (!is_variable_name(v.name)) return refuse_variable_name(&v);
        if (!str_is_utf8(all)) return fail_variable(&v, "not UTF-8 text", NULL);
        try(apply_one(root, &v));
    }
    return 0;
}
