// SPDX-License-Identifier: GPL-2.0-or-later
//! The power goes at any write of a boot to its disk (spec 6.4): the three courses of the fault
//! sweep, the writes of the registry's hives among them.
//!
//! What was written since the last flush has reached the medium whole, or by chance in part. After
//! the next mount, of every cut:
//! * no two files own one cluster, and every file is as long as it says;
//! * every file of the medium is there with its content, under its old name or under the one it was
//!   to get, and a moved one not under both;
//! * every hive is a sound one.
//!
//! And the next boot from such a disk settles and finishes what was left to do: checked for cuts at
//! a flush, for a sample of them in a plain run and for all with `SMSS_FAULT_STEP=1`.

use crate::faults::{BUSY, Course, DEFAULT, Files, NT6, Wanted, lost, setting, undone};
use crate::system::End;
use executive::host::{DiskEvent, VolumeImage, after_power_cut};
use formats::hive::Hive;
use formats::sectors::Sectors;

const HIVES: [&str; 5] = ["SYSTEM", "SOFTWARE", "SAM", "SECURITY", "DEFAULT"];
const SYSTEM: &str = "\\ReactOS\\System32\\config\\SYSTEM";
/// Cuts at a flush from which the system boots again in a plain run.
const BOOTS: usize = 12;

/// Numbers that look like chance, the same every time.
struct Chance(u64);

impl Chance {
    fn coin(&mut self) -> bool {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 40 & 1 == 1
    }
}

/// What is wrong with a volume after a cut.
fn wrong<D: Sectors>(course: &Course, before: &Files, volume: &mut VolumeImage<D>) -> Vec<String> {
    let mut wrong = lost(course, before, volume);
    match volume.crossed_files() {
        Ok(crossed) => wrong.extend(
            crossed
                .into_iter()
                .map(|(one, other)| format!("{one} and {other} are one file")),
        ),
        Err(status) => wrong.push(format!("the volume: {status}")),
    }
    for (path, wanted) in course.wanted {
        if let Wanted::MovedTo(to) = wanted
            && volume.read(path).is_ok()
            && volume.read(to).ok().as_ref() == before.get(*path)
        {
            wrong.push(format!("{path} is {to} as well"));
        }
    }
    for name in HIVES {
        let file = volume.read(&format!("\\ReactOS\\System32\\config\\{name}"));
        match file.map(|bytes| Hive::parse(&bytes).err()) {
            Ok(None) => {}
            Ok(Some(error)) => wrong.push(format!("{name}: {error}")),
            Err(status) => wrong.push(format!("{name}: {status}")),
        }
    }
    wrong
}

fn cut_everywhere(course: &Course) {
    let before = (course.setup)().files();
    let booted = (course.setup)().recorded().boot();
    assert_eq!(booted.end, End::Settled);
    booted.end_work();
    let (start, journal) = booted.disk_history();
    let flushes = journal.iter().filter(|event| **event == DiskEvent::Flush);
    let flushes = flushes.count();
    let step = setting("SMSS_FAULT_STEP").map_or(flushes / BOOTS + 1, |step| step as usize);
    assert!(flushes > 8, "{flushes} flushes");
    let system = booted.read_file(SYSTEM).expect("the hive is there");
    let mut first = VolumeImage::mount(after_power_cut(start, &[], || true)).expect("a volume");
    assert!(
        first.read(SYSTEM).expect("the hive is there") != system,
        "the hive was written"
    );
    let mut chance = Chance(1);
    let mut faults = Vec::new();
    let mut flush = 0;
    for end in 0..=journal.len() {
        let log = &journal[..end];
        for in_part in [false, true] {
            let disk = after_power_cut(start, log, || !in_part || chance.coin());
            let found = match VolumeImage::mount_mended(disk) {
                Ok(mut volume) => wrong(course, &before, &mut volume),
                Err(status) => vec![format!("no volume: {status}")],
            };
            faults.extend(found.into_iter().map(|fault| format!("cut {end}: {fault}")));
        }
        if log.last() != Some(&DiskEvent::Flush) {
            continue;
        }
        flush += 1;
        if flush % step == 0 {
            let next = booted.boot_from(after_power_cut(start, log, || true).bytes());
            if next.end != End::Settled {
                faults.push(format!("cut {end}: the next boot ends with {:?}", next.end));
                continue;
            }
            let volume = &mut next.volume();
            let found = [
                undone(course, &before, volume),
                wrong(course, &before, volume),
            ];
            let found = found.into_iter().flatten();
            faults.extend(found.map(|fault| format!("cut {end}, next boot: {fault}")));
        }
    }
    let writes = journal.len() - flushes;
    println!("{}: {writes} writes, {flushes} flushes", course.name);
    assert!(
        faults.is_empty(),
        "{} wrong:\n{}",
        faults.len(),
        faults.join("\n")
    );
}

#[test]
fn spec_6_4_a_power_cut_at_any_point_of_a_default_boot_is_made_good() {
    cut_everywhere(&DEFAULT);
}

#[test]
fn spec_6_4_a_power_cut_at_any_point_of_a_busy_boot_is_made_good() {
    cut_everywhere(&BUSY);
}

#[test]
fn spec_6_4_a_power_cut_at_any_point_of_an_nt_6_boot_is_made_good() {
    cut_everywhere(&NT6);
}
