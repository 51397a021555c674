/* filter.h - conditions on principals and targets, as people write them:
 *
 *     enabled=false and department=Finance
 *     kind=user and (last_logon<90d or not last_logon=*) and name=svc*
 *
 * A term is FIELD OP VALUE; OP is = != ~ (contains) < <= > >=. Fields: kind name dn sid uid domain enabled locked privileged domain_admin
 * full_admin last_logon password_expires, and every attribute by the name that the directory gives it. Text compares without case; in a
 * value after = or != an asterisk stands for anything, and alone for "is there". Times are RFC 3339, or an age: 90d is ninety days ago.
 * A list of values fits if one of them does (for != if none does). Values with spaces or parentheses stand in quotes. not binds closest,
 * then and, then or.
 */
#ifndef ROLLCALL_ACCESS_FILTER_H
#define ROLLCALL_ACCESS_FILTER_H

#include "model/derive.h"

struct filter;
/* ERR_INPUT names the character and what is wrong; an unknown field is no error: no entity has it. */
int filter_parse(struct filter **out, struct str text, int64_t now_ms, struct err *e) must_use;
void filter_free(struct filter *f); /* NULL is legal */

struct filter_subject {
    const struct record_index *record;
    struct str name, domain;
    struct derived derived;
};
/* A NULL filter fits everybody. */
bool filter_matches(const struct filter *f, const struct filter_subject *s);

#endif
