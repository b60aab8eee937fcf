// SPDX-License-Identifier: GPL-2.0-or-later
//! Paging files over volumes in memory: rows of spec 4 and 17.

#[path = "../../nt/tests/support/mod.rs"]
mod support;

use nt::{Status, UnicodeStr};
use pagefile::create_paging_files;
use support::{CONTROL, World, wide};

const MB: u64 = 1 << 20;
const GB: u64 = 1 << 30;

/// Paging files made, in megabytes.
fn made(world: &World, tokens: &[&str]) -> Vec<(String, u64, u64)> {
    let tokens: Vec<Vec<u16>> = tokens.iter().map(|token| wide(token)).collect();
    create_paging_files(world, tokens.iter().map(|token| UnicodeStr(token)));
    assert_eq!(world.open_handles(), 0, "every handle is closed");
    world
        .state()
        .paging_files
        .iter()
        .map(|(name, minimum, maximum)| (name.clone(), minimum / MB, maximum / MB))
        .collect()
}

fn file(letter: char, minimum: u64, maximum: u64) -> (String, u64, u64) {
    (format!("\\??\\{letter}:\\pagefile.sys"), minimum, maximum)
}

fn with(volumes: &[(char, u64, u32)]) -> &'static World {
    let world = World::new();
    world.state().volumes = volumes.to_vec();
    for (letter, ..) in volumes {
        world.directory(&format!("{letter}:"));
    }
    world
}

fn calls(world: &World, name: &str) -> usize {
    world
        .state()
        .calls
        .iter()
        .filter(|call| **call == name)
        .count()
}

#[test]
fn spec_17_explicit_sizes() {
    assert_eq!(
        made(World::new(), &["C:\\pagefile.sys 64 128"]),
        [file('C', 64, 128)]
    );
    assert_eq!(
        made(World::new(), &["C:\\pagefile.sys 200 100"]),
        [file('C', 200, 200)]
    );
    assert_eq!(
        made(World::new(), &["C:\\pagefile.sys 0x40 0x80"]),
        [file('C', 64, 128)]
    );
    assert_eq!(
        made(World::new(), &["C:\\pagefile.sys 64\t128"]),
        [file('C', 64, 64)]
    );
}

#[test]
fn spec_17_below_16_megabytes_is_never_made_and_the_emergency_file_is() {
    let world = with(&[('C', 4 * GB, 0)]);
    world.state().memory_megabytes = 64;
    assert_eq!(made(world, &["C:\\pagefile.sys 8 8"]), [file('C', 96, 192)]);
}

#[test]
fn spec_17_any_drive_is_the_first_fitting_fixed_one() {
    let world = with(&[
        ('A', GB, 5),
        ('C', GB / 2, 0),
        ('D', 8 * GB, 2),
        ('E', 8 * GB, 0),
    ]);
    assert_eq!(made(world, &["?:\\pagefile.sys"]), [file('E', 768, 1536)]);
}

#[test]
fn spec_4_4_if_nothing_fits_whole_the_first_volume_with_16_megabytes_is_taken() {
    let world = with(&[('C', 40 * MB, 0), ('D', 100 * MB, 0)]);
    assert_eq!(made(world, &["?:\\pagefile.sys"]), [file('D', 68, 68)]);
}

#[test]
fn spec_17_an_empty_list_is_no_paging_file_and_no_survey() {
    for tokens in [&[][..], &[""], &["", "  "]] {
        let world = World::new();
        assert_eq!(made(world, tokens), []);
        assert!(world.state().calls.is_empty());
    }
}

#[test]
fn spec_17_of_17_tokens_the_first_16_are_used() {
    let world = with(&[('C', 64 * GB, 0)]);
    let tokens: Vec<String> = (0..17)
        .map(|number| format!("C:\\p{number}.sys 16 16"))
        .collect();
    let tokens: Vec<&str> = tokens.iter().map(String::as_str).collect();
    let made = made(world, &tokens);
    assert_eq!(made.len(), 16);
    assert_eq!(made[15].0, "\\??\\C:\\p15.sys");
}

#[test]
fn spec_4_1_a_second_any_drive_token_is_dropped() {
    let world = with(&[('C', 64 * GB, 0)]);
    assert_eq!(
        made(
            world,
            &[
                "?:\\pagefile.sys 64 64",
                "?:\\other.sys 64 64",
                "C:\\x.sys 32 32"
            ]
        )
        .len(),
        2
    );
}

