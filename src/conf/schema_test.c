#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "conf/conf.h"
#include "conf/spec.h"

#include <stdlib.h>

static void test_types(void **state)
{
    size_t n = 0;
    for (; conf_types[n].name; n++) {
        assert_string_equal(conf_types[n].name, type_specs[n].name);
        json_t *schema = conf_spec(conf_types[n].name);
        assert_non_null(schema);
        assert_string_equal(json_string_value(json_object_get(schema, "$schema")),
                            "https://json-schema.org/draft/2020-12/schema");
        assert_string_equal(json_string_value(json_object_get(schema, "title")), conf_types[n].name);
        json_decref(schema);
    }
    assert_int_equal(n, n_type_specs);
    assert_null(conf_spec("nonsense"));
    assert_null(conf_spec(NULL));
}

/* Every row is complete, and what it says about itself is right. */
static void test_rows(void **state)
{
    for (size_t t = 0; t < n_type_specs; t++)
        for (size_t i = 0; i < type_specs[t].n_keys; i++) {
            const struct key_spec *k = &type_specs[t].keys[i];
            assert_non_null(k->doc);
            assert_non_null(k->group);
            assert_ptr_equal(key_spec_find(&type_specs[t], str_from(k->name)), k); /* no name twice */
            if (k->is_required) assert_non_null(k->example);
            if (k->is_required) assert_null(k->fallback);
            if (k->kind == KEY_CHOICE) assert_non_null(k->choices);
            if (k->kind == KEY_INT || k->kind == KEY_DURATION) assert_true(k->max > k->min);
            if (k->when_key) assert_non_null(key_spec_find(&type_specs[t], str_from(k->when_key)));
            if (k->when_key) assert_non_null(k->when);
        }
}

static void test_active_directory(void **state)
{
    json_t *s = conf_spec("active_directory"), *p = json_object_get(s, "properties");
    static const char *const promised[] = {"domain",
                                           "host",
                                           "port",
                                           "security",
                                           "auth",
                                           "username",
                                           "password",
                                           "ca_certificate",
                                           "certificate_name",
                                           "mechanism",
                                           "kerberos_spn",
                                           "krb5_config",
                                           "credential_cache",
                                           "keytab",
                                           "base_dn",
                                           "group_scope",
                                           "extract_disabled_users",
                                           "extract_acls",
                                           "custom_properties",
                                           "failover_hosts",
                                           "dc_discovery",
                                           "dc_discovery_domain",
                                           "last_logon",
                                           "frequency",
                                           "full_sync_every"};
    for (size_t i = 0; i < n_elements(promised); i++)
        if (!json_object_get(p, promised[i])) fail_msg("no %s", promised[i]);
    json_t *password = json_object_get(p, "password");
    assert_true(json_is_true(json_object_get(password, "x-secret")));
    char *when = json_dumps(json_object_get(password, "x-show-if"), JSON_COMPACT);
    assert_string_equal(when, "{\"auth\":[\"simple\",\"kerberos\"]}");
    free(when);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(p, "page_size"), "default")), 1000);
    assert_true(json_is_true(json_object_get(json_object_get(p, "extract_acls"), "default")));
    assert_true(json_is_true(json_object_get(s, "x-available")));
    char *required = json_dumps(json_object_get(s, "required"), JSON_COMPACT);
    assert_string_equal(required, "[\"type\",\"domain\",\"host\"]");
    free(required);
    char *all = json_dumps(json_array_get(json_object_get(s, "allOf"), 0), JSON_COMPACT);
    assert_string_equal(all, "{\"if\":{\"properties\":{\"auth\":{\"enum\":[\"simple\",\"kerberos\"]}}},"
                             "\"then\":{\"required\":[\"username\"]}}");
    free(all);
    json_decref(s);
    s = conf_spec("entra_id");
    assert_true(json_is_true(json_object_get(s, "x-available")));
    p = json_object_get(s, "properties");
    static const char *const entra[] = {"tenant_id", "client_id", "client_secret", "client_certificate", "client_certificate_password",
                                        "federated_token_file", "managed_identity", "identity_url", "cloud", "login_url", "graph_url",
                                        "ca_certificate", "kinds", "mfa", "mfa_methods_time", "sign_in_activity", "incremental",
                                        "reports_every", "parallel", "page_size", "run_timeout"};
    for (size_t i = 0; i < n_elements(entra); i++)
        if (!json_object_get(p, entra[i])) fail_msg("no %s", entra[i]);
    assert_true(json_is_true(json_object_get(json_object_get(p, "client_secret"), "x-secret")));
    assert_true(json_is_true(json_object_get(json_object_get(p, "client_certificate_password"), "x-secret")));
    json_decref(s);
}

/* Of the machine's own: for an administrator of a server to enter. */
static void test_for_admin(void **state)
{
    static const char *const wanted[][3] = {
        {"active_directory", "auth", "[\"kerberos_cache\"]"}, {"active_directory", "keytab", "true"},         {"active_directory", "krb5_config", "true"},
        {"active_directory", "credential_cache", "true"},      {"active_directory", "host", NULL},             {"active_directory", "ca_certificate", NULL},
        {"active_directory", "password", NULL},                {"entra_id", "managed_identity", "[true]"},     {"entra_id", "identity_url", "true"},
        {"entra_id", "federated_token_file", "true"},          {"entra_id", "client_certificate", "true"},     {"entra_id", "client_secret", NULL},
        {"entra_id", "graph_url", NULL}};
    (void)state;
    for (size_t i = 0; i < n_elements(wanted); i++) {
        json_t *s = conf_spec(wanted[i][0]), *property = json_object_get(json_object_get(s, "properties"), wanted[i][1]);
        char *seen = json_dumps(json_object_get(property, "x-admin"), JSON_COMPACT | JSON_ENCODE_ANY);
        assert_non_null(property);
        if (!str_equal(str_from(seen ? seen : "none"), str_from(wanted[i][2] ? wanted[i][2] : "none"))) fail_msg("%s: %s", wanted[i][1], seen);
        free(seen);
        json_decref(s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_for_admin),
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_active_directory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
