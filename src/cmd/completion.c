/* completion.c - completion bash|zsh|fish, drawn from the command tables; version; collect */
#include "cmd/cli.h"
#include "cmd/out.h"
#include "run/worker.h"

#include <stdio.h>

static void words_of_options(const struct command *cmd, const char *separator)
{
    for (const struct cli_option *o = cmd->options; o && o->name; o++) printf("--%s%s", o->name, separator);
    for (const struct cli_option *o = cli_common_options; o->name; o++) printf("--%s%s", o->name, separator);
}

static void first_words(void)
{
    for (size_t i = 0; commands[i]; i++) {
        struct str name = str_from(commands[i]->name);
        name.len = str_index(name, ' ');
        bool seen = commands[i]->is_hidden;
        for (size_t k = 0; k < i && !seen; k++) {
            struct str before = str_from(commands[k]->name);
            before.len = str_index(before, ' ');
            seen = str_equal(name, before);
        }
        if (!seen) printf("%.*s ", STR_FMT(name));
    }
}

static void verbs_of(struct str noun)
{
    for (size_t i = 0; commands[i]; i++) {
        struct str name = str_from(commands[i]->name);
        size_t space = str_index(name, ' ');
        if (space < name.len && str_equal((struct str){name.ptr, space}, noun)) printf("%.*s ", (int)(name.len - space - 1), name.ptr + space + 1);
    }
}

static void nouns_cases(void (*print)(struct str noun))
{
    static const char *const nouns[] = {"run", "entity", "change", "connector", "config", "server"};
    for (size_t i = 0; i < n_elements(nouns); i++) print(str_from(nouns[i]));
}

static void bash_noun(struct str noun)
{
    printf("    \"%.*s\") words=\"", STR_FMT(noun));
    verbs_of(noun);
    printf("\" ;;\n");
}

static void bash_choices(const struct cli_option *o)
{
    if (!o->choices) return;
    printf("    --%s) COMPREPLY=($(compgen -W \"", o->name);
    for (const char *p = o->choices; *p; p++) putchar(*p == '|' ? ' ' : *p);
    printf("\" -- \"$cur\")); return ;;\n");
}

static void bash(void)
{
    printf("# bash completion of rollcall: eval \"$(rollcall completion bash)\"\n_rollcall() {\n"
           "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} words=\n  COMPREPLY=()\n  case $prev in\n");
    for (const struct cli_option *o = cli_common_options; o->name; o++) bash_choices(o);
    for (const struct cli_option *o = cmd_export.options; o->name; o++) bash_choices(o);
    printf("    --config|--save|--ca) COMPREPLY=($(compgen -f -- \"$cur\")); return ;;\n"
           "    --connector|-c) COMPREPLY=($(compgen -W \"$(rollcall connector list -o csv --fields name 2>/dev/null | tail -n +2)\" -- \"$cur\")); return ;;\n"
           "  esac\n  if ((COMP_CWORD == 1)); then words=\"");
    first_words();
    printf("\"\n  elif ((COMP_CWORD == 2)) && [[ $cur != -* ]]; then case ${COMP_WORDS[1]} in\n");
    nouns_cases(bash_noun);
    printf("    check|discover|read|sync|deliver) words=$(rollcall connector list -o csv --fields name 2>/dev/null | tail -n +2) ;;\n"
           "    completion) words=\"bash zsh fish\" ;;\n  esac\n  else case \"${COMP_WORDS[1]} ${COMP_WORDS[2]}\" in\n");
    for (size_t i = 0; commands[i]; i++) {
        if (commands[i]->is_hidden) continue;
        printf("    \"%s\"%s) words=\"", commands[i]->name, strchr(commands[i]->name, ' ') ? "" : "\\ *");
        words_of_options(commands[i], " ");
        printf("\" ;;\n");
    }
    printf("  esac; fi\n  COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n}\ncomplete -F _rollcall rollcall\n");
}

static void zsh(void)
{
    printf("#compdef rollcall\nautoload -U +X bashcompinit && bashcompinit\n");
    bash();
}

static void fish(void)
{
    for (size_t i = 0; commands[i]; i++) {
        const struct command *cmd = commands[i];
        struct str name = {cmd->name, strlen(cmd->name)};
        size_t space = str_index(name, ' ');
        if (cmd->is_hidden) continue;
        printf("complete -c rollcall -n __fish_use_subcommand -f -a %.*s -d \"%s\"\n", (int)space, name.ptr, cmd->summary);
        if (space < name.len)
            printf("complete -c rollcall -n '__fish_seen_subcommand_from %.*s' -f -a %s -d \"%s\"\n", (int)space, name.ptr,
                   name.ptr + space + 1, cmd->summary);
        for (const struct cli_option *o = cmd->options; o && o->name; o++)
            printf("complete -c rollcall -n '__fish_seen_subcommand_from %.*s' -l %s%s -d \"%s\"\n", (int)space, name.ptr, o->name,
                   o->argument ? " -r" : "", o->doc);
    }
    for (const struct cli_option *o = cli_common_options; o->name; o++)
        printf("complete -c rollcall -l %s%s -d \"%s\"\n", o->name, o->argument ? " -r" : "", o->doc);
}

static int run_completion(struct cli *c, struct err *e)
{
    if (strcmp(c->args[0], "bash") == 0) bash();
    else if (strcmp(c->args[0], "zsh") == 0) zsh();
    else if (strcmp(c->args[0], "fish") == 0) fish();
    else return err_set(e, ERR_INPUT, "completion: bash, zsh or fish, not '%s'", c->args[0]);
    return 0;
}

static int run_version(struct cli *c, struct err *e)
{
    if (c->format == OUT_TABLE) {
        printf("rollcall %s\n", ROLLCALL_VERSION);
        return 0;
    }
    json_t *o = json_pack("{s:s, s:i}", "version", ROLLCALL_VERSION, "wire", WIRE_VERSION);
    return out_object(c, o, e);
}

static int run_collect(struct cli *c, struct err *e)
{
    (void)c;
    (void)e;
    return worker_serve(3);
}

const struct command cmd_completion = {.name = "completion",
                                       .arguments = "bash|zsh|fish",
                                       .min_args = 1,
                                       .max_args = 1,
                                       .summary = "Print the completion script of a shell",
                                       .run = run_completion};
const struct command cmd_version = {.name = "version", .arguments = "", .summary = "Print the version", .run = run_version};
const struct command cmd_collect = {
    .name = "collect", .arguments = "", .summary = "The worker process (internal)", .run = run_collect, .is_hidden = true};
