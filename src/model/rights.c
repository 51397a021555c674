#include "model/rights.h"

#include "base/near.h"
#include "model/record.h"

static const struct {
    struct str name;
    uint32_t bit;
} rights[] = {
#define X(name, bit) {{#name, sizeof #name - 1}, bit},
    RIGHTS(X)
#undef X
};

const char *right_name(uint32_t bit)
{
    for (size_t i = 0; i < n_elements(rights); i++)
        if (rights[i].bit == bit) return rights[i].name.ptr;
    return NULL;
}

uint32_t right_bit(struct str name)
{
    for (size_t i = 0; i < n_elements(rights); i++)
        if (str_equal_nocase(rights[i].name, name)) return rights[i].bit;
    return 0;
}

uint32_t rights_map_generic(uint32_t mask)
{
    /* MS-ADTS 5.1.3.2: what GENERIC_... are of a directory object */
    static const struct {
        uint32_t generic, specific;
    } map[] = {{0x80000000, 0x20094}, {0x40000000, 0x20028}, {0x20000000, 0x20004}, {0x10000000, RIGHTS_ALL}};
    uint32_t out = mask & (RIGHTS_ALL | RIGHT_SYSTEM_SECURITY);
    for (size_t i = 0; i < n_elements(map); i++)
        if (mask & map[i].generic) out |= map[i].specific;
    return out;
}

/* --- parsing ---------------------------------------------------------------------------------------------
 */

static struct str nearest_right(struct str word)
{
    struct str best = STR("");
    size_t least = SIZE_MAX;
    for (size_t i = 0; i < n_elements(rights); i++) {
        size_t d = near_distance(word, rights[i].name);
        if (d >= least) continue;
        least = d;
        best = rights[i].name;
    }
    return best;
}

static size_t item_distance(const struct schema *s, enum schema_what w, uint32_t i, struct str word)
{
    size_t d = near_distance(word, schema_item_name(s, w, i));
    if (w == SCHEMA_ATTRIBUTE || w == SCHEMA_CLASS) return d;
    size_t display = near_distance(word, s->rights[i].display_name);
    return display < d ? display : d;
}

/* Of what may stand behind the bit. */
static struct str nearest_item(const struct schema *s, uint32_t bit, struct str word)
{
    struct str best = STR("");
    size_t least = SIZE_MAX;
    for (const enum schema_what *w = schema_order(bit); *w != SCHEMA_UNKNOWN; w++)
        for (uint32_t i = 0; i < schema_n_items(s, *w); i++) {
            size_t d = item_distance(s, *w, i, word);
            if (d >= least || schema_item_find(s, *w, schema_item_name(s, *w, i)) != i)
                continue; /* of another kind of right */
            least = d;
            best = schema_item_name(s, *w, i);
        }
    return best;
}

static enum schema_what find_item(const struct schema *s, uint32_t bit, struct str name, uint32_t *index)
{
    const enum schema_what *w = schema_order(bit);
    while (*w != SCHEMA_UNKNOWN && (*index = schema_item_find(s, *w, name)) == SCHEMA_NONE) w++;
    return *w;
}

/* "Reset-Password" asked for as a property; "member" as something that may write itself. */
static int misplaced(uint32_t bit, struct str name, const struct schema *s, struct err *e)
{
    static const struct {
        enum schema_what what;
        uint32_t bit;
    } places[] = {{SCHEMA_ATTRIBUTE, RIGHT_WRITE_PROPERTY},
                  {SCHEMA_CLASS, RIGHT_CREATE_CHILD},
                  {SCHEMA_PROPERTY_SET, RIGHT_WRITE_PROPERTY},
                  {SCHEMA_EXTENDED_RIGHT, RIGHT_CONTROL_ACCESS},
                  {SCHEMA_VALIDATED_WRITE, RIGHT_SELF}};
    uint32_t i = SCHEMA_NONE, same;
    enum schema_what w = find_item(s, 0, name, &i);
    err_set(e, ERR_INPUT, "right %s:%.*s: %.*s is %s", right_name(bit), STR_FMT(name), STR_FMT(name),
            schema_what_name(w));
    enum schema_what meant = schema_guid_find(s, schema_item_guid(s, w, i), bit, &same);
    if (meant != SCHEMA_UNKNOWN)
        return err_hint(e, "did you mean %s:%.*s?", right_name(bit),
                        STR_FMT(schema_item_name(s, meant, same)));
    for (size_t k = 0; k < n_elements(places); k++)
        if (places[k].what == w)
            err_hint(e, "did you mean %s:%.*s?", right_name(places[k].bit), STR_FMT(name));
    return ERR_INPUT;
}

