#include "access/sets/sets_int.h"

#include <roaring/roaring.h>
#include <stdlib.h>
#include <sys/mman.h>

uint64_t sets_kept_max = (uint64_t)3 << 29;

/* --- expressions and their sets
 * ------------------------------------------------------------------------------ */

const struct image *trustee_image(struct sets *s, uint32_t trustee)
{
    struct trustee *t = &s->trustees[trustee];
    if (!t->is_unchecked) return &t->image;
    t->is_unchecked = false;
    if (image_hash(t->image.bytes, t->image.n_bytes) == t->hash &&
        image_is_sound(&t->image, s->nodes.n_accounts))
        return &t->image;
    struct scratch fresh = scratch_new(s->nodes.n_accounts),
                   mine = s->scratch; /* another may be under way in it */
    s->scratch = fresh;
    node_gather(s, t->node, t->connector);
    t->image = scratch_take(&s->scratch, &s->area);
    scratch_free(&s->scratch);
    s->scratch = mine;
    return &t->image;
}

const struct image *set_image(struct sets *s, struct set *t)
{
    if (t->alias != NOBODY) return trustee_image(s, t->alias);
    if (!t->is_unchecked) return &t->image;
    t->is_unchecked = false;
    if (image_hash(t->image.bytes, t->image.n_bytes) != t->hash ||
        !image_is_sound(&t->image, s->nodes.n_accounts))
        set_keep(s, t);
    return &t->image;
}

/* First match decides, so the last is put down first and whoever comes before it overrules it. */
void terms_evaluate(struct sets *s, const uint32_t *terms, uint32_t n, const struct image *self)
{
    for (uint32_t i = n; i-- > 0;) {
        uint32_t term = terms[i] >> 1;
        const struct image *who = term >= TERM_FIRST  ? trustee_image(s, term - TERM_FIRST)
                                  : term == TERM_SELF ? self
                                                      : NULL;
        if (term == TERM_EVERYBODY)
            scratch_fill(&s->scratch); /* a deny of everybody is in no expression: nothing follows it */
        else if (who && terms[i] & 1)
            scratch_andnot(&s->scratch, who);
        else if (who)
            scratch_or(&s->scratch, who);
    }
}

bool terms_decide(const struct sets *s, const uint32_t *terms, uint32_t n, bool is_self)
{
    for (uint32_t i = 0; i < n; i++) {
        uint32_t term = terms[i] >> 1;
        bool is_one = term >= TERM_FIRST  ? s->marks[term - TERM_FIRST] == s->mark
                      : term == TERM_SELF ? is_self
                                          : true;
        if (is_one) return !(terms[i] & 1);
    }
    return false;
}

/* Behind a trustee that is everybody nothing matters; *whole: it is the answer, since no deny stands before
 * it. */
static uint32_t cut_terms(struct sets *s, const uint32_t *terms, uint32_t n, const struct image **whole)
{
    bool has_deny = false;
    *whole = NULL;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t term = terms[i] >> 1;
        const struct image *who = term >= TERM_FIRST ? trustee_image(s, term - TERM_FIRST) : NULL;
        has_deny |= terms[i] & 1;
        if (!who || who->count != s->nodes.n_accounts) continue;
        if (!has_deny) *whole = who;
        return i + 1;
    }
    return n;
}

void set_keep(struct sets *s, struct set *t)
{
    const struct image *whole;
    if (t->alias != NOBODY) return;
    uint32_t n = cut_terms(s, s->terms + t->first, t->n, &whole);
    t->is_shared = whole != NULL;
    if (whole) {
        t->image = *whole;
        return;
    }
    terms_evaluate(s, s->terms + t->first, n, NULL);
    t->image = scratch_take(&s->scratch, &s->area);
}

/* --- tokens
 * ---------------------------------------------------------------------------------------------------- */

static void mark_node(struct sets *s, uint32_t connector, uint32_t node)
{
    uint32_t t = trustee_find(s, connector, node);
    if (t == NOBODY || s->marks[t] == s->mark) return;
    s->marks[t] = s->mark;
    s->marked[s->n_marked++] = t;
}

void sets_unmark(struct sets *s)
{
    s->n_marked = 0;
    if (++s->mark) return;
    memset(s->marks, 0, s->n_trustees * sizeof *s->marks);
    s->mark = 1;
}

void sets_mark(struct sets *s, const struct world *w, uint32_t principal, uint32_t connector)
{
    struct err ignored; /* of a principal that is not there */
    sets_unmark(s);
    if (world_token(&s->token, w, principal, connector, &ignored) < 0) return;
    for (uint32_t i = 0; i < s->token.n; i++) mark_node(s, connector, s->token.list[i]);
    for (size_t i = 0; i < s->token.n_history; i++) {
        uint32_t node = node_of_sid(&s->nodes, w, s->token.history[i]);
        if (node != NOBODY) mark_node(s, connector, node);
    }
}

