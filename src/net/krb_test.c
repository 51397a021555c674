/* Names, the generated krb5.conf, the sentences, and files that cannot be used: all without a KDC. */
#include "net/krb_test.h"

#include "base/file.h"
#include "base/when.h"

#include <sys/stat.h>
#include <unistd.h>

static char dir[64];

static int enter(void **state)
{
    snprintf(dir, sizeof dir, "/tmp/krb-test-XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int leave(void **state)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", dir);
    return system(command);
}

static const char *in_dir(const char *name)
{
    static char path[64][128];
    static unsigned i;
    char *out = path[i++ % 64];
    snprintf(out, 128, "%s/%s", dir, name);
    return out;
}

static const char *make_file(const char *name, const char *content, size_t n, mode_t mode)
{
    const char *path = in_dir(name);
    FILE *f = fopen(path, "w");
    fwrite(content, 1, n, f);
    fclose(f);
    chmod(path, mode);
    return path;
}

/* --- names -----------------------------------------------------------------------------------------------
 */

static void test_names(void **state)
{
    static const struct {
        const char *username, *domain, *user, *realm;
        bool is_enterprise;
    } cases[] = {
        {"svc", "corp.example", "svc", "CORP.EXAMPLE", false},
        {"svc@corp.example", "corp.example", "svc", "CORP.EXAMPLE", false},
        {"svc@CORP.example", "Corp.Example", "svc", "CORP.EXAMPLE", false},
        {"svc@corp.example.", "corp.example", "svc", "CORP.EXAMPLE", false},
        {"CORP\\svc", "corp.example", "svc", "CORP.EXAMPLE", false},
        {"other\\svc", "corp.example", "svc", "CORP.EXAMPLE", false},
        {"svc@company.com", "corp.example", "svc@company.com", "CORP.EXAMPLE", true},
        {"svc@sub.corp.example", "corp.example", "svc@sub.corp.example", "CORP.EXAMPLE", true},
        {"a@b@corp.example", "corp.example", "a@b", "CORP.EXAMPLE", false},
        {"DC1$", "corp.example", "DC1$", "CORP.EXAMPLE", false},
        {"svc/admin@corp.example", "corp.example", "svc/admin", "CORP.EXAMPLE", false},
        {"ren\xc3\xa9@corp.example", "corp.example", "ren\xc3\xa9", "CORP.EXAMPLE", false},
        {"svc", "corp.example.", "svc", "CORP.EXAMPLE", false},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct krb_name n;
        struct err e;
        assert_int_equal(krb_name_parse(&n, str_from(cases[i].username), str_from(cases[i].domain), &e), 0);
        assert_string_equal(n.user, cases[i].user);
        assert_string_equal(n.realm, cases[i].realm);
        assert_int_equal(n.is_enterprise, cases[i].is_enterprise);
    }
}

static void test_no_names(void **state)
{
    static const char *const cases[] = {"",
                                        "@corp.example",
                                        "svc@",
                                        "CORP\\",
                                        "\\svc",
                                        "CORP\\svc@corp.example",
                                        "CN=svc,DC=corp,DC=example"};
    char lengthy[1000];
    struct krb_name n;
    struct err e;
    for (size_t i = 0; i < n_elements(cases); i++) {
        assert_int_equal(krb_name_parse(&n, str_from(cases[i]), STR("corp.example"), &e), ERR_INPUT);
        assert_non_null(strstr(e.message, "is no name for Kerberos"));
    }
    memset(lengthy, 'a', sizeof lengthy);
    assert_int_equal(krb_name_parse(&n, (struct str){lengthy, sizeof lengthy}, STR("corp.example"), &e),
                     ERR_INPUT);
    assert_int_equal(krb_name_parse(&n, (struct str){"a\0b", 3}, STR("corp.example"), &e), ERR_INPUT);
    assert_int_equal(krb_name_parse(&n, STR("svc"), STR(""), &e), ERR_INPUT);
}

