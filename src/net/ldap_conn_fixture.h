/* ldap_conn_fixture.h - for tests: a connection whose server is the other end of a socket pair, written to by the test.
 */
#ifndef ROLLCALL_LDAP_CONN_FIXTURE_H
#define ROLLCALL_LDAP_CONN_FIXTURE_H

#include "base/when.h"
#include "net/ldap_conn_int.h"

#include <stdlib.h>
#include <sys/socket.h>

/* Without TLS, 200 ms for an answer. *server is the caller's; ldap_conn_close closes ours. */
static inline struct ldap_conn *conn_to_script(int *server)
{
    int pair[2], three = LDAP_VERSION3;
    struct err e;
    struct ldap_conn *c = calloc(1, sizeof *c);
    setenv("LDAPNOINIT", "1", 1);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    *server = pair[1];
    c->fd = pair[0];
    c->host = x_strdup(STR("script"));
    c->name = x_strdup(STR("script"));
    c->pin_pem = buf_new(16);
    c->answer_timeout_ms = 200;
    c->deadline_ms = when_monotonic_ms() + 10000;
    assert_int_equal(ldap_init_fd(pair[0], LDAP_PROTO_TCP, "ldap://script", &c->ld), LDAP_SUCCESS);
    ldap_set_option(c->ld, LDAP_OPT_PROTOCOL_VERSION, &three);
    ldap_set_option(c->ld, LDAP_OPT_REFERRALS, LDAP_OPT_OFF);
    ldap_set_option(c->ld, LDAP_OPT_CONNECT_ASYNC, LDAP_OPT_ON);
    ldap_set_option(c->ld, LDAP_OPT_KEEPCONN, LDAP_OPT_ON);
    assert_int_equal(wire_install(c, &e), 0);
    return c;
}

#endif
