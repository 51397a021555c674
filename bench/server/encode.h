/* encode.h - the encoder of the replay server: BER as Active Directory writes it, and numbers that belong to an object.
 *
 * Speed comes from three habits: the header of an attribute is copied as one block with its lengths patched
 * afterwards (four-byte lengths, as AD writes them), the buffer has slack so that this copy has a fixed size,
 * and digits are written two at a time.
 */
#ifndef BENCH_ENCODE_H
#define BENCH_ENCODE_H

#include "content.h"

#include <string.h>

/* clang-format off */
#define ATTRIBUTES(X, Y)                                                                                     \
    X(objectClass) X(cn) X(sn) X(givenName) X(displayName) X(distinguishedName) X(name) X(sAMAccountName)    \
    X(userPrincipalName) X(mail) X(proxyAddresses) X(objectGUID) X(objectSid) X(userAccountControl)          \
    X(whenCreated) X(whenChanged) X(uSNChanged) X(uSNCreated) X(lastLogon) X(lastLogonTimestamp)             \
    X(pwdLastSet) X(accountExpires) X(logonCount) X(badPwdCount) X(badPasswordTime) X(primaryGroupID)        \
    X(sAMAccountType) X(department) X(title) X(company) X(physicalDeliveryOfficeName) X(telephoneNumber)     \
    X(l) X(st) X(postalCode) X(c) X(countryCode) X(streetAddress) X(description) X(manager) X(memberOf)      \
    X(employeeID) X(nTSecurityDescriptor) X(objectCategory) X(groupType) X(member) X(dNSHostName)            \
    X(operatingSystem) X(servicePrincipalName) X(ou)                                                         \
    Y(passwordExpiry, "msDS-UserPasswordExpiryTimeComputed") Y(uacComputed, "msDS-User-Account-Control-Computed")
/* clang-format on */

enum attr {
#define X(id)       A_##id,
#define Y(id, text) A_##id,
    ATTRIBUTES(X, Y) N_ATTRS
#undef X
#undef Y
};
_Static_assert(N_ATTRS <= 64, "one bit for each attribute");


enum {
    HEAD_SIZE = 64, /* bytes of a copied attribute header */
    SLACK = 128,    /* bytes that may be written past the end of an entry */
};

struct blob {
    uint8_t *bytes;
    size_t len;
};

/* An attribute's bytes up to the first value: SEQUENCE, type, SET, lengths zero. */
struct head {
    uint8_t bytes[HEAD_SIZE];
    size_t len, set_at;
};

extern const char *const attr_name[N_ATTRS];
extern struct head heads[N_ATTRS];
extern struct content_options opt;
void build_heads(void);

/* --- numbers --- */

static inline uint64_t mix(uint64_t x)
{
    x += 0x9E3779B97F4A7C15ULL;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
    return x ^ (x >> 31);
}

/* A random number that belongs to one object; `salt` tells its uses apart. */
static inline uint64_t draw(enum kind kind, uint32_t i, unsigned salt)
{
    return mix(mix(opt.seed ^ ((uint64_t)kind << 56) ^ ((uint64_t)salt << 40)) ^ i);
}

static inline uint32_t scale(uint64_t random, uint32_t n)
{
    return (uint32_t)(((random >> 32) * n) >> 32);
}

/* --- BER --- */

static inline void patch_length(uint8_t *at, size_t n)
{
    at[0] = 0x84;
    at[1] = (uint8_t)(n >> 24);
    at[2] = (uint8_t)(n >> 16);
    at[3] = (uint8_t)(n >> 8);
    at[4] = (uint8_t)n;
}

static inline uint8_t *put_length(uint8_t *p, size_t n)
{
    if (n < 0x80) {
        *p++ = (uint8_t)n;
    } else if (n < 0x100) {
        *p++ = 0x81;
        *p++ = (uint8_t)n;
    } else {
        *p++ = 0x82;
        *p++ = (uint8_t)(n >> 8);
        *p++ = (uint8_t)n;
    }
    return p;
}

static inline uint8_t *put_str(uint8_t *p, const char *s)
{
    size_t n = strlen(s);
    memcpy(p, s, n);
    return p + n;
}
#define PUT_LIT(p, literal) (memcpy((p), literal, sizeof literal - 1), (p) + sizeof literal - 1)

static const char digit_pairs[] =
    "0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849"
    "5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899";

