/* Questions to the visible snapshot: finding, listing, paging, history, runs, the outbox. */
#include "store/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* clang-format off */
#define DN(name)       "CN=" name ",DC=corp,DC=example"
#define USER(name, n)  {.kind = KIND_user, .id = n, .rid = 1000 + n, .dn = DN(name), .sam = name, .upn = name "@corp.example"}
#define GROUP(name, n) .kind = KIND_group, .id = 500 + n, .rid = 500 + n, .dn = DN(name), .sam = name
#define MEMBERS(...)   .members = (const char *const[]){__VA_ARGS__, NULL}

/* clang-format on */
/* --- one by key ------------------------------------------------------------------------------- */

static void note_name(void *ctx, const struct entity *x)
{
    buf_printf(ctx, "%.*s/%.*s%s", STR_FMT(x->connector), STR_FMT(x->name), x->deleted_ms ? "/deleted" : "");
}

static int find(struct fixture *f, const char *connector, const char *key, bool with_deleted, char *out,
                size_t size, struct err *e)
{
    struct buf b = buf_new(256);
    int rc = store_entity_find(f->store, str_from(connector), str_from(key), with_deleted, note_name, &b, e);
    snprintf(out, size, "%s", buf_cstr(&b));
    buf_free(&b);
    return rc;
}

static void test_find(void **state)
{
    (void)state;
    struct fixture f;
    struct err e;
    char got[64], guid[GUID_TEXT], key[64];
    uint8_t bytes[GUID_SIZE];
    fixture_open(&f);
    SYNC(&f, 1000, USER("alice", 1), USER("J\xc3\xbcrgen", 2), USER("gone", 3),
         {.kind = KIND_user, .id = 4, .rid = 1004, .dn = DN("x1"), .sam = "alice2", .upn = "alice"});
    SYNC(&f, 2000, USER("alice", 1), USER("J\xc3\xbcrgen", 2),
         {.kind = KIND_user, .id = 4, .rid = 1004, .dn = DN("x1"), .sam = "alice2", .upn = "alice"});
    guid_of_id(bytes, 1);
    guid_format(guid, bytes);
    static const struct {
        const char *key, *connector;
        int with_deleted, class;
        const char *found;
    } cases[] = {
        {"alice", "corp", 0, 0, "corp/alice"},
        {"ALICE", "", 0, 0, "corp/alice"},
        {"alice@corp.example", "corp", 0, 0, "corp/alice"},
        {"Alice@CORP.example", "corp", 0, 0, "corp/alice"},
        {"CORP\\alice", "corp", 0, 0, "corp/alice"},
        {"corp.example\\alice", "", 0, 0, "corp/alice"},
        {"OTHER\\alice", "corp", 0, ERR_NOTFOUND, ""},
        {"S-1-5-21-1-2-3-1001", "corp", 0, 0, "corp/alice"},
        {"S-1-5-21-1-2-3-9999", "corp", 0, ERR_NOTFOUND, ""},
        {DN("alice"), "corp", 0, 0, "corp/alice"},
        {"cn=ALICE , dc=Corp,DC=example", "corp", 0, 0, "corp/alice"},
        {"j\xc3\xbcrgen", "corp", 0, 0, "corp/J\xc3\xbcrgen"},
        {"J\xc3\x9cRGEN", "corp", 0, 0, "corp/J\xc3\xbcrgen"},
        {"gone", "corp", 0, ERR_NOTFOUND, ""},
        {"gone", "corp", 1, 0, "corp/gone/deleted"},
        {"alice", "lab", 0, ERR_NOTFOUND, ""},
        {"", "corp", 0, ERR_NOTFOUND, ""},
        {"al", "corp", 0, ERR_NOTFOUND, ""},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        assert_int_equal(
            find(&f, cases[i].connector, cases[i].key, cases[i].with_deleted, got, sizeof got, &e),
            cases[i].class);
        assert_string_equal(got, cases[i].found);
    }
    assert_int_equal(find(&f, "corp", guid, false, got, sizeof got, &e), 0);
    assert_string_equal(got, "corp/alice");
    snprintf(key, sizeof key, "{%s}", guid);
    assert_int_equal(find(&f, "", key, false, got, sizeof got, &e), 0);
    fixture_close(&f);
}

