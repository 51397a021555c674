/* Keeping, changing, judging connectors; and that a secret goes where it was entered for, and nowhere else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "server/connectors/connectors_test.h"
#include "server/state/state_secrets.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

/* --- keeping ---------------------------------------------------------------------------------------------------- */

static void test_put_and_get(void **state)
{
    struct err e;
    json_t *out;
    char pw[64];
    assert_int_equal(put("corp", 0, corp, "{\"password\": \"hunter2\"}", true), 0);
    json_t *o = get("corp"), *settings = json_object_get(o, "settings");
    assert_string_equal(json_string_value(json_object_get(o, "source")), "server");
    assert_string_equal(json_string_value(json_object_get(settings, "security")), "ldaps"); /* with defaults */
    assert_int_equal(json_integer_value(json_object_get(settings, "port")), 636);
    assert_null(json_object_get(settings, "password"));
    assert_string_equal(json_string_value(json_object_get(json_object_get(o, "schedule"), "every")), "1h");
    assert_true(is_set("corp", "password"));
    /* what was told can be put back as it is */
    char *text = json_dumps(settings, 0);
    assert_int_equal(put("corp", 1, text, NULL, true), 0);
    free(text);
    json_decref(o);
    assert_true(is_set("corp", "password"));
    assert_int_equal(handed_secret("corp", "password", pw, sizeof pw), 0);
    assert_string_equal(pw, "hunter2");
    assert_int_equal(put("corp", 1, corp, NULL, true), ERR_CONFLICT);
    assert_int_equal(put("corp", 0, corp, NULL, true), ERR_CONFLICT);
    assert_int_equal(put("other", 1, corp, NULL, true), ERR_NOTFOUND);
    assert_int_equal(put("lab", 0, corp, "{\"password\": \"hunter2\"}", true), ERR_CONFLICT); /* of the file */
    assert_int_equal(connectors_delete(all, "lab", &e), ERR_CONFLICT);
    assert_int_equal(connectors_enable(all, "lab", false, &e), ERR_CONFLICT);
    assert_int_equal(connectors_enable(all, "corp", false, &e), 0);
    assert_int_equal(connectors_delete(all, "corp", &e), 0);
    assert_int_equal(connectors_delete(all, "corp", &e), ERR_NOTFOUND);
    assert_int_equal(connectors_get(all, "corp", &out, &e), ERR_NOTFOUND);
    int64_t n;
    assert_int_equal(state_number(test_state, &n, -1, &e, "SELECT count(*) FROM secret", ""), 0);
    assert_int_equal(n, 0);
}

static void test_list(void **state)
{
    struct err e;
    json_t *list;
    assert_int_equal(put("zzz", 0, corp, "{\"password\": \"hunter2\"}", true), 0);
    assert_int_equal(put("abc", 0, corp, "{\"password\": \"hunter2\"}", false), 0);
    assert_int_equal(connectors_list(all, &list, &e), 0);
    assert_int_equal(json_array_size(list), 3);
    static const char *const names[] = {"abc", "lab", "zzz"};
    for (size_t i = 0; i < 3; i++) assert_string_equal(json_string_value(json_object_get(json_array_get(list, i), "name")), names[i]);
    json_decref(list);
    json_t *lab = get("lab");
    assert_string_equal(json_string_value(json_object_get(json_object_get(json_object_get(lab, "secrets"), "password"), "reference")), "env:LAB_PW");
    assert_string_equal(json_string_value(json_object_get(lab, "source")), "file");
    json_decref(lab);
}

