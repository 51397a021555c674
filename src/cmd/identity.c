/* identity.c - identity list, identity orphans */
#include "cmd/out.h"
#include "model/sid.h"
#include "run/identity.h"

#define KINDS_HELD                                                                                           \
    (KIND_BIT(KIND_user) | KIND_BIT(KIND_group) | KIND_BIT(KIND_device) | KIND_BIT(KIND_computer) |          \
     KIND_BIT(KIND_contact))

/* --- rows --------------------------------------------------------------------------------------------- */

/* connector, kind, uid: who it is; then what each directory calls it. */
static json_t *entity_object(const struct entity *x, bool is_entra)
{
    char guid[GUID_TEXT], sid[SID_TEXT];
    struct record_index index;
    struct err ignored;
    struct str upn;
    json_t *j = json_object();
    jsonv_put(j, "connector", jsonv_str(x->connector));
    jsonv_put(j, "kind", json_string(kind_name(x->record.kind)));
    jsonv_put(j, "uid", json_string(guid_format(guid, x->record.guid)));
    if (!is_entra && x->record.sid.len) jsonv_put(j, "sid", json_string(sid_format_bytes(sid, x->record.sid)));
    if (!is_entra) jsonv_put(j, "dn", jsonv_str(x->record.dn));
    jsonv_put(j, "name", jsonv_str(x->name));
    if (record_index(&index, &x->record, &ignored) == 0 && record_str(&index, ATTR_USER_PRINCIPAL_NAME, &upn))
        jsonv_put(j, "user_principal_name", jsonv_str(upn));
    return j;
}

static json_t *marks(unsigned set)
{
    json_t *list = json_array();
    for (unsigned i = 0; i < IDENTITY_MARK_COUNT; i++)
        if (set >> i & 1) json_array_append_new(list, json_string(identity_mark_name(i)));
    return list;
}

static void put_enabled(json_t *row, const struct identity_edge *x)
{
    json_t *j = json_object();
    if (x->enabled_entra) jsonv_put(j, "entra", json_boolean(x->enabled_entra == TRI_YES));
    if (x->enabled_ad) jsonv_put(j, "active_directory", json_boolean(x->enabled_ad == TRI_YES));
    jsonv_put(row, "enabled", j);
    if (x->enabled_entra && x->enabled_ad)
        jsonv_put(row, "enabled_mismatch", json_boolean(x->enabled_entra != x->enabled_ad));
}

static int list_row(void *ctx, const struct identity_edge *x, struct err *e)
{
    json_t *row = json_object();
    jsonv_put(row, "entra", entity_object(x->entra, true));
    jsonv_put(row, "active_directory", entity_object(x->ad, false));
    jsonv_put(row, "rule", jsonv_str(x->rule));
    jsonv_put(row, "confidence", json_integer((json_int_t)x->confidence));
    jsonv_put(row, "confirmed_by", marks(x->confirmed_by));
    jsonv_put(row, "contradicts", marks(x->contradicts));
    if (x->conflict) jsonv_put(row, "conflict", json_string(identity_conflict_name(x->conflict)));
    put_enabled(row, x);
    return out_row(ctx, row, e);
}

static int orphan_row(void *ctx, const struct identity_orphan *o, struct err *e)
{
    json_t *row = json_object(), *who = entity_object(o->entity, o->is_entra);
    jsonv_put(row, "directory", json_string(o->is_entra ? "entra_id" : "active_directory"));
    json_object_update(row, who);
    json_decref(who);
    if (o->enabled) jsonv_put(row, "enabled", json_boolean(o->enabled == TRI_YES));
    jsonv_put(row, "reason", json_string(identity_orphan_name(o->reason)));
    if (o->is_ambiguous) jsonv_put(row, "ambiguous", json_true());
    return out_row(ctx, row, e);
}

/* --- what is asked -------------------------------------------------------------------------------------- */

static int check_kinds(struct cli *c, struct identity_query *q, struct err *e)
{
    try(cli_kinds(c, &q->kinds, e));
    if (!(q->kinds & ~(kind_set)KINDS_HELD)) return 0;
    err_set(e, ERR_INPUT, "--kind: not every one of '%s' is in both directories", cli_value(c, "kind"));
    return err_hint(e, "user, group, device (computer), contact");
}

