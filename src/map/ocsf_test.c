#include "map/event.h"
#include "map/ocsf_check.h"
#include "map/sample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define SID(rid) "S-1-5-21-1144201745-947349077-482060953-" #rid
static const char *const versions[] = {"1.1.0", "1.6.0", "1.8.0"};

static struct dialect *open_ocsf(const char *version, struct dialect_options o)
{
    struct err e;
    struct dialect *d;
    o.ocsf_version = str_from(version);
    o.context = (struct event_context){STR("corp"), SAMPLE_NOW, 7, STR("run-7"), "0.0.0"};
    if (dialect_open(&d, STR("ocsf"), &o, &e) < 0) fail_msg("%s", e.message);
    return d;
}

/* One event, checked and read. NULL if there is none. */
static json_t *event_of(struct sample *a, const char *version)
{
    struct err e;
    struct dialect *d = open_ocsf(version, (struct dialect_options){0});
    struct buf out = buf_new((size_t)32 << 20);
    if (dialect_entity(d, &a->s, &out, &e) < 0) fail_msg("%s", e.message);
    json_t *event = NULL;
    if (out.len) {
        assert_int_equal(ocsf_check_lines(buf_str(&out), version, "event"), 1);
        event = json_loadb((const char *)out.ptr, out.len, 0, NULL);
    }
    buf_free(&out);
    dialect_close(d);
    return event;
}

static struct sample *new_user(void)
{
    struct sample *a = sample_new(KIND_user, 9, SID(2001), "CN=Ann\\, Other,OU=Staff,DC=corp,DC=example");
    sample_text(a, ATTR_SAM_ACCOUNT_NAME, "ann");
    return a;
}

/* --- one attribute, one place: by version -------------------------------------------------------- */
struct place {
    enum attr id;
    const char *text; /* or */
    int64_t number;
    const char *path, *in_1_1, *in_1_6, *in_1_8; /* JSON; "" absent */
};

