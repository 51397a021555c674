#include "model/sd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/record.h"
#include "model/testing.h"

/* --- descriptors made by hand ------------------------------------------------------------------------- */

#define EVERYONE   "01 01 000000000001 00000000"
#define SYSTEM_SID "01 01 000000000005 12000000"
#define MEMBER_GUID                                                                                          \
    "c0 79 96 bf e6 0d d0 11 a2 85 00 aa 00 30 49 e2"               /* bf9679c0-0de6-11d0-a285-00aa003049e2 */
#define USER_GUID "ba 7a 96 bf e6 0d d0 11 a2 85 00 aa 00 30 49 e2" /* bf967aba-... */

static struct buf hex(const char *text)
{
    struct buf b = buf_new(1 << 20);
    test_add_hex(&b, text);
    return b;
}

/* Header with the DACL behind it: ACL revision 4, `n` ACEs of the given bytes. */
static struct buf with_aces(const char *aces_hex, unsigned n)
{
    struct buf aces = hex(aces_hex), b = buf_new(1 << 20);
    test_add_hex(&b, "01 00 04 80 00000000 00000000 00000000 14000000 04 00");
    buf_add_u16le(&b, (uint16_t)(8 + aces.len));
    buf_add_u16le(&b, (uint16_t)n);
    buf_add_u16le(&b, 0);
    buf_add_bytes(&b, buf_bytes(&aces));
    buf_free(&aces);
    return b;
}

static void add_ace(struct buf *acl, uint8_t type, uint8_t flags, uint32_t mask, const char *object,
                    const char *inherited, const char *sid, const char *data_hex)
{
    struct buf body = buf_new(70000);
    buf_add_u32le(&body, mask);
    if (type >= 5 && type <= 12 && type != 9 && type != 10) {
        buf_add_u32le(&body, (object ? 1u : 0) | (inherited ? 2u : 0));
        if (object) test_add_hex(&body, object);
        if (inherited) test_add_hex(&body, inherited);
    }
    test_add_sid(&body, sid);
    if (data_hex) test_add_hex(&body, data_hex);
    buf_add_byte(acl, type);
    buf_add_byte(acl, flags);
    buf_add_u16le(acl, (uint16_t)(body.len + 4));
    buf_add_bytes(acl, buf_bytes(&body));
    buf_free(&body);
}

/* Something like what a DC stores for a group: owner, group, SACL, DACL with every kind of ACE. */
static struct buf full_descriptor(void)
{
    struct buf aces = buf_new(1 << 16), b = buf_new(1 << 16), owner = buf_new(100), group = buf_new(100);
    add_ace(&aces, ACE_DENY, 0, 0x100, NULL, NULL, "S-1-1-0", NULL);
    add_ace(&aces, ACE_ALLOW, ACE_CONTAINER_INHERIT | ACE_INHERITED, 0xf01ff, NULL, NULL,
            "S-1-5-21-1-2-3-512", NULL);
    add_ace(&aces, ACE_ALLOW_OBJECT, 0, 0x20, MEMBER_GUID, NULL, "S-1-5-10", NULL);
    add_ace(&aces, ACE_DENY_OBJECT, ACE_INHERIT_ONLY, 0x30, MEMBER_GUID, USER_GUID, "S-1-5-11", NULL);
    add_ace(&aces, ACE_ALLOW_OBJECT, 0, 0x100, NULL, USER_GUID, "S-1-5-32-548", NULL);
    add_ace(&aces, ACE_ALLOW_CALLBACK, 0, 0x10, NULL, NULL, "S-1-5-11", "61727478 01020304");
    add_ace(&aces, ACE_ALLOW_CALLBACK_OBJECT, 0, 0x10, MEMBER_GUID, NULL, "S-1-5-11", "61727478");
    add_ace(&aces, 0x17, 0, 0x10, NULL, NULL, "S-1-5-11", NULL); /* unknown */
    test_add_sid(&owner, "S-1-5-21-1-2-3-512");
    test_add_sid(&group, "S-1-5-32-544");
    test_add_hex(&b, "01 00");
    buf_add_u16le(&b, SD_SELF_RELATIVE | SD_DACL_PRESENT | SD_SACL_PRESENT | SD_DACL_AUTO_INHERITED);
    uint32_t sacl = 20, dacl = sacl + 8, own = (uint32_t)(dacl + 8 + aces.len),
             grp = (uint32_t)(own + owner.len);
    buf_add_u32le(&b, own);
    buf_add_u32le(&b, grp);
    buf_add_u32le(&b, sacl);
    buf_add_u32le(&b, dacl);
    test_add_hex(&b, "04 00 0800 0000 0000 04 00");
    buf_add_u16le(&b, (uint16_t)(8 + aces.len));
    buf_add_u16le(&b, 8);
    buf_add_u16le(&b, 0);
    buf_add_bytes(&b, buf_bytes(&aces));
    buf_add_bytes(&b, buf_bytes(&owner));
    buf_add_bytes(&b, buf_bytes(&group));
    buf_free(&aces);
    buf_free(&owner);
    buf_free(&group);
    return b;
}

