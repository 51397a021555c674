#include "source/graph/graph_answer.h"

/* Of jansson 2.14 on 64 bits, with what malloc adds: an object has a table of eight buckets at once. */
#define COST_OBJECT ((size_t)320)
#define COST_ARRAY  ((size_t)160)
#define COST_VALUE  ((size_t)112) /* a pair with its key, or an element */

size_t graph_answer_cost(struct bytes body)
{
    size_t cost = body.len + body.len / 2;
    for (size_t i = 0; i < body.len; i++) {
        switch (body.ptr[i]) {
        case '{': cost += COST_OBJECT; break;
        case '[': cost += COST_ARRAY; break;
        case ',': cost += COST_VALUE; break;
        default: break;
        }
    }
    return cost;
}

/* The service's own sentence, or what is missing. */
static int check(const json_t *body, struct err *e)
{
    const json_t *error = json_object_get(body, "error");
    if (!json_is_object(body)) return err_set(e, ERR_PROTO, "no object");
    if (json_is_array(json_object_get(body, "value"))) return 0;
    return err_set(e, ERR_PROTO, error ? "an error in an answer of success" : "there is no list of values in it");
}

int graph_answer_read(json_t **out, struct bytes body, struct err *e)
{
    json_error_t why;
    *out = NULL;
    if (graph_answer_cost(body) > GRAPH_COST_MAX)
        return err_set(e, ERR_LIMIT, "it would take more than %zu MiB of memory", GRAPH_COST_MAX >> 20);
    json_t *v = json_loadb((const char *)body.ptr, body.len, JSON_REJECT_DUPLICATES, &why);
    int rc = v ? check(v, e) : err_set(e, ERR_PROTO, "%s", why.text);
    if (rc == 0)
        *out = v;
    else
        json_decref(v);
    return rc;
}
