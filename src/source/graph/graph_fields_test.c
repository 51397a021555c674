#include "source/graph/graph_fields.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/when.h"
#include "model/sid.h"

#include <stdio.h>
#include <stdlib.h>

/* --- a record as text: "displayName=Eve; proxyAddresses=a|b; / lastUpdatedDateTime=...; " ---------------- */

static void print_value(struct buf *out, struct values *v, bool is_first)
{
    struct bytes bytes;
    int64_t number;
    char text[SID_TEXT], when[WHEN_TEXT];
    if (!is_first) buf_add_byte(out, '|');
    if (v->type == ATTR_BOOL || v->type == ATTR_TIME) {
        assert_true(values_next_int(v, &number));
        buf_add_str(out, v->type == ATTR_TIME ? str_from(when_format(when, number)) : number ? STR("yes") : STR("no"));
    } else {
        assert_true(values_next_bytes(v, &bytes));
        buf_add_str(out, v->type == ATTR_SID ? str_from(sid_format_bytes(text, bytes)) : str_of(bytes));
    }
}

/* Asserts the order of record.h as it goes: attributes ascend, each in its body, values ascend and are of one type. */
static void print_body(struct buf *out, struct bytes body, bool is_stats)
{
    struct cursor c = cursor_new(body);
    struct values v;
    enum attr last = ATTR_NONE;
    while (body_next(&c, &v)) {
        assert_true(v.id > last);
        assert_int_equal(v.is_stat, is_stats);
        assert_true(v.n == 1 || (v.is_multi && v.n > 1));
        last = v.id;
        buf_printf(out, "%.*s=", STR_FMT(v.name));
        for (bool is_first = true; v.n; is_first = false) print_value(out, &v, is_first);
        assert_int_equal(v.at.in.len, 0);
        buf_add_str(out, STR("; "));
    }
    assert_false(c.failed);
}

static void print_record(struct buf *out, const struct record *r)
{
    print_body(out, r->state, false);
    if (r->stats.len) buf_add_str(out, STR("/ "));
    print_body(out, r->stats, true);
}

static json_t *parse(const char *text)
{
    json_error_t e;
    json_t *j = json_loads(text, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &e);
    if (!j) fail_msg("%s in %s", e.text, text);
    return j;
}

/* {"details": ..., "methods": ..., "sign_in": ..., "owners": ..., "domains": ..., "scope": "", "assignment": "", "scope_name": ""} */
static struct graph_extra extra_of(const json_t *j)
{
    return (struct graph_extra){.details = json_object_get(j, "details"),
                                .methods = json_object_get(j, "methods"),
                                .sign_in = json_object_get(j, "sign_in"),
                                .owners = json_object_get(j, "owners"),
                                .domains = json_object_get(j, "domains"),
                                .scope = str_from(json_string_value(json_object_get(j, "scope"))),
                                .assignment = str_from(json_string_value(json_object_get(j, "assignment"))),
                                .scope_name = str_from(json_string_value(json_object_get(j, "scope_name")))};
}

#define ID   "87d349ed-44d7-43e1-9a83-5f2406dee5bd"
#define WITH(members) "{\"id\": \"" ID "\", " members "}"

struct sample {
    enum kind kind;
    const char *object, *extra; /* JSON; extra may be NULL */
    const char *printed;        /* state / stats */
    uint64_t n_wrong;
    const char *first_wrong;
};

static void check_sample(struct graph_body *b, const struct sample *s)
{
    json_t *object = parse(s->object), *more = s->extra ? parse(s->extra) : NULL;
    const json_t *parts[] = {object};
    struct graph_extra x = extra_of(more);
    struct record r;
    struct err e;
    struct buf out = buf_new(1 << 20);
    memset(&r, 0xff, sizeof r);
    if (graph_record(&r, b, s->kind, parts, 1, more ? &x : NULL, &e) < 0) fail_msg("%s: %s", s->object, e.message);
    print_record(&out, &r);
    assert_string_equal(buf_cstr(&out), s->printed);
    if (b->n_wrong != s->n_wrong) fail_msg("%s: %s", s->object, b->first_wrong);
    assert_string_equal(b->first_wrong, s->first_wrong ? s->first_wrong : "");
    assert_true(r.kind == s->kind && !r.flags && !r.sd && !r.sid.len && !r.member.n && !r.member_of.n);
    assert_true(r.dn.ptr == b->id && r.dn.len == 36 && memcmp(r.guid, b->guid, GUID_SIZE) == 0);
    buf_free(&out);
    json_decref(object);
    json_decref(more);
}

static void check_samples(const struct sample *samples, size_t n)
{
    struct graph_body b;
    graph_body_init(&b);
    for (size_t i = 0; i < n; i++) check_sample(&b, &samples[i]);
    graph_body_free(&b);
}

/* --- users --------------------------------------------------------------------------------------------- */

