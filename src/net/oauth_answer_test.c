#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "net/oauth_int.h"

#define NOW ((int64_t)1775001600000) /* 2026-04-01T00:00:00Z */

/* {"alg":"none"} . {"roles":["User.Read.All"],"exp":1775005200} */
#define CLAIMS "eyJyb2xlcyI6WyJVc2VyLlJlYWQuQWxsIl0sImV4cCI6MTc3NTAwNTIwMH0"
#define TOKEN  "eyJhbGciOiJub25lIn0." CLAIMS ".c2ln"

/* --- tokens -----------------------------------------------------------------------------------------------
 */

/* clang-format off */
#define ANSWER(rest) "{\"token_type\":\"Bearer\",\"access_token\":\"" TOKEN "\"" rest "}"
#define NONE         (-1)

static const struct {
    const char *body;
    int64_t life_s; /* NONE: refused */
} answers[] = {
    {ANSWER(",\"expires_in\":3599"), 3599},
    {ANSWER(",\"expires_in\":3599,\"ext_expires_in\":7199"), 3599},
    {ANSWER(",\"expires_in\":\"3599\",\"expires_on\":\"1506484173\",\"not_before\":\"1506480273\",\"refresh_token\":\"\""), 3599},
    {ANSWER(",\"expires_on\":\"1775005200\""), 3600},
    {ANSWER(",\"expires_on\":1775005200"), 3600},
    {ANSWER(",\"expires_in\":\"soon\",\"expires_on\":1775005200"), 3600},
    {ANSWER(",\"expires_in\":null,\"expires_on\":1775005200"), 3600},
    {ANSWER(",\"expires_in\":3599.9"), 3599},
    {ANSWER(",\"expires_in\":86399"), 86399},
    {ANSWER(",\"expires_in\":172801"), 172800},
    {ANSWER(",\"expires_in\":9223372036854775807"), 172800},
    {ANSWER(",\"expires_in\":\"999999999999999\""), 172800},
    {ANSWER(",\"expires_in\":\"9999999999999999999999\""), 300},
    {ANSWER(",\"expires_in\":1e300"), 300},
    {ANSWER(""), 300},
    {"{\"token_type\":\"bearer\",\"access_token\":\"abc\",\"expires_in\":60}", 60},
    {"{\"token_type\":\"BEARER\",\"access_token\":\"a-._~+/=Z9\",\"expires_in\":60}", 60},
    /* over */
    {ANSWER(",\"expires_in\":0"), NONE},
    {ANSWER(",\"expires_in\":-1"), NONE},
    {ANSWER(",\"expires_in\":-9223372036854775808"), NONE},
    {ANSWER(",\"expires_on\":\"1506484173\""), NONE},
    /* of no use */
    {"", NONE},
    {"{}", NONE},
    {"[]", NONE},
    {"null", NONE},
    {"<html>", NONE},
    {"{\"token_type\":\"Bearer\",\"access_token\":\"" TOKEN "\"", NONE},
    {ANSWER(",\"access_token\":\"other\""), NONE},
    {"{\"access_token\":\"abc\",\"expires_in\":60}", NONE},
    {"{\"token_type\":\"mac\",\"access_token\":\"abc\",\"expires_in\":60}", NONE},
    {"{\"token_type\":7,\"access_token\":\"abc\",\"expires_in\":60}", NONE},
    {"{\"token_type\":\"Bearer\",\"expires_in\":60}", NONE},
    {"{\"token_type\":\"Bearer\",\"access_token\":\"\",\"expires_in\":60}", NONE},
    {"{\"token_type\":\"Bearer\",\"access_token\":7,\"expires_in\":60}", NONE},
    {"{\"token_type\":\"Bearer\",\"access_token\":\"a b\",\"expires_in\":60}", NONE},
    {"{\"token_type\":\"Bearer\",\"access_token\":\"a\\r\\nX-Evil: 1\",\"expires_in\":60}", NONE},
    {"{\"token_type\":\"Bearer\",\"access_token\":\"a\\u0000b\",\"expires_in\":60}", NONE},
    {"{\"token_type\":\"Bearer\",\"access_token\":\"\xc3\xa4\",\"expires_in\":60}", NONE},
    {"{\"token_type\":\"Bearer\",\"access_token\":\"\xff\",\"expires_in\":60}", NONE},
};
/* clang-format on */

