#include "run/spill.h"

#include "base/cursor.h"
#include "base/file.h"

#include <errno.h>
#include <unistd.h>

#define CHUNK     ((size_t)256 << 10)
#define ENTRY_MAX ((size_t)80 << 20)

struct spill spill_new(void)
{
    return (struct spill){.fd = -1, .buffer = buf_new(ENTRY_MAX + 4 * CHUNK)};
}

void spill_free(struct spill *s)
{
    if (s->fd >= 0) close(s->fd);
    buf_free(&s->buffer);
    s->fd = -1;
}

static int flush(struct spill *s, struct err *e)
{
    if (s->fd < 0) try(file_spill(&s->fd, e));
    try(file_spill_write(s->fd, buf_bytes(&s->buffer), e));
    buf_clear(&s->buffer);
    return 0;
}

int spill_add(struct spill *s, uint8_t tag, struct bytes entry, struct err *e)
{
    buf_add_u32le(&s->buffer, (uint32_t)entry.len);
    buf_add_byte(&s->buffer, tag);
    buf_add_bytes(&s->buffer, entry);
    if (s->buffer.failed) return err_set(e, ERR_LIMIT, "an entry of %zu bytes is too long to put aside", entry.len);
    s->n++;
    return s->buffer.len >= CHUNK ? flush(s, e) : 0;
}

int spill_rewind(struct spill *s, struct err *e)
{
    s->at = 0;
    s->reading = true;
    if (s->fd < 0) return 0; /* all of it is still in memory */
    try(flush(s, e));
    if (lseek(s->fd, 0, SEEK_SET) < 0) return err_errno(e, ERR_BUG, errno, "temporary file");
    return 0;
}

/* At least n bytes unread in the buffer; false at the end of the file. */
static int ensure(struct spill *s, size_t n, struct err *e)
{
    while (s->buffer.len - s->at < n) {
        if (s->fd < 0) return 0;
        if (s->at) {
            memmove(s->buffer.ptr, s->buffer.ptr + s->at, s->buffer.len - s->at);
            s->buffer.len -= s->at;
            s->at = 0;
        }
        uint8_t *to = buf_reserve(&s->buffer, CHUNK);
        if (!to) return err_set(e, ERR_LIMIT, "temporary file: entry too long");
        ssize_t got = read(s->fd, to, CHUNK);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return err_errno(e, ERR_BUG, errno, "temporary file");
        if (got == 0) return 0;
        buf_advance(&s->buffer, (size_t)got);
    }
    return 1;
}

int spill_peek(struct spill *s, struct err *e)
{
    int rc = ensure(s, 5, e);
    return rc == 1 ? s->buffer.ptr[s->at + 4] : rc;
}

int spill_next(struct spill *s, uint8_t *tag, struct bytes *entry, struct err *e)
{
    int rc = ensure(s, 5, e);
    if (rc <= 0) return rc;
    struct cursor c = cursor_new((struct bytes){s->buffer.ptr + s->at, 5});
    size_t len = cursor_u32le(&c);
    *tag = cursor_u8(&c);
    rc = ensure(s, 5 + len, e);
    if (rc < 0) return rc;
    if (rc == 0) return err_set(e, ERR_BUG, "temporary file: cut short");
    *entry = (struct bytes){s->buffer.ptr + s->at + 5, len};
    s->at += 5 + len;
    return 1;
}
