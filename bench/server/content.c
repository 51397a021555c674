/* content.c - made-up users, groups and computers, encoded in BER as Active Directory encodes them.
 *
 * Speed comes from three habits: the header of an attribute is copied as one block with its lengths patched
 * afterwards (four-byte lengths, as AD writes them), the buffer has slack so that this copy has a fixed size,
 * and digits are written two at a time.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "content.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

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

static const char *const attr_name[N_ATTRS] = {
#define X(id)       [A_##id] = #id,
#define Y(id, text) [A_##id] = text,
    ATTRIBUTES(X, Y)
#undef X
#undef Y
};

/* Computed by a DC only when they are asked by name. */
static const uint64_t CONSTRUCTED = (1ULL << A_passwordExpiry) | (1ULL << A_uacComputed);

enum {
    N_DESCRIPTORS = 60,
    N_DEPARTMENTS = 40,
    N_FIXED_OUS = 5,
    FIRST_USN = 10000,
    RID_USERS = 1200,
    RID_GROUPS = 20000000,
    RID_COMPUTERS = 30000000,
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

static struct content_options opt;
static struct head heads[N_ATTRS];
static struct blob descriptors[N_DESCRIPTORS];
static uint32_t *user_first, *user_groups;        /* CSR: the groups of each user */
static uint32_t *group_first, *group_users;       /* CSR: the users of each group */
static uint32_t *parent, *child_first, *children; /* nested groups; parent 0 is none */

static const char *const first_names[32] = {
    "Alice",   "Bruno",         "Chloe",        "Dimitri",     "Elodie", "Fatima", "G\303\274nter", "Hana",
    "Ivan",    "J\303\274rgen", "Kenji",        "Lena",        "Marta",  "Nils",   "Olga",          "Pavel",
    "Quentin", "Rania",         "S\303\270ren", "Th\303\251o", "Ursula", "Victor", "Wanda",         "Xavier",
    "Yasmin",  "Zo\303\253",    "Amir",         "Beatriz",     "Carlos", "Deepak", "Emma",          "Farid"};
static const char *const last_names[32] = {
    "Martin",        "Dupont",    "O'Neil",       "M\303\274ller", "Garc\303\255a",
    "Rossi",         "Ivanov",    "Nguyen",       "Smith",         "\303\230sterg\303\245rd",
    "Kov\303\241cs", "Silva",     "Haddad",       "Yilmaz",        "Tanaka",
    "Wagner",        "Johnson",   "Andersen",     "Kowalski",      "Popescu",
    "Fernandes",     "Lindqvist", "van der Berg", "De Smet",       "Moreau",
    "Lefebvre",      "Schneider", "Bianchi",      "Horvath",       "Novak",
    "Jensen",        "Petrov"};
static const char *const cities[8][4] = {{"Paris", "\303\216le-de-France", "FR", "250"},
                                         {"Lyon", "Rh\303\264ne", "FR", "250"},
                                         {"Hamburg", "Hamburg", "DE", "276"},
                                         {"Madrid", "Madrid", "ES", "724"},
                                         {"Boston", "Massachusetts", "US", "840"},
                                         {"Milano", "Lombardia", "IT", "380"},
                                         {"Gda\305\204sk", "Pomorskie", "PL", "616"},
                                         {"Osaka", "Osaka", "JP", "392"}};
static const char *const topics[8] = {"Finance", "Payroll",  "Sales", "Research",
                                      "Support", "Logistic", "Legal", "Quality"};
static const char *const levels[4] = {"ReadOnly", "ReadWrit", "FullCtrl", "Auditing"};
static const char *const titles[8] = {
    "Software Engineer", "Accountant",           "Project Manager", "Nurse Practitioner",
    "Analyst",           "Sales Representative", "Technician",      "Director of Operations"};

/* --- numbers --- */

static uint64_t mix(uint64_t x)
{
    x += 0x9E3779B97F4A7C15ULL;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
    return x ^ (x >> 31);
}

/* A random number that belongs to one object; `salt` tells its uses apart. */
static uint64_t draw(enum kind kind, uint32_t i, unsigned salt)
{
    return mix(mix(opt.seed ^ ((uint64_t)kind << 56) ^ ((uint64_t)salt << 40)) ^ i);
}

static uint32_t scale(uint64_t random, uint32_t n)
{
    return (uint32_t)(((random >> 32) * n) >> 32);
}

/* --- BER --- */

static void patch_length(uint8_t *at, size_t n)
{
    at[0] = 0x84;
    at[1] = (uint8_t)(n >> 24);
    at[2] = (uint8_t)(n >> 16);
    at[3] = (uint8_t)(n >> 8);
    at[4] = (uint8_t)n;
}

static uint8_t *put_length(uint8_t *p, size_t n)
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

static uint8_t *put_str(uint8_t *p, const char *s)
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
static uint8_t *put_digits(uint8_t *p, uint64_t n, int width)
{
    for (int at = width - 2; at >= 0; at -= 2) {
        memcpy(p + at, digit_pairs + n % 100 * 2, 2);
        n /= 100;
    }
    return p + width;
}

static uint8_t *put_decimal(uint8_t *p, uint64_t n)
{
    uint8_t tmp[20], *end = put_digits(tmp, n, 20), *at = tmp;
    while (at < end - 1 && *at == '0') at++;
    memcpy(p, at, (size_t)(end - at));
    return p + (end - at);
}

static uint8_t *attr_open(uint8_t *p, enum attr a)
{
    memcpy(p, heads[a].bytes, HEAD_SIZE);
    return p + heads[a].len;
}

/* `start` is where attr_open began, `end` is behind the last value. */
static uint8_t *attr_close(uint8_t *start, enum attr a, uint8_t *end)
{
    size_t set_at = heads[a].set_at;
    patch_length(start + 1, (size_t)(end - start) - 6);
    patch_length(start + set_at + 1, (size_t)(end - start) - set_at - 6);
    return end;
}

/* Opens a value of fewer than 128 bytes. */
static uint8_t *value_open(uint8_t *p)
{
    p[0] = 0x04;
    return p + 2;
}

static uint8_t *value_close(uint8_t *contents, uint8_t *end)
{
    contents[-1] = (uint8_t)(end - contents);
    return end;
}

static uint8_t *put_value(uint8_t *p, const void *value, size_t n)
{
    *p++ = 0x04;
    p = put_length(p, n);
    memcpy(p, value, n);
    return p + n;
}

static uint8_t *put_attr(uint8_t *p, enum attr a, const void *value, size_t n)
{
    return attr_close(p, a, put_value(attr_open(p, a), value, n));
}

static uint8_t *put_attr_number(uint8_t *p, enum attr a, uint64_t n)
{
    uint8_t *v = value_open(attr_open(p, a));
    return attr_close(p, a, value_close(v, put_decimal(v, n)));
}

/* An 18-digit FILETIME of the years 2018 to 2024. */
static uint8_t *put_attr_filetime(uint8_t *p, enum attr a, uint64_t random)
{
    uint8_t *v = value_open(attr_open(p, a));
    uint64_t when = 131592384000000000ULL + (random % 220000000ULL) * 10000000ULL;
    return attr_close(p, a, value_close(v, put_digits(v, when, 18)));
}

static uint8_t *put_attr_time(uint8_t *p, enum attr a, uint64_t random)
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

/* --- names: every reference to an object goes through these --- */

static const char *user_given(uint32_t i)
{
    return first_names[(i * 7u + i / 32u) & 31];
}

static const char *user_surname(uint32_t i)
{
    return last_names[(i * 13u + i / 1024u) & 31];
}

static bool user_has_comma(uint32_t i)
{
    return i % 16 == 7;
}

static uint8_t *put_user_cn(uint8_t *p, uint32_t i, bool escaped)
{
    if (user_has_comma(i)) {
        p = put_str(p, user_surname(i));
        p = escaped ? PUT_LIT(p, "\\, ") : PUT_LIT(p, ", ");
        p = put_str(p, user_given(i));
    } else {
        p = put_str(p, user_given(i));
        *p++ = ' ';
        p = put_str(p, user_surname(i));
    }
    *p++ = ' ';
    return put_digits(p, i, 8);
}

static uint8_t *put_user_dn(uint8_t *p, uint32_t i)
{
    p = PUT_LIT(p, "CN=");
    p = put_user_cn(p, i, true);
    p = PUT_LIT(p, ",OU=Dept");
    p = put_digits(p, i % N_DEPARTMENTS, 2);
    return PUT_LIT(p, ",OU=People," DOMAIN_DN);
}

static uint8_t *put_group_cn(uint8_t *p, uint32_t g)
{
    if (g == 0) return PUT_LIT(p, "Domain Users");
    p = PUT_LIT(p, "GRP-");
    p = put_str(p, topics[g % 8]);
    *p++ = '-';
    p = put_str(p, levels[g / 8 % 4]);
    *p++ = '-';
    return put_digits(p, g, 8);
}

static uint8_t *put_group_dn(uint8_t *p, uint32_t g)
{
    p = PUT_LIT(p, "CN=");
    p = put_group_cn(p, g);
    if (g == 0) return PUT_LIT(p, ",CN=Users," DOMAIN_DN);
    return PUT_LIT(p, ",OU=Security Groups,OU=Groups," DOMAIN_DN);
}

static uint8_t *put_computer_dn(uint8_t *p, uint32_t i)
{
    p = PUT_LIT(p, "CN=PC");
    p = put_digits(p, i, 8);
    return PUT_LIT(p, ",OU=Workstations," DOMAIN_DN);
}

static const char *const fixed_ous[N_FIXED_OUS] = {"OU=People,", "OU=Groups,",
                                                   "OU=Security Groups,OU=Groups,", "OU=Workstations,",
                                                   "OU=Domain Controllers,"};

static uint8_t *put_ou_dn(uint8_t *p, uint32_t i)
{
    if (i < N_FIXED_OUS) return PUT_LIT(put_str(p, fixed_ous[i]), DOMAIN_DN);
    p = PUT_LIT(p, "OU=Dept");
    p = put_digits(p, i - N_FIXED_OUS, 2);
    return PUT_LIT(p, ",OU=People," DOMAIN_DN);
}

static void put_le32(uint8_t *p, uint32_t n)
{
    for (int i = 0; i < 4; i++) p[i] = (uint8_t)(n >> (8 * i));
}

/* S-1-5-21-...-rid, 28 bytes. */
static void put_sid(uint8_t p[28], uint32_t rid)
{
    static const uint8_t domain[24] = {1,    5,    0,    0,    0,    0,    0,    5,
                                       21,   0,    0,    0,    0xDC, 0xF4, 0xDC, 0x3B,
                                       0x83, 0x3D, 0x2B, 0x46, 0x82, 0x8B, 0xA6, 0x28};
    memcpy(p, domain, sizeof domain);
    put_le32(p + 24, rid);
}

static uint8_t *put_identity(uint8_t *p, enum kind kind, uint32_t i, uint32_t rid, uint64_t mask)
{
    if (WANT(objectGUID)) {
        uint64_t id[2] = {draw(kind, i, 1), draw(kind, i, 2)};
        p = put_attr(p, A_objectGUID, id, sizeof id);
    }
    if (WANT(objectSid) && rid) {
        uint8_t sid[28];
        put_sid(sid, rid);
        p = put_attr(p, A_objectSid, sid, sizeof sid);
    }
    return p;
}

/* --- what changes between two runs --- */

/* Of all users, exactly opt.changed, evenly spread; the rank of a changed one in *rank. */
static bool user_changed(uint32_t i, uint64_t *rank)
{
    *rank = (uint64_t)i * opt.changed / (opt.users ? opt.users : 1);
    return opt.changed && *rank != ((uint64_t)i + 1) * opt.changed / opt.users;
}

static uint64_t usn_created(enum kind kind, uint32_t i)
{
    uint64_t usn = FIRST_USN + i;
    for (enum kind k = 0; k < kind; k++) usn += content_count(k);
    return usn;
}

uint64_t content_usn(enum kind kind, uint32_t i)
{
    uint64_t rank;
    if (kind == K_USER && user_changed(i, &rank)) return usn_created(K_CROSSREF, 1) + 1 + rank;
    return usn_created(kind, i);
}

static uint8_t *put_history(uint8_t *p, enum kind kind, uint32_t i, uint64_t mask)
{
    uint64_t random = draw(kind, i, 3), rank;
    if (WANT(whenCreated)) p = put_attr_time(p, A_whenCreated, random);
    if (WANT(whenChanged)) {
        if (kind == K_USER && user_changed(i, &rank))
            p = ATTR_LIT(p, whenChanged, "20240601080000.0Z");
        else
            p = put_attr_time(p, A_whenChanged, mix(random));
    }
    if (WANT(uSNChanged)) p = put_attr_number(p, A_uSNChanged, content_usn(kind, i));
    if (WANT(uSNCreated)) p = put_attr_number(p, A_uSNCreated, usn_created(kind, i));
    return p;
}

static uint8_t *put_descriptor(uint8_t *p, enum kind kind, uint32_t i, uint64_t mask)
{
    if (!WANT(nTSecurityDescriptor)) return p;
    /* half of the objects share six descriptors, as inheritance makes them do */
    uint64_t random = draw(kind, i, 4);
    const struct blob *sd = &descriptors[(random & 1) ? scale(random, 6) : scale(random, N_DESCRIPTORS)];
    return put_attr(p, A_nTSecurityDescriptor, sd->bytes, sd->len);
}

/* --- users --- */

static uint8_t *put_user_names(uint8_t *p, uint32_t i, uint64_t mask)
{
    if (WANT(objectClass)) {
        static const uint8_t classes[] = "\004\003top\004\006person\004\024organizationalPerson\004\004user";
        uint8_t *at = attr_open(p, A_objectClass);
        memcpy(at, classes, sizeof classes - 1);
        p = attr_close(p, A_objectClass, at + sizeof classes - 1);
    }
    if (WANT(cn)) ATTR_MADE(p, cn, at = put_user_cn(at, i, false));
    if (WANT(sn)) ATTR_MADE(p, sn, at = put_str(at, user_surname(i)));
    if (WANT(givenName)) ATTR_MADE(p, givenName, at = put_str(at, user_given(i)));
    if (WANT(displayName))
        ATTR_MADE(p, displayName, at = put_str(at, user_given(i)); *at++ = ' ';
                  at = put_str(at, user_surname(i)));
    if (WANT(distinguishedName)) ATTR_MADE(p, distinguishedName, at = put_user_dn(at, i));
    if (WANT(name)) ATTR_MADE(p, name, at = put_user_cn(at, i, false));
    if (WANT(sAMAccountName)) ATTR_MADE(p, sAMAccountName, *at++ = 'u'; at = put_digits(at, i, 8));
    if (WANT(userPrincipalName))
        ATTR_MADE(p, userPrincipalName, *at++ = 'u'; at = put_digits(at, i, 8);
                  at = PUT_LIT(at, "@bench.example"));
    if (WANT(mail))
        ATTR_MADE(p, mail, *at++ = 'u'; at = put_digits(at, i, 8); at = PUT_LIT(at, "@mail.bench.example"));
    if (WANT(proxyAddresses)) {
        uint8_t *at = attr_open(p, A_proxyAddresses), *v = value_open(at);
        at = value_close(v, PUT_LIT(put_digits(PUT_LIT(v, "SMTP:u"), i, 8), "@mail.bench.example"));
        v = value_open(at);
        at = value_close(v, PUT_LIT(put_digits(PUT_LIT(v, "smtp:u"), i, 8), "@bench.example"));
        if (i & 1) {
            v = value_open(at);
            at = value_close(
                v, PUT_LIT(put_digits(PUT_LIT(v, "X500:/o=Bench/ou=Exchange/cn=Recipients/cn=u"), i, 8), ""));
        }
        p = attr_close(p, A_proxyAddresses, at);
    }
    return put_identity(p, K_USER, i, RID_USERS + i, mask);
}

static uint8_t *put_user_numbers(uint8_t *p, uint32_t i, uint64_t mask)
{
    uint64_t random = draw(K_USER, i, 5);
    if (WANT(userAccountControl)) {
        if (random % 20 == 0)
            p = ATTR_LIT(p, userAccountControl, "514");
        else if (random % 20 == 1)
            p = ATTR_LIT(p, userAccountControl, "66048");
        else
            p = ATTR_LIT(p, userAccountControl, "512");
    }
    if (WANT(lastLogon)) p = put_attr_filetime(p, A_lastLogon, random);
    if (WANT(lastLogonTimestamp)) p = put_attr_filetime(p, A_lastLogonTimestamp, random ^ 0xFFFFF);
    if (WANT(pwdLastSet)) p = put_attr_filetime(p, A_pwdLastSet, random >> 8);
    if (WANT(accountExpires)) p = ATTR_LIT(p, accountExpires, "9223372036854775807");
    if (WANT(logonCount)) p = put_attr_number(p, A_logonCount, (random >> 16) % 5000);
    if (WANT(badPwdCount)) p = put_attr_number(p, A_badPwdCount, (random >> 30) % 3);
    if (WANT(badPasswordTime)) p = put_attr_filetime(p, A_badPasswordTime, random >> 12);
    if (WANT(primaryGroupID)) p = ATTR_LIT(p, primaryGroupID, "513");
    if (WANT(sAMAccountType)) p = ATTR_LIT(p, sAMAccountType, "805306368");
    if (WANT(passwordExpiry)) p = put_attr_filetime(p, A_passwordExpiry, (random >> 8) + 3628800);
    if (WANT(uacComputed)) p = ATTR_LIT(p, uacComputed, "0");
    return p;
}

static uint8_t *put_user_place(uint8_t *p, uint32_t i, uint64_t mask)
{
    uint64_t random = draw(K_USER, i, 6), rank;
    const char *const *city = cities[random % 8];
    if (WANT(department))
        ATTR_MADE(p, department, at = PUT_LIT(at, "Department "); at = put_digits(at, i % N_DEPARTMENTS, 2);
                  *at++ = ' '; at = put_str(at, topics[random >> 4 & 7]));
    if (WANT(title))
        ATTR_MADE(p, title, at = put_str(at, titles[random >> 8 & 7]);
                  at = user_changed(i, &rank) ? PUT_LIT(at, " (promoted)") : at);
    if (WANT(company)) p = ATTR_LIT(p, company, "Bench Example International GmbH");
    if (WANT(physicalDeliveryOfficeName))
        ATTR_MADE(p, physicalDeliveryOfficeName, at = PUT_LIT(at, "Building ");
                  at = put_digits(at, random >> 12 & 63, 2); at = PUT_LIT(at, ", room ");
                  at = put_digits(at, (random >> 20) % 10000, 4));
    if (WANT(telephoneNumber))
        ATTR_MADE(p, telephoneNumber, at = PUT_LIT(at, "+33 1 "); at = put_digits(at, i, 8));
    if (WANT(l)) ATTR_MADE(p, l, at = put_str(at, city[0]));
    if (WANT(st)) ATTR_MADE(p, st, at = put_str(at, city[1]));
    if (WANT(postalCode)) ATTR_MADE(p, postalCode, at = put_digits(at, (random >> 24) % 100000, 6));
    if (WANT(c)) ATTR_MADE(p, c, at = put_str(at, city[2]));
    if (WANT(countryCode)) ATTR_MADE(p, countryCode, at = put_str(at, city[3]));
    if (WANT(streetAddress))
        ATTR_MADE(p, streetAddress, at = put_digits(at, (random >> 32) % 100, 2);
                  at = PUT_LIT(at, " Avenue of the Synthetic Identities, third floor"));
    if (WANT(description))
        ATTR_MADE(p, description, at = PUT_LIT(at, "Synthetic person for measurements, batch ");
                  at = put_digits(at, i / 100, 6));
    if (WANT(employeeID)) ATTR_MADE(p, employeeID, at = PUT_LIT(at, "E"); at = put_digits(at, i, 8));
    if (WANT(objectCategory)) p = ATTR_LIT(p, objectCategory, "CN=Person,CN=Schema," CONFIG_DN);
    return p;
}

static uint8_t *put_user_links(uint8_t *p, uint32_t i, uint64_t mask)
{
    uint64_t random = draw(K_USER, i, 7);
    if (WANT(manager) && random % 10 != 0)
        ATTR_MADE(p, manager, at = put_user_dn(at, scale(random, opt.users)));
    if (WANT(memberOf) && user_first[i + 1] > user_first[i]) {
        uint8_t *at = attr_open(p, A_memberOf);
        for (uint32_t k = user_first[i]; k < user_first[i + 1]; k++) {
            uint8_t *v = value_open(at);
            at = value_close(v, put_group_dn(v, user_groups[k]));
        }
        p = attr_close(p, A_memberOf, at);
    }
    return p;
}

static uint8_t *put_user(uint8_t *p, uint32_t i, uint64_t mask)
{
    p = put_user_names(p, i, mask);
    p = put_history(p, K_USER, i, mask);
    p = put_user_numbers(p, i, mask);
    p = put_user_place(p, i, mask);
    p = put_user_links(p, i, mask);
    return put_descriptor(p, K_USER, i, mask);
}

/* --- groups, computers, organizational units --- */

static uint8_t *put_group_members(uint8_t *p, uint32_t g)
{
    uint8_t *at = attr_open(p, A_member), *v;
    if (group_first[g + 1] == group_first[g] && child_first[g + 1] == child_first[g]) return p;
    for (uint32_t k = group_first[g]; k < group_first[g + 1]; k++) {
        v = value_open(at);
        at = value_close(v, put_user_dn(v, group_users[k]));
    }
    for (uint32_t k = child_first[g]; k < child_first[g + 1]; k++) {
        v = value_open(at);
        at = value_close(v, put_group_dn(v, children[k]));
    }
    return attr_close(p, A_member, at);
}

static uint8_t *put_group(uint8_t *p, uint32_t g, uint64_t mask)
{
    static const char *const types[4][2] = {{"-2147483646", "268435456"},
                                            {"-2147483640", "268435456"},
                                            {"-2147483644", "536870912"},
                                            {"2", "268435457"}};
    const char *const *type = types[g ? draw(K_GROUP, g, 5) & 3 : 0];
    if (WANT(objectClass)) {
        static const uint8_t classes[] = "\004\003top\004\005group";
        uint8_t *at = attr_open(p, A_objectClass);
        memcpy(at, classes, sizeof classes - 1);
        p = attr_close(p, A_objectClass, at + sizeof classes - 1);
    }
    if (WANT(cn)) ATTR_MADE(p, cn, at = put_group_cn(at, g));
    if (WANT(name)) ATTR_MADE(p, name, at = put_group_cn(at, g));
    if (WANT(sAMAccountName)) ATTR_MADE(p, sAMAccountName, at = put_group_cn(at, g));
    if (WANT(distinguishedName)) ATTR_MADE(p, distinguishedName, at = put_group_dn(at, g));
    if (WANT(description))
        ATTR_MADE(p, description, at = PUT_LIT(at, "Synthetic group "); at = put_digits(at, g, 8));
    if (WANT(groupType)) p = put_attr(p, A_groupType, type[0], strlen(type[0]));
    if (WANT(sAMAccountType)) p = put_attr(p, A_sAMAccountType, type[1], strlen(type[1]));
    if (WANT(objectCategory)) p = ATTR_LIT(p, objectCategory, "CN=Group,CN=Schema," CONFIG_DN);
    if (WANT(memberOf) && parent[g]) ATTR_MADE(p, memberOf, at = put_group_dn(at, parent[g]));
    if (WANT(member)) p = put_group_members(p, g);
    p = put_identity(p, K_GROUP, g, g ? RID_GROUPS + g : 513, mask);
    p = put_history(p, K_GROUP, g, mask);
    return put_descriptor(p, K_GROUP, g, mask);
}

static uint8_t *put_computer(uint8_t *p, uint32_t i, uint64_t mask)
{
    uint64_t random = draw(K_COMPUTER, i, 5);
    if (WANT(objectClass)) {
        static const uint8_t classes[] =
            "\004\003top\004\006person\004\024organizationalPerson\004\004user\004\010computer";
        uint8_t *at = attr_open(p, A_objectClass);
        memcpy(at, classes, sizeof classes - 1);
        p = attr_close(p, A_objectClass, at + sizeof classes - 1);
    }
    if (WANT(cn)) ATTR_MADE(p, cn, at = PUT_LIT(at, "PC"); at = put_digits(at, i, 8));
    if (WANT(name)) ATTR_MADE(p, name, at = PUT_LIT(at, "PC"); at = put_digits(at, i, 8));
    if (WANT(sAMAccountName))
        ATTR_MADE(p, sAMAccountName, at = PUT_LIT(at, "PC"); at = put_digits(at, i, 8); *at++ = '$');
    if (WANT(distinguishedName)) ATTR_MADE(p, distinguishedName, at = put_computer_dn(at, i));
    if (WANT(dNSHostName))
        ATTR_MADE(p, dNSHostName, at = PUT_LIT(at, "pc"); at = put_digits(at, i, 8);
                  at = PUT_LIT(at, ".bench.example"));
    if (WANT(operatingSystem)) p = ATTR_LIT(p, operatingSystem, "Windows 11 Enterprise");
    if (WANT(servicePrincipalName)) {
        uint8_t *at = attr_open(p, A_servicePrincipalName), *v = value_open(at);
        at = value_close(v, put_digits(PUT_LIT(v, "HOST/PC"), i, 8));
        v = value_open(at);
        at = value_close(v, PUT_LIT(put_digits(PUT_LIT(v, "HOST/pc"), i, 8), ".bench.example"));
        p = attr_close(p, A_servicePrincipalName, at);
    }
    if (WANT(userAccountControl)) p = ATTR_LIT(p, userAccountControl, "4096");
    if (WANT(primaryGroupID)) p = ATTR_LIT(p, primaryGroupID, "513");
    if (WANT(sAMAccountType)) p = ATTR_LIT(p, sAMAccountType, "805306369");
    if (WANT(lastLogonTimestamp)) p = put_attr_filetime(p, A_lastLogonTimestamp, random);
    if (WANT(pwdLastSet)) p = put_attr_filetime(p, A_pwdLastSet, random >> 8);
    if (WANT(objectCategory)) p = ATTR_LIT(p, objectCategory, "CN=Computer,CN=Schema," CONFIG_DN);
    p = put_identity(p, K_COMPUTER, i, RID_COMPUTERS + i, mask);
    p = put_history(p, K_COMPUTER, i, mask);
    return put_descriptor(p, K_COMPUTER, i, mask);
}

static uint8_t *put_ou(uint8_t *p, uint32_t i, uint64_t mask)
{
    if (WANT(objectClass)) {
        static const uint8_t classes[] = "\004\003top\004\022organizationalUnit";
        uint8_t *at = attr_open(p, A_objectClass);
        memcpy(at, classes, sizeof classes - 1);
        p = attr_close(p, A_objectClass, at + sizeof classes - 1);
    }
    uint8_t dn[128], *rdn_end;
    put_ou_dn(dn, i);
    rdn_end = memchr(dn, ',', sizeof dn);
    size_t n = rdn_end ? (size_t)(rdn_end - dn) - 3 : 0;
    if (WANT(ou)) p = put_attr(p, A_ou, dn + 3, n);
    if (WANT(name)) p = put_attr(p, A_name, dn + 3, n);
    if (WANT(distinguishedName)) ATTR_MADE(p, distinguishedName, at = put_ou_dn(at, i));
    if (WANT(objectCategory)) p = ATTR_LIT(p, objectCategory, "CN=Organizational-Unit,CN=Schema," CONFIG_DN);
    p = put_identity(p, K_OU, i, 0, mask);
    p = put_history(p, K_OU, i, mask);
    return put_descriptor(p, K_OU, i, mask);
}

/* --- single entries: tables of text --- */

struct line {
    const char *name, *value;
};

static const struct line domain_lines[] = {{"objectClass", "top"},
                                           {"objectClass", "domain"},
                                           {"objectClass", "domainDNS"},
                                           {"distinguishedName", DOMAIN_DN},
                                           {"name", "bench"},
                                           {"dc", "bench"},
                                           {"instanceType", "5"},
                                           {"whenCreated", "20100101000000.0Z"},
                                           {"whenChanged", "20240101000000.0Z"},
                                           {"uSNCreated", "4099"},
                                           {"uSNChanged", "10000"},
                                           {"objectGUID", "bench-domain-guid"},
                                           {"objectSid", "#"},
                                           {"nTSecurityDescriptor", "#"},
                                           {"objectCategory", "CN=Domain-DNS,CN=Schema," CONFIG_DN},
                                           {"maxPwdAge", "-36288000000000"},
                                           {"minPwdAge", "-864000000000"},
                                           {"minPwdLength", "12"},
                                           {"pwdHistoryLength", "24"},
                                           {"pwdProperties", "1"},
                                           {"lockoutThreshold", "5"},
                                           {"lockoutDuration", "-18000000000"},
                                           {"lockOutObservationWindow", "-18000000000"},
                                           {"forceLogoff", "-9223372036854775808"},
                                           {"ms-DS-MachineAccountQuota", "10"},
                                           {"msDS-Behavior-Version", "7"},
                                           {"nTMixedDomain", "0"},
                                           {NULL, NULL}};

static const struct line crossref_lines[] = {{"objectClass", "top"},
                                             {"objectClass", "crossRef"},
                                             {"cn", "BENCH"},
                                             {"name", "BENCH"},
                                             {"nCName", DOMAIN_DN},
                                             {"distinguishedName", "CN=BENCH,CN=Partitions," CONFIG_DN},
                                             {"dnsRoot", "bench.example"},
                                             {"nETBIOSName", "BENCH"},
                                             {"systemFlags", "3"},
                                             {NULL, NULL}};

static const struct line root_lines[] = {
    {"currentTime", "@now"},
    {"dsServiceName", "CN=NTDS Settings,CN=DC1,CN=Servers,CN=Default-First-Site-Name,CN=Sites," CONFIG_DN},
    {"namingContexts", DOMAIN_DN},
    {"namingContexts", CONFIG_DN},
    {"namingContexts", "CN=Schema," CONFIG_DN},
    {"defaultNamingContext", DOMAIN_DN},
    {"schemaNamingContext", "CN=Schema," CONFIG_DN},
    {"configurationNamingContext", CONFIG_DN},
    {"rootDomainNamingContext", DOMAIN_DN},
    {"supportedControl", "1.2.840.113556.1.4.319"},
    {"supportedControl", "1.2.840.113556.1.4.801"},
    {"supportedControl", "1.2.840.113556.1.4.417"},
    {"supportedControl", "1.2.840.113556.1.4.2064"},
    {"supportedControl", "1.2.840.113556.1.4.1339"},
    {"supportedLDAPVersion", "3"},
    {"supportedLDAPVersion", "2"},
    {"supportedCapabilities", "1.2.840.113556.1.4.800"},
    {"supportedCapabilities", "1.2.840.113556.1.4.1670"},
    {"supportedSASLMechanisms", "GSSAPI"},
    {"highestCommittedUSN", "@usn"},
    {"dnsHostName", "dc1.bench.example"},
    {"ldapServiceName", "bench.example:dc1$@BENCH.EXAMPLE"},
    {"serverName", "CN=DC1,CN=Servers,CN=Default-First-Site-Name,CN=Sites," CONFIG_DN},
    {"isSynchronized", "TRUE"},
    {"isGlobalCatalogReady", "TRUE"},
    {"domainFunctionality", "7"},
    {"forestFunctionality", "7"},
    {"domainControllerFunctionality", "7"},
    {NULL, NULL}};

static bool asked(const struct want *want, const char *name)
{
    if (strcmp(name, "nTSecurityDescriptor") == 0 && !want->descriptor) return false;
    for (size_t i = 0; i < want->n_names; i++)
        if (want->names[i].len == strlen(name) &&
            strncasecmp(want->names[i].text, name, want->names[i].len) == 0)
            return true;
    return want->all;
}

static uint8_t *put_line_value(uint8_t *p, const struct line *line)
{
    char text[32];
    if (strcmp(line->name, "objectGUID") == 0) return put_value(p, line->value, 16);
    if (strcmp(line->name, "nTSecurityDescriptor") == 0)
        return put_value(p, descriptors[0].bytes, descriptors[0].len);
    if (strcmp(line->name, "objectSid") == 0) {
        uint8_t sid[28];
        put_sid(sid, 0);
        sid[1] = 4;
        return put_value(p, sid, 24);
    }
    if (strcmp(line->value, "@usn") == 0) {
        int n = snprintf(text, sizeof text, "%llu",
                         (unsigned long long)(usn_created(K_CROSSREF, 1) + 1 + opt.changed));
        return put_value(p, text, (size_t)n);
    }
    if (strcmp(line->value, "@now") == 0) {
        time_t now = time(NULL);
        struct tm tm;
        return put_value(p, text, strftime(text, sizeof text, "%Y%m%d%H%M%S.0Z", gmtime_r(&now, &tm)));
    }
    return put_value(p, line->value, strlen(line->value));
}

static uint8_t *put_lines(uint8_t *p, const struct line *line, const struct want *want)
{
    while (line->name) {
        const struct line *first = line;
        uint8_t *start = p, *set;
        if (!asked(want, line->name)) {
            line++;
            continue;
        }
        *p = 0x30;
        p = put_value(p + 6, line->name, strlen(line->name));
        set = p;
        *p = 0x31;
        p += 6;
        for (; line->name && strcmp(line->name, first->name) == 0; line++) p = put_line_value(p, line);
        patch_length(set + 1, (size_t)(p - set) - 6);
        patch_length(start + 1, (size_t)(p - start) - 6);
    }
    return p;
}

/* --- entries --- */

static uint8_t *put_dn(uint8_t *p, enum kind kind, uint32_t i)
{
    uint8_t *v = value_open(p), *at = v;
    switch (kind) {
    case K_USER:
        at = put_user_dn(v, i);
        break;
    case K_GROUP:
        at = put_group_dn(v, i);
        break;
    case K_COMPUTER:
        at = put_computer_dn(v, i);
        break;
    case K_OU:
        at = put_ou_dn(v, i);
        break;
    case K_DOMAIN:
        at = PUT_LIT(v, DOMAIN_DN);
        break;
    case K_CROSSREF:
        at = PUT_LIT(v, "CN=BENCH,CN=Partitions," CONFIG_DN);
        break;
    case K_ROOT_DSE:
    case N_KINDS:
        break;
    }
    return value_close(v, at);
}

uint8_t *content_put(uint8_t *p, enum kind kind, uint32_t i, const struct want *want)
{
    uint8_t *start = p, *list;
    *p = 0x64;
    p = put_dn(p + 6, kind, i);
    list = p;
    *p = 0x30;
    p += 6;
    switch (kind) {
    case K_USER:
        p = put_user(p, i, want->mask);
        break;
    case K_GROUP:
        p = put_group(p, i, want->mask);
        break;
    case K_COMPUTER:
        p = put_computer(p, i, want->mask);
        break;
    case K_OU:
        p = put_ou(p, i, want->mask);
        break;
    case K_DOMAIN:
        p = put_lines(p, domain_lines, want);
        break;
    case K_CROSSREF:
        p = put_lines(p, crossref_lines, want);
        break;
    case K_ROOT_DSE:
        p = put_lines(p, root_lines, want);
        break;
    case N_KINDS:
        break;
    }
    patch_length(list + 1, (size_t)(p - list) - 6);
    patch_length(start + 1, (size_t)(p - start) - 6);
    return p;
}

size_t content_bound(enum kind kind, uint32_t i)
{
    size_t links = 0;
    if (kind == K_USER) links = user_first[i + 1] - user_first[i];
    if (kind == K_GROUP) links = group_first[i + 1] - group_first[i] + child_first[i + 1] - child_first[i];
    return 8192 + links * 128 + SLACK;
}

uint32_t content_count(enum kind kind)
{
    switch (kind) {
    case K_USER:
        return opt.users;
    case K_GROUP:
        return opt.groups;
    case K_COMPUTER:
        return opt.others;
    case K_OU:
        return N_FIXED_OUS + N_DEPARTMENTS;
    case K_DOMAIN:
    case K_CROSSREF:
    case K_ROOT_DSE:
        return 1;
    case N_KINDS:
        break;
    }
    return 0;
}

void content_want(struct want *want, const char *name, size_t len)
{
    const char *semicolon = memchr(name, ';', len);
    if (semicolon) len = (size_t)(semicolon - name);
    if (len == 1 && *name == '*') {
        want->all = true;
        want->mask |= (N_ATTRS == 64 ? ~0ULL : (1ULL << N_ATTRS) - 1) & ~CONSTRUCTED;
    }
    if (want->n_names < MAX_NAMES) {
        want->names[want->n_names].text = name;
        want->names[want->n_names++].len = len;
    }
    for (unsigned a = 0; a < N_ATTRS; a++)
        if (strlen(attr_name[a]) == len && strncasecmp(attr_name[a], name, len) == 0) want->mask |= 1ULL << a;
    if (!want->descriptor) want->mask &= ~(1ULL << A_nTSecurityDescriptor);
}

/* --- building --- */

static void *must_alloc(size_t n, size_t size)
{
    void *p = calloc(n ? n : 1, size);
    if (!p) {
        fprintf(stderr, "bench-replay: out of memory\n");
        exit(2);
    }
    return p;
}

static void build_heads(void)
{
    for (unsigned a = 0; a < N_ATTRS; a++) {
        struct head *h = &heads[a];
        size_t n = strlen(attr_name[a]);
        h->bytes[0] = 0x30;
        h->bytes[6] = 0x04;
        h->bytes[7] = (uint8_t)n;
        memcpy(h->bytes + 8, attr_name[a], n);
        h->set_at = 8 + n;
        h->bytes[h->set_at] = 0x31;
        h->len = h->set_at + 6;
        if (h->len > HEAD_SIZE) abort();
    }
}

/* One ACE, MS-DTYP 2.4.4: allow or deny, with an object type for three quarters of them. */
static uint8_t *put_ace(uint8_t *p, uint64_t random)
{
    /* Reset-Password, Personal-Information, member, user, group */
    static const uint8_t guids[5][16] = {
        {0x70, 0x95, 0x29, 0x00, 0x6d, 0x24, 0xd0, 0x11, 0xa7, 0x68, 0x00, 0xaa, 0x00, 0x6e, 0x05, 0x29},
        {0x86, 0xb8, 0xb5, 0x77, 0x4a, 0x94, 0xd1, 0x11, 0xae, 0xbd, 0x00, 0x00, 0xf8, 0x03, 0x67, 0xc1},
        {0xc0, 0x79, 0x96, 0xbf, 0xe6, 0x0d, 0xd0, 0x11, 0xa2, 0x85, 0x00, 0xaa, 0x00, 0x30, 0x49, 0xe2},
        {0xba, 0x7a, 0x96, 0xbf, 0xe6, 0x0d, 0xd0, 0x11, 0xa2, 0x85, 0x00, 0xaa, 0x00, 0x30, 0x49, 0xe2},
        {0x9c, 0x7a, 0x96, 0xbf, 0xe6, 0x0d, 0xd0, 0x11, 0xa2, 0x85, 0x00, 0xaa, 0x00, 0x30, 0x49, 0xe2}};
    static const uint32_t masks[4] = {0x100, 0x10, 0x30, 0x20};
    bool object = random % 4 != 0, deny = (random >> 2) % 16 == 0, inherited = (random >> 6) % 2;
    uint8_t *start = p;
    *p++ = (uint8_t)(object ? (deny ? 6 : 5) : (deny ? 1 : 0));
    *p++ = inherited ? 0x12 : 0x00;
    p += 2;
    put_le32(p, object ? masks[(random >> 8) & 3] : 0x20094u);
    p += 4;
    if (object) {
        bool typed = (random >> 10) % 3 != 0;
        put_le32(p, typed ? 3u : 1u);
        p += 4;
        memcpy(p, guids[(random >> 12) % 3], 16);
        p += 16;
        if (typed) {
            memcpy(p, guids[3 + ((random >> 16) & 1)], 16);
            p += 16;
        }
    }
    uint32_t group = opt.groups > 1 ? RID_GROUPS + 1 + scale(random, opt.groups - 1) : 512;
    put_sid(p, (random >> 20) % 4 == 0 ? 512 : group);
    p += 28;
    start[2] = (uint8_t)(p - start);
    start[3] = 0;
    return p;
}

/* A self-relative descriptor of 1.7 to 2.2 KB: header, DACL, owner, group. */
static void build_descriptors(void)
{
    for (uint32_t d = 0; d < N_DESCRIPTORS; d++) {
        uint8_t *sd = must_alloc(4096, 1), *p = sd + 20 + 8;
        uint64_t random = mix(opt.seed ^ (0xDACULL << 32) ^ d);
        uint32_t count = 29 + (uint32_t)(random % 6);
        for (uint32_t k = 0; k < count; k++) p = put_ace(p, mix(random + k));
        uint32_t dacl_size = (uint32_t)(p - sd - 20), owner = (uint32_t)(p - sd);
        sd[0] = 1;
        sd[2] = 0x04;
        sd[3] = 0x8C;
        put_le32(sd + 4, owner);
        put_le32(sd + 8, owner + 28);
        put_le32(sd + 16, 20);
        sd[20] = 4;
        sd[22] = (uint8_t)dacl_size;
        sd[23] = (uint8_t)(dacl_size >> 8);
        sd[24] = (uint8_t)count;
        put_sid(p, 512);
        put_sid(p + 28, 512);
        descriptors[d] = (struct blob){sd, owner + 56};
    }
}

/* Turns pairs (row, value) into rows: first[row]..first[row+1] index the values of a row. */
static uint32_t *group_by(uint32_t n_rows, const uint32_t *rows, const uint32_t *values, uint32_t n,
                          uint32_t **sorted)
{
    uint32_t *first = must_alloc((size_t)n_rows + 2, sizeof *first);
    *sorted = must_alloc(n, sizeof **sorted);
    for (uint32_t k = 0; k < n; k++) first[rows[k] + 2]++;
    for (uint32_t r = 0; r < n_rows; r++) first[r + 2] += first[r + 1];
    for (uint32_t k = 0; k < n; k++) (*sorted)[first[rows[k] + 1]++] = values[k];
    return first;
}

/* Each user is in 5 to 11 groups, the low-numbered ones being far larger; group 0 is everybody's primary
 * group. */
static void build_memberships(void)
{
    uint32_t *users = must_alloc((size_t)opt.users * 11, sizeof *users), n = 0;
    user_groups = must_alloc((size_t)opt.users * 11, sizeof *user_groups);
    user_first = must_alloc((size_t)opt.users + 1, sizeof *user_first);
    for (uint32_t i = 0; i < opt.users; i++) {
        uint64_t random = draw(K_USER, i, 8);
        uint32_t count = opt.groups > 12 ? 5 + (uint32_t)(random % 7) : 0;
        user_first[i] = n;
        for (uint32_t k = 0; k < count; k++) {
            uint64_t r = mix(random + k), square = ((r >> 32) * (r >> 32)) >> 32;
            uint32_t g = 1 + (uint32_t)((square * (opt.groups - 1)) >> 32), seen = user_first[i];
            while (seen < n && user_groups[seen] != g) seen++;
            if (seen < n) continue;
            users[n] = i;
            user_groups[n++] = g;
        }
    }
    user_first[opt.users] = n;
    group_first = group_by(opt.groups, user_groups, users, n, &group_users);
    free(users);
}

/* Every second group is a member of one with a lower number; a few short cycles. */
static void build_nesting(void)
{
    uint32_t *child = must_alloc(opt.groups, sizeof *child), *of = must_alloc(opt.groups, sizeof *of), n = 0;
    parent = must_alloc((size_t)opt.groups + 1, sizeof *parent);
    for (uint32_t g = 2; g < opt.groups; g++) {
        uint64_t random = draw(K_GROUP, g, 8);
        if (random & 1) parent[g] = 1 + scale(random, g - 1);
    }
    for (uint32_t g = 1000; g + 2 < opt.groups; g += 1000) {
        parent[g] = g + 1;
        parent[g + 1] = g;
    }
    for (uint32_t g = 1; g < opt.groups; g++) {
        if (!parent[g]) continue;
        child[n] = g;
        of[n++] = parent[g];
    }
    child_first = group_by(opt.groups, of, child, n, &children);
    free(child);
    free(of);
}

void content_build(const struct content_options *options)
{
    opt = *options;
    if (opt.changed > opt.users) opt.changed = opt.users;
    build_heads();
    build_descriptors();
    build_memberships();
    build_nesting();
}
