#include "api/http/http_pool.h"

#include "base/when.h"

void pool_init(struct store_pool *p)
{
    *p = (struct store_pool){0};
    pthread_mutex_init(&p->lock, NULL);
}

void pool_fini(struct store_pool *p)
{
    for (unsigned i = 0; i < p->n_idle; i++) store_close(p->idle[i].store);
    p->n_idle = 0;
    pthread_mutex_destroy(&p->lock);
}

/* A handle that waits, if there is one; it counts as lent then. False: none, or too many are lent (*is_full). */
static bool lend_idle(struct store_pool *p, struct store **out, bool *is_full)
{
    pthread_mutex_lock(&p->lock);
    *is_full = p->n_lent == n_elements(p->lent);
    bool found = !*is_full && p->n_idle > 0;
    if (found) {
        p->lent[p->n_lent] = p->idle[--p->n_idle];
        *out = p->lent[p->n_lent++].store;
    }
    pthread_mutex_unlock(&p->lock);
    return found;
}

int pool_lend(struct store_pool *p, const char *url, struct store **out, struct err *e)
{
    bool is_full;
    if (lend_idle(p, out, &is_full)) return 0;
    if (is_full) return err_set(e, ERR_LIMIT, "too many requests read the store at once");
    if (!store_exists(str_from(url))) {
        err_set(e, ERR_NOTFOUND, "nothing was synced yet");
        return err_hint(e, "create a connector and sync it");
    }
    struct store *s;
    try(store_open(&s, str_from(url), e));
    pthread_mutex_lock(&p->lock);
    is_full = p->n_lent == n_elements(p->lent);
    if (!is_full) p->lent[p->n_lent++] = (struct pooled){.store = s, .opened_ms = when_monotonic_ms()};
    pthread_mutex_unlock(&p->lock);
    if (is_full) {
        store_close(s);
        return err_set(e, ERR_LIMIT, "too many requests read the store at once");
    }
    *out = s;
    return 0;
}

void pool_return(struct store_pool *p, struct store *s, bool is_sound)
{
    pthread_mutex_lock(&p->lock);
    unsigned i = 0;
    while (p->lent[i].store != s) i++;
    struct pooled back = p->lent[i];
    p->lent[i] = p->lent[--p->n_lent];
    back.since_ms = when_monotonic_ms();
    bool keep = is_sound && back.since_ms - back.opened_ms < POOL_LIFE_MS && p->n_idle < POOL_KEEP;
    if (keep) p->idle[p->n_idle++] = back;
    pthread_mutex_unlock(&p->lock);
    if (!keep) store_close(s);
}

void pool_close_idle(struct store_pool *p)
{
    struct store *old[POOL_KEEP];
    unsigned n_old = 0, n_kept = 0;
    int64_t now = when_monotonic_ms();
    pthread_mutex_lock(&p->lock);
    for (unsigned i = 0; i < p->n_idle; i++) {
        if (now - p->idle[i].since_ms > POOL_IDLE_MS)
            old[n_old++] = p->idle[i].store;
        else
            p->idle[n_kept++] = p->idle[i];
    }
    p->n_idle = n_kept;
    pthread_mutex_unlock(&p->lock);
    for (unsigned i = 0; i < n_old; i++) store_close(old[i]);
}
