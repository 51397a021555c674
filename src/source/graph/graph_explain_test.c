#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/buf.h"
#include "source/graph/graph_explain.h"

/* clang-format off */
#define INNER "\"innerError\":{\"date\":\"2024-02-20T10:10:57\",\"request-id\":\"00000000-0000-0000-0000-000000000000\"," \
              "\"client-request-id\":\"00000000-0000-0000-0000-000000000000\"}"
#define BODY(code, message) "{\"error\":{\"code\":\"" code "\",\"message\":\"" message "\"," INNER "}}"

/* Bodies as the service sent them (Microsoft's pages, issue threads), identifiers zeroed. */
static const struct {
    const char *name;
    long status;
    const char *body;
    enum graph_fault fault;
    enum err_class class;
    const char *says, *hints; /* within message and hint */
} cases[] = {
    {"permission", 403, BODY("Authorization_RequestDenied", "Insufficient privileges to complete the operation."),
     GRAPH_FAULT_DENIED_PERMISSION, ERR_DENIED,
     "members: the application lacks a permission: GroupMember.Read.All or Directory.Read.All (HTTP 403, Authorization_RequestDenied, "
     "request 11-22)",
     "grant GroupMember.Read.All or Directory.Read.All (application permission)"},
    {"permission of the reports", 403,
     BODY("Authentication_MSGraphPermissionMissing", "Calling principal does not have required MSGraph permissions AuditLog.Read.All"),
     GRAPH_FAULT_DENIED_PERMISSION, ERR_DENIED, "lacks a permission of the reports service", "admin consent"},
    {"permission of the audit log", 403,
     BODY("Authentication_ApplicationHasNoReadAuditLogDataAccess", "Application missing MSGraph API 'Read all audit log data' permission"),
     GRAPH_FAULT_DENIED_PERMISSION, ERR_DENIED, "may not read audit log data", "AuditLog.Read.All"},
    {"permission of role management, wrapped", 403,
     BODY("UnknownError", "{\\\"errorCode\\\":\\\"PermissionScopeNotGranted\\\",\\\"message\\\":\\\"Authorization failed due to missing "
                          "permission scope RoleEligibilitySchedule.Read.Directory.\\\",\\\"instanceAnnotations\\\":[]}"),
     GRAPH_FAULT_DENIED_PERMISSION, ERR_DENIED, "lacks a permission of the role management service", "admin consent"},
    {"licence", 403,
     BODY("Authentication_RequestFromNonPremiumTenantOrB2CTenant", "Neither tenant is B2C or tenant doesn't have premium license"),
     GRAPH_FAULT_DENIED_LICENCE, ERR_DENIED, "the tenant has no Entra ID P1 or P2 licence, or is a B2C tenant (HTTP 403",
     "Directory.Read.All"},
    {"licence of role management, at status 400", 400,
     BODY("AadPremiumLicenseRequired", "The tenant needs to have Microsoft Entra ID P2 or Microsoft Entra ID Governance license."),
     GRAPH_FAULT_DENIED_LICENCE, ERR_DENIED, "no Entra ID P2 or Governance licence", "nothing is missing"},
    {"page token", 400,
     BODY("Directory_ExpiredPageToken", "The specified page token value has expired and can no longer be included in your request."),
     GRAPH_FAULT_RESTART_COLLECTION, ERR_COOKIE, "the page token has expired between two pages", "from its first page"},
    {"resource", 404,
     BODY("Request_ResourceNotFound", "Resource '62375ab9-6b52-47ed-826b-58e47e0e304c' does not exist or one of its queried "
                                      "reference-property objects are not present."),
     GRAPH_FAULT_NOT_FOUND, ERR_NOTFOUND, "does not exist any more", "deleted while the run was under way"},
    {"sorting", 400, BODY("Request_UnsupportedQuery", "Unsupported sort property 'createdDateTime' for 'User'."), GRAPH_FAULT_UNSUPPORTED,
     ERR_PROTO, "does not sort by this property without an advanced query: \"Unsupported sort property 'createdDateTime' for 'User'.\"",
     "incremental: delta"},
    {"search", 400,
     BODY("Request_UnsupportedQuery", "Request with $search query parameter only works through MSGraph with a special request header: "
                                      "'ConsistencyLevel: eventual'"),
     GRAPH_FAULT_UNSUPPORTED, ERR_PROTO, "wants the header ConsistencyLevel", "proxy"},
    {"query", 400, BODY("Request_UnsupportedQuery", "Unsupported Query."), GRAPH_FAULT_UNSUPPORTED, ERR_PROTO,
     "does not support this query: \"Unsupported Query.\"", "B2C"},
    {"filter", 400, BODY("Request_UnsupportedQuery", "The request uses a filter property that is not indexed"), GRAPH_FAULT_UNSUPPORTED,
     ERR_PROTO, "cannot filter by this property", "delta"},
    {"count", 400, BODY("Request_BadRequest", "$count is not currently supported."), GRAPH_FAULT_UNSUPPORTED, ERR_PROTO,
     "does not count here", "ConsistencyLevel"},
    {"page size", 400, BODY("Request_BadRequest", "Invalid page size specified: '1000'. Must be between 1 and 999 inclusive."),
     GRAPH_FAULT_PAGE_TOO_LARGE, ERR_PROTO, "fewer objects a page", "smaller pages"},
    {"page size of sign-ins, wrapped", 400,
     BODY("UnknownError", "{\\\"@odata.context\\\":\\\"http://reportingservice.activedirectory.windowsazure.com/auditLogs/"
                          "$metadata#Edm.String\\\",\\\"value\\\":\\\"Cannot query data for more than 120 users at a time.\\\"}"),
     GRAPH_FAULT_PAGE_TOO_LARGE, ERR_PROTO, "fewer users a page: \"Cannot query data for more than 120 users at a time.\"", "smaller"},
    {"delta of sign-ins", 400,
     BODY("BadRequest", "Invalid request for delta query: for this entity set, $expand/$select is not supported for the following "
                        "properties: signInActivity"),
     GRAPH_FAULT_UNSUPPORTED, ERR_PROTO, "a delta query does not give one of these properties", "read apart"},
    {"property of a sovereign cloud", 400,
     BODY("BadRequest", "Could not find a property named 'signInActivity' on type 'microsoft.graph.user'."), GRAPH_FAULT_UNSUPPORTED,
     ERR_PROTO, "does not know one of the properties", "sovereign"},
    {"collection of a sovereign cloud", 400, BODY("BadRequest", "Resource not found for the segment 'authentication'."),
     GRAPH_FAULT_UNSUPPORTED, ERR_PROTO, "does not have this collection", "sovereign"},
    {"bad request", 400, BODY("Request_BadRequest", "A value without a type name was found."), GRAPH_FAULT_FATAL, ERR_PROTO,
     "does not accept the request: \"A value without a type name was found.\" (HTTP 400, Request_BadRequest", "request id"},
    {"delta state", 410,
     "{\"error\":{\"code\":\"SyncStateNotFound\",\"message\":\"The sync state generation is not found; "
     "generation=149;[highest=157][157][155][156].\",\"innerError\":{\"request-id\":\"1\",\"date\":null}}}",
     GRAPH_FAULT_RESYNC, ERR_COOKIE, "no longer knows the state of the stored delta link", "full read"},
    {"delta state at 400", 400, BODY("syncStateNotFound", "x"), GRAPH_FAULT_RESYNC, ERR_COOKIE, "no longer knows", "full read"},
    {"resync", 404, BODY("resyncRequired", "Resync required."), GRAPH_FAULT_RESYNC, ERR_COOKIE, "demands a full read", "seven days"},
    {"resync inside", 410,
     "{\"error\":{\"code\":\"gone\",\"message\":\"x\",\"innerError\":{\"code\":\"resyncChangesApplyDifferences\"}}}", GRAPH_FAULT_RESYNC,
     ERR_COOKIE, "demands a full read", "seven days"},
    {"410 without a body", 410, "", GRAPH_FAULT_RESYNC, ERR_COOKIE, "the stored delta link has expired (HTTP 410", "seven days"},
    {"410 with a page", 410, "<html>Gone</html>", GRAPH_FAULT_RESYNC, ERR_COOKIE, "delta link has expired", "seven days"},
    {"expired token, a", 401, BODY("InvalidAuthenticationToken", "Access token has expired or is not yet valid."),
     GRAPH_FAULT_RENEW_TOKEN, ERR_AUTH, "the token has expired, or is not valid yet", "clock"},
    {"expired token, b", 401, BODY("InvalidAuthenticationToken", "Lifetime validation failed, the token is expired."),
     GRAPH_FAULT_RENEW_TOKEN, ERR_AUTH, "the token's lifetime is over", "policy"},
    {"audience", 401, BODY("InvalidAuthenticationToken", "Access token validation failure. Invalid audience."), GRAPH_FAULT_FATAL, ERR_AUTH,
     "the token is for another service than this Graph", "graph_url"},
    {"no token", 401, BODY("InvalidAuthenticationToken", "Access token is empty."), GRAPH_FAULT_FATAL, ERR_AUTH, "no token arrived",
     "proxy"},
    {"401 in a batch", 401, "{\"error\":{\"code\":\"Forbidden\",\"message\":\"...\"}}", GRAPH_FAULT_RENEW_TOKEN, ERR_AUTH,
     "does not accept the token", "cloud"},
    {"401 of a gateway", 401, "", GRAPH_FAULT_RENEW_TOKEN, ERR_AUTH, "does not accept the token (HTTP 401, request 11-22)", "cloud"},
    {"service principal", 401,
     BODY("Authorization_IdentityNotFound", "The identity of the calling application could not be established."), GRAPH_FAULT_FATAL,
     ERR_AUTH, "no service principal in this tenant", "consent"},
    {"quota", 429,
     BODY("TooManyRequests", "Too many requests from Identifier:<id> under category:aadgraph.app.tenant_large. Please try again later."),
     GRAPH_FAULT_RETRY, ERR_LIMIT, "the directory's quota for this application is used up: \"Too many requests from Identifier", "parallel"},
    {"throttled", 429,
     "{\"error\":{\"code\":\"TooManyRequests\",\"innerError\":{\"code\":\"429\",\"date\":\"2020-08-18T12:51:51\",\"message\":\"Please "
     "retry after\",\"request-id\":\"94fb3b52-452a-4535-a601-69e0a90e3aa2\",\"status\":\"429\"},\"message\":\"Please retry again "
     "later.\"}}",
     GRAPH_FAULT_RETRY, ERR_LIMIT, "too many requests (HTTP 429, TooManyRequests", "parallel"},
    {"throttled reports", 429,
     BODY("UnknownError", "This request is throttled. Please try again after the value specified in the Retry-After header. CorrelationId: "
                          "00000000-0000-0000-0000-000000000000"),
     GRAPH_FAULT_RETRY, ERR_LIMIT, "the reports service is throttling", "shares the quota"},
    {"throttled, a page", 429, "<html></html>", GRAPH_FAULT_RETRY, ERR_LIMIT, "too many requests (HTTP 429, request", "parallel"},
    {"not implemented", 501,
     "{\"error\":{\"code\":\"NotImplemented\",\"message\":\"This operation target is not yet supported.\",\"innerError\":{\"request-id\":"
     "\"...\",\"date\":\"2019-09-20T21:47:50\"}}}",
     GRAPH_FAULT_UNSUPPORTED, ERR_PROTO, "has not implemented this: \"This operation target", "fewer properties"},
    {"500", 500, BODY("InternalServerError", "An internal server error occurred."), GRAPH_FAULT_RETRY, ERR_NET, "internal error: \"An int",
     "by itself"},
    {"500, code empty", 500, "{\"error\":{\"code\":\"\",\"message\":\"\"}}", GRAPH_FAULT_RETRY, ERR_NET, "internal error (HTTP 500, request",
     "by itself"},
    {"502", 502, "<html><head><title>502 Bad Gateway</title></head></html>", GRAPH_FAULT_RETRY, ERR_NET, "gateway of the service got", "itself"},
    {"503", 503, BODY("ServiceNotAvailable", "busy"), GRAPH_FAULT_RETRY, ERR_NET, "not available for the moment", "itself"},
    {"504", 504, "", GRAPH_FAULT_RETRY, ERR_NET, "waited in vain", "itself"},
    {"509", 509, "", GRAPH_FAULT_RETRY, ERR_NET, "bandwidth", "itself"},
    {"599", 599, "", GRAPH_FAULT_RETRY, ERR_NET, "broken for the moment", "itself"},
    {"replica", 503, BODY("Directory_ReplicaUnavailable", "x"), GRAPH_FAULT_RETRY, ERR_NET, "replica is not available", "itself"},
    {"403, code empty", 403, "{\"error\":{\"code\":\"\",\"message\":\"\"}}", GRAPH_FAULT_DENIED_PERMISSION, ERR_DENIED,
     "may not read this: GroupMember.Read.All", "GroupMember.Read.All"},
    {"403, code null", 403, "{\"error\":{\"code\":null,\"message\":null}}", GRAPH_FAULT_DENIED_PERMISSION, ERR_DENIED, "may not read this",
     "grant"},
    {"403 of a proxy", 403, "<html>Blocked by Zscaler</html>", GRAPH_FAULT_FATAL, ERR_PROTO, "somebody else than Microsoft Graph", "proxy"},
    {"403 of a proxy that talks of licences", 403, "<html>premium license</html>", GRAPH_FAULT_FATAL, ERR_PROTO, "somebody else", "proxy"},
    {"404 of a proxy", 404, "<html>Not here</html>", GRAPH_FAULT_FATAL, ERR_PROTO, "somebody else", "graph_url"},
    {"404 without a body", 404, "", GRAPH_FAULT_FATAL, ERR_PROTO, "somebody else", "graph_url"},
    {"404 of another JSON", 404, "{\"message\":\"no route\"}", GRAPH_FAULT_FATAL, ERR_PROTO, "somebody else", "graph_url"},
    {"407", 407, "<html>", GRAPH_FAULT_FATAL, ERR_NET, "wants credentials", "without a proxy"},
    {"414", 414, "", GRAPH_FAULT_FATAL, ERR_PROTO, "address too long", "proxy"},
    {"418", 418, BODY("Teapot", "short and stout"), GRAPH_FAULT_FATAL, ERR_PROTO, "does not accept the request: \"short and stout\"", "request id"},
    {"redirect", 302, "", GRAPH_FAULT_FATAL, ERR_PROTO, "redirect, which is not followed", "graph_url"},
    {"200", 200, "<html>", GRAPH_FAULT_FATAL, ERR_PROTO, "makes no sense", "graph_url"},
    {"0", 0, "", GRAPH_FAULT_FATAL, ERR_PROTO, "makes no sense", "graph_url"},
    {"the error itself", 403, "{\"code\":\"Authorization_RequestDenied\",\"message\":\"no\",\"innererror\":{\"@odata.type\":\"x\"}}",
     GRAPH_FAULT_DENIED_PERMISSION, ERR_DENIED, "lacks a permission", "grant"},
    {"neither code nor message", 400, "{\"error\":{\"@odata.type\":\"odata.error\"}}", GRAPH_FAULT_FATAL, ERR_PROTO,
     "does not accept the request (HTTP 400, request", "request id"},
    {"fragment overlap", 400,
     "{\"error\":{\"code\":\"invalidRange\",\"message\":\"Uploaded fragment overlaps with existing data.\",\"innerError\":{\"requestId\":"
     "\"request-id\",\"date\":\"date-time\"}}}",
     GRAPH_FAULT_FATAL, ERR_PROTO, "\"Uploaded fragment overlaps with existing data.\" (HTTP 400, invalidRange", "request id"},
};
/* clang-format on */

