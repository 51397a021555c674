/* fuzz_retry_after.c - the Retry-After field: seconds, fractions, three forms of dates. */
#include "fuzz.h"
#include "net/retry_after.h"

#define NOW_MS ((int64_t)1767225600000) /* 2026-01-01 */

static bool is_digits(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] < '0' || s.ptr[i] > '9') return false;
    return s.len > 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str in = {(const char *)data, size}, text = str_trim(in);
    int64_t wait = -1, later = -1;
    bool ok = retry_after_parse(&wait, in, NOW_MS);
    HOLDS(ok ? wait >= 0 && wait <= RETRY_AFTER_MAX_MS : wait == -1);
    /* seconds do not depend on the clock; a date comes nearer */
    HOLDS(retry_after_parse(&later, in, NOW_MS + 1000) == ok || size > 20);
    if (ok && later >= 0) HOLDS(later <= wait || size > 20);
    if (!is_digits(text)) return 0;
    HOLDS(ok && wait == later && wait % 1000 == 0);
    if (text.len > 12) HOLDS(wait == RETRY_AFTER_MAX_MS || text.ptr[0] == '0');
    return 0;
}
