/* sinks.c - route of sinks: those of the settings file, and how far each is behind. */
#include "api/http.h"

#include "base/jsonv.h"

/* A secret's reference, and of a path what it is: who may see settings may know where a secret comes from, as of connectors. */
static json_t *settings_of(const struct sink_conf *k, json_t *secrets)
{
    const char *key;
    json_t *one, *spec = conf_spec(k->type), *settings = json_deep_copy(k->settings);
    json_object_foreach(json_object_get(spec, "properties"), key, one)
    {
        const json_t *v = json_object_get(settings, key);
        if (!json_is_true(json_object_get(one, "x-secret")) || !v) continue;
        json_object_set_new(secrets, key, json_pack("{s:b, s:O}", "set", json_is_string(v), "reference", v));
        json_object_del(settings, key);
    }
    json_decref(spec);
    return settings;
}

struct behind {
    struct store *store;
    const char *sink;
    json_t *list;
    struct err *e;
    int rc;
};

static bool each_connector(void *ctx, struct str name)
{
    struct behind *b = ctx;
    uint64_t n;
    b->rc = store_cursor_behind(b->store, name, str_from(b->sink), &n, b->e);
    if (b->rc == 0) json_array_append_new(b->list, json_pack("{s:o, s:I}", "connector", jsonv_str(name), "behind", (json_int_t)n));
    return b->rc == 0;
}

static int put_behind(struct store *s, const struct sink_conf *k, json_t *row, struct err *e)
{
    struct behind b = {s, k->name, json_array(), e, 0};
    jsonv_put(row, "behind", b.list);
    if (!s) return 0;
    try(store_connectors(s, each_connector, &b, e));
    return b.rc;
}

static int list(struct request *q, struct err *e)
{
    struct store *s;
    int rc = request_store(q, &s, e);
    if (rc < 0 && rc != ERR_NOTFOUND) return rc;
    if (rc < 0) s = NULL;
    rc = 0;
    json_t *items = json_array();
    for (size_t i = 0; i < q->app->conf->n_sinks && rc == 0; i++) {
        const struct sink_conf *k = &q->app->conf->sinks[i];
        json_t *secrets = json_object(), *row = json_pack("{s:s, s:s}", "name", k->name, "type", k->type);
        jsonv_put(row, "settings", settings_of(k, secrets));
        jsonv_put(row, "secrets", secrets);
        json_array_append_new(items, row);
        rc = put_behind(s, k, row, e);
    }
    if (rc == 0) return reply_json(q, 200, json_pack("{s:o}", "items", items));
    json_decref(items);
    return rc;
}

const struct route routes_sinks[] = {
    {"GET", "/api/v1/sinks", RIGHT_VIEW, list, "Sinks of the settings file and how far each is behind", NULL, NULL, 0, LANE_ANY},
    {0},
};
