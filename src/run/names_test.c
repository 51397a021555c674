#include "run/names.h"

#include "base/when.h"
#include "model/sid.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define DOMAIN "S-1-5-21-1-2-3"

static struct bytes sid_of(uint8_t out[SID_MAX], const char *text)
{
    struct sid s;
    struct err e;
    assert_int_equal(sid_parse(&s, str_from(text), &e), 0);
    return (struct bytes){out, sid_encode(out, &s)};
}

static void add_text(struct buf *state, enum attr id, const char *text)
{
    struct buf v = buf_new(4096);
    body_value_bytes(&v, bytes_of(str_from(text)));
    body_add(state, id, 1, buf_bytes(&v));
    buf_free(&v);
}

static void add_int(struct buf *state, enum attr id, int64_t n)
{
    struct buf v = buf_new(64);
    body_value_int(&v, n);
    body_add(state, id, 1, buf_bytes(&v));
    buf_free(&v);
}

struct one {
    enum kind kind;
    const char *dn, *sid, *account, *principal; /* NULL: none */
    int64_t primary;
    const char *const *members; /* NULL-terminated; NULL: none */
    const char *role_template, *assignment, *scope;
};

#define ONE(kind_, dn_, sid_, account_, principal_, primary_)                                                                           \
    {                                                                                                                                   \
        .kind = kind_, .dn = dn_, .sid = sid_, .account = account_, .principal = principal_, .primary = primary_                        \
    }

/* Calls f with the record of it. */
static void with_record(const struct one *o, void (*f)(struct names *n, const struct record_index *x), struct names *n)
{
    struct buf state = buf_new(8192);
    uint8_t sid[SID_MAX];
    struct err e;
    struct record r = {.kind = o->kind, .dn = str_from(o->dn)};
    struct record_index x;
    if (o->sid) r.sid = sid_of(sid, o->sid);
    if (o->account) add_text(&state, ATTR_SAM_ACCOUNT_NAME, o->account);
    if (o->principal) add_text(&state, ATTR_USER_PRINCIPAL_NAME, o->principal);
    if (o->primary) add_int(&state, ATTR_PRIMARY_GROUP_ID, o->primary);
    if (o->role_template) add_text(&state, ATTR_ROLE_TEMPLATE_ID, o->role_template);
    if (o->scope) add_text(&state, ATTR_DIRECTORY_SCOPE_ID, o->scope);
    if (o->assignment) add_text(&state, ATTR_ASSIGNMENT_TYPE, o->assignment);
    struct buf block = buf_new(1 << 16);
    for (const char *const *m = o->members; m && *m; m++, r.member.n++) buf_add_lstr(&block, bytes_of(str_from(*m)));
    r.member.block = buf_bytes(&block);
    r.state = buf_bytes(&state);
    assert_int_equal(record_index(&x, &r, &e), 0);
    f(n, &x);
    buf_free(&block);
    buf_free(&state);
}

static void add(struct names *n, const struct record_index *x)
{
    struct err e;
    assert_int_equal(names_add(n, x, &e), 0);
}

static struct names *fresh(void)
{
    uint8_t sid[SID_MAX];
    struct names *n = names_new();
    names_domain(n, sid_of(sid, DOMAIN), STR("corp.example"));
    return n;
}

static void check_person(struct names *n, const char *dn, const char *name, const char *principal, const char *sid)
{
    struct err e;
    struct person space;
    const struct ref *found;
    uint8_t want[SID_MAX];
    assert_int_equal(names_person(n, str_from(dn), &space, &found, &e), 0);
    assert_true(names_knows(n, str_from(dn)));
    assert_non_null(found);
    assert_true(str_equal(found->name, str_from(name)));
    assert_true(str_equal(found->principal, str_from(principal)));
    assert_true(bytes_equal(found->sid, sid ? sid_of(want, sid) : (struct bytes){NULL, 0}));
}

static void test_people(void **state)
{
    (void)state;
    static char longest[256], cut[256], over[301];
    memset(longest, 'n', 255);
    memset(cut, 'x', 255);
    memset(over, 'x', 300);
    static const struct {
        struct one one;
        const char *name, *principal;
    } people[] = {
        {ONE(KIND_user, "CN=A,DC=x", DOMAIN "-1001", "a", "a@corp.example", 0), "a", "a@corp.example"},
        {ONE(KIND_user, "CN=B,DC=x", DOMAIN "-1002", "b", "b.b@other.example", 0), "b", "b.b@other.example"},
        {ONE(KIND_user, "CN=C,DC=x", DOMAIN "-1003", "c", NULL, 0), "c", "c"},
        {ONE(KIND_contact, "CN=D,DC=x", NULL, NULL, NULL, 0), "D", "D"},
        {ONE(KIND_foreign_principal, "CN=S,DC=x", "S-1-5-21-9-9-9-500", NULL, NULL, 0), "S", "S"},
        {ONE(KIND_user, "CN=L,DC=x", DOMAIN "-1004", longest, longest, 0), longest, longest},
        {ONE(KIND_user, "CN=O,DC=x", DOMAIN "-1005", over, over, 0), cut, cut}, /* cut to 255 */
        {ONE(KIND_group, "CN=G,DC=x", DOMAIN "-2000", "g", NULL, 0), "g", "g"},
    };
    struct names *n = fresh();
    struct person space;
    const struct ref *found;
    struct err e;
    for (size_t i = 0; i < n_elements(people); i++) with_record(&people[i].one, add, n);
    for (size_t i = 0; i < n_elements(people); i++)
        check_person(n, people[i].one.dn, people[i].name, people[i].principal, people[i].one.sid);
    assert_false(names_knows(n, STR("CN=Nobody,DC=x")));
    assert_int_equal(names_person(n, STR("CN=Nobody,DC=x"), &space, &found, &e), 0);
    assert_null(found);
    names_free(n);
}

