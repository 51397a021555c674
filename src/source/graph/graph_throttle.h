/* graph_throttle.h - how fast Microsoft Graph may be asked, learned from its answers. Pure: time comes in.
 *
 * Graph limits an application per tenant in several buckets that know nothing of each other (concepts/throttling-limits): the directory,
 * in resource units per 10 s; the reports, 5 requests per 10 s; and, somewhere in between, authentication/methods. A bucket that said
 * 429 rests until Retry-After, whoever asks, and then gets fewer requests at once; each good answer lets it grow again.
 */
#ifndef ROLLCALL_GRAPH_THROTTLE_H
#define ROLLCALL_GRAPH_THROTTLE_H

#include "base/base.h"

enum graph_bucket { GRAPH_DIRECTORY, GRAPH_REPORTS, GRAPH_METHODS, GRAPH_BUCKETS };

struct graph_throttle {
    unsigned at_most;        /* requests at once, whatever happens */
    unsigned window;         /* now allowed at once, 1..at_most */
    unsigned under_way;
    unsigned good;           /* answers since the window last changed */
    unsigned n_refused;      /* in a row */
    int64_t resume_ms;       /* monotonic; nothing starts before */
    uint64_t n_throttled;    /* 429s, all in all */
    int64_t rested_ms;
};

struct graph_throttle graph_throttle_new(unsigned at_most);
bool graph_throttle_may_start(const struct graph_throttle *t, int64_t now_ms);
void graph_throttle_started(struct graph_throttle *t);
void graph_throttle_good(struct graph_throttle *t);
/* The request is over without an answer that says anything of the limit. */
void graph_throttle_over(struct graph_throttle *t);
/* 429, or 503 with Retry-After. wait_ms: Retry-After, -1 if there was none; jitter: 0..999 of a thousand. */
void graph_throttle_refused(struct graph_throttle *t, int64_t now_ms, int64_t wait_ms, unsigned jitter);
/* How long to wait before try number n (1, 2, ...) of one request that broke: doubling from half a second to half a minute, jittered. */
int64_t graph_back_off_ms(unsigned n, unsigned jitter);

#endif
