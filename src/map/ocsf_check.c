#include "map/ocsf_check.h"

#include "base/buf.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

struct check {
    json_t *objects; /* of the version */
    struct buf out;
    size_t n;
};

static json_t *facts(void)
{
    static json_t *root;
    if (root) return root;
    const char *dir = getenv("ROLLCALL_GOLDEN");
    struct buf path = buf_new(4096);
    json_error_t error;
    buf_printf(&path, "%s/ocsf_required.json", dir ? dir : "tests/golden");
    root = json_load_file(buf_cstr(&path), 0, &error);
    if (!root) fail_msg("%s: %s", buf_cstr(&path), error.text);
    buf_free(&path);
    return root;
}

static void finding(struct check *c, const char *path, const char *what, const char *more)
{
    c->n++;
    buf_printf(&c->out, "%s: %s%s%s\n", path, what, more ? " " : "", more ? more : "");
}

/* --- values -------------------------------------------------------------------------------------- */
static bool all_in(const char *s, size_t n, const char *set)
{
    for (size_t i = 0; i < n; i++) {
        bool alnum =
            (s[i] >= 'a' && s[i] <= 'z') || (s[i] >= 'A' && s[i] <= 'Z') || (s[i] >= '0' && s[i] <= '9');
        if (!alnum && (!s[i] || !strchr(set, s[i]))) return false;
    }
    return n > 0;
}

/* The schema's own patterns; in the later one +-/ is a range, so comma, dot and slash pass. */
static bool is_email(const char *s, bool in_1_1)
{
    const char *at = strchr(s, '@'), *dot = at ? strchr(at, '.') : NULL;
    if (!dot || !all_in(s, (size_t)(at - s), in_1_1 ? "_.+-" : "!#$%&'*+,-./=?^_`{|}~")) return false;
    return all_in(at + 1, (size_t)(dot - at - 1), "-") && all_in(dot + 1, strlen(dot + 1), "-.");
}

static bool is_hostname(const char *s)
{
    while (*s) {
        size_t n = strcspn(s, ".");
        if (!n || s[0] == '-' || s[n - 1] == '-' || !all_in(s, n, "-")) return false;
        s += n;
        if (*s == '.' && !*++s) return false;
    }
    return true;
}

static bool is_uuid(const char *s)
{
    return strlen(s) == 36 && all_in(s, 36, "-") && s[8] == '-' && s[13] == '-' && s[18] == '-' &&
           s[23] == '-';
}

static bool is_placeholder(const char *s)
{
    static const char *const words[] = {"unknown", "n/a",       "na",     "none", "null",
                                        "-",       "undefined", "(null)", "nil"};
    for (size_t i = 0; i < n_elements(words); i++)
        if (str_equal_nocase(str_trim(str_from(s)), str_from(words[i]))) return true;
    return false;
}

/* Captions may say "Unknown". */
static bool is_caption(const char *path)
{
    const char *last = strrchr(path, '.');
    last = last ? last + 1 : path;
    size_t n = strlen(last);
    return !strcmp(last, "type") || !strcmp(last, "severity") || !strcmp(last, "status") ||
           !strcmp(last, "value") || (n > 5 && !strcmp(last + n - 5, "_name"));
}

static void check_string(struct check *c, json_t *v, const char *type, const char *path)
{
    const char *s = json_string_value(v);
    bool in_1_1 = json_is_true(json_object_get(c->objects, "is_1_1"));
    if (!json_is_string(v)) {
        finding(c, path, "no string", NULL);
        return;
    }
    if (!*s) finding(c, path, "empty string", NULL);
    if (in_1_1 && json_string_length(v) > 65535) finding(c, path, "longer than 65535", NULL);
    if (!strcmp(type, "email_t") && !is_email(s, in_1_1)) finding(c, path, "no e-mail address:", s);
    if (!strcmp(type, "hostname_t") && in_1_1 && !is_hostname(s)) finding(c, path, "no host name:", s);
    if (!strcmp(type, "uuid_t") && !is_uuid(s)) finding(c, path, "no UUID:", s);
    if (is_placeholder(s) && !is_caption(path)) finding(c, path, "a placeholder:", s);
}

static void check_timestamp(struct check *c, json_t *v, const char *path)
{
    json_int_t ms = json_integer_value(v);
    if (!json_is_integer(v))
        finding(c, path, "no integer", NULL);
    else if (ms < 100000000000 || ms > 32503680000000)
        finding(c, path, "a time that is not in milliseconds, or never", NULL);
}

static void check_object(struct check *c, json_t *v, const char *object, const char *path);

static void check_value(struct check *c, json_t *v, const char *type, const char *path)
{
    if (!strcmp(type, "json_t")) return;
    if (json_is_null(v))
        finding(c, path, "null", NULL);
    else if (!strcmp(type, "timestamp_t"))
        check_timestamp(c, v, path);
    else if (!strcmp(type, "integer_t") || !strcmp(type, "long_t")) {
        if (!json_is_integer(v)) finding(c, path, "no integer", NULL);
    } else if (!strcmp(type, "boolean_t")) {
        if (!json_is_boolean(v)) finding(c, path, "no boolean", NULL);
    } else if (json_object_get(c->objects, type))
        check_object(c, v, type, path);
    else
        check_string(c, v, type, path);
}

