/* set_dir.h - the directory a set lives in: one writer, a hidden place to prepare, one way to move in.
 *
 * DIR/.rollcall-lock        flock(2)ed by the one process that prepares a set; gone with it
 * DIR/.rollcall-<16 hex>/   where the set is prepared; once it holds manifest.json the set is decided: from
 * then on moving it in is only ever repeated or finished, never taken back A process may die anywhere. The
 * next set_dir_open finishes what was decided and removes what was not; it needs nothing but what is on the
 * disk. Not here: what the files hold (set.c).
 */
#ifndef ROLLCALL_SINK_SET_DIR_H
#define ROLLCALL_SINK_SET_DIR_H

#include "base/base.h"
#include "base/err.h"

#define SET_MANIFEST  "manifest.json"
#define SET_NAME_MAX  200
#define SET_FILES_MAX 64

struct set_dir {
    char *path;         /* as given; for messages */
    bool made;          /* by us: taken away again if nothing comes into it */
    int dir, lock, tmp; /* descriptors, -1: none */
    char tmp_name[32];
};

/* Takes the directory (made if it is missing, its parent must be there), clears what dead processes left
 * behind, makes an empty place to prepare. On failure nothing is held. ERR_CONFLICT: another process prepares
 * a set here (its pid is named), or a manifest.json that is not rollcall's lies there; ERR_DENIED,
 * ERR_NOTFOUND, ERR_LIMIT (no room). */
int set_dir_open(struct set_dir *out, const char *path, struct err *e) must_use;
/* Moves the decided set in: files, then removals, then the manifest; each step synced before the next. */
int set_dir_move_in(struct set_dir *d, struct err *e) must_use;
/* Lets go. What was prepared and not decided is removed; what was decided stays for the next open to finish.
 */
void set_dir_close(struct set_dir *d);

/* [A-Za-z0-9._-], at most SET_NAME_MAX, first one a letter, digit or underscore, not the manifest. ERR_INPUT.
 */
int set_name_check(struct str name, struct err *e) must_use;
/* fsync of a directory; silently nothing where the file system has no such thing. */
int set_dir_sync(int fd, const char *what, struct err *e) must_use;
/* The class that an errno of a file operation is reported as. */
enum err_class set_errno_class(int saved_errno);

#endif
