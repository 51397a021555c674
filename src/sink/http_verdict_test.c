#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <curl/curl.h>

#include "sink/http_verdict.h"

static const struct {
    long status;
    int class;
    unsigned tries;
} statuses[] = {
    {200, 0, 1},
    {201, 0, 1},
    {202, 0, 1},
    {204, 0, 1},
    {207, 0, 1},
    {299, 0, 1},
    {0, ERR_PROTO, 1},
    {100, ERR_PROTO, 1},
    {101, ERR_PROTO, 1},
    {199, ERR_PROTO, 1},
    {600, ERR_PROTO, 1},
    {999, ERR_PROTO, 1},
    {300, ERR_INPUT, 1},
    {301, ERR_INPUT, 1},
    {302, ERR_INPUT, 1},
    {304, ERR_INPUT, 1},
    {307, ERR_INPUT, 1},
    {308, ERR_INPUT, 1},
    {400, ERR_INPUT, 1},
    {401, ERR_DENIED, 1},
    {402, ERR_INPUT, 1},
    {403, ERR_DENIED, 1},
    {404, ERR_INPUT, 1},
    {405, ERR_INPUT, 1},
    {407, ERR_DENIED, 1},
    {408, ERR_TIMEOUT, TRY_ON},
    {409, ERR_INPUT, 1},
    {410, ERR_INPUT, 1},
    {411, ERR_INPUT, 1},
    {413, ERR_INPUT, 1},
    {415, ERR_INPUT, 1},
    {422, ERR_INPUT, 1},
    {425, ERR_LIMIT, TRY_ON},
    {429, ERR_LIMIT, TRY_ON},
    {431, ERR_INPUT, 1},
    {499, ERR_INPUT, 1},
    {500, ERR_NET, TRY_ON},
    {501, ERR_NET, TRY_ON},
    {502, ERR_NET, TRY_ON},
    {503, ERR_NET, TRY_ON},
    {504, ERR_NET, TRY_ON},
    {599, ERR_NET, TRY_ON},
};

static void test_statuses(void **state)
{
    for (size_t i = 0; i < n_elements(statuses); i++) {
        struct http_verdict v = http_verdict_of_status(statuses[i].status);
        if (v.class != statuses[i].class || v.tries != statuses[i].tries)
            fail_msg("%ld: %s, %u tries", statuses[i].status, err_class_name(v.class), v.tries);
    }
}

static const struct {
    int code, class;
    bool again;
} faults[] = {
    {CURLE_COULDNT_RESOLVE_HOST, ERR_NET, true},
    {CURLE_COULDNT_RESOLVE_PROXY, ERR_NET, true},
    {CURLE_COULDNT_CONNECT, ERR_NET, true},
    {CURLE_GOT_NOTHING, ERR_NET, true},
    {CURLE_SEND_ERROR, ERR_NET, true},
    {CURLE_RECV_ERROR, ERR_NET, true},
    {CURLE_PARTIAL_FILE, ERR_NET, true},
    {CURLE_HTTP2, ERR_NET, true},
    {CURLE_HTTP2_STREAM, ERR_NET, true},
    {CURLE_OPERATION_TIMEDOUT, ERR_TIMEOUT, true},
    {CURLE_PEER_FAILED_VERIFICATION, ERR_TLS, false},
    {CURLE_SSL_CONNECT_ERROR, ERR_TLS, true},
    {CURLE_SSL_CIPHER, ERR_TLS, false},
    {CURLE_UNSUPPORTED_PROTOCOL, ERR_PROTO, false},
    {CURLE_ABORTED_BY_CALLBACK, ERR_CANCEL, false},
    {CURLE_SSL_CACERT_BADFILE, ERR_INPUT, false},
};

static void test_faults(void **state)
{
    for (size_t i = 0; i < n_elements(faults); i++) {
        struct http_verdict v = http_verdict_of_curl(faults[i].code);
        if (v.class != faults[i].class || (v.tries > 1) != faults[i].again)
            fail_msg("%s: %s, %u tries", curl_easy_strerror((CURLcode)faults[i].code),
                     err_class_name(v.class), v.tries);
    }
    assert_true(http_verdict_of_curl(CURLE_SSL_CONNECT_ERROR).tries < 10);
}

/* No fault of a transfer may ever read as delivered. */
static void test_no_fault_is_a_success(void **state)
{
    for (int code = 1; code < CURL_LAST; code++) assert_true(http_verdict_of_curl(code).class < 0);
    for (long status = -1; status < 1100; status++)
        assert_int_equal(http_verdict_of_status(status).class == 0, status >= 200 && status <= 299);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_statuses),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_no_fault_is_a_success),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
