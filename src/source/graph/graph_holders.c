#include "source/graph/graph_holders.h"

#include "source/graph/graph_join.h"

#include <stdlib.h>

#define BLOCK_MAX  ((size_t)64 << 20)
#define OWNERS_MAX 100000u

void holders_init(struct holders *h, enum kind k)
{
    *h = (struct holders){.kind = k, .records = tape_new(), .pages = tape_new()};
}

static void free_names(struct holders *h)
{
    for (size_t i = 0; i < h->n; i++) free(h->list[i].name);
    h->n = 0;
}

void holders_free(struct holders *h)
{
    tape_free(&h->records);
    tape_free(&h->pages);
    hmap_free(&h->by_guid);
    free_names(h);
    free(h->list);
}

static struct hash128 key_of(const uint8_t guid[GUID_SIZE])
{
    return hash128_fast((struct bytes){guid, GUID_SIZE});
}

int holders_add(struct holders *h, const struct record *r, struct holder **out, struct err *e)
{
    bool is_new;
    uint32_t *at = hmap_put(&h->by_guid, key_of(r->guid), &is_new);
    if (!is_new) {
        *out = &h->list[*at];
        return 0;
    }
    *at = (uint32_t)h->n;
    GROW(h->list, h->n, h->cap, 256);
    *out = &h->list[h->n++];
    **out = (struct holder){0};
    memcpy((*out)->guid, r->guid, GUID_SIZE);
    struct buf b = buf_new(BLOCK_MAX), head = buf_new(16);
    record_encode(&b, r);
    buf_add_u32le(&head, (uint32_t)b.len);
    int rc = b.failed ? err_set(e, ERR_LIMIT, "a group's attributes are longer than 64 MiB") : tape_add(&h->records, buf_bytes(&head), e);
    if (rc == 0) rc = tape_add(&h->records, buf_bytes(&b), e);
    buf_free(&b);
    buf_free(&head);
    return rc;
}

struct holder *holders_find(const struct holders *h, const uint8_t guid[GUID_SIZE])
{
    const uint32_t *at = hmap_find(&h->by_guid, key_of(guid));
    return at ? &h->list[*at] : NULL;
}

int holders_forget(struct holders *h, struct err *e)
{
    hmap_free(&h->by_guid);
    h->by_guid = (struct hmap){0};
    free_names(h);
    try(tape_cut(&h->records, 0, e));
    return tape_cut(&h->pages, 0, e);
}

/* --- lists ---------------------------------------------------------------------------------------------------- */

#define PAGE_HEAD 16u

int holders_page(struct holders *h, size_t i, enum graph_list which, uint32_t n, struct bytes block, struct err *e)
{
    struct holder *one = &h->list[i];
    uint64_t at = tape_length(&h->pages);
    struct buf head = buf_new(PAGE_HEAD);
    if (!n) return 0;
    buf_add_u64le(&head, one->last[which]);
    buf_add_u32le(&head, n);
    buf_add_u32le(&head, (uint32_t)block.len);
    int rc = tape_add(&h->pages, buf_bytes(&head), e);
    if (rc == 0) rc = tape_add(&h->pages, block, e);
    buf_free(&head);
    one->last[which] = at + 1;
    one->n[which] += n;
    return rc;
}

void holders_forget_list(struct holders *h, size_t i, enum graph_list which)
{
    h->list[i].last[which] = 0;
    h->list[i].n[which] = 0;
}

/* The page at *place, and the place of the one before. */
static int read_page(const struct holders *h, uint64_t *place, struct buf *space, struct dn_list *out, struct err *e)
{
    uint8_t head[PAGE_HEAD];
    uint64_t at = *place - 1;
    try(tape_read(&h->pages, at, head, sizeof head, e));
    struct cursor c = cursor_new((struct bytes){head, sizeof head});
    *place = cursor_u64le(&c);
    out->n = cursor_u32le(&c);
    uint32_t length = cursor_u32le(&c);
    buf_clear(space);
    uint8_t *to = buf_reserve(space, length);
    if (!to) return err_set(e, ERR_LIMIT, "a page of members is too long");
    try(tape_read(&h->pages, at + PAGE_HEAD, to, length, e));
    buf_advance(space, length);
    out->block = buf_bytes(space);
    return 0;
}

int holders_ids(const struct holders *h, size_t i, enum graph_list which, int (*each)(void *ctx, struct str id, struct err *e), void *ctx,
                struct err *e)
{
    struct buf space = buf_new(BLOCK_MAX);
    uint64_t place = h->list[i].last[which];
    int rc = 0;
    while (rc == 0 && place) {
        struct dn_list page;
        struct str id;
        rc = read_page(h, &place, &space, &page, e);
        while (rc == 0 && dn_list_next(&page, &id)) rc = each(ctx, id, e);
    }
    buf_free(&space);
    return rc;
}

