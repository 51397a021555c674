/* rules_entra.c - tests of one account, application or group of a tenant. */
#include "access/report/report_int.h"
#include "base/when.h"

#define EXPIRES_SOON_DAYS 30

static bool is_true(const struct report_entity *x, enum attr a)
{
    int64_t v = 0;
    return record_int(x->x, a, &v) && v;
}

/* Known to be false: what was not read is unknown. */
static bool is_false(const struct report_entity *x, enum attr a)
{
    int64_t v = 1;
    return record_int(x->x, a, &v) && !v;
}

static bool holds_role(const struct report_entity *x)
{
    return x->derived->privileges & PRIV_DIRECTORY_ROLE;
}

static bool is_admin(const struct report_entity *x)
{
    return x->derived->privileges & PRIV_PROTECTED;
}

static void add_rank(struct buf *detail, const struct report_entity *x)
{
    unsigned p = x->derived->privileges;
    buf_add_str(detail, p & PRIV_FULL_ADMIN ? STR("Global Administrator") : p & PRIV_PROTECTED ? STR("a privileged role") : STR("a directory role"));
}

bool rule_admin_without_mfa(const struct report_entity *x, struct buf *detail)
{
    if (!is_admin(x) || !x->is_enabled || !is_false(x, ATTR_IS_MFA_REGISTERED)) return false;
    add_rank(detail, x);
    return true;
}

bool rule_user_without_mfa(const struct report_entity *x, struct buf *detail)
{
    if (!x->is_enabled || !is_false(x, ATTR_IS_MFA_REGISTERED)) return false;
    if (x->is_guest) buf_add_str(detail, STR("guest"));
    return true;
}

bool rule_guest_admin(const struct report_entity *x, struct buf *detail)
{
    if (!holds_role(x) || !x->is_guest) return false;
    add_rank(detail, x);
    return true;
}

bool rule_disabled_admin(const struct report_entity *x, struct buf *detail)
{
    if (!holds_role(x) || x->derived->is_active != TRI_NO) return false;
    add_rank(detail, x);
    return true;
}

bool rule_unused_admin(const struct report_entity *x, struct buf *detail)
{
    if (!is_admin(x) || !rule_unused(x, detail)) return false;
    buf_add_str(detail, STR("; "));
    add_rank(detail, x);
    return true;
}

bool rule_app_admin(const struct report_entity *x, struct buf *detail)
{
    if (!is_admin(x)) return false;
    add_rank(detail, x);
    return true;
}

bool rule_synced_admin(const struct report_entity *x, struct buf *detail)
{
    if (!is_admin(x) || !is_true(x, ATTR_SYNC_ENABLED)) return false;
    add_rank(detail, x);
    return true;
}

bool rule_pending_guest(const struct report_entity *x, struct buf *detail)
{
    struct str state;
    int64_t made = 0;
    if (!record_str(x->x, ATTR_EXTERNAL_USER_STATE, &state) || !str_equal_nocase(state, STR("PendingAcceptance"))) return false;
    if (!record_int(x->x, ATTR_CREATED, &made) || made > x->now_ms - 30 * WHEN_DAY_MS) return false;
    buf_add_str(detail, STR("invited "));
    report_add_day(detail, made);
    return true;
}

bool rule_role_group_owned(const struct report_entity *x, struct buf *detail)
{
    unsigned n = record_values(x->x, ATTR_OWNERS).n;
    if (!is_true(x, ATTR_IS_ASSIGNABLE_TO_ROLE) || !n) return false;
    buf_printf(detail, "%u owner%s: ", n, n == 1 ? "" : "s"); /* the names are added by who can look them up */
    return true;
}

/* "KEYID END NAME", as source/graph writes it; END is - where there is none. */
static bool expires(struct str credential, int64_t now_ms, struct str *name, int64_t *end)
{
    size_t first = str_index(credential, ' ');
    if (first == credential.len) return false;
    struct str rest = {credential.ptr + first + 1, credential.len - first - 1};
    size_t second = str_index(rest, ' ');
    *name = second < rest.len ? (struct str){rest.ptr + second + 1, rest.len - second - 1} : (struct str){credential.ptr, first};
    return when_parse(end, (struct str){rest.ptr, second}) && *end < now_ms + EXPIRES_SOON_DAYS * WHEN_DAY_MS;
}

static void add_expiring(const struct report_entity *x, enum attr a, const char *what, struct buf *detail)
{
    struct values v = record_values(x->x, a);
    struct bytes one;
    struct str name;
    int64_t end;
    while (values_next_bytes(&v, &one)) {
        if (!expires(str_of(one), x->now_ms, &name, &end)) continue;
        buf_printf(detail, "%s%s '%.*s' %s ", detail->len ? ", " : "", what, STR_FMT(name), end < x->now_ms ? "expired" : "expires");
        report_add_day(detail, end);
    }
}

bool rule_secret_expires(const struct report_entity *x, struct buf *detail)
{
    size_t before = detail->len;
    add_expiring(x, ATTR_PASSWORD_CREDENTIALS, "secret", detail);
    add_expiring(x, ATTR_KEY_CREDENTIALS, "certificate", detail);
    return detail->len > before;
}
