// SPDX-License-Identifier: GPL-2.0-or-later
//! The host's world, end to end: what a program sees through its seam, how processes come and go,
//! how the system ends.

use super::*;
use crate::Version;
use crate::ob::System as _;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use formats::utf16;
use nt::access::Access;
use nt::object::Attributes;
use nt::system::{
    ImageSubsystem, Memory, Objects, ParameterFlags, ProcessParameters, Processes, SystemWide,
    ThreadBody, Timeout, UserProcessInformation, View as _, Wait,
};
use nt::{Handle, ObjectAttributes, Owned, Result, Status, UnicodeStr, wide};
use std::sync::Mutex;

const KEPT: Attributes = Attributes::CASE_INSENSITIVE
    .union(Attributes::OPENIF)
    .union(Attributes::PERMANENT);

fn world() -> World {
    World::with_volume(Version::V5_2, 64)
}

/// Lines that the programs of a test write, in the order in which they ran.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn line(&self, text: impl ToString) {
        self.0.lock().unwrap().push(text.to_string());
    }

    fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

fn parameters<'a>(image: &'a [u16], environment: &'a [u16]) -> ProcessParameters<'a> {
    ProcessParameters {
        image: UnicodeStr(image),
        dll_path: None,
        current_directory: None,
        command_line: wide!("child  one two"),
        environment,
        flags: ParameterFlags::NX,
        debug: false,
    }
}

fn create(system: &'static Seam, from: &ProcessParameters<'_>) -> Result<UserProcessInformation> {
    let mut created = UserProcessInformation::untold();
    system.create_process(from, &mut created).map(|()| created)
}

/// Starts a child and waits for its end: its exit status.
fn run_child(system: &'static Seam, image: &str) -> Result<Status> {
    let image = utf16(image);
    let environment = utf16("A=1\0B=2\0");
    let child = create(system, &parameters(&image, &environment))?;
    let (process, thread) = (
        Owned::new(system, Handle(child.process)),
        Owned::new(system, Handle(child.thread)),
    );
    system.resume_thread(thread.get())?;
    assert_eq!(
        system.wait_one(process.get(), Timeout::Never)?,
        Wait::Object(0)
    );
    Ok(system.query_exit(process.get())?.status)
}

const CHILD: &str = "\\SystemRoot\\System32\\child.exe";

#[test]
fn spec_1_1_the_first_process_finds_what_the_kernel_gives_it() {
    let mut world = world();
    world.start(|system| {
        assert_eq!(
            system.own_command_line().to_string(),
            "\\SystemRoot\\System32\\smss.exe"
        );
        assert_eq!(system.own_dll_path().to_string(), "C:\\ReactOS\\System32");
        assert_eq!(system.system_root().to_string(), "C:\\ReactOS");
        assert!(
            system
                .adjust_privilege(
                    nt::system::Privilege::Tcb,
                    true,
                    nt::system::PrivilegeHolder::Process
                )
                .unwrap()
        );
        assert!(
            !system
                .adjust_privilege(
                    nt::system::Privilege::LoadDriver,
                    true,
                    nt::system::PrivilegeHolder::Process
                )
                .unwrap()
        );
        assert!(
            system
                .adjust_privilege(
                    nt::system::Privilege::LoadDriver,
                    false,
                    nt::system::PrivilegeHolder::Process
                )
                .unwrap()
        );
        let thread = system.adjust_privilege(
            nt::system::Privilege::Tcb,
            true,
            nt::system::PrivilegeHolder::Thread,
        );
        assert_eq!(thread, Err(Status::NO_TOKEN));
        system.delay(u32::MAX).unwrap();
        Status::SUCCESS
    });
    assert_eq!(
        world.run(),
        RunEnd::Settled,
        "49 days later it has ended, which is no five seconds"
    );
    let smss = &world.processes()[0];
    assert_eq!(
        (
            smss.variable("systemroot").as_deref(),
            smss.variable("Path").as_deref()
        ),
        (Some("C:\\ReactOS"), Some("C:\\ReactOS\\System32"))
    );
    assert_eq!(
        smss.environment
            .split(|&unit| unit == 0)
            .filter(|entry| !entry.is_empty())
            .count(),
        3
    );
    assert_eq!(smss.parent, 4);
}