static int explain(struct err *e, long status, struct bytes body, const char *permissions)
{
    *e = (struct err){0};
    return graph_explain(e, status, body, STR("11-22"), "members", permissions);
}

static void test_answers(void **state)
{
    (void)state;
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct err e;
        struct bytes body = bytes_of(str_from(cases[i].body));
        int rc = explain(&e, cases[i].status, body, "GroupMember.Read.All or Directory.Read.All");
        enum graph_fault fault = graph_fault_of(cases[i].status, body);
        if (fault != cases[i].fault)
            fail_msg("%s: %s, not %s", cases[i].name, graph_fault_name(fault),
                     graph_fault_name(cases[i].fault));
        if (rc != (int)cases[i].class || e.class != cases[i].class)
            fail_msg("%s: class %d", cases[i].name, rc);
        if (!strstr(e.message, cases[i].says))
            fail_msg("%s: '%s' is not in '%s'", cases[i].name, cases[i].says, e.message);
        if (!strstr(e.hint, cases[i].hints))
            fail_msg("%s: '%s' is not in '%s'", cases[i].name, cases[i].hints, e.hint);
        if (strncmp(e.message, "members: ", 9) != 0)
            fail_msg("%s: no step in front: %s", cases[i].name, e.message);
        assert_int_equal(e.domain, DOM_HTTP);
        assert_int_equal(e.code, cases[i].status);
    }
}

