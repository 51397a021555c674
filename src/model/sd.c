#include "model/sd.h"

#include "base/cursor.h"
#include "model/record.h"
#include "model/sid.h"

enum { HEADER_SIZE = 20, ACE_HEADER_SIZE = 4 };

/* --- decoding ----------------------------------------------------------------------------------------- */

/* How the body of an ACE type is laid out (MS-DTYP 2.4.4). */
enum layout {
    LAYOUT_UNKNOWN,
    LAYOUT_PLAIN,  /* mask . SID . data */
    LAYOUT_OBJECT, /* mask . flags . [object type] . [inherited object type] . SID . data */
};

static const struct {
    const char *name, *sddl;
    enum layout layout;
} types[] = {
    [ACE_ALLOW] = {"ACCESS_ALLOWED_ACE_TYPE", "A", LAYOUT_PLAIN},
    [ACE_DENY] = {"ACCESS_DENIED_ACE_TYPE", "D", LAYOUT_PLAIN},
    [ACE_AUDIT] = {"SYSTEM_AUDIT_ACE_TYPE", "AU", LAYOUT_PLAIN},
    [3] = {"SYSTEM_ALARM_ACE_TYPE", NULL, LAYOUT_UNKNOWN},
    [4] = {"ACCESS_ALLOWED_COMPOUND_ACE_TYPE", NULL, LAYOUT_UNKNOWN},
    [ACE_ALLOW_OBJECT] = {"ACCESS_ALLOWED_OBJECT_ACE_TYPE", "OA", LAYOUT_OBJECT},
    [ACE_DENY_OBJECT] = {"ACCESS_DENIED_OBJECT_ACE_TYPE", "OD", LAYOUT_OBJECT},
    [ACE_AUDIT_OBJECT] = {"SYSTEM_AUDIT_OBJECT_ACE_TYPE", "OU", LAYOUT_OBJECT},
    [8] = {"SYSTEM_ALARM_OBJECT_ACE_TYPE", NULL, LAYOUT_UNKNOWN},
    [ACE_ALLOW_CALLBACK] = {"ACCESS_ALLOWED_CALLBACK_ACE_TYPE", "XA", LAYOUT_PLAIN},
    [ACE_DENY_CALLBACK] = {"ACCESS_DENIED_CALLBACK_ACE_TYPE", "XD", LAYOUT_PLAIN},
    [ACE_ALLOW_CALLBACK_OBJECT] = {"ACCESS_ALLOWED_CALLBACK_OBJECT_ACE_TYPE", "ZA", LAYOUT_OBJECT},
    [ACE_DENY_CALLBACK_OBJECT] = {"ACCESS_DENIED_CALLBACK_OBJECT_ACE_TYPE", NULL, LAYOUT_OBJECT},
    [13] = {"SYSTEM_AUDIT_CALLBACK_ACE_TYPE", "XU", LAYOUT_PLAIN},
    [14] = {"SYSTEM_ALARM_CALLBACK_ACE_TYPE", NULL, LAYOUT_UNKNOWN},
    [15] = {"SYSTEM_AUDIT_CALLBACK_OBJECT_ACE_TYPE", NULL, LAYOUT_OBJECT},
    [16] = {"SYSTEM_ALARM_CALLBACK_OBJECT_ACE_TYPE", NULL, LAYOUT_UNKNOWN},
    [17] = {"SYSTEM_MANDATORY_LABEL_ACE_TYPE", "ML", LAYOUT_PLAIN},
    [18] = {"SYSTEM_RESOURCE_ATTRIBUTE_ACE_TYPE", "RA", LAYOUT_PLAIN},
    [19] = {"SYSTEM_SCOPED_POLICY_ID_ACE_TYPE", "SP", LAYOUT_PLAIN},
};

static enum layout layout_of(uint8_t type)
{
    return type < n_elements(types) ? types[type].layout : LAYOUT_UNKNOWN;
}

const char *ace_type_name(uint8_t type)
{
    return type < n_elements(types) ? types[type].name : "unknown";
}

/* The SID at the start of *c, of the length that its own count says. */
static const char *take_sid(struct cursor *c, struct bytes *out)
{
    struct cursor head = *c;
    uint8_t revision = cursor_u8(&head), n = cursor_u8(&head);
    if (head.failed) return "SID runs past the end";
    if (revision != 1) return "SID revision is not 1";
    if (n > 15) return "SID has more than 15 sub-authorities";
    *out = cursor_bytes(c, 8 + 4 * (size_t)n);
    return c->failed ? "SID runs past the end" : NULL;
}

