/* standalone.c - runs a fuzz target without libFuzzer: replays files and directories, with any compiler.
 *
 *     fuzz_sd_replay [--mutate N] FILE|DIRECTORY...
 * With --mutate each input is also tried in N changed forms, the same ones in every run. Every input is
 * handed over in memory of exactly its size, so that a sanitizer sees a read of one byte too far.
 */
#include "base/file.h"
#include "fuzz.h"
#include "model/testing.h"

#include <dirent.h>
#include <sys/stat.h>

#define INPUT_MAX ((size_t)16 << 20)

static unsigned long n_inputs;

static void run_one(struct bytes in)
{
    uint8_t *exact = x_alloc(in.len);
    if (in.len) memcpy(exact, in.ptr, in.len);
    LLVMFuzzerTestOneInput(exact, in.len);
    free(exact);
    n_inputs++;
}

static bool replay_file(const char *path, unsigned long mutations)
{
    struct buf in = buf_new(INPUT_MAX), mutant = buf_new(INPUT_MAX + 4096);
    struct err e;
    bool ok = file_read(&in, path, &e) == 0;
    if (!ok) fprintf(stderr, "%s\n", e.message);
    uint64_t seed = 0x9e3779b97f4a7c15u + in.len;
    if (ok) run_one(buf_bytes(&in));
    for (unsigned long i = 0; ok && i < mutations; i++) {
        test_mutate(&mutant, buf_bytes(&in), &seed);
        run_one(buf_bytes(&mutant));
    }
    buf_free(&in);
    buf_free(&mutant);
    return ok;
}

static bool replay_directory(const char *path, unsigned long mutations)
{
    DIR *dir = opendir(path);
    bool ok = dir;
    if (!dir) fprintf(stderr, "%s: cannot be opened\n", path);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        if (entry->d_name[0] == '.') continue;
        struct buf name = buf_new(8192);
        buf_printf(&name, "%s/%s", path, entry->d_name);
        ok &= replay_file(buf_cstr(&name), mutations);
        buf_free(&name);
    }
    if (dir) closedir(dir);
    return ok;
}

int main(int argc, char **argv)
{
    unsigned long mutations = 0;
    bool ok = true;
    for (int i = 1; i < argc; i++) {
        struct stat st;
        if (strcmp(argv[i], "--mutate") == 0 && i + 1 < argc)
            mutations = strtoul(argv[++i], NULL, 10);
        else if (stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode))
            ok &= replay_directory(argv[i], mutations);
        else
            ok &= replay_file(argv[i], mutations);
    }
    printf("%lu inputs\n", n_inputs);
    return ok && n_inputs ? 0 : 1;
}
