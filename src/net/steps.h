/* steps.h - the steps of a test, as `rollcall check` and the API tell them: [{name, verdict, evidence, fix, took_ms, class}].
 *
 *     struct steps s = steps_begin();
 *     steps_next(&s, "tls"); rc = dial(...); if (rc < 0) steps_fail(&s, &e); else steps_ok(&s, "TLS 1.3, valid until %s", until);
 *     json_t *list = steps_end(&s);
 * What is not reached any more is simply not there.
 */
#ifndef ROLLCALL_NET_STEPS_H
#define ROLLCALL_NET_STEPS_H

#include "base/err.h"

#include <jansson.h>

struct steps {
    json_t *list;
    const char *name;
    int64_t began_ms;
    bool has_failed;
};
struct steps steps_begin(void);
void steps_next(struct steps *s, const char *name);
void steps_ok(struct steps *s, const char *fmt, ...) printf_like(2, 3);
void steps_skip(struct steps *s, const char *fmt, ...) printf_like(2, 3);
void steps_warn(struct steps *s, const char *fix, const char *fmt, ...) printf_like(3, 4);
int steps_fail(struct steps *s, const struct err *why); /* returns its class */
json_t *steps_end(struct steps *s); /* the caller's */

#endif
