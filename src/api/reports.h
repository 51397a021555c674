/* reports.h - what the last run of all report rules found, kept as a document (kind "report", id "last"), so that it outlives the job.
 */
#ifndef ROLLCALL_API_REPORTS_H
#define ROLLCALL_API_REPORTS_H

#include "api/app.h"

/* {items: [{rule, severity, title, n, why, fix, items[]}], as_of, job}: of the newest report job that ended well with all rules, even if that was a moment ago.
 * ERR_NOTFOUND: there was none. */
int reports_last(struct app *app, json_t **out, struct err *e) must_use;

#endif
