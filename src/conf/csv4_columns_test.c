#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/buf.h"
#include "conf/csv4_columns.h"

#include <stdio.h>

static void test_accepted(void **state)
{
    struct csv4_columns c;
    struct err e = {0};
    const char *yaml = "# ours\n"
                       "users:\n"
                       "  - id\n"
                       "  - {property: displayName, title: 'Name, displayed'}\n"
                       "  - {property: displayName}\n"
                       "members: [groupId, memberId]\n"
                       "delimiter: ;\n"
                       "encoding: UTF-8-BOM\n"
                       "file_domain: contoso.example\n";
    if (csv4_columns_parse(&c, str_from(yaml), "csv4.yaml", &e) < 0) fail_msg("%s", e.message);
    assert_int_equal(c.files[CSV4_USERS].n, 3);
    assert_true(str_equal(c.files[CSV4_USERS].columns[0].property, STR("id")));
    assert_int_equal(c.files[CSV4_USERS].columns[0].title.len, 0);
    assert_true(str_equal(c.files[CSV4_USERS].columns[1].property, STR("displayName")));
    assert_true(str_equal(c.files[CSV4_USERS].columns[1].title, STR("Name, displayed")));
    assert_int_equal(c.files[CSV4_GROUPS].n, 0);
    assert_int_equal(c.files[CSV4_MEMBERS].n, 2);
    assert_int_equal(c.delimiter, ';');
    assert_true(c.with_mark);
    assert_true(str_equal(c.file_domain, STR("contoso.example")));
    csv4_columns_free(&c);
    csv4_columns_free(&c);
    static const struct {
        const char *yaml;
        char delimiter;
    } delimiters[] = {{"", 0}, {"delimiter: ','", ','}, {"delimiter: '|'", '|'}, {"delimiter: tab", '\t'}, {"delimiter: \"\\t\"", '\t'}};
    for (size_t i = 0; i < n_elements(delimiters); i++) {
        if (csv4_columns_parse(&c, str_from(delimiters[i].yaml), "x", &e) < 0) fail_msg("%s: %s", delimiters[i].yaml, e.message);
        assert_int_equal(c.delimiter, delimiters[i].delimiter);
        csv4_columns_free(&c);
    }
}

static void test_refused(void **state)
{
    static const struct {
        const char *yaml, *message;
    } cases[] = {
        {"- a", "c.yaml:1:1: csv4.yaml begins with keys: users, groups, members, owners"},
        {"user: [id]", "c.yaml:1:1: unknown key 'user'; did you mean 'users'?"},
        {"xyz: 1", "c.yaml:1:1: unknown key 'xyz'"},
        {"users: id", "c.yaml:1:8: users: a list is expected, as in [id, displayName]"},
        {"users: []", "c.yaml:1:8: users: names no column; leave the key out for the columns as shipped"},
        {"users: [[id]]", "c.yaml:1:9: users: a column is a property, or {property: displayName, title: Name}"},
        {"users: ['']", "c.yaml:1:9: has no value"},
        {"users: [\"a\\nb\"]", "c.yaml:1:9: a control character within the value"},
        {"users: [{titel: x}]", "c.yaml:1:10: unknown key 'titel'; did you mean 'title'?"},
        {"users: [{title: x}]", "c.yaml:1:9: a column without property; write {property: displayName, title: Name}"},
        {"users: [{property: [a]}]", "c.yaml:1:20: one word is expected here"},
        {"users: [id, id]", "c.yaml:1:13: users: a second column 'id'; give it a title of its own"},
        {"users: [id, {property: mail, title: id}]", "c.yaml:1:13: users: a second column 'id'; give it a title of its own"},
        {"delimiter: ';;'", "c.yaml:1:12: delimiter: ';;' is none of \",\", \";\", \"|\" and tab"},
        {"delimiter: '\"'", "c.yaml:1:12: delimiter: '\"' is none of \",\", \";\", \"|\" and tab"},
        {"delimiter: [a]", "c.yaml:1:12: one word is expected here"},
        {"encoding: latin1", "c.yaml:1:11: encoding: 'latin1' is neither utf-8 nor utf-8-bom"},
        {"file_domain: a/b", "c.yaml:1:14: file_domain: 'a/b' is not a DNS name"},
        {"file_domain: ../x", "c.yaml:1:14: file_domain: '../x' is not a DNS name"},
        {"users: [id]\nusers: [id]", "c.yaml:2:1: key 'users' is there twice (first in line 1)"},
        {"users: [&a id]", "c.yaml:1:9: YAML anchors and aliases (& and *) are not accepted: write the value out"},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct csv4_columns c;
        struct err e = {0};
        if (csv4_columns_parse(&c, str_from(cases[i].yaml), "c.yaml", &e) == 0) fail_msg("accepted: %s", cases[i].yaml);
        assert_string_equal(e.message, cases[i].message);
        assert_int_equal(e.class, ERR_INPUT);
    }
}

static void test_bounds(void **state)
{
    struct csv4_columns c;
    struct err e = {0};
    struct buf yaml = buf_new((size_t)1 << 20);
    buf_printf(&yaml, "users: [p0");
    for (unsigned i = 1; i < 128; i++) buf_printf(&yaml, ", p%u", i);
    size_t len = yaml.len;
    buf_printf(&yaml, "]");
    assert_int_equal(csv4_columns_parse(&c, buf_str(&yaml), "c.yaml", &e), 0);
    assert_int_equal(c.files[CSV4_USERS].n, 128);
    csv4_columns_free(&c);
    yaml.len = len;
    buf_printf(&yaml, ", p128]");
    assert_int_equal(csv4_columns_parse(&c, buf_str(&yaml), "c.yaml", &e), ERR_INPUT);
    assert_non_null(strstr(e.message, "more than 128 columns"));
    buf_free(&yaml);
    assert_int_equal(csv4_columns_load(&c, "/nonexistent/csv4.yaml", &e), ERR_NOTFOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_accepted), cmocka_unit_test(test_refused), cmocka_unit_test(test_bounds)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
