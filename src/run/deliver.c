#include "run/deliver.h"

#include "base/file.h"
#include "run/export.h"
#include "run/subject.h"
#include "run/worker.h"
#include "sink/sink.h"
#include "vault/vault.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define BATCH_DEFAULT 100
#define BATCH_BYTES   ((size_t)256 << 20)

/* Turns changes into lines: the change's own events, and the state of whom it touches, once a batch. */
struct liner {
    struct store *store;
    struct subject_maker maker;
    struct dialect *dialect;
    bool with_states;
    char run_uid[160];
    struct hmap told; /* states sent by this call: GUID and when it last changed */
    struct buf lines;
    int64_t last_change;
    uint64_t n_changes;
    const struct change *now;
    struct err *e;
    int rc;
};

static void state_of(void *ctx, const struct entity *entity)
{
    struct liner *l = ctx;
    const struct subject *s;
    struct hash128 key;
    bool is_new;
    if (entity->deleted_ms) return;
    memcpy(&key, entity->record.guid, sizeof key);
    key.hi ^= (uint64_t)entity->last_changed_ms;
    hmap_put(&l->told, key, &is_new);
    if (!is_new) return;
    l->rc = subject_make(&l->maker, entity, true, &s, l->e);
    if (l->rc == 0) l->rc = dialect_entity(l->dialect, s, &l->lines, l->e);
}

static void change_of(void *ctx, const struct entity *entity)
{
    struct liner *l = ctx;
    const struct subject *s;
    l->rc = subject_make(&l->maker, entity, false, &s, l->e);
    if (l->rc == 0) l->rc = dialect_change(l->dialect, l->now, s, &l->lines, l->e);
}

static int with_entity(struct liner *l, const uint8_t guid[GUID_SIZE], void (*then)(void *, const struct entity *))
{
    char text[GUID_TEXT];
    struct err gone;
    guid_format(text, guid);
    l->rc = 0;
    int rc = store_entity_find(l->store, l->maker.connector.name, str_from(text), true, then, l, &gone);
    if (rc < 0 && rc != ERR_NOTFOUND) {
        *l->e = gone;
        return rc;
    }
    return l->rc;
}

static int tell_state(struct liner *l, const uint8_t guid[GUID_SIZE])
{
    static const uint8_t nobody[GUID_SIZE];
    if (!l->with_states || memcmp(guid, nobody, GUID_SIZE) == 0) return 0;
    return with_entity(l, guid, state_of);
}

static int take_change(struct liner *l, const struct change *c)
{
    l->now = c;
    try(with_entity(l, c->guid, change_of));
    try(tell_state(l, c->guid));
    if (c->type == CHANGE_member_added || c->type == CHANGE_member_removed) try(tell_state(l, c->member_guid));
    if (l->lines.failed) return err_set(l->e, ERR_LIMIT, "a batch is longer than %zu bytes", BATCH_BYTES);
    l->last_change = c->id;
    l->n_changes++;
    return 0;
}

static bool each_change(void *ctx, const struct change *c)
{
    struct liner *l = ctx;
    l->rc = take_change(l, c);
    return l->rc == 0;
}

static bool newest(void *ctx, const struct run_row *r)
{
    *(int64_t *)ctx = r->ended_ms;
    return r->status == RUN_FAILED || r->status == RUN_RUNNING; /* go on to the one that is visible */
}

static int liner_open(struct liner *l, struct store *s, struct str connector, struct str dialect, struct dialect_options *o, struct err *e)
{
    *l = (struct liner){.store = s, .with_states = true, .lines = buf_new(BATCH_BYTES), .e = e};
    try(subject_maker_init(&l->maker, s, connector, e));
    l->maker.by_content = true;
    o->is_tenant = domain_is_tenant(&l->maker.connector.domain);
    o->context = (struct event_context){.connector = connector, .run = l->maker.connector.visible_run, .version = ROLLCALL_VERSION};
    snprintf(l->run_uid, sizeof l->run_uid, "%.*s-%lld", STR_FMT(connector), (long long)o->context.run);
    o->context.run_uid = str_from(l->run_uid);
    int rc = store_runs(s, connector, 0, newest, &o->context.time_ms, e);
    if (rc == 0) rc = dialect_open(&l->dialect, dialect, o, e);
    if (rc == 0 && dialect_shape(l->dialect) == SHAPE_CSV) {
        err_set(e, ERR_INPUT, "dialect %.*s is a set of files; it cannot be delivered as events", STR_FMT(dialect));
        rc = err_hint(e, "use a sink of type directory for it");
    }
    return rc;
}

static void liner_close(struct liner *l)
{
    dialect_close(l->dialect);
    if (l->store) subject_maker_fini(&l->maker);
    hmap_free(&l->told);
    buf_free(&l->lines);
}