/* --- krb5.conf -------------------------------------------------------------------------------------------
 */

static void test_config(void **state)
{
    static const char *const kdcs[] = {"dc1.corp.example", "192.0.2.1", "2001:db8::1", "[2001:db8::2]"};
    struct buf b = buf_new(4096);
    struct err e;
    assert_int_equal(krb_config_text(&b, STR("corp.example"), kdcs, 4, &e), 0);
    assert_string_equal(buf_cstr(&b), "[libdefaults]\n"
                                      "  default_realm = CORP.EXAMPLE\n"
                                      "  dns_lookup_realm = false\n"
                                      "  dns_lookup_kdc = true\n"
                                      "  dns_canonicalize_hostname = false\n"
                                      "  rdns = false\n"
                                      "  udp_preference_limit = 1\n"
                                      "[realms]\n"
                                      "  CORP.EXAMPLE = {\n"
                                      "    kdc = dc1.corp.example\n"
                                      "    kdc = 192.0.2.1\n"
                                      "    kdc = [2001:db8::1]\n"
                                      "    kdc = [2001:db8::2]\n"
                                      "  }\n"
                                      "[domain_realm]\n"
                                      "  .corp.example = CORP.EXAMPLE\n"
                                      "  corp.example = CORP.EXAMPLE\n");
    buf_free(&b);
}

static void test_config_injection(void **state)
{
    static const char *const bad[] = {"", "a b", "a\nkdc = evil", "a}", "a;b", "a#b", "a{", "a=b", "a\"b"};
    for (size_t i = 0; i < n_elements(bad); i++) {
        struct buf b = buf_new(4096);
        struct err e;
        const char *kdcs[] = {bad[i]};
        assert_int_equal(krb_config_text(&b, STR("corp.example"), kdcs, 1, &e), ERR_INPUT);
        assert_int_equal(krb_config_text(&b, str_from(bad[i]), NULL, 0, &e), ERR_INPUT);
        assert_int_equal(b.len, 0);
        buf_free(&b);
    }
}

/* --- sentences -------------------------------------------------------------------------------------------
 */

static const struct krb_story story = {
    .who = "svc@R", .service = "ldap/dc1@R", .realm = "R", .file = "/cc", .text = "the library's own words"};

