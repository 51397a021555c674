/* Pages. A page is made of hits in order: from a merge of the cells' ends of one index, from the beginning of the full-text index's matches, or, where few rows can be
 * meant, from all of them. No way of asking looks at more than a bounded number of rows: a page may then be short, and `next` says where it goes on. */
#include "catalog/catalog_int.h"

#include "base/jsonv.h"

#include <stdlib.h>

#define SCAN_MAX   2000  /* rows in the order of names, before the cells' own ends are merged instead */
#define RARE       2000  /* rows of all cells together that are looked at one by one */
#define GATHER_MAX 8000  /* candidates of a text that are sorted by something else than names */
#define LOOK_MAX   20000 /* rows that one page looks at */
#define CHUNK      500   /* rows in order that are then looked at for the text */

enum order { BY_NAME, BY_ACCOUNT, BY_SIGN_IN, BY_CHANGED };

/* A row's place in an order; of numbers or of text. */
struct hit {
    int64_t docid, number;
    struct str text;
};

struct listing {
    struct catalog *c;
    const struct catalog_query *q;
    struct facet_filter filter;
    struct search search;
    struct arena texts;
    enum order order;
    bool is_down;
    enum { GROUP_NONE, GROUP_KIND, GROUP_SOURCE } group;
    size_t *cells; /* places of those that are meant, larger ones first */
    size_t n_cells;
    uint8_t *is_meant; /* by place among the catalog's cells: of the group at hand */
    int64_t n_rows;    /* in the group's cells */
    struct str at_group; /* its name */
    int64_t looked;

    struct hit *hits; /* the page */
    size_t n_hits, cap;
    struct hit from;  /* the page begins behind it */
    bool is_cut;      /* LOOK_MAX was reached: `from` is where */
};

/* --- order ------------------------------------------------------------------------------------------ */

static int compare(const struct listing *l, const struct hit *a, const struct hit *b)
{
    int d = l->order == BY_ACCOUNT ? str_compare(a->text, b->text) : COMPARE(a->number, b->number);
    if (l->order == BY_NAME) d = 0;
    if (!d) d = COMPARE(a->docid, b->docid);
    return l->is_down ? -d : d;
}

static size_t page_size(const struct listing *l)
{
    return (size_t)l->q->limit + 1; /* one more tells that there is a next page */
}

/* --- a heap of the first hits: the last of them on top --------------------------------------------- */

struct top {
    struct hit *hits;
    size_t n, size;
};

static void sink(const struct listing *l, struct top *t, size_t at)
{
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= t->n) return;
        if (child + 1 < t->n && compare(l, &t->hits[child + 1], &t->hits[child]) > 0) child++;
        if (compare(l, &t->hits[child], &t->hits[at]) <= 0) return;
        struct hit h = t->hits[at];
        t->hits[at] = t->hits[child];
        t->hits[child] = h;
        at = child;
    }
}

static void rise(const struct listing *l, struct top *t, size_t at)
{
    while (at && compare(l, &t->hits[at], &t->hits[(at - 1) / 2]) > 0) {
        struct hit h = t->hits[at];
        t->hits[at] = t->hits[(at - 1) / 2];
        t->hits[(at - 1) / 2] = h;
        at = (at - 1) / 2;
    }
}

/* false: it comes behind all of a full heap. */
static bool top_takes(struct listing *l, struct top *t, struct hit h)
{
    if (t->n == t->size && compare(l, &h, &t->hits[0]) >= 0) return false;
    h.text = l->order == BY_ACCOUNT ? arena_str(&l->texts, h.text) : h.text;
    if (t->n < t->size) {
        t->hits[t->n++] = h;
        rise(l, t, t->n - 1);
    } else {
        t->hits[0] = h;
        sink(l, t, 0);
    }
    return true;
}

static int by_order(const void *a, const void *b, void *l)
{
    return compare(l, a, b);
}

static void sort_hits(struct listing *l, struct hit *hits, size_t n)
{
    if (n) qsort_r(hits, n, sizeof *hits, by_order, l);
}

/* --- merging the cells' ends ------------------------------------------------------------------------- */

