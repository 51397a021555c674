/* sets_keep.c - the file beside the store kept up to date. */
#include "access/sets_int.h"


static int built(struct sets **out, const struct world *w, const char **how, struct err *e)
{
    *how = "built";
    return sets_build(out, w, e);
}

/* The file's sets brought up to the world, or new ones. *how "unchanged": nothing is to be written. */
static int bring_up(struct sets **out, const struct world *w, const char *file, const char **how, struct err *e)
{
    struct err why;
    bool is_same;
    if (sets_map(out, w, file, true, &is_same, &why) < 0) return built(out, w, how, e);
    *how = is_same ? "unchanged" : "updated";
    if (is_same || sets_update(*out, w, &why) == 0) return 0;
    sets_free(*out);
    return built(out, w, how, e);
}

int sets_refresh(struct store *store, const char *file, const char **how, struct err *e)
{
    struct world *w;
    struct sets *s;
    *how = "";
    try(world_read(&w, store, STR(""), e));
    int rc = bring_up(&s, w, file, how, e);
    if (rc == 0) {
        if (!str_equal(str_from(*how), STR("unchanged"))) rc = sets_write(s, file, e);
        sets_free(s);
    }
    world_free(w);
    return rc < 0 ? err_wrap(e, "the access index") : 0;
}
