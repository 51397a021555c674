/* What Entra ID knows and Active Directory does not. Names are Microsoft Graph's; what a property means is
 * said where it is not plain (Graph v1.0, resource types user, group, device, servicePrincipal,
 * userRegistrationDetails). */
#include "map/dialect.h"
#include "map/get.h"
#include "map/value.h"

/* --- the tenant ---------------------------------------------------------------------------------- */
bool get_tenant_id(struct view *v, const struct row *row, struct cell *out)
{
    return v->domain && cell_text(out, v->domain->tenant_id);
}
bool get_tenant_name(struct view *v, const struct row *row, struct cell *out)
{
    return v->domain && (cell_text(out, v->domain->organization) || cell_text(out, v->domain->dns_name));
}
/* An account's type without name and uid would be none. */
bool get_tenant_type_id(struct view *v, const struct row *row, struct cell *out)
{
    return v->domain && v->domain->tenant_id.len && cell_number(out, CELL_INT, 17);
}
bool get_tenant_type(struct view *v, const struct row *row, struct cell *out)
{
    return v->domain && v->domain->tenant_id.len && cell_text(out, STR("M365 Tenant"));
}

/* Of another: its id, also where it was not resolved and only its id text is known. */
static bool cell_id(struct view *v, const struct ref *r, struct cell *out)
{
    uint8_t guid[GUID_SIZE];
    if (ref_has_guid(r)) return cell_plain(out, guid_format(v->scratch, r->guid), GUID_TEXT - 1);
    return guid_parse(guid, r->dn) && cell_plain(out, guid_format(v->scratch, guid), GUID_TEXT - 1);
}
bool get_ref_id(struct view *v, const struct row *row, struct cell *out)
{
    return v->other && cell_id(v, v->other, out);
}
bool get_manager_id(struct view *v, const struct row *row, struct cell *out)
{
    struct ref named = {.kind = KIND_user};
    if (v->s->manager) return cell_id(v, v->s->manager, out);
    return view_str(v, ATTR_MANAGER, &named.dn) && cell_id(v, &named, out);
}

/* --- who it is ----------------------------------------------------------------------------------- */
bool get_company(struct view *v, const struct row *row, struct cell *out)
{
    out->type = CELL_TEXT;
    return view_words(v, ATTR_COMPANY_NAME, &out->text) || get_tenant_name(v, row, out);
}

bool get_upn_suffix(struct view *v, const struct row *row, struct cell *out)
{
    struct str upn;
    if (!view_str(v, ATTR_USER_PRINCIPAL_NAME, &upn) || !upn.len) return false;
    const char *at = memrchr(upn.ptr, '@', upn.len);
    return at && cell_text(out, (struct str){at + 1, upn.len - (size_t)(at - upn.ptr) - 1});
}

bool get_upn_or_title(struct view *v, const struct row *row, struct cell *out)
{
    struct str upn;
    return (view_str(v, ATTR_USER_PRINCIPAL_NAME, &upn) && cell_text(out, upn)) || get_title(v, row, out);
}

bool get_country_or_usage(struct view *v, const struct row *row, struct cell *out)
{
    static const struct row country = {.arg = ATTR_COUNTRY}, usage = {.arg = ATTR_USAGE_LOCATION};
    return get_country(v, &country, out) || get_country(v, &usage, out);
}

/* Any of the three says that a second factor is there: the report counts passkeys and Windows Hello as
 * passwordless. A "no" must be told; absence (disabled users are not in the report) is "not known". */
bool get_has_mfa(struct view *v, const struct row *row, struct cell *out)
{
    static const enum attr facts[] = {ATTR_IS_MFA_REGISTERED, ATTR_IS_MFA_CAPABLE,
                                      ATTR_IS_PASSWORDLESS_CAPABLE};
    bool known = false;
    for (size_t i = 0; i < n_elements(facts); i++) {
        bool yes;
        if (!view_bool(v, (int)facts[i], &yes)) continue;
        if (yes) return cell_number(out, CELL_BOOL, 1);
        known |= facts[i] != ATTR_IS_PASSWORDLESS_CAPABLE;
    }
    return known && cell_number(out, CELL_BOOL, 0);
}

