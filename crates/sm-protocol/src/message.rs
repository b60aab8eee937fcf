// SPDX-License-Identifier: GPL-2.0-or-later
//! What the messages of both protocols have in common: the API header after the LPC header, and
//! the data after that (spec 10.1, 10.3, 10.7).
//!
//! Nothing is read beyond the bytes that the kernel says were sent, and nothing is written beyond
//! the buffer.

use core::mem::offset_of;
use nt::system::{MessageBuffer, PortHeader};
use nt::{Status, UnicodeStr, by_width};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Bytes of an SB_API_MSG: what every call-back sends as its total length.
pub const SB_MESSAGE_BYTES: usize = by_width(0x120, 0x110);

/// API number and result, at the start of the data of every SM and SB message (spec 10.3).
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct ApiHeader {
    /// Which request.
    pub number: u32,
    /// NTSTATUS of the reply.
    pub return_value: u32,
}

const _: () = assert!(size_of::<PortHeader>() == by_width(0x28, 0x18));
const _: () = assert!(offset_of!(ApiHeader, return_value) == 4);
const _: () = assert!(size_of::<ApiHeader>() == 8);

/// The data of one API number, after the [`ApiHeader`].
pub trait Request: FromBytes + IntoBytes + Immutable + KnownLayout + Sized {
    /// Its number.
    const NUMBER: u32;
}

/// What messages of both protocols have in common.
pub trait ApiMessage {
    /// The data that was really sent.
    fn sent(&self) -> &[u8];
    /// The API number and result. `INVALID_PARAMETER` if the message is too short for them.
    fn api(&self) -> nt::Result<ApiHeader>;
    /// The request's data. `INVALID_PARAMETER` if fewer bytes were sent than it has.
    fn body<R: FromBytes>(&self) -> nt::Result<R>;
    /// The API header and the data behind it, in their places: what is written there is in the reply.
    /// `INVALID_PARAMETER` if the message is too short for the header.
    fn parts_mut(&mut self) -> nt::Result<(&mut ApiHeader, &mut [u8])>;
    /// The request's data in its place. `INVALID_PARAMETER` if fewer bytes were sent than it has.
    fn body_mut<R: FromBytes + IntoBytes + KnownLayout>(&mut self) -> nt::Result<&mut R>;
    /// Writes the data of a reply back, as far as the request reached.
    fn set_body<R: IntoBytes + Immutable>(&mut self, body: &R);
    /// Writes the result, making room for it if the request was shorter.
    fn set_result(&mut self, status: Status);
}

impl ApiMessage for MessageBuffer {
    fn sent(&self) -> &[u8] {
        self.data
            .get(..usize::from(self.header.data_length))
            .unwrap_or(&self.data)
    }

    fn api(&self) -> nt::Result<ApiHeader> {
        ApiHeader::read_from_prefix(self.sent())
            .map(|(header, _)| header)
            .map_err(|_| Status::INVALID_PARAMETER)
    }

    fn body<R: FromBytes>(&self) -> nt::Result<R> {
        let data = self
            .sent()
            .get(size_of::<ApiHeader>()..)
            .ok_or(Status::INVALID_PARAMETER)?;
        R::read_from_prefix(data)
            .map(|(body, _)| body)
            .map_err(|_| Status::INVALID_PARAMETER)
    }

    fn parts_mut(&mut self) -> nt::Result<(&mut ApiHeader, &mut [u8])> {
        let length = usize::from(self.header.data_length).min(self.data.len());
        let sent = self.data.get_mut(..length).unwrap_or_default();
        ApiHeader::mut_from_prefix(sent).map_err(|_| Status::INVALID_PARAMETER)
    }

    fn body_mut<R: FromBytes + IntoBytes + KnownLayout>(&mut self) -> nt::Result<&mut R> {
        body_in(self.parts_mut()?.1)
    }

    fn set_body<R: IntoBytes + Immutable>(&mut self, body: &R) {
        if let Ok((_, data)) = ApiHeader::mut_from_prefix(&mut self.data) {
            put(data, body.as_bytes());
        }
    }

