#include "conf/conf_test.h"

/* --- what is refused: one more line behind the right ones, at 8:5; values begin at column 5 + key + 2 --- */

static const struct {
    const char *line, *message;
} refused[] = {
    /* keys */
    {"hosst: x", "t.yaml:8:5: unknown key 'hosst'; did you mean 'host'?"},
    {"Port: 1", "t.yaml:8:5: unknown key 'Port'; did you mean 'port'?"},
    {"server: x", "t.yaml:8:5: unknown key 'server'; did you mean 'host'?"},
    {"bind_dn: x", "t.yaml:8:5: unknown key 'bind_dn'; did you mean 'username'?"},
    {"basedn: x", "t.yaml:8:5: unknown key 'basedn'; did you mean 'base_dn'?"},
    {"colour: red", "t.yaml:8:5: unknown key 'colour'"},
    {"host: other", "t.yaml:8:5: key 'host' is there twice (first in line 5)"},
    {"\"host\": other", "t.yaml:8:5: key 'host' is there twice (first in line 5)"},
    {"client_id: x", "t.yaml:8:5: unknown key 'client_id'"},
    /* numbers, words, switches */
    {"port: abc", "t.yaml:8:11: port: 'abc' is not a whole number from 1 to 65535"},
    {"port: \"abc\"", "t.yaml:8:11: port: 'abc' is not a whole number from 1 to 65535"},
    {"port: 0", "t.yaml:8:11: port: '0' is not a whole number from 1 to 65535"},
    {"port: 65536", "t.yaml:8:11: port: '65536' is not a whole number from 1 to 65535"},
    {"port: -1", "t.yaml:8:11: port: '-1' is not a whole number from 1 to 65535"},
    {"port: 636.0", "t.yaml:8:11: port: '636.0' is not a whole number from 1 to 65535"},
    {"port: 0x27c", "t.yaml:8:11: port: '0x27c' is not a whole number from 1 to 65535"},
    {"port: 18446744073709552252",
     "t.yaml:8:11: port: '18446744073709552252' is not a whole number from 1 to 65535"},
    {"port: [636]", "t.yaml:8:11: port: one value is expected, not a list"},
    {"port: {a: 1}", "t.yaml:8:11: port: one value is expected, not a block of keys"},
    {"port:", "t.yaml:8:10: port: has no value"},
    {"port: ''", "t.yaml:8:11: port: has no value"},
    {"port: ~",
     "t.yaml:8:11: port: has no value; leave the key out, or put the word in quotes if you mean it"},
    {"base_dn: null",
     "t.yaml:8:14: base_dn: has no value; leave the key out, or put the word in quotes if you mean it"},
    {"security: ssl", "t.yaml:8:15: security: 'ssl' is none of ldaps, starttls, ldap"},
    {"security: LDAPS",
     "t.yaml:8:15: security: 'LDAPS' is none of ldaps, starttls, ldap; did you mean 'ldaps'?"},
    {"security: start_tls",
     "t.yaml:8:15: security: 'start_tls' is none of ldaps, starttls, ldap; did you mean 'starttls'?"},
    {"extract_acls: yes",
     "t.yaml:8:19: extract_acls: 'yes' is neither true nor false (no other words are accepted)"},
    {"extract_acls: True",
     "t.yaml:8:19: extract_acls: 'True' is neither true nor false (no other words are accepted)"},
    {"extract_acls: on",
     "t.yaml:8:19: extract_acls: 'on' is neither true nor false (no other words are accepted)"},
    {"extract_acls: 1",
     "t.yaml:8:19: extract_acls: '1' is neither true nor false (no other words are accepted)"},
    {"frequency: 90", "t.yaml:8:16: frequency: '90' is not a duration: write a number and s, m, h or d, as "
                      "in 45s, 30m, 1h, 7d"},
    {"frequency: 1 h", "t.yaml:8:16: frequency: '1 h' is not a duration: write a number and s, m, h or d, as "
                       "in 45s, 30m, 1h, 7d"},
    {"frequency: 5s", "t.yaml:8:16: frequency: '5s' is not from 1m to 365d"},
    {"connect_timeout: 0s", "t.yaml:8:22: connect_timeout: '0s' is not from 1s to 1h"},
    /* combinations */
    {"port: 389", "t.yaml:8:11: port: 389 speaks LDAP without TLS at first, but security is ldaps; write "
                  "port: 636, or security: starttls"},
    {"security: starttls\n    port: 636", "t.yaml:9:11: port: 636 speaks TLS at once, but security is "
                                          "starttls; write port: 389, or security: ldaps"},
    {"port: 3269",
     "t.yaml:8:11: port: 3269 is the global catalog, which holds only a part of every object; use 636"},
    {"security: ldap",
     "t.yaml:8:15: security: with ldap the password would travel in clear text; use starttls or ldaps"},
    /* Kerberos; the settings around it have username and password */
    {"auth: kerberos_cache", "t.yaml:7:15: password: not used with auth: kerberos_cache; leave the key out"},
    {"auth: keytab\n    keytab: k", "t.yaml:7:15: password: not used with auth: keytab; leave the key out"},
    {"auth: kerberos\n    security: ldap\n    ca_certificate: ca.pem",
     "t.yaml:10:21: ca_certificate: there is no certificate with security: ldap; leave the key out, or use ldaps"},
    {"auth: kerberos\n    security: ldap\n    certificate_name: dc1.corp.example",
     "t.yaml:10:23: certificate_name: there is no certificate with security: ldap; leave the key out, or use ldaps"},
    {"auth: kerberos\n    security: ldap\n    port: 636",
     "t.yaml:10:11: port: 636 speaks TLS at once, but security is ldap; write port: 389, or security: ldaps"},
    {"auth: kerberos\n    kerberos_spn: dc1.corp.example", "t.yaml:9:19: kerberos_spn: no service name; write ldap/dc1.corp.example"},
    {"auth: kerberos\n    kerberos_spn: ldap/", "t.yaml:9:19: kerberos_spn: no service name; write ldap/dc1.corp.example"},
    {"auth: kerberos_cache\n    credential_cache: MEMORY:x",
     "t.yaml:9:23: credential_cache: 'MEMORY:x' is no ticket cache that another process can read"},
    {"auth: kerberos\n    mechanism: ntlm", "t.yaml:9:16: mechanism: 'ntlm' is none of gssapi, spnego"},
    {"auth: keytab", "t.yaml:2:3: corp: keytab is missing (needed with auth: keytab)"},
    /* base_dn */
    {"base_dn: OU=Users,DC=company",
     "t.yaml:8:14: base_dn: does not end in the domain's own name, DC=corp,DC=example; did you mean "
     "'OU=Users,DC=corp,DC=example'?"},
    {"base_dn: OU=Users",
     "t.yaml:8:14: base_dn: does not end in the domain's own name, DC=corp,DC=example; did you mean "
     "'OU=Users,DC=corp,DC=example'?"},
    {"base_dn: DC=example",
     "t.yaml:8:14: base_dn: does not end in the domain's own name, DC=corp,DC=example; did you mean "
     "'DC=corp,DC=example'?"},
    {"base_dn: OU=A,DC=emea,DC=corp,DC=example",
     "t.yaml:8:14: base_dn: lies in the domain emea.corp.example, not in corp.example"},
    {"base_dn: DC=notcorp,DC=example",
     "t.yaml:8:14: base_dn: does not end in the domain's own name, DC=corp,DC=example; did you mean "
     "'DC=corp,DC=example'?"},
    /* lists and properties */
    {"failover_hosts: dc2", "t.yaml:8:21: failover_hosts: a list is expected, as in [a, b]"},
    {"failover_hosts: [a, 'b c']", "t.yaml:8:25: failover_hosts: 'b c' is not a DNS name"},
    {"failover_hosts: ['dc2:0']",
     "t.yaml:8:22: failover_hosts: 'dc2:0': what stands after the colon is no port"},
    {"failover_hosts: ['dc2:']",
     "t.yaml:8:22: failover_hosts: 'dc2:': what stands after the colon is no port"},
    {"failover_hosts: ['dc2:65536']",
     "t.yaml:8:22: failover_hosts: 'dc2:65536': what stands after the colon is no port"},
    {"failover_hosts: ['[fe80::1]636']",
     "t.yaml:8:22: failover_hosts: '[fe80::1]636': what stands after the colon is no port"},
    {"failover_hosts: ['ldap://dc2']", "t.yaml:8:22: failover_hosts: 'ldap://dc2' looks like an address of "
                                       "the web: write the host's name only"},
    {"dns_servers: [dc2]", "t.yaml:8:19: dns_servers: 'dc2' is not an IP address"},
    {"dns_servers: ['192.0.2.1:dns']",
     "t.yaml:8:19: dns_servers: '192.0.2.1:dns': what stands after the colon is no port"},
    {"dns_servers: 192.0.2.1", "t.yaml:8:18: dns_servers: a list is expected, as in [a, b]"},
    {"failover_hosts: [[a]]", "t.yaml:8:22: failover_hosts: one value is expected, not a list"},
    {"custom_properties: badge", "t.yaml:8:24: custom_properties: a list is expected, as in [{name: "
                                 "badgeNumber, kind: user, type: string}]"},
    {"custom_properties: [badge]",
     "t.yaml:8:25: custom_properties: an entry is {name: badgeNumber, kind: user, type: string}"},
    {"custom_properties: [{name: a, kind: user}]", "t.yaml:8:25: custom_properties: an entry without type; "
                                                   "write {name: badgeNumber, kind: user, type: string}"},
    {"custom_properties: [{name: a, kind: user, typ: string}]",
     "t.yaml:8:47: custom_properties: unknown key 'typ'; did you mean 'type'?"},
    {"custom_properties: [{name: a, kind: users, type: string}]",
     "t.yaml:8:41: custom_properties: kind 'users' is none of user, computer, service_account, group, "
     "contact, ou, container, "
     "foreign_principal, trust, group_policy, domain; did you mean 'user'?"},
    {"custom_properties: [{name: a, kind: user, type: text}]",
     "t.yaml:8:53: custom_properties: type 'text' is none of string, string_list, integer, boolean, "
     "timestamp, binary"},
    {"custom_properties: [{name: 1a, kind: user, type: string}]",
     "t.yaml:8:32: custom_properties: '1a' is not an attribute's lDAPDisplayName (letters, digits, -)"},
    {"custom_properties: [{name: 'a;binary', kind: user, type: string}]",
     "t.yaml:8:32: custom_properties: 'a;binary' is not an attribute's lDAPDisplayName (letters, digits, -)"},
    {"custom_properties: [{name: 'a)(b=*', kind: user, type: string}]",
     "t.yaml:8:32: custom_properties: 'a)(b=*' is not an attribute's lDAPDisplayName (letters, digits, -)"},
    {"custom_properties: [{name: MAIL, kind: user, type: string}]",
     "t.yaml:8:32: custom_properties: 'MAIL' is read without being asked for: remove it here"},
    {"custom_properties: [{name: memberOf, kind: user, type: string}]",
     "t.yaml:8:32: custom_properties: 'memberOf' is read without being asked for: remove it here"},
    {"custom_properties: [{name: ms-Mcs-AdmPwd, kind: computer, type: string}]",
     "t.yaml:8:32: custom_properties: 'ms-Mcs-AdmPwd' holds secrets, which rollcall does not collect"},
    {"custom_properties: [{name: a, kind: user, type: string}, {name: A, kind: user, type: binary}]",
     "t.yaml:8:69: custom_properties: 'A' is there twice"},
};

