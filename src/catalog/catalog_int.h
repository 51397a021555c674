/* catalog_int.h - what the pieces of the catalog share.
 *
 * Everything that a list can be filtered by, together, is a cell: (connector, kind, enabled, admin, MFA, sign-in, tags, deleted). A million entities have some hundreds
 * of different ones, so a filter is a set of cells, a count is a sum over cells, and a page is a merge of the cells' ends of one index. Rows are numbered in the order of
 * their names (docid), with room between them, so that the full-text index gives its matches in the order of names too, and a page of them is its beginning.
 *     catalog.c     the handle: file, snapshot, cells          catalog_row.c      an entity as a row: facts, tags, keys
 *     list.c        pages; row.c their rows                    refresh.c          the pass over the store; stage.c what it found
 *     search.c      what a search text asks for                build.c, update.c  writing all of it, or what differs
 *     filter.c      which cells are meant; facets.c counts     fill.c, lineage.c  attributes; identities.c who is the same
 */
#ifndef ROLLCALL_CATALOG_INT_H
#define ROLLCALL_CATALOG_INT_H

#include "base/arena.h"
#include "base/hash.h"
#include "catalog/catalog.h"
#include "catalog/db.h"

#define CATALOG_FORMAT 1
#define APPLICATION_ID 0x726f6c63 /* "rolc" */

