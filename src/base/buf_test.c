#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cursor.h"

static void grows_and_keeps(void **state)
{
    struct buf b = buf_new(1 << 20);
    for (unsigned i = 0; i < 100000; i++) buf_add_byte(&b, (uint8_t)i);
    assert_int_equal(b.len, 100000);
    for (unsigned i = 0; i < 100000; i++) assert_int_equal(b.ptr[i], (uint8_t)i);
    buf_clear(&b);
    assert_int_equal(b.len, 0);
    assert_true(b.cap > 0);
    buf_free(&b);
    assert_null(b.ptr);
    assert_int_equal(b.max, 1 << 20);
    buf_free(&b);
}

/* To the byte: max is the peer's limit, not the allocator's. */
static void stops_exactly_at_its_maximum(void **state)
{
    for (size_t max = 0; max < 200; max++) {
        struct buf b = buf_new(max);
        for (size_t i = 0; i < max; i++) buf_add_byte(&b, 'x');
        assert_false(b.failed);
        assert_int_equal(b.len, max);
        assert_int_equal(strlen(buf_cstr(&b)), max); /* the terminator needs no room of the content's */
        assert_false(b.failed);
        buf_add_byte(&b, 'y');
        assert_true(b.failed);
        assert_int_equal(b.len, max);
        assert_string_equal(buf_cstr(&b), "");
        buf_free(&b);
    }
}

static void failure_sticks_and_keeps_what_was_there(void **state)
{
    struct buf b = buf_new(10);
    buf_add_str(&b, STR("1234"));
    buf_add_str(&b, STR("5678901"));
    assert_true(b.failed);
    assert_int_equal(b.len, 4);
    buf_add_byte(&b, 'x');
    buf_printf(&b, "%d", 1);
    buf_add_varint(&b, 1);
    assert_null(buf_reserve(&b, 0));
    assert_int_equal(b.len, 4);
    assert_memory_equal(b.ptr, "1234", 4);
    buf_clear(&b);
    buf_add_str(&b, STR("1234567890"));
    assert_false(b.failed);
    buf_free(&b);
}

static void huge_requests_do_not_wrap(void **state)
{
    struct buf b = buf_new(SIZE_MAX - 1);
    buf_add_byte(&b, 'x');
    struct buf small = buf_new(100);
    buf_add_byte(&small, 'x');
    assert_null(buf_reserve(&small, SIZE_MAX));
    assert_true(small.failed);
    assert_null(buf_reserve(&b, SIZE_MAX));
    assert_true(b.failed);
    buf_free(&b);
    buf_free(&small);
}

static void reserve_and_advance(void **state)
{
    struct buf b = buf_new(100);
    uint8_t *to = buf_reserve(&b, 100);
    assert_non_null(to);
    memset(to, 'z', 100);
    buf_advance(&b, 60);
    assert_int_equal(b.len, 60);
    assert_non_null(buf_reserve(&b, 40));
    assert_null(buf_reserve(&b, 41));
    buf_free(&b);
    struct buf empty = buf_new(0);
    assert_string_equal(buf_cstr(&empty), "");
    assert_false(empty.failed);
    buf_add(&empty, NULL, 0);
    buf_add_bytes(&empty, (struct bytes){NULL, 0});
    assert_false(empty.failed);
    buf_free(&empty);
}

static void prints(void **state)
{
    struct buf b = buf_new(11);
    buf_printf(&b, "%s=%d", "a", 42);
    buf_printf(&b, "%s", "");
    assert_string_equal(buf_cstr(&b), "a=42");
    buf_printf(&b, "%s", "1234567"); /* fills it to the last byte */
    assert_false(b.failed);
    assert_string_equal(buf_cstr(&b), "a=421234567");
    buf_printf(&b, "x");
    assert_true(b.failed);
    buf_free(&b);
}

static void numbers_go_through_a_cursor(void **state)
{
    struct buf b = buf_new(1000);
    buf_add_u16le(&b, 0x1234);
    buf_add_u32le(&b, 0x89abcdef);
    buf_add_u64le(&b, 0x0123456789abcdef);
    assert_memory_equal(b.ptr, "\x34\x12\xef\xcd\xab\x89\xef\xcd\xab\x89\x67\x45\x23\x01", 14);
    buf_add_lstr(&b, bytes_of(STR("abc")));
    buf_add_lstr(&b, (struct bytes){NULL, 0});
    struct cursor c = cursor_new(buf_bytes(&b));
    assert_int_equal(cursor_u16le(&c), 0x1234);
    assert_int_equal(cursor_u32le(&c), 0x89abcdef);
    assert_true(cursor_u64le(&c) == 0x0123456789abcdef);
    assert_true(str_equal(str_of(cursor_lstr(&c)), STR("abc")));
    assert_int_equal(cursor_lstr(&c).len, 0);
    assert_false(c.failed);
    assert_int_equal(c.in.len, 0);
    buf_free(&b);
}

static void varints_round_trip(void **state)
{
    for (unsigned shift = 0; shift < 64; shift++)
        for (int off = -2; off <= 2; off++) {
            uint64_t v = ((uint64_t)1 << shift) + (uint64_t)(int64_t)off;
            struct buf b = buf_new(30);
            buf_add_varint(&b, v);
            buf_add_svarint(&b, (int64_t)v);
            buf_add_svarint(&b, -(int64_t)(v & INT64_MAX));
            assert_false(b.failed);
            struct cursor c = cursor_new(buf_bytes(&b));
            assert_true(cursor_varint(&c) == v);
            assert_true(cursor_svarint(&c) == (int64_t)v);
            if (!c.failed && c.in.len) assert_true(cursor_svarint(&c) == -(int64_t)(v & INT64_MAX));
            assert_false(c.failed);
            buf_free(&b);
        }
    struct buf b = buf_new(2); /* as long as it is, not as long as it could be */
    buf_add_varint(&b, 300);
    assert_false(b.failed);
    assert_memory_equal(b.ptr, "\xac\x02", 2);
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grows_and_keeps),
        cmocka_unit_test(stops_exactly_at_its_maximum),
        cmocka_unit_test(failure_sticks_and_keeps_what_was_there),
        cmocka_unit_test(huge_requests_do_not_wrap),
        cmocka_unit_test(reserve_and_advance),
        cmocka_unit_test(prints),
        cmocka_unit_test(numbers_go_through_a_cursor),
        cmocka_unit_test(varints_round_trip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
