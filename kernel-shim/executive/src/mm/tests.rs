// SPDX-License-Identifier: GPL-2.0-or-later
//! Address spaces without processes: reservations, commitment, protection, guard pages, views.

use super::protection::Protect;
use super::segment::Segments;
use super::space::{
    AddressSpace, Allocation, GRANULARITY, MEM_COMMIT, MEM_DECOMMIT, MEM_FREE, MEM_PRIVATE,
    MEM_RELEASE, MEM_RESERVE, MEM_TOP_DOWN, SHARED_DATA,
};
use super::view::{Touch, ViewRequest};
use crate::host::machine::MemoryMachine;
use crate::machine::{Architecture, Machine, PAGE, PageAccess};
use alloc::vec::Vec;
use nt::{Result, Status};
use proptest::prelude::*;

const READ_WRITE: u32 = 4;
const USER_END: u64 = Architecture::Amd64.user_end();

struct World {
    machine: MemoryMachine,
    segments: Segments,
    space: AddressSpace,
}

impl World {
    fn new() -> Self {
        let mut machine = MemoryMachine::new(256, Vec::new());
        let space = AddressSpace::new(machine.create_space().unwrap(), Architecture::Amd64);
        Self {
            machine,
            segments: Segments::default(),
            space,
        }
    }

    fn allocate(&mut self, base: u64, size: u64, kind: u32, protect: u32) -> Result<(u64, u64)> {
        self.space.allocate(
            &mut self.machine,
            &mut self.segments,
            Allocation {
                base,
                size,
                zero_bits: 0,
                kind,
                protect,
            },
        )
    }

    fn free(&mut self, base: u64, size: u64, kind: u32) -> Result<(u64, u64)> {
        self.space.free(&mut self.machine, base, size, kind)
    }

    fn protect(&mut self, base: u64, size: u64, protect: u32) -> Result<u32> {
        self.space
            .protect(&mut self.machine, &self.segments, base, size, protect)
            .map(|(_, _, old)| old)
    }

    fn touch(&mut self, address: u64, access: PageAccess) -> Result<Touch> {
        self.space
            .touch(&mut self.machine, &mut self.segments, address, access)
    }

    fn state(&self, address: u64) -> (u32, u64, u32) {
        let region = self.space.query(&self.segments, address).unwrap();
        (region.state, region.size, region.protect)
    }
}

#[test]
fn a_reservation_is_64_kb_aligned_and_holds_nothing() {
    let mut world = World::new();
    let (base, size) = world.allocate(0, 0x2345, MEM_RESERVE, READ_WRITE).unwrap();
    assert_eq!((base, size), (GRANULARITY, 0x3000));
    assert_eq!(world.state(base + 0x1000), (MEM_RESERVE, 0x2000, 0));
    assert_eq!(
        world.touch(base, PageAccess::READ),
        Err(Status::ACCESS_VIOLATION)
    );
    let (second, _) = world.allocate(0, 0x1000, MEM_RESERVE, READ_WRITE).unwrap();
    assert_eq!(second, 2 * GRANULARITY);
    let (asked, size) = world
        .allocate(0x12_3456, 0x1000, MEM_RESERVE, READ_WRITE)
        .unwrap();
    assert_eq!(
        (asked, size),
        (0x12_0000, 0x5000),
        "from the 64 KB below to the page's end"
    );
    assert_eq!(
        world.allocate(0x12_4000, 0x1000, MEM_RESERVE, READ_WRITE),
        Err(Status::CONFLICTING_ADDRESSES)
    );
    let (high, _) = world
        .allocate(0, 0x1000, MEM_RESERVE | MEM_TOP_DOWN, READ_WRITE)
        .unwrap();
    assert_eq!(high, USER_END - GRANULARITY);
}

