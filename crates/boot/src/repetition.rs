// SPDX-License-Identifier: GPL-2.0-or-later
//! What makes it safe to do a list of renames again after a power cut (spec 6.4).
//!
//! Installers write "delete a, rename b to a". Done twice, the second deletion would take the new `a` away and there is no `b` to take its
//! place. So an operation is passed over if a later one gave its source's name, or that of a directory above it, to something else, and
//! that later one has been done: its own source is gone, and nothing in between is still to make it. Where the source never was there, the
//! file that was to be replaced stays, which is what a user wants as well.
//!
//! The targets are kept as sorted hashes, so that a list of 20,000 operations costs no 20,000 walks over it.

use crate::pairs::{Action, Operation};
use nt::pages::PageVec;
use nt::system::Memory;
use nt::{Result, UnicodeStr, case};
use zerocopy::{FromBytes, Immutable, IntoBytes};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
struct Target {
    hash: u32,
    index: u32,
}

/// Which operations give something which name.
pub(crate) struct Targets<'s, S: Memory> {
    sorted: PageVec<'s, S, Target>,
}

/// An item of the list, as [`crate::pairs::operations`] gives it.
pub(crate) type Item<'a> = core::result::Result<Operation<'a>, UnicodeStr<'a>>;

impl<'s, S: Memory> Targets<'s, S> {
    /// Looks through the whole list.
    ///
    /// # Errors
    /// `NO_MEMORY`.
    pub(crate) fn of<'a>(system: &'s S, all: impl Iterator<Item = Item<'a>>) -> Result<Self> {
        let mut sorted = PageVec::new(system);
        for (index, operation) in (0u32..).zip(all) {
            if let Some(name) = target(&operation) {
                sorted.push(Target { hash: hash(name), index })?;
            }
        }
        sorted.as_mut_slice().sort_unstable();
        Ok(Self { sorted })
    }

    /// Whether the operation with this index and source was done at an earlier boot, as its successors show; `rest` is the list behind
    /// it, and `missing` says that a file is not there.
    pub(crate) fn done_before<'a>(
        &self,
        index: u32,
        source: UnicodeStr<'_>,
        rest: &(impl Iterator<Item = Item<'a>> + Clone),
        missing: impl Fn(UnicodeStr<'_>) -> bool,
    ) -> bool {
        above(source).any(|name| {
            self.after(name, index).any(|successor| {
                let Some(taker) = at(rest, index, successor).filter(|operation| target(operation).is_some_and(|target| same(target, name)))
                else {
                    return false;
                };
                self.carried_out(index, successor, taker, rest, &missing)
            })
        })
    }

    /// Whether the operation `number` behind `index` was carried out: its source is gone, and what was to make that source, if anything,
    /// was carried out as well.
    fn carried_out<'a>(
        &self,
        index: u32,
        mut number: u32,
        mut operation: Item<'a>,
        rest: &(impl Iterator<Item = Item<'a>> + Clone),
        missing: &impl Fn(UnicodeStr<'_>) -> bool,
    ) -> bool {
        loop {
            let Ok(Operation { source, .. }) = operation else { return false };
            if !missing(source) {
                return false;
            }
            let maker = |candidate: u32| {
                at(rest, index, candidate).filter(|operation| target(operation).is_some_and(|target| same(target, source)))
            };
            let makers = self.after(source, index).take_while(|&candidate| candidate < number);
            match makers.filter_map(|candidate| maker(candidate).map(|operation| (candidate, operation))).last() {
                Some((candidate, made)) => (number, operation) = (candidate, made),
                None => return true,
            }
        }
    }

    /// The operations behind `index` whose target has the hash of `name`, in order.
    fn after(&self, name: UnicodeStr<'_>, index: u32) -> impl Iterator<Item = u32> {
        let hash = hash(name);
        let all = self.sorted.as_slice();
        let first = all.partition_point(|target| (target.hash, target.index) <= (hash, index));
        let found = all.get(first..).unwrap_or_default().iter().take_while(move |target| target.hash == hash);
        found.map(|target| target.index)
    }
}

fn target<'a>(item: &Item<'a>) -> Option<UnicodeStr<'a>> {
    match item {
        Ok(Operation { action: Action::Rename { target, .. }, .. }) => Some(*target),
        _ => None,
    }
}

/// The operation `number`, of which `rest` begins behind `index`.
fn at<'a>(rest: &(impl Iterator<Item = Item<'a>> + Clone), index: u32, number: u32) -> Option<Item<'a>> {
    let distance = number.checked_sub(index)?.checked_sub(1)?;
    rest.clone().nth(usize::try_from(distance).ok()?)
}

/// `path` and every directory above it.
fn above(path: UnicodeStr<'_>) -> impl Iterator<Item = UnicodeStr<'_>> {
    let path = trimmed(path);
    core::iter::successors(Some(path), |path| path.rfind(b'\\').map(|last| path.take(last)).filter(|path| !path.is_empty()))
}

fn same(left: UnicodeStr<'_>, right: UnicodeStr<'_>) -> bool {
    trimmed(left).eq_ignore_case(trimmed(right))
}

/// Without a separator at its end.
fn trimmed(path: UnicodeStr<'_>) -> UnicodeStr<'_> {
    if path.last() == Some(u16::from(b'\\')) { path.take(path.len() - 1) } else { path }
}

/// FNV-1a over the folded units.
fn hash(name: UnicodeStr<'_>) -> u32 {
    trimmed(name).units().iter().fold(0x811C_9DC5, |hash, &unit| (hash ^ u32::from(case::upcase(unit))).wrapping_mul(0x0100_0193))
}
