// SPDX-License-Identifier: GPL-2.0-or-later
//! The system-call fuzzer in ring 3: programs that make calls of every number with arguments in
//! every state of repair, on the real kernel, during a boot.
//!
//! A program is a loop, which makes the calls of a table one after the other, and that table, made
//! here from a seed that is printed. It has no imports and no state of its own, so that it does not
//! matter what a call writes into it. It may fall at any time; what must hold is that the kernel does
//! not, that the boot goes on to its end, and that most programs come to the end of their tables,
//! which they say on the boot screen: otherwise little was tried. `SMSS_FUZZ_SEED` repeats a run.
//!
//! On i386 the calls are the same, in words of four bytes, which the kernel reads in the table.

use super::scenario::named;
use crate::arch::Arch;
use crate::build::Images;
use crate::guest::{self, UnattendedBoot};
use crate::medium::tree::Tree;
use crate::paths;
use crate::qemu::{self, End};
use crate::ui;
use anyhow::{Context, Result, anyhow, bail};
use executive::services::argument::Shape;
use executive::services::{parameters, table};
use formats::pe::build::{CODE, ImageFile, MORE, PROGRAM_BASE, PROGRAM_BASE_I386};
use formats::utf16;
use nt::system::ImageSubsystem;
use std::path::Path;

/// Name among the tests.
pub const NAME: &str = "no_system_call_from_ring_3_stops_the_kernel";

const PROGRAMS: u64 = 12;
/// Calls of a program.
const CALLS: usize = 2_000;
/// Slots of a call, each a word: its number, and the arguments.
const SLOTS: usize = 17;
/// The arena's places: OBJECT_ATTRIBUTES, UNICODE_STRINGs, anything.
const PLACE: u64 = 0x100;
const ATTRIBUTES: u64 = 12;
const TEXTS: u64 = 12;
const OTHERS: u64 = 40;
/// What the program shows at its end lies with its code, where no call can write: here.
const FAREWELL_AT: usize = 0x100;
/// KUSER_SHARED_DATA: a page that can be read and not written.
const SHARED_DATA: u64 = 0x7FFE_0000;

/// The program on x86-64: RBX walks the table, whose last call ends the process.
#[rustfmt::skip]
const LOOP_AMD64: &[u8] = &[
    0x48, 0x81, 0xEC, 0x08, 0x01, 0x00, 0x00,       // sub rsp, 0x108
    0x48, 0x8D, 0x1D, 0xFA, 0x0F, 0x00, 0x00,       // lea rbx, [rip + table]
    0x8B, 0x03,                                     // next: mov eax, [rbx]
    0x4C, 0x8B, 0x53, 0x08,                         // mov r10, [rbx + 8]
    0x48, 0x8B, 0x53, 0x10,                         // mov rdx, [rbx + 16]
    0x4C, 0x8B, 0x43, 0x18,                         // mov r8, [rbx + 24]
    0x4C, 0x8B, 0x4B, 0x20,                         // mov r9, [rbx + 32]
    0x48, 0x8D, 0x73, 0x28,                         // lea rsi, [rbx + 40]
    0x48, 0x8D, 0x7C, 0x24, 0x28,                   // lea rdi, [rsp + 0x28]
    0xB9, 0x0C, 0x00, 0x00, 0x00,                   // mov ecx, 12
    0xF3, 0x48, 0xA5,                               // rep movsq
    0x0F, 0x05,                                     // syscall
    0x48, 0x81, 0xC3, 0x88, 0x00, 0x00, 0x00,       // add rbx, 17 * 8
    0xEB, 0xD2,                                     // jmp next
];

/// The same on i386: EBX walks the table. Its address is to be put at [`TABLE_IN_LOOP`].
#[rustfmt::skip]
const LOOP_I386: &[u8] = &[
    0xBB, 0x00, 0x00, 0x00, 0x00,                   // mov ebx, table
    0x8B, 0x03,                                     // next: mov eax, [ebx]
    0x8D, 0x53, 0x04,                               // lea edx, [ebx + 4]
    0xCD, 0x2E,                                     // int 0x2e
    0x83, 0xC3, 0x44,                               // add ebx, 17 * 4
    0xEB, 0xF4,                                     // jmp next
];
const TABLE_IN_LOOP: usize = 1;