static bool first_moment(struct view *v, enum attr a, enum attr b, struct cell *out)
{
    int64_t ms;
    return (view_int(v, (int)a, &ms) && cell_moment(out, ms)) ||
           (view_int(v, (int)b, &ms) && cell_moment(out, ms));
}
/* lastSignInDateTime counts failed attempts too. */
bool get_last_sign_in(struct view *v, const struct row *row, struct cell *out)
{
    return first_moment(v, ATTR_LAST_SUCCESSFUL_SIGN_IN, ATTR_LAST_SIGN_IN, out);
}
bool get_registered(struct view *v, const struct row *row, struct cell *out)
{
    return first_moment(v, ATTR_CREATED, ATTR_REGISTRATION, out);
}

/* --- labels -------------------------------------------------------------------------------------- */
static bool holds(const struct view *v, enum attr a, const char *part)
{
    struct str s;
    return view_str(v, (int)a, &s) && s.len && memmem(s.ptr, s.len, part, strlen(part));
}
static bool is_true(const struct view *v, enum attr a)
{
    bool yes;
    return view_bool(v, (int)a, &yes) && yes;
}
/* onPremisesSyncEnabled: true is synchronised, false was once, null never was. */
static const char *origin_of(const struct view *v)
{
    bool synced;
    if (!view_bool(v, ATTR_SYNC_ENABLED, &synced))
        return v->r->present[ATTR_ON_PREMISES_SID] ? NULL : "cloud_only";
    return synced ? "synced" : "formerly_synced";
}
static bool is_foreign_app(const struct view *v)
{
    struct str owner;
    return view_str(v, ATTR_APP_OWNER_ORGANIZATION, &owner) && v->domain && v->domain->tenant_id.len &&
           !str_equal_nocase(owner, v->domain->tenant_id);
}

static void add_label(struct view *v, bool applies, const char *label)
{
    if (applies && label) v->names[v->n_names++] = label;
}
static bool next_label(struct view *v, struct str *out)
{
    if (v->list.position >= v->n_names) return false;
    *out = str_from(v->names[v->list.position++]);
    return true;
}

bool get_cloud_labels(struct view *v, const struct row *row, struct cell *out)
{
    v->n_names = 0;
    add_label(v, holds(v, ATTR_USER_TYPE, "Guest"), "guest");
    add_label(v, v->r->record->kind != KIND_service_principal, origin_of(v));
    add_label(v, holds(v, ATTR_EXTERNAL_USER_STATE, "PendingAcceptance"), "pending_acceptance");
    add_label(v, is_true(v, ATTR_IS_RESTRICTED), "management_restricted");
    add_label(v, holds(v, ATTR_PASSWORD_POLICIES, "DisablePasswordExpiration"), "password_never_expires");
    add_label(v, holds(v, ATTR_PASSWORD_POLICIES, "DisableStrongPassword"), "weak_password_allowed");
    add_label(v, holds(v, ATTR_SERVICE_PRINCIPAL_TYPE, "ManagedIdentity"), "managed_identity");
    add_label(v, is_foreign_app(v), "foreign_application");
    v->list = (struct list){.next = next_label, .is_plain = true};
    out->type = CELL_LIST;
    return v->n_names > 0;
}

static bool next_part(struct view *v, struct str *out)
{
    if (v->list.position >= v->n_parts) return false;
    *out = v->parts[v->list.position++];
    return true;
}

