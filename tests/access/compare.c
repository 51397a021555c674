/* compare.c - access/check.c against the slow evaluator and against Samba, on seeded random cases.
 *
 *     access-compare slow|builtin|samba|mutate CASES SEED
 * Prints one JSON object; what differs goes to standard error. Exit 1 if something differs that has no name.
 */
#include "cases.h"
#include "model/testing.h"
#include "samba.h"

#include <stdio.h>
#include <stdlib.h>

#define TOLD_MAX 5

static unsigned long n_bad;

static bool in_token(void *ctx, struct bytes sid)
{
    const struct slow_question *q = ctx;
    for (unsigned i = 0; i < q->n_sids; i++)
        if (bytes_equal(q->sids[i], sid)) return true;
    return false;
}

static struct access_verdict ask_engine(struct slow_question *q, const struct sd *sd)
{
    struct access_object o = {sd, q->self, q->schema, q->class};
    struct access_token t = {in_token, q};
    struct access_verdict v;
    access_check(&v, &o, &t, &q->right, q->rule);
    return v;
}

static void tell(const struct cases *c, const char *what, const struct access_verdict *mine, const struct access_verdict *theirs)
{
    if (++n_bad > TOLD_MAX) return;
    struct buf text = buf_new(1 << 20);
    cases_tell(c, &text);
    fprintf(stderr, "%s: %.*s", what, STR_FMT(buf_str(&text)));
    const struct access_verdict *both[] = {mine, theirs};
    for (unsigned i = 0; i < 2; i++)
        fprintf(stderr, "  %s: allowed %d, reason %d, ace %u, conditional %d, unknown %u\n", i ? "other" : "engine", both[i]->is_allowed,
                (int)both[i]->reason, both[i]->ace, both[i]->is_conditional, both[i]->n_unknown);
    buf_free(&text);
}

static bool same(const struct access_verdict *a, const struct access_verdict *b)
{
    return a->is_allowed == b->is_allowed && a->reason == b->reason && (a->reason != ACCESS_BY_ACE || a->ace == b->ace) &&
           a->is_conditional == b->is_conditional && a->n_unknown == b->n_unknown;
}

struct counts {
    unsigned long cases, descriptors, allowed, by_reason[4], conditional, refused, different, quirks[QUIRKS], several;
};

static void count(struct counts *n, const struct access_verdict *v)
{
    n->cases++;
    n->allowed += v->is_allowed;
    n->by_reason[v->reason]++;
    n->conditional += v->is_conditional;
}

/* --- the slow evaluator ------------------------------------------------------------------------------- */

static void ask_both(struct cases *c, struct counts *n, const struct slow_sd *slow, const struct sd *sd, unsigned questions)
{
    while (questions--) {
        struct access_verdict mine, theirs;
        cases_next_question(c);
        mine = ask_engine(&c->q, sd);
        slow_check(&theirs, slow, &c->q);
        count(n, &mine);
        if (!same(&mine, &theirs)) tell(c, "differs from the slow evaluator", &mine, &theirs);
    }
}

static void compare_slow(struct cases *c, struct counts *n, unsigned long wanted)
{
    while (n->cases < wanted) {
        struct sd sd;
        struct err e;
        struct slow_place where;
        cases_next_sd(c);
        struct slow_sd *slow = slow_read(c->q.sd, &where);
        if (!slow || sd_decode(&sd, c->q.sd, &e) < 0 || !slow_same(slow, &sd)) abort();
        n->descriptors++;
        ask_both(c, n, slow, &sd, 10);
        slow_free(slow);
    }
}

/* --- mutated descriptors ------------------------------------------------------------------------------ */

/* The place in the decoder's words. */
static bool is_place(const char *message, const struct slow_place *p)
{
    static const char *const places[] = {[SLOW_OWNER] = "owner: ", [SLOW_GROUP] = "group: ", [SLOW_DACL] = "DACL: "};
    struct str m = str_from(message);
    char text[32];
    if (!str_starts(m, STR("security descriptor: "))) return false;
    m = (struct str){m.ptr + 21, m.len - 21};
    if (p->what == SLOW_HEADER) return !str_starts(m, STR("owner")) && !str_starts(m, STR("group")) && !str_starts(m, STR("DACL"));
    snprintf(text, sizeof text, "DACL, ACE %u of ", p->ace);
    return str_starts(m, str_from(p->what == SLOW_ACE ? text : places[p->what]));
}

/* Offsets, sizes, counts, SIDs, flags: where they are, and anywhere. */
static void mutate(struct cases *c, struct buf *out, struct bytes in)
{
    static const uint8_t fields[] = {0, 2, 3, 4, 5, 8, 9, 16, 17, 20, 21, 48, 49, 50, 51, 56, 57, 60, 61, 64, 66, 68, 69, 76, 80, 90, 100, 110, 120};
    buf_clear(out);
    if (test_below(&c->seed, 3) == 0)
        test_mutate(out, in, &c->seed);
    else
        buf_add_bytes(out, in);
    for (unsigned n = 1 + test_below(&c->seed, 2); n && out->len; n--) {
        size_t at = fields[test_below(&c->seed, sizeof fields)];
        if (at < out->len) out->ptr[at] = (uint8_t)(test_below(&c->seed, 2) ? test_random(&c->seed) : test_below(&c->seed, 40));
    }
}

