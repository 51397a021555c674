/* Memberships: lists, parts, names that nobody has, primary groups, nesting, and what privileges follow. */
#include "store/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* clang-format off */
#define DN(name)      "CN=" name ",DC=corp,DC=example"
#define USER(name, n) {.kind = KIND_user, .id = n, .rid = 1000 + n, .dn = DN(name), .sam = name}
#define MEMBERS(...)  .members = (const char *const[]){__VA_ARGS__, NULL}
#define GROUP(name, n) .kind = KIND_group, .id = 500 + n, .rid = 500 + n, .dn = DN(name), .sam = name

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

static void assert_groups(struct fixture *f, const char *key, const char *expected)
{
    assert_text(links_text(f->store, key, LINK_GROUPS_OF), expected);
}

static void assert_members(struct fixture *f, const char *key, const char *expected)
{
    assert_text(links_text(f->store, key, LINK_MEMBERS_OF), expected);
}

static void test_added_and_removed(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    struct run_result r = SYNC(&f, 1000, {GROUP("staff", 1), MEMBERS(DN("a"), DN("b"))}, {GROUP("empty", 2)},
                               USER("a", 1), USER("b", 2), USER("c", 3));
    assert_int_equal(r.n_members_added, 2);
    assert_int_equal(r.n_changes, 5); /* of a first run, who is in which group is no news */
    assert_members(&f, "staff", "a/member b/member");
    assert_members(&f, "empty", "");
    assert_groups(&f, "a", "staff/member");
    /* another order, another case of the attribute type: nothing */
    r = SYNC(&f, 2000, {GROUP("staff", 1), MEMBERS(DN("b"), DN("a"))}, {GROUP("empty", 2)}, USER("a", 1),
             USER("b", 2), USER("c", 3));
    assert_int_equal(r.n_changes, 0);
    r = SYNC(&f, 3000, {GROUP("staff", 1), MEMBERS("cn=A,dc=CORP, DC=example", DN("b"))}, {GROUP("empty", 2)},
             USER("a", 1), USER("b", 2), USER("c", 3));
    assert_int_equal(r.n_changes, 0);
    r = SYNC(&f, 4000, {GROUP("staff", 1), MEMBERS(DN("c"), DN("b"))}, {GROUP("empty", 2)}, USER("a", 1),
             USER("b", 2), USER("c", 3));
    assert_changes(&f, r.id, "member_added group staff c\nmember_removed group staff a");
    assert_int_equal(r.n_members_added, 1);
    assert_int_equal(r.n_members_removed, 1);
    assert_int_equal(r.counts[KIND_group].changed, 1);
    assert_int_equal(r.counts[KIND_user].changed, 0);
    assert_members(&f, "staff", "b/member c/member");
    assert_groups(&f, "a", "");
    assert_groups(&f, "c", "staff/member");
    r = SYNC(&f, 5000, {GROUP("staff", 1)}, {GROUP("empty", 2)}, USER("a", 1), USER("b", 2), USER("c", 3));
    assert_changes(&f, r.id, "member_removed group staff b\nmember_removed group staff c");
    fixture_close(&f);
}

static bool check_member_change(void *ctx, const struct change *c)
{
    uint8_t group[GUID_SIZE], member[GUID_SIZE];
    guid_of_id(group, 501);
    guid_of_id(member, 1);
    assert_memory_equal(c->guid, group, GUID_SIZE);
    assert_memory_equal(c->member_guid, member, GUID_SIZE);
    assert_int_equal(c->kind, KIND_group);
    assert_int_equal(c->member_kind, KIND_user);
    assert_true(str_equal(c->attribute, STR("member")));
    bool added = c->type == CHANGE_member_added;
    assert_true(str_equal(str_of(added ? c->new : c->old), STR("CN=a,DC=corp,DC=example")));
    assert_int_equal((added ? c->old : c->new).len, 0);
    assert_int_equal(c->time_ms, added ? 2001 : 3001);
    assert_true(str_equal(c->connector, STR("corp")));
    ++*(int *)ctx;
    return true;
}

