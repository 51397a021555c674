#include "api/http/http_int.h"

/* Tasks that wait. A connection has one request at a time, so that as many as there are connections may wait for what takes a moment; for what takes
 * seconds nobody waits behind more than a few. */
static const unsigned most_waiting[N_LANES] = {[LANE_ANY] = 1024, [LANE_ASK] = 64, [LANE_PASSWORD] = 64};

struct lane_state {
    struct task *first, **end;
    unsigned n_waiting, n_running, most;
};
struct work {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct lane_state lanes[N_LANES];
    bool is_stopping;
    unsigned n_threads;
    pthread_t threads[];
};

/* The next task of a lane that may run one more. */
static struct task *take(struct work *w)
{
    for (unsigned i = 0; i < N_LANES; i++) {
        struct lane_state *l = &w->lanes[i];
        if (!l->first || l->n_running >= l->most) continue;
        struct task *t = l->first;
        l->first = t->next;
        if (!l->first) l->end = &l->first;
        l->n_waiting--;
        l->n_running++;
        return t;
    }
    return NULL;
}

static void *work_thread(void *arg)
{
    struct work *w = arg;
    pthread_mutex_lock(&w->lock);
    while (!w->is_stopping) {
        struct task *t = take(w);
        if (!t) {
            pthread_cond_wait(&w->wake, &w->lock);
            continue;
        }
        enum lane lane = t->lane; /* t is gone after run */
        pthread_mutex_unlock(&w->lock);
        t->run(t);
        pthread_mutex_lock(&w->lock);
        w->lanes[lane].n_running--;
        if (w->lanes[lane].n_waiting) pthread_cond_signal(&w->wake); /* one that the lane's bound held back */
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

struct work *work_start(unsigned threads)
{
    struct work *w = x_zalloc(sizeof *w + threads * sizeof *w->threads);
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->wake, NULL);
    const unsigned most[N_LANES] = {[LANE_ANY] = threads, [LANE_ASK] = (threads + 1) / 2, [LANE_PASSWORD] = threads > 2 ? 2 : 1};
    for (unsigned i = 0; i < N_LANES; i++) {
        w->lanes[i].end = &w->lanes[i].first;
        w->lanes[i].most = most[i];
    }
    for (; w->n_threads < threads; w->n_threads++)
        if (pthread_create(&w->threads[w->n_threads], NULL, work_thread, w)) x_out_of_memory();
    return w;
}

bool work_submit(struct work *w, struct task *t, void (*suspend)(struct task *t))
{
    pthread_mutex_lock(&w->lock);
    struct lane_state *l = &w->lanes[t->lane];
    bool ok = !w->is_stopping && l->n_waiting < most_waiting[t->lane];
    if (ok) {
        suspend(t);
        t->next = NULL;
        *l->end = t;
        l->end = &t->next;
        l->n_waiting++;
        pthread_cond_signal(&w->wake);
    }
    pthread_mutex_unlock(&w->lock);
    return ok;
}

void work_stop(struct work *w)
{
    if (!w) return;
    pthread_mutex_lock(&w->lock);
    w->is_stopping = true;
    pthread_cond_broadcast(&w->wake);
    pthread_mutex_unlock(&w->lock);
    for (unsigned i = 0; i < w->n_threads; i++) pthread_join(w->threads[i], NULL);
    for (unsigned i = 0; i < N_LANES; i++) {
        for (struct task *t = w->lanes[i].first, *next; t; t = next) {
            next = t->next;
            t->refuse(t);
        }
        w->lanes[i].first = NULL;
    }
}

void work_free(struct work *w)
{
    pthread_mutex_destroy(&w->lock);
    pthread_cond_destroy(&w->wake);
    free(w);
}
