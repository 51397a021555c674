/* users.c - routes of the accounts, for admins. */
#include "api/http.h"

#define ROLE     "{\"type\":\"string\",\"enum\":[\"viewer\",\"analyst\",\"operator\",\"admin\"]}"
#define PASSWORD "{\"type\":\"string\",\"maxLength\":1024}"

static struct bytes password_of(const struct request *q)
{
    const json_t *v = json_object_get(q->body, "password");
    return (struct bytes){(const uint8_t *)json_string_value(v), json_string_length(v)};
}

static enum role role_of(const struct request *q)
{
    const char *text = json_string_value(json_object_get(q->body, "role"));
    return text ? role_parse(str_from(text)) : ROLE_NONE;
}

/* The row of one user; the caller decrefs. */
static int find_user(struct request *q, const char *name, json_t **out, struct err *e)
{
    json_t *all, *one;
    size_t i;
    try(accounts_users(q->app->state, &all, e));
    *out = NULL;
    json_array_foreach(all, i, one) if (strcmp(json_string_value(json_object_get(one, "name")), name) == 0) *out = json_incref(one);
    json_decref(all);
    return *out ? 0 : err_set(e, ERR_NOTFOUND, "there is no user %.100s", name);
}

static int list_users(struct request *q, struct err *e)
{
    json_t *all;
    try(accounts_users(q->app->state, &all, e));
    return reply_json(q, 200, json_pack("{s:o, s:n}", "items", all, "next"));
}

static int add_user(struct request *q, struct err *e)
{
    const char *name;
    json_t *after;
    try(request_text(q, "name", &name, e));
    try(accounts_user_add(q->app->state, name, role_of(q), password_of(q), e));
    try(find_user(q, name, &after, e));
    int rc = request_audit(q, "user.create", name, NULL, after, e);
    if (rc == 0) return reply_json(q, 201, after);
    json_decref(after);
    return rc;
}

static int change(struct request *q, const char *name, struct err *e)
{
    const json_t *enabled = json_object_get(q->body, "enabled");
    bool is_own = strcmp(name, q->actor.name) == 0;
    if (is_own && json_object_size(q->body)) {
        err_set(e, ERR_CONFLICT, "nobody changes the own account here");
        return err_hint(e, "your password is changed under Account; role and state by another admin");
    }
    if (enabled || role_of(q) != ROLE_NONE) try(accounts_user_change(q->app->state, name, role_of(q), enabled ? json_is_true(enabled) : -1, e));
    if (json_object_get(q->body, "password")) try(accounts_user_password(q->app->state, name, password_of(q), e));
    return 0;
}

/* A role that was set before the password was refused: what was done is in the log. */
static int audit_half(struct request *q, const char *name, const json_t *before, struct err *e)
{
    struct err quiet;
    json_t *now;
    if (find_user(q, name, &now, &quiet) < 0) return e->class;
    if (!json_equal(before, now) && request_audit(q, "user.update", name, before, now, &quiet) < 0) *e = quiet;
    json_decref(now);
    return e->class;
}

static int change_user(struct request *q, struct err *e)
{
    const char *name = q->captured[0];
    json_t *before, *after = NULL;
    try(find_user(q, name, &before, e));
    int rc = change(q, name, e);
    if (rc < 0) rc = audit_half(q, name, before, e);
    if (rc == 0) rc = find_user(q, name, &after, e);
    if (rc == 0) rc = request_audit(q, json_object_get(q->body, "password") ? "user.password" : "user.update", name, before, after, e);
    json_decref(before);
    if (rc == 0) return reply_json(q, 200, after);
    json_decref(after);
    return rc;
}

static int delete_user(struct request *q, struct err *e)
{
    const char *name = q->captured[0];
    json_t *before;
    if (strcmp(name, q->actor.name) == 0) return err_set(e, ERR_CONFLICT, "nobody deletes the own account");
    try(find_user(q, name, &before, e));
    int rc = accounts_user_delete(q->app->state, name, e);
    if (rc == 0) rc = request_audit(q, "user.delete", name, before, NULL, e);
    json_decref(before);
    try(rc);
    return reply_none(q, 204);
}

const struct route routes_user[] = {
    {"GET", "/api/v1/users", RIGHT_ADMIN, list_users, "Accounts of this server", NULL, NULL, 0, LANE_ANY},
    {"POST", "/api/v1/users", RIGHT_ADMIN, add_user, "Make an account; without a password only the OpenID provider logs it in", NULL,
     "{\"type\":\"object\",\"required\":[\"name\",\"role\"],\"properties\":{\"name\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":127},\"role\":" ROLE
     ",\"password\":" PASSWORD "}}",
     8192, LANE_PASSWORD},
    {"PATCH", "/api/v1/users/{name}", RIGHT_ADMIN, change_user, "Change an account's role, state or password; its sessions end", NULL,
     "{\"type\":\"object\",\"properties\":{\"role\":" ROLE ",\"enabled\":{\"type\":\"boolean\"},\"password\":" PASSWORD "}}", 8192, LANE_PASSWORD},
    {"DELETE", "/api/v1/users/{name}", RIGHT_ADMIN, delete_user, "Delete an account, its sessions and its tokens", NULL, NULL, 0, LANE_ANY},
    {0},
};
