/* Many random entities, made of awkward values, told in every dialect: what comes out must be conformant,
 * whole lines. The seed is fixed; another one: ROLLCALL_SEED=n. The events are kept for a full validator if
 * asked for: ROLLCALL_EVENTS_DIR=/tmp/events meson test -C build map_random && tests/ocsf_validate.sh
 * /tmp/events/...
 */
#include "map/ocsf_check.h"
#include "map/sample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define ENTITIES 1500

static uint64_t seed;

/* xorshift64* */
static uint32_t random_below(uint32_t n)
{
    seed ^= seed >> 12;
    seed ^= seed << 25;
    seed ^= seed >> 27;
    return (uint32_t)((seed * UINT64_C(0x2545f4914f6cdd1d)) >> 33) % n;
}

static const char *const words[] = {
    "",
    " ",
    "plain",
    "Alice",
    "a@b.example",
    "o'b@c.example",
    "not@valid",
    "smtp:x@y.example",
    "SMTP:",
    "-",
    "n/a",
    "Unknown",
    "(null)",
    "\"quoted\"",
    "back\\slash",
    "two\r\nlines",
    "\ttab",
    "=cmd|'/c calc'!A1",
    "+1",
    "@x",
    "\x01\x02\x1f",
    "\x7f",
    "\xc2\x80\xc2\x9f",
    "\xe2\x80\xa8\xe2\x80\xa9",
    "\xf0\x9f\x91\xbe\xf0\x9f\x92\xa9",
    "\xc3\xa9\xc3\xa0",
    "FR",
    "fr",
    "France",
    "5x",
    "{\"json\":1}",
    "]]>",
    "</script>",
    "%s%n",
    "Windows Server 2019",
    "Windows 11",
    "Linux",
    "10.0 (19041)",
    "()",
    ") (",
    "host.corp.example",
    "-bad-.host",
    "pc_1",
    "[LDAP://CN=x,DC=y;0][LDAP://z;99999999999]",
    "[",
    "[]",
    "B:2:00:CN=x",
    "B:99:zz:",
    "CN=a\\,b,OU=c,DC=d",
    "a very long word indeed that goes on and on and on",
};

/* Names are told as they are, so those of fillers would be reported by a validator. */
static const char *random_text(enum attr id)
{
    static const enum attr names[] = {ATTR_CN,
                                      ATTR_NAME,
                                      ATTR_SAM_ACCOUNT_NAME,
                                      ATTR_DISPLAY_NAME,
                                      ATTR_GIVEN_NAME,
                                      ATTR_SN,
                                      ATTR_OU,
                                      ATTR_DC,
                                      ATTR_USER_PRINCIPAL_NAME,
                                      ATTR_DNS_HOST_NAME,
                                      ATTR_TRUST_PARTNER,
                                      ATTR_SURNAME,
                                      ATTR_APP_DISPLAY_NAME,
                                      ATTR_DEFAULT_DOMAIN,
                                      ATTR_MAIL,
                                      ATTR_APP_ID,
                                      ATTR_DEVICE_ID,
                                      ATTR_ROLE_TEMPLATE_ID,
                                      ATTR_ON_PREMISES_DN};
    bool name = false;
    for (size_t i = 0; i < n_elements(names); i++) name |= names[i] == id;
    const char *w;
    do w = words[random_below(n_elements(words))];
    while (name && (!strcmp(w, "-") || !strcmp(w, "n/a") || !strcmp(w, "Unknown") || !strcmp(w, "(null)")));
    return w;
}

static int64_t random_number(void)
{
    static const int64_t some[] = {0,       1,       -1,          2,           0x200, 0x202,     0x1000,
                                   0x82000, 0x10200, -2147483646, -2147483640, 513,   INT64_MAX, INT64_MIN,
                                   99,      7};
    return some[random_below(n_elements(some))];
}
static int64_t random_time(void)
{
    static const int64_t some[] = {
        0,         1,         -11644473600000, SAMPLE_NOW, SAMPLE_NOW - 1, 1000, 253402300799000,
        INT64_MAX, INT64_MIN, 1551675967000};
    return some[random_below(n_elements(some))];
}

