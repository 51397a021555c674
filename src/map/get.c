#include "map/get.h"

#include "base/jsonw.h"
#include "map/dialect.h"
#include "map/value.h"
#include "model/sd.h"

bool get_text(struct view *v, const struct row *row, struct cell *out)
{
    out->type = CELL_TEXT;
    return view_str(v, row->arg, &out->text);
}

bool get_words(struct view *v, const struct row *row, struct cell *out)
{
    out->type = CELL_TEXT;
    return view_str(v, row->arg, &out->text) && !text_is_placeholder(out->text);
}

bool get_int(struct view *v, const struct row *row, struct cell *out)
{
    out->type = CELL_INT;
    return view_int(v, row->arg, &out->number);
}

bool get_bool(struct view *v, const struct row *row, struct cell *out)
{
    bool b;
    return view_bool(v, row->arg, &b) && cell_number(out, CELL_BOOL, b);
}
bool get_not(struct view *v, const struct row *row, struct cell *out)
{
    bool b;
    return view_bool(v, row->arg, &b) && cell_number(out, CELL_BOOL, !b);
}

bool get_time(struct view *v, const struct row *row, struct cell *out)
{
    out->type = CELL_TIME;
    return view_int(v, row->arg, &out->number) && out->number > 0;
}

/* A consumer reads a smaller number as seconds, a larger one as microseconds or as "never". */
bool cell_moment(struct cell *out, int64_t ms)
{
    out->type = CELL_TIME;
    out->number = ms;
    return ms >= 100000000000 && ms <= 32503680000000;
}

bool get_moment(struct view *v, const struct row *row, struct cell *out)
{
    int64_t ms;
    return view_int(v, row->arg, &ms) && cell_moment(out, ms);
}

bool get_seconds(struct view *v, const struct row *row, struct cell *out)
{
    int64_t ms;
    return view_int(v, row->arg, &ms) && ms > 0 && cell_number(out, CELL_INT, ms / 1000);
}

bool get_days(struct view *v, const struct row *row, struct cell *out)
{
    int64_t ms;
    return view_int(v, row->arg, &ms) && ms > 0 && cell_number(out, CELL_INT, ms / WHEN_DAY_MS);
}

static bool next_text(struct view *v, struct str *out)
{
    struct bytes b;
    while (list_bytes(&v->list, &b)) {
        *out = str_of(b);
        if (b.len) return true;
    }
    return false;
}

bool get_texts(struct view *v, const struct row *row, struct cell *out)
{
    return view_list(v, row->arg, next_text, out);
}

static bool next_words(struct view *v, struct str *out)
{
    while (next_text(v, out))
        if (!text_is_placeholder(*out)) return true;
    return false;
}

bool get_words_list(struct view *v, const struct row *row, struct cell *out)
{
    return view_list(v, row->arg, next_words, out);
}

static bool next_sid(struct view *v, struct str *out)
{
    struct bytes b;
    while (list_bytes(&v->list, &b)) {
        *out = (struct str){v->scratch, view_sid(v, v->scratch, b)};
        if (out->len) return true;
    }
    return false;
}

bool get_sids(struct view *v, const struct row *row, struct cell *out)
{
    if (!view_list(v, row->arg, next_sid, out)) return false;
    v->list.is_plain = true;
    return true;
}

bool get_sid_value(struct view *v, const struct row *row, struct cell *out)
{
    struct str s;
    if (!view_str(v, row->arg, &s)) return false;
    return cell_plain(out, v->scratch, view_sid(v, v->scratch, bytes_of(s)));
}

bool get_guid_value(struct view *v, const struct row *row, struct cell *out)
{
    struct str s;
    if (!view_str(v, row->arg, &s) || s.len != GUID_SIZE) return false;
    return cell_plain(out, guid_format(v->scratch, bytes_of(s).ptr), GUID_TEXT - 1);
}

bool get_base64(struct view *v, const struct row *row, struct cell *out)
{
    struct str s;
    if (!view_str(v, row->arg, &s) || s.len > VIEW_SCRATCH / 2) return false;
    size_t n = value_base64(v->scratch, bytes_of(s));
    return cell_plain(out, v->scratch, n);
}

static bool next_trustee(struct view *v, struct str *out)
{
    struct ace ace;
    while (sd_next_ace(&v->list.at.in, &ace)) {
        bool allows = ace.type == ACE_ALLOW || ace.type == ACE_ALLOW_OBJECT || ace.type == ACE_ALLOW_CALLBACK;
        if (!allows || ace.flags & ACE_INHERIT_ONLY) continue;
        *out = str_from(sid_format_bytes(v->scratch, ace.trustee));
        if (out->len) return true;
    }
    return false;
}

