/* serve.c - serve: everything that a server is made of, opened in order, until it is told to stop. */
#include "api/http.h"
#include "base/file.h"
#include "base/log.h"
#include "base/when.h"
#include "cmd/notify.h"
#include "cmd/server_files.h"
#include "net/http.h"
#include "server/alerts/alerts.h"
#include "server/oidc/oidc.h"
#include "server/connectors/peek.h"
#include "server/vault_settings.h"
#include "vault/seal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <malloc.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define LISTEN_DEFAULT  "127.0.0.1:8443"
#define ASKER_IDLE_MS   (10 * 60 * 1000)
#define STOP_MS         7000 /* for jobs to end at a checkpoint; all of it is to take less than 10 s */
#define FILES_WANTED    8192

static const struct cli_option options[] = {
    {"listen", 0, "ADDRESS:PORT", "where to listen (default " LISTEN_DEFAULT "); port 0: any that is free", NULL, false},
    {"tls", 0, NULL, "TLS on a loopback address too, with a certificate of its own making if none is given", NULL, false},
    {"tls-certificate", 0, "FILE", "certificate and its chain, PEM", NULL, false},
    {"tls-key", 0, "FILE", "its private key, PEM; nobody else may read it", NULL, false},
    {"public-url", 0, "URL", "as browsers reach it, e.g. behind a proxy (default: from --listen)", NULL, false},
    SERVER_FILE_OPTIONS,
    {"parallel", 0, "N", "syncs at the same time (default 2)", NULL, false},
    {NULL, 0, NULL, NULL, NULL, false},
};

struct listening {
    char address[INET6_ADDRSTRLEN];
    uint16_t port;
    bool is_loopback, is_any, is_v6;
};

struct server {
    struct cli *cli;
    struct conf conf;
    bool has_conf;
    struct listening at;
    char *store_path, *state_path, *key_path, *jobs_dir, *catalog_path, *public_url;
    char *certificate, *key; /* PEM; NULL: clear */
    int lock_fd;
    struct app app;
    struct http_server *http;
    struct notify notify;
};

/* --- settings ------------------------------------------------------------------------------------------------- */

extern char **environ;

/* Settings that hold a store and nothing else; the URL is checked and made absolute as a file's. */
static int conf_of_store(struct conf *out, const char *url, struct err *e)
{
    json_t *settings = json_pack("{s:s}", "store", url);
    if (!settings) return err_set(e, ERR_INPUT, "--store: not UTF-8");
    defer_free char *text = json_dumps(settings, 0);
    json_decref(settings);
    return conf_parse(out, str_from(text), "--store", NULL, NULL, e);
}

static int take_store(struct server *s, const char *url, struct err *e)
{
    struct conf given;
    try(conf_of_store(&given, url, e));
    if (!s->has_conf) {
        s->conf = given;
        s->has_conf = true;
        return 0;
    }
    free(s->conf.store_url);
    s->conf.store_url = given.store_url;
    given.store_url = NULL;
    conf_free(&given);
    return 0;
}

static int no_store(struct err *e)
{
    err_set(e, ERR_INPUT, "serve needs a store, and none is set");
    return err_hint(e, "rollcall serve --store sqlite:/var/lib/rollcall/rollcall.db, or a line store: ... in the settings file");
}

/* A settings file may be missing: connectors can be made on the page. One that was named, or that is wrong, may not. */
static int load_settings(struct server *s, struct err *e)
{
    const char *file = cli_value(s->cli, "config"), *url = cli_value(s->cli, "store"), *named = getenv("ROLLCALL_CONFIG");
    int rc = conf_load(&s->conf, file, environ, e);
    s->has_conf = rc == 0;
    if (rc < 0 && (rc != ERR_NOTFOUND || file || (named && *named))) return rc;
    if (url) try(take_store(s, url, e));
    if (!s->has_conf || !s->conf.store_url) return no_store(e);
    if (str_starts(str_from(s->conf.store_url), STR("sqlite:"))) return 0;
    return err_set(e, ERR_INPUT, "serve: only stores of the form sqlite:PATH can be served in this version");
}

static void name_files(struct server *s)
{
    const char *state = cli_value(s->cli, "state"), *key = cli_value(s->cli, "master-key"), *store = s->conf.store_url + strlen("sqlite:");
    s->store_path = x_strdup(str_from(store));
    s->state_path = state ? x_strdup(str_from(state)) : cli_beside(store, "server");
    s->key_path = key ? x_strdup(str_from(key)) : cli_beside(store, "key");
    s->jobs_dir = cli_beside(store, "jobs");
    s->catalog_path = cli_beside(store, "catalog");
}