#[test]
fn committed_pages_are_zero_when_touched_and_counted_when_promised() {
    let mut world = World::new();
    let (base, _) = world.allocate(0, 0x4000, MEM_RESERVE, READ_WRITE).unwrap();
    world
        .allocate(base + 0x1000, 0x1000, MEM_COMMIT, READ_WRITE)
        .unwrap();
    assert_eq!(world.space.committed, 1);
    assert_eq!(world.machine.state().frames(), 0);
    assert_eq!(
        world.touch(base + 0x1234, PageAccess::WRITE),
        Ok(Touch::Done)
    );
    assert_eq!(world.machine.state().frames(), 1);
    assert_eq!(
        world.touch(base + 0x1234, PageAccess::EXECUTE),
        Err(Status::ACCESS_VIOLATION)
    );
    assert_eq!(
        world.touch(base, PageAccess::READ),
        Err(Status::ACCESS_VIOLATION)
    );
    let mut bytes = [1; 4];
    world
        .machine
        .read(world.space.space, base + 0x1000, &mut bytes)
        .unwrap();
    assert_eq!(bytes, [0; 4]);
    assert_eq!(world.state(base + 0x1000), (MEM_COMMIT, 0x1000, READ_WRITE));
    assert_eq!(
        world.allocate(base, 0x10_0000, MEM_COMMIT, READ_WRITE),
        Err(Status::CONFLICTING_ADDRESSES)
    );
    assert_eq!(
        world.allocate(0, 0x100_0000, MEM_COMMIT | MEM_RESERVE, READ_WRITE),
        Err(Status::NO_MEMORY),
        "more than there is"
    );
}

#[test]
fn arguments_that_cannot_be_are_named() {
    let mut world = World::new();
    for (base, size, kind, protect, status) in [
        (0, 0, MEM_RESERVE, READ_WRITE, Status::INVALID_PARAMETER_4),
        (0, 0x1000, 0, READ_WRITE, Status::INVALID_PARAMETER_5),
        (
            0,
            0x1000,
            MEM_DECOMMIT,
            READ_WRITE,
            Status::INVALID_PARAMETER_5,
        ),
        (
            USER_END,
            0x1000,
            MEM_RESERVE,
            READ_WRITE,
            Status::INVALID_PARAMETER_2,
        ),
        (
            0x10_0000,
            u64::MAX,
            MEM_RESERVE,
            READ_WRITE,
            Status::INVALID_PARAMETER_4,
        ),
        (0, 0x1000, MEM_RESERVE, 0, Status::INVALID_PAGE_PROTECTION),
        (0, 0x1000, MEM_RESERVE, 6, Status::INVALID_PAGE_PROTECTION),
        (0, 0x1000, MEM_RESERVE, 8, Status::INVALID_PAGE_PROTECTION),
        (
            0,
            0x1000,
            MEM_RESERVE,
            0x101,
            Status::INVALID_PAGE_PROTECTION,
        ),
        (
            SHARED_DATA,
            0x1000,
            MEM_RESERVE,
            READ_WRITE,
            Status::CONFLICTING_ADDRESSES,
        ),
    ] {
        assert_eq!(
            world.allocate(base, size, kind, protect),
            Err(status),
            "{base:#x} {size:#x} {kind:#x} {protect:#x}"
        );
    }
}

#[test]
fn freeing_takes_parts_and_wholes() {
    let mut world = World::new();
    let (base, _) = world
        .allocate(0, 0x4_0000, MEM_RESERVE | MEM_COMMIT, READ_WRITE)
        .unwrap();
    world.touch(base + 0x1_0000, PageAccess::WRITE).unwrap();
    assert_eq!(
        world.free(base, 0, 0x1234),
        Err(Status::INVALID_PARAMETER_4)
    );
    assert_eq!(
        world.free(base + 0x1000, 0, MEM_RELEASE),
        Err(Status::FREE_VM_NOT_AT_BASE)
    );
    assert_eq!(
        world.free(base, 0x5_0000, MEM_RELEASE),
        Err(Status::UNABLE_TO_FREE_VM)
    );
    assert_eq!(
        world.free(base + 0x1_0000, 0x1000, MEM_DECOMMIT),
        Ok((base + 0x1_0000, 0x1000))
    );
    assert_eq!(
        (world.space.committed, world.machine.state().frames()),
        (63, 0)
    );
    assert_eq!(
        world.free(base + 0x1_0000, 0x1_0000, MEM_RELEASE),
        Ok((base + 0x1_0000, 0x1_0000))
    );
    assert_eq!(world.state(base + 0x1_0000).0, MEM_FREE);
    assert_eq!(
        world.state(base + 0x2_0000),
        (MEM_COMMIT, 0x2_0000, READ_WRITE)
    );
    world.free(base, 0, MEM_RELEASE).unwrap();
    world.free(base + 0x2_0000, 0, MEM_RELEASE).unwrap();
    assert_eq!(world.space.committed, 0);
    assert_eq!(
        world.free(base, 0, MEM_RELEASE),
        Err(Status::MEMORY_NOT_ALLOCATED)
    );
    assert_eq!(
        world.free(SHARED_DATA, 0, MEM_RELEASE),
        Err(Status::UNABLE_TO_DELETE_SECTION)
    );
}

