#include "run/sync.h"

#include "access/sets/sets.h"
#include "base/log.h"
#include "base/when.h"
#include "model/schema.h"
#include "run/backlinks.h"
#include "run/pause.h"
#include "run/touched.h"
#include "run/watermark.h"
#include "run/worker.h"
#include "source/source.h"

#include <stdio.h>

struct syncing {
    const struct sync_options *options;
    const struct source *source;
    struct stream_report *report;
    struct store_run *run;
    struct arena text;
    struct backlinks *backlinks;
    struct pause pause;

    int64_t started_ms, full_ms; /* full_ms: when the last full run began */
    bool is_incremental;
    bool is_second;           /* job of this run */
    struct touched *touched;  /* of an incremental run */
    json_t *mark;             /* from the source; NULL: none */
    char database[GUID_TEXT]; /* invocationId of the controller that answered */
    uint32_t sds_before, n_sds; /* numbers of descriptors start anew with each job */
    uint64_t requests_before, bytes_before;
    unsigned n_stream_losses, n_second_losses; /* all; those of the second look */
};

/* --- the stream ---------------------------------------------------------------------------------------- */

static int tell(struct syncing *s, enum kind k, enum gap_severity severity, const char *what, const char *fix, struct err *e)
{
    struct gap g = {k, severity, str_from(what), {"", 0}, str_from(fix)};
    report_gap(s->report, &g);
    return store_run_gap(s->run, &g, e);
}

static int tell_full(struct syncing *s, const char *reason, struct err *e)
{
    char what[512];
    if (!reason) return 0;
    snprintf(what, sizeof what, "full run: %s", reason);
    return tell(s, KIND_NONE, GAP_INFO, what, "", e);
}

static bool knows(void *ctx, struct str dn)
{
    struct syncing *s = ctx;
    struct link ignored;
    return store_resolve_dn(s->options->store, str_from(s->options->connector->name), dn, &ignored);
}

static int begin_mode(struct syncing *s, const char *mode, const char *reason, struct err *e)
{
    s->is_incremental = strcmp(mode, "incremental") == 0;
    if (!s->is_incremental) s->full_ms = s->started_ms;
    backlinks_know(s->backlinks, s->is_incremental ? knows : NULL, s);
    try(tell_full(s, reason, e));
    return store_run_mode(s->run, str_from(mode), e);
}

/* A second look at another controller would see another moment. */
static int check_database(struct syncing *s, const json_t *facts, struct err *e)
{
    const char *now = json_string_value(json_object_get(facts, "invocation_id"));
    if (!now) now = "";
    if (s->is_second && s->is_incremental && strcmp(s->database, now) != 0)
        return err_set(e, ERR_COOKIE, "another controller answered while what changed was being read");
    snprintf(s->database, sizeof s->database, "%s", now);
    return 0;
}

static int on_begin(void *ctx, const json_t *facts, struct err *e)
{
    struct syncing *s = ctx;
    struct domain_info d;
    const char *mode = json_string_value(json_object_get(facts, "mode"));
    try(facts_domain(&d, facts, &s->text, e));
    snprintf(s->report->server, sizeof s->report->server, "%.*s", STR_FMT(d.server));
    report_phase(s->report, s->is_second ? "read_touched" : "read");
    backlinks_domain(s->backlinks, d.sid);
    try(check_database(s, facts, e));
    if (mode && strcmp(mode, "only") != 0)
        try(begin_mode(s, mode, json_string_value(json_object_get(facts, "reason")), e));
    return store_run_domain(s->run, &d, e);
}

static int on_sd(void *ctx, uint32_t number, struct bytes sd, struct err *e)
{
    struct syncing *s = ctx;
    uint32_t mine = s->sds_before + number;
    if (mine < number) return err_set(e, ERR_PROTO, "too many descriptors");
    if (mine > s->n_sds) s->n_sds = mine;
    return store_run_sd(s->run, mine, sd, e);
}

static int put(void *ctx, const struct record *r, struct err *e)
{
    struct syncing *s = ctx;
    try(store_run_put(s->run, r, e));
    if (!s->is_incremental || s->is_second) return 0;
    return touched_put(s->touched, r, store_run_effect(s->run), e);
}