static void test_refused_lines(void **state)
{
    for (size_t i = 0; i < n_elements(refused); i++) {
        char yaml[2048];
        snprintf(yaml, sizeof yaml, CORP "    %s\n", refused[i].line);
        assert_fails(yaml, no_env, refused[i].message);
    }
}

/* The same for keys that the right connector has already. */
static const struct {
    const char *key, *value, *message;
} replaced[] = {
    {"host", "ldaps://dc1",
     "t.yaml:5:11: host: 'ldaps://dc1' looks like an address of the web: write the host's name only"},
    {"host", "dc1:636",
     "t.yaml:5:11: host: 'dc1:636': write the host's name only, and the number under port"},
    {"host", "10.0.0.256", "t.yaml:5:11: host: '10.0.0.256' is not an IP address"},
    {"host", "dc1.corp.example.", "t.yaml:5:11: host: 'dc1.corp.example.' ends with a dot: write it without"},
    {"host", "-dc1", "t.yaml:5:11: host: '-dc1' is not a DNS name"},
    {"host", "dc..example", "t.yaml:5:11: host: 'dc..example' is not a DNS name"},
    {"host", "d\xc3\xbc.example",
     "t.yaml:5:11: host: 'd\xc3\xbc.example' holds letters beyond ASCII: write the xn-- form"},
    {"domain", "DC=corp,DC=example",
     "t.yaml:4:13: domain: 'DC=corp,DC=example' is a distinguished name; did you mean 'corp.example'?"},
    {"domain", "10.0.0.1",
     "t.yaml:4:13: domain: '10.0.0.1' is an address; the domain's DNS name is expected"},
    {"domain", "[a, b]", "t.yaml:4:13: domain: one value is expected, not a list"},
    {"username", "''", "t.yaml:6:15: username: has no value"},
    {"username", "'  '", "t.yaml:6:15: username: is empty: an empty name would sign in as anonymous"},
    {"username", "' svc'", "t.yaml:6:15: username: has a space at its beginning or end"},
    {"username", "\"CORP\\alice\"", "t.yaml:6:15: username: a control character within the value"},
    {"username", "\"CORP\\Nancy\"", "t.yaml:6:15: username: a control character within the value"},
    {"username", "\"CORP\\Lars\"", "t.yaml:6:15: username: a control character within the value"},
    {"username", "\"CORP\\svc\"", "t.yaml:6:20: found unknown escape character"},
    {"password", "hunter2", "t.yaml:7:15: password: a secret is never written into the settings itself"},
    {"password", "12345", "t.yaml:7:15: password: a secret is never written into the settings itself"},
    {"password", "File:/x", "t.yaml:7:15: password: a secret is never written into the settings itself"},
    {"password", "''", "t.yaml:7:15: password: has no value"},
    {"password", "'file:'", "t.yaml:7:15: password: file: wants the path of a file behind it"},
    {"password", "env:A-B",
     "t.yaml:7:15: password: env: wants the name of an environment variable behind it"},
    {"password", "cred:a/b",
     "t.yaml:7:15: password: cred: wants the name of a systemd credential behind it, without slashes"},
    {"password", "prompt:now", "t.yaml:7:15: password: prompt: has nothing behind it"},
    {"password", "vault:secret/x", "t.yaml:7:15: password: vault: wants MOUNT/PATH#FIELD behind it"},
    {"password", "vault:secret#x", "t.yaml:7:15: password: vault: wants MOUNT/PATH#FIELD behind it"},
    {"password", "vault:secret/../x#y", "t.yaml:7:15: password: vault: wants MOUNT/PATH#FIELD behind it"},
    {"password", "vault:/secret/x#y", "t.yaml:7:15: password: vault: wants MOUNT/PATH#FIELD behind it"},
    {"password", "vault:secret/x#", "t.yaml:7:15: password: vault: wants MOUNT/PATH#FIELD behind it"},
    {"password", "file:~/pw", "t.yaml:7:15: password: ~ is not expanded: write the whole path"},
    {"type", "active_direktory",
     "t.yaml:3:11: type: 'active_direktory' is none of active_directory, entra_id; did you mean "
     "'active_directory'?"},
    {"type", "http", "t.yaml:3:11: type: 'http' is none of active_directory, entra_id"},
    {"type", "[a]", "t.yaml:3:11: type: one word is expected"},
};

