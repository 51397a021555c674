#include "source/graph/graph_answer.h"

#include "base/buf.h"

#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_bodies(void **state)
{
    static const struct {
        const char *body, *why; /* NULL: it is read */
    } cases[] = {
        {"{\"value\":[]}", NULL},
        {"{\"value\":[{\"id\":1}],\"@odata.nextLink\":3}", NULL},
        {"{\"error\":null,\"value\":[1]}", NULL},
        {"", "expected"},
        {"{\"value\":[", "expected"},
        {"{\"value\":[]}}", "end of file expected"},
        {"{\"value\":[],\"value\":[]}", "duplicate"},
        {"{\"value\":\"\xff\"}", "unable to decode"},
        {"{\"value\":[1e999]}", "overflow"},
        {"[]", "no object"},
        {"{}", "no list of values"},
        {"{\"value\":{}}", "no list of values"},
        {"{\"error\":{\"code\":\"x\"}}", "an error in an answer of success"},
        {"<html>", "expected"},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        json_t *v;
        struct err e = {0};
        int rc = graph_answer_read(&v, bytes_of(str_from(cases[i].body)), &e);
        if (!cases[i].why) {
            assert_int_equal(rc, 0);
            assert_true(json_is_object(v));
            json_decref(v);
            continue;
        }
        assert_int_equal(rc, ERR_PROTO);
        assert_null(v);
        if (!strstr(e.message, cases[i].why)) fail_msg("%s: %s", cases[i].body, e.message);
    }
}

static size_t allocated;
static void *counting_alloc(size_t n)
{
    void *p = malloc(n);
    allocated += p ? malloc_usable_size(p) + sizeof(size_t) : 0;
    return p;
}
static void counting_free(void *p)
{
    allocated -= p ? malloc_usable_size(p) + sizeof(size_t) : 0;
    free(p);
}

/* The estimate against what the parser really takes. */
static void test_cost(void **state)
{
    static const char *const units[] = {"[],", "{},", "0,", "\"\",", "{\"a\":{}},", "[[]],", "{\"a\":1,\"b\":2},", "{\"id\":\"0\",\"name\":\"someone\"},", "1.5,",
                                        "[1,2,3,4,5,6,7,8,9],"};
    json_malloc_t old_alloc;
    json_free_t old_free;
    json_get_alloc_funcs(&old_alloc, &old_free);
    json_set_alloc_funcs(counting_alloc, counting_free);
    for (size_t i = 0; i < n_elements(units); i++) {
        struct buf b = buf_new((size_t)1 << 20);
        struct err e = {0};
        json_t *v;
        buf_add_str(&b, STR("{\"value\":["));
        while (b.len < 200000) buf_add_str(&b, str_from(units[i]));
        buf_add_str(&b, STR("0]}"));
        size_t before = allocated;
        assert_int_equal(graph_answer_read(&v, buf_bytes(&b), &e), 0);
        size_t real = allocated - before, told = graph_answer_cost(buf_bytes(&b));
        if (real > told + told / 4) fail_msg("%s: takes %zu, told as %zu", units[i], real, told);
        json_decref(v);
        buf_free(&b);
    }
    json_set_alloc_funcs(old_alloc, old_free);
}

static void test_dear(void **state)
{
    struct buf b = buf_new((size_t)4 << 20);
    struct err e = {0};
    json_t *v;
    buf_add_str(&b, STR("{\"value\":["));
    while (b.len < (size_t)1 << 20) buf_add_str(&b, STR("{},"));
    buf_add_str(&b, STR("{}]}"));
    assert_int_equal(graph_answer_read(&v, buf_bytes(&b), &e), ERR_LIMIT);
    assert_null(v);
    assert_non_null(strstr(e.message, "MiB of memory"));
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_bodies), cmocka_unit_test(test_cost), cmocka_unit_test(test_dear)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
