// SPDX-License-Identifier: GPL-2.0-or-later
//! Security: who somebody is (SIDs, tokens, privileges), what an object allows (descriptors, ACLs),
//! and whether the one gets what it wants of the other (spec 1.1 rows 8 and 9, 2.2, 9.7).
//!
//! Plain values and functions of values: nothing here knows an object, a handle or a process.

pub mod access;
pub mod acl;
pub mod descriptor;
mod mapping;
pub mod sid;
pub mod token;

pub use access::AccessState;
pub use acl::Ace;
pub use descriptor::{Dacl, SecurityDescriptor};
pub use mapping::GenericMapping;
pub use sid::Sid;
pub use token::Token;
