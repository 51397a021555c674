/* alerts_rule.c - a rule's text: every member checked, nothing that is not known. */
#include "server/alerts/alerts_int.h"

static const char *text_of(const json_t *o, const char *key)
{
    return json_string_value(json_object_get(o, key));
}

/* Members that are texts, and how long they may be. */
struct text_member {
    const char *key;
    size_t most;
    bool is_required;
};

static int check_text(const json_t *o, const struct text_member *m, struct err *e)
{
    const json_t *v = json_object_get(o, m->key);
    if ((!v || json_is_null(v)) && !m->is_required) return 0;
    if (!json_is_string(v) || !json_string_length(v)) return err_set(e, ERR_INPUT, "%s: text is expected", m->key);
    if (json_string_length(v) > m->most || strlen(json_string_value(v)) != json_string_length(v)) return err_set(e, ERR_INPUT, "%s: at most %zu characters", m->key, m->most);
    return 0;
}

static int check_known(const json_t *o, const char *const *known, const char *where, struct err *e)
{
    const char *key;
    json_t *v;
    json_object_foreach((json_t *)o, key, v) {
        size_t i = 0;
        while (known[i] && strcmp(known[i], key) != 0) i++;
        if (known[i]) continue;
        const char *near = did_you_mean(str_from(key), known);
        err_set(e, ERR_INPUT, "%s%s%.60s: there is no such member", where, *where ? "." : "", key);
        return near ? err_hint(e, "did you mean %s?", near) : e->class;
    }
    return 0;
}

static int check_word(const json_t *o, const char *key, const char *const *words, const char *fallback, struct err *e)
{
    const char *v = json_object_get(o, key) ? text_of(o, key) : fallback;
    struct buf list = buf_new(400);
    for (size_t i = 0; words[i]; i++) {
        if (v && strcmp(v, words[i]) == 0) {
            buf_free(&list);
            return 0;
        }
        buf_printf(&list, "%s%s", i ? ", " : "", words[i]);
    }
    err_set(e, ERR_INPUT, "%s: one of %s is expected", key, buf_cstr(&list));
    buf_free(&list);
    return e->class;
}

/* --- conditions ------------------------------------------------------------------------------------------------------- */

static int check_kinds(const json_t *list, struct err *e)
{
    size_t i;
    json_t *v;
    struct str bad;
    kind_set one;
    if (list && !json_is_array(list)) return err_set(e, ERR_INPUT, "kinds: a list is expected");
    json_array_foreach((json_t *)list, i, v)
        if (!json_is_string(v) || !kind_set_parse(&one, str_from(json_string_value(v)), &bad)) return err_set(e, ERR_INPUT, "kinds: '%.40s' is none", json_is_string(v) ? json_string_value(v) : "?");
    return 0;
}

static int check_changes(const json_t *list, struct err *e)
{
    size_t i;
    json_t *v;
    if (list && !json_is_array(list)) return err_set(e, ERR_INPUT, "changes: a list is expected");
    json_array_foreach((json_t *)list, i, v)
        if (!json_is_string(v) || !change_type_parse(str_from(json_string_value(v)))) {
            err_set(e, ERR_INPUT, "changes: '%.40s' is none", json_is_string(v) ? json_string_value(v) : "?");
            return err_hint(e, "created, modified, moved, renamed, deleted, restored, member_added, member_removed");
        }
    return 0;
}

static int check_change(const json_t *c, struct err *e)
{
    static const char *const known[] = {"type", "connector", "kinds", "changes", "attribute", "q", NULL};
    static const struct text_member texts[] = {{"connector", 64, false}, {"attribute", 128, false}, {"q", 200, false}};
    try(check_known(c, known, "condition", e));
    for (size_t i = 0; i < n_elements(texts); i++) try(check_text(c, &texts[i], e));
    try(check_kinds(json_object_get(c, "kinds"), e));
    return check_changes(json_object_get(c, "changes"), e);
}

