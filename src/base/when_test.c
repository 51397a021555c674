#include "base/when.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <limits.h>
#include <time.h>

static void reads_rfc_3339(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
    } cases[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"1970-01-01T00:00:00.001Z", 1},
        {"1969-12-31T23:59:59.999Z", -1},
        {"2026-01-04T10:12:00Z", 1767521520000},
        {"2026-01-04t10:12:00z", 1767521520000},
        {"2026-01-04 10:12:00Z", 1767521520000},
        {"2026-01-04T11:12:00+01:00", 1767521520000},
        {"2026-01-04T04:42:00-05:30", 1767521520000},
        {"2026-01-04T10:12:00.5Z", 1767521520500},
        {"2026-01-04T10:12:00.1234567Z", 1767521520123},
        {"2024-02-29T00:00:00Z", 1709164800000},
        {"2000-02-29T00:00:00Z", 951782400000},
        {"2016-12-31T23:59:60Z", 1483228800000},
        {"0001-01-01T00:00:00Z", -62135596800000},
        {"9999-12-31T23:59:59.999Z", 253402300799999},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        int64_t ms = 42;
        assert_true(when_parse(&ms, str_from(cases[i].text)));
        assert_true(ms == cases[i].ms);
    }
}

static void refuses_what_is_not(void **state)
{
    static const char *const cases[] = {
        "",
        "Z",
        "2026",
        "2026-01-04",
        "2026-01-04T10:12Z",
        "2026-01-04T10:12:00",
        "2026-01-04T10:12:00+0100",
        "2026-01-04T10:12:00+01",
        "2026-01-04T10:12:00.Z",
        "2026-13-04T10:12:00Z",
        "2026-00-04T10:12:00Z",
        "2026-01-00T10:12:00Z",
        "2026-01-32T10:12:00Z",
        "2026-02-29T10:12:00Z",
        "2100-02-29T10:12:00Z",
        "2026-04-31T10:12:00Z",
        "2026-01-04T24:12:00Z",
        "2026-01-04T10:60:00Z",
        "2026-01-04T10:12:61Z",
        "2026-01-04T10:12:00Zx",
        "2026-01-04T10:12:00ZZ",
        "026-01-04T10:12:00Z",
        "+2026-01-04T10:12:00Z",
        "2026-1-4T10:12:00Z",
        "2026/01/04T10:12:00Z",
        "2026-01-04T10:12:00+24:00",
        "2026-01-04T10:12:00+00:60",
        "2026-01-04T-1:12:00Z",
        " 2026-01-04T10:12:00Z",
        "20260104T101200Z",
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        int64_t ms = 42;
        assert_false(when_parse(&ms, str_from(cases[i])));
        assert_true(ms == 42);
    }
    int64_t ms;
    char text[] = "2026-01-04T10:12:00Z"; /* NUL is no separator and no zone */
    for (size_t i = 0; i < sizeof text - 1; i++) {
        char kept = text[i];
        text[i] = 0;
        assert_false(when_parse(&ms, (struct str){text, sizeof text - 1}));
        text[i] = kept;
    }
}

static void writes(void **state)
{
    char out[WHEN_TEXT];
    assert_string_equal(when_format(out, 0), "1970-01-01T00:00:00Z");
    assert_string_equal(when_format(out, -1), "1969-12-31T23:59:59.999Z");
    assert_string_equal(when_format(out, 1767521520007), "2026-01-04T10:12:00.007Z");
    assert_string_equal(when_format(out, -62135596800000), "0001-01-01T00:00:00Z");
    assert_string_equal(when_format(out, 253402300799999), "9999-12-31T23:59:59.999Z");
    assert_string_equal(when_format(out, -62135596800001), "");
    assert_string_equal(when_format(out, 253402300800000), "");
    assert_string_equal(when_format(out, INT64_MAX), "");
    assert_string_equal(when_format(out, INT64_MIN), "");
}

/* Against the C library, a day at a time over 800 years and odd seconds. */
static void agrees_with_the_c_library(void **state)
{
    for (int64_t day = -135140; day < 160000; day++) {
        time_t t = (time_t)(day * 86400 + (day * 7919) % 86400);
        struct tm tm;
        assert_non_null(gmtime_r(&t, &tm));
        char expected[64], out[WHEN_TEXT];
        assert_true(strftime(expected, sizeof expected, "%Y-%m-%dT%H:%M:%SZ", &tm) > 0);
        assert_string_equal(when_format(out, (int64_t)t * 1000), expected);
        int64_t back;
        assert_true(when_parse(&back, str_from(out)));
        assert_true(back == (int64_t)t * 1000);
        assert_true(tm.tm_mday <= (int)when_month_days(tm.tm_year + 1900, (unsigned)tm.tm_mon + 1));
    }
}

static void every_month_ends_where_the_next_begins(void **state)
{
    for (int64_t y = 1; y < 9999; y++)
        for (unsigned m = 1; m <= 12; m++) {
            int64_t next = when_from_civil(y + (m == 12), m % 12 + 1, 1, 0, 0, 0);
            assert_true(when_from_civil(y, m, when_month_days(y, m), 0, 0, 0) + 86400000 == next);
        }
}

static void deadlines(void **state)
{
    int64_t now = when_monotonic_ms();
    assert_int_equal(when_left_ms(now - 1000), 0);
    assert_in_range(when_left_ms(now + 100000), 90000, 100000);
    assert_int_equal(when_left_ms(INT64_MAX), INT_MAX);
    struct timespec at = when_monotonic_in(1999);
    assert_in_range(at.tv_nsec, 0, 999999999);
    assert_in_range((int64_t)at.tv_sec * 1000 + at.tv_nsec / 1000000 - now, 1998, 30000);
    assert_true(when_now_ms() > 1700000000000);
}

static void knows_units(void **state)
{
    static const char units[] = "smhdw";
    static const int64_t ms[] = {1000, 60 * 1000, 3600 * 1000, 24 * 3600 * 1000, 7 * 24 * 3600 * 1000};
    for (int c = 0; c < 256; c++) {
        const char *at = c ? strchr(units, c) : NULL;
        assert_int_equal(when_unit_ms((char)c), at ? ms[at - units] : 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_rfc_3339),
        cmocka_unit_test(refuses_what_is_not),
        cmocka_unit_test(writes),
        cmocka_unit_test(agrees_with_the_c_library),
        cmocka_unit_test(every_month_ends_where_the_next_begins),
        cmocka_unit_test(deadlines),
        cmocka_unit_test(knows_units),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
