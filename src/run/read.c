#include "run/read.h"

#include "base/when.h"
#include "model/dn.h"
#include "run/names.h"
#include "run/spill.h"
#include "run/worker.h"
#include "sink/sink.h"
#include "source/source.h"

#include <stdio.h>
#include <stdlib.h>

enum waiting_tag { WAIT_RECORD = 1, WAIT_MEMBERS = 2 };
#define GROUP_MEMBERS_KEPT ((size_t)32 << 20) /* of one group; an event is cut at 8 MiB anyway */
#define OWNERS_KEPT        1000u

struct reading {
    const struct read_options *options;
    const struct source *source;
    struct stream_report *report;
    kind_set kinds;
    struct arena text;
    struct domain_info domain;
    struct names *names;
    bool groups_complete;
    struct spill waiting;
    struct dialect *dialect;
    struct sink_file *out;
    struct buf members; /* DNs of the group being written, and who they are */
    uint32_t n_members, *handles, handles_cap;
    enum kind last_kind; /* of the record before */
    struct {
        uint64_t n_lost, n_outside;
        char first_lost[512];
    } members_of[KIND_COUNT];
    struct str base_form;
    struct arena owner_text; /* of the subject being written */
    struct ref *owners;
};

/* --- one subject ---------------------------------------------------------------------------------------- */

struct member_walk {
    struct reading *r;
    struct dn_list all, rest;
    uint32_t at;
};

static bool next_member(void *ctx, struct ref *out)
{
    struct member_walk *w = ctx;
    struct str dn;
    if (!dn_list_next(&w->rest, &dn)) return false;
    *out = (struct ref){0};
    uint32_t handle = w->r->handles[w->at++];
    if (handle) names_member(w->r->names, handle, dn, out);
    out->dn = dn;
    return true;
}

static void rewind_members(void *ctx)
{
    struct member_walk *w = ctx;
    w->rest = w->all;
    w->at = 0;
}

static int refer(struct reading *r, const struct record_index *x, enum attr a, struct person *space, const struct ref **out,
                 struct err *e)
{
    struct str dn;
    *out = NULL;
    return record_str(x, a, &dn) ? names_person(r->names, dn, space, out, e) : 0;
}

static struct ref kept_person(struct arena *a, const struct ref *p)
{
    struct ref out = *p;
    out.name = arena_str(a, p->name);
    out.principal = arena_str(a, p->principal);
    out.sid = arena_bytes(a, p->sid);
    return out;
}

static int refer_owners(struct reading *r, const struct record_index *x, struct subject *s, struct err *e)
{
    struct values v = record_values(x, ATTR_OWNERS);
    struct bytes id;
    struct person space;
    const struct ref *found;
    if (!v.n) return 0;
    if (!r->owners) r->owners = x_alloc(OWNERS_KEPT * sizeof *r->owners);
    arena_clear(&r->owner_text);
    while (s->n_owners < OWNERS_KEPT && values_next_bytes(&v, &id)) {
        try(names_person(r->names, str_of(id), &space, &found, e));
        r->owners[s->n_owners++] = found ? kept_person(&r->owner_text, found) : (struct ref){.dn = str_of(id)};
    }
    s->owners = r->owners;
    return 0;
}

static int write_subject(struct reading *r, const struct record_index *x, struct member_source *members, struct err *e)
{
    const struct record *rec = x->record;
    struct person manager, managed_by;
    struct subject s = {.record = x, .name = record_name(x), .domain = &r->domain, .members = members};
    derive_account(&s.derived, x, &r->domain, when_now_ms());
    s.derived.privileges_known = TRI_YES;
    struct group_refs groups;
    try(names_groups_of(r->names, x, &groups, e));
    s.groups = groups.list;
    s.n_groups = groups.n;
    s.derived.privileges = groups.privileges;
    s.parent = names_parent(r->names, rec->dn);
    try(refer(r, x, ATTR_MANAGER, &manager, &s.manager, e));
    try(refer(r, x, ATTR_MANAGED_BY, &managed_by, &s.managed_by, e));
    try(refer_owners(r, x, &s, e));
    try(dialect_entity(r->dialect, &s, sink_file_buf(r->out), e));
    return sink_file_flush_some(r->out, e);
}

/* --- the stream --------------------------------------------------------------------------------------------- */