static const struct sample users[] = {
    {KIND_user, "{\"id\": \"" ID "\"}", NULL, "", 0, NULL},
    {KIND_user,
     "{\"@odata.type\": \"#microsoft.graph.user\", \"id\": \"87D349ED-44D7-43E1-9A83-5F2406DEE5BD\", \"businessPhones\": [\"8006427676\"],"
     "\"displayName\": \"Adele Vance\", \"givenName\": \"Adele\", \"jobTitle\": \"Retail Manager\", \"mail\": \"AdeleV@contoso.com\","
     "\"mailNickname\": \"AdeleV\", \"mobilePhone\": \"+1 425 555 0109\", \"officeLocation\": \"18/2111\", \"preferredLanguage\": \"en-US\","
     "\"surname\": \"Vance\", \"userPrincipalName\": \"AdeleV@contoso.com\", \"accountEnabled\": true, \"userType\": \"Member\","
     "\"department\": \"Retail\", \"employeeId\": \"0042\", \"employeeType\": \"Employee\", \"companyName\": \"Contoso\","
     "\"createdDateTime\": \"2020-08-10T06:44:09Z\", \"isManagementRestricted\": null, \"externalUserState\": null,"
     "\"creationType\": null, \"otherMails\": [\"adele@fabrikam.com\", \"a.vance@example.org\"],"
     "\"proxyAddresses\": [\"smtp:vance@contoso.com\", \"SMTP:AdeleV@contoso.com\", \"smtp:vance@contoso.com\"],"
     "\"identities\": [{\"signInType\": \"userPrincipalName\", \"issuer\": \"contoso.com\", \"issuerAssignedId\": \"AdeleV@contoso.com\"},"
     "{\"signInType\": \"federated\", \"issuer\": \"google.com\", \"issuerAssignedId\": null},"
     "{\"signInType\": \"emailAddress\", \"issuer\": \"contoso.com\", \"issuerAssignedId\": \"adele@fabrikam.com\"}],"
     "\"lastPasswordChangeDateTime\": \"2024-02-29T23:59:59Z\", \"passwordPolicies\": \"DisablePasswordExpiration\","
     "\"assignedLicenses\": [{\"disabledPlans\": [\"11b0131d-43c8-4bbb-b2c8-e80f9a50834a\"], \"skuId\": \"c7df2760-2c81-4ef7-b578-5b5392b571df\"},"
     "{\"disabledPlans\": [], \"skuId\": \"0c266dff-15dd-4b49-8397-2bb16070ed52\"}],"
     "\"employeeHireDate\": \"1965-03-01T00:00:00Z\", \"securityIdentifier\": \"S-1-12-1-2278771181-1138836695-606044058-3185958406\","
     "\"authorizationInfo\": {\"certificateUserIds\": [\"X509:<PN>adele@contoso.com\"]}, \"city\": \"Lyon\", \"state\": null,"
     "\"country\": \"France\", \"usageLocation\": \"FR\", \"postalCode\": \"69001\", \"streetAddress\": \"1 rue de la R\\u00e9publique\","
     "\"employeeOrgData\": {\"division\": \"West\", \"costCenter\": \"4711\"}, \"onPremisesSyncEnabled\": true,"
     "\"onPremisesLastSyncDateTime\": \"2026-11-20T05:06:07.1234567Z\", \"onPremisesSecurityIdentifier\": \"S-1-5-21-1-2-3-1104\","
     "\"onPremisesImmutableId\": \"3Uo0Qo6bDkS8nBGqY0jzzw==\", \"onPremisesDistinguishedName\": \"CN=Adele Vance,OU=Sales,DC=corp,DC=example\","
     "\"onPremisesDomainName\": \"corp.example\", \"onPremisesSamAccountName\": \"avance\","
     "\"onPremisesUserPrincipalName\": \"AdeleV@contoso.com\","
     "\"manager\": {\"@odata.type\": \"#microsoft.graph.user\", \"id\": \"5BDE3E51-D13B-4DB1-9948-FE4B109D11A7\"}}",
     NULL,
     "displayName=Adele Vance; userPrincipalName=AdeleV@contoso.com; givenName=Adele; mail=AdeleV@contoso.com; mailNickname=AdeleV; "
     "proxyAddresses=SMTP:AdeleV@contoso.com|smtp:vance@contoso.com; department=Retail; postalCode=69001; "
     "streetAddress=1 rue de la R\u00e9publique; employeeType=Employee; manager=5bde3e51-d13b-4db1-9948-fe4b109d11a7; accountEnabled=yes; "
     "userType=Member; jobTitle=Retail Manager; surname=Vance; companyName=Contoso; officeLocation=18/2111; employeeId=0042; "
     "createdDateTime=2020-08-10T06:44:09Z; otherMails=a.vance@example.org|adele@fabrikam.com; "
     "identities=emailAddress contoso.com adele@fabrikam.com|federated google.com -; lastPasswordChangeDateTime=2024-02-29T23:59:59Z; "
     "passwordPolicies=DisablePasswordExpiration; "
     "assignedLicenses=0c266dff-15dd-4b49-8397-2bb16070ed52|c7df2760-2c81-4ef7-b578-5b5392b571df; "
     "employeeHireDate=1965-03-01T00:00:00Z; securityIdentifier=S-1-12-1-2278771181-1138836695-606044058-3185958406; "
     "certificateUserIds=X509:<PN>adele@contoso.com; onPremisesSyncEnabled=yes; onPremisesSecurityIdentifier=S-1-5-21-1-2-3-1104; "
     "onPremisesImmutableId=3Uo0Qo6bDkS8nBGqY0jzzw==; onPremisesDistinguishedName=CN=Adele Vance,OU=Sales,DC=corp,DC=example; "
     "onPremisesDomainName=corp.example; onPremisesSamAccountName=avance; onPremisesUserPrincipalName=AdeleV@contoso.com; "
     "businessPhones=8006427676; mobilePhone=+1 425 555 0109; city=Lyon; country=France; usageLocation=FR; costCenter=4711; "
     "/ onPremisesLastSyncDateTime=2026-11-20T05:06:07.123Z; ",
     0, NULL},
    /* people's names are hostile to nobody but programs */
    {KIND_user, WITH("\"displayName\": \"\\ud83d\\ude80 \\u0007=cmd|'/c'!A1,\\\"\\n\""), NULL, "displayName=\U0001f680 \a=cmd|'/c'!A1,\"\n; ",
     0, NULL},
    {KIND_user, WITH("\"displayName\": \"\", \"businessPhones\": [], \"otherMails\": [\"\"], \"employeeOrgData\": null, \"manager\": null,"
                     "\"authorizationInfo\": {\"certificateUserIds\": []}, \"accountEnabled\": false, \"futureProperty\": {\"a\": [1]}"),
     NULL, "accountEnabled=no; ", 0, NULL},
};

static void users_become_records(void **state)
{
    check_samples(users, n_elements(users));
}

/* --- the other kinds ----------------------------------------------------------------------------------- */