#define CATALOG_SQL(X)                                                                                                                                            \
    X(BEGIN, "BEGIN")                                                                                                                                             \
    X(END, "COMMIT")                                                                                                                                              \
    X(GENERATION, "SELECT value FROM meta WHERE name = 'generation'")                                                                                             \
    X(GENERATION_PUT, "INSERT INTO meta (name, value) VALUES ('generation', ?1) ON CONFLICT DO UPDATE SET value = excluded.value")                                \
    X(KEY, "SELECT value FROM meta WHERE name = 'hash_key'")                                                                                                      \
    X(KEY_PUT, "INSERT INTO meta (name, value) VALUES ('hash_key', ?1)")                                                                                          \
    X(SOURCES, "SELECT source, name, run, ended_ms, is_tenant FROM source ORDER BY source")                                                                       \
    X(SOURCE_PUT, "INSERT INTO source (source, name, run, ended_ms, is_tenant) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (source) DO UPDATE SET run = excluded.run, " \
                  "ended_ms = excluded.ended_ms, is_tenant = excluded.is_tenant")                                                                                 \
    X(SOURCE_DROP, "DELETE FROM source WHERE source = ?1")                                                                                                        \
    X(CELLS, "SELECT cell, source, kind, enabled, admin, mfa, sign_in, tags, deleted, n FROM cell")                                                               \
    X(CELL_PUT, "INSERT INTO cell (cell, source, kind, enabled, admin, mfa, sign_in, tags, deleted, n) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) "         \
                "ON CONFLICT (cell) DO UPDATE SET n = excluded.n")                                                                                                \
    /* pages: one cell's rows behind a place, in each order */                                                                                                    \
    X(NAME_UP, "SELECT docid FROM asset INDEXED BY asset_cell WHERE cell = ?1 AND docid > ?2 ORDER BY docid")                                                     \
    X(NAME_DOWN, "SELECT docid FROM asset INDEXED BY asset_cell WHERE cell = ?1 AND docid < ?2 ORDER BY docid DESC")                                              \
    X(ACCOUNT_UP, "SELECT docid, account_key FROM asset INDEXED BY asset_account WHERE cell = ?1 AND account_key > ?3 ORDER BY account_key, docid")               \
    X(ACCOUNT_DOWN, "SELECT docid, account_key FROM asset INDEXED BY asset_account WHERE cell = ?1 AND account_key < ?3 ORDER BY account_key DESC, docid DESC")   \
    X(ACCOUNT_TIE_UP, "SELECT docid, account_key FROM asset INDEXED BY asset_account WHERE cell = ?1 AND account_key = ?3 AND docid > ?2 ORDER BY docid")         \
    X(ACCOUNT_TIE_DOWN, "SELECT docid, account_key FROM asset INDEXED BY asset_account WHERE cell = ?1 AND account_key = ?3 AND docid < ?2 ORDER BY docid DESC")  \
    X(SIGN_IN_UP, "SELECT docid, last_sign_in FROM asset INDEXED BY asset_sign_in WHERE cell = ?1 AND last_sign_in > ?3 ORDER BY last_sign_in, docid")            \
    X(SIGN_IN_DOWN, "SELECT docid, last_sign_in FROM asset INDEXED BY asset_sign_in WHERE cell = ?1 AND last_sign_in < ?3 ORDER BY last_sign_in DESC, docid DESC") \
    X(SIGN_IN_TIE_UP, "SELECT docid, last_sign_in FROM asset INDEXED BY asset_sign_in WHERE cell = ?1 AND last_sign_in = ?3 AND docid > ?2 ORDER BY docid")       \
    X(SIGN_IN_TIE_DOWN, "SELECT docid, last_sign_in FROM asset INDEXED BY asset_sign_in WHERE cell = ?1 AND last_sign_in = ?3 AND docid < ?2 ORDER BY docid DESC") \
    X(CHANGED_UP, "SELECT docid, last_changed FROM asset INDEXED BY asset_changed WHERE cell = ?1 AND last_changed > ?3 ORDER BY last_changed, docid")            \
    X(CHANGED_DOWN, "SELECT docid, last_changed FROM asset INDEXED BY asset_changed WHERE cell = ?1 AND last_changed < ?3 ORDER BY last_changed DESC, docid DESC") \
    X(CHANGED_TIE_UP, "SELECT docid, last_changed FROM asset INDEXED BY asset_changed WHERE cell = ?1 AND last_changed = ?3 AND docid > ?2 ORDER BY docid")       \
    X(CHANGED_TIE_DOWN, "SELECT docid, last_changed FROM asset INDEXED BY asset_changed WHERE cell = ?1 AND last_changed = ?3 AND docid < ?2 ORDER BY docid DESC") \
    X(SCAN_UP, "SELECT docid, cell FROM asset WHERE docid > ?1 AND docid < ?2 ORDER BY docid")                                                                    \
    X(SCAN_DOWN, "SELECT docid, cell FROM asset WHERE docid > ?1 AND docid < ?2 ORDER BY docid DESC")                                                             \
    X(WORDS_UP, "SELECT rowid FROM words WHERE words MATCH ?1 AND rowid > ?2 ORDER BY rowid")                                                                     \
    X(WORDS_DOWN, "SELECT rowid FROM words WHERE words MATCH ?1 AND rowid < ?2 ORDER BY rowid DESC")                                                              \
    /* places: the last row not behind (name, entity), the first not before it */                                                                                 \
    X(PLACE_TIE_UP, "SELECT docid FROM asset INDEXED BY asset_name WHERE name_key = ?1 AND entity <= ?2 ORDER BY entity DESC LIMIT 1")                            \
    X(PLACE_UP, "SELECT docid FROM asset INDEXED BY asset_name WHERE name_key < ?1 ORDER BY name_key DESC, entity DESC LIMIT 1")                                  \
    X(PLACE_TIE_DOWN, "SELECT docid FROM asset INDEXED BY asset_name WHERE name_key = ?1 AND entity >= ?2 ORDER BY entity LIMIT 1")                               \
    X(PLACE_DOWN, "SELECT docid FROM asset INDEXED BY asset_name WHERE name_key > ?1 ORDER BY name_key, entity LIMIT 1")                                          \
    X(PLACE_FROM, "SELECT docid FROM asset INDEXED BY asset_name WHERE name_key >= ?1 ORDER BY name_key, entity LIMIT 1")                                         \
    X(ROW, "SELECT cell, name, account, display_name, mail, dn, guid, last_sign_in, last_changed, deleted_ms, entity, name_key, account_key, source FROM asset WHERE docid = ?1") \
    X(TEXTS, "SELECT cell, name, account, display_name, mail, last_sign_in, last_changed, account_key FROM asset WHERE docid = ?1")                               \
    /* writing */                                                                                                                                                 \
    X(KNOWN, "SELECT entity, hash, docid, cell FROM asset INDEXED BY asset_entity WHERE source = ?1 ORDER BY entity")                                             \
    X(DOCID_OF, "SELECT docid FROM asset INDEXED BY asset_entity WHERE source = ?1 AND entity = ?2")                                                              \
    X(NEXT_PLACE, "SELECT docid, name_key, entity FROM asset WHERE docid > ?1 ORDER BY docid LIMIT 1")                                                            \
    X(INSERT, "INSERT INTO asset (docid, source, entity, hash, cell, name_key, account_key, name, account, display_name, mail, dn, guid, last_sign_in, last_changed, " \
              "deleted_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)")                                                       \
    X(UPDATE, "UPDATE asset SET source = ?2, entity = ?3, hash = ?4, cell = ?5, name_key = ?6, account_key = ?7, name = ?8, account = ?9, display_name = ?10, mail = ?11, " \
              "dn = ?12, guid = ?13, last_sign_in = ?14, last_changed = ?15, deleted_ms = ?16 WHERE docid = ?1")                                                   \
    X(OLD, "SELECT name_key, name, account, display_name, mail FROM asset WHERE docid = ?1")                                                                       \
    X(DELETE, "DELETE FROM asset WHERE docid = ?1")                                                                                                               \
    X(WORDS_ADD, "INSERT INTO words (rowid, text) VALUES (?1, ?2)")                                                                                               \
    X(WORDS_DROP, "INSERT INTO words (words, rowid, text) VALUES ('delete', ?1, ?2)")                                                                             \
    X(FILL_CLEAR, "DELETE FROM fill WHERE source = ?1")                                                                                                           \
    X(FILL_PUT, "INSERT INTO fill (source, kind, attribute, type, is_multi, number, filled, sample) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")                     \
    X(FILL_OF, "SELECT attribute, type, is_multi, number, filled, sample FROM fill WHERE source = ?1 AND kind = ?2 ORDER BY filled DESC, attribute")              \
    X(FILL_COUNT, "SELECT count(*) FROM fill WHERE source = ?1 AND kind = ?2")                                                                                    \
    X(EDGES, "SELECT entra, ad, rule, confidence, confirmed, contradicts, conflict, entra_source, ad_source FROM edge WHERE entra = ?1 OR ad = ?1")               \
    X(EDGES_COUNT, "SELECT count(*) FROM edge WHERE (entra = ?1 OR ad = ?1) AND conflict = 0")

