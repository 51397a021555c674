/* replay.c - an LDAP server that is faster than its client: what a client costs by itself can be measured
 * against it.
 *
 * It answers bind, root DSE and (paged) searches of a made-up domain, DC=bench,DC=example, over TCP or TLS,
 * one thread for each connection. It is not a directory: a filter only chooses kinds of objects (users,
 * groups, computers, units) and, with uSNChanged>=N, those that changed; other assertions choose nothing when
 * they name a value and everything otherwise, so
 * (!(userAccountControl:1.2.840.113556.1.4.803:=2)) does not leave out disabled users.
 *
 *   bench-replay --users 200000 --groups 20000 --others 60000 --port-file port [--cert c.pem --key k.pem]
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "content.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { FLUSH_AT = 128 * 1024, MAX_REQUEST = 1 << 20, MAX_FILTER_DEPTH = 50 };

#define OID_PAGED    "1.2.840.113556.1.4.319"
#define OID_SD_FLAGS "1.2.840.113556.1.4.801"

static struct {
    struct content_options content;
    unsigned delay_ms;
    const char *port_file, *cert, *key;
    int port;
} opt = {.content = {.users = 1000, .groups = 100, .others = 100, .seed = 1}};

static SSL_CTX *tls_context;
static atomic_ullong n_entries, n_pages, n_bytes, n_connections;

struct conn {
    int fd;
    SSL *ssl;
    uint8_t *in, *out;
    size_t in_len, in_cap, out_len, out_cap;
};

/* --- bytes in and out --- */

static bool conn_write(struct conn *c, const uint8_t *p, size_t n)
{
    atomic_fetch_add(&n_bytes, n);
    while (n) {
        ssize_t k;
        if (c->ssl)
            k = SSL_write(c->ssl, p, n > (1 << 30) ? 1 << 30 : (int)n);
        else
            k = send(c->fd, p, n, MSG_NOSIGNAL);
        if (k <= 0) return false;
        p += k;
        n -= (size_t)k;
    }
    return true;
}

static bool conn_flush(struct conn *c)
{
    size_t n = c->out_len;
    c->out_len = 0;
    return n == 0 || conn_write(c, c->out, n);
}

/* Room for `n` more bytes of output; returns where they go. */
static uint8_t *conn_room(struct conn *c, size_t n)
{
    if (c->out_len + n > c->out_cap) {
        c->out_cap = (c->out_len + n) * 2;
        c->out = realloc(c->out, c->out_cap);
        if (!c->out) abort();
    }
    return c->out + c->out_len;
}

static bool conn_fill(struct conn *c)
{
    if (c->in_len == c->in_cap) {
        c->in_cap = c->in_cap ? c->in_cap * 2 : 8192;
        if (c->in_cap > MAX_REQUEST) return false;
        c->in = realloc(c->in, c->in_cap);
        if (!c->in) abort();
    }
    size_t room = c->in_cap - c->in_len;
    ssize_t k =
        c->ssl ? SSL_read(c->ssl, c->in + c->in_len, (int)room) : recv(c->fd, c->in + c->in_len, room, 0);
    if (k <= 0) return false;
    c->in_len += (size_t)k;
    return true;
}

/* --- reading BER: a cursor that stops at its end --- */

struct cursor {
    const uint8_t *p, *end;
};

/* Takes one element: its tag, its contents in *inner. False when the bytes are not one. */
static bool take(struct cursor *c, uint8_t *tag, struct cursor *inner)
{
    if (c->end - c->p < 2) return false;
    *tag = *c->p++;
    size_t n = *c->p++;
    if (n & 0x80) {
        size_t count = n & 0x7F;
        n = 0;
        if (count == 0 || count > 4 || (size_t)(c->end - c->p) < count) return false;
        while (count--) n = n << 8 | *c->p++;
    }
    if ((size_t)(c->end - c->p) < n) return false;
    *inner = (struct cursor){c->p, c->p + n};
    c->p += n;
    return true;
}

static bool take_tag(struct cursor *c, uint8_t want, struct cursor *inner)
{
    uint8_t tag;
    return take(c, &tag, inner) && tag == want;
}

static bool take_int(struct cursor *c, uint8_t want, uint32_t *out)
{
    struct cursor v;
    *out = 0;
    if (!take_tag(c, want, &v) || v.p == v.end || v.end - v.p > 5) return false;
    while (v.p < v.end) *out = *out << 8 | *v.p++;
    return true;
}

