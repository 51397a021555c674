#include "server/jobs/schedule_int.h"

#include "base/jsonv.h"
#include "base/log.h"
#include "server/state/state_int.h"

#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define LOOK_EVERY_MS 30000
#define SETTLE_MS     60000 /* after a job that could not even be queued */
#define NOT_TRIED     (-1) /* no version of settings */
#define SWEEP_AGAIN_MS 3600000
#define REPORTS_EVERY_MS ((int64_t)24 * 3600 * 1000)

/* What is known of one connector; a row of the table `schedule`. */
struct plan {
    char *name, *rule; /* rule: as written, "1h" or "cron 15 3 * * *" */
    int64_t version;   /* of the settings when the last outcome was judged */
    int64_t next_ms, last_job, last_started_ms;
    unsigned attempt;
    int last_class;
    char *last_state, *reason, *fix;
    int64_t retry_at_ms;
    bool is_known, is_there; /* is_there: among the connectors, enabled, at the last look */
};

struct schedule {
    struct state *state;
    struct connectors *connectors;
    struct jobs *jobs;
    uint64_t seed;
    pthread_t thread;
    pthread_mutex_t lock; /* of the plans; held while state and jobs are asked */
    struct plan *plans;
    size_t n, cap;
    pthread_mutex_t wake_lock; /* of what follows; never held for long */
    pthread_cond_t wake;
    bool is_awake, is_closing;
};

static const char table[] = "CREATE TABLE IF NOT EXISTS schedule (tenant_id INTEGER NOT NULL, connector TEXT NOT NULL, rule TEXT NOT NULL, version INTEGER NOT NULL,"
                            " next_ms INTEGER NOT NULL, last_job INTEGER NOT NULL, last_started_ms INTEGER NOT NULL, attempt INTEGER NOT NULL,"
                            " last_class INTEGER NOT NULL, last_state TEXT NOT NULL, reason TEXT NOT NULL, fix TEXT NOT NULL, retry_at_ms INTEGER NOT NULL,"
                            " PRIMARY KEY (tenant_id, connector)) STRICT, WITHOUT ROWID;";

/* --- what is kept -------------------------------------------------------------------------------------------- */

static void set_text(char **at, const char *text)
{
    free(*at);
    *at = x_strdup(str_from(text ? text : ""));
}

static struct plan *find_plan(struct schedule *s, const char *name)
{
    for (size_t i = 0; i < s->n; i++)
        if (strcmp(s->plans[i].name, name) == 0) return &s->plans[i];
    return NULL;
}

static struct plan *add_plan(struct schedule *s, const char *name)
{
    GROW(s->plans, s->n, s->cap, 16);
    struct plan *p = &s->plans[s->n++];
    *p = (struct plan){.name = x_strdup(str_from(name))};
    set_text(&p->rule, "");
    set_text(&p->last_state, "");
    set_text(&p->reason, "");
    set_text(&p->fix, "");
    return p;
}

static void drop_plan(struct plan *p)
{
    char *texts[] = {p->name, p->rule, p->last_state, p->reason, p->fix};
    for (size_t i = 0; i < n_elements(texts); i++) free(texts[i]);
}

static void take_text(char **at, sqlite3_stmt *row, int column)
{
    free(*at);
    *at = x_strdup(row_text(row, column));
}

static int take_row(void *ctx, sqlite3_stmt *row, struct err *e)
{
    (void)e;
    defer_free char *name = x_strdup(row_text(row, 0));
    struct plan *p = add_plan(ctx, name);
    take_text(&p->rule, row, 1);
    p->version = row_int(row, 2);
    p->next_ms = row_int(row, 3);
    p->last_job = row_int(row, 4);
    p->last_started_ms = row_int(row, 5);
    p->attempt = (unsigned)row_int(row, 6);
    p->last_class = (int)row_int(row, 7);
    take_text(&p->last_state, row, 8);
    take_text(&p->reason, row, 9);
    take_text(&p->fix, row, 10);
    p->retry_at_ms = row_int(row, 11);
    p->is_known = true;
    return 0;
}

static int load(struct schedule *s, struct err *e)
{
    int rc = state_rows(s->state, e, take_row, s,
                        "SELECT connector, rule, version, next_ms, last_job, last_started_ms, attempt, last_class, last_state, reason, fix, retry_at_ms"
                        " FROM schedule WHERE tenant_id = " TENANT,
                        "");
    return rc < 0 ? rc : 0;
}

