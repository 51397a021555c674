/* settings.c - connector list, connector spec, config check */
#include "cmd/out.h"
#include "source/source.h"
#include "vault/vault.h"

#include <stdio.h>

/* --- connector list ------------------------------------------------------------------------------------ */

static json_t *connector_row(struct cli *c, const struct connector_conf *conn)
{
    struct connector_state state;
    struct err e;
    const char *target = conf_str(conn->settings, "host");
    json_t *row = json_pack("{s:s, s:s}", "name", conn->name, "type", conn->type);
    if (!target) target = conf_str(conn->settings, "tenant_id");
    if (target) out_put(row, "target", json_string(target));
    if (!c->store || store_connector(c->store, str_from(conn->name), &state, &e) < 0) return row;
    json_t *counts = json_object();
    for (unsigned k = 1; k < KIND_COUNT; k++)
        if (state.n_entities[k]) out_put(counts, kind_name((enum kind)k), json_integer((json_int_t)state.n_entities[k]));
    out_put(row, "last_run", json_integer(state.visible_run));
    out_put(row, "counts", counts);
    return row;
}

static int list(struct cli *c, struct err *e)
{
    static const struct out_column columns[] = {{"name", NULL}, {"type", NULL}, {"target", NULL}, {"last_run", NULL}, {"counts", NULL}, {NULL, NULL}};
    struct out *o;
    struct store *s;
    struct err no_store;
    try(cli_conf(c, e));
    if (cli_store(c, &s, &no_store) < 0) c->store = NULL; /* the list does not need one */
    try(out_open(&o, c, columns, e));
    for (size_t i = 0; i < c->conf.n_connectors; i++) try(out_row(o, connector_row(c, &c->conf.connectors[i]), e));
    return out_close(o, e);
}

/* --- connector spec --------------------------------------------------------------------------------------- */

static int spec(struct cli *c, struct err *e)
{
    const char *names[16] = {NULL};
    if (!c->n_args) {
        static const struct out_column columns[] = {{"type", NULL}, {"role", NULL}, {"doc", NULL}, {NULL, NULL}};
        struct out *o;
        try(out_open(&o, c, columns, e));
        for (const struct conf_type *t = conf_types; t->name; t++)
            try(out_row(o, json_pack("{s:s, s:s, s:s}", "type", t->name, "role", t->is_sink ? "sink" : "connector", "doc", t->doc), e));
        return out_close(o, e);
    }
    json_t *schema = conf_spec(c->args[0]);
    if (!schema) {
        for (size_t i = 0; conf_types[i].name && i < 15; i++) names[i] = conf_types[i].name;
        const char *near = did_you_mean(str_from(c->args[0]), names);
        err_set(e, ERR_NOTFOUND, "connector spec: unknown type '%s'", c->args[0]);
        return near ? err_hint(e, "did you mean %s?", near) : err_hint(e, "rollcall connector spec lists the types");
    }
    if (c->format == OUT_TABLE) c->format = OUT_JSON; /* a schema has one form */
    int rc = out_object(c, schema, e);
    json_decref(schema);
    return rc;
}

/* --- config check -------------------------------------------------------------------------------------------- */

static int check(struct cli *c, struct err *e)
{
    try(cli_conf(c, e));
    json_t *connectors = json_array(), *sinks = json_array();
    for (size_t i = 0; i < c->conf.n_connectors; i++)
        json_array_append_new(connectors, json_string(c->conf.connectors[i].name));
    for (size_t i = 0; i < c->conf.n_sinks; i++) json_array_append_new(sinks, json_string(c->conf.sinks[i].name));
    json_t *row = json_pack("{s:b, s:s, s:s, s:o, s:o}", "ok", 1, "file", c->conf.path, "store", c->conf.store_url, "connectors", connectors,
                            "sinks", sinks);
    int rc = out_object(c, row, e);
    json_decref(row);
    return rc;
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
