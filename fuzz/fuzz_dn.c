/* fuzz_dn.c - distinguished names: syntax, splitting, escapes, comparison form. */
#include "fuzz.h"
#include "model/dn.h"

/* Out of a DN and into one again, a value stays what it is. */
static void check_value(struct str raw)
{
    struct buf plain = buf_new(1 << 20), escaped = buf_new(1 << 22), back = buf_new(1 << 20);
    dn_unescape(&plain, raw);
    HOLDS(!plain.failed && plain.len <= raw.len);
    if (raw.len && raw.ptr[0] != '#' && str_is_utf8(buf_str(&plain))) {
        dn_escape(&escaped, buf_str(&plain));
        dn_unescape(&back, buf_str(&escaped));
        HOLDS(str_equal(buf_str(&back), buf_str(&plain)));
    }
    buf_free(&plain);
    buf_free(&escaped);
    buf_free(&back);
}

/* Splits to the end; true if there was nothing malformed on the way. */
static bool walk(struct str dn)
{
    struct bytes whole = bytes_of(dn);
    struct str attribute, value, rest;
    while (dn_split(dn, &attribute, &value, &rest)) {
        HOLDS(attribute.len && is_inside(whole, bytes_of(attribute)) && is_inside(whole, bytes_of(value)));
        HOLDS(is_inside(whole, bytes_of(rest)) && rest.len < dn.len);
        HOLDS(str_equal(dn_parent(dn), rest));
        check_value(value);
        dn = rest;
        if (!dn.len) return true;
    }
    HOLDS(rest.len == 0);
    return false;
}

static void check_form(struct str dn, bool ok)
{
    struct buf once = buf_new(1 << 22), twice = buf_new(1 << 22), parent = buf_new(1 << 22);
    struct err e;
    dn_normalize(&once, dn);
    dn_normalize(&twice, buf_str(&once));
    HOLDS(!once.failed && str_equal(buf_str(&once), buf_str(&twice)));
    HOLDS(dn_is_under(buf_str(&once), buf_str(&once)));
    if (ok) {
        HOLDS(dn_check(buf_str(&once), &e) == 0);
        dn_normalize(&parent, dn_parent(dn));
        HOLDS(dn_is_under(buf_str(&once), buf_str(&parent)));
    }
    buf_free(&once);
    buf_free(&twice);
    buf_free(&parent);
}

static void check_dns(struct str text)
{
    struct buf dn = buf_new(1 << 22), back = buf_new(1 << 22);
    struct err e;
    dn_to_dns(&back, text);
    HOLDS(back.len <= text.len);
    dn_from_dns(&dn, text);
    if (dn.len && str_is_utf8(text)) HOLDS(dn_check(buf_str(&dn), &e) == 0);
    buf_free(&dn);
    buf_free(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 100000) return 0;
    struct str dn = {(const char *)data, size};
    struct err e;
    bool ok = dn_check(dn, &e) == 0;
    HOLDS(ok || (e.class == ERR_INPUT && e.message[0]));
    bool walked = walk(dn);
    HOLDS(!ok || walked);
    HOLDS(ok || !walked || !str_is_utf8(dn));
    check_form(dn, ok);
    check_dns(dn);
    check_value(dn);
    return 0;
}
