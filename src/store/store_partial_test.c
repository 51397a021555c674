/* Runs that are told only what changed: tombstones, presences, what a record turned out to be. */
#include "store/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define ALICE .kind = KIND_user, .id = 1, .rid = 1001, .dn = "CN=Alice,DC=corp,DC=example", .sam = "alice"
#define BOB   .kind = KIND_user, .id = 2, .rid = 1002, .dn = "CN=Bob,DC=corp,DC=example", .sam = "bob"
#define STAFF .kind = KIND_group, .id = 9, .rid = 1009, .dn = "CN=Staff,DC=corp,DC=example", .sam = "staff"
static const char *const both[] = {"CN=Alice,DC=corp,DC=example", "CN=Bob,DC=corp,DC=example", NULL};
static const char *const alice_only[] = {"CN=Alice,DC=corp,DC=example", NULL};

static struct store_run *start_incremental(struct fixture *f, int64_t at_ms)
{
    struct err e;
    struct store_run *r = run_start(f->store, "corp", at_ms);
    assert_int_equal(store_run_mode(r, STR("incremental"), &e), 0);
    return r;
}

static void gone(struct store_run *r, unsigned id, enum evidence v)
{
    uint8_t guid[GUID_SIZE];
    struct err e;
    guid_of_id(guid, id);
    assert_int_equal(store_run_gone(r, guid, v, &e), 0);
}

static bool present(struct store_run *r, unsigned id)
{
    uint8_t guid[GUID_SIZE];
    struct err e;
    bool is_known;
    guid_of_id(guid, id);
    assert_int_equal(store_run_present(r, guid, &is_known, &e), 0);
    return is_known;
}

static void assert_changes(struct fixture *f, int64_t run, const char *expected)
{
    char *text = changes_text(f->store, run);
    assert_string_equal(text, expected);
    free(text);
}

static void test_nothing_said_is_nothing_changed(void **state)
{
    struct fixture f;
    fixture_open(&f);
    SYNC(&f, 1000, {ALICE}, {BOB}, {STAFF, .members = both});
    char *before = entities_text(f.store, "corp");
    struct run_result result = run_finish(start_incremental(&f, 2000), 2500);
    char *after = entities_text(f.store, "corp");
    assert_string_equal(before, after);
    assert_int_equal(result.status, RUN_COMPLETE);
    assert_int_equal(result.n_changes, 0);
    free(before);
    free(after);
    fixture_close(&f);
}

static void test_deleted_and_vanished(void **state)
{
    struct fixture f;
    fixture_open(&f);
    SYNC(&f, 1000, {ALICE}, {BOB}, {STAFF, .members = both});
    struct store_run *r = start_incremental(&f, 2000);
    gone(r, 2, EVIDENCE_VANISHED);
    gone(r, 2, EVIDENCE_DELETED); /* the better evidence counts, once */
    gone(r, 77, EVIDENCE_DELETED); /* nobody */
    run_put_one(r, &(struct someone){STAFF, .members = alice_only});
    struct run_result result = run_finish(r, 2500);
    assert_int_equal(result.counts[KIND_user].deleted, 1);
    assert_changes(&f, result.id, "deleted user bob (deleted)\nmember_removed group staff bob (deleted)");
    r = start_incremental(&f, 3000);
    gone(r, 2, EVIDENCE_DELETED); /* is a tombstone already */
    gone(r, 1, EVIDENCE_DELETED);
    run_put_one(r, &(struct someone){ALICE}); /* a record of the same run says otherwise */
    assert_int_equal(run_finish(r, 3500).n_changes, 0);
    fixture_close(&f);
}

static void test_guard_holds_the_vanished_only(void **state)
{
    struct fixture f;
    struct someone many[100];
    char dn[100][64];
    fixture_open(&f);
    for (unsigned i = 0; i < 100; i++) {
        snprintf(dn[i], sizeof dn[i], "CN=U%u,DC=corp,DC=example", i);
        many[i] = (struct someone){.kind = KIND_user, .id = 100 + i, .rid = 2000 + i, .dn = dn[i], .sam = dn[i] + 3};
    }
    sync_all(&f, many, 100, 1000);
    struct store_run *r = start_incremental(&f, 2000);
    for (unsigned i = 0; i < 60; i++) gone(r, 100 + i, EVIDENCE_VANISHED);
    struct run_result result = run_finish(r, 2500);
    assert_int_equal(result.status, RUN_NEEDS_ATTENTION);
    assert_int_equal(result.held[KIND_user], 60);
    assert_int_equal(result.n_changes, 0);
    r = start_incremental(&f, 3000);
    for (unsigned i = 0; i < 60; i++) gone(r, 100 + i, EVIDENCE_DELETED);
    result = run_finish(r, 3500);
    assert_int_equal(result.status, RUN_COMPLETE);
    assert_int_equal(result.counts[KIND_user].deleted, 60);
    fixture_close(&f);
}

