#include "model/dn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/testing.h"

struct pair {
    const char *attribute, *value; /* NULL attribute ends */
};

static void splits(void **state)
{
    static const struct {
        const char *dn;
        struct pair pairs[6];
    } cases[] = {
        {"CN=Ann,DC=corp", {{"CN", "Ann"}, {"DC", "corp"}}},
        {"CN=Ann\\, Bob,DC=x", {{"CN", "Ann\\, Bob"}, {"DC", "x"}}},
        {"CN=a\\\\,DC=x", {{"CN", "a\\\\"}, {"DC", "x"}}},
        {"CN=a\\\\\\,b,DC=x", {{"CN", "a\\\\\\,b"}, {"DC", "x"}}},
        {"CN=a\\2Cb,DC=x", {{"CN", "a\\2Cb"}, {"DC", "x"}}},
        {"CN=x\\0ACNF:6f9619ff-8b86-d011-b42d-00c04fc964ff,DC=x",
         {{"CN", "x\\0ACNF:6f9619ff-8b86-d011-b42d-00c04fc964ff"}, {"DC", "x"}}},
        {"CN=\"Doe, John\",DC=x", {{"CN", "\"Doe, John\""}, {"DC", "x"}}},
        {"CN=\"a\\\"b+c\",DC=x", {{"CN", "\"a\\\"b+c\""}, {"DC", "x"}}},
        {"CN=#04024869,DC=x", {{"CN", "#04024869"}, {"DC", "x"}}},
        {"1.3.6.1.4.1.1466.0=#04024869,O=Test", {{"1.3.6.1.4.1.1466.0", "#04024869"}, {"O", "Test"}}},
        {"OU=Sales+CN=J. Smith,DC=net", {{"OU", "Sales"}, {"DC", "net"}}}, /* RFC 4514 4 */
        {" CN = Ann Lee  ,  DC = x ", {{"CN", "Ann Lee"}, {"DC", "x"}}},
        {"CN=a\\ ,DC=x", {{"CN", "a\\ "}, {"DC", "x"}}},
        {"CN=a=b=c,DC=x", {{"CN", "a=b=c"}, {"DC", "x"}}},
        {"CN=a#b,DC=x", {{"CN", "a#b"}, {"DC", "x"}}},
        {"CN=,DC=x", {{"CN", ""}, {"DC", "x"}}},
        {"CN=Lu\\C4\\8Di\\C4\\87", {{"CN", "Lu\\C4\\8Di\\C4\\87"}}},
        {"CN=\xc3\x89milie,DC=x", {{"CN", "\xc3\x89milie"}, {"DC", "x"}}},
        {"OID.2.5.4.3=x", {{"OID.2.5.4.3", "x"}}},
        {"CN=a/b'c*(d),DC=x", {{"CN", "a/b'c*(d)"}, {"DC", "x"}}},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct str dn = str_from(cases[i].dn), attribute, value, rest;
        struct err e;
        assert_int_equal(dn_check(dn, &e), 0);
        for (const struct pair *p = cases[i].pairs; p->attribute; p++) {
            assert_true(dn_split(dn, &attribute, &value, &rest));
            assert_true(str_equal(attribute, str_from(p->attribute)));
            assert_true(str_equal(value, str_from(p->value)));
            assert_true(str_equal(dn_parent(dn), rest));
            dn = rest;
        }
        assert_int_equal(dn.len, 0);
        assert_false(dn_split(dn, &attribute, &value, &rest));
    }
}

