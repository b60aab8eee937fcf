// SPDX-License-Identifier: GPL-2.0-or-later
//! Command lines to processes, with what the kernel is asked for and calls that are refused: rows of
//! spec 5.2, 8.1 to 8.3 and 17.

use launch::{Launcher, Program};
use nt::environment::Environment;
use nt::system::{ImageSubsystem, ParameterFlags, Processes};
use nt::{Result, Status, UnicodeStr};
use test_support::Child;
use test_support::host::{Watched, watched, wide, world};

/// Lets the Session Manager do its act where there is a program of this name.
fn with_program(name: &str, act: impl FnOnce(&'static Watched) + Send + 'static) {
    let mut world = world();
    world.program(name, ImageSubsystem::NATIVE, |_| Status::SUCCESS);
    watched(&mut world, act);
}

/// Lets it do its act where there is a console program, `cmd.exe`.
fn with_console_program(act: impl FnOnce(&'static Watched) + Send + 'static) {
    let mut world = world();
    world.program("cmd.exe", ImageSubsystem::WINDOWS_CUI, |_| {
        panic!("it never runs")
    });
    watched(&mut world, act);
}

fn with_launcher<T>(
    world: &'static Watched,
    act: impl FnOnce(&Launcher<'_, &'static Watched>) -> T,
) -> T {
    let environment = Environment::copied(world, world.own_environment()).unwrap();
    let path = environment.get(nt::wide!("Path")).unwrap_or_default();
    let mut whole = nt::pages::PageVec::new(world);
    launch::library_path(world, path, &mut whole).unwrap();
    act(&Launcher {
        system: world,
        environment: &environment,
        library_path: whole.as_str(),
        debug: false,
    })
}

/// A launcher without a library path.
fn execute_plainly(world: &'static Watched, debug: bool) -> Result<()> {
    let environment = Environment::copied(world, world.own_environment()).unwrap();
    let launcher = Launcher {
        system: world,
        environment: &environment,
        library_path: UnicodeStr::EMPTY,
        debug,
    };
    launcher.execute(nt::wide!("foo"), 0)
}

fn execute(world: &'static Watched, line: &str) -> Result<()> {
    with_launcher(world, |launcher| {
        launcher.execute(UnicodeStr(&wide(line)), 0)
    })
}

fn only_child(world: &Watched) -> Child {
    let mut children = world.children();
    assert_eq!(children.len(), 1);
    children.remove(0)
}

#[test]
fn spec_8_3_a_native_program_runs_to_its_end_with_everything_a_child_gets() {
    with_program("foo.exe", |world| {
        execute(world, "foo  a  b ").unwrap();
        let child = only_child(world);
        assert_eq!(child.image, "\\??\\C:\\ReactOS\\System32\\foo.exe");
        assert_eq!(child.command_line, "foo  a  b ", "the whole line");
        assert_eq!(child.directory.as_deref(), Some("C:\\ReactOS\\System32"));
        assert_eq!(
            child.dll_path.as_deref(),
            Some("C:\\ReactOS\\system32;C:\\ReactOS\\System32")
        );
        assert_eq!(child.flags, ParameterFlags::NX);
        assert_eq!(
            child.environment,
            wide("Path=C:\\ReactOS\\System32\0SystemDrive=C:\0SystemRoot=C:\\ReactOS\0\0")
        );
        assert_eq!((child.session, child.debug), (Some(0), false));
        assert!(child.resumed && child.waited && child.ended.is_none());
    });
}

#[test]
fn spec_17_async_is_not_waited_for_and_the_modifier_stays_in_the_command_line() {
    with_program("foo.exe", |world| {
        execute(world, "async DEBUG foo").unwrap();
        let child = only_child(world);
        assert!(child.resumed && !child.waited && child.debug);
        assert_eq!(child.command_line, "async DEBUG foo");
    });
}

#[test]
fn spec_17_a_program_that_is_not_native_is_killed_with_invalid_image_format() {
    with_console_program(|world| {
        assert_eq!(execute(world, "cmd.exe"), Err(Status::INVALID_IMAGE_FORMAT));
        let child = only_child(world);
        assert_eq!(child.ended, Some(Status::INVALID_IMAGE_FORMAT));
        assert!(!child.resumed && child.waited);
    });
}

#[test]
fn a_process_that_is_not_ended_at_once_is_ended_with_a_later_attempt() {
    with_console_program(|world| {
        let ends = |status, persistent| {
            let (first, asked) = (world.calls().len(), world.count("terminate_process"));
            let place = world.calls()[..first]
                .iter()
                .position(|call| call.name == "terminate_process");
            if let Some(place) = place {
                world.refuse(first + place, status, persistent);
            }
            assert_eq!(execute(world, "cmd.exe"), Err(Status::INVALID_IMAGE_FORMAT));
            world.refuse_nothing();
            world.count("terminate_process") - asked
        };
        assert_eq!(ends(Status::SUCCESS, false), 1, "nothing is refused yet");
        assert_eq!(ends(Status::NO_MEMORY, false), 2);
        let ended = world.children().pop().and_then(|child| child.ended);
        assert_eq!(ended, Some(Status::INVALID_IMAGE_FORMAT));
        let ending = ends(Status::PROCESS_IS_TERMINATING, true);
        assert_eq!(ending, 1, "one that is ending already is left alone");
    });
}

#[test]
fn spec_17_a_missing_program_is_no_process() {
    with_program("foo.exe", |world| {
        let missing = execute(world, "nosuch x");
        assert_eq!(missing, Err(Status::OBJECT_NAME_NOT_FOUND));
        assert_eq!(execute(world, ""), Err(Status::UNSUCCESSFUL));
        assert!(world.children().is_empty());
        assert_eq!(world.count("display_string"), 0);
    });
}

#[test]
fn spec_17_a_dot_suppresses_exe() {
    with_program("a.b.exe", |world| {
        assert_eq!(execute(world, "a.b"), Err(Status::OBJECT_NAME_NOT_FOUND));
        assert_eq!(execute(world, "a.b.exe"), Ok(()));
    });
}

#[test]
fn spec_8_1_path_is_searched_before_the_library_path_and_must_be_there() {
    with_program("foo.exe", |world| {
        world
            .directory("C:\\tools")
            .file("C:\\tools\\foo.exe", b"x")
            .file("C:\\ReactOS\\system32\\only.exe", b"x");
        let find = |path: Option<&str>, program: &str| {
            let path = path.map(wide);
            let path = path
                .iter()
                .map(|path| (nt::wide!("Path"), UnicodeStr(path)));
            let environment = Environment::of(world, path).unwrap();
            let library = wide("C:\\ReactOS\\system32;");
            let launcher = Launcher {
                system: world,
                environment: &environment,
                library_path: UnicodeStr(&library),
                debug: false,
            };
            let mut image = Program::default();
            let found = launcher.find(UnicodeStr(&wide(program)), &mut image);
            found.map(|found| found.then(|| image.path.to_string()))
        };
        assert_eq!(
            find(Some("C:\\tools"), "foo"),
            Ok(Some("\\??\\C:\\tools\\foo.exe".into()))
        );
        assert_eq!(
            find(Some("C:\\tools"), "only"),
            Ok(Some("\\??\\C:\\ReactOS\\system32\\only.exe".into()))
        );
        assert_eq!(find(Some("C:\\tools"), "neither"), Ok(None));
        assert_eq!(find(None, "foo"), Err(Status::OBJECT_NAME_NOT_FOUND));
    });
}

#[test]
fn spec_1_3_this_process_debug_flag_is_every_childs() {
    with_program("foo.exe", |world| {
        execute_plainly(world, true).unwrap();
        let child = only_child(world);
        assert!(child.debug);
        assert_eq!(
            child.dll_path, None,
            "an empty library path means this process's own"
        );
    });
}

#[test]
fn every_failing_call_leaves_no_suspended_process_behind() {
    with_program("foo.exe", |world| {
        execute_plainly(world, false).unwrap();
        // The first call is the one for the memory of the environment of this test.
        for number in 1..world.calls().len() {
            for persistent in [false, true] {
                let earlier = world.children().len();
                world.refuse(world.calls().len() + number, Status::NO_MEMORY, persistent);
                // What it says is the matter of other tests.
                let _ = execute_plainly(world, false);
                world.refuse_nothing();
                for child in &world.children()[earlier..] {
                    // A kernel that refuses to end a process leaves nothing to be done about it.
                    assert!(
                        child.resumed || child.ended.is_some() || persistent,
                        "call {number}"
                    );
                }
            }
        }
    });
}
