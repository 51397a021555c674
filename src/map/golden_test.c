/* The fixed casts of sample_cast.c and sample_entra_cast.c told in every dialect, compared with the files in
 * tests/golden. To write them anew after a change that is meant: ROLLCALL_GOLDEN_UPDATE=1 meson test -C build
 * map_golden and read the difference before it is committed. Every OCSF event is also checked against
 * tests/golden/ocsf_required.json; tests/ocsf_validate.sh runs a full validator over the same files where
 * there is one. */
#include "base/file.h"
#include "map/ocsf_check.h"
#include "map/sample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cmocka.h>

static struct buf golden_path(const char *name)
{
    const char *dir = getenv("ROLLCALL_GOLDEN");
    struct buf path = buf_new(4096);
    buf_printf(&path, "%s/%s", dir ? dir : "tests/golden", name);
    buf_cstr(&path);
    return path;
}

static void compare(const char *name, const struct buf *made)
{
    struct err e;
    struct buf path = golden_path(name), kept = buf_new((size_t)64 << 20);
    assert_false(made->failed);
    if (getenv("ROLLCALL_GOLDEN_UPDATE") && file_write_atomic(buf_cstr(&path), buf_bytes(made), 0644, &e) < 0)
        fail_msg("%s", e.message);
    if (file_read(&kept, buf_cstr(&path), &e) < 0) fail_msg("%s", e.message);
    size_t i = 0, line = 1;
    for (; i < kept.len && i < made->len && kept.ptr[i] == made->ptr[i]; i++) line += kept.ptr[i] == '\n';
    if (i < kept.len || i < made->len)
        fail_msg("%s, line %zu: made \"%.*s\", kept \"%.*s\"", name, line,
                 (int)(made->len - i > 60 ? 60 : made->len - i), (const char *)made->ptr + i,
                 (int)(kept.len - i > 60 ? 60 : kept.len - i), (const char *)kept.ptr + i);
    buf_free(&kept);
    buf_free(&path);
}

/* One of the two sources. */
struct world {
    bool is_tenant;
    struct sample *(*cast)(size_t i);
    const struct domain_info *domain;
};
static const struct world directory = {false, sample_cast, &sample_domain},
                          cloud = {true, sample_entra_cast, &sample_tenant};

static struct dialect *open_dialect(const struct world *w, const char *name, const char *version)
{
    struct err e;
    struct dialect *d;
    struct dialect_options o = {.is_tenant = w->is_tenant,
                                .ocsf_version = str_from(version),
                                .computers_as_users = true,
                                .context = {STR("corp"), SAMPLE_NOW, 7, STR("run-7"), "0.0.0"}};
    if (dialect_open(&d, str_from(name), &o, &e) < 0) fail_msg("%s", e.message);
    return d;
}

static void write_file(const struct world *w, const char *name, struct dialect *d, size_t index,
                       struct buf *out)
{
    struct err e;
    struct sample *a;
    uint64_t rows = 0;
    dialect_file_header(d, index, out);
    for (size_t i = 0; (a = w->cast(i)); i++) {
        assert_int_equal(dialect_file_rows(d, index, &a->s, out, &rows, &e), 0);
        sample_free(a);
    }
    if (!rows) fail_msg("%s: no rows", name);
}

static void check_files(const struct world *w, const char *dialect, const char *version, const char *prefix)
{
    struct dialect *d = open_dialect(w, dialect, version);
    struct dialect_file file;
    for (size_t i = 0; dialect_file(d, i, w->domain, &file); i++) {
        struct buf out = buf_new((size_t)16 << 20), name = buf_new(1024);
        buf_printf(&name, "%s-%s", prefix, file.name);
        write_file(w, file.name, d, i, &out);
        compare(buf_cstr(&name), &out);
        buf_free(&out);
        buf_free(&name);
    }
    dialect_close(d);
}

/* --- changes ------------------------------------------------------------------------------------- */
#define NOT_KNOWN INT64_MIN
struct change_case {
    size_t cast; /* whose; SIZE_MAX: gone and not kept */
    enum kind kind;
    enum change_type type;
    const char *attribute;
    const char *old_text, *new_text; /* NULL: numbers below, or none */
    int64_t old_number, new_number;
    enum evidence evidence;
    enum kind member_kind;
    const char *member_name;
    uint8_t member_guid;
};

