// SPDX-License-Identifier: GPL-2.0-or-later
//! Images: a good one made here, its views, and every way in which it can be bad.

use super::pe::*;
use alloc::vec;
use alloc::vec::Vec;
use nt::Status;
use proptest::prelude::*;

const PE: usize = 0x80;
const OPTIONAL: usize = PE + 24;
const SECTIONS: usize = OPTIONAL + 240;

fn put(file: &mut [u8], at: usize, bytes: &[u8]) {
    file[at..at + bytes.len()].copy_from_slice(bytes);
}

fn put32(file: &mut [u8], at: usize, value: u32) {
    put(file, at, &value.to_le_bytes());
}

/// A DLL with code at 0x1000 and data at 0x2000 that holds exports, imports, one pointer and its
/// relocation.
pub(crate) fn sample() -> Vec<u8> {
    let mut file = vec![0; 0xA00];
    put(&mut file, 0, b"MZ");
    put32(&mut file, 60, PE as u32);
    put(&mut file, PE, b"PE\0\0\x64\x86\x02\0");
    put(&mut file, PE + 20, &[240, 0, 0x22, 0x20]);
    put(&mut file, OPTIONAL, &[0x0B, 0x02]);
    for (at, value) in [
        (16, 0x1010),
        (28, 1),
        (32, 0x1000),
        (36, 0x200),
        (56, 0x3000),
        (60, 0x400),
        (72, 0x10_0000),
        (80, 0x1000),
    ] {
        put32(&mut file, OPTIONAL + at, value);
    }
    put32(&mut file, OPTIONAL + 24, 0x4000_0000);
    put(&mut file, OPTIONAL + 48, &[5, 0, 2, 0]);
    put(&mut file, OPTIONAL + 68, &[1, 0, 0x40, 1]);
    put32(&mut file, OPTIONAL + 108, 16);
    for (index, rva, size) in [
        (EXPORT, 0x2000, 0x80),
        (IMPORT, 0x2100, 40),
        (RELOCATIONS, 0x2200, 12),
    ] {
        put32(&mut file, OPTIONAL + 112 + 8 * index, rva);
        put32(&mut file, OPTIONAL + 112 + 8 * index + 4, size);
    }
    for (index, name, rva, raw, flags) in [
        (0, b".text\0\0\0", 0x1000, 0x400, 0x6000_0020),
        (1, b".data\0\0\0", 0x2000, 0x600, 0xC000_0040),
    ] {
        let at = SECTIONS + 40 * index;
        put(&mut file, at, name);
        for (offset, value) in [
            (8, 0x800),
            (12, rva),
            (16, 0x200 + 0x200 * index as u32),
            (20, raw),
            (36, flags),
        ] {
            put32(&mut file, at + offset, value);
        }
    }
    file[0x400] = 0xC3;
    // Exports: one function and one forwarder.
    for (at, value) in [
        (0x14, 2),
        (0x18, 2),
        (0x1C, 0x2028),
        (0x20, 0x2030),
        (0x24, 0x2038),
        (0x28, 0x1010),
        (0x2C, 0x2060),
        (0x30, 0x2040),
        (0x34, 0x2048),
    ] {
        put32(&mut file, 0x600 + at, value);
    }
    put(&mut file, 0x638, &[0, 0, 1, 0]);
    put(&mut file, 0x640, b"Alpha\0");
    put(&mut file, 0x648, b"Beta\0");
    put(&mut file, 0x660, b"OTHER.Beta\0");
    // Imports: one by name, one by ordinal, from ntdll.dll.
    for (at, value) in [
        (0, 0x2140),
        (12, 0x2180),
        (16, 0x2160),
        (0x40, 0x2190),
        (0x48, 7),
        (0x4C, 0x8000_0000),
    ] {
        put32(&mut file, 0x700 + at, value);
    }
    put(&mut file, 0x780, b"ntdll.dll\0");
    put(&mut file, 0x792, b"NtClose\0");
    // The pointer at 0x2300 and the relocation that moves it.
    put(&mut file, 0x900, &0x4000_1010u64.to_le_bytes());
    put32(&mut file, 0x800, 0x2000);
    put32(&mut file, 0x804, 12);
    put(&mut file, 0x808, &[0, 0xA3, 0, 0]);
    file
}

#[test]
fn a_good_image_gives_its_section_information() {
    let image = Image::parse(&sample()).unwrap();
    let information = image.information();
    assert_eq!(information.transfer_address, 0x1_4000_1010);
    assert_eq!(
        (
            information.maximum_stack_size,
            information.committed_stack_size
        ),
        (0x10_0000, 0x1000)
    );
    assert_eq!(
        (
            information.subsystem.0,
            information.major_version,
            information.minor_version
        ),
        (1, 5, 2)
    );
    assert_eq!(
        (
            information.image_characteristics,
            information.dll_characteristics
        ),
        (0x2022, 0x140)
    );
    assert_eq!(
        (
            information.machine,
            information.image_contains_code,
            information.image_file_size
        ),
        (0x8664, 1, 0xA00)
    );
}

