#include "store/roster.h"

#include "store/lookup.h"
#include "store/sorter.h"

#include <stdlib.h>

#define MISSING_MAX ((size_t)16 << 20) /* bytes of unknown DNs kept of one group */
#define HASHES_MAX  ((uint32_t)1 << 16)
#define WHO_MAX     ((uint32_t)1 << 24) /* different DNs in one run: about 330 MB */

struct roster roster_new(const struct hash_key *key)
{
    return (struct roster){.key = key, .texts = tape_new(), .lists = tape_new(), .parts = tape_new()};
}

void roster_free(struct roster *r)
{
    numbering_free(&r->numbers);
    tape_free(&r->texts);
    tape_free(&r->lists);
    tape_free(&r->parts);
    free(r->hashes);
    free(r->who);
    free(r->missing);
    *r = roster_new(r->key);
}

/* --- taking lists ----------------------------------------------------------------------------- */

static int add_u32(struct tape *t, uint32_t v, struct err *e)
{
    return tape_add(t, (struct bytes){(const uint8_t *)&v, sizeof v}, e);
}

static int add_text(struct tape *t, struct str s, struct err *e)
{
    try(add_u32(t, (uint32_t)s.len, e));
    return tape_add(t, bytes_of(s), e);
}

void roster_group(struct roster *r, uint32_t seq, struct hash128 old_fingerprint)
{
    r->group = seq;
    r->old = old_fingerprint;
    r->sum = (struct hash128){0, 0};
    r->n_parts = 0;
}

static int number_of(struct roster *r, struct str dn, struct hash128 hash, uint32_t *number, struct err *e)
{
    *number = numbering_add(&r->numbers, hash);
    if (*number < r->n_who) return 0;
    if (r->n_who == WHO_MAX)
        return err_set(e, ERR_LIMIT, "more than %u different members in one run", WHO_MAX);
    if (r->n_who == r->cap_who) {
        r->cap_who = r->cap_who ? r->cap_who + r->cap_who / 4 : 256;
        r->who = x_realloc(r->who, r->cap_who * sizeof *r->who);
    }
    r->who[r->n_who++] = 0;
    return add_text(&r->texts, dn, e);
}

static int keep_one(struct roster *r, struct str dn, struct hash128 hash, struct err *e)
{
    uint32_t number = 0;
    try(number_of(r, dn, hash, &number, e));
    return add_u32(&r->lists, number, e);
}

static int keep_part(struct roster *r, struct dn_list part, struct err *e)
{
    struct str dn;
    for (uint32_t i = 0; dn_list_next(&part, &dn); i++)
        try(keep_one(r, dn, i < HASHES_MAX ? r->hashes[i] : hash128_of(r->key, bytes_of(dn)), e));
    return 0;
}

static int keep_taped_parts(struct roster *r, struct err *e)
{
    struct tape_reader in = tape_reader_new(&r->parts, 0, tape_length(&r->parts));
    int rc = 0;
    while (rc == 0 && !tape_reader_done(&in)) {
        struct bytes b;
        uint32_t len;
        if ((rc = tape_next(&in, sizeof len, &b, e)) < 0) break;
        memcpy(&len, b.ptr, sizeof len);
        if ((rc = tape_next(&in, len, &b, e)) == 0) rc = keep_one(r, str_of(b), hash128_of(r->key, b), e);
    }
    tape_reader_free(&in);
    return rc;
}

static int tape_part(struct roster *r, struct dn_list part, struct err *e)
{
    struct str dn;
    if (part.n > UINT32_MAX - r->n_parts) return err_set(e, ERR_LIMIT, "more than 2^32 members in one group");
    r->n_parts += part.n;
    while (dn_list_next(&part, &dn)) try(add_text(&r->parts, dn, e));
    return 0;
}

/* Adds to the fingerprint; the first hashes are kept for keep_part. */
static int hash_part(struct roster *r, struct dn_list part, struct err *e)
{
    struct str dn;
    uint32_t kept = part.n < HASHES_MAX ? part.n : HASHES_MAX;
    if (kept > r->cap_hashes) {
        r->cap_hashes = kept;
        r->hashes = x_realloc(r->hashes, kept * sizeof *r->hashes);
    }
    for (uint32_t i = 0; dn_list_next(&part, &dn); i++) {
        struct hash128 hash = hash128_of(r->key, bytes_of(dn));
        if (i < kept) r->hashes[i] = hash;
        fingerprint_add(&r->sum, hash);
    }
    return part.n ? err_set(e, ERR_PROTO, "malformed member list") : 0;
}

int roster_part(struct roster *r, struct dn_list part, bool more, struct roster_list *out, struct err *e)
{
    try(hash_part(r, part, e));
    if (more) return tape_part(r, part, e);
    *out = (struct roster_list){r->sum, !hash128_equal(r->sum, r->old)};
    if (out->is_changed) {
        try(add_u32(&r->lists, r->group, e));
        try(add_u32(&r->lists, r->n_parts + part.n, e));
        if (r->n_parts) try(keep_taped_parts(r, e));
        try(keep_part(r, part, e));
    }
    r->group = 0;
    return r->n_parts ? tape_cut(&r->parts, 0, e) : 0;
}

/* --- putting names to DNs --------------------------------------------------------------------- */