/* --- where to listen --------------------------------------------------------------------------------------------- */

static int parse_listen(struct listening *out, const char *text, struct err *e)
{
    struct str host;
    struct in_addr v4;
    struct in6_addr v6;
    char port[8];
    size_t colon = strlen(text);
    while (colon && text[colon] != ':') colon--;
    host = (struct str){text, colon};
    if (host.len >= 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']') host = (struct str){host.ptr + 1, host.len - 2};
    if (str_equal(host, STR("localhost"))) host = STR("127.0.0.1");
    snprintf(out->address, sizeof out->address, "%.*s", STR_FMT(host));
    snprintf(port, sizeof port, "%s", text + colon + (text[colon] == ':'));
    char *end;
    unsigned long n = strtoul(port, &end, 10);
    bool is_v4 = inet_pton(AF_INET, out->address, &v4) == 1;
    out->is_v6 = !is_v4 && inet_pton(AF_INET6, out->address, &v6) == 1;
    bool is_fine = (is_v4 || out->is_v6) && host.len < sizeof out->address && port[0] >= '0' && port[0] <= '9' && !*end && n <= 65535;
    if (!is_fine) {
        err_set(e, ERR_INPUT, "--listen %s: an address and a port are wanted", text);
        return err_hint(e, "for example --listen 127.0.0.1:8443, --listen 0.0.0.0:8443 or --listen '[::1]:8443'");
    }
    out->port = (uint16_t)n;
    out->is_loopback = is_v4 ? ntohl(v4.s_addr) >> 24 == 127 : IN6_IS_ADDR_LOOPBACK(&v6);
    out->is_any = is_v4 ? v4.s_addr == INADDR_ANY : IN6_IS_ADDR_UNSPECIFIED(&v6);
    return 0;
}

/* Any port: one is chosen now, since the public URL says it. */
static int choose_port(struct listening *at, struct err *e)
{
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr *any = at->is_v6 ? (struct sockaddr *)&v6 : (struct sockaddr *)&v4;
    socklen_t len = at->is_v6 ? sizeof v6 : sizeof v4;
    if (at->port) return 0;
    inet_pton(at->is_v6 ? AF_INET6 : AF_INET, at->address, at->is_v6 ? (void *)&v6.sin6_addr : (void *)&v4.sin_addr);
    defer_close int fd = socket(any->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, any, len) < 0 || getsockname(fd, any, &len) < 0) return err_errno(e, ERR_DENIED, errno, "--listen %s", at->address);
    at->port = ntohs(at->is_v6 ? v6.sin6_port : v4.sin_port);
    return 0;
}

static void public_host(const struct listening *at, char *out, size_t size)
{
    if (at->is_any && gethostname(out, size) == 0) return;
    snprintf(out, size, at->is_v6 ? "[%s]" : "%s", at->address);
}

static int name_public_url(struct server *s, bool is_tls, struct err *e)
{
    const char *given = cli_value(s->cli, "public-url");
    char host[300];
    struct buf b = buf_new(1024);
    if (given) {
        struct str url = str_from(given);
        while (url.len && url.ptr[url.len - 1] == '/') url.len--;
        buf_add_str(&b, url);
    } else {
        public_host(&s->at, host, sizeof host);
        buf_printf(&b, "%s://%s:%u", is_tls ? "https" : "http", host, (unsigned)s->at.port);
    }
    bool is_fine = !b.failed && (str_starts(buf_str(&b), STR("https://")) || str_starts(buf_str(&b), STR("http://")));
    s->public_url = x_strdup(buf_str(&b));
    buf_free(&b);
    if (is_fine) return 0;
    err_set(e, ERR_INPUT, "--public-url %s: not a URL", given);
    return err_hint(e, "for example --public-url https://rollcall.corp.example");
}

/* Beyond loopback there is always TLS: a certificate that was given, or one of our own making. */
static int set_up_tls(struct server *s, struct err *e)
{
    const char *certificate = cli_value(s->cli, "tls-certificate"), *key = cli_value(s->cli, "tls-key");
    char host[300];
    if (!certificate != !key) {
        err_set(e, ERR_INPUT, "--%s without --%s", certificate ? "tls-certificate" : "tls-key", certificate ? "tls-key" : "tls-certificate");
        return err_hint(e, "give both, or none of them");
    }
    bool is_tls = certificate || !s->at.is_loopback || cli_flag(s->cli, "tls");
    try(name_public_url(s, is_tls, e));
    if (!is_tls) return 0;
    if (s->at.is_any && gethostname(host, sizeof host) < 0) return err_errno(e, ERR_BUG, errno, "the name of this machine");
    if (!s->at.is_any) snprintf(host, sizeof host, "%s", s->at.address);
    return http_certificate(certificate, key, s->store_path, host, &s->certificate, &s->key, e);
}