#[test]
fn directories_links_events_and_waits() {
    let mut world = world();
    world.start(|system| {
        let windows = system
            .create_directory(
                &ObjectAttributes::named(wide!("\\Windows")).with(KEPT),
                Access::DIRECTORY_ALL,
            )
            .unwrap();
        assert!(!windows.existed);
        let link = ObjectAttributes::named(wide!("NUL"))
            .under(windows.handle)
            .with(KEPT);
        let link = system
            .create_symbolic_link(&link, Access::SYMBOLIC_LINK_ALL, wide!("\\Device\\Null"))
            .unwrap();
        let mut buffer = [0; 16];
        assert_eq!(
            system
                .query_symbolic_link(link.handle, &mut buffer)
                .unwrap(),
            wide!("\\Device\\Null")
        );
        assert_eq!(
            system.query_symbolic_link(link.handle, &mut buffer[..3]),
            Err(Status::BUFFER_TOO_SMALL)
        );
        let mut seen = 0;
        system
            .query_directory(windows.handle, &mut |entry| {
                assert_eq!(
                    (entry.name, entry.type_name),
                    (wide!("NUL"), wide!("SymbolicLink"))
                );
                seen += 1;
                true
            })
            .unwrap();
        assert_eq!(seen, 1);
        let event = system
            .create_event(&ObjectAttributes::unnamed(), Access::EVENT_ALL)
            .unwrap();
        assert_eq!(
            system.wait_one(event, Timeout::Milliseconds(250)),
            Ok(Wait::Timeout)
        );
        system.set_event(event).unwrap();
        assert_eq!(
            system.wait_any(&[event, event], Timeout::Never),
            Ok(Wait::Object(0))
        );
        assert_eq!(
            system.wait_one(Handle(0x999), Timeout::Never),
            Err(Status::INVALID_HANDLE)
        );
        system
            .wait_one(Handle::CURRENT_PROCESS, Timeout::Never)
            .unwrap();
        Status::SUCCESS
    });
    assert_eq!(world.run(), RunEnd::Settled);
    assert_eq!(
        world.uptime(),
        2_500_000,
        "virtual time went on by exactly the timeout"
    );
    assert_eq!(
        world.counts().get("NtWaitForSingleObject"),
        Some(&2),
        "the last one has not returned"
    );
    assert_eq!(
        world.process("SMSS.exe").map(|process| process.threads),
        Some(1)
    );
}

#[test]
fn spec_8_3_a_process_is_made_run_and_waited_for() {
    let log = Log::default();
    let mut world = world();
    let (inside, outside) = (log.clone(), log.clone());
    world.program("child.exe", ImageSubsystem::NATIVE, move |system| {
        inside.line(system.own_command_line());
        inside.line(UnicodeStr(system.own_environment()).until_nul());
        Status::new(0x42)
    });
    world.start(move |system| {
        let status = run_child(system, CHILD).unwrap();
        outside.line(status);
        let missing = run_child(system, "\\SystemRoot\\System32\\nothing.exe");
        assert_eq!(missing, Err(Status::OBJECT_NAME_NOT_FOUND));
        system
            .wait_one(Handle::CURRENT_PROCESS, Timeout::Never)
            .unwrap();
        Status::SUCCESS
    });
    assert_eq!(world.run(), RunEnd::Settled);
    assert_eq!(log.lines(), ["child  one two", "A=1", "NTSTATUS 00000042"]);
    assert_eq!(
        world
            .handles_of(world.processes()[0].id)
            .values()
            .sum::<usize>(),
        0,
        "every handle was closed"
    );
    let calls: Vec<&str> = world.trace().iter().map(|record| record.call).collect();
    let made = [
        "NtOpenFile",
        "NtCreateSection",
        "NtClose",
        "NtCreateProcess",
        "NtQuerySection",
        "NtQueryInformationProcess",
    ];
    assert_eq!(calls.get(..6), Some(made.as_slice()));
    assert!(calls.contains(&"NtCreateThread") && calls.contains(&"NtWriteVirtualMemory"));
    assert!(!world.processes()[1].running);
}

