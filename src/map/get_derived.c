#include "map/dialect.h"
#include "map/get.h"
#include "model/sd.h"

static bool cell_tri(struct cell *out, enum tri t, enum tri yes)
{
    return t != TRI_UNKNOWN && cell_number(out, CELL_BOOL, t == yes);
}

bool get_is_active(struct view *v, const struct row *row, struct cell *out)
{
    return cell_tri(out, v->s->derived.is_active, TRI_YES);
}
bool get_is_disabled(struct view *v, const struct row *row, struct cell *out)
{
    return cell_tri(out, v->s->derived.is_active, TRI_NO);
}
bool get_is_locked(struct view *v, const struct row *row, struct cell *out)
{
    return cell_tri(out, v->s->derived.is_locked, TRI_YES);
}

bool get_last_logon(struct view *v, const struct row *row, struct cell *out)
{
    return cell_moment(out, v->s->derived.last_logon_ms);
}
bool get_last_logon_source(struct view *v, const struct row *row, struct cell *out)
{
    return v->s->derived.last_logon_ms > 0 && cell_text(out, str_from(v->s->derived.last_logon_source));
}

bool get_password_expires(struct view *v, const struct row *row, struct cell *out)
{
    return v->s->derived.password_expires_ms > 0 &&
           cell_number(out, CELL_TIME, v->s->derived.password_expires_ms);
}
bool get_password_never_expires(struct view *v, const struct row *row, struct cell *out)
{
    return cell_tri(out, v->s->derived.password_expires, TRI_NO);
}
bool get_must_change_password(struct view *v, const struct row *row, struct cell *out)
{
    return v->s->derived.is_active != TRI_UNKNOWN &&
           cell_number(out, CELL_BOOL, v->s->derived.must_change_password);
}

bool get_privilege(struct view *v, const struct row *row, struct cell *out)
{
    if (v->s->derived.privileges_known == TRI_NO) return false;
    return cell_number(out, CELL_BOOL, (v->s->derived.privileges & (unsigned)row->arg) != 0);
}

/* --- flags --------------------------------------------------------------------------------------- */
static void push_name(void *ctx, const char *name)
{
    struct view *v = ctx;
    if (v->n_names < n_elements(v->names)) v->names[v->n_names++] = name;
}
static bool next_name(struct view *v, struct str *out)
{
    if (v->list.position >= v->n_names) return false;
    *out = str_from(v->names[v->list.position++]);
    return true;
}

bool get_uac_names(struct view *v, const struct row *row, struct cell *out)
{
    int64_t uac;
    if (!view_int(v, ATTR_USER_ACCOUNT_CONTROL, &uac)) return false;
    v->n_names = 0;
    uac_flag_names(uac, push_name, v);
    v->list = (struct list){.next = next_name, .is_plain = true};
    out->type = CELL_LIST;
    return v->n_names > 0;
}

bool get_account_labels(struct view *v, const struct row *row, struct cell *out)
{
    static const struct word words[] = {
        {UAC_PASSWD_NOTREQD, "password_not_required"},
        {UAC_DONT_EXPIRE_PASSWORD, "password_never_expires"},
        {UAC_SMARTCARD_REQUIRED, "smartcard_required"},
        {UAC_TRUSTED_FOR_DELEGATION, "trusted_for_delegation"},
        {UAC_NOT_DELEGATED, "sensitive"},
        {UAC_DONT_REQ_PREAUTH, "no_preauth"},
        {UAC_TRUSTED_TO_AUTH_FOR_DELEGATION, "trusted_to_auth_for_delegation"},
        {0, NULL},
    };
    static const struct row labels = {.arg = ATTR_USER_ACCOUNT_CONTROL, .words = words};
    return get_flags(v, &labels, out);
}

bool get_group_type(struct view *v, const struct row *row, struct cell *out)
{
    int64_t type;
    return view_int(v, ATTR_GROUP_TYPE, &type) && cell_text(out, str_from(group_type_name(type)));
}
bool get_group_is_security(struct view *v, const struct row *row, struct cell *out)
{
    int64_t type;
    return view_int(v, ATTR_GROUP_TYPE, &type) && cell_number(out, CELL_BOOL, group_type_is_security(type));
}
bool get_group_is_mail_enabled(struct view *v, const struct row *row, struct cell *out)
{
    return cell_number(out, CELL_BOOL, v->r->present[ATTR_MAIL]);
}

bool get_sd_owner(struct view *v, const struct row *row, struct cell *out)
{
    struct sd sd;
    struct err ignored;
    if (!v->s->sd_bytes.len || sd_decode(&sd, v->s->sd_bytes, &ignored) < 0 || !sd.owner.len) return false;
    sid_format_bytes(v->scratch, sd.owner);
    return cell_plain(out, v->scratch, strlen(v->scratch));
}

/* --- linked policies: gPLink is [LDAP://dn;options][LDAP://dn;options]..., MS-GPOL 2.2.2 --------- */
struct policy_link {
    struct str dn;
    int64_t options;
};

static bool next_link(struct view *v, struct policy_link *out)
{
    struct str s;
    if (!view_str(v, ATTR_GP_LINK, &s)) return false;
    size_t at = v->list.position;
    while (at < s.len && s.ptr[at] != '[') at++;
    size_t start = at + 1, semicolon = 0;
    for (at++; at < s.len && s.ptr[at] != ']'; at++)
        if (s.ptr[at] == ';') semicolon = at;
    if (at >= s.len) return false;
    v->list.position = at;
    size_t end = semicolon ? semicolon : at;
    out->dn = (struct str){s.ptr + start, end - start};
    if (out->dn.len > 7 && str_equal_nocase((struct str){out->dn.ptr, 7}, STR("LDAP://")))
        out->dn = (struct str){out->dn.ptr + 7, out->dn.len - 7};
    out->options = 0;
    for (size_t i = end + 1; i < at && s.ptr[i] >= '0' && s.ptr[i] <= '9'; i++)
        out->options = (out->options * 10 + (s.ptr[i] - '0')) & 0xffff;
    return true;
}

enum { LINK_DISABLED = 1, LINK_ENFORCED = 2 };

static bool link_item(struct view *v, struct buf *out)
{
    struct policy_link link;
    if (!next_link(v, &link)) return false;
    buf_add_str(out, STR("{\"dn\":"));
    text_json(out, text_cut(link.dn, TEXT_MAX));
    buf_add_str(out, link.options & LINK_DISABLED ? STR(",\"enabled\":false") : STR(",\"enabled\":true"));
    buf_add_str(out, link.options & LINK_ENFORCED ? STR(",\"enforced\":true}") : STR(",\"enforced\":false}"));
    return true;
}

bool get_linked_policies(struct view *v, const struct row *row, struct cell *out)
{
    v->list = (struct list){0};
    out->type = CELL_ARRAY;
    out->item = link_item;
    return v->r->present[ATTR_GP_LINK];
}

static bool next_link_dn(struct view *v, struct str *out)
{
    struct policy_link link;
    if (!next_link(v, &link)) return false;
    *out = link.dn;
    return true;
}

bool get_linked_policy_list(struct view *v, const struct row *row, struct cell *out)
{
    v->list = (struct list){.next = next_link_dn};
    out->type = CELL_LIST;
    return v->r->present[ATTR_GP_LINK];
}

bool get_blocks_inheritance(struct view *v, const struct row *row, struct cell *out)
{
    int64_t options;
    return view_int(v, ATTR_GP_OPTIONS, &options) && cell_number(out, CELL_BOOL, options & 1);
}
