#include "model/schema_int.h"

#include <stdlib.h>

/* Inheriting costs at most so many list items looked at; a real schema needs about 100,000. */
#define WORK_MAX ((size_t)1 << 28)

void *schema_room(struct schema *s, size_t n, size_t size)
{
    if (n > SIZE_MAX / size) return NULL;
    void *p = arena_alloc(&s->memory, n * size);
    if (p) memset(p, 0, n * size);
    return p;
}

static int too_large(struct err *e)
{
    return err_set(e, ERR_LIMIT, "the schema is larger than any real one");
}

static unsigned char fold(char c)
{
    return (unsigned char)ascii_lower(c);
}

int schema_name_compare(struct str a, struct str b)
{
    for (size_t i = 0; i < a.len && i < b.len; i++) {
        int d = fold(a.ptr[i]) - fold(b.ptr[i]);
        if (d) return d;
    }
    return a.len < b.len ? -1 : a.len > b.len;
}

/* --- by name ---------------------------------------------------------------------------------------------
 */

/* Attributes, classes and rights begin with their name: items of `size` bytes, ascending. */
static struct str name_at(const void *items, size_t size, size_t at)
{
    return *(const struct str *)(const void *)((const char *)items + at * size);
}

static uint32_t find_name(const void *items, size_t n, size_t size, struct str name)
{
    size_t at;
    LOWER_BOUND(at, n, schema_name_compare(name_at(items, size, at), name) < 0);
    return at < n && !schema_name_compare(name_at(items, size, at), name) ? (uint32_t)at : SCHEMA_NONE;
}

uint32_t schema_attribute_find(const struct schema *s, struct str name)
{
    return find_name(s->attributes, s->n_attributes, sizeof *s->attributes, name);
}

uint32_t schema_class_find(const struct schema *s, struct str name)
{
    return find_name(s->classes, s->n_classes, sizeof *s->classes, name);
}

/* As people write it: "Reset-Password" and "Reset Password" are User-Force-Change-Password. */
static bool is_display_name(struct str display, struct str name)
{
    if (display.len != name.len) return false;
    for (size_t i = 0; i < name.len; i++) {
        bool is_gap = display.ptr[i] == ' ' && name.ptr[i] == '-';
        if (!is_gap && fold(display.ptr[i]) != fold(name.ptr[i])) return false;
    }
    return true;
}

static uint32_t find_displayed(const struct schema *s, struct str name)
{
    for (size_t k = 0; k < s->n_rights; k++)
        if (is_display_name(s->rights[k].display_name, name)) return (uint32_t)k;
    return SCHEMA_NONE;
}

static uint32_t find_guid(const struct schema *s, enum schema_what w, const uint8_t guid[16]);
static enum schema_what right_what(const struct schema_right *r);

uint32_t schema_right_find(const struct schema *s, struct str name)
{
    uint32_t i = find_name(s->rights, s->n_rights, sizeof *s->rights, name);
    if (i == SCHEMA_NONE && name.len) i = find_displayed(s, name);
    if (i != SCHEMA_NONE || !name.len || s->is_builtin) return i;
    const struct schema *known = schema_builtin(); /* in a directory of another language, and in Samba's */
    i = find_displayed(known, name);
    return i == SCHEMA_NONE ? i : find_guid(s, right_what(&known->rights[i]), known->rights[i].guid);
}

/* --- by GUID ---------------------------------------------------------------------------------------------
 */

/* validAccesses, MS-ADTS 5.1.3.2.1 */
#define VALID_PROPERTIES 0x30
#define VALID_CONTROL    0x100
#define VALID_SELF       0x8

static bool right_is(const struct schema_right *r, enum schema_what w)
{
    if (w == SCHEMA_PROPERTY_SET) return r->valid_accesses & VALID_PROPERTIES;
    if (w == SCHEMA_EXTENDED_RIGHT) return r->valid_accesses & VALID_CONTROL;
    return w == SCHEMA_VALIDATED_WRITE && r->valid_accesses & VALID_SELF;
}

