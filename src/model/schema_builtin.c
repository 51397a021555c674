/* The table that stands in where a directory's schema cannot be read, brought into form by the same code as a
 * directory's. */
#include "model/record.h"
#include "model/schema_int.h"

#include <threads.h>

struct known_attribute {
    const char *name, *guid, *set;
    uint32_t search_flags, system_flags;
    unsigned flags; /* 1 back link, 2 system only */
};
struct known_class {
    const char *name, *guid, *parent;
    unsigned category, flags;
    const char *attributes, *auxiliary, *superiors; /* separated by spaces */
};
struct known_right {
    const char *name, *display_name, *guid;
    uint32_t valid_accesses;
    const char *applies_to;
};

static const struct known_attribute attributes[] = {
#define ATTRIBUTE(...) {__VA_ARGS__},
#define CLASS(...)
#define RIGHT(...)
#include "model/schema_builtin.inc"
};
static const struct known_class classes[] = {
#define ATTRIBUTE(...)
#define CLASS(...) {__VA_ARGS__},
#define RIGHT(...)
#include "model/schema_builtin.inc"
};
static const struct known_right rights[] = {
#define ATTRIBUTE(...)
#define CLASS(...)
#define RIGHT(...) {__VA_ARGS__},
#include "model/schema_builtin.inc"
};

#define WORDS_MAX 512

static size_t split(struct str words, struct str out[WORDS_MAX])
{
    size_t n = 0;
    while (words.len && n < WORDS_MAX) {
        size_t len = str_index(words, ' ');
        out[n++] = (struct str){words.ptr, len};
        len += len < words.len;
        words.ptr += len;
        words.len -= len;
    }
    return n;
}

static void put_attribute(struct buf *out, const struct known_attribute *k)
{
    struct schema_attribute a = {.name = str_from(k->name),
                                 .search_flags = k->search_flags,
                                 .system_flags = k->system_flags,
                                 .is_backlink = k->flags & 1,
                                 .is_system_only = k->flags & 2};
    guid_parse(a.guid, str_from(k->guid));
    guid_parse(a.set, str_from(k->set)); /* stays zero if there is none */
    schema_put_attribute(out, &a);
}

static void put_class(struct buf *out, const struct known_class *k)
{
    struct str own[WORDS_MAX], auxiliary[WORDS_MAX], superiors[WORDS_MAX];
    struct schema_class_piece c = {.name = str_from(k->name),
                                   .parent = str_from(k->parent),
                                   .category = k->category,
                                   .is_system_only = k->flags & 2};
    guid_parse(c.guid, str_from(k->guid));
    c.attributes[0] = (struct schema_names){own, split(str_from(k->attributes), own)};
    c.auxiliary[0] = (struct schema_names){auxiliary, split(str_from(k->auxiliary), auxiliary)};
    c.superiors[0] = (struct schema_names){superiors, split(str_from(k->superiors), superiors)};
    schema_put_class(out, &c);
}

static void put_right(struct buf *out, const struct known_right *k)
{
    struct str words[WORDS_MAX];
    uint8_t guids[WORDS_MAX][16];
    struct schema_right r = {.name = str_from(k->name),
                             .display_name = str_from(k->display_name),
                             .valid_accesses = k->valid_accesses,
                             .applies_to = (const uint8_t(*)[16])guids,
                             .n_applies_to = split(str_from(k->applies_to), words)};
    guid_parse(r.guid, str_from(k->guid));
    for (size_t i = 0; i < r.n_applies_to; i++) guid_parse(guids[i], words[i]);
    schema_put_right(out, &r);
}

static struct schema *builtin;

static void make(void)
{
    struct buf b = buf_new(1 << 20);
    struct err e;
    schema_put_start(&b);
    for (size_t i = 0; i < n_elements(attributes); i++) put_attribute(&b, &attributes[i]);
    for (size_t i = 0; i < n_elements(classes); i++) put_class(&b, &classes[i]);
    for (size_t i = 0; i < n_elements(rights); i++) put_right(&b, &rights[i]);
    if (b.failed || schema_decode(&builtin, buf_bytes(&b), &e) < 0)
        x_out_of_memory(); /* nothing else can be wrong with our own table */
    builtin->is_builtin = true;
    buf_free(&b);
}

const struct schema *schema_builtin(void)
{
    static once_flag once = ONCE_FLAG_INIT;
    call_once(&once, make);
    return builtin;
}
