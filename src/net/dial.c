#include "net/dial.h"

#include "base/when.h"
#include "net/dns.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* --- addresses ------------------------------------------------------------------------------------------ */

static struct sockaddr_in *as_v4(struct dial_address *a)
{
    return (struct sockaddr_in *)&a->addr;
}
static struct sockaddr_in6 *as_v6(struct dial_address *a)
{
    return (struct sockaddr_in6 *)&a->addr;
}

static void write_text(struct dial_address *a)
{
    char zone[IF_NAMESIZE];
    if (a->addr.ss_family == AF_INET) {
        inet_ntop(AF_INET, &as_v4(a)->sin_addr, a->text, sizeof a->text);
        return;
    }
    inet_ntop(AF_INET6, &as_v6(a)->sin6_addr, a->text, sizeof a->text);
    size_t n = strlen(a->text);
    if (as_v6(a)->sin6_scope_id && if_indextoname(as_v6(a)->sin6_scope_id, zone))
        snprintf(a->text + n, sizeof a->text - n, "%%%s", zone);
}

static bool v4_address(struct dial_address *a, const char *text)
{
    *a = (struct dial_address){.len = sizeof(struct sockaddr_in)};
    as_v4(a)->sin_family = AF_INET;
    if (inet_pton(AF_INET, text, &as_v4(a)->sin_addr) != 1) return false;
    write_text(a);
    return true;
}

/* RFC 4007 11: an interface behind '%', as name or number. */
static bool v6_address(struct dial_address *a, struct str text)
{
    char copy[64];
    size_t percent = str_index(text, '%');
    if (text.len >= sizeof copy) return false;
    *a = (struct dial_address){.len = sizeof(struct sockaddr_in6)};
    as_v6(a)->sin6_family = AF_INET6;
    snprintf(copy, sizeof copy, "%.*s", (int)percent, text.ptr);
    if (inet_pton(AF_INET6, copy, &as_v6(a)->sin6_addr) != 1) return false;
    if (percent < text.len) {
        snprintf(copy, sizeof copy, "%.*s", (int)(text.len - percent - 1), text.ptr + percent + 1);
        as_v6(a)->sin6_scope_id = if_nametoindex(copy);
        if (!as_v6(a)->sin6_scope_id) as_v6(a)->sin6_scope_id = (uint32_t)strtoul(copy, NULL, 10);
        if (!as_v6(a)->sin6_scope_id) return false;
    }
    write_text(a);
    return true;
}

static bool literal_address(struct dial_address *a, const char *host)
{
    struct str s = str_from(host);
    bool bracketed = s.len > 2 && s.ptr[0] == '[' && s.ptr[s.len - 1] == ']';
    if (bracketed) s = (struct str){s.ptr + 1, s.len - 2};
    return (!bracketed && v4_address(a, host)) || v6_address(a, s);
}

bool host_is_literal(const char *host)
{
    struct dial_address ignored;
    return literal_address(&ignored, host);
}

static void add_address(struct dial_addresses *out, const struct sockaddr *sa, socklen_t len)
{
    if (out->n == DIAL_MAX_ADDRESSES || len > sizeof(struct sockaddr_storage)) return;
    if (sa->sa_family != AF_INET && sa->sa_family != AF_INET6) return;
    struct dial_address *a = &out->list[out->n++];
    *a = (struct dial_address){.len = len};
    memcpy(&a->addr, sa, len);
    write_text(a);
}

/* RFC 6761 6.3: never asked of a DNS server. */
static bool is_localhost(struct str host)
{
    struct str dot = STR(".localhost");
    if (host.len && host.ptr[host.len - 1] == '.') host.len--;
    if (str_equal_nocase(host, STR("localhost"))) return true;
    return host.len > dot.len && str_equal_nocase((struct str){host.ptr + host.len - dot.len, dot.len}, dot);
}

/* --- names, by c-ares ----------------------------------------------------------------------------------- */

struct lookup {
    struct dns dns;
    struct dial_addresses *out;
};

static void take_answer(void *arg, int status, int timeouts, struct ares_addrinfo *found)
{
    struct lookup *l = arg;
    (void)timeouts;
    dns_done(&l->dns, status);
    for (struct ares_addrinfo_node *n = found ? found->nodes : NULL; n; n = n->ai_next)
        add_address(l->out, n->ai_addr, n->ai_addrlen);
    ares_freeaddrinfo(found);
}

static int look_up(struct dial_addresses *out, const char *host, const char *servers, int64_t deadline_ms,
                   struct err *e)
{
    struct lookup l = {.out = out};
    struct ares_addrinfo_hints hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    try(dns_open(&l.dns, servers, deadline_ms, e));
    ares_getaddrinfo(l.dns.channel, host, NULL, &hints, take_answer, &l);
    dns_run(&l.dns, deadline_ms);
    int rc = out->n ? 0 : dns_explain(&l.dns, host, "address", e);
    dns_close(&l.dns);
    return rc;
}

