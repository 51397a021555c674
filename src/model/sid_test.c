#include "model/sid.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/testing.h"

static void text_and_bytes(void **state)
{
    static const struct {
        const char *hex, *text;
    } cases[] = {
        {"01 00 000000000005", "S-1-5"},
        {"01 01 000000000000 00000000", "S-1-0-0"},
        {"01 01 000000000001 00000000", "S-1-1-0"},
        {"01 01 000000000005 12000000", "S-1-5-18"},
        {"01 02 000000000005 20000000 20020000", "S-1-5-32-544"},
        {"01 05 000000000005 15000000 dcf4dc3b 833d2b46 828ba628 00020000",
         "S-1-5-21-1004336348-1177238915-682003330-512"},
        {"01 01 0000ffffffff ffffffff", "S-1-4294967295-4294967295"},
        {"01 01 000100000000 01000000", "S-1-0x000100000000-1"},
        {"01 01 ffffffffffff 00000000", "S-1-0xffffffffffff-0"},
        {"01 0f 123456789abc ffffffff ffffffff ffffffff ffffffff ffffffff ffffffff ffffffff ffffffff "
         "ffffffff ffffffff "
         "ffffffff ffffffff ffffffff ffffffff ffffffff",
         "S-1-0x123456789abc-4294967295-4294967295-4294967295-4294967295-4294967295-4294967295-4294967295-"
         "4294967295-"
         "4294967295-4294967295-4294967295-4294967295-4294967295-4294967295-4294967295"},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct buf b = buf_new(100);
        struct sid s, parsed;
        struct err e;
        char text[SID_TEXT];
        uint8_t again[SID_MAX];
        test_add_hex(&b, cases[i].hex);
        assert_true(sid_is_valid(buf_bytes(&b)));
        assert_int_equal(sid_decode(&s, buf_bytes(&b), &e), 0);
        assert_string_equal(sid_format(text, &s), cases[i].text);
        assert_string_equal(sid_format_bytes(text, buf_bytes(&b)), cases[i].text);
        assert_int_equal(sid_parse(&parsed, str_from(cases[i].text), &e), 0);
        assert_int_equal(sid_encode(again, &parsed), b.len);
        assert_memory_equal(again, b.ptr, b.len);
        buf_free(&b);
    }
}

static void refuses_bytes(void **state)
{
    static const struct {
        const char *hex, *why;
    } cases[] = {
        {"", "shorter"},
        {"01", "shorter"},
        {"01 00 0000000000", "shorter"},
        {"00 01 000000000005 12000000", "revision"},
        {"02 01 000000000005 12000000", "revision"},
        {"01 01 000000000005", "runs past"},
        {"01 01 000000000005 120000", "runs past"},
        {"01 01 000000000005 1200000000", "left over"},
        {"01 00 000000000005 12000000", "left over"},
        {"01 10 000000000005 12000000", "15"},
        {"01 ff 000000000005 12000000", "15"},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct buf b = buf_new(100);
        struct sid s;
        struct err e;
        char text[SID_TEXT] = "old";
        test_add_hex(&b, cases[i].hex);
        assert_int_equal(sid_decode(&s, buf_bytes(&b), &e), ERR_PROTO);
        assert_non_null(strstr(e.message, cases[i].why));
        assert_false(sid_is_valid(buf_bytes(&b)));
        assert_string_equal(sid_format_bytes(text, buf_bytes(&b)), "");
        assert_int_equal(sid_rid(buf_bytes(&b)), 0);
        assert_null(sid_well_known_name(buf_bytes(&b)));
        buf_free(&b);
    }
}

/* 16 sub-authorities with all their bytes: well-formed but for the count. */
static void sixteen_are_one_too_many(void **state)
{
    uint8_t bytes[8 + 64] = {1, 16};
    struct sid s;
    struct err e;
    assert_int_equal(sid_decode(&s, (struct bytes){bytes, sizeof bytes}, &e), ERR_PROTO);
    bytes[1] = 15;
    assert_int_equal(sid_decode(&s, (struct bytes){bytes, 68}, &e), 0);
}

static void reads_lenient_spellings(void **state)
{
    static const char *const cases[][2] = {
        {"s-1-5-18", "S-1-5-18"},
        {"S-1-0x5-18", "S-1-5-18"},
        {"S-1-0X5-18", "S-1-5-18"},
        {"S-1-005-0018", "S-1-5-18"},
        {"S-1-281474976710655-1", "S-1-0xffffffffffff-1"},
        {"S-1-0xABCDEF123456-1", "S-1-0xabcdef123456-1"},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct sid s;
        struct err e;
        char text[SID_TEXT];
        assert_int_equal(sid_parse(&s, str_from(cases[i][0]), &e), 0);
        assert_string_equal(sid_format(text, &s), cases[i][1]);
    }
}

