#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "source/ldap/ldap_seen.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static void number(uint8_t guid[GUID_SIZE], uint64_t n)
{
    memset(guid, 0xa5, GUID_SIZE);
    memcpy(guid, &n, sizeof n);
}

static void add(struct ldap_seen *s, uint64_t from, uint64_t to)
{
    uint8_t guid[GUID_SIZE];
    for (; from < to; from++) {
        number(guid, from);
        seen_add(s, guid);
    }
}

static bool has(const struct ldap_seen *s, uint64_t n)
{
    uint8_t guid[GUID_SIZE];
    number(guid, n);
    return seen_has(s, guid);
}

/* Around the size at which the file is written, and in two attempts. */
static void test_sizes(void **state)
{
    static const uint64_t sizes[] = {0, 1, 4095, 4096, 4097, 8192, 50000};
    for (size_t i = 0; i < n_elements(sizes); i++) {
        struct ldap_seen s = seen_new();
        struct err e;
        uint64_t n = sizes[i];
        add(&s, 0, n);
        assert_false(has(&s, 0)); /* nothing is known before a listing starts over */
        assert_int_equal(seen_load(&s, &e), 0);
        for (uint64_t k = 0; k < n; k++) assert_true(has(&s, k));
        assert_false(has(&s, n));
        add(&s, n, n + 5000);
        assert_true(has(&s, n + 4999));
        assert_int_equal(seen_load(&s, &e), 0);
        for (uint64_t k = 0; k < n + 5000; k++) assert_true(has(&s, k));
        assert_false(has(&s, n + 5000));
        assert_int_equal(s.n, n + 5000);
        assert_int_equal(s.set.n_used, n + 5000);
        seen_free(&s);
    }
}

/* What cannot be written matters only when it is needed. */
static void test_no_room(void **state)
{
    struct ldap_seen s = seen_new();
    struct err e;
    s.fd = open("/dev/full", O_RDWR | O_CLOEXEC);
    assert_true(s.fd >= 0);
    add(&s, 0, 10000);
    assert_int_equal(s.n, 10000);
    assert_int_equal(seen_load(&s, &e), ERR_LIMIT);
    assert_non_null(strstr(e.message, "cannot start over"));
    seen_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_sizes), cmocka_unit_test(test_no_room)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