static int on_record(void *ctx, const struct record *r, struct bytes payload, struct err *e)
{
    struct syncing *s = ctx;
    struct record mine = *r;
    struct buf moved = buf_new(FRAME_MAX);
    if (mine.sd) mine.sd += s->sds_before;
    if (!s->source->has_back_links) return put(s, &mine, e);
    if (s->sds_before && r->kind == KIND_group) record_encode(&moved, &mine); /* what waits is kept as bytes */
    int rc = backlinks_take(s->backlinks, &mine, moved.len ? buf_bytes(&moved) : payload) ? 0 : put(s, &mine, e);
    buf_free(&moved);
    return rc;
}

static int put_waiting(struct syncing *s, struct err *e)
{
    uint64_t n;
    char what[128];
    s->is_second = true; /* what these touch was asked for already */
    try(backlinks_finish(s->backlinks, put, s, &n, e));
    if (!n) return 0;
    snprintf(what, sizeof what, "the members of %llu group%s could not be read and were taken from memberOf", (unsigned long long)n, n == 1 ? "" : "s");
    return tell(s, KIND_group, GAP_INFO, what, "grant the account Read Property on member of these groups", e);
}

static int on_members(void *ctx, const struct members_part *p, struct err *e)
{
    return store_run_members(((struct syncing *)ctx)->run, p->list, p->more, e);
}

static void note_loss(struct syncing *s, bool is_loss)
{
    s->n_stream_losses += is_loss;
    s->n_second_losses += is_loss && s->is_second;
}

static int on_gap(void *ctx, const struct gap *g, struct err *e)
{
    struct syncing *s = ctx;
    note_loss(s, g->severity == GAP_LOSS);
    report_gap(s->report, g);
    return store_run_gap(s->run, g, e);
}

static int on_gone(void *ctx, const uint8_t guid[GUID_SIZE], enum evidence evidence, struct err *e)
{
    struct syncing *s = ctx;
    try(store_run_gone(s->run, guid, evidence, e));
    return touched_gone(s->touched, guid, e);
}

static int on_present(void *ctx, enum kind k, const uint8_t guid[GUID_SIZE], struct err *e)
{
    struct syncing *s = ctx;
    bool is_known;
    try(store_run_present(s->run, guid, &is_known, e));
    if (!is_known && !s->is_second) touched_unknown(s->touched, k, guid);
    return 0;
}

static int on_watermark(void *ctx, const json_t *mark, struct err *e)
{
    struct syncing *s = ctx;
    json_decref(s->mark);
    s->mark = json_deep_copy(mark);
    return s->mark ? 0 : err_set(e, ERR_BUG, "the watermark cannot be kept");
}

/* Kept only where it differs: a full run of an unchanged directory writes next to nothing. */
static int on_schema(void *ctx, struct bytes blob, struct err *e)
{
    struct syncing *s = ctx;
    struct schema *proved;
    struct buf known = buf_new(FRAME_MAX);
    struct err ignored;
    try(schema_decode(&proved, blob, e));
    schema_free(proved);
    int rc = store_note_get(s->options->store, str_from(s->options->connector->name), STR("schema"), &known, &ignored);
    bool is_known = rc == 0 && bytes_equal(buf_bytes(&known), blob);
    buf_free(&known);
    return is_known ? 0 : store_run_note(s->run, STR("schema"), blob, e);
}

static int on_kind_done(void *ctx, enum kind k, bool complete, uint64_t received, struct err *e)
{
    struct syncing *s = ctx;
    note_loss(s, !complete);
    if (s->is_incremental) touched_elsewhere(s->touched);
    report_kind_done(s->report, k, complete, received);
    return store_run_kind_done(s->run, k, complete, received, e);
}

static void on_progress(void *ctx, enum kind k, uint64_t received, uint64_t requests, uint64_t bytes)
{
    struct syncing *s = ctx;
    report_progress(s->report, k, received, s->requests_before + requests, s->bytes_before + bytes);
}

static int on_end(void *ctx, const json_t *facts, struct err *e)
{
    struct syncing *s = ctx;
    (void)e;
    report_end(s->report, facts);
    s->report->requests += s->requests_before;
    s->report->bytes += s->bytes_before;
    s->requests_before = s->report->requests;
    s->bytes_before = s->report->bytes;
    return 0;
}

static void on_repairs(void *ctx, uint64_t repeated, uint64_t throttled, uint64_t rested_ms)
{
    struct stream_report *r = ((struct syncing *)ctx)->report;
    r->repeated = repeated;
    r->throttled = throttled;
    r->rested_ms = rested_ms;
}

