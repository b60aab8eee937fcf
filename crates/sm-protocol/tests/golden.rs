// SPDX-License-Identifier: GPL-2.0-or-later
//! Whole messages against bytes written by hand from the specification (10.1 to 10.7).
//!
//! The bytes are the specification's, not the crate's: every offset below is a row of its tables,
//! and no size or offset of the crate is used to place one. The shim's stand-ins and smss speak
//! through the same crate, so this is what keeps them from sharing one error.
#![cfg(target_pointer_width = "64")]

use nt::system::{ImageSubsystem, MessageBuffer, SectionImageInformation, UserProcessInformation};
use nt::{ClientId, Status, wide};
use sm_protocol::sb::{self, SbApi, SbCreateProcess, SbCreateSession, SbCreatedProcess, SbSession};
use sm_protocol::sm::{
    self, ConnectionInfo, ExecPgm, LoadDeferred, SessionComplete, SmApi, StartCsr, StopCsr,
};
use sm_protocol::{ApiMessage, request, result_of};
use zerocopy::{FromBytes, FromZeros, IntoBytes};

/// Bytes at the offsets given, zero everywhere else.
fn bytes(length: usize, parts: &[(usize, &[u8])]) -> Vec<u8> {
    let mut whole = vec![0; length];
    for (at, part) in parts {
        whole[*at..at + part.len()].copy_from_slice(part);
    }
    whole
}

/// The bytes of `message` that travel: header and data.
fn sent(message: &MessageBuffer) -> &[u8] {
    &message.as_bytes()[..0x28 + usize::from(message.header.data_length)]
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes
        .chunks(16)
        .enumerate()
        .map(|(line, bytes)| format!("{:03x}: {bytes:02x?}\n", line * 16))
        .collect()
}

#[track_caller]
fn same(found: &[u8], wanted: &[u8]) {
    assert_eq!(hexadecimal(found), hexadecimal(wanted));
}

/// A process whose every field of interest has bytes of its own.
fn process() -> UserProcessInformation {
    UserProcessInformation {
        size: 0x68,
        process: 0x1122_3344_5566_7788,
        thread: 0x99AA_BBCC_DDEE_FF00,
        client: ClientId {
            process: 0x0102_0304_0506_0708,
            thread: 0x1112_1314_1516_1718,
        },
        image: SectionImageInformation {
            transfer_address: 0x2122_2324_2526_2728,
            maximum_stack_size: 0x3132_3334_3536_3738,
            committed_stack_size: 0x4142_4344_4546_4748,
            subsystem: ImageSubsystem(2),
            minor_version: 0x5152,
            major_version: 0x5354,
            gp_value: 0x5556_5758,
            image_characteristics: 0x6162,
            dll_characteristics: 0x6364,
            machine: 0x8664,
            image_contains_code: 1,
            loader_flags: 0x7172_7374,
            image_file_size: 0x7576_7778,
            ..SectionImageInformation::default()
        },
        ..UserProcessInformation::default()
    }
}

