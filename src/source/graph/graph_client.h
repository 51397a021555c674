/* graph_client.h - questions to Microsoft Graph: one token, many requests at once, every limit obeyed, every transient fault repaired.
 *
 * A question is asked until it has an answer that means something: throttled ones wait for their bucket (graph_throttle.h), broken
 * ones come back with back-off, an expired token is renewed once. The token goes to base (graph_settings.h) and nowhere else: a URL
 * that is not below it is refused before anything is sent.
 *
 *     try(graph_client_open(&c, &settings, &job->password, deadline_ms, e));
 *     try(graph_client_ask(c, &question, e)); ...
 *     while (!graph_client_idle(c)) try(graph_client_run(c, e)); // calls question.done
 *     graph_client_close(c);
 */
#ifndef ROLLCALL_GRAPH_CLIENT_H
#define ROLLCALL_GRAPH_CLIENT_H

#include "source/graph/graph_explain.h"
#include "source/graph/graph_settings.h"
#include "source/graph/graph_throttle.h"

struct graph_client;
/* settings and secret are borrowed for its life. Asks for a token at once. */
int graph_client_open(struct graph_client **out, const struct graph_settings *s, const struct secret *secret, int64_t deadline_ms,
                      struct err *e) must_use;
void graph_client_close(struct graph_client *c); /* what is under way is dropped without a call; NULL is legal */

struct graph_answer {
    int rc;                  /* 0: body is the answer. Negative: why says it, fault what it is; what could be repaired was */
    const struct err *why;
    const struct graph_failure *failure;
    const json_t *body;      /* an object; borrowed for the call; NULL if rc < 0 */
    struct str location;     /* of an answer that is a fault and has the header, else empty; not checked */
};
struct graph_question {
    enum graph_bucket bucket;
    bool is_advanced;  /* ConsistencyLevel: eventual */
    bool is_minimal;   /* Prefer: return=minimal */
    const char *url;   /* absolute; copied */
    const char *what;  /* "users", for messages; borrowed */
    const char *permissions; /* for messages; borrowed, may be NULL */
    /* Exactly once, from graph_client_run; may ask further questions. Negative: graph_client_run ends with it. */
    int (*done)(void *ctx, const struct graph_answer *a, struct err *e);
    void *ctx;
};
/* ERR_PROTO: the URL leads elsewhere. */
int graph_client_ask(struct graph_client *c, const struct graph_question *q, struct err *e) must_use;
size_t graph_client_waiting(const struct graph_client *c); /* asked and not under way */
bool graph_client_idle(const struct graph_client *c);
/* Works until a question is answered, or until_ms (monotonic) has passed. ERR_TIMEOUT: the job's deadline. */
int graph_client_run(struct graph_client *c, int64_t until_ms, struct err *e) must_use;
/* One question, waited for; *body is the caller's. failure may be NULL. */
int graph_client_fetch(struct graph_client *c, const struct graph_question *q, json_t **body, struct graph_failure *failure, struct err *e) must_use;

const struct oauth *graph_client_oauth(const struct graph_client *c);
const struct url *graph_client_base(const struct graph_client *c);
/* Is this application permission in the token's roles? TRI-like: -1 unknown (no readable token), 0 no, 1 yes. names: separated by spaces, any. */
int graph_client_may(const struct graph_client *c, const char *names);
struct graph_stats {
    uint64_t requests, bytes, throttled, repeated;
    int64_t rested_ms; /* that buckets had to rest */
};
struct graph_stats graph_client_stats(const struct graph_client *c);

#endif
