/* step.h - the steps of a test on standard output: a line each for people, else rows. */
#ifndef ROLLCALL_CMD_STEP_H
#define ROLLCALL_CMD_STEP_H

#include "cmd/cli.h"

void step_print(const json_t *step); /* {name, verdict, took_ms, evidence, fix?} */
int step_row(struct cli *c, const json_t *step, struct err *e) must_use; /* at once; only as JSON Lines, which need no other */
/* All of them as -o says, other than a table; JSON: {SUBJECT: name, ok, steps}. */
int step_rows(struct cli *c, const char *subject, const char *name, json_t *steps, bool is_ok, struct err *e) must_use;

#endif
