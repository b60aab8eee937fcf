// SPDX-License-Identifier: GPL-2.0-or-later
//! Hives: write and read back, damaged files, the tree's rules, `.reg` text.

use super::*;
use crate::{utf16, utf16_bytes};
use nt::{UnicodeStr, wide};
use proptest::prelude::*;
use std::string::String;
use std::vec;

/// Every key and value as lines, in the order of enumeration.
fn listing(hive: &Hive) -> Vec<String> {
    let mut lines = Vec::new();
    let mut walk = vec![(hive.root(), String::new())];
    while let Some((id, path)) = walk.pop() {
        let key = hive.key(id).unwrap();
        lines.push(std::format!(
            "[{path}] class={:?} link={} time={}",
            key.class,
            key.link,
            key.last_write
        ));
        lines.push(std::format!("security {:?}", hive.security(id).unwrap()));
        for value in key.values() {
            lines.push(std::format!(
                "{:?} {} {:x?}",
                String::from_utf16_lossy(&value.name),
                value.kind,
                value.data
            ));
        }
        for &sub in key.subkeys() {
            walk.push((
                sub,
                std::format!(
                    "{path}\\{}",
                    String::from_utf16_lossy(&hive.key(sub).unwrap().name)
                ),
            ));
        }
    }
    lines
}

