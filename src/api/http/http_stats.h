/* http_stats.h - what the server counts of itself, for /metrics. Any thread.
 */
#ifndef ROLLCALL_API_HTTP_STATS_H
#define ROLLCALL_API_HTTP_STATS_H

#include <stdatomic.h>
#include <stdint.h>

#define LATENCY_BUCKETS 12
extern const unsigned latency_bounds_ms[LATENCY_BUCKETS];

struct http_stats {
    atomic_ullong by_status[6]; /* 1xx .. 5xx at [1] .. [5] */
    atomic_ullong latency[LATENCY_BUCKETS + 1]; /* requests up to that bound; the last one: over all */
    atomic_ullong latency_sum_us, csp_reports, refused_busy, ended_peers;
};
struct request;
void http_stats_add(struct http_stats *s, unsigned status, int64_t took_us);
/* Of the server that handles q. */
struct http_stats *http_stats_of(const struct request *q);
unsigned http_connections(const struct request *q);
unsigned http_streams(const struct request *q);

#endif
