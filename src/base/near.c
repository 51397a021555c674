#include "base/near.h"

#define WORD_MAX 64

static size_t smallest(size_t a, size_t b, size_t c)
{
    size_t m = a < b ? a : b;
    return m < c ? m : c;
}

/* Damerau-Levenshtein in the restricted form: insert, delete, replace, swap of neighbours. Both at most
 * WORD_MAX. */
static size_t distance(struct str a, struct str b)
{
    size_t rows[3][WORD_MAX + 1];
    size_t *before = rows[0], *last = rows[1], *now = rows[2];
    for (size_t j = 0; j <= b.len; j++) last[j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        now[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            bool same = ascii_lower(a.ptr[i - 1]) == ascii_lower(b.ptr[j - 1]);
            now[j] = smallest(last[j] + 1, now[j - 1] + 1, last[j - 1] + !same);
            bool swapped = i > 1 && j > 1 && ascii_lower(a.ptr[i - 1]) == ascii_lower(b.ptr[j - 2]) &&
                           ascii_lower(a.ptr[i - 2]) == ascii_lower(b.ptr[j - 1]);
            if (swapped && before[j - 2] + 1 < now[j]) now[j] = before[j - 2] + 1;
        }
        size_t *oldest = before;
        before = last;
        last = now;
        now = oldest;
    }
    return last[b.len];
}

/* Two changes turn nearly any short word into any other: up to three letters only one is a slip. */
static size_t tolerated(size_t len)
{
    if (len <= 3) return 1;
    return len / 3 > 2 ? len / 3 : 2;
}

size_t near_distance(struct str word, struct str name)
{
    if (!word.len || word.len > WORD_MAX || name.len > WORD_MAX) return SIZE_MAX;
    size_t d = distance(word, name);
    return d <= tolerated(word.len) && d < name.len ? d : SIZE_MAX;
}
