// SPDX-License-Identifier: GPL-2.0-or-later
//! The shim's machine layer: a small NT-compatible kernel for QEMU, x86-64, one processor; its
//! programs are x86-64 or i386 ones, whichever the command line says.
//!
//! It gives the executive what a machine is (address spaces, threads, time, a screen, disks), turns
//! every trap of ring 3 into a request to it, and tells the host what happens. It decides nothing
//! that an NT executive decides.
//!
//! # Structure
//! The kernel runs with interrupts off on one stack. Ring 3 is a function call, [`cpu::user::run`],
//! that returns at the next trap; the loop around it ([`system`]) is ordinary safe code. A thread
//! that waits is a set of registers in a table, so no thread needs a kernel stack. User memory is
//! never touched through user addresses: it is found by walking the page tables and copied through
//! the direct map.
//!
//! | file | what |
//! |---|---|
//! | `boot/` | multiboot2 and PVH entry, memory map, command line |
//! | `cpu/` | descriptor tables, traps, ring 3, interrupts, clock, CONTEXT |
//! | `memory/` | frames, heap, page tables |
//! | `disk/` | virtio block, IDE CD-ROM |
//! | `machine.rs`, `schedule.rs` | the executive's trait `Machine`, ready queues |
//! | `thread/` | shared data page, exception and APC frames |
//! | `system.rs` | the loop: run a thread, serve its trap |
//! | `serial.rs`, `screen.rs`, `announce.rs`, `report.rs`, `exit.rs`, `end.rs`, `stop.rs` | log, boot screen, host, ends of a run |
//! | `host_port.rs` | the host's requests to smctl.exe |
//!
//! # How it is started
//! By multiboot2 (GRUB), or directly:
//! ```text
//! qemu-system-x86_64 -accel tcg -m 512 -kernel kernel -append "exit=settled dump" \
//!     -drive file=disk.img,if=virtio,format=raw -device isa-debug-exit,iobase=0xf4,iosize=4 \
//!     -serial stdio -display none -no-reboot
//! ```
//! Machine `pc` or `q35`, 64 MiB to 4 GiB of memory (more is not used). No boot modules: every file
//! comes from the disks. Disks in the order of the PCI bus: the first writable virtio disk is the
//! system disk; a read-only virtio disk, and the CD-ROM on the IDE controller of machine `pc`, are
//! CDs.
//!
//! # Command line
//! Words in any order; the whole line becomes `Control\SystemStartOptions`.
//!
//! | word | meaning |
//! |---|---|
//! | `nt=5.2`, `nt=6.1` | version the kernel reports |
//! | `arch=i386` | the programs are i386 ones, all of them |
//! | `exit=settled` | end with pass once every thread waits and no timer runs |
//! | `exit=shutdown` | end with pass when NtShutdownSystem goes through |
//! | `timeout=<seconds>` | end with failure if neither has happened by then |
//! | `dump` | once settled, the parts `dump` (text) and `dump-json` |
//! | `trace` | the parts `trace` (text) and `trace-json` (a line a call): every system call, printed once settled and at the end; before the first process, the part `before-json`: a dump of what stands then |
//! | `log=error..trace` | level of the kernel's own log |
//! | `kill=csrss`, `kill=winlogon` | once settled, end that process |
//! | `minint`, `safeboot=minimal` (`network`, `dsrepair`) | spec 1.1 fact 13 |
//! | `image=<path>` | the first process instead of `\SystemRoot\System32\smss.exe` |
//! | `hold`, `hold=<seconds>` | the stop screen stays, for ever or so long, before the run ends |
//! | `gdbwait` | before the first process, wait until a debugger sets `GDB_GO` to 1 |
//!
//! # What it says (COM1, 115200 8N1)
//! `[    s.mmm] text` a line. Lines to look for: `kernel up`; `image <name> base <hex> process
//! <pid>` when an image is mapped (and a call of `debugger_image_loaded`, for a breakpoint);
//! `screen: <text>` what is on the boot screen; `SHIM-SETTLED`; `*** STOP` with the bugcheck
//! code and parameters, and before it the part `user-stack`, the registers and the stack of the
//! thread that stopped the system (also for an exception that nobody handled); `kernel panic:` or
//! `kernel fault:` and then `backtrace <hex>...`, link addresses of this ELF. A part stands between
//! `SHIM-BEGIN: <name>` and `SHIM-FINISH: <name>`, without times. The last line is `kernel exit:
//! pass`, `failure` or `bugcheck`, and the value written to port 0xf4 makes QEMU's exit code:
//!
//! | outcome | value | exit code |
//! |---|---|---|
//! | pass | 0x10 | 33 |
//! | failure (the run did not do what the command line asked for) | 0x11 | 35 |
//! | bugcheck, kernel panic or fault | 0x12 | 37 |
//!
//! Under `-icount` with `-rtc clock=vm` two runs differ only in how long disk requests took, and in
//! what follows from that.
//!
//! COM2, if there is one, is the host's door to smctl.exe (`host_port.rs`).
//!
//! Without `exit=`, NtShutdownSystem powers off (ACPI S5: exit code 0), resets (ACPI or keyboard
//! controller) or halts.
#![no_std]
#![no_main]

