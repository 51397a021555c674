#include "source/graph/graph_fields.h"

#include "base/hash.h"
#include "source/graph/graph_value.h"

#include <stdio.h>

/* --- the table ----------------------------------------------------------------------------------------- */

enum from {
    OBJECT,  /* a property of the object; nothing is done if it is absent or null */
    FIRST,   /* the same, and of an array the first element */
    ANY,     /* a property of the object or none, and what was read apart: the function looks for itself */
    DETAILS, /* a property of userRegistrationDetails */
    SIGN_IN, /* a property of signInActivity */
};

struct field {
    kind_set kinds;
    enum from from;
    const char *property, *member; /* member: of the object that the property is */
    enum attr attr;
    void (*put)(struct graph_put *p, const json_t *v);
};

static void put_role_name(struct graph_put *p, const json_t *v);
static void put_role_template(struct graph_put *p, const json_t *v);
static void put_role_scope(struct graph_put *p, const json_t *unused);
static void put_role_assignment(struct graph_put *p, const json_t *unused);

#define SYNCED     (K_(user) | K_(group) | K_(device) | K_(contact) | K_(tenant)) /* may come from Active Directory */
#define MAILED     (K_(user) | K_(group) | K_(contact))
#define ADDRESSED  (K_(user) | K_(tenant))
#define PERSON     (K_(user) | K_(contact))
#define PRINCIPAL  (K_(user) | K_(group) | K_(device) | K_(service_principal))
#define ENTRA      (PRINCIPAL | K_(contact) | K_(role) | K_(administrative_unit) | K_(tenant))
#define DESCRIBED  (K_(group) | K_(role) | K_(administrative_unit) | K_(service_principal))

