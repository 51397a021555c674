/* One person, two directories: who is found by which rule, what confirms, what is in conflict, who is left
 * over. */
#include "run/identity.h"

#include "base/jsonw.h"
#include "model/record_test.h"
#include "model/sid.h"
#include "store/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* --- people
 * -------------------------------------------------------------------------------------------------- */

/* One object of either directory; unset members are absent. Entra: rid and old are those of
 * onPremisesSecurityIdentifier. */
struct one {
    const char *name; /* sAMAccountName; Entra: displayName */
    unsigned id;      /* makes the objectGUID */
    uint32_t rid;     /* of the SID */
    uint32_t old[3];  /* sIDHistory */
    enum kind kind;   /* user if unset */
    const char *dn, *upn, *mail, *domain, *sam, *custom;
    unsigned anchor; /* AD: mS-DS-ConsistencyGuid; Entra: immutable id, made from the GUID of this number */
    const char *immutable; /* Entra: written as it is */
    unsigned device;       /* Entra: deviceId */
    bool synced, was_synced, disabled, enabled;
    unsigned other_domain; /* of the SID */
};

static struct bytes sid_of(uint8_t room[SID_MAX], uint32_t rid, unsigned domain)
{
    struct sid s = {.n_sub = 5, .authority = 5, .sub = {21, 1, 2, 3 + domain, rid}};
    return (struct bytes){room, rid ? sid_encode(room, &s) : 0};
}

static void add_history(struct buf *body, const struct one *o)
{
    struct buf v = buf_new(4096);
    uint8_t room[SID_MAX];
    uint32_t n = 0;
    for (; n < 3 && o->old[n]; n++) body_value_bytes(&v, sid_of(room, o->old[n], o->other_domain));
    if (n) body_add(body, ATTR_SID_HISTORY, n, buf_bytes(&v));
    buf_free(&v);
}

static void add_custom(struct buf *body, const char *value)
{
    struct buf v = buf_new(4096);
    body_value_bytes(&v, bytes_of(str_from(value)));
    if (value) body_add_custom(body, STR("badgeNumber"), ATTR_STRING, 1, buf_bytes(&v));
    buf_free(&v);
}

static void ad_body(struct buf *body, const struct one *o)
{
    uint8_t guid[GUID_SIZE];
    guid_of_id(guid, o->anchor);
    body_add_text(body, ATTR_SAM_ACCOUNT_NAME, o->name);
    body_add_text(body, ATTR_USER_PRINCIPAL_NAME, o->upn);
    if (o->kind != KIND_group) body_add_int(body, ATTR_USER_ACCOUNT_CONTROL, o->disabled ? 514 : 512);
    add_history(body, o);
    if (o->anchor) body_add_bytes(body, ATTR_CONSISTENCY_GUID, (struct bytes){guid, sizeof guid});
    body_add_text(body, ATTR_MAIL, o->mail);
    add_custom(body, o->custom);
}

static void add_immutable(struct buf *body, const struct one *o)
{
    struct buf text = buf_new(100);
    uint8_t guid[GUID_SIZE];
    guid_of_id(guid, o->anchor);
    if (o->anchor) buf_add_base64(&text, (struct bytes){guid, sizeof guid});
    if (o->immutable) buf_add_str(&text, str_from(o->immutable));
    body_add_bytes(body, ATTR_IMMUTABLE_ID, buf_bytes(&text));
    buf_free(&text);
}

static void entra_body(struct buf *body, const struct one *o)
{
    uint8_t room[SID_MAX], guid[GUID_SIZE];
    char text[GUID_TEXT];
    body_add_text(body, ATTR_DISPLAY_NAME, o->name);
    body_add_text(body, ATTR_USER_PRINCIPAL_NAME, o->upn);
    body_add_text(body, ATTR_MAIL, o->mail);
    if (o->enabled || o->disabled) body_add_bool(body, ATTR_ACCOUNT_ENABLED, o->enabled);
    body_add_text(body, ATTR_GRAPH_EMPLOYEE_ID, o->custom);
    if (o->synced || o->was_synced) body_add_bool(body, ATTR_SYNC_ENABLED, o->synced);
    body_add_bytes(body, ATTR_ON_PREMISES_SID, sid_of(room, o->rid, o->other_domain));
    add_immutable(body, o);
    body_add_text(body, ATTR_ON_PREMISES_DN, o->dn);
    body_add_text(body, ATTR_ON_PREMISES_DOMAIN, o->domain);
    body_add_text(body, ATTR_ON_PREMISES_SAM, o->sam);
    guid_of_id(guid, o->device);
    if (o->device) body_add_text(body, ATTR_DEVICE_ID, guid_format(text, guid));
}