static void test_sentences(void **state)
{
    static const struct {
        krb5_error_code code;
        enum err_class class;
        const char *message;
    } cases[] = {
        {KRB5KDC_ERR_PREAUTH_FAILED, ERR_AUTH, "svc@R: wrong password (Kerberos 24)"},
        {KRB5KDC_ERR_C_PRINCIPAL_UNKNOWN, ERR_AUTH, "svc@R: no such user in the realm (Kerberos 6)"},
        {KRB5KDC_ERR_CLIENT_REVOKED, ERR_AUTH,
         "svc@R: the account is disabled, locked or expired (Kerberos 18)"},
        {KRB5KDC_ERR_KEY_EXP, ERR_AUTH, "svc@R: the password has expired or must be changed (Kerberos 23)"},
        {KRB5KDC_ERR_S_PRINCIPAL_UNKNOWN, ERR_AUTH, "ldap/dc1@R: the KDC knows no such service (Kerberos 7)"},
        {KRB5KDC_ERR_ETYPE_NOSUPP, ERR_AUTH,
         "svc@R: no encryption type in common with the KDC (Kerberos 14)"},
        {KRB5KRB_AP_ERR_SKEW, ERR_AUTH, "R: the clocks differ too much (Kerberos 37)"},
        {KRB5_KDCREP_SKEW, ERR_AUTH, "R: the clocks differ too much"},
        {KRB5KRB_AP_ERR_TKT_EXPIRED, ERR_AUTH, "svc@R: the ticket has expired (Kerberos 32)"},
        {KRB5KRB_AP_ERR_MODIFIED, ERR_AUTH,
         "ldap/dc1@R: the server cannot read the ticket that was made for this name (Kerberos 41)"},
        {KRB5_CC_NOTFOUND, ERR_AUTH, "/cc: holds no ticket for this"},
        {KRB5_KDC_UNREACH, ERR_NET, "R: no KDC answers"},
        {KRB5_REALM_CANT_RESOLVE, ERR_NET, "R: no KDC can be found"},
        {KRB5_REALM_UNKNOWN, ERR_INPUT, "R: no KDC is known for this realm"},
        {KRB5KDC_ERR_WRONG_REALM, ERR_INPUT, "R: this KDC does not serve the user's realm (Kerberos 68)"},
        {KRB5_FCC_NOFILE, ERR_INPUT, "/cc: there is no ticket cache"},
        {KRB5_CC_FORMAT, ERR_INPUT, "/cc: is no ticket cache"},
        {KRB5_KT_NOTFOUND, ERR_INPUT, "/cc: the keytab has no key of this account that can be used"},
        {KRB5KDC_ERR_CERTIFICATE_MISMATCH, ERR_AUTH, "svc@R: the library's own words (Kerberos 66)"},
        {ASN1_BAD_ID, ERR_PROTO, "R: the KDC's answer makes no sense (Kerberos 40)"},
        {12345, ERR_AUTH, "svc@R: the library's own words"},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct err e;
        assert_int_equal(krb_explain(cases[i].code, &story, &e), cases[i].class);
        assert_string_equal(e.message, cases[i].message);
        assert_int_equal(e.domain, DOM_KRB5);
        if (cases[i].code != ASN1_BAD_ID) assert_int_equal(e.code, cases[i].code);
        assert_true(e.hint[0] != 0);
    }
}

static void test_skew(void **state)
{
    static const struct {
        int64_t ms;
        const char *message;
    } cases[] = {
        {3605500, "R: the clocks differ too much: the KDC's is 3605 s ahead of ours"},
        {-420000, "R: the clocks differ too much: the KDC's is 420 s behind ours"},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct krb_complaint c = {.skew_ms = cases[i].ms};
        struct krb_story s = story;
        struct err e;
        s.complaint = &c;
        assert_int_equal(krb_explain(KRB5KRB_AP_ERR_SKEW, &s, &e), ERR_AUTH);
        assert_string_equal(e.message, cases[i].message);
        assert_non_null(strstr(e.hint, "NTP"));
    }
}

static void test_status(void **state)
{
    static const struct {
        uint32_t status;
        const char *message;
    } cases[] = {
        {0xC0000072, "svc@R: the account is disabled (Kerberos 18)"},
        {0xC0000234, "svc@R: the account is locked (Kerberos 18)"},
        {0xC0000193, "svc@R: the account has expired (Kerberos 18)"},
        {0xC000006F, "svc@R: sign-in is not permitted at this time (Kerberos 18)"},
        {0xC0000001, "svc@R: the account is disabled, locked or expired (Kerberos 18)"},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct krb_complaint c = {.nt_status = cases[i].status};
        struct krb_story s = story;
        struct err e;
        s.complaint = &c;
        assert_int_equal(krb_explain(KRB5KDC_ERR_CLIENT_REVOKED, &s, &e), ERR_AUTH);
        assert_string_equal(e.message, cases[i].message);
    }
}

#define EXTENDED                                                                                             \
    "\x30\x15\xa1\x03\x02\x01\x03\xa2\x0e\x04\x0c\x72\x00\x00\xc0\x00\x00\x00\x00\x01\x00\x00\x00"

