#include "sink/sink.h"

#include "net/sigpipe.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* One line may hold a whole group's members; past this it is a defect or an attack, not an event. */
#define LINE_MAX_BYTES ((size_t)64 << 20)
#define FLUSH_AT       ((size_t)256 << 10)

struct sink_file {
    struct buf buf;
    size_t whole; /* of buf: bytes up to the end of the last whole line */
    int fd;
    bool close_fd;
    struct err failed; /* sticky; class 0: none */
};

int sink_file_open(struct sink_file **out, int fd, bool close_fd, struct err *e)
{
    *out = NULL;
    struct stat st;
    if (fstat(fd, &st) < 0) return err_errno(e, ERR_INPUT, errno, "output");
    struct sink_file *f = x_zalloc(sizeof *f);
    *f = (struct sink_file){.buf = buf_new(FLUSH_AT + LINE_MAX_BYTES), .fd = fd, .close_fd = close_fd};
    *out = f;
    return 0;
}

struct buf *sink_file_buf(struct sink_file *f)
{
    return &f->buf;
}

static int write_failed(int saved, struct err *e)
{
    if (saved == EPIPE) return err_errno(e, ERR_NET, saved, "output: the reader has gone");
    bool full = saved == ENOSPC || saved == EDQUOT || saved == EFBIG;
    err_errno(e, full ? ERR_LIMIT : ERR_INPUT, saved, "output: write");
    return full ? err_hint(e, "make room where the output goes, or send it elsewhere, and run again")
                : e->class;
}

/* The descriptor may be another process's terminal or pipe and be non-blocking because that one wants it so.
 */
static int write_all(int fd, struct bytes b, struct err *e)
{
    size_t done = 0;
    while (done < b.len) {
        ssize_t n = write(fd, b.ptr + done, b.len - done);
        if (n >= 0) {
            done += (size_t)n;
        } else if (errno == EAGAIN) {
            struct pollfd p = {.fd = fd, .events = POLLOUT};
            if (poll(&p, 1, -1) < 0 && errno != EINTR) return write_failed(errno, e);
        } else if (errno != EINTR) {
            return write_failed(errno, e);
        }
    }
    return 0;
}

/* What goes out ends at a line's end, even when the next line turned out too long to be kept. */
static int flush(struct sink_file *f)
{
    struct sigpipe_guard g = sigpipe_begin();
    int rc = write_all(f->fd, (struct bytes){f->buf.ptr, f->whole}, &f->failed);
    sigpipe_end(&g);
    buf_clear(&f->buf);
    f->whole = 0;
    return rc;
}

static int report(const struct sink_file *f, struct err *e)
{
    *e = f->failed;
    return f->failed.class;
}

int sink_file_flush_some(struct sink_file *f, struct err *e)
{
    if (f->failed.class) {
        buf_clear(&f->buf);
        return report(f, e);
    }
    if (f->buf.failed) {
        int rc = flush(f);
        if (rc == 0)
            err_set(&f->failed, ERR_LIMIT, "output: a line longer than %zu MiB", LINE_MAX_BYTES >> 20);
        return report(f, e);
    }
    f->whole = f->buf.len;
    if (f->whole > FLUSH_AT && flush(f) < 0) return report(f, e);
    return 0;
}

/* "Safe" for a file means on its disk; a pipe or a terminal has no such thing. */
static int sync_file(int fd, struct err *e)
{
    struct stat st;
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) return 0;
    if (fsync(fd) < 0 && errno != EINVAL && errno != EROFS) return write_failed(errno, e);
    return 0;
}

int sink_file_close(struct sink_file *f, struct err *e)
{
    if (!f) return 0;
    int rc = sink_file_flush_some(f, e);
    if (rc == 0 && f->whole && flush(f) < 0) rc = report(f, e);
    if (rc == 0) rc = sync_file(f->fd, e);
    /* close(2) is where NFS tells of a full disk; EINTR has closed it all the same on Linux */
    if (f->close_fd && close(f->fd) < 0 && errno != EINTR && rc == 0) rc = write_failed(errno, e);
    buf_free(&f->buf);
    free(f);
    return rc;
}
