#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void compares_text(void **state)
{
    assert_true(str_equal(STR("abc"), STR("abc")));
    assert_false(str_equal(STR("abc"), STR("abC")));
    assert_false(str_equal(STR("abc"), STR("ab")));
    assert_true(str_equal((struct str){NULL, 0}, STR("")));
    assert_true(str_equal_nocase(STR("objectSID"), STR("OBJECTsid")));
    assert_false(str_equal_nocase(STR("@"), STR("`"))); /* 0x20 apart, no letters */
    assert_false(str_equal_nocase(STR("["), STR("{")));
    assert_false(str_equal_nocase(STR("\xc3\x89"), STR("\xc3\xa9"))); /* É and é: not ASCII */
    assert_false(str_equal_nocase(STR("abc"), STR("abcd")));
}

static void finds_prefixes_and_positions(void **state)
{
    assert_true(str_starts(STR("S-1-5"), STR("S-1")));
    assert_false(str_starts(STR("S"), STR("S-1")));
    assert_true(str_starts((struct str){NULL, 0}, (struct str){NULL, 0}));
    assert_true(str_starts(STR("x"), STR("")));
    assert_int_equal(str_index(STR("a,b,c"), ','), 1);
    assert_int_equal(str_index(STR("abc"), ','), 3);
    assert_int_equal(str_index((struct str){NULL, 0}, ','), 0);
}

static void trims_both_ends(void **state)
{
    static const char *const cases[][2] = {
        {"", ""},
        {" ", ""},
        {" \t\r\n", ""},
        {"a", "a"},
        {"  a b\t", "a b"},
        {"\na\n", "a"},
        {"\xc2\xa0x", "\xc2\xa0x"},
    };
    for (size_t i = 0; i < n_elements(cases); i++)
        assert_true(str_equal(str_trim(str_from(cases[i][0])), str_from(cases[i][1])));
    assert_int_equal(str_trim((struct str){NULL, 0}).len, 0);
}

static void knows_utf8(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
        bool ok;
    } cases[] = {
        {"", 0, true},
        {"plain ASCII of more than eight bytes", 36, true},
        {"a\0b", 3, true},
        {"\xc3\xa9", 2, true},
        {"12345678\xc3\xa9", 10, true},
        {"1234567\xc3\xa9", 9, true},
        {"\xe6\x97\xa5\xe6\x9c\xac", 6, true},
        {"\xf0\x9f\x94\x91", 4, true},
        {"\xf4\x8f\xbf\xbf", 4, true},  /* U+10FFFF */
        {"\xf4\x90\x80\x80", 4, false}, /* past it */
        {"\xed\x9f\xbf", 3, true},      /* U+D7FF */
        {"\xed\xa0\x80", 3, false},     /* surrogate D800 */
        {"\xed\xbf\xbf", 3, false},     /* surrogate DFFF */
        {"\xc0\x80", 2, false},         /* overlong NUL */
        {"\xc1\xbf", 2, false},
        {"\xe0\x80\xaf", 3, false},
        {"\xe0\x9f\xbf", 3, false},
        {"\xf0\x80\x80\xaf", 4, false},
        {"\xf0\x8f\xbf\xbf", 4, false},
        {"\x80", 1, false},
        {"\xbf", 1, false},
        {"\xc3", 1, false},
        {"\xe6\x97", 2, false},
        {"\xf0\x9f\x94", 3, false},
        {"\xc3\x28", 2, false},
        {"\xfe", 1, false},
        {"\xff", 1, false},
        {"\xf8\x88\x80\x80\x80", 5, false},
        {"12345678\xff", 9, false},
        {"caf\xe9", 4, false}, /* Latin-1 */
    };
    for (size_t i = 0; i < n_elements(cases); i++)
        assert_int_equal(str_is_utf8((struct str){cases[i].bytes, cases[i].len}), cases[i].ok);
    assert_true(str_is_utf8((struct str){NULL, 0}));
}

/* Every code point: encoded by the rule of RFC 3629, here spelled out a second time. */
static void accepts_every_code_point_once(void **state)
{
    for (uint32_t cp = 0; cp < 0x110000; cp++) {
        char b[4];
        size_t n;
        if (cp < 0x80) {
            b[0] = (char)cp, n = 1;
        } else if (cp < 0x800) {
            b[0] = (char)(0xc0 | cp >> 6), b[1] = (char)(0x80 | (cp & 63)), n = 2;
        } else if (cp < 0x10000) {
            b[0] = (char)(0xe0 | cp >> 12), b[1] = (char)(0x80 | (cp >> 6 & 63)),
            b[2] = (char)(0x80 | (cp & 63)), n = 3;
        } else {
            b[0] = (char)(0xf0 | cp >> 18), b[1] = (char)(0x80 | (cp >> 12 & 63));
            b[2] = (char)(0x80 | (cp >> 6 & 63)), b[3] = (char)(0x80 | (cp & 63)), n = 4;
        }
        bool surrogate = cp >= 0xd800 && cp < 0xe000;
        assert_int_equal(str_is_utf8((struct str){b, n}), !surrogate);
        if (n > 1) assert_false(str_is_utf8((struct str){b, n - 1}));
    }
}

