#include "source/graph/graph_source.h"

int graph_check(const struct job *j, struct emit *m, struct err *e)
{
    return err_set(e, ERR_INPUT, "check of entra_id is being built");
}
