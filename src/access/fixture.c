#include "access/fixture.h"

#include "model/sid.h"

#include <stdlib.h>

static struct bytes put_sid(uint8_t out[SID_MAX], const uint32_t *sub, uint8_t n_sub, uint64_t authority)
{
    struct sid s = {.n_sub = n_sub, .authority = authority};
    for (uint8_t i = 0; i < n_sub; i++) s.sub[i] = sub[i];
    return (struct bytes){out, sid_encode(out, &s)};
}

struct fixture fixture_new(uint32_t n_connectors, const struct schema *schema)
{
    struct fixture f = {.w = x_zalloc(sizeof *f.w)};
    uint8_t raw[SID_MAX];
    f.w->index = x_zalloc(sizeof *f.w->index);
    f.w->index->memory = arena_new(SIZE_MAX);
    f.w->n_connectors = n_connectors;
    f.w->connectors = x_zalloc((n_connectors + 1) * sizeof *f.w->connectors);
    f.w->index->entities = x_zalloc((n_connectors + 1) * sizeof *f.w->index->entities);
    f.w->index->schemas = x_zalloc((n_connectors + 1) * sizeof *f.w->index->schemas);
    for (uint32_t i = 0; i < n_connectors; i++) {
        char name[16] = {'c', (char)('0' + i % 10)};
        f.w->connectors[i].schema = schema;
        f.w->connectors[i].name = arena_str(&f.w->index->memory, str_from(name));
        f.w->connectors[i].run = 1;
    }
    static const uint32_t rids[] = {11, 15, 2};
    fixture_principal_sid(&f, NOBODY, KIND_group, put_sid(raw, (uint32_t[]){0}, 1, 1)); /* Everyone */
    for (size_t i = 0; i < n_elements(rids); i++)
        fixture_principal_sid(&f, NOBODY, KIND_group, put_sid(raw, &rids[i], 1, 5));
    for (uint32_t i = 0; i < 4; i++) f.w->implicit[f.w->n_implicit++] = i;
    return f;
}

uint32_t fixture_principal_sid(struct fixture *f, uint32_t connector, enum kind kind, struct bytes sid)
{
    struct world *w = f->w;
    bool is_new, is_account = kind == KIND_user || kind == KIND_computer || kind == KIND_service_account;
    GROW(w->principals, w->n_principals, f->cap_principals, 64);
    w->principals[w->n_principals] = (struct principal){.connector = connector,
                                                        .entity = w->n_principals + 1,
                                                        .sid = arena_bytes(&w->index->memory, sid),
                                                        .kind = kind,
                                                        .is_security = true,
                                                        .is_account = is_account,
                                                        .is_enabled = true};
    uint32_t *at = hmap_put(&w->index->by_sid, hash128_fast(sid), &is_new);
    if (is_new) *at = w->n_principals;
    return w->n_principals++;
}

uint32_t fixture_principal(struct fixture *f, uint32_t connector, enum kind kind)
{
    uint8_t raw[SID_MAX];
    return fixture_principal_sid(
        f, connector, kind, put_sid(raw, (uint32_t[]){21, connector, 0, 0, 1000 + f->w->n_principals}, 5, 5));
}

void fixture_member(struct fixture *f, uint32_t member, uint32_t group)
{
    GROW(f->edges, f->n_edges, f->cap_edges, 64);
    f->edges[f->n_edges++] = (struct world_edge){.group = group, .member = member};
}

static int compare_history(const void *a, const void *b)
{
    uint32_t x = ((const struct history *)a)->principal, y = ((const struct history *)b)->principal;
    return COMPARE(x, y);
}

void fixture_history(struct fixture *f, uint32_t principal, struct bytes sid)
{
    struct world_index *x = f->w->index;
    GROW(x->history, x->n_history, f->cap_history, 64);
    x->history[x->n_history++] = (struct history){principal, arena_bytes(&x->memory, sid)};
    if (x->n_history) qsort(x->history, x->n_history, sizeof *x->history, compare_history);
}

uint32_t fixture_descriptor(struct fixture *f, struct bytes raw)
{
    struct world *w = f->w;
    struct err e;
    GROW(w->descriptors, w->n_descriptors, f->cap_descriptors, 64);
    struct descriptor *d = &w->descriptors[w->n_descriptors];
    *d = (struct descriptor){.raw = arena_bytes(&w->index->memory, raw)};
    d->is_malformed = sd_decode(&d->sd, d->raw, &e) < 0;
    if (d->is_malformed) d->sd = (struct sd){0};
    return w->n_descriptors++;
}

uint32_t fixture_object(struct fixture *f, uint32_t connector, uint32_t principal, uint32_t descriptor,
                        uint32_t class)
{
    struct world *w = f->w;
    GROW(w->objects, w->n_objects, f->cap_objects, 64);
    w->objects[w->n_objects] =
        (struct object){.connector = connector,
                        .entity = principal == NOBODY ? 1000000 + w->n_objects : principal + 1,
                        .kind = principal == NOBODY ? KIND_ou : w->principals[principal].kind,
                        .principal = principal,
                        .descriptor = descriptor,
                        .class = class,
                        .parent = NOBODY};
    return w->n_objects++;
}

static void free_edges(struct world *w)
{
    free(w->first_group);
    free(w->groups_of);
    free(w->first_member);
    free(w->members_of);
    free(w->via_of);
}

void fixture_finish(struct fixture *f)
{
    free_edges(f->w);
    world_link(f->w, f->edges, f->n_edges);
}

struct world *fixture_later(const struct fixture *f)
{
    struct world *w = x_alloc(sizeof *w);
    *w = *f->w;
    world_link(w, f->edges, f->n_edges);
    return w;
}

void fixture_drop(struct world *later)
{
    free_edges(later);
    free(later);
}

void fixture_free(struct fixture *f)
{
    world_free(f->w);
    free(f->edges);
    *f = (struct fixture){0};
}
