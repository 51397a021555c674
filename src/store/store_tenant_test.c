/* What a tenant of Entra ID brings that a domain has not: ids for DNs, members of roles and administrative units, privileges from roles,
 * reports that are not read every time. */
#include "store/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* clang-format off */
#define ID(n)          "00000000-0000-4000-8000-00000000000" n
#define USER(name, n)  .kind = KIND_user, .id = 0x##n, .dn = ID(#n), .upn = name, .sam = name
#define GROUP(name, n) .kind = KIND_group, .id = 0x##n, .dn = ID(#n), .sam = name
#define ROLE(name, n)  .kind = KIND_role, .id = 0x##n, .dn = ID(#n), .sam = name
#define UNIT(name, n)  .kind = KIND_administrative_unit, .id = 0x##n, .dn = ID(#n), .sam = name
#define MEMBERS(...)   .members = (const char *const[]){__VA_ARGS__, NULL}
#define GLOBAL_ADMIN   .role_template = "62e90394-69f5-4237-9190-012177145e10"
#define READER         .role_template = "88d8e3e3-8f55-4a1e-953a-9b9898b8876b" /* Directory Readers */
/* clang-format on */

#define TENANT_MEMBERS                                                                                       \
    (KIND_BIT(KIND_user) | KIND_BIT(KIND_group) | KIND_BIT(KIND_service_principal) | KIND_BIT(KIND_device) | \
     KIND_BIT(KIND_contact))
static const struct domain_info tenant = {.dns_name = {"contoso.example", 15},
                                          .server = {"graph.example", 13},
                                          .tenant_id = {"11111111-0000-4000-8000-000000000000", 36},
                                          .organization = {"Contoso", 7}};

static struct store_run *begin(struct fixture *f, int64_t at_ms)
{
    struct err e;
    struct store_run *r = NULL;
    struct run_start start = {.connector = STR("corp"),
                              .source = STR("entra_id"),
                              .mode = STR("full"),
                              .member_kinds = TENANT_MEMBERS,
                              .started_ms = at_ms};
    if (store_run_begin(&r, f->store, &start, &e) < 0) fail_msg("%s", e.message);
    assert_int_equal(store_run_domain(r, &tenant, &e), 0);
    return r;
}

static void done_all(struct store_run *r)
{
    static const enum kind all[] = {KIND_group,  KIND_role,    KIND_administrative_unit, KIND_service_principal,
                                    KIND_device, KIND_contact, KIND_user};
    for (size_t i = 0; i < n_elements(all); i++) run_done(r, all[i]);
}

static struct run_result put_all(struct store_run *r, const struct someone *who, size_t n, int64_t at_ms)
{
    for (size_t i = 0; i < n; i++) run_put_one(r, &who[i]);
    done_all(r);
    return run_finish(r, at_ms + 1);
}
#define READ(f, at_ms, ...)                                                                                  \
    put_all(begin(f, at_ms), (const struct someone[]){__VA_ARGS__},                                          \
            sizeof((const struct someone[]){__VA_ARGS__}) / sizeof(struct someone), at_ms)

static void assert_text(char *actual, const char *expected)
{
    assert_string_equal(actual, expected);
    free(actual);
}

static void assert_has(struct fixture *f, const char *part)
{
    char *all = entities_text(f->store, "corp");
    if (!strstr(all, part)) fail_msg("no %s in\n%s", part, all);
    free(all);
}

/* --- facts -------------------------------------------------------------------------------------- */

static void test_facts(void **state)
{
    struct fixture f;
    struct connector_state c;
    struct err e;
    fixture_open(&f);
    READ(&f, 1000, {USER("alice", 1)});
    fixture_reopen(&f);
    assert_int_equal(store_connector(f.store, STR("corp"), &c, &e), 0);
    assert_true(domain_is_tenant(&c.domain));
    assert_true(str_equal(c.domain.tenant_id, tenant.tenant_id));
    assert_true(str_equal(c.domain.organization, tenant.organization));
    assert_true(str_equal(c.domain.dns_name, tenant.dns_name));
    struct store_run *r = run_start(f.store, "ad", 2000);
    run_finish(r, 2001);
    assert_int_equal(store_connector(f.store, STR("ad"), &c, &e), 0);
    assert_false(domain_is_tenant(&c.domain));
    assert_int_equal(c.domain.organization.len, 0);
    fixture_close(&f);
}

/* --- members ------------------------------------------------------------------------------------ */

static void test_members(void **state)
{
    struct fixture f;
    fixture_open(&f);
    struct run_result r = READ(&f, 1000, {GROUP("staff", a), MEMBERS(ID("1"), ID("b"))}, {GROUP("inner", b)},
                               {ROLE("admin", c), MEMBERS(ID("1"), ID("a"))}, {UNIT("emea", d), MEMBERS(ID("1"))}, {USER("alice", 1)});
    assert_int_equal(r.status, RUN_COMPLETE);
    assert_text(links_text(f.store, "alice", LINK_GROUPS_OF), "admin/member emea/member staff/member");
    assert_text(links_text(f.store, "admin", LINK_MEMBERS_OF), "alice/member staff/member");
    assert_text(links_text(f.store, "emea", LINK_MEMBERS_OF), "alice/member");
    r = READ(&f, 2000, {GROUP("staff", a), MEMBERS("00000000-0000-4000-8000-00000000000B", ID("1"))}, {GROUP("inner", b)},
             {ROLE("admin", c), MEMBERS(ID("1"))}, {UNIT("emea", d)}, {USER("alice", 1)});
    assert_text(changes_text(f.store, r.id), "member_removed administrative_unit emea alice\nmember_removed role admin staff");
    fixture_close(&f);
}