static void test_answers(void **state)
{
    (void)state;
    for (size_t i = 0; i < n_elements(answers); i++) {
        struct secret token = {0};
        struct err e = {0};
        int64_t life_ms = 0;
        int rc = oauth_answer_read(&token, &life_ms, bytes_of(str_from(answers[i].body)), NOW, &e);
        if (answers[i].life_s == NONE) {
            if (rc != ERR_PROTO || !*e.message || !*e.hint) fail_msg("taken: %s", answers[i].body);
            assert_null(strstr(e.message, "abc"));
            assert_null(strstr(e.message, "ey"));
            assert_int_equal(token.len, 0);
            continue;
        }
        if (rc < 0) fail_msg("%s: %s", answers[i].body, e.message);
        if (life_ms != answers[i].life_s * 1000) fail_msg("%s: %lld ms", answers[i].body, (long long)life_ms);
        assert_true(token.len >= 3);
        secret_drop(&token);
    }
}

static void test_sizes(void **state)
{
    (void)state;
    for (size_t n = 1000; n <= 400000; n += 47000 - 1000) {
        struct buf b = buf_new(1 << 20);
        struct secret token = {0};
        struct err e;
        int64_t life_ms;
        buf_printf(&b, "{\"token_type\":\"Bearer\",\"expires_in\":60,\"access_token\":\"");
        for (size_t i = 0; i < n; i++) buf_add_byte(&b, 'a');
        buf_printf(&b, "\"}");
        int rc = oauth_answer_read(&token, &life_ms, buf_bytes(&b), NOW, &e);
        assert_int_equal(rc, n <= 48 * 1024 ? 0 : ERR_PROTO);
        secret_drop(&token);
        buf_free(&b);
    }
}

/* What jansson had of an answer is wiped before it goes back to the heap: no copy of a token stays there. */
static size_t n_wiped, n_dirty;

static void inspecting_free(void *p)
{
    const uint8_t *b = p;
    size_t n = p ? malloc_usable_size(p) : 0, i = 0;
    while (i < n && !b[i]) i++;
    n_wiped += n && i == n;
    n_dirty += i < n;
    free(p);
}

static void test_memory_is_wiped(void **state)
{
    static const char *const bodies[] = {ANSWER(",\"expires_in\":60"), ANSWER(",\"expires_in\":0"),
                                         ANSWER(",\"expires_in\":")};
    (void)state;
    for (size_t i = 0; i < n_elements(bodies); i++) {
        struct secret token = {0};
        struct err e;
        int64_t life_ms;
        json_free_t f;
        n_wiped = n_dirty = 0;
        json_set_alloc_funcs(malloc, inspecting_free);
        int rc = oauth_answer_read(&token, &life_ms, bytes_of(str_from(bodies[i])), NOW, &e);
        json_get_alloc_funcs(NULL, &f);
        json_set_alloc_funcs(malloc, free);
        assert_int_equal(rc, i ? ERR_PROTO : 0);
        assert_true(f == inspecting_free);
        assert_true(n_wiped > 3);
        assert_int_equal(n_dirty, 0);
        secret_drop(&token);
    }
}

/* --- claims ------------------------------------------------------------------------------------------------
 */

static const struct {
    const char *token;
    bool is_read;
} jwts[] = {
    {TOKEN, true},
    {"." CLAIMS ".", true},
    {"x." CLAIMS ".y.z", true},
    {"..", false},
    {"", false},
    {".", false},
    {"a", false},
    {"a.b", false},
    {"a.b.c", false},
    {"a." CLAIMS, false},
    {"a." CLAIMS "=.c", false},
    {"a." CLAIMS "*.c", false},
    {"a.W10.c", false},                /* [] */
    {"a.bnVsbA.c", false},             /* null */
    {"a.eyJhIjoxLCJhIjoyfQ.c", false}, /* the same key twice */
    {"a.e30.c", true},                 /* {} */
};

