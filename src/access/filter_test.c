#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "access/filter.h"
#include "base/when.h"

#define NOW ((int64_t)1700000000000)

struct person {
    struct buf state, values;
    struct record record;
    struct record_index index;
    struct filter_subject s;
};

static void add_text(struct person *p, enum attr a, const char *one, const char *two)
{
    buf_clear(&p->values);
    body_value_bytes(&p->values, bytes_of(str_from(one)));
    if (two) body_value_bytes(&p->values, bytes_of(str_from(two)));
    body_add(&p->state, a, two ? 2 : 1, buf_bytes(&p->values));
}

static void make(struct person *p)
{
    struct err e;
    *p = (struct person){.state = buf_new(65536), .values = buf_new(65536)};
    add_text(p, ATTR_DESCRIPTION, "two words", NULL);
    add_text(p, ATTR_SAM_ACCOUNT_NAME, "svc-backup", NULL);
    buf_clear(&p->values);
    body_value_int(&p->values, 512);
    body_add(&p->state, ATTR_USER_ACCOUNT_CONTROL, 1, buf_bytes(&p->values));
    add_text(p, ATTR_PROXY_ADDRESSES, "SMTP:a@x", "smtp:b@y");
    add_text(p, ATTR_DEPARTMENT, "Finance", NULL);
    p->record = (struct record){.kind = KIND_user, .dn = STR("CN=svc,OU=Svc,DC=x"), .state = buf_bytes(&p->state)};
    assert_int_equal(record_index(&p->index, &p->record, &e), 0);
    p->s = (struct filter_subject){.record = &p->index, .name = STR("svc-backup"), .domain = STR("corp.example")};
    p->s.derived.is_active = TRI_NO;
    p->s.derived.privileges = PRIV_PROTECTED;
    p->s.derived.last_logon_ms = NOW - (int64_t)100 * 86400000;
}

static const struct {
    const char *text;
    bool fits;
} cases[] = {
    {"enabled=false", true},
    {"enabled=true", false},
    {"locked=false", false}, /* not known */
    {"not locked=false", true},
    {"enabled=false and department=Finance", true},
    {"enabled=false and department=finance", true},
    {"ENABLED=FALSE AND DEPARTMENT=Sales", false},
    {"enabled=true or department=Finance", true},
    {"enabled=true or department=Sales", false},
    {"not enabled=true", true},
    {"not (enabled=false and department=Finance)", false},
    {"not enabled=true and department=Sales", false},
    {"enabled=true and department=Finance or kind=user", true},
    {"enabled=true and (department=Finance or kind=user)", false},
    {"kind=user", true},
    {"kind != user", false},
    {"name=svc*", true},
    {"name=*backup", true},
    {"name=s*c*p", true},
    {"name=svc", false},
    {"name~BACK", true},
    {"description=\"two words\"", true},
    {"description='two words'", true},
    {"title=*", false},
    {"not title=*", true},
    {"department=*", true},
    {"proxyAddresses=smtp:b@y", true},
    {"proxyAddresses!=smtp:b@y", false},
    {"proxyAddresses!=smtp:c@y", true},
    {"userAccountControl=512", true},
    {"userAccountControl>500", true},
    {"userAccountControl<=511", false},
    {"last_logon<90d", true},
    {"last_logon>90d", false},
    {"last_logon<120d", false},
    {"last_logon>2023-01-01", true},
    {"last_logon>=2024-01-01T00:00:00Z", false},
    {"password_expires=*", false},
    {"privileged=yes", true},
    {"domain_admin=true", false},
    {"domain=corp.example", true},
    {"dn=*,OU=Svc,*", true},
    {"nosuchfield=1", false},
    {"department>=E and department<G", true},
};

static void judges(void **state)
{
    struct person p;
    (void)state;
    make(&p);
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct filter *f;
        struct err e;
        if (filter_parse(&f, str_from(cases[i].text), NOW, &e) < 0) fail_msg("%s: %s", cases[i].text, e.message);
        if (filter_matches(f, &p.s) != cases[i].fits) fail_msg("%s", cases[i].text);
        filter_free(f);
    }
    assert_true(filter_matches(NULL, &p.s));
    buf_free(&p.state);
    buf_free(&p.values);
}

static void refuses(void **state)
{
    static const struct {
        const char *text, *message;
    } bad[] = {
        {"", "character 1: a condition is missing"},
        {"enabled", "character 8: one of ="},
        {"enabled=", "character 9: a value is wanted"},
        {"enabled=false and", "character 18: a condition is missing"},
        {"enabled=false department=x", "character 15: \"and\" or \"or\""},
        {"(enabled=false", "parenthesis is not closed"},
        {"enabled=false)", "character 14: there is nothing"},
        {"and enabled=false", "character 5: one of ="},
        {"name=\"x", "character 6: this quotation mark"},
        {"=x", "character 1: the name of a field"},
        {"not", "a condition is missing"},
        {"()", "character 2: the name of a field"},
    };
    (void)state;
    for (size_t i = 0; i < n_elements(bad); i++) {
        struct filter *f;
        struct err e;
        assert_int_equal(filter_parse(&f, str_from(bad[i].text), NOW, &e), ERR_INPUT);
        if (!strstr(e.message, bad[i].message)) fail_msg("%s: %s", bad[i].text, e.message);
        assert_true(e.hint[0]);
    }
}

static void deep_and_long_end(void **state)
{
    struct buf b = buf_new((size_t)1 << 20);
    struct filter *f;
    struct err e;
    (void)state;
    for (int i = 0; i < 5000; i++) buf_add_byte(&b, '(');
    assert_int_equal(filter_parse(&f, buf_str(&b), NOW, &e), ERR_INPUT);
    buf_clear(&b);
    for (int i = 0; i < 5000; i++) buf_add_str(&b, STR("not "));
    assert_int_equal(filter_parse(&f, buf_str(&b), NOW, &e), ERR_INPUT);
    buf_clear(&b);
    for (int i = 0; i < 900; i++) buf_add_str(&b, i ? STR(" or kind=x") : STR("kind=x"));
    assert_int_equal(filter_parse(&f, buf_str(&b), NOW, &e), ERR_INPUT); /* 900 conditions and 899 operators */
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(judges), cmocka_unit_test(refuses), cmocka_unit_test(deep_and_long_end)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
