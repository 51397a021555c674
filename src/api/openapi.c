/* openapi.c - GET /api/openapi.json: the tables of routes as OpenAPI 3.1. */
#include "api/http/http_int.h"
#include "base/hash.h"
#include "base/jsonv.h"

#include <ctype.h>
#include <stdio.h>

static const char *const rights[] = {"open", "viewer", "analyst", "operator", "admin"};

/* The bodies' checker refuses members it does not know; OpenAPI must say so. Schemas are our own, a few levels deep. */
static void close_objects(json_t *schema)
{
    json_t *todo[64], *child;
    size_t n = 0;
    const char *key;
    todo[n++] = schema;
    while (n) {
        json_t *s = todo[--n], *properties = json_object_get(s, "properties"), *items = json_object_get(s, "items");
        if (properties && !json_object_get(s, "additionalProperties")) json_object_set_new(s, "additionalProperties", json_false());
        json_object_foreach(properties, key, child) if (n < n_elements(todo)) todo[n++] = child;
        if (items && n < n_elements(todo)) todo[n++] = items;
    }
}

static json_t *parameter(struct str name, const char *in)
{
    bool is_path = strcmp(in, "path") == 0;
    return json_pack("{s:s%, s:s, s:b, s:{s:s}}", "name", name.ptr, name.len, "in", in, "required", is_path, "schema", "type", "string");
}

static json_t *parameters(const struct route *r)
{
    json_t *list = json_array();
    for (const char *at = r->pattern; (at = strchr(at, '{')); at++) json_array_append_new(list, parameter((struct str){at + 1, strcspn(at + 1, "}")}, "path"));
    for (const char *at = r->query; at && *at;) {
        size_t n = strcspn(at, " ");
        json_array_append_new(list, parameter((struct str){at, n}, "query"));
        at += n + strspn(at + n, " ");
    }
    return list;
}

/* "post_connectors_name_sync" */
static json_t *operation_id(const struct route *r)
{
    char id[160];
    size_t n = 0;
    const char *path = strncmp(r->pattern, "/api/v1", 7) == 0 ? r->pattern + 7 : r->pattern;
    for (const char *m = r->method; *m; m++) id[n++] = (char)tolower((unsigned char)*m);
    for (; *path && n + 2 < sizeof id; path++) {
        if (isalnum((unsigned char)*path))
            id[n++] = *path;
        else if (id[n - 1] != '_')
            id[n++] = '_';
    }
    while (id[n - 1] == '_') n--;
    return json_stringn(id, n);
}

static json_t *tag(const struct route *r)
{
    const char *path = strncmp(r->pattern, "/api/v1/", 8) == 0 ? r->pattern + 8 : "server";
    return json_pack("[s%]", path, strcspn(path, "/"));
}

static json_t *body(const struct route *r)
{
    json_t *schema = json_loads(r->body, 0, NULL);
    bool is_needed = json_object_get(schema, "required") != NULL;
    close_objects(schema);
    return json_pack("{s:b, s:{s:{s:o}}}", "required", is_needed, "content", "application/json", "schema", schema);
}

static json_t *operation(const struct route *r)
{
    json_t *op = json_object();
    jsonv_put(op, "operationId", operation_id(r));
    jsonv_put(op, "summary", json_string(r->doc));
    jsonv_put(op, "tags", tag(r));
    jsonv_put(op, "x-right", json_string(rights[r->right]));
    jsonv_put(op, "parameters", parameters(r));
    if (r->body) jsonv_put(op, "requestBody", body(r));
    jsonv_put(op, "security", r->right == RIGHT_OPEN ? json_array() : json_pack("[{s:[]}, {s:[]}]", "session", "token"));
    jsonv_put(op, "responses", json_pack("{s:{s:s}, s:{s:s}}", "2XX", "description", "done", "default", "$ref", "#/components/responses/error"));
    return op;
}

static json_t *paths(void)
{
    json_t *all = json_object();
    for (const struct route *const *t = route_tables; *t; t++) {
        for (const struct route *r = *t; r->pattern; r++) {
            char method[8] = "";
            for (size_t i = 0; i + 1 < sizeof method && r->method[i]; i++) method[i] = (char)tolower((unsigned char)r->method[i]);
            json_t *path = json_object_get(all, r->pattern);
            if (!path) json_object_set_new(all, r->pattern, path = json_object());
            json_object_set_new(path, method, operation(r));
        }
    }
    return all;
}

static json_t *components(void)
{
    json_t *string = json_pack("{s:s}", "type", "string");
    json_t *error = json_pack("{s:s, s:[ss], s:{s:O, s:O, s:O, s:O, s:{s:s, s:{s:s}}}}", "type", "object", "required", "class", "message", "properties", "class", string,
                              "message", string, "step", string, "hint", string, "fields", "type", "array", "items", "type", "object");
    json_decref(string);
    return json_pack("{s:{s:{s:s, s:s, s:s}, s:{s:s, s:s}}, s:{s:{s:s, s:{s:{s:{s:s, s:[s], s:{s:o}}}}}}}", "securitySchemes", "session", "type", "apiKey", "in", "cookie",
                     "name", "__Host-rollcall", "token", "type", "http", "scheme", "bearer", "responses", "error", "description", "what was wrong", "content",
                     "application/json", "schema", "type", "object", "required", "error", "properties", "error", error);
}

/* Made once, as the tables do not change: strangers may ask for it as often as they like. */
static struct {
    char *text, etag[65];
    struct buf gzip;
} made;

static void make(void)
{
    json_t *info = json_pack("{s:s, s:s, s:s, s:{s:s}}", "title", "rollcall", "version", ROLLCALL_VERSION, "description",
                             "Who is in the directory, what changed, and who can do what. With a session cookie every call that is not GET needs the header X-Rollcall-CSRF.",
                             "license", "name", "Apache-2.0");
    json_t *all = json_pack("{s:s, s:o, s:o, s:o}", "openapi", "3.1.0", "info", info, "paths", paths(), "components", components());
    struct sha256 hash;
    made.text = json_dumps(all, JSON_COMPACT);
    made.gzip = buf_new(4u * 1024 * 1024);
    json_decref(all);
    if (!made.text) return;
    if (!gzip_bytes(&made.gzip, bytes_of(str_from(made.text)))) buf_clear(&made.gzip);
    sha256_init(&hash);
    sha256_add(&hash, bytes_of(str_from(made.text)));
    sha256_hex(&hash, made.etag);
}

static int openapi(struct request *q, struct err *e)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make);
    if (!made.text) return err_set(e, ERR_BUG, "a route's row is no good");
    return reply_static(own(q), "application/json", bytes_of(str_from(made.text)), buf_bytes(&made.gzip), made.etag, KEEP_NOT);
}

const struct route routes_openapi[] = {
    {"GET", "/api/openapi.json", RIGHT_OPEN, openapi, "This API as OpenAPI 3.1", NULL, NULL, 0, LANE_ANY},
    {0},
};
