/* ranges.h - which addresses are anybody's on the Internet, and which are inside: against requests forged through the server.
 *
 * IANA's special-purpose registries (RFC 6890 and its updates). What wraps an IPv4 address (mapped, 6to4, NAT64) is judged by it; Teredo is inside.
 */
#ifndef ROLLCALL_NET_RANGES_H
#define ROLLCALL_NET_RANGES_H

#include "base/err.h"

#include <sys/socket.h>

/* false also of what is neither IPv4 nor IPv6. */
bool address_is_public(const struct sockaddr *a);
/* A cloud's or hypervisor's metadata service: has no business with anybody's webhook, whatever is allowed. */
bool address_is_metadata(const struct sockaddr *a);
/* http.h's may_connect for peers that an administrator names, which may well be inside: anything but that. */
bool address_may_serve(void *ctx, const struct sockaddr *a);

/* "10.0.0.0/8", "192.0.2.7", "fd00::/8". ERR_INPUT: none of these, or bits behind the prefix. */
struct address_range {
    uint8_t bytes[16]; /* IPv4 mapped */
    unsigned bits;     /* of 128 */
};
int address_range_parse(struct address_range *out, const char *text, struct err *e) must_use;
bool address_range_has(const struct address_range *r, const struct sockaddr *a);

#endif