/* In order of attribute number: bodies are written in it. One attribute may have several rows, of different kinds. */
/* clang-format off */
static const struct field fields[] = {
    {DESCRIBED, OBJECT, "description", NULL, ATTR_DESCRIPTION, graph_put_text},
    {ENTRA & ~K_(role), OBJECT, "displayName", NULL, ATTR_DISPLAY_NAME, graph_put_text},
    {K_(role), OBJECT, "displayName", NULL, ATTR_DISPLAY_NAME, put_role_name},
    {K_(user), OBJECT, "userPrincipalName", NULL, ATTR_USER_PRINCIPAL_NAME, graph_put_text},
    {PERSON, OBJECT, "givenName", NULL, ATTR_GIVEN_NAME, graph_put_text},
    {MAILED, OBJECT, "mail", NULL, ATTR_MAIL, graph_put_text},
    {MAILED, OBJECT, "mailNickname", NULL, ATTR_MAIL_NICKNAME, graph_put_text},
    {MAILED, OBJECT, "proxyAddresses", NULL, ATTR_PROXY_ADDRESSES, graph_put_texts},
    {PERSON, OBJECT, "department", NULL, ATTR_DEPARTMENT, graph_put_text},
    {ADDRESSED, OBJECT, "postalCode", NULL, ATTR_POSTAL_CODE, graph_put_text},
    {K_(contact), FIRST, "addresses", "postalCode", ATTR_POSTAL_CODE, graph_put_text},
    {K_(user), OBJECT, "streetAddress", NULL, ATTR_STREET_ADDRESS, graph_put_text},
    {K_(tenant), OBJECT, "street", NULL, ATTR_STREET_ADDRESS, graph_put_text},
    {K_(contact), FIRST, "addresses", "street", ATTR_STREET_ADDRESS, graph_put_text},
    {K_(user), OBJECT, "employeeType", NULL, ATTR_EMPLOYEE_TYPE, graph_put_text},
    {PERSON, OBJECT, "manager", NULL, ATTR_MANAGER, graph_put_id},
    {K_(device), OBJECT, "operatingSystem", NULL, ATTR_OPERATING_SYSTEM, graph_put_text},
    {K_(device), OBJECT, "operatingSystemVersion", NULL, ATTR_OPERATING_SYSTEM_VERSION, graph_put_text},
    {PRINCIPAL & ~K_(group), OBJECT, "accountEnabled", NULL, ATTR_ACCOUNT_ENABLED, graph_put_flag},
    {K_(user), OBJECT, "userType", NULL, ATTR_USER_TYPE, graph_put_text},
    {PERSON, OBJECT, "jobTitle", NULL, ATTR_JOB_TITLE, graph_put_text},
    {PERSON, OBJECT, "surname", NULL, ATTR_SURNAME, graph_put_text},
    {PERSON, OBJECT, "companyName", NULL, ATTR_COMPANY_NAME, graph_put_text},
    {K_(user), OBJECT, "officeLocation", NULL, ATTR_OFFICE_LOCATION, graph_put_text},
    {K_(contact), FIRST, "addresses", "officeLocation", ATTR_OFFICE_LOCATION, graph_put_text},
    {K_(user), OBJECT, "employeeId", NULL, ATTR_GRAPH_EMPLOYEE_ID, graph_put_text},
    {K_(user) | K_(group) | K_(tenant), OBJECT, "createdDateTime", NULL, ATTR_CREATED, graph_put_time},
    {K_(user) | K_(group) | K_(device), OBJECT, "isManagementRestricted", NULL, ATTR_IS_RESTRICTED, graph_put_flag},
    {K_(user), OBJECT, "externalUserState", NULL, ATTR_EXTERNAL_USER_STATE, graph_put_text},
    {K_(user), OBJECT, "creationType", NULL, ATTR_CREATION_TYPE, graph_put_text},
    {K_(user), OBJECT, "otherMails", NULL, ATTR_OTHER_MAILS, graph_put_texts},
    {K_(user), OBJECT, "identities", NULL, ATTR_IDENTITIES, graph_put_identities},
    {K_(user), OBJECT, "lastPasswordChangeDateTime", NULL, ATTR_LAST_PASSWORD_CHANGE, graph_put_time},
    {K_(user), OBJECT, "passwordPolicies", NULL, ATTR_PASSWORD_POLICIES, graph_put_text},
    {K_(user), OBJECT, "assignedLicenses", NULL, ATTR_ASSIGNED_LICENSES, graph_put_licenses},
    {K_(user), OBJECT, "employeeHireDate", NULL, ATTR_HIRE_DATE, graph_put_time},
    {K_(user) | K_(group), OBJECT, "securityIdentifier", NULL, ATTR_ENTRA_SID, graph_put_sid},
    {K_(user), OBJECT, "authorizationInfo", "certificateUserIds", ATTR_CERTIFICATE_USER_IDS, graph_put_texts},
    {SYNCED, OBJECT, "onPremisesSyncEnabled", NULL, ATTR_SYNC_ENABLED, graph_put_flag},
    {SYNCED, OBJECT, "onPremisesLastSyncDateTime", NULL, ATTR_LAST_SYNC, graph_put_time},
    {K_(user) | K_(group) | K_(device), OBJECT, "onPremisesSecurityIdentifier", NULL, ATTR_ON_PREMISES_SID, graph_put_sid},
    {K_(user), OBJECT, "onPremisesImmutableId", NULL, ATTR_IMMUTABLE_ID, graph_put_text},
    {K_(user), OBJECT, "onPremisesDistinguishedName", NULL, ATTR_ON_PREMISES_DN, graph_put_text},
    {K_(user) | K_(group), OBJECT, "onPremisesDomainName", NULL, ATTR_ON_PREMISES_DOMAIN, graph_put_text},
    {K_(user) | K_(group), OBJECT, "onPremisesSamAccountName", NULL, ATTR_ON_PREMISES_SAM, graph_put_text},
    {K_(user), OBJECT, "onPremisesUserPrincipalName", NULL, ATTR_ON_PREMISES_UPN, graph_put_text},
    {K_(group), OBJECT, "onPremisesNetBiosName", NULL, ATTR_ON_PREMISES_NETBIOS, graph_put_text},
    {ADDRESSED, OBJECT, "businessPhones", NULL, ATTR_BUSINESS_PHONES, graph_put_texts},
    {K_(contact), OBJECT, "phones", NULL, ATTR_BUSINESS_PHONES, graph_put_business},
    {K_(user), OBJECT, "mobilePhone", NULL, ATTR_MOBILE_PHONE, graph_put_text},
    {K_(contact), OBJECT, "phones", NULL, ATTR_MOBILE_PHONE, graph_put_mobile},
    {ADDRESSED, OBJECT, "city", NULL, ATTR_CITY, graph_put_text},
    {K_(contact), FIRST, "addresses", "city", ATTR_CITY, graph_put_text},
    {ADDRESSED, OBJECT, "state", NULL, ATTR_STATE, graph_put_text},
    {K_(contact), FIRST, "addresses", "state", ATTR_STATE, graph_put_text},
    {ADDRESSED, OBJECT, "country", NULL, ATTR_COUNTRY, graph_put_text},
    {K_(contact), FIRST, "addresses", "countryOrRegion", ATTR_COUNTRY, graph_put_text},
    {K_(user), OBJECT, "usageLocation", NULL, ATTR_USAGE_LOCATION, graph_put_text},
    {K_(user), OBJECT, "employeeOrgData", "costCenter", ATTR_COST_CENTER, graph_put_text},
    {K_(group), OBJECT, "groupTypes", NULL, ATTR_GROUP_TYPES, graph_put_texts},
    {K_(group), OBJECT, "securityEnabled", NULL, ATTR_SECURITY_ENABLED, graph_put_flag},
    {K_(group), OBJECT, "mailEnabled", NULL, ATTR_MAIL_ENABLED, graph_put_flag},
    {K_(group) | K_(administrative_unit), OBJECT, "visibility", NULL, ATTR_VISIBILITY, graph_put_text},
    {K_(group), OBJECT, "isAssignableToRole", NULL, ATTR_IS_ASSIGNABLE_TO_ROLE, graph_put_flag},
    {K_(group) | K_(administrative_unit), OBJECT, "membershipRule", NULL, ATTR_MEMBERSHIP_RULE, graph_put_text},
    {K_(group), OBJECT, "renewedDateTime", NULL, ATTR_RENEWED, graph_put_time},
    {K_(group), OBJECT, "expirationDateTime", NULL, ATTR_EXPIRATION, graph_put_time},
    {K_(group), OBJECT, "uniqueName", NULL, ATTR_UNIQUE_NAME, graph_put_text},
    {ENTRA, ANY, NULL, NULL, ATTR_OWNERS, graph_put_owners},
    {K_(group), OBJECT, "resourceProvisioningOptions", NULL, ATTR_PROVISIONING_OPTIONS, graph_put_texts},
    {K_(role), ANY, "templateId", NULL, ATTR_ROLE_TEMPLATE_ID, put_role_template},
    {K_(role), OBJECT, "isBuiltIn", NULL, ATTR_IS_BUILT_IN, graph_put_flag},
    {K_(role), OBJECT, "isEnabled", NULL, ATTR_IS_ENABLED, graph_put_flag},
    {K_(role), ANY, NULL, NULL, ATTR_DIRECTORY_SCOPE_ID, put_role_scope},
    {K_(role), ANY, NULL, NULL, ATTR_ASSIGNMENT_TYPE, put_role_assignment},
    {K_(device), OBJECT, "deviceId", NULL, ATTR_DEVICE_ID, graph_put_text},
    {K_(device), OBJECT, "deviceOwnership", NULL, ATTR_DEVICE_OWNERSHIP, graph_put_text},
    {K_(device), OBJECT, "isCompliant", NULL, ATTR_IS_COMPLIANT, graph_put_flag},
    {K_(device), OBJECT, "isManaged", NULL, ATTR_IS_MANAGED, graph_put_flag},
    {K_(device), OBJECT, "manufacturer", NULL, ATTR_MANUFACTURER, graph_put_text},
    {K_(device), OBJECT, "model", NULL, ATTR_MODEL, graph_put_text},
    {K_(device), OBJECT, "profileType", NULL, ATTR_PROFILE_TYPE, graph_put_text},
    {K_(device), OBJECT, "trustType", NULL, ATTR_DEVICE_TRUST_TYPE, graph_put_text},
    {K_(device), OBJECT, "approximateLastSignInDateTime", NULL, ATTR_APPROXIMATE_LAST_SIGN_IN, graph_put_time},
    {K_(device), OBJECT, "registrationDateTime", NULL, ATTR_REGISTRATION, graph_put_time},
    {K_(device), OBJECT, "managementType", NULL, ATTR_MANAGEMENT_TYPE, graph_put_text},
    {K_(service_principal), OBJECT, "appId", NULL, ATTR_APP_ID, graph_put_text},
    {K_(service_principal), OBJECT, "appDisplayName", NULL, ATTR_APP_DISPLAY_NAME, graph_put_text},
    {K_(service_principal), OBJECT, "appOwnerOrganizationId", NULL, ATTR_APP_OWNER_ORGANIZATION, graph_put_text},
    {K_(service_principal), OBJECT, "servicePrincipalType", NULL, ATTR_SERVICE_PRINCIPAL_TYPE, graph_put_text},
    {K_(service_principal), OBJECT, "servicePrincipalNames", NULL, ATTR_SERVICE_PRINCIPAL_NAMES, graph_put_texts},
    {K_(service_principal), OBJECT, "signInAudience", NULL, ATTR_SIGN_IN_AUDIENCE, graph_put_text},
    {K_(service_principal), OBJECT, "tags", NULL, ATTR_TAGS, graph_put_texts},
    {K_(service_principal), OBJECT, "passwordCredentials", NULL, ATTR_PASSWORD_CREDENTIALS, graph_put_credentials},
    {K_(service_principal), OBJECT, "keyCredentials", NULL, ATTR_KEY_CREDENTIALS, graph_put_credentials},
    {K_(service_principal), OBJECT, "disabledByMicrosoftStatus", NULL, ATTR_DISABLED_BY_MICROSOFT, graph_put_text},
    {K_(service_principal), OBJECT, "alternativeNames", NULL, ATTR_ALTERNATIVE_NAMES, graph_put_texts},
    {K_(tenant), ANY, "verifiedDomains", NULL, ATTR_VERIFIED_DOMAINS, graph_put_verified},
    {K_(tenant), ANY, "verifiedDomains", NULL, ATTR_DEFAULT_DOMAIN, graph_put_default_domain},
    {K_(tenant), OBJECT, "tenantType", NULL, ATTR_TENANT_TYPE, graph_put_text},
    {K_(tenant), OBJECT, "assignedPlans", NULL, ATTR_ASSIGNED_PLANS, graph_put_plans},
    {K_(tenant), ANY, "verifiedDomains", NULL, ATTR_FEDERATED_DOMAINS, graph_put_federated},
    {K_(administrative_unit), OBJECT, "isMemberManagementRestricted", NULL, ATTR_IS_MEMBER_RESTRICTED, graph_put_flag},
    {K_(administrative_unit), OBJECT, "membershipType", NULL, ATTR_MEMBERSHIP_TYPE, graph_put_text},
    {K_(tenant), OBJECT, "countryLetterCode", NULL, ATTR_COUNTRY_LETTER_CODE, graph_put_text},
    {K_(user), ANY, NULL, NULL, ATTR_IS_MFA_REGISTERED, graph_put_mfa_registered},
    {K_(user), DETAILS, "isMfaCapable", NULL, ATTR_IS_MFA_CAPABLE, graph_put_flag},
    {K_(user), DETAILS, "isPasswordlessCapable", NULL, ATTR_IS_PASSWORDLESS_CAPABLE, graph_put_flag},
    {K_(user), DETAILS, "isSsprRegistered", NULL, ATTR_IS_SSPR_REGISTERED, graph_put_flag},
    {K_(user), ANY, NULL, NULL, ATTR_METHODS_REGISTERED, graph_put_methods},
    {K_(user), DETAILS, "userPreferredMethodForSecondaryAuthentication", NULL, ATTR_PREFERRED_METHOD, graph_put_text},
    {K_(user), ANY, NULL, NULL, ATTR_MFA_SOURCE, graph_put_mfa_source},
    {K_(user), DETAILS, "lastUpdatedDateTime", NULL, ATTR_MFA_LAST_UPDATED, graph_put_time},
    {K_(user), SIGN_IN, "lastSignInDateTime", NULL, ATTR_LAST_SIGN_IN, graph_put_time},
    {K_(user), SIGN_IN, "lastNonInteractiveSignInDateTime", NULL, ATTR_LAST_NON_INTERACTIVE, graph_put_time},
    {K_(user), SIGN_IN, "lastSuccessfulSignInDateTime", NULL, ATTR_LAST_SUCCESSFUL_SIGN_IN, graph_put_time},
};
/* clang-format on */

