/* A preloaded library that makes one call of the system fail:
 *
 *     LD_PRELOAD=faulty.so FAULT=FUNCTION FAULT_AT=N FAULT_ERROR=NUMBER FAULT_MARK=FILE [FAULT_PATH=TEXT] command …
 *
 * The N-th call of FUNCTION fails with that error, and FILE is made to tell that it came to this. Calls whose path does
 * not hold TEXT don't count, nor do those on standard input, output and error. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static int calls;

static int fails(const char *function, const char *path)
{
    const char *wanted = getenv("FAULT"), *text = getenv("FAULT_PATH");
    if (!wanted || strcmp(wanted, function) != 0 || (path && text && !strstr(path, text)))
        return 0;
    if (__atomic_add_fetch(&calls, 1, __ATOMIC_SEQ_CST) != atoi(getenv("FAULT_AT")))
        return 0;
    int mark = (int)syscall(SYS_openat, AT_FDCWD, getenv("FAULT_MARK"), O_CREAT | O_WRONLY, 0666);
    if (mark >= 0)
        close(mark);
    errno = atoi(getenv("FAULT_ERROR"));
    return 1;
}

#define REAL(type, name, ...)                                    \
    static type (*real)(__VA_ARGS__);                            \
    if (!real)                                                   \
        real = (type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

ssize_t pread64(int fd, void *buffer, size_t count, off64_t offset)
{
    REAL(ssize_t, "pread64", int, void *, size_t, off64_t);
    return fails("pread64", NULL) ? -1 : real(fd, buffer, count, offset);
}

ssize_t write(int fd, const void *buffer, size_t count)
{
    REAL(ssize_t, "write", int, const void *, size_t);
    return fd > 2 && fails("write", NULL) ? -1 : real(fd, buffer, count);
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    REAL(ssize_t, "writev", int, const struct iovec *, int);
    return fd > 2 && fails("write", NULL) ? -1 : real(fd, parts, count);
}

ssize_t pwrite64(int fd, const void *buffer, size_t count, off64_t offset)
{
    REAL(ssize_t, "pwrite64", int, const void *, size_t, off64_t);
    return fails("pwrite64", NULL) ? -1 : real(fd, buffer, count, offset);
}

ssize_t copy_file_range(int from, off64_t *from_at, int to, off64_t *to_at, size_t count, unsigned flags)
{
    REAL(ssize_t, "copy_file_range", int, off64_t *, int, off64_t *, size_t, unsigned);
    return fails("copy_file_range", NULL) ? -1 : real(from, from_at, to, to_at, count, flags);
}

int fsync(int fd)
{
    REAL(int, "fsync", int);
    return fails("fsync", NULL) ? -1 : real(fd);
}

int fchmod(int fd, mode_t mode)
{
    REAL(int, "fchmod", int, mode_t);
    return fails("fchmod", NULL) ? -1 : real(fd, mode);
}

int linkat(int from_folder, const char *from, int to_folder, const char *to, int flags)
{
    REAL(int, "linkat", int, const char *, int, const char *, int);
    return fails("linkat", from) ? -1 : real(from_folder, from, to_folder, to, flags);
}

int rename(const char *from, const char *to)
{
    REAL(int, "rename", const char *, const char *);
    return fails("rename", from) ? -1 : real(from, to);
}

int unlink(const char *path)
{
    REAL(int, "unlink", const char *);
    return fails("unlink", path) ? -1 : real(path);
}

int open64(const char *path, int flags, ...)
{
    REAL(int, "open64", const char *, int, ...);
    va_list more;
    va_start(more, flags);
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0;
    va_end(more);
    return fails("open64", path) ? -1 : real(path, flags, mode);
}
