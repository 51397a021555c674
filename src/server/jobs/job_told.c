/* job_told.c - what a child says: JSON lines on standard error, steps or one result on standard output. */
#include "server/jobs/job_int.h"

#include "base/jsonv.h"
#include "base/when.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define READ_AT_ONCE ((size_t)32 << 10)
#define ROUNDS       8 /* of reading, before the others have their turn */

void job_event(struct job *j, const char *event, json_t *data)
{
    job_log_add(&j->log, event, data);
    json_decref(data);
    j->has_news = true;
}

static void tell_state(struct job *j)
{
    job_event(j, "state", job_tell(j));
}

/* --- standard error ------------------------------------------------------------------------------------- */

static void log_text(struct job *j, const char *time, const char *level, struct str text)
{
    char now[WHEN_TEXT];
    json_t *data = json_object();
    jsonv_put(data, "time", json_string(time ? time : when_format(now, when_now_ms())));
    jsonv_put(data, "level", json_string(level));
    jsonv_put(data, "text", jsonv_str(text));
    job_event(j, "log", data);
}

/* {"time", "level", "event", keys...}: the event and its keys as text. */
static void on_log(struct job *j, const json_t *line)
{
    struct buf text = buf_new(8192);
    const char *key;
    json_t *value;
    buf_add_str(&text, str_from(json_string_value(json_object_get(line, "event"))));
    json_object_foreach((json_t *)line, key, value)
    {
        if (strcmp(key, "event") == 0 || strcmp(key, "time") == 0 || strcmp(key, "level") == 0) continue;
        char *v = json_is_string(value) ? NULL : json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
        buf_printf(&text, " %s=%s", key, json_is_string(value) ? json_string_value(value) : v ? v : "");
        free(v);
    }
    log_text(j, json_string_value(json_object_get(line, "time")), json_string_value(json_object_get(line, "level")), buf_str(&text));
    buf_free(&text);
}

static void set_progress(struct job *j, const char *key, json_t *value)
{
    if (!j->progress) j->progress = json_object();
    jsonv_put(j->progress, key, value);
}

/* Members of the line take the place of what was known; the phase stays. */
static void on_progress(struct job *j, json_t *line)
{
    json_object_del(line, "event");
    json_object_del(line, "connector");
    json_object_del(j->progress, "left_s");
    if (!j->progress) j->progress = json_object();
    json_object_update(j->progress, line);
    j->progress_id = ++j->log.last;
    j->has_news = true;
}

static void on_run(struct job *j, const json_t *line)
{
    json_t *run = json_object_get(line, "run");
    if (json_is_integer(run) && json_array_size(j->runs) < 8) json_array_append(j->runs, run);
    tell_state(j);
}

static void on_phase(struct job *j, const json_t *line)
{
    const char *phase = json_string_value(json_object_get(line, "phase"));
    if (!phase) return;
    set_progress(j, "phase", json_string(phase));
    tell_state(j);
}

static void on_gap(struct job *j, json_t *line)
{
    json_object_del(line, "event");
    job_event(j, "gap", json_incref(line));
}

static void on_error(struct job *j, json_t *line)
{
    json_decref(j->error);
    j->error = json_incref(line);
}

static void on_json(struct job *j, json_t *line)
{
    const char *event = json_string_value(json_object_get(line, "event"));
    if (!event && json_is_string(json_object_get(line, "class")) && json_is_string(json_object_get(line, "message")))
        on_error(j, line);
    else if (event && json_is_string(json_object_get(line, "level")))
        on_log(j, line);
    else if (event && strcmp(event, "progress") == 0)
        on_progress(j, line);
    else if (event && strcmp(event, "run") == 0)
        on_run(j, line);
    else if (event && strcmp(event, "phase") == 0)
        on_phase(j, line);
    else if (event && strcmp(event, "gap") == 0)
        on_gap(j, line);
}

static void on_words(struct job *j, struct str line)
{
    line = str_trim(line);
    if (!line.len) return;
    if (line.len > 4096) line.len = 4096;
    json_t *text = jsonv_str(line); /* proves UTF-8 */
    snprintf(j->last_words, sizeof j->last_words, "%s", json_string_value(text));
    json_decref(text);
    log_text(j, NULL, "info", line);
}

static void on_err_line(struct job *j, struct str line)
{
    json_t *object = line.len && line.ptr[0] == '{' ? json_loadb(line.ptr, line.len, 0, NULL) : NULL;
    if (json_is_object(object))
        on_json(j, object);
    else
        on_words(j, line);
    json_decref(object);
}

/* --- standard output ------------------------------------------------------------------------------------- */

static void on_step(struct job *j, struct str line)
{
    json_t *step = json_loadb(line.ptr, line.len, 0, NULL);
    const char *verdict = json_string_value(json_object_get(step, "verdict"));
    if (verdict) {
        j->n_steps++;
        j->n_fail += strcmp(verdict, "fail") == 0;
        j->n_warn += strcmp(verdict, "warn") == 0;
        job_event(j, "step", json_incref(step));
    }
    json_decref(step);
}

