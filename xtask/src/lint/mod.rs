// SPDX-License-Identifier: GPL-2.0-or-later
//! Rules of the house that the compiler does not know, held by tests over the sources.

mod abi;
mod citations;
mod documents;
mod imports;
mod layers;
mod length;
mod tree;