uint32_t schema_item_find(const struct schema *s, enum schema_what w, struct str name)
{
    if (w == SCHEMA_UNKNOWN) return SCHEMA_NONE;
    if (w == SCHEMA_ATTRIBUTE) return schema_attribute_find(s, name);
    if (w == SCHEMA_CLASS) return schema_class_find(s, name);
    uint32_t i = schema_right_find(s, name);
    return i != SCHEMA_NONE && right_is(&s->rights[i], w) ? i : SCHEMA_NONE;
}

const char *schema_what_name(enum schema_what w)
{
    static const char *const names[SCHEMA_WHATS] = {"nothing known",     "an attribute",
                                                    "a class",           "a property set",
                                                    "an extended right", "a validated write"};
    return (unsigned)w < SCHEMA_WHATS ? names[w] : names[0];
}

size_t schema_n_items(const struct schema *s, enum schema_what w)
{
    if (w == SCHEMA_ATTRIBUTE) return s->n_attributes;
    return w == SCHEMA_CLASS ? s->n_classes : s->n_rights;
}

struct str schema_item_name(const struct schema *s, enum schema_what w, uint32_t index)
{
    if (w == SCHEMA_UNKNOWN) return STR("");
    if (w == SCHEMA_ATTRIBUTE) return s->attributes[index].name;
    return w == SCHEMA_CLASS ? s->classes[index].name : s->rights[index].name;
}

const uint8_t *schema_item_guid(const struct schema *s, enum schema_what w, uint32_t index)
{
    if (w == SCHEMA_UNKNOWN) return NULL;
    if (w == SCHEMA_ATTRIBUTE) return s->attributes[index].guid;
    return w == SCHEMA_CLASS ? s->classes[index].guid : s->rights[index].guid;
}

static enum schema_what right_what(const struct schema_right *r)
{
    enum schema_what w = SCHEMA_PROPERTY_SET;
    while (w < SCHEMA_VALIDATED_WRITE && !right_is(r, w)) w++;
    return w;
}

static uint32_t find_guid(const struct schema *s, enum schema_what w, const uint8_t guid[16])
{
    const struct schema_list *by = &s->index->by_guid[w];
    size_t at;
    LOWER_BOUND(at, by->n, memcmp(schema_item_guid(s, w, by->items[at]), guid, 16) < 0);
    bool is_it = at < by->n && !memcmp(schema_item_guid(s, w, by->items[at]), guid, 16);
    return is_it ? by->items[at] : SCHEMA_NONE;
}

const enum schema_what *schema_order(uint32_t bit)
{
    static const enum schema_what any[] = {SCHEMA_PROPERTY_SET,   SCHEMA_ATTRIBUTE,       SCHEMA_CLASS,
                                           SCHEMA_EXTENDED_RIGHT, SCHEMA_VALIDATED_WRITE, SCHEMA_UNKNOWN};
    static const enum schema_what properties[] = {SCHEMA_PROPERTY_SET, SCHEMA_ATTRIBUTE, SCHEMA_CLASS,
                                                  SCHEMA_UNKNOWN};
    static const enum schema_what control[] = {SCHEMA_EXTENDED_RIGHT, SCHEMA_PROPERTY_SET, SCHEMA_ATTRIBUTE,
                                               SCHEMA_CLASS, SCHEMA_UNKNOWN};
    static const enum schema_what children[] = {SCHEMA_CLASS, SCHEMA_UNKNOWN};
    static const enum schema_what self[] = {SCHEMA_VALIDATED_WRITE, SCHEMA_CLASS, SCHEMA_UNKNOWN};
    if (bit & 0x30) return properties;
    if (bit & 0x3) return children;
    if (bit & 0x100) return control;
    return bit & 0x8 ? self : any;
}

uint32_t schema_guid_find_as(const struct schema *s, enum schema_what w, const uint8_t guid[16])
{
    return w == SCHEMA_UNKNOWN ? SCHEMA_NONE : find_guid(s, w, guid);
}

enum schema_what schema_guid_find(const struct schema *s, const uint8_t guid[16], uint32_t bit,
                                  uint32_t *index)
{
    for (const enum schema_what *w = schema_order(bit); *w != SCHEMA_UNKNOWN; w++) {
        *index = find_guid(s, *w, guid);
        if (*index != SCHEMA_NONE) return *w;
    }
    *index = SCHEMA_NONE;
    return SCHEMA_UNKNOWN;
}