static void assert_sddl(struct bytes in, const char *expected)
{
    struct sd sd;
    struct err e;
    struct buf b = buf_new(1 << 16);
    assert_int_equal(sd_decode(&sd, in, &e), 0);
    sd_format_sddl(&b, &sd);
    assert_string_equal(buf_cstr(&b), expected);
    buf_free(&b);
}

/* --- decoding ----------------------------------------------------------------------------------------- */

static void decodes_every_kind_of_ace(void **state)
{
    struct buf b = full_descriptor();
    struct sd sd;
    struct err e;
    struct ace a[9];
    char text[SID_TEXT];
    size_t n = 0;
    assert_int_equal(sd_decode(&sd, buf_bytes(&b), &e), 0);
    assert_string_equal(sid_format_bytes(text, sd.owner), "S-1-5-21-1-2-3-512");
    assert_string_equal(sid_format_bytes(text, sd.group), "S-1-5-32-544");
    assert_true(sd.has_dacl && !sd.is_null_dacl);
    assert_int_equal(sd.n_aces, 8);
    for (struct bytes rest = sd.dacl; n < 9 && sd_next_ace(&rest, &a[n]);) n++;
    assert_int_equal(n, 8);
    assert_int_equal(a[0].type, ACE_DENY);
    assert_int_equal(a[0].mask, 0x100);
    assert_null(a[0].object_type);
    assert_string_equal(sid_format_bytes(text, a[0].trustee), "S-1-1-0");
    assert_int_equal(a[1].flags, ACE_CONTAINER_INHERIT | ACE_INHERITED);
    assert_int_equal(a[1].rest.len, 0);
    char guid[GUID_TEXT];
    assert_string_equal(guid_format(guid, a[2].object_type), "bf9679c0-0de6-11d0-a285-00aa003049e2");
    assert_null(a[2].inherited_object_type);
    assert_string_equal(guid_format(guid, a[3].inherited_object_type),
                        "bf967aba-0de6-11d0-a285-00aa003049e2");
    assert_null(a[4].object_type); /* only the second GUID is there */
    assert_string_equal(guid_format(guid, a[4].inherited_object_type),
                        "bf967aba-0de6-11d0-a285-00aa003049e2");
    assert_string_equal(sid_format_bytes(text, a[4].trustee), "S-1-5-32-548");
    assert_int_equal(a[5].rest.len, 8);
    assert_memory_equal(a[5].rest.ptr, "artx\x01\x02\x03\x04", 8);
    assert_int_equal(a[6].rest.len, 4);
    assert_non_null(a[6].object_type);
    assert_int_equal(a[7].type, 0x17);
    assert_int_equal(a[7].trustee.len, 0);
    assert_int_equal(a[7].rest.len, 4 + 12);
    buf_free(&b);
}