static void test_ambiguous(void **state)
{
    (void)state;
    struct fixture f;
    struct err e;
    char got[64];
    fixture_open(&f);
    struct store_run *r = run_start(f.store, "corp", 1);
    for (unsigned i = 0; i < 7; i++) {
        char dn[64];
        snprintf(dn, sizeof dn, "CN=twin%u,DC=corp,DC=example", i);
        run_put_one(r, &(struct someone){.kind = KIND_user, .id = 1 + i, .dn = dn, .sam = "twin"});
    }
    run_finish(r, 2);
    assert_int_equal(find(&f, "corp", "twin", false, got, sizeof got, &e), ERR_CONFLICT);
    assert_string_equal(got, "");
    assert_non_null(strstr(e.message, "7 entities match"));
    assert_non_null(strstr(e.message, "CN=twin4,"));
    assert_null(strstr(e.message, "CN=twin5,"));
    /* the same account in two connectors */
    struct store_run *lab = run_start(f.store, "lab", 3);
    run_put_one(lab, &(struct someone){.kind = KIND_user, .id = 1, .dn = DN("twin0"), .sam = "solo"});
    run_finish(lab, 4);
    assert_int_equal(find(&f, "", DN("twin0"), false, got, sizeof got, &e), ERR_CONFLICT);
    assert_int_equal(find(&f, "lab", DN("twin0"), false, got, sizeof got, &e), 0);
    assert_string_equal(got, "lab/solo");
    fixture_close(&f);
}

/* Who is there comes before who is gone under the same name. */
static void test_reused_name(void **state)
{
    (void)state;
    struct fixture f;
    struct err e;
    char got[64];
    fixture_open(&f);
    SYNC(&f, 1000, USER("alice", 1));
    SYNC(&f, 2000, USER("alice", 2));
    assert_int_equal(find(&f, "corp", "alice", true, got, sizeof got, &e), 0);
    assert_string_equal(got, "corp/alice");
    SYNC(&f, 3000, USER("bob", 3));
    assert_int_equal(find(&f, "corp", "alice", true, got, sizeof got, &e), ERR_CONFLICT);
    assert_int_equal(find(&f, "corp", "alice", false, got, sizeof got, &e), ERR_NOTFOUND);
    /* a name that was left behind finds nobody */
    SYNC(&f, 4000, {.kind = KIND_user, .id = 3, .rid = 1003, .dn = DN("robert"), .sam = "robert"});
    assert_int_equal(find(&f, "corp", "bob", true, got, sizeof got, &e), ERR_NOTFOUND);
    assert_int_equal(find(&f, "corp", DN("bob"), true, got, sizeof got, &e), ERR_NOTFOUND);
    assert_int_equal(find(&f, "corp", "robert", true, got, sizeof got, &e), 0);
    fixture_close(&f);
}

static void test_resolve_dn(void **state)
{
    (void)state;
    struct fixture f;
    struct link l;
    fixture_open(&f);
    assert_false(store_resolve_dn(f.store, STR("corp"), STR(DN("alice")), &l));
    SYNC(&f, 1000, USER("alice", 1), USER("gone", 2), {GROUP("staff", 1)});
    SYNC(&f, 2000, USER("alice", 1), {GROUP("staff", 1)});
    assert_true(store_resolve_dn(f.store, STR("corp"), STR("cn=Alice,DC=corp,dc=example"), &l));
    assert_true(str_equal(l.name, STR("alice")));
    assert_true(str_equal(l.dn, STR(DN("alice"))));
    assert_true(str_equal(l.principal, STR("alice@corp.example")));
    assert_int_equal(l.kind, KIND_user);
    assert_int_equal(l.entity_id, entity_id_of_key(f.store, "alice"));
    assert_int_equal(l.sid.len, 28);
    static const char *const nobody[] = {DN("gone"), DN("nobody"), "", "alice"};
    for (size_t i = 0; i < n_elements(nobody); i++)
        assert_false(store_resolve_dn(f.store, STR("corp"), str_from(nobody[i]), &l));
    assert_false(store_resolve_dn(f.store, STR("lab"), STR(DN("alice")), &l));
    fixture_close(&f);
}

/* --- lists ------------------------------------------------------------------------------------ */

struct names {
    struct buf text;
    int64_t last_id;
    unsigned stop_after, n;
};

static bool add_name(void *ctx, const struct entity *x)
{
    struct names *n = ctx;
    buf_printf(&n->text, "%s%.*s", n->text.len ? " " : "", STR_FMT(x->name));
    assert_true(x->id > n->last_id);
    n->last_id = x->id;
    return ++n->n != n->stop_after;
}

