/* stream.h - who holds one right on one object, one after the other, each with the ACE that grants it: what an export is made of.
 *
 * The holders are sets.h's; of each the first ACE that allows it and whose trustee it is in decides, so no token is made but where a
 * condition or a SID of somebody's past is in question.
 *     stream_open(&s, w, sets, ACCESS_WINDOWS);
 *     if (stream_begin(s, object, &right)) for (struct stream_row row; stream_next(s, &row, &e) == 1;) ...
 */
#ifndef ROLLCALL_ACCESS_STREAM_H
#define ROLLCALL_ACCESS_STREAM_H

#include "access/sets.h"

struct stream;
struct stream_row {
    uint32_t principal;
    enum access_reason reason;
    unsigned ace, n_aces;    /* ACCESS_BY_ACE; from 0 */
    uint32_t trustee;        /* principal; NOBODY: nobody of the world */
    uint32_t inherited_from; /* object; NOBODY */
    bool is_inherited, is_conditional;
};
void stream_open(struct stream **out, const struct world *w, struct sets *sets, enum access_rule rule);
void stream_close(struct stream *s); /* NULL is legal */
/* Starts anew. false: the descriptor is not known. */
bool stream_begin(struct stream *s, uint32_t object, const struct right *r);
/* 1: *row is the next, by account; 0: that was all. */
int stream_next(struct stream *s, struct stream_row *row, struct err *e) must_use;
/* Does the account hold the object-level right of the same bit? */
bool stream_holds_whole(struct stream *s, uint32_t principal);

#endif
