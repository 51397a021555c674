#include "model/filetime.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/when.h"
#include "model/testing.h"

#include <inttypes.h>
#include <stdio.h>

static void decimals(void **state)
{
    static const struct {
        const char *text;
        bool ok;
        int64_t value;
    } cases[] = {
        {"0", true, 0},
        {"-0", true, 0},
        {"7", true, 7},
        {"-7", true, -7},
        {"12345678", true, 12345678},
        {"123456789", true, 123456789},
        {"1234567890123456", true, 1234567890123456},
        {"133489152000000000", true, 133489152000000000},
        {"9223372036854775807", true, INT64_MAX},
        {"-9223372036854775808", true, INT64_MIN},
        {"9223372036854775808", false, 0},
        {"-9223372036854775809", false, 0},
        {"9999999999999999999", false, 0},
        {"18446744073709551616", false, 0},
        {"99999999999999999999", false, 0},
        {"0000000000000000000000000000000000000042", true, 42},
        {"-000000000000000000000000000009223372036854775808", true, INT64_MIN},
        {"00000000000000000000000000099999999999999999999", false, 0},
        {"", false, 0},
        {"-", false, 0},
        {"--1", false, 0},
        {"+1", false, 0},
        {" 1", false, 0},
        {"1 ", false, 0},
        {"1.0", false, 0},
        {"0x10", false, 0},
        {"12a45678", false, 0},
        {"1234567/", false, 0},
        {"1234567:", false, 0},
        {"12345678/", false, 0},
        {"\xb0\xb1\xb2\xb3\xb4\xb5\xb6\xb7", false, 0},
        {"\x10\x11\x12\x13\x14\x15\x16\x17", false, 0},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        int64_t v = 99;
        assert_int_equal(decimal_parse(&v, str_from(cases[i].text)), cases[i].ok);
        assert_true(v == (cases[i].ok ? cases[i].value : 99));
    }
    int64_t v;
    assert_false(decimal_parse(&v, (struct str){NULL, 0}));
    assert_false(decimal_parse(&v, (struct str){"1\0", 2}));
}

/* Eight digits are read at once: every byte in every place must be judged. */
static void every_byte_in_every_place(void **state)
{
    for (size_t len = 1; len <= 18; len++)
        for (size_t at = 0; at < len; at++)
            for (int c = 0; c < 256; c++) {
                char text[20] = "", copy[20];
                memset(text, '1', len);
                text[at] = (char)c;
                int64_t v;
                bool digit = c >= '0' && c <= '9', minus = c == '-' && at == 0 && len > 1;
                assert_int_equal(decimal_parse(&v, (struct str){text, len}), digit || minus);
                if (!digit && !minus) continue;
                snprintf(copy, sizeof copy, "%.*s", (int)len, text);
                assert_true(v == strtoll(copy, NULL, 10));
            }
}

static void decimals_agree_with_strtoll(void **state)
{
    uint64_t seed = 3;
    for (int i = 0; i < 200000; i++) {
        uint64_t u = ((uint64_t)test_random(&seed) << 32 | test_random(&seed)) >> test_below(&seed, 64);
        int64_t x = (int64_t)u, v;
        char text[32];
        snprintf(text, sizeof text, "%" PRId64, x);
        assert_true(decimal_parse(&v, str_from(text)));
        assert_true(v == x);
    }
}

static void filetimes(void **state)
{
    static const struct {
        const char *text;
        bool ok;
        int64_t ms;
    } cases[] = {
        {"0", true, 0},                   /* never */
        {"9223372036854775807", true, 0}, /* never */
        {"116444736000000000", true, 0},  /* 1970-01-01 */
        {"116444736000010000", true, 1},
        {"116444736000009999", true, 0},
        {"116444735999990000", true, 0}, /* before 1970: absence */
        {"1", true, 0},
        {"133489152000000000", true, 1704441600000},    /* 2024-01-05T08:00:00Z */
        {"2650467743999990000", true, 253402300799999}, /* the last moment of 9999 */
        {"2650467744000000000", true, 0},               /* no date that can be written: never */
        {"9223372036854775806", true, 0},
        {"-1", false, 0},
        {"-9223372036854775808", false, 0},
        {"9223372036854775808", false, 0},
        {"", false, 0},
        {"20240105080000.0Z", false, 0},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        int64_t ms = 99;
        assert_int_equal(filetime_parse(&ms, str_from(cases[i].text)), cases[i].ok);
        assert_true(ms == (cases[i].ok ? cases[i].ms : 99));
    }
}

static void spans(void **state)
{
    static const struct {
        const char *text;
        bool ok;
        int64_t ms;
    } cases[] = {
        {"0", true, 0},
        {"-9223372036854775808", true, 0},     /* never */
        {"-36288000000000", true, 3628800000}, /* 42 days */
        {"-18000000000", true, 1800000},       /* 30 minutes */
        {"-10000", true, 1},
        {"-10001", true, 2},
        {"-1", true, 1}, /* not 0: 0 is never */
        {"-9223372036854775807", true, 922337203685478},
        {"1", false, 0},
        {"18000000000", false, 0},
        {"x", false, 0},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        int64_t ms = 99;
        assert_int_equal(filetime_parse_span(&ms, str_from(cases[i].text)), cases[i].ok);
        assert_true(ms == (cases[i].ok ? cases[i].ms : 99));
    }
}

