#include "conf/reference.h"

static bool is_name_start(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

/* POSIX: letters, digits and underscore, not starting with a digit. */
static bool is_variable_name(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!is_name_start(s.ptr[i]) && !(i && s.ptr[i] >= '0' && s.ptr[i] <= '9')) return false;
    return s.len > 0;
}

/* systemd: a file name within the credentials directory. */
static bool is_credential_name(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] == '/' || (uint8_t)s.ptr[i] <= 0x20 || s.ptr[i] == 0x7f) return false;
    return s.len > 0 && s.len <= 255 && !str_equal(s, STR(".")) && !str_equal(s, STR(".."));
}

static bool has_control(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((uint8_t)s.ptr[i] < 0x20 || s.ptr[i] == 0x7f) return true;
    return false;
}

static int check_rest(const struct reference *r, struct err *e)
{
    switch (r->scheme) {
    case REFERENCE_FILE:
        if (!r->rest.len || has_control(r->rest))
            return err_set(e, ERR_INPUT, "file: wants the path of a file behind it");
        return 0;
    case REFERENCE_ENV:
        if (is_variable_name(r->rest)) return 0;
        return err_set(e, ERR_INPUT, "env: wants the name of an environment variable behind it");
    case REFERENCE_CRED:
        if (is_credential_name(r->rest)) return 0;
        return err_set(e, ERR_INPUT,
                       "cred: wants the name of a systemd credential behind it, without slashes");
    case REFERENCE_PROMPT:
        if (!r->rest.len) return 0;
        return err_set(e, ERR_INPUT, "prompt: has nothing behind it");
    }
    return err_set(e, ERR_BUG, "reference scheme %d", (int)r->scheme);
}

int reference_parse(struct reference *out, struct str text, struct err *e)
{
    static const struct {
        struct str prefix;
        enum reference_scheme scheme;
    } schemes[] = {{{"file:", 5}, REFERENCE_FILE},
                   {{"env:", 4}, REFERENCE_ENV},
                   {{"cred:", 5}, REFERENCE_CRED},
                   {{"prompt:", 7}, REFERENCE_PROMPT}};
    if (!text.len) {
        err_set(e, ERR_INPUT, "the secret's reference is empty");
        return err_hint(e, "write file:PATH, env:NAME, cred:NAME or prompt:");
    }
    for (size_t i = 0; i < n_elements(schemes); i++) {
        if (!str_starts(text, schemes[i].prefix)) continue;
        size_t n = schemes[i].prefix.len;
        *out = (struct reference){schemes[i].scheme, {text.ptr + n, text.len - n}};
        return check_rest(out, e);
    }
    if (str_starts(text, STR("vault:"))) {
        err_set(e, ERR_INPUT, "vault: references are not in this version");
        return err_hint(e, "use file:PATH, env:NAME, cred:NAME or prompt:");
    }
    err_set(e, ERR_INPUT, "a secret is never written into the settings itself");
    return err_hint(
        e, "put it into a file that only you may read (chmod 600) and write file:PATH; or env:NAME for an "
           "environment variable, cred:NAME for a systemd credential, prompt: to be asked");
}
