/* alerts_judge.c - rules over the change log, run by run; and silence. */
#include "server/alerts/alerts_int.h"

#include "net/oauth.h"
#include "run/rows.h"

#include <stdio.h>

#define DETAIL_MAX 2000

/* --- what was found ---------------------------------------------------------------------------------------------------- */

void firing_begin(struct firing *f)
{
    *f = (struct firing){.detail = buf_new(DETAIL_MAX), .changes = json_array()};
}

void firing_end(struct firing *f)
{
    buf_free(&f->detail);
    json_decref(f->changes);
    f->changes = NULL;
}

void firing_count_rest(struct firing *f)
{
    size_t n = strlen(f->title);
    if (f->n > 1) snprintf(f->title + n, sizeof f->title - n, ", and %llu more", (unsigned long long)f->n - 1);
}

void change_sentence(char *out, size_t size, const struct change *c)
{
    char name[160], member[160], attribute[80];
    oauth_quote(name, sizeof name, c->name);
    oauth_quote(member, sizeof member, c->member_name.len ? c->member_name : str_of(c->new.len ? c->new : c->old));
    oauth_quote(attribute, sizeof attribute, c->attribute);
    const char *kind = kind_name(c->kind);
    switch (c->type) {
    case CHANGE_member_added: snprintf(out, size, "%s was added to %s", member, name); return;
    case CHANGE_member_removed: snprintf(out, size, "%s was removed from %s", member, name); return;
    case CHANGE_modified: snprintf(out, size, "%s of %s %s changed", attribute, kind, name); return;
    case CHANGE_created:
    case CHANGE_deleted:
    case CHANGE_restored:
    case CHANGE_moved:
    case CHANGE_renamed: snprintf(out, size, "%s %s was %s", kind, name, change_type_name(c->type)); return;
    }
    snprintf(out, size, "%s %s", kind, name);
}

void firing_add_change(struct firing *f, const struct change *c)
{
    char sentence[600];
    f->n++;
    f->time_ms = c->time_ms;
    if (f->n > FIRING_CHANGES) return;
    change_sentence(sentence, sizeof sentence, c);
    buf_printf(&f->detail, "%s%s", f->detail.len ? "; " : "", sentence);
    f->detail.failed = false; /* what has no room is among the changes */
    json_array_append_new(f->changes, rows_change(c));
    if (f->n == 1) snprintf(f->title, sizeof f->title, "%s", sentence);
}

/* --- changes -------------------------------------------------------------------------------------------------------------- */

struct walk {
    const struct rule *r;
    const struct span *span;
    const struct verdicts *v;
    bool has_group;
    uint8_t group[GUID_SIZE];
    int64_t run, last_change;
    struct firing f;
    int rc;
    struct err *e;
};

static bool has_text(struct str where, const char *what)
{
    size_t n = strlen(what);
    for (size_t i = 0; i + n <= where.len; i++)
        if (str_equal_nocase((struct str){where.ptr + i, n}, (struct str){what, n})) return true;
    return false;
}

static bool fits(const struct walk *w, const struct change *c)
{
    const struct rule *r = w->r;
    if (w->has_group && memcmp(c->guid, w->group, GUID_SIZE) != 0) return false;
    if (r->kinds && !(r->kinds & KIND_BIT(c->kind))) return false;
    if (r->changes && !(r->changes & 1u << c->type)) return false;
    if (r->attribute && !str_equal_nocase(c->attribute, str_from(r->attribute))) return false;
    return !r->q || has_text(c->name, r->q) || has_text(c->member_name, r->q);
}

/* A run is over: it is one alert, however many changes it has. */
static int end_run(struct walk *w)
{
    int64_t run = w->run;
    if (!run) return 0;
    snprintf(w->f.key, sizeof w->f.key, "run:%lld", (long long)run);
    firing_count_rest(&w->f);
    int rc = w->v->over(w->v->ctx, w->span->connector, w->last_change, w->f.n ? &w->f : NULL, w->e);
    firing_end(&w->f);
    firing_begin(&w->f);
    w->run = 0;
    return rc;
}

static bool on_change(void *ctx, const struct change *c)
{
    struct walk *w = ctx;
    if (w->span->after_change < 0 && c->time_ms < w->span->since_ms) return false;
    if (c->run != w->run) w->rc = end_run(w);
    if (w->rc < 0) return false;
    w->run = c->run;
    w->last_change = c->id;
    if (fits(w, c)) firing_add_change(&w->f, c);
    return true;
}

