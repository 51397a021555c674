#include "net/dns.h"

#include "base/when.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#define TRY_LEAST_MS 200
#define TRY_MOST_MS  2000 /* a dead server must not eat the time of those behind it */

static int use_servers(struct dns *d, const char *servers, struct err *e)
{
    bool is_set = servers && *servers;
    const char *list = is_set ? servers : getenv("ROLLCALL_RESOLVERS");
    if (!list || !*list || ares_set_servers_ports_csv(d->channel, list) == ARES_SUCCESS) return 0;
    err_set(e, ERR_INPUT, "%s is not a list of addresses", is_set ? "dns_servers" : "ROLLCALL_RESOLVERS");
    return err_hint(e, "write ADDRESS[:PORT],ADDRESS[:PORT]");
}

/* Two tries at each server within the time there is. */
int dns_open(struct dns *out, const char *servers, int64_t deadline_ms, struct err *e)
{
    char lookups[] = "fb"; /* /etc/hosts, then DNS */
    int share = when_left_ms(deadline_ms) / 4;
    int per_try = share < TRY_LEAST_MS ? TRY_LEAST_MS : share > TRY_MOST_MS ? TRY_MOST_MS : share;
    struct ares_options o = {.timeout = per_try, .tries = 2, .lookups = lookups};
    *out = (struct dns){0};
    int rc = ares_library_init(ARES_LIB_INIT_ALL);
    if (rc == ARES_SUCCESS)
        rc = ares_init_options(&out->channel, &o, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS);
    if (rc != ARES_SUCCESS)
        return err_set(e, ERR_INPUT, "the resolver's configuration cannot be read: %s", ares_strerror(rc));
    rc = use_servers(out, servers, e);
    if (rc < 0) dns_close(out);
    return rc;
}

void dns_close(struct dns *d)
{
    if (d->channel) ares_destroy(d->channel);
    d->channel = NULL;
}

void dns_done(struct dns *d, int status)
{
    d->status = status;
    d->done = true;
}

/* c-ares' own sockets, until the next of its time limits or ours. */
static void wait_once(struct dns *d, int left_ms)
{
    ares_socket_t sockets[ARES_GETSOCK_MAXNUM];
    struct pollfd p[ARES_GETSOCK_MAXNUM];
    unsigned bits = (unsigned)ares_getsock(d->channel, sockets, ARES_GETSOCK_MAXNUM);
    nfds_t n = 0;
    for (unsigned i = 0; i < ARES_GETSOCK_MAXNUM; i++) {
        /* as ARES_GETSOCK_READABLE and _WRITABLE, whose shift into the sign bit is undefined */
        short events =
            (short)((bits >> i & 1 ? POLLIN : 0) | (bits >> (i + ARES_GETSOCK_MAXNUM) & 1 ? POLLOUT : 0));
        if (events) p[n++] = (struct pollfd){sockets[i], events, 0};
    }
    struct timeval max = {left_ms / 1000, (left_ms % 1000) * 1000}, own;
    struct timeval *tv = ares_timeout(d->channel, &max, &own);
    int64_t ms = tv->tv_sec * 1000 + (tv->tv_usec + 999) / 1000;
    int ready = poll(p, n, (int)ms);
    if (ready <= 0) ares_process_fd(d->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD); /* its time limits */
    for (nfds_t i = 0; ready > 0 && i < n; i++)
        if (p[i].revents)
            ares_process_fd(d->channel, p[i].revents & ~POLLOUT ? p[i].fd : ARES_SOCKET_BAD,
                            p[i].revents & POLLOUT ? p[i].fd : ARES_SOCKET_BAD);
}

void dns_run(struct dns *d, int64_t deadline_ms)
{
    while (!d->done && when_left_ms(deadline_ms)) wait_once(d, when_left_ms(deadline_ms));
    if (d->done) return;
    ares_cancel(d->channel); /* calls the callback */
    d->status = ARES_ETIMEOUT;
}

static const char *servers_text(char out[256], ares_channel channel)
{
    struct ares_addr_port_node *servers = NULL;
    size_t w = 0;
    out[0] = 0;
    if (ares_get_servers_ports(channel, &servers) != ARES_SUCCESS) return out;
    for (struct ares_addr_port_node *s = servers; s && w + 80 < 256; s = s->next) {
        char one[INET6_ADDRSTRLEN];
        inet_ntop(s->family, &s->addr, one, sizeof one);
        w += (size_t)snprintf(out + w, 256 - w, "%s%s", w ? ", " : "", one);
        if (s->udp_port && s->udp_port != 53)
            w += (size_t)snprintf(out + w, 256 - w, " port %d", s->udp_port);
    }
    ares_free_data(servers);
    return out;
}

int dns_explain(const struct dns *d, const char *what, const char *kind, struct err *e)
{
    char asked[256];
    servers_text(asked, d->channel);
    switch (d->status) {
    case ARES_ENOTFOUND:
        err_set(e, ERR_NOTFOUND, "%s: no such name (asked %s)", what, asked);
        return err_hint(e, "check the spelling; does this machine use the DNS servers of the domain? "
                           "(dns_servers names them)");
    case ARES_ENODATA:
        return err_set(e, ERR_NOTFOUND, "%s: the name has no %s (asked %s)", what, kind, asked);
    case ARES_EBADNAME:
        return err_set(e, ERR_INPUT, "%s: not a name that DNS can have", what);
    case ARES_ETIMEOUT:
        err_set(e, ERR_TIMEOUT, "%s: no DNS server answered (asked %s)", what, asked);
        return err_hint(e, "check /etc/resolv.conf and that port 53 is open to these servers");
    default:
        err_set(e, ERR_NET, "%s: the DNS server failed: %s (asked %s)", what, ares_strerror(d->status),
                asked);
        return err_hint(e, "check /etc/resolv.conf and the DNS server");
    }
}
