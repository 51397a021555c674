/* dialect.h - what one output language is made of. Inside the room only; map.h is the door.
 */
#ifndef ROLLCALL_MAP_DIALECT_H
#define ROLLCALL_MAP_DIALECT_H

#include "base/arena.h"
#include "base/hash.h"
#include "map/table.h"

/* The rows of one kind of entity. `kind` may also be one of these, for what is not an entity of its own. */
enum table_use {
    TABLE_ENTITY,     /* kinds: a state line */
    TABLE_SECOND,     /* kinds: a further line, if options.computers_as_users */
    TABLE_GROUP_REF,  /* a group that an entity is in: an item of groups[] */
    TABLE_MEMBER_REF, /* a member of a group: an item of members[], or a row of the memberships file */
    TABLE_OWNER_REF,  /* an owner: an item of owners[], or a row of the owners file */
    TABLE_ROLE_REF,   /* a directory role that an entity has: an item of roles[] */
    TABLE_ACCOUNT_CHANGE,
    TABLE_GROUP_CHANGE,
    TABLE_OTHER_CHANGE,
    TABLE_USES
};

struct table {
    enum table_use use;
    kind_set kinds;
    const struct row *rows;
    unsigned since, before; /* of the format, as in a row */
};

struct file_kind {
    const char *name;   /* may hold %: the domain's name */
    enum table_use use; /* TABLE_ENTITY, TABLE_MEMBER_REF or TABLE_OWNER_REF */
    kind_set kinds;
};

struct dialect_type {
    const char *name;
    enum dialect_shape shape;
    enum time_format times;
    bool has_versions;
    const struct table *tables;
    size_t n_tables;
    kind_set structure;  /* kinds that options.no_groups_events leaves out */
    kind_set group_refs; /* kinds that groups[] takes; 0: all */
    bool tells_changes, takes_columns;
    const struct file_kind *files;
    size_t n_files;
};

/* Every dialect: its name, shape and sentence. What Active Directory is told with is the struct dialect_type
 * dialect_<name>, what a tenant of Entra ID is told with is dialect_<name>_entra, each in a file of its own.
 */
#define DIALECTS(X)                                                                                          \
    X(ocsf, SHAPE_JSON_LINES,                                                                                \
      "OCSF events: 5003 users, 5001 computers, 3004 groups and structure; 3001, 3006, 3004 changes")        \
    X(sekoia, SHAPE_JSON_LINES, "Sekoia.io user assets: users and service accounts")                         \
    X(veza, SHAPE_JSON_LINES,                                                                                \
      "Veza's attribute names: users, service accounts, computers, groups, OUs, domains")                    \
    X(csv, SHAPE_CSV, "one CSV file of each kind, and memberships")                                          \
    X(csv4, SHAPE_CSV, "four CSV files with Microsoft Graph's property names: users, groups, members, owners")

#define X(name, shape, doc) extern const struct dialect_type dialect_##name, dialect_##name##_entra;
DIALECTS(X)
#undef X

struct dialect {
    const struct dialect_type *type;
    unsigned version;               /* V1_8; of the format, where it has versions */
    struct dialect_options options; /* texts are ours */
    struct arena texts;
    struct program *entity[KIND_COUNT], *other[TABLE_USES]; /* borrowed from programs */
    kind_set kinds;
    struct hash_key uid_state, uid_second, uid_change;
    uint64_t sequence;
    uint8_t domain_sid[SID_MAX]; /* the last domain seen, */
    size_t domain_sid_len, domain_text_len;
    char domain_text[SID_TEXT]; /* and its SID as text: nearly every SID starts with it */
    bool is_in_rows;            /* dialect_file_rows was interrupted */
    size_t n_programs;
    struct program *programs[]; /* one for each table that is in use */
};

static inline unsigned view_version(const struct view *v)
{
    return v->d->version;
}

/* Prepares v for one subject; other fields are left for whoever needs them. */
void view_open(struct view *v, struct dialect *d, const struct subject *s);
/* Text of a SID, NUL-terminated; its length, 0 if the bytes are none. */
size_t view_sid(const struct view *v, char out[SID_TEXT], struct bytes sid);
/* The key that ids of one connector and purpose are hashed with; event_uid says how. */
struct hash_key event_uid_key(struct str connector, const char *what);
void event_uid_format(char out[33], const struct hash_key *key, const uint8_t guid[GUID_SIZE],
                      int64_t version);

/* csv.c */
void csv_header(const struct dialect *d, const struct program *p, struct buf *out);
void csv_row(const struct dialect *d, const struct program *p, struct view *v, struct buf *out);

#endif