/* Every body that the service is known to send has a sentence of its own: no two read the same. */
static void test_sentences_differ(void **state)
{
    static const char *const same[][2] = {{"delta state", "delta state at 400"},
                                          {"resync", "resync inside"},
                                          {"410 without a body", "410 with a page"},
                                          {"401 in a batch", "401 of a gateway"},
                                          {"throttled", "throttled, a page"},
                                          {"500", "500, code empty"},
                                          {"403, code empty", "403, code null"},
                                          {"permission", "the error itself"},
                                          {"503", "replica"}};
    (void)state;
    for (size_t i = 0; i < n_elements(cases); i++)
        for (size_t j = i + 1; j < n_elements(cases); j++) {
            struct err a, b;
            bool may = cases[i].fault == GRAPH_FAULT_FATAL || cases[j].fault == GRAPH_FAULT_FATAL;
            for (size_t k = 0; k < n_elements(same); k++)
                may |= strcmp(cases[i].name, same[k][0]) == 0 && strcmp(cases[j].name, same[k][1]) == 0;
            explain(&a, cases[i].status, bytes_of(str_from(cases[i].body)), NULL);
            explain(&b, cases[j].status, bytes_of(str_from(cases[j].body)), NULL);
            *strpbrk(a.message, "(\"") = *strpbrk(b.message, "(\"") = 0;
            if (!may && strcmp(a.message, b.message) == 0)
                fail_msg("%s and %s: %s", cases[i].name, cases[j].name, a.message);
        }
}

