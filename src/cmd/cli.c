#include "cmd/cli.h"

#include "base/jsonw.h"
#include "base/when.h"
#include "cmd/out.h"
#include "net/hashicorp.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

const struct cli_option cli_common_options[] = {
    {"config", 0, "FILE", "settings file (default: $ROLLCALL_CONFIG, else /etc/rollcall/rollcall.yaml)", NULL, false},
    {"output", 'o', "FORMAT", "table, json, jsonl or csv", "table|json|jsonl|csv", false},
    {"fields", 0, "A,B", "only these fields, in this order", NULL, false},
    {"set", 0, "KEY=VALUE", "override a key of the connector's settings; repeatable", NULL, true},
    {"progress", 0, "MODE", "auto, json or none: progress on standard error", "auto|json|none", false},
    {"log", 0, "LEVEL", "debug, info, warn, error or off: log on standard error", "debug|info|warn|error|off", false},
    {"help", 'h', NULL, "this text", NULL, false},
    {NULL, 0, NULL, NULL, NULL, false},
};

static size_t count(const struct cli_option *o)
{
    size_t n = 0;
    while (o && o[n].name) n++;
    return n;
}

/* Option number i: the command's own first, then the common ones. */
static const struct cli_option *option_at(const struct command *cmd, size_t i)
{
    size_t own = count(cmd->options);
    return i < own ? &cmd->options[i] : &cli_common_options[i - own];
}

static size_t n_options(const struct command *cmd)
{
    return count(cmd->options) + count(cli_common_options);
}

static bool is_choice(const char *choices, struct str value)
{
    struct str rest = str_from(choices);
    while (rest.len) {
        size_t n = str_index(rest, '|');
        if (str_equal((struct str){rest.ptr, n}, value)) return true;
        n += n < rest.len;
        rest.ptr += n;
        rest.len -= n;
    }
    return false;
}

static int take_value(struct cli *c, size_t i, const char *value, struct err *e)
{
    const struct cli_option *o = option_at(c->command, i);
    if (o->choices && !is_choice(o->choices, str_from(value)))
        return err_set(e, ERR_INPUT, "--%s %s: one of %s is wanted", o->name, value, o->choices);
    if (o->is_repeatable) {
        if (c->n_set == n_elements(c->set)) return err_set(e, ERR_INPUT, "--%s is given too often", o->name);
        c->set[c->n_set++] = value;
    }
    c->values[i] = value;
    return 0;
}

static int unknown_option(const struct command *cmd, const char *given, struct err *e)
{
    const char *names[CLI_MAX_OPTIONS + 1] = {NULL};
    for (size_t i = 0; i < n_options(cmd); i++) names[i] = option_at(cmd, i)->name;
    while (*given == '-') given++;
    struct str word = str_from(given);
    word.len = str_index(word, '=');
    const char *near = did_you_mean(word, names);
    err_set(e, ERR_INPUT, "%s: unknown option or missing value: --%s", cmd->name, given);
    return near ? err_hint(e, "did you mean --%s? See rollcall %s --help", near, cmd->name)
                : err_hint(e, "see rollcall %s --help", cmd->name);
}

static void make_getopt(const struct command *cmd, struct option *longs, char *shorts)
{
    size_t n = n_options(cmd), s = 0;
    shorts[s++] = ':';
    for (size_t i = 0; i < n; i++) {
        const struct cli_option *o = option_at(cmd, i);
        longs[i] = (struct option){o->name, o->argument ? required_argument : no_argument, NULL, 256 + (int)i};
        if (o->letter) {
            shorts[s++] = o->letter;
            if (o->argument) shorts[s++] = ':';
        }
    }
    longs[n] = (struct option){NULL, 0, NULL, 0};
    shorts[s] = 0;
}

static size_t option_number(const struct command *cmd, int got)
{
    if (got >= 256) return (size_t)got - 256;
    for (size_t i = 0; i < n_options(cmd); i++)
        if (option_at(cmd, i)->letter == got) return i;
    return SIZE_MAX;
}

static enum cli_format parse_format(const char *o)
{
    if (!o) return OUT_TABLE;
    return o[0] == 't' ? OUT_TABLE : o[0] == 'c' ? OUT_CSV : strlen(o) == 4 ? OUT_JSON : OUT_JSONL;
}

