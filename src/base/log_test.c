#include "base/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* What is written to standard error between begin() and end(). */
static int kept, to;
static char text[4096];

static void begin(void)
{
    char name[] = "/tmp/rollcall-log-test.XXXXXX";
    to = mkstemp(name);
    assert_true(to >= 0);
    unlink(name);
    kept = dup(STDERR_FILENO);
    assert_true(dup2(to, STDERR_FILENO) >= 0);
}

static const char *end(void)
{
    assert_true(dup2(kept, STDERR_FILENO) >= 0);
    close(kept);
    ssize_t n = pread(to, text, sizeof text - 1, 0);
    close(to);
    assert_true(n >= 0);
    text[n] = 0;
    return text;
}

static void text_is_one_safe_line(void **state)
{
    log_setup(LOG_INFO, LOG_AS_TEXT);
    begin();
    log_event(LOG_INFO, "run.end", LOG_STR("connector", STR("corp")), LOG_INT("users", 42));
    log_event(LOG_WARN, "odd", LOG_STR("dn", STR("a b\n\x1b[2J\xc2\x9b")), LOG_CSTR("empty", ""));
    log_event(LOG_DEBUG, "hidden", LOG_INT("x", 1));
    assert_string_equal(end(), "info  run.end connector=corp users=42\n"
                               "warn  odd dn=\"a b\\n\\u001b[2J\\u009b\" empty=\"\"\n");
}

static void json_is_json(void **state)
{
    log_setup(LOG_DEBUG, LOG_AS_JSON);
    log_context("run", "7");
    begin();
    log_event(LOG_ERROR, "run.abort", LOG_CSTR("why", "say \"no\""), LOG_INT("n", -1));
    log_context(NULL, NULL);
    const char *line = end();
    assert_non_null(strstr(line, "{\"time\":\"20"));
    assert_non_null(strstr(
        line,
        "\"level\":\"error\",\"event\":\"run.abort\",\"run\":\"7\",\"why\":\"say \\\"no\\\"\",\"n\":-1}\n"));
}

static void levels(void **state)
{
    log_setup(LOG_WARN, LOG_AS_TEXT);
    assert_false(log_wants(LOG_INFO));
    assert_true(log_wants(LOG_WARN));
    assert_true(log_wants(LOG_ERROR));
    log_setup(LOG_OFF, LOG_AS_TEXT);
    assert_false(log_wants(LOG_ERROR));
    assert_false(log_wants(LOG_OFF));
    begin();
    log_event(LOG_ERROR, "nothing", LOG_INT("x", 1));
    assert_string_equal(end(), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(text_is_one_safe_line),
                                       cmocka_unit_test(json_is_json), cmocka_unit_test(levels)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
