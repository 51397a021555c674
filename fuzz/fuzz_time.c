/* fuzz_time.c - FILETIME, intervals, GeneralizedTime, RFC 3339, and the decimal numbers below them. */
#include "base/when.h"
#include "fuzz.h"
#include "model/filetime.h"

#include <errno.h>
#include <inttypes.h>

#define LAST_MS 253402300799999 /* the end of the year 9999 */

static void check_decimal(struct str in)
{
    int64_t v, again;
    char text[32];
    if (!decimal_parse(&v, in)) return;
    snprintf(text, sizeof text, "%" PRId64, v);
    HOLDS(decimal_parse(&again, str_from(text)) && again == v);
    char *copy = x_strdup(in), *end;
    errno = 0;
    HOLDS(strtoll(copy, &end, 10) == v && errno == 0 && *end == 0);
    free(copy);
}

/* A time from AD is absence or a moment that can be written and read back. */
static void check_moment(int64_t ms)
{
    char text[WHEN_TEXT];
    int64_t again;
    HOLDS(ms >= 0 && ms <= LAST_MS);
    HOLDS(when_parse(&again, str_from(when_format(text, ms))) && again == ms);
}

static void check_rfc_3339(struct str in)
{
    int64_t ms, again;
    char text[WHEN_TEXT];
    if (!when_parse(&ms, in)) return;
    when_format(text, ms);
    if (text[0]) HOLDS(when_parse(&again, str_from(text)) && again == ms);
    HOLDS(text[0] || ms > LAST_MS || ms < -62135596800000);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str in = {(const char *)data, size};
    int64_t filetime, generalized, either, span;
    bool is_filetime = filetime_parse(&filetime, in),
         is_generalized = generalized_time_parse(&generalized, in);
    check_decimal(in);
    check_rfc_3339(in);
    if (is_filetime) check_moment(filetime);
    if (is_generalized) check_moment(generalized);
    HOLDS(!is_filetime || !is_generalized);
    HOLDS(ad_time_parse(&either, in) == (is_filetime || is_generalized));
    if (is_filetime) HOLDS(either == filetime);
    if (is_generalized) HOLDS(either == generalized);
    if (filetime_parse_span(&span, in)) HOLDS(span >= 0);
    return 0;
}
