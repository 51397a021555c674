/* ldap_explain.c - LDAP result codes and Active Directory's logon sub-codes, in words. */
#include "net/ldap_conn_int.h"

#include <stdlib.h>
#include <string.h>

struct meaning {
    uint32_t code;
    enum err_class class;
    const char *words, *hint;
};

/* "data xxx" of AcceptSecurityContext: Win32 error codes (MS-ERREF 2.2), in hexadecimal. */
static const struct meaning ad_logon[] = {
    {0x525, ERR_AUTH, "no such user", "check username; a UPN or DOMAIN\\user is unambiguous"},
    {0x52e, ERR_AUTH, "wrong user name or password",
     "check username and password; rollcall does not try again by itself"},
    {0x52f, ERR_AUTH, "an account restriction forbids this logon",
     "is the account in Protected Users, or bound by an authentication policy?"},
    {0x530, ERR_AUTH, "logon is not permitted at this time", "widen the account's logon hours"},
    {0x531, ERR_AUTH, "logon is not permitted from this workstation",
     "clear userWorkstations of the account, or add the controller"},
    {0x532, ERR_AUTH, "the password has expired", "set a new password, and store it in rollcall's secret"},
    {0x533, ERR_AUTH, "the account is disabled", "enable the account"},
    {0x568, ERR_AUTH, "the account is in too many groups", "reduce the account's group memberships"},
    {0x701, ERR_AUTH, "the account has expired", "extend accountExpires"},
    {0x773, ERR_AUTH, "the password must be changed before the first logon",
     "set a password without \"must change at next logon\""},
    {0x80090346, ERR_AUTH, "the server demands channel binding",
     "LdapEnforceChannelBinding is on: allow this client, or use Kerberos"},
    {0x775, ERR_AUTH, "account locked",
     "unlock the account, and find out who locks it; rollcall tries once only"},
};

/* RFC 4511 4.1.9 and appendix A. */
static const struct meaning results[] = {
    {LDAP_OPERATIONS_ERROR, ERR_PROTO, "operations error", NULL},
    {LDAP_PROTOCOL_ERROR, ERR_PROTO, "the server calls the request a protocol error", NULL},
    {LDAP_TIMELIMIT_EXCEEDED, ERR_LIMIT, "the server's time limit was exceeded",
     "narrow base_dn, or raise MaxQueryDuration of the LDAP policy"},
    {LDAP_SIZELIMIT_EXCEEDED, ERR_LIMIT, "the server's size limit was exceeded",
     "raise MaxPageSize of the LDAP policy, or narrow base_dn"},
    {LDAP_AUTH_METHOD_NOT_SUPPORTED, ERR_DENIED, "the server does not support this kind of bind", NULL},
    {LDAP_STRONG_AUTH_REQUIRED, ERR_DENIED, "the server demands a stronger kind of authentication",
     "its policy refuses a simple bind even over TLS"},
    {LDAP_REFERRAL, ERR_INPUT, "the object is held by another server",
     "set the base DN to the domain of this connector; referrals are never followed"},
    {LDAP_ADMINLIMIT_EXCEEDED, ERR_LIMIT, "an administrative limit was exceeded",
     "narrow base_dn, or look at the server's LDAP policy"},
    {LDAP_UNAVAILABLE_CRITICAL_EXTENSION, ERR_PROTO, "the server does not support a control that is needed",
     "is it an Active Directory domain controller?"},
    {LDAP_CONFIDENTIALITY_REQUIRED, ERR_DENIED, "the server demands an encrypted connection",
     "use security: ldaps"},
    {LDAP_UNDEFINED_TYPE, ERR_INPUT, "the server does not know an attribute", "check custom_properties"},
    {LDAP_INAPPROPRIATE_MATCHING, ERR_PROTO, "the server cannot match as the filter asks", NULL},
    {LDAP_NO_SUCH_OBJECT, ERR_NOTFOUND, "no such object, or not visible to the account", NULL},
    {LDAP_INVALID_DN_SYNTAX, ERR_INPUT, "the DN is not well-formed", NULL},
    {LDAP_INAPPROPRIATE_AUTH, ERR_AUTH, "the account cannot authenticate this way", NULL},
    {LDAP_INVALID_CREDENTIALS, ERR_AUTH, "wrong user name or password",
     "check username and password; rollcall does not try again by itself"},
    {LDAP_INSUFFICIENT_ACCESS, ERR_DENIED, "the account may not do this",
     "give the account read access here"},
    {LDAP_BUSY, ERR_LIMIT, "the server is busy", "try again later"},
    {LDAP_UNAVAILABLE, ERR_NET, "the server is unavailable", "it may be starting or shutting down"},
    {LDAP_UNWILLING_TO_PERFORM, ERR_DENIED, "the server is unwilling to do this", NULL},
    {LDAP_LOOP_DETECT, ERR_PROTO, "the server detected a loop", NULL},
};

