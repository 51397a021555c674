#include "vault/keyring.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEXT_MAX 8192
#define CLEAR    "rollcall-keys 1\n"
#define LOCKED   "rollcall-keys-locked 1\n"
#define BASE64   sodium_base64_VARIANT_ORIGINAL
#define NONCE    crypto_secretbox_xchacha20poly1305_NONCEBYTES
#define MAC      crypto_secretbox_xchacha20poly1305_MACBYTES
#define SALT     crypto_pwhash_SALTBYTES

/* A buffer with keys in it: wiped, and big enough from the beginning, so that no piece of it is left where it grew. */
static struct buf secret_buf(void)
{
    struct buf b = buf_new(TEXT_MAX);
    buf_reserve(&b, TEXT_MAX);
    return b;
}

/* --- text of keys ------------------------------------------------------------------------------------------- */

static struct str next_line(struct str *text)
{
    size_t n = str_index(*text, '\n');
    struct str line = {text->ptr, n};
    n += n < text->len;
    *text = (struct str){text->ptr + n, text->len - n};
    return line;
}

static bool read_number(uint32_t *out, struct str s)
{
    uint64_t n = 0;
    if (!s.len || s.len > 9) return false;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9') return false;
        n = n * 10 + (uint64_t)(s.ptr[i] - '0');
    }
    *out = (uint32_t)n;
    return n > 0;
}

static bool read_base64(uint8_t *out, size_t size, size_t *n, struct str s)
{
    return sodium_base642bin(out, size, s.ptr, s.len, NULL, n, NULL, BASE64) == 0;
}

static bool read_key(struct keyring *r, struct str line)
{
    size_t space = str_index(line, ' '), n = 0;
    if (space == line.len || r->n == KEYRING_MAX) return false;
    struct master_key *k = &r->keys[r->n];
    bool ok = read_number(&k->number, (struct str){line.ptr, space}) &&
              read_base64(k->key, sizeof k->key, &n, (struct str){line.ptr + space + 1, line.len - space - 1}) && n == sizeof k->key;
    r->n += ok;
    return ok;
}

static void find_newest(struct keyring *r)
{
    r->newest = 0;
    for (size_t i = 1; i < r->n; i++)
        if (r->keys[i].number > r->keys[r->newest].number) r->newest = i;
}

/* The lines behind the first. */
static int read_keys(struct keyring *r, struct str text, const char *place, struct err *e)
{
    size_t before = r->n;
    while (text.len)
        if (!read_key(r, next_line(&text))) return err_set(e, ERR_INPUT, "%s: not a file of master keys, or a damaged one", place);
    return r->n > before ? 0 : err_set(e, ERR_INPUT, "%s: holds no master key", place);
}

static void write_keys(struct buf *out, const struct keyring *r)
{
    char text[64];
    buf_printf(out, CLEAR);
    for (size_t i = 0; i < r->n; i++) {
        sodium_bin2base64(text, sizeof text, r->keys[i].key, sizeof r->keys[i].key, BASE64);
        buf_printf(out, "%u %s\n", r->keys[i].number, text);
    }
    secret_wipe(text, sizeof text);
}

/* --- locked by a passphrase --------------------------------------------------------------------------------- */

static int derive(uint8_t key[32], const struct secret *passphrase, const uint8_t salt[SALT], struct err *e)
{
    int rc = crypto_pwhash(key, 32, (const char *)passphrase->ptr, passphrase->len, salt, crypto_pwhash_OPSLIMIT_MODERATE, crypto_pwhash_MEMLIMIT_MODERATE,
                           crypto_pwhash_ALG_ARGON2ID13);
    return rc == 0 ? 0 : err_set(e, ERR_LIMIT, "no memory (256 MiB) to make a key of the passphrase");
}

static int lock_text(struct buf *out, struct bytes clear, const struct secret *passphrase, struct err *e)
{
    uint8_t salt[SALT], key[32], boxed[NONCE + MAC + TEXT_MAX];
    char text[TEXT_MAX * 2];
    randombytes_buf(salt, sizeof salt);
    randombytes_buf(boxed, NONCE);
    try(derive(key, passphrase, salt, e));
    crypto_secretbox_xchacha20poly1305_easy(boxed + NONCE, clear.ptr, clear.len, boxed, key);
    secret_wipe(key, sizeof key);
    sodium_bin2base64(text, sizeof text, salt, sizeof salt, BASE64);
    buf_printf(out, LOCKED "%s ", text);
    sodium_bin2base64(text, sizeof text, boxed, NONCE + MAC + clear.len, BASE64);
    buf_printf(out, "%s\n", text);
    return out->failed ? err_set(e, ERR_LIMIT, "too many master keys for a file") : 0;
}

