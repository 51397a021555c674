/* runs.c - run list, run get */
#include "cmd/out.h"
#include "run/rows.h"

#include <stdlib.h>

struct listing {
    struct store *store;
    struct out *out;
    struct err *e;
    int rc;
};

static bool each(void *ctx, const struct run_row *r)
{
    struct listing *l = ctx;
    json_t *row;
    l->rc = rows_run_get(l->store, r->id, &row, l->e); /* with its gaps */
    if (l->rc == 0) l->rc = out_row(l->out, row, l->e);
    return l->rc == 0;
}

static const struct out_column columns[] = {{"id", NULL},       {"connector", NULL}, {"status", NULL}, {"started", NULL},
                                            {"ended", NULL},    {"server", NULL},    {"requests", NULL}, {NULL, NULL}};

static const struct cli_option list_options[] = {
    {"connector", 'c', "NAME", "only this connector", NULL, false},
    {"limit", 'n', "N", "at most so many (default 20, 0: all)", NULL, false},
    {NULL, 0, NULL, NULL, NULL, false},
};

static int list(struct cli *c, struct err *e)
{
    struct store *s;
    int64_t limit;
    struct listing l = {.e = e};
    try(cli_number(c, "limit", 0, 20, &limit, e));
    try(cli_store(c, &s, e));
    l.store = s;
    try(out_open(&l.out, c, columns, e));
    int rc = store_runs(s, str_from(cli_value(c, "connector")), limit, each, &l, e);
    return out_finish(l.out, rc < 0 ? rc : l.rc, e);
}

static int get(struct cli *c, struct err *e)
{
    struct store *s;
    json_t *row;
    char *end;
    long long id = strtoll(c->args[0], &end, 10);
    if (*end || id <= 0) {
        err_set(e, ERR_INPUT, "run get: '%s' is no run number", c->args[0]);
        return err_hint(e, "rollcall run list shows them");
    }
    try(cli_store(c, &s, e));
    try(rows_run_get(s, id, &row, e));
    return out_object(c, row, e);
}

const struct command cmd_run_list = {
    .name = "run list", .arguments = "", .summary = "List runs, the newest first", .options = list_options, .run = list};
const struct command cmd_run_get = {.name = "run get",
                                    .arguments = "ID",
                                    .min_args = 1,
                                    .max_args = 1,
                                    .summary = "Show one run: counts per kind, gaps, error",
                                    .run = get};
