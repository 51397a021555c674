#include "api/http/http_schema.h"

#include "base/buf.h"
#include "base/near.h"

/* One step of the walk: a value, what it must be, and where it is. */
struct place {
    const json_t *schema, *value;
    char at[160];
};
struct walk {
    struct place *todo;
    size_t n, cap;
};

static const char *const type_names[] = {"object", "array", "string", "integer", "number", "boolean", "null"};

static bool is_type(const json_t *v, const char *type)
{
    switch (json_typeof(v)) {
    case JSON_OBJECT: return strcmp(type, "object") == 0;
    case JSON_ARRAY: return strcmp(type, "array") == 0;
    case JSON_STRING: return strcmp(type, "string") == 0;
    case JSON_INTEGER: return strcmp(type, "integer") == 0 || strcmp(type, "number") == 0;
    case JSON_REAL: return strcmp(type, "number") == 0;
    case JSON_NULL: return strcmp(type, "null") == 0;
    default: return strcmp(type, "boolean") == 0;
    }
}

static int refuse(const struct place *p, struct err *e, const char *what, const char *detail)
{
    return err_set(e, ERR_INPUT, "%s %s%s", p->at[0] ? p->at : "the body", what, detail);
}

static int check_type(const struct place *p, struct err *e)
{
    const json_t *type = json_object_get(p->schema, "type");
    if (!type) return 0;
    struct buf wanted = buf_new(128);
    size_t n = json_is_array(type) ? json_array_size(type) : 1;
    bool ok = false;
    for (size_t i = 0; i < n; i++) {
        const char *name = json_string_value(json_is_array(type) ? json_array_get(type, i) : type);
        ok |= is_type(p->value, name);
        buf_printf(&wanted, "%s%s", i ? " or " : "", name);
    }
    int rc = ok ? 0 : refuse(p, e, "must be of type ", buf_cstr(&wanted));
    buf_free(&wanted);
    return rc;
}

static int check_enum(const struct place *p, struct err *e)
{
    const json_t *list = json_object_get(p->schema, "enum"), *one;
    size_t i;
    if (!list) return 0;
    struct buf names = buf_new(300);
    bool found = false;
    json_array_foreach((json_t *)list, i, one) {
        found |= json_equal(one, p->value);
        if (json_is_string(one)) buf_printf(&names, "%s%s", i ? ", " : "", json_string_value(one));
    }
    int rc = found ? 0 : refuse(p, e, "must be one of: ", buf_cstr(&names));
    buf_free(&names);
    return rc;
}

static int check_bounds(const struct place *p, struct err *e)
{
    char limit[24];
    const struct {
        const char *key;
        bool is_least, applies;
        json_int_t value;
        const char *what;
    } bounds[] = {
        {"minLength", true, json_is_string(p->value), (json_int_t)json_string_length(p->value), "is shorter than "},
        {"maxLength", false, json_is_string(p->value), (json_int_t)json_string_length(p->value), "is longer than "},
        {"maxItems", false, json_is_array(p->value), (json_int_t)json_array_size(p->value), "has more items than "},
        {"minimum", true, json_is_integer(p->value), json_integer_value(p->value), "is less than "},
        {"maximum", false, json_is_integer(p->value), json_integer_value(p->value), "is more than "},
    };
    for (size_t i = 0; i < n_elements(bounds); i++) {
        const json_t *bound = json_object_get(p->schema, bounds[i].key);
        if (!bound || !bounds[i].applies) continue;
        json_int_t b = json_integer_value(bound);
        if (bounds[i].is_least ? bounds[i].value >= b : bounds[i].value <= b) continue;
        snprintf(limit, sizeof limit, "%lld", (long long)b);
        return refuse(p, e, bounds[i].what, limit);
    }
    return 0;
}

/* How many bytes of a member's name are told: few, and no half character. */
static int told(const char *name, size_t most)
{
    size_t n = strnlen(name, most + 1);
    if (n <= most) return (int)n;
    while (most && ((uint8_t)name[most] & 0xc0) == 0x80) most--;
    return (int)most;
}

static void later(struct walk *w, const struct place *from, const json_t *schema, const json_t *value, const char *key)
{
    GROW(w->todo, w->n, w->cap, 16);
    struct place *p = &w->todo[w->n++];
    p->schema = schema;
    p->value = value;
    snprintf(p->at, sizeof p->at, "%.*s%s%.*s", told(from->at, 100), from->at, from->at[0] ? "." : "", told(key, 50), key);
}

static int unknown_member(const struct place *p, const char *key, const json_t *properties, struct err *e)
{
    const char *name, *best = NULL;
    json_t *ignored;
    size_t least = SIZE_MAX;
    err_set(e, ERR_INPUT, "%s has no member %.*s", p->at[0] ? p->at : "the body", told(key, 50), key);
    json_object_foreach((json_t *)properties, name, ignored) {
        size_t d = near_distance(str_from(key), str_from(name));
        if (d < least) {
            least = d;
            best = name;
        }
    }
    return best ? err_hint(e, "did you mean %s?", best) : ERR_INPUT;
}

