// SPDX-License-Identifier: GPL-2.0-or-later
//! Which image and which function the instructions of ring 3 are of, from the part `steps` of a boot
//! in which the kernel had the process take single steps.
//!
//! Our own images have symbols of every function in their debug files; of ReactOS' only the exported
//! ones have names, so that what is not exported counts for the export before it.

use super::rooms;
use crate::guest::Booted;
use crate::symbols;
use anyhow::{Context, Result};
use object::{Object, ObjectSection};
use std::collections::BTreeMap;

/// An image that the process runs, and what is known of it.
pub struct Source {
    /// Its name as the kernel says it.
    pub name: &'static str,
    /// The file, or the debug file beside it.
    pub bytes: Vec<u8>,
}

/// What ran of one image.
pub struct Image {
    /// Its name.
    pub name: &'static str,
    /// All of it.
    pub instructions: u64,
    /// By function, most first.
    pub functions: Vec<(String, u64)>,
}

/// What ran of each of these images, which the boot has mapped.
pub fn of(boot: &Booted, images: &[Source]) -> Result<Vec<Image>> {
    let steps = parse(
        boot.reader
            .part("steps")
            .context("the boot took no steps")?,
    )?;
    let mapped = |image: &Source| {
        let base = boot.reader.shown.iter().find_map(|line| {
            let (name, base) = symbols::announced(line)?;
            (name == image.name).then_some(base)
        });
        let base = base.with_context(|| format!("{} was never mapped", image.name))?;
        count(image, base, &steps)
    };
    images.iter().map(mapped).collect()
}

/// Address and count of every instruction.
fn parse(part: &str) -> Result<BTreeMap<u64, u64>> {
    part.lines()
        .map(|line| {
            let (at, count) = line.split_once(' ').context("no count")?;
            Ok((u64::from_str_radix(at, 16)?, count.parse()?))
        })
        .collect::<Result<_>>()
        .context("strange steps")
}

fn count(image: &Source, base: u64, steps: &BTreeMap<u64, u64>) -> Result<Image> {
    let file = object::File::parse(&*image.bytes)?;
    let preferred = file.relative_address_base();
    let sections = file.sections();
    let end = sections
        .map(|section| section.address() + section.size())
        .max()
        .context("an image without sections")?;
    let names = rooms::functions(&file)?;
    let mut functions = BTreeMap::<&str, u64>::new();
    for (at, count) in steps.range(base..base + (end - preferred)) {
        let address = at - base + preferred;
        let (_, name) = names.range(..=address).next_back().unzip();
        *functions
            .entry(name.map_or("?", String::as_str))
            .or_default() += count;
    }
    let mut functions: Vec<_> = functions
        .into_iter()
        .map(|(name, count)| (name.to_owned(), count))
        .collect();
    functions.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    Ok(Image {
        name: image.name,
        instructions: functions.iter().map(|(_, count)| count).sum(),
        functions,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use formats::pe::build::ImageFile;

    #[test]
    fn an_instruction_counts_for_the_image_and_the_export_that_it_is_behind() {
        let file = ImageFile {
            dll: true,
            exports: &["Work"],
            ..ImageFile::default()
        };
        let image = Source {
            name: "work.dll",
            bytes: file.bytes(),
        };
        let base = 0x7000_0000;
        let steps = parse("6fffffff 1\n70001000 20\n70001001 300\n7f000000 4000\n").unwrap();
        let counted = count(&image, base, &steps).unwrap();
        assert_eq!(counted.instructions, 320);
        assert_eq!(counted.functions, [("Work".to_owned(), 320)]);
        assert!(parse("70001000").is_err());
    }
}
