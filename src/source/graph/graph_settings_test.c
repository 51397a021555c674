#include "source/graph/graph_settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define T "\"tenant_id\":\"contoso.example\","
#define TC T "\"client_id\":\"c\","

static json_t *parse(const char *members)
{
    char text[2048];
    snprintf(text, sizeof text, "{%s\"type\":\"entra_id\"}", members);
    json_t *v = json_loads(text, 0, NULL);
    assert_non_null(v);
    return v;
}

/* --- where ---------------------------------------------------------------------------------------------------- */

static const struct {
    const char *members, *login, *resource, *base, *host;
    unsigned port;
} places[] = {
    {TC, "https://login.microsoftonline.com", "https://graph.microsoft.com", "https://graph.microsoft.com/v1.0", "graph.microsoft.com", 443},
    {TC "\"cloud\":\"global\",", "https://login.microsoftonline.com", "https://graph.microsoft.com", "https://graph.microsoft.com/v1.0", "graph.microsoft.com", 443},
    {TC "\"cloud\":\"us_gov\",", "https://login.microsoftonline.us", "https://graph.microsoft.us", "https://graph.microsoft.us/v1.0", "graph.microsoft.us", 443},
    {TC "\"cloud\":\"us_gov_dod\",", "https://login.microsoftonline.us", "https://dod-graph.microsoft.us", "https://dod-graph.microsoft.us/v1.0", "dod-graph.microsoft.us", 443},
    {TC "\"cloud\":\"china\",", "https://login.chinacloudapi.cn", "https://microsoftgraph.chinacloudapi.cn", "https://microsoftgraph.chinacloudapi.cn/v1.0",
     "microsoftgraph.chinacloudapi.cn", 443},
    {TC "\"login_url\":\"https://l.example\",\"graph_url\":\"https://g.example\",", "https://l.example", "https://g.example", "https://g.example/v1.0", "g.example", 443},
    {TC "\"login_url\":\"https://l.example\",\"graph_url\":\"https://g.example:8443/\",", "https://l.example", "https://g.example:8443", "https://g.example:8443/v1.0", "g.example", 8443},
    {TC "\"login_url\":\"https://l.example\",\"graph_url\":\"https://g.example/v1.0\",", "https://l.example", "https://g.example", "https://g.example/v1.0", "g.example", 443},
    {TC "\"login_url\":\"https://l.example\",\"graph_url\":\"https://g.example/v1.0//\",", "https://l.example", "https://g.example", "https://g.example/v1.0", "g.example", 443},
    {TC "\"login_url\":\"https://l.example\",\"graph_url\":\"https://g.example/proxy/graph/\",", "https://l.example", "https://g.example/proxy/graph",
     "https://g.example/proxy/graph/v1.0", "g.example", 443},
    {TC "\"cloud\":\"china\",\"login_url\":\"https://l.example\",\"graph_url\":\"https://g.example\",", "https://l.example", "https://g.example", "https://g.example/v1.0", "g.example", 443},
};

static void clouds_and_roots(void **unused)
{
    for (size_t i = 0; i < n_elements(places); i++) {
        struct graph_settings s;
        struct err e;
        json_t *v = parse(places[i].members);
        if (graph_settings_read(&s, v, &e) < 0) fail_msg("case %zu: %s", i, e.message);
        assert_string_equal(s.oauth.login_url, places[i].login);
        assert_string_equal(s.oauth.resource, places[i].resource);
        assert_string_equal(s.base_text, places[i].base);
        assert_string_equal(s.base.host, places[i].host);
        assert_int_equal(s.base.port, places[i].port);
        assert_true(s.base.is_https);
        json_decref(v);
    }
}

/* --- who ------------------------------------------------------------------------------------------------------ */

static const struct {
    const char *members;
    enum oauth_by by;
} credentials[] = {
    {TC, OAUTH_BY_SECRET},
    {TC "\"client_certificate\":\"/c.pem\",", OAUTH_BY_CERTIFICATE},
    {TC "\"federated_token_file\":\"/t\",", OAUTH_BY_FEDERATED},
    {TC "\"client_certificate\":\"\",\"federated_token_file\":\"/t\",", OAUTH_BY_FEDERATED},
    {T "\"managed_identity\":true,", OAUTH_BY_MANAGED_IDENTITY},
    {TC "\"managed_identity\":true,", OAUTH_BY_MANAGED_IDENTITY},
    {TC "\"managed_identity\":false,", OAUTH_BY_SECRET},
};

static void ways_to_sign_in(void **unused)
{
    for (size_t i = 0; i < n_elements(credentials); i++) {
        struct graph_settings s;
        struct err e;
        json_t *v = parse(credentials[i].members);
        if (graph_settings_read(&s, v, &e) < 0) fail_msg("case %zu: %s", i, e.message);
        assert_int_equal(s.oauth.by, credentials[i].by);
        json_decref(v);
    }
}

