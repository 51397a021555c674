/* The asset object that Sekoia's Entra ID connector is documented to send, row by row: user.name is the
 * display name, account.name the UPN, `time` the creation, all times in seconds; both enrichments filled.
 * What is not known is left out. Delivery wraps lines in {"version":1,"items":[...]}. */
#include "map/sekoia.h"

#include "map/dialect.h"

/* Admin: any active directory role, whatever its scope. Nothing where roles could not be read. */
static bool is_admin(const struct view *v)
{
    return v->s->derived.privileges & PRIV_DIRECTORY_ROLE;
}
static bool is_type_known(const struct view *v)
{
    return is_admin(v) || v->s->derived.privileges_known != TRI_NO;
}
static bool get_type_id(struct view *v, const struct row *row, struct cell *out)
{
    return is_type_known(v) && cell_number(out, CELL_INT, is_admin(v) ? 2 : 1);
}
static bool get_type(struct view *v, const struct row *row, struct cell *out)
{
    return is_type_known(v) && cell_text(out, is_admin(v) ? STR("Admin") : STR("User"));
}

static bool get_display_name(struct view *v, const struct row *row, struct cell *out)
{
    struct str s;
    return (view_str(v, ATTR_DISPLAY_NAME, &s) && cell_text(out, s)) || get_upn_or_title(v, row, out);
}

static bool get_mail_or_nickname(struct view *v, const struct row *row, struct cell *out)
{
    struct str s;
    return (view_str(v, ATTR_MAIL, &s) && cell_text(out, s)) ||
           (view_str(v, ATTR_MAIL_NICKNAME, &s) && cell_text(out, s));
}

/* An organisation needs a name: the company's, else the tenant's where there is an office to tell. */
static bool get_org_name(struct view *v, const struct row *row, struct cell *out)
{
    struct str office;
    out->type = CELL_TEXT;
    if (view_words(v, ATTR_COMPANY_NAME, &out->text)) return true;
    return view_words(v, ATTR_OFFICE_LOCATION, &office) && get_tenant_name(v, row, out);
}

static const struct row sekoia_user[] = {
    {"time", get_created_or_read_time, ATTR_CREATED},
    SEKOIA_ENVELOPE("Microsoft Entra ID"),
    {"user.name", get_display_name},
    {"user.uid", get_guid},
    {"user.type_id", get_type_id},
    {"user.type", get_type},
    {"user.has_mfa", get_has_mfa},
    {"user.account.name", get_upn_or_title},
    {"user.account.type_id", fixed_number, 6},
    {"user.account.type", fixed_text, .text = "Azure AD Account"},
    {"user.account.uid", get_guid},
    {"user.full_name", get_text, ATTR_DISPLAY_NAME},
    {"user.display_name", get_text, ATTR_DISPLAY_NAME},
    {"user.email_addr", get_mail_or_nickname},
    {"user.domain", get_upn_suffix},
    {"user.org.name", get_org_name},
    {"user.org.ou_name", get_words, ATTR_OFFICE_LOCATION},
    {"user.groups", get_groups},
    {"enrichments[0].name", lead_text, .text = "account"},
    {"enrichments[0].value", lead_text, .text = "status"},
    {"enrichments[0].data.is_enabled", get_bool, ATTR_ACCOUNT_ENABLED},
    {"enrichments[0].data.is_mfa", get_has_mfa},
    {"enrichments[0].data.is_restricted", get_bool, ATTR_IS_RESTRICTED},
    {"enrichments[0].data.last_logon", get_moment, ATTR_LAST_SIGN_IN},
    {"enrichments[1].name", lead_text, .text = "employment"},
    {"enrichments[1].value", get_employment, ATTR_JOB_TITLE},
    {"enrichments[1].data.department", get_words, ATTR_DEPARTMENT},
    {"enrichments[1].data.job_title", get_words, ATTR_JOB_TITLE},
    {"enrichments[1].data.employee_id", get_words, ATTR_GRAPH_EMPLOYEE_ID},
    {"enrichments[1].data.employee_type", get_words, ATTR_EMPLOYEE_TYPE},
    {NULL},
};

static const struct row sekoia_group_ref[] = {
    {"name", get_ref_name, REF_OTHER},
    {"uid", get_ref_id},
    {NULL},
};

static const struct table tables[] = {
    {TABLE_ENTITY, KIND_BIT(KIND_user), sekoia_user},
    {TABLE_GROUP_REF, 0, sekoia_group_ref},
};
static const struct file_kind files[] = {{"assets.jsonl", TABLE_ENTITY, KIND_BIT(KIND_user)}};

const struct dialect_type dialect_sekoia_entra = {
    .name = "sekoia",
    .shape = SHAPE_JSON_LINES,
    .times = TIME_SECONDS,
    .tables = tables,
    .n_tables = n_elements(tables),
    .group_refs = KIND_BIT(KIND_group),
    .files = files,
    .n_files = n_elements(files),
};
