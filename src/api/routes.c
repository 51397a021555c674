#include "api/http.h"

/* Every file of handlers has one table. */
const struct route *const route_tables[] = {NULL};