#[test]
fn protection_changes_and_tells_the_old_one() {
    let mut world = World::new();
    let (base, _) = world.allocate(0, 0x4000, MEM_RESERVE, READ_WRITE).unwrap();
    assert_eq!(world.protect(base, 0x1000, 2), Err(Status::NOT_COMMITTED));
    world
        .allocate(base, 0x2000, MEM_COMMIT, READ_WRITE)
        .unwrap();
    world.touch(base, PageAccess::WRITE).unwrap();
    assert_eq!(world.protect(base, 0x1000, 2), Ok(READ_WRITE));
    assert_eq!(
        world.touch(base, PageAccess::WRITE),
        Err(Status::ACCESS_VIOLATION)
    );
    assert_eq!(world.protect(base, 0x2000, 0x40), Ok(2));
    assert_eq!(world.touch(base, PageAccess::EXECUTE), Ok(Touch::Done));
    assert_eq!(world.protect(base, 0x3000, 2), Err(Status::NOT_COMMITTED));
    assert_eq!(
        world.protect(SHARED_DATA, 0x1000, 4),
        Err(Status::INVALID_PAGE_PROTECTION)
    );
}

#[test]
fn a_guard_page_speaks_once() {
    let mut world = World::new();
    let (base, _) = world
        .allocate(
            0,
            0x1000,
            MEM_RESERVE | MEM_COMMIT,
            READ_WRITE | Protect::GUARD,
        )
        .unwrap();
    assert_eq!(
        world.touch(base, PageAccess::WRITE),
        Err(Status::GUARD_PAGE_VIOLATION)
    );
    assert_eq!(world.touch(base, PageAccess::WRITE), Ok(Touch::Done));
}

