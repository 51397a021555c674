/* graph_pages.h - one collection, page by page: value[] and @odata.nextLink until there is none.
 *
 * A page may be short or empty and still have a next one. A page token that dies starts this collection anew, and this one alone. What
 * a chain of pages must not do is an error: lead elsewhere, come back to a page it was at, never end.
 */
#ifndef ROLLCALL_GRAPH_PAGES_H
#define ROLLCALL_GRAPH_PAGES_H

#include "base/hash.h"
#include "source/graph/graph_client.h"

struct graph_pages {
    /* set by the caller */
    struct graph_client *client;
    enum graph_bucket bucket;
    bool is_advanced, is_minimal;
    const char *what, *permissions; /* for messages; borrowed */
    const char *name;               /* "members of 1b2c...": also in messages, if set; borrowed */
    int (*object)(void *ctx, const json_t *item, struct err *e); /* for each element of value[] */
    int (*restart)(void *ctx, struct err *e);                    /* forget what was given so far */
    /* It is over: p->rc 0, or negative with p->why and p->failure. Frees nothing: call graph_pages_free there or later. */
    int (*end)(void *ctx, struct graph_pages *p, struct err *e);
    void *ctx;
    /* what came out */
    int rc;
    struct err why;
    struct graph_failure failure;
    char *delta_link; /* NULL: none; its host was checked */
    char *location;   /* of a 410, checked; NULL: none */
    int64_t count;    /* @odata.count; -1: not told */
    uint64_t n_objects, n_pages;
    unsigned n_restarts;
    /* its own */
    char *first;
    struct hmap links;
    unsigned n_empty;
};

/* Asks for the first page; the rest follows by itself. */
int graph_pages_start(struct graph_pages *p, const char *url, struct err *e) must_use;
void graph_pages_free(struct graph_pages *p);

#endif