static const struct sample others[] = {
    {KIND_group,
     WITH("\"displayName\": \"HR Taskforce (\\u00c4thiopia)\", \"description\": \"Welcome\", \"mail\": \"HRTaskforce@contoso.com\","
          "\"mailNickname\": \"HRTaskforce\", \"groupTypes\": [\"Unified\", \"DynamicMembership\"], \"securityEnabled\": false,"
          "\"mailEnabled\": true, \"visibility\": \"HiddenMembership\", \"isAssignableToRole\": null, \"membershipRule\": \"user.country -eq \\\"ET\\\"\","
          "\"createdDateTime\": \"2017-07-31T18:56:16Z\", \"renewedDateTime\": \"2017-07-31T18:56:16Z\", \"expirationDateTime\": null,"
          "\"uniqueName\": \"hr\", \"isManagementRestricted\": true, \"proxyAddresses\": [\"SMTP:HRTaskforce@contoso.com\"],"
          "\"onPremisesNetBiosName\": \"CORP\", \"onPremisesDomainName\": \"corp.example\", \"onPremisesSamAccountName\": \"hr\","
          "\"onPremisesSecurityIdentifier\": \"S-1-5-21-1-2-3-1200\", \"securityIdentifier\": \"S-1-12-1-1-2-3-4\","
          "\"resourceProvisioningOptions\": [\"Team\"], \"userPrincipalName\": \"not of a group\""),
     "{\"owners\": [\"5BDE3E51-D13B-4DB1-9948-FE4B109D11A7\", \"11111111-2222-3333-4444-555555555555\", \"5bde3e51-d13b-4db1-9948-fe4b109d11a7\"]}",
     "description=Welcome; displayName=HR Taskforce (\u00c4thiopia); mail=HRTaskforce@contoso.com; mailNickname=HRTaskforce; "
     "proxyAddresses=SMTP:HRTaskforce@contoso.com; createdDateTime=2017-07-31T18:56:16Z; isManagementRestricted=yes; "
     "securityIdentifier=S-1-12-1-1-2-3-4; onPremisesSecurityIdentifier=S-1-5-21-1-2-3-1200; onPremisesDomainName=corp.example; "
     "onPremisesSamAccountName=hr; onPremisesNetBiosName=CORP; groupTypes=DynamicMembership|Unified; securityEnabled=no; mailEnabled=yes; "
     "visibility=HiddenMembership; membershipRule=user.country -eq \"ET\"; renewedDateTime=2017-07-31T18:56:16Z; uniqueName=hr; "
     "owners=11111111-2222-3333-4444-555555555555|5bde3e51-d13b-4db1-9948-fe4b109d11a7; resourceProvisioningOptions=Team; ",
     0, NULL},
    {KIND_group, WITH("\"displayName\": \"x\""), "{\"owners\": []}", "displayName=x; ", 0, NULL},
    {KIND_administrative_unit,
     WITH("\"displayName\": \"Berlin\", \"description\": \"The branch\", \"visibility\": \"Public\", \"isMemberManagementRestricted\": true,"
          "\"membershipType\": \"Dynamic\", \"membershipRule\": \"(user.city -eq \\\"Berlin\\\")\""),
     NULL,
     "description=The branch; displayName=Berlin; visibility=Public; membershipRule=(user.city -eq \"Berlin\"); "
     "isMemberManagementRestricted=yes; membershipType=Dynamic; ",
     0, NULL},
    {KIND_device,
     WITH("\"accountEnabled\": true, \"deviceId\": \"4c299165-6e8f-4b45-a5ba-c5d250a707ff\", \"displayName\": \"LAPTOP-7\","
          "\"operatingSystem\": \"Windows\", \"operatingSystemVersion\": \"10.0.22631.4460\", \"isCompliant\": false, \"isManaged\": true,"
          "\"manufacturer\": \"Contoso\", \"model\": \"X1\", \"profileType\": \"RegisteredDevice\", \"trustType\": \"ServerAd\","
          "\"approximateLastSignInDateTime\": \"2026-11-01T00:00:00Z\", \"registrationDateTime\": \"2025-01-01T00:00:00Z\","
          "\"managementType\": \"MDM\", \"deviceOwnership\": \"Company\", \"onPremisesSyncEnabled\": true,"
          "\"onPremisesSecurityIdentifier\": \"S-1-5-21-1-2-3-1300\""),
     NULL,
     "displayName=LAPTOP-7; operatingSystem=Windows; operatingSystemVersion=10.0.22631.4460; accountEnabled=yes; onPremisesSyncEnabled=yes; "
     "onPremisesSecurityIdentifier=S-1-5-21-1-2-3-1300; deviceId=4c299165-6e8f-4b45-a5ba-c5d250a707ff; deviceOwnership=Company; "
     "isCompliant=no; isManaged=yes; manufacturer=Contoso; model=X1; profileType=RegisteredDevice; trustType=ServerAd; "
     "registrationDateTime=2025-01-01T00:00:00Z; managementType=MDM; / approximateLastSignInDateTime=2026-11-01T00:00:00Z; ",
     0, NULL},
    /* nothing of a credential but which it is and until when */
    {KIND_service_principal,
     WITH("\"accountEnabled\": true, \"appId\": \"65415bb1-9267-4313-bbf5-ae259732ee12\", \"appDisplayName\": \"My app\", \"displayName\": \"My app\","
          "\"appOwnerOrganizationId\": \"f8cdef31-a31e-4b4a-93e4-5f571e91255a\", \"servicePrincipalType\": \"Application\","
          "\"servicePrincipalNames\": [\"65415bb1-9267-4313-bbf5-ae259732ee12\", \"https://my.app\"], \"signInAudience\": \"AzureADMyOrg\","
          "\"tags\": [\"WindowsAzureActiveDirectoryIntegratedApp\"], \"disabledByMicrosoftStatus\": null, \"alternativeNames\": [\"isExplicit=False\"],"
          "\"description\": \"does things\", \"passwordCredentials\": ["
          "{\"keyId\": \"F0B0B335-1D71-4883-8F98-567911BFDCA6\", \"endDateTime\": \"2027-01-01T00:00:00Z\", \"displayName\": \"ci secret\", \"hint\": \"pUd\", \"secretText\": \"pUdSECRET\"},"
          "{\"keyId\": \"00b0b335-1d71-4883-8f98-567911bfdca6\", \"endDateTime\": null, \"displayName\": null}],"
          "\"keyCredentials\": [{\"keyId\": \"a0b0b335-1d71-4883-8f98-567911bfdca6\", \"endDateTime\": \"2026-12-31T23:59:59.5Z\", \"displayName\": \"CN=app\","
          "\"key\": \"MIIB\", \"customKeyIdentifier\": \"T0JQ\", \"type\": \"AsymmetricX509Cert\", \"usage\": \"Verify\"}]"),
     NULL,
     "description=does things; displayName=My app; accountEnabled=yes; appId=65415bb1-9267-4313-bbf5-ae259732ee12; appDisplayName=My app; "
     "appOwnerOrganizationId=f8cdef31-a31e-4b4a-93e4-5f571e91255a; servicePrincipalType=Application; "
     "servicePrincipalNames=65415bb1-9267-4313-bbf5-ae259732ee12|https://my.app; signInAudience=AzureADMyOrg; "
     "tags=WindowsAzureActiveDirectoryIntegratedApp; "
     "passwordCredentials=00b0b335-1d71-4883-8f98-567911bfdca6 -|f0b0b335-1d71-4883-8f98-567911bfdca6 2027-01-01T00:00:00Z ci secret; "
     "keyCredentials=a0b0b335-1d71-4883-8f98-567911bfdca6 2026-12-31T23:59:59.500Z CN=app; alternativeNames=isExplicit=False; ",
     0, NULL},
    {KIND_contact,
     WITH("\"displayName\": \"Elena\", \"givenName\": \"Elena\", \"surname\": \"Q\", \"mail\": \"elena@fabrikam.com\", \"mailNickname\": \"elena\","
          "\"companyName\": \"Fabrikam\", \"department\": \"IT\", \"jobTitle\": \"Engineer\", \"proxyAddresses\": [\"SMTP:elena@fabrikam.com\"],"
          "\"addresses\": [{\"city\": \"Nice\", \"countryOrRegion\": \"France\", \"officeLocation\": \"2/1\", \"postalCode\": \"06000\", \"state\": null, \"street\": \"2 quai\"},"
          "{\"city\": \"never read\"}],"
          "\"phones\": [{\"type\": \"business\", \"number\": \"+33 1\"}, {\"type\": \"mobile\", \"number\": null}, {\"type\": \"mobile\", \"number\": \"+33 6\"},"
          "{\"type\": \"businessFax\", \"number\": \"+33 9\"}], \"manager\": {\"id\": \"5bde3e51-d13b-4db1-9948-fe4b109d11a7\"}, \"onPremisesSyncEnabled\": true"),
     NULL,
     "displayName=Elena; givenName=Elena; mail=elena@fabrikam.com; mailNickname=elena; proxyAddresses=SMTP:elena@fabrikam.com; department=IT; "
     "postalCode=06000; streetAddress=2 quai; manager=5bde3e51-d13b-4db1-9948-fe4b109d11a7; jobTitle=Engineer; surname=Q; "
     "companyName=Fabrikam; officeLocation=2/1; onPremisesSyncEnabled=yes; businessPhones=+33 1; mobilePhone=+33 6; city=Nice; "
     "country=France; ",
     0, NULL},
    {KIND_contact, WITH("\"addresses\": [], \"phones\": [{\"type\": \"other\"}]"), NULL, "", 0, NULL},
    {KIND_tenant,
     WITH("\"displayName\": \"Contoso\", \"tenantType\": \"AAD\", \"city\": \"Redmond\", \"country\": null, \"countryLetterCode\": \"US\", \"street\": \"1 Way\","
          "\"postalCode\": \"98052\", \"state\": \"WA\", \"businessPhones\": [\"8006427676\"], \"createdDateTime\": \"2015-01-01T00:00:00Z\","
          "\"onPremisesSyncEnabled\": true, \"onPremisesLastSyncDateTime\": \"2026-11-21T08:00:00Z\", \"assignedPlans\": ["
          "{\"capabilityStatus\": \"Enabled\", \"service\": \"SharePoint\", \"servicePlanId\": \"5dbe027f-2339-4123-9542-606e4d348a72\"},"
          "{\"capabilityStatus\": \"Enabled\", \"service\": \"SharePoint\"}, {\"capabilityStatus\": \"Deleted\", \"service\": \"exchange\"},"
          "{\"capabilityStatus\": \"Warning\", \"service\": \"AADPremiumService\"}], \"verifiedDomains\": ["
          "{\"name\": \"contoso.onmicrosoft.com\", \"isDefault\": false, \"isInitial\": true, \"type\": \"Managed\"},"
          "{\"name\": \"contoso.com\", \"isDefault\": true, \"isInitial\": false, \"type\": \"Federated\"}]"),
     NULL,
     "displayName=Contoso; postalCode=98052; streetAddress=1 Way; createdDateTime=2015-01-01T00:00:00Z; onPremisesSyncEnabled=yes; "
     "businessPhones=8006427676; city=Redmond; state=WA; verifiedDomains=contoso.com|contoso.onmicrosoft.com; defaultDomain=contoso.com; "
     "tenantType=AAD; assignedPlans=AADPremiumService|SharePoint; federatedDomains=contoso.com; countryLetterCode=US; "
     "/ onPremisesLastSyncDateTime=2026-11-21T08:00:00Z; ",
     0, NULL},
    {KIND_tenant, WITH("\"displayName\": \"Contoso\""),
     "{\"domains\": [{\"id\": \"contoso.com\", \"authenticationType\": \"Federated\", \"isDefault\": true, \"isVerified\": true},"
     "{\"id\": \"contoso.onmicrosoft.com\", \"authenticationType\": \"Managed\", \"isDefault\": false, \"isVerified\": true},"
     "{\"id\": \"new.example\", \"authenticationType\": \"Managed\", \"isDefault\": false, \"isVerified\": false}]}",
     "displayName=Contoso; verifiedDomains=contoso.com|contoso.onmicrosoft.com; defaultDomain=contoso.com; federatedDomains=contoso.com; ", 0,
     NULL},
    {KIND_role,
     "{\"id\": \"62e90394-69f5-4237-9190-012177145e10\", \"displayName\": \"Global Administrator\", \"description\": \"all\", \"isBuiltIn\": true,"
     "\"isEnabled\": true, \"templateId\": \"62e90394-69f5-4237-9190-012177145e10\", \"rolePermissions\": []}",
     NULL,
     "description=all; displayName=Global Administrator; roleTemplateId=62e90394-69f5-4237-9190-012177145e10; isBuiltIn=yes; isEnabled=yes; "
     "directoryScopeId=/; assignmentType=active; ",
     0, NULL},
    {KIND_role, WITH("\"displayName\": \"User Administrator\""), "{\"scope\": \"/administrativeUnits/" ID "\", \"scope_name\": \"Berlin\"}",
     "displayName=User Administrator (scope Berlin); roleTemplateId=" ID "; directoryScopeId=/administrativeUnits/" ID
     "; assignmentType=active; ",
     0, NULL},
    {KIND_role, WITH("\"displayName\": \"User Administrator\""), "{\"scope\": \"/administrativeUnits/7\"}",
     "displayName=User Administrator (scope /administrativeUnits/7); roleTemplateId=" ID "; directoryScopeId=/administrativeUnits/7; "
     "assignmentType=active; ",
     0, NULL},
    {KIND_role, WITH("\"displayName\": \"User Administrator\""), "{\"scope\": \"/\", \"assignment\": \"eligible\"}",
     "displayName=User Administrator (eligible); roleTemplateId=" ID "; directoryScopeId=/; assignmentType=eligible; ", 0, NULL},
    {KIND_role, WITH("\"displayName\": \"User Administrator\""), "{\"scope\": \"/x\", \"assignment\": \"eligible\"}",
     "displayName=User Administrator (scope /x, eligible); roleTemplateId=" ID "; directoryScopeId=/x; assignmentType=eligible; ", 0, NULL},
    {KIND_role, WITH("\"displayName\": 7"), "{\"assignment\": \"eligible\"}",
     "roleTemplateId=" ID "; directoryScopeId=/; assignmentType=eligible; ", 1, "displayName: a number where a text belongs"},
};

