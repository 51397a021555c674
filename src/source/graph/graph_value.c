#include "source/graph/graph_value.h"

#include "base/when.h"
#include "model/sid.h"

#include <stdio.h>
#include <stdlib.h>

#define TEXT_MAX  32768          /* bytes of one text: the longest in Graph, a membership rule, has 3072 characters */
#define TEXTS_MAX ((size_t)1 << 20) /* of one attribute's values together */
#define LIST_MAX  20000          /* values of one attribute */
#define BODY_MAX  ((size_t)4 << 20) /* a body: far below FRAME_MAX */

void graph_body_init(struct graph_body *b)
{
    *b = (struct graph_body){.state = buf_new(BODY_MAX),
                             .stats = buf_new(BODY_MAX),
                             .values = buf_new(2 * TEXTS_MAX),
                             .texts = buf_new(TEXTS_MAX)};
}

void graph_body_free(struct graph_body *b)
{
    buf_free(&b->state);
    buf_free(&b->stats);
    buf_free(&b->values);
    buf_free(&b->texts);
    free(b->list);
    *b = (struct graph_body){0};
}

/* --- what is left out ---------------------------------------------------------------------------------- */

static const char *type_name(const json_t *v)
{
    switch (json_typeof(v)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "an array";
    case JSON_STRING:
        return "a text";
    case JSON_INTEGER:
    case JSON_REAL:
        return "a number";
    case JSON_TRUE:
    case JSON_FALSE:
        return "a Boolean";
    default:
        return "null";
    }
}

void graph_wrong(struct graph_put *p, const char *what)
{
    if (!p->b->n_wrong++) snprintf(p->b->first_wrong, sizeof p->b->first_wrong, "%s: %s", p->property, what);
}

void graph_wrong_type(struct graph_put *p, const json_t *v, const char *wanted)
{
    char what[80];
    snprintf(what, sizeof what, "%s where %s belongs", type_name(v), wanted);
    graph_wrong(p, what);
}

/* --- one value ----------------------------------------------------------------------------------------- */

/* What b->values holds becomes the attribute. */
static void write_values(struct graph_put *p, uint32_t n)
{
    struct graph_body *b = p->b;
    struct buf *body = attr_get(p->attr)->is_stat ? &b->stats : &b->state;
    if (!n) return;
    if (b->values.failed || b->values.len + 32 > body->max - body->len)
        graph_wrong(p, "more than an entity may hold");
    else
        body_add(body, p->attr, n, buf_bytes(&b->values));
}

/* false: "", or no sound text, and then it is counted. jansson has seen to it that it is UTF-8. */
static bool read_text(struct graph_put *p, const json_t *v, struct str *out)
{
    if (!json_is_string(v)) {
        graph_wrong_type(p, v, "a text");
        return false;
    }
    *out = (struct str){json_string_value(v), json_string_length(v)};
    if (!out->len) return false;
    if (out->len > TEXT_MAX) {
        graph_wrong(p, "a text of more than 32768 bytes");
        return false;
    }
    if (memchr(out->ptr, 0, out->len)) { /* C programs and PostgreSQL choke on it */
        graph_wrong(p, "a text with a NUL in it");
        return false;
    }
    return true;
}

void graph_put_str(struct graph_put *p, struct str s)
{
    if (!s.len) return;
    buf_clear(&p->b->values);
    body_value_bytes(&p->b->values, bytes_of(s));
    write_values(p, 1);
}

void graph_put_text(struct graph_put *p, const json_t *v)
{
    struct str s;
    if (read_text(p, v, &s)) graph_put_str(p, s);
}

void graph_put_bool(struct graph_put *p, bool yes)
{
    buf_clear(&p->b->values);
    body_value_bool(&p->b->values, yes);
    write_values(p, 1);
}

void graph_put_flag(struct graph_put *p, const json_t *v)
{
    if (json_is_boolean(v))
        graph_put_bool(p, json_is_true(v));
    else
        graph_wrong_type(p, v, "a Boolean");
}

/* 1602-01-01 and 9999-12-31: before it there is only .NET's and Windows' "never" (the years 1 and 1601), from it on .NET's "for ever". */
#define FIRST_MS ((int64_t)-11612937600000)
#define END_MS   ((int64_t)253402214400000)

/* *out_ms is 0 for never. */
static bool read_time(struct str s, int64_t *out_ms)
{
    if (!when_parse(out_ms, s)) return false;
    if (*out_ms < FIRST_MS || *out_ms >= END_MS) *out_ms = 0;
    return true;
}

