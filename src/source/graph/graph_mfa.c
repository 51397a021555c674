/* graph_mfa.c - what is known of people beside the directory: the MFA registration report, sign-ins, and methods asked one by one.
 *
 * The reports have a limit of their own (5 requests in 10 s), so they run beside everything else. The registration report leaves
 * disabled users out, and a tenant without P1 has none: then, where it is allowed, each user's methods are asked for, for a limited time in
 * each run, in order of id; the next run goes on where this one stopped. Whom nothing is known of has no MFA state: unknown is not "no".
 */
#include "source/graph/graph_session.h"

#include "base/when.h"

#include <stdio.h>
#include <stdlib.h>

#define SIGN_IN_PAGE   500
#define METHODS_AT_ONCE 4
#define CANDIDATES_MAX ((size_t)200000) /* whose methods one run may ask for */
#define REFUSALS_MAX   8                /* in a row: nobody's methods may be read, not only those of some administrators */

enum report_state { REPORT_OFF, REPORT_NOT_NOW, REPORT_READ, REPORT_REFUSED };

struct report {
    struct graph_session *s;
    enum graph_facet facet;
    enum report_state state;
    bool is_broken; /* not refused: it does not work */
    unsigned top;
    struct graph_pages pages;
    char why[512];
    uint64_t n;
};

struct graph_mfa_data {
    struct report details, sign_in;
    /* user by user */
    struct buf candidates; /* GUIDs, ascending */
    size_t next, n_asked, n_answered;
    uint64_t n_lacking;
    size_t n_under_way;
    unsigned n_refusals; /* in a row */
    bool users_are_there, methods_refused, methods_over;
    char methods_why[512];
    int64_t methods_end_ms;
    char after[GUID_TEXT]; /* where this run began, then where it stopped */
};

/* --- reports -------------------------------------------------------------------------------------------------------- */

static const struct graph_question_words {
    const char *what, *permissions;
} words[] = {
    [GRAPH_FACET_DETAILS] = {"the MFA registration report", "AuditLog.Read.All"},
    [GRAPH_FACET_SIGN_IN] = {"sign-in activity", "AuditLog.Read.All"},
};

static int take_facet(struct graph_session *s, enum graph_facet facet, const char *id, const struct graph_extra *x, struct err *e)
{
    struct record r;
    struct err ignored;
    json_t *stub = json_pack("{s:s}", "id", id);
    const json_t *object = stub;
    int rc = 0;
    if (stub && graph_record(&r, &s->body, KIND_user, &object, 1, x, &ignored) == 0)
        rc = graph_join_facet(s->entities[KIND_user], facet, r.guid, r.state, r.stats, e);
    json_decref(stub);
    return rc;
}

static int take_row(void *ctx, const json_t *item, struct err *e)
{
    struct report *r = ctx;
    const char *id = json_string_value(json_object_get(item, "id"));
    const json_t *activity = json_object_get(item, "signInActivity");
    struct graph_extra x = {0};
    if (!id) return 0;
    r->n++;
    if (r->facet == GRAPH_FACET_DETAILS)
        x.details = item;
    else if (json_is_object(activity))
        x.sign_in = activity;
    else
        return 0; /* never signed in */
    return take_facet(r->s, r->facet, id, &x, e);
}

static int forget_rows(void *ctx, struct err *e)
{
    struct report *r = ctx;
    r->n = 0;
    r->s->n_restarts++;
    return graph_join_forget_facet(r->s->entities[KIND_user], r->facet, e);
}

static int ask(struct report *r, struct err *e);
static int begin_methods(struct graph_session *s, struct err *e);

