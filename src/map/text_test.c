#include "map/text.h"

#include "base/jsonw.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void decimals(void **state)
{
    static const int64_t cases[] = {0,         1,        -1,  9,   10,   99,    100,        101,
                                    999,       1000,     -10, -99, -100, 12345, 4294967295, 1767225600000,
                                    INT64_MAX, INT64_MIN};
    for (size_t i = 0; i < n_elements(cases); i++) {
        uint8_t to[TEXT_DECIMAL];
        char want[32];
        int n = snprintf(want, sizeof want, "%" PRId64, cases[i]);
        assert_int_equal(text_decimal(to, cases[i]), n);
        assert_memory_equal(to, want, (size_t)n);
    }
}

static void times_as_when_format_writes_them(void **state)
{
    int64_t ms = -INT64_C(62135596800000) - 5; /* before the year 1 */
    for (unsigned i = 0; i < 20000; i++, ms += INT64_C(16000000000) + i) {
        char to[WHEN_TEXT], want[WHEN_TEXT];
        when_format(want, ms);
        size_t n = text_time(to, ms);
        assert_int_equal(n, strlen(want));
        assert_memory_equal(to, want, n);
    }
}

static void json_strings(void **state)
{
    static const struct {
        struct str in;
        const char *out;
    } cases[] = {
        {{"", 0}, "\"\""},
        {{"plain text", 10}, "\"plain text\""},
        {{"\"q\" \\", 5}, "\"\\\"q\\\" \\\\\""},
        {{"a\r\n\t\0b", 6}, "\"a\\r\\n\\t\\u0000b\""},
        {{"\x7f", 1}, "\"\\u007f\""},
        {{"\xe2\x80\xa8\xe2\x80\xa9", 6}, "\"\\u2028\\u2029\""},
        {{"\xe2\x82\xac \xc3\xa9 \xf0\x9f\x91\xbe", 11}, "\"\xe2\x82\xac \xc3\xa9 \xf0\x9f\x91\xbe\""},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct buf b = buf_new(256);
        text_json(&b, cases[i].in);
        assert_string_equal(buf_cstr(&b), cases[i].out);
        buf_free(&b);
    }
}

static void json_string_fails_whole(void **state)
{
    struct buf b = buf_new(8);
    text_json(&b, STR("longer than eight"));
    assert_true(b.failed);
    buf_free(&b);
}

static void cuts(void **state)
{
    static const struct {
        struct str in;
        size_t max, want;
    } cases[] = {
        {{"abc", 3}, 5, 3},
        {{"abc", 3}, 2, 2},
        {{"a\xc3\xa9z", 4}, 2, 1},
        {{"a\xc3\xa9z", 4}, 3, 3},
        {{"\xf0\x9f\x91\xbe", 4}, 3, 0},
        {{"abc", 3}, 0, 0},
    };
    for (size_t i = 0; i < n_elements(cases); i++)
        assert_int_equal(text_cut(cases[i].in, cases[i].max).len, cases[i].want);
}

static void lower_case(void **state)
{
    char to[32];
    assert_true(str_equal(text_lower(to, sizeof to, STR("ALICE.Liddell@Corp")), STR("alice.liddell@corp")));
    assert_true(str_equal(text_lower(to, sizeof to, STR("\xc3\x89\xc3\x80 \xce\xa3")),
                          STR("\xc3\xa9\xc3\xa0 \xcf\x83")));
    assert_int_equal(text_lower(to, 4, STR("does not fit")).len, 0);
}

static void emails(void **state)
{
    static const struct {
        const char *text;
        bool now, in_1_1;
    } cases[] = {
        {"a@b.c", true, true},
        {"first.last+tag@sub.example.com", true, true},
        {"o'brien@corp.example", true, false},
        {"a/b=c@corp.example", true, false},
        {"a@b", false, false},
        {"@b.c", false, false},
        {"a@.c", false, false},
        {"a@b.", false, false},
        {"a@b.c d", false, false},
        {"a b@c.d", false, false},
        {"a@b@c.d", false, false},
        {"a@b.c\n", false, false},
        {"m\xc3\xbcller@corp.example", false, false},
        {"alice", false, false},
        {"", false, false},
        {"-", false, false},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        if (text_is_email(str_from(cases[i].text), false) != cases[i].now) fail_msg("now: %s", cases[i].text);
        if (text_is_email(str_from(cases[i].text), true) != cases[i].in_1_1)
            fail_msg("1.1: %s", cases[i].text);
    }
}

static void hostnames(void **state)
{
    static const char *const good[] = {"a", "dc1", "dc-1.corp.example", "1.2.3", "a--b.c"};
    static const char *const bad[] = {"",   ".",    "a.",   ".a",   "a..b", "-a",
                                      "a-", "a-.b", "a.-b", "pc_7", "a b",  "\xc3\xa9"};
    for (size_t i = 0; i < n_elements(good); i++)
        if (!text_is_hostname(str_from(good[i]))) fail_msg("%s", good[i]);
    for (size_t i = 0; i < n_elements(bad); i++)
        if (text_is_hostname(str_from(bad[i]))) fail_msg("%s", bad[i]);
}

static void placeholders(void **state)
{
    static const char *const fillers[] = {"",        " ",      "-",    "n/a",       "N/A",  " na ",
                                          "Unknown", "(null)", "NULL", "undefined", "none", "nil"};
    static const char *const words[] = {"Nora", "nano",     "unknown man", "--",
                                        "n",    "Director", "Na-Ra",       "a very long title indeed"};
    for (size_t i = 0; i < n_elements(fillers); i++)
        if (!text_is_placeholder(str_from(fillers[i]))) fail_msg("%s", fillers[i]);
    for (size_t i = 0; i < n_elements(words); i++)
        if (text_is_placeholder(str_from(words[i]))) fail_msg("%s", words[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decimals),     cmocka_unit_test(times_as_when_format_writes_them),
        cmocka_unit_test(json_strings), cmocka_unit_test(json_string_fails_whole),
        cmocka_unit_test(cuts),         cmocka_unit_test(lower_case),
        cmocka_unit_test(emails),       cmocka_unit_test(hostnames),
        cmocka_unit_test(placeholders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
