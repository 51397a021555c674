/* access.c - routes of access questions: words of a command for the asker, and its answer in the shape of a list. */
#include "api/http.h"

#include "api/catalog_pool.h"
#include "base/jsonv.h"
#include "catalog/catalog.h"
#include "model/rights.h"

#include <stdio.h>
#include <stdlib.h>

#define ASK_MS     120000 /* the first question after a run makes the world anew */
#define FIND_LIMIT 20
#define FIND_PAGES 8 /* looked at for them */

/* --- words ------------------------------------------------------------------------------------------------ */

#define WORDS_MAX 16
struct words {
    const char *list[WORDS_MAX + 1];
    unsigned n;
    bool is_cut; /* no room for a value: without it the question would be another */
};

static int too_long(struct err *e)
{
    return err_set(e, ERR_INPUT, "the question is too long");
}

static void add(struct words *w, const char *word)
{
    if (w->n < WORDS_MAX) w->list[w->n++] = word;
}

/* "--option=value" of a query parameter that was given. */
static void add_query(struct words *w, struct request *q, const char *parameter, const char *option)
{
    const char *value = request_query(q, parameter);
    if (!value || !*value) return;
    const char *word = arena_printf(&q->arena, "--%s=%s", option, value);
    w->is_cut = w->is_cut || !word;
    if (word) add(w, word);
}

static int need(struct request *q, const char *parameter, const char **out, struct err *e)
{
    *out = request_query(q, parameter);
    if (*out && **out) return 0;
    return err_set(e, ERR_INPUT, "%s is missing", parameter);
}

static bool is_yes(const char *v)
{
    return v && (strcmp(v, "true") == 0 || strcmp(v, "1") == 0);
}

/* --- lists -------------------------------------------------------------------------------------------------- */

/* "r100": what was told so far. */
static int read_after(struct request *q, int64_t *offset, struct err *e)
{
    const char *after = request_query(q, "after");
    char *end = NULL;
    *offset = 0;
    if (!after || !*after) return 0;
    long long n = after[0] == 'r' && after[1] >= '0' && after[1] <= '9' ? strtoll(after + 1, &end, 10) : -1;
    if (n < 0 || n > INT32_MAX || *end) return err_set(e, ERR_INPUT, "after: this is not what next said");
    *offset = n;
    return 0;
}

static int reply_page(struct request *q, const struct words *w, struct err *e)
{
    int64_t limit, offset;
    json_t *page;
    try(request_number(q, "limit", 1, 1000, 50, &limit, e));
    try(read_after(q, &offset, e));
    if (w->is_cut) return too_long(e);
    try(asker_page(q->app->asker, w->list, offset, limit, ASK_MS, &page, e));
    int64_t told = offset + (int64_t)json_array_size(json_object_get(page, "items"));
    const json_t *total = json_object_get(page, "total");
    bool is_more = json_is_integer(total) ? told < json_integer_value(total) : told == offset + limit;
    char next[32];
    snprintf(next, sizeof next, "r%lld", (long long)told);
    json_object_set_new(page, "next", is_more ? json_string(next) : json_null());
    return reply_json(q, 200, page);
}

static int who_can(struct request *q, struct err *e)
{
    const char *target, *right;
    struct words w = {.list = {"access", "who-can"}, .n = 2};
    try(need(q, "target", &target, e));
    try(need(q, "right", &right, e));
    add_query(&w, q, "rule", "rule");
    add_query(&w, q, "filter", "principal-filter");
    add_query(&w, q, "kind", "kind");
    add_query(&w, q, "connector", "connector");
    add_query(&w, q, "run", "run");
    if (is_yes(request_query(q, "groups"))) add(&w, "--groups");
    add(&w, "--");
    add(&w, right);
    add(&w, target);
    return reply_page(q, &w, e);
}

static int what_can(struct request *q, struct err *e)
{
    const char *principal;
    struct words w = {.list = {"access", "what-can"}, .n = 2};
    try(need(q, "principal", &principal, e));
    add_query(&w, q, "rule", "rule");
    add_query(&w, q, "kind", "kind");
    add_query(&w, q, "right", "right");
    add_query(&w, q, "filter", "target-filter");
    add_query(&w, q, "connector", "connector");
    if (is_yes(request_query(q, "all"))) add(&w, "--all");
    add(&w, "--");
    add(&w, principal);
    return reply_page(q, &w, e);
}

