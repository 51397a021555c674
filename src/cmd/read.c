#include "cmd/cli.h"
#include "cmd/out.h"
#include "cmd/progress.h"
#include "run/read.h"

#include <stdio.h>
#include <unistd.h>

static const struct cli_option options[] = {
    {"kind", 'k', "A,B", "only these kinds (user, group, computer, ou, ...)", NULL, false},
    {"dialect", 'd', "NAME", "ocsf, sekoia, veza or csv (default ocsf)", "ocsf|sekoia|veza|csv", false},
    {"ocsf-version", 0, "V", "1.8.0, 1.6.0 or 1.1.0 (default 1.8.0)", "1.8.0|1.6.0|1.1.0", false},
    {"no-group-events", 0, NULL, "ocsf: leave out class 3004 (groups, OUs, domain)", NULL, false},
    {"computers-as-users", 0, NULL, "ocsf: computers also as class 5003", NULL, false},
    {"raw", 0, NULL, "csv: no apostrophe before = + - @", NULL, false},
    {NULL, 0, NULL, NULL, NULL, false},
};

static void summary(const struct stream_report *r, const char *connector)
{
    fprintf(stderr, "%s: read", connector);
    const char *comma = " ";
    for (unsigned k = 1; k < KIND_COUNT; k++) {
        if (!r->asked[k] || !r->received[k]) continue;
        fprintf(stderr, "%s%llu %s%s", comma, (unsigned long long)r->received[k], kind_plural((enum kind)k), r->complete[k] ? "" : " (INCOMPLETE)");
        comma = ", ";
    }
    struct buf server = buf_new(4096);
    out_visible(&server, str_from(r->server));
    fprintf(stderr, " from %s in %llu requests\n", buf_cstr(&server), (unsigned long long)r->requests);
    buf_free(&server);
}

static int run(struct cli *c, struct err *e)
{
    const char *dialect = cli_value(c, "dialect"), *version = cli_value(c, "ocsf-version");
    struct read_options o = {.dialect = str_from(dialect ? dialect : "ocsf"), .out_fd = STDOUT_FILENO};
    struct stream_report report = {.gaps = NULL};
    struct progress progress;
    o.dialect_options.ocsf_version = str_from(version ? version : "1.8.0");
    o.dialect_options.no_groups_events = cli_flag(c, "no-group-events");
    o.dialect_options.computers_as_users = cli_flag(c, "computers-as-users");
    o.dialect_options.raw_csv = cli_flag(c, "raw");
    try(cli_kinds(c, &o.kinds, e));
    try(cli_connector(c, &o.connector, e));
    report.gaps = gap_list_new();
    progress_start(&progress, c, o.connector->name, NULL, &report);
    int rc = read_directory(&o, &report, e);
    progress_stop(&progress);
    if (rc == 0) {
        summary(&report, o.connector->name);
        if (report_gaps(&report)) rc = EXIT_PARTIAL;
    } else {
        err_wrap(e, "read %s", o.connector->name);
    }
    gap_list_free(report.gaps);
    return rc;
}

const struct command cmd_read = {
    .name = "read",
    .arguments = "CONNECTOR",
    .min_args = 1,
    .max_args = 1,
    .summary = "Read a directory straight to standard output, with no store",
    .doc = "One line an entity in the dialect asked for. What was missing is told on standard error; exit code 5 means\n"
           "that entities or memberships may be missing.",
    .options = options,
    .run = run,
};
