/* help.c - routes of the manual pages. */
#include "api/help.h"

#include "api/http.h"

static int list_pages(struct request *q, struct err *e)
{
    json_t *items = json_array();
    for (size_t i = 0; i < n_help_pages; i++) json_array_append_new(items, json_pack("{s:s, s:s}", "name", help_pages[i].name, "title", help_pages[i].title));
    return reply_json(q, 200, json_pack("{s:o, s:n}", "items", items, "next"));
}

static int get_page(struct request *q, struct err *e)
{
    for (size_t i = 0; i < n_help_pages; i++) {
        const struct help_page *p = &help_pages[i];
        if (strcmp(p->name, q->captured[0]) == 0) return reply_json(q, 200, json_pack("{s:s, s:s, s:s}", "name", p->name, "title", p->title, "html", p->html));
    }
    return err_set(e, ERR_NOTFOUND, "there is no manual page %.60s", q->captured[0]);
}

const struct route routes_help[] = {
    {"GET", "/api/v1/help", RIGHT_OPEN, list_pages, "The manual pages", NULL, NULL, 0, LANE_ANY},
    {"GET", "/api/v1/help/{page}", RIGHT_OPEN, get_page, "One manual page as HTML", NULL, NULL, 0, LANE_ANY},
    {0},
};
