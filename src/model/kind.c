#include "model/kind.h"

static const struct {
    const char *name, *plural;
} kinds[KIND_COUNT] = {{"none", "nothing"},
#define X(name, number, plural) [number] = {#name, plural},
                       KINDS(X)
#undef X
};

const char *kind_name(enum kind k)
{
    return (unsigned)k < KIND_COUNT ? kinds[k].name : "none";
}

const char *kind_plural(enum kind k)
{
    return (unsigned)k < KIND_COUNT ? kinds[k].plural : "nothing";
}

enum kind kind_parse(struct str s)
{
    for (unsigned k = 1; k < KIND_COUNT; k++)
        if (str_equal(s, str_from(kinds[k].name))) return (enum kind)k;
    return KIND_NONE;
}

bool kind_set_parse(kind_set *out, struct str list, struct str *bad)
{
    *out = 0;
    while (list.len) {
        size_t n = str_index(list, ',');
        struct str one = str_trim((struct str){list.ptr, n});
        enum kind k = kind_parse(one);
        if (k == KIND_NONE) {
            *bad = one;
            return false;
        }
        *out |= KIND_BIT(k);
        n += n < list.len;
        list.ptr += n;
        list.len -= n;
    }
    return true;
}
