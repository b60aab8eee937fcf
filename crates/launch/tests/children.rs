// SPDX-License-Identifier: GPL-2.0-or-later
//! Process creation over the executive: what a child really gets, and what is left of one that may
//! not live.

use launch::{Child, Launcher, Program, Start};
use nt::environment::Environment;
use nt::system::{ImageSubsystem, Objects, Processes, UserProcessInformation};
use nt::{Status, UnicodeStr};
use std::sync::{Arc, Mutex};
use test_support::host::{Seam, run, wide, world};

fn with_launcher<T>(seam: &'static Seam, act: impl FnOnce(&Launcher<'_, &'static Seam>) -> T) -> T {
    let extra = (nt::wide!("Extra"), nt::wide!("%x%"));
    let own = nt::environment::variables(seam.own_environment()).collect::<Vec<_>>();
    let variables = std::iter::once(extra).chain(own.iter().copied());
    let environment = Environment::of(seam, variables).unwrap();
    let mut path = nt::pages::PageVec::new(seam);
    launch::library_path(seam, nt::wide!("C:\\ReactOS\\bin"), &mut path).unwrap();
    act(&Launcher {
        system: seam,
        environment: &environment,
        library_path: path.as_str(),
        debug: false,
    })
}

#[test]
fn spec_8_3_a_child_gets_environment_paths_command_line_and_session() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let mut world = world();
    let notes = Arc::clone(&told);
    world.program("child.exe", ImageSubsystem::NATIVE, move |seam| {
        let mut notes = notes.lock().unwrap();
        notes.push(seam.own_command_line().to_string());
        notes.push(seam.own_dll_path().to_string());
        notes.push(
            String::from_utf16_lossy(seam.own_environment())
                .trim_end_matches('\0')
                .replace('\0', "|"),
        );
        notes.push(format!(
            "{} {}",
            seam.own_debug_flags(),
            seam.query_session(nt::Handle::CURRENT_PROCESS).unwrap()
        ));
        Status::SUCCESS
    });
    let (done, _) = run(&mut world, |seam| {
        with_launcher(seam, |launcher| {
            launcher.execute(nt::wide!("debug child  x"), 0)
        })
    });
    done.unwrap();
    assert_eq!(
        *told.lock().unwrap(),
        [
            "debug child  x",
            "C:\\ReactOS\\system32;C:\\ReactOS\\bin",
            "Extra=%x%|Path=C:\\ReactOS\\System32|SystemDrive=C:|SystemRoot=C:\\ReactOS",
            "1 0"
        ]
    );
}

#[test]
fn spec_9_4_a_deferred_subsystem_is_suspended_with_its_first_megabyte_reserved() {
    let mut world = world();
    world.program("server.exe", ImageSubsystem::NATIVE, |_| {
        panic!("nobody has resumed it")
    });
    run(&mut world, |seam| {
        with_launcher(seam, |launcher| {
            let mut image = Program::default();
            assert_eq!(launcher.find(nt::wide!("server"), &mut image), Ok(true));
            let start = Start {
                image: &image,
                command_line: nt::wide!("server a"),
                session: 0,
                debug: false,
                subsystem: true,
            };
            let mut told = UserProcessInformation::untold();
            let (process, thread) = launcher.create(&start, &mut told).unwrap().into_handles();
            drop((process, thread));
        });
    });
    let server = world.process("server.exe").expect("it stands, suspended");
    assert_eq!(server.flags & 0x2_0020, 0x2_0020, "NX and RESERVE_1MB");
    assert_eq!(server.current_directory, "C:\\ReactOS\\System32\\");
    assert_eq!(server.command_line, "server a");
}

#[test]
fn d26_a_session_that_is_refused_leaves_no_process() {
    let mut world = world();
    world.program("child.exe", ImageSubsystem::NATIVE, |_| {
        panic!("it never runs")
    });
    let (done, _) = run(&mut world, |seam| {
        with_launcher(seam, |launcher| {
            let mut image = Program::default();
            assert_eq!(launcher.find(nt::wide!("child"), &mut image), Ok(true));
            let start = Start {
                image: &image,
                command_line: nt::wide!("child"),
                session: 9,
                debug: false,
                subsystem: false,
            };
            launcher.run(&start, false)
        })
    });
    assert_eq!(
        done,
        Err(Status::ACCESS_DENIED),
        "this kernel takes a session only from the creator's"
    );
    assert!(world.process("child.exe").is_none());
}

#[test]
fn spec_8_1_a_program_is_found_where_the_kernel_has_it() {
    let mut world = world();
    world.file("\\tools\\a.b", b"x").directory("\\ReactOS\\bin");
    let (found, _) = run(&mut world, |seam| {
        with_launcher(seam, |launcher| {
            [
                "C:\\tools\\a.b",
                "\\tools\\a.b",
                "smss",
                "smss.exe",
                "nosuch",
                "C:\\tools\\nosuch",
                "NUL",
            ]
            .map(|program| {
                let mut image = Program::default();
                let found = launcher.find(UnicodeStr(&wide(program)), &mut image);
                (found.unwrap()).then(|| format!("{}|{}", image.path, image.directory))
            })
        })
    });
    let smss = Some("\\??\\C:\\ReactOS\\System32\\smss.exe|C:\\ReactOS\\System32".to_string());
    assert_eq!(found[0].as_deref(), Some("\\??\\C:\\tools\\a.b|C:\\tools"));
    assert_eq!(found[1], found[0]);
    assert_eq!((&found[2], &found[3]), (&smss, &smss));
    assert_eq!((&found[4], &found[5]), (&None, &None));
}

#[test]
fn spec_8_3_an_exit_status_is_ignored_and_async_is_not_waited_for() {
    let mut world = world();
    world.program("child.exe", ImageSubsystem::NATIVE, |_| {
        Status::UNSUCCESSFUL
    });
    world.program("slow.exe", ImageSubsystem::NATIVE, |seam| {
        seam.delay(1_000_000).unwrap();
        Status::SUCCESS
    });
    let (done, _) = run(&mut world, |seam| {
        with_launcher(seam, |launcher| {
            [
                launcher.execute(nt::wide!("async slow"), 0),
                launcher.execute(nt::wide!("child"), 0),
            ]
        })
    });
    assert_eq!(done, [Ok(()), Ok(())]);
}

#[test]
fn spec_8_3_a_child_is_known_by_what_the_kernel_says_of_it() {
    let mut world = world();
    world.program("console.exe", ImageSubsystem::WINDOWS_CUI, |_| {
        Status::SUCCESS
    });
    run(&mut world, |seam| {
        with_launcher(seam, |launcher| {
            let mut image = Program::default();
            assert!(launcher.find(nt::wide!("console"), &mut image).unwrap());
            let start = Start {
                image: &image,
                command_line: nt::wide!("console"),
                session: 0,
                debug: false,
                subsystem: false,
            };
            let mut told = UserProcessInformation::untold();
            let child = launcher.create(&start, &mut told).unwrap();
            let client = seam.query_thread(child.thread()).unwrap();
            assert_eq!(child.client(), client);
            assert_eq!(child.subsystem(), ImageSubsystem::WINDOWS_CUI);
            assert_eq!(
                seam.query_exit(child.process()).unwrap().process,
                client.process
            );
            // Whoever takes it over has the same child.
            let information = child.information();
            std::mem::forget(child);
            let adopted = Child::adopted(seam, information);
            assert_eq!(adopted.client(), client);
            adopted.kill(Status::UNSUCCESSFUL);
        });
    });
    assert!(world.process("console.exe").is_none());
}