/* --- enumerations and their captions ------------------------------------------------------------- */
static void check_enum(struct check *c, json_t *object, json_t *v, json_t *spec, const char *path)
{
    char number[32];
    json_t *captions = json_object_get(spec, "e");
    const char *sibling = json_string_value(json_object_get(spec, "sib"));
    if (!captions || !json_is_integer(v)) return;
    snprintf(number, sizeof number, "%lld", (long long)json_integer_value(v));
    const char *caption = json_string_value(json_object_get(captions, number));
    const char *said = sibling ? json_string_value(json_object_get(object, sibling)) : NULL;
    if (!caption)
        finding(c, path, "no such value:", number);
    else if (!sibling)
        return;
    else if (json_integer_value(v) == 99 && (!said || !strcmp(said, caption)))
        finding(c, path, "99 without the source's own word", NULL);
    else if (json_integer_value(v) != 99 && said && strcmp(said, caption))
        finding(c, path, "caption differs:", said);
}

static void check_constraint(struct check *c, json_t *v, json_t *spec, const char *path)
{
    json_t *names = json_object_get(json_object_get(spec, "con"), "at_least_one"), *name;
    size_t i;
    json_array_foreach(names, i, name) if (json_object_get(v, json_string_value(name))) return;
    if (json_array_size(names)) finding(c, path, "none of the attributes that it must have one of", NULL);
}

static void check_attribute(struct check *c, json_t *object, const char *key, json_t *v, json_t *attrs,
                            const char *path)
{
    struct buf sub = buf_new(4096);
    json_t *spec = json_object_get(attrs, key), *item;
    size_t i;
    buf_printf(&sub, "%s%s%s", path, *path ? "." : "", key);
    const char *at = buf_cstr(&sub), *type = json_string_value(json_object_get(spec, "t"));
    if (!spec)
        finding(c, at, "not an attribute here", NULL);
    else if (json_object_get(spec, "dep"))
        finding(c, at, "deprecated", NULL);
    else if (!json_is_true(json_object_get(spec, "arr"))) {
        check_value(c, v, type, at);
        check_enum(c, object, v, spec, at);
    } else if (!json_is_array(v) || !json_array_size(v))
        finding(c, at, "no array, or empty", NULL);
    else
        json_array_foreach(v, i, item) check_value(c, item, type, at);
    buf_free(&sub);
}

static void check_attributes(struct check *c, json_t *v, json_t *spec, const char *path)
{
    const char *key;
    json_t *value, *attrs = json_object_get(spec, "attrs");
    json_object_foreach(v, key, value) check_attribute(c, v, key, value, attrs, path);
    json_object_foreach(attrs, key, value) if (json_is_true(json_object_get(value, "req")) &&
                                               !json_object_get(v, key)) finding(c, path, "lacks", key);
    check_constraint(c, v, spec, path);
}

static void check_object(struct check *c, json_t *v, const char *object, const char *path)
{
    if (!json_is_object(v) || !json_object_size(v))
        finding(c, path, "no object, or empty", NULL);
    else
        check_attributes(c, v, json_object_get(c->objects, object), path);
}

/* An attribute that a profile brings is there if and only if the event names the profile. */
static void check_profile(struct check *c, json_t *event, json_t *spec)
{
    json_t *names = json_object_get(json_object_get(event, "metadata"), "profiles"), *cloud;
    const char *name = json_string_value(json_array_get(names, 0));
    bool named = name && !strcmp(name, "cloud"), present = json_object_get(event, "cloud");
    cloud = json_object_get(json_object_get(spec, "attrs"), "cloud");
    if (json_array_size(names) > 1 || (json_array_size(names) && !named))
        finding(c, "metadata.profiles", "not a profile we use", NULL);
    if (named && !present) finding(c, "", "lacks", "cloud");
    if (present && !named && json_object_get(cloud, "p")) finding(c, "cloud", "without its profile", NULL);
}

static void check_event(struct check *c, json_t *event, json_t *facts_of_version, const char *version)
{
    char uid[32];
    json_int_t class = json_integer_value(json_object_get(event, "class_uid"));
    snprintf(uid, sizeof uid, "%lld", (long long)class);
    json_t *spec = json_object_get(json_object_get(facts_of_version, "classes"), uid);
    const char *said = json_string_value(json_object_get(json_object_get(event, "metadata"), "version"));
    if (!spec) {
        finding(c, "class_uid", "not a class we use:", uid);
        return;
    }
    check_attributes(c, event, spec, "");
    check_profile(c, event, spec);
    if (!said || strcmp(said, version)) finding(c, "metadata.version", "is not", version);
    if (json_integer_value(json_object_get(event, "type_uid")) !=
        class * 100 + json_integer_value(json_object_get(event, "activity_id")))
        finding(c, "type_uid", "is not class_uid * 100 + activity_id", NULL);
}

size_t ocsf_check_event(struct str text, const char *version, char *out, size_t size)
{
    json_error_t error;
    json_t *of_version = json_object_get(facts(), version);
    struct check c = {.objects = json_object_get(of_version, "objects"), .out = buf_new((size_t)1 << 20)};
    json_t *event = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES, &error);
    if (!of_version)
        finding(&c, "version", "no facts of", version);
    else if (!json_is_object(event))
        finding(&c, "event", "no JSON object:", error.text);
    else
        check_event(&c, event, of_version, version);
    snprintf(out, size, "%s", buf_cstr(&c.out));
    json_decref(event);
    buf_free(&c.out);
    return c.n;
}

size_t ocsf_check_lines(struct str lines, const char *version, const char *where)
{
    char text[4096];
    size_t n = 0;
    while (lines.len) {
        size_t end = str_index(lines, '\n');
        if (end == lines.len) fail_msg("%s: the last line has no end", where);
        n++;
        if (ocsf_check_event((struct str){lines.ptr, end}, version, text, sizeof text))
            fail_msg("%s, event %zu, OCSF %s: %s", where, n, version, text);
        lines.ptr += end + 1;
        lines.len -= end + 1;
    }
    return n;
}
