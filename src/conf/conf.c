#include "conf/conf.h"

#include "base/file.h"
#include "base/when.h"
#include "conf/check.h"
#include "conf/env.h"
#include "conf/reference.h"
#include "conf/value.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#define DEFAULT_PATH "/etc/rollcall/rollcall.yaml"
#define HANDED       "/proc/self/fd/" /* settings from the process that started this one (server/connectors/connectors.h); its own environment is in them already */

/* One parse: the tree, where it came from, what it becomes. */
struct reading {
    struct conf *out;
    struct arena arena;
    const char *dir;
    struct node_place place;
    struct err *e;
};

/* --- the sections --------------------------------------------------------------------------------------- */

static int unknown_key(const struct reading *r, const struct node *n, const char *const *names)
{
    const char *meant = did_you_mean(n->key, names);
    int rc = node_fail_unknown(&r->place, n, meant);
    return meant ? rc : err_hint(r->e, "at the top there are: store, connectors, sinks, identity_rules, vault");
}

static int take_store(const struct reading *r, const struct node *n)
{
    char shown[NODE_SHOWN];
    if (n->type != NODE_SCALAR || !n->text.len)
        return node_fail(&r->place, n, "store: sqlite:PATH is expected");
    if (str_starts(n->text, STR("postgres")))
        return node_fail(&r->place, n, "store: PostgreSQL is not in this version; use sqlite:PATH");
    struct str path = {n->text.ptr + 7, n->text.len - 7};
    if (!str_starts(n->text, STR("sqlite:")) || !path.len)
        return node_fail(&r->place, n, "store: %s is not of the form sqlite:PATH", node_show(shown, n->text));
    if (path.ptr[0] == '~') return node_fail(&r->place, n, "store: ~ is not expanded: write the whole path");
    defer_free char *whole = path_absolute(path, r->dir);
    struct buf url = buf_new(16384);
    buf_printf(&url, "sqlite:%s", whole);
    r->out->store_url = x_strdup(buf_str(&url));
    buf_free(&url);
    return 0;
}

static int unknown_type(const struct reading *r, const struct node *type, bool is_sink)
{
    const char *names[16];
    char shown[NODE_SHOWN], list[256];
    size_t n = 0, w = 0;
    for (const struct conf_type *t = conf_types; t->name && n < n_elements(names) - 1; t++) {
        if (t->is_sink != is_sink) continue;
        w += (size_t)snprintf(list + w, sizeof list - w, "%s%s", n ? ", " : "", t->name);
        names[n++] = t->name;
    }
    names[n] = NULL;
    const char *meant = did_you_mean(type->text, names);
    node_show(shown, type->text);
    if (meant)
        return node_fail(&r->place, type, "type: %s is none of %s; did you mean '%s'?", shown, list, meant);
    return node_fail(&r->place, type, "type: %s is none of %s", shown, list);
}

static int find_type(const struct type_spec **out, const struct reading *r, const struct node *block,
                     bool is_sink)
{
    char shown[NODE_SHOWN];
    const char *what = is_sink ? "sink" : "connector";
    node_show(shown, block->key);
    if (!is_name(block->key))
        return node_fail_key(&r->place, block, "%s %s: a name has 1 to 64 letters, digits, - or _", what,
                             shown);
    if (block->type != NODE_MAP)
        return node_fail(&r->place, block, "%s %s: a block of keys is expected", what, shown);
    const struct node *type = node_find(block, STR("type"));
    if (!type) {
        node_fail_key(&r->place, block, "%s %s: type is missing", what, shown);
        return err_hint(r->e, "for example: type: %s", is_sink ? "directory" : "active_directory");
    }
    if (type->type != NODE_SCALAR) return node_fail(&r->place, type, "type: one word is expected");
    *out = type_spec_find(type->text);
    return *out && (*out)->is_sink == is_sink ? 0 : unknown_type(r, type, is_sink);
}

static size_t count(const struct node *map)
{
    size_t n = 0;
    for (const struct node *one = map->first; one; one = one->next) n++;
    return n;
}

static int check_section(const struct reading *r, const struct node *section)
{
    if (section->type == NODE_MAP) return 0;
    bool empty = section->type == NODE_SCALAR && !section->text.len;
    if (empty) return 0; /* "connectors:" with everything under it commented out */
    return node_fail(&r->place, section, "%.*s: a block of named blocks is expected", STR_FMT(section->key));
}

