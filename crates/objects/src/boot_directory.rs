// SPDX-License-Identifier: GPL-2.0-or-later
//! BootDir: which drive letter the system partition has, written for set-up programs (spec 9.2 #1).
//! Nothing here stops the boot.

use nt::access::Access;
use nt::failure::{Attempt, Skippable};
use nt::key::{Key, MAX_TEXT};
use nt::object::ObjectAttributes;
use nt::system::{Objects, Registry, ValueType};
use nt::{Handle, Owned, Result, Status, UnicodeStr};
use zerocopy::IntoBytes;

/// Finds the drive letter among the links of `devices`, which is `\??`, and writes it.
pub fn write_boot_directory<S: Objects + Registry>(system: S, devices: Handle) {
    let mut partition = [0; MAX_TEXT];
    find_and_write(system, devices, &mut partition).or_skip(Skippable::BootDirectory, "BootDir");
}

fn find_and_write<S: Objects + Registry>(
    system: S,
    devices: Handle,
    partition: &mut [u16; MAX_TEXT],
) -> Result<()> {
    let partition = system_partition(system, partition)?;
    match drive_of(system, devices, partition)? {
        Some(letter) => write(system, letter),
        None => {
            // Nothing is wrong with a system partition that has no letter.
            nt::info!("boot directory: no drive letter leads to {partition}");
            Ok(())
        }
    }
}

fn system_partition<'b, S: Objects + Registry>(
    system: S,
    buffer: &'b mut [u16; MAX_TEXT],
) -> Result<UnicodeStr<'b>> {
    let setup = "\\Registry\\Machine\\System\\Setup";
    let key = Key::open(system, setup, Access::KEY_READ)?;
    let text = key.text("SystemPartition", buffer)?;
    if text.is_empty() {
        Err(Status::OBJECT_NAME_INVALID)
    } else {
        Ok(text)
    }
}

/// The first drive letter whose link leads to `partition` or below it.
fn drive_of<S: Objects>(
    system: S,
    devices: Handle,
    partition: UnicodeStr<'_>,
) -> Result<Option<u16>> {
    let mut found = None;
    system.query_directory(devices, &mut |entry| {
        let &[letter, colon] = entry.name.units() else {
            return true;
        };
        if colon != u16::from(b':') || !entry.type_name.eq_ascii("SymbolicLink") {
            return true;
        }
        if target(system, devices, entry.name, &mut [0; MAX_TEXT])
            .or_skip(Skippable::BootDirectory, entry.name)
            .is_some_and(|target| leads_to(target, partition))
        {
            found = Some(letter);
        }
        found.is_none()
    })?;
    Ok(found)
}

fn target<'b, S: Objects>(
    system: S,
    devices: Handle,
    name: UnicodeStr<'_>,
    buffer: &'b mut [u16; MAX_TEXT],
) -> Result<UnicodeStr<'b>> {
    let link = system.open_symbolic_link(
        &ObjectAttributes::named(name).under(devices),
        Access::SYMBOLIC_LINK_ALL,
    )?;
    let link = Owned::new(system, link);
    system.query_symbolic_link(link.get(), buffer)
}

fn leads_to(target: UnicodeStr<'_>, partition: UnicodeStr<'_>) -> bool {
    let head = target.take(partition.len());
    head.eq_ignore_case(partition)
        && target
            .skip(partition.len())
            .first()
            .is_none_or(|next| next == u16::from(b'\\'))
}

fn write<S: Objects + Registry>(system: S, letter: u16) -> Result<()> {
    let setup = "\\Registry\\Machine\\Software\\Microsoft\\Windows\\CurrentVersion\\Setup";
    let key = Key::open(system, setup, Access::KEY_ALL)?;
    let text = [letter, u16::from(b':'), u16::from(b'\\'), 0];
    key.set("BootDir", ValueType::SZ, text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use nt::wide;

    #[test]
    fn a_link_leads_to_the_partition_itself_or_below_it() {
        let partition = wide!("\\Device\\Harddisk0\\Partition1");
        assert!(leads_to(
            wide!("\\DEVICE\\Harddisk0\\Partition1"),
            partition
        ));
        assert!(leads_to(
            wide!("\\Device\\Harddisk0\\Partition1\\x"),
            partition
        ));
        assert!(!leads_to(
            wide!("\\Device\\Harddisk0\\Partition11"),
            partition
        ));
        assert!(!leads_to(wide!("\\Device\\Harddisk0"), partition));
    }
}
