#include "source/ldap/ldap_settings.h"

#include "conf/conf.h"
#include "model/dn.h"

#include <stdio.h>
#include <stdlib.h>

#define CONNECT_TIMEOUT_MS 10000
#define ANSWER_TIMEOUT_MS  60000
#define PAGE_SIZE          1000 /* Active Directory's MaxPageSize */

static int need(const char **out, const json_t *settings, const char *key, struct err *e)
{
    *out = conf_str(settings, key);
    return *out && **out ? 0 : err_set(e, ERR_INPUT, "%s is not set", key);
}

static const char *optional(const json_t *settings, const char *key)
{
    const char *v = conf_str(settings, key);
    return v && *v ? v : NULL;
}

static bool is_on(const json_t *settings, const char *key, bool by_default)
{
    const json_t *v = json_object_get(settings, key);
    return v ? json_is_true(v) : by_default;
}

static int read_security(struct ldap_settings *s, const json_t *settings, struct err *e)
{
    const char *security = optional(settings, "security");
    if (!security || strcmp(security, "ldaps") == 0) {
        s->security = LDAP_SEC_LDAPS;
    } else if (strcmp(security, "starttls") == 0) {
        s->security = LDAP_SEC_STARTTLS;
    } else if (strcmp(security, "ldap") == 0 && s->auth != LDAP_BY_PASSWORD) {
        s->security = LDAP_SEC_SEALED;
    } else {
        err_set(e, ERR_INPUT, "security: '%s' is not possible with a simple bind", security);
        return err_hint(e, "use security: ldaps or starttls; a password never travels without TLS");
    }
    int64_t port = conf_int(settings, "port");
    if (!port) port = s->security == LDAP_SEC_LDAPS ? 636 : 389;
    if (port < 1 || port > 65535) return err_set(e, ERR_INPUT, "port: %lld is none", (long long)port);
    s->port = (uint16_t)port;
    return 0;
}

static int need_cache(struct ldap_settings *s, struct err *e)
{
    if (s->cache) return 0;
    err_set(e, ERR_INPUT, "credential_cache is not set, nor is $KRB5CCNAME");
    return err_hint(e, "set credential_cache: PATH of a ticket cache that kinit keeps; there is no default in a shared directory");
}

static int read_auth(struct ldap_settings *s, const json_t *settings, struct err *e)
{
    static const char *const words[] = {"simple", "kerberos", "kerberos_cache", "keytab"};
    const char *auth = optional(settings, "auth"), *mechanism = optional(settings, "mechanism");
    size_t i = 0;
    while (auth && i < n_elements(words) && strcmp(auth, words[i]) != 0) i++;
    if (i == n_elements(words)) return err_set(e, ERR_INPUT, "auth: '%s' is none of simple, kerberos, kerberos_cache, keytab", auth);
    s->auth = (enum ldap_auth)i;
    s->mechanism = mechanism && strcmp(mechanism, "spnego") == 0 ? GSS_MECH_SPNEGO : GSS_MECH_GSSAPI;
    s->spn = optional(settings, "kerberos_spn");
    s->krb5_config = optional(settings, "krb5_config");
    s->cache = optional(settings, "credential_cache");
    s->keytab = optional(settings, "keytab");
    s->username = optional(settings, "username");
    s->frequency_ms = conf_int(settings, "frequency");
    if (s->auth == LDAP_BY_CACHE) return need_cache(s, e);
    return need(s->auth == LDAP_BY_KEYTAB ? &s->keytab : &s->username, settings, s->auth == LDAP_BY_KEYTAB ? "keytab" : "username", e);
}

