/* graph_explain.h - what an error answer of Microsoft Graph means: a sentence for the operator, and what the
 * client should do.
 *
 * One table over status, code and words (of the service's message). Codes are looked for in every nesting of
 * innerError, the inmost first; a code or body that nobody has seen still gives a sentence, with the
 * service's own first line quoted. The body is hostile: bounded, cleaned, never trusted to be JSON.
 *
 *     struct graph_failure f;
 *     graph_failure_read(&f, answer.status, answer.body);
 *     if (f.fault == GRAPH_FAULT_RETRY) ...
 *     return graph_failure_explain(e, &f, request_id, "members of a group", "GroupMember.Read.All");
 */
#ifndef ROLLCALL_GRAPH_EXPLAIN_H
#define ROLLCALL_GRAPH_EXPLAIN_H

#include "base/err.h"

/* What to do about it. */
enum graph_fault {
    GRAPH_FAULT_FATAL,              /* nothing helps: tell it */
    GRAPH_FAULT_RETRY,              /* throttled or broken for the moment: after Retry-After or a back-off */
    GRAPH_FAULT_RENEW_TOKEN,        /* 401: with a new token, once; a second time it is ERR_AUTH */
    GRAPH_FAULT_RESTART_COLLECTION, /* a dead page token: drop what came so far, from the first page */
    GRAPH_FAULT_RESYNC,             /* a dead delta token: a full read (at Location, if that is our host) */
    GRAPH_FAULT_DENIED_PERMISSION,  /* a gap that names the permission */
    GRAPH_FAULT_DENIED_LICENCE,     /* P1 or P2; now and then refused to tenants that have it: a few tries */
    GRAPH_FAULT_NOT_FOUND,          /* gone meanwhile, or not visible */
    GRAPH_FAULT_PAGE_TOO_LARGE,     /* fewer a page ($top) */
    GRAPH_FAULT_UNSUPPORTED,        /* without this property, path or query: the service lacks it */
};
const char *graph_fault_name(enum graph_fault f); /* "retry", for logs and tests */

struct graph_failure {
    long status;
    enum graph_fault fault;
    char code[96];     /* the code that decided; else the outermost one; may be empty */
    char message[240]; /* the service's first line, cleaned; may be empty */
    const struct graph_row *row;
    bool is_json; /* the body was an error of Graph's form */
};
/* Never fails: what cannot be read is judged by the status. A body over 64 KiB counts as unreadable. */
void graph_failure_read(struct graph_failure *out, long status, struct bytes body);

/* Sets e, code DOM_HTTP status, and returns its class: 400 PROTO, 401 AUTH, 403 DENIED, 404 NOTFOUND, 429
 * LIMIT, dead tokens COOKIE, 5xx NET. what: what was asked for, in words ("users", "members of a group");
 * permissions: any of which would do ("User.Read.All or Directory.Read.All"), NULL if none is known. Message:
 * "users: the application lacks the permission: ... (HTTP 403, Authorization_RequestDenied, request
 * 1b2c...)"; hint: what to do. */
int graph_failure_explain(struct err *e, const struct graph_failure *f, struct str request_id,
                          const char *what, const char *permissions);

/* Both at once. */
int graph_explain(struct err *e, long status, struct bytes body, struct str request_id, const char *what,
                  const char *permissions);
enum graph_fault graph_fault_of(long status, struct bytes body);

#endif