static void refuses_text(void **state)
{
    static const char *const cases[] = {
        "",
        "S",
        "S-",
        "S-1",
        "S-1-",
        "S-1--",
        "S-1--5",
        "S-2-5-18",
        "X-1-5-18",
        "S-1-5-",
        "S-1-5--18",
        "S-1-5-18-",
        "S-1-5-x",
        "S-1-5-18 ",
        " S-1-5-18",
        "S-1-5-4294967296",
        "S-1-5-99999999999999999999",
        "S-1-281474976710656-1",
        "S-1-0x-1",
        "S-1-0x1000000000000-1",
        "S-1-5-0x12",
        "S-1-5-+1",
        "S-1-5-1.0",
        "S-1-g-1",
        "S-1-0xg-1",
        "BA",
        "S_1_5_18",
        "S-1-5-1-2-3-4-5-6-7-8-9-10-11-12-13-14-15-16",
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct sid s = {.n_sub = 7};
        struct err e;
        assert_int_equal(sid_parse(&s, str_from(cases[i]), &e), ERR_INPUT);
        assert_true(e.message[0] && e.hint[0]);
        assert_int_equal(s.n_sub, 7);
    }
    struct sid s;
    struct err e;
    assert_int_equal(sid_parse(&s, (struct str){"S-1-5-1\0", 8}, &e), ERR_INPUT);
    assert_int_equal(sid_parse(&s, STR("S-1-5-21-x"), &e), ERR_INPUT);
    assert_string_equal(e.message, "\"S-1-5-21-x\" is not a SID: character 10: no decimal number below 2^32");
}

static void random_ones_round_trip(void **state)
{
    uint64_t seed = 1;
    for (int i = 0; i < 100000; i++) {
        struct sid s = {.n_sub = (uint8_t)test_below(&seed, 16)}, t;
        struct err e;
        uint8_t bytes[SID_MAX];
        char text[SID_TEXT], direct[SID_TEXT];
        s.authority = ((uint64_t)test_random(&seed) << 16 | test_random(&seed)) >> test_below(&seed, 48) &
                      0xffffffffffff;
        for (unsigned k = 0; k < s.n_sub; k++) s.sub[k] = test_random(&seed) >> test_below(&seed, 32);
        size_t n = sid_encode(bytes, &s);
        assert_int_equal(n, 8 + 4 * s.n_sub);
        sid_format(text, &s);
        assert_true(strlen(text) < SID_TEXT);
        assert_string_equal(sid_format_bytes(direct, (struct bytes){bytes, n}), text);
        assert_int_equal(sid_parse(&t, str_from(text), &e), 0);
        assert_memory_equal(&s, &t, sizeof s);
        assert_int_equal(sid_decode(&t, (struct bytes){bytes, n}, &e), 0);
        assert_memory_equal(&s, &t, sizeof s);
        assert_int_equal(sid_rid((struct bytes){bytes, n}), s.n_sub ? s.sub[s.n_sub - 1] : 0);
    }
}

static void domains(void **state)
{
    static const struct {
        const char *sid, *domain;
        bool in;
    } cases[] = {
        {"S-1-5-21-1-2-3-512", "S-1-5-21-1-2-3", true},
        {"S-1-5-21-1-2-3-4294967295", "S-1-5-21-1-2-3", true},
        {"S-1-5-21-1-2-3", "S-1-5-21-1-2-3", false},
        {"S-1-5-21-1-2-3-4-5", "S-1-5-21-1-2-3", false},
        {"S-1-5-21-1-2-4-512", "S-1-5-21-1-2-3", false},
        {"S-1-6-21-1-2-3-512", "S-1-5-21-1-2-3", false},
        {"S-1-5-32-544", "S-1-5-32", true},
        {"S-1-5-18", "S-1-5", true},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct buf a = buf_new(100), b = buf_new(100);
        test_add_sid(&a, cases[i].sid);
        test_add_sid(&b, cases[i].domain);
        assert_int_equal(sid_is_in_domain(buf_bytes(&a), buf_bytes(&b)), cases[i].in);
        assert_false(sid_is_in_domain(buf_bytes(&a), (struct bytes){NULL, 0}));
        assert_false(sid_is_in_domain((struct bytes){NULL, 0}, buf_bytes(&b)));
        assert_false(sid_is_in_domain((struct bytes){a.ptr, a.len - 1}, buf_bytes(&b)));
        buf_free(&a);
        buf_free(&b);
    }
}

