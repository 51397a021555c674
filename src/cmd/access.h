/* access.h - what the access commands share: the world of the store, opened once, and its objects as JSON.
 */
#ifndef ROLLCALL_CMD_ACCESS_H
#define ROLLCALL_CMD_ACCESS_H

#include "access/answer.h"
#include "access/filter.h"
#include "access/find.h"
#include "access/sets/sets.h"
#include "cmd/out.h"

struct access_cli {
    struct cli *cli;
    struct store *store;
    struct world *world;
    struct arena text;
    struct str connector; /* --connector; empty: all */
    enum access_rule rule;
    json_t *known;        /* parties that were looked up, by number */
};
#define ACCESS_OPTIONS                                                                                       \
    {"connector", 'c', "NAME", "look for names in this connector", NULL, false},                             \
    {"rule", 0, "RULE", "windows (default), or deny-wins: a deny always overrides", "windows|deny-wins", false}
/* Reads --connector and --rule, and the store. Close it in any case. */
int access_cli_open(struct access_cli *a, struct cli *c, struct err *e) must_use;
void access_cli_close(struct access_cli *a);

int access_cli_find(struct access_cli *a, struct party *out, const char *key, struct err *e) must_use;
/* A target: also has a descriptor. ERR_NOTFOUND, ERR_INPUT says why not. */
int access_cli_target(struct access_cli *a, struct party *out, const char *key, struct err *e) must_use;
int access_cli_principal(struct access_cli *a, struct party *out, const char *key, struct err *e) must_use;
/* Of the target's schema. */
int access_cli_right(struct access_cli *a, struct right *out, const char *text, uint32_t object, struct err *e) must_use;

/* Sets of everybody: of the file beside the store if that fits, else built. */
int access_cli_sets(struct sets **out, const struct access_cli *a, struct err *e) must_use;
void access_cli_sets_done(struct sets *s);

json_t *access_party_json(const struct party *p); /* {uid, sid, dn, name} */
json_t *access_gaps_json(const struct access_cli *a, uint32_t connector, bool is_known);
/* A principal, or an object, that rows name again and again: looked up once. A new reference. */
int access_known_principal(struct access_cli *a, uint32_t principal, json_t **out, struct err *e) must_use;
int access_known_object(struct access_cli *a, uint32_t object, json_t **out, struct err *e) must_use;
json_t *access_bits_json(uint32_t bits);
json_t *access_right_json(const struct right *r, const struct schema *s);
void access_print_gaps(const struct access_cli *a, uint32_t connector); /* to standard error; NOBODY: all */
const char *access_reason_name(enum access_reason r);
const char *access_rule_name(enum access_rule r);

#endif
