#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "conf/conf.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* A connector "corp" that is right; lines 1..7, further keys come at line 8, column 5. */
#define CORP                                                                                                 \
    "connectors:\n"                                                                                          \
    "  corp:\n"                                                                                              \
    "    type: active_directory\n"                                                                           \
    "    domain: corp.example\n"                                                                             \
    "    host: dc1.corp.example\n"                                                                           \
    "    username: svc@corp.example\n"                                                                       \
    "    password: env:CORP_PW\n"

static char *const no_env[] = {NULL};

static int parse(struct conf *c, const char *yaml, char *const *env, struct err *e)
{
    *e = (struct err){0};
    return conf_parse(c, str_from(yaml), "t.yaml", "/etc/x", env, e);
}

static void assert_fails(const char *yaml, char *const *env, const char *message)
{
    struct conf c;
    struct err e;
    int rc = parse(&c, yaml, env, &e);
    if (rc == 0) fail_msg("accepted, but expected: %s", message);
    assert_string_equal(e.message, message);
    assert_int_equal(rc, ERR_INPUT);
    assert_int_equal(e.class, ERR_INPUT);
    assert_null(c.connectors);
}

/* --- what is accepted ----------------------------------------------------------------------------------------- */

static void test_smallest(void **state)
{
    struct conf c;
    struct err e;
    assert_int_equal(parse(&c, CORP, no_env, &e), 0);
    assert_int_equal(c.n_connectors, 1);
    assert_null(c.store_url);
    const struct connector_conf *k = &c.connectors[0];
    assert_string_equal(k->name, "corp");
    assert_string_equal(k->type, "active_directory");
    assert_int_equal(k->line, 2);
    static const struct {
        const char *key, *value;
    } texts[] = {{"type", "active_directory"}, {"security", "ldaps"}, {"auth", "simple"}, {"group_scope", "domain"},
                 {"mechanism", "gssapi"},      {"last_logon", "one_controller"}, {"password", "env:CORP_PW"},
                 {"frequency", "1h"}};
    for (size_t i = 0; i < n_elements(texts); i++) assert_string_equal(conf_str(k->settings, texts[i].key), texts[i].value);
    static const struct {
        const char *key;
        int64_t value;
    } numbers[] = {{"port", 636},           {"page_size", 1000},        {"connect_timeout", 10000}, {"answer_timeout", 60000},
                   {"run_timeout", 43200000}, {"frequency", 3600000}, {"full_sync_every", 604800000}};
    for (size_t i = 0; i < n_elements(numbers); i++) assert_int_equal(conf_int(k->settings, numbers[i].key), numbers[i].value);
    assert_true(conf_bool(k->settings, "extract_disabled_users"));
    assert_true(conf_bool(k->settings, "extract_acls"));
    assert_false(conf_bool(k->settings, "dc_discovery"));
    assert_null(conf_str(k->settings, "base_dn"));
    assert_null(conf_str(k->settings, "ca_certificate"));
    assert_null(conf_str(k->settings, "certificate_name"));
    assert_int_equal(json_array_size(json_object_get(k->settings, "custom_properties")), 0);
    conf_free(&c);
}

static void test_everything(void **state)
{
    struct conf c;
    struct err e;
    const char *yaml =
        "store: sqlite:rollcall.db\n" CORP
        "    port: 10636\n"
        "    security: ldaps # a remark\n"
        "    ca_certificate: certs/ca.pem\n"
        "    certificate_name: 'dc1.corp.example'\n"
        "    auth: simple\n"
        "    mechanism: spnego\n"
        "    kerberos_spn: ldap/dc1.corp.example\n"
        "    krb5_config: /etc/krb5.conf\n"
        "    credential_cache: /run/rollcall/cc\n"
        "    keytab: ./corp.keytab\n"
        "    base_dn: \"OU=Users,dc=CORP,DC=example\"\n"
        "    group_scope: base_dn\n"
        "    extract_disabled_users: false\n"
        "    extract_acls: false\n"
        "    custom_properties:\n"
        "      - {name: badgeNumber, kind: user, type: string}\n"
        "      - {name: badgeNumber, kind: contact, type: string_list}\n"
        "    failover_hosts: []\n"
        "    dc_discovery: false\n"
        "    dc_discovery_domain: corp.example\n"
        "    last_logon: one_controller\n"
        "    frequency: 30m\n"
        "    full_sync_every: 7d\n"
        "    page_size: \"500\"\n"
        "  cloud: {type: entra_id, tenant_id: 00000000-0000-0000-0000-000000000000,\n"
        "    client_id: 00000000-0000-0000-0000-00000000000F, client_secret: file:s.txt}\n"
        "sinks:\n"
        "  siem: {type: http, url: \"https://siem.example/in\", token: \"file:tok\", dialect: sekoia, batch: 100}\n"
        "  drop: {type: directory, path: out, dialect: csv}\n"
        "  stream: {type: file, path: '-', ocsf_version: 1.6.0}\n";
    assert_int_equal(parse(&c, yaml, no_env, &e), 0);
    assert_string_equal(c.store_url, "sqlite:/etc/x/rollcall.db");
    assert_int_equal(c.n_connectors, 2);
    assert_int_equal(c.n_sinks, 3);
    const json_t *s = c.connectors[0].settings;
    assert_int_equal(conf_int(s, "port"), 10636);
    assert_int_equal(conf_int(s, "page_size"), 500);
    assert_int_equal(conf_int(s, "frequency"), 1800000);
    assert_string_equal(conf_str(s, "ca_certificate"), "/etc/x/certs/ca.pem");
    assert_string_equal(conf_str(s, "keytab"), "/etc/x/corp.keytab");
    assert_string_equal(conf_str(s, "krb5_config"), "/etc/krb5.conf");
    assert_string_equal(conf_str(s, "base_dn"), "OU=Users,dc=CORP,DC=example");
    assert_false(conf_bool(s, "extract_acls"));
    const json_t *p = json_object_get(s, "custom_properties");
    assert_int_equal(json_array_size(p), 2);
    assert_string_equal(conf_str(json_array_get(p, 1), "type"), "string_list");
    assert_string_equal(conf_str(c.connectors[1].settings, "client_secret"), "file:/etc/x/s.txt");
    assert_string_equal(conf_str(c.sinks[0].settings, "token"), "file:/etc/x/tok");
    assert_string_equal(c.sinks[1].type, "directory");
    assert_string_equal(conf_str(c.sinks[1].settings, "path"), "/etc/x/out");
    assert_string_equal(conf_str(c.sinks[2].settings, "path"), "-");
    assert_string_equal(conf_str(c.sinks[2].settings, "ocsf_version"), "1.6.0");
    conf_free(&c);
}