static void presence_of_the_dacl(void **state)
{
    static const struct {
        const char *hex;
        bool has, is_null;
        const char *sddl;
    } cases[] = {
        {"01 00 00 80 00000000 00000000 00000000 00000000", false, false, ""},
        {"01 00 00 80 00000000 00000000 00000000 14000000 02 00 0800 0000 0000", false, false,
         ""}, /* not said to be present */
        {"01 00 04 80 00000000 00000000 00000000 00000000", true, true, "D:NO_ACCESS_CONTROL"},
        {"01 00 04 80 00000000 00000000 00000000 14000000 02 00 0800 0000 0000", true, false, "D:"},
        {"01 00 04 95 00000000 00000000 00000000 14000000 02 00 0800 0000 0000", true, false, "D:PARAI"},
        {"01 ff 04 80 00000000 00000000 00000000 14000000 04 ff 0800 0000 ffff", true, false,
         "D:"}, /* reserved fields */
        {"01 00 14 80 00000000 00000000 ffffffff 14000000 02 00 0800 0000 0000", true, false,
         "D:"}, /* SACL is not looked at */
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct buf b = hex(cases[i].hex);
        struct sd sd;
        struct err e;
        assert_int_equal(sd_decode(&sd, buf_bytes(&b), &e), 0);
        assert_int_equal(sd.has_dacl, cases[i].has);
        assert_int_equal(sd.is_null_dacl, cases[i].is_null);
        assert_int_equal(sd.n_aces, 0);
        assert_sddl(buf_bytes(&b), cases[i].sddl);
        struct bytes rest = sd.dacl;
        struct ace a;
        assert_false(sd_next_ace(&rest, &a));
        buf_free(&b);
    }
}

static void refuses(void **state)
{
    static const struct {
        const char *hex, *message;
    } cases[] = {
        {"", "security descriptor: 0 bytes are less than a header"},
        {"01 00 04 80 00000000 00000000 00000000 000000",
         "security descriptor: 19 bytes are less than a header"},
        {"00 00 04 80 00000000 00000000 00000000 00000000", "security descriptor: unknown revision 0"},
        {"02 00 04 80 00000000 00000000 00000000 00000000", "security descriptor: unknown revision 2"},
        {"01 00 04 00 00000000 00000000 00000000 00000000", "security descriptor: not in self-relative form"},
        {"01 00 04 80 01000000 00000000 00000000 00000000",
         "security descriptor: owner: offset 1 is outside"},
        {"01 00 04 80 13000000 00000000 00000000 00000000",
         "security descriptor: owner: offset 19 is outside"},
        {"01 00 04 80 15000000 00000000 00000000 00000000",
         "security descriptor: owner: offset 21 is outside"},
        {"01 00 04 80 ffffffff 00000000 00000000 00000000",
         "security descriptor: owner: offset 4294967295 is outside"},
        {"01 00 04 80 14000000 00000000 00000000 00000000",
         "security descriptor: owner: SID runs past the end"},
        {"01 00 04 80 14000000 00000000 00000000 00000000 01 01 000000000005 120000",
         "security descriptor: owner: SID runs past the end"},
        {"01 00 04 80 14000000 00000000 00000000 00000000 02 01 000000000005 12000000",
         "security descriptor: owner: SID revision is not 1"},
        {"01 00 04 80 14000000 00000000 00000000 00000000 01 10 000000000005 12000000",
         "security descriptor: owner: SID has more than 15 sub-authorities"},
        {"01 00 04 80 00000000 14000000 00000000 00000000 01 ff 000000000005 12000000",
         "security descriptor: group: SID has more than 15 sub-authorities"},
        {"01 00 04 80 00000000 00000000 00000000 08000000", "security descriptor: DACL: offset 8 is outside"},
        {"01 00 04 80 00000000 00000000 00000000 20000000",
         "security descriptor: DACL: offset 32 is outside"},
        {"01 00 04 80 00000000 00000000 00000000 14000000",
         "security descriptor: DACL: header runs past the end"},
        {"01 00 04 80 00000000 00000000 00000000 14000000 02 00 0800 0000 00",
         "security descriptor: DACL: header runs past the end"},
        {"01 00 04 80 00000000 00000000 00000000 14000000 01 00 0800 0000 0000",
         "security descriptor: DACL: unknown revision 1"},
        {"01 00 04 80 00000000 00000000 00000000 14000000 05 00 0800 0000 0000",
         "security descriptor: DACL: unknown revision 5"},
        {"01 00 04 80 00000000 00000000 00000000 14000000 02 00 0700 0000 0000",
         "security descriptor: DACL: size 7 is smaller than its header"},
        {"01 00 04 80 00000000 00000000 00000000 14000000 02 00 0900 0000 0000",
         "security descriptor: DACL: size 9 runs past the end"},
        {"01 00 04 80 00000000 00000000 00000000 14000000 02 00 ffff 0000 0000",
         "security descriptor: DACL: size 65535 runs past the end"},
        {"01 00 04 80 00000000 00000000 00000000 14000000 02 00 0800 0100 0000",
         "security descriptor: DACL, ACE 1 of 1: header runs past the ACL"},
        {"01 00 04 80 00000000 00000000 00000000 14000000 02 00 0800 ffff 0000",
         "security descriptor: DACL, ACE 1 of 65535: header runs past the ACL"},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct buf b = hex(cases[i].hex);
        struct sd sd;
        struct err e;
        memset(&sd, 0xff, sizeof sd);
        assert_int_equal(sd_decode(&sd, buf_bytes(&b), &e), ERR_PROTO);
        assert_string_equal(e.message, cases[i].message);
        assert_false(sd.has_dacl); /* nothing half-read */
        assert_int_equal(sd.owner.len, 0);
        buf_free(&b);
    }
}

