#include "base/log.h"
#include "base/when.h"
#include "catalog/catalog.h"
#include "cmd/cli.h"
#include "cmd/out.h"
#include "cmd/progress.h"
#include "run/rows.h"
#include "run/deliver.h"
#include "run/sync.h"

#include <stdio.h>
#include <unistd.h>

static const struct cli_option options[] = {
    {"full", 0, NULL, "read everything, although what changed could be asked for", NULL, false},
    {"accept-deletions", 0, NULL, "tombstone even when more than 20% and more than 50 of a kind vanished", NULL, false},
    {"no-deliver", 0, NULL, "do not send to the sinks of the settings", NULL, false},
    {"try-now", 0, NULL, "sign in although the connector is paused after a refused credential", NULL, false},
    {NULL, 0, NULL, NULL, NULL, false},
};

static void expected_counts(struct store *s, const char *connector, uint64_t *expected)
{
    struct connector_state state;
    struct err ignored;
    memset(expected, 0, sizeof state.n_entities);
    if (store_connector(s, str_from(connector), &state, &ignored) == 0) memcpy(expected, state.n_entities, sizeof state.n_entities);
}

static int show(struct cli *c, int64_t run, struct err *e)
{
    json_t *row = NULL;
    try(rows_run_get(c->store, run, &row, e));
    return out_object(c, row, e);
}

static void show_table(const struct run_result *r)
{
    printf("run %lld: %s\n", (long long)r->id, run_status_name(r->status));
    printf("  %-20s %9s %9s %9s %9s\n", "kind", "read", "created", "changed", "deleted");
    for (unsigned k = 1; k < KIND_COUNT; k++) {
        const struct run_counts *n = &r->counts[k];
        if (!n->read && !n->created && !n->changed && !n->deleted) continue;
        printf("  %-20s %9llu %9llu %9llu %9llu\n", kind_name((enum kind)k), (unsigned long long)n->read,
               (unsigned long long)n->created, (unsigned long long)n->changed, (unsigned long long)n->deleted);
    }
    if (r->n_members_added || r->n_members_removed)
        printf("  memberships: %llu added, %llu removed\n", (unsigned long long)r->n_members_added, (unsigned long long)r->n_members_removed);
    for (unsigned k = 1; k < KIND_COUNT; k++)
        if (r->held[k])
            printf("  HELD: %llu %s vanished at once and were not tombstoned; look, then sync with --accept-deletions\n",
                   (unsigned long long)r->held[k], kind_plural((enum kind)k));
}

static int show_tables(const struct sync_options *o, const struct sync_result *result, struct err *e)
{
    for (size_t i = 0; i < result->n_runs; i++) {
        show_table(&result->runs[i]);
        fflush(stdout);
        try(out_print_run_gaps(o->store, result->runs[i].id, e));
    }
    return 0;
}

static int deliver_all(struct cli *c, const struct connector_conf *connector, struct err *e)
{
    for (size_t i = 0; i < c->conf.n_sinks; i++) {
        struct deliver_report d = {0};
        if (deliver(c->store, connector, &c->conf.sinks[i], &d, e) < 0) return err_wrap(e, "deliver to %s", c->conf.sinks[i].name);
        fprintf(stderr, "%s: %llu events to %s\n", connector->name, (unsigned long long)d.events, c->conf.sinks[i].name);
    }
    return 0;
}

/* What a server's page lists (catalog/catalog.h), where there is a server or was one. It is no truth: that it cannot be kept does not fail the run. */
static void keep_catalog(struct cli *c, struct progress *progress)
{
    const char *how;
    struct err e;
    int64_t start = when_now_ms();
    defer_free char *server = cli_beside_store(c, "server"), *path = cli_beside_store(c, "catalog");
    if (!path || (access(server, F_OK) < 0 && access(path, F_OK) < 0)) return;
    progress_phase(progress, "catalog");
    struct catalog_rules rules = {c->conf.identity_rules, c->conf.n_identity_rules};
    if (catalog_refresh_by(c->store, path, &rules, &how, &e) < 0)
        log_event(LOG_WARN, "catalog.not_kept", LOG_CSTR("file", path), LOG_CSTR("why", e.message));
    else
        log_event(LOG_INFO, "catalog.kept", LOG_CSTR("how", how), LOG_INT("ms", when_now_ms() - start));
}

static int run(struct cli *c, struct err *e)
{
    struct sync_options o = {.full = cli_flag(c, "full"), .accept_deletions = cli_flag(c, "accept-deletions"), .try_now = cli_flag(c, "try-now")};
    struct stream_report report = {.gaps = NULL};
    struct progress progress;
    struct sync_result result;
    uint64_t expected[KIND_COUNT];
    try(cli_connector(c, &o.connector, e));
    try(cli_store(c, &o.store, e));
    defer_free char *access_file = cli_beside_store(c, "access");
    o.access_file = access_file;
    expected_counts(o.store, o.connector->name, expected);
    report.gaps = gap_list_new();
    progress_start(&progress, c, o.connector->name, expected, &report);
    int rc = sync_directory(&o, &report, &result, e);
    progress_stop(&progress);
    if (rc == 0) keep_catalog(c, &progress);
    gap_list_free(report.gaps);
    if (rc < 0) return err_wrap(e, "sync %s", o.connector->name);
    if (c->format == OUT_TABLE) {
        try(show_tables(&o, &result, e));
    } else {
        try(show(c, result.runs[result.n_runs - 1].id, e));
    }
    if (c->conf.n_sinks && !cli_flag(c, "no-deliver")) {
        progress_phase(&progress, "deliver");
        try(deliver_all(c, o.connector, e));
    }
    return result.runs[result.n_runs - 1].status == RUN_COMPLETE ? 0 : EXIT_PARTIAL;
}

const struct command cmd_sync = {
    .name = "sync",
    .arguments = "CONNECTOR",
    .min_args = 1,
    .max_args = 1,
    .summary = "Read a directory into the store, note what changed, deliver to the sinks",
    .doc = "The first run reads everything; later ones what was written since, and what that touches: the state is that of a full run.\n"
           "A run becomes visible as a whole when it ends; one that fails leaves yesterday's snapshot as it was. Only a kind\n"
           "whose listing is proved complete is tombstoned.\n\n"
           "A refused credential pauses the connector, so that a schedule does not lock the account out: one more attempt after\n"
           "the setting frequency, and none after a second wrong secret, until the secret or the settings change, check\n"
           "signs in, or --try-now is given.",
    .options = options,
    .run = run,
};