fn sample() -> Hive {
    let mut hive = Hive::new(wide!("SYSTEM"));
    let manager = hive
        .create_path(
            hive.root(),
            wide!("ControlSet001\\Control\\Session Manager"),
            false,
            7,
        )
        .unwrap();
    hive.set_value(manager, wide!("zeta"), 1, vec![65, 0, 0, 0], 8)
        .unwrap();
    hive.set_value(manager, wide!("alpha"), 4, vec![1, 0, 0, 0], 8)
        .unwrap();
    hive.set_value(manager, wide!(""), 7, vec![0; 300], 8)
        .unwrap();
    hive.set_value(
        manager,
        UnicodeStr(&utf16("Grüße \u{4e16}")),
        3,
        Vec::new(),
        8,
    )
    .unwrap();
    hive.set_class(manager, &[65, 0, 66, 0]).unwrap();
    let other = hive
        .create_path(
            hive.root(),
            UnicodeStr(&utf16("\u{4e16}\u{754c}")),
            false,
            7,
        )
        .unwrap();
    hive.set_security(
        other,
        &[1, 0, 4, 128, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    )
    .unwrap();
    hive.set_link(other, true).unwrap();
    hive
}

#[test]
fn a_hive_reads_back_as_it_was_written_in_every_version() {
    for version in 3..=6 {
        let mut hive = sample();
        hive.minor_version = version;
        hive.file_name = utf16("\\SystemRoot\\System32\\Config\\SYSTEM");
        hive.file_name.truncate(31);
        let file = hive.serialise(42);
        assert_eq!(file.len() % 4096, 0);
        let read = Hive::parse(&file).unwrap();
        assert_eq!(listing(&read), listing(&hive));
        assert_eq!(
            (read.minor_version, &read.file_name),
            (version, &hive.file_name)
        );
        assert_eq!(
            read.serialise(42),
            file,
            "writing what was read gives the same file"
        );
    }
}

#[test]
fn ten_megabytes_in_one_value_as_one_cell_or_as_segments() {
    let data: Vec<u8> = (0..10u32 << 20).map(|n| (n % 251) as u8).collect();
    for version in [3, 5] {
        let mut hive = sample();
        hive.minor_version = version;
        hive.set_value(
            hive.root(),
            wide!("PendingFileRenameOperations"),
            7,
            data.clone(),
            1,
        )
        .unwrap();
        let read = Hive::parse(&hive.serialise(0)).unwrap();
        assert!(
            read.value(read.root(), wide!("pendingfilerenameoperations"))
                .unwrap()
                .data
                == data
        );
    }
}

#[test]
fn data_lengths_around_every_boundary_survive() {
    for version in [3, 5] {
        let mut hive = Hive::new(wide!("R"));
        hive.minor_version = version;
        let lengths = [
            0, 1, 3, 4, 5, 4060, 4061, 4064, 16343, 16344, 16345, 32688, 32689, 65536,
        ];
        for len in lengths {
            let name = utf16(&std::format!("v{len}"));
            hive.set_value(hive.root(), UnicodeStr(&name), 3, vec![0xA5; len], 0)
                .unwrap();
        }
        assert_eq!(
            listing(&Hive::parse(&hive.serialise(0)).unwrap()),
            listing(&hive)
        );
    }
}

#[test]
fn thousands_of_subkeys_need_an_index_of_lists() {
    let mut hive = Hive::new(wide!("R"));
    for number in 0..3000 {
        let name = utf16(&std::format!("key{:05}", number * 7919 % 3000));
        hive.create_key(hive.root(), UnicodeStr(&name), false, 0)
            .unwrap();
    }
    let read = Hive::parse(&hive.serialise(0)).unwrap();
    let names: Vec<_> = read
        .key(read.root())
        .unwrap()
        .subkeys()
        .iter()
        .map(|&id| String::from_utf16_lossy(&read.key(id).unwrap().name))
        .collect();
    assert_eq!(names.len(), 3000);
    assert!(names.is_sorted());
}

#[test]
fn values_enumerate_in_the_order_they_were_made() {
    let mut hive = Hive::new(wide!("R"));
    let root = hive.root();
    for name in ["c", "a", "b"] {
        hive.set_value(root, UnicodeStr(&utf16(name)), 1, Vec::new(), 0)
            .unwrap();
    }
    hive.set_value(root, wide!("A"), 4, vec![1], 0).unwrap();
    hive.delete_value(root, wide!("C"), 0).unwrap();
    hive.set_value(root, wide!("c"), 1, Vec::new(), 0).unwrap();
    let names: Vec<_> = hive
        .key(root)
        .unwrap()
        .values()
        .iter()
        .map(|value| String::from_utf16_lossy(&value.name))
        .collect();
    assert_eq!(names, ["a", "b", "c"]);
    assert_eq!(hive.value(root, wide!("a")).unwrap().kind, 4);
}

#[test]
fn the_tree_refuses_what_the_registry_refuses() {
    let mut hive = Hive::new(wide!("R"));
    let root = hive.root();
    let key = hive.create_key(root, wide!("Key"), false, 0).unwrap();
    assert_eq!(
        hive.create_key(root, wide!("KEY"), false, 0),
        Err(TreeError::Exists)
    );
    assert_eq!(
        hive.create_key(root, wide!(""), false, 0),
        Err(TreeError::BadName)
    );
    assert_eq!(
        hive.create_key(root, wide!("a\\b"), false, 0),
        Err(TreeError::BadName)
    );
    assert_eq!(
        hive.create_key(root, UnicodeStr(&[65; 256]), false, 0),
        Err(TreeError::BadName)
    );
    let sub = hive.create_key(key, wide!("sub"), true, 0).unwrap();
    assert_eq!(
        hive.create_key(sub, wide!("stable"), false, 0),
        Err(TreeError::ParentVolatile)
    );
    assert_eq!(hive.delete_key(key, 0), Err(TreeError::HasSubkeys));
    assert_eq!(hive.delete_key(root, 0), Err(TreeError::IsRoot));
    hive.delete_tree(key, 0).unwrap();
    assert_eq!(hive.delete_key(sub, 0), Err(TreeError::NoSuchKey));
    assert_eq!(
        hive.delete_value(root, wide!("none"), 0),
        Err(TreeError::NoSuchValue)
    );
    let again = hive.create_key(root, wide!("key"), false, 0).unwrap();
    assert_ne!(again, key, "an id is never used twice");
}

#[test]
fn volatile_keys_are_not_written() {
    let mut hive = sample();
    let before = listing(&hive);
    hive.create_path(hive.root(), wide!("ControlSet001\\MiniNT\\below"), true, 7)
        .unwrap();
    let read = Hive::parse(&hive.serialise(0)).unwrap();
    assert_eq!(listing(&read), before);
}

#[test]
fn an_interrupted_write_is_seen() {
    let mut file = sample().serialise(0);
    file[4] ^= 3;
    let error = Hive::parse(&file).unwrap_err();
    assert_eq!(
        error.offset, 0x1FC,
        "the checksum covers the sequence numbers"
    );
    let sum = read::checksum(&file);
    file[0x1FC..0x200].copy_from_slice(&sum.to_le_bytes());
    assert_eq!(Hive::parse(&file).unwrap_err().offset, 4);
}

#[test]
fn a_wrong_cell_is_named_by_its_offset() {
    let good = sample().serialise(0);
    let root = BASE_BLOCK + u32::from_le_bytes(good[0x24..0x28].try_into().unwrap()) as usize;
    let mut bad = good.clone();
    bad[root + 4] = b'x';
    assert_eq!(
        Hive::parse(&bad).unwrap_err(),
        HiveError {
            offset: root,
            reason: "no nk signature"
        }
    );
    let mut looping = good.clone();
    let list = u32::from_le_bytes(good[root + 4 + 0x1C..root + 4 + 0x20].try_into().unwrap())
        as usize
        + BASE_BLOCK;
    looping[list + 8..list + 12].copy_from_slice(&good[0x24..0x28]);
    assert_eq!(
        Hive::parse(&looping).unwrap_err(),
        HiveError {
            offset: root,
            reason: "the key is reached twice"
        }
    );
    assert_eq!(
        Hive::parse(&good[..good.len() - 1]).unwrap_err().offset,
        0x28
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn damaged_files_never_panic(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12), cut in 0usize..64) {
        let mut file = sample().serialise(0);
        for (at, byte) in changes {
            let at = at.index(file.len());
            file[at] = byte;
        }
        let sum = read::checksum(&file);
        file[0x1FC..0x200].copy_from_slice(&sum.to_le_bytes());
        file.truncate(file.len() - if cut < 8 { cut * 100 } else { 0 });
        if let Ok(hive) = Hive::parse(&file) {
            Hive::parse(&hive.serialise(0)).unwrap();
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..9000)) {
        prop_assert!(Hive::parse(&bytes).is_err());
    }

    #[test]
    fn arbitrary_reg_text_never_panics(body in "[\\[\\]\"\\\\@=:,;a-f0-9hexdword()\\-\n ]{0,200}") {
        let mut hive = Hive::new(wide!("R"));
        let text = std::format!("Windows Registry Editor Version 5.00\n[R]\n{body}");
        let _ = reg_text::apply(&mut hive, &text, "R", 0);
        Hive::parse(&hive.serialise(0)).unwrap();
    }
}

const REG: &str = "\u{FEFF}Windows Registry Editor Version 5.00\r\n\r\n; comment\r\n[HKEY_LOCAL_MACHINE\\SYSTEM\\A]\r\n\
    \"name \\\"x\\\" \\\\\"=\"va\\\\lue\"\r\n@=dword:0000001f\r\n\"multi\"=hex(7):61,00,00,00,\\\r\n  00,00\r\n\"bin\"=hex:01,02 ; two\r\n\
    \"none\"=hex(0):\r\n\"gone\"=\"x\"\r\n\"gone\"=-\r\n[hkey_local_machine\\system\\B\\C]\r\n[-HKEY_LOCAL_MACHINE\\SYSTEM\\B]\r\n";

#[test]
fn reg_text_reads_every_form() {
    let wide_text = utf16_bytes(REG);
    for bytes in [REG.as_bytes(), &wide_text] {
        let mut hive = Hive::new(wide!("SYSTEM"));
        reg_text::apply(
            &mut hive,
            &reg_text::decode(bytes).unwrap(),
            "HKEY_LOCAL_MACHINE\\SYSTEM",
            0,
        )
        .unwrap();
        let key = hive.find(hive.root(), wide!("a")).unwrap();
        let values: Vec<_> = hive
            .key(key)
            .unwrap()
            .values()
            .iter()
            .map(|v| (String::from_utf16_lossy(&v.name), v.kind, v.data.clone()))
            .collect();
        let expected = [
            ("name \"x\" \\", 1, reg_text::string_data("va\\lue")),
            ("", 4, vec![31, 0, 0, 0]),
            ("multi", 7, reg_text::multi_string_data(&["a"])),
            ("bin", 3, vec![1, 2]),
            ("none", 0, vec![]),
        ];
        assert_eq!(
            values,
            expected.map(|(name, kind, data)| (String::from(name), kind, data))
        );
        assert_eq!(hive.find(hive.root(), wide!("B")), None);
    }
}

/// The values of the key `A` that the bytes of a file make in an empty hive.
fn values_of(bytes: &[u8]) -> Vec<(String, u32, Vec<u8>)> {
    let mut hive = Hive::new(wide!("R"));
    let text = reg_text::decode(bytes).unwrap();
    reg_text::apply(&mut hive, &text, "", 0).unwrap();
    let key = hive.find(hive.root(), wide!("A")).unwrap();
    let values = hive.key(key).unwrap().values().iter();
    values
        .map(|v| (String::from_utf16_lossy(&v.name), v.kind, v.data.clone()))
        .collect()
}

/// As the editors of NT 4 and Windows 98 write it, and the others where they are asked to.
#[test]
fn regedit4_text_has_ansi_strings_and_they_become_utf_16() {
    let mut file = b"REGEDIT4\r\n\r\n[\\A]\r\n\"M\xFCller\"=\"5 \x80\"\r\n\
        \"List\"=hex(7):61,00,fc,\\\r\n  62,00,00\r\n\"Path\"=hex(2):25,78,25,00\r\n\
        \"Text\"=hex(1):80,00\r\n\"Bytes\"=hex:61,00,fc\r\n\"Other\"=hex(8):61,00\r\n\
        \"Number\"=dword:00000010\r\n"
        .to_vec();
    let expected = [
        ("Müller", 1, reg_text::string_data("5 €")),
        ("List", 7, reg_text::multi_string_data(&["a", "üb"])),
        ("Path", 2, reg_text::string_data("%x%")),
        ("Text", 1, reg_text::string_data("€")),
        ("Bytes", 3, vec![0x61, 0, 0xFC]),
        ("Other", 8, vec![0x61, 0]),
        ("Number", 4, vec![16, 0, 0, 0]),
    ];
    let expected = expected.map(|(name, kind, data)| (String::from(name), kind, data));
    assert_eq!(values_of(&file), expected);
    // What would be UTF-8 is not taken for it: NT's editor does not.
    file = b"REGEDIT4\n[\\A]\n\"\xC3\xBC\"=\"\"\n".to_vec();
    assert_eq!(values_of(&file)[0].0, "Ã¼");
    // Unless it says so.
    drop(file.splice(0..0, [0xEF, 0xBB, 0xBF]));
    assert_eq!(values_of(&file)[0].0, "ü");
}

#[test]
fn text_without_a_mark_is_utf_8_or_else_ansi_if_it_begins_as_reg_text() {
    let head = b"Windows Registry Editor Version 5.00\n[\\A]\n";
    let with = |rest: &[u8]| [&head[..], rest].concat();
    let expanding = reg_text::string_data("x");
    for (name, rest) in [("ü", &b"\"\xC3\xBC\""[..]), ("ü", b"\"\xFC\"")] {
        // The data is UTF-16 all the same: the first line says so.
        let file = with(&[rest, b"=hex(2):78,00,00,00\n"].concat());
        assert_eq!(
            values_of(&file),
            [(String::from(name), 2, expanding.clone())]
        );
    }
    assert!(reg_text::decode(b"\xFC is no .reg text").is_err());
}

#[test]
fn reg_text_errors_name_their_line() {
    let cases = [
        ("REGEDIT3\n", 1),
        ("REGEDIT4 \n[R]\n\"a\"=hex(7):zz\n", 3),
        ("Windows Registry Editor Version 5.00\n\"a\"=\"b\"\n", 2),
        (
            "Windows Registry Editor Version 5.00\n\n[R]\n\"a\"=\"b\n",
            4,
        ),
        (
            "Windows Registry Editor Version 5.00\n[R]\n\"a\"=dword:xyz\n",
            3,
        ),
        ("Windows Registry Editor Version 5.00\n[OTHER\\x]\n", 2),
        (
            "Windows Registry Editor Version 5.00\n[R]\n\"a\"=hex:1,2,\\",
            3,
        ),
        ("Windows Registry Editor Version 5.00\n[R\n", 2),
    ];
    for (text, line) in cases {
        let mut hive = Hive::new(wide!("R"));
        assert_eq!(
            reg_text::apply(&mut hive, text, "R", 0).unwrap_err().line,
            line,
            "{text}"
        );
    }
}
