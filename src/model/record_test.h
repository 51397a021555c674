/* record_test.h - attributes with one value, for tests and benchmarks that make records of their own.
 *
 *   body_add_text(&state, ATTR_MAIL, who->mail);
 * Bytes of length 0, and a text that is NULL or empty, leave the attribute out. In the order of record.h: ids ascend.
 */
#ifndef ROLLCALL_MODEL_RECORD_TEST_H
#define ROLLCALL_MODEL_RECORD_TEST_H

#include "model/record.h"

static inline void body_add_bytes(struct buf *body, enum attr id, struct bytes value)
{
    struct buf v = buf_new(1 << 16);
    body_value_bytes(&v, value);
    if (value.len) body_add(body, id, 1, buf_bytes(&v));
    buf_free(&v);
}

static inline void body_add_text(struct buf *body, enum attr id, const char *text)
{
    body_add_bytes(body, id, bytes_of(str_from(text)));
}

static inline void body_add_int(struct buf *body, enum attr id, int64_t value)
{
    struct buf v = buf_new(64);
    body_value_int(&v, value);
    body_add(body, id, 1, buf_bytes(&v));
    buf_free(&v);
}

static inline void body_add_bool(struct buf *body, enum attr id, bool value)
{
    struct buf v = buf_new(64);
    body_value_bool(&v, value);
    body_add(body, id, 1, buf_bytes(&v));
    buf_free(&v);
}

#endif