struct seen_gaps {
    unsigned n[KIND_COUNT][2];
    unsigned n_all;
};

static void see_gap(void *ctx, const struct gap *g)
{
    struct seen_gaps *s = ctx;
    s->n[g->kind][g->severity]++;
    s->n_all++;
}

static struct seen_gaps gaps_of(struct fixture *f, int64_t run)
{
    struct seen_gaps s = {.n_all = 0};
    struct err e;
    assert_int_equal(store_run_get(f->store, run, NULL, see_gap, &s, &e), 0);
    return s;
}

/* A gap for each kind that names somebody unknown; a loss only where all who could be meant were listed. */
static void test_unknown_members(void **state)
{
    struct fixture f;
    fixture_open(&f);
    struct run_result r = READ(&f, 1000, {GROUP("staff", a), MEMBERS(ID("1"), ID("2"))}, {ROLE("admin", c), MEMBERS(ID("3"))},
                               {UNIT("emea", d), MEMBERS(ID("1"))}, {USER("alice", 1)});
    struct seen_gaps s = gaps_of(&f, r.id);
    assert_int_equal(r.status, RUN_PARTIAL);
    assert_int_equal(s.n[KIND_group][GAP_LOSS], 1);
    assert_int_equal(s.n[KIND_role][GAP_LOSS], 1);
    assert_int_equal(s.n_all, 2);
    r = READ(&f, 2000, {GROUP("staff", a), MEMBERS(ID("1"), ID("2"))}, {ROLE("admin", c), MEMBERS(ID("3"))},
             {UNIT("emea", d), MEMBERS(ID("1"))}, {USER("alice", 1)}); /* nothing new, told again */
    s = gaps_of(&f, r.id);
    assert_int_equal(s.n[KIND_group][GAP_LOSS], 1);
    assert_int_equal(s.n[KIND_role][GAP_LOSS], 1);
    struct store_run *run = begin(&f, 3000);
    run_put_one(run, &(struct someone){GROUP("staff", a), MEMBERS(ID("1"), ID("2"))});
    run_put_one(run, &(struct someone){USER("alice", 1)});
    run_done(run, KIND_group);
    run_done(run, KIND_user); /* neither devices nor service principals */
    r = run_finish(run, 3001);
    s = gaps_of(&f, r.id);
    assert_int_equal(r.status, RUN_COMPLETE);
    assert_int_equal(s.n[KIND_group][GAP_INFO], 1);
    r = READ(&f, 4000, {GROUP("staff", a), MEMBERS(ID("1"), ID("2"))}, {ROLE("admin", c), MEMBERS(ID("3"))},
             {UNIT("emea", d), MEMBERS(ID("1"))}, {USER("alice", 1)}, {USER("bob", 2)}, {USER("carol", 3)});
    assert_int_equal(r.status, RUN_COMPLETE);
    assert_text(links_text(f.store, "carol", LINK_GROUPS_OF), "admin/member");
    fixture_close(&f);
}

/* Roles that were read with losses take nobody out; groups that were read whole do. */
static void test_loss_of_one_kind(void **state)
{
    struct fixture f;
    struct err e;
    struct gap gap = {.kind = KIND_role, .severity = GAP_LOSS, .what = STR("assignments of roles may not be read")};
    fixture_open(&f);
    READ(&f, 1000, {GROUP("staff", a), MEMBERS(ID("1"))}, {ROLE("admin", c), MEMBERS(ID("1"))}, {ROLE("other", e)}, {USER("alice", 1)});
    struct store_run *run = begin(&f, 2000);
    assert_int_equal(store_run_gap(run, &gap, &e), 0);
    run_put_one(run, &(struct someone){GROUP("staff", a)});
    run_put_one(run, &(struct someone){ROLE("admin", c)});
    run_put_one(run, &(struct someone){USER("alice", 1)});
    done_all(run);
    struct run_result r = run_finish(run, 2001);
    assert_int_equal(r.status, RUN_PARTIAL);
    assert_text(changes_text(f.store, r.id), "member_removed group staff alice");
    assert_text(links_text(f.store, "admin", LINK_MEMBERS_OF), "alice/member");
    r = READ(&f, 3000, {GROUP("staff", a)}, {ROLE("admin", c)}, {ROLE("other", e)}, {USER("alice", 1)}); /* as it was, but believed now */
    assert_text(changes_text(f.store, r.id), "member_removed role admin alice");
    fixture_close(&f);
}

/* --- privileges --------------------------------------------------------------------------------- */

