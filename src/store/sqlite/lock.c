#include "store/sqlite/lock.h"

#include "base/buf.h"
#include "base/file.h"
#include "base/when.h"
#include "model/filetime.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static int held_by_another(int fd, struct str connector, struct err *e)
{
    char text[64], when[WHEN_TEXT] = "";
    ssize_t n = pread(fd, text, sizeof text, 0);
    struct str line = str_trim((struct str){text, n > 0 ? (size_t)n : 0});
    size_t space = str_index(line, ' ');
    struct str pid = {line.ptr, space}, start = {line.ptr + space, line.len - space};
    int64_t started_ms;
    if (decimal_parse(&started_ms, str_trim(start))) when_format(when, started_ms);
    err_set(e, ERR_CONFLICT, "connector %.*s: a run is under way (pid %.*s, since %s)", STR_FMT(connector),
            STR_FMT(pid), when);
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
