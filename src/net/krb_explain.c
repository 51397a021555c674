/* krb_explain.c - Kerberos error codes in words, each with what to do about it. */
#include "net/krb_int.h"

#include "base/cursor.h"
#include "net/ldap_ber.h"

#include <stdio.h>
#include <stdlib.h>

enum about { WHO, SERVICE, REALM, FILE_ };

struct meaning {
    krb5_error_code code;
    enum err_class class;
    enum about about;
    const char *words, *hint;
};

#define CLOCKS "set both clocks by the same NTP source; Kerberos accepts a difference of 5 minutes"

/* RFC 4120 7.5.9 and libkrb5's own. */
static const struct meaning meanings[] = {
    {KRB5KDC_ERR_PREAUTH_FAILED, ERR_AUTH, WHO, "wrong password",
     "check username and password; rollcall does not try again by itself"},
    {KRB5_PREAUTH_FAILED, ERR_AUTH, WHO, "the KDC does not accept the proof of the password",
     "check username and password; the account may demand a smart card"},
    {KRB5KRB_AP_ERR_BAD_INTEGRITY, ERR_AUTH, WHO, "wrong password",
     "check username and password; rollcall does not try again by itself"},
    {KRB5KDC_ERR_C_PRINCIPAL_UNKNOWN, ERR_AUTH, WHO, "no such user in the realm",
     "check username and domain; a UPN or DOMAIN\\user is unambiguous"},
    {KRB5KDC_ERR_CLIENT_REVOKED, ERR_AUTH, WHO, "the account is disabled, locked or expired",
     "look at the account in the directory; rollcall tries once only"},
    {KRB5KDC_ERR_NAME_EXP, ERR_AUTH, WHO, "the account has expired", "extend accountExpires"},
    {KRB5KDC_ERR_KEY_EXP, ERR_AUTH, WHO, "the password has expired or must be changed",
     "set a new password, and store it in rollcall's secret"},
    {KRB5KDC_ERR_CLIENT_NOTYET, ERR_AUTH, WHO, "the account is not valid yet",
     "look at the account in the directory"},
    {KRB5KDC_ERR_POLICY, ERR_AUTH, WHO, "a policy forbids this sign-in",
     "look at logon hours, permitted workstations and authentication policies of the account"},
    {KRB5KDC_ERR_NULL_KEY, ERR_AUTH, WHO, "the account has no key", "set its password anew"},
    {KRB5KDC_ERR_NEVER_VALID, ERR_AUTH, WHO, "the ticket that was asked for would never be valid", CLOCKS},
    {KRB5KDC_ERR_ETYPE_NOSUPP, ERR_AUTH, WHO, "no encryption type in common with the KDC",
     "let the account use AES (msDS-SupportedEncryptionTypes 24) and set its password anew"},
    {KRB5_PROG_ETYPE_NOSUPP, ERR_AUTH, WHO, "an encryption type that is not supported here",
     "let the account use AES (msDS-SupportedEncryptionTypes 24) and set its password anew"},
    {KRB5KDC_ERR_S_PRINCIPAL_UNKNOWN, ERR_AUTH, SERVICE, "the KDC knows no such service",
     "set kerberos_spn to one that the controller has (setspn -L DC1); the default is ldap/<controller's "
     "name>, so host must be its full name"},
    {KRB5KDC_ERR_PRINCIPAL_NOT_UNIQUE, ERR_AUTH, SERVICE, "more than one account has this service name",
     "remove the duplicate (setspn -X finds it)"},
    {KRB5KDC_ERR_MUST_USE_USER2USER, ERR_AUTH, SERVICE,
     "the service name belongs to a user without a service key",
     "set kerberos_spn to the controller's own, ldap/<its name>"},
    {KRB5KRB_AP_ERR_MODIFIED, ERR_AUTH, SERVICE,
     "the server cannot read the ticket that was made for this name",
     "the name belongs to another account than the server's: check kerberos_spn and host (setspn -Q)"},
    {KRB5KRB_AP_ERR_NOKEY, ERR_AUTH, SERVICE, "the server has no key for this name",
     "check kerberos_spn and host (setspn -Q)"},
    {KRB5KRB_AP_ERR_BADKEYVER, ERR_AUTH, SERVICE, "the server has another key than the KDC",
     "wait until the controllers have replicated"},
    {KRB5KRB_AP_WRONG_PRINC, ERR_AUTH, SERVICE, "the ticket is for another server",
     "check kerberos_spn and host"},
    {KRB5KRB_AP_ERR_MUT_FAIL, ERR_AUTH, SERVICE, "the server could not prove who it is",
     "is host really a controller of this domain?"},
    {KRB5KRB_AP_ERR_TKT_EXPIRED, ERR_AUTH, WHO, "the ticket has expired",
     "get a new one (kinit), and renew it from cron before it ends"},
    {KRB5KRB_AP_ERR_TKT_NYV, ERR_AUTH, WHO, "the ticket is not valid yet", CLOCKS},
    {KRB5_CC_NOTFOUND, ERR_AUTH, FILE_, "holds no ticket for this", "get one: kinit USER@REALM"},
    {KRB5KRB_AP_ERR_SKEW, ERR_AUTH, REALM, "the clocks differ too much", CLOCKS},
    {KRB5_KDCREP_SKEW, ERR_AUTH, REALM, "the clocks differ too much", CLOCKS},
    {KRB5_KDCREP_MODIFIED, ERR_AUTH, REALM, "the KDC's answer is not for what was asked",
     "check that domain is the exact DNS name of the domain"},
    {KRB5KRB_AP_ERR_MSG_TYPE, ERR_PROTO, REALM, "the KDC's answer makes no sense",
     "is something else than a KDC on port 88 of the controller?"},
    {KRB5KDC_ERR_SVC_UNAVAILABLE, ERR_NET, REALM, "the KDC is not available at the moment",
     "try again later; is the controller starting?"},
    {KRB5KRB_ERR_GENERIC, ERR_PROTO, REALM, "the KDC reports an error without a reason",
     "look at the controller's System log, source Kerberos-Key-Distribution-Center"},
    {KRB5_KDC_UNREACH, ERR_NET, REALM, "no KDC answers",
     "port 88 of the controller must be reachable from here; or name the KDCs with krb5_config"},
    {KRB5_REALM_CANT_RESOLVE, ERR_NET, REALM, "no KDC can be found",
     "DNS has no _kerberos._tcp records for it; name the KDCs with krb5_config"},
    {KRB5_REALM_UNKNOWN, ERR_INPUT, REALM, "no KDC is known for this realm",
     "check domain; or add the realm to krb5_config"},
    {KRB5KDC_ERR_WRONG_REALM, ERR_INPUT, REALM, "this KDC does not serve the user's realm",
     "check domain, and the part of username behind the @"},
    {KRB5_FCC_NOFILE, ERR_INPUT, FILE_, "there is no ticket cache",
     "get one: kinit -c FILE USER@REALM, and check credential_cache or $KRB5CCNAME"},
    {KRB5_CC_FORMAT, ERR_INPUT, FILE_, "is no ticket cache",
     "check credential_cache or $KRB5CCNAME; klist -c shows what it holds"},
    {KRB5_CCACHE_BADVNO, ERR_INPUT, FILE_, "is no ticket cache",
     "check credential_cache or $KRB5CCNAME; klist -c shows what it holds"},
    {KRB5_CC_END, ERR_INPUT, FILE_, "the ticket cache is damaged", "get it anew: kinit -c FILE USER@REALM"},
    {KRB5_CC_BADNAME, ERR_INPUT, FILE_, "is no name of a ticket cache",
     "write a path, or FILE:, DIR:, KEYRING: or KCM: and what belongs to it"},
    {KRB5_CC_UNKNOWN_TYPE, ERR_INPUT, FILE_, "is no kind of ticket cache that this machine has",
     "write a path, or FILE:, DIR:, KEYRING: or KCM: and what belongs to it"},
    {KRB5_FCC_PERM, ERR_INPUT, FILE_, "the ticket cache may not be read",
     "let rollcall's user own it, mode 600"},
    {KRB5_CC_IO, ERR_INPUT, FILE_, "the ticket cache cannot be read", "let rollcall's user own it, mode 600"},
    {KRB5_KT_NOTFOUND, ERR_INPUT, FILE_, "the keytab has no key of this account that can be used",
     "klist -kte FILE shows what it holds; username must be written as there, and an encryption type must be "
     "AES"},
    {KRB5_KT_END, ERR_INPUT, FILE_, "the keytab is empty",
     "make it anew (ktpass, samba-tool domain exportkeytab)"},
    {KRB5_KT_IOERR, ERR_INPUT, FILE_, "the keytab cannot be read", "let rollcall's user own it, mode 600"},
    {KRB5_KEYTAB_BADVNO, ERR_INPUT, FILE_, "is no keytab",
     "make it anew (ktpass, samba-tool domain exportkeytab)"},
    {KRB5_CONFIG_CANTOPEN, ERR_INPUT, FILE_, "the Kerberos configuration cannot be read",
     "check krb5_config or $KRB5_CONFIG"},
    {KRB5_CONFIG_BADFORMAT, ERR_INPUT, FILE_, "the Kerberos configuration is malformed",
     "check krb5_config or $KRB5_CONFIG"},
};

