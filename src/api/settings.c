/* settings.c - routes of the server's own settings: OpenID provider, vault, where alerts may be delivered. */
#include "api/http.h"
#include "server/alerts/alerts.h"
#include "server/oidc/oidc.h"
#include "server/vault_settings.h"

/* Read, changed, read again; both in the audit log, in which no secret is: what is told holds none. */
struct setting {
    const char *action;
    int (*get)(struct request *q, json_t **out, struct err *e);
    int (*put)(struct request *q, struct err *e);
};

static int show(struct request *q, const struct setting *s, struct err *e)
{
    json_t *now;
    try(s->get(q, &now, e));
    return reply_json(q, 200, now);
}

static int change(struct request *q, const struct setting *s, struct err *e)
{
    json_t *before = NULL, *after = NULL;
    int rc = s->get(q, &before, e);
    if (rc == 0) rc = s->put(q, e);
    if (rc == 0) rc = s->get(q, &after, e);
    if (rc == 0) rc = request_audit(q, s->action, "settings", before, after, e);
    json_decref(before);
    if (rc == 0) return reply_json(q, 200, after);
    json_decref(after);
    return rc;
}

/* --- OpenID provider --------------------------------------------------------------------------------------------- */

static int need_oidc(const struct request *q, struct err *e)
{
    return q->app->oidc ? 0 : err_set(e, ERR_BUG, "this server was started without OpenID Connect");
}

static int oidc_read(struct request *q, json_t **out, struct err *e)
{
    try(need_oidc(q, e));
    return oidc_settings_get(q->app->oidc, out, e);
}

static int oidc_write(struct request *q, struct err *e)
{
    return oidc_settings_put(q->app->oidc, q->body, e);
}

static const struct setting oidc_setting = {"settings.oidc", oidc_read, oidc_write};

static int get_oidc(struct request *q, struct err *e)
{
    return show(q, &oidc_setting, e);
}

static int put_oidc(struct request *q, struct err *e)
{
    return change(q, &oidc_setting, e);
}

static int test_oidc(struct request *q, struct err *e)
{
    json_t *steps;
    try(need_oidc(q, e));
    try(oidc_settings_test(q->app->oidc, q->body, &steps, e));
    return reply_json(q, 200, steps);
}

/* --- vault --------------------------------------------------------------------------------------------------------- */

static int vault_read(struct request *q, json_t **out, struct err *e)
{
    return vault_settings_get(q->app->state, q->app->conf, out, e);
}

static int vault_write(struct request *q, struct err *e)
{
    return vault_settings_put(q->app->state, q->body, e);
}

static const struct setting vault_setting = {"settings.vault", vault_read, vault_write};

static int get_vault(struct request *q, struct err *e)
{
    return show(q, &vault_setting, e);
}

static int put_vault(struct request *q, struct err *e)
{
    return change(q, &vault_setting, e);
}

static int test_vault(struct request *q, struct err *e)
{
    json_t *steps;
    try(vault_settings_test(q->app->state, q->app->conf, q->body, &steps, e));
    return reply_json(q, 200, steps);
}

/* --- alerts --------------------------------------------------------------------------------------------------------- */

static int alerts_read(struct request *q, json_t **out, struct err *e)
{
    if (!q->app->alerts) return err_set(e, ERR_BUG, "this server was started without alerts");
    return alerts_settings_get(q->app->alerts, out, e);
}

static int alerts_write(struct request *q, struct err *e)
{
    return alerts_settings_put(q->app->alerts, q->body, e);
}

static const struct setting alerts_setting = {"settings.alerts", alerts_read, alerts_write};

static int get_alerts(struct request *q, struct err *e)
{
    return show(q, &alerts_setting, e);
}

static int put_alerts(struct request *q, struct err *e)
{
    return change(q, &alerts_setting, e);
}

/* -------------------------------------------------------------------------------------------------------------------- */

#define TEXT      "{\"type\":\"string\",\"maxLength\":4096}"
#define SECRET    "{\"type\":[\"string\",\"object\",\"null\"],\"additionalProperties\":true,\"maxLength\":8192}"
#define OIDC_BODY                                                                                                                          \
    "{\"type\":\"object\",\"properties\":{\"enabled\":{\"type\":\"boolean\"},\"issuer\":" TEXT ",\"client_id\":" TEXT ",\"client_secret\":" SECRET                       \
    ",\"label\":" TEXT ",\"role_claim\":" TEXT ",\"roles\":{\"type\":\"object\",\"additionalProperties\":true},\"default_role\":" TEXT                                   \
    ",\"ca_certificate\":{\"type\":\"string\",\"maxLength\":32768},\"redirect_uri\":" TEXT ",\"version\":{\"type\":\"integer\"}},\"required\":[\"issuer\"]}"
#define VAULT_BODY(required)                                                                                                               \
    "{\"type\":\"object\",\"properties\":{\"source\":" TEXT ",\"address\":" TEXT ",\"namespace\":" TEXT ",\"ca_certificate\":" TEXT ",\"auth\":" TEXT ",\"mount\":" TEXT \
    ",\"role_id\":" TEXT ",\"token\":" SECRET ",\"secret_id\":" SECRET ",\"reference\":" TEXT ",\"version\":{\"type\":\"integer\"}},\"required\":[" required "]}"
#define ALERTS_BODY                                                                                                                        \
    "{\"type\":\"object\",\"properties\":{\"webhook_allow\":{\"type\":\"array\",\"maxItems\":64,\"items\":{\"type\":\"string\",\"maxLength\":64}},"                    \
    "\"file_directory\":" TEXT ",\"ca_certificate\":{\"type\":\"string\",\"maxLength\":32768},\"version\":{\"type\":\"integer\"}},\"required\":[\"webhook_allow\"]}"

const struct route routes_settings[] = {
    {"GET", "/api/v1/settings/oidc", RIGHT_ADMIN, get_oidc, "The OpenID provider people log in through", NULL, NULL, 0, LANE_ANY},
    {"PUT", "/api/v1/settings/oidc", RIGHT_ADMIN, put_oidc, "Sets the OpenID provider", NULL, OIDC_BODY, 128 << 10, LANE_ANY},
    {"POST", "/api/v1/settings/oidc/test", RIGHT_ADMIN, test_oidc, "Tests an OpenID provider, step by step", NULL, OIDC_BODY, 128 << 10, LANE_ASK},
    {"GET", "/api/v1/settings/vault", RIGHT_ADMIN, get_vault, "The vault that vault: references are read from", NULL, NULL, 0, LANE_ANY},
    {"PUT", "/api/v1/settings/vault", RIGHT_ADMIN, put_vault, "Sets the vault", NULL, VAULT_BODY("\"address\""), 0, LANE_ANY},
    {"POST", "/api/v1/settings/vault/test", RIGHT_ADMIN, test_vault, "Tests a vault, step by step", NULL, VAULT_BODY(""), 0, LANE_ASK},
    {"GET", "/api/v1/settings/alerts", RIGHT_ADMIN, get_alerts, "Where alerts may be delivered to", NULL, NULL, 0, LANE_ANY},
    {"PUT", "/api/v1/settings/alerts", RIGHT_ADMIN, put_alerts, "Sets where alerts may be delivered to", NULL, ALERTS_BODY, 0, LANE_ANY},
    {0},
};