static int check_arguments(const struct cli *c, struct err *e)
{
    const struct command *cmd = c->command;
    if (c->n_args >= cmd->min_args && c->n_args <= cmd->max_args) return 0;
    if (c->n_args < cmd->min_args)
        err_set(e, ERR_INPUT, "%s: %s is missing", cmd->name, cmd->arguments);
    else
        err_set(e, ERR_INPUT, "%s: unexpected argument '%s'", cmd->name, c->args[cmd->max_args]);
    return err_hint(e, "usage: rollcall %s %s [options]", cmd->name, cmd->arguments);
}

int cli_parse(struct cli *c, const struct command *command, int argc, char **argv, bool *wants_help, struct err *e)
{
    struct option longs[CLI_MAX_OPTIONS + 1];
    char shorts[3 * CLI_MAX_OPTIONS];
    *c = (struct cli){.command = command};
    *wants_help = false;
    make_getopt(command, longs, shorts);
    opterr = 0;
    optind = 0; /* begins anew, also behind a parse that failed half way through a word */
    for (int got; (got = getopt_long(argc, argv, shorts, longs, NULL)) != -1;) {
        size_t i = option_number(command, got);
        if (got == '?' || got == ':' || i == SIZE_MAX) return unknown_option(command, argv[optind - 1], e);
        try(take_value(c, i, optarg ? optarg : "", e));
    }
    c->args = argv + optind;
    c->n_args = (unsigned)(argc - optind);
    *wants_help = cli_flag(c, "help");
    c->format = parse_format(cli_value(c, "output"));
    return *wants_help ? 0 : check_arguments(c, e);
}

void cli_free(struct cli *c)
{
    store_close(c->store);
    if (c->has_conf) conf_free(&c->conf);
}

const char *cli_value(const struct cli *c, const char *name)
{
    for (size_t i = 0; i < n_options(c->command); i++)
        if (strcmp(option_at(c->command, i)->name, name) == 0) return c->values[i];
    return NULL;
}

bool cli_flag(const struct cli *c, const char *name)
{
    return cli_value(c, name) != NULL;
}

int cli_number(const struct cli *c, const char *name, int64_t least, int64_t fallback, int64_t *out, struct err *e)
{
    const char *v = cli_value(c, name);
    *out = fallback;
    if (!v) return 0;
    char *end;
    long long n = strtoll(v, &end, 10);
    if (!*v || *end || n < least) return err_set(e, ERR_INPUT, "--%s %s: a whole number from %lld is wanted", name, v, (long long)least);
    *out = n;
    return 0;
}

int cli_kinds(const struct cli *c, kind_set *out, struct err *e)
{
    const char *v = cli_value(c, "kind");
    struct str bad;
    *out = 0;
    if (!v || kind_set_parse(out, str_from(v), &bad)) return 0;
    const char *names[KIND_COUNT];
    for (unsigned k = 1; k < KIND_COUNT; k++) names[k - 1] = kind_name((enum kind)k);
    names[KIND_COUNT - 1] = NULL;
    const char *near = did_you_mean(bad, names);
    err_set(e, ERR_INPUT, "--kind: unknown kind '%.*s'", STR_FMT(bad));
    return near ? err_hint(e, "did you mean %s?", near) : err_hint(e, "user, group, computer, ou, ...: see rollcall(1)");
}

/* --- help --------------------------------------------------------------------------------------------- */

static void print_option(const struct cli_option *o)
{
    char left[64];
    snprintf(left, sizeof left, "%s%c%s--%s%s%s", o->letter ? "-" : "  ", o->letter ? o->letter : ' ', o->letter ? ", " : " ", o->name,
             o->argument ? " " : "", o->argument ? o->argument : "");
    printf("  %-26s %s\n", left, o->doc);
}

void cli_help(const struct command *cmd)
{
    printf("usage: rollcall %s%s%s [options]\n\n%s.\n", cmd->name, *cmd->arguments ? " " : "", cmd->arguments, cmd->summary);
    if (cmd->doc) printf("\n%s\n", cmd->doc);
    if (cmd->options && cmd->options->name) printf("\noptions:\n");
    for (size_t i = 0; i < count(cmd->options); i++) print_option(&cmd->options[i]);
    printf("\ncommon options:\n");
    for (size_t i = 0; i < count(cli_common_options); i++) print_option(&cli_common_options[i]);
}

void cli_help_all(void)
{
    printf("rollcall: who is in the directory, what changed, and who can do what.\n\nusage: rollcall COMMAND [options]\n\n");
    for (size_t i = 0; commands[i]; i++) {
        char left[64];
        if (commands[i]->is_hidden) continue;
        snprintf(left, sizeof left, "%s %s", commands[i]->name, commands[i]->arguments);
        printf("  %-28s %s\n", left, commands[i]->summary);
    }
    printf("\nrollcall COMMAND --help tells more; man rollcall, man rollcall.yaml.\n"
           "exit codes: 0 ok, 1 failure, 2 usage or settings, 3 not found, 4 authentication, 5 partial, 6 unreachable, 130 interrupted\n");
}

