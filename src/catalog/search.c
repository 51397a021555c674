/* What a search text asks for: words that are parts of a row's texts, or the beginning of a name. */
#include "catalog/catalog_int.h"

#define SEARCH_MAX    256 /* bytes of a text that count */
#define TRIGRAMS_MAX  12  /* of a query: more narrow nothing down */

static unsigned char_len(uint8_t first)
{
    return first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

static size_t n_chars(struct str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++) n += ((uint8_t)s.ptr[i] & 0xc0) != 0x80;
    return n;
}

static void split(struct search *s)
{
    struct str rest = str_trim(buf_str(&s->folded));
    while (rest.len && s->n_words < SEARCH_WORDS) {
        size_t end = str_index(rest, ' ');
        if (end) s->words[s->n_words++] = (struct str){rest.ptr, end};
        end += end < rest.len;
        rest = (struct str){rest.ptr + end, rest.len - end};
    }
}

/* "ali" AND "lic" AND "ice": an index without positions has no phrases, so the text itself is looked at afterwards. */
static void add_trigrams(struct search *s, struct str word, unsigned *n)
{
    while (*n < TRIGRAMS_MAX && n_chars(word) >= 3) {
        size_t len = 0;
        for (unsigned i = 0; i < 3; i++) len += char_len((uint8_t)word.ptr[len]);
        buf_add_str(&s->match, *n ? STR(" AND \"") : STR("\""));
        for (size_t i = 0; i < len; i++) {
            if (word.ptr[i] == '"') buf_add_byte(&s->match, '"');
            buf_add_byte(&s->match, (uint8_t)word.ptr[i]);
        }
        buf_add_byte(&s->match, '"');
        ++*n;
        unsigned first = char_len((uint8_t)word.ptr[0]);
        word = (struct str){word.ptr + first, word.len - first};
    }
}

static int place(struct catalog *c, struct str key, int64_t *out, struct err *e)
{
    sqlite3_stmt *s;
    try(db_take(&c->db, SQL_PLACE_FROM, &s, e));
    db_text(s, 1, key);
    int rc = db_step(&c->db, s, e);
    if (rc < 0) return rc;
    *out = rc ? sqlite3_column_int64(s, 0) : INT64_MAX;
    sqlite3_reset(s);
    return 0;
}

/* Names from the text up to the text with its last byte one higher (0xff is in no UTF-8). */
static int open_prefix(struct search *s, struct catalog *c, struct err *e)
{
    struct str text = str_trim(buf_str(&s->folded));
    struct buf end = buf_new(SEARCH_MAX + 1);
    s->how = SEARCH_PREFIX;
    buf_add_str(&end, text);
    end.ptr[end.len - 1]++;
    int rc = place(c, text, &s->from, e);
    if (rc == 0) rc = place(c, buf_str(&end), &s->to, e);
    s->from--;
    buf_free(&end);
    return rc;
}

int search_open(struct search *s, struct catalog *c, struct str text, struct err *e)
{
    unsigned n = 0;
    *s = (struct search){.folded = buf_new(SEARCH_MAX * 4), .match = buf_new(4096), .row = buf_new((size_t)1 << 16), .from = INT64_MIN, .to = INT64_MAX};
    catalog_fold(&s->folded, text, SEARCH_MAX);
    split(s);
    if (!s->n_words) return 0;
    for (size_t i = 0; i < s->n_words; i++) add_trigrams(s, s->words[i], &n);
    if (!n) return open_prefix(s, c, e);
    s->how = SEARCH_WORDS_IN;
    return 0;
}

void search_close(struct search *s)
{
    buf_free(&s->folded);
    buf_free(&s->match);
    buf_free(&s->row);
}

bool search_matches(struct search *s, struct str name, struct str account, struct str display_name, struct str mail)
{
    if (s->how != SEARCH_WORDS_IN) return true;
    buf_clear(&s->row);
    asset_words(&s->row, name, account, display_name, mail);
    for (size_t i = 0; i < s->n_words; i++)
        if (!memmem(s->row.ptr, s->row.len, s->words[i].ptr, s->words[i].len)) return false;
    return true;
}
