/* sigpipe.h - writing to a peer that has gone gives EPIPE, never the death of the process.
 *
 * Holds SIGPIPE back in this thread between begin and end, and swallows the one that the writes in between
 * have caused. The process's own disposition, which belongs to its main program, is not touched.
 *     struct sigpipe_guard g = sigpipe_begin();
 *     write(...);
 *     sigpipe_end(&g);
 */
#ifndef ROLLCALL_NET_SIGPIPE_H
#define ROLLCALL_NET_SIGPIPE_H

#include <signal.h>
#include <stdbool.h>

struct sigpipe_guard {
    sigset_t old;
    bool was_pending; /* then it is not ours to swallow */
};

struct sigpipe_guard sigpipe_begin(void);
void sigpipe_end(struct sigpipe_guard *g);

#endif
