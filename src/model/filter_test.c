#include "model/filter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/testing.h"

static void escapes(void **state)
{
    static const struct {
        const char *value;
        size_t len;
        const char *escaped;
    } cases[] = {
        {"Ann", 3, "Ann"},
        {"", 0, ""},
        {"a*b(c)d\\e", 9, "a\\2ab\\28c\\29d\\5ce"},
        {"a\0b", 3, "a\\00b"},
        {"\n\x1f\x7f", 3, "\\0a\\1f\\7f"},
        {"\xc3\xa9", 2, "\xc3\xa9"},
        {"caf\xe9", 4, "caf\\e9"},
        {"\xc3\xa9\xff", 3, "\\c3\\a9\\ff"}, /* not text as a whole: bytes */
        {"*)(objectClass=*", 16, "\\2a\\29\\28objectClass=\\2a"},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct buf b = buf_new(200);
        filter_escape(&b, (struct bytes){(const uint8_t *)cases[i].value, cases[i].len});
        assert_string_equal(buf_cstr(&b), cases[i].escaped);
        buf_free(&b);
    }
    struct buf b = buf_new(200);
    filter_equal(&b, STR("objectGUID"), (struct bytes){(const uint8_t *)"\x01\x80*", 3});
    assert_string_equal(buf_cstr(&b), "(objectGUID=\\01\\80\\2a)");
    buf_free(&b);
}

/* Any bytes at all, as a value, give one well-formed item. */
static void no_value_breaks_out(void **state)
{
    uint64_t seed = 7;
    for (int i = 0; i < 50000; i++) {
        uint8_t bytes[40];
        size_t n = test_below(&seed, sizeof bytes);
        for (size_t k = 0; k < n; k++)
            bytes[k] = i % 2 ? (uint8_t)test_random(&seed) : (uint8_t) "()*\\&|!=a:\0"[test_below(&seed, 11)];
        struct buf b = buf_new(1000);
        struct err e;
        filter_equal(&b, STR("cn"), (struct bytes){bytes, n});
        assert_int_equal(filter_check(buf_str(&b), &e), 0);
        assert_null(memchr(b.ptr + 1, '(', b.len - 1));
        assert_ptr_equal(memchr(b.ptr, ')', b.len), b.ptr + b.len - 1);
        assert_null(memchr(b.ptr, '*', b.len));
        buf_free(&b);
    }
}

static void accepts(void **state)
{
    static const char *const cases[] = {
        "(cn=Babs Jensen)", /* the first ones are of RFC 4515 4 */
        "(!(cn=Tim Howes))",
        "(&(objectClass=Person)(|(sn=Jensen)(cn=Babs J*)))",
        "(o=univ*of*mich*)",
        "(seeAlso=)",
        "(cn:caseExactMatch:=Fred Flintstone)",
        "(cn:=Betty Rubble)",
        "(sn:dn:2.4.6.8.10:=Barney Rubble)",
        "(o:dn:=Ace Industry)",
        "(:1.2.3:=Wilma Flintstone)",
        "(:DN:2.4.6.8.10:=Dino)",
        "(o=Parens R Us \\28for all your parenthetical needs\\29)",
        "(cn=*\\2A*)",
        "(filename=C:\\5cMyFile)",
        "(bin=\\00\\00\\00\\04)",
        "(sn=Lu\\c4\\8di\\c4\\87)",
        "(1.3.6.1.4.1.1466.0=\\04\\02\\48\\69)",
        "(objectClass=*)",
        "(uSNChanged>=42)",
        "(uSNChanged<=42)",
        "(cn~=x)",
        "(userCertificate;binary=x)",
        "(userAccountControl:1.2.840.113556.1.4.803:=2)",
        "(cn==a=b)",
        "(cn=\xc3\xa9)",
        "(cn=a b&|!:c)",
        "(msDS-Behavior-Version=7)",
        "(!(!(a=b)))",
        "(|(a=b))",
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct err e;
        assert_int_equal(filter_check(str_from(cases[i]), &e), 0);
    }
}

static void refuses(void **state)
{
    static const struct {
        const char *filter, *message;
    } cases[] = {
        {"", "character 1: '(' is expected"},
        {"cn=x", "character 1: '(' is expected"},
        {"()", "character 2: an attribute name is expected"},
        {"(cn)", "character 4: one of = ~= <= >= := is expected"},
        {"(cn=x", "character 6: ')' is missing"},
        {"(cn=x))", "character 7: the filter has ended before this"},
        {"(cn=x)(sn=y)", "character 7: the filter has ended before this"},
        {"(cn=x) ", "character 7: the filter has ended before this"},
        {" (cn=x)", "character 1: '(' is expected"},
        {"( cn=x)", "character 2: an attribute name is expected"},
        {"(=x)", "character 2: an attribute name is expected"},
        {"(&)", "character 3: '(' is expected"},
        {"(!)", "character 3: '(' is expected"},
        {"(&(a=b)", "character 8: '(' or ')' is expected"},
        {"(&a=b)", "character 3: '(' is expected"},
        {"(!(a=b)(c=d))", "character 8: ')' is missing: '!' takes one filter"},
        {"(cn=(x)", "character 5: '(' must be written \\28 in a value"},
        {"(cn=\\)", "character 5: two hex digits are expected after \\"},
        {"(cn=\\2)", "character 5: two hex digits are expected after \\"},
        {"(cn=\\2g)", "character 5: two hex digits are expected after \\"},
        {"(cn=a**b)", "character 6: two '*' in a row"},
        {"(cn>=a*)", "character 7: '*' must be written \\2a here"},
        {"(cn:=a*)", "character 7: '*' must be written \\2a here"},
        {"(cn>x)", "character 5: '=' is expected"},
        {"(cn;=x)", "character 5: an attribute name is expected"},
        {"(cn:x=y)", "character 6: ':=' is expected"},
        {"(cn:1.2:3.4:=y)", "character 9: a matching rule is expected"},
        {"(:=x)", "character 4: an attribute name or a matching rule is expected"},
        {"(:dn:=x)", "character 7: an attribute name or a matching rule is expected"},
        {"(cn::=x)", "character 5: a matching rule is expected"},
        {"(cn=caf\xe9)", "the filter is not UTF-8"},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct err e;
        assert_int_equal(filter_check(str_from(cases[i].filter), &e), ERR_INPUT);
        assert_string_equal(e.message, cases[i].message);
    }
    struct err e;
    assert_int_equal(filter_check((struct str){"(cn=a\0b)", 8}, &e), ERR_INPUT);
    assert_int_equal(filter_check((struct str){NULL, 0}, &e), ERR_INPUT);
}

static void depth(void **state)
{
    for (unsigned n = 0; n < 100000; n = n < 70 ? n + 1 : n * 10) {
        struct buf b = buf_new(1 << 20);
        struct err e;
        for (unsigned i = 0; i < n; i++) buf_add_str(&b, i % 2 ? STR("(!") : STR("(&"));
        buf_add_str(&b, STR("(a=b)"));
        for (unsigned i = 0; i < n; i++) buf_add_byte(&b, ')');
        assert_int_equal(filter_check(buf_str(&b), &e), n <= 64 ? 0 : ERR_INPUT);
        buf_free(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(escapes), cmocka_unit_test(no_value_breaks_out),
        cmocka_unit_test(accepts), cmocka_unit_test(refuses),
        cmocka_unit_test(depth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
