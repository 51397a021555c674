#include "map/sample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct dialect *open_csv(const char *name, struct dialect_options o)
{
    struct err e;
    struct dialect *d;
    o.context = (struct event_context){STR("corp"), SAMPLE_NOW, 7, STR("run-7"), "0.0.0"};
    if (dialect_open(&d, str_from(name), &o, &e) < 0) fail_msg("%s", e.message);
    return d;
}

/* --- a strict reader of RFC 4180 ----------------------------------------------------------------- */
#define CELLS 80
struct row {
    size_t n;
    char *cell[CELLS];
};

static void row_free(struct row *r)
{
    for (size_t i = 0; i < r->n; i++) free(r->cell[i]);
    r->n = 0;
}

/* One record off the front of *in; false at the end. */
static bool read_row(struct str *in, char delimiter, struct row *out)
{
    out->n = 0;
    if (!in->len) return false;
    for (;;) {
        struct buf cell = buf_new((size_t)1 << 20);
        size_t at = 0;
        if (in->ptr[0] == '"') {
            for (at = 1;; at++) {
                if (at >= in->len) fail_msg("a quoted cell has no end");
                if (in->ptr[at] == '"' && (at + 1 >= in->len || in->ptr[at + 1] != '"')) break;
                at += in->ptr[at] == '"';
                buf_add_byte(&cell, (uint8_t)in->ptr[at]);
            }
            at++;
        } else {
            for (; at < in->len && in->ptr[at] != delimiter && in->ptr[at] != '\r'; at++) {
                if (in->ptr[at] == '"' || in->ptr[at] == '\n') fail_msg("%d in a bare cell", in->ptr[at]);
                buf_add_byte(&cell, (uint8_t)in->ptr[at]);
            }
        }
        assert_true(out->n < CELLS);
        out->cell[out->n++] = x_strdup(buf_str(&cell));
        buf_free(&cell);
        in->ptr += at;
        in->len -= at;
        if (in->len >= 2 && in->ptr[0] == '\r' && in->ptr[1] == '\n') {
            in->ptr += 2;
            in->len -= 2;
            return true;
        }
        if (!in->len || in->ptr[0] != delimiter) fail_msg("neither delimiter nor end of line after a cell");
        in->ptr++;
        in->len--;
    }
}

/* The cell of a column in the first row after the header; NULL if there is no such column. */
static char *cell_of(struct dialect *d, struct sample *a, const char *column)
{
    struct err e;
    struct row head, body;
    char *found = NULL;
    struct buf out = buf_new((size_t)4 << 20);
    dialect_header(d, a->record.kind, &out);
    assert_int_equal(dialect_entity(d, &a->s, &out, &e), 0);
    struct str in = buf_str(&out);
    assert_true(read_row(&in, ',', &head));
    assert_true(read_row(&in, ',', &body));
    assert_int_equal(in.len, 0);
    assert_int_equal(head.n, body.n);
    for (size_t i = 0; i < head.n; i++)
        if (!strcmp(head.cell[i], column)) found = x_strdup(str_from(body.cell[i]));
    row_free(&head);
    row_free(&body);
    buf_free(&out);
    return found;
}