/* What YAML alone would turn into something else stays what was written. */
static void test_spelling_decides_no_type(void **state)
{
    struct conf c;
    struct err e;
    const char *yaml = "connectors:\n  no: {type: active_directory, domain: no, host: \"1e3\", username: '0123', password: 'prompt:', port: 0636}\n";
    assert_int_equal(parse(&c, yaml, no_env, &e), 0);
    assert_string_equal(c.connectors[0].name, "no");
    assert_string_equal(conf_str(c.connectors[0].settings, "domain"), "no");
    assert_string_equal(conf_str(c.connectors[0].settings, "host"), "1e3");
    assert_string_equal(conf_str(c.connectors[0].settings, "username"), "0123");
    assert_int_equal(conf_int(c.connectors[0].settings, "port"), 636);
    conf_free(&c);
}

static void test_empty_files(void **state)
{
    static const char *const files[] = {"", "\n", "# nothing\n", "---\n", "connectors:\n", "connectors: {}\nsinks: {}\n", "\xef\xbb\xbf# mark\n", "{}"};
    for (size_t i = 0; i < n_elements(files); i++) {
        struct conf c;
        struct err e;
        if (strcmp(files[i], "---\n") == 0) continue; /* an empty document is an empty scalar: refused below */
        assert_int_equal(parse(&c, files[i], no_env, &e), 0);
        assert_int_equal(c.n_connectors, 0);
        conf_free(&c);
    }
    assert_fails("---\n", no_env, "t.yaml:2:1: settings begin with keys: store, connectors, sinks");
    assert_fails("- a\n", no_env, "t.yaml:1:1: settings begin with keys: store, connectors, sinks");
}

/* Further keys of the right connector that are accepted. */
static void test_accepted_lines(void **state)
{
    static const char *const lines[] = {
        "username: CORP\\alice", "username: 'CORP\\alice'", "username: \"CORP\\\\alice\"", "username: CN=svc,OU=A\\, B,DC=corp,DC=example",
        "username: svc rollcall@corp.example", "host: 10.0.0.1", "host: \"2001:db8::1\"", "host: '[2001:db8::1]'", "host: fe80::1%eth0",
        "host: dc_1.corp.example", "domain: CORP.Example", "base_dn: DC=corp,DC=example", "base_dn: \"OU=a , DC=CORP , DC=EXAMPLE\"",
        "base_dn: CN=Users,DC=corp,DC=example", "security: starttls", "{security: starttls, port: 389}", "port: 10389",
        "password: cred:corp", "password: 'prompt:'", "password: file:/a b/c", "failover_hosts: []", "connect_timeout: 1s",
        "run_timeout: 30d", "mechanism: spnego", "ca_certificate: 'null'", "custom_properties: []",
    };
    for (size_t i = 0; i < n_elements(lines); i++) {
        char yaml[1024], key[32];
        struct conf c;
        struct err e;
        /* the line replaces the key of the same name */
        size_t n = strcspn(lines[i], ":");
        bool flow = lines[i][0] == '{';
        snprintf(key, sizeof key, "    %.*s", (int)n, lines[i]);
        size_t w = 0;
        const char *text = CORP;
        while (*text) {
            size_t len = strcspn(text, "\n") + 1;
            if (flow || strncmp(text, key, strlen(key)) != 0) w += (size_t)snprintf(yaml + w, sizeof yaml - w, "%.*s", (int)len, text);
            text += len;
        }
        if (flow)
            snprintf(yaml + w, sizeof yaml - w, "    security: starttls\n    port: 389\n");
        else
            snprintf(yaml + w, sizeof yaml - w, "    %s\n", lines[i]);
        if (parse(&c, yaml, no_env, &e) < 0) fail_msg("%s: %s", lines[i], e.message);
        conf_free(&c);
    }
}