/* MS-ERREF 2.3.1: what a controller adds to "revoked" and "policy" (MS-KILE 2.2.1). */
static const struct {
    uint32_t status;
    const char *words, *hint;
} statuses[] = {
    {0xC000006E, "an account restriction forbids this sign-in",
     "is the account in Protected Users, or bound by an authentication policy?"},
    {0xC000006F, "sign-in is not permitted at this time", "widen the account's logon hours"},
    {0xC0000070, "sign-in is not permitted from this workstation", "clear userWorkstations of the account"},
    {0xC0000071, "the password has expired", "set a new password, and store it in rollcall's secret"},
    {0xC0000072, "the account is disabled", "enable the account"},
    {0xC0000193, "the account has expired", "extend accountExpires"},
    {0xC0000224, "the password must be changed before the first sign-in",
     "set a password without \"must change at next logon\""},
    {0xC0000234, "the account is locked", "unlock it, and find out who locks it; rollcall tries once only"},
    {0xC0000413, "an authentication policy forbids this sign-in",
     "look at the authentication policy silo of the account"},
};

static const char *subject_of(enum about about, const struct krb_story *s)
{
    const char *subject = about == WHO       ? s->who
                          : about == SERVICE ? s->service
                          : about == FILE_   ? s->file
                                             : s->realm;
    return subject ? subject : s->service ? s->service : s->who ? s->who : s->realm ? s->realm : "Kerberos";
}

