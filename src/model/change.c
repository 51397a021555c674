#include "model/change.h"

static const char *const names[] = {"",
#define X(name, number) [number] = #name,
                                    CHANGES(X)
#undef X
};

const char *change_type_name(enum change_type t)
{
    return (unsigned)t < n_elements(names) ? names[t] : "";
}

enum change_type change_type_parse(struct str s)
{
    for (unsigned t = 1; t < n_elements(names); t++)
        if (str_equal(s, str_from(names[t]))) return (enum change_type)t;
    return (enum change_type)0;
}

const char *evidence_name(enum evidence v)
{
    return v == EVIDENCE_DELETED ? "deleted" : v == EVIDENCE_VANISHED ? "vanished" : "";
}
