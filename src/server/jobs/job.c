#include "server/jobs/job_int.h"

#include "base/file.h"
#include "base/jsonv.h"
#include "base/log.h"
#include "base/when.h"
#include "server/state/state_int.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROWS_KEPT     1000 /* of a connector */
#define REPORTS_KEPT  50   /* whose results are large */
#define LIVE_MAX      256  /* queued and running */
#define SMALL_AT_ONCE 8    /* tests and look-ups, which somebody is waiting for */
#define GRACE_MS      10000
#define SMALL_MS      (15 * 60 * 1000) /* the longest a test or look-up takes */
#define SAVE_EVERY_MS 5000
#define WATCHERS_MAX  8

const char *const job_state_names[] = {"queued", "running", "done", "failed", "cancelled", "interrupted"};

struct watcher {
    void (*woken)(void *ctx, int64_t job, const json_t *ended);
    void *ctx;
};

struct jobs {
    struct state *state;
    struct connectors *connectors;
    char *dir;
    unsigned parallel;
    pthread_t thread;
    int wake; /* eventfd */

    pthread_mutex_t lock; /* of what follows, and of every live job */
    struct job *live;     /* in the order of their ids; only the thread takes one out */
    struct job *ended;    /* over, and not to be saved so far: there was no room, say */
    unsigned n_live;
    bool is_closing;
    int64_t close_at_ms; /* monotonic: children that are still there are killed */
    int64_t saved_ms;

    pthread_mutex_t watch_lock; /* of what follows; held while they are called */
    struct watcher watchers[WATCHERS_MAX];
    size_t n_watchers;
};

/* --- one job -------------------------------------------------------------------------------------------- */

struct job *job_new(const struct job_request *r)
{
    struct job *j = x_zalloc(sizeof *j);
    j->kind = x_strdup(str_from(r->kind));
    j->connector = x_strdup(str_from(r->connector ? r->connector : ""));
    j->by = x_strdup(str_from(r->by ? r->by : ""));
    j->options = r->options ? json_deep_copy(r->options) : json_object();
    j->attempt = r->attempt;
    j->runs = json_array();
    j->exit = -1;
    j->child = JOB_CHILD_NONE;
    j->log.fd = -1;
    j->err_line = buf_new(JOB_LINE_MAX + ((size_t)64 << 10));
    j->out = buf_new(JOB_RESULT_MAX);
    if (!r->unsaved) return j;
    j->unsaved = x_alloc(sizeof *j->unsaved);
    *j->unsaved = *r->unsaved;
    *r->unsaved = (struct handed){.settings_fd = -1};
    return j;
}

static void drop_unsaved(struct job *j)
{
    if (j->unsaved) handed_close(j->unsaved);
    free(j->unsaved);
    j->unsaved = NULL;
}

void job_free(struct job *j)
{
    job_child_close(&j->child);
    job_log_close(&j->log);
    drop_unsaved(j);
    buf_free(&j->err_line);
    buf_free(&j->out);
    json_t *values[] = {j->options, j->progress, j->runs, j->error, j->result};
    for (size_t i = 0; i < n_elements(values); i++) json_decref(values[i]);
    free(j->kind);
    free(j->connector);
    free(j->by);
    free(j);
}

json_t *job_tell(const struct job *j)
{
    json_t *o = json_object();
    jsonv_put(o, "id", json_integer(j->id));
    jsonv_put(o, "kind", json_string(j->kind));
    if (*j->connector) jsonv_put(o, "connector", json_string(j->connector));
    jsonv_put(o, "by", json_string(j->by));
    jsonv_put(o, "options", json_deep_copy(j->options));
    jsonv_put(o, "state", json_string(job_state_names[j->state]));
    jsonv_put(o, "attempt", json_integer(j->attempt));
    jsonv_put(o, "queued", jsonv_time(j->queued_ms));
    jsonv_put(o, "started", jsonv_time(j->started_ms));
    jsonv_put(o, "ended", jsonv_time(j->ended_ms));
    if (j->progress) jsonv_put(o, "progress", json_deep_copy(j->progress));
    jsonv_put(o, "runs", json_deep_copy(j->runs));
    if (j->exit >= 0) jsonv_put(o, "exit", json_integer(j->exit));
    if (j->error && j->state > JOB_RUNNING) jsonv_put(o, "error", json_deep_copy(j->error));
    return o;
}

