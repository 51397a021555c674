/* ldap_search.c - one search, page by page: RFC 2696, with the next page on its way while the present one is
 * handed out.
 *
 * The result is complete only when the server has said success with an empty cookie; everything else is an
 * error. What a hostile or broken server could do without end is counted: entries a page, pages without
 * entries, pages seen before.
 */
#include "net/ldap_ber.h"
#include "net/ldap_conn_int.h"

#include "base/hash.h"
#include "base/when.h"

#include <stdlib.h>
#include <unistd.h>

#define BATCH_BYTES    ((uint64_t)8 << 20) /* received for one page before its entries are handed out early */
#define BATCH_MESSAGES 4096
#define UNPAGED_MAX    100000
#define EMPTY_PAGES    1000
#define COOKIE_MAX     65536
#define SMALLEST_PAGE  5
#define BUSY_TRIES     4

struct paging {
    struct ldap_conn *c;
    const struct ldap_search *s;
    int (*each)(void *ctx, LDAP *ld, LDAPMessage *entry, struct err *e);
    int (*ref)(void *ctx, const char *url, struct err *e);
    void *ctx;
    struct ldap_stats *stats;

    int msgid; /* of the request whose answer is awaited, -1 none */
    unsigned page_size;
    uint64_t page;              /* the one being received, from 1 */
    uint64_t messages, in_page; /* of that page so far: all, entries */
    uint64_t total, mark;       /* entries of all pages; bytes received when the batch began */
    bool handed_early, done;
    unsigned empty, busy; /* pages without entries, "busy" answers, each in a row */
    struct buf cookie;    /* for the next request */
    LDAPMessage **batch;
    size_t n_batch;
    struct hmap seen; /* of pages, by their first and last DN */
};

static void note_bytes(struct paging *p)
{
    p->stats->bytes += p->c->wire.received - p->c->reported;
    p->c->reported = p->c->wire.received;
}

/* --- asking -------------------------------------------------------------------------------------------- */

static int send_request(struct paging *p, struct err *e)
{
    const struct ldap_search *s = p->s;
    /* SEQUENCE { INTEGER 7 }: owner, group and DACL, MS-ADTS 3.1.1.3.4.1.11 */
    char seven[] = {0x30, 0x03, 0x02, 0x01, 0x07};
    LDAPControl sd = {(char *)(uintptr_t) "1.2.840.113556.1.4.801", {sizeof seven, seven}, 1};
    LDAPControl deleted = {(char *)(uintptr_t) "1.2.840.113556.1.4.417", {0, NULL}, 1};
    LDAPControl *controls[4] = {NULL}, *page = NULL;
    size_t n = 0;
    if (p->page_size) {
        struct berval cookie = {p->cookie.len, (char *)p->cookie.ptr};
        if (ldap_create_page_control(p->c->ld, (ber_int_t)p->page_size, cookie.bv_len ? &cookie : NULL, 1,
                                     &page) != LDAP_SUCCESS)
            return err_set(e, ERR_BUG, "no paging control");
        controls[n++] = page;
    }
    if (s->sd_flags) controls[n++] = &sd;
    if (s->show_deleted) controls[n++] = &deleted;
    int rc = ldap_search_ext(p->c->ld, s->base, s->scope, s->filter, (char **)(uintptr_t)s->attributes, 0,
                             controls, NULL, NULL, LDAP_NO_LIMIT, &p->msgid);
    if (page) ldap_control_free(page);
    p->stats->requests++;
    if (rc == LDAP_SUCCESS) {
        conn_await(p->c, p->msgid);
        return 0;
    }
    p->msgid = -1;
    if (rc == LDAP_FILTER_ERROR) return err_set(e, ERR_INPUT, "the filter %s is not well-formed", s->filter);
    return conn_lost(p->c, rc, e);
}

/* --- receiving ----------------------------------------------------------------------------------------- */

static void drop_batch(struct paging *p)
{
    for (size_t i = 0; i < p->n_batch; i++) ldap_msgfree(p->batch[i]);
    p->n_batch = 0;
}

