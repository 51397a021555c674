#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/visible.h"

static void test_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t length;
        int32_t c;
    } rows[] = {{"a", 1, 'a'},           {"\xc3\xa4x", 2, 0xe4},  {"\xe2\x80\xae", 3, 0x202e}, {"\xf0\x9f\x98\x80", 4, 0x1f600},
                {"\xff", 1, -1},         {"\xc3", 1, -1},         {"\xed\xa0\x80", 1, -1},     {"\xc0\x80", 1, -1}, /* surrogate, overlong */
                {"\xf4\x90\x80\x80", 1, -1}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int32_t c;
        assert_int_equal(visible_read(&c, str_from(rows[i].text)), rows[i].length);
        assert_int_equal(c, rows[i].c);
    }
}

static void test_is(void **state)
{
    (void)state;
    static const int32_t shown[] = {' ', '~', 0xa0, 0xe4, 0x5d0, 0x627, 0x2019, 0x202f, 0x4e00, 0x1f600, 0x301};
    static const int32_t hidden[] = {-1, 0, '\t', '\n', 0x1b, 0x7f, 0x85, 0xad, 0x61c, 0x200b, 0x200d, 0x200e, 0x2028, 0x202a, 0x202e, 0x2066, 0x2069, 0xfeff, 0xe0041};
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) assert_true(visible_is(shown[i]));
    for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++) assert_false(visible_is(hidden[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_read), cmocka_unit_test(test_is)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
