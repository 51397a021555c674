/* A row as readers get it, and as JSON. */
#include "catalog/catalog_int.h"

#include "base/jsonv.h"
#include "base/when.h"

/* --- reading ------------------------------------------------------------------------------------------ */

#define TEXTS 5

/* Text of a file that somebody else could have written is not sure to be UTF-8. */
static struct str text_of(sqlite3_stmt *s, int column, json_t **repaired)
{
    struct str t = db_col_text(s, column);
    if (str_is_utf8(t)) return t;
    *repaired = jsonv_str(t);
    return (struct str){json_string_value(*repaired), json_string_length(*repaired)};
}

static int give(const struct catalog *c, sqlite3_stmt *s, catalog_each *each, void *ctx, struct err *e)
{
    static const struct cell none;
    json_t *repaired[TEXTS] = {0};
    struct str text[TEXTS];
    char uid[GUID_TEXT] = "";
    const struct cell *x = cells_find(&c->cells, sqlite3_column_int64(s, 0));
    if (!x) x = &none;
    const struct source *source = source_of(&c->sources, x->source);
    struct bytes guid = db_col_blob(s, 6);
    if (guid.len == GUID_SIZE) guid_format(uid, guid.ptr);
    for (int i = 0; i < TEXTS; i++) text[i] = text_of(s, 1 + i, &repaired[i]);
    struct catalog_row row = {
        .connector = str_from(source ? source->name : ""),
        .uid = str_from(uid),
        .name = text[0],
        .account = text[1],
        .display_name = text[2],
        .mail = text[3],
        .dn = text[4],
        .kind = (enum kind)x->kind,
        .enabled = (enum tri)x->enabled,
        .mfa = (enum tri)x->mfa,
        .is_admin = x->admin,
        .tags = x->tags,
        .last_sign_in_ms = sqlite3_column_int64(s, 7),
        .last_changed_ms = sqlite3_column_int64(s, 8),
        .deleted_ms = sqlite3_column_int64(s, 9),
    };
    int rc = each(ctx, &row, e);
    for (size_t i = 0; i < TEXTS; i++) json_decref(repaired[i]);
    return rc;
}

int row_give(struct catalog *c, int64_t docid, catalog_each *each, void *ctx, struct err *e)
{
    sqlite3_stmt *s;
    try(db_take(&c->db, SQL_ROW, &s, e));
    db_int(s, 1, docid);
    int rc = db_step(&c->db, s, e);
    if (rc > 0) rc = give(c, s, each, ctx, e);
    sqlite3_reset(s);
    return rc;
}

/* --- JSON ------------------------------------------------------------------------------------------------ */

static void put_optional(struct jsonw *j, struct str key, struct str s)
{
    jsonw_raw_key(j, key);
    if (s.len)
        jsonw_str(j, s);
    else
        jsonw_null(j);
}

static void put_time(struct jsonw *j, struct str key, int64_t ms)
{
    char text[WHEN_TEXT];
    put_optional(j, key, ms ? str_from(when_format(text, ms)) : STR(""));
}

static void put_tri(struct jsonw *j, struct str key, enum tri t)
{
    jsonw_raw_key(j, key);
    if (t == TRI_UNKNOWN)
        jsonw_null(j);
    else
        jsonw_bool(j, t == TRI_YES);
}

static void put_tags(struct jsonw *j, uint32_t tags)
{
    jsonw_raw_key(j, STR("\"tags\":"));
    jsonw_array(j);
    for (const char *tag; (tag = catalog_next_tag(&tags));) jsonw_str(j, str_from(tag));
    jsonw_end(j);
}

void catalog_row_json(struct jsonw *out, const struct catalog_row *row)
{
    jsonw_object(out);
    jsonw_kstr(out, "connector", row->connector);
    jsonw_kstr(out, "kind", str_from(kind_name(row->kind)));
    jsonw_kstr(out, "uid", row->uid);
    jsonw_kstr(out, "name", row->name);
    put_optional(out, STR("\"account\":"), row->account);
    put_optional(out, STR("\"display_name\":"), row->display_name);
    put_optional(out, STR("\"mail\":"), row->mail);
    put_optional(out, STR("\"dn\":"), row->dn);
    put_tri(out, STR("\"enabled\":"), row->enabled);
    jsonw_kbool(out, "admin", row->is_admin);
    jsonw_kstr(out, "mfa", str_from(tri_names[row->mfa]));
    put_time(out, STR("\"last_sign_in\":"), row->last_sign_in_ms);
    put_time(out, STR("\"last_changed\":"), row->last_changed_ms);
    put_tags(out, row->tags);
    put_time(out, STR("\"deleted\":"), row->deleted_ms);
    jsonw_end(out);
}

struct page {
    struct jsonw *out;
    size_t n;
};

static int put_row(void *ctx, const struct catalog_row *row, struct err *e)
{
    struct page *p = ctx;
    (void)e;
    catalog_row_json(p->out, row);
    p->n++;
    return 0;
}

int catalog_list_json(struct catalog *c, const struct catalog_query *q, struct jsonw *out, size_t *n, struct buf *next, struct err *e)
{
    struct page p = {out, *n};
    int rc = catalog_list(c, q, put_row, &p, next, e);
    *n = p.n;
    return rc;
}
