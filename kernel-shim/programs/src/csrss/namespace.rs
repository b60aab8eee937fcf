// SPDX-License-Identifier: GPL-2.0-or-later
//! A server's part of the object namespace (spec 9.5).
//!
//! `\Sessions` is smss's; a server that finds it missing fails. In session 0 the server's directory
//! is the one it is given, in session n the one of that name under `\Sessions\n`.

use nt::access::Access;
use nt::object::Attributes;
use nt::security::{Ace, Descriptor, Sid};
use nt::system::System;
use nt::{Handle, ObjectAttributes, Owned, Result, UnicodeBuf, UnicodeStr, wide};
use sm_protocol::sb::SB_PORT_LIMITS;

/// `PORT_ALL_ACCESS` for SYSTEM.
const PORT: Descriptor = Descriptor::with_dacl(&[Ace::allow(0x001F_0001, Sid::LOCAL_SYSTEM)]);
const PERMANENT: Attributes = Attributes::CASE_INSENSITIVE
    .union(Attributes::OPENIF)
    .union(Attributes::PERMANENT);

type Name = UnicodeBuf<96>;

/// The directory in which a server has its ports.
pub(super) struct Directory {
    name: Name,
}

impl Directory {
    /// Makes it, and for the Windows server everything else of its session.
    pub(super) fn create<S: System>(
        system: S,
        session: u32,
        root: UnicodeStr<'_>,
        windows: bool,
    ) -> Result<Self> {
        if windows {
            session_objects(system, session)?;
        }
        let mut name = Name::new();
        if session != 0 {
            name.push_text(nt::text!("\\Sessions\\{session}"))?;
        }
        name.push(root)?;
        directory(system, name.as_str())?;
        Ok(Self { name })
    }

    /// The full name of a port in it.
    pub(super) fn port_name(&self, port: UnicodeStr<'_>) -> Result<Name> {
        let mut name = self.name.clone();
        name.push(port)?;
        Ok(name)
    }

    /// Creates a connection port in it.
    pub(super) fn create_port<S: System>(&self, system: S, port: UnicodeStr<'_>) -> Result<Handle> {
        let name = self.port_name(port)?;
        system.create_port(
            &ObjectAttributes::named(name.as_str()).secured(PORT.as_bytes()),
            SB_PORT_LIMITS,
        )
    }
}

fn session_objects<S: System>(system: S, session: u32) -> Result<()> {
    let at = |text: nt::text::Text<'_>| {
        let mut name = Name::new();
        name.push_text(text)?;
        Ok::<_, nt::Status>(name)
    };
    let named_objects = if session == 0 {
        at(nt::text!("\\BaseNamedObjects"))?
    } else {
        at(nt::text!("\\Sessions\\{session}\\BaseNamedObjects"))?
    };
    directory(system, wide!("\\Sessions\\BNOLINKS"))?;
    directory(system, at(nt::text!("\\Sessions\\{session}"))?.as_str())?;
    directory(
        system,
        at(nt::text!("\\Sessions\\{session}\\DosDevices"))?.as_str(),
    )?;
    directory(system, named_objects.as_str())?;
    let link = at(nt::text!("\\Sessions\\BNOLINKS\\{session}"))?;
    let attributes = ObjectAttributes::named(link.as_str()).with(PERMANENT);
    let created = system.create_symbolic_link(
        &attributes,
        Access::SYMBOLIC_LINK_ALL,
        named_objects.as_str(),
    )?;
    drop(Owned::new(system, created.handle));
    Ok(())
}

/// A permanent directory, made or there already.
fn directory<S: System>(system: S, name: UnicodeStr<'_>) -> Result<()> {
    let created = system.create_directory(
        &ObjectAttributes::named(name).with(PERMANENT),
        Access::DIRECTORY_ALL,
    )?;
    drop(Owned::new(system, created.handle));
    Ok(())
}