static void well_known_names(void **state)
{
    static const char *const cases[][2] = {
        {"S-1-1-0", "Everyone"},
        {"S-1-3-0", "CREATOR OWNER"},
        {"S-1-3-4", "OWNER RIGHTS"},
        {"S-1-5-9", "NT AUTHORITY\\ENTERPRISE DOMAIN CONTROLLERS"},
        {"S-1-5-10", "NT AUTHORITY\\SELF"},
        {"S-1-5-11", "NT AUTHORITY\\Authenticated Users"},
        {"S-1-5-18", "NT AUTHORITY\\SYSTEM"},
        {"S-1-5-32-544", "BUILTIN\\Administrators"},
        {"S-1-5-32-554", "BUILTIN\\Pre-Windows 2000 Compatible Access"},
        {"S-1-5-32-560", "BUILTIN\\Windows Authorization Access Group"},
        {"S-1-18-1", "Authentication authority asserted identity"},
        {"S-1-5", NULL},
        {"S-1-5-32", NULL},
        {"S-1-5-32-543", NULL},
        {"S-1-5-32-544-1", NULL},
        {"S-1-5-21-1-2-3-512", NULL},
        {"S-1-1-1", NULL},
        {"S-1-0x000100000000-0", NULL},
        {"S-1-256-0", NULL},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct buf b = buf_new(100);
        test_add_sid(&b, cases[i][0]);
        const char *name = sid_well_known_name(buf_bytes(&b));
        if (cases[i][1])
            assert_string_equal(name, cases[i][1]);
        else
            assert_null(name);
        buf_free(&b);
    }
}

/* One range of numbers at a time, NULL where there is none: what lies between the known ones stays nameless.
 */
static void check_range(const char *prefix, uint32_t first, size_t n, const char *domain,
                        const char *const *names)
{
    for (size_t i = 0; i < n; i++) {
        struct buf text = buf_new(100), sid = buf_new(100), full = buf_new(200);
        buf_printf(&text, "%s-%u", prefix, first + (uint32_t)i);
        test_add_sid(&sid, buf_cstr(&text));
        const char *name = sid_well_known_name(buf_bytes(&sid));
        if (names[i]) {
            buf_printf(&full, "%s%s", domain, names[i]);
            assert_non_null(name);
            assert_string_equal(name, buf_cstr(&full));
        } else {
            assert_null(name);
        }
        buf_free(&text);
        buf_free(&sid);
        buf_free(&full);
    }
}

static void well_known_ranges(void **state)
{
    static const char *const creators[] = {"CREATOR OWNER",        "CREATOR GROUP", "CREATOR OWNER SERVER",
                                           "CREATOR GROUP SERVER", "OWNER RIGHTS",  NULL};
    static const char *const authority[] = {
        NULL,
        "DIALUP",
        "NETWORK",
        "BATCH",
        "INTERACTIVE",
        NULL,
        "SERVICE",
        "ANONYMOUS LOGON",
        "PROXY",
        "ENTERPRISE DOMAIN CONTROLLERS",
        "SELF",
        "Authenticated Users",
        "RESTRICTED",
        "TERMINAL SERVER USER",
        "REMOTE INTERACTIVE LOGON",
        "This Organization",
        NULL,
        "IUSR",
        "SYSTEM",
        "LOCAL SERVICE",
        "NETWORK SERVICE",
        NULL,
    };
    static const char *const builtin[] = {
        NULL,
        "Administrators",
        "Users",
        "Guests",
        "Power Users",
        "Account Operators",
        "Server Operators",
        "Print Operators",
        "Backup Operators",
        "Replicator",
        NULL,
        "Pre-Windows 2000 Compatible Access",
        "Remote Desktop Users",
        "Network Configuration Operators",
        "Incoming Forest Trust Builders",
        "Performance Monitor Users",
        "Performance Log Users",
        "Windows Authorization Access Group",
        "Terminal Server License Servers",
        "Distributed COM Users",
        NULL,
        NULL,
        NULL,
        NULL,
        NULL,
        "IIS_IUSRS",
        "Cryptographic Operators",
        NULL,
        NULL,
        NULL,
        "Event Log Readers",
        "Certificate Service DCOM Access",
        "RDS Remote Access Servers",
        "RDS Endpoint Servers",
        "RDS Management Servers",
        "Hyper-V Administrators",
        "Access Control Assistance Operators",
        "Remote Management Users",
        "System Managed Accounts Group",
        "Storage Replica Administrators",
        "Device Owners",
        NULL,
    };
    static const char *const identities[] = {NULL,
                                             "Authentication authority asserted identity",
                                             "Service asserted identity",
                                             "Fresh public key identity",
                                             "Key trust identity",
                                             "Key property MFA",
                                             "Key property attestation",
                                             NULL};
    check_range("S-1-3", 0, n_elements(creators), "", creators);
    check_range("S-1-5", 0, n_elements(authority), "NT AUTHORITY\\", authority);
    check_range("S-1-5-32", 543, n_elements(builtin), "BUILTIN\\", builtin);
    check_range("S-1-18", 0, n_elements(identities), "", identities);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_and_bytes),
        cmocka_unit_test(refuses_bytes),
        cmocka_unit_test(sixteen_are_one_too_many),
        cmocka_unit_test(reads_lenient_spellings),
        cmocka_unit_test(refuses_text),
        cmocka_unit_test(random_ones_round_trip),
        cmocka_unit_test(domains),
        cmocka_unit_test(well_known_names),
        cmocka_unit_test(well_known_ranges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
