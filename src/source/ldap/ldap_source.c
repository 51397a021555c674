#include "source/ldap/ldap_source.h"

const struct source source_active_directory = {
    .type = "active_directory", .read = ldap_read, .check = ldap_check, .discover = ldap_discover};