static void other_kinds_become_records(void **state)
{
    check_samples(others, n_elements(others));
}

/* --- MFA and sign-ins ---------------------------------------------------------------------------------- */

#define METHOD(name) "{\"@odata.type\": \"#microsoft.graph." name "AuthenticationMethod\", \"id\": \"1\"}"

static const struct sample reports[] = {
    {KIND_user, WITH("\"displayName\": \"x\""),
     "{\"details\": {\"id\": \"" ID "\", \"userDisplayName\": \"Alex\", \"isAdmin\": false, \"isSsprRegistered\": false, \"isMfaRegistered\": true,"
     "\"isMfaCapable\": true, \"isPasswordlessCapable\": false, \"lastUpdatedDateTime\": \"2023-03-13T19:15:41.6195833Z\","
     "\"methodsRegistered\": [\"microsoftAuthenticatorPush\", \"softwareOneTimePasscode\", \"mobilePhone\", \"officePhone\", \"moonBeam\"],"
     "\"userPreferredMethodForSecondaryAuthentication\": \"push\"}}",
     "displayName=x; isMfaRegistered=yes; isMfaCapable=yes; isPasswordlessCapable=no; isSsprRegistered=no; "
     "methodsRegistered=microsoftAuthenticator|moonBeam|phone|softwareOath; userPreferredMethodForSecondaryAuthentication=push; "
     "/ mfaSource=report; lastUpdatedDateTime=2023-03-13T19:15:41.619Z; ",
     0, NULL},
    {KIND_user, WITH("\"displayName\": \"x\""),
     "{\"details\": {\"isMfaRegistered\": false, \"methodsRegistered\": [], \"userPreferredMethodForSecondaryAuthentication\": \"\"}}",
     "displayName=x; isMfaRegistered=no; / mfaSource=report; ", 0, NULL},
    {KIND_user, WITH("\"displayName\": \"x\""), "{\"details\": {\"isMfaRegistered\": null, \"methodsRegistered\": [\"none\"]}}",
     "displayName=x; / mfaSource=report; ", 0, NULL},
    {KIND_user, WITH("\"displayName\": \"x\""), "{\"details\": {\"isMfaRegistered\": \"true\", \"methodsRegistered\": [1]}}",
     "displayName=x; / mfaSource=report; ", 2, "isMfaRegistered: a text where a Boolean belongs"},
    {KIND_user, WITH("\"displayName\": \"x\""), "{\"details\": []}", "displayName=x; ", 0, NULL},
    {KIND_user, WITH("\"displayName\": \"x\""),
     "{\"methods\": [" METHOD("password") ", " METHOD("fido2") ", " METHOD("windowsHelloForBusiness") ", " METHOD("fido2") "]}",
     "displayName=x; isMfaRegistered=yes; methodsRegistered=fido2|password|windowsHelloForBusiness; / mfaSource=methods; ", 0, NULL},
    {KIND_user, WITH("\"displayName\": \"x\""), "{\"methods\": [" METHOD("password") ", " METHOD("email") "]}",
     "displayName=x; isMfaRegistered=no; methodsRegistered=email|password; / mfaSource=methods; ", 0, NULL},
    {KIND_user, WITH("\"displayName\": \"x\""), "{\"methods\": []}", "displayName=x; isMfaRegistered=no; / mfaSource=methods; ", 0, NULL},
    {KIND_user, WITH("\"displayName\": \"x\""), "{\"methods\": [" METHOD("password") ", " METHOD("moonBeam") "]}",
     "displayName=x; methodsRegistered=moonBeam|password; / mfaSource=methods; ", 0, NULL},
    {KIND_user, WITH("\"displayName\": \"x\""), "{\"methods\": [7, {}, " METHOD("phone") "]}",
     "displayName=x; isMfaRegistered=yes; methodsRegistered=phone; / mfaSource=methods; ", 1, "methodsRegistered: a number where a text belongs"},
    {KIND_user, WITH("\"displayName\": \"x\""), "{\"details\": {\"isMfaRegistered\": false}, \"methods\": [" METHOD("phone") "]}",
     "displayName=x; isMfaRegistered=no; / mfaSource=report; ", 0, NULL},
    {KIND_user, WITH("\"signInActivity\": {\"lastSignInDateTime\": \"2021-06-17T16:41:33Z\"}"),
     "{\"sign_in\": {\"lastSignInDateTime\": \"2021-06-17T16:41:33Z\", \"lastSignInRequestId\": \"d4d31c40\","
     "\"lastNonInteractiveSignInDateTime\": \"0001-01-01T00:00:00Z\", \"lastSuccessfulSignInDateTime\": \"\"}}",
     "/ lastSignInDateTime=2021-06-17T16:41:33Z; ", 0, NULL},
    {KIND_user, WITH("\"displayName\": \"x\""),
     "{\"sign_in\": {\"lastSignInDateTime\": \"2021-07-29T15:53:27Z\", \"lastNonInteractiveSignInDateTime\": \"2021-07-29T17:53:42+02:00\","
     "\"lastSuccessfulSignInDateTime\": \"2021-07-29T15:53:27.5Z\"}}",
     "displayName=x; / lastSignInDateTime=2021-07-29T15:53:27Z; lastNonInteractiveSignInDateTime=2021-07-29T15:53:42Z; "
     "lastSuccessfulSignInDateTime=2021-07-29T15:53:27.500Z; ",
     0, NULL},
    {KIND_group, WITH("\"displayName\": \"x\""), "{\"details\": {\"isMfaRegistered\": true}, \"sign_in\": {\"lastSignInDateTime\": \"2021-07-29T15:53:27Z\"}}",
     "displayName=x; ", 0, NULL}, /* of users only */
};

