#include "graph.h"

#include <stdio.h>
#include <stdlib.h>

struct blob descriptors[N_DESCRIPTORS];
uint32_t *user_first, *user_groups, *group_first, *group_users, *parent, *child_first, *children;

static void *must_alloc(size_t n, size_t size)
{
    void *p = calloc(n ? n : 1, size);
    if (!p) {
        fprintf(stderr, "bench-replay: out of memory\n");
        exit(2);
    }
    return p;
}

/* One ACE, MS-DTYP 2.4.4: allow or deny, with an object type for three quarters of them. */
static uint8_t *put_ace(uint8_t *p, uint64_t random)
{
    /* Reset-Password, Personal-Information, member, user, group */
    static const uint8_t guids[5][16] = {
        {0x70, 0x95, 0x29, 0x00, 0x6d, 0x24, 0xd0, 0x11, 0xa7, 0x68, 0x00, 0xaa, 0x00, 0x6e, 0x05, 0x29},
        {0x86, 0xb8, 0xb5, 0x77, 0x4a, 0x94, 0xd1, 0x11, 0xae, 0xbd, 0x00, 0x00, 0xf8, 0x03, 0x67, 0xc1},
        {0xc0, 0x79, 0x96, 0xbf, 0xe6, 0x0d, 0xd0, 0x11, 0xa2, 0x85, 0x00, 0xaa, 0x00, 0x30, 0x49, 0xe2},
        {0xba, 0x7a, 0x96, 0xbf, 0xe6, 0x0d, 0xd0, 0x11, 0xa2, 0x85, 0x00, 0xaa, 0x00, 0x30, 0x49, 0xe2},
        {0x9c, 0x7a, 0x96, 0xbf, 0xe6, 0x0d, 0xd0, 0x11, 0xa2, 0x85, 0x00, 0xaa, 0x00, 0x30, 0x49, 0xe2}};
    static const uint32_t masks[4] = {0x100, 0x10, 0x30, 0x20};
    bool object = random % 4 != 0, deny = (random >> 2) % 16 == 0, inherited = (random >> 6) % 2;
    uint8_t *start = p;
    *p++ = (uint8_t)(object ? (deny ? 6 : 5) : (deny ? 1 : 0));
    *p++ = inherited ? 0x12 : 0x00;
    p += 2;
    put_le32(p, object ? masks[(random >> 8) & 3] : 0x20094u);
    p += 4;
    if (object) {
        bool typed = (random >> 10) % 3 != 0;
        put_le32(p, typed ? 3u : 1u);
        p += 4;
        memcpy(p, guids[(random >> 12) % 3], 16);
        p += 16;
        if (typed) {
            memcpy(p, guids[3 + ((random >> 16) & 1)], 16);
            p += 16;
        }
    }
    uint32_t group = opt.groups > 1 ? RID_GROUPS + 1 + scale(random, opt.groups - 1) : 512;
    put_sid(p, (random >> 20) % 4 == 0 ? 512 : group);
    p += 28;
    start[2] = (uint8_t)(p - start);
    start[3] = 0;
    return p;
}

/* A self-relative descriptor of 1.7 to 2.2 KB: header, DACL, owner, group. */
static void build_descriptors(void)
{
    for (uint32_t d = 0; d < N_DESCRIPTORS; d++) {
        uint8_t *sd = must_alloc(4096, 1), *p = sd + 20 + 8;
        uint64_t random = mix(opt.seed ^ (0xDACULL << 32) ^ d);
        uint32_t count = 29 + (uint32_t)(random % 6);
        for (uint32_t k = 0; k < count; k++) p = put_ace(p, mix(random + k));
        uint32_t dacl_size = (uint32_t)(p - sd - 20), owner = (uint32_t)(p - sd);
        sd[0] = 1;
        sd[2] = 0x04;
        sd[3] = 0x8C;
        put_le32(sd + 4, owner);
        put_le32(sd + 8, owner + 28);
        put_le32(sd + 16, 20);
        sd[20] = 4;
        sd[22] = (uint8_t)dacl_size;
        sd[23] = (uint8_t)(dacl_size >> 8);
        sd[24] = (uint8_t)count;
        put_sid(p, 512);
        put_sid(p + 28, 512);
        descriptors[d] = (struct blob){sd, owner + 56};
    }
}

/* Turns pairs (row, value) into rows: first[row]..first[row+1] index the values of a row. */
static uint32_t *group_by(uint32_t n_rows, const uint32_t *rows, const uint32_t *values, uint32_t n,
                          uint32_t **sorted)
{
    uint32_t *first = must_alloc((size_t)n_rows + 2, sizeof *first);
    *sorted = must_alloc(n, sizeof **sorted);
    for (uint32_t k = 0; k < n; k++) first[rows[k] + 2]++;
    for (uint32_t r = 0; r < n_rows; r++) first[r + 2] += first[r + 1];
    for (uint32_t k = 0; k < n; k++) (*sorted)[first[rows[k] + 1]++] = values[k];
    return first;
}

/* Each user is in 5 to 11 groups, the low-numbered ones being far larger; group 0 is everybody's primary
 * group. */
static void build_memberships(void)
{
    uint32_t *users = must_alloc((size_t)opt.users * 11, sizeof *users), n = 0;
    user_groups = must_alloc((size_t)opt.users * 11, sizeof *user_groups);
    user_first = must_alloc((size_t)opt.users + 1, sizeof *user_first);
    for (uint32_t i = 0; i < opt.users; i++) {
        uint64_t random = draw(K_USER, i, 8);
        uint32_t count = opt.groups > 12 ? 5 + (uint32_t)(random % 7) : 0;
        user_first[i] = n;
        for (uint32_t k = 0; k < count; k++) {
            uint64_t r = mix(random + k), square = ((r >> 32) * (r >> 32)) >> 32;
            uint32_t g = 1 + (uint32_t)((square * (opt.groups - 1)) >> 32), seen = user_first[i];
            while (seen < n && user_groups[seen] != g) seen++;
            if (seen < n) continue;
            users[n] = i;
            user_groups[n++] = g;
        }
    }
    user_first[opt.users] = n;
    group_first = group_by(opt.groups, user_groups, users, n, &group_users);
    free(users);
}

/* Every second group is a member of one with a lower number; a few short cycles. */
static void build_nesting(void)
{
    uint32_t *child = must_alloc(opt.groups, sizeof *child), *of = must_alloc(opt.groups, sizeof *of), n = 0;
    parent = must_alloc((size_t)opt.groups + 1, sizeof *parent);
    for (uint32_t g = 2; g < opt.groups; g++) {
        uint64_t random = draw(K_GROUP, g, 8);
        if (random & 1) parent[g] = 1 + scale(random, g - 1);
    }
    for (uint32_t g = 1000; g + 2 < opt.groups; g += 1000) {
        parent[g] = g + 1;
        parent[g + 1] = g;
    }
    for (uint32_t g = 1; g < opt.groups; g++) {
        if (!parent[g]) continue;
        child[n] = g;
        of[n++] = parent[g];
    }
    child_first = group_by(opt.groups, of, child, n, &children);
    free(child);
    free(of);
}

void build_graph(void)
{
    build_descriptors();
    build_memberships();
    build_nesting();
}
