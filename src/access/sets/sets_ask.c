/* sets_ask.c - who can: the kept set, or one put together for the question. */
#include "access/sets/sets_int.h"

#include <roaring/roaring.h>
#include <stdlib.h>

/* --- the expression that answers a question
 * ------------------------------------------------------------------- */

struct question {
    uint32_t variant;
    const uint32_t *terms;
    uint32_t n;
    struct set *set; /* the same, if there is one */
    bool has_self, is_conditional;
    struct expression own;
};

static const struct cell *find_cell(const struct sets *s, const struct variant *v, const struct right *r)
{
    for (uint32_t i = 0; i < v->n_cells; i++) {
        const struct cell *c = &s->cells[v->first_cell + i];
        const struct right *has = &s->rights[c->right];
        if (has->bit == r->bit && has->is_typed == r->is_typed &&
            (!r->is_typed || memcmp(has->guid, r->guid, sizeof r->guid) == 0))
            return c;
    }
    return NULL;
}

static bool ask(struct question *q, struct sets *s, uint32_t object, const struct right *r,
                enum access_rule rule)
{
    *q = (struct question){.variant = object < s->world->n_objects ? s->variant_of[object] : NOBODY};
    if (q->variant == NOBODY) return false;
    const struct variant *v = &s->variants[q->variant];
    const struct cell *c = find_cell(s, v, r);
    if (!c) {
        sets_compile_right(&q->own, s, q->variant, r, rule);
        q->terms = q->own.terms;
        q->n = q->own.n;
        q->has_self = q->own.has_self;
        q->is_conditional = q->own.is_conditional;
        q->set = q->own.known == NOBODY ? NULL : &s->sets[q->own.known];
        return true;
    }
    q->set = &s->sets[rule == ACCESS_WINDOWS ? c->set : c->strict];
    q->terms = s->terms + q->set->first;
    q->n = q->set->n;
    q->has_self = q->set->has_self;
    q->is_conditional = v->is_conditional & r->bit;
    return true;
}

static void forget(struct question *q)
{
    expression_free(&q->own);
}

/* --- SELF
 * ----------------------------------------------------------------------------------------------------------
 */

uint32_t self_of(const struct sets *s, uint32_t object)
{
    uint32_t p = s->world->objects[object].principal;
    return p == NOBODY ? NOBODY : node_of_sid(&s->nodes, s->world, s->world->principals[p].sid);
}

static bool is_plain_account(const struct sets *s, uint32_t node)
{
    return !(s->nodes.account[node] & NODE_INNER);
}

static struct image image_of_node(struct sets *s, uint32_t node, uint32_t connector, struct area *memory)
{
    uint32_t t = trustee_find(s, connector, node);
    if (t != NOBODY) return *trustee_image(s, t);
    node_gather(s, node, connector);
    return scratch_take(&s->scratch, memory);
}

/* The answer for one object as plain bits in s->scratch. */
static void evaluate(struct sets *s, const struct question *q, uint32_t object)
{
    struct area memory = {0};
    struct image self = {0};
    uint32_t node = q->has_self ? self_of(s, object) : NOBODY;
    if (node != NOBODY) self = image_of_node(s, node, s->variants[q->variant].connector, &memory);
    terms_evaluate(s, q->terms, q->n, node == NOBODY ? NULL : &self);
    area_free(&memory);
}

/* Is there a set that is the answer as it stands? */
static struct set *ready(const struct sets *s, const struct question *q, uint32_t object)
{
    bool is_there = q->set && (q->set->is_kept || q->set->alias != NOBODY);
    return is_there && (!q->has_self || self_of(s, object) == NOBODY) ? q->set : NULL;
}

/* --- who
 * -------------------------------------------------------------------------------------------------------------
 */

static void open_image(struct sets_who *out, const struct image *i)
{
    out->count = i->count;
    out->view = image_view(i);
    out->bitmap = out->view;
}

static void take_scratch(struct sets_who *out, struct sets *s)
{
    struct area *own = x_zalloc(sizeof *own);
    struct image i = scratch_take(&s->scratch, own);
    out->own = own;
    open_image(out, &i);
}

