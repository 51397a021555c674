#include "conf/value.h"

#include "base/when.h"
#include "conf/conf.h"
#include "conf/cron.h"
#include "conf/properties.h"
#include "conf/reference.h"
#include "model/dn.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define TEXT_MAX 4096
#define LIST_MAX 64

struct value {
    const struct key_spec *key;
    const struct node *node;
    const char *dir;
    const struct node_place *place;
};

/* An error set by a check on text gets the key and the place in front; its hint stays. */
static int fail_value(const struct value *v)
{
    struct err inner = *v->place->e;
    node_fail(v->place, v->node, "%s: %s", v->key->name, inner.message);
    if (inner.hint[0]) return err_hint(v->place->e, "%s", inner.hint);
    if (v->key->example) return err_hint(v->place->e, "for example: %s: %s", v->key->name, v->key->example);
    return ERR_INPUT;
}

/* --- scalars, by kind ----------------------------------------------------------------------------------- */

static int take_text(json_t **out, struct str s)
{
    *out = json_stringn(s.ptr, s.len);
    return 0;
}

static int check_string(json_t **out, const struct value *v, struct err *e)
{
    return take_text(out, v->node->text);
}

static int check_int(json_t **out, const struct value *v, struct err *e)
{
    struct str s = v->node->text;
    const struct key_spec *k = v->key;
    char shown[NODE_SHOWN];
    int64_t n = 0;
    bool ok = s.len > 0 && s.len <= 9;
    for (size_t i = 0; ok && i < s.len; i++) {
        ok = s.ptr[i] >= '0' && s.ptr[i] <= '9';
        n = n * 10 + (s.ptr[i] - '0');
    }
    if (!ok || n < k->min || n > k->max)
        return err_set(e, ERR_INPUT, "%s is not a whole number from %lld to %lld", node_show(shown, s),
                       (long long)k->min, (long long)k->max);
    *out = json_integer(n);
    return 0;
}

static int check_bool(json_t **out, const struct value *v, struct err *e)
{
    struct str s = v->node->text;
    char shown[NODE_SHOWN];
    bool is_true = str_equal(s, STR("true"));
    if (!is_true && !str_equal(s, STR("false")))
        return err_set(e, ERR_INPUT, "%s is neither true nor false (no other words are accepted)",
                       node_show(shown, s));
    *out = json_boolean(is_true);
    return 0;
}

static int check_choice(json_t **out, const struct value *v, struct err *e)
{
    struct str s = v->node->text;
    char shown[NODE_SHOWN], list[256], guess[64];
    if (words_have(v->key->choices, s)) return take_text(out, s);
    const char *meant = words_guess(guess, v->key->choices, s);
    words_list(list, v->key->choices);
    if (!meant) return err_set(e, ERR_INPUT, "%s is none of %s", node_show(shown, s), list);
    return err_set(e, ERR_INPUT, "%s is none of %s; did you mean '%s'?", node_show(shown, s), list, meant);
}

static void show_duration(char out[32], int64_t ms)
{
    const char *unit = "dhms";
    while (*unit != 's' && ms % when_unit_ms(*unit)) unit++;
    snprintf(out, 32, "%lld%c", (long long)(ms / when_unit_ms(*unit)), *unit);
}

static int check_duration(json_t **out, const struct value *v, struct err *e)
{
    char shown[NODE_SHOWN], min[32], max[32];
    int64_t ms;
    node_show(shown, v->node->text);
    if (!conf_parse_duration(&ms, v->node->text))
        return err_set(e, ERR_INPUT,
                       "%s is not a duration: write a number and s, m, h or d, as in 45s, 30m, 1h, 7d",
                       shown);
    if (ms >= v->key->min && ms <= v->key->max) return take_text(out, v->node->text);
    show_duration(min, v->key->min);
    show_duration(max, v->key->max);
    return err_set(e, ERR_INPUT, "%s is not from %s to %s", shown, min, max);
}

char *path_absolute(struct str path, const char *dir)
{
    struct buf b = buf_new(2 * TEXT_MAX + 2);
    defer_free char *here = path.len && path.ptr[0] == '/' ? NULL : dir ? NULL : getcwd(NULL, 0);
    const char *base = dir ? dir : here ? here : "/";
    while (path.len > 2 && str_starts(path, STR("./"))) path = (struct str){path.ptr + 2, path.len - 2};
    if (!path.len || path.ptr[0] != '/') buf_printf(&b, "%s%s", base, base[0] == '/' && !base[1] ? "" : "/");
    buf_add_str(&b, path);
    char *out = x_strdup(buf_str(&b));
    buf_free(&b);
    return out;
}

