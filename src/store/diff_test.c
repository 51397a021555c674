#include "store/diff.h"

#include "store/lookup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* --- bodies from "number=value number=value"; a number from 500 on is a custom property of that name  */

static void make_body(struct buf *body, const char *text)
{
    struct str rest = str_from(text);
    buf_clear(body);
    while (rest.len) {
        size_t n = str_index(rest, ' '), eq = str_index((struct str){rest.ptr, n}, '=');
        unsigned id = (unsigned)strtoul(rest.ptr, NULL, 10);
        struct buf v = buf_new(1000);
        body_value_bytes(&v, (struct bytes){(const uint8_t *)rest.ptr + eq + 1, n - eq - 1});
        if (id < 500)
            body_add(body, (enum attr)id, 1, buf_bytes(&v));
        else
            body_add_custom(body, (struct str){rest.ptr, eq}, ATTR_STRING, 1, buf_bytes(&v));
        buf_free(&v);
        n += n < rest.len;
        rest.ptr += n;
        rest.len -= n;
    }
}

static void add_entry(struct buf *out, struct bytes entry)
{
    struct cursor c = cursor_new(entry);
    struct values v;
    struct bytes b;
    if (entry.len && body_next(&c, &v) && values_next_bytes(&v, &b)) buf_add_bytes(out, b);
}

static int each(void *ctx, const struct change *c, struct err *e)
{
    (void)e;
    struct buf *out = ctx;
    buf_printf(out, "%s %.*s ", change_type_name(c->type), STR_FMT(c->attribute));
    if (c->type == CHANGE_modified && !str_equal(c->attribute, STR("objectSid")) &&
        !str_equal(c->attribute, STR("nTSecurityDescriptor"))) {
        add_entry(out, c->old);
        buf_printf(out, ">");
        add_entry(out, c->new);
    } else {
        buf_printf(out, "%zu>%zu", c->old.len, c->new.len);
    }
    buf_printf(out, ";");
    return 0;
}

static const struct {
    const char *old, *new, *rows;
} bodies[] = {
    {"", "", ""},
    {"2=a", "2=a", ""},
    {"2=a", "2=b", "modified cn a>b;"},
    {"", "2=b", "modified cn >b;"},
    {"2=a", "", "modified cn a>;"},
    {"2=a 20=x 61=t", "2=a 20=y 61=t", "modified sAMAccountName x>y;"},
    {"2=a 61=t", "20=x 61=u", "modified cn a>;modified sAMAccountName >x;modified title t>u;"},
    {"500=p", "500=q", "modified 500 p>q;"},
    {"500=p 501=r", "501=r 500=p", ""},
    {"2=a 500=p", "2=a 501=p", "modified 500 p>;modified 501 >p;"},
    {"500=p", "2=a 500=p 501=z", "modified cn >a;modified 501 >z;"},
};

static void test_bodies(void **state)
{
    (void)state;
    struct buf a = buf_new(10000), b = buf_new(10000), out = buf_new(10000);
    struct err e;
    for (size_t i = 0; i < n_elements(bodies); i++) {
        make_body(&a, bodies[i].old);
        make_body(&b, bodies[i].new);
        buf_clear(&out);
        struct record x = {.state = buf_bytes(&a)}, y = {.state = buf_bytes(&b)};
        assert_int_equal(
            diff_records(&(struct diff_side){&x, {0}}, &(struct diff_side){&y, {0}}, each, &out, &e), 0);
        assert_string_equal(buf_cstr(&out), bodies[i].rows);
    }
    buf_free(&a);
    buf_free(&b);
    buf_free(&out);
}

static void test_malformed(void **state)
{
    (void)state;
    static const struct {
        uint8_t bytes[8];
        size_t n;
    } cases[] = {{{2}, 1},
                 {{2, 5, 1}, 3},
                 {{0xc7, 1, 1, 0}, 4} /* attribute 199 */,
                 {{0xf4, 3, 2, 9, 'x'}, 5} /* custom, name cut */};
    struct buf out = buf_new(10000);
    struct err e;
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct record x = {.dn = STR("")}, y = {.state = {cases[i].bytes, cases[i].n}};
        assert_int_equal(
            diff_records(&(struct diff_side){&x, {0}}, &(struct diff_side){&y, {0}}, each, &out, &e),
            ERR_PROTO);
        assert_int_equal(
            diff_records(&(struct diff_side){&y, {0}}, &(struct diff_side){&x, {0}}, each, &out, &e),
            ERR_PROTO);
    }
    buf_free(&out);
}