static void test_change_of_member(void **state)
{
    (void)state;
    struct fixture f;
    struct err e;
    int n = 0;
    fixture_open(&f);
    SYNC(&f, 1000, {GROUP("staff", 1)}, USER("a", 1));
    SYNC(&f, 2000, {GROUP("staff", 1), MEMBERS(DN("a"))}, USER("a", 1));
    SYNC(&f, 3000, {GROUP("staff", 1)}, USER("a", 1));
    struct change_query q = {.connector = STR("corp"), .since_run = 1};
    assert_int_equal(store_changes(f.store, &q, check_member_change, &n, &e), 0);
    assert_int_equal(n, 2);
    fixture_close(&f);
}

/* Identity is the GUID: a member that gets another DN stays a member, and that is no news of the group. */
static void test_renamed_member(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    SYNC(&f, 1000, {GROUP("staff", 1), MEMBERS(DN("a"), DN("b"))}, USER("a", 1), USER("b", 2));
    struct someone renamed = {.kind = KIND_user, .id = 1, .rid = 1001, .dn = DN("z"), .sam = "a"};
    struct run_result r =
        SYNC(&f, 2000, {GROUP("staff", 1), MEMBERS(DN("z"), DN("b"))}, renamed, USER("b", 2));
    assert_changes(&f, r.id, "renamed user a distinguishedName: " DN("a") " -> " DN("z"));
    assert_members(&f, "staff", "a/member b/member");
    /* renamed between the reading of the group and of the user: the group still has the DN of before */
    renamed.dn = DN("y");
    r = SYNC(&f, 3000, {GROUP("staff", 1), MEMBERS(DN("z"), DN("b"), DN("staff"))}, renamed, USER("b", 2));
    assert_changes(
        &f, r.id,
        "member_added group staff staff\nrenamed user a distinguishedName: " DN("z") " -> " DN("y"));
    assert_members(&f, "staff", "a/member b/member staff/member");
    fixture_close(&f);
}

/* Two people swap DNs: who has it now is who is meant. */
static void test_swapped_names(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    SYNC(&f, 1000, {GROUP("staff", 1), MEMBERS(DN("a"))}, {GROUP("other", 2)}, USER("a", 1), USER("b", 2));
    struct run_result r =
        SYNC(&f, 2000, {GROUP("staff", 1), MEMBERS(DN("a"))}, {GROUP("other", 2), MEMBERS(DN("b"))},
             {.kind = KIND_user, .id = 1, .rid = 1001, .dn = DN("b"), .sam = "a"},
             {.kind = KIND_user, .id = 2, .rid = 1002, .dn = DN("a"), .sam = "b"});
    assert_members(&f, "other", "a/member");
    assert_int_equal(r.n_members_added, 1);
    fixture_close(&f);
}

static void test_long_list_in_parts(void **state)
{
    (void)state;
    enum { N = 4000, PART = 1500 };
    static char dn[N + 1][48], sam[N + 1][16];
    static const char *list[N + 2];
    struct fixture f;
    fixture_open(&f);
    for (unsigned i = 0; i <= N; i++) {
        snprintf(dn[i], sizeof dn[i], "CN=u%u,DC=corp,DC=example", i);
        snprintf(sam[i], sizeof sam[i], "u%u", i);
    }
    for (unsigned round = 0; round < 6; round++) {
        struct store_run *r = run_start(f.store, "corp", 1000 * (round + 1));
        unsigned n = 0;
        /* 0, 1: all but the last; 2: one more; 3: one less in the middle; 4: in another partition of parts;
         * 5: none */
        for (unsigned i = 0; i < N + (round >= 2); i++)
            if (round < 5 && !(round >= 3 && i == 1777)) list[n++] = dn[i];
        unsigned part = round == 4 ? 700 : PART;
        run_put_one(r, &(struct someone){GROUP("big", 1), .flags = RECORD_MORE_MEMBERS});
        for (unsigned at = 0; at < n; at += part) {
            const char *held = list[at + part < n ? at + part : n];
            unsigned end = at + part < n ? at + part : n;
            list[end] = NULL;
            run_put_members(r, list + at, end < n);
            list[end] = held;
        }
        if (!n) run_put_members(r, NULL, false);
        for (unsigned i = 0; i <= N; i++)
            run_put_one(
                r, &(struct someone){
                       .kind = KIND_user, .id = 10000 + i, .rid = 10000 + i, .dn = dn[i], .sam = sam[i]});
        run_done_all(r);
        struct run_result result = run_finish(r, 1000 * (round + 1) + 1);
        static const char *const expected[] = {
            NULL, "", "member_added group big u4000", "member_removed group big u1777", "", NULL};
        if (expected[round]) assert_changes(&f, result.id, expected[round]);
        if (round == 0) assert_int_equal(result.n_members_added, N);
        if (round == 5) assert_int_equal(result.n_changes, N);
    }
    assert_members(&f, "big", "");
    assert_groups(&f, "u5", "");
    fixture_close(&f);
}

