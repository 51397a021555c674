/* main.c - the table of commands, and nothing else that knows them. */
#include "cmd/cli.h"

#include "base/log.h"
#include "base/secret.h"
#include "run/worker.h"

#include <errno.h>
#include <malloc.h>
#include <unistd.h>

const struct command *const commands[] = {
    &cmd_check,          &cmd_discover,       &cmd_read,         &cmd_sync,        &cmd_deliver,     &cmd_export,
    &cmd_run_list,       &cmd_run_get,        &cmd_entity_list,  &cmd_entity_get,  &cmd_entity_history,
    &cmd_change_list,    &cmd_identity_list, &cmd_identity_orphans, &cmd_access_check, &cmd_access_why,
    &cmd_access_who_can, &cmd_access_what_can, &cmd_access_members, &cmd_access_token, &cmd_access_export, &cmd_access_diff, &cmd_report_list, &cmd_report_run, &cmd_connector_list, &cmd_connector_spec, &cmd_config_check, &cmd_certificate, &cmd_vault_test,
    &cmd_completion,     &cmd_version,        &cmd_collect,      &cmd_answer, &cmd_forget, &cmd_serve, &cmd_server_backup, &cmd_server_restore, &cmd_server_check, &cmd_server_audit, &cmd_server_user, &cmd_server_setup_url, &cmd_server_key, &cmd_browse, &cmd_controllers, &cmd_api,      NULL,
};

/* How many words of argv name the command: 1 or 2, 0 if none does. */
static int matches(const struct command *cmd, int argc, char **argv)
{
    struct str name = str_from(cmd->name);
    size_t space = str_index(name, ' ');
    if (argc < 2 || !str_equal((struct str){name.ptr, space}, str_from(argv[1]))) return 0;
    if (space == name.len) return 1;
    struct str second = {name.ptr + space + 1, name.len - space - 1};
    return argc > 2 && str_equal(second, str_from(argv[2])) ? 2 : 0;
}

static bool is_noun(const char *word) /* first word of a two-word command */
{
    for (size_t i = 0; commands[i]; i++)
        if (str_starts(str_from(commands[i]->name), str_from(word)) && commands[i]->name[strlen(word)] == ' ') return true;
    return false;
}

static int unknown_command(int argc, char **argv, struct err *e)
{
    const char *names[n_elements(commands)] = {NULL};
    bool noun = is_noun(argv[1]);
    size_t n = 0;
    struct buf verbs = buf_new(4096);
    for (size_t i = 0; commands[i]; i++) {
        if (commands[i]->is_hidden) continue;
        names[n++] = commands[i]->name;
        if (noun && str_starts(str_from(commands[i]->name), str_from(argv[1]))) buf_printf(&verbs, "%s%s", verbs.len ? ", " : "", commands[i]->name);
    }
    const char *near = did_you_mean(str_from(argv[1]), names);
    if (noun)
        err_set(e, ERR_INPUT, "%s needs a verb%s%s", argv[1], argc > 2 ? ", not " : "", argc > 2 ? argv[2] : "");
    else
        err_set(e, ERR_INPUT, "unknown command '%s'", argv[1]);
    if (noun)
        err_hint(e, "%s", buf_cstr(&verbs));
    else
        err_hint(e, near ? "did you mean %s?" : "see rollcall --help%s", near ? near : "");
    buf_free(&verbs);
    return e->class;
}

/* `rollcall ... | head`: the reader has what it wanted. */
static bool is_closed_pipe(const struct err *e)
{
    return e->domain == DOM_ERRNO && e->code == EPIPE;
}

static int finish(struct cli *c, int rc, const struct err *e)
{
    bool quiet = rc < 0 && is_closed_pipe(e);
    if (rc < 0 && !quiet) cli_print_error(c, e);
    cli_free(c);
    return quiet ? 0 : rc < 0 ? err_class_exit(rc) : rc;
}

static void set_up_logging(const struct cli *c)
{
    static const char *const names[] = {"debug", "info", "warn", "error", "off"};
    const char *level = cli_value(c, "log");
    enum log_level least = LOG_WARN;
    for (unsigned i = 0; level && i < n_elements(names); i++)
        if (strcmp(level, names[i]) == 0) least = (enum log_level)i;
    log_setup(least, isatty(STDERR_FILENO) ? LOG_AS_TEXT : LOG_AS_JSON);
}

static int run_command(const struct command *cmd, int argc, char **argv)
{
    struct cli c;
    struct err e;
    bool wants_help;
    int rc = cli_parse(&c, cmd, argc, argv, &wants_help, &e);
    if (rc == 0 && wants_help) {
        cli_help(cmd);
        return 0;
    }
    if (rc == 0) {
        set_up_logging(&c);
        rc = cmd->run(&c, &e);
    }
    return finish(&c, rc, &e);
}

/* Large blocks come from the kernel and go back to it. Left alone, glibc moves that threshold from here up to 32 MiB after the first of
 * them, and what grows piece by piece then leaves holes behind: 8 to 14 MiB of a sync. */
static void tune_memory(void)
{
    mallopt(M_MMAP_THRESHOLD, 128 << 10);
    mallopt(M_TRIM_THRESHOLD, 1 << 20);
}

int main(int argc, char **argv)
{
    struct err e;
    tune_memory();
    secret_harden_process();
    worker_install_signals();
    if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        cli_help_all();
        return argc < 2 ? 2 : 0;
    }
    static char version[] = "version";
    if (strcmp(argv[1], "--version") == 0) argv[1] = version;
    for (size_t i = 0; commands[i]; i++) {
        int words = matches(commands[i], argc, argv);
        if (words) return run_command(commands[i], argc - words, argv + words);
    }
    unknown_command(argc, argv, &e);
    cli_print_error(NULL, &e);
    return err_class_exit(e.class);
}
