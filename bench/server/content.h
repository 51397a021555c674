/* content.h - the objects that the replay server serves, made up on the fly and encoded at once.
 *
 * Nothing is stored but the membership graph and a few descriptors: an entry is a function of its kind, its
 * number and the seed, so a million users cost no memory and two runs give the same bytes. All functions
 * after content_build are pure and may be called from any thread.
 */
#ifndef BENCH_CONTENT_H
#define BENCH_CONTENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DOMAIN_DN "DC=bench,DC=example"
#define CONFIG_DN "CN=Configuration," DOMAIN_DN

/* In the order in which a search for everything lists them. */
enum kind { K_DOMAIN, K_OU, K_USER, K_GROUP, K_COMPUTER, K_CROSSREF, K_ROOT_DSE, N_KINDS };
enum { KINDS_ALL = (1 << K_DOMAIN) | (1 << K_OU) | (1 << K_USER) | (1 << K_GROUP) | (1 << K_COMPUTER) };

struct content_options {
    uint32_t users, groups, others; /* others: computers */
    uint32_t changed; /* so many users, evenly spread, differ in `title` (and in USN and whenChanged) */
    uint64_t seed;
};

/* What a search asks for. `mask` has one bit for each known attribute. */
enum { MAX_NAMES = 256 };
struct want {
    uint64_t mask;
    bool all, descriptor;
    size_t n_names;
    struct {
        const char *text;
        size_t len;
    } names[MAX_NAMES];
};

void content_build(const struct content_options *options);
uint32_t content_count(enum kind kind);
uint64_t content_usn(enum kind kind, uint32_t i);

/* Adds one requested attribute; "*" asks for all. Options after ';' are ignored. */
void content_want(struct want *want, const char *name, size_t len);

/* The bytes that one entry can need, at most. */
size_t content_bound(enum kind kind, uint32_t i);

/* Writes the SearchResultEntry (tag 0x64) of object `i` at `p`; returns its end. */
uint8_t *content_put(uint8_t *p, enum kind kind, uint32_t i, const struct want *want);

#endif
