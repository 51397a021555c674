/* read.h - a directory straight to a dialect on a descriptor, with no store.
 *
 * Memory stays flat: what has to wait for somebody else's name (a person's manager, a group's members) waits in a
 * temporary file and is written at the end.
 */
#ifndef ROLLCALL_READ_H
#define ROLLCALL_READ_H

#include "conf/conf.h"
#include "map/map.h"
#include "run/facts.h"

struct read_options {
    const struct connector_conf *connector;
    kind_set kinds; /* to write; 0: all the dialect has a place for */
    struct str dialect;
    struct dialect_options dialect_options; /* context is filled in here */
    int out_fd;
};
/* 0 also with loss gaps: see report->gaps. What was written before an error stays written. */
int read_directory(const struct read_options *o, struct stream_report *report, struct err *e) must_use;

#endif
