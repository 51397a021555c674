/* assets.c - routes of the list of assets: pages, counts, the whole as a file, own labels. */
#include "api/catalog_pool.h"

#include "base/jsonv.h"
#include "base/jsonw.h"
#include "base/when.h"
#include "server/state/documents.h"

#include <stdio.h>
#include <stdlib.h>

/* --- pages ---------------------------------------------------------------------------------------------------- */

#define TRIES 8 /* a page may be empty although others follow (catalog.h): nobody should have to ask again for nothing */

static int page_with_rows(struct catalog *c, struct catalog_query *query, struct catalog_page *out, struct err *e)
{
    struct buf after = buf_new(SIZE_MAX / 2);
    int rc = catalog_page(c, query, out, e);
    for (int i = 0; i < TRIES && rc == 0 && !out->n && out->next.len; i++) {
        buf_clear(&after);
        buf_add_bytes(&after, buf_bytes(&out->next));
        catalog_page_free(out);
        query->after = buf_str(&after);
        rc = catalog_page(c, query, out, e);
    }
    buf_free(&after);
    return rc;
}

static int reply_assets(struct request *q, const struct catalog_page *p)
{
    struct buf b = buf_new(SIZE_MAX / 2);
    struct jsonw j = jsonw_new(&b);
    buf_add_str(&b, STR("{\"items\":["));
    buf_add_bytes(&b, buf_bytes(&p->items));
    buf_add_str(&b, STR("],\"next\":"));
    if (p->next.len)
        jsonw_str(&j, buf_str(&p->next));
    else
        jsonw_null(&j);
    buf_add_byte(&b, '}');
    int rc = reply_bytes(q, 200, "application/json", buf_bytes(&b));
    buf_free(&b);
    return rc;
}

static int list(struct request *q, struct err *e)
{
    struct catalog_query query;
    struct catalog *c;
    struct catalog_page page;
    try(asset_query(q, &query, e));
    int rc = catalog_lend(q, &c, e);
    if (rc == ERR_NOTFOUND) return reply_json(q, 200, json_pack("{s:[], s:n}", "items", "next"));
    if (rc < 0) return rc;
    rc = page_with_rows(c, &query, &page, e);
    catalog_return(c);
    if (rc == 0) rc = reply_assets(q, &page);
    catalog_page_free(&page);
    return rc;
}

static int facets(struct request *q, struct err *e)
{
    struct catalog_query query;
    struct catalog *c;
    json_t *out;
    try(asset_query(q, &query, e));
    int rc = catalog_lend(q, &c, e);
    if (rc == ERR_NOTFOUND)
        return reply_json(q, 200, json_pack("{s:i, s:b, s:{}, s:{}, s:{}, s:{}, s:{}, s:{}, s:{}, s:{}}", "total", 0, "exact", 1, "kind", "source", "enabled", "admin", "mfa",
                                            "sign_in", "tag", "deleted"));
    if (rc < 0) return rc;
    rc = catalog_facets(c, &query, &out, e);
    catalog_return(c);
    return rc < 0 ? rc : reply_json(q, 200, out);
}

/* --- a file ------------------------------------------------------------------------------------------------------ */

#define EXPORT_PAGE  100
#define EXPORT_PIECE ((size_t)24 << 10) /* a row is at most 36 KiB of JSON: five texts of 1 KiB, escaped */

struct exporting {
    struct catalog *catalog;
    struct catalog_query query;
    char *texts; /* what the query borrows */
    json_t *page;
    char *after;
    size_t at; /* in the page */
    bool is_csv, has_begun, is_over;
};

static const struct {
    const char *name;
    bool is_key; /* compared by programs: never touched by the guard */
} columns[] = {{"connector", true}, {"kind", true},  {"uid", true}, {"name", false}, {"account", false},      {"display_name", false}, {"mail", false}, {"dn", false},
               {"enabled", true},   {"admin", true}, {"mfa", true}, {"tags", true},  {"last_sign_in", true}, {"last_changed", true},  {"deleted", true}};

/* As the csv dialect does: a spreadsheet takes = + - @ TAB CR at the start of a cell for a formula (RFC 4180 for the rest). */
static void csv_cell(struct buf *out, struct str s, bool is_key)
{
    bool guard = !is_key && s.len && memchr("=+-@\t\r", s.ptr[0], 6), quotes = false;
    for (size_t i = 0; i < s.len; i++) quotes |= s.ptr[i] == ',' || s.ptr[i] == '"' || s.ptr[i] == '\r' || s.ptr[i] == '\n';
    quotes |= s.len && (s.ptr[0] == ' ' || s.ptr[s.len - 1] == ' ');
    if (quotes) buf_add_byte(out, '"');
    if (guard) buf_add_byte(out, '\'');
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '"') buf_add_byte(out, '"');
        buf_add_byte(out, (uint8_t)s.ptr[i]);
    }
    if (quotes) buf_add_byte(out, '"');
}

static void csv_tags(struct buf *out, const json_t *tags)
{
    size_t i;
    json_t *one;
    json_array_foreach(tags, i, one) buf_printf(out, "%s%s", i ? ";" : "", json_string_value(one));
}