static void test_refused_values(void **state)
{
    for (size_t i = 0; i < n_elements(replaced); i++) {
        char yaml[2048];
        with_replaced(yaml, sizeof yaml, replaced[i].key, replaced[i].value);
        assert_fails(yaml, no_env, replaced[i].message);
    }
}

static void test_missing(void **state)
{
    static const struct {
        const char *key, *message, *hint;
    } cases[] = {
        {"type", "t.yaml:2:3: connector 'corp': type is missing", "for example: type: active_directory"},
        {"host", "t.yaml:2:3: corp: host is missing",
         "Name or address of a domain controller, or of a load balancer with sticky sessions; for example: "
         "host: dc1.corp.example"},
        {"domain", "t.yaml:2:3: corp: domain is missing",
         "DNS name of the domain; one connector for each domain; for example: domain: corp.example"},
        {"username", "t.yaml:2:3: corp: username is missing (needed with auth: simple)", NULL},
        {"password", "t.yaml:2:3: corp: password is missing (needed with auth: simple)",
         "Where the password is: file:PATH, env:NAME, cred:NAME or prompt:; for example: password: "
         "file:/etc/rollcall/corp.pw"},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        char yaml[2048];
        struct conf c;
        struct err e;
        with_replaced(yaml, sizeof yaml, cases[i].key, NULL);
        assert_int_equal(parse(&c, yaml, no_env, &e), ERR_INPUT);
        assert_string_equal(e.message, cases[i].message);
        if (cases[i].hint) assert_string_equal(e.hint, cases[i].hint);
    }
}