static size_t size_of(struct cursor c)
{
    return (size_t)(c.end - c.p);
}

static bool is_text(struct cursor c, const char *text)
{
    return size_of(c) == strlen(text) && strncasecmp((const char *)c.p, text, size_of(c)) == 0;
}

static bool has_text(struct cursor c, const char *text)
{
    size_t n = strlen(text);
    for (; size_of(c) >= n; c.p++)
        if (strncasecmp((const char *)c.p, text, n) == 0) return true;
    return false;
}

/* --- filters: which kinds of objects --- */

/* `exact`: the filter holds for all objects of these kinds and for no other; otherwise only for some of them.
 */
struct choice {
    unsigned kinds;
    bool exact;
};

static struct choice choose_equality(struct cursor attr, struct cursor value)
{
    static const struct {
        const char *attr, *value;
        unsigned kinds;
    } table[] = {
        {"objectClass", "top", KINDS_ALL},
        {"objectClass", "user", 1 << K_USER | 1 << K_COMPUTER},
        {"objectClass", "person", 1 << K_USER | 1 << K_COMPUTER},
        {"objectClass", "organizationalPerson", 1 << K_USER | 1 << K_COMPUTER},
        {"objectClass", "group", 1 << K_GROUP},
        {"objectClass", "computer", 1 << K_COMPUTER},
        {"objectClass", "organizationalUnit", 1 << K_OU},
        {"objectClass", "domain", 1 << K_DOMAIN},
        {"objectClass", "domainDNS", 1 << K_DOMAIN},
        {"objectClass", "crossRef", 1 << K_CROSSREF},
        {"nETBIOSName", "BENCH", 1 << K_CROSSREF},
        {"nCName", DOMAIN_DN, 1 << K_CROSSREF},
        {"objectCategory", "person", 1 << K_USER},
        {"objectCategory", "user", 1 << K_USER},
        {"objectCategory", "group", 1 << K_GROUP},
        {"objectCategory", "computer", 1 << K_COMPUTER},
        {"objectCategory", "organizationalUnit", 1 << K_OU},
        {"objectCategory", "domainDNS", 1 << K_DOMAIN},
        {"objectCategory", "crossRef", 1 << K_CROSSREF},
        {"sAMAccountType", "805306368", 1 << K_USER},
        {"sAMAccountType", "805306369", 1 << K_COMPUTER},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (is_text(attr, table[i].attr) && is_text(value, table[i].value))
            return (struct choice){table[i].kinds, true};
    return (struct choice){0, is_text(attr, "objectClass") || is_text(attr, "objectCategory")};
}

static struct choice choose(struct cursor *c, uint64_t *usn_min, unsigned depth);

static struct choice choose_all_of(struct cursor inner, bool and, uint64_t *usn_min, unsigned depth)
{
    unsigned everything = KINDS_ALL | 1 << K_CROSSREF;
    struct choice out = {and? everything : 0, true};
    while (inner.p < inner.end) {
        struct choice one = choose(&inner, usn_min, depth + 1);
        out.kinds = and? out.kinds & one.kinds : out.kinds | one.kinds;
        out.exact = out.exact && one.exact;
    }
    return out;
}

static struct choice choose(struct cursor *c, uint64_t *usn_min, unsigned depth)
{
    const unsigned everything = KINDS_ALL | 1 << K_CROSSREF;
    struct cursor inner, attr, value;
    struct choice one;
    uint8_t tag;
    if (depth > MAX_FILTER_DEPTH || !take(c, &tag, &inner)) {
        c->p = c->end;
        return (struct choice){0, false};
    }
    switch (tag) {
    case 0xA0:
    case 0xA1:
        return choose_all_of(inner, tag == 0xA0, usn_min, depth);
    case 0xA2:
        one = choose(&inner, usn_min, depth + 1);
        return (struct choice){one.exact ? everything & ~one.kinds : everything, one.exact};
    case 0xA3:
        if (take_tag(&inner, 0x04, &attr) && take_tag(&inner, 0x04, &value))
            return choose_equality(attr, value);
        return (struct choice){0, false};
    case 0xA5:
        if (take_tag(&inner, 0x04, &attr) && take_tag(&inner, 0x04, &value) && is_text(attr, "uSNChanged")) {
            *usn_min = 0;
            for (; value.p < value.end && *value.p >= '0' && *value.p <= '9'; value.p++)
                *usn_min = *usn_min * 10 + *value.p - '0';
        }
        return (struct choice){everything, false};
    case 0x87:
        return (struct choice){everything, is_text(inner, "objectClass") || is_text(inner, "objectGUID")};
    default:
        return (struct choice){everything, false};
    }
}

/* --- one search --- */

enum scope { SCOPE_BASE, SCOPE_ONE, SCOPE_SUB };

struct search {
    uint32_t id, scope, size_limit, page_size;
    struct cursor base;
    struct want want;
    unsigned kinds;
    uint64_t usn_min;
    bool paged, unknown_critical;
    uint32_t kind, index; /* where the page begins */
};

static const char cookie_magic[4] = {'R', 'P', 'L', 'Y'};

static bool read_paged(struct search *s, struct cursor value)
{
    struct cursor inner, cookie;
    if (!take_tag(&value, 0x30, &inner) || !take_int(&inner, 0x02, &s->page_size) ||
        !take_tag(&inner, 0x04, &cookie))
        return false;
    s->paged = true;
    if (cookie.p == cookie.end) return true;
    if (size_of(cookie) != 12 || memcmp(cookie.p, cookie_magic, 4) != 0) return false;
    memcpy(&s->kind, cookie.p + 4, 4);
    memcpy(&s->index, cookie.p + 8, 4);
    return s->kind < N_KINDS;
}

static bool read_controls(struct search *s, struct cursor controls)
{
    static const char *const known[] = {OID_SD_FLAGS, "1.2.840.113556.1.4.417", "1.2.840.113556.1.4.2064",
                                        "1.2.840.113556.1.4.1339", "1.2.840.113556.1.4.1340"};
    struct cursor control, oid, part, value = {NULL, NULL};
    uint8_t tag;
    while (controls.p < controls.end) {
        bool critical = false, is_known = false;
        if (!take_tag(&controls, 0x30, &control) || !take_tag(&control, 0x04, &oid)) return false;
        while (control.p < control.end) {
            if (!take(&control, &tag, &part)) return false;
            if (tag == 0x01) critical = size_of(part) == 1 && *part.p;
            if (tag == 0x04) value = part;
        }
        if (is_text(oid, OID_PAGED)) {
            if (!read_paged(s, value)) return false;
            continue;
        }
        for (size_t i = 0; i < sizeof known / sizeof *known; i++)
            is_known = is_known || is_text(oid, known[i]);
        if (is_text(oid, OID_SD_FLAGS)) s->want.descriptor = true;
        if (critical && !is_known) s->unknown_critical = true;
    }
    return true;
}

static bool read_search(struct search *s, struct cursor op, struct cursor controls)
{
    struct cursor ignored, filter_at, attrs, name;
    uint32_t number;
    uint8_t tag;
    if (!take_tag(&op, 0x04, &s->base) || !take_int(&op, 0x0A, &s->scope) || !take_int(&op, 0x0A, &number) ||
        !take_int(&op, 0x02, &s->size_limit) || !take_int(&op, 0x02, &number) ||
        !take_tag(&op, 0x01, &ignored))
        return false;
    filter_at = op;
    if (!take(&op, &tag, &ignored) || !take_tag(&op, 0x30, &attrs)) return false;
    filter_at.end = op.p;
    s->kinds = choose(&filter_at, &s->usn_min, 0).kinds;
    if (!read_controls(s, controls)) return false;
    if (attrs.p == attrs.end) content_want(&s->want, "*", 1);
    while (attrs.p < attrs.end) {
        if (!take_tag(&attrs, 0x04, &name)) return false;
        content_want(&s->want, (const char *)name.p, size_of(name));
    }
    return true;
}

/* The message around an operation: 0x30, four-byte length, message id. Returns where the operation begins. */
static uint8_t *begin_message(uint8_t *p, uint32_t id)
{
    uint8_t bytes[5];
    size_t n = 0;
    *p = 0x30;
    p += 6;
    do {
        bytes[n++] = (uint8_t)id;
        id >>= 8;
    } while (id);
    if (bytes[n - 1] & 0x80) bytes[n++] = 0;
    *p++ = 0x02;
    *p++ = (uint8_t)n;
    while (n) *p++ = bytes[--n];
    return p;
}

static void end_message(struct conn *c, uint8_t *start, const uint8_t *end)
{
    size_t n = (size_t)(end - start) - 6;
    start[1] = 0x84;
    start[2] = (uint8_t)(n >> 24);
    start[3] = (uint8_t)(n >> 16);
    start[4] = (uint8_t)(n >> 8);
    start[5] = (uint8_t)n;
    c->out_len += n + 6;
}

/* An LDAPResult with empty texts, `tail` behind it inside the operation, and a paging cookie if `paged`. */
static void put_result(struct conn *c, uint32_t id, uint8_t tag, uint8_t code, const char *tail,
                       const uint8_t *cookie, bool paged)
{
    uint8_t *start = conn_room(c, 512), *p = begin_message(start, id);
    size_t n_tail = tail ? strlen(tail) : 0, n_cookie = cookie ? 12 : 0;
    const uint8_t head[] = {tag, (uint8_t)(7 + n_tail), 0x0A, 1, code, 0x04, 0, 0x04, 0};
    memcpy(p, head, sizeof head);
    p += sizeof head;
    if (tail) memcpy(p, tail, n_tail);
    p += n_tail;
    if (paged) {
        const uint8_t control[] = {0xA0, (uint8_t)(35 + n_cookie), 0x30, (uint8_t)(33 + n_cookie), 0x04, 22};
        const uint8_t value[] = {0x04, (uint8_t)(7 + n_cookie), 0x30, (uint8_t)(5 + n_cookie), 0x02, 1, 0,
                                 0x04, (uint8_t)n_cookie};
        memcpy(p, control, sizeof control);
        p += sizeof control;
        memcpy(p, OID_PAGED, 22);
        p += 22;
        memcpy(p, value, sizeof value);
        p += sizeof value;
        if (cookie) memcpy(p, cookie, n_cookie);
        p += n_cookie;
    }
    end_message(c, start, p);
}

static bool put_entry(struct conn *c, const struct search *s, enum kind kind, uint32_t i)
{
    uint8_t *start = conn_room(c, content_bound(kind, i) + 64);
    end_message(c, start, content_put(begin_message(start, s->id), kind, i, &s->want));
    return c->out_len < FLUSH_AT || conn_flush(c);
}

/* Base searches and the configuration: single objects. True when the search was one of these. */
static bool answer_single(struct conn *c, struct search *s, uint8_t *code)
{
    enum kind kind = N_KINDS;
    bool whole = is_text(s->base, DOMAIN_DN);
    if (s->base.p == s->base.end && s->scope == SCOPE_BASE)
        kind = K_ROOT_DSE;
    else if (has_text(s->base, "CN=Configuration,"))
        kind = (s->kinds & 1 << K_CROSSREF) && has_text(s->base, "Partitions") && s->scope != SCOPE_BASE
                   ? K_CROSSREF
                   : N_KINDS;
    else if (s->scope == SCOPE_BASE && whole)
        kind = K_DOMAIN;
    else if (s->scope != SCOPE_BASE)
        return false;
    else
        *code = 32;
    if (kind != N_KINDS) put_entry(c, s, kind, 0);
    return true;
}

/* One page, or everything. False when the client is gone. */
static bool answer_list(struct conn *c, struct search *s, uint8_t *code, uint8_t cookie[12], bool *more)
{
    uint32_t limit = s->paged ? s->page_size : s->size_limit, sent = 0;
    if (!limit) limit = UINT32_MAX;
    for (uint32_t kind = s->kind; kind < N_KINDS; kind++) {
        uint32_t n = (s->kinds & KINDS_ALL & 1u << kind) ? content_count(kind) : 0;
        for (uint32_t i = kind == s->kind ? s->index : 0; i < n; i++) {
            if (s->usn_min && content_usn(kind, i) < s->usn_min) continue;
            if (sent == limit) {
                memcpy(cookie, cookie_magic, 4);
                memcpy(cookie + 4, &kind, 4);
                memcpy(cookie + 8, &i, 4);
                *more = s->paged;
                *code = s->paged ? 0 : 4;
                goto out;
            }
            sent++;
            if (!put_entry(c, s, kind, i)) return false;
        }
    }
out:
    atomic_fetch_add(&n_entries, sent);
    return true;
}

static bool answer_search(struct conn *c, uint32_t id, struct cursor op, struct cursor controls)
{
    struct search s = {.id = id};
    uint8_t code = 0, cookie[12];
    bool more = false;
    if (!read_search(&s, op, controls)) {
        put_result(c, id, 0x65, 2, NULL, NULL, false);
        return conn_flush(c);
    }
    if (s.unknown_critical) {
        code = 12;
    } else if (!answer_single(c, &s, &code)) {
        if (opt.delay_ms)
            nanosleep(&(struct timespec){opt.delay_ms / 1000, (long)(opt.delay_ms % 1000) * 1000000L}, NULL);
        if (!answer_list(c, &s, &code, cookie, &more)) return false;
        atomic_fetch_add(&n_pages, 1);
    }
    put_result(c, id, 0x65, code, NULL, more ? cookie : NULL, s.paged);
    return conn_flush(c);
}

/* --- one connection --- */

static bool answer_extended(struct conn *c, uint32_t id, struct cursor op)
{
    struct cursor oid;
    bool whoami = take_tag(&op, 0x80, &oid) && is_text(oid, "1.3.6.1.4.1.4203.1.11.3");
    put_result(c, id, 0x78, whoami ? 0 : 2, whoami ? "\x8B\x0Du:BENCH\\bench" : NULL, NULL, false);
    return conn_flush(c);
}

static bool answer_bind(struct conn *c, uint32_t id, struct cursor op)
{
    struct cursor name;
    uint32_t version;
    bool simple =
        take_int(&op, 0x02, &version) && take_tag(&op, 0x04, &name) && op.p < op.end && *op.p == 0x80;
    put_result(c, id, 0x61, simple ? 0 : 7, NULL, NULL, false);
    return conn_flush(c);
}

/* Answers one request; false ends the connection. */
static bool answer(struct conn *c, struct cursor message)
{
    struct cursor op, controls = {NULL, NULL};
    uint32_t id;
    uint8_t tag;
    if (!take_int(&message, 0x02, &id) || !take(&message, &tag, &op)) return false;
    if (message.p < message.end && !take_tag(&message, 0xA0, &controls)) return false;
    switch (tag) {
    case 0x60:
        return answer_bind(c, id, op);
    case 0x63:
        return answer_search(c, id, op, controls);
    case 0x77:
        return answer_extended(c, id, op);
    case 0x50:
        return true; /* abandon: the answer was sent before it could be read */
    default:
        return false; /* unbind, and whatever this server does not do */
    }
}

static void serve(struct conn *c)
{
    for (;;) {
        struct cursor all = {c->in, c->in + c->in_len}, message;
        uint8_t tag;
        if (!take(&all, &tag, &message)) {
            if (!conn_fill(c)) return;
            continue;
        }
        if (tag != 0x30 || !answer(c, message)) return;
        c->in_len -= (size_t)(all.p - c->in);
        memmove(c->in, all.p, c->in_len);
    }
}

static void *run_connection(void *arg)
{
    struct conn c = {.fd = (int)(intptr_t)arg};
    int one = 1;
    setsockopt(c.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (tls_context) {
        c.ssl = SSL_new(tls_context);
        if (!c.ssl || SSL_set_fd(c.ssl, c.fd) != 1 || SSL_accept(c.ssl) != 1) goto out;
    }
    serve(&c);
    if (c.ssl) SSL_shutdown(c.ssl);
out:
    SSL_free(c.ssl);
    ERR_clear_error();
    close(c.fd);
    free(c.in);
    free(c.out);
    return NULL;
}

/* --- the program --- */

static void *run_listener(void *arg)
{
    int listener = (int)(intptr_t)arg;
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    for (;;) {
        pthread_t thread;
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0) continue;
        atomic_fetch_add(&n_connections, 1);
        if (pthread_create(&thread, &attr, run_connection, (void *)(intptr_t)fd) != 0) close(fd);
    }
    return NULL;
}

static int fail(const char *what)
{
    fprintf(stderr, "bench-replay: %s: %s\n", what, strerror(errno));
    return 1;
}

static int open_tls(void)
{
    tls_context = SSL_CTX_new(TLS_server_method());
    if (!tls_context || SSL_CTX_set_min_proto_version(tls_context, TLS1_2_VERSION) != 1 ||
        SSL_CTX_use_certificate_chain_file(tls_context, opt.cert) != 1 ||
        SSL_CTX_use_PrivateKey_file(tls_context, opt.key, SSL_FILETYPE_PEM) != 1) {
        ERR_print_errors_fp(stderr);
        return -1;
    }
    SSL_CTX_set_options(tls_context, SSL_OP_IGNORE_UNEXPECTED_EOF);
    return 0;
}

/* Listens on loopback; the port is printed and written to the port file. */
static int open_listener(void)
{
    struct sockaddr_in sa = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)opt.port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof sa;
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) < 0 ||
        bind(fd, (struct sockaddr *)&sa, len) < 0 || listen(fd, 128) < 0 ||
        getsockname(fd, (struct sockaddr *)&sa, &len) < 0)
        return -1;
    printf("%u\n", ntohs(sa.sin_port));
    fflush(stdout);
    if (opt.port_file) {
        char temporary[4096];
        if ((size_t)snprintf(temporary, sizeof temporary, "%s.new", opt.port_file) >= sizeof temporary)
            return -1;
        FILE *f = fopen(temporary, "w");
        if (!f || fprintf(f, "%u\n", ntohs(sa.sin_port)) < 0 || fclose(f) != 0 ||
            rename(temporary, opt.port_file) != 0)
            return -1;
    }
    return fd;
}

