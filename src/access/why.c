/* why.c - the ACE that decides, who it names, and how the principal came to be that. */
#include "access/answer.h"

#include "model/sid.h"

static bool ace_at(const struct sd *sd, unsigned number, struct ace *out)
{
    struct bytes rest = sd->dacl;
    for (unsigned i = 0; sd_next_ace(&rest, out); i++)
        if (i == number) return true;
    return false;
}

static bool same_type(const uint8_t *a, const uint8_t *b)
{
    return a && b ? memcmp(a, b, 16) == 0 : a == b;
}

/* The same grant, explicit: what an inherited ACE was copied from. */
static bool is_origin(const struct ace *mine, const struct ace *theirs)
{
    return !(theirs->flags & ACE_INHERITED) && theirs->type == mine->type && theirs->mask == mine->mask &&
           (theirs->flags & (ACE_CONTAINER_INHERIT | ACE_OBJECT_INHERIT)) && bytes_equal(theirs->trustee, mine->trustee) &&
           same_type(theirs->object_type, mine->object_type);
}

uint32_t why_origin(const struct world *w, uint32_t object, const struct ace *ace)
{
    if (!(ace->flags & ACE_INHERITED)) return NOBODY;
    unsigned depth = 0;
    for (uint32_t o = w->objects[object].parent; o != NOBODY && depth < 256; o = w->objects[o].parent, depth++) {
        if (w->objects[o].descriptor == NOBODY) continue;
        struct bytes rest = w->descriptors[w->objects[o].descriptor].sd.dacl;
        struct ace theirs;
        while (sd_next_ace(&rest, &theirs))
            if (is_origin(ace, &theirs)) return o;
    }
    return NOBODY;
}

/* Whom an ACE names, as a principal: itself, the object, its owner. */
static uint32_t trustee_of(const struct world *w, const struct access_object *o, struct bytes sid)
{
    switch (access_trustee_kind(sid)) {
    case TRUSTEE_SELF: return world_principal_by_sid(w, o->sid);
    case TRUSTEE_OWNER: return world_principal_by_sid(w, o->sd->owner);
    case TRUSTEE_NOBODY: return NOBODY;
    default: return world_principal_by_sid(w, sid);
    }
}

static bool is_in(const struct access_token *t, const struct access_object *o, struct bytes sid)
{
    switch (access_trustee_kind(sid)) {
    case TRUSTEE_SELF: return o->sid.len && t->has(t->ctx, o->sid);
    case TRUSTEE_OWNER: return o->sd->owner.len && t->has(t->ctx, o->sd->owner);
    case TRUSTEE_NOBODY: return false;
    default: return t->has(t->ctx, sid);
    }
}

static bool is_deny(const struct ace *a)
{
    return a->type == ACE_DENY || a->type == ACE_DENY_OBJECT;
}

static void count_others(struct why *y, const struct access_object *o, const struct access_token *t, const struct right *r)
{
    struct bytes rest = o->sd->dacl;
    struct ace a;
    enum access_speech said = y->verdict.is_allowed ? ACE_ALLOWS : ACE_DENIES;
    for (unsigned i = 0; sd_next_ace(&rest, &a); i++, y->n_aces++) {
        enum access_speech speech = access_ace_speaks(&a, o, r);
        bool is_mine = is_in(t, o, a.trustee);
        if (is_deny(&a) && a.flags & ACE_INHERIT_ONLY)
            y->n_denies_inherit_only++;
        else if (is_deny(&a) && speech == ACE_SILENT)
            y->n_denies_other++;
        else if (is_deny(&a) && !is_mine)
            y->n_denies_others++;
        if (speech == said && is_mine && !(y->verdict.reason == ACCESS_BY_ACE && i == y->verdict.ace)) y->n_also++;
    }
}

static unsigned count_groups(const struct world *w, const struct world_token *t, uint32_t principal)
{
    unsigned n = 0;
    for (uint32_t i = 0; i < t->n; i++) n += t->list[i] != principal && w->principals[t->list[i]].kind == KIND_group;
    return n;
}

void why_make(struct why *out, const struct world *w, struct world_token *t, uint32_t principal, uint32_t object, const struct right *r,
              enum access_rule rule)
{
    struct access_object o;
    struct access_token token;
    *out = (struct why){.trustee = NOBODY, .inherited_from = NOBODY, .owner = NOBODY};
    world_access_object(&o, w, object);
    world_token_open(&token, t, w);
    out->n_groups = count_groups(w, t, principal);
    if (!o.sd) return;
    access_check(&out->verdict, &o, &token, r, rule);
    access_check(&out->deny_wins, &o, &token, r, ACCESS_DENY_WINS);
    out->owner = world_principal_by_sid(w, o.sd->owner);
    count_others(out, &o, &token, r);
    struct bytes named = o.sd->owner;
    if (out->verdict.reason == ACCESS_BY_ACE) {
        if (!ace_at(o.sd, out->verdict.ace, &out->ace)) return;
        out->inherited_from = why_origin(w, object, &out->ace);
        out->trustee = trustee_of(w, &o, out->ace.trustee);
    } else if (out->verdict.reason == ACCESS_IMPLICIT_OWNER) {
        out->trustee = world_principal_by_sid(w, named);
    }
    if (out->trustee != NOBODY) out->n_chain = world_chain(w, principal, out->trustee, out->chain, WHY_CHAIN);
}
