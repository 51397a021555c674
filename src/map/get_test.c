/* Attributes that hold a format of their own: key credentials, linked policies, security descriptors, OCSF's
 * view of them. */
#include "map/sample.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* The value of a path of two or three keys in the one event of `a`; "" if absent. Free it. */
static char *value_at(struct sample *a, const char *const keys[4])
{
    struct err e;
    struct dialect *d;
    struct dialect_options o = {.context = {STR("corp"), SAMPLE_NOW, 7, STR("run-7"), "0.0.0"}};
    struct buf out = buf_new((size_t)16 << 20);
    sample_subject(a, 0);
    assert_int_equal(dialect_open(&d, STR("ocsf"), &o, &e), 0);
    assert_int_equal(dialect_entity(d, &a->s, &out, &e), 0);
    json_t *event = json_loadb((const char *)out.ptr, out.len, 0, NULL), *v = event;
    assert_non_null(event);
    for (size_t i = 0; i < 4 && keys[i]; i++)
        v = json_is_array(v) ? json_object_get(json_array_get(v, json_array_size(v) - 1), keys[i])
                             : json_object_get(v, keys[i]);
    char *text = v ? json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY) : x_strdup(STR(""));
    json_decref(event);
    buf_free(&out);
    dialect_close(d);
    return text;
}

static void expect(struct sample *a, const char *const keys[4], const char *want, const char *given)
{
    char *text = value_at(a, keys);
    if (strcmp(text, want)) fail_msg("\"%s\" gives %s, not %s", given, text, want);
    free(text);
    sample_free(a);
}

#define ID "0001020304050607"

static void key_credentials(void **state)
{
    static const char *const path[4] = {"user", "programmatic_credentials"};
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"B:60:00020000080001" ID "010004010800080040ba19e05bdb01:CN=x",
         "[{\"uid\":\"AAECAwQFBgc=\",\"type\":\"NGC\",\"last_used_time\":1735689600000}]"},
        {"B:30:00020000080001" ID ":CN=x", "[{\"uid\":\"AAECAwQFBgc=\"}]"},
        {"b:30:00020000080001" ID ":CN=x", ""},
        {"B:38:00020000080001" ID "01000407:CN=x", "[{\"uid\":\"AAECAwQFBgc=\",\"type\":\"FIDO\"}]"},
        {"B:38:00020000080001" ID "01000463:CN=x", "[{\"uid\":\"AAECAwQFBgc=\"}]"},
        {"B:38:00020000080001" ID "0000040:CN=x", ""}, /* odd */
        {"B:30:00010000080001" ID ":CN=x", ""},        /* another version */
        {"B:30:00020000090001" ID ":CN=x", ""},        /* an entry past the end */
        {"B:30:000200000800" ID "0102:CN=x", ""},      /* no key id */
        {"B:30:0002000008000100010203040506GG:CN=x", ""},
        {"B:30:00020000080001" ID, ""}, /* no DN */
        {"B:8:00020000:CN=x", ""},
        {"B::", ""},
        {"B:", ""},
        {"", ""},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct sample *a = sample_new(KIND_user, 9, NULL, "CN=x");
        sample_text(a, ATTR_KEY_CREDENTIAL_LINK, cases[i].text);
        expect(a, path, cases[i].want, cases[i].text);
    }
}

static void very_long_keys_are_left_out(void **state)
{
    static const char *const path[4] = {"user", "programmatic_credentials"};
    struct buf text = buf_new((size_t)1 << 20);
    struct sample *a = sample_new(KIND_user, 9, NULL, "CN=x");
    buf_add_str(&text, STR("B:100000:00020000"));
    for (unsigned i = 0; i < 50000; i++) buf_add_str(&text, STR("00"));
    buf_add_str(&text, STR(":CN=x"));
    sample_str(a, ATTR_KEY_CREDENTIAL_LINK, buf_str(&text));
    expect(a, path, "", "a long one");
    buf_free(&text);
}