static void test_e_data(void **state)
{
    static const struct {
        const char *bytes;
        size_t n;
        uint32_t status;
    } cases[] = {
        {EXTENDED, 23, 0xC0000072},            /* alone */
        {"\x30\x17" EXTENDED, 25, 0xC0000072}, /* in a METHOD-DATA */
        {EXTENDED, 22, 0},                     /* cut */
        {"\x30\x15\xa1\x03\x02\x01\x04\xa2\x0e\x04\x0c\x72\x00\x00\xc0\x00\x00\x00\x00\x01\x00\x00\x00", 23,
         0}, /* another type */
        {"\x30\x05\xa1\x03\x02\x01\x03", 7, 0},
        {"\x30\x84\xff\xff\xff\xff", 6, 0},
        {"", 0, 0},
        {"text", 4, 0},
    };
    for (size_t i = 0; i < n_elements(cases); i++)
        assert_int_equal(krb_nt_status((struct bytes){(const uint8_t *)cases[i].bytes, cases[i].n}),
                         cases[i].status);
}

/* --- files -----------------------------------------------------------------------------------------------
 */

static struct krb *open_krb_for_test(void)
{
    static const char *const kdcs[] = {"127.0.0.1"};
    struct krb_how how = {.domain = "corp.example",
                          .kdcs = kdcs,
                          .n_kdcs = 1,
                          .timeout_ms = 500,
                          .deadline_ms = when_monotonic_ms() + 5000};
    struct krb *k;
    struct err e;
    if (krb_open(&k, &how, &e) < 0) fail_msg("%s", e.message);
    return k;
}

static void test_bad_files(void **state)
{
    struct krb *k = open_krb_for_test();
    struct err e;
    static const char garbage[] = "this is no ticket cache, nor a keytab";
    static const char no_entries[] = "\x05\x04\x00\x00";
    const struct {
        const char *path, *cache, *keytab;
    } cases[] = {
        {in_dir("missing"), "No such file", "No such file"},
        {make_file("open", garbage, sizeof garbage, 0644), "others may read or change",
         "others may read or change"},
        {make_file("group", garbage, sizeof garbage, 0660), "others may read or change",
         "others may read or change"},
        {dir, "not a regular file", "not a regular file"},
        {make_file("garbage", garbage, sizeof garbage, 0600), "ticket cache", "keytab"},
        {make_file("empty", "", 0, 0600), "ticket cache", "keytab"},
        {make_file("short", no_entries, 4, 0600), "ticket cache", "keytab"},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        assert_int_equal(krb_use_cache(k, cases[i].path, NULL, &e), ERR_INPUT);
        if (!strstr(e.message, cases[i].cache)) fail_msg("%zu: %s", i, e.message);
        assert_non_null(strstr(e.message, cases[i].path));
        assert_int_equal(krb_sign_in_keytab(k, cases[i].path, NULL, &e), ERR_INPUT);
        if (!strstr(e.message, cases[i].keytab)) fail_msg("%zu: %s", i, e.message);
        assert_null(krb_ticket(k));
    }
    assert_int_equal(krb_use_cache(k, "NOSUCH:x", NULL, &e), ERR_INPUT);
    krb_close(k);
}

