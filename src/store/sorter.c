#include "store/sorter.h"

#include <stdlib.h>

#define PIECE_MAX ((size_t)1 << 19) /* 4 MB, and as much while it is sorted */
#define PIECE_MIN ((size_t)1 << 10)

struct sorter sorter_new(void)
{
    return (struct sorter){.tape = tape_new()};
}

struct sorter_piece {
    struct tape_reader reader;
    uint64_t head;
    bool done;
};

void sorter_free(struct sorter *s)
{
    for (size_t i = 0; s->pieces && i < s->n_pieces; i++) tape_reader_free(&s->pieces[i].reader);
    free(s->pieces);
    free(s->ends);
    free(s->at);
    tape_free(&s->tape);
    *s = sorter_new();
}

static void insertion_sort(uint64_t *at, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        uint64_t v = at[i];
        size_t k = i;
        for (; k && at[k - 1] > v; k--) at[k] = at[k - 1];
        at[k] = v;
    }
}

/* One digit of a least-significant-first radix sort; false: all have the same, nothing moved. */
static bool sort_digit(const uint64_t *from, uint64_t *to, size_t n, unsigned shift)
{
    size_t count[256] = {0}, sum = 0;
    for (size_t i = 0; i < n; i++) count[from[i] >> shift & 255]++;
    if (count[from[0] >> shift & 255] == n) return false;
    for (size_t d = 0; d < 256; d++) {
        size_t c = count[d];
        count[d] = sum;
        sum += c;
    }
    for (size_t i = 0; i < n; i++) to[count[from[i] >> shift & 255]++] = from[i];
    return true;
}

void sort_u64(uint64_t *at, uint64_t *spare, size_t n)
{
    if (n < 128) {
        insertion_sort(at, n);
        return;
    }
    uint64_t *from = at, *to = spare;
    for (unsigned shift = 0; shift < 64; shift += 8) {
        if (!sort_digit(from, to, n, shift)) continue;
        uint64_t *t = from;
        from = to;
        to = t;
    }
    if (from != at) memcpy(at, from, n * sizeof *at);
}

static void sort_piece(struct sorter *s)
{
    uint64_t *spare = x_alloc(s->n * sizeof *spare);
    sort_u64(s->at, spare, s->n);
    free(spare);
}

static int put_piece(struct sorter *s, struct err *e)
{
    sort_piece(s);
    try(tape_add(&s->tape, (struct bytes){(const uint8_t *)s->at, s->n * sizeof *s->at}, e));
    s->ends = x_realloc(s->ends, (s->n_pieces + 1) * sizeof *s->ends);
    s->ends[s->n_pieces++] = tape_length(&s->tape);
    s->n = 0;
    return 0;
}

static int make_room(struct sorter *s, struct err *e)
{
    if (s->cap >= PIECE_MAX) return put_piece(s, e);
    s->cap = s->cap ? s->cap * 2 : PIECE_MIN;
    s->at = x_realloc(s->at, s->cap * sizeof *s->at);
    return 0;
}

int sorter_add(struct sorter *s, uint64_t v, struct err *e)
{
    if (s->n == s->cap) try(make_room(s, e));
    s->at[s->n++] = v;
    return 0;
}

static int advance(struct sorter_piece *p, struct err *e)
{
    struct bytes b;
    p->done = tape_reader_done(&p->reader);
    if (p->done) return 0;
    try(tape_next(&p->reader, sizeof p->head, &b, e));
    memcpy(&p->head, b.ptr, sizeof p->head);
    return 0;
}

int sorter_sort(struct sorter *s, struct err *e)
{
    if (!s->n_pieces) { /* few: they stay where they are */
        sort_piece(s);
        return 0;
    }
    if (s->n) try(put_piece(s, e));
    free(s->at);
    s->at = NULL;
    s->pieces = x_zalloc(s->n_pieces * sizeof *s->pieces);
    for (size_t i = 0; i < s->n_pieces; i++) {
        s->pieces[i].reader = tape_reader_new(&s->tape, i ? s->ends[i - 1] : 0, s->ends[i]);
        try(advance(&s->pieces[i], e));
    }
    return 0;
}

/* Pieces are few (a billion numbers make a thousand): the smallest head is looked for one by one. */
static int take_smallest(struct sorter *s, uint64_t *out, struct err *e)
{
    struct sorter_piece *best = NULL;
    for (size_t i = 0; i < s->n_pieces; i++) {
        struct sorter_piece *p = &s->pieces[i];
        if (!p->done && (!best || p->head < best->head)) best = p;
    }
    if (!best) return 0;
    *out = best->head;
    try(advance(best, e));
    return 1;
}

int sorter_next(struct sorter *s, uint64_t *out, struct err *e)
{
    for (;;) {
        if (!s->pieces) {
            if (s->next >= s->n) return 0;
            *out = s->at[s->next++];
        } else {
            int rc = take_smallest(s, out, e);
            if (rc <= 0) return rc;
        }
        if (s->any && *out == s->last) continue;
        s->any = true;
        s->last = *out;
        return 1;
    }
}
