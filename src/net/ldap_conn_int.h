/* ldap_conn_int.h - what ldap_conn.c, ldap_wire.c and ldap_search.c share; nobody else includes it.
 */
#ifndef ROLLCALL_LDAP_CONN_INT_H
#define ROLLCALL_LDAP_CONN_INT_H

#include "base/cursor.h"
#include "base/file.h"
#include "net/gss.h"
#include "net/ldap_conn.h"

#define LDAP_CONN_MESSAGE_MAX ((size_t)64 << 20) /* of one LDAP message; a longer one ends the connection */
#define WIRE_AHEAD            ((size_t)128 << 10)
#define GUARD_AHEAD           ((size_t)32 << 10)
#define GUARD_ABANDONED       32

/* The lowest layer under libldap: the socket. */
struct wire {
    int fd;
    int error;        /* errno that ended it, 0 */
    bool is_closed;   /* the peer said end of file */
    int64_t until_ms; /* reading fails after it; 0: no limit */
    bool reads_ahead; /* only after the handshake: nothing read before it may be taken for TLS */
    uint64_t received, n_reads;
    size_t at, filled;
    uint8_t ahead[WIRE_AHEAD];
};

/* The topmost layer, above TLS: lets whole, plausible LDAP messages pass and nothing else. */
struct guard {
    struct err why; /* class 0: nothing wrong so far */
    bool is_closed; /* the end of the stream was seen here: TLS close_notify comes before the end of file */
    size_t left;    /* bytes of the present message that libldap has not had yet */
    unsigned n_unsolicited;
    uint32_t awaited;                    /* messageID of the one request under way, 0 none */
    uint32_t abandoned[GUARD_ABANDONED]; /* whose late answers are no offence; a ring */
    size_t n_abandoned;
    size_t at, filled;
    uint8_t ahead[GUARD_AHEAD];
};

/* Between the two where there is no TLS: what Kerberos signs and seals. */
struct seal {
    struct gss *gss;
    struct err why; /* class 0: nothing wrong so far */
    int fd, timeout_ms;
    size_t limit; /* plain text that the server takes at once */
    struct buf in, clear, out; /* received and still sealed; unsealed; on its way */
    size_t in_at, clear_at;
};

struct ldap_conn {
    LDAP *ld;
    int fd; /* libldap's once ld is set */
    char *host, *name;
    struct dial_address address;
    int answer_timeout_ms;
    int64_t deadline_ms;
    struct {
        uint64_t n_reads;
        int64_t until_ms;
        int ms;
    } limit; /* of the last wait; the same again while nothing was read from the socket */
    bool is_encrypted, is_pinned;
    struct buf pin_pem;
    uint64_t reported; /* of wire.received, already counted in somebody's stats */
    struct wire wire;
    struct guard guard;
    struct seal seal;
};

/* Puts both layers under c->ld. */
int wire_install(struct ldap_conn *c, struct err *e) must_use;
/* From now on everything is sealed; takes g. ERR_PROTO: something was received already. */
int seal_install(struct ldap_conn *c, struct gss *g, struct err *e) must_use;
void seal_fini(struct seal *s);
/* After sending a request and after its last answer (0): no other messages are let in. */
void conn_await(struct ldap_conn *c, int msgid);
void conn_abandon(struct ldap_conn *c, int msgid);
/* The type of the next message of msgid (> 0), to be freed by the caller; or an error within c's answer time,
 * until_ms and c's deadline. */
int conn_wait(struct ldap_conn *c, int msgid, int64_t until_ms, LDAPMessage **out, struct err *e) must_use;
/* One bind request and its answer, a bind response to be freed by the caller. */
int conn_bind(struct ldap_conn *c, const char *name, const char *mechanism, struct berval *cred, LDAPMessage **out, struct err *e) must_use;
/* Why libldap returned an error that is not the server's. */
int conn_lost(struct ldap_conn *c, int ldap_error, struct err *e);
/* A server's text for a message: no control characters, valid UTF-8, cut to size. Returns out. */
char *server_text(char *out, size_t size, struct str text);

#endif
