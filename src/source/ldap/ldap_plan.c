#include "source/ldap/ldap_plan.h"

#include "net/ldap_ber.h"

#include <stdio.h>

const enum kind ldap_kinds[] = {
    KIND_domain,          KIND_ou,       KIND_container, KIND_group, KIND_foreign_principal, KIND_user,
    KIND_service_account, KIND_computer, KIND_contact,   KIND_trust, KIND_group_policy};
const size_t n_ldap_kinds = n_elements(ldap_kinds);

kind_set ldap_kinds_all(void)
{
    kind_set all = 0;
    for (size_t i = 0; i < n_ldap_kinds; i++) all |= KIND_BIT(ldap_kinds[i]);
    return all;
}

/* Where a kind is listed. */
enum place { AT_DOMAIN, AT_BASE, AT_GROUPS, AT_HEAD };

/* objectCategory and objectClass are indexed. objectCategory=person holds users and contacts, not the
 * computers and service accounts that derive from user; managed service accounts derive from computer and are
 * told by their own classes (MS-ADSC 2.131, 2.141; msDS-DelegatedManagedServiceAccount since Windows Server
 * 2025). */
static const struct {
    enum kind kind;
    enum place place;
    const char *filter;
} listings[] = {
    {KIND_domain, AT_HEAD, "(objectClass=*)"},
    {KIND_ou, AT_GROUPS, "(objectCategory=organizationalUnit)"},
    {KIND_container, AT_GROUPS, "(|(objectCategory=container)(objectCategory=builtinDomain))"},
    {KIND_group, AT_GROUPS, "(objectCategory=group)"},
    {KIND_foreign_principal, AT_GROUPS, "(objectCategory=foreignSecurityPrincipal)"},
    {KIND_user, AT_BASE, "(&(objectCategory=person)(objectClass=user))"},
    {KIND_service_account, AT_BASE,
     "(|(objectClass=msDS-GroupManagedServiceAccount)(objectClass=msDS-ManagedServiceAccount)"
     "(objectClass=msDS-DelegatedManagedServiceAccount))"},
    {KIND_computer, AT_BASE, "(objectCategory=computer)"},
    {KIND_contact, AT_BASE, "(&(objectCategory=person)(objectClass=contact))"},
    {KIND_trust, AT_DOMAIN, "(objectClass=trustedDomain)"},
    {KIND_group_policy, AT_GROUPS, "(objectCategory=groupPolicyContainer)"},
};

/* MS-ADTS 3.1.1.3.1.3.1: bitwise AND on ACCOUNTDISABLE. */
#define ENABLED_USERS                                                                                        \
    "(&(objectCategory=person)(objectClass=user)(!(userAccountControl:1.2.840.113556.1.4.803:=2)))"

/* From the most special to the most general: the first that an entry has decides. */
static const struct {
    struct str class;
    enum kind kind;
} classes[] = {
    {STR("msDS-GroupManagedServiceAccount"), KIND_service_account},
    {STR("msDS-ManagedServiceAccount"), KIND_service_account},
    {STR("msDS-DelegatedManagedServiceAccount"), KIND_service_account},
    {STR("computer"), KIND_computer},
    {STR("user"), KIND_user},
    {STR("contact"), KIND_contact},
    {STR("group"), KIND_group},
    {STR("organizationalUnit"), KIND_ou},
    {STR("foreignSecurityPrincipal"), KIND_foreign_principal},
    {STR("trustedDomain"), KIND_trust},
    {STR("groupPolicyContainer"), KIND_group_policy},
    {STR("domainDNS"), KIND_domain},
    {STR("builtinDomain"), KIND_container},
    {STR("container"), KIND_container},
};

enum kind ldap_kind_of_classes(struct bytes set)
{
    size_t best = n_elements(classes);
    struct cursor c = cursor_new(set);
    struct bytes v;
    while (ber_next_value(&c, &v))
        for (size_t i = 0; i < best; i++)
            if (str_equal_nocase(str_of(v), classes[i].class)) best = i;
    return best < n_elements(classes) ? classes[best].kind : KIND_NONE;
}

/* --- looking up ---------------------------------------------------------------------------------------- */

static uint32_t name_hash(struct str name)
{
    uint32_t h =
        2166136261u; /* FNV-1a over the lower-case form; the names are ours, so nobody can flood it */
    for (size_t i = 0; i < name.len; i++) h = (h ^ ((uint8_t)name.ptr[i] | 0x20)) * 16777619u;
    return h ^ h >> 15;
}

static size_t hash_find(const struct ldap_plan *p, struct str name)
{
    for (uint32_t h = name_hash(name);; h++) {
        uint16_t slot = p->hash[h % PLAN_HASH_SIZE];
        if (!slot) return p->n_slots;
        if (str_equal_nocase(p->slots[slot - 1].name, name)) return slot - 1u;
    }
}