static enum catalog_sql statement(const struct listing *l, bool is_tie)
{
    static const enum catalog_sql up[][2] = {{SQL_NAME_UP, SQL_NAME_UP},
                                             {SQL_ACCOUNT_UP, SQL_ACCOUNT_TIE_UP},
                                             {SQL_SIGN_IN_UP, SQL_SIGN_IN_TIE_UP},
                                             {SQL_CHANGED_UP, SQL_CHANGED_TIE_UP}};
    static const enum catalog_sql down[][2] = {{SQL_NAME_DOWN, SQL_NAME_DOWN},
                                               {SQL_ACCOUNT_DOWN, SQL_ACCOUNT_TIE_DOWN},
                                               {SQL_SIGN_IN_DOWN, SQL_SIGN_IN_TIE_DOWN},
                                               {SQL_CHANGED_DOWN, SQL_CHANGED_TIE_DOWN}};
    return l->is_down ? down[l->order][is_tie] : up[l->order][is_tie];
}

static bool is_in_range(const struct listing *l, int64_t docid)
{
    return docid > l->search.from && docid < l->search.to;
}

/* In the order of names a range is one piece (clamp); in others look() asks. */
static bool is_behind_range(const struct listing *l, int64_t docid)
{
    return l->order == BY_NAME && (l->is_down ? docid <= l->search.from : docid >= l->search.to);
}

static void bind(const struct listing *l, sqlite3_stmt *s, int64_t cell)
{
    static const struct bytes above_all_text = {(const uint8_t *)"", 0}; /* SQLite: every BLOB is greater than every TEXT */
    db_int(s, 1, cell);
    db_int(s, 2, l->from.docid);
    if (l->order == BY_ACCOUNT && l->is_down && !l->from.text.ptr)
        db_blob(s, 3, above_all_text);
    else if (l->order == BY_ACCOUNT)
        db_text(s, 3, l->from.text);
    else if (l->order != BY_NAME)
        db_int(s, 3, l->from.number);
}

static int take_cell(struct listing *l, struct top *t, int64_t cell, bool is_tie, struct err *e)
{
    enum catalog_sql id = statement(l, is_tie);
    sqlite3_stmt *s;
    int rc;
    try(db_take(&l->c->db, id, &s, e));
    bind(l, s, cell);
    while ((rc = db_step(&l->c->db, s, e)) > 0) {
        struct hit h = {.docid = sqlite3_column_int64(s, 0)};
        if (l->order == BY_ACCOUNT)
            h.text = db_col_text(s, 1);
        else if (l->order != BY_NAME)
            h.number = sqlite3_column_int64(s, 1);
        if (is_behind_range(l, h.docid) || !top_takes(l, t, h)) break;
    }
    sqlite3_reset(s);
    return rc < 0 ? rc : 0;
}

/* The first `size` rows of the group's cells behind l->from, into hits, in order. */
static int merge(struct listing *l, struct hit *hits, size_t size, size_t *n, struct err *e)
{
    struct top t = {.hits = hits, .size = size};
    for (size_t i = 0; i < l->n_cells; i++) {
        const struct cell *c = &l->c->cells.list[l->cells[i]];
        if (!l->is_meant[l->cells[i]]) continue;
        if (l->order != BY_NAME) try(take_cell(l, &t, c->id, true, e));
        try(take_cell(l, &t, c->id, false, e));
    }
    sort_hits(l, hits, t.n);
    *n = t.n;
    return 0;
}

/* --- the page ---------------------------------------------------------------------------------------- */

static bool is_full(const struct listing *l)
{
    return l->n_hits == page_size(l);
}

static void add_hit(struct listing *l, struct hit h)
{
    l->hits[l->n_hits++] = h;
}

static bool is_meant(const struct listing *l, int64_t cell)
{
    const struct cell *c = cells_find(&l->c->cells, cell);
    return c && l->is_meant[c - l->c->cells.list];
}

/* One row against cells and text; *h gets its place in the order. */
static int look(struct listing *l, int64_t docid, struct hit *h, bool *does_fit, struct err *e)
{
    sqlite3_stmt *s;
    *does_fit = false;
    *h = (struct hit){.docid = docid};
    l->looked++;
    try(db_take(&l->c->db, SQL_TEXTS, &s, e));
    db_int(s, 1, docid);
    int rc = db_step(&l->c->db, s, e);
    if (rc > 0 && is_meant(l, sqlite3_column_int64(s, 0)) && is_in_range(l, docid) &&
        search_matches(&l->search, db_col_text(s, 1), db_col_text(s, 2), db_col_text(s, 3), db_col_text(s, 4))) {
        *does_fit = true;
        if (l->order == BY_ACCOUNT) h->text = arena_str(&l->texts, db_col_text(s, 7));
        if (l->order == BY_SIGN_IN) h->number = sqlite3_column_int64(s, 5);
        if (l->order == BY_CHANGED) h->number = sqlite3_column_int64(s, 6);
    }
    sqlite3_reset(s);
    return rc < 0 ? rc : 0;
}

