#include "model/record.h"

bool dn_list_next(struct dn_list *rest, struct str *out)
{
    if (!rest->n) return false;
    struct cursor c = cursor_new(rest->block);
    *out = str_of(cursor_lstr(&c));
    if (c.failed) return false;
    rest->n--;
    rest->block = c.in;
    return true;
}

static void dn_list_encode(struct buf *out, const struct dn_list *l)
{
    buf_add_varint(out, l->n);
    buf_add_lstr(out, l->block);
}

bool dn_list_is_whole(struct dn_list l)
{
    struct str one;
    while (dn_list_next(&l, &one)) continue;
    return !l.n && !l.block.len;
}

static struct dn_list dn_list_decode(struct cursor *c)
{
    uint64_t n = cursor_varint(c);
    struct dn_list l = {.block = cursor_lstr(c)};
    if (n > l.block.len || n > UINT32_MAX) c->failed = true; /* each DN takes a byte at least */
    if (c->failed) return (struct dn_list){0};
    l.n = (uint32_t)n;
    if (!dn_list_is_whole(l)) c->failed = true;
    return l;
}

void record_encode(struct buf *out, const struct record *r)
{
    buf_add_byte(out, (uint8_t)r->kind);
    buf_add_byte(out, (uint8_t)r->flags);
    buf_add(out, r->guid, GUID_SIZE);
    buf_add_lstr(out, r->sid);
    buf_add_lstr(out, bytes_of(r->dn));
    buf_add_varint(out, r->sd);
    buf_add_lstr(out, r->state);
    buf_add_lstr(out, r->stats);
    dn_list_encode(out, &r->member);
    dn_list_encode(out, &r->member_of);
}

int record_decode(struct record *out, struct bytes in, struct err *e)
{
    struct cursor c = cursor_new(in);
    uint8_t kind = cursor_u8(&c);
    out->flags = cursor_u8(&c);
    struct bytes guid = cursor_bytes(&c, GUID_SIZE);
    out->sid = cursor_lstr(&c);
    out->dn = str_of(cursor_lstr(&c));
    uint64_t sd = cursor_varint(&c);
    out->state = cursor_lstr(&c);
    out->stats = cursor_lstr(&c);
    out->member = dn_list_decode(&c);
    out->member_of = dn_list_decode(&c);
    if (c.failed || c.in.len || !kind || kind >= KIND_COUNT || sd > UINT32_MAX || out->sid.len > 68)
        return err_set(e, ERR_PROTO, "malformed record");
    out->kind = (enum kind)kind;
    out->sd = (uint32_t)sd;
    memcpy(out->guid, guid.ptr, GUID_SIZE);
    return 0;
}

static size_t varint_size(uint64_t v)
{
    size_t n = 1;
    while (v >>= 7) n++;
    return n;
}

void body_add(struct buf *body, enum attr id, uint32_t n_values, struct bytes values)
{
    buf_add_varint(body, id);
    buf_add_varint(body, varint_size(n_values) + values.len);
    buf_add_varint(body, n_values);
    buf_add_bytes(body, values);
}

void body_add_custom(struct buf *body, struct str name, enum attr_type type, uint32_t n_values,
                     struct bytes values)
{
    size_t head = varint_size(name.len) + name.len + 1;
    buf_add_varint(body, ATTR_CUSTOM);
    buf_add_varint(body, head + varint_size(n_values) + values.len);
    buf_add_lstr(body, bytes_of(name));
    buf_add_byte(body, (uint8_t)type);
    buf_add_varint(body, n_values);
    buf_add_bytes(body, values);
}

bool values_next_bytes(struct values *v, struct bytes *out)
{
    if (!v->n) return false;
    *out = cursor_lstr(&v->at);
    v->n = v->at.failed ? 0 : v->n - 1;
    return !v->at.failed;
}

bool values_next_int(struct values *v, int64_t *out)
{
    if (!v->n) return false;
    *out = v->type == ATTR_BOOL ? cursor_u8(&v->at) : cursor_svarint(&v->at);
    v->n = v->at.failed ? 0 : v->n - 1;
    return !v->at.failed;
}

static struct values open_payload(enum attr id, struct bytes payload)
{
    struct values v = {.id = id, .at = cursor_new(payload)};
    const struct attr_info *info = id == ATTR_CUSTOM ? NULL : attr_get(id);
    if (info) {
        v.type = info->type;
        v.name = (struct str){info->name, info->name_len};
        v.is_multi = info->is_multi;
        v.is_stat = info->is_stat;
    } else {
        v.name = str_of(cursor_lstr(&v.at));
        v.type = (enum attr_type)cursor_u8(&v.at);
        v.is_multi = true;
        if (v.type > ATTR_BINARY) v.at.failed = true;
    }
    uint64_t n = cursor_varint(&v.at);
    if (n > v.at.in.len) v.at.failed = true;
    v.n = v.at.failed ? 0 : (uint32_t)n;
    return v;
}