static void report(void)
{
    struct rusage ru;
    getrusage(RUSAGE_SELF, &ru);
    unsigned long long entries = atomic_load(&n_entries), bytes = atomic_load(&n_bytes);
    double user = (double)ru.ru_utime.tv_sec + (double)ru.ru_utime.tv_usec / 1e6;
    double sys = (double)ru.ru_stime.tv_sec + (double)ru.ru_stime.tv_usec / 1e6;
    fprintf(stderr,
            "bench-replay: %llu connections, %llu pages, %llu entries, %llu bytes (%.0f an entry); cpu %.3f "
            "s user, %.3f s system, "
            "%.2f us an entry; max rss %ld KiB\n",
            atomic_load(&n_connections), atomic_load(&n_pages), entries, bytes,
            entries ? (double)bytes / (double)entries : 0, user, sys,
            entries ? (user + sys) * 1e6 / (double)entries : 0, ru.ru_maxrss);
}

static int usage(void)
{
    fputs(
        "usage: bench-replay [--users N] [--groups M] [--others K] [--changed N] [--seed S] [--delay-ms MS]\n"
        "                    [--port P] [--port-file F] [--cert CERT.pem --key KEY.pem]\n"
        "Ends on SIGTERM or SIGINT and reports its work and CPU time; SIGUSR1 reports and goes on.\n",
        stderr);
    return 2;
}

