# SPDX-License-Identifier: GPL-2.0-or-later
"""The shim's executive, seen from the debugger: processes, threads, handles, objects, ports.

Everything is read from the static `DEBUGGER_EXECUTIVE` with the types of the kernel's own debug information; nothing runs in the machine.
Commands: `nt-processes`, `nt-threads`, `nt-handles [PID or IMAGE]`, `nt-objects [PATH]`, `nt-ports`."""
import gdb
from machine import is_kernel, register
from printers import status
from values import MASK, deque, items, number, option, variant, vector, wide, word

MESSAGE_KINDS = ("", "REQUEST", "REPLY", "DATAGRAM", "LOST_REPLY", "PORT_CLOSED", "CLIENT_DIED", "EXCEPTION", "DEBUG_EVENT", "ERROR_EVENT",
                 "CONNECTION_REQUEST")


class System:
    """One look at the executive."""

    def __init__(self):
        at = word("DEBUGGER_EXECUTIVE", 8)
        if at == 0:
            raise gdb.GdbError("the system does not stand yet")
        self.executive = gdb.Value(at).cast(gdb.lookup_type("executive::system::Executive").pointer()).dereference()
        self.processes = {number(key): value for key, value in items(self.executive["processes"])}
        self.threads = {number(key): value for key, value in items(self.executive["threads"])}
        self.slots = vector(self.executive["ob"]["table"]["slots"])
        self.running = word("DEBUGGER_THREAD")

    def object(self, identity):
        """The object with this id, or None."""
        index, generation = int(identity["index"]), int(identity["generation"])
        if index >= len(self.slots) or int(self.slots[index]["generation"]) != generation:
            return None
        return option(self.slots[index]["object"])

    def path(self, identity):
        """The object's name from the root on, or an empty text."""
        names, root = [], int(self.executive["ob"]["root"]["index"])
        while int(identity["index"]) != root:
            this = self.object(identity)
            name = this and option(this["name"])
            if name is None:
                return "" if not names else "...\\" + "\\".join(reversed(names))
            names.append(wide(name["name"]))
            identity = name["directory"]
        return "\\" + "\\".join(reversed(names))

    def describe(self, identity):
        """Type and name of an object; for what has no name, what else tells it from others."""
        this = self.object(identity)
        if this is None:
            return "gone", ""
        kind, content = variant(this["body"])
        text = self.path(identity)
        if content is not None:
            content = content["__0"]
        if kind == "Process":
            text = self.process_name(number(content))
        elif kind == "Thread":
            thread = number(content)
            text = "tid %d of %s" % (thread, self.process_name(number(self.threads[thread]["process"])) if thread in self.threads else "?")
        elif kind == "Port":
            text = ("port %d %s" % (number(content), text)).strip()
        return variant(this["kind"])[0], text

    def process_name(self, process):
        known = self.processes.get(process)
        image = wide(known["image"]) if known is not None else "?"
        return "pid %d %s" % (process, image or "System")

    def find_process(self, text):
        """By id or by image name, with or without .exe."""
        text = text.strip().lower()
        for process, value in self.processes.items():
            if text in (str(process), wide(value["image"]).lower(), wide(value["image"]).lower().removesuffix(".exe")):
                return process, value
        raise gdb.GdbError("no process %s" % text)

    def port_names(self):
        """Names of named ports by port number."""
        found = {}
        for index, slot in enumerate(self.slots):
            this = option(slot["object"])
            if this is None:
                continue
            kind, content = variant(this["body"])
            name = option(this["name"])
            if kind == "Port" and name is not None:
                found[number(content["__0"])] = self.path(name["directory"]).rstrip("\\") + "\\" + wide(name["name"])
        return found

    def waits_for(self, thread, value):
        """What a thread waits for, in words; None if it does not."""
        wait = option(value["wait"])
        lpc = {number(key): entry for key, entry in items(self.executive["lpc"]["threads"])}.get(thread)
        if lpc is not None:
            waiting = option(lpc["waiting"])
            if waiting is not None:
                kind, content = variant(waiting)
                names = self.port_names()
                port = content[content.type.fields()[0]] if content is not None and kind in ("Reply", "Message") else None
                if port is not None:
                    what = "a message at" if kind == "Message" else "the reply through"
                    return "%s port %d %s" % (what, number(port), names.get(number(port), ""))
                return "a connection (%s)" % kind.lower()
        if wait is None:
            return None
        objects = [" ".join(self.describe(identity)).strip() for identity in vector(wait["objects"])]
        text = (" and " if bool(wait["all"]) else " or ").join(objects) or "its service"
        deadline = option(wait["deadline"])
        return text if deadline is None else "%s, until %.3f s" % (text, int(deadline) / 1e7)


def registers():
    """Program counters by thread, from the machine's own table; empty if its shape is not what it was."""
    try:
        machine = System().executive["machine"]
        shared = machine["pointer"].cast(gdb.lookup_type("kernel::shared::Shared").pointer()).dereference()
        mutex = shared["__0"]["ptr"]["pointer"].dereference()["data"]
        bare = mutex["inner"]["data"]["value"] if "inner" in [field.name for field in mutex.type.fields()] else mutex["data"]["value"]
        return {number(key): int(value["registers"]["rip"]) & MASK for key, value in items(bare["threads"])}
    except gdb.error:
        return {}


def symbol(address):
    text = gdb.execute("info symbol %#x" % address, to_string=True).strip()
    return "" if text.startswith("No symbol") else text.split(" in section")[0]


