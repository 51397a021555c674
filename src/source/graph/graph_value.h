/* graph_value.h - JSON values of Microsoft Graph into the coding of record.h, one attribute at a time; the hands of graph_fields.c.
 *
 * Every function takes a value that is not null, writes the attribute if the value is sound, and else leaves it out and counts it.
 * "" is absent. Nothing is allocated per value.
 */
#ifndef ROLLCALL_GRAPH_VALUE_H
#define ROLLCALL_GRAPH_VALUE_H

#include "source/graph/graph_fields.h"

/* One attribute of one object, being written. */
struct graph_put {
    struct graph_body *b;
    const struct graph_extra *x; /* never NULL */
    enum attr attr;
    const char *property; /* for the account of what was wrong */
    size_t n_list;
    bool is_list_too_long;
};

/* Each is a value that is left out: "employeeId: a number where a text belongs"; "membershipRule: a text of more than 32768 bytes". */
void graph_wrong_type(struct graph_put *p, const json_t *v, const char *wanted);
void graph_wrong(struct graph_put *p, const char *what);

void graph_put_text(struct graph_put *p, const json_t *v);
void graph_put_str(struct graph_put *p, struct str s); /* of our own making */
void graph_put_flag(struct graph_put *p, const json_t *v);
void graph_put_bool(struct graph_put *p, bool yes);
void graph_put_time(struct graph_put *p, const json_t *v);
void graph_put_sid(struct graph_put *p, const json_t *v);   /* text -> binary */
void graph_put_id(struct graph_put *p, const json_t *v);    /* a text, or the id of an object */
void graph_put_ids(struct graph_put *p, const json_t *v);   /* an array of these */
void graph_put_texts(struct graph_put *p, const json_t *v); /* an array of texts */

/* Many values that are made here: begin; for each value append to b->texts and take what was appended since mark; end sorts, drops
 * doubles and writes. */
void graph_list_begin(struct graph_put *p);
void graph_list_take(struct graph_put *p, size_t mark);
void graph_list_text(struct graph_put *p, const json_t *v); /* one value that is a text */
void graph_list_end(struct graph_put *p);

/* The composed ones. */
void graph_put_identities(struct graph_put *p, const json_t *v);
void graph_put_licenses(struct graph_put *p, const json_t *v);
void graph_put_plans(struct graph_put *p, const json_t *v);
void graph_put_credentials(struct graph_put *p, const json_t *v);
void graph_put_mobile(struct graph_put *p, const json_t *v);   /* of a contact's phones */
void graph_put_business(struct graph_put *p, const json_t *v); /* the same */
/* From the /domains of x, else from the organization's verifiedDomains (v, which may be NULL). */
void graph_put_verified(struct graph_put *p, const json_t *v);
void graph_put_federated(struct graph_put *p, const json_t *v);
void graph_put_default_domain(struct graph_put *p, const json_t *v);
/* From x alone. */
void graph_put_owners(struct graph_put *p, const json_t *unused);
void graph_put_mfa_registered(struct graph_put *p, const json_t *unused);
void graph_put_methods(struct graph_put *p, const json_t *unused);
void graph_put_mfa_source(struct graph_put *p, const json_t *unused);

/* "#microsoft.graph.fido2AuthenticationMethod" -> "fido2"; others as they are. */
struct str graph_method_bare(const char *name);
/* 36 characters of a GUID; false for all else. */
bool graph_guid(uint8_t out[GUID_SIZE], const json_t *v);

#endif
