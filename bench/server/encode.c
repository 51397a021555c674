/* encode.c - the headers of all attributes, made once. */
#include "encode.h"

#include <stdlib.h>

struct content_options opt;
struct head heads[N_ATTRS];

const char *const attr_name[N_ATTRS] = {
#define X(id)       [A_##id] = #id,
#define Y(id, text) [A_##id] = text,
    ATTRIBUTES(X, Y)
#undef X
#undef Y
};

void build_heads(void)
{
    for (unsigned a = 0; a < N_ATTRS; a++) {
        struct head *h = &heads[a];
        size_t n = strlen(attr_name[a]);
        h->bytes[0] = 0x30;
        h->bytes[6] = 0x04;
        h->bytes[7] = (uint8_t)n;
        memcpy(h->bytes + 8, attr_name[a], n);
        h->set_at = 8 + n;
        h->bytes[h->set_at] = 0x31;
        h->len = h->set_at + 6;
        if (h->len > HEAD_SIZE) abort();
    }
}
