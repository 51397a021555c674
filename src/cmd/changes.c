/* changes.c - change list, entity history */
#include "cmd/out.h"
#include "run/rows.h"

#include "base/file.h"
#include "run/deliver.h"

#include <unistd.h>

struct listing {
    struct out *out;
    struct err *e;
    int rc;
};

static bool each(void *ctx, const struct change *ch)
{
    struct listing *l = ctx;
    l->rc = out_row(l->out, rows_change(ch), l->e);
    return l->rc == 0;
}

static const struct out_column columns[] = {{"run", NULL},       {"kind", NULL}, {"name", NULL}, {"change", NULL}, {"attribute", NULL},
                                            {"member", NULL},    {"old", NULL},  {"new", NULL},  {NULL, NULL}};

static const struct cli_option list_options[] = {
    {"connector", 'c', "NAME", "only this connector", NULL, false},
    {"kind", 'k', "A,B", "only these kinds", NULL, false},
    {"since", 0, "RUN", "only what later runs found", NULL, false},
    {"run", 0, "RUN", "only what this run found", NULL, false},
    {"limit", 'n', "N", "at most so many (0: all)", NULL, false},
    {"dialect", 'd', "NAME", "ocsf: as OCSF account and group change events", "ocsf", false},
    {"ocsf-version", 0, "V", "1.8.0, 1.6.0 or 1.1.0", "1.8.0|1.6.0|1.1.0", false},
    {NULL, 0, NULL, NULL, NULL, false},
};

static int show(struct cli *c, const struct change_query *q, struct err *e)
{
    struct listing l = {.e = e};
    try(out_open(&l.out, c, columns, e));
    int rc = store_changes(c->store, q, each, &l, e);
    return out_finish(l.out, rc < 0 ? rc : l.rc, e);
}

static int list(struct cli *c, struct err *e)
{
    struct store *s;
    struct change_query q = {.connector = str_from(cli_value(c, "connector"))};
    const char *version = cli_value(c, "ocsf-version");
    try(cli_kinds(c, &q.kinds, e));
    try(cli_number(c, "since", 0, 0, &q.since_run, e));
    try(cli_number(c, "run", 1, 0, &q.run, e));
    try(cli_number(c, "limit", 0, 0, &q.limit, e));
    try(cli_store(c, &s, e));
    if (!cli_value(c, "dialect")) return show(c, &q, e);
    return deliver_changes_to(s, &q, str_from(version ? version : "1.8.0"), STDOUT_FILENO, e);
}

static void take_id(void *ctx, const struct entity *entity)
{
    *(int64_t *)ctx = entity->id;
}

static const struct cli_option history_options[] = {
    {"connector", 'c', "NAME", "look in this connector", NULL, false},
    {"limit", 'n', "N", "at most so many (0: all)", NULL, false},
    {NULL, 0, NULL, NULL, NULL, false},
};

static int history(struct cli *c, struct err *e)
{
    struct store *s;
    struct change_query q = {0};
    struct str connector = str_from(cli_value(c, "connector"));
    try(cli_number(c, "limit", 0, 0, &q.limit, e));
    try(cli_store(c, &s, e));
    try(store_entity_find(s, connector, str_from(c->args[0]), true, take_id, &q.entity_id, e));
    return show(c, &q, e);
}

const struct command cmd_change_list = {.name = "change list",
                                        .arguments = "",
                                        .summary = "List what changed, one line a difference",
                                        .options = list_options,
                                        .run = list};
const struct command cmd_entity_history = {
    .name = "entity history",
    .arguments = "ENTITY",
    .min_args = 1,
    .max_args = 1,
    .summary = "List what happened to one entity, its memberships too",
    .doc = "ENTITY is a GUID, SID, DN, sAMAccountName or user principal name.",
    .options = history_options,
    .run = history,
};
