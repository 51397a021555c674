#include "server/alerts/webhook.h"

#include "base/file.h"
#include "base/when.h"
#include "net/url.h"
#include "server/client.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CONNECT_MS = 5000, ANSWER_MS = 15000 };
#define ANSWER_MAX ((size_t)64 << 10) /* nothing of it is kept */

/* --- where to ------------------------------------------------------------------------------------------------------- */

static bool is_loopback(const char *host)
{
    return strcmp(host, "localhost") == 0 || strcmp(host, "::1") == 0 || strncmp(host, "127.", 4) == 0;
}

int webhook_check(const char *url, struct err *e)
{
    struct url u;
    if (strlen(url) > 2048) return err_set(e, ERR_INPUT, "url: longer than 2048 characters");
    if (url_parse(&u, str_from(url), e) < 0) return err_wrap(e, "url");
    if (u.is_https || is_loopback(u.host)) return 0;
    err_set(e, ERR_INPUT, "url: http would not be protected");
    return err_hint(e, "use https");
}

struct guard {
    const struct outward *o;
    char refused[64]; /* the address that was */
};

static bool may_connect(void *ctx, const struct sockaddr *to)
{
    struct guard *g = ctx;
    bool may = address_is_public(to);
    for (size_t i = 0; i < g->o->n_allow && !may; i++) may = address_range_has(&g->o->allow[i], to);
    if (may && !address_is_metadata(to)) return true;
    socklen_t len = to->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
    if (getnameinfo(to, len, g->refused, sizeof g->refused, NULL, 0, NI_NUMERICHOST) != 0) snprintf(g->refused, sizeof g->refused, "an address");
    return false;
}

/* --- sending ---------------------------------------------------------------------------------------------------------- */

static void sign(char out[128], const struct secret *secret, const char *timestamp, struct bytes body)
{
    uint8_t mac[EVP_MAX_MD_SIZE];
    size_t n = 0;
    EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *m = EVP_MAC_CTX_new(hmac);
    char digest[] = "SHA256";
    OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string("digest", digest, 0), OSSL_PARAM_construct_end()};
    bool ok = m && EVP_MAC_init(m, secret->ptr, secret->len, parameters) == 1 && EVP_MAC_update(m, (const uint8_t *)timestamp, strlen(timestamp)) == 1 &&
              EVP_MAC_update(m, (const uint8_t *)".", 1) == 1 && EVP_MAC_update(m, body.ptr, body.len) == 1 && EVP_MAC_final(m, mac, &n, sizeof mac) == 1;
    if (!ok) x_out_of_memory();
    int w = snprintf(out, 128, "X-Rollcall-Signature: sha256=");
    for (size_t i = 0; i < n; i++) w += snprintf(out + w, 128 - (size_t)w, "%02x", mac[i]);
    EVP_MAC_CTX_free(m);
    EVP_MAC_free(hmac);
}

static int judge(const char *host, const struct http_answer *a, struct err *e)
{
    if (a->status >= 200 && a->status < 300) return 0;
    bool is_final = a->status >= 300 && a->status < 500 && a->status != 408 && a->status != 425 && a->status != 429;
    err_set(e, is_final ? ERR_INPUT : ERR_NET, "%s answers HTTP %ld", host, a->status);
    err_code(e, DOM_HTTP, (int)a->status);
    if (a->status < 400) return err_hint(e, "redirects are not followed: write the address that answers by itself");
    return is_final ? err_hint(e, "the receiver does not take it: is the URL whole, and the secret the receiver's?") : e->class;
}

static int fetch(struct http *h, const struct http_request *r, const char *host, const struct guard *g, struct err *e)
{
    struct http_answer a;
    int rc = http_fetch(h, r, &a, e);
    if (rc == 0) return judge(host, &a, e);
    if (!g->refused[0]) return rc;
    err_set(e, ERR_DENIED, "%s is %s, which is not a public address", host, g->refused);
    return err_hint(e, "an administrator allows it under Settings, Alerts (webhook_allow), if it is meant");
}

int webhook_post(const struct outward *o, const char *url, const struct secret *secret, int64_t id, struct bytes body, struct err *e)
{
    struct guard g = {.o = o};
    struct url u;
    struct http *h;
    char delivery[64], stamp[64], signature[128];
    const char *headers[4] = {delivery, stamp};
    struct http_options options = {.parallel = 1,
                                   .connect_timeout_ms = CONNECT_MS,
                                   .answer_timeout_ms = ANSWER_MS,
                                   .body_max = ANSWER_MAX,
                                   .clear_to_loopback = true,
                                   .may_connect = may_connect,
                                   .may_connect_ctx = &g};
    try(webhook_check(url, e));
    try(url_parse(&u, str_from(url), e));
    try(client_open(&h, &options, o->ca, e));
    snprintf(delivery, sizeof delivery, "X-Rollcall-Delivery: %lld", (long long)id);
    int at = snprintf(stamp, sizeof stamp, "X-Rollcall-Timestamp: ");
    snprintf(stamp + at, sizeof stamp - (size_t)at, "%lld", (long long)(when_now_ms() / 1000));
    if (secret->len) {
        sign(signature, secret, stamp + at, body);
        headers[2] = signature;
    }
    struct http_request r = {.method = "POST", .url = url, .headers = headers, .content_type = "application/json", .body = body};
    int rc = fetch(h, &r, u.host, &g, e);
    http_close(h);
    return rc;
}

/* --- a file ------------------------------------------------------------------------------------------------------------- */

int message_file_check(const char *path, const char **name, const struct outward *o, struct err *e)
{
    size_t n = o->file_directory ? strlen(o->file_directory) : 0;
    while (n > 1 && o->file_directory[n - 1] == '/') n--;
    if (!n) {
        err_set(e, ERR_DENIED, "path: alerts may not be written to files");
        return err_hint(e, "an administrator names a directory under Settings, Alerts (file_directory)");
    }
    bool is_whole = strncmp(path, o->file_directory, n) == 0 && path[n] == '/';
    *name = is_whole ? path + n + 1 : path;
    bool is_good = **name && **name != '.' && !strchr(*name, '/') && strlen(*name) <= 200;
    for (const char *c = *name; *c; c++) is_good = is_good && (uint8_t)*c >= 0x20 && *c != 0x7f;
    if (is_good) return 0;
    err_set(e, ERR_INPUT, "path: not the name of a file in %.*s", (int)n, o->file_directory);
    return err_hint(e, "write a plain name such as alerts.jsonl");
}

static int fail(const char *what, const char *name, struct err *e)
{
    int saved = errno;
    err_errno(e, saved == ENOSPC || saved == EDQUOT ? ERR_LIMIT : ERR_DENIED, saved, "%s %s", what, name);
    return saved == ELOOP ? err_hint(e, "links are not followed") : e->class;
}

int message_append(const struct outward *o, const char *path, struct bytes line, struct err *e)
{
    const char *name;
    struct stat st;
    try(message_file_check(path, &name, o, e));
    defer_close int dir = open(o->file_directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (dir < 0) return fail("directory", o->file_directory, e);
    defer_close int fd = openat(dir, name, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0600);
    if (fd < 0) return fail("file", name, e);
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) return err_set(e, ERR_DENIED, "file %s: not a regular file", name);
    struct buf whole = buf_new(line.len + 2);
    buf_add_bytes(&whole, line);
    buf_add_byte(&whole, '\n');
    int rc = file_write_all(fd, buf_bytes(&whole), e);
    buf_free(&whole);
    if (rc == 0 && fsync(fd) < 0) rc = fail("file", name, e);
    return rc;
}
