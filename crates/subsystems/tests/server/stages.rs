// SPDX-License-Identifier: GPL-2.0-or-later
//! The stages of records, seen at every call that smss makes: each record passes those that the
//! tables in the crate's documentation have, in their order, and names its process and session.

use crate::instances;
use crate::kernel::Kernel;
use crate::sessions::{self, World};
use nt::Status;
use std::sync::{Arc, Mutex};
use subsystems::{Kind, Record, Stage};

fn nt_5() -> World {
    sessions::booted(|plan| plan)
}

fn nt_6() -> World {
    instances::booted(Some(1)).0
}

/// What a record of this kind says, call by call, while a session is made and ended.
fn passed(world: fn() -> World, kind: Kind) -> Vec<Record> {
    let mut passed: Vec<Record> = Vec::new();
    for nth in 0.. {
        let world = world();
        let old = world.kernel.records();
        let seen = Arc::new(Mutex::new(None));
        let given = seen.clone();
        world.kernel.meanwhile(nth, move |kernel| {
            *given.lock().unwrap() = Some(kernel.records());
        });
        world.start("").unwrap();
        world.stop(1).unwrap();
        assert_eq!(world.kernel.records(), old);
        let Some(seen) = seen.lock().unwrap().take() else {
            break;
        };
        passed.extend(seen.into_iter().filter(|record| {
            record.kind == kind
                && old
                    .iter()
                    .all(|old| (old.kind, old.key) != (kind, record.key))
        }));
    }
    passed.dedup();
    passed
}

fn stages(records: &[Record]) -> Vec<Stage> {
    let mut stages: Vec<Stage> = records.iter().map(|record| record.stage).collect();
    stages.dedup();
    stages
}

#[test]
fn a_server_is_reserved_created_registers_and_serves_until_it_is_retired() {
    let whole = [
        Stage::Reserved,
        Stage::Created,
        Stage::Registering,
        Stage::Registered,
        Stage::InService,
        Stage::Retired,
    ];
    // What a child instance reports has a process already.
    for (world, expected) in [(nt_5 as fn() -> World, &whole[..]), (nt_6, &whole[1..])] {
        let server = passed(world, Kind::Server);
        assert_eq!(stages(&server), expected);
        for record in server {
            let process = record.process.is_some();
            assert_eq!(process, record.stage != Stage::Reserved, "{record:?}");
            assert_eq!(record.session, Some(1), "{record:?}");
        }
    }
}

#[test]
fn a_session_starts_and_runs_and_knows_its_initial_command_from_then_on() {
    let session = passed(nt_5, Kind::Terminal);
    assert_eq!(stages(&session), [Stage::Starting, Stage::Running]);
    for record in session {
        assert_eq!(record.session, Some(1), "{record:?}");
        assert!(record.stage == Stage::Starting || record.process.is_some());
    }
}

#[test]
fn a_child_instance_is_reserved_created_and_has_made_its_session() {
    let instance = passed(nt_6, Kind::Instance);
    assert_eq!(
        stages(&instance),
        [Stage::Reserved, Stage::Created, Stage::HasMade]
    );
    for record in instance {
        let has_made = record.stage == Stage::HasMade;
        assert_eq!(record.session, has_made.then_some(1), "{record:?}");
        let process = record.process.is_some();
        assert_eq!(process, record.stage != Stage::Reserved, "{record:?}");
    }
    assert!(passed(nt_5, Kind::Instance).is_empty());
}

#[test]
fn what_ends_while_a_session_starts_is_noted_there() {
    let mut noted = 0;
    for nth in 0.. {
        let world = nt_5();
        let seen = Arc::new(Mutex::new(None));
        let given = seen.clone();
        world.kernel.meanwhile(nth, move |kernel| {
            let csrss = kernel.running("csrss.exe");
            let stage = |kernel: &Kernel| {
                let of_1 =
                    |record: &Record| record.kind == Kind::Terminal && record.session == Some(1);
                kernel
                    .records()
                    .into_iter()
                    .find(of_1)
                    .map(|record| record.stage)
            };
            let before = stage(kernel);
            if let [_, csrss] = csrss[..] {
                kernel.exit(csrss, Status::new(0xC000_0005));
            }
            *given.lock().unwrap() = Some((before, stage(kernel)));
        });
        let started = world.start("");
        match seen.lock().unwrap().take() {
            None => break,
            Some((Some(Stage::Starting), Some(Stage::StartingNoted))) => {
                assert!(started.is_err(), "call {nth}");
                noted += 1;
            }
            Some((before, after)) => assert!(before == after || after.is_none(), "call {nth}"),
        }
    }
    assert!(noted > 3, "{noted}");
}
