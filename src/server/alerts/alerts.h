/* alerts.h - rules that watch the change log: a rule is a saved question, asked after every run; what is new is told once.
 *
 * A thread of its own. For each rule a cursor over the change ids of its connector, moved in the same transaction that writes the alerts: nothing is lost and
 * nothing told twice, over restarts and crashes. Deliveries are kept with the alert and tried again until they are taken or too old (webhook.h).
 * A rule begins with what happens after it was made.
 */
#ifndef ROLLCALL_SERVER_ALERTS_H
#define ROLLCALL_SERVER_ALERTS_H

#include "server/asker.h"
#include "server/jobs/job.h"

struct alerts;
struct alerts_options {
    struct state *state;
    struct connectors *connectors; /* their names, for silence; may be NULL */
    struct asker *asker;           /* for rules about access; NULL: those wait */
    struct jobs *jobs;             /* watched for ended syncs; NULL: only alerts_wake and the timer */
    const char *store_url;
    unsigned tick_ms;              /* how often the timer looks; 0: a minute */
};
int alerts_open(struct alerts **out, const struct alerts_options *o, struct err *e) must_use;
void alerts_close(struct alerts *a); /* before jobs and asker are closed */
/* What is next of that name is another connector: rules begin after its first run. */
int alerts_forget_connector(struct alerts *a, const char *connector, struct err *e) must_use;
void alerts_wake(struct alerts *a);  /* look at the change log now */

/* --- rules (docs/api.md) ----------------------------------------------------------------------------------------- */
int alerts_rules(struct alerts *a, json_t **out, struct err *e) must_use;
int alerts_rule_get(struct alerts *a, const char *id, json_t **out, struct err *e) must_use;
/* id NULL: a new one. body as POST's; its version must be the stored one (ERR_CONFLICT). may_deliver: the actor may set destinations; else a destination
 * other than the stored is ERR_DENIED. *out: the rule now. */
int alerts_rule_put(struct alerts *a, const char *id, const json_t *body, bool may_deliver, json_t **out, struct err *e) must_use;
/* For who may not set destinations: of a webhook's address only the host is told; given back so, it stays what it is. */
void alerts_rule_hide(json_t *rule);
int alerts_rule_delete(struct alerts *a, const char *id, struct err *e) must_use;
/* {fired: [{time, title, detail, change?}], n} of the last `days`; nothing is written or sent. */
int alerts_trial(struct alerts *a, const json_t *rule, int days, json_t **out, struct err *e) must_use;

/* --- alerts ---------------------------------------------------------------------------------------------------- */
/* Newest first; state NULL: all; before 0: from the newest. */
int alerts_list(struct alerts *a, const char *state, int64_t before, int64_t limit, json_t **out, struct err *e) must_use;
int alerts_acknowledge(struct alerts *a, int64_t id, const char *by, json_t **out, struct err *e) must_use;
/* Open ones, for the home page. */
int alerts_count_open(struct alerts *a, int64_t *n, struct err *e) must_use;

/* {webhook_allow: ["10.0.0.0/8", "127.0.0.1"], file_directory: "/var/log/rollcall"}: where rules may deliver to beyond public addresses. */
int alerts_settings_get(struct alerts *a, json_t **out, struct err *e) must_use;
int alerts_settings_put(struct alerts *a, const json_t *body, struct err *e) must_use;

#endif
