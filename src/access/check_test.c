#include "access/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "access/testing.h"

#include <stdio.h>
#include <string.h>

/* --- probes: a line an ACL ------------------------------------------------------------------------------ */

/* People of the probes: Eve is in Staff; who asks is in `who`. The object is a group in which Eve is (its SID is in her token), unless said. */
static const struct {
    const char *name, *sid;
} people[] = {
    {"eve", "S-1-5-21-1-2-3-1101"},  {"staff", "S-1-5-21-1-2-3-1102"}, {"bob", "S-1-5-21-1-2-3-1103"}, {"it", "S-1-5-21-1-2-3-1104"},
    {"admins", "S-1-5-21-1-2-3-512"}, {"WD", "S-1-1-0"},               {"AU", "S-1-5-11"},             {"PS", "S-1-5-10"},
    {"OW", "S-1-3-4"},               {"CO", "S-1-3-0"},                {"CG", "S-1-3-1"},              {"AN", "S-1-5-7"},
};
#define EVE "eve staff it WD AU"

enum { YES, NO, PERHAPS_YES, PERHAPS_NO }; /* the latter two: allowed or denied, and conditional */
#define DECIDED(n) (n) /* by this ACE */
enum { BY_NOBODY = 100, BY_OWNER, BY_NULL };

