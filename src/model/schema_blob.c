/* The blob of a schema: u8 version, then pieces `u8 what . u32le length . body` (docs/wire.md). Names stand
 * for numbers in it, so that who reads a directory can write each piece as it comes. */
#include "base/cursor.h"
#include "model/schema_int.h"

#include <stdlib.h>

#define VERSION    1
#define BLOB_MAX   ((size_t)32 << 20)
#define MEMORY_MAX ((size_t)256 << 20)
#define ITEMS_MAX                                                                                            \
    65536 /* of a kind; Active Directory with everything that extends it has about 5,000 attributes */

enum piece { PIECE_HEURISTICS = 1, PIECE_ATTRIBUTE, PIECE_CLASS, PIECE_RIGHT, PIECES };
enum { FLAG_BACKLINK = 1, FLAG_SYSTEM_ONLY = 2 };

/* --- writing ---------------------------------------------------------------------------------------------
 */

static size_t piece_open(struct buf *out, enum piece what)
{
    buf_add_byte(out, (uint8_t)what);
    buf_add_u32le(out, 0);
    return out->len;
}

static void piece_close(struct buf *out, size_t opened)
{
    if (out->failed) return;
    size_t len = out->len - opened;
    for (unsigned i = 0; i < 4; i++) out->ptr[opened - 4 + i] = (uint8_t)(len >> (8 * i));
}

static void put_str(struct buf *out, struct str s)
{
    buf_add_lstr(out, bytes_of(s));
}

static void put_names(struct buf *out, const struct schema_names *lists, size_t n_lists)
{
    size_t n = 0;
    for (size_t k = 0; k < n_lists; k++) n += lists[k].n;
    buf_add_varint(out, n);
    for (size_t k = 0; k < n_lists; k++)
        for (size_t i = 0; i < lists[k].n; i++) put_str(out, lists[k].list[i]);
}

void schema_put_start(struct buf *out)
{
    buf_add_byte(out, VERSION);
}

void schema_put_heuristics(struct buf *out, struct str ds_heuristics)
{
    size_t at = piece_open(out, PIECE_HEURISTICS);
    put_str(out, ds_heuristics);
    piece_close(out, at);
}

void schema_put_attribute(struct buf *out, const struct schema_attribute *a)
{
    size_t at = piece_open(out, PIECE_ATTRIBUTE);
    put_str(out, a->name);
    buf_add(out, a->guid, 16);
    buf_add(out, a->set, 16);
    buf_add_varint(out, a->search_flags);
    buf_add_varint(out, a->system_flags);
    buf_add_byte(
        out, (uint8_t)((a->is_backlink ? FLAG_BACKLINK : 0) | (a->is_system_only ? FLAG_SYSTEM_ONLY : 0)));
    piece_close(out, at);
}

void schema_put_class(struct buf *out, const struct schema_class_piece *c)
{
    size_t at = piece_open(out, PIECE_CLASS);
    put_str(out, c->name);
    buf_add(out, c->guid, 16);
    put_str(out, c->parent);
    buf_add_byte(out, (uint8_t)(c->category & 3));
    buf_add_byte(out, c->is_system_only ? FLAG_SYSTEM_ONLY : 0);
    put_names(out, c->attributes, n_elements(c->attributes));
    put_names(out, c->auxiliary, n_elements(c->auxiliary));
    put_names(out, c->superiors, n_elements(c->superiors));
    piece_close(out, at);
}

void schema_put_right(struct buf *out, const struct schema_right *r)
{
    size_t at = piece_open(out, PIECE_RIGHT);
    put_str(out, r->name);
    put_str(out, r->display_name);
    buf_add(out, r->guid, 16);
    buf_add_varint(out, r->valid_accesses);
    buf_add_varint(out, r->n_applies_to);
    for (size_t i = 0; i < r->n_applies_to; i++) buf_add(out, r->applies_to[i], 16);
    piece_close(out, at);
}

