/* Settings against variables: which wins, and where a variable counts at all. */
#include "conf/conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static char *const env[] = {"KRB5_CONFIG=/env/krb5.conf", "KRB5CCNAME=FILE:/env/cc",
                            "LDAP_CERTIFICATE=/env/ca.pem", NULL};

static json_t *settings(const char *auth, const char *security, const char *key, const char *value)
{
    json_t *s = json_pack("{s:s, s:s}", "auth", auth, "security", security);
    if (key) json_object_set_new(s, key, json_string(value));
    return s;
}

static void test_where(void **state)
{
    static const struct {
        const char *auth, *security, *krb5_config, *cache, *ca;
    } cases[] = {
        {"simple", "ldaps", NULL, NULL, NULL},
        {"kerberos", "ldaps", "/env/krb5.conf", NULL, NULL},
        {"kerberos_cache", "ldaps", "/env/krb5.conf", "/env/cc", "/env/ca.pem"},
        {"kerberos_cache", "starttls", "/env/krb5.conf", "/env/cc", "/env/ca.pem"},
        {"kerberos_cache", "ldap", "/env/krb5.conf", "/env/cc", NULL},
        {"keytab", "ldaps", "/env/krb5.conf", NULL, "/env/ca.pem"},
        {"keytab", "ldap", "/env/krb5.conf", NULL, NULL},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct err e;
        const char *const want[] = {cases[i].krb5_config, cases[i].cache, cases[i].ca};
        static const char *const keys[] = {"krb5_config", "credential_cache", "ca_certificate"};
        json_t *s = settings(cases[i].auth, cases[i].security, NULL, NULL);
        assert_int_equal(conf_from_environment("active_directory", s, env, &e), 0);
        for (size_t k = 0; k < 3; k++) {
            const char *have = conf_str(s, keys[k]);
            if (!want[k]) assert_null(have);
            if (want[k]) assert_string_equal(have, want[k]);
        }
        json_decref(s);
    }
}

static void test_setting_wins(void **state)
{
    static const char *const keys[] = {"krb5_config", "credential_cache", "ca_certificate"};
    for (size_t i = 0; i < n_elements(keys); i++) {
        struct err e;
        json_t *s = settings("kerberos_cache", "ldaps", keys[i], "/set");
        assert_int_equal(conf_from_environment("active_directory", s, env, &e), 0);
        assert_string_equal(conf_str(s, keys[i]), "/set");
        json_decref(s);
    }
}

static void test_values(void **state)
{
    static const struct {
        const char *variable, *key, *value, *message;
    } cases[] = {
        {"KRB5CCNAME=DIR:/run/cc", "credential_cache", "DIR:/run/cc", NULL},
        {"KRB5CCNAME=KEYRING:persistent:0", "credential_cache", "KEYRING:persistent:0", NULL},
        {"KRB5CCNAME=KCM:", "credential_cache", "KCM:", NULL},
        {"KRB5CCNAME=", "credential_cache", NULL, NULL},
        {"KRB5CCNAME=MEMORY:x", NULL, NULL,
         "KRB5CCNAME: credential_cache: 'MEMORY:x' is no ticket cache that another process can read"},
        {"KRB5_CONFIG=/a.conf:/b.conf", "krb5_config", "/a.conf:/b.conf", NULL},
        {"KRB5CCNAME=/a\xff", NULL, NULL, "KRB5CCNAME: not UTF-8 text"},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct err e;
        char *own = strdup(cases[i].variable);
        char *const one[] = {own, NULL};
        json_t *s = settings("kerberos_cache", "ldaps", NULL, NULL);
        int rc = conf_from_environment("active_directory", s, one, &e);
        assert_int_equal(rc, cases[i].message ? ERR_INPUT : 0);
        if (cases[i].message) assert_string_equal(e.message, cases[i].message);
        if (cases[i].value) assert_string_equal(conf_str(s, cases[i].key), cases[i].value);
        if (!cases[i].value && cases[i].key) assert_null(conf_str(s, cases[i].key));
        json_decref(s);
        free(own);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_where),
        cmocka_unit_test(test_setting_wins),
        cmocka_unit_test(test_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
