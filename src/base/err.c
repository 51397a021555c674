#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>

static const struct {
    int class;
    const char *name;
    bool retryable;
    int http, exit;
    const char *sentence;
} classes[] = {
#define X(name, number, retry, http, exit, sentence) {number, #name, retry, http, exit, sentence},
    ERR_CLASSES(X)
#undef X
};

#define LOOK_UP(field, otherwise)                                                                            \
    for (size_t i = 0; i < n_elements(classes); i++)                                                         \
        if (classes[i].class == class) return classes[i].field;                                              \
    return otherwise

const char *err_class_name(int class)
{
    LOOK_UP(name, "NONE");
}
const char *err_class_sentence(int class)
{
    LOOK_UP(sentence, "no error");
}
bool err_class_retryable(int class)
{
    LOOK_UP(retryable, false);
}
int err_class_exit(int class)
{
    LOOK_UP(exit, 0);
}
int err_class_http(int class)
{
    LOOK_UP(http, 200);
}

int err_class_parse(struct str name)
{
    for (size_t i = 0; i < n_elements(classes); i++)
        if (str_equal(name, str_from(classes[i].name))) return classes[i].class;
    return 0;
}

/* A text that was cut off loses the character that was cut in two, so that it stays UTF-8. */
static void trim_cut(char *out, int would_be, size_t size)
{
    if (would_be < 0) out[0] = 0;
    if (would_be < 0 || (size_t)would_be < size) return;
    size_t n = size - 1, back = 0;
    while (back < 3 && n > back && ((uint8_t)out[n - 1 - back] & 0xc0) == 0x80) back++;
    if (n > back && !str_is_utf8((struct str){out + n - 1 - back, back + 1})) out[n - 1 - back] = 0;
}

static void fill(char *out, size_t size, const char *fmt, va_list ap)
{
    trim_cut(out, vsnprintf(out, size, fmt, ap), size);
}

int err_set(struct err *e, enum err_class class, const char *fmt, ...)
{
    char text[sizeof e->message]; /* an argument may be the old message */
    va_list ap;
    va_start(ap, fmt);
    fill(text, sizeof text, fmt, ap);
    va_end(ap);
    memcpy(e->message, text, strlen(text) + 1);
    e->class = class;
    e->domain = DOM_NONE;
    e->code = 0;
    e->retry_at_ms = 0;
    e->hint[0] = 0;
    return class;
}

int err_errno(struct err *e, enum err_class class, int saved_errno, const char *fmt, ...)
{
    char text[512], reason[128];
    va_list ap;
    va_start(ap, fmt);
    fill(text, sizeof text, fmt, ap);
    va_end(ap);
    const char *r = strerror_r(saved_errno, reason, sizeof reason); /* GNU form */
    err_set(e, class, "%s: %s", text, r);
    return err_code(e, DOM_ERRNO, saved_errno);
}

int err_wrap(struct err *e, const char *fmt, ...)
{
    char step[256], old[sizeof e->message];
    va_list ap;
    va_start(ap, fmt);
    fill(step, sizeof step, fmt, ap);
    va_end(ap);
    memcpy(old, e->message, sizeof old);
    trim_cut(e->message, snprintf(e->message, sizeof e->message, "%s: %s", step, old), sizeof e->message);
    return e->class;
}

int err_hint(struct err *e, const char *fmt, ...)
{
    char text[sizeof e->hint];
    va_list ap;
    va_start(ap, fmt);
    fill(text, sizeof text, fmt, ap);
    va_end(ap);
    memcpy(e->hint, text, strlen(text) + 1);
    return e->class;
}

int err_code(struct err *e, enum err_domain domain, int code)
{
    e->domain = domain;
    e->code = code;
    return e->class;
}
