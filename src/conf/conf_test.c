#include "conf/conf_test.h"

#include <stdlib.h>
#include <unistd.h>

/* --- what is accepted ----------------------------------------------------------------------------------- */

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
    } texts[] = {{"type", "active_directory"}, {"security", "ldaps"},   {"auth", "simple"},
                 {"group_scope", "domain"},    {"mechanism", "gssapi"}, {"last_logon", "one_controller"},
                 {"password", "env:CORP_PW"},  {"frequency", "1h"}};
    for (size_t i = 0; i < n_elements(texts); i++)
        assert_string_equal(conf_str(k->settings, texts[i].key), texts[i].value);
    static const struct {
        const char *key;
        int64_t value;
    } numbers[] = {{"port", 636},
                   {"page_size", 1000},
                   {"connect_timeout", 10000},
                   {"answer_timeout", 60000},
                   {"run_timeout", 43200000},
                   {"frequency", 3600000},
                   {"full_sync_every", 604800000}};
    for (size_t i = 0; i < n_elements(numbers); i++)
        assert_int_equal(conf_int(k->settings, numbers[i].key), numbers[i].value);
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
    const char *yaml = "store: sqlite:rollcall.db\n" CORP "    port: 10636\n"
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
                       "  siem: {type: http, url: \"https://siem.example/in\", token: \"file:tok\", dialect: "
                       "sekoia, batch: 100}\n"
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

/* The ways into a tenant, and which key holds the secret. */
static void test_entra(void **state)
{
    static const struct {
        const char *keys, *secret;
    } ways[] = {
        {"client_id: 00000000-0000-0000-0000-00000000000F, client_secret: 'cred:s'", "client_secret"},
        {"client_id: 00000000-0000-0000-0000-00000000000F, client_certificate: a.pem", NULL},
        {"client_id: 00000000-0000-0000-0000-00000000000F, client_certificate: a.p12, client_certificate_password: 'env:P'",
         "client_certificate_password"},
        {"client_id: 00000000-0000-0000-0000-00000000000F, federated_token_file: /t", NULL},
        {"managed_identity: true", NULL},
        {"managed_identity: true, client_id: 00000000-0000-0000-0000-00000000000F, identity_url: 'http://127.0.0.1:41/msi/token'", NULL},
        {"managed_identity: true, identity_url: 'http://169.254.169.254/metadata'", NULL},
        {"managed_identity: true, cloud: china", NULL},
        {"managed_identity: true, login_url: 'https://l.example', graph_url: 'http://127.0.0.1:8080'", NULL},
        {"managed_identity: true, kinds: 'user, group,role,administrative_unit,service_principal,device,contact,tenant'", NULL},
        {"managed_identity: true, mfa: methods, mfa_methods_time: 30s, reports_every: 0s, incremental: 'off', parallel: 64, page_size: 1", NULL},
    };
    for (size_t i = 0; i < n_elements(ways); i++) {
        char yaml[512];
        struct conf c;
        struct err e;
        snprintf(yaml, sizeof yaml, "connectors:\n  a: {type: entra_id, tenant_id: contoso.example, %s}\n", ways[i].keys);
        if (parse(&c, yaml, no_env, &e) < 0) fail_msg("%s: %s", ways[i].keys, e.message);
        const json_t *s = c.connectors[0].settings;
        const char *key = conf_secret_key("entra_id", s);
        if (ways[i].secret)
            assert_string_equal(key, ways[i].secret);
        else
            assert_null(key);
        if (!json_object_get(s, "parallel")) fail_msg("no default");
        assert_int_equal(conf_check_settings("entra_id", c.connectors[0].settings, "a", &e), 0);
        conf_free(&c);
    }
    struct conf c;
    struct err e;
    assert_int_equal(parse(&c, CORP, no_env, &e), 0);
    assert_string_equal(conf_secret_key("active_directory", c.connectors[0].settings), "password");
    assert_null(conf_secret_key("nonsense", c.connectors[0].settings));
    conf_free(&c);
}