static void save(struct schedule *s, const struct plan *p)
{
    struct err e;
    int rc = state_run(s->state, &e,
                       "INSERT OR REPLACE INTO schedule (tenant_id, connector, rule, version, next_ms, last_job, last_started_ms, attempt, last_class, last_state,"
                       " reason, fix, retry_at_ms) VALUES (" TENANT ", ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                       "ssiiiiiisssi", p->name, p->rule, p->version, p->next_ms, p->last_job, p->last_started_ms, (int64_t)p->attempt, (int64_t)p->last_class,
                       p->last_state, p->reason, p->fix, p->retry_at_ms);
    if (rc < 0) log_event(LOG_WARN, "schedule.not_saved", LOG_CSTR("connector", p->name), LOG_CSTR("why", e.message));
}

static void forget(struct schedule *s, size_t i)
{
    struct err e;
    if (state_run(s->state, &e, "DELETE FROM schedule WHERE tenant_id = " TENANT " AND connector = ?", "s", s->plans[i].name) < 0)
        log_event(LOG_WARN, "schedule.not_saved", LOG_CSTR("connector", s->plans[i].name), LOG_CSTR("why", e.message));
    drop_plan(&s->plans[i]);
    s->plans[i] = s->plans[--s->n];
}

/* --- one connector --------------------------------------------------------------------------------------------- */

struct rule {
    struct schedule_rule is;
    struct cron *cron;
    char text[128];
};

static void read_rule(struct rule *r, const json_t *connector)
{
    const json_t *settings = json_object_get(connector, "settings");
    const char *cron = json_string_value(json_object_get(settings, "cron")), *every = json_string_value(json_object_get(settings, "frequency"));
    struct err ignored;
    *r = (struct rule){.is = {.every_ms = 3600000}};
    if (every && !conf_parse_duration(&r->is.every_ms, str_from(every))) r->is.every_ms = 3600000;
    if (r->is.every_ms < 60000) r->is.every_ms = 60000;
    if (cron && *cron && cron_parse(&r->cron, str_from(cron), &ignored) == 0) r->is.cron = r->cron;
    snprintf(r->text, sizeof r->text, "%s%s", r->cron ? "cron " : "", r->cron ? cron : every ? every : "1h");
}

static uint64_t seed_of(const struct schedule *s, const struct plan *p, int64_t at_ms)
{
    uint64_t h = s->seed ^ (uint64_t)at_ms;
    for (const char *c = p->name; *c; c++) h = (h ^ (uint8_t)*c) * UINT64_C(0x100000001b3);
    return h;
}

static int64_t time_of(const json_t *o, const char *key)
{
    int64_t ms = 0;
    const char *text = json_string_value(json_object_get(o, key));
    return text && when_parse(&ms, str_from(text)) ? ms : 0;
}

static struct schedule_outcome outcome_of(const json_t *job, int64_t now_ms)
{
    const char *state = json_string_value(json_object_get(job, "state"));
    const json_t *error = json_object_get(job, "error");
    const char *class = json_string_value(json_object_get(error, "class"));
    struct schedule_outcome o = {.verdict = SCHEDULE_FAILED,
                                 .class = class ? err_class_parse(str_from(class)) : ERR_BUG,
                                 .started_ms = time_of(job, "started"),
                                 .ended_ms = time_of(job, "ended"),
                                 .retry_at_ms = time_of(error, "retry_at"),
                                 .attempt = (unsigned)json_integer_value(json_object_get(job, "attempt"))};
    if (!o.ended_ms || o.ended_ms > now_ms) o.ended_ms = now_ms;
    if (o.started_ms > now_ms) o.started_ms = now_ms; /* the clock was set back */
    if (strcmp(state, "done") == 0) o.verdict = SCHEDULE_GOOD;
    if (strcmp(state, "cancelled") == 0) o.verdict = SCHEDULE_CANCELLED;
    if (strcmp(state, "interrupted") == 0) o.verdict = SCHEDULE_INTERRUPTED;
    return o;
}

