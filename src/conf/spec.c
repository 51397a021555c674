#include "conf/spec.h"

#include "conf/conf.h"

#include <stdio.h>

#define SECONDS(n) ((int64_t)(n)*1000)
#define HOURS(n)   SECONDS((n)*3600)
#define DAYS(n)    HOURS((n)*24)

#define CONNECTION "Connection"
#define SIGN_IN    "Sign-in"
#define SCOPE      "Scope"
#define AVAILABLE  "Availability"
#define SCHEDULE   "Schedule"
#define LIMITS     "Limits"
#define DELIVERY   "Delivery"

/* clang-format off */
static const struct key_spec active_directory[] = {
    {.name = "domain", .kind = KEY_DOMAIN, .is_required = true, .group = CONNECTION, .example = "corp.example", .aka = "domains dns_domain realm fqdn",
     .doc = "DNS name of the domain; one connector for each domain"},
    {.name = "host", .kind = KEY_HOST, .is_required = true, .group = CONNECTION, .example = "dc1.corp.example",
     .aka = "server servername server_name hostname dc domain_controller address",
     .doc = "Name or address of a domain controller, or of a load balancer with sticky sessions"},
    {.name = "port", .kind = KEY_INT, .min = 1, .max = 65535, .group = CONNECTION,
     .doc = "Default by security: ldaps 636, starttls and ldap 389"},
    {.name = "security", .kind = KEY_CHOICE, .choices = "ldaps starttls ldap", .fallback = "ldaps", .group = CONNECTION, .aka = "tls ssl use_tls encryption",
     .doc = "How the connection is protected; ldap only with Kerberos, signed and sealed"},
    {.name = "ca_certificate", .kind = KEY_PATH, .group = CONNECTION, .when_key = "security", .when = "ldaps starttls", .example = "/etc/rollcall/ca.pem",
     .aka = "ca ca_cert cacert ca_file ldap_certificate certificate tls_ca",
     .doc = "CA root(s) or the controller's own certificate, PEM or DER; default (ticket cache, keytab) $LDAP_CERTIFICATE, else the system's authorities"},
    {.name = "certificate_name", .kind = KEY_HOST, .group = CONNECTION, .when_key = "security", .when = "ldaps starttls", .example = "dc1.corp.example",
     .doc = "Name to look for in the certificate instead of host"},
    {.name = "auth", .kind = KEY_CHOICE, .choices = "simple kerberos kerberos_cache keytab", .fallback = "simple", .own = "kerberos_cache", .group = SIGN_IN, .aka = "authentication bind",
     .doc = "Password over TLS, or Kerberos by password, ticket cache or keytab"},
    {.name = "username", .kind = KEY_USER, .is_required = true, .when_key = "auth", .when = "simple kerberos", .group = SIGN_IN, .example = "svc-rollcall@corp.example",
     .aka = "user bind_dn binddn login account bind_user admin_username",
     .doc = "UPN, DOMAIN\\user or DN of an account that may read the directory; no more is needed"},
    {.name = "password", .kind = KEY_SECRET, .is_required = true, .when_key = "auth", .when = "simple kerberos", .group = SIGN_IN, .example = "file:/etc/rollcall/corp.pw",
     .aka = "pass bind_password bindpw secret admin_password",
     .doc = "Where the password is: file:PATH, env:NAME, cred:NAME or prompt:"},
    {.name = "mechanism", .kind = KEY_CHOICE, .choices = "gssapi spnego", .fallback = "gssapi", .when_key = "auth", .when = "kerberos kerberos_cache keytab", .group = SIGN_IN,
     .doc = "SASL mechanism for Kerberos"},
    {.name = "kerberos_spn", .kind = KEY_STRING, .when_key = "auth", .when = "kerberos kerberos_cache keytab", .group = SIGN_IN, .example = "ldap/dc1.corp.example", .aka = "spn",
     .doc = "Service principal of the controller; default ldap/<controller's name>"},
    {.name = "krb5_config", .kind = KEY_PATH, .when_key = "auth", .when = "kerberos kerberos_cache keytab", .group = SIGN_IN, .example = "/etc/krb5.conf", .aka = "krb5_conf",
     .doc = "Kerberos configuration; default $KRB5_CONFIG, else generated"},
    {.name = "credential_cache", .kind = KEY_CACHE, .when_key = "auth", .when = "kerberos_cache", .group = SIGN_IN, .example = "/run/rollcall/cc", .aka = "ccache krb5ccname",
     .doc = "Kerberos ticket cache, a path or FILE:, DIR:, KEYRING:, KCM:; default $KRB5CCNAME"},
    {.name = "keytab", .kind = KEY_PATH, .is_required = true, .when_key = "auth", .when = "keytab", .group = SIGN_IN, .example = "/etc/rollcall/corp.keytab",
     .doc = "Kerberos keytab of the account"},
    {.name = "base_dn", .kind = KEY_DN, .group = SCOPE, .example = "OU=Users,DC=corp,DC=example", .aka = "base search_base dn",
     .doc = "Where users, computers, service accounts and contacts are listed; default the whole domain"},
    {.name = "group_scope", .kind = KEY_CHOICE, .choices = "domain base_dn", .fallback = "domain", .group = SCOPE,
     .doc = "Where groups, OUs, containers, foreign principals and policies are listed"},
    {.name = "extract_disabled_users", .kind = KEY_BOOL, .fallback = "true", .group = SCOPE, .aka = "disabled_users include_disabled",
     .doc = "Disabled accounts too"},
    {.name = "extract_acls", .kind = KEY_BOOL, .fallback = "true", .group = SCOPE, .aka = "acls permissions",
     .doc = "Security descriptors, for questions about access"},
    {.name = "custom_properties", .kind = KEY_PROPERTIES, .group = SCOPE, .aka = "custom_attributes properties attributes extra_attributes",
     .doc = "Further attributes: list of {name, kind, type}"},
    {.name = "last_logon", .kind = KEY_CHOICE, .choices = "one_controller all_controllers", .fallback = "one_controller", .group = SCOPE,
     .doc = "Whether lastLogon, which is not replicated, is asked of every controller"},
    {.name = "failover_hosts", .kind = KEY_HOSTS, .group = AVAILABLE, .example = "[dc2.corp.example]", .aka = "hosts failover fallback_hosts",
     .doc = "Further controllers, tried in order; HOST or HOST:PORT"},
    {.name = "dc_discovery", .kind = KEY_BOOL, .fallback = "false", .group = AVAILABLE,
     .doc = "Finds further controllers by DNS SRV records"},
    {.name = "dc_discovery_domain", .kind = KEY_DOMAIN, .when_key = "dc_discovery", .when = "true", .group = AVAILABLE,
     .doc = "Domain of the SRV records; default domain"},
    {.name = "dns_servers", .kind = KEY_SERVERS, .group = AVAILABLE, .example = "[192.0.2.1, \"192.0.2.2:53\"]", .aka = "dns resolver resolvers nameservers nameserver",
     .doc = "DNS servers for the names of controllers; default: those of this machine"},
    {.name = "incremental", .kind = KEY_CHOICE, .choices = "auto dirsync usn off", .fallback = "auto", .group = SCHEDULE, .aka = "delta dirsync",
     .doc = "How sync finds what changed: DirSync where allowed and uSNChanged (auto), uSNChanged alone (usn), or reads everything (off)"},
    {.name = "frequency", .kind = KEY_DURATION, .min = SECONDS(60), .max = DAYS(365), .fallback = "1h", .group = SCHEDULE, .aka = "interval schedule every",
     .doc = "How often serve reads the directory"},
    {.name = "cron", .kind = KEY_CRON, .group = SCHEDULE, .example = "15 3 * * 1-5", .aka = "crontab at",
     .doc = "When serve reads the directory instead of every frequency: minute hour day month weekday, in UTC"},
    {.name = "full_sync_every", .kind = KEY_DURATION, .min = HOURS(1), .max = DAYS(3650), .fallback = "7d", .group = SCHEDULE,
     .doc = "How often sync reads everything, to verify the incremental runs"},
    {.name = "page_size", .kind = KEY_INT, .min = 1, .max = 100000, .fallback = "1000", .group = LIMITS,
     .doc = "Entries a page; controllers allow 1000 unless told otherwise"},
    {.name = "connect_timeout", .kind = KEY_DURATION, .min = SECONDS(1), .max = HOURS(1), .fallback = "10s", .group = LIMITS, .aka = "timeout",
     .doc = "For name, connection and TLS together"},
    {.name = "answer_timeout", .kind = KEY_DURATION, .min = SECONDS(1), .max = DAYS(1), .fallback = "60s", .group = LIMITS,
     .doc = "For the sign-in and for each page"},
    {.name = "run_timeout", .kind = KEY_DURATION, .min = SECONDS(1), .max = DAYS(30), .fallback = "12h", .group = LIMITS,
     .doc = "For a whole run"},
};

