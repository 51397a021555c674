/* api.c - api: what the page asks of a server, as a command. */
#include "base/file.h"
#include "base/jsonv.h"
#include "base/secret.h"
#include "cmd/out.h"
#include "net/http.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SERVER_DEFAULT "http://127.0.0.1:8443"
#define BODY_MAX       ((size_t)1 << 20)
#define ANSWER_MAX     ((size_t)256 << 20)

static const struct cli_option options[] = {
    {"body", 0, "FILE", "JSON to send; - is standard input", NULL, false},
    {"server", 0, "URL", "of the server (default: $ROLLCALL_SERVER, else " SERVER_DEFAULT ")", NULL, false},
    {"token-file", 0, "FILE", "its first line is an API token (default: $ROLLCALL_TOKEN)", NULL, false},
    {"ca", 0, "FILE", "CA, or the server's own certificate (default: the system's CAs)", NULL, false},
    {"timeout", 0, "SECONDS", "how long to wait (default: 60)", NULL, false},
    {NULL, 0, NULL, NULL, NULL, false},
};

/* --- what is sent ------------------------------------------------------------------------------------------ */

static int check_method(const char *method, struct err *e)
{
    static const char *const known[] = {"GET", "POST", "PUT", "PATCH", "DELETE"};
    for (size_t i = 0; i < n_elements(known); i++)
        if (strcmp(method, known[i]) == 0) return 0;
    err_set(e, ERR_INPUT, "api: there is no method '%s'", method);
    return err_hint(e, "GET, POST, PUT, PATCH or DELETE");
}

static int make_url(struct buf *out, struct cli *c, struct err *e)
{
    const char *server = cli_value(c, "server"), *path = c->args[1];
    if (!server) server = getenv("ROLLCALL_SERVER");
    if (!server || !*server) server = SERVER_DEFAULT;
    struct str base = str_from(server);
    while (base.len && base.ptr[base.len - 1] == '/') base.len--;
    if (path[0] != '/') {
        err_set(e, ERR_INPUT, "api: '%s' is no path", path);
        return err_hint(e, "it begins with a slash: rollcall api GET /connectors");
    }
    bool is_whole = str_starts(str_from(path), STR("/api/")) || strcmp(path, "/metrics") == 0 || strcmp(path, "/healthz") == 0 || strcmp(path, "/readyz") == 0;
    buf_printf(out, "%.*s%s%s", STR_FMT(base), is_whole ? "" : "/api/v1", path);
    return out->failed ? err_set(e, ERR_INPUT, "api: the path is too long") : 0;
}

static int read_stream(struct buf *out, FILE *in, struct err *e)
{
    size_t n;
    uint8_t *to;
    while ((to = buf_reserve(out, 65536)) && (n = fread(to, 1, 65536, in)) > 0) buf_advance(out, n);
    return to && !ferror(in) ? 0 : err_set(e, ERR_INPUT, "--body: standard input cannot be read, or is too long");
}

static int read_body(struct buf *out, const struct cli *c, struct err *e)
{
    const char *from = cli_value(c, "body");
    json_error_t why;
    if (!from) return 0;
    int rc = strcmp(from, "-") == 0 ? read_stream(out, stdin, e) : file_read(out, from, e);
    if (rc < 0) return err_wrap(e, "--body");
    json_t *j = json_loadb((const char *)out->ptr, out->len, JSON_REJECT_DUPLICATES, &why);
    json_decref(j);
    return j ? 0 : err_set(e, ERR_INPUT, "--body: line %d: %s", why.line, why.text);
}

static int take_token(struct secret *out, struct bytes text, const char *from, struct err *e)
{
    struct str line = str_of(text);
    line.len = str_index(line, '\n');
    line = str_trim(line);
    if (line.len) return secret_take(out, bytes_of(line), e);
    err_set(e, ERR_INPUT, "%s holds no token", from);
    return err_hint(e, "an API token is made on the page under Settings, Tokens");
}

static int read_token(struct secret *out, const struct cli *c, struct err *e)
{
    const char *path = cli_value(c, "token-file"), *given = getenv("ROLLCALL_TOKEN");
    struct buf text = buf_new(4096);
    if (!path) return given && *given ? take_token(out, bytes_of(str_from(given)), "ROLLCALL_TOKEN", e) : 0;
    int rc = file_read(&text, path, e);
    rc = rc < 0 ? err_wrap(e, "--token-file") : take_token(out, buf_bytes(&text), path, e);
    secret_wipe_buf(&text);
    return rc;
}

/* --- what comes back ----------------------------------------------------------------------------------------- */

