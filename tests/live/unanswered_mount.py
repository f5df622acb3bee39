"""A mounted file system with one file, the reading of which is not answered until it is told to: what a network file system
does whose server is gone. Speaks the kernel's own protocol (include/uapi/linux/fuse.h), 7.31, as much as one read needs.
"""
import ctypes
import errno
import os
import select
import stat
import struct
import threading

NAME = b"settings"
CONTENT = b"answer = 42\n"
ROOT_NODE, FILE_NODE = 1, 2
LOOKUP, FORGET, GETATTR, OPEN, READ, RELEASE, FLUSH, INIT, INTERRUPT, BATCH_FORGET = 1, 2, 3, 14, 15, 18, 25, 26, 36, 42
DIRECT_IO = 1  # FOPEN_DIRECT_IO: the reader itself waits for the answer
MNT_DETACH = 2

IN_HEADER = struct.Struct("<IIQQIIII")
OUT_HEADER = struct.Struct("<IiQ")

libc = ctypes.CDLL(None, use_errno=True)


def attributes(node):
    mode, size = (stat.S_IFDIR | 0o755, 0) if node == ROOT_NODE else (stat.S_IFREG | 0o644, len(CONTENT))
    return struct.pack("<6Q10I", node, size, 1, 0, 0, 0, 0, 0, 0, mode, 1, 0, 0, 0, 4096, 0)


class UnansweredMount:
    """Mounted at `place` until the end of the `with` block. For root."""

    def __init__(self, place):
        self.path = os.path.join(place, NAME.decode())
        self._place = os.fsencode(place)
        self._device = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
        options = "fd={},rootmode=40000,user_id=0,group_id=0,allow_other".format(self._device).encode()
        if libc.mount(b"asyncspy-test", self._place, b"fuse", 0, options) != 0:
            os.close(self._device)
            raise OSError(ctypes.get_errno(), "mount")
        self._told, self._tell = os.pipe()
        self._unanswered = []
        self._answers = False
        self._server = threading.Thread(target=self._serve, daemon=True)
        self._server.start()

    @property
    def is_asked(self):
        """Whether somebody waits for what is not answered."""
        return bool(self._unanswered)

    def answer(self):
        """From now on; and what was not answered so far."""
        os.write(self._tell, b"a")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.write(self._tell, b"ae")
        self._server.join()
        libc.umount2(self._place, MNT_DETACH)
        for descriptor in (self._device, self._told, self._tell):
            os.close(descriptor)

    def _reply(self, unique, body=b"", error=0):
        try:
            os.write(self._device, OUT_HEADER.pack(OUT_HEADER.size + len(body), -error, unique) + body)
        except FileNotFoundError:
            pass  # who asked has ended

    def _serve(self):
        while True:
            ready = select.select([self._device, self._told], [], [])[0]
            for order in os.read(self._told, 16) if self._told in ready else b"":
                if order == ord("e"):
                    return
                self._answers = True
                for unique in self._unanswered:
                    self._reply(unique, CONTENT)
                self._unanswered = []
            if self._device in ready:
                self._take(os.read(self._device, 1 << 20))

    def _take(self, request):
        _, operation, unique, node = IN_HEADER.unpack_from(request)[:4]
        body = request[IN_HEADER.size:]
        if operation in (FORGET, BATCH_FORGET):
            return  # wants no answer
        if operation == INIT:
            flags = struct.pack("<4I2HIIHH8I", 7, 31, 0, 0, 16, 12, 1 << 16, 1, 0, 0, *[0] * 8)
            self._reply(unique, flags)
        elif operation == LOOKUP and body.rstrip(b"\0") == NAME:
            self._reply(unique, struct.pack("<4Q2I", FILE_NODE, 0, 3600, 3600, 0, 0) + attributes(FILE_NODE))
        elif operation == LOOKUP:
            self._reply(unique, error=errno.ENOENT)
        elif operation == GETATTR:
            self._reply(unique, struct.pack("<Q2I", 3600, 0, 0) + attributes(node))
        elif operation == OPEN:
            self._reply(unique, struct.pack("<Q2I", 1, DIRECT_IO, 0))
        elif operation == READ and not self._answers:
            self._unanswered.append(unique)
        elif operation == READ:
            offset = struct.unpack_from("<QQ", body)[1]
            self._reply(unique, CONTENT[offset:])
        elif operation in (RELEASE, FLUSH):
            self._reply(unique)
        else:
            # An interrupt, too: whoever waits, waits uninterruptibly from now on.
            self._reply(unique, error=errno.ENOSYS)
