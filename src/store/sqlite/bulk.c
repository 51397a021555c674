#include "store/sqlite/bulk.h"

#include <stdlib.h>

#define BYTES_MAX ((size_t)1 << 31)

/* --- rows ------------------------------------------------------------------------------------- */

struct bulk bulk_new(unsigned n_columns)
{
    return (struct bulk){.n_columns = n_columns, .bytes = buf_new(BYTES_MAX)};
}

void bulk_free(struct bulk *b)
{
    free(b->cells);
    buf_free(&b->bytes);
    *b = bulk_new(b->n_columns);
}

static void add(struct bulk *b, struct bulk_cell cell)
{
    GROW(b->cells, b->n_cells, b->cap_cells, 64 * BULK_COLUMNS);
    b->cells[b->n_cells++] = cell;
}

void bulk_null(struct bulk *b)
{
    add(b, (struct bulk_cell){.type = BULK_NULL});
}

void bulk_int(struct bulk *b, int64_t v)
{
    add(b, (struct bulk_cell){.v = v, .type = BULK_INT});
}

void bulk_blob(struct bulk *b, struct bytes v)
{
    add(b, (struct bulk_cell){.v = (int64_t)b->bytes.len, .len = (uint32_t)v.len, .type = BULK_BLOB});
    buf_add_bytes(&b->bytes, v);
}

void bulk_text(struct bulk *b, struct str v)
{
    add(b, (struct bulk_cell){.v = (int64_t)b->bytes.len, .len = (uint32_t)v.len, .type = BULK_TEXT});
    buf_add_str(&b->bytes, v);
}

/* --- the virtual table: https://www.sqlite.org/vtab.html, eponymous and read-only ------------- */

struct cursor_of_bulk {
    sqlite3_vtab_cursor base;
    const struct bulk *from;
    size_t row, n_rows;
};
struct bulk_table {
    sqlite3_vtab base;
    struct sq *q;
};

static int table_connect(sqlite3 *db, void *q, int argc, const char *const *argv, sqlite3_vtab **out,
                         char **message)
{
    (void)argc, (void)argv, (void)message;
    int rc =
        sqlite3_declare_vtab(db, "CREATE TABLE bulk (c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12)");
    if (rc != SQLITE_OK) return rc;
    struct bulk_table *t = x_zalloc(sizeof *t);
    t->q = q;
    *out = &t->base;
    return SQLITE_OK;
}

static int table_disconnect(sqlite3_vtab *t)
{
    free(t);
    return SQLITE_OK;
}

static int table_best_index(sqlite3_vtab *t, sqlite3_index_info *info)
{
    (void)t;
    info->estimatedCost = 1000;
    return SQLITE_OK;
}

static int table_open(sqlite3_vtab *t, sqlite3_vtab_cursor **out)
{
    (void)t;
    struct cursor_of_bulk *c = x_zalloc(sizeof *c);
    *out = &c->base;
    return SQLITE_OK;
}

static int table_close(sqlite3_vtab_cursor *c)
{
    free(c);
    return SQLITE_OK;
}

static int table_filter(sqlite3_vtab_cursor *base, int number, const char *name, int argc,
                        sqlite3_value **argv)
{
    (void)number, (void)name, (void)argc, (void)argv;
    struct cursor_of_bulk *c = (struct cursor_of_bulk *)base;
    c->from = ((struct bulk_table *)base->pVtab)->q->bulk;
    c->row = 0;
    c->n_rows = c->from ? bulk_rows(c->from) : 0;
    return SQLITE_OK;
}

static int table_next(sqlite3_vtab_cursor *base)
{
    ((struct cursor_of_bulk *)base)->row++;
    return SQLITE_OK;
}

static int table_eof(sqlite3_vtab_cursor *base)
{
    const struct cursor_of_bulk *c = (const struct cursor_of_bulk *)base;
    return c->row >= c->n_rows;
}

static int table_column(sqlite3_vtab_cursor *base, sqlite3_context *out, int column)
{
    const struct cursor_of_bulk *c = (const struct cursor_of_bulk *)base;
    if ((unsigned)column >= c->from->n_columns) return SQLITE_OK; /* NULL */
    const struct bulk_cell *cell = &c->from->cells[c->row * c->from->n_columns + (unsigned)column];
    const char *bytes = cell->len ? (const char *)c->from->bytes.ptr + cell->v : "";
    if (cell->type == BULK_INT)
        sqlite3_result_int64(out, cell->v);
    else if (cell->type == BULK_BLOB)
        sqlite3_result_blob(out, bytes, (int)cell->len, SQLITE_STATIC);
    else if (cell->type == BULK_TEXT)
        sqlite3_result_text(out, bytes, (int)cell->len, SQLITE_STATIC);
    return SQLITE_OK;
}

static int table_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *out)
{
    *out = (sqlite3_int64)((struct cursor_of_bulk *)base)->row;
    return SQLITE_OK;
}

static const sqlite3_module module = {
    .xConnect = table_connect, /* no xCreate: it is there by its name alone */
    .xBestIndex = table_best_index,
    .xDisconnect = table_disconnect,
    .xOpen = table_open,
    .xClose = table_close,
    .xFilter = table_filter,
    .xNext = table_next,
    .xEof = table_eof,
    .xColumn = table_column,
    .xRowid = table_rowid,
};

int bulk_register(struct sq *q, struct err *e)
{
    int rc = sqlite3_create_module(q->db, "bulk", &module, q);
    return rc == SQLITE_OK ? 0 : sq_error(q, rc, e, "");
}

int bulk_write(struct sq *q, struct bulk *b, enum sql insert, struct err *e)
{
    sqlite3_stmt *s;
    if (b->bytes.failed) return err_set(e, ERR_LIMIT, "store %s: too much to write at once", q->path);
    if (!b->n_cells) return 0;
    try(sq_take(q, insert, &s, e));
    q->bulk = b;
    int rc = sq_run(q, s, e);
    q->bulk = NULL;
    sq_give(q, insert, s);
    b->n_cells = 0;
    buf_clear(&b->bytes);
    return rc;
}
