#include "store/idset.h"

#include <stdlib.h>

void idset_free(struct idset *s)
{
    free(s->words);
    *s = (struct idset){0};
}

static void grow(struct idset *s, size_t least)
{
    size_t n = s->n_words ? s->n_words + s->n_words / 2 : 64;
    if (n < least) n = least;
    s->words = x_realloc(s->words, n * sizeof *s->words);
    memset(s->words + s->n_words, 0, (n - s->n_words) * sizeof *s->words);
    s->n_words = n;
}

bool idset_add(struct idset *s, uint32_t id)
{
    size_t w = id / 64;
    if (w >= s->n_words) grow(s, w + 1);
    uint64_t bit = (uint64_t)1 << (id % 64), was = s->words[w] & bit;
    s->words[w] |= bit;
    return !was;
}

bool idset_next(const struct idset *s, uint32_t *id)
{
    size_t w = *id / 64;
    if (w >= s->n_words) return false;
    uint64_t word = s->words[w] & ~(uint64_t)0 << (*id % 64);
    while (!word) {
        if (++w >= s->n_words) return false;
        word = s->words[w];
    }
    *id = (uint32_t)(w * 64 + (size_t)__builtin_ctzll(word));
    return true;
}
