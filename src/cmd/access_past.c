#include "cmd/access_past.h"
#include "cmd/access_keep.h"

#include <stdio.h>

static void take_run(void *ctx, const struct run_row *r)
{
    struct access_run *f = ctx;
    snprintf(f->connector, sizeof f->connector, "%.*s", STR_FMT(r->connector));
    f->status = r->status;
    f->ended_ms = r->ended_ms;
}

static void skip_gap(void *ctx, const struct gap *g)
{
    (void)ctx, (void)g;
}

int access_find_run(struct access_cli *a, const char *option, int64_t run, struct access_run *out, struct err *e)
{
    if (store_run_get(a->store, run, take_run, skip_gap, out, e) < 0) return err_wrap(e, "--%s", option);
    if (out->status != RUN_FAILED && out->status != RUN_RUNNING) return 0;
    err_set(e, ERR_INPUT, "--%s %lld: that run has changed nothing, it is %s", option, (long long)run, run_status_name(out->status));
    return err_hint(e, "rollcall run list tells the others");
}

int access_cli_past(struct past **out, struct access_cli *a, uint32_t connector, struct err *e)
{
    int64_t run;
    struct access_run found;
    *out = NULL;
    try(cli_number(a->cli, "run", 1, 0, &run, e));
    if (!run) return 0;
    try(access_find_run(a, "run", run, &found, e));
    uint32_t of = world_connector_named(a->world, str_from(found.connector)); /* NOBODY: not one of Active Directory */
    if (of == NOBODY || of != connector) {
        struct str asked = connector == NOBODY ? STR("no connector") : a->world->connectors[connector].name;
        return err_set(e, ERR_INPUT, "--run %lld is of %s, what is asked about of %.*s", (long long)run, found.connector, STR_FMT(asked));
    }
    int rc = past_read(out, a->store, a->world, connector, run, e);
    if (rc == 0 && access_kept()) {
        access_kept()->as_of_ms = found.ended_ms;
        access_kept()->n_lost = (*out)->n_lost;
    }
    return rc;
}

#define LOST "%llu changes could not be undone: who they are about, or the old descriptor, is gone"

void access_print_lost(const struct past *p)
{
    if (p && p->n_lost && !access_kept()) fprintf(stderr, "gap: " LOST "\n", (unsigned long long)p->n_lost);
}

void access_add_lost(json_t *gaps, uint64_t n)
{
    char what[160];
    snprintf(what, sizeof what, LOST, (unsigned long long)n);
    if (n) json_array_insert_new(gaps, 0, json_pack("{s:s}", "what", what));
}
