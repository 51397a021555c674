#include "base/jsonv.h"

#include "base/when.h"

#include <utf8proc.h>

/* A text that was cut within a character, or never was one. */
static json_t *repaired(struct str s)
{
    struct buf b = buf_new(SIZE_MAX / 2);
    for (size_t i = 0; i < s.len;) {
        int32_t cp;
        utf8proc_ssize_t n = utf8proc_iterate((const uint8_t *)s.ptr + i, (utf8proc_ssize_t)(s.len - i), &cp);
        if (n < 1)
            buf_add_str(&b, STR("\xef\xbf\xbd"));
        else
            buf_add(&b, s.ptr + i, (size_t)n);
        i += n < 1 ? 1 : (size_t)n;
    }
    json_t *j = json_stringn((const char *)b.ptr, b.len);
    buf_free(&b);
    return j;
}

json_t *jsonv_str(struct str s)
{
    json_t *j = json_stringn(s.ptr ? s.ptr : "", s.len);
    return j ? j : repaired(s);
}

json_t *jsonv_str_or_null(struct str s)
{
    return s.len ? jsonv_str(s) : json_null();
}

json_t *jsonv_time(int64_t ms)
{
    char text[WHEN_TEXT];
    return ms ? json_string(when_format(text, ms)) : NULL;
}

json_t *jsonv_words(const char *words)
{
    json_t *a = json_array();
    while (words && *words) {
        size_t n = strcspn(words, " ");
        json_array_append_new(a, json_stringn(words, n));
        words += n + (words[n] == ' ');
    }
    return a;
}

void jsonv_put(json_t *object, const char *key, json_t *value)
{
    if (value) json_object_set_new(object, key, value);
}

int jsonv_error(const json_t *told, enum err_class unless_class, const char *unless_message, struct err *e)
{
    struct str class = jsonv_text(told, "class"), message = jsonv_text(told, "message"), hint = jsonv_text(told, "hint");
    int known = class.len ? err_class_parse(class) : 0;
    err_set(e, known ? (enum err_class)known : unless_class, "%s", message.len ? message.ptr : unless_message);
    if (hint.len) err_hint(e, "%s", hint.ptr);
    return e->class;
}
