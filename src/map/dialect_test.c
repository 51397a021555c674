/* sekoia and veza, attribute by attribute as the contracts say. */
#include "map/sample.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define SID(rid) "S-1-5-21-1144201745-947349077-482060953-" #rid

static json_t *object_of(const char *dialect, struct sample *a)
{
    struct err e;
    struct dialect *d;
    struct dialect_options o = {.context = {STR("corp"), SAMPLE_NOW, 7, STR("run-7"), "0.0.0"}};
    struct buf out = buf_new((size_t)1 << 20);
    if (dialect_open(&d, str_from(dialect), &o, &e) < 0) fail_msg("%s", e.message);
    assert_int_equal(dialect_entity(d, &a->s, &out, &e), 0);
    json_t *object =
        out.len ? json_loadb((const char *)out.ptr, out.len, JSON_REJECT_DUPLICATES, NULL) : NULL;
    if (out.len) assert_non_null(object);
    buf_free(&out);
    dialect_close(d);
    return object;
}

static void expect(json_t *object, const char *want)
{
    json_error_t error;
    json_t *wanted = json_loads(want, 0, &error);
    if (!wanted) fail_msg("%s", error.text);
    if (!json_equal(object, wanted)) fail_msg("%s", json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS));
    json_decref(wanted);
    json_decref(object);
}

/* --- sekoia -------------------------------------------------------------------------------------- */
static void sekoia_admin(void **state)
{
    struct sample *a = sample_cast(0);
    a->s.n_groups = 2;
    expect(
        object_of("sekoia", a),
        "{\"time\":1551675967,\"activity_id\":2,\"activity_name\":\"Collect\",\"category_name\":"
        "\"Discovery\","
        "\"category_uid\":5,\"class_name\":\"User Inventory Info\",\"class_uid\":5003,"
        "\"type_name\":\"User Inventory Info: "
        "Collect\",\"type_uid\":500302,\"severity\":\"Informational\",\"severity_id\":1,"
        "\"metadata\":{\"version\":\"1.6.0\",\"product\":{\"name\":\"Microsoft Active "
        "Directory\",\"vendor_name\":\"Microsoft\",\"version\":\"1.0\"}},"
        "\"user\":{\"name\":\"Alice Liddell\",\"uid\":\"" SID(
            1104) "\",\"uid_alt\":\"00000450-0000-4000-8000-000000000450\","
                  "\"type_id\":2,\"type\":\"Admin\",\"account\":{\"name\":\"alice.liddell@corp.example\","
                  "\"type_id\":1,\"type\":\"LDAP Account\","
                  "\"uid\":\"" SID(
                      1104) "\"},\"full_name\":\"Alice Liddell\",\"display_name\":\"Alice Liddell\","
                            "\"email_addr\":\"Alice.Liddell@corp.example\",\"domain\":\"corp.example\","
                            "\"groups\":[{\"name\":\"Domain Users\",\"uid\":\"" SID(
                                513) "\"},{\"name\":\"Payroll\",\"uid\":\"" SID(1201) "\"}]},"
                                                                                      "\"enrichments\":[{"
                                                                                      "\"name\":\"login\","
                                                                                      "\"value\":\"infos\","
                                                                                      "\"data\":{\"is_"
                                                                                      "enabled\":true,\"last_"
                                                                                      "logon\":1767199512,"
                                                                                      "\"bad_password_"
                                                                                      "count\":1,\"number_of_"
                                                                                      "logons\":4711}}]}");
    sample_free(a);
}

