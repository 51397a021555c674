#include "source/ldap/ldap_entry.h"
#include "source/ldap/ldap_value.h"

#include "net/ldap_test.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct ldap_plan plan;
static struct ldap_settings settings = {
    .domain = "x", .with_acls = true, .with_disabled = true, .page_size = 1000};

static int make_plan(void **state)
{
    struct err e;
    (void)state;
    return ldap_plan_make(&plan, KIND_group, &settings, "DC=x", &e);
}

/* --- entries ------------------------------------------------------------------------------------------- */

struct entry {
    struct buf b;
    size_t attributes;
};

static struct entry entry_begin(const char *dn)
{
    struct entry x = {.b = buf_new((size_t)1 << 20)};
    put_text(&x.b, dn);
    x.attributes = put_open(&x.b, BER_SEQUENCE);
    return x;
}

static int read_entry(struct entry *x, struct err *e)
{
    struct str dn;
    put_close(&x->b, x->attributes);
    return ldap_entry_read(&plan, buf_bytes(&x->b), &dn, e);
}

static const struct slot *slot_of(const char *name)
{
    size_t at = ldap_plan_find(&plan, str_from(name), plan.n_slots);
    return slot_is_present(&plan, at) ? &plan.slots[at] : NULL;
}

static void attributes_find_their_slots(void **state)
{
    struct err e;
    (void)state;
    for (int round = 0; round < 3; round++) { /* in another order each time */
        struct entry x = entry_begin("CN=g");
        static const char *const names[] = {"cn", "SAMACCOUNTNAME", "description", "objectclass", "member"};
        for (size_t i = 0; i < n_elements(names); i++) {
            const char *name = names[(i * (size_t)(round + 2)) % n_elements(names)];
            put_attribute(&x.b, name, VALUES(name));
            put_attribute(&x.b, "unasked", VALUES("x"));
        }
        assert_int_equal(read_entry(&x, &e), 0);
        for (size_t i = 0; i < n_elements(names); i++) {
            const struct slot *s = slot_of(names[i]);
            struct bytes v;
            assert_non_null(s);
            assert_true(value_single(s->set, &v) && str_equal(str_of(v), str_from(names[i])));
        }
        assert_null(slot_of("mail"));
        buf_free(&x.b);
    }
}

static void an_entry_forgets_the_one_before(void **state)
{
    struct err e;
    struct entry a = entry_begin("CN=a"), b = entry_begin("CN=b");
    (void)state;
    put_attribute(&a.b, "mail", VALUES("x"));
    assert_int_equal(read_entry(&a, &e), 0);
    assert_non_null(slot_of("mail"));
    assert_int_equal(read_entry(&b, &e), 0);
    assert_null(slot_of("mail"));
    buf_free(&a.b);
    buf_free(&b.b);
}

static void an_attribute_twice_counts_once(void **state)
{
    struct err e;
    struct bytes v;
    struct entry x = entry_begin("CN=a");
    (void)state;
    put_attribute(&x.b, "mail", VALUES("first"));
    put_attribute(&x.b, "mail", VALUES("second"));
    assert_int_equal(read_entry(&x, &e), 0);
    assert_true(value_single(slot_of("mail")->set, &v) && str_equal(str_of(v), STR("first")));
    assert_int_equal(slot_of("mail")->n_bad, 1);
    assert_string_equal(slot_of("mail")->example, "CN=a");
    buf_free(&x.b);
}

/* MS-ADTS 3.1.1.3.1.3.3: an empty `member` comes beside the range, before or after it. */
static void a_range_wins_over_the_empty_attribute(void **state)
{
    struct err e;
    (void)state;
    for (int before = 0; before < 2; before++) {
        struct entry x = entry_begin("CN=a");
        if (before) put_attribute(&x.b, "member", VALUES(NULL));
        put_attribute(&x.b, "member;range=0-1", VALUES("CN=1", "CN=2"));
        if (!before) put_attribute(&x.b, "member", VALUES(NULL));
        assert_int_equal(read_entry(&x, &e), 0);
        const struct slot *s = slot_of("member");
        assert_true(s && s->is_ranged && !s->range.is_final && s->range.last == 1 && !s->n_bad);
        assert_true(ldap_range_is_sound(&s->range, s->set, 0));
        buf_free(&x.b);
    }
}

static void options_are_told_from_names(void **state)
{
    struct err e;
    struct entry x = entry_begin("CN=a");
    (void)state;
    put_attribute(&x.b, "mail;binary", VALUES("x"));
    put_attribute(&x.b, ";mail", VALUES("x"));
    put_attribute(&x.b, "", VALUES("x"));
    put_attribute(&x.b, "unasked;range=0-1", VALUES("x"));
    assert_int_equal(read_entry(&x, &e), 0);
    assert_true(slot_of("mail") && !slot_of("mail")->is_ranged);
    buf_free(&x.b);
}

