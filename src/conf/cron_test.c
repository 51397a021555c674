/* The next time by calendar, against one that walks minute by minute. */
#include "conf/cron.h"

#include "base/when.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define MINUTE INT64_C(60000)

static struct cron *parsed(const char *text)
{
    struct cron *c;
    struct err e;
    if (cron_parse(&c, str_from(text), &e) < 0) fail_msg("%s: %s", text, e.message);
    return c;
}

/* --- the oracle: fields as text, the C library's calendar, one minute after the other -------------------- */

static bool item_has(const char *item, long least, long most, long value)
{
    char *end;
    long from = least, to = most, step = 1;
    if (*item == '*') {
        end = (char *)(uintptr_t)item + 1;
    } else {
        from = to = strtol(item, &end, 10);
        if (*end == '-') to = strtol(end + 1, &end, 10);
        else if (*end == '/') to = most;
    }
    if (*end == '/') step = strtol(end + 1, &end, 10);
    return value >= from && value <= to && (value - from) % step == 0;
}

static bool field_has(const char *field, long least, long most, long value)
{
    char copy[128], *rest = copy, *item;
    snprintf(copy, sizeof copy, "%s", field);
    while ((item = strsep(&rest, ",")) != NULL)
        if (item_has(item, least, most, value)) return true;
    return false;
}

struct fields {
    char minute[64], hour[64], day[64], month[64], weekday[64];
};

static bool fits(const struct fields *f, int64_t ms)
{
    time_t t = (time_t)(ms / 1000);
    struct tm tm;
    gmtime_r(&t, &tm);
    if (!field_has(f->minute, 0, 59, tm.tm_min) || !field_has(f->hour, 0, 23, tm.tm_hour) || !field_has(f->month, 1, 12, tm.tm_mon + 1)) return false;
    bool day = field_has(f->day, 1, 31, tm.tm_mday);
    bool weekday = field_has(f->weekday, 0, 7, tm.tm_wday) || (tm.tm_wday == 0 && field_has(f->weekday, 0, 7, 7));
    return f->day[0] == '*' || f->weekday[0] == '*' ? day && weekday : day || weekday;
}

static int64_t walk(const struct fields *f, int64_t after, int64_t most_minutes)
{
    int64_t m = after / MINUTE + 1;
    for (int64_t end = m + most_minutes; m < end; m++)
        if (fits(f, m * MINUTE)) return m * MINUTE;
    return 0;
}

static void compare(const char *text, int64_t after, int64_t most_minutes)
{
    struct fields f;
    struct cron *c = parsed(text);
    assert_int_equal(sscanf(text, "%63s %63s %63s %63s %63s", f.minute, f.hour, f.day, f.month, f.weekday), 5);
    int64_t want = walk(&f, after, most_minutes), got = cron_next(c, after);
    cron_free(c);
    if (want ? got != want : got && got <= after + most_minutes * MINUTE)
        fail_msg("%s after %lld: %lld, by walking %lld", text, (long long)after, (long long)got, (long long)want);
}

/* --- tests -------------------------------------------------------------------------------------------------- */

