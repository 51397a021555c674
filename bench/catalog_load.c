/* catalog_load - a store of many assets of all kinds, its catalog, and what questions to the catalog cost.
 *
 *     bench-catalog make FILE [assets]     a store with a domain and a tenant: three quarters and one quarter
 *     bench-catalog again FILE [changed]   another run of the domain: so many users signed in, a tenth of them changed
 *     bench-catalog refresh FILE           FILE.catalog; says how and how long
 *     bench-catalog ask FILE [rounds]      p50 and p99 of questions, in microseconds
 * With BENCH_CPU set, in CPU time: for a machine that does other things too.
 */
#include "bench.h"

#include "base/jsonw.h"
#include "base/when.h"
#include "catalog/catalog.h"
#include "model/record_test.h"
#include "model/sid.h"

#include <time.h>

static uint64_t mixed(uint64_t v)
{
    v = (v ^ v >> 31) * UINT64_C(0x9e3779b97f4a7c15);
    v = (v ^ v >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
    return v ^ v >> 32;
}

/* --- who there is ------------------------------------------------------------------------------------- */

static const char *const first_names[] = {"Alice", "Bruno", "Chlo\xc3\xa9", "David", "Emma", "Farid", "Giulia", "Hugo", "In\xc3\xa8s", "Jules", "Karim", "Louise",
                                          "Manon", "Noah", "Olivia", "Paul", "Quentin", "Rose", "Sofia", "Theo", "Ursula", "Victor", "Wei", "Xavier", "Yann", "Zoe"};
static const char *const last_names[] = {"Martin", "Bernard", "Dubois", "Thomas", "Robert", "Richard", "Petit", "Durand", "Leroy", "Moreau", "Simon", "Laurent",
                                         "Lefebvre", "Michel", "Garcia", "David", "Bertrand", "Roux", "Vincent", "Fournier", "Morel", "Girard", "Andre", "Mercier",
                                         "Dupont", "Lambert", "Bonnet", "Francois", "Martinez", "Legrand", "Garnier", "Faure", "Rousseau", "Blanc", "Guerin"};

struct who {
    uint64_t dice;
    unsigned n;
    const char *first, *last;
};

static struct who who_is(unsigned n)
{
    uint64_t d = mixed(n + 1);
    return (struct who){d, n, first_names[d % n_elements(first_names)], last_names[d / 64 % n_elements(last_names)]};
}

static bool one_in(const struct who *w, unsigned salt, unsigned n)
{
    return mixed(w->dice + salt) % n == 0;
}

static void add_sid(struct buf *body, enum attr id, unsigned user)
{
    uint8_t sid[SID_MAX];
    struct sid s = {.n_sub = 5, .authority = 5, .sub = {21, 1111111111, 2222222222, 3333333333, 2000000 + user}};
    body_add_bytes(body, id, (struct bytes){sid, sid_encode(sid, &s)});
}

#define NOW  INT64_C(1790000000000)
#define DAY  INT64_C(86400000)

static int64_t last_seen(const struct who *w, int64_t now)
{
    return one_in(w, 1, 20) ? 0 : now - (int64_t)(mixed(w->dice + 2) % (one_in(w, 3, 3) ? 400 : 30)) * DAY - (int64_t)(mixed(w->dice + 4) % DAY);
}

static int64_t uac_of(const struct who *w, bool is_computer)
{
    int64_t uac = is_computer ? 0x1000 : 0x200;
    if (one_in(w, 5, 12)) uac |= 0x2;
    if (one_in(w, 6, 15)) uac |= 0x10000;
    if (one_in(w, 7, 2000)) uac |= 0x80000;
    if (one_in(w, 8, 3000)) uac |= 0x400000;
    return uac;
}

struct load {
    struct store_run *run;
    struct buf state, stats, dn, members;
    unsigned n_members;
    uint64_t seed;
    int64_t now;
    unsigned n_signed_in, n_users;
};

static void put(struct load *l, enum kind kind, unsigned n, bool has_sid)
{
    uint8_t sid[SID_MAX];
    struct sid s = {.n_sub = 5, .authority = 5, .sub = {21, 1111111111, 2222222222, 3333333333, kind == KIND_group ? 1000000 + n : 2000000 + n + (kind == KIND_computer ? 4000000 : 0)}};
    struct record rec = {.kind = kind, .sd = has_sid, .dn = buf_str(&l->dn), .state = buf_bytes(&l->state), .stats = buf_bytes(&l->stats)};
    struct err e;
    uint64_t a = mixed((uint64_t)kind << 40 ^ n ^ l->seed << 50), b = mixed(a + 7);
    if (kind == KIND_group && n == 0) s.sub[4] = 512;
    memcpy(rec.guid, &a, 8);
    memcpy(rec.guid + 8, &b, 8);
    if (has_sid) rec.sid = (struct bytes){sid, sid_encode(sid, &s)};
    rec.member = (struct dn_list){l->n_members, buf_bytes(&l->members)};
    check(store_run_put(l->run, &rec, &e), &e);
}

static void clear(struct load *l)
{
    buf_clear(&l->state);
    buf_clear(&l->stats);
    buf_clear(&l->dn);
    buf_clear(&l->members);
    l->n_members = 0;
}

static void user_dn(struct buf *out, unsigned n)
{
    struct who w = who_is(n);
    buf_printf(out, "CN=%s %s %u,OU=Region%u,OU=People,DC=corp,DC=example", w.first, w.last, n, n % 50);
}

static void ad_user(struct load *l, unsigned n)
{
    struct who w = who_is(n);
    char text[200];
    bool signs_in = l->n_signed_in && n < l->n_signed_in, changed = signs_in && n % 10 == 0;
    clear(l);
    user_dn(&l->dn, n);
    snprintf(text, sizeof text, "%s %s%s", w.first, w.last, changed ? " (moved)" : "");
    body_add_text(&l->state, ATTR_DISPLAY_NAME, text);
    body_add_int(&l->state, ATTR_WHEN_CREATED, NOW - 1000 * DAY - n);
    snprintf(text, sizeof text, "%.1s%s%u", w.first, w.last, n);
    body_add_text(&l->state, ATTR_SAM_ACCOUNT_NAME, text);
    snprintf(text, sizeof text, "%s.%s%u@corp.example", w.first, w.last, n);
    body_add_text(&l->state, ATTR_USER_PRINCIPAL_NAME, text);
    body_add_int(&l->state, ATTR_USER_ACCOUNT_CONTROL, uac_of(&w, false));
    body_add_int(&l->state, ATTR_PRIMARY_GROUP_ID, 513);
    body_add_int(&l->state, ATTR_PWD_LAST_SET, NOW - 100 * DAY);
    if (one_in(&w, 9, 500)) body_add_text(&l->state, ATTR_SERVICE_PRINCIPAL_NAME, "HTTP/host.corp.example");
    body_add_text(&l->state, ATTR_GIVEN_NAME, w.first);
    body_add_text(&l->state, ATTR_SN, w.last);
    snprintf(text, sizeof text, "%s.%s%u@corp.example", w.first, w.last, n);
    body_add_text(&l->state, ATTR_MAIL, text);
    body_add_text(&l->state, ATTR_TITLE, "Regional sales representative");
    body_add_text(&l->state, ATTR_DEPARTMENT, "Sales and customer relations");
    body_add_text(&l->state, ATTR_EMPLOYEE_ID, "E00012345");
    body_add_text(&l->state, ATTR_MANAGER, "CN=Manager 17,OU=Managers,OU=People,DC=corp,DC=example");
    body_add_int(&l->stats, ATTR_USN_CHANGED, 1000 + n);
    int64_t seen = signs_in ? l->now : last_seen(&w, NOW);
    if (seen) body_add_int(&l->stats, ATTR_LAST_LOGON, seen);
    body_add_int(&l->stats, ATTR_LOGON_COUNT, n % 1000);
    put(l, KIND_user, n, true);
}

static void ad_computer(struct load *l, unsigned n)
{
    struct who w = who_is(n + 50000000);
    char text[200];
    clear(l);
    snprintf(text, sizeof text, "PC-%06u$", n);
    buf_printf(&l->dn, "CN=PC-%06u,OU=Computers%u,DC=corp,DC=example", n, n % 20);
    body_add_int(&l->state, ATTR_WHEN_CREATED, NOW - 900 * DAY);
    body_add_text(&l->state, ATTR_SAM_ACCOUNT_NAME, text);
    body_add_int(&l->state, ATTR_USER_ACCOUNT_CONTROL, uac_of(&w, true));
    body_add_text(&l->state, ATTR_SERVICE_PRINCIPAL_NAME, "HOST/pc");
    body_add_text(&l->state, ATTR_OPERATING_SYSTEM, "Windows 11 Enterprise");
    int64_t seen = last_seen(&w, NOW);
    if (seen) body_add_int(&l->stats, ATTR_LAST_LOGON_TIMESTAMP, seen);
    put(l, KIND_computer, n, true);
}

static void ad_group(struct load *l, unsigned n)
{
    char text[200];
    clear(l);
    static const char *const odd[] = {"=HYPERLINK(\"http://x\",A1)", "@sum, of \"all\"", "<img src=x onerror=alert(1)>", "a\nline", "-1+1"};
    snprintf(text, sizeof text, "%s-%s-%05u", last_names[n % n_elements(last_names)], n % 3 ? "Team" : "Share", n);
    if (n && n <= n_elements(odd)) snprintf(text, sizeof text, "%s", odd[n - 1]);
    buf_printf(&l->dn, "CN=Group %u,OU=Groups,DC=corp,DC=example", n);
    body_add_text(&l->state, ATTR_SAM_ACCOUNT_NAME, n ? text : "Domain Admins");
    body_add_int(&l->state, ATTR_GROUP_TYPE, -2147483646);
    struct buf dn = buf_new(1024);
    for (unsigned i = 0; i < (n ? 20u : 40u) && l->n_users; i++, l->n_members++) {
        buf_clear(&dn);
        user_dn(&dn, (unsigned)(mixed((uint64_t)n << 32 | i) % l->n_users));
        buf_add_lstr(&l->members, buf_bytes(&dn));
    }
    if (n % 10) { /* tens of them, each in the next */
        buf_clear(&dn);
        buf_printf(&dn, "CN=Group %u,OU=Groups,DC=corp,DC=example", n - 1);
        buf_add_lstr(&l->members, buf_bytes(&dn));
        l->n_members++;
    }
    buf_free(&dn);
    put(l, KIND_group, n, true);
}

static void entra_user(struct load *l, unsigned n)
{
    struct who w = who_is(n);
    char text[200];
    clear(l);
    buf_printf(&l->dn, "%08x-0000-4000-8000-%012x", n, n);
    snprintf(text, sizeof text, "%s %s", w.first, w.last);
    body_add_text(&l->state, ATTR_DISPLAY_NAME, text);
    snprintf(text, sizeof text, "%s.%s%u@corp.example", w.first, w.last, n);
    body_add_text(&l->state, ATTR_USER_PRINCIPAL_NAME, text);
    body_add_text(&l->state, ATTR_MAIL, text);
    body_add_bool(&l->state, ATTR_ACCOUNT_ENABLED, !one_in(&w, 5, 12));
    body_add_text(&l->state, ATTR_USER_TYPE, one_in(&w, 10, 10) ? "Guest" : "Member");
    body_add_int(&l->state, ATTR_CREATED, NOW - 500 * DAY);
    body_add_bool(&l->state, ATTR_SYNC_ENABLED, true);
    add_sid(&l->state, ATTR_ON_PREMISES_SID, n); /* of the domain's user of the same number, if there is one */
    if (!one_in(&w, 11, 10)) body_add_bool(&l->state, ATTR_IS_MFA_REGISTERED, !one_in(&w, 12, 4));
    int64_t seen = last_seen(&w, NOW);
    if (seen) body_add_int(&l->stats, ATTR_LAST_SUCCESSFUL_SIGN_IN, seen);
    put(l, KIND_user, n, false);
}

/* Owned by Domain Admins, who may do everything; the first ordinary group may change the permissions. MS-DTYP 2.4.6. */
static void announce_descriptor(struct store_run *run, struct err *e)
{
    static const uint32_t rids[] = {512, 1000001}, masks[] = {0xf01ff, 0x40000};
    struct buf sd = buf_new(1024), acl = buf_new(1024);
    uint8_t sid[SID_MAX];
    for (size_t i = 0; i < n_elements(rids); i++) {
        struct sid s = {.n_sub = 5, .authority = 5, .sub = {21, 1111111111, 2222222222, 3333333333, rids[i]}};
        size_t len = sid_encode(sid, &s);
        buf_add_u16le(&acl, 0); /* ACCESS_ALLOWED_ACE */
        buf_add_u16le(&acl, (uint16_t)(8 + len));
        buf_add_u32le(&acl, masks[i]);
        buf_add(&acl, sid, len);
    }
    struct sid owner = {.n_sub = 5, .authority = 5, .sub = {21, 1111111111, 2222222222, 3333333333, 512}};
    size_t len = sid_encode(sid, &owner);
    buf_add_u16le(&sd, 1);
    buf_add_u16le(&sd, 0x8004); /* SE_SELF_RELATIVE, SE_DACL_PRESENT */
    const uint32_t offsets[] = {20, 0, 0, (uint32_t)(20 + len)};
    for (size_t i = 0; i < n_elements(offsets); i++) buf_add_u32le(&sd, offsets[i]);
    buf_add(&sd, sid, len);
    buf_add_u16le(&sd, 4);
    buf_add_u16le(&sd, (uint16_t)(8 + acl.len));
    buf_add_u16le(&sd, n_elements(rids));
    buf_add_u16le(&sd, 0);
    buf_add_bytes(&sd, buf_bytes(&acl));
    check(store_run_sd(run, 1, buf_bytes(&sd), e), e);
    buf_free(&sd);
    buf_free(&acl);
}

/* --- runs ------------------------------------------------------------------------------------------------- */

static void each(struct load *l, void (*one)(struct load *, unsigned), enum kind kind, unsigned n)
{
    struct err e;
    for (unsigned i = 0; i < n; i++) one(l, i);
    check(store_run_kind_done(l->run, kind, true, n, &e), &e);
}

static void run(struct store *s, bool is_tenant, unsigned assets, unsigned n_signed_in, int64_t now)
{
    static const uint8_t domain_sid[] = {1, 4, 0, 0, 0, 0, 0, 5, 21, 0, 0, 0, 0xc7, 0x35, 0x3a, 0x42, 0x8e, 0x6b, 0x74, 0x84, 0x55, 0xa1, 0xae, 0xc6};
    struct domain_info d = {.dns_name = STR("corp.example"), .base = STR("DC=corp,DC=example"), .sid = {domain_sid, sizeof domain_sid}};
    struct run_start start = {.connector = is_tenant ? STR("cloud") : STR("corp"), .source = is_tenant ? STR("entra_id") : STR("active_directory"), .mode = STR("full"), .started_ms = now};
    struct run_end end = {.ended_ms = now};
    struct run_result result;
    struct load l = {.state = buf_new(1 << 16), .stats = buf_new(1 << 16), .dn = buf_new(1 << 12), .members = buf_new(1 << 20), .seed = is_tenant, .now = now, .n_signed_in = n_signed_in};
    struct err e;
    if (is_tenant) d = (struct domain_info){.dns_name = STR("corp.example"), .tenant_id = STR("7d2c3f10-0000-4000-8000-000000000001")};
    check(store_run_begin(&l.run, s, &start, &e), &e);
    check(store_run_domain(l.run, &d, &e), &e);
    if (!is_tenant) announce_descriptor(l.run, &e);
    l.n_users = assets / 8 * 7;
    if (is_tenant) {
        each(&l, entra_user, KIND_user, assets);
    } else {
        each(&l, ad_group, KIND_group, assets / 16);
        each(&l, ad_computer, KIND_computer, assets / 16);
        each(&l, ad_user, KIND_user, l.n_users);
    }
    check(store_run_end(l.run, &end, &result, &e), &e);
    struct buf *bufs[] = {&l.state, &l.stats, &l.dn, &l.members};
    for (size_t i = 0; i < n_elements(bufs); i++) buf_free(bufs[i]);
}

/* --- questions ----------------------------------------------------------------------------------------------- */

static double now_us(void)
{
    struct timespec t;
    clock_gettime(getenv("BENCH_CPU") ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

struct question {
    const char *name, *sort, *search;
    kind_set kinds;
    int enabled, admin;
    const char *mfa, *sign_in, *tag, *source;
    bool is_facets;
};

/* As text, as a server gives it; *next becomes `after` of the next page. */
static size_t ask_once(struct catalog *c, const struct catalog_query *q, bool is_facets, struct buf *text, struct buf *next)
{
    struct err e;
    json_t *out;
    size_t n = 0;
    if (!is_facets) {
        struct jsonw j = jsonw_new(text);
        buf_clear(text);
        jsonw_array(&j);
        check(catalog_list_json(c, q, &j, &n, next, &e), &e);
        jsonw_end(&j);
        return n;
    }
    check(catalog_facets(c, q, &out, &e), &e);
    free(json_dumps(out, JSON_COMPACT));
    json_decref(out);
    return 0;
}

static void ask(struct catalog *c, const struct question *x, unsigned rounds)
{
    double *took = calloc(rounds, sizeof *took);
    struct buf text = buf_new(SIZE_MAX / 2), next = buf_new(SIZE_MAX / 2);
    char search[64];
    size_t n = 0;
    for (unsigned i = 0; i < rounds; i++) {
        if (x->search) snprintf(search, sizeof search, x->search, i * 37 % 100000);
        struct catalog_query q = {.kinds = x->kinds, .enabled = x->enabled - 1, .admin = x->admin - 1, .mfa = str_from(x->mfa), .sign_in = str_from(x->sign_in),
                                  .search = str_from(x->search ? search : NULL), .sort = str_from(x->sort), .after = x->search ? STR("") : buf_str(&next), .limit = 50};
        if (x->tag) q.tags[q.n_tags++] = str_from(x->tag);
        if (x->source) q.source[q.n_sources++] = str_from(x->source);
        double from = now_us();
        n += ask_once(c, &q, x->is_facets, &text, &next);
        took[i] = now_us() - from;
    }
    qsort(took, rounds, sizeof *took, by_value);
    printf("%-44s p50 %7.0f  p99 %7.0f us  rows a page %.1f\n", x->name, took[rounds / 2], took[rounds * 99 / 100], (double)n / rounds);
    free(took);
    buf_free(&text);
    buf_free(&next);
}

static const struct question questions[] = {
    {.name = "all by name"},
    {.name = "all by -name", .sort = "-name"},
    {.name = "all by account", .sort = "account"},
    {.name = "all by -last_sign_in", .sort = "-last_sign_in"},
    {.name = "all by last_sign_in", .sort = "last_sign_in"},
    {.name = "all by -last_changed", .sort = "-last_changed"},
    {.name = "all by kind", .sort = "kind"},
    {.name = "all by source", .sort = "source"},
    {.name = "users", .kinds = KIND_BIT(KIND_user)},
    {.name = "disabled users", .kinds = KIND_BIT(KIND_user), .enabled = 1},
    {.name = "disabled users by -last_sign_in", .kinds = KIND_BIT(KIND_user), .enabled = 1, .sort = "-last_sign_in"},
    {.name = "admins", .admin = 2},
    {.name = "admins by last_sign_in", .admin = 2, .sort = "last_sign_in"},
    {.name = "no MFA", .mfa = "no"},
    {.name = "no MFA by -last_sign_in", .mfa = "no", .sort = "-last_sign_in"},
    {.name = "no MFA, enabled, 90d or older", .mfa = "no", .enabled = 2, .sign_in = "90d,older"},
    {.name = "stale, corp", .tag = "stale", .source = "corp"},
    {.name = "kerberoastable by account", .tag = "kerberoastable", .sort = "account"},
    {.name = "unconstrained, no_preauth", .tag = "unconstrained_delegation"},
    {.name = "search one (martin%u)", .search = "martin%u"},
    {.name = "search frequent (martin)", .search = "martin"},
    {.name = "search frequent by -last_sign_in", .search = "martin", .sort = "-last_sign_in"},
    {.name = "search frequent among admins", .search = "martin", .admin = 2},
    {.name = "search everybody (corp.example)", .search = "corp.example"},
    {.name = "search nobody (martinxyz)", .search = "martinxyz"},
    {.name = "search two words (zoe %u)", .search = "zoe %u"},
    {.name = "search beginning (zd)", .search = "zd"},
    {.name = "search beginning by last_changed", .search = "am", .sort = "last_changed"},
    {.name = "search frequent, no MFA by account", .search = "martin", .mfa = "no", .sort = "account"},
    {.name = "search kerberoastable", .search = "simon", .tag = "kerberoastable"},
    {.name = "facets", .is_facets = true},
    {.name = "facets of a filter", .mfa = "no", .enabled = 2, .is_facets = true},
    {.name = "facets of a frequent search", .search = "martin", .is_facets = true},
    {.name = "facets of a rare search", .search = "martin%u", .is_facets = true},
};

static void ask_all(const char *path, unsigned rounds)
{
    struct catalog *c;
    struct err e;
    check(catalog_open(&c, path, &e), &e);
    for (size_t i = 0; i < n_elements(questions); i++) ask(c, &questions[i], rounds);
    catalog_close(c);
}

int main(int argc, char **argv)
{
    struct store *s;
    struct err e;
    const char *how = "";
    char url[512], path[512];
    if (argc < 3) return fprintf(stderr, "usage: bench-catalog make|again|refresh|ask FILE [n]\n"), 2;
    unsigned n = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 0;
    snprintf(url, sizeof url, "sqlite:%s", argv[2]);
    snprintf(path, sizeof path, "%s.catalog", argv[2]);
    if (strcmp(argv[1], "ask") == 0) {
        ask_all(path, n ? n : 200);
        return 0;
    }
    check(store_open(&s, str_from(url), &e), &e);
    double from = now_us();
    if (strcmp(argv[1], "make") == 0) {
        if (!n) n = 100000;
        run(s, false, n / 4 * 3, 0, NOW);
        run(s, true, n / 4, 0, NOW);
    } else if (strcmp(argv[1], "again") == 0) {
        struct connector_state state;
        check(store_connector(s, STR("corp"), &state, &e), &e);
        unsigned assets = (unsigned)(state.n_entities[KIND_user] / 7 * 8);
        run(s, false, assets, n, NOW + DAY);
    } else {
        check(catalog_refresh(s, path, &how, &e), &e);
    }
    printf("%s %s: %.2f s, peak %ld MiB\n", argv[1], how, (now_us() - from) / 1e6, peak_mib());
    store_close(s);
    return 0;
}
