#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "access/graph/bloodhound_int.h"
#include "access/fixture.h"
#include "access/testing.h"

#include <stdio.h>
#include <stdlib.h>

#define MEMBER      "bf9679c0-0de6-11d0-a285-00aa003049e2"
#define DESCRIPTION "bf967950-0de6-11d0-a285-00aa003049e2"
#define RESET       "00299570-246d-11d0-a768-00aa006e0529"
#define SPN         "f3a64788-5306-11d1-a9c5-0000f80367c1"
#define OTHER       "S-1-5-21-9-9-9-1000" /* who gets the permissions; not of this domain, member of nothing */
#define ALL         0xf01ffu

/* --- a graph without a store ------------------------------------------------------------------------- */

struct stage {
    struct fixture f;
    struct schema *schema;
    struct graph g;
    struct graph_options options;
    struct graph_counts counts;
};

static void raise_stage(struct stage *s, bool is_effective)
{
    *s = (struct stage){.schema = test_schema(""), .options = {STR("c0"), is_effective}};
    s->f = fixture_new(1, s->schema);
    s->g = (struct graph){.world = s->f.w,
                          .options = &s->options,
                          .counts = &s->counts,
                          .schema = s->schema,
                          .memory = arena_new(SIZE_MAX),
                          .text = buf_new(65536),
                          .token_of = NOBODY,
                          .domain = STR("CORP.EXAMPLE"),
                          .domain_id = STR("S-1-5-21-0-0-0")};
    graph_rights_init(&s->g);
}

static void strike_stage(struct stage *s)
{
    s->g.world = NULL; /* the fixture's */
    graph_close(&s->g);
    fixture_free(&s->f);
    schema_free(s->schema);
}

struct entry {
    unsigned type, flags;
    uint32_t mask;
    const char *object, *inherited, *who;
};

static void add_entry(struct buf *acl, const struct entry *a)
{
    uint8_t object[GUID_SIZE], inherited[GUID_SIZE];
    struct buf sid = buf_new(SID_MAX);
    test_guid(object, a->object ? a->object : "");
    test_guid(inherited, a->inherited ? a->inherited : "");
    test_add_sid(&sid, a->who);
    test_add_ace(acl, a->type, a->flags, a->mask, a->object ? object : NULL, a->inherited ? inherited : NULL,
                 buf_bytes(&sid), (struct bytes){NULL, 0});
    buf_free(&sid);
}

/* An object of this kind with these entries; its edges as "Name Name*", * inherited, in order. */
static const char *edges_of(struct stage *s, enum kind kind, const char *class, const char *owner,
                            const struct entry *list, size_t n)
{
    static char text[1024];
    struct buf acl = buf_new(65536), sd = buf_new(65536), who = buf_new(SID_MAX), out = buf_new(sizeof text);
    for (size_t i = 0; i < n; i++) add_entry(&acl, &list[i]);
    if (owner) test_add_sid(&who, owner);
    test_add_sd(&sd, SD_DACL_PRESENT, buf_bytes(&who), &acl, (unsigned)n);
    uint32_t descriptor = fixture_descriptor(&s->f, buf_bytes(&sd));
    uint32_t object =
        fixture_object(&s->f, 0, NOBODY, descriptor, schema_class_find(s->schema, str_from(class)));
    s->f.w->objects[object].kind = kind;
    fixture_finish(&s->f);
    const struct graph_edge_list *l = graph_edges(&s->g, object, false);
    for (size_t i = 0; i < l->n; i++)
        buf_printf(&out, "%s%s%s", i ? " " : "", graph_right_name(l->list[i].right),
                   l->list[i].is_inherited ? "*" : "");
    snprintf(text, sizeof text, "%s", buf_cstr(&out));
    buf_free(&acl);
    buf_free(&sd);
    buf_free(&who);
    buf_free(&out);
    return text;
}

/* --- entries to edges -------------------------------------------------------------------------------- */

