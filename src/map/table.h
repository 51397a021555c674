/* table.h - the engine under every dialect: a table of rows, compiled once, run for each entity.
 *
 * A row says where a value goes, who gets it, of which attribute, and since which version of the format:
 *     {"user.ldap_person.job_title", words, ATTR_TITLE},
 *     {"user.account.is_disabled", is_disabled, .since = V1_8},
 * Rows of one object stand together. An object or array is opened by the first of its rows that has a value,
 * so nothing empty is ever written. A path is made of keys and array elements
 * ("enrichments[1].data.job_title"). `lead_text` rows are constants that an object starts with if it is
 * opened at all; they stand before its other rows.
 *
 * table_compile drops the rows of other versions, quotes the keys, and joins constant neighbours to one piece
 * of text; running a program allocates nothing. For CSV a path is a column's name and every row makes a cell.
 */
#ifndef ROLLCALL_MAP_TABLE_H
#define ROLLCALL_MAP_TABLE_H

#include "map/map.h"
#include "map/text.h"
#include "model/sid.h"

struct row;
struct view;
struct cell;
/* Fills *out and returns true, or returns false: the entity has no such value. */
typedef bool get_fn(struct view *v, const struct row *row, struct cell *out);

/* Versions of OCSF as numbers; 0 as `since` is "ever", 0 as `before` is "still". */
enum {
    V1_1 = 10100,
    V1_2 = 10200,
    V1_3 = 10300,
    V1_4 = 10400,
    V1_5 = 10500,
    V1_6 = 10600,
    V1_7 = 10700,
    V1_8 = 10800
};

/* A number or a bit and its name. */
struct word {
    int64_t value;
    const char *text; /* NULL ends a list */
};

struct row {
    const char *path;
    get_fn *get;
    int arg; /* an attribute, or a number */
    unsigned since, before;
    const char *text; /* of a constant */
    const struct word *words;
    bool is_key;   /* CSV: a key column: never touched by the formula guard */
    bool is_extra; /* csv4: a column only for those who ask for it */
};

enum cell_type {
    CELL_TEXT,  /* UTF-8 that needs escaping */
    CELL_PLAIN, /* ASCII that needs none */
    CELL_INT,
    CELL_BOOL,
    CELL_TIME,   /* ms UTC; each dialect has its own spelling */
    CELL_PARTS,  /* view->parts, one after the other, as one text */
    CELL_JSON,   /* text is JSON already: constants */
    CELL_LIST,   /* texts, from view->list */
    CELL_ARRAY,  /* JSON only: items that cell.item writes */
    CELL_OBJECT, /* JSON only: members that cell.item writes */
    CELL_VALUE,  /* JSON only: one value, that cell.item writes if there is one */
};

struct cell {
    enum cell_type type;
    struct str text;
    int64_t number;
    /* Appends the next item; false at the end, with nothing appended. */
    bool (*item)(struct view *v, struct buf *out);
};

/* Where a list or array stands; each getter uses what it needs. */
struct list {
    bool (*next)(struct view *v, struct str *out);
    const struct row *row;
    struct cursor at;
    uint32_t left;
    size_t position;
    uint64_t bits;
    bool is_plain; /* items need no escaping */
};

enum time_format { TIME_MS, TIME_SECONDS, TIME_RFC3339 };

/* What a change event says happened: the class's activity. */
struct activity {
    unsigned id;
    const char *name;
};

#define VIEW_PARTS   5
#define VIEW_SCRATCH 4096

/* What getters look at: one subject (or one change), for one event. */
struct view {
    struct dialect *d; /* the one place that changes: its sequence */
    const struct subject *s;
    const struct record_index *r;
    const struct domain_info *domain;
    const struct change *change;
    struct activity activity;
    const struct ref *other; /* member or owner that a row is about */
    size_t start;            /* of the event in the buffer */
    bool is_second;          /* the further line of options.computers_as_users */
    bool is_tight;           /* second attempt at an event that was too long */
    bool is_cut;             /* something was left out for its length */
    struct list list;
    struct str parts[VIEW_PARTS];
    unsigned n_parts;
    const char *names[32];
    unsigned n_names;
    unsigned uid_len, sid_len;
    char uid[SID_TEXT], guid[GUID_TEXT], scratch[VIEW_SCRATCH];
};

/* Limits of one JSON event. Splunk cuts at 8 MiB, Security Lake's string_t ends at 65,535 characters. */
#define EVENT_MAX      ((size_t)8 << 20)
#define EVENT_LIST_MAX ((size_t)6 << 20) /* lists stop growing here */
#define TEXT_MAX       ((size_t)16 << 10)
#define TEXT_MAX_TIGHT ((size_t)1 << 10)

struct program;
/* Rows end with one whose path is NULL. Rows whose getter is one of fixed_* are evaluated now, with v->d
 * alone. A table that breaks the rules above aborts: it is a defect that the first test shows. */
struct program *table_compile(struct view *v, const struct row *rows, enum dialect_shape shape);
void program_free(struct program *p); /* NULL is legal */
/* For CSV: the columns; nothing is joined or evaluated, and a path is only a title. */
size_t program_columns(const struct program *p);
const struct row *program_column(const struct program *p, size_t i);
/* Appends one JSON object; false if no row had a value (nothing is appended then). */
bool program_json(const struct program *p, struct view *v, struct buf *out);
/* One JSON object and a line feed, kept below EVENT_MAX. ERR_LIMIT: out is full. */
int program_event(const struct program *p, struct view *v, struct buf *out, struct err *e) must_use;

/* --- constants: known when a dialect is opened --------------------------------------------------- */
get_fn fixed_text, fixed_number; /* row.text; row.arg */
get_fn fixed_json;               /* row.text as it stands */
get_fn fixed_version, fixed_connector, fixed_rollcall_version, fixed_run_uid, fixed_read_time;
get_fn lead_text; /* row.text, at the start of its object */

#endif
