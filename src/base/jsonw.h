/* jsonw.h - a streaming JSON writer (the hot path of every output).
 *
 * Writes RFC 8259 into a struct buf: commas are kept right by the writer, keys and order by the caller.
 * Text must be UTF-8 (struct str past a decoder is); control characters (C1 too), quote, backslash and DEL
 * are escaped, and U+2028/2029 too, so that a line stays a line. Nesting to 64.
 *     struct jsonw j = jsonw_new(&buf);
 *     jsonw_object(&j); jsonw_key(&j, STR("name")); jsonw_str(&j, name); jsonw_end(&j);
 * Failure is the buffer's sticky `failed`. Reading small documents is jansson's work, not this.
 */
#ifndef ROLLCALL_JSONW_H
#define ROLLCALL_JSONW_H

#include "base/buf.h"

struct jsonw {
    struct buf *out;
    uint64_t is_array; /* one bit a level */
    unsigned depth;
    bool first;        /* nothing written at this level yet */
};

struct jsonw jsonw_new(struct buf *out);
void jsonw_object(struct jsonw *j);
void jsonw_array(struct jsonw *j);
void jsonw_end(struct jsonw *j); /* closes the innermost object or array */
void jsonw_key(struct jsonw *j, struct str key);
/* key must need no escaping and already be in the form `"key":`; the fast way for tables. */
void jsonw_raw_key(struct jsonw *j, struct str quoted_key_and_colon);
void jsonw_str(struct jsonw *j, struct str s);
void jsonw_int(struct jsonw *j, int64_t v);
void jsonw_uint(struct jsonw *j, uint64_t v);
void jsonw_bool(struct jsonw *j, bool v);
void jsonw_null(struct jsonw *j);
/* Base64 of the bytes, as a string. */
void jsonw_base64(struct jsonw *j, struct bytes b);
/* A value that already is JSON. */
void jsonw_raw(struct jsonw *j, struct str value);

/* key and value at once */
void jsonw_kstr(struct jsonw *j, const char *key, struct str s);
void jsonw_kcstr(struct jsonw *j, const char *key, const char *s); /* NULL: left out */
void jsonw_kint(struct jsonw *j, const char *key, int64_t v);
void jsonw_kbool(struct jsonw *j, const char *key, bool v);

/* Appends s escaped, without quotes. */
void jsonw_escape(struct buf *out, struct str s);
/* Appends a decimal number. */
void buf_add_decimal(struct buf *out, int64_t v);
void buf_add_base64(struct buf *out, struct bytes b);

#endif