static void refuses_aces(void **state)
{
    static const struct {
        const char *hex;
        unsigned n;
        const char *why; /* NULL: fine */
    } cases[] = {
        {"00 00 1400 00010000 " EVERYONE, 1, NULL},
        {"00 00 1400 00010000 " EVERYONE " 00000000 00000000", 1, NULL}, /* an ACL may have room to spare */
        {"00 00 1800 00010000 " EVERYONE " 00000000", 1, NULL},          /* an ACE too */
        {"00 00 1400 00010000 " EVERYONE, 0, NULL},
        {"00 00 1400 00010000 " EVERYONE, 2, "ACE 2 of 2: header runs past the ACL"},
        {"00 00 1400 00010000 " EVERYONE "00 00 14", 2, "ACE 2 of 2: header runs past the ACL"},
        {"00 00 0000 00010000 " EVERYONE, 1, "ACE 1 of 1: size is smaller than its header"},
        {"00 00 0300 00010000 " EVERYONE, 1, "ACE 1 of 1: size is smaller than its header"},
        {"00 00 0400 00010000 " EVERYONE, 1, "ACE 1 of 1: no room for the access mask"},
        {"00 00 0700 00010000 " EVERYONE, 1, "ACE 1 of 1: no room for the access mask"},
        {"00 00 0800 00010000 " EVERYONE, 1, "ACE 1 of 1: SID runs past the end"},
        {"00 00 1300 00010000 " EVERYONE, 1, "ACE 1 of 1: SID runs past the end"},
        {"00 00 1500 00010000 " EVERYONE, 1, "ACE 1 of 1: runs past the ACL"},
        {"00 00 ffff 00010000 " EVERYONE, 1, "ACE 1 of 1: runs past the ACL"},
        {"00 00 1400 00010000 02 01 000000000001 00000000", 1, "ACE 1 of 1: SID revision is not 1"},
        {"00 00 1400 00010000 01 02 000000000001 00000000", 1, "ACE 1 of 1: SID runs past the end"},
        {"00 00 1400 00010000 01 10 000000000001 00000000", 1,
         "ACE 1 of 1: SID has more than 15 sub-authorities"},
        {"00 00 1400 00010000 01 00 000000000001 00000000", 1,
         NULL}, /* no sub-authority: a SID, with bytes behind it */
        {"05 00 0800 00010000", 1, "ACE 1 of 1: object types run past the ACE"},
        {"05 00 1800 00010000 00000000 " EVERYONE, 1, NULL},
        {"05 00 1800 00010000 01000000 " EVERYONE, 1, "ACE 1 of 1: object types run past the ACE"},
        {"05 00 1800 00010000 02000000 " EVERYONE, 1, "ACE 1 of 1: object types run past the ACE"},
        {"05 00 2800 00010000 01000000 " MEMBER_GUID EVERYONE, 1, NULL},
        {"05 00 2800 00010000 03000000 " MEMBER_GUID EVERYONE, 1,
         "ACE 1 of 1: object types run past the ACE"},
        {"05 00 3800 00010000 03000000 " MEMBER_GUID USER_GUID EVERYONE, 1, NULL},
        {"05 00 2800 00010000 fdffffff " MEMBER_GUID EVERYONE, 1, NULL}, /* reserved flags move nothing */
        {"03 00 0400", 1, NULL},                                         /* types without a layout: kept */
        {"ff ff 0800 deadbeef", 1, NULL},
        {"09 00 1600 10000000 " EVERYONE " 6162", 1, NULL},
        {"09 00 1300 10000000 " EVERYONE, 1, "ACE 1 of 1: SID runs past the end"},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct buf b = with_aces(cases[i].hex, cases[i].n);
        struct sd sd;
        struct err e;
        int rc = sd_decode(&sd, buf_bytes(&b), &e);
        if (cases[i].why) {
            assert_int_equal(rc, ERR_PROTO);
            assert_string_equal(e.message + strlen("security descriptor: DACL, "), cases[i].why);
        } else {
            assert_int_equal(rc, 0);
            assert_int_equal(sd.n_aces, cases[i].n);
            unsigned n = 0;
            struct ace a;
            for (struct bytes rest = sd.dacl; sd_next_ace(&rest, &a);) n++;
            assert_int_equal(n, cases[i].n); /* slack is not walked */
        }
        buf_free(&b);
    }
}

