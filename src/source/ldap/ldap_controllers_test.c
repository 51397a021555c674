#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/when.h"
#include "source/ldap/ldap_controllers.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define COMMON                                                                                               \
    "\"domain\": \"corp.example\", \"host\": \"DC1.corp.example\", \"username\": \"reader\", "               \
    "\"ca_certificate\": \"/ca.pem\""

static json_t *settings(struct ldap_settings *out, const char *more)
{
    char text[1024];
    struct err e;
    snprintf(text, sizeof text, "{" COMMON "%s%s}", *more ? ", " : "", more);
    json_t *j = json_loads(text, 0, NULL);
    assert_non_null(j);
    if (ldap_settings_read(out, j, &e) < 0) fail_msg("%s", e.message);
    return j;
}

static void test_order(void **state)
{
    static const struct {
        const char *more;
        const char *want; /* host:port, in order */
    } cases[] = {
        {"", "DC1.corp.example:636"},
        {"\"port\": 10636", "DC1.corp.example:10636"},
        {"\"security\": \"starttls\", \"failover_hosts\": [\"dc2\"]", "DC1.corp.example:389 dc2:389"},
        {"\"failover_hosts\": [\"dc2\", \"dc3:10636\", \"192.0.2.1\", \"[2001:db8::1]:637\", "
         "\"2001:db8::2\"]",
         "DC1.corp.example:636 dc2:636 dc3:10636 192.0.2.1:636 2001:db8::1:637 2001:db8::2:636"},
        /* no double: case and a final dot make no other name */
        {"\"failover_hosts\": [\"dc1.CORP.example\", \"dc2\", \"DC2\", \"dc2.\", \"dc2:636\"]",
         "DC1.corp.example:636 dc2:636"},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct ldap_settings s;
        struct ldap_controllers *c = x_alloc(sizeof *c);
        char got[512] = "";
        json_t *j = settings(&s, cases[i].more);
        ldap_controllers_init(c, &s);
        for (size_t k = 0; k < c->n; k++) {
            char one[300];
            snprintf(one, sizeof one, "%s%s:%u", k ? " " : "", c->list[k].host, c->list[k].port);
            strncat(got, one, sizeof got - strlen(got) - 1);
            assert_int_equal(c->list[k].origin, k ? CONTROLLER_FAILOVER : CONTROLLER_HOST);
        }
        assert_string_equal(got, cases[i].want);
        json_decref(j);
        free(c);
    }
}

static void test_limit(void **state)
{
    struct ldap_settings s;
    struct ldap_controllers *c = x_alloc(sizeof *c);
    json_t *j = settings(&s, ""), *hosts = json_array();
    for (int i = 0; i < 300; i++) {
        char name[32];
        snprintf(name, sizeof name, "dc%d", i);
        json_array_append_new(hosts, json_string(name));
    }
    s.failover_hosts = hosts;
    ldap_controllers_init(c, &s);
    assert_int_equal(c->n, CONTROLLERS_MAX);
    json_decref(hosts);
    json_decref(j);
    free(c);
}

/* --- discovery: a DNS server of our own in a child -------------------------------------------------------
 */

/* One SRV record (priority, weight, port 389) with a target of labels separated by '/'. */
static size_t srv_record(uint8_t *at, uint8_t priority, const char *target)
{
    uint8_t head[] = {0xc0, 12, 0, 33, 0, 1, 0, 0, 0, 60, 0, 0, 0, priority, 0, 100, 1, 133};
    size_t w = sizeof head;
    memcpy(at, head, sizeof head);
    while (*target) {
        size_t n = strcspn(target, "/");
        at[w++] = (uint8_t)n;
        memcpy(at + w, target, n);
        w += n;
        target += n + (target[n] == '/');
    }
    at[w++] = 0;
    at[11] = (uint8_t)(w - 12);
    return w;
}