#[test]
fn views_of_memory_share_their_pages() {
    let mut world = World::new();
    let segment = world.segments.make_memory(0x3_0000, true, None);
    let request = ViewRequest {
        segment,
        section: Protect::READ_WRITE,
        base: 0,
        zero_bits: 0,
        offset: 0,
        size: 0,
        inherit: false,
        kind: 0,
        protect: READ_WRITE,
    };
    let map = |world: &mut World, request| world.space.map(&mut world.segments, request);
    let first = map(&mut world, request).unwrap();
    let second = map(
        &mut world,
        ViewRequest {
            offset: 0x1_0000,
            ..request
        },
    )
    .unwrap();
    assert_eq!((first.size, second.size), (0x3_0000, 0x2_0000));
    world
        .touch(first.base + 0x1_0000, PageAccess::WRITE)
        .unwrap();
    world
        .machine
        .write(world.space.space, first.base + 0x1_0000, b"shared")
        .unwrap();
    world.touch(second.base, PageAccess::READ).unwrap();
    let mut seen = [0; 6];
    world
        .machine
        .read(world.space.space, second.base, &mut seen)
        .unwrap();
    assert_eq!(&seen, b"shared");
    let copy = map(
        &mut world,
        ViewRequest {
            protect: 8,
            ..request
        },
    )
    .unwrap();
    world
        .touch(copy.base + 0x1_0000, PageAccess::WRITE)
        .unwrap();
    world
        .machine
        .write(world.space.space, copy.base + 0x1_0000, b"COPIED")
        .unwrap();
    world
        .machine
        .read(world.space.space, second.base, &mut seen)
        .unwrap();
    assert_eq!(&seen, b"shared");
    for (wrong, status) in [
        (
            ViewRequest {
                offset: 0x1000,
                ..request
            },
            Status::MAPPED_ALIGNMENT,
        ),
        (
            ViewRequest {
                base: 0x1000,
                ..request
            },
            Status::MAPPED_ALIGNMENT,
        ),
        (
            ViewRequest {
                offset: 0x3_0000,
                ..request
            },
            Status::INVALID_VIEW_SIZE,
        ),
        (
            ViewRequest {
                size: 0x4_0000,
                ..request
            },
            Status::INVALID_VIEW_SIZE,
        ),
        (
            ViewRequest {
                base: first.base,
                ..request
            },
            Status::CONFLICTING_ADDRESSES,
        ),
        (
            ViewRequest {
                section: Protect::READ_ONLY,
                ..request
            },
            Status::SECTION_PROTECTION,
        ),
        (
            ViewRequest {
                protect: 0x20,
                ..request
            },
            Status::SECTION_PROTECTION,
        ),
        (
            ViewRequest {
                protect: 0x104,
                ..request
            },
            Status::INVALID_PAGE_PROTECTION,
        ),
    ] {
        assert_eq!(map(&mut world, wrong), Err(status), "{wrong:?}");
    }
    assert_eq!(
        world.space.unmap(&mut world.machine, first.base + 0x2345),
        Ok(segment)
    );
    assert_eq!(
        world.space.unmap(&mut world.machine, first.base),
        Err(Status::NOT_MAPPED_VIEW)
    );
    assert_eq!(world.space.clear(&mut world.machine), [segment, segment]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_sequence_of_calls_keeps_the_books(steps in prop::collection::vec((0u8..6, 0u64..40, 1u64..40, 0usize..4), 1..60)) {
        let mut world = World::new();
        for (step, at, size, choice) in steps {
            let (base, size) = (GRANULARITY + at * 0x4000, size * 0x1800);
            let protect = [2, 4, 0x40, 0x104][choice];
            match step {
                0 => drop(world.allocate(base, size, MEM_RESERVE, protect)),
                1 => drop(world.allocate(base, size, MEM_RESERVE | MEM_COMMIT, protect)),
                2 => drop(world.allocate(base, size, MEM_COMMIT, protect)),
                3 => drop(world.free(base, if choice == 0 { 0 } else { size }, if choice < 2 { MEM_RELEASE } else { MEM_DECOMMIT })),
                4 => drop(world.protect(base, size, protect)),
                _ => drop(world.touch(base, PageAccess::WRITE)),
            }
            // What the books say of every page must agree with the sum of what is charged and with the machine's frames.
            let (mut committed, mut address) = (0, 0);
            while address < USER_END {
                let region = world.space.query(&world.segments, address).unwrap();
                prop_assert!(region.size > 0 && region.size.is_multiple_of(PAGE as u64));
                if region.state == MEM_COMMIT && region.kind == MEM_PRIVATE && region.allocation != SHARED_DATA {
                    committed += region.size / PAGE as u64;
                }
                address += region.size;
            }
            prop_assert_eq!(committed, world.space.committed);
            prop_assert!(world.machine.state().frames() as u64 <= committed);
        }
        world.space.clear(&mut world.machine);
        prop_assert_eq!(world.machine.state().frames(), 0);
        prop_assert_eq!(world.space.committed, 0);
    }
}

#[test]
fn based_segments_lie_side_by_side_from_the_top_down() {
    let mut world = World::new();
    let mut based = |size| {
        let base = world.segments.find_base(size, USER_END).unwrap();
        (base, world.segments.make_memory(size, true, Some(base)))
    };
    let (first, _) = based(0x3_1000);
    assert_eq!(first, USER_END - 0x80_0000 - 0x4_0000);
    let (second, middle) = based(0x1_0000);
    assert_eq!(second, first - 0x1_0000);
    let (third, _) = based(0x1000);
    assert_eq!(third, second - 0x1_0000);
    world.segments.dereference(middle);
    assert_eq!(
        world.segments.find_base(0x2000, USER_END),
        Ok(second),
        "a gap is taken"
    );
    assert_eq!(
        world.segments.find_base(0x1_1000, USER_END),
        Ok(third - 0x2_0000)
    );
    assert_eq!(
        world.segments.find_base(USER_END, USER_END),
        Err(Status::NO_MEMORY)
    );
}
