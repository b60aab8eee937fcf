// SPDX-License-Identifier: GPL-2.0-or-later
//! Finding an object by its name (spec 3.1): directories, symbolic links, `\??`, and the parse
//! hooks of devices and keys.
//!
//! Invariants: what is found comes with a reference that the caller owns; at most 30 links and
//! reparses are followed; only the last component may be missing when an object is inserted.

use super::lifetime::Lifetimes;
use super::types::{ParseHook, ParseRequest, Parsed};
use super::{Body, Kind, Name, System};
use crate::ids::{ObjectId, ThreadId};
use crate::se::{AccessState, token};
use alloc::vec::Vec;
use core::any::Any;
use nt::access::Access;
use nt::object::Attributes;
use nt::{Handle, Result, Status};

const BACKSLASH: u16 = 0x5C;
const MAX_REPARSE: usize = 30;
const DOS_DEVICES: [u16; 3] = [0x5C, 0x3F, 0x3F];

/// What is looked for.
pub struct Lookup<'a> {
    /// The calling thread.
    pub caller: ThreadId,
    /// The directory or other object that the name starts in.
    pub root: Handle,
    /// The name.
    pub name: &'a [u16],
    /// `OBJ_` attributes.
    pub attributes: Attributes,
    /// The type that is wanted.
    pub kind: Option<Kind>,
    /// What is wanted of it.
    pub access: &'a mut AccessState,
    /// For the parse hook.
    pub context: Option<&'a mut dyn Any>,
    /// The object to enter under the name, if there is none yet.
    pub insert: Option<ObjectId>,
}

/// Finding objects by their names.
pub trait Lookups: System {
    /// Finds the object, or enters `insert`. The object comes with a reference.
    ///
    /// # Errors
    /// `OBJECT_PATH_SYNTAX_BAD`, `OBJECT_NAME_INVALID`, `OBJECT_PATH_NOT_FOUND`,
    /// `OBJECT_NAME_NOT_FOUND`, `OBJECT_TYPE_MISMATCH`, `ACCESS_DENIED`, and what parse hooks
    /// say.
    fn lookup(&mut self, mut request: Lookup<'_>) -> Result<ObjectId> {
        let mut name: Vec<u16> = request.name.to_vec();
        let mut start = self.ob().root();
        if !request.root.is_null() {
            let root = self.resolve(request.caller, request.root, None, Access::empty())?;
            let kind = self.object(root)?.kind;
            if name.first() == Some(&BACKSLASH) && kind != Kind::File {
                return Err(Status::OBJECT_PATH_SYNTAX_BAD);
            }
            if kind == Kind::Directory {
                if name.is_empty() {
                    return found(self, root, request.kind);
                }
                start = root;
                return walk(self, &mut request, start, name);
            }
            let parse = self
                .type_of(kind)
                .hooks
                .parse
                .ok_or(Status::INVALID_HANDLE)?;
            for _ in 0..MAX_REPARSE {
                let remaining = core::mem::take(&mut name);
                match call_parse(self, &mut request, parse, root, &remaining)? {
                    Parsed::Object(found) => return Ok(found),
                    Parsed::Reparse(again) => name = again,
                }
                if name.first().is_none_or(|&unit| unit == BACKSLASH) {
                    return walk_from_root(self, &mut request, name, 0);
                }
            }
            return Err(Status::OBJECT_NAME_NOT_FOUND);
        }
        if name.first() != Some(&BACKSLASH) {
            return Err(Status::OBJECT_PATH_SYNTAX_BAD);
        }
        if name.len() == 1 {
            return found(self, start, request.kind);
        }
        walk_from_root(self, &mut request, name, 0)
    }

    /// The directory that `\??` is for this thread.
    ///
    /// # Errors
    /// `OBJECT_PATH_NOT_FOUND` before there is one.
    fn dos_devices(&self, caller: ThreadId) -> Result<ObjectId> {
        let map = self.device_map_of(self.caller_process(caller)?)?;
        self.ob()
            .device_map(map)
            .map(|map| map.directory)
            .ok_or(Status::OBJECT_PATH_NOT_FOUND)
    }
}

impl<S: System> Lookups for S {}

fn walk<S: System>(
    system: &mut S,
    request: &mut Lookup<'_>,
    start: ObjectId,
    name: Vec<u16>,
) -> Result<ObjectId> {
    match walk_once(system, request, start, &name)? {
        Parsed::Object(found) => Ok(found),
        Parsed::Reparse(again) => walk_from_root(system, request, again, 1),
    }
}

fn walk_from_root<S: System>(
    system: &mut S,
    request: &mut Lookup<'_>,
    mut name: Vec<u16>,
    reparsed: usize,
) -> Result<ObjectId> {
    for _ in reparsed..MAX_REPARSE {
        // The prefix is what the caller's device map says, whatever else is called `??`.
        let in_devices = name
            .strip_prefix(&DOS_DEVICES)
            .filter(|rest| rest.first().is_none_or(|&unit| unit == BACKSLASH));
        let (start, rest) = match in_devices {
            Some(rest) => (system.dos_devices(request.caller)?, rest),
            None => (system.ob().root(), name.as_slice()),
        };
        if rest.is_empty() && in_devices.is_some() {
            return found(system, start, request.kind);
        }
        let rest = rest.to_vec();
        match walk_once(system, request, start, &rest)? {
            Parsed::Object(found) => return Ok(found),
            Parsed::Reparse(again) => name = again,
        }
    }
    Err(Status::OBJECT_NAME_NOT_FOUND)
}

