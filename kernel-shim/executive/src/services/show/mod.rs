// SPDX-License-Identifier: GPL-2.0-or-later
//! What the trace shows of a call: its arguments as a person reads them, and what comes back.
//!
//! What a caller gives is read before the call is carried out ([`given`]), what the call has written
//! for it afterwards ([`returned`]). Nothing is changed. What cannot be read is shown as the address
//! it is.

mod given;
mod returned;
mod values;

pub use returned::results;

use super::BUILT;
use super::argument::{Argument as _, Parameter, Shape, UserAttributes, UserText};
use super::call::Call;
use super::table::{MAX_ARGUMENTS, Service};
use super::user::UserPtr;
use crate::layout::PortMessage;
use crate::ob::prelude::*;
use crate::spelling;
use crate::system::Body;
use crate::trace::Argument;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use nt::Handle;
use nt::access::Access;
use nt::system::MessageKind;

/// A call's arguments with their names.
pub fn arguments(call: &mut Call<'_>, service: &Service) -> Vec<(&'static str, Argument)> {
    const UNNAMED: [&str; MAX_ARGUMENTS] = [
        "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15", "16", "17",
    ];
    let Some(built) = BUILT.get(service.number as usize).and_then(Option::as_ref) else {
        // Nothing is known of them but their number.
        let slots = UNNAMED.iter().zip(call.arguments).take(service.arguments);
        return slots
            .map(|(&name, slot)| (name, Argument::Number(slot)))
            .collect();
    };
    let parameters = built.parameters.iter().zip(call.arguments);
    parameters
        .map(|(parameter, slot)| (parameter.name, argument(call, service, parameter, slot)))
        .collect()
}

fn argument(call: &mut Call<'_>, service: &Service, parameter: &Parameter, slot: u64) -> Argument {
    let value = parameter.shape.value(slot);
    let words = match parameter.shape {
        Shape::Attributes => {
            let attributes = call.attributes_or_none(UserAttributes::decode(slot));
            if let Ok(Some(name)) = attributes.map(|attributes| attributes.name) {
                return Argument::Text(String::from_utf16_lossy(&name));
            }
            None
        }
        Shape::Text => {
            if let Ok(text) = call.string(UserText::decode(slot)) {
                return Argument::Text(String::from_utf16_lossy(&text));
            }
            None
        }
        Shape::Access => Some(spelling::access(service.name, slot as u32)),
        Shape::Number(_) => spelling::number(service.name, parameter.name, slot as u32),
        Shape::Handle => handle(call, Handle::from_slot(slot)),
        Shape::Pointer => given::behind(call, service, parameter, slot),
        Shape::Boolean => None,
    };
    words.map_or(Argument::Number(value), Argument::Words)
}

/// A handle with what it names.
fn handle(call: &Call<'_>, handle: Handle) -> Option<String> {
    match handle {
        Handle::NULL => return None,
        Handle::CURRENT_PROCESS => return Some("own process".into()),
        Handle::CURRENT_THREAD => return Some("own thread".into()),
        _ => {}
    }
    let entry = call
        .exec
        .resolve_entry(call.thread, handle, None, Access::empty())
        .ok()?;
    let object = call.exec.ob().get(entry.object)?;
    let path = call.exec.name_of(entry.object);
    let kind = call.exec.ob().type_of(object.kind).name;
    let name = match &object.body {
        _ if !path.is_empty() => String::from_utf16_lossy(&path),
        Body::Process(id) => {
            let process = call.exec.process(*id).ok()?;
            let image = String::from_utf16_lossy(&process.image);
            format!("{kind} {:x} {image}", id.0)
        }
        Body::Thread(id) => {
            let owner = call.exec.client_id(*id).map_or(0, |client| client.process);
            format!("{kind} {owner:x}.{:x}", id.0)
        }
        _ => kind.into(),
    };
    Some(format!("{:#x}<{name}>", handle.0))
}

/// A PORT_MESSAGE: its type, the bytes of its data, and the number that most protocols begin with.
fn message(call: &mut Call<'_>, at: u64) -> Option<String> {
    let place = UserPtr::<PortMessage>::new(at);
    let header = call.read(place).ok()?;
    let header_bytes = call.size_of::<PortMessage>() as u64;
    let kind = spelling::message(header.kind);
    let length = header.data_length;
    let connects = MessageKind(header.kind & 0xFF) == MessageKind::CONNECTION_REQUEST;
    if length < 4 || connects {
        return Some(format!("{{{kind}, {length:#x} bytes}}"));
    }
    let number: u32 = call.read(place.at(header_bytes).ok()?).ok()?;
    Some(format!("{{{kind}, {length:#x} bytes, api {number:#x}}}"))
}