static void generalized_times(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
    } cases[] = {
        {"20240105080000.0Z", 1704441600000},
        {"20240105080000Z", 1704441600000},
        {"20240105080000.5Z", 1704441600500},
        {"20240105080000,25Z", 1704441600250},
        {"20240105080000.1239999999Z", 1704441600123},
        {"20240105090000.0+0100", 1704441600000},
        {"20240105023000.0-0530", 1704441600000},
        {"20240229000000Z", 1709164800000},
        {"20000229000000Z", 951782400000},
        {"20161231235960Z", 1483228800000},
        {"19700101000000.0Z", 0},
        {"19691231235959.9Z", 0}, /* before 1970: absence */
        {"16010101000000.0Z", 0}, /* AD's own never */
        {"99991231235959.999Z", 253402300799999},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        int64_t ms = 99;
        assert_true(generalized_time_parse(&ms, str_from(cases[i].text)));
        assert_true(ms == cases[i].ms);
    }
}

static void refuses_generalized_times(void **state)
{
    static const char *const cases[] = {
        "",
        "Z",
        "20240105080000",
        "20240105080000.0",
        "2024010508000Z",
        "202401050800Z",
        "20240105080000.Z",
        "20240105080000.0z",
        "20240105080000.0ZZ",
        "20240105080000.0Z ",
        " 20240105080000.0Z",
        "20240105080000.0 Z",
        "20240105080000.0+01",
        "20240105080000.0+010",
        "20240105080000.0+01:00",
        "20240105080000.0+2400",
        "20240105080000.0+0060",
        "20240105080000.0*0100",
        "20241305080000.0Z",
        "20240005080000.0Z",
        "20240100080000.0Z",
        "20240132080000.0Z",
        "20230229000000Z",
        "19000229000000Z",
        "20240431000000Z",
        "20240105240000Z",
        "20240105086000Z",
        "20240105080061Z",
        "16001231235959Z",
        "00010101000000Z",
        "-0240105080000Z",
        "2024-01-05T08:00:00Z",
        "2024010508000a.0Z",
        "20240105080000..0Z",
        "99991231235959-2359",
        "99991231235960Z",
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        int64_t ms = 99;
        assert_false(generalized_time_parse(&ms, str_from(cases[i])));
        assert_true(ms == 99);
    }
    int64_t ms;
    assert_false(generalized_time_parse(&ms, (struct str){NULL, 0}));
    for (size_t n = 0; n < 17; n++)
        if (n != 15 + 2) assert_false(generalized_time_parse(&ms, (struct str){"20240105080000.0Z", n}));
}

/* Any character but a digit, in any of the fourteen places. */
static void every_place_wants_a_digit(void **state)
{
    for (size_t at = 0; at < 14; at++)
        for (int c = 0; c < 256; c++) {
            char text[] = "20111011101110.0Z";
            int64_t ms;
            if (c >= '0' && c <= '9') continue;
            text[at] = (char)c;
            assert_false(generalized_time_parse(&ms, (struct str){text, 17}));
        }
}

/* Each moment in each spelling comes out the same. */
static void spellings_agree(void **state)
{
    uint64_t seed = 9;
    for (int i = 0; i < 100000; i++) {
        int64_t ms = (int64_t)(((uint64_t)test_random(&seed) << 32 | test_random(&seed)) % 253402300800000u),
                v;
        char rfc[WHEN_TEXT], text[64];
        when_format(rfc, ms);
        assert_true(when_parse(&v, str_from(rfc)));
        assert_true(v == ms);
        snprintf(text, sizeof text, "%.4s%.2s%.2s%.2s%.2s%.2s.%03dZ", rfc, rfc + 5, rfc + 8, rfc + 11,
                 rfc + 14, rfc + 17, (int)(ms % 1000));
        assert_true(ad_time_parse(&v, str_from(text)));
        assert_true(v == ms);
        snprintf(text, sizeof text, "%" PRId64, ms * 10000 + 116444736000000000);
        assert_true(ad_time_parse(&v, str_from(text)));
        assert_true(v == ms);
    }
}

static void tells_the_forms_apart(void **state)
{
    int64_t ms;
    assert_true(ad_time_parse(&ms, STR("0")) && ms == 0);
    assert_true(ad_time_parse(&ms, STR("9223372036854775807")) && ms == 0);
    assert_true(ad_time_parse(&ms, STR("20240105080000.0Z")) && ms == 1704441600000);
    assert_true(ad_time_parse(&ms, STR("20240105080000Z")) && ms == 1704441600000);
    assert_true(ad_time_parse(&ms, STR("20240105090000+0100")) && ms == 1704441600000);
    assert_false(ad_time_parse(&ms, STR("-1")));
    assert_false(ad_time_parse(&ms, STR("20240105Z")));
    assert_false(ad_time_parse(&ms, STR("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decimals),
        cmocka_unit_test(every_byte_in_every_place),
        cmocka_unit_test(decimals_agree_with_strtoll),
        cmocka_unit_test(filetimes),
        cmocka_unit_test(spans),
        cmocka_unit_test(generalized_times),
        cmocka_unit_test(refuses_generalized_times),
        cmocka_unit_test(every_place_wants_a_digit),
        cmocka_unit_test(spellings_agree),
        cmocka_unit_test(tells_the_forms_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