static void file_of(char *out, size_t size, const struct jobs *js, int64_t id, const char *kind)
{
    snprintf(out, size, "%s/%lld.%s", js->dir, (long long)id, kind);
}

static struct job *find_live(const struct jobs *js, int64_t id)
{
    struct job *j = js->live;
    while (j && j->id != id) j = j->next;
    return j;
}

/* Also one that is over, but whose row does not say so yet. */
static struct job *find_known(const struct jobs *js, int64_t id)
{
    struct job *j = find_live(js, id);
    for (struct job *k = js->ended; k && !j; k = k->next)
        if (k->id == id) j = k;
    return j;
}

static void wake(struct jobs *js)
{
    uint64_t one = 1;
    if (write(js->wake, &one, sizeof one) < 0) { /* it is awake */
    }
}

/* A row that cannot be written now (a full disk) is written with the next change, or, of a job that is over, later (save_some); the job itself goes on. */
static void save(struct jobs *js, struct job *j)
{
    struct err e;
    j->is_saved = job_rows_put(js->state, j, &e) == 0;
    if (!j->is_saved) log_event(LOG_WARN, "job.not_saved", LOG_INT("job", j->id), LOG_CSTR("why", e.message));
}

static void change_state(struct jobs *js, struct job *j, enum job_state state)
{
    j->state = state;
    save(js, j);
    job_event(j, "state", job_tell(j));
}

/* --- the end of one --------------------------------------------------------------------------------------- */

static void forget_files(void *ctx, int64_t id)
{
    char path[4200];
    file_of(path, sizeof path, ctx, id, "jsonl");
    unlink(path);
    file_of(path, sizeof path, ctx, id, "result");
    unlink(path);
}

