/* accounts_int.h - what the files of accounts.h share. Internal to server/.
 */
#ifndef ROLLCALL_SERVER_ACCOUNTS_INT_H
#define ROLLCALL_SERVER_ACCOUNTS_INT_H

#include "server/accounts/accounts.h"
#include "server/state/state_int.h"

/* --- password.c ---------------------------------------------------------------------------------- */
#define PASSWORD_HASH 128 /* crypto_pwhash_STRBYTES */
#define PASSWORD_LEAST 12
/* ERR_INPUT: too short, too long, NUL or control characters, or the name itself. */
int password_check_new(const char *name, struct bytes password, struct err *e) must_use;
/* Argon2id, 64 MiB, about 0.1 s; one at a time in the whole process, and never under the state's lock. */
int password_hash(char out[PASSWORD_HASH], struct bytes password, struct err *e) must_use;
/* hash NULL or "": takes the same time, and is false. */
bool password_is(const char *hash, struct bytes password);

/* --- accounts_limit.c ------------------------------------------------------------------------------ */
/* Counts an attempt before it is made, so that many at once are as slow as one after the other. ERR_LIMIT: not yet; retry_at_ms. */
int limit_charge(struct state *s, const char *name, const char *from, struct err *e) must_use;
/* It was the right password: the name's count begins anew; the address has this attempt back. */
int limit_refund(struct state *s, const char *name, const char *from, struct err *e) must_use;

/* --- roles.c --------------------------------------------------------------------------------------- */
enum role role_of(int64_t number); /* as a row has it; ROLE_NONE: none of ours */

/* --- accounts.c ------------------------------------------------------------------------------------ */
struct user {
    char name[ACCOUNT_NAME_MAX]; /* as it was first written */
    enum role role;
    bool is_enabled, is_found;
    char password[PASSWORD_HASH]; /* "": none */
};
/* is_found false if there is none. */
int user_find(struct state *s, const char *name, struct user *out, struct err *e) must_use;
int user_check_name(const char *name, struct err *e) must_use;
int user_insert(struct state *s, const char *name, enum role role, const char *password_hash, const char *issuer, const char *subject, struct err *e) must_use;

#endif