static bool next_entry(struct cursor *body, enum attr *id, struct bytes *payload)
{
    if (body->failed || !body->in.len) return false;
    uint64_t number = cursor_varint(body);
    *payload = cursor_lstr(body);
    if (number != ATTR_CUSTOM && (number >= ATTR_INDEX_SIZE || !attr_get((enum attr)number)))
        body->failed = true;
    *id = (enum attr)number;
    return !body->failed;
}

bool body_next(struct cursor *body, struct values *out)
{
    enum attr id;
    struct bytes payload;
    if (!next_entry(body, &id, &payload)) return false;
    *out = open_payload(id, payload);
    if (out->at.failed) body->failed = true;
    return !body->failed;
}

static int index_body(struct record_index *out, struct bytes body, struct err *e)
{
    struct cursor c = cursor_new(body);
    while (c.in.len && !c.failed) {
        uint64_t id = cursor_varint(&c);
        struct bytes payload = cursor_lstr(&c);
        if (c.failed) break;
        if (id < ATTR_INDEX_SIZE) {
            out->payload[id] = payload;
            out->present[id] = 1;
        } else if (id != ATTR_CUSTOM) {
            c.failed = true;
        }
    }
    return c.failed ? err_set(e, ERR_PROTO, "malformed attributes in a record") : 0;
}

int record_index(struct record_index *out, const struct record *r, struct err *e)
{
    out->record = r;
    memset(out->present, 0, sizeof out->present);
    try(index_body(out, r->state, e));
    return index_body(out, r->stats, e);
}

struct values record_values(const struct record_index *x, enum attr id)
{
    if ((unsigned)id >= ATTR_INDEX_SIZE || !x->present[id]) return (struct values){.id = id};
    return open_payload(id, x->payload[id]);
}

bool record_str(const struct record_index *x, enum attr id, struct str *out)
{
    if (!x->present[id]) return false;
    struct cursor c = cursor_new(x->payload[id]);
    if (!cursor_varint(&c)) return false;
    struct bytes b = cursor_lstr(&c);
    if (c.failed) return false;
    *out = str_of(b);
    return true;
}

bool record_int(const struct record_index *x, enum attr id, int64_t *out)
{
    if (!x->present[id]) return false;
    struct values v = open_payload(id, x->payload[id]);
    return values_next_int(&v, out);
}

struct values record_custom(const struct record_index *x, struct str name)
{
    struct cursor c = cursor_new(x->record->state);
    struct values v;
    while (body_next(&c, &v))
        if (v.id == ATTR_CUSTOM && str_equal_nocase(v.name, name)) return v;
    return (struct values){.id = ATTR_CUSTOM};
}

struct str record_name(const struct record_index *x)
{
    static const enum attr order[] = {
        ATTR_SAM_ACCOUNT_NAME, ATTR_DISPLAY_NAME, ATTR_TRUST_PARTNER,       ATTR_NAME,           ATTR_CN,  ATTR_OU,
        ATTR_DC,               /* of Entra ID, where the display name is missing: */
        ATTR_APP_DISPLAY_NAME, ATTR_DEFAULT_DOMAIN, ATTR_USER_PRINCIPAL_NAME, ATTR_MAIL};
    struct str s;
    for (size_t i = 0; i < n_elements(order); i++)
        if (record_str(x, order[i], &s) && s.len) return s;
    s = x->record->dn; /* value of the first RDN, escapes left as they are */
    size_t eq = str_index(s, '=');
    if (eq < s.len) s.ptr += eq + 1, s.len -= eq + 1;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '\\')
            i++;
        else if (s.ptr[i] == ',')
            s.len = i;
    }
    return s;
}

/* The first three fields are little-endian in the binary form (MS-DTYP 2.3.4.2). */
static const uint8_t guid_order[GUID_SIZE] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};

char *guid_format(char out[GUID_TEXT], const uint8_t guid[GUID_SIZE])
{
    static const char hex[] = "0123456789abcdef";
    char *p = out;
    for (unsigned i = 0; i < GUID_SIZE; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) *p++ = '-';
        *p++ = hex[guid[guid_order[i]] >> 4];
        *p++ = hex[guid[guid_order[i]] & 15];
    }
    *p = 0;
    return out;
}

static int nibble(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

bool guid_parse(uint8_t out[GUID_SIZE], struct str t)
{
    if (t.len == 38 && t.ptr[0] == '{' && t.ptr[37] == '}') t = (struct str){t.ptr + 1, 36};
    if (t.len != 36) return false;
    size_t at = 0;
    for (unsigned i = 0; i < GUID_SIZE; i++) {
        if ((i == 4 || i == 6 || i == 8 || i == 10) && t.ptr[at++] != '-') return false;
        int high = nibble(t.ptr[at]), low = nibble(t.ptr[at + 1]);
        if (high < 0 || low < 0) return false;
        out[guid_order[i]] = (uint8_t)(high << 4 | low);
        at += 2;
    }
    return true;
}