enum catalog_sql {
#define X(id, text) SQL_##id,
    CATALOG_SQL(X)
#undef X
    SQL_COUNT
};
extern const char *const catalog_sql[SQL_COUNT];

enum sign_in { SIGN_IN_UNKNOWN, SIGN_IN_NEVER, SIGN_IN_7D, SIGN_IN_30D, SIGN_IN_90D, SIGN_IN_OLDER, SIGN_IN_COUNT };
extern const char *const sign_in_names[SIGN_IN_COUNT];

/* All that a row can be filtered by. */
struct cell {
    uint32_t source, tags;
    uint8_t kind, enabled, admin, mfa, sign_in, deleted; /* enabled, mfa: enum tri */
    int64_t id;
    int64_t n;
};
struct cells {
    struct cell *list;
    size_t n, cap;
    struct hmap by_facts; /* place + 1 */
    struct hmap by_id;
};
void cells_free(struct cells *c);
struct cell *cells_add(struct cells *c, const struct cell *facts); /* with its id and n */
/* The one of these facts, made with the next id and n 0 if there is none. */
struct cell *cells_of(struct cells *c, const struct cell *facts);
struct cell *cells_find(const struct cells *c, int64_t id); /* NULL: none */

struct fills;
struct source {
    int64_t id, run, ended_ms;
    bool is_tenant;
    char name[65];
    bool is_gone;        /* of a refresh: the store no longer has it */
    struct fills *fills; /* of a refresh: counted in its pass */
};
struct sources {
    struct source *list;
    size_t n, cap;
};
const struct source *source_named(const struct sources *s, struct str name);
const struct source *source_of(const struct sources *s, int64_t id);

struct catalog {
    struct db db;
    uint64_t inode;
    int64_t generation;
    struct cells cells;
    struct sources sources;
};
/* One snapshot for a whole call; the cells are of it. */
int catalog_begin(struct catalog *c, struct err *e) must_use;
void catalog_end(struct catalog *c);
int catalog_read_state(struct catalog *c, struct err *e) must_use;
/* Makes the tables of an empty file; the indexes separately, since they are cheaper when the rows are there. */
int catalog_make_tables(struct db *d, struct err *e) must_use;
int catalog_make_indexes(struct db *d, struct err *e) must_use;
/* ERR_INPUT: not ours, or of another version. */
int catalog_check(struct db *d, struct err *e) must_use;

/* --- catalog_row.c: an entity as a row */
#define KEY_MAX  128
#define TEXT_CUT 1024 /* of a column; what is longer is told in full by the asset's own page */
struct asset {
    int64_t docid, entity, hash;
    struct cell facts;
    struct str name, account, display_name, mail, dn, name_key, account_key;
    int64_t last_sign_in, last_changed, deleted;
    uint8_t guid[GUID_SIZE];
};
/* For a whole connector; text is scratch that the asset borrows from. */
struct asset_maker {
    struct hash_key key;
    struct domain_info domain;
    uint32_t source;
    int64_t as_of_ms;
    struct record_index index;
    struct buf name_key, account_key;
};
int asset_make(struct asset_maker *m, const struct entity *x, struct asset *out, struct err *e) must_use;
/* Lower case, no accents, control characters as blanks; at most max bytes are appended. */
void catalog_fold(struct buf *out, struct str s, size_t max);
/* What is searched: the folded columns, a line each. */
void asset_words(struct buf *out, struct str name, struct str account, struct str display_name, struct str mail);