static int check_group(const json_t *c, struct err *e)
{
    static const char *const known[] = {"type", "connector", "group", "nested", "change", NULL}, *const ways[] = {"added", "removed", "both", NULL};
    static const struct text_member texts[] = {{"connector", 64, true}, {"group", 512, true}};
    try(check_known(c, known, "condition", e));
    for (size_t i = 0; i < n_elements(texts); i++) try(check_text(c, &texts[i], e));
    const json_t *nested = json_object_get(c, "nested");
    if (nested && !json_is_boolean(nested)) return err_set(e, ERR_INPUT, "nested: true or false is expected");
    return check_word(c, "change", ways, "both", e);
}

static int check_access(const json_t *c, struct err *e)
{
    static const char *const known[] = {"type", "connector", "right", "target", NULL};
    static const struct text_member texts[] = {{"connector", 64, true}, {"right", 128, true}, {"target", 512, true}};
    try(check_known(c, known, "condition", e));
    for (size_t i = 0; i < n_elements(texts); i++) try(check_text(c, &texts[i], e));
    return 0;
}

static int check_silence(const json_t *c, struct err *e)
{
    static const char *const known[] = {"type", "connector", "hours", NULL};
    static const struct text_member connector = {"connector", 64, true};
    const json_t *hours = json_object_get(c, "hours");
    try(check_known(c, known, "condition", e));
    try(check_text(c, &connector, e));
    if (json_is_number(hours) && json_number_value(hours) > 0 && json_number_value(hours) <= 8784) return 0;
    return err_set(e, ERR_INPUT, "hours: a number up to 8784 is expected");
}

static int check_condition(const json_t *c, struct err *e)
{
    static const char *const types[] = {"change", "group_member", "access", "silence", NULL};
    static int (*const checks[])(const json_t *, struct err *) = {check_change, check_group, check_access, check_silence};
    if (!json_is_object(c)) return err_set(e, ERR_INPUT, "condition: an object is expected");
    if (check_word(c, "type", types, NULL, e) < 0) return err_wrap(e, "condition");
    for (size_t i = 0; types[i]; i++)
        if (strcmp(text_of(c, "type"), types[i]) == 0 && checks[i](c, e) < 0) return err_wrap(e, "condition");
    return 0;
}

/* --- the rest ------------------------------------------------------------------------------------------------------------ */

static int check_destination(const json_t *d, struct err *e)
{
    static const char *const types[] = {"none", "webhook", "file", NULL}, *const known[] = {"type", "url", "path", "secret", NULL};
    static const struct text_member url = {"url", 2048, true}, path = {"path", 4096, true};
    if (!d || json_is_null(d)) return 0;
    if (!json_is_object(d)) return err_set(e, ERR_INPUT, "destination: an object is expected");
    try(check_known(d, known, "destination", e));
    if (check_word(d, "type", types, NULL, e) < 0) return err_wrap(e, "destination");
    const char *type = text_of(d, "type");
    if (strcmp(type, "file") == 0) return check_text(d, &path, e) < 0 ? err_wrap(e, "destination") : 0;
    if (strcmp(type, "webhook") != 0) return 0;
    if (check_text(d, &url, e) < 0 || webhook_check(text_of(d, "url"), e) < 0) return err_wrap(e, "destination");
    const json_t *secret = json_object_get(d, "secret");
    bool is_fine = !secret || json_is_null(secret) || json_is_object(secret) || (json_is_string(secret) && json_string_length(secret) <= 1024);
    return is_fine ? 0 : err_set(e, ERR_INPUT, "destination: secret: text of at most 1024 characters is expected");
}

static int check_throttle(const char *text, struct err *e)
{
    int64_t ms;
    bool is_fine = strcmp(text, "0") == 0 || (conf_parse_duration(&ms, str_from(text)) && ms <= 30 * WHEN_DAY_MS);
    return is_fine ? 0 : err_set(e, ERR_INPUT, "throttle: a time up to 30d is expected, for example 1h; 0 for none");
}

static json_t *kept_destination(const json_t *d)
{
    const char *type = json_is_object(d) ? text_of(d, "type") : "none", *url = text_of(d, "url"), *path = text_of(d, "path");
    bool is_webhook = strcmp(type, "webhook") == 0, is_file = strcmp(type, "file") == 0;
    return json_pack("{s:s, s:s*, s:s*}", "type", type, "url", is_webhook ? url : NULL, "path", is_file ? path : NULL);
}

