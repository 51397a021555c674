#include "server/oidc/oidc_int.h"

#include <stdio.h>
#include <stdlib.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct oidc oidc;

static int set_up(void **state)
{
    oidc = (struct oidc){.pending = x_zalloc(OIDC_PENDING_MAX * sizeof *oidc.pending)};
    return 0;
}

static int tear_down(void **state)
{
    free(oidc.pending);
    return 0;
}

static void begin(int n, const char *from)
{
    struct oidc_pending p = {0};
    char text[32];
    snprintf(text, sizeof text, "state %d", n);
    state_hash_text(p.state_hash, text);
    state_hash_text(p.cookie_hash, "cookie");
    snprintf(p.from, sizeof p.from, "%s", from);
    oidc_pending_add(&oidc, &p);
}

static int take(int n, const char *cookie)
{
    struct oidc_pending p;
    struct err e;
    char text[32];
    snprintf(text, sizeof text, "state %d", n);
    return oidc_pending_take(&oidc, &p, text, cookie, &e);
}

/* All of them in the same millisecond or so. */
static void loses_own_oldest(void **state)
{
    begin(-1, "192.0.2.9");
    for (int i = 0; i < OIDC_PENDING_FROM + 3; i++) begin(i, "192.0.2.1");
    for (int i = 0; i < 3; i++) assert_int_equal(take(i, "cookie"), ERR_AUTH);
    for (int i = 3; i < OIDC_PENDING_FROM + 3; i++) assert_int_equal(take(i, "cookie"), 0);
    assert_int_equal(take(-1, "cookie"), 0);
}

static void oldest_goes_when_full(void **state)
{
    char from[32];
    for (int i = 0; i <= OIDC_PENDING_MAX; i++) {
        snprintf(from, sizeof from, "192.0.2.%d", i / 100);
        begin(i, from);
    }
    assert_int_equal(take(0, "cookie"), ERR_AUTH);
    for (int i = 1; i <= OIDC_PENDING_MAX; i++) assert_int_equal(take(i, "cookie"), 0);
}

static void good_once(void **state)
{
    begin(1, "192.0.2.1");
    begin(2, "192.0.2.1");
    assert_int_equal(take(1, "cookie"), 0);
    assert_int_equal(take(1, "cookie"), ERR_AUTH);
    assert_int_equal(take(2, "of another browser"), ERR_AUTH);
    assert_int_equal(take(2, "cookie"), ERR_AUTH);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {T(loses_own_oldest), T(oldest_goes_when_full), T(good_once)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
