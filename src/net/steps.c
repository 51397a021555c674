#include "net/steps.h"

#include "base/jsonv.h"
#include "base/when.h"

#include <stdarg.h>
#include <stdio.h>

struct steps steps_begin(void)
{
    return (struct steps){.list = json_array(), .began_ms = when_monotonic_ms()};
}

void steps_next(struct steps *s, const char *name)
{
    s->name = name;
    s->began_ms = when_monotonic_ms();
}

static json_t *add(struct steps *s, const char *verdict, const char *evidence)
{
    json_t *step = json_pack("{s:s, s:s, s:o, s:I}", "name", s->name, "verdict", verdict, "evidence", jsonv_str(str_from(evidence)), "took_ms",
                             (json_int_t)(when_monotonic_ms() - s->began_ms));
    json_array_append_new(s->list, step);
    return step;
}

#define WITH_TEXT(text, fmt)                                                                                                               \
    char text[1024];                                                                                                                       \
    va_list ap;                                                                                                                            \
    va_start(ap, fmt);                                                                                                                     \
    vsnprintf(text, sizeof text, fmt, ap);                                                                                                 \
    va_end(ap)

void steps_ok(struct steps *s, const char *fmt, ...)
{
    WITH_TEXT(text, fmt);
    add(s, "ok", text);
}

void steps_skip(struct steps *s, const char *fmt, ...)
{
    WITH_TEXT(text, fmt);
    add(s, "skip", text);
}

void steps_warn(struct steps *s, const char *fix, const char *fmt, ...)
{
    WITH_TEXT(text, fmt);
    jsonv_put(add(s, "warn", text), "fix", json_string(fix));
}

int steps_fail(struct steps *s, const struct err *why)
{
    json_t *step = add(s, "fail", why->message);
    if (why->hint[0]) jsonv_put(step, "fix", jsonv_str(str_from(why->hint)));
    jsonv_put(step, "class", json_string(err_class_name(why->class)));
    s->has_failed = true;
    return why->class;
}

json_t *steps_end(struct steps *s)
{
    json_t *list = s->list;
    s->list = NULL;
    return list;
}