static const struct probe {
    const char *name, *class, *sd, *who, *right;
    int windows, by; /* and by whom */
    int deny_wins;
} probes[] = {
    /* order */
    {"allow", "group", "O:admins D:(A;;WP;;;eve)", EVE, "WRITE_PROPERTY", YES, 0, YES},
    {"deny before allow", "group", "O:admins D:(D;;WP;;;eve)(A;;WP;;;eve)", EVE, "WRITE_PROPERTY:info", NO, 0, NO},
    {"deny of a group before allow of a user", "group", "O:admins D:(D;;WP;;;staff)(A;;WP;;;eve)", EVE, "WRITE_PROPERTY:info", NO, 0, NO},
    {"allow before deny stays", "group", "O:admins D:(A;;WP;;;eve)(D;;WP;;;eve)", EVE, "WRITE_PROPERTY:info", YES, 0, NO},
    {"explicit allow beats inherited deny", "group", "O:admins D:(A;;WP;;;eve)(D;ID;WP;;;staff)", EVE, "WRITE_PROPERTY:mail", YES, 0, NO},
    {"a parent's allow beats a grandparent's deny", "group", "O:admins D:(A;ID;GA;;;staff)(D;ID;GA;;;WD)", EVE, "DELETE", YES, 0, NO},
    {"a deny of somebody else", "group", "O:admins D:(D;;WP;;;bob)(A;;WP;;;eve)", EVE, "WRITE_PROPERTY", YES, 1, YES},
    {"a deny of another bit", "group", "O:admins D:(D;;RP;;;eve)(A;;RPWP;;;eve)", EVE, "WRITE_PROPERTY", YES, 1, YES},
    {"nobody speaks", "group", "O:admins D:(A;;WP;;;bob)", EVE, "WRITE_PROPERTY", NO, BY_NOBODY, NO},
    {"rights add up over ACEs", "group", "O:admins D:(A;;RP;;;eve)(A;;WP;;;staff)", EVE, "WRITE_PROPERTY", YES, 1, YES},
    {"non-canonical order is judged as written", "group", "O:admins D:(A;ID;SD;;;eve)(D;;SD;;;eve)", EVE, "DELETE", YES, 0, NO},
    /* the tree of object types */
    {"attribute", "group", "O:admins D:(OA;;WP;member;;eve)", EVE, "WRITE_PROPERTY:member", YES, 0, YES},
    {"another attribute", "group", "O:admins D:(OA;;WP;info;;eve)", EVE, "WRITE_PROPERTY:member", NO, BY_NOBODY, NO},
    {"Membership property set speaks for member", "group", "O:admins D:(OA;;WP;Membership;;eve)", EVE, "WRITE_PROPERTY:member", YES, 0, YES},
    {"class GUID speaks for all attributes", "group", "O:admins D:(OA;;WP;group;;eve)", EVE, "WRITE_PROPERTY:member", YES, 0, YES},
    {"class GUID is the whole object", "group", "O:admins D:(OA;;WP;group;;eve)", EVE, "WRITE_PROPERTY", YES, 0, YES},
    {"another class's GUID says nothing", "group", "O:admins D:(OA;;WP;user;;eve)", EVE, "WRITE_PROPERTY:member", NO, BY_NOBODY, NO},
    {"allow attribute before deny of its set", "group", "O:admins D:(OA;;WP;member;;eve)(OD;;WP;Membership;;eve)", EVE, "WRITE_PROPERTY:member", YES, 0, NO},
    {"deny set before allow attribute", "group", "O:admins D:(OD;;WP;Membership;;eve)(OA;;WP;member;;eve)", EVE, "WRITE_PROPERTY:member", NO, 0, NO},
    {"allow all, then deny of one attribute", "group", "O:admins D:(A;;WP;;;eve)(OD;;WP;member;;eve)", EVE, "WRITE_PROPERTY:member", YES, 0, NO},
    {"deny of one attribute, then allow all", "group", "O:admins D:(OD;;WP;member;;eve)(A;;WP;;;eve)", EVE, "WRITE_PROPERTY:member", NO, 0, NO},
    {"its siblings keep it", "group", "O:admins D:(OD;;WP;member;;eve)(A;;WP;;;eve)", EVE, "WRITE_PROPERTY:info", YES, 1, YES},
    {"the whole is spoiled", "group", "O:admins D:(OD;;WP;member;;eve)(A;;WP;;;eve)", EVE, "WRITE_PROPERTY", NO, 0, NO},
    {"so is the property set", "group", "O:admins D:(OD;;WP;member;;eve)(A;;WP;;;eve)", EVE, "WRITE_PROPERTY:Membership", NO, 0, NO},
    {"another set is not", "group", "O:admins D:(OD;;WP;member;;eve)(A;;WP;;;eve)", EVE, "WRITE_PROPERTY:Personal-Information", YES, 1, YES},
    {"an attribute that the object has not spoils nothing", "organizationalUnit", "O:admins D:(OD;;WP;member;;eve)(A;;WP;;;eve)", EVE, "WRITE_PROPERTY", YES, 1, YES},
    {"a set that the object has not spoils nothing", "group", "O:admins D:(OD;;WP;User-Account-Restrictions;;eve)(A;;WP;;;eve)", EVE, "WRITE_PROPERTY", YES, 1, YES},
    {"an unknown GUID says nothing", "group", "O:admins D:(OD;;WP;12345678-9abc-def0-1234-56789abcdef0;;eve)(A;;WP;;;eve)", EVE, "WRITE_PROPERTY", YES, 1, YES},
    {"grants of parts are none of the whole", "group", "O:admins D:(OA;;WP;Membership;;eve)(OA;;WP;info;;eve)", EVE, "WRITE_PROPERTY", NO, BY_NOBODY, NO},
    {"an attribute named like its set", "computer", "O:admins D:(OD;;WP;msDS-AdditionalDnsHostName;;eve)(OA;;WP;DNS-Host-Name-Attributes;;eve)", EVE,
     "WRITE_PROPERTY:dNSHostName", YES, 1, YES},
    {"object ACE without object type", "group", "O:admins D:(OA;;RC;;;eve)", EVE, "READ_CONTROL", YES, 0, YES},
    {"inherited object type is not looked at", "group", "O:admins D:(OA;;WP;;user;eve)", EVE, "WRITE_PROPERTY:info", YES, 0, YES},
    {"an object type narrows only what has one", "group", "O:admins D:(OA;;RCWP;member;;eve)", EVE, "READ_CONTROL", NO, BY_NOBODY, NO},
    {"a typed deny does not touch the rest", "group", "O:admins D:(OD;;GA;member;;eve)(A;;GA;;;eve)", EVE, "DELETE", YES, 1, YES},
    /* owners */
    {"OWNER RIGHTS take the implicit rights", "group", "O:eve D:(A;;RP;;;OW)", EVE, "WRITE_DAC", NO, BY_NOBODY, NO},
    {"and give what they say", "group", "O:eve D:(A;;RP;;;OW)", EVE, "READ_PROPERTY", YES, 0, YES},
    {"to the owner only", "group", "O:bob D:(A;;RP;;;OW)", EVE, "READ_PROPERTY", NO, BY_NOBODY, NO},
    {"inherit-only OWNER RIGHTS are none", "group", "O:eve D:(A;CIIO;RP;;;OW)", EVE, "WRITE_DAC", YES, BY_OWNER, YES},
    {"a deny of OWNER RIGHTS", "group", "O:eve D:(D;;WD;;;OW)(A;;WD;;;eve)", EVE, "WRITE_DAC", NO, 0, NO},
    {"a deny does not take the owner's rights", "group", "O:eve D:(D;;RCWD;;;eve)", EVE, "WRITE_DAC", YES, BY_OWNER, YES},
    {"owned by a group of hers", "group", "O:staff D:", EVE, "READ_CONTROL", YES, BY_OWNER, YES},
    {"owners may not more", "group", "O:eve D:", EVE, "WRITE_OWNER", NO, BY_NOBODY, NO},
    {"no owner", "group", "D:", EVE, "READ_CONTROL", NO, BY_NOBODY, NO},
    /* trustees */
    {"SELF on a group: its members", "group", "O:admins D:(OA;;WP;info;;PS)", EVE, "WRITE_PROPERTY:info", YES, 0, YES},
    {"SELF: not somebody else", "group", "O:admins D:(OA;;WP;info;;PS)", "bob WD", "WRITE_PROPERTY:info", NO, BY_NOBODY, NO},
    {"Creator Owner is nobody", "group", "O:eve D:(A;;WP;;;CO)(A;;WP;;;CG)", EVE " CO CG", "WRITE_PROPERTY", NO, BY_NOBODY, NO},
    {"Everyone", "group", "O:admins D:(A;;RP;;;WD)", EVE, "READ_PROPERTY:cn", YES, 0, YES},
    {"Anonymous is not in the token", "group", "O:admins D:(A;;RP;;;AN)", EVE, "READ_PROPERTY:cn", NO, BY_NOBODY, NO},
    /* flags and masks */
    {"inherit-only says nothing here", "group", "O:admins D:(A;CIIO;GA;;;eve)", EVE, "READ_PROPERTY", NO, BY_NOBODY, NO},
    {"inherit-only deny", "group", "O:admins D:(D;CIIO;GA;;;eve)(A;;GA;;;eve)", EVE, "READ_PROPERTY", YES, 1, YES},
    {"GENERIC_READ reads", "group", "O:admins D:(A;;GR;;;eve)", EVE, "READ_PROPERTY:member", YES, 0, YES},
    {"GENERIC_READ lists the object", "group", "O:admins D:(A;;GR;;;eve)", EVE, "LIST_OBJECT", YES, 0, YES},
    {"GENERIC_WRITE writes, also SELF", "group", "O:admins D:(A;;GW;;;eve)", EVE, "SELF:Self-Membership", YES, 0, YES},
    {"GENERIC_WRITE is no CONTROL_ACCESS", "user", "O:admins D:(A;;GW;;;eve)", EVE, "CONTROL_ACCESS:User-Force-Change-Password", NO, BY_NOBODY, NO},
    {"GENERIC_EXECUTE lists", "group", "O:admins D:(A;;GX;;;eve)", EVE, "LIST_CHILD_OBJECTS", YES, 0, YES},
    {"GENERIC_ALL", "group", "O:admins D:(A;;GA;;;eve)", EVE, "DELETE_TREE", YES, 0, YES},
    {"raw full mask", "group", "O:admins D:(A;;*;;;eve)", EVE, "WRITE_OWNER", YES, 0, YES},
    /* lists that are none */
    {"NULL DACL: everything", "group", "O:admins D:NULL", EVE, "WRITE_OWNER", YES, BY_NULL, YES},
    {"no DACL: everything", "group", "O:admins", EVE, "DELETE", YES, BY_NULL, YES},
    {"empty DACL: nothing", "group", "O:admins D:", EVE, "READ_PROPERTY", NO, BY_NOBODY, NO},
    {"empty DACL: but the owner", "group", "O:eve D:", EVE, "WRITE_DAC", YES, BY_OWNER, YES},
    /* children */
    {"create child of any class", "organizationalUnit", "O:admins D:(A;;CC;;;eve)", EVE, "CREATE_CHILD:user", YES, 0, YES},
    {"create child of a class", "organizationalUnit", "O:admins D:(OA;;CC;user;;eve)", EVE, "CREATE_CHILD:user", YES, 0, YES},
    {"of this class only", "organizationalUnit", "O:admins D:(OA;;CC;user;;eve)", EVE, "CREATE_CHILD:group", NO, BY_NOBODY, NO},
    {"computer is no user here", "organizationalUnit", "O:admins D:(OA;;CC;user;;eve)", EVE, "CREATE_CHILD:computer", NO, BY_NOBODY, NO},
    {"the container's own class is only a child", "organizationalUnit", "O:admins D:(OA;;CC;organizationalUnit;;eve)", EVE, "CREATE_CHILD:user", NO, BY_NOBODY, NO},
    {"deny of a child class", "organizationalUnit", "O:admins D:(OD;;CC;user;;eve)(A;;CC;;;eve)", EVE, "CREATE_CHILD:user", NO, 0, NO},
    {"spoils all children", "organizationalUnit", "O:admins D:(OD;;CC;user;;eve)(A;;CC;;;eve)", EVE, "CREATE_CHILD", NO, 0, NO},
    {"not where there are none of it", "computer", "O:admins D:(OD;;CC;user;;eve)(A;;CC;;;eve)", EVE, "CREATE_CHILD", YES, 1, YES},
    {"delete child of a class", "organizationalUnit", "O:admins D:(OA;;DC;group;;eve)", EVE, "DELETE_CHILD:group", YES, 0, YES},
    {"is not create", "organizationalUnit", "O:admins D:(OA;;DC;group;;eve)", EVE, "CREATE_CHILD:group", NO, BY_NOBODY, NO},
    /* operations */
    {"extended right", "user", "O:admins D:(OA;;CR;User-Force-Change-Password;;eve)", EVE, "CONTROL_ACCESS:User-Force-Change-Password", YES, 0, YES},
    {"another extended right", "user", "O:admins D:(OA;;CR;User-Change-Password;;eve)", EVE, "CONTROL_ACCESS:User-Force-Change-Password", NO, BY_NOBODY, NO},
    {"all extended rights", "user", "O:admins D:(A;;CR;;;eve)", EVE, "CONTROL_ACCESS:User-Force-Change-Password", YES, 0, YES},
    {"deny of one, allow of all", "user", "O:admins D:(OD;;CR;User-Force-Change-Password;;eve)(A;;CR;;;eve)", EVE, "CONTROL_ACCESS", NO, 0, NO},
    {"deny of one that this class has not", "group", "O:admins D:(OD;;CR;User-Force-Change-Password;;eve)(A;;CR;;;eve)", EVE, "CONTROL_ACCESS", YES, 1, YES},
    {"Self-Membership", "group", "O:admins D:(OA;;SW;member;;eve)", EVE, "SELF:Self-Membership", YES, 0, YES},
    {"Self-Membership does not write member", "group", "O:admins D:(OA;;SW;member;;eve)", EVE, "WRITE_PROPERTY:member", NO, BY_NOBODY, NO},
    {"SELF on the Membership set", "group", "O:admins D:(OA;;SW;Membership;;eve)", EVE, "SELF:Self-Membership", YES, 0, YES},
    {"all validated writes", "group", "O:admins D:(A;;SW;;;eve)", EVE, "SELF:Self-Membership", YES, 0, YES},
    {"member of a class GUID", "group", "O:admins D:(OA;;SW;group;;eve)", EVE, "SELF:Self-Membership", YES, 0, YES},
    /* what cannot be decided */
    {"callback allow", "group", "O:admins D:(XA;;WP;;;eve)", EVE, "WRITE_PROPERTY:info", PERHAPS_NO, BY_NOBODY, PERHAPS_NO},
    {"callback deny before allow", "group", "O:admins D:(XD;;WP;;;eve)(A;;WP;;;eve)", EVE, "WRITE_PROPERTY:info", PERHAPS_YES, 1, PERHAPS_YES},
    {"callback deny after allow", "group", "O:admins D:(A;;WP;;;eve)(XD;;WP;;;eve)", EVE, "WRITE_PROPERTY:info", YES, 0, PERHAPS_YES},
    {"callback allow before allow", "group", "O:admins D:(XA;;WP;;;eve)(A;;WP;;;eve)", EVE, "WRITE_PROPERTY:info", YES, 1, YES},
    {"callback allow before deny", "group", "O:admins D:(XA;;WP;;;eve)(D;;WP;;;eve)", EVE, "WRITE_PROPERTY:info", PERHAPS_NO, 1, NO},
    {"callback for somebody else", "group", "O:admins D:(XD;;WP;;;bob)(A;;WP;;;eve)", EVE, "WRITE_PROPERTY:info", YES, 1, YES},
    {"callback object ACE of another attribute", "group", "O:admins D:(ZA;;WP;member;;eve)", EVE, "WRITE_PROPERTY:info", NO, BY_NOBODY, NO},
    {"unknown types are passed over", "group", "O:admins D:(?;;WP;;;eve)(A;;WP;;;eve)", EVE, "WRITE_PROPERTY:info", YES, 1, YES},
    {"audit ACEs have no voice", "group", "O:admins D:(AU;;WP;;;eve)", EVE, "WRITE_PROPERTY:info", NO, BY_NOBODY, NO},
};

