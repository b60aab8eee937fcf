// SPDX-License-Identifier: GPL-2.0-or-later
//! What a power cut in the middle of a list leaves, and the boot that repeats it: spec 6.4.

use crate::{
    MARK, NAMES, UPGRADES, clear, content, dos_path, files, on, process, says, summary, two_files,
    upgradable,
};
use nt::Status;
use nt::system::FileAttributes;
use proptest::prelude::{ProptestConfig, TestCaseError};
use proptest::{prop_assert, prop_assert_eq, proptest};
use std::collections::BTreeMap;
use test_support::host::Watched;
use test_support::warnings;

#[test]
fn spec_6_4_a_power_cut_at_any_call_and_the_repetition_come_to_the_same_files() {
    for upgrade in UPGRADES {
        on(move |world| {
            upgradable(world);
            let done = process(world, &[upgrade]);
            assert_eq!(done, (upgrade.split('|').count() / 2, 0), "{upgrade}");
            let finished = files(world);
            let calls = world.made();
            for number in 0..=calls {
                clear(world);
                upgradable(world);
                // From here on nothing reaches the disk; the next boot begins again with what is
                // there.
                let first = world.made();
                world.refuse(first + number, Status::IO_DEVICE_ERROR, true);
                process(world, &[upgrade]);
                world.refuse_nothing();
                process(world, &[upgrade]);
                assert_eq!(files(world), finished, "{upgrade}: call {number}");
            }
        });
    }
}

#[test]
fn spec_6_4_a_call_that_fails_before_a_power_cut_or_after_it_costs_no_content() {
    // What is deleted twice is the content that has taken its name.
    let list = ["\\??\\C:\\a||\\??\\C:\\c|\\??\\C:\\a"];
    on(move |world| {
        let prepare = || {
            clear(world);
            upgradable(world);
            world.made()
        };
        let is_kept = || {
            let names = ["C:\\a", "C:\\c"];
            names
                .map(|name| content(world, name))
                .contains(&Some("c".to_owned()))
        };
        let first = prepare();
        process(world, &list);
        let calls = world.made() - first;
        for last in 0..=calls {
            for failing in 0..last {
                let first = prepare();
                world.refuse_also(first + failing, Status::INSUFFICIENT_RESOURCES);
                world.refuse(first + last, Status::IO_DEVICE_ERROR, true);
                process(world, &list);
                world.refuse_nothing();
                process(world, &list);
                assert!(
                    is_kept(),
                    "call {failing} of {calls} fails, the power goes at {last}"
                );
            }
            for failing in 0..calls {
                world.refuse(prepare() + last, Status::IO_DEVICE_ERROR, true);
                process(world, &list);
                let again = world.made();
                world.refuse(again + failing, Status::INSUFFICIENT_RESOURCES, false);
                process(world, &list);
                world.refuse_nothing();
                assert!(
                    is_kept(),
                    "the power goes at {last} of {calls}, call {failing} of the repetition fails"
                );
            }
        }
    });
}

/// Lets the power go after each record of the mark.
#[test]
fn spec_6_4_a_torn_record_leaves_the_one_before_it() {
    // There is a barrier between any two.
    let list = ["\\??\\C:\\a||\\??\\C:\\c|\\??\\C:\\a|\\??\\C:\\a||\\??\\C:\\e|\\??\\C:\\a"];
    on(move |world| {
        upgradable(world);
        assert_eq!(process(world, &list), (4, 0));
        let calls = world.calls();
        let is_record = |number: &usize| {
            let call = &calls[*number];
            call.name == "flush_file" && call.about == format!("\\??\\{MARK}")
        };
        let goes_on_at = |mark: &[u8]| {
            world.remove(MARK);
            world.file(MARK, mark);
            summary(world, &list).repeated
        };
        let mut before = vec![0; world.content(MARK).unwrap().len()];
        let mut records = 0;
        for flush in (0..calls.len()).filter(is_record) {
            clear(world);
            upgradable(world);
            let next = world.made() + flush + 1;
            world.refuse(next, Status::IO_DEVICE_ERROR, true);
            process(world, &list);
            world.refuse_nothing();
            let after = world.content(MARK).unwrap();
            assert_eq!(after.len(), before.len(), "the first has made all room");
            assert_ne!(after, before);
            for torn in (0..after.len()).filter(|&at| after[at] != before[at]) {
                let mark = [&after[..torn], &before[torn..]].concat();
                assert_eq!(goes_on_at(&mark), records, "torn at {torn}");
            }
            records += 1;
            assert_eq!(goes_on_at(&after), records);
            before = after;
        }
        assert_eq!(records, 4);
    });
}

