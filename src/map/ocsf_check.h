/* ocsf_check.h - the project's own conformance check of OCSF events, for tests: never part of the program.
 *
 * Facts are in tests/golden/ocsf_required.json: for each version, class and object the attributes that our
 * tables use (and all that are required), their types, enumerations and constraints, as the compiled schemas
 * have them. It says the same as a full validator for events made of those attributes, and calls every other
 * attribute unknown.
 */
#ifndef ROLLCALL_MAP_OCSF_CHECK_H
#define ROLLCALL_MAP_OCSF_CHECK_H

#include "base/base.h"

/* Fails the running cmocka test at the first finding; returns how many events there were. */
size_t ocsf_check_lines(struct str lines, const char *version, const char *where);
/* Findings in one event, as text in out (cut to size); 0: conformant. */
size_t ocsf_check_event(struct str event, const char *version, char *out, size_t size);

#endif
