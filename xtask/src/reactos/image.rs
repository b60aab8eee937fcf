// SPDX-License-Identifier: GPL-2.0-or-later
//! What a file is: the Session Manager, or something else under its name.
//!
//! On ReactOS' boot CD a file named `smss.exe` is the text-mode setup program (spec 1.6). The
//! Session Manager is told apart by what it must contain: a native PE32+ image with the name of the
//! port it creates, `\SmApiPort`, in UTF-16.

use formats::utf16_bytes;
use object::LittleEndian as LE;
use object::read::pe::{ImageNtHeaders, ImageOptionalHeader, PeFile64};
use std::fmt;

/// What a file named `smss.exe` turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The Session Manager.
    SessionManager,
    /// A native image that creates no SM port: text-mode setup.
    Setup,
    /// A 32-bit image; ours is for x86-64.
    OtherMachine,
    /// No native PE image at all.
    Other,
}

impl fmt::Display for Kind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::SessionManager => "the Session Manager",
            Self::Setup => "a native program without \\SmApiPort (text-mode setup): left alone",
            Self::OtherMachine => "an image for another machine than x86-64: left alone",
            Self::Other => "no native PE image: left alone",
        })
    }
}

/// Looks into a file.
pub fn kind(bytes: &[u8]) -> Kind {
    let Ok(image) = PeFile64::parse(bytes) else {
        let is_32_bit = object::read::pe::PeFile32::parse(bytes).is_ok();
        return if is_32_bit {
            Kind::OtherMachine
        } else {
            Kind::Other
        };
    };
    if image.nt_headers().optional_header().subsystem() != object::pe::IMAGE_SUBSYSTEM_NATIVE {
        return Kind::Other;
    }
    if image.nt_headers().file_header().machine.get(LE) != object::pe::IMAGE_FILE_MACHINE_AMD64 {
        return Kind::OtherMachine;
    }
    let port = utf16_bytes("\\SmApiPort");
    if bytes.windows(port.len()).any(|window| window == port) {
        Kind::SessionManager
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
pub fn machine_name(machine: u16) -> &'static str {
    match machine {
        object::pe::IMAGE_FILE_MACHINE_AMD64 => "amd64",
        object::pe::IMAGE_FILE_MACHINE_I386 => "i386",
        _ => "another machine",
    }
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

    #[test]
    fn the_hash_is_sha_256() {
        assert_eq!(short_hash(b"abc"), "ba7816bf8f01cfea");
    }
}
