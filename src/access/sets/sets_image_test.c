#include "access/sets/sets_image.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <roaring/roaring.h>

#include "model/testing.h"

#define N 400000 /* seven containers, the last one short */

/* Numbers of every density: none, single ones, arrays, runs, bits, all. */
static void add_some(struct scratch *s, roaring_bitmap_t *r, uint64_t *seed)
{
    for (uint32_t c = 0; c < N; c += 0x10000) {
        uint32_t dice = test_below(seed, 7), size = N - c < 0x10000 ? N - c : 0x10000;
        uint32_t n = dice == 1   ? 1
                     : dice == 2 ? 50
                     : dice == 3 ? 4000 + test_below(seed, 300)
                     : dice == 4 ? 30000
                                 : 0;
        uint32_t step = dice == 5   ? 1
                        : dice == 6 ? 3
                                    : 0,
                 stretch = dice == 6 ? 1 + test_below(seed, 5) * 999 : size;
        for (uint32_t i = 0; i < n; i++) {
            uint32_t v = c + test_below(seed, size);
            scratch_add(s, v);
            roaring_bitmap_add(r, v);
        }
        for (uint32_t v = 0; step && v < size; v += v % stretch == stretch - 1 ? step : 1) {
            scratch_add(s, c + v);
            roaring_bitmap_add(r, c + v);
        }
    }
}

static void same(const struct image *i, const roaring_bitmap_t *r)
{
    assert_int_equal(i->count, roaring_bitmap_get_cardinality(r));
    assert_true(image_is_sound(i, N));
    const roaring_bitmap_t *view = image_view(i);
    assert_non_null(view);
    assert_true(roaring_bitmap_equals(view, r));
    roaring_bitmap_free(view);
    for (uint32_t v = 0; v < N; v += 1 + v % 53)
        assert_int_equal(image_has(i, v), roaring_bitmap_contains(r, v));
}

static void test_as_croaring(void **state)
{
    (void)state;
    struct scratch s = scratch_new(N);
    for (uint64_t k = 1; k < 60; k++) {
        uint64_t seed = k * 31337;
        struct area area = {0};
        roaring_bitmap_t *a = roaring_bitmap_create(), *b = roaring_bitmap_create();
        add_some(&s, a, &seed);
        struct image x = scratch_take(&s, &area);
        add_some(&s, b, &seed);
        struct image y = scratch_take(&s, &area);
        same(&x, a);
        same(&y, b);
        scratch_or(&s, &x);
        scratch_or(&s, &y);
        struct image both = scratch_take(&s, &area);
        roaring_bitmap_t *r = roaring_bitmap_or(a, b);
        same(&both, r);
        roaring_bitmap_free(r);
        scratch_fill(&s);
        scratch_andnot(&s, &x);
        struct image rest = scratch_take(&s, &area);
        r = roaring_bitmap_flip(a, 0, N);
        same(&rest, r);
        scratch_or(&s, &x);
        assert_int_equal(scratch_take_count(&s), x.count);
        roaring_bitmap_free(r);
        roaring_bitmap_free(a);
        roaring_bitmap_free(b);
        area_free(&area);
    }
    scratch_free(&s);
}

/* Byte for byte what a new one would be. */
static void test_patch(void **state)
{
    (void)state;
    struct patcher with = patcher_new();
    struct scratch s = scratch_new(N);
    for (uint64_t k = 1; k < 200; k++) {
        uint64_t seed = k * 7331;
        struct area area = {0};
        struct image_change changes[40];
        roaring_bitmap_t *r = roaring_bitmap_create();
        size_t n = 0;
        add_some(&s, r, &seed);
        struct image x = scratch_take(&s, &area);
        for (uint32_t v = test_below(&seed, N / 8); n < 40 && v < N;
             v += 1 + test_below(&seed, N / (1 + test_below(&seed, 40))), n++) {
            changes[n] = (struct image_change){v, test_below(&seed, 2)};
            (changes[n].is_in ? roaring_bitmap_add : roaring_bitmap_remove)(r, v);
        }
        struct image y = image_patch(&with, &x, changes, n, &area);
        same(&y, r);
        scratch_or(&s, &y);
        struct image anew = scratch_take(&s, &area);
        assert_int_equal(y.n_bytes, anew.n_bytes);
        assert_true(!y.n_bytes || memcmp(y.bytes, anew.bytes, y.n_bytes) == 0);
        roaring_bitmap_free(r);
        area_free(&area);
    }
    patcher_free(&with);
    scratch_free(&s);
}

/* Whatever passes image_is_sound can be worked with: sanitizers watch. */
static void test_damage(void **state)
{
    (void)state;
    struct scratch s = scratch_new(N);
    struct area area = {0};
    uint64_t seed = 99;
    unsigned n_sound = 0;
    for (unsigned k = 0; k < 3000; k++) {
        roaring_bitmap_t *r = roaring_bitmap_create();
        if (k % 100 == 0) area_free(&area);
        for (unsigned i = 0; i < 200; i++) scratch_add(&s, test_below(&seed, N));
        struct image x = scratch_take(&s, &area);
        uint8_t *bytes = (uint8_t *)(uintptr_t)x.bytes;
        for (unsigned i = 1 + test_below(&seed, 3); i; i--)
            bytes[x.n_bytes - 1 - test_below(&seed, test_below(&seed, 2) ? 60 : x.n_bytes)] ^=
                (uint8_t)(1u << test_below(&seed, 8));
        if (image_is_sound(&x, N)) {
            n_sound++;
            scratch_or(&s, &x);
            scratch_andnot(&s, &x);
            scratch_take_count(&s);
            for (unsigned i = 0; i < 50; i++) (void)image_has(&x, test_below(&seed, N));
        }
        roaring_bitmap_free(r);
    }
    assert_true(n_sound > 0 && n_sound < 3000);
    area_free(&area);
    scratch_free(&s);
}

static void test_hash(void **state)
{
    (void)state;
    uint8_t bytes[257] = {0};
    for (size_t n = 1; n < sizeof bytes; n++) {
        uint64_t h = image_hash(bytes, n);
        assert_int_not_equal(h, image_hash(bytes, n - 1));
        for (size_t i = 0; i < n; i += 1 + n / 16) {
            bytes[i] ^= 4;
            assert_int_not_equal(h, image_hash(bytes, n));
            bytes[i] ^= 4;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_as_croaring), cmocka_unit_test(test_patch),
                                       cmocka_unit_test(test_damage), cmocka_unit_test(test_hash)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
