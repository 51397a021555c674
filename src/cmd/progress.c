#include "cmd/progress.h"

#include "base/jsonw.h"
#include "base/when.h"
#include "cmd/out.h"

#include <stdio.h>
#include <unistd.h>

#define EVERY_MS 200

static uint64_t total(const struct stream_report *r)
{
    uint64_t n = 0;
    for (unsigned k = 1; k < KIND_COUNT; k++) n += r->received[k];
    return n;
}

static uint64_t expected_total(const struct progress *p)
{
    uint64_t n = 0;
    for (unsigned k = 1; k < KIND_COUNT; k++) n += p->expected[k];
    return n;
}

/* Seconds left, known once a rate has stood for a second; -1 before. */
static int64_t seconds_left(const struct progress *p, uint64_t n, int64_t took_ms)
{
    uint64_t all = expected_total(p);
    if (!all || n >= all || took_ms < 1000 || !n) return -1;
    return (int64_t)((all - n) * (uint64_t)took_ms / n / 1000);
}

static void show_line(struct progress *p, const struct stream_report *r, enum kind now, int64_t took_ms)
{
    uint64_t n = total(r), rate = took_ms > 500 ? n * 1000 / (uint64_t)took_ms : 0;
    int64_t left = seconds_left(p, n, took_ms);
    fprintf(stderr, "\r\033[K%s: %llu entries, %llu %s", p->connector, (unsigned long long)n, (unsigned long long)r->received[now],
            kind_plural(now));
    if (rate) fprintf(stderr, ", %llu/s", (unsigned long long)rate);
    if (left >= 0) fprintf(stderr, ", about %llds left", (long long)left);
    fflush(stderr);
    p->is_shown = true;
}

/* One line in one write: others write to standard error too. */
static void put_line(struct buf *b)
{
    buf_add_byte(b, '\n');
    if (!b->failed && write(STDERR_FILENO, b->ptr, b->len) < 0) { /* nobody listens */
    }
    buf_free(b);
}

static struct jsonw open_event(struct buf *b, const struct progress *p, const char *event)
{
    struct jsonw j = jsonw_new(b);
    jsonw_object(&j);
    jsonw_kcstr(&j, "event", event);
    jsonw_kcstr(&j, "connector", p->connector);
    return j;
}

static void show_json(struct progress *p, const struct stream_report *r, enum kind now, int64_t took_ms)
{
    struct buf b = buf_new(65536);
    struct jsonw j = open_event(&b, p, "progress");
    int64_t left = seconds_left(p, total(r), took_ms);
    jsonw_kcstr(&j, "kind", kind_name(now));
    jsonw_kint(&j, "received", (int64_t)r->received[now]);
    jsonw_kint(&j, "total", (int64_t)total(r));
    if (expected_total(p)) jsonw_kint(&j, "expected", (int64_t)expected_total(p));
    if (took_ms > 500) jsonw_kint(&j, "rate", (int64_t)(total(r) * 1000 / (uint64_t)took_ms));
    jsonw_kint(&j, "requests", (int64_t)r->requests);
    jsonw_kint(&j, "bytes", (int64_t)r->bytes);
    if (r->repeated) jsonw_kint(&j, "repeated", (int64_t)r->repeated);
    if (r->throttled) jsonw_kint(&j, "throttled", (int64_t)r->throttled);
    if (r->rested_ms) jsonw_kint(&j, "rested_ms", (int64_t)r->rested_ms);
    jsonw_kint(&j, "elapsed_ms", took_ms);
    if (left >= 0) jsonw_kint(&j, "left_s", left);
    jsonw_end(&j);
    put_line(&b);
}

static void on_run(void *ctx, int64_t run)
{
    struct buf b = buf_new(65536);
    struct jsonw j = open_event(&b, ctx, "run");
    jsonw_kint(&j, "run", run);
    jsonw_end(&j);
    put_line(&b);
}

static void on_phase(void *ctx, const char *phase)
{
    struct buf b = buf_new(65536);
    struct jsonw j = open_event(&b, ctx, "phase");
    jsonw_kcstr(&j, "phase", phase);
    jsonw_end(&j);
    put_line(&b);
}

static void on_gap(void *ctx, const struct gap *g)
{
    struct buf b = buf_new(65536);
    struct jsonw j = open_event(&b, ctx, "gap");
    if (g->kind) jsonw_kcstr(&j, "kind", kind_name(g->kind));
    jsonw_kcstr(&j, "severity", g->severity == GAP_LOSS ? "loss" : "info");
    jsonw_kstr(&j, "what", g->what);
    if (g->where.len) jsonw_kstr(&j, "where", g->where);
    if (g->fix.len) jsonw_kstr(&j, "fix", g->fix);
    jsonw_end(&j);
    put_line(&b);
}

static void on_progress(void *ctx, const struct stream_report *r, enum kind now)
{
    struct progress *p = ctx;
    int64_t t = when_monotonic_ms();
    p->report = r;
    p->now = now;
    if (t - p->shown_ms < EVERY_MS) return;
    p->shown_ms = t;
    if (p->mode == PROGRESS_LINE)
        show_line(p, r, now, t - p->started_ms);
    else
        show_json(p, r, now, t - p->started_ms);
}

void progress_start(struct progress *p, const struct cli *c, const char *connector, const uint64_t *expected,
                    struct stream_report *report)
{
    const char *mode = cli_value(c, "progress");
    *p = (struct progress){.connector = connector, .started_ms = when_monotonic_ms()};
    if (mode && mode[0] == 'j') p->mode = PROGRESS_JSON;
    else if (!(mode && mode[0] == 'n') && isatty(STDERR_FILENO)) p->mode = PROGRESS_LINE;
    if (expected) memcpy(p->expected, expected, sizeof p->expected);
    if (p->mode == PROGRESS_NONE) return;
    report->progress = on_progress;
    report->progress_ctx = p;
    if (p->mode != PROGRESS_JSON) return;
    report->run = on_run;
    report->phase = on_phase;
    report->gap = on_gap;
}

void progress_phase(struct progress *p, const char *phase)
{
    if (p->mode == PROGRESS_JSON) on_phase(p, phase);
}

void progress_stop(struct progress *p)
{
    if (p->is_shown) fputs("\r\033[K", stderr);
    if (p->report && p->mode == PROGRESS_JSON) show_json(p, p->report, p->now, when_monotonic_ms() - p->started_ms); /* the last word */
    p->is_shown = false;
}

bool report_gaps(const struct stream_report *report)
{
    const struct gap_list *l = report->gaps;
    for (size_t i = 0; i < l->n; i++) out_print_gap(&l->list[i]);
    if (l->n_info + l->n_loss > l->n) fprintf(stderr, "  and %zu gaps more\n", l->n_info + l->n_loss - l->n);
    return l->n_loss > 0;
}
