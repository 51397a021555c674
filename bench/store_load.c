/* store_load - what the store costs for each user of a synthetic directory: first load, then runs in which
 * nothing, and a little, has changed. Prints CPU and wall time a user, file size and peak memory; the ratio
 * to compare with is that of the second run to the first, and of both to hashing the same bytes once.
 *
 *     store_load [users] [groups] [directory]       default 200000 16000 /var/tmp
 */
#include "bench.h"

#include "base/when.h"
#include "model/record_test.h"
#include "model/sid.h"
#include "store/store.h"

#include <sys/stat.h>
#include <unistd.h>

#define MEMBERSHIPS 8 /* of each user, on average */
#define DESCRIPTORS 200

static unsigned n_users = 200000, n_groups = 16000;
static uint64_t n_bytes;

/* --- the directory ---------------------------------------------------------------------------- */

static uint64_t mixed(uint64_t v)
{
    v = (v ^ v >> 31) * UINT64_C(0x9e3779b97f4a7c15);
    return v ^ v >> 29;
}

static void make_guid(uint8_t guid[GUID_SIZE], uint64_t id)
{
    uint64_t a = mixed(id + 1), b = mixed(a);
    memcpy(guid, &a, 8);
    memcpy(guid + 8, &b, 8);
}

static size_t make_sid(uint8_t out[SID_MAX], unsigned rid)
{
    struct sid s = {.n_sub = 5, .authority = 5, .sub = {21, 1111111111, 2222222222, 3333333333, rid}};
    return sid_encode(out, &s);
}

static void add_strs(struct buf *body, enum attr id, unsigned n, const char *fmt, unsigned user)
{
    struct buf v = buf_new(4096), one = buf_new(1024);
    for (unsigned i = 0; i < n; i++) {
        buf_clear(&one);
        buf_printf(&one, fmt, user, i);
        body_value_bytes(&v, buf_bytes(&one));
    }
    body_add(body, id, n, buf_bytes(&v));
    buf_free(&v);
    buf_free(&one);
}

/* About 1.3 KB of state, as a mail-enabled user of a large company has it. */
static void make_user_state(struct buf *s, unsigned u, unsigned round)
{
    static const struct {
        enum attr id;
        const char *fmt;
        unsigned n;
    } texts[] = {
        {ATTR_OBJECT_CLASS, "organizationalPerson%u", 4},
        {ATTR_CN, "Givenname%u Familyname", 1},
        {ATTR_NAME, "Givenname%u Familyname", 1},
        {ATTR_DESCRIPTION, "Employee %u, moved here with the old directory in 2014", 1},
        {ATTR_DISPLAY_NAME, "Familyname, Givenname%u (Sales)", 1},
    };
    static const struct {
        enum attr id;
        const char *fmt;
        unsigned n;
    } more[] = {
        {ATTR_USER_PRINCIPAL_NAME, "givenname%u.familyname@corp.example", 1},
    };
    static const struct {
        enum attr id;
        const char *fmt;
        unsigned n;
    } last[] = {
        {ATTR_SERVICE_PRINCIPAL_NAME, "HTTP/host%u.corp.example:%u", 2},
        {ATTR_GIVEN_NAME, "Givenname%u", 1},
        {ATTR_SN, "Familyname%u", 1},
        {ATTR_MAIL, "givenname%u.familyname@corp.example", 1},
        {ATTR_MAIL_NICKNAME, "givenname%u.familyname", 1},
        {ATTR_PROXY_ADDRESSES, "smtp:givenname%u.familyname%u@corp.example", 5},
        {ATTR_TARGET_ADDRESS, "SMTP:givenname%u@corp.mail.example", 1},
        {ATTR_TELEPHONE_NUMBER, "+33 1 23 %06u", 1},
        {ATTR_MOBILE, "+33 6 12 %06u", 1},
        {ATTR_TITLE, "Regional sales representative %u", 1},
        {ATTR_DEPARTMENT, "Sales and customer relations, region %u", 1},
        {ATTR_COMPANY, "Example Corporation International ", 1},
        {ATTR_OFFICE, "Building A, floor 3, room %u", 1},
        {ATTR_L, "Rennes", 1},
        {ATTR_ST, "Bretagne", 1},
        {ATTR_POSTAL_CODE, "35%03u", 1},
        {ATTR_STREET_ADDRESS, "%u rue de la Visitation", 1},
        {ATTR_C, "FR", 1},
        {ATTR_CO, "France", 1},
        {ATTR_EMPLOYEE_ID, "E%08u", 1},
        {ATTR_EMPLOYEE_NUMBER, "%08u", 1},
        {ATTR_EMPLOYEE_TYPE, "Employee", 1},
        {ATTR_MANAGER, "CN=Manager %u,OU=Managers,OU=People,DC=corp,DC=example", 1},
    };
    (void)more, (void)last, (void)texts;
#define ADD(table)                                                                                           \
    for (size_t i = 0; i < n_elements(table); i++) add_strs(s, table[i].id, table[i].n, table[i].fmt, u)
    ADD(texts);
    body_add_int(s, ATTR_WHEN_CREATED, 1400000000000 + (int64_t)u * 1000);
    add_strs(s, ATTR_SAM_ACCOUNT_NAME, 1, "user%u", u);
    ADD(more);
    body_add_int(s, ATTR_USER_ACCOUNT_CONTROL, 512);
    body_add_int(s, ATTR_PRIMARY_GROUP_ID, 513);
    body_add_int(s, ATTR_PWD_LAST_SET, 1700000000000 + (int64_t)u + (u % 100 == 0 ? round : 0));
    ADD(last);
#undef ADD
}

