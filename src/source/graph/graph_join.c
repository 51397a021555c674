#include "source/graph/graph_join.h"

#include <stdlib.h>

#define PARTS     32u
#define CHUNK     ((size_t)24 << 10)
#define PART_MAX  ((size_t)128 << 20) /* of one facet, in memory: some 20 million users */
#define FACET_MAX ((size_t)16 << 20) /* of one entity */

/* Bytes in parts: each part gathers a chunk, chunks go to one tape. */
struct sack {
    struct tape tape;
    struct part {
        struct buf now;
        uint64_t *chunks; /* places on the tape */
        uint32_t *lengths;
        size_t n, cap;
    } parts[PARTS];
};

struct graph_join {
    struct sack entities, facets[GRAPH_FACETS];
};

static unsigned part_of(const uint8_t guid[GUID_SIZE])
{
    return guid[GUID_SIZE - 1] % PARTS;
}

/* --- sacks ------------------------------------------------------------------------------------------------- */

static void sack_init(struct sack *s)
{
    *s = (struct sack){.tape = tape_new()};
    for (size_t i = 0; i < PARTS; i++) s->parts[i].now = buf_new(SIZE_MAX / 2);
}

static void sack_free(struct sack *s)
{
    tape_free(&s->tape);
    for (size_t i = 0; i < PARTS; i++) {
        buf_free(&s->parts[i].now);
        free(s->parts[i].chunks);
        free(s->parts[i].lengths);
    }
}

static int sack_forget(struct sack *s, struct err *e)
{
    for (size_t i = 0; i < PARTS; i++) {
        buf_clear(&s->parts[i].now);
        s->parts[i].n = 0;
    }
    return tape_cut(&s->tape, 0, e);
}

static int put_away(struct sack *s, struct part *p, struct err *e)
{
    if (p->n == p->cap) {
        p->cap = p->cap ? p->cap * 2 : 16;
        p->chunks = x_realloc(p->chunks, p->cap * sizeof *p->chunks);
        p->lengths = x_realloc(p->lengths, p->cap * sizeof *p->lengths);
    }
    p->chunks[p->n] = tape_length(&s->tape);
    p->lengths[p->n++] = (uint32_t)p->now.len;
    try(tape_add(&s->tape, buf_bytes(&p->now), e));
    buf_clear(&p->now);
    return 0;
}

static int sack_added(struct sack *s, struct part *p, struct err *e)
{
    return p->now.len >= CHUNK ? put_away(s, p, e) : 0;
}

/* Chunk i of a part; the last one is what it gathers now. false: no more. */
static int sack_chunk(const struct sack *s, unsigned part, size_t i, struct buf *space, struct bytes *out, bool *more, struct err *e)
{
    const struct part *p = &s->parts[part];
    *more = i <= p->n;
    if (i >= p->n) {
        *out = buf_bytes(&p->now);
        return 0;
    }
    buf_clear(space);
    uint8_t *to = buf_reserve(space, p->lengths[i]);
    if (!to) return err_set(e, ERR_LIMIT, "an entity is too long");
    try(tape_read(&s->tape, p->chunks[i], to, p->lengths[i], e));
    buf_advance(space, p->lengths[i]);
    *out = buf_bytes(space);
    return 0;
}

/* --- putting in ---------------------------------------------------------------------------------------------- */

struct graph_join *graph_join_new(void)
{
    struct graph_join *j = x_zalloc(sizeof *j);
    sack_init(&j->entities);
    for (size_t i = 0; i < GRAPH_FACETS; i++) sack_init(&j->facets[i]);
    return j;
}

void graph_join_free(struct graph_join *j)
{
    if (!j) return;
    sack_free(&j->entities);
    for (size_t i = 0; i < GRAPH_FACETS; i++) sack_free(&j->facets[i]);
    free(j);
}

/* u32 length . record frame's payload */
int graph_join_put(struct graph_join *j, const struct record *r, struct err *e)
{
    struct part *p = &j->entities.parts[part_of(r->guid)];
    struct record mine = *r;
    mine.member = mine.member_of = (struct dn_list){0};
    size_t at = p->now.len;
    buf_add_u32le(&p->now, 0);
    record_encode(&p->now, &mine);
    uint32_t length = (uint32_t)(p->now.len - at - 4);
    for (unsigned i = 0; i < 4; i++) p->now.ptr[at + i] = (uint8_t)(length >> (8 * i));
    return sack_added(&j->entities, p, e);
}

