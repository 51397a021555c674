/* oauth.h - application tokens of Microsoft Entra ID: OAuth 2.0 client credentials (RFC 6749 4.4) with a secret, a certificate (RFC
 * 7523, PS256 with x5t#S256), a federated token, or a machine's managed identity.
 *
 * Nothing is kept on disk. The token is in a struct secret; it goes to nobody from here. Errors are told in words, by the code that
 * the service gives (AADSTSnnnn), with what to do; its own text is added with traces and correlation ids, never a secret.
 */
#ifndef ROLLCALL_NET_OAUTH_H
#define ROLLCALL_NET_OAUTH_H

#include "base/err.h"
#include "base/secret.h"

#include <jansson.h>

enum oauth_by { OAUTH_BY_SECRET, OAUTH_BY_CERTIFICATE, OAUTH_BY_FEDERATED, OAUTH_BY_MANAGED_IDENTITY };

struct oauth_settings { /* strings borrowed for the life of the struct oauth */
    enum oauth_by by;
    const char *login_url; /* "https://login.microsoftonline.com" */
    const char *tenant;    /* GUID or domain */
    const char *client_id; /* managed identity: NULL for the system-assigned one */
    const char *resource;  /* "https://graph.microsoft.com": the token is for "<resource>/.default" */
    const char *certificate_path;     /* PEM with private key, or PKCS#12 */
    const char *federated_token_path; /* read anew for every token */
    const char *identity_url;         /* managed identity; NULL: $IDENTITY_ENDPOINT is not known to workers, so http://169.254.169.254 */
    const char *ca_path;
    int connect_timeout_ms, answer_timeout_ms;
};

struct oauth;
/* secret: the client secret, or the passphrase of the certificate's key; may be empty. Borrowed. Loads the certificate: ERR_INPUT
 * with file and reason (no private key, wrong passphrase, key and certificate do not belong together, others may read it). */
int oauth_open(struct oauth **out, const struct oauth_settings *s, const struct secret *secret, struct err *e) must_use;
void oauth_close(struct oauth *o); /* wipes; NULL is legal */

/* Makes sure there is a token that is good for at least margin_ms more, asking for one if not; transient failures (HTTP 429, 5xx,
 * AADSTS90006 90012 90024 90033 90055, a dropped connection) are tried again with back-off until deadline_ms (monotonic).
 * ERR_AUTH refused (DOM_HTTP; code: the AADSTS number, or the status if the service gave none); ERR_INPUT settings; ERR_NET
 * ERR_TIMEOUT ERR_TLS ERR_PROTO ERR_LIMIT. A token that lives less than twice margin_ms is used for half of its life. While the old
 * token has a minute left, a renewal that fails for the moment is put off, and this is 0. */
int oauth_ensure(struct oauth *o, int64_t margin_ms, int64_t deadline_ms, struct err *e) must_use;
const struct secret *oauth_token(const struct oauth *o); /* NULL: none yet */
void oauth_forget(struct oauth *o);                      /* refused with 401: the next oauth_ensure asks anew */

/* What the token says of itself, for diagnostics only (nothing is verified): "roles" (array), "tid", "appid", "exp", ...; NULL if it
 * is no readable JWT. Borrowed. */
const json_t *oauth_claims(const struct oauth *o);
int64_t oauth_expires_ms(const struct oauth *o);             /* UTC; 0: no token */
int64_t oauth_certificate_expires_ms(const struct oauth *o); /* UTC; 0: none */
int64_t oauth_clock_offset_ms(const struct oauth *o);        /* the service's Date header minus our clock, of the last answer; 0 unknown */
unsigned oauth_requests(const struct oauth *o);              /* sent so far */

/* AADSTS code -> what it means and what to do; false if it is not in the table. Pure. */
bool oauth_explain(int aadsts, const char **meaning, const char **fix);
/* A client secret's ID (a GUID) pasted in place of its value. */
bool oauth_looks_like_secret_id(struct bytes secret);
/* A service's own words for one of our messages: the first line that is not blank, cut to size, without what moves a terminal's
 * cursor or turns text around. Returns out. */
char *oauth_quote(char *out, size_t size, struct str said);

#endif
