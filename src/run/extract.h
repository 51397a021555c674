/* extract.h - a test extraction: a connector read now and written as a set of files, without touching the store or the sinks.
 *
 * What is read goes into a store of its own in $TMPDIR, which is gone when this returns: so the files are the ones that a sync and an
 * export would write, and no state, watermark or outbox has moved.
 */
#ifndef ROLLCALL_EXTRACT_H
#define ROLLCALL_EXTRACT_H

#include "conf/conf.h"
#include "run/export.h"
#include "run/facts.h"

/* 0 also with loss gaps: report->gaps has all of the run's, the store's own too. */
int extract_set(const struct connector_conf *c, const struct export_options *o, struct stream_report *report, uint64_t *n_rows,
                struct err *e) must_use;

#endif
