#include "net/oauth_fixture.h"

/* --- tests: a secret
 * --------------------------------------------------------------------------------------------------- */

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
    assert_string_equal(json_string_value(json_array_get(json_object_get(oauth_claims(o), "roles"), 0)),
                        "User.Read.All");
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
    static const char *const answers[] = {
        GOOD,
        HEAD("200", "") "{\"token_type\":\"Bearer\",\"expires_in\":\"100\",\"access_token\":\"" TOKEN "\"}",
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

/* --- tests: refusals
 * ----------------------------------------------------------------------------------------------------- */

static void test_refused(void **state)
{
    static const char *const answers[] = {REFUSED("401", 7000222, ""), GOOD, NULL};
    struct err e;
    (void)state;
    start(answers, true);
    struct oauth *o = open_by(OAUTH_BY_SECRET);
    assert_int_equal(ensure(o, 5000, &e), ERR_AUTH);
    assert_string_equal(e.message,
                        "127.0.0.1 refused the sign-in: the client secret has expired (AADSTS7000222)");
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
    static const char *const answers[] = {HEAD("400", "") "{\"error\":\"bad\",\"error_description\":\"you "
                                                          "said q8Q~p+A&b%41=c d\\\"e\\\\f;\xc3\xa9_-.z\"}",
                                          NULL};
    (void)state;
    start(answers, true);
    must_fail(open_by(OAUTH_BY_SECRET), 5000, ERR_AUTH, 1, "refused the sign-in (HTTP 400, bad)",
              "sign-in logs");
    stop();
}

static void test_answers_of_no_use(void **state)
{
    static const struct {
        const char *answer;
        int class;
        const char *says;
    } cases[] = {
        {HEAD("200", "") "<html>Welcome to the hotel</html>", ERR_PROTO,
         "127.0.0.1: the answer is no JSON object"},
        {HEAD("200", "") "{\"token_type\":\"Bearer\",\"access_token\":\"a b\"}", ERR_PROTO,
         "no usable access_token"},
        {HEAD("200", "") "{\"token_type\":\"Bearer\",\"expires_in\":0,\"access_token\":\"ab\"}", ERR_PROTO,
         "already over"},
        {HEAD("302", "Location: https://evil.example/\r\n"), ERR_PROTO,
         "answered HTTP 302, but not as the login service does"},
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

/* --- tests: for the moment
 * ------------------------------------------------------------------------------------------------- */

static void test_transient(void **state)
{
    static const char *const answers[] = {
        REFUSED("400", 90033, "Retry-After: 0.1\r\n"), "",   HEAD("503", "Retry-After: 0.1\r\n") "<html>",
        HEAD("429", "Retry-After: 0.1\r\n"),           GOOD, NULL};
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
    static const char *const soon[] = {HEAD("429", "Retry-After: 1.5\r\n"), GOOD, NULL},
                             *const late[] = {REFUSED("429", 90055, "Retry-After: 600\r\n"), NULL};
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

/* --- tests: a certificate
 * ------------------------------------------------------------------------------------------------------ */

static json_t *part_of(const char *jwt, int n)
{
    uint8_t text[4096];
    size_t len = 0;
    while (n--) jwt = strchr(jwt, '.') + 1;
    size_t end = strcspn(jwt, ".");
    assert_int_equal(sodium_base642bin(text, sizeof text, jwt, end, NULL, &len, NULL,
                                       sodium_base64_VARIANT_URLSAFE_NO_PADDING),
                     0);
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
    assert_string_equal(field(0, "client_assertion_type", v),
                        "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
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
                "HTTP/1.1 401 X\r\nConnection: "
                "close\r\n%s\r\n{\"error\":\"invalid_client\",\"error_description\":\"AADSTS700024: x\"}",
                720);
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
                "HTTP/1.1 401 X\r\nConnection: "
                "close\r\n%s\r\n{\"error\":\"invalid_client\",\"error_description\":\"AADSTS700024: x\"}",
                -750);
    start(answers, true);
    must_fail(open_by(OAUTH_BY_CERTIFICATE), 5000, ERR_AUTH, 2,
              "our clock is 12 minutes ahead of the service's", "NTP");
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

/* --- tests: a federated token
 * ------------------------------------------------------------------------------------------------------ */

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
    static const char *const contents[] = {"",        "hello",   "a.b", "a.b.c.d", "a.b.c\nd.e.f",
                                           "a.b c.d", "\xff.b.c"};
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
                             *const echo[] = {
                                 HEAD("400",
                                      "") "{\"error\":\"x\",\"error_description\":\"AADSTS70021: " FEDERATED
                                          "\"}",
                                 NULL};
    struct err e;
    (void)state;
    put_federated(FEDERATED);
    start(answers, true);
    must_fail(open_by(OAUTH_BY_FEDERATED), 2000, ERR_AUTH, 1, "matches the token: \"words of the service\"",
              "issuer, subject and audience");
    stop();
    start(echo, true);
    struct oauth *o = open_by(OAUTH_BY_FEDERATED);
    assert_int_equal(ensure(o, 2000, &e), ERR_AUTH);
    assert_null(strstr(e.message, "eyJ"));
    oauth_close(o);
    stop();
}

/* --- tests: a managed identity
 * -------------------------------------------------------------------------------------------------------- */

#define IMDS_GOOD                                                                                            \
    HEAD("200", "")                                                                                          \
    "{\"access_token\":\"" TOKEN                                                                             \
    "\",\"refresh_token\":\"\",\"expires_in\":\"3599\",\"expires_on\":\"1506484173\","                       \
    "\"not_before\":\"1506480273\",\"resource\":\"https://graph.microsoft.com\",\"token_type\":\"Bearer\"}"

static void test_managed_identity(void **state)
{
    static const char *const answers[] = {IMDS_GOOD, NULL};
    (void)state;
    start(answers, false);
    struct oauth_settings s = settings(OAUTH_BY_MANAGED_IDENTITY);
    struct oauth *o = open_with(&s);
    must_ensure(o);
    assert_true(has_line(
        0,
        "GET "
        "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fgraph.microsoft.com&"
        "client_id=" CLIENT " HTTP/1.1"));
    assert_true(has_line(0, "Metadata: true"));
    oauth_close(o);
    s.client_id = NULL;
    s.tenant = NULL;
    o = open_with(&s);
    must_ensure(o);
    assert_true(
        has_line(1, "GET "
                    "/metadata/identity/oauth2/"
                    "token?api-version=2018-02-01&resource=https%3A%2F%2Fgraph.microsoft.com HTTP/1.1"));
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
    static const char *const answers[] = {
        HEAD("400", "") "{\"error\":\"invalid_request\",\"error_description\":\"Identity not found\"}", NULL};
    (void)state;
    start(answers, false);
    must_fail(open_by(OAUTH_BY_MANAGED_IDENTITY), 5000, ERR_AUTH, 1, "\"Identity not found\"",
              "user-assigned");
    stop();
    must_fail(open_by(OAUTH_BY_MANAGED_IDENTITY), 1200, ERR_NET, -1, "sign-in: 127.0.0.1", "Azure machines");
}

/* --- tests: settings
 * -------------------------------------------------------------------------------------------------------------------
 */

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
        if (rc != ERR_INPUT || o || !strstr(e.message, bad[i].says))
            fail_msg("%zu: %d, %s", i, rc, rc < 0 ? e.message : "");
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
