#include "api/http/http_int.h"
#include "api/http/http_schema.h"
#include "base/secret.h"

int body_parse(struct request_int *r, struct err *e)
{
    const struct compiled *c = r->compiled;
    if (!c->schema || strcmp(c->route->pattern, CSP_REPORT) == 0) return 0;
    if (r->body.len) return schema_read(&r->q.body, buf_bytes(&r->body), c->schema, e);
    r->q.body = json_object();
    return 0;
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
