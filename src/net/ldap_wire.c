/* ldap_wire.c - the two layers that we put under libldap: the socket below TLS, and a guard above it.
 *
 * wire: counts bytes, remembers how the connection ended, never raises SIGPIPE, enforces a deadline on a
 * handshake that dribbles, and once TLS runs reads far ahead: GnuTLS would otherwise ask the kernel twice for
 * each record of 16 KiB.
 *
 * guard: libldap 2.5 aborts or leaks on some things that a hostile server can send, and calls the others
 * "server down". So each message's frame is checked here first: a SEQUENCE of definite and bearable length,
 * with a positive messageID and an operation that fits. Unsolicited notifications (RFC 4511 4.4) end here.
 */
#include "net/ldap_ber.h"
#include "net/ldap_conn_int.h"

#include "base/when.h"

#include <errno.h>

#define HEAD_MAX        18 /* tag, length (1 + 5), messageID (2 + 4), the operation's tag and length (1 + 5) */
#define UNSOLICITED_MAX 100

static ber_slen_t next_read(Sockbuf_IO_Desc *io, void *to, size_t len)
{
    return io->sbiod_next->sbiod_io->sbi_read(io->sbiod_next, to, len);
}

static int next_ctrl(Sockbuf_IO_Desc *io, int option, void *arg)
{
    return io->sbiod_next ? io->sbiod_next->sbiod_io->sbi_ctrl(io->sbiod_next, option, arg) : 0;
}

static int layer_setup(Sockbuf_IO_Desc *io, void *arg)
{
    io->sbiod_pvt = arg;
    return 0;
}

static int layer_remove(Sockbuf_IO_Desc *io)
{
    io->sbiod_pvt = NULL;
    return 0;
}

static int layer_close(Sockbuf_IO_Desc *io)
{
    (void)io;
    return 0;
}

/* --- wire ---------------------------------------------------------------------------------------------- */

static int wire_ctrl(Sockbuf_IO_Desc *io, int option, void *arg)
{
    const struct wire *w = io->sbiod_pvt;
    if (option == LBER_SB_OPT_DATA_READY && w->at < w->filled) return 1;
    return next_ctrl(io, option, arg);
}

static ber_slen_t wire_receive(struct wire *w, void *to, size_t len)
{
    ssize_t n =
        recv(w->fd, to, len, MSG_DONTWAIT); /* libldap makes the socket blocking again after the handshake */
    w->n_reads++;
    if (n > 0) w->received += (uint64_t)n;
    if (n == 0) w->is_closed = true;
    if (n < 0 && errno != EAGAIN && errno != EINTR) w->error = errno;
    return n;
}

static ber_slen_t wire_read(Sockbuf_IO_Desc *io, void *to, ber_len_t len)
{
    struct wire *w = io->sbiod_pvt;
    if (w->until_ms &&
        when_left_ms(w->until_ms) == 0) { /* libldap's own limit is for each wait: any byte starts it anew */
        w->error = errno = ETIMEDOUT;
        return -1;
    }
    if (w->at == w->filled) {
        if (!w->reads_ahead || len >= sizeof w->ahead) return wire_receive(w, to, len);
        ber_slen_t n = wire_receive(w, w->ahead, sizeof w->ahead);
        if (n <= 0) return n;
        w->at = 0;
        w->filled = (size_t)n;
    }
    if (len > w->filled - w->at) len = w->filled - w->at;
    memcpy(to, w->ahead + w->at, len);
    w->at += len;
    return (ber_slen_t)len;
}

static ber_slen_t wire_write(Sockbuf_IO_Desc *io, void *from, ber_len_t len)
{
    struct wire *w = io->sbiod_pvt;
    ssize_t n = send(w->fd, from, len, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && errno != EAGAIN && errno != EINTR) w->error = errno;
    return n;
}

static Sockbuf_IO wire_io = {layer_setup, layer_remove, wire_ctrl, wire_read, wire_write, layer_close};

/* --- guard --------------------------------------------------------------------------------------------- */

static size_t buffered(const struct guard *g)
{
    return g->filled - g->at;
}

static int malformed(struct guard *g, const char *what)
{
    return err_set(&g->why, ERR_PROTO, "the server sent %s", what);
}

static uint32_t number_of(struct bytes octets)
{
    uint32_t n = 0;
    for (size_t i = 0; i < octets.len; i++) n = n << 8 | octets.ptr[i];
    return n;
}