/* What YAML alone would turn into something else stays what was written. */
static void test_spelling_decides_no_type(void **state)
{
    struct conf c;
    struct err e;
    const char *yaml = "connectors:\n  no: {type: active_directory, domain: no, host: \"1e3\", username: "
                       "'0123', password: 'prompt:', port: 0636}\n";
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
    static const char *const files[] = {"",
                                        "\n",
                                        "# nothing\n",
                                        "---\n",
                                        "connectors:\n",
                                        "connectors: {}\nsinks: {}\n",
                                        "\xef\xbb\xbf# mark\n",
                                        "{}"};
    for (size_t i = 0; i < n_elements(files); i++) {
        struct conf c;
        struct err e;
        if (strcmp(files[i], "---\n") == 0)
            continue; /* an empty document is an empty scalar: refused below */
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
        "username: CORP\\alice",
        "username: 'CORP\\alice'",
        "username: \"CORP\\\\alice\"",
        "username: CN=svc,OU=A\\, B,DC=corp,DC=example",
        "username: svc rollcall@corp.example",
        "host: 10.0.0.1",
        "host: \"2001:db8::1\"",
        "host: '[2001:db8::1]'",
        "host: fe80::1%eth0",
        "host: dc_1.corp.example",
        "domain: CORP.Example",
        "base_dn: DC=corp,DC=example",
        "base_dn: \"OU=a , DC=CORP , DC=EXAMPLE\"",
        "base_dn: CN=Users,DC=corp,DC=example",
        "security: starttls",
        "{security: starttls, port: 389}",
        "port: 10389",
        "password: cred:corp",
        "password: 'prompt:'",
        "password: file:/a b/c",
        "failover_hosts: []",
        "failover_hosts: [dc2.corp.example, 'dc3:10636', 192.0.2.1, '[2001:db8::1]:636', '2001:db8::1']",
        "{dc_discovery: true, dc_discovery_domain: emea.example}",
        "dns_servers: [192.0.2.1, '192.0.2.2:5353', '[2001:db8::1]:53', '2001:db8::1']",
        "last_logon: all_controllers",
        "connect_timeout: 1s",
        "run_timeout: 30d",
        "mechanism: spnego",
        "ca_certificate: 'null'",
        "custom_properties: []",
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
            if (flow || strncmp(text, key, strlen(key)) != 0)
                w += (size_t)snprintf(yaml + w, sizeof yaml - w, "%.*s", (int)len, text);
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

/* --- environment ---------------------------------------------------------------------------------------- */

static void test_environment(void **state)
{
    char *env[] = {"PATH=/bin",
                   "ROLLCALL_CONFIG=/x",
                   "ROLLCALL_CONNECTORS_CORP_HOST=dc9.corp.example",
                   "ROLLCALL_CONNECTORS_CORP_PAGE_SIZE=7",
                   "ROLLCALL_CONNECTORS_CORP_CA_CERTIFICATE=rel.pem",
                   "ROLLCALL_STORE=sqlite:e.db",
                   "ROLLCALL_SINKS_MY_SINK_PATH=p",
                   "ROLLCALL_CONNECTORS_CORP_CUSTOM_PROPERTIES=[{name: badge, kind: user, type: string}]",
                   "ROLLCALL_CONNECTORS_CORP_FAILOVER_HOSTS=",
                   NULL};
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
        {"ROLLCALL_CONNECTORS_CORP_HOSST=x",
         "ROLLCALL_CONNECTORS_CORP_HOSST: unknown key 'hosst'; did you mean 'host'?"},
        {"ROLLCALL_CONNECTORS_CORP_TYPE=entra_id", "ROLLCALL_CONNECTORS_CORP_TYPE: unknown key 'type'"},
        {"ROLLCALL_CONNECTORS_CROP_HOST=x",
         "ROLLCALL_CONNECTORS_CROP_HOST: there is no connector of that name in the settings"},
        {"ROLLCALL_CONNECTORS_corp_HOST=x",
         "ROLLCALL_CONNECTORS_corp_HOST: there is no connector of that name in the settings"},
        {"ROLLCALL_SINKS_A_PATH=x", "ROLLCALL_SINKS_A_PATH: there is no sink of that name in the settings"},
        {"ROLLCALL_CONNECTORS_CORP_PORT=abc",
         "ROLLCALL_CONNECTORS_CORP_PORT: port: 'abc' is not a whole number from 1 to 65535"},
        {"ROLLCALL_CONNECTORS_CORP_PORT=", "ROLLCALL_CONNECTORS_CORP_PORT: port: has no value"},
        {"ROLLCALL_CONNECTORS_CORP_PORT=389",
         "ROLLCALL_CONNECTORS_CORP_PORT: port: 389 speaks LDAP without TLS at first, but security is "
         "ldaps; write port: 636, or security: starttls"},
        {"ROLLCALL_CONNECTORS_CORP_AUTH=ntlm",
         "ROLLCALL_CONNECTORS_CORP_AUTH: auth: 'ntlm' is none of simple, kerberos, kerberos_cache, keytab"},
        {"ROLLCALL_CONNECTORS_CORP_FAILOVER_HOSTS=a, b c",
         "ROLLCALL_CONNECTORS_CORP_FAILOVER_HOSTS: failover_hosts: 'b c' is not a DNS name"},
        {"ROLLCALL_CONNECTORS_CORP_FAILOVER_HOSTS=[a",
         "ROLLCALL_CONNECTORS_CORP_FAILOVER_HOSTS: value:2:1: did not find expected ',' or ']'"},
        {"ROLLCALL_CONNECTORS_CORP_CUSTOM_PROPERTIES=[{name: a, kind: b, type: string}]", NULL},
        {"ROLLCALL_SINKS_a-b_PATH=x", NULL},
        {"ROLLCALL_SINKS_A\x1b[31m=x", NULL},
        {"ROLLCALL_STORE=foo", "ROLLCALL_STORE: store: 'foo' is not of the form sqlite:PATH"},
        {"ROLLCALL_CONNECTORS_CORP_HOST=\xff", "ROLLCALL_CONNECTORS_CORP_HOST: not UTF-8 text"},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        char *env[] = {cases[i].variable, NULL};
        struct conf c;
        struct err e;
        assert_int_equal(parse(&c, CORP, env, &e), ERR_INPUT);
        if (cases[i].message) assert_string_equal(e.message, cases[i].message);
        assert_non_null(strstr(e.message, "ROLLCALL_"));
        assert_null(strchr(e.message, 0x1b));
    }
}

/* "a" has no key b_host, so A_B_HOST is the host of "a-b"; "x-y" and "x_y" cannot be told apart. */
static void test_environment_names(void **state)
{
#define SMALL(name)                                                                                          \
    "  " name ": {type: active_directory, domain: d.e, host: old, username: u, password: 'prompt:'}\n"
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

/* --- asking and overriding ------------------------------------------------------------------------------ */

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
    assert_string_equal(e.message,
                        "corp: extract_acls: 'no' is neither true nor false (no other words are accepted)");
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
    assert_int_equal(conf_check_settings(k->type, k->settings, "corp", &e), 0);
    assert_int_equal(conf_override(k, STR("security"), STR("ldap"), &e), 0);
    assert_int_equal(conf_check_settings(k->type, k->settings, "corp", &e), ERR_INPUT);
    assert_non_null(strstr(e.message, "clear text"));
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
        {"{\"failover_hosts\":[[\"a\"]]}",
         "corp: 'failover_hosts': neither text, number, true, false nor a list of them"},
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
    json_t *s = json_loads("{\"domain\":\"corp.example\",\"host\":\"dc\",\"username\":\"u@x\",\"password\":"
                           "\"env:P\",\"port\":10636,"
                           "\"extract_acls\":false,\"custom_properties\":[{\"name\":\"badge\",\"kind\":"
                           "\"user\",\"type\":\"string\"}]}",
                           0, NULL);
    assert_int_equal(conf_check_settings("active_directory", s, "corp", &e), 0);
    assert_int_equal(conf_int(s, "port"), 10636);
    assert_int_equal(conf_int(s, "page_size"), 1000);
    assert_false(conf_bool(s, "extract_acls"));
    json_t *before = json_deep_copy(s);
    assert_int_equal(conf_check_settings("active_directory", s, "corp", &e),
                     0); /* checked settings stay as they are */
    assert_true(json_equal(before, s));
    json_decref(before);
    json_decref(s);
    assert_int_equal(conf_check_settings("nonsense", NULL, "corp", &e), ERR_INPUT);
}

/* --- the file itself ------------------------------------------------------------------------------------ */

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
    } good[] = {{"45s", 45000},
                {"30m", 1800000},
                {"1h", 3600000},
                {"7d", 604800000},
                {"0s", 0},
                {"00007s", 7000},
                {"99999999d", 8639999913600000}};
    static const char *const bad[] = {"",    "s",  "1",  "1.5h",       "-1h", "1h30m",
                                      "1 h", "1H", "1w", "999999999d", "h1",  "1ms"};
    int64_t ms;
    for (size_t i = 0; i < n_elements(good); i++) {
        assert_true(conf_parse_duration(&ms, str_from(good[i].text)));
        assert_int_equal(ms, good[i].ms);
    }
    for (size_t i = 0; i < n_elements(bad); i++) assert_false(conf_parse_duration(&ms, str_from(bad[i])));
}