static const char *sid_text(struct str name)
{
    for (size_t i = 0; i < n_elements(people); i++)
        if (str_equal(str_from(people[i].name), name)) return people[i].sid;
    fail_msg("nobody is called %.*s", STR_FMT(name));
    return NULL;
}

/* Attribute, property set, class or right of the test schema, or a GUID. */
static bool guid_of(uint8_t out[16], struct str name)
{
    if (!name.len) return false;
    for (size_t i = 0; i < n_elements(test_attributes); i++)
        if (str_equal(str_from(test_attributes[i].name), name)) return test_guid(out, test_attributes[i].guid), true;
    for (size_t i = 0; i < n_elements(test_classes); i++)
        if (str_equal(str_from(test_classes[i].name), name)) return test_guid(out, test_classes[i].guid), true;
    for (size_t i = 0; i < n_elements(test_rights); i++)
        if (str_equal(str_from(test_rights[i].name), name)) return test_guid(out, test_rights[i].guid), true;
    assert_true(guid_parse(out, name));
    return true;
}

struct word {
    const char *word;
    uint32_t value;
};
static const struct word types[] = {{"A", 0}, {"D", 1}, {"AU", 2}, {"OA", 5}, {"OD", 6}, {"XA", 9}, {"XD", 10}, {"ZA", 11}, {"?", 99}};
static const struct word flags[] = {{"CI", 2}, {"IO", 8}, {"ID", 16}};
static const struct word masks[] = {{"CC", 1},        {"DC", 2},        {"LC", 4},        {"SW", 8},          {"RP", 0x10},       {"WP", 0x20},
                                    {"DT", 0x40},     {"LO", 0x80},     {"CR", 0x100},    {"SD", 0x10000},    {"RC", 0x20000},    {"WD", 0x40000},
                                    {"WO", 0x80000},  {"GA", 0x10000000}, {"GX", 0x20000000}, {"GW", 0x40000000}, {"GR", 0x80000000}, {"*", UINT32_MAX}};