/* --- cells --------------------------------------------------------------------------------------- */
struct cell_case {
    enum attr id;
    const char *text, *column, *want, *raw;
};
static const struct cell_case cells[] = {
    {ATTR_DISPLAY_NAME, "plain", "display_name", "plain", "plain"},
    {ATTR_DISPLAY_NAME, "a,b", "display_name", "a,b", "a,b"},
    {ATTR_DISPLAY_NAME, "say \"x\"", "display_name", "say \"x\"", "say \"x\""},
    {ATTR_DISPLAY_NAME, "two\r\nlines", "display_name", "two\r\nlines", "two\r\nlines"},
    {ATTR_DISPLAY_NAME, " spaces ", "display_name", " spaces ", " spaces "},
    {ATTR_DISPLAY_NAME, "=cmd|'/c calc'!A1", "display_name", "'=cmd|'/c calc'!A1", "=cmd|'/c calc'!A1"},
    {ATTR_DISPLAY_NAME, "+1", "display_name", "'+1", "+1"},
    {ATTR_DISPLAY_NAME, "-1", "display_name", "'-1", "-1"},
    {ATTR_DISPLAY_NAME, "@SUM(A1)", "display_name", "'@SUM(A1)", "@SUM(A1)"},
    {ATTR_DISPLAY_NAME, "\tx", "display_name", "'\tx", "\tx"},
    {ATTR_DISPLAY_NAME, "\rx", "display_name", "'\rx", "\rx"},
    {ATTR_DISPLAY_NAME, "=1,\"2\"", "display_name", "'=1,\"2\"", "=1,\"2\""},
    {ATTR_DISPLAY_NAME, "a=b", "display_name", "a=b", "a=b"},
    {ATTR_DISPLAY_NAME, "\xf0\x9f\x91\xbe\xe2\x80\xa8", "display_name", "\xf0\x9f\x91\xbe\xe2\x80\xa8",
     "\xf0\x9f\x91\xbe\xe2\x80\xa8"},
    {ATTR_DISPLAY_NAME, "\x01\x7f", "display_name", "\x01\x7f", "\x01\x7f"},
    {ATTR_SAM_ACCOUNT_NAME, "-svc", "sam_account_name", "-svc", "-svc"}, /* a key */
    {ATTR_USER_PRINCIPAL_NAME, "=x@y", "user_principal_name", "=x@y", "=x@y"},
    {ATTR_SERVICE_PRINCIPAL_NAME, "=a;b\\c", "service_principal_names", "'=a\\;b\\\\c", "=a\\;b\\\\c"},
    {ATTR_EMPLOYEE_ID, "-1", "employee_id", "'-1", "-1"},
    {ATTR_MANAGER, "CN=x\\, y,DC=z", "manager_dn", "CN=x\\, y,DC=z", "CN=x\\, y,DC=z"},
};

static void check_cell(const struct cell_case *c, bool raw)
{
    struct dialect *d = open_csv("csv", (struct dialect_options){.raw_csv = raw});
    struct sample *a = sample_new(KIND_user, 9, "S-1-5-21-1-2-3-4", "CN=x,DC=corp,DC=example");
    sample_text(a, c->id, c->text);
    sample_subject(a, 0);
    char *cell = cell_of(d, a, c->column);
    assert_non_null(cell);
    assert_string_equal(cell, raw ? c->raw : c->want);
    free(cell);
    sample_free(a);
    dialect_close(d);
}

static void cells_survive(void **state)
{
    for (size_t i = 0; i < n_elements(cells); i++) {
        check_cell(&cells[i], false);
        check_cell(&cells[i], true);
    }
}

static void typed_cells(void **state)
{
    static const struct {
        const char *column, *want;
    } wanted[] = {
        {"connector", "corp"},
        {"guid", "00000450-0000-4000-8000-000000000450"},
        {"sid", "S-1-5-21-1144201745-947349077-482060953-1104"},
        {"enabled", "true"},
        {"locked", "false"},
        {"last_logon", "2025-12-31T16:45:12.345Z"},
        {"created", "2019-03-04T05:06:07Z"},
        {"logon_count", "4711"},
        {"deleted", ""},
        {"sid_history", "S-1-5-21-9-8-7-1104"},
        {"user_account_control_flags", "NORMAL_ACCOUNT"},
        {"phone", "'+44 1865 276150"},
        {"manager_name", "cdodgson"},
        {"proxy_addresses", "SMTP:alice.liddell@corp.example;smtp:alice@corp.example;x500:/o=Corp/ou=First/"
                            "cn=Recipients/cn=aliddell"},
        {"custom_properties", "badgeNumber=B-0042;time=a property with an awkward name"},
    };
    struct dialect *d = open_csv("csv", (struct dialect_options){0});
    struct sample *a = sample_cast(0);
    for (size_t i = 0; i < n_elements(wanted); i++) {
        char *cell = cell_of(d, a, wanted[i].column);
        assert_non_null(cell);
        assert_string_equal(cell, wanted[i].want);
        free(cell);
    }
    sample_free(a);
    dialect_close(d);
}

