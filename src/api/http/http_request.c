#include "api/http/http_int.h"
#include "api/http/static.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/when.h"
#include "server/state/audit.h"

#include <errno.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sodium.h>

#define ARENA_MAX (4u * 1024 * 1024)

static void tell_peer(struct request_int *r)
{
    const union MHD_ConnectionInfo *i = MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    char *out = r->q.actor.from;
    if (!i || !i->client_addr) return;
    if (i->client_addr->sa_family == AF_INET)
        inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)i->client_addr)->sin_addr, out, sizeof r->q.actor.from);
    else if (i->client_addr->sa_family == AF_INET6)
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)i->client_addr)->sin6_addr, out, sizeof r->q.actor.from);
}

/* The path must be one that we know of, then the headers must be good. */
static int find_route(struct request_int *r, struct split *path, unsigned *status, struct err *e)
{
    char allowed[64] = "";
    struct err wrong;
    if (path_split(path, str_from(r->q.path), &wrong) == 0) r->compiled = routes_find(&r->server->routes, r->q.method, path, allowed);
    if (r->compiled) {
        r->q.route = r->compiled->route;
        return guard_headers(r, status, e);
    }
    try(guard_headers(r, status, e));
    if (r->q.path[0] != '/') return err_set(e, ERR_INPUT, "the request names no path");
    if (allowed[0] || static_find(r->q.path)) {
        if (!allowed[0] && strcmp(r->q.method, "GET") == 0) return 0;
        reply_header(&r->q, "Allow", allowed[0] ? allowed : "GET");
        *status = 405;
        return err_set(e, ERR_INPUT, "%.16s is not what this path takes", r->q.method);
    }
    return err_set(e, ERR_NOTFOUND, "there is no such path");
}

static int read_captures(struct request_int *r, const struct split *path, struct err *e)
{
    unsigned n = 0;
    for (unsigned i = 0; i < path->n; i++) {
        if (r->compiled->segments[i].ptr[0] != '{') continue;
        if (percent_decode(r->q.captured[n], sizeof r->q.captured[n], path->segments[i], e) < 0)
            return err_wrap(e, "%.*s in the path", STR_FMT(r->compiled->segments[i]));
        n++;
    }
    return 0;
}

static int begin(struct request_int *r, unsigned *status, struct err *e)
{
    struct split path;
    try(find_route(r, &path, status, e));
    if (!r->compiled) return reply_page(&r->q, static_find(r->q.path));
    return read_captures(r, &path, e);
}

struct request_int *request_begin(struct http_server *s, struct MHD_Connection *c, const char *url, const char *method)
{
    struct request_int *r = x_zalloc(sizeof *r);
    struct err e = {0};
    unsigned status = 0;
    uint64_t id;
    randombytes_buf(&id, sizeof id);
    snprintf(r->id, sizeof r->id, "%016llx", (unsigned long long)id);
    r->server = s;
    r->connection = c;
    r->began_us = clock_us();
    r->q = (struct request){.app = s->app, .own = r, .arena = arena_new(ARENA_MAX)};
    r->body = buf_new(BODY_DEFAULT);
    r->is_head = strcmp(method, "HEAD") == 0;
    r->q.method = r->is_head ? "GET" : arena_printf(&r->q.arena, "%s", method);
    r->q.path = arena_printf(&r->q.arena, "%s", url);
    const char *coding = request_header(&r->q, "Accept-Encoding");
    r->wants_gzip = coding && strstr(coding, "gzip") && !strstr(coding, "gzip;q=0");
    tell_peer(r);
    atomic_fetch_add(&s->n_requests, 1);
    if (begin(r, &status, &e) < 0) request_refuse(r, status, &e);
    return r;
}

/* --- query ------------------------------------------------------------------------------------------------ */

struct reading {
    struct request_int *r;
    struct err *e;
    int rc;
};

static bool is_word_of(const char *list, const char *word)
{
    size_t n = strlen(word);
    for (const char *at = list; at && (at = strstr(at, word)); at += n)
        if (n && (at == list || at[-1] == ' ') && (at[n] == ' ' || !at[n])) return true;
    return false;
}

static int read_parameter(struct request_int *r, const char *key, const char *value, struct err *e)
{
    char name[64];
    const char *known = r->compiled->route->query;
    if (percent_decode(name, sizeof name, str_from(key), e) < 0) return err_wrap(e, "name of a query parameter");
    if (!is_word_of(known, name)) {
        err_set(e, ERR_INPUT, "there is no query parameter %s here", name);
        return known ? err_hint(e, "known are: %.300s", known) : ERR_INPUT;
    }
    if (request_query(&r->q, name)) return err_set(e, ERR_INPUT, "the query parameter %s is given twice", name);
    if (r->n_query == QUERY_MAX) return err_set(e, ERR_INPUT, "too many query parameters");
    struct str in = str_from(value ? value : "");
    char *out = arena_alloc(&r->q.arena, in.len + 1);
    if (!out) return err_set(e, ERR_LIMIT, "the query is too long");
    if (percent_decode(out, in.len + 1, in, e) < 0) return err_wrap(e, "query parameter %s", name);
    r->query[r->n_query++] = (struct pair){arena_printf(&r->q.arena, "%s", name), out};
    return 0;
}