static bool stop_here(struct listing *l, struct hit at)
{
    if (l->looked < LOOK_MAX) return false;
    l->is_cut = true;
    l->from = at;
    return true;
}

/* In the order of names, row by row: right where many rows are meant. *is_done false: too few were. */
static int scan(struct listing *l, bool *is_done, struct err *e)
{
    sqlite3_stmt *s;
    int64_t low = l->is_down ? l->search.from : l->from.docid, high = l->is_down ? l->from.docid : l->search.to;
    int rc, n = 0;
    try(db_take(&l->c->db, l->is_down ? SQL_SCAN_DOWN : SQL_SCAN_UP, &s, e));
    db_int(s, 1, low > l->search.from ? low : l->search.from);
    db_int(s, 2, high < l->search.to ? high : l->search.to);
    *is_done = false;
    while (n++ < SCAN_MAX && !is_full(l) && (rc = db_step(&l->c->db, s, e)) != 0) {
        if (rc < 0) return rc;
        struct hit h = {.docid = sqlite3_column_int64(s, 0)};
        if (is_meant(l, sqlite3_column_int64(s, 1))) add_hit(l, h);
        l->from = h;
    }
    *is_done = is_full(l) || n <= SCAN_MAX;
    sqlite3_reset(s);
    return 0;
}

static int by_cells(struct listing *l, struct err *e)
{
    size_t n;
    try(merge(l, l->hits + l->n_hits, page_size(l) - l->n_hits, &n, e));
    l->n_hits += n;
    return 0;
}

static int by_name(struct listing *l, struct err *e)
{
    bool is_done = false;
    int64_t all = 0;
    for (size_t i = 0; i < l->c->cells.n; i++) all += l->c->cells.list[i].n;
    if (l->n_rows > all / 8) try(scan(l, &is_done, e));
    return is_done ? 0 : by_cells(l, e);
}

/* Matches of the text in the order of names. */
static int by_words(struct listing *l, struct err *e)
{
    sqlite3_stmt *s;
    struct hit h;
    bool fits;
    int rc;
    try(db_take(&l->c->db, l->is_down ? SQL_WORDS_DOWN : SQL_WORDS_UP, &s, e));
    db_text(s, 1, buf_str(&l->search.match));
    db_int(s, 2, l->from.docid);
    while (!is_full(l) && (rc = db_step(&l->c->db, s, e)) != 0) {
        if (rc < 0) return rc;
        if ((rc = look(l, sqlite3_column_int64(s, 0), &h, &fits, e)) < 0) break;
        if (fits) add_hit(l, h);
        if (stop_here(l, h)) break;
    }
    sqlite3_reset(s);
    return rc < 0 ? rc : 0;
}

/* --- a few rows, sorted afterwards -------------------------------------------------------------------- */

struct few {
    struct hit *hits;
    size_t n, cap;
};

static int add_few(struct listing *l, struct few *f, int64_t docid, struct err *e)
{
    struct hit h;
    bool fits;
    try(look(l, docid, &h, &fits, e));
    if (!fits) return 0;
    GROW(f->hits, f->n, f->cap, 256);
    f->hits[f->n++] = h;
    return 0;
}

/* Appends the docids that a statement gives, at most GATHER_MAX and one more. */
static int gather(struct listing *l, sqlite3_stmt *s, struct buf *ids, struct err *e)
{
    int rc = 0;
    while (ids->len / 8 <= GATHER_MAX && (rc = db_step(&l->c->db, s, e)) > 0) buf_add_u64le(ids, (uint64_t)sqlite3_column_int64(s, 0));
    sqlite3_reset(s);
    return rc < 0 ? rc : 0;
}

static int gather_cells(struct listing *l, struct buf *ids, struct err *e)
{
    for (size_t i = 0; i < l->n_cells; i++) {
        sqlite3_stmt *s;
        if (!l->is_meant[l->cells[i]]) continue;
        try(db_take(&l->c->db, SQL_NAME_UP, &s, e));
        db_int(s, 1, l->c->cells.list[l->cells[i]].id);
        db_int(s, 2, INT64_MIN);
        try(gather(l, s, ids, e));
    }
    return 0;
}

