// SPDX-License-Identifier: GPL-2.0-or-later
//! A program for the Windows subsystem without a window or a console: what shows that a real
//! kernel32.dll works.

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

/// x86-64 code, with gaps for what is known later.
struct Code {
    bytes: Vec<u8>,
    /// Where four bytes of distance are missing.
    gaps: Vec<usize>,
}

impl Code {
    fn add(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// An instruction that ends with the distance to an address.
    fn to(&mut self, opcode: &[u8]) {
        self.add(opcode);
        self.gaps.push(self.bytes.len());
        self.add(&[0; 4]);
    }
}

/// The program: opens the file `path`, a DOS path, reads four bytes of it, and ends with them as its
/// exit status; with 0xE0000000 if it has read nothing.
///
/// # Errors
/// None that is not a fault of this file.
pub fn reader(path: &str) -> Result<Vec<u8>> {
    let mut code = Code {
        bytes: Vec::new(),
        gaps: Vec::new(),
    };
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
    code.bytes
        .resize(code.bytes.len().next_multiple_of(2), 0xCC);
    let text = CODE as usize + code.bytes.len();
    code.add(&utf16_bytes(&format!("{path}\0")));

    // Where the imports' addresses lie does not depend on what the code is.
    let places = import_addresses(&image(&code.bytes))?;
    let [create, read, exit] = places[..] else {
        bail!("it has {} imports", places.len());
    };
    for (gap, place) in code
        .gaps
        .clone()
        .into_iter()
        .zip([text, create, read, exit])
    {
        let from = CODE as usize + gap + 4;
        let distance = i32::try_from(place as i64 - from as i64)?;
        code.bytes[gap..gap + 4].copy_from_slice(&distance.to_le_bytes());
    }
    Ok(image(&code.bytes))
}

fn image(code: &[u8]) -> Vec<u8> {
    ImageFile {
        name: "reader.exe",
        subsystem: ImageSubsystem::WINDOWS_GUI,
        code,
        imports: &IMPORTS,
        ..ImageFile::default()
    }
    .bytes()
}

fn import_addresses(image: &[u8]) -> Result<Vec<usize>> {
    let wrong = |error: pe::PeError| anyhow!("reader.exe: {error}");
    let file = pe::Image::parse(image, pe::MACHINE_AMD64).map_err(wrong)?;
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
        let image = reader("C:\\a.txt").unwrap();
        let places = import_addresses(&image).unwrap();
        let file = pe::Image::parse(&image, pe::MACHINE_AMD64).unwrap();
        let view = file.layout(&image);
        let code = &view[CODE as usize..];
        let called: Vec<usize> = code
            .windows(6)
            .enumerate()
            .filter(|(_, bytes)| bytes.starts_with(&[0xFF, 0x15]))
            .map(|(at, bytes)| {
                let distance = i32::from_le_bytes(bytes[2..6].try_into().unwrap());
                usize::try_from(i64::from(CODE) + at as i64 + 6 + i64::from(distance)).unwrap()
            })
            .collect();
        assert_eq!(called, places);
    }
}