#[test]
fn every_call_of_making_a_process_can_fail_and_leaves_nothing_behind() {
    let calls = {
        let mut world = world();
        world.program("child.exe", ImageSubsystem::NATIVE, |_| Status::SUCCESS);
        world.start(|system| {
            run_child(system, CHILD).unwrap();
            system
                .wait_one(Handle::CURRENT_PROCESS, Timeout::Never)
                .map_or_else(|status| status, |_| Status::SUCCESS)
        });
        world.run();
        let smss = u64::from(world.processes()[0].id);
        world
            .trace()
            .iter()
            .filter(|record| record.client.process == smss)
            .position(|record| record.call == "NtCreateThread")
            .unwrap() as u64
    };
    for nth in 1..=calls + 1 {
        let mut world = world();
        world.program("child.exe", ImageSubsystem::NATIVE, |_| Status::SUCCESS);
        world.fault(Fault {
            image: Some("smss.exe".into()),
            call: None,
            nth,
            persistent: false,
            status: Status::NO_MEMORY,
        });
        let seen = Log::default();
        let log = seen.clone();
        world.start(move |system| {
            log.line(run_child(system, CHILD).unwrap_or_else(|status| status));
            system
                .wait_one(Handle::CURRENT_PROCESS, Timeout::Never)
                .map_or_else(|status| status, |_| Status::SUCCESS)
        });
        assert_eq!(world.run(), RunEnd::Settled, "call {nth}");
        assert_eq!(world.faults_hit(), 1);
        let running = world
            .processes()
            .iter()
            .filter(|process| process.running)
            .count();
        assert_eq!(running, 1, "call {nth}: {:?}", seen.lines());
        let handles = world
            .handles_of(world.processes()[0].id)
            .values()
            .sum::<usize>();
        // The call that fails may be the NtClose itself, which then has closed nothing.
        assert!(handles <= 1, "call {nth}: {handles} handles");
    }
}

struct Adder {
    system: Mutex<Option<&'static Seam>>,
    log: Mutex<Vec<u64>>,
}

impl ThreadBody for Adder {
    fn run(&'static self) {
        let system = self.system.lock().unwrap().unwrap();
        let thread = system.client_id().thread;
        for _ in 0..2 {
            self.log.lock().unwrap().push(thread);
            system.delay(10).unwrap();
        }
    }
}

#[test]
fn threads_take_turns_in_the_same_order_every_time() {
    static ADDER: Adder = Adder {
        system: Mutex::new(None),
        log: Mutex::new(Vec::new()),
    };
    let mut orders = Vec::new();
    for _ in 0..3 {
        let mut world = world();
        ADDER.log.lock().unwrap().clear();
        world.start(|system| {
            *ADDER.system.lock().unwrap() = Some(system);
            let threads = [(); 3].map(|()| system.create_thread(&ADDER).unwrap());
            for thread in threads {
                assert_eq!(system.wait_one(thread, Timeout::Never), Ok(Wait::Object(0)));
            }
            system
                .wait_one(Handle::CURRENT_PROCESS, Timeout::Never)
                .unwrap();
            Status::SUCCESS
        });
        assert_eq!(world.run(), RunEnd::Settled);
        orders.push(ADDER.log.lock().unwrap().clone());
    }
    assert_eq!(orders[0].len(), 6);
    assert!(orders.iter().all(|order| *order == orders[0]), "{orders:?}");
}

#[test]
fn spec_1_1_row_6_an_end_within_five_seconds_is_bugcheck_71() {
    let mut world = world();
    world.start(|_| Status::new(0x11));
    let RunEnd::Stopped(stop) = world.run() else {
        panic!("it did not stop")
    };
    assert_eq!((stop.code, stop.parameters[0]), (0x71, 0x11));
}