static void test_refused(void **state)
{
    static const struct {
        const char *name, *settings, *secrets, *says;
    } cases[] = {
        {"c", "{}", NULL, "is missing"},
        {"c", "{\"domain\": \"corp.example\", \"host\": \"dc1\", \"username\": \"a@b\"}", NULL, "password is missing"},
        {"my corp", corp, "{\"password\": \"hunter2\"}", "no spaces"},
        {"", corp, "{\"password\": \"hunter2\"}", "1 to 64"},
        {"a/b", corp, "{\"password\": \"hunter2\"}", "1 to 64"},
        {"c", corp, "{\"passwort\": \"hunter2\"}", "no key 'passwort'"},
        {"c", corp, "{\"password\": 7}", "text is expected"},
        {"c", corp, "{\"password\": \"hunter2\\u0000x\"}", "NUL"},
        {"c", "{\"domain\": \"corp.example\", \"host\": \"dc1\", \"username\": \"a@b\", \"password\": \"env:X\"}", "{\"password\": \"hunter2\"}", "one of them"},
        {"c", "{\"domain\": \"corp.example\", \"host\": \"dc1\", \"username\": \"a@b\", \"password\": \"hunter2\"}", NULL, "never written"},
        {"c", "{\"domain\": \"corp.example\", \"host\": \"dc1\", \"username\": \"a@b\", \"password\": \"fd:21\"}", NULL, "never written"},
        {"c", "{\"domain\": \"corp.example\", \"host\": \"dc1\", \"username\": \"a@b\", \"password\": \"file:rel\"}", NULL, "must be absolute"},
        {"c", "{\"domain\": \"corp.example\", \"host\": \"dc1\", \"username\": \"a@b\", \"password\": \"file:/proc/self/environ\"}", NULL, "not a path"},
        {"c", "{\"domain\": \"corp.example\", \"host\": \"dc1\", \"username\": \"a@b\", \"password\": \"file:/tmp/../proc/self/environ\"}", NULL, "not a path"},
        {"c", "{\"domain\": \"corp.example\", \"host\": \"dc1\", \"username\": \"a@b\", \"password\": \"file:/./proc/self/environ\"}", NULL, "not a path"},
        {"c", "{\"domain\": \"corp.example\", \"host\": \"dc1\", \"username\": \"a@b\", \"password\": \"cred:rollcall-master-key\"}", NULL, "server itself"},
        {"c", "{\"domain\": \"corp.example\", \"host\": \"dc1\", \"username\": \"a@b\", \"password\": \"env:VAULT_TOKEN\"}", NULL, "server itself"},
        {"c", "{\"domain\": \"corp.example\", \"host\": \"dc1\", \"username\": \"a@b\", \"password\": \"file:/run/credentials/x/rollcall-master-key\"}", NULL, "server itself"},
        {"c", "{\"domain\": \"corp.example\", \"host\": \"dc1\", \"username\": \"a@b\", \"ca_certificate\": \"ca.pem\"}", "{\"password\": \"hunter2\"}", "must be absolute"},
        {"c", "{\"domain\": \"corp.example\", \"host\": \"dc1\", \"username\": \"a@b\", \"hosst\": \"x\"}", "{\"password\": \"hunter2\"}", "did you mean 'host'"},
        {"c", "{\"type\": \"entra_id\", \"domain\": \"corp.example\"}", NULL, "cannot change its type"},
    };
    struct err e;
    json_t *out;
    for (size_t i = 0; i < n_elements(cases); i++) {
        if (put_err(cases[i].name, 0, cases[i].settings, cases[i].secrets, true, &out, &e) != ERR_INPUT) fail_msg("%zu was taken", i);
        assert_null(out);
        if (!strstr(e.message, cases[i].says)) fail_msg("%zu: %s", i, e.message);
        assert_null(strstr(e.message, "hunter2"));
        assert_null(strstr(e.hint, "hunter2"));
    }
    json_t *list = json("[]"), *x = json("{}");
    assert_int_equal(connectors_put(all, "c", 0, FORM(AD, list, NULL), false, &out, &e), ERR_INPUT);
    assert_int_equal(connectors_put(all, "c", 0, FORM(AD, x, list), false, &out, &e), ERR_INPUT);
    assert_int_equal(connectors_put(all, "c", 0, FORM("http", x, NULL), false, &out, &e), ERR_INPUT);
    assert_int_equal(connectors_put(all, "c", 0, FORM("nonsense", x, NULL), false, &out, &e), ERR_INPUT);
    json_decref(list);
    json_decref(x);
}

/* The server's own secrets are not a connector's to send anywhere. */
static void test_own_files(void **state)
{
    static const char *const tails[] = {"", ".server", ".key", ".server-wal"};
    char settings[512], link_path[128];
    struct err e;
    json_t *out;
    for (size_t i = 0; i < n_elements(tails); i++) {
        snprintf(settings, sizeof settings, "{\"domain\": \"c.example\", \"host\": \"dc1\", \"username\": \"a@b\", \"password\": \"file:%s/x.db%s\"}", test_dir, tails[i]);
        assert_int_equal(put_err("c", 0, settings, NULL, false, &out, &e), ERR_INPUT);
        assert_non_null(strstr(e.message, "of the server itself"));
    }
    snprintf(settings, sizeof settings, "%s/x.db.key", test_dir);
    snprintf(link_path, sizeof link_path, "%s/innocent", test_dir);
    assert_int_equal(symlink(settings, link_path), 0);
    snprintf(settings, sizeof settings, "{\"domain\": \"c.example\", \"host\": \"dc1\", \"username\": \"a@b\", \"password\": \"file:%s\"}", link_path);
    assert_int_equal(put_err("c", 0, settings, NULL, false, &out, &e), ERR_INPUT);
}

