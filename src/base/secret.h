/* secret.h - a password or token: locked out of swap and core dumps, wiped when dropped, unprintable.
 *
 * Lives in guarded memory (libsodium). There is no function that formats one; secret_bytes is for the one
 * library call that needs it. secret_drop(NULL or empty) is legal.
 */
#ifndef ROLLCALL_SECRET_H
#define ROLLCALL_SECRET_H

#include "base/buf.h"
#include "base/err.h"

struct secret {
    uint8_t *ptr; /* sodium_malloc'ed, NUL-terminated behind len */
    size_t len;
};

#define SECRET_MAX 65536

/* Copies; the caller wipes its own copy with secret_wipe. ERR_INPUT: empty, over SECRET_MAX, or holding NUL. */
int secret_take(struct secret *out, struct bytes from, struct err *e) must_use;
static inline struct bytes secret_bytes(const struct secret *s)
{
    return (struct bytes){s->ptr, s->len};
}
void secret_drop(struct secret *s);
void secret_wipe(void *p, size_t n);
/* A buffer in which a secret was put together. It was reserved at once: growing leaves copies behind. */
void secret_wipe_buf(struct buf *b);
/* A mark by which a secret is recognised later without being kept: a slow salted hash (Argon2id, 64 MiB, about 0.1 s), printable.
 * "" of an empty secret. ERR_LIMIT: no memory for it. */
#define SECRET_MARK 128
int secret_mark(char out[SECRET_MARK], const struct secret *s, struct err *e) must_use;
/* Also true when there is no memory to tell. */
bool secret_has_mark(const struct secret *s, const char *mark);
/* Once per process, at start: no core dumps, not traceable by other users. */
void secret_harden_process(void);

#endif
