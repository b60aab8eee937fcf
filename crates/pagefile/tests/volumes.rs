// SPDX-License-Identifier: GPL-2.0-or-later
//! Paging files over the executive: on a real FAT volume, with the kernel's own limits.

use executive::dump::Snapshot;
use nt::UnicodeStr;
use pagefile::create_paging_files;
use test_support::host::{Seam, run, wide, world_of};

const MB: u64 = 1 << 20;

fn create(tokens: &'static [&'static str]) -> impl Fn(&'static Seam) + Send + Sync + 'static {
    move |seam| {
        let tokens: Vec<Vec<u16>> = tokens.iter().map(|token| wide(token)).collect();
        create_paging_files(seam, tokens.iter().map(|token| UnicodeStr(token)));
    }
}

fn files(snapshot: &Snapshot) -> Vec<(u64, u64)> {
    snapshot
        .page_files
        .iter()
        .map(|file| (file.size / MB, file.maximum / MB))
        .collect()
}

#[test]
fn spec_17_explicit_sizes_on_the_disk() {
    let mut world = world_of(200);
    let ((), snapshot) = run(&mut world, create(&["C:\\pagefile.sys 64 128"]));
    assert_eq!(files(&snapshot), [(64, 128)]);
    let file = snapshot
        .files
        .iter()
        .find(|file| file.path.to_lowercase().ends_with("\\pagefile.sys"))
        .unwrap();
    assert_eq!(file.size, 64 * MB);
    assert_eq!(file.attributes & 6, 6, "SYSTEM and HIDDEN");
}

#[test]
fn spec_17_system_managed_on_any_drive() {
    let mut world = world_of(1000);
    world.memory(512);
    let ((), snapshot) = run(&mut world, create(&["?:\\pagefile.sys"]));
    let [(minimum, maximum)] = files(&snapshot)[..] else {
        panic!("one paging file")
    };
    assert_eq!(minimum, 768);
    assert!(
        (900..=1000).contains(&maximum),
        "at most what is free: {maximum}"
    );
}

#[test]
fn spec_4_6_an_impossible_token_leads_to_the_emergency_file() {
    let mut world = world_of(260);
    world.memory(64);
    let ((), snapshot) = run(&mut world, create(&["X:\\pagefile.sys 64 64"]));
    assert_eq!(files(&snapshot), [(96, 192)]);
}

#[test]
fn spec_4_4_a_volume_too_small_holds_what_leaves_32_megabytes() {
    let mut world = world_of(100);
    let ((), snapshot) = run(&mut world, create(&["C:\\pagefile.sys 200 200"]));
    let [(minimum, _)] = files(&snapshot)[..] else {
        panic!("one paging file")
    };
    assert!((50..=68).contains(&minimum), "{minimum}");
}

#[test]
fn a_volume_of_40_megabytes_has_no_room_and_the_boot_goes_on() {
    let mut world = world_of(40);
    let ((), snapshot) = run(
        &mut world,
        create(&["C:\\pagefile.sys 64 64", "?:\\pagefile.sys"]),
    );
    assert_eq!(files(&snapshot), []);
}

#[test]
fn spec_4_1_sixteen_files_and_no_more() {
    let mut world = world_of(320);
    let tokens: &[&str] = &[
        "C:\\0.sys 16 16",
        "C:\\1.sys 16 16",
        "C:\\2.sys 16 16",
        "C:\\3.sys 16 16",
        "C:\\4.sys 16 16",
        "C:\\5.sys 16 16",
        "C:\\6.sys 16 16",
        "C:\\7.sys 16 16",
        "C:\\8.sys 16 16",
        "C:\\9.sys 16 16",
        "C:\\10.sys 16 16",
        "C:\\11.sys 16 16",
        "C:\\12.sys 16 16",
        "C:\\13.sys 16 16",
        "C:\\14.sys 16 16",
        "C:\\15.sys 16 16",
        "C:\\16.sys 16 16",
    ];
    let ((), snapshot) = run(&mut world, create(tokens));
    assert_eq!(files(&snapshot), [(16, 16); 16]);
}

#[test]
fn spec_4_8_a_crash_dump_survives_the_new_paging_file() {
    let mut world = world_of(100);
    world.file("\\pagefile.sys", b"PAGEDU64: what happened");
    let ((), snapshot) = run(&mut world, create(&["C:\\pagefile.sys 32 32"]));
    assert_eq!(files(&snapshot), [(32, 32)]);
    assert_eq!(
        world.read_file("\\MACHINE_CRASH.DMP").as_deref(),
        Some(&b"PAGEDU64: what happened"[..])
    );
}

#[test]
fn spec_4_8_the_look_for_a_dump_leaves_no_data_section_in_the_way_of_the_paging_file() {
    let mut world = world_of(140);
    // What the last boot left.
    world.file("\\pagefile.sys", &[0; 8192]);
    let ((), snapshot) = run(&mut world, create(&["C:\\pagefile.sys 64 64"]));
    assert_eq!(files(&snapshot), [(64, 64)]);
}

#[test]
fn a_stale_file_of_the_last_boot_is_used_again() {
    let mut world = world_of(140);
    run(&mut world, create(&["C:\\pagefile.sys 64 64"]));
    // The power goes: the file is still there.
    let mut world = world.reboot();
    let ((), snapshot) = run(&mut world, create(&["C:\\pagefile.sys 64 64"]));
    assert_eq!(files(&snapshot), [(64, 64)]);
}
