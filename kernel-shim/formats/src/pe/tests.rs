// SPDX-License-Identifier: GPL-2.0-or-later
//! Images: a good one built here, its views, and every way in which it can be bad.

use super::build::{CODE, DATA, DLL_BASE, ImageFile};
use super::*;
use alloc::vec;
use alloc::vec::Vec;
use nt::Status;
use nt::system::ImageSubsystem;
use proptest::prelude::*;

const PE: usize = 0x80;
const OPTIONAL: usize = PE + 24;
const SECTIONS: usize = OPTIONAL + 240;

fn put(file: &mut [u8], at: usize, bytes: &[u8]) {
    file[at..at + bytes.len()].copy_from_slice(bytes);
}

/// A DLL with one of everything.
fn sample() -> Vec<u8> {
    ImageFile {
        name: "sample.dll",
        subsystem: ImageSubsystem::NATIVE,
        dll: true,
        pointers: &[CODE],
        imports: &[("ntdll.dll", "NtClose"), ("other.dll", "#7")],
        exports: &["Gamma", "Alpha"],
        forwarders: &[("Beta", "OTHER.Beta")],
        ..ImageFile::default()
    }
    .bytes()
}

#[test]
fn a_good_image_gives_its_section_information() {
    let file = sample();
    let image = Image::parse(&file, MACHINE_AMD64).unwrap();
    let information = image.information();
    assert_eq!(information.transfer_address, DLL_BASE + u64::from(CODE));
    assert_eq!(
        (
            information.maximum_stack_size,
            information.committed_stack_size
        ),
        (0x4_0000, 0x1000)
    );
    assert_eq!(
        (
            information.subsystem,
            information.major_version,
            information.minor_version
        ),
        (ImageSubsystem::NATIVE, 5, 2)
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
            information.image_file_size as usize
        ),
        (0x8664, 1, file.len())
    );
}

#[test]
fn the_view_is_laid_out_by_the_section_headers() {
    let file = sample();
    let image = Image::parse(&file, MACHINE_AMD64).unwrap();
    let view = image.layout(&file);
    assert_eq!(view.len(), 0x4000);
    assert_eq!((&view[..2], view[0x1000]), (b"MZ".as_slice(), 0xC3));
    assert!(view[0x1001..0x2000].iter().all(|&byte| byte == 0));
    assert_eq!(image.page_characteristics(CODE) & SCN_EXECUTE, SCN_EXECUTE);
    assert_eq!(
        image.page_characteristics(DATA) & (SCN_EXECUTE | SCN_WRITE),
        SCN_WRITE
    );
    assert_eq!(image.page_characteristics(0), SCN_READ);
}

#[test]
fn a_page_alone_is_laid_out_as_in_the_whole_view() {
    let file = sample();
    let image = Image::parse(&file, MACHINE_AMD64).unwrap();
    let view = image.layout(&file);
    for (number, whole) in view.chunks(0x1000).enumerate() {
        let page = number as u32 * 0x1000;
        let mut alone = [0; 0x1000];
        for piece in image.pieces_of_page(page) {
            let from = &file[piece.offset as usize..][..piece.bytes as usize];
            alone[(piece.rva - page) as usize..][..from.len()].copy_from_slice(from);
        }
        assert_eq!(alone, whole, "page {number}");
    }
}

#[test]
fn exports_are_found_by_name_by_hint_and_by_ordinal() {
    let file = sample();
    let image = Image::parse(&file, MACHINE_AMD64).unwrap();
    let view = image.layout(&file);
    let exports = Exports::of(view.as_slice(), &image.headers)
        .unwrap()
        .unwrap();
    let code = Some(Target::Address(CODE as usize));
    let beta = Some(Target::Forwarder(b"OTHER.Beta".as_slice()));
    for hint in [0, 1, usize::MAX] {
        let name = |name: &'static [u8]| exports.find(Symbol::Name(name, hint)).unwrap();
        assert_eq!(name(b"Alpha"), code);
        assert_eq!(name(b"Beta"), beta);
        assert_eq!(name(b"Gamma"), code);
        assert_eq!(name(b"Delta"), None);
    }
    let ordinal = |number| exports.find(Symbol::Ordinal(number)).unwrap();
    assert_eq!(ordinal(1), code);
    assert_eq!(ordinal(2), beta);
    assert_eq!((ordinal(0), ordinal(4)), (None, None));
}

#[test]
fn imports_are_walked_in_their_order() {
    let file = sample();
    let image = Image::parse(&file, MACHINE_AMD64).unwrap();
    let view = image.layout(&file);
    let found: Vec<_> = imports(view.as_slice(), &image.headers)
        .map(|import| {
            let import = import.unwrap();
            let names = symbols(view.as_slice(), &image.headers, import.lookup).map(Result::unwrap);
            (import.module, names.collect::<Vec<_>>())
        })
        .collect();
    assert_eq!(
        found,
        [
            (b"ntdll.dll".as_slice(), vec![Symbol::Name(b"NtClose", 0)]),
            (b"other.dll", vec![Symbol::Ordinal(7)]),
        ]
    );
}

