#include "map/event.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

json_t *event_at(json_t *event, const char *path)
{
    while (event && *path) {
        char key[64];
        size_t n = strcspn(path, ".[");
        if (*path == '[') {
            event = json_array_get(event, strtoul(path + 1, (char **)&path, 10));
            path++;
        } else {
            memcpy(key, path, n);
            key[n] = 0;
            event = json_object_get(event, key);
            path += n;
        }
        if (*path == '.') path++;
    }
    return event;
}

void event_expect(json_t *event, const char *path, const char *want, const char *where)
{
    json_t *v = event_at(event, path);
    char *text = v ? json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY | JSON_SORT_KEYS) : NULL;
    if (strcmp(text ? text : "", want))
        fail_msg("%s of %s is %s, not %s", path, where, text ? text : "absent", want);
    free(text);
}
