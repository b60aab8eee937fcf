// SPDX-License-Identifier: GPL-2.0-or-later
//! Changes to finished PE images: subsystem, base, checksum.
//!
//! The programs of the shim are one image under many names. A session manager judges a program by
//! the subsystem in its header, and an address in a log or at a breakpoint should belong to one
//! image only, whichever process it was seen in: so every copy gets the subsystem of its program
//! and a base of its own. Nothing else differs, so that one debug file serves all copies: its
//! reader takes the distance between the bases into account, as for any relocated image.

use anyhow::{Context, Result, bail};
use object::pe;
use object::read::pe::{ImageNtHeaders, ImageOptionalHeader, PeFile, PeFile32, PeFile64};

/// Where fields are behind the PE signature, bytes.
const IMAGE_BASE: usize = 24 + 24;
const CHECKSUM: usize = 24 + 64;
const SUBSYSTEM: usize = 24 + 68;

/// Where a field of the headers is in the file.
fn field(image: &[u8], offset: usize) -> Result<usize> {
    let lfanew = image.get(0x3C..0x40).context("shorter than a DOS header")?;
    Ok(u32::from_le_bytes(lfanew.try_into()?) as usize + offset)
}

fn put(image: &mut [u8], at: usize, bytes: &[u8]) -> Result<()> {
    image
        .get_mut(at..at + bytes.len())
        .context("a field lies outside the file")?
        .copy_from_slice(bytes);
    Ok(())
}

/// The subsystem that an image says.
pub fn subsystem(image: &[u8]) -> Result<u16> {
    let at = field(image, SUBSYSTEM)?;
    let bytes = image
        .get(at..at + 2)
        .context("a field lies outside the file")?;
    Ok(u16::from_le_bytes(bytes.try_into()?))
}

/// Makes a copy of `image` for another subsystem at another base, relocated as a loader would do
/// it. The checksum is right afterwards.
pub fn copy_for(image: &[u8], subsystem: u16, base: u64) -> Result<Vec<u8>> {
    let mut copy = match PeFile64::parse(image) {
        Ok(file) => moved(image, &file, base)?,
        Err(_) => moved(image, &PeFile32::parse(image)?, base)?,
    };
    put(
        &mut copy,
        field(image, SUBSYSTEM)?,
        &subsystem.to_le_bytes(),
    )?;
    set_checksum(&mut copy)?;
    Ok(copy)
}

/// A copy of `image` at another base.
fn moved<Pe: ImageNtHeaders>(image: &[u8], file: &PeFile<'_, Pe>, base: u64) -> Result<Vec<u8>> {
    let wide = file.nt_headers().is_type_64();
    let (word, kind) = if wide {
        (size_of::<u64>(), pe::IMAGE_REL_BASED_DIR64)
    } else {
        (size_of::<u32>(), pe::IMAGE_REL_BASED_HIGHLOW)
    };
    let mut copy = image.to_vec();
    let distance = base.wrapping_sub(file.nt_headers().optional_header().image_base());
    let sections = file.section_table();
    let mut blocks = file
        .data_directories()
        .relocation_blocks(image, &sections)?
        .context("the image has no relocations")?;
    while let Some(block) = blocks.next()? {
        for relocation in block {
            if relocation.typ == pe::IMAGE_REL_BASED_ABSOLUTE {
                continue;
            }
            if relocation.typ != kind {
                bail!("a relocation has type {}", relocation.typ);
            }
            let (at, _) = sections
                .pe_file_range_at(relocation.virtual_address)
                .context("a relocation lies in no section")?;
            let at = at as usize;
            let bytes = image
                .get(at..at + word)
                .context("it lies outside the file")?;
            let mut address = [0; size_of::<u64>()];
            address[..word].copy_from_slice(bytes);
            let address = u64::from_le_bytes(address).wrapping_add(distance);
            put(&mut copy, at, &address.to_le_bytes()[..word])?;
        }
    }
    // PE32 has the base of its data in front.
    let at = field(image, IMAGE_BASE)? + size_of::<u64>() - word;
    put(&mut copy, at, &base.to_le_bytes()[..word])?;
    Ok(copy)
}

