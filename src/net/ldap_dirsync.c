#include "net/ldap_dirsync.h"

#include "base/when.h"
#include "net/ldap_ber.h"
#include "net/ldap_conn_int.h"

#define DIRSYNC_OID          "1.2.840.113556.1.4.841"
#define OBJECT_SECURITY      1
#define MAX_BYTES            (4 << 20) /* of one answer; the controller's own limit is lower */
#define ANSWERS_MAX          100000
#define ENTRIES_MAX          1000000 /* of one answer */
#define IDLE_ANSWERS_MAX     1000

struct dirsync {
    struct ldap_conn *c;
    const struct ldap_search *s;
    struct buf *cookie;
    int (*each)(void *ctx, LDAP *ld, LDAPMessage *entry, struct err *e);
    void *ctx;
    struct ldap_stats *stats;
    uint64_t n_entries; /* of this answer */
    bool has_more;
};

/* SEQUENCE { flags INTEGER, maxBytes INTEGER, cookie OCTET STRING } */
static int make_control(const struct dirsync *d, struct berval *value, struct err *e)
{
    BerElement *ber = ber_alloc_t(LBER_USE_DER);
    struct berval *flat = NULL;
    int rc = ber ? ber_printf(ber, "{iio}", OBJECT_SECURITY, MAX_BYTES, d->cookie->ptr ? (char *)d->cookie->ptr : "",
                              (ber_len_t)d->cookie->len)
                 : -1;
    if (rc >= 0) rc = ber_flatten(ber, &flat);
    if (ber) ber_free(ber, 1);
    if (rc < 0 || !flat) return err_set(e, ERR_BUG, "no DirSync control");
    *value = *flat;
    ber_memfree(flat);
    return 0;
}

static int ask(struct dirsync *d, int *msgid, struct err *e)
{
    struct berval value;
    const struct ldap_search *s = d->s;
    try(make_control(d, &value, e));
    LDAPControl sync = {(char *)(uintptr_t)DIRSYNC_OID, value, 1}, *controls[] = {&sync, NULL};
    int rc = ldap_search_ext(d->c->ld, s->base, LDAP_SCOPE_SUBTREE, s->filter, (char **)(uintptr_t)s->attributes,
                             0, controls, NULL, NULL, LDAP_NO_LIMIT, msgid);
    ber_memfree(value.bv_val);
    d->stats->requests++;
    if (rc != LDAP_SUCCESS) return conn_lost(d->c, rc, e);
    conn_await(d->c, *msgid);
    return 0;
}

static int read_control(struct dirsync *d, LDAPControl **controls, struct err *e)
{
    for (LDAPControl **c = controls; c && *c; c++) {
        if (!(*c)->ldctl_oid || strcmp((*c)->ldctl_oid, DIRSYNC_OID) != 0 || !(*c)->ldctl_value.bv_val) continue;
        struct cursor value =
            cursor_new((struct bytes){(uint8_t *)(*c)->ldctl_value.bv_val, (*c)->ldctl_value.bv_len});
        struct cursor in = cursor_new(ber_element(&value, BER_SEQUENCE));
        struct bytes more = ber_element(&in, BER_INTEGER);
        (void)ber_element(&in, BER_INTEGER);
        struct bytes cookie = ber_element(&in, BER_OCTETS);
        if (value.failed || in.failed || cookie.len > DIRSYNC_COOKIE_MAX) break;
        d->has_more = false;
        for (size_t i = 0; i < more.len; i++) d->has_more |= more.ptr[i] != 0;
        buf_clear(d->cookie);
        buf_add_bytes(d->cookie, cookie);
        return d->cookie->failed ? err_set(e, ERR_LIMIT, "a DirSync cookie of %zu bytes", cookie.len) : 0;
    }
    return err_set(e, ERR_PROTO, "the server did not answer the DirSync control soundly");
}

static int finish(struct dirsync *d, LDAPMessage *m, struct err *e)
{
    int code = LDAP_OTHER;
    char *text = NULL, *matched = NULL;
    LDAPControl **controls = NULL;
    if (ldap_parse_result(d->c->ld, m, &code, &matched, &text, NULL, &controls, 0) != LDAP_SUCCESS)
        return err_set(e, ERR_PROTO, "the end of a DirSync answer cannot be read");
    int rc = code == LDAP_SUCCESS ? read_control(d, controls, e) : ldap_conn_explain(code, text, matched, e);
    ldap_memfree(matched);
    ldap_memfree(text);
    ldap_controls_free(controls);
    return rc;
}

/* 1: the end of the answer. */
static int take(struct dirsync *d, int type, LDAPMessage *m, struct err *e)
{
    if (type == LDAP_RES_SEARCH_RESULT) {
        conn_await(d->c, 0);
        int rc = finish(d, m, e);
        return rc < 0 ? rc : 1;
    }
    if (type != LDAP_RES_SEARCH_ENTRY) return 0; /* references to other naming contexts */
    if (++d->n_entries > ENTRIES_MAX) return err_set(e, ERR_LIMIT, "more than %d entries in one DirSync answer", ENTRIES_MAX);
    d->stats->entries++;
    return d->each(d->ctx, d->c->ld, m, e);
}

static int one_answer(struct dirsync *d, struct err *e)
{
    int msgid, rc = 0;
    int64_t until = when_monotonic_ms() + (int64_t)d->c->answer_timeout_ms * 10;
    d->n_entries = 0;
    try(ask(d, &msgid, e));
    while (rc == 0) {
        LDAPMessage *m;
        int type = conn_wait(d->c, msgid, until, &m, e);
        if (type < 0) return type;
        rc = take(d, type, m, e);
        ldap_msgfree(m);
    }
    if (rc < 0) conn_abandon(d->c, msgid);
    d->stats->bytes += d->c->wire.received - d->c->reported;
    d->c->reported = d->c->wire.received;
    return rc < 0 ? rc : 0;
}

int ldap_conn_dirsync(struct ldap_conn *c, const struct ldap_search *s, struct buf *cookie,
                      int (*each)(void *ctx, LDAP *ld, LDAPMessage *entry, struct err *e), void *ctx,
                      struct ldap_stats *stats, struct err *e)
{
    struct dirsync d = {.c = c, .s = s, .cookie = cookie, .each = each, .ctx = ctx, .stats = stats, .has_more = true};
    unsigned n_idle = 0;
    for (unsigned n = 0; d.has_more; n++) {
        if (n == ANSWERS_MAX || n_idle == IDLE_ANSWERS_MAX)
            return err_set(e, ERR_PROTO, "the server's DirSync answers do not come to an end");
        if (one_answer(&d, e) < 0) return err_wrap(e, "DirSync, answer %u", n + 1);
        n_idle = d.n_entries ? 0 : n_idle + 1;
    }
    return 0;
}
