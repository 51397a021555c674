#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/when.h"
#include "net/dial.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static int64_t in_ms(int ms)
{
    return when_monotonic_ms() + ms;
}

static int bound_socket(int type, uint16_t *port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    *port = ntohs(a.sin_port);
    return fd;
}

/* --- literals ------------------------------------------------------------------------------------------- */

static void test_literals(void **state)
{
    static const struct {
        const char *host, *text;
    } good[] = {{"192.0.2.1", "192.0.2.1"},
                {"::1", "::1"},
                {"[::1]", "::1"},
                {"2001:DB8:0::1", "2001:db8::1"},
                {"::ffff:192.0.2.1", "::ffff:192.0.2.1"},
                {"fe80::1%lo", "fe80::1%lo"}};
    static const char *const names[] = {"dc1",
                                        "dc1.corp.example",
                                        "127.1",
                                        "0x7f.0.0.1",
                                        "2130706433",
                                        "192.0.2.256",
                                        "[192.0.2.1]",
                                        "[::1",
                                        "::1]",
                                        "[]",
                                        "::g",
                                        "",
                                        "fe80::1%nosuchinterface0",
                                        "01.2.3.4",
                                        "1.2.3.4.",
                                        " 1.2.3.4"};
    for (size_t i = 0; i < n_elements(good); i++) {
        struct dial_addresses a;
        struct err e;
        assert_true(host_is_literal(good[i].host));
        assert_int_equal(dial_resolve(&a, good[i].host, in_ms(0), &e), 0);
        assert_int_equal(a.n, 1);
        assert_string_equal(a.list[0].text, good[i].text);
    }
    for (size_t i = 0; i < n_elements(names); i++)
        if (host_is_literal(names[i])) fail_msg("%s is taken for an address", names[i]);
}

static void test_localhost(void **state)
{
    static const char *const names[] = {"localhost", "LocalHost", "localhost.", "dc1.localhost"};
    setenv("ROLLCALL_RESOLVERS", "127.0.0.1:9", 1); /* would fail if asked */
    for (size_t i = 0; i < n_elements(names); i++) {
        struct dial_addresses a;
        struct err e;
        assert_int_equal(dial_resolve(&a, names[i], in_ms(0), &e), 0);
        assert_int_equal(a.n, 2);
        assert_string_equal(a.list[0].text, "127.0.0.1");
        assert_string_equal(a.list[1].text, "::1");
    }
    unsetenv("ROLLCALL_RESOLVERS");
}

/* --- names: a DNS server of our own in a child ---------------------------------------------------------- */

enum answer {
    ANSWER_A,
    ANSWER_MANY,
    ANSWER_NXDOMAIN,
    ANSWER_NODATA,
    ANSWER_SERVFAIL,
    ANSWER_REFUSED,
    ANSWER_SILENCE,
    ANSWER_GARBAGE,
    ANSWER_A_ONLY_V6_SILENT
};

/* One answer to one question; the length, 0: none. RFC 1035 4.1. */
static size_t dns_answer(uint8_t *m, size_t len, enum answer how)
{
    static const uint8_t rcodes[] = {
        [ANSWER_NXDOMAIN] = 3, [ANSWER_SERVFAIL] = 2, [ANSWER_REFUSED] = 5, [ANSWER_A_ONLY_V6_SILENT] = 0};
    size_t at = 12;
    while (at < len && m[at]) at += m[at] + 1u;
    bool is_v6 = m[at + 2] == 28;
    at += 5; /* root label, type, class */
    m[2] |= 0x80;
    m[3] = (uint8_t)(0x80 | (how < n_elements(rcodes) ? rcodes[how] : 0));
    m[10] = m[11] = 0; /* no additional records */
    if (how == ANSWER_SILENCE || (how == ANSWER_A_ONLY_V6_SILENT && is_v6)) return 0;
    if (how == ANSWER_GARBAGE) {
        memset(m + 4, 0xff, 8);
        return at;
    }
    unsigned n = how == ANSWER_MANY ? 17 : how == ANSWER_A || how == ANSWER_A_ONLY_V6_SILENT ? 1 : 0;
    if (is_v6 && how != ANSWER_A) n = 0;
    m[7] = (uint8_t)n;
    for (unsigned i = 0; i < n; i++) {
        uint8_t record[] = {0xc0, 12, 0, (uint8_t)(is_v6 ? 28 : 1), 0, 1, 0, 0,
                            0,    60, 0, (uint8_t)(is_v6 ? 16 : 4)};
        uint8_t v4[4] = {192, 0, 2, (uint8_t)(i + 1)}, v6[16] = {0x20, 1, 0xd, 0xb8, [15] = (uint8_t)(i + 1)};
        memcpy(m + at, record, sizeof record);
        memcpy(m + at + sizeof record, is_v6 ? v6 : v4, is_v6 ? 16 : 4);
        at += sizeof record + (is_v6 ? 16u : 4u);
    }
    return at;
}