static int take_connectors(const struct reading *r, const struct node *section)
{
    try(check_section(r, section));
    r->out->connectors = x_zalloc((count(section) + 1) * sizeof *r->out->connectors);
    for (const struct node *block = section->first; block; block = block->next) {
        const struct type_spec *t;
        struct connector_conf *c = &r->out->connectors[r->out->n_connectors];
        try(find_type(&t, r, block, false));
        try(settings_check(&c->settings, t, block, r->dir, &r->place));
        c->name = x_strdup(block->key);
        c->type = t->name;
        c->line = block->key_line;
        r->out->n_connectors++;
    }
    return 0;
}

static int take_sinks(const struct reading *r, const struct node *section)
{
    try(check_section(r, section));
    r->out->sinks = x_zalloc((count(section) + 1) * sizeof *r->out->sinks);
    for (const struct node *block = section->first; block; block = block->next) {
        const struct type_spec *t;
        struct sink_conf *s = &r->out->sinks[r->out->n_sinks];
        try(find_type(&t, r, block, true));
        try(settings_check(&s->settings, t, block, r->dir, &r->place));
        s->name = x_strdup(block->key);
        s->type = t->name;
        r->out->n_sinks++;
    }
    return 0;
}

static int take_vault(const struct reading *r, const struct node *block)
{
    if (block->type != NODE_MAP) return node_fail(&r->place, block, "vault: a block of keys is expected");
    return settings_check(&r->out->vault, &vault_spec, block, r->dir, &r->place);
}

static int take_root(const struct reading *r, const struct node *root)
{
    static const char *const names[] = {"store", "connectors", "sinks", "vault", "identity_rules", NULL};
    static int (*const take[])(const struct reading *, const struct node *) = {take_store, take_connectors,
                                                                               take_sinks, take_vault};
    const struct node *rules = NULL;
    if (root->type != NODE_MAP)
        return node_fail(&r->place, root, "settings begin with keys: store, connectors, sinks");
    for (const struct node *n = root->first; n; n = n->next) {
        size_t i = 0;
        while (names[i] && !str_equal(n->key, str_from(names[i]))) i++;
        if (!names[i]) return unknown_key(r, n, names);
        if (i < n_elements(take)) try(take[i](r, n));
        else rules = n;
    }
    if (!rules) return 0;
    return identity_rules_read(&r->out->identity_rules, &r->out->n_identity_rules, rules, root, &r->place);
}

/* --- reading -------------------------------------------------------------------------------------------- */

static int read_tree(struct reading *r, struct str yaml, char *const *env)
{
    struct node *root;
    try(node_parse(&root, &r->arena, yaml, r->place.file, r->e));
    if (root->type == NODE_MAP) try(env_apply(root, &r->arena, env, &r->place));
    return take_root(r, root);
}

int conf_parse(struct conf *out, struct str yaml, const char *name, const char *dir, char *const *env,
               struct err *e)
{
    *out = (struct conf){.path = x_strdup(str_from(name))};
    struct reading r = {
        .out = out, .arena = arena_new(NODE_ARENA_MAX), .dir = dir, .place = {.file = name, .e = e}, .e = e};
    int rc = read_tree(&r, yaml, env);
    arena_free(&r.arena);
    if (rc < 0) conf_free(out);
    return rc;
}

/* The directory of an absolute path. */
static char *directory_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    size_t n = slash && slash != path ? (size_t)(slash - path) : 1;
    return x_strdup((struct str){path, n});
}

static int fail_to_read(const char *path, bool was_asked, struct err *e)
{
    if (e->class == ERR_LIMIT)
        return err_set(e, ERR_INPUT, "%s: longer than 1 MiB: this is not a settings file", path);
    if (e->class != ERR_NOTFOUND) return err_wrap(e, "settings");
    err_set(e, ERR_NOTFOUND, "no settings: there is no file %s", path);
    if (was_asked) return err_hint(e, "name the file with --config FILE or $ROLLCALL_CONFIG");
    return err_hint(e, "looked at --config, then $ROLLCALL_CONFIG, then %s; write that file or name another",
                    path);
}

enum { HANDED_FIRST = 20, HANDED_MAX = 40 };

/* Of the inherited descriptors a worker inherits the files that the connectors' settings name (certificates), and no secret. */
static void keep_handed(const struct conf *c)
{
    for (int fd = HANDED_FIRST; fd < HANDED_FIRST + HANDED_MAX; fd++) fcntl(fd, F_SETFD, FD_CLOEXEC);
    for (size_t i = 0; i < c->n_connectors; i++) {
        const char *key, *path;
        json_t *v;
        json_object_foreach(c->connectors[i].settings, key, v)
        {
            path = json_string_value(v);
            if (path && str_starts(str_from(path), STR(HANDED))) fcntl(reference_descriptor(str_from(path + strlen(HANDED))), F_SETFD, 0);
        }
    }
}

