#include "sink/http_verdict.h"

#include <curl/curl.h>

enum { ONCE = 1, THRICE = 3 };

static const struct {
    long first, last;
    struct http_verdict verdict;
} statuses[] = {
    {200, 299, {0, ONCE, NULL}},
    {300, 399, {ERR_INPUT, ONCE, "redirects are not followed: set url to the receiver's final address"}},
    {401, 401, {ERR_DENIED, ONCE, "check token: the receiver does not accept it"}},
    {403, 403, {ERR_DENIED, ONCE, "check what the token may do at the receiver"}},
    {404, 404, {ERR_INPUT, ONCE, "check the path of url"}},
    {405, 405, {ERR_INPUT, ONCE, "check the path of url: nothing takes a POST there"}},
    {407, 407, {ERR_DENIED, ONCE, "the proxy of https_proxy wants a log-on"}},
    {408, 408, {ERR_TIMEOUT, TRY_ON, NULL}},
    {413, 413, {ERR_INPUT, ONCE, "make batch smaller"}},
    {415, 415, {ERR_INPUT, ONCE, "check dialect: the receiver wants another format"}},
    {422, 422, {ERR_INPUT, ONCE, "check dialect: the receiver wants another format"}},
    {425, 425, {ERR_LIMIT, TRY_ON, NULL}}, /* RFC 8470: Too Early */
    {429, 429, {ERR_LIMIT, TRY_ON, "the receiver limits the rate: deliver less often"}},
    {400, 499, {ERR_INPUT, ONCE, NULL}},
    {500, 599, {ERR_NET, TRY_ON, NULL}},
};

struct http_verdict http_verdict_of_status(long status)
{
    for (size_t i = 0; i < n_elements(statuses); i++)
        if (status >= statuses[i].first && status <= statuses[i].last) return statuses[i].verdict;
    return (struct http_verdict){ERR_PROTO, ONCE, "check that url is an HTTP receiver"};
}

static const struct {
    int code;
    struct http_verdict verdict;
} faults[] = {
    {CURLE_OPERATION_TIMEDOUT, {ERR_TIMEOUT, TRY_ON, NULL}},
    {CURLE_ABORTED_BY_CALLBACK, {ERR_CANCEL, ONCE, NULL}},
    {CURLE_PEER_FAILED_VERIFICATION,
     {ERR_TLS, ONCE,
      "check ca_certificate, and that the host in url is a name of the receiver's certificate"}},
    {CURLE_SSL_CACERT_BADFILE, {ERR_INPUT, ONCE, "ca_certificate must be a file with PEM certificates"}},
    {CURLE_SSL_ISSUER_ERROR, {ERR_TLS, ONCE, NULL}},
    {CURLE_SSL_INVALIDCERTSTATUS, {ERR_TLS, ONCE, NULL}},
    {CURLE_SSL_CIPHER, {ERR_TLS, ONCE, NULL}},
    {CURLE_USE_SSL_FAILED, {ERR_TLS, ONCE, NULL}},
    /* no common version, no TLS at all, or a balancer that has just gone: not final at once, nor for minutes
     */
    {CURLE_SSL_CONNECT_ERROR, {ERR_TLS, THRICE, "check that url's port speaks TLS 1.2 or later"}},
    /* HTTP/0.9, as curl says it */
    {CURLE_UNSUPPORTED_PROTOCOL, {ERR_PROTO, ONCE, "check that url is an HTTP receiver"}},
    {CURLE_WEIRD_SERVER_REPLY, {ERR_PROTO, ONCE, "check that url is an HTTP receiver"}},
    {CURLE_BAD_CONTENT_ENCODING, {ERR_PROTO, ONCE, NULL}},
    {CURLE_URL_MALFORMAT, {ERR_INPUT, ONCE, NULL}},
    {CURLE_OUT_OF_MEMORY, {ERR_LIMIT, ONCE, NULL}},
    {CURLE_BAD_FUNCTION_ARGUMENT, {ERR_BUG, ONCE, NULL}},
    {CURLE_FAILED_INIT, {ERR_BUG, ONCE, NULL}},
};

struct http_verdict http_verdict_of_curl(int code)
{
    for (size_t i = 0; i < n_elements(faults); i++)
        if (faults[i].code == code) return faults[i].verdict;
    return (struct http_verdict){ERR_NET, TRY_ON, NULL};
}
