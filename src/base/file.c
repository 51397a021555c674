#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int open_class(int saved_errno)
{
    if (saved_errno == ENOENT || saved_errno == ENOTDIR) return ERR_NOTFOUND;
    if (saved_errno == EACCES || saved_errno == EPERM) return ERR_DENIED;
    return ERR_INPUT;
}

int file_read(struct buf *out, const char *path, struct err *e)
{
    defer_close int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        int saved = errno;
        return err_errno(e, open_class(saved), saved, "%s", path);
    }
    for (;;) {
        uint8_t chunk[16384];
        ssize_t n = read(fd, chunk, sizeof chunk);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return err_errno(e, ERR_INPUT, errno, "%s", path);
        if (n == 0) return 0;
        buf_add(out, chunk, (size_t)n);
        explicit_bzero(chunk, (size_t)n);
        if (out->failed) return err_set(e, ERR_LIMIT, "%s: longer than %zu bytes", path, out->max);
    }
}

static int write_class(int saved_errno)
{
    switch (saved_errno) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG: return ERR_LIMIT;
    case EROFS:
    case EACCES:
    case EPERM: return ERR_DENIED;
    case EPIPE: return ERR_NET;
    case EIO: return ERR_BUG; /* as the store's: not the input's fault */
    default: return ERR_INPUT;
    }
}

int file_write_all(int fd, struct bytes b, struct err *e)
{
    while (b.len) {
        ssize_t n = write(fd, b.ptr, b.len);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) { /* somebody made standard output non-blocking */
            struct pollfd p = {.fd = fd, .events = POLLOUT};
            poll(&p, 1, 1000);
            continue;
        }
        if (n < 0) {
            int saved = errno;
            return err_errno(e, write_class(saved), saved, "write");
        }
        b.ptr += n;
        b.len -= (size_t)n;
    }
    return 0;
}

static int sync_directory_of(const char *path, struct err *e)
{
    defer_free char *copy = x_strdup(str_from(path));
    defer_close int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) < 0) return err_errno(e, ERR_INPUT, errno, "fsync of the directory of %s", path);
    return 0;
}

typedef int write_fn(void *ctx, int fd, struct err *e);

static int write_and_sync(const char *path, unsigned mode, write_fn *write_it, void *ctx, struct err *e)
{
    unlink(path); /* what a killed process with our number left, perhaps with other permissions */
    defer_close int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd < 0) {
        int saved = errno;
        return err_errno(e, open_class(saved), saved, "%s", path);
    }
    if (write_it(ctx, fd, e) < 0) return err_wrap(e, "%s", path);
    if (fsync(fd) < 0) return err_errno(e, ERR_INPUT, errno, "%s: fsync", path);
    return 0;
}

int file_write_atomic_by(const char *path, unsigned mode, write_fn *write_it, void *ctx, struct err *e)
{
    struct buf temporary = buf_new(8192);
    buf_printf(&temporary, "%s.%ld.tmp", path, (long)getpid());
    const char *name = buf_cstr(&temporary);
    int rc = write_and_sync(name, mode, write_it, ctx, e);
    if (rc == 0 && rename(name, path) < 0) rc = err_errno(e, ERR_INPUT, errno, "rename to %s", path);
    if (rc < 0) unlink(name);
    buf_free(&temporary);
    return rc < 0 ? rc : sync_directory_of(path, e);
}

static int write_bytes(void *ctx, int fd, struct err *e)
{
    return file_write_all(fd, *(const struct bytes *)ctx, e);
}

int file_write_atomic(const char *path, struct bytes b, unsigned mode, struct err *e)
{
    return file_write_atomic_by(path, mode, write_bytes, &b, e);
}

static const char *spill_directory(void)
{
    const char *dir = getenv("TMPDIR");
    return dir && *dir ? dir : "/var/tmp";
}

int file_spill(int *out_fd, struct err *e)
{
    const char *dir = spill_directory();
    int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0) {
        struct buf name = buf_new(8192);
        buf_printf(&name, "%s/rollcall.XXXXXX", dir);
        char *path = x_strdup(str_from(buf_cstr(&name)));
        buf_free(&name);
        fd = mkostemp(path, O_CLOEXEC);
        if (fd >= 0) unlink(path);
        free(path);
    }
    if (fd < 0) {
        int saved = errno;
        err_errno(e, write_class(saved), saved, "no temporary file in %s", dir);
        return err_hint(e, "make room there, or name a writable directory in TMPDIR");
    }
    *out_fd = fd;
    return 0;
}

int file_spill_write(int fd, struct bytes b, struct err *e)
{
    if (file_write_all(fd, b, e) == 0) return 0;
    err_wrap(e, "temporary file in %s", spill_directory());
    return err_hint(e, e->class == ERR_LIMIT ? "make room there, or name another directory in TMPDIR"
                                             : "look at that disk and the system's log, or name another directory in TMPDIR");
}
