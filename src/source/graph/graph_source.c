#include "source/graph/graph_source.h"

const struct source source_entra_id = {
    .type = "entra_id",
    .member_kinds = KIND_BIT(KIND_user) | KIND_BIT(KIND_group) | KIND_BIT(KIND_device) | KIND_BIT(KIND_service_principal) |
                    KIND_BIT(KIND_contact),
    .read = graph_read,
    .check = graph_check,
    .discover = graph_discover};
