/* ldap_read.c - the verb read: BEGIN, everything or what changed or what else that touched, END. */
#include "source/ldap/ldap_source.h"

#include "net/ldap_dirsync.h"
#include "source/ldap/ldap_changes.h"
#include "source/ldap/ldap_logons.h"
#include "source/ldap/ldap_schema.h"

#include <stdio.h>

/* mode: full, incremental, only. why: of a full read although there is a watermark. */
static int begin(struct ldap_session *s, const char *mode, struct str why, struct err *e)
{
    json_t *facts = ldap_facts_begin(&s->facts, ldap_conn_address(s->conn), s->set.base_dn);
    json_object_set_new(facts, "mode", json_string(mode));
    if (why.len) json_object_set_new(facts, "reason", json_stringn(why.ptr, why.len));
    int rc = emit_begin(s->m, facts, e);
    json_decref(facts);
    return rc < 0 ? rc : ldap_session_begun(s, e);
}

static int tell_references(struct ldap_session *s, struct err *e)
{
    char what[128];
    if (!s->references.n_used) return 0;
    snprintf(what, sizeof what, "%zu continuation references to other naming contexts were not followed",
             s->references.n_used);
    struct gap g = {.severity = GAP_INFO, .what = str_from(what), .where = str_from(s->reference)};
    g.fix = STR("make a connector for each domain; DNS zones and the configuration hold no identities");
    return emit_gap(s->m, &g, e);
}

static int end(struct ldap_session *s, struct err *e)
{
    return emit_end(s->m, s->stats.requests, s->stats.bytes, s->servers, e);
}

/* What was read from two controllers is up to date with neither. */
static int tell_watermark(struct ldap_session *s, const json_t *mark, struct err *e)
{
    json_t *now = ldap_watermark_json(&s->facts, (struct bytes){NULL, 0});
    bool is_same = mark && now && s->n_controllers == 1 &&
                   json_equal(json_object_get(mark, "server_object"), json_object_get(now, "server_object")) &&
                   json_equal(json_object_get(mark, "invocation_id"), json_object_get(now, "invocation_id"));
    json_decref(now);
    return is_same ? emit_watermark(s->m, mark, e) : 0;
}

static int read_kinds(struct ldap_session *s, kind_set kinds, struct str why, struct err *e)
{
    try(ldap_logons_collect(s, kinds, e));
    try(begin(s, "full", why, e));
    for (size_t i = 0; i < n_ldap_kinds; i++)
        if (kinds & KIND_BIT(ldap_kinds[i])) try(ldap_list_kind(s, ldap_kinds[i], kinds, e));
    return tell_references(s, e);
}

/* Nothing has been said so far: a controller that is lost here is simply replaced. */
static int take_cookie(struct ldap_session *s, struct buf *cookie, struct err *e)
{
    int rc = ldap_watermark_cookie(s, cookie, e);
    while (rc < 0 && ldap_session_recover(s, e) == 0) rc = ldap_watermark_cookie(s, cookie, e);
    return rc;
}

/* The mark is taken first: what changes while the listing is under way is read again next time. */
static int read_full(struct ldap_session *s, kind_set kinds, struct str why, struct err *e)
{
    struct buf cookie = buf_new(DIRSYNC_COOKIE_MAX);
    enum ldap_method method = s->job->since ? ldap_watermark_method(s) : METHOD_OFF;
    int rc = method == METHOD_DIRSYNC ? take_cookie(s, &cookie, e) : 0;
    json_t *mark = rc == 0 && method != METHOD_OFF ? ldap_watermark_json(&s->facts, buf_bytes(&cookie)) : NULL;
    if (rc == 0) rc = read_kinds(s, kinds, why, e);
    if (rc == 0 && s->job->since) rc = ldap_schema_read(s, NULL, mark, e);
    if (rc == 0 && mark) rc = tell_watermark(s, mark, e);
    json_decref(mark);
    buf_free(&cookie);
    return rc;
}

static int read_changes(struct ldap_session *s, struct ldap_changes *c, kind_set kinds, struct err *e)
{
    json_t *mark = ldap_watermark_json(&s->facts, buf_bytes(&c->cookie));
    int rc = ldap_logons_collect(s, kinds, e);
    if (rc == 0) rc = begin(s, "incremental", (struct str){"", 0}, e);
    if (rc == 0) rc = ldap_changes_read(c, s, kinds, e);
    if (rc == 0) rc = ldap_schema_read(s, s->job->since, mark, e);
    if (rc == 0) rc = tell_watermark(s, mark, e);
    json_decref(mark);
    return rc;
}

/* Another controller has another watermark: then all is read. */
static int find_changes(struct ldap_changes *c, struct ldap_session *s, bool *fits, struct buf *why, struct err *e)
{
    int rc = ldap_changes_find(c, s, s->job->since, fits, why, e);
    while (rc < 0 && ldap_session_recover(s, e) == 0) {
        ldap_changes_free(c);
        buf_clear(why);
        rc = ldap_changes_find(c, s, s->job->since, fits, why, e);
    }
    return rc;
}

static int read_since(struct ldap_session *s, kind_set kinds, struct err *e)
{
    struct ldap_changes c;
    struct buf why = buf_new(4096);
    bool fits;
    int rc = find_changes(&c, s, &fits, &why, e);
    if (rc == 0) rc = fits ? read_changes(s, &c, kinds, e) : read_full(s, kinds, buf_str(&why), e);
    ldap_changes_free(&c);
    buf_free(&why);
    return rc;
}

static int read_only(struct ldap_session *s, kind_set kinds, struct err *e)
{
    try(begin(s, "only", (struct str){"", 0}, e));
    return ldap_only_read(s, s->job->only, kinds, e);
}

static int read_job(struct ldap_session *s, struct err *e)
{
    kind_set kinds = s->job->kinds ? s->job->kinds & ldap_kinds_all() : ldap_kinds_all();
    if (!kinds) return err_set(e, ERR_INPUT, "Active Directory has none of the kinds asked for");
    if (s->job->only)
        try(read_only(s, kinds, e));
    else if (json_object_size(s->job->since))
        try(read_since(s, kinds, e));
    else
        try(read_full(s, kinds, (struct str){"", 0}, e));
    return end(s, e);
}

int ldap_read(const struct job *j, struct emit *m, struct err *e)
{
    struct ldap_session s;
    int rc = ldap_session_open(&s, j, m, e);
    if (rc == 0) rc = read_job(&s, e);
    ldap_session_close(&s);
    return rc;
}