static const struct {
    enum kind kind;
    const char *class;
    struct entry list[3];
    const char *told, *held;
} rows[] = {
    {KIND_group, "group", {{0, 0, ALL, NULL, NULL, OTHER}}, "GenericAll", "GenericAll"},
    {KIND_group,
     "group",
     {{0, 0, 0x10000000, NULL, NULL, OTHER}},
     "GenericAll",
     "GenericAll"}, /* GENERIC_ALL */
    {KIND_group, "group", {{0, 0x10, ALL, NULL, NULL, OTHER}}, "GenericAll*", "GenericAll*"},
    {KIND_group, "group", {{0, 8, ALL, NULL, NULL, OTHER}}, "", ""},      /* inherit only */
    {KIND_group, "group", {{1, 0, ALL, NULL, NULL, OTHER}}, "", ""},      /* a deny is no edge */
    {KIND_group, "group", {{9, 0, ALL, NULL, NULL, OTHER}}, "", ""},      /* callback: nobody knows */
    {KIND_group, "group", {{0, 0, ALL, NULL, NULL, "S-1-5-18"}}, "", ""}, /* the machine itself */
    {KIND_group, "group", {{0, 0, ALL, NULL, NULL, "S-1-5-10"}}, "", ""}, /* SELF */
    {KIND_group,
     "group",
     {{0, 0, RIGHT_WRITE_DAC | RIGHT_WRITE_OWNER, NULL, NULL, OTHER}},
     "WriteDacl WriteOwner",
     "WriteDacl WriteOwner"},
    {KIND_group, "group", {{0, 0, RIGHT_READ_PROPERTY, NULL, NULL, OTHER}}, "", ""},
    {KIND_group, "group", {{5, 0, RIGHT_WRITE_PROPERTY, MEMBER, NULL, OTHER}}, "AddMember", "AddMember"},
    {KIND_group, "group", {{5, 0, RIGHT_SELF, MEMBER, NULL, OTHER}}, "AddSelf", "AddSelf"},
    {KIND_group, "group", {{5, 0, RIGHT_WRITE_PROPERTY, MEMBERSHIP_SET, NULL, OTHER}}, "", "AddMember"},
    {KIND_group, "group", {{0, 0, RIGHT_WRITE_PROPERTY, NULL, NULL, OTHER}}, "GenericWrite", "GenericWrite"},
    {KIND_group, "group", {{5, 0, RIGHT_CONTROL_ACCESS, RESET, NULL, OTHER}}, "", ""}, /* of users only */
    {KIND_group,
     "group",
     {{5, 0x10, RIGHT_WRITE_PROPERTY, MEMBER, USER_CLASS, OTHER}},
     "",
     ""}, /* for another class */
    {KIND_group,
     "group",
     {{5, 0x10, RIGHT_WRITE_PROPERTY, MEMBER, GROUP_CLASS, OTHER}},
     "AddMember*",
     "AddMember*"},
    {KIND_user,
     "user",
     {{5, 0, RIGHT_CONTROL_ACCESS, RESET, NULL, OTHER}},
     "ForceChangePassword",
     "ForceChangePassword"},
    {KIND_user,
     "user",
     {{0, 0, RIGHT_CONTROL_ACCESS, NULL, NULL, OTHER}},
     "AllExtendedRights",
     "AllExtendedRights"},
    {KIND_user, "user", {{5, 0, RIGHT_WRITE_PROPERTY, SPN, NULL, OTHER}}, "WriteSPN", "WriteSPN"},
    {KIND_user, "user", {{5, 0, RIGHT_WRITE_PROPERTY, MEMBER, NULL, OTHER}}, "", ""},
    {KIND_computer,
     "computer",
     {{0, 0, RIGHT_CONTROL_ACCESS, NULL, NULL, OTHER}},
     "",
     ""}, /* no LAPS there */
    {KIND_computer,
     "computer",
     {{5, 0, RIGHT_WRITE_PROPERTY, RESTRICT_SET, NULL, OTHER}},
     "WriteAccountRestrictions",
     "WriteAccountRestrictions"},
    {KIND_ou,
     "organizationalUnit",
     {{5, 0, RIGHT_WRITE_PROPERTY, "f30e3bbe-9ff0-11d1-b603-0000f80367c1", NULL, OTHER}},
     "WriteGPLink",
     "WriteGPLink"},
    {KIND_container, "container", {{0, 0, RIGHT_WRITE_PROPERTY, NULL, NULL, OTHER}}, "", ""},
    {KIND_domain,
     "container",
     {{5, 0, RIGHT_CONTROL_ACCESS, "1131f6ad-9c07-11d1-f79f-00c04fc2dcd2", NULL, OTHER}},
     "GetChangesAll",
     "GetChangesAll"},
    /* denies and their order */
    {KIND_group,
     "group",
     {{6, 0, RIGHT_WRITE_PROPERTY, MEMBER, NULL, OTHER}, {5, 0, RIGHT_WRITE_PROPERTY, MEMBER, NULL, OTHER}},
     "AddMember",
     ""},
    {KIND_group,
     "group",
     {{5, 0, RIGHT_WRITE_PROPERTY, MEMBER, NULL, OTHER}, {6, 0, RIGHT_WRITE_PROPERTY, MEMBER, NULL, OTHER}},
     "AddMember",
     "AddMember"},
    {KIND_group,
     "group",
     {{6, 0, RIGHT_WRITE_PROPERTY, DESCRIPTION, NULL, OTHER},
      {5, 0, RIGHT_WRITE_PROPERTY, MEMBER, NULL, OTHER}},
     "AddMember",
     "AddMember"},
    {KIND_group,
     "group",
     {{6, 8, RIGHT_WRITE_PROPERTY, MEMBER, NULL, OTHER}, {5, 0, RIGHT_WRITE_PROPERTY, MEMBER, NULL, OTHER}},
     "AddMember",
     "AddMember"},
    {KIND_group,
     "group",
     {{6, 0, RIGHT_WRITE_PROPERTY, MEMBER, NULL, "S-1-1-0"},
      {5, 0, RIGHT_WRITE_PROPERTY, MEMBER, NULL, OTHER}},
     "AddMember",
     ""},
    {KIND_group,
     "group",
     {{6, 0, RIGHT_WRITE_PROPERTY, MEMBER, NULL, "S-1-5-11"},
      {5, 0, RIGHT_WRITE_PROPERTY, MEMBER, NULL, OTHER}},
     "AddMember",
     ""},
    {KIND_group,
     "group",
     {{6, 0, RIGHT_WRITE_PROPERTY, MEMBERSHIP_SET, NULL, OTHER},
      {5, 0, RIGHT_WRITE_PROPERTY, MEMBER, NULL, OTHER}},
     "AddMember",
     ""},
    {KIND_group,
     "group",
     {{6, 0, RIGHT_WRITE_PROPERTY, MEMBER, USER_CLASS, OTHER}, {0, 0, ALL, NULL, NULL, OTHER}},
     "GenericAll",
     NULL},
    {KIND_group,
     "group",
     {{1, 0, RIGHT_WRITE_DAC, NULL, NULL, OTHER}, {0, 0, ALL, NULL, NULL, OTHER}},
     "GenericAll",
     "WriteOwner GenericWrite"},
    {KIND_user,
     "user",
     {{6, 0, RIGHT_CONTROL_ACCESS, RESET, NULL, OTHER}, {0, 0, RIGHT_CONTROL_ACCESS, NULL, NULL, OTHER}},
     "AllExtendedRights",
     ""},
};