static const struct change_case changes[] = {
    {0, KIND_user, CHANGE_created, "", .evidence = EVIDENCE_NONE},
    {0, KIND_user, CHANGE_modified, "title", "Clerk", "Payroll \"Officer\""},
    {0, KIND_user, CHANGE_modified, "userAccountControl", .old_number = 0x200, .new_number = 0x202},
    {0, KIND_user, CHANGE_modified, "userAccountControl", .old_number = 0x202, .new_number = 0x200},
    {0, KIND_user, CHANGE_modified, "userAccountControl", .old_number = 0x200, .new_number = 0x10200},
    {0, KIND_user, CHANGE_modified, "lockoutTime", .new_number = SAMPLE_NOW - 1},
    {0, KIND_user, CHANGE_modified, "lockoutTime", .old_number = SAMPLE_NOW - 1},
    {0, KIND_user, CHANGE_modified, "pwdLastSet", .old_number = SAMPLE_NOW - 2, .new_number = SAMPLE_NOW - 1},
    {0, KIND_user, CHANGE_moved, "distinguishedName", "CN=Alice,OU=Old,DC=corp,DC=example",
     "CN=Alice,OU=New,DC=corp,DC=example"},
    {0, KIND_user, CHANGE_renamed, "name", "Alice Hargreaves", "Alice Liddell"},
    {2, KIND_user, CHANGE_modified, "nTSecurityDescriptor", "O:SYG:SYD:", "O:DAG:DAD:(A;;GA;;;WD)"},
    {SIZE_MAX, KIND_user, CHANGE_deleted, "", .evidence = EVIDENCE_VANISHED},
    {3, KIND_user, CHANGE_deleted, "", .evidence = EVIDENCE_DELETED},
    {3, KIND_user, CHANGE_restored, ""},
    {5, KIND_service_account, CHANGE_created, ""},
    {6, KIND_computer, CHANGE_created, ""},
    {10, KIND_group, CHANGE_created, ""},
    {10, KIND_group, CHANGE_modified, "description", "old", "new"},
    {10, KIND_group, CHANGE_member_added, "member", NULL, "CN=Bob,OU=Staff,DC=corp,DC=example",
     .member_kind = KIND_user, .member_name = "bob", .member_guid = 7},
    {10, KIND_group, CHANGE_member_removed, "member", "CN=PC,OU=PCs,DC=corp,DC=example", NULL,
     .member_kind = KIND_computer, .member_name = "PC$", .member_guid = 8},
    {10, KIND_group, CHANGE_member_added, "member", NULL, "CN=Temps,OU=Staff,DC=corp,DC=example",
     .member_kind = KIND_group, .member_name = "Temps", .member_guid = 9},
    {10, KIND_group, CHANGE_member_removed, "member", "CN=Temps,OU=Staff,DC=corp,DC=example", NULL,
     .member_kind = KIND_group, .member_name = "Temps", .member_guid = 9},
    {10, KIND_group, CHANGE_member_added, "member", NULL, "CN=web,DC=corp,DC=example",
     .member_kind = KIND_service_account, .member_name = "web$", .member_guid = 10},
    {10, KIND_group, CHANGE_member_added, "member", NULL, "CN=Gone,DC=other,DC=example"},
    {SIZE_MAX, KIND_group, CHANGE_deleted, "", .evidence = EVIDENCE_DELETED},
    {12, KIND_ou, CHANGE_modified, "gPOptions", .old_number = 0, .new_number = 1},
    {12, KIND_ou, CHANGE_moved, "distinguishedName", "OU=Staff,OU=Old,DC=corp,DC=example",
     "OU=Staff,DC=corp,DC=example"},
    {SIZE_MAX, KIND_contact, CHANGE_deleted, "", .evidence = EVIDENCE_DELETED},
    {14, KIND_domain, CHANGE_modified, "maxPwdAge", .old_number = 3628800000, .new_number = 86400000},
    {15, KIND_trust, CHANGE_created, ""},
    {16, KIND_group_policy, CHANGE_restored, ""},
};