static void assert_list(struct fixture *f, struct entity_query q, const char *expected)
{
    struct names n = {.text = buf_new(1 << 16)};
    struct err e;
    assert_int_equal(store_entities(f->store, &q, add_name, &n, &e), 0);
    assert_string_equal(buf_cstr(&n.text), expected);
    buf_free(&n.text);
}

static void test_lists(void **state)
{
    (void)state;
    struct fixture f;
    struct err e;
    fixture_open(&f);
    SYNC(&f, 1000, {GROUP("staff", 1)}, USER("alice", 1), USER("bob", 2),
         {.kind = KIND_user, .id = 3, .dn = DN("carol"), .sam = "carol", .mail = "CEO@corp.example"});
    SYNC(&f, 2000, {GROUP("staff", 1)}, USER("alice", 1),
         {.kind = KIND_user,
          .id = 3,
          .dn = DN("carol"),
          .sam = "carol",
          .mail = "CEO@corp.example",
          .title = "x"});
    struct store_run *lab = run_start(f.store, "lab", 3000);
    run_put_one(lab, &(struct someone)USER("dave", 1));
    run_finish(lab, 3001);
    assert_list(&f, (struct entity_query){.limit = 0}, "staff alice carol dave");
    assert_list(&f, (struct entity_query){.connector = STR("corp")}, "staff alice carol");
    assert_list(&f, (struct entity_query){.connector = STR("corp"), .with_deleted = true},
                "staff alice bob carol");
    assert_list(&f, (struct entity_query){.kinds = KIND_BIT(KIND_user)}, "alice carol dave");
    assert_list(&f, (struct entity_query){.limit = 2}, "staff alice");
    assert_list(&f, (struct entity_query){.after_id = entity_id_of_key(f.store, "alice")}, "carol dave");
    assert_list(&f, (struct entity_query){.after_id = entity_id_of_key(f.store, "alice"), .limit = 1},
                "carol");
    assert_list(&f, (struct entity_query){.after_id = INT64_MAX}, "");
    assert_list(&f, (struct entity_query){.changed_since_run = 1, .with_deleted = true}, "bob carol dave");
    assert_list(&f, (struct entity_query){.search = STR("ALI")}, "alice");
    assert_list(&f, (struct entity_query){.search = STR("ceo@")}, "carol");
    assert_list(&f, (struct entity_query){.search = STR("cn=c")}, "carol");
    assert_list(&f, (struct entity_query){.search = STR("nobody")}, "");
    struct names n = {.text = buf_new(1 << 16), .stop_after = 2};
    assert_int_equal(store_entities(f.store, &(struct entity_query){.limit = 0}, add_name, &n, &e), 0);
    assert_string_equal(buf_cstr(&n.text), "staff alice");
    buf_free(&n.text);
    assert_int_equal(
        store_entities(f.store, &(struct entity_query){.connector = STR("none")}, add_name, &n, &e),
        ERR_NOTFOUND);
    assert_non_null(strstr(e.hint, "rollcall sync none"));
    fixture_close(&f);
}

/* A caller may ask again within a callback, the same function too. */
struct nesting {
    struct store *s;
    unsigned depth, n;
};

static bool nest(void *ctx, const struct entity *x)
{
    struct nesting *n = ctx, inner = {n->s, n->depth + 1, 0};
    struct err e;
    int64_t id = x->id;
    struct str name = x->name;
    char before[32];
    snprintf(before, sizeof before, "%.*s", STR_FMT(name));
    if (n->depth < 3) {
        assert_int_equal(
            store_entities(n->s, &(struct entity_query){.connector = STR("corp")}, nest, &inner, &e), 0);
        assert_int_equal(inner.n, 3);
        assert_int_equal(entity_id_of_key(n->s, before), id);
    }
    assert_true(str_equal(name, str_from(before))); /* what was given is still there */
    n->n++;
    return true;
}

static void test_nested_calls(void **state)
{
    (void)state;
    struct fixture f;
    struct err e;
    fixture_open(&f);
    SYNC(&f, 1000, USER("alice", 1), USER("bob", 2), USER("carol", 3));
    struct nesting n = {f.store, 0, 0};
    assert_int_equal(store_entities(f.store, &(struct entity_query){.connector = STR("corp")}, nest, &n, &e),
                     0);
    assert_int_equal(n.n, 3);
    fixture_close(&f);
}

static bool stop_at_once(void *ctx, const struct link *l)
{
    (void)l;
    ++*(int *)ctx;
    return false;
}

