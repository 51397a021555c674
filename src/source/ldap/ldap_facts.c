#include "source/ldap/ldap_facts.h"

#include "base/when.h"
#include "model/dn.h"
#include "model/filetime.h"
#include "model/filter.h"
#include "model/frame.h"
#include "net/ldap_ber.h"

#define TEXT_MAX ((size_t)1 << 20)

const char *ldap_level_name(int64_t level)
{
    static const char *const names[] = {"Windows 2000",
                                        "Windows Server 2003 interim",
                                        "Windows Server 2003",
                                        "Windows Server 2008",
                                        "Windows Server 2008 R2",
                                        "Windows Server 2012",
                                        "Windows Server 2012 R2",
                                        "Windows Server 2016",
                                        NULL,
                                        NULL,
                                        "Windows Server 2025"};
    return level >= 0 && level < (int64_t)n_elements(names) && names[level] ? names[level] : "unknown";
}

static const char *keep(struct ldap_facts *out, const struct fetched *f, const char *name)
{
    struct str s;
    if (!fetched_str(f, name, &s) || memchr(s.ptr, 0, s.len)) return NULL;
    return arena_printf(&out->text, "%.*s", STR_FMT(s));
}

/* Only what says FALSE is false. */
static bool is_true(const struct fetched *f, const char *name)
{
    struct str s;
    return !fetched_str(f, name, &s) || !str_equal_nocase(s, STR("FALSE"));
}

static int64_t level(const struct fetched *f, const char *name)
{
    int64_t n;
    return fetched_int(f, name, &n) ? n : -1;
}

static const char *dns_of(struct ldap_facts *out, const char *dn)
{
    struct buf b = buf_new(1024);
    dn_to_dns(&b, str_from(dn));
    const char *name = arena_printf(&out->text, "%.*s", STR_FMT(buf_str(&b)));
    buf_free(&b);
    return name ? name : "";
}

static void take_root(struct ldap_facts *out, const struct fetched *f, const char *host)
{
    struct str time;
    out->server = keep(out, f, "dnsHostName");
    if (!out->server) out->server = arena_printf(&out->text, "%s", host);
    out->naming_context = keep(out, f, "defaultNamingContext");
    out->configuration = keep(out, f, "configurationNamingContext");
    out->schema = keep(out, f, "schemaNamingContext");
    out->ds_service_name = keep(out, f, "dsServiceName");
    out->forest_functionality = arena_bytes(&out->text, fetched_set(f, "forestFunctionality"));
    out->domain_level = level(f, "domainFunctionality");
    out->forest_level = level(f, "forestFunctionality");
    out->controller_level = level(f, "domainControllerFunctionality");
    if (!fetched_int(f, "highestCommittedUSN", &out->highest_usn)) out->highest_usn = 0;
    if (!fetched_str(f, "currentTime", &time) || !generalized_time_parse(&out->time_ms, time))
        out->time_ms = 0;
    out->is_gc_ready = is_true(f, "isGlobalCatalogReady");
    out->is_synchronized = is_true(f, "isSynchronized");
}

int ldap_facts_root(struct ldap_facts *out, struct ldap_conn *c, const char *host, struct ldap_stats *stats,
                    struct err *e)
{
    const char *attributes[] = {"dnsHostName",
                                "defaultNamingContext",
                                "configurationNamingContext",
                                "schemaNamingContext",
                                "dsServiceName",
                                "forestFunctionality",
                                "domainFunctionality",
                                "domainControllerFunctionality",
                                "highestCommittedUSN",
                                "currentTime",
                                "isGlobalCatalogReady",
                                "isSynchronized",
                                NULL};
    struct ldap_search s = {
        .base = "", .scope = LDAP_SCOPE_BASE, .filter = "(objectClass=*)", .attributes = attributes};
    struct fetched f;
    memset(out, 0, sizeof *out);
    out->text = arena_new(TEXT_MAX);
    if (ldap_fetch(&f, c, &s, stats, e) < 0) return err_wrap(e, "root DSE");
    out->asked_at_ms = when_now_ms();
    take_root(out, &f, host);
    fetched_free(&f);
    if (out->naming_context) {
        out->domain = dns_of(out, out->naming_context);
        return 0;
    }
    err_set(e, ERR_PROTO, "root DSE: no defaultNamingContext: this is no Active Directory domain controller");
    return err_hint(e, "point host at a domain controller of the domain");
}

int ldap_facts_check_domain(const struct ldap_facts *f, const char *domain, struct err *e)
{
    if (str_equal_nocase(str_from(f->domain), str_from(domain))) return 0;
    err_set(e, ERR_INPUT, "%s is a controller of the domain %s, not of %s", f->server, f->domain, domain);
    return err_hint(e, "set domain: %s, or point host at a controller of %s", f->domain, domain);
}

/* --- after the bind ------------------------------------------------------------------------------------ */

static bool span(const struct fetched *f, const char *name, int64_t *out_ms)
{
    struct str s;
    return fetched_str(f, name, &s) && filetime_parse_span(out_ms, s);
}

static int read_domain(struct ldap_facts *out, struct ldap_conn *c, struct ldap_stats *stats, struct err *e)
{
    const char *attributes[] = {"objectSid", "maxPwdAge", "lockoutDuration", "lockoutThreshold", NULL};
    struct ldap_search s = {.base = out->naming_context,
                            .scope = LDAP_SCOPE_BASE,
                            .filter = "(objectClass=*)",
                            .attributes = attributes};
    struct fetched f;
    struct bytes sid;
    try(ldap_fetch(&f, c, &s, stats, e));
    if (fetched_bytes(&f, "objectSid", &sid) && sid_is_valid(sid)) {
        memcpy(out->sid, sid.ptr, sid.len);
        out->sid_len = sid.len;
    }
    out->has_policy = span(&f, "maxPwdAge", &out->max_pwd_age_ms) &&
                      span(&f, "lockoutDuration", &out->lockout_duration_ms) &&
                      fetched_int(&f, "lockoutThreshold", &out->lockout_threshold);
    bool is_found = f.n_entries > 0;
    fetched_free(&f);
    if (is_found && out->sid_len) return 0;
    err_set(e, ERR_DENIED, "the account cannot read the domain object %s", out->naming_context);
    return err_hint(e, "give it read access to the domain; an ordinary user of the domain has it");
}

