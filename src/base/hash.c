#include "base/hash.h"

#include <sodium.h>
#include <stdlib.h>

struct hash_key hash_key_random(void)
{
    struct hash_key k;
    if (sodium_init() < 0) abort();
    randombytes_buf(k.bytes, sizeof k.bytes);
    return k;
}

const struct hash_key *hash_process_key(void)
{
    static struct hash_key key;
    static bool made;
    if (!made) key = hash_key_random();
    made = true;
    return &key;
}

struct hash128 hash128_of(const struct hash_key *key, struct bytes in)
{
    static const uint8_t empty[1];
    struct hash128 h;
    crypto_shorthash_siphashx24((uint8_t *)&h, in.ptr ? in.ptr : empty, in.len, key->bytes);
    return h;
}

uint64_t hash64_of(const struct hash_key *key, struct bytes in)
{
    return hash128_of(key, in).lo;
}

static uint64_t load64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, 8);
    return v;
}

static uint64_t fold(uint64_t a, uint64_t b)
{
    unsigned __int128 m = (unsigned __int128)a * b;
    return (uint64_t)m ^ (uint64_t)(m >> 64);
}

struct hash128 hash128_fast(struct bytes in)
{
    static uint64_t secret[6];
    if (!secret[0]) {
        for (unsigned i = 0; i < 3; i++) {
            struct hash_key k = hash_key_random();
            memcpy(&secret[2 * i], k.bytes, 16);
        }
        secret[0] |= 1;
    }
    uint8_t last[16] = {0};
    uint64_t a = secret[0] ^ in.len, b = secret[1];
    size_t n = in.len;
    const uint8_t *p = in.ptr;
    for (; n > 16; n -= 16, p += 16) {
        uint64_t x = load64(p), y = load64(p + 8);
        a = fold(x ^ secret[2], y ^ a);
        b = fold(y ^ secret[3], x ^ b);
    }
    if (n) memcpy(last, p, n);
    uint64_t x = load64(last), y = load64(last + 8);
    a = fold(x ^ secret[2], y ^ a);
    b = fold(y ^ secret[3], x ^ b);
    return (struct hash128){fold(a ^ secret[4], b ^ in.len ^ secret[5]), fold(b ^ secret[4], a ^ secret[1])};
}

_Static_assert(sizeof(crypto_hash_sha256_state) <= sizeof(struct sha256), "state fits");

void sha256_init(struct sha256 *s)
{
    crypto_hash_sha256_init((crypto_hash_sha256_state *)(void *)s->state);
}
void sha256_add(struct sha256 *s, struct bytes b)
{
    if (b.len) crypto_hash_sha256_update((crypto_hash_sha256_state *)(void *)s->state, b.ptr, b.len);
}
void sha256_hex(struct sha256 *s, char out[65])
{
    uint8_t sum[32];
    crypto_hash_sha256_final((crypto_hash_sha256_state *)(void *)s->state, sum);
    sodium_bin2hex(out, 65, sum, sizeof sum);
}

struct hmap_slot {
    struct hash128 key;
    uint32_t value, used;
};

void hmap_free(struct hmap *m)
{
    free(m->slots);
    *m = (struct hmap){0};
}

static struct hmap_slot *slot_of(const struct hmap *m, struct hash128 key)
{
    size_t i = (size_t)(((unsigned __int128)key.lo * m->n_slots) >> 64);
    while (m->slots[i].used && !hash128_equal(m->slots[i].key, key)) i = i + 1 == m->n_slots ? 0 : i + 1;
    return &m->slots[i];
}

uint32_t *hmap_find(const struct hmap *m, struct hash128 key)
{
    if (!m->n_slots) return NULL;
    struct hmap_slot *s = slot_of(m, key);
    return s->used ? &s->value : NULL;
}

static void grow(struct hmap *m)
{
    struct hmap old = *m;
    m->n_slots = old.n_slots ? old.n_slots + old.n_slots / 2 : 64;
    m->slots = x_zalloc(m->n_slots * sizeof *m->slots);
    for (size_t i = 0; i < old.n_slots; i++)
        if (old.slots[i].used) *slot_of(m, old.slots[i].key) = old.slots[i];
    free(old.slots);
}

uint32_t *hmap_put(struct hmap *m, struct hash128 key, bool *is_new)
{
    if (m->n_used + 1 > m->n_slots / 5 * 4) grow(m);
    struct hmap_slot *s = slot_of(m, key);
    *is_new = !s->used;
    if (!s->used) {
        *s = (struct hmap_slot){.key = key, .used = 1};
        m->n_used++;
    }
    return &s->value;
}
