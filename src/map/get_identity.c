#include "map/dialect.h"
#include "map/get.h"
#include "model/dn.h"

bool get_uid(struct view *v, const struct row *row, struct cell *out)
{
    return cell_plain(out, v->uid, v->uid_len);
}
bool get_sid(struct view *v, const struct row *row, struct cell *out)
{
    return cell_plain(out, v->uid, v->sid_len);
}
bool get_guid(struct view *v, const struct row *row, struct cell *out)
{
    return cell_plain(out, v->guid, GUID_TEXT - 1);
}

bool get_kind(struct view *v, const struct row *row, struct cell *out)
{
    const char *name = kind_name(v->r->record->kind);
    return cell_plain(out, name, strlen(name));
}

bool get_name(struct view *v, const struct row *row, struct cell *out)
{
    out->type = CELL_TEXT;
    return (view_str(v, ATTR_SAM_ACCOUNT_NAME, &out->text) && out->text.len) || cell_text(out, v->s->name);
}

bool get_title(struct view *v, const struct row *row, struct cell *out)
{
    out->type = CELL_TEXT;
    return (view_str(v, ATTR_DISPLAY_NAME, &out->text) && out->text.len) || get_name(v, row, out);
}

bool get_host_name(struct view *v, const struct row *row, struct cell *out)
{
    if (!get_name(v, row, out)) return false;
    if (out->text.len > 1 && out->text.ptr[out->text.len - 1] == '$') out->text.len--;
    return true;
}

bool get_principal(struct view *v, const struct row *row, struct cell *out)
{
    out->type = CELL_TEXT;
    return (view_str(v, ATTR_USER_PRINCIPAL_NAME, &out->text) && out->text.len) || get_name(v, row, out);
}

bool get_upn_domain(struct view *v, const struct row *row, struct cell *out)
{
    struct str upn;
    if (!view_str(v, ATTR_USER_PRINCIPAL_NAME, &upn)) return get_domain(v, row, out);
    const char *at = memrchr(upn.ptr, '@', upn.len);
    if (!at) return get_domain(v, row, out);
    size_t head = (size_t)(at - upn.ptr) + 1;
    return cell_text(out, (struct str){at + 1, upn.len - head});
}

/* "given sn" as view parts; false if there is neither. */
static bool join_names(struct view *v, struct cell *out)
{
    v->n_parts = 0;
    struct str s;
    if (view_str(v, ATTR_GIVEN_NAME, &s) && s.len) v->parts[v->n_parts++] = s;
    if (view_str(v, ATTR_SN, &s) && s.len) {
        if (v->n_parts) v->parts[v->n_parts++] = STR(" ");
        v->parts[v->n_parts++] = s;
    }
    out->type = CELL_PARTS;
    return v->n_parts > 0;
}

static bool display_name(struct view *v, struct cell *out)
{
    struct str s;
    return view_str(v, ATTR_DISPLAY_NAME, &s) && cell_text(out, s);
}

bool get_full_name(struct view *v, const struct row *row, struct cell *out)
{
    return join_names(v, out) || display_name(v, out);
}
bool get_display_or_full_name(struct view *v, const struct row *row, struct cell *out)
{
    return display_name(v, out) || join_names(v, out) || get_name(v, row, out);
}

bool get_message(struct view *v, const struct row *row, struct cell *out)
{
    if (!get_name(v, row, out)) return false;
    v->parts[0] = str_from(row->text);
    v->parts[1] = STR(" ");
    v->parts[2] = out->text;
    v->parts[3] = STR(" in ");
    v->parts[4] = v->domain ? v->domain->dns_name : STR("");
    v->n_parts = v->parts[4].len ? 5 : 3;
    out->type = CELL_PARTS;
    return true;
}

bool get_dn(struct view *v, const struct row *row, struct cell *out)
{
    return cell_text(out, v->r->record->dn);
}
bool get_parent_dn(struct view *v, const struct row *row, struct cell *out)
{
    if (v->s->parent && v->s->parent->dn.len) return cell_text(out, v->s->parent->dn);
    return cell_text(out, dn_parent(v->r->record->dn));
}

bool get_domain(struct view *v, const struct row *row, struct cell *out)
{
    return v->domain && cell_text(out, v->domain->dns_name);
}
bool get_netbios_domain(struct view *v, const struct row *row, struct cell *out)
{
    return v->domain && cell_text(out, v->domain->netbios_name);
}
bool get_domain_sid(struct view *v, const struct row *row, struct cell *out)
{
    return cell_plain(out, v->d->domain_text, v->domain ? v->d->domain_text_len : 0);
}