/* --- what is refused: one more line behind the right ones, at 8:5; values begin at column 5 + key + 2 -------------- */

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
    {"port: 18446744073709552252", "t.yaml:8:11: port: '18446744073709552252' is not a whole number from 1 to 65535"},
    {"port: [636]", "t.yaml:8:11: port: one value is expected, not a list"},
    {"port: {a: 1}", "t.yaml:8:11: port: one value is expected, not a block of keys"},
    {"port:", "t.yaml:8:10: port: has no value"},
    {"port: ''", "t.yaml:8:11: port: has no value"},
    {"port: ~", "t.yaml:8:11: port: has no value; leave the key out, or put the word in quotes if you mean it"},
    {"base_dn: null", "t.yaml:8:14: base_dn: has no value; leave the key out, or put the word in quotes if you mean it"},
    {"security: ssl", "t.yaml:8:15: security: 'ssl' is none of ldaps, starttls, ldap"},
    {"security: LDAPS", "t.yaml:8:15: security: 'LDAPS' is none of ldaps, starttls, ldap; did you mean 'ldaps'?"},
    {"security: start_tls", "t.yaml:8:15: security: 'start_tls' is none of ldaps, starttls, ldap; did you mean 'starttls'?"},
    {"extract_acls: yes", "t.yaml:8:19: extract_acls: 'yes' is neither true nor false (no other words are accepted)"},
    {"extract_acls: True", "t.yaml:8:19: extract_acls: 'True' is neither true nor false (no other words are accepted)"},
    {"extract_acls: on", "t.yaml:8:19: extract_acls: 'on' is neither true nor false (no other words are accepted)"},
    {"extract_acls: 1", "t.yaml:8:19: extract_acls: '1' is neither true nor false (no other words are accepted)"},
    {"frequency: 90", "t.yaml:8:16: frequency: '90' is not a duration: write a number and s, m, h or d, as in 45s, 30m, 1h, 7d"},
    {"frequency: 1 h", "t.yaml:8:16: frequency: '1 h' is not a duration: write a number and s, m, h or d, as in 45s, 30m, 1h, 7d"},
    {"frequency: 5s", "t.yaml:8:16: frequency: '5s' is not from 1m to 365d"},
    {"connect_timeout: 0s", "t.yaml:8:22: connect_timeout: '0s' is not from 1s to 1h"},
    /* combinations */
    {"port: 389", "t.yaml:8:11: port: 389 speaks LDAP without TLS at first, but security is ldaps; write port: 636, or security: starttls"},
    {"security: starttls\n    port: 636", "t.yaml:9:11: port: 636 speaks TLS at once, but security is starttls; write port: 389, or security: ldaps"},
    {"port: 3269", "t.yaml:8:11: port: 3269 is the global catalog, which holds only a part of every object; use 636"},
    {"security: ldap", "t.yaml:8:15: security: with ldap the password would travel in clear text; use starttls or ldaps"},
    {"security: ldap\n    auth: keytab\n    keytab: k", "t.yaml:8:15: security: ldap is not in this version; use ldaps"},
    {"auth: kerberos", "t.yaml:8:11: auth: kerberos is not in this version; use simple"},
    {"auth: kerberos_cache", "t.yaml:8:11: auth: kerberos_cache is not in this version; use simple"},
    {"auth: keytab\n    keytab: k", "t.yaml:8:11: auth: keytab is not in this version; use simple"},
    {"auth: keytab", "t.yaml:2:3: corp: keytab is missing (needed with auth: keytab)"},
    {"failover_hosts: [dc2.corp.example]", "t.yaml:8:21: failover_hosts is not in this version; leave the key out"},
    {"dc_discovery: true", "t.yaml:8:19: dc_discovery is not in this version; leave the key out"},
    {"last_logon: all_controllers", "t.yaml:8:17: last_logon: all_controllers is not in this version; use one_controller"},
    /* base_dn */
    {"base_dn: OU=Users,DC=company", "t.yaml:8:14: base_dn: does not end in the domain's own name, DC=corp,DC=example; did you mean "
                                     "'OU=Users,DC=corp,DC=example'?"},
    {"base_dn: OU=Users", "t.yaml:8:14: base_dn: does not end in the domain's own name, DC=corp,DC=example; did you mean "
                          "'OU=Users,DC=corp,DC=example'?"},
    {"base_dn: DC=example", "t.yaml:8:14: base_dn: does not end in the domain's own name, DC=corp,DC=example; did you mean "
                            "'DC=corp,DC=example'?"},
    {"base_dn: OU=A,DC=emea,DC=corp,DC=example", "t.yaml:8:14: base_dn: lies in the domain emea.corp.example, not in corp.example"},
    {"base_dn: DC=notcorp,DC=example", "t.yaml:8:14: base_dn: does not end in the domain's own name, DC=corp,DC=example; did you mean "
                                       "'DC=corp,DC=example'?"},
    /* lists and properties */
    {"failover_hosts: dc2", "t.yaml:8:21: failover_hosts: a list is expected, as in [a, b]"},
    {"failover_hosts: [a, 'b c']", "t.yaml:8:25: failover_hosts: 'b c' is not a DNS name"},
    {"failover_hosts: [[a]]", "t.yaml:8:22: failover_hosts: one value is expected, not a list"},
    {"custom_properties: badge", "t.yaml:8:24: custom_properties: a list is expected, as in [{name: badgeNumber, kind: user, type: string}]"},
    {"custom_properties: [badge]", "t.yaml:8:25: custom_properties: an entry is {name: badgeNumber, kind: user, type: string}"},
    {"custom_properties: [{name: a, kind: user}]",
     "t.yaml:8:25: custom_properties: an entry without type; write {name: badgeNumber, kind: user, type: string}"},
    {"custom_properties: [{name: a, kind: user, typ: string}]", "t.yaml:8:47: custom_properties: unknown key 'typ'; did you mean 'type'?"},
    {"custom_properties: [{name: a, kind: users, type: string}]",
     "t.yaml:8:41: custom_properties: kind 'users' is none of user, computer, service_account, group, contact, ou, container, "
     "foreign_principal, trust, group_policy, domain; did you mean 'user'?"},
    {"custom_properties: [{name: a, kind: user, type: text}]",
     "t.yaml:8:53: custom_properties: type 'text' is none of string, string_list, integer, boolean, timestamp, binary"},
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
    {"host", "ldaps://dc1", "t.yaml:5:11: host: 'ldaps://dc1' looks like an address of the web: write the host's name only"},
    {"host", "dc1:636", "t.yaml:5:11: host: 'dc1:636': write the host's name only, and the number under port"},
    {"host", "10.0.0.256", "t.yaml:5:11: host: '10.0.0.256' is not an IP address"},
    {"host", "dc1.corp.example.", "t.yaml:5:11: host: 'dc1.corp.example.' ends with a dot: write it without"},
    {"host", "-dc1", "t.yaml:5:11: host: '-dc1' is not a DNS name"},
    {"host", "dc..example", "t.yaml:5:11: host: 'dc..example' is not a DNS name"},
    {"host", "d\xc3\xbc.example", "t.yaml:5:11: host: 'd\xc3\xbc.example' holds letters beyond ASCII: write the xn-- form"},
    {"domain", "DC=corp,DC=example", "t.yaml:4:13: domain: 'DC=corp,DC=example' is a distinguished name; did you mean 'corp.example'?"},
    {"domain", "10.0.0.1", "t.yaml:4:13: domain: '10.0.0.1' is an address; the domain's DNS name is expected"},
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
    {"password", "env:A-B", "t.yaml:7:15: password: env: wants the name of an environment variable behind it"},
    {"password", "cred:a/b", "t.yaml:7:15: password: cred: wants the name of a systemd credential behind it, without slashes"},
    {"password", "prompt:now", "t.yaml:7:15: password: prompt: has nothing behind it"},
    {"password", "vault:secret/x", "t.yaml:7:15: password: vault: references are not in this version"},
    {"password", "file:~/pw", "t.yaml:7:15: password: ~ is not expanded: write the whole path"},
    {"type", "active_direktory", "t.yaml:3:11: type: 'active_direktory' is none of active_directory, entra_id; did you mean 'active_directory'?"},
    {"type", "http", "t.yaml:3:11: type: 'http' is none of active_directory, entra_id"},
    {"type", "[a]", "t.yaml:3:11: type: one word is expected"},
};

