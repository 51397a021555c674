#include "base/secret.h"
#include "server/accounts/accounts_int.h"

#include <pthread.h>
#include <sodium.h>

#define LONGEST 1024

/* Of a password that nobody knows: what is verified where there is no user, so that the answer takes as long. */
#define NOBODY "$argon2id$v=19$m=65536,t=2,p=1$YUSwsNrxVFOrAIgFrtq90g$nYRiwWz1uyRx1hka2ZO+1G2iwYRt3AdofydMpHqGlBI"

/* 64 MiB each: one at a time is as many as a small machine should give to strangers. */
static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;

int password_check_new(const char *name, struct bytes password, struct err *e)
{
    size_t characters = 0;
    for (size_t i = 0; i < password.len; i++) {
        if (password.ptr[i] < 0x20 || password.ptr[i] == 0x7f) return err_set(e, ERR_INPUT, "password: holds a control character");
        characters += (password.ptr[i] & 0xc0) != 0x80;
    }
    if (!str_is_utf8(str_of(password))) return err_set(e, ERR_INPUT, "password: not UTF-8 text");
    if (password.len > LONGEST) return err_set(e, ERR_INPUT, "password: longer than %d bytes", LONGEST);
    if (characters < PASSWORD_LEAST) {
        err_set(e, ERR_INPUT, "password: shorter than %d characters", PASSWORD_LEAST);
        return err_hint(e, "a few words with spaces between them are easy to remember");
    }
    if (str_equal_nocase(str_of(password), str_from(name))) return err_set(e, ERR_INPUT, "password: the same as the name");
    return 0;
}

int password_hash(char out[PASSWORD_HASH], struct bytes password, struct err *e)
{
    _Static_assert(PASSWORD_HASH >= crypto_pwhash_STRBYTES, "libsodium's strings grew");
    pthread_mutex_lock(&one_at_a_time);
    int rc = crypto_pwhash_str(out, (const char *)password.ptr, password.len, crypto_pwhash_OPSLIMIT_INTERACTIVE, crypto_pwhash_MEMLIMIT_INTERACTIVE);
    pthread_mutex_unlock(&one_at_a_time);
    return rc == 0 ? 0 : err_set(e, ERR_LIMIT, "no memory (64 MiB) for the hash of a password");
}

bool password_is(const char *hash, struct bytes password)
{
    bool is_somebody = hash && *hash, is_too_long = password.len > LONGEST;
    if (is_too_long) password.len = LONGEST;
    pthread_mutex_lock(&one_at_a_time);
    bool fits = crypto_pwhash_str_verify(is_somebody ? hash : NOBODY, (const char *)password.ptr, password.len) == 0;
    pthread_mutex_unlock(&one_at_a_time);
    return fits && is_somebody && !is_too_long;
}