static int members(struct request *q, struct err *e)
{
    const char *group;
    struct words w = {.list = {"access", "members"}, .n = 2};
    try(need(q, "group", &group, e));
    add_query(&w, q, "kind", "kind");
    add_query(&w, q, "filter", "principal-filter");
    add_query(&w, q, "connector", "connector");
    add_query(&w, q, "run", "run");
    if (is_yes(request_query(q, "direct"))) add(&w, "--direct");
    add(&w, "--");
    add(&w, group);
    return reply_page(q, &w, e);
}

static int token(struct request *q, struct err *e)
{
    const char *principal;
    struct words w = {.list = {"access", "token"}, .n = 2};
    try(need(q, "principal", &principal, e));
    add_query(&w, q, "at", "at");
    add_query(&w, q, "connector", "connector");
    add(&w, "--");
    add(&w, principal);
    return reply_page(q, &w, e);
}

/* --- single answers --------------------------------------------------------------------------------------------- */

/* check and why have options for everything. */
static int pair_words(struct words *w, struct request *q, struct err *e)
{
    const char *ignored;
    try(need(q, "principal", &ignored, e));
    try(need(q, "target", &ignored, e));
    add_query(w, q, "principal", "principal");
    add_query(w, q, "target", "target");
    add_query(w, q, "rule", "rule");
    add_query(w, q, "connector", "connector");
    return w->is_cut ? too_long(e) : 0;
}

static int why(struct request *q, struct err *e)
{
    const char *right;
    json_t *answer;
    struct words w = {.list = {"access", "why"}, .n = 2};
    struct buf text = buf_new((size_t)1 << 20);
    try(pair_words(&w, q, e));
    try(need(q, "right", &right, e));
    add_query(&w, q, "right", "right");
    if (w.is_cut) return too_long(e);
    try(asker_ask(q->app->asker, w.list, ASK_MS, &answer, e));
    int rc = asker_text(q->app->asker, w.list, ASK_MS, &text, e);
    if (rc == 0) {
        jsonv_put(answer, "text", jsonv_str(buf_str(&text)));
        rc = reply_json(q, 200, json_incref(answer));
    }
    json_decref(answer);
    buf_free(&text);
    return rc;
}

static int check(struct request *q, struct err *e)
{
    json_t *rows;
    struct words w = {.list = {"access", "check"}, .n = 2};
    try(pair_words(&w, q, e));
    try(asker_ask(q->app->asker, w.list, ASK_MS, &rows, e));
    json_t *row = json_incref(json_array_get(rows, 0));
    json_decref(rows);
    return row ? reply_json(q, 200, row) : err_set(e, ERR_BUG, "access check told nothing");
}

/* --- names for pickers ---------------------------------------------------------------------------------------------- */

static json_t *object_rights(void)
{
    json_t *list = json_array();
#define X(name, bit) json_array_append_new(list, json_string(#name));
    RIGHTS(X)
#undef X
    return list;
}

static void add_typed(json_t *list, const char *right, struct str name)
{
    struct buf b = buf_new(1024);
    buf_printf(&b, "%s:", right);
    buf_add_str(&b, name);
    json_array_append_new(list, jsonv_str(buf_str(&b)));
    buf_free(&b);
}

/* Operations and property sets of the schema that every directory has, and the attributes and classes that questions are about. Any other may be typed. */
static json_t *typed_rights(void)
{
    static const char *const written[] = {"member", "servicePrincipalName", "userAccountControl", "msDS-KeyCredentialLink", "msDS-AllowedToActOnBehalfOfOtherIdentity",
                                          "msDS-AllowedToDelegateTo", "gPLink", "scriptPath", "userPrincipalName", "sAMAccountName", "mail", "manager"};
    static const char *const made[] = {"user", "group", "computer", "organizationalUnit", "groupPolicyContainer", "msDS-GroupManagedServiceAccount"};
    const struct schema *s = schema_builtin();
    json_t *list = json_array();
    for (size_t i = 0; i < n_elements(written); i++) add_typed(list, "WRITE_PROPERTY", str_from(written[i]));
    for (size_t i = 0; i < s->n_rights; i++) {
        const struct schema_right *r = &s->rights[i];
        if (r->valid_accesses & RIGHT_CONTROL_ACCESS) add_typed(list, "CONTROL_ACCESS", r->name);
        if (r->valid_accesses & RIGHT_SELF) add_typed(list, "SELF", r->name);
        if (r->valid_accesses & RIGHT_WRITE_PROPERTY) add_typed(list, "WRITE_PROPERTY", r->name);
        if (r->valid_accesses & RIGHT_READ_PROPERTY) add_typed(list, "READ_PROPERTY", r->name);
    }
    for (size_t i = 0; i < n_elements(made); i++) {
        add_typed(list, "CREATE_CHILD", str_from(made[i]));
        add_typed(list, "DELETE_CHILD", str_from(made[i]));
    }
    return list;
}