/* Whatever stands where a reference should be may be a password: it is in no message and no hint. */
static void test_no_secret_in_messages(void **state)
{
    static const char *const wrong[] = {"s3cr3t-value",      "file s3cr3t-value",   "[s3cr3t-value]",
                                        "{a: s3cr3t-value}", "\"s3cr3t-value\\t\"", "env:s3cr3t-value",
                                        "cred:s3cr3t/value", "prompt:s3cr3t-value", "vault:s3cr3t-value",
                                        "&s3cr3t-value a",   "!s3cr3t-value a",     "*s3cr3t-value",
                                        "'s3cr3t-value",     "s3cr3t: value",       "@s3cr3t-value",
                                        "%s3cr3t-value",     "~s3cr3t-value",       "file:~s3cr3t-value"};
    for (size_t i = 0; i < n_elements(wrong); i++) {
        char yaml[2048];
        struct conf c;
        struct err e;
        with_replaced(yaml, sizeof yaml, "password", wrong[i]);
        assert_int_equal(parse(&c, yaml, no_env, &e), ERR_INPUT);
        assert_null(strstr(e.message, "s3cr3t"));
        assert_null(strstr(e.hint, "s3cr3t"));
    }
    char *env[] = {"ROLLCALL_CONNECTORS_CORP_PASSWORD=s3cr3t-value", NULL};
    struct conf c;
    struct err e;
    assert_int_equal(parse(&c, CORP, env, &e), ERR_INPUT);
    assert_string_equal(
        e.message,
        "ROLLCALL_CONNECTORS_CORP_PASSWORD: password: a secret is never written into the settings itself");
    assert_null(strstr(e.hint, "s3cr3t"));
}

