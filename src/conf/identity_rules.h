/* identity_rules.h - the site's own rules for who is the same person in two directories; run/identity.h uses
 * them.
 *
 *     identity_rules:
 *       - {name: by-mail, kind: user, active_directory: mail, entra_id: mail, confidence: 60, ignore_case:
 * true}
 */
#ifndef ROLLCALL_CONF_IDENTITY_RULES_H
#define ROLLCALL_CONF_IDENTITY_RULES_H

#include "base/base.h"
#include "model/kind.h"

#define IDENTITY_RULES_MAX 16
/* Names of the rules that are built in: no rule of a site has one of these. */
#define IDENTITY_RULES_BUILT_IN "sid consistency_guid device_id sid_history object_guid"

struct identity_rule {
    char *name;
    enum kind kind; /* as Entra ID has it: user, group, device, contact */
    char *active_directory,
        *entra_id;       /* attributes as in the entity's JSON; also "name" and "display_name" */
    unsigned confidence; /* 1 to 99 */
    bool ignore_case;
    bool ignore_domain;             /* from the first '@' on; up to a '\' */
    bool ignore_special_characters; /* of ASCII only letters and digits count */
};

struct node;
struct node_place;
/* root: the whole file, where custom properties are named too. ERR_INPUT at the place of the wrong word. */
int identity_rules_read(struct identity_rule **out, size_t *n, const struct node *list,
                        const struct node *root, const struct node_place *p) must_use;
void identity_rules_free(struct identity_rule *rules, size_t n);

#endif
