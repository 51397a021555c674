#include "server/client.h"

#include "server/connectors/connectors_int.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

/* PEM text is a file for as long as it is read. */
int client_open(struct http **out, struct http_options *o, const char *ca, struct err *e)
{
    char path[64];
    defer_close int fd = -1;
    o->ca_path = ca && *ca ? ca : NULL;
    if (o->ca_path && *ca != '/') {
        fd = memfd_create("ca", MFD_CLOEXEC);
        if (fd < 0 || write(fd, ca, strlen(ca)) != (ssize_t)strlen(ca)) return err_set(e, ERR_LIMIT, "ca_certificate: no memory for it");
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        o->ca_path = path;
    }
    return http_open(out, o, e) < 0 ? err_wrap(e, "ca_certificate") : 0;
}

int client_check_path(struct state *s, const char *key, bool is_path, const char *value, struct err *e)
{
    const struct connectors with = {.state = s};
    if (!*value || strstr(value, "-----BEGIN")) return 0;
    return plan_check_reference(&with, key, is_path, value, e);
}
