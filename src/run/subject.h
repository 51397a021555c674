/* subject.h - an entity of the store made into a dialect's subject: names resolved, facts derived.
 */
#ifndef ROLLCALL_SUBJECT_H
#define ROLLCALL_SUBJECT_H

#include "base/arena.h"
#include "map/map.h"
#include "store/store.h"

/* One at a time: reused for the next entity. */
struct subject_maker {
    struct store *store;
    struct connector_state connector;
    struct arena text;
    struct record_index index;
    bool by_content; /* event ids by content, not by run: what is sent twice has one id */
    struct subject subject;
    struct ref *groups;
    size_t groups_cap;
    struct ref *owners;
    size_t owners_cap;
    struct ref manager, managed_by, parent;
    struct member_source members;
    struct ref *member_list;
    size_t n_members, members_cap, member_at;
    struct record record;
};

/* ERR_NOTFOUND: the connector was never synced. */
int subject_maker_init(struct subject_maker *m, struct store *s, struct str connector, struct err *e) must_use;
void subject_maker_fini(struct subject_maker *m);
/* Borrowed from the maker and the entity until the next call. with_members: groups' members too. */
int subject_make(struct subject_maker *m, const struct entity *entity, bool with_members, const struct subject **out,
                 struct err *e) must_use;

#endif