/* More than the cache of names and the tape's memory hold, asked for in an order that hits and misses. */
static void test_many_people(void **state)
{
    (void)state;
    enum { MANY = 60000 };
    struct names *n = fresh();
    char dn[64], sid[64], account[32], principal[64];
    for (unsigned i = 0; i < MANY; i++) {
        snprintf(dn, sizeof dn, "CN=User %u,OU=People,DC=corp,DC=example", i);
        snprintf(sid, sizeof sid, DOMAIN "-%u", 1000 + i);
        snprintf(account, sizeof account, "user%u", i);
        snprintf(principal, sizeof principal, "user%u@corp.example", i);
        with_record(&(struct one)ONE(KIND_user, dn, sid, account, i % 3 ? principal : NULL, 0), add, n);
    }
    for (unsigned k = 0; k < 3000; k++) {
        unsigned i = k % 2 ? k * 977u % MANY : k / 7;
        struct ref member;
        uint8_t want[SID_MAX];
        snprintf(dn, sizeof dn, "CN=User %u,OU=People,DC=corp,DC=example", i);
        snprintf(sid, sizeof sid, DOMAIN "-%u", 1000 + i);
        snprintf(account, sizeof account, "user%u", i);
        snprintf(principal, sizeof principal, "user%u@corp.example", i);
        check_person(n, dn, account, i % 3 ? principal : account, sid);
        uint32_t handle = names_find(n, str_from(dn));
        assert_int_not_equal(handle, 0);
        names_member(n, handle, str_from(dn), &member);
        assert_int_equal(member.kind, KIND_user);
        assert_true(bytes_equal(member.sid, sid_of(want, sid)));
    }
    assert_int_equal(names_find(n, STR("CN=User 60000,OU=People,DC=corp,DC=example")), 0);
    names_free(n);
}

static const char *wanted_primary;
static void check_primary(struct names *n, const struct record_index *x)
{
    struct group_refs groups;
    struct err e;
    assert_int_equal(names_groups_of(n, x, &groups, &e), 0);
    assert_int_equal(groups.n, wanted_primary ? 1 : 0);
    if (groups.n) assert_true(str_equal(groups.list[0].name, str_from(wanted_primary)));
}

/* RIDs follow each other: as they are they would be the worst of keys, and 40,000 groups took seconds. */
static void test_primary_groups(void **state)
{
    (void)state;
    enum { MANY = 40000 };
    struct names *n = fresh();
    struct err e;
    char dn[64], sid[64], name[32];
    int64_t began = when_monotonic_ms();
    for (unsigned i = 0; i < MANY; i++) {
        snprintf(dn, sizeof dn, "CN=Group %u,DC=x", i);
        snprintf(sid, sizeof sid, DOMAIN "-%u", 1000 + i);
        snprintf(name, sizeof name, "group%u", i);
        with_record(&(struct one)ONE(KIND_group, dn, sid, name, NULL, 0), add, n);
    }
    assert_int_equal(names_groups_complete(n, &e), 0);
    for (unsigned i = 0; i < MANY; i += 7) {
        snprintf(name, sizeof name, "group%u", i);
        wanted_primary = name;
        with_record(&(struct one)ONE(KIND_user, "CN=U,DC=x", NULL, "u", NULL, 1000 + i), check_primary, n);
    }
    wanted_primary = NULL;
    with_record(&(struct one)ONE(KIND_user, "CN=U,DC=x", NULL, "u", NULL, 999), check_primary, n);
    with_record(&(struct one)ONE(KIND_user, "CN=U,DC=x", NULL, "u", NULL, ((int64_t)1 << 32) + 1000), check_primary, n);
    with_record(&(struct one)ONE(KIND_user, "CN=U,DC=x", NULL, "u", NULL, -1), check_primary, n);
    assert_in_range(when_monotonic_ms() - began, 0, 20000);
    names_free(n);
}

/* --- where only the groups say who is a member -------------------------------------------------------- */

