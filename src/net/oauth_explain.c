/* oauth_explain.c - the login service's refusals in words. Numbers from Microsoft's list of AADSTS codes and
 * from what others were answered; the service says that codes may change, so an unknown one is quoted. */
#include "net/oauth_int.h"

#include "base/when.h"

/* clang-format off */
#define FIX_SECRET                                                                                           \
    "make a new client secret (App registrations, Certificates & secrets), put its Value (not its Secret ID) where client_secret refers "   \
    "to; a certificate lasts longer"
#define FIX_CLOUD     "check tenant_id; a tenant of a national cloud needs cloud: us_gov, us_gov_dod or china (or login_url and graph_url)"
#define FIX_RESOURCE  "check cloud, or that graph_url is the Graph of the same cloud as login_url"
#define FIX_CERT      "upload the certificate (without its key) to the app registration, Certificates & secrets, and check client_id"
#define FIX_CLOCK     "synchronize this machine's clock (NTP)"
#define FIX_FEDERATED                                                                                        \
    "compare issuer, subject and audience of the federated credential (App registrations, Certificates & secrets, Federated "        \
    "credentials) with those of the token: upper and lower case count"
#define FIX_CONSENT   "let an administrator of the tenant consent to the application (App registrations, API permissions)"
#define FIX_ENABLE    "enable the application (Enterprise applications, Properties: Enabled for users to sign-in) or use another one"
#define FIX_WAIT      "it passes by itself; if it lasts, look at the service health page of the tenant"
#define FIX_TENANT    "ask an administrator of the tenant, or Microsoft's support"
#define FIX_POLICY    "ask who keeps the tenant's Conditional Access policies for workload identities to let this machine's address in"
#define FIX_BUG       "this should not happen: report it, with the code"

