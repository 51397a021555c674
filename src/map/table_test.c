#include "map/dialect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* --- getters for tests: the entity is a string of switches --------------------------------------- */
static const char *on; /* letters of what the entity has */

static bool get_letter(struct view *v, const struct row *row, struct cell *out)
{
    out->type = CELL_TEXT;
    out->text = str_from(row->text);
    return strchr(on, row->arg) != NULL;
}
static bool next_letter(struct view *v, struct str *out)
{
    size_t n = strlen(on);
    while (v->list.position < n) {
        *out = (struct str){on + v->list.position++, 1};
        if (out->ptr[0] >= 'A' && out->ptr[0] <= 'Z') return true;
    }
    return false;
}
static bool get_capitals(struct view *v, const struct row *row, struct cell *out)
{
    v->list = (struct list){.next = next_letter};
    out->type = CELL_LIST;
    return true;
}
static bool item_letter(struct view *v, struct buf *out)
{
    struct str s;
    if (!next_letter(v, &s)) return false;
    buf_printf(out, "{\"l\":\"%c\"}", s.ptr[0]);
    return true;
}
static bool get_items(struct view *v, const struct row *row, struct cell *out)
{
    v->list = (struct list){0};
    out->type = CELL_ARRAY;
    out->item = item_letter;
    return true;
}
static bool get_time_1(struct view *v, const struct row *row, struct cell *out)
{
    out->type = CELL_TIME;
    out->number = 1767225600123;
    return true;
}
static bool get_endless(struct view *v, const struct row *row, struct cell *out);

/* --- running one table --------------------------------------------------------------------------- */
static const struct dialect_type test_type = {.name = "test", .times = TIME_MS};

static void expect(const struct row *rows, unsigned version, const char *letters, const char *want)
{
    struct dialect d = {.type = &test_type, .version = version};
    struct view v = {.d = &d};
    struct buf out = buf_new(4096);
    struct program *p = table_compile(&v, rows, SHAPE_JSON_LINES);
    on = letters;
    bool written = program_json(p, &v, &out);
    if (strcmp(buf_cstr(&out), want) || written != (*want != 0))
        fail_msg("with \"%s\": %s, not %s", letters, buf_cstr(&out), want);
    program_free(p);
    buf_free(&out);
}

static void objects_open_for_their_values(void **state)
{
    static const struct row rows[] = {
        {"a", get_letter, 'a', .text = "1"},
        {"b.c", get_letter, 'b', .text = "2"},
        {"b.d.e", get_letter, 'c', .text = "3"},
        {"b.d.f", get_letter, 'd', .text = "4"},
        {"b.g", get_letter, 'e', .text = "5"},
        {"h.i.j", get_letter, 'f', .text = "6"},
        {NULL},
    };
    static const struct {
        const char *letters, *want;
    } cases[] = {
        {"", ""},
        {"a", "{\"a\":\"1\"}"},
        {"d", "{\"b\":{\"d\":{\"f\":\"4\"}}}"},
        {"cd", "{\"b\":{\"d\":{\"e\":\"3\",\"f\":\"4\"}}}"},
        {"be", "{\"b\":{\"c\":\"2\",\"g\":\"5\"}}"},
        {"ce", "{\"b\":{\"d\":{\"e\":\"3\"},\"g\":\"5\"}}"},
        {"cf", "{\"b\":{\"d\":{\"e\":\"3\"}},\"h\":{\"i\":{\"j\":\"6\"}}}"},
        {"f", "{\"h\":{\"i\":{\"j\":\"6\"}}}"},
        {"abcdef", "{\"a\":\"1\",\"b\":{\"c\":\"2\",\"d\":{\"e\":\"3\",\"f\":\"4\"},\"g\":\"5\"},\"h\":{"
                   "\"i\":{\"j\":\"6\"}}}"},
    };
    for (size_t i = 0; i < n_elements(cases); i++) expect(rows, V1_8, cases[i].letters, cases[i].want);
}

