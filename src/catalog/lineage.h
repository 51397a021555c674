/* lineage.h - from an attribute to what it becomes: its type's name, the columns of lists, the paths of OCSF (map/lineage.h).
 */
#ifndef ROLLCALL_CATALOG_LINEAGE_H
#define ROLLCALL_CATALOG_LINEAGE_H

#include "model/attr.h"

#include <jansson.h>

/* "string", "string list", "timestamp" ... */
const char *lineage_type_name(enum attr_type type, bool is_multi);
/* What a list calls what comes from it, "name", "last_sign_in" ...; NULL: nothing. */
const char *lineage_column(enum attr a);
/* Paths of the newest OCSF that are made of it for a kind, as an array; NULL: none. */
json_t *lineage_ocsf(bool is_tenant, enum kind k, enum attr a);
enum lineage_key { LINEAGE_GUID, LINEAGE_SID, LINEAGE_DN };
json_t *lineage_ocsf_key(bool is_tenant, enum kind k, enum lineage_key key);

#endif
