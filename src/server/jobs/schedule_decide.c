#include "server/jobs/schedule_int.h"

#include "base/when.h"

#define MINUTE_MS       INT64_C(60000)
#define RETRY_MOST_MS   (6 * 60 * MINUTE_MS)
#define JITTER_MOST_MS  (5 * MINUTE_MS)
#define CRON_JITTER_MS  (MINUTE_MS / 2)

/* 0 .. span - 1 */
static int64_t spread(uint64_t seed, int64_t span)
{
    seed = (seed ^ seed >> 31) * UINT64_C(0x9e3779b97f4a7c15);
    seed = (seed ^ seed >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
    return span > 0 ? (int64_t)((seed ^ seed >> 32) >> 1) % span : 0;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* Connectors of the same interval drift apart by the jitter, a twentieth of it, so that they do not all come at once for ever. What was missed is made up for by
 * one run, not by many. */
int64_t schedule_regular(const struct schedule_rule *r, int64_t started_ms, int64_t now_ms, uint64_t seed)
{
    if (r->cron) {
        int64_t at = cron_next(r->cron, now_ms);
        return at ? at + spread(seed, CRON_JITTER_MS) : 0;
    }
    int64_t jitter = spread(seed, least(r->every_ms / 20, JITTER_MOST_MS));
    return most(started_ms + r->every_ms + jitter, now_ms);
}

/* 1, 2, 4 ... minutes, at most the interval; a tenth more by chance. */
static int64_t backed_off(const struct schedule_rule *r, unsigned attempt, uint64_t seed)
{
    int64_t wait = when_back_off_ms(attempt + 1, MINUTE_MS, r->cron ? RETRY_MOST_MS : least(r->every_ms, RETRY_MOST_MS));
    return wait + spread(seed, wait / 10);
}

/* A certificate or a name is put right by somebody else, some time: TLS is tried again though the same call would fail. */
static bool is_tried_again(int class)
{
    return class == ERR_TLS || (err_class_retryable(class) && class != ERR_CANCEL);
}

bool schedule_waits_for_change(int class)
{
    return class == ERR_AUTH || class == ERR_DENIED || class == ERR_INPUT || class == ERR_TLS || class == ERR_NOTFOUND;
}

struct schedule_next schedule_decide(const struct schedule_rule *r, const struct schedule_outcome *o, uint64_t seed)
{
    int64_t regular = schedule_regular(r, o->started_ms ? o->started_ms : o->ended_ms, o->ended_ms, seed);
    if (o->verdict == SCHEDULE_INTERRUPTED) return (struct schedule_next){o->ended_ms, o->attempt};
    if (o->verdict != SCHEDULE_FAILED) return (struct schedule_next){regular, 0};
    int64_t asked = o->retry_at_ms > o->ended_ms ? o->retry_at_ms + spread(seed, MINUTE_MS / 4) : 0;
    if (!is_tried_again(o->class)) return (struct schedule_next){regular ? most(regular, asked) : 0, 0};
    int64_t again = o->ended_ms + backed_off(r, o->attempt, seed);
    /* a regular time comes first: a new period, but not a new count, or a peer that is down for days would be asked every minute once a period */
    if (r->cron && regular) again = least(again, regular);
    again = most(again, asked);
    return (struct schedule_next){again, o->attempt < 100 ? o->attempt + 1 : o->attempt};
}
