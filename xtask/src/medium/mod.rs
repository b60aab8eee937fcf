// SPDX-License-Identifier: GPL-2.0-or-later
//! What the machine boots from: the system files, the disk's FAT volume, the ISO.

pub mod disk;
pub mod dll;
pub mod handler_program;
pub mod hive_file;
pub mod iso;
pub mod program;
pub mod supplies;
pub mod system_root;
pub mod tree;
pub mod windows_program;