static void test_claims(void **state)
{
    (void)state;
    for (size_t i = 0; i < n_elements(jwts); i++) {
        json_t *claims = oauth_claims_decode(bytes_of(str_from(jwts[i].token)));
        if ((claims != NULL) != jwts[i].is_read) fail_msg("%s", jwts[i].token);
        json_decref(claims);
    }
    json_t *claims = oauth_claims_decode(bytes_of(STR(TOKEN)));
    assert_int_equal(json_integer_value(json_object_get(claims, "exp")), 1775005200);
    assert_string_equal(json_string_value(json_array_get(json_object_get(claims, "roles"), 0)),
                        "User.Read.All");
    json_decref(claims);
}

/* --- refusals: bodies as published, identifiers zeroed
 * ------------------------------------------------------- */

/* clang-format off */
#define ZERO  "00000000-0000-0000-0000-000000000000"
#define TAIL  "\\r\\nTrace ID: " ZERO "\\r\\nCorrelation ID: " ZERO "\\r\\nTimestamp: 2023-01-09 14:06:14Z"
#define REFUSAL(error, code, text)                                                                           \
    "{\"error\":\"" error "\",\"error_description\":\"AADSTS" #code ": " text TAIL "\",\"error_codes\":[" #code "],"     \
    "\"timestamp\":\"2023-01-09 14:06:14Z\",\"trace_id\":\"" ZERO "\",\"correlation_id\":\"" ZERO "\","                  \
    "\"error_uri\":\"https://login.microsoftonline.com/error?code=" #code "\"}"

static const struct {
    const char *name;
    long status;
    const char *body;
    enum err_class class;
    const char *message, *hint; /* within */
} refusals[] = {
    {"wrong secret", 401,
     REFUSAL("invalid_client", 7000215, "Invalid client secret provided. Ensure the secret being sent in the request is the client secret "
                                        "value, not the client secret ID, for a secret added to app '" ZERO "'."),
     ERR_AUTH, "login.microsoftonline.com refused the sign-in: the client secret is wrong (AADSTS7000215)", "Value (not its Secret ID)"},
    {"expired secret", 401,
     REFUSAL("invalid_client", 7000222, "The provided client secret keys for app '" ZERO "' are expired. Visit the Azure portal to create new "
                                        "keys for your app: https://aka.ms/NewClientSecret."),
     ERR_AUTH, "login.microsoftonline.com refused the sign-in: the client secret has expired (AADSTS7000222)", "make a new client secret"},
    {"no application", 400,
     REFUSAL("unauthorized_client", 700016, "Application with identifier '" ZERO "' was not found in the directory 'Contoso'."), ERR_AUTH,
     "no application with this client id (AADSTS700016)", "client_id and tenant_id"},
    {"no tenant", 400, REFUSAL("invalid_tenant", 90002, "Tenant 'contoso-typo' not found."), ERR_AUTH, "there is no such tenant (AADSTS90002)",
     "national cloud"},
    {"other cloud", 400, REFUSAL("invalid_client", 900382, "Confidential Client is not supported in Cross Cloud request."), ERR_AUTH,
     "belongs to another national cloud", "us_gov_dod or china"},
    {"no Graph", 400, REFUSAL("invalid_resource", 500011, "The resource principal named x was not found."), ERR_AUTH,
     "does not know this Microsoft Graph", "same cloud as login_url"},
    {"scope", 400,
     REFUSAL("invalid_scope", 70011, "The provided value for the input parameter 'scope' is not valid. The scope "
                                     "https://foo.microsoft.com/.default is not valid."),
     ERR_AUTH, "does not accept the address of Microsoft Graph as a scope", "graph_url"},
    {"federation", 400,
     REFUSAL("invalid_request", 70021, "No matching federated identity record found for presented assertion. Assertion Issuer: "
                                       "'https://issuer.example/'."),
     ERR_AUTH, "no federated credential of the application matches the token: \"No matching federated identity record", "upper and lower case"},
    {"certificate", 401,
     REFUSAL("invalid_client", 700027, "The certificate with identifier used to sign the client assertion is not registered on application. "
                                       "[Reason - The key was not found.]"),
     ERR_AUTH, "[Reason - The key was not found.]\" (AADSTS700027)", "upload the certificate"},
    {"no secret", 401, REFUSAL("invalid_client", 7000216, "'client_assertion', 'client_secret' or 'request' is required."), ERR_AUTH,
     "no client secret or assertion arrived", "client_secret"},
    {"unknown code", 400, REFUSAL("invalid_grant", 9999999, "Something new."), ERR_AUTH,
     "refused the sign-in: \"Something new.\" (AADSTS9999999, trace " ZERO ", correlation " ZERO ")", "sign-in logs"},
    {"no code", 400, "{\"error\":\"invalid_request\",\"error_description\":\"Required metadata header not specified\"}", ERR_AUTH,
     "refused the sign-in: \"Required metadata header not specified\" (HTTP 400, invalid_request)", "sign-in logs"},
    {"only a word", 400, "{\"error\":\"invalid_grant\"}", ERR_AUTH, "refused the sign-in (HTTP 400, invalid_grant)", "sign-in logs"},
    {"code in the text only", 400, "{\"error\":\"x\",\"error_description\":\"AADSTS90002: gone Trace ID: 1 Correlation ID: 2\"}", ERR_AUTH,
     "there is no such tenant (AADSTS90002)", "tenant_id"},
    {"one line", 400, "{\"error\":\"x\",\"error_description\":\"AADSTS4711: gone Trace ID: 1 Correlation ID: 2\"}", ERR_AUTH,
     "refused the sign-in: \"gone\" (AADSTS4711)", "sign-in logs"},
    {"codes of no use", 400, "{\"error\":\"x\",\"error_description\":7,\"error_codes\":[-5,\"x\"]}", ERR_AUTH, "(HTTP 400, x)", "sign-in logs"},
    {"transient", 503, REFUSAL("temporarily_unavailable", 90033, "A transient error has occurred. Please try again."), ERR_NET,
     "not available for the moment (AADSTS90033)", "passes by itself"},
    {"transient at 400", 400, REFUSAL("temporarily_unavailable", 90024, "x"), ERR_NET, "for the moment (AADSTS90024)", "passes by itself"},
    {"too many", 429, REFUSAL("x", 90055, "blocked"), ERR_LIMIT, "too many tokens (AADSTS90055)", "signs in so often"},
    {"429, a page", 429, "<html>", ERR_LIMIT, "login.microsoftonline.com is not available for the moment (HTTP 429)", "passes by itself"},
    {"502, a page", 502, "<html>", ERR_NET, "not available for the moment (HTTP 502)", "passes by itself"},
    {"404, a page", 404, "<html>", ERR_PROTO, "answered HTTP 404, but not as the login service does", "check login_url"},
    {"302", 302, "", ERR_PROTO, "answered HTTP 302, but not as the login service does", "check login_url"},
    {"Graph's error", 404, "{\"error\":{\"code\":\"x\"}}", ERR_PROTO, "not as the login service does", "check login_url"},
};
/* clang-format on */

