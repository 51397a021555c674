/* spill.h - records put aside in an unlinked temporary file, read back once in the same order.
 *
 * Keeps memory flat however large the directory is. Write all, rewind, read all.
 */
#ifndef ROLLCALL_SPILL_H
#define ROLLCALL_SPILL_H

#include "base/buf.h"
#include "base/err.h"

struct spill {
    int fd;
    struct buf buffer; /* waiting to be written, or read ahead */
    size_t at;         /* reading: consumed of buffer */
    uint64_t n;        /* entries written */
    bool reading;
};

struct spill spill_new(void); /* the file is made at the first flush */
void spill_free(struct spill *s);
/* tag: the caller's own mark, not 0. ERR_LIMIT: disk full or an entry over 80 MiB. */
int spill_add(struct spill *s, uint8_t tag, struct bytes entry, struct err *e) must_use;
int spill_rewind(struct spill *s, struct err *e) must_use;
/* 1: got one, borrowed until the next call; 0: the end. */
int spill_next(struct spill *s, uint8_t *tag, struct bytes *entry, struct err *e) must_use;
/* Tag of the entry that spill_next would give; 0 at the end. */
int spill_peek(struct spill *s, struct err *e) must_use;

#endif
