/* http_url.h - which addresses events and their token may be sent to.
 */
#ifndef ROLLCALL_SINK_HTTP_URL_H
#define ROLLCALL_SINK_HTTP_URL_H

#include "base/base.h"
#include "base/err.h"

struct http_url {
    char *url;     /* whole, for the request */
    char *shown;   /* scheme, host, port and path: for messages; never the query, which may hold a key */
    bool is_clear; /* http to this machine itself */
};

/* https to anywhere; http only to localhost or a loopback address. ERR_INPUT with what is wrong: another
 * scheme, a user or password in it, a fragment, control characters, no host. Needs curl_global_init. */
int http_url_parse(struct http_url *out, struct str url, struct err *e) must_use;
void http_url_free(struct http_url *u); /* legal on a zeroed one */

#endif
