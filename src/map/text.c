#include "map/text.h"

#include "base/jsonw.h"

#include <utf8proc.h>

/* Two digits a division. */
size_t text_decimal(uint8_t *to, int64_t v)
{
    static const char pairs[] =
        "0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849"
        "505152535455565758596061626364656667686970717273747576777879808182838485868788899091929394959697989"
        "9";
    uint8_t digits[TEXT_DECIMAL];
    size_t at = sizeof digits, sign = v < 0;
    uint64_t u = sign ? 0 - (uint64_t)v : (uint64_t)v;
    for (; u >= 100; u /= 100) memcpy(digits + (at -= 2), pairs + u % 100 * 2, 2);
    if (u >= 10)
        memcpy(digits + (at -= 2), pairs + u * 2, 2);
    else
        digits[--at] = (uint8_t)('0' + u);
    if (sign) *to++ = '-';
    memcpy(to, digits + at, sizeof digits - at);
    return sign + sizeof digits - at;
}

static char *put_digits(char *to, unsigned v, unsigned n)
{
    for (unsigned i = n; i--; v /= 10) to[i] = (char)('0' + v % 10);
    return to + n;
}

/* Civil date of a day since 1970-01-01, proleptic Gregorian; H. Hinnant's "civil_from_days". */
static int64_t civil_from_days(int64_t days, unsigned *month, unsigned *day)
{
    int64_t z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    unsigned doe = (unsigned)(z - era * 146097);
    unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    unsigned mp = (5 * doy + 2) / 153;
    *day = doy - (153 * mp + 2) / 5 + 1;
    *month = mp < 10 ? mp + 3 : mp - 9;
    return (int64_t)yoe + era * 400 + (*month <= 2);
}

size_t text_time(char to[WHEN_TEXT], int64_t ms)
{
    int64_t days = ms / WHEN_DAY_MS, rest = ms % WHEN_DAY_MS;
    if (rest < 0) rest += WHEN_DAY_MS, days--;
    unsigned month, day, s = (unsigned)(rest / 1000), fraction = (unsigned)(rest % 1000);
    int64_t year = civil_from_days(days, &month, &day);
    if (year < 1 || year > 9999) return 0;
    char *p = put_digits(to, (unsigned)year, 4);
    *p++ = '-', p = put_digits(p, month, 2);
    *p++ = '-', p = put_digits(p, day, 2);
    *p++ = 'T', p = put_digits(p, s / 3600, 2);
    *p++ = ':', p = put_digits(p, s / 60 % 60, 2);
    *p++ = ':', p = put_digits(p, s % 60, 2);
    if (fraction) *p++ = '.', p = put_digits(p, fraction, 3);
    *p++ = 'Z';
    return (size_t)(p - to);
}

/* 1: jsonw_escape has something to do or to look at: controls, C1 (C2 80..9F), U+2028/9 (E2 80 A8/9). */
static const uint8_t stops[256] = {
    [0 ... 0x1f] = 1, ['"'] = 1, ['\\'] = 1, [0x7f] = 1, [0xc2] = 1, [0xe2] = 1,
};

/* Eight bytes at once: no control, quote, backslash, DEL or byte from 0x80. */
static bool is_plain_ascii(uint64_t w)
{
    const uint64_t ones = 0x0101010101010101u, high = 0x8080808080808080u;
    uint64_t quote = w ^ ones * '"', slash = w ^ ones * '\\', del = w ^ ones * 0x7f;
    uint64_t bad = w | (w - ones * 0x20) | (quote - ones) | (slash - ones) | (del - ones);
    return !(bad & high);
}

void text_json(struct buf *out, struct str s)
{
    uint8_t *to = text_room(out, s.len + 2);
    if (!to) return;
    size_t n = 0;
    to[0] = '"';
    for (uint64_t w; s.len - n >= 8 && (memcpy(&w, s.ptr + n, 8), is_plain_ascii(w)); n += 8) memcpy(to + 1 + n, &w, 8);
    for (; n < s.len && !stops[(uint8_t)s.ptr[n]]; n++) to[n + 1] = (uint8_t)s.ptr[n];
    if (n == s.len) {
        to[n + 1] = '"';
        buf_advance(out, n + 2);
        return;
    }
    buf_advance(out, n + 1);
    jsonw_escape(out, (struct str){s.ptr + n, s.len - n});
    buf_add_byte(out, '"');
}

