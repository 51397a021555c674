#include "access/graph/bloodhound_int.h"

#include "model/sid.h"

#include <stdio.h>

#define NEVER (-1) /* what the collectors write where there is no time */

/* Attributes that are one property each, as the collectors name them: lower-case. */
static const struct plain {
    enum attr id;
    const char *name;
    enum kind only; /* KIND_NONE: whoever has it */
} plain[] = {
    {ATTR_DESCRIPTION, "description", KIND_NONE},
    {ATTR_SAM_ACCOUNT_NAME, "samaccountname", KIND_NONE},
    {ATTR_DISPLAY_NAME, "displayname", KIND_NONE},
    {ATTR_MAIL, "email", KIND_NONE},
    {ATTR_TITLE, "title", KIND_user},
    {ATTR_DEPARTMENT, "department", KIND_user},
    {ATTR_USER_PRINCIPAL_NAME, "userprincipalname", KIND_user},
    {ATTR_OPERATING_SYSTEM, "operatingsystem", KIND_computer},
    {ATTR_OPERATING_SYSTEM_VERSION, "operatingsystemversion", KIND_computer},
    {ATTR_GPC_FILE_SYS_PATH, "gpcpath", KIND_group_policy},
    {ATTR_MACHINE_ACCOUNT_QUOTA, "machineaccountquota", KIND_domain},
    {ATTR_MIN_PWD_LENGTH, "minpwdlength", KIND_domain},
    {ATTR_PWD_HISTORY_LENGTH, "pwdhistorylength", KIND_domain},
    {ATTR_PWD_PROPERTIES, "pwdproperties", KIND_domain},
    {ATTR_LOCKOUT_THRESHOLD, "lockoutthreshold", KIND_domain},
};
static const struct {
    uint32_t bit;
    const char *name;
} account_flags[] = {
    {UAC_PASSWD_NOTREQD, "passwordnotreqd"},
    {UAC_DONT_EXPIRE_PASSWORD, "pwdneverexpires"},
    {UAC_SMARTCARD_REQUIRED, "smartcardrequired"},
    {UAC_TRUSTED_FOR_DELEGATION, "unconstraineddelegation"},
    {UAC_NOT_DELEGATED, "sensitive"},
    {UAC_DONT_REQ_PREAUTH, "dontreqpreauth"},
    {UAC_TRUSTED_TO_AUTH_FOR_DELEGATION, "trustedtoauth"},
};
static const struct {
    enum attr id;
    const char *name;
} times[] = {{ATTR_PWD_LAST_SET, "pwdlastset"},
             {ATTR_LAST_LOGON, "lastlogon"},
             {ATTR_LAST_LOGON_TIMESTAMP, "lastlogontimestamp"}};

static void put_plain(struct jsonw *j, const struct record_index *x)
{
    for (size_t i = 0; i < n_elements(plain); i++) {
        const struct plain *p = &plain[i];
        struct str text;
        int64_t number;
        if (p->only != KIND_NONE && p->only != x->record->kind) continue;
        if (attr_get(p->id)->type == ATTR_INT) {
            if (record_int(x, p->id, &number)) jsonw_kint(j, p->name, number);
        } else if (record_str(x, p->id, &text)) {
            jsonw_kstr(j, p->name, text);
        }
    }
}

static void put_time(struct jsonw *j, const char *name, const struct record_index *x, enum attr id)
{
    int64_t ms;
    jsonw_kint(j, name, record_int(x, id, &ms) ? ms / 1000 : NEVER);
}

static void put_texts(struct jsonw *j, const char *name, const struct record_index *x, enum attr id)
{
    struct values v = record_values(x, id);
    jsonw_key(j, str_from(name));
    jsonw_array(j);
    for (struct bytes b; values_next_bytes(&v, &b);) jsonw_str(j, str_of(b));
    jsonw_end(j);
}

static void put_history(struct jsonw *j, const struct record_index *x)
{
    struct values v = record_values(x, ATTR_SID_HISTORY);
    char text[SID_TEXT];
    jsonw_key(j, STR("sidhistory"));
    jsonw_array(j);
    for (struct bytes b; values_next_bytes(&v, &b);) jsonw_str(j, str_from(sid_format_bytes(text, b)));
    jsonw_end(j);
}

static void put_account(struct jsonw *j, const struct record_index *x)
{
    int64_t uac = 0;
    bool has_uac = record_int(x, ATTR_USER_ACCOUNT_CONTROL, &uac);
    jsonw_kbool(j, "enabled", !(uac & UAC_ACCOUNTDISABLE));
    if (has_uac) jsonw_kint(j, "useraccountcontrol", uac);
    for (size_t i = 0; i < n_elements(account_flags); i++)
        jsonw_kbool(j, account_flags[i].name, uac & account_flags[i].bit);
    for (size_t i = 0; i < n_elements(times); i++) put_time(j, times[i].name, x, times[i].id);
    jsonw_kbool(j, "hasspn", record_values(x, ATTR_SERVICE_PRINCIPAL_NAME).n > 0);
    put_texts(j, "serviceprincipalnames", x, ATTR_SERVICE_PRINCIPAL_NAME);
    put_texts(j, "allowedtodelegate", x, ATTR_ALLOWED_TO_DELEGATE_TO);
    put_history(j, x);
    if (x->record->kind == KIND_computer) jsonw_kbool(j, "isdc", uac & UAC_SERVER_TRUST_ACCOUNT);
    if (x->record->kind == KIND_computer) jsonw_kbool(j, "haslaps", graph_has_laps(x));
    if (x->record->kind == KIND_service_account)
        jsonw_kbool(j, "gmsa", record_values(x, ATTR_GMSA_MEMBERSHIP).n > 0);
}