/* --- connectors
 * ------------------------------------------------------------------------------------------------ */

static const struct domain_info tenant = {.dns_name = {"corp.example", 12},
                                          .tenant_id = {"7d2c3f10-0000-4000-8000-000000000001", 36}};

static struct store_run *begin(struct fixture *f, const char *connector, bool is_tenant, const char *domain)
{
    struct store_run *r = NULL;
    struct run_start start = {.connector = str_from(connector),
                              .source = is_tenant ? STR("entra_id") : STR("active_directory"),
                              .mode = STR("full"),
                              .started_ms = 1};
    struct domain_info d = is_tenant ? tenant : fixture_domain;
    if (domain) d.dns_name = str_from(domain);
    OK(store_run_begin(&r, f->store, &start, &e_));
    OK(store_run_domain(r, &d, &e_));
    return r;
}

static void put(struct store_run *r, const struct one *o, bool is_tenant)
{
    struct buf body = buf_new(1 << 16), dn = buf_new(1000);
    uint8_t room[SID_MAX];
    struct record rec = {.kind = o->kind ? o->kind : KIND_user};
    guid_of_id(rec.guid, is_tenant ? o->id + 100000 : o->id);
    if (!is_tenant) rec.sid = sid_of(room, o->rid, 0);
    buf_printf(&dn, "%s", o->dn && !is_tenant ? o->dn : "");
    if (!dn.len) buf_printf(&dn, is_tenant ? "%08u-%s" : "CN=%2$s %1$u,DC=corp,DC=example", o->id, o->name);
    rec.dn = buf_str(&dn);
    if (is_tenant)
        entra_body(&body, o);
    else
        ad_body(&body, o);
    rec.state = buf_bytes(&body);
    OK(store_run_put(r, &rec, &e_));
    buf_free(&body);
    buf_free(&dn);
}

static void load(struct fixture *f, const char *connector, bool is_tenant, const char *domain,
                 const struct one *who, size_t n)
{
    struct store_run *r = begin(f, connector, is_tenant, domain);
    struct run_result result;
    struct run_end end = {.ended_ms = 2};
    for (size_t i = 0; i < n; i++) put(r, &who[i], is_tenant);
    static const enum kind kinds[] = {KIND_user, KIND_group, KIND_computer, KIND_device, KIND_contact};
    for (size_t i = 0; i < n_elements(kinds); i++) OK(store_run_kind_done(r, kinds[i], true, 0, &e_));
    OK(store_run_end(r, &end, &result, &e_));
}
#define PEOPLE(...)                                                                                          \
    (const struct one[]){__VA_ARGS__}, sizeof((const struct one[]){__VA_ARGS__}) / sizeof(struct one)
#define AD(f, ...)    load(f, "corp", false, NULL, PEOPLE(__VA_ARGS__))
#define ENTRA(f, ...) load(f, "cloud", true, NULL, PEOPLE(__VA_ARGS__))

/* --- answers as text
 * --------------------------------------------------------------------------------------------- */

static void add_marks(struct buf *b, const char *before, unsigned marks)
{
    for (unsigned i = 0; i < IDENTITY_MARK_COUNT; i++)
        if (marks >> i & 1) buf_printf(b, "%s%s", before, identity_mark_name(i));
}

static int edge_line(void *ctx, const struct identity_edge *x, struct err *e)
{
    struct buf *b = ctx;
    (void)e;
    buf_printf(b, "%.*s=%.*s %.*s %u", STR_FMT(x->entra->name), STR_FMT(x->ad->name), STR_FMT(x->rule),
               x->confidence);
    add_marks(b, " +", x->confirmed_by);
    add_marks(b, " -", x->contradicts);
    if (x->conflict) buf_printf(b, " %s", identity_conflict_name(x->conflict));
    if (x->enabled_entra && x->enabled_ad && x->enabled_entra != x->enabled_ad) buf_printf(b, " mismatch");
    buf_printf(b, "; ");
    return 0;
}