static void test_guarded_and_plain(void **state)
{
    static const char *const guarded[] = {"/srv/tls.key", "file:/srv/passphrase", "cred:passphrase"};
    static const char *const refused[] = {"file:/srv/tls.key", "file:/srv/tls.key.x.tmp", "file:/srv/passphrase", "cred:passphrase"};
    char settings[200];
    struct err e;
    json_t *out;
    for (size_t i = 0; i < n_elements(guarded); i++) connectors_guard(guarded[i]);
    for (size_t i = 0; i < n_elements(refused); i++) {
        snprintf(settings, sizeof settings, "{\"password\": \"%s\"}", refused[i]);
        assert_int_equal(put_err("c", 0, settings, NULL, false, &out, &e), ERR_INPUT);
        assert_non_null(strstr(e.message, "of the server itself"));
    }
    assert_int_equal(put("c", 0, "{\"password\": \"file:/srv/tls.keys\"}", NULL, false), 0);
    /* Settings that are not in use yet are stored and shown too. */
    static const char *const bad[] = {"{\"password\": \"hunter2\"}", "{\"password\": [\"hunter2\"]}", "{\"bind_password\": \"hunter2\"}", "{\"ca_certificate_pem\": \"hunter2\"}"};
    for (size_t i = 0; i < n_elements(bad); i++)
        if (put_err("d", 0, bad[i], NULL, false, &out, &e) != ERR_INPUT || strstr(e.message, "hunter2")) fail_msg("%s: %s", bad[i], e.message);
}

static void test_incomplete(void **state)
{
    struct err e;
    assert_int_equal(put("c", 0, "{\"domain\": \"corp.example\"}", NULL, false), 0); /* saved, not in use */
    assert_int_equal(connectors_enable(all, "c", true, &e), ERR_INPUT);
    struct handed h;
    assert_int_equal(connectors_hand(all, "c", &h, &e), ERR_INPUT);
    assert_int_equal(put("c", 1, corp, "{\"password\": \"hunter2\"}", false), 0);
    assert_int_equal(connectors_enable(all, "c", true, &e), 0);
}

/* --- pass-back: a secret goes where it was entered for, and nowhere else --------------------------------------------- */

static void test_changes_that_empty(void **state)
{
    static const struct {
        const char *key, *value;
        bool empties;
    } cases[] = {
        {"host", "\"evil.example\"", true},
        {"host", "\"dc1.corp.example\"", false}, /* the same */
        {"port", "3636", true},
        {"port", "636", false}, /* the default, written out */
        {"port", "\"636\"", false},
        {"security", "\"starttls\"", true},
        {"ca_certificate", "\"/etc/ssl/evil.pem\"", true},
        {"certificate_name", "\"evil.example\"", true},
        {"username", "\"other@corp.example\"", true},
        {"domain", "\"evil.example\"", true},
        {"failover_hosts", "[\"evil.example\"]", true},
        {"failover_hosts", "[]", false},
        {"dc_discovery", "true", true},
        {"dns_servers", "[\"192.0.2.66\"]", true},
        {"auth", "\"kerberos\"", true},
        {"base_dn", "\"OU=Users,DC=corp,DC=example\"", false},
        {"frequency", "\"2h\"", false},
        {"extract_acls", "false", false},
        {"page_size", "500", false},
        {"cron", "\"15 3 * * 1-5\"", false},
    };
    struct err e;
    json_t *out;
    char pw[64];
    for (size_t i = 0; i < n_elements(cases); i++) {
        assert_int_equal(put("corp", 0, corp, "{\"password\": \"hunter2\"}", true), 0);
        json_t *s = json(corp), *v = json_loads(cases[i].value, JSON_DECODE_ANY, NULL);
        json_object_set_new(s, cases[i].key, v);
        int rc = connectors_put(all, "corp", 1, FORM(AD, s, NULL), true, &out, &e);
        if (rc != (cases[i].empties ? ERR_INPUT : 0)) fail_msg("%s: %d %s", cases[i].key, rc, e.message);
        if (rc == 0) assert_int_equal(handed_secret("corp", "password", pw, sizeof pw), 0);
        json_decref(out);
        if (cases[i].empties) {
            assert_non_null(strstr(e.message, "must be entered again"));
            assert_true(is_set("corp", "password")); /* nothing was written */
            assert_int_equal(connectors_put(all, "corp", 1, FORM(AD, s, NULL), false, &out, &e), 0); /* saved, not in use */
            json_decref(out);
            assert_false(is_set("corp", "password"));
            assert_true(must_enter("corp", "password"));
            assert_int_equal(connectors_enable(all, "corp", true, &e), ERR_INPUT);
            assert_int_equal(put("corp", 2, corp, NULL, true), ERR_INPUT); /* back as it was: it is gone all the same */
            json_t *again = json("{\"password\": \"hunter2-again\"}");
            assert_int_equal(connectors_put(all, "corp", 2, FORM(AD, s, again), true, &out, &e), 0);
            json_decref(again);
            json_decref(out);
            assert_false(must_enter("corp", "password"));
        }
        json_decref(s);
        assert_int_equal(connectors_delete(all, "corp", &e), 0);
    }
}

