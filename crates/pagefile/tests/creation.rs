// SPDX-License-Identifier: GPL-2.0-or-later
//! Paging files over volumes of any size, which are pretended: rows of spec 4 and 17. What the kernel
//! makes on real ones is in `volumes.rs`.

use nt::access::{Access, OpenOptions, Share};
use nt::{ObjectAttributes, Owned, Status, UnicodeStr};
use pagefile::create_paging_files;
use test_support::Volume;
use test_support::host::{
    CONTROL, MemoryDisk, Seam, VolumeImage, Watched, watched, wide, world_of,
};

const MB: u64 = 1 << 20;
const GB: u64 = 1 << 30;

/// Drive letter, free bytes, characteristics.
type Volumes<'a> = &'a [(char, u64, u32)];

/// One disk, as most tests have it.
const C: Volumes<'static> = &[('C', GB, 0)];

/// Paging files made, in megabytes.
fn made(world: &'static Watched, tokens: &[&str]) -> Vec<(String, u64, u64)> {
    let tokens: Vec<Vec<u16>> = tokens.iter().map(|token| wide(token)).collect();
    create_paging_files(world, tokens.iter().map(|token| UnicodeStr(token)));
    let files = world.paging_files().into_iter();
    files
        .map(|(name, minimum, maximum)| (name, minimum / MB, maximum / MB))
        .collect()
}

fn file(letter: char, minimum: u64, maximum: u64) -> (String, u64, u64) {
    (format!("\\??\\{letter}:\\pagefile.sys"), minimum, maximum)
}

fn pretend(world: &Watched, volumes: Volumes<'_>, answers: &[Status]) {
    let volumes: Vec<Volume> = volumes
        .iter()
        .map(|&(letter, free, characteristics)| Volume {
            letter,
            free,
            characteristics,
        })
        .collect();
    world.pretend_volumes(&volumes, answers);
}

/// Lets the Session Manager do its act with so many megabytes of memory and these volumes, attempts
/// to make a paging file on which give these answers first.
fn with_memory(
    megabytes: u64,
    volumes: Volumes<'_>,
    answers: &'static [Status],
    act: impl FnOnce(&'static Watched) + Send + 'static,
) {
    let mut world = world_of(64);
    world.memory(megabytes);
    for _ in ['D', 'E'] {
        let volume = VolumeImage::new(16).unwrap().into_bytes().unwrap();
        world.disk(MemoryDisk::fixed(volume));
    }
    let volumes = volumes.to_vec();
    watched(&mut world, move |world| {
        pretend(world, &volumes, answers);
        act(world);
    });
}

/// Opens the old paging file as somebody does who may do anything with it and lets others do so.
fn shared_with_another(world: &Watched) -> Owned<&'static Seam> {
    let name = nt::wide!("\\??\\C:\\pagefile.sys");
    let share = Share::READ | Share::WRITE | Share::DELETE;
    let (name, options) = (ObjectAttributes::named(name), OpenOptions::empty());
    let access = Access::FILE_READ_DATA | Access::FILE_WRITE_DATA | Access::DELETE;
    nt::file::open(world.below(), &name, access, share, options).unwrap()
}

fn with(volumes: Volumes<'_>, act: impl FnOnce(&'static Watched) + Send + 'static) {
    with_memory(512, volumes, &[], act);
}

#[test]
fn spec_17_explicit_sizes() {
    for (token, sizes) in [
        ("C:\\pagefile.sys 64 128", (64, 128)),
        ("C:\\pagefile.sys 200 100", (200, 200)),
        ("C:\\pagefile.sys 0x40 0x80", (64, 128)),
        ("C:\\pagefile.sys 64\t128", (64, 64)),
    ] {
        with(C, move |world| {
            assert_eq!(made(world, &[token]), [file('C', sizes.0, sizes.1)]);
        });
    }
}

#[test]
fn spec_17_below_16_megabytes_is_never_made_and_the_emergency_file_is() {
    with_memory(64, &[('C', 4 * GB, 0)], &[], |world| {
        assert_eq!(made(world, &["C:\\pagefile.sys 8 8"]), [file('C', 96, 192)]);
    });
}

#[test]
fn spec_17_any_drive_is_the_first_fitting_fixed_one() {
    const VOLUMES: Volumes<'static> = &[
        ('A', GB, 5),
        ('C', GB / 2, 0),
        ('D', 8 * GB, 2),
        ('E', 8 * GB, 0),
    ];
    with(VOLUMES, |world| {
        assert_eq!(made(world, &["?:\\pagefile.sys"]), [file('E', 768, 1536)]);
    });
}

#[test]
fn spec_4_4_if_nothing_fits_whole_the_first_volume_with_16_megabytes_is_taken() {
    with(&[('C', 40 * MB, 0), ('D', 100 * MB, 0)], move |world| {
        assert_eq!(made(world, &["?:\\pagefile.sys"]), [file('D', 68, 68)]);
    });
}