/* One attribute of one object that may well be unreadable: then the callback is not called. */
static int maybe(struct ldap_facts *out, struct ldap_conn *c, const struct ldap_search *s,
                 struct ldap_stats *stats, void (*take)(struct ldap_facts *, const struct fetched *),
                 struct err *e)
{
    struct fetched f;
    int rc = ldap_fetch(&f, c, s, stats, e);
    if (rc < 0) return ldap_is_answer(e) ? 0 : rc;
    if (f.n_entries) take(out, &f);
    fetched_free(&f);
    return 0;
}

static void take_netbios(struct ldap_facts *out, const struct fetched *f)
{
    const char *name = keep(out, f, "nETBIOSName");
    if (name) out->netbios = name;
}

static void take_invocation(struct ldap_facts *out, const struct fetched *f)
{
    struct bytes id;
    if (!fetched_bytes(f, "invocationId", &id) || id.len != sizeof out->invocation_id) return;
    memcpy(out->invocation_id, id.ptr, id.len);
    out->has_invocation_id = true;
}

static int read_netbios(struct ldap_facts *out, struct ldap_conn *c, struct ldap_stats *stats, struct err *e)
{
    const char *attributes[] = {"nETBIOSName", NULL};
    if (!out->configuration) return 0;
    struct buf filter = buf_new(65536);
    buf_add_str(&filter, STR("(&(objectClass=crossRef)"));
    filter_equal(&filter, STR("nCName"), bytes_of(str_from(out->naming_context)));
    buf_add_byte(&filter, ')');
    struct ldap_search s = {
        .scope = LDAP_SCOPE_ONELEVEL, .filter = buf_cstr(&filter), .attributes = attributes};
    s.base = arena_printf(&out->text, "CN=Partitions,%s", out->configuration);
    int rc = s.base && !filter.failed ? maybe(out, c, &s, stats, take_netbios, e) : 0;
    buf_free(&filter);
    return rc;
}

int ldap_facts_domain(struct ldap_facts *f, struct ldap_conn *c, struct ldap_stats *stats, struct err *e)
{
    const char *attributes[] = {"invocationId", NULL};
    struct ldap_search s = {.scope = LDAP_SCOPE_BASE, .filter = "(objectClass=*)", .attributes = attributes};
    f->netbios = "";
    if (read_domain(f, c, stats, e) < 0) return err_wrap(e, "the domain object");
    if (read_netbios(f, c, stats, e) < 0) return err_wrap(e, "the domain's NetBIOS name");
    s.base = f->ds_service_name;
    if (s.base && maybe(f, c, &s, stats, take_invocation, e) < 0)
        return err_wrap(e, "the controller's invocationId");
    return 0;
}

void ldap_facts_free(struct ldap_facts *f)
{
    arena_free(&f->text);
}

/* --- BEGIN --------------------------------------------------------------------------------------------- */

static void set_text(json_t *o, const char *key, const char *value)
{
    json_object_set_new(o, key, json_string(value ? value : ""));
}

static void set_hex(json_t *o, const char *key, struct bytes b)
{
    static const char digits[] = "0123456789abcdef";
    char text[2 * SID_MAX + 1];
    for (size_t i = 0; i < b.len; i++) {
        text[2 * i] = digits[b.ptr[i] >> 4];
        text[2 * i + 1] = digits[b.ptr[i] & 15];
    }
    text[2 * b.len] = 0;
    set_text(o, key, text);
}

static void set_number(json_t *o, const char *key, int64_t n)
{
    json_object_set_new(o, key, json_integer(n));
}

json_t *ldap_facts_begin(const struct ldap_facts *f, const char *address, const char *base_dn)
{
    char when[WHEN_TEXT], guid[GUID_TEXT];
    json_t *o = json_object();
    set_number(o, "protocol", WIRE_VERSION);
    set_text(o, "source", "active_directory");
    set_text(o, "server", f->server);
    set_text(o, "address", address);
    set_text(o, "domain", f->domain);
    set_text(o, "netbios", f->netbios);
    set_text(o, "base", f->naming_context);
    set_text(o, "base_dn", base_dn ? base_dn : f->naming_context);
    set_hex(o, "domain_sid", (struct bytes){f->sid, f->sid_len});
    set_number(o, "max_pwd_age_ms", f->max_pwd_age_ms);
    set_number(o, "lockout_duration_ms", f->lockout_duration_ms);
    set_number(o, "lockout_threshold", f->lockout_threshold);
    json_object_set_new(o, "has_policy", json_boolean(f->has_policy));
    if (f->has_invocation_id) set_text(o, "invocation_id", guid_format(guid, f->invocation_id));
    set_number(o, "highest_usn", f->highest_usn);
    if (f->domain_level >= 0) set_number(o, "domain_level", f->domain_level);
    if (f->forest_level >= 0) set_number(o, "forest_level", f->forest_level);
    if (f->controller_level >= 0) set_number(o, "controller_level", f->controller_level);
    if (f->time_ms) set_text(o, "time", when_format(when, f->time_ms));
    return o;
}