/* Owner and group may share bytes, and anything may overlap: it is read as it stands, in bounds. */
static void overlaps_are_read_as_they_stand(void **state)
{
    struct buf b = hex("01 00 04 80 14000000 14000000 00000000 14000000 01 01 000000000005 12000000");
    struct sd sd;
    struct err e;
    assert_int_equal(sd_decode(&sd, buf_bytes(&b), &e), ERR_PROTO); /* a SID is no ACL: revision 1 */
    b.ptr[2] = 0;
    assert_int_equal(sd_decode(&sd, buf_bytes(&b), &e), 0);
    assert_true(sd.owner.ptr == sd.group.ptr && sd.owner.len == 12);
    buf_free(&b);
}

static void the_largest_acl(void **state)
{
    struct buf aces = buf_new(1 << 17), b = buf_new(1 << 17);
    unsigned n = (65535 - 8) / 4; /* as many ACEs as fit: header only, of an unknown type */
    for (unsigned i = 0; i < n; i++) test_add_hex(&aces, "ff 00 0400");
    test_add_hex(&b, "01 00 04 80 00000000 00000000 00000000 14000000 04 00");
    buf_add_u16le(&b, (uint16_t)(8 + aces.len));
    buf_add_u16le(&b, (uint16_t)n);
    buf_add_u16le(&b, 0);
    buf_add_bytes(&b, buf_bytes(&aces));
    struct sd sd;
    struct err e;
    assert_int_equal(sd_decode(&sd, buf_bytes(&b), &e), 0);
    assert_int_equal(sd.n_aces, n);
    unsigned walked = 0;
    struct ace a;
    for (struct bytes rest = sd.dacl; sd_next_ace(&rest, &a);) walked++;
    assert_int_equal(walked, n);
    buf_free(&aces);
    buf_free(&b);
}

