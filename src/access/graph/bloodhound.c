#include "access/graph/bloodhound_int.h"

#include "model/sid.h"

#include <stdio.h>

#define FORMAT 6
/* CollectionMethod of the collectors: Group, Trusts, ACL, Container, ObjectProps, SPNTargets. */
#define METHODS (1 | 32 | 64 | 128 | 512 | 8192)

static const struct part {
    const char *type;
    kind_set kinds;
} parts[] = {
    {"domains", KIND_BIT(KIND_domain)},       {"ous", KIND_BIT(KIND_ou)},
    {"containers", KIND_BIT(KIND_container)}, {"gpos", KIND_BIT(KIND_group_policy)},
    {"computers", KIND_BIT(KIND_computer)},   {"users", KIND_BIT(KIND_user) | KIND_BIT(KIND_service_account)},
    {"groups", KIND_BIT(KIND_group)},
};

struct writing {
    struct graph *g;
    struct jsonw j;
    const struct record_index *x;
    uint32_t object;
    uint64_t n; /* rows of this file */
    struct err *e;
    int rc;
};

/* --- pieces ------------------------------------------------------------------------------------------ */

static void put_typed(struct jsonw *j, struct str id, enum graph_label l)
{
    jsonw_object(j);
    jsonw_kstr(j, "ObjectIdentifier", id);
    jsonw_kcstr(j, "ObjectType", graph_label_name(l));
    jsonw_end(j);
}

static void put_party(struct writing *w, uint32_t party)
{
    const struct graph_party *p = &w->g->parties[party];
    put_typed(&w->j, p->id, p->label);
}

static void put_ace(struct jsonw *j, const struct graph_party *p, const char *right, bool is_inherited,
                    const char *hash)
{
    jsonw_object(j);
    jsonw_kstr(j, "PrincipalSID", p->id);
    jsonw_kcstr(j, "PrincipalType", graph_label_name(p->label));
    jsonw_kcstr(j, "RightName", right);
    jsonw_kbool(j, "IsInherited", is_inherited);
    jsonw_kcstr(j, "InheritanceHash", hash);
    jsonw_end(j);
}

static void put_reader(void *ctx, uint32_t party, bool is_inherited)
{
    struct writing *w = ctx;
    const struct graph_party *p = &w->g->parties[party];
    if (!p->is_ignored) put_ace(&w->j, p, graph_right_name(EDGE_GMSA), is_inherited, "");
}

static void put_aces(struct writing *w)
{
    const struct graph_edge_list *l =
        graph_edges(w->g, w->object, w->x->record->kind == KIND_computer && graph_has_laps(w->x));
    jsonw_key(&w->j, STR("Aces"));
    jsonw_array(&w->j);
    for (size_t i = 0; i < l->n; i++)
        put_ace(&w->j, &w->g->parties[l->list[i].party], graph_right_name(l->list[i].right),
                l->list[i].is_inherited, l->list[i].hash);
    if (w->x->record->kind == KIND_service_account)
        graph_each_let_in(w->g, w->x, ATTR_GMSA_MEMBERSHIP, put_reader, w);
    jsonw_end(&w->j);
}

static const struct sd *sd_of(const struct writing *w)
{
    if (w->object == NOBODY || w->g->world->objects[w->object].descriptor == NOBODY) return NULL;
    return &w->g->world->descriptors[w->g->world->objects[w->object].descriptor].sd;
}

static void put_contained_by(struct writing *w)
{
    uint32_t parent = w->object == NOBODY ? NOBODY : w->g->world->objects[w->object].parent;
    struct str id = graph_id_text(w->g, parent);
    jsonw_key(&w->j, STR("ContainedBy"));
    if (id.len)
        put_typed(&w->j, id, graph_object_label(w->g, parent));
    else
        jsonw_null(&w->j);
}

