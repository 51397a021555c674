#include "model/frame.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/testing.h"

static void add_frame(struct buf *out, enum frame_type type, struct bytes payload)
{
    size_t at = frame_open(out, type);
    buf_add_bytes(out, payload);
    frame_close(out, at);
}

static void frames_follow_each_other(void **state)
{
    struct buf b = buf_new(1 << 16);
    add_frame(&b, FRAME_JOB, bytes_of(STR("{}")));
    add_frame(&b, FRAME_GO, (struct bytes){NULL, 0});
    add_frame(&b, FRAME_ABORT, bytes_of(STR("{\"class\":\"NET\"}")));
    struct bytes in = buf_bytes(&b);
    struct frame f;
    struct err e;
    assert_int_equal(frame_next(&f, &in, &e), 1);
    assert_int_equal(f.type, FRAME_JOB);
    assert_true(str_equal(str_of(f.payload), STR("{}")));
    assert_int_equal(frame_next(&f, &in, &e), 1);
    assert_int_equal(f.type, FRAME_GO);
    assert_int_equal(f.payload.len, 0);
    assert_int_equal(frame_next(&f, &in, &e), 1);
    assert_int_equal(f.type, FRAME_ABORT);
    assert_int_equal(frame_next(&f, &in, &e), 0);
    assert_int_equal(in.len, 0);
    buf_free(&b);
}

/* A reader gets bytes as they come: the same frames, however they are cut. */
static void any_cut_gives_the_same_frames(void **state)
{
    struct buf b = buf_new(1 << 16);
    for (unsigned i = 0; i < 5; i++) add_frame(&b, FRAME_RECORD, bytes_of((struct str){"abcdefgh", i * 2}));
    for (size_t step = 1; step <= b.len; step++) {
        size_t have = 0, taken = 0, n = 0;
        while (have < b.len) {
            have = have + step < b.len ? have + step : b.len;
            struct bytes in = {b.ptr + taken, have - taken};
            struct frame f;
            struct err e;
            while (frame_next(&f, &in, &e) == 1) assert_int_equal(f.payload.len, 2 * n++);
            taken = have - in.len;
        }
        assert_int_equal(n, 5);
        assert_int_equal(taken, b.len);
    }
    buf_free(&b);
}

static void refuses(void **state)
{
    static const struct {
        const char *hex;
        int rc;
    } cases[] = {
        {"", 0},
        {"010000", 0},
        {"01000000", 0},
        {"01000000 12", 1},
        {"02000000 12", 0},
        {"00000000", ERR_PROTO},
        {"00000000 12", ERR_PROTO},
        {"01000004 12", ERR_PROTO}, /* 64 MiB and one */
        {"00000004 12", 0},         /* 64 MiB: allowed, not there yet */
        {"ffffffff", ERR_PROTO},
        {"48545450", ERR_PROTO}, /* "HTTP" */
        {"01000000 00", ERR_PROTO},
        {"01000000 04", ERR_PROTO},
        {"01000000 0f", ERR_PROTO},
        {"01000000 1f", ERR_PROTO},
        {"ff000000 ff", ERR_PROTO}, /* unknown type: said before the rest has come */
        {"01000000 01", 1},
        {"01000000 03", 1},
        {"01000000 10", 1},
        {"01000000 1e", 1},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct buf b = buf_new(100);
        struct frame f;
        struct err e;
        test_add_hex(&b, cases[i].hex);
        struct bytes in = buf_bytes(&b), before = in;
        int rc = frame_next(&f, &in, &e);
        assert_int_equal(rc, cases[i].rc);
        if (rc != 1) assert_true(in.ptr == before.ptr && in.len == before.len); /* nothing is taken */
        buf_free(&b);
    }
}

static void too_long_a_frame_is_not_made(void **state)
{
    struct buf b = buf_new(FRAME_MAX + 100);
    size_t at = frame_open(&b, FRAME_RECORD);
    buf_advance(&b, buf_reserve(&b, FRAME_MAX - 1) ? FRAME_MAX - 1 : 0);
    frame_close(&b, at);
    assert_false(b.failed);
    struct bytes in = {b.ptr, 4};
    struct frame f;
    struct err e;
    assert_int_equal(frame_next(&f, &in, &e), 0); /* its length is allowed */
    buf_add_byte(&b, 0);
    frame_close(&b, at);
    assert_true(b.failed);
    buf_free(&b);
}

static void member_parts(void **state)
{
    struct buf block = buf_new(1000), b = buf_new(1000);
    buf_add_lstr(&block, bytes_of(STR("CN=a,DC=x")));
    buf_add_lstr(&block, bytes_of(STR("CN=b,DC=x")));
    struct members_part m = {.guid = {1, 2, 3}, .more = true, .list = {2, buf_bytes(&block)}}, d;
    struct err e;
    members_encode(&b, &m);
    assert_int_equal(members_decode(&d, buf_bytes(&b), &e), 0);
    assert_memory_equal(d.guid, m.guid, GUID_SIZE);
    assert_true(d.more && d.list.n == 2);
    assert_true(bytes_equal(d.list.block, m.list.block));
    for (size_t n = 0; n < b.len; n++) /* cut anywhere, members would be missing: never accepted */
        assert_int_equal(members_decode(&d, (struct bytes){b.ptr, n}, &e), ERR_PROTO);
    buf_add_byte(&b, 0);
    assert_int_equal(members_decode(&d, buf_bytes(&b), &e), ERR_PROTO);
    buf_clear(&b);
    m = (struct members_part){.more = false};
    members_encode(&b, &m);
    assert_int_equal(members_decode(&d, buf_bytes(&b), &e), 0);
    assert_int_equal(d.list.n, 0);
    buf_free(&b);
    buf_free(&block);
}

