/* oidc_claims.c - what the ID token says of somebody: a name to show, a role. */
#include "server/oidc/oidc_int.h"

#include "net/oauth.h"

/* "roles", or a path into objects: "realm_access.roles" (Keycloak). A claim that has the dots in its name goes first. */
static const json_t *claim_at(const json_t *claims, const char *path)
{
    const json_t *v = json_object_get(claims, path);
    if (v) return v;
    v = claims;
    for (struct str rest = str_from(path); rest.len && v;) {
        size_t n = str_index(rest, '.');
        v = json_object_getn(v, rest.ptr, n);
        n += n < rest.len;
        rest = (struct str){rest.ptr + n, rest.len - n};
    }
    return v;
}

static enum role role_of(const json_t *roles, const json_t *value)
{
    const json_t *mapped = json_is_string(value) ? json_object_getn(roles, json_string_value(value), json_string_length(value)) : NULL;
    return role_parse(str_from(json_string_value(mapped)));
}

/* Entra ID leaves groups out of a token when there are more than 200, and says so. */
bool oidc_claims_is_overage(const struct oidc_conf *c, const json_t *claims)
{
    return json_object_get(json_object_get(claims, "_claim_names"), c->role_claim) != NULL;
}

int oidc_claims_role(const struct oidc_conf *c, const json_t *claims, enum role *out, struct err *e)
{
    const json_t *v = claim_at(claims, c->role_claim), *one;
    size_t i;
    *out = role_of(c->roles, v);
    json_array_foreach((json_t *)v, i, one) {
        enum role r = role_of(c->roles, one);
        if (r > *out) *out = r;
    }
    if (*out == ROLE_NONE) *out = role_parse(str_from(c->default_role));
    if (*out != ROLE_NONE) return 0;
    if (oidc_claims_is_overage(c, claims)) {
        err_set(e, ERR_DENIED, "the provider left the claim '%s' out, because it would be too long", c->role_claim);
        return err_hint(e, "an administrator maps application roles instead of groups, or has the provider send only groups of the application");
    }
    err_set(e, ERR_DENIED, v ? "none of the values of the claim '%s' has a role here" : "the provider's token has no claim '%s', and there is no default role", c->role_claim);
    return err_hint(e, "an administrator gives you a role at the provider, or maps its values under Settings, OpenID Connect");
}

/* For people only: who somebody is, issuer and subject say. */
void oidc_claims_name(char out[ACCOUNT_NAME_MAX], const json_t *claims)
{
    static const char *const keys[] = {"preferred_username", "upn", "email", "unique_name", "name", "sub"};
    out[0] = 0;
    for (size_t i = 0; i < n_elements(keys) && !out[0]; i++) {
        const json_t *v = json_object_get(claims, keys[i]);
        if (json_is_string(v)) oauth_quote(out, ACCOUNT_NAME_MAX, (struct str){json_string_value(v), json_string_length(v)});
    }
}
