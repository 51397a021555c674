#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sink/excerpt.h"

#define TOKEN "s3cr3t-t0ken"
#define IN(literal)                                                                                          \
    {                                                                                                        \
        (const uint8_t *)(literal), sizeof(literal) - 1                                                      \
    }

static const struct {
    struct bytes in;
    size_t max;
    const char *out;
} cases[] = {
    {IN(""), 200, ""},
    {IN("bad request"), 200, "bad request"},
    {IN("  {\r\n\t\"error\":  1\n}\n"), 200, "{ \"error\": 1 }"},
    {IN("0123456789"), 10, "0123456789"},
    {IN("0123456789a"), 10, "0123456789..."},
    /* what would reach a terminal */
    {IN("a\x1b[2Jb\x07\x7f"), 200, "a\\x1b[2Jb\\x07\\x7f"},
    {IN("a\0b"), 200, "a\\x00b"},
    {IN("caf\xc3\xa9 \xf0\x9f\x98\x80"), 200, "caf\xc3\xa9 \xf0\x9f\x98\x80"},
    {IN("\xc2\x9b"
        "31m"),
     200, "\\xc2\\x9b31m"}, /* C1 CSI */
    {IN("a\xe2\x80\xae"
        "b"),
     200, "a\\xe2\\x80\\xaeb"}, /* right-to-left override */
    {IN("a\xe2\x81\xa6"
        "b"),
     200, "a\\xe2\\x81\\xa6b"}, /* left-to-right isolate */
    {IN("a\xe2\x80\xa8"
        "b"),
     200, "a\\xe2\\x80\\xa8b"}, /* line separator */
    {IN("\xe2\x80\x9cquoted\xe2\x80\x9d"), 200, "\xe2\x80\x9cquoted\xe2\x80\x9d"},
    {IN("\xff\xfe\xc3("), 200, "\\xff\\xfe\\xc3("},
    {IN("\xc0\xaf\xed\xa0\x80"), 200, "\\xc0\\xaf\\xed\\xa0\\x80"}, /* overlong, surrogate */
    {IN("ends in \xe2\x82"), 200, "ends in \\xe2\\x82"},
    /* a receiver that echoes what it was sent */
    {IN("invalid token " TOKEN), 200, "invalid token [token]"},
    {IN(TOKEN TOKEN "!"), 200, "[token][token]!"},
    {IN("Bearer " TOKEN " is wrong"), 14, "Bearer [token]..."},
    {IN("cut off: s3cr3t-"), 200, "cut off: [token]"},
    {IN("cut off: s3c"), 200, "cut off: s3c"},
    {IN("s3cr3t-other"), 200, "s3cr3t-other"},
};

static void test_table(void **state)
{
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct buf out = buf_new(4096);
        struct bytes token = IN(TOKEN);
        /* a copy of exactly that size, so that a sanitizer sees a read past the end */
        uint8_t *copy = malloc(cases[i].in.len + !cases[i].in.len);
        assert_non_null(copy);
        memcpy(copy, cases[i].in.ptr, cases[i].in.len);
        excerpt_add(&out, (struct bytes){copy, cases[i].in.len}, cases[i].max, token);
        assert_string_equal(buf_cstr(&out), cases[i].out);
        free(copy);
        buf_free(&out);
    }
}

static void test_without_secret(void **state)
{
    struct buf out = buf_new(4096);
    excerpt_add(&out, bytes_of(STR("plain")), 200, (struct bytes){NULL, 0});
    excerpt_add(&out, (struct bytes){NULL, 0}, 200, (struct bytes){NULL, 0});
    assert_string_equal(buf_cstr(&out), "plain");
    buf_free(&out);
}

static void test_never_grows_past_four_times(void **state)
{
    uint8_t all[4096];
    for (size_t i = 0; i < sizeof all; i++) all[i] = (uint8_t)(i * 131);
    struct buf out = buf_new(200 * 4 + 3 + 1);
    excerpt_add(&out, (struct bytes){all, sizeof all}, 200, (struct bytes){NULL, 0});
    assert_false(out.failed);
    for (const char *c = buf_cstr(&out); *c; c++) assert_true((unsigned char)*c >= 0x20 && *c != 0x7f);
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_without_secret),
        cmocka_unit_test(test_never_grows_past_four_times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
