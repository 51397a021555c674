/* words.h - the directory's enumerations and bit fields in its documents' own words.
 */
#ifndef ROLLCALL_MAP_WORDS_H
#define ROLLCALL_MAP_WORDS_H

#include "map/table.h"

extern const struct word words_encryption_type[];   /* MS-KILE 2.2.7 */
extern const struct word words_functional_level[];  /* MS-ADTS 6.1.4.4 */
extern const struct word words_password_property[]; /* MS-SAMR 2.2.3.5 */
extern const struct word words_trust_direction[];   /* MS-ADTS 6.1.6.7.12 */
extern const struct word words_trust_type[];        /* MS-ADTS 6.1.6.7.15 */
extern const struct word words_trust_attribute[];   /* MS-ADTS 6.1.6.7.9 */
extern const struct word words_policy_disabled[];   /* MS-GPOL 2.2.4 */

#endif