/* "(KDC 24)" for what RFC 4120 numbers. */
static const char *number_of(char out[48], krb5_error_code code)
{
    long n = (long)code - (long)ERROR_TABLE_BASE_krb5;
    out[0] = 0;
    if (n > 0 && n < 128) snprintf(out, 48, " (Kerberos %ld)", n);
    return out;
}

static int explain_status(uint32_t status, const struct krb_story *s, const char *number, struct err *e)
{
    for (size_t i = 0; i < n_elements(statuses); i++) {
        if (statuses[i].status != status) continue;
        err_set(e, ERR_AUTH, "%s: %s%s", subject_of(WHO, s), statuses[i].words, number);
        return err_hint(e, "%s", statuses[i].hint);
    }
    return 0;
}

static void add_skew(struct err *e, const struct krb_story *s, krb5_error_code code)
{
    bool is_skew = code == KRB5KRB_AP_ERR_SKEW || code == KRB5_KDCREP_SKEW;
    if (!is_skew || !s->complaint || !s->complaint->skew_ms) return;
    long long seconds = (long long)s->complaint->skew_ms / 1000;
    err_set(e, ERR_AUTH, "%s: the clocks differ too much: the KDC's is %lld s %s", subject_of(REALM, s),
            llabs(seconds), seconds < 0 ? "behind ours" : "ahead of ours");
    err_hint(e, CLOCKS);
}

static bool may_have_status(krb5_error_code code)
{
    return code == KRB5KDC_ERR_CLIENT_REVOKED || code == KRB5KDC_ERR_POLICY || code == KRB5KDC_ERR_KEY_EXP ||
           code == KRB5KDC_ERR_NAME_EXP;
}

int krb_explain(krb5_error_code code, const struct krb_story *s, struct err *e)
{
    char number[48];
    const struct meaning *m = NULL;
    if (code >= ERROR_TABLE_BASE_asn1 && code < ERROR_TABLE_BASE_asn1 + 256)
        code = KRB5KRB_AP_ERR_MSG_TYPE; /* as little of a message */
    for (size_t i = 0; i < n_elements(meanings) && !m; i++)
        if (meanings[i].code == code) m = &meanings[i];
    number_of(number, code);
    bool has_status = may_have_status(code) && s->complaint && s->complaint->nt_status;
    if (!has_status || explain_status(s->complaint->nt_status, s, number, e) == 0) {
        err_set(e, m ? m->class : ERR_AUTH, "%s: %s%s", subject_of(m ? m->about : WHO, s),
                m         ? m->words
                : s->text ? s->text
                          : "Kerberos reports an error",
                number);
        err_hint(e, "%s",
                 m ? m->hint
                   : "the controller's System log may say more (source Kerberos-Key-Distribution-Center)");
        add_skew(e, s, code);
    }
    return err_code(e, DOM_KRB5, code);
}

/* SEQUENCE { [1] INTEGER, [2] OCTET STRING }: its value if the type is KERB_ERR_TYPE_EXTENDED */
static uint32_t status_of_one(struct cursor c)
{
    struct cursor type = cursor_new(ber_element(&c, 0xa1));
    struct bytes kind = ber_element(&type, BER_INTEGER);
    struct cursor value = cursor_new(ber_element(&c, 0xa2));
    struct cursor status = cursor_new(ber_element(&value, BER_OCTETS));
    uint32_t v = cursor_u32le(&status); /* status, reserved, flags */
    bool is_it = !c.failed && !type.failed && !value.failed && !status.failed && kind.len == 1 &&
                 kind.ptr[0] == 3 && status.in.len == 8;
    return is_it ? v : 0;
}

uint32_t krb_nt_status(struct bytes e_data)
{
    struct cursor c = cursor_new(e_data);
    struct cursor outer = cursor_new(ber_element(&c, BER_SEQUENCE));
    uint32_t status = c.failed ? 0 : status_of_one(outer);
    for (unsigned i = 0; !status && i < 32 && outer.in.len && !outer.failed; i++) {
        struct bytes one = ber_element(&outer, BER_SEQUENCE);
        if (!outer.failed) status = status_of_one(cursor_new(one));
    }
    return status;
}