void roster_seen(struct roster *r, struct hash128 dn, uint32_t pair)
{
    if (!r->n_who) return;
    uint32_t number = numbering_find(&r->numbers, dn);
    if (number != NUMBERING_NONE) r->who[number] = pair;
}

static void add_missing(struct roster *r, uint32_t number, uint64_t at)
{
    GROW(r->missing, r->n_missing, r->cap_missing, 64);
    r->missing[r->n_missing].number = number;
    r->missing[r->n_missing++].at = at;
}

static int look_up_next(struct roster *r, struct tape_reader *in, uint32_t number, roster_look_up *look_up,
                        void *ctx, struct err *e)
{
    uint64_t at = in->at;
    struct bytes b;
    uint32_t len;
    try(tape_next(in, sizeof len, &b, e));
    memcpy(&len, b.ptr, sizeof len);
    try(tape_next(in, len, &b, e));
    if (r->who[number]) return 0;
    try(look_up(ctx, str_of(b), &r->who[number], e));
    if (!r->who[number]) add_missing(r, number, at);
    return 0;
}

int roster_unknown(struct roster *r, roster_look_up *look_up, void *ctx, struct err *e)
{
    numbering_free(&r->numbers); /* nobody comes by any more */
    struct tape_reader in = tape_reader_new(&r->texts, 0, tape_length(&r->texts));
    int rc = 0;
    for (uint32_t i = 0; rc == 0 && i < r->n_who; i++) rc = look_up_next(r, &in, i, look_up, ctx, e);
    tape_reader_free(&in);
    return rc;
}

/* --- giving lists back ------------------------------------------------------------------------ */

static int text_of_missing(const struct roster *r, uint32_t number, struct buf *text, struct err *e)
{
    size_t low = 0, high = r->n_missing;
    while (low + 1 < high) {
        size_t mid = (low + high) / 2;
        if (r->missing[mid].number <= number)
            low = mid;
        else
            high = mid;
    }
    uint32_t len;
    uint64_t at = r->missing[low].at;
    try(tape_read(&r->texts, at, &len, sizeof len, e));
    buf_clear(text);
    uint8_t *to = buf_reserve(text, len);
    if (!to) return 0;
    buf_advance(text, len);
    return tape_read(&r->texts, at + sizeof len, to, len, e);
}

struct giving {
    uint64_t *pairs, *spare;
    size_t cap, n;
    struct buf missing, text;
    struct roster_group group;
};

static int add_missing_text(struct roster *r, struct giving *g, uint32_t number, struct err *e)
{
    try(text_of_missing(r, number, &g->text, e));
    if (g->text.failed || g->missing.len + g->text.len + 10 > g->missing.max) {
        g->group.is_cut = true;
        return 0;
    }
    buf_add_lstr(&g->missing, buf_bytes(&g->text));
    return 0;
}

static size_t without_doubles(uint64_t *at, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (!kept || at[kept - 1] != at[i]) at[kept++] = at[i];
    return kept;
}

static void sort_pairs(struct giving *g)
{
    sort_u64(g->pairs, g->spare, g->n);
    g->n = without_doubles(g->pairs, g->n);
}

/* Room for one more; a list that names the same again and again takes no more than its different members. */
static void make_room(struct giving *g)
{
    if (g->n < g->cap) return;
    sort_pairs(g);
    if (g->n < g->cap / 2) return;
    g->cap = g->cap ? g->cap * 2 : 4096;
    g->pairs = x_realloc(g->pairs, g->cap * sizeof *g->pairs);
    free(g->spare);
    g->spare = x_alloc(g->cap * sizeof *g->spare);
}

static int take_number(struct roster *r, struct giving *g, struct tape_reader *in, struct err *e)
{
    struct bytes b;
    uint32_t number;
    try(tape_next(in, sizeof number, &b, e));
    memcpy(&number, b.ptr, sizeof number);
    if (r->who[number]) {
        make_room(g);
        g->pairs[g->n++] = r->who[number];
        return 0;
    }
    g->group.n_missing++;
    return add_missing_text(r, g, number, e);
}

static int give_one(struct roster *r, struct giving *g, struct tape_reader *in, roster_each *each, void *ctx,
                    struct err *e)
{
    struct bytes b;
    uint32_t head[2];
    try(tape_next(in, sizeof head, &b, e));
    memcpy(head, b.ptr, sizeof head);
    buf_clear(&g->missing);
    g->n = 0;
    g->group = (struct roster_group){.seq = head[0]};
    for (uint32_t i = 0; i < head[1]; i++) try(take_number(r, g, in, e));
    sort_pairs(g);
    g->group.pairs = g->pairs;
    g->group.n_pairs = g->n;
    g->group.missing = buf_bytes(&g->missing);
    return each(ctx, &g->group, e);
}

int roster_lists(struct roster *r, roster_each *each, void *ctx, struct err *e)
{
    struct giving g = {.missing = buf_new(MISSING_MAX), .text = buf_new(MISSING_MAX)};
    struct tape_reader in = tape_reader_new(&r->lists, 0, tape_length(&r->lists));
    int rc = 0;
    while (rc == 0 && !tape_reader_done(&in)) rc = give_one(r, &g, &in, each, ctx, e);
    tape_reader_free(&in);
    buf_free(&g.missing);
    buf_free(&g.text);
    free(g.pairs);
    free(g.spare);
    return rc;
}
