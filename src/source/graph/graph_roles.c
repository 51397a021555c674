/* graph_roles.c - who has which role: three small collections instead of a question for every user.
 *
 * A role definition is an entity with the principals it is assigned to, tenant-wide, as members. An assignment within a scope, and an
 * eligible one (PIM: it can be activated), are roles of their own: "User Administrator (Paris)", "Global Administrator (eligible)". So
 * what a group's members are to the store, a role's holders are: they change, they are told, they lead to who has them through a group.
 */
#include "source/graph/graph_session.h"

#include <stdio.h>
#include <stdlib.h>

#define ASSIGNMENTS_MAX ((size_t)1 << 20)
#define DEFINITIONS_MAX ((size_t)64 << 20) /* bytes of them */
#define SCOPES_MAX      65536u
#define SCOPE_MAX       512u /* characters of one */
#define BLOCK_MAX       ((size_t)512 << 20)

struct assignment {
    uint8_t role[GUID_SIZE];      /* the definition's */
    uint8_t principal[GUID_SIZE];
    uint32_t scope;               /* place in scopes */
    bool is_eligible;
};
struct graph_role_data {
    json_t *definitions;  /* id -> object, what is read of them */
    size_t definition_bytes;
    json_t *scopes;       /* array of texts; the first is "/" */
    json_t *names;        /* of administrative units that are scopes, by id */
    struct hmap scope_at;
    struct assignment *list;
    size_t n, cap;
    uint64_t n_bad;
    bool definitions_are_refused;
    struct one_collection {
        struct graph_session *s;
        struct graph_pages pages;
        bool is_eligible;
    } definitions_in, active_in, eligible_in;
};

static json_t *take_text(struct str s)
{
    json_t *v = json_stringn(s.ptr, s.len);
    if (!v) x_out_of_memory();
    return v;
}

/* --- definitions ------------------------------------------------------------------------------------------------------ */

#define FIELDS "id,displayName,description,isBuiltIn,isEnabled,templateId"

/* The service may send more than was asked for. */
static json_t *fields_of(const json_t *item, size_t *bytes)
{
    static const char *const names[] = {"id", "displayName", "description", "isBuiltIn", "isEnabled", "templateId"};
    json_t *out = json_object();
    for (size_t i = 0; i < n_elements(names); i++) {
        json_t *v = json_object_get(item, names[i]);
        if (json_is_object(v) || json_is_array(v)) continue;
        if (v) json_object_set(out, names[i], v);
        *bytes += 64 + json_string_length(v);
    }
    return out;
}

static int take_definition(void *ctx, const json_t *item, struct err *e)
{
    struct one_collection *c = ctx;
    struct graph_role_data *d = c->s->roles;
    const char *id = json_string_value(json_object_get(item, "id"));
    uint8_t guid[GUID_SIZE];
    char text[GUID_TEXT];
    if (!id || !guid_parse(guid, str_from(id))) {
        d->n_bad++;
        return 0;
    }
    json_object_set_new(d->definitions, guid_format(text, guid), fields_of(item, &d->definition_bytes));
    return d->definition_bytes <= DEFINITIONS_MAX ? 0 : err_set(e, ERR_LIMIT, "more than %zu MiB of role definitions", DEFINITIONS_MAX >> 20);
}

static int forget_definitions(void *ctx, struct err *e)
{
    struct graph_role_data *d = ((struct one_collection *)ctx)->s->roles;
    (void)e;
    json_object_clear(d->definitions);
    d->definition_bytes = 0;
    return 0;
}

/* --- assignments ------------------------------------------------------------------------------------------------------ */

static uint32_t scope_number(struct graph_role_data *d, struct str scope)
{
    bool is_new;
    uint32_t *at = hmap_put(&d->scope_at, hash128_fast(bytes_of(scope)), &is_new);
    if (is_new) {
        *at = (uint32_t)json_array_size(d->scopes);
        json_array_append_new(d->scopes, take_text(scope));
    }
    return *at;
}

static bool read_guid(uint8_t out[GUID_SIZE], const json_t *item, const char *key)
{
    const char *text = json_string_value(json_object_get(item, key));
    return text && guid_parse(out, str_from(text));
}