static int parse_options(int argc, char **argv)
{
    static const struct option options[] = {{"users", required_argument, NULL, 'u'},
                                            {"groups", required_argument, NULL, 'g'},
                                            {"others", required_argument, NULL, 'o'},
                                            {"changed", required_argument, NULL, 'c'},
                                            {"seed", required_argument, NULL, 's'},
                                            {"delay-ms", required_argument, NULL, 'd'},
                                            {"port", required_argument, NULL, 'p'},
                                            {"port-file", required_argument, NULL, 'f'},
                                            {"cert", required_argument, NULL, 'C'},
                                            {"key", required_argument, NULL, 'K'},
                                            {NULL, 0, NULL, 0}};
    int o;
    while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
        unsigned long long n = o == 'f' || o == 'C' || o == 'K' || !optarg ? 0 : strtoull(optarg, NULL, 10);
        switch (o) {
        case 'u':
            opt.content.users = (uint32_t)n;
            break;
        case 'g':
            opt.content.groups = (uint32_t)n;
            break;
        case 'o':
            opt.content.others = (uint32_t)n;
            break;
        case 'c':
            opt.content.changed = (uint32_t)n;
            break;
        case 's':
            opt.content.seed = n;
            break;
        case 'd':
            opt.delay_ms = (unsigned)n;
            break;
        case 'p':
            opt.port = (int)n;
            break;
        case 'f':
            opt.port_file = optarg;
            break;
        case 'C':
            opt.cert = optarg;
            break;
        case 'K':
            opt.key = optarg;
            break;
        default:
            return -1;
        }
    }
    /* the numbers of users and groups must fit RIDs and eight digits */
    if (opt.content.users > 18000000 || opt.content.groups > 9000000 || opt.content.others > 90000000)
        return -1;
    return optind == argc && !opt.cert == !opt.key ? 0 : -1;
}

int main(int argc, char **argv)
{
    if (parse_options(argc, argv) < 0) return usage();
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    content_build(&opt.content);
    if (opt.cert && open_tls() < 0) return 1;
    int listener = open_listener();
    if (listener < 0) return fail("listen");
    pthread_t thread;
    if (pthread_create(&thread, NULL, run_listener, (void *)(intptr_t)listener) != 0) return fail("thread");
    for (;;) {
        int got = 0;
        sigwait(&signals, &got);
        report();
        if (got != SIGUSR1) _exit(0);
    }
}
