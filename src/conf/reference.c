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

void reference_split_vault(struct str *path, struct str *field, struct str rest)
{
    size_t mark = rest.len;
    while (mark && rest.ptr[mark - 1] != '#') mark--;
    *path = (struct str){rest.ptr, mark ? mark - 1 : rest.len};
    *field = (struct str){rest.ptr + mark, mark ? rest.len - mark : 0};
}

/* At least two segments, none of them empty or of dots: the path becomes one of a URL. */
static bool is_vault_path(struct str s)
{
    size_t n = 0;
    for (struct str rest = s;; n++) {
        size_t end = str_index(rest, '/');
        struct str one = {rest.ptr, end};
        if (!one.len || str_equal(one, STR(".")) || str_equal(one, STR(".."))) return false;
        if (end == rest.len) return n > 0;
        rest = (struct str){rest.ptr + end + 1, rest.len - end - 1};
    }
}

static int check_vault(struct str rest, struct err *e)
{
    struct str path, field;
    reference_split_vault(&path, &field, rest);
    if (rest.len <= 1024 && str_is_utf8(rest) && !has_control(rest) && is_vault_path(path) && field.len) return 0;
    err_set(e, ERR_INPUT, "vault: wants MOUNT/PATH#FIELD behind it");
    return err_hint(e, "for example vault:secret/rollcall/corp#password: as `vault kv get` takes it, without data/, then # and the field");
}

static bool descriptors_allowed;

void reference_allow_descriptors(void)
{
    descriptors_allowed = true;
}

bool reference_allows_descriptors(void)
{
    return descriptors_allowed;
}

int reference_descriptor(struct str rest)
{
    int n = 0;
    for (size_t i = 0; i < rest.len && i < 4 && rest.ptr[i] >= '0' && rest.ptr[i] <= '9'; i++) n = n * 10 + (rest.ptr[i] - '0');
    return n;
}

/* Not the standard ones. */
static bool is_descriptor(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] < '0' || s.ptr[i] > '9') return false;
    return s.len > 0 && s.len <= 3 && reference_descriptor(s) > 2;
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
    case REFERENCE_VAULT:
        return check_vault(r->rest, e);
    case REFERENCE_FD:
        if (is_descriptor(r->rest)) return 0;
        return err_set(e, ERR_INPUT, "fd: wants the number of a descriptor behind it");
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
                   {{"prompt:", 7}, REFERENCE_PROMPT},
                   {{"vault:", 6}, REFERENCE_VAULT},
                   {{"fd:", 3}, REFERENCE_FD}};
    if (!text.len) {
        err_set(e, ERR_INPUT, "the secret's reference is empty");
        return err_hint(e, "write file:PATH, env:NAME, cred:NAME, vault:MOUNT/PATH#FIELD or prompt:");
    }
    for (size_t i = 0; i < n_elements(schemes); i++) {
        if (!str_starts(text, schemes[i].prefix) || (schemes[i].scheme == REFERENCE_FD && !descriptors_allowed)) continue;
        size_t n = schemes[i].prefix.len;
        *out = (struct reference){schemes[i].scheme, {text.ptr + n, text.len - n}};
        return check_rest(out, e);
    }
    err_set(e, ERR_INPUT, "a secret is never written into the settings itself");
    return err_hint(
        e, "put it into a file that only you may read (chmod 600) and write file:PATH; or env:NAME for an "
           "environment variable, cred:NAME for a systemd credential, vault:MOUNT/PATH#FIELD for HashiCorp Vault, prompt: to be asked");
}