static void reports_are_joined(void **state)
{
    check_samples(reports, n_elements(reports));
}

/* --- what is wrong ------------------------------------------------------------------------------------- */

static const struct sample wrong[] = {
    {KIND_user, WITH("\"employeeId\": 42"), NULL, "", 1, "employeeId: a number where a text belongs"},
    {KIND_user, WITH("\"employeeId\": 4.5"), NULL, "", 1, "employeeId: a number where a text belongs"},
    {KIND_user, WITH("\"displayName\": {\"a\": 1}"), NULL, "", 1, "displayName: an object where a text belongs"},
    {KIND_user, WITH("\"displayName\": [\"a\"]"), NULL, "", 1, "displayName: an array where a text belongs"},
    {KIND_user, WITH("\"displayName\": true"), NULL, "", 1, "displayName: a Boolean where a text belongs"},
    {KIND_user, WITH("\"accountEnabled\": \"true\""), NULL, "", 1, "accountEnabled: a text where a Boolean belongs"},
    {KIND_user, WITH("\"accountEnabled\": 1"), NULL, "", 1, "accountEnabled: a number where a Boolean belongs"},
    {KIND_user, WITH("\"proxyAddresses\": \"SMTP:a\""), NULL, "", 1, "proxyAddresses: a text where an array belongs"},
    {KIND_user, WITH("\"proxyAddresses\": [\"b\", 1, null, {}, \"a\"]"), NULL, "proxyAddresses=a|b; ", 2,
     "proxyAddresses: a number where a text belongs"},
    {KIND_user, WITH("\"createdDateTime\": 1700000000"), NULL, "", 1, "createdDateTime: a number where a text belongs"},
    {KIND_user, WITH("\"createdDateTime\": \"yesterday\""), NULL, "", 1, "createdDateTime: a text that is no time"},
    {KIND_user, WITH("\"createdDateTime\": \"2023-02-29T00:00:00Z\""), NULL, "", 1, "createdDateTime: a text that is no time"},
    {KIND_user, WITH("\"createdDateTime\": \"2023-02-28T00:00:00\""), NULL, "", 1, "createdDateTime: a text that is no time"},
    {KIND_user, WITH("\"createdDateTime\": \"0001-01-01T00:00:00Z\""), NULL, "", 0, NULL},
    {KIND_user, WITH("\"createdDateTime\": \"1601-01-01T00:00:00Z\""), NULL, "", 0, NULL},
    {KIND_user, WITH("\"createdDateTime\": \"1601-12-31T23:59:59.999Z\""), NULL, "", 0, NULL},
    {KIND_user, WITH("\"createdDateTime\": \"1602-01-01T00:00:00Z\""), NULL, "createdDateTime=1602-01-01T00:00:00Z; ", 0, NULL},
    {KIND_user, WITH("\"createdDateTime\": \"1970-01-01T00:00:00Z\""), NULL, "", 0, NULL}, /* 0 is absence (base/when.h) */
    {KIND_user, WITH("\"createdDateTime\": \"9999-12-30T23:59:59Z\""), NULL, "createdDateTime=9999-12-30T23:59:59Z; ", 0, NULL},
    {KIND_user, WITH("\"createdDateTime\": \"9999-12-31T23:59:59.9999999Z\""), NULL, "", 0, NULL},
    {KIND_user, WITH("\"createdDateTime\": \"9999-12-31T23:59:59-23:59\""), NULL, "", 0, NULL},
    {KIND_user, WITH("\"securityIdentifier\": \"S-1-bad\""), NULL, "", 1, "securityIdentifier: a text that is no SID"},
    {KIND_user, WITH("\"securityIdentifier\": \"AQUAAAAA\""), NULL, "", 1, "securityIdentifier: a text that is no SID"},
    {KIND_user, WITH("\"manager\": {\"id\": \"nobody\"}"), NULL, "", 1, "manager: no id of an object"},
    {KIND_user, WITH("\"manager\": {}"), NULL, "", 1, "manager: no id of an object"},
    {KIND_user, WITH("\"manager\": []"), NULL, "", 1, "manager: no id of an object"},
    {KIND_user, WITH("\"manager\": {\"id\": \"{5bde3e51-d13b-4db1-9948-fe4b109d11}\"}"), NULL, "", 1, "manager: no id of an object"},
    {KIND_user, WITH("\"employeeOrgData\": \"4711\""), NULL, "", 1, "employeeOrgData: a text where an object belongs"},
    {KIND_user, WITH("\"employeeOrgData\": [{\"costCenter\": \"1\"}]"), NULL, "", 1, "employeeOrgData: an array where an object belongs"},
    {KIND_user, WITH("\"authorizationInfo\": {\"certificateUserIds\": \"a\"}"), NULL, "", 1, "authorizationInfo: a text where an array belongs"},
    {KIND_user, WITH("\"identities\": [1, {\"signInType\": 5, \"issuer\": null}, {\"signInType\": \"federated\"}]"), NULL,
     "identities=federated - -; ", 1, "identities: a number where an object belongs"},
    {KIND_user, WITH("\"assignedLicenses\": [{\"skuId\": 1}, {}, \"a\"]"), NULL, "", 2, "assignedLicenses: a number where a text belongs"},
    {KIND_user, WITH("\"employeeId\": 1, \"jobTitle\": 2, \"department\": []"), NULL, "", 3, "department: an array where a text belongs"},
    {KIND_service_principal, WITH("\"passwordCredentials\": [{\"displayName\": \"x\", \"endDateTime\": \"2027-01-01T00:00:00Z\"}, 5, "
                                  "{\"keyId\": \"a0b0b335-1d71-4883-8f98-567911bfdca6\", \"endDateTime\": \"soon\", \"displayName\": 8}]"),
     NULL, "passwordCredentials=a0b0b335-1d71-4883-8f98-567911bfdca6 -; ", 2, "passwordCredentials: a credential without a keyId"},
    {KIND_contact, WITH("\"addresses\": {\"city\": \"x\"}, \"phones\": 1"), NULL, "", 8, "addresses: an object where an array belongs"},
    {KIND_contact, WITH("\"addresses\": [5], \"phones\": [5, null]"), NULL, "", 8, "addresses: a number where an object belongs"},
    {KIND_tenant, WITH("\"verifiedDomains\": 1, \"assignedPlans\": [null, {\"capabilityStatus\": \"Enabled\", \"service\": 1}]"),
     "{\"domains\": [1, {\"id\": 2, \"isDefault\": true}, {}]}", "", 6, "verifiedDomains: a number where an object belongs"},
    {KIND_group, WITH("\"displayName\": \"x\""), "{\"owners\": [1, \"x\", \"" ID "\"]}", "displayName=x; owners=" ID "; ", 2,
     "owners: no id of an object"},
    {KIND_group, WITH("\"displayName\": \"x\""), "{\"owners\": \"" ID "\"}", "displayName=x; ", 1, "owners: a text where an array belongs"},
};

