#include "run/export.h"
#include "cmd/cli.h"

#include <stdio.h>

static const struct cli_option options[] = {
    {"connector", 'c', "NAME", "the connector to export (required)", NULL, false},
    {"dialect", 'd', "NAME", "ocsf, sekoia, veza, csv or csv4 (required)", "ocsf|sekoia|veza|csv|csv4", false},
    {"to", 't', "DIR", "the directory for the set (required)", NULL, false},
    {"kind", 'k', "A,B", "only these kinds", NULL, false},
    {"ocsf-version", 0, "V", "1.8.0, 1.6.0 or 1.1.0 (default 1.8.0)", "1.8.0|1.6.0|1.1.0", false},
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

static int run(struct cli *c, struct err *e)
{
    struct export_options o = {0};
    struct store *s;
    uint64_t n;
    const char *connector, *dialect, *version = cli_value(c, "ocsf-version");
    try(need(c, "connector", &connector, e));
    try(need(c, "dialect", &dialect, e));
    try(need(c, "to", &o.dir, e));
    try(cli_kinds(c, &o.kinds, e));
    o.connector = str_from(connector);
    o.dialect = str_from(dialect);
    o.dialect_options.ocsf_version = str_from(version ? version : "1.8.0");
    o.dialect_options.raw_csv = cli_flag(c, "raw");
    try(cli_store(c, &s, e));
    int rc = export_set(s, &o, &n, e);
    if (rc < 0) return err_wrap(e, "export %s", connector);
    fprintf(stderr, "%s: %llu rows written to %s\n", connector, (unsigned long long)n, o.dir);
    return 0;
}

const struct command cmd_export = {
    .name = "export",
    .arguments = "",
    .summary = "Write the last snapshot as a set of files with a manifest",
    .doc = "The set appears as a whole or not at all; manifest.json holds counts and SHA-256 sums.",
    .options = options,
    .run = run,
};