void graph_put_time(struct graph_put *p, const json_t *v)
{
    struct str s;
    int64_t ms;
    if (!read_text(p, v, &s)) return;
    if (!read_time(s, &ms)) {
        graph_wrong(p, "a text that is no time");
        return;
    }
    if (!ms) return;
    buf_clear(&p->b->values);
    body_value_int(&p->b->values, ms);
    write_values(p, 1);
}

void graph_put_sid(struct graph_put *p, const json_t *v)
{
    struct str s;
    struct sid sid;
    struct err ignored;
    uint8_t bytes[SID_MAX];
    if (!read_text(p, v, &s)) return;
    if (sid_parse(&sid, s, &ignored) < 0)
        graph_wrong(p, "a text that is no SID");
    else
        graph_put_str(p, str_of((struct bytes){bytes, sid_encode(bytes, &sid)}));
}

/* --- references ---------------------------------------------------------------------------------------- */

bool graph_guid(uint8_t out[GUID_SIZE], const json_t *v)
{
    return json_is_string(v) && json_string_length(v) == GUID_TEXT - 1 &&
           guid_parse(out, (struct str){json_string_value(v), GUID_TEXT - 1});
}

static bool read_id(struct graph_put *p, const json_t *v, char out[GUID_TEXT])
{
    uint8_t guid[GUID_SIZE];
    if (json_is_object(v)) v = json_object_get(v, "id");
    if (!graph_guid(guid, v)) {
        graph_wrong(p, "no id of an object");
        return false;
    }
    guid_format(out, guid); /* lower case, as every record has it */
    return true;
}

void graph_put_id(struct graph_put *p, const json_t *v)
{
    char id[GUID_TEXT];
    if (read_id(p, v, id)) graph_put_str(p, (struct str){id, GUID_TEXT - 1});
}

/* --- many values --------------------------------------------------------------------------------------- */

void graph_list_begin(struct graph_put *p)
{
    buf_clear(&p->b->texts);
    p->n_list = 0;
    p->is_list_too_long = false;
}

/* Only lengths are kept at first: the texts lie one behind the other, and may move while they grow. */
void graph_list_take(struct graph_put *p, size_t mark)
{
    struct graph_body *b = p->b;
    if (b->texts.failed || p->n_list == LIST_MAX) {
        p->is_list_too_long = true;
        return;
    }
    GROW(b->list, p->n_list, b->cap_list, 64);
    b->list[p->n_list++] = (struct bytes){NULL, b->texts.len - mark};
}

void graph_list_text(struct graph_put *p, const json_t *v)
{
    struct str s;
    size_t mark = p->b->texts.len;
    if (!v || json_is_null(v) || !read_text(p, v, &s)) return;
    buf_add_str(&p->b->texts, s);
    graph_list_take(p, mark);
}

static int by_bytes(const void *a, const void *b)
{
    const struct bytes *x = a, *y = b;
    int order = memcmp(x->ptr, y->ptr, x->len < y->len ? x->len : y->len);
    return order ? order : (x->len > y->len) - (x->len < y->len);
}

/* Sets of values: in bytewise order, each once. */
static void sort_list(struct graph_put *p)
{
    struct cursor texts = cursor_new(buf_bytes(&p->b->texts));
    struct bytes *list = p->b->list;
    bool in_order = true;
    for (size_t i = 0; i < p->n_list; i++) {
        list[i] = cursor_bytes(&texts, list[i].len);
        if (i && in_order) in_order = by_bytes(&list[i - 1], &list[i]) < 0;
    }
    if (!in_order) qsort(list, p->n_list, sizeof *list, by_bytes);
}

void graph_list_end(struct graph_put *p)
{
    struct graph_body *b = p->b;
    uint32_t n = 0;
    if (p->is_list_too_long) {
        graph_wrong(p, "too many values, or too long ones");
        return;
    }
    buf_clear(&b->values);
    sort_list(p);
    for (size_t i = 0; i < p->n_list; i++) {
        if (i && bytes_equal(b->list[i - 1], b->list[i])) continue;
        body_value_bytes(&b->values, b->list[i]);
        n++;
    }
    write_values(p, n);
}

/* An array, or it is counted and false. */
static bool is_array(struct graph_put *p, const json_t *v)
{
    if (json_is_array(v)) return true;
    graph_wrong_type(p, v, "an array");
    return false;
}

