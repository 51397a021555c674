#include "source/ldap/ldap_changes.h"

#include "model/derive.h"
#include "model/filter.h"
#include "net/ldap_ber.h"
#include "net/ldap_dirsync.h"
#include "source/ldap/ldap_entry.h"

#include <stdio.h>
#include <stdlib.h>


void ldap_changes_free(struct ldap_changes *c)
{
    free(c->list);
    free(c->usns);
    hmap_free(&c->index);
    buf_free(&c->cookie);
}

/* --- 1: who changed ------------------------------------------------------------------------------------ */

static struct hash128 key_of(const uint8_t guid[GUID_SIZE])
{
    return hash128_fast((struct bytes){guid, GUID_SIZE});
}

static struct ldap_change *change_of(struct ldap_changes *c, const uint8_t guid[GUID_SIZE])
{
    bool is_new;
    uint32_t *place = hmap_put(&c->index, key_of(guid), &is_new);
    if (!is_new) return &c->list[*place - 1];
    GROW(c->list, c->n, c->cap, 64);
    struct ldap_change *one = &c->list[c->n++];
    *one = (struct ldap_change){.kind = KIND_NONE};
    memcpy(one->guid, guid, GUID_SIZE);
    *place = (uint32_t)c->n;
    return one;
}

static void add_usn(struct ldap_changes *c, int64_t usn)
{
    if (usn <= c->after || usn > c->until) return;
    GROW(c->usns, c->n_usns, c->cap_usns, 256);
    c->usns[c->n_usns++] = (uint64_t)usn;
}

static int64_t number_of(struct bytes set)
{
    struct bytes v;
    int64_t n = 0;
    if (!value_single(set, &v) || !v.len || v.len > 18) return 0;
    for (size_t i = 0; i < v.len; i++) {
        if (v.ptr[i] < '0' || v.ptr[i] > '9') return 0;
        n = n * 10 + (v.ptr[i] - '0');
    }
    return n;
}

int ldap_sight(struct ldap_sighting *out, LDAP *ld, LDAPMessage *m, struct err *e)
{
    BerElement *hold;
    struct bytes content, set, v;
    struct str dn, name;
    struct cursor attributes;
    *out = (struct ldap_sighting){.usn = 0};
    try(ldap_entry_open(ld, m, &hold, &content, e));
    int rc = ldap_entry_dn(content, &dn, &attributes, e);
    while (rc == 0 && ber_next_attribute(&attributes, &name, &set)) {
        if (str_equal_nocase(name, STR("objectGUID")) && value_single(set, &v) && v.len == GUID_SIZE) out->guid = v;
        if (str_equal_nocase(name, STR("objectClass"))) out->classes = set;
        if (str_equal_nocase(name, STR("uSNChanged"))) {
            out->has_usn = true;
            out->usn = number_of(set);
        }
        if (str_equal_nocase(name, STR("isDeleted")) && value_single(set, &v)) out->is_deleted = str_equal_nocase(str_of(v), STR("TRUE"));
    }
    if (rc == 0 && attributes.failed) rc = err_set(e, ERR_PROTO, "a malformed entry");
    ber_free(hold, 0); /* the values are in the message */
    return rc;
}

static int on_change(void *ctx, LDAP *ld, LDAPMessage *m, struct err *e)
{
    struct ldap_changes *c = ctx;
    struct ldap_sighting seen;
    try(ldap_sight(&seen, ld, m, e));
    add_usn(c, seen.usn);
    if (!seen.guid.len) return 0; /* found, but not readable: the listing of who is there decides */
    if (c->n > CHANGES_MAX) return 0;
    struct ldap_change *one = change_of(c, seen.guid.ptr);
    one->is_deleted = seen.is_deleted;
    if (seen.classes.len) {
        one->kind = ldap_kind_of_classes(seen.classes);
        one->is_kind_known = true;
    }
    return 0;
}

static int find_by_usn(struct ldap_changes *c, struct ldap_session *s, const char *base, struct err *e)
{
    static const char *attributes[] = {"objectGUID", "objectClass", "uSNChanged", "isDeleted", NULL};
    char filter[64];
    snprintf(filter, sizeof filter, "(uSNChanged>=%lld)", (long long)c->after + 1);
    struct ldap_search q = {.base = base,
                            .scope = LDAP_SCOPE_SUBTREE,
                            .filter = filter,
                            .attributes = attributes,
                            .show_deleted = true,
                            .page_size = s->set.page_size};
    return ldap_conn_search(s->conn, &q, on_change, NULL, c, &s->stats, e);
}

