#include "map/sample.h"

#define SID(rid)   "S-1-5-21-1144201745-947349077-482060953-" #rid
#define STAFF      "OU=Staff,DC=corp,DC=example"
#define GLOBAL     (-2147483646)
#define DOMAIN_LOC (-2147483644)

static struct sample *user(uint32_t number, const char *sid, const char *sam, const char *dn)
{
    struct sample *a = sample_new(KIND_user, number, sid, dn);
    static const char *const classes[] = {"organizationalPerson", "person", "top", "user"};
    for (size_t i = 0; i < n_elements(classes); i++) sample_text(a, ATTR_OBJECT_CLASS, classes[i]);
    sample_text(a, ATTR_SAM_ACCOUNT_NAME, sam);
    sample_int(a, ATTR_USER_ACCOUNT_CONTROL, 0x200);
    sample_int(a, ATTR_PRIMARY_GROUP_ID, 513);
    sample_time(a, ATTR_WHEN_CREATED, "2019-03-04T05:06:07Z");
    sample_time(a, ATTR_WHEN_CHANGED, "2025-12-24T18:00:00Z");
    sample_in_group(a, 513, SID(513), "Domain Users", GLOBAL, "All domain users");
    a->groups[0].via = "primary_group";
    return a;
}

struct sample *sample_typical_user(void)
{
    struct sample *a = user(1104, SID(1104), "aliddell", "CN=Alice Liddell," STAFF);
    static const struct {
        enum attr id;
        const char *text;
    } texts[] = {
        {ATTR_CN, "Alice Liddell"},
        {ATTR_NAME, "Alice Liddell"},
        {ATTR_DESCRIPTION, "Payroll, second floor"},
        {ATTR_DISPLAY_NAME, "Alice Liddell"},
        {ATTR_USER_PRINCIPAL_NAME, "alice.liddell@corp.example"},
        {ATTR_SERVICE_PRINCIPAL_NAME, "HTTP/payroll.corp.example"},
        {ATTR_GIVEN_NAME, "Alice"},
        {ATTR_SN, "Liddell"},
        {ATTR_INITIALS, "AL"},
        {ATTR_MAIL, "Alice.Liddell@corp.example"},
        {ATTR_MAIL_NICKNAME, "aliddell"},
        {ATTR_PROXY_ADDRESSES, "SMTP:alice.liddell@corp.example"},
        {ATTR_PROXY_ADDRESSES, "smtp:alice@corp.example"},
        {ATTR_PROXY_ADDRESSES, "x500:/o=Corp/ou=First/cn=Recipients/cn=aliddell"},
        {ATTR_TARGET_ADDRESS, "SMTP:alice@elsewhere.example"},
        {ATTR_OTHER_MAILBOX, "alice@home.example"},
        {ATTR_TELEPHONE_NUMBER, "+44 1865 276150"},
        {ATTR_MOBILE, "+44 7700 900123"},
        {ATTR_TITLE, "Payroll Officer"},
        {ATTR_DEPARTMENT, "Finance"},
        {ATTR_COMPANY, "Wonderland Ltd"},
        {ATTR_OFFICE, "Oxford 2.14"},
        {ATTR_L, "Oxford"},
        {ATTR_ST, "Oxfordshire"},
        {ATTR_POSTAL_CODE, "OX1 1DP"},
        {ATTR_STREET_ADDRESS, "St Aldate's"},
        {ATTR_C, "GB"},
        {ATTR_CO, "United Kingdom"},
        {ATTR_EMPLOYEE_ID, "100427"},
        {ATTR_EMPLOYEE_NUMBER, "427"},
        {ATTR_EMPLOYEE_TYPE, "employee"},
        {ATTR_MANAGER, "CN=Charles Dodgson," STAFF},
    };
    static const struct {
        enum attr id;
        const char *rfc3339;
    } times[] = {
        {ATTR_PWD_LAST_SET, "2025-12-01T08:00:00Z"},      {ATTR_ACCOUNT_EXPIRES, "2027-01-01T00:00:00Z"},
        {ATTR_LAST_LOGON, "2025-12-31T16:45:12.345Z"},    {ATTR_LAST_LOGON_TIMESTAMP, "2025-12-20T07:12:00Z"},
        {ATTR_BAD_PASSWORD_TIME, "2025-12-30T08:01:00Z"}, {ATTR_PASSWORD_EXPIRY, "2026-01-12T08:00:00Z"},
    };
    for (size_t i = 0; i < n_elements(texts); i++) sample_text(a, texts[i].id, texts[i].text);
    for (size_t i = 0; i < n_elements(times); i++) sample_time(a, times[i].id, times[i].rfc3339);
    sample_int(a, ATTR_USN_CHANGED, 1234567);
    sample_int(a, ATTR_SAM_ACCOUNT_TYPE, 805306368);
    sample_int(a, ATTR_LOGON_COUNT, 4711);
    sample_int(a, ATTR_BAD_PWD_COUNT, 1);
    sample_int(a, ATTR_COUNTRY_CODE, 826);
    sample_int(a, ATTR_ENC_TYPES, 0x18);
    sample_sid(a, ATTR_SID_HISTORY, "S-1-5-21-9-8-7-1104");
    sample_in_group(a, 1201, SID(1201), "Payroll", GLOBAL, "People who run the payroll");
    sample_in_group(a, 1202, SID(1202), "Oxford", DOMAIN_LOC, "Everyone in the Oxford office");
    sample_in_group(a, 1203, SID(1203), "Printer Oxford 2", DOMAIN_LOC, "");
    sample_manager(a, KIND_user, 1105, SID(1105), "cdodgson", "CN=Charles Dodgson," STAFF);
    sample_parent(a, 40, STAFF);
    return a;
}