static int explain(struct err *e, long status, const char *body, const struct oauth_circumstances *c)
{
    struct oauth_refusal r;
    *e = (struct err){0};
    oauth_refusal_read(&r, status, bytes_of(str_from(body)));
    return oauth_refusal_explain(e, &r, c);
}

static void test_refusals(void **state)
{
    struct oauth_circumstances c = {.host = "login.microsoftonline.com", .by = OAUTH_BY_SECRET};
    (void)state;
    for (size_t i = 0; i < n_elements(refusals); i++) {
        struct err e;
        int rc = explain(&e, refusals[i].status, refusals[i].body, &c);
        if (rc != (int)refusals[i].class) fail_msg("%s: class %d: %s", refusals[i].name, rc, e.message);
        if (!strstr(e.message, refusals[i].message))
            fail_msg("%s: '%s' is not in '%s'", refusals[i].name, refusals[i].message, e.message);
        if (!strstr(e.hint, refusals[i].hint))
            fail_msg("%s: '%s' is not in '%s'", refusals[i].name, refusals[i].hint, e.hint);
        assert_int_equal(e.domain, DOM_HTTP);
        assert_true(strlen(e.hint) < sizeof e.hint - 1);
    }
}

static void test_codes(void **state)
{
    struct oauth_circumstances c = {.host = "h"};
    struct err e;
    (void)state;
    explain(&e, 401, REFUSAL("invalid_client", 7000222, "x"), &c);
    assert_int_equal(e.code, 7000222);
    explain(&e, 502, "<html>", &c);
    assert_int_equal(e.code, 502);
}

