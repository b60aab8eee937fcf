// SPDX-License-Identifier: GPL-2.0-or-later
//! Full tables: what does not fit is refused with INSUFF_SERVER_RESOURCES and leaves nothing, and
//! places are used again (spec 9.4 #4, 11). (Clients, whom a full table refuses at the port, are
//! with the connections.)

use crate::requests::{World, world, world_with};
use nt::Status;
use nt::system::ImageSubsystem;
use sm_protocol::sm::{LoadDeferred, StopCsr};
use subsystems::{SERVERS, SESSIONS};
use zerocopy::FromZeros;

fn counts(world: &World) -> (usize, subsystems::Counts) {
    (world.kernel.open_handles(), world.manager.counts())
}

#[test]
fn spec_9_4_4_servers_beyond_the_table_are_refused_and_places_are_used_again() {
    let world = world_with(|mut plan| {
        // Neither POSIX nor OS2: every request starts another one (spec 9.6).
        plan.optional.push((
            "Any".encode_utf16().collect(),
            "psxss.exe".encode_utf16().collect(),
        ));
        plan
    });
    let load = || {
        let mut body = LoadDeferred::new_zeroed();
        body.name[..3].copy_from_slice(&crate::kernel::units("Any"));
        body.length = 6;
        world.call(&body).0
    };
    // csrss has one place.
    for place in 1..SERVERS {
        assert_eq!(load(), Ok(()), "{place}");
    }
    let full = counts(&world);
    assert_eq!(full.1.servers, SERVERS);
    for _ in 0..3 {
        assert_eq!(load(), Err(Status::INSUFF_SERVER_RESOURCES));
        assert_eq!(counts(&world), full);
        assert_eq!(world.kernel.running("psxss.exe").len(), SERVERS - 1);
    }
    let one = world.kernel.running("psxss.exe")[7];
    world.kernel.exit(one, Status::SUCCESS);
    assert_eq!(load(), Ok(()));
    assert_eq!((counts(&world), world.kernel.state().bad_closes), (full, 0));
}

#[test]
fn spec_11_3_sessions_beyond_the_table_are_refused_and_undone() {
    let world = world();
    // Session 0 has one place.
    for session in 1..SESSIONS {
        assert_eq!(world.start(""), Ok(session as u32));
    }
    let full = counts(&world);
    assert_eq!(full.1.sessions, SESSIONS);
    for _ in 0..3 {
        assert_eq!(world.start(""), Err(Status::INSUFF_SERVER_RESOURCES));
        assert_eq!(
            (counts(&world), world.kernel.state().attached.len()),
            (full, 0)
        );
        assert_eq!(world.kernel.running("csrss.exe").len(), SESSIONS);
    }
    assert_eq!(world.call(&StopCsr { session: 9 }).0, Ok(()));
    assert_eq!(world.start(""), Ok(9));
    assert_eq!((counts(&world), world.kernel.state().bad_closes), (full, 0));
}

#[test]
fn spec_11_1_environment_sessions_beyond_the_table_are_refused_and_the_process_stays_suspended() {
    let world = world();
    let mut given = 0;
    let (process, refused) = loop {
        match world.exec("gui.exe", ImageSubsystem::WINDOWS_GUI) {
            (_, Ok(())) => given += 1,
            (process, refused) => break (process, refused),
        }
        assert!(given < 10_000, "a table without end");
    };
    // winlogon has one place.
    assert_eq!(
        (refused, given + 1),
        (
            Err(Status::INSUFF_SERVER_RESOURCES),
            world.manager.counts().environments
        )
    );
    assert!(!world.kernel.state().processes[&process].running);
    let csrss = world.kernel.running("csrss.exe")[0];
    world.kernel.session_complete(csrss, 5);
    let (process, taken) = world.exec("gui.exe", ImageSubsystem::WINDOWS_GUI);
    assert_eq!(taken, Ok(()));
    assert!(world.kernel.state().processes[&process].running);
}