class Processes(gdb.Command):
    """nt-processes: every process, with parent, session and threads."""

    def __init__(self):
        super().__init__("nt-processes", gdb.COMMAND_STATUS)

    def invoke(self, argument, from_tty):
        system = System()
        for process, value in system.processes.items():
            session = option(value["session"])
            words = ["parent %d" % number(value["parent"]), "session %s" % ("-" if session is None else int(session))]
            words.append("threads %d" % int(value["threads"]["map"]["length"]))
            if bool(value["critical"]):
                words.append("critical")
            if bool(value["ended"]):
                words.append("ended with " + status(number(value["exit_status"])))
            print("%-24s %s" % (system.process_name(process), ", ".join(words)))


class Threads(gdb.Command):
    """nt-threads: every thread, where it is in ring 3, and what it waits for."""

    def __init__(self):
        super().__init__("nt-threads", gdb.COMMAND_STATUS)

    def invoke(self, argument, from_tty):
        system = System()
        places = registers()
        in_kernel = is_kernel(register(gdb.newest_frame(), "rip"))
        for thread, value in system.threads.items():
            if bool(value["ended"]):
                state = "ended with " + status(number(value["exit_status"]))
            else:
                state = system.waits_for(thread, value)
                state = "waits for " + state if state else "runs" if thread == system.running else "ready"
                if int(value["suspended"]):
                    state += ", suspended %d times" % int(value["suspended"])
            mark = "*" if thread == system.running else " "
            print("%s tid %-4d %-24s %s" % (mark, thread, system.process_name(number(value["process"])), state))
            if thread in places and (in_kernel or thread != system.running):
                print("           at %#x %s" % (places[thread], symbol(places[thread])))


class Handles(gdb.Command):
    """nt-handles [PID or IMAGE]: the handle table of a process, of the one that runs if none is named."""

    def __init__(self):
        super().__init__("nt-handles", gdb.COMMAND_STATUS)

    def invoke(self, argument, from_tty):
        system = System()
        process, value = system.find_process(argument or str(word("DEBUGGER_PROCESS")))
        print("handles of " + system.process_name(process))
        table = option(value["handles"])
        if table is None:
            print("it has ended: none")
            return
        for slot, entry in enumerate(vector(table["entries"])):
            entry = option(entry)
            if entry is not None:
                flags = ("i" if bool(entry["inherit"]) else "-") + ("p" if bool(entry["protect"]) else "-")
                kind, name = system.describe(entry["object"])
                print("%#6x %08x %s %-14s %s" % ((slot + 1) * 4, number(entry["access"]), flags, kind, name))


class Objects(gdb.Command):
    """nt-objects [PATH]: what is in an object directory, the root if none is named, or what an object is."""

    def __init__(self):
        super().__init__("nt-objects", gdb.COMMAND_STATUS)

    @staticmethod
    def entries(directory):
        return [(wide(same["__0"]), same["__1"]) for _, group in items(directory["entries"]) for same in vector(group)]

    def invoke(self, argument, from_tty):
        system = System()
        identity = system.executive["ob"]["root"]
        for name in (part for part in argument.strip().strip("\\").split("\\") if part):
            kind, content = variant(system.object(identity)["body"])
            found = [] if kind != "Directory" else [entry for entry in self.entries(content["__0"]) if entry[0].lower() == name.lower()]
            if not found:
                raise gdb.GdbError("%s has no %s" % (system.path(identity) or "\\", name))
            identity = found[0][1]
        kind, content = variant(system.object(identity)["body"])
        if kind == "Directory":
            for name, child in self.entries(content["__0"]):
                self.show(system, name, child)
        else:
            self.show(system, system.path(identity), identity)

    @staticmethod
    def show(system, name, identity):
        this = system.object(identity)
        body, content = variant(this["body"])
        more = " -> " + (wide(content["__0"]["target"]) or "\\") if body == "SymbolicLink" else ""
        counts = "handles %d references %d" % (int(this["handles"]), int(this["references"]))
        print("%-14s %s%s  (%s%s)" % (variant(this["kind"])[0], name, more, counts, " permanent" if bool(this["permanent"]) else ""))


class Ports(gdb.Command):
    """nt-ports: every LPC port with its queue, its receivers and those who wait for replies."""

    def __init__(self):
        super().__init__("nt-ports", gdb.COMMAND_STATUS)

    def invoke(self, argument, from_tty):
        system = System()
        names = system.port_names()
        for key, port in items(system.executive["lpc"]["ports"]):
            line = "port %-3d %-13s %s" % (number(key), variant(port["kind"])[0].lower(), names.get(number(key), ""))
            for field, text in (("connection", "connection port"), ("connected", "connected to port")):
                other = option(port[field])
                if other is not None and number(other) != number(key):
                    line += "  %s %d" % (text, number(other))
            creator = port["creator"]
            print(line.rstrip() + "  by " + " ".join("%s %d" % (f.name, number(creator[f])) for f in creator.type.fields()))
            receivers = [int(thread) for thread in deque(port["receivers"])]
            chain = [int(thread) for _, thread in items(port["reply_chain"])]
            if receivers:
                print("    receivers: " + ", ".join("tid %d" % thread for thread in receivers))
            if chain:
                print("    wait for replies: " + ", ".join("tid %d" % thread for thread in chain))
            for message in deque(port["queue"]):
                header = message["header"]
                kind = int(header["kind"]) & 0xFF
                name = MESSAGE_KINDS[kind] if kind < len(MESSAGE_KINDS) else str(kind)
                print("    queued: %s, %d bytes" % (name, int(header["data_length"])))


Processes()
Threads()
Handles()
Objects()
Ports()
