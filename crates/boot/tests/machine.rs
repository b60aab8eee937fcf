// SPDX-License-Identifier: GPL-2.0-or-later
//! Boot commands, pending renames and computed variables over the executive: real processes, a real
//! FAT volume, a real power cut.

use boot::{execute_commands, process_renames, write_computed_variables};
use executive::host::Fault;
use launch::Launcher;
use nt::environment::Environment;
use nt::failure::Skippable;
use nt::system::{FileAttributes, ImageSubsystem, Objects, Processes};
use nt::{Status, UnicodeStr};
use std::sync::{Arc, Mutex};
use test_support::host::{SM, Seam, World, run, text, wide, world};

fn execute(seam: &'static Seam, lines: &[&str]) {
    let environment = Environment::copied(seam, seam.own_environment()).unwrap();
    let mut path = nt::pages::PageVec::new(seam);
    launch::library_path(seam, nt::wide!("C:\\ReactOS\\System32"), &mut path).unwrap();
    let launcher = Launcher {
        system: seam,
        environment: &environment,
        library_path: path.as_str(),
        debug: false,
    };
    let lines: Vec<Vec<u16>> = lines.iter().map(|line| wide(line)).collect();
    execute_commands(
        &launcher,
        Skippable::BootExecute,
        lines.iter().map(|line| UnicodeStr(line)),
    );
}

/// A world with a program that notes when it begins and ends, and takes its time.
fn with_programs(notes: &Arc<Mutex<Vec<String>>>, names: &[&'static str]) -> World {
    let mut world = world();
    for &name in names {
        let notes = Arc::clone(notes);
        world.program(
            &format!("{name}.exe"),
            ImageSubsystem::NATIVE,
            move |seam| {
                notes
                    .lock()
                    .unwrap()
                    .push(format!("{name} begins: {}", seam.own_command_line()));
                seam.delay(10_000).unwrap();
                notes.lock().unwrap().push(format!("{name} ends"));
                Status::SUCCESS
            },
        );
    }
    world
}

#[test]
fn spec_8_commands_run_one_after_the_other_with_what_a_child_gets() {
    let notes = Arc::default();
    let mut world = with_programs(&notes, &["autochk", "foo"]);
    run(&mut world, |seam| {
        execute(seam, &["autocheck autochk *", "", "nosuch", "foo  a b"])
    });
    assert_eq!(
        *notes.lock().unwrap(),
        [
            "autochk begins: \\??\\C:\\ReactOS\\System32\\autochk.exe *",
            "autochk ends",
            "foo begins: foo  a b",
            "foo ends"
        ]
    );
    assert_eq!(world.boot_screen().matches("AUTOCHECK").count(), 0);
    let foo = world
        .processes()
        .into_iter()
        .find(|process| process.image.eq_ignore_ascii_case("foo.exe"));
    if let Some(foo) = foo {
        assert_eq!(foo.current_directory, "C:\\ReactOS\\System32\\");
        assert!(foo.dll_path.starts_with("C:\\ReactOS\\system32;"));
        assert_eq!(foo.flags & 0x2_0000, 0x2_0000, "NX");
    }
}

#[test]
fn spec_17_async_lets_the_next_command_start_at_once() {
    let notes = Arc::default();
    let mut world = with_programs(&notes, &["slow", "next"]);
    run(&mut world, |seam| execute(seam, &["async slow", "next"]));
    let notes = notes.lock().unwrap();
    let at = |text: &str| {
        notes
            .iter()
            .position(|note| note.starts_with(text))
            .unwrap()
    };
    assert!(at("next begins") < at("slow ends"), "{notes:?}");
}

#[test]
fn spec_17_a_windows_program_is_killed_and_the_next_runs() {
    let notes = Arc::default();
    let mut world = with_programs(&notes, &["next"]);
    world.program("cmd.exe", ImageSubsystem::WINDOWS_CUI, |_| {
        panic!("it never runs")
    });
    run(&mut world, |seam| execute(seam, &["cmd.exe", "next"]));
    assert_eq!(notes.lock().unwrap().len(), 2);
    assert!(world.process("cmd.exe").is_none());
}

/// A list of strings divided by `|`, as the Session Manager processes it.
fn rename(seam: &'static Seam, list: &str) -> (usize, usize) {
    let text = wide(&list.replace('|', "\0"));
    let list: Vec<_> = text.split(|&unit| unit == 0).map(UnicodeStr).collect();
    let summary = process_renames(seam, [list, Vec::new()].map(Vec::into_iter));
    (summary.done + summary.repeated, summary.failed)
}

const UPGRADE: &str = "\\??\\C:\\old.dll||\\??\\C:\\new.dll|\\??\\C:\\old.dll|\\??\\C:\\a|!\\??\\C:\\b|\\??\\C:\\dir|\\??\\C:\\moved|\\??\\C:\\missing|";

fn upgradable() -> World {
    let mut world = world();
    world
        .file("\\old.dll", b"old")
        .file("\\new.dll", b"new")
        .file("\\a", b"a")
        .file("\\b", b"b")
        .file("\\dir\\x", b"x");
    world.file_attributes("\\b", FileAttributes::READONLY);
    world
}

fn is_upgraded(world: &World) {
    assert_eq!(world.read_file("\\old.dll").as_deref(), Some(&b"new"[..]));
    assert_eq!(world.read_file("\\new.dll"), None);
    assert_eq!(world.read_file("\\b").as_deref(), Some(&b"a"[..]));
    assert_eq!(world.read_file("\\a"), None);
    assert_eq!(world.read_file("\\moved\\x").as_deref(), Some(&b"x"[..]));
    assert!(!world.exists("\\dir"));
}

#[test]
fn spec_17_renames_on_a_real_volume() {
    let mut world = upgradable();
    let (done, _) = run(&mut world, |seam| rename(seam, UPGRADE));
    assert_eq!(done, (4, 1));
    is_upgraded(&world);
}

#[test]
fn spec_6_4_a_power_cut_at_any_call_is_made_good_at_the_next_boot() {
    let calls = {
        let mut world = upgradable();
        run(&mut world, |seam| rename(seam, UPGRADE));
        world
            .trace()
            .iter()
            .filter(|record| record.call.starts_with("Nt"))
            .count() as u64
    };
    for nth in 1..=calls {
        let mut world = upgradable();
        // From this call on the machine does nothing more for the session manager.
        world.fault(Fault {
            image: Some("smss.exe".into()),
            call: None,
            nth,
            persistent: true,
            status: Status::IO_DEVICE_ERROR,
        });
        world.start(|seam| {
            rename(seam, UPGRADE);
            Status::SUCCESS
        });
        world.run();
        let mut world = world.reboot();
        run(&mut world, |seam| rename(seam, UPGRADE));
        is_upgraded(&world);
    }
}

fn variable(seam: &'static Seam, name: &str) -> Option<String> {
    text(seam, &format!("{SM}\\Environment"), name)
}

#[test]
fn spec_5_3_the_safe_boot_option_of_the_loader_is_written() {
    for (option, name) in [
        ("SAFEBOOT:MINIMAL", "MINIMAL"),
        ("SAFEBOOT:NETWORK", "NETWORK"),
        ("SAFEBOOT:DSREPAIR", "DSREPAIR"),
    ] {
        let mut world = world();
        world.boot_options(option);
        run(&mut world, move |seam| {
            write_computed_variables(seam).unwrap();
            assert_eq!(variable(seam, "SAFEBOOT_OPTION").as_deref(), Some(name));
        });
    }
}
