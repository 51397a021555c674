/* webhook.h - one message out: a POST to a URL, or a line of a file.
 *
 * A POST has the body as it is kept, so every attempt sends the same bytes, and
 *     X-Rollcall-Delivery: the alert's id (the same with every attempt), X-Rollcall-Timestamp: seconds since 1970,
 *     X-Rollcall-Signature: sha256=HEX of HMAC-SHA256(secret, timestamp "." body), where there is a secret.
 * It goes to public addresses, and to those that the settings allow; the address is looked at when the connection is made, after DNS. No redirects. HTTPS; http only to
 * loopback. A file is one in the directory of the settings; a link is not followed.
 */
#ifndef ROLLCALL_SERVER_WEBHOOK_H
#define ROLLCALL_SERVER_WEBHOOK_H

#include "base/secret.h"
#include "net/ranges.h"

#define OUTWARD_RANGES 64
struct outward { /* where messages may go beyond public addresses */
    struct address_range allow[OUTWARD_RANGES];
    size_t n_allow;
    const char *file_directory; /* NULL: no files */
    const char *ca;             /* of webhooks: PEM or a path; NULL: the system's */
};
/* ERR_INPUT: not a URL to post to, by its text alone. */
int webhook_check(const char *url, struct err *e) must_use;
/* A name in the directory, or the directory's path before it: *name is the name. ERR_INPUT. */
int message_file_check(const char *path, const char **name, const struct outward *o, struct err *e) must_use;

/* ERR_DENIED: the address may not be asked; ERR_INPUT: a status that will not change (4xx); else it may be tried again. */
int webhook_post(const struct outward *o, const char *url, const struct secret *secret, int64_t id, struct bytes body, struct err *e) must_use;
int message_append(const struct outward *o, const char *path, struct bytes line, struct err *e) must_use;

#endif