static const char *read_object_types(struct cursor *c, struct ace *out)
{
    uint32_t flags = cursor_u32le(c); /* MS-DTYP 2.4.4.3: which of the two are there */
    if (flags & 1) out->object_type = cursor_bytes(c, GUID_SIZE).ptr;
    if (flags & 2) out->inherited_object_type = cursor_bytes(c, GUID_SIZE).ptr;
    return c->failed ? "object types run past the ACE" : NULL;
}

static const char *read_body(struct cursor *c, struct ace *out)
{
    enum layout layout = layout_of(out->type);
    if (layout != LAYOUT_UNKNOWN) {
        out->mask = cursor_u32le(c);
        if (c->failed) return "no room for the access mask";
        const char *why = layout == LAYOUT_OBJECT ? read_object_types(c, out) : NULL;
        if (!why) why = take_sid(c, &out->trustee);
        if (why) return why;
    }
    out->rest = c->in;
    return NULL;
}

/* Takes one ACE off *acl; NULL, or what is wrong with it. */
static const char *read_ace(struct cursor *acl, struct ace *out)
{
    *out = (struct ace){0};
    out->type = cursor_u8(acl);
    out->flags = cursor_u8(acl);
    uint16_t size = cursor_u16le(acl);
    if (acl->failed) return "header runs past the ACL";
    if (size < ACE_HEADER_SIZE) return "size is smaller than its header";
    struct cursor body = cursor_new(cursor_bytes(acl, size - ACE_HEADER_SIZE));
    if (acl->failed) return "runs past the ACL";
    return read_body(&body, out);
}

/* Bytes from an offset of the descriptor to its end; an offset into the header or past the end is refused. */
static bool at_offset(struct bytes in, uint32_t offset, struct cursor *out)
{
    *out = cursor_new(in);
    cursor_bytes(out, offset);
    return offset >= HEADER_SIZE && !out->failed;
}

static int read_sid_at(struct bytes in, uint32_t offset, const char *whose, struct bytes *out, struct err *e)
{
    struct cursor c;
    *out = (struct bytes){NULL, 0};
    if (!offset) return 0;
    if (!at_offset(in, offset, &c)) return err_set(e, ERR_PROTO, "%s: offset %u is outside", whose, offset);
    const char *why = take_sid(&c, out);
    return why ? err_set(e, ERR_PROTO, "%s: %s", whose, why) : 0;
}

static int read_aces(struct sd *out, struct cursor acl, unsigned n, struct err *e)
{
    struct bytes all = acl.in;
    for (unsigned i = 0; i < n; i++) {
        struct ace ace;
        const char *why = read_ace(&acl, &ace);
        if (why) return err_set(e, ERR_PROTO, "DACL, ACE %u of %u: %s", i + 1, n, why);
    }
    out->n_aces = (uint16_t)n;
    out->dacl = (struct bytes){all.ptr, all.len - acl.in.len}; /* an ACL may be larger than its ACEs */
    return 0;
}

/* MS-DTYP 2.4.5. Revision 3 (compound ACEs) was never documented but is what Windows lets pass, too. */
static int read_dacl(struct sd *out, struct bytes in, uint32_t offset, struct err *e)
{
    struct cursor c;
    if (!at_offset(in, offset, &c)) return err_set(e, ERR_PROTO, "DACL: offset %u is outside", offset);
    uint8_t revision = cursor_u8(&c);
    cursor_u8(&c);
    uint16_t size = cursor_u16le(&c), n = cursor_u16le(&c);
    cursor_u16le(&c);
    if (c.failed) return err_set(e, ERR_PROTO, "DACL: header runs past the end");
    if (revision < 2 || revision > 4) return err_set(e, ERR_PROTO, "DACL: unknown revision %u", revision);
    if (size < 8) return err_set(e, ERR_PROTO, "DACL: size %u is smaller than its header", size);
    struct cursor acl = cursor_new(cursor_bytes(&c, size - 8u));
    if (c.failed) return err_set(e, ERR_PROTO, "DACL: size %u runs past the end", size);
    return read_aces(out, acl, n, e);
}