int conf_load(struct conf *out, const char *path, char *const *env, struct err *e)
{
    const char *from_env = env_get(env, "ROLLCALL_CONFIG");
    *out = (struct conf){0};
    const char *chosen = path ? path : from_env && *from_env ? from_env : DEFAULT_PATH;
    struct buf text = buf_new(NODE_MAX_BYTES);
    bool is_handed = str_starts(str_from(chosen), STR(HANDED));
    if (is_handed) reference_allow_descriptors();
    int rc = file_read(&text, chosen, e);
    if (rc < 0) {
        rc = fail_to_read(chosen, chosen == path || chosen == from_env, e);
    } else {
        defer_free char *whole = path_absolute(str_from(chosen), NULL);
        defer_free char *dir = directory_of(whole);
        rc = conf_parse(out, buf_str(&text), chosen, is_handed ? "/" : dir, is_handed ? NULL : env, e);
    }
    if (is_handed) keep_handed(out);
    buf_free(&text);
    return rc;
}

void conf_free(struct conf *c)
{
    if (!c) return;
    for (size_t i = 0; i < c->n_connectors; i++) {
        free(c->connectors[i].name);
        json_decref(c->connectors[i].settings);
    }
    for (size_t i = 0; i < c->n_sinks; i++) {
        free(c->sinks[i].name);
        json_decref(c->sinks[i].settings);
    }
    identity_rules_free(c->identity_rules, c->n_identity_rules);
    json_decref(c->vault);
    free(c->connectors);
    free(c->sinks);
    free(c->path);
    free(c->store_url);
    *c = (struct conf){0};
}

/* --- asking --------------------------------------------------------------------------------------------- */

static int no_connector(const struct conf *c, struct str name, struct err *e)
{
    char shown[NODE_SHOWN];
    const char **names = x_alloc((c->n_connectors + 1) * sizeof *names);
    struct buf list = buf_new(300);
    for (size_t i = 0; i < c->n_connectors; i++) {
        names[i] = c->connectors[i].name;
        buf_printf(&list, "%s%s", i ? ", " : "", names[i]);
    }
    names[c->n_connectors] = NULL;
    const char *meant = did_you_mean(name, names);
    node_show(shown, name);
    if (meant)
        err_set(e, ERR_NOTFOUND, "no connector %s in %s; did you mean '%s'?", shown, c->path, meant);
    else
        err_set(e, ERR_NOTFOUND, "no connector %s in %s", shown, c->path);
    bool cut = list.failed;
    list.failed = false;
    if (c->n_connectors)
        err_hint(e, "there are: %s%s", buf_cstr(&list), cut ? ", ..." : "");
    else
        err_hint(e, "the file has no connectors yet");
    buf_free(&list);
    free(names);
    return ERR_NOTFOUND;
}

int conf_connector(const struct conf *c, struct str name, const struct connector_conf **out, struct err *e)
{
    for (size_t i = 0; i < c->n_connectors; i++) {
        if (!str_equal(name, str_from(c->connectors[i].name))) continue;
        *out = &c->connectors[i];
        return 0;
    }
    return no_connector(c, name, e);
}

static int override_value(struct connector_conf *c, struct str key, struct str value, struct arena *a,
                          const struct node_place *p)
{
    const struct type_spec *t = type_spec_find(str_from(c->type));
    const struct key_spec *k = t ? key_spec_find(t, key) : NULL;
    struct node *n;
    json_t *typed;
    if (!t) return err_set(p->e, ERR_BUG, "connector type %s", c->type);
    if (!k) return settings_unknown_key(t, &(struct node){.key = key}, p);
    if (env_value(&n, a, k, value, p) < 0) return node_fail(p, NULL, "%s: %s", k->name, p->e->message);
    try(value_check(&typed, k, n, NULL, p));
    bool was_default =
        json_integer_value(json_object_get(c->settings, "port")) == settings_default_port(c->settings);
    json_object_set_new(c->settings, k->name, typed);
    if (strcmp(k->name, "security") == 0 && was_default)
        json_object_set_new(c->settings, "port", json_integer(settings_default_port(c->settings)));
    return 0;
}

