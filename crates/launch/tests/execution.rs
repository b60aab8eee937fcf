// SPDX-License-Identifier: GPL-2.0-or-later
//! Command lines to processes, over programs in memory: rows of spec 5.2, 8.1 to 8.3 and 17.

#[path = "../../nt/tests/support/mod.rs"]
mod support;

use launch::{Launcher, Start};
use nt::environment::Environment;
use nt::system::{ParameterFlags, Processes};
use nt::{Result, Status, UnicodeStr};
use support::{World, wide};

const NATIVE: u32 = 1;
const CUI: u32 = 3;

fn with<T>(world: &'static World, run: impl FnOnce(&Launcher<'_, World>) -> T) -> T {
    let environment = Environment::copied(world, world.own_environment()).unwrap();
    let path = launch::library_path(
        world,
        environment.get(nt::wide!("Path")).unwrap_or_default(),
    )
    .unwrap();
    let done = run(&Launcher {
        system: world,
        environment: &environment,
        library_path: path.as_str(),
        debug: false,
    });
    assert_eq!(world.open_handles(), 0, "every handle is closed");
    done
}

fn execute(world: &'static World, line: &str) -> Result<()> {
    with(world, |launcher| {
        launcher.execute(UnicodeStr(&wide(line)), 0)
    })
}

fn foo() -> &'static World {
    let world = World::new();
    world.program("C:\\ReactOS\\System32\\foo.exe", NATIVE);
    world
}

#[test]
fn spec_8_3_a_native_program_runs_to_its_end_with_everything_a_child_gets() {
    let world = foo();
    execute(world, "foo  a  b ").unwrap();
    let state = world.state();
    let [child] = &state.processes[..] else {
        panic!("one process")
    };
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
}

#[test]
fn spec_17_async_is_not_waited_for_and_the_modifier_stays_in_the_command_line() {
    let world = foo();
    execute(world, "async DEBUG foo").unwrap();
    let child = world.state().processes[0].clone();
    assert!(child.resumed && !child.waited && child.debug);
    assert_eq!(child.command_line, "async DEBUG foo");
}

#[test]
fn spec_17_a_program_that_is_not_native_is_killed_with_invalid_image_format() {
    let world = World::new();
    world.program("C:\\ReactOS\\System32\\cmd.exe", CUI);
    assert_eq!(execute(world, "cmd.exe"), Err(Status::INVALID_IMAGE_FORMAT));
    let child = world.state().processes[0].clone();
    assert_eq!(child.ended, Some(Status::INVALID_IMAGE_FORMAT));
    assert!(!child.resumed && child.waited);
}

#[test]
fn spec_17_a_missing_program_is_no_process() {
    let world = foo();
    assert_eq!(
        execute(world, "nosuch x"),
        Err(Status::OBJECT_NAME_NOT_FOUND)
    );
    assert_eq!(execute(world, ""), Err(Status::UNSUCCESSFUL));
    assert!(world.state().processes.is_empty());
    assert_eq!(world.state().screen, "");
}

#[test]
fn spec_17_a_dot_suppresses_exe() {
    let world = World::new();
    world.program("C:\\ReactOS\\System32\\a.b.exe", NATIVE);
    assert_eq!(execute(world, "a.b"), Err(Status::OBJECT_NAME_NOT_FOUND));
    assert_eq!(execute(world, "a.b.exe"), Ok(()));
}

#[test]
fn spec_8_1_path_is_searched_before_the_library_path_and_must_be_there() {
    let world = World::new();
    world
        .program("C:\\tools\\foo.exe", NATIVE)
        .program("C:\\ReactOS\\system32\\foo.exe", NATIVE)
        .program("C:\\ReactOS\\system32\\only.exe", NATIVE);
    let run = |path: Option<&str>, program: &str| {
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
        launcher
            .find(UnicodeStr(&wide(program)))
            .map(|image| image.map(|image| image.path.to_string()))
    };
    assert_eq!(
        run(Some("C:\\tools"), "foo"),
        Ok(Some("\\??\\C:\\tools\\foo.exe".into()))
    );
    assert_eq!(
        run(Some("C:\\tools"), "only"),
        Ok(Some("\\??\\C:\\ReactOS\\system32\\only.exe".into()))
    );
    assert_eq!(run(Some("C:\\tools"), "neither"), Ok(None));
    assert_eq!(run(None, "foo"), Err(Status::OBJECT_NAME_NOT_FOUND));
}

#[test]
fn d26_a_child_that_cannot_join_its_session_is_killed() {
    let world = foo();
    world.state().refuse_session = Some(Status::ACCESS_DENIED);
    assert_eq!(execute(world, "foo"), Err(Status::ACCESS_DENIED));
    let child = world.state().processes[0].clone();
    assert!(child.ended.is_some() && !child.resumed);
}

#[test]
fn spec_8_3_a_deferred_subsystem_stays_suspended_with_its_first_megabyte_reserved() {
    let world = foo();
    with(world, |launcher| {
        let image = launcher.find(nt::wide!("foo")).unwrap().unwrap();
        let start = Start {
            image: &image,
            command_line: nt::wide!("foo"),
            session: 7,
            debug: false,
            subsystem: true,
        };
        drop(launcher.create(&start).unwrap());
    });
    let child = world.state().processes[0].clone();
    assert_eq!(
        child.flags,
        ParameterFlags::NX | ParameterFlags::RESERVE_1MB
    );
    assert!(!child.resumed && !child.waited && child.ended.is_none());
    assert_eq!(child.session, Some(7));
}

#[test]
fn spec_1_3_this_process_debug_flag_is_every_childs() {
    let world = foo();
    let environment = Environment::copied(world, world.own_environment()).unwrap();
    let launcher = Launcher {
        system: world,
        environment: &environment,
        library_path: UnicodeStr::EMPTY,
        debug: true,
    };
    launcher.execute(nt::wide!("foo"), 0).unwrap();
    let child = world.state().processes[0].clone();
    assert!(child.debug);
    assert_eq!(
        child.dll_path, None,
        "an empty library path means this process's own"
    );
}

#[test]
fn every_failing_call_leaves_no_suspended_process_behind() {
    let world = foo();
    execute(world, "foo").unwrap();
    let calls = world.state().calls.len();
    for number in 0..calls {
        for persistent in [false, true] {
            let world = foo();
            let environment = Environment::copied(world, world.own_environment()).unwrap();
            let base = world.state().calls.len();
            world.state().fault = Some((base + number, Status::NO_MEMORY, persistent));
            let launcher = Launcher {
                system: world,
                environment: &environment,
                library_path: UnicodeStr::EMPTY,
                debug: false,
            };
            let done = launcher.execute(nt::wide!("foo"), 0);
            assert_eq!(world.open_handles(), 0);
            for child in &world.state().processes {
                // A kernel that refuses to end a process leaves nothing to be done about it.
                assert!(
                    child.resumed || child.ended.is_some() || persistent,
                    "call {number}"
                );
            }
            let _ = done;
        }
    }
}
