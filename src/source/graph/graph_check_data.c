/* graph_check_data.c - the steps of `check` that ask Microsoft Graph: each with one small page. */
#include "source/graph/graph_check.h"

#include "base/when.h"

#include <stdio.h>
#include <stdlib.h>

#define FIX_PORTAL "see when the secret ends: App registrations, Certificates & secrets"

static const char *text_of(const json_t *object, const char *key)
{
    const char *v = json_string_value(json_object_get(object, key));
    return v ? v : "";
}

/* --- what is refused -------------------------------------------------------------------------------------
 */

/* Of one part among several: said, and the next is tried. false: nothing more can be asked. */
static bool note_refusal(struct graph_checkup *c, struct finding *f, const struct graph_question *q)
{
    if (!graph_check_is_refusal(c)) {
        finding_fail(f, &c->why);
        return false;
    }
    if (c->failure.fault == GRAPH_FAULT_DENIED_PERMISSION && q->permissions)
        finding_say(f, "%s: not permitted without %s", q->what, q->permissions);
    else
        finding_say(f, "%s", c->why.message);
    finding_warn(f, "%s", *c->why.hint ? c->why.hint : "grant the permission for it");
    return true;
}

/* --- organization ------------------------------------------------------------------------------------------
 */

static const char *default_domain(const json_t *organization)
{
    size_t i;
    const json_t *one;
    json_array_foreach(json_object_get(organization, "verifiedDomains"), i, one)
    {
        if (json_is_true(json_object_get(one, "isDefault"))) return text_of(one, "name");
    }
    return "";
}

static void say_sync(struct finding *f, const json_t *organization)
{
    const json_t *is_synced = json_object_get(organization, "onPremisesSyncEnabled");
    const char *last = text_of(organization, "onPremisesLastSyncDateTime");
    char text[64];
    if (!json_is_true(is_synced))
        finding_say(f, "not synchronized with an Active Directory");
    else if (*last)
        finding_say(f, "synchronized with Active Directory, last at %s",
                    finding_text(text, sizeof text, str_from(last)));
    else
        finding_say(f, "synchronized with Active Directory");
}

static void say_organization(struct finding *f, const json_t *organization)
{
    char text[300];
    size_t n = json_array_size(json_object_get(organization, "verifiedDomains"));
    finding_say(f, "%s", finding_text(text, sizeof text, str_from(text_of(organization, "displayName"))));
    if (*finding_text(text, sizeof text, str_from(default_domain(organization))))
        finding_say(f, "default domain %s", text);
    finding_say(f, "%zu verified domain%s", n, n == 1 ? "" : "s");
    if (*finding_text(text, sizeof text, str_from(text_of(organization, "tenantType"))) &&
        strcmp(text, "AAD") != 0)
        finding_say(f, "tenant type %s", text);
    say_sync(f, organization);
    f->detail = json_pack("{s:s, s:s}", "id", text_of(organization, "id"), "default_domain",
                          default_domain(organization));
}

void graph_check_organization(struct graph_checkup *c, struct finding *f)
{
    struct graph_question q = {.what = "the organization", .permissions = "Organization.Read.All"};
    json_t *body;
    if (graph_check_ask(c, &body, &q, "/organization") < 0) {
        note_refusal(c, f, &q);
        return;
    }
    c->s.organization = json_incref(json_array_get(json_object_get(body, "value"), 0));
    json_decref(body);
    if (c->s.organization)
        say_organization(f, c->s.organization);
    else
        finding_say(f, "the service names no organization");
}

/* --- licences
 * ------------------------------------------------------------------------------------------------- */

void graph_check_licences(struct graph_checkup *c, struct finding *f)
{
    int p1 = graph_tenant_has_plan(&c->s, "AAD_PREMIUM"), p2 = graph_tenant_has_plan(&c->s, "AAD_PREMIUM_P2");
    if (p1 < 0 && p2 < 0) {
        finding_say(f, "not readable; the step reports tries what depends on them");
        return;
    }
    finding_say(f, "Entra ID P1: %s, P2: %s", p1 > 0 || p2 > 0 ? "yes" : "no", p2 > 0 ? "yes" : "no");
    if (p1 <= 0 && p2 <= 0) finding_say(f, "so there are no sign-ins and no MFA report to read");
    if (p2 <= 0) finding_say(f, "so there are no eligible roles");
}