static void test_links_stop(void **state)
{
    (void)state;
    struct fixture f;
    struct err e;
    int n = 0;
    fixture_open(&f);
    SYNC(&f, 1000, {GROUP("staff", 1), MEMBERS(DN("alice"), DN("bob"), DN("none"))}, USER("alice", 1),
         USER("bob", 2));
    assert_int_equal(
        store_links(f.store, entity_id_of_key(f.store, "staff"), LINK_MEMBERS_OF, stop_at_once, &n, &e), 0);
    assert_int_equal(n, 1);
    assert_int_equal(store_links(f.store, 999, LINK_MEMBERS_OF, stop_at_once, &n, &e), 0);
    assert_int_equal(n, 1);
    fixture_close(&f);
}

/* --- changes ---------------------------------------------------------------------------------- */

static bool add_change(void *ctx, const struct change *c)
{
    buf_printf(ctx, "%lld:%s:%.*s ", (long long)c->run, change_type_name(c->type), STR_FMT(c->name));
    return true;
}

static void assert_log(struct fixture *f, struct change_query q, const char *expected)
{
    struct buf b = buf_new(1 << 16);
    struct err e;
    assert_int_equal(store_changes(f->store, &q, add_change, &b, &e), 0);
    assert_string_equal(buf_cstr(&b), expected);
    buf_free(&b);
}

static bool note_id(void *ctx, const struct change *c)
{
    *(int64_t *)ctx = c->id;
    return true;
}

static void test_changes(void **state)
{
    (void)state;
    struct fixture f;
    struct err e;
    fixture_open(&f);
    SYNC(&f, 1000, {GROUP("staff", 1)}, USER("alice", 1));                                       /* run 1 */
    SYNC(&f, 2000, {GROUP("staff", 1), MEMBERS(DN("alice"))}, USER("alice", 1), USER("bob", 2)); /* run 2 */
    SYNC(&f, 3000, {GROUP("staff", 1)}, USER("alice", 1));                                       /* run 3 */
    struct store_run *lab = run_start(f.store, "lab", 4000);                                     /* run 4 */
    run_put_one(lab, &(struct someone)USER("dave", 1));
    run_finish(lab, 4001);
    assert_log(&f, (struct change_query){.limit = 0},
               "1:created:staff 1:created:alice 2:created:bob 2:member_added:staff 3:deleted:bob "
               "3:member_removed:staff 4:created:dave ");
    assert_log(&f, (struct change_query){.newest_first = true, .limit = 3},
               "4:created:dave 3:member_removed:staff 3:deleted:bob ");
    assert_log(&f, (struct change_query){.connector = STR("lab")}, "4:created:dave ");
    assert_log(&f, (struct change_query){.since_run = 2, .connector = STR("corp")},
               "3:deleted:bob 3:member_removed:staff ");
    assert_log(&f, (struct change_query){.run = 2}, "2:created:bob 2:member_added:staff ");
    assert_log(&f, (struct change_query){.kinds = KIND_BIT(KIND_group)},
               "1:created:staff 2:member_added:staff 3:member_removed:staff ");
    assert_log(&f, (struct change_query){.entity_id = entity_id_of_key(f.store, "alice")},
               "1:created:alice 2:member_added:staff 3:member_removed:staff ");
    assert_log(&f,
               (struct change_query){
                   .entity_id = entity_id_of_key(f.store, "alice"), .newest_first = true, .limit = 1},
               "3:member_removed:staff ");
    assert_log(&f, (struct change_query){.entity_id = entity_id_of_key(f.store, "bob")},
               "2:created:bob 3:deleted:bob ");
    /* from where one left off, in small bites */
    struct buf all = buf_new(1 << 16), whole = buf_new(1 << 16);
    int64_t last = 0, before;
    do {
        before = last;
        struct change_query q = {.after_change = last, .limit = 2};
        assert_int_equal(store_changes(f.store, &q, add_change, &all, &e), 0);
        assert_int_equal(store_changes(f.store, &q, note_id, &last, &e), 0);
    } while (last != before);
    assert_int_equal(store_changes(f.store, &(struct change_query){.limit = 0}, add_change, &whole, &e), 0);
    assert_string_equal(buf_cstr(&all), buf_cstr(&whole));
    buf_free(&all);
    buf_free(&whole);
    assert_int_equal(
        store_changes(f.store, &(struct change_query){.connector = STR("none")}, note_id, &last, &e),
        ERR_NOTFOUND);
    fixture_close(&f);
}