const char *graph_field(char out[80], enum kind k, size_t i, enum attr *attr)
{
    for (const struct field *f = fields; f < fields + n_elements(fields); f++) {
        if (!(f->kinds & KIND_BIT(k)) || i--) continue;
        *attr = f->attr;
        const char *name = f->property ? f->property : attr_get(f->attr)->name;
        snprintf(out, 80, "%s%s%s", name, f->member ? "/" : "", f->member ? f->member : "");
        return out;
    }
    return NULL;
}

/* --- $select ------------------------------------------------------------------------------------------- */

static bool has_word(const char *words, struct str word)
{
    struct str rest = str_from(words);
    while (rest.len) {
        struct str one = {rest.ptr, str_index(rest, ' ')};
        if (str_equal(one, word)) return true;
        rest = one.len < rest.len ? (struct str){rest.ptr + one.len + 1, rest.len - one.len - 1} : (struct str){0};
    }
    return false;
}

/* Is asked for with $select, once; the manager comes with $expand. */
static bool is_selected(const struct field *f, enum kind k, const char *without)
{
    if (!(f->kinds & KIND_BIT(k)) || !f->property || f->from == DETAILS || f->from == SIGN_IN || f->attr == ATTR_MANAGER)
        return false;
    for (const struct field *earlier = fields; earlier < f; earlier++)
        if (earlier->kinds & KIND_BIT(k) && earlier->property && strcmp(earlier->property, f->property) == 0) return false;
    return !has_word(without, str_from(f->property));
}

