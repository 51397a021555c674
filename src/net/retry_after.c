#include "net/retry_after.h"

#include "base/when.h"

#include <time.h>

/* --- a small scanner over text: each step eats what it names or leaves false behind ------------------- */

static bool eat(struct str *s, const char *literal)
{
    struct str l = str_from(literal);
    if (!str_starts(*s, l)) return false;
    *s = (struct str){s->ptr + l.len, s->len - l.len};
    return true;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Exactly n digits. */
static bool eat_number(struct str *s, size_t n, unsigned *out)
{
    if (s->len < n) return false;
    *out = 0;
    for (size_t i = 0; i < n; i++) {
        if (!is_digit(s->ptr[i])) return false;
        *out = *out * 10 + (unsigned)(s->ptr[i] - '0');
    }
    *s = (struct str){s->ptr + n, s->len - n};
    return true;
}

/* One of the names; its position. RFC 9110 5.6.7: dates are case-sensitive. */
static bool eat_name(struct str *s, const char *const *names, size_t n, unsigned *out)
{
    for (unsigned i = 0; i < n; i++) {
        if (!eat(s, names[i])) continue;
        *out = i;
        return true;
    }
    return false;
}

/* --- seconds ------------------------------------------------------------------------------------------ */

/* Up to milliseconds; anything behind them rounds up, so that nobody comes back too early. */
static int64_t fraction_ms(struct str digits)
{
    int64_t ms = 0, scale = 100;
    bool rest = false;
    for (size_t i = 0; i < digits.len; i++, scale /= 10) {
        int64_t v = digits.ptr[i] - '0';
        ms += v * scale;
        if (!scale && v) rest = true;
    }
    return ms + rest;
}

static struct str eat_digits(struct str *s)
{
    struct str d = {s->ptr, 0};
    while (d.len < s->len && is_digit(s->ptr[d.len])) d.len++;
    *s = (struct str){s->ptr + d.len, s->len - d.len};
    return d;
}

static bool seconds_parse(int64_t *wait_ms, struct str s)
{
    struct str whole = eat_digits(&s), fraction = {NULL, 0};
    if (!whole.len) return false;
    if (eat(&s, ".")) {
        fraction = eat_digits(&s);
        if (!fraction.len) return false;
    }
    if (s.len) return false;
    int64_t ms = 0;
    for (size_t i = 0; i < whole.len && ms <= RETRY_AFTER_MAX_MS; i++)
        ms = ms * 10 + (whole.ptr[i] - '0') * 1000;
    ms += fraction_ms(fraction);
    *wait_ms = ms > RETRY_AFTER_MAX_MS ? RETRY_AFTER_MAX_MS : ms;
    return true;
}

/* --- dates -------------------------------------------------------------------------------------------- */

struct date {
    unsigned year, month, day, hour, minute, second; /* month 0..11 */
};

static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
static const char *const short_days[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
static const char *const long_days[] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                        "Friday", "Saturday", "Sunday"};

#define EAT_NAME(s, names, out) eat_name((s), (names), n_elements(names), (out))

static bool eat_time(struct str *s, struct date *d)
{
    return eat_number(s, 2, &d->hour) && eat(s, ":") && eat_number(s, 2, &d->minute) && eat(s, ":") &&
           eat_number(s, 2, &d->second);
}

/* Sun, 06 Nov 1994 08:49:37 GMT */
static bool imf_fixdate(struct date *d, struct str s)
{
    unsigned weekday;
    return EAT_NAME(&s, short_days, &weekday) && eat(&s, ", ") && eat_number(&s, 2, &d->day) &&
           eat(&s, " ") && EAT_NAME(&s, months, &d->month) && eat(&s, " ") && eat_number(&s, 4, &d->year) &&
           eat(&s, " ") && eat_time(&s, d) && eat(&s, " GMT") && !s.len;
}

/* RFC 9110 5.6.7: never more than 50 years ahead; so the latest year with these digits that is not. */
static unsigned full_year(unsigned two_digits, int64_t now_ms)
{
    time_t seconds = (time_t)(now_ms / 1000);
    struct tm now;
    if (!gmtime_r(&seconds, &now)) return 1900 + two_digits;
    unsigned latest = (unsigned)now.tm_year + 1900 + 50;
    return latest - (latest % 100 + 100 - two_digits) % 100;
}

/* Sunday, 06-Nov-94 08:49:37 GMT */
static bool rfc850_date(struct date *d, struct str s, int64_t now_ms)
{
    unsigned weekday;
    if (!(EAT_NAME(&s, long_days, &weekday) && eat(&s, ", ") && eat_number(&s, 2, &d->day) && eat(&s, "-") &&
          EAT_NAME(&s, months, &d->month) && eat(&s, "-") && eat_number(&s, 2, &d->year) && eat(&s, " ") &&
          eat_time(&s, d) && eat(&s, " GMT") && !s.len))
        return false;
    d->year = full_year(d->year, now_ms);
    return true;
}

/* Sun Nov  6 08:49:37 1994: the day is two digits, or a space and one. */
static bool asctime_date(struct date *d, struct str s)
{
    unsigned weekday;
    return EAT_NAME(&s, short_days, &weekday) && eat(&s, " ") && EAT_NAME(&s, months, &d->month) &&
           eat(&s, " ") && (eat(&s, " ") ? eat_number(&s, 1, &d->day) : eat_number(&s, 2, &d->day)) &&
           eat(&s, " ") && eat_time(&s, d) && eat(&s, " ") && eat_number(&s, 4, &d->year) && !s.len;
}

static bool date_exists(const struct date *d)
{
    static const unsigned days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (d->year % 4 == 0 && d->year % 100 != 0) || d->year % 400 == 0;
    unsigned last = days[d->month] + (leap && d->month == 1);
    return d->day >= 1 && d->day <= last && d->hour <= 23 && d->minute <= 59 && d->second <= 60;
}

static bool date_parse(int64_t *wait_ms, struct str s, int64_t now_ms)
{
    struct date d;
    if (!imf_fixdate(&d, s) && !rfc850_date(&d, s, now_ms) && !asctime_date(&d, s)) return false;
    if (!date_exists(&d)) return false;
    int64_t wait = when_from_civil(d.year, d.month + 1, d.day, d.hour, d.minute, d.second) - now_ms;
    *wait_ms = wait < 0 ? 0 : wait > RETRY_AFTER_MAX_MS ? RETRY_AFTER_MAX_MS : wait;
    return true;
}

bool retry_after_parse(int64_t *wait_ms, struct str value, int64_t now_ms)
{
    struct str s = str_trim(value);
    return seconds_parse(wait_ms, s) || date_parse(wait_ms, s, now_ms);
}