static void wrong_values_are_left_out(void **state)
{
    check_samples(wrong, n_elements(wrong));
}

/* --- sizes that a peer may choose ----------------------------------------------------------------------- */

/* WITH one property, built here; json_decref. */
static json_t *object_with(const char *property, json_t *value)
{
    json_t *j = json_pack("{s:s, s:o}", "id", ID, property, value);
    assert_non_null(j);
    return j;
}

/* A text of n times c. */
static json_t *long_text(char c, size_t n)
{
    char *text = malloc(n + 1);
    memset(text, c, n);
    json_t *j = json_stringn(text, n);
    free(text);
    return j;
}

static json_t *many_texts(size_t n, size_t length)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) {
        char text[300];
        snprintf(text, sizeof text, "%0*zu", (int)length, n - i);
        json_array_append_new(list, json_string(text));
    }
    return list;
}

/* The number of values that got through; the object is consumed. */
static uint32_t values_of(struct graph_body *b, json_t *object, enum attr attr, uint64_t *n_wrong)
{
    const json_t *parts[] = {object};
    struct record r;
    struct record_index x;
    struct err e;
    assert_int_equal(graph_record(&r, b, KIND_user, parts, 1, NULL, &e), 0);
    assert_int_equal(record_index(&x, &r, &e), 0);
    json_decref(object);
    *n_wrong = b->n_wrong;
    return record_values(&x, attr).n;
}

