/* content.c - made-up users, groups and computers, encoded in BER as Active Directory encodes them. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "content.h"

#include "graph.h"
#include "single.h"

#include <strings.h>

/* Computed by a DC only when they are asked by name. */
static const uint64_t CONSTRUCTED = (1ULL << A_passwordExpiry) | (1ULL << A_uacComputed);

enum { N_DEPARTMENTS = 40, N_FIXED_OUS = 5, FIRST_USN = 10000 };

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
    case K_CROSSREF:
    case K_ROOT_DSE:
        p = put_single(p, kind, want, usn_created(K_CROSSREF, 1) + 1 + opt.changed);
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

void content_build(const struct content_options *options)
{
    opt = *options;
    if (opt.changed > opt.users) opt.changed = opt.users;
    build_heads();
    build_graph();
}
