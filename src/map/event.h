/* event.h - looking into the JSON that a dialect wrote, for tests. */
#ifndef ROLLCALL_MAP_EVENT_H
#define ROLLCALL_MAP_EVENT_H

#include <jansson.h>

/* "user.groups[1].name" -> its value, or NULL. */
json_t *event_at(json_t *event, const char *path);
/* JSON text, keys sorted, of what stands at path; "" if nothing does. Fails the test otherwise; `where` says
 * whose. */
void event_expect(json_t *event, const char *path, const char *want, const char *where);

#endif