struct by_guid {
    uint8_t guid[16];
    uint32_t item;
};

static int compare_guids(const void *a, const void *b)
{
    const struct by_guid *x = a, *y = b;
    int d = memcmp(x->guid, y->guid, 16);
    return d ? d : COMPARE(x->item, y->item);
}

static bool is_indexed(const struct schema *s, enum schema_what w, uint32_t i)
{
    static const uint8_t none[16];
    if (w != SCHEMA_ATTRIBUTE && w != SCHEMA_CLASS && !right_is(&s->rights[i], w)) return false;
    return memcmp(schema_item_guid(s, w, i), none, 16);
}

static int index_guids(struct schema *s, enum schema_what w, struct err *e)
{
    size_t all = schema_n_items(s, w), n = 0;
    struct by_guid *sorted = schema_room(s, all, sizeof *sorted);
    uint32_t *items = schema_room(s, all, sizeof *items);
    if (!sorted || !items) return too_large(e);
    for (uint32_t i = 0; i < all; i++) {
        if (!is_indexed(s, w, i)) continue;
        memcpy(sorted[n].guid, schema_item_guid(s, w, i), 16);
        sorted[n++].item = i;
    }
    if (n) qsort(sorted, n, sizeof *sorted, compare_guids);
    for (size_t i = 0; i < n; i++) items[i] = sorted[i].item;
    s->index->by_guid[w] = (struct schema_list){items, n};
    return 0;
}

/* --- what classes inherit --------------------------------------------------------------------------------
 */

/* A class that is its own ancestor has no parent any more: whoever walks up arrives. */
static int break_circles(struct schema *s, struct err *e)
{
    uint32_t *walk = schema_room(s, s->n_classes, sizeof *walk); /* number + 1 of the walk that came by */
    if (!walk) return too_large(e);
    for (uint32_t i = 0; i < s->n_classes; i++)
        for (uint32_t c = i; c != SCHEMA_NONE && (!walk[c] || walk[c] == i + 1); c = s->classes[c].parent) {
            walk[c] = i + 1;
            uint32_t up = s->classes[c].parent;
            if (up != SCHEMA_NONE && walk[up] == i + 1) s->classes[c].parent = SCHEMA_NONE;
        }
    return 0;
}

/* Where a class inherits from: number 0 is its parent, the rest its auxiliary classes. */
static uint32_t inherits_from(const struct schema_class *c, size_t number)
{
    return number ? c->auxiliary[number - 1] : c->parent;
}

/* All classes, each behind those that it inherits from. In a circle of auxiliary classes, which no directory
 * allows, one goes without. */
static uint32_t *inheriting_order(struct schema *s)
{
    struct step {
        uint32_t class;
        size_t next;
    } *stack = schema_room(s, s->n_classes, sizeof *stack);
    bool *seen = schema_room(s, s->n_classes, sizeof *seen);
    uint32_t *order = schema_room(s, s->n_classes, sizeof *order);
    if (!stack || !seen || !order) return NULL;
    size_t done = 0;
    for (uint32_t i = 0; i < s->n_classes; i++) {
        size_t depth = 0;
        if (!seen[i]) stack[depth++] = (struct step){i, 0};
        seen[i] = true;
        while (depth) {
            struct step *top = &stack[depth - 1];
            const struct schema_class *c = &s->classes[top->class];
            if (top->next > c->n_auxiliary) {
                order[done++] = top->class;
                depth--;
                continue;
            }
            uint32_t from = inherits_from(c, top->next++);
            if (from == SCHEMA_NONE || seen[from]) continue;
            stack[depth++] = (struct step){from, 0};
            seen[from] = true;
        }
    }
    return order;
}

struct gathering {
    struct schema *s;
    uint64_t *bits;
    size_t n_words, work;
    struct schema_list *lists; /* of each class */
};

static void gather(struct gathering *g, struct schema_list from)
{
    for (size_t i = 0; i < from.n; i++) g->bits[from.items[i] / 64] |= UINT64_C(1) << from.items[i] % 64;
    g->work += from.n;
}