/* --- users --------------------------------------------------------------------------------------- */
static struct sample *admin(void)
{
    struct sample *a = sample_typical_user();
    sample_in_group(a, 512, SID(512), "Domain Admins", GLOBAL, "Designated administrators of the domain");
    sample_int(a, ATTR_ADMIN_COUNT, 1);
    sample_custom(a, "badgeNumber", "B-0042");
    sample_custom(a, "time", "a property with an awkward name");
    sample_subject(a, PRIV_DOMAIN_ADMIN | PRIV_FULL_ADMIN | PRIV_PROTECTED);
    return a;
}

static struct sample *bare_user(void)
{
    struct sample *a = sample_new(KIND_user, 1106, SID(1106), "CN=bare,CN=Users,DC=corp,DC=example");
    sample_text(a, ATTR_SAM_ACCOUNT_NAME, "bare");
    a->s.first_seen_ms = a->s.last_changed_ms = 0;
    sample_subject(a, 0);
    return a;
}

static struct sample *hostile_user(void)
{
    struct sample *a = user(1107, SID(1107), "o'brien", "CN=O\\\"Brien\\, \xe2\x80\xa8Miles," STAFF);
    char long_name[257];
    memset(long_name, 'W', 256);
    long_name[256] = 0;
    sample_text(a, ATTR_CN, "O\"Brien, \xe2\x80\xa8Miles");
    sample_text(a, ATTR_DISPLAY_NAME, "=cmd|'/c calc'!A1");
    sample_text(a, ATTR_GIVEN_NAME, "Miles \\ \xf0\x9f\x91\xbe \"the\" \xe2\x80\xa9");
    sample_text(a, ATTR_SN, "O'Brien");
    sample_text(a, ATTR_USER_PRINCIPAL_NAME, "o'brien@CORP.example");
    sample_text(a, ATTR_MAIL, "o'brien@corp.example");
    sample_text(a, ATTR_DESCRIPTION, "two\r\nlines\tand \x01 \x1f \x7f \xc2\x85 controls");
    sample_text(a, ATTR_TITLE, "n/a");
    sample_text(a, ATTR_DEPARTMENT, "+Research; Development\\");
    sample_text(a, ATTR_COMPANY, "-");
    sample_text(a, ATTR_OFFICE, long_name);
    sample_text(a, ATTR_C, "France");
    sample_text(a, ATTR_TELEPHONE_NUMBER, "@SUM(1+1)");
    sample_text(a, ATTR_MOBILE, "\t555");
    sample_text(a, ATTR_EMPLOYEE_ID, "-1");
    sample_text(a, ATTR_PROXY_ADDRESSES, "smtp:not an address");
    sample_text(a, ATTR_MANAGER, "CN=Nobody\\, Known," STAFF);
    sample_time(a, ATTR_ACCOUNT_EXPIRES, "9999-12-31T23:59:59Z");
    sample_in_group(a, 1204, SID(1204), "\"quoted\", group", GLOBAL, "n/a");
    sample_custom(a, "note", "; = \\ \"");
    sample_subject(a, 0);
    return a;
}

