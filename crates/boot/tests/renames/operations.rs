// SPDX-License-Identifier: GPL-2.0-or-later
//! What the operations of a list do, and what one that fails does: rows of spec 6.1 to 6.3 and 17.

use crate::{UPGRADES, clear, content, files, on, process, says, two_files, upgradable};
use boot::process_renames;
use nt::Status;
use nt::system::FileAttributes;
use test_support::warnings;

#[test]
fn spec_17_an_empty_destination_deletes() {
    on(move |world| {
        two_files(world);
        assert_eq!(process(world, &["\\??\\C:\\a|"]), (1, 0));
        assert_eq!(content(world, "C:\\a"), None);
        assert_eq!(process(world, &["@\\??\\C:\\b|"]), (1, 0));
        assert_eq!(content(world, "C:\\b"), None);
    });
}

#[test]
fn spec_17_an_exclamation_mark_replaces_a_read_only_target() {
    for mark in ["!", "@"] {
        on(move |world| {
            two_files(world);
            world.set_file_attributes("C:\\b", FileAttributes::READONLY);
            assert_eq!(
                process(world, &[&format!("\\??\\C:\\a|{mark}\\??\\C:\\b")]),
                (1, 0)
            );
            assert_eq!(content(world, "C:\\a"), None);
            assert_eq!(content(world, "C:\\b").as_deref(), Some("new"));
        });
    }
}

#[test]
fn spec_17_without_a_mark_an_existing_target_is_a_collision_and_both_stay() {
    on(move |world| {
        two_files(world);
        assert_eq!(process(world, &["\\??\\C:\\a|\\??\\C:\\b"]), (0, 1));
        assert_eq!(content(world, "C:\\a").as_deref(), Some("new"));
        assert_eq!(content(world, "C:\\b").as_deref(), Some("old"));
    });
}

#[test]
fn spec_17_an_odd_number_of_strings_ignores_the_last_source() {
    on(move |world| {
        two_files(world);
        assert_eq!(process(world, &["\\??\\C:\\a||\\??\\C:\\b"]), (1, 1));
        assert_eq!(content(world, "C:\\b").as_deref(), Some("old"));
    });
}

#[test]
fn d13_an_odd_first_value_does_not_shift_the_pairs_of_the_second() {
    on(move |world| {
        two_files(world);
        assert_eq!(
            process(world, &["\\??\\C:\\a", "\\??\\C:\\b|\\??\\C:\\c"]),
            (1, 1)
        );
        assert_eq!(content(world, "C:\\a").as_deref(), Some("new"));
        assert_eq!(content(world, "C:\\c").as_deref(), Some("old"));
    });
    // Nor does it shift what is held against a repetition.
    on(|world| {
        upgradable(world);
        let value = ["\\??\\C:\\e", UPGRADES[1]];
        assert_eq!(process(world, &value), (2, 1));
        let finished = files(world);
        assert_eq!(process(world, &value), (0, 0));
        assert_eq!(files(world), finished);
    });
}

#[test]
fn spec_6_1_values_and_operations_are_in_order() {
    on(move |world| {
        two_files(world);
        assert_eq!(
            process(
                world,
                &[
                    "\\??\\C:\\b|\\??\\C:\\c|\\??\\C:\\a|\\??\\C:\\b",
                    "\\??\\C:\\c|"
                ]
            ),
            (3, 0)
        );
        assert_eq!(
            (
                content(world, "C:\\a"),
                content(world, "C:\\b").as_deref(),
                content(world, "C:\\c")
            ),
            (None, Some("new"), None)
        );
    });
}

#[test]
fn spec_6_3_each_failure_is_its_pairs_only() {
    on(move |world| {
        two_files(world);
        world
            .directory("C:\\full")
            .file("C:\\full\\x", b"x")
            .directory("C:\\empty");
        world.file("C:\\locked", b"l").file("C:\\ro", b"r");
        world.set_file_attributes("C:\\ro", FileAttributes::READONLY);
        let _locked = world.locked("C:\\locked");
        let failing = [
            "\\??\\C:\\missing|\\??\\C:\\x",
            "\\??\\C:\\a|\\??\\D:\\a",
            "\\??\\C:\\a|\\??\\C:\\no\\directory",
            "\\??\\C:\\full|",
            "\\??\\C:\\locked|",
            "\\??\\C:\\ro|",
            "|\\??\\C:\\x",
            "|",
            "no path|",
        ];
        for pair in failing {
            assert_eq!(process(world, &[pair]), (0, 1), "{pair}");
        }
        assert_eq!(
            process(
                world,
                &[&format!(
                    "{}|\\??\\C:\\empty||\\??\\C:\\a|\\??\\C:\\z",
                    failing.join("|")
                )]
            ),
            (2, failing.len())
        );
        assert_eq!(content(world, "C:\\z").as_deref(), Some("new"));
        assert_eq!(content(world, "C:\\full\\x").as_deref(), Some("x"));
        assert_eq!(content(world, "C:\\ro").as_deref(), Some("r"));
    });
}

