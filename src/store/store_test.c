/* What a run makes visible: counts, changes, tombstones, guard, gaps, aborts. */
#include "store/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* clang-format off */
#define ALICE    .kind = KIND_user, .id = 1, .rid = 1001
#define ALICE_DN "CN=Alice,OU=Sales,DC=corp,DC=example"
#define BOB      .kind = KIND_user, .id = 2, .rid = 1002, .dn = "CN=Bob,OU=Sales,DC=corp,DC=example", .sam = "bob"
/* clang-format on */

static void assert_text(char *actual, const char *expected)
{
    assert_string_equal(actual, expected);
    free(actual);
}

static void assert_changes(struct fixture *f, int64_t run, const char *expected)
{
    assert_text(changes_text(f->store, run), expected);
}

/* --- URLs ------------------------------------------------------------------------------------- */

static void test_urls(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        int class;
    } cases[] = {
        {"postgresql:rollcall", ERR_INPUT},
        {"postgres://u:secret@h/db", ERR_INPUT},
        {"", ERR_INPUT},
        {"rollcall.db", ERR_INPUT},
        {"sqlite:", ERR_INPUT},
        {"sqlite::memory:", ERR_INPUT},
        {"mysql:x", ERR_INPUT},
        {"sqlite:/nonexistent/dir/x.db", ERR_INPUT},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct store *s = NULL;
        struct err e = {0};
        assert_int_equal(store_open(&s, str_from(cases[i].url), &e), cases[i].class);
        assert_false(store_exists(str_from(cases[i].url)));
        assert_null(strstr(e.message, "secret"));
        assert_true(e.hint[0]);
    }
    store_close(NULL);
}

static void test_exists(void **state)
{
    (void)state;
    struct fixture f;
    char url[256];
    fixture_open(&f);
    assert_true(store_exists(str_from(f.url)));
    snprintf(url, sizeof url, "%s2", f.url);
    assert_false(store_exists(str_from(url)));
    assert_false(store_exists(str_from(url))); /* asking makes nothing */
    fixture_close(&f);
}

/* --- first and second run --------------------------------------------------------------------- */

static void test_first_run(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    struct run_result r =
        SYNC(&f, 1000, {ALICE, .dn = ALICE_DN, .sam = "alice", .title = "Clerk", .logons = 7}, {BOB});
    assert_int_equal(r.status, RUN_COMPLETE);
    assert_int_equal(r.id, 1);
    assert_int_equal(r.counts[KIND_user].read, 2);
    assert_int_equal(r.counts[KIND_user].created, 2);
    assert_int_equal(r.counts[KIND_user].changed, 0);
    assert_int_equal(r.n_changes, 2);
    assert_changes(&f, 0, "created user alice\ncreated user bob");
    assert_text(
        entities_text(f.store, "corp"),
        "user alice " ALICE_DN
        " S-1-5-21-1-2-3-1001 sAMAccountName=alice title=Clerk logonCount=7 sd=0 privileges=0 in [] has []\n"
        "user bob CN=Bob,OU=Sales,DC=corp,DC=example S-1-5-21-1-2-3-1002 sAMAccountName=bob sd=0 "
        "privileges=0 in [] has []");
    fixture_close(&f);
}

static void test_nothing_before_the_end(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    struct store *reader = fixture_another(&f);
    struct store_run *r = run_start(f.store, "corp", 1000);
    run_put_one(r, &(struct someone){BOB});
    assert_text(entities_text(reader, "corp"), "");
    assert_text(changes_text(reader, 0), "");
    run_done_all(r);
    run_finish(r, 1001);
    assert_changes(&f, 0, "created user bob");
    assert_text(changes_text(reader, 0), "created user bob");
    struct store_run *second = run_start(f.store, "corp", 2000);
    run_put_one(second, &(struct someone){BOB, .title = "Boss"});
    struct err e;
    assert_int_equal(store_run_rest(second, &e), 0);
    assert_text(changes_text(reader, 0), "created user bob");
    char *now = entities_text(reader, "corp");
    assert_null(strstr(now, "Boss"));
    free(now);
    run_done_all(second);
    run_finish(second, 2001);
    now = entities_text(reader, "corp");
    assert_non_null(strstr(now, "title=Boss"));
    free(now);
    store_close(reader);
    fixture_close(&f);
}

