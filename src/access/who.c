#include "access/who.h"

#include "access/world_int.h"

#include <stdlib.h>

const char *who_via_name(enum who_via v)
{
    static const char *const names[] = {"member", "primary_group", "foreign", "sid_history", "implicit"};
    return names[v];
}

struct search {
    struct who_members *out;
    const struct world *w;
    uint32_t *queue;
    uint32_t head, tail;
    bool follows_all; /* distribution groups, too */
};

static void reach(struct search *s, uint32_t p, uint32_t by, enum who_via via)
{
    if (s->out->next[p] != NOBODY) return;
    s->out->next[p] = by;
    s->out->via[p] = (uint8_t)via;
    s->queue[s->tail++] = p;
}

static enum who_via via_of(const struct world *w, uint32_t member, uint32_t group)
{
    for (uint32_t k = w->first_group[member]; k < w->first_group[member + 1]; k++) {
        if (w->groups_of[k] != group) continue;
        return w->via_of[k] == VIA_PRIMARY_GROUP ? WHO_PRIMARY_GROUP : w->via_of[k] == VIA_FOREIGN ? WHO_FOREIGN : WHO_MEMBER;
    }
    return WHO_MEMBER;
}

static void open_group(struct search *s, uint32_t group)
{
    const struct world *w = s->w;
    if (world_is_implicit(w, group))
        for (uint32_t p = 0; p < w->n_principals; p++)
            if (w->principals[p].is_account) reach(s, p, group, WHO_IMPLICIT);
    for (uint32_t k = w->first_member[group]; k < w->first_member[group + 1]; k++)
        reach(s, w->members_of[k], group, via_of(w, w->members_of[k], group));
}

static void drain(struct search *s)
{
    while (s->head < s->tail) {
        uint32_t p = s->queue[s->head++];
        if (s->follows_all || s->w->principals[p].is_security) open_group(s, p);
    }
}

/* Whoever has had the SID of one that was reached; they are few, and looked at again only if that reached somebody. */
static bool reach_by_history(struct search *s)
{
    const struct world_index *x = s->w->index;
    uint32_t before = s->tail;
    for (size_t i = 0; i < x->n_history; i++) {
        uint32_t was = world_principal_by_sid(s->w, x->history[i].sid);
        if (was != NOBODY && s->out->next[was] != NOBODY) reach(s, x->history[i].principal, was, WHO_HISTORY);
    }
    return s->tail > before;
}

void who_members_make(struct who_members *out, const struct world *w, uint32_t group)
{
    struct search s = {.out = out, .w = w, .follows_all = !w->principals[group].is_security};
    *out = (struct who_members){x_alloc(w->n_principals * sizeof *out->next), x_zalloc(w->n_principals), 0};
    s.queue = x_alloc(w->n_principals * sizeof *s.queue);
    memset(out->next, 0xff, w->n_principals * sizeof *out->next);
    reach(&s, group, group, WHO_MEMBER);
    do drain(&s);
    while (reach_by_history(&s));
    out->n = s.tail - 1;
    free(s.queue);
}

void who_members_free(struct who_members *m)
{
    free(m->next);
    free(m->via);
    *m = (struct who_members){0};
}