static void test_entra_changes(void **state)
{
    static const char *const changes[] = {
        "{\"tenant_id\": \"11111111-1111-1111-1111-111111111112\", \"client_id\": \"22222222-2222-2222-2222-222222222222\"}",
        "{\"tenant_id\": \"11111111-1111-1111-1111-111111111111\", \"client_id\": \"22222222-2222-2222-2222-222222222223\"}",
        "{\"tenant_id\": \"11111111-1111-1111-1111-111111111111\", \"client_id\": \"22222222-2222-2222-2222-222222222222\", \"cloud\": \"china\"}",
        ("{\"tenant_id\": \"11111111-1111-1111-1111-111111111111\", \"client_id\": \"22222222-2222-2222-2222-222222222222\", \"login_url\": \"https://evil.example\","
         " \"graph_url\": \"https://evil.example\"}"),
    };
    assert_int_equal(put("cloud", 0, tenant, "{\"client_secret\": \"hunter2\"}", true), 0);
    for (size_t i = 0; i < n_elements(changes); i++) assert_int_equal(put("cloud", 1, changes[i], NULL, true), ERR_INPUT);
    assert_int_equal(put("cloud", 1, "{\"tenant_id\": \"11111111-1111-1111-1111-111111111111\", \"client_id\": \"22222222-2222-2222-2222-222222222222\", \"mfa\": \"off\"}", NULL, true), 0);
    /* another way to sign in needs the secret no more */
    assert_int_equal(put("cloud", 2, "{\"tenant_id\": \"11111111-1111-1111-1111-111111111111\", \"managed_identity\": true}", NULL, true), 0);
    assert_false(is_set("cloud", "client_secret"));
    assert_false(must_enter("cloud", "client_secret"));
}

static void test_reference_instead(void **state)
{
    assert_int_equal(put("corp", 0, corp, "{\"password\": \"hunter2\"}", true), 0);
    assert_int_equal(put("corp", 1, "{\"domain\": \"corp.example\", \"host\": \"evil\", \"username\": \"svc@corp.example\", \"password\": \"env:PW\"}", NULL, true), 0);
    json_t *o = get("corp");
    const json_t *pw = json_object_get(json_object_get(o, "secrets"), "password");
    assert_string_equal(json_string_value(json_object_get(pw, "reference")), "env:PW");
    assert_true(json_is_null(json_object_get(pw, "updated")));
    json_decref(o);
    assert_int_equal(put("corp", 2, corp, NULL, true), ERR_INPUT); /* the entered one is gone */
}

/* --- who may name what the server reads ---------------------------------------------------------------------------------- */

static int put_as_operator(const char *type, int64_t version, const char *settings, const char *secrets)
{
    json_t *s = json(settings), *x = secrets ? json(secrets) : NULL, *out;
    struct connector_form form = {.type = type, .settings = s, .secrets = x};
    struct err e = {0};
    struct handed h;
    int rc = connectors_put(all, "corp", version, &form, true, &out, &e);
    if (rc == 0) json_decref(out);
    /* what may not be saved may not be tried either */
    int tried = connectors_hand_unsaved(all, "corp", &form, &h, &e);
    if (tried == 0) handed_close(&h);
    assert_int_equal(tried == ERR_DENIED, rc == ERR_DENIED);
    json_decref(s);
    json_decref(x);
    return rc;
}

#define TO(host, more) "{\"domain\": \"corp.example\", \"host\": \"" host "\", \"username\": \"svc@corp.example\"" more "}"
#define NAMED          ", \"password\": \"env:HOME\""

static void test_operators_name_nothing(void **state)
{
    static const char *const named[] = {
        TO("dc1.corp.example", NAMED),
        TO("dc1.corp.example", ", \"password\": \"vault:kv/corp#password\""),
        TO("dc1.corp.example", ", \"auth\": \"keytab\", \"keytab\": \"/etc/krb5.keytab\""),
        TO("dc1.corp.example", ", \"auth\": \"kerberos_cache\", \"credential_cache\": \"/tmp/krb5cc_0\""),
        TO("dc1.corp.example", ", \"auth\": \"kerberos_cache\""), /* the server's own tickets, without naming them */
    };
    (void)state;
    for (size_t i = 0; i < n_elements(named); i++) assert_int_equal(put_as_operator(AD, 0, named[i], NULL), ERR_DENIED);
    assert_int_equal(put_as_operator("entra_id", 0, "{\"tenant_id\": \"11111111-1111-1111-1111-111111111111\", \"client_id\": \"22222222-2222-2222-2222-222222222222\","
                                                    " \"login_url\": \"https://evil.example\", \"federated_token_file\": \"/etc/shadow\"}", NULL), ERR_DENIED);
    assert_int_equal(put_as_operator("entra_id", 0, "{\"tenant_id\": \"11111111-1111-1111-1111-111111111111\", \"managed_identity\": true,"
                                                    " \"identity_url\": \"http://127.0.0.1:1234/token\"}", NULL), ERR_DENIED);
    assert_int_equal(put_as_operator("entra_id", 0, "{\"tenant_id\": \"11111111-1111-1111-1111-111111111111\", \"managed_identity\": true,"
                                                    " \"login_url\": \"https://evil.example\", \"graph_url\": \"https://evil.example\"}", NULL), ERR_DENIED);
    assert_int_equal(put_as_operator(AD, 0, TO("dc1.corp.example", ", \"auth\": \"keytab\", \"keytab\": 7"), NULL), ERR_INPUT);
    assert_int_equal(put_as_operator(AD, 0, TO("dc1.corp.example", ", \"password\": [\"env:HOME\"]"), NULL), ERR_INPUT);
    assert_int_equal(put_as_operator(AD, 0, TO("dc1.corp.example", ", \"ca_certificate\": \"/etc/ssl/certs/ca-certificates.crt\""), "{\"password\": \"hunter2\"}"), 0);
    /* another may not replace what was entered by what is named */
    assert_int_equal(put_as_operator(AD, 1, TO("dc1.corp.example", NAMED), NULL), ERR_DENIED);
}

