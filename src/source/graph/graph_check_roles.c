/* graph_check_roles.c - the application permissions in the token against what each feature needs. A
 * diagnosis: the service decides. */
#include "source/graph/graph_check.h"

#include <stdio.h>

#define SHOWN 4

/* What is not a kind of its own; those are in graph_place. */
/* clang-format off */
static const struct feature {
    const char *what;
    const char *permissions; /* any of */
    const char *grant;       /* the least of them */
    enum kind kind;          /* only where this kind is read */
    enum { ALWAYS, FOR_SIGN_IN, FOR_REPORT, FOR_METHODS } when;
} features[] = {
    {"members of groups with hidden membership", "Member.Read.Hidden", "Member.Read.Hidden", KIND_group, ALWAYS},
    {"eligible role assignments (PIM)",
     "RoleManagement.Read.Directory RoleManagement.Read.All RoleEligibilitySchedule.Read.Directory RoleManagement.ReadWrite.Directory "
     "RoleEligibilitySchedule.ReadWrite.Directory",
     "RoleManagement.Read.Directory", KIND_role, ALWAYS},
    {"federated domains", "Domain.Read.All Directory.Read.All Domain.ReadWrite.All Directory.ReadWrite.All", "Domain.Read.All", KIND_tenant,
     ALWAYS},
    {"sign-in activity", "AuditLog.Read.All", "AuditLog.Read.All", KIND_user, FOR_SIGN_IN},
    {"the MFA registration report", "AuditLog.Read.All", "AuditLog.Read.All", KIND_user, FOR_REPORT},
    {"authentication methods user by user", "UserAuthenticationMethod.Read.All UserAuthenticationMethod.ReadWrite.All",
     "UserAuthenticationMethod.Read.All", KIND_user, FOR_METHODS},
};
/* clang-format on */

static const enum kind listed[] = {
    KIND_user,   KIND_group,   KIND_role,  KIND_administrative_unit, KIND_service_principal,
    KIND_device, KIND_contact, KIND_tenant};

static bool is_wanted(const struct feature *x, const struct graph_settings *set)
{
    if (x->when == FOR_SIGN_IN) return set->sign_in_activity;
    if (x->when == FOR_REPORT) return set->mfa == GRAPH_MFA_AUTO || set->mfa == GRAPH_MFA_REPORT;
    return x->when == ALWAYS || set->mfa == GRAPH_MFA_METHODS;
}

/* --- missing ----------------------------------------------------------------------------------------------
 */

struct lacking {
    struct finding *f;
    struct buf fix;
    json_t *list;
    unsigned n, n_asked;
};

static void ask(struct graph_checkup *c, struct lacking *l, const char *what, const char *permissions,
                const char *grant)
{
    l->n_asked++;
    if (graph_client_may(c->s.client, permissions)) return;
    finding_say(l->f, "without %s: %s is missing", what, grant);
    buf_printf(&l->fix, "%s%s", l->n++ ? ", " : "", grant);
    json_array_append_new(l->list, json_pack("{s:s, s:s}", "feature", what, "permission", grant));
}

/* A name once, though two features want it. */
static void say_fix(struct lacking *l)
{
    struct buf once = buf_new(l->fix.max);
    struct str rest = buf_str(&l->fix);
    while (rest.len) {
        size_t n = str_index(rest, ',');
        struct str one = str_trim((struct str){rest.ptr, n});
        if (!once.len || !memmem(once.ptr, once.len, one.ptr, one.len))
            buf_printf(&once, "%s%.*s", once.len ? ", " : "", STR_FMT(one));
        n += n < rest.len;
        rest = (struct str){rest.ptr + n, rest.len - n};
    }
    finding_warn(
        l->f,
        "grant as application permissions, with admin consent: %s; or leave these kinds and features out",
        buf_cstr(&once));
    buf_free(&once);
}

static void check_missing(struct graph_checkup *c, struct finding *f, json_t *missing)
{
    struct lacking l = {.f = f, .fix = buf_new(2048), .list = missing};
    for (size_t i = 0; i < n_elements(listed); i++) {
        const struct graph_place *p = graph_place(listed[i]);
        if (p && c->s.kinds & KIND_BIT(listed[i])) ask(c, &l, p->what, p->permissions, p->permissions_text);
    }
    for (size_t i = 0; i < n_elements(features); i++)
        if (c->s.kinds & KIND_BIT(features[i].kind) && is_wanted(&features[i], &c->s.set))
            ask(c, &l, features[i].what, features[i].permissions, features[i].grant);
    if (l.n)
        say_fix(&l);
    else
        finding_say(f, "all %u features have what they need", l.n_asked);
    buf_free(&l.fix);
}

/* --- more than needed
 * --------------------------------------------------------------------------------------- */

/* Names by which a permission is known to change things or to act for people. */
static bool is_dangerous(const char *role)
{
    static const char *const marks[] = {"Write",   "AccessAsUser", "full_access",   "FullControl", "Manage.",
                                        ".Manage", ".Send",        ".Create",       ".Delete",     "Impersonat",
                                        ".Invite", "Revoke",       "EnableDisable", ".Command",    ".Upload"};
    for (size_t i = 0; i < n_elements(marks); i++)
        if (strstr(role, marks[i])) return true;
    return false;
}

static void check_excess(const json_t *roles, struct finding *f, json_t *excess)
{
    struct buf names = buf_new(1024);
    size_t i, n = 0;
    const json_t *one;
    json_array_foreach(roles, i, one)
    {
        char text[100];
        const char *role = json_string_value(one);
        if (!role || !is_dangerous(role)) continue;
        finding_text(text, sizeof text, str_from(role));
        json_array_append_new(excess, json_string(text));
        if (n++ < SHOWN) buf_printf(&names, "%s%s", n > 1 ? ", " : "", text);
    }
    if (n > SHOWN) buf_printf(&names, " and %zu more", n - SHOWN);
    if (n) {
        finding_say(f, "more than is needed: %s", buf_cstr(&names));
        finding_warn(f, "nothing is ever written: take %s away from the application", buf_cstr(&names));
    }
    buf_free(&names);
}

void graph_check_permissions(struct graph_checkup *c, struct finding *f)
{
    const json_t *claims = oauth_claims(graph_client_oauth(c->s.client)),
                 *roles = json_object_get(claims, "roles");
    if (!claims) {
        finding_say(f,
                    "the token is not readable, so its permissions are not known; the steps below try them");
        return;
    }
    finding_say(f, "%zu application permissions", json_array_size(roles));
    if (!json_array_size(roles)) {
        finding_warn(f, "grant User.Read.All, GroupMember.Read.All, Member.Read.Hidden, "
                        "RoleManagement.Read.Directory and AuditLog.Read.All as application "
                        "permissions (not delegated ones), and give admin consent");
        return;
    }
    json_t *missing = json_array(), *excess = json_array();
    check_missing(c, f, missing);
    check_excess(roles, f, excess);
    f->detail = json_pack("{s:o, s:o}", "missing", missing, "more_than_needed", excess);
}
