/* ldap_check_data.c - the steps of `check` that read: what the account sees, and what it should not be able
 * to do. */
#include "source/ldap/ldap_bind.h"
#include "source/ldap/ldap_check.h"

#include "base/when.h"
#include "model/derive.h"
#include "model/dn.h"
#include "model/filetime.h"
#include "model/filter.h"
#include "net/ldap_ber.h"
#include "source/ldap/ldap_count.h"
#include "source/ldap/ldap_entry.h"

#include <stdio.h>
#include <stdlib.h>

#define COUNT_MAX        1000 /* objects counted below base_dn */
#define SAMPLE_SIZE      5
#define PASSWORD_SOON_MS ((int64_t)14 * 24 * 3600 * 1000)

/* --- base_dn ------------------------------------------------------------------------------------------- */

void check_base_dn(struct checkup *c, struct finding *f)
{
    struct ldap_session *s = &c->s;
    const char *base = s->set.base_dn ? s->set.base_dn : s->facts.naming_context;
    uint64_t n;
    bool is_all;
    if (ldap_session_check_base(s, &c->why) < 0 ||
        ldap_count(s, base, LDAP_SCOPE_SUBTREE, "(&(objectCategory=person)(objectClass=user))", COUNT_MAX, &n,
                   &is_all, &c->why) < 0) {
        finding_fail(f, &c->why);
        return;
    }
    finding_say(f, "%s%s", base, s->set.base_dn ? "" : " (the whole domain)");
    finding_say(f, "%s%llu users visible", is_all ? "" : "more than ", (unsigned long long)n);
    if (!n)
        finding_warn(f,
                     "no user is visible below %.200s: check base_dn, or give the account List Contents and "
                     "Read there",
                     base);
}

/* --- sample -------------------------------------------------------------------------------------------- */

struct sampled {
    struct ldap_plan plan;
    unsigned n, filled[PLAN_SLOTS_MAX];
};

static int on_sample(void *ctx, struct bytes content, struct err *e)
{
    struct sampled *s = ctx;
    struct str dn;
    try(ldap_entry_read(&s->plan, content, &dn, e));
    s->n++;
    for (size_t i = 0; i < s->plan.n_slots; i++)
        s->filled[i] += slot_is_present(&s->plan, i) && s->plan.slots[i].set.len;
    return 0;
}

/* Attributes without which a kind makes no sense: an account that cannot read them lacks a right. */
static bool is_essential(const struct slot *s)
{
    return s->use == SLOT_GUID || s->id == ATTR_OBJECT_CLASS || s->id == ATTR_SAM_ACCOUNT_NAME ||
           s->id == ATTR_USER_ACCOUNT_CONTROL || s->id == ATTR_GROUP_TYPE;
}

static json_t *judge_sample(const struct sampled *s, struct finding *f)
{
    json_t *empty = json_array();
    for (size_t i = 0; i < s->plan.n_slots && s->n; i++) {
        const struct slot *slot = &s->plan.slots[i];
        if (s->filled[i] || slot->id == ATTR_FOREST_FUNCTIONALITY) continue;
        json_array_append_new(empty, json_stringn(slot->name.ptr, slot->name.len));
        if (!is_essential(slot)) continue;
        finding_say(f, "%s: %.*s came from none of %u", kind_name(s->plan.kind), STR_FMT(slot->name), s->n);
        finding_warn(f, "give the account Read All Properties on %s (at least %.*s)",
                     kind_plural(s->plan.kind), STR_FMT(slot->name));
    }
    return json_pack("{s:i, s:o}", "read", (int)s->n, "empty", empty);
}

static int sample_kind(struct checkup *c, enum kind kind, struct finding *f)
{
    struct ldap_session *s = &c->s;
    struct sampled *seen = x_zalloc(sizeof *seen);
    int rc = ldap_plan_make(&seen->plan, kind, &s->set, s->facts.naming_context, &c->why);
    struct ldap_search q = {.base = seen->plan.base,
                            .scope = seen->plan.scope,
                            .filter = seen->plan.filter,
                            .attributes = seen->plan.attributes,
                            .sd_flags = seen->plan.wants_sd,
                            .page_size = SAMPLE_SIZE};
    if (rc == 0) rc = ldap_sample(s, &q, SAMPLE_SIZE, on_sample, seen, &c->why);
    if (rc == 0) {
        json_object_set_new(f->detail, kind_name(kind), judge_sample(seen, f));
        if (seen->n) finding_say(f, "%u %s", seen->n, seen->n == 1 ? kind_name(kind) : kind_plural(kind));
    }
    free(seen);
    return rc;
}

