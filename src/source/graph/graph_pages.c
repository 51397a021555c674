#include "source/graph/graph_pages.h"

#include <stdlib.h>

#define RESTARTS_MAX 5
#define EMPTY_MAX    1000u                 /* pages in a row that bring nothing, or nothing new */
#define PAGES_MAX    ((uint64_t)1 << 20)
#define SURPLUS      ((uint64_t)100000)    /* objects above twice the count that was told */

static int ask(struct graph_pages *p, const char *url, struct err *e);

static int finish(struct graph_pages *p, struct err *e)
{
    return p->end(p->ctx, p, e);
}

static int fail(struct graph_pages *p, struct err *e)
{
    p->rc = (int)p->why.class;
    if (p->name) err_wrap(&p->why, "%s", p->name);
    return finish(p, e);
}

static int fail_with(struct graph_pages *p, const char *text, struct err *e)
{
    err_set(&p->why, ERR_PROTO, "%s: page %llu: %s", p->what, (unsigned long long)p->n_pages, text);
    err_hint(&p->why, "run it again; if it stays so, is there a proxy between that rewrites answers?");
    return fail(p, e);
}

static void forget(struct graph_pages *p)
{
    hmap_free(&p->links);
    p->links = (struct hmap){0};
    p->n_objects = p->n_pages = 0;
    p->n_empty = 0;
    p->count = -1;
}

/* The page before took too long, or the service lost it: there is no way back into the middle. */
static int start_over(struct graph_pages *p, struct err *e)
{
    if (++p->n_restarts > RESTARTS_MAX) {
        err_hint(&p->why, "the page tokens of this collection died %d times: is the connection very slow?", RESTARTS_MAX);
        return fail(p, e);
    }
    forget(p);
    try(p->restart(p->ctx, e));
    return ask(p, p->first, e);
}

static bool is_new_link(struct graph_pages *p, const char *link)
{
    bool is_new;
    hmap_put(&p->links, hash128_fast(bytes_of(str_from(link))), &is_new);
    return is_new;
}

/* A page with the ids of one that was there before brings nothing new, whatever its link says. */
static bool is_new_page(struct graph_pages *p, const json_t *value)
{
    struct hash128 sum = {json_array_size(value), 0};
    size_t i;
    const json_t *one;
    bool is_new;
    json_array_foreach(value, i, one)
    {
        const char *id = json_string_value(json_object_get(one, "id"));
        struct hash128 h = hash128_fast(bytes_of(str_from(id ? id : "")));
        sum = hash128_fast((struct bytes){(const uint8_t *)(uint64_t[]){sum.lo, sum.hi, h.lo, h.hi}, 32});
    }
    hmap_put(&p->links, sum, &is_new);
    return is_new;
}

static bool is_endless(const struct graph_pages *p)
{
    if (p->n_empty > EMPTY_MAX || p->n_pages > PAGES_MAX) return true;
    return p->count >= 0 && p->n_objects > 2 * (uint64_t)p->count + SURPLUS;
}

/* A link that may be stored or followed. */
static int take_link(char **out, const struct graph_pages *p, const json_t *link, struct err *e)
{
    const char *text = json_string_value(link);
    if (!text) return err_set(e, ERR_PROTO, "a link that is no text");
    try(url_check_link(graph_client_base(p->client), str_from(text), e));
    free(*out);
    *out = x_strdup(str_from(text));
    return 0;
}

static int go_on(struct graph_pages *p, const json_t *body, struct err *e)
{
    const json_t *next = json_object_get(body, "@odata.nextLink"), *delta = json_object_get(body, "@odata.deltaLink");
    if (json_is_string(next)) {
        const char *link = json_string_value(next);
        if (!is_new_link(p, link)) return fail_with(p, "its nextLink leads back to a page that was read already", e);
        if (is_endless(p)) return fail_with(p, "the chain of pages does not end", e);
        return ask(p, link, e);
    }
    if (next && !json_is_null(next)) return fail_with(p, "its nextLink is no text", e);
    if (delta && take_link(&p->delta_link, p, delta, &p->why) < 0) return fail(p, e);
    return finish(p, e);
}

static int take_values(struct graph_pages *p, const json_t *body, struct err *e)
{
    const json_t *value = json_object_get(body, "value"), *one;
    size_t i;
    json_array_foreach(value, i, one) try(p->object(p->ctx, one, e));
    p->n_objects += json_array_size(value);
    p->n_empty = json_array_size(value) && is_new_page(p, value) ? 0 : p->n_empty + 1;
    p->n_pages++;
    return 0;
}

static int on_answer(void *ctx, const struct graph_answer *a, struct err *e)
{
    struct graph_pages *p = ctx;
    if (a->rc < 0) {
        p->why = *a->why;
        p->failure = *a->failure;
        free(p->location);
        p->location = NULL;
        if (a->location.len && url_check_link(graph_client_base(p->client), a->location, &(struct err){0}) == 0) p->location = x_strdup(a->location);
        return p->failure.fault == GRAPH_FAULT_RESTART_COLLECTION ? start_over(p, e) : fail(p, e);
    }
    p->failure = (struct graph_failure){.fault = GRAPH_FAULT_FATAL};
    const json_t *count = json_object_get(a->body, "@odata.count");
    if (json_is_integer(count) && p->count < 0) p->count = json_integer_value(count);
    try(take_values(p, a->body, e));
    return go_on(p, a->body, e);
}

static int ask(struct graph_pages *p, const char *url, struct err *e)
{
    struct graph_question q = {.bucket = p->bucket,
                               .is_advanced = p->is_advanced,
                               .is_minimal = p->is_minimal,
                               .url = url,
                               .what = p->what,
                               .permissions = p->permissions,
                               .done = on_answer,
                               .ctx = p};
    if (graph_client_ask(p->client, &q, &p->why) < 0) return fail(p, e);
    return 0;
}

int graph_pages_start(struct graph_pages *p, const char *url, struct err *e)
{
    p->first = x_strdup(str_from(url));
    p->count = -1;
    p->failure.fault = GRAPH_FAULT_FATAL;
    is_new_link(p, url);
    return ask(p, url, e);
}

void graph_pages_free(struct graph_pages *p)
{
    hmap_free(&p->links);
    free(p->first);
    free(p->delta_link);
    free(p->location);
    p->first = p->delta_link = p->location = NULL;
    p->links = (struct hmap){0};
}
