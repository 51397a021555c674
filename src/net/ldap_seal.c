/* ldap_seal.c - the layer between socket and guard on a connection without TLS: RFC 4752 3.1 and RFC
 * 4422 3.7, each buffer sealed and preceded by its length in four octets. From its installation on nothing
 * else goes in or out.
 */
#include "net/ldap_conn_int.h"

#include "base/when.h"

#include <errno.h>
#include <poll.h>

#define READ_SIZE ((size_t)256 << 10)

static struct seal *seal_of(Sockbuf_IO_Desc *io)
{
    return io->sbiod_pvt;
}

/* --- receiving -------------------------------------------------------------------------------------------
 */

static struct bytes unread(const struct seal *s)
{
    struct bytes b = {s->in.ptr ? s->in.ptr + s->in_at : NULL, s->in.len - s->in_at};
    return b;
}

/* The size of the next token once its length is there; 0: not yet, or s->why. */
static size_t token_size(struct seal *s)
{
    struct cursor c = cursor_new(unread(s));
    struct bytes b = cursor_bytes(&c, 4);
    if (!b.ptr) return 0;
    size_t n = (size_t)b.ptr[0] << 24 | (size_t)b.ptr[1] << 16 | (size_t)b.ptr[2] << 8 | b.ptr[3];
    if (n && n <= GSS_SEALED_MAX) return n;
    err_set(&s->why, ERR_PROTO, "the server sent bytes that are not sealed");
    err_hint(&s->why,
             "something between here and the controller may change the traffic; or use security: ldaps");
    return 0;
}

static bool has_token(struct seal *s)
{
    size_t n = s->why.class ? 0 : token_size(s);
    return n && unread(s).len >= 4 + n;
}

/* Only when all of the plain text was handed out. */
static int open_token(struct seal *s)
{
    struct cursor c = cursor_new(unread(s));
    size_t n = token_size(s);
    (void)cursor_bytes(&c, 4);
    buf_clear(&s->clear);
    s->clear_at = 0;
    if (gss_decrypt(s->gss, cursor_bytes(&c, n), &s->clear, &s->why) < 0) return s->why.class;
    s->in_at += 4 + n;
    /* an endless row of them would keep us from looking at the clock */
    return s->clear.len ? 0 : err_set(&s->why, ERR_PROTO, "the server sent an empty sealed message");
}

static ber_slen_t fill(Sockbuf_IO_Desc *io, struct seal *s)
{
    struct bytes left = unread(s);
    size_t missing = token_size(s);
    if (s->why.class) return -1;
    if (s->in_at && left.len) memmove(s->in.ptr, left.ptr, left.len);
    s->in.len = left.len;
    s->in_at = 0;
    missing = missing + 4 > left.len ? missing + 4 - left.len : 0;
    uint8_t *to = buf_reserve(&s->in, missing < READ_SIZE       ? READ_SIZE
                                      : missing < 4 * READ_SIZE ? missing
                                                                : 4 * READ_SIZE);
    if (!to) {
        err_set(&s->why, ERR_LIMIT, "the server's sealed message is too long");
        return -1;
    }
    errno = 0;
    ber_slen_t n = io->sbiod_next->sbiod_io->sbi_read(io->sbiod_next, to, s->in.cap - s->in.len - 1);
    if (n > 0) buf_advance(&s->in, (size_t)n);
    return n;
}

static ber_slen_t seal_read(Sockbuf_IO_Desc *io, void *to, ber_len_t len)
{
    struct seal *s = seal_of(io);
    while (!s->why.class && s->clear_at == s->clear.len) {
        if (has_token(s)) {
            (void)!open_token(s);
            continue;
        }
        ber_slen_t n = s->why.class ? -1 : fill(io, s);
        if (n <= 0 && !s->why.class) return n;
    }
    if (s->why.class) {
        errno = EPROTO;
        return -1;
    }
    size_t there = s->clear.len - s->clear_at;
    if (len > there) len = there;
    memcpy(to, s->clear.ptr + s->clear_at, len);
    s->clear_at += len;
    return (ber_slen_t)len;
}