static void judge(struct schedule *s, struct plan *p, const struct rule *r, const json_t *connector, const json_t *job, int64_t now_ms)
{
    struct schedule_outcome o = outcome_of(job, now_ms);
    struct schedule_next next = schedule_decide(&r->is, &o, seed_of(s, p, o.ended_ms));
    const json_t *error = json_object_get(job, "error");
    bool is_failure = o.verdict == SCHEDULE_FAILED;
    p->last_job = json_integer_value(json_object_get(job, "id"));
    p->last_started_ms = o.started_ms ? o.started_ms : o.ended_ms;
    p->next_ms = next.at_ms;
    p->attempt = next.attempt;
    p->last_class = is_failure ? o.class : 0;
    p->retry_at_ms = is_failure ? o.retry_at_ms : 0;
    /* what was changed while it ran has not been tried; what was changed in the future was changed by another clock */
    int64_t updated = time_of(connector, "updated");
    p->version = o.started_ms && updated > o.started_ms && updated <= now_ms ? NOT_TRIED : json_integer_value(json_object_get(connector, "version"));
    set_text(&p->rule, r->text);
    set_text(&p->last_state, json_string_value(json_object_get(job, "state")));
    set_text(&p->reason, is_failure ? json_string_value(json_object_get(error, "message")) : "");
    set_text(&p->fix, is_failure ? json_string_value(json_object_get(error, "hint")) : "");
    p->is_known = true;
    save(s, p);
}

/* Settings that changed since the last outcome. */
static void look_at_settings(struct schedule *s, struct plan *p, const struct rule *r, const json_t *connector, int64_t now_ms)
{
    int64_t version = json_integer_value(json_object_get(connector, "version"));
    bool has_other_rule = strcmp(p->rule, r->text) != 0, is_changed = version != p->version;
    if (!has_other_rule && !is_changed) return;
    if (is_changed && schedule_waits_for_change(p->last_class))
        p->next_ms = now_ms;
    else if (has_other_rule)
        p->next_ms = schedule_regular(&r->is, p->last_started_ms, now_ms, seed_of(s, p, now_ms));
    p->version = version;
    set_text(&p->rule, r->text);
    save(s, p);
}

static void begin_plan(struct schedule *s, struct plan *p, const struct rule *r, const json_t *connector, int64_t now_ms)
{
    p->next_ms = now_ms;
    p->version = json_integer_value(json_object_get(connector, "version"));
    set_text(&p->rule, r->text);
    p->is_known = true;
    save(s, p);
}

/* What was interrupted goes on as it was asked for. */
static void start(struct schedule *s, struct plan *p, const json_t *last, int64_t now_ms)
{
    struct err e;
    int64_t id;
    const char *state = json_string_value(json_object_get(last, "state"));
    struct job_request request = {.kind = "sync", .connector = p->name, .by = "schedule", .attempt = p->attempt};
    if (state && strcmp(state, "interrupted") == 0) request.options = json_object_get(last, "options");
    if (jobs_start(s->jobs, &request, &id, &e) == 0) return;
    if (e.class != ERR_CANCEL) /* the server is stopping */
        log_event(LOG_WARN, "schedule.not_started", LOG_CSTR("connector", p->name), LOG_CSTR("why", e.message));
    p->next_ms = now_ms + SETTLE_MS;
}

/* connector NULL: of any. */
static json_t *newest_job(struct schedule *s, const char *connector, const char *kind)
{
    struct err e;
    json_t *list;
    if (jobs_list(s->jobs, connector, kind, 0, 1, &list, &e) < 0) return NULL;
    json_t *job = json_incref(json_array_get(list, 0));
    json_decref(list);
    return job;
}

/* Of another connector that had this name: it is over and done with. */
static bool is_of_another(const json_t *job, const json_t *connector, int64_t now_ms)
{
    int64_t created = time_of(connector, "created");
    return created <= now_ms && created > time_of(job, "queued");
}

/* What is due later than it could be by any rule was planned by a clock that went ahead. */
static void mend_time(struct schedule *s, struct plan *p, const struct rule *r, int64_t now_ms)
{
    int64_t regular = schedule_regular(&r->is, now_ms, now_ms, seed_of(s, p, now_ms)), most = regular + r->is.every_ms / 10 + 10 * 60000;
    bool is_ahead = p->last_started_ms > now_ms || (regular && !p->retry_at_ms && p->next_ms > most);
    if (!is_ahead || !p->next_ms) return;
    if (p->last_started_ms > now_ms) p->last_started_ms = now_ms;
    p->next_ms = now_ms;
    save(s, p);
}