/* Built in, or of the settings. */
static int check_rule(const struct identity_query *q, struct err *e)
{
    const char *names[8 + IDENTITY_RULES_MAX + 1];
    size_t n = 0;
    for (; identity_builtin_rule((unsigned)n); n++) names[n] = identity_builtin_rule((unsigned)n);
    for (size_t i = 0; i < q->n_rules; i++) names[n++] = q->rules[i].name;
    names[n] = NULL;
    for (size_t i = 0; i < n; i++)
        if (!q->rule.len || str_equal(q->rule, str_from(names[i]))) return 0;
    const char *meant = did_you_mean(q->rule, names);
    err_set(e, ERR_INPUT, "--rule: there is no rule '%.*s'", STR_FMT(q->rule));
    if (meant) return err_hint(e, "did you mean %s?", meant);
    return err_hint(e, "sid, consistency_guid, device_id, sid_history, object_guid, or one of identity_rules "
                       "of the settings");
}

static int open_query(struct cli *c, struct identity_query *q, struct store **s, struct err *e)
{
    struct connector_state ignored;
    try(check_kinds(c, q, e));
    try(cli_number(c, "limit", 0, 0, &q->limit, e));
    try(cli_conf(c, e));
    q->rules = c->conf.identity_rules;
    q->n_rules = c->conf.n_identity_rules;
    q->connector = str_from(cli_value(c, "connector"));
    try(check_rule(q, e));
    try(cli_store(c, s, e));
    return q->connector.len ? store_connector(*s, q->connector, &ignored, e) : 0;
}

static int answer(struct cli *c, struct identity_query *q, bool wants_orphans,
                  const struct out_column *columns, struct err *e)
{
    struct store *s;
    struct out *out;
    try(open_query(c, q, &s, e));
    try(out_open(&out, c, columns, e));
    struct identity_reader reader = {
        .edge = wants_orphans ? NULL : list_row, .orphan = wants_orphans ? orphan_row : NULL, .ctx = out};
    return out_finish(out, identity_read(s, q, &reader, e), e);
}

/* --- the commands ------------------------------------------------------------------------------------ */

static const struct out_column list_columns[] = {{"entra.kind", "kind"},
                                                 {"entra.name", "entra"},
                                                 {"active_directory.name", "active_directory"},
                                                 {"rule", NULL},
                                                 {"confidence", NULL},
                                                 {"contradicts", NULL},
                                                 {"conflict", NULL},
                                                 {"enabled_mismatch", NULL},
                                                 {"entra.uid", "entra_uid"},
                                                 {"active_directory.dn", "dn"},
                                                 {NULL, NULL}};

static const struct cli_option list_options[] = {
    {"connector", 'c', "NAME", "only with this connector on either side", NULL, false},
    {"kind", 'k', "A,B", "only these kinds: user, group, device, contact", NULL, false},
    {"rule", 'r', "NAME", "only what this rule found", NULL, false},
    {"conflicts", 0, NULL, "only candidates in conflict", NULL, false},
    {"limit", 'n', "N", "at most so many (0: all)", NULL, false},
    {NULL, 0, NULL, NULL, NULL, false},
};

static int list(struct cli *c, struct err *e)
{
    struct identity_query q = {.rule = str_from(cli_value(c, "rule")),
                               .only_conflicts = cli_flag(c, "conflicts")};
    return answer(c, &q, false, list_columns, e);
}

static const struct out_column orphan_columns[] = {{"directory", NULL}, {"connector", NULL}, {"kind", NULL},
                                                   {"name", NULL},      {"enabled", NULL},   {"reason", NULL},
                                                   {"uid", NULL},       {NULL, NULL}};

static const struct cli_option orphan_options[] = {
    {"connector", 'c', "NAME", "only of this connector", NULL, false},
    {"kind", 'k', "A,B", "only these kinds: user, group, device, contact", NULL, false},
    {"limit", 'n', "N", "at most so many (0: all)", NULL, false},
    {NULL, 0, NULL, NULL, NULL, false},
};

static int orphans(struct cli *c, struct err *e)
{
    struct identity_query q = {0};
    return answer(c, &q, true, orphan_columns, e);
}

const struct command cmd_identity_list = {
    .name = "identity list",
    .arguments = "",
    .summary = "Who is the same in Active Directory and Entra ID, by which rule, how sure",
    .doc = "Compares the last snapshots of all connectors of the store. A row with a conflict is a "
           "candidate: its object has several, and\n"
           "none of them is taken.",
    .options = list_options,
    .run = list};
const struct command cmd_identity_orphans = {
    .name = "identity orphans",
    .arguments = "",
    .summary = "Synchronised Entra objects that Active Directory lacks, and its users that no tenant has",
    .options = orphan_options,
    .run = orphans};
