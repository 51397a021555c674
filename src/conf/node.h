/* node.h - a YAML document as a small tree that remembers where everything was written.
 *
 * A strict subset of YAML 1.1: maps, lists and scalars. Anchors, aliases, tags, merge keys, complex or
 * duplicate keys and second documents are refused, because each of them lets a file mean something else than
 * it seems to say. A scalar is text and nothing more: what `yes`, `007` or `1e3` mean is decided by the
 * specification of the key (conf/spec.c), never by its spelling. Bounded: 1 MiB, 16 levels, 100,000 values;
 * built without recursion. Internal to conf/.
 */
#ifndef ROLLCALL_CONF_NODE_H
#define ROLLCALL_CONF_NODE_H

#include "base/arena.h"
#include "base/err.h"

#include <jansson.h>

#define NODE_MAX_BYTES  (1024 * 1024)
#define NODE_MAX_DEPTH  16
#define NODE_MAX_VALUES 100000
#define NODE_MAX_KEY    256
#define NODE_ARENA_MAX  (64 * 1024 * 1024)

enum node_type { NODE_SCALAR, NODE_LIST, NODE_MAP };

struct node {
    enum node_type type;
    bool is_plain;   /* a scalar without quotes */
    struct str text; /* of a scalar; UTF-8 without NUL */
    struct str key;  /* in a map: NUL-terminated behind len, and where it stands */
    int key_line, key_column;
    int line, column;   /* of the value, from 1; 0: not from a file */
    const char *origin; /* "ROLLCALL_STORE" where the value came from elsewhere; NULL: the file */
    struct node *first, *last, *next; /* children of a list or map; the next sibling */
};

/* ERR_INPUT "NAME:3:1: ..."; an empty document gives an empty map. Everything lives in the arena (max
 * NODE_ARENA_MAX). */
int node_parse(struct node **out, struct arena *a, struct str yaml, const char *name, struct err *e) must_use;
/* A settings value as a tree without places: a scalar, a list, or lists and maps of scalars; ERR_INPUT:
 * anything deeper. */
int node_from_json(struct node **out, struct arena *a, const json_t *value, struct err *e) must_use;

struct node *node_scalar(struct arena *a, struct str text);
void node_append(struct node *parent, struct node *child);
struct node *node_find(const struct node *map, struct str key); /* NULL if absent */

/* What messages are written with: the file, or the words that stand for a place without lines. */
struct node_place {
    const char *file;  /* NULL: no file */
    const char *where; /* "corp"; NULL or empty: nothing */
    struct err *e;
};
/* "FILE:3:7: ..." at the node's value, "VARIABLE: ..." or "WHERE: ..."; returns ERR_INPUT. */
int node_fail(const struct node_place *p, const struct node *at, const char *fmt, ...) printf_like(3, 4);
/* The same at the node's key. */
int node_fail_key(const struct node_place *p, const struct node *at, const char *fmt, ...) printf_like(3, 4);
/* At a key that nobody knows; meant: what it was to be, or NULL. */
int node_fail_unknown(const struct node_place *p, const struct node *at, const char *meant);

/* s in single quotes, at most 60 bytes of it, control characters as '?': for messages. Returns out. */
#define NODE_SHOWN 72
const char *node_show(char out[NODE_SHOWN], struct str s);

#endif