/* false in *fits: the cookie is refused. */
static int find_by_dirsync(struct ldap_changes *c, struct ldap_session *s, bool *fits, struct buf *why, struct err *e)
{
    struct ldap_search q = {.base = s->facts.naming_context, .filter = "(objectClass=*)"};
    if (ldap_conn_dirsync(s->conn, &q, &c->cookie, on_change, c, &s->stats, e) == 0) return 0;
    if (!ldap_is_answer(e)) return e->class;
    *fits = false;
    buf_printf(why, "%s does not take the DirSync cookie of the last run: %s", s->facts.server, e->message);
    return 0;
}

static int find(struct ldap_changes *c, struct ldap_session *s, const struct ldap_watermark *w, bool *fits,
                struct buf *why, struct err *e)
{
    bool by_dirsync = w->has_cookie && ldap_watermark_method(s) == METHOD_DIRSYNC;
    c->after = w->usn;
    c->until = s->facts.highest_usn;
    if (by_dirsync) buf_add_bytes(&c->cookie, buf_bytes(&w->cookie));
    if (c->after == c->until) return 0; /* nothing was written at all */
    if (by_dirsync) try(find_by_dirsync(c, s, fits, why, e));
    if (*fits) try(find_by_usn(c, s, s->facts.naming_context, e));
    if (c->n <= CHANGES_MAX) return 0;
    *fits = false;
    buf_printf(why, "more than %d objects changed", CHANGES_MAX);
    return 0;
}

int ldap_changes_find(struct ldap_changes *out, struct ldap_session *s, const json_t *since, bool *fits,
                      struct buf *why, struct err *e)
{
    struct ldap_watermark w;
    *out = (struct ldap_changes){.cookie = buf_new(DIRSYNC_COOKIE_MAX)};
    *fits = ldap_watermark_read(&w, since, &s->facts, why);
    int rc = *fits ? find(out, s, &w, fits, why, e) : 0;
    ldap_watermark_free(&w);
    return rc < 0 ? err_wrap(e, "%s: what changed", ldap_session_host(s)) : 0;
}

/* --- 2: read them -------------------------------------------------------------------------------------- */

static void on_sent(void *ctx, const uint8_t guid[GUID_SIZE])
{
    struct ldap_changes *c = ctx;
    const uint32_t *place = hmap_find(&c->index, key_of(guid));
    if (place) c->list[*place - 1].was_sent = true;
}

static bool is_wanted(const struct ldap_change *one, enum kind kind)
{
    if (one->is_deleted || one->was_sent) return false;
    return one->kind == kind || !one->is_kind_known;
}

static int read_kind(struct ldap_changes *c, struct ldap_session *s, enum kind kind, kind_set kinds, struct err *e)
{
    struct buf guids = buf_new((CHANGES_MAX + 1) * (size_t)GUID_SIZE);
    for (size_t i = 0; i < c->n; i++)
        if (is_wanted(&c->list[i], kind)) buf_add(&guids, c->list[i].guid, GUID_SIZE);
    int rc = ldap_list_guids(s, kind, kinds, buf_bytes(&guids), &(struct ldap_part){.sent = on_sent, .ctx = c}, e);
    buf_free(&guids);
    return rc;
}

static bool has_changed(const struct ldap_changes *c, kind_set kinds, bool with_deleted)
{
    for (size_t i = 0; i < c->n; i++) {
        const struct ldap_change *one = &c->list[i];
        if (one->is_deleted && !with_deleted) continue;
        if (!one->is_kind_known || (kinds & KIND_BIT(one->kind))) return true;
    }
    return false;
}

int ldap_privileged_read(struct ldap_session *s, kind_set kinds, const struct ldap_part *part, struct err *e)
{
    uint8_t sid[SID_MAX];
    size_t len;
    struct ldap_part narrowed = *part;
    struct buf condition = buf_new(CONDITION_MAX);
    buf_add_str(&condition, STR("(|"));
    for (size_t i = 0; derive_privileged_sid(i, (struct bytes){s->facts.sid, s->facts.sid_len}, sid, &len); i++)
        filter_equal(&condition, STR("objectSid"), (struct bytes){sid, len});
    buf_add_byte(&condition, ')');
    narrowed.condition = buf_str(&condition);
    int rc = ldap_list_part(s, KIND_group, kinds, &narrowed, e);
    buf_free(&condition);
    return rc;
}

