/* write.h - rows of a run under way, in transactions of bounded size.
 *
 * Most rows only wait in memory and need no transaction until they are many; a statement that writes at once
 * opens one. So the file's write lock is never held while a directory makes us wait.
 */
#ifndef ROLLCALL_STORE_SQLITE_WRITE_H
#define ROLLCALL_STORE_SQLITE_WRITE_H

#include "store/sqlite/run.h"

/* --- batch.c */
int batch_open(struct sqlite_run *r, struct err *e) must_use;
/* After a group of rows that belong together: writes and commits when it is enough. */
int batch_wrote(struct sqlite_run *r, size_t bytes, struct err *e) must_use;
int batch_commit(struct sqlite_run *r, struct err *e) must_use;
void batch_rollback(struct sqlite_run *r);

/* --- write.c */
/* These wait in memory until batch_wrote or batch_commit; only once for each key: */
void write_version(struct sqlite_run *r, const struct version *v);
void write_body(struct sqlite_run *r, uint32_t seq, const struct record *rec, struct str name);
void write_list(struct sqlite_run *r, enum links_side side, uint32_t seq, struct bytes list);
/* These go to the file at once, over what this run may have written before: */
int write_missing(struct sqlite_run *r, uint32_t owner, struct bytes list, struct err *e) must_use;
int write_gap(struct sqlite_run *r, const struct gap *g, struct err *e) must_use;
struct change_row {
    uint32_t seq;
    enum kind kind;
    struct str name;
    const struct change *what; /* type, attribute, old, new, evidence */
    uint32_t member;           /* 0 none */
    enum kind member_kind;
    struct str member_name;
};
int write_change(struct sqlite_run *r, const struct change_row *row, struct err *e) must_use;
/* A row of type created, deleted or restored. */
int write_event(struct sqlite_run *r, uint32_t seq, enum kind kind, struct str name, enum change_type type,
                enum evidence v, struct err *e) must_use;
/* Gives seq a version row of this run that says it changed now; links_hash NULL: as it was. */
int write_touched(struct sqlite_run *r, uint32_t seq, const struct hash128 *links_hash, bool has_changed,
                  struct err *e) must_use;

#endif
