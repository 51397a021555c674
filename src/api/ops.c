/* ops.c - routes for who operates the server: is it alive, is it ready, what it is; and where browsers report what the page's policy refused. */
#include "api/http.h"

#include "api/http/http_stats.h"
#include "base/file.h"
#include "base/jsonv.h"
#include "base/log.h"
#include "base/when.h"

#include <ares.h>
#include <curl/curl.h>
#include <microhttpd.h>
#include <openssl/crypto.h>
#include <sodium.h>
#include <sqlite3.h>
#include <stdio.h>
#include <unistd.h>
#include <zlib.h>

/* The process handles requests; nothing else is asked of it. */
static int healthz(struct request *q, struct err *e)
{
    return reply_bytes(q, 200, "text/plain; charset=utf-8", bytes_of(STR("ok\n")));
}

/* State file and store can be read. A store that nobody has synced into yet is no fault. */
static int readyz(struct request *q, struct err *e)
{
    struct store *s;
    json_t *users;
    struct err wrong;
    int rc = accounts_users(q->app->state, &users, &wrong);
    if (rc == 0) {
        json_decref(users);
        rc = request_store(q, &s, &wrong);
    }
    if (rc == 0 || wrong.class == ERR_NOTFOUND) return reply_bytes(q, 200, "text/plain; charset=utf-8", bytes_of(STR("ready\n")));
    log_event(LOG_ERROR, "http.not_ready", LOG_CSTR("message", wrong.message));
    reply_error_status(q, 503);
    return err_set(e, ERR_LIMIT, "not ready; the log says why"); /* open to anybody: no paths, no names */
}

/* Browsers tell what the policy kept them from loading: somebody tries to inject, or we made a mistake. The report itself may hold anything and is not read. */
static int csp_report(struct request *q, struct err *e)
{
    if (atomic_fetch_add(&http_stats_of(q)->csp_reports, 1) < 100) log_event(LOG_WARN, "http.csp_report", LOG_CSTR("from", q->actor.from));
    return reply_none(q, 204);
}

static json_t *libraries(void)
{
    json_t *x = json_object();
    jsonv_put(x, "SQLite", json_string(sqlite3_libversion()));
    jsonv_put(x, "OpenSSL", json_string(OpenSSL_version(OPENSSL_VERSION_STRING)));
    jsonv_put(x, "libmicrohttpd", json_string(MHD_get_version()));
    jsonv_put(x, "libcurl", json_string(curl_version_info(CURLVERSION_NOW)->version));
    jsonv_put(x, "libsodium", json_string(sodium_version_string()));
    jsonv_put(x, "jansson", json_string(jansson_version_str()));
    jsonv_put(x, "c-ares", json_string(ares_version(NULL)));
    jsonv_put(x, "zlib", json_string(zlibVersion()));
    return x;
}

static int about(struct request *q, struct err *e)
{
    json_t *x = json_object();
    jsonv_put(x, "version", json_string(ROLLCALL_VERSION));
    jsonv_put(x, "build", json_pack("{s:s, s:b}", "compiler", __VERSION__, "sanitized",
#ifdef __SANITIZE_ADDRESS__
                                    1
#else
                                    0
#endif
                                    ));
    jsonv_put(x, "libraries", libraries());
    jsonv_put(x, "store", json_string(q->app->store_url));
    jsonv_put(x, "state", json_string(state_path(q->app->state)));
    jsonv_put(x, "started", jsonv_time(q->app->started_ms));
    jsonv_put(x, "uptime_s", json_integer((when_now_ms() - q->app->started_ms) / 1000));
    return reply_json(q, 200, x);
}

const struct route routes_ops[] = {
    {"GET", "/healthz", RIGHT_OPEN, healthz, "The process is alive", NULL, NULL, 0, LANE_ANY},
    {"GET", "/readyz", RIGHT_OPEN, readyz, "State and store can be read", NULL, NULL, 0, LANE_ANY},
    {"POST", "/api/v1/csp-report", RIGHT_OPEN, csp_report, "Browsers report what the page's policy refused; only counted", NULL, "{}", 16384, LANE_ANY},
    {"GET", "/api/v1/about", RIGHT_VIEW, about, "Version, libraries, files, uptime", NULL, NULL, 0, LANE_ANY},
    {0},
};
