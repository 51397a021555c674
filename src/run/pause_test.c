/* What each refusal does to the next sync, without a directory. The real controller's count is in tests/pause_test.py. */
#include "run/pause.h"

#include "base/file.h"
#include "base/when.h"
#include "store/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <krb5.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define HOUR ((int64_t)3600 * 1000)

struct test {
    struct fixture store;
    struct connector_conf connector;
    char file[192];
};

static void write_text(const char *path, const char *text)
{
    struct err e;
    assert_int_equal(file_write_atomic(path, bytes_of(str_from(text)), 0600, &e), 0);
}

static void start(struct test *t, const char *auth)
{
    static char name[] = "corp";
    fixture_open(&t->store);
    snprintf(t->file, sizeof t->file, "%s/secret", t->store.dir);
    write_text(t->file, "hunter2");
    char reference[256];
    snprintf(reference, sizeof reference, "file:%s", t->file);
    t->connector = (struct connector_conf){.name = name, .type = "active_directory", .settings = json_object()};
    json_object_set_new(t->connector.settings, "auth", json_string(auth));
    json_object_set_new(t->connector.settings, "frequency", json_string("1h"));
    bool is_file = strcmp(auth, "keytab") == 0 || strcmp(auth, "kerberos_cache") == 0;
    const char *key = !is_file ? "password" : strcmp(auth, "keytab") == 0 ? "keytab" : "credential_cache";
    json_object_set_new(t->connector.settings, key, json_string(is_file ? t->file : reference));
}

static void stop(struct test *t)
{
    json_decref(t->connector.settings);
    fixture_close(&t->store);
}

/* One sync: 0 it was tried and ended as `why` says (NULL: well), else what pause_open gave. */
static int attempt(struct test *t, const struct err *why, bool try_now, struct err *e)
{
    struct pause p;
    struct store_run *r = run_start(t->store.store, "corp", when_now_ms());
    int rc = pause_open(&p, t->store.store, &t->connector, try_now, e);
    if (rc == 0) pause_learn(&p, r, why ? (int)why->class : 0, !why, why);
    pause_close(&p);
    store_run_abort(r, why ? why : &(struct err){.class = ERR_CANCEL}, when_now_ms());
    return rc;
}

static void later(struct test *t, int64_t ms)
{
    struct buf b = buf_new(8192);
    struct err e;
    assert_int_equal(store_note_get(t->store.store, STR("corp"), STR("pause"), &b, &e), 0);
    json_t *o = json_loadb((const char *)b.ptr, b.len, 0, NULL);
    json_object_set_new(o, "refused_ms", json_integer(json_integer_value(json_object_get(o, "refused_ms")) - ms));
    char *text = json_dumps(o, 0);
    assert_int_equal(store_note_put(t->store.store, STR("corp"), STR("x"), STR("pause"), bytes_of(str_from(text)), &e), 0);
    free(text);
    json_decref(o);
    buf_free(&b);
}

static struct err refusal(enum err_domain domain, int code)
{
    struct err e;
    err_set(&e, ERR_AUTH, "dc1: bind as svc: refused");
    err_code(&e, domain, code);
    return e;
}

enum outcome { NOT_PAUSED, ONCE_A_PERIOD, TWICE };

