/* Random people in a domain and a tenant, and an oracle that knows them from the same dice and looks at all of them for every question. */
#include "catalog/catalog.h"
#include "store/fixture.h"

#include "base/when.h"
#include "model/record_test.h"
#include "model/sid.h"

#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define PEOPLE_MAX 700
#define DAY        INT64_C(86400000)
#define START      (INT64_C(20000) * DAY)

/* --- people ------------------------------------------------------------------------------------------- */

struct person {
    bool is_tenant, is_there, is_deleted, is_admin, never_expires, no_preauth, guest;
    enum kind kind;
    unsigned id;
    char name[64], key[64]; /* key: folded by hand */
    char display[64], mail[64], mail_key[64], display_key[64];
    int enabled; /* 0 no 1 yes 2 unknown */
    int mfa;     /* enum tri */
    int64_t seen;
    int64_t entity;
    int64_t changed;
};

struct town {
    struct fixture f;
    char path[256];
    struct catalog *c;
    struct person people[PEOPLE_MAX];
    size_t n;
    uint64_t dice;
    int64_t now;
};

static unsigned roll(struct town *t, unsigned n)
{
    t->dice ^= t->dice << 13;
    t->dice ^= t->dice >> 7;
    t->dice ^= t->dice << 17;
    return (unsigned)(t->dice >> 20) % n;
}

static const struct {
    const char *text, *key;
} syllables[] = {{"Al", "al"}, {"ice", "ice"}, {"\xc3\x89t", "et"}, {"mar", "mar"}, {"TIN", "tin"}, {"o'b", "o'b"}, {"-", "-"}, {"zo\xc3\xab", "zoe"}, {"\"q", "\"q"}, {"99", "99"}, {"a b", "a b"}};

static void make_text(struct town *t, char *text, char *key, unsigned least)
{
    text[0] = key[0] = 0;
    for (unsigned n = least + roll(t, 3); n > 0; n--) {
        size_t i = roll(t, n_elements(syllables));
        strncat(text, syllables[i].text, 20);
        strncat(key, syllables[i].key, 20);
    }
}

static void rename_person(struct town *t, struct person *p)
{
    make_text(t, p->name, p->key, 1);
    if (roll(t, 4)) make_text(t, p->display, p->display_key, 1);
    if (roll(t, 3) == 0) snprintf(p->mail, sizeof p->mail, "m%u@Corp.example", p->id), snprintf(p->mail_key, sizeof p->mail_key, "m%u@corp.example", p->id);
}

static void change_facts(struct town *t, struct person *p)
{
    p->enabled = p->kind == KIND_group ? 2 : (int)roll(t, 2);
    p->mfa = p->is_tenant && p->kind == KIND_user ? (int)roll(t, 3) : TRI_UNKNOWN;
    p->never_expires = p->kind == KIND_user && roll(t, 4) == 0;
    p->no_preauth = !p->is_tenant && p->kind == KIND_user && roll(t, 20) == 0;
    p->guest = p->is_tenant && p->kind == KIND_user && roll(t, 5) == 0;
}

static void new_person(struct town *t)
{
    struct person *p = &t->people[t->n++];
    *p = (struct person){.id = 100 + (unsigned)t->n, .is_there = true, .is_tenant = roll(t, 3) == 0};
    static const enum kind here[] = {KIND_user, KIND_user, KIND_computer, KIND_group}, there[] = {KIND_user, KIND_user, KIND_user, KIND_group};
    p->kind = (p->is_tenant ? there : here)[roll(t, 4)];
    rename_person(t, p);
    change_facts(t, p);
    p->seen = roll(t, 5) ? t->now - (int64_t)roll(t, 200) * DAY : 0;
    p->is_admin = !p->is_tenant && p->kind == KIND_user && roll(t, 30) == 0;
}

/* --- into the store -------------------------------------------------------------------------------------- */

static void dn_of(const struct person *p, char out[128])
{
    snprintf(out, 128, p->is_tenant ? "%u" : "CN=p%u,DC=corp,DC=example", p->id);
}