#define ID(n)         "00000000-0000-4000-8000-00000000000" n
#define LIST(...)     .members = (const char *const[]){__VA_ARGS__, NULL}
#define GLOBAL_ADMIN  "62e90394-69f5-4237-9190-012177145e10"

static const char *wanted_groups;
static unsigned wanted_privileges;
static void check_groups(struct names *n, const struct record_index *x)
{
    struct group_refs g;
    struct err e;
    struct buf b = buf_new(4096);
    assert_int_equal(names_groups_of(n, x, &g, &e), 0);
    for (size_t i = 0; i < g.n; i++) {
        uint8_t guid[GUID_SIZE];
        assert_true(guid_parse(guid, g.list[i].dn));
        assert_string_equal(g.list[i].via, "member");
        buf_printf(&b, "%s%s %.*s", i ? ", " : "", kind_name(g.list[i].kind), STR_FMT(g.list[i].name));
    }
    assert_string_equal(buf_cstr(&b), wanted_groups);
    assert_int_equal(g.privileges, wanted_privileges);
    buf_free(&b);
}

static void test_forward_links(void **state)
{
    const struct one tenant[] = {
        {.kind = KIND_role, .dn = ID("1"), .account = "global", .role_template = GLOBAL_ADMIN, .assignment = "active", .scope = "/", LIST(ID("a"), ID("5"))},
        {.kind = KIND_role, .dn = ID("2"), .account = "maybe", .role_template = GLOBAL_ADMIN, .assignment = "eligible", LIST(ID("b"))},
        {.kind = KIND_administrative_unit, .dn = ID("3"), .account = "emea", LIST(ID("b"), ID("5"))},
        {.kind = KIND_group, .dn = ID("5"), .account = "admins", LIST(ID("6"), ID("c"))},
        {.kind = KIND_group, .dn = ID("6"), .account = "inner", LIST(ID("5"))}, /* a cycle; more members follow */
        {.kind = KIND_user, .dn = ID("a"), .principal = "a@x.example"},
        {.kind = KIND_user, .dn = ID("b"), .principal = "b@x.example"},
        {.kind = KIND_device, .dn = ID("c"), .account = "c"},
    };
    static const struct {
        const char *id, *groups;
        unsigned privileges;
    } people[] = {
        {ID("a"), "role global", PRIV_DIRECTORY_ROLE | PRIV_PROTECTED | PRIV_FULL_ADMIN},
        {ID("b"), "role maybe, administrative_unit emea", 0},
        {ID("c"), "group admins", PRIV_DIRECTORY_ROLE | PRIV_PROTECTED | PRIV_FULL_ADMIN},
        {ID("d"), "group inner", PRIV_DIRECTORY_ROLE | PRIV_PROTECTED | PRIV_FULL_ADMIN},
        {ID("5"), "role global, administrative_unit emea, group inner", PRIV_DIRECTORY_ROLE | PRIV_PROTECTED | PRIV_FULL_ADMIN},
        {ID("e"), "", 0},
    };
    struct names *n = names_new();
    struct ref member;
    struct err e;
    uint8_t guid[GUID_SIZE];
    names_forward_links(n);
    names_domain(n, (struct bytes){NULL, 0}, STR("x.example"));
    for (size_t i = 0; i < 5; i++) with_record(&tenant[i], add, n);
    struct buf more = buf_new(64);
    buf_add_lstr(&more, bytes_of(STR(ID("d"))));
    assert_int_equal(names_add_members(n, (struct dn_list){1, buf_bytes(&more)}, &e), 0);
    assert_int_equal(names_groups_complete(n, &e), 0);
    for (size_t i = 5; i < n_elements(tenant); i++) with_record(&tenant[i], add, n);
    for (size_t i = 0; i < n_elements(people); i++) {
        wanted_groups = people[i].groups;
        wanted_privileges = people[i].privileges;
        with_record(&(struct one){.kind = KIND_user, .dn = people[i].id}, check_groups, n);
    }
    /* an id says who it is */
    uint32_t handle = names_find(n, STR(ID("c")));
    assert_int_not_equal(handle, 0);
    names_member(n, handle, STR(ID("c")), &member);
    assert_true(guid_parse(guid, STR(ID("c"))));
    assert_memory_equal(member.guid, guid, GUID_SIZE);
    assert_int_equal(member.kind, KIND_device);
    assert_int_equal(member.sid.len, 0);
    check_person(n, ID("a"), "a@x.example", "a@x.example", NULL);
    const struct ref *global = names_group(n, STR(ID("1")));
    assert_true(str_equal(global->template_id, STR(GLOBAL_ADMIN)));
    assert_true(str_equal(global->scope, STR("/")));
    assert_true(str_equal(global->assignment, STR("active")));
    assert_int_equal(names_add_members(n, (struct dn_list){1, buf_bytes(&more)}, &e), ERR_PROTO); /* behind the accounts */
    buf_free(&more);
    names_free(n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_people), cmocka_unit_test(test_many_people),
                                       cmocka_unit_test(test_primary_groups), cmocka_unit_test(test_forward_links)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