static void with_replaced(char *out, size_t size, const char *key, const char *line)
{
    char start[64];
    snprintf(start, sizeof start, "    %s:", key);
    size_t w = 0;
    for (const char *text = CORP; *text; text += strcspn(text, "\n") + 1) {
        bool same = strncmp(text, start, strlen(start)) == 0;
        if (same && line) w += (size_t)snprintf(out + w, size - w, "%s %s\n", start, line);
        if (!same) w += (size_t)snprintf(out + w, size - w, "%.*s\n", (int)strcspn(text, "\n"), text);
    }
}

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
         "Name or address of a domain controller, or of a load balancer with sticky sessions; for example: host: dc1.corp.example"},
        {"domain", "t.yaml:2:3: corp: domain is missing", "DNS name of the domain; one connector for each domain; for example: domain: corp.example"},
        {"username", "t.yaml:2:3: corp: username is missing (needed with auth: simple)", NULL},
        {"password", "t.yaml:2:3: corp: password is missing (needed with auth: simple)",
         "Where the password is: file:PATH, env:NAME, cred:NAME or prompt:; for example: password: file:/etc/rollcall/corp.pw"},
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
    static const char *const wrong[] = {"s3cr3t-value", "file s3cr3t-value", "[s3cr3t-value]", "{a: s3cr3t-value}", "\"s3cr3t-value\\t\"",
                                        "env:s3cr3t-value", "cred:s3cr3t/value", "prompt:s3cr3t-value", "vault:s3cr3t-value", "&s3cr3t-value a",
                                        "!s3cr3t-value a", "*s3cr3t-value", "'s3cr3t-value", "s3cr3t: value", "@s3cr3t-value", "%s3cr3t-value",
                                        "~s3cr3t-value", "file:~s3cr3t-value"};
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
    assert_string_equal(e.message, "ROLLCALL_CONNECTORS_CORP_PASSWORD: password: a secret is never written into the settings itself");
    assert_null(strstr(e.hint, "s3cr3t"));
}