/* --- names that nobody has -------------------------------------------------------------------- */

static void count_loss(void *ctx, const struct gap *g)
{
    int *n = ctx;
    n[g->severity]++;
    if (str_index(g->what, '1') == 0) assert_true(str_starts(g->what, STR("1 members do not resolve")));
}

static void assert_gaps(struct fixture *f, int64_t run, int info, int loss)
{
    int n[2] = {0};
    struct err e;
    assert_int_equal(store_run_get(f->store, run, NULL, count_loss, n, &e), 0);
    assert_int_equal(n[GAP_INFO], info);
    assert_int_equal(n[GAP_LOSS], loss);
}

static void test_unresolved(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    struct run_result r = SYNC(&f, 1000, {GROUP("staff", 1), MEMBERS(DN("a"), DN("late"))}, USER("a", 1));
    assert_members(&f, "staff", "?CN=late,DC=corp,DC=example/member a/member");
    assert_int_equal(r.status, RUN_PARTIAL);
    assert_gaps(&f, r.id, 0, 1);
    r = SYNC(&f, 2000, {GROUP("staff", 1), MEMBERS(DN("a"), DN("late"))}, USER("a", 1));
    assert_int_equal(r.n_changes, 0); /* no flapping, but told again */
    assert_gaps(&f, r.id, 0, 1);
    /* the group is as it was; the user is new */
    r = SYNC(&f, 3000, {GROUP("staff", 1), MEMBERS(DN("a"), DN("late"))}, USER("a", 1), USER("late", 2));
    assert_changes(&f, r.id, "created user late\nmember_added group staff late");
    assert_int_equal(r.status, RUN_COMPLETE);
    assert_members(&f, "staff", "a/member late/member");
    /* another domain's */
    r = SYNC(&f, 4000, {GROUP("staff", 1), MEMBERS(DN("a"), DN("late"), "CN=x,DC=other,DC=example")},
             USER("a", 1), USER("late", 2));
    assert_int_equal(r.status, RUN_COMPLETE);
    assert_int_equal(r.n_changes, 0);
    assert_gaps(&f, r.id, 1, 0);
    r = SYNC(&f, 5000, {GROUP("staff", 1), MEMBERS(DN("a"), DN("late"))}, USER("a", 1), USER("late", 2));
    assert_gaps(&f, r.id, 0, 0);
    assert_members(&f, "staff", "a/member late/member");
    fixture_close(&f);
}

static void test_listed_base_and_filter(void **state)
{
    (void)state;
    for (int how = 0; how < 2; how++) {
        struct fixture f;
        struct err e;
        struct store_run *r;
        struct run_start start = {.connector = STR("corp"),
                                  .source = STR("active_directory"),
                                  .mode = STR("full"),
                                  .started_ms = 1};
        if (how)
            start.is_filtered = true;
        else
            start.listed_base = STR("OU=People,DC=corp,DC=example");
        fixture_open(&f);
        assert_int_equal(store_run_begin(&r, f.store, &start, &e), 0);
        assert_int_equal(store_run_domain(r, &fixture_domain, &e), 0);
        run_put_one(r, &(struct someone){GROUP("staff", 1), MEMBERS(DN("elsewhere"))});
        run_done_all(r);
        struct run_result result = run_finish(r, 2);
        assert_int_equal(result.status, RUN_COMPLETE);
        assert_gaps(&f, 1, 1, 0);
        fixture_close(&f);
    }
}

/* --- members that go and come ----------------------------------------------------------------- */

