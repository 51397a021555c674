/* source.c - which sources there are. */
#include "source/source.h"

static const struct source *const sources[] = {&source_active_directory, &source_entra_id};

const struct source *source_find(struct str type)
{
    for (size_t i = 0; i < n_elements(sources); i++)
        if (str_equal(type, str_from(sources[i]->type))) return sources[i];
    return NULL;
}