bool get_person_labels(struct view *v, const struct row *row, struct cell *out)
{
    v->n_parts = 0;
    if (view_words(v, ATTR_USER_TYPE, &v->parts[v->n_parts])) v->n_parts++;
    if (view_words(v, ATTR_EMPLOYEE_TYPE, &v->parts[v->n_parts])) v->n_parts++;
    v->list = (struct list){.next = next_part};
    out->type = CELL_LIST;
    return v->n_parts > 0;
}

/* --- groups and roles ---------------------------------------------------------------------------- */
/* As the service's own pages call them. */
static struct str group_type_words(int64_t type)
{
    if (type & TENANT_GROUP_UNIFIED) return STR("Microsoft 365");
    if (group_type_is_security(type))
        return type & TENANT_GROUP_MAIL ? STR("Mail-enabled Security") : STR("Security");
    return type & TENANT_GROUP_MAIL ? STR("Distribution") : STR("");
}
static struct str kind_words(enum kind k, int64_t group_type)
{
    if (k == KIND_role) return STR("Directory Role");
    if (k == KIND_administrative_unit) return STR("Administrative Unit");
    return k == KIND_group ? group_type_words(group_type) : STR("");
}

bool get_tenant_group_type(struct view *v, const struct row *row, struct cell *out)
{
    return cell_text(out, kind_words(v->r->record->kind, derive_tenant_group_type(v->r)));
}
bool get_ref_tenant_type(struct view *v, const struct row *row, struct cell *out)
{
    return v->other && cell_text(out, kind_words(v->other->kind, v->other->group_type));
}

/* The same role, tenant-wide, scoped or eligible, has one template id; the entity's own id tells them apart.
 */
bool get_role_uid(struct view *v, const struct row *row, struct cell *out)
{
    struct str s;
    return (view_str(v, ATTR_ROLE_TEMPLATE_ID, &s) && cell_text(out, s)) || get_guid(v, row, out);
}

bool get_role_alt(struct view *v, const struct row *row, struct cell *out)
{
    struct str s;
    return view_str(v, ATTR_ROLE_TEMPLATE_ID, &s) && get_guid(v, row, out) && !str_equal_nocase(s, out->text);
}

bool get_ref_join_uid(struct view *v, const struct row *row, struct cell *out)
{
    return v->other && (cell_text(out, v->other->template_id) || cell_id(v, v->other, out));
}
bool get_ref_own_guid(struct view *v, const struct row *row, struct cell *out)
{
    return v->other && v->other->template_id.len && cell_id(v, v->other, out) &&
           !str_equal_nocase(out->text, v->other->template_id);
}

bool get_ref_template(struct view *v, const struct row *row, struct cell *out)
{
    return v->other && cell_text(out, v->other->template_id);
}
bool get_ref_scope(struct view *v, const struct row *row, struct cell *out)
{
    return v->other && cell_text(out, v->other->scope);
}
bool get_ref_assignment(struct view *v, const struct row *row, struct cell *out)
{
    return v->other && cell_text(out, v->other->assignment);
}

bool get_ref_object_type(struct view *v, const struct row *row, struct cell *out)
{
    static const char *const types[KIND_COUNT] = {
        [KIND_user] = "user",
        [KIND_group] = "group",
        [KIND_device] = "device",
        [KIND_service_principal] = "servicePrincipal",
        [KIND_contact] = "orgContact",
        [KIND_role] = "directoryRole",
        [KIND_administrative_unit] = "administrativeUnit",
        [KIND_tenant] = "organization",
    };
    return v->other && (unsigned)v->other->kind < KIND_COUNT &&
           cell_text(out, str_from(types[v->other->kind]));
}

static bool role_item(struct view *v, struct buf *out)
{
    while (v->list.position < v->s->n_groups) {
        v->other = &v->s->groups[v->list.position++];
        if (v->other->kind == KIND_role && program_json(v->d->other[TABLE_ROLE_REF], v, out)) return true;
    }
    return false;
}

