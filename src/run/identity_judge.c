/* Candidates: which rule found them, how sure it is, which of them are in conflict. */
#include "base/hash.h"
#include "run/identity_int.h"

#include <stdlib.h>

/* --- keys ----------------------------------------------------------------------------------------------- */

static int by_key(const void *a, const void *b)
{
    const struct key *x = a, *y = b;
    int c = COMPARE(x->hash, y->hash);
    if (!c) c = COMPARE(x->check, y->check);
    return c ? c : COMPARE(x->person, y->person);
}

void identity_sort_keys(struct buf *keys)
{
    if (keys->len) qsort(keys->ptr, N_ROWS(key, *keys), sizeof(struct key), by_key);
}

static bool is_same_key(const struct key *a, const struct key *b)
{
    return a->hash == b->hash && a->check == b->check;
}

void identity_find_keys(const struct buf *keys, struct hash128 hash, size_t *from, size_t *to)
{
    const struct key *k = ROWS(key, *keys), want = {.hash = hash.lo, .check = (uint32_t)hash.hi};
    size_t first, n = N_ROWS(key, *keys);
    LOWER_BOUND(first, n, by_key(&k[first], &want) < 0);
    *from = *to = first;
    while (*to < n && is_same_key(&k[*to], &want)) ++*to;
}

/* Where the keys end that are equal to k[i] and of persons of its tenant. */
static size_t end_of_tenant(const struct key *k, size_t i, size_t n, const struct person *p)
{
    size_t end = i + 1;
    while (end < n && is_same_key(&k[end], &k[i]) && p[k[end].person].connector == p[k[i].person].connector)
        end++;
    return end;
}

void identity_drop_shared_keys(struct buf *keys, struct buf *persons)
{
    struct key *k = ROWS(key, *keys);
    struct person *p = ROWS(person, *persons);
    size_t n = N_ROWS(key, *keys), kept = 0;
    for (size_t i = 0, end; i < n; i = end) {
        end = end_of_tenant(k, i, n, p);
        bool is_shared = k[end - 1].person != k[i].person; /* one person may have a value twice */
        if (!is_shared) k[kept++] = k[i];
        for (size_t j = i; is_shared && j < end; j++) p[k[j].person].flags |= PERSON_AMBIGUOUS;
    }
    keys->len = kept * sizeof *k;
}

/* --- order of candidates -------------------------------------------------------------------------------- */

/* For judging: candidates of one person, the same object read by two connectors side by side. */
static int by_person_and_guid(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    int c = COMPARE(x->person, y->person);
    if (!c) c = COMPARE(x->ad_guid, y->ad_guid);
    return c ? c : COMPARE(x->ad, y->ad);
}

/* For telling: the same every time, which the hash of a GUID is not. */
static int by_person(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    int c = COMPARE(x->person, y->person);
    if (!c) c = COMPARE(x->ad_connector, y->ad_connector);
    return c ? c : COMPARE(x->ad, y->ad);
}

static int by_ad(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    int c = COMPARE(x->ad_connector, y->ad_connector);
    if (!c) c = COMPARE(x->ad, y->ad);
    return c ? c : COMPARE(x->person, y->person);
}

/* Persons of one tenant have neighbouring numbers. */
static int by_guid(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    int c = COMPARE(x->ad_guid, y->ad_guid);
    return c ? c : COMPARE(x->person, y->person);
}

static void sort(struct buf *candidates, int (*order)(const void *, const void *))
{
    if (candidates->len)
        qsort(candidates->ptr, N_ROWS(candidate, *candidates), sizeof(struct candidate), order);
}

void identity_sort_by_person(struct buf *candidates)
{
    sort(candidates, by_person);
}

void identity_sort_by_ad(struct buf *candidates)
{
    sort(candidates, by_ad);
}

/* --- one person's candidates ------------------------------------------------------------------------- */

static unsigned found_by_any(const struct candidate *c, size_t n)
{
    unsigned found = 0;
    for (size_t i = 0; i < n; i++) found |= c[i].found;
    return found;
}

/* A SID is its owner's before it is in somebody's history, and an anchor that was written before a GUID that
 * looks like it. */
static size_t drop_weaker(struct candidate *c, size_t n)
{
    unsigned found = found_by_any(c, n), weak = 0;
    size_t kept = 0;
    if (found & FOUND(SID)) weak |= FOUND(SID_HISTORY);
    if (found & FOUND(CONSISTENCY_GUID)) weak |= FOUND(OBJECT_GUID);
    for (size_t i = 0; i < n; i++) {
        bool was_custom = !c[i].found;
        c[i].found &= (uint8_t)~weak;
        if (c[i].found || was_custom) c[kept++] = c[i];
    }
    return kept;
}