static pid_t start_dns(enum answer how)
{
    uint16_t port;
    char text[32];
    int fd = bound_socket(SOCK_DGRAM, &port);
    pid_t pid = fork();
    while (pid == 0) {
        uint8_t m[2048];
        struct sockaddr_in from;
        socklen_t len = sizeof from;
        ssize_t n = recvfrom(fd, m, 512, 0, (struct sockaddr *)&from, &len);
        size_t out = n > 16 ? dns_answer(m, (size_t)n, how) : 0;
        if (out) (void)!sendto(fd, m, out, 0, (struct sockaddr *)&from, len);
    }
    close(fd);
    snprintf(text, sizeof text, "127.0.0.1:%u", port);
    setenv("ROLLCALL_RESOLVERS", text, 1);
    return pid;
}

static void stop(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    unsetenv("ROLLCALL_RESOLVERS");
}

static void test_names(void **state)
{
    static const struct {
        enum answer how;
        int rc;
        size_t n;
        const char *part;
    } cases[] = {
        {ANSWER_A, 0, 2, NULL},
        {ANSWER_MANY, 0, DIAL_MAX_ADDRESSES, NULL},
        {ANSWER_NXDOMAIN, ERR_NOTFOUND, 0, "dc1.corp.example: no such name (asked 127.0.0.1 port "},
        {ANSWER_NODATA, ERR_NOTFOUND, 0, "dc1.corp.example: the name has no address (asked 127.0.0.1 port "},
        {ANSWER_SERVFAIL, ERR_NET, 0, "dc1.corp.example: the DNS server failed"},
        {ANSWER_REFUSED, ERR_NET, 0, "dc1.corp.example: the DNS server failed"},
        {ANSWER_GARBAGE, ERR_TIMEOUT, 0, "dc1.corp.example: no DNS server answered (asked 127.0.0.1 port "},
        {ANSWER_SILENCE, ERR_TIMEOUT, 0, "dc1.corp.example: no DNS server answered (asked 127.0.0.1 port "},
        {ANSWER_A_ONLY_V6_SILENT, 0, 1, NULL},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct dial_addresses a;
        struct err e = {0};
        pid_t dns = start_dns(cases[i].how);
        int64_t start = when_monotonic_ms();
        int rc = dial_resolve(&a, "dc1.corp.example", in_ms(2500), &e);
        int64_t took = when_monotonic_ms() - start;
        stop(dns);
        if (rc != cases[i].rc) fail_msg("case %zu: %d %s", i, rc, e.message);
        assert_int_equal(a.n, cases[i].n);
        assert_true(took < 8000);
        if (cases[i].part && strncmp(e.message, cases[i].part, strlen(cases[i].part)) != 0)
            fail_msg("case %zu: %s", i, e.message);
    }
}

static void test_name_text(void **state)
{
    struct dial_addresses a;
    struct err e;
    pid_t dns = start_dns(ANSWER_A);
    assert_int_equal(dial_resolve(&a, "dc1.corp.example", in_ms(5000), &e), 0);
    stop(dns);
    bool has_v4 = false, has_v6 = false;
    for (size_t i = 0; i < a.n; i++) {
        has_v4 = has_v4 || strcmp(a.list[i].text, "192.0.2.1") == 0;
        has_v6 = has_v6 || strcmp(a.list[i].text, "2001:db8::1") == 0;
    }
    assert_true(has_v4 && has_v6);
}