/* An object, or it is counted and false. */
static bool is_object(struct graph_put *p, const json_t *v)
{
    if (json_is_object(v)) return true;
    graph_wrong_type(p, v, "an object");
    return false;
}

/* An array of which each element gives one value or none. */
static void put_each(struct graph_put *p, const json_t *v, void (*each)(struct graph_put *p, const json_t *element))
{
    size_t i;
    json_t *element;
    if (!is_array(p, v)) return;
    graph_list_begin(p);
    json_array_foreach(v, i, element) each(p, element);
    graph_list_end(p);
}

void graph_put_texts(struct graph_put *p, const json_t *v)
{
    put_each(p, v, graph_list_text);
}

static void each_id(struct graph_put *p, const json_t *v)
{
    char id[GUID_TEXT];
    size_t mark = p->b->texts.len;
    if (!read_id(p, v, id)) return;
    buf_add(&p->b->texts, id, GUID_TEXT - 1);
    graph_list_take(p, mark);
}

void graph_put_ids(struct graph_put *p, const json_t *v)
{
    put_each(p, v, each_id);
}

/* --- composed values ----------------------------------------------------------------------------------- */

static struct str member_text(const json_t *object, const char *name)
{
    const json_t *v = json_object_get(object, name);
    return json_is_string(v) ? (struct str){json_string_value(v), json_string_length(v)} : (struct str){0};
}

static bool member_is(const json_t *object, const char *name, struct str wanted)
{
    return str_equal_nocase(member_text(object, name), wanted);
}

/* Appends the texts, "-" for an empty one, with spaces between them. */
static void take_joined(struct graph_put *p, const struct str *parts, size_t n)
{
    struct buf *texts = &p->b->texts;
    size_t mark = texts->len, total = 0;
    for (size_t i = 0; i < n; i++) {
        total += parts[i].len;
        if (parts[i].len && memchr(parts[i].ptr, 0, parts[i].len)) total = TEXT_MAX + 1;
    }
    if (total > TEXT_MAX) {
        graph_wrong(p, "a text of more than 32768 bytes, or with a NUL in it");
        return;
    }
    for (size_t i = 0; i < n; i++) {
        if (i) buf_add_byte(texts, ' ');
        buf_add_str(texts, parts[i].len ? parts[i] : STR("-"));
    }
    graph_list_take(p, mark);
}

/* The principal name is an attribute of its own. */
static void each_identity(struct graph_put *p, const json_t *v)
{
    if (!is_object(p, v) || member_is(v, "signInType", STR("userPrincipalName"))) return;
    struct str parts[] = {member_text(v, "signInType"), member_text(v, "issuer"), member_text(v, "issuerAssignedId")};
    if (parts[0].len || parts[1].len || parts[2].len) take_joined(p, parts, n_elements(parts));
}

void graph_put_identities(struct graph_put *p, const json_t *v)
{
    put_each(p, v, each_identity);
}

static void each_license(struct graph_put *p, const json_t *v)
{
    if (is_object(p, v)) graph_list_text(p, json_object_get(v, "skuId"));
}

void graph_put_licenses(struct graph_put *p, const json_t *v)
{
    put_each(p, v, each_license);
}

/* Warning: in its days of grace, and works. */
static void each_plan(struct graph_put *p, const json_t *v)
{
    if (!is_object(p, v)) return;
    if (member_is(v, "capabilityStatus", STR("Enabled")) || member_is(v, "capabilityStatus", STR("Warning")))
        graph_list_text(p, json_object_get(v, "service"));
}

void graph_put_plans(struct graph_put *p, const json_t *v)
{
    put_each(p, v, each_plan);
}

/* Never anything of the secret itself: not secretText, hint, key or customKeyIdentifier. */
static void each_credential(struct graph_put *p, const json_t *v)
{
    uint8_t guid[GUID_SIZE];
    char id[GUID_TEXT], end[WHEN_TEXT] = "";
    int64_t ms = 0;
    if (!is_object(p, v)) return;
    if (!graph_guid(guid, json_object_get(v, "keyId"))) {
        graph_wrong(p, "a credential without a keyId");
        return;
    }
    if (read_time(member_text(v, "endDateTime"), &ms) && ms) when_format(end, ms);
    struct str parts[] = {str_from(guid_format(id, guid)), str_from(end), member_text(v, "displayName")};
    take_joined(p, parts, parts[2].len ? 3 : 2);
}

void graph_put_credentials(struct graph_put *p, const json_t *v)
{
    put_each(p, v, each_credential);
}