static int orphan_line(void *ctx, const struct identity_orphan *o, struct err *e)
{
    (void)e;
    buf_printf(ctx, "%s %.*s %s%s; ", o->is_entra ? "entra" : "ad", STR_FMT(o->entity->name),
               identity_orphan_name(o->reason), o->is_ambiguous ? " ambiguous" : "");
    return 0;
}

static void check(struct fixture *f, const struct identity_query *q, bool orphans, const char *want)
{
    struct buf got = buf_new(1 << 20);
    struct identity_reader reader = {
        .edge = orphans ? NULL : edge_line, .orphan = orphans ? orphan_line : NULL, .ctx = &got};
    OK(identity_read(f->store, q, &reader, &e_));
    assert_string_equal(buf_cstr(&got), want);
    buf_free(&got);
}

static void edges(struct fixture *f, const char *want)
{
    check(f, &(struct identity_query){0}, false, want);
}

static void orphans(struct fixture *f, const char *want)
{
    check(f, &(struct identity_query){0}, true, want);
}

/* --- one case: AD on one side, Entra on the other
 * ------------------------------------------------------------------ */

struct pairing {
    const char *title;
    struct one ad[3], entra[3];
    const char *edges, *orphans;
};

#define CORP .domain = "Corp.Example"
#define ALICE                                                                                                \
    .name = "alice", .id = 1, .rid = 1101, .dn = "CN=Alice,OU=People,DC=corp,DC=example",                    \
    .upn = "alice@corp.example"
#define ALICE_ .name = "Alice", .id = 1, .synced = true

