#include "map/get.h"
#include "map/value.h"

/* msDS-KeyCredentialLink, MS-ADTS 2.2.20: "B:<hex digits>:<hex>:<DN>"; the bytes are a version and entries.
 */
enum { KEY_VERSION = 0x200, ENTRY_KEY_ID = 1, ENTRY_KEY_USAGE = 4, ENTRY_LAST_LOGON = 8 };

struct key {
    struct bytes id;
    uint8_t usage;
    int64_t last_used_ms;
};

static int nibble(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes the hex part into to; 0 if it is malformed or too long. */
static size_t decode_hex(uint8_t *to, size_t size, struct str s)
{
    if (!str_starts(s, STR("B:"))) return 0;
    struct str rest = {s.ptr + 2, s.len - 2};
    size_t colon = str_index(rest, ':');
    if (colon == rest.len) return 0;
    rest.ptr += colon + 1;
    rest.len -= colon + 1;
    size_t digits = str_index(rest, ':');
    if (digits == rest.len || digits % 2 || digits / 2 > size) return 0;
    for (size_t i = 0; i < digits; i += 2) {
        int high = nibble(rest.ptr[i]), low = nibble(rest.ptr[i + 1]);
        if (high < 0 || low < 0) return 0;
        to[i / 2] = (uint8_t)(high << 4 | low);
    }
    return digits / 2;
}

static int64_t filetime_ms(struct bytes b)
{
    struct cursor c = cursor_new(b);
    uint64_t ticks = cursor_u64le(&c);
    return c.failed ? 0 : (int64_t)(ticks / 10000) - 11644473600000;
}

static bool decode_key(struct key *out, struct bytes blob)
{
    struct cursor c = cursor_new(blob);
    *out = (struct key){0};
    if (cursor_u32le(&c) != KEY_VERSION) return false;
    while (c.in.len && !c.failed) {
        uint16_t len = cursor_u16le(&c);
        uint8_t what = cursor_u8(&c);
        struct bytes b = cursor_bytes(&c, len);
        if (c.failed) break;
        if (what == ENTRY_KEY_ID) out->id = b;
        if (what == ENTRY_KEY_USAGE && b.len == 1) out->usage = b.ptr[0];
        if (what == ENTRY_LAST_LOGON) out->last_used_ms = filetime_ms(b);
    }
    return !c.failed && out->id.len && out->id.len <= 64;
}

static const char *usage_name(uint8_t usage)
{
    return usage == 1 ? "NGC" : usage == 7 ? "FIDO" : usage == 8 ? "FEK" : NULL;
}

static void append_key(struct buf *out, const struct key *k)
{
    char id[96];
    struct cell moment;
    buf_add_str(out, STR("{\"uid\":"));
    text_json(out, (struct str){id, value_base64(id, k->id)});
    if (usage_name(k->usage)) {
        buf_add_str(out, STR(",\"type\":"));
        text_json(out, str_from(usage_name(k->usage)));
    }
    if (cell_moment(&moment, k->last_used_ms)) {
        buf_add_str(out, STR(",\"last_used_time\":"));
        uint8_t *to = text_room(out, TEXT_DECIMAL);
        if (to) buf_advance(out, text_decimal(to, k->last_used_ms));
    }
    buf_add_byte(out, '}');
}

static bool key_item(struct view *v, struct buf *out)
{
    struct bytes b;
    struct key key;
    while (list_bytes(&v->list, &b)) {
        size_t n = decode_hex((uint8_t *)v->scratch, VIEW_SCRATCH, str_of(b));
        if (!decode_key(&key, (struct bytes){(const uint8_t *)v->scratch, n})) continue;
        append_key(out, &key);
        return true;
    }
    return false;
}

bool get_key_credentials(struct view *v, const struct row *row, struct cell *out)
{
    if (!view_list(v, ATTR_KEY_CREDENTIAL_LINK, NULL, out)) return false;
    out->type = CELL_ARRAY;
    out->item = key_item;
    return true;
}