/* --- sample
 * ----------------------------------------------------------------------------------------------------- */

struct sampling {
    unsigned n_read, n_refused;
    char group[GUID_TEXT]; /* one whose members are asked for */
};

/* The service's count where it tells one, else what the page held. */
static void say_page(struct finding *f, const char *what, const json_t *body)
{
    const json_t *count = json_object_get(body, "@odata.count");
    size_t n = json_array_size(json_object_get(body, "value"));
    bool has_more = json_object_get(body, "@odata.nextLink") != NULL;
    if (json_is_integer(count))
        finding_say(f, "%s: %lld", what, (long long)json_integer_value(count));
    else
        finding_say(f, "%s: %s%zu", what, has_more ? "more than " : "", n);
    json_object_set_new(f->detail, what,
                        json_integer(json_is_integer(count) ? json_integer_value(count) : (json_int_t)n));
}

static void keep_group(struct sampling *s, const json_t *body)
{
    uint8_t guid[GUID_SIZE];
    const char *id = text_of(json_array_get(json_object_get(body, "value"), 0), "id");
    if (guid_parse(guid, str_from(id))) guid_format(s->group, guid);
}

/* What an answer or refusal says. false: nothing more can be asked. */
static bool take_page(struct graph_checkup *c, struct finding *f, struct sampling *s,
                      const struct graph_question *q, int rc, json_t *body)
{
    if (rc < 0) {
        s->n_refused++;
        return note_refusal(c, f, q);
    }
    s->n_read++;
    say_page(f, q->what, body);
    json_decref(body);
    return true;
}

static bool sample_path(struct graph_checkup *c, struct finding *f, struct sampling *s,
                        const struct graph_question *q, const char *path)
{
    json_t *body;
    int rc = graph_check_ask(c, &body, q, path);
    return take_page(c, f, s, q, rc, body);
}

/* Tenants without advanced queries (B2C) do not count. */
static bool sample_kind(struct graph_checkup *c, struct finding *f, struct sampling *s, enum kind k)
{
    char path[256];
    const struct graph_place *p = graph_place(k);
    struct graph_question q = {.is_advanced = true, .what = p->what, .permissions = p->permissions_text};
    json_t *body;
    snprintf(path, sizeof path, "%s?$select=id&$top=5&$count=true", p->path);
    int rc = graph_check_ask(c, &body, &q, path);
    if (rc < 0 && c->failure.fault == GRAPH_FAULT_UNSUPPORTED) {
        q.is_advanced = false;
        snprintf(path, sizeof path, "%s?$select=id&$top=5", p->path);
        rc = graph_check_ask(c, &body, &q, path);
    }
    if (k == KIND_group) keep_group(s, body);
    return take_page(c, f, s, &q, rc, body);
}

static bool sample_members(struct graph_checkup *c, struct finding *f, struct sampling *s)
{
    char path[256];
    struct graph_question q = {
        .is_advanced = true, .what = "members of one group", .permissions = "GroupMember.Read.All"};
    if (!*s->group) return true;
    snprintf(path, sizeof path, "/groups/%s/members?$select=id&$top=5&$count=true", s->group);
    return sample_path(c, f, s, &q, path);
}

static bool sample_roles(struct graph_checkup *c, struct finding *f, struct sampling *s)
{
    struct graph_question q = {.what = "role assignments",
                               .permissions = graph_place(KIND_role)->permissions_text};
    return sample_path(c, f, s, &q, "/roleManagement/directory/roleAssignments?$top=5");
}

