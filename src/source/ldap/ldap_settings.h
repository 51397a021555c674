/* ldap_settings.h - a connector's settings as the LDAP source uses them; strings borrowed from the job.
 */
#ifndef ROLLCALL_LDAP_SETTINGS_H
#define ROLLCALL_LDAP_SETTINGS_H

#include "net/ldap_conn.h"
#include "source/source.h"

#define LDAP_CUSTOM_MAX 100

struct ldap_custom {
    struct str name;
    enum attr_type type;
    enum kind kind;
};

enum ldap_auth { LDAP_BY_PASSWORD, LDAP_BY_KERBEROS, LDAP_BY_CACHE, LDAP_BY_KEYTAB };

struct ldap_settings {
    const char *domain;
    const char *host;
    uint16_t port;
    enum ldap_security security;
    const char *username, *ca_path, *verify_name; /* username: NULL possible with a cache or keytab */
    enum ldap_auth auth;
    enum gss_mechanism mechanism;
    const char *spn, *krb5_config, *cache, *keytab; /* NULL: not set */
    int64_t frequency_ms;
    const json_t *failover_hosts;    /* texts: HOST or HOST:PORT */
    bool dc_discovery;
    const char *dc_discovery_domain; /* set or domain */
    char dns_servers[4096];          /* "ADDRESS[:PORT],..."; empty: this machine's */
    const char *base_dn; /* NULL: the whole domain */
    bool groups_of_base, with_disabled, with_acls, all_logons;
    struct ldap_custom custom[LDAP_CUSTOM_MAX];
    size_t n_custom;
    int connect_timeout_ms, answer_timeout_ms;
    unsigned page_size;
};

/* ERR_INPUT names the key. */
int ldap_settings_read(struct ldap_settings *out, const json_t *settings, struct err *e) must_use;

#endif
