#include "base/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void sha256_of_fips_180(void **state)
{
    static const char *const cases[][2] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct str s = str_from(cases[i][0]);
        for (size_t cut = 0; cut <= s.len; cut++) { /* in two parts, cut anywhere */
            struct sha256 h;
            char out[65];
            sha256_init(&h);
            sha256_add(&h, bytes_of((struct str){s.ptr, cut}));
            sha256_add(&h, bytes_of((struct str){s.ptr + cut, s.len - cut}));
            sha256_hex(&h, out);
            assert_string_equal(out, cases[i][1]);
        }
    }
}

static void keyed_hashes_depend_on_key_and_content(void **state)
{
    struct hash_key a = {{1}}, b = {{2}};
    struct bytes x = bytes_of(STR("x")), y = bytes_of(STR("y"));
    assert_true(hash128_equal(hash128_of(&a, x), hash128_of(&a, x)));
    assert_false(hash128_equal(hash128_of(&a, x), hash128_of(&b, x)));
    assert_false(hash128_equal(hash128_of(&a, x), hash128_of(&a, y)));
    assert_true(hash64_of(&a, x) == hash128_of(&a, x).lo);
    assert_true(hash64_of(&a, (struct bytes){NULL, 0}) == hash64_of(&a, bytes_of(STR(""))));
    struct hash_key r = hash_key_random(), s = hash_key_random();
    assert_memory_not_equal(r.bytes, s.bytes, sizeof r.bytes);
    assert_ptr_equal(hash_process_key(), hash_process_key());
}

static void the_map_finds_what_was_put(void **state)
{
    enum { N = 200000 };
    struct hmap m = {0};
    assert_null(hmap_find(&m, (struct hash128){0, 0}));
    const struct hash_key *key = hash_process_key();
    for (uint32_t i = 0; i < N; i++) {
        bool is_new;
        struct hash128 h = hash128_of(key, (struct bytes){(const uint8_t *)&i, sizeof i});
        uint32_t *v = hmap_put(&m, h, &is_new);
        assert_true(is_new);
        assert_int_equal(*v, 0);
        *v = i;
    }
    assert_int_equal(m.n_used, N);
    assert_true(m.n_slots < N * 2);
    for (uint32_t i = 0; i < 2 * N; i++) {
        struct hash128 h = hash128_of(key, (struct bytes){(const uint8_t *)&i, sizeof i});
        uint32_t *v = hmap_find(&m, h);
        assert_int_equal(v != NULL, i < N);
        if (v) assert_int_equal(*v, i);
    }
    bool is_new;
    uint32_t zero = 0;
    uint32_t *again =
        hmap_put(&m, hash128_of(key, (struct bytes){(const uint8_t *)&zero, sizeof zero}), &is_new);
    assert_false(is_new);
    assert_int_equal(*again, 0);
    hmap_free(&m);
    assert_null(m.slots);
    hmap_free(&m);
}

static void odd_keys_are_legal(void **state)
{
    struct hmap m = {0};
    static const struct hash128 keys[] = {
        {0, 0}, {0, 1}, {UINT64_MAX, 0}, {UINT64_MAX, UINT64_MAX}, {UINT64_MAX, 7}};
    for (unsigned i = 0; i < n_elements(keys); i++) {
        bool is_new;
        *hmap_put(&m, keys[i], &is_new) = i + 1; /* the last slot wraps to the first */
        assert_true(is_new);
    }
    for (unsigned i = 0; i < n_elements(keys); i++) assert_int_equal(*hmap_find(&m, keys[i]), i + 1);
    hmap_free(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_of_fips_180),
        cmocka_unit_test(keyed_hashes_depend_on_key_and_content),
        cmocka_unit_test(the_map_finds_what_was_put),
        cmocka_unit_test(odd_keys_are_legal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
