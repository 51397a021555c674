/* ldap_controllers.h - the controllers of a connector in the order in which they are tried: host,
 * failover_hosts, and those that DNS knows (dc_discovery). No name twice.
 *
 * A list of names and what became of each; connections are the session's (ldap_session.h).
 */
#ifndef ROLLCALL_LDAP_CONTROLLERS_H
#define ROLLCALL_LDAP_CONTROLLERS_H

#include "source/ldap/ldap_settings.h"

#define CONTROLLERS_MAX 128

enum controller_origin { CONTROLLER_HOST, CONTROLLER_FAILOVER, CONTROLLER_DISCOVERED };

struct controller {
    char host[256];
    uint16_t port;
    enum controller_origin origin;
    unsigned n_failed; /* in the work under way; see ldap_session.h */
    bool is_slow;      /* it did not answer in the short time of a takeover's first round */
    char why[256];     /* the last time; empty if it never failed */
    char service[512]; /* dsServiceName that answered under this name; empty if not yet known */
};

struct ldap_controllers {
    struct controller list[CONTROLLERS_MAX];
    size_t n;
    /* names from DNS that are not used: what DNS says is not proved by anything, and a certificate for a
     * foreign name proves only that name */
    size_t n_outside;
    char outside[256]; /* the first */
};

/* host and failover_hosts. */
void ldap_controllers_init(struct ldap_controllers *out, const struct ldap_settings *s);
/* Adds those that DNS knows, below the domain or the discovery domain only; 0 and nothing if dc_discovery is
 * off. An error leaves the list as it was. */
int ldap_controllers_discover(struct ldap_controllers *c, const struct ldap_settings *s, int64_t deadline_ms,
                              struct err *e) must_use;
/* How to connect to number i: certificate_name is verified at host and failover_hosts, else each one's own
 * name; at the discovered ones always their own. */
struct ldap_target ldap_controllers_target(const struct ldap_controllers *c, size_t i,
                                           const struct ldap_settings *s, int64_t deadline_ms);
/* "host", "failover_hosts", "dc_discovery" */
const char *controller_origin_name(enum controller_origin o);

#endif