static void test_without_known_permissions(void **state)
{
    struct err e;
    (void)state;
    explain(
        &e, 403,
        bytes_of(STR(BODY("Authentication_MSGraphPermissionMissing",
                          "Calling principal does not have required MSGraph permissions AuditLog.Read.All"))),
        NULL);
    assert_non_null(strstr(e.message, "permissions AuditLog.Read.All\""));
    assert_non_null(strstr(e.hint, "grant the application permission"));
}

/* The inmost code that is known decides; one that is not known does not hide those around it. */
static void test_nesting(void **state)
{
    struct buf b = buf_new(65536);
    struct graph_failure f;
    (void)state;
    buf_printf(&b, "{\"error\":{\"code\":\"Request_BadRequest\",\"message\":\"m\",\"innerError\":{\"code\":"
                   "\"resyncRequired\","
                   "\"innerError\":{\"code\":\"who knows\"}}}}");
    graph_failure_read(&f, 400, buf_bytes(&b));
    assert_int_equal(f.fault, GRAPH_FAULT_RESYNC);
    assert_string_equal(f.code, "resyncRequired");
    buf_clear(&b);
    buf_printf(&b, "{\"error\":{\"code\":\"outer\"");
    for (size_t i = 0; i < 500; i++) buf_printf(&b, ",\"innerError\":{\"code\":\"c%zu\"", i);
    for (size_t i = 0; i < 502; i++) buf_printf(&b, "}");
    graph_failure_read(&f, 400, buf_bytes(&b));
    assert_int_equal(f.fault, GRAPH_FAULT_FATAL);
    assert_string_equal(f.code, "outer");
    buf_free(&b);
}

