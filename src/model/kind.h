/* kind.h - what an entity is. The names are what users see (docs/contract); the numbers are stored.
 */
#ifndef ROLLCALL_KIND_H
#define ROLLCALL_KIND_H

#include "base/base.h"

/* name, stored number, plural for people */
#define KINDS(X)                                                                                             \
    X(domain, 1, "domains")                                                                                  \
    X(ou, 2, "OUs")                                                                                          \
    X(container, 3, "containers")                                                                            \
    X(group, 4, "groups")                                                                                    \
    X(user, 5, "users")                                                                                      \
    X(computer, 6, "computers")                                                                              \
    X(service_account, 7, "service accounts")                                                                \
    X(foreign_principal, 8, "foreign principals")                                                            \
    X(contact, 9, "contacts")                                                                                \
    X(trust, 10, "trusts")                                                                                   \
    X(group_policy, 11, "group policies")                                                                    \
    X(role, 12, "roles")                                                                                     \
    X(administrative_unit, 13, "administrative units")                                                       \
    X(device, 14, "devices")                                                                                 \
    X(service_principal, 15, "service principals")                                                           \
    X(tenant, 16, "tenants")

enum kind {
    KIND_NONE = 0,
#define X(name, number, plural) KIND_##name = number,
    KINDS(X)
#undef X
    KIND_COUNT = 17
};

typedef uint32_t kind_set; /* bit (1 << kind) */
#define KIND_BIT(k) ((kind_set)1 << (k))
#define KINDS_ALL   (((kind_set)1 << KIND_COUNT) - 2)

/* Signs in: has a password or keys of its own. */
static inline bool kind_is_account(enum kind k)
{
    return k == KIND_user || k == KIND_computer || k == KIND_service_account || k == KIND_service_principal || k == KIND_device;
}

/* Has members. */
static inline bool kind_has_members(enum kind k)
{
    return k == KIND_group || k == KIND_role || k == KIND_administrative_unit;
}

const char *kind_name(enum kind k);   /* "service_account"; "none" for KIND_NONE */
const char *kind_plural(enum kind k);
enum kind kind_parse(struct str s);   /* KIND_NONE if unknown */
/* "user,group" -> set; false at an unknown name, *bad then is it. */
bool kind_set_parse(kind_set *out, struct str list, struct str *bad);

#endif
