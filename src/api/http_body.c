#include "api/http_int.h"
#include "api/http_schema.h"
#include "base/secret.h"

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

int body_parse(struct request_int *r, struct err *e)
{
    const struct compiled *c = r->compiled;
    if (!c->schema || strcmp(c->route->pattern, CSP_REPORT) == 0) return 0;
    if (!r->body.len) {
        r->q.body = json_object();
        return 0;
    }
    if (is_too_deep(buf_bytes(&r->body))) return err_set(e, ERR_INPUT, "the body is nested deeper than %d levels", JSON_DEPTH);
    json_error_t je;
    r->q.body = json_loadb((const char *)r->body.ptr, r->body.len, JSON_REJECT_DUPLICATES, &je);
    /* jansson's own text can quote the body, which may hold a password. */
    if (!r->q.body) return err_set(e, ERR_INPUT, "the body is no JSON, or names a member twice: line %d, column %d", je.line, je.column);
    if (!json_is_object(r->q.body)) return err_set(e, ERR_INPUT, "the body must be a JSON object");
    return schema_check(c->schema, r->q.body, e);
}

/* Overwrites every string of a value of at most JSON_DEPTH levels. */
void json_wipe(json_t *value)
{
    json_t **todo = NULL;
    size_t n = 0, cap = 0, i;
    const char *key;
    json_t *child;
    if (!value) return;
    GROW(todo, n, cap, 16);
    todo[n++] = value;
    while (n) {
        json_t *v = todo[--n];
        if (v->refcount > 1) continue; /* a handler gave it to somebody */
        if (json_is_string(v)) secret_wipe((void *)(uintptr_t)json_string_value(v), json_string_length(v));
        json_array_foreach(v, i, child) {
            GROW(todo, n, cap, 16);
            todo[n++] = child;
        }
        json_object_foreach(v, key, child) {
            GROW(todo, n, cap, 16);
            todo[n++] = child;
        }
    }
    free(todo);
}