/* The changes behind `after`, at most `limit`, as lines. */
static int next_batch(struct liner *l, int64_t after, int64_t limit)
{
    struct change_query q = {.connector = l->maker.connector.name, .after_change = after, .limit = limit};
    buf_clear(&l->lines);
    l->n_changes = 0;
    l->last_change = after;
    l->rc = 0;
    try(store_changes(l->store, &q, each_change, l, l->e));
    return l->rc;
}

/* --- HTTP ------------------------------------------------------------------------------------------------ */

/* At most `most` lines off the front, as one request body; the count goes to *n. */
static void make_body(struct buf *body, struct str *lines, bool wrapped, int64_t most, uint64_t *n)
{
    buf_clear(body);
    *n = 0;
    if (wrapped) buf_add_str(body, STR("{\"version\":1,\"items\":["));
    while (lines->len && *n < (uint64_t)most) {
        size_t end = str_index(*lines, '\n');
        if (wrapped && *n) buf_add_byte(body, ',');
        buf_add(body, lines->ptr, end);
        if (!wrapped) buf_add_byte(body, '\n');
        end += end < lines->len;
        lines->ptr += end;
        lines->len -= end;
        ++*n;
    }
    if (wrapped) buf_add_str(body, STR("]}"));
}

static int post_lines(struct sink_http *h, struct str lines, bool wrapped, int64_t most, struct deliver_report *report, struct err *e)
{
    struct buf body = buf_new(BATCH_BYTES + 64);
    int rc = 0;
    while (rc == 0 && lines.len) {
        uint64_t n;
        make_body(&body, &lines, wrapped, most, &n);
        rc = body.failed ? err_set(e, ERR_LIMIT, "a request body is too long") : sink_http_post(h, buf_bytes(&body), e);
        if (rc < 0) break;
        report->events += n;
        report->posts++;
    }
    buf_free(&body);
    return rc;
}

static int open_http(struct sink_http **out, const struct sink_conf *sink, struct secret *token, bool wrapped, struct err *e)
{
    const char *reference = conf_str(sink->settings, "token"), *ca = conf_str(sink->settings, "ca_certificate");
    char what[128];
    snprintf(what, sizeof what, "token of sink %s", sink->name);
    if (reference && secret_resolve(token, str_from(reference), what, e) < 0) return err_wrap(e, "sinks.%s.token", sink->name);
    struct sink_http_config c = {.url = str_from(conf_str(sink->settings, "url")),
                                 .token = reference ? token : NULL,
                                 .ca_certificate = str_from(ca),
                                 .cancel = worker_interrupt_flag(),
                                 .timeout_ms = (int)conf_int(sink->settings, "timeout"),
                                 .give_up_after_ms = (int)conf_int(sink->settings, "give_up_after"),
                                 .content_type = wrapped ? STR("application/json") : STR("application/x-ndjson")};
    return sink_http_open(out, &c, e);
}

/* --- batches to a sink -------------------------------------------------------------------------------------- */

struct lines_sink {
    int (*put)(void *ctx, struct str lines, struct deliver_report *report, struct err *e); /* 0: safe */
    void *ctx;
};

static int pump(struct liner *l, const struct lines_sink *to, struct str connector, struct str sink, int64_t batch,
                struct deliver_report *report, struct err *e)
{
    int64_t cursor;
    try(store_cursor_get(l->store, connector, sink, &cursor, e));
    for (;;) {
        try(next_batch(l, cursor, batch));
        if (!l->n_changes) return 0;
        if (l->lines.len) try(to->put(to->ctx, buf_str(&l->lines), report, e));
        cursor = l->last_change;
        try(store_cursor_put(l->store, connector, sink, cursor, e));
        report->changes += l->n_changes;
    }
}

struct http_ctx {
    struct sink_http *http;
    bool wrapped;
    int64_t batch;
};

static int put_http(void *ctx, struct str lines, struct deliver_report *report, struct err *e)
{
    struct http_ctx *h = ctx;
    return post_lines(h->http, lines, h->wrapped, h->batch, report, e);
}

static int put_file(void *ctx, struct str lines, struct deliver_report *report, struct err *e)
{
    int fd = *(int *)ctx;
    try(file_write_all(fd, bytes_of(lines), e));
    if (fdatasync(fd) < 0 && errno != EINVAL) return err_errno(e, ERR_LIMIT, errno, "fdatasync");
    for (size_t i = 0; i < lines.len; i++) report->events += lines.ptr[i] == '\n';
    report->posts++;
    return 0;
}

static void options_of(const struct sink_conf *sink, struct str *dialect, struct dialect_options *o)
{
    const char *d = conf_str(sink->settings, "dialect"), *v = conf_str(sink->settings, "ocsf_version");
    *dialect = str_from(d ? d : "ocsf");
    *o = (struct dialect_options){.ocsf_version = str_from(v ? v : "1.8.0"), .raw_csv = conf_bool(sink->settings, "raw")};
}

