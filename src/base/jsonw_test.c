#include "base/jsonw.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <stdlib.h>

static void writes_commas_and_nesting(void **state)
{
    struct buf b = buf_new(4096);
    struct jsonw j = jsonw_new(&b);
    jsonw_object(&j);
    jsonw_kstr(&j, "a", STR("x"));
    jsonw_key(&j, STR("list"));
    jsonw_array(&j);
    jsonw_int(&j, 1);
    jsonw_object(&j);
    jsonw_end(&j);
    jsonw_object(&j);
    jsonw_kbool(&j, "t", true);
    jsonw_kint(&j, "n", -5);
    jsonw_end(&j);
    jsonw_array(&j);
    jsonw_array(&j);
    jsonw_end(&j);
    jsonw_null(&j);
    jsonw_end(&j);
    jsonw_bool(&j, false);
    jsonw_end(&j);
    jsonw_raw_key(&j, STR("\"raw\":"));
    jsonw_raw(&j, STR("[1,2]"));
    jsonw_kcstr(&j, "absent", NULL);
    jsonw_kcstr(&j, "c", "y");
    jsonw_key(&j, STR("u"));
    jsonw_uint(&j, UINT64_MAX);
    jsonw_key(&j, STR("b"));
    jsonw_base64(&j, bytes_of(STR("hello")));
    jsonw_end(&j);
    assert_string_equal(buf_cstr(&b),
                        "{\"a\":\"x\",\"list\":[1,{},{\"t\":true,\"n\":-5},[[],null],false],\"raw\":[1,2],"
                        "\"c\":\"y\",\"u\":18446744073709551615,\"b\":\"aGVsbG8=\"}");
    buf_free(&b);
}

static void several_documents_share_a_buffer(void **state)
{
    struct buf b = buf_new(4096);
    for (int i = 0; i < 3; i++) {
        struct jsonw j = jsonw_new(&b);
        jsonw_object(&j);
        jsonw_kint(&j, "i", i);
        jsonw_end(&j);
        jsonw_end(&j); /* one too many does nothing */
        buf_add_byte(&b, '\n');
    }
    assert_string_equal(buf_cstr(&b), "{\"i\":0}\n{\"i\":1}\n{\"i\":2}\n");
    buf_free(&b);
}

static void escapes(void **state)
{
    static const char *const cases[][2] = {
        {"plain", "plain"},
        {"q\"b\\s/", "q\\\"b\\\\s/"},
        {"\b\f\n\r\t", "\\b\\f\\n\\r\\t"},
        {"\x01\x1b[31m\x1f", "\\u0001\\u001b[31m\\u001f"},
        {"\x7f", "\\u007f"},
        {"\xc2\x80\xc2\x9b\xc2\x9f", "\\u0080\\u009b\\u009f"}, /* C1: CSI and friends */
        {"\xc2\xa0\xc2\xa3", "\xc2\xa0\xc2\xa3"},
        {"\xe2\x80\xa8|\xe2\x80\xa9", "\\u2028|\\u2029"},
        {"\xe2\x80\xa7\xe2\x80\xaa", "\xe2\x80\xa7\xe2\x80\xaa"},
        {"\xe2\x82\xac", "\xe2\x82\xac"},
        {"\xf0\x9f\x94\x91", "\xf0\x9f\x94\x91"},
        {"\xc2\"", "\xc2\\\""}, /* not UTF-8, but a quote must not get out */
        {"\xe2\x80", "\xe2\x80"},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct buf b = buf_new(200);
        jsonw_escape(&b, str_from(cases[i][0]));
        assert_string_equal(buf_cstr(&b), cases[i][1]);
        buf_free(&b);
    }
    struct buf b = buf_new(200);
    jsonw_escape(&b, (struct str){"a\0b", 3});
    assert_string_equal(buf_cstr(&b), "a\\u0000b");
    jsonw_escape(&b, (struct str){NULL, 0});
    buf_free(&b);
}

/* What jansson reads back is what was written, whatever the text. */
static void a_reader_gets_the_text_back(void **state)
{
    static const char *const parts[] = {"a",
                                        "\"",
                                        "\\",
                                        "\n",
                                        "\x01",
                                        "\x7f",
                                        "\xc2\x85",
                                        "\xc3\xa9",
                                        "/",
                                        "\xe2\x80\xa8",
                                        "\xe2\x80\xa9",
                                        "\xe2\x82\xac",
                                        "\xf0\x9f\x94\x91",
                                        " "};
    uint32_t seed = 12345;
    for (int round = 0; round < 5000; round++) {
        char text[200] = "";
        size_t n = 0;
        for (unsigned k = 0; k < (unsigned)round % 40; k++) {
            seed = seed * 1664525 + 1013904223;
            const char *p = parts[(seed >> 16) % n_elements(parts)];
            memcpy(text + n, p, strlen(p) + 1);
            n += strlen(p);
        }
        struct buf b = buf_new(4096);
        struct jsonw j = jsonw_new(&b);
        jsonw_array(&j);
        jsonw_str(&j, (struct str){text, n});
        jsonw_end(&j);
        assert_null(memchr(b.ptr, '\n', b.len));
        json_t *read = json_loadb((const char *)b.ptr, b.len, 0, NULL);
        assert_non_null(read);
        assert_string_equal(json_string_value(json_array_get(read, 0)), text);
        json_decref(read);
        buf_free(&b);
    }
}

static void numbers(void **state)
{
    static const struct {
        int64_t v;
        const char *text;
    } cases[] = {{0, "0"},
                 {7, "7"},
                 {-7, "-7"},
                 {10, "10"},
                 {1000000, "1000000"},
                 {INT64_MAX, "9223372036854775807"},
                 {INT64_MIN, "-9223372036854775808"},
                 {-1, "-1"}};
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct buf b = buf_new(strlen(cases[i].text)); /* no byte more is asked for than is used */
        buf_add_decimal(&b, cases[i].v);
        assert_string_equal(buf_cstr(&b), cases[i].text);
        buf_free(&b);
    }
}

static void base64_of_rfc_4648(void **state)
{
    static const char *const cases[][2] = {{"", ""},
                                           {"f", "Zg=="},
                                           {"fo", "Zm8="},
                                           {"foo", "Zm9v"},
                                           {"foob", "Zm9vYg=="},
                                           {"fooba", "Zm9vYmE="},
                                           {"foobar", "Zm9vYmFy"},
                                           {"\xff\xfe\xfd", "//79"}};
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct buf b = buf_new(100);
        buf_add_base64(&b, bytes_of(str_from(cases[i][0])));
        assert_string_equal(buf_cstr(&b), cases[i][1]);
        buf_free(&b);
    }
    struct buf b = buf_new(7);
    buf_add_base64(&b, bytes_of(STR("foob")));
    assert_true(b.failed);
    buf_free(&b);
}

static void depth_is_limited(void **state)
{
    struct buf b = buf_new(4096);
    struct jsonw j = jsonw_new(&b);
    for (int i = 0; i < 64; i++) jsonw_array(&j);
    assert_false(b.failed);
    jsonw_array(&j);
    assert_true(b.failed);
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_commas_and_nesting),
        cmocka_unit_test(several_documents_share_a_buffer),
        cmocka_unit_test(escapes),
        cmocka_unit_test(a_reader_gets_the_text_back),
        cmocka_unit_test(numbers),
        cmocka_unit_test(base64_of_rfc_4648),
        cmocka_unit_test(depth_is_limited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
