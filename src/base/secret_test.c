#include "base/secret.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/prctl.h>
#include <sys/resource.h>

static void takes_and_drops(void **state)
{
    struct secret s;
    struct err e;
    assert_int_equal(secret_take(&s, bytes_of(STR("hunter2")), &e), 0);
    assert_int_equal(secret_bytes(&s).len, 7);
    assert_string_equal((const char *)s.ptr, "hunter2");
    secret_drop(&s);
    assert_null(s.ptr);
    assert_int_equal(s.len, 0);
    secret_drop(&s);
    secret_drop(NULL);
}

static void refuses(void **state)
{
    static char large[SECRET_MAX + 1];
    memset(large, 'x', sizeof large);
    struct secret s;
    struct err e;
    assert_int_equal(secret_take(&s, bytes_of(STR("")), &e), ERR_INPUT);
    assert_int_equal(secret_take(&s, (struct bytes){(const uint8_t *)"pw\0x", 4}, &e), ERR_INPUT);
    assert_null(strstr(e.message, "pw")); /* never the secret itself */
    assert_int_equal(secret_take(&s, (struct bytes){(const uint8_t *)large, sizeof large}, &e), ERR_INPUT);
    assert_null(s.ptr);
    assert_int_equal(secret_take(&s, (struct bytes){(const uint8_t *)large, SECRET_MAX}, &e), 0);
    assert_int_equal(s.ptr[SECRET_MAX], 0);
    secret_drop(&s);
}

static void wipes(void **state)
{
    char text[] = "hunter2";
    secret_wipe(text, sizeof text);
    for (size_t i = 0; i < sizeof text; i++) assert_int_equal(text[i], 0);
}

static void marks(void **state)
{
    struct secret one, same, other, none = {0};
    struct err e;
    char mark[SECRET_MARK], again[SECRET_MARK];
    assert_int_equal(secret_take(&one, bytes_of(STR("hunter2")), &e), 0);
    assert_int_equal(secret_take(&same, bytes_of(STR("hunter2")), &e), 0);
    assert_int_equal(secret_take(&other, bytes_of(STR("hunter3")), &e), 0);
    assert_int_equal(secret_mark(mark, &one, &e), 0);
    assert_int_equal(secret_mark(again, &one, &e), 0);
    assert_null(strstr(mark, "hunter"));
    assert_string_not_equal(mark, again); /* salted */
    assert_true(secret_has_mark(&same, mark));
    assert_true(secret_has_mark(&same, again));
    assert_false(secret_has_mark(&other, mark));
    assert_false(secret_has_mark(&none, mark));
    assert_false(secret_has_mark(&one, ""));
    assert_false(secret_has_mark(&one, "$argon2id$nonsense"));
    assert_int_equal(secret_mark(mark, &none, &e), 0);
    assert_string_equal(mark, "");
    assert_true(secret_has_mark(&none, mark));
    secret_drop(&one);
    secret_drop(&same);
    secret_drop(&other);
}

static void hardens(void **state)
{
    secret_harden_process();
    struct rlimit core;
    assert_int_equal(getrlimit(RLIMIT_CORE, &core), 0);
    assert_int_equal(core.rlim_cur, 0);
    assert_int_equal(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(takes_and_drops), cmocka_unit_test(refuses),
                                       cmocka_unit_test(wipes), cmocka_unit_test(marks), cmocka_unit_test(hardens)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
