/* attr.h - the attributes rollcall asks for, as one table: name, type, who has it, how it behaves.
 *
 * Names are the schema's lDAPDisplayName (MS-ADA1..3, MS-ADSC); from 200 on Microsoft Graph's property names. A property with the same
 * name and meaning on both sides (displayName, mail, ...) has one row. References to others are of type DN: a distinguished name in
 * Active Directory, an object id in Entra ID. The number is stored in every record:
 * never reuse or change one, add at the end of its block. An attribute is
 *   STATE  part of what the entity is: a difference is a change, reported once;
 *   STAT   what moves by itself (log-on statistics, change stamps): kept fresh, never reported as a change.
 * Keys (objectGUID, objectSid, the DN), memberships (member, memberOf) and nTSecurityDescriptor have places
 * of their own in a record and are not in this table.
 */
#ifndef ROLLCALL_ATTR_H
#define ROLLCALL_ATTR_H

#include "model/kind.h"

enum attr_type {
    ATTR_STRING, /* UTF-8 */
    ATTR_INT,    /* 32 or 64 bit, decimal on the wire */
    ATTR_BOOL,   /* TRUE or FALSE on the wire */
    ATTR_TIME,   /* FILETIME or GeneralizedTime on the wire -> ms UTC; never and 0 are left out */
    ATTR_SPAN,   /* a negative FILETIME interval (maxPwdAge) -> positive ms; never -> 0 */
    ATTR_SID,
    ATTR_GUID,   /* 16 bytes */
    ATTR_DN,     /* UTF-8 */
    ATTR_BINARY,
};

#define K_(k)     KIND_BIT(KIND_##k)
#define K_ALL     KINDS_ALL
#define K_PERSON  (K_(user) | K_(contact))
#define K_ACCOUNT (K_(user) | K_(computer) | K_(service_account))
#define K_NAMED   (K_ACCOUNT | K_(group))
#define K_PLACE   (K_(ou) | K_(domain))