void check_sample(struct checkup *c, struct finding *f)
{
    kind_set kinds = c->job->kinds ? c->job->kinds : ldap_kinds_all();
    f->detail = json_object();
    for (size_t i = 0; i < n_ldap_kinds; i++) {
        if (!(kinds & KIND_BIT(ldap_kinds[i])) || sample_kind(c, ldap_kinds[i], f) == 0) continue;
        err_wrap(&c->why, "%s", kind_plural(ldap_kinds[i]));
        if (!ldap_is_answer(&c->why)) {
            finding_fail(f, &c->why);
            return;
        }
        finding_say(f, "%s", c->why.message);
        finding_warn(f, "%s", *c->why.hint ? c->why.hint : "give the account read access");
    }
}

/* --- permissions --------------------------------------------------------------------------------------- */

struct described {
    unsigned n, with;
};

static int on_described(void *ctx, struct bytes content, struct err *e)
{
    struct described *d = ctx;
    struct str dn, name;
    struct bytes set;
    struct cursor attributes;
    try(ldap_entry_dn(content, &dn, &attributes, e));
    d->n++;
    while (ber_next_attribute(&attributes, &name, &set))
        if (str_equal_nocase(name, STR("nTSecurityDescriptor")) && set.len) d->with++;
    return 0;
}

static int check_descriptors(struct checkup *c, struct finding *f)
{
    const char *attributes[] = {"nTSecurityDescriptor", NULL};
    struct described d = {0};
    struct ldap_search q = {.base = c->s.facts.naming_context,
                            .scope = LDAP_SCOPE_SUBTREE,
                            .filter = "(|(objectCategory=group)(objectCategory=organizationalUnit))",
                            .attributes = attributes,
                            .sd_flags = true,
                            .page_size = 50};
    if (!c->s.set.with_acls) {
        finding_say(f, "security descriptors are not asked for (extract_acls: false)");
        return 0;
    }
    try(ldap_sample(&c->s, &q, 50, on_described, &d, &c->why));
    finding_say(f, "security descriptors of %u of %u groups and OUs readable", d.with, d.n);
    if (d.with < d.n)
        finding_warn(
            f,
            "give the account Read Permissions (READ_CONTROL) on groups and OUs, or set extract_acls: false");
    return 0;
}

static int check_password_settings(struct checkup *c, struct finding *f)
{
    char base[1024];
    uint64_t n;
    bool is_all;
    snprintf(base, sizeof base, "CN=Password Settings Container,CN=System,%s", c->s.facts.naming_context);
    if (ldap_count(&c->s, base, LDAP_SCOPE_ONELEVEL, "(objectClass=msDS-PasswordSettings)", 1000, &n, &is_all,
                   &c->why) < 0) {
        if (!ldap_is_answer(&c->why)) return c->why.class;
        n = 0;
    }
    if (n)
        finding_say(f, "%llu fine-grained password policies readable", (unsigned long long)n);
    else
        finding_say(f, "no fine-grained password policy readable (only administrators see them; the "
                       "controller computes expiry)");
    return 0;
}

void check_permissions(struct checkup *c, struct finding *f)
{
    if (check_descriptors(c, f) < 0 || check_password_settings(c, f) < 0) finding_fail(f, &c->why);
}

/* --- account ------------------------------------------------------------------------------------------- */

/* (userPrincipalName=...) or (sAMAccountName=...) of the three spellings; a DN is a base, not a filter. */
static void account_filter(struct buf *filter, struct str user)
{
    size_t slash = str_index(user, '\\');
    if (slash < user.len) {
        filter_equal(filter, STR("sAMAccountName"),
                     (struct bytes){(const uint8_t *)user.ptr + slash + 1, user.len - slash - 1});
        return;
    }
    size_t at = str_index(user, '@');
    if (at == user.len) {
        filter_equal(filter, STR("sAMAccountName"), bytes_of(user));
        return;
    }
    /* MS-ADTS 5.1.1.1.1: an account without a UPN also binds as sAMAccountName@domain */
    buf_add_str(filter, STR("(|"));
    filter_equal(filter, STR("userPrincipalName"), bytes_of(user));
    filter_equal(filter, STR("sAMAccountName"), (struct bytes){(const uint8_t *)user.ptr, at});
    buf_add_byte(filter, ')');
}

static int find_account(struct checkup *c, struct fetched *out)
{
    const char *attributes[] = {"userAccountControl", "pwdLastSet", "msDS-UserPasswordExpiryTimeComputed",
                                "accountExpires", NULL};
    const char *name = ldap_session_account(&c->s);
    struct ldap_search q = {.base = name,
                            .scope = LDAP_SCOPE_BASE,
                            .filter = "(objectClass=*)",
                            .attributes = attributes};
    struct str user = str_from(name);
    struct buf filter = buf_new(65536);
    struct err ignored;
    if (str_index(user, '\\') < user.len || str_index(user, '=') == user.len ||
        dn_check(user, &ignored) < 0) {
        account_filter(&filter, user);
        q.base = c->s.facts.naming_context;
        q.scope = LDAP_SCOPE_SUBTREE;
        q.filter = buf_cstr(&filter);
        q.page_size = 2;
    }
    int rc = ldap_fetch(out, c->s.conn, &q, &c->s.stats, &c->why);
    buf_free(&filter);
    return rc;
}