/* --- whole files ------------------------------------------------------------------------------------------------- */

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
    {"connectors:\n  my corp: {}\n", "t.yaml:2:3: connector 'my corp': a name has 1 to 64 letters, digits, - or _"},
    {"connectors:\n  corp:\n", "t.yaml:2:8: connector 'corp': a block of keys is expected"},
    {"connectors:\n  a: {type: entra_id, tenant_id: x, client_id: y}\n", "t.yaml:2:34: tenant_id: 'x' is neither a GUID nor a domain name"},
    {"connectors:\n  a: {type: entra_id, tenant_id: x.y, client_id: y}\n", "t.yaml:2:50: client_id: 'y' is not a GUID"},
    {"connectors:\n  a: {type: entra_id, tenant_id: x.y, client_id: 00000000-0000-0000-0000-000000000000}\n", "t.yaml:2:3: a: no way to sign in"},
    {"connectors:\n  a: {type: entra_id, tenant_id: x.y, client_id: 00000000-0000-0000-0000-000000000000, client_secret: env:A, managed_identity: true}\n",
     "t.yaml:2:128: client_secret and managed_identity: one way to sign in is enough"},
    {"sinks: {a: {type: active_directory}}\n", "t.yaml:1:19: type: 'active_directory' is none of http, directory, file"},
    {"sinks: {a: {type: http}}\n", "t.yaml:1:9: a: url is missing"},
    {"sinks: {a: {type: http, url: 'http://siem.example/'}}\n",
     "t.yaml:1:30: url: 'http://siem.example/': http:// is accepted for this machine only (127.0.0.1, localhost); use https://"},
    {"sinks: {a: {type: http, url: 'https://u:p@siem.example/'}}\n", "t.yaml:1:30: url: holds a user name or password: use token for that"},
    {"sinks: {a: {type: http, url: 'siem.example'}}\n", "t.yaml:1:30: url: 'siem.example' does not begin with https://"},
    {"sinks: {a: {type: http, url: 'https://'}}\n", "t.yaml:1:30: url: 'https://' names no host that can be"},
    {"sinks: {a: {type: http, url: 'https://a:b/'}}\n", "t.yaml:1:30: url: 'https://a:b/' names no host that can be"},
    {"sinks: {a: {type: http, url: 'https://a/', dialect: csv}}\n", "t.yaml:1:53: dialect: 'csv' is none of ocsf, sekoia, veza"},
    {"sinks: {a: {type: http, url: 'https://a/', batch: 0}}\n", "t.yaml:1:51: batch: '0' is not a whole number from 1 to 10000"},
    {"sinks: {a: {type: directory, path: o, dialect: csv4}}\n", "t.yaml:1:48: dialect: csv4 is not in this version; use csv"},
    {"sinks: {a: {type: directory, path: '~/o'}}\n", "t.yaml:1:36: path: ~ is not expanded: write the whole path"},
    {"sinks: {a: {type: file}}\n", "t.yaml:1:9: a: path is missing"},
    {"sinks: {a: {type: file, path: x, ocsf_version: 1.7.0}}\n", "t.yaml:1:48: ocsf_version: '1.7.0' is none of 1.8.0, 1.6.0, 1.1.0; did you mean '1.8.0'?"},
};

static void test_refused_files(void **state)
{
    for (size_t i = 0; i < n_elements(files); i++) assert_fails(files[i].yaml, no_env, files[i].message);
}

static void test_loopback_urls(void **state)
{
    static const char *const urls[] = {"http://127.0.0.1:8080/in", "http://localhost/", "http://[::1]:9/x", "https://siem.example:8443/a?b=c", "https://10.0.0.1/"};
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
                 "t.yaml:1:30: url: 'http://127.0.0.1.evil.example/': http:// is accepted for this machine only (127.0.0.1, localhost); "
                 "use https://");
}

/* --- environment --------------------------------------------------------------------------------------------------- */