int rule_check(json_t **out, const json_t *body, struct err *e)
{
    static const char *const known[] = {"id", "name", "severity", "enabled", "condition", "throttle", "destination", "last_fired", "problem", "version", NULL};
    static const char *const severities[] = {"low", "medium", "high", "critical", NULL};
    static const struct text_member name = {"name", 200, true};
    const char *severity = text_of(body, "severity"), *throttle = text_of(body, "throttle");
    const json_t *enabled = json_object_get(body, "enabled");
    *out = NULL;
    if (!json_is_object(body)) return err_set(e, ERR_INPUT, "a rule is expected");
    try(check_known(body, known, "", e));
    try(check_text(body, &name, e));
    try(check_word(body, "severity", severities, "medium", e));
    if (enabled && !json_is_boolean(enabled)) return err_set(e, ERR_INPUT, "enabled: true or false is expected");
    try(check_throttle(throttle ? throttle : "1h", e));
    try(check_condition(json_object_get(body, "condition"), e));
    try(check_destination(json_object_get(body, "destination"), e));
    *out = json_pack("{s:O, s:s, s:b, s:o, s:s, s:o}", "name", json_object_get(body, "name"), "severity", severity ? severity : "medium", "enabled",
                     !enabled || json_is_true(enabled), "condition", json_deep_copy(json_object_get(body, "condition")), "throttle", throttle ? throttle : "1h",
                     "destination", kept_destination(json_object_get(body, "destination")));
    return *out ? 0 : err_set(e, ERR_INPUT, "the rule is no text");
}

/* --- reading what was checked ---------------------------------------------------------------------------------------------- */

static enum condition_type type_of(const char *word)
{
    return word[0] == 'c' ? CONDITION_CHANGE : word[0] == 'g' ? CONDITION_GROUP : word[0] == 'a' ? CONDITION_ACCESS : CONDITION_SILENCE;
}

static void read_lists(struct rule *r, const json_t *c)
{
    size_t i;
    json_t *v;
    struct str bad;
    json_array_foreach(json_object_get(c, "kinds"), i, v) {
        kind_set one = 0;
        if (kind_set_parse(&one, str_from(json_string_value(v)), &bad)) r->kinds |= one;
    }
    json_array_foreach(json_object_get(c, "changes"), i, v) r->changes |= 1u << change_type_parse(str_from(json_string_value(v)));
    const char *way = text_of(c, "change");
    bool adds = !way || strcmp(way, "removed") != 0, removes = !way || strcmp(way, "added") != 0;
    if (r->type == CONDITION_GROUP) r->changes = (adds ? 1u << CHANGE_member_added : 0) | (removes ? 1u << CHANGE_member_removed : 0);
}

void rule_read(struct rule *out, const char *id, const json_t *checked)
{
    const json_t *c = json_object_get(checked, "condition"), *d = json_object_get(checked, "destination");
    const char *to = text_of(d, "type");
    *out = (struct rule){.id = id,
                         .name = text_of(checked, "name"),
                         .severity = text_of(checked, "severity"),
                         .is_enabled = json_is_true(json_object_get(checked, "enabled")),
                         .since_ms = json_integer_value(json_object_get(checked, "since_ms")),
                         .type = type_of(text_of(c, "type")),
                         .connector = text_of(c, "connector"),
                         .attribute = text_of(c, "attribute"),
                         .q = text_of(c, "q"),
                         .group = text_of(c, "group"),
                         .right = text_of(c, "right"),
                         .target = text_of(c, "target"),
                         .is_nested = json_is_true(json_object_get(c, "nested")),
                         .silence_ms = (int64_t)(json_number_value(json_object_get(c, "hours")) * 3600000),
                         .to = !to || to[0] == 'n' ? TO_NONE : to[0] == 'w' ? TO_WEBHOOK : TO_FILE};
    out->where = text_of(d, out->to == TO_FILE ? "path" : "url");
    if (!conf_parse_duration(&out->throttle_ms, str_from(text_of(checked, "throttle")))) out->throttle_ms = 0;
    read_lists(out, c);
}
