/* drive.c - for tests: runs one verb of a source without a parent process; frames on standard output.
 *
 *     DRIVE_PASSWORD=... source-drive SETTINGS.json VERB [KINDS] > frames
 */
#include "source/source.h"

#include "base/when.h"
#include "net/ldap_test.h"

#include <stdio.h>
#include <stdlib.h>

static int run(struct job *j, struct emit *m, struct err *e)
{
    const char *type = json_string_value(json_object_get(j->settings, "type"));
    const struct source *s = source_find(str_from(type ? type : "active_directory"));
    if (strcmp(j->verb, "check") == 0) return s->check(j, m, e);
    if (strcmp(j->verb, "discover") == 0) return s->discover(j, m, e);
    return s->read(j, m, e);
}

int main(int argc, char **argv)
{
    struct err e;
    struct emit *m;
    struct str bad;
    const char *password = getenv("DRIVE_PASSWORD"), *deadline = getenv("DRIVE_DEADLINE_MS");
    struct job j = {.connector = "test",
                    .deadline_ms = when_monotonic_ms() + (deadline ? strtoll(deadline, NULL, 10) : 600000)};
    if (argc < 3 || !(j.settings = json_load_file(argv[1], 0, NULL)) ||
        (argc > 3 && !kind_set_parse(&j.kinds, str_from(argv[3]), &bad)) || emit_open(&m, 1, &e) < 0)
        return 2;
    j.verb = argv[2];
    if (password && secret_take(&j.password, bytes_of(str_from(password)), &e) < 0) return 2;
    int rc = run(&j, m, &e);
    if (rc < 0) emit_abort(m, &e);
    emit_close(m);
    json_decref(j.settings);
    secret_drop(&j.password);
    return rc < 0 ? err_class_exit(rc) : 0;
}