static bool sample_all(struct graph_checkup *c, struct finding *f, struct sampling *s)
{
    static const enum kind kinds[] = {
        KIND_user, KIND_group, KIND_device, KIND_service_principal, KIND_administrative_unit, KIND_contact};
    for (size_t i = 0; i < n_elements(kinds); i++)
        if (c->s.kinds & KIND_BIT(kinds[i]) && !sample_kind(c, f, s, kinds[i])) return false;
    if (c->s.kinds & KIND_BIT(KIND_group) && !sample_members(c, f, s)) return false;
    return !(c->s.kinds & KIND_BIT(KIND_role)) || sample_roles(c, f, s);
}

void graph_check_sample(struct graph_checkup *c, struct finding *f)
{
    struct sampling s = {0};
    f->detail = json_object();
    if (!sample_all(c, f, &s) || s.n_read || !s.n_refused) return;
    f->verdict = STEP_FAIL; /* nothing at all may be read */
    f->class = ERR_DENIED;
}

/* --- delta
 * -------------------------------------------------------------------------------------------------------- */

void graph_check_delta(struct graph_checkup *c, struct finding *f)
{
    struct graph_question q = {.what = "changes of users",
                               .permissions = graph_place(KIND_user)->permissions_text};
    json_t *body;
    if (c->s.set.incremental != GRAPH_DELTA || !(c->s.kinds & KIND_BIT(KIND_user))) {
        f->verdict = STEP_SKIP;
        finding_say(f, "not used by these settings");
        return;
    }
    if (graph_check_ask(c, &body, &q, "/users/delta?$select=id&$deltatoken=latest") < 0) {
        note_refusal(c, f, &q);
        return;
    }
    if (*text_of(body, "@odata.deltaLink")) {
        finding_say(f, "the service gives delta tokens (they live seven days)");
    } else {
        finding_say(f, "the service gave no delta token");
        finding_warn(f,
                     "every run will be a full one; set incremental: off if this cloud has no delta queries");
    }
    json_decref(body);
}

/* --- reports
 * ---------------------------------------------------------------------------------------------------------
 */

static bool try_report(struct graph_checkup *c, struct finding *f, const struct graph_question *q,
                       const char *path)
{
    json_t *body;
    if (graph_check_ask(c, &body, q, path) < 0) return note_refusal(c, f, q);
    finding_say(f, "%s: readable", q->what);
    json_decref(body);
    return true;
}

/* Where the tenant says that it has no licence, asking would only be refused, some times over. */
static bool is_licensed(struct graph_checkup *c, struct finding *f, const char *what, const char *plan,
                        const char *fix)
{
    if (graph_tenant_has_plan(&c->s, "AAD_PREMIUM_P2") || graph_tenant_has_plan(&c->s, plan)) return true;
    finding_say(f, "%s: left out, since the tenant has no Entra ID %s licence", what,
                strcmp(plan, "AAD_PREMIUM") == 0 ? "P1 or P2" : "P2");
    if (fix) finding_warn(f, "%s", fix);
    return false;
}

void graph_check_reports(struct graph_checkup *c, struct finding *f)
{
    struct graph_question sign_in = {.bucket = GRAPH_REPORTS,
                                     .what = "sign-in activity",
                                     .permissions = "AuditLog.Read.All"},
                          mfa = {.bucket = GRAPH_REPORTS,
                                 .what = "the MFA registration report",
                                 .permissions = "AuditLog.Read.All"},
                          eligible = {.what = "eligible role assignments",
                                      .permissions = "RoleManagement.Read.Directory"};
    const struct graph_settings *set = &c->s.set;
    bool has_users = c->s.kinds & KIND_BIT(KIND_user), goes_on = true;
    bool has_report = set->mfa == GRAPH_MFA_AUTO || set->mfa == GRAPH_MFA_REPORT;
    if (has_users && set->sign_in_activity &&
        is_licensed(c, f, sign_in.what, "AAD_PREMIUM",
                    "without Entra ID P1 or P2, set sign_in_activity: off"))
        goes_on = try_report(c, f, &sign_in, "/users?$select=id,signInActivity&$top=1");
    if (goes_on && has_users && has_report &&
        is_licensed(c, f, mfa.what, "AAD_PREMIUM",
                    "without Entra ID P1 or P2, set mfa: methods (with UserAuthenticationMethod.Read.All) or "
                    "mfa: off"))
        goes_on = try_report(c, f, &mfa, "/reports/authenticationMethods/userRegistrationDetails?$top=1");
    if (goes_on && c->s.kinds & KIND_BIT(KIND_role) &&
        is_licensed(c, f, eligible.what, "AAD_PREMIUM_P2", NULL))
        goes_on =
            try_report(c, f, &eligible, "/roleManagement/directory/roleEligibilityScheduleInstances?$top=1");
    if (goes_on && !f->evidence.len) {
        f->verdict = STEP_SKIP;
        finding_say(f, "not used by these settings");
    }
}