static bool is_live(const json_t *job)
{
    const char *state = json_string_value(json_object_get(job, "state"));
    return state && (strcmp(state, "queued") == 0 || strcmp(state, "running") == 0);
}

json_t *schedule_newest_sync(struct schedule *s, const json_t *connector)
{
    json_t *job = newest_job(s, json_string_value(json_object_get(connector, "name")), "sync");
    if (!job || !is_of_another(job, connector, state_now_ms(s->state))) return job;
    json_decref(job);
    return NULL;
}

static void look_at(struct schedule *s, const json_t *connector, int64_t now_ms)
{
    const char *name = json_string_value(json_object_get(connector, "name"));
    bool is_enabled = !json_is_false(json_object_get(connector, "enabled"));
    if (!name) return;
    json_t *job = schedule_newest_sync(s, connector);
    struct plan *p = find_plan(s, name);
    struct rule r;
    if (!p) p = add_plan(s, name);
    p->is_there = true;
    read_rule(&r, connector);
    if (job && !is_live(job) && json_integer_value(json_object_get(job, "id")) > p->last_job) judge(s, p, &r, connector, job, now_ms);
    if (is_enabled && !is_live(job)) {
        if (!p->is_known) begin_plan(s, p, &r, connector, now_ms);
        look_at_settings(s, p, &r, connector, now_ms);
        mend_time(s, p, &r, now_ms);
        if (p->next_ms && p->next_ms <= now_ms) start(s, p, job, now_ms);
    }
    cron_free(r.cron);
    json_decref(job);
}

/* --- its own work ----------------------------------------------------------------------------------------------- */

static bool has_data(const struct schedule *s)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->plans[i].last_state && strcmp(s->plans[i].last_state, "done") == 0) return true;
    return false;
}

static void start_own(struct schedule *s, const char *kind)
{
    struct err e;
    int64_t id;
    struct job_request r = {.kind = kind, .by = "schedule"};
    if (jobs_start(s->jobs, &r, &id, &e) < 0) log_event(LOG_WARN, "schedule.not_started", LOG_CSTR("kind", kind), LOG_CSTR("why", e.message));
}

/* By the server's end. */
static bool was_cut_short(const json_t *job)
{
    const char *state = json_string_value(json_object_get(job, "state"));
    return state && strcmp(state, "interrupted") == 0;
}

/* Once a day, for Home: what they say is of all connectors. */
static void look_at_reports(struct schedule *s, int64_t now_ms)
{
    if (!has_data(s)) return;
    json_t *last = newest_job(s, NULL, "report");
    int64_t age = now_ms - time_of(last, "queued");
    if (!last || was_cut_short(last) || (!is_live(last) && (age >= REPORTS_EVERY_MS || age < 0))) start_own(s, "report");
    json_decref(last);
}

/* Rows of a removed connector. */
static void look_at_sweeps(struct schedule *s, int64_t now_ms)
{
    json_t *last = newest_job(s, NULL, "forget");
    const char *state = json_string_value(json_object_get(last, "state"));
    bool has_failed = state && strcmp(state, "failed") == 0 && now_ms - time_of(last, "ended") >= SWEEP_AGAIN_MS;
    if (was_cut_short(last) || has_failed) start_own(s, "forget");
    json_decref(last);
}

/* --- all of them ------------------------------------------------------------------------------------------------- */

static void look_at_all(struct schedule *s)
{
    struct err e;
    json_t *list, *one;
    size_t i;
    int64_t now = state_now_ms(s->state);
    if (connectors_list(s->connectors, &list, &e) < 0) {
        log_event(LOG_WARN, "schedule.no_connectors", LOG_CSTR("why", e.message));
        return;
    }
    for (size_t k = 0; k < s->n; k++) s->plans[k].is_there = false;
    json_array_foreach(list, i, one) look_at(s, one, now);
    json_decref(list);
    for (size_t k = s->n; k-- > 0;)
        if (!s->plans[k].is_there) forget(s, k);
    look_at_reports(s, now);
    look_at_sweeps(s, now);
}