static void body_of_ad(const struct person *p, struct buf *state, struct buf *stats)
{
    int64_t uac = (p->enabled ? 0x200 : 0x202) | (p->never_expires ? 0x10000 : 0) | (p->no_preauth ? 0x400000 : 0);
    body_add_text(state, ATTR_DISPLAY_NAME, p->display);
    body_add_text(state, ATTR_SAM_ACCOUNT_NAME, p->name);
    if (p->kind != KIND_group) body_add_int(state, ATTR_USER_ACCOUNT_CONTROL, uac);
    body_add_text(state, ATTR_MAIL, p->mail);
    if (p->seen && p->kind != KIND_group) body_add_int(stats, ATTR_LAST_LOGON, p->seen);
}

static void body_of_tenant(const struct person *p, struct buf *state, struct buf *stats)
{
    body_add_text(state, ATTR_NAME, p->name); /* without displayName: the name */
    body_add_text(state, ATTR_MAIL, p->mail);
    if (p->kind == KIND_group) return;
    body_add_bool(state, ATTR_ACCOUNT_ENABLED, p->enabled);
    body_add_text(state, ATTR_USER_TYPE, p->guest ? "Guest" : "Member");
    if (p->never_expires) body_add_text(state, ATTR_PASSWORD_POLICIES, "DisablePasswordExpiration");
    if (p->mfa) body_add_bool(state, ATTR_IS_MFA_REGISTERED, p->mfa == TRI_YES);
    if (p->seen) body_add_int(stats, ATTR_LAST_SUCCESSFUL_SIGN_IN, p->seen);
}

static void put(struct store_run *r, const struct person *p)
{
    struct buf state = buf_new(1 << 16), stats = buf_new(1 << 16);
    uint8_t sid[SID_MAX];
    char dn[128];
    struct sid s = {.n_sub = 5, .authority = 5, .sub = {21, 1, 2, 3, 5000 + p->id}};
    dn_of(p, dn);
    struct record rec = {.kind = p->kind, .dn = str_from(dn)};
    (p->is_tenant ? body_of_tenant : body_of_ad)(p, &state, &stats);
    guid_of_id(rec.guid, p->id);
    if (!p->is_tenant) rec.sid = (struct bytes){sid, sid_encode(sid, &s)};
    rec.state = buf_bytes(&state);
    rec.stats = buf_bytes(&stats);
    OK(store_run_put(r, &rec, &e_));
    buf_free(&state);
    buf_free(&stats);
}

static void put_admins(struct town *t, struct store_run *r)
{
    char dns[40][128];
    const char *members[41] = {NULL};
    size_t n = 0;
    for (size_t i = 0; i < t->n && n < 40; i++) {
        if (!t->people[i].is_there || !t->people[i].is_admin) continue;
        dn_of(&t->people[i], dns[n]);
        members[n] = dns[n];
        n++;
    }
    run_put_one(r, &(struct someone){.kind = KIND_group, .id = 9999, .rid = 512, .dn = "CN=Domain Admins,DC=corp,DC=example", .sam = "Domain Admins", .members = members});
}

static void note_entity(struct town *t, const struct entity *x)
{
    unsigned id;
    memcpy(&id, x->record.guid + 8, sizeof id);
    if (id == 9999) return;
    struct person *p = &t->people[id - 101];
    p->entity = x->id;
    p->changed = x->last_changed_ms;
    p->is_deleted = x->deleted_ms != 0;
}

static bool take_entity(void *t, const struct entity *x)
{
    note_entity(t, x);
    return true;
}

static void sync_one(struct town *t, bool is_tenant)
{
    struct store_run *r = run_start(t->f.store, is_tenant ? "cloud" : "corp", t->now);
    if (is_tenant) {
        struct domain_info d = fixture_domain;
        d.tenant_id = STR("7d2c3f10-0000-4000-8000-000000000001");
        OK(store_run_domain(r, &d, &e_));
    }
    if (!is_tenant) put_admins(t, r);
    for (size_t i = 0; i < t->n; i++)
        if (t->people[i].is_there && t->people[i].is_tenant == is_tenant) put(r, &t->people[i]);
    run_done_all(r);
    run_finish(r, t->now);
}

