/* entities.c - entity list, entity get */
#include "cmd/out.h"
#include "run/rows.h"
#include "run/subject.h"

struct listing {
    struct cli *cli;
    struct out *out;
    struct subject_maker maker;
    bool has_maker;
    struct err *e;
    int rc;
};

/* The maker of the entity's connector: another one when the connector changes. */
static int maker_for(struct listing *l, struct str connector)
{
    if (l->has_maker && str_equal(l->maker.connector.name, connector)) return 0;
    if (l->has_maker) subject_maker_fini(&l->maker);
    l->has_maker = false;
    try(subject_maker_init(&l->maker, l->cli->store, connector, l->e));
    l->has_maker = true;
    return 0;
}

static int row_of(struct listing *l, const struct entity *entity, json_t **out)
{
    const struct subject *s;
    try(maker_for(l, entity->connector));
    try(subject_make(&l->maker, entity, false, &s, l->e));
    *out = rows_entity(s, entity);
    return 0;
}

static bool each(void *ctx, const struct entity *entity)
{
    struct listing *l = ctx;
    json_t *row;
    l->rc = row_of(l, entity, &row);
    if (l->rc == 0) l->rc = out_row(l->out, row, l->e);
    return l->rc == 0;
}

static const struct out_column columns[] = {{"kind", NULL},    {"name", NULL}, {"display_name", NULL}, {"enabled", NULL},
                                            {"uid", NULL},     {"dn", NULL},   {NULL, NULL}};

static const struct cli_option list_options[] = {
    {"connector", 'c', "NAME", "only this connector", NULL, false},
    {"kind", 'k', "A,B", "only these kinds", NULL, false},
    {"search", 's', "TEXT", "part of the name, display name, mail or DN", NULL, false},
    {"since", 0, "RUN", "only what changed in later runs", NULL, false},
    {"limit", 'n', "N", "at most so many (0: all)", NULL, false},
    {"deleted", 0, NULL, "tombstones too", NULL, false},
    {NULL, 0, NULL, NULL, NULL, false},
};

static int list(struct cli *c, struct err *e)
{
    struct store *s;
    struct listing l = {.cli = c, .e = e};
    struct entity_query q = {.connector = str_from(cli_value(c, "connector")),
                             .search = str_from(cli_value(c, "search")),
                             .with_deleted = cli_flag(c, "deleted")};
    try(cli_kinds(c, &q.kinds, e));
    try(cli_number(c, "since", 0, 0, &q.changed_since_run, e));
    try(cli_number(c, "limit", 0, 0, &q.limit, e));
    try(cli_store(c, &s, e));
    try(out_open(&l.out, c, columns, e));
    int rc = store_entities(s, &q, each, &l, e);
    if (l.has_maker) subject_maker_fini(&l.maker);
    return out_finish(l.out, rc < 0 ? rc : l.rc, e);
}

static void take(void *ctx, const struct entity *entity)
{
    struct listing *l = ctx;
    json_t *row;
    l->rc = row_of(l, entity, &row);
    if (l->rc == 0) l->rc = out_object(l->cli, row, l->e);
}

static const struct cli_option get_options[] = {
    {"connector", 'c', "NAME", "look in this connector", NULL, false},
    {NULL, 0, NULL, NULL, NULL, false},
};

static int get(struct cli *c, struct err *e)
{
    struct store *s;
    struct listing l = {.cli = c, .e = e};
    try(cli_store(c, &s, e));
    int rc = store_entity_find(s, str_from(cli_value(c, "connector")), str_from(c->args[0]), true, take, &l, e);
    if (l.has_maker) subject_maker_fini(&l.maker);
    return rc < 0 ? rc : l.rc;
}

const struct command cmd_entity_list = {.name = "entity list",
                                        .arguments = "",
                                        .summary = "List entities of the store",
                                        .options = list_options,
                                        .run = list};
const struct command cmd_entity_get = {.name = "entity get",
                                       .arguments = "ENTITY",
                                       .min_args = 1,
                                       .max_args = 1,
                                       .summary = "Show one entity: attributes, derived facts, groups",
                                       .doc = "ENTITY is a GUID, SID, DN, sAMAccountName or user principal name.",
                                       .options = get_options,
                                       .run = get};
