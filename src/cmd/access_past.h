/* access_past.h - earlier runs, for questions that name one.
 */
#ifndef ROLLCALL_CMD_ACCESS_PAST_H
#define ROLLCALL_CMD_ACCESS_PAST_H

#include "access/diff.h"
#include "cmd/access.h"

struct access_run {
    char connector[128];
    enum run_status status;
    int64_t ended_ms;
};
/* ERR_NOTFOUND, ERR_INPUT: there is no such run, or it left nothing behind; the message begins with the option's name. */
int access_find_run(struct access_cli *a, const char *option, int64_t run, struct access_run *out, struct err *e) must_use;

#define ACCESS_RUN_OPTION {"run", 0, "RUN", "as it was when this run of the connector had ended; default: now", NULL, false}
/* The world that --run asks for, of what is asked about. *out NULL: now is meant. past_free it. */
int access_cli_past(struct past **out, struct access_cli *a, uint32_t connector, struct err *e) must_use;
/* What could not be undone is a gap of the answer; NULL, or nothing lost, is legal. */
void access_print_lost(const struct past *p); /* to standard error, where nobody keeps (access_keep.h) */
void access_add_lost(json_t *gaps, uint64_t n);

#endif