static int unlock_text(struct buf *out, struct str line, const struct secret *passphrase, const char *path, struct err *e)
{
    uint8_t salt[SALT], key[32], boxed[TEXT_MAX];
    size_t space = str_index(line, ' '), n = 0, n_salt = 0;
    bool ok = space < line.len && read_base64(salt, sizeof salt, &n_salt, (struct str){line.ptr, space}) && n_salt == SALT &&
              read_base64(boxed, sizeof boxed, &n, (struct str){line.ptr + space + 1, line.len - space - 1}) && n > NONCE + MAC;
    if (!ok) return err_set(e, ERR_INPUT, "%s: not a file of master keys, or a damaged one", path);
    try(derive(key, passphrase, salt, e));
    uint8_t *to = buf_reserve(out, n);
    bool is_open = crypto_secretbox_xchacha20poly1305_open_easy(to, boxed + NONCE, n - NONCE, boxed, key) == 0;
    secret_wipe(key, sizeof key);
    if (!is_open) return err_set(e, ERR_AUTH, "%s: the passphrase is wrong, or the file was changed", path);
    buf_advance(out, n - NONCE - MAC);
    return 0;
}

/* --- files --------------------------------------------------------------------------------------------------- */

static int read_file(struct buf *out, const char *path, struct err *e)
{
    struct stat st;
    defer_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0) {
        int saved = errno;
        return err_errno(e, saved == ENOENT ? ERR_NOTFOUND : ERR_DENIED, saved, "master key %s", path);
    }
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) return err_set(e, ERR_INPUT, "master key %s: not a regular file", path);
    if (st.st_mode & 077) {
        err_set(e, ERR_DENIED, "master key %s: others may read or change it (mode %04o)", path, st.st_mode & 07777);
        return err_hint(e, "chmod 600 %s, and change the master key (rollcall server key rotate) if somebody could have read it", path);
    }
    for (ssize_t n = 1; n > 0;) {
        uint8_t *to = buf_reserve(out, 1024);
        if (!to) return err_set(e, ERR_INPUT, "master key %s: longer than %d bytes", path, TEXT_MAX);
        n = read(fd, to, 1024);
        if (n < 0 && errno != EINTR) return err_errno(e, ERR_INPUT, errno, "master key %s", path);
        if (n < 0) n = 1;
        else buf_advance(out, (size_t)n);
    }
    return 0;
}

static int load(struct keyring *r, struct err *e)
{
    struct buf text = secret_buf(), clear = secret_buf();
    int rc = read_file(&text, r->path, e);
    struct str s = buf_str(&text);
    if (rc == 0 && str_starts(s, STR(LOCKED))) {
        struct str rest = {s.ptr + strlen(LOCKED), s.len - strlen(LOCKED)};
        rc = r->passphrase.len ? unlock_text(&clear, next_line(&rest), &r->passphrase, r->path, e)
                               : err_set(e, ERR_AUTH, "master key %s: is locked by a passphrase", r->path);
        s = buf_str(&clear);
    } else if (rc == 0 && r->passphrase.len) {
        rc = err_set(e, ERR_INPUT, "master key %s: is not locked by a passphrase", r->path);
    }
    if (rc == 0 && !str_starts(s, STR(CLEAR))) rc = err_set(e, ERR_INPUT, "%s: not a file of master keys, or a damaged one", r->path);
    if (rc == 0) rc = read_keys(r, (struct str){s.ptr + strlen(CLEAR), s.len - strlen(CLEAR)}, r->path, e);
    secret_wipe_buf(&text);
    secret_wipe_buf(&clear);
    return rc;
}

static int save(const struct keyring *r, struct err *e)
{
    struct buf text = secret_buf(), locked = buf_new(TEXT_MAX * 2);
    write_keys(&text, r);
    int rc = r->passphrase.len ? lock_text(&locked, buf_bytes(&text), &r->passphrase, e) : 0;
    if (rc == 0) rc = file_write_atomic(r->path, r->passphrase.len ? buf_bytes(&locked) : buf_bytes(&text), 0600, e);
    secret_wipe_buf(&text);
    buf_free(&locked);
    return rc;
}

static void add_random(struct keyring *r, uint32_t number)
{
    r->keys[r->n].number = number;
    randombytes_buf(r->keys[r->n].key, sizeof r->keys[r->n].key);
    r->newest = r->n++;
}

/* --- the credential of systemd --------------------------------------------------------------------------------- */

static const char *credential_path(char out[PATH_MAX])
{
    const char *dir = getenv("CREDENTIALS_DIRECTORY");
    if (!dir || !*dir) return NULL;
    int n = snprintf(out, PATH_MAX, "%s/" KEYRING_CREDENTIAL, dir);
    return n < PATH_MAX && access(out, F_OK) == 0 ? out : NULL;
}

