/* cron.h - the five fields of crontab(5): minute hour day-of-month month day-of-week; UTC.
 *
 * Lists, ranges, steps and names of three letters; Sunday is 0 and 7. When both days are restricted, either is enough; a day that begins with a star asks for
 * both (crontab(5)). UTC, so that no time comes twice and none is left out.
 */
#ifndef ROLLCALL_CONF_CRON_H
#define ROLLCALL_CONF_CRON_H

#include "base/err.h"

struct cron;
/* ERR_INPUT names the field. */
int cron_parse(struct cron **out, struct str text, struct err *e) must_use;
void cron_free(struct cron *c); /* NULL is legal */
int64_t cron_next(const struct cron *c, int64_t after_ms); /* the first time that is later; 0: never */

#endif
