/* out.h - rows of a command on standard output: table, JSON, JSON Lines or CSV, told by -o.
 *
 * A row is a JSON object; the same object is printed whole as JSON and by columns as table and CSV. --fields picks
 * columns (and members). Directory text in a table has control and bidirectional characters made visible.
 */
#ifndef ROLLCALL_OUT_H
#define ROLLCALL_OUT_H

#include "base/jsonv.h"
#include "cmd/cli.h"

struct out_column {
    const char *key;   /* member of the row; dots go into objects: "counts.user.read" */
    const char *title; /* NULL: the key */
};

struct out;
/* columns: the default ones of a table; key NULL ends. */
int out_open(struct out **out, const struct cli *c, const struct out_column *columns, struct err *e) must_use;
/* Steals row. */
int out_row(struct out *o, json_t *row, struct err *e) must_use;
int out_close(struct out *o, struct err *e) must_use; /* prints what waits */
/* The same after rows that ended with rc, whose error is in e: the first failure is the one that is told. */
int out_finish(struct out *o, int rc, struct err *e) must_use;
/* Steals object: JSON, or "key  value" lines. */
int out_object(const struct cli *c, json_t *object, struct err *e) must_use;
/* Rows are those of an array. Borrows. */
int out_list(const struct cli *c, const struct out_column *columns, const json_t *rows, struct err *e) must_use;

/* Appends what a directory or a peer wrote, for a terminal: on one line, control and bidirectional characters as \u{..}. Without it
 * a name or an error text could move the cursor, or forge a line of ours. */
void out_visible(struct buf *b, struct str text);
void out_print_gap(const struct gap *g); /* to standard error, as text */
int out_print_run_gaps(struct store *s, int64_t run, struct err *e) must_use;

#endif
