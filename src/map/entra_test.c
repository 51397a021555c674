/* The dialects of a tenant that have no versions: sekoia row by row, veza, and what holds for all of them. */
#include "map/event.h"
#include "map/sample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct dialect *open_any(const char *name)
{
    struct err e;
    struct dialect *d;
    struct dialect_options o = {.is_tenant = true,
                                .context = {STR("cloud"), SAMPLE_NOW, 7, STR("run-7"), "0.0.0"}};
    if (dialect_open(&d, str_from(name), &o, &e) < 0) fail_msg("%s", e.message);
    return d;
}

static json_t *object_of(const char *dialect, struct sample *a)
{
    struct err e;
    struct dialect *d = open_any(dialect);
    struct buf out = buf_new((size_t)1 << 20);
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
#define ENVELOPE                                                                                             \
    "\"activity_id\":2,\"activity_name\":\"Collect\",\"category_name\":\"Discovery\",\"category_uid\":5,"    \
    "\"class_name\":\"User Inventory Info\",\"class_uid\":5003,"                                             \
    "\"type_name\":\"User Inventory Info: Collect\",\"type_uid\":500302,"                                    \
    "\"severity\":\"Informational\",\"severity_id\":1,"                                                      \
    "\"metadata\":{\"version\":\"1.6.0\",\"product\":{\"name\":\"Microsoft Entra ID\","                      \
    "\"vendor_name\":\"Microsoft\",\"version\":\"1.0\"}},"

static void sekoia_admin(void **state)
{
    struct sample *a = sample_entra_cast(0);
    expect(
        object_of("sekoia", a),
        "{\"time\":1551675967," ENVELOPE
        "\"user\":{\"name\":\"Alice Liddell\",\"uid\":\"000007d1-0000-4000-8000-0000000007d1\",\"type_id\":2,"
        "\"type\":\"Admin\",\"has_mfa\":true,\"account\":{\"name\":\"alice.liddell@contoso.example\",\"type_"
        "id\":6,"
        "\"type\":\"Azure AD Account\",\"uid\":\"000007d1-0000-4000-8000-0000000007d1\"},"
        "\"full_name\":\"Alice Liddell\",\"display_name\":\"Alice Liddell\","
        "\"email_addr\":\"Alice.Liddell@contoso.example\",\"domain\":\"contoso.example\","
        "\"org\":{\"name\":\"Wonderland Ltd\",\"ou_name\":\"Oxford 2.14\"},"
        "\"groups\":[{\"name\":\"Payroll\",\"uid\":\"00000835-0000-4000-8000-000000000835\"},"
        "{\"name\":\"Oxford\",\"uid\":\"00000836-0000-4000-8000-000000000836\"}]},"
        "\"enrichments\":[{\"name\":\"account\",\"value\":\"status\",\"data\":{\"is_enabled\":true,\"is_"
        "mfa\":true,"
        "\"is_restricted\":false,\"last_logon\":1767199512}},"
        "{\"name\":\"employment\",\"value\":\"Finance - Payroll "
        "Officer\",\"data\":{\"department\":\"Finance\","
        "\"job_title\":\"Payroll Officer\",\"employee_id\":\"100427\",\"employee_type\":\"employee\"}}]}");
    sample_free(a);
}

/* No creation, no mail, no company, never signed in, nobody knows of MFA. */
static void sekoia_unknown_is_left_out(void **state)
{
    struct sample *a = sample_entra_cast(1);
    expect(
        object_of("sekoia", a),
        "{\"time\":1767225600," ENVELOPE "\"user\":{\"name\":\"bare\",\"uid\":\"000007d3-0000-4000-8000-"
                                         "0000000007d3\",\"type_id\":1,\"type\":\"User\","
        "\"account\":{\"name\":\"bare@contoso.example\",\"type_id\":6,\"type\":\"Azure AD Account\","
        "\"uid\":\"000007d3-0000-4000-8000-0000000007d3\"},\"full_name\":\"bare\",\"display_name\":\"bare\","
        "\"email_addr\":\"bare\",\"domain\":\"contoso.example\","
        "\"org\":{\"name\":\"Contoso \\\"Ltd\\\"\",\"ou_name\":\"Shed 3\"}},"
        "\"enrichments\":[{\"name\":\"account\",\"value\":\"status\",\"data\":{\"is_enabled\":false}}]}");
    sample_free(a);
}

struct row_case {
    enum attr id;
    const char *text; /* or */
    int64_t number;
    const char *path, *want;
};
static const struct row_case rows[] = {
    {ATTR_DISPLAY_NAME, "Ann", 0, "user.name", "\"Ann\""},
    {ATTR_USER_PRINCIPAL_NAME, "a@x.example", 0, "user.name", "\"a@x.example\""}, /* a name there must be */
    {ATTR_USER_PRINCIPAL_NAME, "a@b@x.example", 0, "user.account.name", "\"a@b@x.example\""},
    {ATTR_USER_PRINCIPAL_NAME, "a@b@x.example", 0, "user.domain", "\"x.example\""},
    {ATTR_USER_PRINCIPAL_NAME, "nobody", 0, "user.domain", ""},
    {ATTR_MAIL, "a@x.example", 0, "user.email_addr", "\"a@x.example\""},
    {ATTR_MAIL_NICKNAME, "na", 0, "user.email_addr", "\"na\""}, /* a name, no filler */
    {ATTR_COMPANY_NAME, "Acme", 0, "user.org", "{\"name\":\"Acme\"}"},
    {ATTR_COMPANY_NAME, "n/a", 0, "user.org", ""},
    {ATTR_OFFICE_LOCATION, "A1", 0, "user.org", "{\"name\":\"Contoso \\\"Ltd\\\"\",\"ou_name\":\"A1\"}"},
    {ATTR_CREATED, NULL, 1551675967999, "time", "1551675967"},
    {ATTR_CREATED, NULL, 0, "time", "1767225600"},
    {ATTR_LAST_SIGN_IN, NULL, 1551675967999, "enrichments[0].data", "{\"last_logon\":1551675967}"},
    {ATTR_LAST_SUCCESSFUL_SIGN_IN, NULL, 1551675967999, "enrichments", ""}, /* the row names the other one */
    {ATTR_ACCOUNT_ENABLED, NULL, 1, "enrichments[0].data", "{\"is_enabled\":true}"},
    {ATTR_IS_RESTRICTED, NULL, 1, "enrichments[0].data", "{\"is_restricted\":true}"},
    {ATTR_IS_MFA_REGISTERED, NULL, 0, "enrichments[0].data", "{\"is_mfa\":false}"},
    {ATTR_IS_MFA_REGISTERED, NULL, 1, "enrichments[0].data", "{\"is_mfa\":true}"},
    {ATTR_IS_PASSWORDLESS_CAPABLE, NULL, 1, "user.has_mfa", "true"},
    {ATTR_DEPARTMENT, "R&D", 0, "enrichments[0]",
     "{\"data\":{\"department\":\"R&D\"},\"name\":\"employment\",\"value\":\"R&D\"}"},
    {ATTR_JOB_TITLE, "Boss", 0, "enrichments[0]",
     "{\"data\":{\"job_title\":\"Boss\"},\"name\":\"employment\",\"value\":\"Boss\"}"},
    {ATTR_GRAPH_EMPLOYEE_ID, "7", 0, "enrichments[0]",
     "{\"data\":{\"employee_id\":\"7\"},\"name\":\"employment\",\"value\":\"info\"}"},
    {ATTR_EMPLOYEE_TYPE, "temp", 0, "enrichments[0]",
     "{\"data\":{\"employee_type\":\"temp\"},\"name\":\"employment\",\"value\":\"info\"}"},
    {ATTR_EMPLOYEE_TYPE, "-", 0, "enrichments", ""},
};

static void sekoia_rows(void **state)
{
    for (size_t i = 0; i < n_elements(rows); i++) {
        struct sample *a = sample_entra_new(KIND_user, 9);
        if (rows[i].text)
            sample_text(a, rows[i].id, rows[i].text);
        else if (attr_get(rows[i].id)->type == ATTR_BOOL)
            sample_bool(a, rows[i].id, rows[i].number);
        else
            sample_int(a, rows[i].id, rows[i].number);
        sample_subject(a, 0);
        json_t *object = object_of("sekoia", a);
        event_expect(object, rows[i].path, rows[i].want, attr_get(rows[i].id)->name);
        json_decref(object);
        sample_free(a);
    }
}

static void sekoia_admin_is_any_active_role(void **state)
{
    static const struct {
        unsigned privileges;
        enum tri known;
        const char *id, *type;
    } cases[] = {
        {0, TRI_YES, "1", "\"User\""},
        {PRIV_DIRECTORY_ROLE, TRI_YES, "2", "\"Admin\""},
        {PRIV_DIRECTORY_ROLE | PRIV_PROTECTED, TRI_YES, "2", "\"Admin\""},
        {PRIV_DIRECTORY_ROLE, TRI_NO, "2", "\"Admin\""},
        {0, TRI_NO, "", ""},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct sample *a = sample_entra_new(KIND_user, 9);
        sample_subject(a, cases[i].privileges);
        a->s.derived.privileges_known = cases[i].known;
        json_t *object = object_of("sekoia", a);
        event_expect(object, "user.type_id", cases[i].id, "sekoia");
        event_expect(object, "user.type", cases[i].type, "sekoia");
        json_decref(object);
        sample_free(a);
    }
}

/* --- veza ---------------------------------------------------------------------------------------- */
static void veza_kinds(void **state)
{
    static const char *const types[KIND_COUNT] = {
        [KIND_user] = "Azure AD User",     [KIND_group] = "Azure AD Group",
        [KIND_role] = "Azure AD Role",     [KIND_administrative_unit] = "Azure AD Administrative Unit",
        [KIND_device] = "Azure AD Device", [KIND_service_principal] = "Azure AD Service Principal",
        [KIND_tenant] = "Azure AD Tenant", [KIND_contact] = "Azure AD Contact",
    };
    struct sample *a;
    for (size_t i = 0; (a = sample_entra_cast(i)); i++) {
        json_t *object = object_of("veza", a);
        assert_string_equal(json_string_value(json_object_get(object, "entity_type")), types[a->record.kind]);
        json_decref(object);
        sample_free(a);
    }
}

static void veza_unknown_is_absent(void **state)
{
    struct sample *a = sample_entra_new(KIND_user, 9);
    sample_subject(a, 0);
    a->s.derived.privileges_known = TRI_NO;
    expect(object_of("veza", a),
           "{\"entity_type\":\"Azure AD User\",\"id\":\"00000009-0000-4000-8000-000000000009\","
           "\"azure_tenant_id\":\"0000c017-0000-4000-8000-00000000c017\","
           "\"azure_domain\":\"contoso.example\"}");
    sample_free(a);
}

/* --- all of them --------------------------------------------------------------------------------- */
static const char *const names[] = {"ocsf", "sekoia", "veza", "csv", "csv4"};

static void kinds_of_each(void **state)
{
    kind_set user = KIND_BIT(KIND_user), group = KIND_BIT(KIND_group);
    kind_set all = user | group | KIND_BIT(KIND_role) | KIND_BIT(KIND_administrative_unit) |
                   KIND_BIT(KIND_device) | KIND_BIT(KIND_service_principal) | KIND_BIT(KIND_contact) |
                   KIND_BIT(KIND_tenant);
    const kind_set want[] = {all & ~KIND_BIT(KIND_contact), user, all, all, user | group};
    for (size_t i = 0; i < n_elements(names); i++) {
        struct dialect *d = open_any(names[i]);
        struct dialect_file f;
        kind_set in_files = 0;
        for (size_t j = 0; dialect_file(d, j, &sample_tenant, &f); j++) in_files |= f.kinds;
        assert_int_equal(dialect_kinds(d), want[i]);
        assert_int_equal(in_files, want[i]);
        dialect_close(d);
    }
}

static void append_all(struct dialect *d, struct sample *a, struct buf *out)
{
    struct err e;
    uint64_t n = 0;
    for (size_t i = 0; i < 16; i++) assert_int_equal(dialect_file_rows(d, i, &a->s, out, &n, &e), 0);
}

/* What stands where a directory has DNs is the object's id once more: told nowhere as one. */
static void dns_are_not_told(void **state)
{
    for (size_t i = 0; i < n_elements(names); i++) {
        struct dialect *d = open_any(names[i]);
        struct buf out = buf_new((size_t)8 << 20);
        struct sample *a;
        for (size_t j = 0; (a = sample_entra_cast(j)); j++) {
            a->record.dn = STR("CN=never-told");
            for (size_t k = 0; k < a->n_members; k++) a->members[k].dn = STR("CN=never-told");
            for (size_t k = 0; k < a->s.n_groups; k++) a->groups[k].dn = STR("CN=never-told");
            for (size_t k = 0; k < a->s.n_owners; k++) a->owners[k].dn = STR("CN=never-told");
            a->one[0].dn = STR("CN=never-told");
            append_all(d, a, &out);
            sample_free(a);
        }
        assert_true(out.len > 100);
        assert_null(strstr(buf_cstr(&out), "never-told"));
        buf_free(&out);
        dialect_close(d);
    }
}

static void prepared_groups_are_the_same_event(void **state)
{
    for (size_t i = 0; i < 2; i++) {
        struct err e;
        struct sample *a = sample_entra_cast(0);
        struct buf plain = buf_new((size_t)1 << 20), fast = buf_new((size_t)1 << 20), kept[SAMPLE_MEMBERS];
        struct dialect *d = open_any(names[i]);
        assert_int_equal(dialect_entity(d, &a->s, &plain, &e), 0);
        dialect_close(d);
        d = open_any(names[i]);
        for (size_t g = 0; g < a->s.n_groups; g++) {
            kept[g] = buf_new(4096);
            dialect_prepare_ref(d, a->s.domain, &a->groups[g], &kept[g]);
            a->groups[g].prepared = buf_str(&kept[g]);
        }
        assert_int_equal(dialect_entity(d, &a->s, &fast, &e), 0);
        assert_string_equal(buf_cstr(&plain), buf_cstr(&fast));
        for (size_t g = 0; g < a->s.n_groups; g++) buf_free(&kept[g]);
        dialect_close(d);
        buf_free(&plain);
        buf_free(&fast);
        sample_free(a);
    }
}

static void the_source_chooses_the_tables(void **state)
{
    struct sample *a = sample_entra_cast(0);
    for (size_t i = 0; i < 3; i++) {
        struct err e;
        struct dialect *tenant = open_any(names[i]), *directory;
        struct dialect_options o = {.context = {STR("cloud"), SAMPLE_NOW, 7, STR("run-7"), "0.0.0"}};
        struct buf one = buf_new((size_t)1 << 20), two = buf_new((size_t)1 << 20);
        assert_int_equal(dialect_open(&directory, str_from(names[i]), &o, &e), 0);
        assert_int_equal(dialect_entity(tenant, &a->s, &one, &e), 0);
        assert_int_equal(dialect_entity(directory, &a->s, &two, &e), 0);
        assert_string_not_equal(buf_cstr(&one), buf_cstr(&two));
        assert_int_equal(dialect_shape(tenant), dialect_shape(directory));
        dialect_close(tenant);
        dialect_close(directory);
        buf_free(&one);
        buf_free(&two);
    }
    sample_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sekoia_admin),
        cmocka_unit_test(sekoia_unknown_is_left_out),
        cmocka_unit_test(sekoia_rows),
        cmocka_unit_test(sekoia_admin_is_any_active_role),
        cmocka_unit_test(veza_kinds),
        cmocka_unit_test(veza_unknown_is_absent),
        cmocka_unit_test(kinds_of_each),
        cmocka_unit_test(dns_are_not_told),
        cmocka_unit_test(prepared_groups_are_the_same_event),
        cmocka_unit_test(the_source_chooses_the_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
