#include "vault/vault.h"

#include "conf/reference.h"
#include "vault/prompt.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- files ---------------------------------------------------------------------------------------------- */

/* Nobody but its owner may read or change it; root's may also be readable by its group. */
static int check_mode(const struct stat *st, const char *path, struct err *e)
{
    unsigned mode = st->st_mode & 07777;
    const char *who = mode & 007 ? "others" : "its group";
    bool is_open = st->st_uid == 0 ? mode & 027 : mode & 077;
    if (!is_open) return 0;
    err_set(e, ERR_DENIED, "%s: %s may read or change the file (mode %04o)", path, who, mode);
    return err_hint(e, "chmod 600 %s%s", path,
                    st->st_uid == 0 ? " (or 640: root's file may be readable by its group)" : "");
}

static int fail_open(const char *path, int saved_errno, struct err *e)
{
    bool missing = saved_errno == ENOENT || saved_errno == ENOTDIR;
    bool denied = saved_errno == EACCES || saved_errno == EPERM;
    return err_errno(e, missing ? ERR_NOTFOUND : denied ? ERR_DENIED : ERR_INPUT, saved_errno, "%s", path);
}

/* Notepad's marks: the file would hold other bytes than one sees. */
static int check_encoding(struct bytes b, const char *path, struct err *e)
{
    struct str s = str_of(b);
    if (!str_starts(s, STR("\xff\xfe")) && !str_starts(s, STR("\xfe\xff")) &&
        !str_starts(s, STR("\xef\xbb\xbf")))
        return 0;
    err_set(e, ERR_INPUT, "%s: begins with a byte order mark, which would become part of the secret", path);
    return err_hint(e, "save the file as UTF-8 without BOM");
}

/* One LF or CRLF at the end is the editor's; a CR alone is not a line end. */
static struct bytes without_line_end(struct bytes b)
{
    if (!b.len || b.ptr[b.len - 1] != '\n') return b;
    b.len--;
    if (b.len && b.ptr[b.len - 1] == '\r') b.len--;
    return b;
}

static int read_all(uint8_t *to, size_t size, size_t *n, int fd, const char *path, struct err *e)
{
    for (*n = 0; *n < size;) {
        ssize_t got = read(fd, to + *n, size - *n);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return err_errno(e, ERR_INPUT, errno, "%s", path);
        if (got == 0) return 0;
        *n += (size_t)got;
    }
    return err_set(e, ERR_INPUT, "%s: longer than %d bytes", path, SECRET_MAX);
}

static int take_file(struct secret *out, int fd, const char *path, struct err *e)
{
    size_t size = SECRET_MAX + 3, n; /* with a line end, and one byte more to see that it is too long */
    uint8_t *copy = x_alloc(size);
    int rc = read_all(copy, size, &n, fd, path, e);
    if (rc == 0) rc = check_encoding((struct bytes){copy, n}, path, e);
    if (rc == 0) {
        rc = secret_take(out, without_line_end((struct bytes){copy, n}), e);
        if (rc < 0) err_wrap(e, "%s", path);
    }
    secret_wipe(copy, size);
    free(copy);
    return rc;
}

static int from_file(struct secret *out, const char *path, struct err *e)
{
    struct stat st;
    defer_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0) return fail_open(path, errno, e);
    if (fstat(fd, &st) < 0) return err_errno(e, ERR_INPUT, errno, "%s", path);
    if (!S_ISREG(st.st_mode)) return err_set(e, ERR_INPUT, "%s: not a regular file", path);
    try(check_mode(&st, path, e));
    return take_file(out, fd, path, e);
}

/* --- the other schemes ---------------------------------------------------------------------------------- */

static int from_env(struct secret *out, const char *name, struct err *e)
{
    const char *value = getenv(name);
    if (value) {
        int rc = secret_take(out, bytes_of(str_from(value)), e);
        return rc < 0 ? err_wrap(e, "environment variable %s", name) : 0;
    }
    err_set(e, ERR_NOTFOUND, "the environment variable %s is not set", name);
    return err_hint(e, "export %s, or write file:PATH", name);
}

