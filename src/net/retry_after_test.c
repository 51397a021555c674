#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "base/when.h"
#include "net/retry_after.h"

#define NOW_2026 ((int64_t)1775001600000) /* 2026-04-01T00:00:00Z */
#define NOW_1994 ((int64_t)784111317000)  /* 1994-11-06T08:41:57Z, 460 s before the RFC's example */
#define NO       (-1)

static const struct {
    const char *value;
    int64_t now_ms, wait_ms; /* NO: not understood */
} cases[] = {
    /* seconds */
    {"0", NOW_2026, 0},
    {"1", NOW_2026, 1000},
    {"120", NOW_2026, 120000},
    {"  7 \t", NOW_2026, 7000},
    {"007", NOW_2026, 7000},
    {"2.128", NOW_2026, 2128},
    {"0.5", NOW_2026, 500},
    {"0.0001", NOW_2026, 1}, /* never back too early */
    {"1.0000000000000000000000000000", NOW_2026, 1000},
    {"1.9999", NOW_2026, 2000},
    {"31622400", NOW_2026, RETRY_AFTER_MAX_MS},
    {"31622401", NOW_2026, RETRY_AFTER_MAX_MS},
    {"9223372036854775807", NOW_2026, RETRY_AFTER_MAX_MS},
    {"99999999999999999999999999999999999999999999999999", NOW_2026, RETRY_AFTER_MAX_MS},
    /* the three forms of RFC 9110 5.6.7 */
    {"Sun, 06 Nov 1994 08:49:37 GMT", NOW_1994, 460000},
    {"Sunday, 06-Nov-94 08:49:37 GMT", NOW_1994, 460000},
    {"Sun Nov  6 08:49:37 1994", NOW_1994, 460000},
    {"Wed, 01 Apr 2026 00:00:30 GMT", NOW_2026, 30000},
    {"Wednesday, 01-Apr-26 00:00:30 GMT", NOW_2026, 30000},
    {"Wed Apr  1 00:00:30 2026", NOW_2026, 30000},
    {"Wed Apr 15 00:00:00 2026", NOW_2026, (int64_t)14 * 86400000},
    {"Wed, 01 Apr 2026 00:00:60 GMT", NOW_2026, 60000}, /* a leap second */
    {"Tue, 29 Feb 2028 00:00:00 GMT", NOW_2026, RETRY_AFTER_MAX_MS},
    /* passed: at once */
    {"Sun, 06 Nov 1994 08:49:37 GMT", NOW_2026, 0},
    {"Sunday, 06-Nov-94 08:49:37 GMT", NOW_2026, 0}, /* 2094 would be 68 years ahead: 1994 */
    {"Friday, 01-Jan-77 00:00:00 GMT", NOW_2026, 0}, /* 2077 is 51 years ahead: 1977 */
    {"Wednesday, 01-Jan-76 00:00:00 GMT", NOW_2026, RETRY_AFTER_MAX_MS}, /* 50 years ahead is allowed: 2076 */
    {"Mon, 01 Jan 0001 00:00:00 GMT", NOW_2026, 0},
    {"Fri, 31 Dec 9999 23:59:59 GMT", NOW_2026, RETRY_AFTER_MAX_MS},
    /* garbage */
    {"", NOW_2026, NO},
    {" ", NOW_2026, NO},
    {"-1", NOW_2026, NO},
    {"+1", NOW_2026, NO},
    {".5", NOW_2026, NO},
    {"5.", NOW_2026, NO},
    {"1e3", NOW_2026, NO},
    {"0x10", NOW_2026, NO},
    {"1,5", NOW_2026, NO},
    {"1.2.3", NOW_2026, NO},
    {"10 s", NOW_2026, NO},
    {"soon", NOW_2026, NO},
    {"NaN", NOW_2026, NO},
    {"\xd9\xa1", NOW_2026, NO}, /* an Arabic digit */
    {"Wed, 01 Apr 2026 00:00:30", NOW_2026, NO},
    {"Wed, 01 Apr 2026 00:00:30 UTC", NOW_2026, NO},
    {"Wed, 01 Apr 2026 00:00:30 +0000", NOW_2026, NO},
    {"wed, 01 apr 2026 00:00:30 gmt", NOW_2026, NO},
    {"Wed, 1 Apr 2026 00:00:30 GMT", NOW_2026, NO},
    {"Wed, 01 Apr 26 00:00:30 GMT", NOW_2026, NO},
    {"Mon, 30 Feb 2026 00:00:00 GMT", NOW_2026, NO},
    {"Sun, 29 Feb 2026 00:00:00 GMT", NOW_2026, NO},
    {"Sun, 00 Mar 2026 00:00:00 GMT", NOW_2026, NO},
    {"Wed, 01 Apr 2026 24:00:00 GMT", NOW_2026, NO},
    {"Wed, 01 Apr 2026 00:60:00 GMT", NOW_2026, NO},
    {"Wed, 01 Apr 2026 00:00:61 GMT", NOW_2026, NO},
    {"Wed, 01 Apr 2026 00:00:30 GMT, 5", NOW_2026, NO},
    {"Wed, 01 Xyz 2026 00:00:30 GMT", NOW_2026, NO},
    {"2026-04-01T00:00:30Z", NOW_2026, NO},
};

