#include "store/numbering.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct hash_key key = {{7, 7}};

static struct hash128 hash_of(uint32_t i)
{
    return hash128_of(&key, (struct bytes){(const uint8_t *)&i, sizeof i});
}

static void test_numbers_in_order(void **state)
{
    (void)state;
    struct numbering n = {.n = 0};
    assert_int_equal(numbering_find(&n, hash_of(1)), NUMBERING_NONE);
    for (uint32_t i = 0; i < 200000; i++) {
        assert_int_equal(numbering_add(&n, hash_of(i)), i);
        assert_int_equal(n.n, i + 1);
        if (i % 3 == 0) assert_int_equal(numbering_add(&n, hash_of(i / 2)), i / 2);
    }
    assert_int_equal(n.n, 200000);
    for (uint32_t i = 0; i < 200000; i++) assert_int_equal(numbering_find(&n, hash_of(i)), i);
    for (uint32_t i = 200000; i < 300000; i++) assert_int_equal(numbering_find(&n, hash_of(i)), NUMBERING_NONE);
    numbering_free(&n);
    assert_int_equal(numbering_find(&n, hash_of(1)), NUMBERING_NONE);
    assert_int_equal(numbering_add(&n, hash_of(9)), 0);
    numbering_free(&n);
}

/* Hashes that share all but one of the bits that count, the last slot wrapping to the first one. */
static void test_near_hashes(void **state)
{
    (void)state;
    static const struct hash128 hashes[] = {
        {0, 0},          {0, 1},          {1, 0},          {255, 0},
        {0, UINT64_MAX}, {1, UINT64_MAX}, {0, 1ULL << 32}, {0, UINT64_MAX - 1},
        {0, 1ULL << 63}, {2, 1ULL << 63}, {0, UINT64_MAX ^ 1ULL << 32}, {0, UINT64_MAX - 2},
    };
    struct numbering n = {.n = 0};
    for (uint32_t i = 0; i < n_elements(hashes); i++) assert_int_equal(numbering_add(&n, hashes[i]), i);
    for (uint32_t i = 0; i < n_elements(hashes); i++) assert_int_equal(numbering_find(&n, hashes[i]), i);
    numbering_free(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_numbers_in_order), cmocka_unit_test(test_near_hashes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