static const struct oauth_meaning meanings[] = {
    /* the client secret */
    {7000215, "the client secret is wrong", FIX_SECRET, OAUTH_PLAIN},
    {7000222, "the client secret has expired", FIX_SECRET, OAUTH_PLAIN},
    {7000216, "no client secret or assertion arrived", "check that client_secret or client_certificate is set and not empty", OAUTH_PLAIN},
    {7000218, "no client secret or assertion arrived", "check that client_secret or client_certificate is set and not empty", OAUTH_PLAIN},
    {700025, "the application is registered as a public client, which has no secret",
     "turn off 'Allow public client flows' (App registrations, Authentication)", OAUTH_PLAIN},
    /* the application */
    {700016, "the tenant has no application with this client id", "check client_id and tenant_id; " FIX_CONSENT, OAUTH_PLAIN},
    {7000229, "the application has no service principal in this tenant", FIX_CONSENT, OAUTH_PLAIN},
    {7000112, "the application is disabled", FIX_ENABLE, OAUTH_PLAIN},
    {501051, "the application is not assigned to a role of the service", FIX_CONSENT, OAUTH_PLAIN},
    {65001, "nobody has consented to the application", FIX_CONSENT, OAUTH_PLAIN},
    {650056, "the application is misconfigured", FIX_CONSENT, OAUTH_QUOTED},
    {50001, "the tenant does not know this Microsoft Graph", FIX_RESOURCE, OAUTH_PLAIN},
    {500011, "the tenant does not know this Microsoft Graph", FIX_RESOURCE, OAUTH_PLAIN},
    {70001, "the tenant has no application with this client id", "check client_id and tenant_id; " FIX_CONSENT, OAUTH_PLAIN},
    {70002, "the application's credentials were not accepted", FIX_SECRET, OAUTH_QUOTED},
    /* the scope */
    {70011, "the service does not accept the address of Microsoft Graph as a scope", FIX_RESOURCE, OAUTH_PLAIN},
    {1002012, "the service does not accept the address of Microsoft Graph as a scope", FIX_RESOURCE, OAUTH_PLAIN},
    {700022, "the service does not accept the address of Microsoft Graph as a scope", FIX_RESOURCE, OAUTH_PLAIN},
    /* the tenant */
    {90002, "there is no such tenant", FIX_CLOUD, OAUTH_PLAIN},
    {900021, "there is no such tenant", FIX_CLOUD, OAUTH_PLAIN},
    {900023, "the tenant is neither a GUID nor a domain of a tenant", FIX_CLOUD, OAUTH_PLAIN},
    {50059, "the service cannot tell which tenant is meant", FIX_CLOUD, OAUTH_PLAIN},
    {900382, "the application belongs to another national cloud", FIX_CLOUD, OAUTH_PLAIN},
    {5000224, "the tenant is blocked", FIX_TENANT, OAUTH_QUOTED},
    {5000225, "the tenant is blocked because it was not used", FIX_TENANT, OAUTH_PLAIN},
    {500014, "the service is disabled in this tenant", FIX_TENANT, OAUTH_QUOTED},
    {500021, "a proxy on the way allows sign-ins to other tenants only (tenant restrictions)",
     "let the proxy allow this tenant, or go around it", OAUTH_PLAIN},
    {53003, "a Conditional Access policy blocks it", FIX_POLICY, OAUTH_PLAIN},
    /* the certificate */
    {700027, "the certificate is not one of the application's, or its signature is wrong", FIX_CERT, OAUTH_QUOTED},
    {700026, "the application has no certificate", FIX_CERT, OAUTH_PLAIN},
    {700030, "the subject of the certificate is not authorized for the application", FIX_CERT, OAUTH_PLAIN},
    {700021, "the assertion is of another application", "check client_id", OAUTH_PLAIN},
    {700023, "the assertion is for another address", "check login_url: is there a proxy that changes it?", OAUTH_PLAIN},
    {700024, "the assertion is not within the time in which it is valid", FIX_CLOCK, OAUTH_PLAIN},
    {50012, "the assertion was not accepted", FIX_CERT, OAUTH_QUOTED},
    {50013, "the assertion was not accepted", FIX_CERT, OAUTH_QUOTED},
    {50027, "the assertion is not valid", FIX_CERT, OAUTH_QUOTED},
    /* the federated credential */
    {70021, "no federated credential of the application matches the token", FIX_FEDERATED, OAUTH_QUOTED},
    {700211, "no federated credential of the application has the token's issuer", FIX_FEDERATED, OAUTH_QUOTED},
    {700212, "no federated credential of the application has the token's audience", FIX_FEDERATED, OAUTH_QUOTED},
    {700213, "no federated credential of the application has the token's subject", FIX_FEDERATED, OAUTH_QUOTED},
    {7002131, "no federated credential of the application fits the token's claims", FIX_FEDERATED, OAUTH_QUOTED},
    {70025, "the application has no federated credential", FIX_FEDERATED, OAUTH_PLAIN},
    {700222, "a token of Entra ID itself cannot be a federated credential", "use a managed identity directly: managed_identity: true",
     OAUTH_PLAIN},
    {700238, "the issuer of the federated token may not be used", FIX_FEDERATED, OAUTH_QUOTED},
    {50166, "the issuer of the federated token could not be asked for its keys",
     "the issuer's address must be reachable from the internet (its /.well-known/openid-configuration)", OAUTH_QUOTED},
    /* the request */
    {90014, "a field of the request is missing", FIX_BUG, OAUTH_QUOTED},
    {900144, "a field of the request is missing", "a proxy on the way may change the request; else report it", OAUTH_QUOTED},
    {90023, "the request is not valid", FIX_BUG, OAUTH_QUOTED},
    {70003, "the way of signing in is not supported", FIX_BUG, OAUTH_QUOTED},
    /* for the moment */
    {90006, "the service is not available for the moment", FIX_WAIT, OAUTH_PASSES},
    {90012, "the service took too long", FIX_WAIT, OAUTH_PASSES},
    {90024, "the service is not available for the moment", FIX_WAIT, OAUTH_PASSES},
    {90033, "the service is not available for the moment", FIX_WAIT, OAUTH_PASSES},
    {90055, "the tenant has asked for too many tokens", "it passes by itself; find out who signs in so often", OAUTH_PASSES},
};
/* clang-format on */

