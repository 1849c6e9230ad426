/* An optical drive that is not there, for programs that speak SG_IO.
 *
 * Loaded before a burner (LD_PRELOAD), it answers for one device path, RECORDER_SHIM_DEVICE: an
 * open of it becomes a connection to the unix socket RECORDER_SHIM_SOCKET, and SG_IO on that
 * connection sends the command there and waits for the answer. Everything else passes through.
 *
 * Message to the server, in the machine's byte order: cdb length, bytes to the device, most bytes
 * from the device, timeout in ms (four uint32), the CDB, the bytes. Answer: status, bytes, sense
 * length, residual, host status (five uint32), the bytes, the sense.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/cdrom.h>
#include <scsi/scsi.h>
#include <scsi/scsi_ioctl.h>
#include <scsi/sg.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#define MAX_FDS 4096
#define RESERVED_BYTES (256 * 1024)
#define REAL(name) ((__typeof__(&name))real(#name))

static char ours[MAX_FDS];

static void *real(const char *name)
{
    return dlsym(RTLD_NEXT, name);
}

static int is_device(const char *path)
{
    const char *device = getenv("RECORDER_SHIM_DEVICE");
    return path != NULL && device != NULL && strcmp(path, device) == 0;
}

static int is_ours(int fd)
{
    return fd >= 0 && fd < MAX_FDS && ours[fd];
}

static int connected(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *path = getenv("RECORDER_SHIM_SOCKET");
    int fd;

    if (path == NULL || strlen(path) >= sizeof address.sun_path) {
        errno = ENXIO;
        return -1;
    }
    strcpy(address.sun_path, path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (fd >= MAX_FDS || connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {
        REAL(close)(fd);
        errno = ENXIO;
        return -1;
    }
    ours[fd] = 1;
    return fd;
}

static int transfer(int fd, void *buffer, size_t size, int sending)
{
    char *at = buffer;

    while (size > 0) {
        ssize_t done = sending ? send(fd, at, size, MSG_NOSIGNAL) : recv(fd, at, size, 0);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return -1;
        at += done;
        size -= (size_t)done;
    }
    return 0;
}

static int discard(int fd, size_t size)
{
    char rest[512];

    while (size > 0) {
        size_t part = size < sizeof rest ? size : sizeof rest;
        if (transfer(fd, rest, part, 0) < 0)
            return -1;
        size -= part;
    }
    return 0;
}

static int execute(int fd, struct sg_io_hdr *header)
{
    int to_device = header->dxfer_direction == SG_DXFER_TO_DEV;
    int from_device = header->dxfer_direction == SG_DXFER_FROM_DEV ||
                      header->dxfer_direction == SG_DXFER_TO_FROM_DEV;
    uint32_t request[4] = {header->cmd_len, to_device ? header->dxfer_len : 0,
                           from_device ? header->dxfer_len : 0, header->timeout};
    uint32_t answer[5];
    uint32_t sense;

    if (header->interface_id != 'S' || header->iovec_count != 0) {
        errno = EINVAL;
        return -1;
    }
    if (transfer(fd, request, sizeof request, 1) < 0 ||
        transfer(fd, header->cmdp, header->cmd_len, 1) < 0 ||
        (to_device && transfer(fd, header->dxferp, header->dxfer_len, 1) < 0) ||
        transfer(fd, answer, sizeof answer, 0) < 0)
        goto gone;
    if (answer[1] > request[2])
        goto gone;
    if (transfer(fd, header->dxferp, answer[1], 0) < 0)
        goto gone;
    sense = answer[2] < header->mx_sb_len ? answer[2] : header->mx_sb_len;
    if (transfer(fd, header->sbp, sense, 0) < 0 || discard(fd, answer[2] - sense) < 0)
        goto gone;
    header->status = (unsigned char)answer[0];
    header->masked_status = (unsigned char)(answer[0] >> 1 & 0x1f);
    header->msg_status = 0;
    header->sb_len_wr = (unsigned char)sense;
    header->host_status = (unsigned short)answer[4];
    header->driver_status = sense ? 8 : 0;
    header->resid = (int)answer[3];
    header->duration = 1;
    header->info = answer[0] || answer[4] ? SG_INFO_CHECK : SG_INFO_OK;
    return 0;
gone:
    errno = ENODEV;
    return -1;
}

int ioctl(int fd, unsigned long request, ...)
{
    va_list list;
    void *argument;

    va_start(list, request);
    argument = va_arg(list, void *);
    va_end(list);
    if (!is_ours(fd))
        return REAL(ioctl)(fd, request, argument);
    switch ((unsigned int)request) {
    case SG_IO:
        return execute(fd, argument);
    case SG_GET_VERSION_NUM:
        *(int *)argument = 30536;
        return 0;
    case SG_EMULATED_HOST:
    case SCSI_IOCTL_GET_BUS_NUMBER:
        *(int *)argument = 0;
        return 0;
    case SG_GET_RESERVED_SIZE:
        *(int *)argument = RESERVED_BYTES;
        return 0;
    case SG_SET_RESERVED_SIZE:
    case SG_SET_TIMEOUT:
    case SG_SET_COMMAND_Q:
    case SG_SET_FORCE_PACK_ID:
    case SG_NEXT_CMD_LEN:
    case CDROM_LOCKDOOR:
        return 0;
    case SG_GET_TIMEOUT:
        return 60 * 100;
    case SG_GET_SCSI_ID:
        memset(argument, 0, sizeof(struct sg_scsi_id));
        ((struct sg_scsi_id *)argument)->scsi_type = TYPE_ROM;
        return 0;
    case SCSI_IOCTL_GET_IDLUN:
        memset(argument, 0, 2 * sizeof(int));
        return 0;
    case CDROM_DRIVE_STATUS:
        return CDS_DISC_OK;
    case CDROM_MEDIA_CHANGED:
        return 0;
    case CDROM_GET_CAPABILITY:
        return CDC_CD_R | CDC_CD_RW | CDC_PLAY_AUDIO | CDC_OPEN_TRAY | CDC_LOCK;
    default:
        errno = ENOTTY;
        return -1;
    }
}

#define OPENER(name)                                                         \
    int name(const char *path, int flags, ...)                               \
    {                                                                        \
        va_list list;                                                        \
        mode_t mode;                                                         \
                                                                             \
        va_start(list, flags);                                               \
        mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(list, mode_t) : 0;     \
        va_end(list);                                                        \
        return is_device(path) ? connected() : REAL(name)(path, flags, mode); \
    }
OPENER(open)
OPENER(open64)

int __open_2(const char *path, int flags)
{
    return is_device(path) ? connected() : open(path, flags);
}

int __open64_2(const char *path, int flags)
{
    return is_device(path) ? connected() : open64(path, flags);
}

int close(int fd)
{
    if (fd >= 0 && fd < MAX_FDS)
        ours[fd] = 0;
    return REAL(close)(fd);
}

int access(const char *path, int mode)
{
    return is_device(path) ? 0 : REAL(access)(path, mode);
}

/* The block device of a first optical drive, or the character device of sg. */
#define DESCRIBE(found)                                              \
    do {                                                             \
        const char *device = getenv("RECORDER_SHIM_DEVICE");         \
        int generic = device && strstr(device, "/sg") != NULL;       \
        memset(found, 0, sizeof *(found));                           \
        (found)->st_mode = (generic ? S_IFCHR : S_IFBLK) | 0666;     \
        (found)->st_rdev = generic ? makedev(21, 0) : makedev(11, 0); \
        (found)->st_nlink = 1;                                       \
        (found)->st_ino = 4711;                                      \
        (found)->st_blksize = 4096;                                  \
    } while (0)

