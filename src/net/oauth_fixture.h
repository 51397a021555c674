/* oauth_fixture.h - what oauth_test.c signs in to: a server in a process of its own that answers as scripted,
 * and what it was sent.
 */
#ifndef ROLLCALL_NET_OAUTH_FIXTURE_H
#define ROLLCALL_NET_OAUTH_FIXTURE_H

#include "net/pki_test.h"

#include "base/when.h"
#include "net/oauth_int.h"

#include <arpa/inet.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sodium.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#define CLIENT "3f2504e0-4f89-11d3-9a0c-0305e82c3301"
#define SECRET "q8Q~p+A&b%41=c d\"e\\f;\xc3\xa9_-.z"
/* {"alg":"none"} . {"roles":["User.Read.All"],"exp":1775005200} */
#define TOKEN     "eyJhbGciOiJub25lIn0.eyJyb2xlcyI6WyJVc2VyLlJlYWQuQWxsIl0sImV4cCI6MTc3NTAwNTIwMH0.c2ln"
#define FEDERATED "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl"

/* --- a server that answers as scripted, in a process of its own
 * ------------------------------------------------ */

#define REQUESTS_MAX 32

struct seen { /* shared with it */
    int n;
    struct {
        size_t len;
        char text[20000];
    } requests[REQUESTS_MAX];
};
static struct seen *seen;
static const char *const *script; /* whole answers; the last is repeated; "" hangs up; NULL ends */
static pid_t server;
static int port;
static SSL_CTX *tls;

static const char *nth_answer(int n)
{
    int i = 0;
    while (i < n && script[i + 1]) i++;
    return script[i];
}

static bool is_whole(const char *text, size_t n)
{
    const char *end = memmem(text, n, "\r\n\r\n", 4),
               *length = n ? strcasestr(text, "\r\nContent-Length: ") : NULL;
    size_t want = length ? (size_t)atoll(length + 18) : 0;
    return end && (size_t)(text + n - end - 4) >= want;
}

static int with_length(char **out, const char *answer)
{
    const char *body = strstr(answer, "\r\n\r\n");
    if (!body || strstr(answer, " 204 ")) return asprintf(out, "%s", answer);
    return asprintf(out, "%.*s\r\nContent-Length: %zu%s", (int)(body - answer), answer, strlen(body + 4),
                    body);
}

static void serve_one(int fd)
{
    SSL *s = tls ? SSL_new(tls) : NULL;
    int i = seen->n;
    char *text = seen->requests[i].text;
    size_t *len = &seen->requests[i].len;
    if (s && (SSL_set_fd(s, fd), SSL_accept(s) != 1)) {
        SSL_free(s);
        return;
    }
    while (*len < sizeof seen->requests[i].text - 1 && !is_whole(text, *len)) {
        size_t room = sizeof seen->requests[i].text - 1 - *len;
        ssize_t n = s ? SSL_read(s, text + *len, (int)room) : read(fd, text + *len, room);
        if (n <= 0) break;
        *len += (size_t)n;
    }
    seen->n++;
    char *answer = NULL;
    int n = with_length(&answer, nth_answer(i));
    if (s)
        SSL_write(s, answer, n), SSL_shutdown(s);
    else if (write(fd, answer, (size_t)n) < 0)
        _exit(1);
    SSL_free(s);
    free(answer);
}

static void start(const char *const *answers, bool with_tls)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(bind(fd, (struct sockaddr *)&at, size) == 0 && listen(fd, 16) == 0);
    getsockname(fd, (struct sockaddr *)&at, &size);
    port = ntohs(at.sin_port);
    memset(seen, 0, sizeof *seen);
    script = answers;
    SSL_CTX *mine = tls;
    if (!with_tls) tls = NULL;
    server = fork();
    if (server == 0) {
        signal(SIGPIPE, SIG_IGN);
        alarm(60);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (int one; seen->n < REQUESTS_MAX && (one = accept(fd, NULL, NULL)) >= 0; close(one))
            serve_one(one);
        _exit(0);
    }
    tls = mine;
    close(fd);
}

static void stop(void)
{
    kill(server, SIGKILL);
    waitpid(server, NULL, 0);
}

#define HEAD(status, more)                                                                                   \
    "HTTP/1.1 " status " X\r\nContent-Type: application/json\r\nConnection: close\r\n" more "\r\n"
#define GOOD HEAD("200", "") "{\"token_type\":\"Bearer\",\"expires_in\":3599,\"access_token\":\"" TOKEN "\"}"
#define REFUSED(status, code, more)                                                                          \
    HEAD(status, more)                                                                                       \
    "{\"error\":\"invalid_client\",\"error_description\":\"AADSTS" #code                                     \
    ": words of the service\\r\\nTrace ID: t\","                                                             \
    "\"error_codes\":[" #code "],\"trace_id\":\"t\",\"correlation_id\":\"c\"}"

/* --- certificates and files
 * ---------------------------------------------------------------------------------------- */

static char dir[] = "/tmp/rollcall-oauth-XXXXXX", ca[64], stranger[64], app_pem[64], federated[64];
static EVP_PKEY *rsa;

static void write_pem(char *path, const char *name, X509 *cert, EVP_PKEY *key)
{
    snprintf(path, 64, "%s/%s", dir, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    FILE *f = fdopen(fd, "w");
    PEM_write_X509(f, cert);
    if (key) PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL);
    fclose(f);
}

static void put_federated(const char *text)
{
    FILE *f = fopen(federated, "w");
    fputs(text, f);
    fclose(f);
}