static int on_begin(void *ctx, const json_t *facts, struct err *e)
{
    struct reading *r = ctx;
    try(facts_domain(&r->domain, facts, &r->text, e));
    names_domain(r->names, r->domain.sid, r->domain.dns_name);
    snprintf(r->report->server, sizeof r->report->server, "%.*s", STR_FMT(r->domain.server));
    const char *base_dn = json_string_value(json_object_get(facts, "base_dn"));
    struct buf form = buf_new(65536);
    dn_normalize(&form, base_dn ? str_from(base_dn) : r->domain.base);
    r->base_form = arena_str(&r->text, buf_str(&form));
    buf_free(&form);
    return 0;
}

/* Somebody it names is still to come. */
static bool must_wait(const struct reading *r, const struct record_index *x)
{
    struct str dn;
    struct bytes id;
    if (kind_has_members(x->record->kind) || x->record->kind == KIND_tenant) return true;
    bool refers = record_str(x, ATTR_MANAGER, &dn) || record_str(x, ATTR_MANAGED_BY, &dn);
    if (refers && !names_knows(r->names, dn)) return true;
    struct values owners = record_values(x, ATTR_OWNERS);
    while (values_next_bytes(&owners, &id))
        if (!names_knows(r->names, str_of(id))) return true;
    return false;
}

static void prepare_group(void *ctx, const struct ref *group, struct buf *out)
{
    struct reading *r = ctx;
    dialect_prepare_ref(r->dialect, &r->domain, group, out);
}

static int complete_groups(struct reading *r, struct err *e)
{
    if (r->groups_complete) return 0;
    try(names_groups_complete(r->names, e));
    names_prepare_groups(r->names, prepare_group, r);
    r->groups_complete = true;
    return 0;
}

static bool comes_before_accounts(enum kind k)
{
    return k == KIND_domain || k == KIND_ou || k == KIND_container || k == KIND_tenant || kind_has_members(k);
}

static int on_record(void *ctx, const struct record *rec, struct bytes payload, struct err *e)
{
    struct reading *r = ctx;
    struct record_index x;
    try(record_index(&x, rec, e));
    r->last_kind = rec->kind;
    if (!comes_before_accounts(rec->kind)) try(complete_groups(r, e));
    try(names_add(r->names, &x, e));
    if (!(r->kinds & KIND_BIT(rec->kind))) return 0;
    if (must_wait(r, &x)) return spill_add(&r->waiting, WAIT_RECORD, payload, e);
    return write_subject(r, &x, NULL, e);
}

static int on_members(void *ctx, const struct members_part *p, struct err *e)
{
    struct reading *r = ctx;
    try(names_add_members(r->names, p->list, e));
    if (!(r->kinds & KIND_BIT(r->last_kind))) return 0;
    struct buf entry = buf_new(FRAME_MAX);
    members_encode(&entry, p);
    int rc = entry.failed ? err_set(e, ERR_PROTO, "member list too long") : spill_add(&r->waiting, WAIT_MEMBERS, buf_bytes(&entry), e);
    buf_free(&entry);
    return rc;
}

static int on_gap(void *ctx, const struct gap *g, struct err *e)
{
    (void)e;
    gap_list_add(((struct reading *)ctx)->report->gaps, g);
    return 0;
}

static int on_kind_done(void *ctx, enum kind k, bool complete, uint64_t received, struct err *e)
{
    report_kind_done(((struct reading *)ctx)->report, k, complete, received);
    (void)e;
    return 0;
}

static void on_progress(void *ctx, enum kind k, uint64_t received, uint64_t requests, uint64_t bytes)
{
    report_progress(((struct reading *)ctx)->report, k, received, requests, bytes);
}

static int on_end(void *ctx, const json_t *facts, struct err *e)
{
    (void)e;
    report_end(((struct reading *)ctx)->report, facts);
    return 0;
}

/* --- what waited -------------------------------------------------------------------------------------------------- */

static void resolve_members(struct reading *r, enum kind group, struct dn_list members)
{
    struct str dn;
    struct buf form = buf_new(65536);
    if (members.n > r->handles_cap) {
        r->handles_cap = members.n + members.n / 2;
        r->handles = x_realloc(r->handles, r->handles_cap * sizeof *r->handles);
    }
    for (uint32_t i = 0; dn_list_next(&members, &dn); i++) {
        r->handles[i] = names_find(r->names, dn);
        if (r->handles[i]) continue;
        buf_clear(&form);
        dn_normalize(&form, dn);
        if (!dn_is_under(buf_str(&form), r->base_form)) {
            r->members_of[group].n_outside++;
            continue;
        }
        if (!r->members_of[group].n_lost++)
            snprintf(r->members_of[group].first_lost, sizeof r->members_of[group].first_lost, "%.*s", STR_FMT(dn));
    }
    buf_free(&form);
}

