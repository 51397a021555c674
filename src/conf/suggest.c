#include "base/near.h"
#include "conf/conf.h"

const char *did_you_mean(struct str word, const char *const *names)
{
    const char *best = NULL;
    size_t best_distance = SIZE_MAX;
    for (; *names; names++) {
        size_t d = near_distance(word, str_from(*names));
        if (d >= best_distance) continue;
        best = *names;
        best_distance = d;
    }
    return best;
}