#define STATS(name, kind)                           \
    int name(const char *path, struct kind *found)  \
    {                                               \
        if (!is_device(path))                       \
            return REAL(name)(path, found);         \
        DESCRIBE(found);                            \
        return 0;                                   \
    }
#define FSTATS(name, kind)                  \
    int name(int fd, struct kind *found)    \
    {                                       \
        if (!is_ours(fd))                   \
            return REAL(name)(fd, found);   \
        DESCRIBE(found);                    \
        return 0;                           \
    }
/* What programs built against older C libraries call. */
#define VERSIONED(name, kind)                                        \
    int name(int version, const char *path, struct kind *found);     \
    int name(int version, const char *path, struct kind *found)      \
    {                                                                \
        if (!is_device(path))                                        \
            return REAL(name)(version, path, found);                 \
        DESCRIBE(found);                                             \
        return 0;                                                    \
    }
#define FVERSIONED(name, kind)                              \
    int name(int version, int fd, struct kind *found);      \
    int name(int version, int fd, struct kind *found)       \
    {                                                       \
        if (!is_ours(fd))                                   \
            return REAL(name)(version, fd, found);          \
        DESCRIBE(found);                                    \
        return 0;                                           \
    }
VERSIONED(__xstat, stat)
VERSIONED(__xstat64, stat64)
VERSIONED(__lxstat, stat)
VERSIONED(__lxstat64, stat64)
FVERSIONED(__fxstat, stat)
FVERSIONED(__fxstat64, stat64)
STATS(stat, stat)
STATS(stat64, stat64)
STATS(lstat, stat)
STATS(lstat64, stat64)
FSTATS(fstat, stat)
FSTATS(fstat64, stat64)
