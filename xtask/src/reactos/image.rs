// SPDX-License-Identifier: GPL-2.0-or-later
//! What a file is: the Session Manager, or something else under its name.
//!
//! On ReactOS' boot CD a file named `smss.exe` is the text-mode setup program (spec 1.6). The
//! Session Manager is told apart by what it must contain: a native PE image with the name of the
//! port it creates, `\SmApiPort`, in UTF-16.

use crate::arch::Arch;
use formats::utf16_bytes;
use object::LittleEndian as LE;
use object::read::pe::{ImageNtHeaders, ImageOptionalHeader, PeFile, PeFile32, PeFile64};
use std::fmt;

/// What a file named `smss.exe` turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The Session Manager, for this machine.
    SessionManager(Arch),
    /// A native image that creates no SM port: text-mode setup.
    Setup,
    /// An image for a machine that ours is not built for.
    OtherMachine,
    /// No native PE image at all.
    Other,
}

impl fmt::Display for Kind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::SessionManager(Arch::Amd64) => "the Session Manager of an amd64 system",
            Self::SessionManager(Arch::I386) => "the Session Manager of an i386 system",
            Self::Setup => "a native program without \\SmApiPort (text-mode setup): left alone",
            Self::OtherMachine => "an image for another machine than amd64 and i386: left alone",
            Self::Other => "no native PE image: left alone",
        })
    }
}

/// Looks into a file.
pub fn kind(bytes: &[u8]) -> Kind {
    match (PeFile64::parse(bytes), PeFile32::parse(bytes)) {
        (Ok(image), _) => kind_of(&image, bytes),
        (_, Ok(image)) => kind_of(&image, bytes),
        _ => Kind::Other,
    }
}

fn kind_of<Pe: ImageNtHeaders>(image: &PeFile<'_, Pe>, bytes: &[u8]) -> Kind {
    if image.nt_headers().optional_header().subsystem() != object::pe::IMAGE_SUBSYSTEM_NATIVE {
        return Kind::Other;
    }
    let Some(arch) = Arch::of(image.nt_headers().file_header().machine.get(LE)) else {
        return Kind::OtherMachine;
    };
    let port = utf16_bytes("\\SmApiPort");
    if bytes.windows(port.len()).any(|window| window == port) {
        Kind::SessionManager(arch)
    } else {
        Kind::Setup
    }
}

/// The machine that a PE image is for; none if it is no such image.
pub fn machine(bytes: &[u8]) -> Option<u16> {
    let header = u32::from_le_bytes(bytes.get(0x3C..0x40)?.try_into().ok()?) as usize;
    let header = bytes.get(header..)?.strip_prefix(b"PE\0\0")?;
    Some(u16::from_le_bytes(header.get(..2)?.try_into().ok()?))
}

/// A machine by the name that ReactOS has for it.
pub fn machine_name(machine: u16) -> String {
    Arch::of(machine).map_or_else(
        || format!("machine {machine:#06x}"),
        |arch| arch.to_string(),
    )
}

/// The first 16 hex digits of a file's SHA-256, enough to tell two files apart by eye.
pub fn short_hash(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(bytes)
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_image_are_left_alone() {
        assert_eq!(kind(b""), Kind::Other);
        assert_eq!(kind(b"MZ but nothing else"), Kind::Other);
    }

    /// The headers of a native PE32 image for this machine, and `tail` behind them.
    fn pe32(machine: u16, tail: &[u8]) -> Vec<u8> {
        let mut image = vec![0; 0x200];
        let mut put = |at: usize, bytes: &[u8]| image[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, b"MZ");
        put(0x3C, &[0x40]);
        put(0x40, b"PE\0\0");
        put(0x44, &machine.to_le_bytes());
        // Size and magic of the optional header, the subsystem, and no data directories.
        put(0x54, &[0xE0]);
        put(0x58, &[0x0B, 1]);
        put(0x58 + 68, &[1]);
        put(0x58 + 92, &[16]);
        image.extend(tail);
        image
    }

    #[test]
    fn a_session_manager_is_known_with_its_machine() {
        let port = utf16_bytes("\\SmApiPort");
        let kind = |machine: u16, tail: &[u8]| kind(&pe32(machine, tail));
        assert_eq!(kind(0x14C, &port), Kind::SessionManager(Arch::I386));
        assert_eq!(kind(0x14C, b"set-up"), Kind::Setup);
        // 32-bit ARM.
        assert_eq!(kind(0x1C4, &port), Kind::OtherMachine);
        assert_eq!(machine(&pe32(0x14C, b"")), Some(0x14C));
        assert_eq!(machine_name(0x14C), "i386");
        assert_eq!(machine_name(0xAA64), "machine 0xaa64");
    }

    #[test]
    fn the_hash_is_sha_256() {
        assert_eq!(short_hash(b"abc"), "ba7816bf8f01cfea");
    }
}
