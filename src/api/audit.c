/* audit.c - routes of the audit log. */
#include "server/state/audit.h"

#include "api/http.h"

#include <stdio.h>

static int list_audit(struct request *q, struct err *e)
{
    int64_t limit, after;
    json_t *items;
    char next[24];
    try(request_number(q, "limit", 1, 1000, 50, &limit, e));
    try(request_number(q, "after", 1, INT64_MAX, 0, &after, e));
    try(audit_list(q->app->state, after, limit, &items, e));
    size_t n = json_array_size(items);
    json_int_t last = json_integer_value(json_object_get(json_array_get(items, n ? n - 1 : 0), "id"));
    bool is_more = n == (size_t)limit && last > 1;
    snprintf(next, sizeof next, "%lld", (long long)last);
    return reply_json(q, 200, json_pack("{s:o, s:s?}", "items", items, "next", is_more ? next : NULL));
}

static int verify_audit(struct request *q, struct err *e)
{
    uint64_t n = 0;
    char head[65] = "";
    struct err wrong;
    int rc = audit_verify(q->app->state, &n, head, &wrong);
    if (rc < 0 && wrong.class != ERR_BUG) {
        *e = wrong;
        return rc;
    }
    return reply_json(q, 200, json_pack("{s:I, s:s, s:b, s:s*}", "entries", (json_int_t)n, "head", head, "ok", rc == 0, "message", rc < 0 ? wrong.message : NULL));
}

const struct route routes_audit[] = {
    {"GET", "/api/v1/audit", RIGHT_ADMIN, list_audit, "Who changed what, newest first", "limit after", NULL, 0, LANE_ANY},
    {"GET", "/api/v1/audit/verify", RIGHT_ADMIN, verify_audit, "Whether the audit log is as it was written", NULL, NULL, 0, LANE_ASK},
    {0},
};