extern crate alloc;

mod acpi;
mod announce;
mod boot;
mod cpu;
mod disk;
mod end;
mod exit;
mod host_port;
mod machine;
mod memory;
mod report;
mod ring3;
mod schedule;
mod screen;
mod serial;
mod shared;
mod start;
mod stop;
mod system;
mod thread;

use boot::options::Options;
use memory::physical::Untouched;
use memory::{KERNEL_BASE, frames, paging};
use thread::shared_data::SharedData;

unsafe extern "C" {
    static kernel_text: u8;
    static kernel_rodata: u8;
    static kernel_data: u8;
    static kernel_end: u8;
    static kernel_stack: u8;
}

/// What both doors of the boot code lead to: which loader it was, and the physical address of its
/// information block.
#[unsafe(no_mangle)]
extern "C" fn kernel_main(loader: u32, information: u32) -> ! {
    serial::initialize();
    // SAFETY: the boot code has made the direct map, and frames are given out from below only.
    let memory = unsafe { Untouched::new() };
    let information = boot::Information::read(&memory, loader, information);
    let options = Options::parse(&information.command_line, |word| {
        serial::line(format_args!("kernel option {word:?} is not known: ignored"));
    });
    cpu::tables::initialize(options.architecture);
    let acpi = acpi::initialize(&memory, information.rsdp);
    cpu::clock::initialize(acpi.timer);
    serial::install_log(options.log);

    let image = [
        &raw const kernel_text,
        &raw const kernel_rodata,
        &raw const kernel_data,
        &raw const kernel_end,
    ]
    .map(|at| at as u64);
    frames::initialize(memory, &information.memory, image[3] - KERNEL_BASE);
    let kernel = paging::AddressSpace::kernel(image, &raw const kernel_stack as u64)
        .expect("memory for the kernel's page tables");
    // SAFETY: the kernel's space is kept for as long as the machine runs.
    unsafe { kernel.activate() };
    cpu::interrupt::initialize();
    serial::line(format_args!("kernel up"));
    let (major, minor) = options.version;
    screen::boot(&alloc::format!(
        "NT-compatible kernel shim, version {major}.{minor}"
    ));
    let (free, total) = frames::counts();
    log::info!(
        "{}: {free} of {total} frames free, command line {:?}",
        information.loader,
        information.command_line
    );
    let disks = disk::find();
    let shared_data = SharedData::new(
        options.architecture,
        &options.system_root(),
        options.version,
        total as u32,
        options.safe_boot.is_some(),
    )
    .expect("a frame");
    let machine = shared::Shared::new(machine::Bare::new(
        options.architecture,
        kernel,
        disks,
        shared_data,
    ));
    let executive = start::executive(&machine, &options, &information.command_line);
    system::System::new(executive, machine, options).run()
}
