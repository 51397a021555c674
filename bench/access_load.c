/* access_load.c - the sets of the access engine on a generated directory, in memory, beside a plain-bitset
 * pass over the same sets.
 *
 *     bench-access [users groups memberships objects descriptors]
 * Prints "name value" lines that run.py reads. All times are CPU time of calls in this process, which has one
 * thread; making the directory is not counted. Every set's count is compared with the plain pass, and after
 * the update with a new build.
 */
#include "access/fixture.h"
#include "access/sets/sets_int.h"
#include "access/testing.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { POOL = 30000, TYPES = 40 };

struct model {
    struct fixture f;
    uint32_t n_users, n_groups, n_objects, n_descriptors;
    size_t n_memberships;
    uint32_t first_user, first_group, domain_users, domain_admins, builtin_administrators, builtin_users,
        old_access, system;
    uint8_t types[TYPES][16];
    uint64_t dice;
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void tell(const char *name, double value)
{
    printf("%s %.9g\n", name, value);
    fflush(stdout);
}

static long resident_kib(const char *field)
{
    char line[256];
    long kib = 0;
    FILE *in = fopen("/proc/self/status", "r");
    while (in && fgets(line, sizeof line, in))
        if (strncmp(line, field, strlen(field)) == 0) kib = strtol(line + strlen(field) + 1, NULL, 10);
    if (in) fclose(in);
    return kib;
}

/* --- the directory
 * -------------------------------------------------------------------------------------------------- */

static uint32_t below(struct model *m, uint32_t n)
{
    return test_below(&m->dice, n);
}

/* Few large groups, many small ones: the square of an even draw. */
static uint32_t some_group(struct model *m)
{
    double u = (double)test_random(&m->dice) / 4294967296.0;
    return m->first_group + (uint32_t)(u * u * m->n_groups);
}

static uint32_t known(struct model *m, const char *sid, bool is_local)
{
    struct buf b = buf_new(SID_MAX);
    test_add_sid(&b, sid);
    uint32_t p = fixture_principal_sid(&m->f, 0, KIND_group, buf_bytes(&b));
    m->f.w->principals[p].is_local = is_local;
    buf_free(&b);
    return p;
}

static void make_principals(struct model *m)
{
    m->builtin_administrators = known(m, "S-1-5-32-544", true);
    m->builtin_users = known(m, "S-1-5-32-545", true);
    m->old_access = known(m, "S-1-5-32-554", true);
    m->system = known(m, "S-1-5-18", false);
    m->domain_users = known(m, "S-1-5-21-1-2-3-513", false);
    m->domain_admins = known(m, "S-1-5-21-1-2-3-512", false);
    m->first_user = m->f.w->n_principals;
    for (uint32_t i = 0; i < m->n_users; i++)
        fixture_principal(&m->f, 0, i % 10 == 9 ? KIND_computer : KIND_user);
    m->first_group = m->f.w->n_principals;
    for (uint32_t i = 0; i < m->n_groups; i++) {
        uint32_t g = fixture_principal(&m->f, 0, KIND_group);
        m->f.w->principals[g].is_local = below(m, 4) == 0;
        m->f.w->principals[g].is_security = below(m, 20) != 0;
    }
}

static void make_memberships(struct model *m)
{
    fixture_member(&m->f, m->domain_admins, m->builtin_administrators);
    fixture_member(&m->f, m->domain_users, m->builtin_users);
    fixture_member(&m->f, 1, m->builtin_users); /* Authenticated Users */
    fixture_member(&m->f, 1, m->old_access);
    for (uint32_t i = 0; i < 40; i++)
        fixture_member(&m->f, m->first_user + below(m, m->n_users), m->domain_admins);
    for (uint32_t i = 0; i < m->n_users; i++)
        fixture_member(&m->f, m->first_user + i, m->domain_users); /* primary group */
    for (uint32_t i = 0; i < m->n_groups * 2 / 5; i++)
        fixture_member(&m->f, m->first_group + below(m, m->n_groups), some_group(m));
    for (uint32_t i = 0; i < m->n_groups / 600; i++) { /* cycles: mostly pairs */
        uint32_t a = m->first_group + below(m, m->n_groups), b = m->first_group + below(m, m->n_groups);
        fixture_member(&m->f, a, b);
        fixture_member(&m->f, b, a);
    }
    for (uint32_t i = 0; i < 50 && i + 1 < m->n_groups; i++)
        fixture_member(&m->f, m->first_group + m->n_groups / 2 + i,
                       m->first_group + m->n_groups / 2 + (i + 1) % 50);
    while (m->f.n_edges < m->n_memberships)
        fixture_member(&m->f, m->first_user + below(m, m->n_users), some_group(m));
}

static void ace(struct model *m, struct buf *acl, unsigned *n, unsigned type, unsigned flags, uint32_t mask,
                const uint8_t *object, uint32_t who)
{
    test_add_ace(acl, type, flags, mask, object, NULL, m->f.w->principals[who].sid, (struct bytes){0});
    ++*n;
}

static void ace_sid(struct buf *acl, unsigned *n, unsigned type, uint32_t mask, const uint8_t *object,
                    const char *sid)
{
    struct buf b = buf_new(SID_MAX);
    test_add_sid(&b, sid);
    test_add_ace(acl, type, ACE_INHERITED, mask, object, NULL, buf_bytes(&b), (struct bytes){0});
    buf_free(&b);
    ++*n;
}

/* Somebody's grant or deny: mostly to groups, a third for a property or operation. */
static void random_ace(struct model *m, struct buf *acl, unsigned *n, bool is_deny, unsigned flags)
{
    static const uint32_t masks[] = {0x20094, 0x20,    0x30, 0x100, 0x3, 0xF01FF, 0x10000,
                                     0x40000, 0xC0000, 0x8,  0x94,  0x2, 0x40,    0x130};
    uint32_t who = m->first_user + below(m, m->n_users),
             any = m->first_group +
                   below(m, POOL) * (m->n_groups / POOL ? m->n_groups / POOL : 1) % m->n_groups;
    if (below(m, 20)) who = below(m, 2) ? any : some_group(m); /* large groups are in more of them */
    bool is_typed = below(m, 3) == 0;
    uint32_t mask = masks[below(m, n_elements(masks))];
    if (is_typed && !(mask & RIGHTS_TYPED)) mask = 0x30;
    ace(m, acl, n, (is_typed ? 5u : 0u) + (is_deny ? 1u : 0u), flags, is_typed ? mask & RIGHTS_TYPED : mask,
        is_typed ? m->types[below(m, TYPES)] : NULL, who);
}

static void make_descriptor(struct model *m)
{
    struct buf acl = buf_new(1 << 16), raw = buf_new(1 << 16);
    unsigned n = 0;
    for (unsigned i = below(m, 3); i; i--) random_ace(m, &acl, &n, true, 0);
    for (unsigned i = 18 + below(m, 10); i; i--) random_ace(m, &acl, &n, false, 0);
    ace_sid(&acl, &n, 5, 0x30, m->types[0], "S-1-5-10");
    ace_sid(&acl, &n, 5, 0x8, m->types[1], "S-1-5-10");
    ace_sid(&acl, &n, 5, 0x100, m->types[2], "S-1-1-0");
    if (below(m, 4) == 0) random_ace(m, &acl, &n, true, ACE_INHERITED);
    for (unsigned i = 4 + below(m, 4); i; i--) random_ace(m, &acl, &n, false, ACE_INHERITED);
    ace(m, &acl, &n, 0, ACE_INHERITED, 0xF01FF, NULL, m->domain_admins);
    ace(m, &acl, &n, 0, ACE_INHERITED, 0xF01BD, NULL, m->builtin_administrators);
    ace(m, &acl, &n, 0, ACE_INHERITED, 0xF01FF, NULL, m->system);
    for (unsigned i = 0; i < 4; i++) ace(m, &acl, &n, 5, ACE_INHERITED, 0x10, m->types[3 + i], m->old_access);
    if (below(m, 10)) ace_sid(&acl, &n, 0, 0x20094, NULL, "S-1-5-11"); /* not in the confidential ones */
    test_add_sd(&raw, SD_DACL_PRESENT, m->f.w->principals[m->domain_admins].sid, &acl, n);
    fixture_descriptor(&m->f, buf_bytes(&raw));
    buf_free(&acl);
    buf_free(&raw);
}

static void make_objects(struct model *m)
{
    const struct schema *s = schema_builtin();
    uint32_t user = schema_class_find(s, STR("user")), group = schema_class_find(s, STR("group")),
             ou = schema_class_find(s, STR("organizationalUnit"));
    for (uint32_t i = 0; i < TYPES; i++)
        memcpy(m->types[i],
               i % 2 ? s->attributes[i * 37 % s->n_attributes].guid : s->rights[i * 3 % s->n_rights].guid,
               16);
    for (uint32_t i = 0; i < m->n_descriptors; i++) make_descriptor(m);
    for (uint32_t i = 0; i < m->n_objects; i++) {
        uint32_t kind = i % 20; /* 12 users, 7 groups, an OU; each descriptor is of one class */
        uint32_t d = below(m, m->n_descriptors / 20 ? m->n_descriptors / 20 : 1) * 20 % m->n_descriptors +
                     kind % m->n_descriptors;
        uint32_t who = kind < 12   ? m->first_user + below(m, m->n_users)
                       : kind < 19 ? m->first_group + below(m, m->n_groups)
                                   : NOBODY;
        fixture_object(&m->f, 0, who, d % m->n_descriptors, kind < 12 ? user : kind < 19 ? group : ou);
    }
}

/* --- the yardstick
 * ------------------------------------------------------------------------------------------------------- */

/* Members of a trustee as the plain pass likes them best: numbers, or bits where these are less. */
struct plain {
    uint32_t *numbers, n;
    uint64_t *bits;
};

static struct plain *plain_trustees(struct sets *s)
{
    struct plain *all = x_zalloc((s->n_trustees + (size_t)1) * sizeof *all);
    size_t words = s->nodes.n_accounts / 64 + 1;
    for (uint32_t i = 0; i < s->n_trustees; i++) {
        struct plain *p = &all[i];
        scratch_or(&s->scratch, trustee_image(s, i));
        p->n = s->trustees[i].image.count;
        if (p->n > s->nodes.n_accounts / 32) {
            p->bits = x_alloc(words * sizeof *p->bits);
            memcpy(p->bits, s->scratch.words, words * sizeof *p->bits);
        } else {
            uint32_t n = 0;
            p->numbers = x_alloc((p->n + (size_t)1) * sizeof *p->numbers);
            for (size_t w = 0; w < words; w++)
                for (uint64_t rest = s->scratch.words[w]; rest; rest &= rest - 1)
                    p->numbers[n++] = (uint32_t)(w * 64) + (uint32_t)__builtin_ctzll(rest);
        }
        scratch_take_count(&s->scratch);
    }
    return all;
}

static void plain_put(uint64_t *restrict bits, size_t words, const struct plain *p, bool is_deny)
{
    if (p->bits && is_deny)
        for (size_t i = 0; i < words; i++) bits[i] &= ~p->bits[i];
    else if (p->bits)
        for (size_t i = 0; i < words; i++) bits[i] |= p->bits[i];
    else if (is_deny)
        for (uint32_t i = 0; i < p->n; i++)
            bits[p->numbers[i] >> 6] &= ~((uint64_t)1 << (p->numbers[i] & 63));
    else
        for (uint32_t i = 0; i < p->n; i++) bits[p->numbers[i] >> 6] |= (uint64_t)1 << (p->numbers[i] & 63);
}

#ifdef __x86_64__
__attribute__((target("popcnt")))
#endif
static uint64_t
plain_count(const uint64_t *bits, size_t words)
{
    uint64_t n[4] = {0};
    size_t i = 0;
    for (; i + 4 <= words; i += 4)
        for (size_t k = 0; k < 4; k++) n[k] += (uint64_t)__builtin_popcountll(bits[i + k]);
    for (; i < words; i++) n[0] += (uint64_t)__builtin_popcountll(bits[i]);
    return n[0] + n[1] + n[2] + n[3];
}

static void plain_fill(uint64_t *bits, uint32_t n)
{
    memset(bits, 0xff, n / 64 * sizeof *bits);
    if (n % 64) bits[n / 64] |= ((uint64_t)1 << n % 64) - 1;
}

/* Each set that the build has to make: cleared, put together, counted. Sets that are one trustee's are left
 * out, as they are there. */
static double plain_pass(struct sets *s, const struct plain *trustees)
{
    size_t words = s->nodes.n_accounts / 64 + 1, n_sets = 0;
    uint64_t *bits = x_alloc((words + 8) * sizeof *bits), total = 0;
    double start = now();
    for (uint32_t i = 0; i < s->n_sets; i++) {
        struct set *t = &s->sets[i];
        if (!t->is_kept || t->alias != NOBODY || t->is_shared) continue;
        memset(bits, 0, words * sizeof *bits);
        for (uint32_t k = t->n; k-- > 0;) {
            uint32_t term = s->terms[t->first + k];
            if (term >> 1 == TERM_EVERYBODY)
                plain_fill(bits, s->nodes.n_accounts);
            else if (term >> 1 >= TERM_FIRST)
                plain_put(bits, words, &trustees[(term >> 1) - TERM_FIRST], term & 1);
        }
        uint64_t n = plain_count(bits, words);
        if (n != t->image.count) {
            fprintf(stderr, "set %u: %llu against %u\n", i, (unsigned long long)n, t->image.count);
            exit(1);
        }
        total += n;
        n_sets++;
    }
    double took = now() - start;
    tell("plain_sets", (double)n_sets);
    tell("plain_members", (double)total);
    free(bits);
    return took;
}

static void run_plain(struct sets *s)
{
    struct plain *all = plain_trustees(s);
    tell("plain_s", plain_pass(s, all));
    for (uint32_t i = 0; i < s->n_trustees; i++) {
        free(all[i].numbers);
        free(all[i].bits);
    }
    free(all);
}

/* --- questions
 * ----------------------------------------------------------------------------------------------------------------
 */

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void tell_times(const char *name, double *took, size_t n)
{
    char text[64];
    qsort(took, n, sizeof *took, compare_doubles);
    snprintf(text, sizeof text, "%s_median_us", name);
    tell(text, took[n / 2] * 1e6);
    snprintf(text, sizeof text, "%s_p99_us", name);
    tell(text, took[n * 99 / 100] * 1e6);
}

static void ask_who(struct model *m, struct sets *s, enum access_rule rule, const char *name)
{
    enum { ASKED = 5000 };
    double *took = x_alloc(ASKED * sizeof *took);
    uint64_t n = 0;
    for (unsigned i = 0; i < ASKED; i++) {
        uint32_t object = below(m, s->world->n_objects);
        const struct variant *v = &s->variants[s->variant_of[object]];
        struct right r = s->rights[s->cells[v->first_cell + below(m, v->n_cells)].right];
        double start = now();
        n += sets_count(s, object, &r, rule);
        took[i] = now() - start;
    }
    tell_times(name, took, ASKED);
    if (!n) fprintf(stderr, "nobody can do anything\n");
    free(took);
}

static void ask_what(struct model *m, struct sets *s)
{
    enum { ASKED = 2000 };
    double *took = x_alloc(ASKED * sizeof *took), rights = 0, beyond = 0;
    for (unsigned i = 0; i < ASKED; i++) {
        struct sets_what *w;
        struct sets_what_count n;
        struct err e;
        uint32_t who = m->first_user + below(m, m->n_users);
        double start = now();
        if (sets_what_can(&w, s, who, ACCESS_WINDOWS, &e) < 0) exit(1);
        sets_what_count(&n, w);
        sets_what_free(w);
        took[i] = now() - start;
        rights += (double)n.n_rights;
        beyond += (double)n.n_beyond;
    }
    tell_times("what", took, ASKED);
    tell("what_rights", rights / ASKED);
    tell("what_beyond", beyond / ASKED);
    free(took);
}

/* --- changes
 * ----------------------------------------------------------------------------------------------------------------------
 */

/* 49 users join, 49 leave (drawn by membership, so from groups of all sizes), two groups are nested. */
static void change_memberships(struct model *m)
{
    struct fixture *f = &m->f;
    for (unsigned i = 0; i < 49; i++)
        fixture_member(f, m->first_user + below(m, m->n_users),
                       f->edges[below(m, (uint32_t)f->n_edges)].group);
    for (unsigned i = 0; i < 49;) {
        size_t at = below(m, (uint32_t)f->n_edges);
        if (f->edges[at].member < m->first_user || f->edges[at].member >= m->first_group) continue;
        memmove(f->edges + at, f->edges + at + 1, (f->n_edges - at - 1) * sizeof *f->edges);
        f->n_edges--;
        i++;
    }
    for (unsigned i = 0; i < 2; i++) fixture_member(f, m->first_group + below(m, m->n_groups), some_group(m));
}

static void compare_sets(struct sets *a, struct sets *b)
{
    if (a->n_sets != b->n_sets) exit(1);
    for (uint32_t i = 0; i < a->n_sets; i++) {
        if (!a->sets[i].is_kept) continue;
        const struct image *x = set_image(a, &a->sets[i]), *y = set_image(b, &b->sets[i]);
        if (x->count == y->count && x->n_bytes == y->n_bytes &&
            (!x->n_bytes || memcmp(x->bytes, y->bytes, x->n_bytes) == 0))
            continue;
        fprintf(stderr, "set %u differs after the update: %u against %u\n", i, x->count, y->count);
        exit(1);
    }
}

static void run_update(struct model *m, struct sets *s)
{
    struct err e;
    struct sets *anew;
    change_memberships(m);
    struct world *later = fixture_later(&m->f);
    double start = now();
    if (sets_update(s, later, &e) < 0) {
        fprintf(stderr, "update: %s\n", e.message);
        exit(1);
    }
    tell("update_s", now() - start);
    start = now();
    if (sets_build(&anew, later, &e) < 0) exit(1);
    tell("rebuild_s", now() - start);
    struct sets_stats n;
    sets_stats(&n, s);
    tell("update_changed_sets", (double)n.n_changed);
    compare_sets(s, anew);
    sets_free(anew);
    sets_free(s);
    fixture_drop(later);
}

static void run_file(struct sets *s, const char *file)
{
    struct err e;
    struct sets *again;
    double start = now();
    if (sets_write(s, file, &e) < 0) {
        fprintf(stderr, "write: %s\n", e.message);
        exit(1);
    }
    tell("write_s", now() - start);
    start = now();
    if (sets_open(&again, s->world, file, &e) < 0) exit(1);
    tell("open_s", now() - start);
    sets_free(again);
    unlink(file);
}

static void tell_stats(const struct sets *s)
{
    struct sets_stats n;
    sets_stats(&n, s);
    tell("accounts", n.n_accounts);
    tell("groups", n.n_groups);
    tell("trustees", n.n_trustees);
    tell("descriptors", n.n_descriptors);
    tell("rights", (double)n.n_rights);
    tell("typed", (double)n.n_typed);
    tell("sets", n.n_sets);
    tell("members", (double)n.n_members);
    tell("sets_mib", (double)n.bytes / 1048576);
}

int main(int argc, char **argv)
{
    unsigned long size[5] = {1000000, 200000, 10000000, 100000, 2000};
    for (int i = 1; i < argc && i <= 5; i++) size[i - 1] = strtoul(argv[i], NULL, 10);
    struct model m = {.f = fixture_new(1, schema_builtin()),
                      .n_users = (uint32_t)size[0],
                      .n_groups = (uint32_t)size[1],
                      .n_memberships = size[2],
                      .n_objects = (uint32_t)size[3],
                      .n_descriptors = (uint32_t)size[4],
                      .dice = 20260101};
    struct sets *s;
    struct err e;
    make_principals(&m);
    make_memberships(&m);
    make_objects(&m);
    fixture_finish(&m.f);
    tell("world_mib", (double)resident_kib("VmRSS") / 1024);
    double start = now();
    if (sets_build(&s, m.f.w, &e) < 0) return 1;
    tell("build_s", now() - start);
    tell("peak_mib", (double)resident_kib("VmHWM") / 1024);
    tell_stats(s);
    run_plain(s);
    ask_who(&m, s, ACCESS_WINDOWS, "who");
    ask_who(&m, s, ACCESS_DENY_WINS, "who_strict");
    ask_what(&m, s);
    if (getenv("BENCH_ACCESS_FILE")) run_file(s, getenv("BENCH_ACCESS_FILE"));
    run_update(&m, s);
    fixture_free(&m.f);
    return 0;
}
