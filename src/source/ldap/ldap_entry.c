#include "source/ldap/ldap_entry.h"

#include "model/filetime.h"
#include "net/ldap_ber.h"
#include "source/ldap/ldap_value.h"

int ldap_entry_open(LDAP *ld, LDAPMessage *m, BerElement **hold, struct bytes *content, struct err *e)
{
    struct berval dn, id, op;
    *hold = NULL;
    if (ldap_get_dn_ber(ld, m, hold, &dn) == LDAP_SUCCESS) {
        /* back to the start of the LDAPMessage (to the end, and from there as if written): messageID, then
         * the entry */
        ber_reset(*hold, 0);
        ber_reset(*hold, 1);
        if (ber_skip_element(*hold, &id) == LBER_INTEGER &&
            ber_skip_element(*hold, &op) == LDAP_RES_SEARCH_ENTRY) {
            *content = (struct bytes){(const uint8_t *)op.bv_val, op.bv_len};
            return 0;
        }
    }
    if (*hold) ber_free(*hold, 0);
    *hold = NULL;
    return err_set(e, ERR_PROTO, "the server sent an entry that is not well-formed");
}

int ldap_entry_dn(struct bytes content, struct str *dn, struct cursor *attributes, struct err *e)
{
    struct cursor c = cursor_new(content);
    *dn = str_of(ber_element(&c, BER_OCTETS));
    /* liblber ends the DN with a NUL, in place, over the tag of the sequence that follows */
    uint8_t tag = c.in.len ? c.in.ptr[0] : BER_SEQUENCE;
    *attributes = cursor_new(ber_element(&c, tag ? BER_SEQUENCE : 0));
    if (c.failed) return err_set(e, ERR_PROTO, "the server sent an entry that is not well-formed");
    return 0;
}

/* "low-high" or "low-*" */
static bool parse_bounds(struct range *out, struct str bounds)
{
    int64_t first, last;
    size_t dash = str_index(bounds, '-');
    if (dash == bounds.len) return false;
    struct str high = {bounds.ptr + dash + 1, bounds.len - dash - 1};
    *out = (struct range){.is_final = str_equal(high, STR("*"))};
    if (!decimal_parse(&first, (struct str){bounds.ptr, dash}) || first < 0) return false;
    out->first = (uint64_t)first;
    if (out->is_final) return true;
    if (!decimal_parse(&last, high) || last < first) return false;
    out->last = (uint64_t)last;
    return true;
}

bool ldap_range_parse(struct range *out, struct str options)
{
    static const struct range nonsense = {.first = UINT64_MAX, .is_final = true};
    const struct str prefix = STR("range");
    unsigned n = 0;
    while (options.len) {
        struct str one = {options.ptr + 1, options.len - 1}; /* past the semicolon */
        one.len = str_index(one, ';');
        options = (struct str){one.ptr + one.len, options.len - 1 - one.len};
        if (one.len < prefix.len || !str_equal_nocase((struct str){one.ptr, prefix.len}, prefix)) continue;
        struct str bounds = {one.ptr + prefix.len, one.len - prefix.len};
        if (n++ || !bounds.len || bounds.ptr[0] != '=' ||
            !parse_bounds(out, (struct str){bounds.ptr + 1, bounds.len - 1}))
            *out = nonsense;
    }
    return n > 0;
}

bool ldap_range_is_sound(const struct range *range, struct bytes set, uint64_t first)
{
    struct cursor c = cursor_new(set);
    struct bytes v;
    uint64_t n = 0;
    while (ber_next_value(&c, &v)) n++;
    if (c.failed || !n || range->first != first) return false;
    return range->is_final || n == range->last - range->first + 1;
}

static void put(struct ldap_plan *p, size_t at, struct bytes set, struct str options, struct str dn)
{
    struct slot *s = &p->slots[at];
    struct range range;
    bool is_ranged = ldap_range_parse(&range, options);
    if (s->stamp == p->stamp && s->set.len) {
        /* beside `member;range=0-1499` an empty `member` comes; twice with values is nobody's business */
        if (set.len) slot_note_bad(s, dn, 1);
        return;
    }
    s->stamp = p->stamp;
    s->set = set;
    s->is_ranged = is_ranged;
    if (is_ranged) s->range = range;
}

int ldap_entry_read(struct ldap_plan *p, struct bytes content, struct str *dn, struct err *e)
{
    struct cursor attributes;
    struct str name;
    struct bytes set;
    size_t at = p->n_slots;
    try(ldap_entry_dn(content, dn, &attributes, e));
    p->stamp++;
    while (ber_next_attribute(&attributes, &name, &set)) {
        size_t found = ldap_plan_find(p, name, at);
        struct str options = {NULL, 0};
        if (found == p->n_slots) {
            size_t semicolon = str_index(name, ';');
            if (semicolon == name.len) continue; /* not asked for */
            options = (struct str){name.ptr + semicolon, name.len - semicolon};
            found = ldap_plan_find(p, (struct str){name.ptr, semicolon}, at);
            if (found == p->n_slots) continue;
        }
        put(p, found, set, options, *dn);
        at = found;
    }
    return attributes.failed ? err_set(e, ERR_PROTO, "%.*s: its attributes are not well-formed", STR_FMT(*dn))
                             : 0;
}