static const struct pairing pairings[] = {
    {"a store without anybody", .edges = "", .orphans = ""},
    {"SID alone", {{ALICE}}, {{ALICE_, .rid = 1101}}, "Alice=alice sid 100; ", ""},
    {"SID and everything that confirms",
     {{ALICE}},
     {{ALICE_, .rid = 1101, .anchor = 1, .dn = "cn=alice, ou=people,DC=CORP,DC=example", CORP,
       .sam = "ALICE"}},
     "Alice=alice sid 100 +immutable_id +distinguished_name +domain_name +sam_account_name; ",
     ""},
    {"what contradicts lowers, and is named",
     {{ALICE}},
     {{ALICE_, .rid = 1101, .dn = "CN=Alice,OU=Moved,DC=corp,DC=example", CORP, .sam = "alice.old"}},
     "Alice=alice sid 80 +domain_name -distinguished_name -sam_account_name; ",
     ""},
    {"sIDHistory",
     {{ALICE, .old = {501101, 601101}, .other_domain = 0}},
     {{ALICE_, .rid = 601101}},
     "Alice=alice sid_history 95; ",
     ""},
    {"sIDHistory, confirmed",
     {{ALICE, .old = {601101}}},
     {{ALICE_, .rid = 601101, .sam = "alice"}},
     "Alice=alice sid_history 100 +sam_account_name; ",
     ""},
    {"the SID's owner comes before who has it in his history",
     {{ALICE}, {.name = "alice2", .id = 2, .rid = 1102, .old = {1101}}},
     {{ALICE_, .rid = 1101, CORP}},
     "Alice=alice sid 100 +domain_name; ",
     "ad alice2 not_in_tenant; "},
    {"mS-DS-ConsistencyGuid",
     {{ALICE, .anchor = 77}},
     {{ALICE_, .anchor = 77}},
     "Alice=alice consistency_guid 100; ",
     ""},
    {"objectGUID", {{ALICE}}, {{ALICE_, .anchor = 1}}, "Alice=alice object_guid 95; ", ""},
    {"an anchor that was written comes before a GUID that looks like it",
     {{ALICE}, {.name = "alice2", .id = 2, .rid = 1102, .anchor = 1}},
     {{ALICE_, .anchor = 1, CORP}},
     "Alice=alice2 consistency_guid 100 +domain_name; ",
     "ad alice not_in_tenant; "},
    {"the anchor is not the SID's: both are told, neither is an edge",
     {{ALICE}, {.name = "bob", .id = 2, .rid = 1102}},
     {{ALICE_, .rid = 1101, .anchor = 2}},
     "Alice=alice sid 90 -immutable_id keys_disagree; Alice=bob object_guid 85 -sid keys_disagree; ",
     ""},
    {"an immutable id of another form (a custom source anchor) contradicts nothing",
     {{ALICE}},
     {{ALICE_, .rid = 1101, .immutable = "E0042"}},
     "Alice=alice sid 100; ",
     ""},
    {"an immutable id of nobody contradicts",
     {{ALICE}},
     {{ALICE_, .rid = 1101, .anchor = 99}},
     "Alice=alice sid 90 -immutable_id; ",
     ""},
    {"a SID of nobody contradicts",
     {{ALICE}},
     {{ALICE_, .rid = 9999, .anchor = 1}},
     "Alice=alice object_guid 85 -sid; ",
     ""},
    {"two have the SID in their history",
     {{ALICE, .old = {601101}}, {.name = "bob", .id = 2, .rid = 1102, .old = {601101}}},
     {{ALICE_, .rid = 601101}},
     "Alice=alice sid_history 95 several_active_directory; Alice=bob sid_history 95 "
     "several_active_directory; ",
     ""},
    {"two Entra objects name one AD object",
     {{ALICE}},
     {{ALICE_, .rid = 1101}, {.name = "Alice2", .id = 2, .synced = true, .anchor = 1}},
     "Alice=alice sid 100 several_entra_id; Alice2=alice object_guid 95 several_entra_id; ",
     ""},
    {"groups have a SID and no immutable id",
     {{.name = "staff", .id = 5, .rid = 1200, .kind = KIND_group}},
     {{.name = "Staff", .id = 5, .rid = 1200, .kind = KIND_group, .synced = true, CORP, .sam = "staff"}},
     "Staff=staff sid 100 +domain_name +sam_account_name; ",
     ""},
    {"a group's immutable id would mean nothing",
     {{.name = "staff", .id = 5, .rid = 1200, .kind = KIND_group, .anchor = 6}},
     {{.name = "Staff", .id = 5, .kind = KIND_group, .synced = true, .anchor = 6}},
     "",
     "entra Staff no_key; "},
    {"a user is not the group that has its SID",
     {{.name = "staff", .id = 5, .rid = 1200, .kind = KIND_group}},
     {{.name = "Staff", .id = 5, .rid = 1200, .synced = true, CORP}},
     "",
     "entra Staff not_in_active_directory; "},
    {"a hybrid joined computer",
     {{.name = "PC1$", .id = 7, .rid = 1300, .kind = KIND_computer}},
     {{.name = "PC1", .id = 8, .kind = KIND_device, .device = 7, .synced = true, .enabled = true}},
     "PC1=PC1$ device_id 95; ",
     ""},
    {"disabled on one side only",
     {{ALICE, .disabled = true}},
     {{ALICE_, .rid = 1101, .enabled = true}},
     "Alice=alice sid 100 mismatch; ",
     ""},
    {"disabled on both",
     {{ALICE, .disabled = true}},
     {{ALICE_, .rid = 1101, .disabled = true}},
     "Alice=alice sid 100; ",
     ""},
    {"who was synchronised still is who he is",
     {{ALICE}},
     {{.name = "Alice", .id = 1, .was_synced = true, .rid = 1101}},
     "Alice=alice sid 100; ",
     ""},
    {"cloud only: neither edge nor orphan", {{ALICE}}, {{.name = "Guest", .id = 9}}, "", ""},
    {"orphans: no key, domain that nobody reads, nobody there",
     {{.name = "krbtgt", .id = 20, .rid = 502}, {ALICE}},
     {{.name = "A", .id = 1, .synced = true, CORP},
      {.name = "B", .id = 2, .synced = true, .rid = 7001, .domain = "other.example"},
      {.name = "C", .id = 3, .synced = true, .rid = 7002, CORP}},
     "",
     "entra A no_key; entra B domain_not_read; entra C not_in_active_directory; ad krbtgt system_account; ad "
     "alice not_in_tenant; "},
    {"users of a domain that no tenant names are no orphans",
     {{ALICE}},
     {{.name = "B", .id = 2, .synced = true, .rid = 7, .domain = "other.example"}},
     "",
     "entra B domain_not_read; "},
};

static void test_pairings(void **state)
{
    for (size_t i = 0; i < n_elements(pairings); i++) {
        const struct pairing *p = &pairings[i];
        struct fixture f;
        size_t n_ad = 0, n_entra = 0;
        while (n_ad < 3 && p->ad[n_ad].name) n_ad++;
        while (n_entra < 3 && p->entra[n_entra].name) n_entra++;
        print_message("# %s\n", p->title);
        fixture_open(&f);
        if (n_entra) load(&f, "cloud", true, NULL, p->entra, n_entra);
        if (n_ad) load(&f, "corp", false, NULL, p->ad, n_ad);
        edges(&f, p->edges);
        orphans(&f, p->orphans);
        fixture_close(&f);
    }
}

