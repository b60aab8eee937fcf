# SPDX-License-Identifier: GPL-2.0-or-later
"""Rust values as Python sees them: structures, enums, and the collections the kernel uses.

The collections are read with the toolchain's own scripts (`gdb_providers`), which fit the standard library of the same toolchain."""
import gdb
import gdb_providers

MASK = (1 << 64) - 1


def address_of(symbol):
    """Address of a symbol, whatever language is current."""
    text = gdb.execute("info address " + symbol, to_string=True)
    return int(next(word for word in text.replace(".", " ").split() if word.startswith("0x")), 16)


def word(symbol, size=4):
    """A static's value, as a number."""
    return int.from_bytes(gdb.selected_inferior().read_memory(address_of(symbol), size), "little")


def vector(value):
    """The elements of a Vec."""
    return [child for _, child in gdb_providers.StdVecProvider(value).children()]


def deque(value):
    """The elements of a VecDeque."""
    return [child for _, child in gdb_providers.StdVecDequeProvider(value).children()]


def items(value):
    """Keys and values of a BTreeMap, in order."""
    children = [child for _, child in gdb_providers.StdBTreeMapProvider(value).children()]
    return list(zip(children[::2], children[1::2]))


def variant(value):
    """The name of an enum's variant and its content; None for a variant without any."""
    if value.type.code == gdb.TYPE_CODE_ENUM:
        return str(value).rsplit("::", 1)[-1], None
    fields = [field for field in value.type.fields() if field.name]
    if not fields:
        return str(value).rsplit("::", 1)[-1], None
    field = fields[-1]
    content = value[field]
    return field.name, (content if content.type.fields() else None)


def option(value):
    """What is in an Option, or None."""
    name, content = variant(value)
    return content["__0"] if name == "Some" else None


def wide(value):
    """The text of a Vec<u16>."""
    count = int(value["len"])
    if count == 0:
        return ""
    pointer = gdb_providers.unwrap_unique_or_non_null(value["buf"]["inner"]["ptr"])
    return bytes(gdb.selected_inferior().read_memory(int(pointer) & MASK, 2 * count)).decode("utf-16-le", "replace")


def number(value):
    """A number, also one in a tuple structure of one field."""
    while value.type.code == gdb.TYPE_CODE_STRUCT:
        value = value[value.type.fields()[0]]
    return int(value)
