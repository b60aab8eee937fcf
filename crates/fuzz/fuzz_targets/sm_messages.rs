// SPDX-License-Identifier: GPL-2.0-or-later
//! Arbitrary message bytes into the server of `\SmApiPort`, on the kernel of its tests.
//!
//! The input is a list of messages: one byte for what happens (connect, request, other kind, disconnect), two for the data length, the
//! rest, up to the next message, its data. Whatever arrives, every request is answered once, no handle is closed twice, and when the
//! client has ended nothing of it is left.
#![no_main]

#[allow(dead_code, missing_docs, reason = "made for the tests")]
#[path = "../../subsystems/tests/server/kernel/mod.rs"]
mod kernel;

use kernel::{Kernel, TestPlan, start_with};
use libfuzzer_sys::fuzz_target;
use nt::Status;
use nt::system::{MessageBuffer, MessageKind};
use sm_protocol::request;
use sm_protocol::sm::{ConnectionInfo, StopCsr};
use std::sync::OnceLock;
use subsystems::{Command, Counts, Manager};

type World = (&'static Kernel, &'static Manager<&'static Kernel>);

/// One system for all inputs: what an input leaves behind is found at its end.
fn world() -> World {
    static WORLD: OnceLock<World> = OnceLock::new();
    *WORLD.get_or_init(|| {
        let kernel: &'static Kernel = Box::leak(Box::new(Kernel::new()));
        let (kernel, manager) = start_with(kernel, TestPlan::new(kernel).leak());
        let booted = manager
            .load_session0(&mut Command::new())
            .and_then(|session| session.start_initial());
        assert!(booted.is_ok());
        (kernel, manager)
    })
}

/// Everything but the deferred servers and their processes, of which an input may start as many as it likes.
fn lasting(counts: Counts) -> (usize, usize) {
    (counts.clients - counts.servers, counts.sessions)
}

fuzz_target!(|input: &[u8]| {
    let (kernel, manager) = world();
    let before = lasting(manager.counts());
    let client = kernel.add_process(0, "client.exe");
    let Ok(mut context) = kernel.connect(client, &ConnectionInfo::PLAIN) else {
        return;
    };
    for part in input.chunks(0x123) {
        let [what, low, high, data @ ..] = part else {
            break;
        };
        let mut message = MessageBuffer::default();
        message.header.data_length = u16::from_le_bytes([*low, *high]);
        for (to, from) in message.data.iter_mut().zip(data) {
            *to = *from;
        }
        let kind = u16::from(what >> 2);
        match what % 4 {
            0 | 1 => assert!(kernel.send(client, context, &message).is_some()),
            // A connection request comes from the kernel only, and is the next case.
            2 if kind != MessageKind::CONNECTION_REQUEST.0 => {
                let _ = kernel.send_kind(client, context, &message, kind);
            }
            _ => {
                kernel.disconnect(client, context);
                context = kernel.connect_raw(client, data).unwrap_or(0);
            }
        }
    }
    kernel.exit(client, Status::SUCCESS);
    let cleaner = kernel.add_process(0, "cleaner.exe");
    if let Ok(context) = kernel.connect(cleaner, &ConnectionInfo::PLAIN) {
        for session in 1..=128 {
            kernel.send(cleaner, context, &request(&StopCsr { session }));
        }
    }
    kernel.exit(cleaner, Status::SUCCESS);
    kernel.forget_the_dead();
    assert_eq!(lasting(manager.counts()), before);
    assert_eq!(kernel.state().bad_closes, 0);
});
