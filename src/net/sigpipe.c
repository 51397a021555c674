#include "net/sigpipe.h"

#include <errno.h>
#include <time.h>

static bool is_pending(void)
{
    sigset_t pending;
    sigemptyset(&pending);
    sigpending(&pending);
    return sigismember(&pending, SIGPIPE) == 1;
}

static sigset_t only_sigpipe(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    return set;
}

struct sigpipe_guard sigpipe_begin(void)
{
    struct sigpipe_guard g = {.was_pending = is_pending()};
    sigset_t set = only_sigpipe();
    pthread_sigmask(SIG_BLOCK, &set, &g.old);
    return g;
}

void sigpipe_end(struct sigpipe_guard *g)
{
    int saved = errno;
    sigset_t set = only_sigpipe();
    static const struct timespec at_once;
    while (!g->was_pending && is_pending() && sigtimedwait(&set, NULL, &at_once) < 0 && errno == EINTR)
        continue;
    pthread_sigmask(SIG_SETMASK, &g->old, NULL);
    errno = saved;
}
