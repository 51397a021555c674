/* identity.h - one person, two directories: which Entra ID object is which Active Directory object.
 *
 * The edges are worked out from the store's visible snapshots when somebody asks; nothing is kept.
 *
 * Rules, strongest first. A pair is one edge, told with its strongest rule:
 *   sid               100  onPremisesSecurityIdentifier is the objectSid
 *   consistency_guid  100  onPremisesImmutableId is the base64 of mS-DS-ConsistencyGuid (users)
 *   device_id          95  deviceId is the objectGUID, as hybrid joined computers have it
 *   sid_history        95  onPremisesSecurityIdentifier is in sIDHistory; only where it is nobody's objectSid
 *   object_guid        95  onPremisesImmutableId is the base64 of the 16 raw bytes of objectGUID (users);
 * only where it is nobody's mS-DS-ConsistencyGuid a rule of the settings (conf/identity_rules.h), in their
 * order: only for those whom no rule before has found, and only where exactly one finds exactly one. DN,
 * domain, sAMAccountName, UPN and the other key then confirm (5 more, once, up to 100) or contradict (10 less
 * each, at least 1): marks, never keys. A DN may contradict for half an hour after a move, until the next
 * synchronisation.
 *
 * Conflict: an Entra object for which the keys name several AD objects, or an AD object that several Entra
 * objects of one tenant name. All candidates are told, each with the reason, and none of them is an edge:
 * nothing is guessed. The same AD object read by two connectors is one object; in two tenants it may have one
 * edge each.
 *
 * Memory: 32 bytes for each Entra object and pair, 16 for each key; Active Directory is streamed.
 */
#ifndef ROLLCALL_IDENTITY_H
#define ROLLCALL_IDENTITY_H

#include "conf/identity_rules.h"
#include "store/store.h"

/* What confirms or contradicts, and its name in the JSON. */
#define IDENTITY_MARKS(X)                                                                                    \
    X(SID, "sid")                                                                                            \
    X(IMMUTABLE_ID, "immutable_id")                                                                          \
    X(DN, "distinguished_name")                                                                              \
    X(DOMAIN, "domain_name")                                                                                 \
    X(SAM, "sam_account_name")                                                                               \
    X(UPN, "user_principal_name")
enum identity_mark_at {
#define X(id, name) IDENTITY_AT_##id,
    IDENTITY_MARKS(X)
#undef X
    IDENTITY_MARK_COUNT
};
#define IDENTITY_MARK(id) (1u << IDENTITY_AT_##id)
const char *identity_mark_name(unsigned at); /* at: enum identity_mark_at */

enum identity_conflict {
    IDENTITY_CLEAR,
    IDENTITY_SEVERAL_AD,    /* one key of the Entra object names several AD objects */
    IDENTITY_KEYS_DISAGREE, /* its SID and its immutable id name different ones */
    IDENTITY_SEVERAL_ENTRA, /* several Entra objects of the tenant name this AD object */
};
const char *identity_builtin_rule(unsigned i);                /* by strength; NULL at the end */
const char *identity_conflict_name(enum identity_conflict c); /* NULL: clear */

struct identity_edge { /* borrowed for the call */
    const struct entity *entra, *ad;
    struct str rule;
    unsigned confidence;                /* 1 to 100 */
    unsigned confirmed_by, contradicts; /* IDENTITY_MARK bits */
    enum identity_conflict conflict;    /* not clear: a candidate, no edge */
    enum tri enabled_entra, enabled_ad;
};

enum identity_orphan_reason {
    /* of an Entra object that is synchronised (onPremisesSyncEnabled) */
    IDENTITY_NO_KEY = 1,      /* has neither SID nor immutable id */
    IDENTITY_DOMAIN_NOT_READ, /* no connector of the store reads its domain */
    IDENTITY_DELETED_IN_AD,   /* who it was is deleted there */
    IDENTITY_NOT_IN_AD,       /* its domain is read, and nobody there has its keys */
    /* of an AD user whose domain is synchronised to some tenant */
    IDENTITY_SYSTEM_ACCOUNT, /* RID below 1000: never synchronised */
    IDENTITY_NOT_IN_TENANT,
};
const char *identity_orphan_name(enum identity_orphan_reason r);

struct identity_orphan {
    const struct entity *entity;
    bool is_entra;
    enum identity_orphan_reason reason;
    bool is_ambiguous; /* a rule of the settings would have had several to choose from */
    enum tri enabled;
};

struct identity_query {
    const struct identity_rule *rules; /* of the settings */
    size_t n_rules;
    struct str connector; /* of either side; empty: all */
    kind_set kinds;       /* as Entra ID has it; computer counts as device; 0: all */
    struct str rule;      /* only edges of this rule; empty: all */
    bool only_conflicts;
    int64_t limit; /* 0: no limit */
};
/* All edges and candidates, by Entra object; then all orphans, Entra objects first. One snapshot. Either
 * function may be NULL. A negative answer of theirs ends it and is returned. */
struct identity_reader {
    int (*edge)(void *ctx, const struct identity_edge *, struct err *e);
    int (*orphan)(void *ctx, const struct identity_orphan *, struct err *e);
    void *ctx;
};
int identity_read(struct store *s, const struct identity_query *q, const struct identity_reader *reader,
                  struct err *e) must_use;

#endif