static int64_t until_next(const struct schedule *s)
{
    int64_t now = state_now_ms(s->state), left = LOOK_EVERY_MS;
    for (size_t i = 0; i < s->n; i++) {
        const struct plan *p = &s->plans[i];
        if (p->next_ms > now && p->next_ms - now < left) left = p->next_ms - now;
    }
    return left;
}

/* false: it is to end. */
static bool sleep_for(struct schedule *s, int64_t ms)
{
    struct timespec at = when_monotonic_in(ms);
    pthread_mutex_lock(&s->wake_lock);
    while (!s->is_awake && !s->is_closing && pthread_cond_timedwait(&s->wake, &s->wake_lock, &at) == 0) continue;
    bool goes_on = !s->is_closing;
    s->is_awake = false;
    pthread_mutex_unlock(&s->wake_lock);
    return goes_on;
}

static void *work(void *ctx)
{
    struct schedule *s = ctx;
    int64_t ms;
    do {
        pthread_mutex_lock(&s->lock);
        look_at_all(s);
        ms = until_next(s);
        pthread_mutex_unlock(&s->lock);
    } while (sleep_for(s, ms));
    return NULL;
}

/* From the jobs' thread, which must not wait for the plans' lock: it is held while jobs are asked. */
static void on_job(void *ctx, int64_t job, const json_t *ended)
{
    (void)job;
    if (ended) schedule_wake(ctx);
}

void schedule_wake(struct schedule *s)
{
    pthread_mutex_lock(&s->wake_lock);
    s->is_awake = true;
    pthread_cond_signal(&s->wake);
    pthread_mutex_unlock(&s->wake_lock);
}

/* --- opening and closing ------------------------------------------------------------------------------------------ */

static void schedule_free(struct schedule *s)
{
    for (size_t i = 0; i < s->n; i++) drop_plan(&s->plans[i]);
    free(s->plans);
    pthread_cond_destroy(&s->wake);
    pthread_mutex_destroy(&s->wake_lock);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

int schedule_open(struct schedule **out, struct state *state, struct connectors *c, struct jobs *j, struct err *e)
{
    pthread_condattr_t monotonic;
    struct schedule *s = x_zalloc(sizeof *s);
    s->state = state;
    s->connectors = c;
    s->jobs = j;
    randombytes_buf(&s->seed, sizeof s->seed);
    pthread_mutex_init(&s->lock, NULL);
    pthread_mutex_init(&s->wake_lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&s->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    int rc = state_define(state, table, e);
    if (rc == 0) rc = load(s, e);
    if (rc == 0) {
        int failed = pthread_create(&s->thread, NULL, work, s);
        if (failed) rc = err_errno(e, ERR_LIMIT, failed, "the thread of the schedule");
    }
    if (rc < 0) {
        schedule_free(s);
        return rc;
    }
    jobs_watch(j, on_job, s);
    *out = s;
    return 0;
}

void schedule_close(struct schedule *s)
{
    if (!s) return;
    jobs_unwatch(s->jobs, s);
    pthread_mutex_lock(&s->wake_lock);
    s->is_closing = true;
    pthread_cond_signal(&s->wake);
    pthread_mutex_unlock(&s->wake_lock);
    pthread_join(s->thread, NULL);
    schedule_free(s);
}

json_t *schedule_tell(struct schedule *s, const char *connector)
{
    json_t *o = json_object();
    pthread_mutex_lock(&s->lock);
    const struct plan *p = find_plan(s, connector);
    if (p && p->is_known) {
        jsonv_put(o, "next", jsonv_time(p->next_ms));
        if (p->last_job) jsonv_put(o, "last_job", json_integer(p->last_job));
        if (*p->last_state) jsonv_put(o, "last_status", json_string(p->last_state));
        int64_t again = p->last_class && p->attempt ? p->next_ms : 0;
        jsonv_put(o, "retry_at", jsonv_time(p->retry_at_ms ? p->retry_at_ms : again));
        jsonv_put(o, "paused", json_boolean(p->last_class == ERR_AUTH));
        if (*p->reason) jsonv_put(o, "reason", json_string(p->reason));
        if (*p->fix) jsonv_put(o, "fix", json_string(p->fix));
        jsonv_put(o, "attempt", json_integer(p->attempt));
    }
    pthread_mutex_unlock(&s->lock);
    return o;
}
