#include "api/expiring.h"

#include "base/jsonv.h"
#include "base/when.h"

#include <stdlib.h>

#define SOON_MS        (60 * WHEN_DAY_MS)
#define CONNECTORS_MAX 100 /* whose tests are looked at */
#define EVENTS_MAX     ((size_t)256 << 10)
#define MOST           50

/* As the tests of connectors write it (graph_check_end, ldap_check): "... valid until 2026-12-01T00:00:00Z", "... expired on ...". */
void expiring_of_step(const json_t *step, int64_t now_ms, json_t *out)
{
    static const char *const marks[] = {"valid until ", "expired on "};
    const char *evidence = json_string_value(json_object_get(step, "evidence")), *name = json_string_value(json_object_get(step, "name"));
    for (size_t i = 0; evidence && name && i < n_elements(marks); i++) {
        const char *at = strstr(evidence, marks[i]);
        int64_t when;
        if (!at) continue;
        at += strlen(marks[i]);
        struct str time = {at, strspn(at, "0123456789-:.TZ")};
        if (time.len && time.ptr[time.len - 1] == '.') time.len--; /* the end of a sentence */
        if (!when_parse(&when, time) || when > now_ms + SOON_MS) continue;
        json_array_append_new(out, json_pack("{s:s, s:o}", "what", name, "when", jsonv_time(when)));
    }
}

/* The last test's events: lines {"id", "event", "data"}. */
static void of_events(struct str lines, int64_t now_ms, json_t *out)
{
    while (lines.len) {
        size_t end = str_index(lines, '\n');
        json_t *event = json_loadb(lines.ptr, end, 0, NULL);
        const char *name = json_string_value(json_object_get(event, "event"));
        if (name && strcmp(name, "step") == 0) expiring_of_step(json_object_get(event, "data"), now_ms, out);
        json_decref(event);
        end += end < lines.len;
        lines = (struct str){lines.ptr + end, lines.len - end};
    }
}

static void of_connector(struct request *q, const char *name, int64_t now_ms, json_t *out)
{
    struct buf events = buf_new(EVENTS_MAX);
    struct err ignored;
    json_t *jobs, *found = json_array(), *one;
    uint64_t last;
    bool is_over;
    size_t i;
    if (jobs_list(q->app->jobs, name, "test", 0, 1, &jobs, &ignored) < 0) jobs = json_array();
    int64_t id = json_integer_value(json_object_get(json_array_get(jobs, 0), "id"));
    if (id && jobs_events(q->app->jobs, id, 0, &events, &last, &is_over, &ignored) == 0) of_events(buf_str(&events), now_ms, found);
    json_array_foreach(found, i, one)
    {
        json_object_set_new(one, "connector", json_string(name));
        json_array_append(out, one);
    }
    json_decref(found);
    json_decref(jobs);
    buf_free(&events);
}

static int by_when(const void *a, const void *b)
{
    return strcmp(json_string_value(json_object_get(*(json_t *const *)a, "when")), json_string_value(json_object_get(*(json_t *const *)b, "when")));
}

static json_t *soonest(json_t *all)
{
    size_t n = json_array_size(all);
    json_t **sorted = x_alloc((n + 1) * sizeof *sorted), *out = json_array();
    for (size_t i = 0; i < n; i++) sorted[i] = json_array_get(all, i);
    if (n) qsort(sorted, n, sizeof *sorted, by_when);
    for (size_t i = 0; i < n && i < MOST; i++) json_array_append(out, sorted[i]);
    free(sorted);
    json_decref(all);
    return out;
}

json_t *expiring_list(struct request *q, const json_t *connectors)
{
    json_t *all = json_array(), *one;
    int64_t now = when_now_ms();
    size_t i;
    json_array_foreach(connectors, i, one)
    {
        const char *name = json_string_value(json_object_get(one, "name"));
        if (name && i < CONNECTORS_MAX && q->app->jobs) of_connector(q, name, now, all);
    }
    return soonest(all);
}
