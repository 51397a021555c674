/* near.h - how far a mistyped word is from one that exists, for "did you mean".
 */
#ifndef ROLLCALL_NEAR_H
#define ROLLCALL_NEAR_H

#include "base/base.h"

/* The number of slips (insert, delete, replace, swap of neighbours; ASCII case does not count) that make
 * `word` of `name`, if they are few for a word of its length; SIZE_MAX if not, and for words over 64 bytes.
 */
size_t near_distance(struct str word, struct str name);

#endif