/* --- SDDL --------------------------------------------------------------------------------------------- */

static void sddl_of_everything(void **state)
{
    struct buf b = full_descriptor();
    assert_sddl(
        buf_bytes(&b),
        "O:S-1-5-21-1-2-3-512G:BAD:AI(D;;CR;;;WD)(A;CIID;CCDCLCSWRPWPDTLOCRSDRCWDWO;;;S-1-5-21-1-2-3-512)"
        "(OA;;WP;bf9679c0-0de6-11d0-a285-00aa003049e2;;PS)"
        "(OD;IO;RPWP;bf9679c0-0de6-11d0-a285-00aa003049e2;bf967aba-0de6-11d0-a285-00aa003049e2;AU)"
        "(OA;;CR;;bf967aba-0de6-11d0-a285-00aa003049e2;AO)(XA;;RP;;;AU;0x6172747801020304)"
        "(ZA;;RP;bf9679c0-0de6-11d0-a285-00aa003049e2;;AU;0x61727478)(0x17;;"
        "0x1000000001010000000000050b000000)");
    buf_free(&b);
}

static void sddl_words(void **state)
{
    static const struct {
        const char *ace, *sddl;
    } cases[] = {
        {"00 00 1400 ff010f00 " SYSTEM_SID, "D:(A;;CCDCLCSWRPWPDTLOCRSDRCWDWO;;;SY)"},
        {"00 00 1400 00000010 " SYSTEM_SID, "D:(A;;GA;;;SY)"},
        {"00 00 1400 000000e0 " SYSTEM_SID, "D:(A;;GXGWGR;;;SY)"},
        {"00 00 1400 ffffffff " SYSTEM_SID, "D:(A;;0xffffffff;;;SY)"}, /* not all bits have a word */
        {"00 00 1400 10000001 " SYSTEM_SID, "D:(A;;0x1000010;;;SY)"},
        {"00 00 1400 00000000 " SYSTEM_SID, "D:(A;;0x0;;;SY)"},
        {"00 1f 1400 10000000 " SYSTEM_SID, "D:(A;OICINPIOID;RP;;;SY)"},
        {"02 c0 1400 10000000 " SYSTEM_SID, "D:(AU;SAFA;RP;;;SY)"},
        {"00 20 1400 10000000 " SYSTEM_SID, "D:(A;0x20;RP;;;SY)"},
        {"0c 00 1800 10000000 00000000 " SYSTEM_SID, "D:(0xc;;RP;;;SY)"},
        {"00 00 1400 10000000 01 01 000000000003 00000000", "D:(A;;RP;;;CO)"},
        {"00 00 1400 10000000 01 01 000000000003 04000000", "D:(A;;RP;;;OW)"},
        {"00 00 1800 10000000 01 02 000000000005 20000000 2a020000", "D:(A;;RP;;;RU)"},
        {"00 00 1400 10000000 01 01 000000000005 63000000", "D:(A;;RP;;;S-1-5-99)"},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct buf b = with_aces(cases[i].ace, 1);
        assert_sddl(buf_bytes(&b), cases[i].sddl);
        buf_free(&b);
    }
}