static int take_path(json_t **out, struct str path, const char *scheme, const struct value *v)
{
    defer_free char *whole = path_absolute(path, v->dir);
    *out = json_sprintf("%s%s", scheme, whole);
    return 0;
}

static int check_path(json_t **out, const struct value *v, struct err *e)
{
    struct str s = v->node->text;
    if (v->key->is_text && str_equal(s, STR("-"))) return take_text(out, s);
    if (str_starts(s, STR("~"))) return err_set(e, ERR_INPUT, "~ is not expanded: write the whole path");
    if (str_starts(s, STR("file:")))
        return err_set(e, ERR_INPUT, "this is a plain path: write it without file:");
    return take_path(out, s, "", v);
}

/* What MIT Kerberos calls a cache; MEMORY: is another process's. */
static int check_cache(json_t **out, const struct value *v, struct err *e)
{
    struct str s = v->node->text, rest;
    char shown[NODE_SHOWN];
    size_t n = 0;
    while (n < s.len && s.ptr[n] >= 'A' && s.ptr[n] <= 'Z') n++;
    bool has_type = n && n < s.len && s.ptr[n] == ':';
    rest = has_type ? (struct str){s.ptr + n + 1, s.len - n - 1} : s;
    if (str_starts(rest, STR("~"))) return err_set(e, ERR_INPUT, "~ is not expanded: write the whole path");
    if (!has_type || str_starts(s, STR("FILE:"))) return take_path(out, rest, "", v);
    if (str_starts(s, STR("DIR:"))) return take_path(out, rest, "DIR:", v);
    if (str_starts(s, STR("KEYRING:")) || str_starts(s, STR("KCM:"))) return take_text(out, s);
    err_set(e, ERR_INPUT, "%s is no ticket cache that another process can read", node_show(shown, s));
    return err_hint(e, "use a file: a path, or FILE:, DIR:, KEYRING: or KCM: and what belongs to it");
}

static int check_secret(json_t **out, const struct value *v, struct err *e)
{
    struct reference r;
    try(reference_parse(&r, v->node->text, e));
    if (r.scheme != REFERENCE_FILE) return take_text(out, v->node->text);
    if (str_starts(r.rest, STR("~"))) return err_set(e, ERR_INPUT, "~ is not expanded: write the whole path");
    return take_path(out, r.rest, "file:", v);
}

#define CHECK_TEXT(name, check)                                                                              \
    static int name(json_t **out, const struct value *v, struct err *e)                                      \
    {                                                                                                        \
        try(check(v->node->text, e));                                                                        \
        return take_text(out, v->node->text);                                                                \
    }
static int cron_check(struct str s, struct err *e)
{
    struct cron *c;
    try(cron_parse(&c, s, e));
    bool is_ever = cron_next(c, 0) != 0;
    cron_free(c);
    return is_ever ? 0 : err_set(e, ERR_INPUT, "cron '%.*s': there is no such day", STR_FMT(s));
}
CHECK_TEXT(check_cron, cron_check)
CHECK_TEXT(check_dn, dn_check)
CHECK_TEXT(check_host, host_check)
CHECK_TEXT(check_host_port, host_port_check)
CHECK_TEXT(check_server, server_check)
CHECK_TEXT(check_domain, domain_check)
CHECK_TEXT(check_user, user_check)
CHECK_TEXT(check_url, url_check)
CHECK_TEXT(check_local_url, local_url_check)

static int check_guid(json_t **out, const struct value *v, struct err *e)
{
    char shown[NODE_SHOWN];
    if (is_guid(v->node->text)) return take_text(out, v->node->text);
    return err_set(e, ERR_INPUT, "%s is not a GUID", node_show(shown, v->node->text));
}

static int check_tenant(json_t **out, const struct value *v, struct err *e)
{
    char shown[NODE_SHOWN];
    bool has_dot = str_index(v->node->text, '.') < v->node->text.len;
    if (is_guid(v->node->text) || (has_dot && domain_check(v->node->text, e) == 0))
        return take_text(out, v->node->text);
    node_show(shown, v->node->text);
    if (words_have("common organizations consumers", v->node->text))
        return err_set(e, ERR_INPUT, "%s is no tenant: write the directory (tenant) ID, or a verified domain of it", shown);
    return err_set(e, ERR_INPUT, "%s is neither a GUID nor a domain name", shown);
}

