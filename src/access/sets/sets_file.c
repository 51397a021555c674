/* sets_file.c - the sets on disk, beside the store: a head, tables, memberships, images. Mapped, not read.
 *
 * Written by this process for the next one on the same machine, so numbers are as they are in memory;
 * whatever is not exactly as expected (another version or machine, a length, a checksum, another world)
 * means: build. The tables are checked when the file is opened, an image when it is first used, since most
 * never are. World and file belong together by `shape` (all but memberships) and `memberships`.
 */
#include "access/sets/sets_int.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_VERSION = 1, ORDER = 0x01020304, PAD = 64 };
static const char magic[16] = "rollcall access";

enum section {
    RUNS,
    TRUSTEES,
    RIGHTS_TABLE,
    VARIANTS,
    CELLS,
    SETS,
    TERMS,
    VARIANT_OF,
    FIRST_GROUP,
    GROUPS_OF,
    IMAGES,
    N_SECTIONS
};
struct disk_section {
    uint64_t at, size, hash; /* of IMAGES 0: each has its own */
};
struct disk_head {
    char magic[16];
    uint32_t version, order;
    uint64_t shape, memberships;
    struct disk_section sections[N_SECTIONS];
    uint64_t hash; /* of all before it */
};
struct disk_image {
    uint64_t at, hash; /* at: from the start of IMAGES */
    uint32_t n_bytes, count;
};
struct disk_trustee {
    uint32_t connector, node;
    struct disk_image image;
};
struct disk_set {
    uint32_t first, n, alias;
    uint8_t is_kept, has_self, zero[2];
    struct disk_image image;
};

/* --- which world
 * ------------------------------------------------------------------------------------------------ */

static uint64_t mix(uint64_t h, uint64_t v)
{
    unsigned __int128 m = (unsigned __int128)(h ^ v ^ 0x9E3779B97F4A7C15u) * 0xD6E8FEB86659FD93u;
    return (uint64_t)m ^ (uint64_t)(m >> 64);
}

static uint64_t mix_bytes(uint64_t h, struct bytes b)
{
    return mix(h, image_hash(b.ptr, b.len));
}

static uint64_t mix_sid(uint64_t h, struct bytes sid)
{
    for (size_t i = 0; i + 4 <= sid.len; i += 8) {
        uint64_t v = 0;
        memcpy(&v, sid.ptr + i, sid.len - i < 8 ? sid.len - i : 8);
        h = mix(h, v);
    }
    return h;
}

static uint64_t shape_of_connectors(uint64_t h, const struct world *w)
{
    const struct schema *last = NULL;
    uint64_t of_last = 0;
    for (size_t i = 0; i < w->n_connectors; i++) {
        const struct schema *s = w->connectors[i].schema;
        if (s != last) {
            struct buf b = buf_new((size_t)64 << 20);
            schema_encode(&b, s);
            of_last = image_hash(b.ptr, b.len);
            last = s;
            buf_free(&b);
        }
        h = mix(mix_bytes(h, bytes_of(w->connectors[i].name)), of_last);
    }
    return h;
}

uint64_t world_shape(const struct world *w)
{
    uint64_t h = shape_of_connectors(mix(w->n_connectors, w->n_principals), w);
    for (size_t i = 0; i < w->n_implicit; i++) h = mix(h, w->implicit[i]);
    uint64_t sum = 0; /* of hashes with their places: no one waits for the one before */
    for (uint32_t i = 0; i < w->n_principals; i++) {
        const struct principal *p = &w->principals[i];
        uint64_t flags = (uint64_t)p->is_security | (uint64_t)p->is_local << 1 | (uint64_t)p->is_account << 2;
        sum += mix_sid(mix(i, (uint64_t)p->connector << 32 | flags << 16 | p->sid.len), p->sid);
    }
    for (uint32_t i = 0; i < w->n_objects; i++) {
        const struct object *o = &w->objects[i];
        sum += mix(mix(~(uint64_t)i, (uint64_t)o->connector << 32 | o->principal),
                   (uint64_t)o->descriptor << 32 | o->class);
    }
    h = mix(h, sum);
    for (uint32_t i = 0; i < w->n_descriptors; i++)
        h = mix_bytes(mix(h, w->descriptors[i].is_malformed), w->descriptors[i].raw);
    for (size_t i = 0; i < w->index->n_history; i++)
        h = mix_bytes(mix(h, w->index->history[i].principal), w->index->history[i].sid);
    return mix(h, (uint64_t)w->n_objects << 32 | w->n_descriptors);
}

