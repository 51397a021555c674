/* tokens.c - routes of API tokens: one's own, for admins everybody's. */
#include "api/http.h"
#include "base/secret.h"
#include "base/when.h"

#include <stdio.h>

static int list_tokens(struct request *q, struct err *e)
{
    json_t *all;
    const char *everybody = request_query(q, "all");
    bool is_all = everybody && strcmp(everybody, "true") == 0;
    if (everybody && !is_all && strcmp(everybody, "false") != 0) return err_set(e, ERR_INPUT, "all must be true or false");
    if (is_all && q->actor.role < ROLE_ADMIN) return err_set(e, ERR_DENIED, "tokens of others are for admins");
    try(accounts_tokens(q->app->state, is_all ? NULL : q->actor.name, &all, e));
    return reply_json(q, 200, json_pack("{s:o, s:n}", "items", all, "next"));
}

/* The newest token of that name: the one just made. */
static int64_t newest_id(struct request *q, const char *name)
{
    struct err e;
    json_t *all, *one;
    size_t i;
    int64_t id = 0;
    if (accounts_tokens(q->app->state, q->actor.name, &all, &e) < 0) return 0;
    json_array_foreach(all, i, one)
    {
        int64_t n = json_integer_value(json_object_get(one, "id"));
        if (strcmp(json_string_value(json_object_get(one, "name")), name) == 0 && n > id) id = n;
    }
    json_decref(all);
    return id;
}

static int reply_token(struct request *q, const char *name, const char *token, struct err *e)
{
    char object[32];
    int64_t id = newest_id(q, name);
    json_t *after = json_deep_copy(q->body);
    json_object_set_new(after, "id", json_integer(id));
    snprintf(object, sizeof object, "%lld", (long long)id);
    int rc = request_audit(q, "token.create", object, NULL, after, e);
    json_decref(after);
    try(rc);
    return reply_json(q, 201, json_pack("{s:I, s:s}", "id", (json_int_t)id, "token", token));
}

static int add_token(struct request *q, struct err *e)
{
    const char *name, *role;
    char token[TOKEN_TEXT];
    json_int_t days = json_integer_value(json_object_get(q->body, "expires_days"));
    try(request_text(q, "name", &name, e));
    try(request_text(q, "role", &role, e));
    try(accounts_token_add(q->app->state, &q->actor, name, role_parse(str_from(role)), days ? when_now_ms() + days * WHEN_DAY_MS : 0, token, e));
    int rc = reply_token(q, name, token, e);
    secret_wipe(token, sizeof token);
    return rc;
}

static int delete_token(struct request *q, struct err *e)
{
    int64_t id;
    try(request_id(q, 0, &id, e));
    try(accounts_token_delete(q->app->state, id, q->actor.role == ROLE_ADMIN ? NULL : q->actor.name, e));
    try(request_audit(q, "token.delete", q->captured[0], NULL, NULL, e));
    return reply_none(q, 204);
}

const struct route routes_token[] = {
    {"GET", "/api/v1/tokens", RIGHT_VIEW, list_tokens, "One's API tokens; all=true: everybody's, for admins", "all", NULL, 0, LANE_ANY},
    {"POST", "/api/v1/tokens", RIGHT_VIEW, add_token, "Make an API token; it is shown once", NULL,
     "{\"type\":\"object\",\"required\":[\"name\",\"role\"],\"properties\":{\"name\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":100},"
     "\"role\":{\"type\":\"string\",\"enum\":[\"viewer\",\"analyst\",\"operator\",\"admin\"]},\"expires_days\":{\"type\":[\"integer\",\"null\"],\"minimum\":1,\"maximum\":3650}}}",
     4096, LANE_ANY},
    {"DELETE", "/api/v1/tokens/{id}", RIGHT_VIEW, delete_token, "Delete an API token; it is void at once", NULL, NULL, 0, LANE_ANY},
    {0},
};