static void sekoia_names(void **state)
{
    static const struct {
        const char *display, *given, *surname, *upn, *name, *account;
    } cases[] = {
        {"Ann A.", "Ann", "A", "ann@x", "Ann A.", "ann@x"},
        {NULL, "Ann", "A", NULL, "Ann A", "ann"},
        {NULL, "Ann", NULL, NULL, "Ann", "ann"},
        {NULL, NULL, "A", NULL, "A", "ann"},
        {NULL, NULL, NULL, NULL, "ann", "ann"},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct sample *a = sample_new(KIND_user, 9, SID(2001), "CN=x,DC=corp,DC=example");
        sample_text(a, ATTR_SAM_ACCOUNT_NAME, "ann");
        if (cases[i].display) sample_text(a, ATTR_DISPLAY_NAME, cases[i].display);
        if (cases[i].given) sample_text(a, ATTR_GIVEN_NAME, cases[i].given);
        if (cases[i].surname) sample_text(a, ATTR_SN, cases[i].surname);
        if (cases[i].upn) sample_text(a, ATTR_USER_PRINCIPAL_NAME, cases[i].upn);
        sample_subject(a, 0);
        json_t *object = object_of("sekoia", a), *user = json_object_get(object, "user");
        assert_string_equal(json_string_value(json_object_get(user, "name")), cases[i].name);
        assert_string_equal(json_string_value(json_object_get(json_object_get(user, "account"), "name")),
                            cases[i].account);
        assert_int_equal(json_integer_value(json_object_get(object, "time")),
                         SAMPLE_NOW / 1000); /* no creation known */
        assert_null(json_object_get(user, "email_addr"));
        assert_null(json_object_get(object, "enrichments"));
        json_decref(object);
        sample_free(a);
    }
}

static void sekoia_kinds(void **state)
{
    for (size_t i = 0;; i++) {
        struct sample *a = sample_cast(i);
        if (!a) break;
        json_t *object = object_of("sekoia", a);
        bool asset = a->record.kind == KIND_user || a->record.kind == KIND_service_account;
        assert_int_equal(object != NULL, asset);
        if (a->record.kind == KIND_service_account)
            assert_int_equal(json_integer_value(json_object_get(json_object_get(object, "user"), "type_id")),
                             4);
        json_decref(object);
        sample_free(a);
    }
}

/* --- veza ---------------------------------------------------------------------------------------- */

/* The forty rows of the document's user table. */
static void veza_user(void **state)
{
    struct sample *a = sample_cast(0);
    expect(
        object_of("veza", a),
        "{\"entity_type\":\"Active Directory User\",\"account_name\":\"aliddell\",\"account_type\":\"user\","
        "\"active_directory_domain\":\"corp.example\",\"city\":\"Oxford\",\"common_name\":\"Alice Liddell\","
        "\"company\":\"Wonderland "
        "Ltd\",\"country_code\":\"GB\",\"country_or_region\":826,\"created_at\":\"2019-03-04T05:06:07Z\","
        "\"department\":\"Finance\",\"description\":\"Payroll, second floor\",\"display_name\":\"Alice "
        "Liddell\","
        "\"distinguished_name\":\"CN=Alice Liddell,OU=Staff,DC=corp,DC=example\",\"domain_admin\":true,"
        "\"email\":\"Alice.Liddell@corp.example\",\"first_name\":\"Alice\",\"given_name\":\"Alice\","
        "\"idp_unique_id\":\"alice.liddell@corp.example\",\"is_active\":true,\"is_locked\":false,\"job_"
        "title\":\"Payroll Officer\","
        "\"last_name\":\"Liddell\",\"last_logon\":\"2025-12-31T16:45:12.345Z\",\"lower_email\":\"alice."
        "liddell@corp.example\","
        "\"manager\":\"CN=Charles "
        "Dodgson,OU=Staff,DC=corp,DC=example\",\"manager_principal_name\":\"cdodgson\","
        "\"office\":\"Oxford "
        "2.14\",\"password_last_set\":\"2025-12-01T08:00:00Z\",\"physical_delivery_office_name\":\"Oxford "
        "2.14\","
        "\"postal_code\":\"OX1 1DP\",\"primary_group_id\":513,\"sid\":\"" SID(
            1104) "\",\"state_or_province_name\":\"Oxfordshire\","
                  "\"street_address\":\"St Aldate's\",\"sur_name\":\"Liddell\",\"title\":\"Payroll Officer\","
                  "\"user_principal_name\":\"alice.liddell@corp.example\",\"user_password_expiration\":"
                  "\"2026-01-12T08:00:00Z\","
                  "\"full_admin\":true,\"user_account_control\":[\"NORMAL_ACCOUNT\"],"
                  "\"custom_properties\":{\"badgeNumber\":\"B-0042\",\"time\":\"a property with an awkward "
                  "name\"}}");
    sample_free(a);
}