static int take_assignment(void *ctx, const json_t *item, struct err *e)
{
    struct one_collection *c = ctx;
    struct graph_role_data *d = c->s->roles;
    struct assignment a = {.is_eligible = c->is_eligible};
    const char *scope = json_string_value(json_object_get(item, "directoryScopeId")),
               *app_scope = json_string_value(json_object_get(item, "appScopeId"));
    if (!read_guid(a.role, item, "roleDefinitionId") || !read_guid(a.principal, item, "principalId")) {
        d->n_bad++;
        return 0;
    }
    if (d->n == ASSIGNMENTS_MAX) return err_set(e, ERR_LIMIT, "more than %zu role assignments", ASSIGNMENTS_MAX);
    if (!scope || !*scope) scope = app_scope && *app_scope ? app_scope : "/";
    if (strlen(scope) > SCOPE_MAX || json_array_size(d->scopes) >= SCOPES_MAX) return err_set(e, ERR_LIMIT, "too many or too long scopes of roles");
    a.scope = scope_number(d, str_from(scope));
    GROW(d->list, d->n, d->cap, 256);
    d->list[d->n++] = a;
    return 0;
}

/* Two collections fill one list: what one of them brought is taken out again. */
static int forget_assignments(void *ctx, struct err *e)
{
    struct one_collection *c = ctx;
    struct graph_role_data *d = c->s->roles;
    size_t kept = 0;
    (void)e;
    for (size_t i = 0; i < d->n; i++)
        if (d->list[i].is_eligible != c->is_eligible) d->list[kept++] = d->list[i];
    d->n = kept;
    return 0;
}

/* --- the three collections ------------------------------------------------------------------------------------------------ */

static bool is_refusal(enum graph_fault f)
{
    return f == GRAPH_FAULT_DENIED_PERMISSION || f == GRAPH_FAULT_DENIED_LICENCE || f == GRAPH_FAULT_UNSUPPORTED || f == GRAPH_FAULT_NOT_FOUND;
}

/* Eligible assignments need P2 and are not in every cloud: then there are none. Where there may be some that are not shown, nobody
 * may take them for gone. */
static int refuse_eligible(struct one_collection *c, struct err *e)
{
    struct graph_session *s = c->s;
    enum graph_fault f = c->pages.failure.fault;
    bool may_be_some = f == GRAPH_FAULT_DENIED_PERMISSION || (f == GRAPH_FAULT_DENIED_LICENCE && graph_tenant_has_plan(s, "AAD_PREMIUM_P2") > 0);
    return graph_session_gap(s, KIND_role, may_be_some ? GAP_LOSS : GAP_INFO, "roles that people are eligible for (PIM) are not readable",
                             c->pages.why.message,
                             "they need Entra ID P2 and RoleEligibilitySchedule.Read.Directory or RoleManagement.Read.Directory", e);
}

static int refuse(struct one_collection *c, struct err *e)
{
    struct graph_session *s = c->s;
    if (c->is_eligible) return refuse_eligible(c, e);
    if (c == &s->roles->definitions_in) s->roles->definitions_are_refused = true;
    if (s->tally[KIND_role].is_refused) return 0;
    s->tally[KIND_role].is_refused = true;
    return graph_session_gap(s, KIND_role, GAP_LOSS, "the roles cannot be read: who is an administrator is not known", c->pages.why.message,
                             "grant the application permission RoleManagement.Read.Directory with admin consent", e);
}

static int on_end(void *ctx, struct graph_pages *p, struct err *e)
{
    struct one_collection *c = ctx;
    c->s->n_open--;
    if (p->rc == 0) return 0;
    if (is_refusal(p->failure.fault)) return refuse(c, e);
    *e = p->why;
    return p->rc;
}

static int start(struct one_collection *c, struct graph_session *s, const char *path, bool is_eligible, bool is_definitions, struct err *e)
{
    char url[1024];
    *c = (struct one_collection){.s = s, .is_eligible = is_eligible};
    c->pages = (struct graph_pages){.client = s->client,
                                    .what = is_definitions ? "role definitions" : is_eligible ? "eligible roles" : "role assignments",
                                    .permissions = graph_place(KIND_role)->permissions_text,
                                    .object = is_definitions ? take_definition : take_assignment,
                                    .restart = is_definitions ? forget_definitions : forget_assignments,
                                    .end = on_end,
                                    .ctx = c};
    snprintf(url, sizeof url, "%s/roleManagement/directory/%s", s->set.base_text, path);
    s->n_open++;
    return graph_pages_start(&c->pages, url, e);
}

