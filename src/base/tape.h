/* tape.h - bytes put aside in order: in memory while they are few, in an unlinked temporary file beyond.
 *
 * Written at the end, read from anywhere, cut back to an earlier length. Keeps a run's memory flat however
 * long the lists of a directory are. One thread.
 */
#ifndef ROLLCALL_BASE_TAPE_H
#define ROLLCALL_BASE_TAPE_H

#include "base/buf.h"
#include "base/err.h"

struct tape {
    int fd;         /* -1: nothing written out yet */
    uint64_t out;   /* bytes in the file */
    struct buf end; /* what follows them */
};

struct tape tape_new(void);
void tape_free(struct tape *t); /* legal on a zeroed one */
static inline uint64_t tape_length(const struct tape *t)
{
    return t->out + t->end.len;
}
/* ERR_LIMIT: the disk of $TMPDIR is full. */
int tape_add(struct tape *t, struct bytes b, struct err *e) must_use;
/* Forgets what is behind `length`. */
int tape_cut(struct tape *t, uint64_t length, struct err *e) must_use;
/* Exactly n bytes from `at`. */
int tape_read(const struct tape *t, uint64_t at, void *out, size_t n, struct err *e) must_use;

/* Reads forward with read-ahead; the tape must not be cut meanwhile. */
struct tape_reader {
    const struct tape *tape;
    uint64_t at, end;
    struct buf ahead;
    size_t used;
};
struct tape_reader tape_reader_new(const struct tape *t, uint64_t from, uint64_t to);
void tape_reader_free(struct tape_reader *r);
static inline bool tape_reader_done(const struct tape_reader *r)
{
    return r->at >= r->end;
}
/* The next n bytes, borrowed until the next call. ERR_BUG past the end. */
int tape_next(struct tape_reader *r, size_t n, struct bytes *out, struct err *e) must_use;

#endif
