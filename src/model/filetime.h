/* filetime.h - Active Directory's two spellings of time, to ms UTC (when.h).
 *
 * FILETIME: 100 ns since 1601-01-01 as decimal text (LargeInteger syntax); 0 and 2^63-1 mean never: absence.
 * GeneralizedTime: YYYYMMDDHHMMSS[.f]Z or with +hhmm/-hhmm (X.680); AD always writes .0Z.
 */
#ifndef ROLLCALL_FILETIME_H
#define ROLLCALL_FILETIME_H

#include "base/base.h"

/* Decimal int64, optional minus, nothing else; false if it is not one or does not fit. */
bool decimal_parse(int64_t *out, struct str s);
/* *out_ms == 0 for never. false: not a number, or negative. */
bool filetime_parse(int64_t *out_ms, struct str s);
/* A negative interval (maxPwdAge, lockoutDuration) to positive ms; 0 and -2^63 (never) give 0. false: positive or no number. */
bool filetime_parse_span(int64_t *out_ms, struct str s);
/* Years 1601..9999; false otherwise. Years before 1970 give 0 (absence). */
bool generalized_time_parse(int64_t *out_ms, struct str s);
/* Either, told apart by form, as an attribute of type ATTR_TIME may have. */
bool ad_time_parse(int64_t *out_ms, struct str s);

#endif
