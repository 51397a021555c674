/* fuzz_request.c - what a peer chooses of a request: "PATH\nCOOKIE HEADER\nBODY". */
#include "fuzz.h"

#include "api/http/http_route.h"
#include "api/http/http_schema.h"

static const struct route rows[] = {
    {.method = "GET", .pattern = "/api/v1/connectors/{name}"},
    {.method = "POST", .pattern = "/api/v1/connectors/judge"},
    {.method = "GET", .pattern = "/api/v1/assets/{connector}/{uid}/members"},
    {.method = "GET", .pattern = "/"},
    {0},
};
const struct route *const route_tables[] = {rows, NULL};

static const char schema_text[] =
    "{\"type\":\"object\",\"required\":[\"name\"],\"properties\":{\"name\":{\"type\":\"string\",\"maxLength\":8},\"n\":{\"type\":[\"integer\",\"null\"],\"minimum\":1},"
    "\"list\":{\"type\":\"array\",\"maxItems\":4,\"items\":{\"type\":\"string\",\"enum\":[\"a\",\"b\"]}},\"deep\":{\"type\":\"object\",\"additionalProperties\":true}}}";

static void check_path(const struct routes *routes, struct str path)
{
    struct split s;
    struct err e;
    char allowed[64], text[512];
    if (path_split(&s, path, &e) < 0) return;
    size_t len = 0;
    for (unsigned i = 0; i < s.n; i++) {
        HOLDS(is_inside(bytes_of(path), bytes_of(s.segments[i])) && !memchr(s.segments[i].ptr, '/', s.segments[i].len));
        len += 1 + s.segments[i].len;
        if (percent_decode(text, sizeof text, s.segments[i], &e) == 0) {
            HOLDS(str_is_utf8(str_from(text)) && strlen(text) <= s.segments[i].len);
            for (const char *c = text; *c; c++) HOLDS((uint8_t)*c >= 0x20 && *c != 0x7f);
        }
    }
    HOLDS(len == path.len); /* nothing was left out or joined */
    const struct compiled *c = routes_find(routes, "GET", &s, allowed);
    HOLDS(!c || (strcmp(c->route->method, "GET") == 0 && c->n_segments == s.n));
    HOLDS(strlen(allowed) < sizeof allowed);
}

static void check_cookie(struct str header)
{
    char value[16];
    if (!cookie_find(value, sizeof value, header, "__Host-rollcall")) return;
    HOLDS(value[0] && strlen(value) < sizeof value && !strchr(value, ';'));
    HOLDS(memmem(header.ptr, header.len, value, strlen(value)));
}

static void check_body(const json_t *schema, struct str body)
{
    json_t *v;
    struct err e;
    int rc = schema_read(&v, bytes_of(body), schema, &e);
    HOLDS(rc == 0 || (rc == ERR_INPUT && str_is_utf8(str_from(e.message))));
    if (rc == 0) {
        HOLDS(json_is_string(json_object_get(v, "name")) && json_string_length(json_object_get(v, "name")) <= 8);
        HOLDS(json_array_size(json_object_get(v, "list")) <= 4);
        for (void *at = json_object_iter(v); at; at = json_object_iter_next(v, at)) HOLDS(strstr("name n list deep", json_object_iter_key(at)));
    }
    json_decref(v);
}

static struct str take_line(struct str *left)
{
    size_t end = str_index(*left, '\n');
    struct str line = {left->ptr, end};
    *left = end < left->len ? (struct str){left->ptr + end + 1, left->len - end - 1} : (struct str){"", 0};
    return line;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct routes routes;
    static json_t *schema;
    struct err e;
    if (!schema) {
        schema = json_loads(schema_text, 0, NULL);
        HOLDS(schema_lint(schema, &e) == 0 && routes_compile(&routes, &e) == 0);
    }
    struct str left = {(const char *)data, size};
    check_path(&routes, take_line(&left));
    check_cookie(take_line(&left));
    check_body(schema, left);
    return 0;
}
