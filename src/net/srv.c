#include "net/srv.h"

#include "base/when.h"
#include "net/dns.h"

#include <arpa/nameser.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

/* --- order --------------------------------------------------------------------------------------------- */

/* splitmix64: small, seeded; a draw among controllers is no secret. */
static uint64_t draw(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* By priority, weight 0 first (RFC 2782, "place all those with weight 0 at the beginning"), then by name, so
 * that the order in which the server sent them does not matter. */
static int compare(const void *pa, const void *pb)
{
    const struct srv_record *a = pa, *b = pb;
    if (a->priority != b->priority) return a->priority < b->priority ? -1 : 1;
    if (!a->weight != !b->weight) return a->weight ? 1 : -1;
    return strcmp(a->target, b->target);
}

/* The next of those of one priority: the first whose running sum of weights reaches a number drawn from 0 to
 * the sum of all. */
static size_t pick(const struct srv_record *list, size_t n, uint64_t *state)
{
    uint64_t sum = 0, running = 0;
    for (size_t i = 0; i < n; i++) sum += list[i].weight;
    uint64_t at = draw(state) % (sum + 1);
    for (size_t i = 0; i < n; i++)
        if ((running += list[i].weight) >= at) return i;
    return n - 1;
}

static void order_equals(struct srv_record *list, size_t n, uint64_t *state)
{
    for (; n > 1; list++, n--) {
        size_t at = pick(list, n, state);
        struct srv_record chosen = list[at];
        memmove(list + 1, list, at * sizeof *list); /* the others keep their order: weight 0 stays in front */
        list[0] = chosen;
    }
}

void srv_order(struct srv_record *list, size_t n, uint64_t seed)
{
    if (!n) return;
    qsort(list, n, sizeof *list, compare);
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && list[end].priority == list[i].priority; end++) {
        }
        order_equals(list + i, end - i, &seed);
    }
}

/* --- asking -------------------------------------------------------------------------------------------- */

struct question {
    struct dns dns;
    struct srv_record *list; /* SRV_RECEIVE of them */
    size_t n;
    bool is_refused; /* "." : decidedly not here */
};

static bool take_target(char out[256], const char *host)
{
    size_t n = strlen(host);
    if (n && host[n - 1] == '.') n--;
    if (!n || n > 253) return false;
    size_t ok = strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.");
    if (ok < n || host[0] == '.' || host[0] == '-') return false;
    snprintf(out, 256, "%.*s", (int)n, host);
    return true;
}

static void take_records(struct question *q, const struct ares_srv_reply *found)
{
    for (; found && q->n < SRV_RECEIVE; found = found->next) {
        struct srv_record *r = &q->list[q->n];
        if (!*found->host || strcmp(found->host, ".") == 0) {
            q->is_refused = true;
            continue;
        }
        if (!take_target(r->target, found->host)) continue;
        r->port = found->port;
        r->priority = found->priority;
        r->weight = found->weight;
        q->n++;
    }
}

static void take_answer(void *arg, int status, int timeouts, unsigned char *answer, int len)
{
    struct question *q = arg;
    struct ares_srv_reply *found = NULL;
    (void)timeouts;
    if (status == ARES_SUCCESS) status = ares_parse_srv_reply(answer, len, &found);
    dns_done(&q->dns, status);
    take_records(q, found);
    ares_free_data(found);
}

static uint64_t random_seed(void)
{
    uint64_t seed = 0;
    if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) < 0) seed = (uint64_t)when_monotonic_ms();
    return seed;
}

static int ask(struct question *q, const char *name, int64_t deadline_ms, struct err *e)
{
    ares_query(q->dns.channel, name, ns_c_in, ns_t_srv, take_answer, q);
    dns_run(&q->dns, deadline_ms);
    if (q->n) return 0;
    if (q->dns.status != ARES_SUCCESS) return dns_explain(&q->dns, name, "SRV records", e);
    return err_set(e, ERR_NOTFOUND, "%s: %s", name,
                   q->is_refused ? "DNS says that the service is not offered there"
                                 : "the SRV records name no hosts");
}

int srv_lookup(struct srv_record *out, size_t max, size_t *n, const char *name, const char *servers,
               int64_t deadline_ms, struct err *e)
{
    struct question q = {0};
    *n = 0;
    try(dns_open(&q.dns, servers, deadline_ms, e));
    q.list = x_zalloc(SRV_RECEIVE * sizeof *q.list);
    int rc = ask(&q, name, deadline_ms, e);
    dns_close(&q.dns);
    if (rc == 0) {
        srv_order(q.list, q.n, random_seed());
        *n = q.n < max ? q.n : max;
        memcpy(out, q.list, *n * sizeof *out);
    }
    free(q.list);
    return rc;
}
