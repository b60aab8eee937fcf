// SPDX-License-Identifier: GPL-2.0-or-later
//! faulty.exe: a subsystem server that does not keep the contract, in the way its argument says.
//!
//! * `dies [status]` ends before it connects;
//! * `silent` never connects;
//! * `deaf` registers with a call-back port that it never listens to;
//! * `mute` takes the call-back connection but answers no call;
//! * `refuses` answers every call with NO_MEMORY;
//! * `wordy` answers every call with NO_MEMORY in a message longer than the protocol's;
//! * `twice` registers, then registers again, and ends with the status of the second attempt;
//! * `both` registers from two threads at once and answers every call with NO_MEMORY;
//! * `leaves` registers and then ends;
//! * `nameless` registers without a call-back port.
//!
//! It registers for Windows programs unless `SubSystemType=` names others.

use crate::arguments::{image_type, number, words};
use crate::{Statics, processes};
use core::sync::atomic::{AtomicBool, Ordering};
use nt::access::Access;
use nt::lock::Mutex;
use nt::object::Attributes;
use nt::system::{
    Accept, ImageSubsystem, MessageBuffer, MessageKind, PortLimits, System, ThreadBody,
};
use nt::{Handle, ObjectAttributes, Owned, Result, Status, UnicodeBuf, UnicodeStr};
use sm_protocol::ApiMessage;
use sm_protocol::client;
use sm_protocol::sb::SB_PORT_LIMITS;
use sm_protocol::sm::ConnectionInfo;

/// What the call-back thread needs.
pub struct Faulty<S: System> {
    system: S,
    port: Mutex<Handle>,
    mute: AtomicBool,
    wordy: AtomicBool,
    /// The next thread that starts registers instead of listening.
    registers: AtomicBool,
}

impl<S: System> Faulty<S> {
    /// The state of a process that has not started.
    pub const fn new(system: S) -> Self {
        Self {
            system,
            port: Mutex::new(Handle::NULL),
            mute: AtomicBool::new(false),
            wordy: AtomicBool::new(false),
            registers: AtomicBool::new(false),
        }
    }
}

impl<S: System> ThreadBody for Faulty<S> {
    fn run(&'static self) {
        if self.registers.swap(false, Ordering::Relaxed) {
            if let Err(status) = announce(self.system) {
                log::warn!("faulty: second registration: {status}");
            }
            return;
        }
        let port = *self.port.lock();
        let mut message = MessageBuffer::default();
        let mut reply: Option<MessageBuffer> = None;
        while self
            .system
            .reply_wait_receive(port, reply.as_ref(), &mut message)
            .is_ok()
        {
            reply = None;
            match MessageKind(message.header.kind & 0xFF) {
                MessageKind::CONNECTION_REQUEST => {
                    let accepted = self
                        .system
                        .accept_connect(&message, Accept::Yes { context: 0 });
                    if let Err(status) =
                        accepted.and_then(|port| self.system.complete_connect(port))
                    {
                        log::warn!("faulty: connection: {status}");
                    }
                }
                MessageKind::REQUEST if !self.mute.load(Ordering::Relaxed) => {
                    let mut answer = message.clone();
                    answer.set_result(Status::NO_MEMORY);
                    if self.wordy.load(Ordering::Relaxed) {
                        lengthen(&mut answer);
                    }
                    reply = Some(answer);
                }
                MessageKind(_) => {}
            }
        }
    }
}

/// Fills a message up to its end, after the data that it has.
fn lengthen(message: &mut MessageBuffer) {
    let used = usize::from(message.header.data_length);
    if let Some(rest) = message.data.get_mut(used..) {
        rest.fill(0x41);
    }
    // Both fit: a message is shorter than 64 KiB.
    message.header.data_length = message.data.len() as u16;
    message.header.total_length = size_of::<MessageBuffer>() as u16;
}

/// The program.
pub fn main<S: System>(system: S, statics: &'static Statics<S>) -> Status {
    let mut arguments = words(system.own_command_line());
    let way = arguments.next().unwrap_or_default();
    behave(system, statics, way, arguments.next())
}

