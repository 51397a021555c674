#include "model/keep.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

/* "5=Eve 300=yes 307=12 500=vip": number=text; the bodies of a record, by attr.h. Repeated numbers stand for custom properties. */
static void add_words(struct buf *state, struct buf *stats, const char *words)
{
    struct buf values = buf_new(1000);
    while (*words) {
        char *end;
        enum attr id = (enum attr)strtoul(words, &end, 10);
        struct str text = {end + 1, strcspn(end + 1, " ")};
        words = text.ptr + text.len;
        words += strspn(words, " ");
        const struct attr_info *a = attr_get(id);
        buf_clear(&values);
        if (a && a->type == ATTR_BOOL)
            body_value_bool(&values, str_equal(text, STR("yes")));
        else if (a && a->type == ATTR_TIME)
            body_value_int(&values, strtol(text.ptr, NULL, 10));
        else
            body_value_bytes(&values, bytes_of(text));
        if (a)
            body_add(a->is_stat ? stats : state, id, 1, buf_bytes(&values));
        else
            body_add_custom(state, text, ATTR_STRING, 1, buf_bytes(&values));
    }
    buf_free(&values);
}

struct bodies {
    struct buf state, stats;
    struct record r;
};

static void make(struct bodies *m, const char *words, unsigned flags)
{
    *m = (struct bodies){.state = buf_new(10000), .stats = buf_new(10000)};
    add_words(&m->state, &m->stats, words);
    m->r = (struct record){.kind = KIND_user, .flags = flags, .state = buf_bytes(&m->state), .stats = buf_bytes(&m->stats)};
}

static void drop(struct bodies *m)
{
    buf_free(&m->state);
    buf_free(&m->stats);
}

#define MFA RECORD_KEEP_MFA
#define SIGN RECORD_KEEP_SIGN_IN
#define OWNERS RECORD_KEEP_OWNERS
#define ABSENT RECORD_KEEP_ABSENT

static const struct {
    unsigned flags;
    const char *now, *before, *kept; /* before NULL: no record */
} cases[] = {
    {0, "5=Eve 300=no 312=5", "5=Bob 300=yes 307=12 310=7", "5=Eve 300=no 312=5"},
    {0, "5=Eve", NULL, "5=Eve"},
    {MFA, "5=Eve", "5=Bob 300=yes 304=fido2 306=report 307=12", "5=Eve 300=yes 304=fido2 306=report 307=12"},
    {MFA, "5=Eve 200=yes 295=yes 310=9 500=a 500=b", "4=x 299=no 300=yes 309=no 500=old", "5=Eve 200=yes 295=yes 300=yes 310=9 500=a 500=b"},
    {MFA, "5=Eve 300=no 306=methods 312=9", "300=yes 312=8", "5=Eve 300=yes 312=9"}, /* what now says of it does not count */
    {MFA, "5=Eve 300=no", "5=Bob", "5=Eve"},
    {MFA, "5=Eve", NULL, "5=Eve"},
    {SIGN, "5=Eve 300=no 307=4", "300=yes 307=3 310=1 311=2 312=3", "5=Eve 300=no 307=4 310=1 311=2 312=3"},
    {SIGN, "220=5 270=6", "220=4 312=3", "220=5 270=6 312=3"},
    {MFA | SIGN, "5=Eve 220=5", "5=Bob 220=4 300=yes 307=3 310=1", "5=Eve 220=5 300=yes 307=3 310=1"},
    {MFA | SIGN, "", "300=yes 310=1 500=x", "300=yes 310=1"},
    {MFA | SIGN, "", "", ""},
    {OWNERS, "5=Staff", "5=Team 249=eve 300=yes", "5=Staff 249=eve"},
    {OWNERS | MFA, "5=Staff 249=bob", "249=eve 250=x 300=yes", "5=Staff 249=eve 300=yes"},
    {0, "5=Staff", "249=eve", "5=Staff"},
    {ABSENT, "5=Staff", "5=Team 249=eve 300=yes 312=9", "5=Staff 249=eve 300=yes 312=9"},
    {ABSENT, "", "5=Team 249=eve", "5=Team 249=eve"},
    {ABSENT, "5=Staff 500=a", "4=x 500=b 500=c", "4=x 5=Staff 500=a"},
    {ABSENT, "5=Staff 249=eve", "", "5=Staff 249=eve"},
    {ABSENT, "5=Staff", NULL, "5=Staff"},
    {MFA | SIGN | RECORD_NO_SD, "500=x", "300=yes 312=1", "300=yes 312=1 500=x"},
};

static void reports_stay(void **unused)
{
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct bodies now, before, expected, out;
        make(&now, cases[i].now, cases[i].flags);
        make(&before, cases[i].before ? cases[i].before : "", 0);
        make(&expected, cases[i].kept, 0);
        make(&out, "", 0);
        record_keep(&out.state, &out.stats, &now.r, cases[i].before ? &before.r : NULL);
        if (!bytes_equal(buf_bytes(&out.state), expected.r.state) || !bytes_equal(buf_bytes(&out.stats), expected.r.stats))
            fail_msg("case %zu: %s", i, cases[i].kept);
        drop(&now);
        drop(&before);
        drop(&expected);
        drop(&out);
    }
}

/* A body that breaks off gives what was whole before; nothing is read past its end. */
static void broken_bodies(void **unused)
{
    struct bodies now, before;
    make(&now, "5=Eve 200=yes 500=vip", MFA | SIGN);
    make(&before, "5=Bob 300=yes 304=fido2 305=push", 0);
    for (size_t cut = 0; cut <= before.state.len; cut++) {
        struct bodies out;
        uint8_t *exact = malloc(cut ? cut : 1);
        struct record r = before.r, index_of = now.r;
        struct record_index x;
        struct err e;
        make(&out, "", 0);
        memcpy(exact, before.state.ptr, cut);
        r.state = (struct bytes){exact, cut};
        record_keep(&out.state, &out.stats, &now.r, &r);
        index_of.state = buf_bytes(&out.state);
        assert_int_equal(record_index(&x, &index_of, &e), 0);
        assert_true(x.present[ATTR_DISPLAY_NAME] && x.present[ATTR_ACCOUNT_ENABLED]);
        free(exact);
        drop(&out);
    }
    drop(&now);
    drop(&before);
}

static void a_full_buffer_fails(void **unused)
{
    struct bodies now, before;
    struct buf state = buf_new(8), stats = buf_new(8);
    make(&now, "5=Everybody", MFA);
    make(&before, "300=yes", 0);
    record_keep(&state, &stats, &now.r, &before.r);
    assert_true(state.failed && !stats.failed);
    buf_free(&state);
    buf_free(&stats);
    drop(&now);
    drop(&before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reports_stay),
        cmocka_unit_test(broken_bodies),
        cmocka_unit_test(a_full_buffer_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
