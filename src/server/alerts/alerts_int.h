/* alerts_int.h - what the parts of alerts share: alerts.c (threads, rules for the API), alerts_rule.c (a rule's text, checked and read), alerts_rows.c (cursors,
 * alerts, deliveries in the state file), alerts_judge.c (changes and silence), alerts_sets.c (who is in it now and was not), alerts_trial.c and alerts_past.c (rules over the past), alerts_send.c (deliveries).
 */
#ifndef ROLLCALL_SERVER_ALERTS_INT_H
#define ROLLCALL_SERVER_ALERTS_INT_H

#include "server/alerts/alerts.h"
#include "server/state/documents.h"
#include "server/state/state_int.h"
#include "server/alerts/webhook.h"
#include "store/store.h"

#include <pthread.h>

struct alerts {
    struct alerts_options o;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool is_stopping, has_look, has_send, has_threads;
    pthread_t looker, sender;
};

#define RULE_KIND "alert_rule" /* of documents */
#define RULE_ID   20

/* --- rules (alerts_rule.c) ----------------------------------------------------------------------------------------- */
enum condition_type { CONDITION_CHANGE, CONDITION_GROUP, CONDITION_ACCESS, CONDITION_SILENCE };
enum destination_type { TO_NONE, TO_WEBHOOK, TO_FILE };
struct rule { /* strings are the body's */
    const char *id, *name, *severity;
    bool is_enabled;
    int64_t throttle_ms, since_ms; /* made, or last switched on */
    enum condition_type type;
    const char *connector; /* NULL: all */
    kind_set kinds;        /* 0: all */
    unsigned changes;      /* bits of enum change_type; 0: all */
    const char *attribute, *q, *group, *right, *target;
    bool is_nested;
    int64_t silence_ms;
    enum destination_type to;
    const char *where; /* URL or path */
};
/* A body as the API takes it -> one to keep: without what the server keeps elsewhere, defaults filled in. ERR_INPUT names the member. */
int rule_check(json_t **out, const json_t *body, struct err *e) must_use;
void rule_read(struct rule *out, const char *id, const json_t *checked);

/* --- what a rule has found ----------------------------------------------------------------------------------------------- */
#define FIRING_CHANGES 20 /* told one by one */
struct firing {
    char key[80]; /* the same for the same thing, however often it is looked at */
    int64_t time_ms;
    char title[700];
    struct buf detail;
    json_t *changes;
    uint64_t n;
};
void firing_begin(struct firing *f);
void firing_end(struct firing *f);
void firing_count_rest(struct firing *f); /* its title tells the first */
void firing_add_change(struct firing *f, const struct change *c); /* its sentence, its JSON while there is room */
/* "alice was added to Domain Admins"; what a directory wrote is made visible. */
void change_sentence(char *out, size_t size, const struct change *c);

/* Who takes what a judge finds, in the order of time: a run (or a moment) is over; f: what it fired, NULL for nothing. Up to change id all is judged. */
struct verdicts {
    int (*over)(void *ctx, const char *connector, int64_t change_id, const struct firing *f, struct err *e);
    void *ctx;
};

/* --- judges --------------------------------------------------------------------------------------------------------------- */
struct span { /* of the change log of a connector */
    const char *connector;
    int64_t after_change; /* ascending from here */
    int64_t since_ms;     /* else (after_change < 0) descending down to this time: a trial */
};
int judge_changes(struct store *s, const struct rule *r, const struct span *span, const struct verdicts *v, struct err *e) must_use;
/* *silent_since: the last success (or the rule's beginning) if it is too long ago, else 0. */
int judge_silence(struct store *s, const struct rule *r, int64_t now_ms, int64_t *silent_since, struct err *e) must_use;
bool run_is_success(const struct run_row *r);
void firing_of_silence(struct firing *f, const struct rule *r, int64_t since_ms, int64_t at_ms);
int trial_silence(struct store *s, const struct rule *r, int64_t since_ms, const struct verdicts *v, struct err *e) must_use;
/* ERR_NOTFOUND: no such group. */
int judge_find_group(struct store *s, const struct rule *r, uint8_t guid[GUID_SIZE], int64_t *entity_id, char name[200], struct err *e) must_use;