/* Numbers as names again. */
static struct schema_names named(const struct schema *s, enum schema_what w, const uint32_t *list, size_t n,
                                 struct str *room)
{
    for (size_t i = 0; i < n; i++) room[i] = schema_item_name(s, w, list[i]);
    return (struct schema_names){room, n};
}

static void put_known_class(struct buf *out, const struct schema *s, const struct schema_class *c)
{
    struct str *room = x_alloc((c->n_attributes + c->n_auxiliary + c->n_superiors + 1) * sizeof *room);
    struct schema_class_piece p = {
        .name = c->name, .category = c->category, .is_system_only = c->is_system_only};
    memcpy(p.guid, c->guid, 16);
    if (c->parent != SCHEMA_NONE) p.parent = s->classes[c->parent].name;
    p.attributes[0] = named(s, SCHEMA_ATTRIBUTE, c->attributes, c->n_attributes, room);
    p.auxiliary[0] = named(s, SCHEMA_CLASS, c->auxiliary, c->n_auxiliary, room + c->n_attributes);
    p.superiors[0] =
        named(s, SCHEMA_CLASS, c->superiors, c->n_superiors, room + c->n_attributes + c->n_auxiliary);
    schema_put_class(out, &p);
    free(room);
}

void schema_encode(struct buf *out, const struct schema *s)
{
    schema_put_start(out);
    schema_put_heuristics(out, s->ds_heuristics);
    for (size_t i = 0; i < s->n_attributes; i++) schema_put_attribute(out, &s->attributes[i]);
    for (size_t i = 0; i < s->n_classes; i++) put_known_class(out, s, &s->classes[i]);
    for (size_t i = 0; i < s->n_rights; i++) schema_put_right(out, &s->rights[i]);
}

/* --- reading ---------------------------------------------------------------------------------------------
 */

/* Lists of a class that wait until all names are known. */
struct waiting {
    struct str name; /* first, to be sorted like the rest */
    const uint8_t *guid;
    struct str parent;
    unsigned category;
    uint8_t flags;
    struct bytes attributes, auxiliary, superiors; /* each behind its number */
    size_t n_attributes, n_auxiliary, n_superiors;
};
struct reading {
    struct schema *s;
    struct waiting *classes;
    size_t n[PIECES];
};

static struct str take_name(struct cursor *c, size_t max)
{
    struct str s = str_of(cursor_lstr(c));
    if (s.len > max || !str_is_utf8(s)) c->failed = true;
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] < 0x20 || s.ptr[i] == 0x7f) c->failed = true;
    return s;
}

/* The names of a list, checked and still encoded. */
static struct bytes take_names(struct cursor *c, size_t *n)
{
    uint64_t count = cursor_varint(c);
    struct bytes from = c->in;
    if (count > from.len) c->failed = true; /* each has a length byte */
    for (uint64_t i = 0; i < count && !c->failed; i++) take_name(c, SCHEMA_NAME_MAX);
    if (c->failed) count = 0;
    *n = (size_t)count;
    return (struct bytes){from.ptr, from.len - c->in.len};
}

static void take_guid(struct cursor *c, uint8_t out[16])
{
    struct bytes b = cursor_bytes(c, 16);
    if (b.ptr) memcpy(out, b.ptr, 16);
}

static uint32_t take_u32(struct cursor *c)
{
    uint64_t v = cursor_varint(c);
    if (v > UINT32_MAX) c->failed = true;
    return (uint32_t)v;
}

static void take_attribute(struct cursor *c, struct schema_attribute *a)
{
    a->name = take_name(c, SCHEMA_NAME_MAX);
    take_guid(c, a->guid);
    take_guid(c, a->set);
    a->search_flags = take_u32(c);
    a->system_flags = take_u32(c);
    uint8_t flags = cursor_u8(c);
    a->is_backlink = flags & FLAG_BACKLINK;
    a->is_system_only = flags & FLAG_SYSTEM_ONLY;
}

