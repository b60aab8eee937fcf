// SPDX-License-Identifier: GPL-2.0-or-later
//! The life of a thread that serves the port: what it receives, when its replies go out, and what it
//! does with errors (spec 10.6, 12.4).

use crate::requests::{World, world};
use nt::system::{MessageBuffer, MessageKind, ThreadBody};
use nt::{Result, Status, Word};
use sm_protocol::sm::{LoadDeferred, StartCsr, StopCsr};
use sm_protocol::{Request, request, result_of};
use test_support::warnings;
use zerocopy::FromZeros;

/// A message of this kind by the client of `world`.
fn message<R: Request>(world: &World, body: &R, kind: MessageKind) -> (MessageBuffer, Word) {
    let mut message = request(body);
    message.header.kind = kind.0;
    message.header.client.process = world.client;
    message.header.client.thread = world.client + 1;
    (message, world.context)
}

/// A request that is answered OBJECT_NAME_NOT_FOUND.
fn unknown(world: &World) -> (MessageBuffer, Word) {
    message(world, &StopCsr { session: 9 }, MessageKind::REQUEST)
}

/// A request that is answered INVALID_PARAMETER.
fn invalid(world: &World) -> (MessageBuffer, Word) {
    message(world, &StopCsr { session: 0 }, MessageKind::REQUEST)
}

/// Lets a thread receive these, and then errors until it ends: what the reply that it gave to each
/// receive said, if there was one, and how often it had paused by then.
fn served(
    world: &World,
    arrivals: impl IntoIterator<Item = Result<(MessageBuffer, Word)>>,
) -> Vec<(Option<Result<()>>, usize)> {
    world.kernel.state().arrivals.extend(arrivals);
    world.manager.run();
    let receives = &world.kernel.state().receives;
    receives
        .iter()
        .map(|(reply, pauses)| (reply.as_ref().map(result_of), *pauses))
        .collect()
}

const UNKNOWN: Option<Result<()>> = Some(Err(Status::OBJECT_NAME_NOT_FOUND));
const INVALID: Option<Result<()>> = Some(Err(Status::INVALID_PARAMETER));

#[test]
fn spec_10_6_a_request_is_answered_with_the_next_receive_and_nothing_else_is_answered() {
    let world = world();
    let datagram = message(&world, &StopCsr { session: 9 }, MessageKind::DATAGRAM);
    let arrivals = [unknown(&world), datagram, invalid(&world), unknown(&world)];
    assert_eq!(
        served(&world, arrivals.map(Ok))[..5],
        [None, UNKNOWN, None, INVALID, UNKNOWN].map(|reply| (reply, 0))
    );
}

#[test]
fn spec_10_6_a_reply_is_sent_again_after_an_error_unless_its_client_is_gone() {
    for gone in [Status::REPLY_MESSAGE_MISMATCH, Status::INVALID_CID] {
        let world = world();
        let arrivals = [
            Ok(unknown(&world)),
            Err(Status::ACCESS_DENIED),
            Err(Status::NO_MEMORY),
            Ok(invalid(&world)),
            Err(gone),
            Ok(unknown(&world)),
        ];
        // Of these errors only want of memory is worth a pause.
        assert_eq!(
            served(&world, arrivals)[..7],
            [
                (None, 0),
                (UNKNOWN, 0),
                (UNKNOWN, 0),
                (UNKNOWN, 1),
                (INVALID, 1),
                (None, 1),
                (UNKNOWN, 1)
            ]
        );
        assert_eq!(world.kernel.state().delays[0], 5_000);
    }
}

#[test]
fn spec_12_4_a_port_that_gives_errors_only_is_tried_again_with_pauses_and_then_the_system_stops() {
    let world = world();
    let receives = served(&world, []);
    // Eight errors in a row may come at once; then there is a pause before each attempt.
    let pauses: Vec<usize> = receives.iter().map(|(_, pauses)| *pauses).collect();
    let expected = (0..1024).map(|errors: usize| errors.saturating_sub(8));
    assert_eq!(pauses, expected.collect::<Vec<_>>());
    assert_eq!(
        world.kernel.state().hard_error,
        ["Session Manager Initialization", "c0000008", "0", "0"]
    );
}

#[test]
fn spec_10_6_errors_are_told_but_for_want_of_memory() {
    let world = world();
    let errors = [Status::NO_MEMORY, Status::ACCESS_DENIED].map(Err);
    let said = warnings(|| {
        served(&world, errors);
    });
    let told = |status: Status| {
        let line = format!("\\SmApiPort: receive: {status}");
        said.iter().filter(|said| **said == line).count()
    };
    assert_eq!(
        (told(Status::NO_MEMORY), told(Status::ACCESS_DENIED)),
        (0, 1)
    );
}

#[test]
fn spec_10_6_while_all_threads_are_busy_a_request_that_may_block_has_another_one_listen() {
    for busy in [false, true] {
        let world = world();
        let mut body = LoadDeferred::new_zeroed();
        (body.length, body.name[0]) = (2, u16::from(b'x'));
        let request = message(&world, &body, MessageKind::REQUEST);
        let threads = world.kernel.state().api_threads;
        let manager = world.manager;
        if busy {
            // The second thread receives the request while the first one starts a session.
            let start = message(&world, &StartCsr::new_zeroed(), MessageKind::REQUEST);
            world.kernel.state().arrivals.push_back(Ok(start));
            world.kernel.meanwhile(2, move |_| manager.run());
        }
        served(&world, [Ok(request)]);
        assert_eq!(
            world.kernel.state().api_threads,
            threads + u32::from(busy),
            "{busy}"
        );
    }
}

#[test]
fn api_threads_are_critical_if_the_global_flag_asks_for_it() {
    for (flags, critical) in [(0, 0), (0x0010_0000, 1), (!0x0010_0000, 0), (u32::MAX, 1)] {
        let world = world();
        world.kernel.state().flags = flags;
        served(&world, []);
        assert_eq!(world.kernel.state().critical_threads, critical, "{flags:x}");
    }
}