/* Makes what was gathered the list of a class, and clears the table. */
static int give(struct gathering *g, uint32_t class, struct err *e)
{
    size_t n = 0;
    for (size_t w = 0; w < g->n_words; w++) n += (size_t)__builtin_popcountll(g->bits[w]);
    uint32_t *items = schema_room(g->s, n, sizeof *items);
    if (!items) return too_large(e);
    g->lists[class] = (struct schema_list){items, n};
    for (size_t w = 0; w < g->n_words; w++)
        for (; g->bits[w]; g->bits[w] &= g->bits[w] - 1)
            *items++ = (uint32_t)(w * 64) + (uint32_t)__builtin_ctzll(g->bits[w]);
    return 0;
}

static struct schema_list own_attributes(const struct schema_class *c)
{
    return (struct schema_list){c->attributes, c->n_attributes};
}

static struct schema_list own_superiors(const struct schema_class *c)
{
    return (struct schema_list){c->superiors, c->n_superiors};
}

/* What to inherit, and whether of auxiliary classes too. */
struct heirloom {
    size_t n_values;
    struct schema_list (*own)(const struct schema_class *);
    bool is_of_auxiliary;
};

static int inherit(struct schema *s, const uint32_t *order, const struct heirloom *h,
                   struct schema_list **out, struct err *e)
{
    struct gathering g = {.s = s, .n_words = h->n_values / 64 + 1};
    g.bits = schema_room(s, g.n_words, sizeof *g.bits);
    g.lists = *out = schema_room(s, s->n_classes, sizeof *g.lists);
    if (!g.bits || !g.lists) return too_large(e);
    for (size_t i = 0; i < s->n_classes; i++) {
        const struct schema_class *c = &s->classes[order[i]];
        gather(&g, h->own(c));
        for (size_t k = 0; k <= (h->is_of_auxiliary ? c->n_auxiliary : 0); k++)
            if (inherits_from(c, k) != SCHEMA_NONE) gather(&g, g.lists[inherits_from(c, k)]);
        g.work += g.n_words;
        if (g.work > WORK_MAX) return too_large(e);
        try(give(&g, order[i], e));
    }
    return 0;
}

int schema_finish(struct schema *s, struct err *e)
{
    if (!(s->index = schema_room(s, 1, sizeof *s->index))) return too_large(e);
    try(break_circles(s, e));
    uint32_t *order = inheriting_order(s);
    if (!order) return too_large(e);
    /* MS-ADTS 3.1.1.4.5.21 has the superiors of auxiliary classes as well, but controllers have not: by
     * Samba's tests against Windows */
    const struct heirloom attributes = {s->n_attributes, own_attributes, true},
                          superiors = {s->n_classes, own_superiors, false};
    try(inherit(s, order, &attributes, &s->index->attributes, e));
    try(inherit(s, order, &superiors, &s->index->superiors, e));
    for (unsigned w = SCHEMA_ATTRIBUTE; w < SCHEMA_WHATS; w++) try(index_guids(s, (enum schema_what)w, e));
    return 0;
}

const uint32_t *schema_class_attributes(const struct schema *s, uint32_t class, size_t *n)
{
    const struct schema_list *l = &s->index->attributes[class];
    *n = l->n;
    return l->items;
}

static bool list_has(struct schema_list l, uint32_t item)
{
    size_t at;
    LOWER_BOUND(at, l.n, l.items[at] < item);
    return at < l.n && l.items[at] == item;
}

bool schema_class_may_contain(const struct schema *s, uint32_t parent, uint32_t child)
{
    const struct schema_class *c = &s->classes[child];
    if (c->is_system_only || c->category == 2 || c->category == 3) return false;
    for (; parent != SCHEMA_NONE; parent = s->classes[parent].parent)
        if (list_has(s->index->superiors[child], parent)) return true;
    return false;
}

char schema_heuristic(const struct schema *s, size_t place)
{
    return place && place <= s->ds_heuristics.len ? s->ds_heuristics.ptr[place - 1] : '0';
}

void schema_free(struct schema *s)
{
    if (!s || s->is_builtin) return;
    struct arena memory = s->memory; /* which s itself lies in */
    arena_free(&memory);
}