static void take_class(struct cursor *c, struct waiting *w)
{
    w->name = take_name(c, SCHEMA_NAME_MAX);
    w->guid = cursor_bytes(c, 16).ptr;
    w->parent = take_name(c, SCHEMA_NAME_MAX);
    w->category = cursor_u8(c);
    w->flags = cursor_u8(c);
    w->attributes = take_names(c, &w->n_attributes);
    w->auxiliary = take_names(c, &w->n_auxiliary);
    w->superiors = take_names(c, &w->n_superiors);
    if (w->category > 3) c->failed = true;
}

static void take_right(struct cursor *c, struct schema_right *r)
{
    r->name = take_name(c, SCHEMA_NAME_MAX);
    r->display_name = take_name(c, SCHEMA_NAME_MAX);
    take_guid(c, r->guid);
    r->valid_accesses = take_u32(c);
    uint64_t n = cursor_varint(c);
    if (n > c->in.len / 16) c->failed = true;
    struct bytes guids = cursor_bytes(c, c->failed ? 0 : (size_t)n * 16);
    r->applies_to = (const uint8_t(*)[16])(const void *)guids.ptr;
    r->n_applies_to = guids.len / 16;
}

static int take_piece(struct reading *r, enum piece what, struct bytes body, struct err *e)
{
    static const char *const names[PIECES] = {"", "heuristics", "attribute", "class", "right"};
    struct cursor c = cursor_new(body);
    struct str name = STR("-");
    size_t at = r->n[what]++;
    if (what == PIECE_HEURISTICS) {
        r->s->ds_heuristics = take_name(&c, 4096);
    } else if (what == PIECE_ATTRIBUTE) {
        take_attribute(&c, &r->s->attributes[at]);
        name = r->s->attributes[at].name;
    } else if (what == PIECE_CLASS) {
        take_class(&c, &r->classes[at]);
        name = r->classes[at].name;
    } else {
        take_right(&c, &r->s->rights[at]);
        name = r->s->rights[at].name;
    }
    if (c.failed || c.in.len || !name.len)
        return err_set(e, ERR_PROTO, "schema: %s %zu is malformed", names[what], at + 1);
    return 0;
}

/* Calls take_piece for each piece, or with r->s NULL only counts them. What a later version adds is passed
 * over. */
static int walk(struct reading *r, struct bytes in, struct err *e)
{
    struct cursor c = cursor_new(in);
    uint8_t version = cursor_u8(&c);
    if (c.failed || version != VERSION)
        return err_set(e, ERR_PROTO, "schema: version %u is not known", version);
    memset(r->n, 0, sizeof r->n);
    while (c.in.len) {
        uint8_t what = cursor_u8(&c);
        struct bytes body = cursor_bytes(&c, cursor_u32le(&c));
        if (c.failed) return err_set(e, ERR_PROTO, "schema: a piece is cut off");
        if (!what || what >= PIECES) continue;
        if (r->s)
            try(take_piece(r, (enum piece)what, body, e));
        else if (++r->n[what] > ITEMS_MAX)
            return err_set(e, ERR_LIMIT, "schema: more than %d pieces of one kind", ITEMS_MAX);
    }
    return 0;
}

/* Ascending by name; of equal ones the first in the blob, whose bytes the name points into, comes first. */
static int compare_named(const void *a, const void *b)
{
    const struct str *x = a, *y = b;
    int d = schema_name_compare(*x, *y);
    return d ? d : COMPARE(x->ptr, y->ptr);
}

/* Returns how many are left. */
static size_t sort_named(void *items, size_t n, size_t size)
{
    char *p = items;
    size_t kept = 0;
    if (n) qsort(items, n, size, compare_named);
    for (size_t i = 0; i < n; i++) {
        const struct str *last = kept ? (const void *)(p + (kept - 1) * size) : NULL,
                         *now = (const void *)(p + i * size);
        if (last && !schema_name_compare(*last, *now)) continue;
        if (kept != i) memcpy(p + kept * size, p + i * size, size);
        kept++;
    }
    return kept;
}

