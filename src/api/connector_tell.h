/* connector_tell.h - a connector as a form brings it; as pages show it: settings, and how it is doing (docs/api.md: status, reason, fix, last, assets, delta ...).
 */
#ifndef ROLLCALL_API_CONNECTOR_TELL_H
#define ROLLCALL_API_CONNECTOR_TELL_H

#include "api/http.h"

/* The body's settings and secrets; who may name what the server reads is an administrator. Borrowed from the request. */
struct connector_form connector_form(const struct request *q, const char *type);
/* Puts what the schedule, the jobs and the store know of it into the connector's object (connectors_get). What cannot be read is absent. */
void connector_tell(struct request *q, json_t *connector);

#endif
