/* rules_account.c - tests of one account of Active Directory, and those that are the same in Entra ID. */
#include "access/check.h"
#include "access/report/report_int.h"
#include "base/when.h"
#include "model/derive.h"

#define BAD_ATTEMPTS 20

void report_add_day(struct buf *b, int64_t ms)
{
    char text[WHEN_TEXT];
    buf_add_str(b, (struct str){when_format(text, ms), 10});
}

static int64_t time_of(const struct report_entity *x, enum attr a)
{
    int64_t ms = 0;
    record_int(x->x, a, &ms);
    return ms;
}

static bool is_older(const struct report_entity *x, int64_t ms, int64_t days)
{
    return ms < x->now_ms - days * WHEN_DAY_MS;
}

static bool has_flag(const struct report_entity *x, int64_t flag)
{
    return x->has_uac && x->uac & flag;
}

static bool is_privileged(const struct report_entity *x)
{
    return x->derived->privileges & PRIV_PROTECTED;
}

/* --- what a test sees ------------------------------------------------------------------------------------------------ */

static bool has_text(const struct report_entity *x, enum attr a, const char *part)
{
    struct str s;
    if (!record_str(x->x, a, &s)) return false;
    struct str want = str_from(part);
    for (size_t i = 0; i + want.len <= s.len; i++)
        if (str_equal_nocase((struct str){s.ptr + i, want.len}, want)) return true;
    return false;
}

static bool starts_nocase(struct str s, const char *prefix)
{
    struct str p = str_from(prefix);
    return s.len >= p.len && str_equal_nocase((struct str){s.ptr, p.len}, p);
}

static bool is_technical(const struct report_entity *x)
{
    static const char *const prefixes[] = {"svc", "srv", "sa-", "sa_", "service"};
    if (x->entity->record.kind == KIND_service_account || record_values(x->x, ATTR_SERVICE_PRINCIPAL_NAME).n) return true;
    if (has_text(x, ATTR_EMPLOYEE_TYPE, "service")) return true;
    for (size_t i = 0; i < n_elements(prefixes); i++)
        if (starts_nocase(x->entity->name, prefixes[i])) return true;
    return false;
}

void report_entity_fill(struct report_entity *out, const struct report_place_of *p, const struct entity *entity, const struct record_index *x,
                        struct derived *derived)
{
    *out = (struct report_entity){.place = p, .entity = entity, .x = x, .derived = derived, .now_ms = p->told.as_of_ms, .is_tenant = p->told.is_tenant};
    derive_account(derived, x, &p->domain, out->now_ms);
    int64_t hidden = 0; /* run/backlinks.h */
    record_int(x, ATTR_HIDDEN_PRIVILEGES, &hidden);
    derived->privileges = entity->privileges | (unsigned)hidden;
    out->has_uac = record_int(x, ATTR_USER_ACCOUNT_CONTROL, &out->uac);
    out->is_enabled = derived->is_active == TRI_YES;
    out->is_guest = has_text(out, ATTR_USER_TYPE, "guest");
    out->is_technical = !out->is_tenant && is_technical(out);
}

/* --- use --------------------------------------------------------------------------------------------------------------- */

static int64_t created(const struct report_entity *x)
{
    return time_of(x, x->is_tenant ? ATTR_CREATED : ATTR_WHEN_CREATED);
}

/* A refresh token may keep an account busy without its user. */
static int64_t last_use(const struct report_entity *x)
{
    int64_t quiet = x->is_tenant ? time_of(x, ATTR_LAST_NON_INTERACTIVE) : 0;
    return quiet > x->derived->last_logon_ms ? quiet : x->derived->last_logon_ms;
}

static bool is_use_known(const struct report_entity *x)
{
    return x->is_tenant ? x->place->has_sign_ins : x->has_uac;
}

bool report_is_unused(const struct report_entity *x)
{
    return is_use_known(x) && is_older(x, last_use(x), UNUSED_DAYS);
}

static void add_use(struct buf *b, const struct report_entity *x)
{
    int64_t used = last_use(x), made = created(x);
    buf_add_str(b, used ? STR("last used ") : STR("never used"));
    if (used) report_add_day(b, used);
    if (used || !made) return;
    buf_add_str(b, STR(", made "));
    report_add_day(b, made);
}

bool rule_unused(const struct report_entity *x, struct buf *detail)
{
    if (!x->is_enabled || !report_is_unused(x)) return false;
    add_use(detail, x);
    return true;
}

bool rule_never_used(const struct report_entity *x, struct buf *detail)
{
    int64_t made = created(x);
    if (!x->is_enabled || !is_use_known(x) || last_use(x) || time_of(x, ATTR_LOGON_COUNT)) return false;
    if (!made) return true;
    buf_add_str(detail, STR("made "));
    report_add_day(detail, made);
    return true;
}

/* --- passwords ------------------------------------------------------------------------------------------------------------- */

