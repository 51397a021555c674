#include "base/visible.h"

#include <utf8proc.h>

size_t visible_read(int32_t *c, struct str text)
{
    utf8proc_ssize_t n = utf8proc_iterate((const uint8_t *)text.ptr, (utf8proc_ssize_t)text.len, c);
    if (n > 0) return (size_t)n;
    *c = -1;
    return 1;
}

bool visible_is(int32_t c)
{
    static const struct {
        int32_t first, last;
    } hidden[] = {{-1, 0x1f},        {0x7f, 0x9f},       {0xad, 0xad},     {0x61c, 0x61c},   {0x180e, 0x180e}, {0x200b, 0x200f},
                  {0x2028, 0x202e},  {0x2060, 0x206f},   {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe007f}};
    for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++)
        if (c >= hidden[i].first && c <= hidden[i].last) return false;
    return true;
}