static const struct key_spec entra_id[] = {
    {.name = "tenant_id", .kind = KEY_TENANT, .is_required = true, .group = CONNECTION, .example = "00000000-0000-0000-0000-000000000000", .aka = "tenant directory_id directory tenantid",
     .doc = "Directory (tenant) ID, or a verified domain"},
    {.name = "cloud", .kind = KEY_CHOICE, .choices = "global us_gov us_gov_dod china", .fallback = "global", .group = CONNECTION, .aka = "environment national_cloud",
     .doc = "National cloud"},
    {.name = "login_url", .kind = KEY_URL, .group = CONNECTION, .example = "https://login.microsoftonline.com", .aka = "authority authority_host login",
     .doc = "Sign-in address instead of the cloud's; only together with graph_url"},
    {.name = "graph_url", .kind = KEY_URL, .group = CONNECTION, .example = "https://graph.microsoft.com", .aka = "url endpoint graph graph_endpoint",
     .doc = "Microsoft Graph address instead of the cloud's; only together with login_url"},
    {.name = "ca_certificate", .kind = KEY_PATH, .group = CONNECTION, .example = "/etc/rollcall/ca.pem", .aka = "ca ca_cert cacert ca_file",
     .doc = "CA root(s) of the sign-in service and of Graph; default: the system's authorities"},
    {.name = "client_id", .kind = KEY_GUID, .group = SIGN_IN, .example = "00000000-0000-0000-0000-000000000000", .aka = "app_id application_id appid clientid",
     .doc = "Application (client) ID of the app registration; not needed with managed_identity, where it names a user-assigned identity"},
    {.name = "client_secret", .kind = KEY_SECRET, .group = SIGN_IN, .example = "env:ENTRA_SECRET", .aka = "secret password client_password app_secret secret_value",
     .doc = "Where the client secret's value (not its ID) is: file:PATH, env:NAME, cred:NAME or prompt:"},
    {.name = "client_certificate", .kind = KEY_PATH, .group = SIGN_IN, .example = "/etc/rollcall/entra.pem", .aka = "certificate client_cert cert pfx pem certificate_path",
     .doc = "Certificate with its private key, PEM or PKCS#12, instead of a secret"},
    {.name = "client_certificate_password", .kind = KEY_SECRET, .group = SIGN_IN, .example = "file:/etc/rollcall/entra.pw", .aka = "certificate_password passphrase pfx_password",
     .doc = "Where the passphrase of the certificate's private key is"},
    {.name = "federated_token_file", .kind = KEY_PATH, .group = SIGN_IN, .example = "/var/run/secrets/azure/tokens/azure-identity-token", .aka = "token_file azure_federated_token_file",
     .doc = "Token of a workload identity, read afresh each time, instead of a secret"},
    {.name = "managed_identity", .kind = KEY_BOOL, .fallback = "false", .own = "true", .group = SIGN_IN, .aka = "msi use_managed_identity",
     .doc = "The machine's managed identity, instead of a secret"},
    {.name = "identity_url", .kind = KEY_LOCAL_URL, .group = SIGN_IN, .when_key = "managed_identity", .when = "true", .example = "http://169.254.169.254/metadata/identity/oauth2/token",
     .aka = "identity_endpoint msi_endpoint",
     .doc = "Where the machine gives out tokens of its managed identity; http, to this machine or 169.254.169.254 only"},
    {.name = "kinds", .kind = KEY_STRING, .group = SCOPE, .example = "user,group,role", .aka = "kind entities objects",
     .doc = "Which kinds are read, separated by commas; default all: user, group, role, administrative_unit, service_principal, device, contact, tenant"},
    {.name = "mfa", .kind = KEY_CHOICE, .choices = "auto report methods off", .fallback = "auto", .group = SCOPE, .aka = "is_mfa mfa_status",
     .doc = "Where the MFA state is taken from: the report, user by user where it is refused or silent (auto); the report alone; user by user alone; or not at all"},
    {.name = "mfa_methods_time", .kind = KEY_DURATION, .min = SECONDS(1), .max = DAYS(1), .fallback = "5m", .when_key = "mfa", .when = "auto methods", .group = SCOPE,
     .doc = "How long one run asks for methods user by user; the next run goes on from there"},
    {.name = "sign_in_activity", .kind = KEY_CHOICE, .choices = "auto off", .fallback = "auto", .group = SCOPE, .aka = "last_login last_sign_in",
     .doc = "Last sign-ins, where the tenant's licence has them"},
    {.name = "incremental", .kind = KEY_CHOICE, .choices = "delta created_since off", .fallback = "delta", .group = SCHEDULE, .aka = "delta",
     .doc = "How sync finds what changed: delta queries (delta), only users created since the last run (created_since), or reads everything (off)"},
    {.name = "frequency", .kind = KEY_DURATION, .min = SECONDS(60), .max = DAYS(365), .fallback = "1h", .group = SCHEDULE, .aka = "interval schedule every",
     .doc = "How often serve reads the tenant"},
    {.name = "cron", .kind = KEY_CRON, .group = SCHEDULE, .example = "15 3 * * 1-5", .aka = "crontab at",
     .doc = "When serve reads the tenant instead of every frequency: minute hour day month weekday, in UTC"},
    {.name = "full_sync_every", .kind = KEY_DURATION, .min = HOURS(1), .max = DAYS(3650), .fallback = "7d", .group = SCHEDULE,
     .doc = "How often sync reads everything, to verify the incremental runs"},
    {.name = "reports_every", .kind = KEY_DURATION, .min = 0, .max = DAYS(365), .fallback = "1d", .group = SCHEDULE,
     .doc = "How often incremental runs read the MFA report and sign-ins again"},
    {.name = "parallel", .kind = KEY_INT, .min = 1, .max = 64, .fallback = "16", .group = LIMITS, .aka = "concurrency parallelism workers threads",
     .doc = "Requests under way at the same time"},
    {.name = "page_size", .kind = KEY_INT, .min = 1, .max = 999, .fallback = "999", .group = LIMITS, .aka = "top",
     .doc = "Objects a page"},
    {.name = "connect_timeout", .kind = KEY_DURATION, .min = SECONDS(1), .max = HOURS(1), .fallback = "10s", .group = LIMITS, .aka = "timeout",
     .doc = "For name, connection and TLS together"},
    {.name = "answer_timeout", .kind = KEY_DURATION, .min = SECONDS(1), .max = DAYS(1), .fallback = "60s", .group = LIMITS,
     .doc = "For each answer"},
    {.name = "run_timeout", .kind = KEY_DURATION, .min = SECONDS(1), .max = DAYS(30), .fallback = "12h", .group = LIMITS,
     .doc = "For a whole run"},
};