void sets_who_can(struct sets_who *out, struct sets *s, uint32_t object, const struct right *r,
                  enum access_rule rule)
{
    struct question q;
    *out = (struct sets_who){.sets = s};
    out->is_known = ask(&q, s, object, r, rule);
    if (!out->is_known) return;
    out->is_conditional = q.is_conditional;
    struct set *set = ready(s, &q, object);
    if (set)
        open_image(out, set_image(s, set));
    else {
        evaluate(s, &q, object);
        take_scratch(out, s);
    }
    forget(&q);
}

/* A set where SELF is nobody, and one account that it is. */
static uint64_t count_with_self(struct sets *s, const struct question *q, uint32_t node)
{
    const struct image *i = set_image(s, q->set);
    uint32_t account = s->nodes.account[node] & NODE_ACCOUNT;
    sets_mark(s, s->world, node, s->variants[q->variant].connector);
    return i->count - image_has(i, account) + terms_decide(s, q->terms, q->n, true);
}

uint64_t sets_count(struct sets *s, uint32_t object, const struct right *r, enum access_rule rule)
{
    struct question q;
    uint64_t n;
    if (!ask(&q, s, object, r, rule)) return 0;
    struct set *set = ready(s, &q, object);
    uint32_t node = !set && q.set && q.set->is_kept ? self_of(s, object) : NOBODY;
    if (set)
        n = set_image(s, set)->count;
    else if (node != NOBODY && is_plain_account(s, node))
        n = count_with_self(s, &q, node);
    else {
        evaluate(s, &q, object);
        n = scratch_take_count(&s->scratch);
    }
    forget(&q);
    return n;
}

void sets_members(struct sets_who *out, struct sets *s, uint32_t group, uint32_t connector)
{
    *out = (struct sets_who){.sets = s, .is_known = group < s->world->n_principals};
    if (!out->is_known) return;
    if (connector == NOBODY) connector = s->world->principals[group].connector;
    uint32_t t = trustee_find(s, connector, group);
    if (t != NOBODY) {
        open_image(out, trustee_image(s, t));
        return;
    }
    node_gather(s, group, connector);
    take_scratch(out, s);
}

struct sets_walk {
    roaring_uint32_iterator_t at;
};

bool sets_next(struct sets_who *w, uint32_t *principal)
{
    if (!w->bitmap) return false;
    if (!w->walk) {
        w->walk = x_alloc(sizeof *w->walk);
        roaring_init_iterator(w->bitmap, &w->walk->at);
    }
    if (!w->walk->at.has_value) return false;
    *principal = sets_principal(w->sets, w->walk->at.current_value);
    roaring_advance_uint32_iterator(&w->walk->at);
    return true;
}

void sets_close(struct sets_who *w)
{
    free(w->walk);
    if (w->view) roaring_bitmap_free(w->view);
    if (w->own) area_free(w->own);
    free(w->own);
    *w = (struct sets_who){0};
}

/* --- one principal
 * ------------------------------------------------------------------------------------------------------- */

static bool check_one(struct sets *s, uint32_t principal, uint32_t object, const struct right *r,
                      enum access_rule rule)
{
    const struct world *w = s->world;
    struct access_object what;
    struct access_token token;
    struct access_verdict v;
    struct err ignored;
    world_access_object(&what, w, object);
    if (world_token(&s->token, w, principal, w->objects[object].connector, &ignored) < 0) return false;
    world_token_open(&token, &s->token, w);
    access_check(&v, &what, &token, r, rule);
    return v.is_allowed;
}

static bool is_marked_node(const struct sets *s, uint32_t node)
{
    const struct world_token *t = &s->token;
    if (node < s->world->n_principals) return t->marks[node / 64] >> (node % 64) & 1;
    return false;
}

