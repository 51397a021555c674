/* vault.h - secret references to secrets: file: env: cred: prompt:
 *
 *   file:PATH  the whole file less one trailing newline (LF or CRLF); refused when others may read or change
 *              it, or its group (root's file may be readable by its group)
 *   env:NAME   an environment variable
 *   cred:NAME  $CREDENTIALS_DIRECTORY/NAME (systemd LoadCredential=)
 *   prompt:    asked on the terminal (/dev/tty) without echo; an error where there is none
 *
 * A plain value is refused with the way to write it properly; vault: has its place here and says that it is
 * not built yet. The syntax is conf/reference.h.
 */
#ifndef ROLLCALL_VAULT_H
#define ROLLCALL_VAULT_H

#include "base/buf.h"
#include "base/secret.h"

/* ERR_INPUT bad reference; ERR_NOTFOUND; ERR_DENIED not readable or too open. `what` names the setting for
 * the prompt and for messages ("password of corp"). No message ever holds the value. */
int secret_resolve(struct secret *out, struct str reference, const char *what, struct err *e) must_use;
/* "file /etc/rollcall/corp.pw" for evidence in reports. */
void secret_describe(struct buf *out, struct str reference);

#endif
