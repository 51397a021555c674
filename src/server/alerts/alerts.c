#include "server/alerts/alerts_int.h"

#include "base/jsonv.h"
#include "base/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { TICK_MS = 60000 };

/* --- threads ------------------------------------------------------------------------------------------------------------ */

bool alerts_wait(struct alerts *a, bool *flag, int64_t ms)
{
    struct timespec until = when_monotonic_in(ms);
    pthread_mutex_lock(&a->lock);
    while (!a->is_stopping && !*flag && pthread_cond_timedwait(&a->wake, &a->lock, &until) != ETIMEDOUT) {}
    *flag = false;
    bool goes_on = !a->is_stopping;
    pthread_mutex_unlock(&a->lock);
    return goes_on;
}

static void wake(struct alerts *a, bool *flag)
{
    pthread_mutex_lock(&a->lock);
    *flag = true;
    pthread_cond_broadcast(&a->wake);
    pthread_mutex_unlock(&a->lock);
}

void alerts_wake_sender(struct alerts *a)
{
    wake(a, &a->has_send);
}

void alerts_wake(struct alerts *a)
{
    wake(a, &a->has_look);
}

int alerts_forget_connector(struct alerts *a, const char *connector, struct err *e)
{
    return state_run(a->o.state, e, "DELETE FROM alert_cursor WHERE tenant_id = " TENANT " AND connector = ?", "s", connector);
}

static void on_job(void *ctx, int64_t job, const json_t *ended)
{
    const char *kind = json_string_value(json_object_get(ended, "kind"));
    if (kind && strcmp(kind, "sync") == 0) alerts_wake(ctx);
}

/* --- looking -------------------------------------------------------------------------------------------------------------- */

struct look {
    struct alerts *a;
    struct store *store;
    const struct rule *rule;
    int64_t version;
    bool *is_stale; /* the rule was changed or removed meanwhile: the next look is another one's */
};

/* What was judged and what it fired are one transaction: told once, and nothing lost. */
static int on_over(void *ctx, const char *connector, int64_t change_id, const struct firing *f, struct err *e)
{
    const struct look *l = ctx;
    struct state *s = l->a->o.state;
    bool is_same = false;
    try(state_begin(s, e));
    int rc = rows_is_same(s, l->rule->id, l->version, &is_same, e);
    if (rc == 0 && !is_same) {
        *l->is_stale = true;
        rc = err_set(e, ERR_CANCEL, "the rule was changed meanwhile");
    }
    if (rc == 0 && f) rc = rows_fire(s, l->rule, f, e);
    if (rc == 0) rc = rows_cursor_put(s, l->rule->id, connector, change_id, e);
    return state_end(s, rc, e);
}

struct newest {
    int64_t id, run, time_ms;
};

static bool take_newest(void *ctx, const struct change *c)
{
    *(struct newest *)ctx = (struct newest){c->id, c->run, c->time_ms};
    return false;
}

static int newest_change(struct store *s, const char *connector, int64_t run, bool is_newest, struct newest *out, struct err *e)
{
    struct change_query q = {.connector = str_from(connector), .run = run, .newest_first = is_newest, .limit = 1};
    *out = (struct newest){0};
    return store_changes(s, &q, take_newest, out, e);
}

/* A connector that the rule has not met: it begins after its first run, which only says who is there. */
static int begin_connector(const struct look *l, const char *connector, int64_t *cursor, struct err *e)
{
    struct newest first, last;
    try(newest_change(l->store, connector, 0, false, &first, e));
    try(first.run ? newest_change(l->store, connector, first.run, true, &last, e) : 0);
    *cursor = first.run ? last.id : 0;
    return first.run ? rows_cursor_put(l->a->o.state, l->rule->id, connector, *cursor, e) : 0;
}

static int look_at_changes(const struct look *l, const char *connector, struct err *e)
{
    struct span span = {.connector = connector};
    struct verdicts v = {on_over, (void *)(uintptr_t)l};
    try(rows_cursor(l->a->o.state, l->rule->id, connector, &span.after_change, e));
    if (span.after_change < 0) try(begin_connector(l, connector, &span.after_change, e));
    return judge_changes(l->store, l->rule, &span, &v, e);
}

static int look_at_set(const struct look *l, struct err *e)
{
    struct newest last;
    try(newest_change(l->store, l->rule->connector, 0, true, &last, e));
    return judge_set(l->a, l->store, l->rule, l->version, last.id, last.time_ms, e);
}

static int look_for_silence(const struct look *l, struct err *e)
{
    struct state *s = l->a->o.state;
    int64_t since, now = state_now_ms(s);
    try(judge_silence(l->store, l->rule, now, &since, e));
    if (!since) return 0;
    struct firing f;
    firing_begin(&f);
    firing_of_silence(&f, l->rule, since, now);
    int rc = state_begin(s, e);
    if (rc == 0) rc = state_end(s, rows_fire(s, l->rule, &f, e), e);
    firing_end(&f);
    return rc;
}