static void keep_members(struct reading *r, struct dn_list part)
{
    if (r->members.len + part.block.len <= GROUP_MEMBERS_KEPT) {
        buf_add_bytes(&r->members, part.block);
        r->n_members += part.n;
    }
}

/* The group's own block, then the parts that follow it in the file. */
static int gather_members(struct reading *r, const struct record *group, uint64_t *n_all, struct err *e)
{
    buf_clear(&r->members);
    r->n_members = 0;
    keep_members(r, group->member);
    *n_all = group->member.n;
    int peeked;
    while ((peeked = spill_peek(&r->waiting, e)) == WAIT_MEMBERS) {
        uint8_t tag;
        struct bytes entry;
        struct members_part part;
        int rc = spill_next(&r->waiting, &tag, &entry, e);
        if (rc <= 0) return rc < 0 ? rc : err_set(e, ERR_BUG, "temporary file: cut short");
        try(members_decode(&part, entry, e));
        keep_members(r, part.list);
        *n_all += part.list.n;
    }
    return peeked < 0 ? peeked : 0;
}

static int write_group(struct reading *r, struct bytes payload, struct err *e)
{
    struct buf copy = buf_new(FRAME_MAX); /* gathering reads on in the file */
    struct record rec;
    struct record_index x;
    struct member_walk walk = {.r = r};
    struct member_source source = {next_member, rewind_members, &walk, 0};
    buf_add_bytes(&copy, payload);
    int rc = record_decode(&rec, buf_bytes(&copy), e);
    if (rc == 0) rc = record_index(&x, &rec, e);
    if (rc == 0) rc = gather_members(r, &rec, &source.n, e);
    if (rc == 0) {
        walk.all = walk.rest = (struct dn_list){r->n_members, buf_bytes(&r->members)};
        resolve_members(r, rec.kind, walk.all);
        rc = write_subject(r, &x, &source, e);
    }
    buf_free(&copy);
    return rc;
}

static int write_waiting(struct reading *r, struct err *e)
{
    uint8_t tag;
    struct bytes payload;
    int rc;
    try(spill_rewind(&r->waiting, e));
    while ((rc = spill_next(&r->waiting, &tag, &payload, e)) > 0) {
        struct record rec;
        struct record_index x;
        if (tag != WAIT_RECORD) continue; /* a member list whose group was not wanted */
        try(record_decode(&rec, payload, e));
        if (kind_has_members(rec.kind)) {
            try(write_group(r, payload, e));
            continue;
        }
        try(record_index(&x, &rec, e));
        try(write_subject(r, &x, NULL, e));
    }
    return rc;
}

static void add_gaps_of(struct reading *r, enum kind k, bool is_limited)
{
    char what[128];
    if (r->members_of[k].n_lost) {
        snprintf(what, sizeof what, "%llu %s", (unsigned long long)r->members_of[k].n_lost,
                 r->members_of[k].n_lost == 1 ? "member reference does not resolve" : "member references do not resolve");
        struct str fix = is_limited ? STR("their kinds are not read: see the setting kinds")
                                    : STR("the account may not see these objects: grant it read access, or widen --kind");
        gap_list_add(r->report->gaps, &(struct gap){k, is_limited ? GAP_INFO : GAP_LOSS, str_from(what),
                                                    str_from(r->members_of[k].first_lost), fix});
    }
    if (r->members_of[k].n_outside) {
        snprintf(what, sizeof what, "%llu %s outside the base DN or the domain", (unsigned long long)r->members_of[k].n_outside,
                 r->members_of[k].n_outside == 1 ? "member lies" : "members lie");
        gap_list_add(r->report->gaps, &(struct gap){k, GAP_INFO, str_from(what), {"", 0}, {"", 0}});
    }
}

static void add_member_gaps(struct reading *r)
{
    bool is_limited = facts_leave_out(r->options->connector->settings, r->source->member_kinds);
    for (enum kind k = 1; k < KIND_COUNT; k++) add_gaps_of(r, k, is_limited);
}

/* --- all of it -------------------------------------------------------------------------------------------------- */

/* Who is in which group is known from the groups alone, and a group's members can be anybody. */
static kind_set with_forward_support(const struct source *source, kind_set kinds)
{
    kind_set holders = KIND_BIT(KIND_group) | KIND_BIT(KIND_role) | KIND_BIT(KIND_administrative_unit);
    if (kinds & source->member_kinds) kinds |= holders;
    if (kinds & holders) kinds |= source->member_kinds;
    return kinds;
}

