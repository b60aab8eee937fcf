// SPDX-License-Identifier: GPL-2.0-or-later
//! What the processor is, by CPUID, in NT's terms.

use super::{clock, fast_call};
use alloc::format;
use alloc::string::String;
use core::arch::x86_64::__cpuid;
use executive::machine::{Architecture, Processor};
use spin::Once;

/// `PROCESSOR_ARCHITECTURE_INTEL` and `_AMD64`.
const INTEL: u16 = 0;
const AMD64: u16 = 9;

/// The processor, as programs of this kind see it; found out once.
pub fn identify(architecture: Architecture) -> Processor {
    static PROCESSOR: Once<Processor> = Once::new();
    PROCESSOR.call_once(|| read(architecture)).clone()
}

fn read(architecture: Architecture) -> Processor {
    let vendor = __cpuid(0);
    let vendor: String = [vendor.ebx, vendor.edx, vendor.ecx]
        .into_iter()
        .flat_map(u32::to_le_bytes)
        .map(char::from)
        .collect();
    let signature = __cpuid(1);
    let (base_family, base_model, stepping) = (
        signature.eax >> 8 & 15,
        signature.eax >> 4 & 15,
        signature.eax & 15,
    );
    let family = if base_family == 15 {
        base_family + (signature.eax >> 20 & 0xff)
    } else {
        base_family
    };
    let model = if matches!(base_family, 6 | 15) {
        base_model | (signature.eax >> 16 & 15) << 4
    } else {
        base_model
    };
    let (number, name) = match architecture {
        Architecture::I386 => (INTEL, "x86"),
        Architecture::Amd64 if vendor == "GenuineIntel" => (AMD64, "Intel64"),
        Architecture::Amd64 => (AMD64, "AMD64"),
    };
    Processor {
        count: 1,
        architecture: number,
        level: family as u16,
        revision: (model << 8 | stepping) as u16,
        features: features(architecture, signature.edx),
        identifier: format!("{name} Family {family} Model {model} Stepping {stepping}"),
        vendor,
        megahertz: megahertz(),
    }
}

/// `KF_` bits of NT, from the bits of CPUID leaf 1 EDX.
fn features(architecture: Architecture, edx: u32) -> u32 {
    // Time stamp counter, CR4, conditional move, global pages, large pages, range registers,
    // compare-exchange 8, MMX, attribute table, FXSAVE, SSE, SSE2.
    let bits = [
        (4, 1),
        (2, 2),
        (15, 3),
        (13, 4),
        (3, 5),
        (12, 6),
        (8, 7),
        (23, 8),
        (16, 10),
        (24, 11),
        (25, 13),
        (26, 16),
    ];
    let fast_system_call = match architecture {
        Architecture::I386 if !fast_call::is_there() => 0,
        _ => 1 << 12,
    };
    let no_execute = 1 << 29;
    bits.into_iter()
        .filter(|(bit, _)| edx >> bit & 1 != 0)
        .fold(fast_system_call | no_execute, |all, (_, feature)| {
            all | 1 << feature
        })
}

/// The rate of the time stamp counter in 1 ms, to a hundred: only shown (`~MHz`), nothing is timed
/// with it.
fn megahertz() -> u32 {
    // SAFETY: reads a counter.
    let counter = || unsafe { core::arch::x86_64::_rdtsc() };
    let (time, count) = (clock::uptime(), counter());
    let mut passed = 0;
    for _ in 0..100_000 {
        passed = clock::uptime() - time;
        if passed >= clock::SECOND / 1000 {
            break;
        }
    }
    let rate = (counter() - count) * 10 / passed.max(1);
    (rate.div_ceil(100) * 100) as u32
}
