#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/when.h"
#include "net/srv.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define NAME "_ldap._tcp.dc._msdcs.corp.example"

/* --- order ---------------------------------------------------------------------------------------------- */

static struct srv_record record(const char *target, uint16_t priority, uint16_t weight)
{
    struct srv_record r = {.port = 389, .priority = priority, .weight = weight};
    snprintf(r.target, sizeof r.target, "%s", target);
    return r;
}

static void test_priority(void **state)
{
    for (uint64_t seed = 0; seed < 500; seed++) {
        struct srv_record l[] = {record("d", 20, 0), record("a", 0, 100), record("e", 20, 65535),
                                 record("b", 0, 100), record("c", 10, 0)};
        srv_order(l, 5, seed);
        assert_true(l[0].priority == 0 && l[1].priority == 0 && l[2].priority == 10 && l[3].priority == 20);
        assert_string_equal(l[2].target, "c");
        for (size_t i = 0; i < 5; i++)
            for (size_t k = 0; k < i; k++) assert_string_not_equal(l[i].target, l[k].target);
    }
}

/* The first of three is drawn as their weights say: 60, 30, 10 of 100, and a 0 hardly ever. */
static void test_weight(void **state)
{
    static const char *const names[] = {"a", "b", "c", "z"};
    static const unsigned share[] = {60, 30, 10, 1};
    unsigned first[4] = {0}, n = 20000;
    for (uint64_t seed = 1; seed <= n; seed++) {
        struct srv_record l[] = {record("z", 0, 0), record("b", 0, 30), record("c", 0, 10),
                                 record("a", 0, 60)};
        srv_order(l, 4, seed);
        for (size_t i = 0; i < 4; i++) first[i] += strcmp(l[0].target, names[i]) == 0;
    }
    for (size_t i = 0; i < 4; i++) {
        unsigned want = share[i] * n / 101, off = first[i] > want ? first[i] - want : want - first[i];
        if (off > n / 100) fail_msg("%s came first %u times, not about %u", names[i], first[i], want);
    }
}

static void test_seeded(void **state)
{
    char seen[64][4];
    unsigned n_seen = 0;
    for (uint64_t seed = 0; seed < 64; seed++) {
        struct srv_record l[] = {record("a", 0, 100), record("b", 0, 100), record("c", 0, 100)},
                          m[] = {record("c", 0, 100), record("a", 0, 100), record("b", 0, 100)};
        srv_order(l, 3, seed);
        srv_order(m, 3, seed); /* whatever order the server sent them in */
        for (size_t i = 0; i < 3; i++) assert_string_equal(l[i].target, m[i].target);
        char order[4] = {l[0].target[0], l[1].target[0], l[2].target[0], 0};
        bool is_new = true;
        for (unsigned i = 0; i < n_seen; i++) is_new = is_new && strcmp(seen[i], order) != 0;
        if (is_new) memcpy(seen[n_seen++], order, sizeof order);
    }
    assert_int_equal(n_seen, 6);
    srv_order(NULL, 0, 1);
}

/* --- asking: a DNS server of our own in a child ----------------------------------------------------------
 */

enum answer { ONE, FORTY, TRUNCATED, NXDOMAIN, NODATA, NOT_OFFERED, BAD_NAMES, GARBAGE, SILENCE };

static uint8_t *put_name(uint8_t *at, const char *name)
{
    while (*name) {
        size_t n = strcspn(name, "/"); /* so that a label may hold a dot */
        *at++ = (uint8_t)n;
        memcpy(at, name, n);
        at += n;
        name += n + (name[n] == '/');
    }
    *at++ = 0;
    return at;
}

static uint8_t *put_srv(uint8_t *at, uint16_t priority, const char *target)
{
    uint8_t head[] = {0xc0, 12,  0,        33,       0, 1, 0, 0, 0, 60, 0, 0, 0, (uint8_t)priority,
                      0,    100, 389 >> 8, 389 & 255};
    memcpy(at, head, sizeof head);
    uint8_t *end = put_name(at + sizeof head, target);
    at[11] = (uint8_t)(end - at - 12);
    return end;
}

/* RFC 1035 4.1, RFC 2782. */
static size_t answer(uint8_t *m, size_t len, enum answer how, bool is_tcp)
{
    static const char *const bad[] = {"a b/corp", "-dc/corp", "/", "dc\xff/corp", "ok/corp/example"};
    size_t q = 12, n = 0;
    while (q < len && m[q]) q += m[q] + 1u;
    uint8_t *at = m + q + 5;
    bool is_cut = how == TRUNCATED && !is_tcp;
    m[2] = (uint8_t)(0x81 | (is_cut ? 2 : 0));
    m[3] = how == NXDOMAIN ? 3 : 0;
    memset(m + 6, 0, 6);
    if (how == GARBAGE) memset(m + 4, 0xff, 8);
    if (how == ONE) at = put_srv(at, 0, "dc1/corp/example"), n = 1;
    if (how == NOT_OFFERED) at = put_srv(at, 0, ""), n = 1;
    for (n = how == FORTY || (how == TRUNCATED && is_tcp) ? 0 : n;
         (how == FORTY || how == TRUNCATED) && !is_cut && n < 40; n++) {
        char target[32];
        snprintf(target, sizeof target, "dc%zu/corp/example", n);
        at = put_srv(at, (uint16_t)(40 - n), target);
    }
    for (; how == BAD_NAMES && n < n_elements(bad); n++) at = put_srv(at, 0, bad[n]);
    if (how != GARBAGE) m[7] = (uint8_t)n;
    return (size_t)(at - m);
}

