#include "model/derive.h"

#include "model/sid.h"

/* --- accounts ----------------------------------------------------------------------------------------- */

#define UAC_TRUST_ACCOUNTS                                                                                   \
    (UAC_INTERDOMAIN_TRUST_ACCOUNT | UAC_WORKSTATION_TRUST_ACCOUNT | UAC_SERVER_TRUST_ACCOUNT)
#define UAC_PASSWORD_NEVER_EXPIRES (UAC_DONT_EXPIRE_PASSWORD | UAC_SMARTCARD_REQUIRED | UAC_TRUST_ACCOUNTS)

struct account {
    const struct record_index *x;
    const struct domain_info *policy; /* NULL: not readable */
    bool has_uac;
    int64_t uac;
};

/* 0 if absent; the source leaves "never" and 0 out. */
static int64_t time_of(const struct account *a, enum attr id)
{
    int64_t ms = 0;
    record_int(a->x, id, &ms);
    return ms;
}

/* The sum, or the end of time: what a policy and a directory say is added without trust in either. */
static int64_t add_ms(int64_t a, int64_t b)
{
    int64_t sum;
    return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

#define UAC_COMPUTED_LOCKOUT 0x10

/* MS-ADTS 3.1.1.4.5.17, bit LO. Trust accounts (computers too) are never locked out. */
static enum tri is_locked(const struct account *a, int64_t now_ms)
{
    int64_t since = time_of(a, ATTR_LOCKOUT_TIME);
    if (!since) return a->has_uac ? TRI_NO : TRI_UNKNOWN; /* nothing of the account is readable */
    if (a->has_uac && a->uac & UAC_TRUST_ACCOUNTS) return TRI_NO;
    int64_t computed; /* the controller's own answer knows fine-grained policies; it is of the time of reading */
    if (record_int(a->x, ATTR_UAC_COMPUTED, &computed)) return computed & UAC_COMPUTED_LOCKOUT ? TRI_YES : TRI_NO;
    if (!a->policy) return TRI_UNKNOWN;
    int64_t duration = a->policy->lockout_duration_ms;
    return duration <= 0 || now_ms <= add_ms(since, duration) ? TRI_YES : TRI_NO;
}

static void derive_last_logon(struct derived *out, const struct account *a)
{
    int64_t here = time_of(a, ATTR_LAST_LOGON), replicated = time_of(a, ATTR_LAST_LOGON_TIMESTAMP);
    bool is_here = here >= replicated;
    out->last_logon_ms = is_here ? here : replicated;
    if (out->last_logon_ms) out->last_logon_source = is_here ? "lastLogon" : "lastLogonTimestamp";
}

/* Entra ID. lastSignInDateTime counts failed attempts too, so it only stands in for the other, which was not filled in before December
 * 2023 (Graph, signInActivity). */
static void derive_last_sign_in(struct derived *out, const struct account *a)
{
    int64_t successful = time_of(a, ATTR_LAST_SUCCESSFUL_SIGN_IN), any = time_of(a, ATTR_LAST_SIGN_IN);
    if (out->last_logon_ms || (!successful && !any)) return;
    out->last_logon_ms = successful ? successful : any;
    out->last_logon_source = successful ? "lastSuccessfulSignInDateTime" : "lastSignInDateTime";
}

static void expires_at(struct derived *out, int64_t ms)
{
    out->password_expires = TRI_YES;
    out->password_expires_ms = ms;
}

/* "DisablePasswordExpiration, DisableStrongPassword": names between commas (Graph, user.passwordPolicies). */
static bool has_policy(struct str policies, struct str name)
{
    while (policies.len) {
        struct str one = {policies.ptr, str_index(policies, ',')};
        if (str_equal_nocase(str_trim(one), name)) return true;
        size_t n = one.len < policies.len ? one.len + 1 : one.len;
        policies = (struct str){policies.ptr + n, policies.len - n};
    }
    return false;
}

/* Entra ID: what is not switched off for the account is up to its domain, which is not read. */
static bool never_expires_in_entra(const struct account *a)
{
    struct str policies;
    return !a->has_uac && record_str(a->x, ATTR_PASSWORD_POLICIES, &policies) &&
           has_policy(policies, STR("DisablePasswordExpiration"));
}

/* MS-ADTS 3.1.1.4.5.23; where the DC did not compute it, the policy of the domain, which may not be the one
 * that counts: a fine-grained one is not seen here. */
static void derive_password(struct derived *out, const struct account *a)
{
    int64_t computed = time_of(a, ATTR_PASSWORD_EXPIRY), set = time_of(a, ATTR_PWD_LAST_SET);
    bool exempt = a->has_uac && a->uac & UAC_PASSWORD_NEVER_EXPIRES;
    out->must_change_password = a->has_uac && !exempt && !set;
    if (exempt || never_expires_in_entra(a))
        out->password_expires = TRI_NO;
    else if (computed)
        expires_at(out, computed);
    else if (!a->has_uac || !a->policy)
        out->password_expires = TRI_UNKNOWN;
    else if (a->policy->max_pwd_age_ms <= 0)
        out->password_expires = TRI_NO;
    else if (set)
        expires_at(out, add_ms(set, a->policy->max_pwd_age_ms));
}

void derive_account(struct derived *out, const struct record_index *x, const struct domain_info *d,
                    int64_t now_ms)
{
    struct account a = {.x = x, .policy = d && d->has_policy ? d : NULL};
    a.has_uac = record_int(x, ATTR_USER_ACCOUNT_CONTROL, &a.uac);
    *out = (struct derived){0};
    int64_t enabled;
    if (a.has_uac)
        out->is_active = a.uac & UAC_ACCOUNTDISABLE ? TRI_NO : TRI_YES;
    else if (record_int(x, ATTR_ACCOUNT_ENABLED, &enabled))
        out->is_active = enabled ? TRI_YES : TRI_NO;
    out->is_locked = is_locked(&a, now_ms);
    derive_last_logon(out, &a);
    derive_last_sign_in(out, &a);
    derive_password(out, &a);
}

/* --- privileged groups -------------------------------------------------------------------------------- */

struct privileged {
    uint32_t rid;
    unsigned bits;
};
static const struct privileged domain_groups[] = {
    {498, PRIV_PROTECTED}, /* Enterprise Read-only Domain Controllers */
    {512, PRIV_PROTECTED | PRIV_FULL_ADMIN | PRIV_DOMAIN_ADMIN},
    {516, PRIV_PROTECTED}, /* Domain Controllers */
    {518, PRIV_PROTECTED}, /* Schema Admins */
    {519, PRIV_PROTECTED}, /* Enterprise Admins */
    {520, PRIV_PROTECTED}, /* Group Policy Creator Owners */
    {521, PRIV_PROTECTED}, /* Read-only Domain Controllers */
    {526, PRIV_PROTECTED}, /* Key Admins */
    {527, PRIV_PROTECTED}, /* Enterprise Key Admins */
};
static const struct privileged builtin_groups[] = {
    {544, PRIV_PROTECTED | PRIV_FULL_ADMIN},
    {548, PRIV_PROTECTED}, /* Account Operators */
    {549, PRIV_PROTECTED}, /* Server Operators */
    {550, PRIV_PROTECTED}, /* Print Operators */
    {551, PRIV_PROTECTED}, /* Backup Operators */
    {552, PRIV_PROTECTED}, /* Replicator */
};

static unsigned bits_of(const struct privileged *table, size_t n, uint32_t rid)
{
    for (size_t i = 0; i < n; i++)
        if (table[i].rid == rid) return table[i].bits;
    return 0;
}

unsigned derive_privileged_group(struct bytes group_sid, struct bytes domain_sid)
{
    static const uint8_t builtin[] = {1, 1, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0}; /* S-1-5-32 */
    uint32_t rid = sid_rid(group_sid);
    if (sid_is_in_domain(group_sid, (struct bytes){builtin, sizeof builtin}))
        return bits_of(builtin_groups, n_elements(builtin_groups), rid);
    return sid_is_in_domain(group_sid, domain_sid) ? bits_of(domain_groups, n_elements(domain_groups), rid)
                                                   : 0;
}

bool derive_privileged_sid(size_t i, struct bytes domain_sid, uint8_t out[SID_MAX], size_t *len)
{
    struct sid s = {.authority = 5, .n_sub = 2, .sub = {32, 0}};
    struct err ignored;
    uint32_t rid;
    if (i < n_elements(builtin_groups)) {
        rid = builtin_groups[i].rid;
    } else if (i - n_elements(builtin_groups) < n_elements(domain_groups)) {
        rid = domain_groups[i - n_elements(builtin_groups)].rid;
        if (sid_decode(&s, domain_sid, &ignored) < 0 || s.n_sub >= 15) return false;
        s.n_sub++;
    } else {
        return false;
    }
    s.sub[s.n_sub - 1] = rid;
    *len = sid_encode(out, &s);
    return true;
}

/* --- directory roles ---------------------------------------------------------------------------------- */

/* The built-in roles with the label "Privileged" in Microsoft's "Microsoft Entra built-in roles" (January 2026; AI Administrator has had
 * it since). The ids are the same in every tenant and cloud; names may be translated. v1.0 of Graph has no isPrivileged, so custom roles
 * and roles to come are not known to be. */
static const struct {
    const char *template_id, *name;
    unsigned bits;
} privileged_roles[] = {
    {"db506228-d27e-4b7d-95e5-295956d6615f", "Agent ID Administrator", PRIV_PROTECTED},
    {"d2562ede-74db-457e-a7b6-544e236ebb61", "AI Administrator", PRIV_PROTECTED},
    {"9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3", "Application Administrator", PRIV_PROTECTED},
    {"cf1c38e5-3621-4004-a7cb-879624dced7c", "Application Developer", PRIV_PROTECTED},
    {"ecb2c6bf-0ab6-418e-bd87-7986f8d63bbe", "Attribute Provisioning Administrator", PRIV_PROTECTED},
    {"422218e4-db15-4ef9-bbe0-8afb41546d79", "Attribute Provisioning Reader", PRIV_PROTECTED},
    {"c4e39bd9-1100-46d3-8c65-fb160da0071f", "Authentication Administrator", PRIV_PROTECTED},
    {"25a516ed-2fa0-40ea-a2d0-12923a21473a", "Authentication Extensibility Administrator", PRIV_PROTECTED},
    {"aaf43236-0c0d-4d5f-883a-6955382ac081", "B2C IEF Keyset Administrator", PRIV_PROTECTED},
    {"158c047a-c907-4556-b7ef-446551a6b5f7", "Cloud Application Administrator", PRIV_PROTECTED},
    {"7698a772-787b-4ac8-901f-60d6b08affd2", "Cloud Device Administrator", PRIV_PROTECTED},
    {"b1be1c3e-b65d-4f19-8427-f6fa0d97feb9", "Conditional Access Administrator", PRIV_PROTECTED},
    {"9360feb5-f418-4baa-8175-e2a00bac4301", "Directory Writers", PRIV_PROTECTED},
    {"8329153b-31d0-4727-b945-745eb3bc5f31", "Domain Name Administrator", PRIV_PROTECTED},
    {"be2f45a1-457d-42af-a067-6ec1fa63bc45", "External Identity Provider Administrator", PRIV_PROTECTED},
    {"62e90394-69f5-4237-9190-012177145e10", "Global Administrator", PRIV_PROTECTED | PRIV_FULL_ADMIN},
    {"f2ef992c-3afb-46b9-b7cf-a126ee74c451", "Global Reader", PRIV_PROTECTED},
    {"729827e3-9c14-49f7-bb1b-9608f156bbb8", "Helpdesk Administrator", PRIV_PROTECTED},
    {"8ac3fc64-6eca-42ea-9e69-59f4c7b60eb2", "Hybrid Identity Administrator", PRIV_PROTECTED},
    {"3a2c62db-5318-420d-8d74-23affee5d9d5", "Intune Administrator", PRIV_PROTECTED},
    {"59d46f88-662b-457b-bceb-5c3809e5908f", "Lifecycle Workflows Administrator", PRIV_PROTECTED},
    {"4ba39ca4-527c-499a-b93d-d9b492c50246", "Partner Tier1 Support", PRIV_PROTECTED},
    {"e00e864a-17c5-4a4b-9c06-f5b95a8d5bd8", "Partner Tier2 Support", PRIV_PROTECTED},
    {"966707d0-3269-4727-9be2-8c3a10f19b9d", "Password Administrator", PRIV_PROTECTED},
    {"7be44c8a-adaf-4e2a-84d6-ab2649e08a13", "Privileged Authentication Administrator", PRIV_PROTECTED},
    {"e8611ab8-c189-46e8-94e1-60213ab1f814", "Privileged Role Administrator", PRIV_PROTECTED},
    {"194ae4cb-b126-40b2-bd5b-6091b380977d", "Security Administrator", PRIV_PROTECTED},
    {"5f2222b1-57c3-48ba-8ad5-d4759f1fde6f", "Security Operator", PRIV_PROTECTED},
    {"5d6b6bb7-de71-4623-b4af-96380a352509", "Security Reader", PRIV_PROTECTED},
    {"fe930be7-5e62-47db-91af-98c3a49a38b1", "User Administrator", PRIV_PROTECTED},
};

static unsigned template_bits(struct str template_id)
{
    for (size_t i = 0; i < n_elements(privileged_roles); i++)
        if (str_equal_nocase(template_id, str_from(privileged_roles[i].template_id))) return privileged_roles[i].bits;
    return 0;
}

unsigned derive_role(const struct record_index *role)
{
    struct str text;
    int64_t enabled;
    unsigned bits = PRIV_DIRECTORY_ROLE;
    if (role->record->kind != KIND_role) return 0;
    if (record_str(role, ATTR_ASSIGNMENT_TYPE, &text) && !str_equal_nocase(text, STR("active"))) return 0;
    if (record_int(role, ATTR_IS_ENABLED, &enabled) && !enabled) return 0; /* a custom role that was switched off grants nothing */
    if (record_str(role, ATTR_ROLE_TEMPLATE_ID, &text)) bits |= template_bits(text);
    /* over a part of the tenant only */
    if (record_str(role, ATTR_DIRECTORY_SCOPE_ID, &text) && !str_equal(text, STR("/"))) bits &= ~(unsigned)PRIV_FULL_ADMIN;
    return bits;
}

/* --- flags -------------------------------------------------------------------------------------------- */

static const struct {
    int64_t bit;
    const char *name;
} uac_flags[] = {
    {0x1, "SCRIPT"},
    {UAC_ACCOUNTDISABLE, "ACCOUNTDISABLE"},
    {0x8, "HOMEDIR_REQUIRED"},
    {0x10, "LOCKOUT"},
    {UAC_PASSWD_NOTREQD, "PASSWD_NOTREQD"},
    {0x40, "PASSWD_CANT_CHANGE"},
    {0x80, "ENCRYPTED_TEXT_PWD_ALLOWED"},
    {0x100, "TEMP_DUPLICATE_ACCOUNT"},
    {0x200, "NORMAL_ACCOUNT"},
    {UAC_INTERDOMAIN_TRUST_ACCOUNT, "INTERDOMAIN_TRUST_ACCOUNT"},
    {UAC_WORKSTATION_TRUST_ACCOUNT, "WORKSTATION_TRUST_ACCOUNT"},
    {UAC_SERVER_TRUST_ACCOUNT, "SERVER_TRUST_ACCOUNT"},
    {UAC_DONT_EXPIRE_PASSWORD, "DONT_EXPIRE_PASSWORD"},
    {0x20000, "MNS_LOGON_ACCOUNT"},
    {UAC_SMARTCARD_REQUIRED, "SMARTCARD_REQUIRED"},
    {UAC_TRUSTED_FOR_DELEGATION, "TRUSTED_FOR_DELEGATION"},
    {UAC_NOT_DELEGATED, "NOT_DELEGATED"},
    {0x200000, "USE_DES_KEY_ONLY"},
    {UAC_DONT_REQ_PREAUTH, "DONT_REQ_PREAUTH"},
    {0x800000, "PASSWORD_EXPIRED"},
    {UAC_TRUSTED_TO_AUTH_FOR_DELEGATION, "TRUSTED_TO_AUTH_FOR_DELEGATION"},
    {0x2000000, "NO_AUTH_DATA_REQUIRED"},
    {0x4000000, "PARTIAL_SECRETS_ACCOUNT"},
    {0x8000000, "USE_AES_KEYS"},
};

void uac_flag_names(int64_t uac, void (*each)(void *ctx, const char *name), void *ctx)
{
    for (size_t i = 0; i < n_elements(uac_flags); i++)
        if (uac & uac_flags[i].bit) each(ctx, uac_flags[i].name);
}

/* MS-ADTS 2.2.12; the first bit that is set names the scope. */
static const struct {
    int64_t bit;
    const char *security, *distribution;
} group_scopes[] = {
    {0x1, "Builtin Local Security", "Builtin Local Distribution"},
    {0x2, "Global Security", "Global Distribution"},
    {0x4, "Domain Local Security", "Domain Local Distribution"},
    {0x8, "Universal Security", "Universal Distribution"},
    {0x10, "Application Basic Security", "Application Basic"},
    {0x20, "Application Query Security", "Application Query"},
};

bool group_type_is_security(int64_t group_type)
{
    return group_type & 0x80000000; /* the sign bit of the 32-bit attribute */
}

const char *group_type_name(int64_t group_type)
{
    for (size_t i = 0; i < n_elements(group_scopes); i++)
        if (group_type & group_scopes[i].bit)
            return group_type_is_security(group_type) ? group_scopes[i].security
                                                      : group_scopes[i].distribution;
    return "";
}

static bool holds(const struct record_index *x, enum attr a, struct str word)
{
    struct values v = record_values(x, a);
    struct bytes b;
    while (values_next_bytes(&v, &b))
        if (str_equal_nocase(str_of(b), word)) return true;
    return false;
}

int64_t derive_tenant_group_type(const struct record_index *group)
{
    int64_t security = 0, mail = 0, type = 0;
    if (holds(group, ATTR_GROUP_TYPES, STR("Unified"))) type |= TENANT_GROUP_UNIFIED;
    if (record_int(group, ATTR_MAIL_ENABLED, &mail) && mail) type |= TENANT_GROUP_MAIL;
    if (record_int(group, ATTR_SECURITY_ENABLED, &security) && security) type |= TENANT_GROUP_SECURITY;
    return type;
}
