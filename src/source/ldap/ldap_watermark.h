/* ldap_watermark.h - up to where a controller's changes are known: whose, and its update sequence number.
 *
 * USNs mean something on one controller's database only (MS-ADTS 3.1.1.1.9), so a watermark names the server object and the
 * invocationId, which changes when the database is restored. With DirSync there is its cookie as well.
 */
#ifndef ROLLCALL_LDAP_WATERMARK_H
#define ROLLCALL_LDAP_WATERMARK_H

#include "source/ldap/ldap_session.h"

enum ldap_method { METHOD_OFF, METHOD_USN, METHOD_DIRSYNC };

struct ldap_watermark {
    int64_t usn;
    bool has_cookie; /* of DirSync */
    struct buf cookie;
};
void ldap_watermark_free(struct ldap_watermark *w);
enum ldap_method ldap_watermark_method(const struct ldap_session *s); /* by the settings */
/* From JSON, as ldap_watermark_json wrote it. false: it does not fit this controller; `why` then says so. */
bool ldap_watermark_read(struct ldap_watermark *out, const json_t *in, const struct ldap_facts *f,
                         struct buf *why);
/* As of the session's root DSE. NULL: none can be kept (no invocationId). `cookie` may be empty. */
json_t *ldap_watermark_json(const struct ldap_facts *f, struct bytes cookie);
/* A DirSync cookie for "from now on", before a full read. Empty if the controller refuses; an error only if the connection is lost. */
int ldap_watermark_cookie(struct ldap_session *s, struct buf *cookie, struct err *e) must_use;

#endif
