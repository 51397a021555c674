/* fuzz_conf.c - the settings file and the environment laid over it: YAML up to the first NUL, then one
 * variable after another. */
#include "conf/conf.h"
#include "fuzz.h"

#define VARIABLES_MAX 8

static bool is_printable(const char *s)
{
    for (; *s; s++)
        if ((uint8_t)*s < 0x20 || *s == 0x7f) return false;
    return true;
}

/* What a user is told is text that a terminal can show, whatever the file held. */
static void check_error(const struct err *e)
{
    HOLDS(e->class == ERR_INPUT);
    HOLDS(e->message[0] && is_printable(e->message) && is_printable(e->hint));
    HOLDS(str_is_utf8(str_from(e->message)) && str_is_utf8(str_from(e->hint)));
}

/* Settings that were accepted are accepted again, stay what they are, and hold a reference where a secret
 * goes. */
static void check_connector(const struct connector_conf *c)
{
    struct err e;
    json_t *copy = json_deep_copy(c->settings);
    int rc = conf_check_settings(c->type, copy, c->name, &e);
    HOLDS(rc == 0 && json_equal(copy, c->settings));
    json_decref(copy);
    const char *password = conf_str(c->settings, "password");
    HOLDS(!password || strchr(password, ':'));
    const char *ca = conf_str(c->settings, "ca_certificate");
    HOLDS(!ca || ca[0] == '/');
    HOLDS(strcmp(c->type, "active_directory") != 0 ||
          (conf_int(c->settings, "port") > 0 && conf_int(c->settings, "connect_timeout") > 0));
}

static void check_conf(const struct conf *c)
{
    for (size_t i = 0; i < c->n_connectors; i++) check_connector(&c->connectors[i]);
    HOLDS(!c->store_url || strncmp(c->store_url, "sqlite:/", 8) == 0);
}

static void check_words(struct str text)
{
    static const char *const names[] = {"host", "port", "username", "password", "extract_disabled_users",
                                        NULL};
    int64_t ms = 0;
    (void)did_you_mean(text, names);
    HOLDS(!conf_parse_duration(&ms, text) || ms >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 200000) return 0;
    char *copy = x_alloc(size + 1), *env[VARIABLES_MAX + 1];
    memcpy(copy, data, size);
    copy[size] = 0;
    size_t n_yaml = strlen(copy), n_env = 0;
    for (size_t at = n_yaml + 1; at < size && n_env < VARIABLES_MAX; at += strlen(copy + at) + 1)
        env[n_env++] = copy + at;
    env[n_env] = NULL;
    struct conf c;
    struct err e = {0};
    if (conf_parse(&c, (struct str){copy, n_yaml}, "f", "/d", env, &e) == 0) {
        check_conf(&c);
        conf_free(&c);
    } else {
        check_error(&e);
    }
    check_words((struct str){copy, n_yaml});
    free(copy);
    return 0;
}