fn walk_once<S: System>(
    system: &mut S,
    request: &mut Lookup<'_>,
    start: ObjectId,
    name: &[u16],
) -> Result<Parsed> {
    let traverses = !request.access.kernel
        && !system
            .caller_token(request.caller)?
            .has(token::CHANGE_NOTIFY);
    let mut directory = start;
    let mut rest = name;
    loop {
        rest = rest.strip_prefix(&[BACKSLASH]).unwrap_or(rest);
        let end = rest
            .iter()
            .position(|&unit| unit == BACKSLASH)
            .unwrap_or(rest.len());
        let (component, remaining) = rest.split_at(end);
        if component.is_empty() {
            return Err(Status::OBJECT_NAME_INVALID);
        }
        if traverses {
            system.check_access(request.caller, directory, Access::DIRECTORY_TRAVERSE)?;
        }
        let Some(object) = system
            .ob()
            .entry(directory, component, request.insert.is_none())
        else {
            if !remaining.is_empty() {
                return Err(Status::OBJECT_PATH_NOT_FOUND);
            }
            let insert = request.insert.ok_or(Status::OBJECT_NAME_NOT_FOUND)?;
            enter(
                system,
                request.caller,
                directory,
                component,
                insert,
                request.access.kernel,
            )?;
            return Ok(Parsed::Object(insert));
        };
        let kind = system.object(object)?.kind;
        if kind == Kind::SymbolicLink {
            return follow(system, object, request.kind, remaining);
        }
        if let Some(parse) = system
            .type_of(kind)
            .hooks
            .parse
            .filter(|_| request.insert.is_none())
        {
            return call_parse(system, request, parse, object, remaining);
        }
        if remaining.is_empty() {
            let wanted = if request.insert.is_some() {
                None
            } else {
                request.kind
            };
            return found(system, object, wanted).map(Parsed::Object);
        }
        if kind != Kind::Directory {
            return Err(Status::OBJECT_TYPE_MISMATCH);
        }
        directory = object;
        rest = remaining;
    }
}

fn follow<S: System>(
    system: &mut S,
    link: ObjectId,
    wanted: Option<Kind>,
    remaining: &[u16],
) -> Result<Parsed> {
    if remaining.is_empty() && wanted == Some(Kind::SymbolicLink) {
        return found(system, link, wanted).map(Parsed::Object);
    }
    let Some(body) = system.object(link)?.body.link() else {
        return Err(Status::OBJECT_TYPE_MISMATCH);
    };
    let name = body.resolve(remaining);
    if name.len() * 2 > 0xFFF0 {
        return Err(Status::NAME_TOO_LONG);
    }
    match name.first() {
        None => found(system, system.ob().root(), wanted).map(Parsed::Object),
        Some(&BACKSLASH) if name.len() == 1 => {
            found(system, system.ob().root(), wanted).map(Parsed::Object)
        }
        Some(&BACKSLASH) => Ok(Parsed::Reparse(name)),
        Some(_) => Err(Status::OBJECT_NAME_NOT_FOUND),
    }
}

fn call_parse<S: System>(
    system: &mut S,
    request: &mut Lookup<'_>,
    hook: ParseHook<S>,
    object: ObjectId,
    remaining: &[u16],
) -> Result<Parsed> {
    // The object stays while its module looks into it.
    system.reference(object);
    let mut found = hook(
        system,
        ParseRequest {
            caller: request.caller,
            object,
            remaining,
            attributes: request.attributes.bits(),
            access: request.access,
            kind: request.kind,
            context: request.context.as_deref_mut(),
        },
    );
    if let (Ok(Parsed::Object(object)), Some(wanted)) = (&found, request.kind) {
        let object = *object;
        if system.object(object)?.kind != wanted {
            system.dereference(object);
            found = Err(Status::OBJECT_TYPE_MISMATCH);
        }
    }
    system.dereference(object);
    found
}

fn found<S: System>(system: &mut S, object: ObjectId, wanted: Option<Kind>) -> Result<ObjectId> {
    let kind = system.object(object)?.kind;
    if wanted.is_some_and(|wanted| wanted != kind) {
        return Err(Status::OBJECT_TYPE_MISMATCH);
    }
    system.reference(object);
    Ok(object)
}

/// Enters an object into a directory under a name; it gets a reference for its name and one for
/// the caller.
fn enter<S: System>(
    system: &mut S,
    caller: ThreadId,
    directory: ObjectId,
    name: &[u16],
    object: ObjectId,
    kernel: bool,
) -> Result<()> {
    let kind = system.object(object)?.kind;
    if !kernel {
        let right = if kind == Kind::Directory {
            Access::DIRECTORY_CREATE_SUBDIRECTORY
        } else {
            Access::DIRECTORY_CREATE_OBJECT
        };
        system.check_access(caller, directory, right)?;
    }
    let Some(body) = system.object_mut(directory)?.body.directory_mut() else {
        return Err(Status::OBJECT_TYPE_MISMATCH);
    };
    if let (Some(session), Kind::Section | Kind::SymbolicLink) = (body.session, kind)
        && system.is_foreign(caller, session)?
    {
        return Err(Status::ACCESS_DENIED);
    }
    let Some(body) = system.object_mut(directory)?.body.directory_mut() else {
        return Err(Status::OBJECT_TYPE_MISMATCH);
    };
    body.insert(name, object);
    system.reference(directory);
    system.reference(object);
    system.reference(object);
    system.object_mut(object)?.name = Some(Name {
        directory,
        name: name.to_vec(),
    });
    Ok(())
}