static void test_what_is_named_stays_for_its_server(void **state)
{
    struct err e;
    (void)state;
    setenv("HOME", "/", 1);
    assert_int_equal(put("corp", 0, TO("dc1.corp.example", NAMED), NULL, true), 0); /* an administrator */
    assert_int_equal(put_as_operator(AD, 1, TO("dc1.corp.example", NAMED ", \"extract_disabled_users\": false"), NULL), 0);
    assert_int_equal(put_as_operator(AD, 2, TO("evil.example", NAMED), NULL), ERR_DENIED);
    assert_int_equal(put_as_operator(AD, 2, TO("evil.example", NAMED), "{\"ca_certificate_pem\": \"\"}"), ERR_DENIED);
    assert_int_equal(put_as_operator(AD, 2, TO("dc1.corp.example", NAMED ", \"failover_hosts\": [\"evil.example\"]"), NULL), ERR_DENIED);
    assert_int_equal(put_as_operator(AD, 2, TO("dc1.corp.example", NAMED ", \"ca_certificate\": \"/tmp/evil.pem\""), NULL), ERR_DENIED);
    assert_int_equal(put_as_operator(AD, 2, TO("dc1.corp.example", NAMED), "{\"ca_certificate_pem\": \"of another authority\"}"), ERR_DENIED);
    assert_int_equal(put_as_operator(AD, 2, TO("dc1.corp.example", ", \"password\": \"env:PATH\""), NULL), ERR_DENIED);
    assert_int_equal(connectors_enable(all, "corp", false, &e), 0);
    assert_int_equal(put_as_operator(AD, 3, TO("evil.example", ""), "{\"password\": \"hunter2\"}"), 0); /* his own secret may go anywhere */
}

/* The pasted authority goes with a copy; where it is void, nobody but an administrator goes on without it. */
static void test_trust_of_what_is_named(void **state)
{
    struct err e;
    json_t *out, *s = json(TO("dc1.corp.example", NAMED)), *none = json("{\"ca_certificate_pem\": \"\"}");
    struct connector_form without = {.type = AD, .settings = s, .secrets = none};
    (void)state;
    setenv("HOME", "/", 1);
    assert_int_equal(put("corp", 0, TO("dc1.corp.example", NAMED), "{\"ca_certificate_pem\": \"an authority\"}", true), 0);
    assert_int_equal(connectors_copy(all, "corp", "copy", &out, &e), 0);
    assert_false(json_is_true(json_object_get(out, "enabled")));
    json_decref(out);
    assert_true(is_set("copy", "ca_certificate_pem"));
    assert_int_equal(connectors_enable(all, "copy", true, &e), 0);
    assert_int_equal(connectors_put(all, "copy", 2, &without, true, &out, &e), ERR_DENIED);
    /* an administrator moves it, the authority is void; then back */
    assert_int_equal(put("corp", 1, TO("dc2.corp.example", NAMED), NULL, false), 0);
    assert_int_equal(put("corp", 2, TO("dc1.corp.example", NAMED), NULL, false), 0);
    assert_true(must_enter("corp", "ca_certificate_pem"));
    assert_int_equal(connectors_copy(all, "corp", "other", &out, &e), ERR_CONFLICT);
    assert_int_equal(connectors_put(all, "corp", 3, &without, true, &out, &e), ERR_DENIED);
    assert_int_equal(put("corp", 3, TO("dc1.corp.example", NAMED), "{\"ca_certificate_pem\": \"\"}", true), 0);
    json_decref(s);
    json_decref(none);
}

/* --- a file in somebody else's hands ------------------------------------------------------------------------------------ */

