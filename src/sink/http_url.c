#include "sink/http_url.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>

#define URL_MAX 4096

/* Literals only: a name that resolves to loopback today may not tomorrow. libcurl itself takes "localhost"
 * for loopback without asking the resolver. curl writes 127.1 and 0x7f.1 out as four numbers and puts []
 * around IPv6. */
static bool is_loopback(const char *host)
{
    struct in_addr v4;
    char v6[64];
    struct in6_addr a;
    if (strcmp(host, "localhost") == 0) return true;
    if (inet_pton(AF_INET, host, &v4) == 1) return ntohl(v4.s_addr) >> 24 == 127;
    size_t n = strlen(host);
    if (n < 4 || n >= sizeof v6 || host[0] != '[' || host[n - 1] != ']') return false;
    memcpy(v6, host + 1, n - 2);
    v6[n - 2] = 0;
    return inet_pton(AF_INET6, v6, &a) == 1 && IN6_IS_ADDR_LOOPBACK(&a);
}

static void part_free(char **part)
{
    curl_free(*part);
}
#define defer_part defer(part_free)

static bool part_get(CURLU *u, CURLUPart what, char **out)
{
    return curl_url_get(u, what, out, 0) == CURLUE_OK;
}

static int check_scheme(const char *scheme, const char *host, struct err *e)
{
    if (strcmp(scheme, "https") == 0) return 0;
    if (strcmp(scheme, "http") != 0) {
        err_set(e, ERR_INPUT, "url: a receiver is reached by https, not by %s", scheme);
        return err_hint(e, "write the url as https://host/path");
    }
    if (is_loopback(host)) return 0;
    err_set(e, ERR_INPUT, "url: http to %s would send people's data and the token in the clear", host);
    return err_hint(e, "use https; http is for localhost, 127.0.0.1 and [::1] only");
}

static int take_parts(struct http_url *out, CURLU *u, struct err *e)
{
    defer_part char *scheme = NULL, *host = NULL, *port = NULL, *path = NULL, *fragment = NULL, *whole = NULL;
    if (!part_get(u, CURLUPART_SCHEME, &scheme) || !part_get(u, CURLUPART_HOST, &host) ||
        !part_get(u, CURLUPART_PATH, &path) || !part_get(u, CURLUPART_URL, &whole))
        return err_set(e, ERR_INPUT, "url: not an absolute URL with a host");
    if (part_get(u, CURLUPART_FRAGMENT, &fragment))
        return err_set(e, ERR_INPUT, "url: a receiver's url has no '#' part");
    try(check_scheme(scheme, host, e));
    bool has_port = part_get(u, CURLUPART_PORT, &port);
    size_t size = strlen(whole) + 1;
    out->is_clear = strcmp(scheme, "http") == 0;
    out->url = x_strdup(str_from(whole));
    out->shown = x_alloc(size);
    snprintf(out->shown, size, "%s://%s%s%s%s", scheme, host, has_port ? ":" : "", has_port ? port : "",
             path);
    return 0;
}

static int check_bytes(struct str url, struct err *e)
{
    if (!url.len) return err_set(e, ERR_INPUT, "url: missing");
    if (url.len > URL_MAX) return err_set(e, ERR_INPUT, "url: longer than %d bytes", URL_MAX);
    for (size_t i = 0; i < url.len; i++)
        if ((uint8_t)url.ptr[i] <= 0x20 || (uint8_t)url.ptr[i] >= 0x7f)
            return err_set(e, ERR_INPUT, "url: a space, control or non-ASCII character at position %zu",
                           i + 1);
    /* libcurl would read https:/a and https:///a as https://a */
    size_t colon = str_index(url, ':');
    struct str rest = {url.ptr + colon, url.len - colon};
    if (!str_starts(rest, STR("://")) || str_starts(rest, STR(":///")))
        return err_set(e, ERR_INPUT, "url: not https://host/path");
    return 0;
}

int http_url_parse(struct http_url *out, struct str url, struct err *e)
{
    *out = (struct http_url){0};
    try(check_bytes(url, e));
    defer_free char *text = x_strdup(url);
    CURLU *u = curl_url();
    if (!u) x_out_of_memory();
    CURLUcode rc = curl_url_set(u, CURLUPART_URL, text, CURLU_DISALLOW_USER | CURLU_NON_SUPPORT_SCHEME);
    int result = 0;
    if (rc == CURLUE_USER_NOT_ALLOWED)
        result = err_set(e, ERR_INPUT, "url: it holds a user or password; give the token by `token`");
    else if (rc != CURLUE_OK)
        result = err_set(e, ERR_INPUT, "url: %s", curl_url_strerror(rc));
    else
        result = take_parts(out, u, e);
    curl_url_cleanup(u);
    if (result < 0) http_url_free(out);
    return result;
}

void http_url_free(struct http_url *u)
{
    free(u->url);
    free(u->shown);
    *u = (struct http_url){0};
}
