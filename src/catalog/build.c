/* Everything anew: a file beside the catalog, complete, then put in its place. */
#include "catalog/catalog_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

struct building {
    struct refresh *r;
    struct db db;
    struct buf words;
    int64_t n;
    int gap_bits; /* of room between two names, for those who come later */
};

static int write_one(void *ctx, const struct asset *staged, struct err *e)
{
    struct building *b = ctx;
    struct asset a = *staged;
    a.docid = ++b->n << b->gap_bits;
    return write_row(&b->db, &a, &b->words, e);
}

static int new_file(const char *path, struct err *e)
{
    unlink(path);
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) return err_errno(e, errno == ENOSPC ? ERR_LIMIT : ERR_DENIED, errno, "catalog %s", path);
    close(fd);
    return 0;
}

static int write_all(struct building *b, const char *path, struct err *e)
{
    try(new_file(path, e));
    try(db_open(&b->db, path, SQLITE_OPEN_READWRITE, catalog_sql, SQL_COUNT, e));
    try(db_exec(&b->db, "PRAGMA page_size = 8192; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -65536; BEGIN", e));
    try(catalog_make_tables(&b->db, e));
    try(db_exec(&b->db, "INSERT INTO words (words, rank) VALUES ('hashsize', 33554432)", e));
    try(stage_each(b->r, write_one, b, e));
    try(catalog_make_indexes(&b->db, e));
    try(write_state(b->r, &b->db, e));
    return db_exec(&b->db, "COMMIT", e);
}

/* With a handle of its own: the full-text index holds its tables while it is open. */
static int make_readable(struct building *b, const char *path, struct err *e)
{
    db_close(&b->db);
    try(db_open(&b->db, path, SQLITE_OPEN_READWRITE, catalog_sql, SQL_COUNT, e));
    return db_exec(&b->db, "PRAGMA journal_mode = WAL; PRAGMA wal_checkpoint(TRUNCATE)", e);
}

/* All of the old file's log into it, so that it is whole without. Only tried: a damaged one is replaced as well. */
static void settle(const char *path)
{
    struct db old;
    struct err ignored;
    if (db_open(&old, path, SQLITE_OPEN_READWRITE, catalog_sql, SQL_COUNT, &ignored) < 0) return;
    sqlite3_exec(old.db, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL);
    db_close(&old);
}

/* Readers of the old file keep it until they look again (catalog.c, follow). Its -wal and -shm go first: they would be taken for the new one's. */
static int put_in_place(const char *made, const char *path, struct err *e)
{
    static const char *const sides[] = {"-wal", "-shm"};
    char side[4200];
    settle(path);
    for (size_t i = 0; i < n_elements(sides); i++) {
        snprintf(side, sizeof side, "%s%s", path, sides[i]);
        unlink(side);
    }
    if (rename(made, path) == 0) return 0;
    return err_errno(e, ERR_DENIED, errno, "catalog %s", path);
}

int build_all(struct refresh *r, struct err *e)
{
    struct building b = {.r = r, .words = buf_new((size_t)1 << 16), .gap_bits = 40};
    char made[4200], side[4300];
    snprintf(made, sizeof made, "%s.new", r->path);
    while (r->n_staged >> (60 - b.gap_bits)) b.gap_bits--;
    int rc = write_all(&b, made, e);
    if (rc == 0) rc = make_readable(&b, made, e);
    db_close(&b.db);
    buf_free(&b.words);
    int fd = rc == 0 ? open(made, O_RDWR | O_CLOEXEC) : -1;
    if (fd >= 0 && fdatasync(fd) < 0) rc = err_errno(e, ERR_LIMIT, errno, "catalog %s", made);
    if (fd >= 0) close(fd);
    if (rc == 0) rc = put_in_place(made, r->path, e);
    if (rc == 0) return 0;
    unlink(made);
    snprintf(side, sizeof side, "%s-wal", made);
    unlink(side);
    return rc;
}