static void test_words_are_harmless(void **state)
{
    static const char body[] = "{\"error\":{\"code\":\"A\\u001b[2J\",\"message\":\"\\n\\n \\u001b[31mred "
                               "\\u202eevil\\u200b \\u0085x\\nsecond\"}}";
    struct err e;
    (void)state;
    explain(&e, 400, bytes_of(STR(body)), NULL);
    for (const char *c = e.message; *c; c++) assert_true((uint8_t)*c >= 0x20 && *c != 0x7f);
    assert_null(strstr(e.message, "\xe2\x80"));
    assert_null(strstr(e.message, "second"));
    assert_non_null(strstr(e.message, "red"));
    assert_true(str_is_utf8(str_from(e.message)));
    graph_explain(&e, 400, bytes_of(STR("{}")), STR("a\x1b]0;x\x07"), "users", NULL);
    for (const char *c = e.message; *c; c++) assert_true((uint8_t)*c >= 0x20 && *c != 0x7f);
}

static void test_sizes(void **state)
{
    struct buf b = buf_new(1 << 20);
    struct err e;
    (void)state;
    buf_printf(&b, "{\"error\":{\"code\":\"");
    for (size_t i = 0; i < 5000; i++) buf_printf(&b, "C");
    buf_printf(&b, "\",\"message\":\"");
    for (size_t i = 0; i < 20000; i++) buf_printf(&b, "\xc3\xa4");
    buf_printf(&b, "\"}}");
    assert_int_equal(explain(&e, 400, buf_bytes(&b), NULL), ERR_PROTO);
    assert_true(str_is_utf8(str_from(e.message)));
    assert_non_null(strstr(e.message, "request 11-22)"));
    for (size_t i = 0; i < 70000; i++) buf_printf(&b, " ");
    assert_int_equal(explain(&e, 429, buf_bytes(&b), NULL), ERR_LIMIT);
    assert_int_equal(graph_fault_of(403, buf_bytes(&b)), GRAPH_FAULT_FATAL);
    buf_free(&b);
}