static int gather_matches(struct listing *l, struct buf *ids, struct err *e)
{
    bool by_prefix = l->search.how == SEARCH_PREFIX;
    sqlite3_stmt *s;
    try(db_take(&l->c->db, by_prefix ? SQL_SCAN_UP : SQL_WORDS_UP, &s, e));
    if (by_prefix)
        db_int(s, 1, l->search.from), db_int(s, 2, l->search.to);
    else
        db_text(s, 1, buf_str(&l->search.match)), db_int(s, 2, INT64_MIN);
    return gather(l, s, ids, e);
}

static int look_at_all(struct listing *l, const struct buf *ids, struct few *f, struct err *e)
{
    for (size_t i = 0; i + 8 <= ids->len; i += 8) {
        int64_t docid;
        memcpy(&docid, ids->ptr + i, sizeof docid);
        try(add_few(l, f, docid, e));
    }
    return 0;
}

static void page_of_few(struct listing *l, const struct few *f)
{
    sort_hits(l, f->hits, f->n);
    for (size_t i = 0; i < f->n && !is_full(l); i++) {
        bool is_first = l->order == BY_ACCOUNT && l->is_down && !l->from.text.ptr;
        if (is_first || compare(l, &f->hits[i], &l->from) > 0) add_hit(l, f->hits[i]);
    }
}

/* Rows in order, looked at for the text: right where the text is in many. */
static int by_looking(struct listing *l, struct err *e)
{
    struct hit chunk[CHUNK], h;
    size_t n = CHUNK;
    bool fits;
    while (n == CHUNK && !is_full(l)) {
        try(merge(l, chunk, CHUNK, &n, e));
        for (size_t i = 0; i < n && !is_full(l); i++) {
            try(look(l, chunk[i].docid, &h, &fits, e));
            if (fits) add_hit(l, h);
            if (stop_here(l, chunk[i])) return 0;
        }
        if (n) l->from = chunk[n - 1];
    }
    return 0;
}

static int by_few(struct listing *l, struct err *e)
{
    struct few f = {0};
    struct buf ids = buf_new(((size_t)GATHER_MAX + 8) * 8);
    int rc = l->n_rows <= RARE ? gather_cells(l, &ids, e) : gather_matches(l, &ids, e);
    bool is_all = ids.len / 8 <= GATHER_MAX;
    if (rc == 0 && is_all) rc = look_at_all(l, &ids, &f, e);
    if (rc == 0 && is_all) page_of_few(l, &f);
    buf_free(&ids);
    free(f.hits);
    return rc == 0 && !is_all ? by_looking(l, e) : rc;
}

/* --- groups: the cells of one kind, of one connector -------------------------------------------------- */

static struct str group_name(const struct listing *l, const struct cell *c)
{
    if (l->group == GROUP_KIND) return str_from(kind_name((enum kind)c->kind));
    const struct source *s = l->group == GROUP_SOURCE ? source_of(&l->c->sources, c->source) : NULL;
    return s ? str_from(s->name) : STR("");
}

/* The next one behind `last` (NULL: the first); false: there is none. */
static bool next_group(const struct listing *l, const struct str *last, struct str *out)
{
    bool found = false;
    for (size_t i = 0; i < l->n_cells; i++) {
        struct str name = group_name(l, &l->c->cells.list[l->cells[i]]);
        int side = l->is_down ? -1 : 1;
        if (last && str_compare(name, *last) * side <= 0) continue;
        if (!found || str_compare(name, *out) * side < 0) *out = name;
        found = true;
    }
    return found;
}

static void choose_group(struct listing *l, struct str group)
{
    l->n_rows = 0;
    l->at_group = group;
    for (size_t i = 0; i < l->n_cells; i++) {
        const struct cell *c = &l->c->cells.list[l->cells[i]];
        l->is_meant[l->cells[i]] = str_equal(group_name(l, c), group);
        if (l->is_meant[l->cells[i]]) l->n_rows += c->n;
    }
}

/* In the order of names nothing need be read outside the range. */
static void clamp(struct listing *l)
{
    if (l->order != BY_NAME) return;
    if (l->is_down && l->from.docid > l->search.to) l->from.docid = l->search.to;
    if (!l->is_down && l->from.docid < l->search.from) l->from.docid = l->search.from;
}

