/* job_child.h - a child process of this same binary: started with two pipes and descriptors of its own, ended, reaped.
 *
 * It inherits standard input from /dev/null, the ends of two pipes, what connectors.h hands it (from HANDED_SETTINGS_FD on) and nothing else;
 * of the environment only what names no secret of anybody else. It is the leader of its process group, so that its worker goes with it, and the
 * kernel ends it with the thread that started it. Internal to server/; one thread.
 */
#ifndef ROLLCALL_SERVER_JOB_CHILD_H
#define ROLLCALL_SERVER_JOB_CHILD_H

#include "server/connectors/connectors.h"

#include <sys/types.h>

struct job_child {
    pid_t pid;    /* 0: none */
    int out, err; /* read ends, non-blocking; -1: closed */
};
#define JOB_CHILD_NONE ((struct job_child){0, -1, -1})

/* words: NULL ends; the first is the name of the program. handed: NULL for a command that reads the server's own settings file. */
int job_child_start(struct job_child *out, const char *const *words, const struct handed *handed, struct err *e) must_use;
void job_child_ask_to_end(const struct job_child *c); /* SIGTERM, to itself only: it ends its worker at a checkpoint */
void job_child_kill(const struct job_child *c);       /* SIGKILL, to all of its group */
/* true once it is gone; *status as of waitpid. */
bool job_child_reap(struct job_child *c, int *status);
void job_child_close(struct job_child *c); /* its pipes */

#endif
