#include "model/keep.h"

static bool is_kept(unsigned flags, enum attr id)
{
    return (flags & RECORD_KEEP_MFA && id >= 300 && id <= 309) || (flags & RECORD_KEEP_SIGN_IN && id >= 310 && id <= 319) ||
           (flags & RECORD_KEEP_OWNERS && id == ATTR_OWNERS);
}

/* One body, entry by entry: those that are kept, or those that are not. */
struct entries {
    struct cursor rest;
    unsigned flags;
    bool wants_kept;
    enum attr id;       /* of the present entry */
    struct bytes bytes; /* it, whole; empty past the last */
};

static void step(struct entries *x)
{
    struct values v;
    do {
        struct bytes from = x->rest.in;
        x->bytes = (struct bytes){0};
        if (!body_next(&x->rest, &v)) return;
        x->id = v.id;
        x->bytes = (struct bytes){from.ptr, from.len - x->rest.in.len};
    } while (is_kept(x->flags, x->id) != x->wants_kept);
}

static struct entries start(struct bytes body, unsigned flags, bool wants_kept)
{
    struct entries x = {.rest = cursor_new(body), .flags = flags, .wants_kept = wants_kept};
    step(&x);
    return x;
}

static void merge(struct buf *out, unsigned flags, struct bytes now, struct bytes before)
{
    struct entries a = start(now, flags, false), b = start(before, flags, true);
    while (a.bytes.len || b.bytes.len) {
        struct entries *next = !b.bytes.len || (a.bytes.len && a.id < b.id) ? &a : &b;
        buf_add_bytes(out, next->bytes);
        step(next);
    }
}

/* All of now, and of before what now does not have. A custom property is one attribute with all others of its kind. */
static void fill(struct buf *out, struct bytes now, struct bytes before)
{
    struct entries a = start(now, 0, false), b = start(before, 0, false);
    while (a.bytes.len || b.bytes.len) {
        bool is_old = b.bytes.len && (!a.bytes.len || b.id < a.id);
        enum attr id = is_old ? b.id : a.id;
        for (struct entries *from = is_old ? &b : &a; from->bytes.len && from->id == id; step(from)) buf_add_bytes(out, from->bytes);
        while (b.bytes.len && b.id == id) step(&b);
    }
}

void record_keep(struct buf *state, struct buf *stats, const struct record *now, const struct record *before)
{
    static const struct record nothing;
    if (!before) before = &nothing;
    if (now->flags & RECORD_KEEP_ABSENT) {
        fill(state, now->state, before->state);
        fill(stats, now->stats, before->stats);
        return;
    }
    if (!(now->flags & RECORD_KEEP)) {
        buf_add_bytes(state, now->state);
        buf_add_bytes(stats, now->stats);
        return;
    }
    merge(state, now->flags, now->state, before->state);
    merge(stats, now->flags, now->stats, before->stats);
}