#define SAME(x) x, x, x
static const struct place places[] = {
    {ATTR_DISPLAY_NAME, "Ann", 0, "user.display_name", "", "\"Ann\"", "\"Ann\""},
    {ATTR_DISPLAY_NAME, "Ann", 0, "enrichments[0].data.display_name", "\"Ann\"", "", ""},
    {ATTR_DISPLAY_NAME, "Ann", 0, "user.full_name", SAME("\"Ann\"")},
    {ATTR_MAIL, "a@b.example", 0, "user.email_addr", SAME("\"a@b.example\"")},
    {ATTR_MAIL, "o'a@b.example", 0, "user.email_addr", "", "\"o'a@b.example\"", "\"o'a@b.example\""},
    {ATTR_MAIL, "o'a@b.example", 0, "enrichments[0].data.mail", "\"o'a@b.example\"", "", ""},
    {ATTR_MAIL, "ann", 0, "user.email_addr", SAME("")},
    {ATTR_MAIL, "Unknown", 0, "enrichments[0].data.mail", SAME("")},
    {ATTR_TARGET_ADDRESS, "SMTP:x@y.example", 0, "user.forward_addr", "", "\"x@y.example\"",
     "\"x@y.example\""},
    {ATTR_TELEPHONE_NUMBER, "+1 2", 0, "user.phone_number", "", "\"+1 2\"", "\"+1 2\""},
    {ATTR_TELEPHONE_NUMBER, "+1 2", 0, "enrichments[0].data.phone_number", "\"+1 2\"", "", ""},
    {ATTR_DEPARTMENT, "R&D", 0, "user.ldap_person.department", "", "", "\"R&D\""},
    {ATTR_DEPARTMENT, "R&D", 0, "enrichments[0].value", SAME("\"R&D\"")},
    {ATTR_DEPARTMENT, "R&D", 0, "enrichments[1].data.department", "\"R&D\"", "\"R&D\"", ""},
    {ATTR_DEPARTMENT, "n/a", 0, "enrichments[0].value", SAME("\"" SID(2001) "\"")},
    {ATTR_TITLE, "Boss", 0, "user.ldap_person.job_title", SAME("\"Boss\"")},
    {ATTR_EMPLOYEE_ID, "7", 0, "user.ldap_person.employee_uid", SAME("\"7\"")},
    {ATTR_EMPLOYEE_ID, "7", 0, "enrichments[0].value", SAME("\"info\"")},
    {ATTR_EMPLOYEE_NUMBER, "8", 0, "user.ldap_person.employee_uid", SAME("\"8\"")},
    {ATTR_EMPLOYEE_TYPE, "temp", 0, "user.ldap_person.labels", SAME("[\"temp\"]")},
    {ATTR_C, "fr", 0, "user.ldap_person.location", SAME("{\"country\":\"FR\"}")},
    {ATTR_C, "France", 0, "user.ldap_person.location", SAME("")},
    {ATTR_C, "F1", 0, "user.ldap_person.location", SAME("")},
    {ATTR_ST, "Kent", 0, "user.ldap_person.location", SAME("{\"region\":\"Kent\"}")},
    {ATTR_COMPANY, "-", 0, "user.org.name", SAME("\"corp.example\"")},
    {ATTR_COMPANY, "Acme", 0, "user.org.name", SAME("\"Acme\"")},
    {ATTR_USER_PRINCIPAL_NAME, "ann@x", 0, "user.account.name", SAME("\"ann@x\"")},
    {ATTR_PROXY_ADDRESSES, "smtp:p@q.example", 0, "user.ldap_person.email_addrs", SAME("[\"p@q.example\"]")},
    {ATTR_PROXY_ADDRESSES, "x400:p@q.example", 0, "user.ldap_person.email_addrs", SAME("")},
    {ATTR_OTHER_MAILBOX, "p@q.example", 0, "user.ldap_person.email_addrs", SAME("[\"p@q.example\"]")},
    {ATTR_USER_ACCOUNT_CONTROL, NULL, 0x202, "user.account.is_disabled", "", "", "true"},
    {ATTR_USER_ACCOUNT_CONTROL, NULL, 0x202, "enrichments[0].data.is_enabled", SAME("false")},
    {ATTR_USER_ACCOUNT_CONTROL, NULL, 0x202, "enrichments[1].data.is_disabled", "true", "true", ""},
    {ATTR_USER_ACCOUNT_CONTROL, NULL, 0x200, "user.account.is_disabled", "", "", "false"},
    {ATTR_USER_ACCOUNT_CONTROL, NULL, 0x450200, "user.account.labels", "",
     "[\"password_never_expires\",\"smartcard_required\",\"no_preauth\"]",
     "[\"password_never_expires\",\"smartcard_required\",\"no_preauth\"]"},
    {ATTR_USER_ACCOUNT_CONTROL, NULL, 0x50200, "enrichments[1].data.labels",
     "[\"password_never_expires\",\"smartcard_required\"]", "", ""},
    {ATTR_USER_ACCOUNT_CONTROL, NULL, 0x820, "user.type_id", SAME("3")},
    {ATTR_WHEN_CREATED, NULL, SAMPLE_NOW, "user.ldap_person.created_time", SAME("1767225600000")},
    {ATTR_WHEN_CREATED, NULL, 0, "user.ldap_person.created_time", SAME("")},
    {ATTR_WHEN_CREATED, NULL, -11644473600000, "user.ldap_person.created_time", SAME("")},
    {ATTR_WHEN_CREATED, NULL, 910692730085477, "user.ldap_person.created_time", SAME("")},
    {ATTR_LAST_LOGON, NULL, SAMPLE_NOW, "user.ldap_person.last_login_time", SAME("1767225600000")},
    {ATTR_LAST_LOGON, NULL, SAMPLE_NOW, "enrichments[1].data.last_logon_source", SAME("\"lastLogon\"")},
    {ATTR_PWD_LAST_SET, NULL, SAMPLE_NOW, "enrichments[0].data.pwd_last_set", SAME("1767225600000")},
    {ATTR_ACCOUNT_EXPIRES, NULL, SAMPLE_NOW, "user.ldap_person.leave_time", SAME("")},
    {ATTR_LOGON_COUNT, NULL, 0, "enrichments[0].data.logon_count", SAME("0")},
};

static void check_place(const struct place *p)
{
    const char *const want[] = {p->in_1_1, p->in_1_6, p->in_1_8};
    for (size_t i = 0; i < n_elements(versions); i++) {
        struct sample *a = new_user();
        if (p->text)
            sample_text(a, p->id, p->text);
        else
            sample_int(a, p->id, p->number);
        sample_subject(a, 0);
        json_t *event = event_of(a, versions[i]);
        event_expect(event, p->path, want[i], versions[i]);
        json_decref(event);
        sample_free(a);
    }
}

static void every_attribute_has_its_place(void **state)
{
    for (size_t i = 0; i < n_elements(places); i++) check_place(&places[i]);
}

