// SPDX-License-Identifier: GPL-2.0-or-later
//! The system calls about the system as a whole: information, hard errors, the boot screen, locale,
//! time, the end.

use super::call::{Built, Call, Done, built, success};
use super::layout::UnicodeString;
use super::pending::Pending;
use super::user::UserPtr;
use crate::Executive;
use crate::harderror::services::{Answer, response_in};
use crate::harderror::{
    LAST_OPTION, LAST_RESPONSE, MAXIMUM_PARAMETERS, Parameter, RESPONSE_NOT_HANDLED,
    RESPONSE_RETURN_TO_CALLER,
};
use crate::lpc::Event;
use crate::process::token;
use crate::sysinfo::{self, class};
use alloc::string::String;
use alloc::vec::Vec;
use nt::system::ShutdownAction;
use nt::{Result, Status};

/// The calls of this area.
pub const CALLS: &[Built] = &[
    built(
        "NtQuerySystemInformation",
        &["class", "buffer", "size", "length"],
        query_information,
    ),
    built(
        "NtSetSystemInformation",
        &["class", "buffer", "size"],
        set_information,
    ),
    built(
        "NtRaiseHardError",
        &[
            "status",
            "count",
            "strings",
            "parameters",
            "options",
            "response",
        ],
        raise_hard_error,
    ),
    built("NtSetDefaultHardErrorPort", &["port"], set_default_port),
    built("NtShutdownSystem", &["action"], shutdown),
    built("NtDisplayString", &["$text"], display_string),
    built("NtQueryDefaultLocale", &["user", "locale"], query_locale),
    built("NtQueryDefaultUILanguage", &["language"], query_language),
    built("NtQueryInstallUILanguage", &["language"], query_language),
    built("NtQuerySystemTime", &["time"], query_time),
    built(
        "NtQueryPerformanceCounter",
        &["counter", "frequency"],
        query_counter,
    ),
    built(
        "NtQueryTimerResolution",
        &["longest", "shortest", "now"],
        query_resolution,
    ),
    built("NtGetCurrentProcessorNumber", &[], current_processor),
    built(
        "NtQueryDebugFilterState",
        &["component", "level"],
        debug_filter,
    ),
    built("NtAllocateLocallyUniqueId", &["luid"], allocate_luid),
];

/// Units of 100 ns of virtual time in a tick of the counter: one.
const COUNTER_FREQUENCY: u64 = 10_000_000;
/// English, United States: the locale of a system whose registry names none.
const LOCALE: u32 = 0x409;
/// Where the registry names the system's locale: a hexadecimal number as text.
const LANGUAGE_KEY: &str = "\\Registry\\Machine\\System\\CurrentControlSet\\Control\\Nls\\Language";
/// Longest tick of the clock, 100 ns.
pub const TIMER_RESOLUTION: u32 = 156_250;

fn query_information(call: &mut Call<'_>) -> Result<Done> {
    let (class, place, size, length) = (call.u32(0), call.pointer(1), call.u32(2), call.pointer(3));
    // The debugger's flags are the only answer without alignment.
    let alignment = if class == class::KERNEL_DEBUGGER {
        1
    } else {
        4
    };
    call.probe_write(place, u64::from(size), alignment)?;
    call.probe_optional::<u32>(length)?;
    call.write_optional(length, 0_u32)?;
    let answer = sysinfo::query(call.exec, class, size, place.0);
    if answer.status == Status::NOT_IMPLEMENTED {
        log::warn!("NtQuerySystemInformation: class {class} is not built");
    }
    call.write_bytes(place, &answer.bytes)?;
    if answer.status != Status::INVALID_INFO_CLASS {
        call.write_optional(length, answer.length)?;
    }
    Ok(Done::Returns(answer.status))
}

