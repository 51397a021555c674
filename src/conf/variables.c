/* conf_from_environment: variables that are not ours, but that everybody who uses Kerberos has set already.
 */
#include "conf/conf.h"
#include "conf/env.h"
#include "conf/value.h"

static const struct {
    const char *name, *key;
    const char *auth, *security; /* where it counts */
} variables[] = {
    {"KRB5_CONFIG", "krb5_config", "kerberos kerberos_cache keytab", "ldaps starttls ldap"},
    {"KRB5CCNAME", "credential_cache", "kerberos_cache", "ldaps starttls ldap"},
    {"LDAP_CERTIFICATE", "ca_certificate", "kerberos_cache keytab", "ldaps starttls"},
};

static bool counts(size_t i, const json_t *settings)
{
    return !json_object_get(settings, variables[i].key) &&
           words_have(variables[i].auth, str_from(conf_str(settings, "auth"))) &&
           words_have(variables[i].security, str_from(conf_str(settings, "security")));
}

/* KRB5_CONFIG may be several files; they are libkrb5's to read. */
static json_t *as_it_is(const char *value)
{
    return strchr(value, ':') ? json_string(value) : NULL;
}

static int take(json_t *settings, size_t i, const struct key_spec *k, const char *value, struct err *e)
{
    struct node_place p = {.where = variables[i].name, .e = e};
    struct node n = {.type = NODE_SCALAR, .text = str_from(value)};
    json_t *typed = strcmp(k->name, "krb5_config") == 0 ? as_it_is(value) : NULL;
    if (!str_is_utf8(n.text)) return err_set(e, ERR_INPUT, "%s: not UTF-8 text", variables[i].name);
    if (!typed) try(value_check(&typed, k, &n, NULL, &p));
    json_object_set_new(settings, k->name, typed);
    return 0;
}

int conf_from_environment(const char *type, json_t *settings, char *const *env, struct err *e)
{
    const struct type_spec *t = type_spec_find(str_from(type));
    for (size_t i = 0; t && i < n_elements(variables); i++) {
        const struct key_spec *k = key_spec_find(t, str_from(variables[i].key));
        const char *value = env_get(env, variables[i].name);
        if (k && value && *value && counts(i, settings)) try(take(settings, i, k, value, e));
    }
    return 0;
}