/* A number is no text: groupType is negative and stays so. */
static void numbers_are_not_guarded(void **state)
{
    struct dialect *d = open_csv("csv", (struct dialect_options){0});
    struct sample *a = sample_new(KIND_user, 9, NULL, "CN=x");
    sample_int(a, ATTR_COUNTRY_CODE, -5);
    sample_subject(a, 0);
    char *cell = cell_of(d, a, "country_code");
    assert_string_equal(cell, "-5");
    free(cell);
    sample_free(a);
    dialect_close(d);
}

/* --- files --------------------------------------------------------------------------------------- */
static void read_back(struct dialect *d, size_t file, struct sample *(*cast)(size_t i))
{
    struct buf out = buf_new((size_t)4 << 20);
    struct err e;
    struct sample *a;
    uint64_t rows = 0, seen = 0;
    dialect_file_header(d, file, &out);
    for (size_t j = 0; (a = cast(j)); j++) {
        assert_int_equal(dialect_file_rows(d, file, &a->s, &out, &rows, &e), 0);
        sample_free(a);
    }
    struct str in = buf_str(&out);
    struct row head, body;
    assert_true(read_row(&in, ',', &head));
    for (; read_row(&in, ',', &body); seen++) {
        assert_int_equal(body.n, head.n);
        row_free(&body);
    }
    assert_int_equal(rows, seen);
    assert_true(rows > 0);
    row_free(&head);
    buf_free(&out);
}

static void every_file_reads_back(void **state)
{
    static const char *const names[] = {"csv", "csv4"};
    for (size_t k = 0; k < n_elements(names); k++) {
        for (unsigned tenant = 0; tenant < 2; tenant++) {
            struct dialect *d = open_csv(names[k], (struct dialect_options){.is_tenant = tenant});
            struct dialect_file f;
            for (size_t i = 0; dialect_file(d, i, &sample_domain, &f); i++)
                read_back(d, i, tenant ? sample_entra_cast : sample_cast);
            dialect_close(d);
        }
    }
}

static void memberships(void **state)
{
    struct dialect *d = open_csv("csv", (struct dialect_options){0});
    struct sample *a = sample_cast(10);
    struct buf out = buf_new((size_t)1 << 20);
    struct err e;
    struct row r;
    uint64_t rows = 0;
    dialect_file_header(d, 4, &out);
    assert_int_equal(dialect_file_rows(d, 4, &a->s, &out, &rows, &e), 0);
    assert_int_equal(rows, 5);
    struct str in = buf_str(&out);
    assert_true(read_row(&in, ',', &r));
    static const char *const columns[] = {"group_uid",   "group_sid",  "group_name",
                                          "member_uid",  "member_sid", "member_kind",
                                          "member_name", "member_dn",  "via"};
    assert_int_equal(r.n, n_elements(columns));
    for (size_t i = 0; i < r.n; i++) assert_string_equal(r.cell[i], columns[i]);
    row_free(&r);
    static const char *const kinds[] = {"user", "group", "contact", "foreign_principal", ""};
    static const char *const via[] = {"member", "member", "member", "foreign", "member"};
    for (size_t i = 0; i < 5; i++) {
        assert_true(read_row(&in, ',', &r));
        assert_string_equal(r.cell[0], "000004b1-0000-4000-8000-0000000004b1");
        assert_string_equal(r.cell[2], "Payroll");
        assert_string_equal(r.cell[5], kinds[i]);
        assert_string_equal(r.cell[8], via[i]);
        if (i == 1) assert_string_equal(r.cell[6], "'=Temps");
        if (i == 4) assert_string_equal(r.cell[7], "CN=Elsewhere,DC=other,DC=example");
        row_free(&r);
    }
    assert_int_equal(in.len, 0);
    buf_free(&out);
    sample_free(a);
    dialect_close(d);
}

/* A group of 100,000 members comes in pieces, and none is lost or written twice. */
static void large_groups_come_in_pieces(void **state)
{
    struct dialect *d = open_csv("csv", (struct dialect_options){0});
    struct sample *a = sample_cast(10);
    struct buf out = buf_new((size_t)2 << 20);
    struct err e;
    uint64_t rows = 0, lines = 0;
    unsigned pieces = 0;
    int more;
    a->repeat = 20000;
    do {
        buf_clear(&out);
        more = dialect_file_rows(d, 4, &a->s, &out, &rows, &e);
        assert_true(more >= 0);
        for (size_t i = 0; i < out.len; i++) lines += out.ptr[i] == '\n';
        pieces++;
    } while (more);
    assert_int_equal(rows, 100000);
    assert_int_equal(lines, 100000);
    assert_true(pieces > 10);
    buf_clear(&out);
    a->repeat = 1; /* the next group starts at its first member */
    rows = 0;
    assert_int_equal(dialect_file_rows(d, 4, &a->s, &out, &rows, &e), 0);
    assert_int_equal(rows, 5);
    buf_free(&out);
    sample_free(a);
    dialect_close(d);
}