static void test_deleted_member(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    SYNC(&f, 1000, {GROUP("staff", 1), MEMBERS(DN("a"), DN("b"))}, USER("a", 1), USER("b", 2));
    /* the directory drops the link with its object */
    struct run_result r = SYNC(&f, 2000, {GROUP("staff", 1), MEMBERS(DN("b"))}, USER("b", 2));
    assert_changes(&f, r.id, "deleted user a (vanished)\nmember_removed group staff a (vanished)");
    assert_groups(&f, "a", "");
    SYNC(&f, 3000, {GROUP("staff", 1), MEMBERS(DN("a"), DN("b"))}, USER("a", 1), USER("b", 2));
    assert_members(&f, "staff", "a/member b/member");
    /* the account may no longer see it: the group still names it */
    r = SYNC(&f, 4000, {GROUP("staff", 1), MEMBERS(DN("a"), DN("b"))}, USER("b", 2));
    assert_changes(&f, r.id, "deleted user a (vanished)\nmember_removed group staff a (vanished)");
    assert_members(&f, "staff", "?CN=a,DC=corp,DC=example/member b/member");
    r = SYNC(&f, 5000, {GROUP("staff", 1), MEMBERS(DN("a"), DN("b"))}, USER("a", 1), USER("b", 2));
    assert_changes(&f, r.id, "member_added group staff a\nrestored user a");
    assert_members(&f, "staff", "a/member b/member");
    fixture_close(&f);
}

static void test_deleted_group(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    SYNC(&f, 1000, {GROUP("staff", 1), MEMBERS(DN("a"), DN("inner"))}, {GROUP("inner", 2), MEMBERS(DN("a"))},
         USER("a", 1));
    struct run_result r = SYNC(&f, 2000, {GROUP("inner", 2), MEMBERS(DN("a"))}, USER("a", 1));
    assert_changes(&f, r.id, "deleted group staff (vanished)"); /* its memberships went with it */
    assert_groups(&f, "a", "inner/member");
    assert_groups(&f, "inner", "");
    assert_members(&f, "staff", "");
    r = SYNC(&f, 3000, {GROUP("staff", 1), MEMBERS(DN("a"), DN("inner"))},
             {GROUP("inner", 2), MEMBERS(DN("a"))}, USER("a", 1));
    assert_changes(&f, r.id,
                   "member_added group staff a\nmember_added group staff inner\nrestored group staff");
    assert_members(&f, "staff", "a/member inner/member");
    fixture_close(&f);
}

static void test_new_group_later(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    SYNC(&f, 1000, USER("a", 1));
    struct run_result r = SYNC(&f, 2000, {GROUP("staff", 1), MEMBERS(DN("a"))}, USER("a", 1));
    assert_changes(&f, r.id, "created group staff\nmember_added group staff a");
    assert_int_equal(r.counts[KIND_group].changed, 0);
    assert_int_equal(r.counts[KIND_group].created, 1);
    fixture_close(&f);
}

/* A list that may have holes takes nobody out, and is read again when it is whole. */
static void test_lossy_list(void **state)
{
    (void)state;
    struct fixture f;
    struct err e;
    struct gap gap = {.kind = KIND_group, .severity = GAP_LOSS, .what = STR("member;range=1500-* failed")};
    fixture_open(&f);
    SYNC(&f, 1000, {GROUP("staff", 1), MEMBERS(DN("a"), DN("b"))}, USER("a", 1), USER("b", 2), USER("c", 3));
    struct store_run *r = run_start(f.store, "corp", 2000);
    run_put_one(r, &(struct someone){GROUP("staff", 1), MEMBERS(DN("a"), DN("c"))});
    for (unsigned i = 0; i < 3; i++)
        run_put_one(r, &(const struct someone[]){USER("a", 1), USER("b", 2), USER("c", 3)}[i]);
    assert_int_equal(store_run_gap(r, &gap, &e), 0);
    run_done_all(r);
    struct run_result result = run_finish(r, 2001);
    assert_changes(&f, result.id, "member_added group staff c");
    result = SYNC(&f, 3000, {GROUP("staff", 1), MEMBERS(DN("a"), DN("c"))}, USER("a", 1), USER("b", 2),
                  USER("c", 3));
    assert_changes(&f, result.id, "member_removed group staff b");
    fixture_close(&f);
}

/* --- primary groups --------------------------------------------------------------------------- */

/* clang-format off */
#define HOLDER(name, n, group) {.kind = KIND_user, .id = n, .rid = 1000 + n, .dn = DN(name), .sam = name, .primary = group}
/* clang-format on */

