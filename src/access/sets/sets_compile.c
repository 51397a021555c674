/* sets_compile.c - from access control lists to expressions: variants of objects, their rights, who decides
 * what in which order.
 *
 * What an ACE says is asked of check.h alone (access_ace_speaks, access_trustee_kind,
 * access_has_owner_rights); here is only for whom, and what cannot change an answer is left out: a trustee
 * that has spoken already, whatever comes behind Everyone, denies behind the last allow.
 */
#include "access/sets/sets_int.h"

#include <stdlib.h>

struct spoken { /* an ACE that can have an effect */
    struct ace ace;
    uint32_t mask;
    uint32_t term; /* trustee; NOBODY: nobody can be it */
};
/* A descriptor as one connector reads it. */
struct reading {
    const struct sd *sd;
    uint32_t connector;
    struct spoken *aces;
    uint32_t n, cap;
    uint32_t owner; /* term of the implicit rights; NOBODY: none */
    bool has_types, has_self;
};
struct compiling {
    struct sets *s;
    struct reading reading;
    uint32_t *stamps, stamp; /* of terms, against repetition */
    struct expression x, strict;
    struct hmap rights;
    uint32_t cap_rights, cap_sets;
    size_t cap_cells, cap_terms;
};

static const uint32_t bits[N_BITS] = {
#define X(name, bit) bit,
    RIGHTS(X)
#undef X
};

/* --- whom a SID stands for
 * ---------------------------------------------------------------------------------- */

/* The node; TERM_EVERYBODY, TERM_SELF (as terms); NOBODY. `is_node` says which. */
static uint32_t whom(const struct sets *s, struct bytes sid, bool *is_node)
{
    enum access_trustee kind = sid.len ? access_trustee_kind(sid) : TRUSTEE_NOBODY;
    *is_node = false;
    if (kind == TRUSTEE_SELF) return TERM_SELF;
    if (kind != TRUSTEE_SID) return NOBODY;
    uint32_t node = node_of_sid(&s->nodes, s->world, sid);
    if (node != NOBODY && node < s->world->n_principals && world_is_implicit(s->world, node)) return TERM_EVERYBODY;
    *is_node = node != NOBODY;
    return node;
}

static uint32_t whom_ace(const struct sets *s, const struct sd *sd, const struct ace *a, bool *is_node)
{
    bool is_owner = a->trustee.len && access_trustee_kind(a->trustee) == TRUSTEE_OWNER;
    return whom(s, is_owner ? sd->owner : a->trustee, is_node);
}

static uint32_t term_of(const struct sets *s, uint32_t connector, uint32_t who, bool is_node)
{
    if (!is_node) return who;
    uint32_t t = trustee_find(s, connector, who);
    return t == NOBODY ? NOBODY : t + TERM_FIRST;
}

/* --- reading a descriptor
 * --------------------------------------------------------------------------------------- */

static void read_descriptor(struct reading *r, const struct sets *s, uint32_t descriptor, uint32_t connector)
{
    const struct sd *sd = &s->world->descriptors[descriptor].sd;
    struct bytes rest = sd->dacl;
    bool is_node;
    *r = (struct reading){.sd = sd, .connector = connector, .aces = r->aces, .cap = r->cap, .owner = NOBODY};
    if (!access_has_owner_rights(sd)) {
        uint32_t who = whom(s, sd->owner, &is_node);
        r->owner = term_of(s, connector, who, is_node);
    }
    r->has_self = r->owner == TERM_SELF;
    for (struct ace a; sd_next_ace(&rest, &a);) {
        if (a.flags & ACE_INHERIT_ONLY || !a.trustee.len) continue;
        uint32_t who = whom_ace(s, sd, &a, &is_node);
        GROW(r->aces, r->n, r->cap, 64);
        r->aces[r->n++] = (struct spoken){a, rights_map_generic(a.mask), term_of(s, connector, who, is_node)};
        r->has_types |= a.object_type != NULL;
        r->has_self |= who == TERM_SELF && !is_node;
    }
}

/* --- variants
 * ------------------------------------------------------------------------------------------------------ */

static bool has_types(const struct sd *sd)
{
    struct bytes rest = sd->dacl;
    for (struct ace a; sd_next_ace(&rest, &a);)
        if (a.object_type) return true;
    return false;
}

