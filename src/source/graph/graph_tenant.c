/* graph_tenant.c - what the tenant says of itself: organization, domains, licences. */
#include "source/graph/graph_session.h"

#include <stdio.h>

#define PERMISSIONS "Organization.Read.All Directory.Read.All"

/* value[] of a small collection; NULL if it is refused, *why says how. */
static int fetch_values(json_t **out, struct graph_session *s, const char *path, const char *what, struct err *refusal, struct err *e)
{
    char url[1024];
    json_t *body;
    struct graph_failure f;
    *out = NULL;
    *refusal = (struct err){0};
    snprintf(url, sizeof url, "%s%s", s->set.base_text, path);
    struct graph_question q = {.url = url, .what = what};
    int rc = graph_client_fetch(s->client, &q, &body, &f, e);
    if (rc == 0) {
        *out = json_incref(json_object_get(body, "value"));
        json_decref(body);
        return 0;
    }
    bool is_refused = f.fault == GRAPH_FAULT_DENIED_PERMISSION || f.fault == GRAPH_FAULT_NOT_FOUND || f.fault == GRAPH_FAULT_UNSUPPORTED;
    if (is_refused) *refusal = *e;
    return is_refused ? 0 : rc;
}

static void copy(char *out, size_t size, const char *text)
{
    snprintf(out, size, "%s", text ? text : "");
}

static bool is_guid(const char *text)
{
    uint8_t guid[GUID_SIZE];
    return text && guid_parse(guid, str_from(text));
}

/* Of the organization; else what the token or the settings say. */
static int take_id(struct graph_session *s, struct err *e)
{
    const char *id = json_string_value(json_object_get(s->organization, "id"));
    uint8_t guid[GUID_SIZE];
    if (!is_guid(id)) id = json_string_value(json_object_get(oauth_claims(graph_client_oauth(s->client)), "tid"));
    if (!is_guid(id)) id = s->set.oauth.tenant;
    if (!guid_parse(guid, str_from(id))) {
        err_set(e, ERR_INPUT, "the id of the tenant '%s' cannot be read", s->set.oauth.tenant);
        return err_hint(e, "set tenant_id to the directory (tenant) ID, or grant Organization.Read.All");
    }
    guid_format(s->tenant_id, guid);
    return 0;
}

static const char *default_domain(const json_t *list, const char *name_key)
{
    size_t i;
    const json_t *one;
    json_array_foreach(list, i, one) if (json_is_true(json_object_get(one, "isDefault"))) return json_string_value(json_object_get(one, name_key));
    return NULL;
}

static void take_names(struct graph_session *s)
{
    const char *domain = default_domain(json_object_get(s->organization, "verifiedDomains"), "name");
    if (!domain) domain = default_domain(s->domains, "id");
    if (!domain && !is_guid(s->set.oauth.tenant)) domain = s->set.oauth.tenant;
    copy(s->domain, sizeof s->domain, domain ? domain : s->tenant_id);
    copy(s->tenant_name, sizeof s->tenant_name, json_string_value(json_object_get(s->organization, "displayName")));
}

int graph_tenant_read(struct graph_session *s, struct err *e)
{
    struct err why, why_domains;
    json_t *list;
    try(fetch_values(&list, s, "/organization", "the organization", &why, e));
    s->organization = json_incref(json_array_get(list, 0));
    json_decref(list);
    try(fetch_values(&s->domains, s, "/domains", "the domains", &why_domains, e));
    try(take_id(s, e));
    take_names(s);
    if (why.class)
        try(graph_session_gap(s, KIND_tenant, GAP_INFO, "the name, licences and domains of the tenant are not readable", why.message,
                              "grant the application permission Organization.Read.All", e));
    if (!why_domains.class) return 0;
    return graph_session_gap(s, KIND_tenant, GAP_INFO, "which domains are federated is not readable", why_domains.message,
                             "grant the application permission Domain.Read.All", e);
}

int graph_tenant_has_plan(const struct graph_session *s, const char *name)
{
    const json_t *plans = json_object_get(s->organization, "assignedPlans"), *one;
    size_t i;
    if (!json_is_array(plans)) return -1;
    json_array_foreach(plans, i, one)
    {
        const char *status = json_string_value(json_object_get(one, "capabilityStatus")),
                   *service = json_string_value(json_object_get(one, "servicePlanId"));
        static const struct {
            const char *name, *id;
        } ids[] = {{"AAD_PREMIUM", "41781fb2-bc02-4b7c-bd55-b576c07bb09d"}, {"AAD_PREMIUM_P2", "eec0eb4f-6444-4f95-aba0-50c24d67f998"}};
        for (size_t k = 0; k < n_elements(ids); k++)
            if (strcmp(ids[k].name, name) == 0 && service && str_equal_nocase(str_from(service), str_from(ids[k].id)))
                if (status && (strcmp(status, "Enabled") == 0 || strcmp(status, "Warning") == 0)) return 1;
    }
    return 0;
}

int graph_tenant_emit(struct graph_session *s, struct err *e)
{
    struct record r;
    json_t *stub = json_pack("{s:s}", "id", s->tenant_id);
    const json_t *object = s->organization ? s->organization : stub;
    struct graph_extra x = {.domains = s->domains};
    int rc = stub ? graph_record(&r, &s->body, KIND_tenant, &object, 1, &x, e) : err_set(e, ERR_BUG, "out of memory");
    if (rc == 0) r.flags |= s->organization && s->domains ? 0 : RECORD_KEEP_ABSENT; /* what is refused today is known from another day */
    if (rc == 0) rc = emit_record(s->m, &r, e);
    json_decref(stub);
    if (rc == 0) s->tally[KIND_tenant].received = 1;
    return rc < 0 ? rc : emit_kind_done(s->m, KIND_tenant, true, 1, e);
}
