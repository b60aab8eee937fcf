// SPDX-License-Identifier: GPL-2.0-or-later
//! What makes it safe to do a list of renames again after a power cut (spec 6.4).
//!
//! Installers write "delete a, rename b to a". Done twice, the second deletion would take the new
//! `a` away and there is no `b` to take its place. So an operation is passed over if the next one
//! that gives its source's name, or that of a directory above it, to something else has been done.
//! That one has been done if its own source is gone, and what was to make that source in between
//! has been done as well; or if the name of its source was given away in turn by one that has been
//! done. Where the source never was there, the file that was to be replaced stays, which is what a
//! user wants as well.
//!
//! Targets are kept as sorted hashes and operations by their place in the value's text, so that a
//! list of 20,000 operations costs no 20,000 walks over it. No more than [`LONGEST`] other
//! operations are looked at for one: a longer chain of names that are passed on is not followed to
//! its end.

use crate::pairs::{Operation, Pairs, operation, strings};
use nt::object::ObjectAttributes;
use nt::pages::PageVec;
use nt::system::{Files, Memory};
use nt::{Result, Status, UnicodeStr, case};

/// How many other operations are looked at for one.
pub const LONGEST: usize = 64;

/// In a place: it was carried out at this boot.
const CARRIED_OUT: usize = 1;

/// The operations of a list, to be looked up.
pub(crate) struct Plan<'s, 'v, S: Memory> {
    texts: [UnicodeStr<'v>; 2],
    /// Where each operation stands: at which unit, then one bit each for in which text, and for
    /// [`CARRIED_OUT`].
    places: PageVec<'s, S, usize>,
    /// The hash of each target, and below it, in the lower 32 bits, the index of its operation.
    targets: PageVec<'s, S, usize>,
}

impl<'s, 'v, S: Memory + Files> Plan<'s, 'v, S> {
    /// A plan of no operations, whose strings are in these texts.
    pub(crate) const fn new(system: &'s S, texts: [UnicodeStr<'v>; 2]) -> Self {
        Self {
            texts,
            places: PageVec::new(system),
            targets: PageVec::new(system),
        }
    }

    /// Takes the operations in. A source that was left over keeps its place, so that indices agree.
    ///
    /// # Errors
    /// `NO_MEMORY`: then nothing is known to be done before.
    pub(crate) fn read(&mut self, pairs: Pairs<'v>) -> Result<()> {
        for (index, pair) in (0..).zip(pairs) {
            let target = pair.operation.and_then(|operation| operation.target);
            let noted = target.map_or(Ok(()), |target| {
                self.targets.push(hash(target) << 32 | index)
            });
            if let Err(status) =
                noted.and_then(|()| self.places.push(pair.at << 2 | pair.list << 1))
            {
                self.places.clear();
                return Err(status);
            }
        }
        self.targets.as_mut_slice().sort_unstable();
        Ok(())
    }

    /// Whether the operation with this index was done at an earlier boot.
    pub(crate) fn done_before(&self, index: usize) -> bool {
        let Some(operation) = self.operation(index) else {
            return false;
        };
        let maker = self
            .last_maker(operation.source, 0, index)
            .and_then(|maker| self.places.as_slice().get(maker));
        if maker.is_some_and(|place| place & CARRIED_OUT != 0) {
            // What stands there now was put there at this boot.
            return false;
        }
        let mut question = Question {
            plan: self,
            index,
            own: operation.target,
            steps: LONGEST,
        };
        question.given_away(index, operation.source) == Answer::Done
    }

    /// Notes that the operation with this index was carried out at this boot.
    pub(crate) fn note(&mut self, index: usize) {
        if let Some(place) = self.places.as_mut_slice().get_mut(index) {
            *place |= CARRIED_OUT;
        }
    }