static void a_full_buffer_is_an_error(void **state)
{
    struct dialect *d = open_csv("csv", (struct dialect_options){0});
    struct sample *a = sample_cast(10);
    struct buf out = buf_new(100);
    struct err e;
    assert_int_equal(dialect_entity(d, &a->s, &out, &e), ERR_LIMIT);
    buf_clear(&out);
    uint64_t rows = 0;
    assert_int_equal(dialect_file_rows(d, 4, &a->s, &out, &rows, &e), ERR_LIMIT);
    buf_free(&out);
    sample_free(a);
    dialect_close(d);
}

/* --- csv4 ---------------------------------------------------------------------------------------- */
static void four_files(void **state)
{
    static const char *const want[] = {"corp.example_users.csv", "corp.example_groups.csv",
                                       "corp.example_groups_members.csv", "corp.example_groups_owners.csv"};
    struct dialect *d = open_csv("csv4", (struct dialect_options){0});
    struct dialect_file f;
    for (size_t i = 0; i < n_elements(want); i++) {
        assert_true(dialect_file(d, i, &sample_domain, &f));
        assert_string_equal(f.name, want[i]);
    }
    assert_false(dialect_file(d, n_elements(want), &sample_domain, &f));
    dialect_close(d);
}

static void file_names_are_safe(void **state)
{
    static const struct {
        const char *domain, *want;
    } cases[] = {
        {"Corp.Example", "Corp.Example_users.csv"},
        {"../../etc/passwd", "_._.._etc_passwd_users.csv"},
        {"a b\n/c", "a_b__c_users.csv"},
        {"\xc3\xa9", "___users.csv"},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct dialect *d =
            open_csv("csv4", (struct dialect_options){.csv4_domain = str_from(cases[i].domain)});
        struct dialect_file f;
        assert_true(dialect_file(d, 0, &sample_domain, &f));
        if (strchr(f.name, '/') || f.name[0] == '.') fail_msg("%s", f.name);
        if (i != 1) assert_string_equal(f.name, cases[i].want);
        dialect_close(d);
    }
}

static void columns_by_choice(void **state)
{
    static const struct csv_column users[] = {
        {{"ID", 2}, {"login", 5}}, {{"mobilePhone", 11}, {"", 0}}, {{"displayName", 11}, {"a.b[0],c", 8}}};
    struct dialect *d = open_csv(
        "csv4", (struct dialect_options){.csv_delimiter = ';', .csv4 = {{users, n_elements(users)}}});
    struct sample *a = sample_cast(0);
    struct buf out = buf_new(4096);
    struct err e;
    dialect_header(d, KIND_user, &out);
    assert_int_equal(dialect_entity(d, &a->s, &out, &e), 0);
    assert_string_equal(buf_cstr(&out), "login;mobilePhone;a.b[0],c\r\n00000450-0000-4000-8000-000000000450;'"
                                        "+44 7700 900123;Alice Liddell\r\n");
    buf_free(&out);
    sample_free(a);
    dialect_close(d);
}

static void unknown_columns_are_refused(void **state)
{
    static const struct csv_column users[] = {{{"shoeSize", 8}, {"", 0}}};
    struct dialect_options o = {.csv4 = {{users, 1}}};
    struct dialect *d;
    struct err e;
    assert_int_equal(dialect_open(&d, STR("csv4"), &o, &e), ERR_INPUT);
    assert_non_null(strstr(e.message, "shoeSize"));
}

/* --- csv4 of a tenant ---------------------------------------------------------------------------- */
static void file_is(struct dialect *d, size_t file, struct sample *a, const char *want)
{
    struct buf out = buf_new((size_t)1 << 20);
    struct err e;
    uint64_t rows = 0;
    dialect_file_header(d, file, &out);
    assert_int_equal(dialect_file_rows(d, file, &a->s, &out, &rows, &e), 0);
    assert_string_equal(buf_cstr(&out), want);
    buf_free(&out);
}