static void test_refusals(void **state)
{
    (void)state;
    static const struct {
        const char *auth;
        enum err_domain domain;
        int code;
        enum outcome outcome;
    } cases[] = {
        {"simple", DOM_AD, 0x52e, TWICE},
        {"simple", DOM_AD, 0x525, TWICE},
        {"simple", DOM_LDAP, 49, TWICE},
        {"simple", DOM_NONE, 0, TWICE},
        {"simple", DOM_AD, 0x775, ONCE_A_PERIOD},
        {"simple", DOM_AD, 0x533, ONCE_A_PERIOD},
        {"simple", DOM_AD, 0x532, ONCE_A_PERIOD},
        {"simple", DOM_AD, 0x530, ONCE_A_PERIOD},
        {"simple", DOM_AD, 0x701, ONCE_A_PERIOD},
        {"simple", DOM_AD, 0x773, ONCE_A_PERIOD},
        {"kerberos", DOM_KRB5, KRB5KDC_ERR_PREAUTH_FAILED, TWICE},
        {"kerberos", DOM_KRB5, KRB5_PREAUTH_FAILED, TWICE},
        {"keytab", DOM_KRB5, KRB5KDC_ERR_PREAUTH_FAILED, TWICE},
        {"kerberos", DOM_KRB5, KRB5KDC_ERR_CLIENT_REVOKED, ONCE_A_PERIOD},
        {"kerberos", DOM_KRB5, KRB5KDC_ERR_KEY_EXP, ONCE_A_PERIOD},
        {"kerberos", DOM_KRB5, KRB5KDC_ERR_C_PRINCIPAL_UNKNOWN, ONCE_A_PERIOD},
        {"kerberos", DOM_KRB5, KRB5KRB_AP_ERR_SKEW, NOT_PAUSED},
        {"kerberos", DOM_KRB5, KRB5KDC_ERR_S_PRINCIPAL_UNKNOWN, NOT_PAUSED},
        {"kerberos_cache", DOM_KRB5, KRB5KRB_AP_ERR_TKT_EXPIRED, NOT_PAUSED},
        {"kerberos_cache", DOM_LDAP, 49, ONCE_A_PERIOD},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct test t;
        struct err e = {0}, why = refusal(cases[i].domain, cases[i].code);
        int paused = cases[i].outcome == NOT_PAUSED ? 0 : ERR_AUTH;
        start(&t, cases[i].auth);
        for (int round = 0; round < 3; round++) {
            bool is_over = round == 2 && cases[i].outcome == TWICE;
            if (attempt(&t, &why, false, &e) != (is_over ? ERR_AUTH : 0)) fail_msg("%zu: round %d: %s", i, round, e.message);
            assert_int_equal(attempt(&t, &why, false, &e), paused);
            if (!paused) break;
            assert_int_equal(e.code, cases[i].code);
            assert_true(cases[i].outcome == TWICE && round ? e.retry_at_ms == 0 : e.retry_at_ms > when_now_ms());
            later(&t, HOUR);
        }
        stop(&t);
    }
}

static void test_what_lifts(void **state)
{
    (void)state;
    static const char *const auths[] = {"simple", "kerberos", "keytab", "kerberos_cache"};
    struct err why = refusal(DOM_AD, 0x52e), unreachable = {.class = ERR_NET}, e;
    for (size_t i = 0; i < n_elements(auths); i++) {
        struct test t;
        struct pause_state seen;
        start(&t, auths[i]);
        assert_false(pause_look(t.store.store, &t.connector, &seen));
        assert_int_equal(attempt(&t, &why, false, &e), 0);
        assert_true(pause_look(t.store.store, &t.connector, &seen));
        assert_string_equal(seen.message, why.message);
        assert_int_equal(attempt(&t, &why, false, &e), ERR_AUTH);
        write_text(t.file, "hunter3"); /* another password, key or ticket */
        assert_int_equal(attempt(&t, &unreachable, false, &e), 0);
        assert_int_equal(attempt(&t, &why, false, &e), 0);
        assert_int_equal(attempt(&t, &why, false, &e), ERR_AUTH);
        json_object_set_new(t.connector.settings, "host", json_string("dc2"));
        assert_false(pause_look(t.store.store, &t.connector, &seen));
        assert_int_equal(attempt(&t, &why, false, &e), 0);
        assert_int_equal(attempt(&t, &why, false, &e), ERR_AUTH);
        assert_int_equal(attempt(&t, &unreachable, true, &e), 0); /* --try-now, and nothing learnt */
        assert_int_equal(attempt(&t, &why, false, &e), ERR_AUTH);
        assert_int_equal(attempt(&t, NULL, true, &e), 0);
        assert_false(pause_look(t.store.store, &t.connector, &seen));
        assert_int_equal(attempt(&t, &why, false, &e), 0);
        assert_int_equal(pause_lift(t.store.store, &t.connector, &e), 0);
        assert_int_equal(pause_lift(t.store.store, &t.connector, &e), 0);
        assert_int_equal(attempt(&t, NULL, false, &e), 0);
        stop(&t);
    }
}

