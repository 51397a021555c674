#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "net/ranges.h"

#include <arpa/inet.h>
#include <netinet/in.h>

static const struct sockaddr *address(const char *text)
{
    static struct sockaddr_in v4;
    static struct sockaddr_in6 v6;
    v4 = (struct sockaddr_in){.sin_family = AF_INET};
    v6 = (struct sockaddr_in6){.sin6_family = AF_INET6};
    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1) return (const struct sockaddr *)&v4;
    assert_int_equal(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
    return (const struct sockaddr *)&v6;
}

static void test_public(void **state)
{
    static const char *const outside[] = {"8.8.8.8", "1.1.1.1", "172.15.255.255", "172.32.0.1", "192.167.255.255", "100.63.255.255", "100.128.0.1", "198.17.0.1", "223.255.255.255",
                                          "2606:4700::1111", "2a00:1450::1", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1", "2001:200::1"};
    static const char *const inside[] = {"0.0.0.0",     "10.1.2.3",   "100.64.0.1",  "127.0.0.1",     "127.255.255.255", "169.254.169.254",  "172.16.0.1",      "172.31.255.255",
                                         "192.0.0.8",   "192.0.2.1",  "192.168.1.1", "198.18.0.1",    "198.51.100.7",    "203.0.113.9",      "224.0.0.1",       "255.255.255.255",
                                         "::",          "::1",        "fc00::1",     "fd12:3456::1",  "fe80::1",         "fec0::1",          "ff02::1",         "2001:db8::1",
                                         "2001::1",     "3fff::1",    "100::1",      "::ffff:10.0.0.1", "::ffff:127.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b:1::1",    "2002:a00:1::1",
                                         "2002:7f00:1::", "::127.0.0.1", "4000::1"};
    for (size_t i = 0; i < n_elements(outside); i++)
        if (!address_is_public(address(outside[i]))) fail_msg("%s is public", outside[i]);
    for (size_t i = 0; i < n_elements(inside); i++)
        if (address_is_public(address(inside[i]))) fail_msg("%s is not public", inside[i]);
    struct sockaddr other = {.sa_family = AF_UNIX};
    assert_false(address_is_public(&other));
}

static void test_metadata(void **state)
{
    static const char *const services[] = {"169.254.169.254", "::ffff:169.254.169.254", "169.254.170.2", "100.100.100.200", "168.63.129.16", "fd00:ec2::254"};
    for (size_t i = 0; i < n_elements(services); i++)
        if (!address_is_metadata(address(services[i]))) fail_msg("%s is a metadata service", services[i]);
    assert_false(address_is_metadata(address("169.254.1.1")));
    assert_false(address_is_metadata(address("fd00::1")));
}

static void test_ranges(void **state)
{
    static const struct {
        const char *range, *address;
        bool has;
    } cases[] = {{"10.0.0.0/8", "10.255.0.1", true},  {"10.0.0.0/8", "11.0.0.1", false},   {"127.0.0.1", "127.0.0.1", true},  {"127.0.0.1", "127.0.0.2", false},
                 {"10.0.0.0/9", "10.127.1.1", true},  {"10.0.0.0/9", "10.128.0.1", false}, {"0.0.0.0/0", "8.8.8.8", true},    {"0.0.0.0/0", "fd00::1", false},
                 {"fd00::/8", "fdab::1", true},       {"fd00::/8", "fe00::1", false},      {"::1", "::1", true},              {"10.0.0.0/8", "::ffff:10.1.1.1", true}};
    static const char *const wrong[] = {"", "x", "10.0.0", "10.0.0.0/33", "10.0.0.1/8", "10.0.0.0/", "10.0.0.0/8x", "10.0.0.0/-1", "10.0.0.0/ 8", "fd00::/129", "fd00::1/8", "localhost", "1.2.3.4/8/8",
                                        "10.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0/8"};
    struct address_range r;
    struct err e;
    for (size_t i = 0; i < n_elements(cases); i++) {
        assert_int_equal(address_range_parse(&r, cases[i].range, &e), 0);
        if (address_range_has(&r, address(cases[i].address)) != cases[i].has) fail_msg("%s and %s", cases[i].range, cases[i].address);
    }
    for (size_t i = 0; i < n_elements(wrong); i++)
        if (address_range_parse(&r, wrong[i], &e) != ERR_INPUT) fail_msg("'%s' was taken", wrong[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_public), cmocka_unit_test(test_metadata), cmocka_unit_test(test_ranges)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
