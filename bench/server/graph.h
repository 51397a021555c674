/* graph.h - what the replay server keeps in memory: who is in which group, and the descriptors that objects share. */
#ifndef BENCH_GRAPH_H
#define BENCH_GRAPH_H

#include "encode.h"

enum { N_DESCRIPTORS = 60, RID_USERS = 1200, RID_GROUPS = 20000000, RID_COMPUTERS = 30000000 };

extern struct blob descriptors[N_DESCRIPTORS];
extern uint32_t *user_first, *user_groups;        /* CSR: the groups of each user */
extern uint32_t *group_first, *group_users;       /* CSR: the users of each group */
extern uint32_t *parent, *child_first, *children; /* nested groups; parent 0 is none */

void build_graph(void);

#endif
