#include "store/sqlite/link_cache.h"

#include "base/arena.h"

#include <stdlib.h>

#define CACHE_BYTES ((size_t)48 << 20) /* some 150,000 groups */
#define CACHE_LINKS ((size_t)1 << 18)

struct link_cache {
    struct hmap numbers;
    struct link **links;
    size_t n;
    struct arena strings;
};

struct link_cache *link_cache_new(void)
{
    struct link_cache *c = x_zalloc(sizeof *c);
    c->strings = arena_new(CACHE_BYTES);
    return c;
}

void link_cache_clear(struct link_cache *c)
{
    hmap_free(&c->numbers);
    arena_clear(&c->strings);
    c->links = NULL;
    c->n = 0;
}

void link_cache_free(struct link_cache *c)
{
    hmap_free(&c->numbers);
    arena_free(&c->strings);
    free(c);
}

static struct hash128 key_of(int64_t entity_id)
{
    return hash128_of(hash_process_key(), (struct bytes){(const uint8_t *)&entity_id, sizeof entity_id});
}

const struct link *link_cache_find(const struct link_cache *c, int64_t entity_id)
{
    uint32_t *number = hmap_find(&c->numbers, key_of(entity_id));
    return number && *number ? c->links[*number - 1] : NULL;
}

void link_cache_add(struct link_cache *c, const struct link *l)
{
    if (c->n == CACHE_LINKS) return;
    if (!c->links) c->links = arena_alloc(&c->strings, CACHE_LINKS * sizeof(struct link *));
    struct link *copy = arena_alloc(&c->strings, sizeof *copy);
    if (!copy || !c->links) return;
    *copy = *l;
    copy->sid = arena_bytes(&c->strings, l->sid);
    copy->name = arena_str(&c->strings, l->name);
    copy->dn = arena_str(&c->strings, l->dn);
    copy->description = arena_str(&c->strings, l->description);
    copy->principal = arena_str(&c->strings, l->principal);
    copy->template_id = arena_str(&c->strings, l->template_id);
    copy->scope = arena_str(&c->strings, l->scope);
    copy->assignment = arena_str(&c->strings, l->assignment);
    if (copy->sid.len != l->sid.len || copy->name.len != l->name.len || copy->dn.len != l->dn.len ||
        copy->description.len != l->description.len || copy->principal.len != l->principal.len ||
        copy->template_id.len != l->template_id.len || copy->scope.len != l->scope.len || copy->assignment.len != l->assignment.len)
        return; /* full */
    bool is_new;
    uint32_t *number = hmap_put(&c->numbers, key_of(l->entity_id), &is_new);
    c->links[c->n++] = copy;
    *number = (uint32_t)c->n;
}