size_t ldap_plan_find(struct ldap_plan *p, struct str name, size_t before)
{
    uint16_t *guess = &p->slots[before < p->n_slots ? before : PLAN_SLOTS_MAX].next;
    if (str_equal(p->slots[*guess].name, name)) return *guess;
    size_t found = hash_find(p, name);
    if (found < p->n_slots) *guess = (uint16_t)found;
    return found;
}

/* --- making -------------------------------------------------------------------------------------------- */

static size_t add_slot(struct ldap_plan *p, struct str name, enum slot_use use)
{
    if (p->n_slots == PLAN_SLOTS_MAX || hash_find(p, name) < p->n_slots) return PLAN_SLOTS_MAX;
    uint32_t h = name_hash(name);
    while (p->hash[h % PLAN_HASH_SIZE]) h++;
    p->hash[h % PLAN_HASH_SIZE] = (uint16_t)(p->n_slots + 1);
    p->slots[p->n_slots] = (struct slot){.name = name, .use = use};
    return p->n_slots++;
}

static void add_table(struct ldap_plan *p)
{
    for (size_t i = 0; i < n_attr_table; i++) {
        const struct attr_info *a = &attr_table[i];
        if (!(a->kinds & KIND_BIT(p->kind))) continue;
        size_t at = add_slot(p, str_from(a->name), a->is_stat ? SLOT_STATS : SLOT_STATE);
        p->slots[at].id = a->id;
        p->slots[at].type = a->type;
        p->slots[at].is_multi = a->is_multi;
        if (a->id == ATTR_OBJECT_CLASS) p->object_class = at;
    }
}

/* Names are borrowed from the settings; a custom property that rollcall reads anyway is left to the table. */
static void add_custom(struct ldap_plan *p, const struct ldap_settings *s)
{
    for (size_t i = 0; i < s->n_custom; i++) {
        if (s->custom[i].kind != p->kind) continue;
        size_t at = add_slot(p, s->custom[i].name, SLOT_STATE);
        if (at == PLAN_SLOTS_MAX) continue;
        p->slots[at].id = ATTR_CUSTOM;
        p->slots[at].type = s->custom[i].type;
        p->slots[at].is_multi = true;
    }
}

static void add_own_places(struct ldap_plan *p)
{
    p->guid = add_slot(p, STR("objectGUID"), SLOT_GUID);
    p->sid = add_slot(p, STR("objectSid"), SLOT_SID);
    p->sd = p->wants_sd ? add_slot(p, STR("nTSecurityDescriptor"), SLOT_SD) : PLAN_SLOTS_MAX;
    p->member = p->kind == KIND_group ? add_slot(p, STR("member"), SLOT_MEMBER) : PLAN_SLOTS_MAX;
    bool can_be_member = KIND_BIT(p->kind) & (K_NAMED | K_(contact) | K_(foreign_principal));
    p->member_of = can_be_member ? add_slot(p, STR("memberOf"), SLOT_MEMBER_OF) : PLAN_SLOTS_MAX;
}

static const char *base_of(enum place place, const struct ldap_settings *s, const char *naming_context)
{
    if (!s->base_dn || place == AT_DOMAIN || place == AT_HEAD) return naming_context;
    return place == AT_BASE || s->groups_of_base ? s->base_dn : naming_context;
}

int ldap_plan_make(struct ldap_plan *out, enum kind kind, const struct ldap_settings *s,
                   const char *naming_context, struct err *e)
{
    size_t l = 0;
    while (l < n_elements(listings) && listings[l].kind != kind) l++;
    if (l == n_elements(listings))
        return err_set(e, ERR_INPUT, "Active Directory has no %s", kind_plural(kind));
    memset(out, 0, sizeof *out);
    out->kind = kind;
    out->base = base_of(listings[l].place, s, naming_context);
    out->scope = listings[l].place == AT_HEAD ? LDAP_SCOPE_BASE : LDAP_SCOPE_SUBTREE;
    const char *filter = kind == KIND_user && !s->with_disabled ? ENABLED_USERS : listings[l].filter;
    snprintf(out->filter, sizeof out->filter, "%s", filter);
    out->wants_sd = s->with_acls;
    /* entries with thousands of members are large: fewer of them a page keep memory flat */
    out->lockout_time = PLAN_SLOTS_MAX;
    out->page_size = kind == KIND_group && s->page_size > 500 ? 500 : s->page_size;
    add_table(out);
    add_own_places(out);
    add_custom(out, s);
    size_t n = 0;
    for (size_t i = 0; i < out->n_slots; i++) {
        out->slots[i].next = (uint16_t)(i + 1 < out->n_slots ? i + 1 : 0);
        if (out->slots[i].id == ATTR_FOREST_FUNCTIONALITY)
            continue; /* of the root DSE: the reader fills it in */
        if (out->slots[i].id == ATTR_LOCKOUT_TIME) out->lockout_time = i;
        if (out->slots[i].id == ATTR_UAC_COMPUTED) continue; /* asked of locked accounts, one by one */
        out->attributes[n++] = out->slots[i].name.ptr; /* NUL-terminated: literals and jansson's strings */
    }
    return 0;
}