/* guid . lstr state . lstr stats */
int graph_join_facet(struct graph_join *j, unsigned facet, const uint8_t guid[GUID_SIZE], struct bytes state, struct bytes stats, struct err *e)
{
    struct part *p = &j->facets[facet].parts[part_of(guid)];
    buf_add(&p->now, guid, GUID_SIZE);
    buf_add_lstr(&p->now, state);
    buf_add_lstr(&p->now, stats);
    return sack_added(&j->facets[facet], p, e);
}

int graph_join_forget(struct graph_join *j, struct err *e)
{
    return sack_forget(&j->entities, e);
}

int graph_join_forget_facet(struct graph_join *j, unsigned facet, struct err *e)
{
    return sack_forget(&j->facets[facet], e);
}

/* --- joining bodies ----------------------------------------------------------------------------------------- */

struct head {
    struct cursor rest;
    uint64_t id;
    struct bytes payload;
    bool any;
};

static void step(struct head *h)
{
    h->any = h->rest.in.len > 0;
    if (!h->any) return;
    h->id = cursor_varint(&h->rest);
    h->payload = cursor_lstr(&h->rest);
    h->any = !h->rest.failed;
}

void graph_bodies_join(struct buf *out, const struct bytes *bodies, size_t n)
{
    struct head heads[GRAPH_FACETS + 1];
    for (size_t i = 0; i < n; i++) {
        heads[i].rest = cursor_new(bodies[i]);
        step(&heads[i]);
    }
    uint64_t written = 0;
    for (;;) {
        struct head *least = NULL;
        for (size_t i = 0; i < n; i++)
            if (heads[i].any && (!least || heads[i].id < least->id)) least = &heads[i];
        if (!least) return;
        if (least->id != written || least->id == ATTR_CUSTOM) {
            buf_add_varint(out, least->id);
            buf_add_lstr(out, least->payload);
        }
        written = least->id;
        step(least);
    }
}

/* --- reading out ------------------------------------------------------------------------------------------------ */

/* The facets of one part, in memory. */
struct shelf {
    struct buf bytes;
    struct hmap at; /* guid -> place in bytes, plus 1 */
};

struct reading {
    struct graph_join *j;
    struct shelf shelves[GRAPH_FACETS];
    struct hmap seen;
    struct buf space, state, stats;
    struct bytes states[GRAPH_FACETS + 1], all_stats[GRAPH_FACETS + 1];
    size_t n_bodies;
};

static struct hash128 key_of(const uint8_t guid[GUID_SIZE])
{
    return hash128_fast((struct bytes){guid, GUID_SIZE});
}

static int shelve(struct shelf *s, struct bytes chunk, struct err *e)
{
    size_t base = s->bytes.len;
    buf_add_bytes(&s->bytes, chunk);
    if (s->bytes.failed) return err_set(e, ERR_LIMIT, "more than 128 MiB of one report for a 32nd of the users");
    struct cursor c = cursor_new(chunk);
    while (c.in.len && !c.failed) {
        bool is_new;
        size_t at = base + chunk.len - c.in.len;
        struct bytes guid = cursor_bytes(&c, GUID_SIZE);
        cursor_lstr(&c);
        cursor_lstr(&c);
        if (c.failed) break;
        *hmap_put(&s->at, key_of(guid.ptr), &is_new) = (uint32_t)at + 1;
    }
    return c.failed ? err_set(e, ERR_BUG, "temporary data: a malformed facet") : 0;
}

static int shelve_all(struct reading *r, unsigned facet, unsigned part, struct err *e)
{
    struct shelf *s = &r->shelves[facet];
    bool more = true;
    hmap_free(&s->at);
    s->at = (struct hmap){0};
    buf_clear(&s->bytes);
    for (size_t i = 0; more; i++) {
        struct bytes chunk;
        try(sack_chunk(&r->j->facets[facet], part, i, &r->space, &chunk, &more, e));
        if (more) try(shelve(s, chunk, e));
    }
    return 0;
}

static bool shelf_find(const struct shelf *s, const uint8_t guid[GUID_SIZE], struct bytes *state, struct bytes *stats)
{
    const uint32_t *at = hmap_find(&s->at, key_of(guid));
    if (!at) return false;
    struct cursor c = cursor_new((struct bytes){s->bytes.ptr + *at - 1, s->bytes.len - (*at - 1)});
    cursor_bytes(&c, GUID_SIZE);
    *state = cursor_lstr(&c);
    *stats = cursor_lstr(&c);
    return true;
}

