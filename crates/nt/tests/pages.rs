// SPDX-License-Identifier: GPL-2.0-or-later
//! A vector in pages: what is appended, and what a refused growth leaves.

use nt::Status;
use nt::pages::PageVec;
use test_support::Heap;

#[test]
fn what_is_appended_stands_in_order() {
    let heap = Heap::new(1 << 20);
    let mut list = PageVec::<_, u16>::new(&heap);
    assert_eq!(list.committed(), 0);
    list.extend(&[1, 2, 3, 4]).unwrap();
    list.push(5).unwrap();
    assert_eq!(list.as_slice(), &[1, 2, 3, 4, 5]);
    list.truncate(2);
    assert_eq!(list.as_slice(), &[1, 2]);
    assert_eq!(format!("{list:?}"), "[1, 2]");
}

#[test]
fn what_stands_in_it_is_changed_in_place() {
    let heap = Heap::new(1 << 20);
    let mut list = PageVec::<_, u16>::new(&heap);
    assert!(list.is_empty() && list.as_mut_slice().is_empty());
    list.extend(&[1, 2, 3]).unwrap();
    list.as_mut_slice()[1] = 7;
    assert_eq!(list.as_slice(), &[1, 7, 3]);
    assert!(!list.is_empty());
}

#[test]
fn refused_growth_changes_nothing() {
    let heap = Heap::new(4096);
    let mut list = PageVec::<_, u64>::new(&heap);
    for index in 0..512 {
        list.push(index).unwrap();
    }
    assert_eq!(list.push(512), Err(Status::NO_MEMORY));
    assert_eq!(list.len(), 512);
    assert_eq!(list.as_slice().last(), Some(&511));
}