static int read_custom(struct ldap_settings *s, const json_t *settings, struct err *e)
{
    const json_t *list = json_object_get(settings, "custom_properties"), *one;
    size_t i;
    bool is_multi;
    json_array_foreach(list, i, one)
    {
        const char *name = json_string_value(json_object_get(one, "name"));
        const char *kind = json_string_value(json_object_get(one, "kind"));
        const char *type = json_string_value(json_object_get(one, "type"));
        struct ldap_custom c = {.name = str_from(name), .kind = kind_parse(str_from(kind ? kind : "user"))};
        if (s->n_custom == LDAP_CUSTOM_MAX)
            return err_set(e, ERR_INPUT, "custom_properties: more than %d", LDAP_CUSTOM_MAX);
        /* RFC 4512 1.4: keystring or numericoid; no options */
        if (!name || !*name ||
            name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.")])
            return err_set(e, ERR_INPUT, "custom_properties: entry %zu: '%s' is no attribute name", i + 1,
                           name ? name : "");
        if (!c.kind) return err_set(e, ERR_INPUT, "custom_properties: %s: no kind '%s'", name, kind);
        if (!attr_custom_type_parse(&c.type, &is_multi, str_from(type ? type : "string")))
            return err_set(e, ERR_INPUT, "custom_properties: %s: no type '%s'", name, type);
        s->custom[s->n_custom++] = c;
    }
    return 0;
}

static int read_dns_servers(struct ldap_settings *s, const json_t *settings, struct err *e)
{
    const json_t *list = json_object_get(settings, "dns_servers"), *one;
    size_t i, at = 0;
    json_array_foreach(list, i, one)
    {
        struct str host, text = str_from(json_string_value(one));
        uint16_t port;
        if (!text.len || !conf_split_port(&host, &port, text) || at + host.len + 10 > sizeof s->dns_servers)
            return err_set(e, ERR_INPUT, "dns_servers: entry %zu is no address", i + 1);
        bool is_v6 = str_index(host, ':') < host.len;
        int n = snprintf(s->dns_servers + at, sizeof s->dns_servers - at, "%s%s%.*s%s", i ? "," : "",
                         is_v6 ? "[" : "", STR_FMT(host), is_v6 ? "]" : "");
        at += n > 0 ? (size_t)n : 0;
        if (port) at += (size_t)snprintf(s->dns_servers + at, sizeof s->dns_servers - at, ":%u", port);
    }
    return 0;
}

static int read_controllers(struct ldap_settings *s, const json_t *settings, struct err *e)
{
    s->failover_hosts = json_object_get(settings, "failover_hosts");
    s->dc_discovery = is_on(settings, "dc_discovery", false);
    s->dc_discovery_domain = optional(settings, "dc_discovery_domain");
    if (!s->dc_discovery_domain) s->dc_discovery_domain = s->domain;
    const char *logons = optional(settings, "last_logon");
    s->all_logons = logons && strcmp(logons, "all_controllers") == 0;
    return read_dns_servers(s, settings, e);
}

static int read_duration(int *out_ms, const json_t *settings, const char *key, int by_default, struct err *e)
{
    const char *v = optional(settings, key);
    int64_t ms = by_default;
    if (v && (!conf_parse_duration(&ms, str_from(v)) || ms < 1 || ms > 24 * 3600 * 1000))
        return err_set(e, ERR_INPUT, "%s: '%s' is no time up to 1d", key, v);
    *out_ms = (int)ms;
    return 0;
}

int ldap_settings_read(struct ldap_settings *out, const json_t *settings, struct err *e)
{
    struct ldap_settings s = {0};
    try(need(&s.domain, settings, "domain", e));
    try(need(&s.host, settings, "host", e));
    try(read_auth(&s, settings, e));
    try(read_security(&s, settings, e));
    try(read_controllers(&s, settings, e));
    s.ca_path = optional(settings, "ca_certificate");
    s.verify_name = optional(settings, "certificate_name");
    s.base_dn = optional(settings, "base_dn");
    if (s.base_dn && dn_check(str_from(s.base_dn), e) < 0) return err_wrap(e, "base_dn");
    const char *scope = optional(settings, "group_scope");
    s.groups_of_base = scope && strcmp(scope, "base_dn") == 0;
    s.with_disabled = is_on(settings, "extract_disabled_users", true);
    s.with_acls = is_on(settings, "extract_acls", true);
    try(read_custom(&s, settings, e));
    try(read_duration(&s.connect_timeout_ms, settings, "connect_timeout", CONNECT_TIMEOUT_MS, e));
    try(read_duration(&s.answer_timeout_ms, settings, "answer_timeout", ANSWER_TIMEOUT_MS, e));
    int64_t page = conf_int(settings, "page_size");
    s.page_size = page > 0 && page <= 100000 ? (unsigned)page : PAGE_SIZE;
    *out = s;
    return 0;
}