static void tenant_file_names(void **state)
{
    static const char *const want[] = {"contoso.example_users.csv", "contoso.example_groups.csv",
                                       "contoso.example_groups_members.csv",
                                       "contoso.example_groups_owners.csv"};
    struct dialect *d = open_csv("csv4", (struct dialect_options){.is_tenant = true});
    struct dialect_file f;
    for (size_t i = 0; i < n_elements(want); i++) {
        assert_true(dialect_file(d, i, &sample_tenant, &f));
        assert_string_equal(f.name, want[i]);
        assert_int_equal(f.kinds, KIND_BIT(i ? KIND_group : KIND_user));
    }
    assert_false(dialect_file(d, n_elements(want), &sample_tenant, &f));
    dialect_close(d);
}

#define GROUP "00000835-0000-4000-8000-000000000835,Payroll,"
static void tenant_members_and_owners(void **state)
{
    struct dialect *d = open_csv("csv4", (struct dialect_options){.is_tenant = true});
    struct sample *group = sample_entra_cast(9), *role = sample_entra_cast(11);
    file_is(d, 2, group,
            "groupId,groupDisplayName,memberId,memberType,memberDisplayName\r\n" GROUP
            "000007d1-0000-4000-8000-0000000007d1,user,Alice Liddell\r\n" GROUP
            "000007d4-0000-4000-8000-0000000007d4,user,'=cmd|'/c calc'!A1\r\n" GROUP
            "00000839-0000-4000-8000-000000000839,group,Temps\r\n" GROUP
            "00000961-0000-4000-8000-000000000961,device,PC-7\r\n" GROUP
            "000008fd-0000-4000-8000-0000000008fd,servicePrincipal,Payroll export\r\n" GROUP
            "000009c5-0000-4000-8000-0000000009c5,orgContact,\"Dinah, \"\"the cat\"\"\"\r\n" GROUP
            "00000bb7-0000-4000-8000-000000000bb7,,\r\n");
    file_is(d, 3, group,
            "groupId,groupDisplayName,ownerId,ownerType,ownerDisplayName\r\n" GROUP
            "000007d1-0000-4000-8000-0000000007d1,user,Alice Liddell\r\n" GROUP
            "000008fd-0000-4000-8000-0000000008fd,servicePrincipal,'@Payroll export\r\n");
    file_is(d, 2, role,
            "groupId,groupDisplayName,memberId,memberType,memberDisplayName\r\n"); /* groups only */
    sample_free(group);
    sample_free(role);
    dialect_close(d);
}

static void tenant_columns_by_choice(void **state)
{
    static const struct csv_column users[] = {{STR("HASMFA"), STR("mfa")},
                                              {STR("id"), STR("")},
                                              {STR("methodsRegistered"), STR("")},
                                              {STR("managerUserPrincipalName"), STR("boss")},
                                              {STR("mobilePhone"), STR("")},
                                              {STR("customProperties"), STR("own")}},
                                   groups[] = {{STR("groupType"), STR("")}, {STR("ownerIds"), STR("")}},
                                   members[] = {{STR("memberUserPrincipalName"), STR("upn")}},
                                   owners[] = {{STR("ownerId"), STR("")},
                                               {STR("ownerUserPrincipalName"), STR("")}};
    struct dialect *d = open_csv("csv4", (struct dialect_options){.is_tenant = true,
                                                                  .csv_delimiter = ';',
                                                                  .csv4 = {{users, n_elements(users)},
                                                                           {groups, n_elements(groups)},
                                                                           {members, n_elements(members)},
                                                                           {owners, n_elements(owners)}}});
    struct sample *admin = sample_entra_cast(0), *bare = sample_entra_cast(1), *group = sample_entra_cast(9);
    file_is(d, 0, admin,
            "mfa;id;methodsRegistered;boss;mobilePhone;own\r\ntrue;000007d1-0000-4000-8000-0000000007d1;"
            "\"fido2;microsoftAuthenticatorPush\";charles@contoso.example;'+44 7700 "
            "900123;\"badgeNumber=B-0042\"\r\n");
    file_is(d, 0, bare,
            "mfa;id;methodsRegistered;boss;mobilePhone;own\r\n;000007d3-0000-4000-8000-0000000007d3;;;;\r\n");
    file_is(d, 1, group,
            "groupType;ownerIds\r\nSecurity;\"000007d1-0000-4000-8000-0000000007d1;"
            "000008fd-0000-4000-8000-0000000008fd\"\r\n");
    file_is(d, 2, group,
            "upn\r\nalice.liddell@contoso.example\r\n"
            "o'brien_fabrikam.example#EXT#@contoso.onmicrosoft.example\r\nTemps\r\nPC-7\r\n"
            "Payroll export\r\n\"Dinah, \"\"the cat\"\"\"\r\n\r\n");
    file_is(d, 3, group,
            "ownerId;ownerUserPrincipalName\r\n000007d1-0000-4000-8000-0000000007d1;"
            "alice.liddell@contoso.example\r\n000008fd-0000-4000-8000-0000000008fd;@Payroll export\r\n");
    sample_free(admin);
    sample_free(bare);
    sample_free(group);
    dialect_close(d);
}