static void sizes_are_bounded(void **state)
{
    struct graph_body b;
    uint64_t n_wrong;
    graph_body_init(&b);
    assert_int_equal(values_of(&b, object_with("jobTitle", long_text('x', 32768)), ATTR_JOB_TITLE, &n_wrong), 1);
    assert_int_equal(n_wrong, 0);
    assert_int_equal(values_of(&b, object_with("jobTitle", long_text('x', 32769)), ATTR_JOB_TITLE, &n_wrong), 0);
    assert_string_equal(b.first_wrong, "jobTitle: a text of more than 32768 bytes");
    assert_int_equal(values_of(&b, object_with("otherMails", many_texts(20000, 8)), ATTR_OTHER_MAILS, &n_wrong), 20000);
    assert_int_equal(n_wrong, 0);
    assert_int_equal(values_of(&b, object_with("otherMails", many_texts(20001, 8)), ATTR_OTHER_MAILS, &n_wrong), 0);
    assert_string_equal(b.first_wrong, "otherMails: too many values, or too long ones");
    assert_int_equal(values_of(&b, object_with("otherMails", many_texts(6000, 200)), ATTR_OTHER_MAILS, &n_wrong), 0);
    assert_int_equal(n_wrong, 1);
    assert_int_equal(values_of(&b, object_with("otherMails", many_texts(3, 8)), ATTR_OTHER_MAILS, &n_wrong), 3); /* as if nothing had been */
    assert_int_equal(n_wrong, 0);
    graph_body_free(&b);
}

/* Each attribute is within its bounds, all of them together are not within the entity's. */
static void an_entity_is_bounded(void **state)
{
    static const char *const lists[] = {"otherMails", "proxyAddresses", "businessPhones"};
    json_t *o = object_with("department", json_string("Sales"));
    json_t *ids = json_object(), *identities = json_array();
    uint64_t n_wrong;
    struct graph_body b;
    for (size_t i = 0; i < n_elements(lists); i++) json_object_set_new(o, lists[i], many_texts(5000, 200));
    json_object_set_new(ids, "certificateUserIds", many_texts(5000, 200));
    json_object_set_new(o, "authorizationInfo", ids);
    for (size_t i = 0; i < 5000; i++) {
        char text[300];
        snprintf(text, sizeof text, "%0200zu", i);
        json_array_append_new(identities, json_pack("{s:s, s:s, s:s}", "signInType", "f", "issuer", "i", "issuerAssignedId", text));
    }
    json_object_set_new(o, "identities", identities);
    json_object_set_new(o, "mobilePhone", json_string("+1"));
    graph_body_init(&b);
    assert_int_equal(values_of(&b, o, ATTR_MOBILE_PHONE, &n_wrong), 1);
    assert_int_equal(n_wrong, 1);
    assert_string_equal(b.first_wrong, "businessPhones: more than an entity may hold");
    assert_true(b.state.len <= b.state.max && !b.state.failed);
    graph_body_free(&b);
}

/* NUL gets in only with JSON_ALLOW_NUL, which the client does not set. */
static void no_text_holds_a_nul(void **state)
{
    struct graph_body b;
    uint64_t n_wrong;
    graph_body_init(&b);
    assert_int_equal(values_of(&b, object_with("jobTitle", json_stringn("a\0b", 3)), ATTR_JOB_TITLE, &n_wrong), 0);
    assert_string_equal(b.first_wrong, "jobTitle: a text with a NUL in it");
    json_t *identity = json_pack("[{s:s, s:o}]", "signInType", "federated", "issuer", json_stringn("\0", 1));
    assert_int_equal(values_of(&b, object_with("identities", identity), ATTR_IDENTITIES, &n_wrong), 0);
    assert_int_equal(n_wrong, 1);
    graph_body_free(&b);
}

