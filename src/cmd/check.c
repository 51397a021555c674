/* check.c - check, discover: the steps of a worker, one line each, or as rows */
#include "cmd/out.h"
#include "cmd/step.h"
#include "base/when.h"
#include "run/pause.h"
#include "run/worker.h"

#include <stdio.h>
#include <stdlib.h>

struct steps {
    struct cli *cli;
    json_t *rows;
    unsigned n_fail, n_warn;
    int worst; /* class of the first failure */
    bool signed_in;
};

static int on_step(void *ctx, const json_t *step, struct err *e)
{
    struct steps *s = ctx;
    const char *verdict = json_string_value(json_object_get(step, "verdict"));
    const char *class = json_string_value(json_object_get(step, "class"));
    if (!verdict || !json_string_value(json_object_get(step, "name")) || !json_string_value(json_object_get(step, "evidence")))
        return err_set(e, ERR_PROTO, "malformed step");
    const char *name = json_string_value(json_object_get(step, "name"));
    if (verdict[0] == 'o' && (strcmp(name, "bind") == 0 || strcmp(name, "token") == 0)) s->signed_in = true;
    if (verdict[0] == 'w') s->n_warn++;
    if (verdict[0] == 'f') {
        if (!s->n_fail++) s->worst = class ? err_class_parse(str_from(class)) : ERR_BUG;
    }
    if (s->cli->format == OUT_JSONL) return step_row(s->cli, step, e);
    if (s->cli->format == OUT_TABLE)
        step_print(step);
    else
        json_array_append(s->rows, (json_t *)step);
    return 0;
}

static int print_report(struct steps *s, const char *connector, struct err *e)
{
    if (s->cli->format == OUT_TABLE) {
        printf("%s: %s (%u failed, %u warnings)\n", connector, s->n_fail ? "NOT ready" : "ready", s->n_fail, s->n_warn);
        return 0;
    }
    if (s->cli->format == OUT_JSONL) return 0; /* told already */
    return step_rows(s->cli, "connector", connector, s->rows, s->n_fail == 0, e);
}

/* Does an earlier refusal keep sync from trying? A sign-in that worked is the proof that it need not. */
static json_t *pause_step(const struct steps *s, struct store *store, const struct connector_conf *c, const struct pause_state *p)
{
    char since[WHEN_TEXT], text[PAUSE_TEXT], evidence[PAUSE_TEXT + 64];
    struct err e;
    if (s->signed_in && pause_lift(store, c, &e) == 0) {
        snprintf(evidence, sizeof evidence, "sync was paused by a refusal at %s; this test signed in, so it goes on",
                 when_format(since, p->refused_ms));
        return json_pack("{s:s, s:s, s:s, s:i}", "name", "pause", "verdict", "ok", "evidence", evidence, "took_ms", 0);
    }
    pause_tell(text, p);
    snprintf(evidence, sizeof evidence, "sync is paused: %s", text);
    return json_pack("{s:s, s:s, s:o, s:s, s:i}", "name", "pause", "verdict", "warn", "evidence", jsonv_str(str_from(evidence)), "fix",
                     "change the secret or the settings until this test signs in, or sync with --try-now", "took_ms", 0);
}

static int tell_pause(struct cli *c, struct steps *s, const struct connector_conf *connector, struct err *e)
{
    struct pause_state p;
    struct store *store = cli_store_if_any(c);
    if (!store || !pause_look(store, connector, &p)) return 0;
    json_t *step = pause_step(s, store, connector, &p);
    int rc = on_step(s, step, e);
    json_decref(step);
    return rc;
}

static int run_verb(struct cli *c, const char *verb, struct err *e)
{
    struct worker *w;
    struct worker_job job = {.verb = verb};
    struct steps s = {.cli = c, .rows = json_array()};
    struct stream_handler h = {.ctx = &s, .step = on_step};
    int rc = cli_connector(c, &job.connector, e);
    if (rc == 0) rc = worker_start(&w, &job, e);
    if (rc == 0) rc = worker_run(w, &h, e);
    if (rc == 0 && strcmp(verb, "check") == 0) rc = tell_pause(c, &s, job.connector, e);
    if (rc == 0) rc = print_report(&s, job.connector->name, e);
    json_decref(s.rows);
    if (rc < 0) return job.connector ? err_wrap(e, "%s %s", verb, job.connector->name) : rc;
    return s.n_fail ? err_class_exit(s.worst ? s.worst : ERR_BUG) : 0;
}

static int run_check(struct cli *c, struct err *e)
{
    return run_verb(c, "check", e);
}

static int run_discover(struct cli *c, struct err *e)
{
    return run_verb(c, "discover", e);
}

const struct command cmd_check = {
    .name = "check",
    .arguments = "CONNECTOR",
    .min_args = 1,
    .max_args = 1,
    .summary = "Test a connector step by step: settings, secret, DNS, TCP, TLS, bind, rights",
    .doc = "Each step says what was seen and, where something is wrong, what to do. The bind is tried exactly once, also\n"
           "when sync is paused after a refused credential; if it works, the pause is over. The exit code is that of the first\n"
           "failing step; warnings alone give 0.",
    .run = run_check,
};
const struct command cmd_discover = {
    .name = "discover",
    .arguments = "CONNECTOR",
    .min_args = 1,
    .max_args = 1,
    .summary = "Show what the account can see: kinds with counts, attributes",
    .run = run_discover,
};
