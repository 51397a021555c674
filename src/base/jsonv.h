/* jsonv.h - our values as jansson's: text that may be no UTF-8, times.
 */
#ifndef ROLLCALL_JSONV_H
#define ROLLCALL_JSONV_H

#include "base/buf.h"
#include "base/err.h"

#include <jansson.h>

/* A JSON string of text; what is not UTF-8 in it becomes U+FFFD. */
json_t *jsonv_str(struct str s);
json_t *jsonv_str_or_null(struct str s); /* JSON's null for an empty one */
json_t *jsonv_time(int64_t ms); /* RFC 3339, NULL for 0 */
/* JSON's null for NULL. */
static inline json_t *jsonv_or_null(json_t *value)
{
    return value ? value : json_null();
}
/* An array of words that stand with one space between them; an empty one for NULL. */
json_t *jsonv_words(const char *words);
/* The text that is a member of object; borrowed. Empty: there is none. */
static inline struct str jsonv_text(const json_t *object, const char *key)
{
    const json_t *v = json_object_get(object, key);
    return (struct str){json_is_string(v) ? json_string_value(v) : "", json_string_length(v)};
}
/* The same up to its first NUL. */
static inline const char *jsonv_cstr(const json_t *object, const char *key)
{
    return jsonv_text(object, key).ptr;
}
/* An error that another process or server told as {class, message, hint}: what is missing, or no class of ours, is as given. Returns its class. */
int jsonv_error(const json_t *told, enum err_class unless_class, const char *unless_message, struct err *e);
/* Sets key if value is not NULL. */
void jsonv_put(json_t *object, const char *key, json_t *value);

#endif
