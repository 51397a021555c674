/* catalog_routes.c - routes of the data catalog: kinds, and what is known of the entities of one. */
#include "api/catalog_pool.h"

static int kinds(struct request *q, struct err *e)
{
    struct catalog *c;
    json_t *out;
    int rc = catalog_lend(q, &c, e);
    if (rc == ERR_NOTFOUND) return reply_json(q, 200, json_pack("{s:[], s:n}", "kinds", "as_of"));
    if (rc < 0) return rc;
    rc = catalog_kinds(c, &out, e);
    catalog_return(c);
    return rc < 0 ? rc : reply_json(q, 200, out);
}

static int attributes(struct request *q, struct err *e)
{
    struct catalog *c;
    json_t *out;
    enum kind k = kind_parse(str_from(q->captured[1]));
    if (!k) return err_set(e, ERR_NOTFOUND, "there is no kind \"%.64s\"", q->captured[1]);
    try(catalog_lend(q, &c, e));
    int rc = catalog_attributes(c, str_from(q->captured[0]), k, &out, e);
    catalog_return(c);
    return rc < 0 ? rc : reply_json(q, 200, json_pack("{s:o}", "items", out));
}

const struct route routes_catalog[] = {
    {"GET", "/api/v1/catalog", RIGHT_VIEW, kinds, "Kinds of entities by connector, how many of each", NULL, NULL, 0, LANE_ANY},
    {"GET", "/api/v1/catalog/{connector}/{kind}", RIGHT_VIEW, attributes, "Attributes of one kind: how many have one, and what it becomes", NULL, NULL, 0, LANE_ANY},
    {0},
};
