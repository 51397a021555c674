/* server_files.h - which files a server of these settings keeps, for serve and the commands beside it.
 *
 * The options store, state, master-key and passphrase mean the same everywhere.
 */
#ifndef ROLLCALL_SERVER_FILES_H
#define ROLLCALL_SERVER_FILES_H

#include "cmd/cli.h"
#include "server/state/backup.h"
#include "server/state/state.h"

#define SERVER_FILE_OPTIONS                                                                                                                                \
    {"store", 0, "URL", "instead of the setting store: sqlite:PATH", NULL, false},                                                                         \
        {"state", 0, "FILE", "accounts, connectors, audit log (default: STORE.server)", NULL, false},                                                      \
        {"master-key", 0, "FILE", "that seals entered secrets (default: systemd credential rollcall-master-key, else STORE.key)", NULL, false},            \
    {                                                                                                                                                      \
        "passphrase", 0, "REFERENCE", "where the passphrase is that locks the master key: file:PATH, env:NAME, cred:NAME or prompt:", NULL, false          \
    }

struct seal;
struct server_files {
    char *store, *state, *key;
    struct seal *seal;     /* of server_files_open */
    struct state *handle;
};
int server_files_find(struct cli *c, struct server_files *out, struct err *e) must_use;
/* The state and its key too. may_make: a state that is not there is made; else ERR_NOTFOUND. */
int server_files_open(struct cli *c, struct server_files *out, bool may_make, struct err *e) must_use;
void server_files_close(struct server_files *f); /* legal on what failed */

#endif