/* Each prefix of a good entry, and each byte changed: never a crash, and a cut one is never believed. */
static void damaged_entries(void **state)
{
    struct err e;
    struct str dn;
    struct entry x = entry_begin("CN=a");
    (void)state;
    put_attribute(&x.b, "mail", VALUES("one", "two"));
    put_attribute(&x.b, "member;range=0-1", VALUES("CN=1", "CN=2"));
    assert_int_equal(read_entry(&x, &e), 0);
    for (size_t n = 0; n < x.b.len; n++) {
        uint8_t *copy = malloc(n); /* exactly so long, for the address sanitizer */
        memcpy(copy, x.b.ptr, n);
        assert_int_equal(ldap_entry_read(&plan, (struct bytes){copy, n}, &dn, &e), ERR_PROTO);
        free(copy);
    }
    for (size_t i = 0; i < x.b.len; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            uint8_t *copy = malloc(x.b.len);
            memcpy(copy, x.b.ptr, x.b.len);
            copy[i] ^= (uint8_t)(1u << bit);
            (void)!ldap_entry_read(&plan, (struct bytes){copy, x.b.len}, &dn, &e);
            free(copy);
        }
    }
    buf_free(&x.b);
}

/* liblber writes a NUL over the tag that follows the DN. */
static void the_tag_after_the_dn_may_be_gone(void **state)
{
    struct err e;
    struct entry x = entry_begin("CN=a");
    (void)state;
    put_attribute(&x.b, "mail", VALUES("x"));
    x.b.ptr[x.attributes] = 0;
    assert_int_equal(read_entry(&x, &e), 0);
    assert_non_null(slot_of("mail"));
    buf_free(&x.b);
}

/* --- ranges -------------------------------------------------------------------------------------------- */

#define SOUND    1
#define UNSOUND  2
#define NO_RANGE 0

static void range_options(void **state)
{
    static const struct {
        const char *options;
        int what;
        uint64_t first, last;
        bool is_final;
    } cases[] = {
        {"", NO_RANGE, 0, 0, false},
        {";binary", NO_RANGE, 0, 0, false},
        {";lang-en;binary", NO_RANGE, 0, 0, false},
        {";range=0-1499", SOUND, 0, 1499, false},
        {";Range=1500-2999", SOUND, 1500, 2999, false},
        {";range=1500-*", SOUND, 1500, 0, true},
        {";binary;range=0-4", SOUND, 0, 4, false},
        {";range=0-0", SOUND, 0, 0, false},
        {";range=", UNSOUND, 0, 0, false},
        {";range", UNSOUND, 0, 0, false},
        {";range=5", UNSOUND, 0, 0, false},
        {";range=5-", UNSOUND, 0, 0, false},
        {";range=-5", UNSOUND, 0, 0, false},
        {";range=5-4", UNSOUND, 0, 0, false},
        {";range=*-5", UNSOUND, 0, 0, false},
        {";range=0-x", UNSOUND, 0, 0, false},
        {";range=0 -4", UNSOUND, 0, 0, false},
        {";range=0-99999999999999999999", UNSOUND, 0, 0, false},
        {";range=--1-4", UNSOUND, 0, 0, false},
        {";range=0-4;range=5-9", UNSOUND, 0, 0, false},
    };
    struct buf set = buf_new(1024);
    (void)state;
    put_text(&set, "v");
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct range r;
        bool is_range = ldap_range_parse(&r, str_from(cases[i].options));
        if (is_range != (cases[i].what != NO_RANGE)) fail_msg("%s", cases[i].options);
        if (cases[i].what == SOUND &&
            (r.first != cases[i].first || r.last != cases[i].last || r.is_final != cases[i].is_final))
            fail_msg("%s", cases[i].options);
        for (uint64_t first = 0; first < 2000 && cases[i].what == UNSOUND; first++)
            if (ldap_range_is_sound(&r, buf_bytes(&set), first))
                fail_msg("%s was believed", cases[i].options);
    }
    buf_free(&set);
}

static void ranges_must_hold_what_they_say(void **state)
{
    struct buf b = buf_new(1024);
    struct range two = {.first = 3, .last = 4}, rest = {.first = 3, .is_final = true};
    (void)state;
    assert_false(ldap_range_is_sound(&two, buf_bytes(&b), 3)); /* nothing */
    assert_false(ldap_range_is_sound(&rest, buf_bytes(&b), 3));
    put_text(&b, "a");
    assert_false(ldap_range_is_sound(&two, buf_bytes(&b), 3)); /* too few */
    assert_true(ldap_range_is_sound(&rest, buf_bytes(&b), 3));
    put_text(&b, "b");
    assert_true(ldap_range_is_sound(&two, buf_bytes(&b), 3));
    assert_false(ldap_range_is_sound(&two, buf_bytes(&b), 2)); /* it skips one */
    assert_false(ldap_range_is_sound(&two, buf_bytes(&b), 4)); /* it repeats one */
    put_text(&b, "c");
    assert_false(ldap_range_is_sound(&two, buf_bytes(&b), 3)); /* too many */
    b.len--;
    assert_false(ldap_range_is_sound(&rest, buf_bytes(&b), 3)); /* cut */
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(attributes_find_their_slots, make_plan),
        cmocka_unit_test_setup(an_entry_forgets_the_one_before, make_plan),
        cmocka_unit_test_setup(an_attribute_twice_counts_once, make_plan),
        cmocka_unit_test_setup(a_range_wins_over_the_empty_attribute, make_plan),
        cmocka_unit_test_setup(options_are_told_from_names, make_plan),
        cmocka_unit_test_setup(damaged_entries, make_plan),
        cmocka_unit_test_setup(the_tag_after_the_dn_may_be_gone, make_plan),
        cmocka_unit_test(range_options),
        cmocka_unit_test(ranges_must_hold_what_they_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