static void serve(int udp, int tcp, enum answer how)
{
    uint8_t m[8192];
    struct pollfd p[] = {{udp, POLLIN, 0}, {tcp, POLLIN, 0}};
    while (poll(p, 2, -1) > 0) {
        if (p[0].revents) {
            struct sockaddr_in from;
            socklen_t len = sizeof from;
            ssize_t n = recvfrom(udp, m, 512, 0, (struct sockaddr *)&from, &len);
            size_t out = n > 16 && how != SILENCE ? answer(m, (size_t)n, how, false) : 0;
            if (out) (void)!sendto(udp, m, out, 0, (struct sockaddr *)&from, len);
        }
        if (p[1].revents) {
            int fd = accept(tcp, NULL, NULL);
            ssize_t n = recv(fd, m, 514, 0);
            size_t out = n > 18 ? answer(m + 2, (size_t)n - 2, how, true) : 0;
            m[0] = (uint8_t)(out >> 8);
            m[1] = (uint8_t)out;
            if (out) (void)!send(fd, m, out + 2, MSG_NOSIGNAL);
            close(fd);
        }
    }
}

static pid_t start(char servers[32], enum answer how)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    int udp = -1, tcp = -1;
    for (int i = 0; i < 100; i++) { /* a port that is free for both: UDP's may be in use, or have been, for TCP */
        udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        a.sin_port = 0;
        assert_int_equal(bind(udp, (struct sockaddr *)&a, sizeof a), 0);
        assert_int_equal(getsockname(udp, (struct sockaddr *)&a, &len), 0);
        if (bind(tcp, (struct sockaddr *)&a, sizeof a) == 0) break;
        close(udp);
        close(tcp);
        tcp = -1;
    }
    assert_true(tcp >= 0);
    assert_int_equal(listen(tcp, 4), 0);
    snprintf(servers, 32, "127.0.0.1:%u", ntohs(a.sin_port));
    pid_t pid = fork();
    if (pid == 0) serve(udp, tcp, how);
    close(udp);
    close(tcp);
    return pid;
}

static void test_answers(void **state)
{
    static const struct {
        enum answer how;
        int rc;
        size_t n;
        const char *first, *part;
    } cases[] = {
        {ONE, 0, 1, "dc1.corp.example", NULL},
        {FORTY, 0, 40, "dc39.corp.example", NULL},
        {TRUNCATED, 0, 40, "dc39.corp.example", NULL},
        {BAD_NAMES, 0, 1, "ok.corp.example", NULL},
        {NXDOMAIN, ERR_NOTFOUND, 0, NULL, NAME ": no such name (asked 127.0.0.1 port "},
        {NODATA, ERR_NOTFOUND, 0, NULL, NAME ": the name has no SRV records (asked 127.0.0.1 port "},
        {NOT_OFFERED, ERR_NOTFOUND, 0, NULL, NAME ": DNS says that the service is not offered there"},
        {GARBAGE, ERR_TIMEOUT, 0, NULL, NAME ": no DNS server answered (asked 127.0.0.1 port "},
        {SILENCE, ERR_TIMEOUT, 0, NULL, NAME ": no DNS server answered (asked 127.0.0.1 port "},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        static struct srv_record list[SRV_MAX];
        char servers[32];
        struct err e = {0};
        size_t n;
        pid_t pid = start(servers, cases[i].how);
        int64_t began = when_monotonic_ms();
        int rc = srv_lookup(list, SRV_MAX, &n, NAME, servers, began + 1500, &e);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        if (rc != cases[i].rc) fail_msg("case %zu: %d %s", i, rc, e.message);
        assert_true(when_monotonic_ms() - began < 2500);
        assert_int_equal(n, cases[i].n);
        if (n) assert_string_equal(list[0].target, cases[i].first);
        if (n) assert_int_equal(list[0].port, 389);
        if (cases[i].part && strncmp(e.message, cases[i].part, strlen(cases[i].part)) != 0)
            fail_msg("case %zu: %s", i, e.message);
    }
}

static void test_most(void **state)
{
    struct srv_record list[3];
    char servers[32];
    struct err e;
    size_t n;
    pid_t pid = start(servers, FORTY);
    assert_int_equal(srv_lookup(list, 3, &n, NAME, servers, when_monotonic_ms() + 1500, &e), 0);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    assert_int_equal(n, 3);
    assert_string_equal(list[0].target, "dc39.corp.example");
    assert_string_equal(list[2].target, "dc37.corp.example");
    assert_int_equal(srv_lookup(list, 3, &n, NAME, "nonsense", when_monotonic_ms() + 100, &e), ERR_INPUT);
    assert_string_equal(e.message, "dns_servers is not a list of addresses");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_priority), cmocka_unit_test(test_weight), cmocka_unit_test(test_seeded),
        cmocka_unit_test(test_answers),  cmocka_unit_test(test_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