static void test_resolver_faults(void **state)
{
    struct dial_addresses a;
    struct err e;
    uint16_t port;
    char text[32];
    close(bound_socket(SOCK_DGRAM, &port)); /* nobody there: ICMP refuses */
    snprintf(text, sizeof text, "127.0.0.1:%u", port);
    setenv("ROLLCALL_RESOLVERS", text, 1);
    assert_int_equal(dial_resolve(&a, "dc1.corp.example", in_ms(5000), &e), ERR_NET);
    setenv("ROLLCALL_RESOLVERS", "nonsense", 1);
    assert_int_equal(dial_resolve(&a, "dc1.corp.example", in_ms(5000), &e), ERR_INPUT);
    assert_string_equal(e.message, "ROLLCALL_RESOLVERS is not a list of addresses");
    unsetenv("ROLLCALL_RESOLVERS");
    assert_int_equal(dial_resolve(&a, "dc1.corp.example", in_ms(0), &e), ERR_TIMEOUT);
    assert_int_equal(dial_resolve(&a, "", in_ms(1000), &e), ERR_INPUT);
}

/* --- connecting ----------------------------------------------------------------------------------------- */

static void addresses(struct dial_addresses *out, const char *const *texts, size_t n)
{
    struct err e;
    *out = (struct dial_addresses){0};
    for (size_t i = 0; i < n; i++) {
        struct dial_addresses one;
        assert_int_equal(dial_resolve(&one, texts[i], in_ms(0), &e), 0);
        out->list[out->n++] = one.list[0];
    }
}

static void test_connect(void **state)
{
    static const char *const texts[] = {"127.0.0.2", "127.0.0.1"};
    struct dial_addresses to;
    struct err e;
    uint16_t port;
    const struct dial_address *used;
    int fd, on = 0, listener = bound_socket(SOCK_STREAM, &port); /* bound to 127.0.0.1 only: .2 refuses */
    socklen_t len = sizeof on;
    assert_int_equal(listen(listener, 4), 0);
    addresses(&to, texts, 2);
    assert_int_equal(dial_connect(&fd, &to, port, in_ms(5000), &used, &e), 0);
    assert_ptr_equal(used, &to.list[1]);
    assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, &len), 0);
    assert_true(on);
    assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, &len), 0);
    assert_true(on);
    close(fd);
    assert_int_equal(dial_connect(&fd, &to, port, in_ms(5000), NULL, &e), 0);
    close(fd);
    close(listener);
}

static void test_refused(void **state)
{
    static const char *const texts[] = {"127.0.0.1", "127.0.0.2"};
    char want[128];
    struct dial_addresses to;
    struct err e;
    uint16_t port;
    int fd, holder = bound_socket(SOCK_STREAM, &port); /* bound, not listening */
    addresses(&to, texts, 2);
    assert_int_equal(dial_connect(&fd, &to, port, in_ms(5000), NULL, &e), ERR_NET);
    snprintf(want, sizeof want, "port %u: 127.0.0.1: refused; 127.0.0.2: refused", port);
    assert_string_equal(e.message, want);
    assert_int_equal(e.domain, DOM_ERRNO);
    assert_int_equal(e.code, ECONNREFUSED);
    assert_int_equal(fd, -1);
    close(holder);
}

/* A listener whose queue is full lets connections wait: as a firewall that drops packets does. */
static void test_timeout(void **state)
{
    static const char *const texts[] = {"127.0.0.1", "127.0.0.1"};
    char want[128];
    struct dial_addresses to;
    struct err e;
    uint16_t port;
    int fd, waiting[4], listener = bound_socket(SOCK_STREAM, &port);
    struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port)};
    assert_int_equal(listen(listener, 0), 0);
    for (size_t i = 0; i < n_elements(waiting); i++) {
        waiting[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)!connect(waiting[i], (struct sockaddr *)&a, sizeof a);
    }
    poll(NULL, 0, 50);
    addresses(&to, texts, 2);
    int64_t start = when_monotonic_ms();
    assert_int_equal(dial_connect(&fd, &to, port, in_ms(600), NULL, &e), ERR_TIMEOUT);
    int64_t took = when_monotonic_ms() - start;
    assert_true(took >= 550 && took < 3000);
    snprintf(want, sizeof want, "port %u: 127.0.0.1: no answer; 127.0.0.1: no answer", port);
    assert_string_equal(e.message, want);
    for (size_t i = 0; i < n_elements(waiting); i++) close(waiting[i]);
    close(listener);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_literals),        cmocka_unit_test(test_localhost),
        cmocka_unit_test(test_names),           cmocka_unit_test(test_name_text),
        cmocka_unit_test(test_resolver_faults), cmocka_unit_test(test_connect),
        cmocka_unit_test(test_refused),         cmocka_unit_test(test_timeout),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