struct str graph_fields_select(struct buf *out, enum kind k, size_t max, size_t part, const char *without)
{
    static const struct str id = STR("id");
    size_t mark = out->len, at_part = 0, len = 0;
    for (const struct field *f = fields; f < fields + n_elements(fields); f++) {
        if (!is_selected(f, k, without)) continue;
        size_t n = 1 + strlen(f->property);
        if (len > id.len && len + n > max) {
            at_part++;
            len = 0;
        }
        if (!len) {
            len = id.len;
            if (at_part == part) buf_add_str(out, id);
        }
        len += n;
        if (at_part == part) buf_printf(out, ",%s", f->property);
    }
    if (out->failed) return (struct str){0};
    return (struct str){(const char *)out->ptr + mark, out->len - mark};
}

/* --- roles --------------------------------------------------------------------------------------------- */

static struct str scope_of(const struct graph_extra *x)
{
    return x->scope.len ? x->scope : STR("/");
}

static struct str assignment_of(const struct graph_extra *x)
{
    return x->assignment.len ? x->assignment : STR("active");
}

static bool is_whole_tenant(struct str scope)
{
    return !scope.len || str_equal(scope, STR("/"));
}

static bool is_active(struct str assignment)
{
    return !assignment.len || str_equal(assignment, STR("active"));
}

