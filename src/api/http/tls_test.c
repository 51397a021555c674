#include "api/http.h"
#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char dir[] = "/tmp/rollcall-tls-XXXXXX", base[64], pem[80];

static int enter(void **state)
{
    if (!mkdtemp(dir)) return -1;
    snprintf(base, sizeof base, "%s/rollcall.db", dir);
    snprintf(pem, sizeof pem, "%s.tls.pem", base);
    return 0;
}

static int leave(void **state)
{
    char path[100];
    static const char *const names[] = {"rollcall.db.tls.pem", "cert.pem", "key.pem"};
    for (size_t i = 0; i < n_elements(names); i++) {
        snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        unlink(path);
    }
    return rmdir(dir);
}

static void made_once_and_kept(void **state)
{
    char *certificate, *key, *again, *key_again, one[80], two[80];
    struct err e;
    struct stat st;
    assert_int_equal(http_certificate(NULL, NULL, base, "rollcall.example", &certificate, &key, &e), 0);
    assert_int_equal(stat(pem, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(http_certificate(NULL, NULL, base, "rollcall.example", &again, &key_again, &e), 0);
    assert_int_equal(http_certificate_fingerprint(certificate, one, &e), 0);
    assert_int_equal(http_certificate_fingerprint(again, two, &e), 0);
    assert_string_equal(one, two);
    assert_int_equal(strlen(one), 7 + 64);
    assert_null(strstr(again, "PRIVATE KEY"));
    free(again);
    free(key_again);
    assert_int_equal(http_certificate(NULL, NULL, base, "other.example", &again, &key_again, &e), 0); /* another name: another certificate */
    assert_int_equal(http_certificate_fingerprint(again, two, &e), 0);
    assert_string_not_equal(one, two);
    free(certificate), free(key), free(again), free(key_again);
}

static void others_must_not_read_it(void **state)
{
    char *certificate, *key;
    struct err e;
    assert_int_equal(http_certificate(NULL, NULL, base, "localhost", &certificate, &key, &e), 0);
    free(certificate), free(key);
    assert_int_equal(chmod(pem, 0640), 0);
    assert_int_equal(http_certificate(NULL, NULL, base, "localhost", &certificate, &key, &e), ERR_DENIED);
    assert_null(key);
    assert_int_equal(unlink(pem), 0);
    assert_int_equal(http_certificate(NULL, NULL, base, "a b\nc", &certificate, &key, &e), ERR_INPUT);
}

static void given_ones_must_fit(void **state)
{
    char *certificate, *key, *other, *other_key, *x, *y, cert_path[100], key_path[100];
    struct err e;
    snprintf(cert_path, sizeof cert_path, "%s/cert.pem", dir);
    snprintf(key_path, sizeof key_path, "%s/key.pem", dir);
    assert_int_equal(http_certificate(NULL, NULL, base, "a.example", &certificate, &key, &e), 0);
    assert_int_equal(http_certificate(NULL, NULL, base, "b.example", &other, &other_key, &e), 0);
    assert_int_equal(file_write_atomic(cert_path, bytes_of(str_from(certificate)), 0644, &e), 0);
    assert_int_equal(file_write_atomic(key_path, bytes_of(str_from(key)), 0600, &e), 0);
    assert_int_equal(http_certificate(cert_path, key_path, NULL, "a.example", &x, &y, &e), 0);
    assert_string_equal(x, certificate);
    free(x), free(y);
    assert_int_equal(http_certificate(cert_path, NULL, NULL, "a.example", &x, &y, &e), ERR_INPUT);
    assert_int_equal(file_write_atomic(key_path, bytes_of(str_from(other_key)), 0600, &e), 0);
    assert_int_equal(http_certificate(cert_path, key_path, NULL, "a.example", &x, &y, &e), ERR_INPUT);
    assert_non_null(strstr(e.message, "is not the key of"));
    assert_int_equal(chmod(key_path, 0604), 0);
    assert_int_equal(http_certificate(cert_path, key_path, NULL, "a.example", &x, &y, &e), ERR_DENIED);
    assert_int_equal(file_write_atomic(cert_path, bytes_of(STR("nonsense")), 0644, &e), 0);
    assert_int_equal(chmod(key_path, 0600), 0);
    assert_int_equal(http_certificate(cert_path, key_path, NULL, "a.example", &x, &y, &e), ERR_INPUT);
    free(certificate), free(key), free(other), free(other_key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(made_once_and_kept), cmocka_unit_test(others_must_not_read_it), cmocka_unit_test(given_ones_must_fit)};
    return cmocka_run_group_tests_name("tls", tests, enter, leave);
}