#[test]
fn spec_4_4_an_explicit_size_on_any_drive_goes_where_all_of_it_fits() {
    with(&[('C', 60 * MB, 0), ('D', GB, 0)], move |world| {
        let made = made(world, &["?:\\pagefile.sys 64 128"]);
        assert_eq!(made, [file('D', 64, 128)]);
    });
}

#[test]
fn spec_4_2_only_drives_that_are_there_and_the_file_itself_are_looked_at() {
    // Too small for what is asked for and for the emergency file: each tries once, and neither
    // deletes or looks into a file that is not there.
    with(&[('C', 40 * MB, 0)], move |world| {
        assert_eq!(made(world, &["C:\\pagefile.sys 64 64"]), []);
        let file = "\\??\\C:\\pagefile.sys";
        assert_eq!(world.about("open_file"), ["\\??\\C:\\", file, file]);
    });
}

#[test]
fn spec_17_an_empty_list_is_no_paging_file_and_no_survey() {
    for tokens in [&[][..], &[""], &["", "  "]] {
        with(C, move |world| {
            assert_eq!(made(world, tokens), []);
            assert!(world.calls().is_empty());
        });
    }
}

#[test]
fn spec_17_of_17_tokens_the_first_16_are_used() {
    with(&[('C', 64 * GB, 0)], move |world| {
        let tokens: Vec<String> = (0..17)
            .map(|number| format!("C:\\p{number}.sys 16 16"))
            .collect();
        let tokens: Vec<&str> = tokens.iter().map(String::as_str).collect();
        let made = made(world, &tokens);
        assert_eq!(made.len(), 16);
        assert_eq!(made[15].0, "\\??\\C:\\p15.sys");
    });
}

#[test]
fn spec_4_1_a_second_any_drive_token_is_dropped() {
    with(&[('C', 64 * GB, 0)], move |world| {
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
    });
}

#[test]
fn spec_4_2_removable_read_only_floppy_and_remote_volumes_are_not_used() {
    for characteristics in [1, 2, 4, 0x10] {
        with(&[('C', 8 * GB, characteristics)], move |world| {
            assert_eq!(made(world, &["C:\\pagefile.sys 64 64"]), []);
            assert_eq!(world.count("create_paging_file"), 0);
        });
    }
}

#[test]
fn spec_4_2_no_volume_is_said_once_and_the_boot_goes_on() {
    with(&[], move |world| {
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
        assert_eq!(world.count("query_device_map"), 1);
        assert_eq!(world.count("create_paging_file"), 0);
    });
}

#[test]
fn a_boot_whose_volumes_can_all_not_be_written_goes_on_without_a_paging_file() {
    with_memory(512, C, &[Status::MEDIA_WRITE_PROTECTED; 100], |world| {
        let tokens = ["C:\\pagefile.sys 64 64", "?:\\pagefile.sys"];
        assert_eq!(made(world, &tokens), []);
        assert!(
            world.count("create_paging_file") <= 4,
            "a smaller file does not help there"
        );
    });
}

#[test]
fn spec_4_2_32_megabytes_stay_free() {
    with(&[('C', 132 * MB, 0)], move |world| {
        assert_eq!(
            made(world, &["C:\\pagefile.sys 200 400"]),
            [file('C', 100, 100)]
        );
    });
    with(&[('C', 32 * MB, 0)], move |world| {
        assert_eq!(made(world, &["C:\\pagefile.sys 16 16"]), []);
    });
}

#[test]
fn spec_4_4_a_refused_minimum_is_made_smaller_by_16_megabytes() {
    const ANSWERS: &[Status] = &[Status::DISK_FULL, Status::INVALID_PARAMETER_2];
    with_memory(512, C, ANSWERS, |world| {
        let made = made(world, &["C:\\pagefile.sys 100 200"]);
        assert_eq!(made, [file('C', 68, 200)]);
    });
}

#[test]
fn spec_4_4_a_stale_file_counts_as_room_and_goes_if_nothing_fits() {
    const VOLUMES: Volumes<'static> = &[('C', 132 * MB, 0)];
    with(VOLUMES, |world| {
        world.file("C:\\pagefile.sys", &vec![0; 50 << 20]);
        let made = made(world, &["C:\\pagefile.sys 150 200"]);
        assert_eq!(made, [file('C', 150, 150)]);
    });
    // Every size that is tried is refused; then the stale file is deleted and the emergency file
    // takes the drive.
    with_memory(64, VOLUMES, &[Status::DISK_FULL; 9], |world| {
        world.file("C:\\pagefile.sys", &vec![0; 50 << 20]);
        let made = made(world, &["C:\\pagefile.sys 150 200"]);
        assert_eq!(made, [file('C', 96, 150)]);
        assert_eq!(world.content("C:\\pagefile.sys"), None);
    });
}

