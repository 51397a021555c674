#include "base/tape.h"

#include "base/file.h"

#include <errno.h>
#include <unistd.h>

#define IN_MEMORY ((size_t)512 << 10)
#define AHEAD     ((size_t)64 << 10)

struct tape tape_new(void)
{
    return (struct tape){.fd = -1, .end = buf_new(SIZE_MAX / 2)}; /* held to IN_MEMORY by tape_add */
}

void tape_free(struct tape *t)
{
    if (t->end.max && t->fd >= 0) close(t->fd);
    buf_free(&t->end);
    *t = tape_new();
}

static int write_out(struct tape *t, struct bytes b, struct err *e)
{
    if (t->fd < 0) try(file_spill(&t->fd, e));
    if (lseek(t->fd, (off_t)t->out, SEEK_SET) < 0) return err_errno(e, ERR_BUG, errno, "temporary file");
    try(file_spill_write(t->fd, b, e));
    t->out += b.len;
    return 0;
}

int tape_add(struct tape *t, struct bytes b, struct err *e)
{
    if (t->end.len + b.len > IN_MEMORY) {
        try(write_out(t, buf_bytes(&t->end), e));
        buf_clear(&t->end);
    }
    if (b.len > IN_MEMORY) return write_out(t, b, e);
    buf_add_bytes(&t->end, b);
    return 0;
}

int tape_cut(struct tape *t, uint64_t length, struct err *e)
{
    if (length >= t->out) {
        t->end.len = (size_t)(length - t->out);
        return 0;
    }
    t->end.len = 0;
    t->out = length;
    if (ftruncate(t->fd, (off_t)length) < 0) return err_errno(e, ERR_BUG, errno, "temporary file");
    return 0;
}

static int read_file(const struct tape *t, uint64_t at, uint8_t *out, size_t n, struct err *e)
{
    while (n) {
        ssize_t got = pread(t->fd, out, n, (off_t)at);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return err_errno(e, ERR_BUG, errno, "temporary file");
        if (got == 0) return err_set(e, ERR_BUG, "temporary file: shorter than what was written");
        out += got;
        at += (uint64_t)got;
        n -= (size_t)got;
    }
    return 0;
}

int tape_read(const struct tape *t, uint64_t at, void *out, size_t n, struct err *e)
{
    if (at > tape_length(t) || n > tape_length(t) - at)
        return err_set(e, ERR_BUG, "temporary data: read past the end");
    uint8_t *to = out;
    if (at < t->out) {
        size_t from_file = n < t->out - at ? n : (size_t)(t->out - at);
        try(read_file(t, at, to, from_file, e));
        to += from_file;
        at += from_file;
        n -= from_file;
    }
    if (n) memcpy(to, t->end.ptr + (at - t->out), n);
    return 0;
}

struct tape_reader tape_reader_new(const struct tape *t, uint64_t from, uint64_t to)
{
    return (struct tape_reader){.tape = t, .at = from, .end = to, .ahead = buf_new(SIZE_MAX / 2)};
}

void tape_reader_free(struct tape_reader *r)
{
    buf_free(&r->ahead);
}

static int fill(struct tape_reader *r, size_t n, struct err *e)
{
    size_t kept = r->ahead.len - r->used, want = n > AHEAD ? n : AHEAD;
    uint64_t left = r->end - r->at - kept;
    if (want - kept > left) want = kept + (size_t)left;
    if (want < n) return err_set(e, ERR_BUG, "temporary data: read past the end");
    if (kept) memmove(r->ahead.ptr, r->ahead.ptr + r->used, kept);
    r->ahead.len = kept;
    r->used = 0;
    uint8_t *to = buf_reserve(&r->ahead, want - kept);
    try(tape_read(r->tape, r->at + kept, to, want - kept, e));
    buf_advance(&r->ahead, want - kept);
    return 0;
}

int tape_next(struct tape_reader *r, size_t n, struct bytes *out, struct err *e)
{
    if (r->ahead.len - r->used < n) try(fill(r, n, e));
    *out = (struct bytes){r->ahead.ptr + r->used, n};
    r->used += n;
    r->at += n;
    return 0;
}