static int set_up_listening(struct server *s, struct err *e)
{
    const char *listen = cli_value(s->cli, "listen");
    try(parse_listen(&s->at, listen ? listen : LISTEN_DEFAULT, e));
    try(choose_port(&s->at, e));
    return set_up_tls(s, e);
}

/* What nobody who edits connectors may have read and sent somewhere, wherever it is. */
static void guard_files(const struct server *s)
{
    const char *const own[] = {s->store_path, s->state_path, s->key_path, cli_value(s->cli, "tls-key"), cli_value(s->cli, "passphrase")};
    for (size_t i = 0; i < n_elements(own); i++)
        if (own[i]) connectors_guard(own[i]);
}

/* --- the pieces -------------------------------------------------------------------------------------------------- */

static int make_store(const struct server *s, struct err *e)
{
    struct store *store;
    try(store_open(&store, str_from(s->conf.store_url), e));
    store_close(store);
    return 0;
}

static int open_server(struct server *s, struct err *e)
{
    struct app *a = &s->app;
    int64_t parallel;
    try(cli_number(s->cli, "parallel", 1, 2, &parallel, e));
    *a = (struct app){.conf = &s->conf, .store_url = s->conf.store_url, .catalog_path = s->catalog_path, .public_url = s->public_url,
                      .is_tls = s->certificate != NULL, .started_ms = when_now_ms()};
    try(make_store(s, e));
    try(seal_open_by(&a->seal, s->key_path, cli_value(s->cli, "passphrase"), true, e));
    try(state_open(&a->state, s->state_path, a->seal, e));
    vault_settings_serve(a->state, &s->conf);
    guard_files(s);
    try(connectors_open(&a->connectors, a->state, &s->conf, e));
    struct jobs_options jobs = {.state = a->state, .connectors = a->connectors, .dir = s->jobs_dir, .store_url = a->store_url,
                                .parallel = parallel < 64 ? (unsigned)parallel : 64};
    try(jobs_open(&a->jobs, &jobs, e));
    try(asker_open(&a->asker, a->store_url, ASKER_IDLE_MS, e));
    try(oidc_open(&a->oidc, a->state, s->public_url, e));
    struct alerts_options alerts = {.state = a->state, .connectors = a->connectors, .asker = a->asker, .jobs = a->jobs, .store_url = a->store_url};
    try(alerts_open(&a->alerts, &alerts, e));
    struct http_server_options http = {.app = a, .address = s->at.address, .port = s->at.port, .certificate = s->certificate, .key = s->key};
    try(schedule_open(&a->schedule, a->state, a->connectors, a->jobs, e));
    return http_server_start(&s->http, &http, e);
}

/* Who makes others wait goes first; children end while the rest is closed. */
static void close_server(struct server *s)
{
    struct app *a = &s->app;
    if (a->jobs) jobs_stop(a->jobs, STOP_MS);
    if (a->asker) asker_stop(a->asker);
    peek_stop();
    http_cancel_all(); /* webhooks, vaults and providers that are waited for */
    http_server_stop(s->http);
    if (a->schedule) schedule_close(a->schedule); /* handlers ask it until here; it starts nothing any more, as the jobs are stopped */
    if (a->alerts) alerts_close(a->alerts);
    jobs_close(a->jobs, STOP_MS);
    asker_close(a->asker);
    if (a->oidc) oidc_close(a->oidc);
    if (a->connectors) connectors_close(a->connectors);
    state_close(a->state);
    seal_close(a->seal);
}

static void free_server(struct server *s)
{
    char *texts[] = {s->store_path, s->state_path, s->key_path, s->jobs_dir, s->catalog_path, s->public_url, s->certificate};
    if (s->key) secret_wipe(s->key, strlen(s->key));
    free(s->key);
    for (size_t i = 0; i < n_elements(texts); i++) free(texts[i]);
    if (s->lock_fd >= 0) close(s->lock_fd);
    if (s->has_conf) conf_free(&s->conf);
    notify_close(&s->notify);
}

/* --- running -------------------------------------------------------------------------------------------------------- */

