/* keyring.h - the master keys: where they are kept, how they are read and written. Internal to vault/.
 *
 * A file of ours is text: "rollcall-keys 1", then a line "NUMBER KEY" (base64) for each; the highest number is in use. With a passphrase the same text is
 * within a box (XChaCha20-Poly1305, key by Argon2id): "rollcall-keys-locked 1", then "SALT BOX". Files are replaced as a whole, so that a kill leaves the
 * one before or the one after. The systemd credential holds such a text, or anything else of at least 32 bytes (openssl rand -base64 32), of which the
 * SHA-256 is key number 1; it is never written.
 */
#ifndef ROLLCALL_VAULT_KEYRING_H
#define ROLLCALL_VAULT_KEYRING_H

#include "base/buf.h"
#include "base/secret.h"

#define KEYRING_CREDENTIAL "rollcall-master-key"
#define KEYRING_MAX        16
#define KEYRING_DESCRIBE   512

struct master_key {
    uint32_t number;
    uint8_t key[32];
};
struct keyring {
    struct master_key *keys; /* guarded memory, KEYRING_MAX of them */
    size_t n, newest;
    char *path;
    struct secret passphrase; /* empty: none */
    bool is_credential;
    char describe[KEYRING_DESCRIBE];
};

/* passphrase NULL: of the credential if there is one, else the file. Close it even if it fails. ERR_AUTH: the passphrase is wrong. */
int keyring_open(struct keyring *out, const char *path, const struct secret *passphrase, bool may_make, struct err *e) must_use;
void keyring_close(struct keyring *r);
static inline const struct master_key *keyring_newest(const struct keyring *r)
{
    return &r->keys[r->newest];
}
/* A new key with the next number, on disk before it is in use. ERR_CONFLICT: the keys are systemd's. */
int keyring_add(struct keyring *r, struct err *e) must_use;
int keyring_keep_newest(struct keyring *r, struct err *e) must_use;

#endif