/* Others may write meanwhile, and the run shows that it is alive. */
static int on_idle(void *ctx, struct err *e)
{
    return store_run_rest(((struct syncing *)ctx)->run, e);
}

/* --- jobs ---------------------------------------------------------------------------------------------- */

static int run_job(struct syncing *s, const json_t *since, const json_t *only, struct err *e)
{
    struct worker *w;
    struct worker_job job = {.verb = "read",
                             .connector = s->options->connector,
                             .password = &s->pause.secret,
                             .since = since,
                             .only = only};
    struct stream_handler h = {.ctx = s,
                               .begin = on_begin,
                               .sd = on_sd,
                               .record = on_record,
                               .members = on_members,
                               .gap = on_gap,
                               .gone = on_gone,
                               .present = on_present,
                               .watermark = on_watermark,
                               .schema = on_schema,
                               .kind_done = on_kind_done,
                               .progress = on_progress,
                               .repairs = on_repairs,
                               .end = on_end,
                               .idle = on_idle};
    s->sds_before = s->n_sds;
    try(worker_start(&w, &job, e));
    return worker_run(w, &h, e);
}

static int run_everything(struct syncing *s, const char *why, struct err *e)
{
    json_t *since = json_object();
    s->is_incremental = false; /* from here on: whoever answers */
    int rc = tell_full(s, why, e);
    if (rc == 0) rc = run_job(s, since, NULL, e);
    json_decref(since);
    return rc;
}

static void on_sealed(void *ctx, struct str dn)
{
    touched_sealed(ctx, dn);
}

static int on_absent(void *ctx, const uint8_t guid[GUID_SIZE], struct err *e)
{
    return touched_gone(ctx, guid, e);
}

static int run_only(struct syncing *s, struct touched *t, struct err *e)
{
    json_t *only;
    const char *everything;
    try(touched_finish(t, s->run, &only, &everything, e));
    s->is_second = true;
    int rc = 0;
    if (everything)
        rc = run_everything(s, everything, e);
    else if (only)
        rc = run_job(s, NULL, only, e);
    json_decref(only);
    return rc;
}

/* Who was found absent only by the second job, below a place that moved or hides them now: what named him. */
static int run_third(struct syncing *s, struct err *e)
{
    struct touched *t = touched_new(s->options->store, str_from(s->options->connector->name));
    int rc = store_run_absent(s->run, on_absent, t, e);
    if (rc == 0) rc = run_only(s, t, e);
    touched_free(t);
    return rc;
}

/* What the changes touched, by a second job. */
static int run_second(struct syncing *s, struct err *e)
{
    try(store_run_absent(s->run, on_absent, s->touched, e));
    backlinks_waiting(s->backlinks, on_sealed, s->touched);
    try(run_only(s, s->touched, e));
    return s->is_incremental && touched_places(s->touched) ? run_third(s, e) : 0;
}

static int run_stream(struct syncing *s, const json_t *since, struct err *e)
{
    try(run_job(s, since, NULL, e));
    if (s->is_incremental) try(run_second(s, e));
    return put_waiting(s, e);
}

/* --- one run ------------------------------------------------------------------------------------------- */

/* Is somebody left out on purpose who could be a member? */
static bool is_filtered(const struct source *source, const json_t *settings)
{
    return json_is_false(json_object_get(settings, "extract_disabled_users")) || facts_leave_out(settings, source->member_kinds);
}

static int start_run(struct syncing *s, struct err *e)
{
    const struct connector_conf *c = s->options->connector;
    struct run_start start = {.connector = str_from(c->name),
                              .source = str_from(c->type),
                              .mode = STR("full"),
                              .listed_base = str_from(conf_str(c->settings, "base_dn")),
                              .is_filtered = is_filtered(s->source, c->settings),
                              .member_kinds = s->source->member_kinds,
                              .started_ms = s->started_ms};
    try(store_run_begin(&s->run, s->options->store, &start, e));
    report_begun(s->report, store_run_id(s->run));
    report_phase(s->report, "sign_in");
    return 0;
}

/* Some marks hold of what was lost that it has to be read again: these losses are made good by whoever goes on from there. */
static bool has_unmarked_loss(const struct syncing *s)
{
    return json_is_true(json_object_get(s->mark, "holds_losses")) ? s->n_second_losses : s->n_stream_losses;
}

