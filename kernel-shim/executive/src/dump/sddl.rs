// SPDX-License-Identifier: GPL-2.0-or-later
//! A security descriptor in the notation of SDDL: owner, group and DACL, SIDs by their two letters
//! where they have some.

use alloc::format;
use alloc::string::{String, ToString};
use core::fmt::Write;

/// The text of a self-relative security descriptor; `None` if the bytes are none.
pub fn descriptor(bytes: &[u8]) -> Option<String> {
    let control = u16::from_le_bytes(bytes.get(2..4)?.try_into().ok()?);
    if *bytes.first()? != 1 || control & 0x8000 == 0 {
        return None;
    }
    let mut text = String::new();
    for (letter, field) in [("O:", 4), ("G:", 8)] {
        let offset = u32_at(bytes, field)?;
        if offset != 0 {
            text += letter;
            text += &sid(bytes.get(offset as usize..)?)?;
        }
    }
    if control & 0x0004 != 0 {
        text += "D:";
        text += &dacl(bytes, control)?;
    }
    Some(text)
}

/// The text of a SID, and `None` if the bytes are none.
pub fn sid(bytes: &[u8]) -> Option<String> {
    let count = usize::from(*bytes.get(1)?);
    let authority = bytes
        .get(2..8)?
        .iter()
        .fold(0_u64, |value, &byte| value << 8 | u64::from(byte));
    let subs = bytes.get(8..)?.get(..count * 4)?;
    let mut text = format!("S-{}-{authority}", bytes.first()?);
    for sub in subs.chunks_exact(4) {
        // A String never refuses.
        let _ = write!(text, "-{}", u32::from_le_bytes(sub.try_into().ok()?));
    }
    let short = match text.as_str() {
        "S-1-1-0" => "WD",
        "S-1-3-0" => "CO",
        "S-1-5-11" => "AU",
        "S-1-5-12" => "RC",
        "S-1-5-18" => "SY",
        "S-1-5-32-544" => "BA",
        "S-1-5-32-545" => "BU",
        _ => return Some(text),
    };
    Some(short.to_string())
}

fn dacl(bytes: &[u8], control: u16) -> Option<String> {
    let offset = u32_at(bytes, 16)? as usize;
    if offset == 0 {
        return Some("NO_ACCESS_CONTROL".to_string());
    }
    let mut text = String::new();
    if control & 0x1000 != 0 {
        text.push('P');
    }
    if control & 0x0400 != 0 {
        text += "AI";
    }
    let acl = bytes.get(offset..)?;
    let count = u16::from_le_bytes(acl.get(4..6)?.try_into().ok()?);
    let mut aces = acl.get(8..)?;
    for _ in 0..count {
        let size = usize::from(u16::from_le_bytes(aces.get(2..4)?.try_into().ok()?));
        let ace = aces.get(..size)?;
        text += &entry(ace)?;
        aces = aces.get(size.max(4)..)?;
    }
    Some(text)
}

fn entry(ace: &[u8]) -> Option<String> {
    let kind = match ace.first()? {
        0 => "A".to_string(),
        1 => "D".to_string(),
        2 => "AU".to_string(),
        other => format!("{other:#x}"),
    };
    let flags = *ace.get(1)?;
    let mut inheritance = String::new();
    for (bit, letters) in [(1, "OI"), (2, "CI"), (4, "NP"), (8, "IO"), (0x10, "ID")] {
        if flags & bit != 0 {
            inheritance += letters;
        }
    }
    Some(format!(
        "({kind};{inheritance};{};;;{})",
        rights(u32_at(ace, 4)?),
        sid(ace.get(8..)?)?
    ))
}

fn rights(mask: u32) -> String {
    let mut text = String::new();
    let mut rest = mask;
    for (bit, letters) in [
        (0x1000_0000, "GA"),
        (0x8000_0000, "GR"),
        (0x4000_0000, "GW"),
        (0x2000_0000, "GX"),
    ] {
        if mask & bit != 0 {
            text += letters;
            rest &= !bit;
        }
    }
    if rest == 0 && mask != 0 {
        text
    } else {
        format!("{mask:#x}")
    }
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(
        bytes.get(at..)?.get(..4)?.try_into().ok()?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use nt::security::{Ace, Descriptor, Sid};

    #[test]
    fn spec_0_1_a_dacl_prints_with_its_letters() {
        const LIBERAL: Descriptor = Descriptor::with_dacl(&[
            Ace::allow(0xA000_0000, Sid::WORLD),
            Ace::allow(0x001F_0001, Sid::ADMINISTRATORS),
            Ace::inherit(0x1000_0000, Sid::CREATOR_OWNER),
        ]);
        let text = descriptor(LIBERAL.as_bytes());
        assert_eq!(
            text.as_deref(),
            Some("D:(A;;GRGX;;;WD)(A;;0x1f0001;;;BA)(A;OICIIO;GA;;;CO)")
        );
    }

    #[test]
    fn a_null_dacl_and_an_empty_one_are_not_the_same() {
        assert_eq!(
            descriptor(Descriptor::with_null_dacl().as_bytes()).as_deref(),
            Some("D:NO_ACCESS_CONTROL")
        );
        assert_eq!(
            descriptor(Descriptor::with_dacl(&[]).as_bytes()).as_deref(),
            Some("D:")
        );
    }

    #[test]
    fn every_truncation_of_a_descriptor_is_refused_and_none_is_a_panic() {
        const SOME: Descriptor = Descriptor::with_dacl(&[
            Ace::allow(1, Sid::LOCAL_SYSTEM),
            Ace::allow(2, Sid::ADMINISTRATORS),
        ]);
        let whole = SOME.as_bytes();
        for length in 0..whole.len() {
            assert_eq!(descriptor(&whole[..length]), None, "{length}");
        }
    }
}
