/* backup.h - everything that cannot be made anew, as files in a directory: made while the server runs, brought back while it does not.
 *
 * A backup is a directory of mode 0700: store.db, server.db (the state), master.key if it was asked for, and manifest.json with the SHA-256 of each, written
 * last: a directory without one is no backup. Each database is one snapshot. Without the master key the entered secrets of a backup open only where that
 * key still is. What is made from the store (catalog, access engine's file) is not in it.
 */
#ifndef ROLLCALL_SERVER_BACKUP_H
#define ROLLCALL_SERVER_BACKUP_H

#include "base/err.h"

#include <jansson.h>

struct backup_files {
    const char *store, *state, *key; /* paths */
};

/* dir: is made; may be there, if nothing of a backup is in it (ERR_CONFLICT). *out: the manifest. */
int backup_make(const struct backup_files *f, const char *dir, bool with_key, json_t **out, struct err *e) must_use;
/* ERR_INPUT: no backup, or one that was changed; ERR_CONFLICT: a server or a run is using the store. What was there is moved aside, as PATH.before-TIME.
 * Killed in the middle, the same call again finishes it. *out: {restored[], aside[]}. */
int backup_restore(const struct backup_files *f, const char *dir, json_t **out, struct err *e) must_use;

#endif
