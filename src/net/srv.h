/* srv.h - the domain controllers that DNS knows: SRV records (RFC 2782), in the order in which they are
 * tried.
 *
 * Names only; addresses are looked up when one is dialled. What DNS says is not trusted with anything: who is
 * dialled must still show a certificate for the name.
 */
#ifndef ROLLCALL_SRV_H
#define ROLLCALL_SRV_H

#include "base/err.h"

#define SRV_MAX     256 /* records that are kept: the best ones */
#define SRV_RECEIVE 4096
struct srv_record {
    char target[256]; /* without a final dot */
    uint16_t port, priority, weight;
};

/* Looks up `name` ("_ldap._tcp.dc._msdcs.corp.example") at these servers ("ADDRESS[:PORT],...", NULL: the
 * machine's) and gives at most `max` records, ordered. Targets that are no host names are left out.
 * ERR_NOTFOUND: no such records, or the service is not offered ("."); ERR_TIMEOUT, ERR_NET: DNS is at fault.
 */
int srv_lookup(struct srv_record *out, size_t max, size_t *n, const char *name, const char *servers,
               int64_t deadline_ms, struct err *e) must_use;
/* RFC 2782: by priority; within one, drawn by weight. The same seed gives the same order. */
void srv_order(struct srv_record *list, size_t n, uint64_t seed);

#endif