#[test]
fn spec_1_4_the_end_of_a_critical_process_is_bugcheck_f4() {
    let mut world = world();
    world.start(|system| {
        system.set_process_critical(true).unwrap();
        system.set_thread_critical(true).unwrap();
        system
            .wait_one(Handle::CURRENT_PROCESS, Timeout::Never)
            .unwrap();
        Status::SUCCESS
    });
    assert_eq!(world.run(), RunEnd::Settled);
    let id = world.processes()[0].id;
    assert!(world.processes()[0].critical);
    world.pass_time(60_000_000);
    world.kill(id, Status::UNSUCCESSFUL).unwrap();
    let RunEnd::Stopped(stop) = world.run() else {
        panic!("it did not stop")
    };
    assert_eq!(stop.code, 0xF4);
}

#[test]
fn spec_1_4_without_the_flag_it_ends_and_nothing_else_happens() {
    let mut world = world();
    world.start(|system| {
        system.set_process_critical(true).unwrap();
        system
            .wait_one(Handle::CURRENT_PROCESS, Timeout::Never)
            .unwrap();
        Status::SUCCESS
    });
    assert_eq!(world.run(), RunEnd::Settled);
    let id = world.processes()[0].id;
    world.clear_critical(id).unwrap();
    world.pass_time(60_000_000);
    world.kill(id, Status::UNSUCCESSFUL).unwrap();
    assert_eq!(world.run(), RunEnd::Settled);
    assert!(world.processes().iter().all(|process| !process.running));
}

#[test]
fn spec_9_3_children_made_between_create_and_detach_are_in_the_session() {
    let mut world = world();
    world.program("child.exe", ImageSubsystem::NATIVE, |system| {
        system
            .wait_one(Handle::CURRENT_PROCESS, Timeout::Never)
            .map_or_else(|status| status, |_| Status::SUCCESS)
    });
    world.start(|system| {
        assert_eq!(system.create_session(), Err(Status::PRIVILEGE_NOT_HELD));
        system
            .adjust_privilege(
                nt::system::Privilege::LoadDriver,
                true,
                nt::system::PrivilegeHolder::Process,
            )
            .unwrap();
        assert_eq!(system.detach_session(0), Err(Status::UNABLE_TO_FREE_VM));
        for expected in 0..2 {
            let session = system.create_session().unwrap();
            assert_eq!(session, expected);
            assert_eq!(system.create_session(), Err(Status::ALREADY_COMMITTED));
            system
                .extend_service_table(wide!("\\SystemRoot\\System32\\win32k.sys"))
                .unwrap();
            assert_eq!(
                system.extend_service_table(wide!("\\SystemRoot\\System32\\WIN32K.sys")),
                Err(Status::PRIVILEGE_NOT_HELD)
            );
            let image = utf16(CHILD);
            let child = create(system, &parameters(&image, &[])).unwrap();
            assert_eq!(system.query_session(Handle(child.process)), Ok(session));
            assert_eq!(system.set_session(Handle(child.process), session), Ok(()));
            assert_eq!(
                system.set_session(Handle(child.process), session + 1),
                Err(Status::ACCESS_DENIED)
            );
            system.resume_thread(Handle(child.thread)).unwrap();
            assert_eq!(
                system.query_session(Handle::CURRENT_PROCESS),
                Ok(0),
                "the leader always reports 0"
            );
            system.detach_session(session).unwrap();
        }
        system
            .wait_one(Handle::CURRENT_PROCESS, Timeout::Never)
            .unwrap();
        Status::SUCCESS
    });
    assert_eq!(world.run(), RunEnd::Settled);
    let sessions: Vec<u32> = world
        .processes()
        .iter()
        .map(|process| process.session)
        .collect();
    assert_eq!(sessions, [0, 0, 1]);
}