/// A program's machine: where its parts lie, and its words.
#[derive(Clone, Copy)]
struct Machine(Arch);

impl Machine {
    const fn base(self) -> u64 {
        match self.0 {
            Arch::Amd64 => PROGRAM_BASE,
            Arch::I386 => PROGRAM_BASE_I386,
        }
    }

    /// Bytes of a word.
    const fn word(self) -> u64 {
        match self.0 {
            Arch::Amd64 => 8,
            Arch::I386 => 4,
        }
    }

    /// Where the table lies.
    const fn table(self) -> u64 {
        self.base() + MORE as u64
    }

    /// And behind it what the arguments point to.
    const fn arena(self) -> u64 {
        self.table() + (CALLS + 1) as u64 * SLOTS as u64 * self.word()
    }

    const fn farewell(self) -> u64 {
        self.base() + CODE as u64 + FAREWELL_AT as u64
    }

    /// An address of the kernel's half.
    const fn kernels(self, low: u64) -> u64 {
        match self.0 {
            Arch::Amd64 => 0xFFFF_8000_0000_0000 | low,
            Arch::I386 => 0x8000_0000 | low,
        }
    }

    fn code(self) -> Vec<u8> {
        match self.0 {
            Arch::Amd64 => LOOP_AMD64.to_vec(),
            Arch::I386 => {
                let mut code = LOOP_I386.to_vec();
                let table = (self.table() as u32).to_le_bytes();
                code.splice(TABLE_IN_LOOP..TABLE_IN_LOOP + table.len(), table);
                code
            }
        }
    }

    /// Words as they lie in memory; what has no room in one is cut off.
    fn words(self, words: impl IntoIterator<Item = u64>) -> Vec<u8> {
        let word = self.word() as usize;
        let bytes = words.into_iter().map(u64::to_le_bytes);
        bytes
            .flat_map(|bytes| bytes.into_iter().take(word))
            .collect()
    }

    /// A UNICODE_STRING at `address`, and its text behind it.
    fn string(self, address: u64, text: &str) -> Vec<u8> {
        let units = utf16(text);
        let length = units.len() as u64 * 2;
        let mut bytes = self.words([length << 16 | length, address + 2 * self.word()]);
        bytes.extend(units.into_iter().flat_map(u16::to_le_bytes));
        bytes
    }
}

/// Calls that are not made, for they would show nothing of the kernel: the program would wait for
/// ever, lose its own code, stack or course, or, as SYSTEM may, end another or the system.
const SKIPPED: [&str; 30] = [
    "NtAllocateVirtualMemory",
    "NtCallbackReturn",
    "NtContinue",
    "NtDelayExecution",
    "NtFreeVirtualMemory",
    "NtListenPort",
    "NtLockFile",
    "NtOpenProcess",
    "NtProtectVirtualMemory",
    "NtQueueApcThread",
    "NtRaiseException",
    "NtRaiseHardError",
    "NtRemoveIoCompletion",
    "NtReplyWaitReceivePort",
    "NtReplyWaitReceivePortEx",
    "NtReplyWaitReplyPort",
    "NtRequestWaitReplyPort",
    "NtSetContextThread",
    "NtSetInformationProcess",
    "NtSetInformationThread",
    "NtShutdownSystem",
    "NtSignalAndWaitForSingleObject",
    "NtSuspendThread",
    "NtTerminateProcess",
    "NtTerminateThread",
    "NtUnmapViewOfSection",
    "NtWaitForMultipleObjects",
    "NtWaitForSingleObject",
    "NtWriteVirtualMemory",
    "NtInitiatePowerAction",
];

/// Names of objects, files and keys: some are there, some can be made, some are neither.
const NAMES: [&str; 12] = [
    "",
    "\\",
    "\\??",
    "\\BaseNamedObjects\\thing",
    "\\Fuzz",
    "\\Fuzz\\below",
    "\\??\\C:\\ReactOS\\System32\\ntdll.dll",
    "\\??\\C:\\fuzz.txt",
    "\\Registry\\Machine\\System\\CurrentControlSet\\Control\\Session Manager",
    "\\Registry\\Machine\\System\\Fuzz",
    "\\SmApiPort",
    "relative\\name",
];