static bool note_times(void *ctx, const struct entity *x)
{
    ((int64_t *)ctx)[0] = x->first_seen_ms;
    ((int64_t *)ctx)[1] = x->last_changed_ms;
    ((int64_t *)ctx)[2] = x->deleted_ms;
    return true;
}

static void assert_times(struct fixture *f, int64_t first, int64_t changed, int64_t deleted)
{
    int64_t t[3] = {0};
    struct err e;
    struct entity_query q = {.connector = STR("corp"), .with_deleted = true};
    assert_int_equal(store_entities(f->store, &q, note_times, t, &e), 0);
    assert_int_equal(t[0], first);
    assert_int_equal(t[1], changed);
    assert_int_equal(t[2], deleted);
}

static void test_times(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    SYNC(&f, 1000, {BOB});
    assert_times(&f, 1001, 1001, 0);
    SYNC(&f, 2000, {BOB});
    assert_times(&f, 1001, 1001, 0);
    SYNC(&f, 3000, {BOB, .title = "x"});
    assert_times(&f, 1001, 3001, 0);
    SYNC(&f, 4000, {BOB, .title = "x", .logons = 3});
    assert_times(&f, 1001, 3001, 0);
    sync_all(&f, NULL, 0, 5000);
    assert_times(&f, 1001, 5001, 5001);
    SYNC(&f, 6000, {BOB, .title = "x"});
    assert_times(&f, 1001, 6001, 0);
    fixture_close(&f);
}

/* --- one difference each ---------------------------------------------------------------------- */

/* clang-format off */
static const struct difference_case {
    const char *name;
    struct someone before, after;
    const char *changes;
    unsigned changed; /* counted */
} differences[] = {
    {"nothing", {ALICE, .dn = ALICE_DN, .sam = "a", .title = "T"}, {ALICE, .dn = ALICE_DN, .sam = "a", .title = "T"}, "", 0},
    {"value", {ALICE, .dn = ALICE_DN, .sam = "a", .title = "Clerk"}, {ALICE, .dn = ALICE_DN, .sam = "a", .title = "Boss"},
     "modified user a title: Clerk -> Boss", 1},
    {"added", {ALICE, .dn = ALICE_DN, .sam = "a"}, {ALICE, .dn = ALICE_DN, .sam = "a", .title = "Boss"},
     "modified user a title:  -> Boss", 1},
    {"removed", {ALICE, .dn = ALICE_DN, .sam = "a", .title = "Boss"}, {ALICE, .dn = ALICE_DN, .sam = "a"},
     "modified user a title: Boss -> ", 1},
    {"two", {ALICE, .dn = ALICE_DN, .sam = "a", .title = "x", .mail = "m"}, {ALICE, .dn = ALICE_DN, .sam = "a", .title = "y", .mail = "n"},
     "modified user a mail: m -> n\nmodified user a title: x -> y", 1},
    {"account name", {ALICE, .dn = ALICE_DN, .sam = "a"}, {ALICE, .dn = ALICE_DN, .sam = "b"},
     "modified user b sAMAccountName: a -> b", 1},
    {"statistics", {ALICE, .dn = ALICE_DN, .sam = "a", .logons = 1}, {ALICE, .dn = ALICE_DN, .sam = "a", .logons = 2}, "", 0},
    {"renamed", {ALICE, .dn = ALICE_DN, .sam = "a"}, {ALICE, .dn = "CN=Alicia,OU=Sales,DC=corp,DC=example", .sam = "a"},
     "renamed user a distinguishedName: " ALICE_DN " -> CN=Alicia,OU=Sales,DC=corp,DC=example", 1},
    {"moved", {ALICE, .dn = ALICE_DN, .sam = "a"}, {ALICE, .dn = "CN=Alice,OU=Dev,DC=corp,DC=example", .sam = "a"},
     "moved user a distinguishedName: " ALICE_DN " -> CN=Alice,OU=Dev,DC=corp,DC=example", 1},
    {"both", {ALICE, .dn = ALICE_DN, .sam = "a"}, {ALICE, .dn = "CN=Al,OU=Dev,DC=corp,DC=example", .sam = "a"},
     "moved user a distinguishedName: " ALICE_DN " -> CN=Al,OU=Dev,DC=corp,DC=example\n"
     "renamed user a distinguishedName: " ALICE_DN " -> CN=Al,OU=Dev,DC=corp,DC=example", 1},
    {"case of the parent", {ALICE, .dn = ALICE_DN, .sam = "a"}, {ALICE, .dn = "CN=Alice,OU=SALES,DC=corp,DC=example", .sam = "a"}, "", 0},
    {"case of the name", {ALICE, .dn = ALICE_DN, .sam = "a"}, {ALICE, .dn = "CN=ALICE,OU=Sales,DC=corp,DC=example", .sam = "a"},
     "renamed user a distinguishedName: " ALICE_DN " -> CN=ALICE,OU=Sales,DC=corp,DC=example", 1},
    {"SID", {ALICE, .dn = ALICE_DN, .sam = "a"}, {.kind = KIND_user, .id = 1, .rid = 2002, .dn = ALICE_DN, .sam = "a"},
     "modified user a objectSid: S-1-5-21-1-2-3-1001 -> S-1-5-21-1-2-3-2002", 1},
};
/* clang-format on */

