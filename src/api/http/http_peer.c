#include "api/http/http_int.h"
#include "base/when.h"

#include <sys/socket.h>

/* libmicrohttpd's own timeout begins anew with every byte, so a peer that sends one a second would hold a connection for ever (slow loris). Here
 * a peer has a time for the whole of what we wait for, and when many come, the one that has kept us waiting longest goes first: new ones always get in. */

void peers_init(struct peers *p, unsigned soft_max)
{
    *p = (struct peers){.soft_max = soft_max};
    pthread_mutex_init(&p->lock, NULL);
}

void peers_fini(struct peers *p)
{
    pthread_mutex_destroy(&p->lock);
}

static void unlink_peer(struct peers *p, struct peer *x)
{
    if (x->state == PEER_BUSY) return;
    *(x->before ? &x->before->after : &p->oldest) = x->after;
    *(x->after ? &x->after->before : &p->newest) = x->before;
    x->before = x->after = NULL;
}

static void link_peer(struct peers *p, struct peer *x, enum peer_state state)
{
    x->state = state;
    x->since_ms = when_monotonic_ms();
    if (state == PEER_BUSY) return;
    x->before = p->newest;
    *(p->newest ? &p->newest->after : &p->oldest) = x;
    p->newest = x;
}

/* Only the socket is shut, under the lock and before libmicrohttpd has closed it: its thread sees the end and cleans up (peer_remove). */
static void end_peer(struct peers *p, struct peer *x)
{
    unlink_peer(p, x);
    x->state = PEER_BUSY;
    shutdown(x->fd, SHUT_RDWR);
}

struct peer *peer_add(struct peers *p, int fd)
{
    struct peer *x = x_zalloc(sizeof *x);
    x->fd = fd;
    pthread_mutex_lock(&p->lock);
    if (++p->n > p->soft_max && p->oldest) end_peer(p, p->oldest);
    link_peer(p, x, PEER_WAITING);
    pthread_mutex_unlock(&p->lock);
    return x;
}

void peer_remove(struct peers *p, struct peer *x)
{
    pthread_mutex_lock(&p->lock);
    unlink_peer(p, x);
    p->n--;
    pthread_mutex_unlock(&p->lock);
    free(x);
}

void peer_set(struct peers *p, struct peer *x, enum peer_state state)
{
    pthread_mutex_lock(&p->lock);
    unlink_peer(p, x);
    link_peer(p, x, state);
    pthread_mutex_unlock(&p->lock);
}

void peers_end_late(struct peers *p)
{
    int64_t now = when_monotonic_ms();
    pthread_mutex_lock(&p->lock);
    for (struct peer *x = p->oldest, *next; x; x = next) {
        next = x->after;
        if (now - x->since_ms > (x->state == PEER_WAITING ? PEER_WAIT_MS : PEER_SEND_MS)) end_peer(p, x);
    }
    pthread_mutex_unlock(&p->lock);
}