static void test_environment(void **state)
{
    char *env[] = {"PATH=/bin", "ROLLCALL_CONFIG=/x", "ROLLCALL_CONNECTORS_CORP_HOST=dc9.corp.example", "ROLLCALL_CONNECTORS_CORP_PAGE_SIZE=7",
                   "ROLLCALL_CONNECTORS_CORP_CA_CERTIFICATE=rel.pem", "ROLLCALL_STORE=sqlite:e.db", "ROLLCALL_SINKS_MY_SINK_PATH=p",
                   "ROLLCALL_CONNECTORS_CORP_CUSTOM_PROPERTIES=[{name: badge, kind: user, type: string}]",
                   "ROLLCALL_CONNECTORS_CORP_FAILOVER_HOSTS=", NULL};
    struct conf c;
    struct err e = {0};
    int rc = parse(&c, CORP "sinks: {my-sink: {type: directory}}\n", env, &e);
    if (rc < 0) fail_msg("%s", e.message);
    assert_string_equal(conf_str(c.connectors[0].settings, "host"), "dc9.corp.example");
    assert_int_equal(conf_int(c.connectors[0].settings, "page_size"), 7);
    assert_string_equal(conf_str(c.connectors[0].settings, "ca_certificate"), "/etc/x/rel.pem");
    assert_int_equal(json_array_size(json_object_get(c.connectors[0].settings, "custom_properties")), 1);
    assert_string_equal(c.store_url, "sqlite:/etc/x/e.db");
    assert_string_equal(conf_str(c.sinks[0].settings, "path"), "/etc/x/p");
    conf_free(&c);
}

static void test_environment_refused(void **state)
{
    static const struct {
        char *variable;
        const char *message;
    } cases[] = {
        {"ROLLCALL_CONNECTORS_CORP_HOSST=x", "ROLLCALL_CONNECTORS_CORP_HOSST: unknown key 'hosst'; did you mean 'host'?"},
        {"ROLLCALL_CONNECTORS_CORP_TYPE=entra_id", "ROLLCALL_CONNECTORS_CORP_TYPE: unknown key 'type'"},
        {"ROLLCALL_CONNECTORS_CROP_HOST=x", "ROLLCALL_CONNECTORS_CROP_HOST: there is no connector of that name in the settings"},
        {"ROLLCALL_CONNECTORS_corp_HOST=x", "ROLLCALL_CONNECTORS_corp_HOST: there is no connector of that name in the settings"},
        {"ROLLCALL_SINKS_A_PATH=x", "ROLLCALL_SINKS_A_PATH: there is no sink of that name in the settings"},
        {"ROLLCALL_CONNECTORS_CORP_PORT=abc", "ROLLCALL_CONNECTORS_CORP_PORT: port: 'abc' is not a whole number from 1 to 65535"},
        {"ROLLCALL_CONNECTORS_CORP_PORT=", "ROLLCALL_CONNECTORS_CORP_PORT: port: has no value"},
        {"ROLLCALL_CONNECTORS_CORP_PORT=389", "ROLLCALL_CONNECTORS_CORP_PORT: port: 389 speaks LDAP without TLS at first, but security is "
                                              "ldaps; write port: 636, or security: starttls"},
        {"ROLLCALL_CONNECTORS_CORP_AUTH=kerberos", "ROLLCALL_CONNECTORS_CORP_AUTH: auth: kerberos is not in this version; use simple"},
        {"ROLLCALL_CONNECTORS_CORP_FAILOVER_HOSTS=a, b c", "ROLLCALL_CONNECTORS_CORP_FAILOVER_HOSTS: failover_hosts: 'b c' is not a DNS name"},
        {"ROLLCALL_CONNECTORS_CORP_FAILOVER_HOSTS=[a", "ROLLCALL_CONNECTORS_CORP_FAILOVER_HOSTS: value:2:1: did not find expected ',' or ']'"},
        {"ROLLCALL_CONNECTORS_CORP_CUSTOM_PROPERTIES=[{name: a, kind: b, type: string}]", NULL},
        {"ROLLCALL_STORE=foo", "ROLLCALL_STORE: store: 'foo' is not of the form sqlite:PATH"},
        {"ROLLCALL_CONNECTORS_CORP_HOST=\xff", "ROLLCALL_CONNECTORS_CORP_HOST: not UTF-8 text"},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        char *env[] = {cases[i].variable, NULL};
        struct conf c;
        struct err e;
        assert_int_equal(parse(&c, CORP, env, &e), ERR_INPUT);
        if (cases[i].message) assert_string_equal(e.message, cases[i].message);
        assert_int_equal(strncmp(e.message, cases[i].variable, strcspn(cases[i].variable, "=")), 0);
    }
}

/* "a" has no key b_host, so A_B_HOST is the host of "a-b"; "x-y" and "x_y" cannot be told apart. */
static void test_environment_names(void **state)
{
#define SMALL(name) "  " name ": {type: active_directory, domain: d.e, host: old, username: u, password: 'prompt:'}\n"
    const char *yaml = "connectors:\n" SMALL("a") SMALL("a-b") SMALL("x-y") SMALL("x_y");
    char *good[] = {"ROLLCALL_CONNECTORS_A_B_HOST=new", NULL};
    char *bad[] = {"ROLLCALL_CONNECTORS_X_Y_HOST=new", NULL};
    struct conf c;
    struct err e;
    assert_int_equal(parse(&c, yaml, good, &e), 0);
    assert_string_equal(conf_str(c.connectors[0].settings, "host"), "old");
    assert_string_equal(conf_str(c.connectors[1].settings, "host"), "new");
    conf_free(&c);
    assert_fails(yaml, bad, "ROLLCALL_CONNECTORS_X_Y_HOST: fits two connectors of the settings");
}

