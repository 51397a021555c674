/* derive.h - what follows from an account's attributes and its domain's policy, and from nothing else.
 *
 * Pure functions. What cannot be known stays unknown (a tri-state or 0), it is never guessed.
 * Sources: MS-ADTS 2.2.16 (userAccountControl), 3.1.1.4.5.17 (msDS-User-Account-Control-Computed),
 * 3.1.1.4.5.23 (msDS-UserPasswordExpiryTimeComputed), MS-SAMR 3.1.1.8.
 */
#ifndef ROLLCALL_DERIVE_H
#define ROLLCALL_DERIVE_H

#include "model/record.h"
#include "model/sid.h"

enum tri { TRI_UNKNOWN = 0, TRI_NO = 1, TRI_YES = 2 };

/* Facts of the one domain of a connector; strings borrowed from whoever filled it (BEGIN frame or store). */
struct domain_info {
    struct str dns_name;     /* corp.example */
    struct str netbios_name; /* CORP; may be empty */
    struct str base;         /* DC=corp,DC=example: the naming context */
    struct str server;       /* DC that answered */
    struct bytes sid;        /* domain SID */
    int64_t max_pwd_age_ms;      /* 0: passwords never expire */
    int64_t lockout_duration_ms; /* 0: until an administrator unlocks */
    int64_t lockout_threshold;   /* 0: never locked */
    bool has_policy;             /* the three above were readable */
    /* of a tenant; dns_name is then its default domain */
    struct str tenant_id;        /* GUID text; empty: an Active Directory domain */
    struct str organization;     /* its display name; may be empty */
};
static inline bool domain_is_tenant(const struct domain_info *d)
{
    return d->tenant_id.len > 0;
}

/* Membership facts that need the groups: filled by whoever resolves (run or store), by SID and RID, through
 * nesting and the primary group. */
enum privilege {
    PRIV_DOMAIN_ADMIN = 1, /* Domain Admins, RID 512 */
    PRIV_FULL_ADMIN = 2,   /* Administrators S-1-5-32-544 or Domain Admins */
    PRIV_PROTECTED = 4,    /* any of the well-known privileged groups: derive_privileged_group() */
    PRIV_DIRECTORY_ROLE = 8, /* Entra ID: any directory role that is active, whatever its scope */
};
/* Privilege bits that a directory role gives who holds it (kind role; ATTR_ROLE_TEMPLATE_ID, ATTR_ASSIGNMENT_TYPE): 0 if it is only
 * eligible, or switched off; PRIV_PROTECTED for roles that Microsoft documents as privileged, PRIV_FULL_ADMIN for Global Administrator. */
unsigned derive_role(const struct record_index *role);

struct derived {
    enum tri is_active; /* ACCOUNTDISABLE clear, or accountEnabled; unknown without userAccountControl and that */
    enum tri is_locked; /* lockoutTime against the policy; userAccountControl never shows it */
    int64_t last_logon_ms;          /* later of lastLogon and lastLogonTimestamp; lastSuccessfulSignInDateTime, else lastSignInDateTime;
                                     * 0 unknown */
    const char *last_logon_source;  /* the name of the one it is, or NULL */
    int64_t password_expires_ms;    /* 0: never or unknown, see below */
    enum tri password_expires;      /* NO: never expires; UNKNOWN: not readable */
    bool must_change_password;      /* pwdLastSet is 0 */
    unsigned privileges;            /* enum privilege bits */
    enum tri privileges_known;      /* TRI_NO: memberships were not readable */
};

/* now_ms decides whether a lock-out is over. privileges come from the caller. */
void derive_account(struct derived *out, const struct record_index *x, const struct domain_info *d, int64_t now_ms);

/* Privilege bits that direct membership in the group with this SID gives; 0 for an ordinary group.
 * By well-known SID or by RID in the domain: 512 516 518 519 520 521 526 527 498, Builtin 544 548 549 550 551 552. */
unsigned derive_privileged_group(struct bytes group_sid, struct bytes domain_sid);
/* The SIDs of these groups, by i from 0; false at the end. */
bool derive_privileged_sid(size_t i, struct bytes domain_sid, uint8_t out[SID_MAX], size_t *len);

/* Calls each with the names of the set bits of userAccountControl, in ascending order of bit, as Microsoft
 * spells them (ACCOUNTDISABLE, NORMAL_ACCOUNT, DONT_EXPIRE_PASSWORD...). */
void uac_flag_names(int64_t uac, void (*each)(void *ctx, const char *name), void *ctx);
enum {
    UAC_ACCOUNTDISABLE = 0x2,
    UAC_PASSWD_NOTREQD = 0x20,
    UAC_INTERDOMAIN_TRUST_ACCOUNT = 0x800,
    UAC_WORKSTATION_TRUST_ACCOUNT = 0x1000,
    UAC_SERVER_TRUST_ACCOUNT = 0x2000,
    UAC_DONT_EXPIRE_PASSWORD = 0x10000,
    UAC_SMARTCARD_REQUIRED = 0x40000,
    UAC_TRUSTED_FOR_DELEGATION = 0x80000,
    UAC_NOT_DELEGATED = 0x100000,
    UAC_DONT_REQ_PREAUTH = 0x400000,
    UAC_TRUSTED_TO_AUTH_FOR_DELEGATION = 0x1000000,
};
/* "Global Security", "Domain Local Distribution", "Builtin Local Security"... of groupType (MS-ADTS 2.2.12); "" if it
 * names no scope. */
const char *group_type_name(int64_t group_type);
bool group_type_is_security(int64_t group_type);

/* A tenant's group in one number, where one of groupType has its place; security is the bit that it is there, so group_type_is_security
 * tells it of both. 0: neither of them. */
enum { TENANT_GROUP_UNIFIED = 0x100, TENANT_GROUP_MAIL = 0x200, TENANT_GROUP_SECURITY = INT32_MIN };
int64_t derive_tenant_group_type(const struct record_index *group);

#endif
