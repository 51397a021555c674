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

static void expires_at(struct derived *out, int64_t ms)
{
    out->password_expires = TRI_YES;
    out->password_expires_ms = ms;
}

/* MS-ADTS 3.1.1.4.5.23; where the DC did not compute it, the policy of the domain, which may not be the one
 * that counts: a fine-grained one is not seen here. */
static void derive_password(struct derived *out, const struct account *a)
{
    int64_t computed = time_of(a, ATTR_PASSWORD_EXPIRY), set = time_of(a, ATTR_PWD_LAST_SET);
    bool exempt = a->has_uac && a->uac & UAC_PASSWORD_NEVER_EXPIRES;
    out->must_change_password = a->has_uac && !exempt && !set;
    if (exempt)
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
    if (a.has_uac) out->is_active = a.uac & UAC_ACCOUNTDISABLE ? TRI_NO : TRI_YES;
    out->is_locked = is_locked(&a, now_ms);
    derive_last_logon(out, &a);
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
