#include "run/sync.h"

#include "base/when.h"
#include "run/backlinks.h"
#include "run/worker.h"

#include <stdio.h>

struct syncing {
    const struct sync_options *options;
    struct stream_report *report;
    struct store_run *run;
    struct arena text;
    struct backlinks *backlinks;
};

static int on_begin(void *ctx, const json_t *facts, struct err *e)
{
    struct syncing *s = ctx;
    struct domain_info d;
    try(facts_domain(&d, facts, &s->text, e));
    snprintf(s->report->server, sizeof s->report->server, "%.*s", STR_FMT(d.server));
    backlinks_domain(s->backlinks, d.sid);
    return store_run_domain(s->run, &d, e);
}

static int on_sd(void *ctx, uint32_t number, struct bytes sd, struct err *e)
{
    return store_run_sd(((struct syncing *)ctx)->run, number, sd, e);
}

static int put(void *ctx, const struct record *r, struct err *e)
{
    return store_run_put(((struct syncing *)ctx)->run, r, e);
}

static int on_record(void *ctx, const struct record *r, struct bytes payload, struct err *e)
{
    struct syncing *s = ctx;
    struct record mine = *r;
    return backlinks_take(s->backlinks, &mine, payload) ? 0 : put(s, &mine, e);
}

static int put_waiting(struct syncing *s, struct err *e)
{
    uint64_t n;
    char what[128];
    try(backlinks_finish(s->backlinks, put, s, &n, e));
    if (!n) return 0;
    snprintf(what, sizeof what, "the members of %llu groups could not be read and were taken from memberOf", (unsigned long long)n);
    struct gap g = {KIND_group, GAP_INFO, str_from(what), {"", 0}, STR("grant the account Read Property on member of these groups")};
    gap_list_add(s->report->gaps, &g);
    return store_run_gap(s->run, &g, e);
}

static int on_members(void *ctx, const struct members_part *p, struct err *e)
{
    return store_run_members(((struct syncing *)ctx)->run, p->list, p->more, e);
}

static int on_gap(void *ctx, const struct gap *g, struct err *e)
{
    struct syncing *s = ctx;
    gap_list_add(s->report->gaps, g);
    return store_run_gap(s->run, g, e);
}

static int on_kind_done(void *ctx, enum kind k, bool complete, uint64_t received, struct err *e)
{
    struct syncing *s = ctx;
    report_kind_done(s->report, k, complete, received);
    return store_run_kind_done(s->run, k, complete, received, e);
}

static void on_progress(void *ctx, enum kind k, uint64_t received, uint64_t requests, uint64_t bytes)
{
    report_progress(((struct syncing *)ctx)->report, k, received, requests, bytes);
}

static int on_end(void *ctx, const json_t *facts, struct err *e)
{
    (void)e;
    report_end(((struct syncing *)ctx)->report, facts);
    return 0;
}

static int run_stream(struct syncing *s, struct err *e)
{
    struct worker *w;
    struct worker_job job = {.verb = "read", .connector = s->options->connector};
    struct stream_handler h = {.ctx = s,
                               .begin = on_begin,
                               .sd = on_sd,
                               .record = on_record,
                               .members = on_members,
                               .gap = on_gap,
                               .kind_done = on_kind_done,
                               .progress = on_progress,
                               .end = on_end};
    try(worker_start(&w, &job, e));
    try(worker_run(w, &h, e));
    return put_waiting(s, e);
}

int sync_directory(const struct sync_options *o, struct stream_report *report, struct run_result *result, struct err *e)
{
    struct syncing s = {.options = o, .report = report, .text = arena_new((size_t)1 << 20), .backlinks = backlinks_new()};
    struct run_start start = {.connector = str_from(o->connector->name),
                              .source = str_from(o->connector->type),
                              .mode = STR("full"),
                              .listed_base = str_from(conf_str(o->connector->settings, "base_dn")),
                              .is_filtered = !conf_bool(o->connector->settings, "extract_disabled_users"),
                              .started_ms = when_now_ms()};
    int rc = store_run_begin(&s.run, o->store, &start, e);
    if (rc < 0) {
        backlinks_free(s.backlinks);
        return rc;
    }
    rc = run_stream(&s, e);
    if (rc == 0) {
        struct run_end end = {.ended_ms = when_now_ms(),
                              .server = str_from(report->server),
                              .requests = report->requests,
                              .bytes = report->bytes,
                              .accept_deletions = o->accept_deletions};
        rc = store_run_end(s.run, &end, result, e);
    }
    if (rc < 0) store_run_abort(s.run, e, when_now_ms());
    backlinks_free(s.backlinks);
    arena_free(&s.text);
    return rc;
}
