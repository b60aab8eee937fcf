// SPDX-License-Identifier: GPL-2.0-or-later
//! The system calls about the system as a whole: information, hard errors, the boot screen, locale,
//! time, the end.

use super::argument::{UserText, services};
use super::call::{Call, Done, success};
use super::layout::{UnicodeString, Word};
use super::pending::Pending;
use super::sysinfo::{self, class};
use super::user::{UserPtr, UserSlice};
use crate::Executive;
use crate::ex::hard_errors::{
    LAST_OPTION, LAST_RESPONSE, MAXIMUM_PARAMETERS, Parameter, RESPONSE_NOT_HANDLED,
    RESPONSE_RETURN_TO_CALLER,
};
use crate::lpc::Event;
use crate::se::token;
use crate::system::hard_errors::{HardErrorResult, response_in};
use alloc::string::String;
use alloc::vec::Vec;
use formats::utf16;
use nt::system::ShutdownAction;
use nt::{Handle, Result, Status};

services! {
    NtQuerySystemInformation(
        class: u32, buffer: UserPtr, size: u32, length: UserPtr<u32>
    ) => query_information;
    NtSetSystemInformation(class: u32, buffer: UserPtr, size: u32) => set_information;
    NtRaiseHardError(
        status: u32, count: u32, strings: u32, parameters: UserPtr<Word>, options: u32,
        response: UserPtr<u32>
    ) => raise_hard_error;
    NtSetDefaultHardErrorPort(port: Handle) => set_default_port;
    NtShutdownSystem(action: u32) => shutdown;
    NtDisplayString(text: UserText) => display_string;
    NtQueryDefaultLocale(user: bool, locale: UserPtr<u32>) => query_locale;
    NtQueryDefaultUILanguage(language: UserPtr<u16>) => query_default_language;
    NtQueryInstallUILanguage(language: UserPtr<u16>) => query_install_language;
    NtQuerySystemTime(time: UserPtr<u64>) => query_time;
    NtQueryPerformanceCounter(counter: UserPtr<u64>, frequency: UserPtr<u64>) => query_counter;
    NtQueryTimerResolution(
        longest: UserPtr<u32>, shortest: UserPtr<u32>, now: UserPtr<u32>
    ) => query_resolution;
    NtGetCurrentProcessorNumber() => current_processor;
    NtQueryDebugFilterState(component: u32, level: u32) => debug_filter;
    NtAllocateLocallyUniqueId(luid: UserPtr<u64>) => allocate_luid;
}

/// Units of 100 ns of virtual time in a tick of the counter: one.
const COUNTER_FREQUENCY: u64 = 10_000_000;
/// English, United States: the locale of a system whose registry names none.
const LOCALE: u32 = 0x409;
/// Where the registry names the system's locale: a hexadecimal number as text.
const LANGUAGE_KEY: &str = "\\Registry\\Machine\\System\\CurrentControlSet\\Control\\Nls\\Language";
/// Longest tick of the clock, 100 ns.
pub const TIMER_RESOLUTION: u32 = 156_250;

fn query_information(call: &mut Call<'_>, args: NtQuerySystemInformation) -> Result<Done> {
    let (class, place, size, length) = (args.class, args.buffer, args.size, args.length);
    // The debugger's flags are the only answer without alignment.
    let alignment = if class == class::KERNEL_DEBUGGER {
        1
    } else {
        4
    };
    call.probe_write(place, u64::from(size), alignment)?;
    call.probe_optional::<u32>(length)?;
    call.write_optional(length, 0_u32)?;
    let answer = sysinfo::query(
        call.exec,
        call.exec.architecture(),
        class,
        size,
        place.address(),
    );
    if answer.status == Status::NOT_IMPLEMENTED {
        log::warn!("NtQuerySystemInformation: class {class} is not built");
    }
    call.write_bytes(place, &answer.bytes)?;
    if answer.status != Status::INVALID_INFO_CLASS {
        call.write_optional(length, answer.length)?;
    }
    Ok(Done::Returns(answer.status))
}

fn set_information(call: &mut Call<'_>, args: NtSetSystemInformation) -> Result<Done> {
    let (class, place, size) = (args.class, args.buffer, args.size);
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
            let flags = call.read(place.cast())?;
            call.exec.set_global_flag(flags);
        }
        class::EXTEND_SERVICE_TABLE => {
            sized(call.size_of::<UnicodeString>() as u32)?;
            call.demand(token::LOAD_DRIVER)?;
            let name: UnicodeString = call.read(place.cast())?;
            let name = call.text(name)?;
            call.exec.extend_service_table(call.thread, &name)?;
        }
        class::SESSION_CREATE => {
            sized(4)?;
            call.demand(token::LOAD_DRIVER)?;
            call.probe::<u32>(place.cast())?;
            let session = call.exec.create_session(call.thread)?;
            call.write(place.cast(), session)?;
        }
        class::SESSION_DETACH => {
            sized(4)?;
            call.demand(token::LOAD_DRIVER)?;
            let session = call.read(place.cast())?;
            call.exec.detach_session(call.thread, session)?;
        }
        _ => {
            log::warn!("NtSetSystemInformation: class {class} is not built");
            return Err(Status::INVALID_INFO_CLASS);
        }
    }
    success()
}

