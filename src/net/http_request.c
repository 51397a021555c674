#include "net/http_int.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

/* --- where to ------------------------------------------------------------------------------------------- */

/* Literals only: a name that resolves to loopback today may not tomorrow; libcurl takes "localhost" for
 * loopback without asking anybody. 169.254.169.254 is the machine's own hypervisor. */
static bool is_this_machine(const char *host)
{
    struct in_addr v4;
    if (strcmp(host, "localhost") == 0 || strcmp(host, "::1") == 0) return true;
    if (inet_pton(AF_INET, host, &v4) != 1) return false;
    return ntohl(v4.s_addr) >> 24 == 127 || strcmp(host, "169.254.169.254") == 0;
}

static int check_clear(const struct url *u, const struct http_options *o, const struct http_request *r,
                       struct err *e)
{
    if (u->is_https) return 0;
    if (!o->clear_to_loopback || !is_this_machine(u->host)) {
        err_set(e, ERR_INPUT, "http to %s would not be protected", u->host);
        return err_hint(e, "use https");
    }
    bool may_have_token = o->token_to_loopback && strcmp(u->host, "169.254.169.254") != 0;
    return r->bearer && !may_have_token ? err_set(e, ERR_INPUT, "http to %s with a token, which is for https only", u->host) : 0;
}

static int take_url(struct request *q, const struct http_options *o, const struct http_request *r,
                    struct err *e)
{
    q->text = x_strdup(str_from(r->url));
    try(url_parse(&q->url, str_from(q->text), e));
    bool is_v6 = strchr(q->url.host, ':');
    snprintf(q->peer, sizeof q->peer, "%s%s%s:%u", is_v6 ? "[" : "", q->url.host, is_v6 ? "]" : "",
             q->url.port);
    return check_clear(&q->url, o, r, e);
}

/* --- headers -------------------------------------------------------------------------------------------- */

static bool is_within(struct str s, uint8_t first, uint8_t last)
{
    for (size_t i = 0; i < s.len; i++)
        if ((uint8_t)s.ptr[i] < first || (uint8_t)s.ptr[i] > last) return false;
    return true;
}

/* RFC 9110 5.6.2 */
static bool is_token(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (!ascii_is_alnum(c) && (!c || !strchr("!#$%&'*+-.^_`|~", c))) return false;
    }
    return s.len > 0;
}

/* Those that frame the message are libcurl's, and a token comes as bearer. */
static bool is_ours(struct str name)
{
    static const char *const ours[] = {"Host",
                                       "Content-Length",
                                       "Transfer-Encoding",
                                       "Connection",
                                       "Expect",
                                       "TE",
                                       "Upgrade",
                                       "Accept-Encoding",
                                       "Content-Type",
                                       "Authorization",
                                       "Proxy-Authorization",
                                       "Cookie"};
    for (size_t i = 0; i < n_elements(ours); i++)
        if (str_equal_nocase(name, str_from(ours[i]))) return true;
    return false;
}

static int check_header(struct str line, struct err *e)
{
    struct str name = {line.ptr, str_index(line, ':')};
    if (name.len == line.len || !is_token(name))
        return err_set(e, ERR_INPUT, "a header that is not \"Name: value\"");
    struct str value = str_trim((struct str){line.ptr + name.len + 1, line.len - name.len - 1});
    if (is_ours(name)) return err_set(e, ERR_BUG, "header %.*s is not the caller's to set", STR_FMT(name));
    if (!value.len)
        return err_set(e, ERR_INPUT, "header %.*s: no value", STR_FMT(name)); /* libcurl would leave it out */
    if (!is_within(value, 0x20, 0x7e))
        return err_set(e, ERR_INPUT, "header %.*s: a control or non-ASCII character", STR_FMT(name));
    return 0;
}

static void add_line(struct request *q, const char *line)
{
    struct curl_slist *longer = curl_slist_append(q->headers, line);
    if (!longer) x_out_of_memory();
    q->headers = longer;
}

/* RFC 6750 2.1 has fewer characters still; this much keeps the line whole. */
static int add_bearer(struct request *q, const struct secret *token, bool is_basic, struct err *e)
{
    struct str text = str_of(secret_bytes(token));
    if (!text.len || !is_within(text, 0x21, 0x7e))
        return err_set(e, ERR_INPUT,
                       "token: it is empty, or holds a space, a line end or a character that is not ASCII");
    struct buf line = buf_new(SECRET_MAX + 64);
    buf_reserve(&line, text.len + 64); /* all at once: growing would leave copies behind */
    buf_add_str(&line, is_basic ? STR("Authorization: Basic ") : STR("Authorization: Bearer "));
    buf_add_str(&line, text);
    add_line(q, buf_cstr(&line));
    secret_wipe(line.ptr, line.len);
    buf_free(&line);
    return 0;
}

static int add_content_type(struct request *q, const char *type, struct err *e)
{
    char line[160];
    if (!type || !is_within(str_from(type), 0x20, 0x7e) || strlen(type) > 120)
        return err_set(e, ERR_INPUT, "content type: missing, long, or with control characters");
    snprintf(line, sizeof line, "Content-Type: %s", type);
    add_line(q, line);
    add_line(q, "Expect:"); /* no round trip before the body */
    return 0;
}

static int take_headers(struct request *q, const struct http_request *r, struct err *e)
{
    for (const char *const *h = r->headers; h && *h; h++) {
        try(check_header(str_from(*h), e));
        add_line(q, *h);
    }
    if (q->has_body) try(add_content_type(q, r->content_type, e));
    return r->bearer ? add_bearer(q, r->bearer, r->is_basic, e) : 0;
}

/* --- the whole ------------------------------------------------------------------------------------------ */

static int take_method(struct request *q, const struct http_request *r, struct err *e)
{
    static const struct {
        const char *name, *verb;
        bool has_body;
    } methods[] = {{"GET", NULL, false}, {"POST", NULL, true}, {"PUT", "PUT", true}, {"PATCH", "PATCH", true}, {"DELETE", "DELETE", false}};
    size_t i = 0;
    while (i < n_elements(methods) && strcmp(methods[i].name, r->method) != 0) i++;
    if (i == n_elements(methods)) return err_set(e, ERR_BUG, "HTTP method %s", r->method);
    q->verb = methods[i].verb;
    q->has_body = methods[i].has_body;
    return q->has_body || !r->body.len ? 0 : err_set(e, ERR_BUG, "%s with a body", r->method);
}

static int make_steps(struct request *q, const struct http_options *o, const struct http_request *r,
                      struct err *e)
{
    try(take_method(q, r, e));
    try(take_url(q, o, r, e));
    try(take_headers(q, r, e));
    q->body_len = r->body.len;
    q->body = r->body.len ? x_alloc(r->body.len) : NULL;
    if (r->body.len) memcpy(q->body, r->body.ptr, r->body.len);
    return 0;
}

int request_make(struct request **out, const struct http_options *o, const struct http_request *r,
                 struct err *e)
{
    struct request *q = x_zalloc(sizeof *q);
    q->done = r->done;
    q->ctx = r->ctx;
    int rc = make_steps(q, o, r, e);
    if (rc < 0) {
        request_free(q);
        q = NULL;
    }
    *out = q;
    return rc;
}

void request_free(struct request *q)
{
    if (!q) return;
    for (struct curl_slist *l = q->headers; l; l = l->next) secret_wipe(l->data, strlen(l->data));
    curl_slist_free_all(q->headers);
    if (q->body) secret_wipe(q->body, q->body_len);
    free(q->body);
    free(q->text);
    free(q);
}