#[test]
fn spec_4_2_removable_read_only_floppy_and_remote_volumes_are_not_used() {
    for characteristics in [1, 2, 4, 0x10] {
        let world = with(&[('C', 8 * GB, characteristics)]);
        assert_eq!(made(world, &["C:\\pagefile.sys 64 64"]), []);
        assert_eq!(calls(world, "create_paging_file"), 0);
    }
}

#[test]
fn spec_4_2_no_volume_is_said_once_and_the_boot_goes_on() {
    let world = with(&[]);
    assert_eq!(
        made(
            world,
            &[
                "C:\\pagefile.sys 64 64",
                "D:\\pagefile.sys",
                "?:\\pagefile.sys"
            ]
        ),
        []
    );
    assert_eq!(calls(world, "query_device_map"), 1);
    assert_eq!(calls(world, "create_paging_file"), 0);
}

#[test]
fn a_boot_whose_volumes_can_all_not_be_written_goes_on_without_a_paging_file() {
    let world = World::new();
    world
        .state()
        .paging_answers
        .extend([Status::MEDIA_WRITE_PROTECTED; 100]);
    assert_eq!(
        made(world, &["C:\\pagefile.sys 64 64", "?:\\pagefile.sys"]),
        []
    );
    assert!(
        calls(world, "create_paging_file") <= 4,
        "a smaller file does not help there"
    );
}

#[test]
fn spec_4_2_32_megabytes_stay_free() {
    let world = with(&[('C', 132 * MB, 0)]);
    assert_eq!(
        made(world, &["C:\\pagefile.sys 200 400"]),
        [file('C', 100, 100)]
    );
    let world = with(&[('C', 32 * MB, 0)]);
    assert_eq!(made(world, &["C:\\pagefile.sys 16 16"]), []);
}

#[test]
fn spec_4_4_a_refused_minimum_is_made_smaller_by_16_megabytes() {
    let world = World::new();
    world.state().paging_answers.extend([
        Status::DISK_FULL,
        Status::INVALID_PARAMETER_2,
        Status::SUCCESS,
    ]);
    assert_eq!(
        made(world, &["C:\\pagefile.sys 100 200"]),
        [file('C', 68, 200)]
    );
}

#[test]
fn spec_4_4_a_stale_file_counts_as_room_and_goes_if_nothing_fits() {
    let world = with(&[('C', 132 * MB, 0)]);
    world.file("C:\\pagefile.sys", &vec![0; 50 << 20]);
    assert_eq!(
        made(world, &["C:\\pagefile.sys 150 200"]),
        [file('C', 150, 150)]
    );
    let world = with(&[('C', 132 * MB, 0)]);
    world.file("C:\\pagefile.sys", &vec![0; 50 << 20]);
    // Every size that is tried is refused; then the stale file is deleted and the emergency file
    // takes the drive.
    world.state().paging_answers.extend([Status::DISK_FULL; 9]);
    world.state().memory_megabytes = 64;
    assert_eq!(
        made(world, &["C:\\pagefile.sys 150 200"]),
        [file('C', 96, 150)]
    );
    assert_eq!(world.content("C:\\pagefile.sys"), None);
}

#[test]
fn spec_4_4_a_fixed_drive_that_is_not_there_leads_to_the_emergency_file() {
    let world = with(&[('C', 8 * GB, 0)]);
    assert_eq!(
        made(world, &["X:\\pagefile.sys 64 64"]),
        [file('C', 768, 1536)]
    );
}

#[test]
fn spec_4_6_a_path_that_names_no_drive_still_asks_for_a_paging_file() {
    let world = with(&[('C', 8 * GB, 0)]);
    assert_eq!(made(world, &["NUL 64 64"]), [file('C', 768, 1536)]);
}

#[test]
fn spec_4_5_descriptors_are_independent() {
    let world = with(&[('C', 8 * GB, 0), ('D', 8 * GB, 0)]);
    assert_eq!(
        made(
            world,
            &[
                "X:\\pagefile.sys 1 1",
                "D:\\pagefile.sys 64 64",
                "C:\\pagefile.sys 32 32"
            ]
        ),
        [file('D', 64, 64), file('C', 32, 32)]
    );
}

#[test]
fn a_second_file_on_a_volume_counts_with_the_room_the_first_left() {
    let world = with(&[('C', 132 * MB, 0)]);
    let files = made(world, &["C:\\a.sys 60 60", "C:\\b.sys 60 60"]);
    assert_eq!(files[1], ("\\??\\C:\\b.sys".to_string(), 40, 40));
}

