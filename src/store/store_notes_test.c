/* Named bytes of a connector: at once, or with the run that they belong to. */
#include "store/fixture.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define SOME                                                                                                 \
    {                                                                                                        \
        .kind = KIND_user, .id = 2, .rid = 1002, .dn = "CN=Bob,DC=corp,DC=example", .sam = "bob"             \
    }

static void assert_note(struct store *s, const char *connector, const char *name, const char *expected)
{
    struct buf b = buf_new(4096);
    struct err e;
    buf_add_str(&b, STR("left over"));
    int rc = store_note_get(s, str_from(connector), str_from(name), &b, &e);
    assert_int_equal(rc, expected ? 0 : ERR_NOTFOUND);
    assert_string_equal(buf_cstr(&b), expected ? expected : "");
    buf_free(&b);
}

static int put(struct store *s, const char *connector, const char *name, const char *value, struct err *e)
{
    return store_note_put(s, str_from(connector), STR("active_directory"), str_from(name),
                          bytes_of(str_from(value)), e);
}

static void test_at_once(void **state)
{
    (void)state;
    struct fixture f;
    struct err e;
    fixture_open(&f);
    struct store *other = fixture_another(&f);
    assert_note(f.store, "corp", "pause", NULL);
    assert_int_equal(put(f.store, "corp", "pause", "", &e), 0); /* nothing to remove, nobody made */
    assert_int_equal(put(f.store, "corp", "pause", "one", &e), 0);
    assert_int_equal(put(f.store, "lab", "pause", "lab's", &e), 0);
    assert_int_equal(put(f.store, "corp", "other", "else", &e), 0);
    assert_note(other, "corp", "pause", "one");
    assert_int_equal(put(other, "corp", "pause", "two", &e), 0);
    assert_note(f.store, "corp", "pause", "two");
    assert_int_equal(put(f.store, "corp", "pause", "", &e), 0);
    assert_note(other, "corp", "pause", NULL);
    assert_note(other, "corp", "other", "else");
    assert_note(other, "lab", "pause", "lab's");
    fixture_reopen(&f);
    assert_note(f.store, "lab", "pause", "lab's");
    store_close(other);
    fixture_close(&f);
}

static void test_any_bytes(void **state)
{
    (void)state;
    static const uint8_t value[] = {0, 1, 0xff, 0, '\''};
    struct fixture f;
    struct err e;
    struct buf b = buf_new(8), small = buf_new(2);
    fixture_open(&f);
    assert_int_equal(
        store_note_put(f.store, STR("corp"), STR("x"), STR("n"), (struct bytes){value, sizeof value}, &e), 0);
    assert_int_equal(store_note_get(f.store, STR("corp"), STR("n"), &b, &e), 0);
    assert_int_equal(b.len, sizeof value);
    assert_memory_equal(b.ptr, value, sizeof value);
    assert_int_equal(store_note_get(f.store, STR("corp"), STR("n"), &small, &e), ERR_LIMIT);
    buf_free(&b);
    buf_free(&small);
    fixture_close(&f);
}

/* A connector that only has notes is one that was never synced; its first run finds the notes. */
static void test_before_the_first_run(void **state)
{
    (void)state;
    struct fixture f;
    struct err e;
    struct connector_state c;
    fixture_open(&f);
    assert_int_equal(put(f.store, "corp", "pause", "one", &e), 0);
    assert_int_equal(store_connector(f.store, STR("corp"), &c, &e), ERR_NOTFOUND);
    assert_int_equal(SYNC(&f, 1000, SOME).counts[KIND_user].created, 1);
    assert_note(f.store, "corp", "pause", "one");
    assert_int_equal(store_connector(f.store, STR("corp"), &c, &e), 0);
    assert_int_equal(put(f.store, "../corp", "pause", "one", &e), ERR_INPUT);
    assert_note(f.store, "../corp", "pause", NULL);
    fixture_close(&f);
}

static void note_with(struct store_run *r, const char *name, const char *value)
{
    struct err e;
    assert_int_equal(store_run_note(r, str_from(name), bytes_of(str_from(value)), &e), 0);
}

static void test_with_a_run(void **state)
{
    (void)state;
    struct fixture f;
    struct err e;
    fixture_open(&f);
    struct store *reader = fixture_another(&f);
    assert_int_equal(put(f.store, "corp", "gone", "x", &e), 0);
    struct store_run *r = run_start(f.store, "corp", 1000);
    note_with(r, "mark", "first");
    note_with(r, "gone", "");
    run_put_one(r, &(struct someone)SOME);
    note_with(r, "mark", "second");
    assert_int_equal(store_run_rest(r, &e), 0);
    assert_note(reader, "corp", "mark", NULL);
    assert_note(reader, "corp", "gone", "x");
    assert_int_equal(put(f.store, "corp", "pause", "meanwhile", &e), 0); /* after store_run_rest */
    run_done_all(r);
    run_finish(r, 1001);
    assert_note(reader, "corp", "mark", "second");
    assert_note(reader, "corp", "gone", NULL);
    assert_note(reader, "corp", "pause", "meanwhile");
    store_close(reader);
    fixture_close(&f);
}

static void test_dropped_by_abort(void **state)
{
    (void)state;
    struct fixture f;
    struct err e, why = {.class = ERR_TIMEOUT};
    fixture_open(&f);
    assert_int_equal(put(f.store, "corp", "mark", "before", &e), 0);
    for (int rested = 0; rested < 2; rested++) {
        struct store_run *r = run_start(f.store, "corp", 1000);
        note_with(r, "mark", "never");
        note_with(r, "new", "never");
        run_put_one(r, &(struct someone)SOME);
        if (rested) assert_int_equal(store_run_rest(r, &e), 0);
        store_run_abort(r, &why, 1001);
        assert_note(f.store, "corp", "mark", "before");
        assert_note(f.store, "corp", "new", NULL);
    }
    SYNC(&f, 2000, SOME);
    assert_note(f.store, "corp", "mark", "before");
    fixture_close(&f);
}

static void test_dropped_by_a_kill(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    pid_t pid = fork();
    if (pid == 0) {
        struct err e;
        struct store *s = fixture_another(&f);
        struct store_run *r = run_start(s, "corp", 1);
        note_with(r, "mark", "never");
        run_put_one(r, &(struct someone)SOME);
        if (store_run_rest(r, &e) < 0) _exit(1);
        raise(SIGKILL);
    }
    int status;
    waitpid(pid, &status, 0);
    assert_true(WIFSIGNALED(status));
    assert_note(f.store, "corp", "mark", NULL);
    SYNC(&f, 2000, SOME);
    assert_note(f.store, "corp", "mark", NULL);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_at_once),
        cmocka_unit_test(test_any_bytes),
        cmocka_unit_test(test_before_the_first_run),
        cmocka_unit_test(test_with_a_run),
        cmocka_unit_test(test_dropped_by_abort),
        cmocka_unit_test(test_dropped_by_a_kill),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
