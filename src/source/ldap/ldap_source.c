#include "source/ldap/ldap_source.h"

const struct source source_active_directory = {
    .type = "active_directory",
    .member_kinds = KIND_BIT(KIND_user) | KIND_BIT(KIND_computer) | KIND_BIT(KIND_group) | KIND_BIT(KIND_service_account) |
                    KIND_BIT(KIND_contact) | KIND_BIT(KIND_foreign_principal),
    .has_back_links = true,
    .has_controllers = true,
    .read = ldap_read,
    .check = ldap_check,
    .discover = ldap_discover,
    .browse = ldap_browse,
    .controllers = ldap_list_controllers};