/* Of the tenant: members are told by id. */
static const struct change_case cloud_changes[] = {
    {0, KIND_user, CHANGE_created, ""},
    {0, KIND_user, CHANGE_modified, "jobTitle", "Clerk", "Payroll \"Officer\""},
    {0, KIND_user, CHANGE_modified, "accountEnabled", .old_number = 1, .new_number = 0},
    {0, KIND_user, CHANGE_modified, "accountEnabled", .old_number = 0, .new_number = 1},
    {0, KIND_user, CHANGE_modified, "isMfaRegistered", .old_number = 0, .new_number = 1},
    {0, KIND_user, CHANGE_modified, "isMfaRegistered", .old_number = 1, .new_number = 0},
    {0, KIND_user, CHANGE_modified, "isMfaRegistered", .old_number = NOT_KNOWN, .new_number = 1},
    {0, KIND_user, CHANGE_modified, "lastPasswordChangeDateTime", .old_number = SAMPLE_NOW - 2,
     .new_number = SAMPLE_NOW - 1},
    {0, KIND_user, CHANGE_renamed, "displayName", "Alice Hargreaves", "Alice Liddell"},
    {SIZE_MAX, KIND_user, CHANGE_deleted, "", .evidence = EVIDENCE_VANISHED},
    {3, KIND_user, CHANGE_deleted, "", .evidence = EVIDENCE_DELETED},
    {3, KIND_user, CHANGE_restored, ""},
    {4, KIND_service_principal, CHANGE_created, ""},
    {4, KIND_service_principal, CHANGE_modified, "accountEnabled", .old_number = 1, .new_number = 0},
    {6, KIND_device, CHANGE_created, ""},
    {6, KIND_device, CHANGE_modified, "isCompliant", .old_number = 1, .new_number = 0},
    {9, KIND_group, CHANGE_created, ""},
    {9, KIND_group, CHANGE_modified, "description", "old", "new"},
    {9, KIND_group, CHANGE_member_added, "member", NULL, "00000007-0000-4000-8000-000000000007",
     .member_kind = KIND_user, .member_name = "Bob", .member_guid = 7},
    {9, KIND_group, CHANGE_member_removed, "member", "00000008-0000-4000-8000-000000000008", NULL,
     .member_kind = KIND_device, .member_name = "PC-8", .member_guid = 8},
    {9, KIND_group, CHANGE_member_added, "member", NULL, "00000009-0000-4000-8000-000000000009",
     .member_kind = KIND_group, .member_name = "Temps", .member_guid = 9},
    {9, KIND_group, CHANGE_member_added, "member", NULL, "0000000a-0000-4000-8000-00000000000a",
     .member_kind = KIND_service_principal, .member_name = "Payroll export", .member_guid = 10},
    {9, KIND_group, CHANGE_member_added, "member", NULL, "0000000b-0000-4000-8000-00000000000b"},
    {11, KIND_role, CHANGE_member_added, "member", NULL, "00000007-0000-4000-8000-000000000007",
     .member_kind = KIND_user, .member_name = "Bob", .member_guid = 7},
    {12, KIND_role, CHANGE_created, ""},
    {13, KIND_role, CHANGE_member_removed, "member", "00000007-0000-4000-8000-000000000007", NULL,
     .member_kind = KIND_user, .member_name = "Bob", .member_guid = 7},
    {SIZE_MAX, KIND_role, CHANGE_deleted, "", .evidence = EVIDENCE_DELETED},
    {14, KIND_administrative_unit, CHANGE_modified, "visibility", "Public", "HiddenMembership"},
    {14, KIND_administrative_unit, CHANGE_member_added, "member", NULL,
     "00000008-0000-4000-8000-000000000008", .member_kind = KIND_device, .member_name = "PC-8",
     .member_guid = 8},
    {SIZE_MAX, KIND_contact, CHANGE_deleted, "", .evidence = EVIDENCE_DELETED},
    {16, KIND_tenant, CHANGE_modified, "onPremisesSyncEnabled", .old_number = 1, .new_number = 0},
};

static bool is_plain_side(const char *attribute)
{
    return !strcmp(attribute, "member") || !strcmp(attribute, "distinguishedName") ||
           !strcmp(attribute, "nTSecurityDescriptor");
}

static void put_side(struct buf *out, const struct change_case *c, const char *text, int64_t number)
{
    const struct attr_info *info = attr_find(str_from(c->attribute));
    if (text && is_plain_side(c->attribute)) {
        buf_add_str(out, str_from(text));
        return;
    }
    struct buf value = buf_new(4096);
    if (info && text) body_value_bytes(&value, bytes_of(str_from(text)));
    if (info && !text && info->type == ATTR_BOOL && number != NOT_KNOWN)
        body_value_bool(&value, number);
    else if (info && !text && number && number != NOT_KNOWN)
        body_value_int(&value, number);
    if (value.len) body_add(out, info->id, 1, buf_bytes(&value));
    buf_free(&value);
}