static void add_value(struct sample *a, const struct attr_info *info)
{
    static const char *const sids[] = {"S-1-5-21-1144201745-947349077-482060953-1104", "S-1-5-32-544",
                                       "S-1-0x123456789abc-7", "S-1-1-0"};
    uint8_t binary[40];
    for (size_t i = 0; i < sizeof binary; i++) binary[i] = (uint8_t)random_below(256);
    switch (info->type) {
    case ATTR_STRING:
    case ATTR_DN:
        sample_text(a, info->id, random_text(info->id));
        break;
    case ATTR_INT:
        sample_int(a, info->id, random_number());
        break;
    case ATTR_BOOL:
        sample_bool(a, info->id, random_below(2));
        break;
    case ATTR_TIME:
    case ATTR_SPAN:
        sample_int(a, info->id, random_time());
        break;
    case ATTR_SID:
        sample_sid(a, info->id, sids[random_below(n_elements(sids))]);
        break;
    case ATTR_GUID:
        sample_bytes(a, info->id, (struct bytes){binary, random_below(2) ? 16 : 5});
        break;
    case ATTR_BINARY:
        sample_bytes(a, info->id, (struct bytes){binary, random_below(sizeof binary)});
        break;
    }
}

/* A part of all attributes. */
static void add_values(struct sample *a)
{
    unsigned density = random_below(101);
    for (size_t i = 0; i < n_attr_table; i++)
        for (unsigned n = attr_table[i].is_multi ? 1 + random_below(3) : 1; n; n--)
            if (random_below(100) < density) {
                add_value(a, &attr_table[i]);
                if (!attr_table[i].is_multi) break;
            }
    if (random_below(2)) sample_custom(a, "custom \"name\"", random_text(ATTR_TITLE));
}

static struct sample *random_entity(uint32_t number)
{
    static const char *const sids[] = {"S-1-5-21-1144201745-947349077-482060953-2001",
                                       "S-1-5-21-1144201745-947349077-482060953-502", "S-1-5-32-544", NULL};
    static const char *const dns[] = {"CN=x,OU=Staff,DC=corp,DC=example",
                                      "CN=O\\\"B\\, \xe2\x80\xa8,DC=corp,DC=example", "not a DN", "CN=\\",
                                      "x"};
    enum kind k = (enum kind)(1 + random_below(11));
    struct sample *a =
        sample_new(k, number + 1, sids[random_below(n_elements(sids))], dns[random_below(n_elements(dns))]);
    add_values(a);
    for (unsigned n = random_below(4); n; n--)
        sample_in_group(a, random_below(3), sids[random_below(n_elements(sids))], "Group \"x\"",
                        random_number(), random_text(ATTR_DESCRIPTION));
    for (unsigned n = random_below(4); n; n--)
        sample_member(a, (enum kind)random_below(12), random_below(3), sids[random_below(n_elements(sids))],
                      random_text(ATTR_TITLE), "CN=m");
    if (random_below(2))
        sample_manager(a, (enum kind)(1 + random_below(11)), 5, sids[random_below(4)], "boss", "CN=boss");
    if (random_below(2))
        sample_managed_by(a, (enum kind)(1 + random_below(11)), 6, sids[random_below(4)], "owner",
                          "CN=owner");
    if (random_below(2)) sample_parent(a, 7, "OU=parent");
    a->s.deleted_ms = random_time();
    a->s.first_seen_ms = random_time();
    sample_subject(a, random_below(8));
    if (!a->s.name.len) a->s.name = STR("named");
    return a;
}

static enum kind random_tenant_kind(void)
{
    static const enum kind kinds[] = {
        KIND_user,    KIND_group,  KIND_role, KIND_administrative_unit, KIND_service_principal, KIND_device,
        KIND_contact, KIND_tenant, KIND_NONE};
    return kinds[random_below(n_elements(kinds) - 1)];
}

static struct sample *random_tenant_entity(uint32_t number)
{
    static const char *const assignments[] = {"active", "eligible", "", "Assigned"};
    struct sample *a = sample_entra_new(random_tenant_kind(), number + 1);
    add_values(a);
    for (unsigned n = random_below(4); n; n--)
        sample_in_tenant_group(a, random_tenant_kind(), random_below(3), "Group \"x\"", random_number());
    for (unsigned n = random_below(3); n; n--)
        sample_role(a, 1 + random_below(3), "Role \"x\"", random_text(ATTR_ROLE_TEMPLATE_ID),
                    random_text(ATTR_TITLE), assignments[random_below(4)]);
    for (unsigned n = random_below(4); n; n--)
        sample_tenant_member(a, random_tenant_kind(), random_below(3), random_text(ATTR_TITLE),
                             random_text(ATTR_TITLE));
    for (unsigned n = random_below(4); n; n--)
        sample_owner(a, random_tenant_kind(), random_below(3), random_text(ATTR_NAME),
                     random_text(ATTR_NAME));
    if (random_below(2)) sample_manager(a, random_tenant_kind(), random_below(2) * 5, NULL, "boss", "");
    a->s.deleted_ms = random_time();
    a->s.first_seen_ms = random_time();
    sample_subject(a, random_below(16));
    if (random_below(4) == 0) a->s.derived.privileges_known = TRI_NO;
    if (!a->s.name.len) a->s.name = STR("named");
    return a;
}

