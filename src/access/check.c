#include "access/check.h"

#include "model/record.h"
#include "model/sid.h"

/* --- what is asked for -------------------------------------------------------------------------------- */

enum extent { OF_PART, OF_SET, OF_WHOLE };

/* A right as a node in the tree of object types (MS-ADTS 5.1.3.3.3: class, property set, attribute): an ACE with an object type speaks for
 * it if that is the node itself or one above it. */
struct request {
    const struct access_object *object;
    uint32_t bit;
    enum extent extent;
    const uint8_t *path[3];
    unsigned n_path;
};

static const uint8_t no_guid[GUID_SIZE];

static bool same_guid(const uint8_t *a, const uint8_t *b)
{
    return memcmp(a, b, GUID_SIZE) == 0;
}

static const struct schema_class *class_of(const struct access_object *o)
{
    return o->schema && o->class < o->schema->n_classes ? &o->schema->classes[o->class] : NULL;
}

/* NULL: none of this GUID. A validated write has its attribute's GUID (MS-ADTS 5.1.3.2.2) and so its place in the tree, too: SELF on the
 * Membership property set is Self-Membership. Where an attribute is named like its property set (dNSHostName), the attribute is meant. */
static const struct schema_attribute *attribute_of(const struct schema *s, const uint8_t *guid, uint32_t *index)
{
    *index = s ? schema_guid_find_as(s, SCHEMA_ATTRIBUTE, guid) : SCHEMA_NONE;
    return *index == SCHEMA_NONE ? NULL : &s->attributes[*index];
}

static void add_node(struct request *q, const uint8_t *guid)
{
    for (unsigned i = 0; i < q->n_path; i++)
        if (same_guid(q->path[i], guid)) return;
    q->path[q->n_path++] = guid;
}

/* The child's class stands alone: the container's own class is not above it (MS-ADTS 3.1.1.5.2.1, 3.1.1.4.5.5). */
static void open_child(struct request *q, const uint8_t *guid)
{
    if (guid) add_node(q, guid);
    q->extent = guid ? OF_PART : OF_WHOLE;
}

/* Extended rights and validated writes hang under the class like properties: MS-ADTS 5.1.3.3.4 names only an ACE with their own GUID or with
 * none, a controller asks for them with the object's class above them. */
static void open_property(struct request *q, const uint8_t *guid)
{
    const struct schema_class *c = class_of(q->object);
    if (c) add_node(q, c->guid);
    q->extent = !guid || (c && same_guid(guid, c->guid)) ? OF_WHOLE : OF_PART;
    if (q->extent == OF_WHOLE) return;
    uint32_t i;
    const struct schema_attribute *a = attribute_of(q->object->schema, guid, &i);
    if (a && !same_guid(a->set, no_guid)) add_node(q, a->set);
    if (!a && !same_guid(guid, no_guid)) q->extent = OF_SET; /* or an operation: that is nobody's set */
    add_node(q, guid);
}

static struct request request_of(const struct access_object *o, const struct right *r)
{
    struct request q = {.object = o, .bit = r->bit & RIGHTS_ALL, .extent = OF_WHOLE};
    const uint8_t *guid = r->is_typed && (r->bit & RIGHTS_TYPED) ? r->guid : NULL;
    if (q.bit & (RIGHT_CREATE_CHILD | RIGHT_DELETE_CHILD))
        open_child(&q, guid);
    else
        open_property(&q, guid);
    return q;
}

/* --- which ACEs speak for it -------------------------------------------------------------------------- */

static bool speaks_at(const struct request *q, const uint8_t *guid)
{
    for (unsigned i = 0; i < q->n_path; i++)
        if (same_guid(q->path[i], guid)) return true;
    return false;
}

static bool is_child_class(const struct access_object *o, const uint8_t *guid)
{
    uint32_t child = schema_guid_find_as(o->schema, SCHEMA_CLASS, guid);
    return child != SCHEMA_NONE && (!class_of(o) || schema_class_may_contain(o->schema, o->class, child));
}

/* Has the object the attribute? Of an object of unknown class every attribute may be one. */
static bool has_attribute(const struct access_object *o, uint32_t attribute)
{
    if (!class_of(o)) return true;
    size_t n, at;
    const uint32_t *of = schema_class_attributes(o->schema, o->class, &n);
    LOWER_BOUND(at, n, of[at] < attribute);
    return at < n && of[at] == attribute;
}