const struct oauth_meaning *oauth_meaning_find(int aadsts)
{
    for (size_t i = 0; i < n_elements(meanings); i++)
        if (meanings[i].aadsts == aadsts) return &meanings[i];
    return NULL;
}

bool oauth_explain(int aadsts, const char **meaning, const char **fix)
{
    const struct oauth_meaning *m = oauth_meaning_find(aadsts);
    if (!m) return false;
    *meaning = m->meaning;
    *fix = m->fix;
    return true;
}

/* A secret's ID is a GUID; no value is one: they have 40 characters, with a '~'. */
bool oauth_looks_like_secret_id(struct bytes secret)
{
    if (secret.len != 36) return false;
    for (size_t i = 0; i < secret.len; i++) {
        uint8_t c = secret.ptr[i];
        bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
        bool is_hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        if (is_dash ? c != '-' : !is_hex) return false;
    }
    return true;
}

/* --- a refusal -------------------------------------------------------------------------------------------
 */

/* For the machine's identity endpoint as Microsoft's page on retries says: 404 and 410 while it is being
 * updated. */
bool oauth_refusal_passes(const struct oauth_refusal *r, enum oauth_by by)
{
    const struct oauth_meaning *m = oauth_meaning_find(r->aadsts);
    if (r->status == 429 || r->status == 408 || r->status >= 500 || (m && m->how == OAUTH_PASSES))
        return true;
    if (by == OAUTH_BY_MANAGED_IDENTITY && (r->status == 404 || r->status == 410)) return true;
    return strcmp(r->error, "temporarily_unavailable") == 0;
}

static bool repeats_sent(const char *line, const struct oauth_circumstances *c)
{
    for (size_t i = 0; i < n_elements(c->sent); i++) {
        struct bytes s = c->sent[i];
        if (s.len >= 4 && memmem(line, strlen(line), s.ptr, s.len)) return true;
        /* cut off by the quotation's end */
        if (s.len >= 16 && memmem(line, strlen(line), s.ptr, 16)) return true;
    }
    return false;
}

/* The service's words, unless they are ours. */
static const char *shown(const char *said, const struct oauth_circumstances *c)
{
    return repeats_sent(said, c) ? "" : said;
}

static void add_quote(struct buf *b, const struct oauth_refusal *r, const struct oauth_circumstances *c)
{
    const char *line = shown(r->line, c);
    if (*line) buf_printf(b, ": \"%s\"", line);
}

/* 90 -> "2 minutes" */
static void add_span(struct buf *b, int64_t ms)
{
    int64_t s = (ms < 0 ? -ms : ms) / 1000;
    if (s < 120)
        buf_printf(b, "%lld seconds", (long long)s);
    else if (s < 7200)
        buf_printf(b, "%lld minutes", (long long)(s / 60));
    else
        buf_printf(b, "%lld hours", (long long)(s / 3600));
}

static void add_clock(struct buf *b, const struct oauth_circumstances *c)
{
    int64_t off = c->clock_offset_ms;
    if (off > -60000 && off < 60000) {
        if (c->by == OAUTH_BY_FEDERATED)
            buf_printf(b, "; the clocks agree, so the token in the file is too old or too new");
        return;
    }
    buf_printf(b, "; our clock is ");
    add_span(b, off);
    buf_printf(b, " %s the service's", off > 0 ? "behind" : "ahead of");
}

static bool has_expired(const struct oauth_circumstances *c)
{
    return c->by == OAUTH_BY_CERTIFICATE && c->certificate_expires_ms &&
           c->certificate_expires_ms < when_now_ms() + c->clock_offset_ms;
}

