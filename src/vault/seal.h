/* seal.h - secrets at rest: XChaCha20-Poly1305 (libsodium) with a data key each, the data key wrapped by the master key.
 *
 * A sealed secret opens only with the same `bound_to` (associated data: connector, key, host, port, CA, user ...): moved to another row, or with another host in
 * that row, it does not. Rotation wraps the data keys anew; two master keys are known meanwhile.
 * The master key comes from, in this order: the systemd credential "rollcall-master-key", the file in the setting or beside the store
 * (<store>.key, 0600, made at first start), or a passphrase (Argon2id, its salt kept beside). Whoever has the state file and not the key has no secret.
 */
#ifndef ROLLCALL_SEAL_H
#define ROLLCALL_SEAL_H

#include "base/buf.h"
#include "base/secret.h"

struct seal;
/* path: of the key file, made if may_make and there is none. ERR_DENIED: others may read it. *describe in seal_describe. */
int seal_open(struct seal **out, const char *path, bool may_make, struct err *e) must_use;
int seal_open_passphrase(struct seal **out, const struct secret *passphrase, const char *salt_path, bool may_make, struct err *e) must_use;
/* Whichever it is: passphrase is a reference (vault.h) to one, or NULL. ERR_AUTH: the file is locked, and none was given. */
int seal_open_by(struct seal **out, const char *path, const char *passphrase, bool may_make, struct err *e) must_use;
void seal_close(struct seal *s); /* wipes; NULL is legal */
const char *seal_describe(const struct seal *s); /* "systemd credential rollcall-master-key", "file /var/lib/rollcall/rollcall.db.key" */
/* Appends the sealed form (printable base64url, versioned, names its master key by number). */
int seal_put(const struct seal *s, struct bytes secret, struct str bound_to, struct buf *out, struct err *e) must_use;
/* ERR_AUTH: another binding or changed bytes; ERR_NOTFOUND: sealed with a master key that is not here. */
int seal_get(const struct seal *s, struct str sealed, struct str bound_to, struct secret *out, struct err *e) must_use;
/* A new master key beside the old one; seal_put uses it from now on. The file then holds both, seal_retire leaves only the newest. */
int seal_rotate(struct seal *s, struct err *e) must_use;
int seal_retire(struct seal *s, struct err *e) must_use;
size_t seal_keys(const struct seal *s);      /* how many are known: more than one while a rotation is not finished */
uint32_t seal_number(const struct seal *s); /* of the master key in use */

#endif
