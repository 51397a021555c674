#include "source/graph/graph_holders.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define OK(call) do { if ((call) < 0) fail_msg("%s: %s", #call, e_.message); } while (0)
static struct err e_;

static void guid_of(uint8_t guid[GUID_SIZE], unsigned n)
{
    memset(guid, 0, GUID_SIZE);
    memcpy(guid, &n, sizeof n);
}

static struct holder *add(struct holders *h, unsigned n, const char *name)
{
    struct buf state = buf_new(10000), values = buf_new(10000);
    struct record r = {.kind = KIND_group, .dn = STR("id")};
    struct holder *out;
    guid_of(r.guid, n);
    body_value_bytes(&values, bytes_of(str_from(name)));
    body_add(&state, ATTR_DISPLAY_NAME, 1, buf_bytes(&values));
    buf_clear(&values);
    body_value_bool(&values, true);
    body_add(&state, ATTR_IS_MFA_REGISTERED, 1, buf_bytes(&values)); /* a number behind the owners' */
    r.state = buf_bytes(&state);
    OK(holders_add(h, &r, &out, &e_));
    buf_free(&state);
    buf_free(&values);
    return out;
}

/* "a b c" as one page. */
static void page(struct holders *h, size_t i, enum graph_list which, const char *words)
{
    struct buf block = buf_new(1 << 20);
    uint32_t n = 0;
    for (struct str rest = str_from(words); rest.len; n++) {
        size_t len = str_index(rest, ' ');
        buf_add_lstr(&block, (struct bytes){(const uint8_t *)rest.ptr, len});
        len += len < rest.len;
        rest = (struct str){rest.ptr + len, rest.len - len};
    }
    OK(holders_page(h, i, which, n, buf_bytes(&block), &e_));
    buf_free(&block);
}

/* --- what comes out: "Staff: a b c | owners eve | keep" a line -------------------------------------------------- */

static void say_list(struct buf *out, struct dn_list list)
{
    struct str id;
    while (dn_list_next(&list, &id)) buf_printf(out, " %.*s", STR_FMT(id));
}

static void say_record(struct buf *out, const struct record *r)
{
    struct record_index x;
    struct str name;
    struct bytes owner;
    OK(record_index(&x, r, &e_));
    assert_true(record_str(&x, ATTR_DISPLAY_NAME, &name));
    assert_true(x.present[ATTR_IS_MFA_REGISTERED]); /* nothing behind the owners is lost */
    buf_printf(out, "%s%.*s", out->len ? "\n" : "", STR_FMT(name));
    for (struct values v = record_values(&x, ATTR_OWNERS); values_next_bytes(&v, &owner);) buf_printf(out, " <%.*s>", (int)owner.len, (const char *)owner.ptr);
    if (r->flags & RECORD_KEEP_OWNERS) buf_printf(out, " keep");
    buf_printf(out, ":");
    say_list(out, r->member);
}

static void say_frames(struct buf *out, struct bytes all)
{
    struct frame f;
    bool more = false;
    while (frame_next(&f, &all, &e_) == 1) {
        if (f.type == FRAME_RECORD) {
            struct record r;
            assert_false(more); /* the list before is whole */
            OK(record_decode(&r, f.payload, &e_));
            say_record(out, &r);
            more = r.flags & RECORD_MORE_MEMBERS;
        } else if (f.type == FRAME_MEMBERS) {
            struct members_part p;
            assert_true(more);
            OK(members_decode(&p, f.payload, &e_));
            say_list(out, p.list);
            more = p.more;
        }
    }
    assert_false(more);
    assert_int_equal(all.len, 0);
}

static uint64_t emit(struct holders *h, struct buf *out)
{
    struct emit *m;
    FILE *file = tmpfile();
    struct buf all = buf_new((size_t)256 << 20);
    uint64_t n;
    OK(emit_open(&m, fileno(file), &e_));
    OK(holders_emit(h, m, &n, &e_));
    OK(emit_end(m, 0, 0, "x", &e_));
    size_t size = (size_t)lseek(fileno(file), 0, SEEK_END);
    uint8_t *to = buf_reserve(&all, size);
    assert_int_equal(pread(fileno(file), to, size, 0), size);
    buf_advance(&all, size);
    say_frames(out, buf_bytes(&all));
    emit_close(m);
    fclose(file);
    buf_free(&all);
    return n;
}

static void expect(struct holders *h, uint64_t n, const char *text)
{
    struct buf out = buf_new((size_t)64 << 20);
    assert_int_equal(emit(h, &out), n);
    assert_string_equal(buf_cstr(&out), text);
    buf_free(&out);
}

/* --- the tests --------------------------------------------------------------------------------------------------- */

static void lists_that_come_side_by_side(void **unused)
{
    struct holders h;
    holders_init(&h, KIND_group);
    expect(&h, 0, "");
    add(&h, 1, "Staff");
    add(&h, 2, "Empty");
    add(&h, 3, "Team");
    page(&h, 0, GRAPH_MEMBERS, "a b");
    page(&h, 2, GRAPH_MEMBERS, "x");
    page(&h, 0, GRAPH_OWNERS, "zed eve");
    page(&h, 0, GRAPH_MEMBERS, "c");
    page(&h, 2, GRAPH_OWNERS, "eve");
    page(&h, 0, GRAPH_OWNERS, "bob eve"); /* one owner told twice is one */
    page(&h, 0, GRAPH_MEMBERS, "");
    /* pages of a list come out last first: nobody promised an order */
    expect(&h, 3, "Staff <bob> <eve> <zed>: c a b\nEmpty:\nTeam <eve>: x");
    expect(&h, 3, "Staff <bob> <eve> <zed>: c a b\nEmpty:\nTeam <eve>: x");
    holders_free(&h);
}