/* base64 of the raw bytes, as MS-ADTS writes the GUID on the wire, is what the synchronisation engine writes:
 * known answer. */
static void test_known_immutable_id(void **state)
{
    struct fixture f;
    struct store_run *r;
    struct run_result result;
    struct run_end end = {.ended_ms = 2};
    struct record rec = {.kind = KIND_user, .dn = STR("CN=Alice,DC=corp,DC=example")};
    fixture_open(&f);
    assert_true(guid_parse(rec.guid, STR("6f9619ff-8b86-d011-b42d-00c04fc964ff")));
    r = begin(&f, "corp", false, NULL);
    OK(store_run_put(r, &rec, &e_));
    OK(store_run_end(r, &end, &result, &e_));
    ENTRA(&f, {.name = "Right", .id = 1, .immutable = "/xmWb4aLEdC0LQDAT8lk/w=="},
          {.name = "Wrong case", .id = 2, .immutable = "/XMWB4ALEDC0LQDAT8LK/W=="},
          {.name = "Printed order", .id = 3, .immutable = "b5YZ/4uG0BG0LQDAT8lk/w=="});
    edges(&f, "Right=Alice object_guid 95; ");
    fixture_close(&f);
}

static void test_tombstones(void **state)
{
    struct fixture f;
    fixture_open(&f);
    AD(&f, {ALICE}, {.name = "bob", .id = 2, .rid = 1102});
    AD(&f, {.name = "bob", .id = 2, .rid = 1102});
    ENTRA(&f, {ALICE_, .rid = 1101, CORP}, {.name = "Bob", .id = 2, .rid = 1102, .synced = true});
    edges(&f, "Bob=bob sid 100; ");
    orphans(&f, "entra Alice deleted_in_active_directory; ");
    ENTRA(&f, {ALICE_, .rid = 1101, CORP});
    edges(&f, "");
    orphans(&f, "entra Alice deleted_in_active_directory; ad bob not_in_tenant; ");
    fixture_close(&f);
}

static void test_many_connectors(void **state)
{
    struct fixture f;
    fixture_open(&f);
    AD(&f, {ALICE}, {.name = "bob", .id = 2, .rid = 1102});
    load(&f, "corp-again", false, NULL, PEOPLE({ALICE}));
    ENTRA(&f, {ALICE_, .rid = 1101, CORP});
    load(&f, "cloud2", true, NULL, PEOPLE({.name = "Alice two", .id = 1, .rid = 1101, .synced = true, CORP}));
    load(&f, "branch", false, "branch.example", PEOPLE({.name = "carol", .id = 3, .rid = 77777}));
    struct buf got = buf_new(1 << 16);
    struct identity_reader reader = {.edge = edge_line, .ctx = &got};
    struct identity_query q = {.connector = STR("corp-again")};
    OK(identity_read(f.store, &(struct identity_query){0}, &reader, &e_));
    const char *text = buf_cstr(&got),
               *two = strstr(text,
                             "Alice two=alice sid 100 +domain_name; Alice two=alice sid 100 +domain_name; ");
    const char *one = strstr(text, "Alice=alice sid 100 +domain_name; Alice=alice sid 100 +domain_name; ");
    if (!one || !two || got.len != 4 * strlen("Alice=alice sid 100 +domain_name; ") + 2 * strlen(" two"))
        fail_msg("%s", text);
    buf_clear(&got);
    OK(identity_read(f.store, &q, &reader, &e_));
    if (got.len != 2 * strlen("Alice=alice sid 100 +domain_name; ") + strlen(" two"))
        fail_msg("%s", buf_cstr(&got));
    buf_free(&got);
    orphans(&f, "ad bob not_in_tenant; ");
    fixture_close(&f);
}

