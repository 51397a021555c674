#include "source/ldap/ldap_schema.h"

#include "model/filetime.h"
#include "model/record.h"
#include "model/schema.h"
#include "net/ldap_ber.h"
#include "source/ldap/ldap_count.h"

#include <stdio.h>

#define BLOB_MAX  ((size_t)16 << 20)
#define NAMES_MAX ((size_t)16 << 20) /* of one class: room for pointers to its names */
/* Every Active Directory has more (Windows 2000: 863, 142, 45): with fewer, most of it is hidden from the
 * account. */
#define ATTRIBUTES_MIN 500
#define CLASSES_MIN    100
#define RIGHTS_MIN     30

struct schema_reading {
    struct ldap_session *s;
    struct fetched entry;
    struct arena names;
    struct buf blob, rights; /* rights: beside the blob, since too few are not used */
    size_t n_attributes, n_classes, n_rights;
    char base[512];
};

/* --- one entry -------------------------------------------------------------------------------------------
 */

/* As schema_decode wants names. */
static bool is_name(struct str s)
{
    if (!s.len || s.len > SCHEMA_NAME_MAX || !str_is_utf8(s)) return false;
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] < 0x20 || s.ptr[i] == 0x7f) return false;
    return true;
}

static bool name_of(const struct fetched *f, const char *attribute, struct str *out)
{
    return fetched_str(f, attribute, out) && is_name(*out);
}

static bool guid_of(const struct fetched *f, const char *attribute, uint8_t out[GUID_SIZE])
{
    struct bytes b;
    if (!fetched_bytes(f, attribute, &b) || b.len != GUID_SIZE) return false;
    memcpy(out, b.ptr, GUID_SIZE);
    return true;
}

/* Flags come as signed 32-bit numbers. */
static uint32_t number_of(const struct fetched *f, const char *attribute)
{
    int64_t n;
    return fetched_int(f, attribute, &n) ? (uint32_t)n : 0;
}

static bool is_true(const struct fetched *f, const char *attribute)
{
    struct str s;
    return fetched_str(f, attribute, &s) && str_equal_nocase(s, STR("TRUE"));
}

static struct schema_names names_of(struct schema_reading *r, const char *attribute)
{
    struct cursor count = cursor_new(fetched_set(&r->entry, attribute)), values = count;
    struct bytes v;
    size_t n = 0;
    while (ber_next_value(&count, &v)) n++;
    struct str *list = n ? arena_alloc(&r->names, n * sizeof *list) : NULL;
    struct schema_names out = {list, 0};
    while (list && out.n < n && ber_next_value(&values, &v))
        if (is_name(str_of(v))) list[out.n++] = str_of(v);
    return out;
}

static void take_attribute(struct schema_reading *r)
{
    const struct fetched *f = &r->entry;
    struct schema_attribute a = {.search_flags = number_of(f, "searchFlags"),
                                 .system_flags = number_of(f, "systemFlags"),
                                 .is_backlink = number_of(f, "linkID") & 1, /* MS-ADTS 3.1.1.1.6: odd */
                                 .is_system_only = is_true(f, "systemOnly")};
    if (!name_of(f, "lDAPDisplayName", &a.name) || !guid_of(f, "schemaIDGUID", a.guid)) return;
    guid_of(f, "attributeSecurityGUID", a.set); /* else zeros: in no property set */
    schema_put_attribute(&r->blob, &a);
    r->n_attributes++;
}

static void take_class(struct schema_reading *r)
{
    const struct fetched *f = &r->entry;
    struct schema_class_piece c = {.category = number_of(f, "objectClassCategory"),
                                   .is_system_only = is_true(f, "systemOnly")};
    if (!name_of(f, "lDAPDisplayName", &c.name) || !guid_of(f, "schemaIDGUID", c.guid)) return;
    if (!name_of(f, "subClassOf", &c.parent)) c.parent = STR("top");
    c.attributes[0] = names_of(r, "mustContain");
    c.attributes[1] = names_of(r, "systemMustContain");
    c.attributes[2] = names_of(r, "mayContain");
    c.attributes[3] = names_of(r, "systemMayContain");
    c.auxiliary[0] = names_of(r, "auxiliaryClass");
    c.auxiliary[1] = names_of(r, "systemAuxiliaryClass");
    c.superiors[0] = names_of(r, "possSuperiors");
    c.superiors[1] = names_of(r, "systemPossSuperiors");
    schema_put_class(&r->blob, &c);
    r->n_classes++;
}