/// xorshift64*, for the programs of a machine.
struct Random(u64, Machine);

impl Random {
    const fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    const fn below(&mut self, limit: u64) -> u64 {
        (self.next() >> 11) % limit
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        let at = self.below(from.len() as u64) as usize;
        from.get(at)
            .copied()
            .unwrap_or_else(|| unreachable!("below the length"))
    }

    /// A number of the kind that finds errors.
    fn number(&mut self) -> u64 {
        match self.below(8) {
            0..=3 => self.below(50),
            4 => 1 << self.below(64),
            5 => (1_u64 << self.below(64)).wrapping_sub(1),
            6 => self.pick(&[0x1000, 0x1_0000, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, u64::MAX]),
            _ => self.next(),
        }
    }

    /// A place of the arena from the `first` on.
    const fn place(&mut self, first: u64, count: u64) -> u64 {
        self.1.arena() + (first + self.below(count)) * PLACE
    }

    fn pointer(&mut self) -> u64 {
        match self.below(20) {
            0 => 0,
            1 => self.number(),
            2 => SHARED_DATA + self.below(0x1000),
            // The kernel's half.
            3 => {
                let low = self.next();
                self.1.kernels(low)
            }
            _ => self.place(ATTRIBUTES + TEXTS, OTHERS),
        }
    }

    fn argument(&mut self, shape: Shape) -> u64 {
        if self.below(20) == 0 {
            return self.number();
        }
        match shape {
            // Handles are multiples of 4, small ones first; the last two are this process and thread.
            Shape::Handle => match self.below(8) {
                0 => u64::MAX - self.below(2),
                1 => 0,
                _ => 4 * (1 + self.below(24)),
            },
            Shape::Attributes => self.place(0, ATTRIBUTES),
            Shape::Text => self.place(ATTRIBUTES, TEXTS),
            Shape::Pointer => self.pointer(),
            Shape::Boolean => self.below(2),
            Shape::Access => self.pick(&[0x0200_0000, 0x1000_0000, 0x8000_0000, 0x001F_0001, 0]),
            Shape::Number(_) => match self.below(2) {
                0 => self.pick(&[0, 1, 2, 4, 8, 0x10, 0x18, 0x20, 0x30, 0x40, 0x100, 0x148]),
                _ => self.number(),
            },
        }
    }

    /// One call: number, then arguments.
    fn call(&mut self) -> [u64; SLOTS] {
        let number = loop {
            let number = self.below(table::COUNT as u64 + 4);
            let name = table::service(number as u32).map_or("", |service| service.name);
            if !SKIPPED.contains(&name) {
                break number;
            }
        };
        let shapes = parameters(number as u32).unwrap_or_default();
        let mut call = [0; SLOTS];
        let (first, rest) = call.split_at_mut(1);
        first.fill(number);
        for (at, slot) in rest.iter_mut().enumerate() {
            *slot = match shapes.get(at) {
                Some(parameter) => self.argument(parameter.shape),
                None => self.number(),
            };
        }
        call
    }
}

/// Runs it; a failure says the seed and how QEMU was run.
pub fn run(images: &Images) -> Result<()> {
    let seed = match std::env::var("SMSS_FUZZ_SEED") {
        Ok(seed) => seed.parse().context("SMSS_FUZZ_SEED is no number")?,
        Err(_) => 1,
    };
    let folder = paths::folder(
        paths::target()
            .join("qemu-tests")
            .join(named(images.arch, NAME)),
    )?;
    boot(images, &folder, seed).map_err(|error| {
        let log = folder.join("boot.log");
        anyhow!(
            "SMSS_FUZZ_SEED={seed}: {error:#}\n{}\nlog: {}",
            qemu::how(&log),
            log.display()
        )
    })
}