static void run(const char *sql)
{
    struct err e;
    if (state_run(test_state, &e, sql, "") < 0) fail_msg("%s: %s", sql, e.message);
}

static void test_tampered(void **state)
{
    char pw[64];
    static const char *const ways[] = {
        "UPDATE connector SET settings = replace(settings, 'dc1.corp', 'evil.corp') WHERE name = 'corp'",
        "UPDATE secret SET sealed = (SELECT sealed FROM secret WHERE owner = 'connector:other') WHERE owner = 'connector:corp'",
        ("UPDATE secret SET sealed = (SELECT sealed FROM secret WHERE owner = 'connector:other'), bound = (SELECT bound FROM secret WHERE owner = 'connector:other')"
         " WHERE owner = 'connector:corp'"),
        "UPDATE connector SET settings = replace(settings, 'dc1.corp', 'evil.corp') WHERE name = 'corp';",
        "UPDATE secret SET sealed = 'AAAA' WHERE owner = 'connector:corp'",
        "UPDATE secret SET bound = '' WHERE owner = 'connector:corp'",
    };
    for (size_t i = 0; i < n_elements(ways); i++) {
        struct err e;
        assert_int_equal(put("corp", 0, corp, "{\"password\": \"hunter2\"}", true), 0);
        assert_int_equal(put("other", 0, corp, "{\"password\": \"hunter2-other\"}", true), 0);
        run(ways[i]);
        int rc = handed_secret("corp", "password", pw, sizeof pw);
        if (rc != ERR_AUTH && rc != ERR_INPUT) fail_msg("%s: %d '%s'", ways[i], rc, pw);
        assert_int_equal(connectors_delete(all, "corp", &e), 0);
        assert_int_equal(connectors_delete(all, "other", &e), 0);
    }
    /* settings and binding changed together: the seal itself does not open */
    assert_int_equal(put("corp", 0, corp, "{\"password\": \"hunter2\"}", true), 0);
    run("UPDATE connector SET settings = replace(settings, 'dc1.corp', 'evil.corp')");
    run("UPDATE secret SET bound = replace(bound, 'dc1.corp', 'evil.corp')");
    assert_int_equal(handed_secret("corp", "password", pw, sizeof pw), ERR_AUTH);
}

/* --- judging -------------------------------------------------------------------------------------------------------------- */

static json_t *judge(const char *name, const char *settings, const char *secrets, bool is_new)
{
    struct err e;
    json_t *problems, *s = json(settings), *x = secrets ? json(secrets) : NULL;
    const char *type = strstr(settings, "tenant") ? "entra_id" : AD;
    assert_int_equal(connectors_judge(all, name, FORM(type, s, x), is_new, &problems, &e), 0);
    char *text = json_dumps(problems, 0);
    assert_null(strstr(text, "hunter2"));
    free(text);
    json_decref(s);
    json_decref(x);
    return problems;
}