static bool has_attribute_of_set(const struct access_object *o, const uint8_t *set)
{
    size_t n = o->schema->n_attributes;
    const uint32_t *of = class_of(o) ? schema_class_attributes(o->schema, o->class, &n) : NULL;
    if (same_guid(set, no_guid)) return false;
    for (size_t i = 0; i < n; i++)
        if (same_guid(o->schema->attributes[of ? of[i] : i].set, set)) return true;
    return false;
}

/* An extended right or a validated write that the object's class knows (appliesTo). */
static bool has_operation(const struct access_object *o, const uint8_t *guid, uint32_t bit)
{
    uint32_t index = schema_guid_find_as(o->schema, bit == RIGHT_SELF ? SCHEMA_VALIDATED_WRITE : SCHEMA_EXTENDED_RIGHT, guid);
    if (index == SCHEMA_NONE) return false;
    const struct schema_class *c = class_of(o);
    const struct schema_right *r = &o->schema->rights[index];
    if (!c || !r->n_applies_to) return true;
    for (size_t i = 0; i < r->n_applies_to; i++)
        if (same_guid(r->applies_to[i], c->guid)) return true;
    return false;
}

static bool is_part_of_set(const struct request *q, const uint8_t *guid)
{
    uint32_t i;
    const struct schema_attribute *a = attribute_of(q->object->schema, guid, &i);
    return a && has_attribute(q->object, i) && speaks_at(q, a->set);
}

static bool is_part_of_whole(const struct request *q, const uint8_t *guid)
{
    uint32_t i;
    const struct access_object *o = q->object;
    if (!o->schema) return true; /* nothing is known of its parts: not granted where that is not sure */
    if (q->bit & (RIGHT_CREATE_CHILD | RIGHT_DELETE_CHILD)) return is_child_class(o, guid);
    if ((attribute_of(o->schema, guid, &i) && has_attribute(o, i)) || has_attribute_of_set(o, guid)) return true;
    return q->bit & (RIGHT_SELF | RIGHT_CONTROL_ACCESS) && has_operation(o, guid, q->bit);
}

/* A deny of a part spoils a request for what it is a part of; one of something that this object has not does not speak. */
static bool is_spoiled_by(const struct request *q, const uint8_t *guid)
{
    if (q->extent == OF_PART || !(q->bit & RIGHTS_TYPED)) return false;
    return q->extent == OF_SET ? is_part_of_set(q, guid) : is_part_of_whole(q, guid);
}

/* MS-DTYP 2.4.4; audit ACEs, labels and the rest have no voice in a DACL. */
static enum access_speech voice_of(uint8_t type)
{
    switch (type) {
    case ACE_ALLOW:
    case ACE_ALLOW_OBJECT:
        return ACE_ALLOWS;
    case ACE_DENY:
    case ACE_DENY_OBJECT:
        return ACE_DENIES;
    case ACE_ALLOW_CALLBACK:
    case ACE_ALLOW_CALLBACK_OBJECT:
        return ACE_MAY_ALLOW;
    case ACE_DENY_CALLBACK:
    case ACE_DENY_CALLBACK_OBJECT:
        return ACE_MAY_DENY;
    default:
        return ACE_SILENT;
    }
}

/* The inherited object type is not looked at: it has steered inheritance already (MS-DTYP 2.5.3.4). */
static enum access_speech speech_of(const struct ace *a, const struct request *q)
{
    enum access_speech voice = voice_of(a->type);
    if (voice == ACE_SILENT || a->flags & ACE_INHERIT_ONLY || !(rights_map_generic(a->mask) & q->bit)) return ACE_SILENT;
    if (!a->object_type || speaks_at(q, a->object_type)) return voice;
    bool is_deny = voice == ACE_DENIES || voice == ACE_MAY_DENY;
    return is_deny && is_spoiled_by(q, a->object_type) ? voice : ACE_SILENT;
}

enum access_speech access_ace_speaks(const struct ace *a, const struct access_object *o, const struct right *r)
{
    struct request q = request_of(o, r);
    return speech_of(a, &q);
}

/* --- for whom ----------------------------------------------------------------------------------------- */

