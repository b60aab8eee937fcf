// SPDX-License-Identifier: GPL-2.0-or-later
//! Images put together byte by byte, sound and unsound ones.

use super::*;
use proptest::prelude::*;
use std::vec;
use std::vec::Vec;

/// The names in an image, and behind them what ends them before their time.
fn walked(image: &PeImage<'_>) -> Vec<Result<Name>> {
    let mut names = Vec::new();
    let walked = image.imports(&mut Place::new(), |name| {
        names.push(Ok(name.clone()));
        Ok(())
    });
    if let Err(status) = walked {
        names.push(Err(status));
    }
    names
}

fn names(bytes: &dyn View, layout: Layout) -> Vec<Result<Vec<u8>>> {
    let names = walked(&PeImage::parse(bytes, layout).unwrap());
    let plain = |name: Result<Name>| name.map(|name| name.to_vec());
    names.into_iter().map(plain).collect()
}

fn name(text: &[u8]) -> Result<Vec<u8>> {
    Ok(text.to_vec())
}

/// An image of which this page cannot be read, for this reason.
struct Failing(Vec<u8>, usize, Status);

impl View for Failing {
    fn read(&self, at: usize, buffer: &mut [u8]) -> nt::Result<()> {
        if at / 0x1000 == self.1 || (at + buffer.len() - 1) / 0x1000 == self.1 {
            return Err(self.2);
        }
        self.0.read(at, buffer)
    }
}

/// A PE32+ image as its view shows it: one readable section at address 0x1000, which holds its
/// import table.
fn image(characteristics: u16, imports: &[&str]) -> Vec<u8> {
    let mut bytes = vec![0; 0x200];
    bytes[..2].copy_from_slice(b"MZ");
    bytes[0x3C] = 0x40;
    bytes[0x40..0x44].copy_from_slice(b"PE\0\0");
    bytes[0x44..0x48].copy_from_slice(&[0x64, 0x86, 1, 0]);
    bytes[0x54] = 0xF0;
    bytes[0x56..0x58].copy_from_slice(&characteristics.to_le_bytes());
    bytes[0x58..0x5A].copy_from_slice(&PE32_PLUS.to_le_bytes());
    bytes[0x58 + 108] = 16;
    bytes[0x58 + 120..0x58 + 124].copy_from_slice(&0x1000u32.to_le_bytes());
    let section = 0x58 + 0xF0;
    bytes[section + 8..section + 12].copy_from_slice(&0x1000u32.to_le_bytes());
    bytes[section + 12..section + 16].copy_from_slice(&0x1000u32.to_le_bytes());
    bytes[section + 36..section + 40].copy_from_slice(&0x4000_0040u32.to_le_bytes());
    let mut table = vec![0; (imports.len() + 1) * DESCRIPTOR];
    for (number, name) in imports.iter().enumerate() {
        let at = u32::try_from(0x1000 + table.len()).unwrap();
        table[number * DESCRIPTOR + 12..][..4].copy_from_slice(&at.to_le_bytes());
        table.extend(name.bytes().chain([0]));
    }
    table.resize(0x1000, 0);
    bytes.resize(0x1000, 0);
    bytes.extend(table);
    bytes
}

#[test]
fn imports_are_found_in_order() {
    let bytes = image(DLL, &["KERNEL32.dll", "ntdll.dll"]);
    assert!(PeImage::parse(&bytes, Layout::View).unwrap().is_dll());
    let names = names(&bytes, Layout::View);
    assert_eq!(names, [name(b"KERNEL32.dll"), name(b"ntdll.dll")]);
}

#[test]
fn in_a_file_the_section_headers_say_where_an_address_is() {
    let mut bytes = image(DLL, &["a.dll"]);
    let section = 0x58 + 0xF0;
    // The section's bytes follow the headers in the file, and it need not be readable.
    bytes.drain(0x200..0x1000);
    bytes[section + 16..section + 20].copy_from_slice(&0x1000u32.to_le_bytes());
    bytes[section + 20..section + 24].copy_from_slice(&0x200u32.to_le_bytes());
    bytes[section + 39] = 0;
    assert_eq!(names(&bytes, Layout::File), [name(b"a.dll")]);
}

#[test]
fn a_32_bit_image_has_its_directories_16_bytes_earlier() {
    let mut bytes = image(DLL, &["a.dll"]);
    bytes[0x58..0x5A].copy_from_slice(&PE32.to_le_bytes());
    bytes.copy_within(0x58 + 108..0x58 + 124, 0x58 + 92);
    bytes[0x58 + 108..0x58 + 124].fill(0);
    assert_eq!(names(&bytes, Layout::View), [name(b"a.dll")]);
}