static uint32_t words(struct str text, const struct word *list, size_t n)
{
    uint32_t out = 0;
    while (text.len) {
        size_t i = 0;
        while (i < n && !str_starts(text, str_from(list[i].word))) i++;
        assert_true(i < n);
        out |= list[i].value;
        text.ptr += strlen(list[i].word);
        text.len -= strlen(list[i].word);
    }
    return out;
}

static struct str field(struct str *rest, char end)
{
    size_t at = str_index(*rest, end);
    struct str out = {rest->ptr, at};
    assert_true(at < rest->len);
    *rest = (struct str){rest->ptr + at + 1, rest->len - at - 1};
    return out;
}

/* "type;flags;rights;object;inherited;who" */
static void add_probe_ace(struct buf *aces, struct str text)
{
    struct str type = field(&text, ';'), flag = field(&text, ';'), mask = field(&text, ';'), object = field(&text, ';'), inherited = field(&text, ';');
    uint8_t guids[2][16];
    struct buf sid = buf_new(100);
    uint32_t number = 0;
    for (size_t i = 0; i < n_elements(types); i++)
        if (str_equal(type, str_from(types[i].word))) number = types[i].value;
    test_add_sid(&sid, sid_text(text));
    test_add_ace(aces, number, words(flag, flags, n_elements(flags)), words(mask, masks, n_elements(masks)), guid_of(guids[0], object) ? guids[0] : NULL,
                 guid_of(guids[1], inherited) ? guids[1] : NULL, buf_bytes(&sid), (struct bytes){NULL, 0});
    buf_free(&sid);
}

