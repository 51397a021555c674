#include "conf/cron.h"

#include "base/when.h"

#include <stdio.h>
#include <stdlib.h>

#define MINUTE_MS INT64_C(60000)
#define YEARS_AHEAD 12 /* between two 29ths of February there are at most 8 */

struct cron {
    uint64_t minutes;
    uint32_t hours, days, months, weekdays; /* bits by number; Sunday is 0 */
    bool any_day, any_weekday;              /* the field begins with a star: crontab(5) then asks for both, else for either */
};

/* --- parsing ------------------------------------------------------------------------------------------------ */

struct field {
    const char *name;
    unsigned least, most;
    const char *names; /* of three letters each, from `least` on; "" none */
};
static const struct field fields[5] = {{"minute", 0, 59, ""},
                                       {"hour", 0, 23, ""},
                                       {"day of month", 1, 31, ""},
                                       {"month", 1, 12, "janfebmaraprmayjunjulaugsepoctnovdec"},
                                       {"day of week", 0, 7, "sunmontuewedthufrisat"}};

static bool take_char(struct str *s, char c)
{
    if (!s->len || s->ptr[0] != c) return false;
    s->ptr++;
    s->len--;
    return true;
}

static bool take_digits(struct str *s, unsigned *out)
{
    size_t n = 0;
    *out = 0;
    for (; n < s->len && n < 3 && s->ptr[n] >= '0' && s->ptr[n] <= '9'; n++) *out = *out * 10 + (unsigned)(s->ptr[n] - '0');
    s->ptr += n;
    s->len -= n;
    return n > 0;
}

/* A number, or a name of the field. */
static bool take_value(struct str *s, const struct field *f, unsigned *out)
{
    if (take_digits(s, out)) return true;
    if (s->len < 3) return false;
    for (unsigned i = 0; f->names[(size_t)i * 3]; i++) {
        if (!str_equal_nocase((struct str){f->names + (size_t)i * 3, 3}, (struct str){s->ptr, 3})) continue;
        s->ptr += 3;
        s->len -= 3;
        *out = f->least + i;
        return true;
    }
    return false;
}

/* "*", "7", "1-5", each with "/2" behind; "7/2" is from 7 to the end. */
static bool take_range(struct str *s, const struct field *f, uint64_t *bits)
{
    unsigned from = f->least, to = f->most, step = 1;
    bool is_star = take_char(s, '*');
    if (!is_star && !take_value(s, f, &from)) return false;
    bool is_range = !is_star && take_char(s, '-');
    if (is_range && !take_value(s, f, &to)) return false;
    bool has_step = take_char(s, '/');
    if (has_step && !take_digits(s, &step)) return false;
    if (!is_star && !is_range && !has_step) to = from;
    if (from < f->least || to > f->most || from > to || !step) return false;
    for (unsigned i = from; i <= to; i += step) *bits |= UINT64_C(1) << i;
    return true;
}

static bool take_list(struct str s, const struct field *f, uint64_t *bits)
{
    *bits = 0;
    do {
        if (!take_range(&s, f, bits)) return false;
    } while (take_char(&s, ','));
    return s.len == 0;
}

static struct str next_word(struct str *s)
{
    while (s->len && (s->ptr[0] == ' ' || s->ptr[0] == '\t')) s->ptr++, s->len--;
    size_t n = 0;
    while (n < s->len && s->ptr[n] != ' ' && s->ptr[n] != '\t') n++;
    struct str word = {s->ptr, n};
    s->ptr += n;
    s->len -= n;
    return word;
}

static int wrong(struct str text, const char *what, struct err *e)
{
    err_set(e, ERR_INPUT, "cron '%.*s': %s", (int)(text.len < 100 ? text.len : 100), text.ptr, what);
    return err_hint(e, "five fields: minute hour day-of-month month day-of-week, in UTC; for example 15 3 * * 1-5");
}

int cron_parse(struct cron **out, struct str text, struct err *e)
{
    uint64_t bits[5];
    bool is_any[5];
    struct str rest = text;
    char what[64];
    for (size_t i = 0; i < 5; i++) {
        struct str word = next_word(&rest);
        snprintf(what, sizeof what, word.len ? "the %s cannot be read" : "the %s is missing", fields[i].name);
        if (!word.len || !take_list(word, &fields[i], &bits[i])) return wrong(text, what, e);
        is_any[i] = word.ptr[0] == '*';
    }
    if (next_word(&rest).len) return wrong(text, "there are more than five fields", e);
    if (bits[4] & 1U << 7) bits[4] |= 1; /* Sunday has two numbers */
    struct cron *c = x_zalloc(sizeof *c);
    *c = (struct cron){bits[0], (uint32_t)bits[1], (uint32_t)bits[2], (uint32_t)bits[3], (uint32_t)bits[4], is_any[2], is_any[4]};
    *out = c;
    return 0;
}

void cron_free(struct cron *c)
{
    free(c);
}

/* --- the next time -------------------------------------------------------------------------------------------- */

static bool is_day(const struct cron *c, unsigned day, unsigned weekday)
{
    bool fits = c->days >> day & 1, fits_week = c->weekdays >> weekday & 1;
    return c->any_day || c->any_weekday ? fits && fits_week : fits || fits_week;
}

/* The first minute of a day from `from` (0..1439) on; -1: none. */
static int minute_of_day(const struct cron *c, unsigned from)
{
    for (unsigned m = from; m < 1440; m++) {
        if (!(c->hours >> (m / 60) & 1)) {
            m += 59 - m % 60;
            continue;
        }
        if (c->minutes >> (m % 60) & 1) return (int)m;
    }
    return -1;
}

struct date {
    int64_t year;
    unsigned month, day;
};

/* Of days since 1970, proleptic Gregorian: Howard Hinnant's civil_from_days. */
static struct date date_of(int64_t days)
{
    int64_t z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097;
    unsigned doe = (unsigned)(z - era * 146097), yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
    unsigned month = mp < 10 ? mp + 3 : mp - 9;
    return (struct date){(int64_t)yoe + era * 400 + (month <= 2), month, doy - (153 * mp + 2) / 5 + 1};
}

int64_t cron_next(const struct cron *c, int64_t after_ms)
{
    int64_t first = after_ms / MINUTE_MS + 1; /* strictly later */
    int64_t day = first / 1440;
    unsigned from = (unsigned)(first % 1440);
    struct date d = date_of(day);
    for (int64_t last = d.year + YEARS_AHEAD; d.year <= last;) {
        unsigned n_days = when_month_days(d.year, d.month);
        for (; (c->months >> d.month & 1) && d.day <= n_days; d.day++, day++, from = 0) {
            int m = is_day(c, d.day, (unsigned)((day + 4) % 7)) ? minute_of_day(c, from) : -1;
            if (m >= 0) return day * WHEN_DAY_MS + m * MINUTE_MS;
        }
        day += (int64_t)n_days + 1 - d.day;
        from = 0;
        d = (struct date){d.month == 12 ? d.year + 1 : d.year, d.month == 12 ? 1 : d.month + 1, 1};
    }
    return 0;
}