static void compare_mutant(struct cases *c, struct counts *n)
{
    struct sd sd;
    struct err e;
    struct slow_place where;
    struct access_verdict none = {0};
    struct slow_sd *slow = slow_read(c->q.sd, &where);
    bool is_read = sd_decode(&sd, c->q.sd, &e) == 0;
    n->descriptors++;
    n->refused += !is_read;
    if (is_read != (slow != NULL) || (is_read && !slow_same(slow, &sd)))
        tell(c, "decoded otherwise", &none, &none);
    else if (!is_read && !is_place(e.message, &where))
        tell(c, "refused at another place", &none, &none);
    else if (is_read)
        ask_both(c, n, slow, &sd, 3);
    slow_free(slow);
}

static void compare_mutated(struct cases *c, struct counts *n, unsigned long wanted)
{
    struct buf mutant = buf_new(1 << 20);
    while (n->descriptors < wanted) {
        cases_next_sd(c);
        for (unsigned i = 0; i < 8; i++) {
            mutate(c, &mutant, buf_bytes(&c->sd));
            /* in memory of exactly its size: a sanitizer sees a byte too far */
            uint8_t *exact = x_alloc(mutant.len + !mutant.len);
            if (mutant.len) memcpy(exact, mutant.ptr, mutant.len);
            c->q.sd = (struct bytes){exact, mutant.len};
            compare_mutant(c, n);
            free(exact);
        }
    }
    buf_free(&mutant);
}

/* --- Samba -------------------------------------------------------------------------------------------- */

static const char *const quirk_names[QUIRKS] = {"owner_rights", "no_dacl", "any_control", "any_node", "raw_mask", "plain_owner", "no_block"};

/* What the slow evaluator says with these quirks. */
static bool with_quirks(const struct cases *c, const struct slow_sd *slow, unsigned quirks)
{
    struct slow_question q = c->q;
    struct access_verdict v;
    q.quirks = quirks;
    slow_check(&v, slow, &q);
    return v.is_allowed;
}

/* Samba must answer as the slow evaluator does with all its quirks, and the engine as that does with none; the quirks that alone turn the
 * one answer into the other are why they differ. */
static void explain(struct cases *c, struct counts *n, const struct slow_sd *slow, const struct access_verdict *mine, bool theirs)
{
    struct access_verdict samba = {.is_allowed = theirs};
    unsigned reasons = 0;
    if (with_quirks(c, slow, (1u << QUIRKS) - 1) != theirs || with_quirks(c, slow, 0) != mine->is_allowed) {
        tell(c, "Samba differs for no known reason", mine, &samba);
        return;
    }
    if (mine->is_allowed == theirs) return;
    for (unsigned i = 0; i < QUIRKS; i++) {
        if (with_quirks(c, slow, 1u << i) != theirs) continue;
        n->quirks[i]++;
        reasons++;
    }
    n->several += !reasons;
    n->different++;
}

static void compare_samba(struct cases *c, struct counts *n, unsigned long wanted)
{
    while (n->cases < wanted) {
        struct sd sd;
        struct err e;
        struct slow_place where;
        cases_next_sd(c);
        if (!c->q.schema) continue;
        struct slow_sd *slow = slow_read(c->q.sd, &where);
        if (!slow || sd_decode(&sd, c->q.sd, &e) < 0) abort();
        n->descriptors++;
        for (unsigned i = 0; i < 10; i++) {
            cases_next_question(c);
            struct access_verdict mine = ask_engine(&c->q, &sd);
            int theirs = samba_check(&c->q);
            count(n, &mine);
            n->refused += theirs < 0;
            if (theirs >= 0) explain(c, n, slow, &mine, theirs);
        }
        slow_free(slow);
    }
}

static void print(const struct counts *n)
{
    printf("{\"cases\":%lu,\"descriptors\":%lu,\"allowed\":%lu,\"no_ace\":%lu,\"by_ace\":%lu,\"null_dacl\":%lu,\"implicit_owner\":%lu,"
           "\"conditional\":%lu,\"refused\":%lu,\"unexplained\":%lu,\"different\":%lu,\"several\":%lu",
           n->cases, n->descriptors, n->allowed, n->by_reason[0], n->by_reason[1], n->by_reason[2], n->by_reason[3], n->conditional, n->refused,
           n_bad, n->different, n->several);
    for (unsigned i = 0; i < QUIRKS; i++) printf(",\"%s\":%lu", quirk_names[i], n->quirks[i]);
    printf("}\n");
}

int main(int argc, char **argv)
{
    if (argc != 4) return fprintf(stderr, "usage: access-compare slow|builtin|samba|mutate CASES SEED\n"), 2;
    struct str how = str_from(argv[1]);
    unsigned long wanted = strtoul(argv[2], NULL, 10);
    bool for_samba = str_equal(how, STR("samba"));
    struct counts n = {0};
    struct cases c;
    const char *why = for_samba ? samba_open() : NULL;
    if (why) return fprintf(stderr, "%s\n", why), 77;
    cases_open(&c, strtoul(argv[3], NULL, 10), for_samba);
    c.is_builtin = str_equal(how, STR("builtin"));
    if (for_samba)
        compare_samba(&c, &n, wanted);
    else if (str_equal(how, STR("mutate")))
        compare_mutated(&c, &n, wanted);
    else
        compare_slow(&c, &n, wanted);
    cases_close(&c);
    print(&n);
    return n_bad ? 1 : 0;
}
