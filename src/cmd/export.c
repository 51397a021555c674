#include "run/export.h"
#include "cmd/cli.h"
#include "cmd/export_graph.h"
#include "cmd/progress.h"
#include "run/extract.h"

#include <stdio.h>

static const struct cli_option options[] = {
    {"connector", 'c', "NAME", "the connector to export (required)", NULL, false},
    {"dialect", 'd', "NAME", "ocsf, sekoia, veza, csv, csv4, bloodhound or opengraph (required)", "ocsf|sekoia|veza|csv|csv4|bloodhound|opengraph", false},
    {"to", 't', "DIR", "the directory for the set (required); of bloodhound and opengraph also FILE.zip", NULL, false},
    {"test", 0, NULL, "read the directory now and keep nothing, instead of the last snapshot", NULL, false},
    {"kind", 'k', "A,B", "only these kinds", NULL, false},
    {"ocsf-version", 0, "V", "1.8.0, 1.6.0 or 1.1.0 (default 1.8.0)", "1.8.0|1.6.0|1.1.0", false},
    {"columns", 0, "FILE", "csv4: columns, titles, delimiter and encoding (csv4.yaml)", NULL, false},
    {"effective", 0, NULL, "bloodhound, opengraph: only permissions that are really held, denies respected", NULL, false},
    {"raw", 0, NULL, "csv: no apostrophe before = + - @", NULL, false},
    {NULL, 0, NULL, NULL, NULL, false},
};

static int need(const struct cli *c, const char *name, const char **out, struct err *e)
{
    *out = cli_value(c, name);
    if (*out) return 0;
    err_set(e, ERR_INPUT, "export: --%s is missing", name);
    return err_hint(e, "rollcall export --connector corp --dialect csv --to out");
}

static int take_columns(const struct cli *c, struct export_options *o, struct csv4_columns *columns, struct err *e)
{
    const char *path = cli_value(c, "columns");
    if (!path) return 0;
    if (!str_equal(o->dialect, STR("csv4"))) return err_set(e, ERR_INPUT, "export: --columns is for --dialect csv4");
    o->csv4 = columns;
    return csv4_columns_load(columns, path, e);
}

static int from_store(struct cli *c, const struct export_options *o, uint64_t *n, struct err *e)
{
    struct store *s;
    try(cli_store(c, &s, e));
    return export_set(s, o, n, e);
}

/* Exit 5 if entities or memberships may be missing. */
static int from_directory(struct cli *c, const char *name, const struct export_options *o, uint64_t *n, struct err *e)
{
    const struct connector_conf *connector;
    struct stream_report report = {.gaps = NULL};
    struct progress progress;
    try(cli_connector_named(c, name, &connector, e));
    report.gaps = gap_list_new();
    progress_start(&progress, c, name, NULL, &report);
    int rc = extract_set(connector, o, &report, n, e);
    progress_stop(&progress);
    if (rc == 0 && report_gaps(&report)) rc = EXIT_PARTIAL;
    gap_list_free(report.gaps);
    return rc;
}

static int run(struct cli *c, struct err *e)
{
    struct export_options o = {.csv4 = NULL};
    struct csv4_columns columns = {.delimiter = 0};
    uint64_t n = 0;
    const char *connector, *dialect, *version = cli_value(c, "ocsf-version");
    try(need(c, "connector", &connector, e));
    try(need(c, "dialect", &dialect, e));
    try(need(c, "to", &o.dir, e));
    try(cli_kinds(c, &o.kinds, e));
    o.connector = str_from(connector);
    o.dialect = str_from(dialect);
    if (export_is_graph(o.dialect)) return export_graph(c, o.connector, o.dialect, o.dir, e);
    if (cli_flag(c, "effective")) return err_set(e, ERR_INPUT, "export: --effective is for --dialect bloodhound and opengraph");
    o.dialect_options.ocsf_version = str_from(version ? version : "1.8.0");
    o.dialect_options.raw_csv = cli_flag(c, "raw");
    try(take_columns(c, &o, &columns, e));
    int rc = cli_flag(c, "test") ? from_directory(c, connector, &o, &n, e) : from_store(c, &o, &n, e);
    csv4_columns_free(&columns);
    if (rc < 0) return err_wrap(e, "export %s", connector);
    fprintf(stderr, "%s: %llu rows written to %s\n", connector, (unsigned long long)n, o.dir);
    return rc;
}

const struct command cmd_export = {
    .name = "export",
    .arguments = "",
    .summary = "Write the last snapshot as a set of files with a manifest",
    .doc = "The set appears as a whole or not at all; manifest.json holds counts and SHA-256 sums.\n\n"
           "With --test (a test extraction) the directory is read now, into a store in $TMPDIR that is thrown away: neither the\n"
           "store nor any sink is touched, and none need be set. What was missing is told on standard error; exit code 5 means\n"
           "that entities or memberships may be missing.",
    .options = options,
    .run = run,
};