void graph_role_guid(uint8_t out[GUID_SIZE], const uint8_t definition[GUID_SIZE], struct str scope, struct str assignment)
{
    struct sha256 hash;
    char hex[65], text[GUID_TEXT];
    if (is_whole_tenant(scope) && is_active(assignment)) {
        memmove(out, definition, GUID_SIZE);
        return;
    }
    sha256_init(&hash);
    sha256_add(&hash, (struct bytes){definition, GUID_SIZE});
    sha256_add(&hash, bytes_of(scope.len ? scope : STR("/")));
    sha256_add(&hash, (struct bytes){(const uint8_t *)"", 1}); /* no scope runs into an assignment */
    sha256_add(&hash, bytes_of(assignment.len ? assignment : STR("active")));
    sha256_hex(&hash, hex);
    unsigned digit = (unsigned)(hex[16] <= '9' ? hex[16] - '0' : hex[16] - 'a' + 10);
    hex[12] = '8'; /* RFC 9562 5.8: version 8 and variant 10 in a hash's place */
    hex[16] = "89ab"[digit & 3];
    snprintf(text, sizeof text, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
    guid_parse(out, (struct str){text, GUID_TEXT - 1});
}

/* "User Administrator", "User Administrator (scope Berlin)", "Global Administrator (eligible)". */
static void put_role_name(struct graph_put *p, const json_t *v)
{
    const struct graph_extra *x = p->x;
    bool is_scoped = !is_whole_tenant(x->scope), is_eligible = !is_active(x->assignment);
    struct str scope = x->scope_name.len ? x->scope_name : x->scope;
    struct buf *texts = &p->b->texts;
    if ((!is_scoped && !is_eligible) || !json_is_string(v)) {
        graph_put_text(p, v);
        return;
    }
    buf_clear(texts);
    buf_add(texts, json_string_value(v), json_string_length(v));
    buf_add_str(texts, STR(" ("));
    if (is_scoped) buf_printf(texts, "scope %.*s", STR_FMT(scope));
    if (is_scoped && is_eligible) buf_add_str(texts, STR(", "));
    if (is_eligible) buf_add_str(texts, x->assignment);
    buf_add_byte(texts, ')');
    if (!texts->failed) graph_put_str(p, buf_str(texts));
}

/* A built-in role's id is its template's; a custom one's template is itself. b->id still is the definition's. */
static void put_role_template(struct graph_put *p, const json_t *v)
{
    if (v)
        graph_put_text(p, v);
    else
        graph_put_str(p, str_from(p->b->id));
}

static void put_role_scope(struct graph_put *p, const json_t *unused)
{
    graph_put_str(p, scope_of(p->x));
}

static void put_role_assignment(struct graph_put *p, const json_t *unused)
{
    graph_put_str(p, assignment_of(p->x));
}

/* --- one object ---------------------------------------------------------------------------------------- */

/* A role of a scope of its own becomes an entity of its own, once the attributes have been written. */
static void set_id(struct graph_body *b, const uint8_t guid[GUID_SIZE])
{
    memmove(b->guid, guid, GUID_SIZE);
    guid_format(b->id, b->guid);
}

static int read_parts(struct graph_body *b, enum kind k, const json_t *const *objects, size_t n, struct err *e)
{
    if (!n) return err_set(e, ERR_PROTO, "a %s without an object", kind_name(k));
    for (size_t i = 0; i < n; i++) {
        uint8_t guid[GUID_SIZE];
        if (!json_is_object(objects[i])) return err_set(e, ERR_PROTO, "something that is no object where a %s belongs", kind_name(k));
        if (!graph_guid(guid, json_object_get(objects[i], "id")))
            return err_set(e, ERR_PROTO, "a %s without an id that is a GUID", kind_name(k));
        if (i && memcmp(guid, b->guid, GUID_SIZE) != 0)
            return err_set(e, ERR_PROTO, "%s %s: the parts are of different objects", kind_name(k), b->id);
        set_id(b, guid);
    }
    return 0;
}

/* The first part that has it; null is as good as absent. */
static const json_t *find(const json_t *const *objects, size_t n, const char *property)
{
    for (size_t i = 0; i < n; i++) {
        const json_t *v = json_object_get(objects[i], property);
        if (v && !json_is_null(v)) return v;
    }
    return NULL;
}

static const json_t *find_field(const struct field *f, const struct graph_put *p, const json_t *const *objects, size_t n)
{
    switch (f->from) {
    case DETAILS:
        return find(&p->x->details, p->x->details != NULL, f->property);
    case SIGN_IN:
        return find(&p->x->sign_in, p->x->sign_in != NULL, f->property);
    default:
        return f->property ? find(objects, n, f->property) : NULL;
    }
}

/* What stands in the object that the property is, or that is the first of its array; NULL if it is absent or no object. */
static const json_t *find_member(const struct field *f, struct graph_put *p, const json_t *v)
{
    bool is_list = f->from == FIRST;
    if (is_list && json_is_array(v)) {
        v = json_array_get(v, 0);
        is_list = false;
    }
    if (!v || json_is_null(v)) return NULL;
    if (!is_list && json_is_object(v)) return find(&v, 1, f->member);
    graph_wrong_type(p, v, is_list ? "an array" : "an object");
    return NULL;
}

static void put_field(const struct field *f, struct graph_put *p, const json_t *const *objects, size_t n)
{
    p->attr = f->attr;
    p->property = f->property ? f->property : attr_get(f->attr)->name;
    const json_t *v = find_field(f, p, objects, n);
    if (v && f->member) v = find_member(f, p, v);
    if (v || f->from == ANY) f->put(p, v);
}

int graph_record(struct record *r, struct graph_body *b, enum kind k, const json_t *const *objects, size_t n, const struct graph_extra *x,
                 struct err *e)
{
    static const struct graph_extra nothing;
    struct graph_put p = {.b = b, .x = x ? x : &nothing};
    try(read_parts(b, k, objects, n, e));
    buf_clear(&b->state);
    buf_clear(&b->stats);
    b->n_wrong = 0;
    b->first_wrong[0] = 0;
    for (const struct field *f = fields; f < fields + n_elements(fields); f++)
        if (f->kinds & KIND_BIT(k)) put_field(f, &p, objects, n);
    if (k == KIND_role) {
        uint8_t guid[GUID_SIZE];
        graph_role_guid(guid, b->guid, p.x->scope, p.x->assignment);
        set_id(b, guid);
    }
    *r = (struct record){.kind = k, .dn = {b->id, GUID_TEXT - 1}, .state = buf_bytes(&b->state), .stats = buf_bytes(&b->stats)};
    memcpy(r->guid, b->guid, GUID_SIZE);
    return 0;
}

/* --- names --------------------------------------------------------------------------------------------- */

enum kind graph_type_kind(const char *odata_type)
{
    static const struct {
        const char *type;
        enum kind kind;
    } types[] = {{"user", KIND_user},
                 {"group", KIND_group},
                 {"device", KIND_device},
                 {"servicePrincipal", KIND_service_principal},
                 {"orgContact", KIND_contact},
                 {"directoryRole", KIND_role},
                 {"unifiedRoleDefinition", KIND_role},
                 {"administrativeUnit", KIND_administrative_unit},
                 {"organization", KIND_tenant}};
    const struct str prefix = STR("#microsoft.graph.");
    struct str s = str_from(odata_type);
    if (!str_starts(s, prefix)) return KIND_NONE;
    for (size_t i = 0; i < n_elements(types); i++)
        if (strcmp(odata_type + prefix.len, types[i].type) == 0) return types[i].kind;
    return KIND_NONE;
}

/* Names of the methods' types and of the report (usageAuthMethod), and what both are called here. A temporary access pass is for hours,
 * to register a real method with; a QR code with its PIN is one factor. */
static const struct {
    const char *name, *kept;
    bool is_second_factor;
} methods[] = {
    {"microsoftAuthenticator", "microsoftAuthenticator", true},
    {"microsoftAuthenticatorPush", "microsoftAuthenticator", true},
    {"microsoftAuthenticatorPasswordless", "microsoftAuthenticator", true},
    {"passwordlessMicrosoftAuthenticator", "microsoftAuthenticator", true},
    {"appNotification", "microsoftAuthenticator", true},
    {"phone", "phone", true},
    {"mobilePhone", "phone", true},
    {"alternateMobilePhone", "phone", true},
    {"officePhone", "phone", true},
    {"mobileSMS", "phone", true},
    {"sms", "phone", true},
    {"mobileCall", "phone", true},
    {"alternateMobileCall", "phone", true},
    {"softwareOath", "softwareOath", true},
    {"softwareOneTimePasscode", "softwareOath", true},
    {"oneTimePasscode", "softwareOath", true},
    {"appCode", "softwareOath", true},
    {"hardwareOath", "hardwareOath", true},
    {"hardwareOneTimePasscode", "hardwareOath", true},
    {"fido2", "fido2", true},
    {"fido", "fido2", true},
    {"fido2SecurityKey", "fido2", true},
    {"passKeyDeviceBound", "fido2", true},
    {"passKeyDeviceBoundAuthenticator", "fido2", true},
    {"passKeyDeviceBoundWindowsHello", "fido2", true},
    {"passKeySynced", "fido2", true},
    {"windowsHelloForBusiness", "windowsHelloForBusiness", true},
    {"platformCredential", "platformCredential", true},
    {"macOsSecureEnclaveKey", "platformCredential", true},
    {"external", "external", true},
    {"externalAuthMethod", "external", true},
    {"temporaryAccessPass", "temporaryAccessPass", false},
    {"qrCodePin", "qrCodePin", false},
    {"qrCode", "qrCodePin", false},
    {"password", "password", false},
    {"appPassword", "appPassword", false},
    {"email", "email", false},
    {"securityQuestion", "securityQuestion", false},
};

struct str graph_method_bare(const char *name)
{
    const struct str prefix = STR("#microsoft.graph."), suffix = STR("AuthenticationMethod");
    struct str s = str_from(name);
    if (!str_starts(s, prefix)) return s;
    s = (struct str){s.ptr + prefix.len, s.len - prefix.len};
    if (s.len > suffix.len && str_equal((struct str){s.ptr + s.len - suffix.len, suffix.len}, suffix)) s.len -= suffix.len;
    return s;
}

const char *graph_method(const char *name, bool *is_second_factor)
{
    struct str bare = graph_method_bare(name);
    *is_second_factor = false;
    for (size_t i = 0; i < n_elements(methods); i++) {
        if (!str_equal_nocase(bare, str_from(methods[i].name))) continue;
        *is_second_factor = methods[i].is_second_factor;
        return methods[i].kept;
    }
    return NULL;
}