static void test_filters(void **state)
{
    struct fixture f;
    fixture_open(&f);
    AD(&f, {ALICE}, {.name = "staff", .id = 5, .rid = 1200, .kind = KIND_group},
       {.name = "bob", .id = 2, .rid = 1102, .old = {42}},
       {.name = "carl", .id = 3, .rid = 1103, .old = {42}});
    ENTRA(&f, {ALICE_, .rid = 1101},
          {.name = "Staff", .id = 5, .rid = 1200, .kind = KIND_group, .synced = true},
          {.name = "Bob", .id = 2, .rid = 42, .synced = true},
          {.name = "Lost", .id = 8, .rid = 43, .synced = true},
          {.name = "Lost group", .id = 9, .rid = 44, .kind = KIND_group, .synced = true});
    check(&f, &(struct identity_query){.kinds = KIND_BIT(KIND_group)}, false, "Staff=staff sid 100; ");
    check(&f, &(struct identity_query){.kinds = KIND_BIT(KIND_computer)}, false, "");
    check(&f, &(struct identity_query){.kinds = KIND_BIT(KIND_ou)}, false, "");
    check(&f, &(struct identity_query){.rule = STR("object_guid")}, false, "");
    check(&f, &(struct identity_query){.rule = STR("sid"), .limit = 1}, false, "Alice=alice sid 100; ");
    check(&f, &(struct identity_query){.connector = STR("nobody")}, false, "");
    check(&f, &(struct identity_query){.only_conflicts = true}, false,
          "Bob=bob sid_history 95 several_active_directory; Bob=carl sid_history 95 "
          "several_active_directory; ");
    check(&f, &(struct identity_query){.kinds = KIND_BIT(KIND_group)}, true,
          "entra Lost group not_in_active_directory; ");
    check(&f, &(struct identity_query){.limit = 1}, true, "entra Lost not_in_active_directory; ");
    check(&f, &(struct identity_query){.connector = STR("corp")}, true, "");
    fixture_close(&f);
}

/* --- rules of the settings
 * ------------------------------------------------------------------------------------------- */

static char by_mail[] = "by-mail", by_badge[] = "by-badge", by_name[] = "by-name", mail[] = "mail",
            badge[] = "badgeNumber", employee[] = "employeeId", name[] = "name", display[] = "display_name";
static const struct identity_rule mail_rule = {.name = by_mail,
                                               .kind = KIND_user,
                                               .active_directory = mail,
                                               .entra_id = mail,
                                               .confidence = 60,
                                               .ignore_case = true};
static const struct identity_rule badge_rule = {
    .name = by_badge, .kind = KIND_user, .active_directory = badge, .entra_id = employee, .confidence = 70};
static const struct identity_rule name_rule = {.name = by_name,
                                               .kind = KIND_user,
                                               .active_directory = name,
                                               .entra_id = display,
                                               .confidence = 20,
                                               .ignore_case = true,
                                               .ignore_special_characters = true};

static void check_rules(struct fixture *f, const struct identity_rule *rules, size_t n, bool orphaned,
                        const char *want)
{
    check(f, &(struct identity_query){.rules = rules, .n_rules = n}, orphaned, want);
}

static void test_rules(void **state)
{
    struct fixture f;
    const struct identity_rule both[] = {mail_rule, badge_rule, name_rule};
    fixture_open(&f);
    AD(&f, {ALICE, .mail = "alice@corp.example"},
       {.name = "bob", .id = 2, .rid = 1102, .mail = "Bob@corp.example", .custom = "77"},
       {.name = "carl", .id = 3, .rid = 1103, .custom = "88"}, {.name = "d.dora", .id = 4, .rid = 1104});
    ENTRA(&f, {ALICE_, .rid = 1101}, {.name = "Other", .id = 11, .mail = "ALICE@corp.example"},
          {.name = "Bob", .id = 2, .mail = "bob@CORP.example", .custom = "88"},
          {.name = "Carl", .id = 3, .custom = "88"}, {.name = "D Dora", .id = 4});
    edges(&f, "Alice=alice sid 100; ");
    check_rules(&f, both, 1, false, "Alice=alice sid 100; Bob=bob by-mail 60; ");
    check_rules(&f, both, 2, false, "Alice=alice sid 100; Bob=bob by-mail 60; Carl=carl by-badge 70; ");
    check_rules(&f, both, 3, false,
                "Alice=alice sid 100; Bob=bob by-mail 60; Carl=carl by-badge 70; D Dora=d.dora by-name 20; ");
    check(&f, &(struct identity_query){.rules = both, .n_rules = 3, .rule = STR("by-badge")}, false,
          "Carl=carl by-badge 70; ");
    struct identity_rule strict = mail_rule;
    strict.ignore_case = false;
    check_rules(&f, &strict, 1, false, "Alice=alice sid 100; ");
    fixture_close(&f);
}