static int from_credential(struct secret *out, const char *name, struct err *e)
{
    const char *dir = getenv("CREDENTIALS_DIRECTORY");
    if (!dir || !*dir) {
        err_set(e, ERR_NOTFOUND, "credential %s: $CREDENTIALS_DIRECTORY is not set", name);
        return err_hint(e, "cred: works in a systemd unit with LoadCredential=%s:PATH", name);
    }
    struct buf path = buf_new(8192);
    buf_printf(&path, "%s/%s", dir, name);
    int rc = from_file(out, buf_cstr(&path), e);
    if (rc == ERR_NOTFOUND) err_hint(e, "add LoadCredential=%s:PATH to the systemd unit", name);
    buf_free(&path);
    return rc;
}

static secret_vault_reader vault_reader;
static void *vault_reader_ctx;

void secret_set_vault(secret_vault_reader read, void *ctx)
{
    vault_reader = read;
    vault_reader_ctx = ctx;
}

static int from_vault(struct secret *out, struct str rest, struct err *e)
{
    struct str path, field;
    reference_split_vault(&path, &field, rest);
    if (vault_reader) return vault_reader(vault_reader_ctx, out, path, field, e);
    return err_set(e, ERR_BUG, "vault: references are not read here");
}

/* What another process of ours put there is the secret, byte by byte; read from the beginning, since it may be read more than once. */
static int from_descriptor(struct secret *out, int fd, struct err *e)
{
    struct stat st;
    size_t n = 0;
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) return err_set(e, ERR_BUG, "descriptor %d: holds no secret", fd);
    if (st.st_size > SECRET_MAX) return err_set(e, ERR_INPUT, "descriptor %d: longer than %d bytes", fd, SECRET_MAX);
    uint8_t *copy = x_alloc(SECRET_MAX);
    for (ssize_t got = 1; got > 0 && n < SECRET_MAX;) {
        got = pread(fd, copy + n, SECRET_MAX - n, (off_t)n);
        if (got > 0) n += (size_t)got;
    }
    int rc = secret_take(out, (struct bytes){copy, n}, e);
    secret_wipe(copy, SECRET_MAX);
    free(copy);
    return rc;
}

static int resolve(struct secret *out, const struct reference *r, const char *rest, const char *what,
                   struct err *e)
{
    switch (r->scheme) {
    case REFERENCE_FILE:
        return from_file(out, rest, e);
    case REFERENCE_ENV:
        return from_env(out, rest, e);
    case REFERENCE_CRED:
        return from_credential(out, rest, e);
    case REFERENCE_PROMPT:
        return prompt_secret(out, what, e);
    case REFERENCE_VAULT:
        return from_vault(out, r->rest, e);
    case REFERENCE_FD:
        return from_descriptor(out, reference_descriptor(r->rest), e);
    }
    return err_set(e, ERR_BUG, "reference scheme %d", (int)r->scheme);
}

int secret_resolve(struct secret *out, struct str reference, const char *what, struct err *e)
{
    struct reference r;
    *out = (struct secret){0};
    if (reference_parse(&r, reference, e) < 0) return err_wrap(e, "%s", what);
    defer_free char *rest = x_strdup(r.rest);
    return resolve(out, &r, rest, what, e) < 0 ? err_wrap(e, "%s", what) : 0;
}

void secret_describe(struct buf *out, struct str reference)
{
    static const char *const words[] = {[REFERENCE_FILE] = "file ",
                                        [REFERENCE_ENV] = "environment variable ",
                                        [REFERENCE_CRED] = "systemd credential ",
                                        [REFERENCE_PROMPT] = "asked on the terminal",
                                        [REFERENCE_VAULT] = "vault ",
                                        [REFERENCE_FD] = "the server, where it was entered"};
    struct reference r;
    struct err e;
    if (str_starts(reference, STR("fd:"))) { /* a worker is told the setting, but not that it may read descriptors */
        buf_add_str(out, str_from(words[REFERENCE_FD]));
        return;
    }
    if (reference_parse(&r, reference, &e) < 0) {
        buf_printf(out, "not a reference");
        return;
    }
    buf_printf(out, "%s", words[r.scheme]);
    buf_add_str(out, r.rest);
}