static void test_secret_id(void **state)
{
    struct oauth_circumstances c = {.host = "h", .by = OAUTH_BY_SECRET, .is_secret_id = true};
    struct err e;
    (void)state;
    explain(&e, 401, REFUSAL("invalid_client", 7000215, "x"), &c);
    assert_non_null(strstr(e.hint, "holds a GUID, which is the Secret ID"));
    explain(&e, 401, REFUSAL("invalid_client", 7000222, "x"), &c);
    assert_null(strstr(e.hint, "GUID"));
}

static void test_clock(void **state)
{
    static const struct {
        int64_t offset_ms;
        enum oauth_by by;
        const char *message, *hint;
    } clocks[] = {
        {7 * 60000, OAUTH_BY_CERTIFICATE, "; our clock is 7 minutes behind the service's (AADSTS700024)",
         "NTP"},
        {-90000, OAUTH_BY_CERTIFICATE, "; our clock is 90 seconds ahead of the service's", "NTP"},
        {-(int64_t)86400000, OAUTH_BY_FEDERATED, "; our clock is 24 hours ahead of the service's", "NTP"},
        {500, OAUTH_BY_CERTIFICATE, "in which it is valid (AADSTS700024)", "NTP"},
        {500, OAUTH_BY_FEDERATED, "the token in the file is too old", "federated_token_file"},
    };
    (void)state;
    for (size_t i = 0; i < n_elements(clocks); i++) {
        struct oauth_circumstances c = {
            .host = "h", .by = clocks[i].by, .clock_offset_ms = clocks[i].offset_ms};
        struct err e;
        explain(&e, 401,
                REFUSAL("invalid_client", 700024, "Client assertion is not within its valid time range."),
                &c);
        if (!strstr(e.message, clocks[i].message) || !strstr(e.hint, clocks[i].hint))
            fail_msg("%s / %s", e.message, e.hint);
    }
}

static void test_expired_certificate(void **state)
{
    struct oauth_circumstances c = {
        .host = "h", .by = OAUTH_BY_CERTIFICATE, .certificate_expires_ms = 1700000000000};
    struct err e;
    (void)state;
    explain(&e, 401, REFUSAL("invalid_client", 700027, "Reason - The key used is expired."), &c);
    assert_non_null(strstr(e.message, "the certificate expired on 2023-11-14"));
    assert_non_null(strstr(e.hint, "renew the certificate"));
}

/* A service (or what answers in its place) that sends our request back gets none of it into a message. */
static void test_nothing_of_the_request(void **state)
{
    static const char *const lines[] = {"you sent Tr0ub4dor~secret+value", "Tr0ub4dor~secret+value",
                                        "cut: Tr0ub4dor~secret"};
    struct oauth_circumstances c = {.host = "h",
                                    .sent = {{NULL, 0}, bytes_of(STR("Tr0ub4dor~secret+value"))}};
    (void)state;
    for (size_t i = 0; i < n_elements(lines); i++) {
        char body[256];
        struct err e;
        snprintf(body, sizeof body, "{\"error\":\"x\",\"error_description\":\"%s\"}", lines[i]);
        explain(&e, 400, body, &c);
        assert_null(strstr(e.message, "Tr0ub4"));
        snprintf(body, sizeof body, "{\"error\":\"%s\",\"trace_id\":\"%s\",\"correlation_id\":\"%s\"}",
                 lines[i], lines[i], lines[i]);
        explain(&e, 400, body, &c);
        assert_null(strstr(e.message, "Tr0ub4"));
        snprintf(body, sizeof body, "{\"error\":\"x\",\"error_description\":\"AADSTS700027: %s\"}", lines[i]);
        explain(&e, 400, body, &c);
        assert_null(strstr(e.message, "Tr0ub4"));
    }
}