static void sync_town(struct town *t)
{
    t->now += DAY;
    sync_one(t, false);
    sync_one(t, true);
    struct entity_query q = {.with_deleted = true};
    OK(store_entities(t->f.store, &q, take_entity, t, &e_));
}

static const char *refresh(struct town *t)
{
    const char *how = NULL;
    OK(catalog_refresh(t->f.store, t->path, &how, &e_));
    return how;
}

static void open_town(struct town *t, uint64_t seed, size_t n)
{
    memset(t, 0, sizeof *t);
    t->dice = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    t->now = START;
    fixture_open(&t->f);
    snprintf(t->path, sizeof t->path, "%s/store.db.catalog", t->f.dir);
    while (t->n < n) new_person(t);
    sync_town(t);
    assert_string_equal(refresh(t), "built");
    OK(catalog_open(&t->c, t->path, &e_));
}

static void close_town(struct town *t)
{
    catalog_close(t->c);
    fixture_close(&t->f);
}

/* Some are renamed, sign in, are disabled, go or come; newcomers often have names that stand side by side. */
static void live_on(struct town *t, unsigned n)
{
    for (unsigned i = 0; i < n / 6 && i < 20; i++) {
        struct person *p = &t->people[roll(t, (unsigned)t->n)];
        p->is_there = !p->is_there;
    }
    for (unsigned i = 0; i < n; i++) {
        struct person *p = &t->people[roll(t, (unsigned)t->n)];
        unsigned what = roll(t, 5);
        if (!p->is_there) continue; /* the store keeps what was */
        if (what == 0) rename_person(t, p);
        if (what == 1) p->seen = t->now;
        if (what == 2) change_facts(t, p);
        if (what == 3) p->is_admin = p->kind == KIND_user && !p->is_tenant && !p->is_admin && roll(t, 3) == 0;
        if (what == 4 && t->n < PEOPLE_MAX) {
            new_person(t);
            struct person *fresh = &t->people[t->n - 1];
            snprintf(fresh->name, sizeof fresh->name, "side%04u", fresh->id);
            snprintf(fresh->key, sizeof fresh->key, "side%04u", fresh->id);
        }
    }
    sync_town(t);
}

/* --- the oracle ---------------------------------------------------------------------------------------------- */

struct question {
    kind_set kinds;
    int source, enabled, admin, mfa, sign_in, tag, with_deleted; /* -1: any */
    char search[32], search_key[32];
    const char *sort;
};

static const char *const oracle_tags[] = {"password_never_expires", "no_preauth", "guest"};
static const char *const oracle_mfa[] = {"unknown", "no", "yes"};
static const char *const oracle_sign_in[] = {"unknown", "never", "7d", "30d", "90d", "older"};

/* The last run of each connector ended at t->now. */
static int bucket(const struct town *t, const struct person *p)
{
    if (p->kind == KIND_group) return 0;
    if (!p->seen) return p->is_tenant ? 0 : 1;
    int64_t days = (t->now - p->seen);
    return days <= 7 * DAY ? 2 : days <= 30 * DAY ? 3 : days <= 90 * DAY ? 4 : 5;
}

static bool has_word(const struct person *p, const char *word)
{
    char display[64];
    snprintf(display, sizeof display, "%s", p->is_tenant ? "" : p->display_key);
    return strstr(p->key, word) || strstr(display, word) || strstr(p->mail_key, word);
}

static bool has_words(const struct person *p, const char *search)
{
    char copy[64], *save, *word;
    bool is_long = false;
    snprintf(copy, sizeof copy, "%s", search);
    for (word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) is_long |= strlen(word) >= 3;
    if (!is_long) return strncmp(p->key, search, strlen(search)) == 0;
    snprintf(copy, sizeof copy, "%s", search);
    for (word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save))
        if (!has_word(p, word)) return false;
    return true;
}

static bool has_tag(const struct person *p, int tag)
{
    return tag == 0 ? p->never_expires : tag == 1 ? p->no_preauth : p->guest;
}