bool get_organization(struct view *v, const struct row *row, struct cell *out)
{
    out->type = CELL_TEXT;
    return (view_str(v, ATTR_COMPANY, &out->text) && !text_is_placeholder(out->text)) ||
           get_domain(v, row, out);
}

/* ISO 3166-1 alpha-2 is what OCSF's location.country takes. */
bool get_country(struct view *v, const struct row *row, struct cell *out)
{
    struct str s;
    if (!view_str(v, row->arg, &s) || s.len != 2) return false;
    for (size_t i = 0; i < 2; i++) {
        char c = (char)(s.ptr[i] & ~0x20);
        if (c < 'A' || c > 'Z') return false;
        v->scratch[i] = c;
    }
    return cell_plain(out, v->scratch, 2);
}

static bool starts_smtp(struct str *s)
{
    if (s->len < 5 || !str_equal_nocase((struct str){s->ptr, 5}, STR("smtp:"))) return false;
    s->ptr += 5;
    s->len -= 5;
    return true;
}

/* proxyAddresses first (position 0; only those of type SMTP), then the row's attribute (position 1). */
static bool next_email(struct view *v, struct str *out)
{
    struct list *l = &v->list;
    struct bytes b;
    for (;;) {
        while (list_bytes(l, &b)) {
            *out = str_of(b);
            if (!l->position && !starts_smtp(out)) continue;
            if (text_is_email(*out, view_version(v) < V1_2)) return true;
        }
        if (l->position++ || !v->r->present[l->row->arg]) return false;
        l->at = cursor_new(v->r->payload[l->row->arg]);
        l->left = (uint32_t)cursor_varint(&l->at);
    }
}

bool get_emails(struct view *v, const struct row *row, struct cell *out)
{
    v->list = (struct list){.next = next_email, .row = row, .is_plain = true};
    out->type = CELL_LIST;
    if (v->r->present[ATTR_PROXY_ADDRESSES]) {
        v->list.at = cursor_new(v->r->payload[ATTR_PROXY_ADDRESSES]);
        v->list.left = (uint32_t)cursor_varint(&v->list.at);
    }
    return v->list.left || v->r->present[row->arg];
}

bool get_forward_address(struct view *v, const struct row *row, struct cell *out)
{
    static const enum attr order[] = {ATTR_FORWARDING_ADDRESS, ATTR_TARGET_ADDRESS};
    for (size_t i = 0; i < n_elements(order); i++) {
        struct str s;
        if (!view_str(v, (int)order[i], &s)) continue;
        starts_smtp(&s);
        if (text_is_email(s, false)) return cell_plain(out, s.ptr, s.len);
    }
    return false;
}

bool get_employment(struct view *v, const struct row *row, struct cell *out)
{
    int id = row->arg == ATTR_JOB_TITLE ? ATTR_GRAPH_EMPLOYEE_ID : ATTR_EMPLOYEE_ID;
    struct str department, title, other;
    bool d = view_words(v, ATTR_DEPARTMENT, &department), t = view_words(v, row->arg, &title);
    if (!d && !t)
        return (view_words(v, id, &other) || view_words(v, ATTR_EMPLOYEE_TYPE, &other)) &&
               cell_plain(out, "info", 4);
    v->n_parts = 0;
    if (d) v->parts[v->n_parts++] = department;
    if (d && t) v->parts[v->n_parts++] = STR(" - ");
    if (t) v->parts[v->n_parts++] = title;
    out->type = CELL_PARTS;
    return true;
}

bool get_first_seen(struct view *v, const struct row *row, struct cell *out)
{
    return cell_moment(out, v->s->first_seen_ms);
}
bool get_last_changed(struct view *v, const struct row *row, struct cell *out)
{
    return cell_moment(out, v->s->last_changed_ms);
}
bool get_deleted(struct view *v, const struct row *row, struct cell *out)
{
    return cell_moment(out, v->s->deleted_ms);
}

bool get_created_or_read_time(struct view *v, const struct row *row, struct cell *out)
{
    int64_t ms;
    if (view_int(v, row->arg, &ms) && cell_moment(out, ms)) return true;
    return fixed_read_time(v, row, out);
}
