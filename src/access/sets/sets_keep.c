/* sets_keep.c - the file beside the store: used where it fits, brought up to date, kept.
 *
 * It comes into being with the first question, and from then on every run that changes something brings it up
 * to date: who never asks pays nothing, neither the time at the end of a run nor the memory of a world.
 */
#include "access/sets/sets_int.h"

#include <unistd.h>

static int built(struct sets **out, const struct world *w, const char **how, struct err *e)
{
    *how = "built";
    return sets_build(out, w, e);
}

/* The file's sets brought up to the world, or new ones. *how "unchanged": nothing is to be written. */
static int bring_up(struct sets **out, const struct world *w, const char *file, const char **how,
                    struct err *e)
{
    struct err why;
    bool is_same;
    if (sets_map(out, w, file, true, &is_same, &why) < 0) return built(out, w, how, e);
    *how = is_same ? "unchanged" : "updated";
    if (is_same || sets_update(*out, w, &why) == 0) return 0;
    sets_free(*out);
    return built(out, w, how, e);
}

static bool is_unchanged(const char *how)
{
    return how[0] == 'u' && how[1] == 'n';
}

int sets_get(struct sets **out, const struct world *w, struct str file, struct err *e)
{
    const char *how = "";
    struct err ignored; /* who may not write there, waits again the next time */
    if (!file.len) return sets_build(out, w, e);
    defer_free char *path = x_strdup(file);
    try(bring_up(out, w, path, &how, e));
    int written = is_unchanged(how) ? 0 : sets_write(*out, path, &ignored);
    (void)written;
    return 0;
}

int sets_refresh(struct store *store, const char *file, const char **how, struct err *e)
{
    struct world *w;
    struct sets *s;
    *how = "nobody asked";
    if (access(file, F_OK) != 0) return 0;
    try(world_read(&w, store, STR(""), e));
    int rc = bring_up(&s, w, file, how, e);
    if (rc == 0) {
        if (!is_unchanged(*how)) rc = sets_write(s, file, e);
        sets_free(s);
    }
    world_free(w);
    return rc < 0 ? err_wrap(e, "the access index %s", file) : 0;
}