static void test_table(void **state)
{
    static const struct {
        const char *cron, *after, *next;
    } table[] = {
        {"* * * * *", "2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z"},
        {"* * * * *", "2026-12-31T23:59:59Z", "2027-01-01T00:00:00Z"},
        {"0 0 * * *", "2026-02-28T00:00:00Z", "2026-03-01T00:00:00Z"},
        {"0 0 * * *", "2028-02-28T00:00:00Z", "2028-02-29T00:00:00Z"},
        {"15 3 * * 1-5", "2026-11-20T03:15:00Z", "2026-11-23T03:15:00Z"}, /* Friday to Monday */
        {"15 3 * * mon-fri", "2026-11-20T03:14:59Z", "2026-11-20T03:15:00Z"},
        {"0 0 29 2 *", "2026-01-01T00:00:00Z", "2028-02-29T00:00:00Z"},
        {"0 0 29 2 *", "2096-03-01T00:00:00Z", "2104-02-29T00:00:00Z"},
        {"0 0 30 2 *", "2026-01-01T00:00:00Z", NULL},
        {"0 0 31 4,6,9,11 *", "2026-01-01T00:00:00Z", NULL},
        {"0 0 13 * 5", "2026-11-01T00:00:00Z", "2026-11-06T00:00:00Z"}, /* either day */
        {"0 0 */2 * 5", "2026-11-01T00:00:00Z", "2026-11-13T00:00:00Z"}, /* both, since one begins with a star */
        {"0 0 * * 7", "2026-11-21T00:00:00Z", "2026-11-22T00:00:00Z"},
        {"0 0 * * Sun", "2026-11-21T00:00:00Z", "2026-11-22T00:00:00Z"},
        {"0 0 1 JAN *", "2026-11-21T00:00:00Z", "2027-01-01T00:00:00Z"},
        {"*/20 5-7/2 * * *", "2026-11-21T05:40:00Z", "2026-11-21T07:00:00Z"},
        {"58/1 * * * *", "2026-11-21T05:59:00Z", "2026-11-21T06:58:00Z"},
    };
    for (size_t i = 0; i < n_elements(table); i++) {
        char text[WHEN_TEXT];
        int64_t after;
        struct cron *c = parsed(table[i].cron);
        assert_true(when_parse(&after, str_from(table[i].after)));
        int64_t next = cron_next(c, after);
        if (!table[i].next) assert_int_equal(next, 0);
        else assert_string_equal(when_format(text, next), table[i].next);
        cron_free(c);
    }
}

static void test_refused(void **state)
{
    static const char *const wrong[] = {"",          "* * * *",       "* * * * * *",  "60 * * * *",  "* 24 * * *", "* * 0 * *", "* * 32 * *", "* * * 0 *", "* * * 13 *",
                                        "* * * * 8", "*/0 * * * *",   "5-3 * * * *",  "1,,2 * * * *", "a * * * *",  "1- * * * *", "*1 * * * *", "-1 * * * *", "1/ * * * *",
                                        "* * * foo *", "999 * * * *", "1000 * * * *", "@daily",      "* * * * mon-", "1;2 * * * *"};
    for (size_t i = 0; i < n_elements(wrong); i++) {
        struct cron *c;
        struct err e;
        if (cron_parse(&c, str_from(wrong[i]), &e) != ERR_INPUT) fail_msg("taken: '%s'", wrong[i]);
        assert_true(e.hint[0] != 0);
    }
}

static uint64_t dice(uint64_t *seed, uint64_t n)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (*seed >> 33) % n;
}

static void random_item(char *out, size_t size, uint64_t *seed, unsigned least, unsigned most)
{
    unsigned a = least + (unsigned)dice(seed, most - least + 1), b = a + (unsigned)dice(seed, most - a + 1);
    switch (dice(seed, 6)) {
    case 0: snprintf(out, size, "*"); break;
    case 1: snprintf(out, size, "*/%u", 1 + (unsigned)dice(seed, most)); break;
    case 2: snprintf(out, size, "%u-%u", a, b); break;
    case 3: snprintf(out, size, "%u-%u/%u", a, b, 1 + (unsigned)dice(seed, 9)); break;
    case 4: snprintf(out, size, "%u,%u", b, a); break;
    default: snprintf(out, size, "%u", a);
    }
}

static void test_random(void **state)
{
    uint64_t seed = 42;
    for (unsigned i = 0; i < 3000; i++) {
        char part[5][32], text[200];
        static const unsigned least[] = {0, 0, 1, 1, 0}, most[] = {59, 23, 31, 12, 7};
        for (unsigned k = 0; k < 5; k++) random_item(part[k], sizeof part[k], &seed, least[k], most[k]);
        snprintf(text, sizeof text, "%s %s %s %s %s", part[0], part[1], part[2], part[3], part[4]);
        int64_t after = when_from_civil(2024 + (int64_t)dice(&seed, 8), 1 + (unsigned)dice(&seed, 12), 1 + (unsigned)dice(&seed, 28), 0, 0, 0) +
                        (int64_t)dice(&seed, 86400000);
        compare(text, after, 60 * 24 * 3);
        if (i % 20 == 0) compare(text, after, 60 * 24 * 400);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_table), cmocka_unit_test(test_refused), cmocka_unit_test(test_random)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