static void test_rules_only_unique(void **state)
{
    struct fixture f;
    fixture_open(&f);
    AD(&f, {.name = "a", .id = 1, .rid = 1101, .mail = "one@x"},
       {.name = "b", .id = 2, .rid = 1102, .mail = "two@x"},
       {.name = "c", .id = 3, .rid = 1103, .mail = "two@x"});
    ENTRA(&f, {.name = "A", .id = 1, .mail = "one@x", .synced = true},
          {.name = "A2", .id = 2, .mail = "one@x", .synced = true},
          {.name = "B", .id = 3, .mail = "two@x", .synced = true});
    check_rules(&f, &mail_rule, 1, false, "");
    check_rules(&f, &mail_rule, 1, true,
                "entra A no_key ambiguous; entra A2 no_key ambiguous; entra B no_key ambiguous; ");
    load(&f, "cloud2", true, NULL, PEOPLE({.name = "A of another tenant", .id = 1, .mail = "one@x"}));
    check_rules(&f, &mail_rule, 1, false, "A of another tenant=a by-mail 60; ");
    fixture_close(&f);
}

static void test_rules_ignore(void **state)
{
    struct fixture f;
    struct identity_rule rule = mail_rule;
    fixture_open(&f);
    AD(&f, {.name = "a", .id = 1, .rid = 1101, .mail = "CORP\\jean.dupont"});
    ENTRA(&f, {.name = "A", .id = 1, .mail = "Jean-Dupont@corp.example"},
          {.name = "@", .id = 2, .mail = "@"});
    check_rules(&f, &rule, 1, false, "");
    rule.ignore_domain = rule.ignore_special_characters = true;
    check_rules(&f, &rule, 1, false, "A=a by-mail 60; ");
    fixture_close(&f);
}

/* --- what a callback may do
 * -------------------------------------------------------------------------------------------- */

static int refuse(void *ctx, const struct identity_edge *x, struct err *e)
{
    (void)ctx, (void)x;
    return err_set(e, ERR_CANCEL, "enough");
}

static void test_callback_fails(void **state)
{
    struct fixture f;
    struct err e;
    struct identity_reader reader = {.edge = refuse};
    fixture_open(&f);
    AD(&f, {ALICE});
    ENTRA(&f, {ALICE_, .rid = 1101});
    assert_int_equal(identity_read(f.store, &(struct identity_query){0}, &reader, &e), ERR_CANCEL);
    assert_string_equal(e.message, "enough");
    fixture_close(&f);
}

/* Everybody's keys are everybody's: what is told of one key stays bounded. */
static void test_hostile_history(void **state)
{
    struct fixture f;
    enum { MANY = 400 };
    struct one *ad = x_zalloc(MANY * sizeof *ad), *entra = x_zalloc(MANY * sizeof *entra);
    for (unsigned i = 0; i < MANY; i++) {
        ad[i] = (struct one){.name = "a", .id = i + 1, .rid = 2000 + i, .old = {42}};
        entra[i] = (struct one){.name = "e", .id = i + 1, .rid = 42};
    }
    fixture_open(&f);
    load(&f, "corp", false, NULL, ad, MANY);
    load(&f, "cloud", true, NULL, entra, MANY);
    struct buf got = buf_new(16 << 20);
    struct identity_reader reader = {.edge = edge_line, .ctx = &got};
    OK(identity_read(f.store, &(struct identity_query){0}, &reader, &e_));
    assert_int_equal(got.len, 100 * MANY * strlen("e=a sid_history 95 several_active_directory; "));
    buf_free(&got);
    free(ad);
    free(entra);
    fixture_close(&f);
}

/* conf/ keeps these names from the rules of a site, and may not include run/. */
static void test_builtin_names(void **state)
{
    struct buf b = buf_new(1000);
    for (unsigned i = 0; identity_builtin_rule(i); i++)
        buf_printf(&b, "%s%s", i ? " " : "", identity_builtin_rule(i));
    assert_string_equal(buf_cstr(&b), IDENTITY_RULES_BUILT_IN);
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pairings),          cmocka_unit_test(test_known_immutable_id),
        cmocka_unit_test(test_tombstones),        cmocka_unit_test(test_many_connectors),
        cmocka_unit_test(test_filters),           cmocka_unit_test(test_rules),
        cmocka_unit_test(test_rules_only_unique), cmocka_unit_test(test_rules_ignore),
        cmocka_unit_test(test_callback_fails),    cmocka_unit_test(test_hostile_history),
        cmocka_unit_test(test_builtin_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
