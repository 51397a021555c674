#include "net/http_int.h"

/* Text that a cut would leave open: every bracket is closed, no string is open. No judgement of the rest,
 * which is the parser's. One pass, no memory. */
bool json_is_closed(struct bytes b)
{
    size_t depth = 0;
    bool is_string = false, is_escaped = false;
    for (size_t i = 0; i < b.len; i++) {
        uint8_t c = b.ptr[i];
        if (is_string) {
            if (!is_escaped && c == '"') is_string = false;
            is_escaped = !is_escaped && c == '\\';
        } else if (c == '"') {
            is_string = true;
        } else if (c == '{' || c == '[') {
            depth++;
        } else if ((c == '}' || c == ']') && depth) {
            depth--;
        }
    }
    return b.len && !depth && !is_string;
}

static struct str header_of(const struct transfer *t, const char *name)
{
    struct curl_header *found;
    if (curl_easy_header(t->easy, name, 0, CURLH_HEADER, -1, &found) != CURLHE_OK) return STR("");
    return str_from(found->value);
}

static bool is_json(const struct transfer *t)
{
    struct str type = header_of(t, "Content-Type"), json = STR("application/json");
    return type.len >= json.len && str_equal_nocase((struct str){type.ptr, json.len}, json);
}

/* What libcurl 7.88 calls an answer though it may be half of one:
 *  - an HTTP/1 answer that ends within its header;
 *  - one that only the end of the connection ends (RFC 9112 8: a missing close_notify is overlooked);
 *  - HTTP/2 without Content-Length: a stream that is reset with code 0, or lost in a GOAWAY (curl issue 6015,
 * PR 10693, in 8.0);
 *  - a compressed body that ends early.
 * JSON shows it by itself. An error's status counts whatever its body is. */
CURLcode http_check_whole(const struct transfer *t, long status)
{
    long version = 0;
    if (!t->has_head) return HTTP_NO_HEAD;
    if (status < 200 || status > 299 || status == 204) return CURLE_OK;
    curl_easy_getinfo(t->easy, CURLINFO_HTTP_VERSION, &version);
    bool is_h1 = version < CURL_HTTP_VERSION_2_0;
    bool is_told = header_of(t, "Content-Length").len || (is_h1 && header_of(t, "Transfer-Encoding").len);
    if (is_told && !header_of(t, "Content-Encoding").len) return CURLE_OK;
    if (is_json(t)) return json_is_closed(buf_bytes(&t->body)) ? CURLE_OK : HTTP_OPEN_JSON;
    return is_h1 && !is_told ? HTTP_UNTOLD : CURLE_OK;
}