fn boot(images: &Images, folder: &Path, seed: u64) -> Result<()> {
    let commands: String = (0..PROGRAMS)
        .map(|number| format!("fuzz{number}\\0"))
        .collect();
    let mut tree = Tree::with_hives(images, |hive, text| {
        if hive == "SYSTEM" {
            text.push_str("\n[\\ControlSet001\\Control\\Session Manager]\n");
            text.push_str(&format!("\"BootExecute\"=str(7):\"{commands}\"\n"));
        }
    })?;
    for number in 0..PROGRAMS {
        tree.files.insert(
            format!("ReactOS/System32/fuzz{number}.exe"),
            Some(program(Machine(images.arch), number, seed)),
        );
    }
    ui::step(&format!(
        "{PROGRAMS} programs with {CALLS} calls each, SMSS_FUZZ_SEED={seed}"
    ));
    let outcome = guest::boot(&UnattendedBoot::until_settled(images, &tree, folder))?;
    if outcome.end != End::Pass {
        bail!("the machine ended with {:?}", outcome.end);
    }
    let has = |text: &str| outcome.reader.shown.iter().any(|line| line.contains(text));
    if !has("settled: waiting for the Windows subsystem") {
        bail!("the boot did not come to its end");
    }
    let ended = (0..PROGRAMS).filter(|number| has(&done(*number))).count() as u64;
    ui::step(&format!(
        "{ended} of {PROGRAMS} came to the end of their calls"
    ));
    if ended * 2 < PROGRAMS {
        bail!("only {ended} of {PROGRAMS} programs came to the end of their calls");
    }
    Ok(())
}

/// What a program shows at its end.
fn done(number: u64) -> String {
    format!("fuzz {number} has made its calls.")
}

fn program(machine: Machine, number: u64, seed: u64) -> Vec<u8> {
    let seed = seed.wrapping_mul(PROGRAMS).wrapping_add(number);
    let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1, machine);
    let last = [
        ("NtDisplayString", [machine.farewell(), 0]),
        ("NtTerminateProcess", [u64::MAX, 0]),
    ];
    let mut table: Vec<[u64; SLOTS]> = (1..CALLS).map(|_| random.call()).collect();
    for (name, [first, second]) in last {
        let mut call = [0; SLOTS];
        (call[0], call[1], call[2]) = (table::number_of(name).into(), first, second);
        table.push(call);
    }
    let mut more = machine.words(table.into_iter().flatten());
    more.resize((machine.arena() - machine.table()) as usize, 0);
    more.extend(arena(&mut random));
    let mut code = machine.code();
    code.resize(FAREWELL_AT, 0);
    code.extend(machine.string(machine.farewell(), &format!("{}\n", done(number))));
    ImageFile {
        name: "fuzz.exe",
        i386: machine.0 == Arch::I386,
        subsystem: ImageSubsystem::NATIVE,
        code: &code,
        more: &more,
        ..ImageFile::default()
    }
    .bytes()
}

/// What the arguments point to.
fn arena(random: &mut Random) -> Vec<u8> {
    let machine = random.1;
    let start = machine.arena();
    let mut arena = vec![0; ((ATTRIBUTES + TEXTS + OTHERS) * PLACE) as usize];
    let mut put = |place: u64, at: u64, bytes: &[u8]| {
        let at = (place * PLACE + at) as usize;
        arena.splice(at..at + bytes.len(), bytes.iter().copied());
    };
    for place in 0..ATTRIBUTES {
        let name = random.pick(&NAMES);
        let flags = random.pick(&[0_u64, 0x40, 0x40, 0x52, 0xC0]);
        // Six words; the name lies behind them.
        let length = 6 * machine.word();
        let name_at = start + place * PLACE + length;
        let fields = [length, 0, name_at, flags, 0, 0];
        put(place, 0, &machine.words(fields));
        put(place, length, &machine.string(name_at, name));
    }
    for place in ATTRIBUTES..ATTRIBUTES + TEXTS {
        let name = random.pick(&NAMES);
        put(place, 0, &machine.string(start + place * PLACE, name));
    }
    for place in ATTRIBUTES + TEXTS..ATTRIBUTES + TEXTS + OTHERS {
        let field = |_| match random.below(4) {
            0 => random.pointer(),
            1 => 4 * random.below(24),
            2 => random.pick(&[0x18, 0x30, 0x20, 0x1000]),
            _ => random.number(),
        };
        let fields: Vec<u64> = (0..PLACE / machine.word()).map(field).collect();
        put(place, 0, &machine.words(fields));
    }
    arena
}
