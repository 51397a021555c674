/* access_export.h - what access export tells, row by row, and the same as OCSF findings.
 */
#ifndef ROLLCALL_CMD_ACCESS_EXPORT_H
#define ROLLCALL_CMD_ACCESS_EXPORT_H

#include "access/stream.h"
#include "cmd/access_walk.h"

struct export_row {
    json_t *principal, *target; /* borrowed: access_entity_json, access_bare_json */
    json_t *trustee, *from;     /* NULL: none */
    const struct stream_row *at;
    uint64_t accounts;          /* a well-known group that stands for so many accounts; 0: the account itself */
    const char *right;
    bool is_privileged;         /* the target */
};

/* One event for a target and right, or several of at most 1000 accessors. */
struct export_events;
void export_events_open(struct export_events **out, const struct access_cli *a);
void export_events_close(struct export_events *x); /* NULL is legal */
int export_events_add(struct export_events *x, const struct export_row *row, struct err *e) must_use;
int export_events_end(struct export_events *x, struct err *e) must_use; /* of the target and right */

#endif