/// Its 0x68 bytes (spec 10.1), from `at` on.
fn process_parts(at: usize) -> [(usize, &'static [u8]); 15] {
    [
        (at, &[0x68]),
        (at + 0x08, &[0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11]),
        (at + 0x10, &[0x00, 0xFF, 0xEE, 0xDD, 0xCC, 0xBB, 0xAA, 0x99]),
        (at + 0x18, &[8, 7, 6, 5, 4, 3, 2, 1]),
        (at + 0x20, &[0x18, 0x17, 0x16, 0x15, 0x14, 0x13, 0x12, 0x11]),
        (at + 0x28, &[0x28, 0x27, 0x26, 0x25, 0x24, 0x23, 0x22, 0x21]),
        (at + 0x38, &[0x38, 0x37, 0x36, 0x35, 0x34, 0x33, 0x32, 0x31]),
        (at + 0x40, &[0x48, 0x47, 0x46, 0x45, 0x44, 0x43, 0x42, 0x41]),
        (at + 0x48, &[2]),
        (at + 0x4C, &[0x52, 0x51, 0x54, 0x53]),
        (at + 0x50, &[0x58, 0x57, 0x56, 0x55]),
        (at + 0x54, &[0x62, 0x61, 0x64, 0x63, 0x64, 0x86]),
        (at + 0x5A, &[1]),
        (at + 0x5C, &[0x74, 0x73, 0x72, 0x71]),
        (at + 0x60, &[0x78, 0x77, 0x76, 0x75]),
    ]
}

#[test]
fn spec_10_2_connection_information() {
    let info = ConnectionInfo::server(ImageSubsystem(2), wide!("\\Windows\\SbApiPort")).unwrap();
    let name = b"\\\0W\0i\0n\0d\0o\0w\0s\0\\\0S\0b\0A\0p\0i\0P\0o\0r\0t\0";
    same(info.as_bytes(), &bytes(0xF4, &[(0, &[2]), (4, name)]));
    same(ConnectionInfo::PLAIN.as_bytes(), &[0; 0xF4]);

    // As it arrives at the server: data of a message of type 10, total 0x11C.
    let mut arrived = MessageBuffer::new_zeroed();
    let wanted = bytes(
        0x11C,
        &[(0, &[0xF4, 0, 0x1C, 1, 10]), (0x28, &[2]), (0x2C, name)],
    );
    arrived.as_mut_bytes()[..0x11C].copy_from_slice(&wanted);
    let mut found = ConnectionInfo::PLAIN;
    found.take_from(&arrived);
    assert_eq!(
        (found.subsystem, found.name()),
        (ImageSubsystem(2), wide!("\\Windows\\SbApiPort"))
    );
}

#[test]
fn spec_1_5_and_9_5_port_limits() {
    let sm = sm::SM_PORT_LIMITS;
    assert_eq!(
        (sm.connection_info, sm.message, sm.pool),
        (0xF4, 0x148, 0x2400)
    );
    let sb = sb::SB_PORT_LIMITS;
    assert_eq!(
        (sb.connection_info, sb.message, sb.pool),
        (0xF4, 0x120, 0x2400)
    );
    assert_eq!(sm::SM_PORT, wide!("\\SmApiPort"));
}

#[test]
fn spec_10_4_1_session_complete() {
    let message = request(&SessionComplete {
        session: 0x0A0B_0C0D,
        status: 0xC000_0005,
    });
    let data = [0x0D, 0x0C, 0x0B, 0x0A, 5, 0, 0, 0xC0];
    same(
        sent(&message),
        &bytes(
            0x38,
            &[(0, &[0x10, 0, 0x38, 0]), (0x28, &[1]), (0x30, &data)],
        ),
    );
}

#[test]
fn spec_10_4_3_exec_pgm() {
    let mut body = ExecPgm::new_zeroed();
    body.process = process();
    body.debug = 1;
    let mut parts = vec![
        (0, [0x78, 0, 0xA0, 0].as_slice()),
        (0x28, &[3]),
        (0x98, &[1]),
    ];
    parts.extend(process_parts(0x30));
    same(sent(&request(&body)), &bytes(0xA0, &parts));
}

#[test]
fn spec_10_4_4_load_deferred_subsystem() {
    let mut body = LoadDeferred::new_zeroed();
    body.length = 10;
    body.name[..5].copy_from_slice(wide!("Posix").units());
    same(
        sent(&request(&body)),
        &bytes(
            0x74,
            &[
                (0, &[0x4C, 0, 0x74, 0]),
                (0x28, &[4]),
                (0x30, &[10]),
                (0x34, b"P\0o\0s\0i\0x\0"),
            ],
        ),
    );
}

#[test]
fn spec_10_4_5_start_csr_and_its_answer() {
    let mut body = StartCsr::new_zeroed();
    body.length = 8;
    body.command[..4].copy_from_slice(wide!("a.ex").units());
    let mut message = request(&body);
    let parts: [(usize, &[u8]); 4] = [
        (0, &[0x20, 1, 0x48, 1]),
        (0x28, &[5]),
        (0x34, &[8]),
        (0x38, b"a\0.\0e\0x\0"),
    ];
    same(sent(&message), &bytes(0x148, &parts));

    // The answer: session and the two process ids.
    let answer: [(usize, &[u8]); 4] = [
        (0x2C, &[0x0D, 0, 0, 0xC0]),
        (0x30, &[7]),
        (0x138, &[0x34, 0x12]),
        (0x140, &[0x78, 0x56]),
    ];
    let parts: Vec<_> = parts.iter().chain(&answer).copied().collect();
    message
        .as_mut_bytes()
        .copy_from_slice(&bytes(0x148, &parts));
    let body: StartCsr = message.body().unwrap();
    assert_eq!(
        (body.session, body.server, body.initial),
        (7, 0x1234, 0x5678)
    );
    assert_eq!(result_of(&message), Err(Status::INVALID_PARAMETER));
}

#[test]
fn spec_10_4_6_stop_csr() {
    same(
        sent(&request(&StopCsr { session: 3 })),
        &bytes(
            0x34,
            &[(0, &[0x0C, 0, 0x34, 0]), (0x28, &[6]), (0x30, &[3])],
        ),
    );
}

#[test]
fn spec_10_4_numbers() {
    let numbers = [
        SmApi::CREATE_FOREIGN_SESSION,
        SmApi::SESSION_COMPLETE,
        SmApi::TERMINATE_FOREIGN_SESSION,
        SmApi::EXEC_PGM,
        SmApi::LOAD_DEFERRED_SUBSYSTEM,
        SmApi::START_CSR,
        SmApi::STOP_CSR,
        SmApi::QUERY_INFORMATION,
    ];
    assert_eq!(numbers.map(|api| api.0), [0, 1, 2, 3, 4, 5, 6, 7]);
}

#[test]
fn spec_10_7_0_create_session() {
    let mut body = SbCreateSession::new_zeroed();
    body.session = 0x0102_0304;
    body.process = process();
    body.debugger = ClientId {
        process: 0x21,
        thread: 0x22,
    };
    let mut parts = vec![
        (0, [0x98, 0, 0x20, 1].as_slice()),
        (0x30, &[4, 3, 2, 1]),
        (0xB0, &[0x21]),
        (0xB8, &[0x22]),
    ];
    parts.extend(process_parts(0x38));
    same(
        sent(&sb::callback(SbApi::CREATE_SESSION, &body)),
        &bytes(0xC0, &parts),
    );
}

#[test]
fn spec_10_7_1_and_2_the_end_of_a_session() {
    for (api, number) in [
        (SbApi::TERMINATE_SESSION, 1),
        (SbApi::FOREIGN_SESSION_COMPLETE, 2),
    ] {
        same(
            sent(&sb::callback(api, &SbSession { session: 0x0506 })),
            &bytes(
                0x34,
                &[(0, &[0x0C, 0, 0x20, 1]), (0x28, &[number]), (0x30, &[6, 5])],
            ),
        );
    }
}

#[test]
fn spec_10_7_3_create_process_and_its_answer() {
    let body = SbCreateProcess {
        image: 0x1000_0001,
        directory: 0x1000_0002,
        command_line: 0x1000_0003,
        dll_path: 0x1000_0004,
        flags: SbCreateProcess::SUSPENDED | SbCreateProcess::RESERVE_1MB,
        debug: 1,
    };
    let mut message = sb::callback(SbApi::CREATE_PROCESS, &body);
    same(
        sent(&message),
        &bytes(
            0x58,
            &[
                (0, &[0x30, 0, 0x20, 1]),
                (0x28, &[3]),
                (0x30, &[1, 0, 0, 0x10]),
                (0x38, &[2, 0, 0, 0x10]),
                (0x40, &[3, 0, 0, 0x10]),
                (0x48, &[4, 0, 0, 0x10]),
                (0x50, &[0x28]),
                (0x54, &[1]),
            ],
        ),
    );
    let answer = bytes(
        0x28,
        &[
            (0, &[0x44]),
            (8, &[0x48]),
            (0x10, &[7]),
            (0x18, &[0x50]),
            (0x20, &[0x54]),
        ],
    );
    message.as_mut_bytes()[0x30..0x58].copy_from_slice(&answer);
    let (created, _) = SbCreatedProcess::read_from_prefix(&message.data[8..]).unwrap();
    assert_eq!(
        (created.process, created.thread, created.subsystem),
        (0x44, 0x48, ImageSubsystem(7))
    );
    assert_eq!(
        created.client,
        ClientId {
            process: 0x50,
            thread: 0x54
        }
    );
}