/* "O:who D:(ace)(ace)" */
static struct buf probe_sd(const char *text)
{
    struct str rest = str_from(text);
    struct buf out = buf_new(1 << 16), aces = buf_new(1 << 16), owner = buf_new(100);
    unsigned n = 0;
    if (str_starts(rest, STR("O:"))) {
        size_t at = str_index(rest, ' ');
        test_add_sid(&owner, sid_text((struct str){rest.ptr + 2, at - 2}));
        rest = (struct str){rest.ptr + at + (at < rest.len), rest.len - at - (at < rest.len)};
    }
    bool has_dacl = rest.len, is_null = str_equal(rest, STR("D:NULL"));
    if (has_dacl && !is_null)
        for (field(&rest, ':'); rest.len; n++) {
            field(&rest, '(');
            add_probe_ace(&aces, field(&rest, ')'));
        }
    test_add_sd(&out, has_dacl ? SD_DACL_PRESENT : 0, buf_bytes(&owner), has_dacl && !is_null ? &aces : NULL, n);
    buf_free(&aces);
    buf_free(&owner);
    return out;
}

/* The token: names, separated by spaces. */
static bool is_named(void *ctx, struct bytes sid)
{
    struct str room[16], text;
    char asked[SID_TEXT];
    struct schema_names names = test_words(room, ctx);
    text = str_from(sid_format_bytes(asked, sid));
    for (size_t i = 0; i < names.n; i++)
        if (str_equal(text, str_from(sid_text(names.list[i])))) return true;
    return false;
}

