#include "run/deliver.h"
#include "cmd/cli.h"

#include <stdio.h>

static const struct cli_option options[] = {
    {"sink", 's', "NAME", "only this sink of the settings", NULL, false},
    {NULL, 0, NULL, NULL, NULL, false},
};

static int to_one(struct cli *c, const struct connector_conf *connector, const struct sink_conf *sink, struct err *e)
{
    struct deliver_report d = {0};
    struct err e2;
    uint64_t behind = 0;
    int rc = deliver(c->store, connector, sink, &d, e);
    fprintf(stderr, "%s: %llu events of %llu changes to %s", connector->name, (unsigned long long)d.events,
            (unsigned long long)d.changes, sink->name);
    if (rc < 0 && store_cursor_behind(c->store, str_from(connector->name), str_from(sink->name), &behind, &e2) == 0)
        fprintf(stderr, "; %llu changes wait", (unsigned long long)behind);
    fputc('\n', stderr);
    return rc < 0 ? err_wrap(e, "deliver %s to %s", connector->name, sink->name) : 0;
}

static int run(struct cli *c, struct err *e)
{
    const struct connector_conf *connector;
    struct store *s;
    const char *only = cli_value(c, "sink");
    bool any = false;
    try(cli_connector(c, &connector, e));
    try(cli_store(c, &s, e));
    for (size_t i = 0; i < c->conf.n_sinks; i++) {
        if (only && strcmp(only, c->conf.sinks[i].name) != 0) continue;
        any = true;
        try(to_one(c, connector, &c->conf.sinks[i], e));
    }
    if (any) return 0;
    err_set(e, ERR_NOTFOUND, only ? "deliver: no sink '%s' in %s" : "deliver: no sinks%s in %s", only ? only : "", c->conf.path);
    return err_hint(e, "add one under sinks: in the settings file, see rollcall.yaml(5)");
}

const struct command cmd_deliver = {
    .name = "deliver",
    .arguments = "CONNECTOR",
    .min_args = 1,
    .max_args = 1,
    .summary = "Send what waits in the outbox to the sinks",
    .doc = "At least once: event ids are stable, so a receiver can drop doubles. After a failure the next deliver goes on where the\n"
           "sink last said yes.",
    .options = options,
    .run = run,
};
