/* http_verdict.h - what an answer, or the lack of one, means for a delivery. Two tables, no I/O.
 */
#ifndef ROLLCALL_SINK_HTTP_VERDICT_H
#define ROLLCALL_SINK_HTTP_VERDICT_H

#include "base/err.h"

#define TRY_ON 0xffffffffu /* until the time is up */

struct http_verdict {
    int class;        /* 0: delivered */
    unsigned tries;   /* how often such a fault may be seen in one post before it is final */
    const char *hint; /* NULL: none */
};

/* Of a complete HTTP answer (RFC 9110 15). */
struct http_verdict http_verdict_of_status(long status);
/* Of a transfer that failed; code is a CURLcode other than CURLE_OK. */
struct http_verdict http_verdict_of_curl(int code);

#endif