/* Its own directory is nobody else's; systemd gives the file mode 0400, or 0440 where the service runs as another user. */
static int read_credential(struct keyring *r, const char *path, struct err *e)
{
    struct buf text = secret_buf();
    int rc = file_read(&text, path, e);
    struct str s = buf_str(&text), trimmed = str_trim(s);
    if (rc == 0 && str_starts(s, STR(CLEAR))) {
        rc = read_keys(r, (struct str){s.ptr + strlen(CLEAR), s.len - strlen(CLEAR)}, path, e);
    } else if (rc == 0 && trimmed.len < 32) {
        rc = err_set(e, ERR_INPUT, "credential " KEYRING_CREDENTIAL ": shorter than 32 bytes");
        err_hint(e, "make it with: openssl rand -base64 32");
    } else if (rc == 0) {
        crypto_hash_sha256(r->keys[0].key, (const uint8_t *)trimmed.ptr, trimmed.len);
        r->keys[0].number = 1;
        r->n = 1;
    }
    find_newest(r);
    secret_wipe_buf(&text);
    return rc;
}

/* The file that was used before there was a credential still opens what it sealed. */
static int open_credential(struct keyring *r, const char *credential, struct err *e)
{
    struct err ignored;
    snprintf(r->describe, sizeof r->describe, "systemd credential " KEYRING_CREDENTIAL);
    r->is_credential = true;
    try(read_credential(r, credential, e));
    size_t newest = r->newest, n = r->n;
    if (load(r, &ignored) < 0) r->n = n;
    r->newest = newest;
    return 0;
}

/* --- opening --------------------------------------------------------------------------------------------------- */

static int open_file(struct keyring *r, bool may_make, struct err *e)
{
    snprintf(r->describe, sizeof r->describe, "%s %.480s", r->passphrase.len ? "passphrase and file" : "file", r->path);
    int rc = load(r, e);
    if (rc == ERR_NOTFOUND && may_make) {
        add_random(r, 1);
        return save(r, e);
    }
    if (rc == ERR_NOTFOUND) err_hint(e, "without it the secrets that were entered are lost: bring it back from a backup, or enter them again");
    find_newest(r);
    return rc;
}

int keyring_open(struct keyring *out, const char *path, const struct secret *passphrase, bool may_make, struct err *e)
{
    char credential[PATH_MAX];
    *out = (struct keyring){.path = x_strdup(str_from(path))};
    if (sodium_init() < 0) abort();
    out->keys = sodium_allocarray(KEYRING_MAX, sizeof *out->keys);
    if (!out->keys) return err_set(e, ERR_LIMIT, "no locked memory for the master keys (see RLIMIT_MEMLOCK)");
    if (passphrase) {
        try(secret_take(&out->passphrase, secret_bytes(passphrase), e));
        return open_file(out, may_make, e);
    }
    const char *given = credential_path(credential);
    return given ? open_credential(out, given, e) : open_file(out, may_make, e);
}

void keyring_close(struct keyring *r)
{
    if (!r) return;
    if (r->keys) sodium_free(r->keys); /* wipes */
    secret_drop(&r->passphrase);
    free(r->path);
    *r = (struct keyring){.n = 0};
}

/* --- rotation ---------------------------------------------------------------------------------------------------- */

static int refuse_credential(struct err *e)
{
    err_set(e, ERR_CONFLICT, "the master key is the systemd credential " KEYRING_CREDENTIAL ", which rollcall does not write");
    return err_hint(e, "put a key file with the old and a new key into the credential, start again and rotate; see rollcall(1)");
}

int keyring_add(struct keyring *r, struct err *e)
{
    uint32_t highest = 0;
    if (r->is_credential) return refuse_credential(e);
    if (r->n == KEYRING_MAX) return err_set(e, ERR_LIMIT, "%s: holds %d master keys already", r->path, KEYRING_MAX);
    for (size_t i = 0; i < r->n; i++)
        if (r->keys[i].number > highest) highest = r->keys[i].number;
    size_t was = r->newest;
    add_random(r, highest + 1);
    int rc = save(r, e);
    if (rc == 0) return 0;
    r->n--;
    r->newest = was;
    return rc;
}

/* What a killed rotation was writing holds keys too. */
static void remove_leftovers(const char *path)
{
    char pattern[PATH_MAX];
    glob_t found = {.gl_pathc = 0};
    snprintf(pattern, sizeof pattern, "%.4000s.*.tmp", path);
    if (glob(pattern, 0, NULL, &found) == 0)
        for (size_t i = 0; i < found.gl_pathc; i++) unlink(found.gl_pathv[i]);
    globfree(&found);
}

int keyring_keep_newest(struct keyring *r, struct err *e)
{
    struct keyring only = *r;
    only.keys = &r->keys[r->newest];
    only.n = 1;
    if (!r->is_credential) try(save(&only, e));
    if (!r->is_credential) remove_leftovers(r->path);
    if (r->newest) r->keys[0] = r->keys[r->newest];
    if (r->n > 1) secret_wipe(&r->keys[1], (r->n - 1) * sizeof *r->keys);
    r->n = 1;
    r->newest = 0;
    return 0;
}