/// Writes the PE CheckSum: the 16-bit one's complement sum of the file without the field itself,
/// plus the file's length.
pub fn set_checksum(image: &mut [u8]) -> Result<()> {
    let at = field(image, CHECKSUM)?;
    put(image, at, &[0; 4])?;
    let mut sum = image.chunks(2).fold(0u64, |sum, pair| {
        let sum = sum + u64::from(pair[0]) + (u64::from(pair.get(1).copied().unwrap_or(0)) << 8);
        (sum & 0xFFFF) + (sum >> 16)
    });
    sum = (sum & 0xFFFF) + (sum >> 16);
    let checksum = u32::try_from(sum + image.len() as u64)?;
    put(image, at, &checksum.to_le_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use object::LittleEndian as LE;

    /// One section at 0x1000 (offset 0x200) with a word that points into the image, and its
    /// relocation block behind it.
    fn image() -> Vec<u8> {
        let mut image = vec![0; 0x400];
        let mut put = |at: usize, bytes: &[u8]| image[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, b"MZ");
        put(0x3C, &0x40u32.to_le_bytes());
        put(0x40, b"PE\0\0\x64\x86\x01\0");
        put(0x40 + 20, &[0xF0, 0]);
        put(0x58, &[0x0B, 2]);
        put(0x58 + 24, &0x1_4000_0000u64.to_le_bytes());
        put(0x58 + 32, &0x1000u32.to_le_bytes());
        put(0x58 + 36, &0x200u32.to_le_bytes());
        put(0x58 + 56, &0x2000u32.to_le_bytes());
        put(0x58 + 60, &0x200u32.to_le_bytes());
        put(0x58 + 108, &16u32.to_le_bytes());
        // Directory 5: base relocations.
        put(0x58 + 112 + 40, &0x1100u32.to_le_bytes());
        put(0x58 + 112 + 44, &12u32.to_le_bytes());
        let section = 0x58 + 0xF0;
        put(section, b".data");
        put(section + 8, &0x200u32.to_le_bytes());
        put(section + 12, &0x1000u32.to_le_bytes());
        put(section + 16, &0x200u32.to_le_bytes());
        put(section + 20, &0x200u32.to_le_bytes());
        put(0x210, &0x1_4000_1234u64.to_le_bytes());
        put(0x300, &0x1000u32.to_le_bytes());
        put(0x304, &12u32.to_le_bytes());
        put(0x308, &[0x10, 0xA0, 0, 0]);
        image
    }

    #[test]
    fn a_copy_is_relocated_and_says_its_subsystem() {
        let copy = copy_for(&image(), 3, 0x1_5000_0000).expect("a sound image");
        let file = PeFile64::parse(&*copy).expect("a sound copy");
        let header = file.nt_headers().optional_header();
        assert_eq!(
            (header.image_base(), header.subsystem.get(LE)),
            (0x1_5000_0000, 3)
        );
        assert_eq!(copy[0x210..0x218], 0x1_5000_1234u64.to_le_bytes());
        // The bytes' sum is the checksum's own: computing it again changes nothing.
        let mut again = copy.clone();
        set_checksum(&mut again).expect("a sound copy");
        assert_eq!(again, copy);
        assert_ne!(header.check_sum.get(LE), 0);
    }

    #[test]
    fn an_image_for_i386_is_moved_by_words_of_four_bytes() {
        let pointer = formats::pe::build::CODE;
        let image = formats::pe::build::ImageFile {
            i386: true,
            pointers: &[pointer],
            ..Default::default()
        };
        let copy = copy_for(&image.bytes(), 2, 0x1100_0000).expect("a sound image");
        let file = PeFile32::parse(&*copy).expect("a sound copy");
        let header = file.nt_headers().optional_header();
        assert_eq!((header.image_base(), header.subsystem()), (0x1100_0000, 2));
        let (at, _) = file
            .section_table()
            .pe_file_range_at(formats::pe::build::DATA)
            .expect("a section");
        let word = &copy[at as usize..at as usize + 8];
        let wanted = [(0x1100_0000 + pointer).to_le_bytes(), [0; 4]].concat();
        assert_eq!(word, wanted);
        assert_eq!(subsystem(&copy).expect("a header"), 2);
    }

    #[test]
    fn an_image_without_relocations_is_refused() {
        let mut image = image();
        image[0x58 + 112 + 40..0x58 + 112 + 48].fill(0);
        assert!(copy_for(&image, 1, 0x1_5000_0000).is_err());
        assert!(copy_for(b"MZ", 1, 0).is_err());
    }
}