static void entries_become_edges(void **state)
{
    (void)state;
    for (size_t i = 0; i < n_elements(rows); i++) {
        struct stage s;
        size_t n = 0;
        while (n < 3 && rows[i].list[n].who) n++;
        for (int is_effective = 0; is_effective < 2; is_effective++) {
            const char *want = is_effective ? rows[i].held : rows[i].told;
            raise_stage(&s, is_effective);
            const char *got = edges_of(&s, rows[i].kind, rows[i].class, NULL, rows[i].list, n);
            if (want && strcmp(got, want) != 0)
                fail_msg("row %zu, effective %d: got '%s', wanted '%s'", i, is_effective, got, want);
            strike_stage(&s);
        }
    }
}

static void owners(void **state)
{
    (void)state;
    static const struct entry rights_of_owner = {0, 0, RIGHT_READ_CONTROL, NULL, NULL, "S-1-3-4"};
    static const struct entry denied = {1, 0, RIGHT_WRITE_DAC, NULL, NULL, OTHER};
    for (int is_effective = 0; is_effective < 2; is_effective++) {
        struct stage s;
        raise_stage(&s, is_effective);
        assert_string_equal(edges_of(&s, KIND_group, "group", OTHER, NULL, 0), "Owns");
        assert_string_equal(edges_of(&s, KIND_group, "group", OTHER, &denied, 1),
                            "Owns"); /* the owner's implicit right stays */
        assert_string_equal(edges_of(&s, KIND_group, "group", OTHER, &rights_of_owner, 1),
                            is_effective ? "" : "Owns");
        assert_string_equal(edges_of(&s, KIND_group, "group", "S-1-5-18", NULL, 0), "");
        strike_stage(&s);
    }
}