/* id, number, name, type, many values?, STATE|STAT, kinds of Active Directory that have it */
#define ATTRS(X)                                                                                             \
    X(OBJECT_CLASS, 1, "objectClass", STRING, 1, STATE, K_ALL)                                               \
    X(CN, 2, "cn", STRING, 0, STATE, K_ALL & ~(K_(ou) | K_(domain)))                                         \
    X(NAME, 3, "name", STRING, 0, STATE, K_ALL)                                                              \
    X(DESCRIPTION, 4, "description", STRING, 1, STATE, K_ALL)                                                \
    X(DISPLAY_NAME, 5, "displayName", STRING, 0, STATE, K_ALL & ~K_(foreign_principal))                      \
    X(WHEN_CREATED, 6, "whenCreated", TIME, 0, STATE, K_ALL)                                                 \
    X(WHEN_CHANGED, 7, "whenChanged", TIME, 0, STAT, K_ALL)                                                  \
    X(USN_CHANGED, 8, "uSNChanged", INT, 0, STAT, K_ALL)                                                     \
    X(ADMIN_COUNT, 9, "adminCount", INT, 0, STATE, K_NAMED)                                                  \
    X(MANAGED_BY, 10, "managedBy", DN, 0, STATE, K_(group) | K_(computer) | K_(ou))                          \
    X(SAM_ACCOUNT_NAME, 20, "sAMAccountName", STRING, 0, STATE, K_NAMED)                                     \
    X(SAM_ACCOUNT_TYPE, 21, "sAMAccountType", INT, 0, STATE, K_NAMED)                                        \
    X(USER_PRINCIPAL_NAME, 22, "userPrincipalName", STRING, 0, STATE, K_ACCOUNT)                             \
    X(USER_ACCOUNT_CONTROL, 23, "userAccountControl", INT, 0, STATE, K_ACCOUNT)                              \
    X(PRIMARY_GROUP_ID, 24, "primaryGroupID", INT, 0, STATE, K_ACCOUNT)                                      \
    X(PWD_LAST_SET, 25, "pwdLastSet", TIME, 0, STATE, K_ACCOUNT)                                             \
    X(ACCOUNT_EXPIRES, 26, "accountExpires", TIME, 0, STATE, K_ACCOUNT)                                      \
    X(LOCKOUT_TIME, 27, "lockoutTime", TIME, 0, STATE, K_ACCOUNT)                                            \
    X(LAST_LOGON, 28, "lastLogon", TIME, 0, STAT, K_ACCOUNT)                                                 \
    X(LAST_LOGON_TIMESTAMP, 29, "lastLogonTimestamp", TIME, 0, STAT, K_ACCOUNT)                              \
    X(LOGON_COUNT, 30, "logonCount", INT, 0, STAT, K_ACCOUNT)                                                \
    X(BAD_PWD_COUNT, 31, "badPwdCount", INT, 0, STAT, K_ACCOUNT)                                             \
    X(BAD_PASSWORD_TIME, 32, "badPasswordTime", TIME, 0, STAT, K_ACCOUNT)                                    \
    X(PASSWORD_EXPIRY, 33, "msDS-UserPasswordExpiryTimeComputed", TIME, 0, STAT, K_(user))                   \
    X(SID_HISTORY, 34, "sIDHistory", SID, 1, STATE, K_NAMED)                                                 \
    X(SERVICE_PRINCIPAL_NAME, 35, "servicePrincipalName", STRING, 1, STATE, K_ACCOUNT)                       \
    X(ALLOWED_TO_DELEGATE_TO, 36, "msDS-AllowedToDelegateTo", STRING, 1, STATE, K_ACCOUNT)                   \
    X(ALLOWED_TO_ACT, 37, "msDS-AllowedToActOnBehalfOfOtherIdentity", BINARY, 0, STATE, K_ACCOUNT)           \
    X(ENC_TYPES, 38, "msDS-SupportedEncryptionTypes", INT, 0, STATE, K_ACCOUNT)                              \
    X(KEY_CREDENTIAL_LINK, 39, "msDS-KeyCredentialLink", STRING, 1, STATE, K_(user) | K_(computer))          \
    X(USER_WORKSTATIONS, 40, "userWorkstations", STRING, 0, STATE, K_(user))                                 \
    X(CONSISTENCY_GUID, 41, "mS-DS-ConsistencyGuid", BINARY, 0, STATE, K_(user) | K_(group))                 \
    X(UAC_COMPUTED, 42, "msDS-User-Account-Control-Computed", INT, 0, STAT, K_(user)) /* of locked ones only: costly */ \
    X(GIVEN_NAME, 50, "givenName", STRING, 0, STATE, K_PERSON)                                               \
    X(SN, 51, "sn", STRING, 0, STATE, K_PERSON)                                                              \
    X(INITIALS, 52, "initials", STRING, 0, STATE, K_PERSON)                                                  \
    X(MAIL, 53, "mail", STRING, 0, STATE, K_PERSON | K_(group))                                              \
    X(MAIL_NICKNAME, 54, "mailNickname", STRING, 0, STATE, K_PERSON | K_(group))                             \
    X(PROXY_ADDRESSES, 55, "proxyAddresses", STRING, 1, STATE, K_PERSON | K_(group))                         \
    X(TARGET_ADDRESS, 56, "targetAddress", STRING, 0, STATE, K_PERSON)                                       \
    X(FORWARDING_ADDRESS, 57, "msExchGenericForwardingAddress", STRING, 0, STATE, K_(user))                  \
    X(OTHER_MAILBOX, 58, "otherMailbox", STRING, 1, STATE, K_PERSON)                                         \
    X(TELEPHONE_NUMBER, 59, "telephoneNumber", STRING, 0, STATE, K_PERSON)                                   \
    X(MOBILE, 60, "mobile", STRING, 0, STATE, K_PERSON)                                                      \
    X(TITLE, 61, "title", STRING, 0, STATE, K_PERSON)                                                        \
    X(DEPARTMENT, 62, "department", STRING, 0, STATE, K_PERSON)                                              \
    X(COMPANY, 63, "company", STRING, 0, STATE, K_PERSON)                                                    \
    X(OFFICE, 64, "physicalDeliveryOfficeName", STRING, 0, STATE, K_PERSON)                                  \
    X(L, 65, "l", STRING, 0, STATE, K_PERSON | K_(ou))                                                       \
    X(ST, 66, "st", STRING, 0, STATE, K_PERSON | K_(ou))                                                     \
    X(POSTAL_CODE, 67, "postalCode", STRING, 0, STATE, K_PERSON | K_(ou))                                    \
    X(STREET_ADDRESS, 68, "streetAddress", STRING, 0, STATE, K_PERSON)                                       \
    X(C, 69, "c", STRING, 0, STATE, K_PERSON | K_(ou))                                                       \
    X(CO, 70, "co", STRING, 0, STATE, K_PERSON)                                                              \
    X(COUNTRY_CODE, 71, "countryCode", INT, 0, STATE, K_PERSON)                                              \
    X(EMPLOYEE_ID, 72, "employeeID", STRING, 0, STATE, K_PERSON)                                             \
    X(EMPLOYEE_NUMBER, 73, "employeeNumber", STRING, 0, STATE, K_PERSON)                                     \
    X(EMPLOYEE_TYPE, 74, "employeeType", STRING, 0, STATE, K_PERSON)                                         \
    X(MANAGER, 75, "manager", DN, 0, STATE, K_PERSON)                                                        \
    X(GROUP_TYPE, 90, "groupType", INT, 0, STATE, K_(group))                                                 \
    X(INFO, 91, "info", STRING, 0, STATE, K_(group))                                                         \
    X(DNS_HOST_NAME, 100, "dNSHostName", STRING, 0, STATE, K_(computer) | K_(service_account))               \
    X(OPERATING_SYSTEM, 101, "operatingSystem", STRING, 0, STATE, K_(computer))                              \
    X(OPERATING_SYSTEM_VERSION, 102, "operatingSystemVersion", STRING, 0, STATE, K_(computer))               \
    X(OPERATING_SYSTEM_SP, 103, "operatingSystemServicePack", STRING, 0, STATE, K_(computer))                \
    X(LOCATION, 104, "location", STRING, 0, STATE, K_(computer))                                             \
    X(NETBOOT_GUID, 105, "netbootGUID", GUID, 0, STATE, K_(computer))                                        \
    X(GMSA_MEMBERSHIP, 106, "msDS-GroupMSAMembership", BINARY, 0, STATE, K_(service_account))                \
    X(PASSWORD_INTERVAL, 107, "msDS-ManagedPasswordInterval", INT, 0, STATE, K_(service_account))            \
    X(HOST_SERVICE_ACCOUNT_BL, 108, "msDS-HostServiceAccountBL", DN, 1, STATE, K_(service_account))          \
    X(OU, 120, "ou", STRING, 0, STATE, K_(ou))                                                               \
    X(GP_LINK, 121, "gPLink", STRING, 0, STATE, K_PLACE)                                                     \
    X(GP_OPTIONS, 122, "gPOptions", INT, 0, STATE, K_PLACE)                                                  \
    X(DC, 130, "dc", STRING, 0, STATE, K_(domain))                                                           \
    X(MAX_PWD_AGE, 131, "maxPwdAge", SPAN, 0, STATE, K_(domain))                                             \
    X(MIN_PWD_AGE, 132, "minPwdAge", SPAN, 0, STATE, K_(domain))                                             \
    X(MIN_PWD_LENGTH, 133, "minPwdLength", INT, 0, STATE, K_(domain))                                        \
    X(PWD_HISTORY_LENGTH, 134, "pwdHistoryLength", INT, 0, STATE, K_(domain))                                \
    X(PWD_PROPERTIES, 135, "pwdProperties", INT, 0, STATE, K_(domain))                                       \
    X(LOCKOUT_THRESHOLD, 136, "lockoutThreshold", INT, 0, STATE, K_(domain))                                 \
    X(LOCKOUT_DURATION, 137, "lockoutDuration", SPAN, 0, STATE, K_(domain))                                  \
    X(LOCKOUT_WINDOW, 138, "lockOutObservationWindow", SPAN, 0, STATE, K_(domain))                           \
    X(BEHAVIOR_VERSION, 139, "msDS-Behavior-Version", INT, 0, STATE, K_(domain))                             \
    X(MACHINE_ACCOUNT_QUOTA, 140, "ms-DS-MachineAccountQuota", INT, 0, STATE, K_(domain))                    \
    X(LOGON_SYNC_INTERVAL, 141, "msDS-LogonTimeSyncInterval", INT, 0, STATE, K_(domain))                     \
    X(FOREST_FUNCTIONALITY, 142, "forestFunctionality", INT, 0, STATE, K_(domain)) /* from the root DSE */   \
    X(TRUST_PARTNER, 150, "trustPartner", STRING, 0, STATE, K_(trust))                                       \
    X(TRUST_DIRECTION, 151, "trustDirection", INT, 0, STATE, K_(trust))                                      \
    X(TRUST_TYPE, 152, "trustType", INT, 0, STATE, K_(trust))                                                \
    X(TRUST_ATTRIBUTES, 153, "trustAttributes", INT, 0, STATE, K_(trust))                                    \
    X(FLAT_NAME, 154, "flatName", STRING, 0, STATE, K_(trust))                                               \
    X(TRUST_SID, 155, "securityIdentifier", SID, 0, STATE, K_(trust))                                        \
    X(GPC_FILE_SYS_PATH, 160, "gPCFileSysPath", STRING, 0, STATE, K_(group_policy))                          \
    X(VERSION_NUMBER, 161, "versionNumber", INT, 0, STATE, K_(group_policy))                                 \
    X(FLAGS, 162, "flags", INT, 0, STATE, K_(group_policy))                                                  \
    X(HIDDEN_PRIVILEGES, 180, "privilegesThroughHiddenGroups", INT, 0, STATE, 0) /* run/backlinks.h; never asked for */ \
    /* Entra ID, as Microsoft Graph names them; source/graph/graph_fields.c says which kind has which */     \
    X(ACCOUNT_ENABLED, 200, "accountEnabled", BOOL, 0, STATE, 0)                                             \
    X(USER_TYPE, 201, "userType", STRING, 0, STATE, 0)                                                       \
    X(JOB_TITLE, 202, "jobTitle", STRING, 0, STATE, 0)                                                       \
    X(SURNAME, 203, "surname", STRING, 0, STATE, 0)                                                          \
    X(COMPANY_NAME, 204, "companyName", STRING, 0, STATE, 0)                                                 \
    X(OFFICE_LOCATION, 205, "officeLocation", STRING, 0, STATE, 0)                                           \
    X(GRAPH_EMPLOYEE_ID, 206, "employeeId", STRING, 0, STATE, 0)                                             \
    X(CREATED, 207, "createdDateTime", TIME, 0, STATE, 0)                                                    \
    X(IS_RESTRICTED, 208, "isManagementRestricted", BOOL, 0, STATE, 0)                                       \
    X(EXTERNAL_USER_STATE, 209, "externalUserState", STRING, 0, STATE, 0)                                    \
    X(CREATION_TYPE, 210, "creationType", STRING, 0, STATE, 0)                                               \
    X(OTHER_MAILS, 211, "otherMails", STRING, 1, STATE, 0)                                                   \
    X(IDENTITIES, 212, "identities", STRING, 1, STATE, 0)                                                    \
    X(LAST_PASSWORD_CHANGE, 213, "lastPasswordChangeDateTime", TIME, 0, STATE, 0)                            \
    X(PASSWORD_POLICIES, 214, "passwordPolicies", STRING, 0, STATE, 0)                                       \
    X(ASSIGNED_LICENSES, 215, "assignedLicenses", STRING, 1, STATE, 0)                                       \
    X(HIRE_DATE, 216, "employeeHireDate", TIME, 0, STATE, 0)                                                 \
    X(ENTRA_SID, 217, "securityIdentifier", SID, 0, STATE, 0)                                                \
    X(CERTIFICATE_USER_IDS, 218, "certificateUserIds", STRING, 1, STATE, 0)                                  \
    X(SYNC_ENABLED, 219, "onPremisesSyncEnabled", BOOL, 0, STATE, 0)                                         \
    X(LAST_SYNC, 220, "onPremisesLastSyncDateTime", TIME, 0, STAT, 0)                                        \
    X(ON_PREMISES_SID, 221, "onPremisesSecurityIdentifier", SID, 0, STATE, 0)                                \
    X(IMMUTABLE_ID, 222, "onPremisesImmutableId", STRING, 0, STATE, 0)                                       \
    X(ON_PREMISES_DN, 223, "onPremisesDistinguishedName", STRING, 0, STATE, 0)                               \
    X(ON_PREMISES_DOMAIN, 224, "onPremisesDomainName", STRING, 0, STATE, 0)                                  \
    X(ON_PREMISES_SAM, 225, "onPremisesSamAccountName", STRING, 0, STATE, 0)                                 \
    X(ON_PREMISES_UPN, 226, "onPremisesUserPrincipalName", STRING, 0, STATE, 0)                              \
    X(ON_PREMISES_NETBIOS, 227, "onPremisesNetBiosName", STRING, 0, STATE, 0)                                \
    X(BUSINESS_PHONES, 228, "businessPhones", STRING, 1, STATE, 0)                                           \
    X(MOBILE_PHONE, 229, "mobilePhone", STRING, 0, STATE, 0)                                                 \
    X(CITY, 230, "city", STRING, 0, STATE, 0)                                                                \
    X(STATE, 231, "state", STRING, 0, STATE, 0)                                                              \
    X(COUNTRY, 232, "country", STRING, 0, STATE, 0)                                                          \
    X(USAGE_LOCATION, 233, "usageLocation", STRING, 0, STATE, 0)                                             \
    X(COST_CENTER, 234, "costCenter", STRING, 0, STATE, 0)                                                   \
    X(GROUP_TYPES, 240, "groupTypes", STRING, 1, STATE, 0)                                                   \
    X(SECURITY_ENABLED, 241, "securityEnabled", BOOL, 0, STATE, 0)                                           \
    X(MAIL_ENABLED, 242, "mailEnabled", BOOL, 0, STATE, 0)                                                   \
    X(VISIBILITY, 243, "visibility", STRING, 0, STATE, 0)                                                    \
    X(IS_ASSIGNABLE_TO_ROLE, 244, "isAssignableToRole", BOOL, 0, STATE, 0)                                   \
    X(MEMBERSHIP_RULE, 245, "membershipRule", STRING, 0, STATE, 0)                                           \
    X(RENEWED, 246, "renewedDateTime", TIME, 0, STATE, 0)                                                    \
    X(EXPIRATION, 247, "expirationDateTime", TIME, 0, STATE, 0)                                              \
    X(UNIQUE_NAME, 248, "uniqueName", STRING, 0, STATE, 0)                                                   \
    X(OWNERS, 249, "owners", DN, 1, STATE, 0)                                                                \
    X(PROVISIONING_OPTIONS, 250, "resourceProvisioningOptions", STRING, 1, STATE, 0)                         \
    X(ROLE_TEMPLATE_ID, 255, "roleTemplateId", STRING, 0, STATE, 0)                                          \
    X(IS_BUILT_IN, 256, "isBuiltIn", BOOL, 0, STATE, 0)                                                      \
    X(IS_ENABLED, 257, "isEnabled", BOOL, 0, STATE, 0)                                                       \
    X(DIRECTORY_SCOPE_ID, 258, "directoryScopeId", STRING, 0, STATE, 0)                                      \
    X(ASSIGNMENT_TYPE, 259, "assignmentType", STRING, 0, STATE, 0)                                           \
    X(DEVICE_ID, 262, "deviceId", STRING, 0, STATE, 0)                                                       \
    X(DEVICE_OWNERSHIP, 263, "deviceOwnership", STRING, 0, STATE, 0)                                         \
    X(IS_COMPLIANT, 264, "isCompliant", BOOL, 0, STATE, 0)                                                   \
    X(IS_MANAGED, 265, "isManaged", BOOL, 0, STATE, 0)                                                       \
    X(MANUFACTURER, 266, "manufacturer", STRING, 0, STATE, 0)                                                \
    X(MODEL, 267, "model", STRING, 0, STATE, 0)                                                              \
    X(PROFILE_TYPE, 268, "profileType", STRING, 0, STATE, 0)                                                 \
    X(DEVICE_TRUST_TYPE, 269, "trustType", STRING, 0, STATE, 0)                                              \
    X(APPROXIMATE_LAST_SIGN_IN, 270, "approximateLastSignInDateTime", TIME, 0, STAT, 0)                      \
    X(REGISTRATION, 271, "registrationDateTime", TIME, 0, STATE, 0)                                          \
    X(MANAGEMENT_TYPE, 272, "managementType", STRING, 0, STATE, 0)                                           \
    X(APP_ID, 275, "appId", STRING, 0, STATE, 0)                                                             \
    X(APP_DISPLAY_NAME, 276, "appDisplayName", STRING, 0, STATE, 0)                                          \
    X(APP_OWNER_ORGANIZATION, 277, "appOwnerOrganizationId", STRING, 0, STATE, 0)                            \
    X(SERVICE_PRINCIPAL_TYPE, 278, "servicePrincipalType", STRING, 0, STATE, 0)                              \
    X(SERVICE_PRINCIPAL_NAMES, 279, "servicePrincipalNames", STRING, 1, STATE, 0)                            \
    X(SIGN_IN_AUDIENCE, 280, "signInAudience", STRING, 0, STATE, 0)                                          \
    X(TAGS, 281, "tags", STRING, 1, STATE, 0)                                                                \
    X(PASSWORD_CREDENTIALS, 282, "passwordCredentials", STRING, 1, STATE, 0)                                 \
    X(KEY_CREDENTIALS, 283, "keyCredentials", STRING, 1, STATE, 0)                                           \
    X(DISABLED_BY_MICROSOFT, 284, "disabledByMicrosoftStatus", STRING, 0, STATE, 0)                          \
    X(ALTERNATIVE_NAMES, 285, "alternativeNames", STRING, 1, STATE, 0)                                       \
    X(VERIFIED_DOMAINS, 290, "verifiedDomains", STRING, 1, STATE, 0)                                         \
    X(DEFAULT_DOMAIN, 291, "defaultDomain", STRING, 0, STATE, 0)                                             \
    X(TENANT_TYPE, 292, "tenantType", STRING, 0, STATE, 0)                                                   \
    X(ASSIGNED_PLANS, 293, "assignedPlans", STRING, 1, STATE, 0)                                             \
    X(FEDERATED_DOMAINS, 294, "federatedDomains", STRING, 1, STATE, 0)                                       \
    X(IS_MEMBER_RESTRICTED, 295, "isMemberManagementRestricted", BOOL, 0, STATE, 0)                          \
    X(MEMBERSHIP_TYPE, 296, "membershipType", STRING, 0, STATE, 0)                                           \
    X(COUNTRY_LETTER_CODE, 297, "countryLetterCode", STRING, 0, STATE, 0)                                    \
    X(IS_MFA_REGISTERED, 300, "isMfaRegistered", BOOL, 0, STATE, 0)                                          \
    X(IS_MFA_CAPABLE, 301, "isMfaCapable", BOOL, 0, STATE, 0)                                                \
    X(IS_PASSWORDLESS_CAPABLE, 302, "isPasswordlessCapable", BOOL, 0, STATE, 0)                              \
    X(IS_SSPR_REGISTERED, 303, "isSsprRegistered", BOOL, 0, STATE, 0)                                        \
    X(METHODS_REGISTERED, 304, "methodsRegistered", STRING, 1, STATE, 0)                                     \
    X(PREFERRED_METHOD, 305, "userPreferredMethodForSecondaryAuthentication", STRING, 0, STATE, 0)           \
    X(MFA_SOURCE, 306, "mfaSource", STRING, 0, STAT, 0)                                                      \
    X(MFA_LAST_UPDATED, 307, "lastUpdatedDateTime", TIME, 0, STAT, 0)                                        \
    X(LAST_SIGN_IN, 310, "lastSignInDateTime", TIME, 0, STAT, 0)                                             \
    X(LAST_NON_INTERACTIVE, 311, "lastNonInteractiveSignInDateTime", TIME, 0, STAT, 0)                       \
    X(LAST_SUCCESSFUL_SIGN_IN, 312, "lastSuccessfulSignInDateTime", TIME, 0, STAT, 0)

enum attr {
    ATTR_NONE = 0,
#define X(id, number, ...) ATTR_##id = number,
    ATTRS(X)
#undef X
    ATTR_CUSTOM = 500,       /* a custom property: its name and type travel with the value */
    ATTR_INDEX_SIZE = 320,   /* every number above but ATTR_CUSTOM is below this */
};

struct attr_info {
    enum attr id;
    const char *name;
    enum attr_type type;
    bool is_multi, is_stat;
    kind_set kinds;
    size_t name_len;
};

/* In order of number. */
extern const struct attr_info attr_table[];
extern const size_t n_attr_table;

const struct attr_info *attr_get(enum attr id);          /* NULL if unknown */
const struct attr_info *attr_find(struct str ldap_name); /* case-insensitive; NULL if unknown */
/* Names of custom_properties types: string string_list integer boolean timestamp binary. */
bool attr_custom_type_parse(enum attr_type *out, bool *is_multi, struct str name);

#endif