fn set_information(call: &mut Call<'_>) -> Result<Done> {
    let (class, place, size) = (call.u32(0), call.pointer(1), call.u32(2));
    call.probe_read(place, u64::from(size), 4)?;
    let sized = |wanted: u32| {
        if size == wanted {
            Ok(())
        } else {
            Err(Status::INFO_LENGTH_MISMATCH)
        }
    };
    match class {
        class::FLAGS => {
            sized(4)?;
            if !call.exec.privileged(call.thread, token::DEBUG)? {
                return Err(Status::ACCESS_VIOLATION);
            }
            call.exec.global_flag = call.read(place)?;
        }
        class::EXTEND_SERVICE_TABLE => {
            sized(0x10)?;
            call.demand(token::LOAD_DRIVER)?;
            let name: UnicodeString = call.read(place)?;
            let name = call.text(name)?;
            call.exec.extend_service_table(call.thread, &name)?;
        }
        class::SESSION_CREATE => {
            sized(4)?;
            call.demand(token::LOAD_DRIVER)?;
            call.probe::<u32>(place)?;
            let session = call.exec.create_session(call.thread)?;
            call.write(place, session)?;
        }
        class::SESSION_DETACH => {
            sized(4)?;
            call.demand(token::LOAD_DRIVER)?;
            let session = call.read(place)?;
            call.exec.detach_session(call.thread, session)?;
        }
        _ => {
            log::warn!("NtSetSystemInformation: class {class} is not built");
            return Err(Status::INVALID_INFO_CLASS);
        }
    }
    success()
}

fn raise_hard_error(call: &mut Call<'_>) -> Result<Done> {
    let [_, _, _, values, _, response] = core::array::from_fn(|index| call.pointer(index));
    let (status, count, mask, option) = (
        Status(call.u32(0)),
        call.u32(1) as usize,
        call.u32(2),
        call.u32(4),
    );
    if count > MAXIMUM_PARAMETERS || (!values.is_null() && count == 0) {
        return Err(Status::INVALID_PARAMETER_2);
    }
    if option > LAST_OPTION {
        return Err(Status::INVALID_PARAMETER_4);
    }
    call.probe::<u32>(response)?;
    let mut parameters = Vec::new();
    if !values.is_null() {
        call.probe_read(values, count as u64 * 8, 8)?;
        for index in 0..count {
            let value: u64 = call.read(values.at(index as u64 * 8)?)?;
            let is_text = mask & 1 << index != 0;
            parameters.push(if is_text {
                text_parameter(call, UserPtr(value))?
            } else {
                Parameter::Number(value)
            });
        }
    }
    let answered = call
        .exec
        .raise_hard_error(call.thread, status, mask, parameters, option)?;
    match answered {
        Answer::Refused => {
            call.write(response, RESPONSE_NOT_HANDLED)?;
            Err(Status::PRIVILEGE_NOT_HELD)
        }
        Answer::Returned => {
            call.write(response, RESPONSE_RETURN_TO_CALLER)?;
            success()
        }
        Answer::Stopped => Ok(Done::Gone),
        Answer::Waits => call.wait(Pending::HardError { response }),
    }
}

fn text_parameter(call: &mut Call<'_>, place: UserPtr) -> Result<Parameter> {
    let string: UnicodeString = call.read_aligned(place, 8)?;
    let text = call.text(string)?;
    Ok(Parameter::Text(String::from_utf16_lossy(&text), place.0))
}

/// The end of a NtRaiseHardError that has asked a port.
pub fn finish_hard_error(call: &mut Call<'_>, event: Event, response: UserPtr) -> Result<Done> {
    let (chosen, status) = match event {
        Event::Replied(message) => (response_in(&message), Status::SUCCESS),
        Event::Failed(status, _) => (RESPONSE_RETURN_TO_CALLER, status),
        Event::Received(_) | Event::Connected(_) => {
            (RESPONSE_RETURN_TO_CALLER, Status::REPLY_MESSAGE_MISMATCH)
        }
    };
    call.write(
        response,
        if chosen <= LAST_RESPONSE {
            chosen
        } else {
            RESPONSE_RETURN_TO_CALLER
        },
    )?;
    Ok(Done::Returns(status))
}

