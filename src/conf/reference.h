/* reference.h - how a secret is written in the settings: "scheme:rest", never the secret itself.
 *
 * Syntax only; vault/ turns a reference into the secret. A text that is no reference may well be a password
 * that somebody typed into the wrong place: no function here ever puts it, or a part of it, into a message.
 */
#ifndef ROLLCALL_CONF_REFERENCE_H
#define ROLLCALL_CONF_REFERENCE_H

#include "base/err.h"

enum reference_scheme { REFERENCE_FILE, REFERENCE_ENV, REFERENCE_CRED, REFERENCE_PROMPT };

struct reference {
    enum reference_scheme scheme;
    struct str rest; /* path or name; borrowed from the text; empty for prompt: */
};

/* ERR_INPUT with a hint that shows how to write it. */
int reference_parse(struct reference *out, struct str text, struct err *e) must_use;

#endif