#define OCSF_VERSION                                                                                         \
    {.name = "ocsf_version", .kind = KEY_CHOICE, .choices = "1.8.0 1.6.0 1.1.0", .fallback = "1.8.0", .when_key = "dialect", .when = "ocsf", .group = DELIVERY, .doc = "Version of the OCSF schema"}

static const struct key_spec http[] = {
    {.name = "url", .kind = KEY_URL, .is_required = true, .group = CONNECTION, .example = "https://intake.example/batch", .aka = "address endpoint host",
     .doc = "Where batches are sent"},
    {.name = "token", .kind = KEY_SECRET, .group = CONNECTION, .example = "file:/etc/rollcall/siem.token", .aka = "api_key key bearer secret password",
     .doc = "Where the bearer token is"},
    {.name = "ca_certificate", .kind = KEY_PATH, .group = CONNECTION, .aka = "ca ca_cert cacert",
     .doc = "CA root(s); default: the system's authorities"},
    {.name = "dialect", .kind = KEY_CHOICE, .choices = "ocsf sekoia veza", .fallback = "ocsf", .group = DELIVERY, .aka = "format", .doc = "In which words"},
    OCSF_VERSION,
    {.name = "batch", .kind = KEY_INT, .min = 1, .max = 10000, .fallback = "100", .group = DELIVERY, .aka = "batch_size", .doc = "Events a request"},
    {.name = "timeout", .kind = KEY_DURATION, .min = SECONDS(1), .max = HOURS(1), .fallback = "30s", .group = LIMITS, .doc = "For one request"},
    {.name = "give_up_after", .kind = KEY_DURATION, .min = SECONDS(1), .max = DAYS(1), .fallback = "5m", .group = LIMITS, .aka = "retry_for",
     .doc = "How long one batch is tried again; what waits stays in the outbox"},
};

