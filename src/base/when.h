/* when.h - points in time: UTC milliseconds since 1970 as int64_t, 0 meaning absent; monotonic deadlines.
 *
 * "Never" and the year 1601 are absence, never a date. Deadlines are on the monotonic clock, so a step
 * of the wall clock neither hangs nor expires a wait.
 */
#ifndef ROLLCALL_WHEN_H
#define ROLLCALL_WHEN_H

#include "base/buf.h"

#include <time.h>

#define WHEN_DAY_MS INT64_C(86400000)

int64_t when_now_ms(void);       /* wall clock, UTC */
int64_t when_monotonic_ms(void); /* for deadlines and durations only */
/* What is left until a monotonic deadline, at least 0, at most INT_MAX. */
int when_left_ms(int64_t deadline_ms);
/* In so long on the monotonic clock, for pthread_cond_clockwait, pthread_mutex_clocklock, and a condition of that clock. */
struct timespec when_monotonic_in(int64_t ms);
/* How long to wait before the n-th further attempt (from 1): first_ms, doubled each time, at most most_ms. The caller takes some of it away by chance. */
int64_t when_back_off_ms(unsigned n, int64_t first_ms, int64_t most_ms);
/* RFC 3339 in UTC with milliseconds only where they are not zero: 2026-01-04T10:12:00Z; 24 bytes + NUL
 * always suffice for the years 0001..9999; outside them "" is written. Returns out. */
#define WHEN_TEXT 32
char *when_format(char out[WHEN_TEXT], int64_t ms);
/* RFC 3339 (any offset) to ms; false if it is not one. */
bool when_parse(int64_t *out_ms, struct str s);
/* What people write behind a number: s, m, h, d, w (weeks). 0: none of them. */
int64_t when_unit_ms(char unit);
unsigned when_month_days(int64_t year, unsigned month); /* month 1..12 */
/* Civil date to ms since 1970, proleptic Gregorian; month 1..12. Inputs must be in range. */
int64_t when_from_civil(int64_t year, unsigned month, unsigned day, unsigned hour, unsigned min, unsigned sec);

#endif
