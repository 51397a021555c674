#include "model/rights.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/record.h"

static void test_names(void **state)
{
    static const struct {
        const char *name;
        uint32_t bit;
    } cases[] = {{"READ_CONTROL", 0x20000},
                 {"write_dac", 0x40000},
                 {"WRITE_OWNER", 0x80000},
                 {"DELETE", 0x10000},
                 {"CREATE_CHILD", 0x1},
                 {"DELETE_CHILD", 0x2},
                 {"LIST_CHILD_OBJECTS", 0x4},
                 {"SELF", 0x8},
                 {"READ_PROPERTY", 0x10},
                 {"Write_Property", 0x20},
                 {"DELETE_TREE", 0x40},
                 {"LIST_OBJECT", 0x80},
                 {"CONTROL_ACCESS", 0x100},
                 {"GENERIC_ALL", 0},
                 {"", 0},
                 {"DELET", 0},
                 {"DELETES", 0}};
    uint32_t all = 0;
    (void)state;
    for (size_t i = 0; i < n_elements(cases); i++) {
        assert_int_equal(right_bit(str_from(cases[i].name)), cases[i].bit);
        if (cases[i].bit)
            assert_true(str_equal_nocase(str_from(right_name(cases[i].bit)), str_from(cases[i].name)));
        all |= cases[i].bit;
    }
    assert_int_equal(all, RIGHTS_ALL);
    assert_null(right_name(0));
    assert_null(right_name(0x30));
    assert_null(right_name(RIGHT_SYSTEM_SECURITY));
}

static void test_generic(void **state)
{
    static const struct {
        uint32_t in, out;
    } cases[] = {{0, 0},
                 {0x80000000, 0x20094},
                 {0x40000000, 0x20028},
                 {0x20000000, 0x20004},
                 {0x10000000, 0xF01FF},
                 {0xC0000000, 0x200BC},
                 {0x02000000, 0},          /* MAXIMUM_ALLOWED */
                 {0x01000000, 0x01000000}, /* the SACL */
                 {0xFFFFFFFF, 0x010F01FF},
                 {0x00100000, 0}, /* SYNCHRONIZE means nothing here */
                 {0x130, 0x130}};
    (void)state;
    for (size_t i = 0; i < n_elements(cases); i++)
        assert_int_equal(rights_map_generic(cases[i].in), cases[i].out);
}

static void test_parsed(void **state)
{
    static const struct {
        const char *text;
        uint32_t bit;
        const char *guid, *told; /* told NULL: as text */
    } cases[] = {
        {"WRITE_DAC", RIGHT_WRITE_DAC, NULL, NULL},
        {" list_object ", RIGHT_LIST_OBJECT, NULL, "LIST_OBJECT"},
        {"WRITE_PROPERTY:member", RIGHT_WRITE_PROPERTY, "bf9679c0-0de6-11d0-a285-00aa003049e2", NULL},
        {"write_property : MEMBER", RIGHT_WRITE_PROPERTY, "bf9679c0-0de6-11d0-a285-00aa003049e2",
         "WRITE_PROPERTY:member"},
        {"WRITE_PROPERTY:Membership", RIGHT_WRITE_PROPERTY, "bc0ac240-79a9-11d0-9020-00c04fc2d4cf", NULL},
        {"READ_PROPERTY:group", RIGHT_READ_PROPERTY, "bf967a9c-0de6-11d0-a285-00aa003049e2", NULL},
        {"READ_PROPERTY:Group Membership", RIGHT_READ_PROPERTY, "bc0ac240-79a9-11d0-9020-00c04fc2d4cf",
         "READ_PROPERTY:Membership"},
        {"SELF:Self-Membership", RIGHT_SELF, "bf9679c0-0de6-11d0-a285-00aa003049e2", NULL},
        {"SELF:{bf9679c0-0de6-11d0-a285-00aa003049e2}", RIGHT_SELF, "bf9679c0-0de6-11d0-a285-00aa003049e2",
         "SELF:Self-Membership"},
        {"CONTROL_ACCESS:User-Force-Change-Password", RIGHT_CONTROL_ACCESS,
         "00299570-246d-11d0-a768-00aa006e0529", NULL},
        {"CONTROL_ACCESS:Reset-Password", RIGHT_CONTROL_ACCESS, "00299570-246d-11d0-a768-00aa006e0529",
         "CONTROL_ACCESS:User-Force-Change-Password"},
        {"control_access:reset password", RIGHT_CONTROL_ACCESS, "00299570-246d-11d0-a768-00aa006e0529",
         "CONTROL_ACCESS:User-Force-Change-Password"},
        {"CONTROL_ACCESS:DS-Replication-Get-Changes-All", RIGHT_CONTROL_ACCESS,
         "1131f6ad-9c07-11d1-f79f-00c04fc2dcd2", NULL},
        {"CONTROL_ACCESS:userPassword", RIGHT_CONTROL_ACCESS, "bf967a6e-0de6-11d0-a285-00aa003049e2", NULL},
        {"CREATE_CHILD:user", RIGHT_CREATE_CHILD, "bf967aba-0de6-11d0-a285-00aa003049e2", NULL},
        {"DELETE_CHILD:BF967ABA-0DE6-11D0-A285-00AA003049E2", RIGHT_DELETE_CHILD,
         "bf967aba-0de6-11d0-a285-00aa003049e2", "DELETE_CHILD:user"},
        {"CREATE_CHILD:{01234567-89ab-cdef-0123-456789abcdef}", RIGHT_CREATE_CHILD,
         "01234567-89ab-cdef-0123-456789abcdef", NULL},
        /* one GUID that is an attribute, a property set and a validated write: the set is what an ACE with it
           gives */
        {"WRITE_PROPERTY:dNSHostName", RIGHT_WRITE_PROPERTY, "72e39547-7b18-11d1-adef-00c04fd8d5cd",
         "WRITE_PROPERTY:DNS-Host-Name-Attributes"},
        {"SELF:Validated-DNS-Host-Name", RIGHT_SELF, "72e39547-7b18-11d1-adef-00c04fd8d5cd", NULL},
        /* a GUID that means nothing behind this right is not given a name */
        {"CREATE_CHILD:{bf9679c0-0de6-11d0-a285-00aa003049e2}", RIGHT_CREATE_CHILD,
         "bf9679c0-0de6-11d0-a285-00aa003049e2", NULL},
    };
    (void)state;
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct right r;
        struct err e;
        struct buf b = buf_new(4096);
        char guid[GUID_TEXT];
        if (right_parse(&r, str_from(cases[i].text), schema_builtin(), &e) < 0)
            fail_msg("%s: %s", cases[i].text, e.message);
        assert_int_equal(r.bit, cases[i].bit);
        assert_int_equal(r.is_typed, cases[i].guid != NULL);
        if (r.is_typed) assert_string_equal(guid_format(guid, r.guid), cases[i].guid);
        right_format(&b, &r, schema_builtin());
        assert_string_equal(buf_cstr(&b), cases[i].told ? cases[i].told : cases[i].text);
        buf_free(&b);
    }
}