static int fill_group(struct listing *l, struct err *e)
{
    if (!l->n_rows) return 0;
    clamp(l);
    if (l->search.how == SEARCH_ALL) return l->order == BY_NAME ? by_name(l, e) : by_cells(l, e);
    if (l->search.how == SEARCH_PREFIX && l->order == BY_NAME) return by_name(l, e);
    if (l->n_rows <= RARE || l->order != BY_NAME) return by_few(l, e);
    return by_words(l, e);
}

static void start_anew(struct listing *l)
{
    l->from = (struct hit){.docid = l->is_down ? INT64_MAX : INT64_MIN, .number = l->is_down ? INT64_MAX : INT64_MIN};
    if (!l->is_down) l->from.text = STR("");
}

/* --- where a page ended: [group, key, name, entity] ---------------------------------------------------- */

static int place_of(struct listing *l, struct str name_key, int64_t entity, struct err *e)
{
    static const enum catalog_sql up[] = {SQL_PLACE_TIE_UP, SQL_PLACE_UP}, down[] = {SQL_PLACE_TIE_DOWN, SQL_PLACE_DOWN};
    for (size_t i = 0; i < 2; i++) {
        sqlite3_stmt *s;
        try(db_take(&l->c->db, (l->is_down ? down : up)[i], &s, e));
        db_text(s, 1, name_key);
        if (i == 0) db_int(s, 2, entity);
        int rc = db_step(&l->c->db, s, e);
        if (rc < 0) return rc;
        if (rc > 0) {
            l->from.docid = sqlite3_column_int64(s, 0);
            sqlite3_reset(s);
            return 0;
        }
    }
    return 0; /* nobody is before it */
}

static int bad_after(struct err *e)
{
    err_set(e, ERR_INPUT, "after: not what `next` of a page before said");
    return err_hint(e, "leave it out to begin with the first page");
}

static struct str json_str(const json_t *j)
{
    return (struct str){json_string_value(j), json_string_length(j)};
}

static int read_after(struct listing *l, json_t **after, struct str *group, struct err *e)
{
    *after = json_loadb(l->q->after.ptr, l->q->after.len, 0, NULL);
    const json_t *key = json_array_get(*after, 1), *name = json_array_get(*after, 2), *entity = json_array_get(*after, 3);
    if (!json_is_string(json_array_get(*after, 0)) || !json_is_string(name) || !json_is_integer(entity)) return bad_after(e);
    if (!(l->order == BY_ACCOUNT ? json_is_string(key) : json_is_integer(key))) return bad_after(e);
    *group = json_str(json_array_get(*after, 0));
    if (l->order == BY_ACCOUNT)
        l->from.text = json_string_length(key) ? arena_str(&l->texts, json_str(key)) : STR("");
    else
        l->from.number = json_integer_value(key);
    return place_of(l, json_str(name), json_integer_value(entity), e);
}

static int write_after(struct listing *l, struct hit last, struct buf *out, struct err *e)
{
    sqlite3_stmt *s;
    try(db_take(&l->c->db, SQL_ROW, &s, e));
    db_int(s, 1, last.docid);
    int rc = db_step(&l->c->db, s, e);
    if (rc < 0) return rc;
    const struct cell *c = rc ? cells_find(&l->c->cells, sqlite3_column_int64(s, 0)) : NULL;
    json_t *a = json_array();
    /* where it was cut, the row that was looked at last may be of another group */
    struct str group = is_full(l) ? (c ? group_name(l, c) : STR("")) : l->at_group;
    json_array_append_new(a, jsonv_str(group));
    json_array_append_new(a, l->order == BY_ACCOUNT ? jsonv_str(rc ? db_col_text(s, 12) : STR("")) : json_integer(last.number));
    json_array_append_new(a, jsonv_str(rc ? db_col_text(s, 11) : STR("")));
    json_array_append_new(a, json_integer(rc ? sqlite3_column_int64(s, 10) : 0));
    sqlite3_reset(s);
    char *text = json_dumps(a, JSON_COMPACT);
    buf_add_str(out, str_from(text));
    free(text);
    json_decref(a);
    return 0;
}

/* --- the answer ------------------------------------------------------------------------------------------------ */

static int tell(struct listing *l, catalog_each *each, void *ctx, struct buf *next, struct err *e)
{
    size_t n = l->n_hits < (size_t)l->q->limit ? l->n_hits : (size_t)l->q->limit;
    for (size_t i = 0; i < n; i++) try(row_give(l->c, l->hits[i].docid, each, ctx, e));
    if (is_full(l)) return write_after(l, l->hits[n - 1], next, e);
    return l->is_cut ? write_after(l, l->from, next, e) : 0;
}

