/* identity_load - what matching two directories of the same size costs: time and peak memory, in a process
 * that does nothing else.
 *
 *     bench-identity make FILE [users]     a store with a domain and a tenant; 1 in 100 is in only one of
 * them, 1 in 1000 in conflict bench-identity read FILE             all edges, then all orphans
 */
#include "bench.h"

#include "base/jsonw.h"
#include "base/when.h"
#include "model/record_test.h"
#include "model/sid.h"
#include "run/identity.h"

/* --- two directories ------------------------------------------------------------------------------ */

static void make_guid(uint8_t guid[GUID_SIZE], uint64_t id)
{
    uint64_t mixed = (id + 1) * UINT64_C(0x9e3779b97f4a7c15);
    memcpy(guid, &mixed, 8);
    memcpy(guid + 8, &id, 8);
}

static void add_text(struct buf *body, enum attr id, const char *fmt, unsigned user)
{
    struct buf text = buf_new(4096);
    buf_printf(&text, fmt, user);
    body_add_bytes(body, id, buf_bytes(&text));
    buf_free(&text);
}

#define DN "CN=Givenname%u Familyname,OU=Region,OU=People,DC=corp,DC=example"

static void ad_user(struct record *rec, struct buf *body, struct buf *dn, uint8_t sid[SID_MAX], unsigned u)
{
    struct sid s = {.n_sub = 5, .authority = 5, .sub = {21, 1111111111, 2222222222, 3333333333, 1000 + u}};
    *rec = (struct record){.kind = KIND_user};
    make_guid(rec->guid, u);
    rec->sid = (struct bytes){sid, sid_encode(sid, &s)};
    buf_printf(dn, DN, u);
    add_text(body, ATTR_DISPLAY_NAME, "Familyname, Givenname%u (Sales)", u);
    add_text(body, ATTR_SAM_ACCOUNT_NAME, "user%u", u);
    add_text(body, ATTR_USER_PRINCIPAL_NAME, "givenname%u.familyname@corp.example", u);
    body_add_int(body, ATTR_USER_ACCOUNT_CONTROL, 512);
    add_text(body, ATTR_MAIL, "givenname%u.familyname@corp.example", u);
    add_text(body, ATTR_DEPARTMENT, "Sales and customer relations, region %u", u % 50);
}

static void entra_user(struct record *rec, struct buf *body, struct buf *dn, uint8_t sid[SID_MAX], unsigned u)
{
    struct sid s = {.n_sub = 5, .authority = 5, .sub = {21, 1111111111, 2222222222, 3333333333, 1000 + u}};
    struct buf base64 = buf_new(64);
    uint8_t guid[GUID_SIZE];
    *rec = (struct record){.kind = KIND_user};
    make_guid(rec->guid, (uint64_t)u + ((uint64_t)1 << 40));
    make_guid(guid, u % 1000 == 7 ? u + 1 : u); /* 1 in 1000: its keys disagree */
    buf_printf(dn, "%08u", u);
    buf_add_base64(&base64, (struct bytes){guid, sizeof guid});
    add_text(body, ATTR_DISPLAY_NAME, "Familyname, Givenname%u (Sales)", u);
    add_text(body, ATTR_USER_PRINCIPAL_NAME, "givenname%u.familyname@corp.example", u);
    add_text(body, ATTR_MAIL, "givenname%u.familyname@corp.example", u);
    body_add_bool(body, ATTR_ACCOUNT_ENABLED, true);
    body_add_bool(body, ATTR_SYNC_ENABLED, true);
    body_add_bytes(body, ATTR_ON_PREMISES_SID, (struct bytes){sid, sid_encode(sid, &s)});
    body_add_bytes(body, ATTR_IMMUTABLE_ID, buf_bytes(&base64));
    add_text(body, ATTR_ON_PREMISES_DN, DN, u);
    add_text(body, ATTR_ON_PREMISES_DOMAIN, "corp.example", u);
    add_text(body, ATTR_ON_PREMISES_SAM, "user%u", u);
    buf_free(&base64);
}

static void load(struct store *s, bool is_tenant, unsigned from, unsigned to)
{
    struct domain_info d = {.dns_name = STR("corp.example")};
    struct run_start start = {.connector = is_tenant ? STR("cloud") : STR("corp"),
                              .source = is_tenant ? STR("entra_id") : STR("active_directory"),
                              .mode = STR("full"),
                              .started_ms = 1};
    struct run_end end = {.ended_ms = 2};
    struct run_result result;
    struct store_run *r;
    struct err e;
    if (is_tenant) d.tenant_id = STR("7d2c3f10-0000-4000-8000-000000000001");
    check(store_run_begin(&r, s, &start, &e), &e);
    check(store_run_domain(r, &d, &e), &e);
    for (unsigned u = from; u < to; u++) {
        struct buf body = buf_new(1 << 16), dn = buf_new(1 << 12);
        uint8_t sid[SID_MAX];
        struct record rec;
        (is_tenant ? entra_user : ad_user)(&rec, &body, &dn, sid, u);
        rec.state = buf_bytes(&body);
        rec.dn = buf_str(&dn);
        check(store_run_put(r, &rec, &e), &e);
        buf_free(&body);
        buf_free(&dn);
    }
    check(store_run_kind_done(r, KIND_user, true, 0, &e), &e);
    check(store_run_end(r, &end, &result, &e), &e);
}

/* --- reading -------------------------------------------------------------------------------------- */

static uint64_t n_edges, n_conflicts, n_orphans;

static int count_edge(void *ctx, const struct identity_edge *x, struct err *e)
{
    (void)ctx, (void)e;
    if (x->conflict)
        n_conflicts++;
    else
        n_edges++;
    return 0;
}

static int count_orphan(void *ctx, const struct identity_orphan *o, struct err *e)
{
    (void)ctx, (void)o, (void)e;
    n_orphans++;
    return 0;
}

static void measure(struct store *s, const char *what, struct identity_reader reader)
{
    struct identity_query q = {0};
    struct err e;
    int64_t began = when_monotonic_ms();
    check(identity_read(s, &q, &reader, &e), &e);
    printf("%-8s %6.2f s, peak %ld MiB\n", what, (double)(when_monotonic_ms() - began) / 1e3,
           peak_mib());
}

int main(int argc, char **argv)
{
    struct store *s;
    struct err e;
    char url[512];
    if (argc < 3) return fprintf(stderr, "usage: bench-identity make|read FILE [users]\n"), 2;
    unsigned n = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 100000;
    snprintf(url, sizeof url, "sqlite:%s", argv[2]);
    check(store_open(&s, str_from(url), &e), &e);
    if (strcmp(argv[1], "make") == 0) {
        load(s, false, 0, n);
        load(s, true, n / 100, n + n / 100);
    } else {
        measure(s, "orphans", (struct identity_reader){.orphan = count_orphan});
        measure(s, "edges", (struct identity_reader){.edge = count_edge});
        printf("%llu edges, %llu candidates in conflict, %llu orphans\n", (unsigned long long)n_edges,
               (unsigned long long)n_conflicts, (unsigned long long)n_orphans);
    }
    store_close(s);
    return 0;
}