static void refuses(void **state)
{
    static const struct {
        const char *dn, *message;
    } cases[] = {
        {"", "the DN is empty"},
        {" ", "character 2: an attribute name is expected"},
        {"CN", "character 3: '=' is expected"},
        {"=x", "character 1: an attribute name is expected"},
        {"Users", "character 6: '=' is expected"},
        {"CN=a,", "character 6: the DN ends after a separator"},
        {"CN=a, ", "character 6: the DN ends after a separator"},
        {"CN=a+", "character 6: the DN ends after a separator"},
        {"CN=a,,DC=x", "character 6: an attribute name is expected"},
        {"CN=a,DC", "character 8: '=' is expected"},
        {"C N=a", "character 3: '=' is expected"},
        {"CN=a\\", "character 5: nothing after the backslash"},
        {"CN=a\\x", "character 5: a backslash needs a special character or two hex digits"},
        {"CN=a\\4", "character 5: a backslash needs a special character or two hex digits"},
        {"CN=a\\4g", "character 5: a backslash needs a special character or two hex digits"},
        {"CN=a;b", "character 5: this character must be escaped with a backslash"},
        {"CN=a<b", "character 5: this character must be escaped with a backslash"},
        {"CN=a>b", "character 5: this character must be escaped with a backslash"},
        {"CN=a\"b", "character 5: this character must be escaped with a backslash"},
        {"CN=\"ab", "character 7: the closing quote is missing"},
        {"CN=\"a\"b", "character 7: ',' or '+' is expected"},
        {"CN=#", "character 5: two hex digits are expected after #"},
        {"CN=#0", "character 5: two hex digits are expected after #"},
        {"CN=#04g", "character 7: ',' or '+' is expected"},
        {"CN=\xc3\xa9\xc3\xa9;",
         "character 6: this character must be escaped with a backslash"}, /* characters, not bytes */
        {"CN=caf\xe9", "the DN is not UTF-8"},
        {"<GUID=1>;CN=x", "character 1: an attribute name is expected"},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct err e;
        assert_int_equal(dn_check(str_from(cases[i].dn), &e), ERR_INPUT);
        assert_string_equal(e.message, cases[i].message);
    }
    struct err e;
    struct str attribute, value, rest;
    assert_int_equal(dn_check((struct str){"CN=a\0b", 6}, &e), ERR_INPUT);
    assert_int_equal(dn_check((struct str){"CN=\"a\0b\"", 8}, &e), ERR_INPUT);
    assert_int_equal(dn_check((struct str){"CN=a\\\0", 6}, &e), ERR_INPUT);
    assert_int_equal(dn_check((struct str){NULL, 0}, &e), ERR_INPUT);
    assert_false(dn_split((struct str){NULL, 0}, &attribute, &value, &rest));
    assert_int_equal(dn_parent((struct str){NULL, 0}).len, 0);
    assert_int_equal(dn_parent(STR("CN=a;b,DC=x")).len, 0);
    assert_int_equal(dn_parent(STR("CN=a,")).len, 0);
    assert_false(
        dn_split(STR("CN=a+,DC=x"), &attribute, &value, &rest)); /* the second part of the RDN counts */
    assert_int_equal(rest.len, 0);
}

static void parents(void **state)
{
    static const char *const cases[][2] = {
        {"CN=a,OU=b,DC=c", "OU=b,DC=c"}, {"CN=a\\,b, OU=c", "OU=c"},    {"DC=c", ""},
        {"CN=a+OU=b,DC=c", "DC=c"},      {"CN=\"x,y\" , DC=c", "DC=c"}, {"", ""},
    };
    for (size_t i = 0; i < n_elements(cases); i++)
        assert_true(str_equal(dn_parent(str_from(cases[i][0])), str_from(cases[i][1])));
}

static void values(void **state)
{
    static const char *const cases[][2] = {
        /* raw, plain */
        {"Ann", "Ann"},
        {"", ""},
        {"a\\,b", "a,b"},
        {"a\\2Cb", "a,b"},
        {"a\\2cb", "a,b"},
        {"\\#a", "#a"},
        {"\\ a\\ ", " a "},
        {"a\\\\b", "a\\b"},
        {"a\\\"b", "a\"b"},
        {"\"a, b\"", "a, b"},
        {"\"a\\\"b\"", "a\"b"},
        {"Lu\\C4\\8Di\\C4\\87", "Lu\xc4\x8di\xc4\x87"}, /* RFC 4514 4 */
        {"x\\0ACNF:1", "x\nCNF:1"},
        {"#04024869", "#04024869"},
        {"caf\\E9", "caf\\E9"}, /* no UTF-8: left as it stands */
        {"a\\", "a\\"},         /* never read past the end */
        {"a\\4", "a4"},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct buf b = buf_new(100);
        buf_add_str(&b, STR("kept "));
        dn_unescape(&b, str_from(cases[i][0]));
        assert_string_equal(buf_cstr(&b) + 5, cases[i][1]);
        buf_free(&b);
    }
}