uint64_t world_memberships(const struct world *w)
{
    uint64_t h = image_hash(w->first_group, (w->n_principals + (size_t)1) * sizeof *w->first_group);
    return mix(h, image_hash(w->groups_of, w->first_group[w->n_principals] * sizeof *w->groups_of));
}

/* --- writing
 * ------------------------------------------------------------------------------------------------------- */

struct writing {
    struct sets *s;
    int fd;
    struct buf out;
    struct disk_head head;
    const void *tables[N_SECTIONS];
    struct disk_trustee *trustees;
    struct disk_set *sets;
    struct buf runs;
    uint64_t n_images;
};

static struct disk_image place_image(struct writing *w, const struct image *i)
{
    struct disk_image d = {w->n_images, image_hash(i->bytes, i->n_bytes), i->n_bytes, i->count};
    w->n_images += (i->n_bytes + 31u) & ~(uint64_t)31;
    return d;
}

static void make_tables(struct writing *w)
{
    struct sets *s = w->s;
    w->trustees = x_zalloc((s->n_trustees + (size_t)1) * sizeof *w->trustees);
    w->sets = x_zalloc((s->n_sets + (size_t)1) * sizeof *w->sets);
    for (uint32_t i = 0; i < s->n_trustees; i++)
        w->trustees[i] = (struct disk_trustee){s->trustees[i].connector, s->trustees[i].node,
                                               place_image(w, trustee_image(s, i))};
    for (uint32_t i = 0; i < s->n_sets; i++) {
        struct set *t = &s->sets[i];
        w->sets[i] = (struct disk_set){t->first, t->n, t->alias, t->is_kept, t->has_self, {0}, {0}};
        if (t->is_kept && t->alias == NOBODY) w->sets[i].image = place_image(w, set_image(s, t));
    }
    w->runs = buf_new((size_t)64 << 20);
    for (size_t i = 0; i < s->world->n_connectors; i++) {
        buf_add_lstr(&w->runs, bytes_of(s->world->connectors[i].name));
        buf_add_svarint(&w->runs, s->world->connectors[i].run);
    }
}

static void place_section(struct writing *w, enum section which, const void *table, uint64_t size)
{
    struct disk_section *to = &w->head.sections[which];
    uint64_t end = which ? to[-1].at + to[-1].size : sizeof w->head;
    w->tables[which] = table;
    *to = (struct disk_section){(end + PAD - 1) / PAD * PAD, size,
                                which == IMAGES ? 0 : image_hash(table, size)};
}

static void place_sections(struct writing *w)
{
    const struct sets *s = w->s;
    const struct world *of = s->world;
    place_section(w, RUNS, w->runs.ptr, w->runs.len);
    place_section(w, TRUSTEES, w->trustees, s->n_trustees * sizeof *w->trustees);
    place_section(w, RIGHTS_TABLE, s->rights, s->n_rights * sizeof *s->rights);
    place_section(w, VARIANTS, s->variants, s->n_variants * sizeof *s->variants);
    place_section(w, CELLS, s->cells, s->n_cells * sizeof *s->cells);
    place_section(w, SETS, w->sets, s->n_sets * sizeof *w->sets);
    place_section(w, TERMS, s->terms, s->n_terms * sizeof *s->terms);
    place_section(w, VARIANT_OF, s->variant_of, of->n_objects * sizeof *s->variant_of);
    place_section(w, FIRST_GROUP, of->first_group, (of->n_principals + (size_t)1) * sizeof *of->first_group);
    place_section(w, GROUPS_OF, of->groups_of, of->first_group[of->n_principals] * sizeof *of->groups_of);
    place_section(w, IMAGES, NULL, w->n_images);
}

