/* samba.c - calls sec_access_check_ds of libsamba-security (Samba 4.17, whose structures are written down here) on raw descriptors. */
#include "samba.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#define SECURITY "/usr/lib/x86_64-linux-gnu/samba/libsamba-security-samba4.so.0"
#define NODES    64

struct samba_sid {
    uint8_t revision;
    int8_t n;
    uint8_t authority[6];
    uint32_t sub[15];
};
struct samba_token {
    uint32_t n;
    struct samba_sid *sids;
    uint64_t privileges;
    uint32_t rights;
};
struct samba_tree {
    uint32_t remaining;
    uint8_t guid[16]; /* of a little-endian machine: as in an ACE */
    int n_children;
    struct samba_tree *children;
};
struct samba_blob {
    const uint8_t *data;
    size_t length;
};
static struct {
    uint32_t (*check)(void *sd, const struct samba_token *t, uint32_t desired, uint32_t *granted, struct samba_tree *tree, struct samba_sid *self);
    int (*pull)(const struct samba_blob *blob, void *memory, void *out, void *how);
    void *pull_sd;
    void *(*context)(void *parent, size_t size, const char *name);
    int (*release)(void *memory, const char *where);
} samba;

static void *symbol(const char *library, const char *name)
{
    void *l = dlopen(library, RTLD_NOW);
    return l ? dlsym(l, name) : NULL;
}

const char *samba_open(void)
{
    static char why[300];
    *(void **)&samba.check = symbol(SECURITY, "sec_access_check_ds");
    *(void **)&samba.pull = symbol("libndr.so.3", "ndr_pull_struct_blob");
    samba.pull_sd = symbol("libndr-standard.so.0", "ndr_pull_security_descriptor");
    *(void **)&samba.context = symbol("libtalloc.so.2", "talloc_named_const");
    *(void **)&samba.release = symbol("libtalloc.so.2", "_talloc_free");
    if (samba.check && samba.pull && samba.pull_sd && samba.context && samba.release) return NULL;
    snprintf(why, sizeof why, "no libraries of Samba 4.17: %s", dlerror());
    return why;
}

static void copy_sid(struct samba_sid *out, struct bytes in)
{
    memset(out, 0, sizeof *out);
    if (in.len) memcpy(out, in.ptr, in.len < sizeof *out ? in.len : sizeof *out);
}

/* --- the tree: the path to what is asked for, and everything below it --------------------------------- */

struct forest {
    struct samba_tree nodes[NODES];
    int n;
};

static struct samba_tree *add(struct forest *f, const uint8_t *guid, uint32_t bit)
{
    static const uint8_t nobody[16] = {0xff, 0xff, 0xff, 0xff};
    if (f->n == NODES) abort();
    struct samba_tree *t = &f->nodes[f->n++];
    *t = (struct samba_tree){.remaining = bit};
    memcpy(t->guid, guid ? guid : nobody, 16);
    return t;
}

static bool is_zero(const uint8_t *guid)
{
    static const uint8_t zero[16];
    return !memcmp(guid, zero, 16);
}

static bool has(const struct slow_question *q, uint32_t attribute)
{
    size_t n = 0;
    if (q->class == SCHEMA_NONE) return true;
    const uint32_t *own = schema_class_attributes(q->schema, q->class, &n);
    for (size_t i = 0; i < n; i++)
        if (own[i] == attribute) return true;
    return false;
}

/* Attributes of the class that are in this set (zeros: in none). */
static void add_attributes(struct forest *f, struct samba_tree *parent, const struct slow_question *q, const uint8_t *set)
{
    for (uint32_t i = 0; i < q->schema->n_attributes; i++) {
        const struct schema_attribute *a = &q->schema->attributes[i];
        if (memcmp(a->set, set, 16) || !has(q, i)) continue;
        struct samba_tree *t = add(f, a->guid, q->right.bit);
        if (!parent->n_children++) parent->children = t;
    }
}

static bool is_told(const struct forest *f, int from, const uint8_t *guid)
{
    for (int i = from; i < f->n; i++)
        if (!memcmp(f->nodes[i].guid, guid, 16)) return true;
    return false;
}