static void test_primary_group(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    SYNC(&f, 1000, {GROUP("Domain Users", 13)}, {GROUP("Domain Guests", 14)}, HOLDER("a", 1, 513),
         HOLDER("b", 2, 513));
    assert_members(&f, "Domain Users", "a/primary_group b/primary_group");
    assert_groups(&f, "a", "Domain Users/primary_group");
    struct run_result r = SYNC(&f, 2000, {GROUP("Domain Users", 13)}, {GROUP("Domain Guests", 14)},
                               HOLDER("a", 1, 514), HOLDER("b", 2, 513));
    assert_changes(&f, r.id,
                   "member_added group Domain Guests a by primary_group\nmember_removed group Domain Users a "
                   "by primary_group\n"
                   "modified user a primaryGroupID: 513 -> 514");
    assert_members(&f, "Domain Users", "b/primary_group");
    assert_members(&f, "Domain Guests", "a/primary_group");
    /* both ways at once */
    r = SYNC(&f, 3000, {GROUP("Domain Users", 13), MEMBERS(DN("b"))}, {GROUP("Domain Guests", 14)},
             HOLDER("a", 1, 514), HOLDER("b", 2, 513));
    assert_changes(&f, r.id, "member_added group Domain Users b");
    assert_members(&f, "Domain Users", "b/member b/primary_group");
    /* a new one, and one that goes */
    r = SYNC(&f, 4000, {GROUP("Domain Users", 13)}, {GROUP("Domain Guests", 14)}, HOLDER("b", 2, 513),
             HOLDER("c", 3, 513));
    assert_changes(
        &f, r.id,
        "created user c\ndeleted user a (vanished)\nmember_added group Domain Users c by primary_group\n"
        "member_removed group Domain Guests a by primary_group (vanished)\nmember_removed group Domain Users "
        "b");
    r = SYNC(&f, 5000, {GROUP("Domain Users", 13)}, {GROUP("Domain Guests", 14)}, HOLDER("a", 1, 514),
             HOLDER("b", 2, 513), HOLDER("c", 3, 513));
    assert_changes(&f, r.id, "member_added group Domain Guests a by primary_group\nrestored user a");
    fixture_close(&f);
}

static void test_primary_group_unknown(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    struct run_result r = SYNC(&f, 1000, HOLDER("a", 1, 513));
    assert_int_equal(r.status, RUN_PARTIAL);
    assert_groups(&f, "a", "?S-1-5-21-1-2-3-513/primary_group");
    r = SYNC(&f, 2000, HOLDER("a", 1, 513));
    assert_int_equal(r.n_changes, 0);
    assert_int_equal(r.status, RUN_PARTIAL);
    r = SYNC(&f, 3000, {GROUP("Domain Users", 13)}, HOLDER("a", 1, 513));
    assert_changes(&f, r.id,
                   "created group Domain Users\nmember_added group Domain Users a by primary_group");
    assert_groups(&f, "a", "Domain Users/primary_group");
    r = SYNC(&f, 4000, HOLDER("a", 1, 513)); /* the group goes, the account still has its RID */
    assert_groups(&f, "a", "?S-1-5-21-1-2-3-513/primary_group");
    r = SYNC(&f, 5000, {GROUP("Domain Users", 13)}, HOLDER("a", 1, 513));
    assert_changes(&f, r.id,
                   "member_added group Domain Users a by primary_group\nrestored group Domain Users");
    fixture_close(&f);
}

static void test_foreign(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    SYNC(&f, 1000,
         {GROUP("staff", 1), MEMBERS("CN=S-1-5-11,CN=ForeignSecurityPrincipals,DC=corp,DC=example")},
         {.kind = KIND_foreign_principal,
          .id = 7,
          .dn = "CN=S-1-5-11,CN=ForeignSecurityPrincipals,DC=corp,DC=example",
          .sam = "fsp"});
    assert_members(&f, "staff", "fsp/foreign");
    fixture_close(&f);
}

/* --- nesting ---------------------------------------------------------------------------------- */

static bool note_privileges(void *ctx, const struct entity *x)
{
    struct buf *out = ctx;
    if (x->privileges) buf_printf(out, "%.*s=%u ", STR_FMT(x->name), x->privileges);
    return true;
}

static void assert_privileges(struct fixture *f, const char *expected)
{
    struct buf out = buf_new(1 << 16);
    struct err e;
    struct entity_query q = {.connector = STR("corp")};
    assert_int_equal(store_entities(f->store, &q, note_privileges, &out, &e), 0);
    assert_string_equal(buf_cstr(&out), expected);
    buf_free(&out);
}