static void allocates_and_copies(void **state)
{
    defer_free char *c = x_strdup(STR("text"));
    assert_string_equal(c, "text");
    defer_free char *empty = x_strdup((struct str){NULL, 0});
    assert_string_equal(empty, "");
    defer_free uint8_t *z = x_zalloc(64);
    for (size_t i = 0; i < 64; i++) assert_int_equal(z[i], 0);
    defer_free void *nothing = x_alloc(0);
    assert_non_null(nothing);
    c = x_realloc(c, 100);
    assert_string_equal(c, "text");
}

/* In a child, since it does not come back. */
static void says_that_memory_is_out(void **state)
{
    int out[2], status;
    char said[200] = "";
    assert_int_equal(pipe(out), 0);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(out[1], STDERR_FILENO);
        x_out_of_memory();
    }
    close(out[1]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), X_OUT_OF_MEMORY);
    assert_true(read(out[0], said, sizeof said - 1) > 0);
    close(out[0]);
    assert_non_null(strstr(said, "rollcall: out of memory\n  fix: "));
}

static void closes_on_leaving(void **state)
{
    int copy;
    {
        defer_close int fd = dup(STDOUT_FILENO);
        assert_true(fd >= 0);
        copy = fd;
    }
    assert_int_equal(close(copy), -1);
    defer_close int none = -1;
    assert_int_equal(none, -1);
}

static void orders_numbers_and_bytes(void **state)
{
    static const struct {
        struct str a, b;
        int order;
    } cases[] = {
        {{NULL, 0}, {NULL, 0}, 0}, {{NULL, 0}, {"a", 1}, -1}, {{"a", 1}, {"a", 1}, 0},         {{"a", 1}, {"ab", 2}, -1},
        {{"b", 1}, {"ab", 2}, 1},  {{"B", 1}, {"a", 1}, -1},  {{"\xc3", 1}, {"z", 1}, 1},      {{"a\0b", 3}, {"a\0a", 3}, 1},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        int d = str_compare(cases[i].a, cases[i].b), back = bytes_compare(bytes_of(cases[i].b), bytes_of(cases[i].a));
        assert_int_equal(COMPARE(d, 0), cases[i].order);
        assert_int_equal(COMPARE(back, 0), -cases[i].order);
    }
    uint32_t list[] = {3, UINT32_MAX, 0, 3, 0x80000000};
    qsort(list, n_elements(list), sizeof *list, u32_compare);
    for (size_t i = 1; i < n_elements(list); i++) assert_true(list[i - 1] <= list[i]);
    assert_int_equal(BYTES_OF(list).len, sizeof list);
    assert_ptr_equal(BYTES_OF(list[1]).ptr, &list[1]);
}

static void knows_ascii(void **state)
{
    for (int i = 0; i < 256; i++) {
        bool is_upper = i < 128 && i && strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZ", i), is_lower = i < 128 && i && strchr("abcdefghijklmnopqrstuvwxyz", i);
        assert_int_equal(ascii_lower((char)i), is_upper ? (char)(i + 32) : (char)i);
        assert_int_equal(ascii_is_alnum((char)i), is_upper || is_lower || (i < 128 && i && strchr("0123456789", i)));
    }
}

/* Every list of up to 40 even numbers, and everything that may be looked for in it. */
static void finds_the_lower_bound(void **state)
{
    int list[40];
    for (int i = 0; i < 40; i++) list[i] = 2 * (i / 3); /* each three times */
    for (size_t n = 0; n <= 40; n++)
        for (int wanted = -1; wanted <= 28; wanted++) {
            size_t at = SIZE_MAX, first = 0, n_asked = 0;
            while (first < n && list[first] < wanted) first++;
            LOWER_BOUND(at, n, (n_asked++, assert_true(at < n), list[at] < wanted));
            assert_int_equal(at, first);
            assert_true(n_asked <= 6);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compares_text),
        cmocka_unit_test(finds_prefixes_and_positions),
        cmocka_unit_test(trims_both_ends),
        cmocka_unit_test(knows_utf8),
        cmocka_unit_test(accepts_every_code_point_once),
        cmocka_unit_test(orders_numbers_and_bytes),
        cmocka_unit_test(knows_ascii),
        cmocka_unit_test(finds_the_lower_bound),
        cmocka_unit_test(allocates_and_copies),
        cmocka_unit_test(says_that_memory_is_out),
        cmocka_unit_test(closes_on_leaving),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