int dial_resolve_by(struct dial_addresses *out, const char *host, const char *servers, int64_t deadline_ms,
                    struct err *e)
{
    *out = (struct dial_addresses){0};
    if (!*host) return err_set(e, ERR_INPUT, "no host to look up");
    if (literal_address(&out->list[0], host)) {
        out->n = 1;
        return 0;
    }
    if (is_localhost(str_from(host))) {
        out->n = v4_address(&out->list[0], "127.0.0.1") && v6_address(&out->list[1], STR("::1")) ? 2 : 0;
        return 0;
    }
    if (!when_left_ms(deadline_ms))
        return err_set(e, ERR_TIMEOUT, "%s: no time left to look the name up", host);
    return look_up(out, host, servers, deadline_ms, e);
}

int dial_resolve(struct dial_addresses *out, const char *host, int64_t deadline_ms, struct err *e)
{
    return dial_resolve_by(out, host, NULL, deadline_ms, e);
}

/* --- connecting ----------------------------------------------------------------------------------------- */

static void set_port(struct dial_address *a, uint16_t port)
{
    if (a->addr.ss_family == AF_INET)
        as_v4(a)->sin_port = htons(port);
    else
        as_v6(a)->sin6_port = htons(port);
}

static void set_options(int fd)
{
    static const struct {
        int level, name, value;
    } options[] = {{IPPROTO_TCP, TCP_NODELAY, 1},
                   {SOL_SOCKET, SO_KEEPALIVE, 1},
                   {IPPROTO_TCP, TCP_KEEPIDLE, 60},
                   {IPPROTO_TCP, TCP_KEEPINTVL, 15},
                   {IPPROTO_TCP, TCP_KEEPCNT, 4}};
    for (size_t i = 0; i < n_elements(options); i++) /* helpful, not necessary: failures are not told */
        (void)setsockopt(fd, options[i].level, options[i].name, &options[i].value, sizeof options[i].value);
}

/* 0 or the errno of the attempt. */
static int wait_connected(int fd, int64_t deadline_ms)
{
    struct pollfd p = {fd, POLLOUT, 0};
    int error = 0, n;
    socklen_t len = sizeof error;
    do {
        n = poll(&p, 1, when_left_ms(deadline_ms));
    } while (n < 0 && errno == EINTR);
    if (n == 0) return ETIMEDOUT;
    if (n < 0 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0) return errno;
    return error;
}

static int connect_one(int *out_fd, struct dial_address a, uint16_t port, int64_t deadline_ms)
{
    int fd = socket(a.addr.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return errno;
    set_options(fd);
    set_port(&a, port);
    int error = connect(fd, (struct sockaddr *)&a.addr, a.len) == 0 ? 0 : errno;
    if (error == EINPROGRESS || error == EINTR) error = wait_connected(fd, deadline_ms);
    if (error)
        close(fd);
    else
        *out_fd = fd;
    return error;
}

static const char *error_words(char buffer[64], int error)
{
    switch (error) {
    case ECONNREFUSED:
        return "refused";
    case ETIMEDOUT:
        return "no answer";
    case ENETUNREACH:
        return "no route to its network";
    case EHOSTUNREACH:
        return "host unreachable";
    case EACCES:
    case EPERM:
        return "forbidden by this machine's firewall";
    default:
        return strerror_r(error, buffer, 64); /* GNU form */
    }
}

static const char *advice(int error)
{
    if (error == ECONNREFUSED)
        return "the machine is there, but nothing listens on this port, or a firewall rejects it; check host "
               "and port";
    if (error == ETIMEDOUT)
        return "a firewall between here and there drops the packets, or the machine is down; check host and "
               "port";
    return "check the network between here and there";
}

static int explain_connect(const char *tried, uint16_t port, int last_error, bool all_timed_out,
                           struct err *e)
{
    err_set(e, all_timed_out ? ERR_TIMEOUT : ERR_NET, "port %u: %s", port, tried);
    err_hint(e, "%s", advice(last_error));
    return err_code(e, DOM_ERRNO, last_error);
}

int dial_connect(int *out_fd, const struct dial_addresses *to, uint16_t port, int64_t deadline_ms,
                 const struct dial_address **used, struct err *e)
{
    struct buf tried = buf_new(2048);
    int error = 0, rc;
    bool all_timed_out = true;
    *out_fd = -1;
    if (!to->n) return err_set(e, ERR_BUG, "no address to connect to");
    for (size_t i = 0; i < to->n; i++) {
        char words[64];
        int share = when_left_ms(deadline_ms) / (int)(to->n - i);
        error = connect_one(out_fd, to->list[i], port, when_monotonic_ms() + share);
        if (!error) {
            if (used) *used = &to->list[i];
            buf_free(&tried);
            return 0;
        }
        all_timed_out = all_timed_out && error == ETIMEDOUT;
        buf_printf(&tried, "%s%s: %s", i ? "; " : "", to->list[i].text, error_words(words, error));
    }
    rc = explain_connect(buf_cstr(&tried), port, error, all_timed_out, e);
    buf_free(&tried);
    return rc;
}