struct setting {
    struct schema *schema;
    struct buf sd, self;
    struct sd decoded;
    struct access_object object;
};

static void set_up(struct setting *s, const char *class, const char *sd, const char *heuristics)
{
    struct err e;
    *s = (struct setting){.schema = test_schema(heuristics), .sd = probe_sd(sd), .self = buf_new(100)};
    assert_int_equal(sd_decode(&s->decoded, buf_bytes(&s->sd), &e), 0);
    test_add_sid(&s->self, sid_text(STR("it")));
    s->object = (struct access_object){&s->decoded, buf_bytes(&s->self), s->schema, schema_class_find(s->schema, str_from(class))};
    assert_int_not_equal(s->object.class, SCHEMA_NONE);
}

static void take_down(struct setting *s)
{
    schema_free(s->schema);
    buf_free(&s->sd);
    buf_free(&s->self);
}

static struct access_verdict ask(const struct setting *s, const char *who, const char *right, enum access_rule rule)
{
    char names[200];
    struct right r;
    struct err e;
    struct access_verdict v;
    snprintf(names, sizeof names, "%s", who);
    if (right_parse(&r, str_from(right), s->schema, &e) < 0) fail_msg("%s", e.message);
    struct access_token t = {is_named, names};
    access_check(&v, &s->object, &t, &r, rule);
    return v;
}

static int told(const struct access_verdict *v)
{
    return v->is_conditional ? (v->is_allowed ? PERHAPS_YES : PERHAPS_NO) : v->is_allowed ? YES : NO;
}

static int decided_by(const struct access_verdict *v)
{
    static const int others[] = {[ACCESS_NO_ACE] = BY_NOBODY, [ACCESS_NULL_DACL] = BY_NULL, [ACCESS_IMPLICIT_OWNER] = BY_OWNER};
    return v->reason == ACCESS_BY_ACE ? (int)v->ace : others[v->reason];
}

static void test_probes(void **state)
{
    for (size_t i = 0; i < n_elements(probes); i++) {
        const struct probe *p = &probes[i];
        struct setting s;
        set_up(&s, p->class, p->sd, "");
        struct access_verdict windows = ask(&s, p->who, p->right, ACCESS_WINDOWS), deny_wins = ask(&s, p->who, p->right, ACCESS_DENY_WINS);
        if (told(&windows) != p->windows || decided_by(&windows) != p->by || told(&deny_wins) != p->deny_wins)
            fail_msg("%s: %s on %s: %d by %d, deny-wins %d", p->name, p->right, p->sd, told(&windows), decided_by(&windows), told(&deny_wins));
        take_down(&s);
    }
    assert_true(n_elements(probes) >= 30);
}

/* --- single points ---------------------------------------------------------------------------------------- */

static void test_unknown_types_are_counted(void **state)
{
    struct setting s;
    set_up(&s, "group", "O:admins D:(?;;WP;;;eve)(?;IO;WP;;;eve)(A;;RP;;;eve)(?;;WP;;;eve)(A;;WP;;;eve)(?;;WP;;;eve)", "");
    assert_int_equal(ask(&s, EVE, "READ_PROPERTY", ACCESS_WINDOWS).n_unknown, 1); /* those before the decision */
    assert_int_equal(ask(&s, EVE, "WRITE_PROPERTY", ACCESS_WINDOWS).n_unknown, 2);
    assert_int_equal(ask(&s, EVE, "WRITE_PROPERTY", ACCESS_DENY_WINS).n_unknown, 3);
    assert_int_equal(ask(&s, EVE, "DELETE", ACCESS_WINDOWS).n_unknown, 3);
    take_down(&s);
}

static void test_unknown_descriptor(void **state)
{
    struct setting s;
    set_up(&s, "group", "O:eve D:(A;;GA;;;eve)", "");
    s.object.sd = NULL;
    struct access_verdict v = ask(&s, EVE, "READ_PROPERTY", ACCESS_WINDOWS);
    assert_false(v.is_allowed || v.is_conditional);
    assert_int_equal(v.reason, ACCESS_NO_ACE);
    take_down(&s);
}