/* MS-ADTS 2.2.20: version 0x200, key id, usage NGC, last logon 2025-01-01. */
#define KEY_CREDENTIAL                                                                                       \
    "B:108:0002000020000100010203040506070809"                                                               \
    "0a0b0c0d0e0f101112131415161718191a1b1c1d1e1f010004010800"                                               \
    "080040ba19e05bdb01:CN=x"

static struct sample *locked_user(void)
{
    struct sample *a = user(1108, SID(1108), "locked", "CN=locked," STAFF);
    a->n[ATTR_USER_ACCOUNT_CONTROL] = 0;
    buf_clear(&a->entry[ATTR_USER_ACCOUNT_CONTROL]);
    sample_int(a, ATTR_USER_ACCOUNT_CONTROL, 0x200 | 0x2 | 0x20 | 0x10000 | 0x400000 | 0x1000000);
    sample_int(a, ATTR_LOCKOUT_TIME, SAMPLE_NOW - 60000);
    sample_int(a, ATTR_BAD_PWD_COUNT, 5);
    sample_text(a, ATTR_KEY_CREDENTIAL_LINK, KEY_CREDENTIAL);
    sample_text(a, ATTR_KEY_CREDENTIAL_LINK, "B:4:zz00:CN=broken");
    sample_text(a, ATTR_ALLOWED_TO_DELEGATE_TO, "cifs/fs1.corp.example");
    sample_text(a, ATTR_USER_WORKSTATIONS, "PC1,PC2");
    sample_bytes(a, ATTR_CONSISTENCY_GUID, (struct bytes){(const uint8_t *)"0123456789abcdef", 16});
    a->s.deleted_ms = SAMPLE_NOW - 1000;
    sample_subject(a, 0);
    return a;
}

static struct sample *krbtgt(void)
{
    struct sample *a = user(502, SID(502), "krbtgt", "CN=krbtgt,CN=Users,DC=corp,DC=example");
    sample_text(a, ATTR_SERVICE_PRINCIPAL_NAME, "kadmin/changepw");
    sample_subject(a, PRIV_PROTECTED);
    return a;
}

/* Owner Administrators, one ACE: allow S-1-5-21-1-2-3-1105 everything. */
static const uint8_t readers[] = {
    1, 0, 4,  0x80, 20, 0, 0, 0, 0,  0, 0,  0, 0,   0, 0,  0, 36, 0, 0, 0, /* header */
    1, 2, 0,  0,    0,  0, 0, 5, 32, 0, 0,  0, 32,  2, 0,  0,              /* owner */
    2, 0, 44, 0,    1,  0, 0, 0, 0,  0, 36, 0, 255, 1, 15, 0,              /* DACL, ACE */
    1, 5, 0,  0,    0,  0, 0, 5, 21, 0, 0,  0, 1,   0, 0,  0, 2,  0, 0, 0,
    3, 0, 0,  0,    81, 4, 0, 0, /* trustee */
};

static struct sample *service_account(void)
{
    struct sample *a = sample_new(KIND_service_account, 1109, SID(1109),
                                  "CN=web,CN=Managed Service Accounts,DC=corp,DC=example");
    sample_text(a, ATTR_OBJECT_CLASS, "computer");
    sample_text(a, ATTR_OBJECT_CLASS, "msDS-GroupManagedServiceAccount");
    sample_text(a, ATTR_SAM_ACCOUNT_NAME, "web$");
    sample_text(a, ATTR_DNS_HOST_NAME, "web.corp.example");
    sample_int(a, ATTR_USER_ACCOUNT_CONTROL, 0x1000);
    sample_int(a, ATTR_PASSWORD_INTERVAL, 30);
    sample_bytes(a, ATTR_GMSA_MEMBERSHIP, (struct bytes){readers, sizeof readers});
    sample_text(a, ATTR_HOST_SERVICE_ACCOUNT_BL, "CN=SRV1,OU=Servers,DC=corp,DC=example");
    sample_in_group(a, 515, SID(515), "Domain Computers", GLOBAL, "");
    sample_subject(a, 0);
    return a;
}