static const char *domain_group(uint32_t rid)
{
    static const struct {
        uint32_t rid;
        const char *name;
    } names[] = {{498, "Enterprise Read-only Domain Controllers"},
                 {512, "Domain Admins"},
                 {516, "Domain Controllers"},
                 {518, "Schema Admins"},
                 {519, "Enterprise Admins"},
                 {520, "Group Policy Creator Owners"},
                 {521, "Read-only Domain Controllers"},
                 {526, "Key Admins"},
                 {527, "Enterprise Key Admins"}};
    for (size_t i = 0; i < n_elements(names); i++)
        if (names[i].rid == rid) return names[i].name;
    return NULL;
}

static const char *group_name(struct bytes sid, struct bytes domain, char text[SID_TEXT])
{
    const char *name = sid_well_known_name(sid);
    if (!name && sid_is_in_domain(sid, domain)) name = domain_group(sid_rid(sid));
    return name ? name : sid_format_bytes(text, sid);
}

/* Privileged groups in the account's token, nested ones and the primary group included. */
static int check_token(struct checkup *c, struct str dn, struct finding *f)
{
    const char *attributes[] = {"tokenGroups", NULL};
    char base[4096], text[SID_TEXT];
    struct fetched token;
    struct bytes sid, domain = {c->s.facts.sid, c->s.facts.sid_len};
    snprintf(base, sizeof base, "%.*s", STR_FMT(dn));
    struct ldap_search q = {
        .base = base, .scope = LDAP_SCOPE_BASE, .filter = "(objectClass=*)", .attributes = attributes};
    if (ldap_fetch(&token, c->s.conn, &q, &c->s.stats, &c->why) < 0) return c->why.class;
    struct cursor groups = cursor_new(fetched_set(&token, "tokenGroups"));
    size_t n = 0;
    bool is_any = groups.in.len > 0;
    while (ber_next_value(&groups, &sid)) {
        if (!sid_is_valid(sid) || !derive_privileged_group(sid, domain)) continue;
        n++;
        finding_say(f, "member of %s", group_name(sid, domain, text));
    }
    fetched_free(&token);
    if (n) finding_warn(f, "read access is enough: take the account out of the privileged groups");
    if (!is_any)
        finding_say(f, "its groups (tokenGroups) are not readable");
    else if (!n)
        finding_say(f, "no privileged group");
    return 0;
}

static void check_password_age(const struct fetched *a, struct finding *f)
{
    struct str s;
    char when[WHEN_TEXT];
    int64_t expires = 0;
    if (!fetched_str(a, "msDS-UserPasswordExpiryTimeComputed", &s) || !ad_time_parse(&expires, s) ||
        !expires) {
        finding_say(f, "its password does not expire, or that is not readable");
        return;
    }
    finding_say(f, "its password expires %s", when_format(when, expires));
    if (expires - when_now_ms() < PASSWORD_SOON_MS)
        finding_warn(
            f, "change the account's password before it expires, and store the new one in rollcall's secret");
}

static void check_flags(const struct fetched *a, struct finding *f)
{
    static const struct {
        int64_t flag;
        const char *words, *fix;
    } risky[] = {
        {UAC_DONT_REQ_PREAUTH, "needs no Kerberos pre-authentication",
         "clear \"Do not require Kerberos preauthentication\""},
        {UAC_PASSWD_NOTREQD, "needs no password", "clear PASSWD_NOTREQD of the account"},
        {UAC_TRUSTED_FOR_DELEGATION, "is trusted for delegation", "clear the account's trust for delegation"},
    };
    int64_t uac;
    if (!fetched_int(a, "userAccountControl", &uac)) return;
    for (size_t i = 0; i < n_elements(risky); i++) {
        if (!(uac & risky[i].flag)) continue;
        finding_say(f, "%s", risky[i].words);
        finding_warn(f, "%s", risky[i].fix);
    }
}

void check_account(struct checkup *c, struct finding *f)
{
    struct fetched a;
    char text[256];
    if (find_account(c, &a) < 0) {
        if (ldap_is_answer(&c->why))
            finding_say(f, "its own entry is not readable: %s", c->why.message);
        else
            finding_fail(f, &c->why);
        return;
    }
    if (a.n_entries) {
        finding_say(f, "%s", finding_text(text, sizeof text, a.dn));
        check_password_age(&a, f);
        check_flags(&a, f);
        if (check_token(c, a.dn, f) < 0) finding_fail(f, &c->why);
    } else {
        finding_say(f, "its own entry was not found in this domain");
    }
    fetched_free(&a);
}
