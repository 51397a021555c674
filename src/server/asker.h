/* asker.h - a child process that keeps the access engine's world in memory and answers questions, one after the other.
 *
 * `rollcall answer` (hidden) on a socketpair: a question is the words of a command ("access", "who-can", ...), the answer what that command prints with -o json,
 * and its error. The world (hundreds of MiB for a million principals) is thus not the server's: it is made at the first question, again when a run
 * has made another snapshot visible, and gone after idle_ms without questions.
 */
#ifndef ROLLCALL_SERVER_ASKER_H
#define ROLLCALL_SERVER_ASKER_H

#include "conf/conf.h"

struct asker;
int asker_open(struct asker **out, const char *store_url, int idle_ms, struct err *e) must_use;
void asker_close(struct asker *a); /* ends the child */
/* words: NULL ends; no shell, nothing is split. *json: the answer, the caller decrefs. The command's own error comes as this function's. ERR_TIMEOUT: the child is
 * ended and the next question starts another. Threads wait for each other. */
int asker_ask(struct asker *a, const char *const *words, int timeout_ms, json_t **json, struct err *e) must_use;

#endif