static void put_children(struct writing *w)
{
    struct graph *g = w->g;
    jsonw_key(&w->j, STR("ChildObjects"));
    jsonw_array(&w->j);
    for (uint32_t i = w->object == NOBODY ? 0 : g->first_child[w->object];
         w->object != NOBODY && i < g->first_child[w->object + 1]; i++) {
        struct str id = graph_id_text(g, g->children[i]);
        if (id.len) put_typed(&w->j, id, graph_object_label(g, g->children[i]));
        w->rc = g->out->wrote(g->out->ctx, 0, w->e);
        if (w->rc < 0) return;
    }
    jsonw_end(&w->j);
}

static void put_hashes(struct writing *w)
{
    const struct sd *sd = sd_of(w);
    struct bytes rest = sd ? sd->dacl : (struct bytes){NULL, 0};
    struct ace a;
    char hash[41];
    jsonw_key(&w->j, STR("InheritanceHashes"));
    jsonw_array(&w->j);
    while (sd_next_ace(&rest, &a)) {
        if (!graph_hands_down(w->g, &a)) continue;
        graph_inheritance_hash(hash, &a);
        jsonw_str(&w->j, str_from(hash));
    }
    jsonw_end(&w->j);
}

static void put_links(struct writing *w)
{
    struct str rest = STR(""), dn;
    bool is_enforced, is_disabled;
    record_str(w->x, ATTR_GP_LINK, &rest);
    jsonw_key(&w->j, STR("Links"));
    jsonw_array(&w->j);
    while (graph_next_link(&rest, &dn, &is_enforced, &is_disabled)) {
        struct link l;
        if (is_disabled || !store_resolve_dn(w->g->store, w->g->options->connector, dn, &l)) continue;
        buf_clear(&w->g->text);
        graph_add_guid(&w->g->text, l.guid);
        jsonw_object(&w->j);
        jsonw_kbool(&w->j, "IsEnforced", is_enforced);
        jsonw_kstr(&w->j, "GUID", buf_str(&w->g->text));
        jsonw_end(&w->j);
    }
    jsonw_end(&w->j);
}

static void put_empty(struct jsonw *j, const char *name)
{
    jsonw_key(j, str_from(name));
    jsonw_array(j);
    jsonw_end(j);
}

/* What policies make of local groups is not read. */
static void put_policy_changes(struct jsonw *j)
{
    static const char *const names[] = {"LocalAdmins", "RemoteDesktopUsers", "DcomUsers", "PSRemoteUsers",
                                        "AffectedComputers"};
    jsonw_key(j, STR("GPOChanges"));
    jsonw_object(j);
    for (size_t i = 0; i < n_elements(names); i++) put_empty(j, names[i]);
    jsonw_end(j);
}

/* --- accounts ---------------------------------------------------------------------------------------- */

static void put_primary_group(struct writing *w)
{
    int64_t rid;
    jsonw_key(&w->j, STR("PrimaryGroupSID"));
    if (!record_int(w->x, ATTR_PRIMARY_GROUP_ID, &rid)) {
        jsonw_null(&w->j);
        return;
    }
    buf_clear(&w->g->text);
    buf_printf(&w->g->text, "%.*s-%lld", STR_FMT(w->g->domain_id), (long long)rid);
    jsonw_str(&w->j, buf_str(&w->g->text));
}

static void put_history(struct writing *w)
{
    struct values v = record_values(w->x, ATTR_SID_HISTORY);
    jsonw_key(&w->j, STR("HasSIDHistory"));
    jsonw_array(&w->j);
    for (struct bytes sid; values_next_bytes(&v, &sid);) put_party(w, graph_party(w->g, sid));
    jsonw_end(&w->j);
}

static struct str principal_id(struct writing *w, uint32_t principal)
{
    return graph_sid_text(w->g, w->g->world->principals[principal].sid);
}

/* Only hosts that the directory knows; each once in a row. */
static void put_delegations(struct writing *w)
{
    struct values v = record_values(w->x, ATTR_ALLOWED_TO_DELEGATE_TO);
    uint32_t last = NOBODY;
    jsonw_key(&w->j, STR("AllowedToDelegate"));
    jsonw_array(&w->j);
    for (struct bytes spn; values_next_bytes(&v, &spn);) {
        uint32_t computer = graph_host(w->g, str_of(spn));
        if (computer == NOBODY || computer == last) continue;
        last = computer;
        put_typed(&w->j, principal_id(w, computer), LABEL_COMPUTER);
    }
    jsonw_end(&w->j);
}

