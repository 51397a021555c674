#include "server/oidc/oidc_int.h"

#include "base/when.h"

#include <sodium.h>

static bool is_live(const struct oidc_pending *p, int64_t now_ms)
{
    return p->state_hash[0] && p->until_ms > now_ms;
}

static struct oidc_pending *older(struct oidc_pending *a, struct oidc_pending *b)
{
    return !a || b->number < a->number ? b : a;
}

/* Whoever begins too many loses his own oldest ones first: nobody else's log-in ends by it. */
void oidc_pending_add(struct oidc *o, const struct oidc_pending *p)
{
    int64_t now = when_monotonic_ms();
    struct oidc_pending *unused = NULL, *own = NULL, *oldest = NULL;
    unsigned n = 0;
    for (size_t i = 0; i < OIDC_PENDING_MAX; i++) {
        struct oidc_pending *one = &o->pending[i];
        if (!is_live(one, now)) {
            unused = one;
            continue;
        }
        oldest = older(oldest, one);
        if (strcmp(one->from, p->from) != 0) continue;
        own = older(own, one);
        n++;
    }
    struct oidc_pending *place = n >= OIDC_PENDING_FROM ? own : unused ? unused : oldest;
    *place = *p;
    place->until_ms = now + (int64_t)OIDC_COOKIE_LIFE_S * 1000;
    place->number = o->n_begun++;
}

static struct oidc_pending *find(struct oidc *o, const char *state)
{
    char hash[STATE_RANDOM];
    int64_t now = when_monotonic_ms();
    state_hash_text(hash, state);
    for (size_t i = 0; i < OIDC_PENDING_MAX; i++)
        if (is_live(&o->pending[i], now) && sodium_memcmp(o->pending[i].state_hash, hash, sizeof hash) == 0) return &o->pending[i];
    return NULL;
}

int oidc_pending_take(struct oidc *o, struct oidc_pending *out, const char *state, const char *cookie, struct err *e)
{
    char hash[STATE_RANDOM];
    struct oidc_pending *p = state && *state ? find(o, state) : NULL;
    if (!p) {
        err_set(e, ERR_AUTH, "this log-in is unknown, was used already, or took longer than ten minutes (state)");
        return err_hint(e, "start the log-in again");
    }
    *out = *p;
    sodium_memzero(p, sizeof *p);
    state_hash_text(hash, cookie ? cookie : "");
    if (cookie && sodium_memcmp(hash, out->cookie_hash, sizeof hash) == 0) return 0;
    err_set(e, ERR_AUTH, "this log-in was started in another browser, or its cookie did not come along");
    return err_hint(e, "start the log-in again, in this browser; allow cookies of this page");
}