/* Operation and controls must lie within the message. */
static bool fits(struct cursor *c, size_t left)
{
    size_t before = c->in.len;
    size_t len = ber_head(c, before ? c->in.ptr[0] : 0);
    size_t head = before - c->in.len;
    return head <= left && len <= left - head;
}

/* The next message's size and ID from its first bytes. 1: known; 0: more bytes are needed; ERR_PROTO,
 * ERR_LIMIT. */
static int read_head(struct guard *g, size_t *size, uint32_t *id)
{
    struct cursor c = cursor_new((struct bytes){g->ahead + g->at, buffered(g)});
    size_t there = c.in.len;
    if (!there) return 0;
    if (c.in.ptr[0] != BER_SEQUENCE) return malformed(g, "bytes that are no LDAP message");
    if (there > 1 && (c.in.ptr[1] == 0x80 || c.in.ptr[1] > 0x84))
        return malformed(g, "a message without a sound length");
    size_t len = ber_head(&c, BER_SEQUENCE);
    if (!c.failed && len > LDAP_CONN_MESSAGE_MAX)
        return err_set(&g->why, ERR_LIMIT,
                       "the server sent a message of %zu bytes; more than %zu MiB are not accepted", len,
                       LDAP_CONN_MESSAGE_MAX >> 20);
    *size = there - c.in.len + len;
    bool is_whole =
        there >= HEAD_MAX || (!c.failed && there >= *size); /* what can be seen of the head is all there */
    struct bytes number = ber_element(&c, BER_INTEGER);
    if (c.failed) return is_whole ? malformed(g, "a message without a sound length and ID") : 0;
    size_t used = there - c.in.len;
    if (number.len < 1 || number.len > 4 || number.ptr[0] >= 0x80 || used > *size)
        return malformed(g, "a message with an impossible ID");
    bool is_sound = fits(&c, *size - used);
    if (c.failed && !is_whole) return 0;
    if (c.failed || !is_sound) return malformed(g, "a message whose operation does not fit into it");
    *id = number_of(number);
    return 1;
}

/* RFC 4511 4.4.1: says why before the connection closes. Other notifications are of no interest. */
static int judge_notification(struct guard *g, struct bytes message)
{
    char text[256];
    struct cursor m = cursor_new(message);
    struct cursor inner = cursor_new(ber_element(&m, BER_SEQUENCE));
    (void)ber_element(&inner, BER_INTEGER);
    struct cursor op = cursor_new(ber_element(&inner, LDAP_RES_EXTENDED));
    struct bytes code = ber_element(&op, BER_ENUMERATED);
    (void)ber_element(&op, BER_OCTETS);
    struct bytes words = ber_element(&op, BER_OCTETS);
    struct bytes oid = {NULL, 0};
    while (op.in.len && !op.failed && !oid.len)
        oid = op.in.ptr[0] == LDAP_TAG_EXOP_RES_OID ? ber_element(&op, LDAP_TAG_EXOP_RES_OID) : ber_any(&op);
    if (inner.failed || op.failed || code.len < 1 || code.len > 4)
        return malformed(g, "a malformed notification");
    if (!str_equal(str_of(oid), STR(LDAP_NOTICE_OF_DISCONNECTION))) return 0;
    ldap_conn_explain((int)number_of(code), server_text(text, sizeof text, str_of(words)), NULL, &g->why);
    g->why.class = ERR_NET;
    g->why.domain = DOM_NONE; /* not an answer to a request */
    return err_wrap(&g->why, "the server announced that it disconnects");
}

/* libldap drops what answers no request of its own, and an entry would be lost without a word. */
static bool is_expected(const struct guard *g, uint32_t id)
{
    if (id == g->awaited) return true;
    for (size_t i = 0; i < n_elements(g->abandoned); i++)
        if (g->abandoned[i] == id) return true;
    return false;
}

/* Takes a notification off the stream once all of it is there. 1: gone; 0: more bytes are needed. */
static int swallow(struct guard *g, size_t size)
{
    if (size > sizeof g->ahead || ++g->n_unsolicited > UNSOLICITED_MAX)
        return err_set(&g->why, ERR_LIMIT,
                       "the server sends too many or too long notifications that nobody asked for");
    if (buffered(g) < size) {
        g->n_unsolicited--;
        return 0;
    }
    if (judge_notification(g, (struct bytes){g->ahead + g->at, size}) < 0) return g->why.class;
    g->at += size;
    return 1;
}

