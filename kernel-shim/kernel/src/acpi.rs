// SPDX-License-Identifier: GPL-2.0-or-later
//! As much ACPI as a kernel without an interpreter needs: the timer's port, power-off and reset.
//!
//! Tables are firmware data: every field is read by copy, and a table that does not make sense is
//! treated as absent.

use crate::cpu::port;
use crate::memory::physical::Untouched;
use spin::Mutex;

/// What the fixed ACPI description table and the `_S5_` object of the DSDT say.
#[derive(Clone, Copy, Debug, Default)]
pub struct Acpi {
    /// I/O port of the power management timer.
    pub timer: Option<u16>,
    /// I/O port of the PM1a control register, and the value that powers off.
    power_off: Option<(u16, u16)>,
    /// I/O port and value that reset the machine.
    reset: Option<(u16, u8)>,
}

static ACPI: Mutex<Option<Acpi>> = Mutex::new(None);

fn checksum(memory: &Untouched, address: u64, length: u64) -> bool {
    (address..address + length).try_fold(0u8, |sum, at| {
        Some(sum.wrapping_add(memory.read_value::<u8>(at)?))
    }) == Some(0)
}

/// Finds the root pointer in the firmware's megabyte.
fn scan(memory: &Untouched) -> Option<u64> {
    (0xe_0000..0x10_0000).step_by(16).find(|at| {
        memory.read_value::<[u8; 8]>(*at) == Some(*b"RSD PTR ") && checksum(memory, *at, 20)
    })
}

fn table(memory: &Untouched, root: u64, signature: &[u8; 4]) -> Option<u64> {
    let extended = memory.read_value::<[u8; 4]>(root)? == *b"XSDT";
    let length = u64::from(memory.read_value::<u32>(root + 4)?).min(0x1_0000);
    let width = if extended { 8 } else { 4 };
    (root + 36..root + length)
        .step_by(width)
        .filter_map(|entry| {
            if extended {
                memory.read_value::<u64>(entry)
            } else {
                memory.read_value::<u32>(entry).map(u64::from)
            }
        })
        .find(|at| memory.read_value::<[u8; 4]>(*at) == Some(*signature))
}

/// The sleep type of `_S5_`, from the byte code of the DSDT at `dsdt`.
fn sleep_type(memory: &Untouched, dsdt: u64) -> Option<u16> {
    let length = u64::from(memory.read_value::<u32>(dsdt + 4)?).min(0x10_0000);
    let at = (dsdt + 36..dsdt + length)
        .find(|at| memory.read_value::<[u8; 4]>(*at) == Some(*b"_S5_"))?;
    let mut bytes = [0; 12];
    if !memory.read(at + 4, &mut bytes) {
        return None;
    }
    // A package: 0x12, its length (one byte here, the two top bits count further ones), the number
    // of elements, the first element.
    let skip = 1 + 1 + usize::from(bytes[1] >> 6) + 1;
    match (bytes[0], bytes.get(skip)?) {
        (0x12, 0x0a) => bytes.get(skip + 1).map(|value| (*value).into()),
        (0x12, value @ 0..=1) => Some((*value).into()),
        _ => None,
    }
}

/// Reads the tables, from the root pointer the loader gave or the one found by searching.
pub fn initialize(memory: &Untouched, rsdp: Option<u64>) -> Acpi {
    let acpi = rsdp.or_else(|| scan(memory)).and_then(|rsdp| {
        let extended = memory.read_value::<u8>(rsdp + 15)? >= 2;
        let root = if extended {
            memory.read_value::<u64>(rsdp + 24)?
        } else {
            u64::from(memory.read_value::<u32>(rsdp + 16)?)
        };
        let fixed = table(memory, root, b"FACP")?;
        let length = memory.read_value::<u32>(fixed + 4)?;
        let byte = |offset| memory.read_value::<u8>(fixed + offset);
        let word = |offset| memory.read_value::<u32>(fixed + offset);
        let io = |address: u32| u16::try_from(address).ok().filter(|port| *port != 0);
        // Bit 10 of the flags: a reset register. Address space 1: I/O ports.
        let has_reset = length >= 129 && word(112)? & 1 << 10 != 0 && byte(116)? == 1;
        Some(Acpi {
            timer: io(word(76)?),
            power_off: io(word(64)?)
                .zip(sleep_type(memory, word(40)?.into()))
                .map(|(port, kind)| (port, 1 << 13 | kind << 10)),
            reset: if has_reset {
                io(word(120)?).zip(byte(128))
            } else {
                None
            },
        })
    });
    let acpi = acpi.unwrap_or_else(|| {
        log::warn!("no usable ACPI tables: time by ticks, no power-off");
        Acpi::default()
    });
    *ACPI.lock() = Some(acpi);
    acpi
}

/// Switches the machine off. Returns if it cannot.
pub fn power_off() {
    if let Some((port, value)) = ACPI.lock().and_then(|acpi| acpi.power_off) {
        port::write16(port, value);
    }
}

/// Resets the machine. Returns if it cannot.
pub fn reset() {
    if let Some((port, value)) = ACPI.lock().and_then(|acpi| acpi.reset) {
        port::write8(port, value);
    }
    // The keyboard controller's reset line, on every PC.
    port::write8(0x64, 0xfe);
}