/* No status and no body makes it crash or stay silent. */
static void test_all_statuses(void **state)
{
    static const char *const bodies[] = {"",
                                         "{",
                                         "[]",
                                         "null",
                                         "\"x\"",
                                         "{\"error\":[]}",
                                         "{\"error\":\"invalid_client\"}",
                                         "{\"error\":{\"code\":{},\"message\":[]}}",
                                         "{\"error\":{\"code\":7,\"innerError\":\"x\"}}",
                                         "{\"error\":{\"code\":\"x\",\"message\":\"{\"}}",
                                         "{\"error\":{\"message\":\"{\\\"value\\\":3}\"}}"};
    (void)state;
    for (long status = -1; status < 700; status++)
        for (size_t i = 0; i < n_elements(bodies); i++) {
            struct err e;
            assert_true(explain(&e, status, bytes_of(str_from(bodies[i])), NULL) < 0);
            assert_true(strlen(e.message) > 20 && strlen(e.hint) > 10);
            enum graph_fault fault = graph_fault_of(status, bytes_of(str_from(bodies[i])));
            if ((fault == GRAPH_FAULT_RETRY) !=
                (status == 408 || status == 429 || (status >= 500 && status < 600 && status != 501)))
                fail_msg("%ld, %s: %s", status, bodies[i], graph_fault_name(fault));
            assert_true((fault == GRAPH_FAULT_RENEW_TOKEN) == (status == 401));
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_sentences_differ),
        cmocka_unit_test(test_without_known_permissions),
        cmocka_unit_test(test_nesting),
        cmocka_unit_test(test_words_are_harmless),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_all_statuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
