/* metrics.c - GET /metrics: the text format of Prometheus (version 0.0.4). */
#include "api/connector_tell.h"
#include "api/http/http_int.h"
#include "base/file.h"
#include "base/when.h"
#include "server/alerts/alerts.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define METRICS_MAX (4u * 1024 * 1024)

static void family(struct buf *b, const char *name, const char *type, const char *help)
{
    buf_printf(b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void one(struct buf *b, const char *name, const char *type, const char *help, double value)
{
    family(b, name, type, help);
    buf_printf(b, "%s %.15g\n", name, value);
}

/* Label values: backslash, quote and newline are escaped; other control characters do not occur in names (conf). */
static void label(struct buf *b, const char *text)
{
    for (; *text; text++) {
        if (*text == '\\' || *text == '"') buf_add_byte(b, '\\');
        if (*text == '\n')
            buf_add_str(b, STR("\\n"));
        else
            buf_add_byte(b, (uint8_t)*text);
    }
}

/* --- the process ------------------------------------------------------------------------------------------- */

static double resident_bytes(void)
{
    struct err ignored;
    struct buf b = buf_new(4096);
    double pages = 0;
    if (file_read(&b, "/proc/self/statm", &ignored) == 0) {
        const char *second = strchr(buf_cstr(&b), ' ');
        pages = second ? strtod(second, NULL) : 0;
    }
    buf_free(&b);
    return pages * (double)sysconf(_SC_PAGESIZE);
}

static unsigned open_files(void)
{
    unsigned n = 0;
    DIR *d = opendir("/proc/self/fd");
    if (!d) return 0;
    while (readdir(d)) n++;
    closedir(d);
    return n > 3 ? n - 3 : 0; /* . and .. and d itself */
}

static void tell_process(struct buf *b, const struct app *app)
{
    family(b, "rollcall_build_info", "gauge", "Always 1; the version is a label.");
    buf_printf(b, "rollcall_build_info{version=\"%s\"} 1\n", ROLLCALL_VERSION);
    one(b, "process_start_time_seconds", "gauge", "When the server was started, Unix time.", (double)app->started_ms / 1000);
    one(b, "process_resident_memory_bytes", "gauge", "Memory of the server; jobs are processes of their own.", resident_bytes());
    one(b, "process_open_fds", "gauge", "Open file descriptors.", open_files());
}

/* --- HTTP ------------------------------------------------------------------------------------------------------ */

static void tell_latency(struct buf *b, struct http_stats *s)
{
    const char *name = "rollcall_http_request_duration_seconds";
    unsigned long long sum = 0;
    family(b, name, "histogram", "From a request's headers to its answer's last byte; streams are not counted.");
    for (unsigned i = 0; i <= LATENCY_BUCKETS; i++) {
        sum += atomic_load(&s->latency[i]);
        if (i < LATENCY_BUCKETS) buf_printf(b, "%s_bucket{le=\"%g\"} %llu\n", name, latency_bounds_ms[i] / 1000.0, sum);
    }
    buf_printf(b, "%s_bucket{le=\"+Inf\"} %llu\n%s_sum %.6f\n%s_count %llu\n", name, sum, name, (double)atomic_load(&s->latency_sum_us) / 1e6, name, sum);
}

static void tell_http(struct buf *b, struct request *q)
{
    struct http_stats *s = http_stats_of(q);
    family(b, "rollcall_http_requests_total", "counter", "Answered requests by the class of their status.");
    for (unsigned i = 2; i <= 5; i++) buf_printf(b, "rollcall_http_requests_total{code=\"%uxx\"} %llu\n", i, atomic_load(&s->by_status[i]));
    tell_latency(b, s);
    one(b, "rollcall_http_connections", "gauge", "Open connections.", http_connections(q));
    one(b, "rollcall_http_streams", "gauge", "Live views (server-sent events).", http_streams(q));
    one(b, "rollcall_http_refused_total", "counter", "Requests refused because too many were waiting.", (double)atomic_load(&s->refused_busy));
    one(b, "rollcall_csp_reports_total", "counter", "What browsers were kept from loading by the page's policy.", (double)atomic_load(&s->csp_reports));
}

/* --- connectors and jobs ------------------------------------------------------------------------------------------ */

static void row(struct buf *b, const char *metric, const char *connector, const char *more, const char *more_value, double value)
{
    buf_printf(b, "%s{connector=\"", metric);
    label(b, connector);
    if (more) {
        buf_printf(b, "\",%s=\"", more);
        label(b, more_value);
    }
    buf_printf(b, "\"} %.15g\n", value);
}

static double seconds_of(const json_t *o, const char *key)
{
    int64_t ms;
    const char *text = json_string_value(json_object_get(o, key));
    return text && when_parse(&ms, str_from(text)) ? (double)ms / 1000 : 0;
}

static const char *name_of(const json_t *connector)
{
    const char *name = json_string_value(json_object_get(connector, "name"));
    return name ? name : "";
}

static void tell_times(struct buf *b, json_t *all, const char *metric, const char *key, const char *help)
{
    size_t i;
    json_t *c;
    family(b, metric, "gauge", help);
    json_array_foreach(all, i, c)
    {
        double at = seconds_of(c, key);
        if (at > 0) row(b, metric, name_of(c), NULL, NULL, at);
    }
}

static void tell_states(struct buf *b, json_t *all)
{
    size_t i;
    json_t *c;
    const char *metric = "rollcall_connector_status";
    family(b, metric, "gauge", "Always 1; how the connector is doing is a label: healthy running retrying needs_attention paused failed never off.");
    json_array_foreach(all, i, c)
    {
        const char *status = json_string_value(json_object_get(c, "status"));
        if (status) row(b, metric, name_of(c), "status", status, 1);
    }
}

static void tell_assets(struct buf *b, json_t *all)
{
    size_t i;
    json_t *c, *n;
    const char *kind;
    family(b, "rollcall_assets", "gauge", "Assets of the visible snapshot.");
    json_array_foreach(all, i, c) json_object_foreach(json_object_get(c, "assets"), kind, n) row(b, "rollcall_assets", name_of(c), "kind", kind, (double)json_integer_value(n));
}

static void tell_jobs(struct buf *b, struct request *q)
{
    static const char *const states[] = {"queued", "running"};
    unsigned count[n_elements(states)] = {0};
    struct err ignored;
    json_t *jobs, *job;
    size_t i;
    if (!q->app->jobs || jobs_list(q->app->jobs, NULL, NULL, 0, 200, &jobs, &ignored) < 0) return;
    json_array_foreach(jobs, i, job)
    {
        const char *state = json_string_value(json_object_get(job, "state"));
        for (unsigned k = 0; k < n_elements(states); k++) count[k] += state && strcmp(state, states[k]) == 0;
    }
    json_decref(jobs);
    family(b, "rollcall_jobs", "gauge", "Jobs that wait or run.");
    for (unsigned k = 0; k < n_elements(states); k++) buf_printf(b, "rollcall_jobs{state=\"%s\"} %u\n", states[k], count[k]);
}

static void tell_alerts(struct buf *b, struct request *q)
{
    struct err ignored;
    int64_t n;
    if (q->app->alerts && alerts_count_open(q->app->alerts, &n, &ignored) == 0) one(b, "rollcall_alerts_open", "gauge", "Alerts that nobody has acknowledged.", (double)n);
}

static void tell_connectors(struct buf *b, struct request *q)
{
    struct err ignored;
    json_t *all, *c;
    size_t i;
    if (!q->app->connectors || connectors_list(q->app->connectors, &all, &ignored) < 0) return;
    json_array_foreach(all, i, c) connector_tell(q, c);
    tell_states(b, all);
    tell_times(b, all, "rollcall_connector_last_success_timestamp_seconds", "last_success", "When the last run ended that made a snapshot visible, Unix time.");
    tell_times(b, all, "rollcall_connector_next_run_timestamp_seconds", "next", "When the next run is due, Unix time.");
    tell_assets(b, all);
    json_decref(all);
}

/* Names of connectors are in it: for this machine, or for who has a session or token. Behind a proxy every peer is this machine, but its Host is not. */
static bool may_read(const struct request *q)
{
    const char *host = request_header(q, "Host");
    bool is_this_machine = strncmp(q->actor.from, "127.", 4) == 0 || strcmp(q->actor.from, "::1") == 0;
    return q->actor.name[0] || (is_this_machine && host && guard_is_loopback(host));
}

static int metrics(struct request *q, struct err *e)
{
    if (!may_read(q)) {
        err_set(e, ERR_AUTH, "metrics are for this machine, or with an API token");
        return err_hint(e, "make a token of the role viewer, and give it to Prometheus as authorization credentials");
    }
    struct buf b = buf_new(METRICS_MAX);
    tell_process(&b, q->app);
    tell_http(&b, q);
    tell_connectors(&b, q);
    tell_jobs(&b, q);
    tell_alerts(&b, q);
    int rc = b.failed ? err_set(e, ERR_LIMIT, "too many metrics") : reply_bytes(q, 200, "text/plain; version=0.0.4; charset=utf-8", buf_bytes(&b));
    buf_free(&b);
    return rc;
}

const struct route routes_metrics[] = {
    {"GET", "/metrics", RIGHT_OPEN, metrics, "Measurements for Prometheus; from this machine, or with a session or token", NULL, NULL, 0, LANE_ANY},
    {0},
};
