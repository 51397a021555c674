/* zip.h - a ZIP archive of stored entries, written as it comes (APPNOTE.TXT 6.3.9; ZIP64 where a size or a
 * number needs it).
 *
 *     struct zip *z = zip_new(fd);                  // a regular file, empty, at its start
 *     zip_entry(z, "users.json", &e);
 *     buf_add_str(zip_buf(z), ...); zip_wrote(z, &e); ...
 *     zip_entry(z, "groups.json", &e); ...
 *     zip_finish(z, &e); zip_free(z);
 * Nothing is compressed. The same content gives the same bytes: there are no times in it.
 */
#ifndef ROLLCALL_ACCESS_ZIP_H
#define ROLLCALL_ACCESS_ZIP_H

#include "base/buf.h"
#include "base/err.h"

#define ZIP_ENTRIES_MAX 64
#define ZIP_NAME_MAX    200

struct zip;
struct zip *zip_new(int fd);
/* Ends the entry before and begins one. name: ASCII, no '/' in front. */
int zip_entry(struct zip *z, const char *name, struct err *e) must_use;
/* What is appended is the entry's content. */
struct buf *zip_buf(struct zip *z);
/* After appending: writes when enough waits. ERR_LIMIT: the disk is full, or more than 64 MiB came at once.
 */
int zip_wrote(struct zip *z, struct err *e) must_use;
int zip_finish(struct zip *z, struct err *e) must_use;
void zip_free(struct zip *z);                        /* NULL is legal */
uint32_t zip_crc32(uint32_t before, struct bytes b); /* begins with 0 */

#endif
