// SPDX-License-Identifier: GPL-2.0-or-later
//! What makes it safe to do a list of renames again after a power cut (spec 6.4).
//!
//! Installers write "delete a, rename b to a". Done twice, the second deletion would take the new `a` away and there is no `b` to take its
//! place. So an operation is passed over if the next one that gives its source's name, or that of a directory above it, to something else
//! has been done. That one has been done if its own source is gone, and what was to make that source in between has been done as well; or
//! if the name of its source was given away in turn by one that has been done. Where the source never was there, the file that was to be
//! replaced stays, which is what a user wants as well.
//!
//! Targets are kept as sorted hashes and operations by their place in the value's text, so that a list of 20,000 operations costs no
//! 20,000 walks over it. No more than [`LONGEST`] other operations are
//! looked at for one: a longer chain of names that are passed on is not followed to its end.

use crate::pairs::{Operation, operation};
use nt::pages::PageVec;
use nt::system::Memory;
use nt::{Result, Status, UnicodeStr, case};
use zerocopy::{FromBytes, Immutable, IntoBytes};

/// How many other operations are looked at for one.
pub const LONGEST: usize = 64;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
struct Target {
    hash: u32,
    index: u32,
}

/// Where the source of an operation stands.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
struct Place {
    /// Which text.
    text: u32,
    /// At which unit.
    at: u32,
    /// 1 if it was carried out at this boot.
    carried_out: u32,
}

/// The operations of a list, to be looked up.
pub(crate) struct Plan<'s, 'v, S: Memory> {
    texts: [UnicodeStr<'v>; 2],
    places: PageVec<'s, S, Place>,
    targets: PageVec<'s, S, Target>,
}

impl<'s, 'v, S: Memory> Plan<'s, 'v, S> {
    /// A plan of no operations, whose strings are in these texts.
    pub(crate) const fn new(system: &'s S, texts: [UnicodeStr<'v>; 2]) -> Self {
        Self { texts, places: PageVec::new(system), targets: PageVec::new(system) }
    }

    /// Adds the next operation, whose first string as it stands in the text is `source`, and the name it gives, if any. [`Self::finish`]
    /// follows the last.
    ///
    /// # Errors
    /// `NO_MEMORY`, or `INVALID_PARAMETER` for a source that is in none of the texts.
    pub(crate) fn add(&mut self, source: UnicodeStr<'_>, target: Option<UnicodeStr<'_>>) -> Result<()> {
        let index = u32::try_from(self.places.len()).map_err(|_| Status::NO_MEMORY)?;
        let place = (0u32..).zip(self.texts).find_map(|(text, whole)| Some(Place { text, at: place_in(whole, source)?, carried_out: 0 }));
        self.places.push(place.ok_or(Status::INVALID_PARAMETER)?)?;
        target.map_or(Ok(()), |target| self.targets.push(Target { hash: hash(target), index }))
    }

    /// Makes the plan ready to be asked.
    pub(crate) fn finish(&mut self) {
        self.targets.as_mut_slice().sort_unstable();
    }