static void escaped(void **state)
{
    static const char *const cases[][2] = {
        /* plain, escaped */
        {"Ann Lee", "Ann Lee"},
        {"", ""},
        {" ", "\\ "},
        {"  ", "\\ \\ "},
        {" a b ", "\\ a b\\ "},
        {"#a#", "\\#a#"},
        {"a,b+c\"d\\e<f>g;h=i", "a\\,b\\+c\\\"d\\\\e\\<f\\>g\\;h=i"},
        {"x\nCNF:1", "x\\0ACNF:1"},
        {"\x7f", "\\7F"},
        {"\xc3\xa9\xe6\x97\xa5", "\xc3\xa9\xe6\x97\xa5"},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct buf b = buf_new(100), back = buf_new(100);
        dn_escape(&b, str_from(cases[i][0]));
        assert_string_equal(buf_cstr(&b), cases[i][1]);
        dn_unescape(&back, buf_str(&b));
        assert_string_equal(buf_cstr(&back), cases[i][0]);
        buf_free(&b);
        buf_free(&back);
    }
    struct buf b = buf_new(100);
    dn_escape(&b, (struct str){"a\0b", 3});
    assert_string_equal(buf_cstr(&b), "a\\00b");
    buf_free(&b);
}

/* Whatever the name, it can be put into a DN and taken out again. */
static void every_name_survives(void **state)
{
    static const char *const parts[] = {" ", "#", ",", "+", "\"", "\\", "<",        ">",
                                        ";", "=", "a", "4", "F",  "\n", "\xc3\xa9", "\xf0\x9f\x94\x91"};
    uint64_t seed = 5;
    for (int i = 0; i < 50000; i++) {
        struct buf name = buf_new(200), dn = buf_new(1000), back = buf_new(200);
        struct str attribute, value, rest;
        struct err e;
        for (unsigned n = test_below(&seed, 12); n; n--)
            buf_add_str(&name, str_from(parts[test_below(&seed, n_elements(parts))]));
        buf_add_str(&dn, STR("CN="));
        dn_escape(&dn, buf_str(&name));
        buf_add_str(&dn, STR(",DC=x"));
        assert_int_equal(dn_check(buf_str(&dn), &e), 0);
        assert_true(dn_split(buf_str(&dn), &attribute, &value, &rest));
        assert_true(str_equal(rest, STR("DC=x")));
        dn_unescape(&back, value);
        assert_true(str_equal(buf_str(&back), buf_str(&name)));
        buf_free(&name);
        buf_free(&dn);
        buf_free(&back);
    }
}

