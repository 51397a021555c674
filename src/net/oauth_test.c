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
#define TOKEN    "eyJhbGciOiJub25lIn0.eyJyb2xlcyI6WyJVc2VyLlJlYWQuQWxsIl0sImV4cCI6MTc3NTAwNTIwMH0.c2ln"
#define FEDERATED "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl"

/* --- a server that answers as scripted, in a process of its own ------------------------------------------------ */

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
    const char *end = memmem(text, n, "\r\n\r\n", 4), *length = n ? strcasestr(text, "\r\nContent-Length: ") : NULL;
    size_t want = length ? (size_t)atoll(length + 18) : 0;
    return end && (size_t)(text + n - end - 4) >= want;
}

static int with_length(char **out, const char *answer)
{
    const char *body = strstr(answer, "\r\n\r\n");
    if (!body || strstr(answer, " 204 ")) return asprintf(out, "%s", answer);
    return asprintf(out, "%.*s\r\nContent-Length: %zu%s", (int)(body - answer), answer, strlen(body + 4), body);
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
        for (int one; seen->n < REQUESTS_MAX && (one = accept(fd, NULL, NULL)) >= 0; close(one)) serve_one(one);
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

#define HEAD(status, more) "HTTP/1.1 " status " X\r\nContent-Type: application/json\r\nConnection: close\r\n" more "\r\n"
#define GOOD               HEAD("200", "") "{\"token_type\":\"Bearer\",\"expires_in\":3599,\"access_token\":\"" TOKEN "\"}"
#define REFUSED(status, code, more)                                                                          \
    HEAD(status, more) "{\"error\":\"invalid_client\",\"error_description\":\"AADSTS" #code ": words of the service\\r\\nTrace ID: t\","     \
                       "\"error_codes\":[" #code "],\"trace_id\":\"t\",\"correlation_id\":\"c\"}"

/* --- certificates and files ---------------------------------------------------------------------------------------- */

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
    struct identity root = issue_ca("Test Root CA", NULL, key_ec2), strange = issue_ca("Strange CA", NULL, key_ec2);
    struct identity leaf = issue(&(struct wish){.cn = "leaf", .san = "DNS:localhost,IP:127.0.0.1", .by = &root, SERVER_LEAF});
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

/* --- clients --------------------------------------------------------------------------------------------------------- */

static char login_url[64];

static struct oauth_settings settings(enum oauth_by by)
{
    snprintf(login_url, sizeof login_url, "%s://127.0.0.1:%d", by == OAUTH_BY_MANAGED_IDENTITY ? "http" : "https", port);
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
static void must_fail(struct oauth *o, int64_t within_ms, int class, int requests, const char *says, const char *hints)
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

/* --- what was sent ------------------------------------------------------------------------------------------------------ */

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

/* The value of a field of the form, decoded; strict: every % has two upper-case hex digits, and nothing else is special. */
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

/* --- tests: a secret --------------------------------------------------------------------------------------------------- */

static void test_secret(void **state)
{
    static const char *const answers[] = {GOOD, NULL};
    char v[2048];
    (void)state;
    start(answers, true);
    struct oauth *o = open_by(OAUTH_BY_SECRET);
    assert_null(oauth_token(o));
    assert_null(oauth_claims(o));
    assert_int_equal(oauth_expires_ms(o), 0);
    must_ensure(o);
    must_ensure(o);
    assert_int_equal(seen->n, 1);
    assert_true(has_line(0, "POST /contoso.example/oauth2/v2.0/token HTTP/1.1"));
    assert_true(has_line(0, "Content-Type: application/x-www-form-urlencoded"));
    assert_int_equal(n_fields(0), 4);
    assert_string_equal(field(0, "client_id", v), CLIENT);
    assert_string_equal(field(0, "scope", v), "https://graph.microsoft.com/.default");
    assert_string_equal(field(0, "grant_type", v), "client_credentials");
    assert_string_equal(field(0, "client_secret", v), SECRET);
    assert_null(strcasestr(seen->requests[0].text, "Authorization:"));
    assert_string_equal(json_string_value(json_array_get(json_object_get(oauth_claims(o), "roles"), 0)), "User.Read.All");
    int64_t left = oauth_expires_ms(o) - when_now_ms();
    assert_true(left > 3590000 && left <= 3599000);
    assert_int_equal(oauth_certificate_expires_ms(o), 0);
    oauth_forget(o);
    assert_null(oauth_token(o));
    assert_int_equal(oauth_expires_ms(o), 0);
    must_ensure(o);
    assert_int_equal(seen->n, 2);
    assert_int_equal(oauth_requests(o), 2);
    oauth_close(o);
    oauth_close(NULL);
    stop();
}

static void test_slashes(void **state)
{
    static const char *const answers[] = {GOOD, NULL};
    char v[2048], login[80];
    (void)state;
    start(answers, true);
    struct oauth_settings s = settings(OAUTH_BY_SECRET);
    snprintf(login, sizeof login, "%s//", login_url);
    s.login_url = login;
    s.resource = "https://graph.microsoft.us/";
    struct oauth *o = open_with(&s);
    must_ensure(o);
    assert_true(has_line(0, "POST /contoso.example/oauth2/v2.0/token HTTP/1.1"));
    assert_string_equal(field(0, "scope", v), "https://graph.microsoft.us/.default");
    oauth_close(o);
    stop();
}

/* Renewed when less than the margin is left, and never more often than at half of its life. */
static void test_renewal(void **state)
{
    static const char *const answers[] = {GOOD, HEAD("200", "") "{\"token_type\":\"Bearer\",\"expires_in\":\"100\",\"access_token\":\"" TOKEN "\"}",
                                          NULL};
    (void)state;
    start(answers, true);
    struct oauth *o = open_by(OAUTH_BY_SECRET);
    must_ensure(o);
    oauth_age(o, 3200000);
    must_ensure(o);
    assert_int_equal(seen->n, 1); /* 399 s left */
    oauth_age(o, 110000);
    must_ensure(o);
    assert_int_equal(seen->n, 2); /* 289 s left: a new one, of 100 s */
    must_ensure(o);
    oauth_age(o, 45000);
    must_ensure(o);
    assert_int_equal(seen->n, 2); /* 55 s left of 100 */
    oauth_age(o, 10000);
    must_ensure(o);
    assert_int_equal(seen->n, 3);
    oauth_close(o);
    stop();
}

/* While the old token is good, a login service that is away does not hold the run up. */
static void test_renewal_is_put_off(void **state)
{
    static const char *const answers[] = {GOOD, HEAD("503", ""), GOOD, NULL};
    struct err e;
    (void)state;
    start(answers, true);
    struct oauth *o = open_by(OAUTH_BY_SECRET);
    must_ensure(o);
    oauth_age(o, 3400000); /* 199 s left */
    must_ensure(o);
    assert_int_equal(seen->n, 2);
    must_ensure(o);
    assert_int_equal(seen->n, 2); /* not at once again */
    oauth_age(o, 30000);
    must_ensure(o);
    assert_int_equal(seen->n, 3);
    assert_true(oauth_expires_ms(o) - when_now_ms() > 3500000);
    stop();
    oauth_age(o, 3570000); /* 29 s left: now it matters */
    assert_int_equal(ensure(o, 800, &e), ERR_NET);
    oauth_close(o);
}

/* --- tests: refusals ----------------------------------------------------------------------------------------------------- */

static void test_refused(void **state)
{
    static const char *const answers[] = {REFUSED("401", 7000222, ""), GOOD, NULL};
    struct err e;
    (void)state;
    start(answers, true);
    struct oauth *o = open_by(OAUTH_BY_SECRET);
    assert_int_equal(ensure(o, 5000, &e), ERR_AUTH);
    assert_string_equal(e.message, "127.0.0.1 refused the sign-in: the client secret has expired (AADSTS7000222)");
    assert_int_equal(e.code, 7000222);
    assert_int_equal(seen->n, 1);
    oauth_close(o);
    stop();
}

static void test_secret_id(void **state)
{
    static const char *const answers[] = {REFUSED("401", 7000215, ""), NULL};
    struct secret id = {0};
    struct oauth *o;
    struct err e;
    (void)state;
    start(answers, true);
    struct oauth_settings s = settings(OAUTH_BY_SECRET);
    assert_int_equal(secret_take(&id, bytes_of(STR("00000000-1111-2222-3333-444444444444")), &e), 0);
    assert_int_equal(oauth_open(&o, &s, &id, &e), 0);
    must_fail(o, 5000, ERR_AUTH, 1, "the client secret is wrong", "holds a GUID, which is the Secret ID");
    secret_drop(&id);
    stop();
}

static void test_echo(void **state)
{
    static const char *const answers[] = {
        HEAD("400", "") "{\"error\":\"bad\",\"error_description\":\"you said q8Q~p+A&b%41=c d\\\"e\\\\f;\xc3\xa9_-.z\"}", NULL};
    (void)state;
    start(answers, true);
    must_fail(open_by(OAUTH_BY_SECRET), 5000, ERR_AUTH, 1, "refused the sign-in (HTTP 400, bad)", "sign-in logs");
    stop();
}

static void test_answers_of_no_use(void **state)
{
    static const struct {
        const char *answer;
        int class;
        const char *says;
    } cases[] = {
        {HEAD("200", "") "<html>Welcome to the hotel</html>", ERR_PROTO, "127.0.0.1: the answer is no JSON object"},
        {HEAD("200", "") "{\"token_type\":\"Bearer\",\"access_token\":\"a b\"}", ERR_PROTO, "no usable access_token"},
        {HEAD("200", "") "{\"token_type\":\"Bearer\",\"expires_in\":0,\"access_token\":\"ab\"}", ERR_PROTO, "already over"},
        {HEAD("302", "Location: https://evil.example/\r\n"), ERR_PROTO, "answered HTTP 302, but not as the login service does"},
        {HEAD("404", "") "<html>", ERR_PROTO, "answered HTTP 404"},
        {HEAD("204", ""), ERR_PROTO, "answered HTTP 204"},
    };
    (void)state;
    for (size_t i = 0; i < n_elements(cases); i++) {
        const char *const answers[] = {cases[i].answer, NULL};
        start(answers, true);
        must_fail(open_by(OAUTH_BY_SECRET), 5000, cases[i].class, 1, cases[i].says, "");
        stop();
    }
}

static void test_huge_answer(void **state)
{
    size_t n = 400 << 10;
    char *big = malloc(n + 200);
    const char *const answers[] = {big, NULL};
    (void)state;
    int head = snprintf(big, 200, HEAD("200", ""));
    memset(big + head, 'a', n);
    big[(size_t)head + n] = 0;
    start(answers, true);
    must_fail(open_by(OAUTH_BY_SECRET), 5000, ERR_LIMIT, 1, "sign-in: 127.0.0.1", "");
    stop();
    free(big);
}

/* --- tests: for the moment ------------------------------------------------------------------------------------------------- */

static void test_transient(void **state)
{
    static const char *const answers[] = {REFUSED("400", 90033, "Retry-After: 0.1\r\n"), "", HEAD("503", "Retry-After: 0.1\r\n") "<html>",
                                          HEAD("429", "Retry-After: 0.1\r\n"), GOOD, NULL};
    (void)state;
    start(answers, true);
    struct oauth *o = open_by(OAUTH_BY_SECRET);
    must_ensure(o);
    assert_int_equal(seen->n, 5);
    oauth_close(o);
    stop();
}

static void test_retry_after(void **state)
{
    static const char *const soon[] = {HEAD("429", "Retry-After: 1.5\r\n"), GOOD, NULL}, *const late[] = {REFUSED("429", 90055, "Retry-After: 600\r\n"), NULL};
    struct err e;
    (void)state;
    start(soon, true);
    struct oauth *o = open_by(OAUTH_BY_SECRET);
    int64_t began = when_monotonic_ms();
    must_ensure(o);
    int64_t took = when_monotonic_ms() - began;
    assert_true(took >= 1500 && took < 5000);
    oauth_close(o);
    stop();
    start(late, true);
    o = open_by(OAUTH_BY_SECRET);
    assert_int_equal(ensure(o, 10000, &e), ERR_LIMIT);
    assert_int_equal(seen->n, 1); /* it would not be done in time: nobody waits in vain */
    assert_true(e.retry_at_ms > when_now_ms() + 590000);
    oauth_close(o);
    stop();
}

static void test_nobody_there(void **state)
{
    static const char *const answers[] = {GOOD, NULL};
    (void)state;
    start(answers, true);
    stop();
    int64_t began = when_monotonic_ms();
    must_fail(open_by(OAUTH_BY_SECRET), 1500, ERR_NET, -1, "sign-in: 127.0.0.1", "");
    assert_true(when_monotonic_ms() - began < 3000);
}

static void test_untrusted(void **state)
{
    static const char *const answers[] = {GOOD, NULL};
    (void)state;
    start(answers, true);
    struct oauth_settings s = settings(OAUTH_BY_SECRET);
    s.ca_path = stranger;
    must_fail(open_with(&s), 5000, ERR_TLS, -1, "sign-in: 127.0.0.1", "");
    assert_int_equal(seen->requests[0].len, 0); /* nothing was said behind the handshake */
    stop();
}

/* --- tests: a certificate ------------------------------------------------------------------------------------------------------ */

static json_t *part_of(const char *jwt, int n)
{
    uint8_t text[4096];
    size_t len = 0;
    while (n--) jwt = strchr(jwt, '.') + 1;
    size_t end = strcspn(jwt, ".");
    assert_int_equal(sodium_base642bin(text, sizeof text, jwt, end, NULL, &len, NULL, sodium_base64_VARIANT_URLSAFE_NO_PADDING), 0);
    json_t *j = json_loadb((char *)text, len, 0, NULL);
    assert_non_null(j);
    return j;
}

static int64_t claim(const char *jwt, const char *name)
{
    json_t *claims = part_of(jwt, 1);
    int64_t v = json_integer_value(json_object_get(claims, name));
    json_decref(claims);
    return v;
}

static void test_certificate(void **state)
{
    static const char *const answers[] = {GOOD, NULL};
    char v[8192], want[128];
    (void)state;
    start(answers, true);
    struct oauth *o = open_by(OAUTH_BY_CERTIFICATE);
    must_ensure(o);
    assert_int_equal(n_fields(0), 5);
    assert_string_equal(field(0, "client_secret", v), "");
    assert_string_equal(field(0, "client_assertion_type", v), "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    field(0, "client_assertion", v);
    json_t *claims = part_of(v, 1);
    snprintf(want, sizeof want, "%s/contoso.example/oauth2/v2.0/token", login_url);
    assert_string_equal(json_string_value(json_object_get(claims, "aud")), want);
    assert_string_equal(json_string_value(json_object_get(claims, "iss")), CLIENT);
    json_decref(claims);
    assert_true(llabs(claim(v, "nbf") - when_now_ms() / 1000) < 30);
    assert_true(oauth_certificate_expires_ms(o) > when_now_ms() + (int64_t)29 * 86400000);
    oauth_close(o);
    stop();
}

static char *date_header(char *out, size_t size, const char *format, int64_t offset_s)
{
    char date[64];
    time_t t = time(NULL) + (time_t)offset_s;
    struct tm tm;
    strftime(date, sizeof date, "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", gmtime_r(&t, &tm));
    snprintf(out, size, format, date);
    return out;
}

/* Refused for its date, an assertion is made once more by the service's clock. */
static void test_wrong_clock(void **state)
{
    char refused[1024], again[8192];
    const char *const answers[] = {refused, GOOD, NULL};
    (void)state;
    date_header(refused, sizeof refused,
                "HTTP/1.1 401 X\r\nConnection: close\r\n%s\r\n{\"error\":\"invalid_client\",\"error_description\":\"AADSTS700024: x\"}", 720);
    start(answers, true);
    struct oauth *o = open_by(OAUTH_BY_CERTIFICATE);
    must_ensure(o);
    assert_int_equal(seen->n, 2);
    assert_true(llabs(claim(field(0, "client_assertion", again), "nbf") - when_now_ms() / 1000) < 30);
    assert_true(llabs(claim(field(1, "client_assertion", again), "nbf") - when_now_ms() / 1000 - 720) < 30);
    assert_true(llabs(oauth_clock_offset_ms(o) - 720000) < 30000);
    oauth_close(o);
    stop();
}

static void test_wrong_clock_for_good(void **state)
{
    char refused[1024];
    const char *const answers[] = {refused, NULL};
    (void)state;
    date_header(refused, sizeof refused,
                "HTTP/1.1 401 X\r\nConnection: close\r\n%s\r\n{\"error\":\"invalid_client\",\"error_description\":\"AADSTS700024: x\"}", -720);
    start(answers, true);
    must_fail(open_by(OAUTH_BY_CERTIFICATE), 5000, ERR_AUTH, 2, "our clock is 12 minutes ahead of the service's", "NTP");
    stop();
}

static void test_certificate_of_no_use(void **state)
{
    struct oauth_settings s = settings(OAUTH_BY_CERTIFICATE);
    struct oauth *o;
    struct err e;
    (void)state;
    s.certificate_path = ca;
    assert_int_equal(oauth_open(&o, &s, &secret, &e), ERR_INPUT);
    assert_null(o);
    assert_non_null(strstr(e.message, "client_certificate: "));
    assert_non_null(strstr(e.message, "holds no private key"));
}

/* --- tests: a federated token ------------------------------------------------------------------------------------------------------ */

static void test_federated(void **state)
{
    static const char *const answers[] = {GOOD, NULL};
    char v[8192];
    (void)state;
    start(answers, true);
    put_federated("\n " FEDERATED "\r\n\n");
    struct oauth *o = open_by(OAUTH_BY_FEDERATED);
    must_ensure(o);
    assert_string_equal(field(0, "client_assertion", v), FEDERATED);
    assert_int_equal(n_fields(0), 5);
    put_federated(FEDERATED "2");
    oauth_forget(o);
    must_ensure(o);
    assert_string_equal(field(1, "client_assertion", v), FEDERATED "2"); /* read anew */
    oauth_close(o);
    stop();
}

static void test_federated_of_no_use(void **state)
{
    static const char *const contents[] = {"", "hello", "a.b", "a.b.c.d", "a.b.c\nd.e.f", "a.b c.d", "\xff.b.c"};
    (void)state;
    for (size_t i = 0; i < n_elements(contents); i++) {
        put_federated(contents[i]);
        seen->n = 0;
        struct oauth *o = open_by(OAUTH_BY_FEDERATED);
        must_fail(o, 2000, ERR_INPUT, -1, "holds no token", "$AZURE_FEDERATED_TOKEN_FILE");
        assert_int_equal(seen->n, 0);
    }
    unlink(federated);
    must_fail(open_by(OAUTH_BY_FEDERATED), 2000, ERR_NOTFOUND, -1, "federated_token_file: ", "");
}

static void test_federated_echo(void **state)
{
    static const char *const answers[] = {REFUSED("400", 70021, "") "", NULL},
                            *const echo[] = {HEAD("400", "") "{\"error\":\"x\",\"error_description\":\"AADSTS70021: " FEDERATED "\"}", NULL};
    struct err e;
    (void)state;
    put_federated(FEDERATED);
    start(answers, true);
    must_fail(open_by(OAUTH_BY_FEDERATED), 2000, ERR_AUTH, 1, "matches the token: \"words of the service\"", "issuer, subject and audience");
    stop();
    start(echo, true);
    struct oauth *o = open_by(OAUTH_BY_FEDERATED);
    assert_int_equal(ensure(o, 2000, &e), ERR_AUTH);
    assert_null(strstr(e.message, "eyJ"));
    oauth_close(o);
    stop();
}

/* --- tests: a managed identity -------------------------------------------------------------------------------------------------------- */

#define IMDS_GOOD                                                                                                                    \
    HEAD("200", "") "{\"access_token\":\"" TOKEN "\",\"refresh_token\":\"\",\"expires_in\":\"3599\",\"expires_on\":\"1506484173\","  \
                    "\"not_before\":\"1506480273\",\"resource\":\"https://graph.microsoft.com\",\"token_type\":\"Bearer\"}"

static void test_managed_identity(void **state)
{
    static const char *const answers[] = {IMDS_GOOD, NULL};
    (void)state;
    start(answers, false);
    struct oauth_settings s = settings(OAUTH_BY_MANAGED_IDENTITY);
    struct oauth *o = open_with(&s);
    must_ensure(o);
    assert_true(has_line(0, "GET /metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fgraph.microsoft.com&"
                            "client_id=" CLIENT " HTTP/1.1"));
    assert_true(has_line(0, "Metadata: true"));
    oauth_close(o);
    s.client_id = NULL;
    s.tenant = NULL;
    o = open_with(&s);
    must_ensure(o);
    assert_true(has_line(1, "GET /metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fgraph.microsoft.com HTTP/1.1"));
    oauth_close(o);
    stop();
}

static void test_managed_identity_later(void **state)
{
    static const char *const answers[] = {HEAD("404", "") "<html>", HEAD("410", ""), IMDS_GOOD, NULL};
    (void)state;
    start(answers, false);
    struct oauth *o = open_by(OAUTH_BY_MANAGED_IDENTITY);
    must_ensure(o);
    assert_int_equal(seen->n, 3);
    oauth_close(o);
    stop();
}

static void test_no_managed_identity(void **state)
{
    static const char *const answers[] = {HEAD("400", "") "{\"error\":\"invalid_request\",\"error_description\":\"Identity not found\"}", NULL};
    (void)state;
    start(answers, false);
    must_fail(open_by(OAUTH_BY_MANAGED_IDENTITY), 5000, ERR_AUTH, 1, "\"Identity not found\"", "user-assigned");
    stop();
    must_fail(open_by(OAUTH_BY_MANAGED_IDENTITY), 1200, ERR_NET, -1, "sign-in: 127.0.0.1", "Azure machines");
}

/* --- tests: settings ------------------------------------------------------------------------------------------------------------------- */

static void test_settings(void **state)
{
    static const struct {
        const char *login, *tenant, *client, *says;
    } bad[] = {
        {"http://login.example", "contoso", CLIENT, "login_url is http"},
        {"http://127.0.0.1", "contoso", CLIENT, "login_url is http"},
        {"login.example", "contoso", CLIENT, "login_url"},
        {"https://user@login.example", "contoso", CLIENT, "login_url"},
        {"https://login.example?x=1", "contoso", CLIENT, "must not have a query"},
        {"https://login.example", "", CLIENT, "tenant_id is not set"},
        {"https://login.example", NULL, CLIENT, "tenant_id is not set"},
        {"https://login.example", "a/b", CLIENT, "neither a GUID nor a domain"},
        {"https://login.example", "..", CLIENT, "neither a GUID nor a domain"},
        {"https://login.example", "a..b", CLIENT, "neither a GUID nor a domain"},
        {"https://login.example", "a?b", CLIENT, "neither a GUID nor a domain"},
        {"https://login.example", "a b", CLIENT, "neither a GUID nor a domain"},
        {"https://login.example", "Common", CLIENT, "is for people who sign in"},
        {"https://login.example", "organizations", CLIENT, "is for people who sign in"},
        {"https://login.example", "contoso", "", "client_id is not set"},
        {"https://login.example", "contoso", NULL, "client_id is not set"},
    };
    struct oauth *o;
    struct err e;
    (void)state;
    for (size_t i = 0; i < n_elements(bad); i++) {
        struct oauth_settings s = settings(OAUTH_BY_SECRET);
        s.login_url = bad[i].login;
        s.tenant = bad[i].tenant;
        s.client_id = bad[i].client;
        int rc = oauth_open(&o, &s, &secret, &e);
        if (rc != ERR_INPUT || o || !strstr(e.message, bad[i].says)) fail_msg("%zu: %d, %s", i, rc, rc < 0 ? e.message : "");
    }
    struct secret none = {0};
    struct oauth_settings s = settings(OAUTH_BY_SECRET);
    assert_int_equal(oauth_open(&o, &s, &none, &e), ERR_INPUT);
    assert_non_null(strstr(e.message, "the client secret is empty"));
    assert_int_equal(oauth_open(&o, &s, NULL, &e), ERR_INPUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_secret),
        cmocka_unit_test(test_slashes),
        cmocka_unit_test(test_renewal),
        cmocka_unit_test(test_renewal_is_put_off),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_secret_id),
        cmocka_unit_test(test_echo),
        cmocka_unit_test(test_answers_of_no_use),
        cmocka_unit_test(test_huge_answer),
        cmocka_unit_test(test_transient),
        cmocka_unit_test(test_retry_after),
        cmocka_unit_test(test_nobody_there),
        cmocka_unit_test(test_untrusted),
        cmocka_unit_test(test_certificate),
        cmocka_unit_test(test_wrong_clock),
        cmocka_unit_test(test_wrong_clock_for_good),
        cmocka_unit_test(test_certificate_of_no_use),
        cmocka_unit_test(test_federated),
        cmocka_unit_test(test_federated_of_no_use),
        cmocka_unit_test(test_federated_echo),
        cmocka_unit_test(test_managed_identity),
        cmocka_unit_test(test_managed_identity_later),
        cmocka_unit_test(test_no_managed_identity),
        cmocka_unit_test(test_settings),
    };
    int rc = cmocka_run_group_tests(tests, group_set_up, group_tear_down);
    secret_drop(&secret);
    return rc;
}