#[test]
fn spec_6_4_the_mark_is_deleted_though_a_call_fails() {
    on(|world| {
        two_files(world);
        process(world, &["\\??\\C:\\a||\\??\\C:\\b|\\??\\C:\\a"]);
        let (mark, first) = (world.content(MARK).unwrap(), world.made());
        boot::forget_mark(world);
        for number in 0..world.made() - first {
            world.file(MARK, &mark);
            let status = Status::INSUFFICIENT_RESOURCES;
            world.refuse(world.made() + number, status, false);
            boot::forget_mark(world);
            assert!(!world.exists(MARK), "call {number}");
        }
    });
}

#[test]
fn spec_6_4_a_mark_or_a_flush_that_fails_is_reported() {
    let list = ["\\??\\C:\\a||\\??\\C:\\b|\\??\\C:\\a"];
    on(move |world| {
        two_files(world);
        let said = warnings(|| assert_eq!(process(world, &list), (2, 0)));
        assert!(
            said.is_empty(),
            "that there is no mark yet is in order: {said:?}"
        );
        let calls = world.calls();
        let mut numbers = 0..calls.len();
        let read = numbers.find(|&number| calls[number].about == format!("\\??\\{MARK}"));
        let number = world.made() + read.unwrap();
        world.refuse(number, Status::IO_DEVICE_ERROR, true);
        let said = warnings(|| assert_eq!(process(world, &list), (0, 2)));
        world.refuse_nothing();
        assert!(says(&said, &["mark", "not read"]), "{said:?}");
        assert!(says(&said, &["mark", "not safe"]), "{said:?}");
        assert!(says(&said, &["\\??\\C:", "not flushed"]), "{said:?}");
    });
}

#[test]
fn spec_6_4_a_list_is_safe_on_the_disk_before_it_is_done_and_before_it_takes_a_name_again() {
    const VOLUME: &str = "\\??\\C:";
    on(|world| {
        two_files(world);
        process(world, &["\\??\\C:\\a|!\\??\\C:\\b"]);
        assert_eq!(
            world.about("flush_file"),
            ["\\??\\C:\\a", VOLUME],
            "no barrier, no mark"
        );
        assert!(!world.exists(MARK));
    });
    on(|world| {
        two_files(world);
        process(world, &["\\??\\C:\\a||\\??\\C:\\b|\\??\\C:\\a"]);
        // What was done, the mark and its new place in the directory; the file renamed since and its
        // volume, the mark.
        let mark = format!("\\??\\{MARK}");
        let flushed = [VOLUME, &mark, VOLUME, "\\??\\C:\\b", VOLUME, &mark];
        assert_eq!(world.about("flush_file"), flushed);
        boot::forget_mark(world);
        assert!(!world.exists(MARK));
    });
}

/// A FAT driver that writes the directory that a name has left before the one it has come to loses
/// the file in a power cut between the two: seen on ReactOS.
#[test]
fn spec_6_4_a_rename_is_on_the_disk_before_the_next_operation_its_new_directory_first() {
    on(|world| {
        two_files(world);
        world.directory("C:\\d");
        process(
            world,
            &["\\??\\C:\\a|\\??\\C:\\d\\a|\\??\\C:\\b|\\??\\C:\\d\\b"],
        );
        let calls = world.calls().into_iter();
        let order: Vec<_> = calls
            .map(|call| call.name)
            .filter(|name| ["rename", "flush_file"].contains(name))
            .collect();
        let each = ["rename", "flush_file", "flush_file"];
        assert_eq!(order, [each, each].concat());
        let flushed = ["\\??\\C:\\a", "\\??\\C:", "\\??\\C:\\b", "\\??\\C:"];
        assert_eq!(world.about("flush_file"), flushed);
    });
}

#[test]
fn spec_6_4_a_read_only_file_is_renamed_though_it_cannot_be_flushed() {
    on(|world| {
        two_files(world);
        world.set_file_attributes("C:\\a", FileAttributes::READONLY);
        assert_eq!(process(world, &["\\??\\C:\\a|\\??\\C:\\c"]), (1, 0));
        assert_eq!(content(world, "C:\\c").as_deref(), Some("new"));
        assert_eq!(
            world.about("flush_file").last().map(String::as_str),
            Some("\\??\\C:")
        );
    });
}