/* MS-DTYP 2.4.4.1, in order of number. */
static void type_names(void **state)
{
    static const char *const names[] = {
        "ACCESS_ALLOWED",
        "ACCESS_DENIED",
        "SYSTEM_AUDIT",
        "SYSTEM_ALARM",
        "ACCESS_ALLOWED_COMPOUND",
        "ACCESS_ALLOWED_OBJECT",
        "ACCESS_DENIED_OBJECT",
        "SYSTEM_AUDIT_OBJECT",
        "SYSTEM_ALARM_OBJECT",
        "ACCESS_ALLOWED_CALLBACK",
        "ACCESS_DENIED_CALLBACK",
        "ACCESS_ALLOWED_CALLBACK_OBJECT",
        "ACCESS_DENIED_CALLBACK_OBJECT",
        "SYSTEM_AUDIT_CALLBACK",
        "SYSTEM_ALARM_CALLBACK",
        "SYSTEM_AUDIT_CALLBACK_OBJECT",
        "SYSTEM_ALARM_CALLBACK_OBJECT",
        "SYSTEM_MANDATORY_LABEL",
        "SYSTEM_RESOURCE_ATTRIBUTE",
        "SYSTEM_SCOPED_POLICY_ID",
    };
    for (unsigned t = 0; t < 256; t++) {
        struct buf b = buf_new(100);
        buf_printf(&b, "%s_ACE_TYPE", t < n_elements(names) ? names[t] : "");
        assert_string_equal(ace_type_name((uint8_t)t), t < n_elements(names) ? buf_cstr(&b) : "unknown");
        buf_free(&b);
    }
}

static void the_largest_sid(void **state)
{
    struct buf b = buf_new(200);
    struct sd sd;
    struct err e;
    test_add_hex(&b, "01 00 00 80 14000000 00000000 00000000 00000000");
    test_add_sid(&b, "S-1-5-1-2-3-4-5-6-7-8-9-10-11-12-13-14-15");
    assert_int_equal(sd_decode(&sd, buf_bytes(&b), &e), 0);
    assert_int_equal(sd.owner.len, SID_MAX);
    buf_free(&b);
}

static void a_full_buffer_keeps_its_failure(void **state)
{
    struct buf b = full_descriptor();
    struct sd sd;
    struct err e;
    assert_int_equal(sd_decode(&sd, buf_bytes(&b), &e), 0);
    for (size_t max = 0; max < 300; max++) {
        struct buf out = buf_new(max);
        sd_format_sddl(&out, &sd);
        assert_true(out.failed);
        assert_true(out.len <= max);
        buf_free(&out);
    }
    buf_free(&b);
}

/* --- a second reader, written for clarity: sums of numbers instead of a cursor ------------------------ */

static uint64_t le(struct bytes in, uint64_t at, unsigned n)
{
    uint64_t v = 0;
    while (n--) v = v << 8 | in.ptr[at + n];
    return v;
}

/* Length of the SID at `at`, 0 if there is none before `end`. */
static uint64_t ref_sid(struct bytes in, uint64_t at, uint64_t end)
{
    if (at + 8 > end || in.ptr[at] != 1 || in.ptr[at + 1] > 15) return 0;
    uint64_t n = 8 + 4u * in.ptr[at + 1];
    return at + n <= end ? n : 0;
}

static bool ref_ace(struct bytes in, uint64_t at, uint64_t end)
{
    uint8_t type = in.ptr[at];
    bool plain = type <= 2 || type == 9 || type == 10 || type == 13 || (type >= 17 && type <= 19);
    bool object = (type >= 5 && type <= 7) || type == 11 || type == 12 || type == 15;
    if (!plain && !object) return true;
    uint64_t p = at + 8;
    if (p > end) return false;
    if (object) {
        if (p + 4 > end) return false;
        uint64_t flags = le(in, p, 4);
        p += 4 + (flags & 1) * 16 + (flags >> 1 & 1) * 16;
    }
    return ref_sid(in, p, end) != 0;
}

static bool ref_dacl(struct bytes in, uint64_t at, unsigned *n_aces)
{
    if (at < 20 || at + 8 > in.len || in.ptr[at] < 2 || in.ptr[at] > 4) return false;
    uint64_t end = at + le(in, at + 2, 2), p = at + 8;
    if (end < p || end > in.len) return false;
    *n_aces = (unsigned)le(in, at + 4, 2);
    for (unsigned i = 0; i < *n_aces; i++) {
        if (p + 4 > end) return false;
        uint64_t size = le(in, p + 2, 2);
        if (size < 4 || p + size > end || !ref_ace(in, p, p + size)) return false;
        p += size;
    }
    return true;
}