/* Accounts need groups and places for their names; groups need everybody for their members. */
static kind_set with_support(const struct source *source, kind_set kinds)
{
    if (!source->has_back_links) return with_forward_support(source, kinds);
    kind_set places = KIND_BIT(KIND_domain) | KIND_BIT(KIND_ou) | KIND_BIT(KIND_container);
    kind_set accounts = KIND_BIT(KIND_user) | KIND_BIT(KIND_computer) | KIND_BIT(KIND_service_account) |
                        KIND_BIT(KIND_contact) | KIND_BIT(KIND_foreign_principal);
    if (kinds & accounts) kinds |= places | KIND_BIT(KIND_group);
    if (kinds & KIND_BIT(KIND_group)) kinds |= places | accounts;
    return kinds;
}

static int open_outputs(struct reading *r, char run_uid[33], struct err *e)
{
    struct dialect_options o = r->options->dialect_options;
    struct hash_key random = hash_key_random();
    for (unsigned i = 0; i < 16; i++) snprintf(run_uid + 2 * i, 3, "%02x", random.bytes[i]);
    o.context = (struct event_context){.connector = str_from(r->options->connector->name),
                                       .time_ms = when_now_ms(),
                                       .run_uid = str_from(run_uid),
                                       .version = ROLLCALL_VERSION};
    o.is_tenant = !r->source->has_back_links;
    try(dialect_open(&r->dialect, r->options->dialect, &o, e));
    r->kinds = r->options->kinds ? r->options->kinds & dialect_kinds(r->dialect) : dialect_kinds(r->dialect);
    if (!r->kinds) return err_set(e, ERR_INPUT, "dialect %.*s has no place for the kinds asked for", STR_FMT(r->options->dialect));
    if (dialect_shape(r->dialect) == SHAPE_CSV) {
        if (r->kinds & (r->kinds - 1)) {
            err_set(e, ERR_INPUT, "dialect %.*s on one stream takes one kind", STR_FMT(r->options->dialect));
            return err_hint(e, "add --kind user (or another kind), or use export --to DIR for one file a kind");
        }
    }
    try(sink_file_open(&r->out, r->options->out_fd, false, e));
    for (unsigned k = 1; k < KIND_COUNT; k++)
        if (r->kinds & KIND_BIT(k)) dialect_header(r->dialect, (enum kind)k, sink_file_buf(r->out));
    return 0;
}

static int run_stream(struct reading *r, struct err *e)
{
    struct worker *w;
    struct worker_job job = {.verb = "read", .connector = r->options->connector, .kinds = with_support(r->source, r->kinds)};
    struct stream_handler h = {.ctx = r,
                               .begin = on_begin,
                               .record = on_record,
                               .members = on_members,
                               .gap = on_gap,
                               .kind_done = on_kind_done,
                               .progress = on_progress,
                               .end = on_end};
    try(worker_start(&w, &job, e));
    try(worker_run(w, &h, e));
    try(complete_groups(r, e));
    try(write_waiting(r, e));
    add_member_gaps(r);
    return 0;
}

int read_directory(const struct read_options *o, struct stream_report *report, struct err *e)
{
    char run_uid[33];
    struct reading r = {.options = o,
                        .source = source_find(str_from(o->connector->type)),
                        .report = report,
                        .text = arena_new((size_t)1 << 20),
                        .names = names_new(),
                        .waiting = spill_new(),
                        .members = buf_new(GROUP_MEMBERS_KEPT),
                        .owner_text = arena_new((size_t)4 << 20)};
    int rc = r.source ? 0 : err_set(e, ERR_INPUT, "no source of type '%s' in this version", o->connector->type);
    if (rc == 0 && !r.source->has_back_links) names_forward_links(r.names);
    if (rc == 0) rc = open_outputs(&r, run_uid, e);
    if (rc == 0) rc = run_stream(&r, e);
    struct err close_error;
    int closed = sink_file_close(r.out, &close_error);
    if (rc == 0 && closed < 0) {
        *e = close_error;
        rc = closed;
    }
    dialect_close(r.dialect);
    names_free(r.names);
    spill_free(&r.waiting);
    buf_free(&r.members);
    free(r.handles);
    free(r.owners);
    arena_free(&r.owner_text);
    arena_free(&r.text);
    return rc;
}