static void test_cursors(void **state)
{
    (void)state;
    struct fixture f;
    struct err e;
    int64_t at = 77, third = 0;
    uint64_t behind;
    fixture_open(&f);
    assert_int_equal(store_cursor_get(f.store, STR("corp"), STR("siem"), &at, &e), ERR_NOTFOUND);
    SYNC(&f, 1000, USER("a", 1), USER("b", 2));
    SYNC(&f, 2000, USER("a", 1), USER("b", 2), USER("c", 3), USER("d", 4));
    struct store_run *lab = run_start(f.store, "lab", 3000);
    run_put_one(lab, &(struct someone)USER("dave", 1));
    run_finish(lab, 3001);
    assert_int_equal(store_cursor_get(f.store, STR("corp"), STR("siem"), &at, &e), 0);
    assert_int_equal(at, 0);
    assert_int_equal(store_cursor_behind(f.store, STR("corp"), STR("siem"), &behind, &e), 0);
    assert_int_equal(behind, 4);
    assert_int_equal(store_changes(f.store, &(struct change_query){.limit = 3}, note_id, &third, &e), 0);
    assert_int_equal(store_cursor_put(f.store, STR("corp"), STR("siem"), third, &e), 0);
    fixture_reopen(&f);
    assert_int_equal(store_cursor_get(f.store, STR("corp"), STR("siem"), &at, &e), 0);
    assert_int_equal(at, third);
    assert_int_equal(store_cursor_behind(f.store, STR("corp"), STR("siem"), &behind, &e), 0);
    assert_int_equal(behind, 1);
    assert_int_equal(store_cursor_behind(f.store, STR("corp"), STR("other"), &behind, &e), 0);
    assert_int_equal(behind, 4);
    assert_int_equal(store_cursor_behind(f.store, STR("lab"), STR("siem"), &behind, &e), 0);
    assert_int_equal(behind, 1);
    fixture_close(&f);
}

/* --- runs and connectors ---------------------------------------------------------------------- */

static bool add_run(void *ctx, const struct run_row *r)
{
    buf_printf(ctx, "%lld:%.*s:%s ", (long long)r->id, STR_FMT(r->connector), run_status_name(r->status));
    return true;
}

static void check_run(void *ctx, const struct run_row *r)
{
    ++*(int *)ctx;
    assert_int_equal(r->started_ms, 1000);
    assert_int_equal(r->ended_ms, 1001);
    assert_int_equal(r->requests, 3);
    assert_int_equal(r->bytes, 1000);
    assert_true(str_equal(r->mode, STR("full")));
    assert_true(str_equal(r->server, STR("dc1.corp.example")));
    assert_int_equal(r->result.counts[KIND_user].read, 1);
    assert_int_equal(r->result.counts[KIND_user].created, 1);
    assert_int_equal(r->result.n_changes, 1);
    assert_int_equal(r->result.n_gaps_loss, 1);
    assert_int_equal(r->result.n_gaps_info, 1);
    assert_int_equal(r->error_message.len, 0);
}

static void check_gap(void *ctx, const struct gap *g)
{
    static const struct gap expected[] = {{KIND_user, GAP_LOSS, {"what", 4}, {"where", 5}, {"fix", 3}},
                                          {KIND_NONE, GAP_INFO, {"hm", 2}, {"", 0}, {"", 0}}};
    const struct gap *x = &expected[(*(int *)ctx)++ - 1];
    assert_int_equal(g->kind, x->kind);
    assert_int_equal(g->severity, x->severity);
    assert_true(str_equal(g->what, x->what) && str_equal(g->where, x->where) && str_equal(g->fix, x->fix));
}