/* rightsGuid and appliesTo are GUIDs as text. */
static void take_right(struct schema_reading *r)
{
    const struct fetched *f = &r->entry;
    struct schema_right x = {.valid_accesses = number_of(f, "validAccesses")};
    struct str guid;
    if (!name_of(f, "cn", &x.name) || !fetched_str(f, "rightsGuid", &guid) || !guid_parse(x.guid, guid))
        return;
    if (!name_of(f, "displayName", &x.display_name)) x.display_name = x.name;
    struct schema_names classes = names_of(r, "appliesTo");
    uint8_t(*list)[GUID_SIZE] = classes.n ? arena_alloc(&r->names, classes.n * GUID_SIZE) : NULL;
    for (size_t i = 0; list && i < classes.n; i++)
        x.n_applies_to += guid_parse(list[x.n_applies_to], classes.list[i]);
    x.applies_to = (const uint8_t(*)[GUID_SIZE])list;
    schema_put_right(&r->rights, &x);
    r->n_rights++;
}

static int take(struct schema_reading *r, LDAP *ld, LDAPMessage *m, void (*one)(struct schema_reading *),
                struct err *e)
{
    try(fetched_take(&r->entry, ld, m, e));
    arena_clear(&r->names);
    one(r);
    return 0;
}

/* Of classes a category is always there. */
static void take_schema(struct schema_reading *r)
{
    if (fetched_set(&r->entry, "objectClassCategory").len)
        take_class(r);
    else
        take_attribute(r);
}

static int on_schema(void *ctx, LDAP *ld, LDAPMessage *m, struct err *e)
{
    return take(ctx, ld, m, take_schema, e);
}

static int on_right(void *ctx, LDAP *ld, LDAPMessage *m, struct err *e)
{
    return take(ctx, ld, m, take_right, e);
}

/* --- the three searches ----------------------------------------------------------------------------------
 */

/* That there is no such thing, or that it is not for us, is no error: nothing comes. */
static int list(struct schema_reading *r, const char *base, const char *filter, const char **attributes,
                int (*each)(void *, LDAP *, LDAPMessage *, struct err *), struct err *e)
{
    struct ldap_search q = {.base = base,
                            .scope = LDAP_SCOPE_ONELEVEL,
                            .filter = filter,
                            .attributes = attributes,
                            .page_size = r->s->set.page_size};
    int rc = ldap_conn_search(r->s->conn, &q, each, NULL, r, &r->s->stats, e);
    return rc < 0 && ldap_is_answer(e) ? 0 : rc;
}

static int list_schema(struct schema_reading *r, struct err *e)
{
    const char *attributes[] = {"lDAPDisplayName",     "schemaIDGUID",        "attributeSecurityGUID",
                                "searchFlags",         "systemFlags",         "linkID",
                                "systemOnly",          "subClassOf",          "mustContain",
                                "objectClassCategory", "auxiliaryClass",      "systemMustContain",
                                "mayContain",          "possSuperiors",       "systemAuxiliaryClass",
                                "systemMayContain",    "systemPossSuperiors", NULL};
    return list(r, r->s->facts.schema,
                "(&(|(objectClass=attributeSchema)(objectClass=classSchema))(!(isDefunct=TRUE)))", attributes,
                on_schema, e);
}

static int list_rights(struct schema_reading *r, struct err *e)
{
    const char *attributes[] = {"cn", "displayName", "rightsGuid", "validAccesses", "appliesTo", NULL};
    snprintf(r->base, sizeof r->base, "CN=Extended-Rights,%s", r->s->facts.configuration);
    return list(r, r->base, "(objectClass=controlAccessRight)", attributes, on_right, e);
}

static int read_heuristics(struct schema_reading *r, struct err *e)
{
    const char *attributes[] = {"dSHeuristics", NULL};
    snprintf(r->base, sizeof r->base, "CN=Directory Service,CN=Windows NT,CN=Services,%s",
             r->s->facts.configuration);
    struct ldap_search q = {
        .base = r->base, .scope = LDAP_SCOPE_BASE, .filter = "(objectClass=*)", .attributes = attributes};
    struct fetched f;
    struct str text;
    int rc = ldap_fetch(&f, r->s->conn, &q, &r->s->stats, e);
    if (rc < 0) return ldap_is_answer(e) ? 0 : rc;
    if (name_of(&f, "dSHeuristics", &text)) schema_put_heuristics(&r->blob, text);
    fetched_free(&f);
    return 0;
}

/* --- all of it -------------------------------------------------------------------------------------------
 */

static int tell(struct ldap_session *s, const char *what, const char *where, const char *fix, struct err *e)
{
    return ldap_session_tell(s, what, where ? where : "", fix, e);
}