struct str text_cut(struct str s, size_t max)
{
    if (s.len <= max) return s;
    while (max && ((uint8_t)s.ptr[max] & 0xc0) == 0x80) max--;
    return (struct str){s.ptr, max};
}

struct str text_lower(char *to, size_t size, struct str s)
{
    size_t at = 0, len = 0;
    while (at < s.len) {
        utf8proc_int32_t c;
        utf8proc_ssize_t n =
            utf8proc_iterate((const utf8proc_uint8_t *)s.ptr + at, (utf8proc_ssize_t)(s.len - at), &c);
        if (n <= 0 || size - len < 4) return STR("");
        len += (size_t)utf8proc_encode_char(utf8proc_tolower(c), (utf8proc_uint8_t *)to + len);
        at += (size_t)n;
    }
    return (struct str){to, len};
}

enum { LOCAL_1_1 = 1, LOCAL = 2, DOMAIN = 4 };
static const uint8_t letters[256] = {
    ['a' ... 'z'] = LOCAL_1_1 | LOCAL | DOMAIN,
    ['A' ... 'Z'] = LOCAL_1_1 | LOCAL | DOMAIN,
    ['0' ... '9'] = LOCAL_1_1 | LOCAL | DOMAIN,
    ['-'] = LOCAL_1_1 | LOCAL | DOMAIN,
    ['_'] = LOCAL_1_1 | LOCAL,
    ['.'] = LOCAL_1_1 | LOCAL,
    ['+'] = LOCAL_1_1 | LOCAL,
    ['!'] = LOCAL,
    ['#'] = LOCAL,
    ['$'] = LOCAL,
    ['%'] = LOCAL,
    ['&'] = LOCAL,
    ['\''] = LOCAL,
    ['*'] = LOCAL,
    ['/'] = LOCAL,
    ['='] = LOCAL,
    ['?'] = LOCAL,
    ['^'] = LOCAL,
    ['`'] = LOCAL,
    ['{'] = LOCAL,
    ['|'] = LOCAL,
    ['}'] = LOCAL,
    ['~'] = LOCAL,
};

static size_t span(struct str s, size_t at, uint8_t class)
{
    while (at < s.len && letters[(uint8_t)s.ptr[at]] & class) at++;
    return at;
}

bool text_is_email(struct str s, bool as_in_1_1)
{
    size_t at = span(s, 0, as_in_1_1 ? LOCAL_1_1 : LOCAL);
    if (!at || at == s.len || s.ptr[at] != '@') return false;
    size_t dot = span(s, at + 1, DOMAIN);
    if (dot == at + 1 || dot + 1 >= s.len || s.ptr[dot] != '.') return false;
    for (size_t i = dot + 1; i < s.len; i++)
        if (s.ptr[i] != '.' && !(letters[(uint8_t)s.ptr[i]] & DOMAIN)) return false;
    return true;
}

bool text_is_hostname(struct str s)
{
    bool inside = false; /* a label that may end here */
    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = (uint8_t)s.ptr[i];
        if (c == '.' ? !inside : c == '-' ? !i || s.ptr[i - 1] == '.' : !(letters[c] & DOMAIN)) return false;
        inside = c != '.' && c != '-';
    }
    return inside;
}

bool text_is_placeholder(struct str s)
{
    static const char *const words[] = {"-",    "na",     "n/a",     "nil",      "none",
                                        "null", "(null)", "unknown", "undefined"};
    static const uint8_t first[256] = {['-'] = 1, [' '] = 1, ['n'] = 1,  ['N'] = 1,  ['u'] = 1,
                                       ['U'] = 1, ['('] = 1, ['\t'] = 1, ['\r'] = 1, ['\n'] = 1};
    if (s.len > 16 || (s.len && !first[(uint8_t)s.ptr[0]])) return false; /* nearly every value ends here */
    s = str_trim(s);
    if (!s.len) return true;
    for (size_t i = 0; i < n_elements(words); i++)
        if (str_equal_nocase(s, str_from(words[i]))) return true;
    return false;
}
