/* Whose run it is: a holder that hangs, another that takes over, and what the first one may still write, which is nothing. */
#include "store/sqlite/lease.h"

#include "base/when.h"
#include "store/fixture.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define MINUTE 60000

static const char *file_of(const struct fixture *f)
{
    return f->url + strlen("sqlite:");
}

static void exec(const struct fixture *f, const char *sql)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(file_of(f), &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 10000);
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    sqlite3_close(db);
}

static int64_t number(const struct fixture *f, const char *sql)
{
    sqlite3 *db;
    sqlite3_stmt *s;
    assert_int_equal(sqlite3_open(file_of(f), &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &s, NULL), SQLITE_OK);
    int64_t n = sqlite3_step(s) == SQLITE_ROW ? sqlite3_column_int64(s, 0) : -1;
    sqlite3_finalize(s);
    sqlite3_close(db);
    return n;
}

static int begin(struct store_run **out, struct store *s, struct err *e)
{
    struct run_start start = {.connector = STR("corp"), .source = STR("active_directory"), .mode = STR("full"), .started_ms = 2000};
    return store_run_begin(out, s, &start, e);
}

static void put_alice(struct store_run *r, const char *title)
{
    run_put_one(r, &(struct someone){.kind = KIND_user, .id = 1, .rid = 1001, .dn = "CN=alice,DC=corp,DC=example", .sam = "alice", .title = title});
}

/* --- the holder, in a process of its own that hangs in the middle of its run -------------------------------- */

enum hang { HANG_WITH_ROWS, HANG_BEFORE_END };

static _Noreturn void hold(const struct fixture *f, int to, enum hang where)
{
    struct store *s;
    struct store_run *r;
    struct run_result result;
    struct err e;
    struct run_end end = {.ended_ms = 9000};
    if (store_open(&s, str_from(f->url), &e) < 0 || begin(&r, s, &e) < 0) _exit(10);
    put_alice(r, "by the one that hung");
    if (store_run_rest(r, &e) < 0) _exit(11);
    if (where == HANG_BEFORE_END) run_done(r, KIND_user);
    raise(SIGSTOP); /* the time passes, the lease with it */
    int rc = 0;
    if (where == HANG_WITH_ROWS) {
        put_alice(r, "afterwards");
        rc = store_run_rest(r, &e);
    }
    if (rc == 0) rc = store_run_end(r, &end, &result, &e);
    if (rc < 0) store_run_abort(r, &e, 9000);
    if (write(to, &rc, sizeof rc) != sizeof rc || write(to, e.message, strlen(e.message)) < 0) _exit(12);
    store_close(s);
    _exit(0);
}

static pid_t start_holder(const struct fixture *f, int *from, enum hang where)
{
    int ends[2], status;
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0) hold(f, ends[1], where);
    close(ends[1]);
    *from = ends[0];
    assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
    assert_true(WIFSTOPPED(status));
    return pid;
}

