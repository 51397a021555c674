/* export_graph.h - the dialects of export that are graphs: bloodhound, opengraph.
 */
#ifndef ROLLCALL_CMD_EXPORT_GRAPH_H
#define ROLLCALL_CMD_EXPORT_GRAPH_H

#include "cmd/cli.h"

bool export_is_graph(struct str dialect);
/* to: FILE.zip, or a directory. EXIT_PARTIAL if descriptors are missing. */
int export_graph(struct cli *c, struct str connector, struct str dialect, const char *to,
                 struct err *e) must_use;

#endif