static int64_t port_of(struct str spn)
{
    size_t colon = str_index(spn, ':');
    int64_t port = 0;
    for (size_t i = colon + 1; i < spn.len && spn.ptr[i] >= '0' && spn.ptr[i] <= '9' && port < 65536; i++)
        port = port * 10 + (spn.ptr[i] - '0');
    return port > 0 && port < 65536 ? port : 1433;
}

/* The account of a database server is administrator of it. */
static void put_targets(struct writing *w)
{
    struct values v = record_values(w->x, ATTR_SERVICE_PRINCIPAL_NAME);
    jsonw_key(&w->j, STR("SPNTargets"));
    jsonw_array(&w->j);
    for (struct bytes b; values_next_bytes(&v, &b);) {
        struct str spn = str_of(b);
        if (spn.len < 9 || !str_equal_nocase((struct str){spn.ptr, 9}, STR("MSSQLSvc/"))) continue;
        uint32_t computer = graph_host(w->g, spn);
        if (computer == NOBODY) continue;
        jsonw_object(&w->j);
        jsonw_kstr(&w->j, "ComputerSID", principal_id(w, computer));
        jsonw_kint(&w->j, "Port", port_of(spn));
        jsonw_kcstr(&w->j, "Service", "SQLAdmin");
        jsonw_end(&w->j);
    }
    jsonw_end(&w->j);
}

static bool has_flag(const struct writing *w, int64_t flag)
{
    int64_t uac = 0;
    record_int(w->x, ATTR_USER_ACCOUNT_CONTROL, &uac);
    return uac & flag;
}

static void put_account(struct writing *w)
{
    put_primary_group(w);
    put_delegations(w);
    put_history(w);
    jsonw_kbool(&w->j, "UnconstrainedDelegation", has_flag(w, UAC_TRUSTED_FOR_DELEGATION));
    jsonw_kstr(&w->j, "DomainSID", w->g->domain_id);
}

static void put_user(struct writing *w)
{
    put_account(w);
    put_targets(w);
}

static void put_actor(void *ctx, uint32_t party, bool is_inherited)
{
    (void)is_inherited;
    put_party(ctx, party);
}

/* Sessions and local groups are asked of the machines themselves, which nobody did. */
static void put_not_collected(struct jsonw *j, const char *name)
{
    jsonw_key(j, str_from(name));
    jsonw_object(j);
    put_empty(j, "Results");
    jsonw_kbool(j, "Collected", false);
    jsonw_key(j, STR("FailureReason"));
    jsonw_null(j);
    jsonw_end(j);
}

static void put_computer(struct writing *w)
{
    put_account(w);
    jsonw_key(&w->j, STR("AllowedToAct"));
    jsonw_array(&w->j);
    graph_each_let_in(w->g, w->x, ATTR_ALLOWED_TO_ACT, put_actor, w);
    jsonw_end(&w->j);
    put_empty(&w->j, "DumpSMSAPassword");
    put_not_collected(&w->j, "Sessions");
    put_not_collected(&w->j, "PrivilegedSessions");
    put_not_collected(&w->j, "RegistrySessions");
    put_empty(&w->j, "LocalGroups");
    put_empty(&w->j, "UserRights");
    jsonw_kbool(&w->j, "IsDC", has_flag(w, UAC_SERVER_TRUST_ACCOUNT));
    jsonw_key(&w->j, STR("DCRegistryData"));
    jsonw_object(&w->j);
    jsonw_end(&w->j);
    jsonw_key(&w->j, STR("Status"));
    jsonw_null(&w->j);
}

/* --- groups ------------------------------------------------------------------------------------------ */

