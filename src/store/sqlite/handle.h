/* handle.h - an open SQLite store, and what its readers remember of the visible snapshot.
 */
#ifndef ROLLCALL_STORE_SQLITE_HANDLE_H
#define ROLLCALL_STORE_SQLITE_HANDLE_H

#include "base/arena.h"
#include "store/engine.h"
#include "store/lookup.h"
#include "store/sqlite/sq.h"

/* entity_id = connector_id << 32 | seq */
static inline int64_t entity_id_of(int64_t connector, uint32_t seq)
{
    return connector << 32 | seq;
}
static inline uint32_t seq_of(int64_t entity_id)
{
    return (uint32_t)(entity_id & 0xffffffff);
}
static inline int64_t connector_of(int64_t entity_id)
{
    return entity_id >> 32;
}
/* change_id = run_id << 30 | number */
#define CHANGE_BITS 30
static inline int64_t first_change_of(int64_t run)
{
    return run << CHANGE_BITS;
}

/* In the order in which a run writes them: the end of a table is the cheapest place to add to. */
enum links_side { SIDE_MISSING = 1, SIDE_MEMBERS = 2, SIDE_GROUPS = 3 };

struct known_connector {
    int64_t id, visible_run;
    char name[65];
    /* of the visible run, once asked for */
    uint8_t *privileges; /* by seq; NULL: not computed */
    uint32_t n_privileges;
    bool has_state;
    struct connector_state state;
};
struct known_run { /* one that is or was visible */
    int64_t id, ended_ms, connector, n_changes;
};

struct sqlite_store {
    struct store base;
    struct sq q;
    struct hash_key key;
    struct lookup lookup;
    struct arena strings;  /* given out until store_close */
    struct arena resolved; /* given out until the next store_resolve_dn */
    /* the snapshot, as of data_version */
    int64_t data_version;
    bool is_stale;
    struct known_connector *connectors;
    size_t n_connectors;
    struct known_run *runs;
    size_t n_runs;
    struct link_cache *links;
};

static inline struct sqlite_store *sqlite_of(struct store *s)
{
    return (struct sqlite_store *)s;
}

/* Brings connectors and runs up to date if somebody has written; every reading function begins with it. */
int handle_refresh(struct sqlite_store *s, struct err *e) must_use;
struct known_connector *handle_connector(struct sqlite_store *s, int64_t id); /* NULL if unknown */
struct known_connector *handle_connector_named(struct sqlite_store *s, struct str name);
/* ERR_NOTFOUND: never synced. */
int handle_connector_get(struct sqlite_store *s, struct str name, struct known_connector **out,
                         struct err *e) must_use;
/* End of a visible run, 0 if unknown. */
int64_t handle_run_time(const struct sqlite_store *s, int64_t run);

/* How domain facts are kept with a run. */
void domain_encode(struct buf *out, const struct domain_info *d);
int domain_decode(struct domain_info *out, struct bytes in, struct err *e) must_use; /* borrows */

#endif