/* --- ids and parts ------------------------------------------------------------------------------------- */

static void ids_are_checked(void **state)
{
    static const char *const bad[] = {
        "{}", "[]", "null", "7", "{\"id\": null}", "{\"id\": 7}", "{\"id\": \"\"}", "{\"id\": \"id-value\"}",
        "{\"id\": \"{87d349ed-44d7-43e1-9a83-5f2406dee5bd}\"}", "{\"id\": \"87d349ed-44d7-43e1-9a83-5f2406dee5bg\"}",
        "{\"id\": \"87d349ed44d743e19a835f2406dee5bd\"}", "{\"id\": {\"id\": \"87d349ed-44d7-43e1-9a83-5f2406dee5bd\"}}",
        "{\"ID\": \"87d349ed-44d7-43e1-9a83-5f2406dee5bd\"}",
    };
    struct graph_body b;
    struct record r;
    struct err e;
    graph_body_init(&b);
    for (size_t i = 0; i < n_elements(bad); i++) {
        json_t *j = parse(bad[i]);
        const json_t *parts[] = {j};
        assert_int_equal(graph_record(&r, &b, KIND_user, parts, 1, NULL, &e), ERR_PROTO);
        assert_true(e.message[0]);
        json_decref(j);
    }
    const json_t *none[] = {NULL};
    assert_int_equal(graph_record(&r, &b, KIND_user, none, 1, NULL, &e), ERR_PROTO);
    assert_int_equal(graph_record(&r, &b, KIND_user, none, 0, NULL, &e), ERR_PROTO);
    graph_body_free(&b);
}

static void parts_become_one_record(void **state)
{
    json_t *j = parse("[{\"id\": \"" ID "\", \"displayName\": \"Eve\", \"city\": null},"
                      "{\"id\": \"87D349ED-44D7-43E1-9A83-5F2406DEE5BD\", \"city\": \"Lyon\", \"displayName\": \"later\"},"
                      "{\"id\": \"00000000-44d7-43e1-9a83-5f2406dee5bd\", \"state\": \"x\"}]");
    const json_t *parts[] = {json_array_get(j, 0), json_array_get(j, 1), json_array_get(j, 2)};
    struct graph_body b;
    struct record r;
    struct err e;
    struct buf out = buf_new(1000);
    graph_body_init(&b);
    assert_int_equal(graph_record(&r, &b, KIND_user, parts, 2, NULL, &e), 0);
    print_record(&out, &r);
    assert_string_equal(buf_cstr(&out), "displayName=Eve; city=Lyon; ");
    assert_true(str_equal(r.dn, STR(ID)));
    assert_int_equal(graph_record(&r, &b, KIND_user, parts, 3, NULL, &e), ERR_PROTO);
    assert_string_equal(e.message, "user " ID ": the parts are of different objects");
    buf_free(&out);
    graph_body_free(&b);
    json_decref(j);
}

/* --- roles that are entities of their own -------------------------------------------------------------- */

static void role_ids(void **state)
{
    static const struct {
        const char *scope, *assignment, *id; /* of definition ID; SHA-256 by another program */
    } cases[] = {
        {"", "", ID},
        {"/", "active", ID},
        {"/", "", ID},
        {"/", "eligible", "baaa327d-3134-84a8-8308-0821b62dd03f"},
        {"", "eligible", "baaa327d-3134-84a8-8308-0821b62dd03f"},
        {"/administrativeUnits/7", "active", "2ecdd690-50de-87fa-b119-f1008d0e04ab"},
        {"/administrativeUnits/7", "", "2ecdd690-50de-87fa-b119-f1008d0e04ab"},
        {"/administrativeUnits/8", "active", "a1c774bf-2756-825d-b8b3-c1f426b58c22"},
        {"/administrativeUnits/7", "eligible", "162e3fc6-888f-8448-91eb-40e6750584b7"},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        uint8_t definition[GUID_SIZE], guid[GUID_SIZE];
        char text[GUID_TEXT];
        assert_true(guid_parse(definition, STR(ID)));
        graph_role_guid(guid, definition, str_from(cases[i].scope), str_from(cases[i].assignment));
        assert_string_equal(guid_format(text, guid), cases[i].id);
        graph_role_guid(definition, definition, str_from(cases[i].scope), str_from(cases[i].assignment)); /* in place */
        assert_memory_equal(definition, guid, GUID_SIZE);
    }
}

static void a_scoped_role_has_an_id_of_its_own(void **state)
{
    json_t *j = parse(WITH("\"displayName\": \"x\", \"templateId\": \"fe930be7-5e62-47db-91af-98c3a49a38b1\""));
    const json_t *parts[] = {j};
    struct graph_extra x = {.scope = STR("/administrativeUnits/7")};
    struct graph_body b;
    struct record r;
    struct err e;
    uint8_t definition[GUID_SIZE], guid[GUID_SIZE];
    graph_body_init(&b);
    assert_true(guid_parse(definition, STR(ID)));
    graph_role_guid(guid, definition, x.scope, x.assignment);
    assert_int_equal(graph_record(&r, &b, KIND_role, parts, 1, &x, &e), 0);
    assert_memory_equal(r.guid, guid, GUID_SIZE);
    assert_true(str_equal(r.dn, STR("2ecdd690-50de-87fa-b119-f1008d0e04ab")));
    graph_body_free(&b);
    json_decref(j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(users_become_records),
        cmocka_unit_test(other_kinds_become_records),
        cmocka_unit_test(reports_are_joined),
        cmocka_unit_test(wrong_values_are_left_out),
        cmocka_unit_test(sizes_are_bounded),
        cmocka_unit_test(an_entity_is_bounded),
        cmocka_unit_test(no_text_holds_a_nul),
        cmocka_unit_test(ids_are_checked),
        cmocka_unit_test(parts_become_one_record),
        cmocka_unit_test(role_ids),
        cmocka_unit_test(a_scoped_role_has_an_id_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