/* A required key may come from the environment alone. */
static void test_environment_completes(void **state)
{
    char yaml[2048];
    char *env[] = {"ROLLCALL_CONNECTORS_CORP_PASSWORD=cred:corp", NULL};
    struct conf c;
    struct err e;
    with_replaced(yaml, sizeof yaml, "password", NULL);
    assert_int_equal(parse(&c, yaml, env, &e), 0);
    assert_string_equal(conf_str(c.connectors[0].settings, "password"), "cred:corp");
    conf_free(&c);
}

/* --- asking and overriding ------------------------------------------------------------------------------------------ */

static void test_connector(void **state)
{
    struct conf c;
    struct err e;
    const struct connector_conf *found = NULL;
    assert_int_equal(parse(&c, CORP, no_env, &e), 0);
    assert_int_equal(conf_connector(&c, STR("corp"), &found, &e), 0);
    assert_ptr_equal(found, &c.connectors[0]);
    assert_int_equal(conf_connector(&c, STR("crop"), &found, &e), ERR_NOTFOUND);
    assert_string_equal(e.message, "no connector 'crop' in t.yaml; did you mean 'corp'?");
    assert_string_equal(e.hint, "there are: corp");
    assert_int_equal(conf_connector(&c, STR(""), &found, &e), ERR_NOTFOUND);
    assert_string_equal(e.message, "no connector '' in t.yaml");
    conf_free(&c);
    assert_int_equal(parse(&c, "", no_env, &e), 0);
    assert_int_equal(conf_connector(&c, STR("corp"), &found, &e), ERR_NOTFOUND);
    assert_string_equal(e.hint, "the file has no connectors yet");
    conf_free(&c);
}

static void test_override(void **state)
{
    struct conf c;
    struct err e = {0};
    assert_int_equal(parse(&c, CORP, no_env, &e), 0);
    struct connector_conf *k = &c.connectors[0];
    assert_int_equal(conf_override(k, STR("host"), STR("dc7"), &e), 0);
    assert_string_equal(conf_str(k->settings, "host"), "dc7");
    assert_int_equal(conf_override(k, STR("security"), STR("starttls"), &e), 0);
    assert_int_equal(conf_int(k->settings, "port"), 389); /* the default follows */
    assert_int_equal(conf_override(k, STR("port"), STR("10389"), &e), 0);
    assert_int_equal(conf_override(k, STR("security"), STR("ldaps"), &e), 0);
    assert_int_equal(conf_int(k->settings, "port"), 10389);
    assert_int_equal(conf_override(k, STR("failover_hosts"), STR("a,b"), &e), 0);
    assert_int_equal(conf_override(k, STR("extract_acls"), STR("no"), &e), ERR_INPUT);
    assert_string_equal(e.message, "corp: extract_acls: 'no' is neither true nor false (no other words are accepted)");
    assert_int_equal(conf_override(k, STR("hosst"), STR("a"), &e), ERR_INPUT);
    assert_string_equal(e.message, "corp: unknown key 'hosst'; did you mean 'host'?");
    assert_int_equal(conf_override(k, STR("type"), STR("entra_id"), &e), ERR_INPUT);
    assert_int_equal(conf_override(k, STR("host"), STR("\xff"), &e), ERR_INPUT);
    assert_int_equal(conf_override(k, STR("password"), STR("hunter2"), &e), ERR_INPUT);
    assert_null(strstr(e.message, "hunter2"));
    /* relative paths of a flag are relative to where one stands */
    assert_int_equal(conf_override(k, STR("ca_certificate"), STR("ca.pem"), &e), 0);
    char here[1024], want[1100];
    assert_non_null(getcwd(here, sizeof here));
    snprintf(want, sizeof want, "%s/ca.pem", here);
    assert_string_equal(conf_str(k->settings, "ca_certificate"), want);
    /* combinations are for the whole */
    assert_int_equal(conf_check_settings(k->type, k->settings, "corp", &e), ERR_INPUT);
    assert_string_equal(e.message, "corp: failover_hosts is not in this version; leave the key out");
    conf_free(&c);
}

