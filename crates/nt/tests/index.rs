// SPDX-License-Identifier: GPL-2.0-or-later
//! Rows found by name: the right ones, and in how many steps.

use core::mem::offset_of;
use nt::UnicodeStr;
use nt::index::{NameHash, Node, Row, Table};
use nt::steps;
use test_support::Heap;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

static HEAP: Heap = Heap::new(1 << 26);

#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
struct Number {
    node: Node,
    number: u32,
}

impl Row for Number {
    const NODE: usize = offset_of!(Self, node);
}

fn hash(number: u32) -> NameHash {
    let name: Vec<u16> = format!("Name{number:05}").encode_utf16().collect();
    NameHash::of(UnicodeStr(&name))
}

fn table(count: u32) -> Table<&'static Heap, Number> {
    let mut table = Table::new(&HEAP);
    for number in 0..count {
        let node = Node::default();
        table.insert(hash(number), Number { node, number }).unwrap();
    }
    table
}

#[test]
fn every_row_is_found_and_no_other() {
    let table = table(3000);
    for number in 0..3000 {
        let found = table.find(hash(number), |_, row| row.number == number);
        assert_eq!(found, Some(number as usize));
    }
    assert_eq!(table.find(hash(3000), |_, row| row.number == 3000), None);
}

#[test]
fn rows_of_one_hash_are_told_apart_and_the_first_is_found_first() {
    let mut table = Table::new(&HEAP);
    for number in 0..100 {
        let node = Node::default();
        table.insert(hash(0), Number { node, number }).unwrap();
    }
    assert_eq!(table.find(hash(0), |_, _| true), Some(0));
    assert_eq!(table.find(hash(0), |_, row| row.number == 99), Some(99));
}

#[test]
fn names_that_differ_in_case_only_have_one_hash() {
    let of = |name| NameHash::of(name);
    assert_eq!(of(nt::wide!("Path")), of(nt::wide!("PATH")));
    assert_ne!(of(nt::wide!("Path")), of(nt::wide!("Paths")));
}

#[test]
fn a_search_takes_as_many_steps_as_the_number_of_rows_has_digits() {
    for (count, most) in [(256, 20), (1024, 24), (4096, 28)] {
        let table = table(count);
        for number in 0..count {
            let hash = hash(number);
            let before = steps::taken();
            table.find(hash, |_, row| row.number == number);
            let taken = steps::taken() - before;
            assert!(taken <= most, "{taken} steps among {count} rows");
        }
    }
}
