/* reference.h - how a secret is written in the settings: "scheme:rest", never the secret itself.
 *
 * Syntax only; vault/ turns a reference into the secret. A text that is no reference may well be a password
 * that somebody typed into the wrong place: no function here ever puts it, or a part of it, into a message.
 */
#ifndef ROLLCALL_CONF_REFERENCE_H
#define ROLLCALL_CONF_REFERENCE_H

#include "base/err.h"

enum reference_scheme { REFERENCE_FILE, REFERENCE_ENV, REFERENCE_CRED, REFERENCE_PROMPT, REFERENCE_VAULT, REFERENCE_FD };

struct reference {
    enum reference_scheme scheme;
    struct str rest; /* path or name; borrowed from the text; empty for prompt: */
};

/* ERR_INPUT with a hint that shows how to write it. */
int reference_parse(struct reference *out, struct str text, struct err *e) must_use;
/* From now on fd:N is a reference too: an inherited descriptor that holds one secret. For a process whose settings were handed to it on a descriptor
 * (conf_load); in a file that somebody wrote fd: stays an error. Once, before threads. */
void reference_allow_descriptors(void);
bool reference_allows_descriptors(void);
/* The number of a parsed fd: reference. */
int reference_descriptor(struct str rest);
/* The rest of a parsed vault: reference: "mount/path" and the field behind its last #. */
void reference_split_vault(struct str *path, struct str *field, struct str rest);

#endif
