/* read.h - what the reading functions share: one snapshot for a whole call, one entity put together.
 */
#ifndef ROLLCALL_STORE_SQLITE_READ_H
#define ROLLCALL_STORE_SQLITE_READ_H

#include "store/idlist.h"
#include "store/sqlite/version.h"

/* A read transaction around one call, unless a caller further out has one. Everything inside sees one
 * snapshot, and nothing is purged from under it. */
struct reading {
    struct sqlite_store *s;
    bool is_mine;
};
int reading_begin(struct reading *r, struct sqlite_store *s, struct err *e) must_use;
void reading_end(struct reading *r);

/* Puts entities together, one at a time; everything given out is valid until the next or the close. */
struct entity_reader {
    struct sqlite_store *s;
    struct body body;
    struct buf sd;
    int64_t sd_id; /* in sd */
    struct entity entity;
};
struct entity_reader entity_reader_new(struct sqlite_store *s);
void entity_reader_free(struct entity_reader *r);
/* Without privileges. v->stats must live as long. */
int entity_read(struct entity_reader *r, const struct known_connector *c, const struct version *v,
                struct err *e) must_use;

/* Without its descriptor. */
int entity_read_bare(struct entity_reader *r, const struct known_connector *c, const struct version *v,
                     struct err *e) must_use;

/* Privilege bits of an entity of the visible snapshot; computed once for all. */
int privileges_of(struct sqlite_store *s, struct known_connector *c, uint32_t seq, unsigned *out,
                  struct err *e) must_use;
int read_connector_state(struct store *s, struct str name, struct connector_state *out, struct err *e);
int read_runs_list(struct store *s, struct str connector, int64_t limit,
                   bool (*each)(void *, const struct run_row *), void *ctx, struct err *e);
int read_run(struct store *s, int64_t id, void (*row)(void *, const struct run_row *),
             void (*gap)(void *, const struct gap *), void *ctx, struct err *e);
int read_entities(struct store *s, const struct entity_query *q, bool (*each)(void *, const struct entity *),
                  void *ctx, struct err *e);
int read_entity_find(struct store *s, struct str connector, struct str key, bool with_deleted,
                     void (*found)(void *, const struct entity *), void *ctx, struct err *e);
int read_links(struct store *s, int64_t entity_id, enum link_side side,
               bool (*each)(void *, const struct link *), void *ctx, struct err *e);
int read_links_after(struct store *s, int64_t entity_id, enum link_side side, int64_t after_id,
                     bool (*each)(void *, const struct link *), void *ctx, struct err *e);
int read_run_days(struct store *s, int64_t since_ms, bool (*each)(void *, const struct run_day *), void *ctx, struct err *e);
bool read_resolve_dn(struct store *s, struct str connector, struct str dn, struct link *out);
int read_changes(struct store *s, const struct change_query *q, bool (*each)(void *, const struct change *),
                 void *ctx, struct err *e);
int cursor_get(struct store *s, struct str connector, struct str sink, int64_t *change_id, struct err *e);
int cursor_put(struct store *s, struct str connector, struct str sink, int64_t change_id, struct err *e);
int note_get(struct store *s, struct str connector, struct str name, struct buf *out, struct err *e);
int gap_add(struct store *s, int64_t run, const struct gap *g, struct err *e);
int note_put(struct store *s, struct str connector, struct str source, struct str name, struct bytes value,
             struct err *e);
int connector_remove(struct store *s, struct str name, struct err *e);
int connector_sweep(struct store *s, struct err *e);
int read_everything(struct store *s, struct str connector, const struct store_everything *to, void *ctx, struct err *e);
int read_connectors(struct store *s, bool (*each)(void *ctx, struct str name), void *ctx, struct err *e);
int cursor_behind(struct store *s, struct str connector, struct str sink, uint64_t *n, struct err *e);

#endif