/* A deny for a group stops who is in it; through nesting, too. */
static void denies_through_groups(void **state)
{
    (void)state;
    struct stage s;
    raise_stage(&s, true);
    uint32_t inner = fixture_principal(&s.f, 0, KIND_group), outer = fixture_principal(&s.f, 0, KIND_group);
    uint32_t user = fixture_principal(&s.f, 0, KIND_user), other = fixture_principal(&s.f, 0, KIND_user);
    fixture_member(&s.f, user, inner);
    fixture_member(&s.f, inner, outer);
    fixture_finish(&s.f);
    char of_outer[SID_TEXT], of_user[SID_TEXT], of_other[SID_TEXT];
    sid_format_bytes(of_outer, s.f.w->principals[outer].sid);
    sid_format_bytes(of_user, s.f.w->principals[user].sid);
    sid_format_bytes(of_other, s.f.w->principals[other].sid);
    struct entry stopped[] = {{1, 0, RIGHT_WRITE_DAC, NULL, NULL, of_outer},
                              {0, 0, RIGHT_WRITE_DAC, NULL, NULL, of_user}};
    struct entry free_one[] = {{1, 0, RIGHT_WRITE_DAC, NULL, NULL, of_outer},
                               {0, 0, RIGHT_WRITE_DAC, NULL, NULL, of_other}};
    assert_string_equal(edges_of(&s, KIND_group, "group", NULL, stopped, 2), "");
    assert_string_equal(edges_of(&s, KIND_group, "group", NULL, free_one, 2), "WriteDacl");
    strike_stage(&s);
}

static void no_list_at_all(void **state)
{
    (void)state;
    for (int is_effective = 0; is_effective < 2; is_effective++) {
        struct stage s;
        raise_stage(&s, is_effective);
        struct buf sd = buf_new(65536);
        test_add_sd(&sd, SD_DACL_PRESENT, (struct bytes){NULL, 0}, NULL, 0);
        uint32_t object = fixture_object(&s.f, 0, NOBODY, fixture_descriptor(&s.f, buf_bytes(&sd)), 0);
        fixture_finish(&s.f);
        const struct graph_edge_list *l = graph_edges(&s.g, object, false);
        assert_int_equal(l->n, is_effective);
        if (l->n) assert_int_equal(l->list[0].right, EDGE_GENERIC_ALL);
        if (l->n) assert_true(str_equal(s.g.parties[l->list[0].party].id, STR("CORP.EXAMPLE-S-1-1-0")));
        buf_free(&sd);
        strike_stage(&s);
    }
}

/* A descriptor that was not read, or makes no sense, has no edges and is counted. */
static void unread_descriptors_are_counted(void **state)
{
    (void)state;
    struct stage s;
    raise_stage(&s, false);
    uint32_t unread = fixture_object(&s.f, 0, NOBODY, NOBODY, 0);
    uint32_t malformed =
        fixture_object(&s.f, 0, NOBODY, fixture_descriptor(&s.f, bytes_of(STR("no descriptor"))), 0);
    fixture_finish(&s.f);
    assert_int_equal(graph_edges(&s.g, unread, false)->n, 0);
    assert_int_equal(graph_edges(&s.g, malformed, false)->n, 0);
    assert_int_equal(s.counts.n_without_sd, 2);
    strike_stage(&s);
}

/* The same descriptor on two objects: SELF is one of them. */
static void self_depends_on_the_object(void **state)
{
    (void)state;
    struct stage s;
    raise_stage(&s, true);
    uint32_t user = fixture_principal(&s.f, 0, KIND_user), other = fixture_principal(&s.f, 0, KIND_user);
    char text[SID_TEXT];
    struct buf acl = buf_new(65536), sd = buf_new(65536);
    struct entry list[] = {
        {1, 0, RIGHT_WRITE_DAC, NULL, NULL, "S-1-5-10"},
        {0, 0, RIGHT_WRITE_DAC, NULL, NULL, sid_format_bytes(text, s.f.w->principals[user].sid)}};
    for (size_t i = 0; i < 2; i++) add_entry(&acl, &list[i]);
    test_add_sd(&sd, SD_DACL_PRESENT, (struct bytes){NULL, 0}, &acl, 2);
    uint32_t descriptor = fixture_descriptor(&s.f, buf_bytes(&sd)),
             class = schema_class_find(s.schema, STR("user"));
    uint32_t of_other = fixture_object(&s.f, 0, other, descriptor, class),
             of_user = fixture_object(&s.f, 0, user, descriptor, class);
    fixture_finish(&s.f);
    s.f.w->objects[of_other].kind = s.f.w->objects[of_user].kind = KIND_user;
    assert_int_equal(graph_edges(&s.g, of_other, false)->n, 1);
    assert_int_equal(graph_edges(&s.g, of_user, false)->n, 0);
    assert_int_equal(graph_edges(&s.g, of_other, false)->n, 1);
    buf_free(&acl);
    buf_free(&sd);
    strike_stage(&s);
}

/* --- ids, names, links, trusts ----------------------------------------------------------------------- */

