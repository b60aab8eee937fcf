// SPDX-License-Identifier: GPL-2.0-or-later
//! The shim's machine layer: a small NT-compatible kernel for QEMU, x86-64.
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
mod machine;
mod memory;
mod schedule;
mod screen;
mod serial;
mod stop;
mod thread;

use boot::options::Options;
use memory::{KERNEL_BASE, frames, paging};

unsafe extern "C" {
    static kernel_text: u8;
    static kernel_rodata: u8;
    static kernel_data: u8;
    static kernel_end: u8;
    static kernel_stack: u8;
}

/// What both doors of the boot code lead to: which loader it was, and the physical address of its information block.
#[unsafe(no_mangle)]
extern "C" fn kernel_main(loader: u32, information: u32) -> ! {
    serial::initialize();
    let information = boot::Information::read(loader, information);
    cpu::tables::initialize();
    let acpi = acpi::initialize(information.rsdp);
    cpu::clock::initialize(acpi.timer);
    let options = Options::parse(&information.command_line, |word| {
        serial::line(format_args!("kernel option {word:?} is not known: ignored"));
    });
    serial::install_log(options.log);

    let image = [&raw const kernel_text, &raw const kernel_rodata, &raw const kernel_data, &raw const kernel_end].map(|at| at as u64);
    frames::initialize(&information.memory, image[3] - KERNEL_BASE);
    let kernel = paging::AddressSpace::kernel(image, &raw const kernel_stack as u64).expect("memory for the kernel's page tables");
    // SAFETY: the kernel's space is kept for as long as the machine runs.
    unsafe { kernel.activate() };
    cpu::interrupt::initialize();
    serial::line(format_args!("kernel up"));
    let (free, total) = frames::counts();
    log::info!("loader {}, {free} of {total} frames free, command line {:?}", information.loader, information.command_line);
    let mut disks = disk::find();
    for d in &mut disks { let mut v = alloc::vec![0u8; 65536]; log::info!("{:?}", d.read(16, &mut v)); log::info!("{:x?}", &v[..16]); }
    exit::exit(exit::Outcome::Pass)
}