    fn operation(&self, index: usize) -> Option<Operation<'v>> {
        let place = self.places.as_slice().get(index)?;
        let (source, target) = strings(self.texts.get(place >> 1 & 1)?.skip(place >> 2));
        Some(operation(source, target))
    }

    /// The first operation from index `from` on that gives `name`, or the name of a directory above
    /// it, to something.
    fn taker(&self, name: UnicodeStr<'_>, from: usize) -> Option<usize> {
        let mut path = trimmed(name);
        let mut first = None;
        while !path.is_empty() {
            first = match (first, self.maker(path, from)) {
                (Some(first), Some(maker)) => Some(maker.min(first)),
                (first, maker) => first.or(maker),
            };
            path = path.take(path.rfind(b'\\').unwrap_or(0));
        }
        first
    }

    /// The first operation from index `from` on whose target is `name`.
    fn maker(&self, name: UnicodeStr<'_>, from: usize) -> Option<usize> {
        let hash = hash(name);
        let targets = self.targets.as_slice();
        let first = targets.partition_point(|&target| target < (hash << 32) + from);
        for target in targets.get(first..)? {
            if target >> 32 != hash {
                break;
            }
            let index = target & 0xFFFF_FFFF;
            if self
                .operation(index)?
                .target
                .is_some_and(|target| same(target, name))
            {
                return Some(index);
            }
        }
        None
    }

    /// The last operation from index `from` on and before `end` whose target is `name`.
    fn last_maker(&self, name: UnicodeStr<'_>, mut from: usize, end: usize) -> Option<usize> {
        let mut last = None;
        while let Some(maker) = self.maker(name, from)
            && maker < end
        {
            last = Some(maker);
            from = maker + 1;
        }
        last
    }

    fn is_missing(&self, name: UnicodeStr<'_>) -> bool {
        let answer = self
            .places
            .system()
            .query_attributes(&ObjectAttributes::named(name));
        matches!(
            answer,
            Err(Status::OBJECT_NAME_NOT_FOUND
                | Status::OBJECT_PATH_NOT_FOUND
                | Status::NO_SUCH_FILE)
        )
    }
}

/// Whether one operation was done before.
struct Question<'p, 's, 'v, S: Memory> {
    plan: &'p Plan<'s, 'v, S>,
    /// The operation that is asked about, and the name it gives itself.
    index: usize,
    own: Option<UnicodeStr<'v>>,
    /// How many more operations may be looked at.
    steps: usize,
}

/// What the files say of an operation. What the operation that is asked about is to make itself
/// says nothing.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Answer {
    Done,
    NotDone,
    Unknown,
}

impl<S: Memory + Files> Question<'_, '_, '_, S> {
    /// Whether an operation behind `number` was carried out that gave `name` to something else.
    fn given_away(&mut self, number: usize, name: UnicodeStr<'_>) -> Answer {
        let (mut last, mut answer) = (number, Answer::NotDone);
        while let Some(taker) = self.plan.taker(name, last + 1) {
            answer = self.carried_out(taker);
            if answer != Answer::Unknown {
                break;
            }
            last = taker;
        }
        answer
    }

    /// Whether the operation `number` was carried out: its source is gone, and what was to make
    /// that source, if anything was, has been carried out as well; or the name of its source
    /// was given away since.
    fn carried_out(&mut self, number: usize) -> Answer {
        let Some(steps) = self.steps.checked_sub(1) else {
            return Answer::NotDone;
        };
        self.steps = steps;
        let Some(Operation { source, .. }) = self.plan.operation(number) else {
            return Answer::NotDone;
        };
        if !self.plan.is_missing(source) {
            return self.given_away(number, source);
        }
        match self.plan.last_maker(source, self.index + 1, number) {
            Some(maker) => self.carried_out(maker),
            None if self.own.is_some_and(|own| same(own, source)) => Answer::Unknown,
            None => Answer::Done,
        }
    }
}

fn same(left: UnicodeStr<'_>, right: UnicodeStr<'_>) -> bool {
    trimmed(left).eq_ignore_case(trimmed(right))
}

/// Without a separator at its end.
fn trimmed(path: UnicodeStr<'_>) -> UnicodeStr<'_> {
    if path.last() == Some(u16::from(b'\\')) {
        path.take(path.len() - 1)
    } else {
        path
    }
}

/// FNV-1a over the folded units, of 32 bits.
fn hash(name: UnicodeStr<'_>) -> usize {
    let hash =
        |hash, &unit: &u16| ((hash ^ usize::from(case::upcase(unit))) * 0x0100_0193) & 0xFFFF_FFFF;
    trimmed(name).units().iter().fold(0x811C_9DC5, hash)
}
