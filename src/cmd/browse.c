/* browse.c - browse, controllers: what a form asks a directory while it is filled in (internal). */
#include "cmd/out.h"
#include "run/worker.h"

static int keep_detail(void *ctx, const json_t *step, struct err *e)
{
    json_t **answer = ctx;
    json_t *detail = json_object_get(step, "detail");
    if (*answer || !json_is_object(detail)) return err_set(e, ERR_PROTO, "the worker's answer makes no sense");
    *answer = json_incref(detail);
    return 0;
}

static int ask(struct cli *c, struct worker_job *job, struct err *e)
{
    struct worker *w;
    json_t *answer = NULL;
    struct stream_handler h = {.ctx = &answer, .step = keep_detail};
    int rc = worker_start(&w, job, e);
    if (rc == 0) rc = worker_run(w, &h, e);
    if (rc == 0 && !answer) rc = err_set(e, ERR_PROTO, "the worker gave no answer");
    if (rc == 0) rc = out_object(c, json_incref(answer), e);
    json_decref(answer);
    return rc < 0 ? err_wrap(e, "%s %s", job->verb, job->connector->name) : 0;
}

static int run_browse(struct cli *c, struct err *e)
{
    struct worker_job job = {.verb = "browse"};
    const char *base = cli_value(c, "base");
    try(cli_connector(c, &job.connector, e));
    json_t *what = json_pack("{s:s}", "base", base ? base : "");
    if (!what) return err_set(e, ERR_INPUT, "--base: not UTF-8");
    job.ask = what;
    int rc = ask(c, &job, e);
    json_decref(what);
    return rc;
}

/* Nobody signs in for it, so no secret is asked for. */
static int run_controllers(struct cli *c, struct err *e)
{
    struct secret none = {0};
    struct worker_job job = {.verb = "controllers", .password = &none};
    const char *domain = cli_value(c, "domain");
    try(cli_connector(c, &job.connector, e));
    struct connector_conf mine = *job.connector;
    mine.settings = json_deep_copy(job.connector->settings);
    json_object_set_new(mine.settings, "dc_discovery", json_true());
    json_t *where = domain ? json_string(domain) : NULL;
    if (where) json_object_set_new(mine.settings, "dc_discovery_domain", where);
    job.connector = &mine;
    int rc = domain && !where ? err_set(e, ERR_INPUT, "--domain: not UTF-8") : ask(c, &job, e);
    json_decref(mine.settings);
    return rc;
}

static const struct cli_option browse_options[] = {{"base", 0, "DN", "below it (default: the domain)", NULL, false}, {NULL, 0, NULL, NULL, NULL, false}};
static const struct cli_option controllers_options[] = {{"domain", 0, "NAME", "of the SRV records (default: the setting)", NULL, false},
                                                        {NULL, 0, NULL, NULL, NULL, false}};

const struct command cmd_browse = {.name = "browse",
                                   .arguments = "CONNECTOR",
                                   .min_args = 1,
                                   .max_args = 1,
                                   .summary = "What lies below a place of the directory (internal)",
                                   .options = browse_options,
                                   .run = run_browse,
                                   .is_hidden = true};
const struct command cmd_controllers = {.name = "controllers",
                                        .arguments = "CONNECTOR",
                                        .min_args = 1,
                                        .max_args = 1,
                                        .summary = "Controllers that DNS knows, and whether they can be reached (internal)",
                                        .options = controllers_options,
                                        .run = run_controllers,
                                        .is_hidden = true};
