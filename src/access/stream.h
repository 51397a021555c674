/* stream.h - who holds one right on one object, one after the other, each with the ACE that grants it: what an export is made of.
 *
 * The holders are sets.h's; of each the first ACE that allows it and whose trustee it is in decides, so no token is made but where a
 * condition or a SID of somebody's past is in question.
 *     stream_open(&s, w, sets, ACCESS_WINDOWS);
 *     if (stream_begin(s, object, &right)) for (struct stream_row row; stream_next(s, &row, &e) == 1;) ...
 */
#ifndef ROLLCALL_ACCESS_STREAM_H
#define ROLLCALL_ACCESS_STREAM_H

#include "access/sets/sets.h"

struct stream;
struct stream_row {
    uint32_t principal;
    enum access_reason reason;
    unsigned ace, n_aces;    /* ACCESS_BY_ACE; from 0 */
    uint32_t trustee;        /* principal; NOBODY: nobody of the world */
    uint32_t inherited_from; /* object; NOBODY */
    bool is_inherited, is_conditional;
};
enum stream_option {
    STREAM_WITHOUT_WHOLE = 1, /* of a typed right only who does not hold it on the whole object */
    STREAM_ONE_FOR_ALL = 2,   /* what a well-known group grants is told by stream_everybody, not account by account */
};
void stream_open(struct stream **out, const struct world *w, struct sets *sets, enum access_rule rule, unsigned options);
void stream_close(struct stream *s); /* NULL is legal */
/* Starts anew. false: the descriptor is not known. */
bool stream_begin(struct stream *s, uint32_t object, const struct right *r);
/* 1: *row is the next, by account; 0: that was all. */
int stream_next(struct stream *s, struct stream_row *row, struct err *e) must_use;
/* STREAM_ONE_FOR_ALL: so many accounts hold it as Everyone (or who row->principal is) and are not among the rows; 0: none. */
uint64_t stream_everybody(const struct stream *s, struct stream_row *row);

#endif