int graph_roles_start(struct graph_session *s, struct err *e)
{
    struct graph_role_data *d = s->roles = x_zalloc(sizeof *d);
    d->definitions = json_object();
    d->scopes = json_array();
    d->names = json_object();
    scope_number(d, STR("/"));
    try(start(&d->definitions_in, s, "roleDefinitions?$select=" FIELDS, false, true, e));
    try(start(&d->active_in, s, "roleAssignments", false, false, e));
    return start(&d->eligible_in, s, "roleEligibilityScheduleInstances", true, false, e);
}

/* --- telling ------------------------------------------------------------------------------------------------------------- */

static int compare(const void *x, const void *y)
{
    const struct assignment *a = x, *b = y;
    int d = memcmp(a->role, b->role, GUID_SIZE);
    if (!d) d = (a->scope > b->scope) - (a->scope < b->scope);
    if (!d) d = a->is_eligible - b->is_eligible;
    return d ? d : memcmp(a->principal, b->principal, GUID_SIZE);
}

static bool same_role(const struct assignment *a, const struct assignment *b)
{
    return memcmp(a->role, b->role, GUID_SIZE) == 0 && a->scope == b->scope && a->is_eligible == b->is_eligible;
}

struct telling {
    struct graph_session *s;
    struct buf members;
    uint64_t n;
};

#define UNIT_SCOPE "/administrativeUnits/"
#define NAMES_AT_ONCE 15

/* The unit that a scope is; false: another kind of scope. */
static bool unit_of(uint8_t out[GUID_SIZE], struct str scope)
{
    size_t n = sizeof UNIT_SCOPE - 1;
    return scope.len == n + 36 && memcmp(scope.ptr, UNIT_SCOPE, n) == 0 && guid_parse(out, (struct str){scope.ptr + n, 36});
}

static void take_names(json_t *names, const json_t *units)
{
    size_t i;
    const json_t *one;
    json_array_foreach(units, i, one)
    {
        if (i >= NAMES_AT_ONCE) return; /* more than were asked for */
        const char *id = json_string_value(json_object_get(one, "id")), *name = json_string_value(json_object_get(one, "displayName"));
        uint8_t guid[GUID_SIZE];
        char text[GUID_TEXT];
        if (id && name && guid_parse(guid, str_from(id))) json_object_set_new(names, guid_format(text, guid), json_string(name));
    }
}

/* A scope whose name cannot be had is told by its id. */
static int fetch_names(struct graph_session *s, const char *ids, struct err *e)
{
    char url[2048];
    json_t *body;
    struct graph_failure f = {0};
    snprintf(url, sizeof url, "%s%s?$filter=id%%20in%%20(%s)&$select=id,displayName", s->set.base_text, graph_place(KIND_administrative_unit)->path, ids);
    struct graph_question q = {.url = url, .what = "the scopes of roles"};
    int rc = graph_client_fetch(s->client, &q, &body, &f, e);
    if (rc < 0) return is_refusal(f.fault) ? 0 : rc;
    take_names(s->roles->names, json_object_get(body, "value"));
    json_decref(body);
    return 0;
}

/* Names of the units that roles are limited to and that this run did not list. */
static int name_scopes(struct graph_session *s, struct err *e)
{
    char ids[NAMES_AT_ONCE * (GUID_TEXT + 2) + 1] = "";
    size_t i, n = 0, at = 0;
    const json_t *one;
    json_array_foreach(s->roles->scopes, i, one)
    {
        uint8_t guid[GUID_SIZE];
        char text[GUID_TEXT];
        if (!unit_of(guid, str_from(json_string_value(one)))) continue;
        const struct holder *h = holders_find(&s->units, guid);
        guid_format(text, guid);
        if (h && h->name) {
            json_object_set_new(s->roles->names, text, json_string(h->name));
            continue;
        }
        at += (size_t)snprintf(ids + at, sizeof ids - at, "%s'%s'", n ? "," : "", text);
        if (++n < NAMES_AT_ONCE) continue;
        try(fetch_names(s, ids, e));
        n = at = 0;
    }
    return n ? fetch_names(s, ids, e) : 0;
}

static struct str scope_name(const struct graph_session *s, struct str scope)
{
    uint8_t guid[GUID_SIZE];
    char text[GUID_TEXT];
    const char *name = unit_of(guid, scope) ? json_string_value(json_object_get(s->roles->names, guid_format(text, guid))) : NULL;
    return name ? str_from(name) : scope;
}

