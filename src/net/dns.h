/* dns.h - one question to the DNS servers through c-ares, within a deadline; what dial.c and srv.c share.
 *
 * c-ares 1.18: own sockets, own time limits for each try, a truncated UDP answer is asked again over TCP.
 *   struct dns d;
 *   try(dns_open(&d, servers, deadline_ms, e));
 *   ares_query(d.channel, ...); // its callback ends with dns_done(&d, status)
 *   dns_run(&d, deadline_ms);
 *   rc = ...d.status...; dns_close(&d);
 */
#ifndef ROLLCALL_DNS_H
#define ROLLCALL_DNS_H

#include "base/err.h"

#include <ares.h>

struct dns {
    ares_channel channel;
    int status; /* ARES_*; of the answer */
    bool done;
};

/* servers: "ADDRESS[:PORT],ADDRESS[:PORT]", NULL: $ROLLCALL_RESOLVERS, else what /etc/resolv.conf says.
 * ERR_INPUT: they are none. */
int dns_open(struct dns *out, const char *servers, int64_t deadline_ms, struct err *e) must_use;
void dns_close(struct dns *d);
/* For the callback of the question. */
void dns_done(struct dns *d, int status);
/* Until the answer is there or the deadline has passed; then the callback has been called in any case, and
 * status is ARES_ETIMEOUT or ARES_ECANCELLED unless it has answered. */
void dns_run(struct dns *d, int64_t deadline_ms);
/* The sentence for d->status. what: the name asked for; kind: what it has none of, "address". */
int dns_explain(const struct dns *d, const char *what, const char *kind, struct err *e);

#endif