static void elements_and_leads(void **state)
{
    static const struct row rows[] = {
        {"e[0].name", lead_text, .text = "first"},     {"e[0].data.x", get_letter, 'a', .text = "1"},
        {"e[0].data.y", get_letter, 'b', .text = "2"}, {"e[1].name", lead_text, .text = "second"},
        {"e[1].type", lead_text, .text = "t"},         {"e[1].value", get_letter, 'c', .text = "3"},
        {"e[1].data.z", get_letter, 'd', .text = "4"}, {NULL},
    };
    static const struct {
        const char *letters, *want;
    } cases[] = {
        {"", ""},
        {"b", "{\"e\":[{\"name\":\"first\",\"data\":{\"y\":\"2\"}}]}"},
        {"d", "{\"e\":[{\"name\":\"second\",\"type\":\"t\",\"data\":{\"z\":\"4\"}}]}"},
        {"ac", "{\"e\":[{\"name\":\"first\",\"data\":{\"x\":\"1\"}},{\"name\":\"second\",\"type\":\"t\","
               "\"value\":\"3\"}]}"},
    };
    for (size_t i = 0; i < n_elements(cases); i++) expect(rows, V1_8, cases[i].letters, cases[i].want);
}

static void constants_are_joined(void **state)
{
    static const struct row rows[] = {
        {"n", fixed_number, 7},
        {"o.p", fixed_text, .text = "q\""},
        {"o.r.s", fixed_number, -1},
        {"t", get_letter, 'a', .text = "1"},
        {"u[0].v", fixed_number, 2},
        {"u[0].w.x", fixed_text, .text = "y"},
        {"u[0].w.z", get_letter, 'b', .text = "3"},
        {NULL},
    };
    expect(rows, V1_8, "",
           "{\"n\":7,\"o\":{\"p\":\"q\\\"\",\"r\":{\"s\":-1}},\"u\":[{\"v\":2,\"w\":{\"x\":\"y\"}}]}");
    expect(rows, V1_8, "ab",
           "{\"n\":7,\"o\":{\"p\":\"q\\\"\",\"r\":{\"s\":-1}},\"t\":\"1\",\"u\":[{\"v\":2,\"w\":{\"x\":\"y\","
           "\"z\":\"3\"}}]}");
}

static void versions_choose_rows(void **state)
{
    static const struct row rows[] = {
        {"a", fixed_number, 19, .since = V1_8},
        {"a", fixed_number, 2, .before = V1_8},
        {"b", get_letter, 'b', .since = V1_2, .before = V1_6, .text = "x"},
        {"c.l", lead_text, .since = V1_6, .text = "lead"},
        {"c.d", get_letter, 'c', .text = "y"},
        {NULL},
    };
    expect(rows, V1_8, "bc", "{\"a\":19,\"c\":{\"l\":\"lead\",\"d\":\"y\"}}");
    expect(rows, V1_6, "bc", "{\"a\":2,\"c\":{\"l\":\"lead\",\"d\":\"y\"}}");
    expect(rows, V1_5, "bc", "{\"a\":2,\"b\":\"x\",\"c\":{\"d\":\"y\"}}");
    expect(rows, V1_1, "bc", "{\"a\":2,\"c\":{\"d\":\"y\"}}");
}

static void empty_lists_leave_nothing(void **state)
{
    static const struct row rows[] = {
        {"a.list", get_capitals},
        {"a.items", get_items},
        {"b", get_letter, 'b', .text = "1"},
        {NULL},
    };
    expect(rows, V1_8, "", "");
    expect(rows, V1_8, "b", "{\"b\":\"1\"}");
    expect(rows, V1_8, "X", "{\"a\":{\"list\":[\"X\"],\"items\":[{\"l\":\"X\"}]}}");
    expect(rows, V1_8, "XYb",
           "{\"a\":{\"list\":[\"X\",\"Y\"],\"items\":[{\"l\":\"X\"},{\"l\":\"Y\"}]},\"b\":\"1\"}");
}