static void a_list_that_starts_anew(void **unused)
{
    struct holders h;
    holders_init(&h, KIND_group);
    add(&h, 1, "Staff");
    page(&h, 0, GRAPH_MEMBERS, "old gone");
    page(&h, 0, GRAPH_OWNERS, "eve");
    holders_forget_list(&h, 0, GRAPH_MEMBERS);
    expect(&h, 1, "Staff <eve>:");
    page(&h, 0, GRAPH_MEMBERS, "new");
    expect(&h, 1, "Staff <eve>: new");
    assert_int_equal(h.list[0].n[GRAPH_MEMBERS], 1);
    holders_free(&h);
}

static void the_whole_collection_starts_anew(void **unused)
{
    struct holders h;
    uint8_t guid[GUID_SIZE];
    holders_init(&h, KIND_group);
    add(&h, 1, "Old")->name = x_strdup(STR("a name"));
    add(&h, 2, "Gone");
    page(&h, 1, GRAPH_MEMBERS, "x");
    OK(holders_forget(&h, &e_));
    guid_of(guid, 2);
    assert_null(holders_find(&h, guid));
    expect(&h, 0, "");
    add(&h, 1, "New");
    add(&h, 1, "Newer"); /* listed twice: the first counts */
    page(&h, 0, GRAPH_MEMBERS, "y");
    expect(&h, 1, "New: y");
    holders_free(&h);
}

static void who_is_absent_and_what_is_lacking(void **unused)
{
    struct holders h;
    uint8_t guid[GUID_SIZE];
    holders_init(&h, KIND_group);
    for (unsigned n = 1; n <= 3; n++) add(&h, n, n == 1 ? "One" : n == 2 ? "Two" : "Three");
    for (size_t i = 0; i < 3; i++) page(&h, i, GRAPH_MEMBERS, "x");
    guid_of(guid, 2);
    holders_find(&h, guid)->is_absent = true;
    h.list[2].is_lacking[GRAPH_OWNERS] = true; /* refused: what is known of its owners stays */
    h.list[0].is_lacking[GRAPH_MEMBERS] = true;
    expect(&h, 2, "One: x\nThree keep: x");
    holders_free(&h);
}

static int take_id(void *ctx, struct str id, struct err *e)
{
    buf_printf(ctx, "%.*s ", STR_FMT(id));
    return buf_str(ctx).len > 20 ? err_set(e, ERR_CANCEL, "enough") : 0;
}

static void the_ids_of_one_list(void **unused)
{
    struct holders h;
    struct buf out = buf_new(1000);
    holders_init(&h, KIND_group);
    add(&h, 1, "Staff");
    OK(holders_ids(&h, 0, GRAPH_OWNERS, take_id, &out, &e_));
    assert_int_equal(out.len, 0);
    page(&h, 0, GRAPH_MEMBERS, "a b");
    page(&h, 0, GRAPH_MEMBERS, "c");
    OK(holders_ids(&h, 0, GRAPH_MEMBERS, take_id, &out, &e_));
    assert_string_equal(buf_cstr(&out), "c a b ");
    page(&h, 0, GRAPH_MEMBERS, "a_very_long_name_indeed another");
    buf_clear(&out);
    assert_int_equal(holders_ids(&h, 0, GRAPH_MEMBERS, take_id, &out, &e_), ERR_CANCEL);
    buf_free(&out);
    holders_free(&h);
}

/* More than a tape keeps in memory, and a list that goes out in many frames. */
static void large(void **unused)
{
    enum { GROUPS = 200, PAGES = 40 };
    struct holders h;
    struct buf words = buf_new(100000), out = buf_new((size_t)256 << 20);
    holders_init(&h, KIND_group);
    for (unsigned n = 0; n < GROUPS; n++) add(&h, n, "G");
    for (unsigned p = 0; p < PAGES; p++)
        for (unsigned n = 0; n < GROUPS; n++) {
            buf_clear(&words);
            for (unsigned k = 0; k < 100; k++) buf_printf(&words, "%sm%u-%u-%u", k ? " " : "", n, p, k);
            page(&h, n, GRAPH_MEMBERS, buf_cstr(&words));
        }
    assert_int_equal(emit(&h, &out), GROUPS);
    size_t group = 0;
    struct str rest = str_from(buf_cstr(&out));
    while (rest.len) {
        struct str line = {rest.ptr, str_index(rest, '\n')};
        size_t n = 0;
        for (size_t at = 0; at < line.len; at++) {
            if (line.ptr[at] != ' ') continue;
            unsigned long owner = 0;
            for (const char *digit = line.ptr + at + 2; *digit != '-'; digit++) owner = owner * 10 + (unsigned long)(*digit - '0');
            assert_int_equal(owner, group); /* its own member: "m17-3-99" */
            n++;
        }
        assert_int_equal(n, PAGES * 100);
        group++;
        size_t used = line.len + (line.len < rest.len);
        rest = (struct str){rest.ptr + used, rest.len - used};
    }
    assert_int_equal(group, GROUPS);
    buf_free(&words);
    buf_free(&out);
    holders_free(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(lists_that_come_side_by_side), cmocka_unit_test(a_list_that_starts_anew),
                                       cmocka_unit_test(the_whole_collection_starts_anew), cmocka_unit_test(who_is_absent_and_what_is_lacking),
                                       cmocka_unit_test(the_ids_of_one_list), cmocka_unit_test(large)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
