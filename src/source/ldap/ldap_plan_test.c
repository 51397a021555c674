#include "source/ldap/ldap_plan.h"

#include "model/filter.h"
#include "net/ldap_test.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define NC   "DC=corp,DC=example"
#define BASE "OU=Users,DC=corp,DC=example"

static struct ldap_plan p;

static struct ldap_plan *plan(enum kind kind, const struct ldap_settings *s)
{
    struct err e;
    assert_int_equal(ldap_plan_make(&p, kind, s, NC, &e), 0);
    return &p;
}

static bool asks_for(const struct ldap_plan *x, const char *name)
{
    for (const char *const *a = x->attributes; *a; a++)
        if (strcmp(*a, name) == 0) return true;
    return false;
}

static void every_kind_has_a_sound_plan(void **state)
{
    struct ldap_settings s = {.with_acls = true, .with_disabled = true, .page_size = 1000};
    struct err e;
    (void)state;
    for (size_t i = 0; i < n_ldap_kinds; i++) {
        struct ldap_plan *x = plan(ldap_kinds[i], &s);
        assert_int_equal(filter_check(str_from(x->filter), &e), 0);
        assert_true(asks_for(x, "objectGUID") && asks_for(x, "objectClass") &&
                    asks_for(x, "nTSecurityDescriptor"));
        assert_int_equal(asks_for(x, "member"), ldap_kinds[i] == KIND_group);
        assert_false(asks_for(x, "forestFunctionality"));
        assert_in_range(x->page_size, 1, 1000);
        enum attr before = ATTR_NONE; /* a body wants ascending numbers */
        for (size_t k = 0; k < x->n_slots; k++) {
            assert_int_equal(ldap_plan_find(x, x->slots[k].name, x->n_slots), k);
            if (x->slots[k].use > SLOT_STATS) continue;
            assert_true(x->slots[k].id > before);
            before = x->slots[k].id;
        }
    }
    assert_int_equal(ldap_kinds_all() & KIND_BIT(KIND_role), 0);
}

static void kinds_of_elsewhere_are_refused(void **state)
{
    struct ldap_settings s = {0};
    struct err e;
    (void)state;
    assert_int_equal(ldap_plan_make(&p, KIND_role, &s, NC, &e), ERR_INPUT);
    assert_int_equal(ldap_plan_make(&p, KIND_NONE, &s, NC, &e), ERR_INPUT);
}

static void bases_follow_the_settings(void **state)
{
    static const struct {
        enum kind kind;
        bool own, with_scope; /* of base_dn: always; with group_scope: base_dn */
    } cases[] = {{KIND_user, true, true},
                 {KIND_computer, true, true},
                 {KIND_service_account, true, true},
                 {KIND_contact, true, true},
                 {KIND_group, false, true},
                 {KIND_ou, false, true},
                 {KIND_container, false, true},
                 {KIND_group_policy, false, true},
                 {KIND_foreign_principal, false, true},
                 {KIND_domain, false, false},
                 {KIND_trust, false, false}};
    struct ldap_settings s = {.base_dn = BASE};
    (void)state;
    for (size_t i = 0; i < n_elements(cases); i++) {
        s.groups_of_base = false;
        assert_string_equal(plan(cases[i].kind, &s)->base, cases[i].own ? BASE : NC);
        s.groups_of_base = true;
        assert_string_equal(plan(cases[i].kind, &s)->base, cases[i].with_scope ? BASE : NC);
    }
    s.base_dn = NULL;
    assert_string_equal(plan(KIND_user, &s)->base, NC);
}

static void disabled_users_may_be_left_out(void **state)
{
    struct ldap_settings s = {.with_disabled = false};
    (void)state;
    assert_non_null(strstr(plan(KIND_user, &s)->filter, "(!(userAccountControl:1.2.840.113556.1.4.803:=2))"));
    assert_null(strstr(plan(KIND_computer, &s)->filter, "userAccountControl"));
    s.with_disabled = true;
    assert_null(strstr(plan(KIND_user, &s)->filter, "userAccountControl"));
}

static void descriptors_are_asked_for_or_not(void **state)
{
    struct ldap_settings s = {.with_acls = false};
    (void)state;
    assert_false(asks_for(plan(KIND_group, &s), "nTSecurityDescriptor") || p.wants_sd);
    s.with_acls = true;
    assert_true(asks_for(plan(KIND_user, &s), "nTSecurityDescriptor") && p.wants_sd);
}

