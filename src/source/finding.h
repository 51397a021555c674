/* finding.h - what one step of `check` found, put together clause by clause.
 */
#ifndef ROLLCALL_SOURCE_FINDING_H
#define ROLLCALL_SOURCE_FINDING_H

#include "base/buf.h"
#include "source/source.h"

struct finding {
    enum step_verdict verdict;
    enum err_class class;
    struct buf evidence; /* clauses, joined by "; " */
    char fix[400];
    json_t *detail;
};

void finding_say(struct finding *f, const char *fmt, ...) printf_like(2, 3);
/* Not right, but not in the way. */
void finding_warn(struct finding *f, const char *fix, ...) printf_like(2, 3);
/* The step failed for this reason: evidence, fix and class. */
void finding_fail(struct finding *f, const struct err *why);
/* A server's text (a DN, a name) for evidence: one line, UTF-8, at most size. Returns out. */
char *finding_text(char *out, size_t size, struct str s);
/* Sends it as a step; then nothing of it is left. */
int finding_emit(struct finding *f, const char *name, int64_t began_ms, struct emit *m, struct err *e) must_use;

#endif