static void add_reference(struct buf *b, const struct oauth_refusal *r, const struct oauth_circumstances *c,
                          bool with_ids)
{
    const char *error = shown(r->error, c), *trace = shown(r->trace, c),
               *correlation = shown(r->correlation, c);
    if (r->aadsts)
        buf_printf(b, " (AADSTS%d", r->aadsts);
    else
        buf_printf(b, " (HTTP %ld%s%s", r->status, *error ? ", " : "", error);
    if (with_ids && *trace) buf_printf(b, ", trace %s", trace);
    if (with_ids && *correlation) buf_printf(b, ", correlation %s", correlation);
    buf_printf(b, ")");
}

static int fail_foreign(struct err *e, const struct oauth_refusal *r, const struct oauth_circumstances *c)
{
    if (r->status == 429 || r->status >= 500) {
        err_set(e, r->status == 429 ? ERR_LIMIT : ERR_NET, "%s is not available for the moment (HTTP %ld)",
                c->host, r->status);
        return err_hint(e, FIX_WAIT);
    }
    err_set(e, ERR_PROTO, "%s answered HTTP %ld, but not as %s does", c->host, r->status,
            c->by == OAUTH_BY_MANAGED_IDENTITY ? "a managed identity endpoint" : "the login service");
    return err_hint(
        e,
        c->by == OAUTH_BY_MANAGED_IDENTITY
            ? "is this an Azure machine with a managed identity? else set client_secret or client_certificate"
            : "check login_url and tenant_id; a proxy on the way may answer in its place");
}

static enum err_class class_of(const struct oauth_refusal *r, const struct oauth_circumstances *c)
{
    if (!oauth_refusal_passes(r, c->by)) return ERR_AUTH;
    return r->status == 429 || r->aadsts == 90055 ? ERR_LIMIT : ERR_NET;
}

static void hint_of(struct err *e, const struct oauth_refusal *r, const struct oauth_meaning *m,
                    const struct oauth_circumstances *c)
{
    if (r->aadsts == 7000215 && c->is_secret_id)
        err_hint(e, "client_secret holds a GUID, which is the Secret ID: put the secret's Value there; it is "
                    "shown only when the secret is made, "
                    "so make a new one if it is lost");
    else if (r->aadsts == 700024 && c->by == OAUTH_BY_FEDERATED && c->clock_offset_ms > -60000 &&
             c->clock_offset_ms < 60000)
        err_hint(e, "see why nothing writes a fresh token into federated_token_file");
    else if (has_expired(c))
        err_hint(e, "renew the certificate, upload it to the app registration, and put it with its key into "
                    "client_certificate");
    else if (m)
        err_hint(e, "%s", m->fix);
    else if (c->by == OAUTH_BY_MANAGED_IDENTITY)
        err_hint(e,
                 "give this machine a managed identity, or set client_id to that of the user-assigned one");
    else
        err_hint(e, "look for the code at https://login.microsoftonline.com/error, or in the tenant's "
                    "sign-in logs (service principals)");
}

int oauth_refusal_explain(struct err *e, const struct oauth_refusal *r, const struct oauth_circumstances *c)
{
    const struct oauth_meaning *m = oauth_meaning_find(r->aadsts);
    struct buf b = buf_new(sizeof e->message - 1);
    if (!r->is_json) return err_code(e, DOM_HTTP, (fail_foreign(e, r, c), (int)r->status));
    buf_printf(&b, "%s refused the sign-in", c->host);
    if (m) buf_printf(&b, ": %s", m->meaning);
    if (!m || m->how == OAUTH_QUOTED) add_quote(&b, r, c);
    if (has_expired(c)) {
        char when[WHEN_TEXT];
        buf_printf(&b, "; the certificate expired on %s", when_format(when, c->certificate_expires_ms));
    }
    if (r->aadsts == 700024) add_clock(&b, c);
    add_reference(&b, r, c, !m);
    err_set(e, class_of(r, c), "%s", buf_cstr(&b));
    buf_free(&b);
    hint_of(e, r, m, c);
    return err_code(e, DOM_HTTP, r->aadsts ? r->aadsts : (int)r->status);
}
