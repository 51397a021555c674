/* seal.c - the sealed form, as bytes before base64url:
 *
 *     1 version (1) | 4 number of the master key, big-endian | 24 nonce, 48 data key (wrapped) | 24 nonce, secret + 16
 *
 * Associated data of both layers: version, number, then what the secret is bound to. The master keys are the keyring (keyring.h).
 */
#include "vault/seal.h"

#include "vault/keyring.h"
#include "vault/vault.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>

#define VERSION 1
#define KEY     crypto_aead_xchacha20poly1305_ietf_KEYBYTES
#define NONCE   crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG     crypto_aead_xchacha20poly1305_ietf_ABYTES
#define HEAD    5
#define WRAPPED (NONCE + KEY + TAG)
#define LEAST   (HEAD + WRAPPED + NONCE + TAG)
#define MOST    (LEAST + SECRET_MAX)

struct seal {
    pthread_mutex_t lock; /* the keyring is exchanged while others seal */
    struct keyring ring;
};

/* --- one layer -------------------------------------------------------------------------------------------- */

/* Appends nonce and box. */
static void box(struct buf *out, struct bytes in, struct bytes ad, const uint8_t key[KEY])
{
    uint8_t *to = buf_reserve(out, NONCE + in.len + TAG);
    if (!to) return;
    randombytes_buf(to, NONCE);
    crypto_aead_xchacha20poly1305_ietf_encrypt(to + NONCE, NULL, in.ptr, in.len, ad.ptr, ad.len, NULL, to, key);
    buf_advance(out, NONCE + in.len + TAG);
}

/* out: room for in.len - NONCE - TAG. */
static bool unbox(uint8_t *out, struct bytes in, struct bytes ad, const uint8_t key[KEY])
{
    return crypto_aead_xchacha20poly1305_ietf_decrypt(out, NULL, NULL, in.ptr + NONCE, in.len - NONCE, ad.ptr, ad.len, in.ptr, key) == 0;
}

static void add_head(struct buf *out, uint32_t number)
{
    buf_add_byte(out, VERSION);
    for (int shift = 24; shift >= 0; shift -= 8) buf_add_byte(out, (uint8_t)(number >> shift));
}

static struct buf associated(uint32_t number, struct str bound_to)
{
    struct buf ad = buf_new(HEAD + bound_to.len);
    add_head(&ad, number);
    buf_add_str(&ad, bound_to);
    return ad;
}

/* --- text ------------------------------------------------------------------------------------------------- */