#[test]
fn a_killed_process_gives_everything_back() {
    let mut world = world();
    world.program("child.exe", ImageSubsystem::NATIVE, |system| {
        let _pages = system.allocate_pages(0x10_0000).unwrap();
        let event = Owned::new(
            system,
            system
                .create_event(
                    &ObjectAttributes::named(wide!("\\Device\\E")),
                    Access::EVENT_ALL,
                )
                .unwrap(),
        );
        system
            .wait_one(event.get(), Timeout::Never)
            .map_or_else(|status| status, |_| Status::SUCCESS)
    });
    world.start(|system| {
        let image = utf16(CHILD);
        let child = create(system, &parameters(&image, &[])).unwrap();
        system.resume_thread(Handle(child.thread)).unwrap();
        let wait = system.wait_one(Handle(child.process), Timeout::Never);
        assert_eq!(wait, Ok(Wait::Object(0)));
        assert_eq!(
            system.query_exit(Handle(child.process)).unwrap().status,
            Status::UNSUCCESSFUL
        );
        system.close(Handle(child.process)).unwrap();
        system.close(Handle(child.thread)).unwrap();
        system
            .wait_one(Handle::CURRENT_PROCESS, Timeout::Never)
            .unwrap();
        Status::SUCCESS
    });
    assert_eq!(world.run(), RunEnd::Settled);
    let child = world.process("child.exe").unwrap();
    assert_eq!(child.handles, 1);
    let named = |world: &World| {
        world.look(|executive| executive.ob().find_plain(&utf16("\\Device\\E")).is_some())
    };
    assert!(named(&world));
    world.kill(child.id, Status::UNSUCCESSFUL).unwrap();
    assert_eq!(world.run(), RunEnd::Settled);
    assert!(!named(&world), "the event's only handle was the process's");
    world.look(|executive| {
        assert!(
            executive.process(crate::ids::ProcessId(child.id)).is_err(),
            "nobody keeps the process object"
        );
    });
}

#[test]
fn sections_images_and_views() {
    let mut world = world();
    world.library("a.dll", &["b.dll", "ntdll.dll"]);
    world.start(|system| {
        use nt::access::{OpenOptions, Share};
        use nt::system::Files;
        let file = ObjectAttributes::named(wide!("\\??\\C:\\ReactOS\\System32\\a.dll"));
        let access = Access::SYNCHRONIZE | Access::FILE_EXECUTE;
        let file = system
            .open_file(
                &file,
                access,
                Share::READ | Share::DELETE,
                OpenOptions::SYNCHRONOUS_IO_NONALERT,
            )
            .unwrap();
        let name = ObjectAttributes::named(wide!("\\Device\\a.dll")).with(Attributes::PERMANENT);
        let section = system
            .create_image_section(&name, Access::SECTION_ALL, file)
            .unwrap();
        let view = system.map_view(section).unwrap();
        let mut bytes = [0; 2];
        view.read(0, &mut bytes).unwrap();
        assert_eq!(bytes, *b"MZ");
        view.read(0x1000, &mut bytes[..1]).unwrap();
        assert_eq!(bytes[0], 0xC3);
        assert_eq!(
            view.read(0x10_0000, &mut bytes),
            Err(Status::ACCESS_VIOLATION)
        );
        drop(view);
        system.close(section).unwrap();
        system.close(file).unwrap();
        system
            .wait_one(Handle::CURRENT_PROCESS, Timeout::Never)
            .unwrap();
        Status::SUCCESS
    });
    assert_eq!(world.run(), RunEnd::Settled);
    assert_eq!(world.counts().get("NtUnmapViewOfSection"), Some(&1));
}

#[test]
fn a_panic_in_a_program_is_the_tests_own() {
    let caught = std::panic::catch_unwind(|| {
        let mut world = world();
        world.start(|_| panic!("seen"));
        world.run()
    });
    let payload = caught.unwrap_err();
    assert_eq!(payload.downcast_ref::<&str>(), Some(&"seen"));
}

#[test]
fn a_damaged_system_hive_is_a_bugcheck() {
    let mut world = world();
    world.hives_are_not_written();
    world.file(
        "\\ReactOS\\System32\\config\\SYSTEM",
        b"regf and then nothing",
    );
    world.start(|_| Status::SUCCESS);
    let RunEnd::Stopped(stop) = world.run() else {
        panic!("it did not stop")
    };
    assert_eq!(stop.code, 0x67);
}
