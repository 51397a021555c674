#include "store/diff.h"

#include "model/dn.h"
#include "model/sd.h"
#include "store/lookup.h"

#define SDDL_MAX ((size_t)16 << 20)

struct to {
    diff_each *each;
    void *ctx;
    bool is_renamed; /* told already: the attributes that only repeat the RDN are not told again */
};

static int tell(const struct to *to, enum change_type type, struct str attribute, struct bytes old,
                struct bytes new, struct err *e)
{
    struct change c = {.type = type, .attribute = attribute, .old = old, .new = new};
    return to->each(to->ctx, &c, e);
}

/* --- the DN ----------------------------------------------------------------------------------- */

static struct str first_rdn(struct str dn, struct str parent)
{
    return (struct str){dn.ptr, parent.len ? (size_t)(parent.ptr - dn.ptr) : dn.len};
}

static int diff_dn(struct to *to, struct str old, struct str new, struct err *e)
{
    static const struct str name = {"distinguishedName", 17};
    if (str_equal(old, new)) return 0;
    struct str old_parent = dn_parent(old), new_parent = dn_parent(new);
    if (!dn_equal(old_parent, new_parent)) try(tell(to, CHANGE_moved, name, bytes_of(old), bytes_of(new), e));
    to->is_renamed = !str_equal(first_rdn(old, old_parent), first_rdn(new, new_parent));
    if (to->is_renamed) try(tell(to, CHANGE_renamed, name, bytes_of(old), bytes_of(new), e));
    return 0;
}

/* --- attributes ------------------------------------------------------------------------------- */

struct entry {
    uint64_t id; /* UINT64_MAX: no more */
    struct str name;
    struct bytes whole;
};

static struct entry next_entry(struct cursor *body)
{
    struct entry out = {.id = UINT64_MAX};
    if (body->failed || !body->in.len) return out;
    const uint8_t *from = body->in.ptr;
    uint64_t id = cursor_varint(body);
    struct bytes payload = cursor_lstr(body);
    if (body->failed) return out;
    const struct attr_info *info = id < ATTR_INDEX_SIZE ? attr_get((enum attr)id) : NULL;
    struct cursor p = cursor_new(payload);
    if (info)
        out.name = str_from(info->name);
    else
        out.name = str_of(cursor_lstr(&p));
    body->failed = p.failed || (!info && id != ATTR_CUSTOM);
    if (body->failed) return out;
    out.id = id;
    out.whole = (struct bytes){from, (size_t)(body->in.ptr - from)};
    return out;
}

static bool repeats_rdn(uint64_t id)
{
    return id == ATTR_CN || id == ATTR_NAME || id == ATTR_OU;
}

static int tell_entry(const struct to *to, const struct entry *old, const struct entry *new, struct err *e)
{
    struct bytes none = {NULL, 0};
    if (to->is_renamed && repeats_rdn(old ? old->id : new->id)) return 0;
    if (old && new &&bytes_equal(old->whole, new->whole)) return 0;
    return tell(to, CHANGE_modified, old ? old->name : new->name, old ? old->whole : none,
                new ? new->whole : none, e);
}

/* The custom property of that name in what is left of a body. */
static bool find_custom(struct cursor body, struct str name, struct entry *out)
{
    for (*out = next_entry(&body); out->id != UINT64_MAX; *out = next_entry(&body))
        if (out->id == ATTR_CUSTOM && str_equal_nocase(out->name, name)) return true;
    return false;
}

/* Custom properties come last, in the order of the settings, which may have changed: matched by name. */
static int diff_customs(const struct to *to, struct bytes old, struct bytes new, struct err *e)
{
    struct cursor o = cursor_new(old), n = cursor_new(new);
    struct entry a, b;
    for (a = next_entry(&o); a.id != UINT64_MAX; a = next_entry(&o))
        try(tell_entry(to, &a, find_custom(cursor_new(new), a.name, &b) ? &b : NULL, e));
    for (b = next_entry(&n); b.id != UINT64_MAX; b = next_entry(&n))
        if (!find_custom(cursor_new(old), b.name, &a)) try(tell_entry(to, NULL, &b, e));
    return o.failed || n.failed ? err_set(e, ERR_PROTO, "malformed attributes in a record") : 0;
}

static struct bytes from_entry(const struct cursor *behind, const struct entry *at)
{
    if (at->id == UINT64_MAX) return (struct bytes){NULL, 0};
    return (struct bytes){at->whole.ptr, at->whole.len + behind->in.len};
}

static int diff_bodies(const struct to *to, struct bytes old, struct bytes new, struct err *e)
{
    struct cursor o = cursor_new(old), n = cursor_new(new);
    struct entry a = next_entry(&o), b = next_entry(&n);
    while (a.id < ATTR_CUSTOM || b.id < ATTR_CUSTOM) {
        bool take_old = a.id <= b.id, take_new = b.id <= a.id;
        try(tell_entry(to, take_old ? &a : NULL, take_new ? &b : NULL, e));
        if (take_old) a = next_entry(&o);
        if (take_new) b = next_entry(&n);
    }
    if (o.failed || n.failed) return err_set(e, ERR_PROTO, "malformed attributes in a record");
    return diff_customs(to, from_entry(&o, &a), from_entry(&n, &b), e);
}

/* --- the descriptor --------------------------------------------------------------------------- */

static void sddl_of(struct buf *out, struct bytes sd)
{
    struct sd decoded;
    struct err ignored;
    if (sd_decode(&decoded, sd, &ignored) == 0) sd_format_sddl(out, &decoded);
}

static int diff_sd(const struct to *to, struct bytes old, struct bytes new, struct err *e)
{
    if (!old.len || !new.len || bytes_equal(old, new)) return 0;
    struct buf a = buf_new(SDDL_MAX), b = buf_new(SDDL_MAX);
    sddl_of(&a, old);
    sddl_of(&b, new);
    int rc = tell(to, CHANGE_modified, STR("nTSecurityDescriptor"), buf_bytes(&a), buf_bytes(&b), e);
    buf_free(&a);
    buf_free(&b);
    return rc;
}

int diff_records(const struct diff_side *old, const struct diff_side *new, diff_each *each, void *ctx,
                 struct err *e)
{
    struct to to = {.each = each, .ctx = ctx};
    const struct record *a = old->record, *b = new->record;
    try(diff_dn(&to, a->dn, b->dn, e));
    if (!bytes_equal(a->sid, b->sid)) try(tell(&to, CHANGE_modified, STR("objectSid"), a->sid, b->sid, e));
    try(diff_bodies(&to, a->state, b->state, e));
    return diff_sd(&to, old->sd, new->sd, e);
}
