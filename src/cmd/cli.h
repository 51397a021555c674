/* cli.h - a command is one table entry: name, arguments, options, what it does. Help, man page and completion are
 * drawn from the same tables as the parser.
 *
 * Data goes to standard output only; progress, prompts and errors to standard error. A command returns 0, a positive
 * exit code (5: partial), or a negative error class with *e filled; main prints the error and turns the class into the
 * exit code.
 */
#ifndef ROLLCALL_CLI_H
#define ROLLCALL_CLI_H

#include "base/err.h"
#include "conf/conf.h"
#include "store/store.h"

struct cli_option {
    const char *name;     /* long, without dashes */
    char letter;          /* short, 0: none */
    const char *argument; /* NULL: a flag */
    const char *doc;
    const char *choices;  /* "a|b|c" for completion and checking; NULL: anything */
    bool is_repeatable;
};

#define CLI_MAX_OPTIONS 24
struct cli;
struct command {
    const char *name;      /* "sync" or "run list" */
    const char *arguments; /* "CONNECTOR" */
    unsigned min_args, max_args;
    const char *summary;
    const char *doc;       /* more, for --help; may be NULL */
    const struct cli_option *options; /* name NULL ends; may be NULL */
    int (*run)(struct cli *c, struct err *e);
    bool is_hidden;
};
extern const struct command *const commands[]; /* NULL ends; cmd/main.c */
extern const struct cli_option cli_common_options[];

enum cli_format { OUT_TABLE, OUT_JSON, OUT_JSONL, OUT_CSV };

#define EXIT_PARTIAL 5

struct cli {
    const struct command *command;
    const char *values[CLI_MAX_OPTIONS]; /* by place in command->options, then cli_common_options */
    const char *set[64];                 /* --set KEY=VALUE, in order */
    unsigned n_set;
    char **args;
    unsigned n_args;
    enum cli_format format;
    struct conf conf;
    bool has_conf;
    struct store *store;
};

/* ERR_INPUT on unknown options, missing arguments, values that are none of the choices. *wants_help: --help was given. */
int cli_parse(struct cli *c, const struct command *command, int argc, char **argv, bool *wants_help, struct err *e) must_use;
void cli_free(struct cli *c);
const char *cli_value(const struct cli *c, const char *name); /* NULL: not given */
bool cli_flag(const struct cli *c, const char *name);
/* A whole number not below least; fallback if not given. */
int cli_number(const struct cli *c, const char *name, int64_t least, int64_t fallback, int64_t *out, struct err *e) must_use;
int cli_kinds(const struct cli *c, kind_set *out, struct err *e) must_use; /* --kind; 0 if not given */
void cli_help(const struct command *command); /* to standard output */
void cli_help_all(void);

/* The settings file; loaded once. */
int cli_conf(struct cli *c, struct err *e) must_use;
/* The connector of argument 0, or of this name, with --set applied. */
int cli_connector(struct cli *c, const struct connector_conf **out, struct err *e) must_use;
int cli_connector_named(struct cli *c, const char *name, const struct connector_conf **out, struct err *e) must_use;
/* The store of the settings; opened once. */
int cli_store(struct cli *c, struct store **out, struct err *e) must_use;
/* The same for commands that only tell more with it: NULL if there is none yet, or none that can be opened. */
struct store *cli_store_if_any(struct cli *c);
/* "/var/lib/rollcall/rollcall.db.access" of the store's file and "access"; the caller's. */
char *cli_beside(const char *path, const char *what);
char *cli_beside_store(const struct cli *c, const char *what); /* of the store of the settings; NULL: it is no file */
void cli_print_error(const struct cli *c, const struct err *e);

/* The commands, one file each. */
extern const struct command cmd_check, cmd_discover, cmd_read, cmd_sync, cmd_deliver, cmd_export, cmd_run_list, cmd_run_get,
    cmd_entity_list, cmd_entity_get, cmd_entity_history, cmd_change_list, cmd_identity_list, cmd_identity_orphans, cmd_access_check, cmd_access_why, cmd_access_who_can, cmd_access_what_can,
    cmd_access_members, cmd_access_token, cmd_access_export, cmd_access_diff, cmd_report_list, cmd_report_run, cmd_connector_list, cmd_connector_spec,
    cmd_config_check, cmd_certificate, cmd_vault_test, cmd_completion, cmd_version, cmd_collect, cmd_answer, cmd_forget, cmd_serve, cmd_server_backup, cmd_server_restore, cmd_server_check, cmd_server_audit, cmd_server_user, cmd_server_setup_url, cmd_server_key, cmd_browse, cmd_controllers, cmd_api;

#endif
