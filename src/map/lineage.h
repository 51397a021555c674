/* lineage.h - which paths of a dialect an attribute goes to, read from the dialect's own tables.
 *
 * For people who ask where something comes from. Rows whose getter reads the attribute that the row names are found by themselves; what other getters read is said
 * here once, in a table (lineage.c).
 */
#ifndef ROLLCALL_MAP_LINEAGE_H
#define ROLLCALL_MAP_LINEAGE_H

#include "model/attr.h"

/* Beside attributes, what a record has places of its own for. */
enum { LINEAGE_OF_GUID = -1, LINEAGE_OF_SID = -2, LINEAGE_OF_DN = -3, LINEAGE_OF_MEMBERSHIPS = -4 };

/* Calls each with the paths that the newest OCSF makes of the attribute (or LINEAGE_OF_...) for a kind, in the order of the table. */
void lineage_paths(bool is_tenant, enum kind k, int of, void (*each)(void *ctx, const char *path), void *ctx);

#endif
