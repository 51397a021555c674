/* ldap_schema.h - what the GUIDs of the forest's access control entries mean: its schema and extended rights,
 * read for the store.
 *
 * Three searches in a full read (about 1,750 entries, half a megabyte): CN=Schema, CN=Extended-Rights, and
 * dSHeuristics. In a read of changes two searches that find nothing, by uSNChanged; none if nothing at all
 * was written on the controller. Entities do not depend on it, so whatever goes wrong is a gap of severity
 * info.
 */
#ifndef ROLLCALL_LDAP_SCHEMA_H
#define ROLLCALL_LDAP_SCHEMA_H

#include "source/ldap/ldap_session.h"

/* After everything else of a read for a store; sends a SCHEMA frame where there is news. before: the
 * watermark that the read went on from, NULL: none. mark: the one that it leaves, told in "schema" what is
 * known up to there: true or false (not readable). */
int ldap_schema_read(struct ldap_session *s, const json_t *before, json_t *mark, struct err *e) must_use;

#endif