/* Without typed ACEs the class has no say. */
static void take_variants(struct sets *s)
{
    const struct world *w = s->world;
    struct hmap seen = {0};
    uint32_t cap = 0;
    uint8_t *typed = x_zalloc(w->n_descriptors + (size_t)1); /* 1 no, 2 yes */
    for (uint32_t i = 0; i < w->n_objects; i++) {
        const struct object *o = &w->objects[i];
        bool is_new;
        s->variant_of[i] = NOBODY;
        if (o->descriptor == NOBODY || w->descriptors[o->descriptor].is_malformed) continue;
        if (!typed[o->descriptor])
            typed[o->descriptor] = has_types(&w->descriptors[o->descriptor].sd) ? 2 : 1;
        uint32_t key[3] = {o->connector, o->descriptor, typed[o->descriptor] == 2 ? o->class : SCHEMA_NONE};
        uint32_t *at =
            hmap_put(&seen, hash128_fast(BYTES_OF(key)), &is_new);
        if (is_new) {
            GROW(s->variants, s->n_variants, cap, 256);
            *at = s->n_variants;
            s->variants[s->n_variants++] =
                (struct variant){.connector = key[0], .descriptor = key[1], .class = o->class};
        }
        s->variant_of[i] = *at;
    }
    hmap_free(&seen);
    free(typed);
}

static int compare_trustees(const void *a, const void *b)
{
    const struct trustee *x = a, *y = b;
    int d = COMPARE(x->connector, y->connector);
    return d ? d : COMPARE(x->node, y->node);
}

static void add_trustee(struct sets *s, uint32_t *cap, uint32_t connector, uint32_t node)
{
    GROW(s->trustees, s->n_trustees, *cap, 1024);
    s->trustees[s->n_trustees++] = (struct trustee){.connector = connector, .node = node};
}

static void take_trustees(struct sets *s)
{
    uint32_t cap = 0, kept = 0;
    bool is_node;
    for (uint32_t i = 0; i < s->n_variants; i++) {
        const struct variant *v = &s->variants[i];
        const struct sd *sd = &s->world->descriptors[v->descriptor].sd;
        struct bytes rest = sd->dacl;
        uint32_t who = whom(s, sd->owner, &is_node);
        if (is_node) add_trustee(s, &cap, v->connector, who);
        for (struct ace a; sd_next_ace(&rest, &a);) {
            if (a.flags & ACE_INHERIT_ONLY) continue;
            who = whom_ace(s, sd, &a, &is_node);
            if (is_node) add_trustee(s, &cap, v->connector, who);
        }
    }
    if (s->n_trustees) qsort(s->trustees, s->n_trustees, sizeof *s->trustees, compare_trustees);
    for (uint32_t i = 0; i < s->n_trustees; i++)
        if (!kept || compare_trustees(&s->trustees[kept - 1], &s->trustees[i]) != 0)
            s->trustees[kept++] = s->trustees[i];
    s->n_trustees = kept;
}

void sets_compile_variants(struct sets *s)
{
    s->variant_of = x_alloc((s->world->n_objects + (size_t)1) * sizeof *s->variant_of);
    take_variants(s);
    take_trustees(s);
}

/* --- one expression
 * ------------------------------------------------------------------------------------------------- */

static void sort_terms(uint32_t *t, uint32_t n)
{
    if (n > 16) {
        qsort(t, n, sizeof *t, u32_compare);
        return;
    }
    for (uint32_t i = 1; i < n; i++) {
        uint32_t v = t[i], k = i;
        for (; k && t[k - 1] > v; k--) t[k] = t[k - 1];
        t[k] = v;
    }
}

/* Neighbours of one voice may stand in any order: ascending, so that equal expressions look equal. Allows
 * just before Everyone's say nothing that it does not. */
static void settle(struct expression *x)
{
    while (x->n && x->terms[x->n - 1] & 1) x->n--;
    if (x->n && x->terms[x->n - 1] == TERM(TERM_EVERYBODY, false)) {
        while (x->n > 1 && !(x->terms[x->n - 2] & 1)) x->n--;
        x->terms[x->n - 1] = TERM(TERM_EVERYBODY, false);
    }
    x->has_self = false;
    for (uint32_t i = 0, end; i < x->n; i = end) {
        for (end = i; end < x->n && (x->terms[end] & 1) == (x->terms[i] & 1); end++)
            x->has_self |= x->terms[end] >> 1 == TERM_SELF;
        sort_terms(x->terms + i, end - i);
    }
}

