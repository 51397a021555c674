/* identity_int.h - what the pieces of run/identity share: tables of fixed-size rows.
 *
 * Names and keys are kept as keyed hashes (base/hash.h): 96 bits for what identifies, 32 for what only
 * confirms. identity.c       who is asked: connectors, passes over the store, what is told identity_keys.c
 * one record: keys to be found by, marks to confirm with identity_judge.c candidates: which rule, how sure,
 * which conflict
 */
#ifndef ROLLCALL_IDENTITY_INT_H
#define ROLLCALL_IDENTITY_INT_H

#include "run/identity.h"

/* By strength. */
enum identity_builtin {
    FOUND_SID,
    FOUND_CONSISTENCY_GUID,
    FOUND_DEVICE_ID,
    FOUND_SID_HISTORY,
    FOUND_OBJECT_GUID,
    FOUND_BUILTIN_COUNT
};
#define FOUND(rule)     ((uint8_t)(1u << FOUND_##rule))
#define FOUND_BY_SID    (FOUND(SID) | FOUND(SID_HISTORY))
#define FOUND_BY_ANCHOR (FOUND(CONSISTENCY_GUID) | FOUND(OBJECT_GUID) | FOUND(DEVICE_ID))

/* 0: not there. */
struct identity_marks {
    uint32_t dn, domain, sam, upn;
};

enum person_flag {
    PERSON_SYNCED = 1, /* onPremisesSyncEnabled */
    PERSON_HAS_SID = 2,
    PERSON_HAS_ANCHOR = 4,  /* an immutable id or device id */
    PERSON_GUID_ANCHOR = 8, /* ... of the form of a GUID's base64: it ought to be found */
    PERSON_FOUND = 16,      /* has a candidate */
    PERSON_DELETED = 32,    /* a tombstone has its key */
    PERSON_AMBIGUOUS = 64,
};
struct person { /* an Entra object; in the order of the stream */
    int64_t id;
    struct identity_marks marks;
    uint16_t connector;
    uint8_t kind, flags;
};

struct key { /* sorted by all of it */
    uint64_t hash;
    uint32_t check, person;
};

struct candidate {
    int64_t ad; /* entity id */
    uint64_t ad_guid;
    uint32_t person;
    uint16_t ad_connector;
    uint8_t found; /* FOUND bits; 0: a rule of the settings */
    uint8_t rule;  /* enum identity_builtin, or FOUND_BUILTIN_COUNT + place among the settings' */
    uint8_t confirmed, contradicted, conflict;
};

/* A growing array of one of them. */
#define ROWS_MAX        ((size_t)1 << 36)
#define ROWS(type, b)   ((struct type *)(void *)(b).ptr)
#define N_ROWS(type, b) ((b).len / sizeof(struct type))

struct identity_connector {
    struct str name;
    struct str domain; /* of Active Directory: DNS name */
    bool is_tenant;
};

struct identity {
    struct store *store;
    const struct identity_query *query;
    struct identity_connector *connectors;
    size_t n_connectors, connectors_cap;
    struct buf persons, keys, candidates;
    struct hmap domains; /* DOMAIN_ bits by hash */
    struct buf text;     /* scratch */
};
enum { DOMAIN_SYNCED = 1, DOMAIN_READ = 2 };

/* --- identity.c */
/* One walk through the entities of some connectors. visit answers 0 to go on, 1 to stop. */
struct pass {
    struct identity *id;
    int (*visit)(struct pass *, const struct entity *, const struct record_index *, struct err *e);
    size_t connector; /* whose entity it is */
    struct record_index index;
    struct err *e;
    int rc;

    size_t person;               /* of the entity, in a walk over Entra objects */
    size_t candidate;            /* the first that is not behind the entity */
    struct identity_marks marks; /* of the AD entity; made when they are needed */
    bool has_marks;
    const struct identity_rule *rule; /* of the settings */
    size_t rule_place;
    struct buf *keys, *fresh;
    const struct entity *other;
    const struct identity_reader *reader;
    int64_t *left;
};
int identity_walk(struct pass *p, bool is_tenant, kind_set kinds, bool with_deleted, struct err *e) must_use;
int identity_walk_entra(struct pass *p, struct err *e) must_use;
/* The same every time, so that the nth entity is the nth person. */
kind_set identity_entra_kinds(const struct identity *id);
/* Moves to the first candidate of the AD entity, or to where it would be. */
void identity_advance(struct pass *p, const struct entity *x);
uint32_t identity_domain_bits(const struct identity *id, uint32_t domain);

/* --- identity_tell.c */
int identity_tell_edges(struct identity *id, const struct identity_reader *reader, int64_t *left,
                        struct err *e) must_use;
int identity_tell_orphans(struct identity *id, const struct identity_reader *reader, int64_t *left,
                          struct err *e) must_use;

/* --- identity_keys.c */
struct hash128 identity_hash(enum kind kind, char space, struct bytes b); /* of Entra's kind */
enum kind identity_kind_in_entra(enum kind ad_kind);                      /* KIND_NONE: not synchronised */
enum kind identity_kind_in_ad(enum kind entra_kind);
/* What an Entra object is found by, as hashes. */
#define PERSON_KEYS_MAX 3
size_t identity_person(struct person *out, struct hash128 keys[PERSON_KEYS_MAX], struct buf *text,
                       const struct record_index *x);
struct identity_marks identity_ad_marks(struct buf *text, const struct record_index *x, uint32_t domain);
uint32_t identity_domain_hash(struct buf *text, struct str dns_name);
/* Calls take for each key that an AD object may be found by. */
int identity_ad_keys(struct buf *text, const struct record_index *x,
                     int (*take)(void *ctx, uint8_t found, struct hash128 key, struct err *e), void *ctx,
                     struct err *e);
/* The values of one attribute as a rule of the settings compares them. */
int identity_custom_keys(struct buf *text, const struct identity_rule *rule, bool is_entra,
                         const struct record_index *x, struct str name,
                         int (*take)(void *ctx, struct hash128 key, struct err *e), void *ctx, struct err *e);
enum tri identity_enabled(const struct record_index *x);

/* --- identity_judge.c */
void identity_sort_keys(struct buf *keys);
/* [*from, *to) of the keys with this hash. */
void identity_find_keys(const struct buf *keys, struct hash128 hash, size_t *from, size_t *to);
/* One person may not be found by a key that others of its tenant have: such keys go, and persons are flagged.
 */
void identity_drop_shared_keys(struct buf *keys, struct buf *persons);
/* Weaker finds go where a stronger one exists; rule, marks and conflict of each are set. */
void identity_judge(struct buf *candidates, const struct buf *persons);
void identity_sort_by_person(struct buf *candidates);
void identity_sort_by_ad(struct buf *candidates);
unsigned identity_confidence(const struct candidate *c, unsigned base);
unsigned identity_base_confidence(unsigned builtin);

#endif
