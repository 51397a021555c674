#include "source/graph/graph_throttle.h"

#include "base/when.h"

#define FIRST_MS   500
#define LONGEST_MS 30000
#define TRUSTED    3 /* refusals in a row; a Retry-After of nothing is not believed for ever */
#define GROW_AFTER 8 /* good answers for each request at once */

struct graph_throttle graph_throttle_new(unsigned at_most)
{
    return (struct graph_throttle){.at_most = at_most, .window = at_most};
}

bool graph_throttle_may_start(const struct graph_throttle *t, int64_t now_ms)
{
    return t->under_way < t->window && now_ms >= t->resume_ms;
}

void graph_throttle_started(struct graph_throttle *t)
{
    t->under_way++;
}

void graph_throttle_over(struct graph_throttle *t)
{
    if (t->under_way) t->under_way--;
}

void graph_throttle_good(struct graph_throttle *t)
{
    graph_throttle_over(t);
    t->n_refused = 0;
    if (t->window == t->at_most || ++t->good < GROW_AFTER * t->window) return;
    t->window++;
    t->good = 0;
}

/* Between three quarters and all of it, so that those who were refused together do not come back together. */
static int64_t jittered(int64_t ms, unsigned jitter)
{
    return ms - ms / 4 * (int64_t)(jitter % 1000) / 1000;
}

int64_t graph_back_off_ms(unsigned n, unsigned jitter)
{
    return jittered(when_back_off_ms(n, FIRST_MS, LONGEST_MS), jitter);
}

/* What was under way together is refused together: that is one lesson, not many. */
void graph_throttle_refused(struct graph_throttle *t, int64_t now_ms, int64_t wait_ms, unsigned jitter)
{
    graph_throttle_over(t);
    t->n_throttled++;
    bool is_new_lesson = now_ms >= t->resume_ms;
    if (is_new_lesson) {
        t->n_refused++;
        t->window = t->window > 1 ? t->window / 2 : 1;
        t->good = 0;
    }
    /* Retry-After is the least; a little more keeps clear of its edge */
    int64_t wait = wait_ms >= 0 ? wait_ms + (int64_t)(jitter % 100) : 0, back_off = graph_back_off_ms(t->n_refused, jitter);
    if (wait_ms < 0 || (t->n_refused > TRUSTED && wait < back_off)) wait = back_off;
    if (now_ms + wait <= t->resume_ms) return;
    t->rested_ms += now_ms + wait - (is_new_lesson ? now_ms : t->resume_ms);
    t->resume_ms = now_ms + wait;
}