/* False once everybody has been told. */
static bool say(struct compiling *c, struct expression *x, uint32_t term, bool is_deny)
{
    if (term == NOBODY || c->stamps[term] == c->stamp) return true;
    c->stamps[term] = c->stamp;
    GROW(x->terms, x->n, x->cap, 32);
    x->terms[x->n++] = TERM(term, is_deny);
    return term != TERM_EVERYBODY;
}

static bool say_aces(struct compiling *c, struct expression *x, const enum access_speech *speech, bool allows,
                     bool denies)
{
    const struct reading *r = &c->reading;
    for (uint32_t i = 0; i < r->n; i++) {
        if (speech[i] == ACE_MAY_ALLOW || speech[i] == ACE_MAY_DENY) x->is_conditional = true;
        if ((speech[i] == ACE_ALLOWS && allows) || (speech[i] == ACE_DENIES && denies))
            if (!say(c, x, r->aces[i].term, speech[i] == ACE_DENIES)) return false;
    }
    return true;
}

static void say_all(struct compiling *c, struct expression *x, const struct right *r,
                    const enum access_speech *speech, enum access_rule rule)
{
    const struct reading *from = &c->reading;
    x->n = 0;
    x->is_conditional = false;
    c->stamp++;
    if (!from->sd->has_dacl || from->sd->is_null_dacl)
        say(c, x, TERM_EVERYBODY, false);
    else {
        bool goes_on = !(r->bit & (RIGHT_READ_CONTROL | RIGHT_WRITE_DAC)) || say(c, x, from->owner, false);
        if (goes_on && rule == ACCESS_WINDOWS) say_aces(c, x, speech, true, true);
        if (goes_on && rule == ACCESS_DENY_WINS && say_aces(c, x, speech, false, true))
            say_aces(c, x, speech, true, false);
    }
    settle(x);
}

static struct access_object object_of(const struct sets *s, const struct variant *v)
{
    return (struct access_object){.sd = &s->world->descriptors[v->descriptor].sd,
                                  .schema = s->world->connectors[v->connector].schema,
                                  .class = v->class};
}

static enum access_speech *speeches(struct compiling *c, const struct variant *v, const struct right *r,
                                    enum access_speech *out)
{
    struct access_object o = object_of(c->s, v);
    for (uint32_t i = 0; i < c->reading.n; i++) {
        const struct spoken *a = &c->reading.aces[i];
        out[i] = a->mask & r->bit ? access_ace_speaks(&a->ace, &o, r) : ACE_SILENT;
    }
    return out;
}

/* --- sets
 * --------------------------------------------------------------------------------------------------------------
 */

static struct hash128 terms_key(const uint32_t *terms, uint32_t n)
{
    return hash128_fast((struct bytes){(const uint8_t *)terms, n * sizeof *terms});
}

static uint32_t take_set(struct compiling *c, const struct expression *x)
{
    struct sets *s = c->s;
    bool is_new;
    uint32_t *at = hmap_put(&s->by_terms, terms_key(x->terms, x->n), &is_new);
    if (!is_new) return *at;
    *at = s->n_sets;
    while (s->n_terms + x->n > c->cap_terms) {
        c->cap_terms = c->cap_terms ? c->cap_terms * 2 : 4096;
        s->terms = x_realloc(s->terms, c->cap_terms * sizeof *s->terms);
    }
    if (x->n) memcpy(s->terms + s->n_terms, x->terms, x->n * sizeof *x->terms);
    bool is_alias = x->n == 1 && x->terms[0] >> 1 >= TERM_FIRST;
    GROW(s->sets, s->n_sets, c->cap_sets, 1024);
    s->sets[s->n_sets] = (struct set){.first = (uint32_t)s->n_terms,
                                      .n = x->n,
                                      .has_self = x->has_self,
                                      .alias = is_alias ? (x->terms[0] >> 1) - TERM_FIRST : NOBODY};
    s->n_terms += x->n;
    return s->n_sets++;
}

static uint32_t take_right(struct compiling *c, const struct right *r)
{
    struct sets *s = c->s;
    uint8_t key[21] = {r->is_typed};
    bool is_new;
    memcpy(key + 1, &r->bit, 4);
    memcpy(key + 5, r->guid, 16);
    uint32_t *at = hmap_put(&c->rights, hash128_fast((struct bytes){key, sizeof key}), &is_new);
    if (!is_new) return *at;
    *at = s->n_rights;
    GROW(s->rights, s->n_rights, c->cap_rights, 64);
    s->rights[s->n_rights] = *r;
    return s->n_rights++;
}