static int flush(struct writing *w, struct err *e)
{
    int rc = file_write_all(w->fd, buf_bytes(&w->out), e);
    buf_clear(&w->out);
    return rc;
}

static int put(struct writing *w, const void *p, uint64_t n, size_t pad, struct err *e)
{
    static const uint8_t zeros[PAD];
    if (w->out.len + n + PAD > w->out.max) try(flush(w, e));
    if (n > w->out.max / 2)
        try(file_write_all(w->fd, (struct bytes){p, n}, e));
    else
        buf_add(&w->out, p, n);
    buf_add(&w->out, zeros, (pad - n % pad) % pad);
    return 0;
}

static int write_all(void *ctx, int fd, struct err *e)
{
    struct writing *w = ctx;
    struct sets *s = w->s;
    w->fd = fd;
    try(put(w, &w->head, sizeof w->head, PAD, e));
    for (unsigned i = 0; i < IMAGES; i++) try(put(w, w->tables[i], w->head.sections[i].size, PAD, e));
    for (uint32_t i = 0; i < s->n_trustees; i++)
        try(put(w, s->trustees[i].image.bytes, s->trustees[i].image.n_bytes, 32, e));
    for (uint32_t i = 0; i < s->n_sets; i++)
        if (s->sets[i].is_kept && s->sets[i].alias == NOBODY)
            try(put(w, s->sets[i].image.bytes, s->sets[i].image.n_bytes, 32, e));
    return flush(w, e);
}

int sets_write(struct sets *s, const char *file, struct err *e)
{
    struct writing w = {.s = s, .out = buf_new((size_t)4 << 20)};
    memcpy(w.head.magic, magic, sizeof magic);
    w.head.version = FILE_VERSION;
    w.head.order = ORDER;
    if (!s->shape) s->shape = world_shape(s->world);
    w.head.shape = s->shape;
    w.head.memberships = world_memberships(s->world);
    make_tables(&w);
    place_sections(&w);
    w.head.hash = image_hash(&w.head, offsetof(struct disk_head, hash));
    int rc = file_write_atomic_by(file, 0600, write_all, &w, e);
    free(w.trustees);
    free(w.sets);
    buf_free(&w.runs);
    buf_free(&w.out);
    return rc;
}

/* --- opening
 * ----------------------------------------------------------------------------------------------------------
 */

struct opening {
    struct sets *s;
    const uint8_t *map;
    size_t n;
    struct disk_head head;
};

static int unfit(struct err *e, const char *file, const char *why)
{
    return err_set(e, ERR_CONFLICT, "%s %s", file, why);
}

static int map_file(struct opening *o, const char *file, struct err *e)
{
    struct stat st;
    defer_close int fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return err_errno(e, errno == ENOENT ? ERR_NOTFOUND : ERR_DENIED, errno, "%s", file);
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || (uint64_t)st.st_size < sizeof o->head)
        return unfit(e, file, "is not an access index");
    void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (p == MAP_FAILED) return err_errno(e, ERR_LIMIT, errno, "%s: mmap", file);
    o->map = p;
    o->n = (size_t)st.st_size;
    memcpy(&o->head, p, sizeof o->head);
    return 0;
}

static const void *section(const struct opening *o, enum section which)
{
    return o->map + o->head.sections[which].at;
}