enum access_trustee access_trustee_kind(struct bytes sid)
{
    static const uint8_t creator[8] = {1, 1, 0, 0, 0, 0, 0, 3}, self[12] = {1, 1, 0, 0, 0, 0, 0, 5, 10, 0, 0, 0};
    if (bytes_equal(sid, (struct bytes){self, sizeof self})) return TRUSTEE_SELF;
    if (sid.len != 12 || memcmp(sid.ptr, creator, sizeof creator) != 0) return TRUSTEE_SID;
    uint32_t rid = sid_rid(sid);
    return rid == 4 ? TRUSTEE_OWNER : rid < 4 ? TRUSTEE_NOBODY : TRUSTEE_SID;
}

static bool token_has(const struct access_token *t, struct bytes sid)
{
    return sid.len && t->has(t->ctx, sid);
}

static bool token_has_owner(const struct access_object *o, const struct access_token *t)
{
    enum access_trustee kind = access_trustee_kind(o->sd->owner);
    return (kind == TRUSTEE_SID && token_has(t, o->sd->owner)) || (kind == TRUSTEE_SELF && token_has(t, o->sid));
}

static bool token_has_trustee(const struct access_object *o, const struct access_token *t, struct bytes trustee)
{
    switch (access_trustee_kind(trustee)) {
    case TRUSTEE_SELF:
        return token_has(t, o->sid);
    case TRUSTEE_OWNER:
        return token_has_owner(o, t);
    case TRUSTEE_NOBODY:
        return false;
    case TRUSTEE_SID:
        break;
    }
    return token_has(t, trustee);
}

/* A callback ACE counts whether its condition holds or not: that it is there is what turns the implicit rights off. */
bool access_has_owner_rights(const struct sd *sd)
{
    struct bytes rest = sd->dacl;
    for (struct ace a; sd_next_ace(&rest, &a);)
        if (voice_of(a.type) != ACE_SILENT && !(a.flags & ACE_INHERIT_ONLY) && access_trustee_kind(a.trustee) == TRUSTEE_OWNER) return true;
    return false;
}

/* --- the check ---------------------------------------------------------------------------------------- */

static bool is_computer(const struct access_object *o)
{
    static const uint8_t computer[GUID_SIZE] = {0x86, 0x7a, 0x96, 0xbf, 0xe6, 0x0d, 0xd0, 0x11, 0xa2, 0x85, 0x00, 0xaa, 0x00, 0x30, 0x49, 0xe2};
    const struct schema_class *c = class_of(o);
    while (c && !same_guid(c->guid, computer)) c = c->parent == SCHEMA_NONE ? NULL : &o->schema->classes[c->parent];
    return c;
}

bool access_blocks_owner(const struct access_object *o)
{
    return o->schema && schema_heuristic(o->schema, SCHEMA_HEURISTIC_BLOCK_IMPLICIT_OWNER) == '1' && is_computer(o);
}

/* Domain Admins or Enterprise Admins of the object's domain. */
static bool token_has_admins(const struct access_object *o, const struct access_token *t)
{
    static const uint32_t rids[] = {512, 519};
    struct sid sid;
    struct err e;
    if (sid_decode(&sid, o->sid, &e) < 0 || !sid.n_sub) return false;
    for (size_t i = 0; i < n_elements(rids); i++) {
        uint8_t admins[SID_MAX];
        sid.sub[sid.n_sub - 1] = rids[i];
        if (t->has(t->ctx, (struct bytes){admins, sid_encode(admins, &sid)})) return true;
    }
    return false;
}

/* Before the DACL is walked: a deny does not take them away. */
static bool is_implicit_owner(const struct access_object *o, const struct access_token *t, uint32_t bit)
{
    if (!(bit & (RIGHT_READ_CONTROL | RIGHT_WRITE_DAC)) || !token_has_owner(o, t) || access_has_owner_rights(o->sd)) return false;
    return !access_blocks_owner(o) || token_has_admins(o, t);
}

struct walk {
    struct access_verdict verdict;
    bool is_decided, may_allow, may_deny; /* the latter: callback ACEs before the decision */
};

/* Takes what one ACE says for the token; true when no later one can change the answer. */
static bool hear(struct walk *w, enum access_speech speech, unsigned ace, enum access_rule rule)
{
    w->may_allow |= speech == ACE_MAY_ALLOW;
    w->may_deny |= speech == ACE_MAY_DENY;
    if (speech != ACE_ALLOWS && speech != ACE_DENIES) return false;
    if (w->is_decided && speech == ACE_ALLOWS) return false; /* deny-wins only looks for a deny now */
    w->is_decided = true;
    w->verdict =
        (struct access_verdict){.is_allowed = speech == ACE_ALLOWS, .reason = ACCESS_BY_ACE, .ace = ace, .n_unknown = w->verdict.n_unknown};
    return rule == ACCESS_WINDOWS || speech == ACE_DENIES;
}

