#include "run/memberships.h"

#include <stdlib.h>

#define STEP     16u /* numbers a block */
#define LIST_MAX ((size_t)1 << 31)

struct memberships memberships_new(void)
{
    return (struct memberships){
        .pairs = sorter_new(), .lists = tape_new(), .block = buf_new(LIST_MAX), .list = buf_new(LIST_MAX)};
}

void memberships_free(struct memberships *m)
{
    numbering_free(&m->ids);
    sorter_free(&m->pairs);
    tape_free(&m->lists);
    buf_free(&m->block);
    buf_free(&m->list);
    free(m->starts);
    free(m->found);
    *m = (struct memberships){.pairs = sorter_new(), .lists = tape_new()};
}

static struct hash128 hash_of(struct str id)
{
    return hash128_fast(bytes_of(id));
}

int memberships_add(struct memberships *m, uint32_t group, struct dn_list members, struct err *e)
{
    struct str id;
    if (m->is_complete && members.n) return err_set(e, ERR_PROTO, "members of a group behind those who could be its members");
    while (dn_list_next(&members, &id)) {
        uint32_t number = numbering_add(&m->ids, hash_of(id));
        try(sorter_add(&m->pairs, (uint64_t)number << 32 | group, e));
    }
    return 0;
}

/* --- lists by number ------------------------------------------------------------------------------------ */

struct writing {
    struct memberships *m;
    struct buf steps;
    uint32_t number; /* whose list is under way */
    uint32_t n, last;
};

static void note_start(struct memberships *m)
{
    GROW(m->starts, m->n_starts, m->cap_starts, 256);
    m->starts[m->n_starts++] = tape_length(&m->lists);
}

static int write_list(struct writing *w, struct err *e)
{
    struct memberships *m = w->m;
    if (w->number % STEP == 0) note_start(m);
    buf_clear(&m->list);
    buf_add_varint(&m->list, w->n);
    try(tape_add(&m->lists, buf_bytes(&m->list), e));
    try(tape_add(&m->lists, buf_bytes(&w->steps), e));
    if (w->steps.failed) return err_set(e, ERR_LIMIT, "somebody is in too many groups");
    buf_clear(&w->steps);
    w->n = w->last = 0;
    return 0;
}

/* Every number has a pair, so they come without a hole. */
static int write_lists(struct writing *w, struct err *e)
{
    uint64_t pair;
    int rc;
    while ((rc = sorter_next(&w->m->pairs, &pair, e)) > 0) {
        uint32_t number = (uint32_t)(pair >> 32), group = (uint32_t)pair;
        if (number != w->number) try(write_list(w, e));
        w->number = number;
        buf_add_varint(&w->steps, group - w->last);
        w->last = group;
        w->n++;
    }
    return rc < 0 || !w->n ? rc : write_list(w, e);
}

int memberships_complete(struct memberships *m, struct err *e)
{
    struct writing w = {.m = m, .steps = buf_new(LIST_MAX)};
    m->is_complete = true;
    int rc = sorter_sort(&m->pairs, e);
    if (rc == 0) rc = write_lists(&w, e);
    buf_free(&w.steps);
    sorter_free(&m->pairs);
    return rc;
}

/* --- looking up ----------------------------------------------------------------------------------------- */

static int read_block(struct memberships *m, uint32_t number, struct err *e)
{
    size_t i = number / STEP;
    if (m->in_block == i + 1) return 0;
    if (i >= m->n_starts) return err_set(e, ERR_BUG, "memberships: no list of a number");
    uint64_t from = m->starts[i], to = i + 1 < m->n_starts ? m->starts[i + 1] : tape_length(&m->lists);
    m->in_block = 0;
    buf_clear(&m->block);
    uint8_t *at = to - from < LIST_MAX ? buf_reserve(&m->block, (size_t)(to - from)) : NULL;
    if (!at) return err_set(e, ERR_LIMIT, "somebody is in too many groups");
    try(tape_read(&m->lists, from, at, (size_t)(to - from), e));
    buf_advance(&m->block, (size_t)(to - from));
    m->in_block = (uint32_t)i + 1;
    return 0;
}

static void skip_lists(struct cursor *c, uint32_t n)
{
    while (n--)
        for (uint64_t left = cursor_varint(c); left && !c->failed; left--) cursor_varint(c);
}

static void make_room(struct memberships *m, size_t n)
{
    if (n <= m->found_cap) return;
    m->found_cap = n + n / 2;
    m->found = x_realloc(m->found, m->found_cap * sizeof *m->found);
}

int memberships_of(struct memberships *m, struct str id, const uint32_t **groups, size_t *n, struct err *e)
{
    uint32_t number = numbering_find(&m->ids, hash_of(id)), last = 0;
    *n = 0;
    *groups = m->found;
    if (number == NUMBERING_NONE) return 0;
    if (!m->is_complete) return err_set(e, ERR_BUG, "memberships: asked before they were complete");
    try(read_block(m, number, e));
    struct cursor c = cursor_new(buf_bytes(&m->block));
    skip_lists(&c, number % STEP);
    uint64_t k = cursor_varint(&c);
    if (c.failed || k > c.in.len) return err_set(e, ERR_BUG, "memberships: malformed list");
    make_room(m, (size_t)k);
    for (size_t i = 0; i < k; i++) m->found[i] = last += (uint32_t)cursor_varint(&c);
    *groups = m->found;
    *n = (size_t)k;
    return c.failed ? err_set(e, ERR_BUG, "memberships: malformed list") : 0;
}
