/* notify.h - telling systemd how a service is, by one datagram each (sd_notify(3)); nothing happens where nobody asked for it.
 */
#ifndef ROLLCALL_CMD_NOTIFY_H
#define ROLLCALL_CMD_NOTIFY_H

#include "base/base.h"

struct notify {
    int fd;               /* -1: nobody wants to know */
    int64_t watchdog_ms;  /* how often a sign of life is due; 0: none */
};
/* From NOTIFY_SOCKET and WATCHDOG_USEC, which are taken out of the environment. */
struct notify notify_open(void);
void notify_tell(const struct notify *n, const char *what); /* "READY=1\nSTATUS=..." */
void notify_close(struct notify *n);

#endif