#[test]
fn spec_4_3_memory_that_cannot_be_asked_for_means_128_megabytes() {
    let world = World::new();
    // The first call is the one for the size of the memory.
    world.state().fault = Some((0, Status::ACCESS_DENIED, false));
    assert_eq!(made(world, &["C:\\pagefile.sys"]), [file('C', 128, 128)]);
}

#[test]
fn spec_4_3_sizes_beyond_32_bits() {
    let world = with(&[('C', 1 << 40, 0)]);
    world.state().memory_megabytes = 8 << 10;
    assert_eq!(
        made(world, &["C:\\pagefile.sys", "C:\\b.sys 5000 6000"]),
        [
            file('C', 8192, 24576),
            ("\\??\\C:\\b.sys".into(), 5000, 6000)
        ]
    );
}

#[test]
fn spec_4_8_a_crash_dump_in_the_old_paging_file_is_kept_and_recorded() {
    let world = World::new();
    world.key(&format!("{CONTROL}\\CrashControl"), &[]);
    world.file("C:\\pagefile.sys", b"PAGEDU64 and the dump");
    assert_eq!(
        made(world, &["C:\\pagefile.sys 64 64"]),
        [file('C', 64, 64)]
    );
    assert_eq!(
        world.content("C:\\MACHINE_CRASH.DMP").as_deref(),
        Some(&b"PAGEDU64 and the dump"[..])
    );
    assert_eq!(world.content("C:\\pagefile.sys"), None);
    let key = format!("{CONTROL}\\CrashControl\\MachineCrash");
    assert_eq!(
        world.text_value(&key, "DumpFile").as_deref(),
        Some("C:\\MACHINE_CRASH.DMP")
    );
    assert_eq!(
        world.value(&key, "TempDestination"),
        Some((4, vec![1, 0, 0, 0]))
    );
}

#[test]
fn spec_4_8_the_look_for_a_dump_leaves_no_data_section_in_the_way_of_the_paging_file() {
    let world = World::new();
    // What the last boot left.
    world.file("C:\\pagefile.sys", &[0; 8192]);
    let tokens = ["C:\\pagefile.sys 64 64"];
    assert_eq!(made(world, &tokens), [file('C', 64, 64)]);
}

#[test]
fn spec_4_8_only_the_boot_volume_holds_a_dump_and_an_ordinary_file_is_none() {
    let world = with(&[('C', GB, 0), ('D', GB, 0)]);
    world
        .file("D:\\pagefile.sys", b"PAGEDUMP")
        .file("C:\\pagefile.sys", b"PAGE");
    assert_eq!(
        made(world, &["D:\\pagefile.sys 64 64", "C:\\pagefile.sys 64 64"]).len(),
        2
    );
    assert_eq!(world.content("C:\\MACHINE_CRASH.DMP"), None);
    assert_eq!(world.content("D:\\MACHINE_CRASH.DMP"), None);
}

#[test]
fn every_failing_call_leaves_the_boot_going_and_leaks_nothing() {
    let prepare = || {
        let world = with(&[('C', GB, 0), ('D', GB, 0)]);
        world.file("C:\\pagefile.sys", b"PAGEDUMP");
        world
    };
    let tokens = ["C:\\pagefile.sys 64 64", "?:\\x.sys"];
    let world = prepare();
    made(world, &tokens);
    let count = world.state().calls.len();
    for status in [
        Status::NO_MEMORY,
        Status::ACCESS_DENIED,
        Status::IO_DEVICE_ERROR,
    ] {
        for number in 0..count {
            for persistent in [false, true] {
                let world = prepare();
                world.state().fault = Some((number, status, persistent));
                made(world, &tokens);
                assert!(world.state().calls.len() < 1000, "no endless tries");
                let dump = [
                    world.content("C:\\pagefile.sys"),
                    world.content("C:\\MACHINE_CRASH.DMP"),
                ];
                let kept = dump.iter().flatten().any(|data| data == b"PAGEDUMP");
                let unseen = ["open_file", "query_standard", "allocate_pages", "read_file"]
                    .contains(&world.state().calls[number]);
                assert!(
                    kept || unseen,
                    "a dump that was seen is not lost: call {number}, {status}"
                );
            }
        }
    }
}
