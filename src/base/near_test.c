#include "base/near.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_distances(void **state)
{
    static const struct {
        const char *word, *name;
        size_t distance;
    } cases[] = {
        {"member", "member", 0},
        {"MEMBER", "member", 0},
        {"membre", "member", 1},
        {"mmber", "member", 1},
        {"memmber", "member", 1},
        {"mamber", "member", 1},
        {"mamberr", "member", 2},
        {"m", "member", SIZE_MAX},
        {"memberof", "member", 2},
        {"color", "member", SIZE_MAX},
        {"", "member", SIZE_MAX},
        {"a", "b", SIZE_MAX},
        {"member", "", SIZE_MAX},
        {"01234567890123456789012345678901234567890123456789012345678901234", "0", SIZE_MAX},
    };
    (void)state;
    for (size_t i = 0; i < n_elements(cases); i++)
        if (near_distance(str_from(cases[i].word), str_from(cases[i].name)) != cases[i].distance)
            fail_msg("%s, %s: %zu", cases[i].word, cases[i].name,
                     near_distance(str_from(cases[i].word), str_from(cases[i].name)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_distances)};
    return cmocka_run_group_tests_name("near", tests, NULL, NULL);
}