int judge_changes(struct store *s, const struct rule *r, const struct span *span, const struct verdicts *v, struct err *e)
{
    struct walk w = {.r = r, .span = span, .v = v, .has_group = r->type == CONDITION_GROUP, .e = e};
    char name[200];
    int64_t id;
    bool is_trial = span->after_change < 0;
    if (w.has_group) try(judge_find_group(s, r, w.group, &id, name, e));
    struct change_query q = {.connector = str_from(span->connector), .after_change = is_trial ? 0 : span->after_change, .newest_first = is_trial};
    firing_begin(&w.f);
    int rc = store_changes(s, &q, on_change, &w, e);
    if (rc == 0) rc = w.rc;
    if (rc == 0) rc = end_run(&w);
    firing_end(&w.f);
    return rc;
}

struct found_group {
    uint8_t *guid;
    int64_t *id;
    char *name;
};

static void on_group(void *ctx, const struct entity *x)
{
    struct found_group *f = ctx;
    memcpy(f->guid, x->record.guid, GUID_SIZE);
    *f->id = x->id;
    oauth_quote(f->name, 200, x->name);
}

int judge_find_group(struct store *s, const struct rule *r, uint8_t guid[GUID_SIZE], int64_t *entity_id, char name[200], struct err *e)
{
    struct found_group f = {guid, entity_id, name};
    return store_entity_find(s, str_from(r->connector), str_from(r->group), true, on_group, &f, e) < 0 ? err_wrap(e, "group") : 0;
}

/* --- silence ----------------------------------------------------------------------------------------------------------------- */

bool run_is_success(const struct run_row *r)
{
    return (r->status == RUN_COMPLETE || r->status == RUN_PARTIAL || r->status == RUN_NEEDS_ATTENTION) && r->ended_ms;
}

static bool on_last_run(void *ctx, const struct run_row *r)
{
    int64_t *last = ctx;
    if (run_is_success(r)) *last = r->ended_ms;
    return *last == 0;
}

int judge_silence(struct store *s, const struct rule *r, int64_t now_ms, int64_t *silent_since, struct err *e)
{
    int64_t last = 0;
    *silent_since = 0;
    try(store_runs(s, str_from(r->connector), INT32_MAX, on_last_run, &last, e));
    if (last < r->since_ms) last = r->since_ms; /* a rule begins with what happens after it was made */
    if (now_ms - last >= r->silence_ms) *silent_since = last;
    return 0;
}

void firing_of_silence(struct firing *f, const struct rule *r, int64_t since_ms, int64_t at_ms)
{
    char since[WHEN_TEXT];
    double hours = (double)r->silence_ms / 3600000;
    snprintf(f->key, sizeof f->key, "silence:%lld", (long long)since_ms);
    f->time_ms = at_ms;
    f->n = 1;
    snprintf(f->title, sizeof f->title, "no data from %s for %g hours", r->connector, hours);
    buf_printf(&f->detail, "no successful sync of %s since %s", r->connector, when_format(since, since_ms));
}

struct gaps {
    const struct rule *r;
    const struct verdicts *v;
    int64_t since_ms, later_ms; /* the success after this one, or now */
    int rc;
    struct err *e;
};

static bool on_run_of_trial(void *ctx, const struct run_row *r)
{
    struct gaps *g = ctx;
    if (!run_is_success(r)) return true;
    if (g->later_ms - r->ended_ms >= g->r->silence_ms && r->ended_ms + g->r->silence_ms >= g->since_ms) {
        struct firing f;
        firing_begin(&f);
        firing_of_silence(&f, g->r, r->ended_ms, r->ended_ms + g->r->silence_ms);
        g->rc = g->v->over(g->v->ctx, g->r->connector, 0, &f, g->e);
        firing_end(&f);
    }
    g->later_ms = r->ended_ms;
    return g->rc == 0 && r->ended_ms >= g->since_ms;
}

int trial_silence(struct store *s, const struct rule *r, int64_t since_ms, const struct verdicts *v, struct err *e)
{
    struct gaps g = {.r = r, .v = v, .since_ms = since_ms, .later_ms = when_now_ms(), .e = e};
    try(store_runs(s, str_from(r->connector), 100000, on_run_of_trial, &g, e));
    return g.rc;
}
