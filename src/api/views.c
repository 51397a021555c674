/* views.c - routes of saved views: a page's filters under a name, each actor's own. */
#include "api/http.h"

#include "base/jsonv.h"
#include "base/when.h"
#include "server/state/documents.h"

#include <sodium.h>
#include <stdio.h>

static json_t *as_told(const json_t *row)
{
    const json_t *body = json_object_get(row, "body");
    json_t *j = json_object();
    static const char *const keys[] = {"name", "page", "query"};
    json_object_set(j, "id", json_object_get(row, "id"));
    for (size_t i = 0; i < n_elements(keys); i++) json_object_set(j, keys[i], json_object_get(body, keys[i]));
    json_object_set(j, "updated", json_object_get(row, "updated"));
    return j;
}

static int list(struct request *q, struct err *e)
{
    json_t *rows, *row, *items = json_array();
    size_t i;
    int rc = document_list(q->app->state, "view", q->actor.name, &rows, e);
    if (rc < 0) {
        json_decref(items);
        return rc;
    }
    json_array_foreach(rows, i, row) json_array_append_new(items, as_told(row));
    json_decref(rows);
    return reply_json(q, 200, json_pack("{s:o, s:n}", "items", items, "next"));
}

static int add(struct request *q, struct err *e)
{
    unsigned char random[9];
    char id[32];
    randombytes_buf(random, sizeof random);
    sodium_bin2hex(id, sizeof id, random, sizeof random);
    try(document_put(q->app->state, "view", q->actor.name, id, q->body, 0, e));
    try(request_audit(q, "view.create", id, NULL, q->body, e));
    json_t *out = json_deep_copy(q->body);
    jsonv_put(out, "id", json_string(id));
    return reply_json(q, 201, out);
}

static int drop(struct request *q, struct err *e)
{
    json_t *before;
    int64_t version;
    try(document_get(q->app->state, "view", q->actor.name, q->captured[0], &before, &version, e));
    int rc = document_delete(q->app->state, "view", q->actor.name, q->captured[0], e);
    if (rc == 0) rc = request_audit(q, "view.delete", q->captured[0], before, NULL, e);
    json_decref(before);
    return rc < 0 ? rc : reply_none(q, 204);
}

const struct route routes_views[] = {
    {"GET", "/api/v1/views", RIGHT_ANALYZE, list, "Your saved views", NULL, NULL, 0, LANE_ANY},
    {"POST", "/api/v1/views", RIGHT_ANALYZE, add, "Saves a view", NULL,
     "{\"type\":\"object\",\"required\":[\"name\",\"page\",\"query\"],\"properties\":{\"name\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":100},"
     "\"page\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":64},\"query\":{\"type\":[\"string\",\"object\"],\"maxLength\":4096}}}",
     0, LANE_ANY},
    {"DELETE", "/api/v1/views/{id}", RIGHT_ANALYZE, drop, "Removes a view", NULL, NULL, 0, LANE_ANY},
    {0},
};