static void test_differences(void **state)
{
    (void)state;
    for (size_t i = 0; i < n_elements(differences); i++) {
        const struct difference_case *c = &differences[i];
        struct fixture f;
        fixture_open(&f);
        sync_all(&f, &c->before, 1, 1000);
        struct run_result r = sync_all(&f, &c->after, 1, 2000);
        print_message("# %s\n", c->name);
        assert_changes(&f, r.id, c->changes);
        assert_int_equal(r.counts[KIND_user].changed, c->changed);
        assert_int_equal(r.counts[KIND_user].created, 0);
        char *now = entities_text(f.store, "corp"), *expected;
        struct fixture clean; /* what a store that only saw the second run shows */
        fixture_open(&clean);
        sync_all(&clean, &c->after, 1, 2000);
        expected = entities_text(clean.store, "corp");
        assert_string_equal(now, expected);
        free(now);
        free(expected);
        fixture_close(&clean);
        fixture_close(&f);
    }
}

/* A descriptor of one owner and a DACL with one allow ACE for Everyone with this mask. */
static struct bytes descriptor(uint8_t out[64], uint8_t mask)
{
    static const uint8_t sd[] = {
        1, 0, 4,  0x80, 0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x20, 0, 0, 0, /* header */
        1, 1, 0,  0,    0,    0, 0, 1, 0, 0, 0, 0,                            /* owner S-1-1-0 */
        2, 0, 28, 0,    1,    0, 0, 0,                                        /* ACL */
        0, 0, 20, 0,    0,    0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 1, 0,    0, 0, 0};
    memcpy(out, sd, sizeof sd);
    out[44] = mask;
    return (struct bytes){out, sizeof sd};
}

static struct run_result sync_with_sd(struct fixture *f, uint8_t mask, uint32_t sd, unsigned flags,
                                      int64_t at_ms)
{
    uint8_t bytes[64];
    struct err e;
    struct store_run *r = run_start(f->store, "corp", at_ms);
    assert_int_equal(store_run_sd(r, 1, descriptor(bytes, mask), &e), 0);
    run_put_one(r, &(struct someone){BOB, .sd = sd, .flags = flags});
    run_done_all(r);
    return run_finish(r, at_ms + 1);
}

