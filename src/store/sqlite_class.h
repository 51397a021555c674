/* sqlite_class.h - the error class of a SQLite result code (primary or extended, sqlite.org/rescode.html), for every file that rollcall keeps.
 *
 * Only what a code means whatever the file is. What depends on the file is decided before by who opened it: no such file (SQLITE_CANTOPEN), the disk
 * (SQLITE_IOERR), a constraint that is meant to be met (SQLITE_CONSTRAINT). Hints are theirs too.
 */
#ifndef ROLLCALL_STORE_SQLITE_CLASS_H
#define ROLLCALL_STORE_SQLITE_CLASS_H

#include "base/err.h"

/* ERR_BUG for what nothing can be done about from outside, such as a damaged file. */
int sqlite_class(int rc);

#endif
