/* vault.c - vault test: the steps to a secret in HashiCorp Vault or OpenBao */
#include "cmd/out.h"
#include "cmd/step.h"
#include "conf/reference.h"
#include "net/hashicorp.h"

#include <stdio.h>
#include <stdlib.h>

/* Without a settings file the variables of Vault's own command are enough. */
static int find_block(struct cli *c, const json_t **block, struct err *e)
{
    int rc = cli_conf(c, e);
    bool is_asked = cli_value(c, "config") || getenv("ROLLCALL_CONFIG");
    if (rc == ERR_NOTFOUND && !is_asked) rc = 0;
    *block = c->has_conf ? c->conf.vault : NULL;
    return rc;
}

static int take_reference(struct str *path, struct str *field, const struct cli *c, struct err *e)
{
    struct reference r;
    char text[1100];
    if (!c->n_args) return 0;
    struct str given = str_from(c->args[0]);
    bool is_whole = str_starts(given, STR("vault:"));
    snprintf(text, sizeof text, "%s%s", is_whole ? "" : "vault:", c->args[0]);
    if (reference_parse(&r, str_from(text), e) < 0) return err_wrap(e, "%s", "vault test");
    if (is_whole) given = (struct str){given.ptr + 6, given.len - 6};
    reference_split_vault(path, field, given);
    return 0;
}

/* Prints; *worst: class of the step that failed, 0 for none. */
static int tell(struct cli *c, const char *address, json_t *steps, int *worst, struct err *e)
{
    size_t i;
    json_t *step;
    *worst = 0;
    json_array_foreach(steps, i, step) {
        const char *class = json_string_value(json_object_get(step, "class"));
        if (class && !*worst) *worst = err_class_parse(str_from(class));
        if (c->format == OUT_TABLE) step_print(step);
    }
    if (c->format != OUT_TABLE) return step_rows(c, "vault", address, steps, !*worst, e);
    printf("%s: %s\n", address, *worst ? "NOT ready" : "ready");
    return 0;
}

static int run(struct cli *c, struct err *e)
{
    const json_t *block;
    struct str path = {"", 0}, field = {"", 0};
    struct hashicorp_source source;
    int worst;
    try(take_reference(&path, &field, c, e));
    try(find_block(c, &block, e));
    try(hashicorp_source_open(&source, block, e));
    json_t *steps = hashicorp_test(&source.settings, path, field);
    int rc = tell(c, source.settings.address, steps, &worst, e);
    json_decref(steps);
    hashicorp_source_close(&source);
    return rc < 0 ? rc : worst ? err_class_exit(worst) : 0;
}

const struct command cmd_vault_test = {
    .name = "vault test",
    .arguments = "[REFERENCE]",
    .max_args = 1,
    .summary = "Test the way to a secret in HashiCorp Vault or OpenBao: address, TLS, health, log-in, policy, read",
    .doc = "The vault is that of the block `vault` in the settings, else of VAULT_ADDR, VAULT_NAMESPACE, VAULT_CACERT, VAULT_TOKEN\n"
           "or ~/.vault-token. REFERENCE is as in the settings: vault:MOUNT/PATH#FIELD. The value is read and shown nowhere.",
    .run = run,
};
