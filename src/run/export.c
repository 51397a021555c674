#include "run/export.h"

#include "run/subject.h"
#include "sink/sink.h"

#include <stdio.h>
#include <stdlib.h>

#define FILES_MAX 24

struct exporting {
    struct store *store;
    const struct export_options *options;
    struct subject_maker maker;
    struct dialect *dialect;
    struct csv_column *columns[CSV4_FILES];
    struct sink_set *set;
    struct dialect_file files[FILES_MAX];
    struct sink_set_file *outs[FILES_MAX];
    size_t n_files;
    uint64_t n_rows;
    struct err *e;
    int rc;
};

static bool newest(void *ctx, const struct run_row *r)
{
    *(int64_t *)ctx = r->ended_ms;
    return r->status == RUN_FAILED || r->status == RUN_RUNNING;
}

static void take_columns(struct exporting *x, struct dialect_options *o)
{
    const struct csv4_columns *c = x->options->csv4;
    if (!c) return;
    o->csv_delimiter = c->delimiter;
    if (!o->csv4_domain.len) o->csv4_domain = c->file_domain;
    for (enum csv4_file f = 0; f < CSV4_FILES; f++) {
        if (!c->files[f].n) continue;
        x->columns[f] = x_alloc(c->files[f].n * sizeof *x->columns[f]);
        for (size_t i = 0; i < c->files[f].n; i++)
            x->columns[f][i] = (struct csv_column){c->files[f].columns[i].property, c->files[f].columns[i].title};
        o->csv4[f] = (struct csv_columns){x->columns[f], c->files[f].n};
    }
}

static int open_dialect(struct exporting *x, char run_uid[160], struct err *e)
{
    struct dialect_options o = x->options->dialect_options;
    o.is_tenant = domain_is_tenant(&x->maker.connector.domain);
    take_columns(x, &o);
    o.context = (struct event_context){.connector = x->options->connector, .run = x->maker.connector.visible_run, .version = ROLLCALL_VERSION};
    snprintf(run_uid, 160, "%.*s-%lld", STR_FMT(x->options->connector), (long long)o.context.run);
    o.context.run_uid = str_from(run_uid);
    try(store_runs(x->store, x->options->connector, 0, newest, &o.context.time_ms, e));
    return dialect_open(&x->dialect, x->options->dialect, &o, e);
}

static int open_files(struct exporting *x, struct err *e)
{
    kind_set wanted = x->options->kinds ? x->options->kinds : KINDS_ALL;
    struct dialect_file f;
    for (size_t i = 0; i < FILES_MAX && dialect_file(x->dialect, i, &x->maker.connector.domain, &f); i++) {
        x->files[i] = f;
        x->files[i].kinds &= wanted;
        x->n_files = i + 1;
        if (!x->files[i].kinds) continue;
        try(sink_set_file(x->set, &x->outs[i], f.name, e));
        if (x->options->csv4 && x->options->csv4->with_mark) buf_add_str(sink_set_buf(x->outs[i]), STR("\xef\xbb\xbf"));
        dialect_file_header(x->dialect, i, sink_set_buf(x->outs[i]));
    }
    return 0;
}

static int write_rows(struct exporting *x, size_t i, const struct subject *s)
{
    int more;
    do {
        uint64_t rows = 0;
        more = dialect_file_rows(x->dialect, i, s, sink_set_buf(x->outs[i]), &rows, x->e);
        if (more < 0) return more;
        x->n_rows += rows;
        try(sink_set_wrote_rows(x->outs[i], rows, x->e));
    } while (more);
    return 0;
}

static int write_entity(struct exporting *x, const struct entity *entity)
{
    const struct subject *s;
    try(subject_make(&x->maker, entity, true, &s, x->e));
    for (size_t i = 0; i < x->n_files; i++)
        if (x->files[i].kinds & KIND_BIT(entity->record.kind)) try(write_rows(x, i, s));
    return 0;
}

static bool each(void *ctx, const struct entity *entity)
{
    struct exporting *x = ctx;
    x->rc = write_entity(x, entity);
    return x->rc == 0;
}

static int write_all(struct exporting *x, struct err *e)
{
    struct entity_query q = {.connector = x->options->connector, .kinds = x->options->kinds};
    char extra[256], run[32];
    try(open_files(x, e));
    try(store_entities(x->store, &q, each, x, e));
    try(x->rc);
    snprintf(run, sizeof run, "\"run\":%lld", (long long)x->maker.connector.visible_run);
    snprintf(extra, sizeof extra, "\"connector\":\"%.*s\",\"dialect\":\"%.*s\",%s,\"raw_csv\":%s", STR_FMT(x->options->connector),
             STR_FMT(x->options->dialect), x->options->is_test ? "\"test\":true" : run, x->options->dialect_options.raw_csv ? "true" : "false");
    return sink_set_commit(x->set, str_from(extra), e);
}

int export_set(struct store *s, const struct export_options *o, uint64_t *n_rows, struct err *e)
{
    char run_uid[160];
    struct exporting x = {.store = s, .options = o, .e = e};
    int rc = subject_maker_init(&x.maker, s, o->connector, e);
    if (rc == 0) rc = open_dialect(&x, run_uid, e);
    if (rc == 0) rc = sink_set_open(&x.set, o->dir, e);
    if (rc == 0) rc = write_all(&x, e);
    sink_set_discard(x.set);
    dialect_close(x.dialect);
    for (enum csv4_file f = 0; f < CSV4_FILES; f++) free(x.columns[f]);
    subject_maker_fini(&x.maker);
    *n_rows = x.n_rows;
    return rc;
}
