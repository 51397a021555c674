/* sets_image.h - a set of small numbers as CRoaring's frozen bytes, and the plain bits in which sets are put together.
 *
 * An image is what roaring_bitmap_frozen_serialize would write: containers of 65,536 numbers as bits, runs or sorted arrays. It needs no
 * decoding: in memory and in a mapped file it is the same, roaring_bitmap_frozen_view opens it for CRoaring's own algebra. Made here
 * directly from bits, because that is several times as quick as through a bitmap object (bench "access").
 * A scratch is one set as plain bits, with a second level that knows which words are not zero, so that its cost follows what is in it.
 */
#ifndef ROLLCALL_ACCESS_SETS_IMAGE_H
#define ROLLCALL_ACCESS_SETS_IMAGE_H

#include "base/base.h"

struct image {
    const uint8_t *bytes; /* 32-aligned; NULL: of the empty set */
    uint32_t n_bytes;
    uint32_t count;
};

/* Where images live: grows by large pieces, freed as a whole. */
struct area {
    struct area_piece *last;
    uint64_t used; /* bytes of images */
    uint64_t held; /* bytes of memory */
};
uint8_t *area_alloc(struct area *a, size_t n); /* 32-aligned */
void area_free(struct area *a);

struct scratch {
    uint64_t *words, *summary; /* a bit of summary for each word that may not be zero */
    struct container_info *info;
    uint32_t n, n_containers;  /* numbers are below n */
};
struct scratch scratch_new(uint32_t n);
void scratch_free(struct scratch *s);
static inline void scratch_add(struct scratch *s, uint32_t v)
{
    s->words[v >> 6] |= (uint64_t)1 << (v & 63);
    s->summary[v >> 12] |= (uint64_t)1 << (v >> 6 & 63);
}
static inline void scratch_remove(struct scratch *s, uint32_t v)
{
    s->words[v >> 6] &= ~((uint64_t)1 << (v & 63));
}
void scratch_fill(struct scratch *s); /* all numbers below n */
void scratch_or(struct scratch *s, const struct image *i);
void scratch_andnot(struct scratch *s, const struct image *i);
/* Its image; the scratch is empty afterwards. */
struct image scratch_take(struct scratch *s, struct area *to);
uint32_t scratch_take_count(struct scratch *s); /* only how many */

/* The same set with some numbers put in or taken out, at the price of the containers that they are in. changes: ascending. */
struct image_change {
    uint32_t number;
    bool is_in;
};
struct patcher { /* room for one container, reused */
    struct scratch one;
    struct area room;
};
struct patcher patcher_new(void);
void patcher_free(struct patcher *p);
struct image image_patch(struct patcher *p, const struct image *from, const struct image_change *changes, size_t n, struct area *to);
bool image_has(const struct image *i, uint32_t v);
/* Are these bytes an image of numbers below n? For what comes from a file; afterwards no other function can go astray. */
bool image_is_sound(const struct image *i, uint32_t n);
struct roaring_bitmap_s;
const struct roaring_bitmap_s *image_view(const struct image *i); /* roaring_bitmap_free; NULL: not an image */
/* A checksum against damage, not against malice. */
uint64_t image_hash(const void *p, size_t n);

#endif