/* A mark is kept only if what was read up to it is whole: otherwise the next run starts from the last one, or anew. */
static int keep_mark(struct syncing *s, struct err *e)
{
    bool is_lacking = has_unmarked_loss(s);
    if (is_lacking && s->is_incremental) return 0;
    return watermark_keep(s->run, s->options->connector, is_lacking ? NULL : s->mark, s->full_ms, e);
}

static int end_run(struct syncing *s, struct run_result *result, struct err *e)
{
    struct run_end end = {.ended_ms = when_now_ms(),
                          .server = str_from(s->report->server),
                          .requests = s->report->requests,
                          .bytes = s->report->bytes,
                          .accept_deletions = s->options->accept_deletions};
    report_phase(s->report, "make_visible");
    try(keep_mark(s, e));
    return store_run_end(s->run, &end, result, e);
}

/* Who was held back is asked for again by a full run only. */
static int forget_mark(const struct sync_options *o, struct err *e)
{
    return store_note_put(o->store, str_from(o->connector->name), str_from(o->connector->type), STR("watermark"),
                          (struct bytes){NULL, 0}, e);
}

static int fill_run(struct syncing *s, const struct watermark *w, const char *reason, struct err *e)
{
    json_t *fresh = reason || s->options->full ? json_object() : NULL;
    int rc = pause_open(&s->pause, s->options->store, s->options->connector, s->options->try_now, e);
    if (rc == 0) rc = tell_full(s, reason, e);
    if (rc == 0) {
        rc = run_stream(s, fresh ? fresh : w->mark, e);
        if (rc == 0) rc = store_run_rest(s->run, e); /* here, since pause_learn overlooks errors: rows that are lost end the run */
        pause_learn(&s->pause, s->run, rc, s->report->server[0] != 0, e);
    }
    json_decref(fresh);
    return rc;
}

static int run_once(const struct sync_options *o, const struct watermark *w, const char *reason, bool *was_incremental,
                    struct stream_report *report, struct run_result *result, struct err *e)
{
    struct syncing s = {.options = o,
                        .source = source_find(str_from(o->connector->type)),
                        .report = report,
                        .text = arena_new((size_t)1 << 20),
                        .backlinks = backlinks_new(),
                        .touched = touched_new(o->store, str_from(o->connector->name)),
                        .started_ms = when_now_ms(),
                        .full_ms = w->full_ms};
    int rc = s.source ? start_run(&s, e) : err_set(e, ERR_INPUT, "no source of type '%s' in this version", o->connector->type);
    if (rc == 0) {
        rc = fill_run(&s, w, reason, e);
        if (rc == 0) rc = end_run(&s, result, e);
        if (rc < 0) store_run_abort(s.run, e, when_now_ms());
    }
    if (rc == 0 && result->status == RUN_NEEDS_ATTENTION) rc = forget_mark(o, e);
    *was_incremental = s.is_incremental;
    pause_close(&s.pause);
    backlinks_free(s.backlinks);
    touched_free(s.touched);
    json_decref(s.mark);
    arena_free(&s.text);
    return rc;
}

/* --- what a full run finds that no incremental one told ------------------------------------------------- */

struct drift {
    const struct sync_options *options;
    int64_t usn; /* up to here the incremental run had read */
    bool is_older;
    uint64_t n;
    char first[512];
};

static void take_usn(void *ctx, const struct entity *x)
{
    struct drift *d = ctx;
    struct record_index index;
    struct err ignored;
    int64_t usn = 0;
    if (record_index(&index, &x->record, &ignored) == 0) record_int(&index, ATTR_USN_CHANGED, &usn);
    d->is_older = usn <= d->usn;
}

/* What a report tells is read on a clock of its own, so that a full run finds it newer. */
static bool is_of_a_report(struct str attribute)
{
    const struct attr_info *a = attr_find(attribute);
    return a && a->id >= ATTR_IS_MFA_REGISTERED && a->id <= ATTR_LAST_SUCCESSFUL_SIGN_IN;
}

/* Not what was written while the two runs went on. */
static bool take_change(void *ctx, const struct change *c)
{
    struct drift *d = ctx;
    char guid[GUID_TEXT];
    struct err ignored;
    if (is_of_a_report(c->attribute)) return true;
    d->is_older = true;
    int rc = store_entity_find(d->options->store, str_from(d->options->connector->name), str_from(guid_format(guid, c->guid)), true,
                               take_usn, d, &ignored);
    if (rc < 0 || !d->is_older) return true;
    if (!d->n++)
        snprintf(d->first, sizeof d->first, "%s %.*s: %s %.*s", kind_name(c->kind), STR_FMT(c->name), change_type_name(c->type),
                 STR_FMT(c->attribute));
    return true;
}