#[test]
fn spec_6_4_a_mark_of_another_list_counts_for_nothing() {
    on(move |world| {
        two_files(world);
        process(world, &["\\??\\C:\\a||\\??\\C:\\b|\\??\\C:\\a"]);
        world.file("C:\\c", b"c").file("C:\\d", b"d");
        let value = "\\??\\C:\\c||\\??\\C:\\d|\\??\\C:\\c";
        assert_eq!(process(world, &[value]), (2, 0));
        assert_eq!(content(world, "C:\\c").as_deref(), Some("d"));
    });
}

#[test]
fn spec_6_4_two_names_of_one_file_both_stay_and_the_volume_is_marked_for_its_check() {
    for (mark, value) in [("", "C:\\b"), ("!", "C:\\b")] {
        on(move |world| {
            two_files(world);
            for name in ["\\??\\C:\\a", "\\??\\C:\\b"] {
                world.pretend_file_id(name, 0x5000);
            }
            let value = format!("\\??\\C:\\a|{mark}\\??\\{value}");
            assert_eq!(process(world, &[&value]), (0, 1), "{value}");
            assert!(content(world, "C:\\a").is_some() && content(world, "C:\\b").is_some());
            assert_eq!(world.about("mark_volume_dirty"), ["\\??\\C:"]);
        });
    }
    // Only the case of the name changes.
    on(move |world| {
        two_files(world);
        world.pretend_file_id("\\??\\C:\\a", 0x5000);
        process(world, &["\\??\\C:\\a|!\\??\\C:\\A"]);
        assert!(world.about("mark_volume_dirty").is_empty());
    });
}

/// A source among `NAMES`, and what becomes of it: deletion, or a target and whether it replaces.
type Action = (usize, Option<(usize, bool)>);

/// What a list does to files `a` to `e`, if nothing fails: name and content at the end.
fn model(operations: &[Action], initial: u8) -> Option<Vec<(&'static str, String)>> {
    let mut files: BTreeMap<&'static str, String> = (0..5)
        .filter(|index| initial & (1 << index) != 0)
        .map(|index| (NAMES[index], format!("{index}")))
        .collect();
    for &(source, action) in operations {
        let content = files.remove(NAMES[source])?;
        if let Some((target, replace)) = action {
            if source == target || (!replace && files.contains_key(NAMES[target])) {
                return None;
            }
            files.insert(NAMES[target], content);
        }
    }
    Some(files.into_iter().collect())
}

/// The list as it stands in the registry.
fn list_of(operations: &[Action]) -> String {
    let pair = |&(source, action): &Action| {
        let nt_path = |index: usize| format!("\\??\\{}", dos_path(NAMES[index]));
        let source = nt_path(source);
        match action {
            None => format!("{source}|"),
            Some((target, replace)) => {
                let mark = if replace { "!" } else { "" };
                format!("{source}|{mark}{}", nt_path(target))
            }
        }
    };
    operations.iter().map(pair).collect::<Vec<_>>().join("|")
}

fn texts(world: &Watched) -> Vec<(&'static str, String)> {
    let files = files(world).into_iter();
    files
        .map(|(name, data)| (name, String::from_utf8(data).unwrap()))
        .collect()
}

#[test]
fn a_sound_list_is_done_whole_and_its_repetition_after_a_power_cut_loses_no_content() {
    let config = ProptestConfig {
        cases: 300,
        max_global_rejects: 1_000_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let action = proptest::option::of((0usize..5, proptest::bool::ANY));
    let operations = proptest::collection::vec((0usize..5, action), 1..6);
    on(move |world| {
        proptest!(config, |(operations in operations, initial in 0u8..32, cut in 0usize..60)| {
            let Some(expected) = model(&operations, initial) else {
                return Err(TestCaseError::reject("fails by itself"));
            };
            let text = list_of(&operations);
            let prepare = || {
                clear(world);
                for index in (0..5).filter(|index| initial & (1 << index) != 0) {
                    world.file(&dos_path(NAMES[index]), format!("{index}").as_bytes());
                }
                world.made()
            };
            prepare();
            prop_assert_eq!(process(world, &[&text]), (operations.len(), 0), "{}", text);
            prop_assert_eq!(texts(world), &expected[..]);
            world.refuse(prepare() + cut, Status::IO_DEVICE_ERROR, true);
            process(world, &[&text]);
            world.refuse_nothing();
            process(world, &[&text]);
            let left = texts(world);
            for (_, content) in &expected {
                prop_assert!(
                    left.iter().any(|(_, there)| there == content),
                    "{}: cut at {}: {:?} of {:?}", text, cut, left, expected
                );
            }
        });
    });
}
