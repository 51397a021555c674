/* csv4_columns.h - csv4.yaml: which columns the four files of dialect csv4 have, in which order, under which titles.
 *
 *     users: [id, userPrincipalName, {property: displayName, title: Name}]   # likewise groups, members, owners
 *     delimiter: ";"                                                        # , ; | or tab
 *     encoding: utf-8-bom                                                   # utf-8 or utf-8-bom
 *     file_domain: contoso.example                                          # what the files' names begin with
 * A list that is not there is as shipped. Which properties there are is the dialect's affair. Errors name line and column.
 */
#ifndef ROLLCALL_CONF_CSV4_COLUMNS_H
#define ROLLCALL_CONF_CSV4_COLUMNS_H

#include "base/arena.h"
#include "base/err.h"

enum csv4_file { CSV4_USERS, CSV4_GROUPS, CSV4_MEMBERS, CSV4_OWNERS, CSV4_FILES };

struct csv4_column {
    struct str property, title; /* title empty: the property's own name */
};
struct csv4_columns {
    struct arena text;
    struct {
        struct csv4_column *columns;
        size_t n; /* 0: as shipped */
    } files[CSV4_FILES];
    char delimiter; /* 0: comma */
    bool with_mark; /* a byte order mark in front */
    struct str file_domain;
};

int csv4_columns_load(struct csv4_columns *out, const char *path, struct err *e) must_use;
/* The same from memory; `name` stands for the file in messages. */
int csv4_columns_parse(struct csv4_columns *out, struct str yaml, const char *name, struct err *e) must_use;
void csv4_columns_free(struct csv4_columns *c); /* legal on a zeroed one */

#endif
