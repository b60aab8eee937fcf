// SPDX-License-Identifier: GPL-2.0-or-later
//! The arguments of a system call: what one may be, how it comes out of a register or a stack slot,
//! and how it is shown in the trace.
//!
//! Every argument is one slot, as wide as the caller's pointers: NT passes numbers of 64 bits by
//! their address. The kernel has them all in slots of 64 bits.
//!
//! A call is declared once, like its C prototype, by [`services!`]. The declaration gives its
//! arguments as a structure, their decoding, their names and shapes for the trace, and its row in
//! the table of calls that are built. Their number is held against the table of services when the
//! rows are assembled.

use super::layout::{ObjectAttributes, UnicodeString};
use super::user::UserPtr;
use crate::machine::Architecture;
use nt::Handle;
use nt::access::Access;

/// How an argument is shown, and how much of its 64-bit slot belongs to it: the rest is whatever the
/// caller's compiler left there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A number of this many bits.
    Number(u32),
    /// A BOOLEAN: one byte.
    Boolean,
    /// An ACCESS_MASK.
    Access,
    /// A handle.
    Handle,
    /// An address.
    Pointer,
    /// The address of an OBJECT_ATTRIBUTES, shown as the name in it.
    Attributes,
    /// The address of a UNICODE_STRING, shown as its text.
    Text,
}

impl Shape {
    /// The argument in a slot of 64 bits, out of the caller's slot. A narrow one has its sign
    /// if it is a handle, since pseudo handles are negative, and zeros above it otherwise.
    pub const fn widened(self, architecture: Architecture, slot: u64) -> u64 {
        match (architecture, self) {
            (Architecture::I386, Self::Handle) => slot as u32 as i32 as u64,
            _ => slot,
        }
    }

    /// The part of a slot that belongs to the argument.
    pub const fn value(self, slot: u64) -> u64 {
        match self {
            Self::Number(bits) if bits < 64 => slot & ((1 << bits) - 1),
            Self::Access => slot as u32 as u64,
            Self::Boolean => slot as u8 as u64,
            _ => slot,
        }
    }
}

/// A type that an argument may have.
pub trait Argument {
    /// How it is shown.
    const SHAPE: Shape;

    /// Its value.
    fn decode(slot: u64) -> Self;
}

macro_rules! numbers {
    ($($number:ident)*) => {
        $(
            impl Argument for $number {
                const SHAPE: Shape = Shape::Number($number::BITS);

                fn decode(slot: u64) -> Self {
                    slot as Self
                }
            }
        )*
    };
}

numbers! { u16 u32 u64 }

impl Argument for bool {
    const SHAPE: Shape = Shape::Boolean;

    fn decode(slot: u64) -> Self {
        slot as u8 != 0
    }
}

impl Argument for Access {
    const SHAPE: Shape = Shape::Access;

    fn decode(slot: u64) -> Self {
        Self::from_bits_retain(slot as u32)
    }
}

impl Argument for Handle {
    const SHAPE: Shape = Shape::Handle;

    fn decode(slot: u64) -> Self {
        Self::from_slot(slot)
    }
}

impl<T> Argument for UserPtr<T> {
    const SHAPE: Shape = Shape::Pointer;

    fn decode(slot: u64) -> Self {
        Self::new(slot)
    }
}

/// The address of an OBJECT_ATTRIBUTES.
#[derive(Clone, Copy, Debug)]
pub struct UserAttributes(pub UserPtr<ObjectAttributes>);

impl UserAttributes {
    /// Whether there is none.
    pub const fn is_null(self) -> bool {
        self.0.is_null()
    }
}

impl Argument for UserAttributes {
    const SHAPE: Shape = Shape::Attributes;

    fn decode(slot: u64) -> Self {
        Self(UserPtr::new(slot))
    }
}

/// The address of a UNICODE_STRING that is only read.
#[derive(Clone, Copy, Debug)]
pub struct UserText(pub UserPtr<UnicodeString>);

impl UserText {
    /// `None` for a text that is not given.
    pub const fn optional(self) -> Option<Self> {
        if self.0.is_null() { None } else { Some(self) }
    }
}

impl Argument for UserText {
    const SHAPE: Shape = Shape::Text;

    fn decode(slot: u64) -> Self {
        Self(UserPtr::new(slot))
    }
}

/// An argument as it is declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name in the trace.
    pub name: &'static str,
    /// How it is shown.
    pub shape: Shape,
}

impl Parameter {
    /// A parameter of type `T`; a name that is a keyword of Rust comes with `r#`.
    pub const fn of<T: Argument>(name: &'static str) -> Self {
        let name = match name.as_bytes() {
            [b'r', b'#', ..] => name.split_at(2).1,
            _ => name,
        };
        Self {
            name,
            shape: T::SHAPE,
        }
    }
}

/// Declares the calls of an area, each like its prototype, with the function that carries it out:
///
/// ```ignore
/// services! {
///     NtSetEvent(event: Handle, previous: UserPtr<u32>) => set_event;
/// }
///
/// fn set_event(call: &mut Call<'_>, args: NtSetEvent) -> Result<Done> { .. }
/// ```
///
/// What comes out is a structure of arguments for each call and the constant `CALLS`.
macro_rules! services {
    ($($service:ident($($argument:ident: $kind:ty),* $(,)?) => $handler:ident;)*) => {
        $(
            #[doc = concat!("The arguments of ", stringify!($service), ".")]
            #[derive(Clone, Copy, Debug)]
            #[allow(dead_code, reason = "a prototype is whole, also where an argument is not used")]
            struct $service {
                $($argument: $kind,)*
            }
        )*

        /// The calls of this area.
        pub const CALLS: &[super::call::Built] = &[$(
            super::call::Built {
                name: stringify!($service),
                parameters: &[$(
                    super::argument::Parameter::of::<$kind>(stringify!($argument)),
                )*],
                handler: |call| {
                    #[allow(unused_mut, unused_variables, reason = "a call without arguments")]
                    let mut slots = call.arguments.into_iter();
                    let arguments = $service {
                        $($argument: super::argument::Argument::decode(
                            slots.next().unwrap_or_default(),
                        ),)*
                    };
                    $handler(call, arguments)
                },
            },
        )*];
    };
}

pub(super) use services;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_holds_more_than_its_argument() {
        let slot = 0xFFFF_FFFF_8000_0100;
        assert_eq!(u32::decode(slot), 0x8000_0100);
        assert_eq!(u32::SHAPE.value(slot), 0x8000_0100);
        assert_eq!(Access::SHAPE.value(slot), 0x8000_0100);
        assert_eq!(u16::SHAPE.value(slot), 0x100);
        assert_eq!((bool::decode(slot), bool::SHAPE.value(slot)), (false, 0));
        assert_eq!(u64::SHAPE.value(slot), slot);
        assert_eq!(Handle::SHAPE.value(slot), slot);
    }

    #[test]
    fn a_handle_of_an_i386_program_keeps_its_sign_and_an_address_does_not() {
        let wide = |shape: Shape| shape.widened(Architecture::I386, 0xFFFF_FFFF);
        assert_eq!(Handle::decode(wide(Handle::SHAPE)), Handle::CURRENT_PROCESS);
        assert_eq!(wide(UserPtr::<u8>::SHAPE), 0xFFFF_FFFF);
        assert_eq!(wide(u64::SHAPE), 0xFFFF_FFFF);
    }

    #[test]
    fn a_keyword_is_shown_as_the_word() {
        assert_eq!(Parameter::of::<u32>("r#type").name, "type");
        assert_eq!(Parameter::of::<u32>("class").name, "class");
    }
}