bool get_trustees(struct view *v, const struct row *row, struct cell *out)
{
    struct str s;
    struct sd sd;
    struct err ignored;
    if (!view_str(v, row->arg, &s) || sd_decode(&sd, bytes_of(s), &ignored) < 0) return false;
    v->list = (struct list){.next = next_trustee, .at = cursor_new(sd.dacl), .is_plain = true};
    out->type = CELL_LIST;
    return true;
}

bool get_number_text(struct view *v, const struct row *row, struct cell *out)
{
    int64_t n;
    return view_int(v, row->arg, &n) && cell_plain(out, v->scratch, text_decimal((uint8_t *)v->scratch, n));
}

bool get_named(struct view *v, const struct row *row, struct cell *out)
{
    int64_t n;
    if (!view_int(v, row->arg, &n)) return false;
    for (const struct word *w = row->words; w->text; w++)
        if (w->value == n) return cell_text(out, str_from(w->text));
    return cell_plain(out, v->scratch, text_decimal((uint8_t *)v->scratch, n));
}

static bool next_flag(struct view *v, struct str *out)
{
    for (;;) {
        const struct word *w = &v->list.row->words[v->list.position];
        if (!w->text) return false;
        v->list.position++;
        if (!(v->list.bits & (uint64_t)w->value)) continue;
        *out = str_from(w->text);
        return true;
    }
}

bool get_flags(struct view *v, const struct row *row, struct cell *out)
{
    int64_t bits;
    if (!view_int(v, row->arg, &bits) || !bits) return false;
    v->list = (struct list){.next = next_flag, .row = row, .bits = (uint64_t)bits, .is_plain = true};
    out->type = CELL_LIST;
    return true;
}

bool get_email(struct view *v, const struct row *row, struct cell *out)
{
    struct str s;
    if (!view_str(v, row->arg, &s) || !text_is_email(s, view_version(v) < V1_2)) return false;
    return cell_plain(out, s.ptr, s.len);
}

bool get_not_email(struct view *v, const struct row *row, struct cell *out)
{
    return get_words(v, row, out) && !text_is_email(out->text, view_version(v) < V1_2);
}

bool get_lower(struct view *v, const struct row *row, struct cell *out)
{
    struct str s;
    return view_str(v, row->arg, &s) && cell_text(out, text_lower(v->scratch, sizeof v->scratch, s));
}

/* --- custom properties: the entries numbered ATTR_CUSTOM, after all others ----------------------- */
static bool next_custom(struct view *v, struct values *out)
{
    while (body_next(&v->list.at, out))
        if (out->id == ATTR_CUSTOM && out->name.len && out->n) return true;
    return false;
}

static bool has_custom(struct view *v)
{
    struct cursor c = cursor_new(v->r->record->state);
    while (c.in.len && !c.failed) {
        struct cursor before = c;
        if (cursor_varint(&c) == ATTR_CUSTOM) {
            v->list = (struct list){.at = before};
            return true;
        }
        cursor_lstr(&c);
    }
    return false;
}

static bool custom_item(struct view *v, struct buf *out)
{
    struct values values;
    if (!next_custom(v, &values)) return false;
    text_json(out, text_cut(values.name, TEXT_MAX_TIGHT));
    buf_add_byte(out, ':');
    value_json(out, values, v->d->type->times);
    return true;
}

bool get_custom(struct view *v, const struct row *row, struct cell *out)
{
    if (!has_custom(v)) return false;
    out->type = CELL_OBJECT;
    out->item = custom_item;
    return true;
}

static bool next_custom_pair(struct view *v, struct str *out)
{
    struct values values;
    while (next_custom(v, &values)) {
        size_t n = values.name.len;
        if (n >= VIEW_SCRATCH / 2) continue;
        memcpy(v->scratch, values.name.ptr, n);
        v->scratch[n++] = '=';
        n += value_text(v->scratch + n, VIEW_SCRATCH - n, values);
        *out = (struct str){v->scratch, n};
        return true;
    }
    return false;
}

bool get_custom_list(struct view *v, const struct row *row, struct cell *out)
{
    if (!has_custom(v)) return false;
    v->list.next = next_custom_pair;
    out->type = CELL_LIST;
    return true;
}
