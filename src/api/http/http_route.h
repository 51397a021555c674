/* http_route.h - which route a path means, and what its segments and parameters hold: pure functions over a peer's bytes.
 */
#ifndef ROLLCALL_API_HTTP_ROUTE_H
#define ROLLCALL_API_HTTP_ROUTE_H

#include "api/http.h"

#define PATH_SEGMENTS 12
struct compiled {
    const struct route *route;
    json_t *schema;                     /* of the body; NULL: it takes none */
    struct str segments[PATH_SEGMENTS]; /* {captures} with their braces */
    unsigned n_segments;
};
struct routes {
    struct compiled *list;
    size_t n;
};
/* Of route_tables. ERR_BUG: a row is no good. */
int routes_compile(struct routes *out, struct err *e) must_use;
void routes_free(struct routes *r);

struct split {
    struct str segments[PATH_SEGMENTS]; /* as sent, not decoded */
    unsigned n;
};
/* ERR_INPUT: not an absolute path of printable ASCII, or too many segments. */
int path_split(struct split *out, struct str path, struct err *e) must_use;
/* NULL: none. allowed: methods of the path, "GET, POST", "" if there is no such path at all. */
const struct compiled *routes_find(const struct routes *r, const char *method, const struct split *path, char allowed[64]);
/* Percent-decoded, proved UTF-8 without control characters. ERR_INPUT. */
int percent_decode(char *out, size_t size, struct str in, struct err *e) must_use;

/* The value of the one cookie of that name in a Cookie header (RFC 6265 5.4: "a=b; c=d"). False: none, or given twice, as somebody else may have set one of them; or
 * empty or longer than size - 1. */
bool cookie_find(char *out, size_t size, struct str header, const char *name);

#endif