static bool oracle(const struct town *t, const struct person *p, const struct question *q)
{
    if (!p->entity || (p->is_deleted && !q->with_deleted)) return false;
    if (q->kinds && !(q->kinds & KIND_BIT(p->kind))) return false;
    if (q->source >= 0 && q->source != p->is_tenant) return false;
    if (q->enabled >= 0 && q->enabled != p->enabled) return false;
    if (q->admin >= 0 && q->admin != (p->is_admin && !p->is_deleted)) return false;
    if (q->mfa >= 0 && q->mfa != p->mfa) return false;
    if (q->sign_in >= 0 && q->sign_in != bucket(t, p)) return false;
    if (q->tag >= 0 && !has_tag(p, q->tag)) return false;
    return !q->search_key[0] || has_words(p, q->search_key);
}

static struct question random_question(struct town *t)
{
    static const char *const sorts[] = {"name", "-name", "account", "-account", "kind", "-kind", "source", "-source", "last_sign_in", "-last_sign_in", "last_changed", "-last_changed"};
    struct question q = {.source = -1, .enabled = -1, .admin = -1, .mfa = -1, .sign_in = -1, .tag = -1};
    if (roll(t, 3) == 0) q.kinds = KIND_BIT(KIND_user) | (roll(t, 2) ? KIND_BIT(KIND_group) : 0);
    if (roll(t, 4) == 0) q.source = (int)roll(t, 2);
    if (roll(t, 4) == 0) q.enabled = (int)roll(t, 3);
    if (roll(t, 8) == 0) q.admin = (int)roll(t, 2);
    if (roll(t, 6) == 0) q.mfa = (int)roll(t, 3);
    if (roll(t, 6) == 0) q.sign_in = (int)roll(t, 6);
    if (roll(t, 8) == 0) q.tag = (int)roll(t, 3);
    q.with_deleted = roll(t, 4) == 0;
    if (roll(t, 2)) make_text(t, q.search, q.search_key, 1);
    if (q.search_key[0] == '-') q.search_key[0] = q.search[0] = 0;
    q.sort = sorts[roll(t, n_elements(sorts))];
    return q;
}

/* --- against each other ---------------------------------------------------------------------------------------- */

static struct catalog_query query_of(const struct question *x)
{
    struct catalog_query q = {.kinds = x->kinds, .enabled = x->enabled, .admin = x->admin, .with_deleted = x->with_deleted, .sort = str_from(x->sort), .limit = 7};
    if (x->source >= 0) q.source[q.n_sources++] = x->source ? STR("cloud") : STR("corp");
    if (x->mfa >= 0) q.mfa = str_from(oracle_mfa[x->mfa]);
    if (x->sign_in >= 0) q.sign_in = str_from(oracle_sign_in[x->sign_in]);
    if (x->tag >= 0) q.tags[q.n_tags++] = str_from(oracle_tags[x->tag]);
    q.search = str_from(x->search);
    return q;
}

static const struct person *person_of(const struct town *t, const json_t *row)
{
    uint8_t guid[GUID_SIZE];
    unsigned id;
    assert_true(guid_parse(guid, str_from(json_string_value(json_object_get(row, "uid")))));
    memcpy(&id, guid + 8, sizeof id);
    return id == 9999 ? NULL : &t->people[id - 101];
}

static int compare_people(const struct person *a, const struct person *b, const char *sort)
{
    bool is_down = *sort == '-';
    const char *by = sort + is_down;
    int d = 0;
    if (strcmp(by, "account") == 0) d = strcmp(a->is_tenant ? "" : a->key, b->is_tenant ? "" : b->key);
    if (strcmp(by, "kind") == 0) d = strcmp(kind_name(a->kind), kind_name(b->kind));
    if (strcmp(by, "source") == 0) d = b->is_tenant - a->is_tenant;
    if (strcmp(by, "last_sign_in") == 0) {
        int64_t x = a->kind == KIND_group ? 0 : a->seen, y = b->kind == KIND_group ? 0 : b->seen;
        d = (x > y) - (x < y);
    }
    if (strcmp(by, "last_changed") == 0) d = (a->changed > b->changed) - (a->changed < b->changed);
    if (!d) d = strcmp(a->key, b->key);
    if (!d) d = (a->entity > b->entity) - (a->entity < b->entity);
    return is_down ? -d : d;
}