static bool never_expires(const struct report_entity *x, struct buf *detail)
{
    bool is_flagged = x->is_tenant ? x->derived->password_expires == TRI_NO : has_flag(x, UAC_DONT_EXPIRE_PASSWORD);
    if (!x->is_enabled || x->is_guest || !is_flagged) return false;
    int64_t set = time_of(x, x->is_tenant ? ATTR_LAST_PASSWORD_CHANGE : ATTR_PWD_LAST_SET);
    if (!set) return true;
    buf_add_str(detail, STR("password of "));
    report_add_day(detail, set);
    return true;
}

bool rule_never_expires(const struct report_entity *x, struct buf *detail)
{
    return !x->is_technical && never_expires(x, detail);
}

bool rule_technical_never_expires(const struct report_entity *x, struct buf *detail)
{
    return x->is_technical && never_expires(x, detail);
}

static bool is_password_old(const struct report_entity *x, struct buf *detail)
{
    int64_t set = time_of(x, x->is_tenant ? ATTR_LAST_PASSWORD_CHANGE : ATTR_PWD_LAST_SET);
    if (!x->is_enabled || x->is_guest || !set || !is_older(x, set, PASSWORD_DAYS)) return false;
    buf_add_str(detail, STR("password of "));
    report_add_day(detail, set);
    return true;
}

bool rule_old_password(const struct report_entity *x, struct buf *detail)
{
    return is_password_old(x, detail);
}

bool rule_bad_attempts(const struct report_entity *x, struct buf *detail)
{
    int64_t n = 0, last = time_of(x, ATTR_BAD_PASSWORD_TIME);
    if (!record_int(x->x, ATTR_BAD_PWD_COUNT, &n) || n <= BAD_ATTEMPTS) return false;
    buf_printf(detail, "%lld attempts", (long long)n);
    if (!last) return true;
    buf_add_str(detail, STR(", last "));
    report_add_day(detail, last);
    return true;
}

bool rule_no_password(const struct report_entity *x, struct buf *detail)
{
    if (!x->is_enabled || !has_flag(x, UAC_PASSWD_NOTREQD)) return false;
    buf_add_str(detail, time_of(x, ATTR_PWD_LAST_SET) ? STR("a password was set") : STR("no password was ever set"));
    return true;
}

/* S-1-1-0, S-1-5-11 and the account itself: what every account is, without the groups it is in. */
static bool is_anyone(void *ctx, struct bytes sid)
{
    static const uint8_t everyone[] = {1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0}, users[] = {1, 1, 0, 0, 0, 0, 0, 5, 11, 0, 0, 0};
    const struct entity *x = ctx;
    return bytes_equal(sid, (struct bytes){everyone, sizeof everyone}) || bytes_equal(sid, (struct bytes){users, sizeof users}) ||
           bytes_equal(sid, x->record.sid);
}

bool rule_cannot_change(const struct report_entity *x, struct buf *detail)
{
    static const uint8_t change_password[16] = {0x53, 0x1a, 0x72, 0xab, 0x2f, 0x1e, 0xd0, 0x11, 0x98, 0x19, 0x00, 0xaa, 0x00, 0x40, 0x52, 0x9b};
    struct sd sd;
    struct err ignored;
    if (!x->is_enabled || !x->entity->sd.len || sd_decode(&sd, x->entity->sd, &ignored) < 0) return false;
    struct access_object o = {.sd = &sd, .sid = x->entity->record.sid, .schema = schema_builtin()};
    o.class = schema_class_find(o.schema, STR("user"));
    struct access_token anyone = {is_anyone, (void *)x->entity};
    struct right r = {.bit = RIGHT_CONTROL_ACCESS, .is_typed = true};
    struct access_verdict v;
    memcpy(r.guid, change_password, sizeof r.guid);
    access_check(&v, &o, &anyone, &r, ACCESS_WINDOWS);
    if (v.is_allowed) return false;
    buf_add_str(detail, v.reason == ACCESS_BY_ACE ? STR("its permissions deny it to change the password") : STR("its permissions do not let it change the password"));
    return true;
}

bool rule_locked(const struct report_entity *x, struct buf *detail)
{
    int64_t since = time_of(x, ATTR_LOCKOUT_TIME);
    if (x->derived->is_locked != TRI_YES) return false;
    if (!since) return true;
    buf_add_str(detail, STR("since "));
    report_add_day(detail, since);
    return true;
}

bool rule_reversible(const struct report_entity *x, struct buf *detail)
{
    (void)detail;
    return has_flag(x, 0x80); /* ENCRYPTED_TEXT_PWD_ALLOWED */
}

/* --- names --------------------------------------------------------------------------------------------------------------------- */

bool rule_no_name(const struct report_entity *x, struct buf *detail)
{
    struct str s;
    (void)detail;
    if (!x->is_enabled || record_str(x->x, ATTR_DISPLAY_NAME, &s)) return false;
    return !record_str(x->x, ATTR_GIVEN_NAME, &s) || !record_str(x->x, x->is_tenant ? ATTR_SURNAME : ATTR_SN, &s);
}