/* Exactly `width` digits, an even number, leading zeros. */
static inline uint8_t *put_digits(uint8_t *p, uint64_t n, int width)
{
    for (int at = width - 2; at >= 0; at -= 2) {
        memcpy(p + at, digit_pairs + n % 100 * 2, 2);
        n /= 100;
    }
    return p + width;
}

static inline uint8_t *put_decimal(uint8_t *p, uint64_t n)
{
    uint8_t tmp[20], *end = put_digits(tmp, n, 20), *at = tmp;
    while (at < end - 1 && *at == '0') at++;
    memcpy(p, at, (size_t)(end - at));
    return p + (end - at);
}

static inline uint8_t *attr_open(uint8_t *p, enum attr a)
{
    memcpy(p, heads[a].bytes, HEAD_SIZE);
    return p + heads[a].len;
}

/* `start` is where attr_open began, `end` is behind the last value. */
static inline uint8_t *attr_close(uint8_t *start, enum attr a, uint8_t *end)
{
    size_t set_at = heads[a].set_at;
    patch_length(start + 1, (size_t)(end - start) - 6);
    patch_length(start + set_at + 1, (size_t)(end - start) - set_at - 6);
    return end;
}

/* Opens a value of fewer than 128 bytes. */
static inline uint8_t *value_open(uint8_t *p)
{
    p[0] = 0x04;
    return p + 2;
}

static inline uint8_t *value_close(uint8_t *contents, uint8_t *end)
{
    contents[-1] = (uint8_t)(end - contents);
    return end;
}

static inline uint8_t *put_value(uint8_t *p, const void *value, size_t n)
{
    *p++ = 0x04;
    p = put_length(p, n);
    memcpy(p, value, n);
    return p + n;
}

static inline uint8_t *put_attr(uint8_t *p, enum attr a, const void *value, size_t n)
{
    return attr_close(p, a, put_value(attr_open(p, a), value, n));
}

static inline uint8_t *put_attr_number(uint8_t *p, enum attr a, uint64_t n)
{
    uint8_t *v = value_open(attr_open(p, a));
    return attr_close(p, a, value_close(v, put_decimal(v, n)));
}

/* An 18-digit FILETIME of the years 2018 to 2024. */
static inline uint8_t *put_attr_filetime(uint8_t *p, enum attr a, uint64_t random)
{
    uint8_t *v = value_open(attr_open(p, a));
    uint64_t when = 131592384000000000ULL + (random % 220000000ULL) * 10000000ULL;
    return attr_close(p, a, value_close(v, put_digits(v, when, 18)));
}

static inline uint8_t *put_attr_time(uint8_t *p, enum attr a, uint64_t random)
{
    uint8_t *v = value_open(attr_open(p, a)), *at = v;
    at = put_digits(at, 20, 2);
    at = put_digits(at, 10 + random % 14, 2);
    at = put_digits(at, 1 + (random >> 8) % 12, 2);
    at = put_digits(at, 1 + (random >> 16) % 28, 2);
    at = put_digits(at, (random >> 24) % 24, 2);
    at = put_digits(at, (random >> 32) % 60, 2);
    at = put_digits(at, (random >> 40) % 60, 2);
    at = PUT_LIT(at, ".0Z");
    return attr_close(p, a, value_close(v, at));
}

#define WANT(id)                 ((mask >> A_##id) & 1)
#define ATTR_LIT(p, id, literal) put_attr((p), A_##id, literal, sizeof literal - 1)
/* An attribute with one short value: `steps` move `at` forward. */
#define ATTR_MADE(p, id, steps)                                                                              \
    do {                                                                                                     \
        uint8_t *v_ = value_open(attr_open((p), A_##id)), *at = v_;                                          \
        steps;                                                                                               \
        (p) = attr_close((p), A_##id, value_close(v_, at));                                                  \
    } while (0)

static inline void put_le32(uint8_t *p, uint32_t n)
{
    for (int i = 0; i < 4; i++) p[i] = (uint8_t)(n >> (8 * i));
}

/* S-1-5-21-...-rid, 28 bytes. */
static inline void put_sid(uint8_t p[28], uint32_t rid)
{
    static const uint8_t domain[24] = {1,    5,    0,    0,    0,    0,    0,    5,
                                       21,   0,    0,    0,    0xDC, 0xF4, 0xDC, 0x3B,
                                       0x83, 0x3D, 0x2B, 0x46, 0x82, 0x8B, 0xA6, 0x28};
    memcpy(p, domain, sizeof domain);
    put_le32(p + 24, rid);
}

#endif