static void test_cache(void **state)
{
    struct krb *k = open_krb_for_test();
    struct err e;
    char name[160], service[KRB_NAME_MAX];
    const char *path = in_dir("cc");
    snprintf(name, sizeof name, "FILE:%s", path);
    krb5_ccache cc = open_cache(k->ctx, name);
    assert_int_equal(krb_use_cache(k, path, NULL, &e), ERR_AUTH); /* an owner, and no ticket */
    assert_non_null(strstr(e.message, "holds no ticket"));
    put_creds(k->ctx, cc, "krbtgt", TEST_REALM, 3600, true);
    put_creds(k->ctx, cc, "ldap", "dc1.corp.example", 3600, false);
    krb5_cc_close(k->ctx, cc);
    assert_int_equal(krb_use_cache(k, path, NULL, &e), 0);
    const struct krb_ticket *t = krb_ticket(k);
    assert_string_equal(t->principal, "svc@" TEST_REALM);
    assert_true(t->ends_ms > when_now_ms() + 3500000 && t->renewable_until_ms == t->ends_ms + 3600000);
    assert_non_null(strstr(krb_cache_name(k), "MEMORY:"));
    assert_int_equal(krb_service_ticket(k, "ldap/dc1.corp.example", service, &e),
                     0); /* from the cache, no KDC */
    assert_string_equal(service, "ldap/dc1.corp.example@" TEST_REALM);
    char lengthy[600] = "ldap/";
    memset(lengthy + 5, 'a', sizeof lengthy - 6);
    lengthy[sizeof lengthy - 1] = 0;
    assert_int_equal(krb_service_ticket(k, lengthy, service, &e), ERR_INPUT);
    /* whose? */
    assert_int_equal(krb_use_cache(k, name, "svc@corp.example", &e), 0);
    assert_int_equal(krb_use_cache(k, name, "CORP\\SVC", &e), 0);
    assert_int_equal(krb_use_cache(k, name, "other@corp.example", &e), ERR_INPUT);
    assert_non_null(strstr(e.message, "belongs to svc@CORP.EXAMPLE, not to other@CORP.EXAMPLE"));
    krb_close(k);
}

static void test_expired_cache(void **state)
{
    struct krb *k = open_krb_for_test();
    struct err e;
    char name[160], service[KRB_NAME_MAX];
    snprintf(name, sizeof name, "FILE:%s", in_dir("old"));
    krb5_ccache cc = open_cache(k->ctx, name);
    put_creds(k->ctx, cc, "krbtgt", TEST_REALM, -60, false);
    krb5_cc_close(k->ctx, cc);
    assert_int_equal(krb_use_cache(k, name, NULL, &e), 0);
    assert_int_equal(krb_service_ticket(k, "ldap/dc1.corp.example", service, &e), ERR_AUTH);
    assert_non_null(strstr(e.message, "svc@CORP.EXAMPLE: the ticket expired at 20"));
    assert_non_null(strstr(e.hint, "kinit"));
    krb_close(k);
}

static void test_no_tgt(void **state)
{
    struct krb *k = open_krb_for_test();
    struct err e;
    char name[160], service[KRB_NAME_MAX];
    snprintf(name, sizeof name, "FILE:%s", in_dir("no-tgt"));
    krb5_ccache cc = open_cache(k->ctx, name);
    put_creds(k->ctx, cc, "http", "web.corp.example", 3600, false);
    krb5_cc_close(k->ctx, cc);
    assert_int_equal(krb_use_cache(k, name, NULL, &e), 0);
    assert_int_equal(krb_service_ticket(k, "ldap/dc1.corp.example", service, &e), ERR_AUTH);
    assert_string_equal(e.message, "svc@CORP.EXAMPLE: there is a ticket neither for "
                                   "ldap/dc1.corp.example@CORP.EXAMPLE nor for getting one");
    krb_close(k);
}

/* Every prefix of a good cache is told, and none is believed beyond its end. */
static void test_cut_cache(void **state)
{
    struct krb *k = open_krb_for_test();
    struct err e;
    char name[160];
    struct buf whole = buf_new(65536);
    const char *path = in_dir("whole");
    snprintf(name, sizeof name, "FILE:%s", path);
    krb5_ccache cc = open_cache(k->ctx, name);
    put_creds(k->ctx, cc, "krbtgt", TEST_REALM, 3600, true);
    krb5_cc_close(k->ctx, cc);
    assert_int_equal(file_read(&whole, path, &e), 0);
    for (size_t n = 0; n < whole.len; n += 3) {
        const char *cut = make_file("cut", (const char *)whole.ptr, n, 0600);
        assert_true(krb_use_cache(k, cut, NULL, &e) < 0);
        assert_true(e.message[0] && e.hint[0]);
        assert_null(krb_ticket(k));
    }
    buf_free(&whole);
    krb_close(k);
}