static bool put_member(void *ctx, const struct link *l)
{
    struct writing *w = ctx;
    enum graph_label label = graph_label_of(l->kind);
    if (!l->sid.len || l->via == VIA_PRIMARY_GROUP ||
        (label == LABEL_BASE && l->kind != KIND_foreign_principal))
        return true;
    if (label == LABEL_BASE) label = w->g->parties[graph_party(w->g, l->sid)].label;
    put_typed(&w->j, graph_sid_text(w->g, l->sid), label);
    w->rc = w->g->out->wrote(w->g->out->ctx, 0, w->e);
    return w->rc == 0;
}

static void put_group(struct writing *w, int64_t entity)
{
    jsonw_key(&w->j, STR("Members"));
    jsonw_array(&w->j);
    if (entity) {
        int rc = store_links(w->g->store, entity, LINK_MEMBERS_OF, put_member, w, w->e);
        if (w->rc == 0) w->rc = rc;
    }
    if (w->rc < 0) return;
    jsonw_end(&w->j);
}

/* --- domains ----------------------------------------------------------------------------------------- */

static bool put_trust(void *ctx, const struct entity *entity)
{
    struct writing *w = ctx;
    struct record_index x;
    struct graph_trust t;
    struct str partner = STR("");
    struct values v;
    struct bytes sid;
    char text[SID_TEXT] = "";
    int64_t attributes = 0;
    w->rc = record_index(&x, &entity->record, w->e);
    if (w->rc < 0) return false;
    graph_trust_of(&t, &x);
    record_str(&x, ATTR_TRUST_PARTNER, &partner);
    record_int(&x, ATTR_TRUST_ATTRIBUTES, &attributes);
    v = record_values(&x, ATTR_TRUST_SID);
    if (values_next_bytes(&v, &sid)) sid_format_bytes(text, sid);
    buf_clear(&w->g->text);
    graph_add_upper(&w->g->text, partner);
    jsonw_object(&w->j);
    jsonw_kstr(&w->j, "TargetDomainSid", str_from(text));
    jsonw_kstr(&w->j, "TargetDomainName", buf_str(&w->g->text));
    jsonw_kbool(&w->j, "IsTransitive", t.is_transitive);
    jsonw_kbool(&w->j, "SidFilteringEnabled", t.filters_sids);
    jsonw_kint(&w->j, "TrustAttributes", attributes);
    jsonw_kcstr(&w->j, "TrustDirection", t.direction);
    jsonw_kcstr(&w->j, "TrustType", t.type);
    jsonw_end(&w->j);
    return true;
}

static void put_domain(struct writing *w)
{
    struct entity_query q = {.connector = w->g->options->connector, .kinds = KIND_BIT(KIND_trust)};
    jsonw_key(&w->j, STR("Trusts"));
    jsonw_array(&w->j);
    int rc = store_entities(w->g->store, &q, put_trust, w, w->e);
    if (w->rc == 0) w->rc = rc;
    if (w->rc < 0) return;
    jsonw_end(&w->j);
    jsonw_key(&w->j, STR("ForestRootIdentifier"));
    jsonw_null(&w->j); /* which domain that is, is not read */
}

/* --- rows -------------------------------------------------------------------------------------------- */

static void put_rest(struct writing *w, const struct entity *entity)
{
    enum kind k = entity->record.kind;
    if (k == KIND_user || k == KIND_service_account) put_user(w);
    if (k == KIND_computer) put_computer(w);
    if (k == KIND_group) put_group(w, entity->id);
    if (k == KIND_domain) put_domain(w);
    if (k == KIND_domain || k == KIND_ou) put_links(w);
    if (k == KIND_domain || k == KIND_ou) put_policy_changes(&w->j);
    if (k != KIND_domain && k != KIND_ou && k != KIND_container) return;
    put_hashes(w);
    if (w->rc == 0) put_children(w);
}

static void begin_row(struct writing *w)
{
    struct buf *out = w->g->out->buf(w->g->out->ctx);
    buf_add_str(out, w->n++ ? STR(",\n") : STR("\n"));
    w->j = jsonw_new(out);
    jsonw_object(&w->j);
    w->g->counts->n_nodes++;
}

static int end_row(struct writing *w)
{
    try(w->rc);
    jsonw_end(&w->j);
    return w->g->out->wrote(w->g->out->ctx, 1, w->e);
}

