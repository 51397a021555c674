/* fuzz_schema.c - a schema from a worker or a store, and rights by name: what is accepted is in order, ends,
 * and means the same when it is written again. */
#include "fuzz.h"
#include "model/rights.h"

static void check_list(const uint32_t *list, size_t n, size_t below)
{
    for (size_t i = 0; i < n; i++) HOLDS(list[i] < below && (!i || list[i - 1] < list[i]));
}

static void check_class(const struct schema *s, uint32_t class)
{
    const struct schema_class *c = &s->classes[class];
    size_t n, steps = 0;
    check_list(c->attributes, c->n_attributes, s->n_attributes);
    check_list(c->auxiliary, c->n_auxiliary, s->n_classes);
    check_list(c->superiors, c->n_superiors, s->n_classes);
    const uint32_t *all = schema_class_attributes(s, class, &n);
    check_list(all, n, s->n_attributes);
    HOLDS(n >= c->n_attributes && c->category <= 3);
    for (uint32_t up = class; up != SCHEMA_NONE; up = s->classes[up].parent)
        HOLDS(up < s->n_classes && steps++ < s->n_classes);
    schema_class_may_contain(s, 0, class);
}

static void check_right(const struct schema *s, uint32_t bit, const uint8_t guid[16])
{
    struct right r = {.bit = bit, .is_typed = true}, again;
    struct err e;
    struct buf text = buf_new(4096);
    memcpy(r.guid, guid, 16);
    right_format(&text, &r, s);
    HOLDS(!text.failed && text.len);
    if (right_parse(&again, buf_str(&text), s, &e) == 0) HOLDS(again.bit == bit && again.is_typed);
    buf_free(&text);
}

static void check_names(const struct schema *s, enum schema_what w)
{
    for (uint32_t i = 0; i < schema_n_items(s, w) && i < 100; i++) {
        struct str name = schema_item_name(s, w, i);
        HOLDS(name.len && name.len <= SCHEMA_NAME_MAX && str_is_utf8(name));
        if (w == SCHEMA_ATTRIBUTE) HOLDS(schema_attribute_find(s, name) == i);
        if (w == SCHEMA_CLASS) HOLDS(schema_class_find(s, name) == i);
        if (w == SCHEMA_PROPERTY_SET) HOLDS(schema_right_find(s, name) == i);
        for (uint32_t bit = 1; bit <= RIGHT_CONTROL_ACCESS; bit <<= 1)
            if (bit & RIGHTS_TYPED) check_right(s, bit, schema_item_guid(s, w, i));
    }
}

static void check_schema(const struct schema *s)
{
    for (uint32_t i = 0; i < s->n_classes && i < 1000; i++) check_class(s, i);
    check_names(s, SCHEMA_ATTRIBUTE);
    check_names(s, SCHEMA_CLASS);
    check_names(s, SCHEMA_PROPERTY_SET);
    schema_heuristic(s, SCHEMA_HEURISTIC_LIST_OBJECT);
}

static void check_text(struct str text)
{
    struct right r, again;
    struct err e;
    struct buf told = buf_new(4096);
    if (right_parse(&r, text, schema_builtin(), &e) == 0) {
        right_format(&told, &r, schema_builtin());
        HOLDS(right_parse(&again, buf_str(&told), schema_builtin(), &e) == 0);
        HOLDS(again.bit == r.bit && again.is_typed == r.is_typed && !memcmp(again.guid, r.guid, 16));
    } else
        HOLDS(e.class == ERR_INPUT && e.message[0] && e.hint[0]);
    buf_free(&told);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct schema *s, *twice;
    struct err e;
    struct buf again = buf_new(1 << 26);
    if (size < 600 && str_is_utf8((struct str){(const char *)data, size}))
        check_text((struct str){(const char *)data, size});
    if (schema_decode(&s, (struct bytes){data, size}, &e) < 0) {
        HOLDS((e.class == ERR_PROTO || e.class == ERR_LIMIT) && e.message[0] && !s);
        return 0;
    }
    check_schema(s);
    schema_encode(&again, s);
    HOLDS(!again.failed && schema_decode(&twice, buf_bytes(&again), &e) == 0);
    HOLDS(twice->n_attributes == s->n_attributes && twice->n_classes == s->n_classes &&
          twice->n_rights == s->n_rights);
    buf_free(&again);
    schema_free(s);
    schema_free(twice);
    return 0;
}
