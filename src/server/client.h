/* client.h - HTTP clients of the server's own settings: a CA as pasted or as a path, and for webhooks only addresses that may be asked.
 */
#ifndef ROLLCALL_SERVER_CLIENT_H
#define ROLLCALL_SERVER_CLIENT_H

#include "net/http.h"
#include "server/state/state.h"

/* As http_open; ca: PEM text, the path of a file, or NULL. */
int client_open(struct http **out, struct http_options *o, const char *ca, struct err *e) must_use;
/* A path or reference of a setting; PEM text is neither. ERR_INPUT: to a file of the server itself, to /proc ..., or not absolute. */
int client_check_path(struct state *s, const char *key, bool is_path, const char *value, struct err *e) must_use;

#endif