static pid_t start_dns(char servers[40], const char *const *targets, uint8_t n)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    snprintf(servers, 40, "127.0.0.1:%u", ntohs(a.sin_port));
    pid_t pid = fork();
    while (pid == 0) {
        uint8_t m[2048];
        struct sockaddr_in from;
        len = sizeof from;
        ssize_t got = recvfrom(fd, m, 512, 0, (struct sockaddr *)&from, &len);
        if (got < 17) continue;
        size_t w = 12;
        while (m[w]) w += m[w] + 1u;
        w += 5;
        m[2] = 0x81;
        m[3] = 0x80;
        memset(m + 6, 0, 6);
        m[7] = n;
        for (uint8_t i = 0; i < n; i++) w += srv_record(m + w, i, targets[i]);
        (void)!sendto(fd, m, w, 0, (struct sockaddr *)&from, len);
    }
    close(fd);
    return pid;
}

static void test_discovery(void **state)
{
    static const char *const targets[] = {"dc3/corp/example", "dc1/CORP/example", "dc2/corp/example",
                                          "evil/example",     "notcorp/example",  "dc4/corp/example",
                                          "dc/emea/example"};
    char servers[40], more[400];
    struct ldap_settings s;
    struct err e;
    struct ldap_controllers *c = x_alloc(sizeof *c);
    pid_t pid = start_dns(servers, targets, n_elements(targets));
    snprintf(
        more, sizeof more,
        "\"failover_hosts\": [\"dc2.corp.example\"], \"dc_discovery\": true, \"certificate_name\": \"lb\", "
        "\"dns_servers\": [\"%s\"]",
        servers);
    json_t *j = settings(&s, more);
    ldap_controllers_init(c, &s);
    assert_int_equal(c->n, 2);
    if (ldap_controllers_discover(c, &s, when_monotonic_ms() + 3000, &e) < 0) fail_msg("%s", e.message);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    static const char *const want[] = {"DC1.corp.example", "dc2.corp.example", "dc3.corp.example",
                                       "dc4.corp.example"};
    assert_int_equal(c->n, n_elements(want));
    for (size_t i = 0; i < c->n; i++) {
        struct ldap_target t = ldap_controllers_target(c, i, &s, 0);
        assert_string_equal(c->list[i].host, want[i]);
        assert_int_equal(t.port, 636); /* not the record's 389 */
        assert_string_equal(t.ca_path, "/ca.pem");
        assert_string_equal(t.dns_servers, servers);
        /* each proves its own name, unless the settings name another for those that they name */
        if (i < 2)
            assert_string_equal(t.verify_name, "lb");
        else
            assert_null(t.verify_name);
    }
    assert_int_equal(c->n_outside, 3);
    assert_string_equal(c->outside, "evil.example");
    json_decref(j);
    free(c);
}

static void test_no_discovery(void **state)
{
    struct ldap_settings s;
    struct err e;
    struct ldap_controllers *c = x_alloc(sizeof *c);
    json_t *j = settings(&s, "\"dns_servers\": [\"127.0.0.1:1\"]");
    ldap_controllers_init(c, &s);
    assert_int_equal(ldap_controllers_discover(c, &s, when_monotonic_ms() + 1000, &e),
                     0); /* off: not asked */
    json_decref(j);
    j = settings(&s, "\"dc_discovery\": true, \"dc_discovery_domain\": \"emea.example\", \"dns_servers\": "
                     "[\"127.0.0.1:1\", \"2001:db8::1\"]");
    assert_string_equal(s.dns_servers, "127.0.0.1:1,[2001:db8::1]");
    snprintf(s.dns_servers, sizeof s.dns_servers, "127.0.0.1:1");
    assert_true(ldap_controllers_discover(c, &s, when_monotonic_ms() + 1000, &e) < 0);
    assert_non_null(strstr(e.message, "dc_discovery: _ldap._tcp.dc._msdcs.emea.example: "));
    assert_int_equal(c->n, 1);
    json_decref(j);
    free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_discovery),
        cmocka_unit_test(test_no_discovery),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
