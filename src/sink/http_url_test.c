#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <curl/curl.h>

#include "sink/http_url.h"

static const struct {
    const char *url, *shown; /* shown NULL: refused */
    bool is_clear;
} cases[] = {
    {"https://siem.example/intake", "https://siem.example/intake", false},
    {"https://siem.example", "https://siem.example/", false},
    {"https://siem.example:8443/a/b?key=SECRET", "https://siem.example:8443/a/b", false},
    {"HTTPS://SIEM.example/", "https://SIEM.example/", false},
    {"https://192.0.2.7/x", "https://192.0.2.7/x", false},
    {"https://[2001:db8::1]:444/x", "https://[2001:db8::1]:444/x", false},
    {"http://localhost/x", "http://localhost/x", true},
    {"http://localhost:8080/x?k=v", "http://localhost:8080/x", true},
    {"http://127.0.0.1:1/", "http://127.0.0.1:1/", true},
    {"http://127.8.9.10/", "http://127.8.9.10/", true},
    {"http://[::1]:8080/", "http://[::1]:8080/", true},
    {"http://127.1/", "http://127.0.0.1/", true},
    /* in the clear to elsewhere, and names that only look like this machine */
    {"http://siem.example/", NULL, false},
    {"http://192.0.2.7/", NULL, false},
    {"http://10.0.0.1/", NULL, false},
    {"http://0.0.0.0/", NULL, false},
    {"http://[::]/", NULL, false},
    {"http://[::ffff:127.0.0.1]/", NULL, false},
    {"http://127.0.0.1.evil.example/", NULL, false},
    {"http://localhost.evil.example/", NULL, false},
    {"http://evil.example/127.0.0.1", NULL, false},
    {"http://evil.example?127.0.0.1", NULL, false},
    {"http://127.0.0.1@evil.example/", NULL, false},
    {"http://evil.example\\@127.0.0.1/", NULL, false},
    {"http://notlocalhost/", NULL, false},
    /* other things */
    {"", NULL, false},
    {"/intake", NULL, false},
    {"ftp://siem.example/", NULL, false},
    {"file:///etc/passwd", NULL, false},
    {"gopher://127.0.0.1/", NULL, false},
    {"unix:///run/x", NULL, false},
    {"javascript:alert(1)", NULL, false},
    {"https://", NULL, false},
    {"https:///path", NULL, false},
    {"https:/siem.example/", NULL, false},
    {"https:siem.example", NULL, false},
    {"siem.example/intake", NULL, false},
    {"https://user@siem.example/", NULL, false},
    {"https://user:SECRET@siem.example/", NULL, false},
    {"https://siem.example/#part", NULL, false},
    {"https://siem.example/a b", NULL, false},
    {"https://siem.example/\r\nX: y", NULL, false},
    {"https://siem.example:99999/", NULL, false},
    {"https://siem\x01.example/", NULL, false},
    {"https://caf\xc3\xa9.example/", NULL, false},
};

static void test_table(void **state)
{
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct http_url u;
        struct err e = {0};
        int rc = http_url_parse(&u, str_from(cases[i].url), &e);
        if (!cases[i].shown) {
            if (rc != ERR_INPUT) fail_msg("%s was taken", cases[i].url);
            assert_null(strstr(e.message, "SECRET"));
        } else {
            if (rc != 0) fail_msg("%s: %s", cases[i].url, e.message);
            assert_string_equal(u.shown, cases[i].shown);
            assert_int_equal(u.is_clear, cases[i].is_clear);
        }
        http_url_free(&u);
    }
}

static void test_length(void **state)
{
    struct http_url u;
    struct err e;
    char *text = malloc(5000);
    assert_non_null(text);
    memset(text, 'a', 5000);
    memcpy(text, "https://h/", 10);
    assert_int_equal(http_url_parse(&u, (struct str){text, 4096}, &e), 0);
    http_url_free(&u);
    assert_int_equal(http_url_parse(&u, (struct str){text, 4097}, &e), ERR_INPUT);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_table), cmocka_unit_test(test_length)};
    curl_global_init(CURL_GLOBAL_DEFAULT);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    curl_global_cleanup();
    return failed;
}
