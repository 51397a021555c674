/* sets_what.c - what can one principal: what most accounts can, and the variants in whose terms it is unlike
 * them. */
#include "access/sets/sets_int.h"

#include <stdlib.h>

struct row {
    uint32_t bits;
    size_t first, n; /* typed rights */
};
struct rows {
    struct row *list;
    struct right *typed;
    uint32_t n, cap;
    size_t n_typed, cap_typed;
};
/* Two rows for each variant: what every account has; and what those have that are in all common trustees
 * (more than half of the accounts are in them), from which most others differ in little. */
struct baseline {
    struct rows every, usual;
    uint8_t *is_plain; /* by variant: the usual is what every account has */
    uint32_t *common, n_common;
};
struct own_row {
    uint32_t object, row;
};
struct sets_what {
    struct sets *s;
    const struct baseline *base;
    struct rows rows;
    uint32_t *row_of;    /* of a variant: + 1; 0: the usual one */
    struct own_row *own; /* objects that are SELF for it; ascending */
    size_t n_own, cap_own;
    uint8_t *seen; /* variants, one bit each */
    enum access_rule rule;
    uint32_t principal;
    bool is_account;
};

static void free_rows(struct rows *r)
{
    free(r->list);
    free(r->typed);
}

void baseline_free(struct baseline *b)
{
    if (!b) return;
    free_rows(&b->every);
    free_rows(&b->usual);
    free(b->is_plain);
    free(b->common);
    free(b);
}

/* --- one row
 * -------------------------------------------------------------------------------------------------- */

static bool same_row(const struct rows *a, const struct row *x, const struct rows *b, const struct row *y)
{
    return x->bits == y->bits && x->n == y->n &&
           (!x->n || memcmp(a->typed + x->first, b->typed + y->first, x->n * sizeof *a->typed) == 0);
}

static void put_right(struct rows *out, struct row *row, const struct right *r)
{
    if (!r->is_typed) {
        row->bits |= r->bit;
        return;
    }
    if (row->bits & r->bit) return;
    GROW(out->typed, out->n_typed, out->cap_typed, 64);
    memset(&out->typed[out->n_typed], 0, sizeof *out->typed); /* compared as bytes */
    out->typed[out->n_typed].bit = r->bit;
    out->typed[out->n_typed].is_typed = true;
    memcpy(out->typed[out->n_typed].guid, r->guid, sizeof r->guid);
    out->n_typed++;
    row->n++;
}

static struct row *new_row(struct rows *out)
{
    GROW(out->list, out->n, out->cap, 64);
    out->list[out->n] = (struct row){.first = out->n_typed};
    return &out->list[out->n++];
}

/* Of the marked trustees and an account. */
static void decide_row(struct rows *out, const struct sets *s, uint32_t variant, enum access_rule rule,
                       bool is_self)
{
    const struct variant *v = &s->variants[variant];
    struct row *row = new_row(out);
    for (uint32_t i = 0; i < v->n_cells; i++) {
        const struct cell *c = &s->cells[v->first_cell + i];
        const struct set *t = &s->sets[rule == ACCESS_WINDOWS ? c->set : c->strict];
        if (terms_decide(s, s->terms + t->first, t->n, is_self)) put_right(out, row, &s->rights[c->right]);
    }
}

/* Of a group, whose token lacks what every account has: asked one by one. */
static void check_row(struct rows *out, struct sets *s, uint32_t variant, enum access_rule rule,
                      struct bytes self)
{
    const struct variant *v = &s->variants[variant];
    const struct world *w = s->world;
    struct access_object o = {&w->descriptors[v->descriptor].sd, self, w->connectors[v->connector].schema,
                              v->class};
    struct access_token token;
    struct row *row = new_row(out);
    world_token_open(&token, &s->token, w);
    for (uint32_t i = 0; i < v->n_cells; i++) {
        const struct right *r = &s->rights[s->cells[v->first_cell + i].right];
        struct access_verdict verdict;
        access_check(&verdict, &o, &token, r, rule);
        if (verdict.is_allowed) put_right(out, row, r);
    }
}

/* Marks the trustees that more than `beyond` accounts are in. */
static void mark_common(struct sets *s, uint32_t beyond)
{
    sets_unmark(s);
    for (uint32_t i = 0; i < s->n_trustees; i++) {
        if (s->trustees[i].image.count <= beyond) continue;
        s->marks[i] = s->mark;
        s->marked[s->n_marked++] = i;
    }
}

