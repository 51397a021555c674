#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "access/report/html.h"

static const struct {
    struct str in;
    const char *want;
} texts[] = {
    {{"", 0}, ""},
    {{"alice", 5}, "alice"},
    {{"R&D", 3}, "R&amp;D"},
    {{"<script>", 8}, "&lt;script&gt;"},
    {{"\"'", 2}, "&quot;&#39;"},
    {{"&lt;", 4}, "&amp;lt;"},
    {{"Jos\xc3\xa9 \xe6\x9d\xb1", 9}, "Jos\xc3\xa9 \xe6\x9d\xb1"},
    {{"a\nb\tc", 5}, "a\\u{a}b\\u{9}c"},
    {{"a\0b", 3}, "a\\u{0}b"},
    {{"\x7f\xc2\x85", 3}, "\\u{7f}\\u{85}"},                               /* DEL, NEL */
    {{"x\xe2\x80\xaey", 5}, "x\\u{202e}y"},                               /* turns the text round */
    {{"\xe2\x80\x8b\xe2\x80\xa8\xe2\x81\xa6\xef\xbb\xbf", 12}, "\\u{200b}\\u{2028}\\u{2066}\\u{feff}"},
    {{"a\xff""b", 3}, "a\xef\xbf\xbd""b"},                                  /* never was UTF-8 */
    {{"\xe6\x9d", 2}, "\xef\xbf\xbd\xef\xbf\xbd"},                        /* cut within a character */
    {{"\xc0\xbc", 2}, "\xef\xbf\xbd\xef\xbf\xbd"},                        /* an overlong < */
    {{"\xed\xa0\x80", 3}, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},       /* a surrogate */
};

static void text_is_escaped(void **state)
{
    (void)state;
    for (size_t i = 0; i < n_elements(texts); i++) {
        struct buf b = buf_new(4096);
        html_add(&b, texts[i].in);
        assert_string_equal(buf_cstr(&b), texts[i].want);
        buf_free(&b);
    }
}

/* Whatever the bytes: nothing that could open a tag, close an attribute or start an entity of its own is left. */
static void nothing_gets_out(void **state)
{
    (void)state;
    for (unsigned first = 0; first < 256; first++)
        for (unsigned second = 0; second < 256; second++) {
            char in[2] = {(char)first, (char)second};
            struct buf b = buf_new(4096);
            html_add(&b, (struct str){in, 2});
            struct str out = buf_str(&b);
            assert_true(str_is_utf8(out));
            for (size_t i = 0; i < out.len; i++) {
                assert_null(memchr("<>\"'", out.ptr[i], 4));
                assert_true((uint8_t)out.ptr[i] >= 0x20);
            }
            buf_free(&b);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(text_is_escaped), cmocka_unit_test(nothing_gets_out)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
