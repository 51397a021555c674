/* engine.h - what a store engine must do: one function for each of store.h's, in a table.
 *
 * store.c picks the table by the URL's scheme and forwards. An engine's own structs begin with struct store
 * or struct store_run. A new engine is a directory beside sqlite/, a table like this, and one line in
 * store.c; the contract of each slot is the comment in store.h, and store_*_test.c is the proof.
 */
#ifndef ROLLCALL_STORE_ENGINE_H
#define ROLLCALL_STORE_ENGINE_H

#include "store/store.h"

struct engine;
struct store {
    const struct engine *engine;
};
struct store_run {
    const struct engine *engine;
};

struct engine {
    const char *scheme;
    int (*open)(struct store **out, struct str rest_of_url, struct err *e);
    void (*close)(struct store *s);
    bool (*exists)(struct str rest_of_url);

    int (*run_begin)(struct store_run **out, struct store *s, const struct run_start *start, struct err *e);
    int64_t (*run_id)(const struct store_run *r);
    int (*run_domain)(struct store_run *r, const struct domain_info *d, struct err *e);
    int (*run_sd)(struct store_run *r, uint32_t number, struct bytes sd, struct err *e);
    int (*run_put)(struct store_run *r, const struct record *rec, struct err *e);
    int (*run_members)(struct store_run *r, struct dn_list part, bool more, struct err *e);
    int (*run_gap)(struct store_run *r, const struct gap *g, struct err *e);
    int (*run_kind_done)(struct store_run *r, enum kind k, bool complete, uint64_t received, struct err *e);
    int (*run_mode)(struct store_run *r, struct str mode, struct err *e);
    struct put_effect (*run_effect)(const struct store_run *r);
    int (*run_gone)(struct store_run *r, const uint8_t guid[GUID_SIZE], enum evidence evidence, struct err *e);
    int (*run_present)(struct store_run *r, const uint8_t guid[GUID_SIZE], bool *is_known, struct err *e);
    int (*run_absent)(struct store_run *r, int (*each)(void *ctx, const uint8_t guid[GUID_SIZE], struct err *e),
                      void *ctx, struct err *e);
    int (*run_unresolved)(struct store_run *r, int (*each)(void *ctx, enum kind k, const uint8_t guid[GUID_SIZE], struct err *e),
                          void *ctx, struct err *e);
    int (*run_rest)(struct store_run *r, struct err *e);
    int (*run_note)(struct store_run *r, struct str name, struct bytes value, struct err *e);
    int (*run_end)(struct store_run *r, const struct run_end *end, struct run_result *result, struct err *e);
    void (*run_abort)(struct store_run *r, const struct err *why, int64_t ended_ms);

    int (*gap_add)(struct store *s, int64_t run, const struct gap *g, struct err *e);

    int (*connector)(struct store *s, struct str name, struct connector_state *out, struct err *e);
    int (*runs)(struct store *s, struct str connector, int64_t limit,
                bool (*each)(void *, const struct run_row *), void *ctx, struct err *e);
    int (*run_get)(struct store *s, int64_t id, void (*row)(void *, const struct run_row *),
                   void (*gap)(void *, const struct gap *), void *ctx, struct err *e);
    int (*entities)(struct store *s, const struct entity_query *q,
                    bool (*each)(void *, const struct entity *), void *ctx, struct err *e);
    int (*entity_find)(struct store *s, struct str connector, struct str key, bool with_deleted,
                       void (*found)(void *, const struct entity *), void *ctx, struct err *e);
    int (*links)(struct store *s, int64_t entity_id, enum link_side side,
                 bool (*each)(void *, const struct link *), void *ctx, struct err *e);
    int (*links_after)(struct store *s, int64_t entity_id, enum link_side side, int64_t after_id,
                       bool (*each)(void *, const struct link *), void *ctx, struct err *e);
    int (*run_days)(struct store *s, int64_t since_ms, bool (*each)(void *, const struct run_day *), void *ctx, struct err *e);
    int (*everything)(struct store *s, struct str connector, const struct store_everything *to, void *ctx, struct err *e);
    int (*connectors)(struct store *s, bool (*each)(void *ctx, struct str name), void *ctx, struct err *e);
    bool (*resolve_dn)(struct store *s, struct str connector, struct str dn, struct link *out);
    int (*changes)(struct store *s, const struct change_query *q, bool (*each)(void *, const struct change *),
                   void *ctx, struct err *e);
    int (*cursor_get)(struct store *s, struct str connector, struct str sink, int64_t *change_id,
                      struct err *e);
    int (*cursor_put)(struct store *s, struct str connector, struct str sink, int64_t change_id,
                      struct err *e);
    int (*cursor_behind)(struct store *s, struct str connector, struct str sink, uint64_t *n, struct err *e);
    int (*note_get)(struct store *s, struct str connector, struct str name, struct buf *out, struct err *e);
    int (*note_put)(struct store *s, struct str connector, struct str source, struct str name,
                    struct bytes value, struct err *e);
    int (*connector_remove)(struct store *s, struct str name, struct err *e);
    int (*sweep)(struct store *s, struct err *e);
};

extern const struct engine engine_sqlite;

#endif