/* A slip is answered with what was meant, anything else with what there is. */
static void unknown_columns_are_explained(void **state)
{
    static const struct {
        size_t table;
        const char *property, *hint;
    } cases[] = {
        {0, "mobilPhone", "did you mean \"mobilePhone\"? columns: id userPrincipalName displayName"},
        {0, "lastSuccesfulSignInDateTime", "did you mean \"lastSuccessfulSignInDateTime\"?"},
        {0, "userAccountControl", " more"}, /* Active Directory's; the list is longer than a hint */
        {1, "visibilty", "did you mean \"visibility\"?"},
        {2, "shoeSize",
         "columns: groupId groupDisplayName memberId memberType memberDisplayName memberUserPrincipalName"},
        {3, "ownerid ", "did you mean \"ownerId\"?"},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct csv_column column = {str_from(cases[i].property), STR("")};
        struct dialect_options o = {.is_tenant = true};
        struct dialect *d;
        struct err e;
        o.csv4[cases[i].table] = (struct csv_columns){&column, 1};
        assert_int_equal(dialect_open(&d, STR("csv4"), &o, &e), ERR_INPUT);
        assert_null(d);
        assert_non_null(strstr(e.message, cases[i].property));
        if (!strstr(e.hint, cases[i].hint)) fail_msg("%s: %s", cases[i].property, e.hint);
    }
}

static void owners_and_members(void **state)
{
    struct dialect *d = open_csv("csv4", (struct dialect_options){0});
    struct sample *a = sample_cast(10);
    struct buf out = buf_new(4096);
    struct err e;
    uint64_t rows = 0;
    dialect_file_header(d, 2, &out);
    dialect_file_header(d, 3, &out);
    assert_int_equal(dialect_file_rows(d, 3, &a->s, &out, &rows, &e), 0);
    assert_int_equal(rows, 1);
    assert_string_equal(buf_cstr(&out), "groupId,groupDisplayName,memberId,memberType,memberDisplayName\r\n"
                                        "groupId,groupDisplayName,ownerId,ownerType,ownerDisplayName\r\n"
                                        "000004b1-0000-4000-8000-0000000004b1,Payroll "
                                        "team,00000450-0000-4000-8000-000000000450,user,aliddell\r\n");
    buf_free(&out);
    sample_free(a);
    dialect_close(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_survive),
        cmocka_unit_test(typed_cells),
        cmocka_unit_test(numbers_are_not_guarded),
        cmocka_unit_test(every_file_reads_back),
        cmocka_unit_test(memberships),
        cmocka_unit_test(large_groups_come_in_pieces),
        cmocka_unit_test(a_full_buffer_is_an_error),
        cmocka_unit_test(four_files),
        cmocka_unit_test(file_names_are_safe),
        cmocka_unit_test(columns_by_choice),
        cmocka_unit_test(unknown_columns_are_refused),
        cmocka_unit_test(tenant_file_names),
        cmocka_unit_test(tenant_members_and_owners),
        cmocka_unit_test(tenant_columns_by_choice),
        cmocka_unit_test(unknown_columns_are_explained),
        cmocka_unit_test(owners_and_members),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