static int hand_reference(struct paging *p, LDAPMessage *m, struct err *e)
{
    char **urls = NULL;
    if (ldap_parse_reference(p->c->ld, m, &urls, NULL, 0) != LDAP_SUCCESS)
        return err_set(e, ERR_PROTO, "a continuation reference cannot be read");
    char url[512];
    int rc = 0;
    for (size_t i = 0; rc == 0 && urls && urls[i]; i++) {
        p->stats->references++;
        if (p->ref) rc = p->ref(p->ctx, server_text(url, sizeof url, str_from(urls[i])), e);
    }
    ldap_memvfree((void **)urls);
    return rc;
}

static int hand_out(struct paging *p, struct err *e)
{
    int rc = 0;
    for (size_t i = 0; i < p->n_batch; i++) {
        if (rc == 0)
            rc = ldap_msgtype(p->batch[i]) == LDAP_RES_SEARCH_ENTRY
                     ? p->each(p->ctx, p->c->ld, p->batch[i], e)
                     : hand_reference(p, p->batch[i], e);
        ldap_msgfree(p->batch[i]);
    }
    p->n_batch = 0;
    p->mark = p->c->wire.received;
    return rc < 0 ? rc : 0;
}

static int keep(struct paging *p, LDAPMessage *m, struct err *e)
{
    uint64_t most = p->page_size ? (uint64_t)p->page_size * 4 + 1000 : UNPAGED_MAX;
    p->batch[p->n_batch++] = m;
    if (ldap_msgtype(m) == LDAP_RES_SEARCH_ENTRY) {
        p->stats->entries++;
        p->total++;
        p->in_page++;
    }
    if (++p->messages > most) {
        err_set(e, ERR_LIMIT, "the server sent more than %llu messages for a page of %u",
                (unsigned long long)most, p->page_size);
        return err_hint(
            e, "the server ignores the paging control; is it an Active Directory domain controller?");
    }
    if (p->n_batch < BATCH_MESSAGES && p->c->wire.received - p->mark < BATCH_BYTES) return 0;
    p->handed_early = true;
    return hand_out(p, e);
}

static int ended(const struct paging *p, struct err *e)
{
    return err_wrap(e, "after %llu entries of page %llu", (unsigned long long)p->in_page,
                    (unsigned long long)p->page);
}

/* Everything up to the page's SearchResultDone, which is the caller's. */
static int receive_page(struct paging *p, LDAPMessage **done, struct err *e)
{
    /* each silence is bounded by the answer time; a server that dribbles is bounded by ten of them */
    int64_t until = when_monotonic_ms() + (int64_t)p->c->answer_timeout_ms * 10;
    for (;;) {
        LDAPMessage *m;
        int type = conn_wait(p->c, p->msgid, until, &m, e);
        if (type < 0) return ended(p, e);
        if (type == LDAP_RES_SEARCH_RESULT) {
            *done = m;
            p->msgid = -1;
            conn_await(p->c, 0);
            note_bytes(p);
            return 0;
        }
        if (type == LDAP_RES_INTERMEDIATE &&
            p->messages++ < UNPAGED_MAX) { /* legal, RFC 4511 4.13; not asked for */
            ldap_msgfree(m);
            continue;
        }
        if (type != LDAP_RES_SEARCH_ENTRY && type != LDAP_RES_SEARCH_REFERENCE) {
            ldap_msgfree(m);
            return err_set(e, ERR_PROTO, "the server answered a search with a message of type 0x%x",
                           (unsigned)type);
        }
        try(keep(p, m, e));
    }
}

/* --- judging ------------------------------------------------------------------------------------------- */

static uint64_t dn_hash(struct paging *p, LDAPMessage *m)
{
    BerElement *ber = NULL;
    struct berval dn = {0, NULL};
    uint64_t h = 0;
    if (ldap_get_dn_ber(p->c->ld, m, &ber, &dn) == LDAP_SUCCESS)
        h = hash64_of(hash_process_key(), (struct bytes){(uint8_t *)dn.bv_val, dn.bv_len});
    if (ber) ber_free(ber, 0);
    return h;
}

