#include "base/log.h"

#include "base/jsonw.h"
#include "base/when.h"

#include <unistd.h>

static enum log_level least_level = LOG_WARN;
static enum log_format line_format = LOG_AS_TEXT;
static const char *context_key, *context_value;

void log_setup(enum log_level least, enum log_format format)
{
    least_level = least;
    line_format = format;
}

bool log_wants(enum log_level level)
{
    return level >= least_level && level != LOG_OFF;
}

void log_context(const char *key, const char *value)
{
    context_key = key;
    context_value = value;
}

static const char *const level_names[] = {"debug", "info", "warn", "error", "off"};

static void as_json(struct buf *b, enum log_level level, const char *event, size_t n, const struct log_field *f)
{
    char at[WHEN_TEXT];
    struct jsonw j = jsonw_new(b);
    jsonw_object(&j);
    jsonw_kcstr(&j, "time", when_format(at, when_now_ms()));
    jsonw_kcstr(&j, "level", level_names[level]);
    jsonw_kcstr(&j, "event", event);
    if (context_key) jsonw_kcstr(&j, context_key, context_value);
    for (size_t i = 0; i < n; i++) {
        if (f[i].type == LOG_T_STR)
            jsonw_kstr(&j, f[i].key, f[i].s);
        else
            jsonw_kint(&j, f[i].key, f[i].i);
    }
    jsonw_end(&j);
}

static void as_text(struct buf *b, enum log_level level, const char *event, size_t n, const struct log_field *f)
{
    buf_printf(b, "%-5s %s", level_names[level], event);
    for (size_t i = 0; i < n; i++) {
        buf_printf(b, " %s=", f[i].key);
        if (f[i].type == LOG_T_INT) {
            buf_add_decimal(b, f[i].i);
        } else {
            bool quote = str_index(f[i].s, ' ') < f[i].s.len || !f[i].s.len;
            if (quote) buf_add_byte(b, '"');
            jsonw_escape(b, f[i].s); /* no control character of a directory reaches the terminal */
            if (quote) buf_add_byte(b, '"');
        }
    }
}

void log_write(enum log_level level, const char *event, size_t n, const struct log_field *fields)
{
    if (!log_wants(level)) return;
    struct buf b = buf_new(64 * 1024);
    if (line_format == LOG_AS_JSON)
        as_json(&b, level, event, n, fields);
    else
        as_text(&b, level, event, n, fields);
    buf_add_byte(&b, '\n');
    if (!b.failed && write(STDERR_FILENO, b.ptr, b.len) < 0) { /* nowhere to complain */
    }
    buf_free(&b);
}