/* 1: a message may pass, and g->left says how much of it; 0: more bytes are needed. */
static int admit(struct guard *g)
{
    size_t size = 0;
    uint32_t id = 0;
    for (;;) {
        int rc = read_head(g, &size, &id);
        if (rc <= 0) return rc;
        if (id && !is_expected(g, id))
            return malformed(g, "an answer to a request that was not made, or is over");
        if (id) {
            g->left = size;
            return 1;
        }
        rc = swallow(g, size);
        if (rc <= 0) return rc;
    }
}

static int guard_ctrl(Sockbuf_IO_Desc *io, int option, void *arg)
{
    struct guard *g = io->sbiod_pvt;
    if (option == LBER_SB_OPT_DATA_READY && !g->why.class && buffered(g) && (g->left || admit(g) != 0))
        return 1;
    return next_ctrl(io, option, arg);
}

static ber_slen_t refill(Sockbuf_IO_Desc *io, struct guard *g)
{
    if (g->at) memmove(g->ahead, g->ahead + g->at, buffered(g));
    g->filled -= g->at;
    g->at = 0;
    errno = 0; /* libldap's TLS layer says "nothing yet" as 0 with EWOULDBLOCK */
    ber_slen_t n = next_read(io, g->ahead + g->filled, sizeof g->ahead - g->filled);
    if (n > 0) g->filled += (size_t)n;
    if (n == 0 && !errno) g->is_closed = true;
    return n;
}

static ber_slen_t hand(struct guard *g, void *to, size_t len)
{
    if (len > g->left) len = g->left;
    if (len > buffered(g)) len = buffered(g);
    memcpy(to, g->ahead + g->at, len);
    g->at += len;
    g->left -= len;
    return (ber_slen_t)len;
}

static ber_slen_t guard_read(Sockbuf_IO_Desc *io, void *to, ber_len_t len)
{
    struct guard *g = io->sbiod_pvt;
    int rc = 0;
    while (!g->why.class && !g->left && (rc = admit(g)) == 0) {
        ber_slen_t n = refill(io, g);
        if (n <= 0) return n;
    }
    if (rc < 0 || g->why.class) {
        errno = EPROTO;
        return -1;
    }
    if (!buffered(g)) {
        ber_slen_t n = refill(io, g);
        if (n <= 0) return n;
    }
    return hand(g, to, len);
}

static ber_slen_t guard_write(Sockbuf_IO_Desc *io, void *from, ber_len_t len)
{
    ber_slen_t n = io->sbiod_next->sbiod_io->sbi_write(io->sbiod_next, from, len);
    /* libldap keeps the request, with the password of a bind in it, until it is answered, and frees it as it is (ITS#8474) */
    if (n > 0) explicit_bzero(from, (size_t)n);
    return n;
}

static Sockbuf_IO guard_io = {layer_setup, layer_remove, guard_ctrl, guard_read, guard_write, layer_close};

/* --- both ---------------------------------------------------------------------------------------------- */

void conn_await(struct ldap_conn *c, int msgid)
{
    c->guard.awaited = msgid > 0 ? (uint32_t)msgid : 0;
}

void conn_abandon(struct ldap_conn *c, int msgid)
{
    c->guard.abandoned[c->guard.n_abandoned++ % GUARD_ABANDONED] = (uint32_t)msgid;
    conn_await(c, 0);
    ldap_abandon_ext(c->ld, msgid, NULL, NULL);
}

int wire_install(struct ldap_conn *c, struct err *e)
{
    Sockbuf *sb = NULL;
    ber_len_t max = LDAP_CONN_MESSAGE_MAX + 16;
    c->wire.fd = c->fd;
    if (ldap_get_option(c->ld, LDAP_OPT_SOCKBUF, &sb) != LDAP_OPT_SUCCESS || !sb ||
        ber_sockbuf_ctrl(sb, LBER_SB_OPT_SET_MAX_INCOMING, &max) < 1 ||
        ber_sockbuf_add_io(sb, &wire_io, LBER_SBIOD_LEVEL_PROVIDER + 1, &c->wire) < 0 ||
        ber_sockbuf_add_io(sb, &guard_io, LBER_SBIOD_LEVEL_APPLICATION, &c->guard) < 0)
        return err_set(e, ERR_BUG, "libldap refuses our socket layers");
    return 0;
}