static void write_change(const struct world *w, struct dialect *d, const struct change_case *c, int64_t id,
                         struct buf *out)
{
    struct buf old = buf_new(4096), new = buf_new(4096);
    struct err e;
    struct sample *a = c->cast == SIZE_MAX ? NULL : w->cast(c->cast);
    put_side(&old, c, c->old_text, c->old_number);
    put_side(&new, c, c->new_text, c->new_number);
    struct change change = {.id = id,
                            .run = 7,
                            .time_ms = SAMPLE_NOW + 5000,
                            .connector = STR("corp"),
                            .kind = c->kind,
                            .guid = {0xab},
                            .name = STR("someone"),
                            .type = c->type,
                            .attribute = str_from(c->attribute),
                            .old = buf_bytes(&old),
                            .new = buf_bytes(&new),
                            .member_guid = {c->member_guid},
                            .member_kind = c->member_kind,
                            .member_name = str_from(c->member_name),
                            .evidence = c->evidence};
    if (a) memcpy(change.guid, a->record.guid, GUID_SIZE);
    if (dialect_change(d, &change, a ? &a->s : NULL, out, &e) < 0) fail_msg("%s", e.message);
    sample_free(a);
    buf_free(&old);
    buf_free(&new);
}

static void check_changes(const struct world *w, const char *version, const char *name)
{
    struct dialect *d = open_dialect(w, "ocsf", version);
    struct buf out = buf_new((size_t)16 << 20);
    const struct change_case *list = w->is_tenant ? cloud_changes : changes;
    size_t n = w->is_tenant ? n_elements(cloud_changes) : n_elements(changes);
    for (size_t i = 0; i < n; i++) write_change(w, d, &list[i], (int64_t)i + 1, &out);
    compare(name, &out);
    buf_free(&out);
    dialect_close(d);
}

static void conforms(void **state)
{
    static const char *const versions[] = {"1.8.0", "1.6.0", "1.1.0"};
    static const char *const streams[] = {"inventory",       "structure",       "changes",
                                          "entra-inventory", "entra-structure", "entra-changes"};
    struct err e;
    size_t n = 0;
    for (size_t i = 0; i < n_elements(versions); i++) {
        for (size_t j = 0; j < n_elements(streams); j++) {
            struct buf name = buf_new(256), lines = buf_new((size_t)16 << 20);
            buf_printf(&name, "ocsf-%s-%s.jsonl", versions[i], streams[j]);
            struct buf path = golden_path(buf_cstr(&name));
            if (file_read(&lines, buf_cstr(&path), &e) < 0) fail_msg("%s", e.message);
            n += ocsf_check_lines(buf_str(&lines), versions[i], buf_cstr(&name));
            buf_free(&path);
            buf_free(&lines);
            buf_free(&name);
        }
    }
    assert_true(n > 200);
}

static void ocsf_1_8_0(void **state)
{
    check_files(&directory, "ocsf", "1.8.0", "ocsf-1.8.0");
    check_changes(&directory, "1.8.0", "ocsf-1.8.0-changes.jsonl");
    check_files(&cloud, "ocsf", "1.8.0", "ocsf-1.8.0-entra");
    check_changes(&cloud, "1.8.0", "ocsf-1.8.0-entra-changes.jsonl");
}
static void ocsf_1_6_0(void **state)
{
    check_files(&directory, "ocsf", "1.6.0", "ocsf-1.6.0");
    check_changes(&directory, "1.6.0", "ocsf-1.6.0-changes.jsonl");
    check_files(&cloud, "ocsf", "1.6.0", "ocsf-1.6.0-entra");
    check_changes(&cloud, "1.6.0", "ocsf-1.6.0-entra-changes.jsonl");
}
static void ocsf_1_1_0(void **state)
{
    check_files(&directory, "ocsf", "1.1.0", "ocsf-1.1.0");
    check_changes(&directory, "1.1.0", "ocsf-1.1.0-changes.jsonl");
    check_files(&cloud, "ocsf", "1.1.0", "ocsf-1.1.0-entra");
    check_changes(&cloud, "1.1.0", "ocsf-1.1.0-entra-changes.jsonl");
}
static void sekoia(void **state)
{
    check_files(&directory, "sekoia", "", "sekoia");
    check_files(&cloud, "sekoia", "", "sekoia-entra");
}
static void veza(void **state)
{
    check_files(&directory, "veza", "", "veza");
    check_files(&cloud, "veza", "", "veza-entra");
}
static void csv(void **state)
{
    check_files(&directory, "csv", "", "csv");
    check_files(&cloud, "csv", "", "csv-entra");
}
static void csv4(void **state)
{
    check_files(&directory, "csv4", "", "csv4");
    check_files(&cloud, "csv4", "", "csv4-entra");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ocsf_1_8_0), cmocka_unit_test(ocsf_1_6_0), cmocka_unit_test(ocsf_1_1_0),
        cmocka_unit_test(sekoia),     cmocka_unit_test(veza),       cmocka_unit_test(csv),
        cmocka_unit_test(csv4),       cmocka_unit_test(conforms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