static void take_cell(struct compiling *c, struct variant *v, uint32_t right)
{
    struct sets *s = c->s;
    enum access_speech small[256],
        *speech = c->reading.n > 256 ? x_alloc(c->reading.n * sizeof *speech) : small;
    struct right r = s->rights[right];
    speeches(c, v, &r, speech);
    say_all(c, &c->x, &r, speech, ACCESS_WINDOWS);
    say_all(c, &c->strict, &r, speech, ACCESS_DENY_WINS);
    uint32_t set = take_set(c, &c->x), strict = take_set(c, &c->strict);
    if (speech != small) free(speech);
    s->sets[set].is_kept = true;
    if (c->x.is_conditional || c->strict.is_conditional) v->is_conditional |= r.bit;
    GROW(s->cells, s->n_cells, c->cap_cells, 4096);
    s->cells[s->n_cells++] = (struct cell){right, set, strict};
    v->n_cells++;
}

static bool has_cell(const struct sets *s, const struct variant *v, uint32_t right)
{
    for (uint32_t i = 0; i < v->n_cells; i++)
        if (s->cells[v->first_cell + i].right == right) return true;
    return false;
}

/* The rights that its ACEs name. */
static void take_typed(struct compiling *c, struct variant *v)
{
    for (uint32_t i = 0; i < c->reading.n; i++) {
        const struct spoken *a = &c->reading.aces[i];
        if (!a->ace.object_type) continue;
        for (unsigned b = 0; b < N_BITS; b++) {
            if (!(a->mask & bits[b] & RIGHTS_TYPED)) continue;
            struct right r = {.bit = bits[b], .is_typed = true};
            memcpy(r.guid, a->ace.object_type, sizeof r.guid);
            uint32_t right = take_right(c, &r);
            if (!has_cell(c->s, v, right)) take_cell(c, v, right);
        }
    }
}

static void free_compiling(struct compiling *c)
{
    free(c->reading.aces);
    free(c->stamps);
    expression_free(&c->x);
    expression_free(&c->strict);
    hmap_free(&c->rights);
}

void sets_compile_cells(struct sets *s)
{
    struct compiling c = {.s = s};
    const uint32_t nobody[1] = {0}, everybody[1] = {TERM(TERM_EVERYBODY, false)};
    uint32_t read = NOBODY, by = NOBODY;
    c.stamps = x_zalloc((s->n_trustees + (size_t)TERM_FIRST) * sizeof *c.stamps);
    for (unsigned b = 0; b < N_BITS; b++) take_right(&c, &(struct right){.bit = bits[b]});
    take_set(&c, &(struct expression){.terms = (uint32_t *)nobody, .n = 0});
    take_set(&c, &(struct expression){.terms = (uint32_t *)everybody, .n = 1});
    for (uint32_t i = 0; i < s->n_variants; i++) {
        struct variant *v = &s->variants[i];
        if (v->descriptor != read || v->connector != by)
            read_descriptor(&c.reading, s, v->descriptor, v->connector);
        read = v->descriptor;
        by = v->connector;
        v->has_self =
            c.reading.has_self; /* also where it is behind Everyone: a group as principal is not in there */
        v->first_cell = (uint32_t)s->n_cells;
        for (uint32_t b = 0; b < N_BITS; b++) take_cell(&c, v, b);
        if (c.reading.has_types) take_typed(&c, v);
    }
    free_compiling(&c);
}

/* --- a right that has no cell
 * -------------------------------------------------------------------------------------------- */

void sets_compile_right(struct expression *out, struct sets *s, uint32_t variant, const struct right *r,
                        enum access_rule rule)
{
    struct compiling c = {.s = s};
    const struct variant *v = &s->variants[variant];
    *out = (struct expression){0};
    c.stamps = x_zalloc((s->n_trustees + (size_t)TERM_FIRST) * sizeof *c.stamps);
    read_descriptor(&c.reading, s, v->descriptor, v->connector);
    enum access_speech *speech = x_alloc((c.reading.n + (size_t)1) * sizeof *speech);
    speeches(&c, v, r, speech);
    if (r->bit & RIGHTS_ALL) say_all(&c, out, r, speech, rule);
    const uint32_t *known = hmap_find(&s->by_terms, terms_key(out->terms, out->n));
    out->known = known ? *known : NOBODY;
    free(speech);
    free_compiling(&c);
}

