// SPDX-License-Identifier: GPL-2.0-or-later
//! The sections that clients share with their servers through NtConnectPort: what they cost either
//! address space, and until when. Counted in the kernel's own tables.

use super::*;
use crate::layout::{PortView, QualityOfService, RemotePortView};
use nt::Handle;

const PAGE_READONLY: u32 = 2;
const HANDLE: u64 = 0x00;
const CONTEXT: u64 = 0x08;
const SECTION: u64 = 0x10;
const SIZE: u64 = 0x18;
const ATTRIBUTES: u64 = 0x100;
const NAME: u64 = 0x200;
const QUALITY: u64 = 0x300;
const VIEW: u64 = 0x400;
const REMOTE: u64 = 0x500;
const MESSAGE: u64 = 0x800;

/// A server with a connection request before it whose client offers a view.
struct Offered {
    world: World,
    server: Caller,
    client: Caller,
    /// Regions of the server and of the client before the client had connected.
    before: (usize, usize),
}

fn regions(world: &World, caller: Caller) -> usize {
    let process = &world.exec.process(caller.process).unwrap();
    process
        .memory
        .as_ref()
        .map_or(0, |space| space.descriptors())
}

impl Offered {
    fn new() -> Self {
        let mut world = World::new();
        let (server, client) = (world.caller(), world.caller());
        let attributes = world.attributes(server, ATTRIBUTES, "\\SmApiPort", 0);
        let create = [server.memory + HANDLE, attributes, 0xF4, 0x148, 0x2900];
        succeeds(&mut world, server, "NtCreatePort", &create);
        let port: u64 = world.get(server, HANDLE);

        let at = |offset: u64| client.memory + offset;
        world.put(client, SIZE, 0x3000_u64);
        let section = [at(SECTION), 0xF_001F, 0, at(SIZE), 4, 0x0800_0000, 0];
        succeeds(&mut world, client, "NtCreateSection", &section);
        let view = PortView {
            length: size_of::<PortView>() as u32,
            section: world.get(client, SECTION),
            size: 0x3000,
            ..PortView::default()
        };
        world.put(client, VIEW, view);
        let quality = QualityOfService {
            length: 0,
            level: 2,
            tracking: 1,
            effective_only: 1,
            padding: 0,
        };
        world.put(client, QUALITY, quality);
        let name = world.string(client, NAME, "\\SmApiPort");
        let before = (regions(&world, server), regions(&world, client));
        let connect = [at(HANDLE), name, at(QUALITY), at(VIEW), 0, 0, 0, 0];
        assert_eq!(world.call(client, "NtConnectPort", &connect), Done::Waits);
        assert_eq!(regions(&world, client), before.1 + 1, "the client's view");

        let receive = [port, server.memory + CONTEXT, 0, server.memory + MESSAGE];
        succeeds(&mut world, server, "NtReplyWaitReceivePort", &receive);
        let remote = RemotePortView {
            length: size_of::<RemotePortView>() as u32,
            ..RemotePortView::default()
        };
        world.put(server, REMOTE, remote);
        Self {
            world,
            server,
            client,
            before,
        }
    }

    fn accept(&mut self) -> Status {
        let at = |offset: u64| self.server.memory + offset;
        let accept = [at(HANDLE), 0x77, at(MESSAGE), 1, 0, at(REMOTE)];
        self.world
            .status(self.server, "NtAcceptConnectPort", &accept)
    }

    fn regions(&self) -> (usize, usize) {
        (
            regions(&self.world, self.server),
            regions(&self.world, self.client),
        )
    }
}

fn succeeds(world: &mut World, caller: Caller, call: &str, arguments: &[u64]) {
    assert_eq!(world.status(caller, call, arguments), Status::SUCCESS);
}

#[test]
fn each_end_of_a_connection_takes_its_view_with_it() {
    let mut offered = Offered::new();
    assert_eq!(offered.accept(), Status::SUCCESS);
    let (server, client, before) = (offered.server, offered.client, offered.before);
    let server_end: u64 = offered.world.get(server, HANDLE);
    succeeds(
        &mut offered.world,
        server,
        "NtCompleteConnectPort",
        &[server_end],
    );
    assert_eq!(offered.world.finish(client), Status::SUCCESS);
    assert_eq!(offered.regions(), (before.0 + 1, before.1 + 1));

    let client_end: u64 = offered.world.get(client, HANDLE);
    succeeds(&mut offered.world, client, "NtClose", &[client_end]);
    assert_eq!(offered.regions(), (before.0 + 1, before.1));
    succeeds(&mut offered.world, server, "NtClose", &[server_end]);
    assert_eq!(offered.regions(), before);
}

#[test]
fn a_client_whose_view_cannot_be_mapped_into_the_server_is_refused() {
    let mut offered = Offered::new();
    let server = offered.server;
    // No address is left: the server reserves what is free, the largest pieces first.
    let mut size = 1_u64 << 46;
    while size >= 0x1_0000 {
        offered.world.put(server, CONTEXT, 0_u64);
        offered.world.put(server, SIZE, size);
        let at = |offset: u64| server.memory + offset;
        let reserve = [u64::MAX, at(CONTEXT), 0, at(SIZE), 0x2000, 4];
        let status = offered
            .world
            .status(server, "NtAllocateVirtualMemory", &reserve);
        if status != Status::SUCCESS {
            size /= 2;
        }
    }
    assert_eq!(offered.accept(), Status::NO_MEMORY);
    assert_eq!(
        offered.world.finish(offered.client),
        Status::PORT_CONNECTION_REFUSED
    );
    assert_eq!(offered.regions().1, offered.before.1);
}

#[test]
fn a_thread_that_ends_while_it_connects_takes_its_view_with_it() {
    for accepted in [false, true] {
        let mut offered = Offered::new();
        if accepted {
            assert_eq!(offered.accept(), Status::SUCCESS);
        }
        let Caller {
            thread, process, ..
        } = offered.client;
        let exec = &mut offered.world.exec;
        // The process has another thread and lives on.
        exec.make_thread(process, &Context::default(), Stack::default())
            .unwrap();
        exec.end_thread(thread, Status::UNSUCCESSFUL);
        assert_eq!(
            offered.regions().1,
            offered.before.1,
            "accepted: {accepted}"
        );
    }
}

#[test]
fn a_client_whose_results_have_no_place_any_more_has_no_connection() {
    let handles = |offered: &Offered| {
        let process = offered.world.exec.process(offered.client.process);
        process.unwrap().handles.as_ref().unwrap().iter().count()
    };
    let mut offered = Offered::new();
    let before = handles(&offered);
    assert_eq!(offered.accept(), Status::SUCCESS);
    let client = offered.client;
    let server_end: u64 = offered.world.get(offered.server, HANDLE);
    let end = [server_end];
    succeeds(
        &mut offered.world,
        offered.server,
        "NtCompleteConnectPort",
        &end,
    );
    // Another thread of the client takes the page of its PORT_VIEW away while the first one waits.
    let sibling = offered.world.exec.protect_virtual_memory(
        client.thread,
        Handle::CURRENT_PROCESS,
        client.memory,
        0x1000,
        PAGE_READONLY,
    );
    sibling.unwrap();
    assert_eq!(offered.world.finish(client), Status::ACCESS_VIOLATION);
    assert_eq!(handles(&offered), before);
    assert_eq!(offered.regions().1, offered.before.1);
}