static const char *part_name(uint32_t bit)
{
    if (bit & (RIGHT_READ_PROPERTY | RIGHT_WRITE_PROPERTY)) return "attribute or property set";
    if (bit & (RIGHT_CREATE_CHILD | RIGHT_DELETE_CHILD)) return "class";
    return bit == RIGHT_SELF ? "validated write" : "extended right";
}

static int unknown_item(uint32_t bit, struct str name, const struct schema *s, struct err *e)
{
    uint32_t i;
    if (find_item(s, 0, name, &i) != SCHEMA_UNKNOWN) return misplaced(bit, name, s, e);
    err_set(e, ERR_INPUT, "right %s:%.*s: the schema has no such %s", right_name(bit), STR_FMT(name),
            part_name(bit));
    struct str near = nearest_item(s, bit, name);
    if (near.len) return err_hint(e, "did you mean %s:%.*s?", right_name(bit), STR_FMT(near));
    return err_hint(e,
                    "name it as the schema does, or give its GUID: %s:{xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx}",
                    right_name(bit));
}

static int parse_part(struct right *out, struct str name, const struct schema *s, struct err *e)
{
    uint32_t i = SCHEMA_NONE;
    out->is_typed = true;
    if (guid_parse(out->guid, name)) return 0;
    enum schema_what w = find_item(s, out->bit, name, &i);
    if (w == SCHEMA_UNKNOWN) return unknown_item(out->bit, name, s, e);
    memcpy(out->guid, schema_item_guid(s, w, i), 16);
    return 0;
}

static int unknown_right(struct str name, const struct schema *s, struct err *e)
{
    struct str near = nearest_right(name);
    uint32_t i;
    if (name.len && find_item(s, 0, name, &i) != SCHEMA_UNKNOWN)
        return err_set(e, ERR_INPUT, "right %.*s: this is what a right is for, not the right", STR_FMT(name)),
               err_hint(e, "for instance WRITE_PROPERTY:member, CONTROL_ACCESS:User-Force-Change-Password, "
                           "CREATE_CHILD:user");
    err_set(e, ERR_INPUT, "right %.*s: there is none of this name", STR_FMT(name));
    if (near.len) return err_hint(e, "did you mean %.*s?", STR_FMT(near));
    struct buf all = buf_new(1024);
    for (size_t k = 0; k < n_elements(rights); k++)
        buf_printf(&all, "%s%.*s", k ? " " : "", STR_FMT(rights[k].name));
    err_hint(e, "one of %s", buf_cstr(&all));
    buf_free(&all);
    return ERR_INPUT;
}

int right_parse(struct right *out, struct str text, const struct schema *s, struct err *e)
{
    text = str_trim(text);
    size_t colon = str_index(text, ':');
    struct str name = str_trim((struct str){text.ptr, colon});
    *out = (struct right){.bit = right_bit(name)};
    if (text.len > 600) return err_set(e, ERR_INPUT, "right of %zu characters", text.len);
    if (!out->bit) return unknown_right(name, s, e);
    if (colon == text.len) return 0;
    struct str part = str_trim((struct str){text.ptr + colon + 1, text.len - colon - 1});
    if (!(out->bit & RIGHTS_TYPED))
        return err_set(e, ERR_INPUT, "right %.*s: %s is always of the whole object", STR_FMT(text),
                       right_name(out->bit)),
               err_hint(e, "leave out what follows the colon");
    if (!part.len)
        return err_set(e, ERR_INPUT, "right %.*s: nothing follows the colon", STR_FMT(text)),
               err_hint(e, "without the colon it is the whole object; behind it stands the name of its %s",
                        part_name(out->bit));
    return parse_part(out, part, s, e);
}

/* --- formatting ------------------------------------------------------------------------------------------
 */

void right_format(struct buf *out, const struct right *r, const struct schema *s)
{
    const char *name = right_name(r->bit);
    char text[GUID_TEXT];
    uint32_t i;
    if (name)
        buf_add_str(out, str_from(name));
    else
        buf_printf(out, "0x%x", r->bit);
    if (!r->is_typed) return;
    enum schema_what w = schema_guid_find(s, r->guid, r->bit, &i);
    if (w == SCHEMA_UNKNOWN)
        buf_printf(out, ":{%s}", guid_format(text, r->guid));
    else
        buf_printf(out, ":%.*s", STR_FMT(schema_item_name(s, w, i)));
}