static void test_descriptors(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    sync_with_sd(&f, 0x10, 1, 0, 1000);
    assert_int_equal(sync_with_sd(&f, 0x10, 1, 0, 2000).n_changes, 0);
    struct run_result r = sync_with_sd(&f, 0x20, 1, 0, 3000);
    char *text = changes_text(f.store, r.id);
    assert_int_equal(r.n_changes, 1);
    assert_non_null(strstr(text, "modified user bob nTSecurityDescriptor: O:WD"));
    assert_non_null(strstr(text, " -> O:WD"));
    free(text);
    char *now = entities_text(f.store, "corp");
    assert_non_null(strstr(now, " sd=60 "));
    free(now);
    /* asked for and not given: what was known stays, and is compared with what comes next */
    assert_int_equal(sync_with_sd(&f, 0x20, 0, RECORD_NO_SD, 4000).n_changes, 0);
    assert_int_equal(sync_with_sd(&f, 0x20, 1, 0, 5000).n_changes, 0);
    /* not asked for: none, and that is no change */
    assert_int_equal(sync_with_sd(&f, 0x20, 0, 0, 6000).n_changes, 0);
    now = entities_text(f.store, "corp");
    assert_non_null(strstr(now, " sd=0 "));
    free(now);
    assert_int_equal(sync_with_sd(&f, 0x30, 1, 0, 7000).n_changes, 0);
    fixture_close(&f);
}

/* The same content under two numbers, in one run and over runs, is one descriptor. */
static void test_descriptor_once(void **state)
{
    (void)state;
    struct fixture f;
    struct err e;
    uint8_t bytes[64];
    fixture_open(&f);
    for (int64_t t = 1000; t < 4000; t += 1000) {
        struct store_run *r = run_start(f.store, "corp", t);
        for (uint32_t n = 1; n <= 3; n++)
            assert_int_equal(store_run_sd(r, n, descriptor(bytes, 0x10), &e), 0);
        if (t == 2000) assert_int_equal(store_run_rest(r, &e), 0);
        run_put_one(r, &(struct someone){BOB, .sd = 1 + (uint32_t)(t / 1000) % 3});
        run_put_one(r, &(struct someone){ALICE, .dn = ALICE_DN, .sam = "a", .sd = 3});
        run_done_all(r);
        assert_int_equal(run_finish(r, t + 1).n_changes, t == 1000 ? 2 : 0);
    }
    fixture_close(&f);
}

/* --- gone and back ---------------------------------------------------------------------------- */

static void test_deleted_and_restored(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    SYNC(&f, 1000, {ALICE, .dn = ALICE_DN, .sam = "alice"}, {BOB});
    int64_t alice = entity_id_of_key(f.store, "alice");
    struct run_result r = SYNC(&f, 2000, {BOB});
    assert_int_equal(r.status, RUN_COMPLETE);
    assert_int_equal(r.counts[KIND_user].deleted, 1);
    assert_changes(&f, r.id, "deleted user alice (vanished)");
    struct connector_state c;
    struct err e;
    assert_int_equal(store_connector(f.store, STR("corp"), &c, &e), 0);
    assert_int_equal(c.n_entities[KIND_user], 1);
    assert_int_equal(SYNC(&f, 3000, {BOB}).n_changes, 0);
    r = SYNC(&f, 4000, {ALICE, .dn = ALICE_DN, .sam = "alice", .title = "Clerk"}, {BOB});
    assert_changes(&f, r.id, "modified user alice title:  -> Clerk\nrestored user alice");
    assert_int_equal(r.counts[KIND_user].created, 1);
    assert_int_equal(entity_id_of_key(f.store, "alice"), alice);
    assert_int_equal(store_connector(f.store, STR("corp"), &c, &e), 0);
    assert_int_equal(c.n_entities[KIND_user], 2);
    r = SYNC(&f, 5000, {BOB});
    assert_changes(&f, r.id, "deleted user alice (vanished)");
    fixture_close(&f);
}

