/* fuzz_sd.c - security descriptors: what is accepted lies within the input, and means the same when it is
 * rebuilt. */
#include "fuzz.h"
#include "model/record.h"
#include "model/sd.h"
#include "model/sid.h"

static void check_ace(struct bytes dacl, const struct ace *a)
{
    HOLDS(is_inside(dacl, a->trustee) && is_inside(dacl, a->rest));
    HOLDS(!a->trustee.len || sid_is_valid(a->trustee));
    if (a->object_type) HOLDS(is_inside(dacl, (struct bytes){a->object_type, GUID_SIZE}));
    if (a->inherited_object_type) HOLDS(is_inside(dacl, (struct bytes){a->inherited_object_type, GUID_SIZE}));
    HOLDS(ace_type_name(a->type)[0]);
}

static void check_slices(struct bytes in, const struct sd *sd)
{
    HOLDS(is_inside(in, sd->owner) && is_inside(in, sd->group) && is_inside(in, sd->dacl));
    HOLDS(!sd->owner.len || sid_is_valid(sd->owner));
    HOLDS(!sd->group.len || sid_is_valid(sd->group));
    HOLDS(!sd->is_null_dacl || sd->has_dacl);
    HOLDS(!sd->n_aces || (sd->has_dacl && !sd->is_null_dacl));
    unsigned n = 0;
    struct ace a;
    struct bytes rest = sd->dacl;
    for (; sd_next_ace(&rest, &a); n++) check_ace(sd->dacl, &a);
    HOLDS(n == sd->n_aces && rest.len == 0);
}

/* The same descriptor in the usual order, without a SACL, gaps or overlaps. */
static void rebuild(struct buf *out, const struct sd *sd)
{
    bool acl = sd->has_dacl && !sd->is_null_dacl;
    size_t owner = 20, group = owner + sd->owner.len, dacl = group + sd->group.len;
    buf_add(out, "\1\0", 2);
    buf_add_u16le(out, sd->control);
    buf_add_u32le(out, sd->owner.len ? (uint32_t)owner : 0);
    buf_add_u32le(out, sd->group.len ? (uint32_t)group : 0);
    buf_add_u32le(out, 0);
    buf_add_u32le(out, acl ? (uint32_t)dacl : 0);
    buf_add_bytes(out, sd->owner);
    buf_add_bytes(out, sd->group);
    if (!acl) return;
    buf_add(out, "\4\0", 2);
    buf_add_u16le(out, (uint16_t)(8 + sd->dacl.len));
    buf_add_u16le(out, sd->n_aces);
    buf_add_u16le(out, 0);
    buf_add_bytes(out, sd->dacl);
}

static bool is_printable(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] < 0x20 || s.ptr[i] > 0x7e) return false;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sd sd, again;
    struct err e;
    if (sd_decode(&sd, (struct bytes){data, size}, &e) < 0) {
        HOLDS(e.class == ERR_PROTO && e.message[0]);
        HOLDS(!sd.owner.len && !sd.group.len && !sd.dacl.len && !sd.has_dacl);
        return 0;
    }
    check_slices((struct bytes){data, size}, &sd);
    struct buf whole = buf_new(1 << 20), one = buf_new(1 << 24), two = buf_new(1 << 24);
    rebuild(&whole, &sd);
    HOLDS(sd_decode(&again, buf_bytes(&whole), &e) == 0);
    sd_format_sddl(&one, &sd);
    sd_format_sddl(&two, &again);
    HOLDS(!one.failed && str_equal(buf_str(&one), buf_str(&two)));
    HOLDS(is_printable(buf_str(&one)));
    buf_free(&whole);
    buf_free(&one);
    buf_free(&two);
    return 0;
}