static void custom_properties_are_for_their_kind(void **state)
{
    struct ldap_settings s = {.n_custom = 4};
    (void)state;
    s.custom[0] = (struct ldap_custom){STR("badgeNumber"), ATTR_STRING, KIND_user};
    s.custom[1] = (struct ldap_custom){STR("badgeNumber"), ATTR_INT, KIND_group};
    s.custom[2] = (struct ldap_custom){STR("MAIL"), ATTR_STRING, KIND_user};       /* read anyway */
    s.custom[3] = (struct ldap_custom){STR("objectGUID"), ATTR_BINARY, KIND_user}; /* has its own place */
    struct ldap_plan *x = plan(KIND_user, &s);
    size_t at = ldap_plan_find(x, STR("BadgeNumber"), x->n_slots);
    assert_true(at < x->n_slots && x->slots[at].id == ATTR_CUSTOM && x->slots[at].type == ATTR_STRING);
    assert_int_equal(x->slots[ldap_plan_find(x, STR("mail"), 0)].id, ATTR_MAIL);
    assert_int_equal(x->slots[x->guid].use, SLOT_GUID);
    x = plan(KIND_group, &s);
    assert_int_equal(x->slots[ldap_plan_find(x, STR("badgeNumber"), 0)].type, ATTR_INT);
    x = plan(KIND_computer, &s);
    assert_int_equal(ldap_plan_find(x, STR("badgeNumber"), 0), x->n_slots);
}

static void a_hundred_custom_properties_fit(void **state)
{
    struct ldap_settings s = {.with_acls = true, .n_custom = LDAP_CUSTOM_MAX};
    static char names[LDAP_CUSTOM_MAX][16];
    (void)state;
    for (size_t i = 0; i < LDAP_CUSTOM_MAX; i++) {
        snprintf(names[i], sizeof names[i], "custom%zu", i);
        s.custom[i] = (struct ldap_custom){str_from(names[i]), ATTR_STRING, KIND_user};
    }
    struct ldap_plan *x = plan(KIND_user, &s);
    for (size_t i = 0; i < LDAP_CUSTOM_MAX; i++)
        assert_true(ldap_plan_find(x, str_from(names[i]), 0) < x->n_slots);
    assert_true(x->guid < x->n_slots && x->member_of < x->n_slots && x->sd < x->n_slots);
}

static void classes_tell_the_kind(void **state)
{
    static const struct {
        enum kind kind;
        const char *classes[8];
    } cases[] = {
        {KIND_user, {"top", "person", "organizationalPerson", "user"}},
        {KIND_user, {"top", "person", "organizationalPerson", "user", "inetOrgPerson"}},
        {KIND_user, {"user", "top", "customUser"}},
        {KIND_computer, {"top", "person", "organizationalPerson", "user", "computer"}},
        {KIND_service_account,
         {"top", "person", "organizationalPerson", "user", "computer", "msDS-GroupManagedServiceAccount"}},
        {KIND_service_account, {"top", "user", "computer", "msDS-ManagedServiceAccount"}},
        {KIND_service_account, {"msds-delegatedmanagedserviceaccount", "computer", "user"}},
        {KIND_contact, {"top", "person", "organizationalPerson", "contact"}},
        {KIND_group, {"top", "group"}},
        {KIND_ou, {"top", "organizationalUnit"}},
        {KIND_container, {"top", "container"}},
        {KIND_container, {"top", "builtinDomain"}},
        {KIND_group_policy, {"top", "container", "groupPolicyContainer"}},
        {KIND_domain, {"top", "domain", "domainDNS"}},
        {KIND_foreign_principal, {"top", "foreignSecurityPrincipal"}},
        {KIND_trust, {"top", "leaf", "trustedDomain"}},
        {KIND_NONE, {"top", "person"}},
        {KIND_NONE, {"top"}},
        {KIND_NONE, {NULL}},
    };
    struct buf b = buf_new(4096);
    (void)state;
    for (size_t i = 0; i < n_elements(cases); i++) {
        buf_clear(&b);
        for (const char *const *c = cases[i].classes; *c; c++) put_text(&b, *c);
        if (ldap_kind_of_classes(buf_bytes(&b)) != cases[i].kind) fail_msg("case %zu", i);
    }
    buf_free(&b);
}