bool rule_created_late(const struct report_entity *x, struct buf *detail)
{
    int64_t made = created(x), start = time_of(x, ATTR_HIRE_DATE);
    if (!made || !start || made - start <= 7 * WHEN_DAY_MS) return false;
    buf_add_str(detail, STR("made "));
    report_add_day(detail, made);
    buf_add_str(detail, STR(", first day "));
    report_add_day(detail, start);
    return true;
}

/* --- privileged accounts ---------------------------------------------------------------------------------------------------------- */

bool rule_privileged_disabled(const struct report_entity *x, struct buf *detail)
{
    (void)detail;
    return is_privileged(x) && x->derived->is_active == TRI_NO;
}

bool rule_privileged_unused(const struct report_entity *x, struct buf *detail)
{
    return is_privileged(x) && rule_unused(x, detail);
}

bool rule_privileged_never_expires(const struct report_entity *x, struct buf *detail)
{
    return is_privileged(x) && (never_expires(x, detail) || is_password_old(x, detail));
}

static void add_values(struct buf *detail, const struct report_entity *x, enum attr a)
{
    struct values v = record_values(x->x, a);
    struct bytes b;
    for (unsigned i = 0; i < 5 && values_next_bytes(&v, &b); i++) {
        if (i) buf_add_str(detail, STR(", "));
        buf_add_bytes(detail, b);
    }
    if (v.n) buf_printf(detail, " and %u more", v.n);
}

/* krbtgt has a service principal name, is disabled, and its key is not made of a password. */
bool rule_kerberoastable(const struct report_entity *x, struct buf *detail)
{
    if (!x->is_enabled || !record_values(x->x, ATTR_SERVICE_PRINCIPAL_NAME).n) return false;
    add_values(detail, x, ATTR_SERVICE_PRINCIPAL_NAME);
    return true;
}

bool rule_privileged_spn(const struct report_entity *x, struct buf *detail)
{
    return is_privileged(x) && rule_kerberoastable(x, detail);
}

bool rule_left_behind(const struct report_entity *x, struct buf *detail)
{
    int64_t count = 0;
    uint32_t rid = sid_rid(x->entity->record.sid);
    if (!record_int(x->x, ATTR_ADMIN_COUNT, &count) || !count || is_privileged(x)) return false;
    if (rid == 500 || rid == 502) return false; /* Administrator and krbtgt are protected by themselves, MS-ADTS 3.1.1.6.1 */
    if (derive_privileged_group(x->entity->record.sid, x->place->domain.sid)) return false;
    buf_printf(detail, "adminCount is %lld", (long long)count);
    return true;
}

bool rule_privileged_delegable(const struct report_entity *x, struct buf *detail)
{
    (void)detail;
    return is_privileged(x) && x->is_enabled && !has_flag(x, UAC_NOT_DELEGATED) && !x->is_protected_user;
}

/* --- Kerberos --------------------------------------------------------------------------------------------------------------------------- */

bool rule_asrep(const struct report_entity *x, struct buf *detail)
{
    (void)detail;
    return x->is_enabled && has_flag(x, UAC_DONT_REQ_PREAUTH);
}

bool rule_unconstrained(const struct report_entity *x, struct buf *detail)
{
    (void)detail;
    return x->is_enabled && has_flag(x, UAC_TRUSTED_FOR_DELEGATION) && !has_flag(x, UAC_SERVER_TRUST_ACCOUNT);
}

bool rule_protocol_transition(const struct report_entity *x, struct buf *detail)
{
    if (!x->is_enabled || !has_flag(x, UAC_TRUSTED_TO_AUTH_FOR_DELEGATION) || !record_values(x->x, ATTR_ALLOWED_TO_DELEGATE_TO).n) return false;
    add_values(detail, x, ATTR_ALLOWED_TO_DELEGATE_TO);
    return true;
}

bool rule_resource_based(const struct report_entity *x, struct buf *detail)
{
    struct values v = record_values(x->x, ATTR_ALLOWED_TO_ACT);
    struct bytes raw, rest;
    struct sd sd;
    struct ace ace;
    struct err ignored;
    char sid[SID_TEXT];
    unsigned n = 0;
    if (!values_next_bytes(&v, &raw)) return false;
    if (sd_decode(&sd, raw, &ignored) < 0) {
        buf_add_str(detail, STR("its descriptor is malformed"));
        return true;
    }
    for (rest = sd.dacl; sd_next_ace(&rest, &ace);)
        if (ace.type == ACE_ALLOW && n++ < 5) buf_printf(detail, "%s%s", n > 1 ? ", " : "", sid_format_bytes(sid, ace.trustee));
    if (n > 5) buf_printf(detail, " and %u more", n - 5);
    return n > 0 || sd.is_null_dacl;
}

bool rule_des(const struct report_entity *x, struct buf *detail)
{
    (void)detail;
    return x->is_enabled && has_flag(x, 0x200000); /* USE_DES_KEY_ONLY */
}
