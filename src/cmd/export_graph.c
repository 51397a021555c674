#include "cmd/export_graph.h"

#include "access/graph/bloodhound.h"
#include "access/graph/zip.h"
#include "base/file.h"
#include "sink/sink.h"

#include <stdio.h>

struct target {
    struct graph_options options;
    struct str dialect;
    struct store *store;
    struct graph_counts counts;
    struct zip *zip;
    struct sink_set *set;
    struct sink_set_file *file; /* of the set */
};

bool export_is_graph(struct str dialect)
{
    return str_equal(dialect, STR("bloodhound")) || str_equal(dialect, STR("opengraph"));
}

static int zip_file(void *ctx, const char *name, struct err *e)
{
    return zip_entry(((struct target *)ctx)->zip, name, e);
}

static struct buf *zip_room(void *ctx)
{
    return zip_buf(((struct target *)ctx)->zip);
}

static int zip_rows(void *ctx, uint64_t rows, struct err *e)
{
    (void)rows;
    return zip_wrote(((struct target *)ctx)->zip, e);
}

static int set_file(void *ctx, const char *name, struct err *e)
{
    struct target *t = ctx;
    return sink_set_file(t->set, &t->file, name, e);
}

static struct buf *set_room(void *ctx)
{
    return sink_set_buf(((struct target *)ctx)->file);
}

static int set_rows(void *ctx, uint64_t rows, struct err *e)
{
    return sink_set_wrote_rows(((struct target *)ctx)->file, rows, e);
}

static int write_graph(struct target *t, const struct graph_out *out, struct err *e)
{
    bool is_open = str_equal(t->dialect, STR("opengraph"));
    return is_open ? opengraph_write(t->store, &t->options, out, &t->counts, e)
                   : bloodhound_write(t->store, &t->options, out, &t->counts, e);
}

static int write_zip(void *ctx, int fd, struct err *e)
{
    struct target *t = ctx;
    struct graph_out out = {zip_file, zip_room, zip_rows, t};
    t->zip = zip_new(fd);
    int rc = write_graph(t, &out, e);
    if (rc == 0) rc = zip_finish(t->zip, e);
    zip_free(t->zip);
    return rc;
}

static int write_set(struct target *t, const char *directory, struct err *e)
{
    struct graph_out out = {set_file, set_room, set_rows, t};
    char extra[256];
    try(sink_set_open(&t->set, directory, e));
    int rc = write_graph(t, &out, e);
    snprintf(extra, sizeof extra, "\"connector\":\"%.*s\",\"dialect\":\"%.*s\",\"effective\":%s",
             STR_FMT(t->options.connector), STR_FMT(t->dialect), t->options.is_effective ? "true" : "false");
    if (rc == 0) rc = sink_set_commit(t->set, str_from(extra), e);
    sink_set_discard(t->set);
    return rc;
}

static bool is_zip(const char *to)
{
    size_t n = strlen(to);
    return n > 4 && str_equal_nocase((struct str){to + n - 4, 4}, STR(".zip"));
}

static int refuse_others(const struct cli *c, struct err *e)
{
    static const char *const others[] = {"kind", "ocsf-version", "columns"};
    if (cli_flag(c, "test") || cli_flag(c, "raw"))
        return err_set(e, ERR_INPUT, "export: --%s is not for graphs", cli_flag(c, "test") ? "test" : "raw");
    for (size_t i = 0; i < n_elements(others); i++)
        if (cli_value(c, others[i]))
            return err_set(e, ERR_INPUT, "export: --%s is not for graphs", others[i]);
    return 0;
}

int export_graph(struct cli *c, struct str connector, struct str dialect, const char *to, struct err *e)
{
    struct target t = {.options = {connector, cli_flag(c, "effective")}, .dialect = dialect};
    try(refuse_others(c, e));
    try(cli_store(c, &t.store, e));
    try(is_zip(to) ? file_write_atomic_by(to, 0600, write_zip, &t, e) : write_set(&t, to, e));
    fprintf(stderr, "%.*s: %llu nodes and %llu edges of permissions written to %s\n", STR_FMT(connector),
            (unsigned long long)t.counts.n_nodes, (unsigned long long)t.counts.n_edges, to);
    if (!t.counts.n_without_sd) return 0;
    fprintf(stderr,
            "the security descriptors of %llu objects were not read: their edges are missing\n"
            "set extract_acls: true and let the account read permissions (READ_CONTROL)\n",
            (unsigned long long)t.counts.n_without_sd);
    return EXIT_PARTIAL;
}