static const struct baseline *baseline_of(struct sets *s, enum access_rule rule)
{
    struct baseline **at = &s->baseline[rule == ACCESS_WINDOWS ? 0 : 1], *b = *at;
    if (b) return b;
    *at = b = x_zalloc(sizeof *b);
    if (s->nodes.n_accounts) mark_common(s, s->nodes.n_accounts - 1);
    for (uint32_t i = 0; i < s->n_variants; i++) decide_row(&b->every, s, i, rule, false);
    mark_common(s, s->nodes.n_accounts / 2);
    for (uint32_t i = 0; i < s->n_variants; i++) decide_row(&b->usual, s, i, rule, false);
    b->is_plain = x_zalloc(s->n_variants + (size_t)1);
    for (uint32_t i = 0; i < s->n_variants; i++)
        b->is_plain[i] = same_row(&b->every, &b->every.list[i], &b->usual, &b->usual.list[i]);
    b->n_common = s->n_marked;
    b->common = x_alloc((b->n_common + (size_t)1) * sizeof *b->common);
    memcpy(b->common, s->marked, b->n_common * sizeof *b->common);
    return b;
}

/* --- all rows of one principal
 * ---------------------------------------------------------------------------------- */

static void take_row(struct sets_what *w, uint32_t variant)
{
    struct rows *r = &w->rows;
    if (same_row(r, &r->list[r->n - 1], &w->base->usual, &w->base->usual.list[variant])) {
        r->n_typed = r->list[--r->n].first;
        return;
    }
    w->row_of[variant] = r->n;
}

static void take_variants_of(struct sets_what *w, uint32_t trustee)
{
    struct sets *s = w->s;
    for (uint32_t k = s->first_variant[trustee]; k < s->first_variant[trustee + 1]; k++) {
        uint32_t variant = s->variants_of[k];
        if (w->seen[variant / 8] >> variant % 8 & 1) continue;
        w->seen[variant / 8] |= (uint8_t)(1 << variant % 8);
        decide_row(&w->rows, s, variant, w->rule, false);
        take_row(w, variant);
    }
}

static bool is_common(const struct sets *s, uint32_t trustee)
{
    return s->trustees[trustee].image.count > s->nodes.n_accounts / 2;
}

/* The variants that name who is in its token and uncommon, or common and not in its token. */
static void take_touched(struct sets_what *w, uint32_t connector)
{
    struct sets *s = w->s;
    for (uint32_t i = 0; i < s->n_marked; i++)
        if (!is_common(s, s->marked[i])) take_variants_of(w, s->marked[i]);
    for (uint32_t i = 0; i < w->base->n_common; i++) {
        uint32_t t = w->base->common[i];
        if (s->trustees[t].connector == connector && s->marks[t] != s->mark) take_variants_of(w, t);
    }
}

static void take_checked(struct sets_what *w, uint32_t connector)
{
    for (uint32_t i = 0; i < w->s->n_variants; i++) {
        if (w->s->variants[i].connector != connector) continue;
        check_row(&w->rows, w->s, i, w->rule, (struct bytes){0});
        take_row(w, i);
    }
}

static void take_self(struct sets_what *w, uint32_t connector)
{
    struct sets *s = w->s;
    for (uint32_t i = 0; i < s->token.n; i++) {
        uint32_t node = s->token.list[i];
        size_t k;
        LOWER_BOUND(k, s->n_selfish, s->selfish[k].node < node);
        for (; k < s->n_selfish && s->selfish[k].node == node; k++) {
            uint32_t object = s->selfish[k].object, variant = s->variant_of[object];
            if (s->variants[variant].connector != connector) continue;
            if (w->is_account)
                decide_row(&w->rows, s, variant, w->rule, true);
            else
                check_row(&w->rows, s, variant, w->rule, s->world->principals[node].sid);
            GROW(w->own, w->n_own, w->cap_own, 16);
            w->own[w->n_own++] = (struct own_row){object, w->rows.n - 1};
        }
    }
}

static int compare_own(const void *a, const void *b)
{
    uint32_t x = ((const struct own_row *)a)->object, y = ((const struct own_row *)b)->object;
    return COMPARE(x, y);
}

int sets_what_can(struct sets_what **out, struct sets *s, uint32_t principal, enum access_rule rule,
                  struct err *e)
{
    if (principal >= s->world->n_principals)
        return err_set(e, ERR_BUG, "there is no principal %u", principal);
    struct sets_what *w = x_zalloc(sizeof *w);
    *w = (struct sets_what){
        .s = s, .rule = rule, .principal = principal, .is_account = sets_account(s, principal) != NOBODY};
    w->base = baseline_of(s, rule);
    w->row_of = x_zalloc((s->n_variants + (size_t)1) * sizeof *w->row_of);
    w->seen = x_zalloc(s->n_variants / 8 + (size_t)1);
    for (uint32_t c = 0; c < s->world->n_connectors; c++) {
        sets_mark(s, s->world, principal, c);
        if (w->is_account)
            take_touched(w, c);
        else
            take_checked(w, c);
        take_self(w, c);
    }
    if (w->n_own) qsort(w->own, w->n_own, sizeof *w->own, compare_own);
    *out = w;
    return 0;
}

