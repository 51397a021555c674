/* A connector is forgotten: nothing of it is left, nothing of the others is touched, and no id comes back. */
#include "store/fixture.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { MANY = 9000 }; /* more than one slice */

static struct run_result sync_people(struct store *s, const char *connector, unsigned n, unsigned moment, int64_t at_ms)
{
    static const char *members[] = {"CN=u1,DC=corp,DC=example", "CN=u2,DC=corp,DC=example", NULL};
    struct store_run *r = run_start(s, connector, at_ms);
    struct err e;
    for (unsigned u = 0; u < n; u++) {
        char dn[64], sam[32], title[16];
        snprintf(dn, sizeof dn, "CN=u%u,DC=corp,DC=example", u);
        snprintf(sam, sizeof sam, "u%u", u);
        snprintf(title, sizeof title, "%u", moment);
        run_put_one(r, &(struct someone){.kind = KIND_user, .id = 100 + u, .rid = 2000 + u, .dn = dn, .sam = sam, .title = title});
    }
    run_put_one(r, &(struct someone){.kind = KIND_group, .id = 1, .rid = 1500, .dn = "CN=staff,DC=corp,DC=example", .sam = "staff", .members = members});
    assert_int_equal(store_run_note(r, STR("mark"), bytes_of(STR("here")), &e), 0);
    run_done_all(r);
    return run_finish(r, at_ms + 1000);
}

static bool stop_at_any(void *ctx, const struct run_row *r)
{
    assert_true(r->connector.len && r->connector.ptr[0] != ' ');
    ++*(unsigned *)ctx;
    return true;
}

static unsigned n_runs(struct store *s, const char *connector)
{
    unsigned n = 0;
    struct err e;
    int rc = store_runs(s, str_from(connector), 1000, stop_at_any, &n, &e);
    assert_true(rc == 0 || rc == ERR_NOTFOUND);
    return n;
}

static bool count_name(void *ctx, struct str name)
{
    assert_true(name.len && name.ptr[0] != ' ');
    ++*(unsigned *)ctx;
    return true;
}

static unsigned n_connectors(struct store *s)
{
    unsigned n = 0;
    struct err e;
    assert_int_equal(store_connectors(s, count_name, &n, &e), 0);
    return n;
}

static void assert_nothing(struct store *s, const char *connector)
{
    struct connector_state state;
    struct buf b = buf_new(64);
    struct err e;
    assert_int_equal(store_connector(s, str_from(connector), &state, &e), ERR_NOTFOUND);
    assert_int_equal(store_note_get(s, str_from(connector), STR("mark"), &b, &e), ERR_NOTFOUND);
    buf_free(&b);
}

static void test_one_of_two(void **state)
{
    (void)state;
    struct fixture f;
    struct err e;
    fixture_open(&f);
    struct store *other = fixture_another(&f);
    sync_people(f.store, "corp", MANY, 1, 1000000);
    sync_people(f.store, "lab", 50, 1, 2000000);
    sync_people(f.store, "corp", MANY, 2, 3000000);
    assert_int_equal(store_cursor_put(f.store, STR("corp"), STR("siem"), 5, &e), 0);
    char *lab = entities_text(other, "lab");
    assert_int_equal(n_connectors(other), 2);
    assert_int_equal(store_connector_remove(f.store, STR("corp"), &e), 0);
    assert_nothing(other, "corp"); /* before its rows are gone, too */
    assert_int_equal(n_connectors(other), 1);
    assert_int_equal(n_runs(other, ""), 1);
    assert_int_equal(store_sweep(f.store, &e), 0);
    struct store *handles[] = {f.store, other};
    for (size_t i = 0; i < 2; i++) { /* also for a handle that knew it */
        assert_nothing(handles[i], "corp");
        assert_int_equal(n_connectors(handles[i]), 1);
        assert_int_equal(n_runs(handles[i], ""), 1);
        char *now = entities_text(handles[i], "lab"), *changes = changes_text(handles[i], 0);
        assert_string_equal(now, lab);
        assert_null(strstr(changes, "u8999"));
        assert_non_null(strstr(changes, "u49"));
        free(now);
        free(changes);
    }
    assert_int_equal(store_connector_remove(f.store, STR("corp"), &e), ERR_NOTFOUND);
    assert_int_equal(store_sweep(f.store, &e), 0);
    assert_int_equal(store_connector_remove(f.store, STR(""), &e), ERR_INPUT);
    assert_int_equal(store_connector_remove(f.store, STR(" removed 1"), &e), ERR_INPUT);
    free(lab);
    store_close(other);
    fixture_close(&f);
}