/* A page is known by its first and last entry; a domain does not hold an entry twice. */
static int check_advance(struct paging *p, struct err *e)
{
    LDAPMessage *first = NULL, *last = NULL;
    for (size_t i = 0; i < p->n_batch; i++) {
        if (ldap_msgtype(p->batch[i]) != LDAP_RES_SEARCH_ENTRY) continue;
        if (!first) first = p->batch[i];
        last = p->batch[i];
    }
    if (!first) {
        /* an empty page is not the end: the server may have used up its time on objects that do not match */
        if (p->handed_early || ++p->empty <= EMPTY_PAGES) return 0;
        return err_set(e, ERR_PROTO, "the server sent %d pages without an entry in a row", EMPTY_PAGES);
    }
    bool is_new;
    p->empty = 0;
    hmap_put(&p->seen, (struct hash128){dn_hash(p, first), dn_hash(p, last)}, &is_new);
    return is_new ? 0
                  : err_set(e, ERR_PROTO, "the server repeats pages: page %llu was sent before",
                            (unsigned long long)p->page);
}

struct done {
    int code;
    char *matched, *text, **referrals;
    LDAPControl **controls;
};

static void done_free(struct done *d)
{
    ldap_memfree(d->matched);
    ldap_memfree(d->text);
    ldap_memvfree((void **)d->referrals);
    ldap_controls_free(d->controls);
}

/* RFC 2696: SEQUENCE { size INTEGER, cookie OCTET STRING }, in exactly one control. libldap's own reader
 * follows a null pointer where the value is missing. */
static bool find_cookie(const struct done *d, struct bytes *cookie)
{
    const LDAPControl *found = NULL;
    for (LDAPControl **c = d->controls; c && *c; c++) {
        if (!(*c)->ldctl_oid || strcmp((*c)->ldctl_oid, LDAP_CONTROL_PAGEDRESULTS) != 0) continue;
        if (found) return false;
        found = *c;
    }
    if (!found || !found->ldctl_value.bv_val) return false;
    struct cursor value =
        cursor_new((struct bytes){(uint8_t *)found->ldctl_value.bv_val, found->ldctl_value.bv_len});
    struct cursor in = cursor_new(ber_element(&value, BER_SEQUENCE));
    (void)ber_element(&in, BER_INTEGER);
    *cookie = ber_element(&in, BER_OCTETS);
    return !value.failed && !value.in.len && !in.failed && !in.in.len;
}

static int read_cookie(struct paging *p, const struct done *d, struct err *e)
{
    struct bytes cookie;
    p->done = true;
    if (!p->page_size) return 0;
    if (!find_cookie(d, &cookie))
        return err_set(
            e, ERR_PROTO,
            "the server did not answer the paging control soundly, so nobody knows whether this is all");
    if (cookie.len > COOKIE_MAX) return err_set(e, ERR_PROTO, "a paging cookie of %zu bytes", cookie.len);
    buf_clear(&p->cookie);
    buf_add_bytes(&p->cookie, cookie);
    p->done = cookie.len == 0;
    return 0;
}

static bool is_cookie_refusal(int code)
{
    return code == LDAP_UNWILLING_TO_PERFORM || code == LDAP_UNAVAILABLE_CRITICAL_EXTENSION ||
           code == LDAP_PROTOCOL_ERROR;
}