static bool each(void *ctx, const struct entity *entity)
{
    struct writing *w = ctx;
    struct graph *g = w->g;
    struct record_index x;
    w->rc = record_index(&x, &entity->record, w->e);
    if (w->rc < 0) return false;
    w->x = &x;
    w->object = world_object_of_entity(g->world, entity->id);
    if (!graph_id_text(g, w->object).len) return true; /* a principal without a SID: the directory hides it */
    begin_row(w);
    const struct sd *sd = sd_of(w);
    jsonw_kstr(&w->j, "ObjectIdentifier", graph_id_text(g, w->object));
    jsonw_key(&w->j, STR("Properties"));
    jsonw_object(&w->j);
    graph_put_properties(g, &w->j, entity, &x, w->object);
    jsonw_end(&w->j);
    put_aces(w);
    jsonw_kbool(&w->j, "IsDeleted", false);
    jsonw_kbool(&w->j, "IsACLProtected", sd && sd->control & SD_DACL_PROTECTED);
    put_contained_by(w);
    put_rest(w, entity);
    w->rc = end_row(w);
    return w->rc == 0;
}

/* Everyone, Authenticated Users and whoever else is named and is no entity of the directory. */
static int put_well_known(struct writing *w)
{
    struct graph *g = w->g;
    for (size_t i = 0; i < g->n_parties; i++) {
        const struct graph_party *p = &g->parties[i];
        if (!graph_needs_node(p) || p->label != LABEL_GROUP) continue;
        begin_row(w);
        jsonw_kstr(&w->j, "ObjectIdentifier", p->id);
        jsonw_key(&w->j, STR("Properties"));
        jsonw_object(&w->j);
        graph_put_party_properties(g, &w->j, p);
        jsonw_end(&w->j);
        put_empty(&w->j, "Aces");
        jsonw_kbool(&w->j, "IsDeleted", false);
        jsonw_kbool(&w->j, "IsACLProtected", false);
        jsonw_key(&w->j, STR("ContainedBy"));
        jsonw_null(&w->j);
        put_group(w, 0);
        try(end_row(w));
    }
    return 0;
}

static int put_meta(struct writing *w, const char *type)
{
    struct buf *out = w->g->out->buf(w->g->out->ctx);
    buf_add_str(out, STR("\n],\"meta\":"));
    struct jsonw j = jsonw_new(out);
    jsonw_object(&j);
    jsonw_kint(&j, "methods", METHODS);
    jsonw_kcstr(&j, "type", type);
    jsonw_kint(&j, "count", (int64_t)w->n);
    jsonw_kint(&j, "version", FORMAT);
    jsonw_kcstr(&j, "collectorversion",
                w->g->options->is_effective ? "rollcall " ROLLCALL_VERSION " (effective)"
                                            : "rollcall " ROLLCALL_VERSION);
    jsonw_end(&j);
    buf_add_str(out, STR("}\n"));
    return w->g->out->wrote(w->g->out->ctx, 0, w->e);
}

static int write_part(struct graph *g, const struct part *p, struct err *e)
{
    struct writing w = {.g = g, .e = e};
    struct entity_query q = {.connector = g->options->connector, .kinds = p->kinds};
    char name[64];
    snprintf(name, sizeof name, "rollcall_%s%s.json", g->options->is_effective ? "effective_" : "", p->type);
    try(g->out->file(g->out->ctx, name, e));
    buf_add_str(g->out->buf(g->out->ctx), STR("{\"data\":["));
    try(store_entities(g->store, &q, each, &w, e));
    try(w.rc);
    if (p->kinds == KIND_BIT(KIND_group)) try(put_well_known(&w));
    return put_meta(&w, p->type);
}

int bloodhound_write(struct store *s, const struct graph_options *o, const struct graph_out *out,
                     struct graph_counts *n, struct err *e)
{
    struct graph g;
    int rc = graph_open(&g, s, o, out, n, e);
    for (size_t i = 0; rc == 0 && i < n_elements(parts); i++) rc = write_part(&g, &parts[i], e);
    graph_close(&g);
    return rc;
}