static void test_no_schema(void **state)
{
    struct setting s;
    set_up(&s, "group", "O:admins D:(OD;;WP;member;;eve)(OA;;RP;member;;eve)(A;;WP;;;eve)", "");
    s.object.schema = NULL;
    assert_false(ask(&s, EVE, "WRITE_PROPERTY", ACCESS_WINDOWS).is_allowed); /* may be a part: not granted for sure */
    assert_false(ask(&s, EVE, "WRITE_PROPERTY:member", ACCESS_WINDOWS).is_allowed);
    assert_true(ask(&s, EVE, "WRITE_PROPERTY:info", ACCESS_WINDOWS).is_allowed);
    assert_true(ask(&s, EVE, "READ_PROPERTY:member", ACCESS_WINDOWS).is_allowed);
    take_down(&s);
}

/* MS-ADTS 6.1.3.4 */
static void test_blocked_owners(void **state)
{
    static const struct {
        const char *class, *heuristics, *who;
        bool is_allowed;
    } rows[] = {
        {"computer", "", "eve", true},
        {"computer", "00000000010000000002000000001", "eve", false},
        {"computer", "00000000010000000002000000000", "eve", true},
        {"computer", "00000000010000000002000000001", "eve admins", true},
        {"user", "00000000010000000002000000001", "eve", true},
    };
    for (size_t i = 0; i < n_elements(rows); i++) {
        struct setting s;
        set_up(&s, rows[i].class, "O:eve D:", rows[i].heuristics);
        assert_int_equal(ask(&s, rows[i].who, "WRITE_DAC", ACCESS_WINDOWS).is_allowed, rows[i].is_allowed);
        take_down(&s);
    }
}

static void test_ace_speaks(void **state)
{
    static const struct {
        const char *ace, *right;
        enum access_speech speech;
    } rows[] = {
        {"(A;;WP;;;eve)", "WRITE_PROPERTY:member", ACE_ALLOWS},
        {"(D;;WP;;;eve)", "WRITE_PROPERTY:member", ACE_DENIES},
        {"(XA;;WP;;;eve)", "WRITE_PROPERTY:member", ACE_MAY_ALLOW},
        {"(XD;;WP;;;eve)", "WRITE_PROPERTY:member", ACE_MAY_DENY},
        {"(A;IO;WP;;;eve)", "WRITE_PROPERTY:member", ACE_SILENT},
        {"(OA;;WP;info;;eve)", "WRITE_PROPERTY:member", ACE_SILENT},
        {"(OA;;WP;info;;eve)", "WRITE_PROPERTY", ACE_SILENT},
        {"(OD;;WP;info;;eve)", "WRITE_PROPERTY", ACE_DENIES},
        {"(?;;WP;;;eve)", "WRITE_PROPERTY", ACE_SILENT},
    };
    for (size_t i = 0; i < n_elements(rows); i++) {
        char text[100];
        struct setting s;
        struct right r;
        struct err e;
        struct ace a;
        snprintf(text, sizeof text, "D:%s", rows[i].ace);
        set_up(&s, "group", text, "");
        struct bytes rest = s.decoded.dacl;
        assert_true(sd_next_ace(&rest, &a));
        assert_int_equal(right_parse(&r, str_from(rows[i].right), s.schema, &e), 0);
        assert_int_equal(access_ace_speaks(&a, &s.object, &r), rows[i].speech);
        take_down(&s);
    }
}

/* --- questions that need two checks ------------------------------------------------------------------- */

