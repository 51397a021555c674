#include "api/http/http_int.h"
#include "base/hash.h"
#include "base/jsonv.h"
#include "base/log.h"
#include "base/when.h"

#include <stdio.h>
#include <zlib.h>

#define GZIP_LEAST 1024
#define ANSWER_MAX (256u * 1024 * 1024)

/* --- headers ------------------------------------------------------------------------------------------------ */

/* The page is ours alone: nothing from elsewhere, no inline script or style, no frame around it, no text that becomes markup. */
static const struct pair always[] = {
    {"Content-Security-Policy", "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; "
                                "form-action 'self'; require-trusted-types-for 'script'; report-uri " CSP_REPORT},
    {"X-Content-Type-Options", "nosniff"},
    {"X-Frame-Options", "DENY"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Cross-Origin-Embedder-Policy", "require-corp"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"},
};

static bool is_printable(const char *s)
{
    for (; *s; s++)
        if ((unsigned char)*s < 0x20 || *s == 0x7f) return false;
    return true;
}

void reply_header(struct request *q, const char *name, const char *value)
{
    struct request_int *r = own(q);
    if (!is_printable(value) || r->n_headers == HEADERS_MAX) {
        log_event(LOG_ERROR, "http.header_refused", LOG_CSTR("request", r->id), LOG_CSTR("name", name));
        return;
    }
    const char *copy = arena_printf(&q->arena, "%s", value);
    if (copy) r->headers[r->n_headers++] = (struct pair){name, copy};
}

int reply_take(struct request_int *r, unsigned status, struct MHD_Response *response)
{
    if (!response) x_out_of_memory();
    if (r->response) MHD_destroy_response(r->response);
    r->response = response;
    r->status = status;
    for (size_t i = 0; i < n_elements(always); i++) MHD_add_response_header(response, always[i].name, always[i].value);
    MHD_add_response_header(response, "X-Request-Id", r->id);
    bool has_caching = false;
    for (unsigned i = 0; i < r->n_headers; i++) {
        MHD_add_response_header(response, r->headers[i].name, r->headers[i].value);
        has_caching |= strcmp(r->headers[i].name, "Cache-Control") == 0;
    }
    if (!has_caching) MHD_add_response_header(response, "Cache-Control", "no-store");
    r->n_headers = 0; /* they were of this answer */
    if (r->must_close && !r->compiled) MHD_add_response_header(response, "Connection", "close");
    return 0;
}

void reply_session(struct request *q, const char *session)
{
    char cookie[160];
    const char *rest = "Path=/; Secure; HttpOnly; SameSite=Strict";
    own(q)->is_secret = true;
    if (session)
        snprintf(cookie, sizeof cookie, "__Host-rollcall=%s; %s", session, rest);
    else
        snprintf(cookie, sizeof cookie, "__Host-rollcall=; Max-Age=0; %s", rest);
    reply_header(q, "Set-Cookie", cookie);
}

void reply_fields(struct request *q, json_t *fields)
{
    json_decref(own(q)->fields);
    own(q)->fields = fields;
}

void reply_error_status(struct request *q, unsigned status)
{
    own(q)->error_status = status;
}

/* --- bodies --------------------------------------------------------------------------------------------------- */

