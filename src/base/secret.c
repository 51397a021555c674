#include "base/secret.h"

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

void secret_harden_process(void)
{
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}
