/* accounts.h - who may use the server: users, their sessions, API tokens, the one-time setup.
 *
 * Roles grow: a viewer reads, an analyst also asks access questions, keeps views and alert rules, exports; an operator also runs, tests and
 * edits connectors; an admin also has users, tokens of others, settings, keys and the audit log.
 * Passwords are kept as Argon2id, sessions and tokens as SHA-256 of 256 random bits, so that a copy of the file logs nobody in. Comparisons take
 * the same time whether or not the user exists.
 */
#ifndef ROLLCALL_SERVER_ACCOUNTS_H
#define ROLLCALL_SERVER_ACCOUNTS_H

#include "server/state/state.h"

enum role { ROLE_NONE, ROLE_VIEWER, ROLE_ANALYST, ROLE_OPERATOR, ROLE_ADMIN };
const char *role_name(enum role r);       /* "viewer" */
enum role role_parse(struct str s);       /* ROLE_NONE: no role */

#define ACCOUNT_NAME_MAX 128
#define TOKEN_TEXT 64 /* base64url of 32 bytes and NUL; API tokens begin with "rc_" */

/* Who asks. */
struct actor {
    char name[ACCOUNT_NAME_MAX]; /* "alice", "token:ci", "local:root" (a command), "setup"; "" nobody */
    enum role role;
    bool is_token;               /* an API token: no CSRF token is asked for */
    char csrf[TOKEN_TEXT];       /* of the session; "" of a token */
    char session_id[TOKEN_TEXT]; /* its hash, printable: to end it or to tell it from others */
    char from[64];               /* the peer's address */
};

/* --- the first start --------------------------------------------------------------------------- */
bool accounts_are_empty(struct state *s);
/* A token for the setup URL, good once and for 15 minutes; an earlier one is void. ERR_CONFLICT: there is a user already. */
int accounts_setup_token(struct state *s, char out[TOKEN_TEXT], struct err *e) must_use;
/* Makes the first admin. ERR_AUTH: token wrong, used or too old; ERR_INPUT: name or password not good (at least 12 characters, not the name). */
int accounts_setup(struct state *s, const char *token, const char *name, struct bytes password, struct err *e) must_use;

/* --- users -------------------------------------------------------------------------------------- */
/* password empty: only OIDC can log in. ERR_CONFLICT: the name is taken. */
int accounts_user_add(struct state *s, const char *name, enum role role, struct bytes password, struct err *e) must_use;
/* role ROLE_NONE, is_enabled -1: as it is. Ends the user's sessions. ERR_CONFLICT: the last enabled admin. */
int accounts_user_change(struct state *s, const char *name, enum role role, int is_enabled, struct err *e) must_use;
int accounts_user_password(struct state *s, const char *name, struct bytes password, struct err *e) must_use;
/* Whether it is the user's password, under the same limits as a log-in: before somebody changes his own. ERR_AUTH, ERR_LIMIT. */
int accounts_password_check(struct state *s, const char *name, struct bytes password, const char *from, struct err *e) must_use;
int accounts_user_delete(struct state *s, const char *name, struct err *e) must_use; /* his sessions and tokens too. ERR_CONFLICT: the last enabled admin */
/* [{name, role, enabled, has_password, oidc_subject, created, last_login}] by name. */
int accounts_users(struct state *s, json_t **out, struct err *e) must_use;
/* A user of the OIDC provider: made at the first log-in, role as the provider says. */
int accounts_oidc_user(struct state *s, const char *issuer, const char *subject, const char *name, enum role role, char out_name[ACCOUNT_NAME_MAX],
                       struct err *e) must_use;
/* The provider gives him no role any more: what he has here ends, sessions and tokens with it, until it gives him one. ERR_CONFLICT: the last enabled admin. */
int accounts_oidc_no_role(struct state *s, const char *issuer, const char *subject, struct err *e) must_use;

/* --- logging in --------------------------------------------------------------------------------- */
/* ERR_AUTH: one sentence for every reason. ERR_LIMIT: too many failures of this name or from this address; retry_at_ms says when. */
int accounts_login(struct state *s, const char *name, struct bytes password, const char *from, struct actor *out, char session[TOKEN_TEXT],
                   struct err *e) must_use;
/* A session for whom OIDC has vouched. */
int accounts_session_new(struct state *s, const char *name, const char *from, struct actor *out, char session[TOKEN_TEXT], struct err *e) must_use;
/* Of the cookie: idle for at most 30 minutes, at most 12 hours old, user enabled. ERR_AUTH. */
int accounts_session(struct state *s, const char *session, const char *from, struct actor *out, struct err *e) must_use;
/* Of everybody, and the set-up token: after a backup was brought back, so that nothing that ended meanwhile is valid again. */
int accounts_end_sessions(struct state *s, struct err *e) must_use;
int accounts_logout(struct state *s, const struct actor *who, struct err *e) must_use;

/* --- API tokens ---------------------------------------------------------------------------------- */
/* role: at most the owner's. expires_ms: 0 never. out: shown once. */
int accounts_token_add(struct state *s, const struct actor *owner, const char *name, enum role role, int64_t expires_ms, char out[TOKEN_TEXT],
                       struct err *e) must_use;
/* [{id, name, owner, role, created, expires, last_used}]; owner NULL: of everybody. */
int accounts_tokens(struct state *s, const char *owner, json_t **out, struct err *e) must_use;
int accounts_token_delete(struct state *s, int64_t id, const char *owner, struct err *e) must_use;
/* Of "Authorization: Bearer rc_...". Never more than the owner has now. ERR_AUTH. */
int accounts_token(struct state *s, const char *token, const char *from, struct actor *out, struct err *e) must_use;

#endif
