#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

static void sets_and_wraps_outside_in(void **state)
{
    struct err e;
    memset(&e, 0xff, sizeof e);
    assert_int_equal(err_set(&e, ERR_AUTH, "account %s", "locked"), ERR_AUTH);
    assert_int_equal(e.class, ERR_AUTH);
    assert_int_equal(e.domain, DOM_NONE);
    assert_int_equal(e.code, 0);
    assert_int_equal(e.retry_at_ms, 0);
    assert_string_equal(e.hint, "");
    assert_int_equal(err_code(&e, DOM_LDAP, 49), ERR_AUTH);
    assert_int_equal(err_hint(&e, "unlock %s", "svc"), ERR_AUTH);
    assert_int_equal(err_wrap(&e, "bind as %s", "svc"), ERR_AUTH);
    assert_int_equal(err_wrap(&e, "sync corp"), ERR_AUTH);
    assert_string_equal(e.message, "sync corp: bind as svc: account locked");
    assert_string_equal(e.hint, "unlock svc");
    assert_int_equal(e.domain, DOM_LDAP);
    assert_int_equal(e.code, 49);
}

static void an_argument_may_be_the_old_message(void **state)
{
    struct err e;
    err_set(&e, ERR_NET, "connection reset");
    err_hint(&e, "try again");
    err_set(&e, ERR_CANCEL, "stopped after: %s", e.message);
    assert_string_equal(e.message, "stopped after: connection reset");
    err_hint(&e, "first");
    err_hint(&e, "%s, then second", e.hint);
    assert_string_equal(e.hint, "first, then second");
    err_wrap(&e, "%s", "outer");
    assert_string_equal(e.message, "outer: stopped after: connection reset");
}

static void names_errno(void **state)
{
    struct err e;
    assert_int_equal(err_errno(&e, ERR_INPUT, ENOENT, "open %s", "/x"), ERR_INPUT);
    assert_string_equal(e.message, "open /x: No such file or directory");
    assert_int_equal(e.domain, DOM_ERRNO);
    assert_int_equal(e.code, ENOENT);
}

static bool is_text(const char *c)
{
    return str_is_utf8(str_from(c));
}

/* Too long a text is cut between characters, so that it can still be written as JSON. */
static void cuts_between_characters(void **state)
{
    struct err e;
    char text[1100];
    for (size_t shift = 0; shift < 4; shift++) {
        for (size_t i = 0; i < shift; i++) text[i] = 'x';
        for (size_t i = shift; i + 4 < sizeof text; i += 4) memcpy(text + i, "\xf0\x9f\x94\x91", 5);
        err_set(&e, ERR_INPUT, "%s", text);
        assert_true(strlen(e.message) > sizeof e.message - 5);
        assert_true(is_text(e.message));
        err_hint(&e, "%s", text);
        assert_true(strlen(e.hint) > sizeof e.hint - 5);
        assert_true(is_text(e.hint));
        for (size_t i = 0; i < 9; i++) {
            err_wrap(&e, "s%zu", i);
            assert_true(is_text(e.message));
        }
        err_wrap(&e, "%s", text);
        assert_true(is_text(e.message));
    }
    err_set(&e, ERR_INPUT, "%.767s\xc3\xa9", text); /* cut exactly at the end of what fits */
    assert_true(is_text(e.message));
}

static void every_class_has_its_words(void **state)
{
    static const struct {
        int class;
        const char *name;
        bool retry;
        int http, exit;
    } cases[] = {
        {ERR_NET, "NET", true, 502, 6},
        {ERR_TIMEOUT, "TIMEOUT", true, 504, 6},
        {ERR_TLS, "TLS", false, 502, 6},
        {ERR_AUTH, "AUTH", false, 401, 4},
        {ERR_DENIED, "DENIED", false, 403, 4},
        {ERR_LIMIT, "LIMIT", true, 503, 6},
        {ERR_PROTO, "PROTO", false, 502, 1},
        {ERR_COOKIE, "COOKIE", true, 502, 1},
        {ERR_NOTFOUND, "NOTFOUND", false, 404, 3},
        {ERR_CONFLICT, "CONFLICT", true, 409, 1},
        {ERR_INPUT, "INPUT", false, 400, 2},
        {ERR_CANCEL, "CANCEL", true, 499, 130},
        {ERR_BUG, "BUG", false, 500, 1},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        assert_string_equal(err_class_name(cases[i].class), cases[i].name);
        assert_int_equal(err_class_retryable(cases[i].class), cases[i].retry);
        assert_int_equal(err_class_http(cases[i].class), cases[i].http);
        assert_int_equal(err_class_exit(cases[i].class), cases[i].exit);
        assert_int_equal(err_class_parse(str_from(cases[i].name)), cases[i].class);
        assert_true(strlen(err_class_sentence(cases[i].class)) > 5);
    }
    assert_int_equal(err_class_parse(STR("net")), 0);
    assert_string_equal(err_class_name(0), "NONE");
    assert_string_equal(err_class_name(-99), "NONE");
    assert_int_equal(err_class_exit(0), 0);
    assert_int_equal(err_class_http(0), 200);
}

static int fails(struct err *e)
{
    return err_set(e, ERR_LIMIT, "no");
}
static int tries(struct err *e, int *reached)
{
    try(0);
    ++*reached;
    try(fails(e));
    ++*reached;
    return 0;
}

static void try_returns_the_class(void **state)
{
    struct err e;
    int reached = 0;
    assert_int_equal(tries(&e, &reached), ERR_LIMIT);
    assert_int_equal(reached, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sets_and_wraps_outside_in),
        cmocka_unit_test(an_argument_may_be_the_old_message),
        cmocka_unit_test(names_errno),
        cmocka_unit_test(cuts_between_characters),
        cmocka_unit_test(every_class_has_its_words),
        cmocka_unit_test(try_returns_the_class),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
