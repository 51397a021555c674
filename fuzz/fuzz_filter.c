/* fuzz_filter.c - LDAP filters: the check of a whole one, and that no value breaks out of its item. */
#include "fuzz.h"
#include "model/filter.h"

static size_t count(struct bytes in, uint8_t c)
{
    size_t n = 0;
    for (size_t i = 0; i < in.len; i++) n += in.ptr[i] == c;
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes in = {data, size};
    struct err e;
    if (filter_check(str_of(in), &e) < 0)
        HOLDS(e.class == ERR_INPUT && e.message[0]);
    else
        HOLDS(size >= 3 && str_is_utf8(str_of(in)) && count(in, '(') == count(in, ')') && data[0] == '(');
    struct buf b = buf_new(size * 3 + 100);
    filter_equal(&b, STR("cn"), in);
    HOLDS(!b.failed && filter_check(buf_str(&b), &e) == 0);
    HOLDS(count(buf_bytes(&b), '(') == 1 && count(buf_bytes(&b), ')') == 1 && count(buf_bytes(&b), '*') == 0);
    buf_free(&b);
    return 0;
}
