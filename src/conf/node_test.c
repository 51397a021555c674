#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/buf.h"
#include "conf/node.h"

#include <stdio.h>

static int parse(struct node **out, struct arena *a, struct str yaml, struct err *e)
{
    *a = arena_new(NODE_ARENA_MAX);
    *e = (struct err){0};
    return node_parse(out, a, yaml, "f", e);
}

static void test_places(void **state)
{
    struct arena a;
    struct node *root;
    struct err e;
    assert_int_equal(parse(&root, &a, STR("\xef\xbb\xbfone: 1\ntwo:\n  - \"x y\"\n  - {k: v}\n"), &e), 0);
    assert_int_equal(root->type, NODE_MAP);
    struct node *one = node_find(root, STR("one")), *two = node_find(root, STR("two"));
    assert_true(one->is_plain && one->key_line == 1 && one->key_column == 1 && one->line == 1 &&
                one->column == 6);
    assert_int_equal(two->type, NODE_LIST);
    assert_string_equal(two->first->text.ptr, "x y");
    assert_false(two->first->is_plain);
    assert_true(two->first->line == 3 && two->first->column == 5);
    struct node *v = node_find(two->first->next, STR("k"));
    assert_true(v->line == 4 && v->column == 9 && v->key_column == 6);
    assert_null(node_find(root, STR("three")));
    arena_free(&a);
}

static void test_refused(void **state)
{
    static const struct {
        struct str yaml;
        const char *message, *hint;
    } cases[] = {
        {{"a: 1\n\tb: 2\n", 11},
         "f:2:1: found a tab character that violates indentation",
         "indent with spaces, never with tabs"},
        {{"a: @x\n", 6},
         "f:1:4: found character that cannot start any token",
         "indent with spaces, never with tabs, and put quotes around values that begin with @ ` or %"},
        {{"a: &x 1\n", 8},
         "f:1:4: YAML anchors and aliases (& and *) are not accepted: write the value out",
         NULL},
        {{"a: *x\n", 6},
         "f:1:4: YAML anchors and aliases (& and *) are not accepted: write the value out",
         NULL},
        {{"a: &x [1]\n", 10},
         "f:1:4: YAML anchors and aliases (& and *) are not accepted: write the value out",
         NULL},
        {{"a: &x {b: 1}\n", 13},
         "f:1:4: YAML anchors and aliases (& and *) are not accepted: write the value out",
         NULL},
        {{"a: !!int 1\n", 11},
         "f:1:4: YAML tags (!) are not accepted: put quotes around a value that begins with !",
         NULL},
        {{"a: !x [1]\n", 10},
         "f:1:4: YAML tags (!) are not accepted: put quotes around a value that begins with !",
         NULL},
        {{"a: !x {b: 1}\n", 13},
         "f:1:4: YAML tags (!) are not accepted: put quotes around a value that begins with !",
         NULL},
        {{"<<: {b: 1}\n", 11}, "f:1:1: YAML merge keys (<<) are not accepted: write the keys out", NULL},
        {{"a: 1\n---\nb: 2\n", 14}, "f:2:1: a second YAML document (---): settings are one document", NULL},
        {{"%TAG ! tag:x,2000:\n---\na: 1\n", 28}, "f:1:1: YAML tag directives are not accepted", NULL},
        {{"a: 1\na: 2\n", 10}, "f:2:1: key 'a' is there twice (first in line 1)", NULL},
        {{"x: {a: 1, 'a': 2}\n", 18}, "f:1:11: key 'a' is there twice (first in line 1)", NULL},
        {{"[a]: 1\n", 7}, "f:1:1: a key is a plain word, not a list or map", NULL},
        {{"? {a: b}\n: 1\n", 13}, "f:1:3: a key is a plain word, not a list or map", NULL},
        {{"'': 1\n", 6}, "f:1:1: an empty key", NULL},
        {{"a: \"x\\0y\"\n", 10}, "f:1:4: a NUL character is not allowed", NULL},
        {{"a: b: c\n", 8},
         "f:1:5: mapping values are not allowed in this context",
         "check the indentation, and put quotes around values that hold \": \""},
        {{"a: \"C\\q\"\n", 9},
         "f:1:6: found unknown escape character",
         "a backslash within double quotes starts an escape: write CORP\\alice without quotes or in single "
         "ones"},
        {{"a: 'x\n", 6}, "f:2:1: found unexpected end of stream", NULL},
        {{"a: [1, 2\nb: 3\n", 14},
         "f:2:2: did not find expected ',' or ']'",
         "a bracket or brace is not closed, or a comma is missing"},
        {{"a: 1\n  b: 2\n", 12}, "f:2:4: mapping values are not allowed in this context", NULL},
        {{" a: 1\nb: 2\n", 11}, "f:2:1: did not find expected <document start>", NULL},
        {{"a:\n  b: 1\n c: 2\n", 16}, "f:3:2: did not find expected key", NULL},
        {{"a: 1\nb: \xff\n", 10}, "f:2: not UTF-8 text", "save the file as UTF-8"},
        {{"\xff\xfe"
          "a\0",
          4},
         "f: saved as UTF-16",
         "save the file as UTF-8"},
        {{"a: \x01\n", 6}, NULL, "the file holds control characters: save it as plain UTF-8 text"},
        {{"a: \0\n", 5}, NULL, NULL},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct arena a;
        struct node *root;
        struct err e;
        assert_int_equal(parse(&root, &a, cases[i].yaml, &e), ERR_INPUT);
        if (cases[i].message) assert_string_equal(e.message, cases[i].message);
        if (cases[i].hint) assert_string_equal(e.hint, cases[i].hint);
        arena_free(&a);
    }
}