static int count_absent(void *ctx, const uint8_t guid[GUID_SIZE], struct err *e)
{
    uint8_t bob[GUID_SIZE];
    guid_of_id(bob, 2);
    assert_memory_equal(guid, bob, GUID_SIZE);
    ++*(unsigned *)ctx;
    return 0;
}

static void test_presence_proves_absence(void **state)
{
    struct fixture f;
    struct err e;
    unsigned n = 0;
    fixture_open(&f);
    SYNC(&f, 1000, {ALICE}, {BOB}, {STAFF, .members = alice_only});
    struct store_run *r = start_incremental(&f, 2000);
    assert_true(present(r, 1));
    assert_true(present(r, 9));
    assert_false(present(r, 5)); /* has become visible: is to be read */
    run_put_one(r, &(struct someone){STAFF, .members = both}); /* a record behind a presence is not ignored */
    assert_int_equal(store_run_absent(r, count_absent, &n, &e), 0);
    assert_int_equal(n, 0); /* no listing is over */
    run_done(r, KIND_user);
    run_done(r, KIND_group);
    assert_int_equal(store_run_absent(r, count_absent, &n, &e), 0);
    assert_int_equal(n, 1);
    struct run_result result = run_finish(r, 2500);
    assert_changes(&f, result.id, "deleted user bob (vanished)");
    fixture_close(&f);
}

static void test_effects(void **state)
{
    struct fixture f;
    fixture_open(&f);
    SYNC(&f, 1000, {ALICE}, {BOB});
    struct store_run *r = start_incremental(&f, 2000);
    run_put_one(r, &(struct someone){ALICE});
    struct put_effect x = store_run_effect(r);
    assert_false(x.is_new || x.is_moved || x.is_changed || x.is_restored || x.has_new_sd);
    run_put_one(r, &(struct someone){BOB, .title = "Boss"});
    x = store_run_effect(r);
    assert_true(x.is_changed && !x.is_moved && !x.is_new);
    run_put_one(r, &(struct someone){STAFF});
    assert_true(store_run_effect(r).is_new);
    run_finish(r, 2500);
    r = start_incremental(&f, 3000);
    run_put_one(r, &(struct someone){.kind = KIND_user, .id = 1, .rid = 1001, .dn = "CN=Alice,OU=New,DC=corp,DC=example", .sam = "alice"});
    assert_true(store_run_effect(r).is_moved);
    gone(r, 2, EVIDENCE_DELETED);
    run_finish(r, 3500);
    r = start_incremental(&f, 4000);
    run_put_one(r, &(struct someone){BOB, .title = "Boss"});
    x = store_run_effect(r);
    assert_true(x.is_restored && !x.is_new);
    run_finish(r, 4500);
    fixture_close(&f);
}

static int count_unresolved(void *ctx, enum kind k, const uint8_t guid[GUID_SIZE], struct err *e)
{
    assert_int_equal(k, KIND_group);
    ++*(unsigned *)ctx;
    return 0;
}

static void test_unresolved_owners(void **state)
{
    struct fixture f;
    struct err e;
    unsigned n = 0;
    fixture_open(&f);
    SYNC(&f, 1000, {ALICE}, {STAFF, .members = both});
    struct store_run *r = start_incremental(&f, 2000);
    assert_int_equal(store_run_unresolved(r, count_unresolved, &n, &e), 0);
    assert_int_equal(n, 1);
    run_put_one(r, &(struct someone){BOB}); /* has come: the membership with him */
    struct run_result result = run_finish(r, 2500);
    assert_changes(&f, result.id, "created user bob\nmember_added group staff bob");
    fixture_close(&f);
}

static void count_gap(void *ctx, const struct gap *g)
{
    *(unsigned *)ctx += str_equal(g->what, STR("drift: 1 difference"));
}

static void test_a_gap_afterwards(void **state)
{
    struct fixture f;
    struct err e;
    unsigned n = 0;
    fixture_open(&f);
    struct run_result result = SYNC(&f, 1000, {ALICE});
    struct gap g = {.kind = KIND_NONE, .severity = GAP_INFO, .what = STR("drift: 1 difference"), .where = STR("x"), .fix = STR("y")};
    assert_int_equal(store_gap_add(f.store, result.id, &g, &e), 0);
    assert_int_equal(store_gap_add(f.store, result.id, &g, &e), 0);
    fixture_reopen(&f);
    assert_int_equal(store_run_get(f.store, result.id, NULL, count_gap, &n, &e), 0);
    assert_int_equal(n, 2);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_said_is_nothing_changed),
        cmocka_unit_test(test_deleted_and_vanished),
        cmocka_unit_test(test_guard_holds_the_vanished_only),
        cmocka_unit_test(test_presence_proves_absence),
        cmocka_unit_test(test_effects),
        cmocka_unit_test(test_unresolved_owners),
        cmocka_unit_test(test_a_gap_afterwards),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
