/* log.h - an event name plus typed keys, on standard error: text for a terminal, JSON for a service.
 *
 *     log_event(LOG_INFO, "run.end", LOG_STR("connector", name), LOG_INT("users", n));
 * Never a free sentence, never a secret (nothing here takes one). Process-wide; one thread writes.
 */
#ifndef ROLLCALL_LOG_H
#define ROLLCALL_LOG_H

#include "base/base.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_OFF };
enum log_format { LOG_AS_TEXT, LOG_AS_JSON };

struct log_field {
    const char *key; /* NULL ends the list */
    enum { LOG_T_STR, LOG_T_INT } type;
    struct str s;
    int64_t i;
};
#define LOG_STR(k, v)  ((struct log_field){(k), LOG_T_STR, (v), 0})
#define LOG_CSTR(k, v) ((struct log_field){(k), LOG_T_STR, str_from(v), 0})
#define LOG_INT(k, v)  ((struct log_field){(k), LOG_T_INT, {NULL, 0}, (int64_t)(v)})

void log_setup(enum log_level least, enum log_format format);
bool log_wants(enum log_level level);
/* Added to every later line, e.g. ("run", "42"); the strings must outlive the process's logging. */
void log_context(const char *key, const char *value);
void log_write(enum log_level level, const char *event, size_t n, const struct log_field *fields);
#define log_event(level, event, ...)                                                                         \
    log_write(level, event, sizeof((struct log_field[]){__VA_ARGS__}) / sizeof(struct log_field),            \
              (struct log_field[]){__VA_ARGS__})

#endif