static void keep_result(struct jobs *js, const struct job *j)
{
    char path[4200];
    struct err e;
    char *text = j->result ? json_dumps(j->result, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    file_of(path, sizeof path, js, j->id, "result");
    if (text && file_write_atomic(path, bytes_of(str_from(text)), 0600, &e) < 0)
        log_event(LOG_WARN, "job.result_not_kept", LOG_INT("job", j->id), LOG_CSTR("why", e.message));
    free(text);
}

static void end_job(struct jobs *js, struct job *j)
{
    struct err e;
    const char *class = json_string_value(json_object_get(j->error, "class"));
    j->ended_ms = state_now_ms(js->state);
    job_child_close(&j->child);
    drop_unsaved(j);
    keep_result(js, j);
    change_state(js, j, j->state);
    job_event(j, "end", job_tell(j));
    log_event(LOG_INFO, "job.end", LOG_INT("job", j->id), LOG_CSTR("kind", j->kind), LOG_CSTR("connector", j->connector),
              LOG_CSTR("state", job_state_names[j->state]), LOG_CSTR("class", class ? class : ""),
              LOG_INT("took_ms", j->started_ms ? j->ended_ms - j->started_ms : 0));
    if (job_rows_prune(js->state, j->connector, *j->connector ? ROWS_KEPT : REPORTS_KEPT, forget_files, js, &e) < 0)
        log_event(LOG_WARN, "job.not_pruned", LOG_CSTR("why", e.message));
}

static void fail_job(struct job *j, const struct err *why)
{
    json_decref(j->error);
    j->error = json_object();
    jsonv_put(j->error, "class", json_string(err_class_name((int)why->class)));
    jsonv_put(j->error, "message", jsonv_str(str_from(why->message)));
    if (why->hint[0]) jsonv_put(j->error, "hint", jsonv_str(str_from(why->hint)));
    j->state = JOB_FAILED;
}

/* --- starting ------------------------------------------------------------------------------------------------ */

static bool has_room(const struct jobs *js, const struct job *for_whom)
{
    bool is_run = job_kind_is_whole_run(for_whom->kind);
    unsigned n = 0;
    for (const struct job *j = js->live; j; j = j->next) n += j->state == JOB_RUNNING && job_kind_is_whole_run(j->kind) == is_run;
    return n < (is_run ? js->parallel : SMALL_AT_ONCE);
}

static struct job *next_to_start(struct jobs *js)
{
    for (struct job *j = js->live; j; j = j->next)
        if (j->state == JOB_QUEUED && !j->is_cancelled && has_room(js, j)) return j;
    return NULL;
}

/* Without the lock: what the settings refer to may have to be fetched from somewhere. */
static int hand_over(struct jobs *js, struct job *j, bool has_connector, struct handed *handed, struct err *e)
{
    if (!has_connector) return connectors_hand_store(js->connectors, handed, e);
    if (j->unsaved) {
        *handed = *j->unsaved;
        *j->unsaved = (struct handed){.settings_fd = -1};
        return 0;
    }
    return connectors_hand(js->connectors, j->connector, handed, e);
}

static int start_child(struct jobs *js, struct job *j, struct err *e)
{
    struct job_words words;
    struct handed handed = {.settings_fd = -1};
    try(job_words_make(&words, j, e));
    int rc = hand_over(js, j, words.has_connector, &handed, e);
    if (rc == 0) rc = job_child_start(&j->child, words.list, &handed, e);
    if (handed.settings_fd >= 0) handed_close(&handed);
    job_words_free(&words);
    return rc;
}

static void start_ready(struct jobs *js)
{
    struct err e;
    struct job *j;
    while (!js->is_closing && (j = next_to_start(js)) != NULL) {
        j->started_ms = state_now_ms(js->state);
        j->late_at_ms = job_kind_is_whole_run(j->kind) ? INT64_MAX : when_monotonic_ms() + SMALL_MS;
        pthread_mutex_unlock(&js->lock);
        int rc = start_child(js, j, &e); /* only this thread takes jobs away, or reads and writes their children */
        pthread_mutex_lock(&js->lock);
        if (rc < 0) {
            fail_job(j, &e);
            continue;
        }
        log_event(LOG_INFO, "job.start", LOG_INT("job", j->id), LOG_CSTR("kind", j->kind), LOG_CSTR("connector", j->connector), LOG_CSTR("by", j->by),
                  LOG_INT("pid", j->child.pid));
        change_state(js, j, JOB_RUNNING);
    }
}

/* --- ending ---------------------------------------------------------------------------------------------------- */

static void ask_to_end(struct job *j, int64_t kill_at_ms)
{
    bool is_first = !j->kill_at_ms;
    if (is_first || kill_at_ms < j->kill_at_ms) j->kill_at_ms = kill_at_ms; /* one that was cancelled does not hold up the server's end */
    if (is_first) job_child_ask_to_end(&j->child);
}

static void look_at_queued(const struct jobs *js, struct job *j)
{
    struct err e;
    if (!j->is_cancelled && !js->is_closing) return;
    err_set(&e, ERR_CANCEL, j->is_cancelled ? "cancelled before it began" : "the server stopped before the job began");
    fail_job(j, &e);
    j->state = j->is_cancelled ? JOB_CANCELLED : JOB_INTERRUPTED;
}

static void look_at_running(const struct jobs *js, struct job *j, int64_t now_ms)
{
    int status;
    if (js->is_closing && !j->is_cancelled) j->is_stopping = true;
    if (js->is_closing) ask_to_end(j, js->close_at_ms);
    if (j->is_cancelled || now_ms >= j->late_at_ms) ask_to_end(j, now_ms + GRACE_MS);
    if (j->kill_at_ms && now_ms >= j->kill_at_ms) job_child_kill(&j->child);
    if (j->child.err < 0 && j->child.out < 0 && job_child_reap(&j->child, &status)) job_judge(j, status);
}

static void look_at_all(struct jobs *js)
{
    int64_t now = when_monotonic_ms();
    for (struct job *j = js->live; j; j = j->next) {
        if (j->state == JOB_QUEUED)
            look_at_queued(js, j);
        else if (j->state == JOB_RUNNING)
            look_at_running(js, j, now);
        if (j->state > JOB_RUNNING) end_job(js, j);
    }
}

static void save_some(struct jobs *js)
{
    int64_t now = when_monotonic_ms();
    if (now - js->saved_ms < SAVE_EVERY_MS) return;
    js->saved_ms = now;
    for (struct job *j = js->live; j; j = j->next)
        if (j->state == JOB_RUNNING && j->progress) save(js, j);
    for (struct job **at = &js->ended; *at;) {
        struct job *j = *at;
        save(js, j);
        if (!j->is_saved) break;
        *at = j->next;
        job_free(j);
    }
}

/* --- the thread ------------------------------------------------------------------------------------------------ */

struct news {
    int64_t id;
    json_t *ended;
};

/* Those that have ended leave the list here. */
static size_t collect_news(struct jobs *js, struct news *out)
{
    size_t n = 0;
    for (struct job **at = &js->live; *at;) {
        struct job *j = *at;
        bool is_over = j->state > JOB_RUNNING;
        if (j->has_news || is_over) out[n++] = (struct news){j->id, is_over ? job_tell(j) : NULL};
        j->has_news = false;
        if (!is_over) {
            at = &j->next;
            continue;
        }
        *at = j->next;
        js->n_live--;
        if (j->is_saved) {
            job_free(j);
            continue;
        }
        j->next = js->ended;
        js->ended = j;
    }
    return n;
}

static void tell_watchers(struct jobs *js)
{
    struct news news[LIVE_MAX];
    size_t n = collect_news(js, news);
    pthread_mutex_unlock(&js->lock);
    pthread_mutex_lock(&js->watch_lock);
    for (size_t i = 0; i < n; i++) {
        for (size_t w = 0; w < js->n_watchers; w++) js->watchers[w].woken(js->watchers[w].ctx, news[i].id, news[i].ended);
        json_decref(news[i].ended);
    }
    pthread_mutex_unlock(&js->watch_lock);
    pthread_mutex_lock(&js->lock);
}

/* Pipes that are closed while the process is still there are looked after soon. */
static int fill_polls(const struct jobs *js, struct pollfd *polls, nfds_t *n)
{
    int timeout = js->ended ? SAVE_EVERY_MS : 60000;
    *n = 0;
    polls[(*n)++] = (struct pollfd){.fd = js->wake, .events = POLLIN};
    for (const struct job *j = js->live; j; j = j->next) {
        if (j->state > JOB_RUNNING) timeout = 0; /* it could not be started */
        if (j->state != JOB_RUNNING || !timeout) continue;
        timeout = j->child.out < 0 && j->child.err < 0 ? 20 : timeout > 500 ? 500 : timeout;
        polls[(*n)++] = (struct pollfd){.fd = j->child.out, .events = POLLIN};
        polls[(*n)++] = (struct pollfd){.fd = j->child.err, .events = POLLIN};
    }
    return timeout;
}

static void wait_for_something(struct jobs *js)
{
    struct pollfd polls[1 + 2 * LIVE_MAX];
    nfds_t n;
    uint64_t ignored;
    int timeout = fill_polls(js, polls, &n);
    pthread_mutex_unlock(&js->lock);
    poll(polls, n, timeout);
    if (polls[0].revents && read(js->wake, &ignored, sizeof ignored) < 0) { /* another wake has been read with it */
    }
    pthread_mutex_lock(&js->lock);
}

static void *work(void *ctx)
{
    struct jobs *js = ctx;
    pthread_mutex_lock(&js->lock);
    while (!js->is_closing || js->live) {
        start_ready(js);
        wait_for_something(js);
        for (struct job *j = js->live; j; j = j->next)
            if (j->state == JOB_RUNNING) job_listen(j);
        look_at_all(js);
        save_some(js);
        tell_watchers(js);
    }
    pthread_mutex_unlock(&js->lock);
    return NULL;
}

/* --- opening and closing ----------------------------------------------------------------------------------------- */

/* What an earlier server left says so in its events too, for who looks at them. */
static int close_interrupted(struct jobs *js, struct err *e)
{
    json_t *left, *one;
    size_t i;
    try(job_rows_interrupt(js->state, state_now_ms(js->state), &left, e));
    json_array_foreach(left, i, one)
    {
        char path[4200];
        struct job_log log;
        struct err ignored;
        file_of(path, sizeof path, js, json_integer_value(json_object_get(one, "id")), "jsonl");
        if (job_log_open(&log, path, &ignored) < 0) continue;
        job_log_add(&log, "state", one);
        job_log_add(&log, "end", one);
        job_log_close(&log);
    }
    json_decref(left);
    return 0;
}

static int make_dir(const char *dir, struct err *e)
{
    if (mkdir(dir, 0700) == 0 || errno == EEXIST) return 0;
    err_errno(e, errno == ENOSPC ? ERR_LIMIT : ERR_DENIED, errno, "directory of jobs %s", dir);
    return err_hint(e, "the directory of the store must be writable, and have room");
}

static int open_all(struct jobs *js, struct err *e)
{
    try(make_dir(js->dir, e));
    try(job_rows_open(js->state, e));
    try(close_interrupted(js, e));
    js->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (js->wake < 0) return err_errno(e, ERR_LIMIT, errno, "eventfd");
    int rc = pthread_create(&js->thread, NULL, work, js);
    return rc ? err_errno(e, ERR_LIMIT, rc, "the thread of the jobs") : 0;
}

static void jobs_free(struct jobs *js)
{
    if (js->wake >= 0) close(js->wake);
    for (struct job *j; (j = js->ended) != NULL;) {
        js->ended = j->next;
        job_free(j);
    }
    pthread_mutex_destroy(&js->lock);
    pthread_mutex_destroy(&js->watch_lock);
    free(js->dir);
    free(js);
}

int jobs_open(struct jobs **out, const struct jobs_options *o, struct err *e)
{
    struct jobs *js = x_zalloc(sizeof *js);
    js->state = o->state;
    js->connectors = o->connectors;
    js->dir = x_strdup(str_from(o->dir));
    js->parallel = o->parallel ? o->parallel : 2;
    js->wake = -1;
    pthread_mutex_init(&js->lock, NULL);
    pthread_mutex_init(&js->watch_lock, NULL);
    int rc = open_all(js, e);
    if (rc < 0) {
        jobs_free(js);
        return rc;
    }
    *out = js;
    return 0;
}

void jobs_stop(struct jobs *js, int wait_ms)
{
    pthread_mutex_lock(&js->lock);
    if (!js->is_closing) js->close_at_ms = when_monotonic_ms() + wait_ms;
    js->is_closing = true;
    pthread_mutex_unlock(&js->lock);
    wake(js);
}

void jobs_close(struct jobs *js, int wait_ms)
{
    if (!js) return;
    jobs_stop(js, wait_ms);
    pthread_join(js->thread, NULL);
    jobs_free(js);
}

/* --- the calls ------------------------------------------------------------------------------------------------------ */

static int check_free(const struct jobs *js, const struct job *wanted, struct err *e)
{
    if (js->is_closing) return err_set(e, ERR_CANCEL, "the server is stopping");
    if (js->n_live >= LIVE_MAX) {
        err_set(e, ERR_LIMIT, "%u jobs are queued or running", js->n_live);
        return err_hint(e, "wait until some of them have ended, or cancel them");
    }
    if (!job_kind_is_whole_run(wanted->kind)) return 0;
    for (const struct job *j = js->live; j; j = j->next) {
        if (!job_kind_is_whole_run(j->kind) || strcmp(j->connector, wanted->connector) != 0) continue;
        err_set(e, ERR_CONFLICT, "%s: job %lld (%s) is %s already", j->connector, (long long)j->id, j->kind, job_state_names[j->state]);
        return err_hint(e, "wait until it ends, or cancel it");
    }
    return 0;
}

static void add_live(struct jobs *js, struct job *j)
{
    struct job **at = &js->live;
    while (*at) at = &(*at)->next;
    *at = j;
    js->n_live++;
}

static int queue(struct jobs *js, struct job *j, struct err *e)
{
    char path[4200];
    struct err without;
    struct job_words words;
    try(job_words_make(&words, j, e));
    job_words_free(&words);
    try(check_free(js, j, e));
    j->queued_ms = state_now_ms(js->state);
    try(job_rows_add(js->state, j, &j->id, e));
    forget_files(js, j->id); /* of another job of this number, which a restored state knows nothing of */
    file_of(path, sizeof path, js, j->id, "jsonl");
    if (job_log_open(&j->log, path, &without) < 0) /* its row is there: it goes on, and nobody can look on */
        log_event(LOG_WARN, "job.no_events", LOG_INT("job", j->id), LOG_CSTR("why", without.message));
    add_live(js, j);
    job_event(j, "state", job_tell(j));
    return 0;
}

int jobs_start(struct jobs *js, const struct job_request *r, int64_t *id, struct err *e)
{
    struct job *j = job_new(r);
    pthread_mutex_lock(&js->lock);
    int rc = queue(js, j, e);
    if (rc == 0) *id = j->id;
    pthread_mutex_unlock(&js->lock);
    if (rc < 0)
        job_free(j);
    else
        wake(js);
    return rc;
}

static int no_such_job(int64_t id, struct err *e)
{
    return err_set(e, ERR_NOTFOUND, "job %lld: no such job", (long long)id);
}

int jobs_cancel(struct jobs *js, int64_t id, const char *by, struct err *e)
{
    json_t *row;
    pthread_mutex_lock(&js->lock);
    struct job *j = find_live(js, id);
    if (j) j->is_cancelled = true;
    pthread_mutex_unlock(&js->lock);
    if (j) {
        log_event(LOG_INFO, "job.cancel", LOG_INT("job", id), LOG_CSTR("by", by));
        wake(js);
        return 0;
    }
    try(jobs_get(js, id, &row, e));
    json_decref(row);
    return err_set(e, ERR_CONFLICT, "job %lld is over already", (long long)id);
}

static void add_result(const struct jobs *js, int64_t id, json_t *row)
{
    char path[4200];
    json_error_t ignored;
    file_of(path, sizeof path, js, id, "result");
    json_t *result = json_load_file(path, JSON_DECODE_ANY, &ignored);
    if (result) jsonv_put(row, "result", result);
}

int jobs_get(struct jobs *js, int64_t id, json_t **out, struct err *e)
{
    pthread_mutex_lock(&js->lock);
    struct job *j = find_known(js, id);
    *out = j ? job_tell(j) : NULL;
    pthread_mutex_unlock(&js->lock);
    if (*out) return 0;
    int rc = job_rows_get(js->state, id, out, e);
    if (rc == 0) add_result(js, id, *out);
    return rc == ERR_NOTFOUND ? no_such_job(id, e) : rc;
}

int jobs_list(struct jobs *js, const char *connector, const char *kind, int64_t before, int64_t limit, json_t **out, struct err *e)
{
    json_t *row;
    size_t i;
    try(job_rows_list(js->state, connector, kind, before, limit, out, e));
    pthread_mutex_lock(&js->lock);
    json_array_foreach(*out, i, row)
    {
        const struct job *j = find_known(js, json_integer_value(json_object_get(row, "id")));
        if (j) json_array_set_new(*out, i, job_tell(j));
    }
    pthread_mutex_unlock(&js->lock);
    return 0;
}

/* --- events ----------------------------------------------------------------------------------------------------------- */

struct moment {
    bool is_live;
    uint64_t progress_id;
    json_t *progress;
};

static struct moment look_at(struct jobs *js, int64_t id)
{
    pthread_mutex_lock(&js->lock);
    struct job *j = find_live(js, id);
    struct moment m = {.is_live = j != NULL};
    if (j && j->progress_id) m.progress_id = j->progress_id, m.progress = json_deep_copy(j->progress);
    pthread_mutex_unlock(&js->lock);
    return m;
}

/* The last progress comes behind what is in the file. Its id is not below the others', so that nobody who goes on from it sees them twice. */
static void add_progress(const struct moment *m, uint64_t after, struct buf *out, uint64_t *last)
{
    struct buf line = buf_new(65536);
    uint64_t id = m->progress_id > *last ? m->progress_id : *last;
    if (m->progress_id > after) job_log_line(&line, id, "progress", m->progress);
    bool fits = line.len && !line.failed && line.len <= out->max - out->len;
    if (fits) buf_add_bytes(out, buf_bytes(&line));
    if (fits) *last = id;
    buf_free(&line);
}

int jobs_events(struct jobs *js, int64_t id, uint64_t after, struct buf *out, uint64_t *last, bool *over, struct err *e)
{
    char path[4200];
    bool is_all = true;
    struct moment m = look_at(js, id);
    *last = after;
    *over = false;
    if (!m.is_live) {
        json_t *row;
        try(job_rows_get(js->state, id, &row, e));
        json_decref(row);
    }
    file_of(path, sizeof path, js, id, "jsonl");
    int rc = job_log_read(path, after, out, last, &is_all, e);
    if (rc == 0 && is_all) add_progress(&m, after, out, last);
    json_decref(m.progress);
    *over = rc == 0 && !m.is_live && is_all;
    return rc;
}

void jobs_watch(struct jobs *js, void (*woken)(void *ctx, int64_t job, const json_t *ended), void *ctx)
{
    pthread_mutex_lock(&js->watch_lock);
    if (js->n_watchers < WATCHERS_MAX) js->watchers[js->n_watchers++] = (struct watcher){woken, ctx};
    pthread_mutex_unlock(&js->watch_lock);
}

void jobs_unwatch(struct jobs *js, const void *ctx)
{
    pthread_mutex_lock(&js->watch_lock);
    for (size_t i = js->n_watchers; i-- > 0;)
        if (js->watchers[i].ctx == ctx) js->watchers[i] = js->watchers[--js->n_watchers];
    pthread_mutex_unlock(&js->watch_lock);
}