static int join_one(struct reading *r, struct record *rec, struct err *e)
{
    int found = 0;
    size_t n = 1;
    r->states[0] = rec->state;
    r->all_stats[0] = rec->stats;
    for (unsigned f = 0; f < GRAPH_FACETS; f++)
        if (shelf_find(&r->shelves[f], rec->guid, &r->states[n], &r->all_stats[n])) {
            found |= 1 << f;
            n++;
        }
    if (n == 1) return 0;
    buf_clear(&r->state);
    buf_clear(&r->stats);
    graph_bodies_join(&r->state, r->states, n);
    graph_bodies_join(&r->stats, r->all_stats, n);
    rec->state = buf_bytes(&r->state);
    rec->stats = buf_bytes(&r->stats);
    return r->state.failed || r->stats.failed ? err_set(e, ERR_LIMIT, "what is known of one %s is more than 16 MiB", kind_name(rec->kind)) : found;
}

typedef int join_each(void *ctx, struct record *r, unsigned facets, struct err *e);

static int read_chunk(struct reading *r, struct bytes chunk, join_each *each, void *ctx, uint64_t *n, struct err *e)
{
    struct cursor c = cursor_new(chunk);
    while (c.in.len) {
        struct record rec;
        bool is_new;
        struct bytes payload = cursor_bytes(&c, cursor_u32le(&c));
        if (c.failed) return err_set(e, ERR_BUG, "temporary data: a malformed entity");
        try(record_decode(&rec, payload, e));
        hmap_put(&r->seen, key_of(rec.guid), &is_new);
        if (!is_new) continue; /* listed twice: the directory changed under the paging */
        ++*n;
        int facets = join_one(r, &rec, e);
        try(facets);
        try(each(ctx, &rec, (unsigned)facets, e));
    }
    return 0;
}

static int read_part(struct reading *r, unsigned part, join_each *each, void *ctx, uint64_t *n, struct err *e)
{
    struct buf space = buf_new(SIZE_MAX / 2);
    bool more = true;
    int rc = 0;
    hmap_free(&r->seen);
    r->seen = (struct hmap){0};
    for (unsigned f = 0; rc == 0 && f < GRAPH_FACETS; f++) rc = shelve_all(r, f, part, e);
    for (size_t i = 0; rc == 0 && more; i++) {
        struct bytes chunk;
        rc = sack_chunk(&r->j->entities, part, i, &space, &chunk, &more, e);
        if (rc == 0 && more) rc = read_chunk(r, chunk, each, ctx, n, e);
    }
    buf_free(&space);
    return rc;
}

int graph_join_each(struct graph_join *j, join_each *each, void *ctx, uint64_t *n, struct err *e)
{
    struct reading r = {.j = j, .space = buf_new(SIZE_MAX / 2), .state = buf_new(FACET_MAX), .stats = buf_new(FACET_MAX)};
    int rc = 0;
    *n = 0;
    for (unsigned f = 0; f < GRAPH_FACETS; f++) r.shelves[f].bytes = buf_new(PART_MAX);
    for (unsigned part = 0; rc == 0 && part < PARTS; part++) rc = read_part(&r, part, each, ctx, n, e);
    for (unsigned f = 0; f < GRAPH_FACETS; f++) {
        buf_free(&r.shelves[f].bytes);
        hmap_free(&r.shelves[f].at);
    }
    hmap_free(&r.seen);
    buf_free(&r.space);
    buf_free(&r.state);
    buf_free(&r.stats);
    return rc;
}

struct lacking {
    unsigned facets;
    int (*each)(void *ctx, const uint8_t guid[GUID_SIZE], struct err *e);
    void *ctx;
};

static int look_lacking(void *ctx, struct record *r, unsigned facets, struct err *e)
{
    struct lacking *l = ctx;
    return facets & l->facets ? 0 : l->each(l->ctx, r->guid, e);
}

int graph_join_lacking(struct graph_join *j, unsigned facets, int (*each)(void *ctx, const uint8_t guid[GUID_SIZE], struct err *e), void *ctx,
                       struct err *e)
{
    struct lacking l = {facets, each, ctx};
    uint64_t ignored;
    return graph_join_each(j, look_lacking, &l, &ignored, e);
}