static void walk_dacl(struct walk *w, const struct request *q, const struct access_token *t, enum access_rule rule)
{
    const struct access_object *o = q->object;
    struct bytes rest = o->sd->dacl;
    struct ace a;
    for (unsigned i = 0; sd_next_ace(&rest, &a); i++) {
        if (a.flags & ACE_INHERIT_ONLY) continue;
        if (!a.trustee.len) w->verdict.n_unknown++;
        enum access_speech speech = speech_of(&a, q);
        if (speech != ACE_SILENT && token_has_trustee(o, t, a.trustee) && hear(w, speech, i, rule)) break;
    }
    /* Only a condition that would turn the answer round matters. A plain deny wins over every condition under deny-wins. */
    bool is_final = rule == ACCESS_DENY_WINS && w->is_decided && !w->verdict.is_allowed;
    w->verdict.is_conditional = !is_final && (w->verdict.is_allowed ? w->may_deny : w->may_allow);
}

void access_check(struct access_verdict *out, const struct access_object *o, const struct access_token *t, const struct right *r,
                  enum access_rule rule)
{
    struct walk w = {.verdict = {.reason = ACCESS_NO_ACE}};
    struct request q = request_of(o, r);
    if (!o->sd || !q.bit)
        *out = w.verdict;
    else if (!o->sd->has_dacl || o->sd->is_null_dacl)
        *out = (struct access_verdict){.is_allowed = true, .reason = ACCESS_NULL_DACL};
    else if (is_implicit_owner(o, t, q.bit))
        *out = (struct access_verdict){.is_allowed = true, .reason = ACCESS_IMPLICIT_OWNER};
    else {
        walk_dacl(&w, &q, t, rule);
        *out = w.verdict;
    }
}

/* --- questions that need two checks ------------------------------------------------------------------- */

static struct access_verdict check_bit(const struct access_object *o, const struct access_token *t, uint32_t bit, const uint8_t *guid,
                                       enum access_rule rule)
{
    struct right r = {.bit = bit, .is_typed = guid};
    if (guid) memcpy(r.guid, guid, GUID_SIZE);
    struct access_verdict v;
    access_check(&v, o, t, &r, rule);
    return v;
}

void access_check_delete(struct access_verdict *out, bool *is_by_parent, const struct access_object *o, const struct access_object *parent,
                         const struct access_token *t, enum access_rule rule)
{
    const struct schema_class *c = class_of(o);
    *is_by_parent = false;
    *out = check_bit(o, t, RIGHT_DELETE, NULL, rule);
    if (!parent || (out->is_allowed && !out->is_conditional)) return;
    struct access_verdict above = check_bit(parent, t, RIGHT_DELETE_CHILD, c ? c->guid : NULL, rule);
    *is_by_parent = above.is_allowed && (!out->is_allowed || !above.is_conditional);
    if (*is_by_parent)
        *out = above;
    else if (!out->is_allowed)
        out->is_conditional |= above.is_conditional;
}

bool access_is_visible(const struct access_object *o, const struct access_object *parent, const struct access_token *t,
                       bool is_list_object_mode, enum access_rule rule)
{
    if (!parent || check_bit(parent, t, RIGHT_LIST_CHILD_OBJECTS, NULL, rule).is_allowed) return true;
    return is_list_object_mode && check_bit(o, t, RIGHT_LIST_OBJECT, NULL, rule).is_allowed &&
           check_bit(parent, t, RIGHT_LIST_OBJECT, NULL, rule).is_allowed;
}

void access_check_read(struct access_verdict *out, const struct access_object *o, const struct access_token *t, uint32_t attribute,
                       enum access_rule rule)
{
    enum { CONFIDENTIAL = 0x80 };
    const struct schema_attribute *a = &o->schema->attributes[attribute];
    *out = check_bit(o, t, RIGHT_READ_PROPERTY, a->guid, rule);
    if (!(a->search_flags & CONFIDENTIAL) || (!out->is_allowed && !out->is_conditional)) return;
    struct access_verdict also = check_bit(o, t, RIGHT_CONTROL_ACCESS, a->guid, rule);
    if (out->is_allowed) {
        also.is_conditional |= also.is_allowed && out->is_conditional;
        *out = also;
    } else
        out->is_conditional = also.is_allowed || also.is_conditional;
}