/* --- fill.c: how many entities of a kind have an attribute */
struct fills *fills_new(void);
void fills_free(struct fills *f);
void fills_add(struct fills *f, const struct record *r);
int fills_write(struct fills *f, struct db *d, int64_t source, struct err *e) must_use;

/* --- row.c */
/* Nothing where there is no such row. */
int row_give(struct catalog *c, int64_t docid, catalog_each *each, void *ctx, struct err *e) must_use;

/* --- refresh.c, stage.c */
struct refresh {
    struct store *store;
    const char *path;
    struct catalog *old; /* NULL: everything anew */
    struct db stage;     /* rows to write, in a file of their own */
    struct cells cells;
    struct sources sources;
    struct hash_key key;
    int64_t n_staged, n_known;
    const struct catalog_rules *rules;
};
int stage_open(struct refresh *r, struct err *e) must_use;
void stage_close(struct refresh *r);
/* What becomes of a row that differs: it gets (another) place among the names; it keeps its own, with other words or with the same. */
enum stage_how { STAGE_PLACE, STAGE_KEEP_PLACE, STAGE_KEEP_WORDS };
/* old_docid 0: a new row, which is always placed. */
int stage_put(struct refresh *r, const struct asset *a, int64_t old_docid, enum stage_how how, struct err *e) must_use;
int stage_gone(struct refresh *r, int64_t old_docid, struct err *e) must_use;
/* Each row that is to be placed, in the order of names; the asset is borrowed for the call. */
int stage_each(struct refresh *r, int (*each)(void *ctx, const struct asset *a, struct err *e), void *ctx, struct err *e) must_use;
/* Each that keeps its place; its docid is that. */
int stage_each_kept(struct refresh *r, bool has_words, int (*each)(void *ctx, const struct asset *a, struct err *e), void *ctx, struct err *e) must_use;
/* Where rows were that get another place, or are gone. */
int stage_each_old(struct refresh *r, int (*each)(void *ctx, int64_t docid, struct err *e), void *ctx, struct err *e) must_use;
int build_all(struct refresh *r, struct err *e) must_use;
/* ERR_CONFLICT: no room between two rows any more: everything anew. */
int update_rows(struct refresh *r, struct err *e) must_use;
/* Without its words. */
int write_columns(struct db *d, enum catalog_sql how, const struct asset *a, struct err *e) must_use;
int write_row(struct db *d, const struct asset *a, struct buf *words, struct err *e) must_use;
int write_state(struct refresh *r, struct db *d, struct err *e) must_use;
/* identities.c: who is the same in another directory, worked out anew; nothing where only one kind of source is read. */
int edges_write(struct refresh *r, struct db *d, struct err *e) must_use;

/* --- search.c: what a text asks for */
#define SEARCH_WORDS 8
struct search {
    enum { SEARCH_ALL, SEARCH_PREFIX, SEARCH_WORDS_IN } how;
    struct buf folded, match, row;
    struct str words[SEARCH_WORDS];
    size_t n_words;
    int64_t from, to; /* SEARCH_PREFIX: docids between these, both outside */
};
int search_open(struct search *s, struct catalog *c, struct str text, struct err *e) must_use;
void search_close(struct search *s);
/* All words are in the row's texts. */
bool search_matches(struct search *s, struct str name, struct str account, struct str display_name, struct str mail);

/* --- query: which cells */
struct facet_filter {
    const struct catalog_query *q;
    uint32_t tags, mfa, sign_in;   /* bits */
    uint64_t *sources;             /* one bit each; NULL: all */
    size_t n_source_words;
    bool nothing;                  /* names that nobody has */
};
int filter_open(struct facet_filter *f, const struct catalog *c, const struct catalog_query *q, struct err *e) must_use;
void filter_close(struct facet_filter *f);
enum facet { FACET_KIND, FACET_SOURCE, FACET_ENABLED, FACET_ADMIN, FACET_MFA, FACET_SIGN_IN, FACET_TAG, FACET_DELETED, FACET_COUNT };
/* One bit for each facet whose condition the cell does not meet. */
unsigned filter_misses(const struct facet_filter *f, const struct cell *c);

#endif