#[test]
fn the_relocations_name_every_pointer() {
    let file = sample();
    let image = Image::parse(&file, MACHINE_AMD64).unwrap();
    let view = image.layout(&file);
    let targets: Vec<usize> = relocation_blocks(view.as_slice(), &image.headers)
        .unwrap()
        .flat_map(|block| block.unwrap().targets(view.as_slice()))
        .map(Result::unwrap)
        .collect();
    assert_eq!(targets, [DATA as usize]);
    assert_eq!(
        view.as_slice().bytes(DATA as usize),
        Some((DLL_BASE + u64::from(CODE)).to_le_bytes())
    );
}

#[test]
fn an_image_for_i386_has_the_same_parts_in_half_the_width() {
    let file = ImageFile {
        name: "sample.dll",
        subsystem: ImageSubsystem::NATIVE,
        i386: true,
        dll: true,
        pointers: &[CODE, DATA],
        imports: &[("ntdll.dll", "NtClose"), ("other.dll", "#7")],
        exports: &["Alpha"],
        ..ImageFile::default()
    }
    .bytes();
    assert_eq!(
        Image::parse(&file, MACHINE_AMD64).unwrap_err().status,
        Status::INVALID_IMAGE_FORMAT,
        "on another machine"
    );
    let image = Image::parse(&file, MACHINE_I386).unwrap();
    let information = image.information();
    assert_eq!(information.transfer_address, 0x1000_1000);
    assert_eq!(
        (
            information.maximum_stack_size,
            information.committed_stack_size
        ),
        (0x4_0000, 0x1000)
    );
    assert_eq!((information.machine, image.headers.word), (0x14C, 4));
    let view = image.layout(&file);
    let targets: Vec<usize> = relocation_blocks(view.as_slice(), &image.headers)
        .unwrap()
        .flat_map(|block| block.unwrap().targets(view.as_slice()))
        .map(Result::unwrap)
        .collect();
    assert_eq!(targets, [DATA as usize, DATA as usize + 4]);
    assert_eq!(
        view.as_slice().bytes(DATA as usize + 4),
        Some((0x1000_0000 + DATA).to_le_bytes())
    );
    let found: Vec<_> = imports(view.as_slice(), &image.headers)
        .flat_map(|import| symbols(view.as_slice(), &image.headers, import.unwrap().lookup))
        .map(Result::unwrap)
        .collect();
    assert_eq!(found, [Symbol::Name(b"NtClose", 0), Symbol::Ordinal(7)]);
    let exports = Exports::of(view.as_slice(), &image.headers)
        .unwrap()
        .unwrap();
    assert_eq!(
        exports.find(Symbol::Name(b"Alpha", 0)).unwrap(),
        Some(Target::Address(CODE as usize))
    );
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
            Image::parse(&file, MACHINE_AMD64).unwrap_err().status,
            *status,
            "at {at:#x}"
        );
    }
    assert_eq!(
        Image::parse(&[], MACHINE_AMD64).unwrap_err().status,
        Status::INVALID_IMAGE_NOT_MZ
    );
}

fn walk(image: &Image, view: &[u8]) {
    for import in imports(view, &image.headers).flatten().take(100) {
        let _ = symbols(view, &image.headers, import.lookup)
            .take(100)
            .count();
    }
    if let Ok(Some(exports)) = Exports::of(view, &image.headers) {
        let _ = exports.find(Symbol::Name(b"Alpha", 0));
        let _ = exports.find(Symbol::Ordinal(2));
    }
    if let Some(blocks) = relocation_blocks(view, &image.headers) {
        let blocks = blocks.flatten().take(100);
        let _ = blocks.flat_map(|block| block.targets(view)).count();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn damaged_images_never_panic(damage in prop::collection::vec((0usize..0xA00, any::<u8>()), 1..20), cut in 0usize..0xA00) {
        let mut file = sample();
        for (at, byte) in damage {
            file[at] = byte;
        }
        if cut % 2 == 1 {
            file.truncate(cut);
        }
        let Ok(image) = Image::parse(&file, MACHINE_AMD64) else { return Ok(()) };
        if image.span() > 1 << 24 {
            return Ok(());
        }
        let view = image.layout(&file);
        walk(&image, &view);
        let _ = image.information();
    }
}

#[test]
fn a_directory_with_an_address_and_size_0_is_there() {
    let mut file = sample();
    let count = 16;
    for index in 0..count {
        put(&mut file, OPTIONAL + 116 + 8 * index, &[0; 4]);
    }
    put(&mut file, OPTIONAL + 112 + 8 * directory::TLS, &[0, 0x20]);
    let image = Image::parse(&file, MACHINE_AMD64).unwrap();
    let view = image.layout(&file);
    let found: Vec<usize> = (0..count + 1)
        .filter(|&index| image.headers.directory(index).is_some())
        .collect();
    assert_eq!(
        found,
        [
            directory::EXPORT,
            directory::IMPORT,
            directory::RELOCATION,
            directory::TLS
        ]
    );
    assert_eq!(imports(view.as_slice(), &image.headers).count(), 2);
    let exports = Exports::of(view.as_slice(), &image.headers)
        .unwrap()
        .unwrap();
    assert_eq!(
        exports.find(Symbol::Name(b"Alpha", 0)).unwrap(),
        Some(Target::Address(CODE as usize))
    );
}