/* --- the rest, case by case ---------------------------------------------------------------------- */
static void a_name_is_never_a_placeholder(void **state)
{
    struct sample *a = new_user();
    sample_text(a, ATTR_SN, "Null");
    sample_text(a, ATTR_GIVEN_NAME, "Na");
    sample_subject(a, 0);
    struct err e;
    struct dialect *d = open_ocsf("1.8.0", (struct dialect_options){0});
    struct buf out = buf_new((size_t)1 << 20);
    assert_int_equal(dialect_entity(d, &a->s, &out, &e), 0);
    json_t *event = json_loadb((const char *)out.ptr, out.len, 0, NULL);
    event_expect(event, "user.ldap_person.surname", "\"Null\"", "1.8.0");
    event_expect(event, "user.full_name", "\"Na Null\"", "1.8.0");
    json_decref(event);
    buf_free(&out);
    dialect_close(d);
    sample_free(a);
}

static void types_of_accounts(void **state)
{
    static const struct {
        enum kind kind;
        const char *sid;
        int64_t uac;
        unsigned privileges;
        const char *id_1_1, *id_1_6, *type;
    } cases[] = {
        {KIND_user, SID(2001), 0x200, 0, "1", "1", "\"User\""},
        {KIND_user, SID(2001), 0x200, PRIV_PROTECTED, "2", "2", "\"Admin\""},
        {KIND_user, SID(502), 0x202, PRIV_PROTECTED, "3", "3", "\"System\""},
        {KIND_user, "S-1-5-21-4-5-6-502", 0x200, 0, "1", "1", "\"User\""},
        {KIND_user, SID(2001), 0x820, 0, "3", "3", "\"System\""},
        {KIND_service_account, SID(2002), 0x1000, 0, "99", "4", "\"Service\""},
        {KIND_service_account, SID(2002), 0x1000, PRIV_PROTECTED, "99", "4", "\"Service\""},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        for (size_t j = 0; j < n_elements(versions); j++) {
            struct sample *a = sample_new(cases[i].kind, 9, cases[i].sid, "CN=x,DC=corp,DC=example");
            sample_int(a, ATTR_USER_ACCOUNT_CONTROL, cases[i].uac);
            sample_subject(a, cases[i].privileges);
            json_t *event = event_of(a, versions[j]);
            event_expect(event, "user.type_id", j ? cases[i].id_1_6 : cases[i].id_1_1, versions[j]);
            event_expect(event, "user.type", cases[i].type, versions[j]);
            event_expect(event, "user.account.type_id", j == 2 ? "19" : "2", versions[j]);
            json_decref(event);
            sample_free(a);
        }
    }
}

static void envelope(void **state)
{
    for (size_t i = 0; i < n_elements(versions); i++) {
        struct sample *a = new_user();
        sample_subject(a, 0);
        json_t *event = event_of(a, versions[i]);
        event_expect(event, "metadata.correlation_uid", "\"run-7\"", versions[i]);
        event_expect(event, "metadata.tenant_uid", "\"S-1-5-21-1144201745-947349077-482060953\"",
                     versions[i]);
        event_expect(event, "metadata.log_name", "\"directory_inventory\"", versions[i]);
        event_expect(event, "metadata.product",
                     "{\"name\":\"Active Directory Domain Services\",\"vendor_name\":\"Microsoft\"}",
                     versions[i]);
        event_expect(event, "metadata.reporter", i == 2 ? "{\"name\":\"rollcall\",\"uid\":\"corp\"}" : "",
                     versions[i]);
        event_expect(event, "actor", i ? "{\"app_name\":\"rollcall\"}" : "{\"invoked_by\":\"rollcall\"}",
                     versions[i]);
        event_expect(event, "user.org.ou_name", "\"OU=Staff,DC=corp,DC=example\"", versions[i]);
        event_expect(event, "time", "1767225600000", versions[i]);
        json_decref(event);
        sample_free(a);
    }
}

/* Splunk takes the first "time": of the raw event. */
static void time_comes_first_and_alone(void **state)
{
    struct err e;
    struct dialect *d = open_ocsf("1.8.0", (struct dialect_options){.computers_as_users = true});
    struct sample *a;
    for (size_t i = 1; (a = sample_cast(i)); i++) { /* 0 has a custom property of that name */
        struct buf out = buf_new((size_t)1 << 20);
        assert_int_equal(dialect_entity(d, &a->s, &out, &e), 0);
        size_t n = 0;
        for (const char *p = buf_cstr(&out); (p = strstr(p, "\"time\":")); p++) n++;
        size_t events = 0;
        for (const char *p = buf_cstr(&out); (p = strchr(p, '\n')); p++) events++;
        assert_int_equal(n, events);
        if (events) assert_memory_equal(out.ptr, "{\"time\":", 8);
        buf_free(&out);
        sample_free(a);
    }
    dialect_close(d);
}