    fn set_result(&mut self, status: Status) {
        const HEADER: u16 = size_of::<ApiHeader>() as u16;
        if self.header.data_length < HEADER {
            self.header.data_length = HEADER;
            self.header.total_length = HEADER + size_of::<PortHeader>() as u16;
        }
        if let Ok((api, _)) = ApiHeader::mut_from_prefix(&mut self.data) {
            api.return_value = status.code();
        }
    }
}

/// The data of one API number at the start of what was sent behind the header, in its place.
/// `INVALID_PARAMETER` if fewer bytes were sent than it has.
pub fn body_in<R: FromBytes + IntoBytes + KnownLayout>(sent: &mut [u8]) -> nt::Result<&mut R> {
    R::mut_from_prefix(sent)
        .map(|(body, _)| body)
        .map_err(|_| Status::INVALID_PARAMETER)
}

/// Copies `bytes` to the start of `data`, as far as they fit.
#[inline(never)]
pub(crate) fn put(data: &mut [u8], bytes: &[u8]) {
    let length = data.len().min(bytes.len());
    if let (Some(room), Some(bytes)) = (data.get_mut(..length), bytes.get(..length)) {
        room.copy_from_slice(bytes);
    }
}

/// A message of `number` with `body`, as long as the body, or of `total` bytes.
#[inline(never)]
pub(crate) fn message(number: u32, body: &[u8], total: Option<u16>) -> MessageBuffer {
    let mut message = MessageBuffer::default();
    // Both sizes are below that of a message, so neither sum nor cast can lose anything.
    let data = (size_of::<ApiHeader>() + body.len()) as u16;
    message.header.data_length = data;
    message.header.total_length = total.unwrap_or(data + size_of::<PortHeader>() as u16);
    if let Ok((api, data)) = ApiHeader::mut_from_prefix(&mut message.data) {
        api.number = number;
        put(data, body);
    }
    message
}

/// The request `body` as a client sends it.
pub fn request<R: Request>(body: &R) -> MessageBuffer {
    message(R::NUMBER, body.as_bytes(), None)
}

/// Result of a call: `Err` if the answer's result is no success.
pub fn result_of(message: &MessageBuffer) -> nt::Result<()> {
    Status::new(message.api()?.return_value).ok()
}

/// A counted string in a fixed field. `INVALID_PARAMETER` if its length is odd or more than the
/// field holds.
pub fn counted(field: &[u16], bytes: u32) -> nt::Result<UnicodeStr<'_>> {
    let units = usize::try_from(bytes / 2).map_err(|_| Status::INVALID_PARAMETER)?;
    match field.get(..units) {
        Some(text) if bytes.is_multiple_of(2) => Ok(UnicodeStr(text)),
        _ => Err(Status::INVALID_PARAMETER),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sm::{StartCsr, StopCsr};
    use zerocopy::FromZeros;

    #[test]
    fn a_body_shorter_than_its_kind_is_an_invalid_parameter() {
        let mut message = request(&StopCsr { session: 7 });
        assert_eq!(message.body::<StopCsr>().unwrap().session, 7);
        message.header.data_length -= 1;
        assert_eq!(
            message.body::<StopCsr>().err(),
            Some(Status::INVALID_PARAMETER)
        );
        message.header.data_length = 7;
        assert_eq!(message.api().err(), Some(Status::INVALID_PARAMETER));
        message.set_result(Status::INVALID_PARAMETER);
        assert_eq!(result_of(&message), Err(Status::INVALID_PARAMETER));
    }

    #[test]
    fn a_data_length_beyond_the_buffer_reads_no_further_than_the_buffer() {
        let mut message = request(&StartCsr::new_zeroed());
        message.header.data_length = u16::MAX;
        assert_eq!(message.sent().len(), by_width(0x120, 0x118));
        assert!(message.body::<StartCsr>().is_ok());
    }

    #[test]
    fn counted_strings_are_checked() {
        let field = [65u16; 32];
        assert_eq!(counted(&field, 64).unwrap().len(), 32);
        assert_eq!(counted(&field, 66), Err(Status::INVALID_PARAMETER));
        assert_eq!(counted(&field, 3), Err(Status::INVALID_PARAMETER));
        assert_eq!(
            counted(&field, u32::MAX - 1),
            Err(Status::INVALID_PARAMETER)
        );
    }
}
