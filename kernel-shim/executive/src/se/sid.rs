// SPDX-License-Identifier: GPL-2.0-or-later
//! Security identifiers: the well-known ones, and their binary form (spec 2.2).

use alloc::vec;
use alloc::vec::Vec;
use nt::{Result, Status};

/// A security identifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sid {
    /// IdentifierAuthority; the six bytes as a number.
    pub authority: u64,
    /// SubAuthority.
    pub sub: Vec<u32>,
}

impl Sid {
    /// A SID from its parts.
    pub fn new(authority: u64, sub: &[u32]) -> Self {
        Self {
            authority,
            sub: sub.to_vec(),
        }
    }

    /// Everyone.
    pub fn world() -> Self {
        Self::new(1, &[0])
    }

    /// Restricted code.
    pub fn restricted() -> Self {
        Self::new(5, &[12])
    }

    /// Local System.
    pub fn system() -> Self {
        Self::new(5, &[18])
    }

    /// Built-in Administrators.
    pub fn administrators() -> Self {
        Self::new(5, &[32, 544])
    }

    /// Creator owner.
    pub fn creator_owner() -> Self {
        Self::new(3, &[0])
    }

    /// Creator group.
    pub fn creator_group() -> Self {
        Self::new(3, &[1])
    }

    /// Authenticated users.
    pub fn authenticated_users() -> Self {
        Self::new(5, &[11])
    }

    /// Local.
    pub fn local() -> Self {
        Self::new(2, &[0])
    }

    /// Reads a SID at the start of `bytes`.
    ///
    /// # Errors
    /// `INVALID_SID`.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let (&[revision, count, a, b, c, d, e, f], rest) =
            bytes.split_first_chunk::<8>().ok_or(Status::INVALID_SID)?;
        let sub = rest
            .get(..usize::from(count) * 4)
            .ok_or(Status::INVALID_SID)?;
        if revision != 1 || count > 15 {
            return Err(Status::INVALID_SID);
        }
        let authority = u64::from_be_bytes([0, 0, a, b, c, d, e, f]);
        let sub = sub
            .chunks_exact(4)
            .map(|word| {
                word.iter()
                    .rev()
                    .fold(0, |value, &byte| value << 8 | u32::from(byte))
            })
            .collect();
        Ok(Self { authority, sub })
    }

    /// Its bytes.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![1, self.sub.len() as u8];
        bytes.extend_from_slice(&self.authority.to_be_bytes()[2..]);
        self.sub
            .iter()
            .for_each(|word| bytes.extend_from_slice(&word.to_le_bytes()));
        bytes
    }
}
