// SPDX-License-Identifier: GPL-2.0-or-later
//! A table of fixed capacity whose places are used again under a new generation.
//!
//! A [`Key`] names a place and the generation it was given out with, so a key that outlived its value finds nothing, even when the place
//! has a new tenant. A key as a number is never 0, which is what the kernel gives for "no context".

/// Names a value in a [`Slots`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    index: u32,
    generation: u32,
}

impl Key {
    /// The key as a port context.
    pub(crate) const fn to_context(self) -> u64 {
        ((self.generation as u64) << 32) | self.index as u64
    }

    /// The key that a port context may be; whether it names anything is for the table to say.
    pub(crate) const fn from_context(context: u64) -> Self {
        Self { index: context as u32, generation: (context >> 32) as u32 }
    }
}

struct Slot<T> {
    generation: u32,
    value: Option<T>,
}

/// The table.
pub(crate) struct Slots<T, const N: usize> {
    slots: [Slot<T>; N],
}

impl<T, const N: usize> Slots<T, N> {
    /// An empty table.
    pub(crate) const fn new() -> Self {
        Self { slots: [const { Slot { generation: 0, value: None } }; N] }
    }

    /// Puts `value` into a free place; gives it back if there is none.
    pub(crate) fn insert(&mut self, value: T) -> Result<Key, T> {
        let Some((index, slot)) = self.slots.iter_mut().enumerate().find(|(_, slot)| slot.value.is_none()) else {
            return Err(value);
        };
        slot.generation = match slot.generation.wrapping_add(1) {
            0 => 1,
            generation => generation,
        };
        slot.value = Some(value);
        Ok(Key { index: index as u32, generation: slot.generation })
    }

    #[inline(never)]
    fn slot(&mut self, key: Key) -> Option<&mut Slot<T>> {
        let slot = self.slots.get_mut(usize::try_from(key.index).ok()?)?;
        (slot.generation == key.generation).then_some(slot)
    }

    /// The value that `key` names.
    pub(crate) fn get(&mut self, key: Key) -> Option<&mut T> {
        self.slot(key)?.value.as_mut()
    }

    /// Takes the value that `key` names out.
    pub(crate) fn remove(&mut self, key: Key) -> Option<T> {
        self.slot(key)?.value.take()
    }

    /// All values with their keys.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Key, &T)> {
        self.slots.iter().enumerate().filter_map(|(index, slot)| {
            let key = Key { index: index as u32, generation: slot.generation };
            slot.value.as_ref().map(|value| (key, value))
        })
    }

    /// How many values there are.
    pub(crate) fn len(&self) -> usize {
        self.slots.iter().filter(|slot| slot.value.is_some()).count()
    }
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
    fn a_full_table_gives_the_value_back() {
        let mut slots = Slots::<u8, 1>::new();
        let key = slots.insert(1).unwrap();
        assert_eq!(slots.insert(2), Err(2));
        assert_eq!(slots.len(), 1);
        slots.remove(key);
        assert!(slots.insert(2).is_ok());
    }

    #[test]
    fn a_context_is_never_zero_and_a_forged_one_finds_nothing() {
        let mut slots = Slots::<u8, 2>::new();
        let key = slots.insert(1).unwrap();
        assert_ne!(key.to_context(), 0);
        assert_eq!(Key::from_context(key.to_context()), key);
        for forged in [0, 1, u64::MAX, key.to_context() + (1 << 32), 77] {
            assert_eq!(slots.get(Key::from_context(forged)), None, "{forged:#x}");
        }
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
