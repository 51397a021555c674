/* fuzz.h - what every target here shares: the entry point and the check of an invariant.
 *
 * A target reads one input and asserts what must hold of it, not only that nothing crashes. It is built
 * twice: with standalone.c, by any compiler, to replay the corpus in every test run; and with -Dfuzz=true and
 * clang as a real libFuzzer binary:
 *     CC=clang meson setup build-fuzz -Dfuzz=true -Db_sanitize=address,undefined -Db_lundef=false
 *     ninja -C build-fuzz && build-fuzz/fuzz/fuzz_sd -max_len=4096 new-corpus fuzz/corpus/sd
 * An input that broke something is kept in fuzz/corpus/<target>/ under a name that says what it broke.
 */
#ifndef ROLLCALL_FUZZ_H
#define ROLLCALL_FUZZ_H

#include "base/base.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HOLDS(condition)                                                                                     \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition);                   \
            abort();                                                                                         \
        }                                                                                                    \
    } while (0)

/* A slice that was borrowed from the input lies within it. */
static inline bool is_inside(struct bytes whole, struct bytes part)
{
    uintptr_t start = (uintptr_t)whole.ptr, at = (uintptr_t)part.ptr;
    return part.len == 0 || (at >= start && part.len <= whole.len && at - start <= whole.len - part.len);
}

#endif
