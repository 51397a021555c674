/* map.h - dialects: a record told in the words of one consumer. A dialect is a table, not code.
 *
 * A subject is everything a dialect may use about one entity; the caller (run for a stream, store for an
 * export) has resolved names. Nothing here does I/O; output goes into a struct buf.
 *     dialect_open(&d, STR("ocsf"), &options, &e);
 *     dialect_entity(d, &subject, &out, &e); // one line, or none if the dialect has no place for the kind
 */
#ifndef ROLLCALL_MAP_H
#define ROLLCALL_MAP_H

#include "base/buf.h"
#include "model/change.h"
#include "model/derive.h"
#include "model/record.h"

/* Another entity, as far as it is known; guid all zero and sid empty where it is not. */
struct ref {
    enum kind kind;
    uint8_t guid[GUID_SIZE];
    struct bytes sid;
    struct str name;      /* sAMAccountName, else name */
    struct str principal; /* UPN, else sAMAccountName */
    struct str dn;        /* of a tenant: the object id, never told as a DN */
    struct str description;
    int64_t group_type; /* groupType; of a tenant's group derive_tenant_group_type */
    /* of a directory role, empty otherwise: roleTemplateId, directoryScopeId, assignmentType */
    struct str template_id, scope, assignment;
    const char *via;     /* "member", "primary_group", "foreign" */
    struct str prepared; /* of a group: what dialect_prepare_ref made of it, kept by the caller; empty: not
                            prepared */
};

/* Iterates the members of a group: restarts at NULL position. Returns false at the end. */
struct member_source {
    bool (*next)(void *ctx, struct ref *out);
    void (*rewind)(void *ctx);
    void *ctx;
    uint64_t n; /* how many, if known; 0 otherwise */
};

struct subject {
    const struct record_index *record;
    struct str name;
    const struct domain_info *domain;
    struct derived derived;
    const struct ref *groups; /* direct, the primary group among them */
    size_t n_groups;
    const struct ref *manager, *managed_by, *parent; /* NULL: none or unresolved */
    const struct ref *owners;                        /* of a tenant's group, device or service principal */
    size_t n_owners;
    struct member_source *members; /* kind_has_members only; NULL: not collected */
    struct bytes sd_bytes;         /* security descriptor, empty if none */
    int64_t first_seen_ms, last_changed_ms, deleted_ms;
    int64_t version; /* of the state told, for its event id; 0: the run's: each run has ids of its own */
};

/* Stamped on every event of one call. */
struct event_context {
    struct str connector;
    int64_t time_ms;     /* when the directory was read */
    int64_t run;         /* 0 for `read`, which has no run */
    struct str run_uid;  /* correlation id; text */
    const char *version; /* of rollcall */
};

/* A column of csv4 as csv4.yaml may say: a property of the shipped tables, and the title it gets (empty: its
 * own name). */
struct csv_column {
    struct str property, title;
};
struct csv_columns {
    const struct csv_column *columns;
    size_t n; /* 0: as shipped */
};

struct dialect_options {
    bool is_tenant;             /* the source is a tenant of Entra ID: domain_is_tenant() */
    struct str ocsf_version;    /* "1.8.0" default; 1.6.0, 1.1.0 */
    bool no_groups_events;      /* leave out 3004 for groups, OUs, domains */
    bool computers_as_users;    /* a second 5003 for computers, type_id 3 */
    bool raw_csv;               /* no apostrophe before = + - @ TAB CR */
    char csv_delimiter;         /* 0: comma */
    struct str csv4_domain;     /* domainName of csv4's file names; empty: the domain's DNS name */
    struct csv_columns csv4[4]; /* users, groups, members, owners */
    struct event_context context;
};

enum dialect_shape { SHAPE_JSON_LINES, SHAPE_CSV };

struct dialect;
/* One of dialect_docs, in the tables of the source that options.is_tenant says. */
int dialect_open(struct dialect **out, struct str name, const struct dialect_options *o,
                 struct err *e) must_use;
void dialect_close(struct dialect *d);
enum dialect_shape dialect_shape(const struct dialect *d);
kind_set dialect_kinds(const struct dialect *d); /* kinds it has a place for */
/* Appends whole lines (LF for JSON Lines, CRLF for CSV). Nothing appended: no place for this kind. */
int dialect_entity(struct dialect *d, const struct subject *s, struct buf *out, struct err *e) must_use;
/* The same for a change between runs: OCSF 3001/3006/3004, Sekoia nothing, ... `s` is the entity after the
 * change (NULL: gone). */
int dialect_change(struct dialect *d, const struct change *c, const struct subject *s, struct buf *out,
                   struct err *e) must_use;
/* CSV: header line of a kind's file; appends nothing for JSON Lines. */
void dialect_header(struct dialect *d, enum kind k, struct buf *out);

/* The group as an item of groups[], for a caller that writes the same group into many entities: put the
 * result into ref.prepared and it is copied instead of written anew. Appends nothing where the dialect has no
 * groups[]. */
void dialect_prepare_ref(struct dialect *d, const struct domain_info *domain, const struct ref *group,
                         struct buf *out);

/* --- a set of files, for an export: works for every dialect and serves csv4's four files --------- */
struct dialect_file {
    char name[288]; /* "users.csv", "corp.example_groups_members.csv"; safe as a file name */
    kind_set kinds; /* entities that it has rows of */
};
/* The index-th file; false past the last. */
bool dialect_file(const struct dialect *d, size_t index, const struct domain_info *domain,
                  struct dialect_file *out);
/* Its first line; nothing for JSON Lines. */
void dialect_file_header(struct dialect *d, size_t index, struct buf *out);
/* Appends what the file has to say about one entity; *rows grows by the lines written. 1: there is more (a
 * large group): write out what is there and call again with the same entity; 0: done. */
int dialect_file_rows(struct dialect *d, size_t index, const struct subject *s, struct buf *out,
                      uint64_t *rows, struct err *e) must_use;

/* A stable event id: hash of connector, entity and content version; 32 hex digits + NUL. */
void event_uid(char out[33], struct str connector, const uint8_t guid[GUID_SIZE], int64_t change_or_run,
               const char *what);

struct dialect_doc {
    const char *name, *doc;
    enum dialect_shape shape;
};
extern const struct dialect_doc dialect_docs[]; /* name NULL ends */

#endif