static int refused(struct paging *p, const struct done *d, struct err *e)
{
    ldap_conn_explain(d->code, d->text, d->matched, e);
    if (d->code == LDAP_REFERRAL && d->referrals && d->referrals[0]) {
        char url[201];
        err_wrap(e, "referral to %s", server_text(url, sizeof url, str_from(d->referrals[0])));
    } else if (p->page > 1 && is_cookie_refusal(d->code)) {
        e->class = ERR_COOKIE;
        err_wrap(e, "the paging cookie was refused");
        err_hint(e, "a load balancer that moves a connection to another controller breaks paging: configure session "
                    "persistence (sticky sessions) on it, or name the controllers themselves in host and failover_hosts");
    }
    if (p->page > 1)
        err_wrap(e, "page %llu, after %llu entries", (unsigned long long)p->page,
                 (unsigned long long)p->total);
    return e->class;
}

/* 1: ask the same page again, with what was changed; 0: no remedy. */
static int remedy(struct paging *p, int code)
{
    if (p->handed_early) return 0;
    if (code == LDAP_BUSY && p->busy < BUSY_TRIES) {
        int pause = 250 << (2 * p->busy++); /* 0.25, 1, 4, 16 s */
        int left = when_left_ms(p->c->deadline_ms);
        usleep((useconds_t)(pause < left ? pause : left) * 1000);
        return 1;
    }
    bool too_big = code == LDAP_SIZELIMIT_EXCEEDED || code == LDAP_ADMINLIMIT_EXCEEDED;
    if (too_big && p->page == 1 && p->page_size >= 2 * SMALLEST_PAGE) {
        p->page_size /= 2;
        return 1;
    }
    return 0;
}

/* 1: the page was refused and shall be asked again. */
static int judge(struct paging *p, LDAPMessage *m, struct err *e)
{
    struct done d = {.code = LDAP_OTHER};
    int rc = ldap_parse_result(p->c->ld, m, &d.code, &d.matched, &d.text, &d.referrals, &d.controls, 0);
    if (rc != LDAP_SUCCESS)
        rc = err_set(e, ERR_PROTO, "the end of page %llu cannot be read", (unsigned long long)p->page);
    else if (d.code == LDAP_SUCCESS)
        rc = read_cookie(p, &d, e);
    else if ((rc = remedy(p, d.code)) == 0)
        rc = refused(p, &d, e);
    done_free(&d);
    return rc;
}

/* --- the search ---------------------------------------------------------------------------------------- */

static int ask_again(struct paging *p, struct err *e)
{
    p->total -= p->in_page;
    p->stats->entries -= p->in_page;
    drop_batch(p);
    return send_request(p, e);
}

static int one_page(struct paging *p, struct err *e)
{
    LDAPMessage *done = NULL;
    p->messages = p->in_page = 0;
    p->handed_early = false;
    p->mark = p->c->wire.received;
    try(receive_page(p, &done, e));
    int rc = judge(p, done, e);
    ldap_msgfree(done);
    if (rc < 0) return rc;
    if (rc > 0) return ask_again(p, e);
    p->busy = 0;
    if (p->page_size) try(check_advance(p, e));
    p->page++;
    if (!p->done) try(send_request(p, e));
    return hand_out(p, e);
}

static int search_all(struct paging *p, struct err *e)
{
    try(send_request(p, e));
    while (!p->done) try(one_page(p, e));
    return 0;
}

int ldap_conn_search(struct ldap_conn *c, const struct ldap_search *s,
                     int (*each)(void *ctx, LDAP *ld, LDAPMessage *entry, struct err *e),
                     int (*ref)(void *ctx, const char *url, struct err *e), void *ctx,
                     struct ldap_stats *stats, struct err *e)
{
    struct paging p = {.c = c, .s = s, .each = each, .ref = ref, .ctx = ctx, .stats = stats};
    p.msgid = -1;
    p.page = 1;
    p.page_size = s->page_size;
    p.cookie = buf_new(COOKIE_MAX);
    p.batch = x_alloc((BATCH_MESSAGES + 1) * sizeof *p.batch);
    int rc = search_all(&p, e);
    if (p.msgid >= 0) conn_abandon(c, p.msgid);
    note_bytes(&p);
    drop_batch(&p);
    free(p.batch);
    hmap_free(&p.seen);
    buf_free(&p.cookie);
    return rc;
}