static int tell_hidden(struct schema_reading *r, struct err *e)
{
    char what[160];
    snprintf(what, sizeof what,
             "the schema cannot be read (%zu attributes and %zu classes of it): rights are named by the "
             "built-in one",
             r->n_attributes, r->n_classes);
    return tell(r->s, what, r->s->facts.schema,
                "give the account read access to the schema; ordinary users of the domain have it", e);
}

/* The rights that every directory has instead. */
static int use_builtin_rights(struct schema_reading *r, struct err *e)
{
    const struct schema *known = schema_builtin();
    buf_clear(&r->rights);
    for (size_t i = 0; i < known->n_rights; i++) schema_put_right(&r->rights, &known->rights[i]);
    return tell(r->s, "the extended rights cannot be read: they are named by the built-in table", r->base,
                "give the account read access to CN=Extended-Rights; ordinary users of the domain have it",
                e);
}

/* Decoded once here, so that nothing leaves that the other end would refuse. */
static int send_blob(struct schema_reading *r, struct err *e)
{
    struct schema *proved;
    buf_add_bytes(&r->blob, buf_bytes(&r->rights));
    if (r->blob.failed) return err_set(e, ERR_LIMIT, "schema of more than %zu MiB", BLOB_MAX >> 20);
    try(schema_decode(&proved, buf_bytes(&r->blob), e));
    schema_free(proved);
    return emit_schema(r->s->m, buf_bytes(&r->blob), e);
}

static int read_all(struct schema_reading *r, bool *is_readable, struct err *e)
{
    schema_put_start(&r->blob);
    if (r->s->facts.schema) try(list_schema(r, e));
    *is_readable = r->n_attributes >= ATTRIBUTES_MIN && r->n_classes >= CLASSES_MIN;
    if (!*is_readable || !r->s->facts.configuration) return tell_hidden(r, e);
    try(read_heuristics(r, e));
    try(list_rights(r, e));
    if (r->n_rights < RIGHTS_MIN) try(use_builtin_rights(r, e));
    return send_blob(r, e);
}

static int read_news(struct ldap_session *s, bool *is_readable, struct err *e)
{
    struct schema_reading r = {
        .s = s, .names = arena_new(NAMES_MAX), .blob = buf_new(BLOB_MAX), .rights = buf_new(BLOB_MAX)};
    r.entry.content = buf_new(BLOB_MAX);
    int rc = read_all(&r, is_readable, e);
    fetched_free(&r.entry);
    arena_free(&r.names);
    buf_free(&r.blob);
    buf_free(&r.rights);
    return rc;
}

/* Is anything of this written later than the watermark? That it may not be asked is a no. */
static int is_written(struct ldap_session *s, const char *base, const char *what, int64_t usn, bool *out,
                      struct err *e)
{
    char filter[160];
    uint64_t n;
    bool is_all = true;
    if (*out || !base) return 0;
    snprintf(filter, sizeof filter, "(&(uSNChanged>=%lld)%s)", (long long)usn + 1, what);
    int rc = ldap_count(s, base, LDAP_SCOPE_SUBTREE, filter, 0, &n, &is_all, e);
    *out = !is_all;
    return rc < 0 && ldap_is_answer(e) ? 0 : rc;
}

static int find_news(struct ldap_session *s, const json_t *before, bool *is_new, struct err *e)
{
    int64_t usn = json_integer_value(json_object_get(before, "usn"));
    *is_new = !json_is_boolean(json_object_get(before, "schema"));
    if (*is_new || s->facts.highest_usn == usn) return 0;
    try(is_written(s, s->facts.schema, "(|(objectClass=attributeSchema)(objectClass=classSchema))", usn,
                   is_new, e));
    return is_written(s, s->facts.configuration,
                      "(|(objectClass=controlAccessRight)(objectClass=nTDSService))", usn, is_new, e);
}

static int read_schema(struct ldap_session *s, const json_t *before, json_t *mark, struct err *e)
{
    bool is_new, is_readable = json_is_true(json_object_get(before, "schema"));
    try(find_news(s, before, &is_new, e));
    if (is_new) try(read_news(s, &is_readable, e));
    if (mark) json_object_set_new(mark, "schema", json_boolean(is_readable));
    return 0;
}

int ldap_schema_read(struct ldap_session *s, const json_t *before, json_t *mark, struct err *e)
{
    char why[sizeof e->message];
    if (!s->set.with_acls) return 0;
    int rc = read_schema(s, before, mark, e);
    if (rc == 0 || rc == ERR_CANCEL) return rc;
    snprintf(why, sizeof why, "%s", e->message);
    return tell(s, "the schema could not be read; what was known of it stays, and the next run tries again",
                why, NULL, e);
}