static void check_row(const struct person *p, const json_t *row)
{
    const json_t *enabled = json_object_get(row, "enabled");
    assert_string_equal(json_string_value(json_object_get(row, "name")), p->name);
    assert_string_equal(json_string_value(json_object_get(row, "kind")), kind_name(p->kind));
    assert_int_equal(p->enabled, json_is_null(enabled) ? 2 : json_is_true(enabled));
    assert_int_equal(json_is_true(json_object_get(row, "admin")), p->is_admin && !p->is_deleted);
    assert_string_equal(json_string_value(json_object_get(row, "mfa")), oracle_mfa[p->mfa]);
    assert_int_equal(!json_is_null(json_object_get(row, "deleted")), p->is_deleted);
}

/* A page's rows as JSON; `after` of q becomes that of the next page, which next holds. */
static json_t *page_of(struct catalog *c, struct catalog_query *q, struct buf *next)
{
    struct buf text = buf_new(SIZE_MAX / 2);
    struct jsonw j = jsonw_new(&text);
    jsonw_array(&j);
    size_t n = 0;
    OK(catalog_list_json(c, q, &j, &n, next, &e_));
    jsonw_end(&j);
    json_t *rows = json_loadb((const char *)text.ptr, text.len, 0, NULL);
    assert_int_equal(json_array_size(rows), n);
    buf_free(&text);
    q->after = buf_str(next);
    return rows;
}

/* All pages; live: refreshes happen between them, and only who stays the same is compared. */
static size_t check_pages(struct town *t, const struct question *x)
{
    struct catalog_query q = query_of(x);
    const struct person *last = NULL;
    size_t n = 0, expected = 0;
    struct buf next = buf_new(SIZE_MAX / 2);
    for (int pages = 0; pages < 500; pages++) {
        json_t *items = page_of(t->c, &q, &next);
        for (size_t i = 0; i < json_array_size(items); i++) {
            const struct person *p = person_of(t, json_array_get(items, i));
            if (!p) continue; /* the group of admins */
            if (!oracle(t, p, x)) fail_msg("%s is not meant (search \"%s\" sort %s)", p->name, x->search, x->sort);
            if (last && compare_people(last, p, x->sort) >= 0) fail_msg("%s before %s by %s", last->name, p->name, x->sort);
            check_row(p, json_array_get(items, i));
            last = p;
            n++;
        }
        json_decref(items);
        if (!next.len) break;
    }
    buf_free(&next);
    for (size_t i = 0; i < t->n; i++) expected += oracle(t, &t->people[i], x);
    if (n != expected) fail_msg("%zu rows, not %zu (search \"%s\" sort %s)", n, expected, x->search, x->sort);
    return n;
}

static int64_t facet(const json_t *facets, const char *name, const char *value)
{
    return json_integer_value(json_object_get(json_object_get(facets, name), value));
}

static int64_t count(const struct town *t, const struct question *q)
{
    int64_t n = 0;
    for (size_t i = 0; i < t->n; i++) n += oracle(t, &t->people[i], q);
    return n;
}

/* Domain Admins itself is no person of the oracle: looked at only where it cannot be meant. */
static void check_facets(struct town *t, struct question x)
{
    json_t *out;
    x.kinds = KIND_BIT(KIND_user);
    struct catalog_query q = query_of(&x);
    OK(catalog_facets(t->c, &q, &out, &e_));
    assert_int_equal(json_integer_value(json_object_get(out, "total")), count(t, &x));
    assert_true(json_is_true(json_object_get(out, "exact")));
    struct question y = x;
    for (y.source = 0; y.source < 2; y.source++) assert_int_equal(facet(out, "source", y.source ? "cloud" : "corp"), count(t, &y));
    y = x;
    for (y.mfa = 0; y.mfa < 3; y.mfa++) assert_int_equal(facet(out, "mfa", oracle_mfa[y.mfa]), count(t, &y));
    y = x;
    for (y.sign_in = 0; y.sign_in < 6; y.sign_in++) assert_int_equal(facet(out, "sign_in", oracle_sign_in[y.sign_in]), count(t, &y));
    y = x;
    y.admin = 1;
    assert_int_equal(facet(out, "admin", "yes"), count(t, &y));
    y = x;
    if (x.tag < 0) y.tag = 0;
    if (x.tag < 0) assert_int_equal(facet(out, "tag", oracle_tags[0]), count(t, &y));
    json_decref(out);
}

