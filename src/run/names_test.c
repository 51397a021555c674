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
};

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
    r.state = buf_bytes(&state);
    assert_int_equal(record_index(&x, &r, &e), 0);
    f(n, &x);
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
        {{KIND_user, "CN=A,DC=x", DOMAIN "-1001", "a", "a@corp.example", 0}, "a", "a@corp.example"},
        {{KIND_user, "CN=B,DC=x", DOMAIN "-1002", "b", "b.b@other.example", 0}, "b", "b.b@other.example"},
        {{KIND_user, "CN=C,DC=x", DOMAIN "-1003", "c", NULL, 0}, "c", "c"},
        {{KIND_contact, "CN=D,DC=x", NULL, NULL, NULL, 0}, "D", "D"},
        {{KIND_foreign_principal, "CN=S,DC=x", "S-1-5-21-9-9-9-500", NULL, NULL, 0}, "S", "S"},
        {{KIND_user, "CN=L,DC=x", DOMAIN "-1004", longest, longest, 0}, longest, longest},
        {{KIND_user, "CN=O,DC=x", DOMAIN "-1005", over, over, 0}, cut, cut}, /* cut to 255 */
        {{KIND_group, "CN=G,DC=x", DOMAIN "-2000", "g", NULL, 0}, "g", "g"},
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
        with_record(&(struct one){KIND_user, dn, sid, account, i % 3 ? principal : NULL, 0}, add, n);
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
        names_member(n, handle, &member);
        assert_int_equal(member.kind, KIND_user);
        assert_true(bytes_equal(member.sid, sid_of(want, sid)));
    }
    assert_int_equal(names_find(n, STR("CN=User 60000,OU=People,DC=corp,DC=example")), 0);
    names_free(n);
}

static const char *wanted_primary;
static void check_primary(struct names *n, const struct record_index *x)
{
    const struct ref *groups;
    unsigned privileges;
    size_t k = names_groups_of(n, x, &groups, &privileges);
    assert_int_equal(k, wanted_primary ? 1 : 0);
    if (k) assert_true(str_equal(groups[0].name, str_from(wanted_primary)));
}

/* RIDs follow each other: as they are they would be the worst of keys, and 40,000 groups took seconds. */
static void test_primary_groups(void **state)
{
    (void)state;
    enum { MANY = 40000 };
    struct names *n = fresh();
    char dn[64], sid[64], name[32];
    int64_t began = when_monotonic_ms();
    for (unsigned i = 0; i < MANY; i++) {
        snprintf(dn, sizeof dn, "CN=Group %u,DC=x", i);
        snprintf(sid, sizeof sid, DOMAIN "-%u", 1000 + i);
        snprintf(name, sizeof name, "group%u", i);
        with_record(&(struct one){KIND_group, dn, sid, name, NULL, 0}, add, n);
    }
    names_groups_complete(n);
    for (unsigned i = 0; i < MANY; i += 7) {
        snprintf(name, sizeof name, "group%u", i);
        wanted_primary = name;
        with_record(&(struct one){KIND_user, "CN=U,DC=x", NULL, "u", NULL, 1000 + i}, check_primary, n);
    }
    wanted_primary = NULL;
    with_record(&(struct one){KIND_user, "CN=U,DC=x", NULL, "u", NULL, 999}, check_primary, n);
    with_record(&(struct one){KIND_user, "CN=U,DC=x", NULL, "u", NULL, ((int64_t)1 << 32) + 1000}, check_primary, n);
    with_record(&(struct one){KIND_user, "CN=U,DC=x", NULL, "u", NULL, -1}, check_primary, n);
    assert_in_range(when_monotonic_ms() - began, 0, 20000);
    names_free(n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_people), cmocka_unit_test(test_many_people),
                                       cmocka_unit_test(test_primary_groups)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