/* --- 20,000 streams changed by chance ----------------------------------------------------------------- */

static void add_stream(struct buf *out)
{
    struct buf b = buf_new(1000), values = buf_new(100), block = buf_new(100);
    add_frame(out, FRAME_BEGIN, bytes_of(STR("{\"server\":\"dc1\"}")));
    add_frame(out, FRAME_SD, bytes_of(STR("\1\0\0\0sd")));
    body_value_bytes(&values, bytes_of(STR("ann")));
    body_add(&b, ATTR_SAM_ACCOUNT_NAME, 1, buf_bytes(&values));
    buf_clear(&values);
    body_value_int(&values, 512);
    body_add(&b, ATTR_USER_ACCOUNT_CONTROL, 1, buf_bytes(&values));
    body_add_custom(&b, STR("badge"), ATTR_INT, 1, buf_bytes(&values));
    buf_add_lstr(&block, bytes_of(STR("CN=g,DC=x")));
    buf_add_lstr(&block, bytes_of(STR("CN=h,DC=x")));
    struct record r = {.kind = KIND_user,
                       .dn = STR("CN=ann,DC=x"),
                       .sd = 1,
                       .state = buf_bytes(&b),
                       .member_of = {2, buf_bytes(&block)}};
    size_t at = frame_open(out, FRAME_RECORD);
    record_encode(out, &r);
    frame_close(out, at);
    at = frame_open(out, FRAME_MEMBERS);
    members_encode(out, &(struct members_part){.list = {2, buf_bytes(&block)}});
    frame_close(out, at);
    at = frame_open(out, FRAME_GAP);
    gap_encode(out, &(struct gap){KIND_user, GAP_LOSS, STR("what"), STR("where"), STR("fix")});
    frame_close(out, at);
    add_frame(out, FRAME_END, bytes_of(STR("{}")));
    buf_free(&b);
    buf_free(&values);
    buf_free(&block);
}

static size_t read_list(struct dn_list list)
{
    struct str dn;
    size_t n = 0;
    while (dn_list_next(&list, &dn)) n += 1 + dn.len;
    assert_int_equal(list.n, 0); /* whole, or it would not have been decoded */
    return n;
}

static bool read_record(struct bytes payload)
{
    struct record r;
    struct record_index x;
    struct err e;
    if (record_decode(&r, payload, &e) < 0) return false;
    assert_true(r.kind > 0 && r.kind < KIND_COUNT);
    size_t n =
        r.sid.len + r.dn.len + r.state.len + r.stats.len + read_list(r.member) + read_list(r.member_of);
    assert_true(n < payload.len);
    if (record_index(&x, &r, &e) < 0) return true;
    assert_true(record_name(&x).len <= payload.len);
    for (unsigned id = 1; id < ATTR_INDEX_SIZE; id++) {
        struct values v = record_values(&x, (enum attr)id);
        struct bytes b;
        for (size_t k = 0; values_next_bytes(&v, &b); k++)
            assert_true(k < payload.len && b.len <= payload.len);
    }
    return true;
}

static void mutated_streams_stay_in_bounds(void **state)
{
    struct buf whole = buf_new(1 << 16), mutant = buf_new(1 << 16);
    uint64_t seed = 42;
    unsigned records = 0, refused = 0;
    add_stream(&whole);
    for (int i = 0; i < 20000; i++) {
        test_mutate(&mutant, buf_bytes(&whole), &seed);
        uint8_t *exact = malloc(mutant.len ? mutant.len : 1);
        if (mutant.len) memcpy(exact, mutant.ptr, mutant.len);
        struct bytes in = {exact, mutant.len};
        struct frame f;
        struct err e;
        struct gap g;
        struct members_part m;
        while (frame_next(&f, &in, &e) == 1) {
            assert_true(f.payload.ptr >= exact && f.payload.ptr + f.payload.len <= exact + mutant.len);
            if (f.type == FRAME_RECORD) read_record(f.payload) ? records++ : refused++;
            if (f.type == FRAME_GAP && gap_decode(&g, f.payload, &e) == 0)
                assert_true(g.what.len <= f.payload.len);
            if (f.type == FRAME_MEMBERS && members_decode(&m, f.payload, &e) == 0) read_list(m.list);
        }
        free(exact);
    }
    assert_true(records > 1000 && refused > 1000);
    buf_free(&whole);
    buf_free(&mutant);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_follow_each_other),
        cmocka_unit_test(any_cut_gives_the_same_frames),
        cmocka_unit_test(refuses),
        cmocka_unit_test(too_long_a_frame_is_not_made),
        cmocka_unit_test(member_parts),
        cmocka_unit_test(mutated_streams_stay_in_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