bool gzip_bytes(struct buf *out, struct bytes in)
{
    z_stream z = {0};
    if (in.len > UINT32_MAX || deflateInit2(&z, 5, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) return false;
    uLong most = deflateBound(&z, (uLong)in.len);
    uint8_t *to = buf_reserve(out, most);
    z.next_in = (Bytef *)(uintptr_t)in.ptr;
    z.avail_in = (uInt)in.len;
    z.next_out = to;
    z.avail_out = (uInt)most;
    bool ok = to && deflate(&z, Z_FINISH) == Z_STREAM_END;
    if (ok) buf_advance(out, z.total_out);
    deflateEnd(&z);
    return ok;
}

/* Keyed with random bytes of this process: nobody can make two answers of one tag, and after a restart every answer is asked for once more. */
static void make_etag(char out[48], struct bytes b)
{
    struct hash128 h = hash128_of(hash_process_key(), b);
    snprintf(out, 48, "W/\"%016llx%016llx\"", (unsigned long long)h.hi, (unsigned long long)h.lo); /* weak: the same with and without gzip, RFC 9110 8.8.1 */
}

/* RFC 9110 13.1.2: a list of tags, or *; compared weakly. */
static bool is_known_to_peer(struct request_int *r, const char *etag)
{
    const char *given = request_header(&r->q, "If-None-Match");
    const char *opaque = strchr(etag, '"');
    return given && opaque && (strcmp(given, "*") == 0 || strstr(given, opaque));
}

/* The buffer's bytes become the response's. */
static struct MHD_Response *response_of(struct buf *b)
{
    struct MHD_Response *m = b->len ? MHD_create_response_from_buffer(b->len, b->ptr, MHD_RESPMEM_MUST_FREE)
                                    : MHD_create_response_from_buffer(0, (void *)(uintptr_t) "", MHD_RESPMEM_PERSISTENT);
    if (!b->len) buf_free(b);
    *b = (struct buf){0};
    return m;
}

static int reply_buf(struct request_int *r, unsigned status, const char *type, struct buf *b)
{
    bool is_get = strcmp(r->q.method, "GET") == 0 && status == 200 && !r->is_secret;
    if (is_get) {
        make_etag(r->etag, buf_bytes(b));
        reply_header(&r->q, "ETag", r->etag);
        if (is_known_to_peer(r, r->etag)) {
            buf_free(b);
            return reply_none(&r->q, 304);
        }
    }
    struct buf small = buf_new(ANSWER_MAX);
    if (r->wants_gzip && !r->is_secret && b->len >= GZIP_LEAST && gzip_bytes(&small, buf_bytes(b))) {
        buf_free(b);
        *b = small;
        reply_header(&r->q, "Content-Encoding", "gzip");
    } else {
        buf_free(&small);
    }
    reply_header(&r->q, "Vary", "Accept-Encoding");
    reply_header(&r->q, "Content-Type", type);
    r->sent = b->len;
    return reply_take(r, status, response_of(b));
}

static int append(const char *text, size_t n, void *ctx)
{
    struct buf *b = ctx;
    buf_add(b, text, n);
    return b->failed ? -1 : 0;
}

int reply_json(struct request *q, unsigned status, json_t *json)
{
    struct buf b = buf_new(ANSWER_MAX);
    int rc = json ? json_dump_callback(json, append, &b, JSON_COMPACT | JSON_ENCODE_ANY) : -1;
    json_decref(json);
    if (rc == 0) return reply_buf(own(q), status, "application/json", &b);
    buf_free(&b);
    log_event(LOG_ERROR, "http.answer_lost", LOG_CSTR("request", own(q)->id), LOG_CSTR("path", q->path));
    return reply_bytes(q, 500, "application/json", bytes_of(STR("{\"error\":{\"class\":\"BUG\",\"message\":\"the answer could not be written\"}}")));
}

int reply_bytes(struct request *q, unsigned status, const char *type, struct bytes in)
{
    struct buf b = buf_new(ANSWER_MAX);
    buf_add_bytes(&b, in);
    return reply_buf(own(q), status, type, &b);
}

int reply_none(struct request *q, unsigned status)
{
    return reply_take(own(q), status, MHD_create_response_from_buffer(0, (void *)(uintptr_t) "", MHD_RESPMEM_PERSISTENT));
}

int reply_redirect(struct request *q, const char *location)
{
    reply_header(q, "Location", location);
    return reply_none(q, 303);
}

int reply_static(struct request_int *r, const char *type, struct bytes plain, struct bytes gzip, const char *etag, enum keep keep)
{
    static const char *const caching[] = {[KEEP_NOT] = "no-store", [KEEP_ASK] = "no-cache", [KEEP_FOR_EVER] = "public, max-age=31536000, immutable"};
    bool zip = r->wants_gzip && gzip.len;
    struct bytes b = zip ? gzip : plain;
    snprintf(r->etag, sizeof r->etag, "W/\"%.32s\"", etag);
    reply_header(&r->q, "ETag", r->etag);
    reply_header(&r->q, "Cache-Control", caching[keep]);
    reply_header(&r->q, "Vary", "Accept-Encoding");
    if (is_known_to_peer(r, r->etag)) return reply_none(&r->q, 304);
    reply_header(&r->q, "Content-Type", type);
    if (zip) reply_header(&r->q, "Content-Encoding", "gzip");
    r->sent = b.len;
    return reply_take(r, 200, MHD_create_response_from_buffer(b.len, (void *)(uintptr_t)b.ptr, MHD_RESPMEM_PERSISTENT));
}

/* --- errors ------------------------------------------------------------------------------------------------------ */

static json_t *error_json(const struct err *e, json_t *fields)
{
    json_t *x = json_object();
    json_object_set_new(x, "class", json_string(err_class_name(e->class)));
    jsonv_put(x, "message", jsonv_str(str_from(e->message)));
    if (e->hint[0]) jsonv_put(x, "hint", jsonv_str(str_from(e->hint)));
    if (fields) json_object_set(x, "fields", fields);
    return json_pack("{s:o}", "error", x);
}

void request_refuse(struct request_int *r, unsigned status, const struct err *e)
{
    char seconds[24];
    if (!status) status = (unsigned)err_class_http(e->class);
    if (e->retry_at_ms) {
        int64_t left = (e->retry_at_ms - when_now_ms()) / 1000 + 1;
        snprintf(seconds, sizeof seconds, "%lld", (long long)(left > 1 ? left : 1));
        reply_header(&r->q, "Retry-After", seconds);
    }
    if (status == 401) reply_header(&r->q, "WWW-Authenticate", "Bearer");
    if (reply_json(&r->q, status, error_json(e, r->fields)) < 0) x_out_of_memory(); /* it cannot fail */
}