static void test_judge(void **state)
{
    static const struct {
        const char *name, *settings, *secrets, *key, *severity, *says;
    } cases[] = {
#define AD_WITH(more) "{\"domain\": \"corp.example\", \"host\": \"dc1.corp.example\", \"username\": \"svc@corp.example\"" more "}"
#define PW "{\"password\": \"hunter2\"}"
        {"my corp", AD_WITH(""), PW, "name", "error", "write my_corp"},
        {"lab", AD_WITH(""), PW, "name", "error", "already"},
        {"c", AD_WITH(", \"host\": \"192.0.2.1\""), PW, "host", "warning", "rarely contains an IP"},
        {"c", AD_WITH(", \"username\": \"CORP\\\\alice\""), PW, "username", "hint", "alice@corp.example also works across renames"},
        {"c", AD_WITH(", \"base_dn\": \"OU=Users,DC=company\""), PW, "base_dn", "error", "did you mean 'OU=Users,DC=corp,DC=example'"},
        {"c", AD_WITH(", \"base_dn\": \"OU=Users,DC\""), PW, "base_dn", "error", "DC"},
        {"c", AD_WITH(", \"security\": \"ldap\", \"port\": 389"), PW, "port", "error", "would travel in clear"},
        {"c", AD_WITH(", \"port\": 389"), PW, "port", "error", "389 speaks LDAP without TLS"},
        {"c", AD_WITH(", \"port\": 3269"), PW, "port", "error", "global catalog"},
        {"c", AD_WITH(", \"port\": 99999"), PW, "port", "error", "whole number"},
        {"c", AD_WITH(""), NULL, "password", "error", "is missing"},
        {"c", AD_WITH(""), "{\"password\": \"hunter2 \"}", "password", "warning", "space"},
        {"c", AD_WITH(""), "{\"password\": \"file:/etc/hunter2\"}", "password", "warning", "looks like a reference"},
        {"c", AD_WITH(", \"password\": \"file:/nonexistent\""), NULL, "password", "warning", "No such file"},
        {"c", AD_WITH(", \"password\": \"env:NO_SUCH_VARIABLE\""), NULL, "password", "warning", "not set"},
        {"c", AD_WITH(", \"password\": \"prompt:\""), NULL, "password", "error", "a server has none"},
        {"c", AD_WITH(", \"ca_certificate\": \"/nonexistent.pem\""), PW, "ca_certificate", "warning", "no such file"},
        {"c", AD_WITH(", \"ca_certificate\": \"ca.pem\""), PW, "ca_certificate", "error", "must be absolute"},
        {"c", AD_WITH(", \"hosst\": \"x\""), PW, "hosst", "error", "did you mean 'host'"},
        {"c", AD_WITH(", \"failover_hosts\": [\"DC1.corp.example\"]"), PW, "failover_hosts", "hint", "itself"},
        {"c", AD_WITH(", \"cron\": \"61 * * * *\""), PW, "cron", "error", "61"},
        {"c", AD_WITH(""), "{\"password\": \"hunter2\", \"ca_certificate_pem\": \"hello\"}", "ca_certificate_pem", "error", "no certificate"},
        {"c", "{\"tenant_id\": \"not-a-tenant\", \"client_id\": \"22222222-2222-2222-2222-222222222222\"}", "{\"client_secret\": \"hunter2\"}", "tenant_id", "error",
         "neither a GUID"},
        {"c", "{\"tenant_id\": \"corp.example\", \"client_id\": \"22222222-2222-2222-2222-222222222222\"}", "{\"client_secret\": \"22222222-2222-2222-2222-222222222225\"}",
         "client_secret", "error", "this is the secret's ID"},
        {"c", "{\"tenant_id\": \"corp.example\", \"client_id\": \"x\"}", "{\"client_secret\": \"hunter2\"}", "client_id", "error", "not a GUID"},
        {"c", "{\"tenant_id\": \"corp.example\", \"client_id\": \"22222222-2222-2222-2222-222222222222\"}", NULL, "", "error", "no way to sign in"},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        json_t *problems = judge(cases[i].name, cases[i].settings, cases[i].secrets, true), *one;
        size_t k;
        bool found = false;
        json_array_foreach(problems, k, one)
        {
            bool here = strcmp(json_string_value(json_object_get(one, "key")), cases[i].key) == 0 &&
                        strcmp(json_string_value(json_object_get(one, "severity")), cases[i].severity) == 0;
            const char *m = json_string_value(json_object_get(one, "message")), *hint = json_string_value(json_object_get(one, "hint"));
            found |= here && (strstr(m, cases[i].says) || strstr(hint, cases[i].says));
        }
        if (!found) fail_msg("%zu: %s: %s", i, cases[i].says, json_dumps(problems, 0));
        json_decref(problems);
    }
}

/* Everything at once, each key once, and nothing where all is well. */
static void test_judge_all(void **state)
{
    json_t *p = judge("c", AD_WITH(""), PW, true);
    assert_int_equal(json_array_size(p), 0);
    json_decref(p);
    p = judge("my corp", "{\"domain\": \"corp .example\", \"host\": \"ldaps://dc1\", \"port\": 0, \"security\": \"tls\", \"base_dn\": \"x\", \"frequency\": \"1s\", \"nonsense\": 1}",
              NULL, true);
    static const char *const keys[] = {"name", "domain", "host", "port", "security", "base_dn", "frequency", "nonsense", "username", "password"};
    assert_int_equal(json_array_size(p), n_elements(keys));
    json_decref(p);
    assert_int_equal(put("corp", 0, corp, PW, true), 0);
    p = judge("corp", corp, NULL, false); /* its stored password counts */
    assert_int_equal(json_array_size(p), 0);
    json_decref(p);
    p = judge("corp", "{\"domain\": \"corp.example\", \"host\": \"dc2.corp.example\", \"username\": \"svc@corp.example\"}", NULL, false);
    assert_int_equal(json_array_size(p), 1);
    assert_non_null(strstr(json_string_value(json_object_get(json_array_get(p, 0), "message")), "must be entered again"));
    json_decref(p);
    assert_true(is_set("corp", "password")); /* nothing was written */
}

/* --- many hands, and kills --------------------------------------------------------------------------------------------------- */

static void *change_it(void *arg)
{
    intptr_t won = 0;
    for (int i = 0; i < 30; i++) {
        struct err e;
        json_t *o, *out, *s = json(corp);
        if (connectors_get(all, "corp", &o, &e) < 0) return (void *)-1;
        int64_t version = json_integer_value(json_object_get(o, "version"));
        int rc = connectors_put(all, "corp", version, FORM(AD, s, NULL), true, &out, &e);
        won += rc == 0;
        json_decref(o);
        json_decref(s);
        json_decref(out);
        if (rc < 0 && rc != ERR_CONFLICT) return (void *)-1;
    }
    return (void *)won;
}