int conf_override(struct connector_conf *c, struct str key, struct str value, struct err *e)
{
    struct arena a = arena_new(NODE_ARENA_MAX);
    struct node_place p = {.where = c->name, .e = e};
    int rc =
        str_is_utf8(value) ? override_value(c, key, value, &a, &p) : node_fail(&p, NULL, "not UTF-8 text");
    arena_free(&a);
    return rc;
}

static int tree_from_settings(struct node *map, struct arena *a, json_t *settings, const struct node_place *p)
{
    const char *key;
    json_t *v;
    json_object_foreach(settings, key, v)
    {
        struct node *n;
        char shown[NODE_SHOWN];
        if (node_from_json(&n, a, v, p->e) < 0) {
            struct err inner = *p->e;
            return node_fail(p, NULL, "%s: %s", node_show(shown, str_from(key)), inner.message);
        }
        n->key = str_from(key);
        node_append(map, n);
    }
    return 0;
}

static int check_against(const struct type_spec *t, json_t *settings, const char *where, struct err *e)
{
    struct node_place p = {.where = where, .e = e};
    struct node map = {.type = NODE_MAP};
    json_t *checked = NULL;
    if (!t) return node_fail(&p, NULL, "unknown type");
    if (!json_is_object(settings)) return node_fail(&p, NULL, "an object of settings is expected");
    const char *own = json_string_value(json_object_get(settings, "type"));
    if (own && strcmp(own, t->name) != 0)
        return node_fail(&p, NULL, "type: the settings of a connector cannot change its type");
    struct arena a = arena_new(NODE_ARENA_MAX);
    int rc = tree_from_settings(&map, &a, settings, &p);
    if (rc == 0) rc = settings_check(&checked, t, &map, NULL, &p);
    if (rc == 0) {
        json_object_clear(settings);
        json_object_update(settings, checked);
        json_decref(checked);
    }
    arena_free(&a);
    return rc;
}

int conf_check_settings(const char *type, json_t *settings, const char *where, struct err *e)
{
    return check_against(type_spec_find(str_from(type)), settings, where, e);
}

int conf_check_vault(json_t *settings, const char *where, struct err *e)
{
    return check_against(&vault_spec, settings, where, e);
}

int conf_judge_settings(const char *type, json_t *settings, void (*tell)(void *ctx, const char *key, const struct err *e), void *ctx, struct err *e)
{
    const struct type_spec *t = type_spec_find(str_from(type));
    struct err found = {0};
    struct node_place p = {.e = &found};
    struct node map = {.type = NODE_MAP};
    if (!t || t->is_sink) return err_set(e, ERR_INPUT, "unknown type");
    if (!json_is_object(settings)) return err_set(e, ERR_INPUT, "an object of settings is expected");
    struct arena a = arena_new(NODE_ARENA_MAX);
    int rc = tree_from_settings(&map, &a, settings, &p);
    if (rc == 0)
        settings_judge(t, &map, &p, tell, ctx);
    else
        *e = found;
    arena_free(&a);
    return rc;
}

/* --- typed reads ---------------------------------------------------------------------------------------- */

const char *conf_str(const json_t *settings, const char *key)
{
    return json_string_value(json_object_get(settings, key));
}

int64_t conf_int(const json_t *settings, const char *key)
{
    const json_t *v = json_object_get(settings, key);
    int64_t ms = 0;
    if (json_is_string(v)) return conf_parse_duration(&ms, str_from(json_string_value(v))) ? ms : 0;
    return json_integer_value(v);
}

bool conf_bool(const json_t *settings, const char *key)
{
    return json_is_true(json_object_get(settings, key));
}

const char *conf_secret_key(const char *type, const json_t *settings)
{
    const struct type_spec *t = type_spec_find(str_from(type));
    for (size_t i = 0; t && i < t->n_keys; i++)
        if (t->keys[i].kind == KEY_SECRET && json_object_get(settings, t->keys[i].name)) return t->keys[i].name;
    return NULL;
}

bool conf_parse_duration(int64_t *out_ms, struct str s)
{
    int64_t n = 0, unit = s.len < 2 || s.len > 9 ? 0 : when_unit_ms(s.ptr[s.len - 1]);
    if (!unit || s.ptr[s.len - 1] == 'w') return false; /* no setting lasts for weeks */
    for (size_t i = 0; i + 1 < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9') return false;
        n = n * 10 + (s.ptr[i] - '0');
    }
    *out_ms = n * unit;
    return true;
}