/* n users of which the first `missing` are not listed. */
static struct run_result sync_crowd(struct fixture *f, unsigned n, unsigned missing, bool accept,
                                    const struct gap *gap, int64_t at_ms)
{
    struct store_run *r = run_start(f->store, "corp", at_ms);
    struct err e;
    char dn[64], sam[16];
    for (unsigned i = missing; i < n; i++) {
        snprintf(dn, sizeof dn, "CN=u%u,DC=corp,DC=example", i);
        snprintf(sam, sizeof sam, "u%u", i);
        run_put_one(
            r, &(struct someone){.kind = KIND_user, .id = 100 + i, .rid = 2000 + i, .dn = dn, .sam = sam});
    }
    run_put_one(r,
                &(struct someone){.kind = KIND_group, .id = 1, .dn = "CN=g,DC=corp,DC=example", .sam = "g"});
    if (gap) assert_int_equal(store_run_gap(r, gap, &e), 0);
    run_done_all(r);
    struct run_end end = {.ended_ms = at_ms + 1, .accept_deletions = accept};
    struct run_result result;
    assert_int_equal(store_run_end(r, &end, &result, &e), 0);
    return result;
}

static void test_guard(void **state)
{
    (void)state;
    static const struct {
        unsigned n, missing, accept, deleted, held;
    } cases[] = {
        {250, 50, 0, 50, 0},    {250, 51, 0, 0, 51}, {1000, 200, 0, 200, 0}, {1000, 201, 0, 0, 201},
        {1000, 201, 1, 201, 0}, {40, 40, 0, 40, 0},  {60, 60, 0, 0, 60},     {60, 60, 1, 60, 0},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct fixture f;
        fixture_open(&f);
        sync_crowd(&f, cases[i].n, 0, false, NULL, 1000);
        struct run_result r = sync_crowd(&f, cases[i].n, cases[i].missing, cases[i].accept, NULL, 2000);
        assert_int_equal(r.counts[KIND_user].deleted, cases[i].deleted);
        assert_int_equal(r.held[KIND_user], cases[i].held);
        assert_int_equal(r.status, cases[i].held ? RUN_NEEDS_ATTENTION : RUN_COMPLETE);
        assert_int_equal(r.n_changes, cases[i].deleted);
        /* held ones are still there for the next run */
        r = sync_crowd(&f, cases[i].n, 0, false, NULL, 3000);
        assert_int_equal(r.counts[KIND_user].created, cases[i].deleted);
        fixture_close(&f);
    }
}

static void test_gaps_forbid_tombstones(void **state)
{
    (void)state;
    static const struct {
        struct gap gap;
        unsigned deleted;
        enum run_status status;
    } cases[] = {
        {{KIND_user, GAP_LOSS, {"page 3 is missing", 17}, {"", 0}, {"", 0}}, 0, RUN_PARTIAL},
        {{KIND_NONE, GAP_LOSS, {"the connection broke", 20}, {"", 0}, {"", 0}}, 0, RUN_PARTIAL},
        {{KIND_computer, GAP_LOSS, {"page 3 is missing", 17}, {"", 0}, {"", 0}}, 5, RUN_PARTIAL},
        {{KIND_user, GAP_INFO, {"a referral", 10}, {"", 0}, {"", 0}}, 5, RUN_COMPLETE},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct fixture f;
        fixture_open(&f);
        sync_crowd(&f, 100, 0, false, NULL, 1000);
        struct run_result r = sync_crowd(&f, 100, 5, false, &cases[i].gap, 2000);
        assert_int_equal(r.counts[KIND_user].deleted, cases[i].deleted);
        assert_int_equal(r.status, cases[i].status);
        assert_int_equal(r.n_gaps_loss, cases[i].gap.severity == GAP_LOSS);
        fixture_close(&f);
    }
}

static void test_incomplete_and_unasked_kinds(void **state)
{
    (void)state;
    struct fixture f;
    struct err e;
    fixture_open(&f);
    SYNC(&f, 1000, {ALICE, .dn = ALICE_DN, .sam = "alice"},
         {.kind = KIND_computer, .id = 5, .dn = "CN=pc,DC=corp,DC=example", .sam = "pc$"});
    struct store_run *r = run_start(f.store, "corp", 2000); /* computers were not asked for */
    run_done(r, KIND_user);
    struct run_result result = run_finish(r, 2001);
    assert_changes(&f, result.id, "deleted user alice (vanished)");
    r = run_start(f.store, "corp", 3000);
    assert_int_equal(store_run_kind_done(r, KIND_computer, false, 0, &e), 0);
    result = run_finish(r, 3001);
    assert_int_equal(result.status, RUN_PARTIAL);
    assert_int_equal(result.n_changes, 0);
    fixture_close(&f);
}

