/* access.h - what the access commands share: the world of the store, opened once, and its objects as JSON.
 */
#ifndef ROLLCALL_CMD_ACCESS_H
#define ROLLCALL_CMD_ACCESS_H

#include "access/answer.h"
#include "access/find.h"
#include "cmd/out.h"

struct access_cli {
    struct cli *cli;
    struct store *store;
    struct world *world;
    struct arena text;
    struct str connector; /* --connector; empty: all */
    enum access_rule rule;
};
/* Reads --connector and --rule, and the store. Close it in any case. */
int access_cli_open(struct access_cli *a, struct cli *c, struct err *e) must_use;
void access_cli_close(struct access_cli *a);

int access_cli_find(struct access_cli *a, struct party *out, const char *key, struct err *e) must_use;
/* A target: also has a descriptor. ERR_NOTFOUND, ERR_INPUT says why not. */
int access_cli_target(struct access_cli *a, struct party *out, const char *key, struct err *e) must_use;
int access_cli_principal(struct access_cli *a, struct party *out, const char *key, struct err *e) must_use;
/* Of the target's schema. */
int access_cli_right(struct access_cli *a, struct right *out, const char *text, uint32_t object, struct err *e) must_use;

json_t *access_party_json(const struct party *p); /* {uid, sid, dn, name} */
json_t *access_gaps_json(const struct access_cli *a, uint32_t connector, bool is_known);
const char *access_rule_name(enum access_rule r);

#endif
