/* url.h - where an absolute URL points, and whether a link that a server gave stays where our token may go.
 *
 * RFC 3986, strictly: what curl, a browser or a server might read in different ways is refused, never repaired. Pure functions.
 */
#ifndef ROLLCALL_NET_URL_H
#define ROLLCALL_NET_URL_H

#include "base/buf.h"
#include "base/err.h"

#define URL_MAX ((size_t)64 << 10) /* page tokens are long */

/* Slices of the text that was parsed. */
struct url {
    bool is_https; /* else http */
    char host[256]; /* lower case; an IPv6 literal without brackets */
    uint16_t port; /* the scheme's default filled in */
    struct str path;  /* from the slash on; "" if there is none */
    struct str query; /* behind the '?'; "" if there is none */
};

/* http or https, a host, no user, no fragment, only printable ASCII, no backslash, percent-encodings whole. ERR_INPUT says what is
 * wrong, with at most 120 characters of the text and nothing of its query. */
int url_parse(struct url *out, struct str text, struct err *e) must_use;
#define URL_UNRESERVED "-._~" /* RFC 3986 2.3, with letters and digits */
/* Percent-encoded (RFC 3986 2.1), but for letters, digits and the characters of `kept`. */
void url_add_encoded(struct buf *out, struct str text, const char *kept);
bool url_same_origin(const struct url *a, const struct url *b);
/* May a request with a token for base go to link? Same scheme, host and port; the path below base's path, segment by segment, with no
 * dot segments, empty segments or encoded slashes, dots or backslashes. ERR_PROTO: no; the message tells which part differs and shows
 * scheme, host and path, never the query. */
int url_check_link(const struct url *base, struct str link, struct err *e) must_use;

#endif