/* --- computers ----------------------------------------------------------------------------------- */
static struct sample *computer(uint32_t number, const char *sid, const char *sam, const char *dn, int64_t uac)
{
    struct sample *a = sample_new(KIND_computer, number, sid, dn);
    sample_text(a, ATTR_OBJECT_CLASS, "computer");
    sample_text(a, ATTR_OBJECT_CLASS, "user");
    sample_text(a, ATTR_SAM_ACCOUNT_NAME, sam);
    sample_int(a, ATTR_USER_ACCOUNT_CONTROL, uac);
    sample_time(a, ATTR_WHEN_CREATED, "2020-01-02T03:04:05Z");
    return a;
}

static struct sample *domain_controller(void)
{
    struct sample *a =
        computer(1000, SID(1000), "DC1$", "CN=DC1,OU=Domain Controllers,DC=corp,DC=example", 0x82000);
    sample_text(a, ATTR_DNS_HOST_NAME, "dc1.corp.example");
    sample_text(a, ATTR_OPERATING_SYSTEM, "Windows Server 2022 Datacenter");
    sample_text(a, ATTR_OPERATING_SYSTEM_VERSION, "10.0 (20348)");
    sample_text(a, ATTR_SERVICE_PRINCIPAL_NAME, "HOST/dc1.corp.example");
    sample_text(a, ATTR_SERVICE_PRINCIPAL_NAME, "ldap/dc1.corp.example");
    sample_time(a, ATTR_LAST_LOGON, "2025-12-31T23:00:00Z");
    sample_bytes(a, ATTR_NETBOOT_GUID, (struct bytes){(const uint8_t *)"fedcba9876543210", 16});
    sample_in_group(a, 516, SID(516), "Domain Controllers", GLOBAL, "All domain controllers in the domain");
    sample_managed_by(a, KIND_user, 1104, SID(1104), "aliddell", "CN=Alice Liddell," STAFF);
    sample_text(a, ATTR_MANAGED_BY, "CN=Alice Liddell," STAFF);
    sample_subject(a, PRIV_PROTECTED);
    return a;
}

static struct sample *workstation(void)
{
    struct sample *a = computer(1110, SID(1110), "PC_7$", "CN=PC_7,OU=PCs,DC=corp,DC=example", 0x1000);
    sample_text(a, ATTR_DNS_HOST_NAME, "pc_7.corp.example"); /* no hostname_t in 1.1.0 */
    sample_text(a, ATTR_OPERATING_SYSTEM, "Windows 7 Professional");
    sample_text(a, ATTR_OPERATING_SYSTEM_VERSION, "6.1 (7601)");
    sample_text(a, ATTR_OPERATING_SYSTEM_SP, "Service Pack 1");
    sample_text(a, ATTR_LOCATION, "Building 2");
    sample_managed_by(a, KIND_group, 1201, SID(1201), "Payroll", "CN=Payroll," STAFF);
    sample_subject(a, 0);
    return a;
}

static struct sample *strange_computer(void)
{
    struct sample *a = computer(1111, SID(1111), "OS2$", "CN=OS2,OU=PCs,DC=corp,DC=example", 0x1002);
    sample_text(a, ATTR_OPERATING_SYSTEM, "OS/2 Warp");
    sample_text(a, ATTR_OPERATING_SYSTEM_VERSION, "4");
    sample_subject(a, 0);
    return a;
}

static struct sample *staged_computer(void)
{
    struct sample *a = sample_new(KIND_computer, 1112, NULL, "CN=NEW,OU=PCs,DC=corp,DC=example");
    sample_text(a, ATTR_SAM_ACCOUNT_NAME, "NEW$");
    sample_text(a, ATTR_OPERATING_SYSTEM_VERSION, "10.0 (1)");
    sample_subject(a, 0);
    return a;
}