/* The same name again is another connector: a first run, with ids that nobody had. */
static void test_again(void **state)
{
    (void)state;
    struct fixture f;
    struct err e;
    uint64_t behind;
    fixture_open(&f);
    struct store *other = fixture_another(&f);
    struct run_result first = sync_people(f.store, "corp", 20, 1, 1000000), last = sync_people(f.store, "corp", 20, 2, 2000000);
    int64_t alice = entity_id_of_key(other, "u1");
    assert_int_equal(store_cursor_put(f.store, STR("corp"), STR("siem"), 7, &e), 0);
    assert_int_equal(store_connector_remove(f.store, STR("corp"), &e), 0);
    struct run_result again = sync_people(f.store, "corp", 10, 3, 3000000); /* the old rows are still there */
    assert_int_equal(store_sweep(f.store, &e), 0);
    char *told = entities_text(other, "corp");
    assert_non_null(strstr(told, "u9"));
    assert_null(strstr(told, "u15"));
    free(told);
    assert_true(again.id > last.id && last.id > first.id);
    assert_int_equal(again.counts[KIND_user].created, 10);
    assert_true(entity_id_of_key(other, "u1") != alice);
    assert_int_equal(entity_id_of_key(other, "u15"), 0);
    assert_int_equal(n_runs(other, "corp"), 1);
    assert_int_equal(store_cursor_behind(f.store, STR("corp"), STR("siem"), &behind, &e), 0);
    assert_int_equal(behind, again.n_changes);
    store_close(other);
    fixture_close(&f);
}

static void test_during_a_run(void **state)
{
    (void)state;
    struct fixture f;
    struct err e;
    fixture_open(&f);
    sync_people(f.store, "corp", 5, 1, 1000000);
    sync_people(f.store, "lab", 5, 1, 1500000);
    struct store *other = fixture_another(&f);
    struct store_run *r = run_start(other, "corp", 2000000);
    assert_int_equal(store_run_rest(r, &e), 0);
    assert_int_equal(store_connector_remove(f.store, STR("corp"), &e), ERR_CONFLICT);
    assert_int_equal(n_connectors(f.store), 2);
    assert_int_equal(store_connector_remove(f.store, STR("lab"), &e), 0); /* another one is no matter */
    store_run_abort(r, &(struct err){.class = ERR_CANCEL}, 2000001);
    assert_int_equal(store_connector_remove(f.store, STR("corp"), &e), 0);
    assert_int_equal(n_connectors(f.store), 0);
    store_close(other);
    fixture_close(&f);
}

/* Killed at any moment: it is there whole, or it is gone; and what it left goes with the next call. */
static void test_killed(void **state)
{
    (void)state;
    struct err e;
    for (unsigned delay_us = 0; delay_us < 40000; delay_us += 4000) {
        struct fixture f;
        fixture_open(&f);
        sync_people(f.store, "corp", MANY, 1, 1000000);
        sync_people(f.store, "lab", 5, 1, 1500000);
        pid_t child = fork();
        if (child == 0) {
            struct store *mine = fixture_another(&f);
            _exit(store_connector_remove(mine, STR("corp"), &e) == 0 && store_sweep(mine, &e) == 0 ? 0 : 1);
        }
        usleep(delay_us);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        fixture_reopen(&f);
        char *text = n_connectors(f.store) == 2 ? entities_text(f.store, "corp") : NULL;
        if (text)
            assert_non_null(strstr(text, "u8999"));
        else
            assert_nothing(f.store, "corp");
        int rc = store_connector_remove(f.store, STR("corp"), &e);
        assert_int_equal(rc, text ? 0 : ERR_NOTFOUND);
        assert_int_equal(store_sweep(f.store, &e), 0);
        free(text);
        assert_int_equal(n_connectors(f.store), 1);
        assert_int_equal(n_runs(f.store, ""), 1);
        assert_int_equal(sync_people(f.store, "corp", 3, 1, 9000000).counts[KIND_user].created, 3);
        fixture_close(&f);
    }
}

/* Not of removing, but found by it: a second handle that is opened and closed must not drop the locks of the first, or another process that ends
 * takes itself for the last one and removes the write-ahead log that the first still reads and writes. */
static void test_handles_of_one_process(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    sync_people(f.store, "corp", 20, 1, 1000000);
    struct store *reader = fixture_another(&f);
    for (unsigned i = 0; i < 5; i++) {
        char *text = entities_text(reader, "corp");
        assert_non_null(strstr(text, "u19"));
        free(text);
        store_close(fixture_another(&f));
        pid_t child = fork(); /* POSIX locks are not inherited: it is another process to SQLite, whose own handles it leaves alone */
        if (child == 0) {
            char program[512];
            snprintf(program, sizeof program, "import sqlite3\ndb = sqlite3.connect('%s', isolation_level=None)\n"
                     "db.execute(\"UPDATE connector SET source = 'x%u'\")\ndb.close()", f.url + strlen("sqlite:"), i);
            execl("/usr/bin/python3", "python3", "-c", program, (char *)NULL);
            _exit(127);
        }
        int status;
        waitpid(child, &status, 0);
        assert_int_equal(status, 0);
        struct run_result again = sync_people(f.store, "corp", 20, i + 2, 2000000 + i * 10000);
        assert_int_equal(again.status, RUN_COMPLETE);
    }
    store_close(reader);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_of_two),
        cmocka_unit_test(test_again),
        cmocka_unit_test(test_during_a_run),
        cmocka_unit_test(test_killed),
        cmocka_unit_test(test_handles_of_one_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