static void test_privileges(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    /* Administrators has Domain Admins has inner has a; inner and ring are in each other; b by primary group
     */
    SYNC(&f, 1000,
         {.kind = KIND_group,
          .id = 700,
          .builtin = 544,
          .dn = DN("Administrators"),
          .sam = "Administrators",
          MEMBERS(DN("Domain Admins"), DN("d"))},
         {GROUP("Domain Admins", 12), MEMBERS(DN("inner"))},
         {GROUP("inner", 1), MEMBERS(DN("a"), DN("ring"))}, {GROUP("ring", 2), MEMBERS(DN("inner"))},
         {.kind = KIND_group,
          .id = 701,
          .builtin = 551,
          .dn = DN("Backup"),
          .sam = "Backup",
          MEMBERS(DN("e"))},
         USER("a", 1), HOLDER("b", 2, 512), USER("c", 3), USER("d", 4), USER("e", 5));
    unsigned full = PRIV_FULL_ADMIN | PRIV_PROTECTED, domain = full | PRIV_DOMAIN_ADMIN;
    char expected[256];
    snprintf(expected, sizeof expected,
             "Administrators=%u Domain Admins=%u inner=%u ring=%u Backup=%u a=%u b=%u d=%u e=%u ", full,
             domain, domain, domain, (unsigned)PRIV_PROTECTED, domain, domain, full,
             (unsigned)PRIV_PROTECTED);
    assert_privileges(&f, expected);
    /* of the visible snapshot: a run later, with the same handle */
    SYNC(&f, 2000,
         {.kind = KIND_group, .id = 700, .builtin = 544, .dn = DN("Administrators"), .sam = "Administrators"},
         {GROUP("Domain Admins", 12)}, {GROUP("inner", 1), MEMBERS(DN("a"), DN("ring"))},
         {GROUP("ring", 2), MEMBERS(DN("inner"))},
         {.kind = KIND_group, .id = 701, .builtin = 551, .dn = DN("Backup"), .sam = "Backup"}, USER("a", 1),
         HOLDER("b", 2, 513), USER("c", 3), USER("d", 4), USER("e", 5));
    snprintf(expected, sizeof expected, "Administrators=%u Domain Admins=%u Backup=%u ", full, domain,
             (unsigned)PRIV_PROTECTED);
    assert_privileges(&f, expected);
    fixture_close(&f);
}

/* Everybody a member of everybody: a dense cycle ends too. */
static void test_dense_cycle(void **state)
{
    (void)state;
    enum { N = 300 };
    static char dn[N][48];
    static const char *list[N + 1];
    struct fixture f;
    fixture_open(&f);
    for (unsigned i = 0; i < N; i++) {
        snprintf(dn[i], sizeof dn[i], "CN=g%u,DC=corp,DC=example", i);
        list[i] = dn[i];
    }
    list[N] = NULL;
    struct store_run *r = run_start(f.store, "corp", 1000);
    for (unsigned i = 0; i < N; i++)
        run_put_one(r, &(struct someone){.kind = KIND_group,
                                         .id = 1 + i,
                                         .rid = i ? 2000 + i : 512,
                                         .dn = dn[i],
                                         .sam = dn[i] + 3,
                                         .members = list});
    run_done_all(r);
    struct run_result result = run_finish(r, 1001);
    assert_int_equal(result.n_members_added, N * N);
    struct buf out = buf_new(1 << 16);
    struct err e;
    struct entity_query q = {.connector = STR("corp")};
    assert_int_equal(store_entities(f.store, &q, note_privileges, &out, &e), 0);
    size_t n = 0;
    for (size_t i = 0; i < out.len; i++) n += out.ptr[i] == '=' && out.ptr[i + 1] == '7';
    assert_int_equal(n, N);
    buf_free(&out);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_added_and_removed),
        cmocka_unit_test(test_change_of_member),
        cmocka_unit_test(test_renamed_member),
        cmocka_unit_test(test_swapped_names),
        cmocka_unit_test(test_long_list_in_parts),
        cmocka_unit_test(test_unresolved),
        cmocka_unit_test(test_listed_base_and_filter),
        cmocka_unit_test(test_deleted_member),
        cmocka_unit_test(test_deleted_group),
        cmocka_unit_test(test_new_group_later),
        cmocka_unit_test(test_lossy_list),
        cmocka_unit_test(test_primary_group),
        cmocka_unit_test(test_primary_group_unknown),
        cmocka_unit_test(test_foreign),
        cmocka_unit_test(test_privileges),
        cmocka_unit_test(test_dense_cycle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