static void test_same_guid_twice(void **state)
{
    (void)state;
    static const char *const members[] = {"CN=Bob,OU=Sales,DC=corp,DC=example", NULL};
    struct fixture f;
    fixture_open(&f);
    for (int64_t t = 1000; t < 4000; t += 1000) {
        struct store_run *r = run_start(f.store, "corp", t);
        run_put_one(
            r, &(struct someone){.kind = KIND_group, .id = 9, .dn = "CN=g,DC=corp,DC=example", .sam = "g"});
        run_put_one(r, &(struct someone){BOB});
        run_put_one(r, &(struct someone){BOB, .title = "Second"});
        run_put_one(r, &(struct someone){.kind = KIND_group,
                                         .id = 9,
                                         .dn = "CN=g,DC=corp,DC=example",
                                         .sam = "g",
                                         .members = members,
                                         .flags = RECORD_MORE_MEMBERS});
        run_put_members(r, members, false);
        run_put_one(r, &(struct someone){ALICE, .dn = ALICE_DN, .sam = "alice"});
        run_done_all(r);
        struct run_result result = run_finish(r, t + 1);
        assert_int_equal(result.counts[KIND_user].read, 2);
        assert_int_equal(result.n_changes, t == 1000 ? 3 : 0);
    }
    char *now = entities_text(f.store, "corp");
    assert_null(strstr(now, "Second"));
    assert_null(strstr(now, "bob/member"));
    free(now);
    fixture_close(&f);
}

/* --- aborts ----------------------------------------------------------------------------------- */

static void assert_failed_row(void *ctx, const struct run_row *row)
{
    (void)ctx;
    assert_int_equal(row->status, RUN_FAILED);
    assert_int_equal(row->ended_ms, 2500);
    assert_true(str_equal(row->error_class, STR("TIMEOUT")));
    assert_true(str_equal(row->error_message, STR("dc1: no answer")));
    assert_true(str_equal(row->error_hint, STR("wait")));
}

static void test_abort(void **state)
{
    (void)state;
    struct fixture f;
    struct err e, why;
    fixture_open(&f);
    err_set(&why, ERR_TIMEOUT, "dc1: no answer");
    err_hint(&why, "wait");
    for (int times = 0; times < 2; times++) { /* before anything is visible, and after */
        char *before = entities_text(f.store, "corp"), *changes = changes_text(f.store, 0);
        struct store_run *r = run_start(f.store, "corp", 2000);
        run_put_one(r, &(struct someone){BOB, .title = "Other", .logons = 99});
        run_put_one(r, &(struct someone){ALICE, .dn = ALICE_DN, .sam = "alice"});
        if (times) assert_int_equal(store_run_rest(r, &e), 0);
        int64_t id = store_run_id(r);
        store_run_abort(r, &why, 2500);
        assert_int_equal(store_run_get(f.store, id, assert_failed_row, NULL, NULL, &e), 0);
        assert_text(entities_text(f.store, "corp"), before);
        assert_text(changes_text(f.store, 0), changes);
        free(before);
        free(changes);
        struct run_result result = SYNC(&f, 3000, {BOB});
        assert_changes(&f, result.id, times ? "" : "created user bob");
    }
    store_run_abort(NULL, &why, 0);
    fixture_close(&f);
}