#[test]
fn the_view_is_laid_out_by_the_section_headers() {
    let file = sample();
    let image = Image::parse(&file).unwrap();
    let view = image.layout(&file);
    assert_eq!(view.len(), 0x3000);
    assert_eq!(
        (&view[..2], view[0x1000], &view[0x2040..0x2045]),
        (b"MZ".as_slice(), 0xC3, b"Alpha".as_slice())
    );
    assert!(view[0x1200..0x2000].iter().all(|&byte| byte == 0));
    assert_eq!(
        image.page_characteristics(0x1000) & SCN_EXECUTE,
        SCN_EXECUTE
    );
    assert_eq!(
        image.page_characteristics(0x2000) & (SCN_EXECUTE | SCN_WRITE),
        SCN_WRITE
    );
    assert_eq!(image.page_characteristics(0), SCN_READ);
}

#[test]
fn exports_imports_and_relocations() {
    let file = sample();
    let image = Image::parse(&file).unwrap();
    let mut view = image.layout(&file);
    assert_eq!(image.export(&view, b"Alpha"), Some(0x1010));
    assert_eq!(image.export(&view, b"Beta"), None, "it is a forwarder");
    assert_eq!(image.export(&view, b"Gamma"), None);
    let imports = image.imports(&view).unwrap();
    let symbols = vec![
        (Symbol::Name(b"NtClose".to_vec()), 0x2160),
        (Symbol::Ordinal(7), 0x2168),
    ];
    assert_eq!(
        imports,
        [Import {
            module: b"ntdll.dll".to_vec(),
            symbols
        }]
    );
    image.relocate(&mut view, 0x10_0000).unwrap();
    assert_eq!(view[0x2300..0x2308], 0x4010_1010u64.to_le_bytes());
}

#[test]
fn every_bad_header_has_its_status() {
    let cases: &[(usize, &[u8], Status)] = &[
        (0, b"ZM", Status::INVALID_IMAGE_NOT_MZ),
        (60, &[0xFF, 0xFF, 0xFF, 0x7F], Status::INVALID_IMAGE_PROTECT),
        (PE, b"NE\0\0", Status::INVALID_IMAGE_WIN_16),
        (PE, b"LE\0\0", Status::INVALID_IMAGE_LE_FORMAT),
        (PE, b"XX\0\0", Status::INVALID_IMAGE_PROTECT),
        (PE + 4, &[0x4C, 0x01], Status::INVALID_IMAGE_FORMAT),
        (PE + 6, &[0xFF, 0xFF], Status::INVALID_IMAGE_FORMAT),
        (PE + 20, &[8, 0], Status::INVALID_IMAGE_FORMAT),
        (PE + 22, &[0, 0], Status::INVALID_IMAGE_FORMAT),
        (OPTIONAL, &[0x0B, 0x01], Status::INVALID_IMAGE_FORMAT),
        (
            OPTIONAL + 16,
            &[0, 0, 0, 0x70],
            Status::INVALID_IMAGE_FORMAT,
        ),
        (OPTIONAL + 24, &[1], Status::INVALID_IMAGE_FORMAT),
        (OPTIONAL + 32, &[0x20, 0], Status::INVALID_IMAGE_FORMAT),
        (OPTIONAL + 36, &[3, 0], Status::INVALID_IMAGE_FORMAT),
        (OPTIONAL + 56, &[0; 4], Status::INVALID_IMAGE_FORMAT),
        (OPTIONAL + 60, &[0xFF; 4], Status::INVALID_IMAGE_FORMAT),
        (SECTIONS + 12, &[0; 4], Status::INVALID_IMAGE_FORMAT),
        (SECTIONS + 8, &[0xFF; 4], Status::INVALID_IMAGE_FORMAT),
        (SECTIONS + 16, &[0xFF; 4], Status::INVALID_IMAGE_FORMAT),
        (
            SECTIONS + 52,
            &[0, 0x10, 0, 0],
            Status::INVALID_IMAGE_FORMAT,
        ),
    ];
    for (at, bytes, status) in cases {
        let mut file = sample();
        put(&mut file, *at, bytes);
        assert_eq!(
            Image::parse(&file).unwrap_err().status,
            *status,
            "at {at:#x}"
        );
    }
    assert_eq!(
        Image::parse(&[]).unwrap_err().status,
        Status::INVALID_IMAGE_NOT_MZ
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn damaged_images_never_panic(damage in prop::collection::vec((0usize..0xA00, any::<u8>()), 1..20), cut in 0usize..0xA00) {
        let mut file = sample();
        for (at, byte) in damage {
            file[at] = byte;
        }
        file.truncate(if cut % 2 == 0 { 0xA00 } else { cut });
        let Ok(image) = Image::parse(&file) else { return Ok(()) };
        if image.span() > 1 << 24 {
            return Ok(());
        }
        let mut view = image.layout(&file);
        let _ = image.imports(&view);
        let _ = image.export(&view, b"Alpha");
        let _ = image.relocate(&mut view, 0x1_0000);
        let _ = image.information();
    }
}
