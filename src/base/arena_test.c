#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void gives_aligned_separate_memory(void **state)
{
    struct arena a = arena_new(1 << 24);
    uint8_t *last = NULL;
    for (size_t n = 0; n < 3000; n++) {
        uint8_t *p = arena_alloc(&a, n);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % 16, 0);
        assert_ptr_not_equal(p, last);
        memset(p, (int)n, n);
        last = n ? p : NULL;
    }
    arena_free(&a);
    arena_free(&a);
}

static void blocks_do_not_overlap(void **state)
{
    struct arena a = arena_new(1 << 26);
    struct {
        uint8_t *p;
        size_t n;
    } made[600];
    for (int round = 0; round < 3; round++) { /* the second and third reuse blocks */
        for (size_t i = 0; i < n_elements(made); i++) {
            made[i].n = (i * 7919) % 5000 + (i % 50 == 0 ? 100000 : 0);
            made[i].p = arena_alloc(&a, made[i].n);
            memset(made[i].p, (int)(i + (size_t)round), made[i].n);
        }
        for (size_t i = 0; i < n_elements(made); i++)
            for (size_t k = 0; k < made[i].n; k++)
                assert_int_equal(made[i].p[k], (uint8_t)(i + (size_t)round));
        arena_clear(&a);
    }
    arena_free(&a);
}

static void ends_at_its_maximum(void **state)
{
    struct arena a = arena_new(1000);
    assert_null(arena_alloc(&a, 1001));
    assert_non_null(arena_alloc(&a, 1000));
    assert_null(arena_alloc(&a, 1));
    assert_null(arena_str(&a, STR("x")).ptr);
    assert_null(arena_printf(&a, "x"));
    arena_clear(&a);
    assert_non_null(arena_alloc(&a, 1000));
    arena_free(&a);
    struct arena wide = arena_new(SIZE_MAX); /* rounding up must not wrap to a small block */
    assert_null(arena_alloc(&wide, SIZE_MAX));
    assert_null(arena_alloc(&wide, SIZE_MAX - 8));
    assert_null(arena_bytes(&wide, (struct bytes){(const uint8_t *)"", SIZE_MAX}).ptr);
    arena_free(&wide);
}

static void copies(void **state)
{
    struct arena a = arena_new(1 << 20);
    struct str s = arena_str(&a, STR("text"));
    assert_true(str_equal(s, STR("text")));
    assert_int_equal(s.ptr[4], 0);
    struct bytes b = arena_bytes(&a, (struct bytes){NULL, 0});
    assert_non_null(b.ptr);
    assert_int_equal(b.len, 0);
    assert_string_equal(arena_printf(&a, "%s-%d", "a", 7), "a-7");
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_aligned_separate_memory),
        cmocka_unit_test(blocks_do_not_overlap),
        cmocka_unit_test(ends_at_its_maximum),
        cmocka_unit_test(copies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