static void test_runs(void **state)
{
    (void)state;
    struct fixture f;
    struct err e;
    int n = 0;
    struct buf b = buf_new(1 << 16);
    fixture_open(&f);
    struct store_run *r = run_start(f.store, "corp", 1000);
    run_put_one(r, &(struct someone)USER("a", 1));
    assert_int_equal(
        store_run_gap(r, &(struct gap){KIND_user, GAP_LOSS, STR("what"), STR("where"), STR("fix")}, &e), 0);
    assert_int_equal(store_run_gap(r, &(struct gap){KIND_NONE, GAP_INFO, STR("hm"), STR(""), STR("")}, &e),
                     0);
    run_done_all(r);
    run_finish(r, 1001);
    assert_int_equal(store_run_get(f.store, 1, check_run, check_gap, &n, &e), 0);
    assert_int_equal(n, 3);
    assert_int_equal(store_run_get(f.store, 99, check_run, check_gap, &n, &e), ERR_NOTFOUND);
    SYNC(&f, 2000, USER("a", 1));
    r = run_start(f.store, "lab", 3000);
    assert_int_equal(store_runs(f.store, STR(""), 0, add_run, &b, &e), 0);
    assert_string_equal(buf_cstr(&b), "3:lab:running 2:corp:complete 1:corp:partial ");
    buf_clear(&b);
    assert_int_equal(store_runs(f.store, STR("corp"), 1, add_run, &b, &e), 0);
    assert_string_equal(buf_cstr(&b), "2:corp:complete ");
    store_run_abort(r, &(struct err){.class = ERR_CANCEL}, 3001);
    assert_int_equal(store_runs(f.store, STR("none"), 1, add_run, &b, &e), ERR_NOTFOUND);
    buf_free(&b);
    fixture_close(&f);
}

static void test_many_gaps(void **state)
{
    (void)state;
    struct fixture f;
    struct err e;
    fixture_open(&f);
    struct store_run *r = run_start(f.store, "corp", 1000);
    for (unsigned i = 0; i < 100000; i++)
        assert_int_equal(
            store_run_gap(r, &(struct gap){KIND_user, GAP_INFO, STR("again"), STR(""), STR("")}, &e), 0);
    struct run_result result = run_finish(r, 1001);
    assert_int_equal(result.n_gaps_info, 100000); /* counted, but not all kept */
    fixture_close(&f);
}

static void test_connector(void **state)
{
    (void)state;
    struct fixture f;
    struct err e;
    struct connector_state c;
    fixture_open(&f);
    assert_int_equal(store_connector(f.store, STR("corp"), &c, &e), ERR_NOTFOUND);
    struct store_run *r = run_start(f.store, "corp", 1000);
    assert_int_equal(store_connector(f.store, STR("corp"), &c, &e), ERR_NOTFOUND); /* nothing visible yet */
    run_put_one(r, &(struct someone)USER("a", 1));
    run_finish(r, 1001);
    assert_int_equal(store_connector(f.store, STR("corp"), &c, &e), 0);
    assert_true(str_equal(c.name, STR("corp")));
    assert_true(str_equal(c.source, STR("active_directory")));
    assert_int_equal(c.visible_run, 1);
    assert_true(str_equal(c.domain.dns_name, STR("corp.example")));
    assert_true(str_equal(c.domain.base, STR("DC=corp,DC=example")));
    assert_int_equal(c.domain.max_pwd_age_ms, 3628800000);
    assert_true(c.domain.has_policy);
    assert_int_equal(c.domain.sid.len, 24);
    assert_int_equal(c.n_entities[KIND_user], 1);
    struct connector_state first = c; /* stays valid after later runs */
    struct store_run *second;
    struct run_start start = {
        .connector = STR("corp"), .source = STR("active_directory"), .mode = STR("full")};
    assert_int_equal(store_run_begin(&second, f.store, &start, &e), 0); /* no domain facts in this stream */
    run_put_one(second, &(struct someone)USER("b", 2));
    run_finish(second, 2001);
    assert_int_equal(store_connector(f.store, STR("corp"), &c, &e), 0);
    assert_int_equal(c.visible_run, 2);
    assert_true(str_equal(c.domain.dns_name, STR("corp.example")));
    assert_int_equal(c.n_entities[KIND_user], 2); /* users were not asked for: a stays */
    assert_true(str_equal(first.domain.dns_name, STR("corp.example")));
    fixture_close(&f);
}

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(run_status_name(RUN_NEEDS_ATTENTION), "needs_attention");
    assert_string_equal(run_status_name((enum run_status)99), "");
    assert_string_equal(link_via_name(VIA_FOREIGN), "foreign");
    assert_string_equal(link_via_name((enum link_via)0), "");
    assert_string_equal(link_via_name((enum link_via)9), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find),        cmocka_unit_test(test_ambiguous),
        cmocka_unit_test(test_reused_name), cmocka_unit_test(test_resolve_dn),
        cmocka_unit_test(test_lists),       cmocka_unit_test(test_nested_calls),
        cmocka_unit_test(test_links_stop),  cmocka_unit_test(test_changes),
        cmocka_unit_test(test_cursors),     cmocka_unit_test(test_runs),
        cmocka_unit_test(test_many_gaps),   cmocka_unit_test(test_connector),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
