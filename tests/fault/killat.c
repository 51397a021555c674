/* killat.c - LD_PRELOAD: ends this process with SIGKILL at its N-th write to the database, before the write is done.
 *
 * KILLAT=N counts pwrite, write, fsync, fdatasync and ftruncate on files whose name holds ".db"; KILLAT_LOG=FILE gets the count of a
 * process that lived to its end. Workers (exec'ed, `collect`) do not count.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static long count;

static int is_database(int fd)
{
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    if (n < 0) return 0;
    path[n] = 0;
    return strstr(path, ".db") != NULL;
}

static void tick(int fd)
{
    int saved = errno; /* the caller's own */
    const char *at = getenv("KILLAT");
    bool counts = is_database(fd);
    errno = saved;
    if (!counts) return;
    count++;
    if (at && count == strtol(at, NULL, 10)) kill(getpid(), SIGKILL);
}

__attribute__((destructor)) static void report(void)
{
    const char *log = getenv("KILLAT_LOG");
    int fd = log && count ? open(log, O_WRONLY | O_CREAT | O_TRUNC, 0600) : -1;
    if (fd >= 0) {
        dprintf(fd, "%ld\n", count);
        close(fd);
    }
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
    tick(fd);
    return NEXT(pwrite)(fd, p, n, at);
}
ssize_t write(int fd, const void *p, size_t n)
{
    tick(fd);
    return NEXT(write)(fd, p, n);
}
int fsync(int fd)
{
    tick(fd);
    return NEXT(fsync)(fd);
}
int fdatasync(int fd)
{
    tick(fd);
    return NEXT(fdatasync)(fd);
}
int ftruncate(int fd, off_t n)
{
    tick(fd);
    return NEXT(ftruncate)(fd, n);
}
