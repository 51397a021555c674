/* get.h - the getters that tables name: one per kind of question that may be asked of an entity.
 *
 * Each fills a cell or says that there is no such value. None allocates, none guesses: what the directory
 * does not know stays out. `ATTR` below means that row.arg is an attribute's number.
 */
#ifndef ROLLCALL_MAP_GET_H
#define ROLLCALL_MAP_GET_H

#include "map/table.h"

/* --- attributes (get.c) -------------------------------------------------------------------------- */
get_fn get_text;  /* ATTR: text as it is */
get_fn get_words; /* ATTR: text, unless it is only a filler ("-", "n/a"): what people describe, never names */
get_fn get_int;   /* ATTR: a number */
get_fn get_bool;  /* ATTR: yes or no */
get_fn get_not;   /* ATTR: the opposite of yes or no */
get_fn get_time;  /* ATTR: a time after 1970 */
get_fn get_moment;      /* ATTR: a time that a timestamp_t may hold: 1973 to 3000 */
get_fn get_seconds;     /* ATTR: a span; "never" is absence */
get_fn get_days;        /* ATTR: the same in days */
get_fn get_texts;       /* ATTR: list of texts */
get_fn get_words_list;  /* ATTR: list of texts without fillers */
get_fn get_sids;        /* ATTR: list of SIDs */
get_fn get_sid_value;   /* ATTR: one SID */
get_fn get_guid_value;  /* ATTR: 16 bytes as a GUID */
get_fn get_base64;      /* ATTR: short binary, base64 */
get_fn get_trustees;    /* ATTR: a security descriptor: the SIDs that its DACL allows something */
get_fn get_number_text; /* ATTR: a number, as text */
get_fn get_named;       /* ATTR, words: the word for the value, else the number as text */
get_fn get_flags;       /* ATTR, words: list of the words for its bits */
get_fn get_email;       /* ATTR: text if it is an address */
get_fn get_not_email;   /* ATTR: text if it is none: for those who want it all the same */
get_fn get_lower;       /* ATTR: text in lower case */
get_fn get_custom;      /* JSON: object of all custom properties */
get_fn get_custom_list; /* list of name=value */

/* --- who it is (get_identity.c) ------------------------------------------------------------------ */
get_fn get_uid; /* SID, else GUID */
get_fn get_sid;
get_fn get_guid;
get_fn get_kind;
get_fn get_name;                 /* sAMAccountName, else the subject's name */
get_fn get_title;                /* displayName, else name */
get_fn get_host_name;            /* name without the $ of a computer account */
get_fn get_principal;            /* userPrincipalName, else sAMAccountName */
get_fn get_upn_domain;           /* what stands after the last @ of userPrincipalName, else the domain */
get_fn get_full_name;            /* givenName and sn, else displayName */
get_fn get_display_or_full_name; /* displayName, else givenName and sn, else sAMAccountName */
get_fn get_message;              /* "<row.text> <name> in <domain>" */
get_fn get_dn;
get_fn get_parent_dn;
get_fn get_domain; /* DNS name */
get_fn get_netbios_domain;
get_fn get_domain_sid;
get_fn get_organization; /* company, else the domain */
get_fn get_country;      /* ATTR: c, if it is two letters */
get_fn get_emails;       /* ATTR: list: proxyAddresses of type SMTP, then those of the attribute */
get_fn get_employment;   /* ATTR, the title: "department - title", or what there is of it; "info" if neither,
                            but   an employee number or type, is known */
get_fn get_forward_address;
get_fn get_first_seen, get_last_changed, get_deleted;
get_fn get_created_or_read_time; /* ATTR */

/* --- what follows from it (get_derived.c) -------------------------------------------------------- */
get_fn get_is_active, get_is_disabled, get_is_locked;
get_fn get_last_logon, get_last_logon_source;
get_fn get_password_expires, get_password_never_expires, get_must_change_password;
get_fn get_privilege;      /* arg: enum privilege bit, yes or no; nothing where memberships are unknown */
get_fn get_uac_names;      /* list: names of userAccountControl's bits */
get_fn get_account_labels; /* list: the bits that weaken an account, in words */
get_fn get_group_type, get_group_is_security, get_group_is_mail_enabled;
get_fn get_sd_owner;
get_fn get_linked_policies; /* JSON: gPLink taken apart */
get_fn get_linked_policy_list;
get_fn get_blocks_inheritance;
get_fn get_key_credentials; /* JSON: msDS-KeyCredentialLink (key_credential.c) */

/* --- of a tenant of Entra ID (get_entra.c) ------------------------------------------------------- */
get_fn get_tenant_id, get_tenant_name, get_tenant_type_id,
    get_tenant_type;                /* the last two: as an OCSF account */