/* --- whole files ---------------------------------------------------------------------------------------- */

static const struct {
    const char *yaml, *message;
} files[] = {
    {"conectors: {}\n", "t.yaml:1:1: unknown key 'conectors'; did you mean 'connectors'?"},
    {"foo: 1\n", "t.yaml:1:1: unknown key 'foo'"},
    {"store: 1\n", "t.yaml:1:8: store: '1' is not of the form sqlite:PATH"},
    {"store: sqlite\n", "t.yaml:1:8: store: 'sqlite' is not of the form sqlite:PATH"},
    {"store: 'sqlite:'\n", "t.yaml:1:8: store: 'sqlite:' is not of the form sqlite:PATH"},
    {"store: postgresql://h/db\n", "t.yaml:1:8: store: PostgreSQL is not in this version; use sqlite:PATH"},
    {"store:\n", "t.yaml:1:7: store: sqlite:PATH is expected"},
    {"connectors: [a]\n", "t.yaml:1:13: connectors: a block of named blocks is expected"},
    {"connectors: corp\n", "t.yaml:1:13: connectors: a block of named blocks is expected"},
    {"connectors:\n  my corp: {}\n",
     "t.yaml:2:3: connector 'my corp': a name has 1 to 64 letters, digits, - or _"},
    {"connectors:\n  corp:\n", "t.yaml:2:8: connector 'corp': a block of keys is expected"},
    {"connectors:\n  a: {type: entra_id, tenant_id: x, client_id: y}\n",
     "t.yaml:2:34: tenant_id: 'x' is neither a GUID nor a domain name"},
    {"connectors:\n  a: {type: entra_id, tenant_id: x.y, client_id: y}\n",
     "t.yaml:2:50: client_id: 'y' is not a GUID"},
    {"connectors:\n  a: {type: entra_id, tenant_id: x.y, client_id: 00000000-0000-0000-0000-000000000000}\n",
     "t.yaml:2:3: a: no way to sign in"},
    {"connectors:\n  a: {type: entra_id, tenant_id: x.y, client_id: 00000000-0000-0000-0000-000000000000, "
     "client_secret: env:A, managed_identity: true}\n",
     "t.yaml:2:128: client_secret and managed_identity: one way to sign in is enough; remove one of them"},
    {"sinks: {a: {type: active_directory}}\n",
     "t.yaml:1:19: type: 'active_directory' is none of http, directory, file"},
    {"sinks: {a: {type: http}}\n", "t.yaml:1:9: a: url is missing"},
    {"sinks: {a: {type: http, url: 'http://siem.example/'}}\n",
     "t.yaml:1:30: url: 'http://siem.example/': http:// is accepted for this machine only (127.0.0.1, "
     "localhost); use https://"},
    {"sinks: {a: {type: http, url: 'https://u:p@siem.example/'}}\n",
     "t.yaml:1:30: url: holds a user name or password: use token for that"},
    {"sinks: {a: {type: http, url: 'siem.example'}}\n",
     "t.yaml:1:30: url: 'siem.example' does not begin with https://"},
    {"sinks: {a: {type: http, url: 'https://'}}\n", "t.yaml:1:30: url: 'https://' names no host that can be"},
    {"sinks: {a: {type: http, url: 'https://a:b/'}}\n",
     "t.yaml:1:30: url: 'https://a:b/' names no host that can be"},
    {"sinks: {a: {type: http, url: 'https://a/', dialect: csv}}\n",
     "t.yaml:1:53: dialect: 'csv' is none of ocsf, sekoia, veza"},
    {"sinks: {a: {type: http, url: 'https://a/', batch: 0}}\n",
     "t.yaml:1:51: batch: '0' is not a whole number from 1 to 10000"},
    {"sinks: {a: {type: directory, path: o, dialect: csv4, csv4_domain: 'a b'}}\n",
     "t.yaml:1:67: csv4_domain: 'a b' is not a DNS name"},
    {"sinks: {a: {type: directory, path: '~/o'}}\n",
     "t.yaml:1:36: path: ~ is not expanded: write the whole path"},
    {"sinks: {a: {type: file}}\n", "t.yaml:1:9: a: path is missing"},
    {"sinks: {a: {type: file, path: x, ocsf_version: 1.7.0}}\n",
     "t.yaml:1:48: ocsf_version: '1.7.0' is none of 1.8.0, 1.6.0, 1.1.0; did you mean '1.8.0'?"},
};