/* --- what ----------------------------------------------------------------------------------------------------- */

static void defaults(void **unused)
{
    struct graph_settings s;
    struct err e;
    json_t *v = parse(TC);
    assert_int_equal(graph_settings_read(&s, v, &e), 0);
    assert_int_equal(s.kinds, GRAPH_KINDS);
    assert_int_equal(s.mfa, GRAPH_MFA_AUTO);
    assert_int_equal(s.incremental, GRAPH_DELTA);
    assert_true(s.sign_in_activity);
    assert_int_equal(s.parallel, 16);
    assert_int_equal(s.page_size, 999);
    assert_int_equal(s.reports_every_ms, 24 * 3600 * 1000);
    assert_null(s.oauth.ca_path);
    json_decref(v);
}

static void choices(void **unused)
{
    struct graph_settings s;
    struct err e;
    json_t *v = parse(TC "\"kinds\":\"user,group\",\"mfa\":\"methods\",\"incremental\":\"created_since\",\"sign_in_activity\":\"off\",\"parallel\":3,"
                         "\"page_size\":50,\"reports_every\":0,\"mfa_methods_time\":7000,\"connect_timeout\":2000,\"answer_timeout\":3000,");
    assert_int_equal(graph_settings_read(&s, v, &e), 0);
    assert_int_equal(s.kinds, KIND_BIT(KIND_user) | KIND_BIT(KIND_group));
    assert_int_equal(s.mfa, GRAPH_MFA_METHODS);
    assert_int_equal(s.incremental, GRAPH_CREATED_SINCE);
    assert_false(s.sign_in_activity);
    assert_int_equal(s.parallel, 3);
    assert_int_equal(s.page_size, 50);
    assert_int_equal(s.reports_every_ms, 0);
    assert_int_equal(s.methods_time_ms, 7000);
    assert_int_equal(s.connect_timeout_ms, 2000);
    assert_int_equal(s.oauth.answer_timeout_ms, 3000);
    json_decref(v);
}

/* --- what is wrong ---------------------------------------------------------------------------------------------- */

static const struct {
    const char *members, *says; /* the error names the key */
} errors[] = {
    {"", "tenant_id"},
    {T, "client_id"},
    {T "\"client_certificate\":\"/c.pem\",", "client_id"},
    {TC "\"cloud\":\"mars\",", "mars"},
    {TC "\"login_url\":\"https://l.example\",", "graph_url is not"},
    {TC "\"graph_url\":\"https://g.example\",", "login_url is not"},
    {TC "\"login_url\":\"https://l.example\",\"graph_url\":\"ftp://g.example\",", "graph_url"},
    {TC "\"login_url\":\"https://l.example\",\"graph_url\":\"https://\",", "graph_url"},
    {TC "\"login_url\":\"https://l.example\",\"graph_url\":\"https://me@g.example\",", "graph_url"},
    {TC "\"login_url\":\"https://l.example\",\"graph_url\":\"https://g.example?x=y\",", "graph_url"},
    {TC "\"kinds\":\"user,unicorn\",", "unicorn"},
    {TC "\"kinds\":\"user,computer\",", "computer"},
    {TC "\"mfa\":\"sometimes\",", "mfa"},
    {TC "\"incremental\":\"usn\",", "incremental"},
    {TC "\"sign_in_activity\":\"perhaps\",", "sign_in_activity"},
};

static void mistakes(void **unused)
{
    for (size_t i = 0; i < n_elements(errors); i++) {
        struct graph_settings s;
        struct err e;
        json_t *v = parse(errors[i].members);
        int rc = graph_settings_read(&s, v, &e);
        if (rc != ERR_INPUT || !strstr(e.message, errors[i].says)) fail_msg("case %zu: %d, %s", i, rc, rc < 0 ? e.message : "no error");
        json_decref(v);
    }
}

static void a_long_address_is_refused(void **unused)
{
    struct graph_settings s;
    struct err e;
    json_t *v = parse(TC "\"login_url\":\"https://l.example\",");
    char url[900] = "https://g.example/";
    memset(url + 18, 'a', sizeof url - 19);
    json_object_set_new(v, "graph_url", json_string(url));
    assert_int_equal(graph_settings_read(&s, v, &e), ERR_INPUT);
    json_decref(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(clouds_and_roots), cmocka_unit_test(ways_to_sign_in), cmocka_unit_test(defaults), cmocka_unit_test(choices),
                                       cmocka_unit_test(mistakes), cmocka_unit_test(a_long_address_is_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