static void test_protocol_errors(void **state)
{
    (void)state;
    static const char *const members[] = {"CN=x", NULL};
    struct fixture f;
    struct err e, why = {.class = ERR_PROTO};
    struct run_end end = {.ended_ms = 1};
    struct run_result result;
    struct record bob = {.kind = KIND_user, .dn = STR("CN=x"), .sd = 5};
    fixture_open(&f);
    struct store_run *r = run_start(f.store, "corp", 1000);
    assert_int_equal(store_run_put(r, &bob, &e), ERR_PROTO); /* descriptor 5 was not announced */
    assert_int_equal(store_run_sd(r, 4000000000u, bytes_of(STR("x")), &e), ERR_PROTO);
    assert_int_equal(store_run_sd(r, 0, bytes_of(STR("x")), &e), ERR_PROTO);
    assert_int_equal(store_run_members(r, (struct dn_list){0}, false, &e), ERR_PROTO);
    assert_int_equal(store_run_kind_done(r, (enum kind)77, true, 0, &e), ERR_PROTO);
    store_run_abort(r, &why, 1);
    r = run_start(f.store, "corp", 1000);
    run_put_one(
        r, &(struct someone){
               .kind = KIND_group, .id = 9, .dn = "CN=g", .members = members, .flags = RECORD_MORE_MEMBERS});
    bob.sd = 0;
    assert_int_equal(store_run_put(r, &bob, &e), ERR_PROTO);
    assert_int_equal(store_run_end(r, &end, &result, &e), ERR_PROTO);
    store_run_abort(r, &why, 1);
    struct run_start start = {.connector = STR("../../etc/passwd"), .source = STR("x"), .mode = STR("full")};
    assert_int_equal(store_run_begin(&r, f.store, &start, &e), ERR_INPUT);
    assert_text(changes_text(f.store, 0), "");
    fixture_close(&f);
}

/* --- order ------------------------------------------------------------------------------------ */

/* The same people in any order are the same people. */
static void test_any_order(void **state)
{
    (void)state;
    enum { N = 3000 };
    struct fixture f;
    struct err e;
    fixture_open(&f);
    static unsigned order[N];
    for (unsigned i = 0; i < N; i++) order[i] = i;
    for (unsigned round = 0; round < 5; round++) {
        struct store_run *r = run_start(f.store, "corp", 1000 * (round + 1));
        for (unsigned i = 0; i < N; i++) {
            char dn[64], title[16];
            unsigned id = order[i];
            snprintf(dn, sizeof dn, "CN=u%u,DC=corp,DC=example", id);
            snprintf(title, sizeof title, "%u", id % 100 == round ? round : 77);
            run_put_one(r, &(struct someone){.kind = KIND_user,
                                             .id = 100 + id,
                                             .dn = dn,
                                             .sam = dn + 3,
                                             .title = title,
                                             .logons = round / 2});
        }
        assert_int_equal(store_run_kind_done(r, KIND_user, true, N, &e), 0);
        struct run_result result = run_finish(r, 1000 * (round + 1) + 1);
        assert_int_equal(result.counts[KIND_user].created, round ? 0 : N);
        assert_int_equal(result.counts[KIND_user].changed, round ? 60 : 0);
        assert_int_equal(result.counts[KIND_user].deleted, 0);
        for (unsigned i = N - 1; i > 0; i--) { /* another order for the next round: reversed, then shuffled */
            unsigned k = round == 0 ? N - 1 - i : (unsigned)((i * 7919u + round * 104729u) % (i + 1)),
                     t = order[i];
            if (round == 0 && k >= i) break;
            order[i] = order[k];
            order[k] = t;
        }
    }
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_urls),
        cmocka_unit_test(test_exists),
        cmocka_unit_test(test_first_run),
        cmocka_unit_test(test_nothing_before_the_end),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_differences),
        cmocka_unit_test(test_descriptors),
        cmocka_unit_test(test_descriptor_once),
        cmocka_unit_test(test_deleted_and_restored),
        cmocka_unit_test(test_guard),
        cmocka_unit_test(test_gaps_forbid_tombstones),
        cmocka_unit_test(test_incomplete_and_unasked_kinds),
        cmocka_unit_test(test_same_guid_twice),
        cmocka_unit_test(test_abort),
        cmocka_unit_test(test_protocol_errors),
        cmocka_unit_test(test_any_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