/* --- settings and store ---------------------------------------------------------------------------------- */

extern char **environ;

int cli_conf(struct cli *c, struct err *e)
{
    if (c->has_conf) return 0;
    try(conf_load(&c->conf, cli_value(c, "config"), environ, e));
    c->has_conf = true;
    hashicorp_serve_references(c->conf.vault);
    return 0;
}

int cli_connector(struct cli *c, const struct connector_conf **out, struct err *e)
{
    return cli_connector_named(c, c->args[0], out, e);
}

int cli_connector_named(struct cli *c, const char *name, const struct connector_conf **out, struct err *e)
{
    try(cli_conf(c, e));
    try(conf_connector(&c->conf, str_from(name), out, e));
    struct connector_conf *mine = &c->conf.connectors[*out - c->conf.connectors];
    for (unsigned i = 0; i < c->n_set; i++) {
        struct str key = str_from(c->set[i]), value = {"", 0};
        size_t eq = str_index(key, '=');
        if (eq == key.len) return err_set(e, ERR_INPUT, "--set %s: KEY=VALUE is wanted", c->set[i]);
        value = (struct str){key.ptr + eq + 1, key.len - eq - 1};
        key.len = eq;
        if (conf_override(mine, key, value, e) < 0) return err_wrap(e, "--set %s", c->set[i]);
    }
    return c->n_set ? conf_check_settings(mine->type, mine->settings, mine->name, e) : 0;
}

static int no_store(const struct cli *c, struct err *e)
{
    err_set(e, ERR_INPUT, "%s: %s needs a store, and none is set", c->conf.path, c->command->name);
    return err_hint(e, "add a line to the settings file: store: sqlite:/var/lib/rollcall/rollcall.db");
}

int cli_store(struct cli *c, struct store **out, struct err *e)
{
    if (!c->store) {
        try(cli_conf(c, e));
        if (!c->conf.store_url) return no_store(c, e);
        try(store_open(&c->store, str_from(c->conf.store_url), e));
    }
    *out = c->store;
    return 0;
}

struct store *cli_store_if_any(struct cli *c)
{
    struct store *s;
    struct err ignored;
    bool is_there = cli_conf(c, &ignored) == 0 && c->conf.store_url && store_exists(str_from(c->conf.store_url));
    return is_there && cli_store(c, &s, &ignored) == 0 ? s : NULL;
}

char *cli_beside(const char *path, const char *what)
{
    size_t n = strlen(path) + strlen(what) + 2;
    char *out = x_alloc(n);
    snprintf(out, n, "%s.%s", path, what);
    return out;
}

char *cli_beside_store(const struct cli *c, const char *what)
{
    struct str url = str_from(c->conf.store_url);
    return str_starts(url, STR("sqlite:")) ? cli_beside(url.ptr + strlen("sqlite:"), what) : NULL;
}

static void print_error_json(const struct err *e)
{
    char when[WHEN_TEXT];
    struct buf b = buf_new(16384);
    struct jsonw j = jsonw_new(&b);
    jsonw_object(&j);
    jsonw_kcstr(&j, "class", err_class_name(e->class));
    jsonw_kint(&j, "code", e->code);
    jsonw_kcstr(&j, "message", e->message);
    if (e->hint[0]) jsonw_kcstr(&j, "hint", e->hint);
    if (e->retry_at_ms) jsonw_kcstr(&j, "retry_at", when_format(when, e->retry_at_ms));
    jsonw_end(&j);
    fprintf(stderr, "%s\n", buf_cstr(&b));
    buf_free(&b);
}

void cli_print_error(const struct cli *c, const struct err *e)
{
    if (c && (c->format == OUT_JSON || c->format == OUT_JSONL)) {
        print_error_json(e);
        return;
    }
    struct buf b = buf_new(8192);
    buf_add_str(&b, STR("rollcall: "));
    out_visible(&b, str_from(e->message));
    buf_add_byte(&b, '\n');
    if (e->hint[0]) {
        buf_add_str(&b, STR("  fix: "));
        out_visible(&b, str_from(e->hint));
        buf_add_byte(&b, '\n');
    }
    fputs(buf_cstr(&b), stderr);
    buf_free(&b);
}
