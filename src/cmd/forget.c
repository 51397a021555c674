/* forget.c - forget: the rows of removed connectors go, from the store and from what pages list (internal: a job of the server). */
#include "catalog/catalog.h"
#include "cmd/out.h"

#include <stdio.h>
#include <unistd.h>

static int refresh_catalog(struct cli *c, struct store *s, struct err *e)
{
    struct str url = str_from(c->conf.store_url);
    const char *how;
    struct buf path = buf_new(8192);
    if (str_starts(url, STR("sqlite:"))) buf_printf(&path, "%s.catalog", url.ptr + strlen("sqlite:"));
    struct catalog_rules rules = {c->conf.identity_rules, c->conf.n_identity_rules};
    int rc = path.len && access(buf_cstr(&path), F_OK) == 0 ? catalog_refresh_by(s, buf_cstr(&path), &rules, &how, e) : 0;
    buf_free(&path);
    return rc;
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