static bool is_head_sound(const struct opening *o)
{
    const struct disk_head *h = &o->head;
    uint64_t end = sizeof *h;
    if (memcmp(h->magic, magic, sizeof magic) != 0 || h->version != FILE_VERSION || h->order != ORDER)
        return false;
    if (h->hash != image_hash(h, offsetof(struct disk_head, hash))) return false;
    for (unsigned i = 0; i < N_SECTIONS; i++) {
        const struct disk_section *x = &h->sections[i];
        if (x->at != (end + PAD - 1) / PAD * PAD || x->at > o->n || x->size > o->n - x->at) return false;
        end = x->at + x->size;
        if (i < FIRST_GROUP && x->hash != image_hash(section(o, i), x->size)) return false;
    }
    return true;
}

/* A copy of a whole table; *n of them. */
static void *take_table(const struct opening *o, enum section which, size_t size, size_t *n)
{
    *n = o->head.sections[which].size / size;
    void *copy = x_alloc(*n * size + size);
    memcpy(copy, section(o, which), *n * size);
    return copy;
}

static bool take_image(const struct opening *o, struct image *out, const struct disk_image *d)
{
    const struct disk_section *all = &o->head.sections[IMAGES];
    if (d->at % 32 || d->at > all->size || d->n_bytes > all->size - d->at) return false;
    *out = (struct image){d->n_bytes ? o->map + all->at + d->at : NULL, d->n_bytes, d->count};
    return true;
}

static bool take_trustees(struct opening *o)
{
    struct sets *s = o->s;
    const struct disk_trustee *from = section(o, TRUSTEES);
    s->n_trustees = (uint32_t)(o->head.sections[TRUSTEES].size / sizeof *from);
    s->trustees = x_zalloc((s->n_trustees + (size_t)1) * sizeof *s->trustees);
    for (uint32_t i = 0; i < s->n_trustees; i++) {
        struct trustee *t = &s->trustees[i];
        *t = (struct trustee){.connector = from[i].connector,
                              .node = from[i].node,
                              .hash = from[i].image.hash,
                              .is_unchecked = from[i].image.n_bytes};
        if (t->node >= s->nodes.n || t->connector >= s->world->n_connectors ||
            !take_image(o, &t->image, &from[i].image))
            return false;
    }
    return true;
}

static bool are_terms_sound(const struct sets *s, const struct set *t)
{
    if (t->first > s->n_terms || t->n > s->n_terms - t->first ||
        (t->alias != NOBODY && t->alias >= s->n_trustees))
        return false;
    for (uint32_t i = 0; i < t->n; i++)
        if (s->terms[t->first + i] >> 1 >= s->n_trustees + TERM_FIRST) return false;
    return true;
}

static bool take_sets(struct opening *o)
{
    struct sets *s = o->s;
    const struct disk_set *from = section(o, SETS);
    s->n_sets = (uint32_t)(o->head.sections[SETS].size / sizeof *from);
    s->sets = x_zalloc((s->n_sets + (size_t)1) * sizeof *s->sets);
    for (uint32_t i = 0; i < s->n_sets; i++) {
        struct set *t = &s->sets[i];
        *t = (struct set){.first = from[i].first,
                          .n = from[i].n,
                          .is_kept = from[i].is_kept,
                          .has_self = from[i].has_self,
                          .alias = from[i].alias,
                          .hash = from[i].image.hash,
                          .is_unchecked = from[i].image.n_bytes};
        if (!are_terms_sound(s, t) || !take_image(o, &t->image, &from[i].image)) return false;
    }
    return s->n_sets > SET_EVERYBODY;
}

static bool are_variants_sound(const struct sets *s, size_t n_objects)
{
    for (uint32_t i = 0; i < s->n_variants; i++) {
        const struct variant *v = &s->variants[i];
        if (v->connector >= s->world->n_connectors || v->descriptor >= s->world->n_descriptors ||
            v->first_cell > s->n_cells || v->n_cells > s->n_cells - v->first_cell)
            return false;
    }
    for (size_t i = 0; i < s->n_cells; i++)
        if (s->cells[i].right >= s->n_rights || s->cells[i].set >= s->n_sets ||
            s->cells[i].strict >= s->n_sets)
            return false;
    for (size_t i = 0; i < n_objects; i++)
        if (s->variant_of[i] != NOBODY && s->variant_of[i] >= s->n_variants) return false;
    return n_objects == s->world->n_objects;
}

