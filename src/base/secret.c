#include "base/secret.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>

int secret_take(struct secret *out, struct bytes from, struct err *e)
{
    *out = (struct secret){0};
    if (!from.len) return err_set(e, ERR_INPUT, "the secret is empty");
    if (from.len > SECRET_MAX) return err_set(e, ERR_INPUT, "the secret is longer than %d bytes", SECRET_MAX);
    if (memchr(from.ptr, 0, from.len)) return err_set(e, ERR_INPUT, "the secret holds a NUL byte");
    if (sodium_init() < 0) abort();
    out->ptr = sodium_malloc(from.len + 1);
    if (!out->ptr) return err_set(e, ERR_LIMIT, "no locked memory for a secret (see RLIMIT_MEMLOCK)");
    memcpy(out->ptr, from.ptr, from.len);
    out->ptr[from.len] = 0;
    out->len = from.len;
    return 0;
}

void secret_drop(struct secret *s)
{
    if (!s || !s->ptr) return;
    sodium_free(s->ptr); /* wipes */
    *s = (struct secret){0};
}

void secret_wipe(void *p, size_t n)
{
    sodium_memzero(p, n);
}

void secret_wipe_buf(struct buf *b)
{
    if (b->ptr) secret_wipe(b->ptr, b->cap);
    buf_free(b);
}

int secret_mark(char out[SECRET_MARK], const struct secret *s, struct err *e)
{
    _Static_assert(SECRET_MARK >= crypto_pwhash_STRBYTES, "libsodium's strings grew");
    out[0] = 0;
    if (!s->len || crypto_pwhash_str(out, (const char *)s->ptr, s->len, crypto_pwhash_OPSLIMIT_INTERACTIVE, crypto_pwhash_MEMLIMIT_INTERACTIVE) == 0)
        return 0;
    return err_set(e, ERR_LIMIT, "no memory (64 MiB) for the hash of a secret");
}

bool secret_has_mark(const struct secret *s, const char *mark)
{
    if (!s->len || !mark[0]) return !s->len && !mark[0];
    errno = 0;
    return crypto_pwhash_str_verify(mark, (const char *)s->ptr, s->len) == 0 || errno == ENOMEM;
}

void secret_harden_process(void)
{
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}