#[test]
fn spec_6_2_a_file_that_another_has_open_and_shares_is_renamed_and_deleted() {
    on(|world| {
        two_files(world);
        let others = ["C:\\a", "C:\\b"].map(|path| world.shared(path));
        let value = "\\??\\C:\\a|\\??\\C:\\c|\\??\\C:\\b|";
        assert_eq!(process(world, &[value]), (2, 0));
        drop(others);
        assert_eq!(content(world, "C:\\c").as_deref(), Some("new"));
        assert_eq!(content(world, "C:\\b"), None);
    });
}

#[test]
fn spec_6_2_directories_are_renamed_with_what_is_in_them() {
    on(move |world| {
        world.directory("C:\\d").file("C:\\d\\x", b"x");
        assert_eq!(process(world, &["\\??\\C:\\d|\\??\\C:\\e"]), (1, 0));
        assert_eq!(content(world, "C:\\e\\x").as_deref(), Some("x"));
    });
}

#[test]
fn nothing_to_do_asks_the_kernel_nothing() {
    on(move |world| {
        process_renames(world, [core::iter::empty(), core::iter::empty()]);
        assert!(world.calls().is_empty());
    });
}

#[test]
fn spec_6_2_the_restore_privilege_is_on_while_files_are_renamed_and_off_after() {
    on(move |world| {
        two_files(world);
        process(world, &["\\??\\C:\\a|"]);
        let calls = world.calls();
        for call in [calls.first(), calls.last()] {
            assert_eq!(call.unwrap().name, "adjust_privilege");
        }
        assert_eq!(world.count("adjust_privilege"), 2);
    });
}

#[test]
fn spec_6_3_an_operation_that_fails_is_reported() {
    on(|world| {
        let value = "\\??\\C:\\x||\\??\\C:\\y|!\\??\\C:\\z|\\??\\C:\\left";
        let said = warnings(|| assert_eq!(process(world, &[value]), (0, 3)));
        assert_eq!(said.len(), 3, "{said:?}");
        assert!(says(&said, &["delete \\??\\C:\\x"]));
        assert!(says(&said, &["\\??\\C:\\y -> \\??\\C:\\z, replaced"]));
        assert!(says(&said, &["\\??\\C:\\left"]));
    });
}

#[test]
fn spec_6_1_a_first_run_does_what_the_list_says_however_stale_it_is() {
    // Neither of the sources that are to take the names is there.
    on(move |world| {
        two_files(world);
        let value = "\\??\\C:\\a||\\??\\C:\\gone|\\??\\C:\\a";
        assert_eq!(process(world, &[value]), (1, 1));
        assert_eq!(content(world, "C:\\a"), None);
    });
    on(move |world| {
        world
            .directory("C:\\App")
            .file("C:\\App\\x", b"x")
            .file("C:\\App\\y", b"y");
        let value =
            "\\??\\C:\\App\\x||\\??\\C:\\App\\y||\\??\\C:\\App||\\??\\C:\\Gone|!\\??\\C:\\App";
        assert_eq!(process(world, &[value]), (3, 1));
        assert_eq!(content(world, "C:\\App"), None);
    });
    on(move |world| {
        two_files(world);
        let value = "\\??\\C:\\a|!\\??\\C:\\a.bak|\\??\\C:\\a.new|\\??\\C:\\a";
        assert_eq!(process(world, &[value]), (1, 1));
        assert_eq!(content(world, "C:\\a.bak").as_deref(), Some("new"));
    });
}

#[test]
fn a_list_of_1000_operations_is_done_whole() {
    on(|world| {
        world.directory("C:\\many");
        let list: Vec<String> = (0..500)
            .map(|number| format!("\\??\\C:\\many\\{number}"))
            .map(|name| format!("{name}||{name}.new|{name}"))
            .collect();
        for number in 0..500 {
            let name = format!("C:\\many\\{number}");
            world
                .file(&name, b"old")
                .file(&format!("{name}.new"), b"new");
        }
        assert_eq!(process(world, &[&list.join("|")]), (1000, 0));
        assert_eq!(content(world, "C:\\many\\499").as_deref(), Some("new"));
    });
}

#[test]
fn every_single_failing_call_costs_at_most_its_own_operation() {
    let value = ["\\??\\C:\\a|!\\??\\C:\\b|\\??\\C:\\c|"];
    on(move |world| {
        let prepare = || {
            clear(world);
            two_files(world);
            world.file("C:\\c", b"c");
            world.made()
        };
        prepare();
        process(world, &value);
        for number in 0..world.made() {
            world.refuse(prepare() + number, Status::NO_MEMORY, false);
            let (done, failed) = process(world, &value);
            assert_eq!(done + failed, 2);
            assert!(failed <= 1, "call {number}");
            let replaced = content(world, "C:\\b").as_deref() == Some("new");
            assert!(
                replaced || content(world, "C:\\a").is_some(),
                "no file is lost"
            );
        }
    });
}
