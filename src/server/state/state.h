/* state.h - what a server keeps beside the store: accounts, sessions, connectors with sealed secrets, documents, the audit log.
 *
 * One SQLite file, <store>.server (mode 0600), so that a log-in never waits for a sync that writes the store. What is in it cannot be made
 * anew from a directory; the store and everything else beside it can.
 * A handle is used by every thread: each call takes its lock, and none of them waits for anything but the disk.
 * Its parts: accounts.h audit.h connectors.h documents.h. Internals are in state_int.h.
 */
#ifndef ROLLCALL_SERVER_STATE_H
#define ROLLCALL_SERVER_STATE_H

#include "base/err.h"
#include "base/buf.h"

#include <jansson.h>

struct state;
struct seal;
/* path: of the file; made if it is not there. seal: opens its secrets (vault/seal.h), borrowed; NULL: for commands that need none.
 * ERR_INPUT: not our file, or a newer format; ERR_DENIED. */
int state_open(struct state **out, const char *path, struct seal *seal, struct err *e) must_use;
void state_close(struct state *s); /* NULL is legal */
const char *state_path(const struct state *s);
/* A consistent copy of any SQLite file while others use it (SQLite's backup), mode 0600. ERR_CONFLICT: `to` is there already. */
int state_copy_database(const char *from, const char *to, struct err *e) must_use;
/* One server at a time for a store: a lock on STORE.server.lock that dies with its process; held by serve, and by commands that no server may run beside (restore, key rotate).
 * ERR_CONFLICT names the other's pid. Close *out_fd to give it back. */
int state_claim(int *out_fd, const char *store_path, struct err *e) must_use;
/* integrity_check, the audit chain, and that every sealed secret opens; what is wrong is told line by line. ERR_BUG: something is. */
int state_check(struct state *s, void (*tell)(void *ctx, const char *line), void *ctx, struct err *e) must_use;

/* integrity_check of any SQLite file, while others use it. ERR_BUG: damaged. */
int state_check_database(const char *path, void (*tell)(void *ctx, const char *line), void *ctx, struct err *e) must_use;

#endif
