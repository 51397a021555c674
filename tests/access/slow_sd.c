/* slow_sd.c - reads a self-relative security descriptor, MS-DTYP 2.4.6, by offsets and comparisons. */
#include "slow_int.h"

#include <stdlib.h>

/* Little-endian numbers at an offset that is known to be inside. */
static unsigned two(const uint8_t *p)
{
    return p[0] + 256u * p[1];
}

static uint64_t four(const uint8_t *p)
{
    return two(p) + 65536ull * two(p + 2);
}

/* 2.4.2: revision, count, authority (6), count x 4. 0: no SID there that ends before `end`. */
static size_t sid_length(const uint8_t *p, const uint8_t *end)
{
    if (end - p < 8 || p[0] != 1 || p[1] > 15) return 0;
    size_t need = 8 + 4u * p[1];
    return (size_t)(end - p) < need ? 0 : need;
}

static bool read_sid(struct bytes in, uint64_t offset, struct bytes *out)
{
    *out = (struct bytes){NULL, 0};
    if (offset == 0) return true;
    if (offset < 20 || offset > in.len) return false;
    out->ptr = in.ptr + offset;
    out->len = sid_length(out->ptr, in.ptr + in.len);
    return out->len > 0;
}

/* 2.4.4.1: which types have which body. */
static char body_kind(unsigned type)
{
    static const char kinds[] = "ppp??ooo?ppoop?o?ppp"; /* plain, object, not known */
    return type < sizeof kinds - 1 ? kinds[type] : '?';
}

static bool read_one(const uint8_t *p, size_t size, struct slow_ace *a)
{
    const uint8_t *end = p + size, *at = p + 4;
    char kind = body_kind(p[0]);
    *a = (struct slow_ace){.type = p[0], .flags = p[1], .is_known = kind != '?'};
    if (!a->is_known) {
        a->rest = (struct bytes){at, (size_t)(end - at)};
        return true;
    }
    if (end - at < 4) return false;
    a->mask = (uint32_t)four(at);
    at += 4;
    if (kind == 'o') {
        if (end - at < 4) return false;
        uint64_t which = four(at);
        at += 4;
        size_t need = (which & 1 ? 16 : 0) + (which & 2 ? 16 : 0);
        if ((size_t)(end - at) < need) return false;
        if (which & 1) a->object = at;
        if (which & 2) a->inherited = at + (which & 1 ? 16 : 0);
        at += need;
    }
    a->sid = (struct bytes){at, sid_length(at, end)};
    if (!a->sid.len) return false;
    a->rest = (struct bytes){at + a->sid.len, (size_t)(end - at) - a->sid.len};
    return true;
}

/* 2.4.5: revision, 0, size, count, 0; then the ACEs. 0: well, else the number of the ACE that is not, or -1 for the list itself. */
static int read_list(struct slow_sd *sd, struct bytes in, uint64_t offset)
{
    if (offset < 20 || offset > in.len || in.len - offset < 8) return -1;
    const uint8_t *list = in.ptr + offset;
    size_t size = two(list + 2), n = two(list + 4), at = 8;
    if (list[0] < 2 || list[0] > 4 || size < 8 || size > in.len - offset) return -1;
    sd->aces = calloc(n + 1, sizeof *sd->aces);
    for (; sd->n_aces < n; sd->n_aces++) {
        if (size - at < 4) return (int)sd->n_aces + 1;
        size_t own = two(list + at + 2);
        if (own < 4 || own > size - at || !read_one(list + at, own, &sd->aces[sd->n_aces])) return (int)sd->n_aces + 1;
        at += own;
    }
    return 0;
}

static bool read_all(struct slow_sd *sd, struct bytes in, struct slow_place *where)
{
    where->what = SLOW_HEADER;
    if (in.len < 20 || in.ptr[0] != 1) return false;
    sd->control = two(in.ptr + 2);
    if (!(sd->control & 0x8000)) return false;
    where->what = SLOW_OWNER;
    if (!read_sid(in, four(in.ptr + 4), &sd->owner)) return false;
    where->what = SLOW_GROUP;
    if (!read_sid(in, four(in.ptr + 8), &sd->group)) return false;
    uint64_t list = four(in.ptr + 16);
    sd->is_present = sd->control & 4;
    sd->is_null = !list;
    if (!sd->is_present || sd->is_null) return true;
    int bad = read_list(sd, in, list);
    where->what = bad > 0 ? SLOW_ACE : SLOW_DACL;
    where->ace = bad > 0 ? (unsigned)bad : 0;
    return bad == 0;
}

struct slow_sd *slow_read(struct bytes in, struct slow_place *where)
{
    struct slow_sd *sd = calloc(1, sizeof *sd);
    if (read_all(sd, in, where)) return sd;
    slow_free(sd);
    return NULL;
}

void slow_free(struct slow_sd *sd)
{
    if (sd) free(sd->aces);
    free(sd);
}

static bool same_place(const uint8_t *mine, const uint8_t *theirs)
{
    return mine == theirs;
}

static bool same_slice(struct bytes mine, struct bytes theirs)
{
    return mine.len == theirs.len && (!mine.len || mine.ptr == theirs.ptr);
}

static bool same_ace(const struct slow_ace *m, const struct ace *t)
{
    if (m->type != t->type || m->flags != t->flags || !same_slice(m->rest, t->rest)) return false;
    if (!m->is_known) return !t->trustee.len;
    return m->mask == t->mask && same_place(m->object, t->object_type) && same_place(m->inherited, t->inherited_object_type) &&
           same_slice(m->sid, t->trustee);
}

bool slow_same(const struct slow_sd *mine, const struct sd *theirs)
{
    if (mine->control != theirs->control || !same_slice(mine->owner, theirs->owner) || !same_slice(mine->group, theirs->group)) return false;
    if (mine->is_present != theirs->has_dacl || (mine->is_present && mine->is_null) != theirs->is_null_dacl) return false;
    if (mine->n_aces != theirs->n_aces) return false;
    struct bytes rest = theirs->dacl;
    struct ace a;
    for (unsigned i = 0; i < mine->n_aces; i++)
        if (!sd_next_ace(&rest, &a) || !same_ace(&mine->aces[i], &a)) return false;
    return !sd_next_ace(&rest, &a);
}
