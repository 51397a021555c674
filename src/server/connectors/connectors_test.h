/* connectors_test.h - connectors of a state file of their own, beside one of a settings file; what each test of them asks again and again.
 * No answer may hold "hunter2", the password of them all.
 */
#ifndef ROLLCALL_SERVER_CONNECTORS_TEST_H
#define ROLLCALL_SERVER_CONNECTORS_TEST_H

#include "server/connectors/connectors.h"
#include "server/state/state_test.h"

#define AD "active_directory"

static struct connectors *all;
static struct conf file_conf;

static inline int set_up(void **state)
{
    static const char yaml[] = "store: sqlite:/var/lib/x/x.db\n"
                               "connectors:\n"
                               "  lab:\n    type: active_directory\n    domain: lab.example\n    host: dc.lab.example\n    username: u@lab.example\n"
                               "    password: env:LAB_PW\n"
                               "sinks:\n  siem: {type: http, url: \"https://intake.example/x\", token: \"env:SIEM\"}\n"
                               "identity_rules:\n  - {name: by-mail, kind: user, active_directory: mail, entra_id: mail, confidence: 60, ignore_case: true}\n";
    struct err e;
    if (test_set_up(state) < 0) return -1;
    if (conf_parse(&file_conf, STR(yaml), "t.yaml", "/", NULL, &e) < 0) return -1;
    return connectors_open(&all, test_state, &file_conf, &e);
}

static inline int tear_down(void **state)
{
    connectors_close(all);
    conf_free(&file_conf);
    return test_tear_down(state);
}

static inline json_t *json(const char *text)
{
    json_error_t why;
    json_t *o = json_loads(text, JSON_ALLOW_NUL, &why);
    if (!o) fail_msg("%s: %s", text, why.text);
    return o;
}

/* An administrator's. */
#define FORM(type_name, s, x) (&(struct connector_form){.type = type_name, .settings = s, .secrets = x, .may_refer = true})

static const char corp[] = "{\"domain\": \"corp.example\", \"host\": \"dc1.corp.example\", \"username\": \"svc@corp.example\"}";
static const char tenant[] = "{\"tenant_id\": \"11111111-1111-1111-1111-111111111111\", \"client_id\": \"22222222-2222-2222-2222-222222222222\"}";

static inline int put_err(const char *name, int64_t version, const char *settings, const char *secrets, bool enabled, json_t **out, struct err *e)
{
    json_t *s = json(settings), *x = secrets ? json(secrets) : NULL;
    const char *type = strstr(settings, "tenant_id") ? "entra_id" : AD;
    *e = (struct err){0};
    int rc = connectors_put(all, name, version, FORM(type, s, x), enabled, out, e);
    json_decref(s);
    json_decref(x);
    return rc;
}

static inline int put(const char *name, int64_t version, const char *settings, const char *secrets, bool enabled)
{
    json_t *out;
    struct err e;
    int rc = put_err(name, version, settings, secrets, enabled, &out, &e);
    if (rc == 0) assert_int_equal(json_integer_value(json_object_get(out, "version")), version + 1);
    assert_null(strstr(e.message, "hunter2"));
    json_decref(out);
    return rc;
}

static inline json_t *get(const char *name)
{
    json_t *o;
    struct err e;
    assert_int_equal(connectors_get(all, name, &o, &e), 0);
    char *text = json_dumps(o, 0);
    assert_null(strstr(text, "hunter2"));
    free(text);
    return o;
}

static inline bool must_enter(const char *name, const char *key)
{
    json_t *o = get(name), *one;
    size_t i;
    bool found = false;
    json_array_foreach(json_object_get(o, "must_enter"), i, one) found |= strcmp(json_string_value(one), key) == 0;
    json_decref(o);
    return found;
}

static inline bool is_set(const char *name, const char *key)
{
    json_t *o = get(name);
    bool set = json_is_true(json_object_get(json_object_get(json_object_get(o, "secrets"), key), "set"));
    json_decref(o);
    return set;
}

/* What a child would read. */
static inline int handed_secret(const char *name, const char *key, char *out, size_t size)
{
    struct handed h;
    struct err e = {0};
    int rc = connectors_hand(all, name, &h, &e);
    out[0] = 0;
    if (rc < 0) return rc;
    json_t *doc = json_loadfd(h.settings_fd, 0, NULL);
    assert_non_null(doc);
    const char *at = json_string_value(json_object_get(json_object_get(json_object_get(doc, "connectors"), name), key));
    assert_non_null(at);
    size_t n = strcspn(at, "0123456789");
    ssize_t got = pread(h.secret_fds[strtol(at + n, NULL, 10) - HANDED_SECRET_FD], out, size - 1, 0);
    out[got > 0 ? got : 0] = 0;
    json_decref(doc);
    handed_close(&h);
    return 0;
}

#endif
