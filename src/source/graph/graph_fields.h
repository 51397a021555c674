/* graph_fields.h - which Graph properties each kind has, and how one JSON object becomes a record.
 *
 * One table of rows {kinds, property, attribute, how}: the $select lists, the records and the documentation are made from it.
 * Everything that comes in is hostile: a value of the wrong type is left out and counted, text must be UTF-8 (jansson checks), strings
 * are bounded, times outside 1601..9999 and "0001-01-01T00:00:00Z" and "" are absent.
 */
#ifndef ROLLCALL_GRAPH_FIELDS_H
#define ROLLCALL_GRAPH_FIELDS_H

#include "base/buf.h"
#include "base/err.h"
#include "model/record.h"

#include <jansson.h>

/* The $select list of a kind, as it stands in a URL; if longer than max characters, in several parts that each begin with id. A part
 * past the last is empty: n parts are 0..n-1. without: properties to leave out (space-separated), e.g. those a sovereign cloud lacks. */
struct str graph_fields_select(struct buf *out, enum kind k, size_t max, size_t part, const char *without);

/* Values of one object, in the order and coding of record.h; borrowed scratch of the caller. */
struct graph_body {
    struct buf state, stats, values;
    uint64_t n_wrong;       /* values of the wrong type, left out; of the last object, as is the next */
    char first_wrong[160];  /* "employeeId: a number where a text belongs"; empty if none */
    uint8_t guid[GUID_SIZE];
    char id[GUID_TEXT];     /* lower case: record.dn */
    struct buf texts;       /* values of one attribute while they are sorted */
    struct bytes *list;
    size_t cap_list;
};
void graph_body_init(struct graph_body *b);
void graph_body_free(struct graph_body *b);

/* What is read apart from the object and becomes part of its record. */
struct graph_extra {
    const json_t *details;   /* userRegistrationDetails of a user, or NULL */
    const json_t *methods;   /* array of authentication methods of a user, or NULL */
    const json_t *sign_in;   /* signInActivity, or NULL */
    const json_t *owners;    /* array of id texts, or NULL: not read */
    const json_t *domains;   /* of a tenant: value[] of /domains, or NULL */
    struct str scope, assignment; /* of a role: directoryScopeId ("/"), "active" or "eligible"; empty: "/" and "active" */
    struct str scope_name;        /* what people call that scope, for the role's display name; empty: the scope itself */
};
/* objects: one JSON object, or the parts of it when the field list was split (n of them, the same id). Makes r with slices of b,
 * without member lists, flags and SID. x may be NULL. ERR_PROTO: no object, or no valid id (a role definition's id may be a template id;
 * all are GUIDs). details win over methods; mfaSource tells which it was. Shapes of composed texts, a missing part being "-":
 *     identities            signInType issuer issuerAssignedId   (the one of type userPrincipalName is left out)
 *     password/keyCredentials  keyId endDateTime displayName     (the name may be missing, and may hold spaces) */
int graph_record(struct record *r, struct graph_body *b, enum kind k, const json_t *const *objects, size_t n, const struct graph_extra *x,
                 struct err *e) must_use;

/* The i-th field of a kind, in order of attribute number, for documentation and tests: its property ("employeeOrgData/costCenter"; what
 * comes from elsewhere has the name of its attribute). NULL past the last. */
const char *graph_field(char out[80], enum kind k, size_t i, enum attr *attr);

/* "#microsoft.graph.servicePrincipal" -> KIND_service_principal; KIND_NONE if unknown. */
enum kind graph_type_kind(const char *odata_type);
/* A role with a scope or only eligible is an entity of its own: its id is a hash of role, scope and assignment (UUID version 8).
 * An active one of scope "/" is the definition itself. Empty: "/" and "active". */
void graph_role_guid(uint8_t out[GUID_SIZE], const uint8_t definition[GUID_SIZE], struct str scope, struct str assignment);
/* One of Microsoft's method types or the report's method names -> the name we keep ("fido2", "microsoftAuthenticator", ...); NULL:
 * unknown. *is_second_factor: it makes a second factor (a password, an e-mail address or a security question does not). */
const char *graph_method(const char *name, bool *is_second_factor);

#endif
