// SPDX-License-Identifier: GPL-2.0-or-later
//! A table of fixed capacity whose places are used again under a new generation.
//!
//! A [`Key`] names a place and the generation it was given out with, so a key that outlived its
//! value finds nothing, even when the place has a new tenant. A key as a number is never 0, which
//! is what the kernel gives for "no context".
//!
//! Taking a place and giving it back cost the same however full the table is: free places are
//! chained.

use core::num::NonZero;
use nt::{Word, steps};

/// Half of a key: 32 bits of a 64-bit NT's port context, 16 of a 32-bit one's.
#[cfg(target_pointer_width = "64")]
type Half = u32;
#[cfg(target_pointer_width = "32")]
type Half = u16;

/// Names a value in a [`Slots`]: its place in the lower half, the place's generation, which is
/// never 0, in the upper one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key(NonZero<Word>);

impl Key {
    const fn new(index: usize, generation: Half) -> Option<Self> {
        Self::from_context(((generation as Word) << Half::BITS) | (index as Half) as Word)
    }

    /// The place in the table.
    pub(crate) const fn index(self) -> usize {
        (self.0.get() as Half) as usize
    }

    const fn generation(self) -> Half {
        (self.0.get() >> Half::BITS) as Half
    }

    /// The key as a port context.
    pub(crate) const fn to_context(self) -> Word {
        self.0.get()
    }

    /// The key that a port context may be; whether it names anything is for the table to say.
    pub(crate) const fn from_context(context: Word) -> Option<Self> {
        match NonZero::new(context) {
            Some(context) => Some(Self(context)),
            None => None,
        }
    }
}

/// A place of a table.
#[derive(Clone, Copy)]
struct Place {
    generation: Half,
    /// While it is free: the next free place, counted from 1, or 0.
    next: Half,
}

/// The places of a table, whatever stands in them: one piece of code for tables of every type.
struct Places<P: ?Sized> {
    /// The first one that was given back, counted from 1, or 0.
    free: Half,
    /// How many have ever been taken.
    used: Half,
    /// How many are taken.
    len: u32,
    all: P,
}

impl Places<[Place]> {
    /// Takes a place; `None` if there is none.
    #[inline(never)]
    fn take(&mut self) -> Option<Key> {
        let index = self.free.checked_sub(1).unwrap_or(self.used);
        let place = self.all.get_mut(index as usize)?;
        // One that was never taken has no next, and there was none that was given back.
        self.free = place.next;
        self.used = self.used.max(index + 1);
        self.len += 1;
        place.generation = place.generation.wrapping_add(1).max(1);
        Key::new(index as usize, place.generation)
    }

    /// The place that `key` names, if it was given out with it last.
    #[inline(never)]
    fn find(&self, key: Key) -> Option<usize> {
        let index = key.index();
        (self.all.get(index)?.generation == key.generation()).then_some(index)
    }

    /// Gives a taken place back.
    #[inline(never)]
    fn give_back(&mut self, index: usize) {
        if let Some(place) = self.all.get_mut(index) {
            place.next = self.free;
            self.free = index as Half + 1;
            self.len -= 1;
        }
    }

    /// The key that the place was given out with last.
    fn key(&self, index: usize) -> Option<Key> {
        Key::new(index, self.all.get(index)?.generation)
    }
}

/// The table. All zeros when it is empty, so that it takes no place in the image's file.
pub(crate) struct Slots<T, const N: usize> {
    places: Places<[Place; N]>,
    /// What stands in those that were ever taken.
    values: heapless::Vec<Option<T>, N>,
}

impl<T, const N: usize> Slots<T, N> {
    /// An empty table.
    pub(crate) const fn new() -> Self {
        const { assert!(N < Half::MAX as usize, "a place is half of a key") };
        let place = Place {
            generation: 0,
            next: 0,
        };
        Self {
            places: Places {
                free: 0,
                used: 0,
                len: 0,
                all: [place; N],
            },
            values: heapless::Vec::new(),
        }
    }

    fn places(&mut self) -> &mut Places<[Place]> {
        &mut self.places
    }

    /// Puts `value` into a free place; `None` if there is none.
    pub(crate) fn insert(&mut self, value: T) -> Option<Key> {
        let key = self.places().take()?;
        if key.index() == self.values.len() {
            self.values.push(None).ok()?;
        }
        *self.values.get_mut(key.index())? = Some(value);
        Some(key)
    }

    /// The value that `key` names.
    pub(crate) fn get(&mut self, key: Key) -> Option<&mut T> {
        let index = self.places().find(key)?;
        self.values.get_mut(index)?.as_mut()
    }

    /// Takes the value that `key` names out.
    pub(crate) fn remove(&mut self, key: Key) -> Option<T> {
        self.remove_if(key, |_| true)
    }