/* One role with the assignments from..to-1 as its members; none: nobody has it. */
static int tell_role(struct telling *t, const json_t *definition, const struct assignment *from, const struct assignment *to, struct err *e)
{
    struct graph_session *s = t->s;
    struct record r;
    const char *scope = from < to ? json_string_value(json_array_get(s->roles->scopes, from->scope)) : "/";
    struct graph_extra x = {.scope = str_from(scope), .assignment = from < to && from->is_eligible ? STR("eligible") : STR("active")};
    x.scope_name = scope_name(s, x.scope);
    try(graph_record(&r, &s->body, KIND_role, &definition, 1, &x, e));
    buf_clear(&t->members);
    for (const struct assignment *a = from; a < to; a++) {
        char text[GUID_TEXT];
        if (a > from && memcmp(a->principal, a[-1].principal, GUID_SIZE) == 0) continue;
        body_value_bytes(&t->members, bytes_of(str_from(guid_format(text, a->principal))));
        r.member.n++;
    }
    r.member.block = buf_bytes(&t->members);
    t->n++;
    return emit_record(s->m, &r, e);
}

/* An assignment of a role that is not among the definitions: it counts all the same, under its id. */
static json_t *unknown_definition(const uint8_t guid[GUID_SIZE])
{
    char text[GUID_TEXT];
    guid_format(text, guid);
    json_t *v = json_pack("{s:s, s:s}", "id", text, "displayName", text);
    if (!v) x_out_of_memory();
    return v;
}

static int tell_assigned(struct telling *t, struct err *e)
{
    struct graph_role_data *d = t->s->roles;
    if (d->n) qsort(d->list, d->n, sizeof *d->list, compare);
    for (size_t i = 0, end; i < d->n; i = end) {
        char text[GUID_TEXT];
        for (end = i + 1; end < d->n && same_role(&d->list[i], &d->list[end]);) end++;
        json_t *known = json_incref(json_object_get(d->definitions, guid_format(text, d->list[i].role)));
        json_t *definition = known ? known : unknown_definition(d->list[i].role);
        int rc = tell_role(t, definition, &d->list[i], &d->list[end], e);
        json_decref(definition);
        if (rc < 0) return rc;
    }
    return 0;
}

static bool is_assigned(const struct graph_role_data *d, const char *id)
{
    struct assignment key = {0};
    uint8_t *guid = key.role;
    if (!guid_parse(guid, str_from(id))) return false;
    size_t at; /* the tenant-wide active ones of a role come first */
    LOWER_BOUND(at, d->n, memcmp(d->list[at].role, guid, GUID_SIZE) < 0);
    return at < d->n && same_role(&d->list[at], &key);
}

static int tell_unassigned(struct telling *t, struct err *e)
{
    const char *id;
    json_t *definition;
    json_object_foreach(t->s->roles->definitions, id, definition)
    {
        if (!is_assigned(t->s->roles, id)) try(tell_role(t, definition, NULL, NULL, e));
    }
    return 0;
}

static int tell_roles(struct telling *t, struct err *e)
{
    try(name_scopes(t->s, e));
    try(tell_assigned(t, e));
    return tell_unassigned(t, e);
}

int graph_roles_emit(struct graph_session *s, struct err *e)
{
    struct telling t = {.s = s, .members = buf_new(BLOCK_MAX)};
    struct graph_tally *tally = &s->tally[KIND_role];
    char what[120];
    if (s->roles->n_bad) {
        snprintf(what, sizeof what, "%llu %s", (unsigned long long)s->roles->n_bad,
                 s->roles->n_bad == 1 ? "role or assignment has no valid id" : "roles or assignments have no valid id");
        try(graph_session_gap(s, KIND_role, GAP_LOSS, what, NULL, NULL, e));
    }
    int rc = s->roles->definitions_are_refused ? 0 : tell_roles(&t, e); /* without names they would rename those that are known */
    buf_free(&t.members);
    tally->received = t.n;
    return rc < 0 ? rc : emit_kind_done(s->m, KIND_role, !tally->is_refused && !tally->has_loss, t.n, e);
}

void graph_roles_free(struct graph_session *s)
{
    struct graph_role_data *d = s->roles;
    if (!d) return;
    json_decref(d->definitions);
    json_decref(d->scopes);
    json_decref(d->names);
    hmap_free(&d->scope_at);
    free(d->list);
    struct one_collection *all[] = {&d->definitions_in, &d->active_in, &d->eligible_in};
    for (size_t i = 0; i < n_elements(all); i++) graph_pages_free(&all[i]->pages);
    free(d);
    s->roles = NULL;
}