static int (*const checks[])(json_t **, const struct value *, struct err *) = {
    [KEY_STRING] = check_string,
    [KEY_INT] = check_int,
    [KEY_BOOL] = check_bool,
    [KEY_CHOICE] = check_choice,
    [KEY_DURATION] = check_duration,
    [KEY_CRON] = check_cron,
    [KEY_SECRET] = check_secret,
    [KEY_PATH] = check_path,
    [KEY_CACHE] = check_cache,
    [KEY_HOST] = check_host,
    [KEY_HOSTS] = check_host_port,
    [KEY_SERVERS] = check_server,
    [KEY_DOMAIN] = check_domain,
    [KEY_DN] = check_dn,
    [KEY_USER] = check_user,
    [KEY_URL] = check_url,
    [KEY_LOCAL_URL] = check_local_url,
    [KEY_GUID] = check_guid,
    [KEY_TENANT] = check_tenant,
};

/* --- what holds for every scalar ------------------------------------------------------------------------ */

/* C0, DEL, C1, no-break space and the Unicode line ends: in settings always a YAML escape gone wrong. */
static bool has_control(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = (uint8_t)s.ptr[i], next = i + 1 < s.len ? (uint8_t)s.ptr[i + 1] : 0;
        if (c < 0x20 || c == 0x7f) return true;
        if (c == 0xc2 && next >= 0x80 && next <= 0xa0) return true;
        if (c == 0xe2 && i + 2 < s.len && next == 0x80 && ((uint8_t)s.ptr[i + 2] & 0xfe) == 0xa8) return true;
    }
    return false;
}

static int check_control(const struct value *v, struct err *e)
{
    if (!has_control(v->node->text)) return 0;
    err_set(e, ERR_INPUT, "a control character within the value");
    return err_hint(e, "within double quotes YAML reads \\a, \\n, \\t and others as control characters: "
                       "write CORP\\alice without "
                       "quotes, or in single quotes");
}

/* What YAML calls null: as text it would be a file or user of that name. */
static bool is_null_word(const struct node *n)
{
    static const char words[] = "null Null NULL ~";
    return n->is_plain && words_have(words, n->text);
}

static int check_present(const struct value *v, struct err *e)
{
    if (v->node->text.len == 0) return err_set(e, ERR_INPUT, "has no value");
    if (is_null_word(v->node))
        return err_set(e, ERR_INPUT,
                       "has no value; leave the key out, or put the word in quotes if you mean it");
    if (v->node->text.len > TEXT_MAX) return err_set(e, ERR_INPUT, "longer than %d bytes", TEXT_MAX);
    return check_control(v, e);
}

/* A secret is judged as a reference first, so that no message says anything else about it. */
static int check_scalar(json_t **out, const struct value *v)
{
    struct err *e = v->place->e;
    if (v->node->type != NODE_SCALAR) {
        err_set(e, ERR_INPUT, "one value is expected, not a %s",
                v->node->type == NODE_LIST ? "list" : "block of keys");
        return fail_value(v);
    }
    int rc = check_present(v, e);
    if (rc == 0) rc = checks[v->key->kind](out, v, e);
    return rc < 0 ? fail_value(v) : 0;
}

static int check_list(json_t **out, const struct value *v)
{
    struct err *e = v->place->e;
    if (v->node->type != NODE_LIST) {
        err_set(e, ERR_INPUT, "a list is expected, as in [a, b]");
        return fail_value(v);
    }
    json_t *list = json_array();
    for (const struct node *n = v->node->first; n; n = n->next) {
        struct value one = *v;
        json_t *item = NULL;
        one.node = n;
        int rc = json_array_size(list) < LIST_MAX ? check_scalar(&item, &one)
                                                  : node_fail(v->place, n, "more than %d entries", LIST_MAX);
        if (rc < 0) {
            json_decref(list);
            return rc;
        }
        json_array_append_new(list, item);
    }
    *out = list;
    return 0;
}

int value_check(json_t **out, const struct key_spec *k, const struct node *n, const char *dir,
                const struct node_place *p)
{
    struct value v = {k, n, dir, p};
    *out = NULL;
    if (k->kind == KEY_PROPERTIES) return properties_check(out, n, p);
    return key_kind_is_list(k->kind) ? check_list(out, &v) : check_scalar(out, &v);
}

json_t *value_fallback(const struct key_spec *k)
{
    struct err e;
    struct node n = {.type = NODE_SCALAR, .text = str_from(k->fallback)};
    struct node_place p = {.e = &e};
    json_t *out = NULL;
    if (key_kind_is_list(k->kind)) return json_array();
    if (k->fallback && value_check(&out, k, &n, "/", &p) < 0)
        abort(); /* a default that its own row refuses */
    return out;
}