static void test_managed_identity(void **state)
{
    struct oauth_circumstances c = {.host = "169.254.169.254", .by = OAUTH_BY_MANAGED_IDENTITY};
    struct oauth_refusal r;
    struct err e;
    (void)state;
    assert_int_equal(
        explain(&e, 400, "{\"error\":\"invalid_request\",\"error_description\":\"Identity not found\"}", &c),
        ERR_AUTH);
    assert_non_null(strstr(e.message, "169.254.169.254 refused the sign-in: \"Identity not found\""));
    assert_non_null(strstr(e.hint, "user-assigned"));
    assert_int_equal(explain(&e, 404, "", &c), ERR_PROTO);
    assert_non_null(strstr(e.hint, "Azure machine"));
    for (long status = 200; status < 600; status++) {
        oauth_refusal_read(&r, status, bytes_of(STR("")));
        bool always = status == 408 || status == 429 || status >= 500;
        assert_int_equal(oauth_refusal_passes(&r, OAUTH_BY_MANAGED_IDENTITY),
                         always || status == 404 || status == 410);
        assert_int_equal(oauth_refusal_passes(&r, OAUTH_BY_SECRET), always);
    }
}

/* --- the table
 * ------------------------------------------------------------------------------------------------ */

static void test_table(void **state)
{
    static const int must[] = {7000215, 7000222, 700016, 90002,  70011,  7000216, 7000218,
                               700027,  700024,  70021,  700211, 700212, 700213,  7002131,
                               500011,  900382,  90006,  90012,  90024,  90033,   90055};
    const char *meaning, *fix;
    (void)state;
    for (size_t i = 0; i < n_elements(must); i++) {
        assert_true(oauth_explain(must[i], &meaning, &fix));
        assert_true(strlen(meaning) > 10 && strlen(fix) > 10 && strlen(fix) < sizeof((struct err *)0)->hint);
    }
    assert_false(oauth_explain(0, &meaning, &fix));
    assert_false(oauth_explain(-1, &meaning, &fix));
    assert_false(oauth_explain(50034, &meaning, &fix)); /* of people who sign in */
}

static void test_secret_ids(void **state)
{
    static const struct {
        const char *secret;
        bool is_id;
    } secrets[] = {
        {"3f2504e0-4f89-11d3-9a0c-0305e82c3301", true},
        {"3F2504E0-4F89-11D3-9A0C-0305E82C3301", true},
        {"", false},
        {"abc8Q~aBcDeFgHiJkLmNoPqRsTuVwXyZ01234567", false},
        {"3f2504e04f8911d39a0c0305e82c3301", false},
        {"3f2504e0-4f89-11d3-9a0c-0305e82c330g", false},
        {"3f2504e0-4f89-11d3-9a0c-0305e82c33011", false},
        {"3f2504e0_4f89-11d3-9a0c-0305e82c3301", false},
    };
    (void)state;
    for (size_t i = 0; i < n_elements(secrets); i++)
        assert_int_equal(oauth_looks_like_secret_id(bytes_of(str_from(secrets[i].secret))), secrets[i].is_id);
}

static void test_quotes(void **state)
{
    static const struct {
        const char *in, *out;
    } quotes[] = {
        {"", ""},
        {"  \r\n\t", ""},
        {"one\r\ntwo", "one"},
        {"\n\n one", "one"},
        {"a\tb", "a b"},
        {"a\x1b[2Jb\x7f", "a?[2Jb?"},
        {"gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f"},
        {"a\xff\xfe z", "a?? z"},
        {"a\xe2\x80\xae z", "a? z"},
        {"\xe2\x80\x99", "\xe2\x80\x99"}, /* a typographic apostrophe */
        {"a\xc2\x9bz", "a?z"},
        {"0123456789abcdef", "0123456789abcde"},
        {"0123456789abcd\xc3\xbc", "0123456789abcd"},
    };
    (void)state;
    for (size_t i = 0; i < n_elements(quotes); i++) {
        char out[16];
        assert_string_equal(oauth_quote(out, sizeof out, str_from(quotes[i].in)), quotes[i].out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_memory_is_wiped),
        cmocka_unit_test(test_claims),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_codes),
        cmocka_unit_test(test_secret_id),
        cmocka_unit_test(test_clock),
        cmocka_unit_test(test_expired_certificate),
        cmocka_unit_test(test_nothing_of_the_request),
        cmocka_unit_test(test_managed_identity),
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_secret_ids),
        cmocka_unit_test(test_quotes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