static int group_set_up(void **state)
{
    (void)state;
    if (!mkdtemp(dir)) return -1;
    make_keys();
    rsa = EVP_RSA_gen(2048);
    struct identity root = issue_ca("Test Root CA", NULL, key_ec2),
                    strange = issue_ca("Strange CA", NULL, key_ec2);
    struct identity leaf =
        issue(&(struct wish){.cn = "leaf", .san = "DNS:localhost,IP:127.0.0.1", .by = &root, SERVER_LEAF});
    struct identity app = issue(&(struct wish){.cn = "rollcall", .key = rsa});
    write_pem(ca, "ca.pem", root.cert, NULL);
    write_pem(stranger, "stranger.pem", strange.cert, NULL);
    write_pem(app_pem, "app.pem", app.cert, rsa);
    snprintf(federated, sizeof federated, "%s/token", dir);
    tls = SSL_CTX_new(TLS_server_method());
    SSL_CTX_use_certificate(tls, leaf.cert);
    SSL_CTX_use_PrivateKey(tls, leaf.key);
    X509 *all[] = {root.cert, strange.cert, leaf.cert, app.cert};
    for (size_t i = 0; i < n_elements(all); i++) X509_free(all[i]);
    seen = mmap(NULL, sizeof *seen, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return seen == MAP_FAILED ? -1 : 0;
}

static int group_tear_down(void **state)
{
    (void)state;
    unlink(ca), unlink(stranger), unlink(app_pem), unlink(federated);
    SSL_CTX_free(tls);
    EVP_PKEY_free(rsa);
    drop_keys();
    munmap(seen, sizeof *seen);
    return rmdir(dir);
}

/* --- clients
 * ---------------------------------------------------------------------------------------------------------
 */

static char login_url[64];

static struct oauth_settings settings(enum oauth_by by)
{
    snprintf(login_url, sizeof login_url, "%s://127.0.0.1:%d",
             by == OAUTH_BY_MANAGED_IDENTITY ? "http" : "https", port);
    return (struct oauth_settings){.by = by,
                                   .login_url = login_url,
                                   .tenant = "contoso.example",
                                   .client_id = CLIENT,
                                   .resource = "https://graph.microsoft.com",
                                   .certificate_path = app_pem,
                                   .federated_token_path = federated,
                                   .identity_url = login_url,
                                   .ca_path = ca,
                                   .connect_timeout_ms = 3000,
                                   .answer_timeout_ms = 5000};
}

static struct secret secret;

static struct oauth *open_with(const struct oauth_settings *s)
{
    struct oauth *o;
    struct err e = {0};
    if (!secret.len) assert_int_equal(secret_take(&secret, bytes_of(STR(SECRET)), &e), 0);
    if (oauth_open(&o, s, &secret, &e) < 0) fail_msg("oauth_open: %s", e.message);
    return o;
}

static struct oauth *open_by(enum oauth_by by)
{
    struct oauth_settings s = settings(by);
    return open_with(&s);
}

static int ensure(struct oauth *o, int64_t within_ms, struct err *e)
{
    *e = (struct err){0};
    return oauth_ensure(o, 300000, when_monotonic_ms() + within_ms, e);
}

static void must_ensure(struct oauth *o)
{
    struct err e;
    if (ensure(o, 20000, &e) < 0) fail_msg("%s", e.message);
    assert_true(bytes_equal(secret_bytes(oauth_token(o)), bytes_of(STR(TOKEN))));
}

/* One sign-in; checks that it fails so, after so many requests. */
static void must_fail(struct oauth *o, int64_t within_ms, int class, int requests, const char *says,
                      const char *hints)
{
    struct err e;
    int rc = ensure(o, within_ms, &e);
    if (rc != class) fail_msg("class %d: %s", rc, e.message);
    assert_null(oauth_token(o));
    if (!strstr(e.message, says)) fail_msg("'%s' is not in '%s'", says, e.message);
    if (!strstr(e.hint, hints)) fail_msg("'%s' is not in '%s'", hints, e.hint);
    if (requests >= 0) assert_int_equal(seen->n, requests);
    if (requests >= 0) assert_int_equal(oauth_requests(o), requests);
    assert_null(strstr(e.message, "q8Q~p"));
    oauth_close(o);
}

/* --- what was sent
 * ------------------------------------------------------------------------------------------------------ */

static const char *body_of(int n)
{
    const char *at = strstr(seen->requests[n].text, "\r\n\r\n");
    return at ? at + 4 : "";
}

static bool has_line(int n, const char *line)
{
    char want[512];
    snprintf(want, sizeof want, "%s\r\n", line);
    return strcasestr(seen->requests[n].text, want) != NULL;
}

static int hex_digit(char c)
{
    return c >= 'A' ? c - 'A' + 10 : c - '0';
}

/* The value of a field of the form, decoded; strict: every % has two upper-case hex digits, and nothing else
 * is special. */
static char *field(int n, const char *name, char *out)
{
    char mark[64];
    size_t used = 0;
    snprintf(mark, sizeof mark, "%s=", name);
    const char *at = body_of(n);
    while (at && strncmp(at, mark, strlen(mark)) != 0) at = strchr(at, '&') ? strchr(at, '&') + 1 : NULL;
    out[0] = 0;
    if (!at) return out;
    for (const char *p = at + strlen(mark); *p && *p != '&'; p++) {
        if (*p == '%') {
            assert_non_null(strchr("0123456789ABCDEF", p[1]));
            assert_non_null(strchr("0123456789ABCDEF", p[2]));
            out[used++] = (char)(hex_digit(p[1]) << 4 | hex_digit(p[2]));
            p += 2;
        } else {
            assert_non_null(strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._", *p));
            out[used++] = *p;
        }
    }
    out[used] = 0;
    return out;
}

static size_t n_fields(int n)
{
    size_t count = 1;
    for (const char *p = body_of(n); *p; p++) count += *p == '&';
    return count;
}

#endif