static const struct key_spec directory[] = {
    {.name = "path", .kind = KEY_PATH, .is_required = true, .group = DELIVERY, .example = "/var/lib/rollcall/out", .aka = "directory dir to", .doc = "The directory; made when missing"},
    {.name = "dialect", .kind = KEY_CHOICE, .choices = "csv ocsf sekoia veza csv4", .fallback = "csv", .group = DELIVERY, .aka = "format", .doc = "In which words"},
    OCSF_VERSION,
    {.name = "raw", .kind = KEY_BOOL, .fallback = "false", .when_key = "dialect", .when = "csv csv4", .group = DELIVERY,
     .doc = "Cells as they are, without the apostrophe before = + - @"},
    {.name = "csv4_columns", .kind = KEY_PATH, .when_key = "dialect", .when = "csv4", .group = DELIVERY, .example = "/etc/rollcall/csv4.yaml", .aka = "columns mapping csv4",
     .doc = "Columns, headers and delimiter of the four files; default: the shipped csv4.yaml"},
    {.name = "csv4_domain", .kind = KEY_DOMAIN, .when_key = "dialect", .when = "csv4", .group = DELIVERY, .example = "corp.example", .aka = "domain file_domain domain_name",
     .doc = "What the names of the four files begin with; default: the tenant's default domain, the directory's DNS domain"},
};