/* --- structure ----------------------------------------------------------------------------------- */
static struct sample *group(void)
{
    struct sample *a = sample_new(KIND_group, 1201, SID(1201), "CN=Payroll," STAFF);
    sample_text(a, ATTR_OBJECT_CLASS, "group");
    sample_text(a, ATTR_CN, "Payroll");
    sample_text(a, ATTR_NAME, "Payroll");
    sample_text(a, ATTR_SAM_ACCOUNT_NAME, "Payroll");
    sample_text(a, ATTR_DISPLAY_NAME, "Payroll team");
    sample_text(a, ATTR_DESCRIPTION, "People who run the payroll");
    sample_text(a, ATTR_MAIL, "payroll@corp.example");
    sample_text(a, ATTR_INFO, "line one\nline two");
    sample_int(a, ATTR_GROUP_TYPE, GLOBAL);
    sample_time(a, ATTR_WHEN_CREATED, "2018-01-01T00:00:00Z");
    sample_text(a, ATTR_MANAGED_BY, "CN=Alice Liddell," STAFF);
    sample_managed_by(a, KIND_user, 1104, SID(1104), "aliddell", "CN=Alice Liddell," STAFF);
    sample_in_group(a, 1202, SID(1202), "Oxford", DOMAIN_LOC, "");
    sample_member(a, KIND_user, 1104, SID(1104), "aliddell", "CN=Alice Liddell," STAFF);
    sample_member(a, KIND_group, 1205, SID(1205), "=Temps", "CN=Temps," STAFF);
    sample_member(a, KIND_contact, 77, NULL, "Dinah, \"the cat\"", "CN=Dinah," STAFF);
    sample_member(a, KIND_foreign_principal, 78, "S-1-5-21-4-5-6-1104", "S-1-5-21-4-5-6-1104",
                  "CN=S-1-5-21-4-5-6-1104,CN=ForeignSecurityPrincipals,DC=corp,DC=example");
    sample_member(a, KIND_NONE, 0, NULL, "", "CN=Elsewhere,DC=other,DC=example");
    a->members[3].via = "foreign";
    a->s.sd_bytes = (struct bytes){readers, sizeof readers};
    sample_subject(a, 0);
    return a;
}

static struct sample *empty_group(void)
{
    struct sample *a =
        sample_new(KIND_group, 1206, "S-1-5-32-549", "CN=Server Operators,CN=Builtin,DC=corp,DC=example");
    sample_text(a, ATTR_SAM_ACCOUNT_NAME, "Server Operators");
    sample_int(a, ATTR_GROUP_TYPE, -2147483643);
    sample_int(a, ATTR_ADMIN_COUNT, 1);
    sample_subject(a, 0);
    return a;
}

static struct sample *ou(void)
{
    struct sample *a = sample_new(KIND_ou, 40, NULL, STAFF);
    sample_text(a, ATTR_NAME, "Staff");
    sample_text(a, ATTR_OU, "Staff");
    sample_text(a, ATTR_DESCRIPTION, "unknown");
    sample_text(
        a, ATTR_GP_LINK,
        "[LDAP://cn={A},cn=policies,DC=corp,DC=example;0][ldap://cn={B},DC=corp,DC=example;3][broken");
    sample_int(a, ATTR_GP_OPTIONS, 1);
    sample_text(a, ATTR_L, "Oxford");
    sample_text(a, ATTR_C, "GB");
    sample_parent(a, 1, "DC=corp,DC=example");
    a->one[2].kind = KIND_domain;
    sample_subject(a, 0);
    return a;
}

static struct sample *container(void)
{
    struct sample *a = sample_new(KIND_container, 41, NULL, "CN=Users,DC=corp,DC=example");
    sample_text(a, ATTR_CN, "Users");
    sample_text(a, ATTR_NAME, "Users");
    sample_text(a, ATTR_DESCRIPTION, "Default container for upgraded user accounts");
    sample_subject(a, 0);
    return a;
}