/* --- the pipes ------------------------------------------------------------------------------------------- */

/* Whole lines go to `each`; the rest stays. A line that does not fit is thrown away up to its end. */
static void split(struct job *j, struct buf *b, bool *is_cut, void (*each)(struct job *, struct str))
{
    size_t at = 0;
    for (const uint8_t *newline; (newline = memchr(b->ptr + at, '\n', b->len - at)) != NULL; at = (size_t)(newline + 1 - b->ptr)) {
        if (!*is_cut) each(j, (struct str){(const char *)b->ptr + at, (size_t)(newline - b->ptr) - at});
        *is_cut = false;
    }
    memmove(b->ptr, b->ptr + at, b->len - at);
    b->len -= at;
    if (b->len < JOB_LINE_MAX) return;
    b->len = 0;
    *is_cut = true;
}

/* 1: something came; 0: nothing now; -1: the end. */
static int take(int *fd, struct buf *to)
{
    uint8_t *at = buf_reserve(to, READ_AT_ONCE);
    uint8_t spill[4096]; /* a result beyond its bound is read all the same, or its writer would wait for ever */
    ssize_t n = at ? read(*fd, at, READ_AT_ONCE) : read(*fd, spill, sizeof spill);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
    if (n > 0 && at) buf_advance(to, (size_t)n);
    if (n > 0) return 1;
    close(*fd);
    *fd = -1;
    return -1;
}

static void listen_err(struct job *j)
{
    int got = 1;
    for (int i = 0; i < ROUNDS && got > 0 && j->child.err >= 0; i++) {
        got = take(&j->child.err, &j->err_line);
        if (j->err_line.len) split(j, &j->err_line, &j->is_err_cut, on_err_line);
    }
    if (got < 0 && j->err_line.len && !j->is_err_cut) on_err_line(j, buf_str(&j->err_line));
}

static void listen_out(struct job *j)
{
    bool is_cut = false;
    int got = 1;
    for (int i = 0; i < ROUNDS && got > 0 && j->child.out >= 0; i++) {
        got = take(&j->child.out, &j->out);
        if (strcmp(j->kind, "test") == 0 && j->out.len) split(j, &j->out, &is_cut, on_step);
    }
}

void job_listen(struct job *j)
{
    listen_err(j);
    listen_out(j);
}

/* --- the end --------------------------------------------------------------------------------------------- */

static void set_error(struct job *j, enum err_class class, const char *message, const char *hint)
{
    json_decref(j->error);
    j->error = json_object();
    jsonv_put(j->error, "class", json_string(err_class_name((int)class)));
    jsonv_put(j->error, "message", jsonv_str(str_from(message)));
    if (hint) jsonv_put(j->error, "hint", json_string(hint));
}

static void died(struct job *j, int signal)
{
    char text[128];
    const char *name = strsignal(signal);
    snprintf(text, sizeof text, "worker died of signal %d (%s)", signal, name ? name : "?");
    const char *hint = signal == SIGKILL ? "see in the kernel's log whether the memory ran out; nothing that was visible is lost"
                                         : "nothing that was visible is lost; please report this as a defect of rollcall";
    set_error(j, ERR_BUG, text, hint);
}

static void left(struct job *j)
{
    char text[768];
    if (j->error) return;
    if (j->exit == 127)
        set_error(j, ERR_BUG, "the program could not be started again as a child", "see the system's log");
    else {
        snprintf(text, sizeof text, "%s ended with exit code %d%s%s", j->kind, j->exit, *j->last_words ? ": " : "", j->last_words);
        set_error(j, j->exit == X_OUT_OF_MEMORY ? ERR_LIMIT : ERR_BUG, text, NULL);
    }
}

static void take_result(struct job *j)
{
    if (j->n_steps) {
        j->result = json_pack("{s:b, s:i, s:i}", "ok", j->n_fail == 0, "failed", (int)j->n_fail, "warnings", (int)j->n_warn);
        return;
    }
    if (j->out.failed)
        set_error(j, ERR_LIMIT, "the result is larger than the server keeps", "ask the same with the command line");
    else if (j->out.len)
        j->result = json_loadb((const char *)j->out.ptr, j->out.len, JSON_DECODE_ANY, NULL);
}

static bool is_good(const struct job *j)
{
    if (j->exit == 0 || j->exit == 5) return !j->out.failed;
    return j->n_steps > 0 && !j->error; /* a test that found something did its work */
}

void job_judge(struct job *j, int status)
{
    j->exit = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    take_result(j);
    if (WIFEXITED(status) && is_good(j)) {
        j->state = JOB_DONE;
        return;
    }
    j->state = j->is_cancelled ? JOB_CANCELLED : j->is_stopping ? JOB_INTERRUPTED : JOB_FAILED;
    if (j->is_cancelled)
        set_error(j, ERR_CANCEL, "cancelled", NULL);
    else if (j->is_stopping)
        set_error(j, ERR_CANCEL, "the server stopped before the job had ended", "it is tried again when the server runs");
    else if (WIFSIGNALED(status))
        died(j, WTERMSIG(status));
    else
        left(j);
}
