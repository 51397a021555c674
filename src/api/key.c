/* key.c - routes of the master key that seals entered secrets. */
#include "api/http.h"
#include "server/state/state_secrets.h"
#include "vault/seal.h"

static void ignore_line(void *ctx, const char *line)
{
}

static json_t *key_json(const struct request *q, uint64_t sealed)
{
    return json_pack("{s:s, s:I, s:I}", "source", seal_describe(q->app->seal), "number", (json_int_t)seal_number(q->app->seal), "sealed", (json_int_t)sealed);
}

static int get_key(struct request *q, struct err *e)
{
    uint64_t n = 0;
    try(state_check_secrets(q->app->state, &n, ignore_line, NULL, e));
    return reply_json(q, 200, key_json(q, n));
}

/* A new key, every secret sealed with it, the old key gone; jobs that run have their secrets already. */
static int rotate_key(struct request *q, struct err *e)
{
    uint64_t n = 0;
    json_t *before = key_json(q, 0);
    json_object_del(before, "sealed");
    int rc = state_rotate(q->app->state, &n, e);
    json_t *after = key_json(q, n);
    if (rc == 0) rc = request_audit(q, "key.rotate", seal_describe(q->app->seal), before, after, e);
    json_decref(before);
    if (rc == 0) return reply_json(q, 200, after);
    json_decref(after);
    return rc;
}

const struct route routes_key[] = {
    {"GET", "/api/v1/key", RIGHT_ADMIN, get_key, "Where the master key comes from, and how many secrets it seals", NULL, NULL, 0, LANE_ASK},
    {"POST", "/api/v1/key/rotate", RIGHT_ADMIN, rotate_key, "A new master key, and every secret sealed with it", NULL, NULL, 0, LANE_ASK},
    {0},
};
