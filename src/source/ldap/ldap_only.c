/* ldap_only.c - the second look after a read of changes: what its changes touched without being written themselves. */
#include "source/ldap/ldap_changes.h"

#include "model/filter.h"

static int all_kinds(struct ldap_session *s, kind_set kinds, const struct ldap_part *part, struct err *e)
{
    for (size_t i = 0; i < n_ldap_kinds; i++)
        if (kinds & KIND_BIT(ldap_kinds[i])) try(ldap_list_part(s, ldap_kinds[i], kinds, part, e));
    return 0;
}

static void add_group_dn(struct buf *condition, const char *text)
{
    filter_equal(condition, STR("distinguishedName"), bytes_of(str_from(text)));
}

static void add_member_of(struct buf *condition, const char *text)
{
    filter_equal(condition, STR("memberOf"), bytes_of(str_from(text)));
}

static void add_reference(struct buf *condition, const char *text)
{
    filter_equal(condition, STR("manager"), bytes_of(str_from(text)));
    filter_equal(condition, STR("managedBy"), bytes_of(str_from(text)));
}

/* The other lists of "only": what their texts mean, and which kinds are asked. */
static const struct {
    const char *key;
    void (*add)(struct buf *condition, const char *text);
    kind_set kinds;
} lists[] = {
    {"groups", add_group_dn, KIND_BIT(KIND_group)},
    {"member_of", add_member_of,
     KIND_BIT(KIND_group) | KIND_BIT(KIND_user) | KIND_BIT(KIND_computer) | KIND_BIT(KIND_service_account) | KIND_BIT(KIND_contact) |
         KIND_BIT(KIND_foreign_principal)},
    {"references", add_reference, KIND_BIT(KIND_group) | KIND_BIT(KIND_user) | KIND_BIT(KIND_computer) | KIND_BIT(KIND_contact) | KIND_BIT(KIND_ou)},
};

static int read_list(struct ldap_session *s, void (*add)(struct buf *condition, const char *text), const json_t *texts,
                     kind_set kinds, struct err *e)
{
    struct buf condition = buf_new(CONDITION_MAX);
    size_t n = json_array_size(texts);
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < n;) {
        buf_clear(&condition);
        buf_add_str(&condition, STR("(|"));
        for (size_t k = 0; i < n && k < CONDITION_VALUES; k++, i++) {
            const char *text = json_string_value(json_array_get(texts, i));
            if (text) add(&condition, text);
        }
        buf_add_byte(&condition, ')');
        struct ldap_part part = {.condition = buf_str(&condition)};
        if (condition.failed) rc = err_set(e, ERR_LIMIT, "the names to look up again are too long");
        if (rc == 0) rc = all_kinds(s, kinds, &part, e);
    }
    buf_free(&condition);
    return rc;
}

static int read_guids(struct ldap_session *s, const json_t *by_kind, kind_set kinds, struct err *e)
{
    struct buf guids = buf_new(FRAME_MAX);
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < n_ldap_kinds; i++) {
        const json_t *texts = json_object_get(by_kind, kind_name(ldap_kinds[i]));
        uint8_t guid[GUID_SIZE];
        buf_clear(&guids);
        for (size_t k = 0; k < json_array_size(texts); k++) {
            const char *text = json_string_value(json_array_get(texts, k));
            if (text && guid_parse(guid, str_from(text))) buf_add(&guids, guid, GUID_SIZE);
        }
        rc = ldap_list_guids(s, ldap_kinds[i], kinds & KIND_BIT(ldap_kinds[i]), buf_bytes(&guids), &(struct ldap_part){.sent = NULL}, e);
    }
    buf_free(&guids);
    return rc;
}

static int read_below(struct ldap_session *s, const json_t *texts, kind_set kinds, struct err *e)
{
    for (size_t i = 0; i < json_array_size(texts); i++) {
        struct ldap_part part = {.below = json_string_value(json_array_get(texts, i))};
        if (part.below) try(all_kinds(s, kinds, &part, e));
    }
    return 0;
}

int ldap_only_read(struct ldap_session *s, const json_t *only, kind_set kinds, struct err *e)
{
    try(ldap_privileged_read(s, kinds, &(struct ldap_part){.sent = NULL}, e));
    try(read_guids(s, json_object_get(only, "guids"), kinds, e));
    for (size_t i = 0; i < n_elements(lists); i++)
        try(read_list(s, lists[i].add, json_object_get(only, lists[i].key), kinds & lists[i].kinds, e));
    try(read_below(s, json_object_get(only, "below"), kinds, e));
    return json_is_true(json_object_get(only, "present")) ? ldap_present_read(s, kinds, e) : 0;
}