static void expect_refused(pid_t pid, int from)
{
    int rc = 0, status;
    char message[800] = "";
    kill(pid, SIGCONT);
    assert_int_equal(read(from, &rc, sizeof rc), sizeof rc);
    assert_true(read(from, message, sizeof message - 1) > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    close(from);
    assert_int_equal(rc, ERR_CONFLICT);
    assert_non_null(strstr(message, "taken over"));
}

static void hang_and_take_over(enum hang where, bool has_visible)
{
    struct fixture f;
    struct store_run *r;
    struct err e;
    int from;
    fixture_open(&f);
    if (has_visible) SYNC(&f, 1000, {.kind = KIND_user, .id = 1, .rid = 1001, .dn = "CN=alice,DC=corp,DC=example", .sam = "alice", .title = "before"});
    pid_t pid = start_holder(&f, &from, where);
    /* as long as its lease is fresh, the lock decides */
    assert_int_equal(begin(&r, f.store, &e), ERR_CONFLICT);
    assert_non_null(strstr(e.message, "under way"));
    exec(&f, "UPDATE lease SET expires_ms = 1");
    int rc = begin(&r, f.store, &e);
    if (rc < 0) fail_msg("%s", e.message);
    put_alice(r, "by the one that took over");
    expect_refused(pid, from); /* it comes back in the middle of the other's run */
    run_done_all(r);
    struct run_result result = run_finish(r, 3000);
    assert_int_equal(result.status, RUN_COMPLETE);
    char *text = entities_text(f.store, "corp");
    assert_non_null(strstr(text, "by the one that took over"));
    assert_null(strstr(text, "hung"));
    free(text);
    assert_int_equal(number(&f, "SELECT count(*) FROM run WHERE status = 0"), 0);
    assert_int_equal(number(&f, "SELECT count(*) FROM version WHERE run_id NOT IN (SELECT run_id FROM run WHERE status IN (1, 2))"), 0);
    assert_int_equal(number(&f, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'"), 0);
    fixture_close(&f);
}

static void test_hangs_with_rows(void **state)
{
    hang_and_take_over(HANG_WITH_ROWS, true);
}

static void test_hangs_before_its_end(void **state)
{
    hang_and_take_over(HANG_BEFORE_END, true);
}

static void test_hangs_in_the_first_run(void **state)
{
    hang_and_take_over(HANG_WITH_ROWS, false);
}

/* It comes back when the other has ended already. */
static void test_comes_back_late(void **state)
{
    struct fixture f;
    int from;
    fixture_open(&f);
    pid_t pid = start_holder(&f, &from, HANG_BEFORE_END);
    exec(&f, "UPDATE lease SET expires_ms = 1");
    SYNC(&f, 3000, {.kind = KIND_user, .id = 1, .rid = 1001, .dn = "CN=alice,DC=corp,DC=example", .sam = "alice", .title = "now"});
    char *before = entities_text(f.store, "corp");
    expect_refused(pid, from);
    fixture_reopen(&f);
    char *after = entities_text(f.store, "corp");
    assert_string_equal(before, after);
    free(before);
    free(after);
    SYNC(&f, 4000, {.kind = KIND_user, .id = 1, .rid = 1001, .dn = "CN=alice,DC=corp,DC=example", .sam = "alice", .title = "later"});
    fixture_close(&f);
}

/* --- leases without a lock: another machine ------------------------------------------------------------------ */

static void test_other_machine(void **state)
{
    struct fixture f;
    struct store_run *r;
    struct err e;
    char sql[200];
    fixture_open(&f);
    SYNC(&f, 1000, {.kind = KIND_user, .id = 1, .rid = 1001, .dn = "CN=alice,DC=corp,DC=example", .sam = "alice"});
    assert_int_equal(number(&f, "SELECT expires_ms FROM lease"), 0); /* it ended with its run */
    snprintf(sql, sizeof sql, "UPDATE lease SET token = 99, holder = 'elsewhere 1', expires_ms = %lld", (long long)(when_now_ms() + MINUTE));
    exec(&f, sql);
    assert_int_equal(begin(&r, f.store, &e), ERR_CONFLICT);
    assert_non_null(strstr(e.message, "elsewhere"));
    assert_int_equal(number(&f, "SELECT count(*) FROM run"), 1); /* it left no row */
    exec(&f, "UPDATE lease SET expires_ms = 1");
    assert_int_equal(begin(&r, f.store, &e), 0);
    err_set(&e, ERR_CANCEL, "enough");
    store_run_abort(r, &e, 5000);
    assert_int_equal(number(&f, "SELECT expires_ms FROM lease"), 0);
    fixture_close(&f);
}

/* A process of this machine that was killed leaves a fresh lease and a free lock: nobody waits for it. */
static void test_killed(void **state)
{
    struct fixture f;
    struct store_run *r;
    struct err e;
    int from, status;
    fixture_open(&f);
    pid_t pid = start_holder(&f, &from, HANG_WITH_ROWS);
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    close(from);
    assert_true(number(&f, "SELECT expires_ms FROM lease") > when_now_ms());
    assert_int_equal(begin(&r, f.store, &e), 0);
    put_alice(r, "again");
    run_done_all(r);
    run_finish(r, 3000);
    fixture_close(&f);
}

/* A file of before leases gets the table with its first run. */
static void test_old_file(void **state)
{
    struct fixture f;
    fixture_open(&f);
    SYNC(&f, 1000, {.kind = KIND_user, .id = 1, .rid = 1001, .dn = "CN=alice,DC=corp,DC=example", .sam = "alice"});
    exec(&f, "DROP TABLE lease");
    fixture_reopen(&f);
    SYNC(&f, 2000, {.kind = KIND_user, .id = 1, .rid = 1001, .dn = "CN=alice,DC=corp,DC=example", .sam = "alice", .title = "x"});
    assert_int_equal(number(&f, "SELECT token FROM lease"), 2);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hangs_with_rows), cmocka_unit_test(test_hangs_before_its_end), cmocka_unit_test(test_hangs_in_the_first_run),
        cmocka_unit_test(test_comes_back_late), cmocka_unit_test(test_other_machine),        cmocka_unit_test(test_killed),
        cmocka_unit_test(test_old_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