get_fn get_company;                 /* companyName, else the tenant's name */
get_fn get_upn_suffix;              /* what stands after the last @ of userPrincipalName */
get_fn get_upn_or_title;            /* userPrincipalName, else displayName */
get_fn get_country_or_usage;        /* country, else usageLocation: whichever is two letters */
get_fn get_has_mfa;                 /* yes, no, or not known */
get_fn get_last_sign_in;            /* the last successful one, else the last attempt */
get_fn get_registered;              /* createdDateTime, else registrationDateTime */
get_fn get_cloud_labels;            /* list: guest, cloud_only and what else sets an account apart */
get_fn get_person_labels;           /* list: userType, employeeType */
get_fn get_tenant_group_type;       /* "Security", "Microsoft 365"... */
get_fn get_role_uid;                /* roleTemplateId, else its own id */
get_fn get_role_alt;                /* its own id, where that is not the uid above */
get_fn get_credentials;             /* JSON: ids of passwordCredentials and keyCredentials */
get_fn get_roles;                   /* JSON: array, each as the dialect's role table says */
get_fn get_owners;                  /* JSON: array, each as the dialect's owner table says */
get_fn get_unresolved_owners;       /* list of ids, where owners were not resolved */
get_fn get_unit_name, get_unit_uid; /* of the administrative unit, if it is in exactly one */
get_fn get_device_owner_uid, get_device_owner_name; /* the first owner that is a user */
get_fn get_manager_id;
/* Of the one the row is about: */
get_fn get_ref_id;          /* also of one that was not resolved: then its id text is its DN */
get_fn get_ref_join_uid;    /* a role's roleTemplateId, else the id */
get_fn get_ref_own_guid;    /* its id, where that is not the uid above */
get_fn get_ref_tenant_type; /* "Security", "Directory Role", "Administrative Unit"... */
get_fn get_ref_object_type; /* as @odata.type says: user, servicePrincipal, orgContact... */
get_fn get_ref_template, get_ref_scope, get_ref_assignment;

/* --- other entities (get_ref.c): arg is one of --------------------------------------------------- */
enum ref_of { REF_MANAGER, REF_MANAGED_BY, REF_PARENT, REF_OTHER /* the one the row is about */ };
get_fn get_ref_uid, get_ref_sid, get_ref_guid, get_ref_name, get_ref_principal, get_ref_dn, get_ref_kind;
get_fn get_unresolved_dn; /* the DN of one whose uid is unknown */
get_fn get_ref_description, get_ref_group_type, get_ref_via;
get_fn get_ref_graph_type;            /* as Microsoft Graph calls its kind: user, group, device... */
get_fn get_owner_uid, get_owner_name; /* managedBy, if it is an account */
get_fn get_groups;                    /* JSON: array, each as the dialect's group table says */
get_fn get_group_guids;               /* list, in the order of groups */
get_fn get_members;                   /* JSON: array, each as the dialect's member table says */
get_fn get_member_count;

/* --- helpers for getters ------------------------------------------------------------------------- */
static inline bool cell_text(struct cell *out, struct str s)
{
    out->type = CELL_TEXT;
    out->text = s;
    return s.len > 0;
}
static inline bool cell_plain(struct cell *out, const char *s, size_t len)
{
    out->type = CELL_PLAIN;
    out->text = (struct str){s, len};
    return len > 0;
}
static inline bool cell_number(struct cell *out, enum cell_type type, int64_t n)
{
    out->type = type;
    out->number = n;
    return true;
}
bool cell_moment(struct cell *out, int64_t ms);
static inline bool ref_is_eligible(const struct ref *r)
{
    return str_equal_nocase(r->assignment, STR("eligible"));
}
static inline bool ref_has_guid(const struct ref *r)
{
    static const uint8_t zero[GUID_SIZE];
    return memcmp(r->guid, zero, GUID_SIZE) != 0;
}

/* First value as bytes, as a number. */
static inline bool view_str(const struct view *v, int attr, struct str *out)
{
    if (!v->r->present[attr]) return false;
    struct cursor c = cursor_new(v->r->payload[attr]);
    if (!cursor_varint(&c)) return false;
    struct bytes b = cursor_lstr(&c);
    *out = str_of(b);
    return !c.failed;
}
static inline bool view_int(const struct view *v, int attr, int64_t *out)
{
    if (!v->r->present[attr]) return false;
    struct cursor c = cursor_new(v->r->payload[attr]);
    if (!cursor_varint(&c)) return false;
    *out = cursor_svarint(&c);
    return !c.failed;
}
static inline bool view_bool(const struct view *v, int attr, bool *out)
{
    if (!v->r->present[attr]) return false;
    struct cursor c = cursor_new(v->r->payload[attr]);
    if (!cursor_varint(&c)) return false;
    *out = cursor_u8(&c) != 0;
    return !c.failed;
}
/* Text, unless it is only a filler. */
static inline bool view_words(const struct view *v, int attr, struct str *out)
{
    return view_str(v, attr, out) && !text_is_placeholder(*out);
}
/* Starts a list over an attribute's values; false if there are none. */
static inline bool view_list(struct view *v, int attr, bool (*next)(struct view *, struct str *),
                             struct cell *out)
{
    if (!v->r->present[attr]) return false;
    v->list.at = cursor_new(v->r->payload[attr]);
    v->list.left = (uint32_t)cursor_varint(&v->list.at);
    v->list.next = next;
    v->list.is_plain = false;
    out->type = CELL_LIST;
    return v->list.left > 0;
}
/* The next raw value of such a list. */
static inline bool list_bytes(struct list *l, struct bytes *out)
{
    if (!l->left) return false;
    l->left--;
    *out = cursor_lstr(&l->at);
    return !l->at.failed;
}

#endif