static int decode(struct sd *out, struct bytes in, struct err *e)
{
    struct cursor c = cursor_new(in);
    uint8_t revision = cursor_u8(&c);
    cursor_u8(&c); /* resource manager control: means nothing here */
    out->control = cursor_u16le(&c);
    uint32_t owner = cursor_u32le(&c), group = cursor_u32le(&c);
    cursor_u32le(&c); /* SACL */
    uint32_t dacl = cursor_u32le(&c);
    if (c.failed) return err_set(e, ERR_PROTO, "%zu bytes are less than a header", in.len);
    if (revision != 1) return err_set(e, ERR_PROTO, "unknown revision %u", revision);
    if (!(out->control & SD_SELF_RELATIVE)) return err_set(e, ERR_PROTO, "not in self-relative form");
    try(read_sid_at(in, owner, "owner", &out->owner, e));
    try(read_sid_at(in, group, "group", &out->group, e));
    out->has_dacl = out->control & SD_DACL_PRESENT;
    out->is_null_dacl = out->has_dacl && !dacl;
    return out->has_dacl && dacl ? read_dacl(out, in, dacl, e) : 0;
}

int sd_decode(struct sd *out, struct bytes in, struct err *e)
{
    struct sd sd = {0};
    int rc = decode(&sd, in, e);
    *out = rc ? (struct sd){0} : sd; /* nothing half-read is left to be used by mistake */
    return rc ? err_wrap(e, "security descriptor") : 0;
}

bool sd_next_ace(struct bytes *rest, struct ace *out)
{
    struct cursor c = cursor_new(*rest);
    if (!rest->len || read_ace(&c, out)) return false;
    *rest = c.in;
    return true;
}

/* --- SDDL --------------------------------------------------------------------------------------------- */

/* MS-DTYP 2.5.1.1: those whose SID is the same everywhere. */
static const struct {
    const char *sid, *alias;
} aliases[] = {
    {"S-1-1-0", "WD"},      {"S-1-3-0", "CO"},      {"S-1-3-1", "CG"},      {"S-1-3-4", "OW"},
    {"S-1-5-2", "NU"},      {"S-1-5-4", "IU"},      {"S-1-5-6", "SU"},      {"S-1-5-7", "AN"},
    {"S-1-5-9", "ED"},      {"S-1-5-10", "PS"},     {"S-1-5-11", "AU"},     {"S-1-5-12", "RC"},
    {"S-1-5-18", "SY"},     {"S-1-5-19", "LS"},     {"S-1-5-20", "NS"},     {"S-1-5-33", "WR"},
    {"S-1-5-32-544", "BA"}, {"S-1-5-32-545", "BU"}, {"S-1-5-32-546", "BG"}, {"S-1-5-32-547", "PU"},
    {"S-1-5-32-548", "AO"}, {"S-1-5-32-549", "SO"}, {"S-1-5-32-550", "PO"}, {"S-1-5-32-551", "BO"},
    {"S-1-5-32-552", "RE"}, {"S-1-5-32-554", "RU"}, {"S-1-5-32-555", "RD"}, {"S-1-5-32-556", "NO"},
    {"S-1-5-32-558", "MU"}, {"S-1-5-32-559", "LU"}, {"S-1-5-32-568", "IS"}, {"S-1-5-32-569", "CY"},
    {"S-1-5-32-573", "ER"}, {"S-1-5-32-574", "CD"}, {"S-1-5-32-575", "RA"}, {"S-1-5-32-576", "ES"},
    {"S-1-5-32-577", "MS"}, {"S-1-5-32-578", "HA"}, {"S-1-5-32-579", "AA"}, {"S-1-5-32-580", "RM"},
    {"S-1-15-2-1", "AC"},   {"S-1-16-4096", "LW"},  {"S-1-16-8192", "ME"},  {"S-1-16-8448", "MP"},
    {"S-1-16-12288", "HI"}, {"S-1-16-16384", "SI"}, {"S-1-18-1", "AS"},     {"S-1-18-2", "SS"},
};

static void add_sid(struct buf *out, struct bytes sid)
{
    char text[SID_TEXT];
    struct str s = str_from(sid_format_bytes(text, sid));
    for (size_t i = 0; i < n_elements(aliases); i++)
        if (str_equal(s, str_from(aliases[i].sid))) s = str_from(aliases[i].alias);
    buf_add_str(out, s);
}

