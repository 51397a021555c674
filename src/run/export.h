/* export.h - the visible snapshot of a connector as a set of files in a directory, all or nothing.
 */
#ifndef ROLLCALL_EXPORT_H
#define ROLLCALL_EXPORT_H

#include "conf/csv4_columns.h"
#include "map/map.h"
#include "store/store.h"

struct export_options {
    struct str connector;
    struct str dialect;
    struct dialect_options dialect_options; /* context is filled in here */
    const char *dir;
    kind_set kinds; /* 0: all */
    const struct csv4_columns *csv4; /* of dialect csv4; NULL: as shipped */
    bool is_test;                    /* extract.h: the manifest says so instead of naming a run that nobody can look at */
};
int export_set(struct store *s, const struct export_options *o, uint64_t *n_rows, struct err *e) must_use;

#endif