/* --- configuration ---------------------------------------------------------------------------------------
 */

static void test_own_config(void **state)
{
    struct krb *k = open_krb_for_test();
    char realm[64] = "", *found = NULL;
    assert_int_equal(krb5_get_default_realm(k->ctx, &found), 0);
    snprintf(realm, sizeof realm, "%s", found);
    krb5_free_default_realm(k->ctx, found);
    assert_string_equal(realm, TEST_REALM);
    assert_non_null(strstr(getenv("KRB5_CONFIG"), "/proc/self/fd/")); /* nothing to be left behind */
    krb_prefer(k, "dc9");
    assert_string_equal(k->kdcs[0], "dc9");
    assert_string_equal(k->kdcs[1], "127.0.0.1");
    krb_prefer(k, "127.0.0.1");
    assert_string_equal(k->kdcs[0], "127.0.0.1");
    assert_int_equal(k->n_kdcs, 2);
    for (int i = 0; i < 40; i++) {
        char kdc[16];
        snprintf(kdc, sizeof kdc, "kdc%d", i);
        krb_prefer(k, kdc);
        assert_string_equal(k->kdcs[0], kdc);
    }
    assert_int_equal(k->n_kdcs, KRB_KDCS_MAX);
    krb_close(k);
}

static void test_bad_config(void **state)
{
    struct krb_how how = {.domain = "corp.example",
                          .config = in_dir("no.conf"),
                          .timeout_ms = 500,
                          .deadline_ms = when_monotonic_ms() + 5000};
    struct krb *k;
    struct err e;
    assert_int_equal(krb_open(&k, &how, &e), ERR_INPUT);
    assert_non_null(strstr(e.message, "No such file"));
    static const char broken[] = "[libdefaults\n default_realm = X\n";
    how.config = make_file("broken.conf", broken, sizeof broken - 1, 0644);
    assert_int_equal(krb_open(&k, &how, &e), ERR_INPUT);
    assert_non_null(strstr(e.message, how.config));
    how.config = NULL;
    how.domain = "corp example";
    assert_int_equal(krb_open(&k, &how, &e), ERR_INPUT);
}

static void test_no_kdc(void **state)
{
    static const char *const kdcs[] = {"127.255.255.254", "127.255.255.253"}; /* nobody listens there */
    struct krb_how how = {.domain = "corp.example",
                          .kdcs = kdcs,
                          .n_kdcs = 2,
                          .timeout_ms = 2000,
                          .deadline_ms = when_monotonic_ms() + 5000};
    struct krb *k;
    struct err e;
    struct secret password;
    assert_int_equal(krb_open(&k, &how, &e), 0);
    assert_int_equal(secret_take(&password, (struct bytes){(const uint8_t *)"pw", 2}, &e), 0);
    assert_int_equal(krb_sign_in(k, "svc@corp.example", &password, &e), ERR_NET);
    assert_non_null(strstr(e.message, "CORP.EXAMPLE: no KDC answers: 127.255.255.254: "));
    assert_non_null(strstr(e.message, "127.255.255.253: "));
    assert_non_null(strstr(e.hint, "port 88"));
    secret_drop(&password);
    krb_close(k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),         cmocka_unit_test(test_no_names),
        cmocka_unit_test(test_config),        cmocka_unit_test(test_config_injection),
        cmocka_unit_test(test_sentences),     cmocka_unit_test(test_skew),
        cmocka_unit_test(test_status),        cmocka_unit_test(test_e_data),
        cmocka_unit_test(test_bad_files),     cmocka_unit_test(test_cache),
        cmocka_unit_test(test_expired_cache),
        cmocka_unit_test(test_no_tgt), cmocka_unit_test(test_cut_cache),
        cmocka_unit_test(test_own_config),    cmocka_unit_test(test_bad_config),
        cmocka_unit_test(test_no_kdc),
    };
    return cmocka_run_group_tests(tests, enter, leave);
}