bool get_roles(struct view *v, const struct row *row, struct cell *out)
{
    v->list = (struct list){0};
    out->type = CELL_ARRAY;
    out->item = role_item;
    for (size_t i = 0; i < v->s->n_groups; i++)
        if (v->s->groups[i].kind == KIND_role) return true;
    return false;
}

static const struct ref *only_unit(const struct view *v)
{
    const struct ref *found = NULL;
    for (size_t i = 0; i < v->s->n_groups; i++) {
        if (v->s->groups[i].kind != KIND_administrative_unit) continue;
        if (found) return NULL;
        found = &v->s->groups[i];
    }
    return found;
}
bool get_unit_name(struct view *v, const struct row *row, struct cell *out)
{
    const struct ref *unit = only_unit(v);
    return unit && cell_text(out, unit->name);
}
bool get_unit_uid(struct view *v, const struct row *row, struct cell *out)
{
    const struct ref *unit = only_unit(v);
    return unit && cell_id(v, unit, out);
}

/* --- owners -------------------------------------------------------------------------------------- */
static bool owner_item(struct view *v, struct buf *out)
{
    while (v->list.position < v->s->n_owners) {
        v->other = &v->s->owners[v->list.position++];
        if (program_json(v->d->other[TABLE_OWNER_REF], v, out)) return true;
    }
    return false;
}

bool get_owners(struct view *v, const struct row *row, struct cell *out)
{
    v->list = (struct list){0};
    out->type = CELL_ARRAY;
    out->item = owner_item;
    return v->s->n_owners > 0;
}

bool get_unresolved_owners(struct view *v, const struct row *row, struct cell *out)
{
    static const struct row ids = {.arg = ATTR_OWNERS};
    return !v->s->n_owners && get_texts(v, &ids, out);
}

static const struct ref *first_user(const struct view *v)
{
    for (size_t i = 0; i < v->s->n_owners; i++)
        if (v->s->owners[i].kind == KIND_user) return &v->s->owners[i];
    return NULL;
}
bool get_device_owner_uid(struct view *v, const struct row *row, struct cell *out)
{
    const struct ref *owner = first_user(v);
    return owner && cell_id(v, owner, out);
}
bool get_device_owner_name(struct view *v, const struct row *row, struct cell *out)
{
    const struct ref *owner = first_user(v);
    return owner && cell_text(out, owner->principal.len ? owner->principal : owner->name);
}

/* --- credentials --------------------------------------------------------------------------------- */

/* A value is "<keyId> <endDateTime> <displayName>"; keyId is a GUID. */
static struct str key_id(struct str s)
{
    uint8_t ignored[GUID_SIZE];
    struct str id = {s.ptr, str_index(s, ' ')};
    return id.len == GUID_TEXT - 1 && guid_parse(ignored, id) ? id : STR("");
}

/* passwordCredentials first (position 0), then keyCredentials (position 1). */
static bool credential_item(struct view *v, struct buf *out)
{
    struct list *l = &v->list;
    struct bytes b;
    for (;;) {
        while (list_bytes(l, &b)) {
            struct str id = key_id(str_of(b));
            if (!id.len) continue;
            buf_add_str(out, STR("{\"uid\":"));
            text_json(out, id);
            buf_add_str(out, l->position ? STR(",\"type\":\"Certificate\"}")
                                         : STR(",\"type\":\"Client Secret\"}"));
            return true;
        }
        if (l->position++ || !v->r->present[ATTR_KEY_CREDENTIALS]) return false;
        l->at = cursor_new(v->r->payload[ATTR_KEY_CREDENTIALS]);
        l->left = (uint32_t)cursor_varint(&l->at);
    }
}

bool get_credentials(struct view *v, const struct row *row, struct cell *out)
{
    if (!view_list(v, ATTR_PASSWORD_CREDENTIALS, NULL, out)) v->list.left = 0;
    v->list.position = 0;
    out->type = CELL_ARRAY;
    out->item = credential_item;
    return v->list.left || v->r->present[ATTR_KEY_CREDENTIALS];
}
