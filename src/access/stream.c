#include "access/stream.h"

#include "access/answer.h"
#include "access/world_int.h"

#include <roaring/roaring.h>
#include <stdlib.h>

#define VOICES_MAX 4096 /* ACEs that allow one right; a DACL is at most 64 KiB */

struct voice { /* an ACE that allows the right */
    struct ace ace;
    unsigned number;
    uint32_t trustee;
    const struct sets_who *who; /* NULL: a single account, or nobody */
    uint32_t origin;
    bool has_origin;            /* origin was looked for */
};
struct stream {
    const struct world *w;
    struct sets *sets;
    enum access_rule rule;
    unsigned options;
    uint32_t object;
    struct right right;
    struct access_object o;
    struct sets_who who;
    roaring_bitmap_t *rows;   /* accounts to be told */
    roaring_uint32_iterator_t next;
    uint64_t n_everybody;     /* accounts that are not: */
    struct stream_row everybody;
    struct voice *voices;
    size_t n_voices, cap_voices;
    unsigned n_aces;
    bool is_open, is_exact; /* is_exact: each account by its token */
    bool is_owned, is_null;
    struct voice owner;
    struct world_token token;
    struct closed { uint32_t connector, group; struct sets_who *who; } *closed; /* members of trustees, asked for once */
    size_t n_closed, cap_closed;
    struct hmap at;
    struct hmap past;         /* SIDs of histories */
};

void stream_open(struct stream **out, const struct world *w, struct sets *sets, enum access_rule rule, unsigned options)
{
    *out = x_zalloc(sizeof **out);
    (*out)->w = w;
    (*out)->sets = sets;
    (*out)->rule = rule;
    (*out)->options = options;
    for (size_t i = 0; i < w->index->n_history; i++) {
        bool is_new;
        hmap_put(&(*out)->past, hash128_fast(w->index->history[i].sid), &is_new);
    }
}

static void end(struct stream *s)
{
    if (!s->is_open) return;
    sets_close(&s->who);
    roaring_bitmap_free(s->rows);
    s->rows = NULL;
    s->n_everybody = 0;
    s->is_open = false;
    s->n_voices = 0;
}

void stream_close(struct stream *s)
{
    if (!s) return;
    end(s);
    for (size_t i = 0; i < s->n_closed; i++) {
        sets_close(s->closed[i].who);
        free(s->closed[i].who);
    }
    free(s->closed);
    free(s->voices);
    hmap_free(&s->at);
    hmap_free(&s->past);
    world_token_free(&s->token);
    free(s);
}

/* --- whom an ACE names ---------------------------------------------------------------------------------- */

static const struct sets_who *members_of(struct stream *s, uint32_t group)
{
    bool is_new;
    uint32_t key[2] = {s->w->objects[s->object].connector, group};
    uint32_t *at = hmap_put(&s->at, hash128_fast(BYTES_OF(key)), &is_new);
    if (!is_new) return s->closed[*at].who;
    GROW(s->closed, s->n_closed, s->cap_closed, 64);
    *at = (uint32_t)s->n_closed;
    struct closed *c = &s->closed[s->n_closed++];
    *c = (struct closed){key[0], group, x_zalloc(sizeof *c->who)};
    sets_members(c->who, s->sets, group, key[0]);
    return c->who;
}

static void name_trustee(struct stream *s, struct voice *v, struct bytes sid)
{
    enum access_trustee kind = access_trustee_kind(sid);
    if (kind == TRUSTEE_OWNER) {
        sid = s->o.sd->owner;
        kind = access_trustee_kind(sid) == TRUSTEE_OWNER ? TRUSTEE_NOBODY : access_trustee_kind(sid);
    }
    if (kind == TRUSTEE_SELF) sid = s->o.sid;
    v->trustee = kind == TRUSTEE_NOBODY ? NOBODY : world_principal_by_sid(s->w, sid);
    v->who = v->trustee == NOBODY ? NULL : members_of(s, v->trustee);
    /* A SID that is nobody's any more may be in somebody's history. */
    s->is_exact |= v->trustee == NOBODY && kind != TRUSTEE_NOBODY && hmap_find(&s->past, hash128_fast(sid));
}

static bool is_in(const struct voice *v, uint32_t account)
{
    return v->who && account != NOBODY && roaring_bitmap_contains(v->who->bitmap, account);
}

/* --- one object and right --------------------------------------------------------------------------------- */

static void listen(struct stream *s)
{
    struct bytes rest = s->o.sd->dacl;
    struct ace a;
    for (s->n_aces = 0; sd_next_ace(&rest, &a); s->n_aces++) {
        if (access_ace_speaks(&a, &s->o, &s->right) != ACE_ALLOWS || s->n_voices == VOICES_MAX) continue;
        GROW(s->voices, s->n_voices, s->cap_voices, 16);
        struct voice *v = &s->voices[s->n_voices++];
        *v = (struct voice){.ace = a, .number = s->n_aces, .origin = NOBODY};
        name_trustee(s, v, a.trustee);
    }
}

