/* deliver.h - what changed since a sink last said yes, to that sink; at least once, nothing passed over.
 *
 * The change log is the outbox. A batch is: the changes themselves, where the dialect has events for changes, and the present
 * state of every entity they touch. The cursor moves after the sink has said yes, so a crash repeats a batch and never skips one;
 * the events of a repeated batch have the same ids.
 */
#ifndef ROLLCALL_DELIVER_H
#define ROLLCALL_DELIVER_H

#include "conf/conf.h"
#include "map/map.h"
#include "store/store.h"

struct deliver_report {
    uint64_t changes, events, posts;
};
/* On an error the report says what had been delivered until then. */
int deliver(struct store *s, const struct connector_conf *connector, const struct sink_conf *sink, struct deliver_report *report,
            struct err *e) must_use;
/* The changes of a query as OCSF events, to a descriptor. */
int deliver_changes_to(struct store *s, const struct change_query *q, struct str ocsf_version, int fd, struct err *e) must_use;

#endif
