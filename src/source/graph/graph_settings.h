/* graph_settings.h - the settings of an entra_id connector, read and completed.
 */
#ifndef ROLLCALL_GRAPH_SETTINGS_H
#define ROLLCALL_GRAPH_SETTINGS_H

#include "model/kind.h"
#include "net/oauth.h"
#include "net/url.h"

#include <jansson.h>

enum graph_mfa { GRAPH_MFA_AUTO, GRAPH_MFA_REPORT, GRAPH_MFA_METHODS, GRAPH_MFA_OFF };
enum graph_incremental { GRAPH_DELTA, GRAPH_CREATED_SINCE, GRAPH_INCREMENTAL_OFF };

struct graph_settings { /* strings borrowed from the JSON */
    struct oauth_settings oauth;
    char graph_root[512];  /* "https://graph.microsoft.com": without a slash at its end */
    char base_text[528];   /* graph_root "/v1.0" */
    struct url base;       /* of base_text: where the token may go */
    kind_set kinds;
    enum graph_mfa mfa;
    bool sign_in_activity;
    enum graph_incremental incremental;
    unsigned parallel, page_size;
    int connect_timeout_ms, answer_timeout_ms;
    int64_t methods_time_ms, reports_every_ms;
};

#define GRAPH_KINDS                                                                                          \
    (KIND_BIT(KIND_tenant) | KIND_BIT(KIND_role) | KIND_BIT(KIND_administrative_unit) | KIND_BIT(KIND_group) | KIND_BIT(KIND_user) | \
     KIND_BIT(KIND_service_principal) | KIND_BIT(KIND_device) | KIND_BIT(KIND_contact))

/* out must not move afterwards: base and oauth point into it. ERR_INPUT names the key. */
int graph_settings_read(struct graph_settings *out, const json_t *settings, struct err *e) must_use;

#endif