/* --- settings ------------------------------------------------------------------------------------------ */

static int settings_of(struct ldap_settings *out, const char *json, struct err *e)
{
    static json_t *kept; /* the settings borrow from it */
    json_decref(kept);
    kept = json_loads(json, 0, NULL);
    assert_non_null(kept);
    return ldap_settings_read(out, kept, e);
}

#define MINIMAL "\"domain\":\"corp.example\",\"host\":\"dc1\",\"username\":\"u\""

static void settings_are_read(void **state)
{
    struct ldap_settings s;
    struct err e;
    (void)state;
    assert_int_equal(settings_of(&s, "{" MINIMAL "}", &e), 0);
    assert_true(s.port == 636 && s.security == LDAP_SEC_LDAPS && s.with_acls && s.with_disabled &&
                !s.groups_of_base);
    assert_true(s.page_size == 1000 && s.connect_timeout_ms == 10000 && s.answer_timeout_ms == 60000 &&
                !s.base_dn);
    assert_int_equal(
        settings_of(&s,
                    "{" MINIMAL
                    ",\"security\":\"starttls\",\"extract_acls\":false,\"group_scope\":\"base_dn\","
                    "\"base_dn\":\"OU=x,DC=corp\",\"answer_timeout\":\"5s\",\"page_size\":7}",
                    &e),
        0);
    assert_true(s.port == 389 && s.security == LDAP_SEC_STARTTLS && !s.with_acls && s.groups_of_base &&
                s.answer_timeout_ms == 5000);
    assert_int_equal(s.page_size, 7);
    assert_int_equal(
        settings_of(
            &s,
            "{" MINIMAL
            ",\"custom_properties\":[{\"name\":\"badgeNumber\",\"kind\":\"user\",\"type\":\"integer\"}]}",
            &e),
        0);
    assert_true(s.n_custom == 1 && s.custom[0].type == ATTR_INT && s.custom[0].kind == KIND_user);
}

static void bad_settings_name_their_key(void **state)
{
    static const struct {
        const char *json, *says;
    } cases[] = {
        {"{\"host\":\"dc1\",\"username\":\"u\"}", "domain"},
        {"{\"domain\":\"x\",\"username\":\"u\"}", "host"},
        {"{\"domain\":\"x\",\"host\":\"dc1\"}", "username"},
        {"{" MINIMAL ",\"security\":\"ldap\"}", "security"},
        {"{" MINIMAL ",\"auth\":\"ntlm\"}", "auth"},
        {"{" MINIMAL ",\"port\":70000}", "port"},
        {"{" MINIMAL ",\"base_dn\":\"no dn\"}", "base_dn"},
        {"{" MINIMAL ",\"answer_timeout\":\"soon\"}", "answer_timeout"},
        {"{" MINIMAL ",\"custom_properties\":[{\"name\":\"a*b\"}]}", "custom_properties"},
        {"{" MINIMAL ",\"custom_properties\":[{\"name\":\"a;range=0-1\"}]}", "custom_properties"},
        {"{" MINIMAL ",\"custom_properties\":[{\"name\":\"a\",\"kind\":\"tree\"}]}", "tree"},
        {"{" MINIMAL ",\"custom_properties\":[{\"name\":\"a\",\"type\":\"float\"}]}", "float"},
    };
    struct ldap_settings s;
    struct err e;
    (void)state;
    for (size_t i = 0; i < n_elements(cases); i++) {
        if (settings_of(&s, cases[i].json, &e) != ERR_INPUT) fail_msg("%s was accepted", cases[i].json);
        if (!strstr(e.message, cases[i].says)) fail_msg("'%s' does not say '%s'", e.message, cases[i].says);
    }
    assert_int_equal(settings_of(&s, "{" MINIMAL "}", &e), 0); /* lets go of the last one */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_has_a_sound_plan),
        cmocka_unit_test(kinds_of_elsewhere_are_refused),
        cmocka_unit_test(bases_follow_the_settings),
        cmocka_unit_test(disabled_users_may_be_left_out),
        cmocka_unit_test(descriptors_are_asked_for_or_not),
        cmocka_unit_test(custom_properties_are_for_their_kind),
        cmocka_unit_test(a_hundred_custom_properties_fit),
        cmocka_unit_test(classes_tell_the_kind),
        cmocka_unit_test(settings_are_read),
        cmocka_unit_test(bad_settings_name_their_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