/* An account that was locked for a while and then has a wrong password: the refusals while locked do not count. */
static void test_only_wrong_ones_count(void **state)
{
    (void)state;
    struct test t;
    struct err locked = refusal(DOM_AD, 0x775), wrong = refusal(DOM_AD, 0x52e), e;
    start(&t, "simple");
    for (int i = 0; i < 3; i++) {
        assert_int_equal(attempt(&t, &locked, false, &e), 0);
        later(&t, HOUR);
    }
    for (int i = 0; i < 2; i++) {
        assert_int_equal(attempt(&t, &wrong, false, &e), 0);
        later(&t, HOUR);
    }
    assert_int_equal(attempt(&t, &wrong, false, &e), ERR_AUTH);
    stop(&t);
}

/* An application of Entra ID: which secret, which file, and what AADSTS numbers say. */
static void start_entra(struct test *t, const char *key)
{
    char reference[256];
    start(t, "simple");
    json_object_clear(t->connector.settings);
    t->connector.type = "entra_id";
    snprintf(reference, sizeof reference, "file:%s", t->file);
    bool is_file = strcmp(key, "client_certificate") == 0 || strcmp(key, "federated_token_file") == 0;
    json_object_set_new(t->connector.settings, "type", json_string("entra_id"));
    json_object_set_new(t->connector.settings, "frequency", json_string("1h"));
    json_object_set_new(t->connector.settings, key, json_string(is_file ? t->file : reference));
}

static void test_application(void **state)
{
    (void)state;
    static const struct {
        const char *key;
        int code;
        enum outcome outcome;
    } cases[] = {
        {"client_secret", 7000215, TWICE},          {"client_secret", 7000222, TWICE},
        {"client_secret", 700016, ONCE_A_PERIOD},   {"client_certificate", 700027, ONCE_A_PERIOD},
        {"client_certificate", 700024, NOT_PAUSED}, {"federated_token_file", 700211, ONCE_A_PERIOD},
        {"client_secret", 401, ONCE_A_PERIOD},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct test t;
        struct err e = {0}, why = refusal(DOM_HTTP, cases[i].code);
        start_entra(&t, cases[i].key);
        for (int round = 0; round < 3; round++) {
            bool is_over = round == 2 && cases[i].outcome == TWICE;
            if (attempt(&t, &why, false, &e) != (is_over ? ERR_AUTH : 0)) fail_msg("%zu: round %d: %s", i, round, e.message);
            assert_int_equal(attempt(&t, &why, false, &e), cases[i].outcome == NOT_PAUSED ? 0 : ERR_AUTH);
            if (cases[i].outcome == NOT_PAUSED) break;
            assert_null(strstr(e.message, "account is not locked out"));
            assert_true(cases[i].outcome == TWICE && round ? e.retry_at_ms == 0 : e.retry_at_ms > when_now_ms());
            later(&t, HOUR);
        }
        write_text(t.file, "another"); /* secret, certificate or token */
        assert_int_equal(attempt(&t, &why, false, &e), 0);
        stop(&t);
    }
}

static void test_secret_is_named(void **state)
{
    (void)state;
    struct test t;
    struct err e;
    start_entra(&t, "client_secret");
    unlink(t.file);
    assert_int_equal(attempt(&t, NULL, false, &e), ERR_NOTFOUND);
    assert_true(str_starts(str_from(e.message), STR("connectors.corp.client_secret: ")));
    stop(&t);
}

/* Long texts, and ones cut within a character, are kept as far as they are text. */
static void test_any_words(void **state)
{
    (void)state;
    struct test t;
    struct pause_state seen;
    struct err why = refusal(DOM_LDAP, 49), e;
    memset(why.message, 'x', sizeof why.message - 2);
    why.message[sizeof why.message - 2] = (char)0xc3;
    why.message[sizeof why.message - 1] = 0;
    memcpy(why.hint, "\xff", 2);
    start(&t, "simple");
    assert_int_equal(attempt(&t, &why, false, &e), 0);
    assert_int_equal(attempt(&t, &why, false, &e), ERR_AUTH);
    assert_true(str_is_utf8(str_from(e.message)));
    assert_non_null(strstr(e.message, "one more attempt is made after"));
    assert_true(pause_look(t.store.store, &t.connector, &seen));
    assert_int_equal(strlen(seen.message), sizeof why.message - 2);
    stop(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_refusals), cmocka_unit_test(test_what_lifts),
                                       cmocka_unit_test(test_only_wrong_ones_count), cmocka_unit_test(test_application),
                                       cmocka_unit_test(test_secret_is_named), cmocka_unit_test(test_any_words)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