static void kinds_without_a_place(void **state)
{
    static const enum kind none[] = {KIND_contact, KIND_foreign_principal, KIND_role, KIND_tenant};
    struct dialect *d = open_ocsf("1.8.0", (struct dialect_options){0});
    for (size_t i = 0; i < n_elements(none); i++) {
        struct sample *a = sample_new(none[i], 9, NULL, "CN=x,DC=corp,DC=example");
        sample_subject(a, 0);
        assert_null(event_of(a, "1.8.0"));
        assert_false(dialect_kinds(d) & KIND_BIT(none[i]));
        sample_free(a);
    }
    dialect_close(d);
}

static void options_choose_streams(void **state)
{
    struct dialect *d = open_ocsf("1.8.0", (struct dialect_options){.no_groups_events = true});
    assert_int_equal(dialect_kinds(d),
                     KIND_BIT(KIND_user) | KIND_BIT(KIND_service_account) | KIND_BIT(KIND_computer));
    dialect_close(d);
    struct err e;
    struct sample *a = sample_cast(6); /* a domain controller */
    struct buf out = buf_new((size_t)1 << 20);
    d = open_ocsf("1.8.0", (struct dialect_options){.computers_as_users = true});
    assert_int_equal(dialect_entity(d, &a->s, &out, &e), 0);
    assert_int_equal(ocsf_check_lines(buf_str(&out), "1.8.0", "computer"), 2);
    const char *first = strstr(buf_cstr(&out), "\"uid\":\""),
               *second = strstr(strchr(buf_cstr(&out), '\n'), "\"metadata\"");
    assert_non_null(first);
    assert_non_null(second);
    json_t *one = json_loads(buf_cstr(&out), JSON_DISABLE_EOF_CHECK, NULL);
    json_t *two = json_loads(strchr(buf_cstr(&out), '\n') + 1, 0, NULL);
    assert_false(json_equal(event_at(one, "metadata.uid"), event_at(two, "metadata.uid")));
    event_expect(two, "user.type_id", "3", "1.8.0");
    json_decref(one);
    json_decref(two);
    buf_free(&out);
    dialect_close(d);
    sample_free(a);
}

static void devices(void **state)
{
    static const struct {
        int64_t uac;
        const char *os, *version, *type_id, *os_type, *want_version, *build;
    } cases[] = {
        {0x1000, "Windows 11 Enterprise", "10.0 (22631)", "99", "100", "\"10.0\"", "\"22631\""},
        {0x1000, "Windows Server 2019 Standard", "10.0 (17763)", "1", "100", "\"10.0\"", "\"17763\""},
        {0x82000, "", "", "1", "", "", ""},
        {0x5001000, "", "", "1", "", "", ""},
        {0x1000, "Mac OS X", "14.2", "99", "300", "\"14.2\"", ""},
        {0x1000, "pc-linux-gnu", "", "99", "200", "", ""},
        {0x1000, "Samba", "4.17", "99", "200", "\"4.17\"", ""},
        {0x1000, "OpenVMS", "9.2 (", "99", "99", "\"9.2\"", ""},
        {0x1000, "", "10.0 (1)", "0", "", "", ""},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        for (size_t j = 0; j < n_elements(versions); j++) {
            struct sample *a = sample_new(KIND_computer, 9, SID(3001), "CN=PC,DC=corp,DC=example");
            sample_int(a, ATTR_USER_ACCOUNT_CONTROL, cases[i].uac);
            if (cases[i].os[0]) sample_text(a, ATTR_OPERATING_SYSTEM, cases[i].os);
            if (cases[i].version[0]) sample_text(a, ATTR_OPERATING_SYSTEM_VERSION, cases[i].version);
            sample_subject(a, 0);
            json_t *event = event_of(a, versions[j]);
            event_expect(event, "device.type_id", cases[i].type_id, versions[j]);
            event_expect(event, "device.os.type_id", cases[i].os_type, versions[j]);
            event_expect(event, "device.os.version", cases[i].want_version, versions[j]);
            event_expect(event, "device.os.build", cases[i].build, versions[j]);
            json_decref(event);
            sample_free(a);
        }
    }
}

