#include "model/attr.h"

/* clang-format off */
const struct attr_info attr_table[] = {
#define STATE false
#define STAT  true
#define X(id, number, name, type, multi, behaviour, kinds)                                                   \
    {ATTR_##id, name, ATTR_##type, multi, behaviour, kinds, sizeof(name) - 1},
    ATTRS(X)
#undef X
};
/* clang-format on */
const size_t n_attr_table = n_elements(attr_table);

/* Places in attr_table, by number and by name: both look-ups are made for every attribute of every entry. */
/* clang-format off */
enum place {
#define X(id, ...) PLACE_##id,
    ATTRS(X)
#undef X
    N_PLACES
};
static const uint8_t place_by_number[ATTR_INDEX_SIZE] = { /* plus 1; 0: none */
#define X(id, number, ...) [number] = PLACE_##id + 1,
    ATTRS(X)
#undef X
};
/* clang-format on */
_Static_assert(N_PLACES < 255, "a place and 1 fit a byte");

const struct attr_info *attr_get(enum attr id)
{
    if ((unsigned)id >= ATTR_INDEX_SIZE || !place_by_number[id]) return NULL;
    return &attr_table[place_by_number[id] - 1];
}

/* Open addressing, a fifth full. Only names of the table are in it: nobody can choose collisions. */
#define N_SLOTS 1024
static uint8_t place_by_name[N_SLOTS];

static unsigned slot_of(struct str name)
{
    unsigned h = (unsigned)name.len;
    const char *p = name.ptr;
    size_t n = name.len;
    h = h * 31 + (p[0] & 31);
    h = h * 31 + (p[n / 2] & 31);
    h = h * 31 + (p[n - 1] & 31);
    return (h * 31 + (p[n * 3 / 4] & 31)) % N_SLOTS;
}

__attribute__((constructor)) static void index_names(void)
{
    for (size_t i = 0; i < n_attr_table; i++) {
        unsigned at = slot_of((struct str){attr_table[i].name, attr_table[i].name_len});
        while (place_by_name[at]) at = (at + 1) % N_SLOTS;
        place_by_name[at] = (uint8_t)(i + 1);
    }
}

const struct attr_info *attr_find(struct str ldap_name)
{
    if (!ldap_name.len) return NULL;
    for (unsigned at = slot_of(ldap_name); place_by_name[at]; at = (at + 1) % N_SLOTS) {
        size_t i = place_by_name[at] - 1u;
        if (str_equal_nocase(ldap_name, (struct str){attr_table[i].name, attr_table[i].name_len}))
            return &attr_table[i];
    }
    return NULL;
}

bool attr_custom_type_parse(enum attr_type *out, bool *is_multi, struct str name)
{
    static const struct {
        const char *name;
        enum attr_type type;
        bool multi;
    } types[] = {{"string", ATTR_STRING, false},  {"string_list", ATTR_STRING, true},
                 {"integer", ATTR_INT, false},    {"boolean", ATTR_BOOL, false},
                 {"timestamp", ATTR_TIME, false}, {"binary", ATTR_BINARY, false}};
    for (size_t i = 0; i < n_elements(types); i++) {
        if (!str_equal(name, str_from(types[i].name))) continue;
        *out = types[i].type;
        *is_multi = types[i].multi;
        return true;
    }
    return false;
}
