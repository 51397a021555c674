#include "api/http/http_stats.h"

#include "api/http/http_int.h"

const unsigned latency_bounds_ms[LATENCY_BUCKETS] = {1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 5000, 30000};

void http_stats_add(struct http_stats *s, unsigned status, int64_t took_us)
{
    unsigned i = 0;
    while (i < LATENCY_BUCKETS && took_us > (int64_t)latency_bounds_ms[i] * 1000) i++;
    atomic_fetch_add(&s->latency[i], 1);
    atomic_fetch_add(&s->latency_sum_us, (unsigned long long)took_us);
    atomic_fetch_add(&s->by_status[status / 100 < 6 ? status / 100 : 5], 1);
}

struct http_stats *http_stats_of(const struct request *q)
{
    return &own(q)->server->stats;
}

unsigned http_connections(const struct request *q)
{
    struct peers *p = &own(q)->server->peers;
    pthread_mutex_lock(&p->lock);
    unsigned n = p->n;
    pthread_mutex_unlock(&p->lock);
    return n;
}

unsigned http_streams(const struct request *q)
{
    return events_count(own(q)->server->events);
}