fn raise_hard_error(call: &mut Call<'_>, args: NtRaiseHardError) -> Result<Done> {
    let (values, response) = (args.parameters, args.response);
    let (status, count, mask, option) = (
        Status::new(args.status),
        args.count as usize,
        args.strings,
        args.options,
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
        let values = UserSlice {
            pointer: values,
            count: args.count,
        };
        for (index, Word(value)) in call.slice(values, 8)?.into_iter().enumerate() {
            let is_text = mask & 1 << index != 0;
            parameters.push(if is_text {
                text_parameter(call, UserPtr::new(value))?
            } else {
                Parameter::Number(value)
            });
        }
    }
    let answered = call
        .exec
        .raise_hard_error(call.thread, status, mask, parameters, option)?;
    match answered {
        HardErrorResult::Refused => {
            call.write(response, RESPONSE_NOT_HANDLED)?;
            Err(Status::PRIVILEGE_NOT_HELD)
        }
        HardErrorResult::Returned => {
            call.write(response, RESPONSE_RETURN_TO_CALLER)?;
            success()
        }
        HardErrorResult::Stopped => Ok(Done::Gone),
        HardErrorResult::Waits => call.wait(Pending::HardError { response }),
    }
}

fn text_parameter(call: &mut Call<'_>, place: UserPtr<UnicodeString>) -> Result<Parameter> {
    let string = call.read_aligned(place, 8)?;
    let text = call.text(string)?;
    Ok(Parameter::Text(
        String::from_utf16_lossy(&text),
        place.address(),
    ))
}

/// The end of a NtRaiseHardError that has asked a port.
pub fn finish_hard_error(
    call: &mut Call<'_>,
    event: Event,
    response: UserPtr<u32>,
) -> Result<Done> {
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

fn set_default_port(call: &mut Call<'_>, args: NtSetDefaultHardErrorPort) -> Result<Done> {
    call.exec
        .set_default_hard_error_port(call.thread, args.port)?;
    success()
}

fn shutdown(call: &mut Call<'_>, args: NtShutdownSystem) -> Result<Done> {
    let action = match args.action {
        0 => ShutdownAction::NoReboot,
        1 => ShutdownAction::Reboot,
        2 => ShutdownAction::PowerOff,
        _ => return Err(Status::INVALID_PARAMETER),
    };
    call.demand(token::SHUTDOWN)?;
    call.exec.shutdown(action);
    Ok(Done::Gone)
}

fn display_string(call: &mut Call<'_>, args: NtDisplayString) -> Result<Done> {
    call.demand(token::TCB)?;
    let text = call.string(args.text)?;
    call.exec
        .machine_mut()
        .display(&String::from_utf16_lossy(&text));
    success()
}

/// The system's locale, which is every user's here.
fn locale(exec: &Executive) -> u32 {
    let name = utf16("Default");
    let value = exec
        .registry()
        .find(LANGUAGE_KEY)
        .and_then(|key| exec.registry().value(key, &name).ok());
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

fn query_locale(call: &mut Call<'_>, args: NtQueryDefaultLocale) -> Result<Done> {
    let place = args.locale;
    call.probe::<u32>(place)?;
    let locale = locale(call.exec);
    call.write(place, locale)?;
    success()
}

fn query_default_language(call: &mut Call<'_>, args: NtQueryDefaultUILanguage) -> Result<Done> {
    query_language(call, args.language)
}

fn query_install_language(call: &mut Call<'_>, args: NtQueryInstallUILanguage) -> Result<Done> {
    query_language(call, args.language)
}

fn query_language(call: &mut Call<'_>, place: UserPtr<u16>) -> Result<Done> {
    call.probe(place)?;
    let language = locale(call.exec) as u16;
    call.write(place, language)?;
    success()
}

fn query_time(call: &mut Call<'_>, args: NtQuerySystemTime) -> Result<Done> {
    let place = args.time;
    call.probe(place)?;
    let now = call.exec.now();
    call.write(place, now)?;
    success()
}

fn query_counter(call: &mut Call<'_>, args: NtQueryPerformanceCounter) -> Result<Done> {
    let (place, frequency) = (args.counter, args.frequency);
    call.probe(place)?;
    call.probe_optional(frequency)?;
    let uptime = call.exec.machine().uptime();
    call.write(place, uptime)?;
    call.write_optional(frequency, COUNTER_FREQUENCY)?;
    success()
}

fn query_resolution(call: &mut Call<'_>, args: NtQueryTimerResolution) -> Result<Done> {
    let places = [args.longest, args.shortest, args.now];
    for place in places {
        call.probe(place)?;
    }
    for place in places {
        call.write(place, TIMER_RESOLUTION)?;
    }
    success()
}

fn current_processor(_call: &mut Call<'_>, _: NtGetCurrentProcessorNumber) -> Result<Done> {
    // The number, not a status: there is one processor that runs threads.
    success()
}

fn debug_filter(_call: &mut Call<'_>, _: NtQueryDebugFilterState) -> Result<Done> {
    // TRUE: everything is let through to the debug output.
    Ok(Done::Returns(Status::new(1)))
}

fn allocate_luid(call: &mut Call<'_>, args: NtAllocateLocallyUniqueId) -> Result<Done> {
    let place = args.luid;
    call.probe(place)?;
    // Ids of processes and threads come from the same numbers: none is given out twice. Small LUIDs
    // are privileges and logons.
    let luid = 0x1_0000 + u64::from(call.exec.new_id());
    call.write(place, luid)?;
    success()
}
