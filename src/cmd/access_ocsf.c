/* access_ocsf.c - rights as OCSF 2008 IAM Analysis Findings: one (target, right) each, with who holds it. */
#include "cmd/access_export.h"

#include "base/hash.h"
#include "base/when.h"
#include "map/map.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define ACCESSORS_MAX 1000 /* in one event: it stays under 1 MiB */

struct export_events {
    const struct access_cli *a;
    json_t *accessors; /* of the event under way; NULL: none */
    json_t *target;
    char *right;
    bool is_privileged, is_direct, is_inherited, is_owner, is_cut;
    unsigned part;
    int64_t now_ms;
};

void export_events_open(struct export_events **out, const struct access_cli *a)
{
    *out = x_zalloc(sizeof **out);
    (*out)->a = a;
    (*out)->now_ms = when_now_ms();
}

static void forget(struct export_events *x)
{
    json_decref(x->accessors);
    json_decref(x->target);
    free(x->right);
    x->accessors = x->target = NULL;
    x->right = NULL;
}

void export_events_close(struct export_events *x)
{
    if (!x) return;
    forget(x);
    free(x);
}

static const struct world_connector *connector_of(const struct export_events *x)
{
    const struct world *w = x->a->world;
    for (size_t i = 0; i + 1 < w->n_connectors; i++) {
        json_t *dn = json_object_get(x->target, "dn");
        struct str all = str_from(json_string_value(dn)), base = w->connectors[i].domain.base;
        if (base.len && all.len >= base.len && str_equal_nocase((struct str){all.ptr + all.len - base.len, base.len}, base)) return &w->connectors[i];
    }
    return &w->connectors[w->n_connectors - 1];
}

/* The event's own id is the run's, too: the next export of the same run says the same once more. */
static json_t *metadata(const struct export_events *x, const struct world_connector *c, const char *finding)
{
    char run[32], uid[33];
    uint8_t guid[GUID_SIZE] = {0};
    guid_parse(guid, str_from(json_string_value(json_object_get(x->target, "uid"))));
    event_uid(uid, c->name, guid, c->run, finding);
    snprintf(run, sizeof run, "%lld", (long long)c->run);
    return json_pack("{s:s, s:{s:s, s:s}, s:s, s:s, s:s, s:s, s:b}", "version", "1.8.0", "product", "name", "Active Directory Domain Services",
                     "vendor_name", "Microsoft", "log_name", "directory_access", "log_provider", "rollcall", "uid", uid, "correlation_uid", run,
                     "is_truncated", x->is_cut);
}

static const char *access_type(const struct export_events *x)
{
    return x->is_owner ? "Owner" : x->is_direct ? "Direct ACE" : x->is_inherited ? "Inherited ACE" : "Via group";
}

/* The same for the same target and right: who takes findings in, recognises it in the next export. */
static void finding_uid(const struct export_events *x, char out[33])
{
    struct sha256 s;
    char hex[65], part[16];
    const char *uid = json_string_value(json_object_get(x->target, "uid"));
    snprintf(part, sizeof part, "/%u", x->part);
    sha256_init(&s);
    sha256_add(&s, bytes_of(str_from(uid)));
    sha256_add(&s, bytes_of(str_from(x->right)));
    sha256_add(&s, bytes_of(str_from(part)));
    sha256_hex(&s, hex);
    memcpy(out, hex, 32);
    out[32] = 0;
}

