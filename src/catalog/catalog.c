#include "catalog/catalog.h"

const char *const catalog_tags[] = {NULL};
