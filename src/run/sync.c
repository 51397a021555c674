#include "run/sync.h"

#include "base/when.h"
#include "run/worker.h"

#include <stdio.h>
#include <stdlib.h>

/* A group that came without members: empty, or its `member` may not be read. In the second case its members' memberOf still
 * names it, so it waits for them. */
struct sealed_group {
    struct bytes payload; /* its record frame */
    struct buf members;   /* lstr DNs */
    uint32_t n_members;
};

struct syncing {
    const struct sync_options *options;
    struct stream_report *report;
    struct store_run *run;
    struct arena text;
    struct hmap sealed_by_dn;
    struct sealed_group *sealed;
    size_t n_sealed, sealed_cap;
};

#define SEALED_MEMBERS_MAX ((size_t)32 << 20) /* of one group */
#define SEALED_TEXT_MAX    ((size_t)64 << 20) /* records of waiting groups; later ones do not wait */

static int on_begin(void *ctx, const json_t *facts, struct err *e)
{
    struct syncing *s = ctx;
    struct domain_info d;
    try(facts_domain(&d, facts, &s->text, e));
    snprintf(s->report->server, sizeof s->report->server, "%.*s", STR_FMT(d.server));
    return store_run_domain(s->run, &d, e);
}

static int on_sd(void *ctx, uint32_t number, struct bytes sd, struct err *e)
{
    return store_run_sd(((struct syncing *)ctx)->run, number, sd, e);
}

static void seal(struct syncing *s, const struct record *r, struct bytes payload)
{
    bool is_new;
    if (s->n_sealed == s->sealed_cap) {
        s->sealed_cap = s->sealed_cap ? s->sealed_cap * 2 : 64;
        s->sealed = x_realloc(s->sealed, s->sealed_cap * sizeof *s->sealed);
    }
    *hmap_put(&s->sealed_by_dn, hash128_fast(bytes_of(r->dn)), &is_new) = (uint32_t)s->n_sealed;
    s->sealed[s->n_sealed++] = (struct sealed_group){.payload = arena_bytes(&s->text, payload), .members = buf_new(SEALED_MEMBERS_MAX)};
}

static void unseal_by(struct syncing *s, const struct record *member)
{
    struct dn_list rest = member->member_of;
    struct str dn;
    while (s->n_sealed && dn_list_next(&rest, &dn)) {
        const uint32_t *i = hmap_find(&s->sealed_by_dn, hash128_fast(bytes_of(dn)));
        if (!i) continue;
        buf_add_lstr(&s->sealed[*i].members, bytes_of(member->dn));
        s->sealed[*i].n_members += !s->sealed[*i].members.failed;
    }
}

static int on_record(void *ctx, const struct record *r, struct bytes payload, struct err *e)
{
    struct syncing *s = ctx;
    unseal_by(s, r);
    if (r->kind == KIND_group && !r->member.n && !(r->flags & RECORD_MORE_MEMBERS) && s->text.used < SEALED_TEXT_MAX) {
        seal(s, r, payload);
        return 0;
    }
    return store_run_put(s->run, r, e);
}

static int put_sealed(struct syncing *s, struct err *e)
{
    uint64_t n = 0;
    for (size_t i = 0; i < s->n_sealed; i++) {
        struct sealed_group *g = &s->sealed[i];
        struct record r;
        try(record_decode(&r, g->payload, e));
        r.member = (struct dn_list){g->n_members, buf_bytes(&g->members)};
        n += g->n_members > 0;
        try(store_run_put(s->run, &r, e));
    }
    if (!n) return 0;
    char what[128];
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

static void tell(struct stream_report *report, enum kind now)
{
    if (report->progress) report->progress(report->progress_ctx, report, now);
}

static int on_kind_done(void *ctx, enum kind k, bool complete, uint64_t received, struct err *e)
{
    struct syncing *s = ctx;
    s->report->asked[k] = true;
    s->report->complete[k] = complete;
    s->report->received[k] = received;
    tell(s->report, k);
    return store_run_kind_done(s->run, k, complete, received, e);
}

static void on_progress(void *ctx, enum kind k, uint64_t received, uint64_t requests, uint64_t bytes)
{
    struct stream_report *report = ((struct syncing *)ctx)->report;
    report->received[k] = received;
    report->requests = requests;
    report->bytes = bytes;
    tell(report, k);
}

static int on_end(void *ctx, const json_t *facts, struct err *e)
{
    struct stream_report *report = ((struct syncing *)ctx)->report;
    (void)e;
    report->requests = (uint64_t)json_integer_value(json_object_get(facts, "requests"));
    report->bytes = (uint64_t)json_integer_value(json_object_get(facts, "bytes"));
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
    return put_sealed(s, e);
}

int sync_directory(const struct sync_options *o, struct stream_report *report, struct run_result *result, struct err *e)
{
    struct syncing s = {.options = o, .report = report, .text = arena_new(2 * SEALED_TEXT_MAX)};
    struct run_start start = {.connector = str_from(o->connector->name),
                              .source = str_from(o->connector->type),
                              .mode = STR("full"),
                              .started_ms = when_now_ms()};
    int rc = store_run_begin(&s.run, o->store, &start, e);
    if (rc < 0) return rc;
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
    for (size_t i = 0; i < s.n_sealed; i++) buf_free(&s.sealed[i].members);
    free(s.sealed);
    hmap_free(&s.sealed_by_dn);
    arena_free(&s.text);
    return rc;
}
