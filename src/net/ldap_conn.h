/* ldap_conn.h - one authenticated LDAP connection to one controller: dial, TLS, bind, asynchronous paged
 * search.
 *
 * libldap over our own non-blocking socket (recipe and traps in docs/decisions/0003-libldap-own-socket.md).
 * Blocking to its caller, every wait within a deadline, referrals never chased, values walked in place. A
 * simple bind never travels without TLS, and any bind is tried exactly once. Not for several threads.
 */
#ifndef ROLLCALL_LDAP_CONN_H
#define ROLLCALL_LDAP_CONN_H

#include "base/secret.h"
#include "net/dial.h"
#include "net/gss.h"

#include <ldap.h>

/* SEALED: no TLS; Kerberos signs and seals everything from the bind on, and no other bind is possible. */
enum ldap_security { LDAP_SEC_LDAPS, LDAP_SEC_STARTTLS, LDAP_SEC_SEALED };

struct ldap_target {
    const char *host; /* as set by the user */
    uint16_t port;
    enum ldap_security security;
    const char *verify_name; /* certificate_name, else host */
    const char *ca_path;     /* NULL: the system's */
    const char *dns_servers; /* "ADDRESS[:PORT],..."; NULL: this machine's */
    int connect_timeout_ms;  /* DNS + TCP + TLS: default 10000 */
    int answer_timeout_ms;   /* bind and each page: default 60000 */
    int64_t deadline_ms;     /* of everything, monotonic */
};

struct ldap_conn;
/* Resolves, connects, TLS verified. On ERR_TLS the certificate doctor has spoken. */
int ldap_conn_open(struct ldap_conn **out, const struct ldap_target *t, struct err *e) must_use;
void ldap_conn_close(struct ldap_conn *c);
LDAP *ldap_conn_handle(struct ldap_conn *c);
const char *ldap_conn_address(const struct ldap_conn *c); /* dialled */

/* Exactly one attempt. ERR_AUTH with AD's sub-code in words (52e 525 530 531 532 533 701 773 775) and DOM_AD
 * code; ERR_DENIED strongerAuthRequired; ERR_INPUT empty name. */
int ldap_conn_bind_simple(struct ldap_conn *c, const char *name, const struct secret *password,
                          struct err *e) must_use;

struct ldap_kerberos {
    const char *cache;   /* krb_cache_name, holding a ticket for service */
    const char *service; /* as krb_service_ticket wrote it */
    const char *who;     /* for messages */
    enum gss_mechanism mechanism;
};
/* Exactly one attempt; the server proves its name as well. Over TLS bound to the channel, else sealed from here on. ERR_AUTH,
 * ERR_DENIED: the server's policy wants another kind; ERR_PROTO. */
int ldap_conn_bind_kerberos(struct ldap_conn *c, const struct ldap_kerberos *how, struct err *e) must_use;

/* --- searching --- */
struct ldap_search {
    const char *base;
    int scope; /* LDAP_SCOPE_* */
    const char *filter;
    const char **attributes; /* NULL-terminated */
    bool sd_flags;           /* send LDAP_SERVER_SD_FLAGS_OID with 7 (owner, group, DACL) */
    bool show_deleted;
    unsigned page_size; /* 0: not paged */
};
struct ldap_stats {
    uint64_t requests, entries, bytes, references;
};
/* Calls each() for every entry, ref() for every continuation reference (never chased), in the order received.
 * The next page is asked for before the present one's entries are handed out. The search is proved complete
 * (SearchResultDone, success, empty cookie) iff it returns 0. A server that wants smaller pages gets them.
 * Limits against hostile servers (docs): entries per page, bytes per message, pages that do not advance.
 * each() borrows msg; a negative return ends the search with that error. */
int ldap_conn_search(struct ldap_conn *c, const struct ldap_search *s,
                     int (*each)(void *ctx, LDAP *ld, LDAPMessage *entry, struct err *e),
                     int (*ref)(void *ctx, const char *url, struct err *e), void *ctx,
                     struct ldap_stats *stats, struct err *e) must_use;
/* LDAP result code and diagnostic text of the server, to a class, sentence and hint. */
int ldap_conn_explain(int result, const char *diagnostic, const char *matched, struct err *e);

#endif
