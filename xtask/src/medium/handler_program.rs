// SPDX-License-Identifier: GPL-2.0-or-later
//! A native program for i386 that handles a breakpoint and a fault by its frames: what shows that the
//! handlers at FS:0 are asked from the inside out, and that the inner frames are given up.

use anyhow::{Result, anyhow, bail};
use formats::pe;
use formats::pe::build::{CODE, ImageFile};
use nt::system::ImageSubsystem;

const IMPORTS: [(&str, &str); 2] = [
    ("ntdll.dll", "RtlUnwind"),
    ("ntdll.dll", "NtTerminateProcess"),
];

/// The exit status of a program whose inner frame was given up once, and whose outer one is the first again.
pub const HANDLED: u32 = 0x0F0F_0001;

/// Code in pieces, with gaps for where something is, counted from what EBX holds: an address inside the
/// code.
struct Code {
    bytes: Vec<u8>,
    /// Where a distance is missing, and to what.
    gaps: Vec<(usize, Place)>,
    /// Where each piece begins.
    pieces: Vec<usize>,
}

/// What a distance leads to.
#[derive(Clone, Copy)]
enum Place {
    Piece(usize),
    Import(usize),
}

/// Where EBX points to: behind the first call.
const ANCHOR: usize = CODE as usize + 5;

impl Code {
    fn piece(&mut self) {
        self.pieces.push(self.bytes.len());
    }

    fn add(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    fn to(&mut self, opcode: &[u8], place: Place) {
        self.add(opcode);
        self.gaps.push((self.bytes.len(), place));
        self.add(&[0; 4]);
    }

    fn written() -> Self {
        let mut code = Self {
            bytes: Vec::new(),
            gaps: Vec::new(),
            pieces: Vec::new(),
        };
        code.piece();
        // call $+5; pop ebx
        code.add(&[0xE8, 0, 0, 0, 0, 0x5B]);
        // The outer frame: push its handler, push fs:[0], mov fs:[0], esp
        code.to(&[0x8D, 0x83], Place::Piece(2));
        code.add(&[
            0x50, 0x64, 0xFF, 0x35, 0, 0, 0, 0, 0x64, 0x89, 0x25, 0, 0, 0, 0,
        ]);
        // The inner one, with a count behind it.
        code.add(&[0x6A, 0]);
        code.to(&[0x8D, 0x83], Place::Piece(3));
        code.add(&[
            0x50, 0x64, 0xFF, 0x35, 0, 0, 0, 0, 0x64, 0x89, 0x25, 0, 0, 0, 0,
        ]);
        // int3; xor eax, eax; mov [eax], eax
        code.add(&[0xCC, 0x31, 0xC0, 0x89, 0]);
        // Nobody comes here: ud2
        code.add(&[0x0F, 0x0B]);

        // Where it goes on: ESP is the inner frame. eax = its count; ecx = what FS:[0] is above it, which is
        // 12 for the outer frame; eax += 0x0F0F0000 + ecx - 12
        code.piece();
        code.add(&[0x8B, 0x44, 0x24, 8]);
        code.add(&[0x64, 0x8B, 0x0D, 0, 0, 0, 0, 0x29, 0xE1]);
        code.add(&[0x8D, 0x84, 0x08, 0xF4, 0xFF, 0x0E, 0x0F]);
        // NtTerminateProcess(-1, eax)
        code.add(&[0x50, 0x6A, 0xFF]);
        code.to(&[0xFF, 0x93], Place::Import(1));
        code.add(&[0x0F, 0x0B]);

        // The outer handler: [esp+4] record, [esp+8] frame, [esp+12] context. One that is given up itself
        // says so: mov eax, [esp+4]; test dword [eax+4], 6; jz over; mov eax, 1; ret
        code.piece();
        code.add(&[0x8B, 0x44, 0x24, 4, 0xF7, 0x40, 4, 6, 0, 0, 0, 0x74, 6]);
        code.add(&[0xB8, 1, 0, 0, 0, 0xC3]);
        // RtlUnwind(frame, 0, record, 0), with EBX as it is in the context
        code.add(&[0x8B, 0x4C, 0x24, 12, 0x8B, 0x99, 0xA4, 0, 0, 0]);
        code.add(&[0x6A, 0, 0x50, 0x6A, 0, 0xFF, 0x74, 0x24, 0x14]);
        code.to(&[0xFF, 0x93], Place::Import(0));
        // Into the function's body, as a compiler's handlers do: esp = frame - 12; jmp
        code.add(&[0x8B, 0x44, 0x24, 8, 0x8D, 0x60, 0xF4]);
        code.to(&[0x8D, 0x8B], Place::Piece(1));
        code.add(&[0xFF, 0xE1]);

        // The inner handler lets the program go on behind a breakpoint: mov eax, [esp+4]; test dword
        // [eax+4], 6; jnz unwinding; cmp dword [eax], 80000003h; jne decline; mov ecx, [esp+12];
        // inc dword [ecx+0B8h]; xor eax, eax; ret
        code.piece();
        code.add(&[0x8B, 0x44, 0x24, 4, 0xF7, 0x40, 4, 6, 0, 0, 0, 0x75, 0x15]);
        code.add(&[0x81, 0x38, 3, 0, 0, 0x80, 0x75, 0x14]);
        code.add(&[
            0x8B, 0x4C, 0x24, 12, 0xFF, 0x81, 0xB8, 0, 0, 0, 0x31, 0xC0, 0xC3,
        ]);
        // It counts that it is given up: unwinding: mov ecx, [esp+8]; inc dword [ecx+8]; decline:
        // mov eax, 1; ret
        code.add(&[0x8B, 0x4C, 0x24, 8, 0xFF, 0x41, 8]);
        code.add(&[0xB8, 1, 0, 0, 0, 0xC3]);
        code
    }
}

/// The program: two frames, a breakpoint, a fault, and the exit status [`HANDLED`] if all went as it must.
///
/// # Errors
/// None that is not a fault of this file.
pub fn bytes() -> Result<Vec<u8>> {
    let mut code = Code::written();
    // Where the imports' addresses lie does not depend on what the code is.
    let imports = import_addresses(&image(&code.bytes))?;
    if imports.len() != IMPORTS.len() {
        bail!("it has {} imports", imports.len());
    }
    for (gap, place) in code.gaps {
        let to = match place {
            Place::Piece(number) => CODE as usize + code.pieces[number],
            Place::Import(number) => imports[number],
        };
        let distance = i32::try_from(to as i64 - ANCHOR as i64)?;
        code.bytes[gap..gap + 4].copy_from_slice(&distance.to_le_bytes());
    }
    Ok(image(&code.bytes))
}

fn image(code: &[u8]) -> Vec<u8> {
    ImageFile {
        name: "frames.exe",
        subsystem: ImageSubsystem::NATIVE,
        i386: true,
        code,
        imports: &IMPORTS,
        ..ImageFile::default()
    }
    .bytes()
}

fn import_addresses(image: &[u8]) -> Result<Vec<usize>> {
    let wrong = |error: pe::PeError| anyhow!("frames.exe: {error}");
    let file = pe::Image::parse(image, pe::MACHINE_I386).map_err(wrong)?;
    let view = file.layout(image);
    pe::imports(view.as_slice(), &file.headers)
        .map(|import| Ok(import.map_err(wrong)?.addresses))
        .collect()
}