/* What a service account is installed on is a back link: nothing is written on the account when it changes. */
static int read_service_accounts(struct ldap_changes *c, struct ldap_session *s, kind_set kinds, struct err *e)
{
    const struct ldap_part part = {.sent = on_sent, .ctx = c};
    return ldap_list_part(s, KIND_service_account, kinds, &part, e);
}

static int read_changed(struct ldap_changes *c, struct ldap_session *s, kind_set kinds, struct err *e)
{
    const kind_set accounts = KIND_BIT(KIND_user) | KIND_BIT(KIND_computer) | KIND_BIT(KIND_service_account);
    for (size_t i = 0; i < n_ldap_kinds; i++) {
        enum kind k = ldap_kinds[i];
        if (!(kinds & KIND_BIT(k))) continue;
        if (k == KIND_group && has_changed(c, accounts, false)) try(ldap_privileged_read(s, kinds, &(struct ldap_part){.sent = on_sent, .ctx = c}, e));
        if (k == KIND_service_account && has_changed(c, KIND_BIT(KIND_computer), true))
            try(read_service_accounts(c, s, kinds, e));
        else
            try(read_kind(c, s, k, kinds, e));
    }
    return 0;
}

/* Deleted, or alive but not among what is listed: moved out of the base, filtered out. */
static int tell_gone(const struct ldap_changes *c, struct ldap_session *s, struct err *e)
{
    for (size_t i = 0; i < c->n; i++) {
        const struct ldap_change *one = &c->list[i];
        if (one->was_sent) continue;
        try(emit_gone(s->m, one->guid, one->is_deleted ? EVIDENCE_DELETED : EVIDENCE_VANISHED, e));
    }
    return 0;
}

/* --- 3: the proof -------------------------------------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static bool is_explained(struct ldap_changes *c)
{
    uint64_t n = 0;
    if (c->n_usns) qsort(c->usns, c->n_usns, sizeof *c->usns, by_value);
    for (size_t i = 0; i < c->n_usns; i++) n += i == 0 || c->usns[i] != c->usns[i - 1];
    return n == (uint64_t)(c->until - c->after);
}

static int on_elsewhere(void *ctx, LDAP *ld, LDAPMessage *m, struct err *e)
{
    struct ldap_sighting seen;
    try(ldap_sight(&seen, ld, m, e));
    add_usn(ctx, seen.usn);
    return 0;
}

/* Writes in the other naming contexts of this controller take numbers, too. */
static int explain_elsewhere(struct ldap_changes *c, struct ldap_session *s, struct err *e)
{
    static const char *attributes[] = {"uSNChanged", NULL};
    const char *of_root[] = {"namingContexts", NULL};
    char filter[64];
    struct ldap_search root = {.base = "", .scope = LDAP_SCOPE_BASE, .filter = "(objectClass=*)", .attributes = of_root};
    struct fetched f;
    struct bytes v;
    int rc = 0;
    snprintf(filter, sizeof filter, "(uSNChanged>=%lld)", (long long)c->after + 1);
    try(ldap_fetch(&f, s->conn, &root, &s->stats, e));
    struct cursor contexts = cursor_new(fetched_set(&f, "namingContexts"));
    while (rc == 0 && ber_next_value(&contexts, &v)) {
        char *base defer_free = x_strdup(str_of(v));
        if (!*base || str_equal_nocase(str_from(base), str_from(s->facts.naming_context))) continue;
        struct ldap_search q = {.base = base,
                                .scope = LDAP_SCOPE_SUBTREE,
                                .filter = filter,
                                .attributes = attributes,
                                .show_deleted = true,
                                .page_size = s->set.page_size};
        rc = ldap_conn_search(s->conn, &q, on_elsewhere, NULL, c, &s->stats, e);
        if (rc < 0 && ldap_is_answer(e)) rc = 0; /* not for this account */
    }
    fetched_free(&f);
    return rc;
}

int ldap_changes_read(struct ldap_changes *c, struct ldap_session *s, kind_set kinds, struct err *e)
{
    try(read_changed(c, s, kinds, e));
    try(tell_gone(c, s, e));
    if (is_explained(c)) return 0;
    if (explain_elsewhere(c, s, e) < 0) return err_wrap(e, "%s: what changed elsewhere", ldap_session_host(s));
    return is_explained(c) ? 0 : ldap_present_read(s, kinds, e);
}
