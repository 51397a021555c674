/* dial.h - from a host name to a connected socket, within a deadline, or a sentence why not.
 *
 * Names through c-ares (own time limits, both address families, /etc/hosts first); addresses are tried in
 * order with a share of the time each (RFC 8305 in the simple form: no racing). Sockets are non-blocking,
 * close-on-exec, TCP_NODELAY and keep-alive set.
 */
#ifndef ROLLCALL_DIAL_H
#define ROLLCALL_DIAL_H

#include "base/buf.h"
#include "base/err.h"

#include <sys/socket.h>

#define DIAL_MAX_ADDRESSES 16
struct dial_address {
    struct sockaddr_storage addr;
    socklen_t len;
    char text[64]; /* "192.0.2.1" or "2001:db8::1" */
};
struct dial_addresses {
    struct dial_address list[DIAL_MAX_ADDRESSES];
    size_t n;
};

/* host: a name or a literal address ([v6] allowed). ERR_NOTFOUND no such name; ERR_TIMEOUT no resolver answered;
 * ERR_NET resolver refused. deadline: monotonic ms. */
int dial_resolve(struct dial_addresses *out, const char *host, int64_t deadline_ms, struct err *e) must_use;
/* The same, asking these DNS servers ("ADDRESS[:PORT],..."; NULL: the machine's). */
int dial_resolve_by(struct dial_addresses *out, const char *host, const char *servers, int64_t deadline_ms,
                    struct err *e) must_use;
/* Connects to the first that answers. refused, timeout and unreachable are told apart in the message, per address.
 * *out_fd is the caller's. used may be NULL. */
int dial_connect(int *out_fd, const struct dial_addresses *to, uint16_t port, int64_t deadline_ms,
                 const struct dial_address **used, struct err *e) must_use;
bool host_is_literal(const char *host); /* an IP address, not a name */

#endif
