#include "server/jobs/job_log.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE_MAX_BYTES ((size_t)256 << 10)
#define PIECE          ((size_t)64 << 10)
#define PREFIX         "{\"id\":"

/* --- lines ---------------------------------------------------------------------------------------------- */

void job_log_line(struct buf *out, uint64_t id, const char *event, const json_t *data)
{
    char *text = data ? json_dumps(data, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    buf_printf(out, PREFIX "%llu,\"event\":\"%s\",\"data\":", (unsigned long long)id, event);
    buf_add_str(out, text ? str_from(text) : STR("null"));
    buf_add_str(out, STR("}\n"));
    free(text);
}

/* The id of a line that begins at p; 0: it is none of ours. */
static uint64_t id_of(const uint8_t *p, size_t len)
{
    const size_t n = sizeof PREFIX - 1;
    uint64_t id = 0;
    if (len <= n || memcmp(p, PREFIX, n) != 0) return 0;
    for (size_t i = n; i < len && i < n + 19 && p[i] >= '0' && p[i] <= '9'; i++) id = id * 10 + (uint64_t)(p[i] - '0');
    return id;
}

/* --- reading -------------------------------------------------------------------------------------------- */

/* The first line that begins at `from` or behind it: where, and its id; *at is the file's end if there is none. */
static int line_behind(int fd, off_t from, off_t end, off_t *at, uint64_t *id)
{
    uint8_t piece[4096];
    bool is_begun = from == 0;
    if (!is_begun) from--; /* the newline before it */
    while (from < end) {
        ssize_t n = pread(fd, piece, sizeof piece, from);
        if (n <= 0) break;
        const uint8_t *newline = is_begun ? NULL : memchr(piece, '\n', (size_t)n);
        if (!is_begun && !newline) {
            from += n;
            continue;
        }
        off_t skip = is_begun ? 0 : newline + 1 - piece;
        if (!is_begun && (size_t)(n - skip) < 64 && from + n < end) { /* not enough of the line in this piece */
            from += skip;
            is_begun = true;
            continue;
        }
        *at = from + skip;
        *id = id_of(piece + skip, (size_t)(n - skip));
        return *at < end ? 0 : -1;
    }
    *at = end;
    return -1;
}

/* Where the first line with an id above `after` begins: ids ascend, so halving finds it. */
static off_t find_behind(int fd, off_t end, uint64_t after)
{
    off_t low = 0, high = end; /* a line that begins before low is too early; one at or behind high is late enough */
    while (after && low < high) {
        off_t middle = low + (high - low) / 2, at;
        uint64_t id;
        if (line_behind(fd, middle, end, &at, &id) < 0 || at >= high) {
            high = middle;
        } else if (id > after) {
            high = middle;
        } else {
            low = at + 1;
        }
    }
    off_t at;
    uint64_t id;
    return line_behind(fd, low, end, &at, &id) < 0 ? end : at;
}

struct taking {
    struct buf *out;
    uint64_t *last;
    bool is_full;
};

/* Whole lines of what was read; how many bytes they are. */
static size_t take_lines(struct taking *t, const uint8_t *p, size_t len)
{
    size_t at = 0;
    for (const uint8_t *newline; !t->is_full && (newline = memchr(p + at, '\n', len - at)) != NULL; at = (size_t)(newline + 1 - p)) {
        size_t n = (size_t)(newline + 1 - p) - at;
        t->is_full = n > t->out->max - t->out->len;
        if (t->is_full) break;
        buf_add(t->out, p + at, n);
        *t->last = id_of(p + at, n);
    }
    return at;
}

static int read_from(int fd, off_t at, struct taking *t, struct err *e)
{
    struct buf piece = buf_new(LINE_MAX_BYTES + PIECE);
    int rc = 0;
    while (!t->is_full) {
        uint8_t *to = buf_reserve(&piece, PIECE);
        ssize_t n = to ? pread(fd, to, PIECE, at) : -1;
        if (n < 0) rc = to ? err_errno(e, ERR_BUG, errno, "events of a job") : err_set(e, ERR_BUG, "a line of a job's events is too long");
        if (n <= 0) break;
        at += n;
        buf_advance(&piece, (size_t)n);
        size_t used = take_lines(t, piece.ptr, piece.len);
        memmove(piece.ptr, piece.ptr + used, piece.len - used);
        piece.len -= used;
    }
    buf_free(&piece);
    return rc;
}

int job_log_read(const char *path, uint64_t after, struct buf *out, uint64_t *last, bool *is_all, struct err *e)
{
    struct stat st;
    struct taking t = {.out = out, .last = last};
    *is_all = true;
    defer_close int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return errno == ENOENT ? 0 : err_errno(e, ERR_DENIED, errno, "%s", path);
    if (fstat(fd, &st) < 0) return err_errno(e, ERR_BUG, errno, "%s", path);
    try(read_from(fd, find_behind(fd, st.st_size, after), &t, e));
    *is_all = !t.is_full;
    return 0;
}

/* --- writing -------------------------------------------------------------------------------------------- */

/* What an earlier process wrote: a last line that is cut goes, since it would spoil the next one. */
static int go_on(struct job_log *l, const char *path, struct err *e)
{
    struct stat st;
    char last = '\n';
    if (fstat(l->fd, &st) < 0) return err_errno(e, ERR_BUG, errno, "%s", path);
    off_t end = st.st_size;
    while (end > 0 && (pread(l->fd, &last, 1, end - 1) != 1 || last != '\n')) end--;
    if (end != st.st_size && ftruncate(l->fd, end) < 0) return err_errno(e, ERR_LIMIT, errno, "%s", path);
    l->bytes = (size_t)end;
    off_t at = end > (off_t)LINE_MAX_BYTES ? end - (off_t)LINE_MAX_BYTES : 0, next;
    for (uint64_t id; line_behind(l->fd, at, end, &next, &id) == 0; at = next + 1) l->last = id;
    return lseek(l->fd, end, SEEK_SET) < 0 ? err_errno(e, ERR_BUG, errno, "%s", path) : 0;
}

int job_log_open(struct job_log *out, const char *path, struct err *e)
{
    *out = (struct job_log){.fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)};
    if (out->fd < 0) {
        err_errno(e, errno == ENOSPC ? ERR_LIMIT : ERR_DENIED, errno, "events of a job: %s", path);
        return err_hint(e, "the directory of the store must be writable, and have room");
    }
    int rc = go_on(out, path, e);
    if (rc < 0) job_log_close(out);
    return rc;
}

void job_log_close(struct job_log *l)
{
    if (l->fd >= 0) close(l->fd);
    l->fd = -1;
}

static bool is_always_kept(const char *event)
{
    return strcmp(event, "state") == 0 || strcmp(event, "end") == 0;
}

/* A line that was written in part only would join the next one. */
static void write_line(struct job_log *l, struct bytes line)
{
    struct err ignored;
    if (file_write_all(l->fd, line, &ignored) == 0) {
        l->bytes += line.len;
        l->n++;
    } else {
        l->n_left_out++;
        if (ftruncate(l->fd, (off_t)l->bytes) == 0) lseek(l->fd, (off_t)l->bytes, SEEK_SET);
    }
}

uint64_t job_log_add(struct job_log *l, const char *event, const json_t *data)
{
    struct buf line = buf_new(LINE_MAX_BYTES);
    uint64_t id = ++l->last;
    bool is_full = l->n >= JOB_LOG_EVENTS || l->bytes >= JOB_LOG_BYTES;
    if (l->fd < 0) return id;
    job_log_line(&line, id, event, data);
    if (line.failed || (is_full && !is_always_kept(event)))
        l->n_left_out++;
    else
        write_line(l, buf_bytes(&line));
    buf_free(&line);
    return id;
}
