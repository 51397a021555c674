/* The check itself: an event of ours passes, and each way of breaking it is found. */
#include "map/ocsf_check.h"

#include "base/buf.h"
#include "map/sample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct buf event_of(size_t cast, const char *version)
{
    struct err e;
    struct dialect *d;
    struct dialect_options o = {.ocsf_version = str_from(version),
                                .context = {STR("corp"), SAMPLE_NOW, 7, STR("run-7"), "0"}};
    struct buf out = buf_new((size_t)1 << 20);
    struct sample *a = sample_cast(cast);
    assert_int_equal(dialect_open(&d, STR("ocsf"), &o, &e), 0);
    assert_int_equal(dialect_entity(d, &a->s, &out, &e), 0);
    buf_cstr(&out);
    sample_free(a);
    dialect_close(d);
    return out;
}

struct broken {
    const char *from, *to, *finding;
};

static const struct broken ways[] = {
    {"\"time\":1767225600000", "\"time\":1767225600", "time: a time that is not in milliseconds"},
    {"\"time\":1767225600000", "\"time\":1767225600000.5", "time: no integer"},
    {"\"time\":1767225600000,", "", "lacks time"},
    {"\"class_uid\":5003", "\"class_uid\":5004", "not a class we use"},
    {"\"type_uid\":500302", "\"type_uid\":500301", "type_uid: is not class_uid"},
    {"\"activity_id\":2", "\"activity_id\":42", "activity_id: no such value"},
    {"\"activity_name\":\"Collect\"", "\"activity_name\":\"collect\"", "caption differs"},
    {"\"severity_id\":1", "\"severity_id\":0", "severity_id: caption differs"},
    {"\"version\":\"1.8.0\"", "\"version\":\"1.6.0\"", "metadata.version: is not 1.8.0"},
    {"\"vendor_name\"", "\"vendor\"", "metadata.product.vendor: not an attribute here"},
    {"\"email_addr\":\"Alice.Liddell@corp.example\"", "\"email_addr\":\"Alice\"", "no e-mail address: Alice"},
    {"\"type_id\":19", "\"type_id\":20", "user.account.type_id: no such value"},
    {"\"is_disabled\":false", "\"is_disabled\":\"false\"", "user.account.is_disabled: no boolean"},
    {"\"is_disabled\":false", "\"is_disabled\":null", "null"},
    {"\"labels\":[\"employee\"]", "\"labels\":[]", "user.ldap_person.labels: no array, or empty"},
    {"\"labels\":[\"employee\"]", "\"labels\":\"employee\"", "user.ldap_person.labels: no array, or empty"},
    {"\"city\":\"Oxford\"", "\"city\":\"\"", "city: empty string"},
    {"\"city\":\"Oxford\"", "\"city\":\"Unknown\"", "city: a placeholder"},
    {"\"city\":\"Oxford\"", "\"city\":7", "city: no string"},
    {"\"org\":{\"name\":\"Wonderland Ltd\",", "\"org\":{", "user.org: none of the attributes"},
    {"\"value\":\"status\",", "", "enrichments: lacks value"},
    {"\"name\":\"aliddell\"", "\"name\":\"aliddell\",\"name\":\"again\"", "event: no JSON object"},
    {"{\"time\"", "[\"time\"", "event: no JSON object"},
};

static void breakage_is_found(void **state)
{
    char found[4096];
    struct buf good = event_of(0, "1.8.0");
    assert_int_equal(ocsf_check_event(buf_str(&good), "1.8.0", found, sizeof found), 0);
    for (size_t i = 0; i < n_elements(ways); i++) {
        struct buf bad = buf_new((size_t)1 << 20);
        const char *text = (const char *)good.ptr, *at = strstr(text, ways[i].from);
        if (!at) fail_msg("%s is not in the event", ways[i].from);
        buf_add(&bad, text, (size_t)(at - text));
        buf_add_str(&bad, str_from(ways[i].to));
        buf_add_str(&bad, str_from(at + strlen(ways[i].from)));
        if (!ocsf_check_event(buf_str(&bad), "1.8.0", found, sizeof found))
            fail_msg("not found: %s", ways[i].to);
        if (!strstr(found, ways[i].finding)) fail_msg("%s, for %s", found, ways[i].to);
        buf_free(&bad);
    }
    buf_free(&good);
}

/* An event of a later version is no event of an earlier one: what is new is unknown there. */
static void versions_differ(void **state)
{
    char found[4096];
    struct buf b = event_of(0, "1.8.0");
    assert_true(ocsf_check_event(buf_str(&b), "1.6.0", found, sizeof found) > 0);
    assert_non_null(strstr(found, "user.account.is_disabled: not an attribute here"));
    assert_non_null(strstr(found, "user.ldap_person.department: not an attribute here"));
    assert_true(ocsf_check_event(buf_str(&b), "1.1.0", found, sizeof found) > 0);
    assert_non_null(strstr(found, "user.display_name: not an attribute here"));
    assert_true(ocsf_check_event(buf_str(&b), "9.9.9", found, sizeof found) > 0);
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(breakage_is_found),
                                       cmocka_unit_test(versions_differ)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
