"""Variables of every kind, among them ones that are large, endless, secret or dangerous to look at."""
import asyncio
import collections
import enum
import os
import uuid

import truth


class Colour(enum.Enum):
    RED = 1


class Order:
    def __init__(self, number, part):
        self.number = number
        self.part = part


class Slotted:
    __slots__ = ("x", "y")


class Evil:
    """Whoever runs any of its code ends the process."""

    def _end(self, *_):
        os._exit(99)

    __repr__ = __str__ = __len__ = __iter__ = __getattr__ = __getattribute__ = __hash__ = __eq__ = __bool__ = __format__ = _end


class EvilDict(dict):
    def _end(self, *_):
        os._exit(99)

    __repr__ = __str__ = __len__ = __iter__ = __getitem__ = items = keys = values = __getattribute__ = _end


class Refused(Exception):
    def __str__(self):
        os._exit(99)


Point = collections.namedtuple("Point", "x y")
Login = collections.namedtuple("Login", "user password")


def at(thing, name):
    return "<{} at {}>".format(name, hex(id(thing)))


async def values():
    plain = [None, True, 17, 1.5, "a'b", b"\x00\xff", (1,), (), {}, set(), frozenset([3]), ...]
    numbers = list(range(100000))
    table = {number: str(number) for number in range(100000)}
    members = set(range(100000))
    queue = collections.deque(range(100000))
    text = "x" * 10000000
    data = b"y" * 10000000
    wide = 2**256
    wider = 7**100000
    itself = [1]
    itself.append(itself)
    round_about = {"list": []}
    round_about["list"].append(round_about)
    deep = []
    for _ in range(100000):
        deep = [deep]
    evil = Evil()
    evil_dict = EvilDict(a=1)
    error = ValueError("boom", 3)
    refused = Refused("no\x1b[31m")
    order = Order(1, Order(2, None))
    slotted = Slotted()
    slotted.y = 5
    colour = Colour.RED
    point = Point(1, 2)
    identity = uuid.UUID("12345678-1234-5678-1234-567812345678")
    escapes = "\x1b]0;evil\x07\x9b31m\u202e"
    undone = EvilDict(a=1)
    del undone
    expected = {
        "plain": "[None, True, 17, 1.5, \"a'b\", b'\\x00\\xff', (1,), (), ... 4 more]",
        "numbers": "[0, 1, 2, 3, 4, 5, 6, 7, ... 99992 more]",
        "table": "{0: '0', 1: '1', 2: '2', 3: '3', 4: '4', 5: '5', 6: '6', 7: '7', ... 99992 more}",
        "members": "{0, 1, 2, 3, 4, 5, 6, 7, ... 99992 more}",
        "queue": "deque([0, 1, 2, 3, 4, 5, 6, 7, ... 99992 more])",
        "text": "'" + "x" * 100 + "'... (10000000 characters)",
        "data": "b'" + "y" * 100 + "'... (10000000 bytes)",
        "wide": str(wide),
        "wider": "<int of {} bits>".format(wider.bit_length()),
        "itself": "[1, [...]]",
        "round_about": "{'list': [{...}]}",
        "deep": "[[[<list of 1>]]]",
        "evil": at(evil, "__main__.Evil"),
        "evil_dict": "EvilDict({'a': 1})",
        "error": "ValueError('boom', 3)",
        "refused": "__main__.Refused('no\\x1b[31m')",
        "order": "{}: number=1, part={}>".format(at(order, "__main__.Order")[:-1], at(order.part, "__main__.Order")),
        "slotted": at(slotted, "__main__.Slotted")[:-1] + ": y=5>",
        "colour": "Colour.RED",
        "point": "Point(x=1, y=2)",
        "identity": repr(identity),
        "escapes": "'\\x1b]0;evil\\x07\\x9b31m\u202e'",
    }
    await keep(expected, len(expected))


async def secrets(password, *arguments, api_key, **options):
    session_token = 12345
    dsn = {"host": "hunter2"}
    url = "postgresql://app:hunter2@db:5432/shop"
    request = b"GET / HTTP/1.1\r\nAuthorization: Bearer hunter2\r\nHost: x\r\n\r\n"
    headers = [(b"host", b"x"), (b"authorization", b"hunter2")]
    login = Login("bob", "hunter2")
    client = Order(1, None)
    client.client_secret = "hunter2"
    nested = [{"a": {"db_password": "hunter2"}}]
    error = ValueError("login failed: password=hunter2")
    token = None
    auth = client
    author = "Bob"
    max_tokens = 4096
    expected = {
        "password": "<masked>", "api_key": "<masked>", "arguments": "('--token', <masked>)", "options": "{'cookie': <masked>, 'page': 2}",
        "session_token": "<masked>", "dsn": "<masked>", "url": "'postgresql://app:<masked>@db:5432/shop'",
        "request": "b'GET / HTTP/1.1\\r\\nAuthorization: <masked>\\r\\nHost: x\\r\\n\\r\\n'",
        "headers": "[(b'host', b'x'), (b'authorization', <masked>)]", "login": "Login(user='bob', password=<masked>)",
        "client": "{}: number=1, part=None, client_secret=<masked>>".format(at(client, "__main__.Order")[:-1]),
        "nested": "[{'a': {'db_password': <masked>}}]", "error": "ValueError('login failed: password=<masked>')",
        "token": "None", "auth": at(client, "__main__.Order"), "author": "'Bob'", "max_tokens": "4096",
    }
    await keep(expected, None)


async def keep(expected, _):
    promised.append(expected)
    await asyncio.sleep(100000)


promised = []


async def main():
    tasks = [asyncio.ensure_future(values()),
             asyncio.ensure_future(secrets("hunter2", "--token", "hunter2", api_key="hunter2", cookie="hunter2", page=2))]
    while len(promised) < len(tasks):
        await asyncio.sleep(0)
    truth.ready(tasks=3, values=promised[0], secrets=promised[1])
    await asyncio.wait(tasks)


truth.watch()
asyncio.run(main())