static void ids(void **state)
{
    (void)state;
    static const struct {
        const char *sid, *id;
        bool is_well_known;
    } list[] = {
        {"S-1-5-21-1-2-3-500", "S-1-5-21-1-2-3-500", false}, {"S-1-5-21-1-2-3", "S-1-5-21-1-2-3", false},
        {"S-1-5-32-544", "CORP.EXAMPLE-S-1-5-32-544", true}, {"S-1-1-0", "CORP.EXAMPLE-S-1-1-0", true},
        {"S-1-5-11", "CORP.EXAMPLE-S-1-5-11", true},
    };
    struct stage s;
    raise_stage(&s, false);
    for (size_t i = 0; i < n_elements(list); i++) {
        struct buf sid = buf_new(SID_MAX);
        test_add_sid(&sid, list[i].sid);
        buf_clear(&s.g.text);
        graph_add_sid(&s.g, &s.g.text, buf_bytes(&sid));
        assert_string_equal(buf_cstr(&s.g.text), list[i].id);
        assert_int_equal(graph_is_well_known(buf_bytes(&sid)), list[i].is_well_known);
        uint32_t party = graph_party(&s.g, buf_bytes(&sid));
        assert_int_equal(party, graph_party(&s.g, buf_bytes(&sid)));
        assert_true(str_equal(s.g.parties[party].id, str_from(list[i].id)));
        buf_free(&sid);
    }
    uint8_t guid[GUID_SIZE];
    test_guid(guid, USER_CLASS);
    buf_clear(&s.g.text);
    graph_add_guid(&s.g.text, guid);
    assert_string_equal(buf_cstr(&s.g.text), "BF967ABA-0DE6-11D0-A285-00AA003049E2");
    strike_stage(&s);
}

static void upper_case_of_any_script(void **state)
{
    (void)state;
    struct buf out = buf_new(256);
    graph_add_upper(&out, STR("ou=b\xc3\xbcro,\xd0\xbc,\xe6\x9d\xb1\xff"));
    assert_string_equal(buf_cstr(&out), "OU=B\xc3\x9cRO,\xd0\x9c,\xe6\x9d\xb1\xff");
    buf_free(&out);
}

static void policy_links(void **state)
{
    (void)state;
    struct str rest = STR(
                   "[LDAP://cn={A},cn=policies;0][ldap://CN={B};2][junk][LDAP://CN={C};1][LDAP://CN={D};3"),
               dn;
    bool is_enforced, is_disabled;
    assert_true(graph_next_link(&rest, &dn, &is_enforced, &is_disabled) &&
                str_equal(dn, STR("cn={A},cn=policies")) && !is_enforced && !is_disabled);
    assert_true(graph_next_link(&rest, &dn, &is_enforced, &is_disabled) && str_equal(dn, STR("CN={B}")) &&
                is_enforced && !is_disabled);
    assert_true(graph_next_link(&rest, &dn, &is_enforced, &is_disabled) && str_equal(dn, STR("CN={C}")) &&
                !is_enforced && is_disabled);
    assert_false(graph_next_link(&rest, &dn, &is_enforced, &is_disabled)); /* breaks off */
    rest = STR("] ][[]");
    assert_false(graph_next_link(&rest, &dn, &is_enforced, &is_disabled));
    rest = STR("");
    assert_false(graph_next_link(&rest, &dn, &is_enforced, &is_disabled));
}

/* Made by .NET's rules by hand; SHA-1 by another program. */
static void hashes(void **state)
{
    (void)state;
    struct buf acl = buf_new(4096);
    struct ace a;
    char out[41];
    add_entry(&acl, &(struct entry){0, 0x10, ALL, NULL, NULL, "S-1-5-32-544"});
    add_entry(&acl, &(struct entry){5, 0x10, RIGHT_READ_PROPERTY | RIGHT_WRITE_PROPERTY, MEMBER, GROUP_CLASS,
                                    "S-1-5-11"});
    struct bytes rest = buf_bytes(&acl);
    assert_true(sd_next_ace(&rest, &a));
    graph_inheritance_hash(out, &a);
    assert_string_equal(out, "A84F071C62290E861E295B75E4C4D62FF68777B3");
    assert_true(sd_next_ace(&rest, &a));
    graph_inheritance_hash(out, &a);
    assert_string_equal(out, "F493935271D1B8C40D9DE9AD2E9CABADA888D013");
    buf_free(&acl);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_become_edges),
        cmocka_unit_test(owners),
        cmocka_unit_test(denies_through_groups),
        cmocka_unit_test(self_depends_on_the_object),
        cmocka_unit_test(ids),
        cmocka_unit_test(upper_case_of_any_script),
        cmocka_unit_test(policy_links),
        cmocka_unit_test(hashes),
        cmocka_unit_test(no_list_at_all),
        cmocka_unit_test(unread_descriptors_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
