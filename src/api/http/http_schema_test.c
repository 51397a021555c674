#include "api/http/http_schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static const struct {
    const char *schema, *value, *message; /* NULL: it fits */
} table[] = {
    {"{\"type\":\"object\"}", "{\"anything\":[1,{}]}", NULL},
    {"{\"type\":\"object\",\"properties\":{}}", "{\"a\":1}", "the body has no member a"},
    {"{\"type\":\"object\",\"properties\":{\"name\":{}}}", "{\"nmae\":1}", "the body has no member nmae"},
    {"{\"type\":\"object\",\"properties\":{},\"additionalProperties\":true}", "{\"a\":1}", NULL},
    {"{\"type\":\"object\",\"additionalProperties\":false}", "{\"a\":1}", "the body has no member a"},
    {"{\"type\":\"object\",\"required\":[\"a\",\"b\"]}", "{\"a\":1}", "the body lacks the member b"},
    {"{\"properties\":{\"a\":{\"type\":\"string\"}}}", "{\"a\":1}", "a must be of type string"},
    {"{\"properties\":{\"a\":{\"type\":[\"string\",\"null\"]}}}", "{\"a\":null}", NULL},
    {"{\"properties\":{\"a\":{\"type\":[\"string\",\"null\"]}}}", "{\"a\":true}", "a must be of type string or null"},
    {"{\"properties\":{\"a\":{\"type\":\"number\"}}}", "{\"a\":1}", NULL},
    {"{\"properties\":{\"a\":{\"type\":\"integer\"}}}", "{\"a\":1.5}", "a must be of type integer"},
    {"{\"properties\":{\"a\":{\"type\":\"boolean\"}}}", "{\"a\":0}", "a must be of type boolean"},
    {"{\"properties\":{\"a\":{\"enum\":[\"x\",\"y\"]}}}", "{\"a\":\"z\"}", "a must be one of: x, y"},
    {"{\"properties\":{\"a\":{\"type\":\"string\",\"maxLength\":3}}}", "{\"a\":\"secret\"}", "a is longer than 3"},
    {"{\"properties\":{\"a\":{\"type\":\"string\",\"minLength\":1}}}", "{\"a\":\"\"}", "a is shorter than 1"},
    {"{\"properties\":{\"a\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":9}}}", "{\"a\":10}", "a is more than 9"},
    {"{\"properties\":{\"a\":{\"type\":\"integer\",\"minimum\":1}}}", "{\"a\":-1}", "a is less than 1"},
    {"{\"properties\":{\"a\":{\"type\":\"array\",\"maxItems\":1,\"items\":{\"type\":\"string\"}}}}", "{\"a\":[\"x\",\"y\"]}", "a has more items than 1"},
    {"{\"properties\":{\"a\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}}}}", "{\"a\":[\"x\",1]}", "a.1 must be of type string"},
    {"{\"properties\":{\"a\":{\"type\":\"object\",\"properties\":{\"b\":{\"type\":\"string\"}}}}}", "{\"a\":{\"b\":1}}", "a.b must be of type string"},
    {"{\"properties\":{\"a\":{\"type\":\"object\",\"properties\":{\"b\":{}}}}}", "{\"a\":{\"c\":1}}", "a has no member c"},
};

static void what_fits(void **state)
{
    for (size_t i = 0; i < n_elements(table); i++) {
        struct err e = {.message = ""};
        json_t *schema = json_loads(table[i].schema, 0, NULL), *value = json_loads(table[i].value, 0, NULL);
        assert_int_equal(schema_lint(schema, &e), 0);
        int rc = schema_check(schema, value, &e);
        assert_int_equal(rc, table[i].message ? ERR_INPUT : 0);
        if (table[i].message) assert_string_equal(e.message, table[i].message);
        json_decref(schema);
        json_decref(value);
    }
}

static void what_was_meant(void **state)
{
    struct err e;
    json_t *schema = json_loads("{\"properties\":{\"password\":{},\"name\":{}}}", 0, NULL), *value = json_loads("{\"pasword\":1}", 0, NULL);
    assert_int_equal(schema_check(schema, value, &e), ERR_INPUT);
    assert_string_equal(e.hint, "did you mean password?");
    json_decref(schema);
    json_decref(value);
}

static void our_own_mistakes(void **state)
{
    static const char *const bad[] = {"{\"pattern\":\"x\"}", "{\"type\":\"text\"}", "{\"type\":[]}", "{\"properties\":{\"a\":{\"format\":\"uri\"}}}", "{\"items\":[]}",
                                      "{\"maxLength\":\"3\"}", "[]"};
    struct err e;
    for (size_t i = 0; i < n_elements(bad); i++) {
        json_t *schema = json_loads(bad[i], 0, NULL);
        assert_int_equal(schema_lint(schema, &e), ERR_BUG);
        json_decref(schema);
    }
}

static void bodies(void **state)
{
    static const char *const bad[] = {"", "[]", "1", "{", "{}{}", "{\"a\":1,\"a\":2}", "{\"a\":\"\\u0000\"}", "{\"a\":\"\xff\"}", "{\"a\":[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]}"};
    struct err e;
    json_t *schema = json_object(), *v;
    for (size_t i = 0; i < n_elements(bad); i++) {
        assert_int_equal(schema_read(&v, bytes_of(str_from(bad[i])), schema, &e), ERR_INPUT);
        json_decref(v);
    }
    assert_int_equal(schema_read(&v, bytes_of(STR("{\"a\":\"[[[[[[[[[[[[[[[[[[\\\"[[[\"}")), schema, &e), 0); /* brackets of a text nest nothing */
    json_decref(v);
    json_decref(schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_fits), cmocka_unit_test(what_was_meant), cmocka_unit_test(our_own_mistakes), cmocka_unit_test(bodies)};
    return cmocka_run_group_tests_name("http_schema", tests, NULL, NULL);
}