/* A report that cannot be had says nothing of who is there: what is known stays, and the run tells why. */
static int on_report_end(void *ctx, struct graph_pages *p, struct err *e)
{
    struct report *r = ctx;
    if (p->rc < 0 && p->failure.fault == GRAPH_FAULT_PAGE_TOO_LARGE && r->top > 10) {
        r->top = r->top > 120 ? 120 : r->top / 2;
        graph_pages_free(p);
        try(forget_rows(r, e));
        return ask(r, e);
    }
    r->s->n_beside--;
    r->state = p->rc < 0 ? REPORT_REFUSED : REPORT_READ;
    if (p->rc == 0) return begin_methods(r->s, e);
    enum graph_fault f = p->failure.fault;
    r->is_broken = f == GRAPH_FAULT_RETRY;
    bool is_refused = r->is_broken || f == GRAPH_FAULT_DENIED_PERMISSION || f == GRAPH_FAULT_DENIED_LICENCE || f == GRAPH_FAULT_UNSUPPORTED || f == GRAPH_FAULT_NOT_FOUND;
    snprintf(r->why, sizeof r->why, "%.500s", p->why.message);
    if (!is_refused) {
        *e = p->why;
        return p->rc;
    }
    try(graph_join_forget_facet(r->s->entities[KIND_user], r->facet, e));
    return begin_methods(r->s, e);
}

static int ask(struct report *r, struct err *e)
{
    char url[1024];
    const char *path = r->facet == GRAPH_FACET_DETAILS ? "/reports/authenticationMethods/userRegistrationDetails?$top="
                                                       : "/users?$select=id,signInActivity&$top=";
    r->pages = (struct graph_pages){.client = r->s->client,
                                    .bucket = GRAPH_REPORTS,
                                    .what = words[r->facet].what,
                                    .permissions = words[r->facet].permissions,
                                    .object = take_row,
                                    .restart = forget_rows,
                                    .end = on_report_end,
                                    .ctx = r};
    snprintf(url, sizeof url, "%s%s%u", r->s->set.base_text, path, r->top);
    return graph_pages_start(&r->pages, url, e);
}

static int start(struct report *r, struct graph_session *s, enum graph_facet facet, unsigned top, struct err *e)
{
    *r = (struct report){.s = s, .facet = facet, .state = REPORT_NOT_NOW, .top = top};
    s->n_beside++;
    return ask(r, e);
}

int graph_mfa_start(struct graph_session *s, bool reports, const char *methods_after, struct err *e)
{
    struct graph_mfa_data *d = s->mfa = x_zalloc(sizeof *d);
    uint8_t guid[GUID_SIZE];
    unsigned top = s->set.page_size;
    d->candidates = buf_new(2 * CANDIDATES_MAX * GUID_SIZE);
    if (methods_after && guid_parse(guid, str_from(methods_after))) guid_format(d->after, guid);
    if (!s->entities[KIND_user]) s->entities[KIND_user] = graph_join_new();
    bool wants_report = s->set.mfa == GRAPH_MFA_AUTO || s->set.mfa == GRAPH_MFA_REPORT;
    d->details.state = wants_report ? REPORT_NOT_NOW : REPORT_OFF;
    d->sign_in.state = s->set.sign_in_activity ? REPORT_NOT_NOW : REPORT_OFF;
    if (!reports) return 0;
    if (wants_report) try(start(&d->details, s, GRAPH_FACET_DETAILS, top, e));
    if (s->set.sign_in_activity) try(start(&d->sign_in, s, GRAPH_FACET_SIGN_IN, top < SIGN_IN_PAGE ? top : SIGN_IN_PAGE, e));
    return 0;
}

/* --- methods, user by user ------------------------------------------------------------------------------------------ */

static int compare_guids(const void *a, const void *b)
{
    return memcmp(a, b, GUID_SIZE);
}

/* Ascending, each once, and no more than a run can ask for: those next in order. */
static void tidy(struct buf *guids)
{
    if (guids->len) qsort(guids->ptr, guids->len / GUID_SIZE, GUID_SIZE, compare_guids);
    if (guids->len > CANDIDATES_MAX * GUID_SIZE) guids->len = CANDIDATES_MAX * GUID_SIZE;
}

static int note_lacking(void *ctx, const uint8_t guid[GUID_SIZE], struct err *e)
{
    struct graph_mfa_data *d = ctx;
    uint8_t after[GUID_SIZE];
    (void)e;
    d->n_lacking++;
    if (d->after[0] && guid_parse(after, str_from(d->after)) && memcmp(guid, after, GUID_SIZE) <= 0) return 0;
    buf_add(&d->candidates, guid, GUID_SIZE);
    if (d->candidates.len >= 2 * CANDIDATES_MAX * GUID_SIZE) tidy(&d->candidates);
    return 0;
}

