#include "source/finding.h"

#include "base/when.h"

#include <stdarg.h>
#include <stdio.h>

void finding_say(struct finding *f, const char *fmt, ...)
{
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (f->evidence.len) buf_add_str(&f->evidence, STR("; "));
    buf_add_str(&f->evidence, str_from(text));
}

void finding_warn(struct finding *f, const char *fix, ...)
{
    va_list ap;
    if (f->verdict == STEP_OK) f->verdict = STEP_WARN;
    if (*f->fix) return; /* the first is the one to follow */
    va_start(ap, fix);
    vsnprintf(f->fix, sizeof f->fix, fix, ap);
    va_end(ap);
}

void finding_fail(struct finding *f, const struct err *why)
{
    f->verdict = STEP_FAIL;
    f->class = why->class;
    finding_say(f, "%s", why->message);
    snprintf(f->fix, sizeof f->fix, "%s", why->hint);
}

char *finding_text(char *out, size_t size, struct str s)
{
    size_t n = s.len < size ? s.len : size - 1;
    while (n && n < s.len && ((uint8_t)s.ptr[n] & 0xc0) == 0x80) n--;
    for (size_t i = 0; i < n; i++) out[i] = (uint8_t)s.ptr[i] < 0x20 || s.ptr[i] == 0x7f ? ' ' : s.ptr[i];
    out[str_is_utf8((struct str){out, n}) ? n : 0] = 0;
    return out;
}

int finding_emit(struct finding *f, const char *name, int64_t began_ms, struct emit *m, struct err *e)
{
    struct step s = {.name = name,
                     .verdict = f->verdict,
                     .evidence = buf_cstr(&f->evidence),
                     .fix = *f->fix ? f->fix : NULL,
                     .class = f->class,
                     .took_ms = when_monotonic_ms() - began_ms,
                     .detail = f->detail};
    int rc = emit_step(m, &s, e);
    buf_free(&f->evidence);
    json_decref(f->detail);
    return rc;
}