void expression_free(struct expression *x)
{
    free(x->terms);
    *x = (struct expression){0};
}

/* --- what is derived
 * ------------------------------------------------------------------------------------------------------- */

static void index_objects(struct sets *s)
{
    s->first_object = x_zalloc((s->n_variants + (size_t)2) * sizeof *s->first_object);
    s->objects = x_alloc((s->world->n_objects + (size_t)1) * sizeof *s->objects);
    for (uint32_t i = 0; i < s->world->n_objects; i++)
        if (s->variant_of[i] != NOBODY) s->first_object[s->variant_of[i]]++;
    starts_make(s->first_object, s->n_variants);
    for (uint32_t i = 0; i < s->world->n_objects; i++)
        if (s->variant_of[i] != NOBODY) s->objects[s->first_object[s->variant_of[i]]++] = i;
    starts_step_back(s->first_object, s->n_variants);
}

/* Calls each(trustee) once for every trustee in a variant's expressions. */
static void each_trustee(struct sets *s, uint32_t variant, uint32_t *stamps,
                         void (*each)(struct sets *s, uint32_t trustee, uint32_t variant))
{
    const struct variant *v = &s->variants[variant];
    for (uint32_t i = 0; i < v->n_cells; i++) {
        const struct cell *cell = &s->cells[v->first_cell + i];
        for (unsigned rule = 0; rule < (cell->set == cell->strict ? 1 : 2); rule++) {
            const struct set *t = &s->sets[rule ? cell->strict : cell->set];
            for (uint32_t k = 0; k < t->n; k++) {
                uint32_t term = s->terms[t->first + k] >> 1;
                if (term < TERM_FIRST || stamps[term - TERM_FIRST] == variant + 1) continue;
                stamps[term - TERM_FIRST] = variant + 1;
                each(s, term - TERM_FIRST, variant);
            }
        }
    }
}

static void count_variant(struct sets *s, uint32_t trustee, uint32_t variant)
{
    (void)variant;
    s->first_variant[trustee]++;
}

static void put_variant(struct sets *s, uint32_t trustee, uint32_t variant)
{
    s->variants_of[s->first_variant[trustee]++] = variant;
}

static int compare_selfish(const void *a, const void *b)
{
    const struct selfish *x = a, *y = b;
    int d = COMPARE(x->node, y->node);
    return d ? d : COMPARE(x->object, y->object);
}

static void index_selfish(struct sets *s)
{
    size_t cap = 0;
    for (uint32_t i = 0; i < s->world->n_objects; i++) {
        uint32_t v = s->variant_of[i], node = v != NOBODY && s->variants[v].has_self ? self_of(s, i) : NOBODY;
        if (node == NOBODY) continue;
        GROW(s->selfish, s->n_selfish, cap, 1024);
        s->selfish[s->n_selfish++] = (struct selfish){node, i};
    }
    if (s->n_selfish) qsort(s->selfish, s->n_selfish, sizeof *s->selfish, compare_selfish);
}

void sets_index(struct sets *s)
{
    s->marks = x_zalloc((s->n_trustees + (size_t)1) * sizeof *s->marks);
    s->marked = x_alloc((s->n_trustees + (size_t)1) * sizeof *s->marked);
    index_selfish(s);
    uint32_t *stamps = x_zalloc((s->n_trustees + (size_t)1) * sizeof *stamps);
    index_objects(s);
    s->first_variant = x_zalloc((s->n_trustees + (size_t)2) * sizeof *s->first_variant);
    for (uint32_t i = 0; i < s->n_variants; i++) each_trustee(s, i, stamps, count_variant);
    starts_make(s->first_variant, s->n_trustees);
    s->variants_of = x_alloc((s->first_variant[s->n_trustees] + (size_t)1) * sizeof *s->variants_of);
    memset(stamps, 0, s->n_trustees * sizeof *stamps);
    for (uint32_t i = 0; i < s->n_variants; i++) each_trustee(s, i, stamps, put_variant);
    starts_step_back(s->first_variant, s->n_trustees);
    free(stamps);
}