static int seal_ctrl(Sockbuf_IO_Desc *io, int option, void *arg)
{
    struct seal *s = seal_of(io);
    if (option == LBER_SB_OPT_DATA_READY && (s->clear_at < s->clear.len || has_token(s))) return 1;
    return io->sbiod_next->sbiod_io->sbi_ctrl(io->sbiod_next, option, arg);
}

/* --- sending ---------------------------------------------------------------------------------------------
 */

static bool wait_writable(struct seal *s, int64_t until_ms)
{
    struct pollfd p = {.fd = s->fd, .events = POLLOUT};
    if (poll(&p, 1, when_left_ms(until_ms)) > 0 || errno == EINTR) return true;
    err_set(&s->why, ERR_TIMEOUT, "the server does not take our request");
    return false;
}

/* All of it: libldap has been told that it is gone, and would wait for the answer to half a request. */
static ber_slen_t flush(Sockbuf_IO_Desc *io, struct seal *s)
{
    int64_t until = when_monotonic_ms() + s->timeout_ms;
    for (size_t at = 0; at < s->out.len;) {
        errno = 0;
        ber_slen_t n = io->sbiod_next->sbiod_io->sbi_write(io->sbiod_next, s->out.ptr + at, s->out.len - at);
        if (n > 0)
            at += (size_t)n;
        else if (n < 0 && errno != EAGAIN && errno != EINTR)
            return -1;
        else if (!wait_writable(s, until))
            return -1;
    }
    return 0;
}

static ber_slen_t seal_write(Sockbuf_IO_Desc *io, void *from, ber_len_t len)
{
    struct seal *s = seal_of(io);
    uint8_t four[4] = {0};
    if (len > s->limit) len = s->limit;
    buf_clear(&s->out);
    buf_add(&s->out, four, 4);
    if (s->why.class || gss_encrypt(s->gss, (struct bytes){from, len}, &s->out, &s->why) < 0 ||
        s->out.failed) {
        errno = EPROTO;
        return -1;
    }
    size_t n = s->out.len - 4;
    for (unsigned i = 0; i < 4; i++) s->out.ptr[i] = (uint8_t)(n >> (8 * (3 - i)));
    return flush(io, s) < 0 ? -1 : (ber_slen_t)len;
}

/* --- in and out of service -------------------------------------------------------------------------------
 */

static int seal_setup(Sockbuf_IO_Desc *io, void *arg)
{
    io->sbiod_pvt = arg;
    return 0;
}

static int seal_remove(Sockbuf_IO_Desc *io)
{
    io->sbiod_pvt = NULL;
    return 0;
}

static int seal_close(Sockbuf_IO_Desc *io)
{
    (void)io;
    return 0;
}

static Sockbuf_IO seal_io = {seal_setup, seal_remove, seal_ctrl, seal_read, seal_write, seal_close};

/* What was read already came before the seal, so it is nothing that the controller could have meant. */
int seal_install(struct ldap_conn *c, struct gss *g, struct err *e)
{
    Sockbuf *sb = NULL;
    struct seal *s = &c->seal;
    if (c->guard.at != c->guard.filled || c->guard.left || c->wire.at != c->wire.filled) {
        gss_close(g);
        return err_set(e, ERR_PROTO, "bytes that are not sealed came behind the answer to the bind");
    }
    *s = (struct seal){.gss = g,
                       .fd = c->fd,
                       .timeout_ms = c->answer_timeout_ms,
                       .limit = gss_seal_limit(g),
                       .in = buf_new(GSS_SEALED_MAX + 2 * READ_SIZE),
                       .clear = buf_new(GSS_SEALED_MAX),
                       .out = buf_new((size_t)17 << 20)};
    if (!s->limit || ldap_get_option(c->ld, LDAP_OPT_SOCKBUF, &sb) != LDAP_OPT_SUCCESS || !sb ||
        ber_sockbuf_add_io(sb, &seal_io, LBER_SBIOD_LEVEL_TRANSPORT, s) < 0)
        return err_set(e, ERR_BUG, "libldap refuses the sealing layer");
    return 0;
}

void seal_fini(struct seal *s)
{
    gss_close(s->gss);
    buf_free(&s->in);
    buf_free(&s->clear);
    buf_free(&s->out);
    *s = (struct seal){0};
}
