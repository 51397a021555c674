#include "api/http.h"

extern const struct route routes_access[], routes_reports[], routes_connectors[], routes_connector_jobs[], routes_jobs[], routes_drafts[], routes_certificate[], routes_sinks[], routes_oidc[], routes_settings[], routes_alerts[];

extern const struct route routes_session[], routes_user[], routes_token[], routes_audit[], routes_ops[], routes_metrics[], routes_openapi[], routes_help[], routes_key[];

extern const struct route routes_assets[], routes_asset[], routes_changes[], routes_catalog[], routes_runs[], routes_views[], routes_home[];

/* Every file of handlers has one table. */
const struct route *const route_tables[] = {
    routes_session, routes_user, routes_token, routes_audit, routes_ops, routes_metrics, routes_openapi, routes_help, routes_key,
    routes_connectors, routes_connector_jobs, routes_jobs, routes_drafts, routes_certificate, routes_sinks, routes_oidc, routes_settings, routes_alerts, routes_access, routes_reports, routes_assets, routes_asset, routes_changes,
    routes_catalog, routes_runs, routes_views, routes_home, NULL,
};
