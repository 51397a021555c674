/* expiring.h - secrets, certificates and tickets that end soon, as the last test of each connector saw them.
 */
#ifndef ROLLCALL_API_EXPIRING_H
#define ROLLCALL_API_EXPIRING_H

#include "api/http.h"

/* [{connector, what, when}], soonest first, of those that end within 60 days or have ended. connectors: as connectors_list tells them. Never fails: what cannot be read is
 * absent. */
json_t *expiring_list(struct request *q, const json_t *connectors);
/* Appends {what, when} to out for each step of a test, {name, evidence, ...}, that says until when something is valid. */
void expiring_of_step(const json_t *step, int64_t now_ms, json_t *out);

#endif
