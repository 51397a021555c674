#include "server/accounts/accounts_int.h"

static const char *const names[] = {"none", "viewer", "analyst", "operator", "admin"};

const char *role_name(enum role r)
{
    return names[r];
}

enum role role_of(int64_t number)
{
    return number > ROLE_NONE && number <= ROLE_ADMIN ? (enum role)number : ROLE_NONE;
}

enum role role_parse(struct str s)
{
    for (int r = ROLE_VIEWER; r <= ROLE_ADMIN; r++)
        if (str_equal(s, str_from(names[r]))) return (enum role)r;
    return ROLE_NONE;
}
