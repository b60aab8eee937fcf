// SPDX-License-Identifier: GPL-2.0-or-later
//! What must hold between the images for the two machines, of the same medium: the one for i386 is
//! smaller, keeps a smaller budget of memory, and makes no system call more.

use super::{CALLS, COMMIT, IMAGE, LOADER_CALLS, ONE_CALL, private};
use crate::arch::Arch;
use std::collections::BTreeMap;

/// Figures of a machine by name.
pub type Column = BTreeMap<String, u64>;

/// What does not hold, a line each.
pub fn broken(amd64: &Column, i386: &Column) -> Vec<String> {
    let of = |column: &Column, name: &str| column.get(name).copied().unwrap_or_default();
    let mut broken = Vec::new();
    let (wide, narrow) = (of(amd64, IMAGE), of(i386, IMAGE));
    if narrow >= wide {
        broken.push(format!(
            "{IMAGE}: {narrow} for i386, which is not less than the {wide} for amd64"
        ));
    }
    let (commit, most) = (of(i386, COMMIT), private(Arch::I386));
    if commit > most {
        broken.push(format!(
            "{COMMIT}: {commit} on i386, where {most} are the most"
        ));
    }
    let counts = i386.iter().filter(|(name, _)| {
        [CALLS, LOADER_CALLS].contains(&name.as_str()) || name.starts_with(ONE_CALL)
    });
    for (name, narrow) in counts {
        let wide = of(amd64, name);
        if *narrow > wide {
            broken.push(format!("{name}: {narrow} on i386, {wide} on amd64"));
        }
    }
    broken
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(image: u64, calls: u64, closes: u64) -> Column {
        let close = format!("{ONE_CALL}NtClose");
        [(IMAGE, image), (CALLS, calls), (&close, closes)]
            .map(|(name, value)| (name.to_owned(), value))
            .into()
    }

    #[test]
    fn the_image_for_i386_is_smaller_and_makes_no_call_more() {
        let wide = column(100, 20, 5);
        let mut heavy = column(99, 20, 5);
        heavy.insert(COMMIT.to_owned(), 192 * 1024);
        assert!(broken(&wide, &heavy).is_empty());
        heavy.insert(COMMIT.to_owned(), 192 * 1024 + 4096);
        assert_eq!(broken(&wide, &heavy).len(), 1);
        assert!(broken(&wide, &column(99, 20, 5)).is_empty());
        assert_eq!(broken(&wide, &column(100, 20, 5)).len(), 1);
        // One more of a kind, even where another was saved.
        assert_eq!(broken(&wide, &column(99, 20, 6)).len(), 1);
        assert_eq!(broken(&wide, &column(99, 21, 6)).len(), 2);
        assert_eq!(broken(&Column::new(), &column(99, 1, 1)).len(), 3);
    }
}