/* Without numbers of changes, what was written while the runs went on cannot be told from what was missed. */
static int tell_drift(const struct sync_options *o, const json_t *mark, int64_t run, struct err *e)
{
    const json_t *usn = json_object_get(mark, "usn");
    struct drift d = {.options = o, .usn = json_integer_value(usn)};
    const char *fix = usn ? "they are corrected now; please report this as a defect of rollcall" : "they are corrected now";
    struct change_query q = {.connector = str_from(o->connector->name), .run = run};
    char what[160];
    try(store_changes(o->store, &q, take_change, &d, e));
    if (!d.n) return 0;
    snprintf(what, sizeof what, "drift: %llu differences that the incremental runs did not see%s", (unsigned long long)d.n,
             usn ? "" : ", or that came up meanwhile");
    struct gap g = {KIND_NONE, GAP_INFO, str_from(what), str_from(d.first), str_from(fix)};
    return store_gap_add(o->store, run, &g, e);
}

static int verify(const struct sync_options *o, struct stream_report *report, struct sync_result *result, struct err *e)
{
    struct watermark w;
    bool ignored;
    try(watermark_load(&w, o->store, o->connector, when_now_ms(), e));
    json_t *mark = json_incref(w.mark);
    *report = (struct stream_report){.gaps = report->gaps,
                                     .progress = report->progress,
                                     .run = report->run,
                                     .phase = report->phase,
                                     .gap = report->gap,
                                     .progress_ctx = report->progress_ctx};
    int rc = run_once(o, &w, "full_sync_every has passed; it verifies the incremental runs", &ignored, report, &result->runs[1], e);
    if (rc == 0) {
        result->n_runs = 2;
        rc = tell_drift(o, mark, result->runs[1].id, e);
    }
    json_decref(mark);
    watermark_free(&w);
    return rc;
}

/* --- all of it ----------------------------------------------------------------------------------------- */

static bool is_lost(const struct connector_conf *c, int rc)
{
    const struct source *source = source_find(str_from(c->type));
    return rc == ERR_COOKIE || ((rc == ERR_NET || rc == ERR_TIMEOUT) && source && source->has_controllers);
}

/* Who can do what, for the next question. The run is over and visible: nothing here can spoil it. */
static void keep_access(const struct sync_options *o, const struct stream_report *report)
{
    const char *how;
    struct err e;
    int64_t start = when_now_ms();
    if (!o->access_file || strcmp(o->connector->type, "active_directory") != 0 || !conf_bool(o->connector->settings, "extract_acls")) return;
    report_phase(report, "access");
    int rc = sets_refresh(o->store, o->access_file, &how, &e);
    if (rc < 0)
        log_event(LOG_WARN, "access.not_kept", LOG_CSTR("file", o->access_file), LOG_CSTR("why", e.message));
    else
        log_event(LOG_DEBUG, "access.kept", LOG_CSTR("how", how), LOG_INT("ms", when_now_ms() - start));
}

static int sync_runs(const struct sync_options *o, struct stream_report *report, struct sync_result *result, struct err *e)
{
    struct watermark w;
    bool was_incremental = false;
    char again[sizeof e->message + 64];
    *result = (struct sync_result){.n_runs = 1};
    try(watermark_load(&w, o->store, o->connector, when_now_ms(), e));
    int rc = run_once(o, &w, o->full ? NULL : w.reason, &was_incremental, report, &result->runs[0], e);
    if (is_lost(o->connector, rc) && was_incremental) { /* what another controller has to say cannot be added to half of this one's */
        snprintf(again, sizeof again, "the incremental run %.400s", e->message);
        rc = run_once(o, &w, again, &was_incremental, report, &result->runs[0], e);
    }
    bool is_due = rc == 0 && was_incremental && w.is_due;
    watermark_free(&w);
    return is_due ? verify(o, report, result, e) : rc;
}

int sync_directory(const struct sync_options *o, struct stream_report *report, struct sync_result *result, struct err *e)
{
    int rc = sync_runs(o, report, result, e);
    if (rc == 0) keep_access(o, report);
    return rc;
}
