// SPDX-License-Identifier: GPL-2.0-or-later
//! The shim's machine layer: a small NT-compatible kernel for QEMU, x86-64.
#![no_std]
#![no_main]

mod boot;
mod cpu;
mod exit;
mod serial;

use core::panic::PanicInfo;

/// What both doors of the boot code lead to: which loader it was, and the physical address of its information block.
#[unsafe(no_mangle)]
extern "C" fn kernel_main(loader: u32, information: u32) -> ! {
    serial::initialize();
    serial::install_log(log::LevelFilter::Debug);
    let _ = (loader, information);
    serial::line(format_args!("kernel up"));
    exit::exit(exit::Outcome::Pass)
}

#[panic_handler]
fn panic(information: &PanicInfo<'_>) -> ! {
    serial::line(format_args!("kernel panic: {information}"));
    exit::exit(exit::Outcome::Bugcheck)
}