#[test]
fn a_directory_behind_the_number_that_there_are_is_none() {
    let mut bytes = image(DLL, &["a.dll"]);
    for (count, imports) in [(2, 1), (1, 0), (0, 0)] {
        bytes[0x58 + 108] = count;
        assert_eq!(names(&bytes, Layout::View).len(), imports, "{count}");
    }
}

#[test]
fn an_executable_is_no_dll_and_no_import_table_is_no_error() {
    let mut bytes = image(0x0102, &[]);
    bytes[0x58 + 120..0x58 + 124].fill(0);
    let image = PeImage::parse(&bytes, Layout::View).unwrap();
    assert!(!image.is_dll());
    assert_eq!(names(&bytes, Layout::View), []);
}

#[test]
fn what_is_no_pe_is_malformed() {
    assert_eq!(PeImage::parse(b"MZ", Layout::View).err(), Some(MALFORMED));
    assert_eq!(
        PeImage::parse(
            b"just a text that is somewhat longer than a DOS header would be....",
            Layout::File
        )
        .err(),
        Some(MALFORMED)
    );
}

#[test]
fn an_import_table_outside_the_image_is_malformed() {
    let mut bytes = image(DLL, &["a.dll"]);
    bytes[0x58 + 120..0x58 + 124].copy_from_slice(&0x00FF_0000u32.to_le_bytes());
    assert_eq!(names(&bytes, Layout::View), [Err(MALFORMED)]);
}

#[test]
fn what_a_view_does_not_let_be_read_is_malformed() {
    let bytes = Failing(image(DLL, &["a.dll"]), 1, Status::ACCESS_VIOLATION);
    assert_eq!(names(&bytes, Layout::View), [Err(MALFORMED)]);
}

#[test]
fn a_table_without_an_end_is_malformed() {
    let mut bytes = image(DLL, &["a.dll"]);
    let descriptor: [u8; DESCRIPTOR] = bytes[0x1000..][..DESCRIPTOR].try_into().unwrap();
    let name = 0x1000 + 2 * DESCRIPTOR;
    bytes.copy_within(name..name + 6, 0x800);
    let (whole, _) = bytes[0x1000..].as_chunks_mut::<DESCRIPTOR>();
    let count = whole.len();
    whole.fill(descriptor);
    for descriptor in whole {
        descriptor[12..16].copy_from_slice(&0x800u32.to_le_bytes());
    }
    let names = names(&bytes, Layout::View);
    assert_eq!(names.len(), count + 1);
    assert_eq!(names.last(), Some(&Err(MALFORMED)));
}

#[test]
fn a_table_in_a_file_ends_with_its_section() {
    let mut bytes = image(DLL, &["a.dll"]);
    let section = 0x58 + 0xF0;
    bytes[section + 20..][..4].copy_from_slice(&0x1000u32.to_le_bytes());
    // Its name is empty: the zeros that the descriptor begins with.
    bytes[0x1000 + 12..][..4].copy_from_slice(&0x1000u32.to_le_bytes());
    let (none, malformed) = (name(b""), Err(MALFORMED));
    for (raw_size, seen) in [
        (2 * DESCRIPTOR, &[none.clone()][..]),
        (2 * DESCRIPTOR - 1, &[none.clone(), malformed.clone()]),
        (DESCRIPTOR, &[none, malformed.clone()]),
        (DESCRIPTOR - 1, &[malformed]),
    ] {
        bytes[section + 16] = raw_size as u8;
        assert_eq!(names(&bytes, Layout::File), seen, "{raw_size}");
    }
}

#[test]
fn what_lies_on_the_page_behind_a_table_is_not_read() {
    let mut bytes = image(DLL, &["a.dll", "b.dll"]);
    bytes.resize(0x3000, 0);
    let at = 0x2000 - 3 * DESCRIPTOR;
    bytes.copy_within(0x1000..0x1000 + 3 * DESCRIPTOR, at);
    bytes[0x58 + 120..][..4].copy_from_slice(&(at as u32).to_le_bytes());
    let bytes = Failing(bytes, 2, Status::IN_PAGE_ERROR);
    assert_eq!(
        names(&bytes, Layout::View),
        [name(b"a.dll"), name(b"b.dll")]
    );
}

