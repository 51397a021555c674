/* prompt.h - asks for a secret on the terminal, without echo. Internal to vault/.
 *
 * The terminal is read key by key with its signals off, so there is no moment at which an interrupt would
 * leave it without echo: Ctrl-C is a key, and the answer to it is ERR_CANCEL. Backspace and Ctrl-U work.
 */
#ifndef ROLLCALL_VAULT_PROMPT_H
#define ROLLCALL_VAULT_PROMPT_H

#include "base/secret.h"

#define PROMPT_MAX 1024

/* ERR_INPUT: no terminal, or an empty answer; ERR_CANCEL: Ctrl-C, or Ctrl-D before anything was typed. */
int prompt_secret(struct secret *out, const char *what, struct err *e) must_use;

#endif