/* --- building
 * ----------------------------------------------------------------------------------------------------- */

static void close_trustees(struct sets *s)
{
    for (uint32_t first = 0, last; first < s->n_trustees; first = last) {
        for (last = first;
             last < s->n_trustees && s->trustees[last].connector == s->trustees[first].connector; last++) {
        }
        trustees_close(s, first, last);
    }
}

struct sets *sets_new(const struct world *w)
{
    struct sets *s = x_zalloc(sizeof *s);
    s->world = w;
    s->first_group = w->first_group;
    s->groups_of = w->groups_of;
    nodes_read(&s->nodes, w);
    s->scratch = scratch_new(s->nodes.n_accounts);
    return s;
}

int sets_build(struct sets **out, const struct world *w, struct err *e)
{
    struct sets *s = sets_new(w);
    (void)e;
    sets_compile_variants(s);
    close_trustees(s);
    sets_compile_cells(s);
    sets_index(s);
    for (uint32_t i = 0; i < s->n_sets; i++)
        if (s->area.used > sets_kept_max)
            s->sets[i].is_kept = false; /* put together when it is asked for */
        else if (s->sets[i].is_kept)
            set_keep(s, &s->sets[i]);
    s->shape = world_shape(w);
    *out = s;
    return 0;
}

void sets_free(struct sets *s)
{
    if (!s) return;
    nodes_free(&s->nodes);
    free(s->trustees);
    free(s->rights);
    free(s->variants);
    free(s->cells);
    free(s->sets);
    free(s->terms);
    free(s->variant_of);
    free(s->first_object);
    free(s->objects);
    free(s->first_variant);
    free(s->variants_of);
    free(s->first_set);
    free(s->sets_of);
    free(s->marks);
    free(s->marked);
    free(s->selfish);
    area_free(&s->area);
    scratch_free(&s->scratch);
    world_token_free(&s->token);
    baseline_free(s->baseline[0]);
    baseline_free(s->baseline[1]);
    hmap_free(&s->by_terms);
    if (s->map) munmap(s->map, s->n_map);
    free(s);
}

/* --- accounts
 * -------------------------------------------------------------------------------------------------------- */

uint32_t sets_account(const struct sets *s, uint32_t principal)
{
    if (principal >= s->nodes.n || !is_account(&s->nodes, principal)) return NOBODY;
    return s->nodes.account[principal] & NODE_ACCOUNT;
}

uint32_t sets_principal(const struct sets *s, uint32_t account)
{
    return account < s->nodes.n_accounts ? s->nodes.principal[account] : NOBODY;
}

/* --- what it comes to
 * ---------------------------------------------------------------------------------------------------- */

static uint64_t beside(const struct sets *s)
{
    const struct world *w = s->world;
    uint64_t n = ((uint64_t)s->nodes.n + s->nodes.n_accounts + 2ull * w->n_objects + 3ull * s->n_trustees +
                  s->n_variants) *
                 sizeof(uint32_t);
    n += s->n_selfish * sizeof(struct selfish);
    n += s->n_trustees * sizeof(struct trustee) + s->n_variants * sizeof(struct variant) +
         s->n_cells * sizeof(struct cell);
    n += s->n_sets * sizeof(struct set) + s->n_terms * sizeof(uint32_t) + s->by_terms.n_slots * 24 +
         s->scratch.n / 8;
    return n + (s->first_variant ? s->first_variant[s->n_trustees] * sizeof(uint32_t) : 0);
}

void sets_stats(struct sets_stats *out, const struct sets *s)
{
    *out = (struct sets_stats){.n_accounts = s->nodes.n_accounts,
                               .n_trustees = s->n_trustees,
                               .n_descriptors = s->n_variants,
                               .n_rights = s->n_cells,
                               .n_typed = s->n_cells - (uint64_t)s->n_variants * N_BITS,
                               .bytes = s->area.held + s->n_map + beside(s),
                               .n_changed = s->n_changed};
    for (uint32_t i = 0; i < s->world->n_principals; i++)
        out->n_groups += s->world->principals[i].kind == KIND_group;
    for (uint32_t i = 0; i < s->n_sets; i++) {
        if (!s->sets[i].is_kept) continue;
        out->n_sets++;
        const struct set *t = &s->sets[i];
        out->n_members += t->alias != NOBODY ? s->trustees[t->alias].image.count : t->image.count;
    }
}
