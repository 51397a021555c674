#include "net/ldap_ber.h"

/* X.690 8.1.3.5: up to four length octets are more than any message here can have. */
size_t ber_length_long(struct cursor *c, uint8_t first)
{
    unsigned n = first & 0x7f;
    size_t len = 0;
    if (n < 1 || n > 4) c->failed = true;
    for (unsigned i = 0; i < n && !c->failed; i++) len = len << 8 | cursor_u8(c);
    return len;
}