static void owners_are_accounts(void **state)
{
    struct sample *pc = sample_cast(7), *dc = sample_cast(6); /* managed by a group, by a user */
    for (size_t i = 0; i < n_elements(versions); i++) {
        json_t *event = event_of(pc, versions[i]);
        event_expect(event, "device.owner", "", versions[i]);
        json_decref(event);
        event = event_of(dc, versions[i]);
        event_expect(event, "device.owner", i ? "{\"name\":\"aliddell\",\"uid\":\"" SID(1104) "\"}" : "",
                     versions[i]);
        json_decref(event);
    }
    sample_free(pc);
    sample_free(dc);
}

static void key_credentials(void **state)
{
    struct sample *a = sample_cast(3);
    json_t *event = event_of(a, "1.8.0");
    event_expect(event, "user.programmatic_credentials",
                 "[{\"last_used_time\":1735689600000,\"type\":\"NGC\",\"uid\":"
                 "\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\"}]",
                 "1.8.0");
    json_decref(event);
    sample_free(a);
}

static void groups_in_and_out_of_shape(void **state)
{
    struct sample *a = new_user();
    sample_in_group(a, 11, SID(513), "Domain Users", -2147483646, "unknown");
    sample_in_group(a, 0, "S-1-5-21-9-9-9-1", "S-1-5-21-9-9-9-1", 0, "");
    sample_subject(a, 0);
    json_t *event = event_of(a, "1.8.0");
    event_expect(
        event, "user.groups[0]",
        "{\"domain\":\"corp.example\",\"name\":\"Domain Users\",\"type\":\"Global Security\",\"uid\":\"" SID(
            513) "\","
                 "\"uid_alt\":\"0000000b-0000-4000-8000-00000000000b\"}",
        "1.8.0");
    event_expect(event, "user.groups[1]",
                 "{\"domain\":\"corp.example\",\"name\":\"S-1-5-21-9-9-9-1\",\"uid\":\"S-1-5-21-9-9-9-1\"}",
                 "1.8.0");
    json_decref(event);
    event = event_of(a, "1.6.0");
    event_expect(event, "user.groups[0].uid_alt", "", "1.6.0");
    event_expect(event, "enrichments[0].data.group_uids_alt", "[\"0000000b-0000-4000-8000-00000000000b\"]",
                 "1.6.0");
    json_decref(event);
    sample_free(a);
}

static void prepared_groups_are_the_same_event(void **state)
{
    static const char *const names[] = {"ocsf", "sekoia"};
    for (size_t i = 0; i < n_elements(names); i++) {
        struct err e;
        struct dialect *d;
        struct dialect_options o = {.context = {STR("corp"), SAMPLE_NOW, 7, STR("run-7"), "0"}};
        struct sample *a = sample_typical_user();
        struct buf plain = buf_new((size_t)1 << 20), fast = buf_new((size_t)1 << 20), kept[SAMPLE_MEMBERS];
        sample_subject(a, 0);
        assert_int_equal(dialect_open(&d, str_from(names[i]), &o, &e), 0);
        assert_int_equal(dialect_entity(d, &a->s, &plain, &e), 0);
        dialect_close(d);
        assert_int_equal(dialect_open(&d, str_from(names[i]), &o, &e), 0);
        for (size_t g = 0; g < a->s.n_groups; g++) {
            kept[g] = buf_new(4096);
            dialect_prepare_ref(d, a->s.domain, &a->groups[g], &kept[g]);
            assert_true(kept[g].len > 0);
            a->groups[g].prepared = buf_str(&kept[g]);
            a->groups[g].name = STR("not looked at any more");
        }
        assert_int_equal(dialect_entity(d, &a->s, &fast, &e), 0);
        assert_true(str_equal(buf_str(&plain), buf_str(&fast)));
        for (size_t g = 0; g < a->s.n_groups; g++) buf_free(&kept[g]);
        dialect_close(d);
        buf_free(&plain);
        buf_free(&fast);
        sample_free(a);
    }
}

static void large_groups_are_cut(void **state)
{
    for (size_t i = 0; i < n_elements(versions); i++) {
        struct sample *a = sample_cast(10);
        a->repeat = 40000; /* of 5 members */
        json_t *event = event_of(a, versions[i]);
        event_expect(event, "metadata.is_truncated", i ? "true" : "", versions[i]);
        event_expect(event, "entity.data.member_count", "200000", versions[i]);
        size_t n = json_array_size(event_at(event, "entity.data.members"));
        assert_true(n > 50000 && n < 200000);
        json_decref(event);
        sample_free(a);
    }
}

