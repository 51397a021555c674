/* What only the SQLite engine has: the catalogue's rule, foreign and damaged files, permissions, file growth.
 */
#include "store/fixture.h"
#include "store/sqlite/schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* clang-format off */
#define BOB {.kind = KIND_user, .id = 2, .rid = 1002, .dn = "CN=Bob,DC=corp,DC=example", .sam = "bob"}
/* clang-format on */

static void path_of(const struct fixture *f, char out[192])
{
    snprintf(out, 192, "%s", f->url + strlen("sqlite:"));
}

static sqlite3 *open_raw(const struct fixture *f)
{
    char path[192];
    sqlite3 *db;
    path_of(f, path);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    return db;
}

static void exec(const struct fixture *f, const char *sql)
{
    sqlite3 *db = open_raw(f);
    char *message = NULL;
    if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK) fail_msg("%s: %s", sql, message);
    sqlite3_close(db);
}

/* --- the rule: tenant_id comes first in every key --------------------------------------------- */

static unsigned check_keys_of(sqlite3 *db, const char *table)
{
    static const char sql[] =
        "SELECT l.name, i.name FROM pragma_index_list(?1) l JOIN pragma_index_info(l.name) i "
        "WHERE i.seqno = 0 AND (l.\"unique\" = 1 OR l.origin = 'pk')";
    sqlite3_stmt *s;
    unsigned n = 0;
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &s, NULL), SQLITE_OK);
    sqlite3_bind_text(s, 1, table, -1, SQLITE_STATIC);
    for (; sqlite3_step(s) == SQLITE_ROW; n++)
        if (strcmp((const char *)sqlite3_column_text(s, 1), "tenant_id") != 0)
            fail_msg("%s: key %s begins with %s", table, sqlite3_column_text(s, 0),
                     sqlite3_column_text(s, 1));
    sqlite3_finalize(s);
    return n;
}

static void check_strict(sqlite3 *db, const char *table)
{
    sqlite3_stmt *s;
    assert_int_equal(
        sqlite3_prepare_v2(db, "SELECT strict FROM pragma_table_list WHERE name = ?1", -1, &s, NULL),
        SQLITE_OK);
    sqlite3_bind_text(s, 1, table, -1, SQLITE_STATIC);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    if (!sqlite3_column_int(s, 0)) fail_msg("%s is not STRICT", table);
    sqlite3_finalize(s);
}

static void test_catalogue(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    sqlite3 *db = open_raw(&f);
    sqlite3_stmt *s;
    unsigned n = 0;
    assert_int_equal(
        sqlite3_prepare_v2(db, "SELECT name FROM sqlite_schema WHERE type = 'table'", -1, &s, NULL),
        SQLITE_OK);
    for (; sqlite3_step(s) == SQLITE_ROW; n++) {
        const char *table = (const char *)sqlite3_column_text(s, 0);
        check_strict(db, table);
        if (!check_keys_of(db, table)) fail_msg("%s has no key", table);
    }
    assert_int_equal(n, 15);
    sqlite3_finalize(s);
    sqlite3_close(db);
    fixture_close(&f);
}

static int64_t number(const struct fixture *f, const char *sql)
{
    sqlite3 *db = open_raw(f);
    sqlite3_stmt *s;
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &s, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    int64_t n = sqlite3_column_int64(s, 0);
    sqlite3_finalize(s);
    sqlite3_close(db);
    return n;
}

static void test_settings(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    SYNC(&f, 1, BOB);
    assert_int_equal(number(&f, "PRAGMA application_id"), 0x726f6c6c);
    assert_int_equal(number(&f, "PRAGMA user_version"), SCHEMA_VERSION);
    assert_int_equal(number(&f, "PRAGMA page_size"), 16384);
    assert_int_equal(number(&f, "SELECT journal_mode = 'wal' FROM pragma_journal_mode"), 1);
    fixture_close(&f);
}

/* --- files ------------------------------------------------------------------------------------ */

