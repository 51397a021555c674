#include "catalog/lineage.h"

#include "base/jsonv.h"
#include "catalog/catalog_int.h"
#include "map/lineage.h"

#define PATHS_MAX 12

const char *lineage_type_name(enum attr_type type, bool is_multi)
{
    static const char *const one[] = {"string", "integer", "boolean", "timestamp", "duration", "sid", "guid", "reference", "binary"};
    static const char *const many[] = {"string list", "integer list", "boolean list", "timestamp list", "duration list", "sid list", "guid list", "reference list", "binary list"};
    if ((unsigned)type >= n_elements(one)) return "unknown";
    return (is_multi ? many : one)[type];
}

const char *lineage_column(enum attr a)
{
    static const struct {
        enum attr attribute;
        const char *column;
    } columns[] = {
        {ATTR_SAM_ACCOUNT_NAME, "name"},
        {ATTR_USER_PRINCIPAL_NAME, "account"},
        {ATTR_DISPLAY_NAME, "display_name"},
        {ATTR_MAIL, "mail"},
        {ATTR_USER_ACCOUNT_CONTROL, "enabled"},
        {ATTR_ACCOUNT_ENABLED, "enabled"},
        {ATTR_LAST_LOGON, "last_sign_in"},
        {ATTR_LAST_LOGON_TIMESTAMP, "last_sign_in"},
        {ATTR_LAST_SUCCESSFUL_SIGN_IN, "last_sign_in"},
        {ATTR_LAST_SIGN_IN, "last_sign_in"},
        {ATTR_APPROXIMATE_LAST_SIGN_IN, "last_sign_in"},
        {ATTR_IS_MFA_REGISTERED, "mfa"},
        {ATTR_IS_MFA_CAPABLE, "mfa"},
        {ATTR_IS_PASSWORDLESS_CAPABLE, "mfa"},
        {ATTR_USER_TYPE, "tags"},
        {ATTR_PASSWORD_POLICIES, "tags"},
        {ATTR_SYNC_ENABLED, "tags"},
        {ATTR_EXTERNAL_USER_STATE, "tags"},
        {ATTR_LOCKOUT_TIME, "tags"},
        {ATTR_PWD_LAST_SET, "tags"},
        {ATTR_SID_HISTORY, "tags"},
        {ATTR_SERVICE_PRINCIPAL_NAME, "tags"},
        {ATTR_ALLOWED_TO_DELEGATE_TO, "tags"},
        {ATTR_IS_ASSIGNABLE_TO_ROLE, "tags"},
        {ATTR_MEMBERSHIP_RULE, "tags"},
        {ATTR_SERVICE_PRINCIPAL_TYPE, "tags"},
        {ATTR_APP_OWNER_ORGANIZATION, "tags"},
        {ATTR_PASSWORD_CREDENTIALS, "tags"},
        {ATTR_KEY_CREDENTIALS, "tags"},
        {ATTR_IS_COMPLIANT, "tags"},
        {ATTR_APP_ID, "account"},
        {ATTR_DEVICE_ID, "account"},
        {ATTR_HIDDEN_PRIVILEGES, "admin"},
    };
    for (size_t i = 0; i < n_elements(columns); i++)
        if (columns[i].attribute == a) return columns[i].column;
    return NULL;
}

static void add_path(void *ctx, const char *path)
{
    json_t *list = ctx, *one;
    size_t i;
    json_array_foreach(list, i, one) if (strcmp(json_string_value(one), path) == 0) return;
    if (json_array_size(list) < PATHS_MAX) json_array_append_new(list, json_string(path));
}

static json_t *paths_of(bool is_tenant, enum kind k, int of)
{
    json_t *list = json_array();
    lineage_paths(is_tenant, k, of, add_path, list);
    if (json_array_size(list)) return list;
    json_decref(list);
    return NULL;
}

json_t *lineage_ocsf(bool is_tenant, enum kind k, enum attr a)
{
    return paths_of(is_tenant, k, (int)a);
}

json_t *lineage_ocsf_key(bool is_tenant, enum kind k, enum lineage_key key)
{
    static const int of[] = {[LINEAGE_GUID] = LINEAGE_OF_GUID, [LINEAGE_SID] = LINEAGE_OF_SID, [LINEAGE_DN] = LINEAGE_OF_DN};
    return paths_of(is_tenant, k, of[key]);
}

/* --- the catalog's page of one kind --------------------------------------------------------------------------------- */

static int64_t count_of(const struct catalog *c, uint32_t source, enum kind k)
{
    int64_t n = 0;
    for (size_t i = 0; i < c->cells.n; i++) {
        const struct cell *x = &c->cells.list[i];
        if (x->source == source && x->kind == k && !x->deleted) n += x->n;
    }
    return n;
}

static json_t *attribute_json(sqlite3_stmt *s, bool is_tenant, enum kind k, int64_t of)
{
    enum attr number = (enum attr)sqlite3_column_int(s, 3);
    const char *column = lineage_column(number);
    json_t *ocsf = lineage_ocsf(is_tenant, k, number), *j = json_object();
    jsonv_put(j, "attribute", jsonv_str(db_col_text(s, 0)));
    jsonv_put(j, "type", json_string(lineage_type_name((enum attr_type)sqlite3_column_int(s, 1), sqlite3_column_int(s, 2))));
    jsonv_put(j, "filled", json_integer(sqlite3_column_int64(s, 4)));
    jsonv_put(j, "of", json_integer(of));
    jsonv_put(j, "custom", json_boolean(number == ATTR_CUSTOM));
    jsonv_put(j, "normalized", column ? json_string(column) : json_null());
    jsonv_put(j, "ocsf", ocsf ? ocsf : json_array());
    jsonv_put(j, "sample", jsonv_str(db_col_text(s, 5)));
    return j;
}

static int read_attributes(struct catalog *c, const struct source *source, enum kind k, json_t *list, struct err *e)
{
    sqlite3_stmt *s;
    int rc;
    int64_t of = count_of(c, (uint32_t)source->id, k);
    try(db_take(&c->db, SQL_FILL_OF, &s, e));
    db_int(s, 1, source->id);
    db_int(s, 2, k);
    while ((rc = db_step(&c->db, s, e)) > 0) json_array_append_new(list, attribute_json(s, source->is_tenant, k, of));
    return rc;
}

int catalog_attributes(struct catalog *c, struct str connector, enum kind k, json_t **out, struct err *e)
{
    try(catalog_begin(c, e));
    const struct source *source = source_named(&c->sources, connector);
    int rc = source ? 0 : err_set(e, ERR_NOTFOUND, "%.*s: no connector of this name was synced", STR_FMT(connector));
    *out = json_array();
    if (rc == 0) rc = read_attributes(c, source, k, *out, e);
    catalog_end(c);
    if (rc < 0) json_decref(*out);
    return rc;
}