static bool applies(const struct slow_question *q, const struct schema_right *r)
{
    if (!(r->valid_accesses & q->right.bit & 0x108)) return false;
    if (q->class == SCHEMA_NONE || !r->n_applies_to) return true;
    for (size_t i = 0; i < r->n_applies_to; i++)
        if (!memcmp(r->applies_to[i], q->schema->classes[q->class].guid, 16)) return true;
    return false;
}

static void draw_whole(struct forest *f, struct samba_tree *root, const struct slow_question *q)
{
    static const uint8_t none[16];
    int first = f->n;
    for (uint32_t i = 0; i < q->schema->n_attributes; i++) {
        const uint8_t *set = q->schema->attributes[i].set;
        if (!is_zero(set) && has(q, i) && !is_told(f, first, set)) add(f, set, q->right.bit);
    }
    int n_sets = f->n - first;
    for (size_t i = 0; i < q->schema->n_rights; i++)
        if (applies(q, &q->schema->rights[i]) && !is_told(f, first, q->schema->rights[i].guid)) add(f, q->schema->rights[i].guid, q->right.bit);
    root->children = &f->nodes[first];
    root->n_children = f->n - first;
    add_attributes(f, root, q, none); /* right behind them: they are its children, too */
    for (int i = 0; i < n_sets; i++) add_attributes(f, &f->nodes[first + i], q, f->nodes[first + i].guid);
}

static void draw_part(struct forest *f, struct samba_tree *root, const struct slow_question *q)
{
    const uint8_t *guid = q->right.guid;
    uint32_t i = schema_guid_find_as(q->schema, SCHEMA_ATTRIBUTE, guid);
    struct samba_tree *at = root;
    if (i != SCHEMA_NONE && !is_zero(q->schema->attributes[i].set)) {
        at->children = add(f, q->schema->attributes[i].set, q->right.bit);
        at->n_children = 1;
        at = at->children;
    }
    at->children = add(f, guid, q->right.bit);
    at->n_children = 1;
    if (i == SCHEMA_NONE && !is_zero(guid)) add_attributes(f, at->children, q, guid);
}

static void draw_children(struct forest *f, const struct slow_question *q)
{
    struct samba_tree *root = add(f, q->right.is_typed ? q->right.guid : NULL, q->right.bit);
    if (q->right.is_typed) return;
    for (uint32_t i = 0; i < q->schema->n_classes; i++) {
        if (q->class != SCHEMA_NONE && !schema_class_may_contain(q->schema, q->class, i)) continue;
        struct samba_tree *t = add(f, q->schema->classes[i].guid, q->right.bit);
        if (!root->n_children++) root->children = t;
    }
}

static void draw(struct forest *f, const struct slow_question *q)
{
    const uint8_t *class = q->class == SCHEMA_NONE ? NULL : q->schema->classes[q->class].guid;
    f->n = 0;
    if (q->right.bit & 3) {
        draw_children(f, q);
        return;
    }
    struct samba_tree *root = add(f, class, q->right.bit);
    if (!(q->right.bit & 0x138)) return;
    if (!q->right.is_typed || (class && !memcmp(class, q->right.guid, 16)))
        draw_whole(f, root, q);
    else
        draw_part(f, root, q);
}

int samba_check(const struct slow_question *q)
{
    static struct forest forest;
    uint64_t room[64] = {0}; /* its struct security_descriptor */
    struct samba_sid sids[16], self;
    struct samba_token token = {.n = q->n_sids, .sids = sids};
    struct samba_blob blob = {q->sd.ptr, q->sd.len};
    void *memory = samba.context(NULL, 0, "test");
    int result = -1;
    uint32_t granted;
    for (unsigned i = 0; i < q->n_sids && i < 16; i++) copy_sid(&sids[i], q->sids[i]);
    copy_sid(&self, q->self);
    draw(&forest, q);
    if (!samba.pull(&blob, memory, room, samba.pull_sd))
        result = samba.check(room, &token, q->right.bit, &granted, forest.nodes, q->self.len ? &self : NULL) == 0;
    samba.release(memory, "test");
    return result;
}
