/* err.h - why something failed, told so that an operator can act.
 *
 * A fallible function returns 0 or a negative class (enum err_class) and fills a struct err that the
 * caller owns. err_wrap() puts the step in front on the way up, so that a message reads outside-in:
 *     sync corp: dc1.corp.example: bind as svc-rollcall: account locked (LDAP 49, AD 775)
 * `try(call)` is the only control-flow macro: it returns the class on failure.
 * No secret is ever passed to these functions; a struct secret cannot be formatted.
 */
#ifndef ROLLCALL_ERR_H
#define ROLLCALL_ERR_H

#include "base/base.h"

/* name, number, may a later attempt succeed unchanged, HTTP status, exit code, sentence */
#define ERR_CLASSES(X)                                                                                       \
    X(NET, -1, true, 502, 6, "the peer could not be reached or went away")                                   \
    X(TIMEOUT, -2, true, 504, 6, "the peer did not answer in time")                                          \
    X(TLS, -3, false, 502, 6, "no trusted connection")                                                       \
    X(AUTH, -4, false, 401, 4, "the credentials were refused")                                               \
    X(DENIED, -5, false, 403, 4, "not permitted")                                                            \
    X(LIMIT, -6, true, 503, 6, "a limit was reached")                                                        \
    X(PROTO, -7, false, 502, 1, "the peer's answer makes no sense")                                          \
    X(COOKIE, -8, true, 502, 1, "the paging cookie or sync token was refused")                               \
    X(NOTFOUND, -9, false, 404, 3, "not found")                                                              \
    X(CONFLICT, -10, true, 409, 1, "in conflict with the present state")                                     \
    X(INPUT, -11, false, 400, 2, "wrong input or settings")                                                  \
    X(CANCEL, -12, true, 499, 130, "interrupted")                                                            \
    X(BUG, -13, false, 500, 1, "a defect of rollcall itself")

enum err_class {
    ERR_NONE = 0,
#define X(name, number, ...) ERR_##name = number,
    ERR_CLASSES(X)
#undef X
};

/* Whose number `code` is. */
enum err_domain { DOM_NONE, DOM_LDAP, DOM_AD, DOM_ERRNO, DOM_SQLITE, DOM_HTTP, DOM_KRB5, DOM_TLS };

struct err {
    enum err_class class;
    enum err_domain domain;
    int code;             /* native code in that domain */
    int64_t retry_at_ms;  /* UTC; 0: no advice */
    char message[768];    /* outside-in, no final full stop */
    char hint[384];       /* what the operator should do; may be empty */
};

/* Sets class and message (replacing what was there), clears code and hint; returns the class. */
int err_set(struct err *e, enum err_class class, const char *fmt, ...) printf_like(3, 4);
/* The same, with errno's text appended and DOM_ERRNO recorded. */
int err_errno(struct err *e, enum err_class class, int saved_errno, const char *fmt, ...) printf_like(4, 5);
/* Puts "step: " in front; returns the class that is already there. */
int err_wrap(struct err *e, const char *fmt, ...) printf_like(2, 3);
/* Sets the hint; returns the class that is already there. */
int err_hint(struct err *e, const char *fmt, ...) printf_like(2, 3);
int err_code(struct err *e, enum err_domain domain, int code);

const char *err_class_name(int class);     /* "NET" */
const char *err_class_sentence(int class);
bool err_class_retryable(int class);
int err_class_exit(int class);             /* contracts: exit codes */
int err_class_http(int class);
int err_class_parse(struct str name);      /* 0 if unknown */

#define try(call)                                                                                            \
    do {                                                                                                     \
        int try_rc_ = (call);                                                                                \
        if (try_rc_ < 0) return try_rc_;                                                                     \
    } while (0)

#endif