static void veza_unknown_is_absent(void **state)
{
    struct sample *a = sample_cast(1);
    a->s.derived.privileges_known = TRI_NO;
    expect(object_of("veza", a),
           "{\"entity_type\":\"Active Directory "
           "User\",\"account_name\":\"bare\",\"active_directory_domain\":\"corp.example\","
           "\"distinguished_name\":\"CN=bare,CN=Users,DC=corp,DC=example\",\"sid\":\"" SID(1106) "\"}");
    sample_free(a);
}

static void veza_flags_and_domains(void **state)
{
    struct sample *a = sample_new(KIND_user, 9, SID(2001), "CN=x,DC=corp,DC=example");
    sample_text(a, ATTR_USER_PRINCIPAL_NAME, "x@y@other.example");
    sample_int(a, ATTR_USER_ACCOUNT_CONTROL, 0x10202);
    sample_int(a, ATTR_LOCKOUT_TIME, SAMPLE_NOW - 1000);
    sample_subject(a, PRIV_FULL_ADMIN);
    json_t *object = object_of("veza", a);
    assert_string_equal(json_string_value(json_object_get(object, "active_directory_domain")),
                        "other.example");
    assert_true(json_is_false(json_object_get(object, "is_active")));
    assert_true(json_is_true(json_object_get(object, "is_locked")));
    assert_true(json_is_false(json_object_get(object, "domain_admin")));
    assert_true(json_is_true(json_object_get(object, "full_admin")));
    json_t *flags = json_pack("[sss]", "ACCOUNTDISABLE", "NORMAL_ACCOUNT", "DONT_EXPIRE_PASSWORD");
    assert_true(json_equal(json_object_get(object, "user_account_control"), flags));
    json_decref(flags);
    json_decref(object);
    sample_free(a);
}

static void veza_kinds(void **state)
{
    static const char *const types[KIND_COUNT] = {
        [KIND_user] = "Active Directory User",
        [KIND_group] = "Active Directory Group",
        [KIND_ou] = "Active Directory Organizational Unit",
        [KIND_computer] = "Active Directory Computer",
        [KIND_service_account] = "Active Directory Managed Service Account",
        [KIND_domain] = "Active Directory Domain",
    };
    for (size_t i = 0;; i++) {
        struct sample *a = sample_cast(i);
        if (!a) break;
        json_t *object = object_of("veza", a);
        const char *type = json_string_value(json_object_get(object, "entity_type"));
        if (types[a->record.kind])
            assert_string_equal(type, types[a->record.kind]);
        else
            assert_null(object);
        json_decref(object);
        sample_free(a);
    }
}

static void changes_are_ocsf_only(void **state)
{
    static const char *const names[] = {"sekoia", "veza", "csv", "csv4"};
    struct change c = {.kind = KIND_user, .type = CHANGE_created};
    for (size_t i = 0; i < n_elements(names); i++) {
        struct err e;
        struct dialect *d;
        struct dialect_options o = {0};
        struct buf out = buf_new(4096);
        assert_int_equal(dialect_open(&d, str_from(names[i]), &o, &e), 0);
        assert_int_equal(dialect_change(d, &c, NULL, &out, &e), 0);
        assert_int_equal(out.len, 0);
        buf_free(&out);
        dialect_close(d);
    }
}

static void docs_name_every_dialect(void **state)
{
    size_t n = 0;
    for (const struct dialect_doc *doc = dialect_docs; doc->name; doc++, n++) {
        struct err e;
        struct dialect *d;
        struct dialect_options o = {0};
        assert_int_equal(dialect_open(&d, str_from(doc->name), &o, &e), 0);
        assert_int_equal(dialect_shape(d), doc->shape);
        assert_true(dialect_kinds(d) & KIND_BIT(KIND_user));
        dialect_close(d);
    }
    assert_int_equal(n, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sekoia_admin),
        cmocka_unit_test(sekoia_names),
        cmocka_unit_test(sekoia_kinds),
        cmocka_unit_test(veza_user),
        cmocka_unit_test(veza_unknown_is_absent),
        cmocka_unit_test(veza_flags_and_domains),
        cmocka_unit_test(veza_kinds),
        cmocka_unit_test(changes_are_ocsf_only),
        cmocka_unit_test(docs_name_every_dialect),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