/* A set of principals by GUID or DN, sorted: who is in the group through nesting, or holds the right. */
struct member_set {
    struct member_item {
        char *id, *name;
    } *list;
    size_t n, cap;
    char of[200]; /* the group's name, the target as the rule has it */
};
void member_set_free(struct member_set *m);
int member_set_of_group(struct member_set *out, struct store *s, const struct rule *r, struct err *e) must_use;
#define ASK_MS 300000
/* run: as it was when this run had ended; 0: now. */
int member_set_of_right(struct member_set *out, struct asker *a, const struct rule *r, int64_t run, int timeout_ms, struct err *e) must_use;
bool member_set_has(const struct member_set *m, const char *id);
typedef int member_differs(void *ctx, const struct member_item *m, bool is_gained, struct err *e);
int member_sets_compare(const struct member_set *was, const struct member_set *is, member_differs *each, void *ctx, struct err *e) must_use;
/* "alice became a member of Domain Admins", if the rule tells of such. */
void firing_add_member(struct firing *f, const struct rule *r, const char *of, const char *name, bool is_gained);
/* Compares with what is kept, fires, keeps the new one, moves the cursor: in one transaction. */
int judge_set(struct alerts *a, struct store *s, const struct rule *r, int64_t version, int64_t last_change, int64_t last_ms, struct err *e) must_use;

/* --- the past: sets of earlier times are not kept, they are made by undoing the change log ---------------------------------------------------- */
/* Of a group, nested, or of a right: one firing a run, newest first. ERR_NOTFOUND: no such group or target. *looked_to_ms: 0, or the end of the first run that was not
 * looked at any more: there were too many, or they took too long. */
int past_group(struct store *s, const struct rule *r, int64_t since_ms, const struct verdicts *v, int64_t *looked_to_ms, struct err *e) must_use;
int past_right(struct alerts *a, struct store *s, const struct rule *r, int64_t since_ms, const struct verdicts *v, int64_t *looked_to_ms, struct err *e) must_use;

/* --- rows (alerts_rows.c) --------------------------------------------------------------------------------------------------- */
int rows_define(struct state *s, struct err *e) must_use;
/* *change_id: -1 if there is none yet. */
int rows_cursor(struct state *s, const char *rule, const char *connector, int64_t *change_id, struct err *e) must_use;
int rows_cursor_put(struct state *s, const char *rule, const char *connector, int64_t change_id, struct err *e) must_use;
int rows_is_same(struct state *s, const char *rule, int64_t version, bool *out, struct err *e) must_use; /* the rule is there, in this version */
int rows_forget(struct state *s, const char *rule, struct err *e) must_use; /* cursors and sets */
/* The alert and its delivery, unless the key was told already. Within a transaction. */
int rows_fire(struct state *s, const struct rule *r, const struct firing *f, struct err *e) must_use;
int rows_problem(struct state *s, const char *rule, const char *problem, struct err *e) must_use; /* NULL: none */
/* {problem?, last_fired?} */
int rows_rule_state(struct state *s, const char *rule, json_t *into, struct err *e) must_use;

/* --- deliveries (alerts_send.c) ---------------------------------------------------------------------------------------------- */
void *send_thread(void *alerts);
int outward_read(struct alerts *a, struct outward *out, json_t **keep, struct err *e) must_use; /* strings are keep's */
void rule_secret_name(char out[64], const char *rule);

/* --- threads (alerts.c) -------------------------------------------------------------------------------------------------------- */
/* Until woken by `flag` or ms have passed; false: stopping. */
bool alerts_wait(struct alerts *a, bool *flag, int64_t ms);
void alerts_wake_sender(struct alerts *a);

#endif
