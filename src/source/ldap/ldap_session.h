/* ldap_session.h - one job's authenticated connection to one controller at a time, what is known of both, and the way to the
 * next controller when this one is lost.
 *
 *     rc = work(s, e);
 *     while (rc < 0 && ldap_session_recover(s, e) == 0) rc = work(s, e); // from its beginning
 *     if (rc == 0) ldap_session_proved(s);
 *
 * No cookie, plan or borrowed fact may cross a recover: s->conn and s->facts are of another connection then, mostly of
 * another controller. A refused credential is final everywhere: trying it on the next controller is how accounts get
 * locked out.
 */
#ifndef ROLLCALL_LDAP_SESSION_H
#define ROLLCALL_LDAP_SESSION_H

#include "base/hash.h"
#include "source/ldap/ldap_controllers.h"
#include "source/ldap/ldap_facts.h"

struct ldap_logons; /* ldap_logons.h */

struct ldap_session {
    const struct job *job;
    struct emit *m;
    struct ldap_settings set;
    struct ldap_conn *conn;  /* NULL: none */
    struct ldap_facts facts; /* of the controller that serves */
    struct ldap_stats stats;
    struct hmap references; /* distinct continuation references, which are not followed */
    char reference[256];    /* the first one */
    struct ldap_controllers controllers;
    size_t serving;        /* in controllers.list */
    bool is_bound;         /* conn */
    struct krb *krb;       /* tickets (ldap_bind.h), kept over takeovers; NULL: none */
    bool is_krb_shared;    /* krb is another session's */
    char service[512];     /* the Kerberos name of the controller that serves */
    bool is_lost;          /* no controller is left: the error names them all */
    unsigned n_takeovers;  /* connections after the first, to the same controller or another */
    unsigned n_controllers; /* that have served */
    char servers[256];     /* their names, in the order in which they served */
    uint8_t sid[SID_MAX];  /* of the domain, as the first controller had it */
    size_t sid_len;
    bool is_discovered;    /* DNS has answered */
    struct err discovery;  /* why it has not; class 0: not asked, or it has */
    bool has_begun;        /* BEGIN has left: gaps may follow */
    struct buf pending;    /* gaps told before that: lstr what, where, fix */
    struct ldap_logons *logons; /* last logons of the other controllers; NULL: of this one only */
};

/* settings, then the first controller that can be used: connection, root DSE, the right domain, bind (once), domain facts,
 * base_dn exists. Those that were passed over are told as gaps. Close it in any case. */
int ldap_session_open(struct ldap_session *out, const struct job *j, struct emit *m, struct err *e) must_use;
void ldap_session_close(struct ldap_session *s);

/* e: why the work under way has failed. 0: there is a new connection (the same controller once more, else the next ones in
 * order), told as a gap, and the work may start over. Negative: e was final, or no controller is left; e says all. A
 * controller is tried at most twice for one piece of work. May emit: never call it between a RECORD and its MEMBERS. */
int ldap_session_recover(struct ldap_session *s, struct err *e) must_use;
/* A piece of work is done: what failed during it no longer counts. */
void ldap_session_proved(struct ldap_session *s);

/* After BEGIN: the gaps that had to wait for it. */
int ldap_session_begun(struct ldap_session *s, struct err *e) must_use;
/* An info gap of no kind: at once, or when ldap_session_begun is called. fix may be NULL. */
int ldap_session_tell(struct ldap_session *s, const char *what, const char *where, const char *fix,
                      struct err *e) must_use;
/* A second session of the same job, on controller number i of `like`; nothing is told, nothing taken over. Close it in any
 * case. */
int ldap_session_open_at(struct ldap_session *out, const struct ldap_session *like, size_t i,
                         struct err *e) must_use;

/* DNS is asked for further controllers, if the settings say so and it has not answered yet. That it fails is told as a gap (and in
 * s->discovery), no error. */
int ldap_session_discover(struct ldap_session *s, struct err *e) must_use;

/* The present controller, as the settings or DNS name it. */
const char *ldap_session_host(const struct ldap_session *s);
/* The target of the settings' host. */
struct ldap_target ldap_session_target(const struct ldap_session *s);
/* ERR_INPUT: not below the naming context; ERR_NOTFOUND: no such object. 0 if no base_dn is set. */
int ldap_session_check_base(struct ldap_session *s, struct err *e) must_use;
/* true if dn is base or lies below it; both as a server wrote them. */
bool ldap_dn_is_below(const char *dn, const char *base);
/* For ldap_conn_search; ctx is the session. */
int ldap_session_reference(void *ctx, const char *url, struct err *e);

#endif