static void test_check_settings(void **state)
{
    static const struct {
        const char *json, *message;
    } cases[] = {
        {"{}", "corp: domain is missing"},
        {"{\"type\":\"entra_id\"}", "corp: type: the settings of a connector cannot change its type"},
        {"{\"host\":1.5}", "corp: 'host': neither text, number, true, false nor a list of them"},
        {"{\"host\":null}", "corp: 'host': neither text, number, true, false nor a list of them"},
        {"{\"failover_hosts\":[[\"a\"]]}", "corp: 'failover_hosts': neither text, number, true, false nor a list of them"},
        {"{\"port\":\"x\"}", "corp: port: 'x' is not a whole number from 1 to 65535"},
        {"{\"hosst\":\"x\"}", "corp: unknown key 'hosst'; did you mean 'host'?"},
        {"{\"password\":\"hunter2\"}", "corp: password: a secret is never written into the settings itself"},
        {"[]", "corp: an object of settings is expected"},
    };
    struct err e;
    for (size_t i = 0; i < n_elements(cases); i++) {
        json_t *s = json_loads(cases[i].json, 0, NULL);
        assert_int_equal(conf_check_settings("active_directory", s, "corp", &e), ERR_INPUT);
        assert_string_equal(e.message, cases[i].message);
        json_decref(s);
    }
    json_t *s = json_loads("{\"domain\":\"corp.example\",\"host\":\"dc\",\"username\":\"u@x\",\"password\":\"env:P\",\"port\":10636,"
                           "\"extract_acls\":false,\"custom_properties\":[{\"name\":\"badge\",\"kind\":\"user\",\"type\":\"string\"}]}",
                           0, NULL);
    assert_int_equal(conf_check_settings("active_directory", s, "corp", &e), 0);
    assert_int_equal(conf_int(s, "port"), 10636);
    assert_int_equal(conf_int(s, "page_size"), 1000);
    assert_false(conf_bool(s, "extract_acls"));
    json_t *before = json_deep_copy(s);
    assert_int_equal(conf_check_settings("active_directory", s, "corp", &e), 0); /* checked settings stay as they are */
    assert_true(json_equal(before, s));
    json_decref(before);
    json_decref(s);
    assert_int_equal(conf_check_settings("nonsense", NULL, "corp", &e), ERR_INPUT);
}

/* --- the file itself ---------------------------------------------------------------------------------------------- */

static void test_load(void **state)
{
    char dir[] = "/tmp/rollcall-conf-XXXXXX", path[64], variable[128];
    struct conf c;
    struct err e;
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/r.yaml", dir);
    snprintf(variable, sizeof variable, "ROLLCALL_CONFIG=%s", path);
    char *env[] = {variable, NULL};

    assert_int_equal(conf_load(&c, path, no_env, &e), ERR_NOTFOUND);
    assert_string_equal(e.hint, "name the file with --config FILE or $ROLLCALL_CONFIG");
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs("store: sqlite:a.db\n" CORP, f);
    fclose(f);
    assert_int_equal(conf_load(&c, NULL, env, &e), 0);
    char want[128];
    snprintf(want, sizeof want, "sqlite:%s/a.db", dir);
    assert_string_equal(c.store_url, want);
    assert_string_equal(c.path, path);
    conf_free(&c);
    assert_int_equal(conf_load(&c, dir, env, &e), ERR_INPUT); /* a directory */

    f = fopen(path, "w");
    assert_non_null(f);
    for (int i = 0; i < 1024 * 1024 / 8 + 1; i++) fputs("# line\n\n", f);
    fclose(f);
    assert_int_equal(conf_load(&c, path, no_env, &e), ERR_INPUT);
    snprintf(want, sizeof want, "%s: longer than 1 MiB: this is not a settings file", path);
    assert_string_equal(e.message, want);
    unlink(path);
    rmdir(dir);
}

static void test_durations(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
    } good[] = {{"45s", 45000}, {"30m", 1800000}, {"1h", 3600000}, {"7d", 604800000}, {"0s", 0}, {"00007s", 7000}, {"99999999d", 8639999913600000}};
    static const char *const bad[] = {"", "s", "1", "1.5h", "-1h", "1h30m", "1 h", "1H", "1w", "999999999d", "h1", "1ms"};
    int64_t ms;
    for (size_t i = 0; i < n_elements(good); i++) {
        assert_true(conf_parse_duration(&ms, str_from(good[i].text)));
        assert_int_equal(ms, good[i].ms);
    }
    for (size_t i = 0; i < n_elements(bad); i++) assert_false(conf_parse_duration(&ms, str_from(bad[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_smallest),           cmocka_unit_test(test_everything),
        cmocka_unit_test(test_spelling_decides_no_type), cmocka_unit_test(test_empty_files),
        cmocka_unit_test(test_accepted_lines),     cmocka_unit_test(test_refused_lines),
        cmocka_unit_test(test_refused_values),     cmocka_unit_test(test_missing),
        cmocka_unit_test(test_no_secret_in_messages), cmocka_unit_test(test_refused_files),
        cmocka_unit_test(test_loopback_urls),      cmocka_unit_test(test_environment),
        cmocka_unit_test(test_environment_refused), cmocka_unit_test(test_environment_names),
        cmocka_unit_test(test_environment_completes), cmocka_unit_test(test_connector),
        cmocka_unit_test(test_override),           cmocka_unit_test(test_check_settings),
        cmocka_unit_test(test_load),               cmocka_unit_test(test_durations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
