#include "access/sets_int.h"
int sets_update(struct sets *s, const struct world *later, struct err *e)
{
    (void)s; (void)later;
    return err_set(e, ERR_CONFLICT, "not yet");
}