static struct sample *domain(void)
{
    struct sample *a =
        sample_new(KIND_domain, 1, "S-1-5-21-1144201745-947349077-482060953", "DC=corp,DC=example");
    sample_text(a, ATTR_NAME, "corp");
    sample_text(a, ATTR_DC, "corp");
    sample_int(a, ATTR_MAX_PWD_AGE, INT64_C(42) * 86400000);
    sample_int(a, ATTR_MIN_PWD_AGE, 86400000);
    sample_int(a, ATTR_MIN_PWD_LENGTH, 7);
    sample_int(a, ATTR_PWD_HISTORY_LENGTH, 24);
    sample_int(a, ATTR_PWD_PROPERTIES, 1);
    sample_int(a, ATTR_LOCKOUT_THRESHOLD, 5);
    sample_int(a, ATTR_LOCKOUT_DURATION, 1800000);
    sample_int(a, ATTR_LOCKOUT_WINDOW, 1800000);
    sample_int(a, ATTR_BEHAVIOR_VERSION, 7);
    sample_int(a, ATTR_FOREST_FUNCTIONALITY, 8);
    sample_int(a, ATTR_MACHINE_ACCOUNT_QUOTA, 10);
    sample_text(
        a, ATTR_GP_LINK,
        "[LDAP://CN={31B2F340-016D-11D2-945F-00C04FB984F9},CN=Policies,CN=System,DC=corp,DC=example;0]");
    sample_subject(a, 0);
    return a;
}

static struct sample *trust(void)
{
    struct sample *a = sample_new(KIND_trust, 50, NULL, "CN=other.example,CN=System,DC=corp,DC=example");
    sample_text(a, ATTR_CN, "other.example");
    sample_text(a, ATTR_TRUST_PARTNER, "other.example");
    sample_text(a, ATTR_FLAT_NAME, "OTHER");
    sample_int(a, ATTR_TRUST_DIRECTION, 3);
    sample_int(a, ATTR_TRUST_TYPE, 2);
    sample_int(a, ATTR_TRUST_ATTRIBUTES, 0x8 | 0x40);
    sample_sid(a, ATTR_TRUST_SID, "S-1-5-21-4-5-6");
    sample_subject(a, 0);
    return a;
}

static struct sample *policy(void)
{
    struct sample *a =
        sample_new(KIND_group_policy, 60, NULL,
                   "CN={31B2F340-016D-11D2-945F-00C04FB984F9},CN=Policies,CN=System,DC=corp,DC=example");
    sample_text(a, ATTR_CN, "{31B2F340-016D-11D2-945F-00C04FB984F9}");
    sample_text(a, ATTR_DISPLAY_NAME, "Default Domain Policy");
    sample_text(a, ATTR_GPC_FILE_SYS_PATH,
                "\\\\corp.example\\sysvol\\corp.example\\Policies\\{31B2F340-016D-11D2-945F-00C04FB984F9}");
    sample_int(a, ATTR_VERSION_NUMBER, 65539);
    sample_int(a, ATTR_FLAGS, 1);
    sample_subject(a, 0);
    return a;
}

static struct sample *contact(void)
{
    struct sample *a = sample_new(KIND_contact, 77, NULL, "CN=Dinah," STAFF);
    sample_text(a, ATTR_NAME, "Dinah");
    sample_text(a, ATTR_DISPLAY_NAME, "Dinah, \"the cat\"");
    sample_text(a, ATTR_MAIL, "dinah@elsewhere.example");
    sample_subject(a, 0);
    return a;
}

static struct sample *foreign_principal(void)
{
    struct sample *a = sample_new(KIND_foreign_principal, 78, "S-1-5-21-4-5-6-1104",
                                  "CN=S-1-5-21-4-5-6-1104,CN=ForeignSecurityPrincipals,DC=corp,DC=example");
    sample_text(a, ATTR_NAME, "S-1-5-21-4-5-6-1104");
    sample_subject(a, 0);
    return a;
}

struct sample *sample_cast(size_t i)
{
    static struct sample *(*const makers[])(void) = {
        admin,
        bare_user,
        hostile_user,
        locked_user,
        krbtgt,
        service_account,
        domain_controller,
        workstation,
        strange_computer,
        staged_computer,
        group,
        empty_group,
        ou,
        container,
        domain,
        trust,
        policy,
        contact,
        foreign_principal,
    };
    return i < n_elements(makers) ? makers[i]() : NULL;
}