static int class_of_status(long status)
{
    if (status == 401) return ERR_AUTH;
    if (status == 403) return ERR_DENIED;
    if (status == 404 || status == 410) return ERR_NOTFOUND;
    if (status == 409) return ERR_CONFLICT;
    if (status == 429 || status == 503) return ERR_LIMIT;
    return status >= 500 ? ERR_BUG : ERR_INPUT;
}

static void add_fields(struct err *e, const json_t *fields)
{
    size_t i;
    json_t *one;
    json_array_foreach(fields, i, one)
    {
        size_t n = strlen(e->message);
        const char *key = json_string_value(json_object_get(one, "key")), *message = json_string_value(json_object_get(one, "message"));
        if (key && message) snprintf(e->message + n, sizeof e->message - n, "\n  %s: %s", key, message);
    }
}

static int refused(const struct http_answer *a, struct err *e)
{
    json_t *j = json_loadb((const char *)a->body.ptr, a->body.len, 0, NULL), *told = json_object_get(j, "error");
    char unsaid[64];
    snprintf(unsaid, sizeof unsaid, "the server answered %ld", a->status);
    jsonv_error(told, (enum err_class)class_of_status(a->status), unsaid, e);
    add_fields(e, json_object_get(told, "fields"));
    err_code(e, DOM_HTTP, (int)a->status);
    json_decref(j);
    return e->class;
}

/* JSON is laid out for whoever reads it; anything else (a CSV export, a stream of events) as it came. */
static int print_answer(const struct cli *c, const struct http_answer *a, struct err *e)
{
    struct str type = http_header(a, "Content-Type");
    json_t *j = str_starts(type, STR("application/json")) && c->format != OUT_JSONL ? json_loadb((const char *)a->body.ptr, a->body.len, JSON_DECODE_ANY, NULL) : NULL;
    if (!j) return file_write_all(STDOUT_FILENO, a->body, e);
    defer_free char *text = json_dumps(j, JSON_INDENT(2) | JSON_ENCODE_ANY);
    json_decref(j);
    try(file_write_all(STDOUT_FILENO, bytes_of(str_from(text)), e));
    return file_write_all(STDOUT_FILENO, bytes_of(STR("\n")), e);
}

/* --- the request ----------------------------------------------------------------------------------------------- */

struct asking {
    struct buf url, body;
    struct secret token;
    struct http *http;
};

static int prepare(struct asking *q, struct cli *c, struct err *e)
{
    int64_t seconds;
    try(check_method(c->args[0], e));
    try(cli_number(c, "timeout", 1, 60, &seconds, e));
    if (seconds > 86400) seconds = 86400;
    try(make_url(&q->url, c, e));
    try(read_body(&q->body, c, e));
    try(read_token(&q->token, c, e));
    struct http_options o = {.ca_path = cli_value(c, "ca"),
                             .parallel = 1,
                             .connect_timeout_ms = 10000,
                             .answer_timeout_ms = (int)(seconds * 1000),
                             .body_max = ANSWER_MAX,
                             .clear_to_loopback = true,
                             .token_to_loopback = true};
    return http_open(&q->http, &o, e);
}

static int fetch(struct asking *q, struct cli *c, struct err *e)
{
    struct http_answer a;
    struct http_request r = {.method = c->args[0], .url = buf_cstr(&q->url), .bearer = q->token.len ? &q->token : NULL};
    if (q->body.len || strcmp(r.method, "POST") == 0 || strcmp(r.method, "PUT") == 0 || strcmp(r.method, "PATCH") == 0) {
        r.content_type = "application/json";
        r.body = q->body.len ? buf_bytes(&q->body) : bytes_of(STR("{}"));
    }
    if (http_fetch(q->http, &r, &a, e) < 0) {
        if (e->class == ERR_TLS && !cli_value(c, "ca")) err_hint(e, "name the server's certificate or its CA with --ca");
        return err_wrap(e, "api %s", r.url);
    }
    if (a.status < 200 || a.status > 299) return refused(&a, e);
    return a.body.len ? print_answer(c, &a, e) : 0;
}

static int run(struct cli *c, struct err *e)
{
    struct asking q = {.url = buf_new(65536), .body = buf_new(BODY_MAX)};
    int rc = prepare(&q, c, e);
    if (rc == 0) rc = fetch(&q, c, e);
    http_close(q.http);
    secret_drop(&q.token);
    secret_wipe_buf(&q.body);
    buf_free(&q.url);
    return rc;
}

const struct command cmd_api = {
    .name = "api",
    .arguments = "METHOD PATH",
    .min_args = 2,
    .max_args = 2,
    .summary = "Ask a running server what its page asks",
    .doc = "PATH as GET /api/openapi.json lists them, with or without /api/v1: rollcall api GET '/assets?kind=user&limit=10'.",
    .options = options,
    .run = run,
};