/* --- the query --------------------------------------------------------------------------------------------- */

static int read_sort(struct listing *l, struct err *e)
{
    static const struct {
        const char *name;
        enum order order;
        int group;
    } sorts[] = {{"name", BY_NAME, GROUP_NONE},   {"account", BY_ACCOUNT, GROUP_NONE},      {"kind", BY_NAME, GROUP_KIND},
                 {"source", BY_NAME, GROUP_SOURCE}, {"last_sign_in", BY_SIGN_IN, GROUP_NONE}, {"last_changed", BY_CHANGED, GROUP_NONE}};
    struct str name = l->q->sort.len ? l->q->sort : STR("name");
    l->is_down = name.ptr[0] == '-';
    if (l->is_down) name = (struct str){name.ptr + 1, name.len - 1};
    for (size_t i = 0; i < n_elements(sorts); i++) {
        if (!str_equal(name, str_from(sorts[i].name))) continue;
        l->order = sorts[i].order;
        l->group = (unsigned)sorts[i].group;
        return 0;
    }
    err_set(e, ERR_INPUT, "sort: \"%.*s\" is no column to sort by", STR_FMT(name));
    return err_hint(e, "name, account, kind, source, last_sign_in or last_changed; with - in front for the other direction");
}

static int by_size(const void *a, const void *b, void *cells)
{
    const struct cell *list = cells, *x = &list[*(const size_t *)a], *y = &list[*(const size_t *)b];
    return COMPARE(y->n, x->n);
}

static void choose_cells(struct listing *l)
{
    const struct cells *all = &l->c->cells;
    l->cells = x_alloc((all->n + 1) * sizeof *l->cells);
    l->is_meant = x_zalloc(all->n + 1);
    for (size_t i = 0; i < all->n; i++)
        if (all->list[i].n && !filter_misses(&l->filter, &all->list[i])) l->cells[l->n_cells++] = i;
    if (l->n_cells) qsort_r(l->cells, l->n_cells, sizeof *l->cells, by_size, all->list);
}

static int fill_page(struct listing *l, struct err *e)
{
    json_t *after = NULL;
    struct str group = {0}, wanted = {0};
    int rc = 0;
    start_anew(l);
    if (l->q->after.len) rc = read_after(l, &after, &wanted, e);
    bool has_more = rc == 0 && next_group(l, NULL, &group);
    while (has_more && rc == 0 && !is_full(l) && !l->is_cut) {
        int side = str_compare(group, wanted) * (l->is_down ? -1 : 1);
        bool is_behind = l->q->after.len && side > 0, is_before = l->q->after.len && side < 0;
        if (is_behind && l->group) start_anew(l);
        if (!is_before || !l->group) {
            choose_group(l, group);
            rc = fill_group(l, e);
        }
        if (!l->q->after.len && !is_full(l) && !l->is_cut) start_anew(l);
        struct str last = group;
        has_more = next_group(l, &last, &group);
    }
    json_decref(after);
    return rc;
}

static int list_now(struct listing *l, catalog_each *each, void *ctx, struct buf *next, struct err *e)
{
    try(filter_open(&l->filter, l->c, l->q, e));
    try(search_open(&l->search, l->c, l->q->search, e));
    choose_cells(l);
    l->hits = x_alloc(page_size(l) * sizeof *l->hits);
    try(fill_page(l, e));
    return tell(l, each, ctx, next, e);
}

int catalog_list(struct catalog *c, const struct catalog_query *q, catalog_each *each, void *ctx, struct buf *next, struct err *e)
{
    struct listing l = {.c = c, .q = q, .texts = arena_new((size_t)64 << 20)};
    try(read_sort(&l, e));
    if (q->limit < 1 || q->limit > 1000) return err_set(e, ERR_INPUT, "limit: 1 to 1000");
    try(catalog_begin(c, e));
    struct buf after = buf_new(SIZE_MAX / 2); /* q->after may be borrowed from *next */
    int rc = list_now(&l, each, ctx, &after, e);
    catalog_end(c);
    buf_free(next);
    *next = after;
    filter_close(&l.filter);
    search_close(&l.search);
    arena_free(&l.texts);
    free(l.cells);
    free(l.is_meant);
    free(l.hits);
    return rc;
}