struct one_user {
    struct graph_owned own;
    struct graph_session *s;
    char id[GUID_TEXT];
};

static int ask_more(struct graph_session *s, struct err *e);

static void user_drop(struct graph_owned *o)
{
    free(o);
}

static int take_methods(struct one_user *u, const json_t *body, struct err *e)
{
    struct graph_extra x = {.methods = json_object_get(body, "value")};
    u->s->mfa->n_refusals = 0;
    if (!json_is_array(x.methods)) return 0;
    u->s->mfa->n_answered++;
    return take_facet(u->s, GRAPH_FACET_METHODS, u->id, &x, e);
}

static int methods_failed(struct graph_mfa_data *d, const struct graph_answer *a, struct err *e)
{
    switch (a->failure->fault) {
    case GRAPH_FAULT_NOT_FOUND: return 0;
    case GRAPH_FAULT_DENIED_PERMISSION:
    case GRAPH_FAULT_DENIED_LICENCE:
    case GRAPH_FAULT_UNSUPPORTED:
        d->methods_refused |= ++d->n_refusals >= REFUSALS_MAX;
        snprintf(d->methods_why, sizeof d->methods_why, "%.500s", a->why->message);
        return 0;
    default: *e = *a->why; return a->rc;
    }
}

static int on_methods(void *ctx, const struct graph_answer *a, struct err *e)
{
    struct one_user *u = ctx;
    struct graph_session *s = u->s;
    s->n_beside--;
    s->mfa->n_under_way--;
    int rc = a->rc < 0 ? methods_failed(s->mfa, a, e) : take_methods(u, a->body, e);
    graph_session_disown(&u->own);
    user_drop(&u->own);
    return rc < 0 ? rc : ask_more(s, e);
}

static int ask_one(struct graph_session *s, struct err *e)
{
    struct graph_mfa_data *d = s->mfa;
    char url[1024];
    struct one_user *u = x_zalloc(sizeof *u);
    graph_session_own(s, &u->own, user_drop);
    u->s = s;
    guid_format(u->id, d->candidates.ptr + d->next * GUID_SIZE);
    memcpy(d->after, u->id, sizeof d->after);
    d->next++;
    d->n_asked++;
    snprintf(url, sizeof url, "%s/users/%s/authentication/methods", s->set.base_text, u->id);
    struct graph_question q = {.bucket = GRAPH_METHODS, .url = url, .what = "authentication methods of a user",
                               .permissions = "UserAuthenticationMethod.Read.All", .done = on_methods, .ctx = u};
    s->n_beside++;
    d->n_under_way++;
    return graph_client_ask(s->client, &q, e);
}

static int ask_more(struct graph_session *s, struct err *e)
{
    struct graph_mfa_data *d = s->mfa;
    size_t n = d->candidates.len / GUID_SIZE;
    while (d->next < n && d->n_under_way < METHODS_AT_ONCE) {
        if (d->methods_refused || when_monotonic_ms() >= d->methods_end_ms) return 0;
        try(ask_one(s, e));
    }
    if (d->next == n && n < CANDIDATES_MAX) d->methods_over = true; /* from the beginning again, next time */
    return 0;
}

/* Whose state the report does not tell. */
static bool wants_methods(const struct graph_session *s)
{
    const struct graph_mfa_data *d = s->mfa;
    if (s->set.mfa == GRAPH_MFA_METHODS) return true;
    return s->set.mfa == GRAPH_MFA_AUTO && (d->details.state == REPORT_READ || d->details.state == REPORT_REFUSED) &&
           graph_client_may(s->client, "UserAuthenticationMethod.Read.All UserAuthenticationMethod.ReadWrite.All") != 0;
}