static void normal_forms(void **state)
{
    static const char *const cases[][2] = {
        {"CN=Ann Lee,OU=Users,DC=Corp,DC=Example", "cn=ann lee,ou=users,dc=corp,dc=example"},
        {"cn = Ann Lee , ou = Users", "cn=ann lee,ou=users"},
        {"CN=Ann  Lee", "cn=ann  lee"}, /* inner spaces are the name's own */
        {"CN=a\\,B", "cn=a\\,b"},
        {"CN=a\\2CB", "cn=a\\,b"},
        {"CN=\"a,B\"", "cn=a\\,b"},
        {"CN=a\\=B", "cn=a=b"},
        {"CN=a=B", "cn=a=b"},
        {"CN=\\41nn", "cn=ann"},
        {"CN=a\\ ", "cn=a\\ "},
        {"CN=a ", "cn=a"},
        {"CN=\\#a", "cn=\\#a"},
        {"CN=#04AB", "cn=#04ab"},
        {"CN=x\\0ADEL:1", "cn=x\\0Adel:1"},
        {"CN=\xc3\x89MILIE", "cn=\xc3\xa9milie"},
        {"CN=STRASSE,DC=X", "cn=strasse,dc=x"},
        {"CN=Stra\xc3\x9f"
         "e,DC=X",
         "cn=strasse,dc=x"},
        {"CN=\xce\xa3\xce\x91\xce\xa3", "cn=\xcf\x83\xce\xb1\xcf\x83"},
        {"CN=\xe6\x97\xa5\xe6\x9c\xac", "cn=\xe6\x97\xa5\xe6\x9c\xac"},
        {"CN=Lu\\C4\\8Di\\C4\\87", "cn=lu\xc4\x8di\xc4\x87"},
        {"CN=caf\\E9", "cn=caf\\E9"},
        {"OU=Sales+CN=J. Smith,DC=Net", "ou=sales+cn=j. smith,dc=net"},
        {"", ""},
        {"Not A DN", "not a dn"},
        {"CN=A,,DC=X", "cn=a,,dc=x"},
        {"CN=A;B", "cn=a;b"},
        {"CN=A,", "cn=a,"},
        {"CN=", "cn="},
        {"CN=,DC=x", "cn=,dc=x"},
        {"CN= ", "cn="},
        {"CN= a,DC=x", "cn=a,dc=x"},
        {"CN=a,DC= x", "cn=a,dc=x"},
        {"CN=\\40a\\4f", "cn=@ao"},
        {"CN=\\80\\7F", "cn=\\80\\7F"},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct buf b = buf_new(200), again = buf_new(200);
        buf_add_str(&b, STR("kept "));
        dn_normalize(&b, str_from(cases[i][0]));
        assert_string_equal(buf_cstr(&b) + 5, cases[i][1]);
        struct str once = str_from(buf_cstr(&b) + 5);
        dn_normalize(&again, once);
        assert_true(str_equal(buf_str(&again), once));
        buf_free(&b);
        buf_free(&again);
    }
}

/* Text that is no DN must not be taken for one: U+212A KELVIN SIGN folds to k, but not here. */
static void what_is_no_dn_meets_none(void **state)
{
    struct buf bad = buf_new(100), good = buf_new(100);
    dn_normalize(&bad, STR("\xe2\x84\xaa=x"));
    dn_normalize(&good, STR("K=x"));
    assert_false(str_equal(buf_str(&bad), buf_str(&good)));
    buf_clear(&bad);
    buf_clear(&good);
    dn_normalize(&bad, STR("CN=\xe2\x84\xaa"));
    dn_normalize(&good, STR("CN=K"));
    assert_true(str_equal(buf_str(&bad), buf_str(&good))); /* in a value it is a letter */
    buf_free(&bad);
    buf_free(&good);
}

static void a_full_buffer_says_so(void **state)
{
    for (size_t max = 0; max < 12; max++) {
        struct buf b = buf_new(max);
        dn_normalize(&b, STR("CN=\xc3\x89lodie,DC=x"));
        assert_true(b.failed);
        buf_free(&b);
        b = buf_new(max);
        dn_normalize(&b, STR("CN=Elodie,DC=x"));
        assert_true(b.failed);
        assert_int_equal(b.len, 0);
        buf_free(&b);
    }
}

static void under(void **state)
{
    static const struct {
        const char *dn, *base;
        bool is;
    } cases[] = {
        {"ou=a,dc=x", "dc=x", true},
        {"dc=x", "dc=x", true},
        {"ou=adc=x", "dc=x", false},
        {"ou=a\\,dc=x", "dc=x", false},
        {"ou=a\\\\,dc=x", "dc=x", true},
        {"ou=a\\\\\\,dc=x", "dc=x", false},
        {"dc=x", "ou=a,dc=x", false},
        {"ou=b,dc=xx", "dc=x", false},
        {"ou=b,dc=x", "", true},
        {"", "", true},
        {"", "dc=x", false},
    };
    for (size_t i = 0; i < n_elements(cases); i++)
        assert_int_equal(dn_is_under(str_from(cases[i].dn), str_from(cases[i].base)), cases[i].is);
}

