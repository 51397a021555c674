/* conf_spec: the rows of spec.c as JSON Schema, draft 2020-12. Keys that begin with x- are for forms. */
#include "conf/conf.h"

#include "base/jsonv.h"
#include "conf/properties.h"
#include "conf/spec.h"
#include "conf/value.h"

static void set_str(json_t *o, const char *key, const char *value)
{
    if (value) json_object_set_new(o, key, json_string(value));
}

/* JSON type and further members of each kind. */
static void add_kind(json_t *o, const struct key_spec *k)
{
    static const struct {
        const char *type, *format, *pattern;
    } kinds[] = {
        [KEY_STRING] = {"string", NULL, "."},
        [KEY_INT] = {"integer", NULL, NULL},
        [KEY_BOOL] = {"boolean", NULL, NULL},
        [KEY_CHOICE] = {"string", NULL, NULL},
        [KEY_DURATION] = {"string", NULL, "^[0-9]{1,8}[smhd]$"},
        [KEY_CRON] = {"string", NULL, "^[ ]*[^ ]+( +[^ ]+){4}[ ]*$"},
        [KEY_SECRET] = {"string", NULL, "^(file:.+|env:[A-Za-z_][A-Za-z0-9_]*|cred:[^/]+|prompt:|vault:[^#]+#.+)$"},
        [KEY_PATH] = {"string", NULL, "."},
        [KEY_CACHE] = {"string", NULL, "."},
        [KEY_HOST] = {"string", NULL, "^[^/ ]+$"},
        [KEY_HOSTS] = {"array", NULL, NULL},
        [KEY_SERVERS] = {"array", NULL, NULL},
        [KEY_DOMAIN] = {"string", NULL, "^[A-Za-z0-9_-]+(\\.[A-Za-z0-9_-]+)*$"},
        [KEY_DN] = {"string", NULL, "="},
        [KEY_USER] = {"string", NULL, "."},
        [KEY_URL] = {"string", "uri", "^https?://"},
        [KEY_LOCAL_URL] = {"string", "uri", "^http://"},
        [KEY_GUID] = {"string", "uuid", "^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$"},
        [KEY_TENANT] = {"string", NULL, "[.-]"},
        [KEY_PROPERTIES] = {"array", NULL, NULL},
    };
    set_str(o, "type", kinds[k->kind].type);
    set_str(o, "format", kinds[k->kind].format);
    set_str(o, "pattern", kinds[k->kind].pattern);
    if (k->kind == KEY_CHOICE) json_object_set_new(o, "enum", jsonv_words(k->choices));
    if (k->kind == KEY_HOSTS || k->kind == KEY_SERVERS)
        json_object_set_new(o, "items", json_pack("{s:s,s:s}", "type", "string", "pattern", "^[^/ ]+$"));
    if (k->kind == KEY_INT) {
        json_object_set_new(o, "minimum", json_integer(k->min));
        json_object_set_new(o, "maximum", json_integer(k->max));
    }
}

/* What only an administrator of a server may enter: any value, or those listed. */
static void add_admin(json_t *o, const struct key_spec *k)
{
    if (k->own) json_object_set_new(o, "x-admin", k->kind == KEY_BOOL ? json_pack("[b]", strcmp(k->own, "true") == 0) : json_pack("[s]", k->own));
    if (key_is_place(k) && k->kind != KEY_SECRET) json_object_set_new(o, "x-admin", json_true()); /* of a secret only the references (docs/api.md) */
}

static json_t *key_schema(const struct key_spec *k, size_t order)
{
    json_t *o = k->kind == KEY_PROPERTIES ? properties_schema() : json_object();
    if (k->kind != KEY_PROPERTIES) add_kind(o, k);
    set_str(o, "description", k->doc);
    json_t *fallback = value_fallback(k);
    if (fallback) json_object_set_new(o, "default", fallback);
    if (k->example) json_object_set_new(o, "examples", json_pack("[s]", k->example));
    json_object_set_new(o, "x-order", json_integer((json_int_t)order));
    set_str(o, "x-group", k->group);
    if (k->kind == KEY_SECRET) json_object_set_new(o, "x-secret", json_true());
    if (k->kind == KEY_PATH) json_object_set_new(o, "x-path", json_true());
    add_admin(o, k);
    if (k->when_key)
        json_object_set_new(o, "x-show-if", json_pack("{s:o}", k->when_key, jsonv_words(k->when)));
    if (k->later) json_object_set_new(o, "x-not-in-this-version", jsonv_words(k->later));
    return o;
}

/* {"if": {"properties": {"auth": {"enum": [...]}}}, "then": {"required": ["username"]}}; a key left out has
 * its default, which must be in the list or the condition be about a key that is there. */
static json_t *condition(const struct type_spec *t, const struct key_spec *k)
{
    const struct key_spec *by = key_spec_find(t, str_from(k->when_key));
    json_t *test = json_pack("{s:{s:{s:o}}}", "properties", k->when_key, "enum", jsonv_words(k->when));
    if (!by->fallback || !words_have(k->when, str_from(by->fallback)))
        json_object_set_new(test, "required", json_pack("[s]", k->when_key));
    return json_pack("{s:o,s:{s:[s]}}", "if", test, "then", "required", k->name);
}

static void add_required(json_t *schema, const struct type_spec *t)
{
    json_t *always = json_pack("[s]", "type"), *sometimes = json_array();
    for (size_t i = 0; i < t->n_keys; i++) {
        const struct key_spec *k = &t->keys[i];
        if (!k->is_required) continue;
        if (k->when_key)
            json_array_append_new(sometimes, condition(t, k));
        else
            json_array_append_new(always, json_string(k->name));
    }
    json_object_set_new(schema, "required", always);
    if (json_array_size(sometimes))
        json_object_set_new(schema, "allOf", sometimes);
    else
        json_decref(sometimes);
}

json_t *conf_spec(const char *type)
{
    const struct type_spec *t = type_spec_find(str_from(type));
    if (!t) return NULL;
    json_t *properties = json_pack("{s:{s:s}}", "type", "const", t->name);
    for (size_t i = 0; i < t->n_keys; i++)
        json_object_set_new(properties, t->keys[i].name, key_schema(&t->keys[i], i + 1));
    json_t *schema =
        json_pack("{s:s,s:s,s:s,s:s,s:o,s:b,s:s,s:b}", "$schema",
                  "https://json-schema.org/draft/2020-12/schema", "title", t->name, "description", t->doc,
                  "type", "object", "properties", properties, "additionalProperties", 0, "x-role",
                  t->is_sink ? "sink" : "connector", "x-available", t->is_available);
    add_required(schema, t);
    return schema;
}
