/* hash.h - keyed hashes and a hash map of 128-bit keys.
 *
 * Keys come from directories, so every table is keyed with random bytes of its process (SipHash-2-4,
 * libsodium): nobody can choose colliding names. Content hashes kept in a store use the store's own key.
 */
#ifndef ROLLCALL_HASH_H
#define ROLLCALL_HASH_H

#include "base/base.h"

struct hash_key {
    uint8_t bytes[16];
};
struct hash128 {
    uint64_t lo, hi;
};
static inline bool hash128_equal(struct hash128 a, struct hash128 b)
{
    return a.lo == b.lo && a.hi == b.hi;
}
struct hash_key hash_key_random(void);
const struct hash_key *hash_process_key(void); /* random, the same for the whole process */
struct hash128 hash128_of(const struct hash_key *key, struct bytes in);
/* Much faster, for tables in memory only: multiply-and-fold (as wyhash), keyed by the process key. Good against chance and against
 * names chosen without knowing the key; not for content that is kept. */
struct hash128 hash128_fast(struct bytes in);
uint64_t hash64_of(const struct hash_key *key, struct bytes in);
/* SHA-256 as 64 lower-case hex digits plus NUL, over several parts through the streaming form. */
struct sha256 {
    _Alignas(16) uint8_t state[128]; /* holds crypto_hash_sha256_state */
};
void sha256_init(struct sha256 *s);
void sha256_add(struct sha256 *s, struct bytes b);
void sha256_hex(struct sha256 *s, char out[65]);

/* hash128 -> u32. Open addressing, 24 bytes a slot, grows by half at 80% load. The all-zero hash is legal. */
struct hmap {
    struct hmap_slot *slots;
    size_t n_slots, n_used;
};
void hmap_free(struct hmap *m);
/* NULL if absent. The pointer lives until the next hmap_put. */
uint32_t *hmap_find(const struct hmap *m, struct hash128 key);
/* The value's place; *is_new says whether it was made now (then 0). */
uint32_t *hmap_put(struct hmap *m, struct hash128 key, bool *is_new);

#endif