static void empty_text_is_absent(void **state)
{
    static const struct row rows[] = {{"a", get_letter, 'a', .text = ""}, {NULL}};
    expect(rows, V1_8, "a", "");
}

static void times_are_the_dialects(void **state)
{
    static const struct row rows[] = {{"t", get_time_1}, {NULL}};
    static const struct {
        enum time_format f;
        const char *want;
    } cases[] = {
        {TIME_MS, "{\"t\":1767225600123}"},
        {TIME_SECONDS, "{\"t\":1767225600}"},
        {TIME_RFC3339, "{\"t\":\"2026-01-01T00:00:00.123Z\"}"},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct dialect_type type = {.times = cases[i].f};
        struct dialect d = {.type = &type};
        struct view v = {.d = &d};
        struct buf out = buf_new(256);
        struct program *p = table_compile(&v, rows, SHAPE_JSON_LINES);
        assert_true(program_json(p, &v, &out));
        assert_string_equal(buf_cstr(&out), cases[i].want);
        program_free(p);
        buf_free(&out);
    }
}

/* --- events that are too long -------------------------------------------------------------------- */
static bool next_endless(struct view *v, struct str *out)
{
    *out = STR("an item that comes again and again");
    return true;
}
static bool get_endless(struct view *v, const struct row *row, struct cell *out)
{
    v->list = (struct list){.next = next_endless};
    out->type = CELL_LIST;
    return true;
}
static bool get_is_cut(struct view *v, const struct row *row, struct cell *out)
{
    out->type = CELL_BOOL;
    out->number = v->is_cut;
    return true;
}
static bool get_very_long(struct view *v, const struct row *row, struct cell *out)
{
    static char text[TEXT_MAX + 10];
    memset(text, 'x', sizeof text);
    out->type = CELL_TEXT;
    out->text = (struct str){text, sizeof text};
    return true;
}

static void check_limit(const struct row *rows, size_t at_least)
{
    struct dialect d = {.type = &test_type};
    struct view v = {.d = &d};
    struct err e;
    struct buf out = buf_new((size_t)32 << 20);
    struct program *p = table_compile(&v, rows, SHAPE_JSON_LINES);
    buf_add_str(&out, STR("before\n"));
    assert_int_equal(program_event(p, &v, &out, &e), 0);
    assert_true(out.len < EVENT_MAX);
    assert_true(out.len > at_least);
    assert_memory_equal(out.ptr, "before\n{\"cut\":true,", 19);
    assert_int_equal(out.ptr[out.len - 1], '\n');
    program_free(p);
    buf_free(&out);
}

static void long_events_are_cut_and_say_so(void **state)
{
    static const struct row lists[] = {{"cut", get_is_cut}, {"l", get_endless}, {"m", get_endless}, {NULL}};
    static const struct row texts[] = {
        {"cut", get_is_cut}, {"a", get_very_long}, {"b", get_very_long}, {NULL}};
    check_limit(lists, EVENT_LIST_MAX);
    check_limit(texts, 2 * TEXT_MAX_TIGHT);
}

static void a_full_buffer_is_an_error(void **state)
{
    static const struct row rows[] = {{"cut", get_is_cut}, {"a", get_very_long}, {NULL}};
    struct dialect d = {.type = &test_type};
    struct view v = {.d = &d};
    struct err e;
    struct buf out = buf_new(100);
    struct program *p = table_compile(&v, rows, SHAPE_JSON_LINES);
    assert_int_equal(program_event(p, &v, &out, &e), ERR_LIMIT);
    program_free(p);
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects_open_for_their_values), cmocka_unit_test(elements_and_leads),
        cmocka_unit_test(constants_are_joined),          cmocka_unit_test(versions_choose_rows),
        cmocka_unit_test(empty_lists_leave_nothing),     cmocka_unit_test(empty_text_is_absent),
        cmocka_unit_test(times_are_the_dialects),        cmocka_unit_test(long_events_are_cut_and_say_so),
        cmocka_unit_test(a_full_buffer_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