static int check_object(struct walk *w, const struct place *p, struct err *e)
{
    const json_t *properties = json_object_get(p->schema, "properties"), *required = json_object_get(p->schema, "required"), *one;
    const json_t *more = json_object_get(p->schema, "additionalProperties");
    bool is_open = more ? json_is_true(more) : !properties;
    const char *key;
    json_t *value;
    size_t i;
    json_array_foreach((json_t *)required, i, one)
        if (!json_object_get(p->value, json_string_value(one))) return refuse(p, e, "lacks the member ", json_string_value(one));
    json_object_foreach((json_t *)p->value, key, value) {
        const json_t *schema = json_object_get(properties, key);
        if (schema)
            later(w, p, schema, value, key);
        else if (!is_open)
            return unknown_member(p, key, properties, e);
    }
    return 0;
}

static int check_place(struct walk *w, const struct place *p, struct err *e)
{
    const json_t *items = json_object_get(p->schema, "items"), *one;
    size_t i;
    try(check_type(p, e));
    try(check_enum(p, e));
    try(check_bounds(p, e));
    if (json_is_object(p->value)) return check_object(w, p, e);
    if (!json_is_array(p->value) || !items) return 0;
    char number[24];
    json_array_foreach((json_t *)p->value, i, one) {
        snprintf(number, sizeof number, "%zu", i);
        later(w, p, items, one, number);
    }
    return 0;
}

int schema_check(const json_t *schema, const json_t *value, struct err *e)
{
    struct walk w = {0};
    struct place start = {.schema = schema, .value = value};
    int rc = check_place(&w, &start, e);
    while (rc == 0 && w.n) {
        struct place p = w.todo[--w.n];
        rc = check_place(&w, &p, e);
    }
    free(w.todo);
    return rc;
}

/* --- bodies -------------------------------------------------------------------------------------------------- */

/* jansson parses nested values by recursion, 2048 deep at most; ours end at JSON_DEPTH before it begins. */
static bool is_too_deep(struct bytes b)
{
    unsigned depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < b.len; i++) {
        uint8_t c = b.ptr[i];
        if (in_string) {
            if (c == '\\')
                i++;
            else if (c == '"')
                in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            if (++depth > JSON_DEPTH) return true;
        } else if ((c == '}' || c == ']') && depth) {
            depth--;
        }
    }
    return false;
}

int schema_read(json_t **out, struct bytes body, const json_t *schema, struct err *e)
{
    json_error_t je;
    *out = NULL;
    if (is_too_deep(body)) return err_set(e, ERR_INPUT, "the body is nested deeper than %d levels", JSON_DEPTH);
    json_t *v = json_loadb((const char *)body.ptr, body.len, JSON_REJECT_DUPLICATES, &je);
    /* jansson's own text can quote the body, which may hold a password. */
    if (!v) return err_set(e, ERR_INPUT, "the body is no JSON, or names a member twice: line %d, column %d", je.line, je.column);
    int rc = json_is_object(v) ? schema_check(schema, v, e) : err_set(e, ERR_INPUT, "the body must be a JSON object");
    *out = v; /* also where it does not fit: the caller wipes it */
    return rc;
}

/* --- the schemas themselves ------------------------------------------------------------------------------- */

static bool is_known_type(const json_t *v)
{
    for (size_t i = 0; i < n_elements(type_names); i++)
        if (json_is_string(v) && strcmp(json_string_value(v), type_names[i]) == 0) return true;
    return false;
}

static bool type_is_known(const json_t *v)
{
    if (!json_is_array(v)) return is_known_type(v);
    for (size_t i = 0; i < json_array_size(v); i++)
        if (!is_known_type(json_array_get(v, i))) return false;
    return json_array_size(v) > 0;
}

static bool keyword_is_good(const char *key, const json_t *v)
{
    static const char *const numbers[] = {"minLength", "maxLength", "maxItems", "minimum", "maximum"};
    for (size_t i = 0; i < n_elements(numbers); i++)
        if (strcmp(key, numbers[i]) == 0) return json_is_integer(v);
    if (strcmp(key, "type") == 0) return type_is_known(v);
    if (strcmp(key, "properties") == 0 || strcmp(key, "items") == 0) return json_is_object(v);
    if (strcmp(key, "required") == 0 || strcmp(key, "enum") == 0) return json_is_array(v);
    if (strcmp(key, "description") == 0) return json_is_string(v);
    return strcmp(key, "additionalProperties") == 0 && json_is_boolean(v);
}

/* A schema is written by us and parsed within jansson's depth. */
int schema_lint(const json_t *schema, struct err *e)
{
    struct walk w = {0};
    const char *key;
    json_t *v;
    int rc = 0;
    later(&w, &(struct place){0}, schema, NULL, "");
    while (rc == 0 && w.n) {
        struct place p = w.todo[--w.n];
        if (!json_is_object(p.schema)) rc = err_set(e, ERR_BUG, "%s is no schema", p.at);
        json_object_foreach((json_t *)p.schema, key, v) if (!keyword_is_good(key, v)) rc = err_set(e, ERR_BUG, "schema %s: keyword %s", p.at, key);
        json_t *items = json_object_get(p.schema, "items");
        if (items) later(&w, &p, items, NULL, "items");
        json_object_foreach(json_object_get(p.schema, "properties"), key, v) later(&w, &p, v, NULL, key);
    }
    free(w.todo);
    return rc;
}