static const struct key_spec file[] = {
    {.name = "path", .kind = KEY_PATH, .is_required = true, .is_text = true, .group = DELIVERY, .example = "/var/log/rollcall/events.jsonl", .aka = "file name", .doc = "The file, or - for standard output"},
    {.name = "dialect", .kind = KEY_CHOICE, .choices = "ocsf sekoia veza", .fallback = "ocsf", .group = DELIVERY, .aka = "format", .doc = "In which words"},
    OCSF_VERSION,
};

/* name, doc, is it a sink?, is it built in this version? */
#define TYPES(X)                                                                                             \
    X(active_directory, "Microsoft Active Directory, read over LDAP", false, true)                           \
    X(entra_id, "Microsoft Entra ID, read over Microsoft Graph", false, true)                               \
    X(http, "A receiver over HTTP: a SIEM, a collector", true, true)                                         \
    X(directory, "A directory of files, replaced as one set", true, true)                                    \
    X(file, "One file or standard output, line by line", true, true)

const struct type_spec type_specs[] = {
#define X(name, doc, is_sink, is_available) {#name, doc, is_sink, is_available, name, n_elements(name)},
    TYPES(X)
#undef X
};
const size_t n_type_specs = n_elements(type_specs);

static const struct key_spec vault[] = {
    {.name = "address", .kind = KEY_URL, .is_required = true, .group = CONNECTION, .example = "https://vault.corp.example:8200", .aka = "addr url vault_addr host",
     .doc = "Where HashiCorp Vault or OpenBao answers; http only on this machine (an agent's listener)"},
    {.name = "namespace", .kind = KEY_STRING, .group = CONNECTION, .example = "security/iam", .aka = "ns vault_namespace", .doc = "Its namespace, where there are any"},
    {.name = "ca_certificate", .kind = KEY_PATH, .group = CONNECTION, .example = "/etc/rollcall/ca.pem", .aka = "ca ca_cert cacert ca_file vault_cacert",
     .doc = "CA root(s) or its own certificate; default: the system's authorities"},
    {.name = "auth", .kind = KEY_CHOICE, .choices = "token approle", .fallback = "token", .group = SIGN_IN, .aka = "method auth_method", .doc = "How to log in"},
    {.name = "token", .kind = KEY_SECRET, .when_key = "auth", .when = "token", .group = SIGN_IN, .example = "file:/etc/rollcall/vault.token", .aka = "vault_token",
     .doc = "Where the token is; default $VAULT_TOKEN, else ~/.vault-token"},
    {.name = "mount", .kind = KEY_STRING, .fallback = "approle", .when_key = "auth", .when = "approle", .group = SIGN_IN, .aka = "auth_mount approle_mount path",
     .doc = "Where AppRole is mounted, without auth/"},
    {.name = "role_id", .kind = KEY_STRING, .is_required = true, .when_key = "auth", .when = "approle", .group = SIGN_IN,
     .example = "db02de05-fa39-4855-059b-67221c5c2f63", .aka = "role roleid", .doc = "The AppRole's role id"},
    {.name = "secret_id", .kind = KEY_SECRET, .when_key = "auth", .when = "approle", .group = SIGN_IN, .example = "cred:vault-secret-id", .aka = "secretid secret",
     .doc = "Where the secret id is; absent for a role that asks for none"},
};
/* Not a type: there is one. */
const struct type_spec vault_spec = {"vault", "HashiCorp Vault or OpenBao, where vault: references are read", false, true, vault, n_elements(vault)};

