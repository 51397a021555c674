#include "net/secret_json.h"

#include "base/secret.h"

#include <malloc.h>
#include <pthread.h>

static _Thread_local bool is_wiping;
static json_malloc_t alloc_before;
static json_free_t free_before;

static void free_here(void *p)
{
    if (p && is_wiping) secret_wipe(p, malloc_usable_size(p));
    free_before(p);
}

static void install(void)
{
    json_get_alloc_funcs(&alloc_before, &free_before);
    json_set_alloc_funcs(alloc_before, free_here);
}

static void begin(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, install);
    is_wiping = true;
}

json_t *secret_json_load(struct bytes text)
{
    begin();
    json_t *j = json_loadb((const char *)text.ptr, text.len, JSON_REJECT_DUPLICATES, NULL);
    if (j && !json_is_object(j)) {
        json_decref(j);
        j = NULL;
    }
    is_wiping = false;
    return j;
}

void secret_json_drop(json_t *j)
{
    begin();
    json_decref(j);
    is_wiping = false;
}

char *secret_json_write(const json_t *j)
{
    begin();
    char *text = json_dumps(j, JSON_COMPACT);
    is_wiping = false;
    if (!text) x_out_of_memory();
    return text;
}

void secret_json_free_text(char *text)
{
    begin();
    free_here(text);
    is_wiping = false;
}