typedef struct sample *make_entity(uint32_t number);
static make_entity *const worlds[] = {random_entity, random_tenant_entity};

static struct dialect *open_any(const char *name, const char *version, bool is_tenant)
{
    struct err e;
    struct dialect *d;
    struct dialect_options o = {.is_tenant = is_tenant,
                                .ocsf_version = str_from(version),
                                .computers_as_users = true,
                                .context = {STR("corp"), SAMPLE_NOW, 7, STR("run-7"), "0.0.0"}};
    if (dialect_open(&d, str_from(name), &o, &e) < 0) fail_msg("%s", e.message);
    return d;
}

static void start_seed(void)
{
    const char *s = getenv("ROLLCALL_SEED");
    seed = s ? strtoull(s, NULL, 0) : 20260104;
    if (!seed) seed = 1;
}

static void keep(const struct buf *out, const char *version, size_t world)
{
    const char *dir = getenv("ROLLCALL_EVENTS_DIR");
    if (!dir) return;
    struct buf path = buf_new(4096);
    buf_printf(&path, "%s/ocsf-%s-random-%zu.jsonl", dir, version, world);
    FILE *f = fopen(buf_cstr(&path), "w");
    assert_non_null(f);
    assert_int_equal(fwrite(out->ptr, 1, out->len, f), out->len);
    assert_int_equal(fclose(f), 0);
    buf_free(&path);
}

static void check_events(const char *version, size_t world)
{
    struct dialect *d = open_any("ocsf", version, world == 1);
    struct buf out = buf_new((size_t)256 << 20);
    start_seed();
    for (uint32_t n = 0; n < ENTITIES; n++) {
        struct err e;
        struct sample *a = worlds[world](n);
        if (dialect_entity(d, &a->s, &out, &e) < 0) fail_msg("%s", e.message);
        sample_free(a);
    }
    keep(&out, version, world);
    assert_true(ocsf_check_lines(buf_str(&out), version, "random") > ENTITIES / 2);
    buf_free(&out);
    dialect_close(d);
}

static void events_conform(void **state)
{
    static const char *const versions[] = {"1.8.0", "1.6.0", "1.1.0"};
    for (size_t i = 0; i < n_elements(versions); i++)
        for (size_t world = 0; world < n_elements(worlds); world++) check_events(versions[i], world);
}

static void put_file_rows(struct dialect *d, struct sample *a, struct buf *out)
{
    struct dialect_file f;
    struct err e;
    uint64_t rows = 0;
    int more;
    for (size_t k = 0; dialect_file(d, k, a->s.domain, &f); k++) {
        while ((more = dialect_file_rows(d, k, &a->s, out, &rows, &e)) > 0) continue;
        if (more < 0) fail_msg("%s: %s", f.name, e.message);
    }
}

/* No line feed but at the end of a line, all of it UTF-8. */
static void check_lines(const char *name, size_t world)
{
    struct dialect *d = open_any(name, "", world == 1);
    start_seed();
    for (uint32_t n = 0; n < ENTITIES; n++) {
        struct err e;
        struct buf out = buf_new((size_t)16 << 20);
        struct sample *a = worlds[world](n);
        if (dialect_entity(d, &a->s, &out, &e) < 0) fail_msg("%s", e.message);
        if (dialect_shape(d) == SHAPE_JSON_LINES && out.len)
            assert_int_equal(str_index(buf_str(&out), '\n'), out.len - 1);
        put_file_rows(d, a, &out);
        assert_true(str_is_utf8(buf_str(&out)));
        sample_free(a);
        buf_free(&out);
    }
    dialect_close(d);
}

static void lines_are_lines(void **state)
{
    static const char *const names[] = {"sekoia", "veza", "csv", "csv4"};
    for (size_t i = 0; i < n_elements(names); i++)
        for (size_t world = 0; world < n_elements(worlds); world++) check_lines(names[i], world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(events_conform), cmocka_unit_test(lines_are_lines)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
