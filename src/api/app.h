/* app.h - what the handlers of the API share; made by serve, alive until the HTTP server has stopped.
 */
#ifndef ROLLCALL_API_APP_H
#define ROLLCALL_API_APP_H

#include "conf/conf.h"
#include "server/asker.h"
#include "server/connectors/connectors.h"
#include "server/jobs/job.h"
#include "server/jobs/schedule.h"
#include "server/state/state.h"

struct oidc;
struct alerts;
struct app {
    const struct conf *conf;  /* of the settings file */
    const char *store_url;    /* "sqlite:/..." */
    const char *catalog_path; /* <store>.catalog: catalog/catalog.h */
    struct state *state;
    struct seal *seal;
    struct connectors *connectors;
    struct jobs *jobs;
    struct schedule *schedule;
    struct asker *asker;
    struct oidc *oidc;        /* NULL: not configured */
    struct alerts *alerts;
    const char *public_url;   /* "https://127.0.0.1:8443": what Origin and Host are held against */
    bool is_tls;
    int64_t started_ms;
};

#endif