static void test_permissions(void **state)
{
    (void)state;
    struct fixture f;
    char path[192], side[256];
    struct stat st;
    umask(0);
    fixture_open(&f);
    struct store_run *r = run_start(f.store, "corp", 1);
    path_of(&f, path);
    static const char *const sides[] = {"", ".corp.lock"};
    for (size_t i = 0; i < n_elements(sides); i++) {
        snprintf(side, sizeof side, "%s%s", path, sides[i]);
        assert_int_equal(stat(side, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
    }
    run_finish(r, 2);
    r = run_start(f.store, "corp", 3);
    snprintf(side, sizeof side, "%s-wal", path);
    assert_int_equal(stat(side, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    run_finish(r, 4);
    fixture_close(&f);
    umask(022);
}

static int reopen(struct fixture *f, struct err *e)
{
    struct store *s = NULL;
    memset(e, 0, sizeof *e);
    int rc = store_open(&s, str_from(f->url), e);
    if (rc == 0) store_close(s);
    return rc;
}

static void write_file(const struct fixture *f, const char *bytes, size_t n)
{
    char path[192];
    path_of(f, path);
    FILE *out = fopen(path, "wb");
    assert_non_null(out);
    fwrite(bytes, 1, n, out);
    fclose(out);
}

static void test_not_our_file(void **state)
{
    (void)state;
    struct fixture f;
    struct err e;
    static char text[5000];
    memset(text, 'x', sizeof text);
    fixture_open(&f);
    store_close(f.store);
    write_file(&f, text, sizeof text);
    assert_int_equal(reopen(&f, &e), ERR_INPUT);
    assert_true(e.hint[0]);
    write_file(&f, "", 0); /* an empty file is as good as none */
    assert_int_equal(reopen(&f, &e), 0);
    exec(&f, "PRAGMA user_version = 99");
    assert_int_equal(reopen(&f, &e), ERR_INPUT);
    assert_non_null(strstr(e.message, "format 99"));
    exec(&f, "PRAGMA user_version = 1"); /* never released */
    assert_int_equal(reopen(&f, &e), ERR_INPUT);
    assert_non_null(strstr(e.message, "format 1,"));
    assert_true(e.hint[0]);
    exec(&f, "PRAGMA application_id = 7");
    assert_int_equal(reopen(&f, &e), ERR_INPUT);
    assert_non_null(strstr(e.message, "not one of rollcall"));
    write_file(&f, "", 0);
    exec(&f, "CREATE TABLE recipes (name TEXT)");
    assert_int_equal(reopen(&f, &e), ERR_INPUT);
    write_file(&f, "", 0);
    f.store = fixture_another(&f);
    fixture_close(&f);
}

static void test_damaged(void **state)
{
    (void)state;
    struct fixture f;
    struct err e = {0};
    char path[192];
    static char junk[16384];
    fixture_open(&f);
    struct store_run *r = run_start(f.store, "corp", 1);
    for (unsigned i = 0; i < 3000; i++) {
        char dn[64];
        snprintf(dn, sizeof dn, "CN=u%u,DC=corp,DC=example", i);
        run_put_one(r, &(struct someone){.kind = KIND_user, .id = 1 + i, .dn = dn, .sam = dn + 3});
    }
    run_finish(r, 2);
    store_close(f.store);
    path_of(&f, path);
    FILE *file = fopen(path, "r+b");
    fseek(file, 0, SEEK_END);
    long pages = ftell(file) / 16384;
    memset(junk, 0x5a, sizeof junk);
    for (long p = 30; p < pages; p++) { /* all but the first tables */
        fseek(file, p * 16384, SEEK_SET);
        fwrite(junk, 1, sizeof junk, file);
    }
    fclose(file);
    f.store = fixture_another(&f);
    /* whatever is hit: an error, never a crash */
    struct store_run *again = NULL;
    struct run_start start = {.connector = STR("corp"), .source = STR("x"), .mode = STR("full")};
    int rc = store_run_begin(&again, f.store, &start, &e);
    for (unsigned i = 0; rc == 0 && i < 3000; i++) {
        char dn[64];
        struct record rec = {.kind = KIND_user};
        snprintf(dn, sizeof dn, "CN=u%u,DC=corp,DC=example,DC=new", i);
        rec.dn = str_from(dn);
        guid_of_id(rec.guid, 1 + i);
        rc = store_run_put(again, &rec, &e);
    }
    struct run_end end = {.ended_ms = 9};
    struct run_result result;
    if (rc == 0) rc = store_run_end(again, &end, &result, &e);
    assert_int_equal(rc, ERR_BUG);
    assert_non_null(strstr(e.hint, "backup"));
    if (again) store_run_abort(again, &e, 10);
    fixture_close(&f);
}

/* As a user who may only read, in a child. */
static int reopen_as_nobody(struct fixture *f)
{
    struct err e;
    if (geteuid() == 0 && (setgid(65534) < 0 || setuid(65534) < 0)) return 1;
    return -reopen(f, &e);
}

static void test_read_only(void **state)
{
    (void)state;
    struct fixture f;
    char path[192];
    int status;
    fixture_open(&f);
    SYNC(&f, 1, BOB);
    store_close(f.store);
    path_of(&f, path);
    for (int how = 0; how < 2; how++) {
        chmod(path, how ? 0000 : 0444);
        chmod(f.dir, 0555);
        pid_t child = fork();
        if (child == 0) _exit(reopen_as_nobody(&f));
        waitpid(child, &status, 0);
        assert_int_equal(-WEXITSTATUS(status), ERR_DENIED);
    }
    chmod(f.dir, 0700);
    chmod(path, 0600);
    f.store = fixture_another(&f);
    fixture_close(&f);
}

/* --- growth ----------------------------------------------------------------------------------- */

static int64_t size_of(const struct fixture *f)
{
    exec(f, "PRAGMA wal_checkpoint(TRUNCATE)");
    char path[192];
    struct stat st;
    path_of(f, path);
    assert_int_equal(stat(path, &st), 0);
    return st.st_size;
}

static int64_t rows(const struct fixture *f)
{
    return number(
        f, "SELECT (SELECT count(*) FROM version) + (SELECT count(*) FROM body) + (SELECT count(*) FROM "
           "links) + "
           "(SELECT coalesce(sum(length(hints)), 0) / 8 FROM lookup) + (SELECT count(*) FROM entity) + (SELECT count(*) FROM change)");
}

static void sync_crowd(struct fixture *f, const char *title, int64_t logons, int64_t at_ms)
{
    static const char *const members[] = {"CN=u1,DC=corp,DC=example", "CN=u2,DC=corp,DC=example",
                                          "CN=none,DC=corp,DC=example", NULL};
    struct store_run *r = run_start(f->store, "corp", at_ms);
    run_put_one(r, &(struct someone){.kind = KIND_group,
                                     .id = 5000,
                                     .rid = 513,
                                     .dn = "CN=g,DC=corp,DC=example",
                                     .sam = "g",
                                     .members = members});
    for (unsigned i = 0; i < 500; i++) {
        char dn[64];
        snprintf(dn, sizeof dn, "CN=u%u,DC=corp,DC=example", i);
        run_put_one(r, &(struct someone){.kind = KIND_user,
                                         .id = 1 + i,
                                         .rid = 2000 + i,
                                         .dn = dn,
                                         .sam = dn + 3,
                                         .title = title,
                                         .logons = logons,
                                         .primary = 513});
    }
    run_done_all(r);
    run_finish(r, at_ms + 1);
}

static void test_growth(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    sync_crowd(&f, "a", 1, 1000);
    int64_t size = size_of(&f), n = rows(&f);
    sync_crowd(&f, "a", 1, 2000); /* unchanged: only the run itself */
    assert_int_equal(rows(&f), n);
    assert_int_equal(size_of(&f), size);
    sync_crowd(&f, "a", 2, 3000); /* statistics: the old ones are gone, no change rows */
    assert_int_equal(rows(&f), n);
    sync_crowd(&f, "b", 2, 4000); /* one change row each */
    assert_int_equal(rows(&f), n + 500);
    assert_int_equal(number(&f, "SELECT count(*) FROM version"), 501);
    assert_int_equal(number(&f, "SELECT count(*) FROM body"), 501);
    /* an aborted run leaves nothing */
    n = rows(&f);
    struct store_run *r = run_start(f.store, "corp", 5000);
    struct err why = {.class = ERR_CANCEL};
    for (unsigned i = 0; i < 500; i++) {
        char dn[64];
        snprintf(dn, sizeof dn, "CN=v%u,DC=corp,DC=example", i);
        run_put_one(
            r, &(struct someone){.kind = KIND_user, .id = 1 + i, .rid = 2000 + i, .dn = dn, .sam = dn + 3});
    }
    struct err e;
    assert_int_equal(store_run_rest(r, &e), 0);
    assert_true(rows(&f) > n);
    store_run_abort(r, &why, 5001);
    assert_int_equal(rows(&f), n);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_catalogue),   cmocka_unit_test(test_settings),
        cmocka_unit_test(test_permissions), cmocka_unit_test(test_not_our_file),
        cmocka_unit_test(test_damaged),     cmocka_unit_test(test_read_only),
        cmocka_unit_test(test_growth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