static void test_split_port(void **state)
{
    static const struct {
        const char *text, *host;
        uint16_t port;
    } cases[] = {{"dc2", "dc2", 0},
                 {"dc2.corp.example:636", "dc2.corp.example", 636},
                 {"192.0.2.1:53", "192.0.2.1", 53},
                 {"2001:db8::1", "2001:db8::1", 0},
                 {"[2001:db8::1]", "2001:db8::1", 0},
                 {"[2001:db8::1]:65535", "2001:db8::1", 65535}};
    static const char *const bad[] = {"dc2:", "dc2:x", "dc2:0", "dc2:65536", "dc2:000636", "[::1]53", "[::1]:"};
    struct str host;
    uint16_t port;
    for (size_t i = 0; i < n_elements(cases); i++) {
        assert_true(conf_split_port(&host, &port, str_from(cases[i].text)));
        assert_true(str_equal(host, str_from(cases[i].host)));
        assert_int_equal(port, cases[i].port);
    }
    for (size_t i = 0; i < n_elements(bad); i++)
        if (conf_split_port(&host, &port, str_from(bad[i]))) fail_msg("%s is taken", bad[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_smallest),
        cmocka_unit_test(test_everything),
        cmocka_unit_test(test_entra),
        cmocka_unit_test(test_spelling_decides_no_type),
        cmocka_unit_test(test_empty_files),
        cmocka_unit_test(test_accepted_lines),
        cmocka_unit_test(test_environment),
        cmocka_unit_test(test_environment_refused),
        cmocka_unit_test(test_environment_names),
        cmocka_unit_test(test_environment_completes),
        cmocka_unit_test(test_connector),
        cmocka_unit_test(test_override),
        cmocka_unit_test(test_check_settings),
        cmocka_unit_test(test_load),
        cmocka_unit_test(test_durations),
        cmocka_unit_test(test_split_port),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
