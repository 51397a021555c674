#include "access/sets/sets_image.h"

#include <roaring/roaring.h>
#include <stdlib.h>

/* The frozen form (CRoaring, roaring.h): bit containers, runs, arrays, then a key, a count and a type for
 * each container, and a word. */
enum container_type { BITS = 1, ARRAY = 2, RUNS = 3 };
#define NOBODY_KEY UINT32_MAX
enum {
    WORDS = 1024,
    SUMMARIES = 16,
    BITS_SIZE = 8192,
    ARRAY_MAX = 4096,
    COOKIE = 13766,
    ROW = 5,
    ALIGN = 32
};

/* --- memory ----------------------------------------------------------------------------------------------
 */

struct area_piece {
    struct area_piece *before;
    size_t size, used;
};
enum { SMALL = 64 << 10, MIDDLE = 2 << 20, PIECE = 4 << 20 };

uint8_t *area_alloc(struct area *a, size_t n)
{
    size_t size = (n + ALIGN - 1) & ~(size_t)(ALIGN - 1),
           head = (sizeof(struct area_piece) + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    if (!a->last || size > a->last->size - a->last->used) {
        size_t want = !a->last ? SMALL : a->held < PIECE ? MIDDLE : PIECE;
        if (want < size + head) want = size + head;
        struct area_piece *p = NULL;
        if (posix_memalign((void **)&p, ALIGN, want) != 0) x_out_of_memory();
        *p = (struct area_piece){a->last, want, head};
        a->last = p;
        a->held += want;
    }
    uint8_t *at = (uint8_t *)a->last + a->last->used;
    a->last->used += size;
    a->used += size;
    return at;
}

void area_free(struct area *a)
{
    for (struct area_piece *p = a->last, *before; p; p = before) {
        before = p->before;
        free(p);
    }
    *a = (struct area){0};
}

/* --- an image's parts -------------------------------------------------------------------------------------
 */

struct parts {
    const uint8_t *bits, *runs, *arrays, *keys, *counts, *types;
    uint32_t n;
};

static uint32_t u16_at(const uint8_t *p, size_t i)
{
    uint16_t v;
    memcpy(&v, p + 2 * i, sizeof v);
    return v;
}

static struct parts parts_of(const struct image *i)
{
    struct parts p = {0};
    uint32_t word;
    size_t n_bits = 0, n_runs = 0;
    if (!i->bytes || i->n_bytes < sizeof word) return p;
    memcpy(&word, i->bytes + i->n_bytes - sizeof word, sizeof word);
    p.n = word >> 15;
    p.types = i->bytes + i->n_bytes - sizeof word - p.n;
    p.counts = p.types - 2 * (size_t)p.n;
    p.keys = p.counts - 2 * (size_t)p.n;
    for (uint32_t k = 0; k < p.n; k++) {
        n_bits += p.types[k] == BITS;
        n_runs += p.types[k] == RUNS ? u16_at(p.counts, k) : 0;
    }
    p.bits = i->bytes;
    p.runs = p.bits + n_bits * BITS_SIZE;
    p.arrays = p.runs + n_runs * 4;
    return p;
}

/* The next container's bytes: p's places move on. */
static const uint8_t *next_container(struct parts *p, uint32_t k)
{
    const uint8_t *at = NULL;
    uint32_t count = u16_at(p->counts, k);
    if (p->types[k] == BITS) {
        at = p->bits;
        p->bits += BITS_SIZE;
    } else if (p->types[k] == RUNS) {
        at = p->runs;
        p->runs += 4 * (size_t)count;
    } else {
        at = p->arrays;
        p->arrays += 2 * ((size_t)count + 1);
    }
    return at;
}

static bool sorted_has(const uint8_t *array, uint32_t n, uint32_t low16)
{
    uint32_t low = 0, high = n;
    while (low < high) {
        uint32_t middle = (low + high) / 2, v = u16_at(array, middle);
        if (v == low16) return true;
        if (v < low16)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

static bool runs_have(const uint8_t *runs, uint32_t n, uint32_t low16)
{
    uint32_t low = 0, high = n;
    while (low < high) {
        uint32_t middle = (low + high) / 2, start = u16_at(runs, 2 * (size_t)middle);
        if (low16 >= start && low16 <= start + u16_at(runs, 2 * (size_t)middle + 1)) return true;
        if (start < low16)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

bool image_has(const struct image *i, uint32_t v)
{
    struct parts p = parts_of(i);
    uint32_t low16 = v & 0xffff;
    for (uint32_t k = 0; k < p.n; k++) {
        const uint8_t *at = next_container(&p, k);
        if (u16_at(p.keys, k) != v >> 16) continue;
        uint32_t count = u16_at(p.counts, k);
        if (p.types[k] == BITS) return at[low16 >> 3] >> (low16 & 7) & 1;
        return p.types[k] == RUNS ? runs_have(at, count, low16) : sorted_has(at, count + 1, low16);
    }
    return false;
}

/* The last number in it; SIZE_MAX if they do not ascend, which CRoaring takes for granted. */
static size_t last_of(uint8_t type, const uint8_t *at, uint32_t count)
{
    size_t last = 0;
    if (type == BITS) {
        for (size_t b = BITS_SIZE; b-- > 0;)
            if (at[b]) return b * 8 + (size_t)(31 - __builtin_clz(at[b]));
        return SIZE_MAX;
    }
    if (type == ARRAY) {
        for (size_t i = 0; i <= count; i++) {
            size_t v = u16_at(at, i);
            if (i && v <= last) return SIZE_MAX;
            last = v;
        }
        return last;
    }
    for (size_t i = 0; i < count; i++) {
        size_t start = u16_at(at, 2 * i);
        if (i && start <= last) return SIZE_MAX;
        last = start + u16_at(at, 2 * i + 1);
    }
    return count ? last : SIZE_MAX;
}

bool image_is_sound(const struct image *i, uint32_t n)
{
    uint32_t word, before = 0;
    if (!i->bytes) return !i->n_bytes && !i->count;
    if (i->n_bytes < sizeof word || (uintptr_t)i->bytes % ALIGN) return false;
    memcpy(&word, i->bytes + i->n_bytes - sizeof word, sizeof word);
    if ((word & 0x7fff) != COOKIE || (uint64_t)(word >> 15) * ROW + sizeof word > i->n_bytes) return false;
    struct parts p = parts_of(i);
    uint64_t sum = (uint64_t)p.n * ROW + sizeof word, size[4] = {0, BITS_SIZE, 2, 4};
    for (uint32_t k = 0; k < p.n; k++) {
        uint8_t type = p.types[k];
        if (type < BITS || type > RUNS) return false;
        sum += type == BITS ? BITS_SIZE : size[type] * (u16_at(p.counts, k) + (uint64_t)(type == ARRAY));
    }
    if (sum != i->n_bytes) return false;
    for (uint32_t k = 0; k < p.n; k++) {
        uint32_t key = u16_at(p.keys, k);
        size_t last = last_of(p.types[k], next_container(&p, k), u16_at(p.counts, k));
        if ((k && key <= before) || last > 0xffff || ((uint64_t)key << 16) + last >= n) return false;
        before = key;
    }
    return true;
}

const struct roaring_bitmap_s *image_view(const struct image *i)
{
    return i->bytes ? roaring_bitmap_frozen_view((const char *)i->bytes, i->n_bytes)
                    : roaring_bitmap_create();
}

uint64_t image_hash(const void *p, size_t n)
{
    const uint8_t *at = p;
    uint64_t h[2] = {0x9E3779B97F4A7C15u ^ n, 0xC2B2AE3D27D4EB4Fu};
    for (; n >= 16; n -= 16, at += 16) {
        uint64_t w[2];
        memcpy(w, at, sizeof w);
        unsigned __int128 m = (unsigned __int128)(w[0] ^ h[0]) * (w[1] ^ 0xE7037ED1A0B428DBu);
        h[0] = (uint64_t)m ^ (uint64_t)(m >> 64) ^ h[1];
        h[1] = (h[1] << 17 | h[1] >> 47) + w[0];
    }
    uint64_t w[2] = {0};
    if (n) memcpy(w, at, n);
    unsigned __int128 m =
        (unsigned __int128)(w[0] ^ h[0] ^ 0x8EBC6AF09C88C6E3u) * (w[1] ^ h[1] ^ 0x589965CC75374CC3u);
    return (uint64_t)m ^ (uint64_t)(m >> 64) ^ h[0];
}

/* --- plain bits --------------------------------------------------------------------------------------------
 */

struct container_info {
    uint32_t count, n_runs;
    uint8_t type;
};

/* Keeps the newest piece if it is the only one. */
static void area_clear(struct area *a)
{
    if (a->last && a->last->before)
        area_free(a);
    else if (a->last)
        a->last->used = (sizeof(struct area_piece) + ALIGN - 1) & ~(size_t)(ALIGN - 1);
}

struct scratch scratch_new(uint32_t n)
{
    struct scratch s = {.n = n, .n_containers = (uint32_t)(((uint64_t)n + 0xffff) >> 16)};
    s.words = x_zalloc(((size_t)s.n_containers * WORDS + 1) * sizeof *s.words);
    s.summary = x_zalloc(((size_t)s.n_containers * SUMMARIES + 1) * sizeof *s.summary);
    s.info = x_zalloc(((size_t)s.n_containers + 1) * sizeof *s.info);
    return s;
}

void scratch_free(struct scratch *s)
{
    free(s->words);
    free(s->summary);
    free(s->info);
    *s = (struct scratch){0};
}

void scratch_fill(struct scratch *s)
{
    memset(s->words, 0xff, (size_t)s->n / 64 * sizeof *s->words);
    memset(s->summary, 0xff, (size_t)s->n_containers * SUMMARIES * sizeof *s->summary);
    if (s->n % 64) s->words[s->n / 64] |= ((uint64_t)1 << s->n % 64) - 1;
}

/* Numbers first..last of one container. */
static void change_run(uint64_t *words, uint64_t *summary, uint32_t first, uint32_t last, bool is_on)
{
    for (uint32_t w = first / 64; w <= last / 64; w++) {
        uint64_t mask = ~(uint64_t)0;
        if (w == first / 64) mask &= ~(uint64_t)0 << first % 64;
        if (w == last / 64) mask &= ~(uint64_t)0 >> (63 - last % 64);
        if (is_on) {
            words[w] |= mask;
            summary[w / 64] |= (uint64_t)1 << w % 64;
        } else
            words[w] &= ~mask;
    }
}

static void or_container(uint64_t *restrict words, uint64_t *restrict summary, uint8_t type,
                         const uint8_t *restrict at, uint32_t count)
{
    if (type == ARRAY) {
        const uint16_t *v = (const uint16_t *)(const void *)at;
        for (size_t i = 0; i <= count; i++) {
            words[v[i] >> 6] |= (uint64_t)1 << (v[i] & 63);
            summary[v[i] >> 12] |= (uint64_t)1 << (v[i] >> 6 & 63);
        }
    } else if (type == BITS) {
        const uint64_t *from = (const uint64_t *)(const void *)at;
        for (size_t i = 0; i < WORDS; i++) words[i] |= from[i];
        memset(summary, 0xff, SUMMARIES * sizeof *summary);
    } else
        for (size_t i = 0; i < count; i++) {
            uint32_t first = u16_at(at, 2 * i);
            change_run(words, summary, first, first + u16_at(at, 2 * i + 1), true);
        }
}

static void andnot_container(uint64_t *restrict words, uint8_t type, const uint8_t *restrict at,
                             uint32_t count)
{
    if (type == ARRAY) {
        const uint16_t *v = (const uint16_t *)(const void *)at;
        for (size_t i = 0; i <= count; i++) words[v[i] >> 6] &= ~((uint64_t)1 << (v[i] & 63));
    } else if (type == BITS) {
        const uint64_t *from = (const uint64_t *)(const void *)at;
        for (size_t i = 0; i < WORDS; i++) words[i] &= ~from[i];
    } else
        for (size_t i = 0; i < count; i++) {
            uint32_t first = u16_at(at, 2 * i);
            change_run(words, NULL, first, first + u16_at(at, 2 * i + 1), false);
        }
}

void scratch_or(struct scratch *s, const struct image *i)
{
    struct parts p = parts_of(i);
    for (uint32_t k = 0; k < p.n; k++) {
        size_t key = u16_at(p.keys, k);
        const uint8_t *at = next_container(&p, k);
        or_container(s->words + key * WORDS, s->summary + key * SUMMARIES, p.types[k], at,
                     u16_at(p.counts, k));
    }
}

void scratch_andnot(struct scratch *s, const struct image *i)
{
    struct parts p = parts_of(i);
    for (uint32_t k = 0; k < p.n; k++) {
        size_t key = u16_at(p.keys, k);
        const uint8_t *at = next_container(&p, k);
        andnot_container(s->words + key * WORDS, p.types[k], at, u16_at(p.counts, k));
    }
}

/* --- from bits to bytes
 * -------------------------------------------------------------------------------------- */

/* Compiled twice: for any processor, and for those that count and find bits in one instruction. */
#define INLINE static inline __attribute__((always_inline))

INLINE uint32_t count_container(const uint64_t *words, const uint64_t *summary)
{
    uint32_t n = 0;
    for (size_t k = 0; k < SUMMARIES; k++) {
        const uint64_t *at = words + 64 * k;
        if (summary[k] == ~(uint64_t)0)
            for (size_t i = 0; i < 64; i++) n += (uint32_t)__builtin_popcountll(at[i]);
        else
            for (uint64_t rest = summary[k]; rest; rest &= rest - 1)
                n += (uint32_t)__builtin_popcountll(at[__builtin_ctzll(rest)]);
    }
    return n;
}

/* A run begins where a bit is set whose lower neighbour is not. */
INLINE uint32_t count_runs(const uint64_t *words)
{
    uint64_t carry = 0;
    uint32_t n = 0;
    for (size_t i = 0; i < WORDS; i++) {
        n += (uint32_t)__builtin_popcountll(words[i] & ~(words[i] << 1 | carry));
        carry = words[i] >> 63;
    }
    return n;
}

INLINE void measure_all(struct scratch *s)
{
    for (size_t c = 0; c < s->n_containers; c++) {
        struct container_info *x = &s->info[c];
        const uint64_t *words = s->words + c * WORDS;
        x->count = count_container(words, s->summary + c * SUMMARIES);
        x->type = ARRAY;
        if (x->count <= ARRAY_MAX) continue;
        x->n_runs = count_runs(words);
        x->type = x->n_runs * 4 < BITS_SIZE ? RUNS : BITS;
    }
}

INLINE void write_array(uint16_t *out, const uint64_t *words, const uint64_t *summary)
{
    for (uint32_t k = 0; k < SUMMARIES; k++)
        for (uint64_t rest = summary[k]; rest; rest &= rest - 1) {
            uint32_t at = 64 * k + (uint32_t)__builtin_ctzll(rest);
            for (uint64_t w = words[at]; w; w &= w - 1)
                *out++ = (uint16_t)(64 * at + (uint32_t)__builtin_ctzll(w));
        }
}

INLINE void write_runs(uint16_t *out, const uint64_t *words, uint32_t n)
{
    uint32_t at = 0;
    for (uint32_t i = 0; i < n; i++) {
        while (!(words[at / 64] >> at % 64)) at = (at / 64 + 1) * 64;
        at += (uint32_t)__builtin_ctzll(words[at / 64] >> at % 64);
        uint32_t first = at;
        while (at < 0x10000 && !(~words[at / 64] >> at % 64)) at = (at / 64 + 1) * 64;
        if (at < 0x10000) at += (uint32_t)__builtin_ctzll(~words[at / 64] >> at % 64);
        *out++ = (uint16_t)first;
        *out++ = (uint16_t)(at - first - 1);
    }
}

INLINE void write_containers(struct scratch *s, uint8_t *bits, uint16_t *runs, uint16_t *arrays)
{
    for (size_t c = 0; c < s->n_containers; c++) {
        const struct container_info *x = &s->info[c];
        uint64_t *words = s->words + c * WORDS, *summary = s->summary + c * SUMMARIES;
        if (!x->count) continue;
        if (x->type == BITS) {
            memcpy(bits, words, BITS_SIZE);
            bits += BITS_SIZE;
        } else if (x->type == RUNS) {
            write_runs(runs, words, x->n_runs);
            runs += 2 * (size_t)x->n_runs;
        } else {
            write_array(arrays, words, summary);
            arrays += x->count;
        }
    }
}

typedef void measure_fn(struct scratch *s);
typedef void write_fn(struct scratch *s, uint8_t *bits, uint16_t *runs, uint16_t *arrays);

static void measure_any(struct scratch *s)
{
    measure_all(s);
}

static void write_any(struct scratch *s, uint8_t *bits, uint16_t *runs, uint16_t *arrays)
{
    write_containers(s, bits, runs, arrays);
}

#ifdef __x86_64__
#define QUICK __attribute__((target("popcnt,bmi")))
QUICK static void measure_quick(struct scratch *s)
{
    measure_all(s);
}

QUICK static void write_quick(struct scratch *s, uint8_t *bits, uint16_t *runs, uint16_t *arrays)
{
    write_containers(s, bits, runs, arrays);
}

static bool is_quick(void)
{
    return __builtin_cpu_supports("popcnt") && __builtin_cpu_supports("bmi");
}
#else
#define measure_quick measure_any
#define write_quick   write_any
static bool is_quick(void)
{
    return false;
}
#endif

static void clear(struct scratch *s)
{
    for (size_t k = 0; k < (size_t)s->n_containers * SUMMARIES; k++) {
        uint64_t *at = s->words + 64 * k, rest = s->summary[k];
        if (__builtin_popcountll(rest) > 8)
            memset(at, 0, 64 * sizeof *at);
        else
            for (; rest; rest &= rest - 1) at[__builtin_ctzll(rest)] = 0;
        s->summary[k] = 0;
    }
}

static uint8_t *write_rows(const struct scratch *s, uint8_t *keys, uint32_t n)
{
    uint8_t *counts = keys + 2 * (size_t)n, *types = counts + 2 * (size_t)n;
    for (uint32_t c = 0; c < s->n_containers; c++) {
        const struct container_info *x = &s->info[c];
        if (!x->count) continue;
        uint16_t key = (uint16_t)c, count = (uint16_t)(x->type == RUNS ? x->n_runs : x->count - 1);
        memcpy(keys, &key, 2);
        memcpy(counts, &count, 2);
        *types++ = x->type;
        keys += 2;
        counts += 2;
    }
    return types;
}

static void write_image(struct scratch *s, uint8_t *at, size_t n_bits, size_t n_runs, size_t n_array,
                        uint32_t n)
{
    uint8_t *runs = at + n_bits * BITS_SIZE, *arrays = runs + 4 * n_runs;
    uint32_t word = n << 15 | COOKIE;
    (is_quick() ? write_quick : write_any)(s, at, (uint16_t *)(void *)runs, (uint16_t *)(void *)arrays);
    memcpy(write_rows(s, arrays + 2 * n_array, n), &word, sizeof word);
}

struct image scratch_take(struct scratch *s, struct area *to)
{
    size_t n_bits = 0, n_runs = 0, n_array = 0;
    uint32_t n = 0;
    struct image i = {0};
    (is_quick() ? measure_quick : measure_any)(s);
    for (size_t c = 0; c < s->n_containers; c++) {
        const struct container_info *x = &s->info[c];
        if (!x->count) continue;
        n++;
        i.count += x->count;
        n_bits += x->type == BITS;
        n_runs += x->type == RUNS ? x->n_runs : 0;
        n_array += x->type == ARRAY ? x->count : 0;
    }
    if (n) {
        i.n_bytes = (uint32_t)(n_bits * BITS_SIZE + n_runs * 4 + n_array * 2 + (size_t)n * ROW + 4);
        uint8_t *at = area_alloc(to, i.n_bytes);
        write_image(s, at, n_bits, n_runs, n_array, n);
        i.bytes = at;
    }
    clear(s);
    return i;
}

uint32_t scratch_take_count(struct scratch *s)
{
    uint32_t n = 0;
    (is_quick() ? measure_quick : measure_any)(s);
    for (size_t c = 0; c < s->n_containers; c++) n += s->info[c].count;
    clear(s);
    return n;
}

/* --- small changes
 * ------------------------------------------------------------------------------------------------ */

struct piece {           /* a container of the image that is made */
    uint32_t key, count; /* as in the row: less one, or runs */
    uint8_t type;
    const uint8_t *at;
    size_t size;
};

static size_t piece_size(uint8_t type, uint32_t count)
{
    return type == BITS ? BITS_SIZE : type == RUNS ? 4 * (size_t)count : 2 * ((size_t)count + 1);
}

/* One container as plain bits, changed, and written again as scratch_take would. False: nothing is left. */
static bool change_piece(struct scratch *one, struct piece *p, const struct image_change *changes, size_t n,
                         struct area *room)
{
    if (p->at) or_container(one->words, one->summary, p->type, p->at, p->count);
    for (size_t i = 0; i < n; i++)
        if (changes[i].is_in)
            scratch_add(one, changes[i].number & 0xffff);
        else
            scratch_remove(one, changes[i].number & 0xffff);
    struct image i = scratch_take(one, room);
    if (!i.count) return false;
    struct parts parts = parts_of(&i);
    p->type = parts.types[0];
    p->count = u16_at(parts.counts, 0);
    p->at = i.bytes;
    p->size = piece_size(p->type, p->count);
    return true;
}

static struct image join(const struct piece *pieces, uint32_t n, struct area *to)
{
    struct image out = {0};
    size_t size[4] = {0};
    for (uint32_t i = 0; i < n; i++) size[pieces[i].type] += pieces[i].size;
    if (!n) return out;
    out.n_bytes = (uint32_t)(size[BITS] + size[RUNS] + size[ARRAY] + (size_t)n * ROW + 4);
    uint8_t *at = area_alloc(to, out.n_bytes),
            *zone[4] = {NULL, at, at + size[BITS] + size[RUNS], at + size[BITS]};
    uint8_t *keys = zone[ARRAY] + size[ARRAY], *counts = keys + 2 * (size_t)n,
            *types = counts + 2 * (size_t)n;
    for (uint32_t i = 0; i < n; i++) {
        uint16_t key = (uint16_t)pieces[i].key, count = (uint16_t)pieces[i].count;
        memcpy(zone[pieces[i].type], pieces[i].at, pieces[i].size);
        zone[pieces[i].type] += pieces[i].size;
        memcpy(keys + 2 * (size_t)i, &key, 2);
        memcpy(counts + 2 * (size_t)i, &count, 2);
        types[i] = pieces[i].type;
    }
    uint32_t word = n << 15 | COOKIE;
    memcpy(types + n, &word, sizeof word);
    out.bytes = at;
    return out;
}

static uint32_t count_piece(const struct piece *p)
{
    uint32_t n = 0;
    if (p->type == ARRAY) return p->count + 1;
    if (p->type == BITS) return p->count + 1;
    for (uint32_t i = 0; i < p->count; i++) n += u16_at(p->at, 2 * (size_t)i + 1) + 1;
    return n;
}

struct patcher patcher_new(void)
{
    return (struct patcher){.one = scratch_new(0x10000)};
}

void patcher_free(struct patcher *p)
{
    scratch_free(&p->one);
    area_free(&p->room);
}

struct image image_patch(struct patcher *with, const struct image *from, const struct image_change *changes,
                         size_t n, struct area *to)
{
    struct parts parts = parts_of(from);
    struct piece *pieces = x_alloc((parts.n + n + 1) * sizeof *pieces);
    uint32_t n_pieces = 0, k = 0, count = 0;
    for (size_t c = 0; k < parts.n || c < n;) {
        uint32_t here = k < parts.n ? u16_at(parts.keys, k) : NOBODY_KEY,
                 wanted = c < n ? changes[c].number >> 16 : NOBODY_KEY;
        struct piece *p = &pieces[n_pieces];
        *p = (struct piece){.key = here < wanted ? here : wanted};
        if (here == p->key) {
            p->type = parts.types[k];
            p->count = u16_at(parts.counts, k);
            p->size = piece_size(p->type, p->count);
            p->at = next_container(&parts, k++);
        }
        size_t first = c;
        while (c < n && changes[c].number >> 16 == p->key) c++;
        if (first < c && !change_piece(&with->one, p, changes + first, c - first, &with->room)) continue;
        count += count_piece(p);
        n_pieces++;
    }
    struct image out = join(pieces, n_pieces, to);
    out.count = count;
    area_clear(&with->room);
    free(pieces);
    return out;
}