static void csv_row(struct buf *out, const json_t *row)
{
    for (size_t i = 0; i < n_elements(columns); i++) {
        const json_t *v = json_object_get(row, columns[i].name);
        if (i) buf_add_byte(out, ',');
        if (json_is_string(v)) csv_cell(out, (struct str){json_string_value(v), json_string_length(v)}, columns[i].is_key);
        if (json_is_boolean(v)) buf_add_str(out, json_is_true(v) ? STR("true") : STR("false"));
        if (json_is_array(v)) csv_tags(out, v);
    }
    buf_add_str(out, STR("\r\n"));
}

static void csv_header(struct buf *out)
{
    for (size_t i = 0; i < n_elements(columns); i++) buf_printf(out, "%s%s", i ? "," : "", columns[i].name);
    buf_add_str(out, STR("\r\n"));
}

static int dump(const char *text, size_t n, void *out)
{
    buf_add(out, text, n);
    return 0;
}

static void add_row(struct exporting *x, struct buf *out, const json_t *row)
{
    if (x->is_csv) {
        csv_row(out, row);
        return;
    }
    buf_add_str(out, x->has_begun ? STR(",\n") : STR("[\n"));
    x->has_begun = true;
    json_dump_callback(row, dump, out, JSON_COMPACT);
}

static int next_page(struct exporting *x, struct err *e)
{
    json_decref(x->page);
    x->page = NULL;
    x->at = 0;
    x->query.after = str_from(x->after);
    try(catalog_list(x->catalog, &x->query, &x->page, e));
    const char *next = json_string_value(json_object_get(x->page, "next"));
    free(x->after);
    x->after = next ? x_strdup(str_from(next)) : NULL;
    x->is_over = !next;
    return 0;
}

static int next_piece(void *ctx, struct buf *out, struct err *e)
{
    struct exporting *x = ctx;
    if (x->is_csv && !x->has_begun) csv_header(out);
    if (x->is_csv) x->has_begun = true;
    while (out->len < EXPORT_PIECE) {
        const json_t *row = json_array_get(json_object_get(x->page, "items"), x->at);
        if (row) {
            add_row(x, out, row);
            x->at++;
        } else if (x->is_over) {
            if (!x->is_csv) buf_add_str(out, x->has_begun ? STR("\n]\n") : STR("[]\n"));
            return 0;
        } else {
            try(next_page(x, e));
        }
    }
    return 1;
}

static void end_export(void *ctx)
{
    struct exporting *x = ctx;
    catalog_close(x->catalog);
    json_decref(x->page);
    free(x->after);
    free(x->texts);
    free(x);
}

/* The query outlives the request's strings. */
static void keep_texts(struct exporting *x)
{
    struct str *texts[4 + n_elements(x->query.source) + n_elements(x->query.tags)] = {&x->query.mfa, &x->query.sign_in, &x->query.search, &x->query.sort};
    size_t n = 4, len = 1, at = 0;
    for (size_t i = 0; i < x->query.n_sources; i++) texts[n++] = &x->query.source[i];
    for (size_t i = 0; i < x->query.n_tags; i++) texts[n++] = &x->query.tags[i];
    for (size_t i = 0; i < n; i++) len += texts[i]->len;
    x->texts = x_zalloc(len);
    for (size_t i = 0; i < n; i++) {
        if (texts[i]->len) memcpy(x->texts + at, texts[i]->ptr, texts[i]->len);
        texts[i]->ptr = x->texts + at;
        at += texts[i]->len;
    }
}

static int export(struct request *q, struct err *e)
{
    const char *format = request_query(q, "format");
    struct catalog_query query;
    struct catalog *c;
    try(asset_query(q, &query, e));
    bool is_csv = !format || strcmp(format, "csv") == 0;
    if (!is_csv && strcmp(format, "json") != 0) return err_set(e, ERR_INPUT, "format: csv or json");
    try(catalog_open(&c, q->app->catalog_path, e)); /* of its own: the stream outlives the handler */
    struct exporting *x = x_zalloc(sizeof *x);
    *x = (struct exporting){.catalog = c, .query = query, .is_csv = is_csv};
    x->query.limit = EXPORT_PAGE;
    x->query.after = (struct str){"", 0};
    keep_texts(x);
    return reply_stream(q, is_csv ? "text/csv; charset=utf-8" : "application/json", is_csv ? "assets.csv" : "assets.json", next_piece, end_export, x);
}

const struct route routes_assets[] = {
    {"GET", "/api/v1/assets", RIGHT_VIEW, list, "Assets that filters and text mean, a page at a time", ASSET_FILTERS " sort after limit", NULL, 0, LANE_ANY},
    {"GET", "/api/v1/assets/facets", RIGHT_VIEW, facets, "How many assets have each value of each filter", ASSET_FILTERS, NULL, 0, LANE_ANY},
    {"GET", "/api/v1/assets/export", RIGHT_ANALYZE, export, "The same assets as a file", ASSET_FILTERS " sort format", NULL, 0, LANE_ANY},
    {0},
};