static void test_delete(void **state)
{
    static const struct {
        const char *object, *parent; /* NULL: not known */
        bool is_allowed, is_by_parent, is_conditional;
    } rows[] = {
        {"D:(A;;SD;;;eve)", NULL, true, false, false},
        {"D:(A;;SD;;;eve)", "D:", true, false, false},
        {"D:", "D:(A;;DC;;;eve)", true, true, false},
        {"D:(D;;SD;;;eve)", "D:(OA;;DC;group;;eve)", true, true, false},
        {"D:", "D:(OA;;DC;user;;eve)", false, false, false},
        {"D:(A;;DT;;;eve)", "D:(A;;SD;;;eve)", false, false, false},
        {"D:(XA;;SD;;;eve)", "D:", false, false, true},
        {"D:", "D:(XA;;DC;;;eve)", false, false, true},
        {"D:(XD;;SD;;;eve)(A;;SD;;;eve)", "D:(A;;DC;;;eve)", true, true, false},
        {"D:(XD;;SD;;;eve)(A;;SD;;;eve)", "D:", true, false, true},
        {"D:(XD;;SD;;;eve)(A;;SD;;;eve)", "D:(XD;;DC;;;eve)(A;;DC;;;eve)", true, false, true},
    };
    for (size_t i = 0; i < n_elements(rows); i++) {
        struct setting object, parent = {0};
        struct access_verdict v;
        bool is_by_parent;
        char who[] = EVE;
        struct access_token t = {is_named, who};
        set_up(&object, "group", rows[i].object, "");
        if (rows[i].parent) set_up(&parent, "organizationalUnit", rows[i].parent, "");
        access_check_delete(&v, &is_by_parent, &object.object, rows[i].parent ? &parent.object : NULL, &t, ACCESS_WINDOWS);
        assert_int_equal(v.is_allowed, rows[i].is_allowed);
        assert_int_equal(is_by_parent, rows[i].is_by_parent);
        assert_int_equal(v.is_conditional, rows[i].is_conditional);
        take_down(&object);
        if (rows[i].parent) take_down(&parent);
    }
}

/* MS-ADTS 5.1.3.3.6 */
static void test_visible(void **state)
{
    static const struct {
        const char *object, *parent;
        bool is_visible, in_list_object_mode;
    } rows[] = {
        {"D:", "D:(A;;LC;;;eve)", true, true},
        {"D:(A;;LO;;;eve)", "D:(A;;LO;;;eve)", false, true},
        {"D:(A;;LO;;;eve)", "D:", false, false},
        {"D:", "D:(A;;LO;;;eve)", false, false},
        {"D:(A;;GR;;;eve)", "D:(D;;LC;;;eve)(A;;GR;;;eve)", false, true},
        {"D:", NULL, true, true},
    };
    for (size_t i = 0; i < n_elements(rows); i++) {
        struct setting object, parent = {0};
        char who[] = EVE;
        struct access_token t = {is_named, who};
        set_up(&object, "group", rows[i].object, "");
        if (rows[i].parent) set_up(&parent, "organizationalUnit", rows[i].parent, "");
        const struct access_object *above = rows[i].parent ? &parent.object : NULL;
        assert_int_equal(access_is_visible(&object.object, above, &t, false, ACCESS_WINDOWS), rows[i].is_visible);
        assert_int_equal(access_is_visible(&object.object, above, &t, true, ACCESS_WINDOWS), rows[i].in_list_object_mode);
        take_down(&object);
        if (rows[i].parent) take_down(&parent);
    }
}

static void test_read(void **state)
{
    static const struct {
        const char *sd, *attribute;
        int answer;
    } rows[] = {
        {"D:(A;;RP;;;eve)", "info", YES},
        {"D:(A;;RP;;;eve)", "unixUserPassword", NO},
        {"D:(A;;RPCR;;;eve)", "unixUserPassword", YES},
        {"D:(A;;RP;;;eve)(OA;;CR;unixUserPassword;;eve)", "unixUserPassword", YES},
        {"D:(A;;CR;;;eve)", "unixUserPassword", NO},
        {"D:(A;;RP;;;eve)(XA;;CR;;;eve)", "unixUserPassword", PERHAPS_NO},
        {"D:(XA;;RP;;;eve)(A;;CR;;;eve)", "unixUserPassword", PERHAPS_NO},
        {"D:(XA;;RP;;;eve)", "unixUserPassword", NO},
        {"D:(XD;;RP;;;eve)(A;;RPCR;;;eve)", "unixUserPassword", PERHAPS_YES},
    };
    for (size_t i = 0; i < n_elements(rows); i++) {
        struct setting s;
        struct access_verdict v;
        char who[] = EVE;
        struct access_token t = {is_named, who};
        set_up(&s, "user", rows[i].sd, "");
        access_check_read(&v, &s.object, &t, schema_attribute_find(s.schema, str_from(rows[i].attribute)), ACCESS_WINDOWS);
        assert_int_equal(told(&v), rows[i].answer);
        take_down(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_probes),          cmocka_unit_test(test_unknown_types_are_counted),
        cmocka_unit_test(test_unknown_descriptor), cmocka_unit_test(test_no_schema),
        cmocka_unit_test(test_blocked_owners),  cmocka_unit_test(test_ace_speaks),
        cmocka_unit_test(test_delete),          cmocka_unit_test(test_visible),
        cmocka_unit_test(test_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