static void linked_policies(void **state)
{
    static const char *const path[4] = {"entity", "data", "linked_policies"};
#define LINK(dn, enabled, enforced) "{\"dn\":\"" dn "\",\"enabled\":" enabled ",\"enforced\":" enforced "}"
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"[LDAP://CN=a;0]", "[" LINK("CN=a", "true", "false") "]"},
        {"[LDAP://CN=a;1][ldap://CN=b;2]",
         "[" LINK("CN=a", "false", "false") "," LINK("CN=b", "true", "true") "]"},
        {"[LDAP://CN=a;3]", "[" LINK("CN=a", "false", "true") "]"},
        {"[LDAP://CN=a;b;0]", "[" LINK("CN=a;b", "true", "false") "]"},
        {"[LDAP://CN=a]", "[" LINK("CN=a", "true", "false") "]"},
        {"[LDAP://CN=a;]", "[" LINK("CN=a", "true", "false") "]"},
        {"[LDAP://CN=a;99999999999999999999999]", NULL}, /* no overflow, whatever it means */
        {" [LDAP://CN=a;0] [", "[" LINK("CN=a", "true", "false") "]"},
        {"[LDAP://CN=\"a\";0]", "[" LINK("CN=\\\"a\\\"", "true", "false") "]"},
        {" ", ""},
        {"[", ""},
        {"]", ""},
        {"][", ""},
        {"LDAP://CN=a;0", ""},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct sample *a = sample_new(KIND_ou, 9, NULL, "OU=x");
        sample_text(a, ATTR_GP_LINK, cases[i].text);
        if (cases[i].want) {
            expect(a, path, cases[i].want, cases[i].text);
        } else {
            free(value_at(a, path));
            sample_free(a);
        }
    }
}

/* Self-relative, DACL at 20: one ACE of the given type and flags for S-1-1-0. */
static void put_sd(uint8_t out[48], uint8_t type, uint8_t flags)
{
    static const uint8_t sd[48] = {1,  0, 4, 0x80, 0, 0, 0,  0, 0, 0, 0, 0, 0, 0, 0,  0,
                                   20, 0, 0, 0,    2, 0, 28, 0, 1, 0, 0, 0, 0, 0, 20, 0,
                                   1,  0, 0, 0,    1, 1, 0,  0, 0, 0, 0, 1, 0, 0, 0,  0};
    memcpy(out, sd, sizeof sd);
    out[28] = type;
    out[29] = flags;
}

static void trustees(void **state)
{
    static const char *const path[4] = {"enrichments", "data", "allowed_to_act"};
    static const struct {
        uint8_t type, flags;
        size_t length;
        const char *want;
    } cases[] = {
        {0, 0, 48, "[\"S-1-1-0\"]"},
        {0, 0x10, 48, "[\"S-1-1-0\"]"}, /* inherited */
        {0, 8, 48, ""},                 /* inherit only: not for this object */
        {1, 0, 48, ""},                 /* deny */
        {0, 0, 47, ""},
        {0, 0, 20, ""},
        {0, 0, 1, ""}, /* cut short */
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        uint8_t sd[48];
        struct sample *a = sample_new(KIND_user, 9, NULL, "CN=x");
        put_sd(sd, cases[i].type, cases[i].flags);
        sample_bytes(a, ATTR_ALLOWED_TO_ACT, (struct bytes){sd, cases[i].length});
        expect(a, path, cases[i].want, "a descriptor");
    }
}

static void custom_properties(void **state)
{
    static const char *const path[4] = {"enrichments", "data", "custom_properties"};
    struct sample *a = sample_new(KIND_user, 9, NULL, "CN=x");
    struct buf v = buf_new(4096);
    sample_text(a, ATTR_TITLE, "Clerk");
    body_value_int(&v, -5);
    body_add_custom(&a->custom, STR("level"), ATTR_INT, 1, buf_bytes(&v));
    buf_clear(&v);
    body_value_bool(&v, true);
    body_add_custom(&a->custom, STR("isPilot"), ATTR_BOOL, 1, buf_bytes(&v));
    buf_clear(&v);
    body_value_int(&v, SAMPLE_NOW);
    body_add_custom(&a->custom, STR("hired"), ATTR_TIME, 1, buf_bytes(&v));
    buf_clear(&v);
    body_value_bytes(&v, bytes_of(STR("a")));
    body_value_bytes(&v, bytes_of(STR("b\"")));
    body_add_custom(&a->custom, STR("many \"x\""), ATTR_STRING, 2, buf_bytes(&v));
    buf_clear(&v);
    body_value_bytes(&v, bytes_of(STR("\xff\x01\x02")));
    body_add_custom(&a->custom, STR("raw"), ATTR_BINARY, 1, buf_bytes(&v));
    buf_free(&v);
    expect(a, path,
           "{\"level\":-5,\"isPilot\":true,\"hired\":1767225600000,\"many "
           "\\\"x\\\"\":[\"a\",\"b\\\"\"],\"raw\":\"/wEC\"}",
           "custom properties");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(key_credentials),   cmocka_unit_test(very_long_keys_are_left_out),
        cmocka_unit_test(linked_policies),   cmocka_unit_test(trustees),
        cmocka_unit_test(custom_properties),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
