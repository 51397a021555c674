/* peek.h - looks at the certificate chain that a host presents, in a child process: `rollcall certificate HOST:PORT -o json`.
 *
 * The server itself opens no TLS connection to anybody it was told of: what a stranger sends is parsed in a process that ends right after. Nothing is trusted by it.
 */
#ifndef ROLLCALL_SERVER_PEEK_H
#define ROLLCALL_SERVER_PEEK_H

#include "base/err.h"

#include <jansson.h>

/* starttls: LDAP StartTLS instead of TLS at once. *out: what docs/contract/certificate.json says, with "pem". At most 4 at once (ERR_LIMIT). */
int peek_certificate(json_t **out, const char *host, unsigned port, bool starttls, int timeout_ms, struct err *e) must_use;

void peek_stop(void); /* the server stops: whoever waits for one is told so at once */

#endif
