/* graph_holders.h - groups (or administrative units) and, as they come in, the lists of their members and owners.
 *
 * The lists of many come in at once, page by page, so each list is a chain of pages on one tape. A list that starts anew just forgets
 * its chain. About 60 bytes a group stay in memory.
 */
#ifndef ROLLCALL_GRAPH_HOLDERS_H
#define ROLLCALL_GRAPH_HOLDERS_H

#include "base/arena.h"
#include "base/hash.h"
#include "base/tape.h"
#include "source/source.h"

enum graph_list { GRAPH_MEMBERS, GRAPH_OWNERS, GRAPH_LISTS };

struct holder {
    uint8_t guid[GUID_SIZE];
    uint64_t last[GRAPH_LISTS]; /* place of its last page on the tape, plus 1; 0: none */
    uint64_t n[GRAPH_LISTS];
    bool is_hidden;  /* HiddenMembership */
    bool is_absent;  /* gone since it was listed */
    bool is_lacking[GRAPH_LISTS]; /* a list is not all of it */
    char *name;      /* of an administrative unit: displayName, for the scopes of roles; else NULL */
};
struct holders {
    enum kind kind;
    struct tape records, pages; /* u32 length . record; u64 before . u32 n . u32 length . lstr ids */
    struct holder *list;
    size_t n, cap;
    struct hmap by_guid;
};

void holders_init(struct holders *h, enum kind k);
void holders_free(struct holders *h);
/* One that was added already is ignored. */
int holders_add(struct holders *h, const struct record *r, struct holder **out, struct err *e) must_use;
struct holder *holders_find(const struct holders *h, const uint8_t guid[GUID_SIZE]); /* NULL: none */
int holders_forget(struct holders *h, struct err *e) must_use; /* all */
/* A page of one list: ids as a block of lstr. */
int holders_page(struct holders *h, size_t i, enum graph_list which, uint32_t n, struct bytes block, struct err *e) must_use;
void holders_forget_list(struct holders *h, size_t i, enum graph_list which);
/* Calls each for the ids of a list. */
int holders_ids(const struct holders *h, size_t i, enum graph_list which, int (*each)(void *ctx, struct str id, struct err *e), void *ctx,
                struct err *e) must_use;
/* Sends all that are not absent, owners among their attributes, members behind them. *n counts. */
int holders_emit(struct holders *h, struct emit *m, uint64_t *n, struct err *e) must_use;

#endif
