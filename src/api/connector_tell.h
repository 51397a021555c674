/* connector_tell.h - a connector as pages show it: settings, and how it is doing (docs/api.md: status, reason, fix, last, assets, delta ...).
 */
#ifndef ROLLCALL_API_CONNECTOR_TELL_H
#define ROLLCALL_API_CONNECTOR_TELL_H

#include "api/http.h"

/* Puts what the schedule, the jobs and the store know of it into the connector's object (connectors_get). What cannot be read is absent. */
void connector_tell(struct request *q, json_t *connector);

#endif