#[test]
fn a_stale_file_that_another_has_open_and_shares_goes_as_well() {
    const VOLUMES: Volumes<'static> = &[('C', 132 * MB, 0)];
    with_memory(64, VOLUMES, &[Status::DISK_FULL; 9], |world| {
        world.file("C:\\pagefile.sys", &vec![0; 50 << 20]);
        let other = shared_with_another(world);
        let made = made(world, &["C:\\pagefile.sys 150 200"]);
        assert_eq!(made, [file('C', 96, 150)]);
        drop(other);
        assert_eq!(world.content("C:\\pagefile.sys"), None);
    });
}

#[test]
fn spec_4_4_a_fixed_drive_that_is_not_there_leads_to_the_emergency_file() {
    with(&[('C', 8 * GB, 0)], move |world| {
        assert_eq!(
            made(world, &["X:\\pagefile.sys 64 64"]),
            [file('C', 768, 1536)]
        );
    });
}

#[test]
fn spec_4_6_a_path_that_names_no_drive_still_asks_for_a_paging_file() {
    with(&[('C', 8 * GB, 0)], move |world| {
        assert_eq!(made(world, &["NUL 64 64"]), [file('C', 768, 1536)]);
    });
}

#[test]
fn spec_4_5_descriptors_are_independent() {
    with(&[('C', 8 * GB, 0), ('D', 8 * GB, 0)], move |world| {
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
    });
}

#[test]
fn a_second_file_on_a_volume_counts_with_the_room_the_first_left() {
    with(&[('C', 132 * MB, 0)], move |world| {
        let files = made(world, &["C:\\a.sys 60 60", "C:\\b.sys 60 60"]);
        assert_eq!(files[1], ("\\??\\C:\\b.sys".to_string(), 40, 40));
    });
}

#[test]
fn spec_4_3_memory_that_cannot_be_asked_for_means_128_megabytes() {
    with(C, move |world| {
        // The first call is the one for the size of the memory.
        world.refuse(0, Status::ACCESS_DENIED, false);
        assert_eq!(made(world, &["C:\\pagefile.sys"]), [file('C', 128, 128)]);
    });
}

#[test]
fn spec_4_3_sizes_beyond_32_bits() {
    with_memory(8 << 10, &[('C', 1 << 40, 0)], &[], |world| {
        let made = made(world, &["C:\\pagefile.sys", "C:\\b.sys 5000 6000"]);
        let second = ("\\??\\C:\\b.sys".into(), 5000, 6000);
        assert_eq!(made, [file('C', 8192, 24576), second]);
    });
}

#[test]
fn spec_4_8_a_crash_dump_in_the_old_paging_file_is_kept_and_recorded() {
    with(C, move |world| {
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
    });
}

#[test]
fn spec_4_8_only_the_boot_volume_holds_a_dump_and_an_ordinary_file_is_none() {
    with(&[('C', GB, 0), ('D', GB, 0)], move |world| {
        world
            .file("D:\\pagefile.sys", b"PAGEDUMP")
            .file("C:\\pagefile.sys", b"PAGE");
        assert_eq!(
            made(world, &["D:\\pagefile.sys 64 64", "C:\\pagefile.sys 64 64"]).len(),
            2
        );
        assert_eq!(world.content("C:\\MACHINE_CRASH.DMP"), None);
        assert_eq!(world.content("D:\\MACHINE_CRASH.DMP"), None);
    });
}

#[test]
fn every_failing_call_leaves_the_boot_going_and_leaks_nothing() {
    const VOLUMES: Volumes<'static> = &[('C', GB, 0), ('D', GB, 0)];
    const TOKENS: [&str; 2] = ["C:\\pagefile.sys 64 64", "?:\\x.sys"];
    fn prepare(world: &Watched) -> usize {
        world.remove("C:\\pagefile.sys");
        world.remove("C:\\MACHINE_CRASH.DMP");
        world.file("C:\\pagefile.sys", b"PAGEDUMP");
        pretend(world, VOLUMES, &[]);
        world.calls().len()
    }
    with(VOLUMES, |world| {
        prepare(world);
        made(world, &TOKENS);
        let count = world.calls().len();
        for status in [
            Status::NO_MEMORY,
            Status::ACCESS_DENIED,
            Status::IO_DEVICE_ERROR,
        ] {
            for (number, persistent) in (0..count).flat_map(|n| [(n, false), (n, true)]) {
                let first = prepare(world);
                world.refuse(first + number, status, persistent);
                made(world, &TOKENS);
                world.refuse_nothing();
                let calls = &world.calls()[first..];
                assert!(calls.len() < 1000, "no endless tries");
                let dump = [
                    world.content("C:\\pagefile.sys"),
                    world.content("C:\\MACHINE_CRASH.DMP"),
                ];
                let kept = dump.iter().flatten().any(|data| data == b"PAGEDUMP");
                let unseen = ["open_file", "query_standard", "allocate_pages", "read_file"]
                    .contains(&calls[number].name);
                assert!(
                    kept || unseen,
                    "a dump that was seen is not lost: call {number}, {status}"
                );
            }
        }
    });
}