/* How many different AD objects were found in one of these ways; same guid: the same object, read by two
 * connectors. */
static size_t count_objects(const struct candidate *c, size_t n, unsigned found)
{
    size_t objects = 0;
    const struct candidate *last = NULL;
    for (size_t i = 0; i < n; i++) {
        if (found && !(c[i].found & found)) continue;
        if (!last || last->ad_guid != c[i].ad_guid) objects++;
        last = &c[i];
    }
    return objects;
}

static void judge_person(struct candidate *c, size_t n)
{
    if (count_objects(c, n, 0) < 2) return;
    bool each_names_one = count_objects(c, n, FOUND_BY_SID) == 1 && count_objects(c, n, FOUND_BY_ANCHOR) == 1;
    for (size_t i = 0; i < n; i++)
        c[i].conflict = each_names_one ? IDENTITY_KEYS_DISAGREE : IDENTITY_SEVERAL_AD;
}

/* --- marks ------------------------------------------------------------------------------------------- */

static void name_rule(struct candidate *c)
{
    for (uint8_t i = 0; c->found && i < FOUND_BUILTIN_COUNT; i++) {
        if (!(c->found >> i & 1)) continue;
        c->rule = i;
        return;
    }
}

/* The other key: one that found the same object confirms, one that ought to have and did not contradicts. */
static void weigh_keys(struct candidate *c, const struct person *p)
{
    if (!c->found) return;
    bool sid = c->found & FOUND_BY_SID, anchor = c->found & FOUND_BY_ANCHOR;
    if (sid && anchor)
        c->confirmed |=
            (uint8_t)((FOUND_BY_SID >> c->rule) & 1 ? IDENTITY_MARK(IMMUTABLE_ID) : IDENTITY_MARK(SID));
    if (sid && !anchor && p->flags & PERSON_GUID_ANCHOR) c->contradicted |= IDENTITY_MARK(IMMUTABLE_ID);
    if (anchor && !sid && p->flags & PERSON_HAS_SID) c->contradicted |= IDENTITY_MARK(SID);
}

unsigned identity_base_confidence(unsigned builtin)
{
    return builtin <= FOUND_CONSISTENCY_GUID ? 100 : 95;
}

unsigned identity_confidence(const struct candidate *c, unsigned base)
{
    unsigned value = c->confirmed ? base + 5 : base,
             less = 10 * (unsigned)__builtin_popcount(c->contradicted);
    if (value > 100) value = 100;
    return value > less ? value - less : 1;
}

/* --- all of them ------------------------------------------------------------------------------------- */

static void judge_persons(struct buf *candidates)
{
    struct candidate *c = ROWS(candidate, *candidates);
    size_t n = N_ROWS(candidate, *candidates), kept = 0;
    sort(candidates, by_person_and_guid);
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i; end < n && c[end].person == c[i].person; end++) {
        }
        size_t left = drop_weaker(&c[i], end - i);
        judge_person(&c[i], left);
        memmove(&c[kept], &c[i], left * sizeof *c);
        kept += left;
    }
    candidates->len = kept * sizeof *c;
}

/* The candidates of one AD object in one tenant. */
static void judge_object(struct candidate *c, size_t n)
{
    bool several = c[n - 1].person != c[0].person;
    for (size_t i = 0; several && i < n; i++)
        if (!c[i].conflict) c[i].conflict = IDENTITY_SEVERAL_ENTRA;
}

static void judge_objects(struct buf *candidates, const struct person *p)
{
    struct candidate *c = ROWS(candidate, *candidates);
    size_t n = N_ROWS(candidate, *candidates);
    sort(candidates, by_guid);
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i; end < n && c[end].ad_guid == c[i].ad_guid &&
                      p[c[end].person].connector == p[c[i].person].connector;
             end++) {
        }
        judge_object(&c[i], end - i);
    }
}

void identity_judge(struct buf *candidates, const struct buf *persons)
{
    const struct person *p = ROWS(person, *persons);
    judge_persons(candidates);
    judge_objects(candidates, p);
    struct candidate *c = ROWS(candidate, *candidates);
    for (size_t i = 0; i < N_ROWS(candidate, *candidates); i++) {
        name_rule(&c[i]);
        weigh_keys(&c[i], &p[c[i].person]);
    }
}