/* --- what must hold in the file ---------------------------------------------------------------------------------- */

static int64_t ask(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *s;
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &s, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    int64_t n = sqlite3_column_int64(s, 0);
    sqlite3_finalize(s);
    return n;
}

static void check_file(const struct town *t)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(t->path, &db), SQLITE_OK);
    assert_int_equal(ask(db, "SELECT count(*) FROM (SELECT docid, lead(docid) OVER (ORDER BY name_key, entity) AS n FROM asset) WHERE n <= docid"), 0);
    assert_int_equal(ask(db, "SELECT count(*) FROM cell WHERE n <> (SELECT count(*) FROM asset WHERE asset.cell = cell.cell)"), 0);
    assert_int_equal(ask(db, "SELECT count(*) FROM asset WHERE cell NOT IN (SELECT cell FROM cell)"), 0);
    assert_int_equal(ask(db, "SELECT (SELECT count(*) FROM asset) - (SELECT count(DISTINCT entity) FROM asset)"), 0);
    assert_int_equal(sqlite3_exec(db, "INSERT INTO words (words) VALUES ('integrity-check')", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

/* --- tests --------------------------------------------------------------------------------------------------------- */

static void test_questions(void **state)
{
    (void)state;
    struct town *t = malloc(sizeof *t);
    for (uint64_t seed = 1; seed <= 3; seed++) {
        open_town(t, seed, 300);
        for (int round = 0; round < 5; round++) {
            for (int i = 0; i < 120; i++) {
                struct question q = random_question(t);
                check_pages(t, &q);
                check_facets(t, q);
            }
            check_file(t);
            live_on(t, 60);
            assert_string_equal(refresh(t), "updated");
        }
        assert_string_equal(refresh(t), "unchanged");
        close_town(t);
    }
    free(t);
}

/* Pages while runs come in between: whoever stays the same is on exactly one of them. */
static void test_paging_while_it_changes(void **state)
{
    (void)state;
    static const char *const sorts[] = {"name", "-name", "account", "kind", "-source"};
    struct town *t = malloc(sizeof *t);
    open_town(t, 11, 250);
    for (size_t s = 0; s < n_elements(sorts); s++) {
        bool stays[PEOPLE_MAX] = {false};
        unsigned seen[PEOPLE_MAX] = {0};
        struct question x = {.source = -1, .enabled = -1, .admin = -1, .mfa = -1, .sign_in = -1, .tag = -1, .sort = sorts[s]};
        struct catalog_query q = query_of(&x);
        struct buf next = buf_new(SIZE_MAX / 2);
        size_t n = t->n;
        for (size_t i = 0; i < n; i++) stays[i] = t->people[i].is_there && !t->people[i].is_deleted;
        q.limit = 20;
        do {
            char keys[PEOPLE_MAX][64];
            json_t *items = page_of(t->c, &q, &next);
            for (size_t i = 0; i < json_array_size(items); i++) {
                const struct person *p = person_of(t, json_array_get(items, i));
                if (p) seen[p - t->people]++;
            }
            json_decref(items);
            for (size_t i = 0; i < t->n; i++) snprintf(keys[i], sizeof keys[i], "%s", t->people[i].key);
            live_on(t, 10);
            refresh(t);
            for (size_t i = 0; i < n; i++) stays[i] &= strcmp(keys[i], t->people[i].key) == 0 && t->people[i].is_there && !t->people[i].is_deleted;
        } while (next.len);
        buf_free(&next);
        for (size_t i = 0; i < n; i++)
            if (stays[i]) assert_int_equal(seen[i], 1);
    }
    check_file(t);
    close_town(t);
    free(t);
}

/* A file that is damaged, or gone, under a reader's hands. */
static void test_made_again(void **state)
{
    (void)state;
    struct town *t = malloc(sizeof *t);
    struct question all = {.source = -1, .enabled = -1, .admin = -1, .mfa = -1, .sign_in = -1, .tag = -1, .sort = "name"};
    open_town(t, 5, 200);
    FILE *f = fopen(t->path, "r+");
    for (int i = 0; i < 100; i++) fputs("damage", f);
    fclose(f);
    assert_string_equal(refresh(t), "built");
    check_pages(t, &all);
    unlink(t->path);
    live_on(t, 10);
    assert_string_equal(refresh(t), "built");
    check_pages(t, &all);
    check_file(t);
    close_town(t);
    free(t);
}

/* Names one behind the other, again and again at the same place: when no number is left there, everything is numbered anew. */
static void test_numbers_run_out(void **state)
{
    (void)state;
    struct town *t = malloc(sizeof *t);
    struct question all = {.source = -1, .enabled = -1, .admin = -1, .mfa = -1, .sign_in = -1, .tag = -1, .sort = "name"};
    int n_built = 0;
    open_town(t, 6, 20);
    for (unsigned i = 0; i < 100; i++) {
        new_person(t);
        struct person *p = &t->people[t->n - 1];
        p->is_tenant = false;
        snprintf(p->name, sizeof p->name, "mid%04u", i);
        snprintf(p->key, sizeof p->key, "mid%04u", i);
        p->kind = KIND_computer;
        change_facts(t, p);
        p->is_admin = false;
        sync_town(t);
        n_built += strcmp(refresh(t), "built") == 0;
        if (i % 10 == 0) check_pages(t, &all);
    }
    assert_in_range(n_built, 1, 4);
    check_pages(t, &all);
    check_file(t);
    close_town(t);
    free(t);
}

static void test_wrong_questions(void **state)
{
    (void)state;
    struct town *t = malloc(sizeof *t);
    struct buf next = buf_new(SIZE_MAX / 2);
    struct err e;
    json_t *out;
    open_town(t, 7, 10);
    struct catalog_query bad[] = {{.enabled = -1, .admin = -1, .limit = 10, .sort = STR("nonsense")},
                                  {.enabled = -1, .admin = -1, .limit = 0},
                                  {.enabled = -1, .admin = -1, .limit = 1001},
                                  {.enabled = -1, .admin = -1, .limit = 10, .mfa = STR("maybe")},
                                  {.enabled = -1, .admin = -1, .limit = 10, .sign_in = STR("7d,1d")},
                                  {.enabled = -1, .admin = -1, .limit = 10, .tags = {STR("no such tag")}, .n_tags = 1},
                                  {.enabled = -1, .admin = -1, .limit = 10, .after = STR("[]")},
                                  {.enabled = -1, .admin = -1, .limit = 10, .after = STR("[\"\",\"text\",\"a\",1]")},
                                  {.enabled = -1, .admin = -1, .limit = 10, .after = STR("\xff\xfe")}};
    for (size_t i = 0; i < n_elements(bad); i++) assert_int_equal(catalog_list(t->c, &bad[i], NULL, NULL, &next, &e), ERR_INPUT);
    struct catalog_query odd[] = {{.enabled = -1, .admin = -1, .limit = 10, .source = {STR("nobody")}, .n_sources = 1},
                                  {.enabled = -1, .admin = -1, .limit = 10, .search = STR("\" OR \"*\xc3\xa9\" NEAR(a b")},
                                  {.enabled = -1, .admin = -1, .limit = 10, .search = STR("\xff\xff\xff\xff")},
                                  {.enabled = -1, .admin = -1, .limit = 10, .search = STR("'; DROP TABLE asset; --")}};
    for (size_t i = 0; i < n_elements(odd); i++) {
        out = page_of(t->c, &odd[i], &next);
        assert_int_equal(json_array_size(out), 0);
        json_decref(out);
        OK(catalog_facets(t->c, &odd[i], &out, &e_));
        json_decref(out);
    }
    struct catalog *none;
    assert_int_equal(catalog_open(&none, "/nonexistent/catalog", &e), ERR_NOTFOUND);
    buf_free(&next);
    close_town(t);
    free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_questions),       cmocka_unit_test(test_paging_while_it_changes), cmocka_unit_test(test_made_again),
        cmocka_unit_test(test_numbers_run_out), cmocka_unit_test(test_wrong_questions),
    };
    return cmocka_run_group_tests_name("catalog", tests, NULL, NULL);
}