#[test]
fn a_page_that_the_disk_does_not_give_is_its_status_and_not_malformed() {
    let mut bytes = image(DLL, &["a.dll"]);
    bytes.resize(0x3000, 0);
    let unreadable = Err(Status::IN_PAGE_ERROR);
    let headers = Failing(bytes.clone(), 0, Status::IN_PAGE_ERROR);
    assert_eq!(PeImage::parse(&headers, Layout::View).map(drop), unreadable);
    let table = Failing(bytes.clone(), 1, Status::IN_PAGE_ERROR);
    assert_eq!(names(&table, Layout::View), [Err(Status::IN_PAGE_ERROR)]);
    assert_eq!(
        names(&Failing(bytes, 2, Status::IN_PAGE_ERROR), Layout::View),
        [name(b"a.dll")]
    );
}

#[test]
fn what_lies_on_the_page_behind_a_name_is_not_read() {
    let mut bytes = image(DLL, &["a.dll"]);
    bytes.resize(0x3000, 0);
    // The section has two pages, and the name is the end of the first.
    bytes[0x58 + 0xF0 + 9] = 0x20;
    let at = 0x2000 - b"a.dll\0".len();
    bytes[at..0x2000].copy_from_slice(b"a.dll\0");
    bytes[0x1000 + 12..0x1000 + 16].copy_from_slice(&(at as u32).to_le_bytes());
    assert_eq!(
        names(&Failing(bytes, 2, Status::IN_PAGE_ERROR), Layout::View),
        [name(b"a.dll")]
    );
}

#[test]
fn a_name_longer_than_a_path_comes_one_byte_too_long() {
    for length in [MAX_NAME, MAX_NAME + 1, MAX_NAME + 2] {
        let long = "n".repeat(length);
        let bytes = image(DLL, &[&long]);
        let seen = &long.as_bytes()[..length.min(MAX_NAME + 1)];
        assert_eq!(names(&bytes, Layout::View), [name(seen)]);
    }
}

#[test]
fn a_name_comes_with_its_spelling_as_long_as_that_has_an_end() {
    let long = "a-name-of-16.dll";
    let bytes = image(DLL, &["a.dll", "15-letters-.dll", long, "abcd", "a.dll"]);
    let mut spellings = Vec::new();
    for name in walked(&PeImage::parse(&bytes, Layout::View).unwrap()) {
        let name = name.unwrap();
        assert_eq!(name.spelling(), Name::of(&name).spelling());
        spellings.push(name.spelling());
    }
    assert_eq!(spellings[0], 0x6C_6C64_2E61);
    assert!(spellings[1] != 0 && spellings[1] != spellings[0]);
    assert_eq!(spellings[2..], [0, 0x6463_6261, spellings[0]]);
}

#[test]
fn a_section_table_that_the_file_does_not_have_is_malformed() {
    let mut bytes = image(DLL, &["a.dll"]);
    // The import table stands in front of the headers of two sections, of which the second has it.
    bytes[0x46] = 2;
    bytes.truncate(0x58 + 0xF0 + 2 * SECTION_HEADER);
    bytes[0x58 + 0xF0 + SECTION_HEADER..].fill(0);
    assert_eq!(names(&bytes, Layout::File), [Err(MALFORMED)]);
    bytes.pop();
    assert_eq!(names(&bytes, Layout::File), [Err(MALFORMED)]);
}

proptest! {
    #[test]
    fn any_change_of_an_image_ends_in_names_or_malformed(
        changes in prop::collection::vec((0x1000usize..0x1100, any::<u8>()), 0..40),
        headers in prop::collection::vec((0x3Cusize..0x180, any::<u8>()), 0..8),
        length in 0usize..0x2100,
    ) {
        let mut bytes = image(DLL, &["a.dll", "b.dll"]);
        for (at, value) in changes.into_iter().chain(headers) {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = value;
            }
        }
        bytes.truncate(length);
        for layout in [Layout::View, Layout::File] {
            let Ok(image) = PeImage::parse(&bytes, layout) else { continue };
            let names = walked(&image);
            prop_assert!(names.len() <= bytes.len() / DESCRIPTOR + 1);
            prop_assert!(names.iter().flatten().all(|name| !name.contains(&0) && name.len() <= MAX_NAME + 1));
        }
    }

    #[test]
    fn any_bytes_are_no_panic(bytes in prop::collection::vec(any::<u8>(), 0..512)) {
        if let Ok(image) = PeImage::parse(&bytes, Layout::View) {
            prop_assert!(walked(&image).len() <= bytes.len());
        }
    }
}
