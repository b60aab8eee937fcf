// SPDX-License-Identifier: GPL-2.0-or-later
//! Instructions of a process in ring 3, from what the kernel says of the time stamp counter (the part
//! `ring3` of a boot with a trace and with virtual time).

use crate::guest::TICKS;
use anyhow::{Context, Result};

/// What a process ran in ring 3 alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instructions {
    /// Before the image had the word: the loader.
    pub loader: u64,
    /// From then on until the boot settled, the image's and ntdll.dll's.
    pub image: u64,
}

impl Instructions {
    /// Those of the first process with this image.
    pub fn of(part: &str, image: &str) -> Result<Self> {
        let line = part
            .lines()
            .find_map(|line| line.strip_prefix(image)?.strip_prefix(' '))
            .with_context(|| format!("the kernel does not say how much {image} ran"))?;
        let numbers: Vec<u64> = line
            .split(' ')
            .map(str::parse)
            .collect::<Result<_, _>>()
            .context("strange numbers of ring 3")?;
        let [_, turns, ticks, more_turns, more_ticks, way] = numbers[..] else {
            anyhow::bail!("strange numbers of ring 3: {line}");
        };
        let alone = |turns: u64, ticks: u64| (ticks / TICKS).saturating_sub(turns * way);
        Ok(Self {
            loader: alone(turns, ticks),
            image: alone(more_turns, more_ticks),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_own_way_is_not_counted() {
        let part = "other.exe 8 1 1 1 1 45\nsmss.exe 12 2 1000 10 3000 45\n";
        let wanted = Instructions {
            loader: 1000 / TICKS - 90,
            image: 3000 / TICKS - 450,
        };
        assert_eq!(Instructions::of(part, "smss.exe").unwrap(), wanted);
        assert!(Instructions::of(part, "csrss.exe").is_err());
    }
}
