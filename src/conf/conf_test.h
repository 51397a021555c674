/* conf_test.h - what conf_test.c and refused_test.c share: a right connector, and ways to spoil it. */
#ifndef ROLLCALL_CONF_TEST_H
#define ROLLCALL_CONF_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "conf/conf.h"

#include <stdio.h>

/* A connector "corp" that is right; lines 1..7, further keys come at line 8, column 5. */
#define CORP                                                                                                 \
    "connectors:\n"                                                                                          \
    "  corp:\n"                                                                                              \
    "    type: active_directory\n"                                                                           \
    "    domain: corp.example\n"                                                                             \
    "    host: dc1.corp.example\n"                                                                           \
    "    username: svc@corp.example\n"                                                                       \
    "    password: env:CORP_PW\n"

static char *const no_env[] = {NULL};

static inline int parse(struct conf *c, const char *yaml, char *const *env, struct err *e)
{
    *e = (struct err){0};
    return conf_parse(c, str_from(yaml), "t.yaml", "/etc/x", env, e);
}

static inline void assert_fails(const char *yaml, char *const *env, const char *message)
{
    struct conf c;
    struct err e;
    int rc = parse(&c, yaml, env, &e);
    if (rc == 0) fail_msg("accepted, but expected: %s", message);
    assert_string_equal(e.message, message);
    assert_int_equal(rc, ERR_INPUT);
    assert_int_equal(e.class, ERR_INPUT);
    assert_null(c.connectors);
}

/* CORP with this text behind the key; NULL: without the line. */
static inline void with_replaced(char *out, size_t size, const char *key, const char *line)
{
    char start[64];
    snprintf(start, sizeof start, "    %s:", key);
    size_t w = 0;
    for (const char *text = CORP; *text; text += strcspn(text, "\n") + 1) {
        bool same = strncmp(text, start, strlen(start)) == 0;
        if (same && line) w += (size_t)snprintf(out + w, size - w, "%s %s\n", start, line);
        if (!same) w += (size_t)snprintf(out + w, size - w, "%.*s\n", (int)strcspn(text, "\n"), text);
    }
}

#endif
