/* krb_text.c - principals out of user names, and the generated krb5.conf. */
#include "net/krb.h"

static bool put(char *out, size_t size, struct str s, bool is_upper)
{
    if (!s.len || s.len >= size || memchr(s.ptr, 0, s.len)) return false;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        out[i] = is_upper && c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
    }
    out[s.len] = 0;
    return true;
}

static struct str without_dot(struct str domain)
{
    if (domain.len && domain.ptr[domain.len - 1] == '.') domain.len--;
    return domain;
}

static size_t last_index(struct str s, char c)
{
    size_t i = s.len;
    while (i && s.ptr[i - 1] != c) i--;
    return i ? i - 1 : s.len;
}

static int fail_name(struct str username, struct err *e)
{
    err_set(e, ERR_INPUT, "username: '%.*s' is no name for Kerberos",
            username.len > 200 ? 200 : (int)username.len, username.ptr);
    return err_hint(e, "write user@corp.example (UPN) or CORP\\user; a DN is only for auth: simple");
}

int krb_name_parse(struct krb_name *out, struct str username, struct str domain, struct err *e)
{
    struct krb_name n = {.is_enterprise = false};
    struct str user = username;
    size_t slash = str_index(username, '\\'), at = last_index(username, '@');
    domain = without_dot(domain);
    if (!put(n.realm, sizeof n.realm, domain, true))
        return err_set(e, ERR_INPUT, "domain: no realm can be made of it");
    if (slash < username.len) { /* the NetBIOS name has no use here: the connector is for one domain */
        user = (struct str){username.ptr + slash + 1, username.len - slash - 1};
        if (!slash || str_index(user, '@') < user.len) return fail_name(username, e);
    } else if (at < username.len) {
        struct str suffix = {username.ptr + at + 1, username.len - at - 1};
        n.is_enterprise = !str_equal_nocase(without_dot(suffix), domain);
        if (!n.is_enterprise) user.len = at;
        if (!at || !suffix.len) return fail_name(username, e);
    } else if (str_index(username, '=') < username.len) {
        return fail_name(username, e);
    }
    if (!put(n.user, sizeof n.user, user, false)) return fail_name(username, e);
    *out = n;
    return 0;
}

/* Nothing that could end a line or a section. */
static bool is_plain(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (!ascii_is_alnum(c) && !memchr("._-:%[]", c, 7)) return false;
    }
    return s.len > 0 && s.len < 256;
}

static void add_kdc(struct buf *out, const char *host)
{
    bool is_v6 = strchr(host, ':') && host[0] != '[';
    buf_printf(out, "    kdc = %s%s%s\n", is_v6 ? "[" : "", host, is_v6 ? "]" : "");
}

/* DNS names are never canonicalised: whoever answers for reverse zones must not choose the service we ask a
 * ticket for. */
int krb_config_text(struct buf *out, struct str domain, const char *const *kdcs, size_t n_kdcs, struct err *e)
{
    char realm[256];
    domain = without_dot(domain);
    if (!is_plain(domain) || !put(realm, sizeof realm, domain, true))
        return err_set(e, ERR_INPUT, "domain: '%.*s' cannot be a Kerberos realm",
                       domain.len > 200 ? 200 : (int)domain.len, domain.ptr);
    for (size_t i = 0; i < n_kdcs; i++)
        if (!is_plain(str_from(kdcs[i])))
            return err_set(e, ERR_INPUT, "'%.200s' cannot be a KDC's name", kdcs[i]);
    buf_printf(out,
               "[libdefaults]\n  default_realm = %s\n  dns_lookup_realm = false\n  dns_lookup_kdc = true\n"
               "  dns_canonicalize_hostname = false\n  rdns = false\n  udp_preference_limit = 1\n"
               "[realms]\n  %s = {\n",
               realm, realm);
    for (size_t i = 0; i < n_kdcs; i++) add_kdc(out, kdcs[i]);
    buf_printf(out, "  }\n[domain_realm]\n  .%.*s = %s\n  %.*s = %s\n", STR_FMT(domain), realm,
               STR_FMT(domain), realm);
    return out->failed ? err_set(e, ERR_INPUT, "krb5.conf: too long") : 0;
}