static void test_refused(void **state)
{
    static const struct {
        const char *text, *message, *hint;
    } cases[] = {
        {"WRITE_PROPRTY", "right WRITE_PROPRTY: there is none of this name", "did you mean WRITE_PROPERTY?"},
        {"writedac", "right writedac: there is none of this name", "did you mean WRITE_DAC?"},
        {"", "right : there is none of this name",
         "one of READ_CONTROL WRITE_DAC WRITE_OWNER DELETE CREATE_CHILD DELETE_CHILD LIST_CHILD_OBJECTS SELF "
         "READ_PROPERTY WRITE_PROPERTY "
         "DELETE_TREE LIST_OBJECT CONTROL_ACCESS"},
        {"Reset-Password", "right Reset-Password: this is what a right is for, not the right",
         "for instance WRITE_PROPERTY:member, CONTROL_ACCESS:User-Force-Change-Password, CREATE_CHILD:user"},
        {"DELETE:user", "right DELETE:user: DELETE is always of the whole object",
         "leave out what follows the colon"},
        {"WRITE_PROPERTY:", "right WRITE_PROPERTY:: nothing follows the colon",
         "without the colon it is the whole object; behind it stands the name of its attribute or property "
         "set"},
        {"WRITE_PROPERTY:membr",
         "right WRITE_PROPERTY:membr: the schema has no such attribute or property set",
         "did you mean WRITE_PROPERTY:member?"},
        {"CONTROL_ACCESS:Reset-Pasword",
         "right CONTROL_ACCESS:Reset-Pasword: the schema has no such extended right",
         "did you mean CONTROL_ACCESS:User-Force-Change-Password?"},
        {"CREATE_CHILD:usr", "right CREATE_CHILD:usr: the schema has no such class",
         "did you mean CREATE_CHILD:user?"},
        {"CREATE_CHILD:qqqqqqqqqqqqqqq", "right CREATE_CHILD:qqqqqqqqqqqqqqq: the schema has no such class",
         "name it as the schema does, or give its GUID: CREATE_CHILD:{xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx}"},
        {"CREATE_CHILD:member", "right CREATE_CHILD:member: member is an attribute",
         "did you mean WRITE_PROPERTY:member?"},
        {"WRITE_PROPERTY:Reset-Password",
         "right WRITE_PROPERTY:Reset-Password: Reset-Password is an extended right",
         "did you mean CONTROL_ACCESS:Reset-Password?"},
        {"CREATE_CHILD:Self-Membership",
         "right CREATE_CHILD:Self-Membership: Self-Membership is a validated write",
         "did you mean SELF:Self-Membership?"},
        {"SELF:member", "right SELF:member: member is an attribute", "did you mean SELF:Self-Membership?"},
        {"WRITE_PROPERTY:{bf9679c0}",
         "right WRITE_PROPERTY:{bf9679c0}: the schema has no such attribute or property set",
         "name it as the schema does, or give its GUID: "
         "WRITE_PROPERTY:{xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx}"},
    };
    (void)state;
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct right r;
        struct err e;
        assert_int_equal(right_parse(&r, str_from(cases[i].text), schema_builtin(), &e), ERR_INPUT);
        assert_string_equal(e.message, cases[i].message);
        assert_string_equal(e.hint, cases[i].hint);
    }
}

static void test_no_bounds_are_passed(void **state)
{
    static char text[2000];
    struct right r;
    struct err e;
    (void)state;
    memset(text, 'x', sizeof text);
    assert_int_equal(right_parse(&r, (struct str){text, sizeof text}, schema_builtin(), &e), ERR_INPUT);
    memcpy(text, "SELF:", 5);
    assert_int_equal(right_parse(&r, (struct str){text, 600}, schema_builtin(), &e), ERR_INPUT);
    assert_int_equal(right_parse(&r, (struct str){text, sizeof text}, schema_builtin(), &e), ERR_INPUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_names), cmocka_unit_test(test_generic),
                                       cmocka_unit_test(test_parsed), cmocka_unit_test(test_refused),
                                       cmocka_unit_test(test_no_bounds_are_passed)};
    return cmocka_run_group_tests_name("rights", tests, NULL, NULL);
}