const struct conf_type conf_types[] = {
#define X(name, doc, is_sink, is_available) {#name, doc, is_sink},
    TYPES(X)
#undef X
    {NULL, NULL, false},
};
/* clang-format on */

const struct type_spec *type_spec_find(struct str name)
{
    for (size_t i = 0; i < n_type_specs; i++)
        if (str_equal(name, str_from(type_specs[i].name))) return &type_specs[i];
    return NULL;
}

const struct key_spec *key_spec_find(const struct type_spec *t, struct str name)
{
    for (size_t i = 0; i < t->n_keys; i++)
        if (str_equal(name, str_from(t->keys[i].name))) return &t->keys[i];
    return NULL;
}

/* --- lists of words ------------------------------------------------------------------------------------- */

/* Cuts the next word off; empty at the end. */
static struct str next_word(struct str *words)
{
    size_t n = str_index(*words, ' ');
    struct str word = {words->ptr, n};
    n += n < words->len;
    *words = (struct str){words->ptr + n, words->len - n};
    return word;
}

static bool words_have_as(const char *words, struct str word, bool (*same)(struct str, struct str))
{
    for (struct str rest = str_from(words); rest.len;)
        if (same(next_word(&rest), word)) return true;
    return false;
}

bool words_have(const char *words, struct str word)
{
    return words_have_as(words, word, str_equal);
}

const char *words_guess(char out[64], const char *words, struct str word)
{
    char copy[256];
    const char *names[32];
    size_t n = 0;
    snprintf(copy, sizeof copy, "%s", words ? words : "");
    for (char *at = copy; *at && n < n_elements(names) - 1;) {
        names[n++] = at;
        at += strcspn(at, " ");
        if (*at) *at++ = 0;
    }
    names[n] = NULL;
    const char *guess = did_you_mean(word, names);
    if (guess) snprintf(out, 64, "%s", guess);
    return guess ? out : NULL;
}

const char *words_list(char out[256], const char *words)
{
    size_t w = 0;
    for (; words && *words && w + 3 < 256; words++) {
        if (*words == ' ') out[w++] = ',';
        out[w++] = *words;
    }
    out[w] = 0;
    return out;
}

const char *key_spec_guess(const struct type_spec *t, struct str word)
{
    const char *names[64];
    size_t n = 0;
    for (size_t i = 0; i < t->n_keys; i++)
        if (words_have_as(t->keys[i].aka, word, str_equal_nocase)) return t->keys[i].name;
    for (; n < t->n_keys && n < n_elements(names) - 1; n++) names[n] = t->keys[n].name;
    names[n] = NULL;
    return did_you_mean(word, names);
}

bool key_spec_applies(const struct key_spec *k, const json_t *settings)
{
    if (!k->when_key) return true;
    const json_t *v = json_object_get(settings, k->when_key);
    if (json_is_boolean(v)) return words_have(k->when, json_is_true(v) ? STR("true") : STR("false"));
    return words_have(k->when, str_from(json_string_value(v)));
}
