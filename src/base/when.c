#include "base/when.h"

#include <limits.h>

static int64_t clock_ms(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t when_now_ms(void)
{
    return clock_ms(CLOCK_REALTIME);
}
int64_t when_monotonic_ms(void)
{
    return clock_ms(CLOCK_MONOTONIC);
}

int when_left_ms(int64_t deadline_ms)
{
    int64_t left = deadline_ms - when_monotonic_ms();
    if (left < 0) return 0;
    return left > INT_MAX ? INT_MAX : (int)left;
}

/* Days since 1970-01-01 of a proleptic Gregorian date; H. Hinnant's "days_from_civil". */
static int64_t days_from_civil(int64_t y, unsigned m, unsigned d)
{
    y -= m <= 2;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    unsigned yoe = (unsigned)(y - era * 400);
    unsigned doy = (153 * (m > 2 ? m - 3 : m + 9) + 2) / 5 + d - 1;
    unsigned doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return era * 146097 + (int64_t)doe - 719468;
}

static void civil_from_days(int64_t z, int64_t *y, unsigned *m, unsigned *d)
{
    z += 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    unsigned doe = (unsigned)(z - era * 146097);
    unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    unsigned mp = (5 * doy + 2) / 153;
    *d = doy - (153 * mp + 2) / 5 + 1;
    *m = mp < 10 ? mp + 3 : mp - 9;
    *y = (int64_t)yoe + era * 400 + (*m <= 2);
}

int64_t when_from_civil(int64_t year, unsigned month, unsigned day, unsigned hour, unsigned min, unsigned sec)
{
    return (days_from_civil(year, month, day) * 86400 + hour * 3600 + min * 60 + sec) * 1000;
}

/* n digits, without snprintf: every event carries a handful of times. */
static void put(char *to, unsigned n, unsigned v)
{
    while (n--) {
        to[n] = (char)('0' + v % 10);
        v /= 10;
    }
}

char *when_format(char out[WHEN_TEXT], int64_t ms)
{
    int64_t days = ms / WHEN_DAY_MS, rest = ms % WHEN_DAY_MS;
    if (rest < 0) rest += WHEN_DAY_MS, days--;
    int64_t y;
    unsigned m, d;
    civil_from_days(days, &y, &m, &d);
    out[0] = 0;
    if (y < 1 || y > 9999) return out;
    unsigned s = (unsigned)(rest / 1000), f = (unsigned)(rest % 1000);
    memcpy(out, "0000-00-00T00:00:00Z", 21);
    put(out, 4, (unsigned)y);
    put(out + 5, 2, m);
    put(out + 8, 2, d);
    put(out + 11, 2, s / 3600);
    put(out + 14, 2, s / 60 % 60);
    put(out + 17, 2, s % 60);
    if (!f) return out;
    memcpy(out + 19, ".000Z", 6);
    put(out + 20, 3, f);
    return out;
}

static bool digits(struct str *s, unsigned n, unsigned *out)
{
    *out = 0;
    if (s->len < n) return false;
    for (unsigned i = 0; i < n; i++) {
        char c = s->ptr[i];
        if (c < '0' || c > '9') return false;
        *out = *out * 10 + (unsigned)(c - '0');
    }
    s->ptr += n;
    s->len -= n;
    return true;
}

static bool one(struct str *s, const char *set)
{
    if (!s->len || !s->ptr[0] || !strchr(set, s->ptr[0])) return false;
    s->ptr++;
    s->len--;
    return true;
}

static bool offset(struct str *s, int64_t *ms)
{
    *ms = 0;
    if (one(s, "Zz")) return true;
    bool minus = s->len && s->ptr[0] == '-';
    unsigned h, m;
    if (!one(s, "+-") || !digits(s, 2, &h) || !one(s, ":") || !digits(s, 2, &m) || h > 23 || m > 59) return false;
    *ms = (minus ? 1 : -1) * (int64_t)(h * 60 + m) * 60000;
    return true;
}

unsigned when_month_days(int64_t year, unsigned month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (unsigned)(leap && month == 2);
}

/* Milliseconds of ".123456": further digits are cut off; a point needs one digit at least. */
static bool fraction(struct str *s, unsigned *ms)
{
    *ms = 0;
    if (!one(s, ".")) return true;
    unsigned v, scale = 100;
    if (!digits(s, 1, &v)) return false;
    do {
        *ms += v * scale;
        scale /= 10;
    } while (digits(s, 1, &v));
    return true;
}

bool when_parse(int64_t *out_ms, struct str s)
{
    unsigned y, mo, d, h, mi, se, frac;
    int64_t off;
    if (!digits(&s, 4, &y) || !one(&s, "-") || !digits(&s, 2, &mo) || !one(&s, "-") || !digits(&s, 2, &d) ||
        !one(&s, "Tt ") || !digits(&s, 2, &h) || !one(&s, ":") || !digits(&s, 2, &mi) || !one(&s, ":") ||
        !digits(&s, 2, &se) || !fraction(&s, &frac) || !offset(&s, &off) || s.len)
        return false;
    if (mo < 1 || mo > 12 || d < 1 || d > when_month_days(y, mo) || h > 23 || mi > 59 || se > 60) return false;
    *out_ms = when_from_civil(y, mo, d, h, mi, se) + frac + off;
    return true;
}

int64_t when_unit_ms(char unit)
{
    switch (unit) {
    case 's': return 1000;
    case 'm': return 60000;
    case 'h': return 3600000;
    case 'd': return WHEN_DAY_MS;
    case 'w': return 604800000;
    default: return 0;
    }
}

struct timespec when_monotonic_in(int64_t ms)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    int64_t ns = t.tv_nsec + ms % 1000 * 1000000;
    return (struct timespec){t.tv_sec + ms / 1000 + ns / 1000000000, ns % 1000000000};
}

int64_t when_back_off_ms(unsigned n, int64_t first_ms, int64_t most_ms)
{
    int64_t ms = first_ms;
    for (unsigned i = 1; i < n && ms < most_ms; i++) ms *= 2;
    return ms < most_ms ? ms : most_ms;
}