static enum MHD_Result each_parameter(void *ctx, enum MHD_ValueKind kind, const char *key, const char *value)
{
    struct reading *x = ctx;
    x->rc = read_parameter(x->r, key ? key : "", value, x->e);
    return x->rc < 0 ? MHD_NO : MHD_YES;
}

int request_read_query(struct request_int *r, struct err *e)
{
    struct reading x = {r, e, 0};
    MHD_get_connection_values(r->connection, MHD_GET_ARGUMENT_KIND, each_parameter, &x);
    return x.rc;
}

const char *request_query(const struct request *q, const char *name)
{
    for (unsigned i = 0; i < own(q)->n_query; i++)
        if (strcmp(own(q)->query[i].name, name) == 0) return own(q)->query[i].value;
    return NULL;
}

/* --- handling ----------------------------------------------------------------------------------------------- */

static int handle(struct request_int *r, struct err *e)
{
    try(guard_actor(r, e));
    try(request_read_query(r, e));
    try(body_parse(r, e));
    int rc = r->compiled->route->handle(&r->q, e);
    if (rc == 0 && !r->response) return err_set(e, ERR_BUG, "%s %s made no answer", r->q.method, r->compiled->route->pattern);
    return rc;
}

static void give_back(struct request_int *r, bool is_sound)
{
    if (r->store) pool_return(&r->server->stores, r->store, is_sound);
    r->store = NULL;
}

void request_handle(struct task *t)
{
    struct request_int *r = (struct request_int *)((char *)t - offsetof(struct request_int, task));
    struct err e = {0};
    if (handle(r, &e) < 0) {
        if (e.class == ERR_BUG) log_event(LOG_ERROR, "http.defect", LOG_CSTR("request", r->id), LOG_CSTR("route", r->compiled->route->pattern), LOG_CSTR("message", e.message));
        request_refuse(r, r->error_status, &e);
    }
    /* A stream may still read; everything else is in the response. */
    if (!r->is_stream) give_back(r, e.class != ERR_BUG);
    atomic_store(&r->phase, PHASE_READY);
    MHD_resume_connection(r->connection);
}

void request_drop(struct request_int *r)
{
    if (r->response) MHD_destroy_response(r->response);
    stream_end(r->stream);
    event_stream_end(r->event_stream);
    give_back(r, true);
    json_wipe(r->q.body);
    json_decref(r->q.body);
    json_decref(r->fields);
    atomic_fetch_sub(&r->server->body_bytes, r->body.len);
    secret_wipe_buf(&r->body);
    arena_free(&r->q.arena);
    atomic_fetch_sub(&r->server->n_requests, 1);
    secret_wipe(r->q.actor.csrf, sizeof r->q.actor.csrf);
    free(r);
}

/* --- what handlers ask ----------------------------------------------------------------------------------------- */

const char *request_header(const struct request *q, const char *name)
{
    return MHD_lookup_connection_value(own(q)->connection, MHD_HEADER_KIND, name);
}

static bool parse_number(const char *text, int64_t *out)
{
    char *end;
    if (!*text || !strchr("-0123456789", *text)) return false;
    errno = 0;
    *out = strtoll(text, &end, 10);
    return !*end && errno == 0;
}

int request_number(const struct request *q, const char *name, int64_t least, int64_t most, int64_t fallback, int64_t *out, struct err *e)
{
    const char *text = request_query(q, name);
    *out = fallback;
    if (!text) return 0;
    if (parse_number(text, out) && *out >= least && *out <= most) return 0;
    return err_set(e, ERR_INPUT, "%s must be a number between %lld and %lld", name, (long long)least, (long long)most);
}

int request_id(const struct request *q, unsigned captured, int64_t *out, struct err *e)
{
    if (parse_number(q->captured[captured], out) && *out > 0) return 0;
    return err_set(e, ERR_NOTFOUND, "there is no %.40s", q->captured[captured]);
}

int request_text(const struct request *q, const char *key, const char **out, struct err *e)
{
    const json_t *v = json_object_get(q->body, key);
    if (!json_is_string(v)) return err_set(e, ERR_INPUT, v ? "%s must be of type string" : "the body lacks the member %s", key);
    *out = json_string_value(v);
    return 0;
}

int request_store(struct request *q, struct store **out, struct err *e)
{
    struct request_int *r = own(q);
    if (!r->store) try(pool_lend(&r->server->stores, q->app->store_url, &r->store, e));
    *out = r->store;
    return 0;
}

int request_audit(struct request *q, const char *action, const char *object, const json_t *before, const json_t *after, struct err *e)
{
    return audit_add(q->app->state, &q->actor, action, object, before, after, "ok", e);
}
