/* alerts.c - routes of alerts: rules, their trial, what they fired. */
#include "server/alerts/alerts.h"

#include "api/http.h"
#include "base/jsonv.h"

#include <stdio.h>
#include <stdlib.h>

static bool may_deliver(const struct request *q)
{
    return q->actor.role >= ROLE_OPERATOR;
}

static json_t *shown(const struct request *q, json_t *rule)
{
    if (!may_deliver(q)) alerts_rule_hide(rule);
    return rule;
}

static int list_rules(struct request *q, struct err *e)
{
    json_t *rules, *rule;
    size_t i;
    try(alerts_rules(q->app->alerts, &rules, e));
    json_array_foreach(rules, i, rule) shown(q, rule);
    return reply_json(q, 200, json_pack("{s:o, s:n}", "items", rules, "next"));
}

static int get_rule(struct request *q, struct err *e)
{
    json_t *rule;
    try(alerts_rule_get(q->app->alerts, q->captured[0], &rule, e));
    return reply_json(q, 200, shown(q, rule));
}

static int reply_rule(struct request *q, unsigned status, const char *action, const json_t *before, json_t *after, struct err *e)
{
    int rc = request_audit(q, action, json_string_value(json_object_get(after, "id")), before, after, e);
    if (rc == 0) return reply_json(q, status, shown(q, after));
    json_decref(after);
    return rc;
}

static int add_rule(struct request *q, struct err *e)
{
    json_t *made;
    try(alerts_rule_put(q->app->alerts, NULL, q->body, may_deliver(q), &made, e));
    return reply_rule(q, 201, "alert_rule.create", NULL, made, e);
}

static int put_rule(struct request *q, struct err *e)
{
    json_t *before, *after;
    try(alerts_rule_get(q->app->alerts, q->captured[0], &before, e));
    int rc = alerts_rule_put(q->app->alerts, q->captured[0], q->body, may_deliver(q), &after, e);
    if (rc == 0) rc = reply_rule(q, 200, "alert_rule.update", before, after, e);
    json_decref(before);
    return rc;
}

static int delete_rule(struct request *q, struct err *e)
{
    json_t *before;
    try(alerts_rule_get(q->app->alerts, q->captured[0], &before, e));
    int rc = alerts_rule_delete(q->app->alerts, q->captured[0], e);
    if (rc == 0) rc = request_audit(q, "alert_rule.delete", q->captured[0], before, NULL, e);
    json_decref(before);
    return rc < 0 ? rc : reply_none(q, 204);
}

static int trial(struct request *q, struct err *e)
{
    json_t *told;
    json_int_t days = json_integer_value(json_object_get(q->body, "days"));
    try(alerts_trial(q->app->alerts, json_object_get(q->body, "rule"), days > 0 && days < 10000 ? (int)days : 0, &told, e));
    return reply_json(q, 200, told);
}

static int list_alerts(struct request *q, struct err *e)
{
    const char *state = request_query(q, "state");
    int64_t limit, after;
    char next[32] = "";
    json_t *items;
    if (state && *state && strcmp(state, "open") != 0 && strcmp(state, "acknowledged") != 0) return err_set(e, ERR_INPUT, "state: open or acknowledged is expected");
    try(request_number(q, "limit", 1, 1000, 50, &limit, e));
    try(request_number(q, "after", 1, INT64_MAX, 0, &after, e));
    try(alerts_list(q->app->alerts, state && *state ? state : NULL, after, limit, &items, e));
    size_t n = json_array_size(items);
    if (n == (size_t)limit) snprintf(next, sizeof next, "%lld", (long long)json_integer_value(json_object_get(json_array_get(items, n - 1), "id")));
    return reply_json(q, 200, json_pack("{s:o, s:s?}", "items", items, "next", next[0] ? next : NULL));
}

static int acknowledge(struct request *q, struct err *e)
{
    int64_t id;
    json_t *now;
    try(request_id(q, 0, &id, e));
    try(alerts_acknowledge(q->app->alerts, id, q->actor.name, &now, e));
    int rc = request_audit(q, "alert.acknowledge", q->captured[0], NULL, NULL, e);
    if (rc == 0) return reply_json(q, 200, now);
    json_decref(now);
    return rc;
}

/* The members are checked where they are used, with a sentence for each. */
#define RULE                                                                                                                                \
    "{\"type\":\"object\",\"additionalProperties\":true,\"properties\":{\"name\":{\"type\":\"string\"},\"severity\":{\"enum\":[\"low\",\"medium\",\"high\",\"critical\"]}," \
    "\"enabled\":{\"type\":\"boolean\"},\"condition\":{\"type\":\"object\",\"additionalProperties\":true},\"throttle\":{\"type\":\"string\"},"                              \
    "\"destination\":{\"type\":\"object\",\"additionalProperties\":true},\"version\":{\"type\":\"integer\"}},\"required\":[\"name\",\"condition\"]}"

const struct route routes_alerts[] = {
    {"GET", "/api/v1/alerts/rules", RIGHT_ANALYZE, list_rules, "Rules that watch the change log", NULL, NULL, 0, LANE_ANY},
    {"POST", "/api/v1/alerts/rules", RIGHT_ANALYZE, add_rule, "Makes a rule", NULL, RULE, 0, LANE_ANY},
    {"GET", "/api/v1/alerts/rules/{id}", RIGHT_ANALYZE, get_rule, "One rule", NULL, NULL, 0, LANE_ANY},
    {"PUT", "/api/v1/alerts/rules/{id}", RIGHT_ANALYZE, put_rule, "Changes a rule", NULL, RULE, 0, LANE_ANY},
    {"DELETE", "/api/v1/alerts/rules/{id}", RIGHT_ANALYZE, delete_rule, "Deletes a rule; what it fired stays", NULL, NULL, 0, LANE_ANY},
    {"POST", "/api/v1/alerts/trial", RIGHT_ANALYZE, trial, "What a rule would have fired; nothing is sent", NULL,
     "{\"type\":\"object\",\"properties\":{\"rule\":" RULE ",\"days\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":400}},\"required\":[\"rule\",\"days\"]}", 0, LANE_ASK},
    {"GET", "/api/v1/alerts", RIGHT_VIEW, list_alerts, "What rules have fired, newest first", "state limit after", NULL, 0, LANE_ANY},
    {"POST", "/api/v1/alerts/{id}/acknowledge", RIGHT_ANALYZE, acknowledge, "Somebody has seen to it", NULL, NULL, 0, LANE_ANY},
    {0},
};
