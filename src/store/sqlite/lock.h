/* lock.h - one run per connector: a lock on FILE.<connector>.lock that dies with its process.
 *
 * An open-file-description lock: a kill frees it, and two handles of one process exclude each other too. The
 * file says who holds it; it stays when the lock is gone, since removing it would race.
 */
#ifndef ROLLCALL_STORE_SQLITE_LOCK_H
#define ROLLCALL_STORE_SQLITE_LOCK_H

#include "base/err.h"

/* ERR_CONFLICT names the holder's pid and start. Close *out_fd to unlock. */
int lock_take(int *out_fd, const char *store_path, struct str connector, int64_t started_ms,
              struct err *e) must_use;
/* When its holder took it; far in the future if that is not known. */
int64_t lock_since(const char *store_path, struct str connector);
/* For who has taken over from a holder that hangs (lease.h): another file takes the place of the one that is locked. */
int lock_replace(int *out_fd, const char *store_path, struct str connector, int64_t started_ms,
                 struct err *e) must_use;

#endif