static void dns_names(void **state)
{
    static const char *const cases[][2] = {
        {"corp.example", "DC=corp,DC=example"},
        {"x", "DC=x"},
        {"", ""},
        {"a.b.c.d", "DC=a,DC=b,DC=c,DC=d"},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct buf b = buf_new(100), back = buf_new(100);
        dn_from_dns(&b, str_from(cases[i][0]));
        assert_string_equal(buf_cstr(&b), cases[i][1]);
        dn_to_dns(&back, buf_str(&b));
        assert_string_equal(buf_cstr(&back), cases[i][0]);
        buf_free(&b);
        buf_free(&back);
    }
    static const char *const from[][2] = {
        {"corp.example.", "DC=corp,DC=example"}, {"..a..b", "DC=a,DC=b"}, {"a,b.c", "DC=a\\,b,DC=c"}};
    for (size_t i = 0; i < n_elements(from); i++) {
        struct buf b = buf_new(100);
        dn_from_dns(&b, str_from(from[i][0]));
        assert_string_equal(buf_cstr(&b), from[i][1]);
        buf_free(&b);
    }
    static const char *const to[][2] = {
        {"CN=Ann,OU=x,DC=corp,DC=example", "corp.example"},
        {"OU=x,dc=corp, dc=example", "corp.example"},
        {"DC=host,DC=zone,CN=MicrosoftDNS,DC=DomainDnsZones,DC=corp", "DomainDnsZones.corp"},
        {"CN=x,O=org", ""},
        {"no dn", ""},
    };
    for (size_t i = 0; i < n_elements(to); i++) {
        struct buf b = buf_new(100);
        buf_add_str(&b, STR("kept "));
        dn_to_dns(&b, str_from(to[i][0]));
        assert_string_equal(buf_cstr(&b) + 5, to[i][1]);
        buf_free(&b);
    }
}

/* Random strings of the characters that matter: what dn_check accepts can be walked, and its form is stable.
 */
static void random_strings(void **state)
{
    static const char alphabet[] = "CN=,+\\\"#;<> aA4Fx.-0\xc3\xa9\n";
    uint64_t seed = 11;
    unsigned accepted = 0;
    for (int i = 0; i < 300000; i++) {
        char text[40];
        size_t n = test_below(&seed, sizeof text);
        for (size_t k = 0; k < n; k++) text[k] = alphabet[test_below(&seed, sizeof alphabet)];
        if (n > 3 && i % 2) memcpy(text, "CN=", 3);
        struct str dn = {text, n}, attribute, value, rest;
        struct err e;
        struct buf once = buf_new(1000), twice = buf_new(1000);
        bool ok = dn_check(dn, &e) == 0;
        accepted += ok;
        for (rest = dn; rest.len; dn = rest)
            if (!dn_split(dn, &attribute, &value, &rest)) break;
        if (ok) assert_true(str_equal(rest, STR("")) && (!dn.len || rest.ptr));
        dn_normalize(&once, (struct str){text, n});
        dn_normalize(&twice, buf_str(&once));
        assert_true(str_equal(buf_str(&once), buf_str(&twice)));
        if (ok) assert_int_equal(dn_check(buf_str(&once), &e), 0);
        buf_free(&once);
        buf_free(&twice);
    }
    assert_true(accepted > 3000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splits),
        cmocka_unit_test(refuses),
        cmocka_unit_test(parents),
        cmocka_unit_test(values),
        cmocka_unit_test(escaped),
        cmocka_unit_test(every_name_survives),
        cmocka_unit_test(normal_forms),
        cmocka_unit_test(what_is_no_dn_meets_none),
        cmocka_unit_test(a_full_buffer_says_so),
        cmocka_unit_test(under),
        cmocka_unit_test(dns_names),
        cmocka_unit_test(random_strings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