/* Ascending numbers of the names that somebody has, each once; NULL past the maximum. */
static const uint32_t *resolve(struct schema *s, struct bytes names, size_t *n,
                               uint32_t (*find)(const struct schema *, struct str))
{
    struct cursor c = cursor_new(names);
    uint32_t *list = schema_room(s, *n, sizeof *list);
    size_t found = 0, kept = 0;
    if (!list) return NULL;
    for (size_t i = 0; i < *n; i++) {
        uint32_t item = find(s, str_of(cursor_lstr(&c)));
        if (item != SCHEMA_NONE) list[found++] = item;
    }
    if (found) qsort(list, found, sizeof *list, u32_compare);
    for (size_t i = 0; i < found; i++)
        if (!kept || list[kept - 1] != list[i]) list[kept++] = list[i];
    *n = kept;
    return list;
}

static int resolve_class(struct schema *s, struct schema_class *c, const struct waiting *w, struct err *e)
{
    c->n_attributes = w->n_attributes;
    c->n_auxiliary = w->n_auxiliary;
    c->n_superiors = w->n_superiors;
    c->attributes = resolve(s, w->attributes, &c->n_attributes, schema_attribute_find);
    c->auxiliary = resolve(s, w->auxiliary, &c->n_auxiliary, schema_class_find);
    c->superiors = resolve(s, w->superiors, &c->n_superiors, schema_class_find);
    if (!c->attributes || !c->auxiliary || !c->superiors)
        return err_set(e, ERR_LIMIT, "schema: larger than any real one");
    c->parent = schema_name_compare(w->parent, w->name) ? schema_class_find(s, w->parent) : SCHEMA_NONE;
    return 0;
}

static int resolve_classes(struct reading *r, struct err *e)
{
    struct schema *s = r->s;
    s->n_classes = sort_named(r->classes, r->n[PIECE_CLASS], sizeof *r->classes);
    for (size_t i = 0; i < s->n_classes; i++) {
        const struct waiting *w = &r->classes[i];
        s->classes[i] = (struct schema_class){
            .name = w->name, .category = w->category, .is_system_only = w->flags & FLAG_SYSTEM_ONLY};
        memcpy(s->classes[i].guid, w->guid, 16);
    }
    for (size_t i = 0; i < s->n_classes; i++) try(resolve_class(s, &s->classes[i], &r->classes[i], e));
    return 0;
}

static int read_into(struct reading *r, struct bytes in, struct err *e)
{
    struct schema *s = r->s;
    in = arena_bytes(&s->memory, in);
    s->attributes = schema_room(s, r->n[PIECE_ATTRIBUTE], sizeof *s->attributes);
    s->classes = schema_room(s, r->n[PIECE_CLASS], sizeof *s->classes);
    s->rights = schema_room(s, r->n[PIECE_RIGHT], sizeof *s->rights);
    r->classes = schema_room(s, r->n[PIECE_CLASS], sizeof *r->classes);
    if (!in.ptr || !s->attributes || !s->classes || !s->rights || !r->classes)
        return err_set(e, ERR_LIMIT, "schema: larger than any real one");
    try(walk(r, in, e));
    s->n_attributes = sort_named(s->attributes, r->n[PIECE_ATTRIBUTE], sizeof *s->attributes);
    s->n_rights = sort_named(s->rights, r->n[PIECE_RIGHT], sizeof *s->rights);
    try(resolve_classes(r, e));
    return schema_finish(s, e);
}

int schema_decode(struct schema **out, struct bytes in, struct err *e)
{
    struct reading r = {0};
    *out = NULL;
    if (in.len > BLOB_MAX) return err_set(e, ERR_LIMIT, "schema of %zu bytes", in.len);
    try(walk(&r, in, e));
    struct arena memory = arena_new(MEMORY_MAX);
    r.s = arena_alloc(&memory, sizeof *r.s);
    *r.s = (struct schema){.memory = memory};
    int rc = read_into(&r, in, e);
    if (rc < 0)
        schema_free(r.s);
    else
        *out = r.s;
    return rc;
}
