#include "store/sqlite/lock.h"

#include "base/buf.h"
#include "base/file.h"
#include "base/when.h"
#include "model/filetime.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* "PID STARTED_MS"; false: it cannot be read. */
static bool read_holder(int fd, char pid[32], int64_t *since_ms)
{
    char text[64];
    ssize_t n = pread(fd, text, sizeof text, 0);
    struct str line = str_trim((struct str){text, n > 0 ? (size_t)n : 0});
    size_t space = str_index(line, ' ');
    snprintf(pid, 32, "%.*s", (int)space, line.ptr);
    return decimal_parse(since_ms, str_trim((struct str){line.ptr + space, line.len - space}));
}

static int held_by_another(int fd, struct str connector, struct err *e)
{
    char pid[32], when[WHEN_TEXT] = "";
    int64_t since_ms;
    if (read_holder(fd, pid, &since_ms)) when_format(when, since_ms);
    err_set(e, ERR_CONFLICT, "connector %.*s: a run is under way (pid %s, since %s)", STR_FMT(connector), pid, when);
    return err_hint(e, "wait until it ends; if that process hangs, stop it: its lock goes with it");
}

static int write_holder(int fd, int64_t started_ms, struct err *e)
{
    struct buf b = buf_new(64);
    buf_printf(&b, "%ld %lld\n", (long)getpid(), (long long)started_ms);
    int rc = ftruncate(fd, 0) < 0 ? err_errno(e, ERR_LIMIT, errno, "ftruncate")
                                  : file_write_all(fd, buf_bytes(&b), e);
    buf_free(&b);
    return rc;
}

int lock_take(int *out_fd, const char *store_path, struct str connector, int64_t started_ms, struct err *e)
{
    struct buf path = buf_new(8192);
    buf_printf(&path, "%s.%.*s.lock", store_path, STR_FMT(connector));
    int fd = open(buf_cstr(&path), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600), rc = 0;
    if (fd < 0) {
        int saved = errno;
        rc = err_errno(e, saved == ENOSPC ? ERR_LIMIT : ERR_DENIED, saved, "lock file %s", buf_cstr(&path));
        err_hint(e, "the directory of the store must be writable, and have room");
    }
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (rc == 0 && fcntl(fd, F_OFD_SETLK, &whole) < 0)
        rc = errno == EAGAIN || errno == EACCES
                 ? held_by_another(fd, connector, e)
                 : err_errno(e, ERR_DENIED, errno, "lock file %s", buf_cstr(&path));
    if (rc == 0 && (rc = write_holder(fd, started_ms, e)) < 0) {
        err_wrap(e, "lock file %s", buf_cstr(&path));
        err_hint(e, "make room on the disk of the store, or look at it and the system's log; what was visible before is untouched");
    }
    buf_free(&path);
    if (rc < 0 && fd >= 0) close(fd);
    if (rc == 0) *out_fd = fd;
    return rc;
}

int64_t lock_since(const char *store_path, struct str connector)
{
    struct buf path = buf_new(8192);
    char pid[32];
    int64_t since_ms = INT64_MAX / 2;
    buf_printf(&path, "%s.%.*s.lock", store_path, STR_FMT(connector));
    defer_close int fd = open(buf_cstr(&path), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd >= 0 && !read_holder(fd, pid, &since_ms)) since_ms = INT64_MAX / 2;
    buf_free(&path);
    return since_ms;
}

/* The new one is locked before it has the name. */
int lock_replace(int *out_fd, const char *store_path, struct str connector, int64_t started_ms, struct err *e)
{
    struct buf path = buf_new(8192), fresh = buf_new(8192);
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    buf_printf(&path, "%s.%.*s.lock", store_path, STR_FMT(connector));
    buf_printf(&fresh, "%s.%ld", buf_cstr(&path), (long)getpid());
    int fd = open(buf_cstr(&fresh), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    bool is_fine = fd >= 0 && fcntl(fd, F_OFD_SETLK, &whole) == 0;
    int rc = is_fine ? write_holder(fd, started_ms, e) : err_errno(e, ERR_DENIED, errno, "lock file %s", buf_cstr(&fresh));
    if (rc == 0 && rename(buf_cstr(&fresh), buf_cstr(&path)) < 0) rc = err_errno(e, ERR_DENIED, errno, "lock file %s", buf_cstr(&path));
    if (rc < 0 && fd >= 0) {
        unlink(buf_cstr(&fresh));
        close(fd);
    }
    if (rc == 0) *out_fd = fd;
    buf_free(&path);
    buf_free(&fresh);
    return rc;
}