struct token {
    uint32_t bit;
    const char *word;
};
static const struct token right_words[] = {
    {0x1, "CC"},        {0x2, "DC"},        {0x4, "LC"},     {0x8, "SW"},        {0x10, "RP"},
    {0x20, "WP"},       {0x40, "DT"},       {0x80, "LO"},    {0x100, "CR"},      {0x10000, "SD"},
    {0x20000, "RC"},    {0x40000, "WD"},    {0x80000, "WO"}, {0x10000000, "GA"}, {0x20000000, "GX"},
    {0x40000000, "GW"}, {0x80000000, "GR"},
};
static const struct token flag_words[] = {
    {ACE_OBJECT_INHERIT, "OI"},
    {ACE_CONTAINER_INHERIT, "CI"},
    {ACE_NO_PROPAGATE, "NP"},
    {ACE_INHERIT_ONLY, "IO"},
    {ACE_INHERITED, "ID"},
    {0x40, "SA"},
    {0x80, "FA"},
};
static const struct token control_words[] = {
    {SD_DACL_PROTECTED, "P"},
    {SD_DACL_AUTO_INHERIT_REQ, "AR"},
    {SD_DACL_AUTO_INHERITED, "AI"},
};

/* The words of the bits that have one; returns the others. */
static uint32_t add_words(struct buf *out, uint32_t bits, const struct token *words, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!(bits & words[i].bit)) continue;
        buf_add_str(out, str_from(words[i].word));
        bits &= ~words[i].bit;
    }
    return bits;
}

static void add_rights(struct buf *out, uint32_t mask)
{
    size_t start = out->len;
    uint32_t nameless = add_words(out, mask, right_words, n_elements(right_words));
    if (mask && !nameless) return;
    if (!out->failed) out->len = start; /* words only if they say it all */
    buf_printf(out, "0x%x", mask);
}

static void add_guid(struct buf *out, const uint8_t *guid)
{
    char text[GUID_TEXT];
    if (guid) buf_add_str(out, str_from(guid_format(text, guid)));
}

static void add_hex(struct buf *out, struct bytes b)
{
    static const char hex[] = "0123456789abcdef";
    buf_add(out, "0x", 2);
    for (size_t i = 0; i < b.len; i++) {
        uint8_t pair[2] = {(uint8_t)hex[b.ptr[i] >> 4], (uint8_t)hex[b.ptr[i] & 15]};
        buf_add(out, pair, 2);
    }
}

static void add_ace_type(struct buf *out, uint8_t type)
{
    const char *word = type < n_elements(types) ? types[type].sddl : NULL;
    if (word)
        buf_add_str(out, str_from(word));
    else
        buf_printf(out, "0x%x", type);
}

static void add_ace(struct buf *out, const struct ace *a)
{
    buf_add_byte(out, '(');
    add_ace_type(out, a->type);
    buf_add_byte(out, ';');
    uint32_t nameless = add_words(out, a->flags, flag_words, n_elements(flag_words));
    if (nameless) buf_printf(out, "0x%x", nameless);
    buf_add_byte(out, ';');
    if (layout_of(a->type) != LAYOUT_UNKNOWN) {
        add_rights(out, a->mask);
        buf_add_byte(out, ';');
        add_guid(out, a->object_type);
        buf_add_byte(out, ';');
        add_guid(out, a->inherited_object_type);
        buf_add_byte(out, ';');
        add_sid(out, a->trustee);
        if (a->rest.len) buf_add_byte(out, ';');
    }
    if (a->rest.len) add_hex(out, a->rest);
    buf_add_byte(out, ')');
}

void sd_format_sddl(struct buf *out, const struct sd *sd)
{
    if (sd->owner.len) buf_add(out, "O:", 2), add_sid(out, sd->owner);
    if (sd->group.len) buf_add(out, "G:", 2), add_sid(out, sd->group);
    if (!sd->has_dacl) return;
    buf_add(out, "D:", 2);
    add_words(out, sd->control, control_words, n_elements(control_words));
    if (sd->is_null_dacl) buf_add_str(out, STR("NO_ACCESS_CONTROL"));
    struct bytes rest = sd->dacl;
    for (struct ace a; sd_next_ace(&rest, &a);) add_ace(out, &a);
}
