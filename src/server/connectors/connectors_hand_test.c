/* What a child is handed: settings and secrets in files without a name, certificates that were pasted among them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "server/connectors/connectors_test.h"

#include "base/file.h"
#include "conf/reference.h"
#include "vault/vault.h"

#include <sys/stat.h>

/* --- handing over ---------------------------------------------------------------------------------------------------------- */

static char *document(const struct handed *h)
{
    struct buf b = buf_new(1 << 20);
    struct err e;
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", h->settings_fd);
    assert_int_equal(file_read(&b, path, &e), 0);
    char *out = x_strdup(buf_str(&b));
    buf_free(&b);
    return out;
}

static void test_handed(void **state)
{
    struct handed h;
    struct err e;
    struct conf conf;
    struct secret s;
    struct stat st;
    assert_int_equal(put("corp", 0, corp, "{\"password\": \"hunter2\\n \\u20ac\"}", true), 0);
    assert_int_equal(connectors_hand(all, "corp", &h, &e), 0);
    char *one = document(&h);
    assert_null(strstr(one, "hunter2"));
    assert_null(strstr(one, "lab.example")); /* one connector only */
    assert_int_equal(h.n_secrets, 1);
    assert_int_equal(fstat(h.secret_fds[0], &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_true(write(h.secret_fds[0], "x", 1) < 0); /* nobody changes it any more */
    assert_int_equal(dup2(h.settings_fd, HANDED_SETTINGS_FD), HANDED_SETTINGS_FD);
    assert_int_equal(dup2(h.secret_fds[0], HANDED_SECRET_FD), HANDED_SECRET_FD);
    char *env[] = {"ROLLCALL_CONNECTORS_CORP_HOST=evil.example", NULL};
    assert_int_equal(conf_load(&conf, "/proc/self/fd/20", env, &e), 0);
    assert_string_equal(conf.store_url, "sqlite:/var/lib/x/x.db");
    assert_int_equal(conf.n_connectors, 1);
    assert_int_equal(conf.n_sinks, 1);
    assert_int_equal(conf.n_identity_rules, 1);
    assert_string_equal(conf_str(conf.connectors[0].settings, "host"), "dc1.corp.example"); /* no variable reaches it */
    const char *ref = conf_str(conf.connectors[0].settings, "password");
    assert_string_equal(ref, "fd:21");
    for (int again = 0; again < 2; again++) {
        assert_int_equal(secret_resolve(&s, str_from(ref), "password", &e), 0);
        assert_string_equal((char *)s.ptr, "hunter2\n \xe2\x82\xac"); /* as entered, byte by byte */
        secret_drop(&s);
    }
    struct buf words = buf_new(100);
    secret_describe(&words, str_from(ref));
    assert_string_equal(buf_cstr(&words), "the server, where it was entered");
    buf_free(&words);
    conf_free(&conf);
    handed_close(&h);
    assert_int_equal(connectors_hand(all, "corp", &h, &e), 0);
    char *two = document(&h);
    assert_string_equal(one, two); /* the same from run to run: run/pause.h holds it against the run before */
    free(one);
    free(two);
    handed_close(&h);
    close(HANDED_SETTINGS_FD);
    close(HANDED_SECRET_FD);
}

static void test_handed_of_file(void **state)
{
    struct handed h;
    struct err e;
    assert_int_equal(connectors_hand(all, "lab", &h, &e), 0);
    char *text = document(&h);
    assert_non_null(strstr(text, "env:LAB_PW"));
    assert_int_equal(h.n_secrets, 0);
    free(text);
    handed_close(&h);
    assert_int_equal(connectors_hand(all, "nobody", &h, &e), ERR_NOTFOUND);
    assert_int_equal(h.settings_fd, -1);
}

static void test_unsaved(void **state)
{
    struct handed h;
    struct err e;
    json_t *s = json(corp), *x = json("{\"password\": \"hunter2\"}"), *evil = json(corp);
    json_object_set_new(evil, "host", json_string("evil.example"));
    assert_int_equal(connectors_hand_unsaved(all, "new", FORM(AD, s, NULL), &h, &e), ERR_INPUT);
    assert_int_equal(connectors_hand_unsaved(all, "new", FORM(AD, s, x), &h, &e), 0);
    assert_int_equal(h.n_secrets, 1);
    handed_close(&h);
    assert_int_equal(put("corp", 0, corp, "{\"password\": \"hunter2\"}", true), 0);
    assert_int_equal(connectors_hand_unsaved(all, "corp", FORM(AD, s, NULL), &h, &e), 0); /* the stored one, for the same server */
    handed_close(&h);
    assert_int_equal(connectors_hand_unsaved(all, "corp", FORM(AD, evil, NULL), &h, &e), ERR_INPUT); /* not for another */
    assert_int_equal(connectors_hand_unsaved(all, "copy", FORM(AD, s, NULL), &h, &e), ERR_INPUT);
    assert_true(is_set("corp", "password"));
    json_object_set_new(evil, "password", json_string("file:/proc/1/environ"));
    assert_int_equal(connectors_hand_unsaved(all, "corp", FORM(AD, evil, NULL), &h, &e), ERR_INPUT);
    json_decref(s);
    json_decref(x);
    json_decref(evil);
}

/* --- certificates that were pasted --------------------------------------------------------------------------------------- */

static char *pem(const char *name, bool with_key)
{
    char command[512], *out;
    struct buf b = buf_new(65536);
    struct err e;
    snprintf(command, sizeof command,
             "cd %s && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k -out c -days 30 -subj /CN=%s 2>/dev/null && cat c %s > both", test_dir,
             name, with_key ? "k" : "");
    assert_int_equal(system(command), 0);
    snprintf(command, sizeof command, "%s/both", test_dir);
    assert_int_equal(file_read(&b, command, &e), 0);
    out = x_strdup(buf_str(&b));
    buf_free(&b);
    return out;
}

static json_t *secrets_of(const char *key, const char *value, const char *password)
{
    return json_pack("{s:s, s:s*}", key, value, "password", password);
}

static void test_pasted_ca(void **state)
{
    char *ca = pem("ca", false), *other = pem("evil", false), got[8192];
    struct err e;
    json_t *out, *s = json(corp), *x = secrets_of("ca_certificate_pem", ca, "hunter2");
    assert_int_equal(connectors_put(all, "corp", 0, FORM(AD, s, x), true, &out, &e), 0);
    json_decref(out);
    json_decref(x);
    assert_int_equal(handed_secret("corp", "ca_certificate", got, sizeof got), 0);
    assert_string_equal(got, ca);
    assert_int_equal(handed_secret("corp", "password", got, sizeof got), 0);
    assert_string_equal(got, "hunter2");
    x = secrets_of("ca_certificate_pem", other, NULL); /* another authority: the password must be entered again */
    assert_int_equal(connectors_put(all, "corp", 1, FORM(AD, s, x), true, &out, &e), ERR_INPUT);
    assert_non_null(strstr(e.message, "password: must be entered again"));
    json_decref(x);
    x = json("{\"ca_certificate_pem\": \"\"}"); /* as when it is taken away */
    assert_int_equal(connectors_put(all, "corp", 1, FORM(AD, s, x), true, &out, &e), ERR_INPUT);
    json_decref(x);
    json_object_set_new(s, "host", json_string("dc9.corp.example")); /* another host: both */
    x = json("{\"password\": \"hunter2\"}");
    assert_int_equal(connectors_put(all, "corp", 1, FORM(AD, s, x), true, &out, &e), ERR_INPUT);
    assert_non_null(strstr(e.message, "ca_certificate_pem: must be entered again"));
    assert_int_equal(connectors_put(all, "corp", 1, FORM(AD, s, x), false, &out, &e), 0);
    json_decref(out);
    assert_true(must_enter("corp", "ca_certificate_pem"));
    json_object_set_new(x, "ca_certificate_pem", json_string("")); /* the system's authorities are meant */
    assert_int_equal(connectors_put(all, "corp", 2, FORM(AD, s, x), true, &out, &e), 0);
    json_decref(out);
    assert_false(must_enter("corp", "ca_certificate_pem"));
    json_decref(x);
    json_decref(s);
    free(ca);
    free(other);
}

static void test_pasted_client_certificate(void **state)
{
    char *both = pem("client", true), got[8192];
    struct err e;
    json_t *out, *s = json(tenant), *x = json_pack("{s:s, s:s}", "client_certificate_pem", both, "client_certificate_password", "hunter2");
    assert_int_equal(connectors_put(all, "cloud", 0, FORM("entra_id", s, x), true, &out, &e), 0);
    json_decref(out);
    assert_int_equal(handed_secret("cloud", "client_certificate", got, sizeof got), 0);
    assert_string_equal(got, both);
    assert_int_equal(handed_secret("cloud", "client_certificate_password", got, sizeof got), 0);
    assert_string_equal(got, "hunter2");
    json_object_set_new(s, "tenant_id", json_string("other.example"));
    assert_int_equal(connectors_put(all, "cloud", 1, FORM("entra_id", s, NULL), true, &out, &e), ERR_INPUT);
    json_decref(s);
    json_decref(x);
    free(both);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(test_handed_of_file), T(test_unsaved), T(test_pasted_ca), T(test_pasted_client_certificate),
        T(test_handed), /* last: fd: is a reference from then on */
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
