/* file.h - files: read whole with a limit, write whole or not at all, spill to an unlinked one.
 */
#ifndef ROLLCALL_FILE_H
#define ROLLCALL_FILE_H

#include "base/buf.h"
#include "base/err.h"

/* Appends the file's content to out, whose max is the limit (ERR_LIMIT). ERR_NOTFOUND, ERR_DENIED, ERR_INPUT. */
int file_read(struct buf *out, const char *path, struct err *e) must_use;
/* All of it, through short writes and EINTR. ERR_LIMIT when the disk is full, ERR_DENIED when it is read-only, ERR_NET on EPIPE. */
int file_write_all(int fd, struct bytes b, struct err *e) must_use;
/* Atomically: a temporary name beside path, fsync, rename, fsync of the directory. mode as for open(2). */
int file_write_atomic(const char *path, struct bytes b, unsigned mode, struct err *e) must_use;
/* The same for what is too much to hold at once: write(ctx, fd) writes it. */
int file_write_atomic_by(const char *path, unsigned mode, int (*write)(void *ctx, int fd, struct err *e), void *ctx,
                         struct err *e) must_use;
/* An unlinked temporary file in $TMPDIR or /var/tmp; readable and writable. Close it to free the space. */
int file_spill(int *out_fd, struct err *e) must_use;
/* file_write_all to such a file; the error names the directory and the fix. */
int file_spill_write(int fd, struct bytes b, struct err *e) must_use;

#endif
