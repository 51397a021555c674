/* retry_after.h - the Retry-After field of an HTTP answer, RFC 9110 10.2.3.
 *
 * A pure function of the field's value and the clock. Seconds may carry a fraction (not in the RFC, but
 * services send "2.128"); dates come in the three forms of RFC 9110 5.6.7. What is neither is no advice at
 * all: the caller then waits as it would have waited anyway. int64_t wait; if (retry_after_parse(&wait,
 * value, when_now_ms())) ...
 */
#ifndef ROLLCALL_NET_RETRY_AFTER_H
#define ROLLCALL_NET_RETRY_AFTER_H

#include "base/base.h"

/* The longest wait that is reported; whatever asks for more gets this (366 days). */
#define RETRY_AFTER_MAX_MS ((int64_t)366 * 86400 * 1000)

/* How long to wait from now_ms (UTC), rounded up to a millisecond; 0 for a date that has passed.
 * false, *wait_ms untouched: the value is neither seconds nor a date. */
bool retry_after_parse(int64_t *wait_ms, struct str value, int64_t now_ms);

#endif