static bool ref_accepts(struct bytes in, unsigned *n_aces)
{
    *n_aces = 0;
    if (in.len < 20 || in.ptr[0] != 1 || !(in.ptr[3] & 0x80)) return false;
    for (unsigned i = 0; i < 2; i++) {
        uint64_t at = le(in, 4 + 4 * i, 4);
        if (at && (at < 20 || !ref_sid(in, at, in.len))) return false;
    }
    uint64_t dacl = le(in, 16, 4);
    return !(in.ptr[2] & 4) || !dacl || ref_dacl(in, dacl, n_aces);
}

static void assert_inside(struct bytes whole, const uint8_t *p, size_t n)
{
    if (n) assert_true(p >= whole.ptr && p + n <= whole.ptr + whole.len);
}

static void check_decoded(struct bytes in, const struct sd *sd, unsigned n_expected)
{
    struct ace a;
    unsigned n = 0;
    assert_inside(in, sd->owner.ptr, sd->owner.len);
    assert_inside(in, sd->group.ptr, sd->group.len);
    assert_inside(in, sd->dacl.ptr, sd->dacl.len);
    assert_true(!sd->owner.len || sid_is_valid(sd->owner));
    assert_int_equal(sd->n_aces, n_expected);
    for (struct bytes rest = sd->dacl; sd_next_ace(&rest, &a); n++) {
        assert_inside(sd->dacl, a.trustee.ptr, a.trustee.len);
        assert_inside(sd->dacl, a.rest.ptr, a.rest.len);
        assert_inside(sd->dacl, a.object_type, a.object_type ? 16 : 0);
        assert_inside(sd->dacl, a.inherited_object_type, a.inherited_object_type ? 16 : 0);
        assert_true(!a.trustee.len || sid_is_valid(a.trustee));
    }
    assert_int_equal(n, n_expected);
}

/* 50,000 descriptors changed by chance, each in memory of exactly its size: both readers must agree. */
static void mutants_are_refused_or_read_alike(void **state)
{
    struct buf whole = full_descriptor(), mutant = buf_new(1 << 16), sddl = buf_new(1 << 20);
    uint64_t seed = 20260101;
    unsigned accepted = 0, refused = 0;
    for (int i = 0; i < 50000; i++) {
        test_mutate(&mutant, buf_bytes(&whole), &seed);
        uint8_t *exact = malloc(mutant.len ? mutant.len : 1); /* so that a sanitizer sees one byte too far */
        if (mutant.len) memcpy(exact, mutant.ptr, mutant.len);
        struct bytes in = {exact, mutant.len};
        struct sd sd;
        struct err e;
        unsigned n;
        int rc = sd_decode(&sd, in, &e);
        assert_int_equal(rc, ref_accepts(in, &n) ? 0 : ERR_PROTO);
        if (rc == 0) {
            check_decoded(in, &sd, n);
            buf_clear(&sddl);
            sd_format_sddl(&sddl, &sd);
            assert_false(sddl.failed);
            accepted++;
        } else {
            assert_true(strlen(e.message) > 20);
            refused++;
        }
        free(exact);
    }
    assert_true(accepted > 5000 && refused > 5000); /* both sides are really tried */
    buf_free(&whole);
    buf_free(&mutant);
    buf_free(&sddl);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decodes_every_kind_of_ace),
        cmocka_unit_test(presence_of_the_dacl),
        cmocka_unit_test(refuses),
        cmocka_unit_test(refuses_aces),
        cmocka_unit_test(overlaps_are_read_as_they_stand),
        cmocka_unit_test(the_largest_acl),
        cmocka_unit_test(sddl_of_everything),
        cmocka_unit_test(sddl_words),
        cmocka_unit_test(type_names),
        cmocka_unit_test(the_largest_sid),
        cmocka_unit_test(a_full_buffer_keeps_its_failure),
        cmocka_unit_test(mutants_are_refused_or_read_alike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
