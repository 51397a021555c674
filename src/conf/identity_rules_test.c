/* identity_rules of the settings: what is accepted, and how the rest is refused. */
#include "conf/conf_test.h"

static void test_accepted(void **state)
{
    struct conf c;
    struct err e;
    const char *yaml = "identity_rules:\n"
                       "  - {name: by-mail, kind: user, active_directory: mail, entra_id: mail, confidence: "
                       "60, ignore_case: true}\n"
                       "  - name: by-badge\n"
                       "    kind: device\n"
                       "    active_directory: badgeNumber\n"
                       "    entra_id: display_name\n"
                       "    ignore_domain: yes\n"
                       "    ignore_special_characters: on\n" CORP
                       "    custom_properties: [{name: badgeNumber, kind: user, type: string}]\n";
    if (parse(&c, yaml, no_env, &e) != 0) fail_msg("%s", e.message);
    assert_int_equal(c.n_identity_rules, 2);
    const struct identity_rule *mail = &c.identity_rules[0], *badge = &c.identity_rules[1];
    assert_string_equal(mail->name, "by-mail");
    assert_int_equal(mail->kind, KIND_user);
    assert_string_equal(mail->active_directory, "mail");
    assert_string_equal(mail->entra_id, "mail");
    assert_int_equal(mail->confidence, 60);
    assert_true(mail->ignore_case && !mail->ignore_domain && !mail->ignore_special_characters);
    assert_int_equal(badge->kind, KIND_device);
    assert_string_equal(badge->active_directory, "badgeNumber");
    assert_string_equal(badge->entra_id, "display_name");
    assert_int_equal(badge->confidence, 50);
    assert_true(!badge->ignore_case && badge->ignore_domain && badge->ignore_special_characters);
    conf_free(&c);
}

static void test_none(void **state)
{
    static const char *const texts[] = {CORP, CORP "identity_rules:\n", CORP "identity_rules: []\n"};
    for (size_t i = 0; i < n_elements(texts); i++) {
        struct conf c;
        struct err e;
        assert_int_equal(parse(&c, texts[i], no_env, &e), 0);
        assert_int_equal(c.n_identity_rules, 0);
        conf_free(&c);
    }
}

#define RULE(rest) "identity_rules:\n  - {" rest "}\n"
#define MAILS      "active_directory: mail, entra_id: mail"

static void test_refused(void **state)
{
    static const struct {
        const char *yaml, *message;
    } cases[] = {
        {"identity_rules: 5\n", "t.yaml:1:17: identity_rules: a list is expected, as in [{name: by-mail, "
                                "active_directory: mail, entra_id: mail}]"},
        {"identity_rules: [mail]\n",
         "t.yaml:1:18: identity_rules: a rule is {name: by-mail, active_directory: mail, entra_id: mail}"},
        {RULE("name: a, " MAILS ", kidn: user"),
         "t.yaml:2:55: identity_rules: unknown key 'kidn'; did you mean 'kind'?"},
        {RULE(MAILS), "t.yaml:2:5: identity_rules: a rule without name; write {name: by-mail, "
                      "active_directory: mail, entra_id: mail}"},
        {RULE("name: a, entra_id: mail"), "t.yaml:2:5: identity_rules: a rule without active_directory; "
                                          "write {name: by-mail, active_directory: mail, entra_id: mail}"},
        {RULE("name: 'a b', " MAILS),
         "t.yaml:2:12: identity_rules: name 'a b': 1 to 64 letters, digits, - or _"},
        {RULE("name: sid, " MAILS),
         "t.yaml:2:12: identity_rules: name 'sid' is that of a rule which is built in"},
        {RULE("name: a, " MAILS) "  - {name: a, " MAILS "}\n",
         "t.yaml:3:12: identity_rules: name 'a' is there twice"},
        {RULE("name: a, kind: ou, " MAILS),
         "t.yaml:2:21: identity_rules: kind 'ou' is none of user, group, device, contact"},
        {RULE("name: a, active_directory: mial, entra_id: mail"),
         "t.yaml:2:33: identity_rules: active_directory: no attribute 'mial' is read; did you mean 'mail'?"},
        {RULE("name: a, active_directory: mail, entra_id: shoeSizeOfTheUser"),
         "t.yaml:2:49: identity_rules: entra_id: no attribute 'shoeSizeOfTheUser' is read"},
        {RULE("name: a, " MAILS ", confidence: 100"),
         "t.yaml:2:67: identity_rules: confidence '100' is not from 1 to 99"},
        {RULE("name: a, " MAILS ", confidence: 0"),
         "t.yaml:2:67: identity_rules: confidence '0' is not from 1 to 99"},
        {RULE("name: a, " MAILS ", confidence: -1"),
         "t.yaml:2:67: identity_rules: confidence '-1' is not from 1 to 99"},
        {RULE("name: a, " MAILS ", ignore_case: maybe"),
         "t.yaml:2:68: identity_rules: ignore_case 'maybe' is neither true nor false"},
        {RULE("name: a, active_directory: [mail], entra_id: mail"),
         "t.yaml:2:33: identity_rules: one word is expected here"},
        {"identity_rule: []\n", "t.yaml:1:1: unknown key 'identity_rule'; did you mean 'identity_rules'?"},
    };
    for (size_t i = 0; i < n_elements(cases); i++) assert_fails(cases[i].yaml, no_env, cases[i].message);
}

static void test_too_many(void **state)
{
    struct buf yaml = buf_new(1 << 16);
    buf_printf(&yaml, "identity_rules:\n");
    for (int i = 0; i <= IDENTITY_RULES_MAX; i++) buf_printf(&yaml, "  - {name: r%d, " MAILS "}\n", i);
    assert_fails(buf_cstr(&yaml), no_env, "t.yaml:18:5: identity_rules: more than 16 rules");
    buf_free(&yaml);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepted),
        cmocka_unit_test(test_none),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_too_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