static void test_concurrent_versions(void **state)
{
    pthread_t threads[4];
    intptr_t total = 0;
    assert_int_equal(put("corp", 0, corp, PW, true), 0);
    for (size_t i = 0; i < 4; i++) pthread_create(&threads[i], NULL, change_it, NULL);
    for (size_t i = 0; i < 4; i++) {
        void *won;
        pthread_join(threads[i], &won);
        assert_true((intptr_t)won >= 0);
        total += (intptr_t)won;
    }
    json_t *o = get("corp");
    assert_int_equal(json_integer_value(json_object_get(o, "version")), total + 1); /* each that won is one version */
    json_decref(o);
}

static void ignore_line(void *ctx, const char *line)
{
}

static void test_rotation(void **state)
{
    struct err e;
    uint64_t n;
    char pw[64];
    assert_int_equal(put("corp", 0, corp, PW, true), 0);
    uint32_t was = seal_number(test_seal);
    assert_int_equal(state_rotate(test_state, &n, &e), 0);
    assert_int_equal(n, 1);
    assert_int_equal(seal_number(test_seal), was + 1);
    assert_int_equal(handed_secret("corp", "password", pw, sizeof pw), 0);
    assert_string_equal(pw, "hunter2");
    run("UPDATE secret SET sealed = 'broken'");
    assert_int_equal(state_reseal(test_state, &n, &e), 0); /* what opens no more does not stop the others */
    assert_int_equal(n, 0);
}

/* Killed between any two steps of a rotation: everything opens, and the next rotation works. */
static void test_rotation_killed(void **state)
{
    struct err e;
    uint64_t n;
    char key[128], pw[64];
    assert_int_equal(put("corp", 0, corp, PW, true), 0);
    assert_int_equal(put("other", 0, corp, "{\"password\": \"hunter2-other\"}", true), 0);
    snprintf(key, sizeof key, "%s/x.db.key", test_dir);
    for (int round = 0; round < 40; round++) {
        connectors_close(all);
        state_close(test_state);
        seal_close(test_seal);
        pid_t pid = fork();
        if (pid == 0) {
            if (seal_open(&test_seal, key, false, &e) < 0) _exit(1);
            test_state = test_open();
            for (;;)
                if (state_rotate(test_state, &n, &e) < 0) _exit(1);
        }
        usleep(3000 + (useconds_t)round * 900);
        assert_true(pid > 0);
        kill(pid, SIGKILL);
        int status;
        waitpid(pid, &status, 0);
        bool was_killed = WIFSIGNALED(status); /* asserted when all is open again, for the teardown's sake */
        assert_int_equal(seal_open(&test_seal, key, false, &e), 0);
        test_state = test_open();
        assert_non_null(test_state);
        assert_int_equal(connectors_open(&all, test_state, &file_conf, &e), 0);
        assert_true(was_killed);
        assert_int_equal(handed_secret("corp", "password", pw, sizeof pw), 0);
        assert_string_equal(pw, "hunter2");
        assert_int_equal(state_check_secrets(test_state, &n, ignore_line, NULL, &e), 0);
        assert_int_equal(n, 2);
    }
    assert_int_equal(state_rotate(test_state, &n, &e), 0);
    for (int i = 0; i < 20; i++) assert_int_equal(seal_rotate(test_seal, &e), i < 15 ? 0 : ERR_LIMIT); /* and more that were never finished */
    assert_int_equal(state_rotate(test_state, &n, &e), 0);
    assert_int_equal(n, 2);
    assert_int_equal(seal_keys(test_seal), 1);
}

static void test_without_the_key(void **state)
{
    struct err e;
    char pw[64], key[128];
    assert_int_equal(put("corp", 0, corp, PW, true), 0);
    connectors_close(all);
    state_close(test_state);
    seal_close(test_seal);
    snprintf(key, sizeof key, "%s/x.db.key", test_dir);
    unlink(key);
    assert_int_equal(seal_open(&test_seal, key, true, &e), 0); /* another one */
    test_state = test_open();
    assert_int_equal(connectors_open(&all, test_state, &file_conf, &e), 0);
    assert_int_equal(handed_secret("corp", "password", pw, sizeof pw), ERR_AUTH);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(test_put_and_get), T(test_list), T(test_refused), T(test_own_files), T(test_guarded_and_plain), T(test_incomplete),
        T(test_changes_that_empty), T(test_entra_changes), T(test_reference_instead), T(test_operators_name_nothing),
        T(test_what_is_named_stays_for_its_server), T(test_trust_of_what_is_named), T(test_tampered), T(test_judge), T(test_judge_all),
        T(test_concurrent_versions), T(test_rotation), T(test_rotation_killed), T(test_without_the_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