/* As soon as it is known who is there and whom the report tells of; beside whatever is read then. */
static int begin_methods(struct graph_session *s, struct err *e)
{
    struct graph_mfa_data *d = s->mfa;
    bool is_waiting = d->details.state == REPORT_NOT_NOW && d->details.pages.client; /* for the report */
    if (!d->users_are_there || is_waiting || d->methods_end_ms) return 0;
    d->methods_end_ms = when_monotonic_ms() + s->set.methods_time_ms;
    try(graph_join_lacking(s->entities[KIND_user], 1u << GRAPH_FACET_DETAILS, note_lacking, d, e));
    if (!wants_methods(s)) {
        d->methods_over = true;
        return 0;
    }
    tidy(&d->candidates);
    return ask_more(s, e);
}

int graph_mfa_methods(struct graph_session *s, struct err *e)
{
    s->mfa->users_are_there = true;
    return begin_methods(s, e);
}

/* --- what follows --------------------------------------------------------------------------------------------------- */

unsigned graph_mfa_keep(const struct graph_session *s, unsigned facets)
{
    const struct graph_mfa_data *d = s->mfa;
    unsigned flags = 0, mfa = 1u << GRAPH_FACET_DETAILS | 1u << GRAPH_FACET_METHODS;
    if (!d) return RECORD_KEEP_MFA | RECORD_KEEP_SIGN_IN;
    if (s->set.mfa != GRAPH_MFA_OFF && !(facets & mfa)) flags |= RECORD_KEEP_MFA;
    if (d->sign_in.state == REPORT_NOT_NOW || d->sign_in.state == REPORT_REFUSED) flags |= RECORD_KEEP_SIGN_IN;
    return flags;
}

const char *graph_mfa_methods_after(const struct graph_session *s)
{
    const struct graph_mfa_data *d = s->mfa;
    return d && !d->methods_over && !d->methods_refused ? d->after : "";
}

bool graph_mfa_were_read(const struct graph_session *s)
{
    const struct graph_mfa_data *d = s->mfa;
    return d && d->details.state != REPORT_NOT_NOW && d->sign_in.state != REPORT_NOT_NOW;
}

static int tell_unknown(struct graph_session *s, struct err *e)
{
    struct graph_mfa_data *d = s->mfa;
    char what[240];
    uint64_t n = d->n_lacking - (d->n_answered < d->n_lacking ? d->n_answered : d->n_lacking);
    if (!n) return 0;
    bool has_report = d->details.state == REPORT_READ;
    snprintf(what, sizeof what, "the MFA state of %llu user%s was not told in this run%s", (unsigned long long)n, n == 1 ? "" : "s",
             has_report ? " (the report leaves disabled users out)" : "");
    const char *fix = *d->methods_why || !wants_methods(s)
                          ? "grant UserAuthenticationMethod.Read.All to have their methods asked one by one, or leave it: unknown is not told as no"
                          : "the next runs go on with them; mfa_methods_time says how long a run may ask";
    return graph_session_gap(s, KIND_user, GAP_INFO, what, *d->methods_why ? d->methods_why : NULL, fix, e);
}

static int tell_report(const struct report *r, const char *what, struct err *e)
{
    const char *fix = r->is_broken ? "nothing: what was known stays, and the next run tries again"
                                   : "it needs Entra ID P1 and the application permission AuditLog.Read.All";
    return r->state == REPORT_REFUSED ? graph_session_gap(r->s, KIND_user, GAP_INFO, what, r->why, fix, e) : 0;
}

int graph_mfa_tell(struct graph_session *s, struct err *e)
{
    struct graph_mfa_data *d = s->mfa;
    if (!d) return 0;
    try(tell_report(&d->details, "the MFA registration report cannot be read", e));
    try(tell_report(&d->sign_in, "sign-in data is unavailable", e));
    bool was_asked = d->details.state == REPORT_READ || d->details.state == REPORT_REFUSED || s->set.mfa == GRAPH_MFA_METHODS;
    return was_asked ? tell_unknown(s, e) : 0;
}

void graph_mfa_free(struct graph_session *s)
{
    struct graph_mfa_data *d = s->mfa;
    if (!d) return;
    graph_pages_free(&d->details.pages);
    graph_pages_free(&d->sign_in.pages);
    buf_free(&d->candidates);
    free(d);
    s->mfa = NULL;
}