static void fill(struct buf *b, const char *start, const char *again, size_t n)
{
    buf_clear(b);
    buf_printf(b, "%s", start);
    for (size_t i = 0; i < n; i++) buf_printf(b, "%s", again);
}

static void test_limits(void **state)
{
    struct buf b = buf_new(4 * 1024 * 1024);
    struct arena a;
    struct node *root;
    struct err e;
    static const struct {
        const char *start, *again;
        size_t n;
        const char *message;
    } cases[] = {
        {"", "[", 17, "f:1:17: nested more than 16 levels deep"},
        {"", "[", 1000000, "f:1:17: nested more than 16 levels deep"},
        {"", "{a: ", 17, "f:1:65: nested more than 16 levels deep"},
        {"", "- ", 17, "f:1:33: nested more than 16 levels deep"},
        {"[", "a,", 200000, "f: more than 100000 values: this is not a settings file"},
        {"", "#\n", 600000, "f: longer than 1 MiB: this is not a settings file"},
        {"", "kkkk", 65, "f:1:1: could not find expected ':'"},
        {"? ", "kkkk", 65, "f:1:3: a key longer than 256 bytes"},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        fill(&b, cases[i].start, cases[i].again, cases[i].n);
        if (strncmp(cases[i].again, "kkkk", 4) == 0) buf_printf(&b, "\n: v\n");
        int rc = parse(&root, &a, buf_str(&b), &e);
        assert_int_equal(rc, ERR_INPUT);
        if (!strstr(cases[i].message, "could not")) assert_string_equal(e.message, cases[i].message);
        arena_free(&a);
    }
    fill(&b, "[", "a,", 99998);
    buf_printf(&b, "]");
    assert_int_equal(parse(&root, &a, buf_str(&b), &e), 0);
    arena_free(&a);
    buf_free(&b);
}

static void test_show(void **state)
{
    char out[NODE_SHOWN];
    assert_string_equal(node_show(out, STR("a\x1b[31mb\n")), "'a?[31mb?'");
    assert_string_equal(node_show(out, STR("")), "''");
    const char *sixty = "123456789012345678901234567890123456789012345678901234567890";
    char longer[80];
    snprintf(longer, sizeof longer, "%s", sixty);
    assert_int_equal(strlen(node_show(out, str_from(longer))), 62);
    snprintf(longer, sizeof longer, "%.59s\xc3\xa9xyz", sixty); /* the cut would fall within a character */
    node_show(out, str_from(longer));
    assert_true(str_is_utf8(str_from(out)));
    assert_int_equal(strlen(out), 1 + 59 + 3 + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_show),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