static void test_refused_files(void **state)
{
    for (size_t i = 0; i < n_elements(files); i++) assert_fails(files[i].yaml, no_env, files[i].message);
}

#define CLIENT "client_id: 00000000-0000-0000-0000-00000000000f, "
#define SECRET CLIENT "client_secret: env:S, "
/* A connector of Entra ID: what stands behind its tenant in line 2, column 39. */
static const struct {
    const char *keys, *message, *hint;
} entra[] = {
    {"client_secret: env:S", "t.yaml:2:3: a: client_id is missing",
     "Application (client) ID of the app registration; for example: client_id: 00000000-0000-0000-0000-000000000000"},
    {CLIENT, "t.yaml:2:3: a: no way to sign in",
     "set client_certificate, client_secret, federated_token_file or managed_identity: true"},
    {CLIENT "client_secret: 8Q~not.a.reference", "t.yaml:2:103: client_secret: a secret is never written into the settings itself", NULL},
    {CLIENT "client_secret: env:S, federated_token_file: /t",
     "t.yaml:2:132: client_secret and federated_token_file: one way to sign in is enough; remove one of them", NULL},
    {CLIENT "client_secret: env:S, client_certificate_password: env:P",
     "t.yaml:2:139: client_certificate_password without client_certificate: it is the passphrase of that certificate's key; leave it out",
     NULL},
    {CLIENT "client_secret: env:S, identity_url: 'http://127.0.0.1/'",
     "t.yaml:2:124: identity_url without managed_identity: it is where managed identities come from; leave it out, or set "
     "managed_identity: true",
     NULL},
    {"managed_identity: true, identity_url: 'http://10.0.0.1/'",
     "t.yaml:2:77: identity_url: 'http://10.0.0.1/': a machine gets its identity from itself: 127.0.0.1, localhost or 169.254.169.254",
     "for example: identity_url: http://169.254.169.254/metadata/identity/oauth2/token"},
    {"managed_identity: true, identity_url: 'http://127.0.0.1.evil.example/'",
     "t.yaml:2:77: identity_url: 'http://127.0.0.1.evil.example/': a machine gets its identity from itself: 127.0.0.1, localhost or "
     "169.254.169.254",
     NULL},
    {"managed_identity: true, identity_url: 'https://127.0.0.1/'",
     "t.yaml:2:77: identity_url: 'https://127.0.0.1/' does not begin with http://", NULL},
    {"managed_identity: true, identity_url: 'http://a@127.0.0.1/'",
     "t.yaml:2:77: identity_url: 'http://a@127.0.0.1/' names no host that can be", NULL},
    {"client_secret: env:S, login_url: 'https://login.example'", "t.yaml:2:3: a: client_id is missing", NULL},
    {SECRET "login_url: 'https://login.example'",
     "t.yaml:2:121: login_url without graph_url: they belong together; set both, or cloud", NULL},
    {SECRET "graph_url: 'https://graph.example'",
     "t.yaml:2:121: graph_url without login_url: they belong together; set both, or cloud", NULL},
    {SECRET "graph_url: 'https://graph.example', login_url: 'https://l.example', cloud: china",
     "t.yaml:2:185: cloud: login_url and graph_url say where the cloud is; remove cloud, or both of them", NULL},
    {SECRET "login_url: 'https://l.example', graph_url: 'https://graph.example/?a=b'",
     "t.yaml:2:153: graph_url: write the address only, without ? or # and what follows", NULL},
    {SECRET "graph_url: 'http://graph.example'",
     "t.yaml:2:121: graph_url: 'http://graph.example': http:// is accepted for this machine only (127.0.0.1, localhost); use https://",
     NULL},
    {SECRET "kinds: 'user,grup'",
     "t.yaml:2:117: kinds: 'grup' is none of user, group, role, administrative_unit, service_principal, device, contact, tenant; did you "
     "mean 'group'?",
     NULL},
    {SECRET "kinds: 'user,xyzzy'",
     "t.yaml:2:117: kinds: 'xyzzy' is none of user, group, role, administrative_unit, service_principal, device, contact, tenant", NULL},
    {SECRET "kinds: 'user,computer'",
     "t.yaml:2:117: kinds: Entra ID has no computers; choose among user, group, role, administrative_unit, service_principal, device, "
     "contact, tenant",
     NULL},
    {SECRET "kinds: [user, group]", "t.yaml:2:117: kinds: one value is expected, not a list", NULL},
    {SECRET "mfa: yes", "t.yaml:2:115: mfa: 'yes' is none of auto, report, methods, off", NULL},
    {SECRET "incremental: deltas", "t.yaml:2:123: incremental: 'deltas' is none of delta, created_since, off; did you mean 'delta'?", NULL},
    {SECRET "page_size: 1000", "t.yaml:2:121: page_size: '1000' is not a whole number from 1 to 999", NULL},
    {SECRET "parallel: 65", "t.yaml:2:120: parallel: '65' is not a whole number from 1 to 64", NULL},
    {SECRET "tenant: x.y", "t.yaml:2:110: unknown key 'tenant'; did you mean 'tenant_id'?", NULL},
};

