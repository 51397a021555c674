/* cases.h - seeded random descriptors, tokens and questions about them, in which everything that the rules speak of meets.
 */
#ifndef ROLLCALL_TESTS_CASES_H
#define ROLLCALL_TESTS_CASES_H

#include "slow.h"

#define CASES_SIDS  16
#define CASES_TOKEN 11

struct cases {
    uint64_t seed;
    struct schema *schemas[2]; /* the second one blocks implicit owner rights */
    struct bytes sids[CASES_SIDS];
    uint8_t sid_bytes[CASES_SIDS][68];
    uint8_t guids[64][16];
    unsigned n_guids;
    bool is_builtin; /* the schema is the built-in one: set it after cases_open */
    bool for_samba; /* without what Samba's decoder refuses */
    struct buf sd;
    struct right told[16]; /* what its ACEs are about: bit is a mask */
    unsigned n_told;
    struct slow_question q; /* the question; .sids is token */
    struct bytes token[CASES_TOKEN];
};
void cases_open(struct cases *c, uint64_t seed, bool for_samba);
void cases_close(struct cases *c);
/* A new descriptor in c->sd, of an object in c->q. */
void cases_next_sd(struct cases *c);
/* A new token, right and rule in c->q. */
void cases_next_question(struct cases *c);
/* The question as text, for a failure. */
void cases_tell(const struct cases *c, struct buf *out);

#endif