static void test_privileges(void **state)
{
    struct fixture f;
    fixture_open(&f);
    READ(&f, 1000, {ROLE("global", 1), GLOBAL_ADMIN, .assignment = "active", MEMBERS(ID("a"), ID("6"))},
         {ROLE("eligible", 2), GLOBAL_ADMIN, .assignment = "eligible", MEMBERS(ID("b"))},
         {ROLE("reader", 3), READER, .assignment = "active", MEMBERS(ID("c"))}, {UNIT("emea", 4), MEMBERS(ID("d"), ID("5"))},
         {GROUP("plain", 5), MEMBERS(ID("d"))}, {GROUP("outer", 6), MEMBERS(ID("7"))}, {GROUP("nested", 7), MEMBERS(ID("e"), ID("6"))},
         {USER("root", a)}, {USER("maybe", b)}, {USER("read", c)}, {USER("nobody", d)}, {USER("deep", e)});
    assert_has(&f, "userPrincipalName=root sd=0 privileges=14 ");
    assert_has(&f, "userPrincipalName=deep sd=0 privileges=14 ");
    assert_has(&f, "userPrincipalName=maybe sd=0 privileges=0 ");
    assert_has(&f, "userPrincipalName=read sd=0 privileges=8 ");
    assert_has(&f, "userPrincipalName=nobody sd=0 privileges=0 ");
    READ(&f, 2000, {ROLE("reader", 3), READER, .assignment = "active", MEMBERS(ID("c"))}, {GROUP("outer", 6), MEMBERS(ID("7"))},
         {GROUP("nested", 7), MEMBERS(ID("e"), ID("6"))}, {ROLE("global", 1), GLOBAL_ADMIN, .assignment = "eligible", MEMBERS(ID("a"), ID("6"))},
         {USER("root", a)}, {USER("read", c)}, {USER("deep", e)});
    assert_has(&f, "userPrincipalName=root sd=0 privileges=0 ");
    assert_has(&f, "userPrincipalName=deep sd=0 privileges=0 ");
    assert_has(&f, "userPrincipalName=read sd=0 privileges=8 ");
    READ(&f, 3000, {GROUP("outer", 6)}, {USER("read", c)}); /* the role is gone */
    assert_has(&f, "userPrincipalName=read sd=0 privileges=0 ");
    fixture_close(&f);
}

/* --- what was not read this time ---------------------------------------------------------------- */

static void test_kept(void **state)
{
    const unsigned keep_both = RECORD_KEEP_MFA | RECORD_KEEP_SIGN_IN;
    struct fixture f;
    fixture_open(&f);
    READ(&f, 1000, {USER("alice", 1), .mfa = "yes", .sign_in = 5000, .logons = 1}, {USER("bob", 2), .flags = keep_both});
    assert_has(&f, "userPrincipalName=alice isMfaRegistered=1 logonCount=1 lastSignInDateTime=5000");
    struct run_result r = READ(&f, 2000, {USER("alice", 1), .flags = keep_both, .logons = 1}, {USER("bob", 2)});
    assert_int_equal(r.n_changes, 0); /* nor does a flag alone make a difference */
    assert_has(&f, "userPrincipalName=alice isMfaRegistered=1 logonCount=1 lastSignInDateTime=5000");
    /* one of them, with other news */
    r = READ(&f, 3000, {USER("alice", 1), .flags = RECORD_KEEP_MFA, .title = "CEO", .sign_in = 6000, .logons = 2}, {USER("bob", 2)});
    assert_text(changes_text(f.store, r.id), "modified user alice title:  -> CEO");
    assert_has(&f, "title=CEO isMfaRegistered=1 logonCount=2 lastSignInDateTime=6000");
    r = READ(&f, 4000, {USER("alice", 1), .flags = RECORD_KEEP_SIGN_IN, .title = "CEO", .mfa = "no", .logons = 2}, {USER("bob", 2)});
    assert_text(changes_text(f.store, r.id), "modified user alice isMfaRegistered: 1 -> 0");
    assert_has(&f, "title=CEO isMfaRegistered=0 logonCount=2 lastSignInDateTime=6000");
    /* read, and without value: gone */
    r = READ(&f, 5000, {USER("alice", 1), .title = "CEO", .logons = 2}, {USER("bob", 2)});
    assert_text(changes_text(f.store, r.id), "modified user alice isMfaRegistered: 0 -> ");
    READ(&f, 6000, {USER("alice", 1), .title = "CEO", .mfa = "yes", .sign_in = 7000}, {USER("bob", 2)});
    READ(&f, 7000, {USER("bob", 2)});
    /* who was gone comes back without what was known */
    READ(&f, 8000, {USER("alice", 1), .flags = keep_both, .title = "CEO"}, {USER("bob", 2)});
    assert_has(&f, "userPrincipalName=alice title=CEO sd=0");
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_facts),           cmocka_unit_test(test_members),    cmocka_unit_test(test_unknown_members),
        cmocka_unit_test(test_loss_of_one_kind), cmocka_unit_test(test_privileges), cmocka_unit_test(test_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
