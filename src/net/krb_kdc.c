/* krb_kdc.c - the way to the KDCs: RFC 4120 7.2.2, over TCP, within our own time limits, so that libkrb5's
 * own (half a minute and more on a silent address) do not count and the reason is known. */
#include "net/krb_int.h"

#include "base/cursor.h"
#include "base/when.h"
#include "net/dial.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#define KDC_PORT   88
#define ANSWER_MAX ((size_t)1 << 20) /* with the largest PAC a ticket stays below 128 KiB */

static int wait_for(int fd, short what, int64_t deadline_ms, struct err *e)
{
    struct pollfd p = {.fd = fd, .events = what};
    int n = poll(&p, 1, when_left_ms(deadline_ms));
    if (n > 0 || (n < 0 && errno == EINTR)) return 0;
    if (n < 0) return err_errno(e, ERR_NET, errno, "poll");
    return err_set(e, ERR_TIMEOUT, "no answer in time");
}

static int send_all(int fd, struct bytes b, int64_t deadline_ms, struct err *e)
{
    while (b.len) {
        ssize_t n = send(fd, b.ptr, b.len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n > 0) {
            b = (struct bytes){b.ptr + n, b.len - (size_t)n};
        } else if (n < 0 && errno != EAGAIN && errno != EINTR) {
            return err_errno(e, ERR_NET, errno, "send");
        } else {
            try(wait_for(fd, POLLOUT, deadline_ms, e));
        }
    }
    return 0;
}

static int receive_exactly(int fd, struct buf *out, size_t n, int64_t deadline_ms, struct err *e)
{
    while (n) {
        uint8_t *to = buf_reserve(out, n);
        if (!to) return err_set(e, ERR_LIMIT, "the answer is too long");
        ssize_t got = recv(fd, to, n, MSG_DONTWAIT);
        if (got > 0) {
            buf_advance(out, (size_t)got);
            n -= (size_t)got;
        } else if (got == 0) {
            return err_set(e, ERR_NET, "the connection was closed");
        } else if (errno != EAGAIN && errno != EINTR) {
            return err_errno(e, ERR_NET, errno, "receive");
        } else {
            try(wait_for(fd, POLLIN, deadline_ms, e));
        }
    }
    return 0;
}

static int converse(int fd, struct bytes question, struct buf *answer, int64_t deadline_ms, struct err *e)
{
    uint8_t head[4] = {(uint8_t)(question.len >> 24), (uint8_t)(question.len >> 16),
                       (uint8_t)(question.len >> 8), (uint8_t)question.len};
    try(send_all(fd, (struct bytes){head, 4}, deadline_ms, e));
    try(send_all(fd, question, deadline_ms, e));
    try(receive_exactly(fd, answer, 4, deadline_ms, e));
    size_t n = (size_t)answer->ptr[0] << 24 | (size_t)answer->ptr[1] << 16 | (size_t)answer->ptr[2] << 8 |
               answer->ptr[3];
    buf_clear(answer);
    if (!n || n > ANSWER_MAX) return err_set(e, ERR_PROTO, "what answers there is no KDC");
    return receive_exactly(fd, answer, n, deadline_ms, e);
}

/* A sign-in asks three times or more; its name is looked up once. */
static int ask_one(struct krb *k, const char *host, struct bytes question, struct buf *answer,
                   int64_t deadline_ms, struct err *e)
{
    struct dial_addresses to;
    defer_close int fd = -1;
    if (strcmp(k->resolved, host) == 0)
        to = k->there;
    else
        try(dial_resolve_by(&to, host, k->dns_servers, deadline_ms, e));
    k->resolved[0] = 0;
    try(dial_connect(&fd, &to, KDC_PORT, deadline_ms, NULL, e));
    buf_clear(answer);
    try(converse(fd, question, answer, deadline_ms, e));
    if (strlen(host) < sizeof k->resolved) memcpy(k->resolved, host, strlen(host) + 1);
    k->there = to;
    return 0;
}

int krb_kdc_ask(struct krb *k, struct bytes question, struct buf *answer, struct err *e)
{
    struct buf why = buf_new(512);
    struct err one = {0};
    int64_t until = when_monotonic_ms() + k->timeout_ms;
    if (until > k->deadline_ms) until = k->deadline_ms;
    for (size_t i = 0; i < k->n_kdcs; i++) {
        int64_t share = when_monotonic_ms() + when_left_ms(until) / (int64_t)(k->n_kdcs - i);
        if (ask_one(k, k->kdcs[i], question, answer, share, &one) == 0) {
            buf_free(&why);
            krb_prefer(k, k->kdcs[i]);
            return 0;
        }
        buf_printf(&why, "%s%s: %s", i ? "; " : "", k->kdcs[i], one.message);
    }
    why.failed = false;
    err_set(e, one.class == ERR_TIMEOUT ? ERR_TIMEOUT : ERR_NET, "%s: no KDC answers: %s", k->realm,
            buf_cstr(&why));
    buf_free(&why);
    return err_hint(
        e, "port 88 (TCP) of the controller must be reachable from here; or name the KDCs with krb5_config");
}

/* --- libkrb5's hooks -------------------------------------------------------------------------------------
 */

/* A KRB-ERROR tells the KDC's time, and what a controller adds for Windows. */
static void listen_to(struct krb *k, krb5_context ctx, const krb5_data *reply)
{
    krb5_error *error = NULL;
    if (!reply || !reply->length || krb5_rd_error(ctx, reply, &error) != 0) return;
    int64_t its = (int64_t)(uint32_t)error->stime * 1000;
    struct bytes e_data = {(const uint8_t *)error->e_data.data, error->e_data.length};
    if (its) k->complaint.skew_ms = its - when_now_ms();
    if (e_data.ptr && krb_nt_status(e_data)) k->complaint.nt_status = krb_nt_status(e_data);
    krb5_free_error(ctx, error);
}

static krb5_error_code on_reply(krb5_context ctx, void *data, krb5_error_code code, const krb5_data *realm,
                                const krb5_data *message, const krb5_data *reply, krb5_data **new_reply)
{
    (void)realm;
    (void)message;
    *new_reply = NULL;
    if (!code) listen_to(data, ctx, reply);
    return code;
}

/* Freed by libkrb5. */
static krb5_data *copy_of(struct bytes b)
{
    krb5_data *d = x_zalloc(sizeof *d);
    d->data = x_alloc(b.len ? b.len : 1);
    memcpy(d->data, b.ptr, b.len);
    d->length = (unsigned)b.len;
    return d;
}

/* Other realms' KDCs are libkrb5's own affair (DNS). */
static krb5_error_code on_question(krb5_context ctx, void *data, const krb5_data *realm,
                                   const krb5_data *message, krb5_data **new_message, krb5_data **reply)
{
    struct krb *k = data;
    *new_message = *reply = NULL;
    if (!str_equal((struct str){realm->data, realm->length}, str_from(k->realm))) return 0;
    struct buf answer = buf_new(ANSWER_MAX);
    struct bytes question = {(const uint8_t *)message->data, message->length};
    int rc = krb_kdc_ask(k, question, &answer, &k->unreachable);
    if (rc == 0) {
        *reply = copy_of(buf_bytes(&answer));
        listen_to(k, ctx, *reply);
    }
    buf_free(&answer);
    return rc == 0 ? 0 : KRB5_KDC_UNREACH;
}

void krb_kdc_install(struct krb *k, bool is_ours)
{
    if (is_ours) krb5_set_kdc_send_hook(k->ctx, on_question, k);
    krb5_set_kdc_recv_hook(k->ctx, on_reply, k);
}