static json_t *event(const struct export_events *x)
{
    char uid[33];
    const struct world_connector *c = connector_of(x);
    const char *name = json_string_value(json_object_get(x->target, "name")), *kind = json_string_value(json_object_get(x->target, "kind"));
    json_t *title = json_sprintf("%s on %s %s", x->right, kind, name);
    finding_uid(x, uid);
    json_t *resource = json_pack("{s:O, s:O, s:s, s:i, s:s, s:{s:O}}", "uid", json_object_get(x->target, "uid"), "name", json_object_get(x->target, "name"),
                                 "type", kind, "role_id", 1, "role", "Target", "data", "dn", json_object_get(x->target, "dn"));
    return json_pack("{s:I, s:i, s:s, s:i, s:s, s:i, s:s, s:i, s:s, s:i, s:s, s:i, s:s, s:o, s:{s:s, s:o, s:[s], s:I}, s:{s:O, s:s, s:s, s:[s]}, s:[o]}", "time",
                     (json_int_t)(c->as_of_ms ? c->as_of_ms : x->now_ms), "class_uid", 2008, "class_name", "IAM Analysis Finding", "category_uid", 2,
                     "category_name", "Findings", "activity_id", 1, "activity_name", "Create", "type_uid", 200801, "type_name",
                     "IAM Analysis Finding: Create", "severity_id", x->is_privileged ? 4 : 2, "severity", x->is_privileged ? "High" : "Low", "status_id", 1,
                     "status", "New", "metadata", metadata(x, c, uid), "finding_info", "uid", uid, "title", title, "types", "Effective permission",
                     "created_time", (json_int_t)x->now_ms, "access_analysis_result", "accessors", x->accessors, "access_level", x->right, "access_type",
                     access_type(x), "granted_privileges", x->right, "resources", resource);
}

static int write_event(struct export_events *x, struct err *e)
{
    json_t *j = event(x);
    if (!j) return err_set(e, ERR_BUG, "an event could not be made");
    char *line = json_dumps(j, JSON_COMPACT);
    json_decref(j);
    bool is_written = line && puts(line) >= 0;
    free(line);
    x->part++;
    json_array_clear(x->accessors);
    return is_written ? 0 : err_errno(e, ERR_LIMIT, errno, "standard output");
}

static json_t *accessor(const struct export_row *r)
{
    const char *kind = json_string_value(json_object_get(r->principal, "kind"));
    bool is_service = strcmp(kind, "service_account") == 0, is_person = strcmp(kind, "user") == 0;
    json_t *j = json_pack("{s:O, s:O, s:i, s:s}", "uid", json_object_get(r->principal, "sid"), "name", json_object_get(r->principal, "name"), "type_id",
                          is_person ? 1 : is_service ? 4 : 99, "type", is_person ? "User" : is_service ? "Service" : kind);
    json_t *uid = json_object_get(r->principal, "uid");
    if (uid) json_object_set(j, "uid_alt", uid);
    if (r->trustee && !json_equal(json_object_get(r->trustee, "sid"), json_object_get(r->principal, "sid")))
        json_object_set_new(j, "groups", json_pack("[{s:O, s:O}]", "uid", json_object_get(r->trustee, "sid"), "name", json_object_get(r->trustee, "name")));
    return j;
}

static void note_way(struct export_events *x, const struct export_row *r)
{
    bool is_own = r->trustee && json_equal(json_object_get(r->trustee, "sid"), json_object_get(r->principal, "sid"));
    bool is_first = json_array_size(x->accessors) == 0;
    bool is_direct = is_own && !r->at->is_inherited && r->at->reason == ACCESS_BY_ACE;
    x->is_owner = r->at->reason == ACCESS_IMPLICIT_OWNER && (is_first || x->is_owner);
    x->is_direct = is_direct && (is_first || x->is_direct);
    x->is_inherited = r->at->is_inherited && (is_first || x->is_inherited);
}

int export_events_add(struct export_events *x, const struct export_row *row, struct err *e)
{
    if (!x->accessors) {
        x->accessors = json_array();
        x->target = json_incref(row->target);
        x->right = x_strdup(str_from(row->right));
        x->is_privileged = row->is_privileged;
        x->part = 0;
        x->is_cut = false;
    }
    if (json_array_size(x->accessors) == ACCESSORS_MAX) {
        x->is_cut = true;
        try(write_event(x, e));
    }
    note_way(x, row);
    json_array_append_new(x->accessors, accessor(row));
    return 0;
}

int export_events_end(struct export_events *x, struct err *e)
{
    int rc = x->accessors && json_array_size(x->accessors) ? write_event(x, e) : 0;
    forget(x);
    return rc;
}