static const struct {
    const char *old, *new, *rows;
} names[] = {
    {"CN=a,DC=x", "CN=a,DC=x", ""},
    {"CN=a,DC=x", "CN=b,DC=x", "renamed"},
    {"CN=a,DC=x", "CN=a,OU=o,DC=x", "moved"},
    {"CN=a,DC=x", "CN=b,OU=o,DC=x", "moved renamed"},
    {"CN=a,OU=o,DC=x", "CN=a,ou=O,DC=X", ""},
    {"CN=a\\,b,DC=x", "CN=a\\,c,DC=x", "renamed"},
    {"CN=a\\,b,DC=x", "CN=a\\2Cb,DC=x", "renamed"}, /* another spelling: told as it is */
    {"DC=x", "DC=y", "renamed"},
    {"", "CN=a", "renamed"},
    {"not a dn", "CN=a,DC=x", "moved renamed"},
};

static int each_type(void *ctx, const struct change *c, struct err *e)
{
    (void)e;
    struct buf *out = ctx;
    assert_true(str_equal(c->attribute, STR("distinguishedName")));
    buf_printf(out, "%s%s", out->len ? " " : "", change_type_name(c->type));
    return 0;
}

static void test_names(void **state)
{
    (void)state;
    struct buf out = buf_new(1000);
    struct err e;
    for (size_t i = 0; i < n_elements(names); i++) {
        struct record x = {.dn = str_from(names[i].old)}, y = {.dn = str_from(names[i].new)};
        buf_clear(&out);
        assert_int_equal(
            diff_records(&(struct diff_side){&x, {0}}, &(struct diff_side){&y, {0}}, each_type, &out, &e), 0);
        assert_string_equal(buf_cstr(&out), names[i].rows);
    }
    buf_free(&out);
}

static int stop(void *ctx, const struct change *c, struct err *e)
{
    (void)ctx, (void)c;
    return err_set(e, ERR_LIMIT, "full");
}

static void test_stops_at_an_error(void **state)
{
    (void)state;
    struct err e;
    struct record x = {.dn = STR("CN=a")}, y = {.dn = STR("CN=b")};
    assert_int_equal(diff_records(&(struct diff_side){&x, {0}}, &(struct diff_side){&y, {0}}, stop, NULL, &e),
                     ERR_LIMIT);
}

/* --- lookup.h --------------------------------------------------------------------------------- */

static void test_lookups(void **state)
{
    (void)state;
    struct hash_key key = {{9}};
    struct lookup l = lookup_new(&key);
    assert_true(lookup_dn(&l, STR("CN=A , DC=x")) == lookup_dn(&l, STR("cn=a,dc=X")));
    assert_true(lookup_dn(&l, STR("CN=A,DC=x")) != lookup_dn(&l, STR("CN=B,DC=x")));
    assert_true(lookup_account(&l, STR("\xc3\x84")) == lookup_account(&l, STR("\xc3\xa4")));
    assert_true(lookup_account(&l, STR("a")) != lookup_upn(&l, STR("a")));
    for (int i = 0; i < 1000; i++) {
        uint64_t v = lookup_sid(&l, (struct bytes){(const uint8_t *)&i, sizeof i});
        assert_int_equal(v & SEQ_MAX, 0);
        assert_true(v >> 63 == 0);
    }
    lookup_free(&l);
}

static void test_folding(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        bool same;
    } cases[] = {{"", "", true},
                 {"a", "A", true},
                 {"a", "b", false},
                 {"stra\xc3\x9f"
                  "e",
                  "STRASSE", true},
                 {"\xce\xa3", "\xcf\x83", true},
                 {"\xff", "\xff", true},
                 {"a\xff", "A\xff", true},
                 {"a", "", false}};
    for (size_t i = 0; i < n_elements(cases); i++)
        assert_int_equal(text_equal_folded(str_from(cases[i].a), str_from(cases[i].b)), cases[i].same);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bodies),  cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_names),   cmocka_unit_test(test_stops_at_an_error),
        cmocka_unit_test(test_lookups), cmocka_unit_test(test_folding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
