/* A row as the API tells it. */
#include "catalog/catalog_int.h"

#include "base/jsonv.h"

static json_t *text_or_null(struct str s)
{
    return s.len ? jsonv_str(s) : json_null();
}

static json_t *time_or_null(int64_t ms)
{
    json_t *t = jsonv_time(ms);
    return t ? t : json_null();
}

static json_t *tri_json(uint8_t t)
{
    return t == TRI_UNKNOWN ? json_null() : json_boolean(t == TRI_YES);
}

static json_t *tags_json(uint32_t tags)
{
    json_t *list = json_array();
    for (size_t i = 0; catalog_tags[i]; i++)
        if (tags >> i & 1) json_array_append_new(list, json_string(catalog_tags[i]));
    return list;
}

static json_t *row_json(const struct catalog *c, sqlite3_stmt *s)
{
    static const struct cell none;
    char uid[GUID_TEXT] = "";
    const struct cell *x = cells_find(&c->cells, sqlite3_column_int64(s, 0));
    if (!x) x = &none;
    const struct source *source = source_of(&c->sources, x->source);
    struct bytes guid = db_col_blob(s, 6);
    json_t *j = json_object();
    jsonv_put(j, "connector", json_string(source ? source->name : ""));
    jsonv_put(j, "kind", json_string(kind_name((enum kind)x->kind)));
    jsonv_put(j, "uid", json_string(guid.len == GUID_SIZE ? guid_format(uid, guid.ptr) : ""));
    jsonv_put(j, "name", jsonv_str(db_col_text(s, 1)));
    jsonv_put(j, "account", text_or_null(db_col_text(s, 2)));
    jsonv_put(j, "display_name", text_or_null(db_col_text(s, 3)));
    jsonv_put(j, "mail", text_or_null(db_col_text(s, 4)));
    jsonv_put(j, "dn", text_or_null(db_col_text(s, 5)));
    jsonv_put(j, "enabled", tri_json(x->enabled));
    jsonv_put(j, "admin", json_boolean(x->admin));
    jsonv_put(j, "mfa", json_string(tri_names[x->mfa]));
    jsonv_put(j, "last_sign_in", time_or_null(sqlite3_column_int64(s, 7)));
    jsonv_put(j, "last_changed", time_or_null(sqlite3_column_int64(s, 8)));
    jsonv_put(j, "tags", tags_json(x->tags));
    jsonv_put(j, "deleted", time_or_null(sqlite3_column_int64(s, 9)));
    return j;
}

int catalog_row(struct catalog *c, int64_t docid, json_t **out, struct err *e)
{
    sqlite3_stmt *s;
    try(db_take(&c->db, SQL_ROW, &s, e));
    db_int(s, 1, docid);
    int rc = db_step(&c->db, s, e);
    *out = rc > 0 ? row_json(c, s) : NULL;
    sqlite3_reset(s);
    return rc < 0 ? rc : 0;
}