static void test_table(void **state)
{
    for (size_t i = 0; i < n_elements(cases); i++) {
        int64_t wait = NO;
        bool understood = retry_after_parse(&wait, str_from(cases[i].value), cases[i].now_ms);
        if (wait != cases[i].wait_ms || understood != (cases[i].wait_ms != NO))
            fail_msg("\"%s\": %lld, expected %lld", cases[i].value, (long long)wait,
                     (long long)cases[i].wait_ms);
    }
}

static void test_nul_and_no_pointer(void **state)
{
    int64_t wait = 42;
    assert_false(retry_after_parse(&wait, (struct str){NULL, 0}, NOW_2026));
    assert_false(retry_after_parse(&wait, (struct str){"1\0002", 3}, NOW_2026));
    assert_int_equal(wait, 42);
}

/* Writes the given instant in all three forms; each must come back as the distance to it. */
static void round_trip(int64_t at_ms, int64_t wait_ms)
{
    static const char *const forms[] = {"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT",
                                        "%a %b %e %H:%M:%S %Y"};
    time_t t = (time_t)(at_ms / 1000);
    struct tm tm;
    assert_non_null(gmtime_r(&t, &tm));
    for (size_t f = 0; f < n_elements(forms); f++) {
        char text[64];
        int64_t wait = NO;
        assert_true(strftime(text, sizeof text, forms[f], &tm) > 0);
        assert_true(retry_after_parse(&wait, str_from(text), at_ms - wait_ms));
        if (wait != wait_ms) fail_msg("%s: %lld, expected %lld", text, (long long)wait, (long long)wait_ms);
    }
}

static void test_every_day_of_a_century(void **state)
{
    int64_t first = when_from_civil(2000, 1, 1, 0, 0, 0);
    for (int64_t day = 0; day < 36525; day++) {
        int64_t second_of_day = day * 7919 % 86400;
        round_trip(first + (day * 86400 + second_of_day) * 1000, 1 + day * 37 % 100000000);
    }
}

/* Mutations of good values: whatever comes, the wait is within its bounds or the value is refused. */
static void test_mutations(void **state)
{
    uint64_t x = 88172645463325252u; /* xorshift; the same sequence every time */
    size_t understood = 0;
    for (int i = 0; i < 300000; i++) {
        char text[96];
        const char *seed = cases[(size_t)i % n_elements(cases)].value;
        size_t len = strlen(seed);
        memcpy(text, seed, len);
        for (int m = 0; m < 3 && len; m++) {
            x ^= x << 13, x ^= x >> 7, x ^= x << 17;
            size_t at = (size_t)(x >> 8) % len;
            if (x & 1) text[at] = (char)(x >> 40);
            if ((x & 6) == 2) memmove(text + at, text + at + 1, --len - at);
            if ((x & 6) == 4 && len < sizeof text) memmove(text + at + 1, text + at, len++ - at);
        }
        /* an exact copy on the heap, so that a sanitizer sees every read past its end */
        char *exact = malloc(len ? len : 1);
        assert_non_null(exact);
        memcpy(exact, text, len);
        int64_t wait = NO;
        bool ok = retry_after_parse(&wait, (struct str){exact, len}, NOW_2026);
        assert_true(ok ? wait >= 0 && wait <= RETRY_AFTER_MAX_MS : wait == NO);
        understood += ok;
        free(exact);
    }
    assert_true(understood > 1000); /* or the mutations are all noise */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_nul_and_no_pointer),
        cmocka_unit_test(test_every_day_of_a_century),
        cmocka_unit_test(test_mutations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
