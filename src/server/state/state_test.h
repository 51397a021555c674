/* state_test.h - a state file in a directory of its own, with a clock that tests turn. For tests of server/.
 */
#ifndef ROLLCALL_SERVER_STATE_TEST_H
#define ROLLCALL_SERVER_STATE_TEST_H

#include "server/state/state_int.h"
#include "vault/seal.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define START_MS INT64_C(1767225600000) /* 2026-01-01T00:00:00Z */

static char test_dir[64], test_path[96];
static struct seal *test_seal;
static struct state *test_state;
static int64_t test_now = START_MS;

static inline int64_t test_clock(void)
{
    return test_now;
}

static inline struct state *test_open(void)
{
    struct state *s;
    struct err e = {0};
    int rc = state_open(&s, test_path, test_seal, &e);
    if (rc < 0) fprintf(stderr, "%s\n", e.message);
    if (rc < 0) return NULL;
    state_set_clock(s, test_clock);
    return s;
}

static inline int test_set_up(void **state)
{
    char key[128];
    struct err e;
    snprintf(test_dir, sizeof test_dir, "/tmp/rollcall-state-XXXXXX");
    if (!mkdtemp(test_dir)) return -1;
    snprintf(test_path, sizeof test_path, "%s/x.db.server", test_dir);
    snprintf(key, sizeof key, "%s/x.db.key", test_dir);
    unsetenv("CREDENTIALS_DIRECTORY");
    if (seal_open(&test_seal, key, true, &e) < 0) return -1;
    test_now = START_MS;
    test_state = test_open();
    return test_state ? 0 : -1;
}

static inline int test_tear_down(void **state)
{
    char command[128];
    state_close(test_state);
    seal_close(test_seal);
    snprintf(command, sizeof command, "rm -rf %s", test_dir);
    return system(command);
}

#endif