static const struct meaning *find(const struct meaning *table, size_t n, uint32_t code)
{
    for (size_t i = 0; i < n; i++)
        if (table[i].code == code) return &table[i];
    return NULL;
}

static bool is_c1(const char *p, size_t left) /* U+0080..U+009F: some terminals obey them */
{
    return left > 1 && (uint8_t)p[0] == 0xc2 && (uint8_t)p[1] < 0xa0;
}

/* It goes into terminals and logs. AD ends its texts with a NUL. */
char *server_text(char *out, size_t size, struct str text)
{
    size_t n = 0;
    for (; n < text.len && n + 1 < size; n++) {
        uint8_t c = (uint8_t)text.ptr[n];
        out[n] = c < 0x20 || c == 0x7f ? ' ' : (char)c;
    }
    while (n && n < text.len && ((uint8_t)text.ptr[n] & 0xc0) == 0x80) n--; /* not within a character */
    while (n && out[n - 1] == ' ') n--;
    bool is_text = str_is_utf8((struct str){out, n});
    for (size_t i = 0; i < n; i++)
        if (is_text ? is_c1(out + i, n - i) : (uint8_t)out[i] >= 0x80) {
            out[i] = '?';
            if (is_text) out[++i] = '?';
        }
    out[n] = 0;
    return out;
}

static int explain_logon(const char *diagnostic, struct err *e)
{
    const char *data = diagnostic ? strstr(diagnostic, ", data ") : NULL;
    unsigned long sub = data ? strtoul(data + 7, NULL, 16) : 0;
    const struct meaning *m = find(ad_logon, n_elements(ad_logon), sub > UINT32_MAX ? 0 : (uint32_t)sub);
    if (!m) return 0;
    err_set(e, m->class, "%s (LDAP 49, AD %lx)", m->words, sub);
    err_code(e, DOM_AD, (int)m->code);
    return err_hint(e, "%s", m->hint);
}

int ldap_conn_explain(int result, const char *diagnostic, const char *matched, struct err *e)
{
    char text[256], near[256];
    if (result == LDAP_INVALID_CREDENTIALS && explain_logon(diagnostic, e) < 0) return e->class;
    const struct meaning *m = find(results, n_elements(results), (uint32_t)result);
    server_text(text, sizeof text, str_from(diagnostic));
    server_text(near, sizeof near, str_from(matched));
    err_set(e, m ? m->class : ERR_PROTO, "%s (LDAP %d%s%s)", m ? m->words : "the server reports an error",
            result, *text ? ": " : "", text);
    err_code(e, DOM_LDAP, result);
    if (m && m->hint) err_hint(e, "%s", m->hint);
    /* AD answers so to a search before a bind, MS-ADTS 5.1.1 */
    if (result == LDAP_OPERATIONS_ERROR && strstr(text, "successful bind must be completed"))
        e->class = ERR_DENIED;
    if (result == LDAP_NO_SUCH_OBJECT) {
        if (*near)
            err_hint(e, "the nearest object that exists is %s", near);
        else
            err_hint(e, "check the DN, and that the account may list the containers above it");
    }
    return e->class;
}