bool sets_can(struct sets *s, uint32_t principal, uint32_t object, const struct right *r,
              enum access_rule rule)
{
    struct question q;
    uint32_t account = sets_account(s, principal);
    bool can;
    if (object >= s->world->n_objects || s->variant_of[object] == NOBODY ||
        principal >= s->world->n_principals)
        return false;
    if (account == NOBODY) return check_one(s, principal, object, r, rule);
    ask(&q, s, object, r, rule);
    struct set *set = ready(s, &q, object);
    if (set)
        can = image_has(set_image(s, set), account);
    else {
        uint32_t self = self_of(s, object);
        sets_mark(s, s->world, principal, s->variants[q.variant].connector);
        can = terms_decide(s, q.terms, q.n, self != NOBODY && is_marked_node(s, self));
    }
    forget(&q);
    return can;
}

/* --- groups as principals
 * -------------------------------------------------------------------------------------------------- */

/* They are in no well-known group, so what was left out behind Everyone counts: the ACEs are read anew. */
struct groups {
    struct sets *s;
    uint8_t *decided; /* by node: 1 allowed, 2 denied */
    uint8_t voice;
};

static void decide_node(void *ctx, uint32_t node)
{
    struct groups *g = ctx;
    if (!g->decided[node]) g->decided[node] = g->voice;
}

static void decide_below(struct groups *g, uint32_t object, struct bytes sid, bool is_deny)
{
    const struct sets *s = g->s;
    enum access_trustee kind = sid.len ? access_trustee_kind(sid) : TRUSTEE_NOBODY;
    uint32_t node = kind == TRUSTEE_SELF  ? self_of(s, object)
                    : kind == TRUSTEE_SID ? node_of_sid(&s->nodes, s->world, sid)
                                          : NOBODY;
    g->voice = is_deny ? 2 : 1;
    if (node != NOBODY)
        node_descend(&s->nodes, s->world, node, s->world->objects[object].connector, true, decide_node, g);
}

static void decide_aces(struct groups *g, uint32_t object, const struct right *r, bool allows, bool denies)
{
    const struct world *w = g->s->world;
    const struct object *o = &w->objects[object];
    const struct sd *sd = &w->descriptors[o->descriptor].sd;
    struct access_object what = {.sd = sd, .schema = w->connectors[o->connector].schema, .class = o->class};
    struct bytes rest = sd->dacl;
    for (struct ace a; sd_next_ace(&rest, &a);) {
        enum access_speech speech = access_ace_speaks(&a, &what, r);
        if (!(speech == ACE_ALLOWS && allows) && !(speech == ACE_DENIES && denies)) continue;
        bool is_owner = a.trustee.len && access_trustee_kind(a.trustee) == TRUSTEE_OWNER;
        decide_below(g, object, is_owner ? sd->owner : a.trustee, speech == ACE_DENIES);
    }
}

static void decide_all(struct groups *g, uint32_t object, const struct right *r, enum access_rule rule)
{
    const struct sd *sd = &g->s->world->descriptors[g->s->world->objects[object].descriptor].sd;
    if (!(r->bit & RIGHTS_ALL)) return;
    if (!sd->has_dacl || sd->is_null_dacl) {
        memset(g->decided, 1, g->s->nodes.n);
        return;
    }
    if (r->bit & (RIGHT_READ_CONTROL | RIGHT_WRITE_DAC) && !access_has_owner_rights(sd))
        decide_below(g, object, sd->owner, false);
    if (rule == ACCESS_DENY_WINS) decide_aces(g, object, r, false, true);
    decide_aces(g, object, r, true, rule == ACCESS_WINDOWS);
}

size_t sets_groups(struct sets *s, uint32_t object, const struct right *r, enum access_rule rule,
                   uint32_t **list)
{
    size_t n = 0, cap = 0;
    struct groups g = {.s = s};
    *list = NULL;
    if (object >= s->world->n_objects || s->variant_of[object] == NOBODY) return 0;
    g.decided = x_zalloc(s->nodes.n + (size_t)1);
    decide_all(&g, object, r, rule);
    for (uint32_t p = 0; p < s->world->n_principals; p++) {
        if (g.decided[p] != 1 || s->world->principals[p].is_account) continue;
        GROW(*list, n, cap, 64);
        (*list)[n++] = p;
    }
    free(g.decided);
    return n;
}
