/* ocsf_check_tool.c - for tests: checks files of OCSF events (JSON Lines) with ocsf_check.h.
 *   ocsf-check VERSION FILE...      prints findings; the exit status is 0 if there is none, and there are events */
#include "map/ocsf_check.h"

#include <stdio.h>
#include <stdlib.h>

static size_t check_file(const char *path, const char *version, size_t *n_events)
{
    char finding[2048];
    size_t n_findings = 0, cap = 0;
    char *line = NULL;
    FILE *in = fopen(path, "re");
    if (!in) {
        perror(path);
        return 1;
    }
    for (ssize_t len; (len = getline(&line, &cap, in)) > 0; ++*n_events) {
        struct str event = {line, (size_t)len - (line[len - 1] == '\n')};
        size_t n = ocsf_check_event(event, version, finding, sizeof finding);
        if (n && n_findings < 20) printf("%s:%zu: %s\n", path, *n_events + 1, finding);
        n_findings += n;
    }
    free(line);
    fclose(in);
    return n_findings;
}

int main(int argc, char **argv)
{
    size_t n_events = 0, n_findings = 0;
    for (int i = 2; i < argc; i++) n_findings += check_file(argv[i], argv[1], &n_events);
    printf("%zu events, %zu findings\n", n_events, n_findings);
    return n_findings || !n_events;
}