static int deliver_http(struct liner *l, const struct sink_conf *sink, struct str dialect, struct str connector,
                        struct deliver_report *report, struct err *e)
{
    struct secret token = {0};
    int64_t batch = conf_int(sink->settings, "batch");
    struct http_ctx h = {.wrapped = str_equal(dialect, STR("sekoia")), .batch = batch > 0 ? batch : BATCH_DEFAULT};
    struct lines_sink to = {put_http, &h};
    int rc = open_http(&h.http, sink, &token, h.wrapped, e);
    if (rc == 0) rc = pump(l, &to, connector, str_from(sink->name), h.batch, report, e);
    sink_http_close(h.http);
    secret_drop(&token);
    return rc;
}

static int deliver_file(struct liner *l, const struct sink_conf *sink, struct str connector, struct deliver_report *report, struct err *e)
{
    const char *path = conf_str(sink->settings, "path");
    defer_close int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    struct lines_sink to = {put_file, &fd};
    if (fd < 0) return err_errno(e, ERR_INPUT, errno, "%s", path);
    return pump(l, &to, connector, str_from(sink->name), 1000, report, e);
}

/* A directory holds the whole snapshot: written anew when anything changed since. */
static bool last_id(void *ctx, const struct change *c)
{
    *(int64_t *)ctx = c->id;
    return false;
}

static int export_to(struct store *s, const struct sink_conf *sink, struct str dialect, const struct dialect_options *o, struct str connector,
                     uint64_t *rows, struct err *e)
{
    const char *columns = conf_str(sink->settings, "csv4_columns"), *domain = conf_str(sink->settings, "csv4_domain");
    struct csv4_columns csv4 = {.delimiter = 0};
    struct export_options x = {
        .connector = connector, .dialect = dialect, .dialect_options = *o, .dir = conf_str(sink->settings, "path")};
    if (str_equal(dialect, STR("csv4"))) {
        if (columns) try(csv4_columns_load(&csv4, columns, e));
        x.csv4 = &csv4;
        if (domain) x.dialect_options.csv4_domain = str_from(domain);
    }
    int rc = export_set(s, &x, rows, e);
    csv4_columns_free(&csv4);
    return rc;
}

static int deliver_directory(struct store *s, const struct sink_conf *sink, struct str dialect, const struct dialect_options *o,
                             struct str connector, struct deliver_report *report, struct err *e)
{
    struct change_query q = {.connector = connector, .limit = 1, .newest_first = true};
    int64_t newest_change = 0;
    uint64_t behind, rows;
    try(store_cursor_behind(s, connector, str_from(sink->name), &behind, e));
    if (!behind) return 0;
    try(store_changes(s, &q, last_id, &newest_change, e));
    try(export_to(s, sink, dialect, o, connector, &rows, e));
    try(store_cursor_put(s, connector, str_from(sink->name), newest_change, e));
    report->changes = behind;
    report->events = rows;
    report->posts = 1;
    return 0;
}

int deliver(struct store *s, const struct connector_conf *connector, const struct sink_conf *sink, struct deliver_report *report,
            struct err *e)
{
    struct str dialect, name = str_from(connector->name);
    struct dialect_options o;
    struct liner l;
    options_of(sink, &dialect, &o);
    if (strcmp(sink->type, "directory") == 0) return deliver_directory(s, sink, dialect, &o, name, report, e);
    int rc = liner_open(&l, s, name, dialect, &o, e);
    if (rc == 0)
        rc = strcmp(sink->type, "http") == 0 ? deliver_http(&l, sink, dialect, name, report, e) : deliver_file(&l, sink, name, report, e);
    liner_close(&l);
    return rc;
}

/* --- change list --dialect ocsf -------------------------------------------------------------------------------- */

struct changes_out {
    struct liner *l;
    struct store *store;
    struct str version;
    int fd;
    bool is_open;
};

static int switch_connector(struct changes_out *c, struct str connector, struct err *e)
{
    struct dialect_options o = {.ocsf_version = c->version};
    if (c->is_open && str_equal(c->l->maker.connector.name, connector)) return 0;
    if (c->is_open) liner_close(c->l);
    c->is_open = true;
    try(liner_open(c->l, c->store, connector, STR("ocsf"), &o, e));
    c->l->with_states = false;
    return 0;
}

static bool write_change(void *ctx, const struct change *ch)
{
    struct changes_out *c = ctx;
    struct err *e = c->l->e;
    int rc = switch_connector(c, ch->connector, e);
    c->l->e = e;
    if (rc == 0) rc = take_change(c->l, ch);
    if (rc == 0) rc = file_write_all(c->fd, buf_bytes(&c->l->lines), e);
    buf_clear(&c->l->lines);
    c->l->rc = rc;
    return rc == 0;
}

int deliver_changes_to(struct store *s, const struct change_query *q, struct str ocsf_version, int fd, struct err *e)
{
    struct liner l = {.e = e};
    struct changes_out c = {.l = &l, .store = s, .version = ocsf_version, .fd = fd};
    int rc = store_changes(s, q, write_change, &c, e);
    if (rc == 0) rc = l.rc;
    if (c.is_open) liner_close(&l);
    return rc;
}