static int tell_setup(const struct server *s, struct err *e)
{
    char token[TOKEN_TEXT];
    if (!accounts_are_empty(s->app.state)) return 0;
    try(accounts_setup_token(s->app.state, token, e));
    printf("setup: %s/#/setup?token=%s\n", s->public_url, token);
    secret_wipe(token, sizeof token);
    return 0;
}

static int tell_started(const struct server *s, struct err *e)
{
    char fingerprint[80];
    try(tell_setup(s, e));
    if (s->certificate && http_certificate_fingerprint(s->certificate, fingerprint, e) == 0) printf("certificate: %s\n", fingerprint);
    printf("listening: %s\n", s->public_url);
    fflush(stdout);
    log_event(LOG_INFO, "serve.start", LOG_CSTR("version", ROLLCALL_VERSION), LOG_CSTR("address", s->at.address), LOG_INT("port", s->at.port),
              LOG_CSTR("store", s->store_path), LOG_CSTR("key", seal_describe(s->app.seal)));
    notify_tell(&s->notify, "READY=1\nSTATUS=listening");
    return 0;
}

/* A sign of life is one of what others wait for too: if the state or the jobs hang, there is none. */
static void show_life(const struct server *s)
{
    struct err ignored;
    json_t *jobs;
    if (jobs_list(s->app.jobs, NULL, NULL, 0, 1, &jobs, &ignored) < 0) return;
    json_decref(jobs);
    notify_tell(&s->notify, "WATCHDOG=1");
}

static int wait_for_signal(const struct server *s, const sigset_t *ends)
{
    int64_t ms = s->notify.watchdog_ms ? s->notify.watchdog_ms : 3600000;
    struct timespec patience = {ms / 1000, ms % 1000 * 1000000};
    for (;;) {
        int got = sigtimedwait(ends, NULL, &patience);
        if (got > 0) return got;
        if (errno == EAGAIN && s->notify.watchdog_ms) show_life(s);
    }
}

/* Signals that end it are taken by this thread alone: those that follow have them blocked. */
static void set_up_process(const struct cli *c, sigset_t *ends)
{
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT};
    struct rlimit files;
    sigemptyset(ends);
    for (size_t i = 0; i < n_elements(numbers); i++) sigaddset(ends, numbers[i]);
    pthread_sigmask(SIG_BLOCK, ends, NULL);
    mallopt(M_ARENA_MAX, 2); /* a heap for each of two dozen threads would keep tens of MiB */
    if (!cli_value(c, "log")) log_setup(LOG_INFO, isatty(STDERR_FILENO) ? LOG_AS_TEXT : LOG_AS_JSON);
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < FILES_WANTED) {
        files.rlim_cur = files.rlim_max < FILES_WANTED ? files.rlim_max : FILES_WANTED;
        setrlimit(RLIMIT_NOFILE, &files);
    }
}

static int serve(struct server *s, const sigset_t *ends, struct err *e)
{
    try(load_settings(s, e));
    name_files(s);
    try(set_up_listening(s, e));
    try(state_claim(&s->lock_fd, s->store_path, e));
    int rc = open_server(s, e);
    if (rc == 0) rc = tell_started(s, e);
    if (rc == 0) {
        int number = wait_for_signal(s, ends);
        log_event(LOG_INFO, "serve.stop", LOG_INT("signal", number));
        notify_tell(&s->notify, "STOPPING=1\nSTATUS=stopping");
    }
    close_server(s);
    if (rc == 0) log_event(LOG_INFO, "serve.end", LOG_INT("uptime_ms", when_now_ms() - s->app.started_ms));
    return rc;
}

static int run(struct cli *c, struct err *e)
{
    struct server s = {.cli = c, .lock_fd = -1, .notify = notify_open()};
    sigset_t ends;
    set_up_process(c, &ends);
    int rc = serve(&s, &ends, e);
    free_server(&s);
    return rc < 0 ? err_wrap(e, "serve") : 0;
}

const struct command cmd_serve = {
    .name = "serve",
    .arguments = "",
    .summary = "Run the server: schedule, API and page",
    .doc = "Connectors of the settings file are run by their schedule; others are made on the page, for which no settings file is needed\n"
           "(--store). The first start prints a URL, good once and for 15 minutes, with which the first administrator is made.\n\n"
           "It listens on loopback unless told otherwise; beyond loopback always with TLS: with the certificate given, or one it makes\n"
           "itself (STORE.tls.pem), whose fingerprint it prints. SIGTERM ends it within 10 s: what runs ends at a checkpoint and is\n"
           "taken up again at the next start.",
    .options = options,
    .run = run,
};