static void small_groups_are_whole(void **state)
{
    struct sample *a = sample_cast(10);
    json_t *event = event_of(a, "1.8.0");
    event_expect(event, "metadata.is_truncated", "", "1.8.0");
    assert_int_equal(json_array_size(event_at(event, "entity.data.members")), 5);
    event_expect(event, "entity.data.members[2]",
                 "{\"kind\":\"contact\",\"uid\":\"0000004d-0000-4000-8000-00000000004d\"}", "1.8.0");
    event_expect(event, "entity.data.members[4]", "{\"dn\":\"CN=Elsewhere,DC=other,DC=example\"}", "1.8.0");
    json_decref(event);
    a->s.members = NULL; /* not collected: no count either */
    event = event_of(a, "1.8.0");
    event_expect(event, "entity.data.member_count", "", "1.8.0");
    json_decref(event);
    sample_free(a);
}

static void huge_values_are_cut(void **state)
{
    static char text[100000];
    memset(text, 1, sizeof text); /* six bytes each, escaped */
    for (size_t i = 0; i < n_elements(versions); i++) {
        struct sample *a = new_user();
        for (size_t j = 0; j < n_attr_table; j++)
            if (attr_table[j].type == ATTR_STRING && attr_table[j].id != ATTR_KEY_CREDENTIAL_LINK)
                for (unsigned k = 0; k < (attr_table[j].is_multi ? 10u : 1u); k++)
                    sample_str(a, attr_table[j].id, (struct str){text, sizeof text});
        sample_subject(a, 0);
        json_t *event = event_of(a, versions[i]); /* below 8 MiB, or the checked reader fails */
        char *dumped = json_dumps(event, JSON_COMPACT);
        assert_true(strlen(dumped) < (size_t)8 << 20);
        free(dumped);
        json_decref(event);
        sample_free(a);
    }
}

static void event_ids(void **state)
{
    static const uint8_t one[GUID_SIZE] = {1}, two[GUID_SIZE] = {2};
    char a[33], b[33];
    event_uid(a, STR("corp"), one, 7, "state");
    assert_string_equal(a, "d81cdf975e41c1459b99947c10b8fb09"); /* never changes: receivers keep them */
    event_uid(b, STR("corp"), one, 7, "state");
    assert_string_equal(a, b);
    event_uid(b, STR("corp2"), one, 7, "state");
    assert_string_not_equal(a, b);
    event_uid(b, STR("corp"), two, 7, "state");
    assert_string_not_equal(a, b);
    event_uid(b, STR("corp"), one, 8, "state");
    assert_string_not_equal(a, b);
    event_uid(b, STR("corp"), one, 7, "change");
    assert_string_not_equal(a, b);
}

static void wrong_names_and_versions(void **state)
{
    struct err e;
    struct dialect *d;
    struct dialect_options o = {.ocsf_version = STR("1.5.0")};
    assert_int_equal(dialect_open(&d, STR("ocsf"), &o, &e), ERR_INPUT);
    assert_non_null(strstr(e.message, "1.5.0"));
    assert_non_null(strstr(e.hint, "1.6.0"));
    assert_int_equal(dialect_open(&d, STR("oscf"), &o, &e), ERR_INPUT);
    assert_non_null(strstr(e.hint, "sekoia"));
    assert_null(d);
    assert_int_equal(dialect_open(&d, STR("veza"), &o, &e), 0); /* has no versions */
    dialect_close(d);
    dialect_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_attribute_has_its_place),
        cmocka_unit_test(a_name_is_never_a_placeholder),
        cmocka_unit_test(types_of_accounts),
        cmocka_unit_test(envelope),
        cmocka_unit_test(time_comes_first_and_alone),
        cmocka_unit_test(kinds_without_a_place),
        cmocka_unit_test(options_choose_streams),
        cmocka_unit_test(devices),
        cmocka_unit_test(owners_are_accounts),
        cmocka_unit_test(key_credentials),
        cmocka_unit_test(groups_in_and_out_of_shape),
        cmocka_unit_test(prepared_groups_are_the_same_event),
        cmocka_unit_test(large_groups_are_cut),
        cmocka_unit_test(small_groups_are_whole),
        cmocka_unit_test(huge_values_are_cut),
        cmocka_unit_test(event_ids),
        cmocka_unit_test(wrong_names_and_versions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