    /// The same, if the value is to go.
    pub(crate) fn remove_if(&mut self, key: Key, goes: impl FnOnce(&mut T) -> bool) -> Option<T> {
        let index = self.places().find(key)?;
        let place = self.values.get_mut(index)?;
        if !goes(place.as_mut()?) {
            return None;
        }
        let value = place.take();
        self.places().give_back(index);
        value
    }

    /// The first value that `matches`.
    pub(crate) fn find(&mut self, matches: impl Fn(&T) -> bool) -> Option<&mut T> {
        first(&mut self.values, matches)?.1.as_mut()
    }

    /// The same with its key.
    pub(crate) fn find_entry(&mut self, matches: impl Fn(&T) -> bool) -> Option<(Key, &mut T)> {
        let (index, value) = first(&mut self.values, matches)?;
        let places: &Places<[Place]> = &self.places;
        Some((places.key(index)?, value.as_mut()?))
    }

    /// Takes the first value that `matches` out.
    pub(crate) fn take(&mut self, matches: impl Fn(&T) -> bool) -> Option<T> {
        let (index, value) = first(&mut self.values, matches)?;
        let value = value.take();
        self.places().give_back(index);
        value
    }

    /// All values.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.values
            .iter()
            .inspect(|_| steps::took(1))
            .filter_map(Option::as_ref)
    }

    /// All values with their keys.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (Key, &T)> {
        let values = self.values.iter().enumerate();
        values.filter_map(|(index, value)| Some((self.key(index)?, value.as_ref()?)))
    }

    /// How many values there are.
    pub(crate) fn len(&self) -> usize {
        self.places.len as usize
    }

    fn key(&self, index: usize) -> Option<Key> {
        let places: &Places<[Place]> = &self.places;
        places.key(index)
    }
}

/// The place of the first value that `matches`.
fn first<T>(
    values: &mut [Option<T>],
    matches: impl Fn(&T) -> bool,
) -> Option<(usize, &mut Option<T>)> {
    let mut places = values.iter_mut().inspect(|_| steps::took(1)).enumerate();
    places.find(|(_, value)| value.as_ref().is_some_and(&matches))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_finds_its_own_value_only() {
        let mut slots = Slots::<u8, 2>::new();
        let first = slots.insert(1).unwrap();
        assert_eq!(slots.remove(first), Some(1));
        let second = slots.insert(2).unwrap();
        assert_ne!(first, second);
        assert_eq!(slots.get(first), None);
        assert_eq!(slots.remove(first), None);
        assert_eq!(slots.get(second), Some(&mut 2));
    }

    #[test]
    fn a_full_table_takes_no_more() {
        let mut slots = Slots::<u8, 1>::new();
        let key = slots.insert(1).unwrap();
        assert_eq!(slots.insert(2), None);
        assert_eq!(slots.len(), 1);
        slots.remove(key);
        assert!(slots.insert(2).is_some());
    }

    #[test]
    fn a_context_is_never_zero_and_a_forged_one_finds_nothing() {
        let mut slots = Slots::<u8, 2>::new();
        let key = slots.insert(1).unwrap();
        assert_ne!(key.to_context(), 0);
        assert_eq!(Key::from_context(key.to_context()), Some(key));
        assert_eq!(Key::from_context(0), None);
        for forged in [1, Word::MAX, key.to_context() + (1 << Half::BITS), 77] {
            assert_eq!(
                slots.get(Key::from_context(forged).unwrap()),
                None,
                "{forged:#x}"
            );
        }
    }

    #[test]
    fn places_given_back_in_any_order_are_all_used_again() {
        let mut slots = Slots::<usize, 5>::new();
        let keys: std::vec::Vec<Key> = (0..5).map(|value| slots.insert(value).unwrap()).collect();
        for place in [3, 0, 4] {
            assert_eq!(slots.remove(keys[place]), Some(place));
            assert_eq!(slots.remove(keys[place]), None);
        }
        assert_eq!((slots.len(), slots.iter().count()), (2, 2));
        for value in 10..13 {
            assert!(slots.insert(value).is_some());
        }
        assert_eq!(slots.insert(13), None);
        assert_eq!(slots.take(|value| *value == 11), Some(11));
        assert_eq!(
            slots.insert(14).and_then(|key| slots.get(key).copied()),
            Some(14)
        );
        let mut all: std::vec::Vec<usize> = slots.iter().copied().collect();
        all.sort_unstable();
        assert_eq!(all, [1, 2, 10, 12, 14]);
    }

    #[test]
    fn ten_thousand_turns_leave_one_place_in_use() {
        let mut slots = Slots::<u32, 4>::new();
        for turn in 0..10_000 {
            let key = slots.insert(turn).unwrap();
            assert_eq!(slots.remove(key), Some(turn));
        }
        assert_eq!(slots.len(), 0);
    }
}