static void see_owner(struct stream *s)
{
    s->is_owned = s->right.bit & (RIGHT_READ_CONTROL | RIGHT_WRITE_DAC) && s->o.sd->owner.len && !access_has_owner_rights(s->o.sd);
    if (!s->is_owned) return;
    s->owner = (struct voice){.origin = NOBODY, .has_origin = true};
    name_trustee(s, &s->owner, s->o.sd->owner); /* SELF is possible */
    s->is_exact |= access_blocks_owner(&s->o);
}

static void fill(struct stream *s, struct stream_row *row, struct voice *v)
{
    if (!v->has_origin) {
        v->origin = why_origin(s->w, s->object, &v->ace);
        v->has_origin = true;
    }
    row->ace = v->number;
    row->trustee = v->trustee;
    row->inherited_from = v->origin;
    row->is_inherited = v->ace.flags & ACE_INHERITED;
}

/* Only who is named before everybody is; for the others there is one row. */
static void take_everybody_out(struct stream *s)
{
    roaring_bitmap_t *before = roaring_bitmap_create();
    uint64_t n = roaring_bitmap_get_cardinality(s->rows);
    size_t i = 0;
    s->everybody = (struct stream_row){.principal = s->w->implicit[0], .trustee = NOBODY, .inherited_from = NOBODY, .n_aces = s->n_aces};
    s->everybody.reason = s->is_null ? ACCESS_NULL_DACL : ACCESS_BY_ACE;
    if (s->is_owned && s->owner.who) roaring_bitmap_or_inplace(before, s->owner.who->bitmap);
    for (; !s->is_null && i < s->n_voices && !world_is_implicit(s->w, s->voices[i].trustee); i++)
        if (s->voices[i].who) roaring_bitmap_or_inplace(before, s->voices[i].who->bitmap);
    if (s->is_null || i < s->n_voices) {
        if (!s->is_null) fill(s, &s->everybody, &s->voices[i]);
        if (!s->is_null) s->everybody.principal = s->voices[i].trustee;
        roaring_bitmap_and_inplace(s->rows, before);
        s->n_everybody = n - roaring_bitmap_get_cardinality(s->rows);
    }
    roaring_bitmap_free(before);
}

static void choose_rows(struct stream *s)
{
    s->rows = s->who.bitmap ? roaring_bitmap_copy(s->who.bitmap) : roaring_bitmap_create();
    if (s->right.is_typed && s->options & STREAM_WITHOUT_WHOLE) {
        struct sets_who whole;
        struct right r = {.bit = s->right.bit};
        sets_who_can(&whole, s->sets, s->object, &r, s->rule);
        if (whole.bitmap) roaring_bitmap_andnot_inplace(s->rows, whole.bitmap);
        sets_close(&whole);
    }
}

bool stream_begin(struct stream *s, uint32_t object, const struct right *r)
{
    end(s);
    s->object = object;
    s->right = *r;
    world_access_object(&s->o, s->w, object);
    if (!s->o.sd) return false;
    sets_who_can(&s->who, s->sets, object, r, s->rule);
    s->is_open = true;
    s->is_exact = s->who.is_conditional;
    s->is_null = !s->o.sd->has_dacl || s->o.sd->is_null_dacl;
    choose_rows(s);
    if (!s->is_null && !roaring_bitmap_is_empty(s->rows)) {
        see_owner(s);
        listen(s);
    }
    if (s->options & STREAM_ONE_FOR_ALL && !s->is_exact) take_everybody_out(s);
    roaring_init_iterator(s->rows, &s->next);
    return true;
}

static int fill_exactly(struct stream *s, struct stream_row *row, struct err *e)
{
    struct why y;
    try(world_token(&s->token, s->w, row->principal, s->w->objects[s->object].connector, e));
    why_make(&y, s->w, &s->token, row->principal, s->object, &s->right, s->rule);
    row->reason = y.verdict.reason;
    row->is_conditional = y.verdict.is_conditional;
    row->ace = y.verdict.ace;
    row->trustee = y.trustee;
    row->inherited_from = y.inherited_from;
    row->is_inherited = row->reason == ACCESS_BY_ACE && y.ace.flags & ACE_INHERITED;
    return 1;
}

int stream_next(struct stream *s, struct stream_row *row, struct err *e)
{
    *row = (struct stream_row){.trustee = NOBODY, .inherited_from = NOBODY, .reason = ACCESS_BY_ACE, .n_aces = s->n_aces};
    if (!s->is_open || !s->next.has_value) return 0;
    uint32_t account = s->next.current_value;
    row->principal = sets_principal(s->sets, account);
    roaring_advance_uint32_iterator(&s->next);
    if (s->is_null) {
        row->reason = ACCESS_NULL_DACL;
        return 1;
    }
    if (s->is_exact) return fill_exactly(s, row, e);
    if (s->is_owned && is_in(&s->owner, account)) {
        row->reason = ACCESS_IMPLICIT_OWNER;
        row->trustee = s->owner.trustee;
        return 1;
    }
    for (size_t i = 0; i < s->n_voices; i++) {
        if (!is_in(&s->voices[i], account)) continue;
        fill(s, row, &s->voices[i]);
        return 1;
    }
    return fill_exactly(s, row, e);
}

uint64_t stream_everybody(const struct stream *s, struct stream_row *row)
{
    *row = s->everybody;
    return s->is_open ? s->n_everybody : 0;
}
