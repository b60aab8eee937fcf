// SPDX-License-Identifier: GPL-2.0-or-later
//! The whole boot, on the executive in this process: the real smss against the real programs of the
//! medium (spec 13.5, 14, 17).

mod chronology;
mod concurrency;
mod default;
mod faults;
mod instances;
mod matrix;
mod pairs;
mod power_cut;
mod requests;
mod rows;
mod sessions;
mod system;
mod vectors;
