// SPDX-License-Identifier: GPL-2.0-or-later
//! A program for the Windows subsystem without a window or a console: what shows that a real
//! kernel32.dll works.

use crate::arch::Arch;
use anyhow::{Result, anyhow, bail};
use formats::pe::build::{CODE, ImageFile};
use formats::{pe, utf16_bytes};
use nt::system::ImageSubsystem;

/// What it imports, in the order of its calls.
const IMPORTS: [(&str, &str); 3] = [
    ("kernel32.dll", "CreateFileW"),
    ("kernel32.dll", "ReadFile"),
    ("kernel32.dll", "ExitProcess"),
];

/// Code, with gaps for what is known later.
struct Code {
    bytes: Vec<u8>,
    /// Where four bytes of distance are missing: to the path, then to the imports in the order of their
    /// calls.
    gaps: Vec<usize>,
}

impl Code {
    const fn new() -> Self {
        Self {
            bytes: Vec::new(),
            gaps: Vec::new(),
        }
    }

    fn add(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// An instruction that ends with the distance to an address.
    fn to(&mut self, opcode: &[u8]) {
        self.add(opcode);
        self.gaps.push(self.bytes.len());
        self.add(&[0; 4]);
    }

    fn amd64() -> Self {
        let mut code = Self::new();
        // sub rsp, 58h
        code.add(&[0x48, 0x83, 0xEC, 0x58]);
        // CreateFileW: lea rcx, path; edx = GENERIC_READ; r8d = FILE_SHARE_READ; r9d = 0;
        // [rsp+20h] = OPEN_EXISTING; [rsp+28h] = 0; [rsp+30h] = 0
        code.to(&[0x48, 0x8D, 0x0D]);
        code.add(&[0xBA, 0, 0, 0, 0x80]);
        code.add(&[0x41, 0xB8, 1, 0, 0, 0]);
        code.add(&[0x45, 0x31, 0xC9]);
        code.add(&[0x48, 0xC7, 0x44, 0x24, 0x20, 3, 0, 0, 0]);
        code.add(&[0x48, 0xC7, 0x44, 0x24, 0x28, 0, 0, 0, 0]);
        code.add(&[0x48, 0xC7, 0x44, 0x24, 0x30, 0, 0, 0, 0]);
        code.to(&[0xFF, 0x15]);
        // ReadFile: rcx = rax; rdx = rsp+40h, where the failure's status stands; r8d = 4; r9 = rsp+48h;
        // [rsp+20h] = 0
        code.add(&[0x48, 0x89, 0xC1]);
        code.add(&[0xC7, 0x44, 0x24, 0x40, 0, 0, 0, 0xE0]);
        code.add(&[0x48, 0x8D, 0x54, 0x24, 0x40]);
        code.add(&[0x41, 0xB8, 4, 0, 0, 0]);
        code.add(&[0x4C, 0x8D, 0x4C, 0x24, 0x48]);
        code.add(&[0x48, 0xC7, 0x44, 0x24, 0x20, 0, 0, 0, 0]);
        code.to(&[0xFF, 0x15]);
        // ExitProcess: ecx = [rsp+40h]; int3
        code.add(&[0x8B, 0x4C, 0x24, 0x40]);
        code.to(&[0xFF, 0x15]);
        code.add(&[0xCC]);
        code
    }

    fn i386() -> Self {
        let mut code = Self::new();
        // call $+5; pop ebx
        code.add(&[0xE8, 0, 0, 0, 0, 0x5B]);
        // CreateFileW: 0, 0, OPEN_EXISTING, 0, FILE_SHARE_READ, GENERIC_READ; lea eax, path
        code.add(&[0x6A, 0, 0x6A, 0, 0x6A, 3, 0x6A, 0, 0x6A, 1]);
        code.add(&[0x68, 0, 0, 0, 0x80]);
        code.to(&[0x8D, 0x83]);
        code.add(&[0x50]);
        code.to(&[0xFF, 0x93]);
        // ReadFile: ecx to the failure's status, pushed; edx to a count, pushed; 0, edx, 4, ecx, eax
        code.add(&[0x68, 0, 0, 0, 0xE0, 0x89, 0xE1]);
        code.add(&[0x6A, 0, 0x89, 0xE2]);
        code.add(&[0x6A, 0, 0x52, 0x6A, 4, 0x51, 0x50]);
        code.to(&[0xFF, 0x93]);
        // ExitProcess: [esp+4]; int3
        code.add(&[0xFF, 0x74, 0x24, 4]);
        code.to(&[0xFF, 0x93]);
        code.add(&[0xCC]);
        code
    }
}

/// From where a distance counts: on x86-64 from behind it, on i386 from what EBX holds.
const fn origin(arch: Arch, gap: usize) -> usize {
    match arch {
        Arch::Amd64 => CODE as usize + gap + 4,
        Arch::I386 => CODE as usize + 5,
    }
}

/// The program: opens the file `path`, a DOS path, reads four bytes of it, and ends with them as its
/// exit status; with 0xE0000000 if it has read nothing.
///
/// # Errors
/// None that is not a fault of this file.
pub fn reader(arch: Arch, path: &str) -> Result<Vec<u8>> {
    let mut code = match arch {
        Arch::Amd64 => Code::amd64(),
        Arch::I386 => Code::i386(),
    };
    code.bytes
        .resize(code.bytes.len().next_multiple_of(2), 0xCC);
    let text = CODE as usize + code.bytes.len();
    code.add(&utf16_bytes(&format!("{path}\0")));

    // Where the imports' addresses lie does not depend on what the code is.
    let places = import_addresses(arch, &image(arch, &code.bytes))?;
    let [create, read, exit] = places[..] else {
        bail!("it has {} imports", places.len());
    };
    for (gap, place) in code.gaps.into_iter().zip([text, create, read, exit]) {
        let distance = i32::try_from(place as i64 - origin(arch, gap) as i64)?;
        code.bytes[gap..gap + 4].copy_from_slice(&distance.to_le_bytes());
    }
    Ok(image(arch, &code.bytes))
}

fn image(arch: Arch, code: &[u8]) -> Vec<u8> {
    ImageFile {
        name: "reader.exe",
        subsystem: ImageSubsystem::WINDOWS_GUI,
        i386: arch == Arch::I386,
        code,
        imports: &IMPORTS,
        ..ImageFile::default()
    }
    .bytes()
}

fn import_addresses(arch: Arch, image: &[u8]) -> Result<Vec<usize>> {
    let wrong = |error: pe::PeError| anyhow!("reader.exe: {error}");
    let file = pe::Image::parse(image, arch.machine()).map_err(wrong)?;
    let view = file.layout(image);
    pe::imports(view.as_slice(), &file.headers)
        .map(|import| Ok(import.map_err(wrong)?.addresses))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_goes_through_the_address_of_its_import() {
        for (arch, call) in [(Arch::Amd64, [0xFF, 0x15]), (Arch::I386, [0xFF, 0x93])] {
            let image = reader(arch, "C:\\a.txt").unwrap();
            let places = import_addresses(arch, &image).unwrap();
            let file = pe::Image::parse(&image, arch.machine()).unwrap();
            let view = file.layout(&image);
            let code = &view[CODE as usize..];
            let called: Vec<usize> = code
                .windows(6)
                .enumerate()
                .filter(|(_, bytes)| bytes.starts_with(&call))
                .map(|(at, bytes)| {
                    let distance = i32::from_le_bytes(bytes[2..6].try_into().unwrap());
                    usize::try_from(origin(arch, at + 2) as i64 + i64::from(distance)).unwrap()
                })
                .collect();
            assert_eq!(called, places, "{arch}");
        }
    }
}
