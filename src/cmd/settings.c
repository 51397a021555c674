/* settings.c - connector list, connector spec, config check */
#include "cmd/out.h"
#include "run/pause.h"

/* --- connector list ------------------------------------------------------------------------------------ */

static json_t *paused(struct store *s, const struct connector_conf *conn)
{
    struct pause_state p;
    if (!pause_look(s, conn, &p)) return NULL;
    json_t *o = json_object();
    jsonv_put(o, "refused", jsonv_time(p.refused_ms));
    jsonv_put(o, "reason", jsonv_str(str_from(p.message)));
    jsonv_put(o, "next_attempt", jsonv_time(p.next_ms));
    return o;
}

static json_t *connector_row(struct cli *c, const struct connector_conf *conn)
{
    struct connector_state state;
    struct err e;
    const char *target = conf_str(conn->settings, "host");
    json_t *row = json_pack("{s:s, s:s}", "name", conn->name, "type", conn->type);
    if (!target) target = conf_str(conn->settings, "tenant_id");
    if (target) jsonv_put(row, "target", json_string(target));
    if (c->store) jsonv_put(row, "paused", paused(c->store, conn));
    if (!c->store || store_connector(c->store, str_from(conn->name), &state, &e) < 0) return row;
    json_t *counts = json_object();
    for (unsigned k = 1; k < KIND_COUNT; k++)
        if (state.n_entities[k]) jsonv_put(counts, kind_name((enum kind)k), json_integer((json_int_t)state.n_entities[k]));
    jsonv_put(row, "last_run", json_integer(state.visible_run));
    jsonv_put(row, "counts", counts);
    return row;
}

static int list(struct cli *c, struct err *e)
{
    static const struct out_column columns[] = {{"name", NULL}, {"type", NULL}, {"target", NULL}, {"last_run", NULL}, {"counts", NULL}, {"paused.reason", "paused"}, {NULL, NULL}};
    struct out *o;
    try(cli_conf(c, e));
    cli_store_if_any(c); /* as c->store */
    try(out_open(&o, c, columns, e));
    int rc = 0;
    for (size_t i = 0; i < c->conf.n_connectors && rc == 0; i++) rc = out_row(o, connector_row(c, &c->conf.connectors[i]), e);
    return out_finish(o, rc, e);
}

/* --- connector spec --------------------------------------------------------------------------------------- */

static int list_types(struct cli *c, struct err *e)
{
    static const struct out_column columns[] = {{"type", NULL}, {"role", NULL}, {"doc", NULL}, {NULL, NULL}};
    struct out *o;
    int rc = 0;
    try(out_open(&o, c, columns, e));
    for (const struct conf_type *t = conf_types; t->name && rc == 0; t++)
        rc = out_row(o, json_pack("{s:s, s:s, s:s}", "type", t->name, "role", t->is_sink ? "sink" : "connector", "doc", t->doc), e);
    return out_finish(o, rc, e);
}

static int unknown_type(const char *given, struct err *e)
{
    const char *names[16] = {NULL};
    for (size_t i = 0; conf_types[i].name && i + 1 < n_elements(names); i++) names[i] = conf_types[i].name;
    const char *near = did_you_mean(str_from(given), names);
    err_set(e, ERR_NOTFOUND, "connector spec: unknown type '%s'", given);
    return near ? err_hint(e, "did you mean %s?", near) : err_hint(e, "rollcall connector spec lists the types");
}

static int spec(struct cli *c, struct err *e)
{
    if (!c->n_args) return list_types(c, e);
    json_t *schema = conf_spec(c->args[0]);
    if (!schema) return unknown_type(c->args[0], e);
    if (c->format == OUT_TABLE) c->format = OUT_JSON; /* a schema has one form */
    return out_object(c, schema, e);
}

/* --- config check -------------------------------------------------------------------------------------------- */

static int check(struct cli *c, struct err *e)
{
    try(cli_conf(c, e));
    json_t *connectors = json_array(), *sinks = json_array();
    for (size_t i = 0; i < c->conf.n_connectors; i++)
        json_array_append_new(connectors, json_string(c->conf.connectors[i].name));
    for (size_t i = 0; i < c->conf.n_sinks; i++) json_array_append_new(sinks, json_string(c->conf.sinks[i].name));
    json_t *row = json_pack("{s:b, s:s, s:s*, s:o, s:o}", "ok", 1, "file", c->conf.path, "store", c->conf.store_url, "connectors", connectors,
                            "sinks", sinks);
    return out_object(c, row, e);
}

const struct command cmd_connector_list = {
    .name = "connector list", .arguments = "", .summary = "List the connectors of the settings", .run = list};
const struct command cmd_connector_spec = {
    .name = "connector spec",
    .arguments = "[TYPE]",
    .max_args = 1,
    .summary = "Print the settings a connector or sink type takes, as JSON Schema",
    .run = spec,
};
const struct command cmd_config_check = {.name = "config check",
                                         .arguments = "",
                                         .summary = "Check the settings file: every key, with line and column",
                                         .run = check};
