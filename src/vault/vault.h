/* vault.h - secret references to secrets: file: env: cred: vault: prompt:
 *
 *   file:PATH  the whole file less one trailing newline (LF or CRLF); refused when others may read or change
 *              it, or its group (root's file may be readable by its group)
 *   env:NAME   an environment variable
 *   cred:NAME  $CREDENTIALS_DIRECTORY/NAME (systemd LoadCredential=)
 *   prompt:    asked on the terminal (/dev/tty) without echo; an error where there is none
 *
 *   fd:N       an inherited descriptor, all of it; only where the settings came on one (conf/reference.h)
 *   vault:MOUNT/PATH#FIELD  HashiCorp Vault or OpenBao, by whom secret_set_vault names (net/hashicorp.h): this room
 *              has no network
 *
 * A plain value is refused with the way to write it properly. The syntax is conf/reference.h.
 */
#ifndef ROLLCALL_VAULT_H
#define ROLLCALL_VAULT_H

#include "base/buf.h"
#include "base/secret.h"

/* ERR_INPUT bad reference; ERR_NOTFOUND; ERR_DENIED not readable or too open. `what` names the setting for
 * the prompt and for messages ("password of corp"). No message ever holds the value. */
int secret_resolve(struct secret *out, struct str reference, const char *what, struct err *e) must_use;
/* Who reads vault: references; once, before threads. path: "mount/path". */
typedef int (*secret_vault_reader)(void *ctx, struct secret *out, struct str path, struct str field, struct err *e);
void secret_set_vault(secret_vault_reader read, void *ctx);
/* "file /etc/rollcall/corp.pw" for evidence in reports. */
void secret_describe(struct buf *out, struct str reference);

#endif