/* --- expiry of the secret
 * ------------------------------------------------------------------------------------------------ */

/* The hint is the first three characters of the secret: with it ours is told from the others. It is not
 * shown. */
static bool is_ours(const json_t *credential, const struct secret *secret)
{
    const char *hint = text_of(credential, "hint");
    size_t n = strlen(hint);
    return n >= 3 && secret->len >= n && memcmp(secret->ptr, hint, n) == 0;
}

static void say_secrets(struct graph_checkup *c, struct finding *f, const json_t *credentials)
{
    size_t i, n_ours = 0;
    int64_t latest = 0;
    const json_t *one;
    json_array_foreach(credentials, i, one)
    {
        int64_t end;
        if (!is_ours(one, &c->job->password) || !when_parse(&end, str_from(text_of(one, "endDateTime"))))
            continue;
        n_ours++;
        if (end > latest) latest = end;
    }
    if (!n_ours) {
        finding_say(f, "%zu client secrets of the application, of which none is known as ours",
                    json_array_size(credentials));
        return;
    }
    finding_say(f, "%zu client secret%s of the application", json_array_size(credentials),
                json_array_size(credentials) == 1 ? "" : "s");
    graph_check_end(f, "ours", latest,
                    "make a new client secret (App registrations, Certificates & secrets) and put its Value "
                    "where client_secret refers to");
}

static void look_up_secret(struct graph_checkup *c, struct finding *f)
{
    struct graph_question q = {.what = "the application", .permissions = "Application.Read.All"};
    uint8_t guid[GUID_SIZE];
    char path[200];
    json_t *body;
    bool may = graph_client_may(c->s.client,
                                "Application.Read.All Application.ReadWrite.All Directory.Read.All") != 0;
    if (!may || !guid_parse(guid, str_from(c->s.set.oauth.client_id))) {
        finding_say(f,
                    "when the client secret ends cannot be seen without Application.Read.All; " FIX_PORTAL);
        return;
    }
    snprintf(path, sizeof path, "/applications?$filter=appId%%20eq%%20'%s'&$select=id,passwordCredentials",
             c->s.set.oauth.client_id);
    if (graph_check_ask(c, &body, &q, path) < 0) {
        finding_say(f, "when the client secret ends cannot be seen (%s); " FIX_PORTAL, c->why.message);
        return;
    }
    const json_t *application = json_array_get(json_object_get(body, "value"), 0);
    if (application)
        say_secrets(c, f, json_object_get(application, "passwordCredentials"));
    else
        finding_say(f, "the application is registered in another tenant, where its client secret can be seen");
    json_decref(body);
}

void graph_check_expiry(struct graph_checkup *c, struct finding *f)
{
    switch (c->s.set.oauth.by) {
    case OAUTH_BY_SECRET:
        look_up_secret(c, f);
        return;
    case OAUTH_BY_CERTIFICATE:
        graph_check_end(
            f, "the certificate", oauth_certificate_expires_ms(graph_client_oauth(c->s.client)),
            "make a new certificate and upload it to the app registration before the old one ends");
        return;
    case OAUTH_BY_FEDERATED:
    case OAUTH_BY_MANAGED_IDENTITY:
        finding_say(f, "nothing that expires: the platform renews it");
        return;
    }
}