    /// Whether the operation with this index was done at an earlier boot; `missing` says that a file is not there.
    pub(crate) fn done_before(&self, index: u32, missing: impl Fn(UnicodeStr<'_>) -> bool) -> bool {
        let Some(operation) = self.operation(index) else { return false };
        if self
            .makers(operation.source, None)
            .take_while(|(maker, _)| *maker < index)
            .last()
            .is_some_and(|(maker, _)| self.is_carried_out(maker))
        {
            // What stands there now was put there at this boot.
            return false;
        }
        let mut question = Question { plan: self, index, own: operation.target(), missing, steps: LONGEST };
        question.given_away(index, operation.source) == Answer::Done
    }

    /// Notes that the operation with this index was carried out at this boot.
    pub(crate) fn note(&mut self, index: u32) {
        if let Some(place) = usize::try_from(index).ok().and_then(|index| self.places.as_mut_slice().get_mut(index)) {
            place.carried_out = 1;
        }
    }

    fn is_carried_out(&self, index: u32) -> bool {
        usize::try_from(index).ok().and_then(|index| self.places.as_slice().get(index)).is_some_and(|place| place.carried_out == 1)
    }

    /// The next operation behind `from` that gives `name`, or the name of a directory above it, to something.
    fn taker(&self, name: UnicodeStr<'_>, from: u32) -> Option<(u32, Operation<'v>)> {
        let next = |name| self.makers(name, Some(from)).next();
        above(name).filter_map(next).min_by_key(|(index, _)| *index)
    }

    /// The operations whose target is `name`, in order; only those behind `from`, if that is given.
    fn makers(&self, name: UnicodeStr<'_>, from: Option<u32>) -> impl Iterator<Item = (u32, Operation<'v>)> {
        let hash = hash(name);
        let all = self.targets.as_slice();
        let first = all.partition_point(|target| match from {
            Some(from) => (target.hash, target.index) <= (hash, from),
            None => target.hash < hash,
        });
        let found = all.get(first..).unwrap_or_default().iter().take_while(move |target| target.hash == hash);
        let operations = found.filter_map(|target| Some((target.index, self.operation(target.index)?)));
        operations.filter(move |(_, operation)| operation.target().is_some_and(|target| same(target, name)))
    }

    fn operation(&self, index: u32) -> Option<Operation<'v>> {
        let place = self.places.as_slice().get(usize::try_from(index).ok()?)?;
        let text = self.texts.get(usize::try_from(place.text).ok()?)?.skip(usize::try_from(place.at).ok()?);
        let source = text.until_nul();
        Some(operation(source, text.skip(source.len() + 1).until_nul()))
    }
}

/// Whether one operation was done before.
struct Question<'p, 's, 'v, S: Memory, M> {
    plan: &'p Plan<'s, 'v, S>,
    /// The operation that is asked about, and the name it gives itself.
    index: u32,
    own: Option<UnicodeStr<'v>>,
    missing: M,
    /// How many more operations may be looked at.
    steps: usize,
}

/// What the files say of an operation. What the operation that is asked about is to make itself says nothing.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Answer {
    Done,
    NotDone,
    Unknown,
}

impl<S: Memory, M: Fn(UnicodeStr<'_>) -> bool> Question<'_, '_, '_, S, M> {
    /// Whether an operation behind `number` was carried out that gave `name` to something else.
    fn given_away(&mut self, number: u32, name: UnicodeStr<'_>) -> Answer {
        let (mut from, mut answer) = (number, Answer::NotDone);
        while let Some((taker, operation)) = self.plan.taker(name, from) {
            answer = self.carried_out(taker, operation.source);
            if answer != Answer::Unknown {
                break;
            }
            from = taker;
        }
        answer
    }

    /// Whether the operation `number` was carried out: its source is gone, and what was to make that source, if anything was, has been
    /// carried out as well; or the name of its source was given away since.
    fn carried_out(&mut self, number: u32, source: UnicodeStr<'_>) -> Answer {
        let Some(steps) = self.steps.checked_sub(1) else { return Answer::NotDone };
        self.steps = steps;
        if !(self.missing)(source) {
            return self.given_away(number, source);
        }
        match self.plan.makers(source, Some(self.index)).take_while(|(maker, _)| *maker < number).last() {
            Some((maker, made)) => self.carried_out(maker, made.source),
            None if self.own.is_some_and(|own| same(own, source)) => Answer::Unknown,
            None => Answer::Done,
        }
    }
}

/// At which unit of `whole` the string `part`, which is a piece of it, begins.
fn place_in(whole: UnicodeStr<'_>, part: UnicodeStr<'_>) -> Option<u32> {
    let range = whole.units().as_ptr_range();
    let part = part.units().as_ptr();
    if !range.contains(&part) {
        return None;
    }
    u32::try_from((part.addr() - range.start.addr()) / size_of::<u16>()).ok()
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
