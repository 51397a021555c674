#include "store/idlist.h"

bool idlist_next(struct idlist *l, uint32_t *pair)
{
    if (l->left.failed || !l->left.in.len) return false;
    uint64_t step = cursor_varint(&l->left);
    if (!step || step > UINT32_MAX - l->last) l->left.failed = true;
    if (l->left.failed) return false;
    l->last += (uint32_t)step;
    *pair = l->last;
    return true;
}

void idlist_add(struct idlist_writer *w, uint32_t pair)
{
    buf_add_varint(w->out, pair - w->last);
    w->last = pair;
}