/// The first of the ways, separated by commas, that no server of this boot has gone yet: a
/// permanent directory keeps count. `None` if every one has.
pub(crate) fn next_way<'w, S: System>(system: S, ways: UnicodeStr<'w>) -> Option<UnicodeStr<'w>> {
    ways.units()
        .split(|&unit| unit == u16::from(b','))
        .map(UnicodeStr)
        .enumerate()
        .find_map(|(turn, way)| {
            let mut name = UnicodeBuf::<32>::new();
            name.push_text(nt::text!("\\FaultyTurn{turn}")).ok()?;
            let attributes = ObjectAttributes::named(name.as_str())
                .with(Attributes::CASE_INSENSITIVE.union(Attributes::PERMANENT));
            let mark = system
                .create_directory(&attributes, Access::DIRECTORY_ALL)
                .ok()?;
            drop(Owned::new(system, mark.handle));
            Some(way)
        })
}

/// Misbehaves in this way; `argument` is the status that `dies` ends with.
pub(crate) fn behave<S: System>(
    system: S,
    statics: &'static Statics<S>,
    way: UnicodeStr<'_>,
    argument: Option<UnicodeStr<'_>>,
) -> Status {
    if way.eq_ascii("dies") {
        return argument
            .and_then(|word| number(word, 16))
            .map_or(Status::UNSUCCESSFUL, Status::new);
    }
    if way.eq_ascii("silent") {
        return processes::wait_for_ever(system);
    }
    match register(system, &statics.faulty, way) {
        Ok(()) if way.eq_ascii("leaves") => Status::SUCCESS,
        Ok(()) => processes::wait_for_ever(system),
        Err(status) => status,
    }
}

fn register<S: System>(system: S, faulty: &'static Faulty<S>, way: UnicodeStr<'_>) -> Result<()> {
    let mut name = UnicodeBuf::<64>::new();
    if !way.eq_ascii("nameless") {
        name = port_name(system)?;
        let wordy = way.eq_ascii("wordy");
        faulty.wordy.store(wordy, Ordering::Relaxed);
        let limits = PortLimits {
            message: match wordy {
                true => size_of::<MessageBuffer>() as u32,
                false => SB_PORT_LIMITS.message,
            },
            ..SB_PORT_LIMITS
        };
        let port = system.create_port(&ObjectAttributes::named(name.as_str()), limits)?;
        *faulty.port.lock() = port;
        if !way.eq_ascii("deaf") {
            faulty.mute.store(way.eq_ascii("mute"), Ordering::Relaxed);
            drop(Owned::new(system, system.create_thread(faulty)?));
        }
    }
    if way.eq_ascii("both") {
        faulty.registers.store(true, Ordering::Relaxed);
        drop(Owned::new(system, system.create_thread(faulty)?));
        // One of the two is refused, and either may be.
        let _ = announce(system);
        return Ok(());
    }
    let announced = announced(system, name.as_str())?;
    // The connection lives as long as the process.
    let _ = client::connect(system, &announced)?;
    if way.eq_ascii("twice") {
        let _ = client::connect(system, &announced)?;
    }
    Ok(())
}

/// The name of this process's call-back port.
fn port_name<S: System>(system: S) -> Result<UnicodeBuf<64>> {
    let mut name = UnicodeBuf::new();
    name.push_text(nt::text!("\\FaultyPort{}", system.client_id().process))?;
    Ok(name)
}

/// Registers with the port of that name. The connection lives as long as the process.
fn announce<S: System>(system: S) -> Result<()> {
    let name = port_name(system)?;
    client::connect(system, &announced(system, name.as_str())?).map(drop)
}

/// What this process says it is, with this call-back port.
fn announced<S: System>(system: S, port: UnicodeStr<'_>) -> Result<ConnectionInfo> {
    let serves = image_type(system.own_command_line()).unwrap_or(ImageSubsystem::WINDOWS_GUI);
    ConnectionInfo::server(serves, port)
}
