/* asker.h - a child process that keeps the access engine's world in memory and answers questions, one after the other.
 *
 * `rollcall answer` (hidden) on a socketpair: a question is the words of a command ("access", "who-can", ...), the answer what that command prints with -o json,
 * and its error. The world (hundreds of MiB for a million principals) is thus not the server's: it is made at the first question, again when a run
 * has made another snapshot visible, and gone after idle_ms without questions.
 * Words are never split and see no shell. A value goes behind its option in one word ("--connector=" and the value), arguments behind a word "--": what people
 * typed is then never an option. The child answers only commands that read, and of their options only those that read the store.
 */
#ifndef ROLLCALL_SERVER_ASKER_H
#define ROLLCALL_SERVER_ASKER_H

#include "conf/conf.h"

struct asker;
int asker_open(struct asker **out, const char *store_url, int idle_ms, struct err *e) must_use;
/* The same with another program for the child than this one; for tests. */
int asker_open_program(struct asker **out, const char *program, const char *store_url, int idle_ms, struct err *e) must_use;
void asker_close(struct asker *a); /* ends the child, and questions under way with ERR_CANCEL; NULL is legal. Nobody may ask any more. */
void asker_stop(struct asker *a);  /* the same without freeing: from any thread, while others ask */

/* words: NULL ends. *json: the answer, the caller decrefs. The command's own error comes as this function's. ERR_TIMEOUT: the child is
 * ended and the next question starts another; ERR_LIMIT: an answer of more than 64 MiB. Threads wait for each other, and that counts as waiting. */
int asker_ask(struct asker *a, const char *const *words, int timeout_ms, json_t **json, struct err *e) must_use;
/* What the command prints for people. */
int asker_text(struct asker *a, const char *const *words, int timeout_ms, struct buf *out, struct err *e) must_use;
/* Some rows of an answer that is a list: {items[], total, hidden, gaps[], as_of}. The child keeps the last answers, so that the next page costs nothing.
 * total: null where there are more than 100,000 and nobody knows. hidden: how many the filter and the defaults leave out. ERR_LIMIT behind row 100,000. */
int asker_page(struct asker *a, const char *const *words, int64_t offset, int64_t limit, int timeout_ms, json_t **json, struct err *e) must_use;

#endif
