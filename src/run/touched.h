/* touched.h - what the changes of an incremental run touch without anything being written there.
 *
 * A directory writes on the object that was changed and nowhere else, but what a full read sees elsewhere changes too: the DNs of
 * everything below a renamed container, the descriptors of everything that inherits, the member lists and managers that named who is
 * now gone, or who was renamed. (In Entra ID a DN is an object's id, which nothing changes; who is gone is named all the same.) This collects, while the changes come in, what a second job (worker_job.only) has to read again.
 */
#ifndef ROLLCALL_TOUCHED_H
#define ROLLCALL_TOUCHED_H

#include "store/store.h"

#include <jansson.h>

struct touched;
struct touched *touched_new(struct store *s, struct str connector);
void touched_free(struct touched *t);
/* A record of the changes, after its store_run_put. */
int touched_put(struct touched *t, const struct record *r, struct put_effect effect, struct err *e) must_use;
int touched_gone(struct touched *t, const uint8_t guid[GUID_SIZE], struct err *e) must_use;
/* There, but not known so far: became visible. */
void touched_unknown(struct touched *t, enum kind k, const uint8_t guid[GUID_SIZE]);
/* Something happened that no record tells of: who was listed instead. */
void touched_elsewhere(struct touched *t);
/* Did a place move, change its descriptor or come back? Then the second job lists who is there. */
bool touched_places(const struct touched *t);
/* A group without members of its own (backlinks.h): its members are asked for. */
void touched_sealed(struct touched *t, struct str dn);
/* The job's "only"; NULL: nothing. *everything: so much that all has to be read; why, for the report. Reads the whole snapshot if somebody
 * was renamed or is gone. The caller json_decrefs. */
int touched_finish(struct touched *t, struct store_run *run, json_t **only, const char **everything, struct err *e) must_use;

#endif
