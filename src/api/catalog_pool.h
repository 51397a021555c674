/* catalog_pool.h - reading handles of the catalog, lent to one handler at a time; and what /assets and its kin have in common.
 */
#ifndef ROLLCALL_API_CATALOG_POOL_H
#define ROLLCALL_API_CATALOG_POOL_H

#include "api/http.h"
#include "catalog/catalog.h"

/* ERR_NOTFOUND: nothing was synced yet. Returned at the end of the same handler. */
int catalog_lend(struct request *q, struct catalog **out, struct err *e) must_use;
void catalog_return(struct catalog *c);

/* The filters of a query: kind source enabled admin mfa sign_in tag q deleted sort after. Strings are the request's. */
#define ASSET_FILTERS "kind source enabled admin mfa sign_in tag q deleted"
int asset_query(struct request *q, struct catalog_query *out, struct err *e) must_use;

/* The entity of {connector}/{uid}, captures 0 and 1, also a deleted one. tell: called once with it while it is borrowed; its result is this function's. */
int asset_get(struct request *q, int (*tell)(struct request *q, struct store *s, const struct entity *x, void *ctx, struct err *e), void *ctx, struct err *e) must_use;

#endif