static void test_entra(void **state)
{
    for (size_t i = 0; i < n_elements(entra); i++) {
        char yaml[1024];
        struct conf c;
        struct err e;
        snprintf(yaml, sizeof yaml, "connectors:\n  a: {type: entra_id, tenant_id: x.y, %s}\n", entra[i].keys);
        assert_fails(yaml, no_env, entra[i].message);
        if (!entra[i].hint) continue;
        assert_int_equal(parse(&c, yaml, no_env, &e), ERR_INPUT);
        assert_string_equal(e.hint, entra[i].hint);
    }
    assert_fails("connectors:\n  a: {type: entra_id, tenant_id: common}\n", no_env,
                 "t.yaml:2:34: tenant_id: 'common' is no tenant: write the directory (tenant) ID, or a verified domain of it");
    assert_fails("connectors:\n  a: {type: entra_id, tenant_id: 5D5E1F4A-0000-4000-8000-00000000000A, client_id: "
                 "5d5e1f4a-0000-4000-8000-00000000000a, client_secret: env:S}\n",
                 no_env,
                 "t.yaml:2:83: client_id: the same as tenant_id; write the application (client) ID of the app registration's overview");
}

static void test_loopback_urls(void **state)
{
    static const char *const urls[] = {"http://127.0.0.1:8080/in", "http://localhost/", "http://[::1]:9/x",
                                       "https://siem.example:8443/a?b=c", "https://10.0.0.1/"};
    for (size_t i = 0; i < n_elements(urls); i++) {
        char yaml[256];
        struct conf c;
        struct err e;
        snprintf(yaml, sizeof yaml, "sinks: {a: {type: http, url: '%s'}}\n", urls[i]);
        if (parse(&c, yaml, no_env, &e) < 0) fail_msg("%s: %s", urls[i], e.message);
        assert_int_equal(conf_int(c.sinks[0].settings, "timeout"), 30000);
        conf_free(&c);
    }
    assert_fails("sinks: {a: {type: http, url: 'http://127.0.0.1.evil.example/'}}\n", no_env,
                 "t.yaml:1:30: url: 'http://127.0.0.1.evil.example/': http:// is accepted for this machine "
                 "only (127.0.0.1, localhost); "
                 "use https://");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused_lines), cmocka_unit_test(test_refused_values),
        cmocka_unit_test(test_missing),       cmocka_unit_test(test_no_secret_in_messages),
        cmocka_unit_test(test_refused_files), cmocka_unit_test(test_entra), cmocka_unit_test(test_loopback_urls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
