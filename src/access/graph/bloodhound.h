/* bloodhound.h - a directory as a graph for BloodHound: its collectors' JSON files (version 6), or OpenGraph.
 *
 * Ids are those of the collectors, so that it can be loaded beside what they found: SIDs; well-known SIDs
 * behind the domain's name; upper-case objectGUIDs of OUs, containers and policies. Edges of access control
 * entries come in two variants: as the collectors tell them, one for each allowing entry; or effective ones,
 * only what the trustee really holds (check.h), with denies, order, property sets and class GUIDs looked at.
 * Streams: memory is the world (world.h) and a table of places and hosts.
 */
#ifndef ROLLCALL_ACCESS_BLOODHOUND_H
#define ROLLCALL_ACCESS_BLOODHOUND_H

#include "store/store.h"

struct graph_options {
    struct str connector;
    bool is_effective;
};
/* Where files go, one after the other. */
struct graph_out {
    int (*file)(void *ctx, const char *name, struct err *e); /* begins one; the one before is whole */
    struct buf *(*buf)(void *ctx);                           /* of the last one */
    int (*wrote)(void *ctx, uint64_t rows, struct err *e);   /* after appending */
    void *ctx;
};
struct graph_counts {
    uint64_t n_nodes, n_edges; /* edges: those of access control entries */
    uint64_t
        n_without_sd; /* objects whose descriptor was not read, or is malformed: their edges are missing */
};
int bloodhound_write(struct store *s, const struct graph_options *o, const struct graph_out *out,
                     struct graph_counts *n, struct err *e) must_use;
/* One file, opengraph.json. */
int opengraph_write(struct store *s, const struct graph_options *o, const struct graph_out *out,
                    struct graph_counts *n, struct err *e) must_use;

#endif