static void each_business(struct graph_put *p, const json_t *v)
{
    if (is_object(p, v) && member_is(v, "type", STR("business"))) graph_list_text(p, json_object_get(v, "number"));
}

void graph_put_business(struct graph_put *p, const json_t *v)
{
    put_each(p, v, each_business);
}

void graph_put_mobile(struct graph_put *p, const json_t *v)
{
    size_t i;
    json_t *phone;
    if (!is_array(p, v)) return;
    json_array_foreach(v, i, phone)
    {
        const json_t *number = member_is(phone, "type", STR("mobile")) ? json_object_get(phone, "number") : NULL;
        if (!number || json_is_null(number)) continue;
        graph_put_text(p, number);
        return;
    }
}

/* --- a tenant's domains -------------------------------------------------------------------------------- */

/* A domain object has its name as id and isVerified; a verifiedDomain has name and type. */
static const json_t *domain_name(const json_t *domain)
{
    const json_t *id = json_object_get(domain, "id");
    return id ? id : json_object_get(domain, "name");
}

static void each_verified(struct graph_put *p, const json_t *v)
{
    if (is_object(p, v) && !json_is_false(json_object_get(v, "isVerified"))) graph_list_text(p, domain_name(v));
}

static void each_federated(struct graph_put *p, const json_t *v)
{
    if (!is_object(p, v)) return;
    if (member_is(v, "authenticationType", STR("Federated")) || member_is(v, "type", STR("Federated")))
        graph_list_text(p, domain_name(v));
}

static const json_t *domains_of(const struct graph_put *p, const json_t *v)
{
    return p->x->domains ? p->x->domains : v;
}

void graph_put_verified(struct graph_put *p, const json_t *v)
{
    if ((v = domains_of(p, v))) put_each(p, v, each_verified);
}

void graph_put_federated(struct graph_put *p, const json_t *v)
{
    if ((v = domains_of(p, v))) put_each(p, v, each_federated);
}

void graph_put_default_domain(struct graph_put *p, const json_t *v)
{
    size_t i;
    json_t *domain;
    if (!(v = domains_of(p, v))) return;
    json_array_foreach(v, i, domain)
    {
        const json_t *name = domain_name(domain);
        if (!name || !json_is_true(json_object_get(domain, "isDefault"))) continue;
        graph_put_text(p, name);
        return;
    }
}

/* --- what is read apart from the object ---------------------------------------------------------------- */

void graph_put_owners(struct graph_put *p, const json_t *unused)
{
    if (p->x->owners) graph_put_ids(p, p->x->owners);
}

/* The report's own word, or, of the methods themselves: yes if one is a second factor; no if all are known and none is; else it stays
 * unknown. */
void graph_put_mfa_registered(struct graph_put *p, const json_t *unused)
{
    size_t i;
    json_t *method;
    bool all_known = true, second = false;
    if (p->x->details) {
        const json_t *v = json_object_get(p->x->details, "isMfaRegistered");
        if (v && !json_is_null(v)) graph_put_flag(p, v);
        return;
    }
    if (!json_is_array(p->x->methods)) return;
    json_array_foreach(p->x->methods, i, method)
    {
        const char *type = json_string_value(json_object_get(method, "@odata.type"));
        bool is_second = false;
        if (!type || !graph_method(type, &is_second)) all_known = false;
        second |= is_second;
    }
    if (second || all_known) graph_put_bool(p, second);
}

/* What nobody knows keeps its name. */
static void each_method(struct graph_put *p, const json_t *v)
{
    struct str s;
    bool ignored;
    size_t mark = p->b->texts.len;
    if (json_is_object(v)) v = json_object_get(v, "@odata.type");
    if (!v || json_is_null(v) || !read_text(p, v, &s)) return;
    const char *known = graph_method(s.ptr, &ignored);
    s = known ? str_from(known) : graph_method_bare(s.ptr);
    if (!s.len || str_equal(s, STR("none"))) return;
    buf_add_str(&p->b->texts, s);
    graph_list_take(p, mark);
}

void graph_put_methods(struct graph_put *p, const json_t *unused)
{
    const json_t *v = p->x->details ? json_object_get(p->x->details, "methodsRegistered") : p->x->methods;
    if (v && !json_is_null(v)) put_each(p, v, each_method);
}

void graph_put_mfa_source(struct graph_put *p, const json_t *unused)
{
    if (json_is_object(p->x->details))
        graph_put_str(p, STR("report"));
    else if (!p->x->details && json_is_array(p->x->methods))
        graph_put_str(p, STR("methods"));
}
