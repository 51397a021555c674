#include "sink/excerpt.h"

#include "base/cursor.h"
#include "base/visible.h"

/* A secret cut off at the end of the input is recognised from so many bytes on. */
enum { CUT_SECRET_MIN = 4 };

static struct bytes rest_of(struct bytes in, size_t n)
{
    struct cursor c = cursor_new(in);
    cursor_bytes(&c, n);
    return c.in;
}

static struct bytes first_of(struct bytes in, size_t n)
{
    struct cursor c = cursor_new(in);
    return cursor_bytes(&c, n);
}

/* How many bytes here belong to the secret. */
static size_t secret_here(struct bytes in, struct bytes secret)
{
    if (!secret.len) return 0;
    size_t n = in.len < secret.len ? in.len : secret.len;
    if (n < secret.len && n < CUT_SECRET_MIN) return 0;
    return bytes_equal(first_of(in, n), first_of(secret, n)) ? n : 0;
}

static size_t blanks_here(struct bytes in)
{
    size_t n = 0;
    while (n < in.len && (in.ptr[n] == ' ' || in.ptr[n] == '\t' || in.ptr[n] == '\r' || in.ptr[n] == '\n'))
        n++;
    return n;
}

/* Length of the character that may be shown as it is; 0: it may not. */
static size_t visible_here(struct bytes in)
{
    int32_t c;
    size_t n = visible_read(&c, str_of(in));
    return visible_is(c) ? n : 0;
}

static size_t add_one(struct buf *out, struct bytes in, struct bytes secret)
{
    size_t n = secret_here(in, secret);
    if (n) {
        buf_add_str(out, STR("[token]"));
    } else if ((n = blanks_here(in))) {
        buf_add_byte(out, ' ');
    } else if ((n = visible_here(in))) {
        buf_add_bytes(out, first_of(in, n));
    } else {
        n = 1;
        buf_printf(out, "\\x%02x", in.ptr[0]);
    }
    return n;
}

void excerpt_add(struct buf *out, struct bytes in, size_t max_bytes, struct bytes secret)
{
    in = bytes_of(str_trim(str_of(in)));
    size_t used = 0;
    while (in.len && used < max_bytes) {
        size_t n = add_one(out, in, secret);
        used += n;
        in = rest_of(in, n);
    }
    if (in.len) buf_add_str(out, STR("..."));
}
