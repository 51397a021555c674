/* ldap_seen.h - which objects of the kind under way have been emitted: 16 bytes each in an unlinked temporary
 * file, read back into a set only when the listing has to start over.
 */
#ifndef ROLLCALL_LDAP_SEEN_H
#define ROLLCALL_LDAP_SEEN_H

#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"
#include "model/record.h"

struct ldap_seen {
    int fd; /* -1: nothing written so far */
    struct buf pending;
    uint64_t n;      /* distinct or not: as many as were added */
    struct hmap set; /* of those known at the last seen_load, and added since */
    bool is_loaded;
    struct err broken; /* class 0: the file is sound */
};

struct ldap_seen seen_new(void);
void seen_free(struct ldap_seen *s);
/* Never fails: a file that cannot be written is an error only where it is needed, in seen_load. */
void seen_add(struct ldap_seen *s, const uint8_t guid[GUID_SIZE]);
/* From now on seen_has knows. ERR_LIMIT: the temporary file could not be written. */
int seen_load(struct ldap_seen *s, struct err *e) must_use;
bool seen_has(const struct ldap_seen *s, const uint8_t guid[GUID_SIZE]);

#endif
