/* graph_session.h - one job against one tenant: what is asked, what has come in, what is missing.
 *
 * Everything is put aside while it comes in (graph_join.h, graph_holders.h), many collections at once, and sent when it is whole: roles,
 * units and groups before those who are their members. A collection that is refused is a gap and the rest goes on; one that breaks for
 * good ends the job, and nothing that it said counts.
 */
#ifndef ROLLCALL_GRAPH_SESSION_H
#define ROLLCALL_GRAPH_SESSION_H

#include "source/graph/graph_fields.h"
#include "source/graph/graph_holders.h"
#include "source/graph/graph_join.h"
#include "source/graph/graph_pages.h"
#include "source/source.h"

/* How a kind is read. */
enum graph_plan { GRAPH_SKIP, GRAPH_LIST, GRAPH_IDS };

/* What graph_join.h calls facets, of users. */
enum graph_facet { GRAPH_FACET_DETAILS, GRAPH_FACET_METHODS, GRAPH_FACET_SIGN_IN, GRAPH_FACET_PARTS /* of a field list in parts: this and the next ones */ };

/* Ids to be read again: 16 bytes and what is known of each. */
struct graph_ids {
    struct hmap at; /* guid -> place in list */
    struct graph_id {
        uint8_t guid[GUID_SIZE];
        bool is_removed; /* the delta says so */
        bool is_found;
    } *list;
    size_t n, cap;
};

/* How complete a kind is. */
struct graph_tally {
    bool is_refused;        /* the collection as a whole */
    bool has_loss;
    int64_t count;          /* as the service counts; -1: not told */
    uint64_t received;
    unsigned parts;         /* facets that everybody has, if the field list came in parts; bits */
    uint64_t n_halved;      /* who has not all of them */
};

/* What a question under way hangs on, the first member of it: freed at the end of the session if the job breaks off before. */
struct graph_owned {
    struct graph_owned *next, **at;
    void (*drop)(struct graph_owned *o);
};

struct graph_role_data; /* graph_roles.c */
struct graph_mfa_data;  /* graph_mfa.c */

struct graph_session {
    const struct job *job;
    struct emit *m;
    struct graph_settings set;
    struct graph_client *client;
    kind_set kinds;
    enum graph_plan plan[KIND_COUNT];
    struct graph_ids ids[KIND_COUNT];
    struct graph_tally tally[KIND_COUNT];
    struct graph_join *entities[KIND_COUNT]; /* user, service_principal, device, contact */
    struct holders groups, units;
    struct graph_body body; /* scratch */
    struct graph_role_data *roles;
    struct graph_mfa_data *mfa;
    json_t *organization, *domains; /* what the tenant says of itself; NULL: not readable */
    char tenant_id[GUID_TEXT];
    char domain[256], tenant_name[256];
    struct buf without[KIND_COUNT]; /* properties that a kind has not in this cloud, separated by spaces */
    json_t *links;           /* delta links by the name of a kind: for the next watermark */
    unsigned n_open;         /* collections under way */
    unsigned n_beside;       /* and those that nothing waits for: the reports */
    struct graph_owned *owned;
    bool has_begun;
    struct buf gaps;         /* told before BEGIN: gap_encode one after the other, each an lstr */
    uint64_t n_wrong;        /* values of the wrong type, left out */
    char first_wrong[200];
    unsigned n_restarts;
};

/* Settings, token, what the tenant is. Close it in any case. */
int graph_session_open(struct graph_session *out, const struct job *j, struct emit *m, struct err *e) must_use;
void graph_session_close(struct graph_session *s);

void graph_session_own(struct graph_session *s, struct graph_owned *o, void (*drop)(struct graph_owned *o));
void graph_session_disown(struct graph_owned *o);

/* Told at once, or after BEGIN. where and fix may be NULL. A loss makes its kind incomplete. */
int graph_session_gap(struct graph_session *s, enum kind k, enum gap_severity severity, const char *what, const char *where, const char *fix,
                      struct err *e) must_use;
int graph_session_begin(struct graph_session *s, const char *mode, const char *reason, struct err *e) must_use;
/* Until every collection that was started is over, the reports too or not. */
int graph_session_wait(struct graph_session *s, bool also_beside, struct err *e) must_use;
int graph_session_progress(struct graph_session *s, enum kind k, struct err *e) must_use;
int graph_session_end(struct graph_session *s, struct err *e) must_use;

/* Organization and domains (graph_tenant.c). */
int graph_tenant_read(struct graph_session *s, struct err *e) must_use;
int graph_tenant_emit(struct graph_session *s, struct err *e) must_use;
/* "AAD_PREMIUM", "AAD_PREMIUM_P2": is the service plan enabled? -1 unknown. */
int graph_tenant_has_plan(const struct graph_session *s, const char *name);

/* Where a kind is, and what lets it be read. */
struct graph_place {
    const char *path;        /* "/users" */
    const char *what;        /* "users" */
    const char *permissions; /* any of them, separated by spaces; least first */
    const char *permissions_text; /* for people */
};
const struct graph_place *graph_place(enum kind k); /* NULL: Entra ID has no such kind */

/* A kind's collection, started; it goes to entities, groups or units (graph_list.c). filter: NULL, or an OData filter (URL-encoded). */
int graph_list_start(struct graph_session *s, enum kind k, const char *filter, struct err *e) must_use;
/* The ids of s->ids[k], each read as it is now; missing: only those that did not come the first time. */
int graph_list_ids(struct graph_session *s, enum kind k, bool missing, struct err *e) must_use;
/* How many there are now; -1: the service does not count them; -2: it says that it does, and no number. */
int graph_list_count(struct graph_session *s, enum kind k, int64_t *out, struct err *e) must_use;
/* Does the cloud say that it lacks a property? Then the kind is asked without it from now on, and a gap tells it. */
bool graph_list_learn(struct graph_session *s, enum kind k, const struct graph_failure *f, struct err *e);
/* After all of it: fewer than counted? */
int graph_list_verify(struct graph_session *s, enum kind k, struct err *e) must_use;
bool graph_ids_add(struct graph_ids *ids, const uint8_t guid[GUID_SIZE], bool is_removed); /* true: new */
void graph_ids_free(struct graph_ids *ids);

/* Members and owners of all groups, members of all units (graph_members.c). */
int graph_members_read(struct graph_session *s, struct err *e) must_use;

/* Definitions, assignments, eligibilities (graph_roles.c). */
int graph_roles_start(struct graph_session *s, struct err *e) must_use;
int graph_roles_emit(struct graph_session *s, struct err *e) must_use;
void graph_roles_free(struct graph_session *s);

/* The registration report, sign-ins, methods user by user (graph_mfa.c). reports: read them in this run; else what is known stays. */
int graph_mfa_start(struct graph_session *s, bool reports, const char *methods_after, struct err *e) must_use;
/* The users are there: methods are asked for now, or as soon as the report is over. */
int graph_mfa_methods(struct graph_session *s, struct err *e) must_use;
unsigned graph_mfa_keep(const struct graph_session *s, unsigned facets); /* record flags of a user with these facets */
const char *graph_mfa_methods_after(const struct graph_session *s); /* where the next run goes on; "" from the beginning */
bool graph_mfa_were_read(const struct graph_session *s);
int graph_mfa_tell(struct graph_session *s, struct err *e) must_use; /* the gaps */
void graph_mfa_free(struct graph_session *s);

#endif