void sets_what_free(struct sets_what *w)
{
    if (!w) return;
    free_rows(&w->rows);
    free(w->row_of);
    free(w->seen);
    free(w->own);
    free(w);
}

/* --- telling
 * -------------------------------------------------------------------------------------------------------- */

static void tell_row(struct sets_granted *g, const struct rows *from, const struct row *row, bool is_baseline)
{
    *g = (struct sets_granted){row->bits, row->n ? from->typed + row->first : NULL, row->n, is_baseline};
}

static bool is_every(const struct sets_what *w, const struct row *row, uint32_t variant)
{
    return same_row(&w->rows, row, &w->base->every, &w->base->every.list[variant]);
}

static void tell_variant(const struct sets_what *w, uint32_t variant, struct sets_granted *g)
{
    const struct row *row = w->row_of[variant] ? &w->rows.list[w->row_of[variant] - 1] : NULL;
    if (row)
        tell_row(g, &w->rows, row, is_every(w, row, variant));
    else
        tell_row(g, &w->base->usual, &w->base->usual.list[variant], w->base->is_plain[variant]);
}

static void tell_own(const struct sets_what *w, const struct own_row *own, struct sets_granted *g)
{
    const struct row *row = &w->rows.list[own->row];
    tell_row(g, &w->rows, row, is_every(w, row, w->s->variant_of[own->object]));
}

static const struct own_row *find_own(const struct sets_what *w, uint32_t object)
{
    struct own_row key = {object, 0};
    return w->n_own ? bsearch(&key, w->own, w->n_own, sizeof *w->own, compare_own) : NULL;
}

void sets_what_object(const struct sets_what *w, uint32_t object, struct sets_granted *out)
{
    *out = (struct sets_granted){.is_baseline = true};
    if (object >= w->s->world->n_objects || w->s->variant_of[object] == NOBODY) return;
    const struct own_row *own = find_own(w, object);
    if (own)
        tell_own(w, own, out);
    else
        tell_variant(w, w->s->variant_of[object], out);
}

static void add_count(struct sets_what_count *out, const struct sets_granted *g, uint64_t n)
{
    uint64_t rights = (uint64_t)__builtin_popcount(g->bits) + g->n_typed;
    if (rights) out->n_objects += n;
    out->n_rights += rights * n;
    if (!g->is_baseline) out->n_beyond += n;
}

void sets_what_count(struct sets_what_count *out, const struct sets_what *w)
{
    struct sets_granted g;
    *out = (struct sets_what_count){0};
    for (uint32_t i = 0; i < w->s->n_variants; i++) {
        tell_variant(w, i, &g);
        add_count(out, &g, w->s->first_object[i + 1] - w->s->first_object[i]);
    }
    for (size_t i = 0; i < w->n_own; i++) {
        tell_variant(w, w->s->variant_of[w->own[i].object], &g);
        add_count(out, &g, (uint64_t)-1); /* one less */
        tell_own(w, &w->own[i], &g);
        add_count(out, &g, 1);
    }
}

static bool tell(const struct sets_granted *g, bool only_beyond,
                 bool (*each)(void *ctx, uint32_t object, const struct sets_granted *g), void *ctx,
                 uint32_t object)
{
    if ((only_beyond && g->is_baseline) || (!g->bits && !g->n_typed)) return true;
    return each(ctx, object, g);
}

void sets_what_stream(const struct sets_what *w, bool only_beyond,
                      bool (*each)(void *ctx, uint32_t object, const struct sets_granted *g), void *ctx)
{
    const struct sets *s = w->s;
    for (uint32_t v = 0; v < s->n_variants; v++) {
        struct sets_granted g, other;
        tell_variant(w, v, &g);
        bool may_skip =
            !s->variants[v].has_self && ((only_beyond && g.is_baseline) || (!g.bits && !g.n_typed));
        for (uint32_t k = s->first_object[v]; k < s->first_object[v + 1] && !may_skip; k++) {
            const struct own_row *own = s->variants[v].has_self ? find_own(w, s->objects[k]) : NULL;
            if (own) tell_own(w, own, &other);
            if (!tell(own ? &other : &g, only_beyond, each, ctx, s->objects[k])) return;
        }
    }
}