struct names {
    char **list;
    size_t n, cap;
};

static bool take_name(void *ctx, struct str name)
{
    struct names *n = ctx;
    GROW(n->list, n->n, n->cap, 16);
    n->list[n->n++] = x_strdup(name);
    return true;
}

static void names_free(struct names *n)
{
    for (size_t i = 0; i < n->n; i++) free(n->list[i]);
    free(n->list);
}

static int look_everywhere(const struct look *l, struct err *e)
{
    struct names all = {0};
    int rc = store_connectors(l->store, take_name, &all, e);
    for (size_t i = 0; i < all.n && rc == 0; i++) rc = look_at_changes(l, all.list[i], e);
    names_free(&all);
    return rc;
}

static int look_with(const struct look *l, struct err *e)
{
    const struct rule *r = l->rule;
    if (r->type == CONDITION_SILENCE) return look_for_silence(l, e);
    if (r->type == CONDITION_ACCESS || (r->type == CONDITION_GROUP && r->is_nested)) return look_at_set(l, e);
    return r->connector ? look_at_changes(l, r->connector, e) : look_everywhere(l, e);
}

/* A rule that cannot be judged keeps no other from it, and says why where people see it. */
static void look_one(struct alerts *a, struct store *s, const char *id, int64_t version, const json_t *body)
{
    bool is_stale = false;
    struct rule r;
    struct err e = {0}, ignored;
    char problem[1200];
    rule_read(&r, id, body);
    if (!r.is_enabled) return;
    struct look l = {a, s, &r, version, &is_stale};
    int rc = look_with(&l, &e);
    if (is_stale) return;
    snprintf(problem, sizeof problem, "%s%s%s", e.message, e.hint[0] ? ": " : "", e.hint);
    if (rows_problem(a->o.state, id, rc < 0 ? problem : NULL, &ignored) < 0 || rc < 0)
        log_event(LOG_WARN, "alert.rule", LOG_CSTR("rule", id), LOG_CSTR("class", rc < 0 ? err_class_name(e.class) : "OK"), LOG_CSTR("message", rc < 0 ? e.message : ignored.message));
}

static int look_all(struct alerts *a, struct err *e)
{
    struct store *s;
    json_t *rules, *rule;
    size_t i;
    if (!store_exists(str_from(a->o.store_url))) return 0;
    try(document_list(a->o.state, RULE_KIND, "", &rules, e));
    int rc = json_array_size(rules) ? store_open(&s, str_from(a->o.store_url), e) : 1;
    if (rc == 0) {
        json_array_foreach(rules, i, rule)
            look_one(a, s, json_string_value(json_object_get(rule, "id")), json_integer_value(json_object_get(rule, "version")), json_object_get(rule, "body"));
        store_close(s);
    }
    json_decref(rules);
    return rc < 0 ? rc : 0;
}

static void *look_thread(void *ctx)
{
    struct alerts *a = ctx;
    int64_t tick = a->o.tick_ms ? a->o.tick_ms : TICK_MS;
    wake(a, &a->has_look); /* what happened while nobody looked */
    while (alerts_wait(a, &a->has_look, tick)) {
        struct err e;
        if (look_all(a, &e) < 0) log_event(LOG_ERROR, "alert.look", LOG_CSTR("class", err_class_name(e.class)), LOG_CSTR("message", e.message));
        alerts_wake_sender(a);
    }
    return NULL;
}

/* --- opening ---------------------------------------------------------------------------------------------------------------- */

static void init_waiting(struct alerts *a)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&a->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_mutex_init(&a->lock, NULL);
}

int alerts_open(struct alerts **out, const struct alerts_options *o, struct err *e)
{
    *out = NULL;
    try(rows_define(o->state, e));
    struct alerts *a = x_zalloc(sizeof *a);
    a->o = *o;
    init_waiting(a);
    if (pthread_create(&a->looker, NULL, look_thread, a) != 0) x_out_of_memory();
    if (pthread_create(&a->sender, NULL, send_thread, a) != 0) x_out_of_memory();
    if (o->jobs) jobs_watch(o->jobs, on_job, a);
    *out = a;
    return 0;
}

void alerts_close(struct alerts *a)
{
    if (!a) return;
    if (a->o.jobs) jobs_unwatch(a->o.jobs, a);
    pthread_mutex_lock(&a->lock);
    a->is_stopping = true;
    pthread_cond_broadcast(&a->wake);
    pthread_mutex_unlock(&a->lock);
    pthread_join(a->looker, NULL);
    pthread_join(a->sender, NULL);
    pthread_cond_destroy(&a->wake);
    pthread_mutex_destroy(&a->lock);
    free(a);
}