static void put_admin_count(struct jsonw *j, const struct record_index *x)
{
    int64_t n = 0;
    record_int(x, ATTR_ADMIN_COUNT, &n);
    jsonw_kbool(j, "admincount", n != 0);
}

static void put_level(struct jsonw *j, const struct record_index *x)
{
    static const char *const levels[] = {"2000 Mixed/Native", "2003 Interim", "2003",    "2008",
                                         "2008 R2",           "2012",         "2012 R2", "2016"};
    int64_t n;
    if (!record_int(x, ATTR_BEHAVIOR_VERSION, &n)) return;
    const char *name = n == 10 ? "2025" : n >= 0 && n < (int64_t)n_elements(levels) ? levels[n] : "Unknown";
    jsonw_kcstr(j, "functionallevel", name);
}

/* What the descriptor says as a whole. */
static void put_protection(struct graph *g, struct jsonw *j, uint32_t object)
{
    if (object == NOBODY || g->world->objects[object].descriptor == NOBODY) return;
    const struct sd *sd = &g->world->descriptors[g->world->objects[object].descriptor].sd;
    struct bytes rest = sd->dacl;
    struct ace a;
    bool any = false, inherited = false;
    while (sd_next_ace(&rest, &a)) {
        if (!a.trustee.len || access_trustee_kind(a.trustee) != TRUSTEE_OWNER) continue;
        any = true;
        inherited = inherited || a.flags & ACE_INHERITED;
    }
    jsonw_kbool(j, "isaclprotected", sd->control & SD_DACL_PROTECTED);
    jsonw_kbool(j, "doesanyacegrantownerrights", any);
    jsonw_kbool(j, "doesanyinheritedacegrantownerrights", inherited);
}

/* The name is in g->text. */
static void put_name(const struct graph *g, struct jsonw *j)
{
    jsonw_kstr(j, "name", buf_str(&g->text));
    jsonw_kstr(j, "domain", g->domain);
    jsonw_kstr(j, "domainsid", g->domain_id);
}

void graph_put_party_properties(struct graph *g, struct jsonw *j, const struct graph_party *p)
{
    buf_clear(&g->text);
    graph_add_party_name(g, &g->text, p);
    put_name(g, j);
}

void graph_put_properties(struct graph *g, struct jsonw *j, const struct entity *entity,
                          const struct record_index *x, uint32_t object)
{
    enum kind k = entity->record.kind;
    int64_t options = 0;
    buf_clear(&g->text);
    graph_add_name(g, &g->text, x);
    put_name(g, j);
    buf_clear(&g->text);
    graph_add_upper(&g->text, entity->record.dn);
    jsonw_kstr(j, "distinguishedname", buf_str(&g->text));
    put_time(j, "whencreated", x, ATTR_WHEN_CREATED);
    put_plain(j, x);
    put_protection(g, j, object);
    if (kind_is_account(k)) put_account(j, x);
    if (kind_is_account(k) || k == KIND_group) put_admin_count(j, x);
    if (k == KIND_ou)
        jsonw_kbool(j, "blocksinheritance", record_int(x, ATTR_GP_OPTIONS, &options) && options & 1);
    if (k == KIND_domain) put_level(j, x);
    if (k == KIND_domain) jsonw_kbool(j, "collected", true);
}

/* --- policy links ------------------------------------------------------------------------------------ */

/* [LDAP://cn={...},cn=policies,...;2][...]: MS-GPOL 2.2.2; option 1 is disabled, 2 enforced. */
bool graph_next_link(struct str *rest, struct str *dn, bool *is_enforced, bool *is_disabled)
{
    for (;;) {
        size_t open = str_index(*rest, '['), close = str_index(*rest, ']');
        if (open == rest->len || close == rest->len) return false;
        struct str one = close > open ? (struct str){rest->ptr + open + 1, close - open - 1} : STR("");
        *rest = (struct str){rest->ptr + close + 1, rest->len - close - 1};
        size_t semicolon = str_index(one, ';');
        if (semicolon < 7 || !str_equal_nocase((struct str){one.ptr, 7}, STR("LDAP://"))) continue;
        char option = semicolon + 1 < one.len ? one.ptr[semicolon + 1] : '0';
        *dn = (struct str){one.ptr + 7, semicolon - 7};
        *is_enforced = option == '2' || option == '3';
        *is_disabled = option == '1' || option == '3';
        return true;
    }
}

/* --- trusts ------------------------------------------------------------------------------------------ */

enum {
    NON_TRANSITIVE = 0x1,
    QUARANTINED = 0x4,
    FOREST_TRANSITIVE = 0x8,
    WITHIN_FOREST = 0x20,
    TREAT_AS_EXTERNAL = 0x40
}; /* MS-ADTS 6.1.6.7.9 */

void graph_trust_of(struct graph_trust *out, const struct record_index *x)
{
    static const char *const directions[] = {"Disabled", "Inbound", "Outbound", "Bidirectional"};
    int64_t direction = 0, attributes = 0;
    record_int(x, ATTR_TRUST_DIRECTION, &direction);
    record_int(x, ATTR_TRUST_ATTRIBUTES, &attributes);
    bool is_forest = attributes & FOREST_TRANSITIVE;
    out->direction = directions[direction & 3];
    out->type = attributes & WITHIN_FOREST ? "ParentChild" : is_forest ? "Forest" : "External";
    out->is_transitive = attributes & WITHIN_FOREST || (is_forest && !(attributes & NON_TRANSITIVE));
    out->filters_sids = attributes & QUARANTINED || (is_forest && !(attributes & TREAT_AS_EXTERNAL));
}