static bool take_tables(struct opening *o)
{
    struct sets *s = o->s;
    size_t n_rights, n_variants, n_objects;
    s->rights = take_table(o, RIGHTS_TABLE, sizeof *s->rights, &n_rights);
    s->variants = take_table(o, VARIANTS, sizeof *s->variants, &n_variants);
    s->cells = take_table(o, CELLS, sizeof *s->cells, &s->n_cells);
    s->terms = take_table(o, TERMS, sizeof *s->terms, &s->n_terms);
    s->variant_of = take_table(o, VARIANT_OF, sizeof *s->variant_of, &n_objects);
    s->n_rights = (uint32_t)n_rights;
    s->n_variants = (uint32_t)n_variants;
    return take_trustees(o) && take_sets(o) && are_variants_sound(s, n_objects);
}

static void index_terms(struct sets *s)
{
    for (uint32_t i = 0; i < s->n_sets; i++) {
        bool is_new;
        const struct set *t = &s->sets[i];
        uint32_t *at = hmap_put(
            &s->by_terms,
            hash128_fast((struct bytes){(const uint8_t *)(s->terms + t->first), t->n * sizeof *s->terms}),
            &is_new);
        if (is_new) *at = i;
    }
}

/* The memberships that the file is of: needed only to tell what has changed since. */
static bool take_memberships(struct opening *o)
{
    struct sets *s = o->s;
    const struct disk_section *first = &o->head.sections[FIRST_GROUP], *groups = &o->head.sections[GROUPS_OF];
    uint32_t n = s->world->n_principals;
    s->first_group = section(o, FIRST_GROUP);
    s->groups_of = section(o, GROUPS_OF);
    if (first->size != (n + (size_t)1) * 4 || first->hash != image_hash(s->first_group, first->size))
        return false;
    if (groups->size != s->first_group[n] * (size_t)4 ||
        groups->hash != image_hash(s->groups_of, groups->size))
        return false;
    for (uint32_t i = 0; i < n; i++)
        if (s->first_group[i] > s->first_group[i + 1]) return false;
    for (size_t i = 0; i < s->first_group[n]; i++)
        if (s->groups_of[i] >= n) return false;
    return true;
}

int sets_map(struct sets **out, const struct world *w, const char *file, bool any_members, bool *is_same,
             struct err *e)
{
    struct opening o = {0};
    int rc = map_file(&o, file, e);
    if (rc == 0 && !is_head_sound(&o)) rc = unfit(e, file, "is damaged, or of another version");
    uint64_t shape = rc == 0 ? world_shape(w) : 0;
    *is_same = rc == 0 && o.head.memberships == world_memberships(w);
    if (rc == 0 && (o.head.shape != shape || (!any_members && !*is_same)))
        rc = unfit(e, file, "is of another state of the directories");
    if (rc == 0) {
        o.s = sets_new(w);
        o.s->shape = shape;
        if (!take_tables(&o) || (!*is_same && !take_memberships(&o))) rc = unfit(e, file, "is damaged");
    }
    if (o.s) {
        o.s->map = (void *)(uintptr_t)o.map;
        o.s->n_map = o.n;
    } else if (o.map)
        munmap((void *)(uintptr_t)o.map, o.n);
    if (rc < 0) {
        sets_free(o.s);
        return rc;
    }
    index_terms(o.s);
    sets_index(o.s);
    *out = o.s;
    return 0;
}

int sets_open(struct sets **out, const struct world *w, const char *file, struct err *e)
{
    bool is_same;
    return sets_map(out, w, file, false, &is_same, e);
}
