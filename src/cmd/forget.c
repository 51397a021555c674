/* forget.c - forget: the rows of removed connectors go, from the store and from what pages list (internal: a job of the server). */
#include "catalog/catalog.h"
#include "cmd/out.h"

#include <unistd.h>

static int refresh_catalog(struct cli *c, struct store *s, struct err *e)
{
    const char *how;
    defer_free char *path = cli_beside_store(c, "catalog");
    struct catalog_rules rules = {c->conf.identity_rules, c->conf.n_identity_rules};
    return path && access(path, F_OK) == 0 ? catalog_refresh_by(s, path, &rules, &how, e) : 0;
}

/* The catalog first: it is what people look at. */
static int run(struct cli *c, struct err *e)
{
    struct store *s;
    try(cli_store(c, &s, e));
    try(refresh_catalog(c, s, e));
    return store_sweep(s, e);
}

const struct command cmd_forget = {
    .name = "forget",
    .arguments = "",
    .summary = "Remove the rows of connectors that were deleted with their assets",
    .run = run,
    .is_hidden = true,
};
