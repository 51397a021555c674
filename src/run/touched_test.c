/* What a change touches, where an object's DN is its id: nothing is a place, nothing is renamed, who is gone is still named. */
#include "run/touched.h"

#include "model/dn.h"
#include "store/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define ID(n) "aaaaaaaa-0000-4000-8000-00000000000" n

static void test_ids_as_dns(void **state)
{
    static const char *const forms[] = {ID("1"), "AAAAAAAA-0000-4000-8000-000000000001"};
    for (size_t i = 0; i < n_elements(forms); i++) {
        struct buf form = buf_new(1024);
        dn_normalize(&form, str_from(forms[i]));
        assert_string_equal(buf_cstr(&form), ID("1"));
        assert_true(dn_is_under(buf_str(&form), STR("")));
        assert_true(dn_is_under(buf_str(&form), STR(ID("1"))));
        assert_false(dn_is_under(buf_str(&form), STR(ID("2"))));
        assert_false(dn_is_under(buf_str(&form), STR("000000000001")));
        assert_int_equal(dn_parent(str_from(forms[i])).len, 0);
        buf_free(&form);
    }
}

static struct someone group(unsigned id, const char *dn, const char *name, const char *const *members)
{
    return (struct someone){.kind = KIND_group, .id = id, .dn = dn, .sam = name, .members = members};
}

static const char *const alice_and_bob[] = {ID("1"), ID("2"), NULL};

static void fill(struct fixture *f)
{
    const struct someone all[] = {group(9, ID("9"), "staff", alice_and_bob),
                                  {.kind = KIND_user, .id = 1, .dn = ID("1"), .upn = "alice", .sam = "alice"},
                                  {.kind = KIND_user, .id = 2, .dn = ID("2"), .upn = "bob", .sam = "bob", .manager = ID("1")},
                                  {.kind = KIND_user, .id = 3, .dn = ID("3"), .upn = "carol", .sam = "carol", .manager = ID("2")}};
    sync_all(f, all, n_elements(all), 1000);
}

static struct store_run *incremental(struct fixture *f)
{
    struct err e;
    struct store_run *r = run_start(f->store, "corp", 2000);
    assert_int_equal(store_run_mode(r, STR("incremental"), &e), 0);
    return r;
}

static void assert_only(struct touched *t, struct store_run *r, const char *expected)
{
    json_t *only;
    const char *everything;
    struct err e;
    assert_int_equal(touched_finish(t, r, &only, &everything, &e), 0);
    assert_null(everything);
    char *text = only ? json_dumps(only, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    if (expected)
        assert_string_equal(text, expected);
    else
        assert_null(text);
    free(text);
    json_decref(only);
}

static void put(struct touched *t, struct store_run *r, const struct someone *who)
{
    struct err e;
    struct record rec = {.kind = who->kind, .dn = str_from(who->dn)};
    guid_of_id(rec.guid, who->id);
    run_put_one(r, who);
    assert_int_equal(touched_put(t, &rec, store_run_effect(r), &e), 0);
}

static void gone(struct touched *t, struct store_run *r, unsigned id)
{
    uint8_t guid[GUID_SIZE];
    struct err e;
    guid_of_id(guid, id);
    assert_int_equal(store_run_gone(r, guid, EVIDENCE_DELETED, &e), 0);
    assert_int_equal(touched_gone(t, guid, &e), 0);
}

/* Whoever was changed touches nobody else. */
static void test_changed(void **state)
{
    struct fixture f;
    fixture_open(&f);
    fill(&f);
    struct store_run *r = incremental(&f);
    struct touched *t = touched_new(f.store, STR("corp"));
    put(t, r, &(struct someone){.kind = KIND_user, .id = 1, .dn = ID("1"), .upn = "alice2", .sam = "alice", .title = "CEO"});
    put(t, r, &(struct someone){.kind = KIND_user, .id = 4, .dn = ID("4"), .upn = "dave", .sam = "dave"});
    assert_false(touched_places(t));
    assert_only(t, r, NULL);
    touched_free(t);
    run_finish(r, 2001);
    fixture_close(&f);
}

/* Who is gone: the groups that had him, and those whose manager he was. */
static void test_gone(void **state)
{
    struct fixture f;
    char expected[512], staff[GUID_TEXT], carol[GUID_TEXT];
    uint8_t guid[GUID_SIZE];
    fixture_open(&f);
    fill(&f);
    struct store_run *r = incremental(&f);
    struct touched *t = touched_new(f.store, STR("corp"));
    gone(t, r, 2);
    guid_of_id(guid, 9);
    guid_format(staff, guid);
    guid_of_id(guid, 3);
    guid_format(carol, guid);
    snprintf(expected, sizeof expected,
             "{\"below\":[],\"groups\":[],\"guids\":{\"group\":[\"%s\"],\"user\":[\"%s\"]},\"member_of\":[],\"present\":false,"
             "\"references\":[]}",
             staff, carol);
    assert_only(t, r, expected);
    touched_free(t);
    run_finish(r, 2001);
    fixture_close(&f);
}

/* Who comes back may be named again. */
static void test_restored(void **state)
{
    struct fixture f;
    fixture_open(&f);
    fill(&f);
    struct store_run *r = incremental(&f);
    struct touched *t = touched_new(f.store, STR("corp"));
    gone(t, r, 1);
    touched_free(t);
    run_finish(r, 2001);
    r = incremental(&f);
    t = touched_new(f.store, STR("corp"));
    put(t, r, &(struct someone){.kind = KIND_user, .id = 1, .dn = ID("1"), .upn = "alice", .sam = "alice"});
    assert_only(t, r, "{\"below\":[],\"groups\":[],\"guids\":{},\"member_of\":[],\"present\":false,\"references\":[\"" ID("1") "\"]}");
    touched_free(t);
    run_finish(r, 3001);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_ids_as_dns), cmocka_unit_test(test_changed), cmocka_unit_test(test_gone),
                                       cmocka_unit_test(test_restored)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
