#include "net/ldap_ber.h"

/* X.690 8.1.3.5: up to four length octets are more than any message here can have. Active Directory always
 * writes four. */
size_t ber_length_long(struct cursor *c, uint8_t first)
{
    unsigned n = first & 0x7f;
    size_t len = 0;
    struct bytes octets = cursor_bytes(c, n);
    if (n < 1 || n > 4) c->failed = true;
    if (c->failed) return 0;
    for (unsigned i = 0; i < n; i++) len = len << 8 | octets.ptr[i];
    return len;
}