static void make_stats(struct buf *s, unsigned u, unsigned round)
{
    body_add_int(s, ATTR_WHEN_CHANGED, 1700000000000 + u);
    body_add_int(s, ATTR_USN_CHANGED, 1000000 + u);
    body_add_int(s, ATTR_LAST_LOGON, 1700000000000 + u + round);
    body_add_int(s, ATTR_LAST_LOGON_TIMESTAMP, 1700000000000 + u);
    body_add_int(s, ATTR_LOGON_COUNT, u + round);
    body_add_int(s, ATTR_BAD_PWD_COUNT, 0);
    body_add_int(s, ATTR_BAD_PASSWORD_TIME, 1690000000000 + u);
}

static void user_dn(struct buf *out, unsigned u)
{
    buf_printf(out, "CN=Givenname%u Familyname,OU=Region%u,OU=People,DC=corp,DC=example", u, u % 50);
}

/* --- a run ------------------------------------------------------------------------------------ */

struct pace {
    double cpu, wall;
};

static struct pace now(void)
{
    struct rusage r;
    getrusage(RUSAGE_SELF, &r);
    return (struct pace){(double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
                             (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6,
                         (double)when_monotonic_ms() / 1e3};
}

/* The stream is prepared in pieces that are not measured. */
#define PIECE 2000
struct piece {
    struct buf bytes;
    struct {
        size_t dn, state, stats, members, end;
    } at[PIECE];
    unsigned n_members[PIECE];
};

static void prepare_users(struct piece *p, unsigned from, unsigned n, unsigned round)
{
    buf_clear(&p->bytes);
    for (unsigned i = 0; i < n; i++) {
        p->at[i].dn = p->bytes.len;
        user_dn(&p->bytes, from + i);
        p->at[i].state = p->bytes.len;
        make_user_state(&p->bytes, from + i, round);
        p->at[i].stats = p->bytes.len;
        make_stats(&p->bytes, from + i, round);
        p->at[i].members = p->at[i].end = p->bytes.len;
        p->n_members[i] = 0;
    }
}

static void prepare_groups(struct piece *p, unsigned from, unsigned n)
{
    struct buf dn = buf_new(1024);
    unsigned each = (unsigned)((uint64_t)n_users * MEMBERSHIPS / n_groups);
    buf_clear(&p->bytes);
    for (unsigned i = 0; i < n; i++) {
        unsigned g = from + i;
        p->at[i].dn = p->bytes.len;
        buf_printf(&p->bytes, "CN=Group %u,OU=Groups,DC=corp,DC=example", g);
        p->at[i].state = p->bytes.len;
        add_strs(&p->bytes, ATTR_CN, 1, "Group %u", g);
        add_strs(&p->bytes, ATTR_SAM_ACCOUNT_NAME, 1, "group%u", g);
        body_add_int(&p->bytes, ATTR_GROUP_TYPE, -2147483646);
        p->at[i].stats = p->bytes.len;
        body_add_int(&p->bytes, ATTR_USN_CHANGED, 77);
        p->at[i].members = p->bytes.len;
        p->n_members[i] = g == 0 ? 0 : each;
        for (unsigned m = 0; m < p->n_members[i]; m++) {
            buf_clear(&dn);
            user_dn(&dn, (unsigned)(mixed((uint64_t)g << 32 | m) % n_users));
            buf_add_lstr(&p->bytes, buf_bytes(&dn));
        }
        p->at[i].end = p->bytes.len;
    }
    buf_free(&dn);
}

static struct bytes part(const struct piece *p, size_t from, size_t to)
{
    return (struct bytes){p->bytes.ptr + from, to - from};
}

static void put_piece(struct store_run *r, const struct piece *p, enum kind kind, unsigned from, unsigned n)
{
    struct err e;
    uint8_t sid[SID_MAX];
    for (unsigned i = 0; i < n; i++) {
        unsigned rid = kind == KIND_group ? 513 + from + i : 2000000 + from + i;
        struct record rec = {.kind = kind,
                             .dn = str_of(part(p, p->at[i].dn, p->at[i].state)),
                             .sd = 1 + (from + i) % DESCRIPTORS,
                             .state = part(p, p->at[i].state, p->at[i].stats),
                             .stats = part(p, p->at[i].stats, p->at[i].members),
                             .member = {p->n_members[i], part(p, p->at[i].members, p->at[i].end)}};
        rec.sid = (struct bytes){sid, make_sid(sid, rid)};
        make_guid(rec.guid, (uint64_t)kind << 32 | (from + i));
        n_bytes += rec.state.len + rec.stats.len + rec.dn.len + rec.member.block.len;
        check(store_run_put(r, &rec, &e), &e);
    }
}

static struct pace put_kind(struct store_run *r, enum kind kind, unsigned total, unsigned round)
{
    struct piece *p = calloc(1, sizeof *p);
    struct pace sum = {0, 0};
    struct err e;
    p->bytes = buf_new((size_t)1 << 30);
    for (unsigned from = 0; from < total; from += PIECE) {
        unsigned n = total - from < PIECE ? total - from : PIECE;
        if (kind == KIND_user)
            prepare_users(p, from, n, round);
        else
            prepare_groups(p, from, n);
        struct pace a = now();
        put_piece(r, p, kind, from, n);
        struct pace b = now();
        sum.cpu += b.cpu - a.cpu;
        sum.wall += b.wall - a.wall;
    }
    check(store_run_kind_done(r, kind, true, total, &e), &e);
    buf_free(&p->bytes);
    free(p);
    return sum;
}

static void announce_descriptors(struct store_run *r)
{
    uint8_t sd[3000];
    struct err e;
    for (uint32_t i = 1; i <= DESCRIPTORS; i++) {
        for (size_t k = 0; k < sizeof sd; k++) sd[k] = (uint8_t)mixed(i * 7919 + k);
        check(store_run_sd(r, i, (struct bytes){sd, sizeof sd}, &e), &e);
    }
}

static void print_run(const char *what, struct pace groups, struct pace users, struct pace end,
                      const struct run_result *result)
{
    double all = groups.cpu + users.cpu + end.cpu;
    printf("%-34s CPU us/user: groups %.2f users %.2f end %.2f all %.2f; wall s %.2f; changes %llu, members "
           "+%llu\n",
           what, groups.cpu / n_users * 1e6, users.cpu / n_users * 1e6, end.cpu / n_users * 1e6,
           all / n_users * 1e6, groups.wall + users.wall + end.wall, (unsigned long long)result->n_changes,
           (unsigned long long)result->n_members_added);
    fflush(stdout);
}

static void load(struct store *s, const char *what, unsigned round)
{
    struct err e;
    struct store_run *r;
    struct run_start start = {.connector = STR("corp"),
                              .source = STR("active_directory"),
                              .mode = STR("full"),
                              .started_ms = when_now_ms()};
    struct domain_info d = {.dns_name = STR("corp.example"), .base = STR("DC=corp,DC=example")};
    struct run_end end = {.ended_ms = when_now_ms()};
    struct run_result result;
    check(store_run_begin(&r, s, &start, &e), &e);
    check(store_run_domain(r, &d, &e), &e);
    announce_descriptors(r);
    struct pace groups = put_kind(r, KIND_group, n_groups, round),
                users = put_kind(r, KIND_user, n_users, round);
    struct pace a = now();
    check(store_run_end(r, &end, &result, &e), &e);
    struct pace b = now();
    print_run(what, groups, users, (struct pace){b.cpu - a.cpu, b.wall - a.wall}, &result);
}

/* --- reading ---------------------------------------------------------------------------------- */

static bool count_link(void *ctx, const struct link *l)
{
    (void)l;
    ++*(uint64_t *)ctx;
    return true;
}

struct counting {
    struct store *s;
    bool with_links;
    uint64_t entities, links;
};

static bool count_entity(void *ctx, const struct entity *x)
{
    struct counting *c = ctx;
    struct err e;
    c->entities++;
    if (c->with_links) check(store_links(c->s, x->id, LINK_GROUPS_OF, count_link, &c->links, &e), &e);
    return true;
}

static void read_back(struct store *s, bool with_links)
{
    struct err e;
    struct counting c = {.s = s, .with_links = with_links};
    struct entity_query q = {.connector = STR("corp"), .kinds = KIND_BIT(KIND_user)};
    struct pace a = now();
    check(store_entities(s, &q, count_entity, &c, &e), &e);
    struct pace b = now();
    printf("%-34s CPU us/user: %.2f (%llu entities, %llu links)\n", with_links ? "read with groups" : "read",
           (b.cpu - a.cpu) / n_users * 1e6, (unsigned long long)c.entities, (unsigned long long)c.links);
}

static void hash_once(void)
{
    struct buf b = buf_new(1 << 16);
    uint64_t sum = 0;
    make_user_state(&b, 4711, 0);
    struct pace from = now();
    for (unsigned i = 0; i < n_users; i++) sum += hash64_of(hash_process_key(), buf_bytes(&b));
    struct pace to = now();
    printf("%-34s CPU us/user: %.2f (%zu bytes, %d)\n", "hashing the state once",
           (to.cpu - from.cpu) / n_users * 1e6, b.len, (int)(sum & 1));
    buf_free(&b);
}

int main(int argc, char **argv)
{
    char path[512], url[600], side[600];
    static const char *const sides[] = {"", "-wal", "-shm", "-journal", ".corp.lock"};
    struct store *s;
    struct stat st;
    struct err e;
    if (argc > 1) n_users = (unsigned)strtoul(argv[1], NULL, 10);
    if (argc > 2) n_groups = (unsigned)strtoul(argv[2], NULL, 10);
    snprintf(path, sizeof path, "%s/rollcall-store-load.%ld.db", argc > 3 ? argv[3] : "/var/tmp",
             (long)getpid());
    snprintf(url, sizeof url, "sqlite:%s", path);
    check(store_open(&s, str_from(url), &e), &e);
    hash_once();
    load(s, "first load", 0);
    printf("peak memory %ld MB\n", peak_mib());
    load(s, "nothing changed", 0);
    load(s, "everybody logged on, 1% changed", 1);
    read_back(s, false);
    read_back(s, true);
    store_close(s);
    if (stat(path, &st) == 0)
        printf("file %lld MB, %.0f bytes a user; peak memory %ld MB\n", (long long)st.st_size >> 20,
               (double)st.st_size / n_users, peak_mib());
    for (size_t i = 0; i < n_elements(sides); i++) {
        snprintf(side, sizeof side, "%s%s", path, sides[i]);
        unlink(side);
    }
    return 0;
}
