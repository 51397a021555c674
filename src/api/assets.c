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

static int write_page(struct catalog *c, struct catalog_query *query, struct buf *out, struct err *e)
{
    struct jsonw j = jsonw_new(out);
    struct buf next = buf_new(SIZE_MAX / 2);
    size_t n = 0;
    jsonw_object(&j);
    jsonw_key(&j, STR("items"));
    jsonw_array(&j);
    int rc = catalog_list_json(c, query, &j, &n, &next, e);
    for (int i = 0; i < TRIES && rc == 0 && !n && next.len; i++) {
        query->after = buf_str(&next);
        rc = catalog_list_json(c, query, &j, &n, &next, e);
    }
    jsonw_end(&j);
    jsonw_key(&j, STR("next"));
    if (next.len)
        jsonw_str(&j, buf_str(&next));
    else
        jsonw_null(&j);
    jsonw_end(&j);
    buf_free(&next);
    return rc;
}

static int list(struct request *q, struct err *e)
{
    struct catalog_query query;
    struct catalog *c;
    try(asset_query(q, &query, e));
    int rc = catalog_lend(q, &c, e);
    if (rc == ERR_NOTFOUND) return reply_json(q, 200, json_pack("{s:[], s:n}", "items", "next"));
    if (rc < 0) return rc;
    struct buf text = buf_new(SIZE_MAX / 2);
    rc = write_page(c, &query, &text, e);
    catalog_return(c);
    if (rc == 0) rc = reply_bytes(q, 200, "application/json", buf_bytes(&text));
    buf_free(&text);
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
#define EXPORT_PIECE ((size_t)32 << 10)

struct exporting {
    struct catalog *catalog;
    struct catalog_query query;
    char *texts; /* what the query borrows */
    struct buf page, next;
    size_t taken; /* of the page */
    bool is_csv, has_begun, has_rows;
};

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

static void csv_time(struct buf *out, int64_t ms)
{
    char text[WHEN_TEXT];
    if (ms) buf_add_str(out, str_from(when_format(text, ms)));
}

static void csv_tags(struct buf *out, uint32_t tags)
{
    const char *before = "";
    for (const char *tag; (tag = catalog_next_tag(&tags)); before = ";") buf_printf(out, "%s%s", before, tag);
}

static const char csv_header[] = "connector,kind,uid,name,account,display_name,mail,dn,enabled,admin,mfa,tags,last_sign_in,last_changed,deleted\r\n";

/* What programs compare is never touched by the guard. */
static void csv_row(struct buf *out, const struct catalog_row *row)
{
    const struct {
        struct str text;
        bool is_key;
    } cells[] = {{row->connector, true}, {str_from(kind_name(row->kind)), true}, {row->uid, true}, {row->name, false}, {row->account, false}, {row->display_name, false}, {row->mail, false},
                 {row->dn, false}};
    for (size_t i = 0; i < n_elements(cells); i++) {
        csv_cell(out, cells[i].text, cells[i].is_key);
        buf_add_byte(out, ',');
    }
    const char *enabled = row->enabled == TRI_UNKNOWN ? "" : row->enabled == TRI_YES ? "true" : "false";
    buf_printf(out, "%s,%s,%s,", enabled, row->is_admin ? "true" : "false", tri_names[row->mfa]);
    csv_tags(out, row->tags);
    const int64_t times[] = {row->last_sign_in_ms, row->last_changed_ms, row->deleted_ms};
    for (size_t i = 0; i < n_elements(times); i++) {
        buf_add_byte(out, ',');
        csv_time(out, times[i]);
    }
    buf_add_str(out, STR("\r\n"));
}

static int add_row(void *ctx, const struct catalog_row *row, struct err *e)
{
    struct exporting *x = ctx;
    (void)e;
    if (x->is_csv) {
        csv_row(&x->page, row);
        return 0;
    }
    struct jsonw j = jsonw_new(&x->page);
    buf_add_str(&x->page, x->has_rows ? STR(",\n") : STR("[\n"));
    x->has_rows = true;
    catalog_row_json(&j, row);
    return 0;
}

static int next_page(struct exporting *x, struct err *e)
{
    buf_clear(&x->page);
    x->taken = 0;
    if (x->is_csv && !x->has_begun) buf_add_str(&x->page, str_from(csv_header));
    x->has_begun = true;
    x->query.after = buf_str(&x->next);
    try(catalog_list(x->catalog, &x->query, add_row, x, &x->next, e));
    if (!x->next.len && !x->is_csv) buf_add_str(&x->page, x->has_rows ? STR("\n]\n") : STR("[]\n"));
    return 0;
}

static int next_piece(void *ctx, struct buf *out, struct err *e)
{
    struct exporting *x = ctx;
    if (x->taken == x->page.len) try(next_page(x, e));
    size_t left = x->page.len - x->taken, n = left < EXPORT_PIECE ? left : EXPORT_PIECE;
    buf_add(out, x->page.ptr + x->taken, n);
    x->taken += n;
    return x->taken < x->page.len || x->next.len;
}

static void end_export(void *ctx)
{
    struct exporting *x = ctx;
    catalog_close(x->catalog);
    buf_free(&x->page);
    buf_free(&x->next);
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
    *x = (struct exporting){.catalog = c, .query = query, .page = buf_new(SIZE_MAX / 2), .next = buf_new(SIZE_MAX / 2), .is_csv = is_csv};
    x->query.limit = EXPORT_PAGE;
    keep_texts(x);
    return reply_stream(q, is_csv ? "text/csv; charset=utf-8" : "application/json", is_csv ? "assets.csv" : "assets.json", next_piece, end_export, x);
}

const struct route routes_assets[] = {
    {"GET", "/api/v1/assets", RIGHT_VIEW, list, "Assets that filters and text mean, a page at a time", ASSET_FILTERS " sort after limit", NULL, 0, LANE_ANY},
    {"GET", "/api/v1/assets/facets", RIGHT_VIEW, facets, "How many assets have each value of each filter", ASSET_FILTERS, NULL, 0, LANE_ANY},
    {"GET", "/api/v1/assets/export", RIGHT_ANALYZE, export, "The same assets as a file", ASSET_FILTERS " sort format", NULL, 0, LANE_ANY},
    {0},
};
