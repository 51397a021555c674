#include "sink/excerpt.h"

#include "base/cursor.h"

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

/* C1 controls, zero-width and direction marks, line separators, the byte order mark (Unicode 15, category Cf
 * and Zl/Zp as far as terminals act on them). */
static bool is_invisible(struct bytes one)
{
    if (one.len == 2) return one.ptr[0] == 0xc2 && one.ptr[1] < 0xa0;
    if (one.len != 3) return false;
    unsigned c = (one.ptr[0] & 15u) << 12 | (one.ptr[1] & 63u) << 6 | (one.ptr[2] & 63u);
    return (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) ||
           c == 0xfeff;
}

/* Length of the character that may be shown as it is; 0: it may not. */
static size_t visible_here(struct bytes in)
{
    uint8_t c = in.ptr[0];
    if (c < 0x80) return c >= 0x20 && c != 0x7f;
    size_t n = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
    if (n > in.len) return 0;
    struct bytes one = first_of(in, n);
    return str_is_utf8(str_of(one)) && !is_invisible(one) ? n : 0;
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