/* --- sending --------------------------------------------------------------------------------------------------- */

struct owners {
    struct str *list;
    size_t n, cap;
    struct arena *text;
};

static int take_owner(void *ctx, struct str id, struct err *e)
{
    struct owners *o = ctx;
    if (o->n == OWNERS_MAX) return err_set(e, ERR_LIMIT, "a group with more than %u owners", OWNERS_MAX);
    GROW(o->list, o->n, o->cap, 16);
    o->list[o->n++] = arena_str(o->text, id);
    return 0;
}

static int compare_text(const void *a, const void *b)
{
    const struct str *x = a, *y = b;
    size_t n = x->len < y->len ? x->len : y->len;
    int d = memcmp(x->ptr, y->ptr, n);
    return d ? d : (x->len > y->len) - (x->len < y->len);
}

/* The body entry of its owners, sorted, each once; nothing if there are none. */
static void owners_body(struct buf *out, struct owners *o)
{
    struct buf values = buf_new(BLOCK_MAX);
    uint32_t n = 0;
    if (o->n) qsort(o->list, o->n, sizeof *o->list, compare_text);
    for (size_t i = 0; i < o->n; i++) {
        if (i && str_equal(o->list[i], o->list[i - 1])) continue;
        body_value_bytes(&values, bytes_of(o->list[i]));
        n++;
    }
    if (n) body_add(out, ATTR_OWNERS, n, buf_bytes(&values));
    buf_free(&values);
}

struct sending {
    struct holders *h;
    struct emit *m;
    struct buf record, space, body, state;
    struct arena text;
    struct owners owners;
};

static int add_owners(struct sending *s, size_t i, struct record *r, struct err *e)
{
    if (!s->h->list[i].n[GRAPH_OWNERS]) return 0;
    arena_clear(&s->text);
    s->owners.n = 0;
    s->owners.text = &s->text;
    try(holders_ids(s->h, i, GRAPH_OWNERS, take_owner, &s->owners, e));
    buf_clear(&s->body);
    buf_clear(&s->state);
    owners_body(&s->body, &s->owners);
    graph_bodies_join(&s->state, (struct bytes[]){r->state, buf_bytes(&s->body)}, 2);
    r->state = buf_bytes(&s->state);
    return s->body.failed || s->state.failed ? err_set(e, ERR_LIMIT, "a group with owners of more than 64 MiB") : 0;
}

static int send_one(struct sending *s, size_t i, struct err *e)
{
    struct holder *one = &s->h->list[i];
    struct record r;
    uint64_t place = one->last[GRAPH_MEMBERS];
    try(record_decode(&r, buf_bytes(&s->record), e));
    try(add_owners(s, i, &r, e));
    if (place) try(read_page(s->h, &place, &s->space, &r.member, e));
    if (place) r.flags |= RECORD_MORE_MEMBERS;
    if (one->is_lacking[GRAPH_OWNERS]) r.flags |= RECORD_KEEP_OWNERS;
    try(emit_record(s->m, &r, e));
    while (place) {
        struct members_part part;
        memcpy(part.guid, one->guid, GUID_SIZE);
        try(read_page(s->h, &place, &s->space, &part.list, e));
        part.more = place > 0;
        try(emit_members(s->m, &part, e));
    }
    return 0;
}

static int read_record(struct sending *s, struct tape_reader *at, struct err *e)
{
    struct bytes b;
    try(tape_next(at, 4, &b, e));
    struct cursor c = cursor_new(b);
    try(tape_next(at, cursor_u32le(&c), &b, e));
    buf_clear(&s->record);
    buf_add_bytes(&s->record, b);
    return 0;
}

int holders_emit(struct holders *h, struct emit *m, uint64_t *n, struct err *e)
{
    struct sending s = {.h = h, .m = m, .record = buf_new(BLOCK_MAX), .space = buf_new(BLOCK_MAX), .body = buf_new(BLOCK_MAX),
                        .state = buf_new(BLOCK_MAX), .text = arena_new(BLOCK_MAX)};
    struct tape_reader at = tape_reader_new(&h->records, 0, tape_length(&h->records));
    int rc = 0;
    *n = 0;
    for (size_t i = 0; rc == 0 && i < h->n; i++) {
        rc = read_record(&s, &at, e);
        if (rc < 0 || h->list[i].is_absent) continue;
        rc = send_one(&s, i, e);
        ++*n;
    }
    tape_reader_free(&at);
    struct buf *all[] = {&s.record, &s.space, &s.body, &s.state};
    for (size_t i = 0; i < n_elements(all); i++) buf_free(all[i]);
    free(s.owners.list);
    arena_free(&s.text);
    return rc;
}