static void add_text(struct buf *out, struct bytes b)
{
    size_t room = sodium_base64_encoded_len(b.len, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    char *to = (char *)buf_reserve(out, room);
    if (!to) return;
    sodium_bin2base64(to, room, b.ptr, b.len, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    buf_advance(out, room - 1);
}

static int read_text(struct buf *out, struct str text, struct err *e)
{
    size_t n = 0;
    uint8_t *to = text.len <= MOST * 2 ? buf_reserve(out, text.len) : NULL;
    bool ok = to && sodium_base642bin(to, text.len, text.ptr, text.len, NULL, &n, NULL, sodium_base64_VARIANT_URLSAFE_NO_PADDING) == 0;
    if (!ok || n < LEAST || n > MOST || to[0] != VERSION) return err_set(e, ERR_AUTH, "a sealed secret was changed, or is of a newer version");
    buf_advance(out, n);
    return 0;
}

/* --- sealing ---------------------------------------------------------------------------------------------- */

static void put(const struct keyring *ring, struct bytes secret, struct str bound_to, struct buf *out)
{
    const struct master_key *master = keyring_newest(ring);
    uint8_t data_key[KEY];
    struct buf ad = associated(master->number, bound_to), sealed = buf_new(MOST);
    randombytes_buf(data_key, sizeof data_key);
    add_head(&sealed, master->number);
    box(&sealed, (struct bytes){data_key, KEY}, buf_bytes(&ad), master->key);
    box(&sealed, secret, buf_bytes(&ad), data_key);
    secret_wipe(data_key, sizeof data_key);
    if (sealed.failed) out->failed = true;
    add_text(out, buf_bytes(&sealed));
    buf_free(&sealed);
    buf_free(&ad);
}

int seal_put(const struct seal *s, struct bytes secret, struct str bound_to, struct buf *out, struct err *e)
{
    struct seal *own = (struct seal *)(uintptr_t)s; /* its lock */
    if (!secret.len) return err_set(e, ERR_INPUT, "the secret is empty");
    if (secret.len > SECRET_MAX) return err_set(e, ERR_INPUT, "the secret is longer than %d bytes", SECRET_MAX);
    pthread_mutex_lock(&own->lock);
    put(&own->ring, secret, bound_to, out);
    pthread_mutex_unlock(&own->lock);
    return out->failed ? err_set(e, ERR_LIMIT, "a sealed secret does not fit its place") : 0;
}

static bool open_with(const struct master_key *master, struct bytes sealed, struct bytes ad, uint8_t *out)
{
    uint8_t data_key[KEY];
    bool ok = unbox(data_key, (struct bytes){sealed.ptr + HEAD, WRAPPED}, ad, master->key) &&
              unbox(out, (struct bytes){sealed.ptr + HEAD + WRAPPED, sealed.len - HEAD - WRAPPED}, ad, data_key);
    secret_wipe(data_key, sizeof data_key);
    return ok;
}

/* Keys of two sources may have one number: each is tried. */
static int get(const struct keyring *ring, struct bytes sealed, struct str bound_to, struct secret *out, struct err *e)
{
    uint32_t number = (uint32_t)sealed.ptr[1] << 24 | (uint32_t)sealed.ptr[2] << 16 | (uint32_t)sealed.ptr[3] << 8 | sealed.ptr[4];
    struct buf ad = associated(number, bound_to);
    size_t len = sealed.len - LEAST, n_tried = 0;
    uint8_t *clear = x_alloc(len + 1);
    bool is_open = false;
    for (size_t i = 0; i < ring->n && !is_open; i++) {
        if (ring->keys[i].number != number) continue;
        is_open = open_with(&ring->keys[i], sealed, buf_bytes(&ad), clear);
        n_tried++;
    }
    int rc = is_open ? secret_take(out, (struct bytes){clear, len}, e) : 0;
    secret_wipe(clear, len + 1);
    free(clear);
    buf_free(&ad);
    if (is_open) return rc;
    if (n_tried) return err_set(e, ERR_AUTH, "a sealed secret does not open: it was moved, changed, or is bound to other settings");
    err_set(e, ERR_NOTFOUND, "a secret is sealed with master key %u, which is not here", number);
    return err_hint(e, "give back the key it was sealed with, or enter the secret again");
}

int seal_get(const struct seal *s, struct str sealed, struct str bound_to, struct secret *out, struct err *e)
{
    struct seal *own = (struct seal *)(uintptr_t)s;
    struct buf bytes = buf_new(MOST * 2);
    *out = (struct secret){0};
    int rc = read_text(&bytes, sealed, e);
    if (rc == 0) {
        pthread_mutex_lock(&own->lock);
        rc = get(&own->ring, buf_bytes(&bytes), bound_to, out, e);
        pthread_mutex_unlock(&own->lock);
    }
    buf_free(&bytes);
    return rc;
}

/* --- opening, rotating -------------------------------------------------------------------------------------- */

static int finish(struct seal **out, struct keyring *ring, int rc)
{
    *out = NULL;
    if (rc < 0) {
        keyring_close(ring);
        return rc;
    }
    struct seal *s = x_zalloc(sizeof *s);
    s->ring = *ring;
    pthread_mutex_init(&s->lock, NULL);
    *out = s;
    return 0;
}

int seal_open(struct seal **out, const char *path, bool may_make, struct err *e)
{
    struct keyring ring;
    return finish(out, &ring, keyring_open(&ring, path, NULL, may_make, e));
}

int seal_open_passphrase(struct seal **out, const struct secret *passphrase, const char *salt_path, bool may_make, struct err *e)
{
    struct keyring ring;
    return finish(out, &ring, keyring_open(&ring, salt_path, passphrase, may_make, e));
}

int seal_open_by(struct seal **out, const char *path, const char *passphrase, bool may_make, struct err *e)
{
    struct secret s;
    *out = NULL;
    if (!passphrase) return seal_open(out, path, may_make, e);
    try(secret_resolve(&s, str_from(passphrase), "passphrase of the master key", e));
    int rc = seal_open_passphrase(out, &s, path, may_make, e);
    secret_drop(&s);
    return rc;
}

void seal_close(struct seal *s)
{
    if (!s) return;
    keyring_close(&s->ring);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

const char *seal_describe(const struct seal *s)
{
    return s->ring.describe;
}

uint32_t seal_number(const struct seal *s)
{
    struct seal *own = (struct seal *)(uintptr_t)s;
    pthread_mutex_lock(&own->lock);
    uint32_t number = keyring_newest(&own->ring)->number;
    pthread_mutex_unlock(&own->lock);
    return number;
}

size_t seal_keys(const struct seal *s)
{
    struct seal *own = (struct seal *)(uintptr_t)s;
    pthread_mutex_lock(&own->lock);
    size_t n = own->ring.n;
    pthread_mutex_unlock(&own->lock);
    return n;
}

int seal_rotate(struct seal *s, struct err *e)
{
    pthread_mutex_lock(&s->lock);
    int rc = keyring_add(&s->ring, e);
    pthread_mutex_unlock(&s->lock);
    return rc;
}

int seal_retire(struct seal *s, struct err *e)
{
    pthread_mutex_lock(&s->lock);
    int rc = keyring_keep_newest(&s->ring, e);
    pthread_mutex_unlock(&s->lock);
    return rc;
}
