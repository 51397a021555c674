/* A row as the API tells it. */
#include "catalog/catalog_int.h"

#include "base/jsonv.h"
#include "base/when.h"

/* Text of a file that somebody else could have written is not sure to be UTF-8. */
static void put_text(struct jsonw *j, struct str s)
{
    if (str_is_utf8(s)) {
        jsonw_str(j, s);
        return;
    }
    json_t *repaired = jsonv_str(s);
    jsonw_str(j, (struct str){json_string_value(repaired), json_string_length(repaired)});
    json_decref(repaired);
}

static void put_optional(struct jsonw *j, struct str key, struct str s)
{
    jsonw_raw_key(j, key);
    if (s.len)
        put_text(j, s);
    else
        jsonw_null(j);
}

static void put_time(struct jsonw *j, struct str key, int64_t ms)
{
    char text[WHEN_TEXT];
    put_optional(j, key, ms ? str_from(when_format(text, ms)) : STR(""));
}

static void put_tri(struct jsonw *j, struct str key, uint8_t t)
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
    for (size_t i = 0; tags >> i && catalog_tags[i]; i++)
        if (tags >> i & 1) jsonw_str(j, str_from(catalog_tags[i]));
    jsonw_end(j);
}

static void put_row(struct jsonw *j, const struct catalog *c, sqlite3_stmt *s)
{
    static const struct cell none;
    char uid[GUID_TEXT] = "";
    const struct cell *x = cells_find(&c->cells, sqlite3_column_int64(s, 0));
    if (!x) x = &none;
    const struct source *source = source_of(&c->sources, x->source);
    struct bytes guid = db_col_blob(s, 6);
    if (guid.len == GUID_SIZE) guid_format(uid, guid.ptr);
    jsonw_object(j);
    jsonw_kstr(j, "connector", str_from(source ? source->name : ""));
    jsonw_kstr(j, "kind", str_from(kind_name((enum kind)x->kind)));
    jsonw_kstr(j, "uid", str_from(uid));
    jsonw_raw_key(j, STR("\"name\":"));
    put_text(j, db_col_text(s, 1));
    put_optional(j, STR("\"account\":"), db_col_text(s, 2));
    put_optional(j, STR("\"display_name\":"), db_col_text(s, 3));
    put_optional(j, STR("\"mail\":"), db_col_text(s, 4));
    put_optional(j, STR("\"dn\":"), db_col_text(s, 5));
    put_tri(j, STR("\"enabled\":"), x->enabled);
    jsonw_kbool(j, "admin", x->admin);
    jsonw_kstr(j, "mfa", str_from(tri_names[x->mfa]));
    put_time(j, STR("\"last_sign_in\":"), sqlite3_column_int64(s, 7));
    put_time(j, STR("\"last_changed\":"), sqlite3_column_int64(s, 8));
    put_tags(j, x->tags);
    put_time(j, STR("\"deleted\":"), sqlite3_column_int64(s, 9));
    jsonw_end(j);
}

int catalog_row_write(struct catalog *c, int64_t docid, struct jsonw *out, bool *is_there, struct err *e)
{
    sqlite3_stmt *s;
    try(db_take(&c->db, SQL_ROW, &s, e));
    db_int(s, 1, docid);
    int rc = db_step(&c->db, s, e);
    *is_there = rc > 0;
    if (rc > 0) put_row(out, c, s);
    sqlite3_reset(s);
    return rc < 0 ? rc : 0;
}

int catalog_row(struct catalog *c, int64_t docid, json_t **out, struct err *e)
{
    struct buf text = buf_new(ROW_MAX);
    struct jsonw j = jsonw_new(&text);
    bool is_there;
    int rc = catalog_row_write(c, docid, &j, &is_there, e);
    *out = rc == 0 && is_there ? json_loadb((const char *)text.ptr, text.len, 0, NULL) : NULL;
    buf_free(&text);
    return rc;
}