fn set_default_port(call: &mut Call<'_>) -> Result<Done> {
    call.exec
        .set_default_hard_error_port(call.thread, call.handle(0))?;
    success()
}

fn shutdown(call: &mut Call<'_>) -> Result<Done> {
    let action = match call.u32(0) {
        0 => ShutdownAction::NoReboot,
        1 => ShutdownAction::Reboot,
        2 => ShutdownAction::PowerOff,
        _ => return Err(Status::INVALID_PARAMETER),
    };
    call.demand(token::SHUTDOWN)?;
    call.exec.shutdown(action);
    Ok(Done::Gone)
}

fn display_string(call: &mut Call<'_>) -> Result<Done> {
    call.demand(token::TCB)?;
    let text = call.string(call.pointer(0))?;
    call.exec.machine.display(&String::from_utf16_lossy(&text));
    success()
}

/// The system's locale, which is every user's here.
fn locale(exec: &Executive) -> u32 {
    let name: Vec<u16> = "Default".encode_utf16().collect();
    let value = exec
        .registry
        .find(LANGUAGE_KEY)
        .and_then(|key| exec.registry.value(key, &name).ok());
    let text = value.map(|value| {
        value
            .data
            .as_chunks()
            .0
            .iter()
            .map(|&unit| u16::from_le_bytes(unit))
            .collect::<Vec<u16>>()
    });
    let text = text.map(|text| String::from_utf16_lossy(&text));
    text.and_then(|text| u32::from_str_radix(text.trim_end_matches('\0'), 16).ok())
        .unwrap_or(LOCALE)
}

fn query_locale(call: &mut Call<'_>) -> Result<Done> {
    let place = call.pointer(1);
    call.probe::<u32>(place)?;
    let locale = locale(call.exec);
    call.write(place, locale)?;
    success()
}

fn query_language(call: &mut Call<'_>) -> Result<Done> {
    let place = call.pointer(0);
    call.probe::<u16>(place)?;
    let language = locale(call.exec) as u16;
    call.write(place, language)?;
    success()
}

fn query_time(call: &mut Call<'_>) -> Result<Done> {
    let place = call.pointer(0);
    call.probe::<u64>(place)?;
    let now = call.exec.now();
    call.write(place, now)?;
    success()
}

fn query_counter(call: &mut Call<'_>) -> Result<Done> {
    let (place, frequency) = (call.pointer(0), call.pointer(1));
    call.probe::<u64>(place)?;
    call.probe_optional::<u64>(frequency)?;
    let uptime = call.exec.machine.uptime();
    call.write(place, uptime)?;
    call.write_optional(frequency, COUNTER_FREQUENCY)?;
    success()
}

fn query_resolution(call: &mut Call<'_>) -> Result<Done> {
    for index in 0..3 {
        call.probe::<u32>(call.pointer(index))?;
    }
    for index in 0..3 {
        call.write(call.pointer(index), TIMER_RESOLUTION)?;
    }
    success()
}

fn current_processor(_call: &mut Call<'_>) -> Result<Done> {
    // The number, not a status: there is one processor that runs threads.
    success()
}

fn debug_filter(_call: &mut Call<'_>) -> Result<Done> {
    // TRUE: everything is let through to the debug output.
    Ok(Done::Returns(Status(1)))
}

fn allocate_luid(call: &mut Call<'_>) -> Result<Done> {
    let place = call.pointer(0);
    call.probe::<u64>(place)?;
    // Ids of processes and threads come from the same numbers: none is given out twice. Small LUIDs
    // are privileges and logons.
    let luid = 0x1_0000 + u64::from(call.exec.new_id());
    call.write(place, luid)?;
    success()
}
