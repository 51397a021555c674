/* fuzz_graph.c - a page of Microsoft Graph: whatever the JSON says, what comes out is a record, and within bounds. */
#include "fuzz.h"
#include "source/graph/graph_fields.h"

static const enum kind kinds[] = {KIND_user,   KIND_group,             KIND_role,   KIND_administrative_unit,
                                  KIND_device, KIND_service_principal, KIND_tenant, KIND_contact};

static bool ascends(struct bytes a, struct bytes b)
{
    int order = memcmp(a.ptr, b.ptr, a.len < b.len ? a.len : b.len);
    return order < 0 || (!order && a.len < b.len);
}

static void check_values(struct values v)
{
    struct bytes value, before = {NULL, 0};
    int64_t number;
    HOLDS(v.n && (v.n == 1 || v.is_multi));
    while (v.n) {
        if (v.type == ATTR_BOOL || v.type == ATTR_TIME) {
            HOLDS(values_next_int(&v, &number));
            HOLDS(v.type == ATTR_TIME ? number != 0 : number == 0 || number == 1);
            continue;
        }
        HOLDS(values_next_bytes(&v, &value) && value.len);
        HOLDS(v.type == ATTR_SID || (str_is_utf8(str_of(value)) && !memchr(value.ptr, 0, value.len)));
        HOLDS(!before.ptr || ascends(before, value));
        before = value;
    }
    HOLDS(!v.at.in.len);
}

static void check_body(struct bytes body, bool is_stats)
{
    struct cursor c = cursor_new(body);
    struct values v;
    enum attr last = ATTR_NONE;
    while (body_next(&c, &v)) {
        HOLDS(v.id > last && v.id < ATTR_INDEX_SIZE && v.is_stat == is_stats);
        last = v.id;
        check_values(v);
    }
    HOLDS(!c.failed && body.len <= (4 << 20));
}

static void check_record(const struct record *r, const struct graph_body *b)
{
    static struct buf wire;
    struct record back;
    struct err e;
    char id[GUID_TEXT];
    check_body(r->state, false);
    check_body(r->stats, true);
    HOLDS(r->dn.len == 36 && str_equal(r->dn, str_from(guid_format(id, r->guid))));
    HOLDS(!b->n_wrong == !b->first_wrong[0] && str_is_utf8(str_from(b->first_wrong)));
    if (!wire.max) wire = buf_new(16 << 20);
    buf_clear(&wire);
    record_encode(&wire, r);
    HOLDS(!wire.failed && record_decode(&back, buf_bytes(&wire), &e) == 0);
    HOLDS(bytes_equal(back.state, r->state) && bytes_equal(back.stats, r->stats));
}

static struct str text(const json_t *page, const char *name)
{
    const json_t *v = json_object_get(page, name);
    return json_is_string(v) ? (struct str){json_string_value(v), json_string_length(v)} : (struct str){0};
}

/* An element is its own report, too; what else is read apart stands beside value. */
static void read_element(struct graph_body *b, const json_t *page, const json_t *element)
{
    const json_t *parts[] = {element, json_object_get(page, "part")};
    struct graph_extra x = {.details = element,
                            .sign_in = json_object_get(element, "signInActivity"),
                            .owners = json_object_get(page, "owners"),
                            .domains = json_object_get(page, "domains"),
                            .scope = text(page, "scope"),
                            .assignment = text(page, "assignment")};
    struct record r;
    struct err e;
    for (size_t k = 0; k < n_elements(kinds); k++)
        for (unsigned how = 0; how < 3; how++) {
            if (how == 1) x.details = NULL, x.methods = json_object_get(page, "methods");
            int rc = graph_record(&r, b, kinds[k], parts, parts[1] ? 2 : 1, how == 2 ? NULL : &x, &e);
            HOLDS(rc == 0 || (rc == ERR_PROTO && e.message[0]));
            if (!rc) check_record(&r, b);
        }
}

static void check_select(struct str without)
{
    struct buf words = buf_new(1 << 20), out = buf_new(1 << 16);
    size_t n = 0;
    buf_add_str(&words, without);
    for (struct str part; (part = graph_fields_select(&out, KIND_user, 300, n, buf_cstr(&words))).len; n++)
        HOLDS(str_starts(part, STR("id,")) && part.len <= 300);
    HOLDS(n < 10);
    buf_free(&words);
    buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct graph_body b;
    json_error_t ignored;
    size_t i;
    json_t *element;
    if (size > 100000) return 0;
    json_t *page = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, &ignored);
    if (!page) return 0;
    if (!b.state.max) graph_body_init(&b);
    bool is_second;
    struct str method = text(page, "method");
    if (method.len) graph_method(method.ptr, &is_second), graph_type_kind(method.ptr);
    check_select(text(page, "without"));
    read_element(&b, page, page);
    json_array_foreach(json_object_get(page, "value"), i, element) read_element(&b, page, element);
    json_decref(page);
    return 0;
}
