#include "base/cursor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct cursor over(const char *bytes, size_t len)
{
    return cursor_new((struct bytes){(const uint8_t *)bytes, len});
}

static void reads_in_order(void **state)
{
    struct cursor c =
        over("\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13\x14\x15", 21);
    assert_int_equal(cursor_u8(&c), 1);
    assert_int_equal(cursor_u16le(&c), 0x0302);
    assert_int_equal(cursor_u32le(&c), 0x07060504);
    assert_true(cursor_u64le(&c) == 0x0f0e0d0c0b0a0908);
    assert_true(cursor_u48be(&c) == 0x101112131415);
    assert_int_equal(c.in.len, 0);
    assert_false(c.failed);
}

static void a_short_read_fails_everything_after(void **state)
{
    struct cursor c = over("\x01\x02\x03", 3);
    assert_int_equal(cursor_u32le(&c), 0);
    assert_true(c.failed);
    assert_int_equal(cursor_u8(&c), 0); /* though there would be a byte */
    assert_null(cursor_bytes(&c, 1).ptr);
    assert_int_equal(cursor_bytes(&c, 0).len, 0);
    assert_true(cursor_varint(&c) == 0);
    assert_int_equal(cursor_lstr(&c).len, 0);
    assert_true(c.failed);
    c = over("\x01", 1);
    assert_int_equal(cursor_u16le(&c), 0);
    assert_true(c.failed);
    c = over("\x01\x02\x03\x04\x05", 5);
    assert_true(cursor_u48be(&c) == 0);
    assert_true(c.failed);
    c = over("\x01\x02\x03\x04\x05\x06\x07", 7);
    cursor_u64le(&c);
    assert_true(c.failed);
}

static void nothing_of_nothing_is_fine(void **state)
{
    struct cursor c = cursor_new((struct bytes){NULL, 0});
    assert_int_equal(cursor_bytes(&c, 0).len, 0);
    assert_false(c.failed);
    cursor_u8(&c);
    assert_true(c.failed);
}

static void varints(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
        bool ok;
        uint64_t value;
    } cases[] = {
        {"\x00", 1, true, 0},
        {"\x7f", 1, true, 127},
        {"\x80\x01", 2, true, 128},
        {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10, true, UINT64_MAX},
        {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10, false, 0}, /* 65 bits */
        {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x81\x00", 11, false, 0},
        {"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00", 11, false, 0},
        {"\x80", 1, false, 0},
        {"", 0, false, 0},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct cursor c = over(cases[i].bytes, cases[i].len);
        assert_true(cursor_varint(&c) == cases[i].value);
        assert_int_equal(!c.failed, cases[i].ok);
    }
}

static void signed_varints(void **state)
{
    static const struct {
        const char *bytes;
        int64_t value;
    } cases[] = {{"\x00", 0},
                 {"\x01", -1},
                 {"\x02", 1},
                 {"\x7f", -64},
                 {"\x80\x01", 64},
                 {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", INT64_MIN},
                 {"\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01", INT64_MAX}};
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct cursor c = over(cases[i].bytes, 10);
        assert_true(cursor_svarint(&c) == cases[i].value);
    }
}

static void a_length_past_the_end_fails(void **state)
{
    struct cursor c = over("\x03"
                           "ab",
                           3);
    assert_null(cursor_lstr(&c).ptr);
    assert_true(c.failed);
    c = over("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01x", 11); /* 2^64-1 must not wrap */
    assert_null(cursor_lstr(&c).ptr);
    assert_true(c.failed);
    c = over("\x02"
             "ab",
             3);
    assert_true(str_equal(str_of(cursor_lstr(&c)), STR("ab")));
    assert_false(c.failed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_in_order),
        cmocka_unit_test(a_short_read_fails_everything_after),
        cmocka_unit_test(nothing_of_nothing_is_fine),
        cmocka_unit_test(varints),
        cmocka_unit_test(signed_varints),
        cmocka_unit_test(a_length_past_the_end_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