static int rights(struct request *q, struct err *e)
{
    (void)e;
    json_t *j = json_object();
    jsonv_put(j, "object", object_rights());
    jsonv_put(j, "typed", typed_rights());
    return reply_json(q, 200, j);
}

static int add_candidate(void *items, const struct catalog_row *row, struct err *e)
{
    json_t *j = json_object();
    (void)e;
    jsonv_put(j, "connector", jsonv_str(row->connector));
    jsonv_put(j, "kind", json_string(kind_name(row->kind)));
    jsonv_put(j, "uid", jsonv_str(row->uid));
    jsonv_put(j, "name", jsonv_str(row->name));
    jsonv_put(j, "account", jsonv_str_or_null(row->account));
    jsonv_put(j, "dn", jsonv_str_or_null(row->dn));
    json_array_append_new(items, j);
    return 0;
}

/* A page may be short, or empty: what is looked for lies further on. */
static int find_in(struct catalog *c, struct catalog_query *query, json_t *items, struct err *e)
{
    struct buf next = buf_new(SIZE_MAX / 2);
    int rc = 0;
    for (int i = 0; i < FIND_PAGES && rc == 0 && json_array_size(items) < FIND_LIMIT && (!i || next.len); i++) {
        query->after = buf_str(&next);
        query->limit = FIND_LIMIT - (int64_t)json_array_size(items);
        rc = catalog_list(c, query, add_candidate, items, &next, e);
    }
    buf_free(&next);
    return rc;
}

static int find(struct request *q, struct err *e)
{
    const char *text;
    struct catalog *c;
    struct str bad = {"", 0};
    const char *kinds = request_query(q, "kind"), *connector = request_query(q, "connector");
    try(need(q, "q", &text, e));
    struct catalog_query query = {.enabled = -1, .admin = -1, .search = str_from(text), .limit = FIND_LIMIT};
    if (kinds && *kinds && !kind_set_parse(&query.kinds, str_from(kinds), &bad)) return err_set(e, ERR_INPUT, "kind: there is no kind of this name in '%s'", kinds);
    if (connector && *connector) query.source[query.n_sources++] = str_from(connector);
    json_t *items = json_array();
    int rc = catalog_lend(q, &c, e);
    bool is_empty = rc == ERR_NOTFOUND; /* nothing was synced yet */
    if (rc == 0) {
        rc = find_in(c, &query, items, e);
        catalog_return(c);
    }
    if (rc == 0 || is_empty) return reply_json(q, 200, json_pack("{s:o}", "items", items));
    json_decref(items);
    return rc;
}

const struct route routes_access[] = {
    {"GET", "/api/v1/access/who-can", RIGHT_ANALYZE, who_can, "Everybody who holds a right on an object",
     "target right rule filter kind groups run limit after connector", NULL, 0, LANE_ASK},
    {"GET", "/api/v1/access/what-can", RIGHT_ANALYZE, what_can, "Everything that a principal may do",
     "principal right rule kind filter all limit after connector", NULL, 0, LANE_ASK},
    {"GET", "/api/v1/access/why", RIGHT_ANALYZE, why, "What decides one right, as facts and as text", "principal target right rule connector", NULL, 0, LANE_ASK},
    {"GET", "/api/v1/access/check", RIGHT_ANALYZE, check, "Everything that a principal may do to one object", "principal target rule connector", NULL, 0, LANE_ASK},
    {"GET", "/api/v1/access/members", RIGHT_ANALYZE, members, "Who is really in a group, and how", "group kind filter direct run limit after connector", NULL, 0, LANE_ASK},
    {"GET", "/api/v1/access/token", RIGHT_ANALYZE, token, "Every SID that speaks for a principal", "principal at limit after connector", NULL, 0, LANE_ASK},
    {"GET", "/api/v1/access/rights", RIGHT_VIEW, rights, "Names of rights, for a picker", NULL, NULL, 0, LANE_ANY},
    {"GET", "/api/v1/access/find", RIGHT_VIEW, find, "Candidates for a picker of principals and targets", "q kind connector", NULL, 0, LANE_ANY},
    {0},
};
